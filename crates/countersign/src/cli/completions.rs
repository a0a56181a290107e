//! `completions`, `man`, `version`: all from the same source.

use std::path::PathBuf;

use super::{Exit, Failure, Globals, Outcome};

/// `countersign completions SHELL`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// `countersign man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write a page for every subcommand to this directory, instead of the main one to standard output.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints a shell's completions.
pub fn command(globals: &Globals, args: Args) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::clap(), "countersign", &mut text);
    let text = String::from_utf8_lossy(&text);
    globals.print(&serde_json::json!({ "shell": args.shell.to_string(), "script": text }), &text);
    Exit::Fine
}

/// Prints or writes the manual pages.
pub fn man(globals: &Globals, args: ManArgs) -> Exit {
    globals.end(write_man(globals, args))
}

fn write_man(globals: &Globals, args: ManArgs) -> Outcome {
    let page = |error: std::io::Error| {
        Failure::new(Exit::Bug, format!("the page cannot be made: {error}"), "please report this")
    };
    match args.out {
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(super::clap()).render(&mut text).map_err(page)?;
            let text = String::from_utf8_lossy(&text);
            globals.print(&serde_json::json!({ "page": text }), &text);
        }
        Some(directory) => {
            std::fs::create_dir_all(&directory).map_err(|error| Failure::file(&directory, "made", &error))?;
            clap_mangen::generate_to(super::clap(), &directory)
                .map_err(|error| Failure::file(&directory, "written", &error))?;
            globals.print(&serde_json::json!({ "directory": directory }), "");
            globals.say(format!("the manual pages are in {}", directory.display()));
        }
    }
    Ok(Exit::Fine)
}

/// Prints the version.
pub fn version(globals: &Globals) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    let target = std::env::consts::ARCH;
    globals.print(
        &serde_json::json!({ "version": version, "architecture": target }),
        format!("countersign {version}"),
    );
    Exit::Fine
}
