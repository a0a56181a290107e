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
use std::cell::Cell;

use testkit::{CurlResult, Portal, eventually, openssl, tools};

use super::authority_process::ask;
use super::enrolment::{HOST, records, started};

mod accounts;
mod certificates;
mod orders;
mod servers;
mod signatures;

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
    /// Which of this machine's addresses it comes from, 127.0.0.N: each has a rate of its own.
    from: Cell<u8>,
}

impl<'a> Acme<'a> {
    fn new(portal: &'a Portal, port: u16, key: Key) -> Self {
        Self { portal, port, key, kid: None, from: Cell::new(1) }
    }

    /// With an account of this party.
    fn of(portal: &'a Portal, port: u16, party: &str) -> Self {
        Self::bound(portal, port, &bind(portal, party, &[]))
    }

    /// With the account that this binding makes.
    fn bound(portal: &'a Portal, port: u16, binding: &Value) -> Self {
        let mut new = Self::new(portal, port, Key::p256());
        let made = new.register(binding);
        assert_eq!(made.status, 201, "{}", made.text());
        new
    }

    fn url(&self, path: &str) -> String {
        format!("https://{HOST}:{}/acme/{path}", self.port)
    }

    fn get(&self, path: &str, more: &[&str]) -> CurlResult {
        let (path, from) = (format!("/acme/{path}"), format!("127.0.0.{}", self.from.get()));
        let more = [&["--interface", &from], more].concat();
        tools::curl_at(self.portal.sandbox.dir(), HOST, self.port, None, &path, &more)
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
