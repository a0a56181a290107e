//! `ca add`: an issuer is trusted at named sites, from now on, by a rule that says which of its certificates get in.

use std::path::PathBuf;

use examiner::{Certificate, UnixTime};
use policy::HostName;
use serde_json::{Value, json};

use super::preview::Preview;
use super::{fetch, view};
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, Globals, Outcome, cert};
use crate::config::stored::StoredCa;
use crate::config::{Problems, Settings, Stored};

/// `countersign ca add`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// PEM or DER file of its certificates.
    file: PathBuf,
    #[command(flatten)]
    wanted: Wanted,
}

/// A new trusted issuer, without its certificates.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Wanted {
    /// Its name in rules: ca:NAME.
    #[arg(long)]
    pub name: String,
    /// A site it is attached to; may be repeated.
    #[arg(long = "site", value_name = "HOST", required = true)]
    pub sites: Vec<String>,
    /// Which of its certificates get in, such as 'san:dns=*.acme.example'; may be repeated.
    #[arg(long = "match", value_name = "CONDITIONS", conflicts_with_all = ["accept_any", "named_only"])]
    pub matches: Vec<String>,
    /// From which value the party's name is taken, such as san:dns.
    #[arg(long, value_name = "TYPE")]
    pub name_from: Option<String>,
    /// Everyone with a certificate from it gets in.
    #[arg(long, conflicts_with = "named_only")]
    pub accept_any: bool,
    /// Only parties with a subject rule on it get in.
    #[arg(long)]
    pub named_only: bool,
    /// Excuse the missing client usage until this date.
    #[arg(long, value_name = "DATE", value_parser = UnixTime::parse)]
    pub accept_without_client_usage_until: Option<UnixTime>,
    /// Its revocation list, PEM or DER; relative to the configuration file.
    #[arg(long, value_name = "FILE")]
    pub crl: Option<PathBuf>,
    /// Where its revocation list is fetched from, http:// or https://.
    #[arg(long, value_name = "URL", conflicts_with = "crl")]
    pub crl_url: Option<String>,
    /// What becomes of its certificates when the list is too old.
    #[arg(long, value_name = "POLICY", value_parser = ["deny", "allow"])]
    pub crl_on_stale: Option<String>,
}

impl Wanted {
    /// Whether it says which certificates get in.
    pub fn has_rule(&self) -> bool {
        !self.matches.is_empty() || self.accept_any || self.named_only
    }
}

/// An issuer that can be trusted: its settings hold together with all others.
pub struct Candidate {
    stored: Stored,
    row: registry::StoredCa,
    grants: bool,
    crl_url: Option<String>,
    /// The settings as they would be with it.
    pub after: Settings,
    /// What deserves a second look with it, and did not without.
    pub warnings: Vec<String>,
}

impl Candidate {
    /// Looks whether it can be trusted; nothing is changed.
    ///
    /// # Errors
    ///
    /// The name is taken, a site is unknown, no rule says who gets in, or the settings do not hold together.
    pub fn of(context: &Context, wanted: &Wanted, certificates: &[Certificate]) -> Result<Self, Failure> {
        let name = &wanted.name;
        if let Some(ca) = context.settings.cas.get(name) {
            return Err(Failure::usage(
                format!("CA {name} is there already"),
                format!("it stands in {}", ca.origin),
            ));
        }
        if let Some(fault) = context.settings.broken_cas.get(name) {
            let help = format!("it stands in {}: repair its file", fault.place);
            return Err(Failure::usage(format!("CA {name} is there already"), help));
        }
        let sites: Vec<HostName> =
            wanted.sites.iter().map(|site| context.site(site)).collect::<Result<_, _>>()?;
        if !wanted.has_rule() {
            return Err(Failure::new(
                Exit::Configuration,
                "without --match, everyone with a certificate from this issuer gets in",
                "give one of: --match 'san:dns=*.acme.example' (only these), --named-only (only parties with a subject rule \
                 on this CA), --accept-any (really everyone)",
            ));
        }
        let pem: String =
            certificates.iter().map(|one| examiner::cert::pem::encode("CERTIFICATE", &one.der)).collect();
        let settings = settings_text(wanted)?;
        let mut stored = Stored::from(&context.basis);
        stored.cas.push(StoredCa {
            name: name.clone(),
            pem: pem.clone(),
            sites: sites.iter().map(ToString::to_string).collect(),
            settings: settings.clone(),
        });
        let after = context.try_settings(&stored)?;
        let lists = after.cas.get(name).map_or(&[][..], |ca| &ca.lists);
        let fault = lists.iter().filter(|one| one.url.is_none()).find_map(|one| one.list.as_ref().err());
        if let Some(fault) = fault {
            return Err(Problems(vec![fault.clone()]).into());
        }
        let news = after.warnings.iter().filter(|one| !context.settings.warnings.contains(one));
        let warnings = news.map(ToString::to_string).collect();
        let row = registry::StoredCa { name: name.clone(), pem, sites, settings };
        Ok(Self { stored, row, grants: !wanted.named_only, crl_url: wanted.crl_url.clone(), after, warnings })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.row.name
    }

    /// Whether its sites are granted to everyone whom its rule lets in.
    pub fn grants(&self) -> bool {
        self.grants
    }

    /// The sites that it is to be attached to.
    pub fn sites(&self) -> &[HostName] {
        &self.row.sites
    }

    /// Trusts it from now on, once its list is fetched where that has an address.
    pub fn trust(self, context: &Context) -> Result<Value, Failure> {
        let Self { stored, row, grants, crl_url, after, .. } = self;
        fetch::first(context, &after, &row.name)?;
        let (registry, actor, now) = (&context.registry, &context.actor, context.now);
        let (name, sites) = (row.name.clone(), row.sites.clone());
        context.run(registry.put_ca(row, actor, now))?;
        for site in sites.iter().filter(|_| grants) {
            context.run(registry.grant_ca(&name, site, actor, now))?;
        }
        let after = if crl_url.is_some() { context.try_settings(&stored)? } else { after };
        Ok(json!(after.cas.get(&name).map(view)))
    }
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let context = Context::open(globals)?;
    let wanted = &args.wanted;
    let candidate = Candidate::of(&context, wanted, &cert::read(&args.file)?)?;
    for warning in &candidate.warnings {
        globals.warn(warning);
    }
    let shown = wanted.sites.join(", ");
    if globals.dry_run {
        fetch::would(&context, &candidate.after, &wanted.name)?;
        let fetched = wanted.crl_url.as_ref().map(|url| format!(", once its list is fetched from {url}"));
        let preview = Preview::of(&context, &candidate)?;
        globals.print(&preview, preview.text());
        globals.say(format!("would trust {} at {shown}{}", wanted.name, fetched.unwrap_or_default()));
        return Ok(Exit::Fine);
    }
    let value = candidate.trust(&context)?;
    globals.print(&value, format!("CA {} is trusted at {shown}", wanted.name));
    Ok(Exit::Fine)
}

fn settings_text(wanted: &Wanted) -> Result<String, Failure> {
    let mut table = toml::Table::new();
    if !wanted.matches.is_empty() {
        table.insert("match".into(), wanted.matches.clone().into());
    }
    for (key, set) in [("accept_any", wanted.accept_any), ("named_only", wanted.named_only)] {
        if set {
            table.insert(key.into(), true.into());
        }
    }
    if let Some(name_from) = &wanted.name_from {
        table.insert("name_from".into(), name_from.clone().into());
    }
    if let Some(until) = wanted.accept_without_client_usage_until {
        let until = toml::Table::from_iter([("until".to_owned(), until.to_string().into())]);
        table.insert("accept_without_client_usage".into(), until.into());
    }
    if wanted.crl_on_stale.is_some() && wanted.crl.is_none() && wanted.crl_url.is_none() {
        return Err(Failure::usage(
            "--crl-on-stale speaks of a list, and none is given",
            "give --crl FILE or --crl-url URL",
        ));
    }
    let source = match (&wanted.crl, &wanted.crl_url) {
        (Some(file), _) => {
            let file = file
                .to_str()
                .ok_or_else(|| Failure::usage("the list's path is no UTF-8 text", "give it another name"))?;
            Some(("file", file))
        }
        (None, url) => url.as_deref().map(|url| ("url", url)),
    };
    if let Some((key, value)) = source {
        let mut crl = toml::Table::from_iter([(key.to_owned(), value.into())]);
        if let Some(on_stale) = &wanted.crl_on_stale {
            crl.insert("on_stale".into(), on_stale.clone().into());
        }
        table.insert("crl".into(), crl.into());
    }
    toml::to_string(&table).map_err(|error| Failure::new(Exit::Bug, error.to_string(), "please report this"))
}
