//! A key identifier is made from the key in one of the ways that the standards name.

use super::prelude::*;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};

pub static CHECK: Check = Check {
    id: "ski-not-hash-of-key",
    severity: Severities::all(Notice),
    clause: "RFC 5280 section 4.2.1.2, RFC 7093 section 2",
    expected: "a hash of the public key",
    remedy: "Nothing to do where it is unique; else have it made as RFC 7093 says.",
    affected: "nobody, as long as no other key of the issuer has the same identifier",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let (Some(own), Some(key), Some(spki)) =
        (certificate.known.subject_key_id.read(), &certificate.key, certificate.fields().spki)
    else {
        return Outcome::Pass;
    };
    let of = |algorithm, bytes: &[u8]| digest(algorithm, bytes).as_ref().to_vec();
    let sha1 = of(&SHA1_FOR_LEGACY_USE_ONLY, &key.bits);
    // Method 2 of RFC 5280: 0100 and the last 60 bits.
    let mut short = sha1[12..].to_vec();
    short[0] = 0x40 | (short[0] & 0x0f);
    let mut all = vec![sha1, short];
    for algorithm in [&SHA256, &SHA384, &SHA512] {
        for bytes in [key.bits.as_slice(), spki.element.bytes()] {
            let whole = of(algorithm, bytes);
            all.extend([whole[..20].to_vec(), whole]);
        }
    }
    all.push(of(&SHA1_FOR_LEGACY_USE_ONLY, spki.element.bytes()));
    if all.contains(&own.id) {
        return Outcome::Pass;
    }
    let shown = data_encoding::HEXLOWER.encode(&own.id);
    Outcome::found(
        certificate,
        own.place.clone(),
        format!("the identifier {shown} is no known hash of the key"),
    )
}
