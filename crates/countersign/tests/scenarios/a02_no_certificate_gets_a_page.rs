use testkit::Portal;

use crate::support::{binary, log_with_code};

#[test]
fn no_certificate_is_refused_with_a_reference_in_the_visitors_language() {
    let portal = Portal::start(&binary());
    let answer = portal.curl(None, "/", &[]);
    assert_eq!(answer.status, 403, "{}", answer.stderr);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let problem = answer.json();
    assert_eq!(problem["code"], "no-certificate");
    assert_eq!(problem["site"], "portal.test");
    let reference = problem["reference"].as_str().expect("a reference").to_owned();

    let page = portal.curl(None, "/", &["-H", "Accept: text/html", "-H", "Accept-Language: nl"]);
    assert_eq!(page.status, 403);
    let html = page.text();
    assert!(html.contains("lang=\"nl\"") && html.contains("certificaat"), "{html}");
    assert_eq!(portal.echo.count(), 0, "the upstream saw nothing");

    let logged = log_with_code(&portal, "no-certificate");
    assert!(logged.iter().any(|entry| entry["reference"] == reference.as_str()), "{logged:?}");
    let explained = portal.countersign(&["explain", &reference.to_lowercase()]).ok();
    for part in [reference.as_str(), "no-certificate", "No certificate was shown"] {
        assert!(explained.stdout.contains(part), "{part}: {}", explained.story());
    }
    portal.countersign(&["explain", "2222-22"]).exited(5);
}
