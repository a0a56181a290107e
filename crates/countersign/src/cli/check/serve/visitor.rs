//! Who asks, and whether the request may come from where it comes.

use std::net::IpAddr;

use gateway::networks::Networks;
use http::{HeaderMap, header};
use policy::HostName;

use super::refusal::Refusal;

/// Under which names the page answers.
#[derive(Clone, Debug)]
pub enum Names {
    /// Under any.
    Any,
    /// Under these, and under any address. A name of somebody else that leads here (DNS rebinding) is none of them.
    Listed(Vec<HostName>),
}

/// The address of whoever asks: the peer's, or behind a listed proxy the last one in `X-Forwarded-For` that is no such
/// proxy. What others wrote further to the left counts for nothing.
pub fn address(peer: IpAddr, headers: &HeaderMap, proxies: &Networks) -> IpAddr {
    let mut asks = peer.to_canonical();
    let fields: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    for one in fields.iter().rev().flat_map(|field| field.rsplit(',')) {
        if !proxies.contains(asks) {
            break;
        }
        match one.trim().parse::<IpAddr>() {
            Ok(address) => asks = address.to_canonical(),
            Err(_) => break,
        }
    }
    asks
}

/// Refuses a request under a name that is not ours, and one that a page of another site makes in the background. A link
/// on another page may lead here.
pub fn welcome(headers: &HeaderMap, names: &Names) -> Result<(), Refusal> {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = host.and_then(|text| HostName::parse_authority(text).ok());
    if let Names::Listed(listed) = names {
        let is_ours = |host: &HostName| {
            listed.contains(host) || host.as_str().trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
        };
        if !host.as_ref().is_some_and(is_ours) {
            return Err(Refusal::WrongName);
        }
    }
    let said = |name: &str| headers.get(name).map(|value| value.as_bytes().to_ascii_lowercase());
    let is_elsewhere = said("sec-fetch-site").is_some_and(|site| site == b"cross-site");
    let is_visit = said("sec-fetch-dest").is_some_and(|dest| dest == b"document");
    if is_elsewhere && !is_visit { Err(Refusal::CrossSite) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use gateway::networks::Network;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut all = HeaderMap::new();
        for (name, value) in pairs {
            all.append(*name, value.parse().unwrap());
        }
        all
    }

    #[test]
    fn what_a_visitor_says_of_its_address_counts_only_behind_a_listed_proxy() {
        let proxies: Networks =
            ["10.0.0.0/8", "::1"].iter().map(|one| Network::parse(one).unwrap()).collect();
        let from = |peer: &str, fields: &[&'static str]| {
            let pairs: Vec<_> = fields.iter().map(|field| ("x-forwarded-for", *field)).collect();
            address(peer.parse().unwrap(), &headers(&pairs), &proxies).to_string()
        };
        assert_eq!(from("198.51.100.7", &["203.0.113.1"]), "198.51.100.7", "nobody's proxy");
        assert_eq!(from("10.0.0.1", &["203.0.113.1"]), "203.0.113.1");
        assert_eq!(from("::ffff:10.0.0.1", &["203.0.113.1"]), "203.0.113.1");
        assert_eq!(
            from("10.0.0.1", &["192.0.2.9, 203.0.113.1"]),
            "203.0.113.1",
            "the left is the visitor's own"
        );
        assert_eq!(from("10.0.0.1", &["203.0.113.1, 10.0.0.2"]), "203.0.113.1", "a proxy behind a proxy");
        assert_eq!(
            from("10.0.0.1", &["203.0.113.1", "10.0.0.2"]),
            "203.0.113.1",
            "several fields are one list"
        );
        assert_eq!(from("10.0.0.1", &["203.0.113.1, nobody"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(from("::1", &["2001:db8::7"]), "2001:db8::7");
    }

    #[test]
    fn a_name_of_somebody_else_is_not_answered_where_names_are_listed() {
        let names = Names::Listed(vec![HostName::parse("check.example").unwrap()]);
        for host in ["check.example", "CHECK.example:8480", "127.0.0.1:8480", "[::1]:8480"] {
            assert_eq!(welcome(&headers(&[("host", host)]), &names), Ok(()), "{host}");
        }
        for host in ["rebound.example", "check.example.rebound.example", ""] {
            assert_eq!(welcome(&headers(&[("host", host)]), &names), Err(Refusal::WrongName), "{host}");
            assert_eq!(welcome(&headers(&[("host", host)]), &Names::Any), Ok(()), "{host}");
        }
        assert_eq!(welcome(&HeaderMap::new(), &names), Err(Refusal::WrongName));
    }

    #[test]
    fn a_page_of_another_site_may_lead_here_and_not_ask_in_the_background() {
        let told = |site, dest| {
            welcome(&headers(&[("sec-fetch-site", site), ("sec-fetch-dest", dest)]), &Names::Any)
        };
        assert_eq!(told("cross-site", "image"), Err(Refusal::CrossSite));
        assert_eq!(told("cross-site", "iframe"), Err(Refusal::CrossSite));
        assert_eq!(told("cross-site", "document"), Ok(()));
        assert_eq!(told("same-origin", "script"), Ok(()));
        assert_eq!(told("none", "document"), Ok(()));
    }
}
