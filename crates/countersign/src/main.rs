//! Countersign: two-way TLS for websites. The gate, the authority and the check in one binary.
//!
//! - [`cli`]: the command line, one subcommand a file.
//! - [`config`]: the configuration, as written and as validated.

#![forbid(unsafe_code)]

mod cli;
mod config;

fn main() -> std::process::ExitCode {
    cli::main()
}
