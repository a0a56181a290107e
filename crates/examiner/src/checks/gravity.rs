//! What is told first among findings of one severity: the cause beside which the others are idle.

/// The gravest causes, the gravest first: what cannot be read, what is revoked or broken by anyone, what makes every peer
/// refuse. What is not listed comes after these, in the order of the chain.
pub(crate) const GRAVEST: &[&str] = &[
    "certificate-unreadable",
    "certificate-key-possession-fails",
    "handshake-fails",
    "tls-version-old-only",
    "path-loop-or-explosion",
    "revoked-crl",
    "revoked-ocsp",
    "intermediate-revoked",
    "known-compromised-key",
    "debian-weak-key",
    "rsa-roca",
    "rsa-close-primes",
    "rsa-small-factor-or-even",
    "rsa-exponent-one-even-small",
    "interception-root",
    "chain-leaf-not-first",
    "precert-served-as-certificate",
    "version-not-3",
    "client-version-1",
    "client-ca-bit-set",
    "expired",
    "not-yet-valid",
    "validity-not-positive",
    "chain-incomplete",
    "self-signed-leaf",
    "untrusted-root",
    "bc-ca-true-on-leaf",
    "signature-md5-md2",
    "signature-sha1",
    "signature-invalid",
    "rsa-under-2048",
    "dsa-or-other-key",
    "ec-curve-not-allowed",
    "hostname-mismatch",
    "hostname-matched-only-by-cn",
    "san-missing",
    "eku-no-server-auth",
    "client-eku-missing-client-auth",
    "client-eku-server-only-from-public-ca",
    "client-ku-no-digital-signature",
    "eku-nesting-broken",
    "client-eku-lost-in-intermediate",
    "intermediate-not-ca",
    "pathlen-exceeded",
    "nc-violated",
    "unknown-critical-extension",
    "duplicate-extension",
    "lifetime-too-long",
];

/// The place of a check in that order.
pub(crate) fn rank(id: &str) -> usize {
    GRAVEST.iter().position(|one| *one == id).unwrap_or(GRAVEST.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_check_named_once() {
        for (i, id) in GRAVEST.iter().enumerate() {
            assert!(crate::checks::named(id).is_some(), "{id} is no check");
            assert_eq!(rank(id), i, "{id} stands twice");
        }
        assert_eq!(rank("san-duplicate"), GRAVEST.len());
    }
}
