//! Where each site's certificate is from, until when it holds, when it is renewed, and what stands against that.

use examiner::UnixTime;
use policy::HostName;
use serde::Serialize;

use super::{PATIENCE, SOON};
use crate::acme::kept::{Attempt, Kept};
use crate::acme::renewal;
use crate::config::Settings;
use crate::config::acme::Acme;
use crate::config::keys::CertificateFile;
use crate::config::site::SiteSettings;
use crate::run::certificates;

/// So many failures in a row call for attention while the certificate at hand is good.
const FAILURES: u32 = 3;

/// A site's certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Shown {
    site: HostName,
    /// `own-ca`, `files` or `acme`.
    source: &'static str,
    /// The directory it is ordered from.
    directory: Option<String>,
    /// Whether that is for trying it out.
    staging: bool,
    /// The end of the certificate at hand; for one by ACME, of the ordered one.
    until: Option<UnixTime>,
    /// When it is renewed.
    renewal: Option<UnixTime>,
    /// Why the server wants it renewed then.
    explanation: Option<String>,
    /// By which challenge it was had.
    challenge: Option<String>,
    /// Attempts that failed, one after the other.
    failures: u32,
    /// Why the last one did.
    fault: Option<String>,
    /// What to do about it.
    help: Option<String>,
    /// When it is tried again.
    next: Option<UnixTime>,
    /// Why no OCSP response is shown with it, where it names who gives one.
    staple_fault: Option<String>,
    /// What is wrong with the file of the ordered certificate.
    broken: Option<String>,
}

/// Those of all sites.
pub(super) fn all(settings: &Settings) -> Vec<Shown> {
    settings.sites.values().map(|site| Shown::of(settings, site)).collect()
}

impl Shown {
    fn of(settings: &Settings, site: &SiteSettings) -> Self {
        match (&site.certificate, &site.acme) {
            (CertificateFile::Acme(_), Some(acme)) => Self::ordered(settings, site, acme),
            (CertificateFile::Files { cert, .. }, _) => Self::at(site, "files", cert),
            _ => Self::at(site, "own-ca", &certificates::paths(&settings.state, site.name.as_str()).0),
        }
    }

    fn nothing(site: &SiteSettings, source: &'static str) -> Self {
        Self {
            site: site.name.clone(),
            source,
            directory: None,
            staging: false,
            until: None,
            renewal: None,
            explanation: None,
            challenge: None,
            failures: 0,
            fault: None,
            help: None,
            next: None,
            staple_fault: None,
            broken: None,
        }
    }

    fn at(site: &SiteSettings, source: &'static str, path: &std::path::Path) -> Self {
        let read = std::fs::read(path).ok();
        let all = read.and_then(|bytes| examiner::cert::pem::certificates(&bytes).ok());
        let first = all.as_ref().and_then(|all| all.first());
        let is_own = source == "own-ca";
        Self {
            until: first.map(|one| one.not_after),
            renewal: first.filter(|_| is_own).map(|one| renewal::at(one, None)),
            ..Self::nothing(site, source)
        }
    }

    fn ordered(settings: &Settings, site: &SiteSettings, acme: &Acme) -> Self {
        let kept = Kept::new(&settings.state, &site.name, acme);
        let (last, read) = (kept.last(), kept.read());
        let got = last.as_ref().and_then(|last| last.got.clone());
        let advice = got.as_ref().and_then(|got| got.advice.clone());
        let Attempt { failures, fault, help, next, .. } =
            last.unwrap_or_else(|| Attempt { failures: 0, ..Attempt::succeeded(acme, "", UnixTime(0)) });
        let certificate = read.as_ref().ok().map(|pair| &pair.certificate);
        Self {
            directory: Some(acme.directory.to_string()),
            staging: acme.is_staging,
            until: certificate.map(|one| one.not_after),
            renewal: certificate.map(|one| renewal::at(one, advice.as_ref())),
            explanation: advice.and_then(|advice| advice.explanation),
            challenge: got.as_ref().map(|got| got.challenge.clone()),
            failures,
            fault,
            help,
            next: (failures > 0).then_some(next),
            staple_fault: got.and_then(|got| got.staple_fault),
            broken: read.err().filter(|_| kept.pair().exists()).map(|error| error.to_string()),
            ..Self::nothing(site, "acme")
        }
    }

    /// Why the last attempts to order it failed, and when it is tried again.
    fn failing(&self) -> Option<String> {
        let fault = self.fault.as_ref().filter(|_| self.failures > 0)?;
        let help = self.help.as_deref().unwrap_or_default();
        let next = self.next.map_or_else(String::new, |next| format!("; tried again at {next}"));
        let times =
            if self.failures == 1 { String::new() } else { format!(", {} times in a row", self.failures) };
        Some(format!("{fault}{times}{next}; help: {help}"))
    }

    /// What somebody should see to.
    pub(super) fn attention(&self, now: UnixTime) -> Option<String> {
        if self.source != "acme" {
            return None;
        }
        let what = format!("certificate of {}", self.site);
        if let Some(broken) = &self.broken {
            return Some(format!(
                "{what}: {broken}; it is ordered anew, and a running gate keeps the last good one"
            ));
        }
        let failing = self.failing();
        let why = failing.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        match (self.until, self.renewal) {
            (None, _) if failing.is_some() => {
                Some(format!("{what}: there is none by ACME yet, the own authority's stands in for it{why}"))
            }
            (Some(until), _) if until < now => Some(format!("{what} ended at {until}{why}")),
            (Some(until), Some(renewal)) if renewal.plus(PATIENCE) < now || self.failures >= FAILURES => {
                let ends = if until < now.plus(SOON) { "ends" } else { "holds until" };
                Some(format!("{what} should have been renewed; it {ends} {until}{why}"))
            }
            _ => None,
        }
    }

    /// What is good to know.
    pub(super) fn mention(&self, now: UnixTime) -> Option<String> {
        if self.source != "acme" || self.attention(now).is_some() {
            return None;
        }
        let (what, directory) = (format!("certificate of {}", self.site), self.directory.as_deref()?);
        let tried = if self.staging { ", to try it out" } else { "" };
        let failing =
            self.failing().map_or_else(String::new, |why| format!("; the last attempt failed: {why}"));
        let staple =
            self.staple_fault.as_ref().map_or_else(String::new, |why| format!("; no OCSP response: {why}"));
        Some(match (self.until, self.renewal) {
            (Some(until), Some(renewal)) => format!(
                "{what} by ACME from {directory}{tried}: until {until}, renewed from {renewal}{failing}{staple}"
            ),
            _ => format!(
                "{what} is ordered from {directory}{tried}; until it is there the own authority's stands in"
            ),
        })
    }
}
