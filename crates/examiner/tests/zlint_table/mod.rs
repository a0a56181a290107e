//! The corpus and the table of what covers its lints.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use examiner::UnixTime;
use examiner::chain::ders;
use examiner::checks::{self, check::Check};
use examiner::profile::Profile;
use examiner::report::Finding;

/// Checks that find errors in certificates which no row objects to, since a row speaks of one lint alone: in how many
/// certificates at most, and what is wrong with them.
pub const RIGHT_ALARMS: &[(&str, usize, &str)] = &[
    ("algid-params-wrong", 30, "RSA signature algorithms without NULL"),
    ("attribute-string-type-wrong", 4, "mailboxes as UTF8String"),
    ("attribute-too-long", 2, "countries of more than two letters"),
    ("ca-subject-empty", 3, "CA certificates without a subject"),
    ("country-not-iso", 2, "countries that are none"),
    ("der-default-value-encoded", 1, "a minimum of 0 written"),
    ("der-negative-or-padded-integer", 12, "integers cut off in the middle"),
    ("der-not-strict", 13, "lengths that run past the end"),
    ("email-in-subject-not-san", 1, "a mailbox in the subject alone"),
    ("empty-extension-sequence", 3, "no extension in the list of extensions"),
    ("expired", 2, "it ends in the second in which it begins"),
    ("extension-undecodable", 13, "extensions cut off in the middle"),
    ("issuer-empty", 52, "certificates made without an issuer"),
    ("san-dns-not-ia5-or-null", 12, "bytes of an address as a host name"),
    ("san-empty-or-no-entries", 5, "empty host names"),
    ("san-idn-invalid", 1, "an A-label of a capital letter"),
    ("san-label-syntax", 4, "commas in host names"),
    ("san-missing", 95, "server certificates without names"),
    ("san-uri-or-mailbox-malformed", 11, "URIs without a scheme"),
    ("serial-over-20-octets", 4, "21 octets, the first of them 0"),
    ("subject-empty-without-critical-san", 33, "empty subjects"),
    ("time-form-wrong-for-year", 1, "a year before 2050 as GeneralizedTime"),
    ("unique-ids-present", 4, "unique identifiers"),
    ("validity-not-positive", 1, "it ends before it begins"),
    ("version-not-3", 3, "version 1"),
];

/// Rows that we answer otherwise, and why: lint, file, reason.
pub fn otherwise() -> Vec<(&'static str, &'static str, &'static str)> {
    let lines =
        include_str!("otherwise.tsv").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (lint, rest) = line.split_once('\t').expect("three columns");
            let (file, reason) = rest.split_once('\t').expect("three columns");
            (lint, file, reason)
        })
        .collect()
}

/// Every lint about certificates, with its package; `None` where the corpora are not at hand and not required.
pub fn lints() -> Option<Vec<(String, String)>> {
    let text = std::fs::read_to_string(folder()?.join("zlint/lints.tsv")).expect("the lints");
    let rows = text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    Some(rows.filter(|row| row[1] == "cert").map(|row| (row[0].to_owned(), row[2].to_owned())).collect())
}

/// The lints and whole packages that no check answers; each line has its reason.
pub fn left_out() -> BTreeSet<&'static str> {
    let lines =
        include_str!("left_out.tsv").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once('\t').filter(|(_, why)| !why.is_empty()).expect("a reason").0).collect()
}

/// What covers a lint.
pub struct Coverage {
    /// The checks; the lint is answered by any of them.
    pub checks: Vec<&'static Check>,
    /// Under which profile.
    pub profile: Profile,
    /// What a finding must say to concern the lint, or its severity after `=`; empty: anything.
    pub says: String,
}

impl Coverage {
    /// Whether a finding with this text at this place concerns the lint.
    pub fn concerns(&self, finding: &Finding) -> bool {
        match self.says.strip_prefix('=') {
            Some(severity) => format!("{:?}", finding.severity).eq_ignore_ascii_case(severity),
            None => finding.observed.contains(&self.says) || finding.path.contains(&self.says),
        }
    }
}

fn lines() -> impl Iterator<Item = Vec<String>> {
    let text = include_str!("coverage.tsv");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split('\t').map(str::to_owned).collect())
}

/// The table's lints and the names of their checks.
pub fn names() -> BTreeMap<String, Vec<String>> {
    lines().map(|line| (line[0].clone(), line[1].split('+').map(str::to_owned).collect())).collect()
}

/// The table, without the lints whose checks do not exist; those are said.
pub fn coverage() -> BTreeMap<String, Coverage> {
    let mut all = BTreeMap::new();
    let mut missing = BTreeSet::new();
    for line in lines() {
        let profile = match line.get(2).map_or("", String::as_str) {
            "" => Profile::Web,
            name => Profile::named(name).expect("the third column is a profile"),
        };
        let checks: Vec<_> = line[1].split('+').filter_map(checks::named).collect();
        missing.extend(line[1].split('+').filter(|id| checks::named(id).is_none()).map(str::to_owned));
        let says = line.get(3).cloned().unwrap_or_default();
        if !checks.is_empty() {
            all.insert(line[0].clone(), Coverage { checks, profile, says });
        }
    }
    println!("checks of the table that do not exist: {missing:?}");
    all
}

/// One row: what a lint says of a file.
pub struct Row {
    /// The certificate's file.
    pub file: String,
    /// The lint.
    pub lint: String,
    /// Its verdict.
    pub expected: String,
    /// Whether the lint says so only when it is configured so.
    pub needs_configuration: bool,
}

/// The folder of the corpora, or `None` where it is not at hand and not required.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("COUNTERSIGN_CORPORA").map(PathBuf::from);
    if folder.is_none() {
        let required = std::env::var_os("COUNTERSIGN_CORPORA_REQUIRED").is_some();
        assert!(!required, "COUNTERSIGN_CORPORA is not set, and the corpora are required");
        println!("left out: the corpora; COUNTERSIGN_CORPORA is not set");
    }
    folder
}

/// The corpus, unpacked.
pub struct Corpus {
    /// The rows about certificates.
    pub rows: Vec<Row>,
    /// Each certificate's DER by its file.
    pub certificates: BTreeMap<String, Vec<u8>>,
    /// Every file as it stands: certificates, revocation lists, OCSP responses.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Corpus {
    /// The corpus, or `None` where it is not at hand and not required.
    pub fn load() -> Option<Self> {
        let folder = folder()?.join("zlint");
        let table = std::fs::read_to_string(folder.join("expectations-dev.tsv")).expect("the expectations");
        let rows = table.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
        let rows = rows.filter(|row| row[1] == "cert").map(|row| Row {
            file: row[2].to_owned(),
            lint: row[3].to_owned(),
            expected: row[4].to_owned(),
            needs_configuration: row[5] == "1",
        });
        let files = unpacked(&folder.join("testdata.tar.xz"));
        let first = |(name, contents): (&String, &Vec<u8>)| {
            Some((name.clone(), ders(contents).ok()?.into_iter().next()?))
        };
        let certificates = files.iter().filter_map(first).collect();
        Some(Self { rows: rows.collect(), certificates, files })
    }

    /// The DER of a file.
    pub fn der(&self, file: &str) -> &[u8] {
        self.certificates.get(file).unwrap_or_else(|| panic!("{file} holds no certificate"))
    }
}

/// Every file of the archive, by its name below the archive's one folder.
fn unpacked(archive: &Path) -> BTreeMap<String, Vec<u8>> {
    let output = Command::new("xz").arg("-dc").arg(archive).output().expect("xz runs");
    assert!(output.status.success(), "xz reads {}", archive.display());
    let mut rest = output.stdout.as_slice();
    let mut all = BTreeMap::new();
    // The headers of tar: 512 octets, the name first, the size in octal at 124.
    while let Some((header, after)) = rest.split_at_checked(512) {
        let text = |range: std::ops::Range<usize>| {
            let field = header[range].split(|octet| *octet == 0).next().unwrap_or(&[]);
            String::from_utf8_lossy(field).trim().to_owned()
        };
        let (name, prefix) = (text(0..100), text(345..500));
        if name.is_empty() {
            break;
        }
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let size = usize::from_str_radix(&text(124..136), 8).expect("a size");
        if size > 0 {
            let below = name.trim_start_matches("./").split_once('/').map_or("", |(_, below)| below);
            all.insert(below.to_owned(), after[..size].to_vec());
        }
        rest = after.get(size.div_ceil(512) * 512..).unwrap_or(&[]);
    }
    all
}

/// A chain of a real site: its name, the host, a moment at which it was valid, the certificates.
type RealChain = (String, String, UnixTime, Vec<Vec<u8>>);

/// The chains of real sites that the corpus of path validation holds; `None` where it is not at hand and not required.
pub fn real_chains() -> Option<Vec<RealChain>> {
    let folder = folder()?;
    let output = Command::new("xz").arg("-dc").arg(folder.join("limbo/limbo-core-dev.json.xz")).output();
    let suite: serde_json::Value = serde_json::from_slice(&output.expect("xz runs").stdout).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let cases = suite["testcases"].as_array().expect("a list of cases").iter();
    let real = cases
        .filter(|case| text(&case["id"]).starts_with("online::") && case["expected_result"] == "SUCCESS");
    let chains = real.map(|case| {
        let above = case["untrusted_intermediates"].as_array().into_iter().flatten();
        let pem = std::iter::once(&case["peer_certificate"]).chain(above);
        let certificates = pem.flat_map(|one| ders(text(one).as_bytes()).expect("PEM")).collect();
        let at = UnixTime::parse(&text(&case["validation_time"])).expect("a moment");
        (text(&case["id"]), text(&case["expected_peer_name"]["value"]), at, certificates)
    });
    Some(chains.collect())
}
