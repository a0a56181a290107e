use std::collections::BTreeSet;

use testkit::{Leaf, Portal, TestCa};

use crate::support::{binary, eventually};

/// The names that dashboards and alarms rest on.
const NAMES: [&str; 17] = [
    "countersign_connections_turned_away_total",
    "countersign_handshakes_total",
    "countersign_requests_total",
    "countersign_refusals_total",
    "countersign_handshake_duration_seconds",
    "countersign_request_duration_seconds",
    "countersign_open_connections",
    "countersign_revocation_propagation_seconds",
    "countersign_server_certificate_not_after_timestamp_seconds",
    "countersign_ca_certificate_not_after_timestamp_seconds",
    "countersign_party_certificates",
    "countersign_crl_next_update_timestamp_seconds",
    "countersign_pending_certificates",
    "countersign_exceptions_used_total",
    "countersign_policy_generation",
    "countersign_config_last_reload_successful",
    "countersign_build_info",
];

fn admin(portal: &Portal, path: &str) -> (u16, String) {
    let url = format!("https://localhost:{}{path}", portal.admin_port);
    let args = ["-sk", "--max-time", "20", "-w", "\n%{http_code}", &url];
    let answer = std::process::Command::new("curl").args(args).output().unwrap().stdout;
    let text = String::from_utf8(answer).unwrap();
    let (text, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), text.to_owned())
}

/// The series by name and labels, without their values.
fn series(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
}

#[test]
fn every_metric_is_there_and_follows_what_happens() {
    let mut portal = Portal::build(&binary()).party("alice").party("bob").start();
    let (status, text) = admin(&portal, "/metrics");
    assert_eq!(status, 200);
    for name in NAMES {
        let kind = if name.ends_with("_total") { "counter" } else { "" };
        let told = format!("\n# TYPE {name} {kind}");
        assert!(text.contains(&told), "{name} is missing:\n{text}");
    }
    for told in text.lines().filter(|line| line.starts_with("# TYPE ") && line.ends_with(" histogram")) {
        // Without it a monitoring server can tell no quantile.
        let name = told.split(' ').nth(2).unwrap();
        assert!(
            text.contains(&format!("\n{name}_bucket{{le=\"+Inf\"}} ")),
            "{name} counts not everything:\n{text}"
        );
    }
    let has = |portal: &Portal, line: &str| {
        admin(portal, "/metrics").1.lines().any(|one| one == line).then_some(())
    };
    assert!(has(&portal, "countersign_config_last_reload_successful 1").is_some());
    assert!(text.contains("countersign_ca_certificate_not_after_timestamp_seconds{ca=\"own\"} "), "{text}");
    let counted = "countersign_party_certificates{site=\"portal.test\",state=";
    eventually("two certificates are counted", || has(&portal, &format!("{counted}\"valid\"}} 2")));

    portal.countersign(&["party", "revoke", "bob", "--reason", "key-compromise"]).ok();
    let all = "countersign_revocation_propagation_seconds_bucket{le=\"+Inf\"} 1";
    eventually("the revocation is counted", || has(&portal, all));
    eventually("one is revoked", || has(&portal, &format!("{counted}\"revoked\"}} 1")));

    let file = portal.sandbox.dir().join("countersign.toml");
    let right = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{right}\nbroken")).unwrap();
    portal.countersign(&["reload"]).exited(3);
    portal.gate().hang_up();
    eventually("the failed reload shows", || has(&portal, "countersign_config_last_reload_successful 0"));
    std::fs::write(&file, right).unwrap();
    portal.countersign(&["reload"]).ok();
    eventually("the next one does too", || has(&portal, "countersign_config_last_reload_successful 1"));
    portal.stop_gate();
}

#[test]
fn a_thousand_strangers_add_no_label_values() {
    let portal = Portal::build(&binary()).party("alice").start();
    let ca = TestCa::new("Strange CA");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let knock = |number: usize| {
        let stranger = ca.issue(&format!("stranger-{number}"));
        let client = portal.client().showing(&stranger);
        // Above the limit on strangers the handshake ends with an alert: it is counted as well.
        let known = runtime.block_on(client.knock(portal.port, "portal.test", "/"));
        let named = format!("host-{number}.stranger.test");
        let unknown = runtime.block_on(portal.client().knock(portal.port, &named, "/"));
        assert!(unknown.is_err(), "an unknown name has no site");
        known
    };
    let shown: Vec<bool> = (0..40).map(|number| knock(number).is_ok()).collect();
    assert!(shown.contains(&true), "some are heard");
    admin(&portal, "/metrics");
    let before = series(&admin(&portal, "/metrics").1);
    (40..1000).for_each(|number| drop(knock(number)));
    let after = admin(&portal, "/metrics").1;
    assert!(!after.contains("stranger"), "{after}");
    let new: Vec<_> = series(&after).difference(&before).cloned().collect();
    assert!(new.is_empty(), "{new:?}");
    assert_eq!(portal.echo.count(), 0);
}

#[test]
fn the_gate_is_not_ready_without_a_valid_server_certificate() {
    let ca = TestCa::new("Some CA");
    let ended = Leaf::server("portal.test").valid_from_now(-1000, -10).issued_by(&ca);
    let portal = Portal::build(&binary())
        .file("site.pem", &ended.chain_pem)
        .file("site.key", &ended.key_pem)
        .site_line("certificate = { cert = \"site.pem\", key = \"site.key\" }")
        .start();
    assert_eq!(admin(&portal, "/readyz"), (503, "not ok\n".into()));
    assert_eq!(admin(&portal, "/livez"), (200, "ok\n".into()));
    let right = Portal::start(&binary());
    assert_eq!(admin(&right, "/readyz"), (200, "ok\n".into()));
}

#[test]
fn a_site_has_none_of_these_paths() {
    let portal = Portal::build(&binary()).party("alice").start();
    for path in ["/metrics", "/livez", "/readyz"] {
        assert_eq!(portal.curl(None, path, &[]).status, 403, "{path} without a certificate");
        let echoed = portal.curl(Some("alice"), path, &[]);
        assert_eq!((echoed.status, echoed.json()["target"].as_str()), (200, Some(path)), "the website's own");
    }
}
