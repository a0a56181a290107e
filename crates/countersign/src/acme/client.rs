//! One ACME server, spoken to under the rules of [`crate::fetch`]: nonces, problems, how long to wait.

use std::time::Duration;

use examiner::UnixTime;
use gateway::networks::Networks;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::jws::{AccountKey, JwsError};
use super::kept::{Account, Accounts};
use crate::clock;
use crate::config::acme::Acme;
use crate::fetch::{self, Answer, FetchError, FetchUrl, Rules};

/// For one question and its answer.
const DEADLINE: Duration = Duration::from_secs(30);
/// Bytes of an answer; a chain of certificates is the largest.
const MOST_BYTES: u64 = 256 << 10;
/// So often a question is asked again because its nonce was not taken (RFC 8555 section 6.5).
const NONCES: usize = 4;
/// Characters of a server's words that are kept.
const DETAIL_MOST: usize = 400;
/// Problems that have a meaning here (RFC 8555 section 6.7).
const BAD_NONCE: &str = "badNonce";
const NO_ACCOUNT: &str = "accountDoesNotExist";
const JOSE: &str = "application/jose+json";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcmeError {
    /// The server was not reached.
    #[error("{url}: {source}")]
    Fetch {
        /// What was asked.
        url: String,
        /// Why nothing came.
        source: FetchError,
    },
    /// The server refused.
    #[error("{url}: {}: {detail}", short(kind, *status))]
    Problem {
        /// What was asked.
        url: String,
        /// The status of its answer.
        status: u16,
        /// The problem's type, without the namespace that all share.
        kind: String,
        /// In the server's words, with controls escaped.
        detail: String,
        /// Seconds to wait, as the server wants it.
        retry_after: Option<i64>,
    },
    /// What the server said makes no sense.
    #[error("{url}: the answer is not understood: {what}")]
    NotUnderstood {
        /// What was asked.
        url: String,
        /// What is missing.
        what: String,
    },
    /// The CA could not see that a name leads here.
    #[error("{name} was not validated by {challenge}: {detail}")]
    NotValidated {
        /// The name.
        name: String,
        /// How it was tried.
        challenge: &'static str,
        /// In the server's words, with controls escaped.
        detail: String,
    },
    /// None of the challenges that the server offers can be answered here.
    #[error("for {name} the server offers {offered}, none of which can be answered here")]
    NoChallenge {
        /// The name.
        name: String,
        /// What it offers.
        offered: String,
    },
    /// The order came to nothing.
    #[error("the order became invalid: {0}")]
    OrderInvalid(String),
    /// It took too long.
    #[error("the order was not done within {} seconds", .0.as_secs())]
    TooSlow(Duration),
    /// The certificate is not what was ordered.
    #[error("the certificate that was issued is not taken: {0}")]
    NotAsOrdered(&'static str),
    /// A file or key of ours.
    #[error("{0}")]
    Own(String),
}

/// The problem's type, or the status where there is none.
fn short(kind: &str, status: u16) -> String {
    if kind.is_empty() { format!("status {status}") } else { kind.to_owned() }
}

impl AcmeError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Fetch { source: FetchError::NotPublic { .. }, .. } => {
                "list the server's address in `[server] fetch_private`"
            }
            Self::Fetch { source: FetchError::Tls { .. }, .. } => {
                "for a server with a certificate of its own: name its root with `roots = \"FILE\"`"
            }
            Self::Fetch { .. } => "it is tried again by itself; see whether the server is up",
            Self::Problem { kind, .. } if kind == "rateLimited" => {
                "it waits as long as the server wants; try things out with `staging`"
            }
            Self::Problem { kind, .. } if kind == "externalAccountRequired" => {
                "ask the CA for a key, and write eab = { kid = \"…\", key = { file = \"…\" } }"
            }
            Self::Problem { kind, .. } if kind == "rejectedIdentifier" || kind == "caa" => {
                "this CA does not issue for the name: see its rules, and the CAA records of the domain"
            }
            Self::NotValidated { challenge: "http-01", .. } => {
                "see that the name leads to this machine and port 80 to an address of `[server] http`"
            }
            Self::NotValidated { .. } => {
                "see that the name leads to this machine and port 443 to an address of `[server] listen`, with TLS not ended before"
            }
            Self::NoChallenge { .. } => "for http-01 set `[server] http`; dns-01 is not done here",
            Self::Own(_) => "see the file and its owner",
            _ => "it is tried again by itself; if it stays so, ask the CA",
        }
    }

    /// Seconds that the server wants to be left alone.
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::Problem { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Problem { kind, .. } if kind == wanted)
    }
}

impl From<JwsError> for AcmeError {
    fn from(error: JwsError) -> Self {
        Self::Own(error.to_string())
    }
}

impl From<authority::AuthorityError> for AcmeError {
    fn from(error: authority::AuthorityError) -> Self {
        Self::Own(error.to_string())
    }
}

/// What the server can do, and where (RFC 8555 section 7.1.1, RFC 9773 section 4.1).
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    new_nonce: String,
    new_account: String,
    /// Where orders are made.
    pub new_order: String,
    /// Where it says when a certificate should be renewed.
    pub renewal_info: Option<String>,
}

/// A server.
pub struct Client {
    rules: Rules,
    /// What it can do.
    pub directory: Directory,
    nonce: Option<String>,
}

/// A server that knows us.
pub struct Session {
    /// The server.
    pub client: Client,
    /// The account's key.
    pub key: AccountKey,
    account: String,
}

impl Client {
    /// Reads the server's directory.
    pub async fn open(acme: &Acme, private: &Networks) -> Result<Self, AcmeError> {
        let rules = Rules {
            most_bytes: MOST_BYTES,
            deadline: DEADLINE,
            private: private.clone(),
            private_by: "is not listed in `fetch_private`",
            roots: fetch::roots(acme.roots.as_deref()).map_err(AcmeError::Own)?,
        };
        let url = acme.directory.to_string();
        let answer = got(&rules, &url, None).await?;
        let directory = serde_json::from_slice(&answer.body)
            .map_err(|error| AcmeError::NotUnderstood { url, what: format!("no directory: {error}") })?;
        Ok(Self { rules, directory, nonce: None })
    }

    /// The answer to a GET, which needs no account.
    pub async fn get(&self, url: &str) -> Result<Answer, AcmeError> {
        got(&self.rules, url, None).await
    }

    /// Signs in: with the account that is kept for this directory, or a new one.
    pub async fn sign_in(mut self, acme: &Acme, accounts: &Accounts) -> Result<Session, AcmeError> {
        let (key, known) = accounts.key_and_account()?;
        let known = known.filter(|known| known.contact == acme.contact);
        let account = match known {
            Some(known) => known.url,
            None => {
                let account = self.register(acme, &key).await?;
                accounts.keep(&Account { url: account.clone(), contact: acme.contact.clone() })?;
                account
            }
        };
        Ok(Session { client: self, key, account })
    }

    /// Makes the account, or finds the one that this key has; the CA's terms are agreed to.
    async fn register(&mut self, acme: &Acme, key: &AccountKey) -> Result<String, AcmeError> {
        let url = self.directory.new_account.clone();
        let mut wanted = json!({ "termsOfServiceAgreed": true, "contact": acme.contact });
        if let Some(eab) = &acme.eab {
            let secret = eab.key.read().map_err(AcmeError::Own)?;
            wanted["externalAccountBinding"] = key.bind(&eab.kid, &secret, &url)?;
        }
        let answer = self.post(&url, key, None, Some(&wanted)).await?;
        let account = location(&answer, &url)?;
        if answer.status != http::StatusCode::CREATED {
            // It was there, perhaps under another address to write to.
            self.post(&account, key, Some(&account), Some(&json!({ "contact": acme.contact }))).await?;
        }
        Ok(account)
    }

    /// The answer to what this key signs; asked again where the nonce was not taken.
    async fn post(
        &mut self,
        url: &str,
        key: &AccountKey,
        account: Option<&str>,
        payload: Option<&Value>,
    ) -> Result<Answer, AcmeError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let nonce = match self.nonce.take() {
                Some(nonce) => nonce,
                None => self.new_nonce().await?,
            };
            let mut protected = json!({ "alg": "ES256", "nonce": nonce, "url": url });
            match account {
                Some(account) => protected["kid"] = account.into(),
                None => protected["jwk"] = key.jwk(),
            }
            let body = key.sign(&protected, payload)?.to_string().into_bytes();
            let answered = answer(&self.rules, url, Some((JOSE, body))).await?;
            self.nonce = header(&answered, "replay-nonce").map(str::to_owned);
            match refused(answered, url) {
                Err(error) if error.is(BAD_NONCE) && tries < NONCES => {}
                outcome => return outcome,
            }
        }
    }

    async fn new_nonce(&self) -> Result<String, AcmeError> {
        let url = &self.directory.new_nonce;
        let answer = self.get(url).await?;
        header(&answer, "replay-nonce").map(str::to_owned).ok_or_else(|| AcmeError::NotUnderstood {
            url: url.clone(),
            what: "there is no nonce in it".into(),
        })
    }
}

impl Session {
    /// The answer to a POST of this; `None`: a POST-as-GET.
    pub async fn post(&mut self, url: &str, payload: Option<&Value>) -> Result<Answer, AcmeError> {
        self.client.post(url, &self.key, Some(&self.account), payload).await
    }

    /// The same, read as JSON of this shape.
    pub async fn ask<T: serde::de::DeserializeOwned>(
        &mut self,
        url: &str,
        payload: Option<&Value>,
    ) -> Result<(T, Answer), AcmeError> {
        let answer = self.post(url, payload).await?;
        let read = serde_json::from_slice(&answer.body)
            .map_err(|error| AcmeError::NotUnderstood { url: url.to_owned(), what: error.to_string() })?;
        Ok((read, answer))
    }

    /// Whether the server no longer knows the account that is kept.
    pub fn is_forgotten(error: &AcmeError) -> bool {
        error.is(NO_ACCOUNT)
    }
}

/// Where the answer says that what was made is.
pub fn location(answer: &Answer, url: &str) -> Result<String, AcmeError> {
    header(answer, "location")
        .map(str::to_owned)
        .ok_or_else(|| AcmeError::NotUnderstood { url: url.to_owned(), what: "it names no location".into() })
}

/// Seconds that the answer wants one to wait (RFC 9110 section 10.2.3).
pub fn retry_after(answer: &Answer) -> Option<i64> {
    let text = header(answer, "retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(seconds.into());
    }
    let moment = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some((moment.unix_timestamp() - clock::now().seconds()).max(0))
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name)?.to_str().ok()
}

async fn got(rules: &Rules, url: &str, sent: fetch::Sent) -> Result<Answer, AcmeError> {
    refused(answer(rules, url, sent).await?, url)
}

/// The answer, whatever it says. Addresses come from the server: each is held against the rules again, and is https.
async fn answer(rules: &Rules, url: &str, sent: fetch::Sent) -> Result<Answer, AcmeError> {
    let not_asked = |what| AcmeError::NotUnderstood { url: shown(url), what };
    let parsed = FetchUrl::parse(url).map_err(not_asked)?;
    if !parsed.is_https() {
        return Err(not_asked("the server names an address that is not https://".into()));
    }
    fetch::answer(&parsed, rules, sent)
        .await
        .map_err(|source| AcmeError::Fetch { url: parsed.to_string(), source })
}

/// An answer that is no success, as an error.
fn refused(answer: Answer, url: &str) -> Result<Answer, AcmeError> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let problem = Problem::read(&answer.body);
    Err(AcmeError::Problem {
        url: shown(url),
        status: answer.status.as_u16(),
        kind: problem.kind(),
        detail: problem.words(),
        retry_after: retry_after(&answer),
    })
}

/// What a server says is wrong (RFC 9457, RFC 8555 section 6.7).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    detail: String,
    subproblems: Vec<Problem>,
}

impl Problem {
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    fn kind(&self) -> String {
        shown(self.kind.rsplit(':').next().unwrap_or_default())
    }

    /// In words that can stand in a log.
    pub fn words(&self) -> String {
        let all = self.subproblems.iter().map(|one| one.detail.as_str());
        let all: Vec<&str> =
            std::iter::once(self.detail.as_str()).chain(all).filter(|one| !one.is_empty()).collect();
        if all.is_empty() { "it does not say why".into() } else { shown(&all.join("; ")) }
    }
}

/// A server's words, bounded and without controls.
pub fn shown(text: &str) -> String {
    text.chars()
        .take(DETAIL_MOST)
        .collect::<String>()
        .escape_debug()
        .to_string()
        .replace("\\\"", "\"")
        .replace("\\'", "'")
}

/// The moment as RFC 3339 has it, which servers write with fractions of a second.
pub fn moment(text: &str) -> Option<UnixTime> {
    let moment = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    Some(UnixTime(moment.unix_timestamp()))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    fn answer(status: u16, retry: Option<&str>, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(retry) = retry {
            headers.insert("retry-after", HeaderValue::from_str(retry).unwrap());
        }
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn how_long_to_wait_is_said_in_seconds_or_as_a_date() {
        let of = |text: &str| retry_after(&answer(429, Some(text), ""));
        assert_eq!(of("120"), Some(120));
        assert_eq!(of("Thu, 01 Jan 1970 00:00:01 GMT"), Some(0));
        let later = of("Fri, 31 Dec 2100 23:59:59 GMT").unwrap();
        assert!(later > 86_400, "{later}");
        for text in ["soon", "-1", ""] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words_without_its_controls() {
        let body = "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"too many\\u001b[31m\"}";
        let error = refused(answer(429, Some("60"), body), "https://a.test/new").unwrap_err();
        assert_eq!(error.to_string(), "https://a.test/new: rateLimited: too many\\u{1b}[31m");
        assert_eq!(error.retry_after(), Some(60));
        assert!(error.remedy().contains("waits as long"));
        let error = refused(answer(503, None, "<html>"), "https://a.test/new").unwrap_err();
        assert_eq!(error.to_string(), "https://a.test/new: status 503: it does not say why");
    }
}
