//! Everything in a certificate, laid out to be read: each field and extension with its place.

use serde::Serialize;

use crate::cert::{KeyPin, PublicKey, oid};
use crate::chain::extensions::{AccessDescription, Extension, id};
use crate::chain::{Examinee, Field, Place};
use crate::report::shown;

/// One line of the view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What it is.
    pub name: String,
    /// What stands there, one thing an entry; safe to show.
    pub values: Vec<String>,
    /// The standard's name of the place.
    pub path: String,
    /// The bytes, from the first to one after the last.
    pub range: [usize; 2],
    /// Whether it is a critical extension; `None` for what is no extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical: Option<bool>,
}

/// All fields and all extensions, in the order of the certificate.
pub fn rows(certificate: &Examinee) -> Vec<Row> {
    let fields = certificate.fields();
    let mut rows = Vec::new();
    let mut field = |name: &str, field: &Option<Field<'_>>, values: Vec<String>| {
        if let Some(field) = field {
            rows.push(row(name, values, &field.place, None));
        }
    };
    let time =
        |time: Option<crate::UnixTime>| vec![time.map_or("no readable time".into(), |time| time.to_string())];
    let name = |name: &Option<crate::chain::DistinguishedName>| {
        let all = name.iter().flat_map(|name| name.attributes());
        let each: Vec<String> = all
            .map(|attribute| {
                let text = attribute.text().map(|text| shown(&text)).unwrap_or_else(|| hex(&attribute.bytes));
                format!("{} = {text}", attribute.type_name())
            })
            .collect();
        if each.is_empty() { vec!["empty".into()] } else { each }
    };
    let version = certificate.version().map_or("unreadable".into(), |version| version.to_string());
    field("version", &fields.version, vec![version]);
    field("serial number", &fields.serial, vec![hex(certificate.serial())]);
    let algorithm = |a: &Option<crate::chain::Algorithm>| {
        a.iter().map(|a| oid::algorithm_name(&a.oid).to_owned()).collect::<Vec<_>>()
    };
    field("issuer", &fields.issuer, name(&certificate.issuer));
    field("not before", &fields.not_before, time(certificate.not_before));
    field("not after", &fields.not_after, time(certificate.not_after));
    field("subject", &fields.subject, name(&certificate.subject));
    if let Some(spki) = &fields.spki {
        let key = PublicKey::from_spki(spki.element.bytes());
        let kind = key.map_or("unreadable".into(), |key| key.to_string());
        field(
            "public key",
            &fields.spki,
            vec![kind, format!("key pin {}", KeyPin::of(spki.element.bytes()))],
        );
    }
    for extension in &certificate.extensions {
        let critical = Some(extension.is_critical());
        rows.push(row(
            extension_name(&extension.oid),
            contents(certificate, extension),
            &extension.place,
            critical,
        ));
    }
    if let Some(place) = fields.signature_algorithm.as_ref().map(|field| field.place.clone()) {
        rows.push(row("signed with", algorithm(&certificate.signature_algorithm), &place, None));
    }
    rows
}

/// The rows as text; `verbose` adds path and bytes.
pub fn text(certificate: &Examinee, verbose: bool) -> String {
    let mut out = String::new();
    for row in rows(certificate) {
        let critical = if row.critical == Some(true) { " (critical)" } else { "" };
        let name = format!("{}{critical}", row.name);
        for (i, value) in row.values.iter().enumerate() {
            let name = if i == 0 { name.as_str() } else { "" };
            out += &format!("  {name:<28} {value}\n");
        }
        if verbose {
            out += &format!("  {:<28} {}, bytes {} to {}\n", "", row.path, row.range[0], row.range[1]);
        }
    }
    out
}

fn row(name: &str, values: Vec<String>, place: &Place, critical: Option<bool>) -> Row {
    let range = [place.range.start, place.range.end];
    Row { name: name.to_owned(), values, path: place.path.to_string(), range, critical }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// What an extension says: decoded where it is known, else its bytes.
fn contents(certificate: &Examinee, extension: &Extension) -> Vec<String> {
    let known = &certificate.known;
    let strings = |all: Vec<String>| (!all.is_empty()).then_some(all);
    let decoded = match extension.oid.as_str() {
        id::SUBJECT_KEY_ID => known.subject_key_id.read().map(|one| vec![hex(&one.id)]),
        id::AUTHORITY_KEY_ID => {
            known.authority_key_id.read().and_then(|one| Some(vec![hex(one.key_id.as_ref()?)]))
        }
        id::KEY_USAGE => known.key_usage.read().map(|usage| vec![usage.to_string()]),
        id::EXTENDED_KEY_USAGE => known
            .extended_key_usage
            .read()
            .and_then(|all| strings(all.iter().map(|one| format!("{one} ({})", one.oid)).collect())),
        id::SUBJECT_ALT_NAME => known
            .subject_alt_name
            .read()
            .and_then(|all| strings(all.iter().map(ToString::to_string).collect())),
        id::ISSUER_ALT_NAME => known
            .issuer_alt_name
            .read()
            .and_then(|all| strings(all.iter().map(ToString::to_string).collect())),
        id::BASIC_CONSTRAINTS => known.basic_constraints.read().map(|one| {
            let length = one.path_length.as_ref().and_then(|length| length.value);
            let depth = length.map(|n| format!(", at most {n} intermediates below")).unwrap_or_default();
            vec![format!("{}{depth}", if one.is_ca { "CA" } else { "no CA" })]
        }),
        id::NAME_CONSTRAINTS => known.name_constraints.read().map(|one| {
            let list = |word: &str, all: &Option<Vec<crate::chain::extensions::Subtree>>| {
                let each = all.iter().flatten().map(|subtree| format!("{word} {}", subtree.base));
                each.collect::<Vec<_>>()
            };
            [list("permitted", &one.permitted), list("excluded", &one.excluded)].concat()
        }),
        id::CERTIFICATE_POLICIES => {
            known.policies.read().and_then(|all| strings(all.iter().map(|one| one.oid.clone()).collect()))
        }
        id::AUTHORITY_INFO_ACCESS => known.authority_info_access.read().and_then(|all| {
            let what = |one: &AccessDescription| match one.method.as_str() {
                AccessDescription::OCSP => "OCSP".to_owned(),
                AccessDescription::CA_ISSUERS => "CA issuers".to_owned(),
                other => other.to_owned(),
            };
            strings(all.iter().map(|one| format!("{}: {}", what(one), one.location)).collect())
        }),
        id::CRL_DISTRIBUTION_POINTS => known.crl_distribution_points.read().and_then(|all| {
            strings(all.iter().flat_map(|point| &point.names).map(ToString::to_string).collect())
        }),
        id::TLS_FEATURE if extension.value.is_some() => {
            Some(vec![format!("must staple ({})", raw(certificate, extension))])
        }
        _ => None,
    };
    decoded.unwrap_or_else(|| vec![raw(certificate, extension)])
}

/// The bytes of an extension's value, cut where they are many.
fn raw(certificate: &Examinee, extension: &Extension) -> String {
    let bytes = extension.value.as_ref().and_then(|place| certificate.der().get(place.range.clone()));
    match bytes {
        None => "no value".into(),
        Some(bytes) if bytes.len() > 32 => format!("{}… ({} bytes)", hex(&bytes[..32]), bytes.len()),
        Some(bytes) => hex(bytes),
    }
}

/// What people call an extension, or its dotted text.
fn extension_name(oid: &str) -> &str {
    match oid {
        id::SUBJECT_KEY_ID => "subject key identifier",
        id::KEY_USAGE => "key usage",
        id::PRIVATE_KEY_USAGE_PERIOD => "private key usage period",
        id::SUBJECT_ALT_NAME => "names",
        id::ISSUER_ALT_NAME => "issuer's other names",
        id::BASIC_CONSTRAINTS => "basic constraints",
        id::NAME_CONSTRAINTS => "name constraints",
        id::CRL_DISTRIBUTION_POINTS => "revocation lists",
        id::CERTIFICATE_POLICIES => "policies",
        id::POLICY_MAPPINGS => "policy mappings",
        id::AUTHORITY_KEY_ID => "issuer's key identifier",
        id::POLICY_CONSTRAINTS => "policy constraints",
        id::EXTENDED_KEY_USAGE => "key purposes",
        id::INHIBIT_ANY_POLICY => "inhibit any policy",
        id::AUTHORITY_INFO_ACCESS => "issuer's services",
        id::SCT_LIST => "transparency timestamps",
        id::PRECERT_POISON => "precertificate poison",
        id::TLS_FEATURE => "TLS feature",
        id::QC_STATEMENTS => "qualified statements",
        id::OCSP_NO_CHECK => "OCSP no check",
        other => other,
    }
}
