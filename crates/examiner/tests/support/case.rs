//! A fixture: certificates, and the question that is asked about them, as one PEM file.
#![allow(dead_code)]

use examiner::chain::{Chain, Examinee, Store, ders};
use examiner::profile::{PeerName, Profile};
use examiner::seen::Host;
use examiner::side::{GivenCrl, KeyList, OcspResponse, RootList, SideFiles, Stapled};
use examiner::{Question, UnixTime};

use super::spec::{self, CertificateSpec};

const CRL: &str = "X509 CRL";
const OCSP: &str = "OCSP RESPONSE";
const STAPLED: &str = "STAPLED OCSP RESPONSE";
const KEY_LIST: &str = "KEY LIST";
const ROOT_LIST: &str = "ROOT LIST";

/// Certificates and a question.
#[derive(Clone)]
pub struct Case {
    profile: Profile,
    at: String,
    host: Option<String>,
    /// Whether a host served them; else they come out of a file.
    served: bool,
    certificates: Vec<Vec<u8>>,
    /// How many of the last certificates are trust anchors; `None`: nothing is known of anchors.
    trusted: Option<usize>,
    /// Root stores to compare: a name and its one anchor.
    stores: Vec<(String, Vec<u8>)>,
    /// What lies beside: the label of a PEM block and its bytes.
    beside: Vec<(&'static str, Vec<u8>)>,
    /// Whether the server is known to staple no OCSP response.
    staples_nothing: bool,
    /// What was seen of the host.
    seen: Option<Host>,
}

/// One fixture of one check.
#[derive(Clone)]
pub struct Recipe {
    /// The check's id.
    pub check: &'static str,
    /// The file's name without its ending, `pass-…` or `fail-…`.
    pub name: String,
    /// What stands in it.
    pub case: Case,
}

/// A fixture that the check finds nothing in.
pub fn pass(check: &'static str, name: &str, case: Case) -> Recipe {
    Recipe { check, name: format!("pass-{name}"), case }
}

/// A fixture that the check finds something in.
pub fn fail(check: &'static str, name: &str, case: Case) -> Recipe {
    Recipe { check, name: format!("fail-{name}"), case }
}

/// The server certificate alone, out of a file, with one thing changed.
pub fn leaf(change: impl FnOnce(&mut CertificateSpec)) -> Case {
    alone(spec::leaf(), change)
}

/// The issuing CA's certificate alone, with one thing changed.
pub fn issuing(change: impl FnOnce(&mut CertificateSpec)) -> Case {
    alone(spec::issuing(), change)
}

/// The root's certificate alone, with one thing changed.
pub fn root(change: impl FnOnce(&mut CertificateSpec)) -> Case {
    alone(spec::root(), change)
}

/// The client certificate alone, with one thing changed, under the profile `mtls-client`.
pub fn client(change: impl FnOnce(&mut CertificateSpec)) -> Case {
    alone(spec::client(), change).profile(Profile::MtlsClient)
}

/// Any DER alone, out of a file.
pub fn der(bytes: Vec<u8>) -> Case {
    Case {
        profile: Profile::Web,
        at: "2026-05-01T00:00:00Z".into(),
        host: None,
        served: false,
        certificates: vec![bytes],
        trusted: None,
        stores: Vec::new(),
        beside: Vec::new(),
        staples_nothing: false,
        seen: None,
    }
}

/// Server certificate and issuing CA as a host serves them, under the root as the one trust anchor, each with what is
/// wanted changed.
pub fn chain(change: impl FnOnce(&mut CertificateSpec, &mut CertificateSpec, &mut CertificateSpec)) -> Case {
    let (mut leaf, mut issuing, mut root) = (spec::leaf(), spec::issuing(), spec::root());
    change(&mut leaf, &mut issuing, &mut root);
    served(vec![leaf.build(), issuing.build()], vec![root.build()])
}

/// These certificates as a host serves them, under these trust anchors.
pub fn served(certificates: Vec<Vec<u8>>, anchors: Vec<Vec<u8>>) -> Case {
    let trusted = Some(anchors.len());
    let host = Some("www.example.com".into());
    Case { host, served: true, certificates: [certificates, anchors].concat(), trusted, ..der(Vec::new()) }
}

fn alone(mut spec: CertificateSpec, change: impl FnOnce(&mut CertificateSpec)) -> Case {
    change(&mut spec);
    der(spec.build())
}

impl Case {
    /// Under another profile than `web`.
    pub fn profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// At another moment than 2026-05-01.
    pub fn at(self, at: &str) -> Self {
        Self { at: at.into(), ..self }
    }

    /// For this host.
    pub fn host(self, host: &str) -> Self {
        Self { host: Some(host.into()), ..self }
    }

    /// With a root store to compare, of one anchor.
    pub fn store(mut self, name: &str, anchor: CertificateSpec) -> Self {
        self.stores.push((name.into(), anchor.build()));
        self
    }

    /// Without a host's name.
    pub fn without_host(self) -> Self {
        Self { host: None, ..self }
    }

    /// With this revocation list beside it.
    pub fn crl(mut self, der: Vec<u8>) -> Self {
        self.beside.push((CRL, der));
        self
    }

    /// With this OCSP response beside it.
    pub fn ocsp(mut self, der: Vec<u8>) -> Self {
        self.beside.push((OCSP, der));
        self
    }

    /// With this stapled OCSP response.
    pub fn stapled(mut self, der: Vec<u8>) -> Self {
        self.beside.push((STAPLED, der));
        self
    }

    /// With a server that staples no OCSP response.
    pub fn staples_nothing(self) -> Self {
        Self { staples_nothing: true, ..self }
    }

    /// Served by this host, as it was seen.
    pub fn seen(self, host: Host) -> Self {
        Self { seen: Some(host), ..self }
    }

    /// With this list of known-bad keys beside it.
    pub fn key_list(mut self, text: &str) -> Self {
        self.beside.push((KEY_LIST, text.as_bytes().to_vec()));
        self
    }

    /// With a list that says this of the last certificate, the root.
    pub fn root_fact(mut self, fact: &str) -> Self {
        let root = examiner::Thumbprint::of(self.certificates.last().expect("a root"));
        let text = format!("kind: roots\nmade: 2026-04-01\n{root} {fact}\n");
        self.beside.push((ROOT_LIST, text.into_bytes()));
        self
    }

    /// With another certificate in the file.
    pub fn and(mut self, certificate: Vec<u8>) -> Self {
        self.certificates.push(certificate);
        self
    }

    /// The file: the question as lines before the PEM blocks.
    pub fn file(&self) -> String {
        let mut text = format!("Profile: {}\nAt: {}\n", self.profile, self.at);
        if let Some(host) = &self.host {
            text += &format!("Host: {host}\n");
        }
        if self.served {
            text += "Served: yes\n";
        }
        if let Some(trusted) = self.trusted {
            text += &format!("Trusted, last: {trusted}\n");
        }
        for (name, _) in &self.stores {
            text += &format!("Store: {name}\n");
        }
        if self.staples_nothing {
            text += "Stapled: nothing\n";
        }
        if let Some(host) = &self.seen {
            text += &format!("Seen: {}\n", serde_json::to_string(host).expect("a host is plain data"));
        }
        // The stores' anchors stand last.
        for certificate in self.certificates.iter().chain(self.stores.iter().map(|(_, anchor)| anchor)) {
            text += "\n";
            text += &examiner::cert::pem::encode("CERTIFICATE", certificate);
        }
        for (label, bytes) in &self.beside {
            text += "\n";
            text += &examiner::cert::pem::encode(label, bytes);
        }
        text
    }
}

/// A fixture's file, read back.
pub fn read(file: &str) -> (Chain, Question) {
    let line = |name: &str| file.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let mut all: Vec<Examinee> =
        ders(file.as_bytes()).expect("a fixture holds PEM").into_iter().map(Examinee::read).collect();
    let names: Vec<&str> = file.lines().filter_map(|line| line.strip_prefix("Store: ")).collect();
    let anchors = all.split_off(all.len() - names.len());
    let stores = names.iter().zip(anchors);
    let stores = stores.map(|(name, anchor)| Store { name: (*name).into(), anchors: vec![anchor] }).collect();
    let trusted = line("Trusted, last").map(|count| count.parse::<usize>().expect("a number"));
    let anchors = trusted.map(|count| all.split_off(all.len() - count));
    let chain = if line("Served").is_some() { Chain::served(all) } else { Chain::given(all) };
    let chain = match anchors {
        Some(anchors) => chain.with_anchors(anchors),
        None => chain,
    }
    .with_stores(stores);
    let mut side = SideFiles {
        crls: blocks(file, CRL).iter().map(|der| GivenCrl::from_der(der).expect("a list")).collect(),
        ocsp: blocks(file, OCSP).iter().map(|der| OcspResponse::from_der(der).expect("a response")).collect(),
        key_lists: blocks(file, KEY_LIST)
            .iter()
            .map(|text| KeyList::read(std::str::from_utf8(text).expect("text")).expect("a list of keys"))
            .collect(),
        root_lists: blocks(file, ROOT_LIST)
            .iter()
            .map(|text| RootList::read(std::str::from_utf8(text).expect("text")).expect("a list of roots"))
            .collect(),
        ..SideFiles::default()
    };
    if let Some(der) = blocks(file, STAPLED).first() {
        side.stapled = Stapled::Response(Box::new(OcspResponse::from_der(der).expect("a response")));
    } else if line("Stapled").is_some() {
        side.stapled = Stapled::Nothing;
    }
    let mut chain = chain.with_side_files(side);
    chain.host = line("Seen").map(|text| serde_json::from_str(text).expect("a host"));
    let question = Question {
        profile: Some(line("Profile").and_then(Profile::named).expect("a profile")),
        at: UnixTime::parse(line("At").expect("a moment")).expect("a moment"),
        host: line("Host").map(PeerName::host),
    };
    (chain, question)
}

/// The contents of all PEM blocks with this label.
fn blocks(file: &str, label: &str) -> Vec<Vec<u8>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let bodies =
        file.split(begin.as_str()).skip(1).map(|rest| rest.split(end.as_str()).next().unwrap_or_default());
    let decode = |body: &str| {
        let text: String = body.split_whitespace().collect();
        data_encoding::BASE64.decode(text.as_bytes()).expect("base64")
    };
    bodies.map(decode).collect()
}
