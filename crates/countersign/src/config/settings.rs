//! What holds: file and registry together, validated.
//!
//! - `server`: where it listens, and who may speak for others.
//! - `union`: the sites and trusted issuers of file and registry.
//! - `references`: rules that name what is not there, groups, and what deserves a second look.
//! - `deciding`: what decides for each site.
//! - `again`: one trusted issuer read again from its file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use examiner::UnixTime;
use policy::{HostName, Records, Site, Snapshot};

use super::addresses::Addresses;
use super::ca::CaSettings;
use super::enrol::{Enrol, enrol};
use super::limits;
use super::notify::{Notify, notify};
use super::problem::{Problem, Problems, Source};
use super::profiles::{Profiles, profiles};
use super::read;
use super::site::SiteSettings;
use super::state::StateDir;
use super::stored::Stored;
use references::{groups, lonely, references, unattached};
use server::server;
use union::{Issuers, all_cas, all_sites};

mod again;
mod deciding;
mod references;
mod server;
mod union;

/// The admin address's name among the sites; it has a listener of its own and is served on no other.
pub const ADMIN_SITE: &str = "admin.countersign.internal";

/// The enrolment address's name among the sites; the same holds for it.
pub const ENROL_SITE: &str = "enrol.countersign.internal";

/// The settings that the program runs on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file they were read from.
    pub file: PathBuf,
    /// Addresses to accept on.
    pub listen: Vec<SocketAddr>,
    /// Address of console, API, metrics and health.
    pub admin: SocketAddr,
    /// Addresses without TLS.
    pub http: Vec<SocketAddr>,
    /// The address where machines renew their certificates.
    pub enrol: Option<Enrol>,
    /// Profiles of certificates beside the built-in ones.
    pub profiles: Profiles,
    /// Who is told that certificates end.
    pub notify: Notify,
    /// Where others find lists and OCSP, as certificates say it.
    pub addresses: Addresses,
    /// Who stands in front and may speak for others.
    pub front: gateway::Front,
    /// Addresses that are not public and may be fetched from.
    pub fetch_private: gateway::networks::Networks,
    /// The state directory.
    pub state: StateDir,
    /// Worker threads; one a processor where absent.
    pub workers: Option<usize>,
    /// Seconds after which a policy that could not be refreshed refuses everybody.
    pub max_stale: i64,
    /// Limits and deadlines of the gate.
    pub limits: gateway::Limits,
    /// The sites by name.
    pub sites: BTreeMap<HostName, SiteSettings>,
    /// The trusted issuers by name, without the own one.
    pub cas: BTreeMap<String, CaSettings>,
    /// Trusted issuers of the configuration that are left out because their file cannot be taken, with the reason.
    pub broken_cas: BTreeMap<String, Problem>,
    /// Groups by name.
    pub groups: BTreeMap<String, Vec<String>>,
    /// How many days of log entries are kept.
    pub retain_days: u32,
    /// Where the access log goes; standard output where absent.
    pub log_file: Option<PathBuf>,
    /// What deserves a second look.
    pub warnings: Vec<Problem>,
    /// What decides for each site, and for the admin address.
    policy: HashMap<HostName, Arc<Site>>,
    /// The text of the file.
    source: Source,
}

impl Settings {
    /// Reads and validates the file at `path`, joined with what the registry holds.
    pub fn load(
        path: &Path,
        state: Option<&StateDir>,
        stored: Option<&Stored>,
        now: UnixTime,
    ) -> Result<Self, Problems> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let help = format!("make one with `countersign init`, or name yours with --config ({error})");
            Problems(vec![Problem { place: name.clone(), what: "cannot be read".into(), help }])
        })?;
        // From the root it would look like a path of some other folder's.
        let here = std::env::current_dir().ok().filter(|here| here.parent().is_some());
        let shown = here.and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
        let shown = shown.strip_prefix(".").unwrap_or(shown);
        Self::parse(&Source::file(shown.display().to_string(), text), path, state, stored, now)
    }

    /// As [`Settings::load`], from a text that stands for the file at `path`.
    pub fn parse(
        source: &Source,
        path: &Path,
        state: Option<&StateDir>,
        stored: Option<&Stored>,
        now: UnixTime,
    ) -> Result<Self, Problems> {
        let base = folder(path);
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let file = read::file(source, &mut problems);
        let sites = all_sites(&file, source, base, stored, now, &mut problems, &mut warnings);
        let state = state.cloned().unwrap_or_else(|| {
            StateDir::at(base.join(file.server.state.clone().unwrap_or_else(|| "state".into())))
        });
        let cas = all_cas(&file, source, (base, &state), stored, &mut problems, &mut warnings);
        let Issuers { taken: cas, broken: broken_cas } = cas;
        references(&file, source, stored, &sites, &cas, &mut problems);
        let server = server(&file.server, &file.log, source, &mut problems);
        let taken: Vec<SocketAddr> =
            server.listen.iter().chain([&server.admin]).chain(&server.http).copied().collect();
        let enrolled = file.enrol.as_ref().and_then(|one| enrol(one, &taken, source, &mut problems));
        super::acme::reachable(&sites, (&server.listen, &server.http), &mut problems, &mut warnings);
        lonely(&sites, stored, &mut warnings);
        unattached(&sites, &cas, &mut warnings);
        let mut settings = Self {
            file: path.to_owned(),
            listen: server.listen,
            admin: server.admin,
            http: server.http,
            enrol: enrolled,
            profiles: profiles(&file, source, &mut problems),
            notify: notify(&file.notify, base, source, &mut problems),
            addresses: server.addresses,
            front: server.front,
            fetch_private: server.fetch_private,
            workers: server.workers,
            max_stale: server.max_stale,
            limits: limits::limits(&file.limits, source, &mut problems),
            state,
            sites,
            cas,
            broken_cas,
            groups: groups(&file, source, &mut problems),
            retain_days: file.log.retain_days.as_ref().map_or(90, |days| *days.get_ref()),
            log_file: file.log.file.as_ref().map(|path| base.join(path)),
            warnings,
            policy: HashMap::new(),
            source: source.clone(),
        };
        match settings.build() {
            Ok(policy) => settings.policy = policy,
            Err(what) => problems.push(Problem { place: source.name.clone(), what, help: String::new() }),
        }
        if problems.is_empty() {
            return Ok(settings);
        }
        problems.extend(settings.broken_cas.into_values());
        Err(Problems(problems))
    }

    /// Everything a decision needs, with these records.
    pub fn snapshot(&self, records: Records, generation: u64) -> Snapshot {
        let groups: HashMap<String, HashSet<String>> =
            self.groups.iter().map(|(name, all)| (name.clone(), all.iter().cloned().collect())).collect();
        let lists: HashMap<_, _> = self
            .cas
            .iter()
            .filter(|(_, ca)| !ca.lists.is_empty())
            .map(|(name, ca)| (name.clone(), ca.in_force()))
            .collect();
        Snapshot {
            generation,
            sites: Arc::new(self.policy.clone()),
            groups: Arc::new(groups),
            lists: Arc::new(lists),
            records,
        }
    }

    /// As [`Settings::load`], and an error too where the file of a CA, a revocation list or a file of `upstream_tls`
    /// cannot be taken. Commands go on without it, so that a partner's broken file keeps nobody from revoking; the gate
    /// neither starts nor reloads with it.
    pub fn load_strictly(
        path: &Path,
        state: Option<&StateDir>,
        stored: Option<&Stored>,
        now: UnixTime,
    ) -> Result<Self, Problems> {
        let settings = Self::load(path, state, stored, now)?;
        let mut faults: Vec<Problem> = settings.broken_cas.values().cloned().collect();
        faults.extend(settings.list_faults());
        faults.extend(settings.sites.values().filter_map(|site| {
            let what = site.upstream.load().err()?.to_string();
            let help = "upstream_tls names the files that https:// upstreams are verified by".into();
            Some(Problem { place: site.origin.clone(), what, help })
        }));
        if faults.is_empty() { Ok(settings) } else { Err(Problems(faults)) }
    }

    /// The revocation lists in files that cannot be taken, with the reason. One that is fetched is not waited for: until
    /// it is there, its issuer's certificates are refused.
    pub fn list_faults(&self) -> Vec<Problem> {
        let all = self.cas.values().flat_map(|ca| &ca.lists).filter(|list| list.url.is_none());
        all.filter_map(|list| list.list.as_ref().err().cloned()).collect()
    }

    /// What decides for one site.
    pub fn policy_site(&self, name: &HostName) -> Option<&Arc<Site>> {
        self.policy.get(name)
    }

    /// The admin address's name among the sites.
    pub fn admin_site() -> HostName {
        HostName::parse(ADMIN_SITE).expect("a constant that tests parse")
    }

    /// The enrolment address's name among the sites.
    pub fn enrol_site() -> HostName {
        HostName::parse(ENROL_SITE).expect("a constant that tests parse")
    }

    /// The directory that paths in the file are relative to.
    fn base(&self) -> &Path {
        folder(&self.file)
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
