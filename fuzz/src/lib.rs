//! What the fuzzer feeds: each [`Target`] takes any bytes, and must neither panic nor hang.
//!
//! `fuzz/run` builds the fuzzer and runs every target for a while from the seeds in `fuzz/seeds`; the test beside replays
//! the seeds without it. A found input is repaired and kept among the seeds.

#![forbid(unsafe_code)]

mod jws;
mod probe;

use examiner::chain::{Chain, Examinee, ders};
use examiner::path::Crl;
use examiner::profile::{PeerName, Profile};
use examiner::report::{svg::svg, text::text};
use examiner::side::{GivenCrl, OcspResponse, SideFiles};
use examiner::{Question, UnixTime, examine, input};

/// A server's chain of three certificates, its trust anchor last: what lists and responses are held against.
const CHAIN: &[u8] = include_bytes!("../../crates/examiner/fixtures/revoked-crl/fail-listed.pem");

/// A reader under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One certificate, DER.
    Certificate,
    /// A file of certificates, its last one the trust anchor: the whole examination.
    Chain,
    /// A revocation list, DER.
    Crl,
    /// An OCSP response, DER.
    Ocsp,
    /// An OCSP request, DER.
    OcspRequest,
    /// A certificate request, PEM or DER.
    Csr,
    /// A PKCS#7 file, PEM or DER.
    Pkcs7,
    /// A PKCS#12 file.
    Pkcs12,
    /// What a server sends in its first flight: records up to TLS 1.2, and opened messages of TLS 1.3.
    Flight,
    /// A resolver's answer, and the records in it.
    Dns,
    /// What a client of ACME signs, and the keys in it.
    Jws,
}

impl Target {
    /// All, in the order in which they are run.
    pub const ALL: [Self; 11] = [
        Self::Certificate,
        Self::Chain,
        Self::Crl,
        Self::Ocsp,
        Self::OcspRequest,
        Self::Csr,
        Self::Pkcs7,
        Self::Pkcs12,
        Self::Flight,
        Self::Dns,
        Self::Jws,
    ];

    /// Its name: that of its folder of seeds.
    pub fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Chain => "chain",
            Self::Crl => "crl",
            Self::Ocsp => "ocsp",
            Self::OcspRequest => "ocsp-request",
            Self::Csr => "csr",
            Self::Pkcs7 => "pkcs7",
            Self::Pkcs12 => "pkcs12",
            Self::Flight => "flight",
            Self::Dns => "dns",
            Self::Jws => "jws",
        }
    }

    /// The target of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    /// Reads the bytes as this target does, and looks at all that came of it.
    pub fn read(self, bytes: &[u8]) {
        match self {
            Self::Certificate => look(Chain::given(vec![Examinee::read(bytes)]), bytes),
            Self::Chain | Self::Pkcs7 => {
                let mut all = certificates(bytes);
                let anchors = all.split_off(all.len().saturating_sub(1));
                look(Chain::served(all).with_anchors(anchors), bytes);
            }
            Self::Crl => {
                let _ = Crl::from_der(bytes);
                if let Ok(list) = GivenCrl::from_der(bytes) {
                    look(beside(SideFiles { crls: vec![list], ..SideFiles::default() }), bytes);
                }
            }
            Self::Ocsp => {
                if let Ok(response) = OcspResponse::from_der(bytes) {
                    look(beside(SideFiles { ocsp: vec![response], ..SideFiles::default() }), bytes);
                }
            }
            Self::OcspRequest => {
                if let Ok(request) = authority::ocsp::Request::read(bytes) {
                    assert!(
                        !request.wanted.is_empty() && request.nonce.is_none_or(|nonce| !nonce.is_empty())
                    );
                }
            }
            Self::Csr => {
                let _ = authority::csr::read(bytes);
                let _ = input::read(bytes);
            }
            Self::Flight => probe::flight(bytes),
            Self::Dns => probe::dns(bytes),
            Self::Jws => jws::jws(bytes),
            Self::Pkcs12 => look(Chain::given(certificates(bytes)), bytes),
        }
    }
}

fn certificates(bytes: &[u8]) -> Vec<Examinee> {
    input::read(bytes).certificates.into_iter().map(Examinee::read).collect()
}

/// The fixed chain with these files beside it.
fn beside(side: SideFiles) -> Chain {
    let mut all: Vec<Examinee> = ders(CHAIN).unwrap_or_default().into_iter().map(Examinee::read).collect();
    let anchors = all.split_off(all.len().saturating_sub(1));
    Chain::served(all).with_anchors(anchors).with_side_files(side)
}

/// Examines the chain under one of the profiles, and writes the report in every form.
fn look(chain: Chain, bytes: &[u8]) {
    let profile = Profile::ALL[bytes.len() % Profile::ALL.len()];
    let question = Question {
        profile: Some(profile),
        at: UnixTime(1_777_593_600),
        host: Some(PeerName::host("www.example.com")),
    };
    let report = examine(&chain, &question);
    let forms = (text(&report, true), svg(&report), serde_json::to_string(&report));
    assert!(forms.2.is_ok(), "a report can always be written as JSON");
}
