//! The gate, set up with its own command line: a trusted issuer with a rule on names, limits at their defaults.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{Place, program};
use crate::failure::{Doing, Failure};
use crate::pki::{SITE, VISITORS};

/// Its version, and which build it is.
pub fn version(program: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(program).doing("the gate's binary")?;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    let hash = data_encoding::HEXLOWER.encode(&hash.as_ref()[..4]);
    let version = program::say(program, &["--version"])?;
    Ok(format!("{} (build {hash}), rustls with AWS-LC", version.trim()))
}

pub(super) fn prepare(place: &Place) -> Result<Command, Failure> {
    let upstream = format!("http://127.0.0.1:{}", place.upstream);
    let listen = format!("127.0.0.1:{}", place.port);
    let admin = format!("127.0.0.1:{}", testkit::free_port());
    run(
        place,
        &["init", "--site", SITE, "--upstream", &upstream, "--listen", &listen, "--admin", &admin, "--yes"],
    )?;
    let config = std::fs::read_to_string(place.dir.join("countersign.toml")).doing("countersign.toml")?;
    let site = format!("[site.\"{SITE}\"]\n");
    let ours = format!(
        "{site}certificate = {{ cert = \"{}\", key = \"{}\" }}\ntls_min = \"1.3\"\n",
        place.files.cert.display(),
        place.files.key.display()
    );
    let config = config.replace("[server]\n", "[server]\nworkers = 1\n").replace(&site, &ours);
    place.write("countersign.toml", &(config + "\n[log]\nfile = \"access.log\"\n"))?;
    let ca = place.files.ca.display().to_string();
    let rule = format!("san:dns=*.{VISITORS}");
    run(place, &["ca", "add", &ca, "--name", "partners", "--site", SITE, "--match", &rule])?;
    if place.others[0] > 0 {
        others(place)?;
    }
    let Some((first, rest)) = place.under.split_first() else { return Ok(command(place, &["run"])) };
    let mut command = Command::new(first);
    command.args(rest).arg(&place.program).arg("run");
    Ok(at_home(command, place))
}

/// Puts other parties on record, and lets the gate run once, so that the next begins with its last policy.
fn others(place: &Place) -> Result<(), Failure> {
    let [parties, rules] = place.others;
    let text = format!(
        "PRAGMA synchronous = OFF;
         BEGIN;
         CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {parties})
             SELECT i FROM n;
         INSERT INTO parties (name, id, created_at)
             SELECT 'p' || i, printf('%08x-0000-4000-8000-%012x', i, i), 0 FROM n;
         INSERT INTO grants (party, site) SELECT 'p' || i, '{SITE}' FROM n;
         INSERT INTO certificates (thumbprint, sha1, holder_kind, holder, label, origin, profile, key_pin, serial, subject,
                 issuer, not_before, not_after, der)
             SELECT randomblob(32), randomblob(20), 'party', 'p' || i, 'cert-1', 'pinned', '', randomblob(32), randomblob(16),
                 'CN=p' || i, 'CN=p' || i, 0, 4102444800, x'3000' FROM n;
         INSERT INTO subjects (ca, subject, shown, party)
             SELECT 'partners', randomblob(32), 'CN=p' || i, 'p' || i FROM n WHERE i <= {rules};
         COMMIT;"
    );
    let mut sqlite = Command::new("sqlite3").arg(place.dir.join("state/registry.db")).arg(text).spawn();
    let status = sqlite.as_mut().map(|sqlite| sqlite.wait());
    if !matches!(&status, Ok(Ok(status)) if status.success()) {
        return Err(Failure::new("sqlite3 could not put parties on record"));
    }
    let last = place.dir.join("state/snapshot/last");
    let mut gate =
        command(place, &["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().doing("the gate")?;
    let end = Instant::now() + Duration::from_secs(300);
    while !last.exists() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
    }
    kill_process(Pid::from_child(&gate), Signal::TERM).doing("the gate")?;
    gate.wait().doing("the gate")?;
    if last.exists() { Ok(()) } else { Err(Failure::new("the gate did not write its policy")) }
}

/// The configuration that holds, as the gate itself tells it.
pub fn effective(place: &Place) -> Result<String, Failure> {
    run(place, &["config", "show"])
}

/// One of its own commands, to be run on its state.
pub fn command(place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new(&place.program);
    command.args(arguments);
    at_home(command, place)
}

fn at_home(mut command: Command, place: &Place) -> Command {
    command.current_dir(&place.dir).env_remove("COUNTERSIGN_LOG");
    command.env_remove("COUNTERSIGN_CONFIG").env_remove("COUNTERSIGN_STATE_DIR");
    command
}

/// The same, giving way to all else: it shares a core with the visitors, and is not what is measured.
pub fn humble_command(place: &Place, arguments: &[&str]) -> Command {
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(&place.program).args(arguments);
    at_home(command, place)
}

/// Runs one of its own commands; what it prints.
pub fn run(place: &Place, arguments: &[&str]) -> Result<String, Failure> {
    let output = command(place, arguments).output().doing("the gate")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure::new(format!("countersign {}: {said}", arguments.join(" "))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
