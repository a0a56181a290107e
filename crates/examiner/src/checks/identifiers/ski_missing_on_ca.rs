//! A CA certificate gives its key an identifier.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "ski-missing-on-ca",
    severity: Severities::all(Error).private_server(Some(Warning)).mtls_client(Some(Warning)),
    clause: "RFC 5280 section 4.2.1.2",
    expected: "subjectKeyIdentifier",
    remedy: "Issue the CA certificate again with subjectKeyIdentifier.",
    affected: "path building where several issuers have one name; OpenSSL in strict mode refuses it",
    in_force: None,
    consequence_of: &[
        "certificate-unreadable",
        "extensions-without-v3",
        "version-not-3",
        "client-ca-bit-set",
    ],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    if certificate.known.subject_key_id.is_absent() {
        let place = certificate.extension_place(id::SUBJECT_KEY_ID);
        return Outcome::found(certificate, place, "it has no subjectKeyIdentifier");
    }
    Outcome::Pass
}
