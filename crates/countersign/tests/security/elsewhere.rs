//! Addresses in a presented certificate: nobody calls there.

use std::net::TcpListener;

use testkit::{Leaf, Portal, TestCa};

use crate::support::{SITE, binary, block_on};

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 128, "short form only");
    [&[tag, length], content].concat()
}

/// authorityInfoAccess (RFC 5280 section 4.2.2.1): where the issuer's certificate lies, and where OCSP is answered.
fn access(issuer: &str, ocsp: &str) -> Vec<u8> {
    let entry = |method: u8, url: &str| {
        let oid = element(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, method]);
        element(0x30, &[oid, element(0x86, url.as_bytes())].concat())
    };
    element(0x30, &[entry(2, issuer), entry(1, ocsp)].concat())
}

#[test]
fn addresses_in_a_presented_certificate_are_never_called() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let at = |path: &str| format!("http://{}/{path}", listener.local_addr().unwrap());
    let telling = |name: &str| {
        let leaf = Leaf::new(name).crl_url(&at("a.crl")).uri(&at("me"));
        leaf.extension("1.3.6.1.5.5.7.1.1", false, &access(&at("ca.cer"), &at("ocsp")))
    };
    let (acme, stranger) = (TestCa::new("Acme CA"), TestCa::new("Stranger CA"));
    for how in ["page", "handshake"] {
        let portal =
            Portal::build(&binary()).on_refuse(how).file("acme.pem", acme.pem()).party("alice").prepare();
        let dir = portal.sandbox.dir().to_path_buf();
        portal.countersign(&["ca", "add", "acme.pem", "--name", "acme", "--site", SITE, "--accept-any"]).ok();
        telling("pinned").self_signed().write(&dir, "pinned");
        let pin = ["party", "add", "pinned", "--cert", "pinned.pem", "--pin", "cert", "--site", SITE];
        portal.countersign(&pin).ok();
        let mut portal = portal;
        portal.start_gate();
        let admitted = [telling("known").issued_by(&acme)];
        let sub = stranger.intermediate("Missing Sub");
        let mut lonely = telling("lonely").issued_by(&sub);
        lonely.chain_pem = lonely.pem.clone();
        let refused = [telling("unknown").issued_by(&stranger), telling("self").self_signed(), lonely];
        for cert in admitted.iter().chain(&refused) {
            for client in [portal.client().showing(cert).tls13(), portal.client().showing(cert).tls12()] {
                let answer = block_on(client.knock(portal.port, SITE, "/"));
                let inside = answer.is_ok_and(|answer| answer.status == 200);
                assert_eq!(inside, admitted.iter().any(|one| one.der == cert.der), "{how}");
            }
        }
        assert_eq!(portal.curl(Some("pinned"), "/", &[]).status, 200);
        assert_eq!(portal.echo.count(), 3);
        // Once the gate has ended, whatever it had begun stands in the listener's queue.
        assert_eq!(portal.stop_gate(), 0);
        let called = listener.accept();
        assert!(called.is_err(), "{how}: somebody called: {called:?}");
    }
}
