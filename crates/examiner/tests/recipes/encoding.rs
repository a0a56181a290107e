//! Fixtures of the checks in `checks/encoding`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("der-not-strict", "leaf", leaf(|_| {})),
        fail(
            "der-not-strict",
            "critical-is-one",
            leaf(|spec| spec.extension("2.5.29.15").critical = tlv(1, &[1])),
        ),
        fail(
            "der-not-strict",
            "unsorted-set",
            leaf(|spec| {
                let (a, b) = (attribute("2.5.4.6", &printable("NL")), attribute("2.5.4.10", &utf8("Acme")));
                spec.subject = seq(&[&set(&[&b, &a])]);
            }),
        ),
        pass("der-trailing-bytes", "leaf", leaf(|_| {})),
        fail(
            "der-trailing-bytes",
            "after-the-certificate",
            der([crate::support::spec::leaf().build(), vec![0, 0]].concat()),
        ),
        pass("der-default-value-encoded", "leaf", leaf(|_| {})),
        fail(
            "der-default-value-encoded",
            "critical-false",
            leaf(|spec| spec.extension("2.5.29.37").critical = boolean(false)),
        ),
        fail(
            "der-default-value-encoded",
            "not-a-ca",
            leaf(|spec| spec.set(critical("2.5.29.19", seq(&[&boolean(false)])))),
        ),
        pass("der-negative-or-padded-integer", "leaf", leaf(|_| {})),
        fail(
            "der-negative-or-padded-integer",
            "serial",
            leaf(|spec| spec.serial = integer(&[0, 0x31, 0x9c, 0x07, 0xe4, 0x5b, 0xd2, 0x68, 0xaf, 0x10])),
        ),
        fail(
            "der-negative-or-padded-integer",
            "key",
            leaf(|spec| {
                let key = seq(&[&integer(&[0x91; 256]), &integer(&[1, 0, 1])]);
                spec.spki = seq(&[&algorithm_null("1.2.840.113549.1.1.1"), &bits(0, &key)]);
            }),
        ),
        pass("version-not-3", "leaf", leaf(|_| {})),
        fail(
            "version-not-3",
            "version-1",
            leaf(|spec| {
                spec.version = Vec::new();
                spec.extensions.clear();
            }),
        ),
        pass("extensions-without-v3", "leaf", leaf(|_| {})),
        fail("extensions-without-v3", "version-1", leaf(|spec| spec.version = Vec::new())),
        pass("unique-ids-present", "leaf", leaf(|_| {})),
        fail("unique-ids-present", "subject", leaf(|spec| spec.unique_ids = implicit(2, &[0, 1, 2]))),
        pass("duplicate-extension", "leaf", leaf(|_| {})),
        fail(
            "duplicate-extension",
            "purposes-twice",
            leaf(|spec| {
                let again = spec.extension("2.5.29.37").clone();
                spec.extensions.push(again);
            }),
        ),
        pass("unknown-critical-extension", "leaf", leaf(|_| {})),
        fail(
            "unknown-critical-extension",
            "private",
            leaf(|spec| spec.set(critical("1.3.6.1.4.1.55555.1", utf8("x")))),
        ),
        pass("empty-extension-sequence", "leaf", leaf(|_| {})),
        fail(
            "empty-extension-sequence",
            "policies",
            leaf(|spec| spec.extension("2.5.29.32").value = seq(&[])),
        ),
        fail(
            "empty-extension-sequence",
            "no-extension",
            leaf(|spec| spec.extensions_der = Some(explicit(3, &seq(&[])))),
        ),
        pass("signature-alg-mismatch", "leaf", leaf(|_| {})),
        fail(
            "signature-alg-mismatch",
            "other-hash",
            leaf(|spec| spec.outer_algorithm = algorithm_null("1.2.840.113549.1.1.12")),
        ),
        pass("algid-params-wrong", "leaf", leaf(|_| {})),
        fail(
            "algid-params-wrong",
            "rsa-without-null",
            leaf(|spec| {
                spec.inner_algorithm = algorithm(SHA256_RSA);
                spec.outer_algorithm = algorithm(SHA256_RSA);
            }),
        ),
        pass(
            "ecdsa-signature-malformed",
            "two-integers",
            leaf(|spec| {
                spec.inner_algorithm = algorithm("1.2.840.10045.4.3.2");
                spec.outer_algorithm = algorithm("1.2.840.10045.4.3.2");
                spec.signature = Some(bits(0, &seq(&[&integer(&[0x33; 32]), &integer(&[0x44; 32])])));
            }),
        ),
        fail(
            "ecdsa-signature-malformed",
            "plain-numbers",
            leaf(|spec| {
                spec.inner_algorithm = algorithm("1.2.840.10045.4.3.2");
                spec.outer_algorithm = algorithm("1.2.840.10045.4.3.2");
                spec.signature = Some(bits(0, &[0x33; 64]));
            }),
        ),
        pass("serial-not-positive", "leaf", leaf(|_| {})),
        fail("serial-not-positive", "zero", leaf(|spec| spec.serial = integer(&[0]))),
        fail(
            "serial-not-positive",
            "negative",
            leaf(|spec| spec.serial = integer(&[0x91, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])),
        ),
        pass("serial-over-20-octets", "20-octets", leaf(|spec| spec.serial = integer(&[0x41; 20]))),
        fail("serial-over-20-octets", "21-octets", leaf(|spec| spec.serial = integer(&[0x41; 21]))),
        pass("serial-low-entropy", "leaf", leaf(|_| {})),
        fail(
            "serial-low-entropy",
            "seven-octets",
            leaf(|spec| spec.serial = integer(&[0x31, 0x9c, 0x07, 0xe4, 0x5b, 0xd2, 0x68])),
        ),
        pass("serial-reused-by-issuer", "chain", chain(|_, _, _| {})),
        fail(
            "serial-reused-by-issuer",
            "issuing-as-leaf",
            chain(|leaf, issuing, _| {
                issuing.issuer = leaf.issuer.clone();
                issuing.serial = leaf.serial.clone();
            }),
        ),
        pass("certificate-very-large", "leaf", leaf(|_| {})),
        fail(
            "certificate-very-large",
            "400-names",
            leaf(|spec| {
                let names: Vec<_> =
                    (0..400).map(|i| dns(&format!("a-rather-long-name-{i}.example.com"))).collect();
                spec.extension("2.5.29.17").value = san(&names);
            }),
        ),
        pass("extension-wrongly-critical", "leaf", leaf(|_| {})),
        fail(
            "extension-wrongly-critical",
            "freshest-crl",
            leaf(|spec| {
                let value = spec.extension("2.5.29.31").value.clone();
                spec.set(critical("2.5.29.46", value))
            }),
        ),
        pass("certificate-unreadable", "leaf", leaf(|_| {})),
        fail("certificate-unreadable", "a-key-instead", der(LEAF_P256.to_vec())),
        fail("certificate-unreadable", "cut-off", der(crate::support::spec::leaf().build()[..200].to_vec())),
        pass("der-indefinite-or-long-length", "leaf", leaf(|_| {})),
        fail(
            "der-indefinite-or-long-length",
            "extension",
            leaf(|spec| spec.extension("2.5.29.37").value = tlv_long(0x30, &oid("1.3.6.1.5.5.7.3.1"), 1)),
        ),
        fail(
            "der-indefinite-or-long-length",
            "indefinite-subject",
            leaf(|spec| spec.subject = vec![0x30, 0x80, 0, 0]),
        ),
        pass("extension-undecodable", "leaf", leaf(|_| {})),
        fail(
            "extension-undecodable",
            "authority-access",
            leaf(|spec| spec.extension("1.3.6.1.5.5.7.1.1").value = utf8("http://ca.trust.example.com/")),
        ),
    ]
}
