//! Key identifiers, authorityInfoAccess and cRLDistributionPoints.

use crate::cert::tlv::{Element, tag};
use crate::chain::NameAt;

use super::{Field, Place, inside, sequence};

/// subjectKeyIdentifier (RFC 5280 section 4.2.1.2).
#[derive(Clone, Debug)]
pub struct SubjectKeyId {
    /// The identifier.
    pub id: Vec<u8>,
    /// Where it stands.
    pub place: Place,
}

impl SubjectKeyId {
    pub(super) fn of(field: &Field<'_>) -> Result<Self, String> {
        if !field.element.is(tag::OCTET_STRING) {
            return Err("it is no OCTET STRING".into());
        }
        Ok(Self { id: field.element.content().to_vec(), place: field.place.clone() })
    }
}

/// authorityKeyIdentifier (RFC 5280 section 4.2.1.1).
#[derive(Clone, Debug)]
pub struct AuthorityKeyId {
    /// keyIdentifier.
    pub key_id: Option<Vec<u8>>,
    /// Whether authorityCertIssuer is there.
    pub has_issuer: bool,
    /// Whether authorityCertSerialNumber is there.
    pub has_serial: bool,
    /// Where it stands.
    pub place: Place,
}

impl AuthorityKeyId {
    pub(super) fn of(field: &Field<'_>) -> Result<Self, String> {
        let parts: Vec<Element<'_>> = sequence(field)?.map(|part| part.element).collect();
        if parts.iter().any(|part| !(0..3).any(|known| part.is_context(known))) {
            return Err("it holds something that does not belong there".into());
        }
        let part = |number: u32| parts.iter().find(|part| part.is_context(number));
        Ok(Self {
            key_id: part(0).map(|id| id.content().to_vec()),
            has_issuer: part(1).is_some(),
            has_serial: part(2).is_some(),
            place: field.place.clone(),
        })
    }
}

/// One entry of authorityInfoAccess (RFC 5280 section 4.2.2.1).
#[derive(Clone, Debug)]
pub struct AccessDescription {
    /// accessMethod as dotted text.
    pub method: String,
    /// accessLocation.
    pub location: NameAt,
    /// Where it stands.
    pub place: Place,
}

impl AccessDescription {
    /// id-ad-ocsp.
    pub const OCSP: &str = "1.3.6.1.5.5.7.48.1";
    /// id-ad-caIssuers.
    pub const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

    pub(super) fn all(field: &Field<'_>) -> Result<Vec<Self>, String> {
        let one = |part: Field<'_>| {
            let method =
                part.element.child(0).and_then(Element::oid).ok_or("an entry has no access method")?;
            let location = part.element.child(1).ok_or("an entry has no location")?;
            let place = inside(&part, "accessLocation", location.range());
            Ok(Self { method, location: NameAt::of(location, place), place: part.place })
        };
        sequence(field)?.map(one).collect()
    }
}

/// One DistributionPoint (RFC 5280 section 4.2.1.13).
#[derive(Clone, Debug)]
pub struct DistributionPoint {
    /// The names of distributionPoint.fullName; empty where there is none.
    pub names: Vec<NameAt>,
    /// Whether distributionPoint gives a name relative to the issuer.
    pub is_relative: bool,
    /// Whether reasons is there.
    pub has_reasons: bool,
    /// The names of cRLIssuer; empty where the field is absent.
    pub crl_issuer: Vec<NameAt>,
    /// Where it stands.
    pub place: Place,
}

impl DistributionPoint {
    pub(super) fn all(field: &Field<'_>) -> Result<Vec<Self>, String> {
        let one = |part: Field<'_>| {
            if !part.element.is(tag::SEQUENCE) {
                return Err("an entry is no SEQUENCE".to_owned());
            }
            let names = |list: Option<Element<'_>>, step: &str| -> Vec<NameAt> {
                let Some(list) = list else { return Vec::new() };
                let place = inside(&part, step, list.range());
                let each = list.children().enumerate();
                each.map(|(i, e)| NameAt::of(e, place.step(&format!("[{i}]"), e.range()))).collect()
            };
            let point = part.element.context_child(0);
            Ok(Self {
                names: names(point.and_then(|p| p.context_child(0)), "distributionPoint.fullName"),
                is_relative: point.is_some_and(|p| p.context_child(1).is_some()),
                has_reasons: part.element.context_child(1).is_some(),
                crl_issuer: names(part.element.context_child(2), "cRLIssuer"),
                place: part.place.clone(),
            })
        };
        sequence(field)?.map(one).collect()
    }
}
