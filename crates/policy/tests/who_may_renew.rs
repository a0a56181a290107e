//! Whose certificate may be renewed: own ones of parties, on record, within the grace after their end.

#[allow(dead_code)]
mod support;

use examiner::UnixTime;
use policy::decide::{NoRenewal, may_renew};
use policy::record::{OperatorRole, Origin, Revoked};
use policy::{Holder, Moment};
use support::{World, name};
use testkit::times::{DAY, clock};
use testkit::{Leaf, TestCa, TestCert};

const GRACE: i64 = 30 * DAY;

/// As whom, or why not, in one word.
fn says_at(world: &World, cert: &TestCert, now: UnixTime) -> String {
    let peer = world.peer(cert, now);
    match may_renew(&world.snapshot, &world.site, Some(&peer), GRACE, Moment::at(now)) {
        Ok(party) => party.to_string(),
        Err(NoRenewal::Refused(refusal)) => {
            assert!(!refusal.observable, "observing lets no renewal through");
            refusal.code().to_string()
        }
        Err(NoRenewal::NotOurs) => "not-ours".into(),
    }
}

fn says(world: &World, cert: &TestCert) -> String {
    says_at(world, cert, clock())
}

#[test]
fn an_own_certificate_is_renewed_whatever_sites_its_party_may_enter() {
    let own = TestCa::new("Own Client CA");
    let (svc, unrecorded) = (own.issue("svc"), own.issue("svc"));
    let world = World::new().own_ca(&own).party("svc").own("svc", &svc);
    assert_eq!(says(&world, &svc), "svc");
    assert_eq!(says(&world, &unrecorded), "not-allowed");
    let nobody = may_renew(&world.snapshot, &world.site, None, GRACE, Moment::at(clock()));
    assert!(
        matches!(nobody, Err(NoRenewal::Refused(refusal)) if refusal.code().as_str() == "no-certificate")
    );
}

#[test]
fn it_is_renewed_to_the_last_second_of_grace_and_never_before_it_begins() {
    let own = TestCa::new("Own Client CA");
    let (begin, end) = (clock().plus(-DAY), clock().plus(DAY));
    let svc = Leaf::new("svc").valid(begin, end).issued_by(&own);
    let world = World::new().own_ca(&own).party("svc").allow("svc").own("svc", &svc);
    let (begin, end) = (svc.facts().not_before, svc.facts().not_after);
    for (now, word, enters) in [
        (begin.plus(-1), "not-yet-valid", "not-yet-valid"),
        (begin, "svc", "svc"),
        (end, "svc", "svc"),
        (end.plus(1), "svc", "expired"),
        (end.plus(GRACE), "svc", "expired"),
        (end.plus(GRACE + 1), "expired", "expired"),
    ] {
        assert_eq!(
            (says_at(&world, &svc, now).as_str(), world.says_at(&svc, now).as_str()),
            (word, enters),
            "{now}"
        );
    }
}

#[test]
fn what_ends_an_admission_ends_renewal_too() {
    let own = TestCa::new("Own Client CA");
    let svc = own.issue("svc");
    let now = clock();
    let with = |change: &dyn Fn(&mut policy::CertificateRecord)| {
        World::new().own_ca(&own).party("svc").record("svc", &svc, Origin::Own, |record| change(record))
    };
    let revoked = Revoked { at: now, reason: "certificate-hold".into() };
    assert_eq!(says(&with(&|one| one.revoked = Some(revoked.clone())), &svc), "revoked");
    assert_eq!(says_at(&with(&|one| one.superseded_after = Some(now)), &svc, now), "svc");
    assert_eq!(says_at(&with(&|one| one.superseded_after = Some(now.plus(-1))), &svc, now), "superseded");
    let suspended = World::new()
        .own_ca(&own)
        .party_with("svc", |party| party.suspended_since = Some(now))
        .own("svc", &svc);
    assert_eq!(says(&suspended, &svc), "suspended");
    let world = with(&|_| {});
    let peer = world.peer(&svc, now);
    let stale = Moment { now, policy_age: 11, max_stale: 10 };
    let told = may_renew(&world.snapshot, &world.site, Some(&peer), GRACE, stale);
    assert!(matches!(told, Err(NoRenewal::Refused(refusal)) if refusal.code().as_str() == "policy-stale"));
}

#[test]
fn certificates_of_others_are_not_ours_to_renew() {
    let (own, acme) = (TestCa::new("Own Client CA"), TestCa::new("Acme CA"));
    let (pinned, keyed, foreign) =
        (Leaf::new("a").self_signed(), Leaf::new("b").self_signed(), acme.issue("c"));
    let (operator, stranger) = (own.issue("boss"), TestCa::new("Other").issue("svc"));
    let world = World::new()
        .own_ca(&own)
        .ca("acme", &acme)
        .party("svc")
        .pin("svc", &pinned)
        .pin_key("svc", &keyed)
        .record("svc", &operator, Origin::Own, |record| {
            record.holder = Holder::Operator { name: name("boss"), role: OperatorRole::Owner };
        });
    for (cert, word) in [
        (&pinned, "not-ours"),
        (&keyed, "not-ours"),
        (&foreign, "not-ours"),
        (&operator, "not-allowed"),
        (&stranger, "unknown-issuer"),
    ] {
        assert_eq!(says(&world, cert), word);
    }
}
