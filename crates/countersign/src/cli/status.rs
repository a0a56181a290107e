//! `status`: what holds now, and what needs attention.

use policy::ClientAuth;
use serde_json::json;

use super::context::Context;
use super::globals::columns;
use super::{Exit, Globals, Outcome};

/// Certificates that end sooner than this are mentioned, in seconds.
const SOON: i64 = 14 * 86_400;

/// `countersign status`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn command(globals: &Globals, _args: Args) -> Exit {
    globals.end(run(globals))
}

fn run(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    let (settings, now) = (&context.settings, context.now);
    let mut receipts = crate::run::live(&settings.state, context.run(context.registry.receipts())?);
    receipts.retain(|one| one.epoch == context.state.epoch);
    let pending = context.run(context.registry.pendings())?.len();
    let mut attention: Vec<String> = Vec::new();
    let mut mentions: Vec<String> = Vec::new();
    for (name, site) in &settings.sites {
        if let Some(until) = site.observe_until.filter(|until| *until >= now) {
            attention
                .push(format!("site {name} observes until {until}: it lets through what it would refuse"));
        }
        for rule in site.paths.iter().filter(|rule| rule.client_auth != ClientAuth::Required) {
            mentions.push(format!("site {name}: {} is open", rule.prefix));
        }
    }
    for (name, ca) in &settings.cas {
        if let Some(until) = ca.rules.without_client_usage_until.filter(|until| *until >= now) {
            mentions.push(format!("exception: CA {name} without client usage until {until}"));
        }
        for anchor in ca.rules.anchors.iter().filter(|anchor| anchor.not_after < now.plus(SOON)) {
            attention.push(format!("CA {name}: {} ends at {}", anchor.subject, anchor.not_after));
        }
    }
    for (thumbprint, record) in context.state.records.certificates.iter() {
        let ends = [record.exceptions.without_client_usage_until, record.exceptions.ca_certificate_until];
        for until in ends.into_iter().flatten().filter(|until| *until >= now) {
            mentions.push(format!("exception: certificate {thumbprint} until {until}"));
        }
    }
    attention.extend(
        receipts
            .iter()
            .filter(|one| one.seq < context.state.seq)
            .map(|one| format!("{} is stale: change {} of {}", one.gate, one.seq, context.state.seq)),
    );
    let parties = context.state.records.parties.len();
    let gates: Vec<&str> = receipts.iter().map(|one| one.gate.as_str()).collect();
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut text = columns(&[
        row("sites", settings.sites.len().to_string()),
        row("parties", parties.to_string()),
        row("CAs", settings.cas.len().to_string()),
        row("pending", pending.to_string()),
        row("gates", if gates.is_empty() { "none running".into() } else { gates.join(", ") }),
        row("change", context.state.seq.to_string()),
    ]);
    for one in &mentions {
        text += &format!("mentioned: {one}\n");
    }
    for one in &attention {
        text += &format!("attention: {one}\n");
    }
    globals.print(
        &json!({
            "sites": settings.sites.keys().collect::<Vec<_>>(),
            "parties": parties,
            "cas": settings.cas.keys().collect::<Vec<_>>(),
            "pending": pending,
            "gates": gates,
            "change": context.state.seq,
            "mentions": mentions,
            "attention": attention,
            "warnings": settings.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }),
        text,
    );
    Ok(if attention.is_empty() { Exit::Fine } else { Exit::No })
}
