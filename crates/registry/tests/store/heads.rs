//! The heads are signed, once a minute, with a key that others cannot reach.

use std::os::unix::fs::PermissionsExt;

use registry::{AuditEvent, AuditKey, AuditVerdict};

use super::*;

fn entry(at: UnixTime) -> AuditEvent {
    AuditEvent { time: at, verdict: "refused".into(), count: 1, ..AuditEvent::default() }
}

impl World {
    fn heads(&self) -> PathBuf {
        self.directory.path().join("audit-heads")
    }

    fn lines(&self) -> Vec<String> {
        std::fs::read_to_string(self.heads()).unwrap().lines().map(str::to_owned).collect()
    }

    async fn is_whole(&self) -> bool {
        matches!(self.registry.verify_audit().await.unwrap(), AuditVerdict::Whole { .. })
    }
}

#[tokio::test]
async fn a_gates_heads_are_noted_once_a_minute_and_those_of_changes_each_time() {
    let world = World::new().await;
    for seconds in [0, 1, 59, 60, 61, 119, 120] {
        world.registry.append_audit("gate", &[entry(NOON.plus(seconds))]).await.unwrap();
    }
    let numbers = |writer: &str| -> Vec<String> {
        let lines = world.lines().into_iter().filter(|line| line.ends_with(writer));
        lines.map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect()
    };
    assert_eq!(numbers("gate"), ["1", "4", "7"]);
    for party in ["alice", "bob"] {
        world.registry.ensure_party(&name(party), &world.actor, NOON).await.unwrap();
    }
    assert_eq!(numbers("registry"), ["1", "2"]);
    assert!(world.is_whole().await);
}

#[tokio::test]
async fn sealing_signs_what_is_not_signed_yet_once_a_minute() {
    let world = World::new().await;
    let numbers =
        || world.lines().iter().map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect::<Vec<_>>();
    world.registry.append_audit("gate", &[entry(NOON)]).await.unwrap();
    world.registry.append_audit("gate", &[entry(NOON.plus(1))]).await.unwrap();
    world.registry.seal(NOON.plus(2)).await.unwrap();
    assert_eq!(numbers(), ["1"], "the minute is not over");
    world.registry.seal(NOON.plus(61)).await.unwrap();
    assert_eq!(numbers(), ["1"], "it was asked less than a minute ago");
    world.registry.seal(NOON.plus(62)).await.unwrap();
    assert_eq!(numbers(), ["1", "2"]);
    world.registry.seal(NOON.plus(600)).await.unwrap();
    assert_eq!(numbers(), ["1", "2"], "nothing new");
}

#[tokio::test]
async fn an_altered_line_is_named() {
    let world = World::new().await;
    for party in ["alice", "bob", "carol"] {
        world.registry.ensure_party(&name(party), &world.actor, NOON).await.unwrap();
    }
    let lines = world.lines();
    let fields: Vec<&str> = lines[1].split(' ').collect();
    assert_eq!((fields.len(), fields[0], fields[2], fields[6]), (7, "head", "2", "registry"));
    for (place, other) in
        [(0, "start"), (1, "0"), (2, "7"), (3, "7"), (4, fields[5]), (5, fields[4]), (6, "gate")]
    {
        let mut altered = fields.clone();
        altered[place] = other;
        let text = format!("{}\n{}\n{}\n", lines[0], altered.join(" "), lines[2]);
        std::fs::write(world.heads(), text).unwrap();
        let verdict = world.registry.verify_audit().await.unwrap();
        let AuditVerdict::Broken { what, .. } = verdict else { panic!("{altered:?}: {verdict:?}") };
        assert!(what.contains("line 2"), "{what}");
    }
    std::fs::write(world.heads(), lines.join("\n").to_uppercase() + "\n").unwrap();
    assert!(!world.is_whole().await);
    std::fs::write(world.heads(), lines.join("\n") + "\n").unwrap();
    assert!(world.is_whole().await);
}

#[tokio::test]
async fn a_line_cut_by_a_power_failure_is_no_alteration_and_spoils_no_other() {
    let world = World::new().await;
    world.registry.ensure_party(&name("alice"), &world.actor, NOON).await.unwrap();
    let text = std::fs::read_to_string(world.heads()).unwrap();
    std::fs::write(world.heads(), format!("{text}{}", &text[..40])).unwrap();
    assert!(world.is_whole().await);
    world.registry.ensure_party(&name("bob"), &world.actor, NOON).await.unwrap();
    assert_eq!(world.lines().len(), 2);
    assert!(world.is_whole().await);
}

#[tokio::test]
async fn the_key_is_its_owners_alone_is_not_made_anew_and_may_stand_elsewhere() {
    let world = World::new().await;
    world.registry.ensure_party(&name("alice"), &world.actor, NOON).await.unwrap();
    let key = world.directory.path().join("audit.key");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    for mode in [0o640, 0o604] {
        std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).unwrap();
        assert!(matches!(Registry::open(&world.path()).await, Err(RegistryError::AuditKey { .. })));
    }
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();

    let elsewhere = tempfile::tempdir().unwrap();
    let moved = elsewhere.path().join("key");
    std::fs::copy(&key, &moved).unwrap();
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(Registry::open(&world.path()).await, Err(RegistryError::AuditKey { .. })));
    assert!(!key.exists(), "a new key would make every line look altered");
    let keyed = Registry::open_keyed(&world.path(), AuditKey::read(&moved).unwrap()).await.unwrap();
    assert!(matches!(keyed.verify_audit().await, Ok(AuditVerdict::Whole { .. })));

    std::fs::write(&moved, format!("{}\n", "07".repeat(32))).unwrap();
    let other = Registry::open_keyed(&world.path(), AuditKey::read(&moved).unwrap()).await.unwrap();
    assert!(matches!(other.verify_audit().await, Ok(AuditVerdict::Broken { .. })));
    std::fs::write(&moved, "07").unwrap();
    assert!(matches!(AuditKey::read(&moved), Err(RegistryError::AuditKey { .. })));
}

#[tokio::test]
async fn a_writer_that_would_break_a_line_is_refused() {
    let world = World::new().await;
    let refused = world.registry.append_audit("gate\nhead", &[entry(NOON)]).await;
    assert!(matches!(refused, Err(RegistryError::Invalid { .. })));
}
