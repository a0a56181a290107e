//! The registry's contract, on a real database file.

mod acme;
mod answers;
mod audit;
mod catching_up;
mod feed;
mod heads;
mod history;
mod ignored;
mod in_use;
mod invites;
mod known_keys;
mod lookups;
mod many;
mod migration;
mod pending;
mod restored;
mod retention;
mod revocation;
mod version_1;

use std::path::PathBuf;

use examiner::{Certificate, UnixTime};
use policy::record::{Origin, PinExceptions};
use policy::{Holder, HostName, PartyName};
use registry::{Actor, NewCertificate, Registry, RegistryError};
use sqlx::{Connection, SqliteConnection};

/// 2027-03-01T12:00:00Z.
const NOON: UnixTime = UnixTime(1_803_902_400);

struct World {
    registry: Registry,
    actor: Actor,
    directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let registry = Registry::create(&directory.path().join("registry.db"), NOON).await.unwrap();
        Self { registry, actor: Actor { name: "root".into() }, directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("registry.db")
    }

    /// Runs SQL behind the registry's back.
    async fn tamper(&self, sql: &'static str) {
        let url = format!("sqlite://{}", self.path().display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn add(&self, holder: Holder, origin: Origin, der: Vec<u8>) -> registry::CertificateRow {
        let profile = String::new();
        let exceptions = PinExceptions::default();
        let new = NewCertificate { holder, label: None, der, origin, profile, exceptions };
        self.registry.add_certificate(new, &self.actor, NOON).await.unwrap()
    }
}

fn name(text: &str) -> PartyName {
    PartyName::parse(text).unwrap()
}

fn party(text: &str) -> Holder {
    Holder::Party(name(text))
}

fn site() -> HostName {
    HostName::parse("portal.test").unwrap()
}

/// A self-signed certificate with a new key.
fn certificate(common_name: &str) -> Certificate {
    certificate_with(common_name, &rcgen::KeyPair::generate().unwrap())
}

fn certificate_with(common_name: &str, key: &rcgen::KeyPair) -> Certificate {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, common_name);
    Certificate::from_der(params.self_signed(key).unwrap().der()).unwrap()
}

#[tokio::test]
async fn a_new_registry_is_its_owners_alone_and_is_not_made_twice() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new().await;
    world.registry.ensure_party(&name("alice"), &world.actor, NOON).await.unwrap();
    for entry in std::fs::read_dir(world.directory.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
    }
    let again = Registry::create(&world.path(), NOON).await;
    assert!(matches!(again, Err(RegistryError::Conflict { .. })));

    let opened = Registry::open(&world.path()).await.unwrap();
    assert_eq!(opened.epoch(), world.registry.epoch());
    assert!(opened.party(&name("alice")).await.unwrap().is_some());
    assert_ne!(World::new().await.registry.epoch(), opened.epoch());
}

#[tokio::test]
async fn a_newer_schema_a_missing_file_and_no_registry_are_refused() {
    let world = World::new().await;
    world.tamper("PRAGMA user_version = 9").await;
    let newer = Registry::open(&world.path()).await;
    assert!(matches!(newer, Err(RegistryError::Newer { found: 9, known: 8 })));
    world.tamper("PRAGMA user_version = 8").await;
    assert!(Registry::open(&world.path()).await.is_ok());

    let elsewhere = world.directory.path().join("nothing.db");
    assert!(matches!(Registry::open(&elsewhere).await, Err(RegistryError::Missing { .. })));
    assert!(!elsewhere.exists());
    // An empty file may be one that somebody is just filling: nothing is written into it.
    for content in ["no database, ".repeat(100), String::new()] {
        std::fs::write(&elsewhere, &content).unwrap();
        assert!(matches!(Registry::open(&elsewhere).await, Err(RegistryError::Damaged(_))));
        assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), content);
    }
}
