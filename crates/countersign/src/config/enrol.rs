//! `[enrol]`: the address where machines renew their certificates.

use std::net::SocketAddr;

use policy::HostName;

use super::file::EnrolFile;
use super::problem::{Problem, Source};
use super::read;
use crate::fetch::FetchUrl;

/// Where it stands.
const TABLE: [&str; 1] = ["enrol"];

/// The enrolment address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrol {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The host that its address names; its certificate is the own authority's.
    pub host: HostName,
    /// The address as machines know it, without a slash at its end.
    pub url: String,
}

/// Validates `[enrol]`; `taken` are the addresses that others listen on.
pub fn enrol(
    file: &EnrolFile,
    taken: &[SocketAddr],
    source: &Source,
    problems: &mut Vec<Problem>,
) -> Option<Enrol> {
    let (Some(listen), Some(url)) = (&file.listen, &file.url) else {
        let help = "write listen = \"0.0.0.0:8444\" and url = \"https://enrol.example.com:8444\"";
        for (key, is_missing) in [("listen", file.listen.is_none()), ("url", file.url.is_none())] {
            if is_missing && !read::is_told::<EnrolFile>(source, problems, &TABLE, key) {
                let place = read::place_of(source, &TABLE);
                problems.push(source.problem(&place, format!("[enrol] has no `{key}`"), help));
            }
        }
        return None;
    };
    if taken.contains(listen.get_ref()) {
        let what = format!("{} is listed twice", listen.get_ref());
        problems.push(source.problem(&listen.span(), what, "give each its own port"));
    }
    let mut fault = |what: String| {
        let help = "write it like https://enrol.example.com:8444";
        problems.push(source.problem(&url.span(), what, help));
        None
    };
    let text = url.get_ref().trim_end_matches('/');
    let parsed = match FetchUrl::parse(text) {
        Ok(parsed) => parsed,
        Err(what) => return fault(what),
    };
    if !parsed.is_https() || parsed.path() != "/" {
        return fault(format!("`{}` is not https:// and a host", text.escape_debug()));
    }
    match HostName::parse_authority(&parsed.authority()) {
        Ok(host) => Some(Enrol { listen: *listen.get_ref(), host, url: text.to_owned() }),
        Err(error) => fault(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: (&str, &str) = ("listen = \"127.0.0.1:8444\"", "url = \"https://enrol.test:8444\"");

    fn problems(lines: &[&str]) -> Vec<String> {
        let text = format!("[server]\n[enrol]\n{}\n", lines.join("\n"));
        let source = Source::file("countersign.toml", text);
        let mut found = Vec::new();
        let file = read::file(&source, &mut found);
        let taken = ["127.0.0.1:8443".parse().unwrap()];
        let read = enrol(&file.enrol.unwrap(), &taken, &source, &mut found);
        assert_eq!(read.is_none(), !found.is_empty() && !found[0].what.contains("twice"), "{found:?}");
        found
            .into_iter()
            .map(|one| format!("{}: {}", one.place.replace("countersign.toml:", ""), one.what))
            .collect()
    }

    #[test]
    fn what_is_written_wrong_is_told_once_and_not_as_missing_too() {
        assert_eq!(problems(&[GOOD.0, GOOD.1]), [""; 0]);
        for (lines, expected) in [
            (&["listen = \"nowhere\"", GOOD.1][..], &["3:10: invalid socket address syntax"][..]),
            (&["listen = 8444", GOOD.1], &["3:10: invalid type: integer `8444`"]),
            (&["lisen = \"127.0.0.1:8444\"", GOOD.1], &["3:1: unknown key `lisen`"]),
            (&[GOOD.0, "url = 7"], &["4:7: invalid type: integer `7`"]),
            (
                &[GOOD.0, "url = \"http://enrol.test\""],
                &["4:7: `http://enrol.test` is not https:// and a host"],
            ),
            (
                &[GOOD.0, "url = \"https://enrol.test/x\""],
                &["4:7: `https://enrol.test/x` is not https:// and a host"],
            ),
            (&["listen = \"127.0.0.1:8443\"", GOOD.1], &["3:10: 127.0.0.1:8443 is listed twice"]),
        ] {
            let found = problems(lines);
            assert_eq!(found.len(), expected.len(), "{lines:?}: {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "{lines:?}: {found}");
            }
        }
    }

    #[test]
    fn everything_that_is_missing_is_told_at_the_table() {
        let (listen, url) = ("2:2: [enrol] has no `listen`", "2:2: [enrol] has no `url`");
        assert_eq!(problems(&[]), [listen, url]);
        assert_eq!(problems(&[GOOD.1]), [listen]);
        assert_eq!(problems(&[GOOD.0]), [url]);
        let found = problems(&["lisen = \"127.0.0.1:8444\""]);
        assert!(found.len() == 2 && found[1] == url, "{found:?}");
    }
}
