//! Enrolment over secure transport (RFC 7030), by curl and by strongSwan.

use std::process::Command;
use std::time::Duration;

use examiner::{Certificate, cert::pem};
use serde_json::Value;
use testkit::{CurlResult, Portal, free_port, openssl, tools};

use super::authority_process::ask;
use super::enrolment::{HOST, invite, records, request, started};
use super::other_servers::Server;

const EST: &str = "/.well-known/est";

fn est(portal: &Portal, port: u16, cert: Option<&str>, operation: &str, more: &[&str]) -> CurlResult {
    tools::curl_at(portal.sandbox.dir(), HOST, port, cert, &format!("{EST}/{operation}"), more)
}

/// NAME.csr as one line of base64, enrolled or re-enrolled.
fn post(
    portal: &Portal,
    port: u16,
    cert: Option<&str>,
    operation: &str,
    name: &str,
    more: &[&str],
) -> CurlResult {
    let (csr, der) = (format!("{name}.csr"), format!("{name}.der"));
    openssl(portal.sandbox.dir(), &["req", "-in", &csr, "-outform", "DER", "-out", &der], b"").ok();
    let packed = openssl(portal.sandbox.dir(), &["base64", "-A", "-in", &der], b"").ok().stdout;
    let base = ["-H", "Content-Type: application/pkcs10", "--data", packed.trim()];
    est(portal, port, cert, operation, &[&base[..], more].concat())
}

/// The certificates of an answer: one line of base64, PKCS#7.
fn certificates(portal: &Portal, answer: &CurlResult) -> Vec<Certificate> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/pkcs7-mime; smime-type=certs-only"));
    assert_eq!(answer.header("content-transfer-encoding"), Some("base64"));
    let text = answer.text();
    assert!(!text.contains(char::is_whitespace), "{text}");
    let dir = portal.sandbox.dir();
    portal.sandbox.write("given.b64", &text);
    openssl(dir, &["base64", "-d", "-A", "-in", "given.b64", "-out", "given.p7"], b"").ok();
    let args = ["pkcs7", "-inform", "DER", "-in", "given.p7", "-print_certs"];
    let printed = openssl(dir, &args, b"").ok().stdout;
    pem::certificates(printed.as_bytes()).unwrap()
}

fn keep(portal: &Portal, name: &str, certificate: &Certificate) {
    portal.sandbox.write(&format!("{name}.pem"), pem::encode("CERTIFICATE", &certificate.der));
}

fn user(party: &str, invite: &Value) -> String {
    format!("{party}:{}", invite["token"].as_str().unwrap())
}

/// Who comes with NAME.pem alone: the gate needs no more, it knows the own issuing CA.
fn enters(portal: &Portal, name: &str) -> bool {
    portal.curl(Some(name), "/", &[]).status == 200
}

#[test]
fn cacerts_and_csrattrs_are_for_everybody() {
    let (portal, port) = started();
    let all = certificates(&portal, &est(&portal, port, None, "cacerts", &[]));
    let root = pem::certificates(portal.sandbox.read("ca.pem").as_bytes()).unwrap().swap_remove(0);
    assert_eq!(all.len(), 2);
    assert_eq!(all[1].der, root.der, "the root that the client trusts");
    assert_eq!(all[0].issuer, root.subject);
    let attributes = est(&portal, port, None, "csrattrs", &[]);
    assert_eq!((attributes.status, attributes.header("content-type")), (200, Some("application/csrattrs")));
    portal.sandbox.write("attributes", attributes.text());
    let args = ["base64", "-d", "-A", "-in", "attributes", "-out", "attributes.der"];
    openssl(portal.sandbox.dir(), &args, b"").ok();
    let parsed =
        openssl(portal.sandbox.dir(), &["asn1parse", "-inform", "DER", "-in", "attributes.der"], b"").ok();
    for word in ["id-ecPublicKey", "prime256v1", "ecdsa-with-SHA256"] {
        assert!(parsed.stdout.contains(word), "{}", parsed.story());
    }
    for operation in ["cacerts", "csrattrs"] {
        assert_eq!(est(&portal, port, None, operation, &["--data", "x"]).status, 405, "{operation}");
    }
    for operation in ["", "fullcmc", "serverkeygen", "label/simpleenroll", "simpleenroll/"] {
        let none = est(&portal, port, None, operation, &["--data", "x"]);
        assert_eq!((none.status, none.code()), (404, "not-found".into()), "{operation}");
    }
}

#[test]
fn a_party_enrols_with_its_name_and_a_token_once() {
    let (portal, port) = started();
    let made = invite(&portal, "svc", &["--profile", "service"]);
    request(&portal, "svc");
    let refused = |more: &[&str]| {
        let answer = post(&portal, port, None, "simpleenroll", "svc", more);
        assert_eq!(answer.status, 401, "{more:?}: {}", answer.text());
        assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"enrolment\""));
    };
    refused(&[]);
    refused(&["-u", "svc:0123456789abcdef0123456789abcdef"]);
    refused(&["-u", &user("bob", &made)]);
    refused(&["-u", &user("", &made)]);
    let token = format!("Authorization: Bearer {}", made["token"].as_str().unwrap());
    refused(&["-H", &token]);
    let body = ["-u", &user("svc", &made), "-H", "Content-Type: application/pkcs10", "--data", "x"];
    assert_eq!(est(&portal, port, None, "simpleenroll", &body).status, 400);
    assert_eq!(est(&portal, port, None, "simpleenroll", &["-u", &user("svc", &made)]).status, 405);

    let given =
        post(&portal, port, None, "simpleenroll", "svc", &["-u", &user("svc", &made), "--tls-max", "1.2"]);
    let all = certificates(&portal, &given);
    assert_eq!(all.len(), 1, "the issued certificate alone");
    keep(&portal, "svc", &all[0]);
    assert!(enters(&portal, "svc"));
    refused(&["-u", &user("svc", &made)]);
    assert_eq!(records(&portal, "svc").len(), 1);
    assert_eq!(records(&portal, "svc")[0]["profile"], "service");
    // With a code, behind the token.
    let coded = invite(&portal, "svc", &["--code"]);
    request(&portal, "next");
    let user = user("svc", &coded);
    let first = post(&portal, port, None, "simpleenroll", "next", &["-u", &user]);
    assert_eq!((first.status, first.code()), (401, "code-wanted".into()));
    let with_code = format!("{user}:{}", coded["code"].as_str().unwrap());
    certificates(&portal, &post(&portal, port, None, "simpleenroll", "next", &["-u", &with_code]));
}

#[test]
fn a_machine_re_enrols_for_the_key_it_has_and_for_no_other() {
    let (portal, port) = started();
    let made = invite(&portal, "svc", &["--profile", "service"]);
    for name in ["svc", "other"] {
        request(&portal, name);
    }
    let given = post(&portal, port, None, "simpleenroll", "svc", &["-u", &user("svc", &made)]);
    let first = certificates(&portal, &given).swap_remove(0);
    keep(&portal, "svc", &first);

    let bare = post(&portal, port, None, "simplereenroll", "svc", &[]);
    assert_eq!(bare.status, 401, "{}", bare.text());
    let other = post(&portal, port, Some("svc"), "simplereenroll", "other", &[]);
    assert_eq!((other.status, other.code()), (403, "enrolment-refused".into()));
    assert!(other.text().contains("another key"), "{}", other.text());
    let next = certificates(&portal, &post(&portal, port, Some("svc"), "simplereenroll", "svc", &[]));
    assert_ne!(next[0].thumbprint, first.thumbprint);
    assert_eq!((next[0].key_pin, &next[0].subject), (first.key_pin, &first.subject));
    keep(&portal, "again", &next[0]);
    portal.sandbox.write("again.key", portal.sandbox.read("svc.key"));
    assert!(enters(&portal, "svc") && enters(&portal, "again"));
    let all = records(&portal, "svc");
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|one| one["superseded_after"].is_null()), "{all:?}");
    // What a gate could ask of the authority by itself: a key of its own for somebody's certificate.
    for (csr, code) in [("other.csr", "proof"), ("svc.csr", "none")] {
        let asked = serde_json::json!({ "reenrol": { "thumbprint": first.thumbprint, "request": portal.sandbox.read(csr) } });
        assert_eq!(ask(&portal, &asked)["refused"]["code"].as_str().unwrap_or("none"), code, "{csr}");
    }
    for state in [["party", "suspend", "svc"], ["party", "revoke", "svc"]] {
        portal.countersign(&state).ok();
        let refused = post(&portal, port, Some("svc"), "simplereenroll", "svc", &[]);
        assert_eq!(refused.status, 403, "{state:?}: {}", refused.text());
    }
    let operator = post(&portal, port, Some("state/operator"), "simplereenroll", "svc", &[]);
    assert_eq!(operator.status, 403, "{}", operator.text());
}

/// strongSwan's `pki` in the sandbox; what it wrote to standard output, and what it said.
#[track_caller]
fn pki(portal: &Portal, args: &[&str]) -> testkit::Output {
    let mut command = Command::new("pki");
    command.args(args).current_dir(portal.sandbox.dir());
    testkit::process::run(&mut command, b"", Duration::from_secs(60)).ok()
}

#[test]
fn strongswan_enrols_through_a_proxy_whose_certificate_is_of_another_authority() {
    let (portal, port) = started();
    // strongSwan 5.9 reads no certificate whose name constraints have addresses, as the own server CA's.
    let other = testkit::TestCa::new("Another authority");
    let front = other.issue_server(HOST);
    portal.sandbox.write("front.pem", format!("{}{}", front.chain_pem, front.key_pem));
    portal.sandbox.write("other.pem", other.root_pem());
    let at = free_port();
    let [front, ca] = ["front.pem", "ca.pem"].map(|file| portal.sandbox.path(file).display().to_string());
    let conf = format!(
        "defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\nfrontend front\n  \
         bind 127.0.0.1:{at} ssl crt {front}\n  default_backend enrolment\nbackend enrolment\n  \
         http-request set-header Host {HOST}:{port}\n  server gate 127.0.0.1:{port} ssl verify required ca-file {ca} \
         sni str({HOST}) verifyhost {HOST}\n"
    );
    let _proxy = Server::haproxy_with(portal.sandbox.dir(), at, &conf);
    let url = format!("https://{HOST}:{at}");
    let said = pki(
        &portal,
        &["--estca", "--url", &url, "--cacert", "other.pem", "--caout", "own.pem", "--outform", "pem"],
    );
    assert!(said.both().contains("Sub CA cert is trusted"), "{}", said.story());
    let root = pem::certificates(portal.sandbox.read("ca.pem").as_bytes()).unwrap().swap_remove(0);
    let given = pem::certificates(portal.sandbox.read("own.pem").as_bytes()).unwrap().swap_remove(0);
    assert_eq!(given.der, root.der);

    let made = invite(&portal, "svc", &["--profile", "service"]);
    request(&portal, "svc");
    openssl(portal.sandbox.dir(), &["req", "-in", "svc.csr", "-outform", "DER", "-out", "svc.der"], b"").ok();
    let user = user("svc", &made);
    let asked = ["--est", "--url", &url, "--in", "svc.der", "--userpass", &user, "--outform", "pem"];
    let trusted = ["--cacert", "other.pem", "--cacert", "own.pem", "--cacert", "own-1.pem"];
    let issued = pki(&portal, &[&asked[..], &trusted].concat());
    assert!(issued.stderr.contains("Issued certificate is trusted"), "{}", issued.story());
    portal.sandbox.write("svc.pem", &issued.stdout);
    assert!(enters(&portal, "svc"));
    // The token was good once.
    let mut again = Command::new("pki");
    again.args([&asked[..], &trusted].concat()).current_dir(portal.sandbox.dir());
    let refused = testkit::process::run(&mut again, b"", Duration::from_secs(60));
    assert!(refused.code != 0 && refused.stderr.contains("401"), "{}", refused.story());
    assert_eq!(records(&portal, "svc").len(), 1);
}
