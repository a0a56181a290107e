//! What is answered: from the registry as it is at that moment, signed with the key that the CA named for it.
//!
//! Nothing is kept of what was answered: a signature costs less than a look into what might be kept would save, and a
//! revocation is told from its commit on. What others keep, HTTP says.

use std::os::unix::fs::MetadataExt;

use authority::ocsp::{self, Refusal, Request, Status};
use examiner::{Certificate, UnixTime};
use gateway::OcspAnswer;
use registry::{Issuer, Registry, RegistryError};

use super::cas::Cas;
use crate::config::StateDir;

/// What answers.
pub struct Answering {
    state: StateDir,
    registry: Kept,
    cas: Cas,
}

/// The registry, open as long as it is the same file.
struct Kept(Option<((u64, u64), Registry)>);

impl Answering {
    /// Nothing is read before the first question.
    pub fn new(state: StateDir) -> Self {
        Self { cas: Cas::new(state.clone()), state, registry: Kept(None) }
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
        let ca = self.cas.find(&request).ok_or(Refusal::Unauthorized)?;
        let unreadable = |error: RegistryError| {
            tracing::error!(%error, "the registry cannot be asked about a certificate");
            Refusal::TryLater
        };
        let registry = self.registry.open(&self.state).await.map_err(unreadable)?;
        if registry.restored().is_some() {
            // Revocations may be missing in it, so nobody is said to be good.
            return Err(Refusal::TryLater);
        }
        let (issuer, certificate) = (ca.issuer, ca.certificate.clone());
        let responder = ca.responder(&self.state, now).await.ok_or(Refusal::TryLater)?;
        let mut statuses = Vec::with_capacity(request.wanted.len());
        for wanted in &request.wanted {
            let status = status(&registry, issuer, &certificate, wanted.serial()).await;
            statuses.push(status.map_err(unreadable)?);
        }
        let signed = responder.answer(&request, &statuses, now).map_err(|error| {
            tracing::error!(%error, "an answer cannot be signed");
            Refusal::InternalError
        })?;
        let until = now.plus(ocsp::LIFE_SECONDS).min(responder.not_after());
        Ok(OcspAnswer { der: signed.into(), holds: request.nonce.is_none().then_some((now, until)) })
    }
}

/// What is on record of a certificate of this CA.
async fn status(
    registry: &Registry,
    issuer: Issuer,
    ca: &Certificate,
    serial: &[u8],
) -> Result<Status, RegistryError> {
    let Some(row) = registry.find_serial(issuer, serial).await? else { return Ok(Status::Unknown) };
    // The two generations of a CA stand under one word in the registry.
    let is_its_own = Certificate::from_der(&row.der).is_ok_and(|one| one.issuer_der == ca.subject_der);
    Ok(match row.revoked {
        _ if !is_its_own => Status::Unknown,
        None => Status::Good,
        Some(revoked) => {
            Status::Revoked { at: revoked.at, reason: revoked.reason.parse().unwrap_or_default() }
        }
    })
}

impl Kept {
    /// The registry in the file as it is: after a restore it is another one, and until that is accepted it is opened anew
    /// each time, to hear of it.
    async fn open(&mut self, state: &StateDir) -> Result<Registry, RegistryError> {
        let path = state.database();
        let file = std::fs::metadata(&path).map(|file| (file.dev(), file.ino()));
        let identity = file.map_err(|_| RegistryError::Missing { path })?;
        if let Some((_, registry)) = self.0.as_ref().filter(|(known, _)| *known == identity) {
            return Ok(registry.clone());
        }
        let registry = crate::store::open(state).await?;
        self.0 = registry.restored().is_none().then(|| (identity, registry.clone()));
        Ok(registry)
    }
}
