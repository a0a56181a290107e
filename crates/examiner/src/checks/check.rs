//! What a check is, and what it answers.

use std::cell::OnceCell;

use crate::cert::{UnixTime, oid};
use crate::chain::{Chain, Examinee, Place, Role};
use crate::path::clients::{self, Judged};
use crate::path::{Budget, Paths, Rules, build};
use crate::profile::{PeerName, Profile};
use crate::report::{Confidence, Needs, Severity};
use crate::suffixes::SuffixList;

/// One check. Its id is its file's name with hyphens.
#[derive(Debug)]
pub struct Check {
    /// Its stable name.
    pub id: &'static str,
    /// How much its findings matter under each profile, and under which it does not run.
    pub severity: Severities,
    /// Where the rule is written.
    pub clause: &'static str,
    /// What the rule asks for, as the finding's "expected" unless the finding has its own.
    pub expected: &'static str,
    /// What to do about a finding.
    pub remedy: &'static str,
    /// Who is affected.
    pub affected: &'static str,
    /// Only certificates whose notBefore is at or after this moment are looked at. Not for [`Run::Chain`].
    pub in_force: Option<UnixTime>,
    /// The checks whose findings on the same certificate explain its own, which is then left out: one finding for one
    /// cause. A finding of a cause on any certificate explains a finding of a [`Run::Chain`] check.
    pub consequence_of: &'static [&'static str],
    /// The check itself.
    pub run: Run,
}

/// What a check looks at.
#[derive(Clone, Copy, Debug)]
pub enum Run {
    /// Each certificate of one of these roles by itself.
    Certificate(&'static [Role], fn(&Examinee, &Context<'_>) -> Outcome),
    /// The same, by a rule about the names that clients know a host by. It also binds certificates whose notBefore is no
    /// day of issue (earlier than [`crate::dates::X509`]): such a date excuses no name.
    HostNames(&'static [Role], fn(&Examinee, &Context<'_>) -> Outcome),
    /// The chain as a whole.
    Chain(fn(&Chain, &Context<'_>) -> Outcome),
}

impl Run {
    /// Whether it looks at the chain as a whole.
    pub const fn is_of_chain(self) -> bool {
        matches!(self, Self::Chain(_))
    }
}

/// All roles.
pub const EVERY: &[Role] = &[Role::EndEntity, Role::Intermediate, Role::Root];
/// End-entity certificates alone.
pub const LEAVES: &[Role] = &[Role::EndEntity];
/// CA certificates: intermediates and roots.
pub const ISSUERS: &[Role] = &[Role::Intermediate, Role::Root];
/// Intermediates alone.
pub const INTERMEDIATES: &[Role] = &[Role::Intermediate];
/// Roots alone.
pub const ROOTS: &[Role] = &[Role::Root];
/// All but roots.
pub const BELOW_ROOT: &[Role] = &[Role::EndEntity, Role::Intermediate];

/// What a check may know beside the certificate.
#[derive(Debug)]
pub struct Context<'a> {
    /// The chain.
    pub chain: &'a Chain,
    /// By whose rules.
    pub profile: Profile,
    /// The moment that counts as now.
    pub at: UnixTime,
    /// The name that the peer ought to have, where one is expected.
    pub host: Option<&'a PeerName>,
    paths: OnceCell<Paths<'a>>,
    clients: OnceCell<Vec<Judged>>,
}

impl<'a> Context<'a> {
    /// What the checks may know of this chain.
    pub fn new(chain: &'a Chain, profile: Profile, at: UnixTime, host: Option<&'a PeerName>) -> Self {
        Self { chain, profile, at, host, paths: OnceCell::new(), clients: OnceCell::new() }
    }

    /// The paths to a trust anchor, built once, from all that is at hand. The end entity's own dates and purposes do not
    /// end them: they have findings of their own, which ought not to hide what is wrong above.
    pub fn paths(&self) -> &Paths<'a> {
        self.paths.get_or_init(|| {
            let at = trust_moment(self.chain, self.at);
            build(
                self.chain,
                &Rules { at, purpose: None, max_depth: None, crls: &[], budget: Budget::default() },
            )
        })
    }

    /// What each simulated client says, judged once; none where nothing is known of trust anchors, or where there are
    /// more ways than are tried: no client need be led into these.
    pub fn clients(&self) -> &[Judged] {
        self.clients.get_or_init(|| match self.paths().exhausted {
            true => Vec::new(),
            false => clients::judge(self.chain, self.purpose(), self.at),
        })
    }

    /// The Public Suffix List: the one that was given, else the one that is built in.
    pub fn suffixes(&self) -> &SuffixList {
        self.chain.side.suffixes.as_ref().unwrap_or_else(|| SuffixList::shipped())
    }

    /// The key purpose (dotted text) that the profile's clients ask for.
    pub fn purpose(&self) -> &'static str {
        match self.profile {
            Profile::MtlsClient => oid::CLIENT_AUTH,
            _ => oid::SERVER_AUTH,
        }
    }
}

/// The moment at which trust is judged: now, or the nearest at which the end entity is valid.
fn trust_moment(chain: &Chain, now: UnixTime) -> UnixTime {
    match chain.end_entity().map(|first| (first.not_before, first.not_after)) {
        Some((Some(first), _)) if now < first => first,
        Some((_, Some(last))) if now > last => last,
        _ => now,
    }
}

/// How much a finding matters under each profile; `None`: the check does not run.
#[derive(Clone, Copy, Debug)]
pub struct Severities {
    web: Option<Severity>,
    rfc5280: Option<Severity>,
    private_server: Option<Severity>,
    mtls_client: Option<Severity>,
}

impl Severities {
    /// The same under every profile.
    pub const fn all(severity: Severity) -> Self {
        let all = Some(severity);
        Self { web: all, rfc5280: all, private_server: all, mtls_client: all }
    }

    /// Under `web` alone; add others with the methods below.
    pub const fn web(severity: Severity) -> Self {
        Self { web: Some(severity), rfc5280: None, private_server: None, mtls_client: None }
    }

    /// Under `mtls-client` alone; add others with the methods below.
    pub const fn client(severity: Severity) -> Self {
        Self { web: None, rfc5280: None, private_server: None, mtls_client: Some(severity) }
    }

    /// Under the profiles for servers alone: `web`, `rfc5280`, `private-server`.
    pub const fn servers(severity: Severity) -> Self {
        let all = Some(severity);
        Self { web: all, rfc5280: all, private_server: all, mtls_client: None }
    }

    /// Another severity, or none, under `rfc5280`.
    #[must_use]
    pub const fn rfc5280(self, severity: Option<Severity>) -> Self {
        Self { rfc5280: severity, ..self }
    }

    /// Another severity, or none, under `private-server`.
    #[must_use]
    pub const fn private_server(self, severity: Option<Severity>) -> Self {
        Self { private_server: severity, ..self }
    }

    /// Another severity, or none, under `mtls-client`.
    #[must_use]
    pub const fn mtls_client(self, severity: Option<Severity>) -> Self {
        Self { mtls_client: severity, ..self }
    }

    /// Another severity, or none, under `web`.
    #[must_use]
    pub const fn on_web(self, severity: Option<Severity>) -> Self {
        Self { web: severity, ..self }
    }

    /// The severity under a profile; `None` where the check does not run.
    pub const fn under(self, profile: Profile) -> Option<Severity> {
        match profile {
            Profile::Web => self.web,
            Profile::Rfc5280 => self.rfc5280,
            Profile::PrivateServer => self.private_server,
            Profile::MtlsClient => self.mtls_client,
        }
    }
}

/// What a check answers.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All is well, or the rule does not concern it.
    Pass,
    /// It cannot be told with what is at hand.
    CannotTell(Needs, String),
    /// Something was found, once or more.
    Found(Vec<Found>),
}

impl Outcome {
    /// One finding, with the check's own "expected".
    pub fn found(certificate: &Examinee, place: Place, observed: impl Into<String>) -> Self {
        Found::new(certificate, place, observed).into()
    }

    /// Every finding of these; none means that all is well.
    pub fn all(findings: impl IntoIterator<Item = Found>) -> Self {
        let all: Vec<Found> = findings.into_iter().collect();
        if all.is_empty() { Self::Pass } else { Self::Found(all) }
    }
}

impl From<Found> for Outcome {
    fn from(found: Found) -> Self {
        Self::Found(vec![found])
    }
}

/// One finding, as a check tells it; the engine adds what the check says of itself.
#[derive(Clone, Debug)]
pub struct Found {
    pub(crate) is_of_host: bool,
    pub(crate) role: Role,
    pub(crate) index: usize,
    pub(crate) place: Place,
    pub(crate) observed: String,
    pub(crate) expected: Option<String>,
    pub(crate) severity: Option<Severity>,
    pub(crate) clause: Option<String>,
    pub(crate) in_force: Option<UnixTime>,
    pub(crate) affected: Option<String>,
    pub(crate) remedy: Option<String>,
    pub(crate) confidence: Confidence,
    pub(crate) because_of: Vec<&'static str>,
}

impl Found {
    /// What stands at a place of a certificate.
    pub fn new(certificate: &Examinee, place: Place, observed: impl Into<String>) -> Self {
        Self {
            is_of_host: false,
            role: certificate.role,
            index: certificate.index,
            place,
            observed: observed.into(),
            expected: None,
            severity: None,
            clause: None,
            in_force: None,
            affected: None,
            remedy: None,
            confidence: Confidence::Certain,
            because_of: Vec::new(),
        }
    }

    /// What was seen of the host.
    pub fn of_host(observed: impl Into<String>) -> Self {
        Self {
            is_of_host: true,
            role: Role::EndEntity,
            index: 0,
            place: Place::new("", 0..0),
            observed: observed.into(),
            expected: None,
            severity: None,
            clause: None,
            in_force: None,
            affected: None,
            remedy: None,
            confidence: Confidence::Certain,
            because_of: Vec::new(),
        }
    }

    /// What ought to stand there.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Another severity than the check's.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// Another clause than the check's.
    #[must_use]
    pub fn clause(mut self, clause: impl Into<String>) -> Self {
        self.clause = Some(clause.into());
        self
    }

    /// Since when the rule that was broken holds.
    #[must_use]
    pub fn in_force(mut self, from: UnixTime) -> Self {
        self.in_force = Some(from);
        self
    }

    /// Who is affected, where that is not as the check says.
    #[must_use]
    pub fn affected(mut self, who: impl Into<String>) -> Self {
        self.affected = Some(who.into());
        self
    }

    /// What to do, where that is not as the check says.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Likely, not certain.
    #[must_use]
    pub fn likely(mut self) -> Self {
        self.confidence = Confidence::Likely;
        self
    }

    /// Left out where one of these checks found something, on this certificate or, for a check of the chain, on any.
    #[must_use]
    pub fn because_of(mut self, causes: &[&'static str]) -> Self {
        self.because_of.extend(causes);
        self
    }
}
