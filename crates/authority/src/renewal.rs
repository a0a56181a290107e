//! The proof that whoever asks for a renewal holds the key of the present certificate.
//!
//! It is a signature of that key over the new request, so that nobody on the way, the gate among them, can put another
//! request in its place.

use examiner::{PublicKey, Thumbprint, UnixTime};
use spki::ObjectIdentifier;

use crate::error::AuthorityError;
use crate::keys::PrivateKey;
use crate::verify;

/// What is signed begins with this, and so is nothing else that such a key signs.
const CONTEXT: &str = "countersign renewal, version 1";

/// The proof for this request, DER, made at this moment, with the key of the present certificate.
pub fn prove(
    key: &PrivateKey,
    present: &Thumbprint,
    request: &[u8],
    made_at: UnixTime,
) -> Result<Vec<u8>, AuthorityError> {
    key.sign(&octets(present, request, made_at))
}

/// Whether the key of the present certificate made this proof: with SHA-256, on P-384 SHA-384 and on P-521 SHA-512, or
/// with Ed25519.
pub fn is_proved(spki: &[u8], present: &Thumbprint, request: &[u8], made_at: UnixTime, proof: &[u8]) -> bool {
    let algorithm = match PublicKey::from_spki(spki) {
        Some(PublicKey::P256) => "1.2.840.10045.4.3.2",
        Some(PublicKey::P384) => "1.2.840.10045.4.3.3",
        Some(PublicKey::P521) => "1.2.840.10045.4.3.4",
        Some(PublicKey::Rsa { .. }) => "1.2.840.113549.1.1.11",
        Some(PublicKey::Ed25519) => "1.3.101.112",
        _ => return false,
    };
    let algorithm = ObjectIdentifier::new_unwrap(algorithm);
    verify::verify(spki, algorithm, &octets(present, request, made_at), proof).is_ok()
}

fn octets(present: &Thumbprint, request: &[u8], made_at: UnixTime) -> Vec<u8> {
    let head = format!("{CONTEXT}\n{present}\n{made_at}\n");
    [head.as_bytes(), request].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KeyType, generate};

    const AT: UnixTime = UnixTime(1_800_000_000);

    #[test]
    fn a_proof_holds_for_its_key_its_certificate_its_request_and_its_moment_alone() {
        for kind in KeyType::ALL {
            let (key, other) = (generate(kind).unwrap(), generate(kind).unwrap());
            let (spki, present) = (key.spki().unwrap(), Thumbprint::of(b"present"));
            let proof = prove(&key, &present, b"request", AT).unwrap();
            assert!(is_proved(&spki, &present, b"request", AT, &proof));
            assert!(!is_proved(&other.spki().unwrap(), &present, b"request", AT, &proof));
            assert!(!is_proved(&spki, &Thumbprint::of(b"another"), b"request", AT, &proof));
            assert!(!is_proved(&spki, &present, b"another", AT, &proof));
            assert!(!is_proved(&spki, &present, b"request", AT.plus(1), &proof));
            assert!(!is_proved(&spki, &present, b"request", AT, &proof[1..]));
        }
        assert!(!is_proved(b"no key", &Thumbprint::of(b""), b"", AT, b""));
    }
}
