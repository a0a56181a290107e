//! Names in certificates: subjects, subject alternative names, and the ones a server CA may use.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use der::asn1::{Any, Ia5String, OctetString, SetOfVec, Utf8StringRef};
use der::{Decode, Encode, ErrorKind};
use policy::issuance::{AltName, CheckedPlan};
use spki::ObjectIdentifier;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::pkix::NameConstraints;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

use crate::error::AuthorityError;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// The subject `CN=…,O=…` of a CA.
pub(crate) fn ca_subject(common_name: &str, organisation: &str) -> der::Result<Name> {
    subject(&[(ORGANISATION, organisation), (COMMON_NAME, common_name)])
}

/// The subject of an end-entity certificate: its common name, or nothing at all.
pub(crate) fn end_entity_subject(common_name: &str) -> der::Result<Name> {
    if common_name.is_empty() {
        return Ok(Name::default());
    }
    subject(&[(COMMON_NAME, common_name)])
}

/// A name from its attributes, most general first; UTF8String (RFC 5280 section 4.1.2.4).
fn subject(attributes: &[(ObjectIdentifier, &str)]) -> der::Result<Name> {
    let mut sets = Vec::new();
    for (oid, text) in attributes {
        let value = Any::encode_from(&Utf8StringRef::new(text)?)?;
        sets.push(SetOfVec::try_from(vec![AttributeTypeAndValue { oid: *oid, value }])?);
    }
    Name::from_der(&sets.to_der()?)
}

/// The subject alternative names of a plan: the party as `urn:uuid:…` first, then the further ones.
pub(crate) fn alt_names(plan: &CheckedPlan) -> der::Result<Vec<GeneralName>> {
    let plan = plan.plan();
    let mut names = Vec::new();
    if plan.profile.is_client() {
        names.push(GeneralName::UniformResourceIdentifier(Ia5String::new(&party_uri(&plan.party_uuid))?));
    }
    for name in &plan.alt_names {
        names.push(general(name)?);
    }
    Ok(names)
}

/// A name as it stands in subject alternative names.
pub(crate) fn general(name: &AltName) -> der::Result<GeneralName> {
    Ok(match name {
        AltName::Dns(host) => GeneralName::DnsName(Ia5String::new(host)?),
        AltName::Email(address) => GeneralName::Rfc822Name(Ia5String::new(address)?),
        AltName::Uri(uri) => GeneralName::UniformResourceIdentifier(Ia5String::new(uri)?),
        AltName::Ip(address) => GeneralName::from(*address),
    })
}

/// How a party stands in its certificates (RFC 9562 section 4).
pub(crate) fn party_uri(uuid: &str) -> String {
    format!("urn:uuid:{uuid}")
}

/// The hosts that a server CA may name (RFC 5280 section 4.2.1.10).
///
/// Both DNS names and addresses are listed, so that every other name of these two types is refused; an exclusion
/// beside would also hit the permitted ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permitted {
    dns: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Permitted {
    /// The sites (names below them too), localhost, 127.0.0.1 and ::1.
    pub(crate) fn for_sites(sites: &[String]) -> Result<Self, AuthorityError> {
        let mut permitted = Self {
            dns: vec!["localhost".into()],
            addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        };
        for site in sites {
            if let Ok(address) = site.parse() {
                push_new(&mut permitted.addresses, address);
            } else {
                push_new(
                    &mut permitted.dns,
                    host(site).ok_or_else(|| AuthorityError::BadSite(site.clone()))?,
                );
            }
        }
        Ok(permitted)
    }

    /// Permits what `other` permits, too.
    pub(crate) fn add(&mut self, other: Self) {
        other.dns.into_iter().for_each(|name| push_new(&mut self.dns, name));
        other.addresses.into_iter().for_each(|address| push_new(&mut self.addresses, address));
    }

    /// Whether a certificate for this host name, wildcard or address holds under it.
    pub(crate) fn permits(&self, name: &str) -> bool {
        if let Ok(address) = name.parse::<IpAddr>() {
            return self.addresses.contains(&address);
        }
        let Some(name) = host(name) else { return false };
        self.dns.iter().any(|base| {
            name.strip_suffix(base.as_str()).is_some_and(|front| front.is_empty() || front.ends_with('.'))
        })
    }

    /// As it stands in the certificate.
    pub(crate) fn to_extension(&self) -> der::Result<NameConstraints> {
        let mut bases = Vec::new();
        for name in &self.dns {
            bases.push(GeneralName::DnsName(Ia5String::new(name)?));
        }
        for address in &self.addresses {
            let mask = vec![0xff; if address.is_ipv4() { 4 } else { 16 }];
            let bytes = match address {
                IpAddr::V4(v4) => [v4.octets().as_slice(), &mask].concat(),
                IpAddr::V6(v6) => [v6.octets().as_slice(), &mask].concat(),
            };
            bases.push(GeneralName::IpAddress(OctetString::new(bytes)?));
        }
        let subtree = |base| GeneralSubtree { base, minimum: 0, maximum: None };
        let permitted_subtrees = Some(bases.into_iter().map(subtree).collect());
        Ok(NameConstraints { permitted_subtrees, excluded_subtrees: None })
    }

    /// As read from a certificate that was made here.
    pub(crate) fn from_extension(constraints: &NameConstraints) -> der::Result<Self> {
        let mut permitted = Self { dns: Vec::new(), addresses: Vec::new() };
        for subtree in constraints.permitted_subtrees.iter().flatten() {
            match &subtree.base {
                GeneralName::DnsName(name) => permitted.dns.push(name.as_str().to_owned()),
                GeneralName::IpAddress(bytes) => permitted.addresses.push(single_address(bytes.as_bytes())?),
                _ => return Err(ErrorKind::Failed.into()),
            }
        }
        Ok(permitted)
    }
}

/// The address of an `address, mask` pair whose mask leaves only that one.
fn single_address(bytes: &[u8]) -> der::Result<IpAddr> {
    let (address, mask) = bytes.split_at(bytes.len() / 2);
    if mask.iter().any(|byte| *byte != 0xff) {
        return Err(ErrorKind::Failed.into());
    }
    if let Ok(v4) = <[u8; 4]>::try_from(address) {
        return Ok(v4.into());
    }
    <[u8; 16]>::try_from(address).map(Into::into).map_err(|_| ErrorKind::Failed.into())
}

/// A host name in lower case, without wildcard and closing dot; `None` if it is no ASCII host name.
fn host(text: &str) -> Option<String> {
    let bare = text.strip_prefix("*.").unwrap_or(text);
    let bare = bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    (bare.len() <= 253 && bare.split('.').all(label)).then_some(bare)
}

fn push_new<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if !all.contains(&one) {
        all.push(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_ca_names_its_sites_and_itself_and_nothing_else() {
        let permitted =
            Permitted::for_sites(&["Portal.test".into(), "*.apps.test".into(), "10.0.0.7".into()]).unwrap();
        for name in
            ["portal.test", "a.portal.test", "*.portal.test", "x.apps.test", "localhost", "127.0.0.1", "::1"]
        {
            assert!(permitted.permits(name), "{name}");
        }
        assert!(permitted.permits("10.0.0.7"));
        for name in [
            "notportal.test",
            "test",
            "portal.test.evil",
            "10.0.0.8",
            "127.0.0.2",
            "::2",
            "",
            "a b",
            "ö.test",
        ] {
            assert!(!permitted.permits(name), "{name}");
        }
    }

    #[test]
    fn what_is_permitted_survives_the_certificate() {
        let permitted = Permitted::for_sites(&["portal.test".into(), "2001:db8::1".into()]).unwrap();
        let der = permitted.to_extension().unwrap().to_der().unwrap();
        let read = NameConstraints::from_der(&der).unwrap();
        assert_eq!(Permitted::from_extension(&read).unwrap(), permitted);
    }

    #[test]
    fn a_site_that_is_no_host_is_refused() {
        for site in ["", "a..b", "https://portal.test", "portal.test:443", "bücher.test", "a b"] {
            assert!(
                matches!(Permitted::for_sites(&[site.into()]), Err(AuthorityError::BadSite(_))),
                "{site}"
            );
        }
    }
}
