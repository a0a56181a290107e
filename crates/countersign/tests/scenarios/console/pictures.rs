//! Pictures of every screen for the guide, of a portal as one may be after some months.

use examiner::UnixTime;
use registry::{AuditEvent, Registry};
use testkit::{Leaf, Policy, SITE, TestCa, block_on};

use super::*;
use crate::chromium::Chromium;

/// Name, path, what is unfolded, and what is pressed.
const SCREENS: &[(&str, &str, &str, &str)] = &[
    ("overview", "/", "", ""),
    ("sites", "/sites", "", ""),
    ("parties", "/parties", "", ""),
    ("party", "/parties/alice", "", ""),
    ("pending", "/pending", "article details", ""),
    ("cas", "/cas", "", ""),
    ("log", "/log?verdict=changed", "", ""),
    ("verify", "/log/verify", "", ""),
    ("explain", "/explain?site=portal.test&party=depot-scanner", "", "form[method=post] button"),
    ("settings", "/settings", "", ""),
];

#[test]
#[ignore = "writes pictures into the folder COUNTERSIGN_PICTURES, to be looked at"]
fn every_screen_has_its_picture() {
    let Some(folder) = std::env::var_os("COUNTERSIGN_PICTURES") else { panic!("name a folder") };
    assert!(Policy::may_be_set());
    let portal = lived_in();
    let origin = format!("https://localhost:{}", portal.admin_port);
    Chromium::showing(&portal, &[(origin.clone(), OWNER, "operator")]).run(
        "pictures.mjs",
        json!({ "origin": origin, "folder": folder.to_string_lossy(), "screens": SCREENS }),
    );
}

/// A portal with parties and their devices, a partner's CA, a day of refusals, and somebody who has knocked.
fn lived_in() -> Portal {
    let enrol =
        format!("[enrol]\nlisten = \"127.0.0.1:{0}\"\nurl = \"https://localhost:{0}\"\n", free_port());
    let open = "[[site.\"portal.test\".path]]\nprefix = \"/status\"\nclient_auth = \"off\"\n\n\
                [[site.\"portal.test\".path]]\nprefix = \"/reports\"\nallow = [\"billing\", \"alice\"]\n";
    let mut portal = Portal::build(&binary()).extra_toml(open).extra_toml(&enrol).prepare();
    for name in ["alice", "billing", "carol-laptop", "depot-scanner", "erik", "fatima", "print-server"] {
        portal.add_party(name);
    }
    for device in ["phone", "laptop"] {
        std::fs::create_dir(portal.sandbox.path(device)).unwrap();
        portal.countersign(&["party", "add", "alice", "--label", device, "--pem", "--out", device]).ok();
    }
    let partner = TestCa::new("Partner Services CA");
    partner.write(portal.sandbox.dir(), "partner");
    let rule = "--match=san:dns=*.partner.example";
    portal.countersign(&["ca", "add", "partner.pem", "--name", "partner", "--site", SITE, rule]).ok();
    block_on(past(&portal));
    portal.start_gate();
    for name in ["alice", "billing", "erik"] {
        portal.curl(Some(name), "/", &[]);
    }
    for (name, organisation) in [("kiosk-3", "Hafen Nord"), ("jonas", "Nordwind Logistik")] {
        let stranger = Leaf::new(name).subject(&[("O", organisation), ("CN", name)]).self_signed();
        stranger.write(portal.sandbox.dir(), name);
        assert_eq!(portal.curl(Some(name), "/", &[]).status, 403);
        pending_of_owner(&portal, name);
    }
    partner.issue("svc-7.elsewhere.example").write(portal.sandbox.dir(), "svc");
    assert_eq!(portal.curl(Some("svc"), "/", &[]).status, 403);
    portal.countersign(&["party", "suspend", "depot-scanner"]).ok();
    portal
}

fn pending_of_owner(portal: &Portal, subject: &str) {
    eventually("it is pending", || {
        let list = get(portal, OWNER, "/api/v1/pending").json();
        let all = list["items"].as_array().unwrap().clone();
        all.iter().any(|one| one["subject"].as_str().unwrap().contains(subject)).then_some(())
    });
}

/// A day of refusals in the log.
async fn past(portal: &Portal) {
    let registry = Registry::open(&portal.sandbox.path("state/registry.db")).await.unwrap();
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let mut events = Vec::new();
    for hour in (0..24_i64).rev() {
        for (code, every, count) in
            [("no-certificate", 1, 9), ("unknown-issuer", 3, 4), ("expired", 5, 2), ("not-allowed", 4, 3)]
        {
            if (hour * 7 + every) % (every + 1) > 0 {
                continue;
            }
            let count = count + u32::try_from((hour * 5) % 7).unwrap();
            events.push(AuditEvent {
                time: UnixTime(now - hour * 3600 - 600),
                site: Some(SITE.into()),
                address: Some("192.0.2.44".into()),
                verdict: "refused".into(),
                code: Some(code.into()),
                count,
                ..AuditEvent::default()
            });
        }
    }
    registry.append_audit("gate-1", &events).await.unwrap();
}
