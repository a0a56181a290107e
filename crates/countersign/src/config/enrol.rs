//! `[enrol]`: the address where people and machines fetch certificates, and which hosts inside get server certificates there.

use std::net::SocketAddr;

use gateway::networks::Networks;
use policy::HostName;

use super::file::{At, EnrolFile};
use super::problem::{Problem, Source};
use super::{manners, read};
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
    /// Who gets server certificates by ACME; nobody where absent.
    pub servers: Option<Servers>,
}

/// The hosts inside that get server certificates by ACME, and how they are asked for the proof of their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// Where they are; nobody else is connected to.
    pub networks: Networks,
    /// The resolver that knows them; this system's where absent.
    pub resolver: Option<SocketAddr>,
    /// The port of http-01.
    pub http_port: u16,
    /// The port of tls-alpn-01.
    pub tls_port: u16,
}

/// The ports that the challenges are meant for (RFC 8555 section 8.3, RFC 8737 section 3).
const HTTP_PORT: u16 = 80;
const TLS_PORT: u16 = 443;

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
    let servers = servers(file, source, problems);
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
        Ok(host) => Some(Enrol { listen: *listen.get_ref(), host, url: text.to_owned(), servers }),
        Err(error) => fault(error.to_string()),
    }
}

fn servers(file: &EnrolFile, source: &Source, problems: &mut Vec<Problem>) -> Option<Servers> {
    let networks = manners::networks(&file.server_networks, source, problems);
    let mut port = |at: &Option<At<u16>>, usual: u16| {
        let written = at.as_ref().map_or(usual, |at| *at.get_ref());
        if let (0, Some(at)) = (written, at) {
            problems.push(source.problem(&at.span(), "0 is no port", "write one from 1 to 65535"));
        }
        written
    };
    let (http_port, tls_port) =
        (port(&file.server_http_port, HTTP_PORT), port(&file.server_tls_port, TLS_PORT));
    if !file.server_networks.is_empty() {
        let resolver = file.server_resolver.as_ref().map(|at| *at.get_ref());
        return Some(Servers { networks, resolver, http_port, tls_port });
    }
    let spans = [
        ("server_resolver", file.server_resolver.as_ref().map(At::span)),
        ("server_http_port", file.server_http_port.as_ref().map(At::span)),
        ("server_tls_port", file.server_tls_port.as_ref().map(At::span)),
    ];
    for (key, span) in spans {
        if let Some(span) = span {
            let help = "write server_networks = [\"10.0.0.0/8\"]: which hosts it is about";
            problems.push(source.problem(
                &span,
                format!("`{key}` does nothing without `server_networks`"),
                help,
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: (&str, &str) = ("listen = \"127.0.0.1:8444\"", "url = \"https://enrol.test:8444\"");

    fn problems(lines: &[&str]) -> Vec<String> {
        let (found, is_none) = read_of(lines);
        assert_eq!(is_none, !found.is_empty() && !found[0].contains("twice"), "{found:?}");
        found
    }

    fn problems_of(lines: &[&str]) -> Vec<String> {
        read_of(lines).0
    }

    /// The problems, and whether nothing was read.
    fn read_of(lines: &[&str]) -> (Vec<String>, bool) {
        let text = format!("[server]\n[enrol]\n{}\n", lines.join("\n"));
        let source = Source::file("countersign.toml", text);
        let mut found = Vec::new();
        let file = read::file(&source, &mut found);
        let taken = ["127.0.0.1:8443".parse().unwrap()];
        let read = enrol(&file.enrol.unwrap(), &taken, &source, &mut found);
        let told = found
            .into_iter()
            .map(|one| format!("{}: {}", one.place.replace("countersign.toml:", ""), one.what))
            .collect();
        (told, read.is_none())
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
    fn hosts_inside_are_those_of_the_networks_alone() {
        for (lines, expected) in [
            (
                &["server_networks = [\"10.0.0.0/8\", \"fd00::/8\"]", "server_resolver = \"10.0.0.53:53\""][..],
                &[][..],
            ),
            (
                &["server_networks = [\"10.0.0.0/8\"]", "server_http_port = 8080", "server_tls_port = 8443"],
                &[],
            ),
            (&["server_networks = [\"inside\"]"], &["5:20: "]),
            (&["server_networks = [\"10.0.0.0/8\"]", "server_http_port = 0"], &["6:20: 0 is no port"]),
            (&["server_tls_port = 70000"], &["5:19: invalid value"]),
            (&["server_resolver = \"10.0.0.53\""], &["5:19: invalid socket address syntax"]),
            (&["server_tls_port = 8443"], &["5:19: `server_tls_port` does nothing without"]),
            (
                &["server_networks = []", "server_resolver = \"10.0.0.53:53\""],
                &["6:19: `server_resolver` does"],
            ),
        ] {
            let found = problems_of(&[&[GOOD.0, GOOD.1], lines].concat());
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
