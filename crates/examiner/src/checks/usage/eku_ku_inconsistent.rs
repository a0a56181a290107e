//! Each key purpose can be carried out with a usage that keyUsage allows.

use super::prelude::*;
/// The usages that RFC 5280 names as consistent with each purpose.
const FITTING: &[(&str, &[u8])] = &[
    (oid::SERVER_AUTH, &[SIGN, KeyUsageBits::KEY_ENCIPHERMENT, KeyUsageBits::KEY_AGREEMENT]),
    (oid::CLIENT_AUTH, &[SIGN, KeyUsageBits::KEY_AGREEMENT]),
    ("1.3.6.1.5.5.7.3.3", &[SIGN]),
    ("1.3.6.1.5.5.7.3.4", &[SIGN, COMMIT, KeyUsageBits::KEY_ENCIPHERMENT, KeyUsageBits::KEY_AGREEMENT]),
    ("1.3.6.1.5.5.7.3.8", &[SIGN, COMMIT]),
    ("1.3.6.1.5.5.7.3.9", &[SIGN, COMMIT]),
];
const SIGN: u8 = KeyUsageBits::DIGITAL_SIGNATURE;
const COMMIT: u8 = KeyUsageBits::CONTENT_COMMITMENT;

pub static CHECK: Check = Check {
    id: "eku-ku-inconsistent",
    severity: Severities::all(Error).mtls_client(Some(Warning)),
    clause: "RFC 5280 section 4.2.1.12",
    expected: "a keyUsage that fits every purpose listed",
    remedy: "Have it issued again with usages that fit its purposes: digitalSignature for TLS.",
    affected: "clients that apply both extensions: the purpose cannot be used",
    in_force: None,
    consequence_of: &[
        "certificate-unreadable",
        "ku-empty-or-bad-encoding",
        "ku-no-digital-signature-for-tls13",
        "client-ku-no-digital-signature",
    ],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let (Some(usage), Some(purposes)) =
        (certificate.known.key_usage.read(), certificate.known.extended_key_usage.read())
    else {
        return Outcome::Pass;
    };
    Outcome::all(purposes.iter().filter_map(|purpose| {
        let (_, fitting) = FITTING.iter().find(|(oid, _)| *oid == purpose.oid)?;
        if fitting.iter().any(|bit| usage.has(*bit)) {
            return None;
        }
        let observed = format!("{purpose} with the key usage {usage}");
        Some(Found::new(certificate, purpose.place.clone(), observed))
    }))
}
