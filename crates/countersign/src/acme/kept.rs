//! What is kept of ordered certificates: `state/acme/real/NAME.pem` with the private key and the chain, beside it `.json`
//! with how the last attempt went and `.ocsp` with what is stapled; `state/acme/staging` the same of tries; and
//! `state/acme/accounts`.
//!
//! Key and chain are one file, so that one rename exchanges both: there is no moment with half a pair.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use authority::files;
use aws_lc_rs::digest::{SHA256, digest};
use examiner::chain::Examinee;
use examiner::{Certificate, GeneralName, UnixTime};
use policy::HostName;
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};

use super::client::AcmeError;
use super::jws::AccountKey;
use super::renewal;
use crate::config::StateDir;
use crate::config::acme::Acme;
use crate::run::certificates::{self, CertificateError};

/// The first wait after a failure in seconds; it doubles up to the longest. CAs count failed validations by the hour.
const BACK_OFF: (i64, i64) = (300, 6 * 3600);
/// No server makes us wait longer than this, in seconds.
const WAIT_MOST: i64 = 86_400;

/// The directory of all of it.
pub fn folder(state: &StateDir) -> PathBuf {
    state.path().join("acme")
}

/// Taken by who orders: one process at a time.
pub fn lock(state: &StateDir) -> Result<File, AcmeError> {
    files::private_directory(&folder(state))?;
    let path = folder(state).join("lock");
    File::create(&path).map_err(|error| AcmeError::Own(format!("{}: {error}", path.display())))
}

/// The files of one site's certificate.
#[derive(Clone, Debug)]
pub struct Kept {
    folder: PathBuf,
    site: HostName,
}

/// How the last attempt went, and what is known of the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Attempt {
    /// The directory it was ordered from.
    pub directory: String,
    /// When.
    pub at: UnixTime,
    /// When it is tried again, after a failure.
    pub next: UnixTime,
    /// How many attempts have failed, one after the other.
    pub failures: u32,
    /// Why the last one failed.
    pub fault: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// Since when the certificate that is kept is there, and the directory it is from.
    pub got: Option<Got>,
}

/// A certificate that was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Got {
    /// The directory it is from.
    pub directory: String,
    /// When it came.
    pub at: UnixTime,
    /// By which challenge.
    pub challenge: String,
    /// What the server says of its renewal.
    pub advice: Option<renewal::Advice>,
    /// When the server is asked again for its advice; where absent it is asked at the next look.
    pub ask_at: Option<UnixTime>,
    /// The same for an OCSP response.
    pub staple_at: Option<UnixTime>,
    /// Why there is no OCSP response, where the certificate names who gives one.
    pub staple_fault: Option<String>,
}

/// A pair that is kept, and its dates.
#[derive(Debug)]
pub struct Pair {
    /// The chain as examined, the certificate first.
    pub chain: Vec<Examinee>,
    /// The certificate.
    pub certificate: Certificate,
}

/// Why a certificate is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// There is none, or none that can be read.
    Missing,
    /// It is from another directory.
    OtherDirectory,
    /// It is for other names.
    OtherNames,
    /// The server, or its age, says that it is time.
    Renewal,
}

impl Kept {
    /// Of this site's certificates.
    pub fn new(state: &StateDir, site: &HostName, acme: &Acme) -> Self {
        Self::of(state, site, acme.is_staging)
    }

    fn of(state: &StateDir, site: &HostName, is_staging: bool) -> Self {
        let kind = if is_staging { "staging" } else { "real" };
        Self { folder: folder(state).join(kind), site: site.clone() }
    }

    /// Private key and chain, PEM.
    pub fn pair(&self) -> PathBuf {
        self.folder.join(format!("{}.pem", self.site))
    }

    /// The stapled OCSP response, DER.
    pub fn staple(&self) -> PathBuf {
        self.folder.join(format!("{}.ocsp", self.site))
    }

    fn record(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.site))
    }

    /// How the last attempt went, if there was one.
    pub fn last(&self) -> Option<Attempt> {
        serde_json::from_slice(&std::fs::read(self.record()).ok()?).ok()
    }

    /// Notes how it went.
    pub fn note(&self, attempt: &Attempt) -> Result<(), AcmeError> {
        self.make_folder()?;
        let text = serde_json::to_vec(attempt).map_err(|error| AcmeError::Own(error.to_string()))?;
        Ok(files::replace_public(&self.record(), &text)?)
    }

    fn make_folder(&self) -> Result<(), AcmeError> {
        let above = self.folder.parent().unwrap_or(&self.folder);
        files::private_directory(above)?;
        Ok(files::private_directory(&self.folder)?)
    }

    /// Puts this pair in the place of the last; what was stapled to that goes.
    pub fn replace(&self, key_pem: &str, chain_pem: &str) -> Result<(), AcmeError> {
        self.make_folder()?;
        files::replace_private(&self.pair(), format!("{key_pem}{chain_pem}").as_bytes())?;
        self.drop_staple();
        Ok(())
    }

    /// Puts this OCSP response beside it.
    pub fn keep_staple(&self, der: &[u8]) -> Result<(), AcmeError> {
        Ok(files::replace_public(&self.staple(), der)?)
    }

    /// Lets go of the OCSP response, where there is one.
    pub fn drop_staple(&self) {
        let _ = std::fs::remove_file(self.staple());
    }

    /// The pair, where key and certificate can be read and fit.
    pub fn read(&self) -> Result<Pair, CertificateError> {
        let path = self.pair();
        let shown = certificates::load(&path, &path)?;
        let wrong = || CertificateError::Content { path: path.clone(), what: "it is no certificate".into() };
        let certificate =
            Certificate::from_der(shown.cert.first().ok_or_else(wrong)?).map_err(|_| wrong())?;
        let chain = shown.cert.iter().map(|der| Examinee::read(der.as_ref())).collect();
        Ok(Pair { chain, certificate })
    }

    /// Why a certificate is ordered now, if one is. Waiting after a failure is not part of it.
    pub fn due(&self, acme: &Acme, now: UnixTime) -> Option<Due> {
        let Ok(pair) = self.read() else { return Some(Due::Missing) };
        let got = self.last().and_then(|last| last.got);
        let Some(got) = got else { return Some(Due::Missing) };
        if got.directory != acme.directory.to_string() {
            return Some(Due::OtherDirectory);
        }
        if !holds_exactly(&pair.certificate, &acme.names) {
            return Some(Due::OtherNames);
        }
        (renewal::at(&pair.certificate, got.advice.as_ref()) <= now).then_some(Due::Renewal)
    }
}

impl Attempt {
    /// Whether the next attempt has to wait. A clock that was set back makes nothing wait longer.
    pub fn waits_at(&self, now: UnixTime) -> bool {
        self.failures > 0 && self.at <= now && now < self.next
    }

    /// That it failed for this reason.
    pub fn failed(before: Option<Self>, acme: &Acme, error: &AcmeError, now: UnixTime) -> Self {
        let failures = before.as_ref().map_or(0, |last| last.failures).saturating_add(1);
        let wanted = error.retry_after().map_or(0, |seconds| seconds.min(WAIT_MOST));
        Self {
            directory: acme.directory.to_string(),
            at: now,
            next: now.plus(after_failure(failures).max(wanted)),
            failures,
            fault: Some(error.to_string()),
            help: Some(error.remedy().to_owned()),
            got: before.and_then(|last| last.got),
        }
    }

    /// That a certificate came.
    pub fn succeeded(acme: &Acme, challenge: &str, now: UnixTime) -> Self {
        let directory = acme.directory.to_string();
        let got = Got {
            directory: directory.clone(),
            at: now,
            challenge: challenge.to_owned(),
            advice: None,
            ask_at: None,
            staple_at: None,
            staple_fault: None,
        };
        Self { directory, at: now, next: now, failures: 0, fault: None, help: None, got: Some(got) }
    }
}

/// Seconds until the next attempt after so many failures, at least one, in a row.
fn after_failure(failures: u32) -> i64 {
    (BACK_OFF.0 << failures.saturating_sub(1).min(8)).min(BACK_OFF.1)
}

/// Whether these are the certificate's host names, in any order.
pub fn holds_exactly(certificate: &Certificate, names: &[HostName]) -> bool {
    let mut held = dns_names(certificate);
    let mut wanted: Vec<String> = names.iter().map(ToString::to_string).collect();
    held.sort();
    wanted.sort();
    held == wanted
}

/// The certificate's host names, in lower case.
fn dns_names(certificate: &Certificate) -> Vec<String> {
    let names = certificate.subject_alt_names.iter();
    names
        .filter_map(|one| match one {
            GeneralName::Dns(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// What a site shows of the certificates that were ordered for it, with what is stapled: the one that is wanted, or where
/// that one is for trying out and not there, the real one. `None` where there is none yet.
pub fn shown(
    state: &StateDir,
    site: &HostName,
    acme: &Acme,
) -> Result<Option<Arc<CertifiedKey>>, CertificateError> {
    let Some(kept) = in_use(state, site, acme) else { return Ok(None) };
    let pair = kept.pair();
    let mut loaded = certificates::load(&pair, &pair)?;
    if let Ok(staple) = std::fs::read(kept.staple()) {
        Arc::make_mut(&mut loaded).ocsp = Some(staple);
    }
    Ok(Some(loaded))
}

/// The files of the certificate that a site shows; `None` where there is none yet.
pub fn in_use(state: &StateDir, site: &HostName, acme: &Acme) -> Option<Kept> {
    let kinds = if acme.is_staging { &[true, false][..] } else { &[false] };
    kinds.iter().map(|staging| Kept::of(state, site, *staging)).find(|kept| kept.pair().exists())
}

/// Every file that what a site shows depends on.
pub fn watched(state: &StateDir, site: &HostName, acme: &Acme) -> Vec<PathBuf> {
    let kinds = if acme.is_staging { &[true, false][..] } else { &[false] };
    let all = kinds.iter().map(|staging| Kept::of(state, site, *staging));
    all.flat_map(|kept| [kept.pair(), kept.staple()]).collect()
}

/// The account that is kept for a directory, and for a key of an external account.
pub struct Accounts {
    stem: PathBuf,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Account {
    /// What the server knows it by.
    pub url: String,
    /// Where the CA writes to.
    pub contact: Vec<String>,
}

impl Accounts {
    /// Of this directory.
    pub fn new(state: &StateDir, acme: &Acme) -> Self {
        let kid = acme.eab.as_ref().map(|eab| eab.kid.as_str()).unwrap_or_default();
        let hash = digest(&SHA256, format!("{}\n{kid}", acme.directory).as_bytes());
        let name: String = hash.as_ref()[..16].iter().map(|octet| format!("{octet:02x}")).collect();
        Self { stem: folder(state).join("accounts").join(name) }
    }

    /// The account's key, made where there is none, and the account where one was made with it.
    pub fn key_and_account(&self) -> Result<(AccountKey, Option<Account>), AcmeError> {
        let path = self.stem.with_extension("key");
        if path.exists() {
            let bytes = files::read_private(&path)?;
            let wrong = || AcmeError::Own(format!("{}: it is no text", path.display()));
            let key = AccountKey::from_pem(std::str::from_utf8(&bytes).map_err(|_| wrong())?)?;
            let account = std::fs::read(self.stem.with_extension("json")).ok();
            return Ok((key, account.and_then(|bytes| serde_json::from_slice(&bytes).ok())));
        }
        let folder = self.stem.parent().unwrap_or(Path::new("."));
        files::private_directory(folder)?;
        let key = AccountKey::generate()?;
        files::write_new_private(&path, key.pem().as_bytes())?;
        Ok((key, None))
    }

    /// Keeps the account that was made with the key.
    pub fn keep(&self, account: &Account) -> Result<(), AcmeError> {
        let text = serde_json::to_vec(account).map_err(|error| AcmeError::Own(error.to_string()))?;
        Ok(files::replace_public(&self.stem.with_extension("json"), &text)?)
    }

    /// Lets go of the account, which the server does not know; its key stays.
    pub fn forget(&self) {
        let _ = std::fs::remove_file(self.stem.with_extension("json"));
    }
}

#[cfg(test)]
mod tests {
    use testkit::ca::Leaf;
    use testkit::{TestCa, TestCert};

    use super::*;
    use crate::fetch::FetchUrl;

    const DIRECTORY: &str = "https://acme.test/directory";
    const DAY: i64 = 86_400;

    struct World {
        _folder: tempfile::TempDir,
        state: StateDir,
        ca: TestCa,
        now: UnixTime,
    }

    impl World {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let state = StateDir::at(folder.path());
            Self { _folder: folder, state, ca: TestCa::new("ACME CA"), now: testkit::times::clock() }
        }

        fn site() -> HostName {
            HostName::parse("portal.test").unwrap()
        }

        fn acme(directory: &str, names: &[&str]) -> Acme {
            Acme {
                directory: FetchUrl::parse(directory).unwrap(),
                is_staging: false,
                contact: Vec::new(),
                names: names.iter().map(|name| HostName::parse(name).unwrap()).collect(),
                challenge: None,
                eab: None,
                roots: None,
            }
        }

        fn kept(&self) -> Kept {
            Kept::new(&self.state, &Self::site(), &Self::acme(DIRECTORY, &["portal.test"]))
        }

        /// Keeps a certificate that began and ends so many days from now.
        fn keep(&self, began: i64, ends: i64) -> TestCert {
            let cert =
                Leaf::server("portal.test").valid_from_now(began * DAY, ends * DAY).issued_by(&self.ca);
            self.kept().replace(&cert.key_pem, &cert.chain_pem).unwrap();
            let acme = Self::acme(DIRECTORY, &["portal.test"]);
            self.kept().note(&Attempt::succeeded(&acme, "tls-alpn-01", self.now)).unwrap();
            cert
        }

        fn due(&self, directory: &str, names: &[&str]) -> Option<Due> {
            self.kept().due(&Self::acme(directory, names), self.now)
        }
    }

    #[test]
    fn a_certificate_is_ordered_where_it_is_missing_from_elsewhere_for_others_or_two_thirds_old() {
        let world = World::new();
        let due = || world.due(DIRECTORY, &["portal.test"]);
        assert_eq!(due(), Some(Due::Missing));
        world.keep(-59, 31);
        assert_eq!(due(), None);
        assert_eq!(world.due("https://other.test/directory", &["portal.test"]), Some(Due::OtherDirectory));
        assert_eq!(world.due(DIRECTORY, &["portal.test", "www.portal.test"]), Some(Due::OtherNames));
        world.keep(-61, 29);
        assert_eq!(due(), Some(Due::Renewal));
    }

    #[test]
    fn half_a_file_is_ordered_anew_and_its_key_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let world = World::new();
        world.keep(-1, 89);
        let path = world.kept().pair();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let whole = std::fs::read(&path).unwrap();
        for cut in [0, whole.len() / 4, whole.len() - 40] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(world.due(DIRECTORY, &["portal.test"]), Some(Due::Missing), "{cut} octets");
            let acme = World::acme(DIRECTORY, &["portal.test"]);
            assert!(shown(&world.state, &World::site(), &acme).is_err(), "{cut} octets");
        }
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(world.due(DIRECTORY, &["portal.test"]), None);
    }

    #[test]
    fn what_is_for_trying_out_never_takes_the_place_of_the_real_one() {
        let world = World::new();
        let real = world.keep(-1, 89);
        let acme =
            Acme { is_staging: true, ..World::acme("https://staging.test/directory", &["portal.test"]) };
        let shown = |acme: &Acme| {
            let shown = shown(&world.state, &World::site(), acme).unwrap().unwrap();
            shown.cert[0].as_ref().to_vec()
        };
        assert_eq!(shown(&acme), real.der, "until there is one");
        let tried = Leaf::server("portal.test").issued_by(&world.ca);
        Kept::new(&world.state, &World::site(), &acme).replace(&tried.key_pem, &tried.chain_pem).unwrap();
        assert_eq!(shown(&acme), tried.der);
        assert_eq!(shown(&World::acme(DIRECTORY, &["portal.test"])), real.der);
        assert_eq!(world.due(DIRECTORY, &["portal.test"]), None, "the real one is there still");
    }

    #[test]
    fn failures_wait_longer_and_longer_and_as_long_as_the_server_wants_up_to_a_day() {
        let waits: Vec<i64> = [1, 2, 3, 7, 8, u32::MAX].map(after_failure).into();
        assert_eq!(waits, [300, 600, 1200, 19_200, 21_600, 21_600]);
        let acme = World::acme(DIRECTORY, &["portal.test"]);
        let now = UnixTime(1_800_000_000);
        let limited = |seconds| AcmeError::Problem {
            url: String::new(),
            status: 429,
            kind: "rateLimited".into(),
            detail: String::new(),
            retry_after: Some(seconds),
        };
        let wait = |seconds| {
            let attempt = Attempt::failed(None, &acme, &limited(seconds), now);
            assert!(attempt.waits_at(attempt.next.plus(-1)) && !attempt.waits_at(attempt.next));
            assert!(!attempt.waits_at(now.plus(-1)), "a clock that was set back");
            attempt.next.seconds() - now.seconds()
        };
        assert_eq!([60, 7200, 10 * 86_400].map(wait), [300, 7200, 86_400]);
    }

    #[test]
    fn an_account_is_one_key_for_each_directory_and_a_forgotten_one_keeps_its_key() {
        let world = World::new();
        let acme = World::acme(DIRECTORY, &["portal.test"]);
        let accounts = Accounts::new(&world.state, &acme);
        let (key, account) = accounts.key_and_account().unwrap();
        assert_eq!(account, None);
        let account = Account { url: "https://acme.test/1".into(), contact: Vec::new() };
        accounts.keep(&account).unwrap();
        let (again, kept) = accounts.key_and_account().unwrap();
        assert_eq!((again.thumbprint(), kept), (key.thumbprint(), Some(account)));
        accounts.forget();
        let (again, kept) = accounts.key_and_account().unwrap();
        assert_eq!((again.thumbprint(), kept), (key.thumbprint(), None));
        let other = World::acme("https://other.test/directory", &["portal.test"]);
        let (other, _) = Accounts::new(&world.state, &other).key_and_account().unwrap();
        assert_ne!(other.thumbprint(), key.thumbprint());
    }
}
