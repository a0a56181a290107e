//! How the upstream is told who is there: one dialect a file, each by the grammar of the product it comes from.
//!
//! Everything is made of the certificate that was admitted and of the path that was verified, once for a connection.
//! Each value is one line of ASCII. Where nobody was admitted, nothing is said, or the dialect's word for nobody.

mod cloud;
mod haproxy;
mod nginx;
mod rfc9440;
mod text;
mod traefik;
mod xfcc;

use std::sync::Arc;

use examiner::Certificate;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use policy::record::OperatorRole;

/// The party that was admitted.
pub const PARTY: HeaderName = HeaderName::from_static("countersign-party");
/// The role of the operator that was admitted, on the admin address alone.
pub const ROLE: HeaderName = HeaderName::from_static("countersign-role");
/// The reference of the log entry.
pub const REFERENCE: HeaderName = HeaderName::from_static("countersign-reference");

/// A way of telling the upstream who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityHeader {
    /// `Client-Cert` (RFC 9440): the certificate itself.
    ClientCert,
    /// `Client-Cert-Chain` (RFC 9440): the issuers on its verified path.
    ClientCertChain,
    /// `Countersign-Party`: the party's id.
    Party,
    /// `X-Forwarded-Client-Cert`, as Envoy writes it.
    Xfcc,
    /// `X-SSL-Client-…`, as configurations of nginx write them.
    Nginx,
    /// `X-SSL-…`, as HAProxy's manual writes them.
    Haproxy,
    /// `X-Forwarded-Tls-Client-Cert` and `-Info`, as Traefik writes them.
    Traefik,
    /// `X-Amzn-Mtls-Clientcert-…`, as AWS' load balancer writes them when it verifies.
    Aws,
    /// `X-ARR-ClientCert`, as Azure App Service writes it.
    Azure,
    /// The TLS block of the PROXY protocol before the first request; identity then belongs to the connection.
    ProxyV2,
}

/// An admission, as far as the upstream may be told of it.
#[derive(Clone, Copy)]
pub struct Admitted<'a> {
    /// The certificate that led to it.
    pub certificate: &'a Certificate,
    /// The issuers on its verified path, its own first, the trust anchor last, DER; empty for a pin without a path.
    pub issuers: &'a [Arc<[u8]>],
    /// The party's id.
    pub party: &'a str,
}

/// What tells the upstream who is there; made once for a connection, set on each of its requests.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    fields: Vec<(HeaderName, HeaderValue)>,
}

/// Where a dialect writes its fields.
struct Lines<'a>(&'a mut Vec<(HeaderName, HeaderValue)>);

impl Lines<'_> {
    /// One field line; a value that is none, which no dialect makes, is left out.
    fn add(&mut self, name: &'static str, value: impl Into<String>) {
        if let Ok(value) = HeaderValue::try_from(value.into()) {
            self.0.push((HeaderName::from_static(name), value));
        }
    }
}

impl Identity {
    /// What the dialects in `which` say of an admission, or of nobody. `own` is the certificate that the site shows.
    pub fn of(
        which: &[IdentityHeader],
        who: Option<Admitted<'_>>,
        host: &str,
        own: Option<&Certificate>,
    ) -> Self {
        let mut fields = Vec::new();
        let mut lines = Lines(&mut fields);
        for dialect in which {
            match (dialect, who) {
                (IdentityHeader::ClientCert, Some(who)) => rfc9440::certificate(&mut lines, who),
                (IdentityHeader::ClientCertChain, Some(who)) => rfc9440::chain(&mut lines, who),
                (IdentityHeader::Party, Some(who)) => lines.add("countersign-party", one_line(who.party)),
                (IdentityHeader::Xfcc, Some(who)) => xfcc::set(&mut lines, who, host, own),
                (IdentityHeader::Nginx, who) => nginx::set(&mut lines, who),
                (IdentityHeader::Haproxy, who) => haproxy::set(&mut lines, who),
                (IdentityHeader::Traefik, Some(who)) => traefik::set(&mut lines, who),
                (IdentityHeader::Aws, Some(who)) => cloud::aws(&mut lines, who),
                (IdentityHeader::Azure, Some(who)) => cloud::azure(&mut lines, who),
                (IdentityHeader::ProxyV2, _) | (_, None) => {}
            }
        }
        Self { fields }
    }

    /// The same, and what the operator who was admitted may do.
    #[must_use]
    pub fn with_role(mut self, role: OperatorRole) -> Self {
        self.fields.push((ROLE, HeaderValue::from_static(role.word())));
        self
    }

    /// Sets them, each as exactly one field line, and the reference. Call it last, on a request that was swept.
    pub fn set(&self, headers: &mut HeaderMap, reference: &str) {
        for (name, value) in &self.fields {
            headers.insert(name.clone(), value.clone());
        }
        if let Ok(reference) = HeaderValue::try_from(one_line(reference)) {
            headers.insert(REFERENCE, reference);
        }
    }
}

/// A value that is certainly one header line: bytes outside printable ASCII are percent-encoded.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for byte in text.bytes() {
        text::push_escaped(&mut line, byte, |byte| matches!(byte, 0x21..=0x7e));
    }
    line
}

#[cfg(test)]
mod tests;
