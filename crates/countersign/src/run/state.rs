//! Settings and records, made into what the gate runs on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use gateway::{EnrolSite, GateSite, GateState, IdentityHeader, IssuerHints, Upstream};
use policy::issuance::Profile;
use policy::{HostName, OnRefuse, Records};
use rustls::sign::CertifiedKey;

use super::certificates::{self, ADMIN, CertificateError};
use crate::acme::kept;
use crate::config::Settings;
use crate::config::enrol::Enrol;
use crate::config::file::{HintsFile, IdentityFile, TlsFile};
use crate::config::keys::CertificateFile;
use crate::config::site::SiteSettings;
use crate::console;

/// What the gate runs on. Every certificate file is read; one that cannot be is an error, never a site left out. Where
/// there is something to keep, a site keeps the certificate that it shows, and what its upstreams are verified by, as
/// long as the files cannot be taken.
pub fn gate_state(
    settings: &Settings,
    records: Records,
    generation: u64,
    confirmed: &Arc<AtomicI64>,
    kept: Option<(&Settings, &GateState)>,
) -> Result<GateState, CertificateError> {
    let mut sites = HashMap::new();
    for (name, site) in &settings.sites {
        sites.insert(name.clone(), Arc::new(gate_site(settings, site, kept)?));
    }
    let (cert, key) = certificates::paths(&settings.state, ADMIN);
    let admin = GateSite {
        name: Settings::admin_site(),
        upstream: Upstream {
            targets: vec![console::target(&settings.state)],
            tls: None,
            check: None,
            proxied: false,
        },
        certificate: certificates::load(&cert, &key)?,
        tls_min_13: false,
        identity: vec![IdentityHeader::Party],
        issuer_hints: IssuerHints::Known,
        keeps_pending: false,
        refuse_status: 403,
        manners: gateway::Manners { max_body: Some(console::BODY_MOST), ..gateway::Manners::default() },
    };
    let enrol = settings.enrol.as_ref().map(|enrol| enrol_site(settings, enrol)).transpose()?;
    let ordered = settings.sites.values().filter_map(|site| site.acme.as_ref());
    let challenged: HashSet<HostName> = ordered.flat_map(|acme| acme.names.iter().cloned()).collect();
    let default_site: Option<HostName> =
        settings.sites.values().find(|site| site.is_default).map(|site| site.name.clone());
    Ok(GateState {
        snapshot: settings.snapshot(records, generation),
        sites: Arc::new(sites),
        challenged: Arc::new(challenged),
        default_site,
        admin: Some(Arc::new(admin)),
        enrol: enrol.map(Arc::new),
        confirmed: confirmed.clone(),
        max_stale: settings.max_stale,
    })
}

fn enrol_site(settings: &Settings, enrol: &Enrol) -> Result<EnrolSite, CertificateError> {
    let (cert, key) = certificates::paths(&settings.state, enrol.host.as_str());
    let site = GateSite {
        name: Settings::enrol_site(),
        upstream: Upstream { targets: Vec::new(), tls: None, check: None, proxied: false },
        certificate: certificates::load(&cert, &key)?,
        tls_min_13: false,
        identity: Vec::new(),
        issuer_hints: IssuerHints::Known,
        keeps_pending: false,
        refuse_status: 403,
        manners: gateway::Manners::default(),
    };
    let own = settings.profiles.values().map(|own| own.grace_days);
    let grace = Profile::ALL.map(Profile::grace_days).into_iter().chain(own).max().unwrap_or(0);
    Ok(EnrolSite { site: Arc::new(site), host: enrol.host.clone(), grace_seconds: i64::from(grace) * 86_400 })
}

/// What was ordered for a site; until then, the own authority's certificate stands in for it.
fn ordered(settings: &Settings, site: &SiteSettings) -> Result<Arc<CertifiedKey>, CertificateError> {
    let shown = site.acme.as_ref().map(|acme| kept::shown(&settings.state, &site.name, acme)).transpose()?;
    match shown.flatten() {
        Some(shown) => Ok(shown),
        None => stand_in(settings, site),
    }
}

fn stand_in(settings: &Settings, site: &SiteSettings) -> Result<Arc<CertifiedKey>, CertificateError> {
    let (cert, key) = certificates::paths(&settings.state, site.name.as_str());
    certificates::load(&cert, &key)
}

/// The same sites with other records: what a change to parties and certificates comes to.
pub fn with_records(state: &GateState, settings: &Settings, records: Records, generation: u64) -> GateState {
    GateState { snapshot: settings.snapshot(records, generation), ..state.clone() }
}

fn gate_site(
    settings: &Settings,
    site: &SiteSettings,
    kept: Option<(&Settings, &GateState)>,
) -> Result<GateSite, CertificateError> {
    let read = match &site.certificate {
        CertificateFile::OwnCa => stand_in(settings, site),
        CertificateFile::Files { cert, key } => certificates::load(cert, key),
        CertificateFile::Acme(_) => ordered(settings, site),
    };
    let kept =
        kept.and_then(|(before, state)| Some((before.sites.get(&site.name)?, state.sites.get(&site.name)?)));
    let certificate = read.or_else(|error| {
        let shown = kept.filter(|(before, _)| before.certificate == site.certificate);
        let kept = shown.map(|(_, shown)| shown.certificate.clone());
        match &site.certificate {
            // What is ordered is ordered anew where its file is broken: that keeps no gate from starting.
            CertificateFile::Acme(_) if kept.is_none() => {
                tracing::error!(%error, site = %site.name, "the ordered certificate is not taken; the own authority's stands in for it");
                stand_in(settings, site)
            }
            _ => kept.ok_or(error),
        }
    })?;
    let tls = site.upstream.load_tls().or_else(|error| {
        let used = kept.filter(|(before, _)| before.upstream.tls == site.upstream.tls);
        used.and_then(|(_, used)| used.upstream.tls.clone()).map(Some).ok_or(error)
    })?;
    Ok(GateSite {
        name: site.name.clone(),
        upstream: site.upstream.with_tls(tls),
        certificate,
        tls_min_13: site.tls_min == TlsFile::Tls13,
        identity: site.identity.iter().map(identity).collect(),
        issuer_hints: match site.issuer_hints {
            HintsFile::Auto => IssuerHints::Auto,
            HintsFile::None => IssuerHints::None,
            HintsFile::Known => IssuerHints::Known,
        },
        keeps_pending: site.on_refuse == OnRefuse::Page,
        refuse_status: site.refuse_status,
        manners: site.manners.clone(),
    })
}

fn identity(written: &IdentityFile) -> IdentityHeader {
    match written {
        IdentityFile::ClientCert => IdentityHeader::ClientCert,
        IdentityFile::ClientCertChain => IdentityHeader::ClientCertChain,
        IdentityFile::Party => IdentityHeader::Party,
        IdentityFile::Xfcc => IdentityHeader::Xfcc,
        IdentityFile::Nginx => IdentityHeader::Nginx,
        IdentityFile::Haproxy => IdentityHeader::Haproxy,
        IdentityFile::Traefik => IdentityHeader::Traefik,
        IdentityFile::Aws => IdentityHeader::Aws,
        IdentityFile::Azure => IdentityHeader::Azure,
        IdentityFile::ProxyV2 => IdentityHeader::ProxyV2,
    }
}
