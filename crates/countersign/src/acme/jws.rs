//! What is said to an ACME server: signed by the account's key (RFC 8555 section 6.2), ES256 alone.

use authority::{AuthorityError, KeyType, PrivateKey, keys};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// Octets of a coordinate on P-256.
const COORDINATE: usize = 32;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// The key cannot be made or read.
    #[error(transparent)]
    Key(#[from] AuthorityError),
    /// The key is of another kind, or the library failed.
    #[error("the account's key cannot sign by ES256")]
    Signing,
    /// The key of the external account binding is no base64url.
    #[error("the key of `eab` is not base64url")]
    Binding,
}

/// An account's key.
pub struct AccountKey {
    pair: EcdsaKeyPair,
    pem: Zeroizing<String>,
}

impl AccountKey {
    /// A new one.
    pub fn generate() -> Result<Self, JwsError> {
        Self::of(&keys::generate(KeyType::EcdsaP256)?)
    }

    /// Reads what [`AccountKey::pem`] gave.
    pub fn from_pem(text: &str) -> Result<Self, JwsError> {
        Self::of(&PrivateKey::from_pem(text)?)
    }

    fn of(key: &PrivateKey) -> Result<Self, JwsError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.pkcs8())
            .map_err(|_| JwsError::Signing)?;
        Ok(Self { pair, pem: key.to_pem()? })
    }

    /// Its PKCS#8, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The public key (RFC 7517, RFC 7518 section 6.2).
    pub fn jwk(&self) -> Value {
        let (x, y) = self.coordinates();
        json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y })
    }

    /// The key's thumbprint (RFC 7638), base64url.
    pub fn thumbprint(&self) -> String {
        let (x, y) = self.coordinates();
        // The members in lexical order, and nothing else.
        let text = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        BASE64URL_NOPAD.encode(digest(&SHA256, text.as_bytes()).as_ref())
    }

    /// The coordinates of the public key, which stands uncompressed: 4, x, y.
    fn coordinates(&self) -> (String, String) {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(COORDINATE);
        (BASE64URL_NOPAD.encode(x), BASE64URL_NOPAD.encode(y))
    }

    /// The flattened JSON form (RFC 7515 section 7.2.2) with this header. `None` as payload: the empty one of a POST-as-GET.
    pub fn sign(&self, protected: &Value, payload: Option<&Value>) -> Result<Value, JwsError> {
        flattened(protected, payload, |input| {
            let signature = self.pair.sign(&SystemRandom::new(), input).map_err(|_| JwsError::Signing)?;
            Ok(signature.as_ref().to_vec())
        })
    }

    /// The external account binding: this key, under the MAC of a key that the CA gave (RFC 8555 section 7.3.4).
    pub fn bind(&self, kid: &str, key: &str, url: &str) -> Result<Value, JwsError> {
        let key = key.trim().trim_end_matches('=').replace('+', "-").replace('/', "_");
        let key = Zeroizing::new(BASE64URL_NOPAD.decode(key.as_bytes()).map_err(|_| JwsError::Binding)?);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let protected = json!({ "alg": "HS256", "kid": kid, "url": url });
        flattened(&protected, Some(&self.jwk()), |input| Ok(hmac::sign(&key, input).as_ref().to_vec()))
    }
}

fn flattened(
    protected: &Value,
    payload: Option<&Value>,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, JwsError>,
) -> Result<Value, JwsError> {
    let protected = BASE64URL_NOPAD.encode(protected.to_string().as_bytes());
    let payload = payload.map_or_else(String::new, |one| BASE64URL_NOPAD.encode(one.to_string().as_bytes()));
    let signature = sign(format!("{protected}.{payload}").as_bytes())?;
    let signature = BASE64URL_NOPAD.encode(&signature);
    Ok(json!({ "protected": protected, "payload": payload, "signature": signature }))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    fn decoded(value: &Value) -> Vec<u8> {
        BASE64URL_NOPAD.decode(value.as_str().unwrap().as_bytes()).unwrap()
    }

    #[test]
    fn what_is_signed_verifies_by_the_key_that_the_jwk_holds() {
        let key = AccountKey::generate().unwrap();
        let key = AccountKey::from_pem(key.pem()).unwrap();
        let signed = key.sign(&json!({ "alg": "ES256" }), Some(&json!({ "a": 1 }))).unwrap();
        assert_eq!(decoded(&signed["payload"]), br#"{"a":1}"#);
        let input =
            format!("{}.{}", signed["protected"].as_str().unwrap(), signed["payload"].as_str().unwrap());
        let jwk = key.jwk();
        let public = [vec![4], decoded(&jwk["x"]), decoded(&jwk["y"])].concat();
        let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public);
        let signature = decoded(&signed["signature"]);
        assert_eq!(signature.len(), 2 * COORDINATE);
        assert!(verifier.verify(input.as_bytes(), &signature).is_ok());
        assert!(verifier.verify(b"other", &signature).is_err());
        assert_eq!(key.sign(&json!({}), None).unwrap()["payload"], "");
    }

    #[test]
    fn the_thumbprint_is_that_of_the_jwk_with_its_members_in_order() {
        let key = AccountKey::generate().unwrap();
        let text = key.jwk().to_string();
        assert!(text.starts_with(r#"{"crv":"P-256","kty":"EC","x":""#), "{text}");
        let expected = BASE64URL_NOPAD.encode(digest(&SHA256, text.as_bytes()).as_ref());
        assert_eq!(key.thumbprint(), expected);
    }

    #[test]
    fn a_binding_is_the_mac_over_the_accounts_key_and_a_key_that_is_no_base64_is_refused() {
        let key = AccountKey::generate().unwrap();
        let secret = [7; 32];
        let bound = key.bind("kid-1", &BASE64URL_NOPAD.encode(&secret), "https://a.test/new").unwrap();
        let header: Value = serde_json::from_slice(&decoded(&bound["protected"])).unwrap();
        assert_eq!(header, json!({ "alg": "HS256", "kid": "kid-1", "url": "https://a.test/new" }));
        assert_eq!(serde_json::from_slice::<Value>(&decoded(&bound["payload"])).unwrap(), key.jwk());
        let input =
            format!("{}.{}", bound["protected"].as_str().unwrap(), bound["payload"].as_str().unwrap());
        let mac = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        assert!(hmac::verify(&mac, input.as_bytes(), &decoded(&bound["signature"])).is_ok());
        assert!(matches!(key.bind("kid-1", "no key!", "https://a.test/new"), Err(JwsError::Binding)));
    }
}
