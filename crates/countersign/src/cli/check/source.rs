//! A file as it is given to the check: read, and opened where it is sealed.

use std::path::{Path, PathBuf};

use authority::pkcs12;
use examiner::chain::Examinee;
use examiner::input::{self, Input, Kind, Note, PKCS12_NO_PASSWORD};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

use crate::cli::{Exit, Failure, cert};

/// A file, and the public half of the private key in it.
pub struct Source {
    /// What it holds.
    pub input: Input,
    /// subjectPublicKeyInfo of its private key, where it holds one that can be read.
    pub key: Option<Vec<u8>>,
    /// The private key, PKCS#8, of a PKCS#12 file.
    pub pkcs8: Option<Zeroizing<Vec<u8>>>,
}

/// Reads a file; a PKCS#12 file is opened with the password, or without one where none is given.
pub fn read(file: &Path, password: Option<&Path>) -> Result<Source, Failure> {
    let bytes = Zeroizing::new(bytes_of(file)?);
    let mut input = input::read(&bytes);
    let holds_key = input.notes.iter().any(|note| note.about.id == input::HOLDS_KEY.id);
    let mut key = holds_key.then(|| public_half(&bytes).ok()).flatten();
    let mut pkcs8 = None;
    let sealed: Vec<Vec<u8>> = input
        .others
        .iter()
        .filter(|other| other.kind == Kind::Pkcs12)
        .map(|other| other.der.clone())
        .collect();
    for der in sealed {
        let given = password.map(password_of).transpose()?;
        let opened =
            pkcs12::open(&der, given.as_ref().map_or("", |text| text.as_str())).map_err(|error| {
                let what = match (&error, given.is_some()) {
                    (pkcs12::OpenError::WrongPassword, false) => {
                        "it is a PKCS#12 file under a password".into()
                    }
                    _ => error.to_string(),
                };
                Failure::usage(format!("{}: {what}", called(file)), error.remedy())
            })?;
        if given.as_ref().is_none_or(|text| text.is_empty()) && opened.key.is_some() {
            input.notes.push(Note::new(PKCS12_NO_PASSWORD, "it opens without a password"));
        }
        input.certificates.extend(opened.certificates);
        key = key.or(opened
            .key
            .as_ref()
            .and_then(|der| spki_of(&PrivateKeyDer::Pkcs8(der.as_slice().into())).ok()));
        pkcs8 = pkcs8.or(opened.key);
    }
    input.others.retain(|other| other.kind != Kind::Pkcs12);
    Ok(Source { input, key, pkcs8 })
}

/// What a file is called in a message.
fn called(file: &Path) -> String {
    if file == Path::new("-") { "standard input".into() } else { file.display().to_string() }
}

/// The bytes of a file that may hold something: neither an empty file nor a web page.
fn bytes_of(file: &Path) -> Result<Vec<u8>, Failure> {
    // What cannot be read for another reason, such as a folder, could not be examined: that is no finding.
    let bytes = cert::read_bytes(file).map_err(|failure| match failure.exit {
        Exit::No => Failure { exit: Exit::Usage, ..failure },
        _ => failure,
    })?;
    let name = called(file);
    let begin = bytes.iter().position(|b| !b.is_ascii_whitespace());
    match begin.map(|begin| &bytes[begin..]) {
        None if bytes.is_empty() => {
            Err(Failure::usage(format!("{name} is empty: it has 0 bytes"), "copy or export it again"))
        }
        None => {
            Err(Failure::usage(format!("{name} is empty: it holds blanks alone"), "copy or export it again"))
        }
        Some(text) => match foreign(text) {
            Some((what, help)) => Err(Failure::usage(format!("{name} is {what}"), help)),
            None => Ok(bytes),
        },
    }
}

/// What is often given in place of a certificate, by how it begins: what it is, and what to do.
fn foreign(text: &[u8]) -> Option<(&'static str, &'static str)> {
    const KINDS: &[(&[u8], &str, &str)] = &[
        (b"<!doctype html", WEB_PAGE.0, WEB_PAGE.1),
        (b"<html", WEB_PAGE.0, WEB_PAGE.1),
        (b"<head", WEB_PAGE.0, WEB_PAGE.1),
        (b"<?xml", "XML, not a certificate", "fetch the file again, as PEM or DER"),
        (b"ssh-", "a public key of OpenSSH, not a certificate", "give an X.509 certificate, as PEM or DER"),
        (
            b"ecdsa-sha2-",
            "a public key of OpenSSH, not a certificate",
            "give an X.509 certificate, as PEM or DER",
        ),
        (&[0x1f, 0x8b], "compressed by gzip", "unpack it with `gunzip` first"),
        (b"pk\x03\x04", "a ZIP archive", "unpack it, and give the certificate file in it"),
        (
            &[0xfe, 0xed, 0xfe, 0xed],
            "a Java key store (JKS)",
            "convert it: `keytool -importkeystore -deststoretype PKCS12`",
        ),
    ];
    const WEB_PAGE: (&str, &str) = (
        "a web page, not a certificate",
        "an error or a login page was saved in its place; fetch the file again",
    );
    let head = text[..text.len().min(16)].to_ascii_lowercase();
    KINDS.iter().find(|(begin, ..)| head.starts_with(begin)).map(|(_, what, help)| (*what, *help))
}

/// The certificates of a file of anchors or intermediates; never none.
pub fn certificates(file: &Path) -> Result<Vec<Examinee>, Failure> {
    let input = input::read(&bytes_of(file)?);
    if input.certificates.is_empty() {
        return Err(nothing_in(file, &input, "certificate"));
    }
    Ok(input.certificates.iter().map(|der| Examinee::read(der.as_slice())).collect())
}

/// The things of one kind in these files; each file has at least one.
pub fn others(files: &[PathBuf], kind: Kind) -> Result<Vec<(PathBuf, Vec<u8>)>, Failure> {
    let mut all = Vec::new();
    for file in files {
        let input = input::read(&bytes_of(file)?);
        let before = all.len();
        all.extend(
            input.others.iter().filter(|one| one.kind == kind).map(|one| (file.clone(), one.der.clone())),
        );
        if all.len() == before {
            let what = kind.words().trim_start_matches("a ").trim_start_matches("an ");
            return Err(nothing_in(file, &input, what));
        }
    }
    Ok(all)
}

/// Why a file that ought to hold something cannot be used.
pub fn nothing_in(file: &Path, input: &Input, what: &str) -> Failure {
    let name = called(file);
    let damage = input.notes.iter().find(|note| note.about.id == input::ARMOUR_DAMAGED.id);
    match (damage, input.notes.first()) {
        (Some(damage), _) => Failure::usage(
            format!("{name} is damaged: {}: {}; no {what} could be read", damage.place(), damage.observed),
            damage.about.remedy,
        ),
        (None, Some(note)) => Failure::usage(
            format!("{name} holds no {what} ({}: {})", note.place(), note.observed),
            format!("give the file with the {what}, as PEM or DER"),
        ),
        (None, None) => Failure::usage(
            format!("{name} holds no {what}: it is neither PEM nor DER of one"),
            "give it as PEM or DER",
        ),
    }
}

/// The first line of a password's file.
pub fn password_of(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = Zeroizing::new(cert::read_bytes(file)?);
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::usage("the password is no UTF-8 text", "give it as one line of text"))?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// The subjectPublicKeyInfo that belongs to the private key of a PEM or DER file, or why it cannot be told.
pub fn public_half(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let key = match PrivateKeyDer::from_pem_slice(bytes) {
        Ok(key) => key,
        Err(_) if bytes.first() == Some(&0x30) => {
            PrivateKeyDer::try_from(bytes.to_vec()).map_err(|error| error.to_owned())?
        }
        Err(_) if bytes.windows(9).any(|word| word == b"ENCRYPTED") => {
            return Err("the private key is encrypted".into());
        }
        Err(error) => return Err(format!("it holds no private key ({error})")),
    };
    spki_of(&key)
}

fn spki_of(key: &PrivateKeyDer<'_>) -> Result<Vec<u8>, String> {
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(key)
        .map_err(|error| format!("the private key cannot be used ({error})"))?;
    key.public_key()
        .map(|public| public.as_ref().to_vec())
        .ok_or_else(|| "its public half cannot be told".into())
}
