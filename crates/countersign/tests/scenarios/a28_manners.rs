use testkit::Portal;

use crate::support::binary;

#[test]
fn piped_output_has_no_escape_codes() {
    let portal = Portal::start(&binary());
    for args in [&["status"][..], &["party", "list"], &["site", "list"], &["--help"]] {
        let shown = portal.countersign(args);
        assert!(!shown.both().contains('\u{1b}'), "{args:?}: {}", shown.story());
    }
}

#[test]
fn completions_for_four_shells_are_not_empty() {
    let portal = Portal::build(&binary()).prepare();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let shown = portal.countersign(&["completions", shell]).ok();
        assert!(shown.stdout.len() > 500 && shown.stdout.contains("quickstart"), "{shell}");
    }
}

#[test]
fn listing_commands_answer_one_json_document() {
    let portal = Portal::start(&binary());
    for args in [
        &["status"][..],
        &["validate"],
        &["party", "list"],
        &["party", "show", "alice"],
        &["site", "list"],
        &["site", "show", "portal.test"],
        &["ca", "list"],
        &["operator", "list"],
        &["pending", "list"],
        &["version"],
        &["config", "show"],
        &["log", "search"],
        &["log", "verify"],
        &["explain", "expired"],
        &["cert", "thumbprint", "alice.pem"],
        &["doctor"],
    ] {
        let shown = portal.countersign(&[args, &["--json"]].concat());
        serde_json::from_str::<serde_json::Value>(&shown.stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}: {}", shown.story()));
    }
}
