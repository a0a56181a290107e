//! Signature algorithms by the hash that they rest on.

use crate::cert::tlv::{Budget, Element, read};
use crate::chain::Algorithm;

/// What a signature rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::checks) enum Hash {
    /// MD2, MD4 or MD5, by name.
    Md(&'static str),
    Sha1,
    Sha224,
    /// SHA-256, SHA-384 or SHA-512 with RSA (PKCS #1 v1.5) or ECDSA.
    Sha2,
    /// The same with RSASSA-PSS.
    PssSha2,
    /// The scheme itself says how to hash: Ed25519, Ed448, ML-DSA.
    InScheme,
    /// No algorithm known here.
    Unknown,
}

impl Hash {
    pub(in crate::checks) fn of(algorithm: &Algorithm) -> Self {
        match algorithm.oid.as_str() {
            "1.2.840.113549.1.1.2" => Self::Md("MD2"),
            "1.2.840.113549.1.1.3" | "1.3.14.3.2.2" => Self::Md("MD4"),
            "1.2.840.113549.1.1.4" | "1.3.14.3.2.3" => Self::Md("MD5"),
            "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" => Self::Sha1,
            "1.2.840.10040.4.3" | "1.3.14.3.2.27" => Self::Sha1,
            "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" => Self::Sha224,
            "1.2.840.113549.1.1.11" | "1.2.840.113549.1.1.12" | "1.2.840.113549.1.1.13" => Self::Sha2,
            "1.2.840.10045.4.3.2" | "1.2.840.10045.4.3.3" | "1.2.840.10045.4.3.4" => Self::Sha2,
            "1.2.840.113549.1.1.10" => pss(algorithm),
            "1.3.101.112" | "1.3.101.113" => Self::InScheme,
            oid if is_ml_dsa(oid) => Self::InScheme,
            _ => Self::Unknown,
        }
    }
}

/// Whether this is ML-DSA of any size, as key or signature (RFC 9881).
pub(super) fn is_ml_dsa(oid: &str) -> bool {
    matches!(oid, "2.16.840.1.101.3.4.3.17" | "2.16.840.1.101.3.4.3.18" | "2.16.840.1.101.3.4.3.19")
}

/// The hash that the parameters name; SHA-1 where they name none (RFC 4055 section 3.1).
fn pss(algorithm: &Algorithm) -> Hash {
    let Some(parameters) = algorithm.parameters.as_deref() else { return Hash::Sha1 };
    let tree = read(parameters.into(), Budget::default());
    let Some(root) = tree.root() else { return Hash::Unknown };
    let Some(hash) = root.context_child(0) else { return Hash::Sha1 };
    match hash.child(0).and_then(|hash| hash.child(0)).and_then(Element::oid).as_deref() {
        Some("1.3.14.3.2.26") => Hash::Sha1,
        Some("2.16.840.1.101.3.4.2.4") => Hash::Sha224,
        Some("2.16.840.1.101.3.4.2.1" | "2.16.840.1.101.3.4.2.2" | "2.16.840.1.101.3.4.2.3") => Hash::PssSha2,
        _ => Hash::Unknown,
    }
}

/// Whether the parameters are, octet by octet, one of the three forms of BR section 7.1.3.2.1.
pub(super) fn is_listed_pss(algorithm: &Algorithm) -> bool {
    let listed = |hash: u8, salt: u8| {
        let hash = [0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, hash, 5, 0];
        let mgf = [0xa1, 0x1c, 0x30, 0x1a, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
        [&[0x30, 0x34, 0xa0, 0x0f][..], &hash, &mgf, &hash, &[0xa2, 3, 2, 1, salt]].concat()
    };
    let given = algorithm.parameters.as_deref();
    [(1, 32), (2, 48), (3, 64)].into_iter().any(|(hash, salt)| given == Some(&listed(hash, salt)))
}
