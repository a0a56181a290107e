//! The rules of path validation one by one: policies, revocation lists, name constraints, the order of certificates.
#![allow(clippy::disallowed_methods)]

mod support;

use examiner::UnixTime;
use examiner::chain::{Chain, Examinee};
use examiner::path::{Budget, Crl, Rules, build};
use support::der::*;
use support::revocation;
use support::spec::{self, CertificateSpec, OTHER_KEY, OTHER_SPKI, critical, dns, extension, key_id, san};

const AT: &str = "2026-05-01T00:00:00Z";

fn policies(listed: &[&str]) -> Vec<u8> {
    let each: Vec<Vec<u8>> = listed.iter().map(|one| seq(&[&oid(one)])).collect();
    seq(&each.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn leaf_and_ca(change: impl FnOnce(&mut CertificateSpec, &mut CertificateSpec)) -> Vec<CertificateSpec> {
    let (mut leaf, mut issuing) = (spec::leaf(), spec::issuing());
    change(&mut leaf, &mut issuing);
    vec![leaf, issuing]
}

/// The fault that keeps the chain from the root; `None` where a path holds.
fn fault(certificates: Vec<CertificateSpec>, crls: &[Crl]) -> Option<&'static str> {
    let read = |spec: &CertificateSpec| Examinee::read(spec.build());
    let chain =
        Chain::served(certificates.iter().map(read).collect()).with_anchors(vec![read(&spec::root())]);
    let at = UnixTime::parse(AT).unwrap();
    let paths = build(&chain, &Rules { at, purpose: None, max_depth: None, crls, budget: Budget::default() });
    if paths.valid.is_empty() { paths.best_fault().map(|fault| fault.id) } else { None }
}

#[test]
fn a_policy_must_hold_along_the_path_only_where_one_is_asked_for() {
    let require = |skip: u8| critical("2.5.29.36", seq(&[&implicit(0, &[skip])]));
    let case = |of_leaf: &[&str], of_ca: &[&str], required: Option<u8>| {
        fault(
            leaf_and_ca(|leaf, ca| {
                leaf.set(extension("2.5.29.32", policies(of_leaf)));
                ca.set(extension("2.5.29.32", policies(of_ca)));
                if let Some(skip) = required {
                    ca.set(require(skip));
                }
            }),
            &[],
        )
    };
    assert_eq!(case(&["1.2.3"], &["1.2.4"], None), None);
    assert_eq!(case(&["1.2.3"], &["1.2.4"], Some(0)), Some("policy-tree-empty"));
    assert_eq!(case(&["1.2.3"], &["1.2.3"], Some(0)), None);
    assert_eq!(case(&["1.2.3"], &["2.5.29.32.0"], Some(0)), None);
    // More certificates may follow than there are.
    assert_eq!(case(&["1.2.3"], &["1.2.4"], Some(5)), None);
}

#[test]
fn a_mapped_policy_holds_under_its_new_name() {
    let mapped = |to: &str| {
        leaf_and_ca(|leaf, ca| {
            leaf.set(extension("2.5.29.32", policies(&["1.2.9"])));
            ca.set(extension("2.5.29.32", policies(&["1.2.3"])));
            ca.set(critical("2.5.29.36", seq(&[&implicit(0, &[0])])));
            ca.set(critical("2.5.29.33", seq(&[&seq(&[&oid("1.2.3"), &oid(to)])])));
        })
    };
    assert_eq!(fault(mapped("1.2.9"), &[]), None);
    assert_eq!(fault(mapped("1.2.8"), &[]), Some("policy-tree-empty"));
    assert_eq!(fault(mapped("2.5.29.32.0"), &[]), Some("policy-mapping-bad"));
}

#[test]
fn any_policy_ends_where_it_is_inhibited() {
    let case = |skip: u8| {
        fault(
            leaf_and_ca(|leaf, ca| {
                leaf.set(extension("2.5.29.32", policies(&["2.5.29.32.0"])));
                ca.set(extension("2.5.29.32", policies(&["1.2.3"])));
                ca.set(critical("2.5.29.36", seq(&[&implicit(0, &[0])])));
                ca.set(critical("2.5.29.54", integer(&[skip])));
            }),
            &[],
        )
    };
    assert_eq!(case(0), Some("policy-tree-empty"));
    assert_eq!(case(1), None);
}

#[test]
fn a_list_that_does_not_hold_decides_against() {
    let with = |change: fn(&mut revocation::CrlSpec)| {
        let list = Crl::from_der(&revocation::crl().with(change)).unwrap();
        fault(leaf_and_ca(|_, _| {}), &[list])
    };
    assert_eq!(with(|_| {}), None);
    assert_eq!(with(|list| list.revoked.push(spec::leaf().serial)), Some("revoked-crl"));
    assert_eq!(with(|list| list.next_update = utc_time("260430235959Z")), Some("crl-unreachable-expired"));
    assert_eq!(with(|list| list.next_update = utc_time("260501000000Z")), None);
    // Clocks may be five minutes apart.
    assert_eq!(with(|list| list.this_update = utc_time("260501000500Z")), None);
    assert_eq!(with(|list| list.this_update = utc_time("260501000501Z")), Some("crl-unreachable-expired"));
    assert_eq!(with(|list| list.signer = OTHER_KEY), Some("crl-signature-or-issuer-wrong"));
    assert_eq!(with(|list| list.extensions.retain(|one| one.0 != "2.5.29.20")), Some("crl-profile"));
    assert_eq!(with(|list| list.extensions.push(("1.2.3", true, null()))), Some("crl-profile"));
    // Another issuer's list says nothing here.
    assert_eq!(with(|list| list.issuer = spec::ca_name("Another CA")), None);
}

#[test]
fn an_issuer_that_may_not_sign_lists_is_told_before_what_its_list_says() {
    let list = Crl::from_der(&revocation::crl().build()).unwrap();
    let without = leaf_and_ca(|_, ca| ca.set(critical("2.5.29.15", named_bits(&[5]))));
    assert_eq!(fault(without, &[list]), Some("crl-issuer-no-crlsign"));
}

#[test]
fn constraints_hold_for_every_name_below_and_for_each_type_alone() {
    let permits = |base: Vec<u8>| critical("2.5.29.30", seq(&[&explicit(0, &seq(&[&base]))]));
    let excludes = |base: Vec<u8>| critical("2.5.29.30", seq(&[&explicit(1, &seq(&[&base]))]));
    let case = |constraints, names: &[Vec<u8>]| {
        fault(
            leaf_and_ca(|leaf, ca| {
                leaf.extension("2.5.29.17").value = san(names);
                ca.set(constraints);
            }),
            &[],
        )
    };
    let hosts = [dns("a.example.com"), dns("b.example.org")];
    assert_eq!(case(permits(dns("example.com")), &hosts[..1]), None);
    assert_eq!(case(permits(dns("example.com")), &hosts), Some("nc-violated"));
    assert_eq!(case(excludes(dns("example.org")), &hosts), Some("nc-violated"));
    assert_eq!(case(excludes(dns("example.net")), &hosts), None);
    // What permits addresses says nothing of hosts.
    assert_eq!(case(permits(implicit(7, &[192, 0, 2, 0, 255, 255, 255, 0])), &hosts), None);
    assert_eq!(
        case(permits(implicit(7, &[192, 0, 2, 0, 255, 255, 255, 0])), &[implicit(7, &[192, 0, 3, 1])]),
        Some("nc-violated")
    );
}

#[test]
fn the_verdict_does_not_depend_on_the_order_of_what_is_served() {
    // A second certificate of the issuing CA, signed by a key that the root has not.
    let mut astray = spec::issuing();
    astray.serial = integer(&[0x2a; 16]);
    astray.signer = OTHER_KEY;
    let mut cross = spec::root();
    cross.issuer = spec::ca_name("Another Root");
    cross.signer = OTHER_KEY;
    cross.set(extension("2.5.29.35", seq(&[&implicit(0, &key_id(OTHER_SPKI))])));
    let above = [spec::issuing(), astray, cross];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let served = std::iter::once(spec::leaf()).chain(order.map(|i| above[i].clone())).collect();
        assert_eq!(fault(served, &[]), None, "{order:?}");
    }
}
