use testkit::{Portal, openssl_s_client};

use crate::support::{binary, log_with_code};

#[test]
fn a_strict_site_answers_no_certificate_with_alert_116() {
    let portal = Portal::build(&binary()).on_refuse("handshake").party("alice").start();
    let seen = openssl_s_client(portal.sandbox.dir(), portal.port, Some("portal.test"), &["-tls1_3"]);
    assert_eq!(seen.alert, Some(116), "{}", seen.output);
    assert_eq!(portal.echo.count(), 0);
    let logged = log_with_code(&portal, "no-certificate");
    assert_eq!(logged[0]["verdict"], "refused");
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200, "and alice enters");
}
