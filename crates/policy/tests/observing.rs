//! Observing: what it lets through until its last second, and what never.

#[allow(dead_code, reason = "the other tests of this world need the rest")]
mod support;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use policy::record::{Origin, RecordChange, Revoked};
use policy::{CaLists, Code, Holder, Moment, OnStale, PartyName, RevocationList, decide};
use support::{World, entries, word};
use testkit::ca::Crl;
use testkit::times::{DAY, clock};
use testkit::{KeyType, Leaf, TestCa, TestCert};

struct Row {
    what: &'static str,
    code: Code,
    world: World,
    cert: Option<TestCert>,
}

fn row(what: &'static str, code: Code, world: World, cert: impl Into<Option<TestCert>>) -> Row {
    Row { what, code, world, cert: cert.into() }
}

/// A pinned party `acme` with this certificate.
fn pinned(cert: &TestCert) -> World {
    World::new().party("acme").allow("acme").pin("acme", cert)
}

fn let_through() -> Vec<Row> {
    let acme = TestCa::new("Acme CA");
    let attached = || World::new().ca("acme", &acme).allow("ca:acme");
    let sub = |from: i64, to: i64| TestCa::build("Sub").valid_from_now(from, to).under(&acme);
    let long = |ca: &TestCa| Leaf::new("x").valid_from_now(-40 * DAY, 40 * DAY).issued_by(ca);
    let old = Leaf::new("acme").valid_from_now(-20 * DAY, -10 * DAY).self_signed();
    let new = Leaf::new("acme").valid_from_now(10 * DAY, 20 * DAY).self_signed();
    let good = Leaf::new("acme").self_signed();
    let mut rows = vec![
        row("no certificate", Code::NoCertificate, World::new(), None),
        row("an issuer that nobody knows", Code::UnknownIssuer, attached(), good.clone()),
        row("past its dates", Code::Expired, pinned(&old), old.clone()),
        row("before its dates", Code::NotYetValid, pinned(&new), new.clone()),
        row("an issuer past its dates", Code::Expired, attached(), long(&sub(-30 * DAY, -10 * DAY))),
        row("an issuer before its dates", Code::NotYetValid, attached(), long(&sub(10 * DAY, 30 * DAY))),
        row("not on any list", Code::NotAllowed, World::new().party("acme").pin("acme", &good), good.clone()),
        row(
            "does not fit its issuer's match",
            Code::NotAllowed,
            World::new()
                .ca_with("acme", &acme, |ca| ca.admission = entries(&["san:dns=a.acme.example"]))
                .allow("ca:acme"),
            acme.issue("x"),
        ),
    ];
    for (what, leaf) in [
        ("for servers", Leaf::new("acme").server_usage()),
        ("for any use", Leaf::new("acme").any_usage()),
        ("for no use that it names", Leaf::new("acme").without_usage()),
        ("without digitalSignature", Leaf::new("acme").without_digital_signature()),
        ("a CA", Leaf::new("acme").is_ca()),
    ] {
        let cert = leaf.self_signed();
        rows.push(row(what, Code::WrongUsage, pinned(&cert), cert));
        rows.push(row(what, Code::WrongUsage, attached(), leaf.issued_by(&acme)));
    }
    rows
}

fn never() -> Vec<Row> {
    let (acme, own) = (TestCa::new("Acme CA"), TestCa::new("Own CA"));
    let attached = || World::new().ca("acme", &acme).allow("ca:acme");
    let now = clock();
    let revoked = || Revoked { at: now, reason: "key-compromise".into() };
    let good = Leaf::new("acme").self_signed();
    let alice = own.issue("alice");
    let ours = || World::new().own_ca(&own).party("alice").own("alice", &alice);
    let listed = acme.issue("x");
    let lists = |crl: Crl, from: i64, to: i64| {
        let der = crl.updates_from_now(from, to).der(&acme);
        let list = Arc::new(RevocationList::read(&der, &[acme.facts()]).unwrap());
        let lists = CaLists::new([(list, OnStale::Deny)]);
        let mut world = attached();
        world.snapshot.lists = Arc::new(HashMap::from([("acme".to_owned(), lists)]));
        world
    };
    let sub = acme.intermediate("Sub");
    let mut without = sub.issue("x");
    without.chain_pem = without.pem.clone();
    let known_sub =
        World::new().ca_with("acme", &acme, |ca| ca.intermediates.push(sub.facts())).allow("ca:acme");
    let odd = TestCert { pem: broken(&good), chain_pem: broken(&good), ..good.clone() };
    let weak = Leaf::new("acme").key_type(KeyType::Rsa1024).self_signed();
    let old = Leaf::new("acme").valid_from_now(-20 * DAY, -10 * DAY).self_signed();
    let servers = Leaf::new("acme").server_usage().self_signed();
    let suspend = |world: World| world.party_with("acme", |party| party.suspended_since = Some(now));
    vec![
        row(
            "revoked by name",
            Code::Revoked,
            World::new().party("acme").allow("acme").record("acme", &good, Origin::Pinned, |record| {
                record.revoked = Some(revoked());
            }),
            good.clone(),
        ),
        row(
            "a key known to be compromised",
            Code::Revoked,
            pinned(&good).change(RecordChange::CompromisedKey(good.facts().key_pin, true)),
            good.clone(),
        ),
        row(
            "on its issuer's list",
            Code::Revoked,
            lists(Crl::new().revoke(&listed, None), -DAY, DAY),
            listed.clone(),
        ),
        row(
            "its issuer's list is too old",
            Code::RevocationUnknown,
            lists(Crl::new(), -2 * DAY, -DAY),
            listed.clone(),
        ),
        row(
            "superseded",
            Code::Superseded,
            World::new().party("acme").allow("acme").record("acme", &good, Origin::Pinned, |record| {
                record.superseded_after = Some(now.plus(-DAY));
            }),
            good.clone(),
        ),
        row("suspended", Code::Suspended, suspend(pinned(&good)), good.clone()),
        row("suspended, and past its dates", Code::Suspended, suspend(pinned(&old)), old.clone()),
        row("suspended, and for servers", Code::Suspended, suspend(pinned(&servers)), servers.clone()),
        row("denied", Code::NotAllowed, pinned(&good).deny("acme"), good.clone()),
        row("denied, and past its dates", Code::NotAllowed, pinned(&old).deny("acme"), old),
        row("denied, and for servers", Code::NotAllowed, pinned(&servers).deny("acme"), servers),
        row(
            "a denied group's",
            Code::NotAllowed,
            pinned(&good).deny("group:g").group("g", &["acme"]),
            good.clone(),
        ),
        row("a denied issuer's", Code::NotAllowed, attached().deny("ca:acme"), listed.clone()),
        row("ours, and not on record", Code::NotAllowed, ours().allow("ca:own"), own.issue("alice")),
        row(
            "an operator's on a site",
            Code::NotAllowed,
            ours().record("alice", &good, Origin::Pinned, |record| {
                record.holder = Holder::Operator {
                    name: PartyName::parse("root").unwrap(),
                    role: policy::record::OperatorRole::Owner,
                };
            }),
            good.clone(),
        ),
        row("a chain without an intermediate that is known", Code::ChainIncomplete, known_sub, without),
        row(
            "a forged signature",
            Code::BadSignature,
            attached(),
            Leaf::new("x").broken_signature().issued_by(&acme),
        ),
        row("unreadable", Code::Malformed, attached(), odd),
        row("a weak key", Code::WeakKey, pinned(&weak), weak),
        row(
            "a critical extension that nobody knows",
            Code::ChainInvalid,
            attached(),
            Leaf::new("x").unknown_critical_extension().issued_by(&acme),
        ),
    ]
}

/// The certificate with a length in it that points behind its end.
fn broken(cert: &TestCert) -> String {
    let mut der = cert.der.to_vec();
    der[3] = der[3].wrapping_add(1);
    examiner::cert::pem::encode("CERTIFICATE", &der)
}

/// Without observing, and before, at and after the last second of it.
fn says(row: &mut Row) -> [String; 4] {
    let until = clock();
    let cert = row.cert.as_ref();
    let plain = word(row.world.decide_at(cert, until));
    row.world.site.observe_until = Some(until);
    let at = |second| word(row.world.decide_at(cert, until.plus(second)));
    [plain, at(-1), at(0), at(1)]
}

#[test]
fn what_observing_is_for_passes_to_its_last_second_and_nothing_else_ever() {
    let mut seen = BTreeSet::new();
    for mut row in let_through() {
        let (code, observed) = (row.code.to_string(), format!("observe {}", row.code));
        assert_eq!(says(&mut row), [&code, &observed, &observed, &code].map(String::as_str), "{}", row.what);
        seen.insert(code);
    }
    assert_eq!(
        seen.iter().map(String::as_str).collect::<Vec<_>>(),
        ["expired", "no-certificate", "not-allowed", "not-yet-valid", "unknown-issuer", "wrong-usage"]
    );
    for mut row in never() {
        let code = row.code.to_string();
        assert_eq!(says(&mut row), [code.as_str(); 4], "{}", row.what);
        seen.insert(code);
    }
    // Those of the policy's age, of possession and of the host are decided elsewhere than by a certificate.
    let elsewhere = [Code::PolicyStale, Code::PossessionFailed, Code::HostMismatch];
    seen.extend(elsewhere.iter().map(ToString::to_string));
    assert_eq!(seen, Code::ALL.iter().map(ToString::to_string).collect(), "a row for each code");
}

#[test]
fn a_policy_too_old_is_no_ground_for_observing() {
    let mut world = World::new();
    world.site.observe_until = Some(clock().plus(DAY));
    let at = |policy_age| {
        let moment = Moment { now: clock(), policy_age, max_stale: 60 };
        word(decide(&world.snapshot, &world.site, None, None, moment))
    };
    assert_eq!((at(60).as_str(), at(61).as_str()), ("observe no-certificate", "policy-stale"));
}

#[test]
fn a_suspended_or_denied_party_is_never_observed_by_leaving_its_chain_out() {
    let own = TestCa::new("Own Root");
    let client_ca = own.intermediate("Own Client CA");
    let whole = client_ca.issue("alice");
    let alone = TestCert { chain_pem: whole.pem.clone(), ..whole.clone() };
    let now = clock();
    let base = || World::new().own_ca(&own).party("alice").allow("alice").own("alice", &whole);
    let suspended = || base().party_with("alice", |party| party.suspended_since = Some(now));
    let group = || base().deny("group:out").group("out", &["alice"]);
    for cert in [whole.clone(), alone.clone()] {
        for (what, code, world) in [
            ("suspended", Code::Suspended, suspended()),
            ("denied", Code::NotAllowed, base().deny("alice")),
            ("a denied group's", Code::NotAllowed, group()),
        ] {
            assert_eq!(says(&mut row(what, code, world, cert.clone())), [code.as_str(); 4], "{what}");
        }
    }
    // Nothing is held against her: by that alone she is not let in.
    assert_eq!((base().says(&whole), base().says(&alone)), ("alice".into(), "unknown-issuer".into()));
}
