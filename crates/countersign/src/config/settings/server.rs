//! Where it listens, and who may speak for others.

use std::net::SocketAddr;

use crate::config::addresses::Addresses;
use crate::config::file::{LogFile, ServerFile};
use crate::config::manners;
use crate::config::problem::{Problem, Source};

/// What `[server]` says, validated.
pub(super) struct Server {
    pub(super) listen: Vec<SocketAddr>,
    pub(super) admin: SocketAddr,
    pub(super) http: Vec<SocketAddr>,
    pub(super) addresses: Addresses,
    pub(super) front: gateway::Front,
    pub(super) fetch_private: gateway::networks::Networks,
    pub(super) workers: Option<usize>,
    pub(super) max_stale: i64,
}

/// Validates `[server]`, and how long the log is kept.
pub(super) fn server(
    file: &ServerFile,
    log: &LogFile,
    source: &Source,
    problems: &mut Vec<Problem>,
) -> Server {
    if let Some(at) = file.http3.as_ref().filter(|at| *at.get_ref()) {
        let what = "http3 is refused: client certificates over QUIC are not enforced by this gate, so the door would be open";
        problems.push(source.problem(&at.span(), what, "remove it; HTTP/1.1 and HTTP/2 are served"));
    }
    let everywhere = || vec![SocketAddr::from(([0, 0, 0, 0], 443)), SocketAddr::from(([0u16; 8], 443))];
    let listen: Vec<SocketAddr> =
        file.listen.as_ref().map_or_else(everywhere, |all| all.iter().map(|at| *at.get_ref()).collect());
    let admin = file.admin.as_ref().map_or(SocketAddr::from(([127, 0, 0, 1], 9443)), |at| *at.get_ref());
    for (i, at) in file.listen.iter().flatten().enumerate() {
        if listen[..i].contains(at.get_ref()) || *at.get_ref() == admin {
            problems.push(source.problem(
                &at.span(),
                format!("{} is listed twice", at.get_ref()),
                "give each its own port",
            ));
        }
    }
    if listen.is_empty() {
        problems.push(source.problem(&(0..0), "listen is empty", "write it like listen = [\"0.0.0.0:443\"]"));
    }
    if let Some(at) = file.workers.as_ref().filter(|at| !(1..=1024).contains(at.get_ref())) {
        problems.push(source.problem(&at.span(), "workers is 1 to 1024", "leave it out for one a processor"));
    }
    if let Some(at) = file.max_stale.as_ref().filter(|at| at.get_ref().0 < 5) {
        problems.push(source.problem(&at.span(), "max_stale is at least 5 seconds", "leave it out for 24h"));
    }
    if let Some(at) = log.retain_days.as_ref().filter(|at| *at.get_ref() < 1) {
        let help = "leave it out for 90; entries that are older are deleted";
        problems.push(source.problem(&at.span(), "retain_days is at least 1", help));
    }
    let http: Vec<SocketAddr> = file.http.iter().map(|at| *at.get_ref()).collect();
    for (i, at) in file.http.iter().enumerate() {
        let address = at.get_ref();
        if http[..i].contains(address) || listen.contains(address) || *address == admin {
            let what = format!("{address} is listed twice");
            problems.push(source.problem(&at.span(), what, "give each its own port"));
        }
    }
    let front = gateway::Front {
        proxy_protocol: manners::networks(&file.proxy_protocol, source, problems),
        trusted_proxies: manners::networks(&file.trusted_proxies, source, problems),
    };
    Server {
        listen,
        admin,
        http,
        addresses: Addresses::of(file, source, problems),
        front,
        fetch_private: manners::networks(&file.fetch_private, source, problems),
        workers: file.workers.as_ref().map(|at| *at.get_ref() as usize),
        max_stale: file.max_stale.as_ref().map_or(86_400, |at| at.get_ref().0),
    }
}
