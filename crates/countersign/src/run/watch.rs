//! Files that are renewed while the gate runs: certificates and keys of sites, roots and own certificates for their
//! upstreams, certificates of trusted issuers.
//!
//! Each site, each site's `upstream_tls` and each CA is looked at by itself, and taken whole or not at all: a renewed
//! certificate whose key is not there yet leaves the pair in force as it is, until both fit.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use examiner::Certificate;
use gateway::{GateState, UpstreamTls};
use policy::HostName;
use rustls::sign::CertifiedKey;

use super::certificates;
use crate::acme::kept;
use crate::config::Settings;
use crate::config::keys::CertificateFile;
use crate::config::seen::Seen;

/// What is known of the files. A new one reads each of them at its first look.
#[derive(Default)]
pub struct Watched {
    sites: HashMap<HostName, Watch>,
    upstreams: HashMap<HostName, Watch>,
    cas: HashMap<String, Watch>,
}

/// The files that are taken together.
#[derive(Default)]
struct Watch {
    seen: Option<Vec<Option<Seen>>>,
    /// Why they could not be taken. While there is a reason they are read at each look.
    fault: Option<String>,
}

/// A certificate of a site that takes the place of the one in force.
pub struct Renewed {
    /// The site.
    pub site: HostName,
    /// Certificate and key.
    pub pair: Arc<CertifiedKey>,
    /// Where it was read from.
    pub file: PathBuf,
}

/// What a site's upstreams are verified by, and shown, from now on.
pub struct RenewedTls {
    /// The site.
    pub site: HostName,
    /// Roots, own certificate and key.
    pub tls: Arc<UpstreamTls>,
    /// Where they were read from.
    pub files: Vec<PathBuf>,
}

impl Watch {
    /// Whether they must be read: they are others than at the last look, or could not be taken then.
    fn is_due(&mut self, paths: &[&Path]) -> bool {
        // Before they are read: what changes meanwhile is seen at the next look.
        let now = Some(paths.iter().map(|path| Seen::at(path)).collect());
        let changed = self.seen != now;
        self.seen = now;
        changed || self.fault.is_some()
    }

    /// Notes how reading them went; a reason comes back that was not told yet.
    fn note(&mut self, fault: Option<String>) -> Option<&str> {
        let is_new = fault.is_some() && self.fault != fault;
        self.fault = fault;
        self.fault.as_deref().filter(|_| is_new)
    }
}

impl Watched {
    /// The sites whose files hold another certificate than is shown, with a key that fits it.
    pub fn certificates(&mut self, settings: &Settings, state: &GateState) -> Vec<Renewed> {
        self.sites.retain(|site, _| settings.sites.contains_key(site));
        let mut renewed = Vec::new();
        for (name, site) in &settings.sites {
            let files = match (&site.certificate, &site.acme) {
                (CertificateFile::Files { cert, key }, _) => vec![cert.clone(), key.clone()],
                (CertificateFile::Acme(_), Some(acme)) => kept::watched(&settings.state, name, acme),
                _ => continue,
            };
            let watch = self.sites.entry(name.clone()).or_default();
            if !watch.is_due(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>()) {
                continue;
            }
            let read = match (&site.certificate, &site.acme) {
                (CertificateFile::Files { cert, key }, _) => certificates::load(cert, key).map(Some),
                (_, Some(acme)) => kept::shown(&settings.state, name, acme),
                _ => continue,
            };
            if let Some(fault) = watch.note(read.as_ref().err().map(ToString::to_string)) {
                tracing::warn!(
                    site = %name,
                    fault,
                    "the certificate's files are not taken; the certificate in force stays until both files fit"
                );
            }
            let Ok(Some(pair)) = read else { continue };
            let is_new = |shown: &CertifiedKey| shown.cert != pair.cert || shown.ocsp != pair.ocsp;
            if state.sites.get(name).is_some_and(|shown| is_new(&shown.certificate)) {
                let in_use = site.acme.as_ref().and_then(|acme| kept::in_use(&settings.state, name, acme));
                let file = in_use.map_or_else(|| files[0].clone(), |kept| kept.pair());
                renewed.push(Renewed { site: name.clone(), pair, file });
            }
        }
        renewed
    }

    /// The sites whose files of `upstream_tls` hold something else than is in use, and fit one another.
    pub fn upstreams(&mut self, settings: &Settings, state: &GateState) -> Vec<RenewedTls> {
        self.upstreams.retain(|site, _| settings.sites.contains_key(site));
        let mut renewed = Vec::new();
        for (name, site) in &settings.sites {
            let files = site.upstream.files();
            let watch = self.upstreams.entry(name.clone()).or_default();
            if !watch.is_due(&files) {
                continue;
            }
            let read = site.upstream.load_tls();
            if let Some(fault) = watch.note(read.as_ref().err().map(ToString::to_string)) {
                tracing::warn!(
                    site = %name,
                    fault,
                    "the files of upstream_tls are not taken; what is in use stays until all of them fit"
                );
            }
            let Ok(Some(tls)) = read else { continue };
            let in_use = state.sites.get(name).and_then(|site| site.upstream.tls.as_ref());
            if in_use.is_some_and(|used| *used != tls) {
                let files = files.into_iter().map(Path::to_owned).collect();
                renewed.push(RenewedTls { site: name.clone(), tls, files });
            }
        }
        renewed
    }

    /// Puts the certificates that the files of trusted issuers hold now into the settings; what changed, in words.
    pub fn issuers(&mut self, settings: &mut Settings) -> Vec<String> {
        self.cas.retain(|name, _| settings.cas.contains_key(name));
        let files: Vec<(String, PathBuf)> =
            settings.cas.iter().filter_map(|(name, ca)| Some((name.clone(), ca.file.clone()?))).collect();
        let mut changes = Vec::new();
        for (name, file) in files {
            let watch = self.cas.entry(name.clone()).or_default();
            if !watch.is_due(&[&file]) {
                continue;
            }
            let read = settings.with_ca_again(&name);
            if let Some(fault) = watch.note(read.as_ref().err().map(ToString::to_string)) {
                tracing::error!(
                    ca = name,
                    fault,
                    "the CA's file is not taken; its certificates in force stay"
                );
            }
            if let Ok(Some(other)) = read {
                changes.push(difference(&name, settings, &other));
                *settings = other;
            }
        }
        changes
    }
}

/// What of CA `name` is new and what is gone.
fn difference(name: &str, before: &Settings, after: &Settings) -> String {
    let all = |settings: &Settings| -> Vec<Certificate> {
        let rules = settings.cas.get(name).map(|ca| ca.rules.clone());
        rules.iter().flat_map(|ca| ca.anchors.iter().chain(&ca.intermediates)).cloned().collect()
    };
    let (before, after) = (all(before), all(after));
    let missing = |these: &[Certificate], those: &[Certificate]| {
        let only = these.iter().filter(|one| !those.iter().any(|other| other.thumbprint == one.thumbprint));
        let named: Vec<_> = only.map(|one| format!("{} ({})", one.subject, one.thumbprint)).collect();
        if named.is_empty() { "none".to_owned() } else { named.join(", ") }
    };
    format!(
        "certificates of CA {name} read from its file; added: {}; removed: {}",
        missing(&after, &before),
        missing(&before, &after)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_due_when_one_changed_and_as_long_as_they_cannot_be_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("cert"), folder.path().join("key"));
        std::fs::write(&cert, "1").unwrap();
        let mut watch = Watch::default();
        assert!(watch.is_due(&[&cert, &key]), "the first look reads");
        assert!(!watch.is_due(&[&cert, &key]));
        std::fs::write(&key, "1").unwrap();
        assert!(watch.is_due(&[&cert, &key]), "one came");
        assert_eq!(watch.note(Some("it does not fit".into())), Some("it does not fit"));
        assert!(watch.is_due(&[&cert, &key]), "it was not taken");
        assert_eq!(watch.note(Some("it does not fit".into())), None, "told once");
        assert_eq!(watch.note(None), None);
        assert!(!watch.is_due(&[&cert, &key]), "it was taken");
        std::fs::remove_file(&key).unwrap();
        assert!(watch.is_due(&[&cert, &key]), "one went");
    }

    #[test]
    fn a_link_that_leads_elsewhere_is_another_version() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for version in ["1", "2"] {
            std::fs::create_dir(at(version)).unwrap();
            std::fs::write(at(version).join("cert"), version).unwrap();
        }
        std::os::unix::fs::symlink("1", at("data")).unwrap();
        let mut watch = Watch::default();
        assert!(watch.is_due(&[&at("data/cert")]));
        assert!(!watch.is_due(&[&at("data/cert")]));
        std::os::unix::fs::symlink("2", at("next")).unwrap();
        std::fs::rename(at("next"), at("data")).unwrap();
        assert!(watch.is_due(&[&at("data/cert")]), "the directory's link was swapped");
    }
}
