//! The CAs that are answered for, each generation with a key of its own.

use std::path::PathBuf;

use authority::ocsp::{self, Responder, delegate};
use authority::request::Request;
use examiner::{Certificate, UnixTime};
use registry::Issuer;

use crate::config::StateDir;
use crate::config::seen::Seen;
use crate::run::signing::ask;
use crate::run::signing::protocol::Delegation;

/// After a key could not be had, so many seconds pass before it is tried again.
const AGAIN_SECONDS: i64 = 10;

/// All that are answered for, as their files are.
pub struct Cas {
    state: StateDir,
    seen: Vec<Option<Seen>>,
    all: Vec<Ca>,
}

/// One generation of a CA.
pub struct Ca {
    /// Whose certificates it issues.
    pub issuer: Issuer,
    old: bool,
    /// Its certificate.
    pub certificate: Certificate,
    /// Absent until a key is named for it.
    responder: Option<Responder>,
    /// When it may be tried again to have one named.
    again: UnixTime,
}

impl Cas {
    /// Nothing is read before the first question.
    pub fn new(state: StateDir) -> Self {
        Self { state, seen: Vec::new(), all: Vec::new() }
    }

    /// The CA of all that is asked; none where it is of several: the key that signs is named by one.
    pub fn find(&mut self, request: &ocsp::Request) -> Option<&mut Ca> {
        self.look();
        self.all.iter_mut().find(|ca| request.wanted.iter().all(|one| one.is_of(&ca.certificate)))
    }

    /// Reads the certificates again where one changed.
    fn look(&mut self) {
        let files = files(&self.state);
        let seen: Vec<_> = files.iter().map(|(path, ..)| Seen::at(path)).collect();
        if seen == self.seen {
            return;
        }
        self.seen = seen;
        let mut before = std::mem::take(&mut self.all);
        for (path, issuer, old) in files {
            let read = std::fs::read(&path).ok().and_then(|pem| examiner::cert::pem::certificates(&pem).ok());
            let Some(certificate) = read.and_then(|all| all.into_iter().next()) else { continue };
            // A key goes with the certificate of its CA, which becomes the old generation's in a rollover.
            let known = before.iter_mut().find(|ca| ca.certificate.thumbprint == certificate.thumbprint);
            let responder = known.and_then(|ca| ca.responder.take());
            self.all.push(Ca { issuer, old, certificate, responder, again: UnixTime(0) });
        }
    }
}

impl Ca {
    /// What signs for it: with the key that was named last, once another one was asked for where that is due. `None` where
    /// there is none that holds.
    pub async fn responder(&mut self, state: &StateDir, now: UnixTime) -> Option<&Responder> {
        let is_due = self.responder.as_ref().is_none_or(|one| one.is_due(now));
        if is_due && now >= self.again {
            match self.named(state, now).await {
                Ok(responder) => self.responder = Some(responder),
                Err(what) => {
                    tracing::error!(what, ca = self.issuer.word(), "no key for OCSP answers was named");
                    self.again = now.plus(AGAIN_SECONDS);
                }
            }
        }
        self.responder.as_ref().filter(|one| now <= one.not_after())
    }

    /// A new key, named by the authority.
    async fn named(&self, state: &StateDir, now: UnixTime) -> Result<Responder, String> {
        let failed = |error: authority::AuthorityError| error.to_string();
        let key = delegate::new_key(&self.certificate).map_err(failed)?;
        // Of it the key alone is taken, once its signature is seen to be the key's own.
        let asked = Request { subject: "", alt_names: &[], is_client: true }.sign(&key).map_err(failed)?;
        let request = examiner::cert::pem::encode("CERTIFICATE REQUEST", &asked);
        let wanted = Delegation { ca: self.issuer.word().into(), old: self.old, request, made_at: now };
        let pem = ask::delegate(state, wanted).await?;
        let certificate = examiner::cert::pem::certificates(pem.as_bytes())
            .ok()
            .and_then(|all| all.into_iter().next())
            .ok_or("the authority's certificate cannot be read")?;
        Responder::new(key, certificate, self.certificate.clone()).map_err(failed)
    }
}

/// Where the certificates are: the present generations first.
fn files(state: &StateDir) -> Vec<(PathBuf, Issuer, bool)> {
    let of = |issuer, [present, old]: [PathBuf; 2]| [(present, issuer, false), (old, issuer, true)];
    let all = [of(Issuer::Client, state.client_ca()), of(Issuer::Operator, state.operator_ca())];
    all.into_iter().flatten().collect()
}
