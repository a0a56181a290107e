//! PEM read line by line (RFC 7468).

use data_encoding::BASE64;

use super::{ARMOUR_DAMAGED, BAG_ATTRIBUTES, HOLDS_KEY, Input, KEY_FORM, Note, kind};

/// A block as it stands: from the line of its BEGIN on.
struct Block {
    label: String,
    line: usize,
    body: Vec<(usize, String)>,
    is_whole: bool,
}

/// Reads every block of a text.
pub(super) fn read(input: &mut Input, text: &str) {
    let mut open: Option<Block> = None;
    let mut outside = Vec::new();
    let mut seen = false;
    let lines = text.lines().enumerate().flat_map(|(i, line)| {
        let pieces = pieces(line.trim());
        let is_cut = pieces.len() > 1;
        pieces.into_iter().map(move |piece| (i + 1, is_cut, piece))
    });
    let mut told = 0;
    for (number, is_cut, line) in lines {
        if is_cut && told != number {
            told = number;
            input.notes.push(Note::at(ARMOUR_DAMAGED, number, "a block without line breaks"));
        }
        if let Some((label, is_whole)) = boundary(line, "BEGIN ") {
            seen = true;
            if let Some(block) = open.take() {
                end(input, block, None);
            }
            open = Some(Block { label, line: number, body: Vec::new(), is_whole });
        } else if let Some((label, is_whole)) = boundary(line, "END ") {
            seen = true;
            match open.take() {
                Some(mut block) => {
                    block.is_whole &= is_whole;
                    end(input, block, Some((label, number)));
                }
                None => {
                    input.notes.push(Note::at(ARMOUR_DAMAGED, number, "an END line without its BEGIN line"))
                }
            }
        } else if let Some(block) = &mut open {
            block.body.push((number, line.to_owned()));
        } else if line == "Bag Attributes" {
            input.notes.push(Note::at(BAG_ATTRIBUTES, number, "attributes of a PKCS#12 file"));
        } else if !line.is_empty() {
            outside.push((number, line));
        }
    }
    if let Some(block) = open {
        end(input, block, None);
    }
    if !seen {
        bare(input, &outside);
    }
}

/// A line as it is, or its BEGIN and END lines and what is between them, where the line breaks were lost.
fn pieces(line: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = line;
    let begins = |text: &str| ["-----BEGIN ", "-----END "].iter().filter_map(|word| text.find(word)).min();
    while let Some(begin) = begins(rest) {
        let label = begin + 5;
        let Some(end) = rest[label..].find("-----").map(|at| label + at + 5) else { break };
        all.extend([rest[..begin].trim(), &rest[begin..end]].into_iter().filter(|piece| !piece.is_empty()));
        rest = rest[end..].trim();
    }
    // Hyphens too many are another damage.
    if all.is_empty() || (all.len() == 1 && rest.bytes().all(|b| b == b'-')) {
        return vec![line];
    }
    all.extend(Some(rest).filter(|rest| !rest.is_empty()));
    all
}

/// The label of a BEGIN or END line, and whether it has its five hyphens on each side.
fn boundary(line: &str, word: &str) -> Option<(String, bool)> {
    let inner = line.trim_matches(['-', '\u{2013}', '\u{2014}']);
    let label = inner.strip_prefix(word).filter(|_| inner.len() < line.len())?;
    let is_whole = line == format!("-----{word}{label}-----");
    Some((label.trim().to_owned(), is_whole))
}

fn end(input: &mut Input, block: Block, end: Option<(String, usize)>) {
    let damaged = |line, what: &str| Note::at(ARMOUR_DAMAGED, line, what);
    match &end {
        None => input.notes.push(damaged(block.line, "a block without its END line")),
        Some((label, line)) if *label != block.label => {
            input.notes.push(damaged(*line, "an END line of another kind than its BEGIN line"));
        }
        Some(_) if !block.is_whole => {
            input.notes.push(damaged(block.line, "a BEGIN or END line without five hyphens at each end"));
        }
        Some(_) => {}
    }
    if block.label.ends_with("PRIVATE KEY") {
        key(input, &block);
        return;
    }
    let known = [
        "CERTIFICATE",
        "X509 CERTIFICATE",
        "TRUSTED CERTIFICATE",
        "PKCS7",
        "CMS",
        "CERTIFICATE REQUEST",
        "NEW CERTIFICATE REQUEST",
        "X509 CRL",
        "OCSP RESPONSE",
        "PUBLIC KEY",
    ];
    if !known.contains(&block.label.as_str()) {
        return;
    }
    match decoded(&block) {
        Ok(der) => kind::take(input, &der, Some(block.line)),
        Err((line, what)) => input.notes.push(damaged(line, what)),
    }
}

/// Notes a private key by its label and head; its bytes are not looked at and not kept.
fn key(input: &mut Input, block: &Block) {
    let is_sealed =
        block.body.iter().any(|(_, line)| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"));
    let (what, form) = match block.label.as_str() {
        "ENCRYPTED PRIVATE KEY" => ("an encrypted private key", Some("an encrypted key in PKCS#8")),
        _ if is_sealed => {
            ("an encrypted private key", Some("a key encrypted in OpenSSL's form of old, by MD5"))
        }
        "RSA PRIVATE KEY" => ("a private key", Some("an RSA key in PKCS#1, the form before PKCS#8")),
        "EC PRIVATE KEY" => ("a private key", Some("an EC key in SEC 1, the form before PKCS#8")),
        _ => ("a private key", None),
    };
    input.notes.push(Note::at(HOLDS_KEY, block.line, what));
    input.notes.extend(form.map(|form| Note::at(KEY_FORM, block.line, form)));
}

fn decoded(block: &Block) -> Result<Vec<u8>, (usize, &'static str)> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
    let mut text = String::new();
    for (number, line) in &block.body {
        if line.bytes().any(|b| !letter(b) && !b.is_ascii_whitespace()) {
            return Err((*number, "a character that base64 has not"));
        }
        text.extend(line.split_whitespace());
    }
    if text.is_empty() {
        return Err((block.line, "a block without contents"));
    }
    BASE64.decode(text.as_bytes()).map_err(|_| (block.line, "base64 that is cut off or changed"))
}

/// Base64 alone, without any BEGIN line.
fn bare(input: &mut Input, lines: &[(usize, &str)]) {
    let Some((first, _)) = lines.first() else { return };
    let text: String = lines.iter().flat_map(|(_, line)| line.split_whitespace()).collect();
    if let Ok(der) = BASE64.decode(text.as_bytes())
        && der.first() == Some(&0x30)
    {
        input.notes.push(Note::at(ARMOUR_DAMAGED, *first, "base64 without BEGIN and END lines"));
        kind::take(input, &der, Some(*first));
    }
}
