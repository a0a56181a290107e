//! `state restore`: a copy put back. What was revoked since stays refused until an operator has looked.

use std::path::{Path, PathBuf};

use authority::files;
use registry::{AuditVerdict, Issuer};
use serde_json::json;

use super::{CONFIGURATION, Entry, MANIFEST, Manifest, REGISTRY, WITNESSES, copy, is_ours, stamp};
use crate::cli::{Exit, Failure, Globals, Outcome, context};
use crate::config::StateDir;
use crate::run;
use crate::run::upkeep::Published;

/// `countersign state restore`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The gate must not run. What stands in the state directory is moved aside within it, and nothing is \
                  deleted.\n\nExample: countersign state restore /media/backup/monday"
)]
pub struct Args {
    /// A directory that `state backup` made.
    copy: PathBuf,
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let manifest = read(&args.copy)?;
    let config = globals.config_path();
    let needs_config = !config.exists();
    let source = if needs_config { args.copy.join(CONFIGURATION) } else { config.clone() };
    // Relative to the file's own place, also where it is not there yet.
    let state = match &globals.state_dir {
        Some(path) => StateDir::at(path),
        None if needs_config => {
            let read = context::state_dir(globals, &source, context::now())?;
            let inner = read.path().strip_prefix(&args.copy).unwrap_or(read.path());
            let base = config.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            StateDir::at(base.join(inner))
        }
        None => context::state_dir(globals, &source, context::now())?,
    };
    context::check_owner(state.path())?;
    if globals.dry_run {
        for file in &manifest.files {
            check(&args.copy, file)?;
        }
        globals.say(format!("the copy is whole; it would be put into {}", state.path().display()));
        return Ok(Exit::Fine);
    }
    if let Some(pid) = run::running(&state) {
        return Err(Failure::no(
            format!("a gate runs on {} (pid {pid})", state.path().display()),
            "stop it first: nothing may be served from a registry that is being replaced",
        ));
    }
    files::private_directory(state.path())?;
    let _lock = run::take_lock(&state).map_err(|what| Failure::no(what, "stop it first"))?;
    let published = Published::read(&state);
    let replaced = replace(&args.copy, &manifest, &state)?;
    if needs_config {
        copy(&source, &config)?;
    }
    let outcome = context::runtime()?.block_on(look(&state, published))?;
    report(globals, &manifest, &state, replaced.as_deref(), &outcome);
    Ok(Exit::Fine)
}

/// The manifest of a copy, and whether every file is there as it says.
fn read(copy: &Path) -> Result<Manifest, Failure> {
    let path = copy.join(MANIFEST);
    let bytes = std::fs::read(&path).map_err(|error| {
        let what = format!("{} cannot be read: {error}", path.display());
        Failure::not_found(what, "name a directory that `countersign state backup` made")
    })?;
    let help = "use another copy";
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::no(format!("{}: {error}", path.display()), help))?;
    if manifest.format != 1 {
        let what =
            format!("{}: a copy of format {}, and this program knows 1", path.display(), manifest.format);
        return Err(Failure::no(what, "use the program that made it, or a newer one"));
    }
    if let Some(other) = manifest.files.iter().find(|file| !is_ours(&file.name)) {
        return Err(Failure::no(
            format!("{}: {} is no file of a copy", path.display(), other.name.display()),
            help,
        ));
    }
    if !manifest.files.iter().any(|file| file.name == Path::new(REGISTRY)) {
        return Err(Failure::no(format!("{}: there is no registry in it", path.display()), help));
    }
    Ok(manifest)
}

fn check(folder: &Path, file: &Entry) -> Result<(), Failure> {
    let path = folder.join(&file.name);
    let (length, sha256) = super::measure(&path)?;
    same(&path, file, length, &sha256)
}

fn same(path: &Path, file: &Entry, length: u64, sha256: &str) -> Result<(), Failure> {
    if (length, sha256) == (file.length, file.sha256.as_str()) {
        return Ok(());
    }
    Err(Failure::no(
        format!("{} is not as it was copied", path.display()),
        "use another copy; nothing was changed",
    ))
}

/// Files that were moved, from where to where.
#[derive(Default)]
struct Moves(Vec<(PathBuf, PathBuf)>);

impl Moves {
    fn rename(&mut self, from: PathBuf, to: PathBuf) -> Result<(), Failure> {
        std::fs::rename(&from, &to).map_err(|error| Failure::file(&from, "moved", &error))?;
        self.0.push((from, to));
        Ok(())
    }

    /// Everything back, the last first.
    fn undo(self) {
        for (from, to) in self.0.into_iter().rev() {
            let _ = std::fs::rename(to, from);
        }
    }
}

/// A path that is free: this one, or with a number behind it.
fn free(path: &Path) -> PathBuf {
    let numbered = |number: u32| PathBuf::from(format!("{}-{number}", path.display()));
    let mut all = std::iter::once(path.to_owned()).chain((2..).map(numbered));
    all.find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| path.to_owned())
}

/// Puts the copy's files in their places; where those went that were there, if any. Where one cannot be put there, all
/// stand as they stood.
fn replace(from: &Path, manifest: &Manifest, state: &StateDir) -> Result<Option<PathBuf>, Failure> {
    let moment = stamp(context::now());
    let staged = free(&state.path().join(format!(".restoring-{moment}")));
    files::private_directory(&staged)?;
    let put = |file: &Entry| {
        let source = from.join(&file.name);
        let (length, sha256) = copy(&source, &staged.join(&file.name))?;
        same(&source, file, length, &sha256)
    };
    if let Err(failure) = manifest.files.iter().try_for_each(put) {
        let _ = std::fs::remove_dir_all(&staged);
        return Err(failure);
    }
    let aside = free(&state.path().join(format!("replaced-{moment}")));
    let mut moves = Moves::default();
    let exchanged = exchange(manifest, state, &staged, &aside, &mut moves);
    let moved = aside.exists();
    if exchanged.is_err() {
        moves.undo();
        let _ = std::fs::remove_dir(&aside);
    }
    let _ = std::fs::remove_dir_all(&staged);
    exchanged.map_err(|failure| Failure { help: "nothing was changed".into(), ..failure })?;
    Ok(moved.then_some(aside))
}

/// Moves what stands there aside, and what was staged into its place.
fn exchange(
    manifest: &Manifest,
    state: &StateDir,
    staged: &Path,
    aside: &Path,
    moves: &mut Moves,
) -> Result<(), Failure> {
    // The registry goes first and comes last: without one nothing is served.
    let mut names: Vec<PathBuf> = vec![REGISTRY.into(), "registry.db-wal".into(), "registry.db-shm".into()];
    let tops = manifest
        .files
        .iter()
        .filter_map(|file| file.name.components().next())
        .map(|top| PathBuf::from(top.as_os_str()));
    names.extend(tops.filter(|top| !is_witness(top) && top != Path::new(CONFIGURATION)));
    names.dedup();
    for name in &names {
        let present = state.path().join(name);
        if present.symlink_metadata().is_ok() {
            files::private_directory(aside)?;
            moves.rename(present, aside.join(name))?;
        }
    }
    let kept = |name: &PathBuf| !is_witness(name) || !state.path().join(name).exists();
    let staged_names = std::fs::read_dir(staged).map_err(|error| Failure::file(staged, "read", &error))?;
    let mut staged_names: Vec<PathBuf> =
        staged_names.filter_map(|one| Some(PathBuf::from(one.ok()?.file_name()))).collect();
    staged_names.retain(|name| kept(name) && name != Path::new(CONFIGURATION));
    staged_names.sort_by_key(|name| name == Path::new(REGISTRY));
    for name in &staged_names {
        moves.rename(staged.join(name), state.path().join(name))?;
    }
    Ok(())
}

fn is_witness(name: &Path) -> bool {
    WITNESSES.iter().any(|witness| name == Path::new(witness))
}

/// What was found in the restored registry.
struct Found {
    /// It is older than what was seen here, or another: an operator must say that it holds.
    doubt: Option<String>,
    /// Certificates revoked again, because the last published list had them.
    revoked: usize,
    /// What is wrong with its audit log.
    audit: Option<String>,
    parties: u64,
}

async fn look(state: &StateDir, published: Option<Published>) -> Result<Found, registry::RegistryError> {
    let registry = crate::store::open(state).await?;
    let lists = published.map(|all| [(Issuer::Client, all.entries), (Issuer::Operator, all.operators)]);
    let mut revoked = 0;
    for (issuer, entries) in lists.into_iter().flatten() {
        let listed: Vec<(Vec<u8>, String)> =
            entries.into_iter().filter_map(|(serial, _, reason)| Some((octets(&serial)?, reason))).collect();
        let again = registry.revoke_listed(issuer, &listed, &context::actor(), context::now()).await?;
        revoked += again.len();
    }
    let audit = match registry.verify_audit().await? {
        AuditVerdict::Whole { .. } => None,
        AuditVerdict::Broken { what, .. } => Some(what),
    };
    let doubt = registry.restored().map(ToString::to_string);
    Ok(Found { doubt, revoked, audit, parties: registry.count_parties().await? })
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

fn report(globals: &Globals, manifest: &Manifest, state: &StateDir, replaced: Option<&Path>, found: &Found) {
    let mut text = format!(
        "{}  as it was on {}, change {}, {} part{}\n",
        state.path().display(),
        manifest.made_at,
        manifest.change,
        found.parties,
        if found.parties == 1 { "y" } else { "ies" }
    );
    if let Some(replaced) = replaced {
        text += &format!("{}  what stood there before\n", replaced.display());
    }
    if found.revoked > 0 {
        text +=
            &format!("{} certificate(s) revoked again: the last published list had them\n", found.revoked);
    }
    globals.print(
        &json!({
            "state": state.path(),
            "made_at": manifest.made_at,
            "change": manifest.change,
            "replaced": replaced,
            "revoked_again": found.revoked,
            "to_be_confirmed": found.doubt,
            "audit": found.audit,
        }),
        text,
    );
    if let Some(what) = &found.audit {
        globals.warn(format!("the audit log is not whole: {what}"));
    }
    if let Some(doubt) = &found.doubt {
        globals.say(format!(
            "{doubt}.\nStart the gate, revoke again what must stay revoked, and then: countersign reload --accept-restored"
        ));
    }
}
