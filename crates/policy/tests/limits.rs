//! Numbers that the decision keeps to, each at both sides of its boundary.

#[allow(dead_code, reason = "the other tests of this world need the rest")]
mod support;

use policy::{Decision, Moment, Why, decide};
use support::{World, word};
use testkit::times::{DAY, clock};
use testkit::{Leaf, TestCa, TestKey};

#[test]
fn the_tolerance_of_the_clock_is_for_beginnings_alone_and_none_unless_set() {
    let now = clock();
    let cert = Leaf::new("acme").valid(now, now.plus(DAY)).self_signed();
    let mut world = World::new().party("acme").allow("acme").pin("acme", &cert);
    for (tolerance, first) in [(0, 0), (1, -1), (300, -300)] {
        world.site.clock_tolerance = tolerance;
        assert_eq!(world.says_at(&cert, now.plus(first)), "acme", "{tolerance}");
        assert_eq!(world.says_at(&cert, now.plus(first - 1)), "not-yet-valid", "{tolerance}");
        assert_eq!(world.says_at(&cert, now.plus(DAY)), "acme", "{tolerance}");
        assert_eq!(world.says_at(&cert, now.plus(DAY + 1)), "expired", "{tolerance}");
    }
}

#[test]
fn the_tolerance_holds_for_issuers_too() {
    let now = clock();
    let root = TestCa::build("Root").valid(now.plus(-DAY), now.plus(30 * DAY)).root();
    let sub = TestCa::build("Sub").valid(now, now.plus(20 * DAY)).under(&root);
    let cert = Leaf::new("x").valid(now.plus(-DAY), now.plus(10 * DAY)).issued_by(&sub);
    let mut world = World::new().ca("acme", &root).allow("ca:acme");
    for (tolerance, first) in [(0, 0), (300, -300)] {
        world.site.clock_tolerance = tolerance;
        assert_eq!(world.says_at(&cert, now.plus(first)), "ca/acme", "{tolerance}");
        assert_eq!(world.says_at(&cert, now.plus(first - 1)), "not-yet-valid", "{tolerance}");
    }
}

#[test]
fn a_policy_is_in_force_to_its_greatest_age_and_refuses_everybody_after() {
    let cert = Leaf::new("acme").self_signed();
    let mut world = World::new().party("acme").allow("acme").pin("acme", &cert);
    world.site.observe_until = Some(clock().plus(DAY));
    let stranger = Leaf::new("eve").self_signed();
    let says = |cert: &testkit::TestCert, policy_age| {
        let peer = world.peer(cert, clock());
        let moment = Moment { now: clock(), policy_age, max_stale: 86_400 };
        word(decide(&world.snapshot, &world.site, None, Some(&peer), moment))
    };
    assert_eq!(
        (says(&cert, 86_400), says(&stranger, 86_400)),
        ("acme".into(), "observe unknown-issuer".into())
    );
    assert_eq!(
        (says(&cert, 86_401), says(&stranger, 86_401)),
        ("policy-stale".into(), "policy-stale".into())
    );
}

/// An odd number of exactly so many bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut bytes = vec![0xff; bits.div_ceil(8)];
    bytes[0] = 0xff >> (bytes.len() * 8 - bits);
    bytes
}

#[test]
fn an_rsa_key_has_2048_to_8192_bit_and_an_odd_exponent_of_17_to_32_bit() {
    let found = |bits: usize, exponent: u64| {
        let digits: Vec<u8> = exponent.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
        let key = TestKey::rsa_public(&modulus(bits), &digits);
        let cert = Leaf::new("x").key(&key).issued_by(&TestCa::new("Some CA"));
        let world = World::new().party("x").allow("x").pin("x", &cert);
        match world.decide_at(Some(&cert), clock()) {
            Decision::Admit(_) => None,
            Decision::Refuse(refusal) => match refusal.why {
                Why::WeakKey { found } => Some(found),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    for (bits, fits) in [(2047, false), (2048, true), (4096, true), (8192, true), (8193, false)] {
        let wanted = if fits { None } else { Some(format!("RSA {bits} bit")) };
        assert_eq!(found(bits, 65_537), wanted, "the size is named");
    }
    let last = u64::from(u32::MAX);
    for (exponent, fits) in
        [(3, false), (65_535, false), (65_536, false), (65_537, true), (65_538, false), (last, true)]
    {
        assert_eq!(found(2048, exponent).is_none(), fits, "{exponent}");
    }
    for exponent in [last + 1, last + 2, 1 << 40] {
        assert_eq!(found(2048, exponent), Some(format!("RSA 2048 bit with exponent {exponent}")));
    }
}

#[test]
fn four_intermediates_are_looked_at_and_no_more() {
    let root = TestCa::new("Root");
    let mut ca = root.intermediate("Sub 1");
    for number in 2..=4 {
        ca = ca.intermediate(&format!("Sub {number}"));
    }
    let world = World::new().ca("acme", &root).allow("ca:acme");
    assert_eq!(world.says(&ca.issue("x")), "ca/acme");
    assert_ne!(world.says(&ca.intermediate("Sub 5").issue("x")), "ca/acme");
}

#[test]
fn eight_signatures_are_checked_and_no_more() {
    // Each namesake of the issuer costs the check of a signature that is not its.
    let right = TestCa::new("Acme CA");
    let cert = right.issue("x");
    let with = |namesakes: usize| {
        let mut world = World::new();
        for number in 0..namesakes {
            world = world.ca(&format!("namesake-{number}"), &TestCa::new("Acme CA"));
        }
        world.ca("acme", &right).allow("ca:acme").says(&cert)
    };
    assert_eq!(with(7), "ca/acme");
    assert_ne!(with(8), "ca/acme", "a ninth");
}
