//! A running gate: what it says, and its end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::process::wait;

/// `countersign run` as a child process; ended when dropped.
pub struct Gate {
    child: Child,
    said: Arc<Said>,
    exit: Option<i32>,
}

#[derive(Default)]
struct Said {
    text: Mutex<Text>,
    changed: Condvar,
}

#[derive(Default, Clone)]
struct Text {
    stdout: String,
    stderr: String,
    /// Streams that have come to their end; both have when the gate is gone.
    ended: u8,
}

/// Ends a hang; promises nothing about how soon something happens.
const PATIENCE: Duration = Duration::from_secs(60);

impl Gate {
    /// Spawns `command` and waits up to a minute for a line with `ready` on standard error; panics with the output
    /// otherwise.
    #[track_caller]
    pub fn start(command: Command) -> Self {
        let gate = Self::spawn(command);
        gate.wait_stderr("ready", PATIENCE);
        gate
    }

    /// Spawns `command` without waiting.
    #[track_caller]
    pub fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(wrong) => panic!("cannot run {}: {wrong}", command.get_program().display()),
        };
        let said = Arc::new(Said::default());
        if let Some(pipe) = child.stdout.take() {
            said.listen(pipe, |text| &mut text.stdout);
        }
        if let Some(pipe) = child.stderr.take() {
            said.listen(pipe, |text| &mut text.stderr);
        }
        Self { child, said, exit: None }
    }

    /// Waits until standard error has a line with `wanted`; panics with all output when it has none after
    /// `patience` or the gate ended.
    #[track_caller]
    pub fn wait_stderr(&self, wanted: &str, patience: Duration) {
        self.wait_for(wanted, patience, |text| &text.stderr);
    }

    /// The same for standard output, such as a line of the access log.
    #[track_caller]
    pub fn wait_stdout(&self, wanted: &str, patience: Duration) {
        self.wait_for(wanted, patience, |text| &text.stdout);
    }

    #[track_caller]
    fn wait_for(&self, wanted: &str, patience: Duration, part: fn(&Text) -> &String) {
        let (text, found) = self.said.wait(patience, |text| {
            let found = part(text).lines().any(|line| line.contains(wanted));
            if found { Some(true) } else { (text.ended == 2).then_some(false) }
        });
        let why = match found {
            Some(true) => return,
            Some(false) => "the gate ended",
            None => "it took too long",
        };
        let Text { stdout, stderr, .. } = text;
        panic!("no line with `{wanted}`: {why}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---");
    }

    /// Everything on standard output so far.
    pub fn stdout(&self) -> String {
        self.said.lock().stdout.clone()
    }

    /// Everything on standard error so far.
    pub fn stderr(&self) -> String {
        self.said.lock().stderr.clone()
    }

    /// The process id of the supervisor.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process that faces the internet: the child that runs `gate`; `None` while there is none.
    pub fn gate_pid(&self) -> Option<u32> {
        self.child_that_runs("gate")
    }

    /// The process that signs: the child that runs `authority`; `None` while there is none.
    pub fn authority_pid(&self) -> Option<u32> {
        self.child_that_runs("authority")
    }

    /// The process that answers OCSP: the child that runs `ocsp`; `None` while there is none.
    pub fn responder_pid(&self) -> Option<u32> {
        self.child_that_runs("ocsp")
    }

    /// The process that answers operators: the child that runs `console`; `None` while there is none.
    pub fn console_pid(&self) -> Option<u32> {
        self.child_that_runs("console")
    }

    /// The process that looks at websites for the console; `None` while there is none.
    pub fn checker_pid(&self) -> Option<u32> {
        self.child_that_runs("checker")
    }

    fn child_that_runs(&self, command: &str) -> Option<u32> {
        let supervisor = self.pid().to_string();
        std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
            let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
            (parent.trim() == supervisor && line.split('\0').nth(1) == Some(command)).then_some(pid)
        })
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// SIGKILL: a crash.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.exit = Some(-1);
    }

    /// The exit code if it has ended by itself.
    pub fn exited(&mut self) -> Option<i32> {
        if self.exit.is_none() {
            self.exit = self.child.try_wait().ok().flatten().map(|status| status.code().unwrap_or(-1));
        }
        self.exit
    }

    /// SIGTERM; the exit code, -1 when it had to be killed after a minute. Its output stays readable.
    ///
    /// Killed sooner, a gate on a busy machine would not have written what the next start rests on.
    pub fn terminate(&mut self) -> i32 {
        self.end_within(PATIENCE)
    }

    fn end_within(&mut self, patience: Duration) -> i32 {
        self.signal(Signal::TERM);
        self.wait_exit(patience).unwrap_or_else(|| {
            self.kill();
            -1
        })
    }

    /// SIGTERM without waiting, to watch it drain.
    pub fn ask_to_end(&self) {
        self.signal(Signal::TERM);
    }

    /// The exit code once it has ended and all it printed is read; `None` if it still runs after `patience`.
    pub fn wait_exit(&mut self, patience: Duration) -> Option<i32> {
        if self.exit.is_none() {
            self.exit = Some(wait(&mut self.child, patience)?.code().unwrap_or(-1));
        }
        self.said.wait(Duration::from_secs(1), |text| (text.ended == 2).then_some(()));
        self.exit
    }

    /// Only ever to a child that has not been waited for, so its id is nobody else's.
    fn signal(&self, signal: Signal) {
        if self.exit.is_none() {
            let _ = kill_process(Pid::from_child(&self.child), signal);
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Nothing rests on what it still writes.
        self.end_within(Duration::from_secs(5));
        if std::thread::panicking() {
            eprintln!("--- the gate's stderr\n{}\n---", self.stderr());
        }
    }
}

impl Said {
    fn lock(&self) -> MutexGuard<'_, Text> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done` says so, at most `patience`; the text then, and what `done` said.
    fn wait<T>(&self, patience: Duration, done: impl Fn(&Text) -> Option<T>) -> (Text, Option<T>) {
        let end = Instant::now() + patience;
        let mut text = self.lock();
        loop {
            let said = done(&text);
            let left = end.saturating_duration_since(Instant::now());
            if said.is_some() || left.is_zero() {
                return (text.clone(), said);
            }
            text = self.changed.wait_timeout(text, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn listen(self: &Arc<Self>, pipe: impl Read + Send + 'static, part: fn(&mut Text) -> &mut String) {
        let said = self.clone();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(pipe);
            let mut line = Vec::new();
            while let Ok(1..) = lines.read_until(b'\n', &mut line) {
                part(&mut said.lock()).push_str(&String::from_utf8_lossy(&line));
                said.changed.notify_all();
                line.clear();
            }
            said.lock().ended += 1;
            said.changed.notify_all();
        });
    }
}
