//! Root stores as dated data: Mozilla's as it was built in, the system's, and files.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

use examiner::UnixTime;
use examiner::chain::{Examinee, Store};

use super::source::certificates;
use crate::cli::{Failure, Globals};

/// The version of the crate that carries Mozilla's roots, and the day on which they were taken.
const MOZILLA: (&str, &str) = ("1.0.11", "2026-10-23");
/// After how many days a store that was built in is told to be old.
const OLD_AFTER_DAYS: i64 = 180;
/// Where systems keep their roots in one file.
const SYSTEM: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Mozilla's roots for servers, as the program was built with them.
pub fn mozilla() -> Store {
    static READ: OnceLock<Store> = OnceLock::new();
    let read = || {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let anchors = roots.map(|root| Examinee::read(root.as_ref())).collect();
        Store { name: format!("Mozilla of {}", MOZILLA.1), anchors }
    };
    READ.get_or_init(read).clone()
}

/// Says so where Mozilla's roots are old by the machine's clock.
pub fn warn_of_age(globals: &Globals, now: UnixTime) {
    let made = UnixTime::parse(MOZILLA.1).unwrap_or_default();
    let days = now.seconds().saturating_sub(made.seconds()) / 86_400;
    if days > OLD_AFTER_DAYS {
        globals.warn(format!(
            "Mozilla's roots in this program are of {}, {days} days old; update it, or give --roots system",
            MOZILLA.1
        ));
    }
}

/// This system's roots; `None` where it has none in one of the usual files.
pub fn system() -> Option<Result<Store, Failure>> {
    static READ: OnceLock<Option<Result<Store, Failure>>> = OnceLock::new();
    READ.get_or_init(read_system).clone()
}

fn read_system() -> Option<Result<Store, Failure>> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let file = named.into_iter().chain(SYSTEM.iter().map(PathBuf::from)).find(|file| file.is_file())?;
    Some(certificates(&file).map(|anchors| {
        let changed = std::fs::metadata(&file).and_then(|about| about.modified()).ok();
        let since = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let day = since.map(|since| UnixTime(since.as_secs() as i64).date()).unwrap_or_default();
        Store { name: format!("this system of {day}"), anchors }
    }))
}

/// A store by its name or its file.
pub fn named(name: &Path) -> Result<Store, Failure> {
    match name.to_str() {
        Some("mozilla") => Ok(mozilla()),
        Some("system") => system().unwrap_or_else(|| {
            Err(Failure::not_found("this system has no file of roots", "name it: --roots FILE"))
        }),
        _ => Ok(Store { name: name.display().to_string(), anchors: certificates(name)? }),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_date_is_that_of_the_roots_that_are_built_in() {
        let lock = include_str!("../../../../../Cargo.lock");
        let entry = format!("name = \"webpki-root-certs\"\nversion = \"{}\"", super::MOZILLA.0);
        assert!(lock.contains(&entry), "another version is locked: look up its day and put both right");
    }
}
