//! A binding for an ACME account of a party (RFC 8555 section 7.3.4), in the place of a link.

use data_encoding::BASE64URL_NOPAD;
use policy::issuance::{AltName, Profile, check_name};
use policy::{HostName, PartyName};
use registry::{AccountRow, BindingRow, NewBinding, RegistryError};
use serde_json::{Value, json};

use super::{Args, Wanted};
use crate::cli::ca::issue::permit;
use crate::cli::context::Context;
use crate::cli::party::add::grant;
use crate::cli::{Exit, Failure, Globals, Outcome};
use crate::config::enrol::Enrol;
use crate::config::profiles::Choice;
use crate::run::signing::acme::PREFIX;
use crate::run::signing::acme::binding::Secret;

/// Makes the binding of an account, and shows what a client needs for it.
pub(super) fn bind(globals: &Globals, context: &Context, args: &Args, wanted: &Wanted) -> Outcome {
    let (name, profile) = (&wanted.name, &wanted.new.profile);
    let names = names(args, &wanted.profile)?;
    if globals.dry_run {
        globals.say(format!("would invite {name} to an ACME account for `{profile}` certificates"));
        return Ok(Exit::Fine);
    }
    let is_for_servers = wanted.profile.like() == Profile::Server;
    if is_for_servers {
        let hosts: Vec<AltName> = names.iter().cloned().map(AltName::Dns).collect();
        permit(globals, context, &hosts)?;
    }
    let (registry, actor, now) = (&context.registry, &context.actor, context.now);
    context.run(registry.ensure_party(name, actor, now))?;
    let expires_at = wanted.new.expires_at;
    let new = NewBinding { party: name.clone(), profile: profile.clone(), names, expires_at };
    let secret = Secret::read_or_make(&context.settings.state)?;
    let row = context.run(registry.add_binding(new, actor, now))?;
    grant(context, &row.party, &wanted.sites)?;
    let key = BASE64URL_NOPAD.encode(&secret.key(&row.id));
    let directory = format!("{}{PREFIX}directory", wanted.url);
    let mut value = binding_view(&row);
    value["directory"] = json!(directory);
    value["kid"] = json!(row.id);
    value["hmac_key"] = json!(key);
    let party = (!is_for_servers).then(|| row.party.to_string());
    let names: Vec<String> = party.into_iter().chain(row.names.iter().cloned()).collect();
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
    wanted.say_granted(globals);
    Ok(Exit::Fine)
}

/// The profile of server certificates, where hosts inside may have them and are named, none of them one that the gate serves.
pub(super) fn for_servers(context: &Context, enrol: &Enrol, args: &Args) -> Result<Choice, Failure> {
    if enrol.servers.is_none() {
        let help = format!(
            "a host proves its name before it gets a certificate; write to [enrol] in {} where such hosts are: \
             server_networks = [\"10.0.0.0/8\"]",
            context.settings.file.display()
        );
        return Err(Failure::new(Exit::Configuration, "no host inside may be asked for a proof", help));
    }
    if args.names.is_empty() {
        return Err(Failure::usage("no host is named", "name it: --name db.internal"));
    }
    for name in &args.names {
        let host = HostName::parse(&name.to_ascii_lowercase()).ok();
        let is_own =
            host.is_some_and(|host| context.settings.sites.contains_key(&host) || host == enrol.host);
        if is_own {
            let what = format!("{} is a host of the gate itself", name.escape_debug());
            return Err(Failure::usage(what, "the gate has its own certificates; name hosts behind it"));
        }
        if name.contains('*') {
            let what = format!("{} is a wildcard, which no host can prove", name.escape_debug());
            return Err(Failure::usage(what, "name each host, or use `countersign ca issue`"));
        }
    }
    Ok(Choice::BuiltIn(Profile::Server))
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

/// The bindings that are open, and the accounts that were made of others.
pub(super) struct Bound {
    bindings: Vec<BindingRow>,
    accounts: Vec<AccountRow>,
}

impl Bound {
    /// Those of a party, or of all.
    pub(super) fn of(context: &Context, party: Option<&PartyName>) -> Result<Self, Failure> {
        let bindings = context.run(context.registry.open_bindings(party, context.now))?;
        let accounts = context.run(context.registry.open_accounts(party))?;
        Ok(Self { bindings, accounts })
    }

    /// As rows of the list of what is open.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let none = || "-".to_owned();
        let binding = |row: &BindingRow| {
            let (id, party, until) = (row.id.clone(), row.party.to_string(), row.expires_at.to_string());
            vec![id, "binding".into(), party, row.profile.clone(), none(), none(), until]
        };
        let account = |row: &AccountRow| {
            let (id, party) = (row.id.clone(), row.party.to_string());
            vec![id, "account".into(), party, row.profile.clone(), none(), none(), none()]
        };
        self.bindings.iter().map(binding).chain(self.accounts.iter().map(account)).collect()
    }

    /// As JSON.
    pub(super) fn views(&self) -> impl Iterator<Item = Value> {
        self.bindings.iter().map(binding_view).chain(self.accounts.iter().map(account_view))
    }
}

/// Withdraws an open binding, or ends an account: which of them it was, and the party that it was for.
pub(super) async fn withdrawn(context: &Context, id: &str) -> registry::Result<(&'static str, PartyName)> {
    let (registry, actor, now) = (&context.registry, &context.actor, context.now);
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
