//! What may lie beside a chain to judge it by: revocation lists, OCSP responses, lists of known-bad keys and of roots.
//!
//! All of it is read from bytes by who asks; nothing here fetches anything. [`Asked`] tells what was fetched.

mod asked;
mod crl;
mod key_list;
mod ocsp;
mod ocsp_request;
mod root_list;

pub use asked::{Asked, Came, Form, Method, Sought};
pub use crl::{GivenCrl, Scope};
pub use key_list::{KeyList, KeyListError, KeyListKind, OLD_AFTER_DAYS};
pub use ocsp::{Answer, OcspResponse, Responder, SignerFault, Status, UnreadableOcsp};
pub use ocsp_request::ocsp_request;
pub use root_list::{RootFact, RootList, RootListError};

/// What lies beside a chain.
#[derive(Clone, Debug, Default)]
pub struct SideFiles {
    /// Lists of revoked certificates.
    pub crls: Vec<GivenCrl>,
    /// OCSP responses that were given or fetched.
    pub ocsp: Vec<OcspResponse>,
    /// What the server sent of OCSP in the handshake.
    pub stapled: Stapled,
    /// Lists of known-bad keys.
    pub key_lists: Vec<KeyList>,
    /// Lists of what is said of roots, beside the one that is built in.
    pub root_lists: Vec<RootList>,
    /// What was asked of the network for the chain; empty where nobody asked.
    pub asked: Vec<Asked>,
}

/// What a server sent of OCSP in the handshake (RFC 6066 section 8).
#[derive(Clone, Debug, Default)]
pub enum Stapled {
    /// There was no handshake, or nobody looked.
    #[default]
    Unknown,
    /// Nothing.
    Nothing,
    /// A response.
    Response(Box<OcspResponse>),
}

impl SideFiles {
    /// All OCSP responses, the stapled one first.
    pub fn responses(&self) -> impl Iterator<Item = &OcspResponse> {
        let stapled = match &self.stapled {
            Stapled::Response(response) => Some(response.as_ref()),
            _ => None,
        };
        stapled.into_iter().chain(&self.ocsp)
    }
}
