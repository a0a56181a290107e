//! What supervisor and gate say to each other: short lines over a socket pair that is the gate's standard input.
//!
//! The gate may only ask: for the signing process to be started, for a new revocation list, or for hosts to be asked. It is told whether that
//! went well. When the supervisor is gone, the socket ends, and so does the gate. Before the first line the supervisor
//! hands over a [`Hello`] with sockets. Two supervisors, of which one takes over from the other, speak the same way.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, Notify, mpsc};

use super::sockets::Label;

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
    /// A host says that it is ready to prove its name: have it asked.
    Prove,
    /// It has read everything anew; `false`: it could not, and the old policy stays in force.
    Reloaded(bool),
    /// Its workers and its writer of the registry have come round since it said so last.
    Alive,
    /// It does not serve, and why.
    Failed(String),
}

/// What a supervisor says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromSupervisor {
    /// The answer to `Sign`: why it failed, if it did.
    Signed(Option<String>),
    /// Server certificates were renewed: read them.
    Renewed,
    /// Another gate has the sockets now: let what runs end, under the policy of the day.
    Retire,
    /// The one that took over was told to read everything anew, and whether it could: do the same, or end.
    Follow(bool),
}

/// What a supervisor says to the one that it takes over from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromSuccessor {
    /// Its gate serves; this is its process, and its version.
    Serves(u32, String),
    /// It does not serve: the exit code, and why.
    Failed(u8, String),
    /// It has everything; drain.
    HasTaken,
    /// It was told to read everything anew, and whether its gate could.
    Reloaded(bool),
}

/// What a supervisor says to the one that takes over from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromPredecessor {
    /// All is the successor's now.
    Yours,
}

/// The first thing that a process is given, together with descriptors: the sockets in the order of their labels, then
/// one more. To a gate that is the socket on which it hands back what it listens on; to a successor, the lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The sockets that come with it.
    pub sockets: Vec<Label>,
    /// How often a gate is to say that it is alive, in milliseconds.
    pub alive_every_ms: Option<u64>,
}

/// The socket that this process was given as its standard input.
pub fn stdin_socket() -> std::io::Result<StdUnixStream> {
    Ok(std::io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// Lines that are values of two types, one each way.
pub struct Control {
    lines: Lines<BufReader<OwnedReadHalf>>,
    to: OwnedWriteHalf,
}

impl Control {
    /// Over this socket. Needs a runtime.
    pub fn over(stream: StdUnixStream) -> std::io::Result<Self> {
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
    to: Arc<Mutex<OwnedWriteHalf>>,
    answers: mpsc::UnboundedReceiver<Option<String>>,
    orders: mpsc::UnboundedReceiver<Order>,
    gone: Arc<Notify>,
}

/// What a gate is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Server certificates were renewed: read them.
    ReadRenewed,
    /// Another gate has the sockets.
    Retire,
    /// The gate that has them was told to read everything anew, and whether it could.
    Follow(bool),
}

impl Link {
    /// Listens to the supervisor from now on. Needs a runtime.
    pub fn listen(Control { mut lines, to }: Control) -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        let (order, orders) = mpsc::unbounded_channel();
        let gone = Arc::new(Notify::new());
        let notify = gone.clone();
        tokio::spawn(async move {
            while let Some(said) = next(&mut lines).await {
                match said {
                    FromSupervisor::Signed(failure) => drop(answer.send(failure)),
                    FromSupervisor::Renewed => drop(order.send(Order::ReadRenewed)),
                    FromSupervisor::Retire => drop(order.send(Order::Retire)),
                    FromSupervisor::Follow(taken) => drop(order.send(Order::Follow(taken))),
                }
            }
            notify.notify_one();
        });
        Self { to: Arc::new(Mutex::new(to)), answers, orders, gone }
    }

    /// Has what is due signed, and waits for it. `Err` says why it could not be.
    pub async fn sign(&mut self) -> Result<(), String> {
        let gone = || "the supervisor is gone".to_owned();
        self.say(&FromGate::Sign).await.map_err(|_| gone())?;
        self.answers.recv().await.ok_or_else(gone)?.map_or(Ok(()), Err)
    }

    /// Says something that is not answered.
    pub async fn say(&self, what: &FromGate) -> std::io::Result<()> {
        say(&mut *self.to.lock().await, what).await
    }

    /// Says this each time that it is notified.
    pub fn say_when(&self, notified: Arc<Notify>, what: FromGate) {
        let to = self.to.clone();
        tokio::spawn(async move {
            loop {
                notified.notified().await;
                if say(&mut *to.lock().await, &what).await.is_err() {
                    return;
                }
            }
        });
    }

    /// Says that all is well each time when `is_alive` says so, looked at as often as `every`.
    pub fn say_while_alive(&self, every: Duration, mut is_alive: impl FnMut() -> bool + 'static + Send) {
        let to = self.to.clone();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(every);
            tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
                if is_alive() && say(&mut *to.lock().await, &FromGate::Alive).await.is_err() {
                    return;
                }
            }
        });
    }

    /// What it is told to do next; never again anything once the supervisor is gone.
    pub async fn order(&mut self) -> Order {
        match self.orders.recv().await {
            Some(order) => order,
            None => std::future::pending().await,
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
