//! What a site wants done beside the decision, validated.

use gateway::networks::{Network, Networks};
use http::HeaderValue;
use policy::{HostName, OnRefuse};

use super::file::{At, SiteFile};
use super::problem::{Problem, Source};

/// The shortest life of HSTS that the browsers' own lists take, in seconds.
const PRELOAD_LEAST: i64 = 31_536_000;
/// The most of a rate limit.
const RATE_MOST: u32 = 1_000_000;

/// Reads what a site wants done.
pub fn manners(
    file: &SiteFile,
    on_refuse: OnRefuse,
    source: &Source,
    problems: &mut Vec<Problem>,
) -> gateway::Manners {
    let mut wrong = |span: std::ops::Range<usize>, what: String, help: &str| {
        problems.push(source.problem(&span, what, help));
    };
    let mut manners = gateway::Manners::default();
    if let Some(at) = &file.hsts {
        let hsts = at.get_ref();
        if hsts.preload && (!hsts.include_subdomains || hsts.max_age.0 < PRELOAD_LEAST) {
            let help = "write { max_age = \"365d\", include_subdomains = true, preload = true }";
            wrong(at.span(), "preload wants include_subdomains and at least 365 days".into(), help);
        }
        manners.hsts = HeaderValue::try_from(hsts.field()).ok();
    }
    if let Some(at) = &file.cors_origins {
        if on_refuse == OnRefuse::Handshake {
            let what = "cors_origins cannot hold where on_refuse is \"handshake\"".to_owned();
            wrong(
                at.span(),
                what,
                "use on_refuse = \"page\": browsers send preflights without a certificate",
            );
        }
        for origin in at.get_ref() {
            match origin_of(origin.get_ref()) {
                Ok(()) => manners.cors_origins.push(origin.get_ref().clone()),
                Err(what) => wrong(origin.span(), what, "write it like \"https://app.example.com\""),
            }
        }
    }
    manners.max_body = file.max_body.as_ref().map(|at| at.get_ref().0);
    if let Some(at) = &file.rate_limit {
        let rates = at.get_ref();
        if rates.party_per_minute.is_none() && rates.address_per_minute.is_none() {
            let help = "write it like rate_limit = { party_per_minute = 600, address_per_minute = 1200 }";
            wrong(at.span(), "rate_limit has no limit".into(), help);
        }
        let mut number = |name: &str, at: &Option<At<u32>>| {
            let at = at.as_ref()?;
            if !(1..=RATE_MOST).contains(at.get_ref()) {
                wrong(at.span(), format!("{name} is 1 to {RATE_MOST}"), "leave it out for no limit");
            }
            Some(*at.get_ref())
        };
        manners.party_per_minute = number("party_per_minute", &rates.party_per_minute);
        manners.address_per_minute = number("address_per_minute", &rates.address_per_minute);
    }
    manners
}

/// Whether this is an origin as browsers write it (RFC 6454 section 6.2).
fn origin_of(text: &str) -> Result<(), String> {
    let shown = text.escape_debug();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Err(format!("`{shown}` is no origin: it starts with https:// or http://"));
    };
    let default = if text.starts_with("https:") { ":443" } else { ":80" };
    match HostName::parse_authority(rest) {
        _ if rest.contains('/') => Err(format!("`{shown}` has a path: an origin ends with its host or port")),
        Ok(_) if rest.ends_with(default) || rest.ends_with(':') => {
            Err(format!("`{shown}` names the port that browsers leave out"))
        }
        Ok(host) if rest == host.as_str() || rest.starts_with(&format!("{host}:")) => Ok(()),
        Ok(host) => Err(format!("`{shown}` is not as browsers write it: its host is `{host}`")),
        Err(_) => Err(format!("`{shown}` names no host")),
    }
}

/// Reads a list of addresses and ranges.
pub fn networks(list: &[At<String>], source: &Source, problems: &mut Vec<Problem>) -> Networks {
    let read = |at: &At<String>| match Network::parse(at.get_ref()) {
        Ok(network) => Some(network),
        Err(error) => {
            let help = "write an address (192.0.2.7) or a range (10.0.0.0/8)";
            problems.push(source.problem(&at.span(), error.to_string(), help));
            None
        }
    };
    list.iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read;

    fn found(text: &str) -> (gateway::Manners, Vec<String>) {
        let source = Source::registry("site a.test (registry)", text);
        let mut problems = Vec::new();
        let site = read::site(&source, &mut problems);
        let on_refuse = if text.contains("handshake") { OnRefuse::Handshake } else { OnRefuse::Page };
        let manners = manners(&site, on_refuse, &source, &mut problems);
        (manners, problems.iter().map(Problem::to_string).collect())
    }

    #[test]
    fn what_a_site_wants_is_read() {
        let (manners, problems) = found(
            "hsts = \"365d\"\ncors_origins = [\"https://app.example.com\", \"http://[::1]:3000\"]\n\
             max_body = \"10MB\"\nrate_limit = { party_per_minute = 600 }\n",
        );
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(manners.hsts.unwrap(), "max-age=31536000");
        assert_eq!(manners.cors_origins.len(), 2);
        assert_eq!((manners.max_body, manners.party_per_minute), (Some(10_000_000), Some(600)));
        assert_eq!(manners.address_per_minute, None);
        let (manners, _) = found("hsts = { max_age = 5, include_subdomains = true }\n");
        assert_eq!(manners.hsts.unwrap(), "max-age=5; includeSubDomains");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, wanted) in [
            ("cors_origins = [\"*\"]", "`*` is no origin"),
            ("cors_origins = [\"null\"]", "`null` is no origin"),
            ("cors_origins = [\"https://app.test/\"]", "has a path"),
            ("cors_origins = [\"https://App.test\"]", "its host is `app.test`"),
            ("cors_origins = [\"https://app.test:443\"]", "names the port"),
            ("cors_origins = [\"https://a b\"]", "names no host"),
            ("on_refuse = \"handshake\"\ncors_origins = []", "cors_origins cannot hold where on_refuse"),
            ("max_body = \"10 MB\"", "expected a number of bytes"),
            ("max_body = -1", "expected a number of bytes"),
            ("hsts = \"soon\"", "expected a text like"),
            ("hsts = { max_age = \"1d\", preload = true }", "preload wants"),
            ("rate_limit = {}", "rate_limit has no limit"),
            ("rate_limit = { address_per_minute = 0 }", "address_per_minute is 1 to 1000000"),
            ("rate_limit = { party_per_minut = 5 }", "did you mean `party_per_minute`?"),
            ("cors_origin = []", "did you mean `cors_origins`?"),
            ("identity = [\"xfc\"]", "unknown variant `xfc`"),
        ] {
            let (_, problems) = found(text);
            assert!(problems.iter().any(|one| one.contains(wanted)), "{text}: {problems:#?}");
        }
    }
}
