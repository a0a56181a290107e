//! The extensions of a certificate: all of them as they stand, and the known ones decoded by ourselves, so that a
//! malformed one can be described.

mod constraints;
mod identifiers;
mod policies;
mod usage;

use std::ops::Range;
use std::sync::Arc;

use crate::cert::tlv::{Budget, DeviationKind, Element, Tree, read_within, tag};

use super::{Field, NameAt, Place};

pub use constraints::{BasicConstraints, NameConstraints, PathLength, Subtree};
pub use identifiers::{AccessDescription, AuthorityKeyId, DistributionPoint, SubjectKeyId};
pub use policies::{Policy, PolicyConstraints, PolicyMapping, PolicyQualifier};
pub use usage::{KeyUsageBits, Purpose};

/// Object identifiers of the extensions known here (RFC 5280 section 4.2).
pub mod id {
    #![allow(missing_docs)]
    pub const SUBJECT_KEY_ID: &str = "2.5.29.14";
    pub const KEY_USAGE: &str = "2.5.29.15";
    pub const PRIVATE_KEY_USAGE_PERIOD: &str = "2.5.29.16";
    pub const SUBJECT_ALT_NAME: &str = "2.5.29.17";
    pub const ISSUER_ALT_NAME: &str = "2.5.29.18";
    pub const BASIC_CONSTRAINTS: &str = "2.5.29.19";
    pub const NAME_CONSTRAINTS: &str = "2.5.29.30";
    pub const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
    pub const CERTIFICATE_POLICIES: &str = "2.5.29.32";
    pub const POLICY_MAPPINGS: &str = "2.5.29.33";
    pub const AUTHORITY_KEY_ID: &str = "2.5.29.35";
    pub const POLICY_CONSTRAINTS: &str = "2.5.29.36";
    pub const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
    pub const INHIBIT_ANY_POLICY: &str = "2.5.29.54";
    pub const AUTHORITY_INFO_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
    pub const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.2";
    pub const PRECERT_POISON: &str = "1.3.6.1.4.1.11129.2.4.3";
    pub const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
    pub const QC_STATEMENTS: &str = "1.3.6.1.5.5.7.1.3";
    pub const OCSP_NO_CHECK: &str = "1.3.6.1.5.5.7.48.1.5";
}

/// One extension as it stands.
#[derive(Clone, Debug)]
pub struct Extension {
    /// Its type as dotted text; empty where it cannot be read.
    pub oid: String,
    /// The critical flag as written; `None` where it is left out, which means false.
    pub critical_written: Option<bool>,
    /// The whole extension, `tbsCertificate.extensions[i]`.
    pub place: Place,
    /// The contents of extnValue; `None` where there is no OCTET STRING.
    pub value: Option<Place>,
    /// The contents of extnValue as a tree, with offsets in the certificate.
    pub tree: Option<Tree>,
}

impl Extension {
    /// Whether it is marked critical.
    pub fn is_critical(&self) -> bool {
        self.critical_written == Some(true)
    }

    fn of(field: &Field<'_>, bytes: &Arc<[u8]>) -> Self {
        let value = field.element.children().find(|e| e.is(tag::OCTET_STRING));
        let tree = value.map(|value| read_within(bytes.clone(), value.content_range(), Budget::default()));
        Self {
            oid: field.element.child(0).and_then(Element::oid).unwrap_or_default(),
            critical_written: field.element.child(1).and_then(Element::boolean),
            place: field.place.clone(),
            value: value.map(|value| field.place.step("extnValue", value.content_range())),
            tree,
        }
    }

    pub(crate) fn all(field: Option<&Field<'_>>, bytes: &Arc<[u8]>) -> Vec<Self> {
        let Some(field) = field else { return Vec::new() };
        let each = field.element.children().enumerate();
        each.map(|(i, e)| Self::of(&field.inner(&format!("[{i}]"), e), bytes)).collect()
    }
}

/// An extension's contents, decoded or not.
#[derive(Clone, Debug, Default)]
pub enum Decoded<T> {
    /// The certificate does not have it.
    #[default]
    Absent,
    /// It is there and cannot be decoded.
    Wrong(Undecodable),
    /// Decoded.
    Read(T),
}

/// Why an extension could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// Where it stands.
    pub place: Place,
    /// What is wrong, in a few words.
    pub why: String,
}

impl<T> Decoded<T> {
    /// The contents where they were decoded.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::Read(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the certificate does not have the extension.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Why it could not be decoded, where that is so.
    pub fn wrong(&self) -> Option<&Undecodable> {
        match self {
            Self::Wrong(why) => Some(why),
            _ => None,
        }
    }
}

/// The extensions that decide something, decoded. Of one that stands twice the first counts here; that it stands twice
/// is a finding of its own.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// basicConstraints.
    pub basic_constraints: Decoded<BasicConstraints>,
    /// keyUsage.
    pub key_usage: Decoded<KeyUsageBits>,
    /// extKeyUsage.
    pub extended_key_usage: Decoded<Vec<Purpose>>,
    /// subjectAltName.
    pub subject_alt_name: Decoded<Vec<NameAt>>,
    /// issuerAltName.
    pub issuer_alt_name: Decoded<Vec<NameAt>>,
    /// nameConstraints.
    pub name_constraints: Decoded<NameConstraints>,
    /// authorityKeyIdentifier.
    pub authority_key_id: Decoded<AuthorityKeyId>,
    /// subjectKeyIdentifier.
    pub subject_key_id: Decoded<SubjectKeyId>,
    /// certificatePolicies.
    pub policies: Decoded<Vec<Policy>>,
    /// policyMappings.
    pub policy_mappings: Decoded<Vec<PolicyMapping>>,
    /// policyConstraints.
    pub policy_constraints: Decoded<PolicyConstraints>,
    /// inhibitAnyPolicy: how many certificates may follow before anyPolicy ends.
    pub inhibit_any_policy: Decoded<u64>,
    /// authorityInfoAccess.
    pub authority_info_access: Decoded<Vec<AccessDescription>>,
    /// cRLDistributionPoints.
    pub crl_distribution_points: Decoded<Vec<DistributionPoint>>,
}

impl Known {
    pub(crate) fn of(extensions: &[Extension]) -> Self {
        let find = |oid: &str| extensions.iter().find(|extension| extension.oid == oid);
        Self {
            basic_constraints: decode(find(id::BASIC_CONSTRAINTS), BasicConstraints::of),
            key_usage: decode(find(id::KEY_USAGE), KeyUsageBits::of),
            extended_key_usage: decode(find(id::EXTENDED_KEY_USAGE), Purpose::all),
            subject_alt_name: decode(find(id::SUBJECT_ALT_NAME), general_names),
            issuer_alt_name: decode(find(id::ISSUER_ALT_NAME), general_names),
            name_constraints: decode(find(id::NAME_CONSTRAINTS), NameConstraints::of),
            authority_key_id: decode(find(id::AUTHORITY_KEY_ID), AuthorityKeyId::of),
            subject_key_id: decode(find(id::SUBJECT_KEY_ID), SubjectKeyId::of),
            policies: decode(find(id::CERTIFICATE_POLICIES), Policy::all),
            policy_mappings: decode(find(id::POLICY_MAPPINGS), PolicyMapping::all),
            policy_constraints: decode(find(id::POLICY_CONSTRAINTS), PolicyConstraints::of),
            inhibit_any_policy: decode(find(id::INHIBIT_ANY_POLICY), |field| {
                field.element.unsigned().ok_or_else(|| "it is no number of certificates".into())
            }),
            authority_info_access: decode(find(id::AUTHORITY_INFO_ACCESS), AccessDescription::all),
            crl_distribution_points: decode(find(id::CRL_DISTRIBUTION_POINTS), DistributionPoint::all),
        }
    }

    /// Every extension that is there and cannot be decoded.
    pub fn undecodable(&self) -> Vec<&Undecodable> {
        let all = [
            self.basic_constraints.wrong(),
            self.key_usage.wrong(),
            self.extended_key_usage.wrong(),
            self.subject_alt_name.wrong(),
            self.issuer_alt_name.wrong(),
            self.name_constraints.wrong(),
            self.authority_key_id.wrong(),
            self.subject_key_id.wrong(),
            self.policies.wrong(),
            self.policy_mappings.wrong(),
            self.policy_constraints.wrong(),
            self.inhibit_any_policy.wrong(),
            self.authority_info_access.wrong(),
            self.crl_distribution_points.wrong(),
        ];
        all.into_iter().flatten().collect()
    }
}

fn decode<T>(extension: Option<&Extension>, with: impl Fn(&Field<'_>) -> Result<T, String>) -> Decoded<T> {
    let Some(extension) = extension else { return Decoded::Absent };
    let wrong = |why: &str| Decoded::Wrong(Undecodable { place: extension.place.clone(), why: why.into() });
    let (Some(value), Some(tree)) = (&extension.value, &extension.tree) else {
        return wrong("it has no OCTET STRING as its value");
    };
    let Some(element) = tree.root() else { return wrong("its value is empty or cut off") };
    for deviation in &tree.deviations {
        if matches!(deviation.kind, DeviationKind::Truncated | DeviationKind::TrailingBytes) {
            return wrong(deviation.kind.words());
        }
    }
    match with(&Field { element, place: Place::new(value.path.clone(), element.range()) }) {
        Ok(read) => Decoded::Read(read),
        Err(why) => wrong(&why),
    }
}

/// The elements of a SEQUENCE, or why it is none.
fn sequence<'a>(field: &Field<'a>) -> Result<impl Iterator<Item = Field<'a>> + use<'a>, String> {
    if !field.element.is(tag::SEQUENCE) {
        return Err("it is no SEQUENCE".into());
    }
    let field = field.clone();
    Ok(field.element.children().enumerate().map(move |(i, e)| field.inner(&format!("[{i}]"), e)))
}

fn general_names(field: &Field<'_>) -> Result<Vec<NameAt>, String> {
    Ok(sequence(field)?.map(|name| NameAt::of(name.element, name.place)).collect())
}

/// The place of bytes inside a field.
fn inside(field: &Field<'_>, step: &str, range: Range<usize>) -> Place {
    field.place.step(step, range)
}
