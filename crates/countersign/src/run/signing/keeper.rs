//! How the supervisor keeps the authority's process: it holds the socket that is listened on, so that whoever asks while
//! the process is started again waits instead of being turned away.

use std::fs::Permissions;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use authority::{Hierarchy, Role};
use tokio::process::Child;
use tokio::time::Instant;

use super::socket;
use crate::run::Run;
use crate::run::children::command;

/// A process that dies sooner than this waits longer and longer to be started again.
const SETTLED: Duration = Duration::from_secs(60);
/// The shortest wait, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// The authority's process, kept.
pub struct Keeper {
    run: Run,
    listener: UnixListener,
    child: Option<Running>,
    delay: Duration,
    due: Instant,
}

struct Running {
    process: Child,
    /// The process ends when this is dropped.
    _link: UnixStream,
    since: Instant,
}

impl Keeper {
    /// Listens and starts the process, where the state directory has a key of an issuing CA; nothing elsewhere.
    pub fn begin(run: &Run) -> Option<Self> {
        let hierarchy = Hierarchy::open(&run.state_dir.authority()).ok()?;
        if ![Role::Client, Role::Server, Role::Operator].into_iter().any(|role| hierarchy.has_key(role)) {
            return None;
        }
        let listener = listen(&socket(&run.state_dir))
            .inspect_err(|error| tracing::error!(%error, "the authority cannot listen; what is due is signed without it"))
            .ok()?;
        let now = Instant::now();
        let mut keeper = Self { run: run.clone(), listener, child: None, delay: Duration::ZERO, due: now };
        keeper.start();
        Some(keeper)
    }

    /// Returns when the process ended, or is to be started again.
    pub async fn changed(&mut self) {
        match &mut self.child {
            Some(running) => drop(running.process.wait().await),
            None => tokio::time::sleep_until(self.due).await,
        }
    }

    /// Looks at the process that ended, or starts it again when it is time.
    pub fn look(&mut self) {
        match self.child.take() {
            Some(running) => {
                if running.since.elapsed() > SETTLED {
                    self.delay = Duration::ZERO;
                }
                tracing::error!("the authority's process ended; it is started again");
                self.wait();
            }
            None => self.start(),
        }
    }

    fn wait(&mut self) {
        self.due = Instant::now() + self.delay;
        self.delay = (self.delay * 2).clamp(WAITS.0, WAITS.1);
    }

    fn start(&mut self) {
        match self.spawn() {
            Ok(running) => self.child = Some(running),
            Err(error) => {
                tracing::error!(%error, "the authority's process cannot be started");
                self.wait();
            }
        }
    }

    fn spawn(&self) -> std::io::Result<Running> {
        let (link, theirs) = UnixStream::pair()?;
        let mut command = command();
        command.arg("authority").args(&self.run.flags).arg("--config").arg(&self.run.config);
        command.arg("--state-dir").arg(self.run.state_dir.path());
        // Ctrl-C in a terminal is for the supervisor, which then lets go of this one.
        command.process_group(0);
        command.stdin(Stdio::from(OwnedFd::from(self.listener.try_clone()?)));
        command.stdout(Stdio::from(OwnedFd::from(theirs)));
        Ok(Running { process: command.spawn()?, _link: link, since: Instant::now() })
    }
}

/// A socket of mode 0600 at this path, in the place of whatever an earlier process left there.
fn listen(path: &Path) -> std::io::Result<UnixListener> {
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let _ = std::fs::remove_file(&part);
    let listener = UnixListener::bind(&part)?;
    std::fs::set_permissions(&part, Permissions::from_mode(0o600))?;
    std::fs::rename(&part, path)?;
    Ok(listener)
}
