//! What a file holds beside certificates, told in words and looked at: requests, revocation lists, OCSP responses.

mod crl;
mod ocsp;
mod request;

use serde::Serialize;

use crate::cert::tlv::{Budget, read};
use crate::cert::{KeyPin, PublicKey, UnixTime, oid};
use crate::chain::{DistinguishedName, Examinee, Place};
use crate::checks::{self, check::Check};
use crate::input::{About, Kind, NOT_READABLE, Note, Other};
use crate::report::{Needs, Severity, Untold};

/// What such a thing says, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Described {
    /// What it is.
    pub kind: Kind,
    /// Its line in the file, from 1; `None` where the file is binary.
    pub line: Option<usize>,
    /// What it says, one thing a line.
    pub facts: Vec<Fact>,
}

/// One thing that is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What of.
    pub name: &'static str,
    /// What; safe to show.
    pub value: String,
}

/// What was seen of one such thing.
#[derive(Clone, Debug)]
pub struct Looked {
    /// What it says.
    pub described: Described,
    /// What is wrong with it, or good to know.
    pub notes: Vec<Note>,
    /// What could not be told.
    pub untold: Vec<Untold>,
}

/// Looks at one thing. `at_hand` are the certificates that may have signed it; `at` is the moment that counts as now.
pub fn look(other: &Other, at_hand: &[&Examinee], at: UnixTime) -> Looked {
    let described = Described { kind: other.kind, line: other.line, facts: Vec::new() };
    let mut looked = Looked { described, notes: Vec::new(), untold: Vec::new() };
    let read = match other.kind {
        Kind::Request => request::look(&mut looked, &other.der),
        Kind::RevocationList => crl::look(&mut looked, &other.der, at_hand, at),
        Kind::OcspResponse => ocsp::look(&mut looked, &other.der, at_hand, at),
        Kind::PublicKey => public_key(&mut looked, &other.der),
        // What it holds is seen once it is opened.
        Kind::Pkcs12 => Ok(()),
    };
    if let Err(why) = read {
        looked.note(NOT_READABLE, why);
    }
    looked
}

impl Looked {
    fn fact(&mut self, name: &'static str, value: impl Into<String>) {
        self.described.facts.push(Fact { name, value: value.into() });
    }

    fn note(&mut self, about: About, observed: impl Into<String>) {
        self.notes.push(Note { about, line: self.described.line, observed: observed.into() });
    }

    /// A note in the words of a check that looks for the same in chains.
    fn as_check(&mut self, id: &str, severity: Severity, observed: impl Into<String>) {
        if let Some(check) = checks::named(id) {
            self.note(About::of(check, severity), observed);
        }
    }

    fn untold(&mut self, id: &str, needs: Needs, why: impl Into<String>) {
        if let Some(Check { id, .. }) = checks::named(id) {
            self.untold.push(Untold { id, index: None, needs, why: why.into() });
        }
    }

    /// The signature's algorithm as a fact, and a word where it rests on a broken hash.
    fn signed_with(&mut self, algorithm: &str) {
        self.fact("signed with", oid::algorithm_name(algorithm));
        let severity = Severity::Error;
        match algorithm {
            "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => {
                self.as_check("signature-sha1", severity, "it is signed with SHA-1");
            }
            "1.2.840.113549.1.1.2" | "1.2.840.113549.1.1.4" => {
                self.as_check("signature-md5-md2", severity, "it is signed with MD2 or MD5");
            }
            _ => {}
        }
    }
}

fn public_key(looked: &mut Looked, der: &[u8]) -> Result<(), String> {
    let key = PublicKey::from_spki(der).ok_or("the public key cannot be read")?;
    looked.fact("key", key.to_string());
    looked.fact("key pin", KeyPin::of(der).to_string());
    Ok(())
}

/// A Name's DER as RFC 4514 text.
fn name(der: &[u8]) -> String {
    let tree = read(der.into(), Budget::default());
    tree.root()
        .map(|root| DistinguishedName::of(root, Place::new("", root.range())).to_string())
        .unwrap_or_default()
}
