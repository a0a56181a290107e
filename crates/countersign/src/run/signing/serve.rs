//! The process: takes one connection after the other, answers it, and ends when the supervisor is gone.

use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use authority::{Hierarchy, Role, Signer};
use examiner::{Thumbprint, UnixTime};
use rustix::net::sockopt::socket_peercred;
use tokio::runtime::Runtime;

use super::delegate;
use super::issue::{self, Refused};
use super::pace::{Certificates, Pace};
use super::protocol::{
    self, ANSWER_MOST, Answer, Delegation, Proposal, REQUEST_MOST, Redemption, Reenrolment, Refusal, Renewal,
    Request, Rollover,
};
use super::{acme, redeem, renew, rollover};
use crate::cli::context;
use crate::cli::{Exit, Failure, Globals, upkeep};
use crate::config::StateDir;
use crate::config::profiles::{self, Profiles};

/// A request comes whole within this, and an answer is taken within it.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many looks at what is due at once, and one more in each such time.
const LOOKS: (u32, Duration) = (60, Duration::from_millis(250));
/// So many keys named for OCSP answers at once, and one more in each such time: each is good for a day.
const DELEGATIONS: (u32, Duration) = (8, Duration::from_secs(30));

/// So many tokens looked at at once, and one more in each such time. Whoever asks has passed the gate's own limits.
const REDEMPTIONS: (u32, Duration) = (100, Duration::from_millis(100));

/// So many steps of rollovers at once, and one more in each such time: they are made once in years.
const ROLLOVERS: (u32, Duration) = (10, Duration::from_secs(60));

/// So many requests of ACME at once, and one more in each such time.
const ACME: (u32, Duration) = (400, Duration::from_millis(10));

/// What the process is.
pub struct Authority<'a> {
    globals: &'a Globals,
    state: StateDir,
    runtime: Runtime,
    certificates: Certificates,
    looks: Pace,
    delegations: Pace,
    redemptions: Pace,
    acme: Pace,
    rollovers: Pace,
    nonces: acme::Nonces,
    /// The client CA, once it was needed, and by which certificate it is known.
    client: Option<(Thumbprint, Signer)>,
    /// The server CA, in the same way.
    server: Option<(Thumbprint, Signer)>,
}

impl<'a> Authority<'a> {
    /// The authority of this state directory; no key is read before it is needed.
    pub fn new(globals: &'a Globals, state: StateDir) -> Result<Self, Failure> {
        let now = Instant::now();
        Ok(Self {
            globals,
            state,
            runtime: context::runtime()?,
            certificates: Certificates::new(now),
            looks: Pace::new(LOOKS, now),
            delegations: Pace::new(DELEGATIONS, now),
            redemptions: Pace::new(REDEMPTIONS, now),
            acme: Pace::new(ACME, now),
            rollovers: Pace::new(ROLLOVERS, now),
            nonces: acme::Nonces::new()
                .map_err(|error| Failure::new(Exit::Bug, error.to_string(), "Try again."))?,
            client: None,
            server: None,
        })
    }

    /// Answers whoever comes, for ever.
    pub fn serve(&mut self, listener: &UnixListener) -> std::io::Result<()> {
        loop {
            let (stream, _) = listener.accept()?;
            // A peer that is gone, or never said what it wants, is nobody else's trouble.
            if let Err(error) = self.answer(stream) {
                tracing::debug!(%error, "a peer of the authority was not answered");
            }
        }
    }

    fn answer(&mut self, mut stream: UnixStream) -> std::io::Result<()> {
        stream.set_write_timeout(Some(PATIENCE))?;
        let peer = socket_peercred(&stream)?;
        let answer = if is_own(peer.uid.as_raw(), rustix::process::geteuid().as_raw()) {
            self.asked(&stream)
        } else {
            Answer::Refused { code: Refusal::Stranger, what: "this socket is its user's alone".into() }
        };
        if let Answer::Refused { code, what } = &answer {
            let pid = peer.pid.as_raw_nonzero().get();
            tracing::warn!(?code, what, pid, "the authority refused a request");
        }
        protocol::write(&mut stream, &answer, ANSWER_MOST)
    }

    fn asked(&mut self, stream: &UnixStream) -> Answer {
        let mut bounded = Bounded { stream, until: Instant::now() + PATIENCE };
        let outcome = match protocol::read(&mut bounded, REQUEST_MOST) {
            Ok(Request::Upkeep {}) => self.look().map(Answer::Done),
            Ok(Request::Issue(proposal)) => self.at_a_pace(|one| one.issue(proposal)),
            Ok(Request::Renew(renewal)) => self.at_a_pace(|one| one.renew(&renewal)),
            Ok(Request::Delegate(asked)) => self.delegate(asked),
            Ok(Request::Redeem(redemption)) => self.redeem(&redemption),
            Ok(Request::Acme(asked)) => self.acme(&asked),
            Ok(Request::Rollover(asked)) => self.rollover(&asked),
            Ok(Request::Reenrol(reenrolment)) => self.at_a_pace(|one| one.reenrol(&reenrolment)),
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                Err((Refusal::TooLong, error.to_string()))
            }
            Err(error) => Err((Refusal::Unreadable, error.to_string())),
        };
        outcome.unwrap_or_else(|(code, what)| Answer::Refused { code, what })
    }

    fn look(&mut self) -> Result<crate::run::upkeep::Done, Refused> {
        if !self.looks.allows(Instant::now()) {
            return Err((Refusal::TooFast, "too many looks at what is due".into()));
        }
        upkeep::work(self.globals).map_err(|failure| (Refusal::Failed, failure.to_string()))
    }

    /// Looks at a request for a certificate, where not too many came to nothing.
    fn at_a_pace(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<Answer, Refused>,
    ) -> Result<Answer, Refused> {
        self.certificates.look(Instant::now())?;
        work(self).inspect_err(|_| self.certificates.came_to_nothing(Instant::now()))
    }

    fn issue(&mut self, proposal: Proposal) -> Result<Answer, Refused> {
        let now = crate::clock::now();
        let sound = issue::sound(proposal, &self.profiles()?, now)?;
        let failed = |what: String| (Refusal::Failed, what);
        let addresses = context::addresses(&self.globals.config_path()).map_err(failed)?;
        self.unlock().map_err(|error| failed(error.to_string()))?;
        let Some((_, signer)) = &self.client else { return Err(failed("there is no client CA".into())) };
        let issued = self.runtime.block_on(async {
            let registry =
                crate::store::open(&self.state).await.map_err(|error| failed(error.to_string()))?;
            issue::issue(sound, (&registry, signer), &addresses, &mut self.certificates, now).await
        })?;
        Ok(Answer::Issued {
            thumbprint: issued.thumbprint,
            not_after: issued.not_after,
            pem: issued.to_pem(),
        })
    }

    /// The profiles as the configuration has them now.
    fn profiles(&self) -> Result<Profiles, Refused> {
        profiles::of_file(&self.globals.config_path()).map_err(|what| (Refusal::Failed, what))
    }

    fn renew(&mut self, renewal: &Renewal) -> Result<Answer, Refused> {
        let now = crate::clock::now();
        let asked = renew::sound(renewal, now)?;
        let renewed = self.renewed(&asked, now)?;
        Ok(Answer::Renewed {
            thumbprint: renewed.issued.thumbprint,
            not_after: renewed.issued.not_after,
            old_until: renewed.old_until,
            pem: renewed.issued.to_pem(),
        })
    }

    /// The successor, however its right was shown.
    fn renewed(&mut self, asked: &renew::Asked, now: UnixTime) -> Result<renew::Renewed, Refused> {
        let profiles = self.profiles()?;
        let failed = |what: String| (Refusal::Failed, what);
        let addresses = context::addresses(&self.globals.config_path()).map_err(failed)?;
        self.unlock().map_err(|error| failed(error.to_string()))?;
        let Some((_, signer)) = &self.client else { return Err(failed("there is no client CA".into())) };
        self.runtime.block_on(async {
            let registry =
                crate::store::open(&self.state).await.map_err(|error| failed(error.to_string()))?;
            renew::renew(asked, (&profiles, &addresses), (&registry, signer), &mut self.certificates, now)
                .await
        })
    }

    fn redeem(&mut self, redemption: &Redemption) -> Result<Answer, Refused> {
        if !self.redemptions.allows(Instant::now()) {
            return Err((Refusal::TooFast, "too many tokens in so short a time".into()));
        }
        let now = crate::clock::now();
        let asked = redeem::sound(redemption)?;
        let failed = |what: String| (Refusal::Failed, what);
        let registry = self
            .runtime
            .block_on(crate::store::open(&self.state))
            .map_err(|error| failed(error.to_string()))?;
        let invite = match self.runtime.block_on(redeem::standing(&asked, &registry, now))? {
            redeem::Found::Open(invite) => invite,
            redeem::Found::Again(party, row) => {
                let hierarchy =
                    Hierarchy::open(&self.state.authority()).map_err(|error| failed(error.to_string()))?;
                return Ok(redeem::again(&party, &row, &hierarchy));
            }
        };
        let profiles = self.profiles()?;
        let addresses = context::addresses(&self.globals.config_path()).map_err(failed)?;
        self.unlock().map_err(|error| failed(error.to_string()))?;
        let Some((_, signer)) = &self.client else { return Err(failed("there is no client CA".into())) };
        self.runtime.block_on(redeem::redeem(
            &asked,
            &invite,
            (&profiles, &addresses),
            (&registry, signer),
            &mut self.certificates,
            now,
        ))
    }

    fn reenrol(&mut self, reenrolment: &Reenrolment) -> Result<Answer, Refused> {
        let now = crate::clock::now();
        let asked = renew::by_own_request(reenrolment)?;
        let renewed = self.renewed(&asked, now)?;
        Ok(Answer::Issued {
            thumbprint: renewed.issued.thumbprint,
            not_after: renewed.issued.not_after,
            pem: renewed.issued.to_pem(),
        })
    }

    fn acme(&mut self, asked: &acme::Asked) -> Result<Answer, Refused> {
        let now = Instant::now();
        // A binding that is tried counts as a token does.
        if !self.acme.allows(now) || (acme::makes_accounts(&asked.path) && !self.redemptions.allows(now)) {
            return Err((Refusal::TooFast, "too many requests of ACME in so short a time".into()));
        }
        let failed = |what: String| (Refusal::Failed, what);
        let settings = acme::Settings::of_file(&self.globals.config_path()).map_err(failed)?;
        let secret =
            acme::binding::Secret::read_or_make(&self.state).map_err(|error| failed(error.to_string()))?;
        let hierarchy = self.unlock().map_err(|error| failed(error.to_string()))?;
        if acme::issues(&asked.path) && hierarchy.has_key(Role::Server) {
            self.unlock_server(&hierarchy).map_err(|error| failed(error.to_string()))?;
        }
        let Some((_, signer)) = &self.client else { return Err(failed("there is no client CA".into())) };
        let (certificates, nonces) = (&mut self.certificates, &mut self.nonces);
        self.runtime.block_on(async {
            let registry =
                crate::store::open(&self.state).await.map_err(|error| failed(error.to_string()))?;
            let mut desk = acme::Desk {
                settings: &settings,
                registry: &registry,
                secret: &secret,
                hierarchy: &hierarchy,
                signer,
                server: self.server.as_ref().map(|(_, signer)| signer),
                paces: certificates,
                now: crate::clock::now(),
            };
            Ok(Answer::Acme(acme::answer(&mut desk, nonces, asked).await))
        })
    }

    fn rollover(&mut self, asked: &Rollover) -> Result<Answer, Refused> {
        if !self.rollovers.allows(Instant::now()) {
            return Err((Refusal::TooFast, "too many rollovers in so short a time".into()));
        }
        let sound = rollover::sound(asked, crate::clock::now())?;
        rollover::step(&sound, self.globals).map(Answer::RolledOver)
    }

    fn delegate(&mut self, asked: Delegation) -> Result<Answer, Refused> {
        if !self.delegations.allows(Instant::now()) {
            return Err((Refusal::TooFast, "too many keys for answers in so short a time".into()));
        }
        let now = crate::clock::now();
        let asked = delegate::sound(asked, now)?;
        let named = self.runtime.block_on(async {
            let registry = crate::store::open(&self.state)
                .await
                .map_err(|error| (Refusal::Failed, error.to_string()))?;
            delegate::delegate(asked, &self.state, &registry, now).await
        })?;
        Ok(Answer::Delegated { pem: examiner::cert::pem::encode("CERTIFICATE", &named.der) })
    }

    /// Has the client CA's key at hand: the one of the certificate that stands there now.
    fn unlock(&mut self) -> Result<Hierarchy, authority::AuthorityError> {
        let hierarchy = Hierarchy::open(&self.state.authority())?;
        let present = hierarchy.certificate(Role::Client).thumbprint;
        if self.client.as_ref().is_none_or(|(known, _)| *known != present) {
            self.client = None;
            let signer = hierarchy.unlock(Role::Client, &self.state.passphrase().read()?)?;
            self.client = Some((present, signer));
        }
        Ok(hierarchy)
    }

    /// Has the server CA's key at hand, in the same way.
    fn unlock_server(&mut self, hierarchy: &Hierarchy) -> Result<(), authority::AuthorityError> {
        let present = hierarchy.certificate(Role::Server).thumbprint;
        if self.server.as_ref().is_none_or(|(known, _)| *known != present) {
            self.server = None;
            let signer = hierarchy.unlock(Role::Server, &self.state.passphrase().read()?)?;
            self.server = Some((present, signer));
        }
        Ok(())
    }
}

/// Whether a peer of this user may ask: the process's own user alone, and not root either.
fn is_own(peer: u32, own: u32) -> bool {
    peer == own
}

/// A stream that is read until a moment, however slowly the octets come.
struct Bounded<'a> {
    stream: &'a UnixStream,
    until: Instant,
}

impl Read for Bounded<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(into)
    }
}

/// The listener that the supervisor handed over as standard input.
pub fn listener() -> std::io::Result<UnixListener> {
    Ok(UnixListener::from(std::io::stdin().as_fd().try_clone_to_owned()?))
}

/// Ends this process when the supervisor, whose socket is standard output, is gone.
pub fn end_with_supervisor() -> std::io::Result<()> {
    let mut link = UnixStream::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    std::thread::Builder::new().name("supervisor".into()).spawn(move || {
        while link.read(&mut [0]).is_ok_and(|octets| octets > 0) {}
        std::process::exit(0);
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_answered_only_where_it_is_of_the_same_user() {
        assert!(is_own(1000, 1000));
        for (peer, own) in [(0, 1000), (1000, 0), (1001, 1000)] {
            assert!(!is_own(peer, own), "{peer} {own}");
        }
    }
}
