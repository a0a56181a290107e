//! A program run to its end within a deadline, with everything it printed.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a finished program left behind.
#[derive(Clone, Debug)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; -1 when it was ended by a signal.
    pub code: i32,
    /// Standard output, invalid UTF-8 replaced.
    pub stdout: String,
    /// Standard output as bytes.
    pub stdout_bytes: Vec<u8>,
    /// Standard error, invalid UTF-8 replaced.
    pub stderr: String,
}

impl Output {
    /// Itself if the exit code is 0; panics with both streams otherwise.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exited(0)
    }

    /// Itself if the exit code is `code`; panics with both streams otherwise.
    #[track_caller]
    pub fn exited(self, code: i32) -> Self {
        assert!(self.code == code, "expected exit {code}\n{}", self.story());
        self
    }

    /// Panics unless it refused: neither 0 nor the end of a program with a bug.
    #[track_caller]
    pub fn refused(self) -> Self {
        assert!(![0, 70, 101].contains(&self.code), "not refused: {}", self.story());
        self
    }

    /// Standard output as one JSON document; panics with both streams if it is none.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(wrong) => panic!("standard output is no JSON document: {wrong}\n{}", self.story()),
        }
    }

    /// Both streams together, standard output first.
    pub fn both(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Command, code and both streams, for panic messages.
    pub fn story(&self) -> String {
        let Self { command, code, stdout, stderr, .. } = self;
        format!("$ {command}\nexit {code}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
    }
}

/// Runs `command` with `input` on standard input; kills it and panics after `deadline`.
///
/// Panics with a clear message when the program is not installed.
#[track_caller]
pub fn run(command: &mut Command, input: &[u8], deadline: Duration) -> Output {
    let (output, in_time) = run_until(command, input, deadline, false);
    assert!(in_time, "did not end within {deadline:?}\n{}", output.story());
    output
}

/// Like [`run`], but killing after `deadline` is no failure; the second value tells whether it ended by itself.
///
/// With `hold_input` standard input stays open after `input`, until the program ends.
#[track_caller]
pub fn run_until(
    command: &mut Command,
    input: &[u8],
    deadline: Duration,
    hold_input: bool,
) -> (Output, bool) {
    let shown = show(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(wrong) => panic!("cannot run `{}`: {wrong}; is it installed?", command.get_program().display()),
    };
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let mut stdin = child.stdin.take();
    if let Some(pipe) = &mut stdin {
        // A program that ends without reading its input is not the caller's concern.
        let _ = pipe.write_all(input).and_then(|()| pipe.flush());
    }
    if !hold_input {
        drop(stdin.take());
    }
    let status = wait(&mut child, deadline);
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    drop(stdin);
    let stdout = stdout.join().unwrap_or_default();
    let stderr = stderr.join().unwrap_or_default();
    let output = Output {
        command: shown,
        code: status.and_then(|s| s.code()).unwrap_or(-1),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stdout_bytes: stdout,
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    };
    (output, status.is_some())
}

/// The exit status of `child` if it ends within `deadline`.
pub fn wait(child: &mut Child, deadline: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + deadline;
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn show(command: &Command) -> String {
    let mut shown = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        shown.push(' ');
        shown.push_str(&arg.to_string_lossy());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_gets_its_input_and_returns_its_code() {
        let output = run(
            Command::new("sh").args(["-c", "cat; echo bad >&2; exit 3"]),
            b"{\"a\":1}",
            Duration::from_secs(10),
        );

        assert_eq!((output.code, output.stderr.as_str()), (3, "bad\n"));
        assert_eq!(output.json()["a"], 1);
    }

    #[test]
    #[should_panic(expected = "is it installed?")]
    fn a_missing_program_is_named() {
        run(&mut Command::new("no-such-program"), b"", Duration::from_secs(1));
    }
}
