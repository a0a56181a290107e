//! Where a look may go when others choose the host: its name is resolved once, each of its addresses is judged, and the
//! connections go to these addresses and to no other.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use gateway::networks::Networks;
use tokio::net::lookup_host;

use super::{Target, Ways, dns};
use crate::fetch::address::may_be_asked;

/// Time for the look-up of a name.
const WITHIN: Duration = Duration::from_secs(10);

/// What may be looked at.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// Addresses that are not public and may be looked at all the same.
    pub private: Networks,
    /// Whom to ask for addresses; `None` asks this system's resolver.
    pub resolver: Option<SocketAddr>,
}

/// Why a host is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutOfBounds {
    /// It is an address that is not public.
    #[error("{0} is not a public address")]
    Address(IpAddr),
    /// One of its addresses is not public. Which one is not said: it is nobody's business outside.
    #[error("{0} leads to an address that is not public")]
    Name(String),
    /// It has no address.
    #[error("{host} cannot be resolved: {why}")]
    Unresolved {
        /// The name.
        host: String,
        /// What the resolver said.
        why: String,
    },
}

impl Bounds {
    /// The ways to this host: to each of its addresses, where all of them may be looked at. Nobody is connected to, and
    /// with these ways no name is resolved again.
    pub async fn ways(&self, target: &Target) -> Result<Ways, OutOfBounds> {
        let addresses = match target.address() {
            Some(address) => vec![address],
            None => self.resolved(target.host.as_str()).await?,
        };
        let is_allowed = |one: &IpAddr| may_be_asked(*one, &self.private);
        if let Some(refused) = addresses.iter().find(|one| !is_allowed(one)) {
            return Err(match target.address() {
                Some(_) => OutOfBounds::Address(*refused),
                None => OutOfBounds::Name(target.host.to_string()),
            });
        }
        Ok(Ways { connect: addresses.into_iter().map(Target::at).collect(), ..Ways::default() })
    }

    /// The addresses of a name; at least one.
    async fn resolved(&self, host: &str) -> Result<Vec<IpAddr>, OutOfBounds> {
        let unresolved = |why: String| OutOfBounds::Unresolved { host: host.to_owned(), why };
        let found = async {
            match self.resolver {
                Some(resolver) => dns::addresses(resolver, host).await,
                None => lookup_host((host, 0))
                    .await
                    .map(|all| all.map(|address| address.ip()).collect())
                    .map_err(|error| error.to_string()),
            }
        };
        let late = || Err(format!("no answer within {} seconds", WITHIN.as_secs()));
        let found =
            tokio::time::timeout(WITHIN, found).await.unwrap_or_else(|_| late()).map_err(unresolved)?;
        if found.is_empty() { Err(unresolved("it has no address".into())) } else { Ok(found) }
    }
}

#[cfg(test)]
mod tests {
    use gateway::networks::Network;

    use super::*;

    fn ways(private: &[&str], host: &str) -> Result<Vec<String>, OutOfBounds> {
        let private = private.iter().map(|one| Network::parse(one).unwrap()).collect();
        let bounds = Bounds { private, resolver: None };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ways = runtime.block_on(bounds.ways(&Target::parse(host).unwrap()))?;
        Ok(ways.connect.iter().map(|one| one.host.to_string()).collect())
    }

    #[test]
    fn an_address_is_looked_at_where_it_is_public_or_listed() {
        assert_eq!(ways(&[], "192.0.32.8").unwrap(), ["192.0.32.8"]);
        assert_eq!(ways(&[], "[2606:4700::1111]:8443").unwrap(), ["[2606:4700::1111]"]);
        assert_eq!(ways(&["127.0.0.2"], "127.0.0.2").unwrap(), ["127.0.0.2"]);
        for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "[fd00:ec2::254]"] {
            let address = Target::parse(host).unwrap().address().unwrap();
            assert_eq!(ways(&["127.0.0.2"], host), Err(OutOfBounds::Address(address)), "{host}");
        }
    }

    #[test]
    fn a_name_with_an_address_that_is_not_public_is_not_looked_at() {
        assert_eq!(ways(&[], "localhost"), Err(OutOfBounds::Name("localhost".into())));
        assert!(ways(&["127.0.0.0/8", "::1"], "localhost").is_ok());
    }
}
