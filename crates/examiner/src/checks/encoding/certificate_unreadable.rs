//! What is given as a certificate has the fields of one.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "certificate-unreadable",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1",
    expected: "a Certificate: tbsCertificate, signatureAlgorithm, signatureValue",
    remedy: "Get the file again from whoever issued it; it is damaged or no certificate.",
    affected: "every client and server",
    in_force: None,
    consequence_of: &[],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if certificate.tree.root().is_none() {
        return Outcome::found(certificate, certificate.place(), "these bytes begin no value");
    }
    match certificate.fields().missing() {
        Some(field) => {
            let has = certificate.der().len();
            let observed = match announced(certificate.der()) {
                Some(whole) if whole > has => {
                    format!("bytes are missing: it says that it has {whole}, and has {has}")
                }
                _ => format!("it has no {field} where that belongs"),
            };
            Outcome::found(certificate, certificate.place(), observed)
        }
        None => Outcome::Pass,
    }
}

/// How many bytes the certificate has by its own first length.
fn announced(der: &[u8]) -> Option<usize> {
    match der {
        [0x30, short @ ..0x80, ..] => Some(2 + usize::from(*short)),
        [0x30, long, rest @ ..] => {
            let count = usize::from(long & 0x7f);
            let octets = rest.get(..count).filter(|_| (1..=3).contains(&count))?;
            let length = octets.iter().fold(0, |sum, octet| (sum << 8) | usize::from(*octet));
            Some(2 + count + length)
        }
        _ => None,
    }
}
