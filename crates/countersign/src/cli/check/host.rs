//! A host examined: what its handshakes showed, as the examiner judges it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use examiner::Thumbprint;
use examiner::chain::{Chain, Examinee, SignedTimestamp};
use examiner::input::{KEY_MISMATCH, Note};
use examiner::profile::PeerName;
use examiner::seen::{Address, End, Handshake, Offer, Shown, ShownOutcome, alert};
use examiner::side::{Delivered, OcspResponse, Stapled};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::look::{Asked, Seen, fits, judged};
use super::source;
use crate::cli::{Exit, Failure, cert, context};
use crate::probe::dns::{self, Learnt};
use crate::probe::{self, Looked, Own, RouteError, Served, Target, Ways};

/// Endings of files that people examine: what ends so is a file, also where it is not there.
const ENDINGS: &[&str] = &[
    "pem", "crt", "cer", "cert", "der", "p7b", "p7c", "p12", "pfx", "crl", "csr", "req", "key", "txt",
    "ocsp", "resp", "json", "jks",
];

/// How a host is looked at.
pub struct Way<'a> {
    /// Addresses, proxy, and what is spoken before TLS.
    pub ways: Ways,
    /// Whom to ask what the DNS says of the host; `None` asks nobody.
    pub resolver: Option<SocketAddr>,
    /// The server name to send instead of the host.
    pub servername: Option<&'a str>,
    /// The files of a client certificate and of its key.
    pub own: Option<(&'a Path, Option<&'a Path>)>,
}

/// The host that this word names; `None` where it names a file.
pub fn named(word: &Path) -> Option<Result<Target, Failure>> {
    let text = word.to_str()?;
    if text == "-" || word.exists() {
        return None;
    }
    let begins = |with: &str| text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    let is_web = begins("https://");
    if begins("http://") {
        let what = format!("{} is an address without TLS", text.escape_debug());
        return Some(Err(Failure::usage(what, "name a host like www.example.com, or host:port")));
    }
    let target = Target::parse(text);
    let ending = text.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let is_file =
        text.contains(['/', '\\']) || ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()));
    if is_file && !is_web {
        return None;
    }
    match target {
        Ok(target) => {
            let is_plain = target.port.is_none() && !text.contains(['.', ':']) && text != "localhost";
            (!is_plain).then_some(Ok(target))
        }
        Err(error) if is_web || matches!(error, probe::TargetError::Port(_)) => {
            Some(Err(Failure::usage(error.to_string(), "name a host like www.example.com, or host:port")))
        }
        Err(_) => None,
    }
}

/// What is seen at a host: a report for each chain that it serves.
pub fn look(asked: &Asked, target: &Target, way: &Way<'_>) -> Result<Vec<Seen>, Failure> {
    let own = way.own.map(|(file, key)| own(file, key, asked.password.as_deref())).transpose()?;
    let mut target = target.clone();
    if let Some(protocol) = way.ways.starttls {
        target.port.get_or_insert(protocol.port());
    }
    let question = probe::Asked {
        target: target.clone(),
        ways: way.ways.clone(),
        servername: way.servername.map(str::to_owned),
        own,
    };
    let runtime = context::runtime()?;
    let looked = runtime.block_on(probe::look(&question));
    let name = way.servername.unwrap_or(target.host.as_str());
    let first = looked.as_ref().ok().and_then(|looked| looked.chains.first()?.certificates.first());
    let said = way.resolver.zip(first).filter(|_| matches!(PeerName::host(name), PeerName::Dns(_))).map(
        |(resolver, first)| {
            let is_web = way.ways.starttls.is_none();
            runtime.block_on(dns::ask(resolver, name, target.port(), is_web, Thumbprint::of(first)))
        },
    );
    // A resolver that does not answer is not waited for.
    runtime.shutdown_background();
    let looked =
        looked.map_err(|error| Failure::new(Exit::Unreachable, error.to_string(), error.remedy()))?;
    if looked.chains.is_empty() {
        return Err(nothing_seen(&looked));
    }
    Ok(reports(asked, looked, said, PeerName::host(name)))
}

fn reports(asked: &Asked, looked: Looked, said: Option<Learnt>, host: PeerName) -> Vec<Seen> {
    let Looked { host: seen, chains, .. } = looked;
    let mut question = asked.question.clone();
    question.host.get_or_insert(host);
    let read = |served: &Served| -> Vec<Examinee> {
        served.certificates.iter().map(|der| Examinee::read(der.as_slice())).collect()
    };
    let all: Vec<Vec<Examinee>> = chains.iter().map(read).collect();
    let compared = of_the_file(&all, &asked.side.expected);
    let is_key_of_none =
        |key: &Vec<u8>| !all.iter().any(|one| one.first().is_some_and(|first| fits(first, key)));
    let mut notes = Vec::new();
    if asked.key.as_ref().is_some_and(is_key_of_none) {
        notes.push(Note::new(
            KEY_MISMATCH,
            "the private key is not that of the certificate that the host serves",
        ));
    }
    let one = |(i, (served, certificates)): (usize, (&Served, Vec<Examinee>))| {
        let mut side = asked.side.clone();
        if !compared.contains(&i) {
            side.expected.clear();
        }
        side.stapled = stapled(served.staple.as_deref());
        side.timestamps = delivered(&side.stapled, certificates.first(), served.timestamps.as_deref());
        // The host is told of once, and so is what the DNS says of it.
        if let (0, Some(said)) = (i, &said) {
            side.dns = Some(said.dns.clone());
            side.asked.extend(said.asked.iter().cloned());
        }
        let chain = Chain::served(certificates).with_side_files(side);
        // It is told of with the chain that today's clients get.
        let chain = if i == 0 { chain.with_host(seen.clone()) } else { chain };
        let (report, chain) = judged(asked, &question, chain);
        let name = match i {
            0 => seen.name.clone(),
            _ => format!("{}, another chain, at {}", seen.name, served.addresses.join(" and ")),
        };
        let report = if i == 0 { report.of_file(notes.clone(), Vec::new()) } else { report };
        Seen { name, report, chain: Some(chain) }
    };
    chains.iter().zip(all.clone()).enumerate().map(one).collect()
}

/// Which of the chains are held against the file that the host ought to serve: those with its kind of key, for a host may
/// have a certificate for each; the first where none has.
fn of_the_file(chains: &[Vec<Examinee>], file: &[Examinee]) -> Vec<usize> {
    let kind = |chain: &[Examinee]| Some(chain.first()?.key.as_ref()?.algorithm.oid.clone());
    let same: Vec<usize> =
        (0..chains.len()).filter(|i| chains.get(*i).is_some_and(|one| kind(one) == kind(file))).collect();
    if same.is_empty() { vec![0] } else { same }
}

/// A staple that is no response is none: what is wrong with it, no client learns either.
fn stapled(der: Option<&[u8]>) -> Stapled {
    match der.map(OcspResponse::from_der) {
        Some(Ok(response)) => Stapled::Response(Box::new(response)),
        Some(Err(_)) | None => Stapled::Nothing,
    }
}

/// The timestamps beside the certificate: in the handshake, and in the stapled response. What is no list of them is none.
fn delivered(stapled: &Stapled, first: Option<&Examinee>, list: Option<&[u8]>) -> Delivered {
    let mut all = list.and_then(|list| SignedTimestamp::sent(list).ok()).unwrap_or_default();
    if let (Stapled::Response(response), Some(first)) = (stapled, first) {
        all.extend(response.timestamps_for(first).unwrap_or_default());
    }
    match (all.is_empty(), list) {
        (false, _) => Delivered::Sent(all),
        (true, Some(_)) => Delivered::Nothing,
        (true, None) => Delivered::Unknown,
    }
}

/// Why there is nothing to examine: by the handshake that got furthest, and by the one for the other versions, where that
/// ended in another way.
fn nothing_seen(looked: &Looked) -> Failure {
    let telling = |end: &End| match end {
        End::Unreadable { .. } => 0,
        End::Alert { code } if *code != NOT_SPOKEN => 1,
        End::Slow => 2,
        End::Closed => 3,
        // A version that is not spoken says nothing of the other.
        End::Alert { .. } => 4,
        End::Seen => 5,
    };
    let name = &looked.host.name;
    let Some((at, first)) = looked.host.handshakes().min_by_key(|(_, one)| telling(&one.end)) else {
        let all = looked.host.addresses.iter().map(fault);
        let help = looked.faults.first().map(RouteError::remedy).unwrap_or_default();
        let what = format!("{name} cannot be reached: {}", all.collect::<Vec<_>>().join("; "));
        return Failure::new(Exit::Unreachable, what, help);
    };
    // What cannot be read is told by its first words; the rest by both handshakes, where they ended in different ways.
    let is_told_alone = matches!(first.end, End::Unreadable { .. } | End::Seen);
    let other = at.handshakes.iter().find(|one| one.offered != first.offered && one.end != first.end);
    let ended = match other {
        Some(other) if !is_told_alone => {
            format!("{}{}; {}{}", under(first), words(&first.end), under(other), words(&other.end))
        }
        _ => words(&first.end),
    };
    let what = format!("{name} shows no certificate: {ended} ({})", at.address);
    Failure::new(Exit::Unreachable, what, help(&first.end))
}

/// The alert that says that a version is not spoken.
const NOT_SPOKEN: u8 = 70;

fn under(handshake: &Handshake) -> &'static str {
    match handshake.offered {
        Offer::Tls13 => "under TLS 1.3, ",
        Offer::UpToTls12 => "up to TLS 1.2, ",
    }
}

/// How a handshake without a certificate ended, with the meaning of its alert.
fn words(end: &End) -> String {
    match end {
        End::Alert { code } => match alert::words(*code) {
            Some(words) => format!("{end}: {words}"),
            None => end.to_string(),
        },
        End::Seen => "it ended before any came".into(),
        other => other.to_string(),
    }
}

fn fault(address: &Address) -> String {
    format!("{}: {}", address.address, address.fault.as_deref().unwrap_or("nothing was seen"))
}

fn help(end: &End) -> &'static str {
    match end {
        End::Alert { code: 112 | 40 | 109 } => {
            "see that the name is right: --servername NAME sends another; the server's log says more"
        }
        End::Alert { .. } => "the server's log of this moment says more",
        End::Slow => {
            "the server accepts the connection and says nothing whole: see what else listens on this port"
        }
        End::Closed => "see that TLS is spoken on this port, and what the server's log says of this moment",
        End::Unreadable { .. } => "see that TLS is spoken on this port; the port of HTTPS is 443",
        End::Seen => "see that the server has a certificate for this name",
    }
}

/// The client certificate of a file, with its key out of the same or another file.
fn own(file: &Path, key: Option<&Path>, password: Option<&Path>) -> Result<Own, Failure> {
    let source = source::read(file, password)?;
    if source.input.certificates.is_empty() {
        return Err(source::nothing_in(file, &source.input, "certificate"));
    }
    let help = "give the private key of --cert, unencrypted, with --key FILE";
    let from = key.unwrap_or(file);
    let private = match (&source.pkcs8, key) {
        (Some(pkcs8), None) => PrivateKeyDer::Pkcs8(pkcs8.to_vec().into()),
        _ => {
            let bytes = zeroize::Zeroizing::new(cert::read_bytes(from)?);
            let read = PrivateKeyDer::from_pem_slice(&bytes).ok();
            let read = read.or_else(|| PrivateKeyDer::try_from(bytes.to_vec()).ok());
            read.ok_or_else(|| Failure::usage(format!("{} holds no private key", from.display()), help))?
        }
    };
    let chain: Vec<Examinee> =
        source.input.certificates.iter().map(|der| Examinee::read(der.as_slice())).collect();
    let certificates = chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = CertifiedKey::from_der(certificates, private, &provider).map_err(|error| {
        Failure::usage(format!("{} and {} cannot be shown: {error}", file.display(), from.display()), help)
    })?;
    let kind = format!("{:?}", key.key.algorithm());
    let issuers: Vec<Vec<u8>> = chain.iter().map(|one| one.issuer_der().to_vec()).collect();
    let about = Shown {
        subject: chain[0].subject.as_ref().map(ToString::to_string).unwrap_or_default(),
        issuers: issuers.iter().map(|der| examiner::seen::name_of(der)).collect(),
        key: kind,
        is_issuer_named: None,
        is_key_taken: None,
        outcome: ShownOutcome::NotAsked,
    };
    Ok(Own { key: Arc::new(key), about, issuers })
}
