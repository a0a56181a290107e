//! Measures the gate beside other servers doing the same work.
//!
//! Read in this order:
//!
//! - [`options`]: the command line.
//! - [`compare`]: a whole run, round by round. [`count`]: instructions and system calls of the gate alone.
//!   [`callgrind`]: how instructions are counted.
//! - [`change`]: changes of the policy under load, and a revocation. [`grow`]: instructions by parties and connections.
//! - [`scale`]: what becomes of it all with very many certificates. [`pages`]: the console with a very long log.
//! - [`hall`]: what all servers of a run share.
//! - [`pki`]: the site's certificate and the visitors'.
//! - [`upstream`]: the website behind every server, a process of its own.
//! - [`server`]: the gate and its peers, each configured for the same work.
//! - [`load`]: the visitors.
//! - [`cost`]: what a server used: processor time and memory.
//! - [`floor`]: what the cryptography alone costs.
//! - [`figures`]: medians, quantiles and ratios.
//! - [`report`]: table, JSON and chart.
//! - [`cores`]: who runs where.

#![forbid(unsafe_code)]

mod callgrind;
mod change;
mod compare;
mod cores;
mod cost;
mod count;
mod failure;
mod figures;
mod floor;
mod grow;
mod hall;
mod load;
mod options;
mod pages;
mod pki;
mod report;
mod scale;
mod server;
mod upstream;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let done = match options::Arguments::parse().command {
        options::Command::Compare(options) => compare::compare(&options),
        options::Command::Count(options) => count::count(&options),
        options::Command::Change(options) => change::change(&options),
        options::Command::Grow(options) => grow::grow(&options),
        options::Command::Scale(options) => scale::scale(&options),
        options::Command::Pages(options) => pages::pages(&options),
        options::Command::Upstream { port } => upstream::serve(port),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}
