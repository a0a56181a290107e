//! A value and open descriptors, handed from one of our processes to another over a Unix socket (SCM_RIGHTS).
//!
//! It is the first thing on a socket, before the lines of [`super::control`]: four bytes of length, with which the
//! descriptors come, then JSON.

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Descriptors in one message; the kernel takes no more than 253 (unix(7), SCM_MAX_FD).
const MOST: usize = 250;
/// Bytes of the value.
const LENGTH_MOST: usize = 1 << 20;

/// Hands over `value` and `descriptors`; waits where the socket is full.
pub fn send(to: &UnixStream, value: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> std::io::Result<()> {
    let text = serde_json::to_vec(value)?;
    if descriptors.len() > MOST || text.len() > LENGTH_MOST {
        return Err(std::io::Error::other(format!(
            "{} sockets are more than can be passed",
            descriptors.len()
        )));
    }
    let length = (text.len() as u32).to_be_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    let sent = sendmsg(to, &[IoSlice::new(&length)], &mut ancillary, SendFlags::NOSIGNAL)?;
    let mut to = to;
    to.write_all(&length[sent..])?;
    to.write_all(&text)
}

/// Takes what [`send`] handed over, the descriptors in their order. They are closed on exec.
///
/// `Err` where the other end is gone, or says something else.
pub fn receive<T: DeserializeOwned>(from: &UnixStream) -> std::io::Result<(T, Vec<OwnedFd>)> {
    let mut length = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut length)];
    let received = recvmsg(from, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(all) = message {
            descriptors.extend(all);
        }
    }
    if received.bytes == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    let mut from = from;
    from.read_exact(&mut length[received.bytes..])?;
    let length = u32::from_be_bytes(length) as usize;
    if length > LENGTH_MOST {
        return Err(std::io::Error::other("the other process says what is not understood"));
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text)?;
    Ok((serde_json::from_slice(&text)?, descriptors))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn descriptors_arrive_in_their_order_and_are_what_they_were() {
        let (one, other) = UnixStream::pair().unwrap();
        let files: Vec<_> = ["first", "second"]
            .map(|text| {
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(text.as_bytes()).unwrap();
                std::io::Seek::rewind(&mut file).unwrap();
                file
            })
            .into();
        send(&one, &vec!["a", "b"], &files.iter().map(AsFd::as_fd).collect::<Vec<_>>()).unwrap();
        (&one).write_all(b"a line\n").unwrap();
        let (value, descriptors): (Vec<String>, _) = receive(&other).unwrap();
        let text = |descriptor: OwnedFd| std::io::read_to_string(std::fs::File::from(descriptor)).unwrap();
        assert_eq!(value, ["a", "b"]);
        assert_eq!(descriptors.into_iter().map(text).collect::<Vec<_>>(), ["first", "second"]);
        drop(one);
        assert_eq!(std::io::read_to_string(other).unwrap(), "a line\n", "what follows is left alone");
    }

    #[test]
    fn nothing_and_nonsense_are_errors() {
        let (one, other) = UnixStream::pair().unwrap();
        drop(one);
        assert!(receive::<()>(&other).is_err());
        let (one, other) = UnixStream::pair().unwrap();
        (&one).write_all(b"\xff\xff\xff\xff{}").unwrap();
        assert!(receive::<()>(&other).is_err());
        let (one, _other) = UnixStream::pair().unwrap();
        let too_many = vec![one.as_fd(); MOST + 1];
        assert!(send(&one, &(), &too_many).is_err());
    }
}
