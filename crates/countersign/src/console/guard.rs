//! Whether a change comes from the console's own pages, or from a program: never from a page of somebody else.
//!
//! A browser adds the operator's certificate to whatever a page makes it send, so the certificate says nothing about who
//! wanted it. A request that a browser sent must come from this very origin and bring a token that only a page from here
//! has. A program is told by what it does not send; it brings a key of its own for each change, in a field that no page of
//! another origin can set.

use aws_lc_rs::hmac;
use examiner::UnixTime;
use http::header::{HOST, ORIGIN, REFERER};
use http::{HeaderMap, HeaderName};

use super::operator::Operator;

/// Says where the page stands that sent a request (Fetch Metadata).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Where a script of a page puts the token.
pub const TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
/// How long a page's token is good, in seconds.
const GOOD_SECONDS: i64 = 12 * 3600;

/// Makes the tokens of this process, and knows them again.
pub struct Tokens(hmac::Key);

/// What kind of sender it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A browser, on a page from here.
    Page,
    /// A program.
    Program,
    /// A browser, on a page from elsewhere.
    Elsewhere,
}

impl Sender {
    /// By what it says of itself.
    pub fn of(headers: &HeaderMap) -> Self {
        let all = |name: &HeaderName| {
            headers.get_all(name).iter().map(|value| value.as_bytes()).collect::<Vec<_>>()
        };
        let (sites, origins) = (all(&FETCH_SITE), all(&ORIGIN));
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let own = format!("https://{host}");
        if sites.iter().any(|site| *site != b"same-origin")
            || origins.iter().any(|origin| *origin != own.as_bytes())
        {
            return Self::Elsewhere;
        }
        let is_browser = !sites.is_empty() || !origins.is_empty() || headers.contains_key(REFERER);
        if is_browser { Self::Page } else { Self::Program }
    }
}

impl Tokens {
    /// With a key of their own: those of an earlier process are good no longer.
    pub fn new() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let random = aws_lc_rs::rand::SystemRandom::new();
        Ok(Self(hmac::Key::generate(hmac::HMAC_SHA256, &random)?))
    }

    /// One for this operator's pages.
    pub fn make(&self, operator: &Operator, now: UnixTime) -> String {
        let until = now.seconds() + GOOD_SECONDS;
        let tag = hmac::sign(&self.0, signed(operator, until).as_bytes());
        format!("{until:x}-{}", data_encoding::HEXLOWER.encode(tag.as_ref()))
    }

    /// Whether it was made here for this operator, not too long ago.
    pub fn is_good(&self, token: &str, operator: &Operator, now: UnixTime) -> bool {
        let Some((until, tag)) = token.split_once('-') else { return false };
        let (Ok(until), Ok(tag)) =
            (i64::from_str_radix(until, 16), data_encoding::HEXLOWER.decode(tag.as_bytes()))
        else {
            return false;
        };
        let is_ours = hmac::verify(&self.0, signed(operator, until).as_bytes(), &tag).is_ok();
        is_ours && (now.seconds()..=now.seconds() + GOOD_SECONDS).contains(&until)
    }
}

fn signed(operator: &Operator, until: i64) -> String {
    format!("{} {until}", operator.name)
}

#[cfg(test)]
mod tests {
    use policy::PartyName;
    use policy::record::OperatorRole;

    use super::*;

    fn operator(name: &str) -> Operator {
        Operator { name: PartyName::parse(name).unwrap(), role: OperatorRole::Operator }
    }

    #[test]
    fn a_token_is_good_for_its_operator_and_its_time() {
        let (tokens, now) = (Tokens::new().unwrap(), UnixTime(1_000_000));
        let token = tokens.make(&operator("ann"), now);
        let good = |token: &str, name: &str, at: i64| tokens.is_good(token, &operator(name), UnixTime(at));
        assert!(good(&token, "ann", 1_000_000) && good(&token, "ann", 1_000_000 + GOOD_SECONDS));
        assert!(!good(&token, "ann", 1_000_001 + GOOD_SECONDS));
        assert!(!good(&token, "ann", 999_999), "one that is good for longer was not made here");
        assert!(!good(&token, "bob", 1_000_000));
        assert!(!Tokens::new().unwrap().is_good(&token, &operator("ann"), now), "another process's");
        let (until, tag) = token.split_once('-').unwrap();
        let later = format!("{:x}-{tag}", i64::from_str_radix(until, 16).unwrap() + 1);
        for wrong in ["", "-", "1-", until, &later, &token.to_uppercase(), &token[..token.len() - 2]] {
            assert!(!good(wrong, "ann", 1_000_000), "{wrong}");
        }
    }

    #[test]
    fn a_sender_is_a_page_from_here_a_program_or_a_page_from_elsewhere() {
        let of = |fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, "localhost:9443".parse().unwrap());
            for (name, value) in fields {
                headers.append(*name, value.parse().unwrap());
            }
            Sender::of(&headers)
        };
        assert_eq!(of(&[]), Sender::Program);
        for page in [
            &[("origin", "https://localhost:9443")][..],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://localhost:9443")],
            &[("referer", "https://evil.example/")],
        ] {
            assert_eq!(of(page), Sender::Page, "{page:?}");
        }
        for elsewhere in [
            &[("origin", "https://evil.example")][..],
            &[("origin", "null")],
            &[("origin", "http://localhost:9443")],
            &[("origin", "https://localhost:9444")],
            &[("origin", "https://localhost")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
        ] {
            assert_eq!(of(elsewhere), Sender::Elsewhere, "{elsewhere:?}");
        }
    }
}
