//! A hierarchy in a fresh directory, plans for it, and the openssl of this machine.

#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

use authority::{CreateOptions, Hierarchy, Issued, KeyType, Passphrase, Role, Signer, keys};
use examiner::UnixTime;
use policy::issuance::{AltName, CheckedPlan, Plan, Profile, check};

/// 2027-01-15T08:00:00Z.
pub const NOW: UnixTime = UnixTime(1_800_000_000);
pub const ALICE: &str = "0f2ab1c4-6d1e-4c52-9a93-7a40d4c7e0aa";

/// A hierarchy for the site `portal.test`.
pub struct World {
    pub dir: tempfile::TempDir,
    pub ca: PathBuf,
    pub hierarchy: Hierarchy,
}

impl World {
    pub fn new() -> Self {
        Self::with(KeyType::EcdsaP256)
    }

    pub fn with(key_type: KeyType) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ca = dir.path().join("ca");
        let hierarchy = Hierarchy::create(&ca, &passphrase(), &options(key_type)).unwrap();
        Self { dir, ca, hierarchy }
    }

    pub fn signer(&self, role: Role) -> Signer {
        self.hierarchy.unlock(role, &passphrase()).unwrap()
    }

    /// A checked plan of this profile for a new key, changed by `change`.
    pub fn plan(&self, profile: Profile, change: impl FnOnce(&mut Plan)) -> CheckedPlan {
        let spki = keys::generate(KeyType::EcdsaP256).unwrap().spki().unwrap();
        self.plan_for(profile, spki, change)
    }

    pub fn plan_for(&self, profile: Profile, spki: Vec<u8>, change: impl FnOnce(&mut Plan)) -> CheckedPlan {
        let window = self.hierarchy.window(Role::of(profile));
        let mut plan = Plan::new(profile, "alice", ALICE, spki, window, NOW);
        if profile == Profile::Server {
            plan.common_name = "portal.test".into();
            plan.alt_names = vec![AltName::Dns("portal.test".into())];
        }
        change(&mut plan);
        check(plan, window, NOW).unwrap()
    }

    pub fn issue(&self, profile: Profile, change: impl FnOnce(&mut Plan)) -> Issued {
        self.signer(Role::of(profile)).issue(&self.plan(profile, change)).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// `openssl verify` of a certificate at `NOW`: the root is trusted, the issuing CA sent along.
    pub fn verify(&self, issued: &Issued, purpose: &str, extra: &[&str]) -> Result<String, String> {
        let leaf = self.write("leaf.pem", issued.to_pem());
        let chain = self.write("chain.pem", pem(&issued.chain_der[0]));
        let root = self.ca.join("root.pem");
        let at = NOW.seconds().to_string();
        let mut arguments = vec!["verify", "-x509_strict", "-attime", &at, "-purpose", purpose, "-CAfile"];
        arguments.push(root.to_str().unwrap());
        arguments.extend(["-untrusted", chain.to_str().unwrap()]);
        arguments.extend(extra);
        arguments.push(leaf.to_str().unwrap());
        openssl(&arguments)
    }

    pub fn text(&self, issued: &Issued) -> String {
        let leaf = self.write("leaf.pem", issued.to_pem());
        openssl(&["x509", "-noout", "-text", "-in", leaf.to_str().unwrap()]).unwrap()
    }
}

pub fn passphrase() -> Passphrase {
    Passphrase::new("correct horse battery staple").unwrap()
}

pub fn options(key_type: KeyType) -> CreateOptions {
    CreateOptions {
        sites: vec!["portal.test".into()],
        key_type,
        store: authority::KeyStore::Files,
        now: NOW,
        organisation: "Countersign".into(),
    }
}

pub fn pem(der: &[u8]) -> String {
    examiner::cert::pem::encode("CERTIFICATE", der)
}

/// Runs openssl: its output and messages, by whether it succeeded.
pub fn openssl(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("openssl").args(arguments).output().expect("openssl is installed");
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok(text) } else { Err(text) }
}

pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt;
    path.metadata().unwrap().mode() & 0o777
}
