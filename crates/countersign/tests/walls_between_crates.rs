//! The walls: which crate may use which, and what must never be in the build.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// Our crates, left to right: a crate may use any to its left.
const ARROWS: &[(&str, &[&str])] = &[
    ("examiner", &[]),
    ("policy", &["examiner"]),
    ("gateway", &["examiner", "policy"]),
    ("registry", &["examiner", "policy"]),
    ("authority", &["examiner", "policy"]),
    ("testkit", &["examiner", "policy"]),
    ("bench", &["testkit"]),
    ("mutants", &[]),
    ("fuzz", &["examiner", "authority"]),
    ("countersign", &["examiner", "policy", "gateway", "registry", "authority"]),
];

/// All that the pure crates may depend on, beside each other.
const PURE: &[&str] = &[
    "aws-lc-rs",
    "data-encoding",
    "idna",
    "num-bigint",
    "percent-encoding",
    "rustls-pki-types",
    "rustls-webpki",
    "serde",
    "sha2",
    "thiserror",
    "time",
    "x509-parser",
];

/// Crates that must not be in the lock file at all.
const BANNED: &[&str] = &["openssl", "openssl-sys", "rsa", "rustls-pemfile"];

/// The oldest version of a crate that has no known advisory concerning us.
const FLOOR: &[(&str, (u64, u64, u64))] = &[
    ("rustls", (0, 23, 18)),
    ("rustls-webpki", (0, 103, 13)),
    ("h2", (0, 4, 16)),
    ("hyper", (1, 0, 0)),
    ("aws-lc-sys", (0, 39, 0)),
    ("idna", (1, 0, 3)),
    ("time", (0, 3, 47)),
    ("cryptoki", (0, 12, 1)),
    ("ring", (0, 17, 12)),
];

/// The files of the gate that may take a lock, and how often: none of these is once a request that goes on.
const LOCKING: &[(&str, &str)] = &[
    ("gate.rs", "once a change of the policy"),
    ("handshake.rs", "once a connection, its own"),
    ("life.rs", "for those who wait for the end; a request reads the atomic beside it"),
    ("listen.rs", "once a connection"),
    ("observe.rs", "once a refusal"),
    ("renew.rs", "once a renewal"),
];

fn metadata() -> Metadata {
    MetadataCommand::new().exec().expect("cargo metadata answers")
}

/// Direct dependencies of each of our crates, tests' own left out.
fn direct(metadata: &Metadata) -> HashMap<String, BTreeSet<String>> {
    let of = |package: &cargo_metadata::Package| {
        let used = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        (package.name.to_string(), used.map(|d| d.name.clone()).collect())
    };
    metadata.workspace_packages().into_iter().map(of).collect()
}

#[test]
fn arrows_between_our_crates_run_one_way() {
    let direct = direct(&metadata());
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for (name, may) in ARROWS {
        let used = direct.get(*name).unwrap_or_else(|| panic!("{name} is in the workspace"));
        for dependency in used.iter().filter(|d| ours.contains(d.as_str())) {
            assert!(may.contains(&dependency.as_str()), "{name} must not use {dependency}");
        }
    }
    let unknown: Vec<_> = direct.keys().filter(|name| !ours.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "crates without a place on the map: {unknown:?}");
}

#[test]
fn the_pure_crates_use_nothing_that_reads_the_world() {
    let direct = direct(&metadata());
    for name in ["examiner", "policy"] {
        for dependency in &direct[name] {
            assert!(
                PURE.contains(&dependency.as_str()) || dependency == "examiner",
                "{name} must not use {dependency}"
            );
        }
    }
}

#[test]
fn only_the_registry_speaks_sql() {
    for (name, used) in direct(&metadata()) {
        let sql = used.iter().any(|d| d.starts_with("sqlx") || d == "rusqlite" || d == "tokio-postgres");
        assert_eq!(sql, name == "registry", "{name}");
    }
}

#[test]
fn nothing_banned_is_locked_and_nothing_lies_below_the_advisory_floor() {
    let metadata = metadata();
    for package in &metadata.packages {
        let name = package.name.as_str();
        assert!(!BANNED.contains(&name), "{name} must not be in the build");
        if let Some((_, (major, minor, patch))) = FLOOR.iter().find(|(floored, _)| *floored == name) {
            let version = (package.version.major, package.version.minor, package.version.patch);
            assert!(version >= (*major, *minor, *patch), "{name} {} is below the floor", package.version);
        }
    }
}

#[test]
fn a_request_that_goes_on_takes_no_lock() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut files, mut locking) = (0, BTreeSet::new());
    let mut directories = vec![crates.join("gateway/src"), crates.join("policy/src")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                directories.push(entry);
                continue;
            }
            files += 1;
            let text = std::fs::read_to_string(&entry).unwrap();
            if ["Mutex", "RwLock", "Condvar", "watch::"].iter().any(|lock| text.contains(lock)) {
                locking.insert(entry.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    assert!(files > 80, "only {files} files were read");
    assert_eq!(locking, LOCKING.iter().map(|(file, _)| (*file).to_owned()).collect());
}
