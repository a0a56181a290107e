//! `party invite`: a link with which somebody fetches a certificate, once, or an account binding with which a machine does
//! so by ACME, again and again (`binding`); the list of what is open; withdrawing.

use policy::issuance::Profile;
use policy::{HostName, PartyName};
use registry::{InviteRow, NewInvite, RegistryError};
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::globals::columns;
use crate::cli::{Exit, Failure, Globals, Outcome};
use crate::config::keys::Seconds;
use crate::config::profiles::Choice;

mod binding;

/// `countersign party invite`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  countersign party invite alice --site portal.example.com
  countersign party invite svc --profile service --expires 2h --json
  countersign party invite alice --label phone --code
  countersign party invite svc --site portal.example.com --acme --name svc.machines.example.com
  countersign party invite db --acme --profile server --name db.internal
  countersign party invite --list
  countersign party invite --withdraw 3f9a01c2d4e5")]
pub struct Args {
    /// The party's name; a new one needs --site.
    #[arg(required_unless_present_any = ["list", "withdraw"])]
    pub party: Option<String>,
    /// A site it may enter; may be repeated. A party that is not on record is added.
    #[arg(long = "site", value_name = "HOST", conflicts_with_all = ["list", "withdraw"])]
    pub sites: Vec<String>,
    /// What the certificate is for: `person`, `device`, `service`, or a profile of the configuration. `person` where
    /// absent; with --acme, `service`, or `server` for the server certificate of a host inside.
    #[arg(long)]
    pub profile: Option<String>,
    /// A binding for an ACME account (RFC 8555) in the place of a link: certbot, lego and others then fetch certificates
    /// for the party, and renew them.
    #[arg(long, conflicts_with_all = ["label", "code", "list", "withdraw"])]
    pub acme: bool,
    /// A DNS name that the account may have in its certificates beside the party's name; may be repeated. With the profile
    /// `server`, a host that it gets certificates for once that proves its name.
    #[arg(long = "name", value_name = "DNS", requires = "acme")]
    pub names: Vec<String>,
    /// What the party calls the certificate, such as `phone`.
    #[arg(long)]
    pub label: Option<String>,
    /// How long the invite or binding is open, such as 24h or 30m; 7d at most.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = life)]
    pub expires: Seconds,
    /// Also ask for a six-digit code, which is told by another way than the link.
    #[arg(long)]
    pub code: bool,
    /// The open invites and bindings, and the ACME accounts, of this party or of all.
    #[arg(long, conflicts_with = "withdraw")]
    pub list: bool,
    /// Withdraw an open invite or binding, or end an ACME account: its ID in the list.
    #[arg(long, value_name = "ID", conflicts_with = "party")]
    pub withdraw: Option<String>,
}

/// How long an invite may be open.
pub fn life(text: &str) -> Result<Seconds, String> {
    let most = registry::invites::LIFE_MOST_SECONDS;
    let seconds = Seconds::parse(text).filter(|seconds| (60..=most).contains(&seconds.0));
    seconds.ok_or_else(|| "write it like 24h or 30m, from 1m to 7d".into())
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let context = Context::open(globals)?;
    if let Some(id) = &args.withdraw {
        return withdraw(globals, &context, id);
    }
    if args.list {
        return list(globals, &context, args.party.as_deref());
    }
    match &args.party {
        Some(party) => invite(globals, &context, args, party),
        None => Err(Failure::usage("nobody is named", "name a party, or use --list")),
    }
}

fn invite(globals: &Globals, context: &Context, args: &Args, party: &str) -> Outcome {
    let wanted = Wanted::of(context, args, party)?;
    if args.acme {
        return binding::bind(globals, context, args, &wanted);
    }
    let name = &wanted.name;
    if globals.dry_run {
        globals.say(format!("would invite {name} to a `{}` certificate", wanted.new.profile));
        return Ok(Exit::Fine);
    }
    let Invited { value, row, url, code } = wanted.invite(context)?;
    let mut text = format!(
        "{name} is invited to a `{}` certificate, once, until {}\n{url}\n",
        row.profile, row.expires_at
    );
    if let Some(code) = &code {
        text += &format!("code, to be told by another way than the link: {code}\n");
    }
    text += &format!("withdraw it with `countersign party invite --withdraw {}`\n", row.id);
    globals.print(&value, text);
    globals.say("whoever has the link can use it: send it to nobody else; it is shown this once");
    wanted.say_granted(globals);
    Ok(Exit::Fine)
}

/// An invite that may be made.
pub struct Wanted {
    name: PartyName,
    sites: Vec<HostName>,
    profile: Choice,
    new: NewInvite,
    /// Where the enrolment address is reached.
    url: String,
}

/// An invite that was made.
pub struct Invited {
    /// All of it as JSON, the link and the code included.
    pub value: Value,
    /// What is on record.
    pub row: InviteRow,
    /// The link, with its token.
    pub url: String,
    /// The code, where one is asked for.
    pub code: Option<String>,
}

impl Wanted {
    /// Looks whether it may be made; nothing is changed.
    ///
    /// # Errors
    ///
    /// No enrolment address; no such site or profile, or one that is not for this party; a new party without a site.
    pub fn of(context: &Context, args: &Args, party: &str) -> Result<Self, Failure> {
        let Some(enrol) = &context.settings.enrol else {
            return Err(no_address(context));
        };
        let name = PartyName::parse(party)?;
        let sites = args.sites.iter().map(|site| context.site(site)).collect::<Result<Vec<_>, _>>()?;
        let word = args.profile.as_deref().unwrap_or(if args.acme { "service" } else { "person" });
        let profile = if args.acme && word == Profile::Server.word() {
            binding::for_servers(context, enrol, args)?
        } else {
            super::add::profile(context, word)?
        };
        if let Choice::Own(own) = &profile
            && own.parties.as_ref().is_some_and(|parties| !parties.have(name.as_str()))
        {
            let what = format!("profile `{}` is not for {name}", own.name);
            return Err(Failure::usage(what, format!("add it to `parties` of [profile.{}]", own.name)));
        }
        // Nobody enters a site with a server certificate.
        if sites.is_empty() && profile.like() != Profile::Server {
            super::known(context, party).map_err(|failure| Failure {
                help: format!("{}; a new party is invited with --site HOST", failure.help),
                ..failure
            })?;
        }
        let new = NewInvite {
            party: name.clone(),
            profile: word.to_owned(),
            label: args.label.clone(),
            has_code: args.code,
            expires_at: context.now.plus(args.expires.0),
        };
        Ok(Self { name, sites, profile, new, url: enrol.url.clone() })
    }

    /// Makes it, with the party where it is new, and grants the sites.
    pub fn invite(&self, context: &Context) -> Result<Invited, Failure> {
        let (registry, actor, now) = (&context.registry, &context.actor, context.now);
        context.run(registry.ensure_party(&self.name, actor, now))?;
        let made = context.run(registry.add_invite(self.new.clone(), actor, now))?;
        super::add::grant(context, &self.name, &self.sites)?;
        let url = format!("{}/invite#{}", self.url, made.token);
        let mut value = view(&made.row);
        value["url"] = json!(url);
        value["code"] = json!(made.code);
        Ok(Invited { value, row: made.row, url, code: made.code })
    }

    fn say_granted(&self, globals: &Globals) {
        if !self.sites.is_empty() {
            let shown: Vec<&str> = self.sites.iter().map(HostName::as_str).collect();
            globals.say(format!("{} may enter {}", self.name, shown.join(", ")));
        }
    }
}

fn no_address(context: &Context) -> Failure {
    let help = format!(
        "people and machines fetch certificates at an address of their own; write this to {}, then run \
             `countersign reload` or start `countersign run` anew:\n\n  [enrol]\n  listen = \"0.0.0.0:8444\"\n  url    = \
             \"https://enrol.example.com:8444\"",
        context.settings.file.display()
    );
    Failure::new(Exit::Configuration, "there is no enrolment address", help)
}

/// An invite as JSON, without its token.
pub fn view(row: &InviteRow) -> Value {
    json!({
        "id": row.id,
        "kind": "invite",
        "party": row.party,
        "profile": row.profile,
        "label": row.label,
        "has_code": row.has_code,
        "attempts_left": row.attempts_left,
        "created_at": row.created_at,
        "expires": row.expires_at,
    })
}

fn list(globals: &Globals, context: &Context, party: Option<&str>) -> Outcome {
    let name = party.map(|party| super::known(context, party)).transpose()?.map(|row| row.name);
    let open = context.run(context.registry.open_invites(name.as_ref(), context.now))?;
    let bound = binding::Bound::of(context, name.as_ref())?;
    let mut rows =
        vec![["ID", "WHAT", "PARTY", "PROFILE", "LABEL", "CODE", "UNTIL"].map(str::to_owned).to_vec()];
    for row in &open {
        let label = row.label.clone().unwrap_or_else(|| "-".into());
        let code = if row.has_code { format!("{} tries", row.attempts_left) } else { "-".into() };
        let until = row.expires_at.to_string();
        let (id, party) = (row.id.clone(), row.party.to_string());
        rows.push(vec![id, "invite".into(), party, row.profile.clone(), label, code, until]);
    }
    rows.extend(bound.rows());
    let text = if rows.len() == 1 { "no invite is open".into() } else { columns(&rows) };
    globals.print(&open.iter().map(view).chain(bound.views()).collect::<Vec<_>>(), text);
    Ok(Exit::Fine)
}

fn withdraw(globals: &Globals, context: &Context, id: &str) -> Outcome {
    if globals.dry_run {
        globals.say(format!("would withdraw {id}"));
        return Ok(Exit::Fine);
    }
    let (kind, party) = withdrawn(context, id)?;
    let text = match kind {
        "account" => format!("account {id} of {party} is ended: it gets no more certificates"),
        kind => format!("{kind} {id} of {party} is withdrawn"),
    };
    globals.print(&json!({ "withdrawn": id, "kind": kind, "party": party }), text);
    Ok(Exit::Fine)
}

/// Withdraws an open invite or binding, or ends an account: which of them it was (`invite`, `binding`, `account`), and the
/// party that it was for.
pub fn withdrawn(context: &Context, id: &str) -> Result<(&'static str, PartyName), Failure> {
    let (registry, actor, now) = (&context.registry, &context.actor, context.now);
    // An identifier is of one of them.
    let withdrawn = async {
        match registry.withdraw_invite(id, actor, now).await {
            Err(RegistryError::NotFound { .. }) => binding::withdrawn(context, id).await,
            other => other.map(|party| ("invite", party)),
        }
    };
    context.run(withdrawn).map_err(|failure: Failure| Failure {
        help: "`countersign party invite --list` has those that are open".into(),
        ..failure
    })
}
