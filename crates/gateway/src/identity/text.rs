//! Certificate facts as the dialects write them: always ASCII, and no value can look like more than itself.

use examiner::cert::{AttributeValue, GeneralName, Name, oid, pem};
use examiner::{Certificate, UnixTime};

/// The certificate as PEM, percent-encoded but for `kept` and RFC 3986's unreserved characters.
pub(super) fn escaped_pem(der: &[u8], kept: &[u8]) -> String {
    let mut text = String::new();
    for byte in pem::encode("CERTIFICATE", der).bytes() {
        push_escaped(&mut text, byte, |b| is_unreserved(b) || kept.contains(&b));
    }
    text
}

/// RFC 3986 section 2.3.
pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// The byte where `plain` says so, else its escape.
pub(super) fn push_escaped(text: &mut String, byte: u8, plain: impl Fn(u8) -> bool) {
    if plain(byte) {
        text.push(char::from(byte));
    } else {
        text.push_str(&format!("%{byte:02X}"));
    }
}

/// The text with everything percent-encoded that is no graphic ASCII, and these characters.
pub(super) fn without(text: &str, special: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        push_escaped(&mut out, byte, |b| (b == b' ' || b.is_ascii_graphic()) && !special.contains(&b));
    }
    out
}

/// Hex digits of these bytes, lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The serial number in upper-case hex, as OpenSSL prints it.
pub(super) fn serial(certificate: &Certificate) -> String {
    certificate.serial_hex().to_ascii_uppercase()
}

/// RFC 2253 text as OpenSSL writes it: last RDN first, everything outside ASCII as `\XX`.
pub(super) fn rfc2253(name: &Name) -> String {
    let rdns = name.rdns.iter().rev().map(|rdn| {
        let all = rdn.iter().map(|one| format!("{}={}", attribute(&one.oid), value(&one.value)));
        all.collect::<Vec<_>>().join("+")
    });
    rdns.collect::<Vec<_>>().join(",")
}

/// Slash text in the certificate's order. A slash or backslash inside a value stands as `\XX`, so that it begins no
/// attribute.
pub(super) fn slashed(name: &Name) -> String {
    let mut text = String::new();
    for one in name.rdns.iter().flatten() {
        text.push('/');
        text.push_str(attribute(&one.oid));
        text.push('=');
        text.push_str(&plain(&one.value));
    }
    text
}

/// A value in slash text: what is special there, in quotes or outside ASCII stands as `\XX`.
pub(super) fn plain(value: &AttributeValue) -> String {
    let AttributeValue::Text(text) = value else { return dumped(value) };
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'/' | b'\\' | b'"' | 0..=0x1f | 0x7f.. => out.push_str(&format!("\\{byte:02X}")),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

pub(super) fn attribute(dotted: &str) -> &str {
    oid::attribute_name(dotted).unwrap_or(dotted)
}

fn value(value: &AttributeValue) -> String {
    let AttributeValue::Text(text) = value else { return dumped(value) };
    let last = text.len().saturating_sub(1);
    let mut out = String::new();
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            b',' | b'+' | b'<' | b'>' | b';' => out.extend(['\\', char::from(byte)]),
            // As hex: the text also stands between quotes, where `\"` and a last `\` would be read in two ways.
            b'"' | b'\\' | 0..=0x1f | 0x7f.. => out.push_str(&format!("\\{byte:02X}")),
            b' ' if i == 0 || i == last => out.push_str("\\20"),
            b'#' if i == 0 => out.push_str("\\#"),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

/// A value of another string type as its DER (RFC 2253 section 2.4).
fn dumped(value: &AttributeValue) -> String {
    let AttributeValue::Other { tag, bytes } = value else { return String::new() };
    let mut length = bytes.len().to_be_bytes().to_vec();
    length.drain(..length.iter().take_while(|byte| **byte == 0).count().min(length.len() - 1));
    let mut der = vec![*tag as u8 & 0x1f];
    if bytes.len() > 0x7f {
        der.push(0x80 | length.len() as u8);
    }
    der.extend(length);
    der.extend(bytes);
    format!("#{}", hex(&der))
}

/// An ASN.1 time as it stands in the certificate: two digits of the year up to 2049, then four.
pub(super) fn asn1_time(time: UnixTime) -> String {
    let digits: String = time.to_string().chars().filter(char::is_ascii_digit).collect();
    let year: u32 = digits.get(..4).and_then(|year| year.parse().ok()).unwrap_or(9999);
    let short = if (1950..2050).contains(&year) { digits.get(2..).unwrap_or_default() } else { &digits };
    format!("{short}Z")
}

/// A subject alternative name with its type as OpenSSL writes it; none where it is of another type.
pub(super) fn kind_and_text(name: &GeneralName) -> Option<(&'static str, String)> {
    Some(match name {
        GeneralName::Dns(text) => ("DNS", text.clone()),
        GeneralName::Email(text) => ("email", text.clone()),
        GeneralName::Uri(text) => ("URI", text.clone()),
        GeneralName::Ip(address) => ("IP Address", address.to_string()),
        GeneralName::Other(_) => return None,
    })
}
