//! Whether a host inside proves that a name is its own, as the client of an ACME order said: by http-01 ([`http`]) or
//! tls-alpn-01 ([`tls`]). This is all that is asked of hosts for server certificates, by a process that ends.
//!
//! The host is whoever the name leads to. It is resolved once, each of its addresses has to be in `server_networks`, and
//! no connection goes anywhere else. Nothing of what a host says is shown to anybody.

mod http;
mod tls;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use registry::ToProve;
use rustls::RootCertStore;

use crate::config::enrol::Servers;
use crate::fetch::{FetchError, Judged};
use crate::probe::dns;
use crate::run::signing::acme::Way;
use crate::run::signing::acme::problem::{Kind, Problem};

/// For one look at a host, from its name to its last byte.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long it waits before a host that was not reached is asked again.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// How hosts are asked.
#[derive(Clone)]
pub struct Rules {
    /// Where they are, and who knows that.
    pub servers: Servers,
    /// The own root: whom a host that sends from http to https is believed by.
    pub roots: Arc<RootCertStore>,
}

/// Why a host did not prove its name.
struct Unproved {
    problem: Problem,
    /// Whether it may be another way in a moment.
    is_fleeting: bool,
}

impl From<Problem> for Unproved {
    fn from(problem: Problem) -> Self {
        Self { problem, is_fleeting: false }
    }
}

/// Asks a host, up to three times where nobody accepts the connection; `Err` says why it did not prove its name.
pub async fn prove(asked: &ToProve, rules: &Rules) -> Result<(), Problem> {
    let mut waits = AGAIN.into_iter();
    loop {
        let looked = tokio::time::timeout(DEADLINE, once(asked, rules)).await;
        let Unproved { problem, is_fleeting } = match looked {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(unproved)) => unproved,
            Err(_) => slow(&asked.name).into(),
        };
        match waits.next().filter(|_| is_fleeting) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Err(problem),
        }
    }
}

async fn once(asked: &ToProve, rules: &Rules) -> Result<(), Unproved> {
    let way = Way::named(&asked.way);
    let way = way.ok_or_else(|| Problem::malformed("this challenge is not known here"))?;
    let addresses = judge(&asked.name, addresses(&asked.name, rules).await?, rules)?;
    let (http, https) = (rules.servers.http_port, rules.servers.tls_port);
    let judged = Judged { addresses, http, https };
    // RFC 8555 section 8.1.
    let authorization = format!("{}.{}", asked.token, BASE64URL_NOPAD.encode(&asked.key));
    match way {
        Way::Http => http::prove(asked, &authorization, &judged, rules).await,
        Way::TlsAlpn => tls::prove(&asked.name, &authorization, &judged).await,
    }
}

/// The addresses of a name, resolved once.
async fn addresses(name: &str, rules: &Rules) -> Result<Vec<IpAddr>, Problem> {
    let found = match rules.servers.resolver {
        Some(resolver) => dns::addresses(resolver, name).await,
        None => tokio::net::lookup_host((name, rules.servers.http_port))
            .await
            .map(|found| found.map(|address| address.ip()).collect())
            .map_err(|error| error.to_string()),
    };
    found.map_err(|why| Problem::new(Kind::Dns, format!("{name} cannot be resolved: {why}")))
}

/// These addresses, where each of them may be asked and there is one.
fn judge(name: &str, found: Vec<IpAddr>, rules: &Rules) -> Result<Vec<IpAddr>, Problem> {
    if found.is_empty() {
        return Err(Problem::new(Kind::Dns, format!("{name} has no address")));
    }
    match found.iter().find(|address| !rules.servers.networks.contains(**address)) {
        Some(address) => {
            let detail = format!("{name} leads to {address}, which is in none of `server_networks`");
            Err(Problem::new(Kind::Dns, detail))
        }
        None => Ok(found),
    }
}

fn slow(name: &str) -> Problem {
    let detail = format!("nothing whole came from {name} within {} seconds", DEADLINE.as_secs());
    Problem::new(Kind::Connection, detail)
}

/// What a fault of the exchange is to a client. Of a host's own words nothing is in it but a status, and a place that it
/// sends to.
fn fault(error: &FetchError) -> Unproved {
    let kind = match error {
        FetchError::Unresolved { .. } | FetchError::NotPublic { .. } => Kind::Dns,
        FetchError::Tls { .. } => Kind::Tls,
        FetchError::Status(_) | FetchError::Redirect(_) | FetchError::TooLarge(_) => Kind::IncorrectResponse,
        FetchError::NoConnection { .. } | FetchError::Exchange(_) | FetchError::TooSlow(_) => {
            Kind::Connection
        }
    };
    let is_fleeting = matches!(error, FetchError::NoConnection { .. });
    Unproved { problem: Problem::new(kind, error.to_string()), is_fleeting }
}

#[cfg(test)]
mod tests {
    use gateway::networks::Network;

    use super::*;

    #[test]
    fn a_host_is_asked_where_all_its_addresses_are_listed_and_nowhere_else() {
        let networks =
            ["10.0.0.0/8", "fd00::/8"].into_iter().map(|one| Network::parse(one).unwrap()).collect();
        let servers = Servers { networks, resolver: None, http_port: 80, tls_port: 443 };
        let rules = Rules { servers, roots: Arc::new(RootCertStore::empty()) };
        let judged = |all: &[&str]| {
            let all = all.iter().map(|one| one.parse().unwrap()).collect();
            judge("db.test", all, &rules).map_err(|problem| problem.kind)
        };
        assert!(judged(&["10.0.0.1", "10.255.255.255", "fd00::1"]).is_ok());
        for all in [
            &[][..],
            &["11.0.0.0"],
            &["9.255.255.255"],
            &["127.0.0.1"],
            &["169.254.169.254"],
            &["8.8.8.8"],
            &["10.0.0.1", "127.0.0.1"],
            &["fe00::1"],
            &["::1"],
            &["::ffff:127.0.0.1"],
        ] {
            assert_eq!(judged(all), Err(Kind::Dns), "{all:?}");
        }
    }
}
