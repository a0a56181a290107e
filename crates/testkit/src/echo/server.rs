//! A listener on a thread and runtime of its own, gone when dropped.

use std::future::Future;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use tokio::net::TcpStream;
use tokio::sync::oneshot;

pub(crate) struct Server {
    pub(crate) port: u16,
    accepted: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on 127.0.0.1:`port` (0 for a free one) and runs `serve` for each connection.
    pub(crate) fn start<F, S>(port: u16, serve: S) -> Self
    where
        F: Future<Output = ()> + 'static,
        S: Fn(TcpStream) -> F + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a port of this machine");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let port = listener.local_addr().expect("the listener's address").port();
        let accepted = Arc::new(AtomicU64::new(0));
        let (stop, stopped) = oneshot::channel();
        let count = accepted.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let tasks = tokio::task::LocalSet::new();
            tasks.block_on(&runtime, async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                let accept = async {
                    loop {
                        let Ok((socket, _)) = listener.accept().await else { continue };
                        count.fetch_add(1, Ordering::SeqCst);
                        let _ = socket.set_nodelay(true);
                        tokio::task::spawn_local(serve(socket));
                    }
                };
                tokio::select! {
                    () = accept => {}
                    _ = stopped => {}
                }
            });
        });
        Self { port, accepted, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
