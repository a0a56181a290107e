//! From names to a certificate: the order, a challenge for each name, the request, the chain (RFC 8555 section 7.4).

use std::time::Duration;

use authority::request::Request;
use authority::{KeyType, keys};
use data_encoding::BASE64URL_NOPAD;
use examiner::{Certificate, UnixTime};
use policy::HostName;
use policy::issuance::AltName;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::answers::Answer;
use super::client::{self, AcmeError, Problem, Session, shown};
use super::kept::{Kept, holds_exactly};
use crate::clock;
use crate::config::StateDir;
use crate::config::acme::{Acme, word};
use crate::config::file::ChallengeFile;

/// Time for a whole order.
const WITHIN: Duration = Duration::from_secs(150);
/// The first wait before the server is asked again how far it is; it doubles up to the longest.
const POLL: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(8));
/// Certificates in a chain.
const MOST_CHAIN: usize = 10;
/// No token is longer (RFC 8555 section 8.3: at least 128 bits; servers give 43 characters).
const TOKEN_MOST: usize = 256;

/// What there is to order.
pub struct Wanted<'a> {
    /// Where and for which names.
    pub acme: &'a Acme,
    /// Where the gate reads its answers.
    pub state: &'a StateDir,
    /// Where the certificate goes.
    pub kept: &'a Kept,
    /// The challenge to be tried where the configuration leaves it open.
    pub first: ChallengeFile,
    /// Whether the other one can be answered as well.
    pub has_http: bool,
    /// The certificate that it takes the place of, as the server knows it (RFC 9773 section 5).
    pub replaces: Option<String>,
}

#[derive(Deserialize)]
struct Order {
    status: String,
    #[serde(default)]
    authorizations: Vec<String>,
    finalize: String,
    certificate: Option<String>,
    error: Option<Problem>,
}

#[derive(Deserialize)]
struct Authorization {
    status: String,
    identifier: Identifier,
    #[serde(default)]
    challenges: Vec<Challenge>,
}

#[derive(Deserialize)]
struct Identifier {
    value: String,
}

#[derive(Deserialize)]
struct Challenge {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    token: String,
    error: Option<Problem>,
}

impl Wanted<'_> {
    /// Orders it, and puts it in the place of the last. The challenge by which it was had.
    pub async fn order(&self, session: &mut Session) -> Result<&'static str, AcmeError> {
        tokio::time::timeout(WITHIN, self.whole(session)).await.unwrap_or(Err(AcmeError::TooSlow(WITHIN)))
    }

    async fn whole(&self, session: &mut Session) -> Result<&'static str, AcmeError> {
        let (mut order, url) = self.begin(session).await?;
        let mut by = "an authorization that was valid already";
        for authorization in &order.authorizations {
            if let Some(challenge) = self.authorize(session, authorization).await? {
                by = challenge;
            }
        }
        let key = keys::generate(KeyType::EcdsaP256)?;
        let alt_names: Vec<AltName> =
            self.acme.names.iter().map(|name| AltName::Dns(name.to_string())).collect();
        let request = Request { subject: "", alt_names: &alt_names, is_client: false }.sign(&key)?;
        order = until(session, &url, |order: &Order| !matches!(order.status.as_str(), "pending")).await?;
        if order.status == "ready" {
            let csr = json!({ "csr": BASE64URL_NOPAD.encode(&request) });
            session.post(&order.finalize, Some(&csr)).await?;
            let is_done =
                |order: &Order| !matches!(order.status.as_str(), "pending" | "ready" | "processing");
            order = until(session, &url, is_done).await?;
        }
        let certificate = match (order.status.as_str(), &order.certificate) {
            ("valid", Some(certificate)) => certificate,
            _ => {
                let why = order.error.as_ref().map_or_else(|| shown(&order.status), Problem::words);
                return Err(AcmeError::OrderInvalid(why));
            }
        };
        let answer = session.post(certificate, None).await?;
        let chain = checked(&answer.body, &key.spki()?, &self.acme.names, clock::now())
            .map_err(AcmeError::NotAsOrdered)?;
        self.kept.replace(&key.to_pem()?, &chain)?;
        Ok(by)
    }

    /// Makes the order, and says where it is. A server that does not want to hear what it replaces is not told.
    async fn begin(&self, session: &mut Session) -> Result<(Order, String), AcmeError> {
        let names = self.acme.names.iter();
        let identifiers: Vec<Value> =
            names.map(|name| json!({ "type": "dns", "value": name.as_str() })).collect();
        let url = session.client.directory.new_order.clone();
        let plain = json!({ "identifiers": identifiers });
        let mut told = plain.clone();
        if let Some(replaced) = &self.replaces {
            told["replaces"] = replaced.clone().into();
        }
        let answered = match session.ask(&url, Some(&told)).await {
            Err(AcmeError::Problem { kind, status, .. })
                if self.replaces.is_some()
                    && (status == 409 || matches!(kind.as_str(), "malformed" | "alreadyReplaced")) =>
            {
                session.ask(&url, Some(&plain)).await
            }
            answered => answered,
        };
        let (order, answer) = answered?;
        Ok((order, client::location(&answer, &url)?))
    }

    /// Shows the server that one name leads here; the challenge by which, where one was needed.
    async fn authorize(&self, session: &mut Session, url: &str) -> Result<Option<&'static str>, AcmeError> {
        let (found, _) = session.ask::<Authorization>(url, None).await?;
        if found.status == "valid" {
            return Ok(None);
        }
        let not_understood = |what: &str| AcmeError::NotUnderstood { url: shown(url), what: what.to_owned() };
        let name = HostName::parse(&found.identifier.value)
            .ok()
            .filter(|name| self.acme.names.contains(name))
            .ok_or_else(|| not_understood("it is about a name that was not ordered"))?;
        let (kind, challenge) = self.choose(&name, &found.challenges)?;
        if !is_token(&challenge.token) {
            return Err(not_understood("its token is none"));
        }
        let key_authorization = format!("{}.{}", challenge.token, session.key.thumbprint());
        let answer = match kind {
            ChallengeFile::TlsAlpn => Answer::by_tls(self.state, &name, &key_authorization, clock::now())?,
            ChallengeFile::Http => Answer::by_http(self.state, &name, &challenge.token, &key_authorization)?,
        };
        session.post(&challenge.url, Some(&json!({}))).await?;
        let done =
            until(session, url, |one: &Authorization| !matches!(one.status.as_str(), "pending")).await?;
        drop(answer);
        if done.status == "valid" {
            return Ok(Some(word(kind)));
        }
        let mut all = done.challenges.iter().filter(|one| one.kind == word(kind));
        let error = all.find_map(|one| one.error.as_ref());
        let detail = error.map_or_else(|| shown(&done.status), Problem::words);
        Err(AcmeError::NotValidated { name: name.to_string(), challenge: word(kind), detail })
    }

    /// The challenge that is answered: what the configuration names, else the one to be tried first, else the other.
    fn choose<'c>(
        &self,
        name: &HostName,
        offered: &'c [Challenge],
    ) -> Result<(ChallengeFile, &'c Challenge), AcmeError> {
        let other = match self.first {
            ChallengeFile::TlsAlpn => ChallengeFile::Http,
            ChallengeFile::Http => ChallengeFile::TlsAlpn,
        };
        let tried = match self.acme.challenge {
            Some(only) => vec![only],
            None => vec![self.first, other],
        };
        let possible = |kind: &ChallengeFile| *kind != ChallengeFile::Http || self.has_http;
        let mut tried = tried.into_iter().filter(possible);
        tried.find_map(|kind| Some((kind, offered.iter().find(|one| one.kind == word(kind))?))).ok_or_else(
            || {
                let kinds: Vec<String> = offered.iter().map(|one| shown(&one.kind)).collect();
                AcmeError::NoChallenge { name: name.to_string(), offered: kinds.join(", ") }
            },
        )
    }
}

/// Asks until it is done, as seldom as the server wants.
async fn until<T: serde::de::DeserializeOwned>(
    session: &mut Session,
    url: &str,
    is_done: impl Fn(&T) -> bool,
) -> Result<T, AcmeError> {
    let begun = Instant::now();
    let mut wait = POLL.0;
    loop {
        let (found, answer) = session.ask::<T>(url, None).await?;
        if is_done(&found) {
            return Ok(found);
        }
        if begun.elapsed() > WITHIN {
            return Err(AcmeError::TooSlow(WITHIN));
        }
        let wanted = client::retry_after(&answer).and_then(|seconds| u64::try_from(seconds).ok());
        tokio::time::sleep(wanted.map_or(wait, Duration::from_secs).min(POLL.1)).await;
        wait = (wait * 2).min(POLL.1);
    }
}

/// Whether it can be a token: base64url (RFC 8555 section 8.1).
fn is_token(text: &str) -> bool {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_';
    !text.is_empty() && text.len() <= TOKEN_MOST && text.bytes().all(allowed)
}

/// The chain as PEM, certificates alone, where the first is for this key and these names and holds now.
fn checked(pem: &[u8], spki: &[u8], names: &[HostName], now: UnixTime) -> Result<String, &'static str> {
    let all = examiner::cert::pem::certificates(pem).map_err(|_| "it is no chain of certificates")?;
    if all.len() > MOST_CHAIN {
        return Err("its chain has more than 10 certificates");
    }
    let first: &Certificate = all.first().ok_or("there is none")?;
    if *first.spki != *spki {
        return Err("it is for another key");
    }
    if !holds_exactly(first, names) {
        return Err("it is for other names");
    }
    if !first.is_valid_at(now, 300) {
        return Err("it does not hold now");
    }
    Ok(all.iter().map(|one| examiner::cert::pem::encode("CERTIFICATE", &one.der)).collect())
}

#[cfg(test)]
mod tests {
    use testkit::TestCa;
    use testkit::ca::Leaf;

    use super::*;

    #[test]
    fn a_token_is_base64url_and_nothing_that_could_be_a_path() {
        assert!(is_token("evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"));
        for text in ["", "../../etc/passwd", "a/b", "a.b", "a b", "é", &"a".repeat(257)] {
            assert!(!is_token(text), "{text}");
        }
    }

    #[test]
    fn a_certificate_is_taken_for_its_key_its_names_and_its_time_alone() {
        let ca = TestCa::new("CA");
        let host = |name: &str| HostName::parse(name).unwrap();
        let now = testkit::times::clock();
        let cert = Leaf::server("portal.test").issued_by(&ca);
        let (facts, names) = (cert.facts(), [host("portal.test")]);
        let of = |pem: &str, spki: &[u8], names: &[HostName]| checked(pem.as_bytes(), spki, names, now);
        let chain = of(&cert.chain_pem, &facts.spki, &names).unwrap();
        let again = examiner::cert::pem::certificates(chain.as_bytes()).unwrap();
        assert_eq!(*again[0].der, *cert.der);
        let other = Leaf::server("portal.test").issued_by(&ca);
        assert_eq!(of(&other.chain_pem, &facts.spki, &names), Err("it is for another key"));
        let more = [host("portal.test"), host("www.portal.test")];
        assert_eq!(of(&cert.chain_pem, &facts.spki, &more), Err("it is for other names"));
        let two = Leaf::server("portal.test").dns("evil.test").issued_by(&ca);
        assert_eq!(of(&two.chain_pem, &two.facts().spki, &names), Err("it is for other names"));
        let old = Leaf::server("portal.test").ended_yesterday().issued_by(&ca);
        assert_eq!(of(&old.chain_pem, &old.facts().spki, &names), Err("it does not hold now"));
        assert!(of("<html>", &facts.spki, &names).is_err());
    }
}
