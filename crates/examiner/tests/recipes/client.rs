//! Fixtures of the checks in `checks/client`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("client-eku-missing-client-auth", "client", client(|_| {})),
        fail(
            "client-eku-missing-client-auth",
            "code-signing",
            client(|spec| spec.extension("2.5.29.37").value = purposes(&["1.3.6.1.5.5.7.3.3"])),
        ),
        pass("client-eku-server-only-from-public-ca", "client", client(|_| {})),
        fail(
            "client-eku-server-only-from-public-ca",
            "public-server",
            leaf(|_| {}).profile(Profile::MtlsClient),
        ),
        pass("client-eku-absent-accepted-by-some", "client", client(|_| {})),
        fail("client-eku-absent-accepted-by-some", "absent", client(|spec| spec.remove("2.5.29.37"))),
        pass("client-eku-any-only", "client", client(|_| {})),
        fail(
            "client-eku-any-only",
            "any",
            client(|spec| spec.extension("2.5.29.37").value = purposes(&["2.5.29.37.0"])),
        ),
        pass("client-eku-lost-in-intermediate", "client", client(|_| {})),
        fail(
            "client-eku-lost-in-intermediate",
            "server-only",
            chain(|leaf, _, _| *leaf = crate::support::spec::client())
                .without_host()
                .profile(Profile::MtlsClient),
        ),
        pass("client-renewal-will-drop-client-auth", "client", client(|_| {})),
        fail(
            "client-renewal-will-drop-client-auth",
            "public-both",
            leaf(|spec| {
                spec.extension("2.5.29.37").value = purposes(&["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"])
            })
            .profile(Profile::MtlsClient),
        ),
        pass("client-ku-no-digital-signature", "client", client(|_| {})),
        fail(
            "client-ku-no-digital-signature",
            "key-encipherment",
            client(|spec| spec.extension("2.5.29.15").value = named_bits(&[2])),
        ),
        pass("client-ca-bit-set", "client", client(|_| {})),
        fail(
            "client-ca-bit-set",
            "ca",
            client(|spec| spec.set(critical("2.5.29.19", seq(&[&boolean(true)])))),
        ),
        pass("client-version-1", "client", client(|_| {})),
        fail(
            "client-version-1",
            "version-1",
            client(|spec| {
                spec.version = Vec::new();
                spec.extensions.clear();
            }),
        ),
        pass("client-self-signed-pinned", "client", client(|_| {})),
        fail("client-self-signed-pinned", "self", client(|spec| spec.issuer = spec.subject.clone())),
        pass("client-identity-none-usable", "client", client(|_| {})),
        fail(
            "client-identity-none-usable",
            "nobody",
            client(|spec| {
                spec.subject = seq(&[]);
                spec.remove("2.5.29.17");
            }),
        ),
        pass("client-identity-only-in-cn", "client", client(|_| {})),
        fail("client-identity-only-in-cn", "common-name", client(|spec| spec.remove("2.5.29.17"))),
        pass("client-spiffe-id-bad", "client", client(|_| {})),
        fail(
            "client-spiffe-id-bad",
            "two",
            client(|spec| {
                spec.extension("2.5.29.17").value =
                    san(&[implicit(6, b"spiffe://a.example.com/x"), implicit(6, b"spiffe://a.example.com/y")])
            }),
        ),
        fail(
            "client-spiffe-id-bad",
            "no-path",
            client(|spec| spec.extension("2.5.29.17").value = san(&[implicit(6, b"spiffe://a.example.com")])),
        ),
        pass(
            "client-upn-or-email-bad",
            "user",
            client(|spec| {
                spec.extension("2.5.29.17").value = san(&[explicit(
                    0,
                    &[oid("1.3.6.1.4.1.311.20.2.3"), explicit(0, &utf8("ada@example.com"))].concat(),
                )])
            }),
        ),
        fail(
            "client-upn-or-email-bad",
            "no-domain",
            client(|spec| {
                spec.extension("2.5.29.17").value =
                    san(&[explicit(0, &[oid("1.3.6.1.4.1.311.20.2.3"), explicit(0, &utf8("ada"))].concat())])
            }),
        ),
        pass("client-anchor-is-intermediate", "root", chain(|_, _, _| {}).profile(Profile::MtlsClient)),
        fail(
            "client-anchor-is-intermediate",
            "intermediate",
            served(
                vec![crate::support::spec::client().build()],
                vec![crate::support::spec::issuing().build()],
            )
            .without_host()
            .profile(Profile::MtlsClient),
        ),
        pass("client-anchors-same-dn-different-key", "one", chain(|_, _, _| {}).profile(Profile::MtlsClient)),
        fail("client-anchors-same-dn-different-key", "two", {
            let mut other = crate::support::spec::root();
            other.spki = OTHER_SPKI.to_vec();
            other.signer = OTHER_KEY;
            let anchors = vec![crate::support::spec::root().build(), other.build()];
            served(
                vec![crate::support::spec::client().build(), crate::support::spec::issuing().build()],
                anchors,
            )
            .without_host()
            .profile(Profile::MtlsClient)
        }),
        pass("client-lifetime-long", "client", client(|_| {})),
        fail(
            "client-lifetime-long",
            "two-years",
            client(|spec| spec.dates("260401000000Z", "280401000000Z")),
        ),
        pass("client-no-revocation-source", "client", client(|_| {})),
        fail(
            "client-no-revocation-source",
            "neither",
            client(|spec| {
                spec.remove("2.5.29.31");
                spec.remove("1.3.6.1.5.5.7.1.1");
            }),
        ),
        pass("dual-use-certificate", "client", client(|_| {})),
        fail(
            "dual-use-certificate",
            "both",
            client(|spec| {
                spec.extension("2.5.29.37").value = purposes(&["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"])
            }),
        ),
    ]
}
