//! Certificates out of files as people have them: PEM with its damage explained, DER, PKCS#7.
//!
//! - [`read`]: a file's bytes in, certificates and [`Note`]s about the file out.
//! - `armour`: PEM read line by line, so that what is wrong with it can be named.
//! - `kind`: what a piece of DER is.

mod armour;
mod kind;

use serde::Serialize;

use crate::report::Severity;

/// What a file held.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The DER of every certificate, in the file's order; whether each is well-formed is not looked at.
    pub certificates: Vec<Vec<u8>>,
    /// What is to be said of the file itself.
    pub notes: Vec<Note>,
}

/// Something about a file, and not about a certificate in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The kind of note; its id is stable.
    #[serde(flatten)]
    pub about: About,
    /// The line in the file, from 1; `None` where it concerns the whole.
    pub line: Option<usize>,
    /// What stands there.
    pub observed: String,
}

/// A kind of note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct About {
    /// Its stable name.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Where the rule is written.
    pub clause: &'static str,
    /// What ought to be.
    pub expected: &'static str,
    /// Who is affected.
    pub affected: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// The PEM text around a block is broken.
pub const ARMOUR_DAMAGED: About = About {
    id: "pem-armour-damaged",
    severity: Severity::Error,
    clause: "RFC 7468 section 2",
    expected: "-----BEGIN CERTIFICATE-----, lines of base64, -----END CERTIFICATE-----",
    affected: "every program that reads the file",
    remedy: "Copy the block again, whole, with its BEGIN and END lines and five hyphens at each of their ends.",
};
/// The text is not in the plain encoding.
pub const TEXT_ENCODING: About = About {
    id: "pem-encoding-bom-crlf-utf16",
    severity: Severity::Warning,
    clause: "RFC 7468 section 2",
    expected: "ASCII text without a byte order mark",
    affected: "OpenSSL and what is built on it find no certificate in such a file",
    remedy: "Save the file as plain ASCII or as UTF-8 without a byte order mark.",
};
/// Attributes stand between the blocks.
pub const BAG_ATTRIBUTES: About = About {
    id: "pem-windows-bag-attributes",
    severity: Severity::Notice,
    clause: "RFC 7468 section 5.2",
    expected: "the blocks alone",
    affected: "a few programs that take the first line for the block",
    remedy: "Take the lines between the blocks out where a program stumbles over them.",
};
/// A private key lies beside the certificates.
pub const HOLDS_KEY: About = About {
    id: "file-holds-private-key",
    severity: Severity::Warning,
    clause: "practice",
    expected: "certificates alone",
    affected: "whoever may read the file can use the key",
    remedy: "Keep the key in a file of its own that only its user may read, and give away the certificates alone.",
};
/// The private key given does not belong to the certificate.
pub const KEY_MISMATCH: About = About {
    id: "key-does-not-match-certificate",
    severity: Severity::Error,
    clause: "RFC 8446 section 4.4.3",
    expected: "the private key of the first certificate",
    affected: "every handshake fails",
    remedy: "Find the key that the certificate was requested with, or request a new certificate with this key.",
};
/// The file is binary or PKCS#7; it was read all the same.
pub const OTHER_FORM: About = About {
    id: "pkcs7-or-der-given",
    severity: Severity::Notice,
    clause: "RFC 5652, RFC 5280 section 4.1",
    expected: "PEM, which most programs ask for",
    affected: "programs that read PEM alone",
    remedy: "Nothing for this check; convert the file to PEM for a server that asks for it.",
};
/// A request lies in the file.
pub const REQUEST_GIVEN: About = About {
    id: "csr-given",
    severity: Severity::Notice,
    clause: "RFC 2986",
    expected: "a certificate",
    affected: "nobody: a request is what a CA makes a certificate from",
    remedy: "Send the request to the CA, and give the certificate that comes back.",
};

/// Every kind of note.
pub const ALL: &[About] =
    &[ARMOUR_DAMAGED, TEXT_ENCODING, BAG_ATTRIBUTES, HOLDS_KEY, KEY_MISMATCH, OTHER_FORM, REQUEST_GIVEN];

impl Note {
    /// A note about the whole file.
    pub fn new(about: About, observed: impl Into<String>) -> Self {
        Self { about, line: None, observed: observed.into() }
    }

    fn at(about: About, line: usize, observed: impl Into<String>) -> Self {
        Self { about, line: Some(line), observed: observed.into() }
    }
}

/// Everything that can be had out of a file.
pub fn read(bytes: &[u8]) -> Input {
    let mut input = Input::default();
    if bytes.first() == Some(&0x30) {
        kind::take(&mut input, bytes, None);
        if !input.certificates.is_empty() && input.notes.is_empty() {
            input.notes.push(Note::new(OTHER_FORM, "the file is DER, not text"));
        }
        return input;
    }
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(&mut input, rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(&mut input, rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => {
            input.notes.push(Note::at(TEXT_ENCODING, 1, "the file begins with a byte order mark"));
            String::from_utf8_lossy(rest).into_owned()
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    armour::read(&mut input, &text);
    input
}

fn utf16(input: &mut Input, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    input.notes.push(Note::at(TEXT_ENCODING, 1, "the file is UTF-16"));
    let (pairs, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MAMCAQA=";

    fn ids(text: &[u8]) -> (usize, Vec<(&'static str, Option<usize>)>) {
        let input = read(text);
        (input.certificates.len(), input.notes.iter().map(|note| (note.about.id, note.line)).collect())
    }

    fn block(label: &str) -> String {
        format!("-----BEGIN {label}-----\n{BODY}\n-----END {label}-----\n")
    }

    #[test]
    fn whole_blocks_are_read_without_a_word() {
        assert_eq!(ids(block("CERTIFICATE").repeat(2).as_bytes()), (2, vec![]));
        assert_eq!(ids(block("CERTIFICATE").replace('\n', "\r\n").as_bytes()), (1, vec![]));
    }

    #[test]
    fn damage_is_named_with_its_line_and_what_can_be_read_is_read() {
        let whole = block("CERTIFICATE");
        for (text, certificates, line) in [
            (whole.replace("-----END CERTIFICATE-----", ""), 1, 1),
            (whole.replace("-----BEGIN", "----BEGIN"), 1, 1),
            (whole.replace("CERTIFICATE-----\nMAM", "CERTIFICATE-----\nMA!M"), 0, 2),
            (whole.replace(BODY, ""), 0, 1),
            (format!("{BODY}\n"), 1, 1),
            (whole.replace("END CERTIFICATE", "END PKCS7"), 1, 3),
        ] {
            assert_eq!(
                ids(text.as_bytes()),
                (certificates, vec![("pem-armour-damaged", Some(line))]),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_beside_certificates_is_said() {
        let key = block("PRIVATE KEY");
        assert_eq!(ids(key.as_bytes()), (0, vec![("file-holds-private-key", Some(1))]));
        let attributes = format!("Bag Attributes\n    localKeyID: 01\n{}", block("CERTIFICATE"));
        assert_eq!(ids(attributes.as_bytes()), (1, vec![("pem-windows-bag-attributes", Some(1))]));
        assert_eq!(ids(block("CERTIFICATE REQUEST").as_bytes()), (0, vec![("csr-given", Some(1))]));
    }

    #[test]
    fn other_encodings_are_read() {
        let whole = block("CERTIFICATE");
        let mark = [b"\xef\xbb\xbf", whole.as_bytes()].concat();
        assert_eq!(ids(&mark), (1, vec![("pem-encoding-bom-crlf-utf16", Some(1))]));
        let wide: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(
            ids(&[b"\xff\xfe", wide.as_slice()].concat()),
            (1, vec![("pem-encoding-bom-crlf-utf16", Some(1))])
        );
    }

    #[test]
    fn nothing_is_no_certificate() {
        assert_eq!(ids(b""), (0, vec![]));
        assert_eq!(ids(b"hello\n"), (0, vec![]));
        assert_eq!(ids(&[0x30, 0x80]).0, 1);
    }
}
