//! `party invite`: a link with which somebody fetches a certificate, once, or an account binding with which a machine does
//! so by ACME, again and again; the list of what is open; withdrawing.

use data_encoding::BASE64URL_NOPAD;
use policy::issuance::{AltName, check_name};
use policy::{HostName, PartyName};
use registry::{AccountRow, BindingRow, InviteRow, NewBinding, NewInvite, RegistryError};
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::globals::columns;
use crate::cli::{Exit, Failure, Globals, Outcome};
use crate::config::enrol::Enrol;
use crate::config::keys::Seconds;
use crate::config::profiles::Choice;
use crate::run::signing::acme::PREFIX;
use crate::run::signing::acme::binding::Secret;

/// `countersign party invite`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  countersign party invite alice --site portal.example.com
  countersign party invite svc --profile service --expires 2h --json
  countersign party invite alice --label phone --code
  countersign party invite svc --site portal.example.com --acme --name svc.machines.example.com
  countersign party invite --list
  countersign party invite --withdraw 3f9a01c2d4e5")]
pub struct Args {
    /// The party's name; a new one needs --site.
    #[arg(required_unless_present_any = ["list", "withdraw"])]
    party: Option<String>,
    /// A site it may enter; may be repeated. A party that is not on record is added.
    #[arg(long = "site", value_name = "HOST", conflicts_with_all = ["list", "withdraw"])]
    sites: Vec<String>,
    /// What the certificate is for: `person`, `device`, `service`, or a profile of the configuration. `person` where
    /// absent; with --acme, `service`.
    #[arg(long)]
    profile: Option<String>,
    /// A binding for an ACME account (RFC 8555) in the place of a link: certbot, lego and others then fetch certificates
    /// for the party, and renew them.
    #[arg(long, conflicts_with_all = ["label", "code", "list", "withdraw"])]
    acme: bool,
    /// A DNS name that the account may have in its certificates beside the party's name; may be repeated.
    #[arg(long = "name", value_name = "DNS", requires = "acme")]
    names: Vec<String>,
    /// What the party calls the certificate, such as `phone`.
    #[arg(long)]
    label: Option<String>,
    /// How long the invite or binding is open, such as 24h or 30m; 7d at most.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = life)]
    expires: Seconds,
    /// Also ask for a six-digit code, which is told by another way than the link.
    #[arg(long)]
    code: bool,
    /// The open invites and bindings, and the ACME accounts, of this party or of all.
    #[arg(long, conflicts_with = "withdraw")]
    list: bool,
    /// Withdraw an open invite or binding, or end an ACME account: its ID in the list.
    #[arg(long, value_name = "ID", conflicts_with = "party")]
    withdraw: Option<String>,
}

fn life(text: &str) -> Result<Seconds, String> {
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
    let Some(enrol) = &context.settings.enrol else {
        let help = format!(
            "people and machines fetch certificates at an address of their own; write this to {}, then run \
             `countersign reload` or start `countersign run` anew:\n\n  [enrol]\n  listen = \"0.0.0.0:8444\"\n  url    = \
             \"https://enrol.example.com:8444\"",
            context.settings.file.display()
        );
        return Err(Failure::new(Exit::Configuration, "there is no enrolment address", help));
    };
    let name = PartyName::parse(party)?;
    let sites = args.sites.iter().map(|site| context.site(site)).collect::<Result<Vec<_>, _>>()?;
    let word = args.profile.as_deref().unwrap_or(if args.acme { "service" } else { "person" });
    let profile = super::add::profile(context, word)?;
    if let Choice::Own(own) = &profile
        && own.parties.as_ref().is_some_and(|parties| !parties.have(name.as_str()))
    {
        let what = format!("profile `{}` is not for {name}", own.name);
        return Err(Failure::usage(what, format!("add it to `parties` of [profile.{}]", own.name)));
    }
    if sites.is_empty() {
        super::known(context, party).map_err(|failure| Failure {
            help: format!("{}; a new party is invited with --site HOST", failure.help),
            ..failure
        })?;
    }
    let names = names(args, &profile)?;
    if globals.dry_run {
        let what = if args.acme { "an ACME account for `" } else { "a `" };
        let rest = if args.acme { "certificates" } else { "certificate" };
        globals.say(format!("would invite {name} to {what}{word}` {rest}"));
        return Ok(Exit::Fine);
    }
    context.run(context.registry.ensure_party(&name, &context.actor, context.now))?;
    if args.acme {
        let new = NewBinding {
            party: name.clone(),
            profile: word.to_owned(),
            names,
            expires_at: context.now.plus(args.expires.0),
        };
        return bind(globals, context, enrol, (new, &sites));
    }
    let new = NewInvite {
        party: name.clone(),
        profile: word.to_owned(),
        label: args.label.clone(),
        has_code: args.code,
        expires_at: context.now.plus(args.expires.0),
    };
    let made = context.run(context.registry.add_invite(new, &context.actor, context.now))?;
    grant(context, &name, &sites)?;
    let url = format!("{}/invite#{}", enrol.url, made.token);
    let mut value = view(&made.row);
    value["url"] = json!(url);
    value["code"] = json!(made.code);
    let mut text = format!(
        "{name} is invited to a `{}` certificate, once, until {}\n{url}\n",
        made.row.profile, made.row.expires_at
    );
    if let Some(code) = &made.code {
        text += &format!("code, to be told by another way than the link: {code}\n");
    }
    text += &format!("withdraw it with `countersign party invite --withdraw {}`\n", made.row.id);
    globals.print(&value, text);
    globals.say("whoever has the link can use it: send it to nobody else; it is shown this once");
    Ok(granted(globals, &name, &sites))
}

/// The names that `--name` gives, in lower case.
fn names(args: &Args, profile: &Choice) -> Result<Vec<String>, Failure> {
    if let (Choice::Own(own), false) = (profile, args.names.is_empty()) {
        let what = format!("profile `{}` has names of its own", own.name);
        return Err(Failure::usage(what, "leave --name out, or write the name under [profile]"));
    }
    let one = |name: &String| {
        let name = name.to_ascii_lowercase();
        check_name(profile.like(), &AltName::Dns(name.clone()))
            .map_err(|error| Failure::usage(error.to_string(), "write it like svc.machines.example.com"))?;
        Ok(name)
    };
    args.names.iter().map(one).collect()
}

/// Makes the binding of an account, and shows what a client needs for it.
fn bind(
    globals: &Globals,
    context: &Context,
    enrol: &Enrol,
    (new, sites): (NewBinding, &[HostName]),
) -> Outcome {
    let secret = Secret::read_or_make(&context.settings.state)?;
    let row = context.run(context.registry.add_binding(new, &context.actor, context.now))?;
    grant(context, &row.party, sites)?;
    let key = BASE64URL_NOPAD.encode(&secret.key(&row.id));
    let directory = format!("{}{PREFIX}directory", enrol.url);
    let mut value = binding_view(&row);
    value["directory"] = json!(directory);
    value["kid"] = json!(row.id);
    value["hmac_key"] = json!(key);
    let mut names = vec![row.party.to_string()];
    names.extend(row.names.iter().cloned());
    let text = format!(
        "{} is invited to an ACME account for `{}` certificates, once, until {}\ndirectory  {directory}\nkid        \
         {}\nhmac key   {key}\nnames      {}\nwithdraw it with `countersign party invite --withdraw {}`\n",
        row.party,
        row.profile,
        row.expires_at,
        row.id,
        names.join(", "),
        row.id
    );
    globals.print(&value, text);
    globals.say("whoever has the key can make the account: give it to nobody else; it is shown this once");
    Ok(granted(globals, &row.party, sites))
}

/// Lets the party enter, once what it was invited to is there.
fn grant(context: &Context, name: &PartyName, sites: &[HostName]) -> Result<(), Failure> {
    for site in sites {
        context.run(context.registry.grant(name, site, &context.actor, context.now))?;
    }
    Ok(())
}

/// Says so.
fn granted(globals: &Globals, name: &PartyName, sites: &[HostName]) -> Exit {
    if !sites.is_empty() {
        let shown: Vec<&str> = sites.iter().map(HostName::as_str).collect();
        globals.say(format!("{name} may enter {}", shown.join(", ")));
    }
    Exit::Fine
}

fn view(row: &InviteRow) -> Value {
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

fn binding_view(row: &BindingRow) -> Value {
    json!({
        "id": row.id,
        "kind": "binding",
        "party": row.party,
        "profile": row.profile,
        "names": row.names,
        "created_at": row.created_at,
        "expires": row.expires_at,
    })
}

fn account_view(row: &AccountRow) -> Value {
    json!({
        "id": row.id,
        "kind": "account",
        "party": row.party,
        "profile": row.profile,
        "names": row.names,
        "contact": row.contact,
        "created_at": row.created_at,
    })
}

fn list(globals: &Globals, context: &Context, party: Option<&str>) -> Outcome {
    let name = party.map(|party| super::known(context, party)).transpose()?.map(|row| row.name);
    let open = context.run(context.registry.open_invites(name.as_ref(), context.now))?;
    let bindings = context.run(context.registry.open_bindings(name.as_ref(), context.now))?;
    let accounts = context.run(context.registry.open_accounts(name.as_ref()))?;
    let mut rows =
        vec![["ID", "WHAT", "PARTY", "PROFILE", "LABEL", "CODE", "UNTIL"].map(str::to_owned).to_vec()];
    for row in &open {
        let label = row.label.clone().unwrap_or_else(|| "-".into());
        let code = if row.has_code { format!("{} tries", row.attempts_left) } else { "-".into() };
        let until = row.expires_at.to_string();
        let (id, party) = (row.id.clone(), row.party.to_string());
        rows.push(vec![id, "invite".into(), party, row.profile.clone(), label, code, until]);
    }
    let none = || "-".to_owned();
    for row in &bindings {
        let (id, party, until) = (row.id.clone(), row.party.to_string(), row.expires_at.to_string());
        rows.push(vec![id, "binding".into(), party, row.profile.clone(), none(), none(), until]);
    }
    for row in &accounts {
        let (id, party) = (row.id.clone(), row.party.to_string());
        rows.push(vec![id, "account".into(), party, row.profile.clone(), none(), none(), none()]);
    }
    let text = if rows.len() == 1 { "no invite is open".into() } else { columns(&rows) };
    let invites = open.iter().map(view);
    let all = invites.chain(bindings.iter().map(binding_view)).chain(accounts.iter().map(account_view));
    globals.print(&all.collect::<Vec<_>>(), text);
    Ok(Exit::Fine)
}

fn withdraw(globals: &Globals, context: &Context, id: &str) -> Outcome {
    if globals.dry_run {
        globals.say(format!("would withdraw {id}"));
        return Ok(Exit::Fine);
    }
    let (registry, actor, now) = (&context.registry, &context.actor, context.now);
    // An identifier is of one of them.
    let withdrawn = async {
        match registry.withdraw_invite(id, actor, now).await {
            Err(RegistryError::NotFound { .. }) => {}
            other => return other.map(|party| ("invite", party)),
        }
        match registry.withdraw_binding(id, actor, now).await {
            Err(RegistryError::NotFound { .. }) => {}
            other => return other.map(|party| ("binding", party)),
        }
        match registry.end_account(id, false, actor, now).await {
            Err(RegistryError::NotFound { .. }) => {
                let what = format!("an open invite, binding or account `{}`", id.escape_debug());
                Err(RegistryError::NotFound { what })
            }
            other => other.map(|party| ("account", party)),
        }
    };
    let (kind, party) = context.run(withdrawn).map_err(|failure: Failure| Failure {
        help: "`countersign party invite --list` has those that are open".into(),
        ..failure
    })?;
    let text = match kind {
        "account" => format!("account {id} of {party} is ended: it gets no more certificates"),
        kind => format!("{kind} {id} of {party} is withdrawn"),
    };
    globals.print(&json!({ "withdrawn": id, "kind": kind, "party": party }), text);
    Ok(Exit::Fine)
}
