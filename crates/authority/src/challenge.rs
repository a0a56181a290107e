//! The certificate that answers the challenge tls-alpn-01 of an ACME server (RFC 8737 section 3).
//!
//! It vouches for nothing: self-signed, for one name, with the hash of the key authorization in an extension that nobody
//! but the server that asked understands, and critical, so that everybody else refuses it.

use der::asn1::{Any, OctetString};
use der::{Decode, Encode};
use examiner::UnixTime;
use policy::issuance::AltName;
use spki::ObjectIdentifier;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Validity;

use crate::assemble::{ToBeSigned, time, wrap};
use crate::error::AuthorityError;
use crate::extensions;
use crate::keys::PrivateKey;
use crate::{names, random};

/// id-pe-acmeIdentifier.
const ACME_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.31");
/// How long it is good for; a challenge takes minutes.
const LIFE_SECONDS: i64 = 3600;

/// The certificate of `key` for the host `name`, DER, with the SHA-256 of the key authorization in it.
pub fn tls_alpn_certificate(
    key: &PrivateKey,
    name: &str,
    hash: &[u8; 32],
    now: UnixTime,
) -> Result<Vec<u8>, AuthorityError> {
    let host = names::general(&AltName::Dns(name.to_owned()))?;
    let alt_names = extensions::plain(&SubjectAltName(vec![host]))?;
    let subject = names::end_entity_subject("ACME challenge")?;
    let identifier = Extension {
        extn_id: ACME_IDENTIFIER,
        critical: true,
        extn_value: OctetString::new(OctetString::new(hash.as_slice())?.to_der()?)?,
    };
    let mut serial = random::bytes::<16>()?;
    serial[0] = serial[0] & 0x7f | 1;
    let content = ToBeSigned {
        version: 2,
        serial: SerialNumber::new(&serial)?,
        algorithm: key.algorithm(),
        issuer: subject.clone(),
        validity: Validity::new(time(now.plus(-LIFE_SECONDS))?, time(now.plus(LIFE_SECONDS))?),
        subject,
        spki: Any::from_der(&key.spki()?)?,
        extensions: vec![alt_names, identifier],
    }
    .to_der()?;
    let signature = key.sign(&content)?;
    Ok(wrap(&content, key.algorithm(), &signature)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyType, keys};

    #[test]
    fn it_names_the_host_alone_and_holds_the_hash_in_a_critical_extension() {
        let key = keys::generate(KeyType::EcdsaP256).unwrap();
        let now = UnixTime(1_800_000_000);
        let der = tls_alpn_certificate(&key, "portal.test", &[7; 32], now).unwrap();
        let read = examiner::chain::Examinee::read(der.as_slice());
        assert_eq!(read.key.as_ref().map(|key| key.bits.len()), Some(65));
        assert!(read.is_self_issued());
        // The extension: its object identifier, TRUE, and the hash in an OCTET STRING of its own.
        let wanted =
            [&[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 1, 31, 1, 1, 0xff, 4, 34, 4, 32][..], &[7; 32]].concat();
        assert!(der.windows(wanted.len()).any(|part| part == wanted));
        let name = b"\x82\x0bportal.test";
        assert_eq!(der.windows(name.len()).filter(|part| part == name).count(), 1);
    }
}
