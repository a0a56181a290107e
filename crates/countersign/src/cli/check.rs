//! `check`: certificate files and servers examined, each finding with its place and what to do.
//!
//! - `source` reads a file and opens what is sealed; `roots` has the root stores; `side` reads what lies beside.
//! - `look` examines one file, `host` one server, reached as `reach` says; `document` is what scripts get, with its schema; `printed` gives every
//!   other format.
//! - `network` asks what the certificates name, where that is allowed.
//! - `many` examines hosts and files at once, `watch` again and again; `state` is what is known of one in short, `short`
//!   tells it of all, and `metrics` tells Prometheus.
//! - `repaired` hands back the corrected chain, and the lines for a server.
//! - `serve` is the same as a page for everybody.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

use examiner::profile::{PeerName, Profile};
use examiner::report::Severity;
use examiner::report::fix::Server;
use examiner::{Question, UnixTime};

use super::{Exit, Failure, Globals, Outcome, cert, context};

mod document;
mod host;
mod look;
mod many;
mod metrics;
mod network;
mod printed;
mod reach;
mod repaired;
pub mod roots;
pub mod serve;
mod short;
mod side;
pub mod source;
mod state;
mod turns;
mod watch;

pub use document::{Document, schema};
use look::{Asked, Seen, look};
use network::Network;
use printed::Format;
use reach::Reach;
use state::Known;
use watch::Watch;

const EXAMPLES: &str = "Examples:
  countersign check www.example.com
  countersign check portal.example.com:8443 --private --roots ca.pem --cert alice.pem --key alice.key
  countersign check www.example.com --connect 192.0.2.7
  countersign check mail.example.com --starttls smtp
  countersign check www.example.com --fetch --dns
  countersign check www.example.com --expect /etc/ssl/www.pem --key /etc/ssl/private/www.key
  countersign check fullchain.pem --servername www.example.com
  countersign check alice.p12 --password-file alice.password --roots ca.pem
  countersign check fullchain.pem --key privkey.pem --crl issuer.crl
  countersign check fullchain.pem --ct-logs log_list.json
  countersign check /etc/ssl/certs/ca-certificates.crt
  countersign check *.pem --json --fail-on warning
  countersign check www.pem --fetch --out fullchain.pem
  countersign check fullchain.pem --format html > report.html
  countersign check --list hosts.txt --metrics /var/lib/prometheus/node-exporter/check.prom
  countersign check --list hosts.txt --watch --every 15m --json
  countersign check www.pem --intermediates issuing.pem --key www.key --fix nginx --out fullchain.pem
  countersign check serve --listen 127.0.0.1:8480

Exit codes: 0 nothing of the severity of --fail-on; 1 something was found; 2 a file could not be examined; 4 a server
could not be examined; 5 a file is not there; 6 a file may not be read.";

/// `countersign check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    page: Option<Page>,
    /// Servers, as host or host:port; or certificate files: PEM, DER, PKCS#7, PKCS#12; requests, revocation lists and
    /// OCSP responses too; `-` for standard input.
    #[arg(required_unless_present_any = ["schema", "list"], value_name = "HOST|FILE")]
    files: Vec<PathBuf>,
    /// A list of hosts and files, one a line, with `#` before a remark: each in one line of the answer, unless -v or --json.
    #[arg(long, value_name = "FILE")]
    list: Vec<PathBuf>,
    /// How many hosts and files are examined at once.
    #[arg(long, value_name = "COUNT", default_value_t = 32, value_parser = at_once)]
    at_once: usize,
    #[command(flatten)]
    watch: Watch,
    /// Write what was seen to this file as well, for Prometheus.
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// By whose rules.
    #[arg(long, default_value = "auto", value_parser = ["auto", "web", "rfc5280", "private-server", "mtls-client"])]
    profile: String,
    /// By the rules for servers under a private CA: the same as `--profile private-server`.
    #[arg(long, conflicts_with = "profile")]
    private: bool,
    /// The host name, address or mailbox that the certificate ought to be for; a server is asked for it.
    #[arg(long, value_name = "NAME")]
    servername: Option<String>,
    /// Examine as of this moment, such as 2027-03-15 or 2027-03-15T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Trust anchors: a file, `mozilla` or `system`. Given again, the first decides and the others are compared.
    #[arg(long, value_name = "FILE|NAME")]
    roots: Vec<PathBuf>,
    /// A file of intermediates at hand beside what is examined.
    #[arg(long, value_name = "FILE")]
    intermediates: Vec<PathBuf>,
    /// A revocation list beside it, PEM or DER.
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// An OCSP response beside it.
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,
    /// A list of weak or compromised keys.
    #[arg(long, value_name = "FILE")]
    key_list: Vec<PathBuf>,
    /// A list of what is said of roots: in which stores they are, and until when.
    #[arg(long, value_name = "FILE")]
    root_list: Vec<PathBuf>,
    /// The Public Suffix List as it is published, in place of the one that is built in.
    #[arg(long, value_name = "FILE")]
    suffix_list: Option<PathBuf>,
    /// The list of the logs of certificate transparency, as browsers publish it (JSON, version 3).
    #[arg(long, value_name = "FILE")]
    ct_logs: Option<PathBuf>,
    /// The private key that ought to belong to the first certificate, of a file or as a server shows it; with --cert, that
    /// certificate's.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
    /// The first line of this file is the password of a PKCS#12 file.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    network: network::Allowed,
    /// End with 1 from this severity on.
    #[arg(long, default_value = "error", value_parser = ["error", "warning", "notice", "never"])]
    fail_on: String,
    /// Print the report in another form than text.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Print the lines that make this server serve the chain in its right form, instead of the report.
    #[arg(long, value_name = "SERVER", value_parser = ["nginx", "apache", "haproxy", "caddy", "iis", "java", "node"],
          conflicts_with = "format")]
    fix: Option<String>,
    /// Write the chain in its right form to this file: what is missing put in, in order, without the root.
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    out: Option<PathBuf>,
    /// Print the JSON Schema of what --json prints, and end.
    #[arg(long, conflicts_with_all = ["files", "list"])]
    schema: bool,
}

/// What else there is.
#[derive(Debug, clap::Subcommand)]
enum Page {
    /// Serve the check as a page, and as a JSON end point.
    Serve(Box<serve::Args>),
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match &args.page {
        Some(Page::Serve(page)) => serve::serve(globals, page),
        None => run(globals, &args),
    })
}

fn run(globals: &Globals, args: &Args) -> Outcome {
    if globals.json && args.format.is_some() {
        return Err(Failure::usage("--json and --format are two forms", "give one of them"));
    }
    if args.schema {
        let schema = schema();
        globals.print(&schema, format!("{schema:#}"));
        return Ok(Exit::Fine);
    }
    let asked = asked(globals, args)?;
    let words = [args.files.clone(), many::entries(&args.list)?].concat();
    if args.watch.watch {
        return watch::watch(globals, args, &words, asked);
    }
    let begun = Instant::now();
    let bar = bar(globals, words.len());
    let mut all = many::all(&asked, args, &words, |word| {
        bar.set_message(word.display().to_string());
        bar.inc(1);
    });
    bar.finish_and_clear();
    if let ([(_, Err(failure))], None, None) = (all.as_slice(), args.format, &args.metrics) {
        return Err(failure.clone());
    }
    if let Some(file) = &args.metrics {
        metrics::write(file, &short::known(&all), context::now(), begun.elapsed())?;
    }
    let limit = limit(&args.fail_on);
    if args.fix.is_some() || args.out.is_some() {
        let server = args.fix.as_deref().and_then(Server::named);
        return repaired::hand_back(globals, &asked.question, server, args, all, limit);
    }
    let is_short = !args.list.is_empty() && !globals.verbose && !globals.json;
    if is_short && args.format.is_none() {
        all.sort_by_key(|(_, one)| Known::of(one).state.word);
        globals.print_bytes(short::text(&short::known(&all)).as_bytes());
    } else {
        printed::print(globals, args.format, &all, limit)?;
    }
    let exit = exit(&all, limit);
    if exit == Exit::No && !all.iter().any(|(_, one)| is_told_of(one)) {
        globals.say("a notice was found, which counts as wrong by --fail-on notice");
    }
    Ok(exit)
}

/// Whether the report's first sentence tells of a finding: it does so of errors and warnings.
fn is_told_of(one: &Result<Seen, Failure>) -> bool {
    one.as_ref().map_or(true, |seen| seen.report.worst().is_some_and(|worst| worst != Severity::Notice))
}

/// From 1 to 256.
fn at_once(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| (1..=256).contains(count)).ok_or("it is a number from 1 to 256".into())
}

/// What is seen in a file, or of a server.
fn one(asked: &Asked, args: &Args, word: &Path) -> Result<Vec<Seen>, Failure> {
    match host::named(word) {
        Some(target) => {
            let way = args.reach.way(args.servername.as_deref(), args.key.as_deref())?;
            host::look(asked, &target?, &way)
        }
        None => match args.reach.given() {
            Some(flag) => Err(Failure::usage(
                format!("{flag} is for a server, and {} names a file", word.display()),
                "name a host like www.example.com, or host:port",
            )),
            None => look(asked, word).map_err(|failure| no_file(word, failure)),
        },
    }
}

/// What is not there as a file may have been meant as a host.
fn no_file(word: &Path, failure: Failure) -> Failure {
    if failure.exit != Exit::NotFound || word.exists() || !failure.help.is_empty() {
        return failure;
    }
    let name = word.display();
    let mut help = "see that the file's name is right".to_owned();
    if !name.to_string().contains(['/', ':']) {
        help += &format!("; a host is named with a dot or a port, as in {name}:443");
    }
    Failure { help, ..failure }
}

/// What could not be examined comes first: then nobody knows what would have been found.
fn exit(all: &[(String, Result<Seen, Failure>)], limit: Option<Severity>) -> Exit {
    if let Some(failure) = all.iter().find_map(|(_, one)| one.as_ref().err()) {
        return failure.exit;
    }
    let worst = all.iter().filter_map(|(_, one)| one.as_ref().ok()?.report.worst()).min();
    if worst.zip(limit).is_some_and(|(worst, limit)| worst <= limit) { Exit::No } else { Exit::Fine }
}

/// The severity that a word of `--fail-on` names.
pub fn limit(word: &str) -> Option<Severity> {
    match word {
        "error" => Some(Severity::Error),
        "warning" => Some(Severity::Warning),
        "notice" => Some(Severity::Notice),
        _ => None,
    }
}

/// What the words of the command line ask.
pub fn question(profile: &str, private: bool, at: Option<&str>) -> Result<Question, Failure> {
    let at = match at {
        Some(text) => UnixTime::parse(text).map_err(|error| Failure::usage(error.to_string(), ""))?,
        None => context::now(),
    };
    let profile = if private { Some(Profile::PrivateServer) } else { Profile::named(profile) };
    Ok(Question { profile, at, host: None })
}

fn asked(globals: &Globals, args: &Args) -> Result<Asked, Failure> {
    args.network.agree(args.reach.asks_dns())?;
    let mut question = question(&args.profile, args.private, args.at.as_deref())?;
    question.host = args.servername.as_deref().map(|name| match name.contains('@') {
        true => PeerName::Email(name.to_owned()),
        false => PeerName::host(name),
    });
    if args.roots.is_empty() && !matches!(question.profile, Some(profile) if profile != Profile::Web) {
        roots::warn_of_age(globals, context::now());
    }
    let mut beside = Vec::new();
    for file in &args.intermediates {
        beside.extend(source::certificates(file)?);
    }
    let mut side = side::read(globals, args)?;
    if let Some(file) = &args.reach.expect {
        side.expected = source::certificates(file)?;
    }
    // Beside --cert it is the key of that, which is compared when it is read.
    let key = args.key.as_deref().filter(|_| args.reach.cert.is_none()).map(|file| {
        let bytes = zeroize::Zeroizing::new(cert::read_bytes(file)?);
        source::public_half(&bytes).map_err(|what| {
            let help = "give an unencrypted private key: PKCS#8, PKCS#1 or SEC 1";
            Failure::usage(format!("{}: {what}", file.display()), help)
        })
    });
    Ok(Asked {
        question,
        is_now: args.at.is_none(),
        stores: args.roots.iter().map(|name| roots::named(name)).collect::<Result<_, _>>()?,
        beside,
        side,
        key: key.transpose()?,
        turns: turns::Turns::default(),
        network: Network::of(&args.network)?,
        password: args.password_file.clone(),
    })
}

/// A progress bar over many files, on a terminal alone.
fn bar(globals: &Globals, files: usize) -> indicatif::ProgressBar {
    if files < 2 || globals.quiet || !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("{pos}/{len} {bar:30} {msg}");
    let bar = indicatif::ProgressBar::new(files as u64);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The severities in colour; the words stay, so that colour is never alone.
pub fn coloured(globals: &Globals, text: &str) -> String {
    let terminal = std::io::stdout().is_terminal();
    let paint = |line: &str| match line {
        "Errors" => globals.paint(line, "1;31", terminal),
        "Warnings" => globals.paint(line, "1;33", terminal),
        "Notices" | "Cannot tell" => globals.paint(line, "1", terminal),
        line => line
            .replace("[error]", &globals.paint("[error]", "31", terminal))
            .replace("[warning]", &globals.paint("[warning]", "33", terminal)),
    };
    text.lines().map(|line| paint(line) + "\n").collect()
}
