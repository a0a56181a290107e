//! `[enrol]`: the address where machines renew their certificates.

use std::net::SocketAddr;

use policy::HostName;

use super::file::EnrolFile;
use super::problem::{Problem, Source};
use crate::fetch::FetchUrl;

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
        let missing = if file.listen.is_none() { "listen" } else { "url" };
        let help = "write listen = \"0.0.0.0:8444\" and url = \"https://enrol.example.com:8444\"";
        problems.push(source.problem(&(0..0), format!("[enrol] has no `{missing}`"), help));
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
