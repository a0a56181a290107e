//! What is said of a file, and not of a certificate in it: every kind, with clause and remedy.

use serde::Serialize;

use crate::checks::check::Check;
use crate::report::Severity;

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

/// A private key is encrypted, or in a form of old.
pub const KEY_FORM: About = About {
    id: "file-key-encrypted-or-old-format",
    severity: Severity::Notice,
    clause: "RFC 5958",
    expected: "PKCS#8: BEGIN PRIVATE KEY, or BEGIN ENCRYPTED PRIVATE KEY where the program can ask for its password",
    affected: "programs that read PKCS#8 alone, or start without somebody to type a password",
    remedy: "Convert it with `openssl pkcs8 -topk8` where a program does not take it.",
};
/// The file is sealed by algorithms of old.
pub const PKCS12_OLD: About = About {
    id: "pkcs12-old-algorithms",
    severity: Severity::Warning,
    clause: "RFC 7292 appendix C, RFC 8018, NIST SP 800-131A",
    expected: "AES-256 with a key by PBKDF2, and a MAC with SHA-256",
    affected: "whoever keeps the file: its password is guessed sooner; and programs that no longer open RC2 and RC4",
    remedy: "Make the file again: `countersign cert convert FILE --to pkcs12 --p12 modern`.",
};
/// The file opens without a password.
pub const PKCS12_NO_PASSWORD: About = About {
    id: "pkcs12-empty-password",
    severity: Severity::Warning,
    clause: "practice",
    expected: "a password of 20 random characters",
    affected: "whoever gets hold of the file has the private key",
    remedy: "Make the file again under a password, and renew the key if others could read the file.",
};
/// Trust anchors of a bundle that help nobody any more, or harm.
pub const BUNDLE_STALE: About = About {
    id: "trust-bundle-expired-or-weak-roots",
    severity: Severity::Warning,
    clause: "practice",
    expected: "trust anchors that are valid, with keys of today",
    affected: "peers under this trust anchor are refused, or somebody who breaks its key is admitted",
    remedy: "Take it out of the bundle once nobody needs it, and put its successor in.",
};
/// The same certificate stands in the bundle more than once.
pub const BUNDLE_DUPLICATE: About = About {
    id: "bundle-order-or-duplicates",
    severity: Severity::Notice,
    clause: "practice",
    expected: "each certificate once",
    affected: "nobody at once; the list grows, and a change in one place is missed in the other",
    remedy: "Take the copy out.",
};
/// What a block holds is not what it says it holds.
pub const NOT_READABLE: About = About {
    id: "file-part-unreadable",
    severity: Severity::Error,
    clause: "RFC 5280 section 5, RFC 6960 section 4.2, RFC 2986 section 4",
    expected: "a whole revocation list, OCSP response or request",
    affected: "every program that reads it",
    remedy: "Fetch it, or have it made, again; an error page of a web server may have been saved in its place.",
};
/// A request that nobody signed with its key.
pub const REQUEST_NOT_SIGNED: About = About {
    id: "csr-signature-invalid",
    severity: Severity::Error,
    clause: "RFC 2986 section 4.2",
    expected: "a signature by the request's own key",
    affected: "every CA: it must refuse the request",
    remedy: "Make the request again with the key that it is for; nothing in it may be changed afterwards.",
};
/// A request whose key or signature no CA takes.
pub const REQUEST_WEAK: About = About {
    id: "csr-weak-key-or-hash",
    severity: Severity::Error,
    clause: "BR section 6.1.5, section 6.1.6, section 7.1.3.2",
    expected: "RSA of 2048 to 8192 bits or ECDSA on P-256, P-384 or P-521, signed with SHA-256 or better",
    affected: "every public CA refuses it, and this product's authority too",
    remedy: "Make a new key and a new request: `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256`.",
};
/// A request with a name in its subject only.
pub const REQUEST_WITHOUT_SAN: About = About {
    id: "csr-no-san",
    severity: Severity::Notice,
    clause: "BR section 7.1.4.2, RFC 9525 section 2",
    expected: "the host names as subjectAltName",
    affected: "CAs that copy the request: the certificate will name no host; others add the names themselves",
    remedy: "Ask for the names as subjectAltName: `-addext subjectAltName=DNS:www.example.com`.",
};
/// A request for the client usage, which public CAs no longer give.
pub const REQUEST_CLIENT_USAGE: About = About {
    id: "csr-asks-client-usage",
    severity: Severity::Warning,
    clause: "Chrome Root Program Policy 1.8 section 1.3.2; Let's Encrypt since 8 July 2026",
    expected: "server usage from a public CA; client usage from a private one",
    affected: "public CAs refuse the request or leave the client usage out",
    remedy: "Send it to a private CA, such as `countersign party add NAME --csr FILE`, or ask for the server usage alone.",
};
/// A responder that gave no answer.
pub const NO_ANSWER: About = About {
    id: "ocsp-no-answer",
    severity: Severity::Warning,
    clause: "RFC 6960 section 4.2.1",
    expected: "responseStatus successful (0)",
    affected: "clients that ask for it: they learn nothing about the certificate",
    remedy: "Ask again later; if it stays so, tell the CA, or name the responder that belongs to this issuer.",
};

/// Every kind of note.
pub const ALL: &[About] = &[
    ARMOUR_DAMAGED,
    TEXT_ENCODING,
    BAG_ATTRIBUTES,
    HOLDS_KEY,
    KEY_FORM,
    KEY_MISMATCH,
    OTHER_FORM,
    PKCS12_OLD,
    PKCS12_NO_PASSWORD,
    BUNDLE_STALE,
    BUNDLE_DUPLICATE,
    NOT_READABLE,
    REQUEST_GIVEN,
    REQUEST_NOT_SIGNED,
    REQUEST_WEAK,
    REQUEST_WITHOUT_SAN,
    REQUEST_CLIENT_USAGE,
    NO_ANSWER,
];

impl About {
    /// What a check says of itself, for something that is no certificate; `severity` is the one it has there.
    pub(crate) fn of(check: &Check, severity: Severity) -> Self {
        let Check { id, clause, expected, affected, remedy, .. } = *check;
        Self { id, severity, clause, expected, affected, remedy }
    }
}

impl Note {
    /// Where it stands, in words.
    pub fn place(&self) -> String {
        self.line.map_or_else(|| "the file".into(), |line| format!("line {line}"))
    }

    /// A note about the whole file.
    pub fn new(about: About, observed: impl Into<String>) -> Self {
        Self { about, line: None, observed: observed.into() }
    }

    pub(super) fn at(about: About, line: usize, observed: impl Into<String>) -> Self {
        Self { about, line: Some(line), observed: observed.into() }
    }
}
