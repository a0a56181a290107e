//! What was asked of the network, as a report names it: every address, for what, and what came.

use serde::Serialize;

use super::shown;
use crate::chain::Chain;
use crate::side::{Asked, Method, Sought};

/// One question to an address that a certificate names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NetworkUse {
    /// The certificate that names the address, by its index.
    pub index: usize,
    /// What was wanted.
    pub sought: Sought,
    /// How it was asked.
    pub method: Method,
    /// The address.
    pub url: String,
    /// What came, in words; `None` where nothing did.
    pub came: Option<String>,
    /// Why nothing came.
    pub fault: Option<String>,
}

impl NetworkUse {
    /// Everything that was asked for this chain, in order.
    pub(crate) fn of(chain: &Chain) -> Vec<Self> {
        chain.side.asked.iter().filter_map(|asked| Self::one(chain, asked)).collect()
    }

    fn one(chain: &Chain, asked: &Asked) -> Option<Self> {
        let certificate = chain.all().find(|one| one.thumbprint == asked.about)?;
        let words = asked.words();
        Some(Self {
            index: certificate.index,
            sought: asked.sought,
            method: asked.method,
            url: shown(&asked.url),
            came: words.as_ref().ok().cloned(),
            fault: words.err().map(shown),
        })
    }

    /// What was asked for, of whom.
    pub fn question(&self) -> String {
        format!("{} {}, for {}", self.method.word(), self.url, self.sought.words(self.index))
    }

    /// What came of it.
    pub fn answer(&self) -> String {
        match (&self.came, &self.fault) {
            (Some(came), _) => came.clone(),
            (None, Some(fault)) => format!("nothing: {fault}"),
            (None, None) => "nothing".into(),
        }
    }
}
