//! The process that answers: one question a connection, until the supervisor is gone.

use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use authority::files;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Mutex;
use tokio::task::LocalSet;

use super::responder::Answering;
use super::{socket, wire};
use crate::clock;
use crate::config::StateDir;

/// A question that is not asked in this time is not answered.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers until standard input ends, which is held open by whoever started this.
///
/// The socket is its owner's alone, as the directory is that it stands in.
pub async fn until_alone(state: StateDir) -> std::io::Result<()> {
    files::private_directory(&state.ocsp()).map_err(std::io::Error::other)?;
    let path = socket(&state);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    let answering = Rc::new(Mutex::new(Answering::new(state)));
    LocalSet::new()
        .run_until(async {
            let mut input = tokio::io::stdin();
            let mut nothing = [0; 1];
            loop {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => {
                            let answering = answering.clone();
                            tokio::task::spawn_local(async move {
                                let _ = tokio::time::timeout(PATIENCE, answer(&answering, stream)).await;
                            });
                        }
                        Err(error) => {
                            tracing::warn!(%error, "accept failed");
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        }
                    },
                    read = input.read(&mut nothing) => if !matches!(read, Ok(1)) { return Ok(()) },
                }
            }
        })
        .await
}

async fn answer(answering: &Mutex<Answering>, mut stream: UnixStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    (&mut stream).take(wire::MOST_ASKED).read_to_end(&mut request).await?;
    let answer = answering.lock().await.answer(&request, clock::now()).await;
    stream.write_all(&wire::written(&answer)).await
}
