//! How the supervisor keeps the authority's process, the one that answers OCSP, the console's, and the one that checks websites: it holds the socket that is listened
//! on, so that whoever asks while the process is started again waits instead of being turned away.

use std::fs::Permissions;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use authority::{Hierarchy, Role};
use tokio::process::Child;
use tokio::time::Instant;

use crate::cli::context;
use crate::config::{StateDir, passphrase};
use crate::console;
use crate::run::children::command;
use crate::run::{Run, ocsp};

/// A process that dies sooner than this waits longer and longer to be started again.
const SETTLED: Duration = Duration::from_secs(60);
/// The shortest wait, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// What is kept running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The authority's process.
    Authority,
    /// The process that answers OCSP, where there are listeners that it is asked on.
    Responder,
    /// The console behind the admin address, with or without a CA's key.
    Console,
    /// The process that looks at websites for the console.
    Checker,
}

impl Service {
    /// The command that this program is started with.
    fn command(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Responder => "ocsp",
            Self::Console => "console",
            Self::Checker => "checker",
        }
    }

    fn socket(self, state: &StateDir) -> PathBuf {
        match self {
            Self::Authority => super::socket(state),
            Self::Responder => ocsp::socket(state),
            Self::Console => console::socket(state),
            Self::Checker => console::check::socket(state),
        }
    }

    /// One of these CAs' keys has to be there, where any are named.
    fn cas(self) -> &'static [Role] {
        match self {
            Self::Authority => &[Role::Client, Role::Server, Role::Operator],
            Self::Responder => &[Role::Client, Role::Operator],
            Self::Console | Self::Checker => &[],
        }
    }

    /// For messages.
    fn shown(self) -> &'static str {
        match self {
            Self::Authority => "the authority's process",
            Self::Responder => "the process that answers OCSP",
            Self::Console => "the console's process",
            Self::Checker => "the process that checks websites",
        }
    }
}

/// A process, kept.
pub struct Keeper {
    service: Service,
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
    /// Listens and starts the process, where the state directory has the key of an issuing CA that it needs; nothing
    /// elsewhere.
    pub fn begin(run: &Run, service: Service) -> Option<Self> {
        let cas = service.cas();
        let has_key = |own: Hierarchy| cas.iter().any(|role| own.has_key(*role));
        if !cas.is_empty() && !Hierarchy::open(&run.state_dir.authority()).is_ok_and(has_key) {
            return None;
        }
        if service == Service::Responder && !context::listens_without_tls(&run.config) {
            return None;
        }
        let listener = listen(&service.socket(&run.state_dir))
            .inspect_err(|error| tracing::error!(%error, "{} cannot listen", service.shown()))
            .ok()?;
        let now = Instant::now();
        let mut keeper =
            Self { service, run: run.clone(), listener, child: None, delay: Duration::ZERO, due: now };
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
                tracing::error!("{} ended; it is started again", self.service.shown());
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
                tracing::error!(%error, "{} cannot be started", self.service.shown());
                self.wait();
            }
        }
    }

    fn spawn(&self) -> std::io::Result<Running> {
        let (link, theirs) = UnixStream::pair()?;
        let mut command = command();
        command.arg(self.service.command()).args(&self.run.flags).arg("--config").arg(&self.run.config);
        command.arg("--state-dir").arg(self.run.state_dir.path());
        if self.service != Service::Authority {
            // What opens the CA's keys is for the authority's process alone.
            command.env_remove(passphrase::VARIABLE).env_remove(passphrase::CREDENTIALS);
        }
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
