use testkit::{Leaf, TestCa};

use super::*;

fn time(text: &str) -> UnixTime {
    UnixTime::parse(text).unwrap()
}

/// Whether the selections mean this certificate of `kiosk-7`.
fn meant(der: &[u8], selections: &[&str]) -> bool {
    let candidate = Candidate {
        party: "kiosk-7",
        label: "cert-1",
        profile: "device",
        not_before: time("2027-03-01T12:00:00Z"),
        der,
    };
    Selection::parse(selections).unwrap().fits(&candidate)
}

#[test]
fn a_certificate_is_meant_by_what_is_on_record_of_it() {
    for (selection, expected) in [
        ("party=kiosk-7", true),
        ("party=kiosk-*", true),
        ("party=*", true),
        ("party=kiosk-", false),
        ("party=kiosk-70", false),
        ("party=osk*", false),
        ("label=cert-1", true),
        ("label=cert", false),
        ("profile=device", true),
        ("profile=person", false),
        ("begins-from=2027-03-01T12:00:00Z", true),
        ("begins-from=2027-03-01T12:00:01Z", false),
        ("begins-to=2027-03-01T12:00:00Z", true),
        ("begins-to=2027-03-01T11:59:59Z", false),
        ("begins-from=2027-03-01 and begins-to=2027-03-02", true),
    ] {
        assert_eq!(meant(b"never read", &[selection]), expected, "{selection}");
    }
}

#[test]
fn a_certificate_is_meant_by_the_names_in_it_and_its_issuers() {
    let ca = TestCa::new("Acme CA");
    let leaf = Leaf::new("kiosk").dns("kiosk.acme.example").issued_by(&ca);
    for (selection, expected) in [
        ("subject:cn=kiosk", true),
        ("subject:cn=kios", false),
        ("issuer:cn=Acme CA", true),
        ("issuer:cn=acme ca", false),
        ("issuer:o=Acme CA", false),
        ("san:dns=*.acme.example", true),
        ("san:dns=*.other.example", false),
    ] {
        assert_eq!(meant(&leaf.der, &[selection]), expected, "{selection}");
    }
    assert!(!meant(b"no certificate", &["subject:cn=kiosk"]), "what cannot be read has no names");
}

#[test]
fn conditions_hold_together_and_selections_are_alternatives() {
    assert!(meant(b"", &["party=kiosk-* and profile=device"]));
    assert!(!meant(b"", &["party=kiosk-* and profile=person"]));
    assert!(meant(b"", &["profile=person", "label=cert-1"]));
    assert!(!meant(b"", &["profile=person", "label=cert-2"]));
}

#[test]
fn what_cannot_be_read_selects_nothing_and_says_why() {
    let told = |text: &str| Selection::parse(&[text]).unwrap_err().to_string();
    assert!(told("device").contains("has no `=`"));
    assert!(told("").contains("has no `=`"));
    assert!(told("colour=red").contains("`colour` cannot be selected by"));
    assert!(told("serial:cn=1").contains("`serial:cn` cannot be selected by"));
    assert!(told("issuer:nonsense=1").contains("`issuer:nonsense` cannot be selected by"));
    assert!(told("party=*-7").contains("`*` stands at the end only"));
    assert!(told("party=").contains("cannot be selected by"));
    assert!(told("profile=*").contains("cannot be selected by"));
    assert!(told("begins-from=yesterday").contains("is no moment"));
    assert!(told("issuer:cn=*").contains("cannot match"));
    assert!(told("san:dns=a.*.b").contains("cannot match"));
    assert_eq!(Selection::parse::<&str>(&[]), Err(SelectionError::Empty));
}

#[test]
fn a_selection_is_shown_as_it_is_written() {
    for text in [
        "party=kiosk-* and profile=device",
        "begins-from=2027-03-01T12:00:00Z and san:dns=*.acme.example and issuer:cn=Acme CA",
    ] {
        assert_eq!(Selection::parse(&[text]).unwrap().to_string(), text);
    }
    let two = Selection::parse(&["label=a", "label=b"]).unwrap();
    assert_eq!(two.to_string(), "label=a or label=b");
}
