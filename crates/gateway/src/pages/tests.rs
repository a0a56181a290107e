//! Every reason in every language, as page and as problem details.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use examiner::UnixTime;
use policy::refusal::{NotAllowed, Place, Usage};
use policy::{Code, Why};

use super::words::detail;
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
                assert!(other.all().iter().all(|(_, o)| o != text), "{key} in {} and {}", one.tag, other.tag);
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
        let says = |why: Why, part: &str| assert!(text(lang, &why).detail.contains(part), "{lang:?} {why:?}");
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
