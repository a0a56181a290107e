//! Object identifiers by their dotted text, and the short names the field gives them.

/// TLS Web Client Authentication (RFC 5280 section 4.2.1.12).
pub const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
/// TLS Web Server Authentication (RFC 5280 section 4.2.1.12).
pub const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
/// OCSP Signing (RFC 5280 section 4.2.1.12).
pub const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
/// anyExtendedKeyUsage (RFC 5280 section 4.2.1.12).
pub const ANY_EXTENDED_KEY_USAGE: &str = "2.5.29.37.0";

/// The words people use for a key purpose, or the dotted text where it has none.
///
/// ```
/// assert_eq!(examiner::cert::oid::key_purpose_name("1.3.6.1.5.5.7.3.2"), "TLS Web Client Authentication");
/// assert_eq!(examiner::cert::oid::key_purpose_name("1.2.3"), "1.2.3");
/// ```
pub fn key_purpose_name(oid: &str) -> &str {
    match oid {
        CLIENT_AUTH => "TLS Web Client Authentication",
        SERVER_AUTH => "TLS Web Server Authentication",
        ANY_EXTENDED_KEY_USAGE => "Any Extended Key Usage",
        "1.3.6.1.5.5.7.3.3" => "Code Signing",
        "1.3.6.1.5.5.7.3.4" => "E-mail Protection",
        "1.3.6.1.5.5.7.3.8" => "Time Stamping",
        OCSP_SIGNING => "OCSP Signing",
        "1.3.6.1.4.1.311.20.2.2" => "Smart Card Logon",
        other => other,
    }
}

/// The words people use for an algorithm of keys or signatures, or the dotted text where it has none.
///
/// ```
/// assert_eq!(examiner::cert::oid::algorithm_name("1.2.840.10045.4.3.2"), "ECDSA with SHA-256");
/// ```
pub fn algorithm_name(oid: &str) -> &str {
    match oid {
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.10045.2.1" => "elliptic curve",
        "1.2.840.113549.1.1.2" => "RSA with MD2",
        "1.2.840.113549.1.1.4" => "RSA with MD5",
        "1.2.840.113549.1.1.5" => "RSA with SHA-1",
        "1.2.840.113549.1.1.10" => "RSA-PSS",
        "1.2.840.113549.1.1.11" => "RSA with SHA-256",
        "1.2.840.113549.1.1.12" => "RSA with SHA-384",
        "1.2.840.113549.1.1.13" => "RSA with SHA-512",
        "1.2.840.113549.1.1.14" => "RSA with SHA-224",
        "1.2.840.10045.4.1" => "ECDSA with SHA-1",
        "1.2.840.10045.4.3.1" => "ECDSA with SHA-224",
        "1.2.840.10045.4.3.2" => "ECDSA with SHA-256",
        "1.2.840.10045.4.3.3" => "ECDSA with SHA-384",
        "1.2.840.10045.4.3.4" => "ECDSA with SHA-512",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.10040.4.3" => "DSA with SHA-1",
        "1.3.101.110" => "X25519",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        other => other,
    }
}

/// The attribute types that have a short name in subjects: (dotted text, short name), RFC 4519 and RFC 4514.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.8", "ST"),
    ("2.5.4.7", "L"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.4", "SN"),
    ("2.5.4.42", "GN"),
    ("2.5.4.12", "title"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// The short name of an attribute type, such as `CN` for `2.5.4.3`.
pub fn attribute_name(oid: &str) -> Option<&'static str> {
    ATTRIBUTES.iter().find(|(dotted, _)| *dotted == oid).map(|(_, name)| *name)
}

/// The dotted text of an attribute type from its short name (any case) or its dotted text.
pub fn attribute_oid(name: &str) -> Option<String> {
    if let Some((dotted, _)) = ATTRIBUTES.iter().find(|(_, short)| short.eq_ignore_ascii_case(name)) {
        return Some((*dotted).to_owned());
    }
    if name.eq_ignore_ascii_case("email") || name.eq_ignore_ascii_case("E") {
        return attribute_oid("emailAddress");
    }
    let dotted = name.strip_prefix("OID.").unwrap_or(name);
    let arcs: Vec<&str> = dotted.split('.').collect();
    let is_oid =
        arcs.len() > 2 && arcs.iter().all(|arc| !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit()));
    is_oid.then(|| dotted.to_owned())
}
