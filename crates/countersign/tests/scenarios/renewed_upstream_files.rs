//! The files that an upstream is verified by, and shown, are renewed while the gate runs.

use std::time::Duration;

use testkit::{Portal, TestCa, tools};

use crate::support::{binary, eventually};

const PATIENCE: Duration = Duration::from_secs(20);

/// A gate before another gate, whose parties are who the first one says it is.
struct Pair {
    outer: Portal,
    inner: Portal,
}

impl Pair {
    /// The first one verifies the second one by its CA, and shows itself as `first`.
    fn start() -> Self {
        let inner = Portal::build(&binary()).party("first").party("second").start();
        let tls = "{ roots = \"up/roots.pem\", servername = \"portal.test\", cert = \"up/own.pem\", key = \"up/own.key\" }";
        let outer = Portal::build(&binary())
            .upstream(&format!("https://127.0.0.1:{}", inner.port))
            .site_line(&format!("upstream_tls = {tls}"))
            .party("alice");
        let mut pair = Self { outer: outer.prepare(), inner };
        std::fs::create_dir(pair.outer.sandbox.path("up")).unwrap();
        pair.outer.sandbox.write("up/roots.pem", &pair.inner.ca_pem);
        pair.show("first", &["pem", "key"]);
        pair.outer.start_gate();
        pair
    }

    /// Puts these files of a party of the inner gate in place.
    fn show(&self, party: &str, parts: &[&str]) {
        for part in parts {
            let text = self.inner.sandbox.read(&format!("{party}.{part}"));
            self.outer.sandbox.write(&format!("up/own.{part}"), text);
        }
    }

    /// As whom the inner gate admits the outer one now; otherwise the status that visitors get.
    fn comes_as(&self) -> Result<String, u16> {
        let answer = self.outer.curl(Some("alice"), "/", &[]);
        if answer.status == 200 {
            Ok(self.inner.echo.last().all("countersign-party").join(","))
        } else {
            Err(answer.status)
        }
    }

    /// Waits until the gate comes as `wanted`.
    fn will_come_as(&self, wanted: Result<&str, u16>) {
        eventually(&format!("the gate comes as {wanted:?}"), || {
            (self.comes_as().as_deref() == wanted.as_ref().copied()).then_some(())
        });
    }

    /// Waits until a reason was told so many times.
    fn told(&self, what: &str, times: usize) {
        eventually(what, || (self.outer.gate().stderr().matches(what).count() >= times).then_some(()));
    }
}

#[test]
fn a_renewed_own_certificate_is_shown_when_both_files_are_there() {
    let pair = Pair::start();
    assert_eq!(pair.comes_as().as_deref(), Ok("first"));

    // The certificate comes before its key.
    pair.show("second", &["pem"]);
    pair.told("it does not fit", 1);
    assert_eq!(pair.comes_as().as_deref(), Ok("first"));
    let status = pair.outer.countersign(&["status"]).exited(1);
    assert!(status.stdout.contains("upstream_tls of portal.test: "), "{}", status.story());
    assert!(status.stdout.contains("it does not fit"), "{}", status.story());
    pair.show("second", &["key"]);
    pair.will_come_as(Ok("second"));
    pair.outer.countersign(&["status"]).exited(0);
    eventually("the log has it", || {
        let log = pair.outer.countersign(&["log", "search", "--since", "1h"]).ok();
        log.stdout.contains("upstream_tls of portal.test read from ").then_some(())
    });

    // The key comes before its certificate.
    pair.show("first", &["key"]);
    pair.told("it does not fit", 2);
    assert_eq!(pair.comes_as().as_deref(), Ok("second"));
    pair.show("first", &["pem"]);
    pair.will_come_as(Ok("first"));

    // What is gone takes nothing away.
    std::fs::remove_dir_all(pair.outer.sandbox.path("up")).unwrap();
    pair.told("up/roots.pem: No such file", 1);
    assert_eq!(pair.comes_as().as_deref(), Ok("first"));
}

#[test]
fn renewed_roots_decide_about_the_next_connection_and_kept_ones_are_not_used_again() {
    let pair = Pair::start();
    assert_eq!(pair.comes_as().as_deref(), Ok("first"));
    pair.outer.sandbox.write("up/roots.pem", "no certificate");
    pair.told("up/roots.pem: the file holds no CERTIFICATE block", 1);
    assert_eq!(pair.comes_as().as_deref(), Ok("first"), "what cannot be read changes nothing");
    pair.outer.sandbox.write("up/roots.pem", TestCa::new("Another CA").pem());
    pair.will_come_as(Err(502));
    pair.outer.sandbox.write("up/roots.pem", &pair.inner.ca_pem);
    pair.will_come_as(Ok("first"));
}

#[test]
fn half_a_renewal_holds_up_no_change_and_fails_a_reload_that_was_asked_for() {
    let pair = Pair::start();
    let (outer, inner) = (&pair.outer, &pair.inner);
    pair.show("second", &["pem"]);
    pair.told("it does not fit", 1);
    outer.countersign(&["site", "add", "b.test", "--upstream", &inner.echo.url()]).ok();
    eventually("the new site is served", || {
        let answer = tools::curl_at(outer.sandbox.dir(), "b.test", outer.port, Some("alice"), "/", &[]);
        (answer.status == 403).then_some(())
    });
    assert_eq!(pair.comes_as().as_deref(), Ok("first"));
    outer.gate().hang_up();
    outer.gate().wait_stderr("reload failed; the old policy stays in force", PATIENCE);
    assert_eq!(pair.comes_as().as_deref(), Ok("first"));
    pair.show("second", &["key"]);
    pair.will_come_as(Ok("second"));
}
