//! `status`: what holds now, and what needs attention.

use examiner::{Certificate, UnixTime};
use policy::{ClientAuth, OnStale};
use serde_json::{Value, json};

use super::context::Context;
use super::globals::columns;
use super::{Exit, Failure, Globals, Outcome};
use crate::config::StateDir;
use crate::config::crl::CrlSettings;
use crate::config::fetched::Fetched;
use crate::config::keys::CertificateFile;
use crate::config::site::SiteSettings;
use crate::notices::failing;
use crate::run::certificates::{self, ADMIN};
use crate::run::upkeep::Published;
use crate::run::upstreams::{self, Upstream};

mod certificates_shown;

/// Certificates that end sooner than this are mentioned, in seconds.
const SOON: i64 = 14 * 86_400;

/// For so long a renewal may be due and not done, in seconds.
const PATIENCE: i64 = 86_400;

/// A published list should be followed by the next so long before its end, in seconds.
const LIST_SOON: i64 = 4 * 86_400;

/// A list that is still good may fail to be fetched so many times in a row before it calls for attention.
const FAILURES: u32 = 3;

/// `countersign status`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn command(globals: &Globals, _args: Args) -> Exit {
    globals.end(run(globals))
}

fn run(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    let standing = Standing::of(&context)?;
    globals.print(&standing.value(&context), standing.text(&context));
    Ok(if standing.attention.is_empty() { Exit::Fine } else { Exit::No })
}

/// What holds now.
pub struct Standing {
    /// The running gates.
    pub gates: Vec<String>,
    /// How many parties there are.
    pub parties: u64,
    /// How many certificates are pending.
    pub pending: usize,
    /// How the upstreams fare.
    pub upstreams: Vec<Upstream>,
    /// The certificates of the sites.
    certificates: Vec<certificates_shown::Shown>,
    /// What is worth knowing.
    pub mentions: Vec<String>,
    /// What needs attention.
    pub attention: Vec<String>,
}

impl Standing {
    /// Looks.
    pub fn of(context: &Context) -> Result<Self, Failure> {
        let (settings, now) = (&context.settings, context.now);
        let mut receipts = crate::run::live(&settings.state, context.run(context.registry.receipts())?);
        receipts.retain(|one| one.epoch == context.basis.epoch);
        let pending = context.run(context.registry.pendings())?.len();
        let mut attention: Vec<String> = Vec::new();
        let mut mentions: Vec<String> = Vec::new();
        attention.extend(context.registry.restored().map(ToString::to_string));
        for (name, site) in &settings.sites {
            if let Some(until) = site.observe_until.filter(|until| *until >= now) {
                attention.push(format!(
                    "site {name} observes until {until}: it lets through what it would refuse"
                ));
            }
            for rule in site.paths.iter().filter(|rule| rule.client_auth != ClientAuth::Required) {
                mentions.push(format!("site {name}: {} is open", rule.prefix));
            }
        }
        attention.extend(
            settings
                .broken_cas
                .values()
                .map(|fault| format!("{}; a running gate keeps its certificates in force", fault.what)),
        );
        for (name, ca) in &settings.cas {
            if let Some(until) = ca.rules.without_client_usage_until.filter(|until| *until >= now) {
                mentions.push(format!("exception: CA {name} without client usage until {until}"));
            }
            for one in &ca.lists {
                let pressing = list_attention(name, one, now);
                if let Some((failures, fault)) = one.url.as_ref().and_then(|url| {
                    let last = Fetched::new(&settings.state, name, url).last()?;
                    Some((
                        last.failures,
                        format!("ca.{name}: revocation list {url} cannot be fetched: {}", last.fault?),
                    ))
                }) {
                    let place = if is_pressing(failures, pressing.is_some()) {
                        &mut attention
                    } else {
                        &mut mentions
                    };
                    place.push(fault);
                }
                attention.extend(pressing);
            }
            for anchor in ca.rules.anchors.iter().filter(|anchor| anchor.not_after < now.plus(SOON)) {
                attention.push(format!("CA {name}: {} ends at {}", anchor.subject, anchor.not_after));
            }
        }
        if authority::Hierarchy::is_at(&settings.state.authority()) {
            let own = context.hierarchy()?;
            for one in authority::Role::ALL.map(|role| own.certificate(role)) {
                attention.extend(ending("own CA", one, now));
            }
            for role in [authority::Role::Client, authority::Role::Operator] {
                let Some(old) = own.former(role) else { continue };
                let waiting = super::ca::rollover::stragglers(context, role)?.len();
                mentions.push(format!(
                    "a rollover of the {role} is under way: {waiting} certificate(s) of {} are in use",
                    old.subject
                ));
            }
        }
        if !crate::run::confine::is_possible() {
            mentions.push(
                "this kernel has no Landlock: the gate and the authority are not confined by it".into(),
            );
        }
        let own_admin = std::iter::once((ADMIN.to_owned(), &CertificateFile::OwnCa));
        let shown = settings.sites.iter().map(|(name, site)| (name.to_string(), &site.certificate));
        for (name, certificate) in shown.chain(own_admin) {
            if matches!(certificate, CertificateFile::Acme(_)) {
                continue;
            }
            attention.extend(server_certificate(&settings.state, &name, certificate, now));
        }
        let certificates = certificates_shown::all(settings);
        for one in &certificates {
            attention.extend(one.attention(now));
            mentions.extend(one.mention(now));
        }
        attention.extend(settings.sites.values().filter_map(|site| upstream_tls(site, now)));
        for (thumbprint, exceptions) in context.run(context.registry.excused())? {
            let ends = [exceptions.without_client_usage_until, exceptions.ca_certificate_until];
            for until in ends.into_iter().flatten().filter(|until| *until >= now) {
                mentions.push(format!("exception: certificate {thumbprint} until {until}"));
            }
        }
        attention.extend(
            receipts
                .iter()
                .filter(|one| one.seq < context.basis.seq)
                .map(|one| format!("{} is stale: change {} of {}", one.gate, one.seq, context.basis.seq)),
        );
        if let Some(last) =
            crate::run::snapshot_place(&settings.state).header().filter(|last| last.kept_denials > 0)
        {
            attention.push(format!(
            "the registry was restored from an older copy: {} denial(s) are kept beside it; accept it with `countersign reload --accept-restored`",
            last.kept_denials
        ));
        }
        if let Some(list) =
            Published::read(&settings.state).filter(|list| list.next_update < now.plus(LIST_SOON))
        {
            attention
                .push(format!("revocation list {}: its next is due at {}", list.number, list.next_update));
        }
        let upstreams = if receipts.is_empty() { Vec::new() } else { upstreams::last(&settings.state) };
        attention.extend(upstreams.iter().filter_map(Upstream::attention));
        for one in failing::read(&settings.state).iter().filter(|one| settings.notify.has(&one.channel)) {
            let place = if one.is_pressing() { &mut attention } else { &mut mentions };
            place.push(one.line());
        }
        let parties = context.run(context.registry.count_parties())?;
        let gates = receipts.into_iter().map(|one| one.gate).collect();
        Ok(Self { gates, parties, pending, upstreams, certificates, mentions, attention })
    }

    fn text(&self, context: &Context) -> String {
        let Self { gates, parties, pending, mentions, attention, .. } = self;
        let settings = &context.settings;
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let mut text = columns(&[
            row("sites", settings.sites.len().to_string()),
            row("parties", parties.to_string()),
            row("CAs of partners", settings.cas.len().to_string()),
            row("pending", pending.to_string()),
            row("gates", if gates.is_empty() { "none running".into() } else { gates.join(", ") }),
            row("change", context.basis.seq.to_string()),
        ]);
        for one in mentions {
            text += &format!("mentioned: {one}\n");
        }
        for one in attention {
            text += &format!("attention: {one}\n");
        }
        text
    }

    /// As JSON.
    pub fn value(&self, context: &Context) -> Value {
        let settings = &context.settings;
        json!({
            "sites": settings.sites.keys().collect::<Vec<_>>(),
            "parties": self.parties,
            "cas": settings.cas.keys().collect::<Vec<_>>(),
            "pending": self.pending,
            "gates": self.gates,
            "change": context.basis.seq,
            "upstreams": self.upstreams,
            "certificates": self.certificates,
            "mentions": self.mentions,
            "attention": self.attention,
            "warnings": settings.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }
}

/// Whether a failure to fetch a list calls for attention: where it failed several times in a row, or the copy itself does.
fn is_pressing(failures: u32, copy_does: bool) -> bool {
    copy_does || failures >= FAILURES
}

/// Attention, where it has ended or ends soon.
fn ending(what: &str, certificate: &Certificate, now: UnixTime) -> Option<String> {
    let (subject, not_after) = (&certificate.subject, certificate.not_after);
    if not_after < now {
        Some(format!("{what}: {subject} ended at {not_after}"))
    } else if not_after < now.plus(SOON) {
        Some(format!("{what}: {subject} ends at {not_after}"))
    } else {
        None
    }
}

/// Attention, where a CA's revocation list cannot be taken or is left out for a newer one, is too old, or should have been followed by the next.
fn list_attention(ca: &str, one: &CrlSettings, now: UnixTime) -> Option<String> {
    let list = match &one.list {
        Ok(list) => list,
        Err(fault) if one.url.is_some() => {
            return Some(format!("{}: its certificates are refused", fault.what));
        }
        Err(fault) => return Some(format!("{}; a running gate keeps the last good copy", fault.what)),
    };
    if let Some(why) = &one.left_out {
        return Some(format!("ca.{ca}: revocation list {}: {why}", one.shown));
    }
    let (what, due) = (format!("ca.{ca}: revocation list {}", one.shown), list.next_update);
    let then = match one.on_stale {
        OnStale::Deny => "its certificates are refused",
        OnStale::Allow => "revocations since then are not known here",
    };
    if due < now {
        Some(format!("{what} is too old since {due}: {then}"))
    } else if !list.is_fresh_at(now) {
        Some(format!("{what} begins at {}: {then}", list.this_update))
    } else if list.attention_from() <= now {
        Some(format!("{what}: the next is due at {due}"))
    } else {
        None
    }
}

/// Attention, where a server certificate ends soon or should have been renewed. One that was never made is made by
/// `run`.
fn server_certificate(
    state: &StateDir,
    name: &str,
    certificate: &CertificateFile,
    now: UnixTime,
) -> Option<String> {
    let path = match certificate {
        CertificateFile::OwnCa | CertificateFile::Acme(_) => certificates::paths(state, name).0,
        CertificateFile::Files { cert, .. } => cert.clone(),
    };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error)
            if error.kind() == std::io::ErrorKind::NotFound && *certificate == CertificateFile::OwnCa =>
        {
            return None;
        }
        Err(error) => {
            return Some(format!("certificate of {name}: {} cannot be read: {error}", path.display()));
        }
    };
    let all = match examiner::cert::pem::certificates(&bytes) {
        Ok(all) => all,
        Err(error) => return Some(format!("certificate of {name}: {}: {error}", path.display())),
    };
    if let CertificateFile::Files { cert, key } = certificate
        && let Err(error) = certificates::load(cert, key)
    {
        return Some(format!("certificate of {name}: {error}; a running gate keeps the last pair that fits"));
    }
    let overdue =
        *certificate == CertificateFile::OwnCa && certificates::is_due(state, name, now.plus(-PATIENCE));
    ending(&format!("certificate of {name}"), &all[0], now).or_else(|| {
        overdue.then(|| {
            format!("certificate of {name}: its renewal is overdue; it ends at {}", all[0].not_after)
        })
    })
}

/// Attention, where the files of `upstream_tls` cannot be taken, or our own certificate to the upstreams ends soon.
fn upstream_tls(site: &SiteSettings, now: UnixTime) -> Option<String> {
    let what = format!("upstream_tls of {}", site.name);
    if let Err(error) = site.upstream.load_tls() {
        return Some(format!("{what}: {error}; a running gate keeps the last files that fit"));
    }
    let bytes = std::fs::read(site.upstream.tls.cert.as_ref()?).ok()?;
    ending(&what, examiner::cert::pem::certificates(&bytes).ok()?.first()?, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_to_fetch_a_fresh_list_is_no_alarm_and_the_third_is() {
        assert_eq!([1, 2, 3, 4].map(|failures| is_pressing(failures, false)), [false, false, true, true]);
        assert!(is_pressing(1, true), "a list that is due soon, too old or not there");
    }
}
