//! What Chromium needs to show certificates as a visitor's does: a home whose store has them, and the managed policy that
//! chooses one without asking.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process;
use crate::tools::openssl;

/// Where Chromium looks for managed policies, and where those lie meanwhile that stood there before.
const FOLDER: &str = "/etc/chromium/policies/managed";
const KEPT: &str = "/etc/chromium/policies/kept-while-tested";
const PATIENCE: Duration = Duration::from_secs(30);

/// A home with an NSS database.
pub struct Home {
    dir: TempDir,
}

impl Home {
    /// One that trusts this root for servers, and has no certificate of its own.
    #[track_caller]
    pub fn trusting(root: &Path) -> Self {
        let home = Self { dir: tempfile::tempdir().expect("a temporary directory") };
        std::fs::create_dir_all(home.dir.path().join(".pki/nssdb")).expect("a folder for the store");
        home.nss("certutil", &["-N", "--empty-password"]);
        home.nss("certutil", &["-A", "-n", "root", "-t", "C,,", "-i", &root.display().to_string()]);
        home
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Takes a PKCS #12 file into the store.
    #[track_caller]
    pub fn import(&self, p12: &Path, password: &str) {
        self.nss("pk12util", &["-i", &p12.display().to_string(), "-W", password]);
    }

    /// Takes NAME.pem and NAME.key of a folder into the store.
    #[track_caller]
    pub fn import_pem(&self, folder: &Path, name: &str) {
        let (pem, key, p12) = (format!("{name}.pem"), format!("{name}.key"), self.dir.path().join("one.p12"));
        let file = p12.display().to_string();
        let args = [
            "pkcs12",
            "-export",
            "-in",
            &pem,
            "-inkey",
            &key,
            "-out",
            &file,
            "-passout",
            "pass:word",
            "-name",
            name,
        ];
        openssl(folder, &args, b"").ok();
        self.import(&p12, "word");
    }

    #[track_caller]
    fn nss(&self, tool: &str, args: &[&str]) {
        let database = format!("sql:{}/.pki/nssdb", self.dir.path().display());
        process::run(Command::new(tool).args(["-d", &database]).args(args), b"", PATIENCE).ok();
    }
}

/// The managed policy of all Chromium on this machine. While it is held no other is in force: those that stood there are
/// put aside, and come back with its end. Only root may.
pub struct Policy {
    file: PathBuf,
    _one_at_a_time: MutexGuard<'static, ()>,
}

impl Policy {
    /// Whether this user may set one; in CI it must.
    pub fn may_be_set() -> bool {
        let is_root = rustix::process::geteuid().is_root();
        if !is_root {
            eprintln!("left out: the managed policy of Chromium can only be written by root");
            assert!(std::env::var_os("CI").is_none(), "in CI this test must run");
        }
        is_root
    }

    /// For each address, the common name of the certificate that is shown there.
    #[track_caller]
    pub fn choosing(choices: &[(String, &str)]) -> Self {
        let one = |(url, name): &(String, &str)| {
            Value::from(json!({ "pattern": url, "filter": { "SUBJECT": { "CN": name } } }).to_string())
        };
        let all: Vec<Value> = choices.iter().map(one).collect();
        Self::saying(&json!({ "AutoSelectCertificateForUrls": all }).to_string())
    }

    /// With this text.
    #[track_caller]
    pub fn saying(text: &str) -> Self {
        static ONE: Mutex<()> = Mutex::new(());
        let one_at_a_time = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        // Of a test that was killed.
        put_back();
        for folder in [FOLDER, KEPT] {
            std::fs::create_dir_all(folder).expect("the policy directory can be made");
        }
        move_all(FOLDER, KEPT);
        let policy =
            Self { file: Path::new(FOLDER).join("countersign-test.json"), _one_at_a_time: one_at_a_time };
        policy.say(text);
        policy
    }

    /// From now on with this text.
    #[track_caller]
    pub fn say(&self, text: &str) {
        std::fs::write(&self.file, text).expect("the policy can be written");
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
        put_back();
    }
}

fn put_back() {
    if Path::new(KEPT).is_dir() {
        move_all(KEPT, FOLDER);
        let _ = std::fs::remove_dir(KEPT);
    }
}

fn move_all(from: &str, to: &str) {
    for entry in std::fs::read_dir(from).into_iter().flatten().flatten() {
        // What cannot be moved stays, and the test says what it finds.
        let _ = std::fs::rename(entry.path(), Path::new(to).join(entry.file_name()));
    }
}
