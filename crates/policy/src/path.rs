//! Request paths: normalised once, so that the rule that decides and the upstream read the same path.

use std::fmt;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// A path that can be matched against rules: percent-decoded where that loses nothing, dot segments removed, empty
/// segments dropped, re-encoded in one way. Without the query.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct NormalPath(String);

/// A path that two programs could read differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path is ambiguous: {0}")]
pub struct AmbiguousPath(pub &'static str);

/// What stays escaped inside a segment: everything outside RFC 3986's pchar.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'/')
    .add(b'\\');

impl NormalPath {
    /// Normalises a path (RFC 3986 section 6.2.2). Refused: an encoded slash, backslash or NUL, a backslash, a control,
    /// a broken or doubled escape, escapes that are no UTF-8, and dot segments that leave the root.
    pub fn parse(path: &str) -> Result<Self, AmbiguousPath> {
        if !path.starts_with('/') {
            return Err(AmbiguousPath("it does not start with `/`"));
        }
        let mut kept: Vec<String> = Vec::new();
        let mut directory = false;
        for segment in path[1..].split('/') {
            let text = decode(segment)?;
            directory = matches!(text.as_str(), "" | "." | "..");
            match text.as_str() {
                "" | "." => {}
                ".." => {
                    kept.pop().ok_or(AmbiguousPath("it leaves the root"))?;
                }
                // `..;x` is a dot segment to some servers and a name to others.
                dots if matches!(dots.split(';').next(), Some("." | ".." | "")) => {
                    return Err(AmbiguousPath("a `;` follows a dot segment"));
                }
                _ => kept.push(text),
            }
        }
        let mut normal = String::with_capacity(path.len());
        for segment in &kept {
            normal.push('/');
            normal.extend(utf8_percent_encode(segment, ESCAPED));
        }
        if directory || normal.is_empty() {
            normal.push('/');
        }
        Ok(Self(normal))
    }

    /// The same path with `;parameters` cut off every segment, as servlet containers read it.
    pub fn without_parameters(&self) -> Self {
        let cut = |segment: &str| segment.split(';').next().unwrap_or_default().to_owned();
        Self(self.0.split('/').map(cut).collect::<Vec<_>>().join("/"))
    }

    /// Whether a segment carries `;parameters`.
    pub fn has_parameters(&self) -> bool {
        self.0.contains(';')
    }

    /// Whether this path lies at or below `prefix`, by whole segments.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        let prefix = prefix.0.strip_suffix('/').unwrap_or(&prefix.0);
        self.0.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The path as it is forwarded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NormalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn decode(segment: &str) -> Result<String, AmbiguousPath> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => return Err(AmbiguousPath("it holds a backslash")),
            0..=0x1f | 0x7f => return Err(AmbiguousPath("it holds a control character")),
            b'%' => {
                let digit = |b: Option<u8>| b.and_then(|b| (b as char).to_digit(16));
                let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
                    return Err(AmbiguousPath("an escape is broken"));
                };
                match (high * 16 + low) as u8 {
                    b'/' | b'\\' => return Err(AmbiguousPath("it holds an encoded slash")),
                    0..=0x1f | 0x7f => return Err(AmbiguousPath("it holds an encoded control character")),
                    b'%' => return Err(AmbiguousPath("an escape is escaped again")),
                    decoded => bytes.push(decoded),
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| AmbiguousPath("its escapes are no UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(path: &str) -> String {
        NormalPath::parse(path).unwrap().as_str().to_owned()
    }

    #[test]
    fn every_spelling_of_a_path_is_the_same_path() {
        for text in
            ["/admin/x", "//admin///x", "/./admin/x", "/a/../admin/x", "/%61dmin/x", "/a/%2e%2E/admin/x"]
        {
            assert_eq!(normal(text), "/admin/x", "{text}");
        }
        assert_eq!(normal("/admin/"), "/admin/");
        assert_eq!(normal("/admin/."), "/admin/");
        assert_eq!(normal("/admin/x/.."), "/admin/");
        assert_eq!(normal("/"), "/");
        assert_eq!(normal("/caf%c3%a9 x"), "/caf%C3%A9%20x");
    }

    #[test]
    fn a_path_that_two_programs_read_differently_is_refused() {
        for text in [
            "",
            "admin",
            "*",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a%00",
            "/%2",
            "/%zz",
            "/%252e",
            "/%c0%af",
            "/..",
            "/a/../..",
            "/a\u{1}b",
            "/a/..;/b",
            "/a/.;x/b",
            "/;/b",
            "/%252fadmin",
        ] {
            assert!(NormalPath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_prefix_holds_whole_segments_only() {
        let rule = NormalPath::parse("/admin").unwrap();
        for (path, inside) in
            [("/admin", true), ("/admin/", true), ("/admin/x", true), ("/administrator", false), ("/", false)]
        {
            assert_eq!(NormalPath::parse(path).unwrap().starts_with(&rule), inside, "{path}");
        }
        assert!(NormalPath::parse("/x").unwrap().starts_with(&NormalPath::parse("/").unwrap()));
    }
}
