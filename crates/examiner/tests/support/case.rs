//! A fixture: certificates, and the question that is asked about them, as one PEM file.
#![allow(dead_code)]

use examiner::chain::{Chain, Examinee, ders};
use examiner::profile::{PeerName, Profile};
use examiner::{Question, UnixTime};

use super::spec::{self, CertificateSpec};

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
}

/// One fixture of one check.
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

    /// Without a host's name.
    pub fn without_host(self) -> Self {
        Self { host: None, ..self }
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
        for certificate in &self.certificates {
            text += "\n";
            text += &examiner::cert::pem::encode("CERTIFICATE", certificate);
        }
        text
    }
}

/// A fixture's file, read back.
pub fn read(file: &str) -> (Chain, Question) {
    let line = |name: &str| file.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let mut all: Vec<Examinee> =
        ders(file.as_bytes()).expect("a fixture holds PEM").into_iter().map(Examinee::read).collect();
    let trusted = line("Trusted, last").map(|count| count.parse::<usize>().expect("a number"));
    let anchors = trusted.map(|count| all.split_off(all.len() - count));
    let chain = if line("Served").is_some() { Chain::served(all) } else { Chain::given(all) };
    let chain = match anchors {
        Some(anchors) => chain.with_anchors(anchors),
        None => chain,
    };
    let question = Question {
        profile: Some(line("Profile").and_then(Profile::named).expect("a profile")),
        at: UnixTime::parse(line("At").expect("a moment")).expect("a moment"),
        host: line("Host").map(PeerName::host),
    };
    (chain, question)
}
