//! A registry of an older version opens, keeps everything, and leaves a copy.

use std::os::unix::fs::PermissionsExt;

use policy::record::OperatorRole;
use registry::{AuditEvent, AuditFilter, AuditVerdict, Issuer};
use sha2::{Digest, Sha256};
use sqlx::Row;

use super::*;

/// A registry of version 1: a party with an own, revoked certificate, an operator with one, and an audit entry.
async fn version_1(directory: &std::path::Path) -> [Certificate; 2] {
    let path = directory.join("registry.db");
    std::fs::File::create(&path).unwrap();
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::raw_sql(version_1::CREATE).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO meta (only, epoch, created_at, seq, crl_number) VALUES (1, 'abcd', 0, 1, 6);
         INSERT INTO parties VALUES ('alice', '5a8ee8a5-9ed7-4d2b-a6ee-6d5b0a7a4a5b', 0, 1803902400);
         INSERT INTO grants VALUES ('alice', 'portal.test');
         INSERT INTO changes VALUES (1, 1803902400, 'settings', '\"Settings\"');",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let certificates = [certificate("alice"), certificate("root")];
    for (one, (kind, holder, role)) in
        certificates.iter().zip([("party", "alice", None), ("operator", "root", Some("owner"))])
    {
        sqlx::query(
            "INSERT INTO certificates (thumbprint, sha1, holder_kind, holder, role, label, origin, profile, key_pin,
                 serial, subject, issuer, not_before, not_after, revoked_at, revoked_reason, der)
             VALUES (?1, x'00', ?2, ?3, ?4, 'cert-1', 'own', '', ?5, ?6, '', '', 0, ?7, ?7, 'superseded', ?8)",
        )
        .bind(&one.thumbprint.0[..])
        .bind(kind)
        .bind(holder)
        .bind(role)
        .bind(&one.key_pin.0[..])
        .bind(one.serial.to_vec())
        .bind(NOON.seconds())
        .bind(one.der.to_vec())
        .execute(&mut connection)
        .await
        .unwrap();
    }
    let event = AuditEvent { time: NOON, verdict: "changed".into(), count: 1, ..AuditEvent::default() };
    let entry = serde_json::to_string(&event).unwrap();
    let hash = Sha256::new().chain_update([0; 32]).chain_update(&entry).finalize();
    let mut both = sqlx::query(
        "INSERT INTO audit (writer, number, time, verdict, entry, hash)
         VALUES ('registry', 1, 1803902400, 'changed', ?1, ?2)",
    );
    both = both.bind(entry).bind(hash.to_vec());
    both.execute(&mut connection).await.unwrap();
    sqlx::query("INSERT INTO audit_heads VALUES ('registry', 1, 1, ?1)")
        .bind(hash.to_vec())
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(directory.join("audit-heads"), format!("abcd 1 1 {hash} registry\n")).unwrap();
    certificates
}

/// The files of the directory whose names begin so.
fn files(directory: &std::path::Path, begin: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(begin)).collect()
}

#[tokio::test]
async fn an_older_registry_keeps_everything_and_leaves_a_copy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry.db");
    let [alice, root] = version_1(directory.path()).await;
    let registry = Registry::open(&path).await.unwrap();

    assert_eq!(registry.epoch(), "abcd");
    let row = registry.party(&name("alice")).await.unwrap().unwrap();
    assert_eq!((row.grants, row.suspended_since), (vec![site()], Some(NOON)));
    assert_eq!(registry.last_seq().await.unwrap(), 1);
    assert_eq!(registry.next_crl_number().await.unwrap(), 7);
    assert_eq!(registry.operators().await.unwrap()[0].1, OperatorRole::Owner);
    assert_eq!(registry.search_audit(&AuditFilter::default()).await.unwrap().len(), 1);
    assert!(matches!(registry.verify_audit().await, Ok(AuditVerdict::Whole { entries: 1, .. })));
    for (issuer, one) in [(Issuer::Client, &alice), (Issuer::Operator, &root)] {
        let listed = registry.revoked_serials(issuer, NOON).await.unwrap();
        assert_eq!(listed.len(), 1, "{issuer:?}");
        assert_eq!(listed[0].serial, one.serial.to_vec());
    }

    let copies = files(directory.path(), "registry.db.v1-");
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(copies[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let url = format!("sqlite://{}", copies[0].display());
    let mut copy = SqliteConnection::connect(&url).await.unwrap();
    let row = sqlx::query(
        "SELECT (SELECT count(*) FROM certificates) AS held, user_version FROM pragma_user_version",
    )
    .fetch_one(&mut copy)
    .await
    .unwrap();
    assert_eq!((row.get::<i64, _>("held"), row.get::<i64, _>("user_version")), (2, 1));

    Registry::open(&path).await.unwrap();
    assert_eq!(files(directory.path(), "registry.db.v1-").len(), 1, "it is migrated once");
}

#[tokio::test]
async fn a_migrated_registry_is_made_like_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    version_1(directory.path()).await;
    Registry::open(&directory.path().join("registry.db")).await.unwrap();
    let world = World::new().await;
    let shape = async |path: PathBuf| {
        let url = format!("sqlite://{}", path.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query_scalar::<_, String>(
            "SELECT m.type || ' ' || m.name || ' ' || ifnull(c.name || ' ' || c.type || ' ' || c.\"notnull\", '')
             FROM sqlite_master AS m LEFT JOIN pragma_table_info(m.name) AS c ORDER BY 1",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap()
    };
    assert_eq!(shape(directory.path().join("registry.db")).await, shape(world.path()).await);
}

#[tokio::test]
async fn a_registry_that_cannot_be_migrated_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry.db");
    version_1(directory.path()).await;
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::raw_sql("CREATE TABLE audit_checkpoints (other TEXT)").execute(&mut connection).await.unwrap();
    assert!(Registry::open(&path).await.is_err());
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await.unwrap();
    assert_eq!(version, 1);
    sqlx::raw_sql("DROP TABLE audit_checkpoints").execute(&mut connection).await.unwrap();
    Registry::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_registry_of_version_2_is_migrated_too() {
    let world = World::new().await;
    world.registry.ensure_party(&name("alice"), &world.actor, NOON).await.unwrap();
    for step in [
        "DROP INDEX audit_changed",
        "DROP INDEX certificates_pinned",
        "DROP TABLE ignored_issuers",
        "DROP TABLE answers",
        "DROP TABLE acme_authorisations",
        "DROP TABLE acme_orders",
        "DROP TABLE acme_accounts",
        "DROP TABLE acme_bindings",
        "DROP TABLE invites",
        "DROP INDEX certificates_changed_by",
        "ALTER TABLE certificates DROP COLUMN changed_by",
        "DROP INDEX certificates_key",
        "DROP INDEX grants_site",
        "DROP INDEX certificates_end",
        "DROP INDEX certificates_excused",
        "PRAGMA user_version = 2",
    ] {
        world.tamper(step).await;
    }
    let opened = Registry::open(&world.path()).await.unwrap();
    assert_eq!(opened.epoch(), world.registry.epoch());
    assert!(opened.party(&name("alice")).await.unwrap().is_some());
    let made = "SELECT name FROM sqlite_master WHERE name = 'certificates_key'";
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}", world.path().display())).await.unwrap();
    let index: String = sqlx::query_scalar(made).fetch_one(&mut connection).await.unwrap();
    assert_eq!(index, "certificates_key");
}

#[tokio::test]
async fn an_index_of_the_log_that_is_missing_is_made() {
    let world = World::new().await;
    world.registry.append_audit("gate", &[AuditEvent { time: NOON, ..AuditEvent::default() }]).await.unwrap();
    world.tamper("DROP INDEX audit_block; DROP INDEX audit_party").await;
    let opened = Registry::open(&world.path()).await.unwrap();
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}", world.path().display())).await.unwrap();
    let indexes: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name IN ('audit_block', 'audit_party')",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(indexes, 2);
    let at = |until: i64| AuditFilter { until: Some(NOON.plus(until)), ..AuditFilter::default() };
    assert_eq!(opened.search_audit(&at(0)).await.unwrap().len(), 1);
    assert_eq!(opened.search_audit(&at(-1)).await.unwrap().len(), 0);
}
