//! GeneralName as it stands, malformed ones too.

use std::net::IpAddr;

use crate::cert::tlv::{Class, Element};

use super::{DistinguishedName, Place};

/// One GeneralName (RFC 5280 section 4.2.1.6) and where it stands.
#[derive(Clone, Debug)]
pub struct NameAt {
    /// What it names.
    pub form: NameForm,
    /// Where it stands.
    pub place: Place,
}

/// The types of a GeneralName, with their contents as bytes: nothing is assumed of them.
#[derive(Clone, Debug)]
pub enum NameForm {
    /// otherName `[0]`: the type (dotted text) and the DER of the value.
    Other(String, Vec<u8>),
    /// rfc822Name `[1]`.
    Email(Vec<u8>),
    /// dNSName `[2]`.
    Dns(Vec<u8>),
    /// x400Address `[3]`.
    X400,
    /// directoryName `[4]`, with the DER of the Name.
    Directory(DistinguishedName, Vec<u8>),
    /// ediPartyName `[5]`.
    EdiParty,
    /// uniformResourceIdentifier `[6]`.
    Uri(Vec<u8>),
    /// iPAddress `[7]`.
    Ip(Vec<u8>),
    /// registeredID `[8]`.
    Registered(String),
    /// No GeneralName: another tag, or contents that cannot be walked.
    Wrong,
}

impl NameAt {
    /// Reads one GeneralName.
    pub fn of(element: Element<'_>, place: Place) -> Self {
        let content = || element.content().to_vec();
        let form = match (element.class(), element.number()) {
            (Class::Context, 0) => match (element.child(0).and_then(Element::oid), element.child(1)) {
                (Some(kind), Some(value)) if value.is_context(0) => {
                    NameForm::Other(kind, value.content().to_vec())
                }
                _ => NameForm::Wrong,
            },
            (Class::Context, 1) => NameForm::Email(content()),
            (Class::Context, 2) => NameForm::Dns(content()),
            (Class::Context, 3) => NameForm::X400,
            (Class::Context, 4) => match element.child(0) {
                Some(name) => NameForm::Directory(
                    DistinguishedName::of(name, place.step("directoryName", name.range())),
                    name.bytes().to_vec(),
                ),
                None => NameForm::Wrong,
            },
            (Class::Context, 5) => NameForm::EdiParty,
            (Class::Context, 6) => NameForm::Uri(content()),
            (Class::Context, 7) => NameForm::Ip(content()),
            (Class::Context, 8) => {
                crate::cert::tlv::dotted(element.content()).map_or(NameForm::Wrong, NameForm::Registered)
            }
            _ => NameForm::Wrong,
        };
        Self { form, place }
    }

    /// The dNSName as text; bytes outside UTF-8 are replaced. `None` for other types.
    pub fn dns(&self) -> Option<String> {
        match &self.form {
            NameForm::Dns(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    /// The text of a uniformResourceIdentifier.
    pub fn uri(&self) -> Option<String> {
        match &self.form {
            NameForm::Uri(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    /// The iPAddress where it has 4 or 16 octets.
    pub fn ip(&self) -> Option<IpAddr> {
        let NameForm::Ip(bytes) = &self.form else { return None };
        match (<[u8; 4]>::try_from(bytes.as_slice()), <[u8; 16]>::try_from(bytes.as_slice())) {
            (Ok(v4), _) => Some(v4.into()),
            (_, Ok(v6)) => Some(v6.into()),
            _ => None,
        }
    }
}

impl std::fmt::Display for NameAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |bytes: &[u8]| crate::report::shown(&String::from_utf8_lossy(bytes));
        match &self.form {
            NameForm::Other(kind, _) => write!(f, "otherName {kind}"),
            NameForm::Email(bytes) => write!(f, "e-mail {}", text(bytes)),
            NameForm::Dns(bytes) => write!(f, "{}", text(bytes)),
            NameForm::X400 => f.write_str("an X.400 address"),
            NameForm::Directory(name, _) => write!(f, "directory name {name}"),
            NameForm::EdiParty => f.write_str("an EDI party name"),
            NameForm::Uri(bytes) => write!(f, "URI {}", text(bytes)),
            NameForm::Ip(bytes) => match self.ip() {
                Some(ip) => write!(f, "{ip}"),
                None => write!(f, "an IP address of {} octets", bytes.len()),
            },
            NameForm::Registered(oid) => write!(f, "registeredID {oid}"),
            NameForm::Wrong => f.write_str("something that is no GeneralName"),
        }
    }
}
