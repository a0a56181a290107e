//! A site, validated: its rules, and what the gate does for it.

use std::path::{Path, PathBuf};

use examiner::UnixTime;
use policy::{ClientAuth, HostName, NormalPath, OnRefuse, PathRule, Principal};

use super::acme::{self, Acme};
use super::file::{At, ClientAuthFile, HintsFile, IdentityFile, OnRefuseFile, PathFile, SiteFile, TlsFile};
use super::keys::CertificateFile;
use super::manners;
use super::problem::{Problem, Source};
use super::sizes::HstsFile;
use super::upstream::{self, UpstreamSettings};

/// The longest that a site may observe, in seconds.
pub const OBSERVE_MOST: i64 = 30 * 86_400;

/// What the gate does for a site, besides the decision.
#[derive(Clone, Debug)]
pub struct SiteSettings {
    /// Its host name.
    pub name: HostName,
    /// Where its requests go.
    pub upstream: UpstreamSettings,
    /// Its certificate; paths are absolute.
    pub certificate: CertificateFile,
    /// Where it is ordered, if that is from an ACME server.
    pub acme: Option<Acme>,
    /// How the upstream is told who it is.
    pub identity: Vec<IdentityFile>,
    /// The oldest TLS version.
    pub tls_min: TlsFile,
    /// CA names in the CertificateRequest.
    pub issuer_hints: HintsFile,
    /// The HTTP status of a refusal page.
    pub refuse_status: u16,
    /// Where it stands: `countersign.toml:14`, or `site NAME (registry)`.
    pub origin: String,
    /// Who may enter.
    pub allow: Vec<Principal>,
    /// Who may not.
    pub deny: Vec<Principal>,
    /// How a refusal is told.
    pub on_refuse: OnRefuse,
    /// Until when it observes.
    pub observe_until: Option<UnixTime>,
    /// Rules for paths, the longest prefix first.
    pub paths: Vec<PathRule>,
    /// Whether connections without SNI reach it.
    pub is_default: bool,
    /// Seconds that notBefore may lie ahead.
    pub clock_tolerance: i64,
    /// How long browsers insist on https.
    pub hsts: Option<HstsFile>,
    /// What is done to its requests and answers beside the decision.
    pub manners: gateway::Manners,
}

/// Collects problems and warnings of one site.
pub struct Check<'a> {
    /// The text the site stands in.
    pub source: &'a Source,
    /// What relative paths are relative to.
    pub base: &'a Path,
    /// Now.
    pub now: UnixTime,
    /// What is wrong.
    pub problems: &'a mut Vec<Problem>,
    /// What deserves a second look.
    pub warnings: &'a mut Vec<Problem>,
}

impl Check<'_> {
    /// Validates one site. `None` where something is wrong with it.
    pub fn site(
        &mut self,
        name: &str,
        span: std::ops::Range<usize>,
        file: &SiteFile,
    ) -> Option<SiteSettings> {
        let before = self.problems.len();
        let host = HostName::parse(name)
            .map_err(|e| self.wrong(&span, e.to_string(), "name the site by its host name"))
            .ok();
        if host.as_ref().is_some_and(|host| host.as_str() == super::settings::ADMIN_SITE) {
            self.wrong(&span, format!("`{name}` is the admin address's own name"), "give the site another");
        }
        let upstream = upstream::settings(self, name, &span, file);
        let on_refuse = match file.on_refuse.as_ref().map(|at| *at.get_ref()) {
            Some(OnRefuseFile::Handshake) => OnRefuse::Handshake,
            Some(OnRefuseFile::Page) | None => OnRefuse::Page,
        };
        let paths = self.paths(name, &file.path, on_refuse);
        let observe_until = self.observe_until(file);
        let refuse_status = self.within(
            file.refuse_status.as_ref(),
            400..=599,
            403,
            "refuse_status is an HTTP status of 400 to 599",
        );
        let tolerance = file.clock_tolerance.as_ref();
        let seconds = tolerance.map_or(0, |at| at.get_ref().0);
        if let Some(at) = tolerance.filter(|_| seconds > 300) {
            self.wrong(&at.span(), "clock_tolerance is at most 300 seconds", "correct the clocks instead");
        }
        self.identity(file);
        let (allow, deny) = (self.principals(&file.allow), self.principals(&file.deny));
        let host = host?;
        let acme = acme::acme(self, &host, file.certificate.as_ref());
        let settings = SiteSettings {
            name: host,
            acme,
            upstream,
            certificate: file
                .certificate
                .as_ref()
                .map_or(CertificateFile::OwnCa, |at| self.absolute(at.get_ref())),
            identity: file
                .identity
                .as_ref()
                .map_or(vec![IdentityFile::ClientCert, IdentityFile::Party], |at| at.get_ref().clone()),
            tls_min: file.tls_min.as_ref().map_or(TlsFile::Tls12, |at| *at.get_ref()),
            issuer_hints: file.issuer_hints.as_ref().map_or(HintsFile::Auto, |at| *at.get_ref()),
            refuse_status,
            origin: self.source.line(&span),
            allow,
            deny,
            on_refuse,
            observe_until,
            paths,
            is_default: file.default.as_ref().is_some_and(|at| *at.get_ref()),
            clock_tolerance: seconds,
            hsts: file.hsts.as_ref().map(|at| *at.get_ref()),
            manners: manners::manners(file, on_refuse, self.source, self.problems),
        };
        (self.problems.len() == before).then_some(settings)
    }

    pub(super) fn wrong(&mut self, span: &std::ops::Range<usize>, what: impl Into<String>, help: &str) {
        self.problems.push(self.source.problem(span, what, help));
    }

    fn within(
        &mut self,
        at: Option<&At<u16>>,
        range: std::ops::RangeInclusive<u16>,
        default: u16,
        what: &str,
    ) -> u16 {
        let Some(at) = at else { return default };
        if !range.contains(at.get_ref()) {
            self.wrong(&at.span(), what, "give another, or leave it out for 403");
        }
        *at.get_ref()
    }

    fn absolute(&self, certificate: &CertificateFile) -> CertificateFile {
        let join = |path: &PathBuf| self.base.join(path);
        match certificate {
            CertificateFile::OwnCa => CertificateFile::OwnCa,
            CertificateFile::Files { cert, key } => {
                CertificateFile::Files { cert: join(cert), key: join(key) }
            }
            CertificateFile::Acme(acme) => CertificateFile::Acme(acme.clone()),
        }
    }

    fn identity(&mut self, file: &SiteFile) {
        let Some(at) = &file.identity else { return };
        let named = |one| at.get_ref().contains(&one);
        if named(IdentityFile::Nginx) && named(IdentityFile::Haproxy) {
            let what = "nginx and haproxy both set X-SSL-Client-Verify, each in its own way";
            self.wrong(&at.span(), what, "name the one that the upstream reads");
        }
    }

    fn principals(&mut self, list: &[At<String>]) -> Vec<Principal> {
        let mut all = Vec::new();
        for entry in list {
            match Principal::parse(entry.get_ref()) {
                Ok(principal) => all.push(principal),
                Err(error) => self.wrong(
                    &entry.span(),
                    error.to_string(),
                    "write a party's name, group:NAME or ca:NAME",
                ),
            }
        }
        all
    }

    fn observe_until(&mut self, file: &SiteFile) -> Option<UnixTime> {
        let mode = file.mode.as_ref()?;
        let until = mode.get_ref().observe_until.0;
        if until > self.now.plus(OBSERVE_MOST) {
            let help = format!("choose {} or earlier", self.now.plus(OBSERVE_MOST).date());
            self.wrong(&mode.span(), "observe_until lies more than 30 days ahead", &help);
        } else if until < self.now {
            let warning = self.source.problem(
                &mode.span(),
                "observe_until is over: the site refuses again",
                "remove `mode`",
            );
            self.warnings.push(warning);
        }
        Some(until)
    }

    fn paths(&mut self, site: &str, files: &[At<PathFile>], on_refuse: OnRefuse) -> Vec<PathRule> {
        let mut rules: Vec<PathRule> = Vec::new();
        for at in files {
            let file = at.get_ref();
            let Some(prefix) = &file.prefix else {
                self.wrong(&at.span(), "a path rule has no prefix", "write it like prefix = \"/health\"");
                continue;
            };
            let normal = match NormalPath::parse(prefix.get_ref()) {
                Ok(normal) if !normal.has_parameters() => normal,
                Ok(_) => {
                    self.wrong(&prefix.span(), "a prefix holds no `;`", "name whole segments");
                    continue;
                }
                Err(error) => {
                    self.wrong(&prefix.span(), error.to_string(), "write it like prefix = \"/health\"");
                    continue;
                }
            };
            if rules.iter().any(|rule| rule.prefix == normal) {
                self.wrong(&prefix.span(), format!("there are two rules for {normal}"), "keep one of them");
            }
            let client_auth = self.client_auth(site, file, &normal, on_refuse);
            let allow = file.allow.as_ref().map(|list| self.principals(list));
            let deny = file.deny.as_ref().map(|list| self.principals(list));
            rules.push(PathRule { prefix: normal, allow, deny, client_auth });
        }
        rules.sort_by_key(|rule| std::cmp::Reverse(rule.prefix.as_str().trim_end_matches('/').len()));
        rules
    }

    fn client_auth(
        &mut self,
        site: &str,
        file: &PathFile,
        prefix: &NormalPath,
        on_refuse: OnRefuse,
    ) -> ClientAuth {
        let Some(at) = &file.client_auth else { return ClientAuth::Required };
        let (client_auth, word) = match at.get_ref() {
            ClientAuthFile::Required => return ClientAuth::Required,
            ClientAuthFile::Optional => (ClientAuth::Optional, "optional"),
            ClientAuthFile::Off => (ClientAuth::Off, "off"),
        };
        if on_refuse == OnRefuse::Handshake {
            let what = format!("client_auth = \"{word}\" cannot hold where on_refuse is \"handshake\"");
            self.wrong(&at.span(), what, "use on_refuse = \"page\", or a site of its own for the open paths");
        } else {
            let what = format!("site {site}: {prefix} is open: client_auth = \"{word}\"");
            let warning =
                self.source.problem(&at.span(), what, "remove it where a certificate should be asked for");
            self.warnings.push(warning);
        }
        client_auth
    }
}
