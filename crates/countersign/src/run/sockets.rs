//! The sockets that the gate listens on: handed on, passed by systemd, or made.
//!
//! They outlive the gate's process. The supervisor keeps them for the next gate, and hands them to its own successor,
//! so that no connection in their queues is lost.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::sockopt;
use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Type};

/// Connections that may wait in a socket's queue; the system's `somaxconn` bounds it.
const QUEUE: i32 = 4096;

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// `[server] listen`
    Listen,
    /// `[server] admin`
    Admin,
    /// `[server] http`
    Http,
    /// `[enrol] listen`
    Enrol,
}

impl Role {
    /// The key in the configuration, which is the name in a socket unit too.
    pub fn word(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Admin => "admin",
            Self::Http => "http",
            Self::Enrol => "enrol",
        }
    }

    fn named(word: &str) -> Option<Self> {
        [Self::Listen, Self::Admin, Self::Http, Self::Enrol].into_iter().find(|role| role.word() == word)
    }
}

/// What is known of a socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The address as the configuration has it; with port 0 the socket has another.
    pub asked: SocketAddr,
    /// What it was used for last.
    pub role: Option<Role>,
    /// The name it came from systemd with (sd_listen_fds_with_names(3)).
    pub activated: Option<String>,
}

/// A listening socket.
#[derive(Debug)]
pub struct Socket {
    /// What is known of it.
    pub label: Label,
    /// The socket itself.
    pub listener: TcpListener,
}

impl Socket {
    /// The sockets that came with their labels.
    pub fn all(labels: Vec<Label>, descriptors: Vec<OwnedFd>) -> Vec<Self> {
        let listeners = descriptors.into_iter().map(TcpListener::from);
        labels.into_iter().zip(listeners).map(|(label, listener)| Self { label, listener }).collect()
    }

    /// Their labels, as they are handed on.
    pub fn labels(all: &[Self]) -> Vec<Label> {
        all.iter().map(|socket| socket.label.clone()).collect()
    }

    /// Their descriptors, in the same order.
    pub fn descriptors(all: &[Self]) -> Vec<BorrowedFd<'_>> {
        all.iter().map(|socket| socket.listener.as_fd()).collect()
    }
}

/// Sockets that are there already, to be found by their addresses.
#[derive(Debug)]
pub struct There {
    sockets: Vec<Socket>,
    /// All addresses of the configuration.
    addresses: Vec<SocketAddr>,
}

impl There {
    /// These sockets, for a configuration with these addresses.
    pub fn new(sockets: Vec<Socket>, addresses: Vec<SocketAddr>) -> Self {
        Self { sockets, addresses }
    }

    /// The socket for this address: one that is there, or a new one.
    pub fn take(&mut self, address: SocketAddr, role: Role) -> std::io::Result<Socket> {
        let fits = |socket: &Socket, same_role: bool| {
            let Label { asked, role: last, activated } = &socket.label;
            // A name that is a role was meant as one.
            let wanted = activated.as_ref().map_or(*last, |name| Role::named(name));
            let fits = match wanted {
                Some(wanted) if activated.is_some() || same_role => wanted == role,
                // Of several with port 0, which was which is known by the role alone.
                Some(_) => address.port() != 0,
                None => true,
            };
            *asked == address && fits
        };
        let all = &mut self.sockets;
        let found = [true, false].iter().find_map(|same| all.iter().position(|socket| fits(socket, *same)));
        let mut socket = match found {
            Some(at) => all.swap_remove(at),
            None => Socket {
                label: Label { asked: address, role: None, activated: None },
                listener: listen(address, &self.addresses)?,
            },
        };
        socket.label.role = Some(role);
        Ok(socket)
    }

    /// Closes what nobody wanted. `Err` says which of them systemd holds as well: connections would wait there forever.
    pub fn close(self) -> Result<(), String> {
        let mut unwanted = Vec::new();
        for Socket { label: Label { asked, activated, .. }, .. } in self.sockets {
            match activated {
                Some(name) => unwanted.push(format!("{asked} ({name})")),
                None => tracing::info!(%asked, "no longer listened on"),
            }
        }
        if unwanted.is_empty() {
            return Ok(());
        }
        Err(format!(
            "systemd passed a socket for {}, which is no `listen`, `http`, `admin` or `[enrol]` address of the configuration; \
             make ListenStream of the socket unit and the configuration agree",
            unwanted.join(", ")
        ))
    }
}

/// The sockets that systemd passed to this process, with their names; none where it was not started for them.
pub fn from_systemd() -> Result<Vec<Socket>, String> {
    let ours = std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string());
    if !ours || std::env::var_os("LISTEN_FDS_FIRST_FD").is_some() {
        return Ok(Vec::new());
    }
    let mut passed = listenfd::ListenFd::from_env();
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').filter(|name| !name.is_empty());
    let mut sockets = Vec::new();
    for number in 0..passed.len() {
        let name = names.next().unwrap_or("unknown").to_owned();
        let told = |what: String| format!("systemd passed {name} as socket {}: {what}", number + 1);
        let listener = passed
            .take_tcp_listener(number)
            .map_err(|error| told(format!("it is no TCP socket: {error}")))?
            .ok_or_else(|| told("it is gone".into()))?;
        if !sockopt::socket_acceptconn(&listener).unwrap_or(false) {
            return Err(told("it does not listen; the socket unit needs ListenStream and Accept=no".into()));
        }
        let asked = listener.local_addr().map_err(|error| told(error.to_string()))?;
        sockets.push(Socket { label: Label { asked, role: None, activated: Some(name) }, listener });
    }
    Ok(sockets)
}

/// A new socket. `[::]` takes IPv4 as well, unless `0.0.0.0` with its port stands among the addresses.
fn listen(address: SocketAddr, addresses: &[SocketAddr]) -> std::io::Result<TcpListener> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    let beside = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
    if address.ip() == Ipv6Addr::UNSPECIFIED && addresses.contains(&beside) {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(QUEUE)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn socket(role: Option<Role>, name: Option<&str>) -> Socket {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let asked = listener.local_addr().unwrap();
        Socket { label: Label { asked, role, activated: name.map(str::to_owned) }, listener }
    }

    fn taken(socket: Socket, role: Role) -> (std::io::Result<Socket>, Result<(), String>, SocketAddr) {
        let asked = socket.label.asked;
        let mut there = There::new(vec![socket], vec![asked]);
        (there.take(asked, role), there.close(), asked)
    }

    #[test]
    fn a_socket_that_is_there_is_taken_and_not_bound_again() {
        for (role, name) in
            [(Some(Role::Listen), None), (None, Some("countersign.socket")), (None, Some("listen"))]
        {
            let (found, rest, asked) = taken(socket(role, name), Role::Listen);
            let found = found.unwrap();
            assert_eq!((found.listener.local_addr().unwrap(), found.label.role), (asked, Some(Role::Listen)));
            assert_eq!(rest, Ok(()));
        }
    }

    #[test]
    fn an_address_that_moves_to_another_key_keeps_its_socket() {
        let (found, rest, asked) = taken(socket(Some(Role::Http), None), Role::Listen);
        assert_eq!(found.unwrap().listener.local_addr().unwrap(), asked);
        assert_eq!(rest, Ok(()));
    }

    #[test]
    fn of_two_with_port_0_each_keeps_its_own() {
        let any = address("127.0.0.1:0");
        let mut there = There::new(vec![], vec![any, any]);
        let (listen, admin) = (there.take(any, Role::Listen).unwrap(), there.take(any, Role::Admin).unwrap());
        let bound = [&listen, &admin].map(|socket| socket.listener.local_addr().unwrap());
        let mut there = There::new(vec![listen, admin], vec![any, any]);
        let again = [Role::Admin, Role::Listen].map(|role| there.take(any, role).unwrap());
        assert_eq!(again.map(|socket| socket.listener.local_addr().unwrap()), [bound[1], bound[0]]);
        // A third is a new one.
        let third = there.take(any, Role::Http).unwrap();
        assert!(!bound.contains(&third.listener.local_addr().unwrap()));
    }

    #[test]
    fn what_systemd_holds_and_nobody_wants_is_an_error_and_other_sockets_are_closed() {
        let activated = socket(None, Some("web"));
        let asked = activated.label.asked;
        let told = There::new(vec![activated], vec![]).close().unwrap_err();
        assert!(told.contains(&asked.to_string()) && told.contains("(web)"), "{told}");
        let old = socket(Some(Role::Listen), None);
        let asked = old.label.asked;
        There::new(vec![old], vec![]).close().unwrap();
        TcpListener::bind(asked).unwrap();
    }

    #[test]
    fn a_name_that_is_a_role_holds() {
        let (found, rest, _) = taken(socket(None, Some("http")), Role::Listen);
        assert_eq!(found.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
        assert!(rest.unwrap_err().contains("(http)"));
    }

    #[test]
    fn both_wildcards_of_one_port_stand_beside_each_other() {
        let any = address("0.0.0.0:0");
        let port =
            There::new(vec![], vec![]).take(any, Role::Listen).unwrap().listener.local_addr().unwrap().port();
        let both = [address(&format!("0.0.0.0:{port}")), address(&format!("[::]:{port}"))];
        let mut there = There::new(vec![], both.to_vec());
        let held = both.map(|one| there.take(one, Role::Listen));
        assert!(held.iter().all(Result::is_ok), "{held:?}");
        drop(held);
        // `[::]` alone takes both.
        let alone = There::new(vec![], vec![both[1]]).take(both[1], Role::Listen).unwrap();
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        drop(alone);
    }
}
