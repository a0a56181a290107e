//! What a refused visitor reads: problem details for programs, a page for people, in their language.
//!
//! The words stand in one table a language (`en`, `nl`, `de`, `fr`); the same words answer `explain`. Values
//! from certificates are strangers' text: controls are made visible, and in HTML they are escaped and isolated.

mod de;
mod en;
mod fr;
mod html;
mod nl;

use bytes::Bytes;
use examiner::{Certificate, UnixTime};
use http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use policy::refusal::{NotAllowed, Place, Usage};
use policy::{Code, Refusal, Why};
use serde_json::{Map, Value};

/// All that an answer to a refused visitor is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Why.
    pub refusal: &'a Refusal,
    /// The site's name.
    pub site: &'a str,
    /// The reference of the log entry.
    pub reference: &'a str,
    /// The certificate that was shown, if one was and it can be read.
    pub certificate: Option<&'a Certificate>,
    /// Its thumbprint, also where it cannot be read.
    pub thumbprint: Option<examiner::Thumbprint>,
    /// The HTTP status to answer with.
    pub status: u16,
}

/// What happened and what to do, in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// A few words, no full stop.
    pub title: String,
    /// What happened, with its values.
    pub detail: String,
    /// What the visitor can do next.
    pub next: String,
}

/// The languages that refusals are told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// English; where nothing else fits.
    En,
    /// Dutch.
    Nl,
    /// German.
    De,
    /// French.
    Fr,
}

/// The answer to a refused visitor.
///
/// HTML where `accept` prefers it by name, else `application/problem+json` (RFC 9457). A visitor whom nothing
/// [vouches](Refusal::vouched) for is told the code, how to ask and the reference, and no more.
pub fn refusal(shown: &Shown<'_>, accept: Option<&str>, accept_language: Option<&str>) -> Response<Bytes> {
    let lang = Lang::choose(accept_language);
    let told = told(lang.table(), shown);
    let mut response = if prefers_html(accept) {
        let mut response =
            answer(shown.status, "text/html; charset=utf-8", html::page(lang.table(), shown, &told));
        if let Ok(policy) = HeaderValue::from_str(html::content_security_policy()) {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
        response
    } else {
        let detail = format!("{} {}", told.detail.plain(), told.next.plain());
        let code = shown.refusal.code().as_str();
        let mut fields = problem_fields(shown.status, code, told.title, &detail, shown.site, shown.reference);
        if let Some(certificate) = shown.certificate {
            for (name, value) in [
                ("subject", certificate.subject.to_string()),
                ("issuer", certificate.issuer.to_string()),
                ("not_after", certificate.not_after.to_string()),
            ] {
                fields.insert(name.to_owned(), Value::String(visible(&value)));
            }
        }
        if let Some(thumbprint) = shown.thumbprint {
            fields.insert("thumbprint".to_owned(), Value::String(thumbprint.to_string()));
        }
        answer(shown.status, "application/problem+json", Value::Object(fields).to_string())
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(lang.table().tag));
    headers.insert(VARY, HeaderValue::from_static("accept, accept-language"));
    response
}

/// Problem details (RFC 9457) for the gate's other answers, such as `bad-request` and `upstream-timeout`.
pub fn problem(
    status: u16,
    code: &str,
    title: &str,
    detail: &str,
    site: &str,
    reference: &str,
) -> Response<Bytes> {
    let fields = problem_fields(status, code, title, detail, site, reference);
    answer(status, "application/problem+json", Value::Object(fields).to_string())
}

/// The full reason with its values, whoever may read it.
pub fn text(lang: Lang, why: &Why) -> Words {
    let table = lang.table();
    let case = table.case(why.code());
    Words { title: case.title.to_owned(), detail: detail(table, why).plain(), next: case.next.to_owned() }
}

/// What a code means in general.
pub fn code_text(lang: Lang, code: Code) -> Words {
    let case = lang.table().case(code);
    Words { title: case.title.to_owned(), detail: case.about.to_owned(), next: case.next.to_owned() }
}

impl Lang {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::En, Self::Nl, Self::De, Self::Fr];

    /// The best of an `Accept-Language` (RFC 9110 section 12.5.4); English where none fits.
    pub fn choose(accept_language: Option<&str>) -> Self {
        let mut best = (0, Self::En);
        for (range, quality) in ranges(accept_language.unwrap_or_default()) {
            if let Some(lang) = Self::parse(range)
                && quality > best.0
            {
                best = (quality, lang);
            }
        }
        best.1
    }

    /// The language of a tag such as `nl` or `de-AT`.
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', '.']).next()?.trim();
        Self::ALL.into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.table().tag))
    }

    fn table(self) -> &'static Table {
        match self {
            Self::En => &en::TABLE,
            Self::Nl => &nl::TABLE,
            Self::De => &de::TABLE,
            Self::Fr => &fr::TABLE,
        }
    }
}

/// One code's words.
struct Case {
    title: &'static str,
    about: &'static str,
    next: &'static str,
}

macro_rules! table {
    (cases: $($case:ident)+; lines: $($line:ident)+;) => {
        /// One language, whole: a missing key does not compile.
        struct Table {
            tag: &'static str,
            $($case: Case,)+
            $($line: &'static str,)+
        }

        #[cfg(test)]
        impl Table {
            fn all(&self) -> Vec<(String, &'static str)> {
                let mut all = Vec::new();
                $(
                    all.push((format!("{} title", stringify!($case)), self.$case.title));
                    all.push((format!("{} about", stringify!($case)), self.$case.about));
                    all.push((format!("{} next", stringify!($case)), self.$case.next));
                )+
                $(all.push((stringify!($line).to_owned(), self.$line));)+
                all
            }
        }
    };
}

table! {
    cases:
        no_certificate expired not_yet_valid unknown_issuer chain_incomplete bad_signature malformed weak_key
        chain_invalid wrong_usage revoked superseded revocation_unknown not_allowed suspended policy_stale
        possession_failed host_mismatch;
    lines:
        stranger_title stranger_detail stranger_next
        expired_on expired_issuer_on valid_from issuer_valid_from
        issuer_untrusted issuer_same_name same_key_pinned key_pinned_other_names
        intermediate_missing unreadable weak_found chain_breaks
        usage_none usage_others usage_no_signature usage_ca usage_issuer
        revoked_on superseded_on
        not_listed not_listed_party denied no_match no_single_name not_on_record other_audience
        suspended_since
        what_next browser browser_close browser_clear particulars
        label_reference label_code label_site label_subject label_issuer label_thumbprint label_not_after;
}

impl Table {
    fn case(&self, code: Code) -> &Case {
        match code {
            Code::NoCertificate => &self.no_certificate,
            Code::Expired => &self.expired,
            Code::NotYetValid => &self.not_yet_valid,
            Code::UnknownIssuer => &self.unknown_issuer,
            Code::ChainIncomplete => &self.chain_incomplete,
            Code::BadSignature => &self.bad_signature,
            Code::Malformed => &self.malformed,
            Code::WeakKey => &self.weak_key,
            Code::ChainInvalid => &self.chain_invalid,
            Code::WrongUsage => &self.wrong_usage,
            Code::Revoked => &self.revoked,
            Code::Superseded => &self.superseded,
            Code::RevocationUnknown => &self.revocation_unknown,
            Code::NotAllowed => &self.not_allowed,
            Code::Suspended => &self.suspended,
            Code::PolicyStale => &self.policy_stale,
            Code::PossessionFailed => &self.possession_failed,
            Code::HostMismatch => &self.host_mismatch,
        }
    }
}

/// What one visitor is told.
struct Told {
    title: &'static str,
    detail: Filled,
    next: Filled,
}

fn told(table: &'static Table, shown: &Shown<'_>) -> Told {
    let why = &shown.refusal.why;
    // These two say nothing about anybody: the code alone tells as much.
    let harmless = matches!(why, Why::NoCertificate | Why::HostMismatch);
    if shown.refusal.vouched || harmless {
        let case = table.case(why.code());
        return Told { title: case.title, detail: detail(table, why), next: Filled::of(case.next) };
    }
    Told {
        title: table.stranger_title,
        detail: Filled::of(table.stranger_detail),
        next: Filled::of(table.stranger_next).with("reference", shown.reference),
    }
}

fn detail(table: &'static Table, why: &Why) -> Filled {
    let general = || Filled::of(table.case(why.code()).about);
    match why {
        Why::Expired { not_after, place } => Filled::of(match place {
            Place::EndEntity => table.expired_on,
            Place::Issuer => table.expired_issuer_on,
        })
        .with("date", &moment(*not_after)),
        Why::NotYetValid { not_before, place } => Filled::of(match place {
            Place::EndEntity => table.valid_from,
            Place::Issuer => table.issuer_valid_from,
        })
        .with("date", &moment(*not_before)),
        Why::UnknownIssuer { issuer, name_equals_ca, same_key_as_pin_of, key_pin_with_other_names } => {
            if let Some(party) = same_key_as_pin_of {
                Filled::of(table.same_key_pinned).with("party", party)
            } else if *key_pin_with_other_names {
                Filled::of(table.key_pinned_other_names)
            } else if let Some(ca) = name_equals_ca {
                Filled::of(table.issuer_same_name).with("issuer", issuer).with("ca", ca)
            } else {
                Filled::of(table.issuer_untrusted).with("issuer", issuer)
            }
        }
        Why::ChainIncomplete { missing } => Filled::of(table.intermediate_missing).with("missing", missing),
        Why::Malformed { what } => Filled::of(table.unreadable).with("what", what),
        Why::WeakKey { found } => Filled::of(table.weak_found).with("found", found),
        Why::ChainInvalid { what } => Filled::of(table.chain_breaks).with("what", what),
        Why::WrongUsage(usage) => match usage {
            Usage::NoKeyPurpose => Filled::of(table.usage_none),
            Usage::OtherKeyPurposes(purposes) => {
                Filled::of(table.usage_others).with("purposes", &purposes.join(", "))
            }
            Usage::NoDigitalSignature => Filled::of(table.usage_no_signature),
            Usage::CaCertificate => Filled::of(table.usage_ca),
            Usage::IssuerNotForClients => Filled::of(table.usage_issuer),
        },
        Why::Revoked { at, reason } => {
            Filled::of(table.revoked_on).with("date", &moment(*at)).with("reason", reason)
        }
        Why::Superseded { since } => Filled::of(table.superseded_on).with("date", &moment(*since)),
        Why::NotAllowed { party, because } => match (because, party) {
            (NotAllowed::NotListed, Some(party)) => Filled::of(table.not_listed_party).with("party", party),
            (NotAllowed::NotListed, None) => Filled::of(table.not_listed),
            (NotAllowed::Denied, _) => Filled::of(table.denied),
            (NotAllowed::NoMatch, _) => Filled::of(table.no_match),
            (NotAllowed::NoSingleName, _) => Filled::of(table.no_single_name),
            (NotAllowed::NotOnRecord, _) => Filled::of(table.not_on_record),
            (NotAllowed::OtherAudience, _) => Filled::of(table.other_audience),
        },
        Why::Suspended { party, since } => {
            Filled::of(table.suspended_since).with("party", party).with("date", &moment(*since))
        }
        Why::NoCertificate
        | Why::BadSignature
        | Why::RevocationUnknown
        | Why::PolicyStale
        | Why::PossessionFailed
        | Why::HostMismatch => general(),
    }
}

/// A sentence of a table with the values for its `{places}`.
struct Filled {
    template: &'static str,
    values: Vec<(&'static str, String)>,
}

impl Filled {
    fn of(template: &'static str) -> Self {
        Self { template, values: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.values.push((name, visible(value)));
        self
    }

    fn plain(&self) -> String {
        self.render(str::to_owned, str::to_owned)
    }

    /// The words through `word`, the values through `value`. A value is never searched for places.
    fn render(&self, word: impl Fn(&str) -> String, value: impl Fn(&str) -> String) -> String {
        let mut shown = String::new();
        let mut rest = self.template;
        while let Some((before, (name, after))) =
            rest.split_once('{').and_then(|(before, behind)| Some((before, behind.split_once('}')?)))
        {
            shown.push_str(&word(before));
            if let Some((_, found)) = self.values.iter().find(|(known, _)| *known == name) {
                shown.push_str(&value(found));
            }
            rest = after;
        }
        shown.push_str(&word(rest));
        shown
    }
}

/// A moment for people: `2027-03-15 12:00:00 UTC`.
fn moment(time: UnixTime) -> String {
    time.to_string().replace('T', " ").replace('Z', " UTC")
}

/// Controls and characters that hide or turn text, written out.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
        if hidden { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

fn problem_fields(
    status: u16,
    code: &str,
    title: &str,
    detail: &str,
    site: &str,
    reference: &str,
) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("status".to_owned(), Value::from(status));
    for (name, value) in [
        ("type", format!("urn:countersign:problem:{code}").as_str()),
        ("title", title),
        ("detail", detail),
        ("code", code),
        ("reference", reference),
        ("site", site),
    ] {
        fields.insert(name.to_owned(), Value::String(visible(value)));
    }
    fields
}

fn answer(status: u16, content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether HTML is asked for by name and no JSON is liked better; of equals the first named wins.
fn prefers_html(accept: Option<&str>) -> bool {
    let (mut html, mut json) = (0, 0);
    for (range, quality) in ranges(accept.unwrap_or_default()) {
        match range.to_ascii_lowercase().as_str() {
            "text/html" | "application/xhtml+xml" if quality > json => html = html.max(quality),
            "application/problem+json" | "application/json" if quality > html => json = json.max(quality),
            _ => {}
        }
    }
    html > json
}

/// The members of a list with qualities, in thousandths.
fn ranges(field: &str) -> impl Iterator<Item = (&str, u16)> {
    field.split(',').map(|member| {
        let mut parts = member.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        let quality = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        (range, (quality.clamp(0.0, 1.0) * 1000.0) as u16)
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const CERTIFICATE: &str = "MIIBeTCCAR+gAwIBAgIURD8Kv/IyrisQmt7Gz/NxudaswSgwCgYIKoZIzj0EAwIw\
        EjEQMA4GA1UECgwHPGI+TGFiPDAeFw0yNjExMjMxMTM1MTdaFw0yNzExMjMxMTM1\
        MTdaMBIxEDAOBgNVBAoMBzxiPkxhYjwwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\
        AAQMJ99xl/kGziwpSRYaKelCEvYDcyv03nn51KVWO0F4NsjjlReFXL8ydHEpFitM\
        gz2OLP3JoHV8+3NqFPi6/nEQo1MwUTAdBgNVHQ4EFgQUe2FWzmrCZVBamU0DPLyf\
        9ulaGzgwHwYDVR0jBBgwFoAUe2FWzmrCZVBamU0DPLyf9ulaGzgwDwYDVR0TAQH/\
        BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAxle5zDYgLhw6f6hOK/vgIYReBizK\
        AKPsjBs1iBNq1lcCIHWOgGTlQImOVjCedOgzFq1i2FFwwFVaxsWM0Wx1oEwS";

    /// Subject and issuer `O=<b>Lab<`, until 2027-11-23.
    pub(crate) fn certificate() -> Certificate {
        Certificate::from_der(&STANDARD.decode(CERTIFICATE).unwrap()).unwrap()
    }

    const BROWSER: Option<&str> = Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

    fn refused(why: Why, vouched: bool) -> Refusal {
        Refusal { why, vouched, observable: false }
    }

    fn every_reason() -> Vec<Why> {
        let t = UnixTime::parse("2027-03-15T12:00:00Z").unwrap();
        let text = || "a</p>\u{202e}".to_owned();
        let unknown = |name_equals_ca, same_key_as_pin_of, key_pin_with_other_names| Why::UnknownIssuer {
            issuer: text(),
            name_equals_ca,
            same_key_as_pin_of,
            key_pin_with_other_names,
        };
        let mut all = vec![
            Why::NoCertificate,
            Why::Expired { not_after: t, place: Place::EndEntity },
            Why::Expired { not_after: t, place: Place::Issuer },
            Why::NotYetValid { not_before: t, place: Place::EndEntity },
            Why::NotYetValid { not_before: t, place: Place::Issuer },
            unknown(None, None, false),
            unknown(Some(text()), None, false),
            unknown(None, Some(text()), false),
            unknown(None, None, true),
            Why::ChainIncomplete { missing: text() },
            Why::BadSignature,
            Why::Malformed { what: text() },
            Why::WeakKey { found: "RSA 1024 bit".into() },
            Why::ChainInvalid { what: text() },
            Why::Revoked { at: t, reason: text() },
            Why::Superseded { since: t },
            Why::RevocationUnknown,
            Why::Suspended { party: text(), since: t },
            Why::PolicyStale,
            Why::PossessionFailed,
            Why::HostMismatch,
        ];
        all.extend(
            [
                Usage::NoKeyPurpose,
                Usage::OtherKeyPurposes(vec!["1.3.6.1.5.5.7.3.1".into(), text()]),
                Usage::NoDigitalSignature,
                Usage::CaCertificate,
                Usage::IssuerNotForClients,
            ]
            .map(Why::WrongUsage),
        );
        for because in [
            NotAllowed::NotListed,
            NotAllowed::Denied,
            NotAllowed::NoMatch,
            NotAllowed::NoSingleName,
            NotAllowed::NotOnRecord,
            NotAllowed::OtherAudience,
        ] {
            all.push(Why::NotAllowed { party: None, because });
            all.push(Why::NotAllowed { party: Some(text()), because });
        }
        all
    }

    fn json(refusal: &Refusal, certificate: Option<&Certificate>, lang: &str) -> Value {
        let shown = Shown {
            refusal,
            site: "portal.test",
            reference: "7F3K-22",
            certificate,
            thumbprint: certificate.map(|c| c.thumbprint),
            status: 403,
        };
        let response = super::refusal(&shown, Some("*/*"), Some(lang));
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        serde_json::from_slice(response.body()).unwrap()
    }

    fn page(refusal: &Refusal, certificate: Option<&Certificate>, lang: &str) -> String {
        let shown = Shown {
            refusal,
            site: "portal.test",
            reference: "7F3K-22",
            certificate,
            thumbprint: certificate.map(|c| c.thumbprint),
            status: 403,
        };
        let response = super::refusal(&shown, BROWSER, Some(lang));
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        String::from_utf8(response.body().to_vec()).unwrap()
    }

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn the_four_tables_have_the_same_keys_and_places_and_no_sentence_in_common() {
        for one in Lang::ALL {
            let words: BTreeSet<_> = one.table().all().into_iter().map(|(_, text)| text).collect();
            assert_eq!(words.len(), one.table().all().len(), "{one:?} says the same twice");
            for other in Lang::ALL.into_iter().filter(|other| *other != one) {
                let (one, other) = (one.table(), other.table());
                for ((key, text), (other_key, other_text)) in one.all().iter().zip(other.all()) {
                    assert_eq!(*key, other_key);
                    assert!(!text.trim().is_empty(), "{key} in {}", one.tag);
                    assert_eq!(places(text), places(other_text), "{key} in {} and {}", one.tag, other.tag);
                    assert!(
                        other.all().iter().all(|(_, o)| o != text),
                        "{key} in {} and {}",
                        one.tag,
                        other.tag
                    );
                }
            }
        }
    }

    #[test]
    fn every_reason_is_told_with_all_its_values_in_every_language() {
        for lang in Lang::ALL {
            for why in every_reason() {
                let template = detail(lang.table(), &why);
                let given: BTreeSet<_> = template.values.iter().map(|(name, _)| *name).collect();
                assert_eq!(places(template.template), given, "{why:?}");
                let words = text(lang, &why);
                for text in [&words.title, &words.detail, &words.next] {
                    let words = text.replace("\\u{202e}", "");
                    assert!(!words.is_empty() && !words.contains(['{', '}', '\u{202e}']), "{text}");
                }
            }
            for code in Code::ALL {
                let words = code_text(lang, code);
                assert!(!words.detail.contains('{') && !words.next.contains('{'), "{code}");
            }
        }
    }

    #[test]
    fn the_particulars_that_help_are_named() {
        let t = UnixTime::parse("2027-03-15T12:00:00Z").unwrap();
        for lang in Lang::ALL {
            let says =
                |why: Why, part: &str| assert!(text(lang, &why).detail.contains(part), "{lang:?} {why:?}");
            says(Why::Expired { not_after: t, place: Place::EndEntity }, "2027-03-15");
            says(Why::NotYetValid { not_before: t, place: Place::Issuer }, "2027-03-15");
            says(Why::WeakKey { found: "RSA 1024 bit".into() }, "RSA 1024 bit");
            for usage in [Usage::NoKeyPurpose, Usage::OtherKeyPurposes(vec!["2.5.29.37.0".into()])] {
                says(Why::WrongUsage(usage.clone()), "TLS Web Client Authentication");
                says(Why::WrongUsage(usage), "1.3.6.1.5.5.7.3.2");
            }
            let renewed = Why::UnknownIssuer {
                issuer: "CN=a".into(),
                name_equals_ca: None,
                same_key_as_pin_of: Some("acme".into()),
                key_pin_with_other_names: false,
            };
            says(renewed, "--pin key");
        }
    }

    #[test]
    fn a_stranger_reads_the_code_the_reference_and_nothing_of_the_reason() {
        let certificate = certificate();
        let t = UnixTime::parse("2027-03-15T12:00:00Z").unwrap();
        let why = Why::Suspended { party: "acme".into(), since: t };
        let told = json(&refused(why.clone(), false), Some(&certificate), "en");
        assert_eq!((told["code"].as_str(), told["reference"].as_str()), (Some("suspended"), Some("7F3K-22")));
        assert_eq!((told["status"].as_u64(), told["site"].as_str()), (Some(403), Some("portal.test")));
        assert_eq!(told["title"], "Not admitted here");
        assert_eq!(told["thumbprint"], certificate.thumbprint.to_string());
        assert_eq!(told["not_after"], certificate.not_after.to_string());
        assert_eq!(told["subject"], certificate.subject.to_string());
        assert_eq!(told["issuer"], certificate.issuer.to_string());
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.contains("7F3K-22") && !detail.contains("acme") && !detail.contains("2027"));
        let shown = page(&refused(why.clone(), false), Some(&certificate), "en");
        assert!(!shown.contains("acme") && shown.contains("7F3K-22") && shown.contains("suspended"));

        let told = json(&refused(why, true), None, "en");
        assert!(told["detail"].as_str().unwrap().contains("acme") && told.get("subject").is_none());
    }

    #[test]
    fn a_page_is_in_the_visitors_language_and_its_values_are_harmless() {
        let certificate = certificate();
        for lang in Lang::ALL {
            let tag = lang.table().tag;
            for why in every_reason() {
                for vouched in [true, false] {
                    let shown = page(&refused(why.clone(), vouched), Some(&certificate), tag);
                    assert!(shown.contains(&format!("<html lang=\"{tag}\">")) && shown.contains("7F3K-22"));
                    assert!(shown.contains(why.code().as_str()));
                    assert!(shown.contains(&html::escape(lang.table().browser_close)));
                    for bad in ["a</p>", "\u{202e}", "<b>Lab", "<script", "style=\"", "{"] {
                        let body = shown.split_once("</style>").unwrap().1.replace("\\u{", "");
                        assert!(!body.contains(bad), "{bad} in {tag}: {why:?}");
                    }
                }
            }
        }
        let hostile = Refusal { why: Why::NoCertificate, vouched: false, observable: false };
        let shown = Shown {
            refusal: &hostile,
            site: "<i>&\"'",
            reference: "\u{7}",
            certificate: None,
            thumbprint: None,
            status: 403,
        };
        let body = super::refusal(&shown, BROWSER, None).into_body();
        let body = std::str::from_utf8(&body).unwrap();
        assert!(!body.contains("<i>") && !body.contains('\u{7}'));
        assert!(body.contains("<bdi>&lt;i&gt;&amp;&quot;&#39;</bdi>"));
    }

    #[test]
    fn an_answer_is_not_stored_and_runs_nothing() {
        let refusal = refused(Why::NoCertificate, false);
        let shown = Shown {
            refusal: &refusal,
            site: "a",
            reference: "r",
            certificate: None,
            thumbprint: None,
            status: 403,
        };
        let response = super::refusal(&shown, BROWSER, Some("nl"));
        assert_eq!(response.status(), 403);
        let headers = response.headers();
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["content-language"], "nl");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"));
        let body = std::str::from_utf8(response.body()).unwrap();
        let style = body.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, style.as_bytes());
        assert!(policy.contains(&STANDARD.encode(hash)));
        let other = problem(502, "upstream-unreachable", "t", "d", "a", "r");
        assert_eq!(other.status(), 502);
        assert_eq!(other.headers()["cache-control"], "no-store");
    }

    #[test]
    fn html_only_where_it_is_preferred_by_name() {
        for accept in [
            BROWSER,
            Some("text/html"),
            Some("application/json;q=0.5, TEXT/HTML"),
            Some("text/html, application/json"),
        ] {
            assert!(prefers_html(accept), "{accept:?}");
        }
        for accept in [
            None,
            Some(""),
            Some("*/*"),
            Some("text/*"),
            Some("application/json"),
            Some("text/html;q=0"),
            Some("text/html;q=0.5, application/problem+json"),
            Some("application/json, text/html"),
        ] {
            assert!(!prefers_html(accept), "{accept:?}");
        }
    }

    #[test]
    fn the_language_is_the_best_of_those_known() {
        for (field, lang) in [
            (None, Lang::En),
            (Some("nl"), Lang::Nl),
            (Some("de-AT, en;q=0.5"), Lang::De),
            (Some("es, fr;q=0.3, en;q=0.2"), Lang::Fr),
            (Some("en;q=0.2, NL;q=0.3"), Lang::Nl),
            (Some("nl;q=0"), Lang::En),
            (Some("*, zz;q=x,,;"), Lang::En),
        ] {
            assert_eq!(Lang::choose(field), lang, "{field:?}");
        }
        assert_eq!(Lang::parse("fr_FR.UTF-8"), Some(Lang::Fr));
        assert_eq!(Lang::parse("english"), None);
    }
}
