//! Traefik's `passTLSClientCert` middleware: the certificates, and their facts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use examiner::Certificate;
use examiner::cert::{AttributeValue, Name};
use num_bigint::BigInt;

use super::text::{is_unreserved, kind_and_text, push_escaped, without};
use super::{Admitted, Lines};

/// The attributes that Traefik names, in its order.
const ATTRIBUTES: [(&str, &str); 8] = [
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("2.5.4.6", "C"),
    ("2.5.4.8", "ST"),
    ("2.5.4.7", "L"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.5", "SN"),
    ("2.5.4.3", "CN"),
];

/// What separates something in the facts; inside a value it is percent-encoded.
const SPECIAL: &[u8] = b"\",;=\\%+";

/// `X-Forwarded-Tls-Client-Cert`: the certificate and the issuers between it and the trust anchor;
/// `X-Forwarded-Tls-Client-Cert-Info`: the same in words, form-encoded.
pub(super) fn set(lines: &mut Lines<'_>, who: Admitted<'_>) {
    let between = who.issuers.split_last().map_or(&[][..], |(_, between)| between);
    let ders = [&who.certificate.der].into_iter().chain(between);
    let all: Vec<String> = ders.map(|der| STANDARD.encode(der)).collect();
    lines.add("x-forwarded-tls-client-cert", all.join(","));

    let issuers: Vec<Certificate> =
        between.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
    let facts: Vec<String> = [who.certificate].into_iter().chain(&issuers).map(info).collect();
    let mut form = String::new();
    for byte in facts.join(",").bytes() {
        match byte {
            b' ' => form.push('+'),
            _ => push_escaped(&mut form, byte, is_unreserved),
        }
    }
    lines.add("x-forwarded-tls-client-cert-info", form);
}

fn info(certificate: &Certificate) -> String {
    let serial = BigInt::from_signed_bytes_be(&certificate.serial);
    let mut parts = vec![
        format!("Subject=\"{}\"", name(&certificate.subject)),
        format!("Issuer=\"{}\"", name(&certificate.issuer)),
        format!("SerialNumber=\"{serial}\""),
        format!("NB=\"{}\"", certificate.not_before.seconds()),
        format!("NA=\"{}\"", certificate.not_after.seconds()),
    ];
    let sans = certificate.subject_alt_names.iter().filter_map(kind_and_text);
    let sans: Vec<String> = sans.map(|(_, text)| without(&text, SPECIAL)).collect();
    if !sans.is_empty() {
        parts.push(format!("SAN=\"{}\"", sans.join(",")));
    }
    parts.join(";")
}

fn name(name: &Name) -> String {
    let all = || name.rdns.iter().flatten();
    let parts = ATTRIBUTES.iter().flat_map(|(dotted, short)| {
        all().filter(move |one| one.oid == *dotted).filter_map(move |one| match &one.value {
            AttributeValue::Text(text) => Some(format!("{short}={}", without(text, SPECIAL))),
            AttributeValue::Other { .. } => None,
        })
    });
    parts.collect::<Vec<_>>().join(",")
}
