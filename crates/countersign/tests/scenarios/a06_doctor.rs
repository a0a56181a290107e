use testkit::{Binary, Portal, Sandbox, free_port};

use crate::support::binary;

#[test]
fn a_shut_door_is_fine_and_an_open_one_is_named() {
    let portal = Portal::start(&binary());
    let report = portal.countersign(&["doctor", "--outside", "--json"]).ok().json();
    let knocks = report["knocks"].as_array().unwrap();
    assert!(knocks.len() >= 5 && knocks.iter().all(|knock| knock["fine"] == true), "{report}");
    assert_eq!(portal.echo.count(), 0, "no knock reached the upstream");
    let pending = portal.countersign(&["pending", "list", "--json"]).ok().json();
    assert_eq!(
        pending.as_array().unwrap().len(),
        0,
        "the doctor's stranger leaves nothing behind: {pending}"
    );

    let open = "[[site.\"portal.test\".path]]\nprefix = \"/health\"\nclient_auth = \"off\"\n";
    let portal = Portal::build(&binary()).extra_toml(open).party("alice").start();
    let found = portal.countersign(&["doctor", "--outside"]).exited(1);
    assert!(found.stdout.contains("portal.test/health is open"), "{}", found.story());
}

#[test]
fn a_gate_that_does_not_run_is_not_fine() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    portal.countersign(&["doctor"]).exited(1);
}

#[test]
fn a_quickstart_makes_a_whole_portal_twice_and_names_the_flag_of_a_taken_port() {
    let program: Binary = binary();
    let sandbox = Sandbox::new(&program);
    let (listen, admin) = (format!("127.0.0.1:{}", free_port()), format!("127.0.0.1:{}", free_port()));
    let quickstart = ["quickstart", "--once", "--listen", &listen, "--admin", &admin];
    let first = sandbox.countersign(&quickstart).ok();
    assert!(first.stdout.contains("curl --cacert") && first.stdout.contains("password"), "{}", first.story());
    let console = format!("https://localhost:{}/", admin.rsplit(':').next().unwrap());
    assert!(first.stdout.contains(&console) && first.stdout.contains("operator.p12"), "{}", first.story());
    for file in ["alice.pem", "alice.key", "alice.p12", "bob.p12", "ca.pem", "countersign.toml"] {
        assert!(sandbox.path(&format!("countersign-quickstart/{file}")).exists(), "{file}");
    }
    let before = sandbox.read("countersign-quickstart/alice.pem");
    let second = sandbox.countersign(&quickstart).ok();
    assert!(!second.stdout.contains("shown only now"), "{}", second.story());
    assert_eq!(sandbox.read("countersign-quickstart/alice.pem"), before, "the state is used again");

    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused =
        sandbox.countersign(&["quickstart", "--once", "--listen", &address, "--admin", &admin]).exited(4);
    assert!(refused.stderr.contains("--listen"), "{}", refused.story());
}
