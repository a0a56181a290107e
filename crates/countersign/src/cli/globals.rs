//! What every command takes, and how every command speaks.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use gateway::pages::Lang;
use serde::Serialize;

use super::exit::{Exit, Outcome};

/// The flags of every command.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Globals {
    /// The configuration file.
    #[arg(long, short = 'c', global = true, value_name = "FILE", env = "COUNTERSIGN_CONFIG")]
    pub config: Option<PathBuf>,
    /// The state directory.
    #[arg(long, global = true, value_name = "DIR", env = "COUNTERSIGN_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Answer with one JSON document.
    #[arg(long, global = true)]
    pub json: bool,
    /// Say only what went wrong.
    #[arg(long, short = 'q', global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more.
    #[arg(long, short = 'v', global = true)]
    pub verbose: bool,
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// The language of explanations.
    #[arg(long, global = true, value_name = "TAG", value_parser = ["en", "nl", "de", "fr"])]
    pub lang: Option<String>,
    /// Answer every question with yes.
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,
    /// Ask nothing.
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Change nothing; say what would be changed.
    #[arg(long, short = 'n', global = true)]
    pub dry_run: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Globals {
    /// The configuration file: as given, or `countersign.toml` here.
    pub fn config_path(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| "countersign.toml".into())
    }

    /// The language of explanations: as given, else the environment's, else English.
    pub fn lang(&self) -> Lang {
        let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let environment = || ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(named);
        self.lang.clone().or_else(environment).and_then(|tag| Lang::parse(&tag)).unwrap_or(Lang::En)
    }

    /// Talk: to standard error, unless quiet.
    pub fn say(&self, text: impl AsRef<str>) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
        }
    }

    /// A warning: to standard error, also when quiet.
    pub fn warn(&self, text: impl AsRef<str>) {
        let _ = writeln!(
            std::io::stderr(),
            "{} {}",
            self.paint("warning:", "33", std::io::stderr().is_terminal()),
            text.as_ref()
        );
    }

    /// The result: JSON with `--json`, else the text. A closed pipe is no failure.
    pub fn print(&self, value: &impl Serialize, text: impl AsRef<str>) {
        let text = if self.json {
            serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
        } else {
            text.as_ref().trim_end_matches('\n').to_owned()
        };
        if !text.is_empty() {
            let _ = writeln!(std::io::stdout(), "{text}");
        }
    }

    /// Bytes as they are, to standard output.
    pub fn print_bytes(&self, bytes: &[u8]) {
        let _ = std::io::stdout().write_all(bytes);
    }

    /// Ends a command: says what went wrong, and gives the code.
    pub fn end(&self, outcome: Outcome) -> Exit {
        let failure = match outcome {
            Ok(exit) => return exit,
            Err(failure) => failure,
        };
        if self.json {
            self.print(&serde_json::json!({ "error": failure.what, "help": failure.help }), "");
        }
        let _ = writeln!(
            std::io::stderr(),
            "{} {failure}",
            self.paint("error:", "1;31", std::io::stderr().is_terminal())
        );
        failure.exit
    }

    /// Whether the question is answered with yes; without a terminal only `--yes` is one.
    pub fn confirm(&self, question: &str) -> bool {
        if self.yes {
            return true;
        }
        if self.no_input || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return false;
        }
        let _ = write!(std::io::stderr(), "{question} [y/N] ");
        let mut answer = String::new();
        let _ = std::io::stdin().read_line(&mut answer);
        matches!(answer.trim(), "y" | "Y" | "yes")
    }

    /// The text in a colour, where colours are wanted; `terminal` is whether it goes to one.
    pub fn paint(&self, text: &str, code: &str, terminal: bool) -> String {
        let colour = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Rows as aligned columns, two spaces apart, without trailing spaces.
pub fn columns(rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line += &format!("{cell}{}  ", " ".repeat(width - cell.chars().count()));
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}
