//! The walls: which crate may use which, and what must never be in the build.

use std::collections::{BTreeSet, HashMap};

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
