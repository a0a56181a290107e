use testkit::Portal;

use crate::support::binary;

#[test]
fn a_certificate_of_ours_without_a_grant_is_not_allowed() {
    let portal = Portal::start(&binary());
    portal.countersign(&["party", "add", "carol", "--pem", "--out", "."]).ok();
    let answer = crate::support::eventually("carol is known", || {
        let answer = portal.curl(Some("carol"), "/", &[]);
        (answer.status == 403).then_some(answer)
    });
    assert_eq!(answer.json()["code"], "not-allowed");
    assert_eq!(portal.echo.count(), 0);
    portal.countersign(&["party", "grant", "carol", "--site", "portal.test"]).ok();
    crate::support::eventually("carol enters once granted", || {
        (portal.curl(Some("carol"), "/", &[]).status == 200).then_some(())
    });
}

#[test]
fn a_site_with_neither_list_nor_grant_lets_nobody_in_and_validate_says_so() {
    let portal = Portal::build(&binary()).prepare();
    let warned = portal.countersign(&["validate"]).ok();
    assert!(warned.both().contains("nobody"), "{}", warned.story());
    portal.countersign(&["validate", "--deny", "warnings"]).exited(1);
}
