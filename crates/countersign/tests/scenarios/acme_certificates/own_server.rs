//! Another Countersign as the ACME server: its authority gives a site of this gate a certificate, by either challenge.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use testkit::{Portal, eventually, free_port, openssl};

use crate::acme_servers::{bind, inside_at, told};
use crate::support::binary;

/// The site whose certificate comes from there.
const INNER: &str = "two.inside.test";

/// A gate with that site, whose certificate is to come from this directory, and the names of its files.
fn by_own_server(gate: &Portal, made: &serde_json::Value, root: &str, challenge: &str) {
    gate.sandbox.write("acme-root.pem", root);
    let key: PathBuf = gate.sandbox.write("eab.key", made["hmac_key"].as_str().unwrap());
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let site = format!(
        "\n[site.\"{INNER}\"]\nupstream = \"http://127.0.0.1:1\"\ncertificate = {{ acme = {}, roots = \"acme-root.pem\", \
         challenge = \"{challenge}\", eab = {{ kid = {}, key = {{ file = \"eab.key\" }} }} }}\n",
        made["directory"], made["kid"]
    );
    gate.sandbox.write("countersign.toml", gate.sandbox.read("countersign.toml") + &site);
}

/// The serial number of the certificate that the inner site shows, and whether it leads to this root.
fn shown(gate: &Portal) -> (String, bool) {
    let at = format!("127.0.0.1:{}", gate.port);
    let args = [
        "s_client",
        "-connect",
        &at,
        "-servername",
        INNER,
        "-CAfile",
        "acme-root.pem",
        "-verify_hostname",
        INNER,
    ];
    let said = openssl(gate.sandbox.dir(), &args, b"");
    gate.sandbox.write("shown.txt", &said.stdout);
    let serial = openssl(gate.sandbox.dir(), &["x509", "-in", "shown.txt", "-noout", "-serial"], b"").stdout;
    (serial, said.stdout.contains("Verify return code: 0 (ok)"))
}

#[test]
fn another_countersign_gives_a_site_its_certificate_by_either_challenge() {
    for challenge in ["tls-alpn-01", "http-01"] {
        let http = free_port();
        let mut gate = Portal::build(&binary())
            .server_line("fetch_private = [\"127.0.0.0/8\", \"::1\"]")
            .server_line(&format!("http = [\"127.0.0.1:{http}\"]"))
            .prepare();
        let home = |_: &str, _: usize| vec![std::net::IpAddr::from([127, 0, 0, 1])];
        let world = inside_at((http, gate.port), home);
        let made = bind(&world.portal, "two", &[INNER]);
        by_own_server(&gate, &made, &world.portal.sandbox.read("ca.pem"), challenge);
        gate.start_gate();
        let first = eventually("a certificate of the other authority is shown", || {
            let (serial, is_verified) = shown(&gate);
            is_verified.then_some(serial)
        });
        assert_eq!(told(&world.portal, "server certificate for two.inside.test issued"), 1, "{challenge}");
        let status = gate.countersign(&["status", "--json"]).json();
        let one = status["certificates"].as_array().unwrap().iter().find(|one| one["site"] == INNER).unwrap();
        assert_eq!(one["challenge"], challenge, "{one}");

        // The next one says what it replaces (RFC 9773), and takes its place.
        gate.countersign(&["site", "order", INNER, "--again"]).ok();
        let next = eventually("the next one is shown", || {
            let (serial, is_verified) = shown(&gate);
            (is_verified && serial != first).then_some(serial)
        });
        assert_ne!(next, first);
        assert_eq!(told(&world.portal, "server certificate for two.inside.test issued"), 2, "{challenge}");

        // Where the other authority takes its account away, the last one stays.
        world.portal.countersign(&["party", "revoke", "two"]).ok();
        let order = gate.countersign(&["site", "order", INNER, "--again"]).exited(1);
        assert!(order.stdout.contains("unauthorized"), "{}", order.story());
        assert_eq!(shown(&gate), (next, true), "{challenge}");
    }
}
