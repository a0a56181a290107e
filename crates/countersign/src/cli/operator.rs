//! `operator`: who may use the admin address.

use authority::pkcs12;
use policy::PartyName;
use policy::record::OperatorRole;
use serde_json::json;

use super::context::Context;
use super::globals::columns;
use super::{Exit, Failure, Globals, Outcome, issue, party};

/// `countersign operator …`.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Issue an operator's certificate.
    Add {
        /// The operator's name.
        name: String,
        /// What the operator may do.
        #[arg(long, default_value = "operator", value_parser = ["viewer", "operator", "owner"])]
        role: String,
        /// The directory to write NAME.pem, NAME.key and NAME.p12 to.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: std::path::PathBuf,
        /// How NAME.p12 is encrypted: `compatible` opens everywhere, `modern` needs current systems.
        #[arg(long, value_name = "PROFILE", default_value = "compatible", value_parser = ["compatible", "modern"])]
        p12: String,
        #[command(flatten)]
        password: issue::PasswordFrom,
    },
    /// The operators.
    List,
    /// Revoke all certificates of an operator.
    Revoke {
        /// The operator's name.
        name: String,
    },
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::Add { name, role, out, p12, password } => {
            add(globals, &name, &role, &out, issue::p12_profile(&p12), &password)
        }
        Args::List => list(globals),
        Args::Revoke { name } => revoke(globals, &name),
    })
}

fn add(
    globals: &Globals,
    name: &str,
    role: &str,
    out: &std::path::Path,
    p12: pkcs12::Profile,
    from: &issue::PasswordFrom,
) -> Outcome {
    let context = Context::open(globals)?;
    let name = PartyName::parse(name)?;
    let role = match role {
        "viewer" => OperatorRole::Viewer,
        "owner" => OperatorRole::Owner,
        _ => OperatorRole::Operator,
    };
    if globals.dry_run {
        globals.say(format!("would issue a certificate for {name} as {}", role.word()));
        return Ok(Exit::Fine);
    }
    let files = issue::Files::at(out, name.as_str(), None)?;
    let (key, password) = (issue::new_key()?, from.read(p12)?);
    let order = issue::Order::of_operator(name.clone(), role, key.spki()?)?;
    let issued = issue::issue(&context, order)?;
    let written = [
        files.write_certificate(&issued)?,
        files.write_key(&key)?,
        files.write_p12(name.as_str(), &key, &issued, p12, &password)?,
    ];
    let shown: String = written.iter().map(|file| format!("  {}\n", file.display())).collect();
    let mut text = format!("{name} is {} until {}\n{shown}", role.word(), issued.not_after);
    let shown_once = (!from.is_chosen()).then(|| password.expose());
    if let Some(password) = shown_once {
        text += &format!("  password of the .p12 file, shown this once: {password}");
    }
    globals.print(
        &json!({
            "operator": name,
            "role": role,
            "thumbprint": issued.thumbprint,
            "serial": issued.serial_hex,
            "not_after": issued.not_after,
            "files": written,
            "password": shown_once,
        }),
        text,
    );
    Ok(Exit::Fine)
}

fn list(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    let all = context.run(context.registry.operators())?;
    let mut rows = vec![["OPERATOR", "ROLE", "STATE", "NOT AFTER", "THUMBPRINT"].map(String::from).to_vec()];
    let mut views = Vec::new();
    for (name, role, row) in &all {
        let state = party::certificate_state(row, context.now);
        rows.push(vec![
            name.to_string(),
            role.word().into(),
            state,
            row.not_after.date(),
            row.thumbprint.to_string(),
        ]);
        let mut view = party::certificate_view(row);
        view["operator"] = json!(name);
        view["role"] = json!(role);
        views.push(view);
    }
    globals.print(&views, columns(&rows));
    Ok(Exit::Fine)
}

fn revoke(globals: &Globals, name: &str) -> Outcome {
    let context = Context::open(globals)?;
    let name = PartyName::parse(name)?;
    if !context.run(context.registry.operators())?.iter().any(|(one, ..)| *one == name) {
        return Err(Failure::not_found(
            format!("there is no operator `{name}`"),
            "countersign operator list",
        ));
    }
    if globals.dry_run {
        globals.say(format!("would revoke all certificates of {name}"));
        return Ok(Exit::Fine);
    }
    context.run(context.registry.revoke_operator(&name, &context.actor, context.now))?;
    globals.print(&json!({ "revoked": name }), format!("{name} is an operator no longer"));
    Ok(Exit::Fine)
}
