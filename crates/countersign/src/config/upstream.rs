//! Where a site's requests go, validated.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gateway::{HealthCheck, Scheme, Target, Upstream, UpstreamTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::file::{HealthCheckFile, IdentityFile, SiteFile, UpstreamTlsFile};
use super::read;
use super::site::Check;
use crate::run::certificates::{self, CertificateError};

/// The most upstreams of one site.
const MOST: usize = 16;

/// Where a site's requests go. Files are named here; they are read by [`UpstreamSettings::load`].
#[derive(Clone, Debug, Default)]
pub struct UpstreamSettings {
    /// At least one.
    pub targets: Vec<Target>,
    /// How `https://` ones are verified; paths are absolute.
    pub tls: UpstreamTlsFile,
    /// How they are asked whether they are well.
    pub check: Option<HealthCheck>,
    /// Whether it wants a PROXY header first, as `identity` says.
    pub proxied: bool,
}

/// One upstream's address; an error says what is wrong with it.
pub fn target(text: &str) -> Result<Target, String> {
    text.parse()
}

/// What a site's file says of its upstreams.
pub fn settings(check: &mut Check<'_>, name: &str, span: &Range<usize>, file: &SiteFile) -> UpstreamSettings {
    let help = "write it like upstream = \"http://127.0.0.1:3000\"";
    let mut targets: Vec<Target> = Vec::new();
    let Some(at) = &file.upstream else {
        let path = if check.source.lines { &["site", name][..] } else { &[] };
        if !read::is_told::<SiteFile>(check.source, check.problems, path, "upstream") {
            check.wrong(span, format!("site `{}` has no upstream", name.escape_debug()), help);
        }
        return UpstreamSettings::default();
    };
    for text in &at.get_ref().0 {
        match target(text) {
            Ok(target) if targets.contains(&target) => {
                check.wrong(&at.span(), format!("upstream {target} is listed twice"), "keep one of them");
            }
            Ok(target) => targets.push(target),
            Err(what) => check.wrong(&at.span(), what, help),
        }
    }
    match at.get_ref().0.len() {
        0 => check.wrong(&at.span(), format!("site `{}` has no upstream", name.escape_debug()), help),
        count if count > MOST => {
            check.wrong(
                &at.span(),
                format!("{count} upstreams are more than {MOST}"),
                "put a balancer behind the site",
            );
        }
        _ => {}
    }
    let proxied = file.identity.as_ref().is_some_and(|all| all.get_ref().contains(&IdentityFile::ProxyV2));
    UpstreamSettings { tls: tls(check, &targets, file), check: health(check, file), targets, proxied }
}

fn tls(check: &mut Check<'_>, targets: &[Target], file: &SiteFile) -> UpstreamTlsFile {
    let Some(at) = &file.upstream_tls else { return UpstreamTlsFile::default() };
    let written = at.get_ref();
    if !targets.is_empty() && !targets.iter().any(|target| target.scheme == Scheme::Https) {
        check.wrong(&at.span(), "upstream_tls has no effect: no upstream begins with https://", "remove it");
    }
    if written.cert.is_some() != written.key.is_some() {
        check.wrong(&at.span(), "upstream_tls needs cert and key together", "name both files, or neither");
    }
    if let Some(name) = &written.servername
        && UpstreamTls::new(&[], None, Some(name)).is_err()
    {
        check.wrong(
            &at.span(),
            format!("`{}` is no host name", name.escape_debug()),
            "write it like app.internal",
        );
    }
    let join = |path: &Option<PathBuf>| path.as_ref().map(|path| check.base.join(path));
    UpstreamTlsFile {
        roots: join(&written.roots),
        cert: join(&written.cert),
        key: join(&written.key),
        servername: written.servername.clone(),
    }
}

fn health(check: &mut Check<'_>, file: &SiteFile) -> Option<HealthCheck> {
    let at = file.health_check.as_ref()?;
    let HealthCheckFile { path, interval, status } = at.get_ref();
    if !path.starts_with('/') || path.parse::<http::uri::PathAndQuery>().is_err() {
        let what = format!("`{}` is no path", path.escape_debug());
        check.wrong(&at.span(), what, "write it like path = \"/health\"");
    }
    if !(1..=3600).contains(&interval.0) {
        check.wrong(&at.span(), "interval is 1 second to 1 hour", "leave it out for 10 s");
    }
    let Some(status) =
        http::StatusCode::from_u16(*status).ok().filter(|status| (200..600).contains(&status.as_u16()))
    else {
        check.wrong(&at.span(), "status is an HTTP status of 200 to 599", "leave it out for 200");
        return None;
    };
    let seconds = u64::try_from(interval.0).unwrap_or(1);
    Some(HealthCheck { path: path.clone(), interval: Duration::from_secs(seconds), status })
}

impl UpstreamSettings {
    /// What the gate runs on; the files of `upstream_tls` are read.
    pub fn load(&self) -> Result<Upstream, CertificateError> {
        Ok(self.with_tls(self.load_tls()?))
    }

    /// The same with files that were read before.
    pub fn with_tls(&self, tls: Option<Arc<UpstreamTls>>) -> Upstream {
        Upstream { targets: self.targets.clone(), tls, check: self.check.clone(), proxied: self.proxied }
    }

    /// What the files of `upstream_tls` hold now; `None` where no upstream begins with `https://`.
    pub fn load_tls(&self) -> Result<Option<Arc<UpstreamTls>>, CertificateError> {
        let is_spoken = self.targets.iter().any(|target| target.scheme == Scheme::Https);
        if is_spoken { self.read_tls().map(|tls| Some(Arc::new(tls))) } else { Ok(None) }
    }

    /// The files of `upstream_tls`: roots, own certificate, its key.
    pub fn files(&self) -> Vec<&Path> {
        let UpstreamTlsFile { roots, cert, key, servername: _ } = &self.tls;
        [roots, cert, key].into_iter().flatten().map(PathBuf::as_path).collect()
    }

    fn read_tls(&self) -> Result<UpstreamTls, CertificateError> {
        let UpstreamTlsFile { roots, cert, key, servername } = &self.tls;
        let certificates = match roots {
            Some(path) => read_roots(path)?,
            None => webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec(),
        };
        let own = match (cert, key) {
            (Some(cert), Some(key)) => Some(certificates::load(cert, key)?),
            _ => None,
        };
        UpstreamTls::new(&certificates, own, servername.as_deref()).map_err(|error| {
            CertificateError::Content {
                path: roots.clone().unwrap_or_default(),
                what: format!("cannot verify an upstream: {error}"),
            }
        })
    }

    /// In the file's words.
    pub fn view(&self) -> Value {
        match &*self.targets {
            [one] => json!(one.to_string()),
            all => json!(all.iter().map(ToString::to_string).collect::<Vec<_>>()),
        }
    }

    /// The same in one line.
    pub fn text(&self) -> String {
        self.targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// `upstream_tls` in the file's words, where there is anything in it.
    pub fn tls_view(&self) -> Option<Value> {
        let UpstreamTlsFile { roots, cert, key, servername } = &self.tls;
        (self.tls != UpstreamTlsFile::default())
            .then(|| json!({ "roots": roots, "cert": cert, "key": key, "servername": servername }))
    }

    /// `health_check` in the file's words.
    pub fn check_view(&self) -> Option<Value> {
        let check = self.check.as_ref()?;
        Some(json!({
            "path": check.path,
            "interval": check.interval.as_secs(),
            "status": check.status.as_u16(),
        }))
    }
}

fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let bytes =
        std::fs::read(path).map_err(|source| CertificateError::Read { path: path.to_owned(), source })?;
    let wrong = |what: String| CertificateError::Content { path: path.to_owned(), what };
    let all: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(error.to_string()))?;
    if all.is_empty() { Err(wrong("the file holds no CERTIFICATE block".into())) } else { Ok(all) }
}
