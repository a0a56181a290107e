//! The five ways in, and what keeps out whichever way was taken.

mod support;

use examiner::Name;
use policy::record::{Origin, PinExceptions, RecordChange, Revoked, SubjectRule};
use policy::{Admission, Decision, MatchKind, Why};
use support::{World, entries, name, word};
use testkit::times::{DAY, clock};
use testkit::{KeyType, Leaf, TestCa, TestKey};

#[test]
fn a_pinned_certificate_enters_and_its_twin_does_not() {
    let pinned = Leaf::new("acme").self_signed();
    let twin = Leaf::new("acme").self_signed();
    let world = World::new().party("acme").allow("acme").pin("acme", &pinned);
    assert_eq!(world.says(&pinned), "acme");
    assert_eq!(world.says(&twin), "unknown-issuer");
}

#[test]
fn a_pinned_key_survives_renewal_with_the_same_names_only() {
    let key = TestKey::new(KeyType::P256);
    let first = Leaf::new("acme").dns("a.test").key(&key).self_signed();
    let renewed = Leaf::new("acme").dns("a.test").key(&key).self_signed();
    let renamed = Leaf::new("acme").dns("b.test").key(&key).self_signed();
    let world = World::new().party("acme").allow("acme").pin_key("acme", &first);
    assert_eq!(world.says(&first), "acme");
    assert_eq!(world.says(&renewed), "acme");
    assert_eq!(world.says(&renamed), "unknown-issuer");
}

#[test]
fn a_renewal_of_a_pinned_certificate_is_refused_with_the_hint_at_its_key() {
    let key = TestKey::new(KeyType::P256);
    let first = Leaf::new("acme").key(&key).self_signed();
    let renewed = Leaf::new("acme").key(&key).self_signed();
    let world = World::new().party("acme").allow("acme").pin("acme", &first);
    let Decision::Refuse(refusal) = world.decide_at(Some(&renewed), clock()) else { panic!("refused") };
    assert!(refusal.vouched, "its key is known here");
    let Why::UnknownIssuer { same_key_as_pin_of, .. } = refusal.why else { panic!("unknown issuer") };
    assert_eq!(same_key_as_pin_of.as_deref(), Some("acme"));
}

#[test]
fn an_own_certificate_enters_only_when_it_is_on_record() {
    let own = TestCa::new("Own Client CA");
    let alice = own.issue("alice");
    let unrecorded = own.issue("alice");
    let world = World::new().own_ca(&own).party("alice").allow("alice").own("alice", &alice);
    assert_eq!(world.says(&alice), "alice");
    assert_eq!(world.says(&unrecorded), "not-allowed");
}

#[test]
fn an_own_record_without_a_verified_chain_admits_nobody() {
    let own = TestCa::new("Own Client CA");
    let impostor = TestCa::new("Own Client CA").issue("alice");
    let world = World::new().own_ca(&own).party("alice").allow("alice").own("alice", &impostor);
    assert_eq!(world.says(&impostor), "unknown-issuer");
}

#[test]
fn a_namesake_of_our_ca_vouches_for_nobody_and_is_marked() {
    let own = TestCa::new("Own Client CA");
    let fake = TestCa::new("Own Client CA");
    let alice = own.issue("alice");
    let forged = fake.issue("alice");
    let world = World::new().own_ca(&own).party("alice").allow("alice").own("alice", &alice);
    let Decision::Refuse(refusal) = world.decide_at(Some(&forged), clock()) else { panic!("refused") };
    assert!(!refusal.vouched);
    let Why::UnknownIssuer { name_equals_ca, .. } = refusal.why else {
        panic!("unknown issuer, not {:?}", refusal.why)
    };
    assert_eq!(name_equals_ca.as_deref(), Some("own"));
}

#[test]
fn a_subject_leads_to_a_party_only_from_its_own_ca() {
    let acme = TestCa::new("Acme CA");
    let other = TestCa::new("Other CA");
    let rule =
        SubjectRule { ca: "acme".into(), subject: acme.issue("svc-1").facts().subject.key().unwrap().0 };
    let world = World::new()
        .ca_with("acme", &acme, |ca| ca.admission = Admission::NamedOnly)
        .ca_with("other", &other, |ca| ca.admission = Admission::NamedOnly)
        .party("service")
        .allow("service")
        .change(RecordChange::Subject(rule, Some(name("service"))));
    assert_eq!(world.says(&acme.issue("svc-1")), "service");
    assert_eq!(world.says(&acme.issue("svc-2")), "not-allowed");
    assert_eq!(world.says(&other.issue("svc-1")), "not-allowed");
}

#[test]
fn an_issuer_admits_whoever_fits_its_match() {
    let acme = TestCa::new("Acme CA");
    let world = World::new()
        .ca_with("acme", &acme, |ca| ca.admission = entries(&["san:dns=*.acme.example and subject:cn=svc"]))
        .allow("ca:acme");
    let with = |cn: &str, dns: &str| Leaf::new(cn).dns(dns).issued_by(&acme);
    assert_eq!(world.says(&with("svc", "a.acme.example")), "ca/acme");
    for (cn, dns) in [
        ("svc", "acme.example"),
        ("svc", "a.b.acme.example"),
        ("other", "a.acme.example"),
        ("svc", "a.acme.example.evil.test"),
    ] {
        assert_eq!(world.says(&with(cn, dns)), "not-allowed", "{cn} {dns}");
    }
}

#[test]
fn a_foreign_name_comes_from_the_one_value_that_matched() {
    let acme = TestCa::new("Acme CA");
    let world = World::new()
        .ca_with("acme", &acme, |ca| {
            ca.admission = entries(&["san:email=*@acme.example"]);
            ca.name_from = Some(MatchKind::SanEmail);
        })
        .allow("ca:acme");
    let one = Leaf::new("x").email("bob+1@acme.example").email("bob@elsewhere.test").issued_by(&acme);
    assert_eq!(world.says(&one), "ca/acme/san:email/bob%2B1@acme.example");
    let two = Leaf::new("x").email("bob@acme.example").email("eve@acme.example").issued_by(&acme);
    assert_eq!(world.says(&two), "not-allowed");
}

#[test]
fn both_ends_of_the_dates_are_inside() {
    let cert = Leaf::new("acme")
        .valid(testkit::times::at("2027-01-01"), testkit::times::at("2027-02-01"))
        .self_signed();
    let world = World::new().party("acme").allow("acme").pin("acme", &cert);
    for (moment, expected) in [
        ("2026-12-31T23:59:59Z", "not-yet-valid"),
        ("2027-01-01T00:00:00Z", "acme"),
        ("2027-02-01T00:00:00Z", "acme"),
        ("2027-02-01T00:00:01Z", "expired"),
    ] {
        assert_eq!(world.says_at(&cert, testkit::times::at(moment)), expected, "{moment}");
    }
}

#[test]
fn a_certificate_not_meant_for_logging_in_is_refused_whichever_way_it_came() {
    let acme = TestCa::new("Acme CA");
    let bad = [
        Leaf::new("x").server_usage(),
        Leaf::new("x").any_usage(),
        Leaf::new("x").without_usage(),
        Leaf::new("x").without_digital_signature(),
        Leaf::new("x").is_ca(),
    ];
    for leaf in bad {
        let issued = leaf.issued_by(&acme);
        let world = World::new().ca("acme", &acme).allow("ca:acme");
        assert_eq!(world.says(&issued), "wrong-usage");
        let world = World::new().party("x").allow("x").pin("x", &issued);
        assert_eq!(world.says(&issued), "wrong-usage");
    }
}

#[test]
fn dated_exceptions_end_on_their_day() {
    let acme = TestCa::new("Acme CA");
    let server = Leaf::new("x").server_usage().issued_by(&acme);
    let until = clock().plus(DAY);
    let world = World::new()
        .ca_with("acme", &acme, |ca| ca.without_client_usage_until = Some(until))
        .allow("ca:acme");
    let Decision::Admit(grant) = world.decide_at(Some(&server), until) else { panic!("admitted") };
    assert_eq!((grant.exceptions.len(), grant.until), (1, until));
    assert_eq!(world.says_at(&server, until.plus(1)), "wrong-usage");

    let ca_cert = Leaf::new("y").is_ca().self_signed();
    let excused = PinExceptions { ca_certificate_until: Some(until), without_client_usage_until: None };
    let world =
        World::new().party("y").allow("y").record("y", &ca_cert, Origin::Pinned, |r| r.exceptions = excused);
    assert_eq!(world.says_at(&ca_cert, until), "y");
    assert_eq!(world.says_at(&ca_cert, until.plus(1)), "wrong-usage");
}

#[test]
fn weak_keys_are_refused_with_their_size_even_when_pinned() {
    for kind in [KeyType::Rsa1024, KeyType::RsaExponent3] {
        let cert = Leaf::new("old").key_type(kind).self_signed();
        let world = World::new().party("old").allow("old").pin("old", &cert);
        let Decision::Refuse(refusal) = world.decide_at(Some(&cert), clock()) else { panic!("refused") };
        let Why::WeakKey { found } = refusal.why else { panic!("weak key") };
        assert!(found.contains("RSA"), "{found}");
    }
}

#[test]
fn chains_that_break_rfc_5280_are_refused() {
    let root = TestCa::build("Root").path_length(0).root();
    let too_deep = root.intermediate("Sub").issue("x");
    assert_eq!(World::new().ca("acme", &root).allow("ca:acme").says(&too_deep), "chain-invalid");

    let acme = TestCa::new("Acme CA");
    let critical = Leaf::new("x").unknown_critical_extension().issued_by(&acme);
    assert_eq!(World::new().ca("acme", &acme).allow("ca:acme").says(&critical), "chain-invalid");
    let constrained = TestCa::build("Constrained").permit_dns("acme.example").under(&acme);
    let outside = Leaf::new("x").dns("evil.test").issued_by(&constrained);
    let inside = Leaf::new("x").dns("a.acme.example").issued_by(&constrained);
    let world = World::new().ca("acme", &acme).allow("ca:acme");
    assert_eq!(world.says(&outside), "chain-invalid");
    assert_eq!(world.says(&inside), "ca/acme");
    let broken = Leaf::new("x").broken_signature().issued_by(&acme);
    assert_eq!(world.says(&broken), "bad-signature");
    let not_ca = TestCa::build("No CA").not_a_ca().under(&acme);
    assert_eq!(world.says(&not_ca.issue("x")), "chain-invalid");
}

#[test]
fn a_missing_intermediate_that_is_known_is_named() {
    let root = TestCa::new("Root");
    let sub = root.intermediate("Sub CA");
    let mut cert = sub.issue("x");
    let world = World::new().ca_with("acme", &root, |ca| ca.intermediates.push(sub.facts())).allow("ca:acme");
    assert_eq!(world.says(&cert), "ca/acme");
    cert.chain_pem = cert.pem.clone();
    let Decision::Refuse(refusal) = world.decide_at(Some(&cert), clock()) else { panic!("refused") };
    assert_eq!(refusal.why, Why::ChainIncomplete { missing: "CN=Sub CA".into() });
}

#[test]
fn an_expired_intermediate_is_told_with_its_date() {
    let root = TestCa::new("Root");
    let sub = TestCa::build("Sub").valid_from_now(-30 * DAY, -DAY).under(&root);
    let cert = Leaf::new("x").valid_from_now(-20 * DAY, 20 * DAY).issued_by(&sub);
    assert_eq!(World::new().ca("acme", &root).allow("ca:acme").says(&cert), "expired");
}

#[test]
fn revoked_superseded_suspended_and_denied_beat_every_list() {
    let own = TestCa::new("Own");
    let alice = own.issue("alice");
    let now = clock();
    let base = || World::new().own_ca(&own).party("alice").allow("alice");
    let revoked = Revoked { at: now, reason: "key-compromise".into() };
    assert_eq!(
        base().record("alice", &alice, Origin::Own, |r| r.revoked = Some(revoked)).says(&alice),
        "revoked"
    );
    let superseded = base().record("alice", &alice, Origin::Own, |r| r.superseded_after = Some(now));
    assert_eq!(superseded.says_at(&alice, now), "alice");
    assert_eq!(superseded.says_at(&alice, now.plus(1)), "superseded");
    let suspended = base().own("alice", &alice).party_with("alice", |p| p.suspended_since = Some(now));
    assert_eq!(suspended.says(&alice), "suspended");
    assert_eq!(base().own("alice", &alice).deny("alice").says(&alice), "not-allowed");
    let facts = alice.facts();
    let compromised = base().own("alice", &alice).change(RecordChange::CompromisedKey(facts.key_pin, true));
    assert_eq!(compromised.says(&alice), "revoked");
}

#[test]
fn a_denied_ca_denies_even_a_pinned_certificate_of_its() {
    let acme = TestCa::new("Acme CA");
    let cert = acme.issue("bob");
    let world = World::new().ca("acme", &acme).party("bob").allow("bob").pin("bob", &cert);
    assert_eq!(world.says(&cert), "bob");
    assert_eq!(world.deny("ca:acme").says(&cert), "not-allowed");
}

#[test]
fn lists_groups_and_grants_admit_and_an_empty_site_admits_nobody() {
    let own = TestCa::new("Own");
    let alice = own.issue("alice");
    let base = || World::new().own_ca(&own).party("alice").own("alice", &alice);
    assert_eq!(base().says(&alice), "not-allowed");
    assert_eq!(base().allow("bob").says(&alice), "not-allowed");
    assert_eq!(base().allow("group:staff").says(&alice), "not-allowed");
    assert_eq!(base().allow("group:staff").group("staff", &["alice"]).says(&alice), "alice");
    assert_eq!(base().allow("ca:own").says(&alice), "alice");
    let site = base().site.name;
    let granted = base().party_with("alice", |p| {
        p.grants.insert(site);
    });
    assert_eq!(granted.says(&alice), "alice");
}

#[test]
fn observing_lets_through_the_unlisted_but_never_the_revoked_or_denied() {
    let own = TestCa::new("Own");
    let alice = own.issue("alice");
    let now = clock();
    let base = || {
        let mut world = World::new().own_ca(&own).party("alice").own("alice", &alice);
        world.site.observe_until = Some(now.plus(DAY));
        world
    };
    assert_eq!(base().says(&alice), "observe not-allowed");
    assert_eq!(base().says_at(&alice, now.plus(DAY + 1)), "not-allowed");
    assert_eq!(word(base().decide_at(None, now)), "observe no-certificate");
    assert_eq!(base().deny("alice").says(&alice), "not-allowed");
    let revoked = Revoked { at: now, reason: "unspecified".into() };
    assert_eq!(
        base().record("alice", &alice, Origin::Own, |r| r.revoked = Some(revoked)).says(&alice),
        "revoked"
    );
}

#[test]
fn only_the_first_certificate_is_the_visitor() {
    let own = TestCa::new("Own");
    let alice = own.issue("alice");
    let mut stranger = Leaf::new("eve").self_signed();
    stranger.chain_pem = format!("{}{}", stranger.pem, alice.pem);
    let world = World::new().own_ca(&own).party("alice").allow("alice").own("alice", &alice);
    assert_eq!(world.says(&stranger), "unknown-issuer");
}

#[test]
fn a_subject_is_written_last_rdn_first() {
    let acme = TestCa::new("Acme CA");
    let cert = Leaf::new("svc-1").issued_by(&acme);
    let written = Name::parse_rfc4514(&cert.facts().subject.to_string()).unwrap();
    assert_eq!(written.key(), cert.facts().subject.key());
}

#[test]
fn a_pinned_certificate_vouches_for_no_other() {
    let root = TestCa::new("Pinned");
    let pinned = Leaf::new("acme").self_signed();
    let world = World::new().party("acme").allow("acme").pin("acme", &pinned);
    // Another certificate with the pinned one behind it, and one that the pinned key might have signed.
    let mut behind = Leaf::new("acme").self_signed();
    behind.chain_pem = format!("{}{}", behind.pem, pinned.pem);
    assert!(["unknown-issuer", "chain-invalid"].contains(&world.says(&behind).as_str()));
    let anchor = testkit::TestCert { der: root.der().to_vec(), ..pinned.clone() };
    let world = world.pin("acme", &anchor);
    let mut issued = root.issue("acme");
    issued.chain_pem = format!("{}{}", issued.pem, root.root_pem());
    assert_eq!(world.says(&issued), "unknown-issuer");
}

#[test]
fn an_issuer_not_meant_for_clients_vouches_for_none() {
    let acme = TestCa::new("Acme CA");
    let servers = TestCa::build("Servers only").for_servers_only().under(&acme);
    let world = World::new().ca("acme", &acme).allow("ca:acme");
    assert_eq!(world.says(&servers.issue("x")), "wrong-usage");
    assert_eq!(world.says(&acme.intermediate("Sub").issue("x")), "ca/acme");
}

#[test]
fn an_issuer_that_may_not_sign_certificates_vouches_for_none() {
    let acme = TestCa::new("Acme CA");
    let lists = TestCa::build("Lists only").for_lists_only().under(&acme);
    let world = World::new().ca("acme", &acme).allow("ca:acme");
    assert_eq!(world.says(&lists.issue("x")), "chain-invalid");
    let root = TestCa::build("Root").for_lists_only().root();
    assert_eq!(World::new().ca("acme", &root).allow("ca:acme").says(&root.issue("x")), "chain-invalid");
}

#[test]
fn weak_signatures_and_weak_issuers_vouch_for_nobody() {
    let acme = TestCa::build("Acme CA").key_type(KeyType::Rsa2048).root();
    let world = World::new().ca("acme", &acme).allow("ca:acme");
    assert_eq!(world.says(&Leaf::new("x").issued_by(&acme)), "ca/acme");
    assert_eq!(world.says(&Leaf::new("x").sha1().issued_by(&acme)), "weak-key");
    let sub = TestCa::build("Old Sub").key_type(KeyType::Rsa2048).sha1().under(&acme);
    assert_ne!(world.says(&sub.issue("x")), "ca/acme");
    // Such a key signs well enough, for a library that takes it.
    let odd = TestCa::build("Odd CA").key_type(KeyType::RsaExponent3).root();
    assert_eq!(World::new().ca("acme", &odd).allow("ca:acme").says(&odd.issue("x")), "weak-key");
}

#[test]
fn a_value_counts_only_where_the_rule_looks_for_it() {
    let acme = TestCa::new("Acme CA");
    let world = World::new()
        .ca_with("acme", &acme, |ca| ca.admission = entries(&["san:dns=a.acme.example"]))
        .allow("ca:acme");
    let fits = "a.acme.example";
    assert_eq!(world.says(&Leaf::new("x").dns(fits).issued_by(&acme)), "ca/acme");
    for (what, leaf) in [
        ("a common name", Leaf::new(fits)),
        ("a common name beside another SAN", Leaf::new(fits).dns("b.acme.example")),
        ("a mail address", Leaf::new("x").email(fits)),
        ("an URI", Leaf::new("x").uri(fits)),
        ("a part of a name", Leaf::new("x").dns("b.acme.example,DNS:a.acme.example")),
        ("a part of a name, before", Leaf::new("x").dns("a.acme.example, DNS:b")),
        ("a name behind a NUL", Leaf::new("x").dns("a.acme.example\0.evil.test")),
    ] {
        assert_eq!(world.says(&leaf.issued_by(&acme)), "not-allowed", "{what}");
    }
}

#[test]
fn the_sites_of_a_party_are_those_that_name_it_and_do_not_deny_it() {
    let open = |world: World, party: &str| {
        let World { site, mut snapshot, .. } = world;
        snapshot.sites = std::sync::Arc::new([(site.name.clone(), std::sync::Arc::new(site))].into());
        !policy::decide::sites_of(&snapshot, party).is_empty()
    };
    let alice = || World::new().party("alice").party("bob");
    assert!(!open(alice(), "alice"));
    assert!(open(alice().allow("alice"), "alice") && !open(alice().allow("alice"), "bob"));
    assert!(open(alice().allow("ca:own"), "alice") && !open(alice().allow("ca:acme"), "alice"));
    assert!(open(alice().group("staff", &["alice"]).allow("group:staff"), "alice"));
    assert!(!open(alice().group("staff", &["alice"]).allow("group:staff"), "bob"));
    assert!(!open(alice().allow("alice").deny("alice"), "alice"));
    assert!(!open(alice().allow("alice").deny("ca:own"), "alice"));
    assert!(!open(alice().allow("alice"), "ca/acme"));
    let granted = World::new().party_with("alice", |party| {
        party.grants.insert(World::new().site.name);
    });
    assert!(open(granted, "alice"));
    let mut operators = alice().allow("alice");
    operators.site.audience = policy::Audience::Operators;
    assert!(!open(operators, "alice"));
}
