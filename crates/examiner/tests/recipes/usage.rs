//! Fixtures of the checks in `checks/usage`.

use super::*;

const KU: &str = "2.5.29.15";
const EKU: &str = "2.5.29.37";
const SERVER: &str = "1.3.6.1.5.5.7.3.1";
const CLIENT: &str = "1.3.6.1.5.5.7.3.2";
const MAIL: &str = "1.3.6.1.5.5.7.3.4";
const ANY: &str = "2.5.29.37.0";

pub fn all() -> Vec<Recipe> {
    let mut all = key_usage();
    all.extend(purposes_of_all());
    all
}

fn key_usage() -> Vec<Recipe> {
    let rsa = |set: &[u8]| {
        let value = named_bits(set);
        leaf(|spec| {
            spec.spki = LEAF_RSA_2048.to_vec();
            spec.extension(KU).value = value;
        })
    };
    vec![
        pass("ku-not-critical", "leaf", leaf(|_| {})),
        fail("ku-not-critical", "leaf", leaf(|spec| spec.extension(KU).critical = Vec::new())),
        fail("ku-not-critical", "issuing", issuing(|spec| spec.extension(KU).critical = Vec::new())),
        pass("ku-empty-or-bad-encoding", "leaf", leaf(|_| {})),
        fail("ku-empty-or-bad-encoding", "no-bit", usage(bits(0, &[]))),
        fail("ku-empty-or-bad-encoding", "zero-bits-at-the-end", usage(bits(0, &[0x80]))),
        fail("ku-empty-or-bad-encoding", "an-octet-too-many", usage(bits(0, &[0x80, 0]))),
        pass("ku-ca-missing-certsign-or-crlsign", "issuing", issuing(|_| {})),
        fail("ku-ca-missing-certsign-or-crlsign", "none", issuing(|spec| spec.remove(KU))),
        fail(
            "ku-ca-missing-certsign-or-crlsign",
            "no-certsign",
            issuing(|spec| spec.extension(KU).value = named_bits(&[6])),
        ),
        fail(
            "ku-ca-missing-certsign-or-crlsign",
            "no-crlsign",
            issuing(|spec| spec.extension(KU).value = named_bits(&[5])),
        ),
        pass("ku-certsign-on-leaf", "leaf", leaf(|_| {})),
        fail("ku-certsign-on-leaf", "leaf", usage(named_bits(&[0, 5]))),
        pass("ku-crlsign-on-leaf", "leaf", leaf(|_| {})),
        fail("ku-crlsign-on-leaf", "leaf", usage(named_bits(&[0, 6]))),
        pass("ku-wrong-for-rsa", "sign-and-encrypt", rsa(&[0, 2])),
        fail("ku-wrong-for-rsa", "agree", rsa(&[0, 4])),
        fail("ku-wrong-for-rsa", "commit", rsa(&[0, 1])),
        pass("ku-wrong-for-ec", "sign", leaf(|_| {})),
        fail("ku-wrong-for-ec", "encrypt", usage(named_bits(&[0, 2]))),
        fail("ku-wrong-for-ec", "agree", usage(named_bits(&[0, 4]))),
        pass("ku-no-digital-signature-for-tls13", "sign", leaf(|_| {})),
        fail("ku-no-digital-signature-for-tls13", "encrypt-only", rsa(&[2])),
        pass("eku-ku-inconsistent", "sign", leaf(|_| {})),
        fail("eku-ku-inconsistent", "commit-only", usage(named_bits(&[1])).profile(Profile::Rfc5280)),
    ]
}

fn purposes_of_all() -> Vec<Recipe> {
    let issuing_purposes =
        |all: &'static [&'static str]| issuing(|spec| spec.extension(EKU).value = purposes(all));
    vec![
        pass("eku-no-server-auth", "server", leaf(|_| {})),
        fail("eku-no-server-auth", "client-only", lists(&[CLIENT])),
        pass("eku-missing-on-leaf", "leaf", leaf(|_| {})),
        fail("eku-missing-on-leaf", "leaf", leaf(|spec| spec.remove(EKU))),
        pass("eku-any-on-leaf", "leaf", leaf(|_| {})),
        fail("eku-any-on-leaf", "leaf", lists(&[SERVER, ANY])),
        pass("eku-forbidden-combination", "server-and-client", lists(&[SERVER, CLIENT])),
        fail("eku-forbidden-combination", "mail", lists(&[SERVER, MAIL])),
        fail("eku-forbidden-combination", "unknown", lists(&[SERVER, "1.2.3.4"])),
        pass("eku-client-auth-on-public-leaf", "server", leaf(|_| {})),
        pass(
            "eku-client-auth-on-public-leaf",
            "private",
            lists(&[SERVER, CLIENT]).profile(Profile::PrivateServer),
        ),
        fail("eku-client-auth-on-public-leaf", "before-the-date", lists(&[SERVER, CLIENT])),
        fail(
            "eku-client-auth-on-public-leaf",
            "from-the-date",
            leaf(|spec| {
                spec.dates("270315000000Z", "270601000000Z");
                spec.extension(EKU).value = purposes(&[SERVER, CLIENT]);
            })
            .at("2027-04-01T00:00:00Z"),
        ),
        pass("eku-critical", "leaf", leaf(|_| {})),
        fail("eku-critical", "leaf", leaf(|spec| spec.extension(EKU).critical = boolean(true))),
        pass("eku-empty", "leaf", leaf(|_| {})),
        fail("eku-empty", "leaf", lists(&[])),
        pass("eku-on-root", "root", root(|_| {})),
        fail("eku-on-root", "root", root(|spec| spec.set(extension(EKU, purposes(&[SERVER]))))),
        pass("eku-missing-on-intermediate", "issuing", issuing(|_| {})),
        fail("eku-missing-on-intermediate", "issuing", issuing(|spec| spec.remove(EKU))),
        fail(
            "eku-missing-on-intermediate",
            "before-the-profiles",
            issuing(|spec| {
                spec.remove(EKU);
                spec.dates("220301000000Z", "300228235959Z");
            }),
        ),
        pass("eku-intermediate-not-server-only", "issuing", issuing(|_| {})),
        fail("eku-intermediate-not-server-only", "client-too", issuing_purposes(&[SERVER, CLIENT])),
        pass("eku-nesting-broken", "chain", chain(|_, _, _| {})),
        fail(
            "eku-nesting-broken",
            "client-ca",
            chain(|_, issuing, _| issuing.extension(EKU).value = purposes(&[CLIENT])),
        ),
        pass("private-key-usage-period-conflict", "within", period("20260401000000Z", "20260629000000Z")),
        fail("private-key-usage-period-conflict", "over", period("20260401000000Z", "20260415000000Z")),
        fail(
            "private-key-usage-period-conflict",
            "after-the-certificate",
            period("20260401000000Z", "20270101000000Z"),
        ),
        fail(
            "private-key-usage-period-conflict",
            "empty",
            leaf(|spec| spec.set(extension("2.5.29.16", seq(&[])))),
        ),
    ]
}

fn usage(value: Vec<u8>) -> Case {
    leaf(|spec| spec.extension(KU).value = value)
}

fn lists(all: &[&str]) -> Case {
    leaf(|spec| spec.extension(EKU).value = purposes(all))
}

fn period(begin: &str, end: &str) -> Case {
    let value = seq(&[&implicit(0, begin.as_bytes()), &implicit(1, end.as_bytes())]);
    leaf(|spec| spec.set(extension("2.5.29.16", value)))
}
