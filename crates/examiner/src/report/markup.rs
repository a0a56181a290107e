//! Text in HTML and XML.

use super::shown;

/// Text as it may stand between tags, and within quoted attributes; nothing in it can end either. What cannot be seen,
/// and what XML forbids, is escaped visibly.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            // The two of the basic plane that no XML document may hold (XML 1.0 section 2.2).
            '\u{fffe}' | '\u{ffff}' => safe.extend(c.escape_unicode()),
            other => safe.push(other),
        }
    }
    safe
}
