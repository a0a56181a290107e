use testkit::{Leaf, Portal, TestCa, openssl_s_client};

use crate::support::binary;

fn portal(how: &str) -> (Portal, TestCa) {
    let acme = TestCa::new("Acme CA");
    let portal = Portal::build(&binary()).on_refuse(how).file("acme.pem", acme.pem()).prepare();
    let args = ["ca", "add", "acme.pem", "--name", "acme", "--site", "portal.test", "--accept-any"];
    portal.countersign(&args).ok();
    let mut portal = portal;
    Leaf::new("old").ended_yesterday().issued_by(&acme).write(portal.sandbox.dir(), "old");
    Leaf::new("new").starts_tomorrow().issued_by(&acme).write(portal.sandbox.dir(), "new");
    acme.issue("good").write(portal.sandbox.dir(), "good");
    portal.start_gate();
    (portal, acme)
}

#[test]
fn a_certificate_outside_its_dates_is_refused_with_the_date() {
    let (portal, _) = portal("page");
    for (name, code) in [("old", "expired"), ("new", "not-yet-valid")] {
        let answer = portal.curl(Some(name), "/", &[]);
        assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some(code)));
        let facts = examiner::cert::pem::certificates(portal.sandbox.read(&format!("{name}.pem")).as_bytes())
            .unwrap();
        let date = if name == "old" { facts[0].not_after } else { facts[0].not_before };
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&date.date()), "{detail} names {date}");
    }
    assert_eq!(portal.echo.count(), 0);
    assert_eq!(portal.curl(Some("good"), "/", &[]).status, 200);
}

#[test]
fn a_strict_site_answers_both_with_alert_45() {
    let (portal, _) = portal("handshake");
    for name in ["old", "new"] {
        let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
        let seen = openssl_s_client(
            portal.sandbox.dir(),
            portal.port,
            Some("portal.test"),
            &["-tls1_3", "-cert", &cert, "-key", &key],
        );
        assert_eq!(seen.alert, Some(45), "{name}: {}", seen.output);
    }
    assert_eq!(portal.echo.count(), 0);
    assert_eq!(portal.curl(Some("good"), "/", &[]).status, 200);
}
