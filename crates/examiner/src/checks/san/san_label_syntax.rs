//! The labels of a dNSName are 1 to 63 letters, digits and hyphens, the name at most 253.

use super::prelude::*;
use super::shared::{found, hosts};

pub static CHECK: Check = Check {
    id: "san-label-syntax",
    severity: Severities::all(Error),
    clause: "RFC 1034 section 3.5, RFC 5890 section 2.3.1",
    expected: "labels of letters, digits and inner hyphens",
    remedy: "Have it issued again with the right host name.",
    affected: "clients refuse the name",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn wrong_label(label: &str, is_first: bool) -> Option<&'static str> {
    // Wildcards, underscores and A-labels have checks of their own.
    let usual = |b: u8| b.is_ascii_alphanumeric() || b"-_*".contains(&b);
    if label.is_empty() {
        Some("an empty label")
    } else if label.len() > 63 {
        Some("a label of more than 63 characters")
    } else if !label.bytes().all(usual) && (!is_first || label != "?") {
        Some("a character that host names have not")
    } else if label.starts_with('-') || (label.ends_with('-') && !label.starts_with("xn--")) {
        Some("a hyphen at an end of a label")
    } else {
        None
    }
}

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    Outcome::all(hosts(certificate).filter_map(|(name, bytes)| {
        // A blank, a dot in front, other letters and null have checks of their own.
        if bytes.is_empty()
            || bytes[0] == b'.'
            || !bytes.is_ascii()
            || bytes.contains(&0)
            || bytes.iter().all(u8::is_ascii_whitespace)
        {
            return None;
        }
        let text = String::from_utf8_lossy(bytes);
        let observed = if text.len() > 253 {
            format!("a name of {} characters", text.len())
        } else {
            let wrong = text.split('.').enumerate().find_map(|(i, label)| wrong_label(label, i == 0))?;
            format!("{wrong} in {name}")
        };
        Some(found(certificate, name, observed))
    }))
}
