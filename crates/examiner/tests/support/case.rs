//! A fixture: certificates, and the question that is asked about them, as one PEM file.
#![allow(dead_code)]

use examiner::chain::{Chain, Examinee, SignedTimestamp, Store, ders};
use examiner::profile::{PeerName, Profile};
use examiner::seen::Host;
use examiner::side::{
    Asked, Came, Delivered, Dns, Form, GivenCrl, KeyList, LogList, Method, OcspResponse, RootList, SideFiles,
    Sought, Stapled,
};
use examiner::suffixes::SuffixList;
use examiner::{Question, UnixTime};

use super::spec::{self, CertificateSpec};

const CRL: &str = "X509 CRL";
const OCSP: &str = "OCSP RESPONSE";
const STAPLED: &str = "STAPLED OCSP RESPONSE";
const KEY_LIST: &str = "KEY LIST";
const ROOT_LIST: &str = "ROOT LIST";
const LOG_LIST: &str = "LOG LIST";
const SUFFIX_LIST: &str = "SUFFIX LIST";
/// The address that [`spec::leaf`] names for its issuer.
pub const ISSUER_URL: &str = "http://ca.trust.example.com/issuer.der";
const EXPECTED: &str = "EXPECTED CERTIFICATE";
const FETCHED: &str = "FETCHED CERTIFICATE";

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
    /// What was asked of the network: which certificate, what, how, where, and what came.
    asked: Vec<String>,
    /// Whether the server is known to staple no OCSP response.
    staples_nothing: bool,
    /// The list of timestamps that the server is known to send in the handshake; empty where it sends none.
    timestamps: Option<Vec<u8>>,
    /// What was seen of the host.
    seen: Option<Host>,
    /// What the DNS says of it.
    dns: Option<Dns>,
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
        asked: Vec::new(),
        staples_nothing: false,
        timestamps: None,
        seen: None,
        dns: None,
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

    /// With this question to the network, written as `0 issuer GET http://…`, and what came of it: `list`, `response`,
    /// or words about a fault.
    pub fn asked(mut self, question: &str, came: &str) -> Self {
        self.asked.push(format!("{question} {came}"));
        self
    }

    /// With this certificate out of the address that the server's certificate names for its issuer, in this form.
    pub fn fetched(mut self, form: &str, certificate: Vec<u8>) -> Self {
        self.beside.push((FETCHED, certificate));
        self.asked(&format!("0 issuer GET {ISSUER_URL}"), form)
    }

    /// With a host of which the DNS says this.
    pub fn dns(self, dns: Dns) -> Self {
        Self { dns: Some(dns), ..self }
    }

    /// Served by this host, as it was seen.
    pub fn seen(self, host: Host) -> Self {
        Self { seen: Some(host), ..self }
    }

    /// Which ought to serve the certificates of a file: these.
    pub fn expected(mut self, certificates: Vec<Vec<u8>>) -> Self {
        self.beside.extend(certificates.into_iter().map(|der| (EXPECTED, der)));
        self
    }

    /// With this list of known-bad keys beside it.
    pub fn key_list(mut self, text: &str) -> Self {
        self.beside.push((KEY_LIST, text.as_bytes().to_vec()));
        self
    }

    /// With a list that says this of the last certificate, the root.
    pub fn root_fact(self, fact: &str) -> Self {
        self.root_facts(&[fact], "")
    }

    /// With a list that says all this of the last certificate, the root, and these lines of others.
    pub fn root_facts(mut self, facts: &[&str], others: &str) -> Self {
        let root = examiner::Thumbprint::of(self.certificates.last().expect("a root"));
        let lines: String = facts.iter().map(|fact| format!("{root} {fact}\n")).collect();
        let text = format!("kind: roots\nmade: 2026-04-01\n{lines}{others}");
        self.beside.push((ROOT_LIST, text.into_bytes()));
        self
    }

    /// With this list of the logs of certificate transparency beside it.
    pub fn log_list(mut self, text: &str) -> Self {
        self.beside.push((LOG_LIST, text.as_bytes().to_vec()));
        self
    }

    /// With this Public Suffix List in place of the one that is built in.
    pub fn suffix_list(mut self, text: &str) -> Self {
        self.beside.push((SUFFIX_LIST, text.as_bytes().to_vec()));
        self
    }

    /// With a server that sends this list of timestamps in the handshake, or, where it is empty, none.
    pub fn sends_timestamps(self, list: Vec<u8>) -> Self {
        Self { timestamps: Some(list), ..self }
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
        for asked in &self.asked {
            text += &format!("Asked: {asked}\n");
        }
        if self.staples_nothing {
            text += "Stapled: nothing\n";
        }
        if let Some(list) = &self.timestamps {
            let list = data_encoding::BASE64.encode(list);
            text += &format!("Timestamps: {}\n", if list.is_empty() { "nothing" } else { &list });
        }
        if let Some(host) = &self.seen {
            text += &format!("Seen: {}\n", serde_json::to_string(host).expect("a host is plain data"));
        }
        if let Some(dns) = &self.dns {
            text += &format!("Dns: {}\n", serde_json::to_string(dns).expect("it is plain data"));
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
        logs: blocks(file, LOG_LIST)
            .first()
            .map(|text| serde_json::from_slice::<LogList>(text).expect("a list of logs")),
        suffixes: blocks(file, SUFFIX_LIST).first().map(|text| {
            SuffixList::read(std::str::from_utf8(text).expect("text")).expect("a list of suffixes")
        }),
        expected: blocks(file, EXPECTED).into_iter().map(Examinee::read).collect(),
        dns: line("Dns").map(|text| serde_json::from_str(text).expect("what the DNS says")),
        timestamps: match line("Timestamps") {
            Some("nothing") => Delivered::Nothing,
            Some(list) => {
                let list = data_encoding::BASE64.decode(list.as_bytes()).expect("base64");
                Delivered::Sent(SignedTimestamp::sent(&list).expect("a list of timestamps"))
            }
            None => Delivered::Unknown,
        },
        ..SideFiles::default()
    };
    if let Some(der) = blocks(file, STAPLED).first() {
        side.stapled = Stapled::Response(Box::new(OcspResponse::from_der(der).expect("a response")));
    } else if line("Stapled").is_some() {
        side.stapled = Stapled::Nothing;
    }
    let mut fetched = blocks(file, FETCHED).into_iter();
    side.asked = file
        .lines()
        .filter_map(|line| line.strip_prefix("Asked: "))
        .map(|line| asked(line, &chain, &mut fetched))
        .collect();
    // What was fetched is at hand, as long as it is none of those that are.
    let known = |one: &Examinee| chain.all().any(|other| other.thumbprint == one.thumbprint);
    let issuers = side.asked.iter().flat_map(Asked::issuers);
    let beside: Vec<Examinee> = issuers.filter(|one| !known(one)).cloned().collect();
    let mut chain = chain.with_beside(beside).with_side_files(side);
    chain.host = line("Seen").map(|text| serde_json::from_str(text).expect("a host"));
    let question = Question {
        profile: Some(line("Profile").and_then(Profile::named).expect("a profile")),
        at: UnixTime::parse(line("At").expect("a moment")).expect("a moment"),
        host: line("Host").map(PeerName::host),
    };
    (chain, question)
}

/// One question to the network, read back.
fn asked(line: &str, chain: &Chain, fetched: &mut impl Iterator<Item = Vec<u8>>) -> Asked {
    let words: Vec<&str> = line.splitn(5, ' ').collect();
    let [index, sought, method, url, came] = words[..] else { panic!("five words: {line}") };
    let index: usize = index.parse().expect("a number");
    let mut certificates = |form| Came::Certificates {
        form,
        all: vec![Examinee::read(fetched.next().expect("a fetched certificate"))],
    };
    Asked {
        about: chain.served[index].thumbprint,
        sought: match sought {
            "issuer" => Sought::Issuer,
            "list" => Sought::RevocationList,
            _ => Sought::OcspResponse,
        },
        method: if method == "POST" { Method::Post } else { Method::Get },
        url: url.into(),
        came: match came {
            "der" => Ok(certificates(Form::Der)),
            "pem" => Ok(certificates(Form::Pem)),
            "pkcs7" => Ok(certificates(Form::Pkcs7)),
            "list" => Ok(Came::RevocationList(500)),
            "response" => Ok(Came::OcspResponse),
            fault => Err(fault.into()),
        },
    }
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
