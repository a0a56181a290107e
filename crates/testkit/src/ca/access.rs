//! authorityInfoAccess (RFC 5280 section 4.2.2.1): where a certificate says that others are to be asked.

use rcgen::CustomExtension;

use super::subject::oid;

/// What an address gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The certificate of the issuer.
    Issuer,
    /// OCSP responses.
    Ocsp,
}

/// The extension with these addresses.
pub(super) fn extension(addresses: &[(Access, &str)]) -> CustomExtension {
    let entries: Vec<u8> = addresses
        .iter()
        .flat_map(|(access, url)| {
            let method = match access {
                Access::Ocsp => 1,
                Access::Issuer => 2,
            };
            // id-ad, and the number of the method.
            let method = tlv(6, &[0x2b, 6, 1, 5, 5, 7, 0x30, method]);
            tlv(0x30, &[method, tlv(0x86, url.as_bytes())].concat())
        })
        .collect();
    CustomExtension::from_oid_content(&oid("1.3.6.1.5.5.7.1.1"), tlv(0x30, &entries))
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ ..0x80 => vec![short as u8],
        middle @ ..0x100 => vec![0x81, middle as u8],
        long => vec![0x82, (long >> 8) as u8, long as u8],
    };
    [&[tag][..], &length, content].concat()
}
