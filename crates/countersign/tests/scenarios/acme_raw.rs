//! ACME (RFC 8555) spoken by hand: what no sound client sends is refused by its type of problem, by the gate and by the
//! authority alone.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256,
};
use aws_lc_rs::{hmac, rsa};
use data_encoding::BASE64URL_NOPAD;
use examiner::{Certificate, cert::pem};
use serde_json::{Value, json};
use testkit::{CurlResult, Portal, eventually, openssl, tools};

use super::authority_process::ask;
use super::enrolment::{HOST, records, started};

/// The DNS name of the party `svc`.
pub const NAME: &str = "svc.machines.test";

/// A binding as `party invite --acme --json` tells of it.
pub fn bind(portal: &Portal, party: &str, more: &[&str]) -> Value {
    let name = format!("{party}.machines.test");
    let base = ["party", "invite", party, "--site", "portal.test", "--acme", "--name", &name, "--json"];
    portal.countersign(&[&base[..], more].concat()).ok().json()
}

/// An account's key.
enum Key {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(rsa::KeyPair),
}

impl Key {
    fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::P384(_) => "ES384",
            Self::Ed25519(_) => "EdDSA",
            Self::Rsa(_) => "RS256",
        }
    }

    fn jwk(&self) -> Value {
        let curve = |name: &str, point: &[u8]| {
            let (x, y) = point[1..].split_at(point.len() / 2);
            json!({ "kty": "EC", "crv": name, "x": packed(x), "y": packed(y) })
        };
        match self {
            Self::P256(pair) => curve("P-256", pair.public_key().as_ref()),
            Self::P384(pair) => curve("P-384", pair.public_key().as_ref()),
            Self::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": packed(pair.public_key().as_ref()) })
            }
            // SEQUENCE of two INTEGERs; the modulus has 256 octets behind a zero, the exponent is 65537.
            Self::Rsa(pair) => {
                let der = pair.public_key().as_ref();
                json!({ "kty": "RSA", "n": packed(&der[9..9 + 256]), "e": "AQAB" })
            }
        }
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::P256(pair) | Self::P384(pair) => pair.sign(&random, text).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(text).as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature).unwrap();
                signature
            }
        }
    }

    /// What it signs, flattened.
    fn jws(&self, header: &Value, payload: &str) -> Value {
        signed(header, payload, |text| self.sign(text))
    }
}

fn packed(octets: &[u8]) -> String {
    BASE64URL_NOPAD.encode(octets)
}

fn signed(header: &Value, payload: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> Value {
    let (header, payload) = (packed(header.to_string().as_bytes()), packed(payload.as_bytes()));
    let signature = packed(&sign(format!("{header}.{payload}").as_bytes()));
    json!({ "protected": header, "payload": payload, "signature": signature })
}

fn mac(key: &[u8], header: &Value, payload: &str) -> Value {
    signed(header, payload, |text| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
    })
}

/// A client.
struct Acme<'a> {
    portal: &'a Portal,
    port: u16,
    key: Key,
    kid: Option<String>,
}

impl<'a> Acme<'a> {
    fn new(portal: &'a Portal, port: u16, key: Key) -> Self {
        Self { portal, port, key, kid: None }
    }

    /// With an account of this party.
    fn of(portal: &'a Portal, port: u16, party: &str) -> Self {
        let mut new = Self::new(portal, port, Key::p256());
        let made = new.register(&bind(portal, party, &[]));
        assert_eq!(made.status, 201, "{}", made.text());
        new
    }

    fn url(&self, path: &str) -> String {
        format!("https://{HOST}:{}/acme/{path}", self.port)
    }

    fn get(&self, path: &str, more: &[&str]) -> CurlResult {
        let path = format!("/acme/{path}");
        tools::curl_at(self.portal.sandbox.dir(), HOST, self.port, None, &path, more)
    }

    fn nonce(&self) -> String {
        let answer = self.get("new-nonce", &["-I"]);
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
        answer.header("replay-nonce").unwrap().to_owned()
    }

    /// The header of a sound request.
    fn header(&self, path: &str) -> Value {
        let mut header = json!({ "alg": self.key.algorithm(), "nonce": self.nonce(), "url": self.url(path) });
        match &self.kid {
            Some(kid) => header["kid"] = json!(kid),
            None => header["jwk"] = self.key.jwk(),
        }
        header
    }

    fn send(&self, path: &str, body: &str, more: &[&str]) -> CurlResult {
        self.portal.sandbox.write("asked.json", body);
        let base = ["-H", "Content-Type: application/jose+json", "--data-binary", "@asked.json"];
        self.get(path, &[&base[..], more].concat())
    }

    /// A request with another header than a sound one.
    fn with(&self, path: &str, payload: &str, change: impl FnOnce(&mut Value)) -> CurlResult {
        let mut header = self.header(path);
        change(&mut header);
        self.send(path, &self.key.jws(&header, payload).to_string(), &[])
    }

    fn post(&self, path: &str, payload: &Value) -> CurlResult {
        let payload = if payload.is_null() { String::new() } else { payload.to_string() };
        self.with(path, &payload, |_| {})
    }

    /// What is at an address that an answer had.
    fn at(&self, url: &Value, payload: &Value) -> CurlResult {
        let path = url.as_str().unwrap().strip_prefix(&self.url("")).unwrap().to_owned();
        self.post(&path, payload)
    }

    /// A binding for this client's key.
    fn binding(&self, made: &Value) -> Value {
        let key = BASE64URL_NOPAD.decode(made["hmac_key"].as_str().unwrap().as_bytes()).unwrap();
        let header = json!({ "alg": "HS256", "kid": made["kid"], "url": self.url("new-account") });
        mac(&key, &header, &self.key.jwk().to_string())
    }

    fn register(&mut self, made: &Value) -> CurlResult {
        let asked =
            json!({ "externalAccountBinding": self.binding(made), "contact": ["mailto:ops@example.test"] });
        let answer = self.post("new-account", &asked);
        self.kid = answer.header("location").map(str::to_owned);
        answer
    }

    fn order(&self, names: &[&str]) -> CurlResult {
        let names: Vec<Value> = names.iter().map(|name| json!({ "type": "dns", "value": name })).collect();
        self.post("new-order", &json!({ "identifiers": names }))
    }

    /// The certificate of an order for NAME, with the key FILE.key, as FILE.pem.
    fn certificate(&self, file: &str) -> Certificate {
        let order = self.order(&[NAME]);
        assert_eq!(order.status, 201, "{}", order.text());
        let request = request(self.portal, file, &[NAME], &[]);
        let done = self.at(&order.json()["finalize"], &json!({ "csr": request }));
        assert_eq!((done.status, done.json()["status"].as_str()), (200, Some("valid")), "{}", done.text());
        let given = self.at(&done.json()["certificate"], &Value::Null);
        assert_eq!(given.header("content-type"), Some("application/pem-certificate-chain"));
        self.portal.sandbox.write(&format!("{file}.pem"), given.text());
        pem::certificates(given.text().as_bytes()).unwrap().swap_remove(0)
    }
}

/// A new key FILE.key, and a request for these names that it signed, as ACME sends it.
fn request(portal: &Portal, file: &str, names: &[&str], more: &[&str]) -> String {
    let (key, der) = (format!("{file}.key"), format!("{file}.der"));
    let one = |name: &&str| if name.contains(':') { (*name).to_owned() } else { format!("DNS:{name}") };
    let names: Vec<String> = names.iter().map(one).collect();
    let names = format!("subjectAltName={}", names.join(","));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let kind = if more.contains(&"-key") || more.contains(&"-newkey") { &[][..] } else { &curve[..] };
    let out = if more.contains(&"-key") { &[][..] } else { &["-keyout", &key][..] };
    let base = ["req", "-new", "-nodes", "-subj", "/", "-addext", &names, "-outform", "DER", "-out", &der];
    openssl(portal.sandbox.dir(), &[&base[..], kind, out, more].concat(), b"").ok();
    packed(&std::fs::read(portal.sandbox.path(&der)).unwrap())
}

/// The type of a problem, after the prefix.
#[track_caller]
fn kind(answer: &CurlResult) -> String {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["status"], json!(answer.status), "{body}");
    let kind = body["type"].as_str().unwrap().strip_prefix("urn:ietf:params:acme:error:");
    kind.unwrap_or_else(|| panic!("{body}")).to_owned()
}

#[track_caller]
fn refused(answer: &CurlResult, status: u16, expected: &str) {
    assert_eq!((answer.status, kind(answer).as_str()), (status, expected), "{}", answer.text());
}

#[test]
fn a_machine_gets_its_certificate_by_every_kind_of_account_key() {
    let (portal, port) = started();
    for (number, key) in [
        Key::p256(),
        Key::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
        Key::Ed25519(Ed25519KeyPair::generate().unwrap()),
        Key::Rsa(rsa::KeyPair::generate(KeySize::Rsa2048).unwrap()),
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = Acme::new(&portal, port, key);
        let made = client.register(&bind(&portal, "svc", &[]));
        assert_eq!((made.status, &made.json()["status"]), (201, &json!("valid")), "{}", made.text());
        assert_eq!(made.json()["contact"], json!(["mailto:ops@example.test"]));
        let file = format!("machine{number}");
        let certificate = client.certificate(&file);
        assert!(certificate.has_client_usage());
        assert_eq!(portal.curl(Some(&file), "/", &[]).status, 200);
    }
    assert_eq!(records(&portal, "svc").len(), 4);
    assert!(records(&portal, "svc").iter().all(|one| one["profile"] == "service"));
}

#[test]
fn the_directory_names_what_is_there_and_each_thing_has_its_method() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let directory = client.get("directory", &[]);
    let told = directory.json();
    for (what, path) in [
        ("newNonce", "new-nonce"),
        ("newAccount", "new-account"),
        ("newOrder", "new-order"),
        ("revokeCert", "revoke-certificate"),
        ("keyChange", "key-change"),
        ("renewalInfo", "renewal-info"),
    ] {
        assert_eq!(told[what], json!(client.url(path)), "{told}");
    }
    assert_eq!(told["meta"]["externalAccountRequired"], json!(true));
    assert!(told["meta"]["profiles"]["service"].as_str().unwrap().contains("90 days"), "{told}");
    assert!(
        told["meta"]["profiles"].get("operator").is_none()
            && told["meta"]["profiles"].get("server").is_none()
    );
    let bare = client.get("new-nonce", &[]);
    assert_eq!((bare.status, bare.body.len()), (204, 0));
    assert_eq!(bare.header("link"), Some(format!("<{}>;rel=\"index\"", client.url("directory")).as_str()));

    refused(&client.get("nothing", &[]), 404, "malformed");
    refused(&client.get("directory?x", &[]), 404, "malformed");
    refused(&client.get("directory", &["-X", "DELETE"]), 405, "malformed");
    refused(&client.post("directory", &Value::Null), 405, "malformed");
    for path in
        ["new-account", "new-order", "key-change", "account/0123456789abcdef", "order/0123456789abcdef"]
    {
        refused(&client.get(path, &[]), 405, "malformed");
    }
    for kind in ["application/json", "text/plain", "application/jose"] {
        let field = format!("Content-Type: {kind}");
        refused(&client.get("new-order", &["-H", &field, "--data", "{}"]), 415, "malformed");
    }
    refused(&client.send("new-order", &" ".repeat(12 * 1024 + 1), &[]), 413, "malformed");
    for body in ["", "{}", "[]", "\u{1}", "{\"protected\":\"\",\"payload\":\"\",\"signature\":\"\"}"] {
        refused(&client.send("new-order", body, &[]), 400, "malformed");
    }
    assert_eq!(client.get("directory", &["-H", "Host: portal.test"]).status, 421);
}

/// An answer without what differs each time.
fn alike(answer: &CurlResult) -> (u16, Value) {
    let mut body = answer.json();
    body["reference"] = Value::Null;
    (answer.status, body)
}

#[test]
fn a_binding_makes_one_account_and_those_that_make_none_are_answered_alike() {
    let (portal, port) = started();
    let mut client = Acme::new(&portal, port, Key::p256());
    let none = client.post("new-account", &json!({ "termsOfServiceAgreed": true }));
    refused(&none, 403, "externalAccountRequired");
    let only = client.post("new-account", &json!({ "onlyReturnExisting": true }));
    refused(&only, 400, "accountDoesNotExist");

    let used = bind(&portal, "svc", &[]);
    assert_eq!(Acme::new(&portal, port, Key::p256()).register(&used).status, 201);
    let withdrawn = bind(&portal, "svc", &[]);
    portal.countersign(&["party", "invite", "--withdraw", withdrawn["id"].as_str().unwrap()]).ok();
    let ended = bind(&portal, "svc", &[]);
    let end =
        format!("UPDATE acme_bindings SET expires_at = 0 WHERE id = '{}'", ended["id"].as_str().unwrap());
    let database = portal.sandbox.path("state/registry.db");
    assert!(std::process::Command::new("sqlite3").arg(database).arg(end).status().unwrap().success());
    let suspended = bind(&portal, "bob", &[]);
    portal.countersign(&["party", "suspend", "bob"]).ok();
    let revoked = bind(&portal, "carol", &[]);
    portal.countersign(&["party", "revoke", "carol"]).ok();
    let mut wrong_key = bind(&portal, "svc", &[]);
    wrong_key["hmac_key"] = json!(packed(&[7; 32]));
    let mut unknown = wrong_key.clone();
    unknown["kid"] = json!("0123456789abcdef");
    let mut strange = wrong_key.clone();
    strange["kid"] = json!("x' OR 1=1 --");
    let expected = alike(&client.register(&unknown));
    assert_eq!((expected.0, &expected.1["type"]), (403, &json!("urn:ietf:params:acme:error:unauthorized")));
    for (what, made) in [
        ("used", &used),
        ("withdrawn", &withdrawn),
        ("ended", &ended),
        ("suspended", &suspended),
        ("revoked", &revoked),
        ("wrong key", &wrong_key),
        ("strange", &strange),
    ] {
        assert_eq!(alike(&client.register(made)), expected, "{what}");
    }

    client.kid = None;
    let made = bind(&portal, "svc", &[]);
    let key = BASE64URL_NOPAD.decode(made["hmac_key"].as_str().unwrap().as_bytes()).unwrap();
    let (url, jwk) = (client.url("new-account"), client.key.jwk().to_string());
    let bound = |header: Value, payload: &str| {
        client.post("new-account", &json!({ "externalAccountBinding": mac(&key, &header, payload) }))
    };
    let kid = &made["kid"];
    let other = Key::p256().jwk().to_string();
    for (header, payload, status, expected) in [
        (json!({ "alg": "HS256", "kid": kid, "url": url }), other.as_str(), 403, "unauthorized"),
        (json!({ "alg": "HS512", "kid": kid, "url": url }), &jwk, 403, "unauthorized"),
        (json!({ "alg": "none", "kid": kid, "url": url }), &jwk, 403, "unauthorized"),
        (json!({ "alg": "HS256", "kid": kid, "url": client.url("new-order") }), &jwk, 400, "malformed"),
        (json!({ "alg": "HS256", "kid": kid }), &jwk, 400, "malformed"),
        (json!({ "alg": "HS256", "kid": kid, "url": url, "nonce": "x" }), &jwk, 400, "malformed"),
        (json!({ "alg": "HS256", "jwk": client.key.jwk(), "url": url }), &jwk, 400, "malformed"),
        (json!({ "alg": "HS256", "kid": kid, "url": url }), "{}", 403, "unauthorized"),
    ] {
        refused(&bound(header, payload), status, expected);
    }
    // It is open still, and good once; the same key then has its account again, without one.
    let first = bound(json!({ "alg": "HS256", "kid": kid, "url": url }), &jwk);
    assert_eq!(first.status, 201, "{}", first.text());
    let again = client.post("new-account", &json!({ "onlyReturnExisting": true }));
    assert_eq!((again.status, again.header("location")), (200, first.header("location")));
    for (contact, expected) in [("tel:+31", "unsupportedContact"), ("mailto:a@b?x=y", "invalidContact")] {
        let stranger = Acme::new(&portal, port, Key::p256());
        refused(&stranger.post("new-account", &json!({ "contact": [contact] })), 400, expected);
    }
    let log = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().both();
    assert!(!log.contains(made["hmac_key"].as_str().unwrap()));
    assert!(log.contains(&format!("made with binding {}", kid.as_str().unwrap())), "{log}");
}

#[test]
fn a_nonce_counts_once_and_for_the_process_that_gave_it() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let account = client.kid.clone().unwrap().strip_prefix(&client.url("")).unwrap().to_owned();
    let header = client.header(&account);
    let body = client.key.jws(&header, "").to_string();
    let first = client.send(&account, &body, &[]);
    assert_eq!(first.status, 200, "{}", first.text());
    let replayed = client.send(&account, &body, &[]);
    refused(&replayed, 400, "badNonce");
    for wrong in
        [json!("x"), json!(""), json!("A".repeat(32)), Value::Null, json!(format!("{}A", client.nonce()))]
    {
        refused(&client.with(&account, "", |header| header["nonce"] = wrong.clone()), 400, "badNonce");
    }
    // The answer to a wrong one brings one that is good.
    let next = replayed.header("replay-nonce").unwrap().to_owned();
    assert_eq!(client.with(&account, "", |header| header["nonce"] = json!(next)).status, 200);
    // What nobody signed uses none up.
    let (kept, before) = (client.nonce(), client.nonce());
    let mut forged = client
        .key
        .jws(&json!({ "alg": "ES256", "nonce": kept, "url": client.url(&account), "kid": client.kid }), "");
    forged["signature"] = json!(packed(&[1; 64]));
    refused(&client.send(&account, &forged.to_string(), &[]), 400, "malformed");
    assert_eq!(client.with(&account, "", |header| header["nonce"] = json!(kept)).status, 200);

    let process = portal.gate().authority_pid().unwrap();
    std::process::Command::new("kill").args(["-9", &process.to_string()]).status().unwrap();
    eventually("another authority", || portal.gate().authority_pid().filter(|pid| *pid != process));
    refused(&client.send(&account, &body, &[]), 400, "badNonce");
    let stale = client.with(&account, "", |header| header["nonce"] = json!(before));
    refused(&stale, 400, "badNonce");
    let next = stale.header("replay-nonce").unwrap().to_owned();
    assert_eq!(client.with(&account, "", |header| header["nonce"] = json!(next)).status, 200);
}

#[test]
fn a_signature_is_by_the_key_it_names_for_the_address_it_names() {
    let (portal, port) = started();
    let (client, other) = (Acme::of(&portal, port, "svc"), Acme::of(&portal, port, "bob"));
    let order = json!({ "identifiers": [{ "type": "dns", "value": NAME }] }).to_string();
    let asked = |change: &dyn Fn(&mut Value)| client.with("new-order", &order, change);
    for url in [
        json!(client.url("new-account")),
        json!(format!("https://localhost:{port}/acme/new-order/")),
        json!(format!("https://127.0.0.1:{port}/acme/new-order")),
        json!(format!("http://localhost:{port}/acme/new-order")),
        Value::Null,
    ] {
        refused(&asked(&|header| header["url"] = url.clone()), 403, "unauthorized");
    }
    for algorithm in ["none", "HS256", "ES512", "PS256", "es256", ""] {
        let answer = asked(&|header| header["alg"] = json!(algorithm));
        refused(&answer, 400, "badSignatureAlgorithm");
        assert_eq!(answer.json()["algorithms"], json!(["ES256", "ES384", "EdDSA", "RS256"]));
    }
    for algorithm in ["ES384", "EdDSA", "RS256"] {
        refused(&asked(&|header| header["alg"] = json!(algorithm)), 400, "badSignatureAlgorithm");
    }
    // The public key as the secret of a MAC.
    let mut header = client.header("new-order");
    header["alg"] = json!("HS256");
    let confused = mac(client.key.jwk().to_string().as_bytes(), &header, &order);
    refused(&client.send("new-order", &confused.to_string(), &[]), 400, "badSignatureAlgorithm");
    // No signature, and somebody else's.
    let header = client.header("new-order");
    let mut unsigned = client.key.jws(&header, &order);
    unsigned["signature"] = json!("");
    refused(&client.send("new-order", &unsigned.to_string(), &[]), 400, "malformed");
    let theirs = other.key.jws(&client.header("new-order"), &order);
    refused(&client.send("new-order", &theirs.to_string(), &[]), 400, "malformed");
    refused(&asked(&|header| header["kid"] = json!(other.kid)), 400, "malformed");
    // Another payload under the same signature.
    let mut changed = client.key.jws(&client.header("new-order"), &order);
    changed["payload"] = json!(packed(order.replace(NAME, "bob.machines.test").as_bytes()));
    refused(&client.send("new-order", &changed.to_string(), &[]), 400, "malformed");
    // A key of one's own in the place of the account, or beside it.
    let own = client.key.jwk();
    refused(&asked(&|header| header["jwk"] = own.clone()), 400, "malformed");
    let bare = asked(&|header| {
        header.as_object_mut().unwrap().remove("kid");
        header["jwk"] = own.clone();
    });
    refused(&bare, 400, "malformed");
    for kid in [
        format!("https://localhost:{port}/acme/account/0123456789abcdef"),
        "x".into(),
        client.kid.clone().unwrap().replace("localhost", "127.0.0.1"),
        format!("{}/orders", client.kid.clone().unwrap()),
    ] {
        refused(&asked(&|header| header["kid"] = json!(kid)), 400, "accountDoesNotExist");
    }
    refused(&asked(&|header| header["crit"] = json!(["x"])), 400, "malformed");
    refused(&asked(&|header| header["b64"] = json!(false)), 400, "malformed");
    // The authority finds the same by itself, whoever has the gate's place.
    let body = client.key.jws(&client.header("new-order"), &order).to_string();
    let elsewhere = ask(&portal, &json!({ "acme": { "path": "/acme/key-change", "body": body } }));
    assert_eq!(elsewhere["acme"]["status"], json!(403), "{elsewhere}");
    let right = ask(&portal, &json!({ "acme": { "path": "/acme/new-order", "body": body } }));
    assert_eq!(right["acme"]["status"], json!(201), "{right}");
    let twice = ask(&portal, &json!({ "acme": { "path": "/acme/new-order", "body": body } }));
    assert!(twice["acme"]["body"].as_str().unwrap().contains("badNonce"), "{twice}");
}

#[test]
fn weak_and_private_account_keys_are_refused() {
    let (portal, port) = started();
    let client = Acme::new(&portal, port, Key::p256());
    let mut private = client.key.jwk();
    private["d"] = json!(packed(&[1; 32]));
    // 1024 bits, an even exponent, a small one, and a modulus with a small factor.
    let weak = json!({ "kty": "RSA", "n": packed(&[0xc1; 128]), "e": "AQAB" });
    let even = json!({ "kty": "RSA", "n": packed(&[0xc1; 256]), "e": "AQAC" });
    let small = json!({ "kty": "RSA", "n": packed(&[0xc1; 256]), "e": "Aw" });
    let symmetric = json!({ "kty": "oct", "k": packed(&[1; 32]) });
    for jwk in [private, weak, even, small, symmetric] {
        let answer = client.with("new-account", "{}", |header| header["jwk"] = jwk.clone());
        refused(&answer, 400, "badPublicKey");
    }
}

#[test]
fn an_account_orders_what_its_binding_says_and_sees_what_is_its_own() {
    let (portal, port) = started();
    let (client, other) = (Acme::of(&portal, port, "svc"), Acme::of(&portal, port, "bob"));
    for name in ["bob.machines.test", "bob", "*.machines.test", "portal.test", "x.svc.machines.test", ""] {
        refused(&client.order(&[name]), 400, "rejectedIdentifier");
    }
    let some = client.order(&[NAME, "bob", "portal.test"]);
    refused(&some, 400, "rejectedIdentifier");
    let named: Vec<Value> = some.json()["subproblems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["identifier"]["value"].clone())
        .collect();
    assert_eq!(named, [json!("bob"), json!("portal.test")]);
    let address = json!({ "identifiers": [{ "type": "ip", "value": "127.0.0.1" }] });
    refused(&client.post("new-order", &address), 400, "unsupportedIdentifier");
    refused(&client.order(&[]), 400, "malformed");
    refused(&client.order(&[NAME; 21]), 400, "malformed");
    let good = json!([{ "type": "dns", "value": NAME }]);
    for (field, value, expected) in [
        ("notAfter", "2040-01-01T00:00:00Z", "malformed"),
        ("notBefore", "2020-01-01T00:00:00Z", "malformed"),
        ("profile", "operator", "invalidProfile"),
        ("profile", "person", "invalidProfile"),
        ("replaces", "AAAA.AAAA", "malformed"),
        ("replaces", "x", "malformed"),
    ] {
        let mut order = json!({ "identifiers": good });
        order[field] = json!(value);
        refused(&client.post("new-order", &order), 400, expected);
    }
    let named = client.post("new-order", &json!({ "identifiers": good, "profile": "service" }));
    assert_eq!((named.status, &named.json()["profile"]), (201, &json!("service")), "{}", named.text());

    let order = client.order(&["SVC.machines.test", NAME, "svc"]);
    assert_eq!((order.status, &order.json()["status"]), (201, &json!("ready")), "{}", order.text());
    let told = order.json();
    assert_eq!(
        told["identifiers"],
        json!([{ "type": "dns", "value": NAME }, { "type": "dns", "value": "svc" }])
    );
    let authorisation = client.at(&told["authorizations"][0], &Value::Null);
    assert_eq!(authorisation.json()["status"], json!("valid"), "{}", authorisation.text());
    let own = json!(order.header("location").unwrap());
    assert_eq!(client.at(&own, &Value::Null).json()["status"], json!("ready"));
    for url in [&own, &told["authorizations"][0]] {
        refused(&other.at(url, &Value::Null), 404, "malformed");
    }
    let request = request(&portal, "bobs", &[NAME, "svc"], &[]);
    refused(&other.at(&told["finalize"], &json!({ "csr": request })), 404, "malformed");
    refused(&other.at(&json!(client.kid), &Value::Null), 403, "unauthorized");
    refused(&client.at(&own, &json!({})), 400, "malformed");
    let listed = client.at(&json!(format!("{}/orders", client.kid.clone().unwrap())), &Value::Null).json();
    assert!(listed["orders"].as_array().unwrap().contains(&own), "{listed}");
    // Given up, it leads nowhere.
    let given_up = client.at(&told["authorizations"][1], &json!({ "status": "deactivated" }));
    assert_eq!(given_up.json()["status"], json!("deactivated"), "{}", given_up.text());
    assert_eq!(client.at(&own, &Value::Null).json()["status"], json!("invalid"));
    refused(&client.at(&told["finalize"], &json!({ "csr": request })), 403, "orderNotReady");
    assert_eq!(records(&portal, "svc").len() + records(&portal, "bob").len(), 0);
}

#[test]
fn only_the_key_is_taken_from_a_request_and_the_profile_says_the_rest() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let finalize = |csr: &str| {
        let order = client.order(&[NAME]).json();
        client.at(&order["finalize"], &json!({ "csr": csr }))
    };
    for names in [&["bob.machines.test"][..], &["svc"], &[NAME, "svc"]] {
        refused(&finalize(&request(&portal, "other", names, &[])), 400, "badCSR");
    }
    let address = request(&portal, "other", &[NAME, "IP:10.0.0.1"], &[]);
    refused(&finalize(&address), 400, "badCSR");
    let named = request(&portal, "other", &[NAME], &["-subj", "/CN=portal.test"]);
    refused(&finalize(&named), 400, "badCSR");
    refused(&finalize(&request(&portal, "weak", &[NAME], &["-newkey", "rsa:1024"])), 400, "badPublicKey");
    let sound = request(&portal, "sound", &[NAME], &[]);
    let mut forged = BASE64URL_NOPAD.decode(sound.as_bytes()).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    for csr in ["", "AAAA", "!", &format!("{sound}="), &packed(&forged)] {
        refused(&finalize(csr), 400, "badCSR");
    }
    refused(&client.at(&client.order(&[NAME]).json()["finalize"], &json!({})), 400, "malformed");
    // A key of another party.
    let bob = portal.add_party("bob");
    drop(bob);
    let theirs = request(&portal, "theirs", &[NAME], &["-key", "bob.key"]);
    let answer = finalize(&theirs);
    refused(&answer, 400, "badCSR");
    assert!(!answer.text().contains("bob"), "{}", answer.text());

    let hostile = [
        "-subj",
        "/O=Countersign/CN=svc.machines.test",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "extendedKeyUsage=serverAuth",
        "-addext",
        "keyUsage=keyCertSign",
    ];
    let request = request(&portal, "hostile", &[NAME], &hostile);
    let order = client.order(&[NAME]).json();
    let done = client.at(&order["finalize"], &json!({ "csr": request }));
    assert_eq!(done.status, 200, "{}", done.text());
    refused(&client.at(&order["finalize"], &json!({ "csr": request })), 403, "orderNotReady");
    let given = client.at(&done.json()["certificate"], &Value::Null);
    portal.sandbox.write("hostile.pem", given.text());
    let shown =
        openssl(portal.sandbox.dir(), &["x509", "-in", "hostile.pem", "-noout", "-text"], b"").ok().stdout;
    for word in [
        "TLS Web Client Authentication",
        "Subject: CN = svc.machines.test",
        "DNS:svc.machines.test",
        "URI:urn:uuid:",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    for word in ["CA:TRUE", "Server Authentication", "Certificate Sign", "O = Countersign, CN = svc"] {
        assert!(!shown.contains(word), "{word}: {shown}");
    }
    let verified = ["verify", "-CAfile", "ca.pem", "-untrusted", "hostile.pem", "hostile.pem"];
    openssl(portal.sandbox.dir(), &verified, b"").ok();
    assert_eq!(portal.curl(Some("hostile"), "/", &[]).status, 200);
    assert_eq!(records(&portal, "svc").len(), 1);
}

#[test]
fn an_account_ends_with_its_party_by_itself_and_by_an_operator() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let order = client.order(&[NAME]).json();
    let request = request(&portal, "svc", &[NAME], &[]);
    portal.countersign(&["party", "suspend", "svc"]).ok();
    refused(&client.order(&[NAME]), 403, "unauthorized");
    refused(&client.at(&order["finalize"], &json!({ "csr": request })), 403, "unauthorized");
    portal.countersign(&["party", "resume", "svc"]).ok();
    assert_eq!(client.order(&[NAME]).status, 201);
    portal.countersign(&["party", "revoke", "svc"]).ok();
    refused(&client.order(&[NAME]), 401, "unauthorized");
    refused(&client.at(&order["finalize"], &json!({ "csr": request })), 401, "unauthorized");
    assert_eq!(records(&portal, "svc").len(), 0);

    let client = Acme::of(&portal, port, "svc");
    let account = json!(client.kid);
    refused(&client.at(&account, &json!({ "status": "revoked" })), 400, "malformed");
    let changed = client.at(&account, &json!({ "contact": ["mailto:night@example.test"] }));
    assert_eq!(changed.json()["contact"], json!(["mailto:night@example.test"]), "{}", changed.text());
    assert_eq!(client.at(&account, &Value::Null).json()["contact"], json!(["mailto:night@example.test"]));
    let ended = client.at(&account, &json!({ "status": "deactivated" }));
    assert_eq!((ended.status, &ended.json()["status"]), (200, &json!("deactivated")), "{}", ended.text());
    refused(&client.at(&account, &Value::Null), 401, "unauthorized");
    let again = Acme { kid: None, key: client.key, ..Acme::new(&portal, port, Key::p256()) };
    refused(&again.post("new-account", &json!({})), 401, "unauthorized");

    let client = Acme::of(&portal, port, "svc");
    let open = bind(&portal, "svc", &[]);
    let listed = portal.countersign(&["party", "invite", "--list", "svc", "--json"]).ok().json();
    let kinds: Vec<&str> =
        listed.as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["binding", "account"], "{listed}");
    assert!(!listed.to_string().contains(open["hmac_key"].as_str().unwrap()));
    let id = listed[1]["id"].as_str().unwrap();
    assert!(client.kid.as_ref().unwrap().ends_with(id));
    portal.countersign(&["party", "invite", "--withdraw", id]).ok();
    portal.countersign(&["party", "invite", "--withdraw", id]).exited(5);
    refused(&client.order(&[NAME]), 401, "unauthorized");
    // Of a party that is removed nothing is left.
    let client = Acme::of(&portal, port, "svc");
    portal.countersign(&["party", "remove", "svc", "--yes"]).ok();
    refused(&client.order(&[NAME]), 400, "accountDoesNotExist");
}

#[test]
fn an_account_gets_another_key_and_the_old_one_is_worth_nothing() {
    let (portal, port) = started();
    let (mut client, other) = (Acme::of(&portal, port, "svc"), Acme::of(&portal, port, "bob"));
    let url = client.url("key-change");
    let inner = |new: &Key, change: &dyn Fn(&mut Value, &mut Value)| {
        let mut header = json!({ "alg": new.algorithm(), "jwk": new.jwk(), "url": url });
        let mut payload = json!({ "account": client.kid, "oldKey": client.key.jwk() });
        change(&mut header, &mut payload);
        new.jws(&header, &payload.to_string())
    };
    let new = Key::p256();
    for (change, expected) in [
        (
            &(|header: &mut Value, _: &mut Value| header["url"] = json!("x"))
                as &dyn Fn(&mut Value, &mut Value),
            "malformed",
        ),
        (&|header, _| header["nonce"] = json!("x"), "malformed"),
        (&|header, _| header["alg"] = json!("HS256"), "badSignatureAlgorithm"),
        (&|_, payload| payload["account"] = json!(other.kid), "malformed"),
        (&|_, payload| payload["oldKey"] = other.key.jwk(), "malformed"),
    ] {
        refused(&client.post("key-change", &inner(&new, change)), 400, expected);
    }
    let mut forged = inner(&new, &|_, _| {});
    forged["signature"] = json!(packed(&[1; 64]));
    refused(&client.post("key-change", &forged), 400, "malformed");
    let taken = client.post("key-change", &inner(&other.key, &|_, _| {}));
    refused(&taken, 409, "malformed");
    assert_eq!(taken.header("location"), other.kid.as_deref());
    let done = client.post("key-change", &inner(&new, &|_, _| {}));
    assert_eq!(done.status, 200, "{}", done.text());
    refused(&client.order(&[NAME]), 400, "malformed");
    client.key = new;
    assert_eq!(client.order(&[NAME]).status, 201);
}

#[test]
fn certificates_are_revoked_by_their_account_and_by_their_key_and_by_nobody_else() {
    let (portal, port) = started();
    let (client, other) = (Acme::of(&portal, port, "svc"), Acme::of(&portal, port, "bob"));
    let first = client.certificate("first");
    let asked = |der: &[u8], reason: u8| json!({ "certificate": packed(der), "reason": reason });
    refused(&other.post("revoke-certificate", &asked(&first.der, 0)), 403, "unauthorized");
    let stranger = Acme::new(&portal, port, Key::p256());
    refused(&stranger.post("revoke-certificate", &asked(&first.der, 0)), 403, "unauthorized");
    for reason in [2, 6, 7, 8, 10, 99] {
        refused(&client.post("revoke-certificate", &asked(&first.der, reason)), 400, "badRevocationReason");
    }
    let operator =
        pem::certificates(portal.sandbox.read("state/operator.pem").as_bytes()).unwrap().swap_remove(0);
    for der in [&operator.der[..], b"", b"\x30\x00"] {
        refused(&client.post("revoke-certificate", &asked(der, 0)), 403, "unauthorized");
    }
    assert_eq!(portal.curl(Some("first"), "/", &[]).status, 200);
    let done = client.post("revoke-certificate", &asked(&first.der, 4));
    assert_eq!((done.status, done.body.len()), (200, 0), "{}", done.text());
    refused(&client.post("revoke-certificate", &asked(&first.der, 4)), 400, "alreadyRevoked");
    eventually("the gate refuses it", || {
        let answer = portal.curl(Some("first"), "/", &[]);
        (answer.status == 403 && answer.code() == "revoked").then_some(())
    });
    // Another account of the party that may have its names; and who has its key, with or without an account.
    let second = client.certificate("second");
    let kin = Acme::of(&portal, port, "svc");
    assert_eq!(kin.post("revoke-certificate", &asked(&second.der, 0)).status, 200);
    let owned = client.certificate("owned");
    let args = ["pkcs8", "-topk8", "-nocrypt", "-in", "owned.key", "-outform", "DER", "-out", "owned.p8"];
    openssl(portal.sandbox.dir(), &args, b"").ok();
    let pkcs8 = std::fs::read(portal.sandbox.path("owned.p8")).unwrap();
    let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap();
    let owner = Acme::new(&portal, port, Key::P256(pair));
    assert_eq!(owner.post("revoke-certificate", &asked(&owned.der, 1)).status, 200);
    let states: Vec<Value> =
        records(&portal, "svc").iter().map(|one| one["revoked"]["reason"].clone()).collect();
    assert_eq!(states, [json!("superseded"), json!("unspecified"), json!("key-compromise")]);
    // That key is certified never again.
    let request = request(&portal, "again", &[NAME], &["-key", "owned.key"]);
    let order = client.order(&[NAME]).json();
    refused(&client.at(&order["finalize"], &json!({ "csr": request })), 400, "badCSR");
}

/// The name of a certificate (RFC 9773 section 4.1).
fn certificate_id(certificate: &Certificate) -> String {
    format!("{}.{}", packed(certificate.authority_key_id.as_deref().unwrap()), packed(&certificate.serial))
}

#[test]
fn renewal_information_is_told_and_a_replaced_certificate_holds_a_while() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let first = client.certificate("first");
    let id = certificate_id(&first);
    let told = client.get(&format!("renewal-info/{id}"), &[]);
    assert_eq!((told.status, told.header("retry-after")), (200, Some("21600")), "{}", told.text());
    let window = &told.json()["suggestedWindow"];
    let moment = |text: &Value| examiner::UnixTime::parse(text.as_str().unwrap()).unwrap();
    let (start, end) = (moment(&window["start"]), moment(&window["end"]));
    assert!(first.not_before < start && start < end && end < first.not_after, "{window}");
    let none = id.replace('.', ".AA");
    refused(&client.get(&format!("renewal-info/{none}"), &[]), 404, "malformed");
    refused(&client.get("renewal-info/x", &[]), 400, "malformed");

    let names = json!([{ "type": "dns", "value": NAME }]);
    let replacing = json!({ "identifiers": names, "replaces": id });
    let bob = Acme::of(&portal, port, "bob");
    let theirs = json!({ "identifiers": [{ "type": "dns", "value": "bob" }], "replaces": id });
    refused(&bob.post("new-order", &theirs), 400, "malformed");
    let without = json!({ "identifiers": [{ "type": "dns", "value": "svc" }], "replaces": id });
    refused(&client.post("new-order", &without), 400, "malformed");
    let order = client.post("new-order", &replacing);
    assert_eq!((order.status, &order.json()["replaces"]), (201, &json!(id)), "{}", order.text());
    refused(&client.post("new-order", &replacing), 409, "alreadyReplaced");
    let request = request(&portal, "next", &[NAME], &[]);
    let done = client.at(&order.json()["finalize"], &json!({ "csr": request }));
    assert_eq!(done.status, 200, "{}", done.text());
    let all = records(&portal, "svc");
    assert!(all[0]["superseded_after"].is_string() && all[1]["superseded_after"].is_null(), "{all:?}");
    assert_eq!(portal.curl(Some("first"), "/", &[]).status, 200);
    assert_eq!(client.post("revoke-certificate", &json!({ "certificate": packed(&first.der) })).status, 200);
    let over = client.get(&format!("renewal-info/{id}"), &[]).json();
    assert!(moment(&over["suggestedWindow"]["end"]) < start, "{over}");
}

#[test]
fn an_address_may_ask_so_often_and_no_more() {
    let (portal, port) = started();
    let url = format!("https://{HOST}:{port}/acme/x[1-160]");
    let mut curl = std::process::Command::new("curl");
    curl.current_dir(portal.sandbox.dir()).args(["-q", "-sS", "--cacert", "ca.pem", "-o", "/dev/null"]);
    curl.args(["-w", "%{http_code} %header{retry-after}\n", &url]);
    let said = testkit::process::run(&mut curl, b"", std::time::Duration::from_secs(90)).stdout;
    assert!(said.contains("404"), "{said}");
    let limited: Vec<&str> = said.lines().filter(|line| line.starts_with("429")).collect();
    assert!(!limited.is_empty() && limited.iter().all(|line| line.len() > "429 ".len()), "{said}");
    // An account has so many orders open, and no more.
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
         INSERT INTO acme_orders (id, account, names, created_at, expires_at)
         SELECT printf('%016x', i), '{}', '[]', 0, 4000000000 FROM n",
        client.kid.as_ref().unwrap().rsplit('/').next().unwrap()
    );
    let database = portal.sandbox.path("state/registry.db");
    assert!(std::process::Command::new("sqlite3").arg(database).arg(sql).status().unwrap().success());
    let many = client.order(&[NAME]);
    refused(&many, 429, "rateLimited");
    assert!(many.header("retry-after").is_some());
}

#[test]
fn bindings_are_bounded_and_name_no_other_party() {
    let (portal, _) = started();
    portal.add_party("alice");
    for (more, exit, word) in [
        (&["--name", "alice"][..], 1, "another party"),
        (&["--name", "*.machines.test"], 2, "wildcard"),
        (&["--name", "svc machines"], 2, "lower-case"),
        (&["--profile", "operator"], 2, "no profile `operator`"),
        (&["--expires", "8d"], 2, "7d"),
        (&["--code"], 2, "cannot be used with"),
        (&["--label", "x"], 2, "cannot be used with"),
    ] {
        let base = ["party", "invite", "svc", "--site", "portal.test", "--acme"];
        let refused = portal.countersign(&[&base[..], more].concat()).exited(exit);
        assert!(refused.stderr.contains(word), "{more:?}: {}", refused.story());
    }
    portal.countersign(&["party", "invite", "svc", "--site", "portal.test", "--name", "x.test"]).exited(2);
    portal.countersign(&["party", "invite", "svc2", "--site", "portal.test", "--acme", "--dry-run"]).ok();
    portal.countersign(&["party", "show", "svc2"]).exited(5);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &portal.sandbox.path("state/acme.key").metadata().unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    // What is in the database makes no account.
    let made = bind(&portal, "svc", &[]);
    let key = BASE64URL_NOPAD.decode(made["hmac_key"].as_str().unwrap().as_bytes()).unwrap();
    let hashed = digest(&SHA256, &key);
    for file in ["state/registry.db", "state/registry.db-wal"] {
        let octets = std::fs::read(portal.sandbox.path(file)).unwrap_or_default();
        for secret in [&key[..], hashed.as_ref(), made["hmac_key"].as_str().unwrap().as_bytes()] {
            assert!(!octets.windows(secret.len()).any(|part| part == secret), "{file}");
        }
    }
}
