//! What ACME clients sign (RFC 7515, flattened): the keys of accounts (RFC 7517) and their signatures.
//!
//! Strict where leniency would let one text mean two things: base64url without padding and stray bits, no field twice, one
//! signature, one key. Five algorithms are known: four of accounts, and HMAC for external account bindings alone.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::problem::{Kind, Problem};

/// The algorithms of accounts' signatures, as `badSignatureAlgorithm` lists them.
pub const ALGORITHMS: [&str; 4] = ["ES256", "ES384", "EdDSA", "RS256"];
/// Octets of an RSA modulus: 8192 bits.
const MODULUS_MOST: usize = 1024;
/// Octets of an RSA exponent; what it may be is looked at with the key.
const EXPONENT_MOST: usize = 8;

/// A signed text as it is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flattened {
    protected: String,
    payload: String,
    signature: String,
}

/// The protected header. What it has besides is passed over, as RFC 7515 section 4 says, but for `crit`.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    nonce: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    jwk: Option<Jwk>,
    #[serde(default)]
    crit: Option<IgnoredAny>,
    #[serde(default)]
    b64: Option<IgnoredAny>,
}

/// A key as JSON. A private one is refused by its `d`, a symmetric one by its kind.
#[derive(Clone, Debug, Deserialize)]
pub struct Jwk {
    kty: String,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    d: Option<IgnoredAny>,
}

/// A signed text whose signature was not verified yet.
#[derive(Debug)]
pub struct Unverified {
    signed: String,
    signature: Vec<u8>,
    payload: Vec<u8>,
    algorithm: String,
    /// The nonce, as it came.
    pub nonce: Option<String>,
    /// What it is meant for.
    pub url: Option<String>,
    /// Who signed.
    pub signer: Named,
}

/// How a signed text names its signer.
#[derive(Clone, Debug)]
pub enum Named {
    /// By its key.
    Key(Key),
    /// By a name.
    Id(String),
}

/// What a signer said.
#[derive(Debug, PartialEq, Eq)]
pub struct Said(Vec<u8>);

impl Unverified {
    /// Reads one.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let flat: Flattened = serde_json::from_str(text).map_err(|error| {
            Problem::malformed(format!(
                "the body is no flattened JWS of `protected`, `payload`, `signature`: {error}"
            ))
        })?;
        Self::of(&flat)
    }

    /// Reads one that was within another.
    pub fn of(flat: &Flattened) -> Result<Self, Problem> {
        let header = octets(&flat.protected, "protected")?;
        let header: Header = serde_json::from_slice(&header)
            .map_err(|error| Problem::malformed(format!("the protected header cannot be read: {error}")))?;
        if header.crit.is_some() || header.b64.is_some() {
            return Err(Problem::malformed("extensions of JWS (`crit`, `b64`) are not known here"));
        }
        let signer = match (header.jwk, header.kid) {
            (Some(jwk), None) => Named::Key(Key::of(&jwk)?),
            (None, Some(id)) => Named::Id(id),
            _ => return Err(Problem::malformed("the protected header has one of `jwk` and `kid`")),
        };
        Ok(Self {
            signed: format!("{}.{}", flat.protected, flat.payload),
            signature: octets(&flat.signature, "signature")?,
            payload: octets(&flat.payload, "payload")?,
            algorithm: header.alg,
            nonce: header.nonce,
            url: header.url,
            signer,
        })
    }

    /// Whether this key signed it.
    pub fn verify(self, key: &Key) -> Result<Said, Problem> {
        if key.algorithm() != self.algorithm {
            return Err(Problem::algorithm(&self.algorithm, key.algorithm()));
        }
        if !key.has_signed(self.signed.as_bytes(), &self.signature) {
            return Err(Problem::malformed("the signature is not that of the key it names"));
        }
        Ok(Said(self.payload))
    }

    /// Whether it was made with this key of HMAC-SHA256, compared in constant time. Its payload does not count otherwise.
    pub fn is_authentic(&self, key: &[u8]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let is_made = hmac::verify(&key, self.signed.as_bytes(), &self.signature).is_ok();
        is_made && self.algorithm == "HS256"
    }

    /// The payload as a key, where it is one.
    pub fn payload_key(&self) -> Option<Key> {
        Key::of(&serde_json::from_slice(&self.payload).ok()?).ok()
    }

    /// Whether it is signed in a way that accounts are, known before anything else is looked at.
    pub fn check_algorithm(&self) -> Result<(), Problem> {
        if ALGORITHMS.contains(&self.algorithm.as_str()) {
            return Ok(());
        }
        Err(Problem::algorithm(&self.algorithm, "one of those in `algorithms`"))
    }
}

impl Said {
    /// Whether nothing was said: what is asked for is only to be given (RFC 8555 section 6.3).
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was said, as this.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.0)
            .map_err(|error| Problem::malformed(format!("the payload cannot be read: {error}")))
    }
}

/// An account's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// ECDSA on P-256: the point's coordinates.
    P256(Vec<u8>),
    /// ECDSA on P-384: the point's coordinates.
    P384(Vec<u8>),
    /// Ed25519.
    Ed25519(Vec<u8>),
    /// RSA: modulus and exponent, without leading zeros.
    Rsa(Vec<u8>, Vec<u8>),
}

impl Key {
    /// The key in a JWK: public, of a known kind, and strong.
    pub fn of(jwk: &Jwk) -> Result<Self, Problem> {
        if jwk.d.is_some() {
            return Err(bad("it is a private key: make another, since this one was sent away"));
        }
        let field = |text: &Option<String>, what: &str, most: usize| {
            let text = text.as_ref().ok_or_else(|| bad(&format!("it has no `{what}`")))?;
            let octets = BASE64URL_NOPAD
                .decode(text.as_bytes())
                .ok()
                .filter(|octets| (1..=most).contains(&octets.len()));
            octets.ok_or_else(|| bad(&format!("its `{what}` is no base64url of up to {most} octets")))
        };
        let exact = |text: &Option<String>, what: &str, length: usize| {
            field(text, what, length).and_then(|octets| {
                let is_whole = octets.len() == length;
                is_whole
                    .then_some(octets)
                    .ok_or_else(|| bad(&format!("its `{what}` has not {length} octets")))
            })
        };
        let point =
            |length| Ok::<_, Problem>([exact(&jwk.x, "x", length)?, exact(&jwk.y, "y", length)?].concat());
        let key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("EC", Some("P-256")) => Self::P256(point(32)?),
            ("EC", Some("P-384")) => Self::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Self::Ed25519(exact(&jwk.x, "x", 32)?),
            ("RSA", None) => {
                let (n, e) = (field(&jwk.n, "n", MODULUS_MOST)?, field(&jwk.e, "e", EXPONENT_MOST)?);
                if n[0] == 0 || e[0] == 0 {
                    return Err(bad("a number in it begins with zeros"));
                }
                Self::Rsa(n, e)
            }
            _ => return Err(bad("it is of none of these kinds: P-256, P-384, Ed25519, RSA")),
        };
        match examiner::key_flaw(&key.spki()) {
            Some(flaw) => Err(bad(&flaw)),
            None => Ok(key),
        }
    }

    /// The key of a text that [`jwk`](Self::jwk) made.
    pub fn parse(text: &str) -> Option<Self> {
        Self::of(&serde_json::from_str(text).ok()?).ok()
    }

    /// Its JSON in the one form that is hashed (RFC 7638 section 3).
    pub fn jwk(&self) -> String {
        let text = |octets: &[u8]| BASE64URL_NOPAD.encode(octets);
        let curve = |name: &str, point: &[u8]| {
            let (x, y) = point.split_at(point.len() / 2);
            format!(r#"{{"crv":"{name}","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y))
        };
        match self {
            Self::P256(point) => curve("P-256", point),
            Self::P384(point) => curve("P-384", point),
            Self::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x)),
            Self::Rsa(n, e) => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n)),
        }
    }

    /// SHA-256 of that form (RFC 7638).
    pub fn thumbprint(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, self.jwk().as_bytes()).as_ref());
        hash
    }

    /// Its SubjectPublicKeyInfo, DER.
    pub fn spki(&self) -> Vec<u8> {
        const EC_P256: &[u8] = &[
            0x30, 0x13, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d,
            3, 1, 7,
        ];
        const EC_P384: &[u8] =
            &[0x30, 0x10, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 0x06, 5, 0x2b, 0x81, 4, 0, 0x22];
        const EDWARDS: &[u8] = &[0x30, 5, 0x06, 3, 0x2b, 0x65, 0x70];
        const RSA: &[u8] = &[0x30, 13, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 0x05, 0];
        let (algorithm, key) = match self {
            Self::P256(point) => (EC_P256, uncompressed(point)),
            Self::P384(point) => (EC_P384, uncompressed(point)),
            Self::Ed25519(x) => (EDWARDS, x.clone()),
            Self::Rsa(n, e) => (RSA, element(0x30, &[integer(n), integer(e)].concat())),
        };
        element(0x30, &[algorithm.to_vec(), element(0x03, &[vec![0], key].concat())].concat())
    }

    /// The one algorithm that it signs with.
    fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::P384(_) => "ES384",
            Self::Ed25519(_) => "EdDSA",
            Self::Rsa(..) => "RS256",
        }
    }

    fn has_signed(&self, text: &[u8], signature: &[u8]) -> bool {
        let verified =
            match self {
                Self::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, uncompressed(point))
                    .verify(text, signature),
                Self::P384(point) => UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, uncompressed(point))
                    .verify(text, signature),
                Self::Ed25519(x) => UnparsedPublicKey::new(&ED25519, x).verify(text, signature),
                Self::Rsa(n, e) => {
                    RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, text, signature)
                }
            };
        verified.is_ok()
    }
}

fn bad(why: &str) -> Problem {
    Problem::new(Kind::BadPublicKey, format!("the key is not accepted: {why}"))
}

fn octets(text: &str, what: &str) -> Result<Vec<u8>, Problem> {
    let decoded = BASE64URL_NOPAD.decode(text.as_bytes());
    decoded.map_err(|_| Problem::malformed(format!("`{what}` is no base64url without padding")))
}

/// X9.62: both coordinates follow.
fn uncompressed(point: &[u8]) -> Vec<u8> {
    [&[4], point].concat()
}

/// A DER INTEGER of a positive number.
fn integer(number: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if number[0] & 0x80 != 0 { &[0] } else { &[] };
    element(0x02, &[sign, number].concat())
}

/// A DER element of up to 65535 octets.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = (content.len() as u16).to_be_bytes();
    let length = match content.len() {
        0..=0x7f => vec![low],
        0x80..=0xff => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag][..], &length, content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638 section 3.1.
    const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    /// RFC 8037 appendix A: a key, and a text that it signed.
    const EDWARDS: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// RFC 7515 appendix A.3.
    const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;

    fn key(text: &str) -> Result<Key, Problem> {
        Key::of(&serde_json::from_str(text).unwrap())
    }

    fn jws(header: &str, payload: &str, signature: &[u8]) -> String {
        let text = |octets: &[u8]| BASE64URL_NOPAD.encode(octets);
        serde_json::json!({
            "protected": text(header.as_bytes()), "payload": text(payload.as_bytes()), "signature": text(signature),
        })
        .to_string()
    }

    #[test]
    fn keys_have_the_thumbprints_of_the_standards() {
        for (text, expected) in [
            (RSA, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            (EDWARDS, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        ] {
            let key = key(text).unwrap();
            assert_eq!(BASE64URL_NOPAD.encode(&key.thumbprint()), expected);
            assert_eq!(Key::parse(&key.jwk()), Some(key));
        }
    }

    #[test]
    fn signatures_of_the_standards_are_verified_and_no_others() {
        let signed = |algorithm: &str, header: &str, payload: &str, signature: &str| Unverified {
            signed: format!("{header}.{payload}"),
            signature: BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap(),
            payload: Vec::new(),
            algorithm: algorithm.into(),
            nonce: None,
            url: None,
            signer: Named::Id(String::new()),
        };
        let edwards = |algorithm: &str, payload: &str| {
            let signature =
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
            signed(algorithm, "eyJhbGciOiJFZERTQSJ9", payload, signature).verify(&key(EDWARDS).unwrap())
        };
        assert!(edwards("EdDSA", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").is_ok());
        assert!(edwards("EdDSA", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmd").is_err());
        assert!(edwards("ES256", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").is_err());
        let payload =
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let ecdsa = |signature: &str| {
            signed("ES256", "eyJhbGciOiJFUzI1NiJ9", payload, signature).verify(&key(P256).unwrap())
        };
        let right = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        assert!(ecdsa(right).is_ok());
        assert!(ecdsa(&right.replace('D', "E")).is_err());
        assert!(ecdsa(&BASE64URL_NOPAD.encode(&[0; 64])).is_err(), "r and s of zero");
        assert!(ecdsa("").is_err());
    }

    #[test]
    fn a_key_is_public_whole_and_strong() {
        for bad in [
            r#"{"kty":"oct","k":"AAAA"}"#,
            r#"{"kty":"EC","crv":"P-521","x":"AAAA","y":"AAAA"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#,
            r#"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            r#"{"kty":"RSA","n":"AAAA","e":"AQAB"}"#,
            r#"{"kty":"RSA","n":"_____w","e":"AQAB"}"#,
            "{\"kty\":\"RSA\",\"e\":\"AQAB\"}",
            &RSA.replace("AQAB", "Aw"),
            &RSA.replace("AQAB", "AAEAAQ"),
            &RSA.replace("\"n\":\"0", "\"n\":\"="),
        ] {
            assert_eq!(key(bad).unwrap_err().kind, Kind::BadPublicKey, "{bad}");
        }
    }

    #[test]
    fn one_signed_text_has_one_reading() {
        let header = r#"{"alg":"ES256","nonce":"n","url":"u","kid":"k"}"#;
        let read = Unverified::read(&jws(header, "{}", b"s")).unwrap();
        assert!(matches!(&read.signer, Named::Id(id) if id == "k"));
        assert_eq!((read.nonce.as_deref(), read.url.as_deref()), (Some("n"), Some("u")));
        for header in [
            "",
            "[]",
            "{}",
            r#"{"alg":"ES256"}"#,
            r#"{"kid":"k"}"#,
            r#"{"alg":"ES256","alg":"RS256","kid":"k"}"#,
            r#"{"alg":"ES256","kid":"k","kid":"l"}"#,
            r#"{"alg":"ES256","kid":"k","crit":["exp"]}"#,
            r#"{"alg":"ES256","kid":"k","b64":false}"#,
            r#"{"alg":["ES256"],"kid":"k"}"#,
            &format!(r#"{{"alg":"ES256","kid":"k","jwk":{P256}}}"#),
        ] {
            assert_eq!(
                Unverified::read(&jws(header, "{}", b"s")).unwrap_err().kind,
                Kind::Malformed,
                "{header}"
            );
        }
        let whole = jws(header, "{}", b"s");
        for text in [
            "",
            "{}",
            "[]",
            &whole.replace("\"payload\"", "\"signatures\":[],\"payload\""),
            &whole.replace("\"payload\"", "\"header\":{},\"payload\""),
            &whole.replace("\"payload\":\"", "\"payload\":\"e30\",\"payload\":\""),
            &whole.replace("\"e30\"", "\"e30=\""),
            // The same octets with stray bits at the end.
            &whole.replace("\"e30\"", "\"e31\""),
            &format!("{whole}x"),
        ] {
            assert_eq!(Unverified::read(text).unwrap_err().kind, Kind::Malformed, "{text}");
        }
    }

    #[test]
    fn an_hmac_counts_with_its_own_algorithm_alone() {
        let made = |algorithm: &str, key: &[u8]| {
            let header = format!(r#"{{"alg":"{algorithm}","kid":"k","url":"u"}}"#);
            let text = |octets: &[u8]| BASE64URL_NOPAD.encode(octets);
            let signed = format!("{}.{}", text(header.as_bytes()), text(P256.as_bytes()));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
            Unverified::read(&jws(&header, P256, tag.as_ref())).unwrap()
        };
        let right = made("HS256", b"key");
        assert!(right.is_authentic(b"key") && !right.is_authentic(b"kez"));
        assert_eq!(right.payload_key(), Some(key(P256).unwrap()));
        assert!(right.check_algorithm().is_err(), "no account signs so");
        assert!(!made("HS384", b"key").is_authentic(b"key") && !made("none", b"key").is_authentic(b"key"));
    }
}
