//! `quickstart`: a whole working portal in one command, made of the same commands that anybody would type.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Exit, Failure, Globals, Outcome, context, doctor as doctor_cli, run as run_cli};
use crate::config::StateDir;
use crate::run::{Run, Supervision};
use crate::{demo, doctor};

/// The parties it makes.
const PARTIES: [&str; 2] = ["alice", "bob"];

/// `countersign quickstart`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: countersign quickstart --listen 127.0.0.1:8443 --admin 127.0.0.1:9443")]
pub struct Args {
    /// Where the site listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Where the admin address listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9443")]
    admin: SocketAddr,
    /// Make everything, knock, and end with doctor's exit code.
    #[arg(long)]
    once: bool,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(quickstart(globals, &args))
}

fn quickstart(globals: &Globals, args: &Args) -> Outcome {
    free(args.listen, "--listen")?;
    free(args.admin, "--admin")?;
    let folder = globals.state_dir.clone().unwrap_or_else(|| PathBuf::from("countersign-quickstart"));
    std::fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, "made", &error))?;
    let place = Place { config: folder.join("countersign.toml"), folder };
    run_cli::log_to_stderr(&Globals { quiet: true, verbose: false, ..globals.clone() });
    context::runtime()?.block_on(async {
        let upstream = upstream(&place)?;
        let demo = demo::start_on(upstream).await.map_err(|error| {
            Failure::new(
                Exit::Unreachable,
                format!("the demonstration website cannot listen on {upstream:?}: {error}"),
                "",
            )
        })?;
        let owner = place.make(globals, args, demo)?;
        let parties = place.parties(globals)?;
        let flags = run_cli::flags(&Globals { quiet: true, verbose: false, ..globals.clone() });
        let run = Run {
            config: place.config.clone(),
            state_dir: place.state(),
            silent_access: true,
            flags,
            program: None,
        };
        let (supervision, ready) = match Supervision::start(run, None).await {
            Ok(started) => started,
            Err(error) => return run_cli::not_started(error),
        };
        globals.say("knocking from outside …");
        let settings = run_cli::settings(&place.config, &place.state()).await?;
        let report = doctor::examine(&settings).await.map_err(|what| Failure::new(Exit::Bug, what, ""))?;
        globals.say(doctor_cli::shown(&report));
        let exit = if report.is_fine() { Exit::Fine } else { Exit::No };
        let summary = serde_json::json!({
            "url": format!("https://localhost:{}/", args.listen.port()),
            "console": format!("https://localhost:{}/", args.admin.port()),
            "folder": place.folder,
            "passwords": parties,
            "operator_password": owner,
            "doctor": report,
        });
        globals.print(&summary, place.told(args, owner.as_deref(), &parties));
        if args.once {
            supervision.end().await;
            return Ok(exit);
        }
        globals.say(format!("{ready}\nserving until Ctrl-C"));
        supervision.until_ended(|line| globals.say(line)).await;
        globals.say("ended");
        Ok(Exit::Fine)
    })
}

/// Refuses a taken port before anything is made, naming the flag.
fn free(address: SocketAddr, flag: &str) -> Result<(), Failure> {
    TcpListener::bind(address).map(drop).map_err(|error| {
        Failure::new(
            Exit::Unreachable,
            format!("cannot listen on {address}: {error}"),
            format!("choose another with {flag} 127.0.0.1:PORT"),
        )
    })
}

/// The demonstration website's address from an earlier start; `None` the first time.
fn upstream(place: &Place) -> Result<Option<SocketAddr>, Failure> {
    if !place.config.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&place.config)
        .map_err(|error| Failure::file(&place.config, "read", &error))?;
    let found = text.lines().find_map(|line| {
        line.trim().strip_prefix("upstream")?.split('"').nth(1)?.strip_prefix("http://")?.parse().ok()
    });
    found.map(Some).ok_or_else(|| {
        let what = format!("{} is not as quickstart left it", place.config.display());
        Failure::new(
            Exit::Configuration,
            what,
            "run it with `countersign run --config`, or choose another --state-dir",
        )
    })
}

struct Place {
    folder: PathBuf,
    config: PathBuf,
}

impl Place {
    fn state(&self) -> StateDir {
        StateDir::at(self.folder.join("state"))
    }

    /// One of this program's own commands, as anybody would type it.
    fn command(&self, globals: &Globals, words: &[&str]) -> Result<Value, Failure> {
        let binary =
            std::env::current_exe().map_err(|error| Failure::new(Exit::Bug, error.to_string(), ""))?;
        if globals.verbose {
            globals.say(format!("$ countersign --config {} {}", self.config.display(), words.join(" ")));
        }
        let output = std::process::Command::new(binary)
            .arg("--config")
            .arg(&self.config)
            .args(["--json", "--quiet", "--yes"])
            .args(words)
            .env_remove("COUNTERSIGN_STATE_DIR")
            .stdin(std::process::Stdio::null())
            .output()
            .map_err(|error| Failure::new(Exit::Bug, error.to_string(), ""))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Failure::no(format!("`countersign {}` failed: {said}", words.join(" ")), ""));
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
    }

    /// The configuration, the authority and the first operator, whose password it gives; an earlier start's are kept.
    fn make(&self, globals: &Globals, args: &Args, demo: SocketAddr) -> Result<Option<String>, Failure> {
        let (listen, admin) = (args.listen.to_string(), args.admin.to_string());
        if self.config.exists() {
            globals.say(format!("{} is there already: it is used as it is", self.folder.display()));
            return self.readdress(&listen, &admin).map(|()| None);
        }
        globals.say(format!("making a portal in {} …", self.folder.display()));
        let upstream = format!("http://{demo}");
        let words =
            ["init", "--site", "localhost", "--upstream", &upstream, "--listen", &listen, "--admin", &admin];
        let made = self.command(globals, &words)?;
        Ok(made["password"].as_str().map(str::to_owned))
    }

    /// Puts other addresses into an earlier start's file.
    fn readdress(&self, listen: &str, admin: &str) -> Result<(), Failure> {
        let fault =
            |action: &'static str| move |error: std::io::Error| Failure::file(&self.config, action, &error);
        let text = std::fs::read_to_string(&self.config).map_err(fault("read"))?;
        let mut file: toml_edit::DocumentMut = text.parse().map_err(|error| {
            Failure::new(Exit::Configuration, format!("{}: {error}", self.config.display()), "")
        })?;
        file["server"]["listen"] = toml_edit::value(toml_edit::Array::from_iter([listen]));
        file["server"]["admin"] = toml_edit::value(admin);
        if file.to_string() != text {
            std::fs::write(&self.config, file.to_string()).map_err(fault("written"))?;
        }
        Ok(())
    }

    /// Two parties with a PKCS#12 file and PEM each; the passwords of those made now.
    fn parties(&self, globals: &Globals) -> Result<Vec<(String, String)>, Failure> {
        let mut passwords = Vec::new();
        let folder = self.folder.to_string_lossy().into_owned();
        for name in PARTIES {
            if self.folder.join(format!("{name}.pem")).exists() {
                continue;
            }
            let words = [
                "party",
                "add",
                name,
                "--site",
                "localhost",
                "--pem",
                "--p12",
                "compatible",
                "--out",
                &folder,
            ];
            let made = self.command(globals, &words)?;
            if let Some(password) = made["password"].as_str() {
                passwords.push((name.to_owned(), password.to_owned()));
            }
        }
        let root = self.state().authority().join("root.pem");
        std::fs::copy(&root, self.folder.join("ca.pem"))
            .map_err(|error| Failure::file(&root, "copied", &error))?;
        Ok(passwords)
    }

    fn told(&self, args: &Args, owner: Option<&str>, parties: &[(String, String)]) -> String {
        let folder = self.folder.display();
        let url = format!("https://localhost:{}/", args.listen.port());
        let console = format!("https://localhost:{}/", args.admin.port());
        let curl = |extra: &str| format!("curl --cacert {folder}/ca.pem{extra} {url}");
        let shown = |name: &str| curl(&format!(" --cert {folder}/{name}.pem --key {folder}/{name}.key"));
        let mut text = format!(
            "\nThe portal is at {url}\nThe console is at {console} for you, its owner: who may enter, who knocked, and why not\n\n\
             With a certificate:\n"
        );
        for name in PARTIES {
            text += &format!("  {}\n", shown(name));
        }
        text += &format!("Without one, to read the refusal:\n  {}\n", curl(""));
        text += &format!(
            "With one that nobody here knows; it then waits in the console, under Pending, to be let in:\n  \
             openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=stranger -addext extendedKeyUsage=clientAuth \
             -addext basicConstraints=critical,CA:FALSE -keyout {folder}/stranger.key -out {folder}/stranger.pem\n  {}\n\n",
            shown("stranger")
        );
        text += "In a browser: import the certificates, trust the CA, then open the console or the portal.\n";
        let file = |path: &str, to: &str, password: &str| {
            format!("  {folder}/{path:<19} opens {to:<12} password (shown only now): {password}\n")
        };
        if let Some(password) = owner {
            text += &file("state/operator.p12", "the console", password);
        }
        for (name, password) in parties {
            text += &file(&format!("{name}.p12"), "the portal", password);
        }
        if owner.is_none() || parties.is_empty() {
            let command = format!("countersign --config {}", show(&self.config));
            text += &format!(
                "  the passwords were shown at the first start; for a new file:\n  \
                 {command} operator add NAME --role owner --out {folder}   opens the console\n  \
                 {command} party add NAME --label LABEL --out {folder}     opens the portal\n"
            );
        }
        text + &format!(
            "  Firefox          Settings, Privacy & Security, View Certificates: Your Certificates, Import the .p12;\n\
             \x20                  Authorities, Import {folder}/ca.pem, trust it for websites\n\
             \x20 Chrome, Edge     Settings, Privacy and security, Security, Manage certificates: import both\n\
             \x20 macOS, Safari    open both in Keychain Access (login); trust the CA for SSL\n\
             \x20 Windows          open the .p12, Current User; open ca.pem, Trusted Root Certification Authorities\n\n\
             Next: open {console}, or type countersign --config {} party list\n",
            show(&self.config)
        )
    }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}
