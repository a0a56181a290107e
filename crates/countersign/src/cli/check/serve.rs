//! `check serve`: the check as a public page and a JSON end point, without any other part of the product.
//!
//! A request goes through these, one file a step:
//!
//! - `listen`: connections, under limits. `visitor`: who asks, and whether the request may come from there.
//! - `answer`: paths and forms of the answer. `question`: what is asked for, and whether it may be.
//! - `desk`: how many looks at once, of whom, and which are told again.
//! - `kept`: the look itself, at addresses that `probe::public` judged; what of it is kept.
//! - `behind`: the same page behind the console, over a Unix socket.
//! - `page` (with `page.css`, `page.js`): the HTML. `site`: its name, rules and files. `refusal`: why there is no report.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use examiner::side::SideFiles;
use gateway::networks::{Network, Networks};
use policy::HostName;
use serde_json::json;
use tokio::net::TcpListener;

use super::look::Asked;
use super::network::Network as Fetching;
use super::{roots, turns};
use crate::cli::{Exit, Failure, Globals, Outcome, context};
use crate::probe::public::Bounds;
use crate::probe::{dns, fetched};

mod answer;
pub mod behind;
mod desk;
mod kept;
mod listen;
mod page;
mod question;
mod refusal;
mod site;
mod visitor;

use desk::{Desk, Pace};
use kept::Looking;
use question::{Ports, Rules};
use site::Site;
use visitor::Names;

const EXAMPLES: &str = "Examples:
  countersign check serve
  countersign check serve --listen 127.0.0.1:8480 --name 'Certificate check of Example'
  countersign check serve --behind 127.0.0.1 --rate 20 --resolver 192.0.2.53
  countersign check serve --allow-private=10.0.0.0/8 --roots ca.pem --private --host check.example.internal
  curl 'http://127.0.0.1:8480/api/v1/check?host=www.example.com'

The page speaks HTTP: put a server with TLS before it, and name that with --behind. It ends at SIGTERM, once what was
asked is answered.

Exit codes: 0 it was told to end; 2 wrong usage; 4 the address cannot be listened on.";

/// `countersign check serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Address and port to answer on.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// What stands above the page and its reports.
    #[arg(long, value_name = "TEXT", default_value = "Certificate check", value_parser = name)]
    name: String,
    /// Answer under this name only, and under addresses. Given again, under each. With --allow-private and no name, the
    /// page answers under addresses and `localhost` alone.
    #[arg(long = "host", value_name = "NAME", value_parser = host)]
    hosts: Vec<HostName>,
    /// Look at hosts that are not public too: at all, or at those in a range. Given again, in each.
    #[arg(long, value_name = "RANGE", num_args = 0..=1, require_equals = true, default_missing_value = "all",
          value_parser = private)]
    allow_private: Vec<Private>,
    /// Ports that are looked at, with commas between, or `any`.
    #[arg(long, value_name = "PORTS", value_parser = Ports::parse,
          help = "Ports that are looked at, with commas between, or `any` [default: those of TLS and STARTTLS]")]
    ports: Option<Ports>,
    /// New looks a minute for each address (IPv4) or each /64 (IPv6). A look that is told again costs nothing.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Looks at once; four times as many may wait.
    #[arg(long, value_name = "COUNT", default_value_t = 16, value_parser = super::at_once)]
    at_once: usize,
    /// How long a look is told again, instead of made again; 0 makes each anew.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    cache: u64,
    /// A proxy before the page, whose X-Forwarded-For is believed: an address or a range. Given again, each.
    #[arg(long, value_name = "RANGE", value_parser = range)]
    behind: Vec<Network>,
    /// Ask this resolver for addresses, instead of this system's: one that knows no names of the inner network.
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = resolver)]
    resolver: Option<SocketAddr>,
    /// Ask the DNS too, who may issue for a host (CAA) and which certificates it pins (TLSA).
    #[arg(long)]
    dns: bool,
    /// Ask the addresses that certificates name, for issuers, revocation lists and OCSP responses; those that are public,
    /// or allowed.
    #[arg(long)]
    fetch: bool,
    /// Trust anchors: a file, `mozilla` or `system`. Given again, the first decides and the others are compared.
    #[arg(long, value_name = "FILE|NAME")]
    roots: Vec<PathBuf>,
    /// Examine by the rules for servers under a private CA.
    #[arg(long)]
    private: bool,
}

/// Addresses that are not public and may be looked at.
#[derive(Clone, Copy, Debug)]
enum Private {
    All,
    Range(Network),
}

/// Serves until SIGTERM.
pub fn serve(globals: &Globals, args: &Args) -> Outcome {
    let private: Networks = args.allow_private.iter().flat_map(Private::ranges).collect();
    let is_within = !args.allow_private.is_empty();
    let resolver = match (args.dns, args.resolver) {
        (false, _) => None,
        (true, Some(resolver)) => Some(resolver),
        (true, None) => Some(dns::of_this_system().ok_or_else(|| {
            Failure::not_found("/etc/resolv.conf names no resolver", "name one: --resolver 192.0.2.53")
        })?),
    };
    if args.roots.is_empty() && !args.private {
        roots::warn_of_age(globals, context::now());
    }
    let asked = Asked {
        question: super::question("auto", args.private, None)?,
        is_now: true,
        stores: args.roots.iter().map(|name| roots::named(name)).collect::<Result<_, _>>()?,
        beside: Vec::new(),
        side: SideFiles::default(),
        key: None,
        turns: turns::Turns::default(),
        network: args.fetch.then(|| Fetching::within(private.clone())).transpose()?,
        password: None,
    };
    let looking = Looking { asked, bounds: Bounds { private, resolver: args.resolver }, resolver };
    let pace = Pace { per_minute: args.rate, at_once: args.at_once, keep: Duration::from_secs(args.cache) };
    let site = Site {
        name: args.name.clone(),
        rules: Rules { ports: args.ports.clone().unwrap_or_default(), inner_names: is_within },
        desk: Desk::new(pace, move |question| looking.look(question)),
        names: names(&args.hosts, is_within),
        behind: args.behind.iter().copied().collect(),
        asks_others: args.fetch || args.dns,
        home: None,
    };
    let runtime = context::runtime()?;
    let ended = runtime.block_on(async {
        let unheard = |error: std::io::Error| {
            let what = format!("{} cannot be listened on: {error}", args.listen);
            Failure::new(Exit::Unreachable, what, "give another address or port with --listen")
        };
        let listener = TcpListener::bind(args.listen).await.map_err(unheard)?;
        let address = listener.local_addr().map_err(unheard)?;
        if globals.json {
            globals.print(&json!({ "url": format!("http://{address}/") }), "");
        }
        globals.say(format!("ready: http://{address}/"));
        listen::serve(listener, Arc::new(site)).await.map_err(unheard)
    });
    // A look that still runs is nobody's any more.
    runtime.shutdown_background();
    ended?;
    globals.say("ended: what was asked is answered");
    Ok(Exit::Fine)
}

/// Where inner hosts are looked at, a page of somebody else must not read this one by having its name lead here.
fn names(hosts: &[HostName], is_within: bool) -> Names {
    match (hosts, is_within) {
        ([], false) => Names::Any,
        ([], true) => Names::Listed(HostName::parse("localhost").into_iter().collect()),
        (hosts, _) => Names::Listed(hosts.to_vec()),
    }
}

impl Private {
    fn ranges(&self) -> Vec<Network> {
        match self {
            Self::All => fetched::everywhere().iter().copied().collect(),
            Self::Range(range) => vec![*range],
        }
    }
}

fn private(text: &str) -> Result<Private, String> {
    if text == "all" { Ok(Private::All) } else { range(text).map(Private::Range) }
}

fn range(text: &str) -> Result<Network, String> {
    Network::parse(text).map_err(|error| error.to_string())
}

fn host(text: &str) -> Result<HostName, String> {
    HostName::parse(text).map_err(|error| error.to_string())
}

fn name(text: &str) -> Result<String, String> {
    let is_fine = (1..=80).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control);
    if is_fine { Ok(text.trim().to_owned()) } else { Err("it is a line of 1 to 80 characters".into()) }
}

fn resolver(text: &str) -> Result<SocketAddr, String> {
    let whole = text.parse().ok();
    let whole = whole.or_else(|| text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53)));
    whole.ok_or_else(|| "give an address like 192.0.2.53, or 192.0.2.53:5353".into())
}
