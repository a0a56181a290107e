//! `certificate = { acme = … }`: where a site's certificate is ordered, and how.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use policy::HostName;
use serde_json::{Value, json};

use super::file::{AcmeFile, At, ChallengeFile, StagingFile};
use super::keys::CertificateFile;
use super::notify::{self, SecretPlace};
use super::problem::Problem;
use super::site::{Check, SiteSettings};
use crate::fetch::FetchUrl;

/// Directories that have a name: the name, the directory, and the one to try things out.
const KNOWN: [(&str, &str, &str); 1] = [(
    "letsencrypt",
    "https://acme-v02.api.letsencrypt.org/directory",
    "https://acme-staging-v02.api.letsencrypt.org/directory",
)];
/// Names in one certificate.
const MOST_NAMES: usize = 100;
/// The port that tls-alpn-01 is asked at (RFC 8737 section 3).
const HTTPS: u16 = 443;
/// The port that http-01 is asked at (RFC 8555 section 8.3).
const HTTP: u16 = 80;

/// Where a site's certificate is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acme {
    /// The directory that is used: for staging, that of the staging.
    pub directory: FetchUrl,
    /// Whether its certificates are for trying it out alone.
    pub is_staging: bool,
    /// Where the CA may write to, each as `mailto:…`.
    pub contact: Vec<String>,
    /// The names in the certificate, the site's own first.
    pub names: Vec<HostName>,
    /// How the CA is shown that the names lead here; whichever can be had where absent.
    pub challenge: Option<ChallengeFile>,
    /// What binds the account to one that the CA knows.
    pub eab: Option<Eab>,
    /// PEM file of the roots that the server's certificate must lead to; those of the public web where absent.
    pub roots: Option<PathBuf>,
}

/// An external account binding (RFC 8555 section 7.3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eab {
    /// The name of the key.
    pub kid: String,
    /// Where the key is, base64url.
    pub key: SecretPlace,
}

impl Acme {
    /// In the file's words, without secrets.
    pub fn view(&self) -> Value {
        json!({
            "acme": self.directory.to_string(),
            "staging": self.is_staging,
            "contact": self.contact.iter().map(|one| one.trim_start_matches("mailto:")).collect::<Vec<_>>(),
            "names": &self.names[1..],
            "challenge": self.challenge.map(word),
            "eab": self.eab.as_ref().map(|eab| json!({ "kid": eab.kid, "key": eab.key.view() })),
            "roots": self.roots,
        })
    }
}

/// The challenge as the protocol names it.
pub fn word(challenge: ChallengeFile) -> &'static str {
    match challenge {
        ChallengeFile::TlsAlpn => "tls-alpn-01",
        ChallengeFile::Http => "http-01",
    }
}

/// Validates a site's `certificate` where it is `{ acme, … }`.
pub(super) fn acme(
    check: &mut Check<'_>,
    site: &HostName,
    certificate: Option<&At<CertificateFile>>,
) -> Option<Acme> {
    let at = certificate?;
    let CertificateFile::Acme(file) = at.get_ref() else { return None };
    let span = at.span();
    let (directory, is_staging) = match directory(file) {
        Ok(found) => found,
        Err((what, help)) => {
            check.wrong(&span, what, help);
            return None;
        }
    };
    let mut names = vec![site.clone()];
    for name in &file.names {
        match HostName::parse(name) {
            Ok(name) if names.contains(&name) => {
                check.wrong(&span, format!("`{name}` is named twice"), "the site's own name is always in it");
            }
            Ok(name) => names.push(name),
            Err(_) if name.starts_with("*.") => {
                let what = format!("`{}`: a wildcard needs the challenge dns-01", name.escape_debug());
                check.wrong(&span, what, "which this gate does not do: name each host, or use { cert, key }");
            }
            Err(error) => {
                check.wrong(&span, error.to_string(), "name hosts, as names = [\"www.example.com\"]")
            }
        }
    }
    let is_address = |name: &&HostName| {
        name.as_str().starts_with('[') || name.as_str().parse::<std::net::IpAddr>().is_ok()
    };
    if let Some(name) = names.iter().find(is_address) {
        let what = format!("{name} is an address: ACME orders are for host names here");
        check.wrong(&span, what, "use \"own-ca\", or { cert, key }");
    }
    if names.len() > MOST_NAMES {
        let what = format!("{} names in one certificate", names.len());
        check.wrong(&span, what, "100 are the most; ACME servers take no more");
    }
    let contact = file.contact.iter().map(|one| format!("mailto:{one}")).collect();
    if let Some(wrong) = file.contact.iter().find(|one| one.parse::<lettre::Address>().is_err()) {
        let what = format!("`{}` is no mail address", wrong.escape_debug());
        check.wrong(&span, what, "write it like contact = [\"ops@example.com\"]");
    }
    let base = check.base;
    let mut eab = None;
    if let Some(file) = &file.eab {
        if file.kid.is_empty() {
            check.wrong(&span, "eab has no `kid`", "write eab = { kid = \"…\", key = { file = \"…\" } }");
        }
        let mut told = |what: String, help: &str| check.wrong(&span, what, help);
        eab = notify::secret(&file.key, base, &mut told).map(|key| Eab { kid: file.kid.clone(), key });
    }
    if is_staging {
        let what = format!("site {site}: certificates are ordered from {directory}, to try it out");
        let help = "browsers do not take them: remove `staging` once it works";
        check.warnings.push(check.source.problem(&span, what, help));
    }
    Some(Acme {
        directory,
        is_staging,
        contact,
        names,
        challenge: file.challenge,
        eab,
        roots: file.roots.as_ref().map(|path| base.join(path)),
    })
}

/// The directory that is used, and whether it is one for trying things out.
fn directory(file: &AcmeFile) -> Result<(FetchUrl, bool), (String, &'static str)> {
    let known = KNOWN.iter().find(|(name, real, _)| file.acme == *name || file.acme == *real);
    let url = |text: &str| {
        let help = "write it like acme = \"https://acme.example.com/directory\", or acme = \"letsencrypt\"";
        let url = FetchUrl::parse(text).map_err(|what| (what, help))?;
        if url.is_https() { Ok(url) } else { Err((format!("{url} is not https://"), help)) }
    };
    let real = url(known.map_or(file.acme.as_str(), |(_, real, _)| real))?;
    match (&file.staging, known) {
        (StagingFile::Switch(false), _) => Ok((real, false)),
        (StagingFile::Switch(true), Some((_, _, staging))) => Ok((url(staging)?, true)),
        (StagingFile::Switch(true), None) => Err((
            format!("no staging of {real} is known"),
            "name its directory: staging = \"https://…/directory\"",
        )),
        (StagingFile::Directory(text), _) => Ok((url(text)?, true)),
    }
}

/// Whether http-01 is the one to be tried first: where the gate listens on its port, and not on that of tls-alpn-01.
pub fn prefers_http(https: &[SocketAddr], http: &[SocketAddr]) -> bool {
    https.iter().all(|one| one.port() != HTTPS) && http.iter().any(|one| one.port() == HTTP)
}

/// Whether a CA can get here by the challenge that is to be used.
pub(super) fn reachable(
    sites: &BTreeMap<HostName, SiteSettings>,
    (https, http): (&[SocketAddr], &[SocketAddr]),
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) {
    for site in sites.values() {
        let Some(acme) = &site.acme else { continue };
        let told = |what: String, help: String| Problem { place: site.origin.clone(), what, help };
        let by_http = match acme.challenge {
            Some(ChallengeFile::Http) if http.is_empty() => {
                let what =
                    format!("site {}: http-01 is asked on port 80, and [server] http is empty", site.name);
                problems.push(told(what, "write http = [\"0.0.0.0:80\"] under [server]".into()));
                continue;
            }
            Some(ChallengeFile::Http) => true,
            Some(ChallengeFile::TlsAlpn) => false,
            None => prefers_http(https, http),
        };
        let (port, all) = if by_http { (HTTP, http) } else { (HTTPS, https) };
        if all.iter().all(|one| one.port() != port) {
            let challenge = word(if by_http { ChallengeFile::Http } else { ChallengeFile::TlsAlpn });
            let what = format!(
                "site {}: the CA asks by {challenge} on port {port}, and nothing listens there",
                site.name
            );
            let help = format!("listen there, or have port {port} of the public address lead here");
            warnings.push(told(what, help));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(acme: &str, staging: StagingFile) -> AcmeFile {
        AcmeFile { acme: acme.into(), staging, ..AcmeFile::default() }
    }

    #[test]
    fn the_staging_of_a_known_directory_is_a_switch_and_any_other_is_named() {
        let of = |acme: &str, staging| directory(&file(acme, staging)).map(|(url, is)| (url.to_string(), is));
        let (on, off) = (StagingFile::Switch(true), StagingFile::Switch(false));
        let (name, real, staging) = KNOWN[0];
        for text in [name, real] {
            assert_eq!(of(text, off.clone()), Ok((real.to_owned(), false)));
            assert_eq!(of(text, on.clone()), Ok((staging.to_owned(), true)));
        }
        let own = "https://acme.lab.test/directory";
        assert_eq!(of(own, off.clone()), Ok((own.to_owned(), false)));
        assert!(of(own, on).is_err());
        let other = "https://staging.lab.test/directory";
        assert_eq!(of(own, StagingFile::Directory(other.into())), Ok((other.to_owned(), true)));
        for text in ["http://acme.lab.test/directory", "acme.lab.test", ""] {
            assert!(of(text, off.clone()).is_err(), "{text}");
        }
    }
}
