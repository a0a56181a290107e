//! PKCS#12 files, opened by openssl, NSS, Java and GnuTLS.

mod support;

use authority::pkcs12::{Password, Profile, export, generate_password};
use authority::{AuthorityError, Issued, KeyType, PrivateKey, Role, keys};
use support::{World, openssl};

fn issued(world: &World) -> (PrivateKey, Issued) {
    issued_for(world, KeyType::EcdsaP256)
}

fn issued_for(world: &World, key_type: KeyType) -> (PrivateKey, Issued) {
    let key = keys::generate(key_type).unwrap();
    let checked = world.plan_for(policy::issuance::Profile::Person, key.spki().unwrap(), |_| {});
    let issued = world.signer(Role::Client).issue(&checked).unwrap();
    (key, issued)
}

/// What openssl reads in the file, without its switch for old algorithms.
fn opened(world: &World, bytes: &[u8], password: &str) -> Result<String, String> {
    let file = world.write("x.p12", bytes);
    let word = format!("pass:{password}");
    openssl(&["pkcs12", "-info", "-in", file.to_str().unwrap(), "-passin", &word, "-nodes"])
}

#[test]
fn the_compatible_file_is_triple_des_and_opens() {
    let world = World::new();
    let (key, issued) = issued(&world);
    let password = generate_password().unwrap();
    let file = export("alice", &key, &issued.der, &issued.chain_der, &password, Profile::Compatible).unwrap();
    let text = opened(&world, &file, password.expose()).unwrap();
    assert!(text.contains("MAC: sha1"), "{text}");
    assert_eq!(text.matches("pbeWithSHA1And3-KeyTripleDES-CBC").count(), 2, "key and certificates: {text}");
    assert!(!text.contains("RC2") && text.contains("friendlyName: alice"), "{text}");
    assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 2);
    let read = PrivateKey::from_pem(&text[text.find("-----BEGIN PRIVATE KEY").unwrap()..]).unwrap();
    assert_eq!(read.spki().unwrap(), key.spki().unwrap());
}

#[test]
fn the_modern_file_is_aes_and_opens() {
    let world = World::new();
    let (key, issued) = issued(&world);
    let password = Password::chosen("a password of my own").unwrap();
    let file = export("alice", &key, &issued.der, &issued.chain_der, &password, Profile::Modern).unwrap();
    let text = opened(&world, &file, password.expose()).unwrap();
    assert!(text.contains("MAC: sha256"), "{text}");
    assert_eq!(text.matches("PBES2, PBKDF2, AES-256-CBC").count(), 2, "{text}");
    assert!(opened(&world, &file, "another").unwrap_err().contains("invalid password"));
}

#[test]
fn a_key_of_each_kind_comes_whole_out_of_both_files() {
    let world = World::new();
    let password = generate_password().unwrap();
    for key_type in KeyType::ALL {
        let (key, issued) = issued_for(&world, key_type);
        world.verify(&issued, "sslclient", &[]).unwrap();
        for profile in [Profile::Compatible, Profile::Modern] {
            let file = export("alice", &key, &issued.der, &issued.chain_der, &password, profile).unwrap();
            let text = opened(&world, &file, password.expose()).unwrap();
            let read = PrivateKey::from_pem(&text[text.find("-----BEGIN PRIVATE KEY").unwrap()..]).unwrap();
            assert_eq!((read.key_type(), read.spki().unwrap()), (key_type, key.spki().unwrap()));
        }
    }
}

#[test]
fn an_empty_password_is_refused() {
    assert!(matches!(Password::chosen(""), Err(AuthorityError::EmptyPassphrase)));
    assert!(Password::chosen("x").is_ok());
}

#[test]
fn the_compatible_file_takes_a_generated_password_only() {
    let world = World::new();
    let (key, issued) = issued(&world);
    let chosen = Password::chosen("summer2026").unwrap();
    let refused = export("alice", &key, &issued.der, &[], &chosen, Profile::Compatible).unwrap_err();
    assert!(matches!(refused, AuthorityError::PasswordNotGenerated));
    assert!(
        export("alice", &key, &issued.der, &[], &generate_password().unwrap(), Profile::Compatible).is_ok()
    );
}

#[test]
fn a_generated_password_has_20_unambiguous_characters_and_is_not_shown_by_accident() {
    let (one, two) = (generate_password().unwrap(), generate_password().unwrap());
    assert_eq!(one.expose().chars().count(), 20);
    assert!(one.expose().chars().all(|c| c.is_ascii_alphanumeric() && !"01lIoO".contains(c)));
    assert_ne!(one.expose(), two.expose());
    assert!(!format!("{one:?}").contains(one.expose()));
}

/// What a program of this machine says, and that it succeeds.
fn program(world: &World, name: &str, arguments: &[&str]) -> Result<String, String> {
    let output = std::process::Command::new(name)
        .args(arguments)
        .current_dir(world.dir.path())
        .output()
        .unwrap_or_else(|error| panic!("{name} is installed; ./check gets it: {error}"));
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(text) } else { Err(text) }
}

#[test]
fn nss_java_and_gnutls_open_both_files_with_the_password_and_not_without_it() {
    let world = World::new();
    let password = generate_password().unwrap();
    for key_type in [KeyType::EcdsaP256, KeyType::Rsa3072] {
        let (key, issued) = issued_for(&world, key_type);
        for profile in [Profile::Compatible, Profile::Modern] {
            let file = export("alice", &key, &issued.der, &issued.chain_der, &password, profile).unwrap();
            world.write("alice.p12", &file);
            let all = |password: &str| {
                let pass = format!("--password={password}");
                [
                    ("pk12util", program(&world, "pk12util", &["-l", "alice.p12", "-W", password])),
                    (
                        "keytool",
                        program(
                            &world,
                            "keytool",
                            &[
                                "-list",
                                "-v",
                                "-storetype",
                                "PKCS12",
                                "-keystore",
                                "alice.p12",
                                "-storepass",
                                password,
                            ],
                        ),
                    ),
                    (
                        "certtool",
                        program(
                            &world,
                            "certtool",
                            &["--p12-info", "--inder", "--infile", "alice.p12", &pass],
                        ),
                    ),
                ]
            };
            for (name, said) in all(password.expose()) {
                let said = said.unwrap_or_else(|said| panic!("{name}, {key_type:?}, {profile:?}: {said}"));
                assert!(said.contains("alice"), "{name}: {said}");
                let has_key = match name {
                    "pk12util" => said.contains("Key(shrouded):"),
                    "keytool" => said.contains("PrivateKeyEntry") && said.contains("chain length: 2"),
                    _ => said.contains("BEGIN PRIVATE KEY") || said.contains("BEGIN ENCRYPTED PRIVATE KEY"),
                };
                assert!(has_key, "{name}, {key_type:?}, {profile:?}: {said}");
            }
            for (name, said) in all("another-password") {
                let opened = said.is_ok_and(|said| said.contains("alice"));
                assert!(!opened, "{name} opens it with another password");
            }
        }
    }
}
