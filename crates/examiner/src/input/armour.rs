//! PEM read line by line (RFC 7468).

use data_encoding::BASE64;

use super::{ARMOUR_DAMAGED, BAG_ATTRIBUTES, HOLDS_KEY, Input, Note, REQUEST_GIVEN, kind};

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
    for (number, line) in text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())) {
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
        let what =
            if block.label.starts_with("ENCRYPTED") { "an encrypted private key" } else { "a private key" };
        input.notes.push(Note::at(HOLDS_KEY, block.line, what));
        return;
    }
    if block.label.ends_with("CERTIFICATE REQUEST") {
        input.notes.push(Note::at(REQUEST_GIVEN, block.line, "a certificate request"));
        return;
    }
    let known = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS7", "CMS"];
    if !known.contains(&block.label.as_str()) {
        return;
    }
    match decoded(&block) {
        Ok(der) => kind::take(input, &der, Some(block.line)),
        Err((line, what)) => input.notes.push(damaged(line, what)),
    }
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
