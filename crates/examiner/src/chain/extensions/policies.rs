//! Certificate policies, their mappings and constraints.

use crate::cert::tlv::{Element, unsigned};

use super::{Field, Place, inside, sequence};

/// One PolicyInformation (RFC 5280 section 4.2.1.4).
#[derive(Clone, Debug)]
pub struct Policy {
    /// policyIdentifier as dotted text.
    pub oid: String,
    /// policyQualifiers.
    pub qualifiers: Vec<PolicyQualifier>,
    /// Where it stands.
    pub place: Place,
}

/// One PolicyQualifierInfo.
#[derive(Clone, Debug)]
pub struct PolicyQualifier {
    /// policyQualifierId as dotted text.
    pub oid: String,
    /// The DER of the qualifier.
    pub value: Vec<u8>,
    /// Where it stands.
    pub place: Place,
}

impl Policy {
    /// anyPolicy.
    pub const ANY: &str = "2.5.29.32.0";

    pub(super) fn all(field: &Field<'_>) -> Result<Vec<Self>, String> {
        let one = |part: Field<'_>| {
            let oid =
                part.element.child(0).and_then(Element::oid).ok_or("an entry has no policy identifier")?;
            let mut qualifiers = Vec::new();
            if let Some(list) = part.element.child(1) {
                for (i, element) in list.children().enumerate() {
                    qualifiers.push(PolicyQualifier {
                        oid: element
                            .child(0)
                            .and_then(Element::oid)
                            .ok_or("a qualifier has no identifier")?,
                        value: element.child(1).map(|e| e.bytes().to_vec()).unwrap_or_default(),
                        place: inside(&part, &format!("policyQualifiers[{i}]"), element.range()),
                    });
                }
            }
            Ok(Self { oid, qualifiers, place: part.place })
        };
        sequence(field)?.map(one).collect()
    }
}

/// One pair of policyMappings (RFC 5280 section 4.2.1.5).
#[derive(Clone, Debug)]
pub struct PolicyMapping {
    /// issuerDomainPolicy as dotted text.
    pub issuer: String,
    /// subjectDomainPolicy as dotted text.
    pub subject: String,
    /// Where it stands.
    pub place: Place,
}

impl PolicyMapping {
    pub(super) fn all(field: &Field<'_>) -> Result<Vec<Self>, String> {
        let one = |part: Field<'_>| {
            let oid = |i: usize| part.element.child(i).and_then(Element::oid);
            match (oid(0), oid(1)) {
                (Some(issuer), Some(subject)) => Ok(Self { issuer, subject, place: part.place }),
                _ => Err("an entry is no pair of policies".to_owned()),
            }
        };
        sequence(field)?.map(one).collect()
    }
}

/// policyConstraints (RFC 5280 section 4.2.1.11).
#[derive(Clone, Debug)]
pub struct PolicyConstraints {
    /// requireExplicitPolicy.
    pub require_explicit: Option<u64>,
    /// inhibitPolicyMapping.
    pub inhibit_mapping: Option<u64>,
    /// Where it stands.
    pub place: Place,
}

impl PolicyConstraints {
    pub(super) fn of(field: &Field<'_>) -> Result<Self, String> {
        let (mut require_explicit, mut inhibit_mapping) = (None, None);
        for part in sequence(field)? {
            let number = unsigned(part.element.content()).ok_or("it holds something that is no number")?;
            match part.element {
                e if e.is_context(0) => require_explicit = Some(number),
                e if e.is_context(1) => inhibit_mapping = Some(number),
                _ => return Err("it holds something that does not belong there".into()),
            }
        }
        Ok(Self { require_explicit, inhibit_mapping, place: field.place.clone() })
    }
}
