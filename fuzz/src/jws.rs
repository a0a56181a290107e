//! What the authority reads of clients of ACME. It is a program and no library: its sources are read here as they are.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

#[allow(dead_code, unreachable_pub)]
#[path = "../../crates/countersign/src/run/signing/acme"]
mod sources {
    #[path = "jose.rs"]
    pub mod jose;
    #[path = "problem.rs"]
    pub mod problem;
}

use sources::jose::{Key, Named, Unverified};

/// The bytes as a request's body; and as a protected header, a payload and a signature on lines of their own, of which a
/// body is made: so the fuzzer need not learn base64.
pub fn jws(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        body(text);
    }
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n').map(|part| BASE64URL_NOPAD.encode(part));
    let mut next = || parts.next().unwrap_or_default();
    let made = json!({ "protected": next(), "payload": next(), "signature": next() });
    body(&made.to_string());
}

fn body(text: &str) {
    let Ok(signed) = Unverified::read(text) else { return };
    let _ = signed.check_algorithm();
    let is_authentic = signed.is_authentic(&[7; 32]);
    if let Some(key) = signed.payload_key() {
        one_form(&key);
    }
    if let Named::Key(key) = signed.signer.clone() {
        one_form(&key);
        if let Ok(said) = signed.verify(&key) {
            assert!(!is_authentic, "no text is signed both ways");
            let _ = said.json::<Value>();
        }
    }
}

/// A key that is taken is strong, and has one form, which is that key.
fn one_form(key: &Key) {
    assert_eq!(Key::parse(&key.jwk()).as_ref(), Some(key));
    assert_eq!(examiner::key_flaw(&key.spki()), None);
}
