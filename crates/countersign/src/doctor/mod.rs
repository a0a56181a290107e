//! `countersign doctor`: knocks at the configured listeners from outside and compares what is seen with what should be.

mod knock;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use authority::{CreateOptions, Hierarchy, KeyType, Passphrase, Role, keys};
use policy::issuance::{Plan, Profile, check};
use policy::{ClientAuth, OnRefuse};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;

pub use knock::{Knock, Seen, Shown, knock};

use crate::acme::kept;
use crate::clock;
use crate::config::Settings;
use crate::config::keys::CertificateFile;
use crate::config::site::SiteSettings;
use crate::run::certificates::{self, ADMIN};

/// How long an upstream may take to be reached.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// One knock with what should come of it.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was tried.
    pub tried: String,
    /// What should be seen.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// Whether both agree.
    pub fine: bool,
}

/// What the examination found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The knocks, in their order.
    pub knocks: Vec<Finding>,
    /// Doors that stand open by configuration.
    pub open: Vec<String>,
    /// What is only mentioned: it does not change the exit code.
    pub mentions: Vec<String>,
}

impl Report {
    /// Whether every knock was answered as it should be and no door stands open.
    pub fn is_fine(&self) -> bool {
        self.open.is_empty() && self.knocks.iter().all(|finding| finding.fine)
    }
}

/// Knocks at every site and at the admin address. The stranger's certificate it knocks with is taken out of the pending
/// entries again.
pub async fn examine(settings: &Settings) -> Result<Report, String> {
    let stranger = stranger()?;
    let report = knocks(settings, &stranger).await?;
    if let Err(error) = forget(settings, &stranger).await {
        tracing::debug!(%error, "the stranger's pending entry stays");
    }
    Ok(report)
}

/// Removes the pending entry that the stranger's certificate has left.
async fn forget(settings: &Settings, stranger: &Shown) -> Result<(), registry::RegistryError> {
    let registry = crate::store::open(&settings.state).await?;
    let thumbprint = examiner::Thumbprint::of(&stranger.chain[0]);
    // The gate hands its entries over behind the answer; this one is there within a moment.
    for _ in 0..10 {
        if let Some(entry) = registry.pendings().await?.into_iter().find(|one| one.thumbprint == thumbprint) {
            let actor = registry::Actor { name: "doctor".into() };
            return registry.remove_pending(&entry.id, &actor, "rejected", clock::now()).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn knocks(settings: &Settings, stranger: &Shown) -> Result<Report, String> {
    let mut report = Report { knocks: Vec::new(), open: Vec::new(), mentions: Vec::new() };
    let listen = settings.listen.first().ok_or("no address is listened on")?;
    let address = reachable(*listen);
    for site in settings.sites.values() {
        knock_at(settings, site, address, stranger, &mut report).await;
        open_doors(site, &mut report);
    }
    unknown_names(settings, address, &mut report).await;
    admin(settings, stranger, &mut report).await;
    let passphrase = settings.state.passphrase();
    if passphrase.exists() {
        report.mentions.push(format!(
            "the passphrase of the CA keys lies in {passphrase}: whoever reads it and the keys can issue certificates"
        ));
    }
    Ok(report)
}

async fn knock_at(
    settings: &Settings,
    site: &SiteSettings,
    address: SocketAddr,
    stranger: &Shown,
    report: &mut Report,
) {
    let name = site.name.as_str();
    let expected = own_certificate(settings, site);
    let base = |shown| Knock {
        address,
        servername: Some(name),
        host: name,
        path: "/",
        shown,
        expected: expected.as_deref(),
    };
    let root_open =
        site.paths.iter().any(|rule| rule.prefix.as_str() == "/" && rule.client_auth != ClientAuth::Required);
    if root_open || site.observe_until.is_some_and(|until| clock::now() <= until) {
        // The door stands open by configuration and is named below; a knock would only reach the upstream.
        return;
    }
    let (none, unknown) = match site.on_refuse {
        OnRefuse::Page => (
            vec![answer(site.refuse_status, "no-certificate")],
            vec![answer(site.refuse_status, "unknown-issuer")],
        ),
        OnRefuse::Handshake => (vec!["TLS alert 116".to_owned()], vec!["TLS alert 48".to_owned()]),
    };
    report.add(format!("{name} without a certificate"), &none, knock(base(None)).await);
    report.add(format!("{name} with a stranger's certificate"), &unknown, knock(base(Some(stranger))).await);
    if site.on_refuse == OnRefuse::Page {
        let other = Knock { host: "other.invalid", ..base(None) };
        report.add(
            format!("{name}, asking for another host"),
            &[answer(421, "host-mismatch")],
            knock(other).await,
        );
    }
    upstreams(site, report).await;
}

async fn upstreams(site: &SiteSettings, report: &mut Report) {
    let name = &site.name;
    for (target, reached) in reach(site).await {
        // What is spoken there is told, and any of it is fine.
        let seen = Seen::Broken(reached.map_or_else(|why| why, |_| "reachable".into()));
        report.add(format!("the upstream of {name}, {target}"), &["reachable".to_owned()], seen);
    }
}

/// Whether each upstream of a site can be reached and verified, without a request: what is spoken there, or why not.
pub async fn reach(site: &SiteSettings) -> Vec<(String, Result<&'static str, String>)> {
    let mut all = Vec::new();
    let upstream = site.upstream.load();
    for target in &site.upstream.targets {
        let reached = match &upstream {
            Ok(upstream) => gateway::reach(&site.name, upstream, target, PATIENCE).await,
            Err(error) => Err(error.to_string()),
        };
        all.push((target.to_string(), reached));
    }
    all
}

fn answer(status: u16, code: &str) -> String {
    format!("{status} {code}")
}

fn open_doors(site: &SiteSettings, report: &mut Report) {
    for rule in &site.paths {
        let how = match rule.client_auth {
            ClientAuth::Required => continue,
            ClientAuth::Off => "off",
            ClientAuth::Optional => "optional",
        };
        report.open.push(format!("{}{} is open: client_auth = \"{how}\"", site.name, rule.prefix));
    }
    if let Some(until) = site.observe_until.filter(|until| clock::now() <= *until) {
        report
            .open
            .push(format!("{} only observes until {until}: what would be refused is let through", site.name));
    }
}

async fn unknown_names(settings: &Settings, address: SocketAddr, report: &mut Report) {
    let base = |servername, host| Knock { address, servername, host, path: "/", shown: None, expected: None };
    let unknown = "unknown-name.invalid";
    let alert = ["TLS alert 112".to_owned()];
    report.add("a name that is no site".into(), &alert, knock(base(Some(unknown), unknown)).await);
    if !settings.sites.values().any(|site| site.is_default) {
        report.add("no name at all".into(), &alert, knock(base(None, "localhost")).await);
    }
}

async fn admin(settings: &Settings, stranger: &Shown, report: &mut Report) {
    let address = reachable(settings.admin);
    let (cert, _) = certificates::paths(&settings.state, ADMIN);
    let expected = first_certificate(&cert);
    let base = |path, shown| Knock {
        address,
        servername: Some("localhost"),
        host: "localhost",
        path,
        shown,
        expected: expected.as_deref(),
    };
    report.add("the admin address is ready".into(), &["200".to_owned()], knock(base("/readyz", None)).await);
    let none = [answer(403, "no-certificate")];
    report.add("the admin address without a certificate".into(), &none, knock(base("/", None)).await);
    let unknown = [answer(403, "unknown-issuer")];
    report.add(
        "the admin address with a stranger's certificate".into(),
        &unknown,
        knock(base("/", Some(stranger))).await,
    );
}

impl Report {
    fn add(&mut self, tried: String, expected: &[String], seen: Seen) {
        let seen = seen.to_string();
        let fine = expected.iter().any(|one| seen == *one || seen.starts_with(&format!("{one} ")));
        self.knocks.push(Finding { tried, expected: expected.join(" or "), seen, fine });
    }
}

/// The loopback address behind "all addresses".
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(ip, address.port())
}

fn own_certificate(settings: &Settings, site: &SiteSettings) -> Option<Vec<u8>> {
    match &site.certificate {
        CertificateFile::OwnCa => {
            first_certificate(&certificates::paths(&settings.state, site.name.as_str()).0)
        }
        CertificateFile::Files { cert, .. } => first_certificate(cert),
        CertificateFile::Acme(_) => {
            let ordered = kept::in_use(&settings.state, &site.name, site.acme.as_ref()?);
            let stand_in = || certificates::paths(&settings.state, site.name.as_str()).0;
            first_certificate(&ordered.map_or_else(stand_in, |kept| kept.pair()))
        }
    }
}

fn first_certificate(path: &std::path::Path) -> Option<Vec<u8>> {
    let pem = std::fs::read(path).ok()?;
    examiner::cert::pem::certificates(&pem).ok().map(|all| all[0].der.to_vec())
}

/// A valid client certificate of a CA that nobody knows, made for this one examination.
fn stranger() -> Result<Shown, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let make = || -> Result<Shown, Box<dyn std::error::Error>> {
        let passphrase = Passphrase::generate()?;
        let options = CreateOptions {
            sites: vec!["stranger.invalid".into()],
            key_type: KeyType::EcdsaP256,
            store: authority::KeyStore::Files,
            now: clock::now(),
            organisation: "Stranger".into(),
        };
        let signer = Hierarchy::create(&folder.path().join("ca"), &passphrase, &options)?
            .unlock(Role::Client, &passphrase)?;
        let key = keys::generate(KeyType::EcdsaP256)?;
        let id = "00000000-0000-4000-8000-000000000000";
        let plan =
            Plan::new(Profile::Person, "doctor-stranger", id, key.spki()?, signer.window(), clock::now());
        let issued = signer.issue(&check(plan, signer.window(), clock::now())?)?;
        let chain = std::iter::once(issued.der).chain(issued.chain_der).map(CertificateDer::from).collect();
        Ok(Shown { chain, key: PrivateKeyDer::from_pem_slice(key.to_pem()?.as_bytes())? })
    };
    make().map_err(|error| format!("a stranger's certificate could not be made: {error}"))
}
