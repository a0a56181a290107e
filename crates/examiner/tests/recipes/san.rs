//! Fixtures of the checks in `checks/san`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("san-missing", "leaf", leaf(|_| {})),
        fail("san-missing", "none", leaf(|spec| spec.remove("2.5.29.17"))),
        pass("hostname-matched-only-by-cn", "chain", chain(|_, _, _| {})),
        fail(
            "hostname-matched-only-by-cn",
            "common-name",
            chain(|leaf, _, _| leaf.subject = name(&[("2.5.4.3", utf8("mail.example.com"))]))
                .host("mail.example.com"),
        ),
        pass("san-critical-with-subject", "leaf", leaf(|_| {})),
        fail(
            "san-critical-with-subject",
            "subject",
            leaf(|spec| spec.subject = name(&[("2.5.4.3", utf8("www.example.com"))])),
        ),
        pass("san-forbidden-type", "leaf", leaf(|_| {})),
        fail(
            "san-forbidden-type",
            "mailbox",
            leaf(|spec| {
                spec.extension("2.5.29.17").value =
                    san(&[dns("www.example.com"), implicit(1, b"a@example.com")])
            }),
        ),
        pass("san-empty-or-no-entries", "leaf", leaf(|_| {})),
        fail(
            "san-empty-or-no-entries",
            "no-entries",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[])),
        ),
        fail(
            "san-empty-or-no-entries",
            "empty-name",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("www.example.com"), dns("")])),
        ),
        pass("san-dns-not-ia5-or-null", "leaf", leaf(|_| {})),
        fail(
            "san-dns-not-ia5-or-null",
            "null",
            leaf(|spec| {
                spec.extension("2.5.29.17").value = san(&[implicit(2, b"www.example.com\0.example.net")])
            }),
        ),
        pass("san-dns-leading-dot-or-space", "leaf", leaf(|_| {})),
        fail(
            "san-dns-leading-dot-or-space",
            "dot",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns(".example.com")])),
        ),
        fail(
            "san-dns-leading-dot-or-space",
            "blank",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns(" ")])),
        ),
        pass("san-label-syntax", "leaf", leaf(|_| {})),
        fail(
            "san-label-syntax",
            "empty-label",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("www..example.com")])),
        ),
        fail(
            "san-label-syntax",
            "blank-within",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("www example.com")])),
        ),
        fail(
            "san-label-syntax",
            "hyphen",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("www.example-.com")])),
        ),
        pass("san-underscore", "leaf", leaf(|_| {})),
        fail(
            "san-underscore",
            "trd",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("my_host.example.com")])),
        ),
        pass(
            "san-idn-invalid",
            "a-label",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("xn--bcher-kva.example.com")])),
        ),
        fail(
            "san-idn-invalid",
            "not-an-a-label",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("xn--.example.com")])),
        ),
        fail(
            "san-idn-invalid",
            "reserved",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("ab--c.example.com")])),
        ),
        pass(
            "san-idn-homograph",
            "one-script",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("xn--bcher-kva.example.com")])),
        ),
        fail(
            "san-idn-homograph",
            "latin-and-cyrillic",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("xn--pple-43d.example.com")])),
        ),
        pass(
            "san-wildcard-not-leftmost",
            "first",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("*.example.com")])),
        ),
        fail(
            "san-wildcard-not-leftmost",
            "second",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("www.*.example.com")])),
        ),
        pass(
            "san-wildcard-bare-or-partial",
            "whole",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("*.example.com")])),
        ),
        fail(
            "san-wildcard-bare-or-partial",
            "partial",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("w*.example.com")])),
        ),
        fail(
            "san-wildcard-bare-or-partial",
            "bare",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("*")])),
        ),
        pass(
            "san-wildcard-public-suffix",
            "below",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("*.example.co.uk")])),
        ),
        fail(
            "san-wildcard-public-suffix",
            "co-uk",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("*.co.uk")])),
        ),
        pass("san-bare-public-suffix", "leaf", leaf(|_| {})),
        fail(
            "san-bare-public-suffix",
            "com",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("com")])),
        ),
        pass("san-internal-or-unknown-tld", "leaf", leaf(|_| {})),
        fail(
            "san-internal-or-unknown-tld",
            "local",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("server.corp.local")])),
        ),
        fail(
            "san-internal-or-unknown-tld",
            "one-word",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("intranet")])),
        ),
        fail(
            "san-internal-or-unknown-tld",
            "young-list",
            newest("www.example.nonesuch", "2026-01-01", "com"),
        ),
        pass(
            "san-internal-or-unknown-tld",
            "newer-list",
            newest("www.example.nonesuch", "2026-01-01", "nonesuch"),
        ),
        pass("san-internal-or-unknown-tld", "old-list", newest("www.example.nonesuch", "2025-01-01", "com")),
        pass(
            "san-reserved-ip",
            "public",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[implicit(7, &[93, 184, 216, 34])])),
        ),
        fail(
            "san-reserved-ip",
            "private",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[implicit(7, &[10, 0, 0, 1])])),
        ),
        fail(
            "san-reserved-ip",
            "loopback-v6",
            leaf(|spec| {
                spec.extension("2.5.29.17").value =
                    san(&[implicit(7, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])])
            }),
        ),
        pass("san-ip-in-dns-name", "leaf", leaf(|_| {})),
        fail(
            "san-ip-in-dns-name",
            "v4",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("93.184.216.34")])),
        ),
        pass("san-ip-length-wrong", "leaf", leaf(|_| {})),
        fail(
            "san-ip-length-wrong",
            "text",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[implicit(7, b"192.0.2.1")])),
        ),
        pass("san-arpa-name", "leaf", leaf(|_| {})),
        fail(
            "san-arpa-name",
            "reverse",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("34.216.184.93.in-addr.arpa")])),
        ),
        fail(
            "san-arpa-name",
            "reserved-before",
            leaf(|spec| {
                spec.dates("251201000000Z", "260601000000Z");
                spec.extension("1.3.6.1.4.1.11129.2.4.2").value = timestamps(&[0x11, 0x22, 0x33]);
                spec.extension("2.5.29.17").value = san(&[dns("1.0.0.10.in-addr.arpa")]);
            }),
        ),
        pass(
            "san-onion-rules",
            "version-3",
            leaf(|spec| {
                spec.extension("2.5.29.17").value =
                    san(&[dns("2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion")])
            }),
        ),
        fail(
            "san-onion-rules",
            "short",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("short.onion")])),
        ),
        pass("san-duplicate", "leaf", leaf(|_| {})),
        fail(
            "san-duplicate",
            "twice",
            leaf(|spec| {
                spec.extension("2.5.29.17").value = san(&[dns("www.example.com"), dns("WWW.example.com")])
            }),
        ),
        pass("san-count-large", "leaf", leaf(|_| {})),
        fail(
            "san-count-large",
            "101",
            leaf(|spec| {
                let names: Vec<_> = (0..101).map(|i| dns(&format!("n{i}.example.com"))).collect();
                spec.extension("2.5.29.17").value = san(&names);
            }),
        ),
        pass("san-redacted-label", "leaf", leaf(|_| {})),
        fail(
            "san-redacted-label",
            "question-mark",
            leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns("?.example.com")])),
        ),
        pass(
            "san-uri-or-mailbox-malformed",
            "both",
            client(|spec| {
                let names = [implicit(6, b"https://example.com/a"), implicit(1, b"a@example.com")];
                spec.extension("2.5.29.17").value = san(&names);
            }),
        ),
        fail(
            "san-uri-or-mailbox-malformed",
            "no-scheme",
            client(|spec| spec.extension("2.5.29.17").value = san(&[implicit(6, b"example.com/a")])),
        ),
        fail(
            "san-uri-or-mailbox-malformed",
            "no-at",
            client(|spec| spec.extension("2.5.29.17").value = san(&[implicit(1, b"example.com")])),
        ),
        pass("apex-or-www-not-covered", "chain", chain(|_, _, _| {})),
        fail(
            "apex-or-www-not-covered",
            "www-alone",
            chain(|leaf, _, _| leaf.extension("2.5.29.17").value = san(&[dns("www.example.com")])),
        ),
        pass("hostname-mismatch", "exact", chain(|_, _, _| {})),
        pass(
            "hostname-mismatch",
            "wildcard",
            chain(|leaf, _, _| leaf.extension("2.5.29.17").value = san(&[dns("*.example.com")])),
        ),
        fail("hostname-mismatch", "other-host", chain(|_, _, _| {}).host("mail.example.com")),
        fail("hostname-mismatch", "address", chain(|_, _, _| {}).host("192.0.2.1")),
    ]
}

/// The server certificate for this host, beside a Public Suffix List of this day and this one domain.
fn newest(host: &str, day: &str, domain: &str) -> Case {
    leaf(|spec| spec.extension("2.5.29.17").value = san(&[dns(host)]))
        .suffix_list(&format!("// VERSION: {day}\n// ===BEGIN ICANN DOMAINS===\n{domain}\n"))
}
