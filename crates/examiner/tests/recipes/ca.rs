//! Fixtures of the checks in `checks/ca`.

use super::*;

const BC: &str = "2.5.29.19";
const NC: &str = "2.5.29.30";
const POLICIES: &str = "2.5.29.32";
const MAPPINGS: &str = "2.5.29.33";
const DV: &str = "2.23.140.1.2.1";
const OV: &str = "2.23.140.1.2.2";
const ANY: &str = "2.5.29.32.0";

pub fn all() -> Vec<Recipe> {
    let mut all = constraints();
    all.extend(names());
    all.extend(policies());
    all.extend(statements());
    all
}

fn constraints() -> Vec<Recipe> {
    let leaf_with = |value: Vec<u8>| leaf(|spec| spec.set(critical(BC, value)));
    vec![
        pass("bc-missing-on-ca", "issuing", issuing(|_| {})),
        fail("bc-missing-on-ca", "issuing", issuing(|spec| spec.remove(BC))),
        fail("bc-missing-on-ca", "served", chain(|_, issuing, _| issuing.remove(BC))),
        pass("bc-not-critical-on-ca", "issuing", issuing(|_| {})),
        fail("bc-not-critical-on-ca", "issuing", issuing(|spec| spec.extension(BC).critical = Vec::new())),
        pass("bc-ca-true-on-leaf", "chain", chain(|_, _, _| {})),
        fail(
            "bc-ca-true-on-leaf",
            "chain",
            chain(|leaf, _, _| leaf.set(critical(BC, seq(&[&boolean(true)])))),
        ),
        pass("bc-leaf-not-critical", "critical", leaf_with(seq(&[]))),
        fail("bc-leaf-not-critical", "leaf", leaf(|spec| spec.set(extension(BC, seq(&[]))))),
        pass("pathlen-without-ca-or-certsign", "issuing", issuing(|_| {})),
        fail("pathlen-without-ca-or-certsign", "leaf", leaf_with(seq(&[&integer(&[0])]))),
        pass("pathlen-negative", "issuing", issuing(|_| {})),
        fail(
            "pathlen-negative",
            "issuing",
            issuing(|spec| spec.extension(BC).value = seq(&[&boolean(true), &integer(&[0xff])])),
        ),
        pass("pathlen-on-root", "root", root(|_| {})),
        fail(
            "pathlen-on-root",
            "root",
            root(|spec| spec.extension(BC).value = seq(&[&boolean(true), &integer(&[1])])),
        ),
    ]
}

fn names() -> Vec<Recipe> {
    let permitted = |base: Vec<u8>| seq(&[&explicit(0, &seq(&[&base]))]);
    let example = || dns("example.com");
    let with = |value: Vec<u8>| issuing(|spec| spec.set(critical(NC, value)));
    let right = || with(permitted(example()));
    let bounded = seq(&[&explicit(0, &seq(&[&example(), &implicit(0, &[1])]))]);
    let common_name = |cn: &str| name(&[("2.5.4.3", utf8(cn))]);
    let over = |value: Vec<u8>, cn: Option<&str>, names: Vec<Vec<u8>>| {
        chain(|leaf, issuing, _| {
            issuing.set(critical(NC, value));
            if let Some(cn) = cn {
                leaf.subject = common_name(cn);
            }
            leaf.extension("2.5.29.17").value = san(&names);
        })
    };
    let excludes = |host: &str| seq(&[&explicit(1, &seq(&[&dns(host)]))]);
    let www = || vec![dns("www.example.com")];
    vec![
        pass("nc-not-critical", "critical", right()),
        fail("nc-not-critical", "issuing", issuing(|spec| spec.set(extension(NC, permitted(example()))))),
        pass("nc-on-leaf", "issuing", right()),
        fail("nc-on-leaf", "leaf", leaf(|spec| spec.set(critical(NC, permitted(example()))))),
        pass("nc-empty", "one", right()),
        fail("nc-empty", "nothing", with(seq(&[]))),
        fail("nc-empty", "empty-list", with(seq(&[&explicit(0, &[])]))),
        pass("nc-min-max-used", "neither", right()),
        fail("nc-min-max-used", "minimum", with(bounded)),
        pass("nc-bad-form", "host", right()),
        pass("nc-bad-form", "network", with(permitted(implicit(7, &[192, 0, 2, 0, 255, 255, 255, 0])))),
        fail("nc-bad-form", "wildcard", with(permitted(dns("*.example.com")))),
        fail("nc-bad-form", "scattered-mask", with(permitted(implicit(7, &[192, 0, 2, 0, 255, 0, 255, 0])))),
        fail("nc-bad-form", "no-mask", with(permitted(implicit(7, &[192, 0, 2, 0])))),
        pass(
            "nc-violated-by-common-name",
            "inside",
            over(permitted(example()), Some("mail.example.com"), www()),
        ),
        fail(
            "nc-violated-by-common-name",
            "outside",
            over(permitted(example()), Some("www.example.org"), www()),
        ),
        pass("nc-unsupported-type", "host", right()),
        fail("nc-unsupported-type", "registered", with(permitted(implicit(8, &[0x2a, 3])))),
        fail("nc-unsupported-type", "uri", with(permitted(implicit(6, b".example.com")))),
        pass(
            "nc-wildcard-san-spans-exclusion",
            "elsewhere",
            over(excludes("secret.example.org"), None, vec![dns("*.example.com")]),
        ),
        fail(
            "nc-wildcard-san-spans-exclusion",
            "covers",
            over(excludes("secret.example.com"), None, vec![dns("*.example.com")]),
        ),
    ]
}

fn policies() -> Vec<Recipe> {
    let policy = |id: &str| seq(&[&oid(id)]);
    let of_leaf = |value: Vec<u8>| leaf(|spec| spec.extension(POLICIES).value = value);
    let qualified = |qualifier: Vec<u8>| of_leaf(seq(&[&seq(&[&oid(DV), &seq(&[&qualifier])])]));
    let cps = |uri: &str| seq(&[&oid("1.3.6.1.5.5.7.2.1"), &ia5(uri)]);
    let noticed = |text: Vec<u8>| seq(&[&oid("1.3.6.1.5.5.7.2.2"), &seq(&[&text])]);
    let notice = noticed(utf8("as is"));
    let mapped = |from: &str, to: &str| seq(&[&seq(&[&oid(from), &oid(to)])]);
    let ca = |kind: &'static str, value: Vec<u8>| issuing(|spec| spec.set(critical(kind, value)));
    let ca_loose = |kind: &'static str, value: Vec<u8>| issuing(|spec| spec.set(extension(kind, value)));
    vec![
        pass("policy-missing-or-not-reserved", "leaf", leaf(|_| {})),
        pass(
            "policy-missing-or-not-reserved",
            "any-of-ca",
            issuing(|spec| spec.extension(POLICIES).value = seq(&[&policy(ANY)])),
        ),
        fail("policy-missing-or-not-reserved", "none", leaf(|spec| spec.remove(POLICIES))),
        fail("policy-missing-or-not-reserved", "own", of_leaf(seq(&[&policy("1.2.3.4")]))),
        pass("policy-many-reserved", "one", leaf(|_| {})),
        fail("policy-many-reserved", "two", of_leaf(seq(&[&policy(DV), &policy(OV)]))),
        pass("policy-duplicate", "one", leaf(|_| {})),
        fail("policy-duplicate", "twice", of_leaf(seq(&[&policy(DV), &policy(DV)]))),
        pass("policy-qualifier-rules", "address", qualified(cps("https://trust.example.com/cps"))),
        fail("policy-qualifier-rules", "no-web-address", qualified(cps("trust.example.com"))),
        fail("policy-qualifier-rules", "notice", qualified(notice)),
        pass("policy-critical", "leaf", leaf(|_| {})),
        fail("policy-critical", "leaf", leaf(|spec| spec.extension(POLICIES).critical = boolean(true))),
        pass("policy-constraints-bad", "critical", ca("2.5.29.36", seq(&[&implicit(0, &[0])]))),
        fail("policy-constraints-bad", "not-critical", ca_loose("2.5.29.36", seq(&[&implicit(0, &[0])]))),
        fail("policy-constraints-bad", "empty", ca("2.5.29.36", seq(&[]))),
        pass("policy-mapping-bad", "own", ca(MAPPINGS, mapped(DV, "1.2.3.4"))),
        fail("policy-mapping-bad", "any", ca(MAPPINGS, mapped(DV, ANY))),
        fail("policy-mapping-bad", "not-its-own", ca(MAPPINGS, mapped("1.2.3.4", DV))),
        fail("policy-mapping-bad", "not-critical", ca_loose(MAPPINGS, mapped(DV, "1.2.3.4"))),
        pass("inhibit-any-policy-not-critical", "critical", ca("2.5.29.54", integer(&[0]))),
        fail("inhibit-any-policy-not-critical", "issuing", ca_loose("2.5.29.54", integer(&[0]))),
        pass("policy-notice-text", "short", qualified(noticed(utf8(&"a".repeat(200))))),
        fail("policy-notice-text", "long", qualified(noticed(utf8(&"a".repeat(201))))),
        fail("policy-notice-text", "ia5", qualified(noticed(ia5("as is")))),
        fail("policy-notice-text", "control", qualified(noticed(utf8("as\tis")))),
        fail(
            "policy-notice-text",
            "any-policy",
            of_leaf(seq(&[&seq(&[&oid(ANY), &seq(&[&seq(&[&oid("1.2.3"), &null()])])])])),
        ),
        pass("policy-on-root", "none", root(|_| {})),
        fail("policy-on-root", "any", root(|spec| spec.set(extension(POLICIES, seq(&[&policy(ANY)]))))),
    ]
}

fn statements() -> Vec<Recipe> {
    let one = |kind: &str, parts: &[&[u8]]| seq(&[&[&oid(kind)[..]], parts].concat());
    let disclosed =
        |uri: Vec<u8>, language: &str| one("0.4.0.1862.1.5", &[&seq(&[&seq(&[&uri, &printable(language)])])]);
    let compliance = || one("0.4.0.1862.1.1", &[]);
    let disclosure = || disclosed(ia5("https://trust.example.com/pds"), "en");
    let types = |all: &[&str]| {
        let all: Vec<Vec<u8>> = all.iter().map(|kind| oid(&format!("0.4.0.1862.1.6.{kind}"))).collect();
        one("0.4.0.1862.1.6", &[&seq(&all.iter().map(Vec::as_slice).collect::<Vec<_>>())])
    };
    let amount =
        |currency: Vec<u8>| one("0.4.0.1862.1.2", &[&seq(&[&currency, &integer(&[10]), &integer(&[2])])]);
    let all = |statements: &[Vec<u8>]| {
        let value = seq(&statements.iter().map(Vec::as_slice).collect::<Vec<_>>());
        leaf(|spec| spec.set(extension("1.3.6.1.5.5.7.1.3", value)))
    };
    let with = |more: Vec<u8>| all(&[compliance(), disclosure(), more]);
    let bad = |name: &str, case: Case| fail("qc-statements-bad", name, case);
    vec![
        pass("qc-statements-bad", "website", with(types(&["3"]))),
        pass("qc-statements-bad", "amount", with(amount(printable("EUR")))),
        pass("qc-statements-bad", "years", with(one("0.4.0.1862.1.3", &[&integer(&[10])]))),
        bad("empty", all(&[])),
        bad("no-compliance", all(&[disclosure()])),
        bad("no-disclosure", all(&[compliance()])),
        bad("compliance-with-contents", all(&[one("0.4.0.1862.1.1", &[&null()]), disclosure()])),
        bad("device-with-contents", with(one("0.4.0.1862.1.4", &[&null()]))),
        bad("over-http", all(&[compliance(), disclosed(ia5("http://trust.example.com/pds"), "en")])),
        bad("not-english", all(&[compliance(), disclosed(ia5("https://trust.example.com/pds"), "nl")])),
        bad("capitals", all(&[compliance(), disclosed(ia5("https://trust.example.com/pds"), "EN")])),
        bad("three-letters", all(&[compliance(), disclosed(ia5("https://trust.example.com/pds"), "eng")])),
        bad("address-as-utf8", all(&[compliance(), disclosed(utf8("https://trust.example.com/pds"), "en")])),
        bad("four-letters-of-currency", with(amount(printable("EURO")))),
        bad("years-below-zero", with(one("0.4.0.1862.1.3", &[&integer(&[0xff])]))),
        bad("seal", with(types(&["2"]))),
        bad("two-types", with(types(&["2", "3"]))),
        bad("unknown-type", with(types(&["9"]))),
        bad("type-by-itself", with(one("0.4.0.1862.1.6.3", &[]))),
        // Since 1 May 2026.
        pass("qc-statements-bad", "twice-before", with(disclosure())),
        bad("twice", {
            let value = seq(&[&compliance(), &disclosure(), &disclosure()]);
            leaf(|spec| {
                spec.dates("260501000000Z", "260601000000Z");
                spec.set(extension("1.3.6.1.5.5.7.1.3", value));
            })
        }),
    ]
}
