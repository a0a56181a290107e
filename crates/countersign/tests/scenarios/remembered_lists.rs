use testkit::ca::Crl;
use testkit::{Portal, TestCa, TestCert};

use crate::support::{binary, eventually};

/// A partner with a certificate on its list, and a portal that the partner's certificates enter.
struct World {
    acme: TestCa,
    bad: TestCert,
    portal: Portal,
}

impl World {
    fn new(first: u64) -> Self {
        let acme = TestCa::new("Acme CA");
        let bad = acme.issue("bad");
        let portal = Portal::build(&binary())
            .file("issuer.pem", acme.pem())
            .site_line("allow = [\"ca:acme\"]")
            .extra_toml(
                "\n[ca.acme]\nfile = \"issuer.pem\"\nsites = [\"portal.test\"]\naccept_any = true\ncrl = { file = \"acme.crl\" }\n",
            )
            .prepare();
        acme.issue("good").write(portal.sandbox.dir(), "good");
        bad.write(portal.sandbox.dir(), "bad");
        let world = Self { acme, bad, portal };
        world.puts(&world.naming_bad(first));
        world
    }

    fn naming_bad(&self, number: u64) -> Crl {
        Crl::new().number(number).revoke(&self.bad, None)
    }

    fn puts(&self, list: &Crl) {
        self.portal.sandbox.write("acme.crl", list.der(&self.acme));
    }

    fn statuses(&self) -> [u16; 2] {
        ["good", "bad"].map(|name| self.portal.curl(Some(name), "/", &[]).status)
    }

    fn is_in_force(&self, statuses: [u16; 2]) {
        eventually("the list is in force", || (self.statuses() == statuses).then_some(()));
    }
}

#[test]
fn an_older_list_put_in_its_file_while_the_gate_is_stopped_is_not_taken() {
    let mut world = World::new(5);
    world.portal.start_gate();
    assert_eq!(world.statuses(), [200, 403]);
    world.portal.stop_gate();
    world.puts(&Crl::new().number(4));
    world.portal.start_gate();
    assert_eq!(world.statuses(), [200, 403], "the list of before the stop is in force");
    assert!(world.portal.gate().stderr().contains("older than the one that is kept (5, "));
    let status = world.portal.countersign(&["status"]).exited(1);
    assert!(status.stdout.contains("countersign ca accept-crl acme"), "{}", status.story());
    // Another name for the file brings no older list in either.
    let text = world.portal.sandbox.read("countersign.toml");
    world.portal.sandbox.write("countersign.toml", text.replace("acme.crl", "other.crl"));
    world.portal.sandbox.write("other.crl", Crl::new().number(3).der(&world.acme));
    world.portal.countersign(&["reload"]).ok();
    assert_eq!(world.statuses(), [200, 403]);
    world.portal.stop_gate();
    world.portal.start_gate();
    assert_eq!(world.statuses(), [200, 403]);
    world.portal.sandbox.write("other.crl", Crl::new().number(6).der(&world.acme));
    world.is_in_force([200, 200]);
    assert_eq!(world.portal.countersign(&["status"]).code, 0);
}

#[test]
fn a_list_that_came_while_the_gate_ran_is_known_after_it_too() {
    let mut world = World::new(5);
    world.portal.start_gate();
    world.puts(&Crl::new().number(6));
    world.is_in_force([200, 200]);
    eventually("the change is in the log", || {
        let log = world.portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().stdout;
        log.contains("revocation list of CA acme read from acme.crl: number 6, 0 entries").then_some(())
    });
    world.portal.stop_gate();
    world.puts(&world.naming_bad(5));
    world.portal.start_gate();
    assert_eq!(world.statuses(), [200, 200], "the sixth list holds");
}

#[test]
fn numbers_that_began_anew_are_accepted_by_command_alone_and_the_log_says_by_whom() {
    let mut world = World::new(500);
    world.portal.start_gate();
    assert_eq!(world.statuses(), [200, 403]);
    world.puts(&Crl::new().number(1));
    eventually("the older list is told of", || {
        world.portal.gate().stderr().contains("accept-crl acme").then_some(())
    });
    assert_eq!(world.statuses(), [200, 403]);
    let accept = |flag: &str| world.portal.countersign(&["ca", "accept-crl", "acme", flag]);
    accept("--no-input").exited(2);
    accept("--dry-run").ok();
    assert_eq!(world.statuses(), [200, 403], "asking changes nothing");
    accept("--yes").ok();
    world.is_in_force([200, 200]);
    let log = world.portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().stdout;
    assert!(log.contains("accepted although newer ones were in force"), "{log}");
    world.portal.stop_gate();
    world.portal.start_gate();
    assert_eq!(world.statuses(), [200, 200]);
    // What was accepted is the measure from now on.
    world.puts(&world.naming_bad(2));
    world.is_in_force([200, 403]);
    world.puts(&Crl::new().number(1));
    eventually("the older list is told of", || {
        world.portal.gate().stderr().contains("kept (2, ").then_some(())
    });
    assert_eq!(world.statuses(), [200, 403]);
}

#[test]
fn what_the_issuer_did_not_sign_cannot_be_accepted() {
    let world = World::new(5);
    world.portal.sandbox.write("acme.crl", Crl::new().der(&TestCa::new("Acme CA")));
    let refused = world.portal.countersign(&["ca", "accept-crl", "acme", "--yes"]).exited(1);
    assert!(refused.both().contains("signed by none of the CA's certificates"), "{}", refused.story());
    world.portal.countersign(&["ca", "accept-crl", "nobody", "--yes"]).exited(5);
}
