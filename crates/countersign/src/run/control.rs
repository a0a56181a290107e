//! What supervisor and gate say to each other: short lines over a socket pair that is the gate's standard input.
//!
//! The gate may only ask: for the signing process to be started, or for a new revocation list. It is told whether that
//! went well. When the supervisor is gone, the socket ends, and so does the gate.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc};

/// What a gate says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromGate {
    /// It serves; the line that scripts wait for.
    Ready(String),
    /// Server certificates may be due: sign what is, then answer.
    Sign,
    /// Something was revoked: publish a new list when it may be.
    Revoked,
}

/// What a supervisor says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromSupervisor {
    /// The answer to `Sign`: why it failed, if it did.
    Signed(Option<String>),
    /// Server certificates were renewed: read them.
    Renewed,
}

/// Lines that are values of two types, one each way.
pub struct Control {
    lines: Lines<BufReader<OwnedReadHalf>>,
    to: OwnedWriteHalf,
}

impl Control {
    /// The two ends: one for this process, one to become a child's standard input.
    pub fn pair() -> std::io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = StdUnixStream::pair()?;
        Ok((Self::over(ours)?, theirs.into()))
    }

    /// The end that this process was given as its standard input. Needs a runtime.
    pub fn from_stdin() -> std::io::Result<Self> {
        Self::over(StdUnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?))
    }

    fn over(stream: StdUnixStream) -> std::io::Result<Self> {
        stream.set_nonblocking(true)?;
        let (from, to) = UnixStream::from_std(stream)?.into_split();
        Ok(Self { lines: BufReader::new(from).lines(), to })
    }

    /// The next line; `None` when the other end is gone or says what nobody understands.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Option<T> {
        next(&mut self.lines).await
    }

    /// Says something; an error means that the other end is gone, which [`Control::next`] tells as well.
    pub async fn say(&mut self, what: &impl Serialize) -> std::io::Result<()> {
        say(&mut self.to, what).await
    }
}

/// The gate's end, for the whole life of its process.
pub struct Link {
    to: OwnedWriteHalf,
    answers: mpsc::UnboundedReceiver<Option<String>>,
    renewals: mpsc::UnboundedReceiver<()>,
    gone: Arc<Notify>,
}

impl Link {
    /// Listens to the supervisor from now on. Needs a runtime.
    pub fn listen(Control { mut lines, to }: Control) -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        let (renew, renewals) = mpsc::unbounded_channel();
        let gone = Arc::new(Notify::new());
        let notify = gone.clone();
        tokio::spawn(async move {
            while let Some(said) = next(&mut lines).await {
                match said {
                    FromSupervisor::Signed(failure) => drop(answer.send(failure)),
                    FromSupervisor::Renewed => drop(renew.send(())),
                }
            }
            notify.notify_one();
        });
        Self { to, answers, renewals, gone }
    }

    /// Has what is due signed, and waits for it. `Err` says why it could not be.
    pub async fn sign(&mut self) -> Result<(), String> {
        let gone = || "the supervisor is gone".to_owned();
        self.say(&FromGate::Sign).await.map_err(|_| gone())?;
        self.answers.recv().await.ok_or_else(gone)?.map_or(Ok(()), Err)
    }

    /// Says something that is not answered.
    pub async fn say(&mut self, what: &FromGate) -> std::io::Result<()> {
        say(&mut self.to, what).await
    }

    /// Returns each time server certificates were renewed; never again once the supervisor is gone.
    pub async fn renewed(&mut self) {
        if self.renewals.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Told once, when the supervisor is gone.
    pub fn gone(&self) -> Arc<Notify> {
        self.gone.clone()
    }
}

async fn next<T: DeserializeOwned>(lines: &mut Lines<BufReader<OwnedReadHalf>>) -> Option<T> {
    let line = lines.next_line().await.ok()??;
    serde_json::from_str(&line).ok()
}

async fn say(to: &mut OwnedWriteHalf, what: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    to.write_all(&line).await
}
