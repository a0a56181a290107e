//! Fixtures of the checks in `checks/names`.

use super::*;

/// cabfOrganizationIdentifier of a number for value added tax.
fn vat(state: Option<&str>) -> Vec<u8> {
    let state = state.map(|state| implicit(0, state.as_bytes())).unwrap_or_default();
    seq(&[&printable("VAT"), &printable("NL"), &state, &utf8("12345678")])
}

/// An extended-validation certificate whose subject has this number of the organisation, and perhaps the extension.
fn numbered(number: &str, extended: Option<&[u8]>) -> Case {
    leaf(|spec| {
        spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.1")])]);
        spec.subject = name(&[
            ("1.3.6.1.4.1.311.60.2.1.3", printable("NL")),
            ("2.5.4.15", utf8("Private Organization")),
            ("2.5.4.5", printable("12345678")),
            ("2.5.4.6", printable("NL")),
            ("2.5.4.7", utf8("Utrecht")),
            ("2.5.4.10", utf8("Acme")),
            ("2.5.4.97", utf8(number)),
        ]);
        if let Some(value) = extended {
            spec.set(extension("2.23.140.3.1", value.to_vec()));
        }
    })
}

pub fn all() -> Vec<Recipe> {
    vec![
        pass("ca-subject-empty", "issuing", issuing(|_| {})),
        fail("ca-subject-empty", "issuing", issuing(|spec| spec.subject = seq(&[]))),
        pass("issuer-subject-bytes-differ", "chain", chain(|_, _, _| {})),
        fail(
            "issuer-subject-bytes-differ",
            "another-string-type",
            chain(|leaf, _, _| {
                leaf.issuer = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.10", printable("Fixture Trust")),
                    ("2.5.4.3", utf8("Fixture Issuing CA 1")),
                ]);
            }),
        ),
        pass("subject-empty-without-critical-san", "leaf", leaf(|_| {})),
        fail(
            "subject-empty-without-critical-san",
            "not-critical",
            leaf(|spec| spec.extension("2.5.29.17").critical.clear()),
        ),
        pass(
            "common-name-not-in-san",
            "one-of-them",
            leaf(|spec| spec.subject = name(&[("2.5.4.3", utf8("www.example.com"))])),
        ),
        pass("common-name-not-in-san", "none", leaf(|_| {})),
        fail(
            "common-name-not-in-san",
            "another-host",
            leaf(|spec| spec.subject = name(&[("2.5.4.3", utf8("mail.example.com"))])),
        ),
        fail("common-name-not-in-san", "empty", leaf(|spec| spec.subject = name(&[("2.5.4.3", utf8(""))]))),
        pass(
            "common-name-not-exact-case-or-form",
            "exact",
            leaf(|spec| spec.subject = name(&[("2.5.4.3", utf8("www.example.com"))])),
        ),
        fail(
            "common-name-not-exact-case-or-form",
            "capitals",
            leaf(|spec| spec.subject = name(&[("2.5.4.3", utf8("WWW.example.com"))])),
        ),
        pass("common-name-present", "leaf", leaf(|_| {})),
        fail(
            "common-name-present",
            "one",
            leaf(|spec| spec.subject = name(&[("2.5.4.3", utf8("www.example.com"))])),
        ),
        pass(
            "common-name-many",
            "one",
            leaf(|spec| spec.subject = name(&[("2.5.4.3", utf8("www.example.com"))])),
        ),
        fail(
            "common-name-many",
            "two",
            leaf(|spec| {
                spec.subject = name(&[("2.5.4.3", utf8("www.example.com")), ("2.5.4.3", utf8("example.com"))])
            }),
        ),
        pass("organizational-unit-present", "leaf", leaf(|_| {})),
        fail(
            "organizational-unit-present",
            "alone",
            leaf(|spec| spec.subject = name(&[("2.5.4.11", utf8("Sales"))])),
        ),
        pass("dv-with-identity-attributes", "leaf", leaf(|_| {})),
        fail(
            "dv-with-identity-attributes",
            "organisation",
            leaf(|spec| spec.subject = name(&[("2.5.4.6", printable("NL")), ("2.5.4.10", utf8("Acme"))])),
        ),
        fail(
            "dv-with-identity-attributes",
            "place-of-nobody",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[("2.5.4.7", utf8("Utrecht"))]);
            }),
        ),
        pass(
            "ov-iv-missing-attributes",
            "whole",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        fail(
            "ov-iv-missing-attributes",
            "no-place",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[("2.5.4.6", printable("NL")), ("2.5.4.10", utf8("Acme"))]);
            }),
        ),
        fail(
            "ov-iv-missing-attributes",
            "no-surname",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.3")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.42", utf8("Ada")),
                ]);
            }),
        ),
        pass(
            "ev-missing-attributes",
            "whole",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.1")])]);
                spec.subject = name(&[
                    ("1.3.6.1.4.1.311.60.2.1.3", printable("NL")),
                    ("2.5.4.15", utf8("Private Organization")),
                    ("2.5.4.5", printable("12345678")),
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        fail(
            "ev-missing-attributes",
            "no-number",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.1")])]);
                spec.subject = name(&[
                    ("1.3.6.1.4.1.311.60.2.1.3", printable("NL")),
                    ("2.5.4.15", utf8("Private Organization")),
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        pass(
            "ev-wrong-attributes",
            "whole",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.1")])]);
                spec.subject = name(&[
                    ("1.3.6.1.4.1.311.60.2.1.3", printable("NL")),
                    ("2.5.4.15", utf8("Private Organization")),
                    ("2.5.4.5", printable("12345678")),
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        fail(
            "ev-wrong-attributes",
            "kind",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.1")])]);
                spec.subject = name(&[
                    ("1.3.6.1.4.1.311.60.2.1.3", printable("NL")),
                    ("2.5.4.15", utf8("Company")),
                    ("2.5.4.5", printable("12345678")),
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        pass("organization-id-wrong", "same", numbered("VATNL-12345678", Some(&vat(None)))),
        pass("organization-id-wrong", "none", leaf(|_| {})),
        fail("organization-id-wrong", "another", numbered("VATNL-12345679", Some(&vat(None)))),
        fail("organization-id-wrong", "subject-alone", numbered("VATNL-12345678", None)),
        fail("organization-id-wrong", "register", numbered("ABCNL-12345678", Some(&vat(None)))),
        fail("organization-id-wrong", "state-of-vat", numbered("VATNL+UT-12345678", Some(&vat(Some("UT"))))),
        pass("ca-missing-country-org-cn", "issuing", issuing(|_| {})),
        fail(
            "ca-missing-country-org-cn",
            "no-country",
            issuing(|spec| {
                spec.subject = name(&[("2.5.4.10", utf8("Fixture Trust")), ("2.5.4.3", utf8("CA"))])
            }),
        ),
        pass("attribute-too-long", "leaf", leaf(|_| {})),
        fail(
            "attribute-too-long",
            "common-name",
            issuing(|spec| {
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.10", utf8(&"x".repeat(65))),
                    ("2.5.4.3", utf8("CA")),
                ])
            }),
        ),
        pass("attribute-string-type-wrong", "leaf", leaf(|_| {})),
        fail(
            "attribute-string-type-wrong",
            "country-utf8",
            issuing(|spec| {
                spec.subject =
                    name(&[("2.5.4.6", utf8("NL")), ("2.5.4.10", utf8("Trust")), ("2.5.4.3", utf8("CA"))])
            }),
        ),
        fail(
            "attribute-string-type-wrong",
            "printable-at",
            issuing(|spec| {
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.10", printable("Trust@home")),
                    ("2.5.4.3", utf8("CA")),
                ])
            }),
        ),
        pass(
            "attribute-order-or-multivalue-rdn",
            "in-order",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                    ("2.5.4.3", utf8("www.example.com")),
                ]);
            }),
        ),
        fail(
            "attribute-order-or-multivalue-rdn",
            "turned-round",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.3", utf8("www.example.com")),
                    ("2.5.4.10", utf8("Acme")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.6", printable("NL")),
                ]);
            }),
        ),
        fail(
            "attribute-order-or-multivalue-rdn",
            "two-in-one",
            issuing(|spec| {
                spec.subject = seq(&[
                    &set(&[&attribute("2.5.4.3", &utf8("CA")), &attribute("2.5.4.6", &printable("NL"))]),
                    &set(&[&attribute("2.5.4.10", &utf8("Trust"))]),
                ])
            }),
        ),
        pass(
            "attribute-duplicate",
            "once",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        fail(
            "attribute-duplicate",
            "organisation-twice",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        pass("attribute-whitespace-or-control", "leaf", leaf(|_| {})),
        fail(
            "attribute-whitespace-or-control",
            "blank",
            issuing(|spec| {
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.10", utf8("Trust ")),
                    ("2.5.4.3", utf8("CA")),
                ])
            }),
        ),
        pass(
            "attribute-placeholder-value",
            "a-place",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        fail(
            "attribute-placeholder-value",
            "some-state",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.8", utf8("Some-State")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        fail(
            "attribute-placeholder-value",
            "a-dash",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject =
                    name(&[("2.5.4.6", printable("NL")), ("2.5.4.7", utf8("-")), ("2.5.4.10", utf8("Acme"))]);
            }),
        ),
        pass(
            "country-not-iso",
            "nl",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        fail(
            "country-not-iso",
            "uk",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("UK")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        fail(
            "country-not-iso",
            "small",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("nl")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Acme")),
                ]);
            }),
        ),
        pass(
            "text-mojibake-or-html",
            "accents",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Café & Co")),
                ]);
            }),
        ),
        fail(
            "text-mojibake-or-html",
            "entity",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("Caf&eacute;")),
                ]);
            }),
        ),
        fail(
            "text-mojibake-or-html",
            "twice",
            leaf(|spec| {
                spec.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
                spec.subject = name(&[
                    ("2.5.4.6", printable("NL")),
                    ("2.5.4.7", utf8("Utrecht")),
                    ("2.5.4.10", utf8("CafÃ©")),
                ]);
            }),
        ),
        pass(
            "email-in-subject-not-san",
            "listed",
            client(|spec| {
                spec.subject = name(&[("1.2.840.113549.1.9.1", ia5("a@example.com"))]);
                spec.extension("2.5.29.17").value = san(&[implicit(1, b"a@example.com")]);
            }),
        ),
        fail(
            "email-in-subject-not-san",
            "not-listed",
            client(|spec| spec.subject = name(&[("1.2.840.113549.1.9.1", ia5("a@example.com"))])),
        ),
        pass("issuer-empty", "leaf", leaf(|_| {})),
        fail("issuer-empty", "leaf", leaf(|spec| spec.issuer = seq(&[]))),
        fail("issuer-empty", "empty-set", leaf(|spec| spec.issuer = seq(&[&set(&[])]))),
    ]
}
