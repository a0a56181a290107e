//! A gate over real sockets, with everything it reports, and a clock that a test may set forward.

use std::collections::{BTreeSet, HashMap};
use std::net::TcpListener;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use examiner::UnixTime;
use gateway::{
    AccessEntry, Events, Gate, GateEvent, GateKnock, GateSettings, GateSite, GateState, IdentityHeader,
    IssuerHints, Limits, Upstream,
};
use policy::record::{Origin, PinExceptions, Revoked, Touched};
use policy::verify::AnchorSet;
use policy::{
    Audience, CertificateRecord, ClientAuth, Holder, HostName, NormalPath, OnRefuse, Party, PartyName,
    PathRule, RecordChange, Site, Snapshot,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use testkit::{Client, Echo, TestCa, TestCert};

/// `portal.test` answers with pages and has an open `/health`; `strict.test` refuses in the handshake. alice may
/// enter both, bob neither; mallory is a stranger.
pub struct World {
    pub gate: Gate,
    pub echo: Echo,
    pub ca: TestCa,
    pub alice: TestCert,
    pub bob: TestCert,
    pub mallory: TestCert,
    pub heard: Arc<Heard>,
    pub state: GateState,
    pub clock: Arc<AtomicI64>,
}

#[derive(Default)]
pub struct Heard {
    pub events: Mutex<Vec<GateEvent>>,
    pub knocks: Mutex<Vec<GateKnock>>,
    pub lines: Mutex<Vec<AccessEntry>>,
}

impl Events for Heard {
    fn audit(&self, event: GateEvent) {
        self.events.lock().unwrap().push(event);
    }
    fn knock(&self, knock: GateKnock) {
        self.knocks.lock().unwrap().push(knock);
    }
    fn access(&self, line: AccessEntry) {
        self.lines.lock().unwrap().push(line);
    }
}

pub fn host(name: &str) -> HostName {
    HostName::parse(name).unwrap()
}

pub fn now() -> UnixTime {
    UnixTime(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64)
}

fn rules(name: &str, on_refuse: OnRefuse, audience: Audience, paths: Vec<PathRule>) -> (HostName, Arc<Site>) {
    let site = Site {
        name: host(name),
        audience,
        allow: Vec::new(),
        deny: Vec::new(),
        on_refuse,
        observe_until: None,
        paths,
        anchors: Arc::new(AnchorSet::new(Vec::new()).unwrap()),
        is_default: false,
        clock_tolerance: 0,
    };
    (site.name.clone(), Arc::new(site))
}

fn served(ca: &TestCa, name: &str, upstream: u16) -> Arc<GateSite> {
    let own = ca.issue_server(name);
    let chain = CertificateDer::pem_slice_iter(own.chain_pem.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
    Arc::new(GateSite {
        name: host(name),
        upstream: Upstream::http(format!("127.0.0.1:{upstream}")),
        certificate: Arc::new(rustls::sign::CertifiedKey::new(chain, key)),
        tls_min_13: false,
        identity: vec![IdentityHeader::ClientCert, IdentityHeader::Party],
        issuer_hints: IssuerHints::Auto,
        keeps_pending: true,
        refuse_status: 403,
        manners: gateway::Manners::default(),
    })
}

pub fn pinned(party: &str, cert: &TestCert, revoked: Option<Revoked>) -> RecordChange {
    let facts = cert.facts();
    let record = CertificateRecord {
        holder: Holder::Party(PartyName::parse(party).unwrap()),
        label: "laptop".into(),
        origin: Origin::Pinned,
        key_pin: facts.key_pin,
        superseded_after: None,
        revoked,
        exceptions: PinExceptions::default(),
    };
    RecordChange::Certificate(facts.thumbprint, record)
}

pub fn party(name: &str, grants: &[&str]) -> RecordChange {
    RecordChange::Party(Party {
        name: PartyName::parse(name).unwrap(),
        id: name.into(),
        suspended_since: None,
        grants: grants.iter().map(|site| host(site)).collect::<BTreeSet<_>>(),
    })
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With other limits.
    pub fn with(change: impl FnOnce(&mut Limits)) -> Self {
        Self::made(change, |_| {})
    }

    /// With other settings of the gate.
    pub fn set(change: impl FnOnce(&mut GateSettings)) -> Self {
        Self::built(change, |_| {})
    }

    /// With other limits; `tick` hears each look at the clock, on the gate's own threads.
    pub fn made(change: impl FnOnce(&mut Limits), tick: impl Fn(UnixTime) + Send + Sync + 'static) -> Self {
        Self::built(|settings| change(&mut settings.limits), tick)
    }

    fn built(
        change: impl FnOnce(&mut GateSettings),
        tick: impl Fn(UnixTime) + Send + Sync + 'static,
    ) -> Self {
        let ca = TestCa::new("Test CA");
        let echo = Echo::start();
        let (alice, bob, mallory) = (ca.issue("alice"), ca.issue("bob"), ca.issue("mallory"));
        let open = PathRule {
            prefix: NormalPath::parse("/health").unwrap(),
            allow: None,
            deny: None,
            client_auth: ClientAuth::Off,
        };
        let all = [
            rules("portal.test", OnRefuse::Page, Audience::Parties, Vec::new()),
            rules("open.test", OnRefuse::Page, Audience::Parties, vec![open]),
            rules("strict.test", OnRefuse::Handshake, Audience::Parties, Vec::new()),
            rules("localhost", OnRefuse::Page, Audience::Operators, Vec::new()),
        ];
        let mut snapshot =
            Snapshot { generation: 1, sites: Arc::new(HashMap::from(all)), ..Snapshot::default() };
        snapshot.records.apply(party("alice", &["portal.test", "open.test", "strict.test"]));
        snapshot.records.apply(party("bob", &[]));
        snapshot.records.apply(pinned("alice", &alice, None));
        snapshot.records.apply(pinned("bob", &bob, None));
        let names = ["portal.test", "open.test", "strict.test"];
        let state = GateState {
            snapshot,
            sites: Arc::new(names.iter().map(|name| (host(name), served(&ca, name, echo.port()))).collect()),
            challenged: Arc::default(),
            default_site: None,
            admin: Some(served(&ca, "localhost", 1)),
            enrol: None,
            confirmed: Arc::new(AtomicI64::new(now().seconds())),
            max_stale: 86_400,
        };
        let mut settings = GateSettings {
            listen: vec![TcpListener::bind("127.0.0.1:0").unwrap()],
            admin: Some(TcpListener::bind("127.0.0.1:0").unwrap()),
            enrol: None,
            workers: 2,
            limits: Limits::default(),
            front: gateway::Front::default(),
            plain: gateway::Plain::default(),
            challenges: None,
        };
        change(&mut settings);
        let heard = Arc::new(Heard::default());
        let clock = Arc::new(AtomicI64::new(now().seconds()));
        let shown = clock.clone();
        let read = move || {
            let now = UnixTime(shown.load(Ordering::SeqCst));
            tick(now);
            now
        };
        let gate = Gate::start(settings, state.clone(), heard.clone(), Arc::new(read)).unwrap();
        Self { gate, echo, ca, alice, bob, mallory, heard, state, clock }
    }

    pub fn port(&self) -> u16 {
        self.gate.bound()[0].port()
    }

    pub fn client(&self) -> Client {
        Client::trusting(&self.ca.root_pem())
    }

    pub fn revoke_alice(&self) -> u64 {
        let mut state = self.state.clone();
        state.snapshot.generation += 1;
        let revoked = Revoked { at: now(), reason: "key-compromise".into() };
        let touched = state.snapshot.records.apply(pinned("alice", &self.alice, Some(revoked)));
        assert_eq!(touched, Touched::Certificate(self.alice.facts().thumbprint));
        self.gate.apply(state, vec![touched])
    }

    /// How many connections were cut.
    pub fn suspend_alice(&self) -> u64 {
        let mut state = self.state.clone();
        let alice = PartyName::parse("alice").unwrap();
        let mut suspended = state.snapshot.records.parties.get(&alice).unwrap().to_party();
        suspended.suspended_since = Some(now());
        let touched = state.snapshot.records.apply(RecordChange::Party(suspended));
        self.gate.apply(state, vec![touched])
    }

    pub fn admin_port(&self) -> u16 {
        self.gate.bound()[1].port()
    }

    pub fn now(&self) -> UnixTime {
        UnixTime(self.clock.load(Ordering::SeqCst))
    }

    /// Puts these changes of the first state in force; how many connections were cut.
    pub fn apply(&self, changes: Vec<RecordChange>) -> u64 {
        let mut state = self.state.clone();
        state.snapshot.generation += 1;
        let touched = changes.into_iter().map(|change| state.snapshot.records.apply(change)).collect();
        self.gate.apply(state, touched)
    }

    /// Puts the first state with another site and these changes in force.
    pub fn apply_site(
        &self,
        name: &str,
        changes: Vec<RecordChange>,
        change: impl FnOnce(&mut Site),
        served: impl FnOnce(&mut GateSite),
    ) {
        let mut state = self.state.clone();
        state.snapshot.generation += 1;
        let name = host(name);
        for change in changes {
            state.snapshot.records.apply(change);
        }
        let mut sites = (*state.snapshot.sites).clone();
        change(Arc::make_mut(sites.get_mut(&name).unwrap()));
        state.snapshot.sites = Arc::new(sites);
        let mut all = (*state.sites).clone();
        served(Arc::make_mut(all.get_mut(&name).unwrap()));
        state.sites = Arc::new(all);
        self.gate.apply(state, vec![Touched::Everyone]);
    }

    /// The audit entries with this code.
    pub fn audited(&self, code: &str) -> Vec<GateEvent> {
        let events = self.heard.events.lock().unwrap();
        events.iter().filter(|event| event.code == Some(code)).cloned().collect()
    }

    /// The access log's lines once there are `count`.
    pub fn lines(&self, count: usize) -> Vec<AccessEntry> {
        until(|| self.heard.lines.lock().unwrap().len() >= count);
        self.heard.lines.lock().unwrap().clone()
    }

    /// A number of the metrics; 0 where the line is not there yet.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.gate.metrics_text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |number| number.parse().unwrap())
    }
}

/// Waits for what another thread does.
#[track_caller]
pub fn until(mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "it does not come to that");
        std::thread::sleep(Duration::from_millis(5));
    }
}
