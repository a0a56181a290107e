//! A list of revoked certificates as it was given, with what it says it covers.

use crate::cert::tlv::{Budget, Element, read, tag};
use crate::chain::{Examinee, NameAt, NameForm, Place};
use crate::path::Crl;
use crate::path::crl::UnreadableCrl;

/// A list, and what is known of it beside what path validation needs.
#[derive(Clone, Debug)]
pub struct GivenCrl {
    /// The list.
    pub list: Crl,
    /// Octets of its DER.
    pub size: usize,
    /// Whether it names its issuer's key by an identifier.
    pub has_authority_key_id: bool,
    /// What it covers; `None`: everything that its issuer issued.
    pub scope: Option<Scope>,
}

/// issuingDistributionPoint (RFC 5280 section 5.2.5).
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The addresses of this part of the list; empty where it is not in parts.
    pub addresses: Vec<Vec<u8>>,
    /// End-entity certificates alone.
    pub only_end_entities: bool,
    /// CA certificates alone.
    pub only_cas: bool,
    /// Some reasons alone, attribute certificates alone, or certificates of other issuers too.
    pub is_special: bool,
}

impl GivenCrl {
    /// Reads a list from DER.
    pub fn from_der(der: &[u8]) -> Result<Self, UnreadableCrl> {
        let list = Crl::from_der(der)?;
        let tree = read(der.into(), Budget { elements: der.len() / 2 + 16, ..Budget::default() });
        let tbs = tree.root().and_then(|root| root.child(0));
        let extensions = tbs.and_then(|tbs| tbs.context_child(0)).and_then(|all| all.child(0));
        let value = |oid: &str| {
            let one =
                extensions?.children().find(|e| e.child(0).and_then(Element::oid).as_deref() == Some(oid))?;
            Some(one.children().find(|e| e.is(tag::OCTET_STRING))?.content())
        };
        Ok(Self {
            list,
            size: der.len(),
            has_authority_key_id: value("2.5.29.35").is_some(),
            scope: value("2.5.29.28").map(Scope::of),
        })
    }

    /// Whether the list speaks of this certificate at all; `None` where that cannot be told.
    pub fn covers(&self, certificate: &Examinee) -> Option<bool> {
        let Some(scope) = &self.scope else { return Some(true) };
        if scope.is_special {
            return None;
        }
        if (scope.only_cas && !certificate.is_ca()) || (scope.only_end_entities && certificate.is_ca()) {
            return Some(false);
        }
        let points = certificate.known.crl_distribution_points.read().into_iter().flatten();
        let mut addresses = points.flat_map(|point| &point.names).filter_map(|name| match &name.form {
            NameForm::Uri(uri) => Some(uri),
            _ => None,
        });
        Some(scope.addresses.is_empty() || addresses.any(|address| scope.addresses.contains(address)))
    }
}

impl Scope {
    /// What cannot be read makes the scope special: the list then decides nothing.
    fn of(value: &[u8]) -> Self {
        let tree = read(value.into(), Budget::default());
        let Some(root) = tree.root().filter(|root| root.is(tag::SEQUENCE)) else {
            return Self { is_special: true, ..Self::default() };
        };
        let mut scope = Self::default();
        for part in root.children() {
            let is_true = part.content().iter().any(|octet| *octet != 0);
            match part.number() {
                0 => {
                    let names = part.context_child(0).map(|full| full.children().collect::<Vec<_>>());
                    scope.is_special |= names.is_none();
                    for name in names.unwrap_or_default() {
                        match NameAt::of(name, Place::new("", name.range())).form {
                            NameForm::Uri(uri) => scope.addresses.push(uri),
                            _ => scope.is_special = true,
                        }
                    }
                }
                1 => scope.only_end_entities |= is_true,
                2 => scope.only_cas |= is_true,
                _ => scope.is_special |= is_true,
            }
        }
        scope
    }
}
