//! Markup that text cannot break out of.
//!
//! Only a literal of this program is markup; whatever is filled in is text, and is escaped: characters that mean something
//! to HTML, control characters, and what turns text around or cannot be seen ([`examiner::report::escaped`]).

use examiner::report::escaped;

/// A piece of markup.
#[derive(Clone, Debug, Default)]
pub struct Html(String);

/// What can be filled into markup.
pub trait Show {
    /// Appends it.
    fn show(&self, out: &mut String);
}

impl Html {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A literal with each `{}` in it replaced by a part.
    pub fn filled(literal: &'static str, parts: &[&dyn Show]) -> Self {
        let mut out = String::with_capacity(literal.len() + 64);
        let mut rest = literal.split("{}");
        out += rest.next().unwrap_or_default();
        debug_assert_eq!(literal.matches("{}").count(), parts.len(), "{literal}");
        for (part, after) in parts.iter().zip(rest) {
            part.show(&mut out);
            out += after;
        }
        Self(out)
    }

    /// Appends another piece.
    pub fn push(&mut self, more: Html) {
        self.0 += &more.0;
    }

    /// As text, to be sent.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(all: I) -> Self {
        let mut out = Self::new();
        all.into_iter().for_each(|one| out.push(one));
        out
    }
}

impl Show for Html {
    fn show(&self, out: &mut String) {
        *out += &self.0;
    }
}

impl Show for str {
    fn show(&self, out: &mut String) {
        *out += &escaped(self);
    }
}

impl Show for String {
    fn show(&self, out: &mut String) {
        self.as_str().show(out);
    }
}

impl<T: Show + ?Sized> Show for &T {
    fn show(&self, out: &mut String) {
        (**self).show(out);
    }
}

impl<T: Show> Show for Option<T> {
    fn show(&self, out: &mut String) {
        if let Some(some) = self {
            some.show(out);
        }
    }
}

/// Text that somebody outside chose, such as a certificate's subject: it keeps its direction to itself.
pub struct Foreign<'a>(pub &'a str);

impl Show for Foreign<'_> {
    fn show(&self, out: &mut String) {
        *out += "<bdi class=\"foreign\">";
        self.0.show(out);
        *out += "</bdi>";
    }
}

/// Text of several lines as one, such as a problem with what helps.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text of several lines, which stay lines; of each the rest is as ever.
pub struct Lines<'a>(pub &'a str);

impl Show for Lines<'_> {
    fn show(&self, out: &mut String) {
        for (number, line) in self.0.split('\n').enumerate() {
            *out += if number > 0 { "\n" } else { "" };
            line.strip_suffix('\r').unwrap_or(line).show(out);
        }
    }
}

macro_rules! shown_as_text {
    ($($kind:ty),*) => {$(
        impl Show for $kind {
            fn show(&self, out: &mut String) {
                self.to_string().as_str().show(out);
            }
        }
    )*};
}
shown_as_text!(u32, u64, usize, i64, policy::PartyName, policy::HostName, examiner::Thumbprint);

/// `html!("<td>{}</td>", text)`: a literal, and what is filled into it.
macro_rules! html {
    ($literal:literal $(, $part:expr)* $(,)?) => {
        $crate::console::html::Html::filled($literal, &[$(&$part as &dyn $crate::console::html::Show),*])
    };
}
pub(crate) use html;

#[cfg(test)]
mod tests {
    use super::{Foreign, Lines};

    #[test]
    fn what_is_filled_in_is_text_in_every_place() {
        let hostile = "<script>alert(1)</script>\" onload='x' &amp; \u{202e}gpj.exe \u{0}\u{7f}";
        let made = html!("<p title=\"{}\">{}{}</p>", hostile, Foreign(hostile), 7u32).into_string();
        assert_eq!(made.matches('<').count(), 4, "{made}");
        assert_eq!(made.matches('"').count(), 4, "{made}");
        for gone in ["<script", "\u{202e}", "\u{0}", "\u{7f}", "' "] {
            assert!(!made.contains(gone), "{gone:?}: {made}");
        }
        assert!(made.contains(r"\u{202e}gpj.exe"), "what turns text around is seen: {made}");
        let lines = html!("<pre>{}</pre>", Lines("a\r\n<b>\n\u{0}")).into_string();
        assert_eq!(lines, "<pre>a\n&lt;b&gt;\n\\u{0}</pre>");
    }

    #[test]
    fn lines_stay_lines_and_are_text() {
        let made = html!("<pre>{}</pre>", Lines("a\r\n<b>\n\tc\rd\n")).into_string();
        assert_eq!(made, "<pre>a\n&lt;b&gt;\n\\u{9}c\\u{d}d\n</pre>");
    }
}
