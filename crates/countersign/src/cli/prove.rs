//! `prove`, hidden: asks the hosts whose clients of ACME say that they are ready, as `run` starts it. Neither the gate nor a
//! process that signs connects to them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use authority::{Hierarchy, Role};
use registry::{RegistryError, ToProve};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::context::Context;
use super::{Exit, Failure, Globals, Outcome};
use crate::clock;
use crate::prove::{Rules, prove};
use crate::run::signing::acme::problem::Problem;

/// Hosts that are asked at once, of all accounts and of one: who names slow ones holds up nobody else.
const AT_ONCE: usize = 16;
const AT_ONCE_OF_ONE: usize = 4;
/// How often is looked whether another is ready, while some are asked.
const LOOK: Duration = Duration::from_millis(250);
/// After this it begins with none, and ends.
const MOST: Duration = Duration::from_secs(300);

/// `countersign prove`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// What came of one host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The host.
    pub name: String,
    /// How it was to prove that.
    pub way: String,
    /// Why it did not.
    pub fault: Option<String>,
}

/// Runs it.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(run(globals))
}

fn run(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    let servers = context.settings.enrol.as_ref().and_then(|enrol| enrol.servers.clone());
    let reports = match servers {
        Some(servers) => {
            let rules = Rules { servers, roots: own_root(&context)? };
            context.run(all(&context, &rules))?
        }
        None => Vec::new(),
    };
    let line = |one: &Report| match &one.fault {
        Some(fault) => format!("{}: not proved by {}: {fault}", one.name, one.way),
        None => format!("{}: proved by {}", one.name, one.way),
    };
    let lines: Vec<String> = reports.iter().map(line).collect();
    globals
        .print(&reports, if lines.is_empty() { "no host is to be asked".into() } else { lines.join("\n") });
    Ok(Exit::Fine)
}

fn own_root(context: &Context) -> Result<Arc<RootCertStore>, Failure> {
    let own = Hierarchy::open(&context.settings.state.authority())?;
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from(own.certificate(Role::Root).der.to_vec());
    // A root that is not read vouches for nobody.
    let _ = roots.add(root);
    Ok(Arc::new(roots))
}

/// Asks all that are ready, and those that become so meanwhile.
async fn all(context: &Context, rules: &Rules) -> Result<Vec<Report>, RegistryError> {
    let (registry, started) = (&context.registry, Instant::now());
    let mut running = JoinSet::new();
    let (mut begun, mut of_account) = (HashSet::new(), HashMap::<String, usize>::new());
    let mut reports = Vec::new();
    loop {
        if started.elapsed() < MOST {
            for asked in registry.to_be_proved(clock::now()).await? {
                let of_one = of_account.entry(asked.account.clone()).or_default();
                let has_place = running.len() < AT_ONCE && *of_one < AT_ONCE_OF_ONE;
                if has_place && begun.insert(asked.authorisation.clone()) {
                    *of_one += 1;
                    let rules = rules.clone();
                    running.spawn(async move { (prove(&asked, &rules).await, asked) });
                }
            }
        }
        tokio::select! {
            done = running.join_next() => match done {
                None => return Ok(reports),
                Some(Ok((outcome, asked))) => {
                    of_account.entry(asked.account.clone()).and_modify(|of_one| *of_one -= 1);
                    reports.push(decide(context, asked, outcome).await?);
                }
                Some(Err(error)) => tracing::error!(%error, "a host could not be asked"),
            },
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn decide(
    context: &Context,
    asked: ToProve,
    outcome: Result<(), Problem>,
) -> Result<Report, RegistryError> {
    let error = outcome.as_ref().err().map(|problem| problem.json().to_string());
    let (id, way) = (&asked.authorisation, &asked.way);
    context.registry.decide_authorisation(id, way, error.as_deref(), clock::now()).await?;
    let fault = outcome.err().map(|problem| problem.detail);
    Ok(Report { name: asked.name, way: asked.way, fault })
}
