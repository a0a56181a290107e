//! What is answered: from the registry as it is at that moment, signed with the key that the CA named for it.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;

use authority::ocsp::{self, Delegate, Refusal, Request, Responder, Status};
use examiner::{Certificate, UnixTime};
use gateway::OcspAnswer;
use registry::{Issuer, Registry, RegistryError};

use super::delegate;
use crate::config::StateDir;
use crate::config::seen::Seen;

/// Answers, and keeps what it needs for that as long as its files are the same.
pub struct Answering {
    state: StateDir,
    registry: Option<((u64, u64), Registry)>,
    kept: HashMap<Issuer, ([Option<Seen>; 2], Kept)>,
}

/// What is known of one CA.
struct Kept {
    certificate: Certificate,
    /// Absent until a key is named for it.
    responder: Option<Responder>,
}

impl Answering {
    /// Nothing is read before the first question.
    pub fn new(state: StateDir) -> Self {
        Self { state, registry: None, kept: HashMap::new() }
    }

    /// The answer to a request, DER.
    pub async fn answer(&mut self, der: &[u8], now: UnixTime) -> OcspAnswer {
        match self.signed(der, now).await {
            Ok(answer) => answer,
            Err(refusal) => OcspAnswer { der: refusal.to_der().into(), holds: None },
        }
    }

    async fn signed(&mut self, der: &[u8], now: UnixTime) -> Result<OcspAnswer, Refusal> {
        let request = Request::read(der).map_err(|_| Refusal::MalformedRequest)?;
        self.look_at_files();
        let issuer = Issuer::ALL
            .into_iter()
            .find(|issuer| {
                self.kept
                    .get(issuer)
                    .is_some_and(|(_, kept)| request.wanted.iter().any(|one| one.is_of(&kept.certificate)))
            })
            .ok_or(Refusal::Unauthorized)?;
        let registry = self.registry().await.map_err(|error| {
            tracing::error!(%error, "the registry cannot be asked about a certificate");
            Refusal::TryLater
        })?;
        if registry.restored().is_some() {
            // Revocations may be missing in it, so nobody is said to be good.
            return Err(Refusal::TryLater);
        }
        let responder = self.kept[&issuer].1.responder.as_ref().filter(|one| now <= one.not_after());
        let responder = responder.ok_or(Refusal::TryLater)?;
        let mut statuses = Vec::with_capacity(request.wanted.len());
        for wanted in &request.wanted {
            let is_ours = wanted.is_of(responder.issuer());
            let found = if is_ours { registry.find_serial(issuer, wanted.serial()).await } else { Ok(None) };
            let found = found.map_err(|error| {
                tracing::error!(%error, "a certificate cannot be looked up");
                Refusal::TryLater
            })?;
            statuses.push(match found.map(|row| row.revoked) {
                None => Status::Unknown,
                Some(None) => Status::Good,
                Some(Some(revoked)) => {
                    Status::Revoked { at: revoked.at, reason: revoked.reason.parse().unwrap_or_default() }
                }
            });
        }
        let signed = responder.answer(&request, &statuses, now).map_err(|error| {
            tracing::error!(%error, "an answer cannot be signed");
            Refusal::InternalError
        })?;
        let until = now.plus(ocsp::LIFE_SECONDS).min(responder.not_after());
        Ok(OcspAnswer { der: signed.into(), holds: request.nonce.is_none().then_some((now, until)) })
    }

    /// The registry in the file as it is: after a restore it is another one.
    async fn registry(&mut self) -> Result<Registry, RegistryError> {
        let file = std::fs::metadata(self.state.database()).map(|file| (file.dev(), file.ino()));
        let identity = file.map_err(|_| RegistryError::Missing { path: self.state.database() })?;
        if let Some((_, registry)) = self.registry.as_ref().filter(|(known, _)| *known == identity) {
            return Ok(registry.clone());
        }
        let registry = crate::store::open(&self.state).await?;
        self.registry = Some((identity, registry.clone()));
        Ok(registry)
    }

    /// Reads what changed: a CA's certificate, or the key that it named.
    fn look_at_files(&mut self) {
        for issuer in Issuer::ALL {
            let ca = match issuer {
                Issuer::Client => self.state.client_ca(),
                Issuer::Operator => self.state.operator_ca(),
            };
            let named = delegate(&self.state, issuer);
            let seen = [Seen::at(&ca), Seen::at(&named)];
            if self.kept.get(&issuer).is_some_and(|(known, _)| *known == seen) {
                continue;
            }
            self.kept.remove(&issuer);
            let read = std::fs::read(&ca).ok().and_then(|pem| examiner::cert::pem::certificates(&pem).ok());
            let Some(certificate) = read.and_then(|all| all.into_iter().next()) else { continue };
            let text = std::fs::read_to_string(&named).ok().map(zeroize::Zeroizing::new);
            let responder = text.and_then(|text| {
                let made = Delegate::from_pem(&text).and_then(|one| Responder::new(one, certificate.clone()));
                made.inspect_err(
                    |error| tracing::error!(%error, file = %named.display(), "it cannot be used"),
                )
                .ok()
            });
            self.kept.insert(issuer, (seen, Kept { certificate, responder }));
        }
    }
}
