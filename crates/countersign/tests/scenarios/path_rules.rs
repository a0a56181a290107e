use testkit::Portal;

use crate::support::binary;

#[test]
fn a_rule_for_a_path_holds_under_every_spelling() {
    let rules = "[[site.\"portal.test\".path]]\nprefix = \"/admin\"\nallow = [\"bob\"]\n\n\
                 [[site.\"portal.test\".path]]\nprefix = \"/health\"\nclient_auth = \"off\"\n\n\
                 [[site.\"portal.test\".path]]\nprefix = \"/maybe\"\nclient_auth = \"optional\"\n";
    let portal = Portal::build(&binary()).extra_toml(rules).party("alice").party("bob").start();
    let ask = |who: Option<&str>, path: &str| portal.curl(who, path, &["--path-as-is"]).status;
    assert_eq!(ask(Some("bob"), "/admin/x"), 200);
    assert_eq!(ask(Some("alice"), "/other"), 200);
    assert_eq!(ask(Some("alice"), "/administrator"), 200);
    let before = portal.echo.count();
    for path in [
        "/admin",
        "/admin/",
        "/admin/x",
        "//admin",
        "/./admin",
        "/other/../admin",
        "/other/%2e%2e/admin",
        "/%61dmin",
        "/admin?x",
        "/health/../admin",
    ] {
        assert_eq!(ask(Some("alice"), path), 403, "{path}");
    }
    for path in [
        "/other/%2e%2e%2fadmin",
        "/%2fadmin",
        "/other/..;/admin",
        "/admin;x",
        "/a%00",
        "/a%5c..%5cadmin",
        "/%252e%252e/admin",
    ] {
        assert_eq!(ask(Some("alice"), path), 400, "{path}");
    }
    assert_eq!(portal.echo.count(), before, "none of these reached the upstream");

    assert_eq!(ask(None, "/health"), 200);
    assert_eq!(ask(None, "/healthy"), 403);
    assert_eq!(ask(None, "/health/../other"), 403);
    assert_eq!(ask(None, "/maybe"), 200);
    let seen = portal.echo.last();
    assert!(seen.header("client-cert").is_none() && seen.header("countersign-party").is_none(), "{seen:?}");
}
