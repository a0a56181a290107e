//! What holds: file and registry together, validated.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use examiner::UnixTime;
use policy::verify::{Anchor, AnchorSet};
use policy::{Admission, Ca, HostName, OnRefuse, Principal, Records, Site, Snapshot, site::Audience};

use super::ca::{self, CaSettings, Certificates};
use super::file::{At, File, LogFile, ServerFile, SiteFile};
use super::limits;
use super::manners;
use super::problem::{Problem, Problems, Source};
use super::read;
use super::site::{Check, SiteSettings};
use super::state::StateDir;
use super::stored::Stored;

mod again;

/// The admin address's name among the sites; it has a listener of its own and is served on no other.
pub const ADMIN_SITE: &str = "admin.countersign.internal";

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
        let shown = path.strip_prefix(std::env::current_dir().unwrap_or_default()).unwrap_or(path);
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
        references(&file, source, stored, &sites, &cas, &mut problems);
        let server = server(&file.server, &file.log, source, &mut problems);
        lonely(&sites, stored, &mut warnings);
        unattached(&sites, &cas, &mut warnings);
        let mut settings = Self {
            file: path.to_owned(),
            listen: server.listen,
            admin: server.admin,
            http: server.http,
            front: server.front,
            fetch_private: server.fetch_private,
            workers: server.workers,
            max_stale: server.max_stale,
            limits: limits::limits(&file.limits, source, &mut problems),
            state,
            sites,
            cas,
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
        if problems.is_empty() { Ok(settings) } else { Err(Problems(problems)) }
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

    /// As [`Settings::load`], and an error too where a revocation list or a file of `upstream_tls` cannot be taken. Commands go on without it, so
    /// that a partner's broken file keeps nobody from revoking; the gate neither starts nor reloads with it.
    pub fn load_strictly(
        path: &Path,
        state: Option<&StateDir>,
        stored: Option<&Stored>,
        now: UnixTime,
    ) -> Result<Self, Problems> {
        let settings = Self::load(path, state, stored, now)?;
        let mut faults = settings.list_faults();
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

    /// The directory that paths in the file are relative to.
    fn base(&self) -> &Path {
        folder(&self.file)
    }

    fn build(&self) -> Result<HashMap<HostName, Arc<Site>>, String> {
        let own = own_ca(&self.state.client_ca(), policy::ca::OWN_CA)?;
        let mut all = HashMap::new();
        for (name, site) in &self.sites {
            let mut anchors: Vec<Anchor> =
                own.iter().map(|ca| Anchor { ca: ca.clone(), admits: true }).collect();
            for (ca, settings) in &self.cas {
                let attached = settings.sites.contains(name);
                let denies = |list: &[Principal]| {
                    list.iter().any(|p| matches!(p, Principal::Ca(named) if named == ca))
                };
                let denied = denies(&site.deny)
                    || site.paths.iter().any(|rule| rule.deny.as_deref().is_some_and(denies));
                if attached || denied {
                    anchors.push(Anchor { ca: settings.rules.clone(), admits: attached });
                }
            }
            all.insert(name.clone(), Arc::new(site.rules(AnchorSet::new(anchors)?)));
        }
        let operators = own_ca(&self.state.operator_ca(), policy::ca::OWN_CA)?;
        let anchors = operators.into_iter().map(|ca| Anchor { ca, admits: true }).collect();
        let admin = Site {
            name: Self::admin_site(),
            audience: Audience::Operators,
            allow: Vec::new(),
            deny: Vec::new(),
            on_refuse: OnRefuse::Page,
            observe_until: None,
            paths: Vec::new(),
            anchors: Arc::new(AnchorSet::new(anchors)?),
            is_default: false,
            clock_tolerance: 0,
        };
        all.insert(admin.name.clone(), Arc::new(admin));
        Ok(all)
    }
}

impl SiteSettings {
    fn rules(&self, anchors: AnchorSet) -> Site {
        Site {
            name: self.name.clone(),
            audience: Audience::Parties,
            allow: self.allow.clone(),
            deny: self.deny.clone(),
            on_refuse: self.on_refuse,
            observe_until: self.observe_until,
            paths: self.paths.clone(),
            anchors: Arc::new(anchors),
            is_default: self.is_default,
            clock_tolerance: self.clock_tolerance,
        }
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The own authority's CA as a trust anchor, in all generations that are trusted; `None` before there is one.
fn own_ca(paths: &[PathBuf], name: &str) -> Result<Option<Arc<Ca>>, String> {
    let mut anchors = Vec::new();
    for path in paths {
        let shown = path.display();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("{shown} cannot be read: {error}")),
        };
        let read = examiner::cert::pem::certificates(&bytes).map_err(|error| format!("{shown}: {error}"))?;
        anchors.extend(read);
    }
    if anchors.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(Ca {
        name: name.to_owned(),
        anchors,
        intermediates: Vec::new(),
        admission: Admission::OnRecord,
        name_from: None,
        without_client_usage_until: None,
    })))
}

struct Server {
    listen: Vec<SocketAddr>,
    admin: SocketAddr,
    http: Vec<SocketAddr>,
    front: gateway::Front,
    fetch_private: gateway::networks::Networks,
    workers: Option<usize>,
    max_stale: i64,
}

fn server(file: &ServerFile, log: &LogFile, source: &Source, problems: &mut Vec<Problem>) -> Server {
    if let Some(at) = file.http3.as_ref().filter(|at| *at.get_ref()) {
        let what = "http3 is refused: client certificates over QUIC are not enforced by this gate, so the door would be open";
        problems.push(source.problem(&at.span(), what, "remove it; HTTP/1.1 and HTTP/2 are served"));
    }
    let everywhere = || vec![SocketAddr::from(([0, 0, 0, 0], 443)), SocketAddr::from(([0u16; 8], 443))];
    let listen: Vec<SocketAddr> =
        file.listen.as_ref().map_or_else(everywhere, |all| all.iter().map(|at| *at.get_ref()).collect());
    let admin = file.admin.as_ref().map_or(SocketAddr::from(([127, 0, 0, 1], 9443)), |at| *at.get_ref());
    for (i, at) in file.listen.iter().flatten().enumerate() {
        if listen[..i].contains(at.get_ref()) || *at.get_ref() == admin {
            problems.push(source.problem(
                &at.span(),
                format!("{} is listed twice", at.get_ref()),
                "give each its own port",
            ));
        }
    }
    if listen.is_empty() {
        problems.push(source.problem(&(0..0), "listen is empty", "write it like listen = [\"0.0.0.0:443\"]"));
    }
    if let Some(at) = file.workers.as_ref().filter(|at| !(1..=1024).contains(at.get_ref())) {
        problems.push(source.problem(&at.span(), "workers is 1 to 1024", "leave it out for one a processor"));
    }
    if let Some(at) = file.max_stale.as_ref().filter(|at| at.get_ref().0 < 5) {
        problems.push(source.problem(&at.span(), "max_stale is at least 5 seconds", "leave it out for 24h"));
    }
    if let Some(at) = log.retain_days.as_ref().filter(|at| *at.get_ref() < 1) {
        let help = "leave it out for 90; entries that are older are deleted";
        problems.push(source.problem(&at.span(), "retain_days is at least 1", help));
    }
    let http: Vec<SocketAddr> = file.http.iter().map(|at| *at.get_ref()).collect();
    for (i, at) in file.http.iter().enumerate() {
        let address = at.get_ref();
        if http[..i].contains(address) || listen.contains(address) || *address == admin {
            let what = format!("{address} is listed twice");
            problems.push(source.problem(&at.span(), what, "give each its own port"));
        }
    }
    let front = gateway::Front {
        proxy_protocol: manners::networks(&file.proxy_protocol, source, problems),
        trusted_proxies: manners::networks(&file.trusted_proxies, source, problems),
    };
    Server {
        listen,
        admin,
        http,
        front,
        fetch_private: manners::networks(&file.fetch_private, source, problems),
        workers: file.workers.as_ref().map(|at| *at.get_ref() as usize),
        max_stale: file.max_stale.as_ref().map_or(86_400, |at| at.get_ref().0),
    }
}

fn all_sites(
    file: &File,
    source: &Source,
    base: &Path,
    stored: Option<&Stored>,
    now: UnixTime,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> BTreeMap<HostName, SiteSettings> {
    let mut all: BTreeMap<HostName, SiteSettings> = BTreeMap::new();
    let mut default: Option<String> = None;
    let mut add =
        |name: &str, span: std::ops::Range<usize>, check: &mut Check<'_>, site: Option<SiteSettings>| {
            let Some(site) = site else { return };
            if let Some(other) = all.get(&site.name) {
                let what = format!("site {} stands here and in {}", name.escape_debug(), other.origin);
                check.problems.push(check.source.problem(&span, what, "remove one of the two"));
                return;
            }
            if site.is_default
                && let Some(other) = default.replace(site.name.to_string())
            {
                let what = format!("{} and {other} are both default", site.name);
                let help = "one site can take connections without SNI";
                check.problems.push(check.source.problem(&span, what, help));
            }
            all.insert(site.name.clone(), site);
        };
    for (name, site) in &file.site {
        let mut check = Check { source, base, now, problems: &mut *problems, warnings: &mut *warnings };
        let checked = check.site(name.get_ref(), name.span(), site);
        add(name.get_ref(), name.span(), &mut check, checked);
    }
    for one in stored.iter().flat_map(|stored| &stored.sites) {
        let source = Source::registry(format!("site {} (registry)", one.name), one.settings.clone());
        let site = read::site(&source, problems);
        let mut check =
            Check { source: &source, base, now, problems: &mut *problems, warnings: &mut *warnings };
        let checked = check.site(&one.name, 0..0, &site);
        add(&one.name, 0..0, &mut check, checked);
    }
    all
}

fn all_cas(
    file: &File,
    source: &Source,
    folders: (&Path, &StateDir),
    stored: Option<&Stored>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> BTreeMap<String, CaSettings> {
    let mut all: BTreeMap<String, CaSettings> = BTreeMap::new();
    for (name, ca) in &file.ca {
        let from = Certificates::File(folders.0);
        if let Some(ca) =
            ca::settings(name.get_ref(), ca, from, folders, (source, name.span()), problems, warnings)
        {
            all.insert(name.get_ref().clone(), ca);
        }
    }
    for one in stored.iter().flat_map(|stored| &stored.cas) {
        let source = Source::registry(format!("CA {} (registry)", one.name), one.settings.clone());
        let file = read::ca(&source, problems);
        let from = Certificates::Text(&one.pem);
        let Some(mut ca) = ca::settings(&one.name, &file, from, folders, (&source, 0..0), problems, warnings)
        else {
            continue;
        };
        ca.sites.extend(one.sites.iter().filter_map(|site| HostName::parse(site).ok()));
        if let Some(other) = all.get(&one.name) {
            let what = format!("CA {} stands here and in {}", one.name, other.origin);
            problems.push(source.problem(&(0..0), what, "remove one of the two"));
            continue;
        }
        all.insert(one.name.clone(), ca);
    }
    all
}

/// Rules that name what is not there.
fn references(
    file: &File,
    source: &Source,
    stored: Option<&Stored>,
    sites: &BTreeMap<HostName, SiteSettings>,
    cas: &BTreeMap<String, CaSettings>,
    problems: &mut Vec<Problem>,
) {
    let known_site = |text: &str| HostName::parse(text).is_ok_and(|host| sites.contains_key(&host));
    let spelled = |text: &str| file.site.keys().any(|name| name.get_ref() == text);
    for at in file
        .ca
        .values()
        .flat_map(|ca| &ca.sites)
        .filter(|at| !known_site(at.get_ref()) && !spelled(at.get_ref()))
    {
        problems.push(source.problem(
            &at.span(),
            format!("there is no site `{}`", at.get_ref().escape_debug()),
            "add the site, or remove it here",
        ));
    }
    let known_group = |name: &str| file.group.keys().any(|key| key.get_ref() == name);
    let known_ca = |name: &str| {
        name == policy::ca::OWN_CA
            || cas.contains_key(name)
            || file.ca.keys().any(|key| key.get_ref() == name)
            || stored.is_some_and(|stored| stored.cas.iter().any(|ca| ca.name == name))
    };
    let mut lists = |site: &SiteFile, source: &Source| {
        let paths = site.path.iter().map(At::get_ref);
        let paths = paths.flat_map(|path| path.allow.iter().chain(&path.deny).flatten());
        for at in site.allow.iter().chain(&site.deny).chain(paths) {
            let missing = match Principal::parse(at.get_ref()) {
                Ok(Principal::Group(name)) if !known_group(&name) => format!("group `{name}`"),
                Ok(Principal::Ca(name)) if !known_ca(&name) => format!("CA `{name}`"),
                _ => continue,
            };
            let what = format!("there is no {missing}");
            problems.push(source.problem(&at.span(), what, "define it, or remove it here"));
        }
    };
    for site in file.site.values() {
        lists(site, source);
    }
    for one in stored.iter().flat_map(|stored| &stored.sites) {
        let source = Source::registry(format!("site {} (registry)", one.name), one.settings.clone());
        // What cannot be read of it is told where the site itself is read.
        lists(&read::site(&source, &mut Vec::new()), &source);
    }
}

fn groups(file: &File, source: &Source, problems: &mut Vec<Problem>) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for (name, members) in &file.group {
        if !policy::names::is_name(name.get_ref()) {
            problems.push(source.problem(
                &name.span(),
                format!("`{}` cannot name a group", name.get_ref().escape_debug()),
                "use a-z, 0-9, `.`, `_`, `-`",
            ));
        }
        for member in members {
            if !matches!(Principal::parse(member.get_ref()), Ok(Principal::Party(_))) {
                let what = format!("`{}` is no party's name", member.get_ref().escape_debug());
                problems.push(source.problem(
                    &member.span(),
                    what,
                    "a group holds parties, no groups or CAs",
                ));
            }
        }
        all.insert(name.get_ref().clone(), members.iter().map(|member| member.get_ref().clone()).collect());
    }
    all
}

/// Warns of sites that let nobody in.
fn lonely(sites: &BTreeMap<HostName, SiteSettings>, stored: Option<&Stored>, warnings: &mut Vec<Problem>) {
    for (name, site) in sites {
        let granted = stored.is_some_and(|stored| {
            let parties = stored.records.parties.iter().any(|(_, party)| party.grants.contains(name));
            parties || stored.records.ca_grants.get(name).is_some_and(|cas| !cas.is_empty())
        });
        if site.allow.is_empty() && !granted {
            let what = format!("site {name} lets nobody in: it has neither `allow` nor grants");
            let help = format!("countersign party add NAME --site {name}");
            warnings.push(Problem { place: site.origin.clone(), what, help });
        }
    }
}

/// Warns of sites that allow a CA which vouches for nobody there.
fn unattached(
    sites: &BTreeMap<HostName, SiteSettings>,
    cas: &BTreeMap<String, CaSettings>,
    warnings: &mut Vec<Problem>,
) {
    for (name, site) in sites {
        for allowed in &site.allow {
            let Principal::Ca(ca) = allowed else { continue };
            let Some(settings) = cas.get(ca).filter(|settings| !settings.sites.contains(name)) else {
                continue;
            };
            let what =
                format!("site {name} allows `ca:{ca}`, which is not attached to it: nobody enters by it");
            let help = format!("add {name} to the sites of CA {ca} ({})", settings.origin);
            warnings.push(Problem { place: site.origin.clone(), what, help });
        }
    }
}
