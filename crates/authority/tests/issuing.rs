//! Certificates of each profile, judged by openssl.

mod support;

use authority::{AuthorityError, Role};
use examiner::{Certificate, GeneralName};
use policy::issuance::{AltName, Profile, Window, check};
use support::{ALICE, NOW, World, openssl};

#[test]
fn a_client_certificate_verifies_for_clients_and_not_for_servers() {
    let world = World::new();
    for profile in [Profile::Person, Profile::Device, Profile::Service, Profile::Operator] {
        let issued = world.issue(profile, |_| {});
        world.verify(&issued, "sslclient", &[]).unwrap();
        let refused = world.verify(&issued, "sslserver", &[]).unwrap_err();
        assert!(
            refused.contains("unsuitable certificate purpose") || refused.contains("unsupported"),
            "{refused}"
        );
    }
}

#[test]
fn a_server_certificate_verifies_for_servers_and_not_for_clients() {
    let world = World::new();
    let issued = world.issue(Profile::Server, |plan| {
        plan.alt_names.push(AltName::Ip([127, 0, 0, 1].into()));
        plan.alt_names.push(AltName::Ip(std::net::Ipv6Addr::LOCALHOST.into()));
        plan.alt_names.push(AltName::Dns("localhost".into()));
    });
    for host in ["portal.test", "localhost"] {
        world.verify(&issued, "sslserver", &["-verify_hostname", host]).unwrap();
    }
    world.verify(&issued, "sslserver", &["-verify_ip", "127.0.0.1"]).unwrap();
    world.verify(&issued, "sslserver", &["-verify_ip", "::1"]).unwrap();
    world.verify(&issued, "sslserver", &["-verify_hostname", "other.test"]).unwrap_err();
    world.verify(&issued, "sslclient", &[]).unwrap_err();
}

#[test]
fn a_ca_of_each_kind_of_key_verifies() {
    for key_type in authority::KeyType::ALL {
        let world = World::with(key_type);
        world.verify(&world.issue(Profile::Person, |_| {}), "sslclient", &[]).unwrap();
    }
}

#[test]
fn long_server_names_verify_too() {
    let world = World::with(authority::KeyType::EcdsaP384);
    let host = format!("{}.portal.test", "a".repeat(60));
    let issued = world.issue(Profile::Server, |plan| {
        plan.common_name = String::new();
        plan.alt_names = vec![AltName::Dns(host.clone())];
    });
    world.verify(&issued, "sslserver", &["-verify_hostname", &host]).unwrap();
    assert!(world.text(&issued).contains("Subject Alternative Name: critical"));
}

#[test]
fn a_client_certificate_says_what_its_profile_says_and_nothing_more() {
    let world = World::new();
    let issued = world.issue(Profile::Person, |plan| {
        plan.common_name = "Alice Jansen".into();
        plan.alt_names = vec![AltName::Email("alice@example.test".into())];
        plan.crl_url = Some("http://portal.test/own.crl".into());
    });
    let certificate = Certificate::from_der(&issued.der).unwrap();
    assert_eq!(certificate.subject.to_string(), "CN=Alice Jansen");
    assert_eq!(certificate.extended_key_usage, Some(vec!["1.3.6.1.5.5.7.3.2".into()]));
    let names =
        [GeneralName::Uri(format!("urn:uuid:{ALICE}")), GeneralName::Email("alice@example.test".into())];
    assert_eq!(certificate.subject_alt_names, names);
    let text = world.text(&issued);
    for expected in [
        "Version: 3 (0x2)",
        "X509v3 Basic Constraints: critical\n                CA:FALSE",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
        "X509v3 Subject Key Identifier:",
        "X509v3 Authority Key Identifier:",
        "URI:http://portal.test/own.crl",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    assert_eq!(text.matches("X509v3 ").count() - text.matches("X509v3 extensions").count(), 7, "{text}");
}

#[test]
fn a_serial_number_is_positive_begins_with_the_shard_and_never_repeats() {
    let world = World::new();
    let signer = world.signer(Role::Client);
    let checked = world.plan(Profile::Device, |plan| plan.shard = 0x7f);
    let (one, two) = (signer.issue(&checked).unwrap(), signer.issue(&checked).unwrap());
    assert_ne!(one.serial_hex, two.serial_hex);
    for issued in [one, two] {
        assert!(
            issued.serial_hex.starts_with("7f") && issued.serial_hex.len() == 32,
            "{}",
            issued.serial_hex
        );
        assert_eq!(Certificate::from_der(&issued.der).unwrap().serial_hex(), issued.serial_hex);
    }
}

#[test]
fn a_certificate_comes_with_its_issuing_ca_and_without_the_root() {
    let world = World::new();
    let issued = world.issue(Profile::Person, |_| {});
    let client = world.hierarchy.certificate(Role::Client);
    assert_eq!(issued.chain_der, vec![client.der.to_vec()]);
    let all = examiner::cert::pem::certificates(issued.to_pem().as_bytes()).unwrap();
    assert_eq!(
        all.iter().map(|one| one.thumbprint).collect::<Vec<_>>(),
        [issued.thumbprint, client.thumbprint]
    );
}

#[test]
fn a_ca_issues_its_own_profiles_only() {
    let world = World::new();
    for profile in Profile::ALL {
        let checked = world.plan(profile, |_| {});
        for role in Role::ALL {
            let outcome = world.signer(role).issue(&checked);
            match role == Role::of(profile) {
                true => assert!(outcome.is_ok(), "{role}: {profile}"),
                false => {
                    assert!(matches!(outcome, Err(AuthorityError::WrongIssuer { .. })), "{role}: {profile}")
                }
            }
        }
    }
}

#[test]
fn no_certificate_outlives_its_ca_even_if_it_was_checked_against_another() {
    let world = World::new();
    let own = world.hierarchy.window(Role::Client);
    let longer = Window { not_after: own.not_after.plus(1), ..own };
    let spki = authority::keys::generate(Default::default()).unwrap().spki().unwrap();
    let nearly_over = own.not_after.plus(-86_400);
    let mut plan = policy::issuance::Plan::new(Profile::Device, "alice", ALICE, spki, own, nearly_over);
    assert_eq!(plan.not_after, own.not_after);
    let signer = world.signer(Role::Client);
    signer.issue(&check(plan.clone(), own, nearly_over).unwrap()).unwrap();
    plan.not_after = longer.not_after;
    let refused = signer.issue(&check(plan, longer, nearly_over).unwrap()).unwrap_err();
    assert!(matches!(refused, AuthorityError::OutlivesIssuer(Role::Client)), "{refused}");
}

#[test]
fn the_server_ca_names_its_sites_only() {
    let world = World::new();
    let plan = |name| world.plan(Profile::Server, |plan| plan.alt_names = vec![name]);
    let signer = world.signer(Role::Server);
    for host in ["portal.test", "a.portal.test", "*.portal.test", "localhost"] {
        signer.issue(&plan(AltName::Dns(host.into()))).unwrap();
    }
    for name in [AltName::Dns("bank.example".into()), AltName::Ip([10, 0, 0, 1].into())] {
        let refused = signer.issue(&plan(name.clone())).unwrap_err();
        assert!(matches!(&refused, AuthorityError::NotPermitted(shown) if *shown == name.to_string()));
        assert!(refused.remedy().contains("root"), "{}", refused.remedy());
    }
}

#[test]
fn a_certificate_signed_by_the_server_key_for_a_foreign_name_is_worthless() {
    let world = World::new();
    let plain = world.path("server.plain.key");
    let (sealed, ca) = (world.ca.join("server.key"), world.ca.join("server.pem"));
    let word = world.write("word", "correct horse battery staple");
    let passin = format!("file:{}", word.display());
    openssl(&["pkey", "-in", str(&sealed), "-passin", &passin, "-out", str(&plain)]).unwrap();
    for (name, holds) in [
        ("DNS:portal.test", true),
        ("DNS:bank.example", false),
        ("IP:127.0.0.1", true),
        ("IP:10.0.0.1", false),
        ("IP:0:0:0:0:0:0:0:1", true),
        ("IP:2001:db8:0:0:0:0:0:1", false),
    ] {
        let request = world.path("stolen.csr");
        let key = world.path("stolen.key");
        openssl(&[
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=x",
            "-keyout",
            str(&key),
            "-out",
            str(&request),
        ])
        .unwrap();
        let rest =
            "extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\nbasicConstraints=critical,CA:FALSE\n";
        let extensions = world.write("ext", format!("subjectAltName={name}\n{rest}"));
        let leaf = world.path("stolen.pem");
        openssl(&[
            "x509",
            "-req",
            "-in",
            str(&request),
            "-CA",
            str(&ca),
            "-CAkey",
            str(&plain),
            "-days",
            "2000",
            "-extfile",
            str(&extensions),
            "-out",
            str(&leaf),
        ])
        .unwrap();
        let root = world.ca.join("root.pem");
        let at = NOW.seconds().to_string();
        let outcome = openssl(&[
            "verify",
            "-attime",
            &at,
            "-purpose",
            "sslserver",
            "-CAfile",
            str(&root),
            "-untrusted",
            str(&ca),
            str(&leaf),
        ]);
        match holds {
            true => assert!(outcome.is_ok(), "{name}: {outcome:?}"),
            false => assert!(outcome.unwrap_err().contains("permitted subtree violation"), "{name}"),
        }
    }
}

fn str(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}
