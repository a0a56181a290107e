//! A responder's certificate is for that alone and need not be looked up itself.

use super::prelude::*;
use super::shared_evidence::told;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "ocsp-responder-profile",
    severity: Severities::all(Warning).on_web(Some(Error)),
    clause: "BR section 7.1.2.8, RFC 6960 section 4.2.2.2.1",
    expected: "no CA; digitalSignature; OCSP signing alone; id-pkix-ocsp-nocheck",
    remedy: "Have the CA issue the responder's certificate again.",
    affected: "clients that check the status: some go round in circles or do not take the response",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let is_public = context.profile == Profile::Web;
    let of_responses = told(chain);
    let signers = of_responses.iter().filter_map(|told| {
        let signer = told.signer(context.at).ok()?;
        let is_delegated = signer.thumbprint != told.issuer.thumbprint;
        is_delegated.then(|| wrong_with(signer, is_public).into_iter().map(|wrong| (told.certificate, wrong)))
    });
    let signers = signers.flatten().map(|(certificate, (_, wrong))| {
        let observed = format!("the certificate of the response's signer {wrong}");
        Found::new(certificate, certificate.place(), observed)
    });
    let given = chain.examined().filter(|one| one.has_purpose(oid::OCSP_SIGNING) && !one.is_issuer());
    let given = given.flat_map(|one| {
        let all = wrong_with(one, is_public).into_iter();
        all.map(|(extension, wrong)| {
            let observed = format!("it {wrong}, and is for OCSP signing");
            Found::new(one, one.extension_place(extension), observed)
                .because_of(&["eku-forbidden-combination"])
        })
    });
    Outcome::all(signers.chain(given))
}

/// What is wrong with a responder's certificate, and in which extension.
fn wrong_with(responder: &Examinee, is_public: bool) -> Vec<(&'static str, &'static str)> {
    let known = &responder.known;
    let is_new = is_public && responder.not_before.is_none_or(|issued| issued >= BR_PROFILES);
    let signs = |usage: &KeyUsageBits| usage.has(KeyUsageBits::DIGITAL_SIGNATURE);
    let rules = [
        (responder.is_ca(), id::BASIC_CONSTRAINTS, "is a CA"),
        (!known.key_usage.read().is_some_and(signs), id::KEY_USAGE, "may not sign by its key usage"),
        (
            known.extended_key_usage.read().map_or(0, Vec::len) != 1,
            id::EXTENDED_KEY_USAGE,
            "is for something else too",
        ),
        (responder.extension(id::OCSP_NO_CHECK).is_none(), id::OCSP_NO_CHECK, "has no id-pkix-ocsp-nocheck"),
        (
            is_new && responder.extension(id::CRL_DISTRIBUTION_POINTS).is_some(),
            id::CRL_DISTRIBUTION_POINTS,
            "names a revocation list",
        ),
        (
            is_new && responder.extension(id::CERTIFICATE_POLICIES).is_some(),
            id::CERTIFICATE_POLICIES,
            "has policies",
        ),
    ];
    rules
        .into_iter()
        .filter(|(is_wrong, ..)| *is_wrong)
        .map(|(_, extension, what)| (extension, what))
        .collect()
}
