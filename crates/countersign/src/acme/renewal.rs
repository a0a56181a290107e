//! When a certificate is renewed: in the window that the server suggests (RFC 9773), or where it suggests none after two
//! thirds of its life.

use data_encoding::BASE64URL_NOPAD;
use examiner::{Certificate, UnixTime};
use serde::{Deserialize, Serialize};

use super::client::{self, AcmeError, Client};
use crate::fetch::Answer;

/// Within these seconds the server is asked again (RFC 9773 section 4.3.2).
const AGAIN: (i64, i64) = (60, 86_400);
/// The same where it does not say when, or cannot be asked (RFC 9773 section 4.3.3).
const USUAL: i64 = 6 * 3600;

/// What the server says of a certificate's renewal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Advice {
    /// The window's beginning.
    pub start: UnixTime,
    /// Its end.
    pub end: UnixTime,
    /// The moment in it that chance has chosen, kept as long as the window stays.
    pub chosen: UnixTime,
    /// Where the server explains it.
    pub explanation: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RenewalInfo {
    suggested_window: Window,
    #[serde(rename = "explanationURL")]
    explanation_url: Option<String>,
}

#[derive(Deserialize)]
struct Window {
    start: String,
    end: String,
}

/// When it is renewed. The server's advice never lets it come nearer to its end than a tenth of its life.
pub fn at(certificate: &Certificate, advice: Option<&Advice>) -> UnixTime {
    let (begin, end) = (certificate.not_before.seconds(), certificate.not_after.seconds());
    let life = end - begin;
    match advice {
        Some(advice) => UnixTime(advice.chosen.seconds().min(end - life / 10)),
        None => UnixTime(begin + life / 3 * 2),
    }
}

/// The name of a certificate in this protocol: key identifier of its issuer and serial number (RFC 9773 section 4.1).
/// `None` where it names no issuer's key.
pub fn id(certificate: &Certificate) -> Option<String> {
    let issuer = certificate.authority_key_id.as_ref()?;
    let serial: &[u8] = &certificate.serial;
    Some(format!("{}.{}", BASE64URL_NOPAD.encode(issuer), BASE64URL_NOPAD.encode(serial)))
}

/// Asks the server, if it can be asked; `None` where it gives no advice. With it, when to ask again.
pub async fn ask(
    client: &Client,
    certificate: &Certificate,
    before: Option<&Advice>,
    now: UnixTime,
) -> (Result<Option<Advice>, AcmeError>, UnixTime) {
    let (Some(base), Some(id)) = (&client.directory.renewal_info, id(certificate)) else {
        return (Ok(None), now.plus(AGAIN.1));
    };
    let url = format!("{}/{id}", base.trim_end_matches('/'));
    match client.get(&url).await {
        Ok(answer) => {
            let wait = client::retry_after(&answer).map_or(USUAL, |wait| wait.clamp(AGAIN.0, AGAIN.1));
            (read(&answer, &url, before).map(Some), now.plus(wait))
        }
        Err(error) => (Err(error), now.plus(USUAL)),
    }
}

fn read(answer: &Answer, url: &str, before: Option<&Advice>) -> Result<Advice, AcmeError> {
    let not_understood = |what: &str| AcmeError::NotUnderstood { url: url.to_owned(), what: what.to_owned() };
    let info: RenewalInfo =
        serde_json::from_slice(&answer.body).map_err(|_| not_understood("it suggests no window"))?;
    let moment = |text: &str| client::moment(text).ok_or_else(|| not_understood("the window has no dates"));
    let (start, end) = (moment(&info.suggested_window.start)?, moment(&info.suggested_window.end)?);
    if end <= start {
        return Err(not_understood("the window ends before it begins"));
    }
    let explanation = info.explanation_url.map(|url| client::shown(&url));
    if let Some(before) = before.filter(|before| before.start == start && before.end == end) {
        return Ok(Advice { explanation, ..before.clone() });
    }
    let chance = getrandom::u64().map_err(|error| AcmeError::Own(format!("no random bytes: {error}")))?;
    Ok(Advice { start, end, chosen: chosen(start, end, chance), explanation })
}

/// A moment of the window.
fn chosen(start: UnixTime, end: UnixTime, chance: u64) -> UnixTime {
    let length = u64::try_from(end.seconds() - start.seconds()).unwrap_or(1).max(1);
    start.plus(i64::try_from(chance % length).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};
    use testkit::TestCa;
    use testkit::ca::Leaf;

    use super::*;

    fn answer(start: &str, end: &str) -> Answer {
        let body = format!(r#"{{"suggestedWindow":{{"start":"{start}","end":"{end}"}}}}"#);
        Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: body.into_bytes() }
    }

    #[test]
    fn without_advice_it_is_two_thirds_and_with_advice_the_chosen_moment_before_the_last_tenth() {
        let ca = TestCa::new("CA");
        let begin = UnixTime(1_800_000_000);
        let cert = Leaf::server("portal.test").valid(begin, begin.plus(900)).issued_by(&ca).facts();
        assert_eq!(at(&cert, None), begin.plus(600));
        let advice = |chosen: i64| {
            let chosen = begin.plus(chosen);
            Advice { start: begin, end: chosen.plus(1), chosen, explanation: None }
        };
        for (chosen, expected) in [(1, 1), (809, 809), (810, 810), (811, 810), (9_000_000, 810)] {
            assert_eq!(at(&cert, Some(&advice(chosen))), begin.plus(expected), "{chosen}");
        }
    }

    #[test]
    fn a_window_is_drawn_from_once_and_again_only_where_it_changed() {
        let of = |start, end, before: Option<&Advice>| read(&answer(start, end), "https://a.test/", before);
        let (start, end) = ("2027-01-02T04:00:00Z", "2027-01-03T04:00:00.5Z");
        let first = of(start, end, None).unwrap();
        assert!(first.start <= first.chosen && first.chosen < first.end);
        let marked = Advice { chosen: first.start.plus(7), ..first.clone() };
        assert_eq!(of(start, end, Some(&marked)).unwrap(), marked);
        let other = of("2026-12-01T04:00:00Z", "2026-12-01T05:00:00Z", Some(&marked)).unwrap();
        assert!(other.chosen < marked.start);
        assert!(of(end, start, None).is_err());
        assert!(of("soon", end, None).is_err());
    }

    #[test]
    fn chance_stays_inside_the_window() {
        let (start, end) = (UnixTime(100), UnixTime(110));
        for (chance, expected) in [(0, 100), (9, 109), (10, 100), (u64::MAX, 105)] {
            assert_eq!(chosen(start, end, chance), UnixTime(expected), "{chance}");
        }
    }

    #[test]
    fn a_certificate_is_named_by_its_issuers_key_and_its_serial_number() {
        let ca = TestCa::new("CA");
        let cert = Leaf::server("portal.test").serial(&[0x00, 0x87, 0x65, 0x43, 0x21]).issued_by(&ca).facts();
        let id = id(&cert).unwrap();
        // RFC 9773 section 4.1: the INTEGER's content with its leading zero.
        assert!(id.ends_with(".AIdlQyE"), "{id}");
    }
}
