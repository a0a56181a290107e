//! What a command that works on the registry has at hand.

use std::future::Future;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use authority::{Hierarchy, Passphrase, Role, Signer};
use examiner::UnixTime;
use registry::{Actor, Registry};

use super::exit::{Exit, Failure};
use super::globals::Globals;
use crate::config::addresses::Addresses;
use crate::config::file::File;
use crate::config::{Settings, StateDir, Stored};
use crate::run::confine::folder;

/// Settings, registry and the moment.
pub struct Context {
    /// What holds.
    pub settings: Settings,
    /// The registry.
    pub registry: Registry,
    /// What settings are made of, as the registry held it when the command began. Parties and certificates are looked up.
    pub basis: registry::Basis,
    /// Who makes changes.
    pub actor: Actor,
    /// The moment of the command.
    pub now: UnixTime,
    runtime: tokio::runtime::Runtime,
}

impl Context {
    /// Opens registry and settings. Refuses where another user owns the state directory. A trusted issuer whose file
    /// cannot be taken is left out with a warning: nobody is kept from taking admission away.
    pub fn open(globals: &Globals) -> Result<Self, Failure> {
        let context = Self::open_as(globals, actor())?;
        for (name, fault) in &context.settings.broken_cas {
            globals.warn(format!("CA {name} is left out here: {fault}"));
        }
        Ok(context)
    }

    /// The same for somebody else than the local user, and without a word of what is left out.
    pub fn open_as(globals: &Globals, actor: Actor) -> Result<Self, Failure> {
        let now = now();
        let path = globals.config_path();
        let state_dir = state_dir(globals, &path, now)?;
        check_owner(state_dir.path())?;
        let runtime = runtime()?;
        let (registry, basis) = runtime.block_on(async {
            let registry = crate::store::open(&state_dir).await?;
            let basis = registry.basis().await?;
            Ok::<_, registry::RegistryError>((registry, basis))
        })?;
        let stored = Stored::from(&basis);
        let settings = Settings::load(&path, Some(&state_dir), Some(&stored), now)?;
        Ok(Self { settings, registry, basis, actor, now, runtime })
    }

    /// Runs one of the registry's verbs to its end.
    pub fn run<T, E: Into<Failure>>(&self, verb: impl Future<Output = Result<T, E>>) -> Result<T, Failure> {
        self.runtime.block_on(verb).map_err(Into::into)
    }

    /// The settings as they would be with this in the registry, or what would be wrong then.
    pub fn try_settings(&self, stored: &Stored) -> Result<Settings, Failure> {
        Ok(Settings::load(&self.settings.file, Some(&self.settings.state), Some(stored), self.now)?)
    }

    /// The authority's certificates.
    pub fn hierarchy(&self) -> Result<Hierarchy, Failure> {
        Ok(Hierarchy::open(&self.settings.state.authority())?)
    }

    /// The passphrase of the authority's keys.
    pub fn passphrase(&self) -> Result<Passphrase, Failure> {
        Ok(self.settings.state.passphrase().read()?)
    }

    /// One CA with its key.
    pub fn signer(&self, role: Role) -> Result<Signer, Failure> {
        Ok(self.hierarchy()?.unlock(role, &self.passphrase()?)?)
    }

    /// The site, or a failure that names the known ones.
    pub fn site(&self, text: &str) -> Result<policy::HostName, Failure> {
        let name = policy::HostName::parse(text)?;
        if self.settings.sites.contains_key(&name) {
            return Ok(name);
        }
        let known: Vec<&str> = self.settings.sites.keys().map(policy::HostName::as_str).collect();
        let help = match crate::config::problem::did_you_mean(name.as_str(), known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the sites are: {}", known.join(", ")),
        };
        Err(Failure::not_found(format!("there is no site `{name}`"), help))
    }
}

pub use crate::clock::now;

/// A runtime for one command.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Bug, format!("no runtime: {error}"), "please report this"))
}

/// Who runs the command, for the audit.
pub fn actor() -> Actor {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    let uid = rustix::process::getuid().as_raw();
    Actor {
        name: name
            .filter(|name| !name.is_empty())
            .or_else(|| user(uid))
            .unwrap_or_else(|| format!("uid {uid}")),
    }
}

/// The state directory: as given, or as the file says. Other problems of the file are told later.
pub fn state_dir(globals: &Globals, config: &Path, _now: UnixTime) -> Result<StateDir, Failure> {
    if let Some(path) = &globals.state_dir {
        return Ok(StateDir::at(path));
    }
    let file = written(config).map_err(|error| {
        let help = "make one with `countersign init`, or name yours with --config";
        let what = format!("{} cannot be read: {error}", config.display());
        Failure::new(Exit::Configuration, what, help)
    })?;
    Ok(StateDir::at(folder(config).join(file.server.state.unwrap_or_else(|| "state".into()))))
}

/// Where the access log's file is, as the file says; other problems of it are told later.
pub fn log_folder(config: &Path) -> Option<PathBuf> {
    let log = folder(config).join(written(config).ok()?.log.file?);
    Some(folder(&log).to_owned())
}

/// Whether there are addresses without TLS, as the file says; other problems of it are told later.
pub fn listens_without_tls(config: &Path) -> bool {
    written(config).is_ok_and(|file| !file.server.http.is_empty())
}

/// What certificates are to say of lists and OCSP, as the file has it now; the rest of it is not looked at.
pub fn addresses(config: &Path) -> Result<Addresses, String> {
    let text = std::fs::read_to_string(config).map_err(|error| format!("{}: {error}", config.display()))?;
    let source = crate::config::problem::Source::file(config.display().to_string(), text);
    let file = crate::config::read::file(&source, &mut Vec::new());
    let mut problems = Vec::new();
    let addresses = Addresses::of(&file.server, &source, &mut problems);
    match problems.first() {
        None => Ok(addresses),
        Some(problem) => Err(problem.to_string()),
    }
}

/// The configuration as it is written.
fn written(config: &Path) -> std::io::Result<File> {
    let text = std::fs::read_to_string(config)?;
    let source = crate::config::problem::Source::file(config.display().to_string(), text);
    Ok(crate::config::read::file(&source, &mut Vec::new()))
}

/// Refuses where another user owns the directory, or where its owner alone can reach it, with the line that works.
pub fn check_owner(directory: &Path) -> Result<(), Failure> {
    let shown = directory.display();
    let (owner, what) = match directory.metadata() {
        Ok(metadata) if metadata.uid() == rustix::process::geteuid().as_raw() => return Ok(()),
        Ok(metadata) => {
            let owner = user(metadata.uid()).unwrap_or_else(|| format!("#{}", metadata.uid()));
            let what = format!("{shown} belongs to {owner}; files made by another user would stop the gate");
            (owner, what)
        }
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            ("root".into(), format!("{shown} cannot be reached: {error}"))
        }
        Err(_) => return Ok(()),
    };
    let line: Vec<String> = std::env::args().map(|argument| quoted(&argument)).collect();
    let before = match of_a_service(directory) {
        Some(name) => format!(
            "sudo systemd-run --quiet --pipe --collect -p DynamicUser=yes -p User={name} -p StateDirectory={name} -p UMask=0077"
        ),
        None => format!("sudo -u {}", quoted(&owner)),
    };
    Err(Failure::new(Exit::NoPermission, what, format!("{before} {}", line.join(" "))))
}

/// The name of the state directory that systemd made for a user of its own (`DynamicUser`): only the service's own
/// processes reach it.
fn of_a_service(directory: &Path) -> Option<String> {
    let real = std::fs::read_link(directory).ok()?;
    let private = real.parent()?.file_name()? == "private";
    private.then(|| real.file_name().map(|name| quoted(&name.to_string_lossy()))).flatten()
}

fn user(uid: u32) -> Option<String> {
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find(|fields| fields.get(2) == Some(&uid.to_string().as_str())).map(|fields| fields[0].to_owned())
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        assert_eq!(quoted("party"), "party");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("#1000"), "'#1000'");
    }

    #[test]
    fn a_directory_of_a_service_with_a_user_of_its_own_is_told_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(place("private/gate")).unwrap();
        std::fs::create_dir(place("plain")).unwrap();
        std::os::unix::fs::symlink("private/gate", place("gate")).unwrap();
        std::os::unix::fs::symlink("plain", place("link")).unwrap();
        assert_eq!(of_a_service(&place("gate")).as_deref(), Some("gate"));
        for other in ["plain", "link", "private/gate", "missing"] {
            assert_eq!(of_a_service(&place(other)), None, "{other}");
        }
        assert!(check_owner(&place("plain")).is_ok());
        assert!(check_owner(&place("missing")).is_ok());
    }
}
