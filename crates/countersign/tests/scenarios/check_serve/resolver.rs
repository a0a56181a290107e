//! A resolver of our own, which may say something else each time.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A resolver; it answers until the test ends.
pub struct Resolver {
    pub at: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Resolver {
    /// `answer` gets a name and how often its addresses have been asked for before, and gives its addresses.
    pub fn start(answer: impl Fn(&str, usize) -> Vec<IpAddr> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let resolver = Self { at: socket.local_addr().unwrap(), asked: Arc::default() };
        let asked = resolver.asked.clone();
        socket.set_read_timeout(Some(Duration::from_secs(300))).unwrap();
        std::thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok((count, from)) = socket.recv_from(&mut bytes) {
                let question = &bytes[..count];
                let (name, end) = name(question);
                let kind = u16::from_be_bytes([question[end], question[end + 1]]);
                let mut all = asked.lock().unwrap();
                let times = all.iter().filter(|one| **one == format!("{name} {kind}")).count();
                all.push(format!("{name} {kind}"));
                drop(all);
                let found = answer(&name, times).into_iter().filter(|one| one.is_ipv4() == (kind == 1));
                let _ = socket.send_to(&answered(question, end, &found.collect::<Vec<_>>()), from);
            }
        });
        resolver
    }

    /// How often the addresses of one family were asked for (1 for IPv4, 28 for IPv6).
    pub fn times(&self, name: &str, kind: u16) -> usize {
        self.asked.lock().unwrap().iter().filter(|one| **one == format!("{name} {kind}")).count()
    }
}

/// The name of a question, and where it ends.
fn name(question: &[u8]) -> (String, usize) {
    let (mut labels, mut at) = (Vec::new(), 12);
    while question[at] != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..at + 1 + length]).into_owned());
        at += 1 + length;
    }
    (labels.join("."), at + 1)
}

fn answered(question: &[u8], end: usize, found: &[IpAddr]) -> Vec<u8> {
    let mut out = question[..2].to_vec();
    out.extend([0x81, 0x80, 0, 1, 0, found.len() as u8, 0, 0, 0, 0]);
    out.extend(&question[12..end + 4]);
    for address in found {
        let (kind, data) = match address {
            IpAddr::V4(address) => (1, address.octets().to_vec()),
            IpAddr::V6(address) => (28, address.octets().to_vec()),
        };
        out.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 0, 0, data.len() as u8]);
        out.extend(data);
    }
    out
}
