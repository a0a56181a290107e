use testkit::Portal;

use crate::support::binary;

#[test]
fn a_mistyped_key_is_named_with_line_column_and_the_right_word() {
    let portal = Portal::build(&binary()).prepare();
    let config = portal.sandbox.read("countersign.toml").replace("upstream", "upsteam");
    let line = config.lines().position(|l| l.contains("upsteam")).unwrap() + 1;
    portal.sandbox.write("countersign.toml", config);
    let refused = portal.countersign(&["validate"]).exited(3);
    assert!(refused.both().contains(&format!("countersign.toml:{line}:1")), "{}", refused.story());
    assert!(refused.both().contains("`upstream`"), "{}", refused.story());
}

#[test]
fn explain_knows_every_code() {
    let portal = Portal::build(&binary()).prepare();
    for code in policy::Code::ALL {
        let told = portal.countersign(&["explain", code.as_str()]).ok();
        assert!(told.stdout.len() > 80, "{}", told.story());
    }
    portal.countersign(&["explain", "no-such-code"]).exited(5);
}
