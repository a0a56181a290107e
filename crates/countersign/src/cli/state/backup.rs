//! `state backup`: a whole copy, taken while the gate runs.

use std::path::{Path, PathBuf};

use authority::files;
use serde_json::json;

use super::{
    CONFIGURATION, COPIED, Entry, MANIFEST, Manifest, PASSPHRASE, REGISTRY, WITNESSES, copy, measure, stamp,
};
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, Globals, Outcome};

/// `countersign state backup`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The authority's keys are in it as they stand in the state directory: encrypted. Their passphrase is \
                  not, nor is any key in the clear: keep the passphrase elsewhere, or say --with-passphrase and keep \
                  the copy as you would keep the keys.\n\nExample: countersign state backup --out /media/backup/monday"
)]
pub struct Args {
    /// The directory to make; a new one named after the moment where absent.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The passphrase of the authority's keys as well: whoever has the copy can then issue certificates.
    #[arg(long)]
    with_passphrase: bool,
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let context = Context::open(globals)?;
    let out = args.out.clone().unwrap_or_else(|| format!("countersign-backup-{}", stamp(context.now)).into());
    if out.exists() {
        return Err(Failure::no(
            format!("{} is there already", out.display()),
            "name a new directory with --out",
        ));
    }
    if globals.dry_run {
        globals.say(format!("would copy {} to {}", context.settings.state.path().display(), out.display()));
        return Ok(Exit::Fine);
    }
    // Whole or not at all: it gets its name when everything is in it.
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let part = out.with_file_name(format!(".{name}.part"));
    if part.exists() {
        std::fs::remove_dir_all(&part).map_err(|error| Failure::file(&part, "removed", &error))?;
    }
    files::private_directory(&part)?;
    let made = fill(&context, args, &part).and_then(|manifest| {
        std::fs::rename(&part, &out).map_err(|error| Failure::file(&out, "made", &error))?;
        Ok(manifest)
    });
    let manifest = made.inspect_err(|_| drop(std::fs::remove_dir_all(&part)))?;
    let length: u64 = manifest.files.iter().map(|one| one.length).sum();
    globals.print(
        &json!({ "directory": out, "files": manifest.files.len(), "bytes": length, "change": manifest.change, "passphrase": args.with_passphrase }),
        format!(
            "{}  {} files, {length} bytes, up to change {}\n",
            out.display(),
            manifest.files.len(),
            manifest.change
        ),
    );
    if !args.with_passphrase {
        let place = context.settings.state.passphrase();
        globals.say(format!(
            "Not in it: the passphrase of the authority's keys ({place}), and files elsewhere that the configuration names."
        ));
    }
    globals.say(format!("Back from it: countersign state restore {}", out.display()));
    Ok(Exit::Fine)
}

fn fill(context: &Context, args: &Args, part: &Path) -> Result<Manifest, Failure> {
    let state = context.settings.state.path();
    // Before the registry, so that nothing in them is newer than it.
    let mut names: Vec<PathBuf> = WITNESSES.map(PathBuf::from).to_vec();
    for name in COPIED {
        below(state, Path::new(name), &mut names)?;
    }
    if args.with_passphrase {
        names.push(PASSPHRASE.into());
    }
    let mut entries = Vec::new();
    for name in names {
        let from = if name == Path::new(PASSPHRASE) { passphrase_file(context)? } else { state.join(&name) };
        if from.is_file() {
            let (length, sha256) = copy(&from, &part.join(&name))?;
            entries.push(Entry { name, length, sha256 });
        }
    }
    let (length, sha256) = copy(&context.settings.file, &part.join(CONFIGURATION))?;
    entries.push(Entry { name: CONFIGURATION.into(), length, sha256 });
    let change = context.run(context.registry.last_seq())?;
    context.run(context.registry.copy_to(&part.join(REGISTRY)))?;
    let (length, sha256) = measure(&part.join(REGISTRY))?;
    entries.push(Entry { name: REGISTRY.into(), length, sha256 });
    let manifest = Manifest {
        format: 1,
        program: env!("CARGO_PKG_VERSION").into(),
        made_at: context.now,
        epoch: context.registry.epoch().into(),
        change,
        files: entries,
    };
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| Failure::no(error.to_string(), ""))?;
    files::write_new_private(&part.join(MANIFEST), text.as_bytes())?;
    Ok(manifest)
}

/// The file of the passphrase, which can be copied only where there is one.
fn passphrase_file(context: &Context) -> Result<PathBuf, Failure> {
    let place = context.settings.state.passphrase();
    place.file().map(Path::to_path_buf).ok_or_else(|| {
        let help = "leave out --with-passphrase, and keep the passphrase elsewhere";
        Failure::usage(format!("the passphrase is in {place}, which is no file to copy"), help)
    })
}

/// The files at and below a name of the state directory; what is being written has a name that begins with a dot.
fn below(state: &Path, name: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let path = state.join(name);
    if path.is_file() {
        found.push(name.into());
    } else if path.is_dir() {
        let unread = |error: std::io::Error| Failure::file(&path, "read", &error);
        let mut all: Vec<_> =
            std::fs::read_dir(&path).map_err(unread)?.collect::<Result<_, _>>().map_err(unread)?;
        all.sort_by_key(std::fs::DirEntry::file_name);
        for one in all.iter().filter(|one| !one.file_name().to_string_lossy().starts_with('.')) {
            below(state, &name.join(one.file_name()), found)?;
        }
    }
    Ok(())
}
