//! Everything that is issued, judged by a linter of others (pkilint) and by the examiner's own checks.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use authority::{Issued, KeyType, Role, crl, keys};
use examiner::chain::Chain;
use examiner::chain::Examinee;
use examiner::report::Severity;
use examiner::{Question, examine};
use policy::issuance::{AltName, Profile};
use support::{NOW, World};

/// What pkilint finds fault with and nobody else: a host name of one label, which RFC 1034 section 3.5 has nothing against
/// (the server CA may name this machine), and a URI without `//`, which RFC 3986 section 3 makes a part of some URIs alone (a
/// party's id is `urn:uuid:…`, RFC 9562 section 4).
const FALSE_ALARMS: [&str; 2] = [
    "pkix.invalid_domain_name_syntax (ERROR): Invalid domain name syntax: \"localhost\"",
    "pkix.invalid_uri_syntax (ERROR): Invalid URI syntax: \"urn:",
];

/// A program of pkilint, which lies beside the tests.
fn pkilint(program: &str) -> PathBuf {
    let named = std::env::var_os("COUNTERSIGN_PKILINT").map(PathBuf::from);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let all = named.into_iter().chain([target.join("pkilint/bin")]).map(|folder| folder.join(program));
    all.into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{program} is there; ./check gets it"))
}

/// What pkilint finds of warnings and worse in this file.
fn found(program: &str, file: &Path) -> String {
    let arguments = ["lint", "--severity", "WARNING"];
    let output = Command::new(pkilint(program)).args(arguments).arg(file).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let failed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(failed.is_empty(), "{program} could not read {}: {failed}", file.display());
    // A finding is a line of its own below the place that it is about.
    let findings = text.lines().filter(|line| {
        line.starts_with(' ') && !FALSE_ALARMS.iter().any(|alarm| line.trim_start().starts_with(alarm))
    });
    findings.collect::<Vec<_>>().join("\n")
}

/// One certificate of each profile, for a key of this kind, with all that its profile may have.
fn issued(world: &World, profile: Profile, key_type: KeyType) -> Issued {
    let spki = keys::generate(key_type).unwrap().spki().unwrap();
    let checked = world.plan_for(profile, spki, |plan| {
        plan.crl_url = Some("http://portal.test/crl/own.crl".into());
        plan.alt_names.push(match profile {
            Profile::Server => AltName::Ip([127, 0, 0, 1].into()),
            Profile::Service => AltName::Dns("svc-1.portal.test".into()),
            Profile::Device => AltName::Uri("urn:example:device:7".into()),
            Profile::Person | Profile::Operator => AltName::Email("alice@portal.test".into()),
        });
    });
    world.signer(Role::of(profile)).issue(&checked).unwrap()
}

#[test]
fn a_linter_of_others_finds_nothing_in_any_certificate_that_is_issued() {
    for ca_type in KeyType::ALL {
        let world = World::with(ca_type);
        for role in Role::ALL {
            let file = world.ca.join(role.word()).with_extension("pem");
            assert_eq!(found("lint_pkix_cert", &file), "", "the {role}, {ca_type:?}");
        }
        // Each program start takes a second: the kinds of key differ in their algorithms alone.
        let profiles = if ca_type == KeyType::EcdsaP256 { &Profile::ALL[..] } else { &[Profile::Person] };
        for profile in profiles.iter().copied() {
            let made = issued(&world, profile, ca_type);
            let file = world.write("one.pem", support::pem(&made.der));
            assert_eq!(found("lint_pkix_cert", &file), "", "{profile}, {ca_type:?}");
        }
    }
}

#[test]
fn a_linter_of_others_finds_nothing_in_a_revocation_list() {
    let world = World::new();
    let entries = (0..3).map(|serial| crl::CrlEntry {
        serial: vec![1, serial],
        revoked_at: NOW,
        reason: policy::issuance::Reason::KeyCompromise,
    });
    let next_update = NOW.plus(crl::LIFE_SECONDS);
    let about = crl::About { number: 7, this_update: NOW, next_update, addresses: &[] };
    let list = crl::build(&world.signer(Role::Client), entries, about).unwrap();
    let file = world.write("own.crl", list);
    let output = Command::new(pkilint("lint_crl"))
        .args(["lint", "--severity", "WARNING", "--type", "CRL", "--profile", "PKIX"])
        .arg(&file)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned();
    assert_eq!(text, "");
}

#[test]
fn the_linter_is_heard() {
    let world = World::new();
    let (key, file) = (world.path("bad.key"), world.path("bad.pem"));
    // A CA without key usage, as openssl makes it by default.
    let args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "9", "-keyout"];
    support::openssl(&[&args[..], &[key.to_str().unwrap(), "-out", file.to_str().unwrap()]].concat())
        .unwrap();
    assert!(found("lint_pkix_cert", &file).contains("pkix.ca_certificate_no_ku_extension (ERROR)"));
}

#[test]
fn the_examiner_finds_no_error_in_any_chain_that_is_issued() {
    for ca_type in KeyType::ALL {
        let world = World::with(ca_type);
        for profile in Profile::ALL {
            let made = issued(&world, profile, ca_type);
            let all = [&made.der].into_iter().chain(&made.chain_der);
            let given = all.map(|der| Examinee::read(der.as_slice())).collect();
            let root = Examinee::read(&*world.hierarchy.certificate(Role::Root).der);
            let chain = Chain::given(given).with_anchors(vec![root]);
            let by = if profile.is_client() {
                examiner::profile::Profile::MtlsClient
            } else {
                examiner::profile::Profile::PrivateServer
            };
            let report = examine(&chain, &Question { profile: Some(by), at: NOW.plus(60), host: None });
            let errors: Vec<_> = report
                .findings
                .iter()
                .filter(|one| one.severity <= Severity::Warning)
                .map(|one| (one.id, &one.observed))
                .collect();
            assert!(errors.is_empty(), "{profile}, {ca_type:?}: {errors:?}");
        }
    }
}
