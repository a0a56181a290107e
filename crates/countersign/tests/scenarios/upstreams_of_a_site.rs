//! Several upstreams, upstreams behind TLS, and bodies that are larger than memory should be.

use std::time::{Duration, Instant};

use testkit::{Echo, Portal};

use crate::support::binary;

#[test]
fn several_upstreams_share_the_work_and_one_that_is_gone_is_told_by_status() {
    let (one, two) = (Echo::start(), Echo::start());
    let portal = Portal::build(&binary()).party("alice").prepare();
    let listed = format!("upstream = [\"{}\", \"{}\"]", one.url(), two.url());
    let config = portal.sandbox.read("countersign.toml");
    let line = config.lines().find(|line| line.starts_with("upstream")).unwrap();
    portal.sandbox.write("countersign.toml", config.replace(line, &listed));
    let mut portal = portal;
    portal.start_gate();
    for _ in 0..6 {
        assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    }
    assert_eq!((one.count() + two.count(), portal.echo.count()), (6, 0));
    assert!(one.count() >= 2 && two.count() >= 2, "{} and {}", one.count(), two.count());
    portal.countersign(&["status"]).ok();

    let gone = one.url();
    drop(one);
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200, "no request is lost");
        let status = portal.countersign(&["status", "--json"]);
        if status.code == 1 && status.stdout.contains(&format!("upstream {gone} of portal.test")) {
            break;
        }
        assert!(Instant::now() < end, "{}", status.story());
    }
    let metrics = std::process::Command::new("curl")
        .args(["-sk", &format!("https://127.0.0.1:{}/metrics", portal.admin_port)])
        .output()
        .unwrap();
    let metrics = String::from_utf8(metrics.stdout).unwrap();
    let line = format!("countersign_upstream_up{{site=\"portal.test\",upstream=\"{gone}\"}} 0");
    assert!(metrics.contains(&line), "{metrics}");
}

#[test]
fn upstreams_are_added_by_command_and_mistakes_are_named() {
    let portal = Portal::build(&binary()).prepare();
    let add =
        ["site", "add", "other.test", "--upstream", "http://127.0.0.1:1", "--upstream", "unix:/run/app.sock"];
    portal.countersign(&add).ok();
    let shown = portal.countersign(&["site", "show", "other.test", "--json"]).ok();
    let value: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(value["upstream"], serde_json::json!(["http://127.0.0.1:1", "unix:/run/app.sock"]));
    let refused = portal.countersign(&["site", "add", "bad.test", "--upstream", "http://a.test/path"]);
    assert_eq!(refused.code, 3, "{}", refused.story());
    assert!(refused.both().contains("has a path"), "{}", refused.story());

    let config = portal.sandbox.read("countersign.toml");
    for (lines, what) in [
        ("upstream = []", "has no upstream"),
        ("upstream = [\"http://a.test\", \"http://a.test:80\"]", "is listed twice"),
        ("upstream = \"ftp://a.test\"", "starts with none of http://, https://, h2c:// and unix:"),
        (
            "upstream = \"http://a.test\"\nupstream_tls = { servername = \"b.test\" }",
            "upstream_tls has no effect",
        ),
        ("upstream = \"https://a.test\"\nupstream_tls = { cert = \"c.pem\" }", "needs cert and key together"),
        ("upstream = \"https://a.test\"\nupstream_tls = { root = \"c.pem\" }", "did you mean `roots`?"),
        ("upstream = \"https://a.test\"\nupstream_tls = { roots = \"none.pem\" }", "none.pem"),
        ("upstream = \"http://a.test\"\nhealth_check = { path = \"health\" }", "`health` is no path"),
        (
            "upstream = \"http://a.test\"\nhealth_check = { path = \"/\", interval = \"2h\" }",
            "1 second to 1 hour",
        ),
        ("upstream = \"http://a.test\"\nhealth_check = { path = \"/\", status = 99 }", "200 to 599"),
    ] {
        let line = config.lines().find(|line| line.starts_with("upstream")).unwrap();
        portal.sandbox.write("countersign.toml", config.replace(line, lines));
        let validated = portal.countersign(&["validate"]);
        assert_eq!(validated.code, 3, "{lines}: {}", validated.story());
        assert!(validated.both().contains(what), "{lines}: {}", validated.story());
    }
}

/// One gate behind another: two-way TLS on the whole way.
#[test]
fn an_https_upstream_is_verified_and_knows_the_gate_by_its_certificate() {
    let inner = Portal::build(&binary()).party("front").start();
    let outer = Portal::build(&binary())
        .upstream(&format!("https://127.0.0.1:{}", inner.port))
        .party("alice")
        .prepare();
    for file in ["ca.pem", "front.pem", "front.key"] {
        outer.sandbox.write(&format!("inner-{file}"), inner.sandbox.read(file));
    }
    let test = || outer.countersign(&["site", "test", "portal.test", "--cert", "alice.pem"]).both();
    assert!(test().contains("upstream_tls.servername"), "{}", test());
    let config = outer.sandbox.read("countersign.toml");
    let with = |tls: &str| {
        let header = "[site.\"portal.test\"]";
        outer.sandbox.write(
            "countersign.toml",
            config.replace(header, &format!("{header}\nupstream_tls = {{ {tls} }}")),
        );
    };
    with("servername = \"portal.test\"");
    assert!(test().contains("upstream_tls.roots"), "{}", test());
    with(
        "roots = \"inner-ca.pem\", servername = \"portal.test\", cert = \"inner-front.pem\", key = \"inner-front.key\"",
    );
    assert!(!test().contains("not usable"), "{}", test());
    let mut outer = outer;
    outer.start_gate();
    let answer = outer.curl(Some("alice"), "/through/both", &[]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let seen = inner.echo.last();
    assert_eq!((seen.target.as_str(), seen.all("countersign-party")), ("/through/both", vec!["front"]));
    assert_eq!(outer.curl(None, "/", &[]).status, 403);
    assert_eq!(inner.echo.count(), 1);
}

/// The most memory that any process of the gate has ever held, in kB.
fn high_water(portal: &Portal) -> u64 {
    let dir = portal.sandbox.dir().canonicalize().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let ours =
        processes.filter(|process| std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == dir));
    let held = ours.filter_map(|process| {
        let status = std::fs::read_to_string(process.join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    });
    held.max().expect("a process of the gate")
}

#[test]
fn bodies_of_any_size_take_no_memory() {
    const SIZE: u64 = 400 * 1024 * 1024;
    let portal = Portal::build(&binary()).party("alice").start();
    for h2 in ["--http1.1", "--http2"] {
        let small = portal.curl(Some("alice"), "/bytes?n=1000", &[h2]);
        assert_eq!(small.status, 200);
    }
    let before = high_water(&portal);
    let file = portal.sandbox.dir().join("large");
    std::fs::File::create(&file).unwrap().set_len(SIZE).unwrap();
    let transfer = |path: &str, more: &[&str]| {
        let mut curl = std::process::Command::new("curl");
        curl.current_dir(portal.sandbox.dir()).args(["-q", "-sS", "--max-time", "120", "--cacert", "ca.pem"]);
        curl.args(["--resolve", &format!("portal.test:{}:127.0.0.1", portal.port), "-o", "answer"]);
        curl.args(["--cert", "alice.pem", "--key", "alice.key", "-w", "%{http_code} %{size_download}"]);
        let output = curl.args(more).arg(portal.url(path)).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr)
    };
    for h2 in ["--http1.1", "--http2"] {
        let said = transfer(&format!("/bytes?n={SIZE}"), &[h2]);
        assert_eq!(said, format!("200 {SIZE}"), "{h2}");
        let said = transfer("/sink", &[h2, "-X", "POST", "-T", "large"]);
        assert!(said.starts_with("200 "), "{h2}: {said}");
        assert_eq!(portal.sandbox.read("answer").trim(), format!("{{\"body_len\":{SIZE}}}"), "{h2}");
    }
    let grown = high_water(&portal).saturating_sub(before);
    assert!(grown < 24 * 1024, "the gate grew by {grown} kB");
}
