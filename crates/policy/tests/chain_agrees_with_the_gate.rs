//! The examiner's profile `mtls-client` and the gate say the same of every chain among the examiner's fixtures.
//!
//! Whom the gate refuses, the examiner finds an error with. Whom the gate admits, the examiner finds no error with, but
//! for the rules named here that rustls-webpki does not apply.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use examiner::chain::{Chain, Examinee, ders};
use examiner::profile::Profile;
use examiner::report::Severity;
use examiner::{Certificate, Question, UnixTime, examine};
use policy::ca::Ca;
use policy::verify::{Anchor, AnchorSet};
use policy::{
    Admission, Audience, Decision, HostName, Moment, OnRefuse, Peer, Principal, Site, Snapshot, decide,
};
use rustls_pki_types::CertificateDer;

/// Errors that do not keep a client out at the gate, and why not.
const GATE_IS_MILDER: &[&str] = &[
    // The certificates are those of servers; the gate is told to overlook the missing client usage here.
    "eku-nesting-broken",
    "client-eku-missing-client-auth",
    "client-eku-lost-in-intermediate",
    "client-eku-server-only-from-public-ca",
    // The gate looks at one certificate at a time, and knows it by its bytes.
    "serial-reused-by-issuer",
    // Judged by lists and responses, which this gate is not given.
    "revoked-crl",
    "revoked-ocsp",
    "intermediate-revoked",
    "crl-unreachable-expired",
    "crl-signature-or-issuer-wrong",
    "crl-issuer-no-crlsign",
    "ocsp-response-stale-or-future",
    "ocsp-signer-not-authorised",
    "ocsp-sha1-signature",
    "ocsp-wrong-serial-or-issuer-hash",
];

/// A chain that the gate refuses and others take: it looks at four intermediates at most.
const GATE_IS_STRICTER: &str = "chain-too-long/fail-five-of-a-client.pem";

struct Fixture {
    name: String,
    at: UnixTime,
    served: Vec<Vec<u8>>,
    anchors: Vec<Vec<u8>>,
}

/// Every fixture that is a chain as served, under trust anchors.
fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examiner/fixtures");
    let mut all = Vec::new();
    for check in fs::read_dir(folder).unwrap() {
        for file in fs::read_dir(check.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "pem") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            let (Some(_), Some(trusted)) = (line("Served"), line("Trusted, last")) else { continue };
            let mut served = ders(text.as_bytes()).unwrap();
            let anchors = served.split_off(served.len() - trusted.parse::<usize>().unwrap());
            let at = UnixTime::parse(line("At").unwrap()).unwrap();
            all.push(Fixture { name: path.display().to_string(), at, served, anchors });
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// Whether the gate lets the chain in, where everyone of these anchors may enter and the client usage may be missing.
fn gate_admits(fixture: &Fixture) -> Result<(), String> {
    let anchors: Result<Vec<Certificate>, _> =
        fixture.anchors.iter().map(|der| Certificate::from_der(der)).collect();
    let ca = Ca {
        name: "fixtures".into(),
        anchors: anchors.map_err(|error| error.to_string())?,
        intermediates: Vec::new(),
        admission: Admission::Any,
        name_from: None,
        without_client_usage_until: Some(UnixTime(i64::MAX)),
    };
    let set = AnchorSet::new(vec![Anchor { ca: Arc::new(ca), admits: true }])?;
    let site = Site {
        name: HostName::parse("portal.test").unwrap(),
        audience: Audience::Parties,
        allow: vec![Principal::parse("ca:fixtures").unwrap()],
        deny: Vec::new(),
        on_refuse: OnRefuse::Page,
        observe_until: None,
        paths: Vec::new(),
        anchors: Arc::new(set),
        is_default: false,
        clock_tolerance: 0,
    };
    let chain: Vec<CertificateDer<'static>> =
        fixture.served.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let peer = Peer::identify(chain.into(), &site.anchors, fixture.at);
    match decide(&Snapshot::default(), &site, None, peer.as_ref(), Moment::at(fixture.at)) {
        Decision::Admit(_) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn errors(fixture: &Fixture) -> Vec<&'static str> {
    let read = |ders: &[Vec<u8>]| ders.iter().cloned().map(Examinee::read).collect::<Vec<_>>();
    let chain = Chain::served(read(&fixture.served)).with_anchors(read(&fixture.anchors));
    let question = Question { profile: Some(Profile::MtlsClient), at: fixture.at, host: None };
    let report = examine(&chain, &question);
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| finding.id).collect()
}

#[test]
fn chain_agrees_with_the_gate() {
    let (mut admitted, mut refused, mut amiss) = (0, 0, Vec::new());
    for fixture in fixtures() {
        let errors = errors(&fixture);
        match gate_admits(&fixture) {
            Ok(()) => {
                admitted += 1;
                let strict: Vec<&str> =
                    errors.into_iter().filter(|id| !GATE_IS_MILDER.contains(id)).collect();
                if !strict.is_empty() {
                    amiss.push(format!("{}: admitted, and the examiner says {strict:?}", fixture.name));
                }
            }
            Err(why) => {
                refused += 1;
                if errors.is_empty() && !fixture.name.ends_with(GATE_IS_STRICTER) {
                    amiss.push(format!("{}: refused ({why}), and the examiner finds no error", fixture.name));
                }
            }
        }
    }
    assert!(admitted > 20 && refused > 3, "{admitted} admitted, {refused} refused");
    assert!(amiss.is_empty(), "{amiss:#?}");
}
