use testkit::Portal;

use crate::support::binary;

#[test]
fn a_preflight_of_a_listed_origin_needs_no_certificate_and_reaches_no_upstream() {
    let portal = Portal::build(&binary())
        .site_line("cors_origins = [\"https://app.example.com\"]")
        .party("alice")
        .start();
    let ask = |who, origin: &str, more: &[&str]| {
        let origin = format!("Origin: {origin}");
        let all = [&["-X", "OPTIONS", "-H", &origin][..], more].concat();
        portal.curl(who, "/x", &all)
    };
    let method = ["-H", "Access-Control-Request-Method: PUT", "-H", "Access-Control-Request-Headers: x-a"];
    for version in ["--http1.1", "--http2"] {
        let answer = ask(None, "https://app.example.com", &[&method[..], &[version]].concat());
        assert_eq!(answer.status, 204, "{}", answer.stderr);
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example.com"),
            ("access-control-allow-methods", "PUT"),
            ("access-control-allow-headers", "x-a"),
        ] {
            assert_eq!(answer.header(name), Some(value));
        }
        assert_eq!(ask(None, "https://evil.test", &[&method[..], &[version]].concat()).status, 403);
        assert_eq!(ask(None, "https://app.example.com", &[version]).status, 403, "a plain OPTIONS");
    }
    assert_eq!(portal.echo.count(), 0);
    assert_eq!(
        ask(Some("alice"), "https://evil.test", &method).status,
        200,
        "alice's OPTIONS are the site's"
    );
    assert_eq!(portal.echo.count(), 1);
}

#[test]
fn preflights_have_no_place_on_a_handshake_site() {
    let portal = Portal::build(&binary()).on_refuse("handshake").prepare();
    let config = portal.sandbox.read("countersign.toml");
    let wrong = config.replace("on_refuse", "cors_origins = [\"https://app.example.com\"]\non_refuse");
    portal.sandbox.write("countersign.toml", wrong);
    let answer = portal.countersign(&["validate"]);
    assert_eq!(answer.code, 3);
    let all = format!("{}{}", answer.stdout, answer.stderr);
    assert!(all.contains("cors_origins cannot hold where on_refuse is \"handshake\""), "{all}");
}
