//! The process that answers: one question a connection.

use std::os::unix::net::UnixListener;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::LocalSet;

use super::responder::Answering;
use super::wire;
use crate::clock;
use crate::config::StateDir;

/// A question that is not asked whole in this time is not answered, nor is an answer that is not taken.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many questions are read at once.
const AT_ONCE: usize = 64;

/// Answers whoever asks, for ever.
pub async fn serve(state: StateDir, listener: UnixListener) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    let answering = Rc::new(Mutex::new(Answering::new(state)));
    let seats = std::sync::Arc::new(Semaphore::new(AT_ONCE));
    LocalSet::new()
        .run_until(async {
            loop {
                let seat = seats.clone().acquire_owned().await;
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let answering = answering.clone();
                        tokio::task::spawn_local(async move {
                            // A peer that is gone, or never said what it wants, is nobody else's trouble.
                            let _ = answer(&answering, stream).await;
                            drop(seat);
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "accept failed");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
            }
        })
        .await
}

async fn answer(answering: &Mutex<Answering>, mut stream: UnixStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut bounded = (&mut stream).take(wire::MOST_ASKED);
    tokio::time::timeout(PATIENCE, bounded.read_to_end(&mut request)).await??;
    // Not timed: the first one has a key named, and who asks again finds it there.
    let answer = answering.lock().await.answer(&request, clock::now()).await;
    tokio::time::timeout(PATIENCE, stream.write_all(&wire::written(&answer))).await?
}
