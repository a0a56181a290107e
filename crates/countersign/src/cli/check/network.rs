//! What the certificates name, asked for where that is allowed.

use examiner::chain::Chain;

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
}

/// The way there.
pub struct Network {
    runtime: tokio::runtime::Runtime,
    allow_private: bool,
}

impl Network {
    /// As the command line allows it; `None` where it does not.
    pub fn of(args: &Allowed) -> Result<Option<Self>, Failure> {
        let allow_private = args.allow_private == "yes";
        let open = || Ok(Self { runtime: context::runtime()?, allow_private });
        args.fetch.then(open).transpose()
    }

    /// The chain with what its certificates name beside it, as far as it came.
    pub fn fetch(&self, chain: Chain) -> Chain {
        let fetched = self.runtime.block_on(fetched::fetch(&chain, self.allow_private));
        fetched.put_beside(chain)
    }
}
