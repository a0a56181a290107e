//! A certificate names its issuer's key by its identifier.
//!
//! Self-signed certificates need not.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "aki-missing",
    severity: Severities::all(Error).private_server(Some(Warning)).mtls_client(Some(Warning)),
    clause: "RFC 5280 section 4.2.1.1",
    expected: "authorityKeyIdentifier with the issuer's key identifier",
    remedy: "Have it issued again with authorityKeyIdentifier.",
    affected: "path building where several issuers have one name; OpenSSL in strict mode refuses it",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extensions-without-v3", "version-not-3", "client-version-1"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let may_be_absent = certificate.known.authority_key_id.is_absent() || context.profile != Profile::Web;
    if certificate.is_self_issued() && may_be_absent {
        return Outcome::Pass;
    }
    let place = certificate.extension_place(id::AUTHORITY_KEY_ID);
    match &certificate.known.authority_key_id {
        Decoded::Absent => Outcome::found(certificate, place, "it has no authorityKeyIdentifier"),
        Decoded::Read(authority) if authority.key_id.is_none() => {
            Outcome::found(certificate, place, "authorityKeyIdentifier holds no key identifier")
        }
        _ => Outcome::Pass,
    }
}
