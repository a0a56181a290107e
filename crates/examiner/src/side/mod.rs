//! What may lie beside a chain to judge it by: revocation lists, OCSP responses, lists of known-bad keys, of roots and of
//! the logs of certificate transparency.
//!
//! All of it is read from bytes by who asks; nothing here fetches anything. [`Asked`] tells what was fetched.

mod asked;
mod crl;
mod dns;
mod key_list;
mod log_list;
mod ocsp;
mod ocsp_request;
mod root_list;

pub use asked::{Asked, Came, Form, Method, Sought};
pub use crl::{GivenCrl, Scope};
pub use dns::{Caa, CaaSet, Dns, Service, ServiceSet, Tlsa, TlsaSet};
pub use key_list::{KeyList, KeyListError, KeyListKind, OLD_AFTER_DAYS};
pub use log_list::{LOGS_OLD_AFTER_DAYS, Log, LogList, LogListError, LogState};
pub use ocsp::{Answer, OcspResponse, Responder, SignerFault, Status, UnreadableOcsp};
pub use ocsp_request::ocsp_request;
pub use root_list::{RootFact, RootList, RootListError};

use crate::chain::{Examinee, SignedTimestamp};
use crate::suffixes::SuffixList;

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
    /// The logs of certificate transparency that clients know.
    pub logs: Option<LogList>,
    /// The Public Suffix List, in place of the one that is built in.
    pub suffixes: Option<SuffixList>,
    /// The timestamps that the server sent in the handshake.
    pub timestamps: Delivered,
    /// What the DNS says of the host; `None` where nobody asked.
    pub dns: Option<Dns>,
    /// The certificates of the file that the server ought to serve; empty where none was given.
    pub expected: Vec<Examinee>,
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

/// Whether a server sent signed certificate timestamps in the handshake (RFC 6962 sections 3.3.1 and 3.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Delivered {
    /// There was no handshake, or nobody looked.
    #[default]
    Unknown,
    /// Neither as an extension of TLS nor in a stapled OCSP response.
    Nothing,
    /// It did: these, as far as they could be read.
    Sent(Vec<SignedTimestamp>),
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
