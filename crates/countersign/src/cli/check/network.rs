//! What the certificates name, asked for where that is allowed.

use examiner::chain::Chain;
use gateway::networks::Networks;

use crate::cli::{Failure, context};
use crate::probe::fetched;

/// What may be asked.
#[derive(Debug, clap::Args)]
pub struct Allowed {
    /// Ask the addresses that the certificates name: for issuers, revocation lists and OCSP responses. The report names
    /// each.
    #[arg(long)]
    fetch: bool,
    /// Whether addresses that are not public may be asked.
    #[arg(long, value_name = "yes|no", default_value = "yes", value_parser = ["yes", "no"], requires = "fetch")]
    allow_private: String,
    /// Ask nobody but the host itself: neither what its certificates name nor its records in the DNS. That is so without
    /// this flag too; with it, a flag that would ask is an error.
    #[arg(long)]
    offline: bool,
}

impl Allowed {
    /// Refuses what would ask others where that is forbidden; `asks_dns` is whether records of the DNS are asked for.
    pub fn agree(&self, asks_dns: bool) -> Result<(), Failure> {
        let all = [
            ("--fetch", "the addresses in the certificates", self.fetch),
            ("--dns", "the DNS for records", asks_dns),
        ];
        match all.into_iter().find(|(.., is_given)| *is_given && self.offline) {
            Some((flag, whom, _)) => Err(Failure::usage(
                format!("--offline forbids what {flag} is for: to ask {whom}"),
                format!("leave out --offline or {flag}"),
            )),
            None => Ok(()),
        }
    }
}

/// The way there.
pub struct Network {
    runtime: tokio::runtime::Runtime,
    private: Networks,
}

impl Network {
    /// As the command line allows it; `None` where it does not.
    pub fn of(args: &Allowed) -> Result<Option<Self>, Failure> {
        let private = if args.allow_private == "yes" { fetched::everywhere() } else { Networks::default() };
        args.fetch.then(|| Self::within(private)).transpose()
    }

    /// To public addresses, and to these of the others.
    pub fn within(private: Networks) -> Result<Self, Failure> {
        Ok(Self { runtime: context::runtime()?, private })
    }

    /// The chain with what its certificates name beside it, as far as it came.
    pub fn fetch(&self, chain: Chain) -> Chain {
        let fetched = self.runtime.block_on(fetched::fetch(&chain, self.private.clone()));
        fetched.put_beside(chain)
    }
}
