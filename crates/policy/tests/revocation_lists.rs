//! A trusted issuer's revocation lists: which are taken, and whom they keep out.

#[allow(dead_code, reason = "the other tests of this world need the rest")]
mod support;

use std::collections::HashMap;
use std::sync::Arc;

use examiner::{Certificate, UnixTime};
use policy::decide::Exception;
use policy::revocation::{CLOCKS_APART, ListFault};
use policy::{Admission, CaLists, Decision, OnStale, RevocationList, Why};
use support::World;
use testkit::ca::{Crl, RevocationReason};
use testkit::times::{DAY, clock};
use testkit::{Leaf, TestCa};

fn read(der: &[u8], issuers: &[Certificate]) -> Result<RevocationList, ListFault> {
    RevocationList::read(der, issuers)
}

fn list(ca: &TestCa, crl: &Crl) -> Arc<RevocationList> {
    Arc::new(read(&crl.der(ca), &[ca.facts()]).unwrap())
}

/// The world with these lists of the CA `acme` in force.
fn with(mut world: World, lists: &[(&Arc<RevocationList>, OnStale)]) -> World {
    let lists = CaLists::new(lists.iter().map(|(list, on_stale)| ((*list).clone(), *on_stale)));
    world.snapshot.lists = Arc::new(HashMap::from([("acme".to_owned(), lists)]));
    world
}

#[test]
fn a_listed_certificate_is_refused_with_date_and_reason_and_its_neighbour_enters() {
    let acme = TestCa::new("Acme CA");
    let (bad, good) = (acme.issue("bad"), acme.issue("good"));
    let crl = list(&acme, &Crl::new().revoke(&bad, Some(RevocationReason::KeyCompromise)));
    let world = World::new().ca("acme", &acme).allow("ca:acme");
    assert_eq!(world.says(&bad), "ca/acme", "without a list");
    let world = with(world, &[(&crl, OnStale::Deny)]);
    assert_eq!(world.says(&good), "ca/acme");
    let Decision::Refuse(refusal) = world.decide_at(Some(&bad), clock()) else { panic!("refused") };
    let Why::Revoked { at, reason } = refusal.why else { panic!("revoked: {refusal:?}") };
    assert_eq!(reason, "key-compromise");
    assert!((clock().seconds() - 3600 - at.seconds()).abs() < 60, "{at}");
    assert!(!refusal.observable, "observing lets no revoked one through");
}

#[test]
fn a_serial_number_longer_than_the_rules_allow_is_compared_whole() {
    let acme = TestCa::new("Acme CA");
    let mut serial = [0x11; 30];
    let bad = Leaf::new("long").serial(&serial).issued_by(&acme);
    serial[29] = 0x12;
    let good = Leaf::new("long").serial(&serial).issued_by(&acme);
    let crl = list(&acme, &Crl::new().revoke(&bad, None));
    let world = with(World::new().ca("acme", &acme).allow("ca:acme"), &[(&crl, OnStale::Deny)]);
    assert_eq!(world.says(&bad), "revoked");
    assert_eq!(world.says(&good), "ca/acme");
}

#[test]
fn a_certificate_on_hold_is_refused_while_it_is_listed() {
    let acme = TestCa::new("Acme CA");
    let held = acme.issue("held");
    for reason in [RevocationReason::CertificateHold, RevocationReason::RemoveFromCrl] {
        let crl = list(&acme, &Crl::new().revoke(&held, Some(reason)));
        let world = with(World::new().ca("acme", &acme).allow("ca:acme"), &[(&crl, OnStale::Allow)]);
        assert_eq!(world.says(&held), "revoked", "{reason:?}");
    }
}

#[test]
fn past_its_next_update_the_chosen_policy_holds_and_the_listed_stay_out() {
    let acme = TestCa::new("Acme CA");
    let (bad, good) = (acme.issue("bad"), acme.issue("good"));
    let crl = list(&acme, &Crl::new().revoke(&bad, None));
    let end = crl.next_update;
    let exceptions = |world: &World, now: UnixTime| match world.decide_at(Some(&good), now) {
        Decision::Admit(grant) => grant.exceptions,
        other => panic!("admitted: {other:?}"),
    };
    for (on_stale, after) in [(OnStale::Deny, "revocation-unknown"), (OnStale::Allow, "ca/acme")] {
        let world = with(World::new().ca("acme", &acme).allow("ca:acme"), &[(&crl, on_stale)]);
        assert_eq!(world.says_at(&good, end), "ca/acme", "{on_stale:?}");
        assert_eq!(exceptions(&world, end), []);
        assert_eq!(world.says_at(&good, end.plus(1)), after, "{on_stale:?}");
        assert_eq!(world.says_at(&bad, end.plus(1)), "revoked", "{on_stale:?}");
        if on_stale == OnStale::Allow {
            assert_eq!(exceptions(&world, end.plus(1)), [Exception::StaleRevocationList]);
        }
        let Decision::Admit(grant) = world.decide_at(Some(&good), clock()) else { panic!("admitted") };
        assert_eq!(grant.until, end, "it is decided again when the list is too old");
    }
}

#[test]
fn observing_lets_nobody_through_whose_state_is_unknown() {
    let acme = TestCa::new("Acme CA");
    let good = acme.issue("good");
    let crl = list(&acme, &Crl::new());
    let mut world = with(World::new().ca("acme", &acme), &[(&crl, OnStale::Deny)]);
    world.site.observe_until = Some(crl.next_update.plus(DAY));
    assert_eq!(world.says_at(&good, crl.next_update), "observe not-allowed");
    assert_eq!(world.says_at(&good, crl.next_update.plus(1)), "revocation-unknown");
}

#[test]
fn a_list_from_the_future_is_not_of_this_time() {
    let acme = TestCa::new("Acme CA");
    let good = acme.issue("good");
    let crl = list(&acme, &Crl::new().updates_from_now(3600, DAY));
    let world = with(World::new().ca("acme", &acme).allow("ca:acme"), &[(&crl, OnStale::Deny)]);
    let first = crl.this_update.plus(-CLOCKS_APART);
    assert_eq!(world.says_at(&good, first), "ca/acme");
    assert_eq!(world.says_at(&good, first.plus(-1)), "revocation-unknown");
}

#[test]
fn the_list_must_be_that_of_the_certificates_own_issuer() {
    let acme = TestCa::new("Acme CA");
    let sub = acme.intermediate("Acme Sub CA");
    let under = sub.issue("under");
    let roots = list(&acme, &Crl::new());
    let subs = list(&sub, &Crl::new());
    let world = || World::new().ca("acme", &acme).allow("ca:acme");
    let both = [OnStale::Deny, OnStale::Allow];
    for on_stale in both {
        assert_eq!(with(world(), &[(&roots, on_stale)]).says(&under), "revocation-unknown");
        assert_eq!(with(world(), &[]).says(&under), "revocation-unknown", "a list that was not taken");
    }
    assert_eq!(with(world(), &[(&subs, OnStale::Deny)]).says(&under), "ca/acme");
    assert_eq!(with(world(), &[(&subs, OnStale::Deny), (&roots, OnStale::Deny)]).says(&under), "ca/acme");

    let gone = list(&acme, &Crl::new().revoke_serial(&sub.facts().serial, None));
    let lists = [(&subs, OnStale::Deny), (&gone, OnStale::Deny)];
    assert_eq!(with(world(), &lists).says(&under), "revoked", "its intermediate is listed");
    let namesake = list(&sub, &Crl::new().revoke_serial(&acme.issue("x").facts().serial, None));
    assert_eq!(with(world(), &[(&namesake, OnStale::Deny)]).says(&under), "ca/acme", "another's serial");
}

#[test]
fn the_list_of_another_ca_keeps_nobody_out() {
    let (acme, other) = (TestCa::new("Acme CA"), TestCa::new("Other CA"));
    let visitor = other.issue("visitor");
    let crl = list(&acme, &Crl::new().revoke_serial(&visitor.facts().serial, None));
    let world = World::new().ca("acme", &acme).ca("other", &other).allow("ca:other");
    assert_eq!(with(world, &[(&crl, OnStale::Deny)]).says(&visitor), "ca/other");
}

#[test]
fn a_pinned_certificate_is_held_against_its_issuers_list_with_or_without_its_chain() {
    let acme = TestCa::new("Acme CA");
    let sub = acme.intermediate("Acme Sub CA");
    let (listed, bare) = (sub.issue("listed"), {
        let mut bare = sub.issue("bare");
        bare.chain_pem = bare.pem.clone();
        bare
    });
    let empty = list(&sub, &Crl::new());
    let full = list(&sub, &Crl::new().revoke(&listed, None).revoke(&bare, None));
    let gone = list(&acme, &Crl::new().revoke_serial(&sub.facts().serial, None));
    for cert in [&listed, &bare] {
        let pinned = || {
            World::new()
                .ca_with("acme", &acme, |ca| {
                    ca.admission = Admission::NamedOnly;
                    ca.intermediates = vec![sub.facts()];
                })
                .party("p")
                .pin("p", cert)
                .allow("p")
        };
        assert_eq!(pinned().says(cert), "p", "no list");
        assert_eq!(with(pinned(), &[(&empty, OnStale::Deny)]).says(cert), "p");
        assert_eq!(with(pinned(), &[(&full, OnStale::Deny)]).says(cert), "revoked");
        assert_eq!(with(pinned(), &[(&empty, OnStale::Deny), (&gone, OnStale::Deny)]).says(cert), "revoked");
        assert_eq!(with(pinned(), &[(&gone, OnStale::Allow)]).says(cert), "revoked");
        let late = empty.next_update.plus(1);
        assert_eq!(with(pinned(), &[(&empty, OnStale::Deny)]).says_at(cert, late), "revocation-unknown");
        assert_eq!(with(pinned(), &[(&empty, OnStale::Allow)]).says_at(cert, late), "p");
    }
}

#[test]
fn a_pinned_certificate_of_nobody_attached_is_held_against_no_list() {
    let acme = TestCa::new("Acme CA");
    let own = Leaf::new("acme").self_signed();
    let crl = list(&acme, &Crl::new().updates_from_now(-2 * DAY, -DAY));
    let world = World::new().ca("acme", &acme).party("p").pin("p", &own).allow("p");
    assert_eq!(with(world, &[(&crl, OnStale::Deny)]).says(&own), "p");
}

#[test]
fn only_a_whole_list_signed_by_the_cas_own_key_is_taken() {
    let acme = TestCa::new("Acme CA");
    let der = Crl::new().der(&acme);
    assert!(read(&der, &[acme.facts()]).is_ok());
    assert_eq!(read(&der, &[TestCa::new("Acme CA").facts()]).unwrap_err(), ListFault::NotSigned);
    assert_eq!(read(&der, &[TestCa::new("Other CA").facts()]).unwrap_err(), ListFault::NotSigned);
    assert_eq!(read(&der, &[]).unwrap_err(), ListFault::NotSigned);
    let sub = acme.intermediate("Acme Sub CA");
    assert!(read(&Crl::new().der(&sub), &[acme.facts(), sub.facts()]).is_ok(), "an intermediate's");

    let mut forged = der.clone();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(read(&forged, &[acme.facts()]).unwrap_err(), ListFault::NotSigned);
    let mut longer = der.clone();
    longer.push(0);
    assert!(matches!(read(&longer, &[acme.facts()]).unwrap_err(), ListFault::Malformed(_)));
}

#[test]
fn no_broken_list_panics_or_is_taken() {
    let acme = TestCa::new("Acme CA");
    let der = Crl::new().revoke(&acme.issue("x"), None).der(&acme);
    let issuers = [acme.facts()];
    for at in 0..der.len() {
        assert!(read(&der[..at], &issuers).is_err(), "cut at {at}");
        for bit in [0x01, 0x20, 0x80, 0xff] {
            let mut wounded = der.clone();
            wounded[at] ^= bit;
            // Only the signature's own spelling may change without effect.
            if let Ok(list) = read(&wounded, &issuers) {
                assert_eq!(list.count(), 1, "byte {at} ^ {bit:02x}");
            }
        }
    }
}

#[test]
fn a_list_is_older_by_number_or_by_date() {
    let acme = TestCa::new("Acme CA");
    let at = |number: u64, this: i64| list(&acme, &Crl::new().number(number).updates_from_now(this, DAY));
    let now = at(256, -3600);
    assert!(at(255, -3600).is_older_than(&now), "a number of fewer octets");
    assert!(at(255, -60).is_older_than(&now), "made later, numbered lower");
    assert!(at(256, -7200).is_older_than(&now));
    assert!(!at(257, -60).is_older_than(&now));
    assert!(!now.is_older_than(&now));
}

#[test]
fn attention_is_due_a_day_before_or_in_the_last_quarter() {
    let acme = TestCa::new("Acme CA");
    let week = list(&acme, &Crl::new().updates_from_now(0, 7 * DAY));
    assert_eq!(week.attention_from(), week.next_update.plus(-DAY));
    let day = list(&acme, &Crl::new().updates_from_now(0, DAY));
    assert_eq!(day.attention_from(), day.next_update.plus(-DAY / 4));
}
