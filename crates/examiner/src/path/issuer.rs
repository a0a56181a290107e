//! Whether a certificate may stand where it stands in a path (RFC 5280 sections 6.1.3 and 6.1.4).

use crate::cert::oid;
use crate::chain::extensions::{KeyUsageBits, id};
use crate::chain::{Decoded, Examinee};

use super::Rules;

/// A fault: the check's id, and what is wrong.
type Refused = (&'static str, String);

/// The extensions that path validation processes; another critical one ends a path (RFC 5280 section 4.2).
const PROCESSED: &[&str] = &[
    id::AUTHORITY_KEY_ID,
    id::SUBJECT_KEY_ID,
    id::KEY_USAGE,
    id::CERTIFICATE_POLICIES,
    id::POLICY_MAPPINGS,
    id::SUBJECT_ALT_NAME,
    id::ISSUER_ALT_NAME,
    id::BASIC_CONSTRAINTS,
    id::NAME_CONSTRAINTS,
    id::POLICY_CONSTRAINTS,
    id::EXTENDED_KEY_USAGE,
    id::INHIBIT_ANY_POLICY,
    id::CRL_DISTRIBUTION_POINTS,
    id::AUTHORITY_INFO_ACCESS,
    id::TLS_FEATURE,
];

/// Whether the end entity's certificate will do.
pub(super) fn end_entity(certificate: &Examinee, rules: &Rules<'_>) -> Result<(), Refused> {
    in_general(certificate, rules)?;
    purpose(certificate, rules, "eku-no-server-auth")
}

/// Whether this certificate may issue at all, wherever it stands.
pub(super) fn issuer(certificate: &Examinee, is_anchor: bool, rules: &Rules<'_>) -> Result<(), Refused> {
    in_general(certificate, rules)?;
    match &certificate.known.basic_constraints {
        Decoded::Read(constraints) if constraints.is_ca => {}
        Decoded::Absent => return Err(("bc-missing-on-ca", "it has no basicConstraints".into())),
        _ => return Err(("intermediate-not-ca", "its basicConstraints do not say CA".into())),
    }
    if let Some(usage) = certificate.known.key_usage.read()
        && !usage.has(KeyUsageBits::KEY_CERT_SIGN)
    {
        return Err(("ku-ca-missing-certsign-or-crlsign", format!("its key usage is {usage}")));
    }
    let constraints = &certificate.known.name_constraints;
    if let Some(empty) = constraints.read()
        && empty.permitted.as_ref().is_none_or(Vec::is_empty)
        && empty.excluded.as_ref().is_none_or(Vec::is_empty)
    {
        return Err(("nc-empty", "its name constraints constrain nothing".into()));
    }
    if is_anchor { Ok(()) } else { purpose(certificate, rules, "eku-nesting-broken") }
}

/// Whether it may issue above this many intermediates that are not self-issued.
pub(super) fn above(
    certificate: &Examinee,
    is_anchor: bool,
    intermediates: usize,
    rules: &Rules<'_>,
) -> Result<(), Refused> {
    let constraints = certificate.known.basic_constraints.read();
    if let Some(length) = constraints.and_then(|constraints| constraints.path_length.as_ref()) {
        let allowed = length.value.unwrap_or(0);
        if intermediates as u64 > allowed {
            return Err(("pathlen-exceeded", format!("it allows {allowed} intermediates below it")));
        }
    }
    if let Some(most) = rules.max_depth {
        let own = usize::from(!is_anchor && !certificate.is_self_issued());
        if intermediates + own > most {
            return Err(("chain-too-long", format!("more than {most} intermediates")));
        }
    }
    Ok(())
}

/// What holds for every certificate of a path.
fn in_general(certificate: &Examinee, rules: &Rules<'_>) -> Result<(), Refused> {
    if let Some(field) = certificate.fields().missing() {
        return Err(("certificate-unreadable", format!("it has no {field}")));
    }
    match (certificate.not_before, certificate.not_after) {
        (Some(first), _) if rules.at < first => return Err(("not-yet-valid", format!("it begins {first}"))),
        (_, Some(last)) if rules.at > last => return Err(("expired", format!("it ended {last}"))),
        (Some(_), Some(_)) => {}
        _ => return Err(("time-not-zulu-or-no-seconds", "its dates cannot be read".into())),
    }
    if let Some(wrong) = certificate.known.undecodable().first() {
        return Err(("extension-undecodable", wrong.why.clone()));
    }
    for (i, extension) in certificate.extensions.iter().enumerate() {
        if certificate.extensions[..i].iter().any(|other| other.oid == extension.oid) {
            return Err(("duplicate-extension", format!("it has {} twice", extension.oid)));
        }
        if extension.is_critical() && !PROCESSED.contains(&extension.oid.as_str()) {
            return Err(("unknown-critical-extension", format!("{} is critical", extension.oid)));
        }
    }
    let algorithms = (&certificate.signature_algorithm, &certificate.inner_signature_algorithm);
    if let (Some(outer), Some(inner)) = algorithms
        && (outer.oid != inner.oid || outer.parameters != inner.parameters)
    {
        return Err(("signature-alg-mismatch", "the two signature algorithms differ".into()));
    }
    Ok(())
}

/// Whether extKeyUsage allows the purpose; absent allows all.
fn purpose(certificate: &Examinee, rules: &Rules<'_>, fault: &'static str) -> Result<(), Refused> {
    let (Some(purpose), Some(listed)) = (rules.purpose, certificate.known.extended_key_usage.read()) else {
        return Ok(());
    };
    let allowed = |one: &str| one == purpose || one == oid::ANY_EXTENDED_KEY_USAGE;
    if listed.iter().any(|one| allowed(&one.oid)) {
        return Ok(());
    }
    Err((fault, format!("its extended key usage does not list {}", oid::key_purpose_name(purpose))))
}
