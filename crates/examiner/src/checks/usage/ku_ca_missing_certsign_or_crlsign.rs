//! A CA certificate has keyUsage, and it allows to sign certificates and revocation lists.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "ku-ca-missing-certsign-or-crlsign",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.3, BR section 7.1.2.10.7",
    expected: "keyUsage, critical, with keyCertSign and cRLSign",
    remedy: "Issue the CA certificate again with keyCertSign and cRLSign.",
    affected: "every client refuses what such a CA issued, where keyCertSign is missing",
    in_force: None,
    consequence_of: &[
        "certificate-unreadable",
        "ku-empty-or-bad-encoding",
        "extensions-without-v3",
        "version-not-3",
        "client-ca-bit-set",
        "crl-issuer-no-crlsign",
    ],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let place = certificate.extension_place(id::KEY_USAGE);
    let Some(usage) = certificate.known.key_usage.read() else {
        if !certificate.known.key_usage.is_absent() || certificate.version() != Some(3) {
            return Outcome::Pass;
        }
        let found = Found::new(certificate, place, "it has no keyUsage")
            .affected("strict clients (OpenSSL with -x509_strict, Python since 3.13); others take it for every usage")
            .remedy("Make the next CA certificate with keyUsage, critical: keyCertSign and cRLSign.");
        // Path validation takes its absence for every usage (RFC 5280 section 6.1.4).
        let strict = context.profile == Profile::Web;
        return if strict { found.into() } else { found.severity(Warning).into() };
    };
    if !usage.has(KeyUsageBits::KEY_CERT_SIGN) {
        return Outcome::found(certificate, place, format!("its key usage is {usage}, without keyCertSign"));
    }
    if usage.has(KeyUsageBits::CRL_SIGN) || context.profile == Profile::Rfc5280 {
        return Outcome::Pass;
    }
    let found = Found::new(certificate, place, format!("its key usage is {usage}, without cRLSign"))
        .affected("clients that read its revocation lists: they must not take them");
    if context.profile == Profile::Web { found.into() } else { found.severity(Notice).into() }
}
