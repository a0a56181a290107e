//! What the gate runs on: sockets and limits once, sites and policy exchanged while it runs.

use std::collections::{HashMap, HashSet};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use examiner::UnixTime;
use policy::HostName;

use crate::networks::Networks;

pub use crate::identity::IdentityHeader;
pub use crate::upstream::route::{Ejection, UpstreamView};
pub use crate::upstream::target::{Address, HealthCheck, Scheme, Target, Upstream};
pub use crate::upstream::tls::UpstreamTls;

/// Where the gate reads the time.
pub type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// What stays as long as the gate runs.
pub struct GateSettings {
    /// Bound sockets of the sites.
    pub listen: Vec<TcpListener>,
    /// Bound socket of the admin address.
    pub admin: Option<TcpListener>,
    /// Threads, one runtime each; 0 means one.
    pub workers: usize,
    /// The enrolment address, where there is one.
    pub enrol: Option<Enrol>,
    /// Limits and deadlines.
    pub limits: Limits,
    /// What stands in front of the gate.
    pub front: Front,
    /// Port 80.
    pub plain: Plain,
    /// What is shown to a certificate authority that asks whether a name leads here.
    pub challenges: Option<crate::challenge::Challenges>,
}

impl std::fmt::Debug for GateSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let listen = &self.listen;
        f.debug_struct("GateSettings").field("listen", listen).finish_non_exhaustive()
    }
}

/// The enrolment address: a machine that shows its certificate there gets the next one, and who was invited the first.
pub struct Enrol {
    /// Bound socket.
    pub listen: TcpListener,
    /// Who renews.
    pub renew: Renew,
    /// Who enrols.
    pub enroller: Arc<dyn crate::enrol::Enroller>,
}

/// Renews a certificate; called where it may block.
pub type Renew = Arc<dyn Fn(RenewalAsked) -> Result<Renewed, NotRenewed> + Send + Sync>;

/// What somebody asks for who has proved the key of a certificate that may be renewed.
#[derive(Clone, Debug)]
pub struct RenewalAsked {
    /// Whose certificate it is.
    pub party: policy::PartyName,
    /// Which one was shown.
    pub thumbprint: examiner::Thumbprint,
    /// The request's body, as it came.
    pub body: bytes::Bytes,
}

/// A successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewed {
    /// Which certificate it is.
    pub thumbprint: examiner::Thumbprint,
    /// The answer's body, JSON.
    pub text: String,
}

/// Why it was not renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRenewed {
    /// The HTTP status of the answer.
    pub status: u16,
    /// In words.
    pub detail: String,
}

impl std::fmt::Debug for Enrol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enrol").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// What stands in front of the gate and may speak for others. Empty: nobody.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// Who announces clients by a PROXY header; from these it is required, from all others it is no TLS.
    pub proxy_protocol: Networks,
    /// Whose `X-Forwarded-…` and `Forwarded` are believed.
    pub trusted_proxies: Networks,
}

/// The listeners without TLS: they redirect, give out revocation lists, and answer OCSP.
#[derive(Default)]
pub struct Plain {
    /// Bound sockets.
    pub listen: Vec<TcpListener>,
    /// The port of the sites, as visitors type it.
    pub https_port: u16,
    /// The published revocation list of this name; called where it may block.
    pub lists: Option<Lists>,
    /// Who answers about single certificates.
    pub ocsp: Option<Ocsp>,
}

/// Answers an OCSP request, DER; called where it may block. `None` where it cannot be asked now.
pub type Ocsp = Arc<dyn Fn(&[u8]) -> Option<OcspAnswer> + Send + Sync>;

/// An OCSP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspAnswer {
    /// The response, DER.
    pub der: bytes::Bytes,
    /// From when until when it holds, where it is the same for everybody who asks.
    pub holds: Option<(UnixTime, UnixTime)>,
}

/// Gives out the published revocation list of a name.
pub type Lists = Arc<dyn Fn(&str) -> Option<PublishedList> + Send + Sync>;

/// A revocation list as it is given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedList {
    /// The list, DER.
    pub der: bytes::Bytes,
    /// Its number: no two lists of one name have the same.
    pub number: u64,
    /// When it was made.
    pub made: UnixTime,
    /// When the next is due.
    pub next_update: UnixTime,
}

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plain").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// Limits and deadlines, each with its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Accept to the end of the handshake.
    pub handshake: Duration,
    /// First byte of a request to the end of its headers.
    pub headers: Duration,
    /// A connection without any request after its handshake.
    pub first_request: Duration,
    /// Idle between two requests, and a client that does not take what is sent.
    pub idle: Duration,
    /// Connecting to the upstream.
    pub connect: Duration,
    /// The upstream's answer to begin, counted from the last byte of the request.
    pub first_byte: Duration,
    /// The upstream silent within an answer.
    pub upstream_idle: Duration,
    /// Nothing moves on a WebSocket.
    pub websocket_idle: Duration,
    /// What is still here after another gate took the sockets over.
    pub retired: Duration,
    /// Connections open at once.
    pub slots: usize,
    /// Handshakes at once.
    pub handshakes: usize,
    /// Handshakes at once from one address.
    pub half_open_per_address: usize,
    /// Of a hundred slots, how many at once may be without an admitted party.
    pub stranger_share_percent: u32,
    /// Connections a minute without an admitted party from one /32 or /64.
    pub strangers_per_minute: u32,
    /// A connection without an admitted party lives this long.
    pub stranger_life: Duration,
    /// HTTP/2 streams at once on one connection.
    pub h2_streams: u32,
    /// Bytes of a request's header list.
    pub header_bytes: usize,
    /// The same on a connection without an admitted party.
    pub stranger_header_bytes: usize,
    /// Fields of a request.
    pub header_fields: usize,
    /// Certificates in a client's chain.
    pub client_certificates: usize,
    /// Bytes of these certificates.
    pub client_certificate_bytes: usize,
    /// When upstreams that fail are left out, where a site has several.
    pub ejection: Ejection,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            handshake: seconds(10),
            headers: seconds(10),
            first_request: seconds(30),
            idle: seconds(75),
            connect: seconds(5),
            first_byte: seconds(60),
            upstream_idle: seconds(60),
            websocket_idle: seconds(3600),
            retired: seconds(3600),
            slots: 50_000,
            handshakes: 1_000,
            half_open_per_address: 50,
            stranger_share_percent: 10,
            strangers_per_minute: 20,
            stranger_life: seconds(5),
            h2_streams: 100,
            header_bytes: 64 * 1024,
            stranger_header_bytes: 16 * 1024,
            header_fields: 100,
            client_certificates: 10,
            client_certificate_bytes: 64 * 1024,
            ejection: Ejection { after: 3, time: seconds(5) },
        }
    }
}

/// Sites and policy at one moment; [`crate::Gate::apply`] puts another in its place.
#[derive(Clone)]
pub struct GateState {
    /// Who is admitted where.
    pub snapshot: policy::Snapshot,
    /// The sites by normalised name; each has its rules under the same name in the snapshot.
    pub sites: Arc<HashMap<HostName, Arc<GateSite>>>,
    /// The names whose certificates come by ACME: for these a challenge may be open, for no others.
    pub challenged: Arc<HashSet<HostName>>,
    /// The site for connections without SNI.
    pub default_site: Option<HostName>,
    /// The admin address; its rules stand under its name in the snapshot. Where it has an upstream, that is the console,
    /// which operators' requests go on to.
    pub admin: Option<Arc<GateSite>>,
    /// The enrolment address; its rules stand under its name in the snapshot.
    pub enrol: Option<Arc<EnrolSite>>,
    /// When the policy was last known to be current, in Unix seconds.
    pub confirmed: Arc<AtomicI64>,
    /// Seconds after which a policy that could not be confirmed refuses everybody.
    pub max_stale: i64,
}

/// How the enrolment address is served.
#[derive(Clone)]
pub struct EnrolSite {
    /// What it shows to visitors. Its name is that of its rules, and no host's.
    pub site: Arc<GateSite>,
    /// The host that requests name.
    pub host: HostName,
    /// Seconds after its end for which a certificate may still be renewed; profiles may allow less.
    pub grace_seconds: i64,
}

/// How one site is served; whom it admits stands in the snapshot.
#[derive(Clone)]
pub struct GateSite {
    /// Its normalised name.
    pub name: HostName,
    /// Where its requests go.
    pub upstream: Upstream,
    /// What it shows to visitors.
    pub certificate: Arc<rustls::sign::CertifiedKey>,
    /// Whether TLS 1.2 is refused.
    pub tls_min_13: bool,
    /// How the upstream is told who it is.
    pub identity: Vec<IdentityHeader>,
    /// Which CA names are sent with the certificate request.
    pub issuer_hints: IssuerHints,
    /// Whether a certificate that nobody vouches for becomes a pending entry here.
    pub keeps_pending: bool,
    /// The status of a refusal, normally 403.
    pub refuse_status: u16,
    /// What else is done to its requests and answers.
    pub manners: Manners,
}

/// What is done to a site's requests and answers besides the decision; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    /// The value of `Strict-Transport-Security` (RFC 6797) on each answer.
    pub hsts: Option<http::HeaderValue>,
    /// Origins whose preflight requests are answered here, and that may send unsafe requests across sites.
    pub cors_origins: Vec<String>,
    /// Bytes of a request's body; `None`: unlimited.
    pub max_body: Option<u64>,
    /// Requests a minute that go on, for each party.
    pub party_per_minute: Option<u32>,
    /// The same for each address: an IPv4 address, an IPv6 /64.
    pub address_per_minute: Option<u32>,
}

/// Which CA names are sent with the certificate request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IssuerHints {
    /// The site's CAs, where no other certificate could be of use: no pin, and no pending entry.
    #[default]
    Auto,
    /// None.
    None,
    /// The site's CAs.
    Known,
}

/// Why the gate did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// A socket or thread could not be used.
    #[error("the gate cannot use its sockets: {0}")]
    Io(#[from] std::io::Error),
    /// The TLS settings do not fit each other.
    #[error("the gate's TLS settings are not usable: {0}")]
    Tls(#[from] rustls::Error),
    /// A site has no rules in the snapshot.
    #[error("site `{0}` has no rules in the policy")]
    SiteWithoutRules(HostName),
}

impl GateState {
    /// Checks that each site has its rules.
    pub(crate) fn check(&self) -> Result<(), GateError> {
        let all = self.sites.keys().chain(self.admin.iter().map(|admin| &admin.name));
        let all = all.chain(self.enrol.iter().map(|enrol| &enrol.site.name));
        match all.into_iter().find(|name| self.snapshot.site(name).is_none()) {
            Some(name) => Err(GateError::SiteWithoutRules(name.clone())),
            None => Ok(()),
        }
    }

    /// The moment for a decision made `now`.
    pub(crate) fn moment(&self, now: UnixTime) -> policy::Moment {
        let confirmed = self.confirmed.load(Ordering::Relaxed);
        policy::Moment { now, policy_age: now.seconds().saturating_sub(confirmed), max_stale: self.max_stale }
    }

    /// The names of the sites, and those of the admin and the enrolment address.
    pub(crate) fn names(&self) -> impl Iterator<Item = &HostName> {
        let own = self.admin.iter().chain(self.enrol.iter().map(|enrol| &enrol.site)).map(|site| &site.name);
        self.sites.keys().chain(own)
    }

    /// The site of this name, the admin and the enrolment address included.
    pub(crate) fn site(&self, name: &HostName) -> Option<&Arc<GateSite>> {
        let own = self.admin.iter().chain(self.enrol.iter().map(|enrol| &enrol.site));
        own.into_iter().find(|site| site.name == *name).or_else(|| self.sites.get(name))
    }
}
