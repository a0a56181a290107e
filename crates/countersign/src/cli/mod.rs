//! The command line: one subcommand a file.
//!
//! - [`globals`]: the flags of every command, and how every command speaks; [`exit`]: how it ends.
//! - [`context`]: registry, settings and moment, for the commands that need them. [`begun`]: how the processes begin that
//!   `run` starts.
//!
//! A new subcommand is a line in [`Command`] and a line in [`dispatch`].

use std::ffi::OsString;
use std::io::Write;

use clap::{CommandFactory, Parser, Subcommand};

pub mod authority;
pub mod begun;
pub mod ca;
pub mod cert;
pub mod check;
pub mod checker;
pub mod completions;
pub mod config;
pub mod console;
pub mod context;
pub mod doctor;
pub mod exit;
pub mod explain;
pub mod gate;
pub mod globals;
pub mod init;
pub mod issue;
pub mod ladder;
pub mod log;
pub mod notices;
pub mod ocsp;
pub mod operator;
pub mod party;
pub mod pending;
pub mod prove;
pub mod quickstart;
pub mod renew;
pub mod run;
pub mod site;
pub mod state;
pub mod status;
pub mod upgrade;
pub mod upkeep;
pub mod validate;

pub use exit::{Exit, Failure, Outcome};
pub use globals::Globals;

/// Two-way TLS for websites: the gate, the authority and the check in one binary.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, propagate_version = false, disable_help_subcommand = true)]
#[command(
    after_help = "Begin with `countersign quickstart`, or with `countersign init --site HOST --upstream URL`."
)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A whole working portal in one command: CA, site, demonstration website, two parties, doctor.
    Quickstart(quickstart::Args),
    /// Make a configuration, a registry, an authority and the first operator.
    Init(init::Args),
    /// Serve: the gate, until SIGTERM.
    Run(run::Args),
    /// Make the running gate read configuration, CAs and certificates anew.
    Reload(run::ReloadArgs),
    /// Have the program as it is on disk now take over from the running one, without a lost connection.
    Upgrade(upgrade::Args),
    /// Have this machine's certificate renewed by showing it.
    Renew(Box<renew::Args>),
    /// Examine certificate files: what is wrong, where, and what to do.
    Check(Box<check::Args>),
    /// Knock at the doors from outside, and say which stand open.
    Doctor(doctor::Args),
    /// The gate itself, as `run` starts it.
    #[command(hide = true)]
    Gate(gate::Args),
    /// The process that signs, as `run` starts it.
    #[command(hide = true)]
    Authority(authority::Args),
    /// Sign what is due, as `run` starts it.
    #[command(hide = true)]
    Upkeep(upkeep::Args),
    /// Send the notices that are due, as `run` starts it.
    #[command(hide = true)]
    Notices(notices::Args),
    /// Ask the hosts that are ready to prove their names, as `run` starts it.
    #[command(hide = true)]
    Prove(prove::Args),
    /// Answer about single certificates, as `run` starts it.
    #[command(hide = true)]
    Ocsp(ocsp::Args),
    /// Answer operators behind the admin address, as `run` starts it.
    #[command(hide = true)]
    Console(console::Args),
    /// Check websites for the console, as `run` starts it.
    #[command(hide = true)]
    Checker(checker::Args),
    /// Check the configuration, and say everything that is wrong with it.
    Validate(validate::Args),
    /// The configuration as it holds.
    #[command(subcommand)]
    Config(config::Args),
    /// Sites.
    #[command(subcommand)]
    Site(site::Args),
    /// Parties: who may enter.
    #[command(subcommand)]
    Party(party::Args),
    /// Certificates that have knocked and are admitted nowhere.
    #[command(subcommand)]
    Pending(pending::Args),
    /// Operators: who may use the admin address.
    #[command(subcommand)]
    Operator(operator::Args),
    /// Trusted issuers, and the own authority.
    #[command(subcommand)]
    Ca(ca::Args),
    /// What happened.
    #[command(subcommand)]
    Log(log::Args),
    /// Certificate files.
    #[command(subcommand)]
    Cert(cert::Args),
    /// Copies of the state directory, and the way back.
    #[command(subcommand)]
    State(state::Args),
    /// What holds now, and what needs attention.
    Status(status::Args),
    /// What a code means, or whether a certificate would be admitted.
    Explain(explain::Args),
    /// A shell's completions.
    Completions(completions::Args),
    /// The manual pages.
    Man(completions::ManArgs),
    /// The version.
    Version,
}

fn dispatch(globals: &Globals, command: Command) -> Exit {
    match command {
        Command::Quickstart(args) => quickstart::command(globals, args),
        Command::Run(args) => run::command(globals, args),
        Command::Reload(args) => run::reload(globals, args),
        Command::Upgrade(args) => upgrade::command(globals, args),
        Command::Renew(args) => renew::command(globals, &args),
        Command::Check(args) => check::command(globals, *args),
        Command::Doctor(args) => doctor::command(globals, args),
        Command::Gate(args) => gate::command(globals, args),
        Command::Authority(args) => authority::command(globals, args),
        Command::Notices(args) => notices::command(globals, args),
        Command::Prove(args) => prove::command(globals, args),
        Command::Upkeep(args) => upkeep::command(globals, args),
        Command::Ocsp(args) => ocsp::command(globals, args),
        Command::Console(args) => console::command(globals, args),
        Command::Checker(args) => checker::command(globals, args),
        Command::Init(args) => init::command(globals, args),
        Command::Validate(args) => validate::command(globals, args),
        Command::Config(args) => config::command(globals, args),
        Command::Site(args) => site::command(globals, args),
        Command::Party(args) => party::command(globals, args),
        Command::Pending(args) => pending::command(globals, args),
        Command::Operator(args) => operator::command(globals, args),
        Command::Ca(args) => ca::command(globals, args),
        Command::Log(args) => log::command(globals, args),
        Command::Cert(args) => cert::command(globals, args),
        Command::State(args) => state::command(globals, args),
        Command::Status(args) => status::command(globals, args),
        Command::Explain(args) => explain::command(globals, args),
        Command::Completions(args) => completions::command(globals, args),
        Command::Man(args) => completions::man(globals, args),
        Command::Version => completions::version(globals),
    }
}

/// The program.
pub fn main() -> std::process::ExitCode {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() && json_wanted(std::env::args_os()) {
                let _ = writeln!(std::io::stdout(), "{:#}", usage_as_json(&error));
            } else {
                let _ = error.print();
            }
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Fine.into() };
        }
    };
    dispatch(&cli.globals, cli.command).into()
}

/// Whether `--json` stands among the arguments; what cannot be parsed can still be answered as asked.
fn json_wanted(arguments: impl Iterator<Item = OsString>) -> bool {
    arguments.skip(1).take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

/// Wrong usage as one document: what is wrong, and all that clap says to do about it.
fn usage_as_json(error: &clap::Error) -> serde_json::Value {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let what = lines.next().unwrap_or_default();
    let help: Vec<&str> = lines.collect();
    serde_json::json!({ "error": what.strip_prefix("error: ").unwrap_or(what), "help": help.join("\n") })
}

/// The command line as clap knows it, for completions and manual pages.
pub fn clap() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_whole() {
        super::clap().debug_assert();
    }
}
