//! A client CA whose certificate is signed by an authority elsewhere, which is `openssl` here.

mod support;

use std::fs;

use authority::{AuthorityError, Hierarchy, ImportError, KeyType, Role};
use examiner::{Certificate, UnixTime};
use policy::issuance::{Plan, Profile, check};
use support::{ALICE, World, openssl, passphrase};

const OURS: &str = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n\
                    extendedKeyUsage=clientAuth\nsubjectKeyIdentifier=hash\n";

/// Our hierarchy, its request, and a root and an intermediate of another organisation.
struct Elsewhere {
    world: World,
}

impl Elsewhere {
    fn new() -> Self {
        let this = Self { world: World::new() };
        let request = this.world.hierarchy.client_ca_request(&passphrase()).unwrap();
        this.world.write("ours.csr", examiner::cert::pem::encode("CERTIFICATE REQUEST", &request));
        this.key("root", "/O=Corp/CN=Corp Root");
        this.key("middle", "/O=Corp/CN=Corp Middle");
        this.self_sign("root", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n");
        this.sign("middle", "root", "basicConstraints=critical,CA:TRUE,pathlen:1\nkeyUsage=keyCertSign\n");
        this
    }

    fn file(&self, name: &str) -> String {
        self.world.path(name).to_str().unwrap().to_owned()
    }

    fn key(&self, name: &str, subject: &str) {
        let (key, csr) = (self.file(&format!("{name}.key")), self.file(&format!("{name}.csr")));
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        let all = [&["req", "-new", "-subj", subject, "-keyout", &key, "-out", &csr], &curve[..]].concat();
        openssl(&all).unwrap();
    }

    fn self_sign(&self, name: &str, extensions: &str) {
        let extensions = self.world.write("x", extensions);
        let (csr, key, out) = (
            self.file(&format!("{name}.csr")),
            self.file(&format!("{name}.key")),
            self.file(&format!("{name}.pem")),
        );
        let extensions = extensions.to_str().unwrap();
        openssl(&[
            "x509", "-req", "-in", &csr, "-signkey", &key, "-days", "900", "-extfile", extensions, "-out",
            &out,
        ])
        .unwrap();
    }

    /// Has `issuer` sign the request of this name; returns the certificate.
    fn sign(&self, name: &str, issuer: &str, extensions: &str) -> Certificate {
        let (csr, out) = (self.file(&format!("{name}.csr")), self.file(&format!("{name}.pem")));
        let (ca, key) = (self.file(&format!("{issuer}.pem")), self.file(&format!("{issuer}.key")));
        let extensions = self.world.write("x", extensions);
        let extensions = extensions.to_str().unwrap();
        openssl(&[
            "x509",
            "-req",
            "-in",
            &csr,
            "-CA",
            &ca,
            "-CAkey",
            &key,
            "-CAcreateserial",
            "-days",
            "800",
            "-extfile",
            extensions,
            "-out",
            &out,
        ])
        .unwrap();
        self.read(name)
    }

    fn read(&self, name: &str) -> Certificate {
        let pem = fs::read(self.world.path(&format!("{name}.pem"))).unwrap();
        examiner::cert::pem::certificates(&pem).unwrap().remove(0)
    }

    /// What becomes of our certificate with these extensions, signed by the middle, in a whole file.
    fn refusal(&self, extensions: &str) -> String {
        let ours = self.sign("ours", "middle", extensions);
        let all = [ours.clone(), self.read("middle"), self.read("root")];
        let refused = self.world.hierarchy.examine_client_ca(&all, ours.not_before).unwrap_err();
        assert!(matches!(refused, AuthorityError::NotImported(ImportError::Unfit { .. })), "{refused}");
        refused.to_string()
    }
}

#[test]
fn the_request_is_for_the_client_cas_key_and_asks_for_a_cas_powers() {
    let elsewhere = Elsewhere::new();
    let shown = openssl(&["req", "-verify", "-noout", "-text", "-in", &elsewhere.file("ours.csr")]).unwrap();
    for wanted in
        ["self-signature verify OK", "CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign", "TLS Web Client"]
    {
        assert!(shown.contains(wanted), "{wanted} in\n{shown}");
    }
    let ours = elsewhere.sign("ours", "middle", OURS);
    let before = elsewhere.world.hierarchy.certificate(Role::Client);
    assert_eq!((&ours.spki, &ours.subject_der), (&before.spki, &before.subject_der));
}

#[test]
fn the_signed_chain_is_taken_in_any_order_and_sent_along() {
    let mut elsewhere = Elsewhere::new();
    let ours = elsewhere.sign("ours", "middle", OURS);
    let now = ours.not_before.plus(3600);
    let all = [elsewhere.read("root"), ours.clone(), elsewhere.read("middle")];
    let chain = elsewhere.world.hierarchy.import_client_ca(&all, now).unwrap();
    let thumbprints: Vec<_> = chain.iter().map(|one| one.thumbprint).collect();
    assert_eq!(thumbprints, [&all[1], &all[2], &all[0]].map(|one| one.thumbprint));

    let again = Hierarchy::open(&elsewhere.world.ca).unwrap();
    assert_eq!(again.certificate(Role::Client).thumbprint, ours.thumbprint);
    assert_eq!(again.client_issuers().len(), 2);
    let signer = again.unlock(Role::Client, &passphrase()).unwrap();
    let spki = authority::keys::generate(KeyType::EcdsaP256).unwrap().spki().unwrap();
    let plan = Plan::new(Profile::Person, "alice", ALICE, spki, signer.window(), now);
    let issued = signer.issue(&check(plan, signer.window(), now).unwrap()).unwrap();
    // Their root alone is trusted; the chain goes along without it.
    let world = &elsewhere.world;
    let leaf = world.write("leaf.pem", support::pem(&issued.der));
    let sent: String = issued.chain_der.iter().map(|der| support::pem(der)).collect();
    let sent = world.write("sent.pem", sent);
    let at = now.seconds().to_string();
    openssl(&[
        "verify",
        "-x509_strict",
        "-attime",
        &at,
        "-purpose",
        "sslclient",
        "-CAfile",
        &elsewhere.file("root.pem"),
        "-untrusted",
        sent.to_str().unwrap(),
        leaf.to_str().unwrap(),
    ])
    .unwrap();
    assert_eq!(issued.chain_der, [&ours, &all[2]].map(|one| one.der.to_vec()));
}

#[test]
fn a_chain_that_cannot_hold_is_refused_with_the_reason_and_nothing_changes() {
    let elsewhere = Elsewhere::new();
    let before = elsewhere.world.hierarchy.certificate_pem(Role::Client);
    for (line, instead, why) in [
        ("critical,CA:TRUE,pathlen:0", "critical,CA:FALSE", "is no certificate of a CA"),
        ("critical,keyCertSign,cRLSign", "critical,cRLSign", "may not sign certificates (keyCertSign)"),
        ("critical,keyCertSign,cRLSign", "critical,keyCertSign", "may not sign revocation lists (cRLSign)"),
        ("keyUsage=critical,keyCertSign,cRLSign\n", "", "may not sign certificates (keyCertSign)"),
        ("clientAuth", "serverAuth", "lists key purposes, and not clientAuth"),
        ("subjectKeyIdentifier=hash\n", "subjectKeyIdentifier=none\n", "has no subject key identifier"),
        ("clientAuth\n", "clientAuth\nnameConstraints=permitted;URI:corp.test\n", "has name constraints"),
    ] {
        let said = elsewhere.refusal(&OURS.replace(line, instead));
        assert!(said.contains(why), "{instead}: {said}");
    }
    let said = elsewhere.refusal(&format!("{OURS}nameConstraints=permitted;dirName:d\n[d]\nO=Corp\n"));
    assert!(said.contains("has name constraints"), "{said}");
    // Without a list of purposes it may issue for every purpose, and is taken.
    let ours = elsewhere.sign("ours", "middle", &OURS.replace("extendedKeyUsage=clientAuth\n", ""));
    let all = [ours.clone(), elsewhere.read("middle"), elsewhere.read("root")];
    assert!(elsewhere.world.hierarchy.examine_client_ca(&all, ours.not_before).is_ok());
    let now = fs::read_to_string(elsewhere.world.ca.join("client.pem")).unwrap();
    assert_eq!(now, before);
    assert!(!elsewhere.world.ca.join("client.chain.pem").exists());
}

#[test]
fn issuers_that_do_not_say_what_their_keys_are_for_are_taken_and_others_are_held_to_it() {
    let elsewhere = Elsewhere::new();
    for (usage, is_taken) in [("", true), ("keyUsage=cRLSign\n", false), ("keyUsage=keyCertSign\n", true)] {
        elsewhere.self_sign("root", &format!("basicConstraints=critical,CA:TRUE\n{usage}"));
        elsewhere.sign("middle", "root", &format!("basicConstraints=critical,CA:TRUE,pathlen:1\n{usage}"));
        let ours = elsewhere.sign("ours", "middle", OURS);
        let all = [ours.clone(), elsewhere.read("middle"), elsewhere.read("root")];
        let taken = elsewhere.world.hierarchy.examine_client_ca(&all, ours.not_before);
        assert_eq!(taken.is_ok(), is_taken, "{usage}: {taken:?}");
    }
}

#[test]
fn a_chain_holds_from_its_first_second_to_its_last() {
    let elsewhere = Elsewhere::new();
    let ours = elsewhere.sign("ours", "middle", OURS);
    let middle = elsewhere.read("middle");
    let all = [ours.clone(), middle.clone(), elsewhere.read("root")];
    let at = |moment: UnixTime| elsewhere.world.hierarchy.examine_client_ca(&all, moment);
    let last = ours.not_after.seconds().min(middle.not_after.seconds());
    assert!(at(ours.not_before).is_ok());
    assert!(at(UnixTime(last)).is_ok());
    assert!(at(UnixTime(last + 1)).unwrap_err().to_string().contains("was valid until"));
    assert!(at(middle.not_before.plus(-1)).unwrap_err().to_string().contains("is not valid before"));
}

#[test]
fn a_middle_that_leaves_no_room_for_us_is_refused() {
    let elsewhere = Elsewhere::new();
    let middle = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=keyCertSign\n";
    elsewhere.sign("middle", "root", middle);
    assert!(elsewhere.refusal(OURS).contains("allows too few CAs below it"));
    let ours = elsewhere.sign("ours", "middle", OURS);
    let whole = elsewhere.sign("middle", "root", &middle.replace("pathlen:0", "pathlen:1"));
    let all = [ours.clone(), whole, elsewhere.read("root")];
    let now = all[1].not_before.max(ours.not_before);
    assert!(elsewhere.world.hierarchy.examine_client_ca(&all, now).is_ok());
}

#[test]
fn another_key_another_name_and_a_chain_with_a_gap_are_refused() {
    let elsewhere = Elsewhere::new();
    let ours = elsewhere.sign("ours", "middle", OURS);
    let (middle, root) = (elsewhere.read("middle"), elsewhere.read("root"));
    let refused =
        |all: &[Certificate]| match elsewhere.world.hierarchy.examine_client_ca(all, ours.not_before) {
            Err(AuthorityError::NotImported(why)) => why,
            other => panic!("{other:?}"),
        };
    assert_eq!(refused(&[middle.clone(), root.clone()]), ImportError::OtherKey);
    assert!(matches!(refused(&[ours.clone(), root.clone()]), ImportError::NoIssuer { .. }));
    assert!(matches!(refused(&[ours.clone(), middle.clone()]), ImportError::NoIssuer { .. }));
    // A namesake of the issuer, with another key.
    elsewhere.key("middle", "/O=Corp/CN=Corp Middle");
    let namesake =
        elsewhere.sign("middle", "root", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n");
    assert!(matches!(refused(&[ours.clone(), namesake, root.clone()]), ImportError::NoIssuer { .. }));

    openssl(&[
        "req",
        "-pubkey",
        "-noout",
        "-in",
        &elsewhere.file("ours.csr"),
        "-out",
        &elsewhere.file("pub"),
    ])
    .unwrap();
    openssl(&[
        "x509",
        "-new",
        "-subj",
        "/CN=Other",
        "-force_pubkey",
        &elsewhere.file("pub"),
        "-CA",
        &elsewhere.file("root.pem"),
        "-CAkey",
        &elsewhere.file("root.key"),
        "-days",
        "800",
        "-out",
        &elsewhere.file("renamed.pem"),
    ])
    .unwrap();
    assert!(matches!(refused(&[elsewhere.read("renamed"), root]), ImportError::OtherName { .. }));
}

#[test]
fn a_chain_that_was_changed_on_disk_is_not_opened() {
    let mut elsewhere = Elsewhere::new();
    let ours = elsewhere.sign("ours", "middle", OURS);
    let all = [ours.clone(), elsewhere.read("middle"), elsewhere.read("root")];
    elsewhere.world.hierarchy.import_client_ca(&all, ours.not_before).unwrap();
    let chain = elsewhere.world.ca.join("client.chain.pem");
    fs::write(&chain, support::pem(&all[2].der)).unwrap();
    let refused = Hierarchy::open(&elsewhere.world.ca).unwrap_err();
    assert!(matches!(refused, AuthorityError::Unreadable { .. }), "{refused}");
    fs::remove_file(&chain).unwrap();
    let refused = Hierarchy::open(&elsewhere.world.ca).unwrap_err();
    assert!(refused.to_string().contains("is not signed by the root"), "{refused}");
}
