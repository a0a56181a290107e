//! The gate over real sockets: who enters, who is refused and how, and who loses admission while connected.

use std::collections::{BTreeSet, HashMap};
use std::net::TcpListener;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use examiner::{Thumbprint, UnixTime};
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
use testkit::{Client, Echo, KeyType, Leaf, TestCa, TestCert};

/// `portal.test` answers with pages and has an open `/health`; `strict.test` refuses in the handshake. alice may
/// enter both, bob neither; mallory is a stranger.
struct World {
    gate: Gate,
    echo: Echo,
    ca: TestCa,
    alice: TestCert,
    bob: TestCert,
    mallory: TestCert,
    heard: Arc<Heard>,
    state: GateState,
}

#[derive(Default)]
struct Heard {
    events: Mutex<Vec<GateEvent>>,
    knocks: Mutex<Vec<GateKnock>>,
    lines: Mutex<Vec<AccessEntry>>,
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

fn host(name: &str) -> HostName {
    HostName::parse(name).unwrap()
}

fn now() -> UnixTime {
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
        upstream: Upstream::Http(format!("127.0.0.1:{upstream}")),
        certificate: Arc::new(rustls::sign::CertifiedKey::new(chain, key)),
        tls_min_13: false,
        identity: vec![IdentityHeader::ClientCert, IdentityHeader::Party],
        issuer_hints: IssuerHints::Auto,
        has_foreign_pins_or_pending: true,
        refuse_status: 403,
    })
}

fn pinned(party: &str, cert: &TestCert, revoked: Option<Revoked>) -> RecordChange {
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

fn party(name: &str, grants: &[&str]) -> RecordChange {
    RecordChange::Party(Party {
        name: PartyName::parse(name).unwrap(),
        id: name.into(),
        suspended_since: None,
        grants: grants.iter().map(|site| host(site)).collect::<BTreeSet<_>>(),
    })
}

impl World {
    fn new() -> Self {
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
            default_site: None,
            admin: Some(served(&ca, "localhost", 1)),
            confirmed: Arc::new(AtomicI64::new(now().seconds())),
            max_stale: 86_400,
        };
        let settings = GateSettings {
            listen: vec![TcpListener::bind("127.0.0.1:0").unwrap()],
            admin: Some(TcpListener::bind("127.0.0.1:0").unwrap()),
            workers: 2,
            limits: Limits::default(),
        };
        let heard = Arc::new(Heard::default());
        let gate = Gate::start(settings, state.clone(), heard.clone(), Arc::new(now)).unwrap();
        Self { gate, echo, ca, alice, bob, mallory, heard, state }
    }

    fn port(&self) -> u16 {
        self.gate.bound()[0].port()
    }

    fn client(&self) -> Client {
        Client::trusting(&self.ca.root_pem())
    }

    fn revoke_alice(&self) -> u64 {
        let mut state = self.state.clone();
        state.snapshot.generation += 1;
        let revoked = Revoked { at: now(), reason: "key-compromise".into() };
        let touched = state.snapshot.records.apply(pinned("alice", &self.alice, Some(revoked)));
        assert_eq!(touched, Touched::Certificate(self.alice.facts().thumbprint));
        self.gate.apply(state, vec![touched])
    }
}

#[tokio::test]
async fn who_is_admitted_reaches_the_upstream_with_an_identity_that_cannot_be_forged() {
    let world = World::new();
    let client = world.client().showing(&world.alice);
    for client in [client.clone().tls13(), client.tls12()] {
        let mut connection = client.connect(world.port(), "portal.test").await.unwrap();
        let forged =
            [("Countersign-Party", "root"), ("countersign_party", "root"), ("X-Forwarded-For", "1.1.1.1")];
        for _ in 0..3 {
            let answer = connection.get("/a?b=c", &forged).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let seen = world.echo.last();
        assert_eq!(seen.all("countersign-party"), ["alice"]);
        assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
        assert!(seen.header("countersign_party").is_none());
        assert_eq!(seen.all("client-cert").len(), 1);
    }
    assert_eq!(world.echo.count(), 6);
    let events = world.heard.events.lock().unwrap();
    assert_eq!(events.iter().filter(|event| event.verdict == "admitted").count(), 2);
    let thumbprint = Thumbprint::of(&world.alice.der);
    assert!(events.iter().all(|event| event.thumbprint == Some(thumbprint)));
    drop(events);
    let text = world.gate.metrics_text();
    assert!(
        text.contains("countersign_requests_total{site=\"portal.test\",verdict=\"admitted\"} 6"),
        "{text}"
    );
}

#[tokio::test]
async fn who_is_not_reads_why_and_the_upstream_hears_nothing() {
    let world = World::new();
    let cases = [
        (world.client(), "no-certificate"),
        (world.client().showing(&world.bob), "not-allowed"),
        (world.client().showing(&world.mallory), "unknown-issuer"),
    ];
    for (client, code) in cases {
        let answer = client.knock(world.port(), "portal.test", "/").await.unwrap();
        assert_eq!((answer.status, answer.code()), (403, code.to_owned()));
    }
    let mallory =
        world.client().showing(&world.mallory).connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(mallory.get("/", &[]).await.unwrap().status, 403);
    assert_eq!(world.echo.count(), 0);
    let knocks = world.heard.knocks.lock().unwrap();
    assert_eq!(knocks[0].der, world.mallory.der);
    assert!(knocks.iter().all(|knock| knock.reference == knocks[0].reference));
}

#[tokio::test]
async fn strict_sites_answer_with_the_alert_and_a_stolen_certificate_blames_nobody() {
    let world = World::new();
    let cases = [
        (world.client(), 116),
        (world.client().showing(&world.bob), 49),
        (world.client().showing(&world.mallory), 48),
        (world.client().showing_stolen(&world.alice, &world.mallory), 51),
    ];
    for (client, alert) in cases {
        let broken = client.knock(world.port(), "strict.test", "/").await.unwrap_err();
        assert_eq!(broken.alert, Some(alert), "{broken}");
        let unknown = client.knock(world.port(), "unknown.test", "/").await.unwrap_err();
        assert_eq!(unknown.alert, Some(112), "{unknown}");
    }
    let stolen = world.client().showing_stolen(&world.alice, &world.mallory);
    assert_eq!(stolen.knock(world.port(), "portal.test", "/").await.unwrap_err().alert, Some(51));
    let alice = world.client().showing(&world.alice).knock(world.port(), "strict.test", "/").await.unwrap();
    assert_eq!(alice.status, 200);
    let events = world.heard.events.lock().unwrap();
    let unproved = |event: &&GateEvent| event.code == Some(policy::Code::PossessionFailed);
    assert!(events.iter().filter(unproved).count() >= 2);
    assert!(events.iter().filter(unproved).all(|event| event.thumbprint.is_none() && event.party.is_none()));
}

#[tokio::test]
async fn another_host_on_the_connection_is_misdirected_and_open_paths_are_open() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let mut connection = alice.connect(world.port(), "portal.test").await.unwrap();
    let answer = connection.get("/", &[("host", "strict.test")]).await.unwrap();
    assert_eq!((answer.status, answer.code()), (421, "host-mismatch".to_owned()));
    assert_eq!(world.echo.count(), 0);
    let mut nobody = world.client().connect(world.port(), "open.test").await.unwrap();
    assert_eq!(nobody.get("/health/x", &[]).await.unwrap().status, 200);
    assert_eq!(nobody.get("/health/..%2fadmin", &[]).await.unwrap().status, 400);
    assert_eq!(nobody.get("/health/../admin", &[]).await.unwrap().status, 403);
    assert_eq!(world.echo.count(), 1);
}

#[tokio::test]
async fn a_revocation_ends_what_runs_and_refuses_what_comes() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let mut idle = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(idle.get("/", &[]).await.unwrap().status, 200);
    let mut idle_strict = alice.connect(world.port(), "strict.test").await.unwrap();
    assert_eq!(idle_strict.get("/", &[]).await.unwrap().status, 200);
    let mut running = alice.connect(world.port(), "portal.test").await.unwrap();
    running.send_request("GET", "/slow-stream?ms=50&chunks=1000", &[], b"").await.unwrap();
    assert_eq!(running.read_head().await.unwrap().status, 200);
    let mut h2 = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    let mut stream =
        h2.start("GET", "portal.test", "/slow-stream?ms=50&chunks=1000", &[], b"").await.unwrap();
    assert!(stream.next().await.unwrap().is_some());

    let began = Instant::now();
    assert_eq!(world.revoke_alice(), 3);
    assert!(running.ended_within(Duration::from_secs(1)).await.is_some(), "the download goes on");
    assert!(idle_strict.ended_within(Duration::from_secs(1)).await.is_some(), "the strict connection stays");
    while let Ok(Some(_)) = stream.next().await {
        assert!(began.elapsed() < Duration::from_secs(1), "the stream goes on");
    }
    assert!(h2.ended_within(Duration::from_secs(1)).await.is_some(), "the connection stays");
    let answer = idle.get("/", &[]).await.unwrap();
    assert_eq!((answer.status, answer.code()), (403, "revoked".to_owned()));
    let again = alice.knock(world.port(), "strict.test", "/").await.unwrap_err();
    assert_eq!(again.alert, Some(44));
    tokio::task::spawn_blocking(move || world.gate.drain(Duration::from_secs(2))).await.unwrap();
}

#[tokio::test]
async fn a_suspension_ends_a_strict_connection_that_never_asked() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let mut idle = alice.connect(world.port(), "strict.test").await.unwrap();
    // The client's side of the handshake ends before the gate's.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut state = world.state.clone();
    let mut suspended =
        (**state.snapshot.records.parties.get(&PartyName::parse("alice").unwrap()).unwrap()).clone();
    suspended.suspended_since = Some(now());
    let touched = state.snapshot.records.apply(RecordChange::Party(suspended));
    assert_eq!(world.gate.apply(state, vec![touched]), 1);
    assert!(idle.ended_within(Duration::from_secs(1)).await.is_some());
}

#[tokio::test]
async fn the_admin_address_answers_health_itself_and_admits_operators_only() {
    let world = World::new();
    let port = world.gate.bound()[1].port();
    for (path, status) in [("/livez", 200), ("/readyz", 200), ("/metrics", 200), ("/", 403)] {
        assert_eq!(world.client().knock(port, "localhost", path).await.unwrap().status, status, "{path}");
    }
    let alice = world.client().showing(&world.alice).knock(port, "localhost", "/").await.unwrap();
    assert_eq!((alice.status, alice.code()), (403, "not-allowed".to_owned()));
}

#[test]
fn weak_keys_are_heard_and_told_to_be_weak() {
    let world = World::new();
    let dir = std::env::temp_dir().join(format!("gate-weak-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("root.pem"), world.ca.root_pem()).unwrap();
    let lax = "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nCipherString = DEFAULT@SECLEVEL=0\n";
    std::fs::write(dir.join("openssl.cnf"), lax).unwrap();
    for (kind, name) in [(KeyType::Rsa1024, "short"), (KeyType::RsaExponent3, "three")] {
        let files = Leaf::new(name).key_type(kind).issued_by(&world.ca).write(&dir, name);
        for version in ["1.2", "1.3"] {
            let output = std::process::Command::new("curl")
                .env("OPENSSL_CONF", dir.join("openssl.cnf"))
                .args(["-sS", "--tls-max", version, "--cacert"])
                .arg(dir.join("root.pem"))
                .arg("--cert")
                .arg(&files.cert)
                .arg("--key")
                .arg(&files.key)
                .args(["--resolve", &format!("portal.test:{}:127.0.0.1", world.port())])
                .arg(format!("https://portal.test:{}/", world.port()))
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(
                text.contains("weak-key"),
                "{name} {version}: {text} {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
    std::fs::remove_dir_all(&dir).unwrap();
}
