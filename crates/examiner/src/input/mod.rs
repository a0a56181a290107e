//! Certificates out of files as people have them: PEM with its damage explained, DER, PKCS#7.
//!
//! - [`read`]: a file's bytes in; certificates, what else lies there, and [`Note`]s about the file out.
//! - `armour`: PEM read line by line, so that what is wrong with it can be named.
//! - `kind`: what a piece of DER is.
//! - `pkcs12`: by what a PKCS#12 file is sealed, as far as it tells without its password.
//! - `notes`: every kind of note.

mod armour;
mod kind;
mod notes;
mod pkcs12;

pub use kind::Kind;
pub use notes::*;

/// What a file held.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The DER of every certificate, in the file's order; whether each is well-formed is not looked at.
    pub certificates: Vec<Vec<u8>>,
    /// What lies beside the certificates, in the file's order. Private keys are noted and not kept.
    pub others: Vec<Other>,
    /// What is to be said of the file itself.
    pub notes: Vec<Note>,
}

/// Something in a file that is no certificate.
#[derive(Clone, Debug)]
pub struct Other {
    /// What it is.
    pub kind: Kind,
    /// Its DER.
    pub der: Vec<u8>,
    /// The line in the file, from 1; `None` where the file is binary.
    pub line: Option<usize>,
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
            (whole.replace('\n', ""), 1, 1),
            (whole.replace('\n', " ").repeat(2), 2, 1),
            (whole.replace("BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE------"), 1, 1),
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
        // Told by its shape: version, name and key.
        let request = block("CERTIFICATE REQUEST").replace(BODY, "MA4wDAIBADAAMAUwAAMBAA==");
        assert_eq!(ids(request.as_bytes()), (0, vec![("csr-given", Some(1))]));
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
