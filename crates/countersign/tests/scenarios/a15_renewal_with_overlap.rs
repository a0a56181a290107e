use testkit::Portal;

use crate::support::{binary, eventually};

#[test]
fn old_and_new_enter_until_the_overlap_is_over() {
    let portal = Portal::start(&binary());
    let dir = portal.sandbox.dir().to_path_buf();
    for file in ["pem", "key", "p12"] {
        std::fs::rename(dir.join(format!("alice.{file}")), dir.join(format!("old.{file}"))).unwrap();
    }
    let config = portal.sandbox.read("countersign.toml");
    portal.countersign(&["party", "renew", "alice", "--overlap", "4s", "--pem", "--out", "."]).ok();
    eventually("the new one enters", || (portal.curl(Some("alice"), "/", &[]).status == 200).then_some(()));
    assert_eq!(portal.curl(Some("old"), "/", &[]).status, 200, "the old one too, for now");
    let refused = eventually("the overlap ends", || {
        let answer = portal.curl(Some("old"), "/", &[]);
        (answer.status == 403).then_some(answer)
    });
    assert_eq!(refused.json()["code"], "superseded");
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    assert_eq!(portal.sandbox.read("countersign.toml"), config, "no configuration changed");
}
