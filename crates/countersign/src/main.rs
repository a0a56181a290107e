//! Countersign: two-way TLS for websites. The gate, the authority and the check in one binary.
//!
//! - [`cli`]: the command line, one subcommand a file.
//! - [`config`]: the configuration, as written and as validated.
//! - [`run`]: the gate, its follower of the registry, and the short-lived process that signs for it.
//! - [`console`]: what operators see behind the admin address, as pages and as an API.
//! - [`doctor`]: knocks from outside. [`demo`]: the website behind a quickstart. [`clock`]: the time.
//! - [`store`]: opens the registry. [`notices`]: that certificates end. [`fetch`]: asks other hosts by HTTP, under rules.
//! - [`acme`]: certificates of sites that are ordered elsewhere.
//! - [`probe`]: the network side of the check: a server looked at from outside, and what its certificates name.

#![forbid(unsafe_code)]

mod acme;
mod cli;
mod clock;
mod config;
mod console;
mod demo;
mod doctor;
mod fetch;
mod notices;
mod probe;
mod prove;
mod run;
mod store;

/// Measured against the system's: a tenth less per handshake.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
