//! `/invite`: what somebody sees who follows an invite's link.
//!
//! The token is behind the `#` of the link, which browsers do not send: looking at the page, or having it fetched by a
//! program that previews links, uses nothing up. The page's script makes the key and the PKCS#12 file in the browser, and
//! sends the token and a certificate request to the `api`; the words are here, one file a language.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, Method, Request, Response};

use super::other_method;
use crate::admit;
use crate::answer::Reply;
use crate::exchange::Exchange;
use crate::pages::Lang;
use crate::received::Received;
use crate::serve::Visit;

/// One thing that is there to be looked at.
#[derive(Clone, Copy)]
pub(super) enum Page {
    /// The page, in the visitor's language.
    Invite,
    /// What it is made of: type and body.
    Part(&'static str, &'static str),
}

const TEMPLATE: &str = include_str!("page/invite.html");
const SCRIPT_TYPE: &str = "text/javascript; charset=utf-8";
const PARTS: [(&str, Page); 3] = [
    ("/invite/style.css", Page::Part("text/css; charset=utf-8", include_str!("page/style.css"))),
    ("/invite/invite.js", Page::Part(SCRIPT_TYPE, include_str!("page/invite.js"))),
    ("/invite/pkcs12.js", Page::Part(SCRIPT_TYPE, include_str!("page/pkcs12.js"))),
];

/// The words, a language a file; each line is a name, a colon, and the words.
const WORDS: [(Lang, &str, &str); 4] = [
    (Lang::En, "en", include_str!("page/en.txt")),
    (Lang::Nl, "nl", include_str!("page/nl.txt")),
    (Lang::De, "de", include_str!("page/de.txt")),
    (Lang::Fr, "fr", include_str!("page/fr.txt")),
];

/// Nothing but what comes from here, nothing inline, in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The page in each language, but for the address it is at.
static PAGES: LazyLock<Vec<(Lang, &'static str, String)>> =
    LazyLock::new(|| WORDS.iter().map(|(lang, tag, words)| (*lang, *tag, filled(tag, words))).collect());

fn filled(tag: &str, words: &str) -> String {
    let lines = words.lines().filter_map(|line| line.split_once(": "));
    let page = TEMPLATE.replace("{{tag}}", tag);
    lines.fold(page, |page, (name, words)| page.replace(&format!("{{{{{name}}}}}"), &escape(words)))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What is under this path.
pub(super) fn find(path: &str) -> Option<Page> {
    if path == "/invite" {
        return Some(Page::Invite);
    }
    PARTS.iter().find(|(at, _)| *at == path).map(|(_, page)| *page)
}

impl Page {
    /// Answers a request for it.
    pub(super) fn answer(self, visit: &Visit, exchange: &mut Exchange, request: &Request<Received>) -> Reply {
        if request.method() != Method::HEAD
            && let Some(reply) = other_method(visit, exchange, request, &Method::GET)
        {
            return reply;
        }
        exchange.verdict = "answered";
        let (content_type, language, body) = match self {
            Self::Part(content_type, body) => (content_type, None, Bytes::from(body)),
            Self::Invite => {
                let wish = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
                let (tag, text) = in_language(Lang::choose(wish));
                let text = text.replace("{{origin}}", &origin(request));
                ("text/html; charset=utf-8", Some(tag), Bytes::from(text))
            }
        };
        // On HTTP/2 an answer to HEAD must have no body at all.
        let body = if request.method() == Method::HEAD { Bytes::new() } else { body };
        let mut response = Response::new(body);
        let fields = [
            (CONTENT_TYPE, content_type),
            (CACHE_CONTROL, "no-store"),
            (CONTENT_SECURITY_POLICY, POLICY),
            (REFERRER_POLICY, "no-referrer"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
            (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
        ];
        let spoken = language.map(|tag| [(CONTENT_LANGUAGE, tag), (VARY, "Accept-Language")]);
        for (name, value) in fields.into_iter().chain(spoken.into_iter().flatten()) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Reply::Own(response)
    }
}

fn in_language(lang: Lang) -> (&'static str, &'static str) {
    let page = PAGES.iter().find(|(one, ..)| *one == lang).or(PAGES.first());
    page.map_or(("en", TEMPLATE), |(_, tag, text)| (*tag, text.as_str()))
}

/// The address that the visitor uses; its host was compared before.
fn origin(request: &Request<Received>) -> String {
    let text = admit::host_text(request.uri(), request.headers()).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    format!("https://{}", text.chars().filter(|c| is_plain(*c)).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_in_each_language() {
        let names = |words: &'static str| -> Vec<&str> {
            words.lines().map(|line| line.split_once(": ").expect("a name and words").0).collect()
        };
        for (lang, tag, words) in WORDS {
            assert_eq!(names(words), names(WORDS[0].2), "{tag}");
            let (told, text) = in_language(lang);
            assert_eq!(told, tag);
            assert!(text.contains(&format!("<html lang=\"{tag}\">")));
            let left: Vec<&str> = text.split("{{").skip(1).collect();
            assert!(left.iter().all(|rest| rest.starts_with("origin}}")), "{tag}: {left:?}");
        }
    }

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        let parts = PARTS.map(|(_, page)| match page {
            Page::Part(_, body) => body,
            Page::Invite => TEMPLATE,
        });
        for text in parts.into_iter().chain([TEMPLATE]) {
            for word in [
                " style=",
                "<style",
                " onclick",
                "http://",
                "https://",
                "url(",
                "eval(",
                "innerHTML",
                "javascript:",
            ] {
                assert!(!text.contains(word), "{word}");
            }
        }
        assert!(!POLICY.contains("unsafe") && !POLICY.contains('*'));
    }
}
