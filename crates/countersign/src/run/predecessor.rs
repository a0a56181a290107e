//! An upgrade as the new process sees it: what the old one hands over.

use std::fs::File;
use std::io::Write;
use std::os::unix::net::UnixStream;

use super::control::{Control, FromSuccessor, Hello, stdin_socket};
use super::passing;
use super::sockets::Socket;

/// What the process that is taken over from has handed to this one.
pub struct Inherited {
    pub(super) sockets: Vec<Socket>,
    pub(super) lock: File,
    stream: UnixStream,
}

impl Inherited {
    /// What came on standard input.
    pub fn from_stdin() -> std::io::Result<Self> {
        let stream = stdin_socket()?;
        let (Hello { sockets, .. }, mut descriptors) = passing::receive(&stream)?;
        let lock = descriptors.pop().ok_or(std::io::ErrorKind::UnexpectedEof)?;
        Ok(Self { sockets: Socket::all(sockets, descriptors), lock: lock.into(), stream })
    }

    /// Says that nothing is taken over: the exit code of this process, and why.
    pub fn refuse(&self, code: u8, why: &str) {
        if let Ok(line) = serde_json::to_string(&FromSuccessor::Failed(code, why.to_owned())) {
            let _ = (&self.stream).write_all((line + "\n").as_bytes());
        }
    }

    /// The way to the old process. Needs a runtime.
    pub(super) fn control(self) -> std::io::Result<(Vec<Socket>, File, Control)> {
        Ok((self.sockets, self.lock, Control::over(self.stream)?))
    }
}
