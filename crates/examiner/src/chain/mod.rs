//! Certificates as examined, alone and as a chain.
//!
//! - [`Examinee`]: one certificate with its bytes, its structure and its decoded extensions; malformed ones too.
//! - [`Fields`] and [`Field`]: the fields by position, each with its [`Place`].
//! - [`extensions`]: every extension as it stands, the known ones decoded.
//! - [`SignedTimestamp`]: what the logs of certificate transparency promise.
//! - [`Chain`]: what was served or given, what lies beside it, and the trust anchors.

mod examinee;
pub mod extensions;
mod fields;
mod general_name;
mod key;
mod name;
mod place;
mod read;
mod timestamps;

pub use examinee::{Examinee, Role};
pub use extensions::{Decoded, Extension, Known, Undecodable};
pub use fields::{Field, Fields, moment};
pub use general_name::{NameAt, NameForm};
pub use key::{Algorithm, Key, KeyParts};
pub use name::{DistinguishedName, NameAttribute};
pub use place::Place;
pub use read::{UnreadableInput, ders};
pub use timestamps::SignedTimestamp;

use crate::seen::Host;
use crate::side::SideFiles;

/// A root store, handed in as data.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Whose it is, as people call it.
    pub name: String,
    /// Its trust anchors for the use that is examined.
    pub anchors: Vec<Examinee>,
}

/// The certificates that are examined together.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// As served by a host or given in a file, in that order.
    pub served: Vec<Examinee>,
    /// At hand beside what was served: given or fetched.
    pub beside: Vec<Examinee>,
    /// The trust anchors; `None` where nothing is known of them.
    pub anchors: Option<Vec<Examinee>>,
    /// The root stores to compare, each with its own trust anchors; not those that count.
    pub stores: Vec<Store>,
    /// Root stores that are at hand, and neither count nor are compared.
    pub known: Vec<Store>,
    /// Whether the first served certificate stands for the peer: it came from a handshake, or a host name was given.
    pub is_peers: bool,
    /// What lies beside it that is no certificate.
    pub side: SideFiles,
    /// What was seen of the host that served it; `None` where nobody looked.
    pub host: Option<Host>,
}

impl Chain {
    /// A chain as a host serves it: the first certificate is the peer's own, whatever it says of itself.
    pub fn served(certificates: Vec<Examinee>) -> Self {
        Self { served: certificates, is_peers: true, ..Self::default() }.numbered()
    }

    /// Certificates out of a file: what each is, its contents tell.
    pub fn given(certificates: Vec<Examinee>) -> Self {
        Self { served: certificates, ..Self::default() }.numbered()
    }

    /// The same with certificates at hand beside it.
    #[must_use]
    pub fn with_beside(mut self, certificates: Vec<Examinee>) -> Self {
        self.beside = certificates;
        self.numbered()
    }

    /// The same with these trust anchors and no other.
    #[must_use]
    pub fn with_anchors(mut self, anchors: Vec<Examinee>) -> Self {
        self.anchors = Some(anchors);
        self.numbered()
    }

    /// The same with these root stores at hand, which neither count nor are compared.
    #[must_use]
    pub fn with_known(self, known: Vec<Store>) -> Self {
        Self { known, ..self }
    }

    /// The same with these root stores to compare.
    #[must_use]
    pub fn with_stores(self, stores: Vec<Store>) -> Self {
        Self { stores, ..self }
    }

    /// The same with these side files and no other.
    #[must_use]
    pub fn with_side_files(self, side: SideFiles) -> Self {
        Self { side, ..self }
    }

    /// The same with what was seen of the host that served it.
    #[must_use]
    pub fn with_host(self, host: Host) -> Self {
        Self { host: Some(host), ..self }
    }

    /// The first certificate served or given.
    pub fn end_entity(&self) -> Option<&Examinee> {
        self.served.first()
    }

    /// The peer's own certificate, where it is served and not as the first: the first is a CA's, and names no host.
    pub fn leaf_elsewhere(&self) -> Option<&Examinee> {
        let names = |one: &Examinee| one.known.subject_alt_name.read().is_some_and(|names| !names.is_empty());
        let first = self.served.first().filter(|first| first.is_ca() && !names(first))?;
        let is_leaf =
            |one: &&Examinee| !one.is_ca() && names(one) && one.subject_der() != first.subject_der();
        self.served.iter().skip(1).find(is_leaf)
    }

    /// All certificates: served, beside, anchors; each stands at its index.
    pub fn all(&self) -> impl Iterator<Item = &Examinee> {
        self.served.iter().chain(&self.beside).chain(self.anchors.iter().flatten())
    }

    /// Those that are examined one by one: each once, and of the trust anchors those that something here names as its
    /// issuer.
    pub fn examined(&self) -> impl Iterator<Item = &Examinee> {
        let is_copy = |one: &Examinee| {
            self.served
                .iter()
                .chain(&self.beside)
                .take(one.index)
                .any(|other| other.thumbprint == one.thumbprint)
        };
        self.concerned().filter(move |one| !is_copy(one))
    }

    /// All but the trust anchors that nothing here names as its issuer.
    pub fn concerned(&self) -> impl Iterator<Item = &Examinee> {
        let named = |anchor: &Examinee| {
            let is_named = |c: &Examinee| c.issuer_der() == anchor.subject_der() || c.der() == anchor.der();
            self.served.iter().chain(&self.beside).any(is_named)
        };
        let anchors = self.anchors.iter().flatten().filter(move |anchor| named(anchor));
        self.served.iter().chain(&self.beside).chain(anchors)
    }

    /// The certificates at hand that name themselves as the issuer of `certificate`; anchors last.
    pub fn issuers_by_name<'a>(&'a self, certificate: &'a Examinee) -> impl Iterator<Item = &'a Examinee> {
        let issuer = certificate.issuer_der();
        let is_named = certificate.issuer.as_ref().is_some_and(|issuer| !issuer.is_empty());
        self.all().filter(move |other| is_named && other.subject_der() == issuer)
    }

    fn numbered(mut self) -> Self {
        let served = self.served.len();
        let first_is_peers = self.is_peers && self.leaf_elsewhere().is_none();
        let first = self.served.first().map(|first| first.thumbprint);
        for (index, certificate) in self.served.iter_mut().enumerate() {
            certificate.index = index;
            if index == 0 && first_is_peers {
                certificate.role = Role::EndEntity;
            } else if index > 0
                && first_is_peers
                && certificate.role == Role::EndEntity
                && Some(certificate.thumbprint) != first
            {
                certificate.role = Role::Intermediate;
            }
        }
        for (index, certificate) in self.beside.iter_mut().enumerate() {
            certificate.index = served + index;
            if certificate.role == Role::EndEntity {
                certificate.role = Role::Intermediate;
            }
        }
        let before = served + self.beside.len();
        for (index, anchor) in self.anchors.iter_mut().flatten().enumerate() {
            anchor.index = before + index;
            anchor.role = if anchor.is_self_issued() || anchor.role == Role::EndEntity {
                Role::Root
            } else {
                Role::Intermediate
            };
        }
        self
    }
}
