//! An invite gives one certificate, to who holds its token, while it is open; all else is one and the same error.

use registry::invites::ATTEMPTS;
use registry::{AuditFilter, MadeInvite, NewInvite, Presented, Standing, Used};

use super::*;

const DAY_SECONDS: i64 = 86_400;

fn new(party: &str) -> NewInvite {
    NewInvite {
        party: name(party),
        profile: "person".into(),
        label: None,
        has_code: false,
        expires_at: NOON.plus(DAY_SECONDS),
    }
}

impl World {
    async fn invite(&self, new: NewInvite) -> MadeInvite {
        self.registry.ensure_party(&new.party, &self.actor, NOON).await.unwrap();
        self.registry.add_invite(new, &self.actor, NOON).await.unwrap()
    }

    async fn present(&self, token: &str, code: Option<&str>, now: UnixTime) -> Option<Standing> {
        let presented = Presented { token, code, key: Some([7; 32]) };
        match self.registry.present_invite(&presented, now).await {
            Ok(standing) => Some(standing),
            Err(RegistryError::InviteNotOpen) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn redeem(&self, invite: &MadeInvite, certificate: &Certificate, now: UnixTime) -> bool {
        let new = issued(invite.row.party.as_str(), &certificate.der);
        match self.registry.redeem_invite(&invite.row.id, Some([7; 32]), new, &self.actor, now).await {
            Ok(row) => row.thumbprint == certificate.thumbprint,
            Err(RegistryError::InviteNotOpen) => false,
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn issued(holder: &str, der: &[u8]) -> NewCertificate {
    let (profile, exceptions) = ("person".to_owned(), PinExceptions::default());
    NewCertificate {
        holder: party(holder),
        label: None,
        der: der.to_vec(),
        origin: Origin::Own,
        profile,
        exceptions,
    }
}

#[tokio::test]
async fn an_invite_is_open_until_its_end_and_gives_one_certificate() {
    let world = World::new().await;
    let invite = world.invite(new("alice")).await;
    assert_eq!((invite.token.len(), &invite.code), (32, &None));
    let end = invite.row.expires_at;
    assert_eq!(world.present(&invite.token, None, end).await, Some(Standing::Open(invite.row.clone())));
    assert_eq!(world.present(&invite.token, None, end.plus(1)).await, None);
    let one = certificate("alice");
    assert!(!world.redeem(&invite, &one, end.plus(1)).await);
    assert!(world.redeem(&invite, &one, end).await);
    // The same request gets the same certificate, until the end; another one is as any that opens nothing.
    let used = Some(Standing::Used(Used { party: name("alice"), thumbprint: one.thumbprint }));
    assert_eq!(world.present(&invite.token, None, end).await, used);
    assert_eq!(world.present(&invite.token, None, end.plus(1)).await, None);
    for key in [None, Some([8; 32])] {
        let presented = Presented { token: &invite.token, code: None, key };
        let other = world.registry.present_invite(&presented, NOON).await;
        assert!(matches!(other, Err(RegistryError::InviteNotOpen)), "{other:?}");
    }
    assert!(!world.redeem(&invite, &certificate("alice"), NOON).await);
    assert_eq!(world.registry.certificates(&name("alice")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_many_redemptions_at_once_one_is_on_record() {
    let world = World::new().await;
    let invite = world.invite(new("alice")).await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (registry, actor, id) = (world.registry.clone(), world.actor.clone(), invite.row.id.clone());
        let new = issued("alice", &certificate("alice").der);
        all.spawn(async move { registry.redeem_invite(&id, None, new, &actor, NOON).await });
    }
    let done = all.join_all().await;
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1);
    assert!(done.iter().all(|one| matches!(one, Ok(_) | Err(RegistryError::InviteNotOpen))), "{done:?}");
    assert_eq!(world.registry.certificates(&name("alice")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_certificate_that_is_refused_leaves_the_invite_open() {
    let world = World::new().await;
    let invite = world.invite(new("alice")).await;
    world.registry.ensure_party(&name("bob"), &world.actor, NOON).await.unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    world.add(party("bob"), Origin::Own, certificate_with("bob", &key).der.to_vec()).await;
    let bobs = issued("alice", &certificate_with("alice", &key).der);
    let refused = world.registry.redeem_invite(&invite.row.id, None, bobs, &world.actor, NOON).await;
    assert!(matches!(refused, Err(RegistryError::KeyKnown { .. })), "{refused:?}");
    // Nor is it anybody else's.
    let others = issued("bob", &certificate("bob").der);
    let refused = world.registry.redeem_invite(&invite.row.id, None, others, &world.actor, NOON).await;
    assert!(matches!(refused, Err(RegistryError::InviteNotOpen)), "{refused:?}");
    assert!(world.redeem(&invite, &certificate("alice"), NOON).await);
}

#[tokio::test]
async fn five_wrong_codes_close_an_invite() {
    let world = World::new().await;
    let with_code = || NewInvite { has_code: true, ..new("alice") };
    let invite = world.invite(with_code()).await;
    let code = invite.code.clone().unwrap();
    assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()), "{code}");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for left in (1..ATTEMPTS).rev() {
        assert_eq!(world.present(&invite.token, Some(wrong), NOON).await, Some(Standing::CodeWrong(left)));
        assert_eq!(world.present(&invite.token, None, NOON).await, Some(Standing::CodeWanted));
        let right = world.present(&invite.token, Some(&code), NOON).await;
        assert!(matches!(right, Some(Standing::Open(_))), "{right:?}");
    }
    assert_eq!(world.present(&invite.token, Some(wrong), NOON).await, Some(Standing::CodeWrong(0)));
    for any in [Some(code.as_str()), Some(wrong), None] {
        assert_eq!(world.present(&invite.token, any, NOON).await, None);
    }
    assert!(!world.redeem(&invite, &certificate("alice"), NOON).await);
    assert_eq!(world.registry.open_invites(None, NOON).await.unwrap(), []);
    // The code of one is none of another.
    let other = world.invite(with_code()).await;
    if other.code != invite.code {
        assert_eq!(world.present(&other.token, Some(&code), NOON).await, Some(Standing::CodeWrong(4)));
    }
}

#[tokio::test]
async fn what_is_no_open_invite_is_one_error() {
    let world = World::new().await;
    let invite = world.invite(new("alice")).await;
    let open = async || world.present(&invite.token, None, NOON).await.is_some();
    for token in [
        "",
        "0",
        &"0".repeat(32),
        &invite.token.to_uppercase(),
        &format!("{} ", invite.token),
        &invite.row.id,
    ] {
        let is_it = token == invite.token;
        assert_eq!(world.present(token, None, NOON).await.is_some(), is_it, "{token}");
    }
    world.registry.suspend(&name("alice"), &world.actor, NOON).await.unwrap();
    assert!(!open().await);
    assert!(!world.redeem(&invite, &certificate("alice"), NOON).await);
    let refused = world.registry.add_invite(new("alice"), &world.actor, NOON).await;
    assert!(matches!(refused, Err(RegistryError::Conflict { .. })));
    world.registry.resume(&name("alice"), &world.actor, NOON).await.unwrap();
    assert!(open().await);
    world.registry.remove_party(&name("alice"), &world.actor, NOON).await.unwrap();
    assert!(!open().await);
    // Somebody else of the same name is not invited.
    world.registry.ensure_party(&name("alice"), &world.actor, NOON).await.unwrap();
    assert!(!open().await);
}

#[tokio::test]
async fn an_open_invite_ends_with_the_revocation_of_its_party_and_not_of_one_certificate() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    let [alice, bob] = [world.invite(new("alice")).await, world.invite(new("bob")).await];
    let laptop = world.add(party("alice"), Origin::Own, certificate("laptop").der.to_vec()).await;
    let is_open = async || world.present(&alice.token, None, NOON).await.is_some();
    registry.revoke(&name("alice"), Some(&laptop.thumbprint), "superseded", actor, NOON).await.unwrap();
    assert!(is_open().await);
    registry.revoke(&name("alice"), None, "superseded", actor, NOON).await.unwrap();
    assert!(!is_open().await);
    assert!(world.present(&bob.token, None, NOON).await.is_some(), "another's");
    let afterwards = world.invite(new("alice")).await;
    assert!(world.present(&afterwards.token, None, NOON).await.is_some(), "made since");
    let audit = registry.search_audit(&AuditFilter::default()).await.unwrap();
    let told = format!("invite {} withdrawn; by root", alice.row.id);
    assert!(audit.iter().any(|row| row.event.detail.as_deref() == Some(&told)), "{audit:?}");
}

#[tokio::test]
async fn open_invites_are_listed_and_withdrawn() {
    let world = World::new().await;
    let [alice, bob] = [world.invite(new("alice")).await, world.invite(new("bob")).await];
    let ids = async |party: Option<&str>| {
        let all = world.registry.open_invites(party.map(name).as_ref(), NOON).await.unwrap();
        all.into_iter().map(|row| row.id).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(ids(None).await, [alice.row.id.clone(), bob.row.id.clone()].into());
    assert_eq!(ids(Some("bob")).await, [bob.row.id.clone()].into());
    let whose = world.registry.withdraw_invite(&bob.row.id, &world.actor, NOON).await.unwrap();
    assert_eq!(whose, name("bob"));
    assert_eq!(world.present(&bob.token, None, NOON).await, None);
    assert!(world.redeem(&alice, &certificate("alice"), NOON).await);
    assert!(ids(None).await.is_empty());
    for gone in [&alice.row.id, &bob.row.id] {
        let refused = world.registry.withdraw_invite(gone, &world.actor, NOON).await;
        assert!(matches!(refused, Err(RegistryError::NotFound { .. })));
    }
    let audit = world.registry.search_audit(&AuditFilter::default()).await.unwrap();
    let told: Vec<String> = audit.into_iter().filter_map(|row| row.event.detail).collect();
    for word in ["made, `person`", "withdrawn", "redeemed: certificate `cert-1` added"] {
        assert!(told.iter().any(|one| one.contains(word)), "{word}: {told:?}");
    }
    assert!(!told.iter().any(|one| one.contains(&alice.token)), "{told:?}");
}

#[tokio::test]
async fn the_database_holds_neither_token_nor_code() {
    let world = World::new().await;
    let invite = world.invite(NewInvite { has_code: true, ..new("alice") }).await;
    world.tamper("PRAGMA wal_checkpoint(TRUNCATE)").await;
    let code = invite.code.unwrap();
    for entry in std::fs::read_dir(world.directory.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [invite.token.as_bytes(), format!(" {code}").as_bytes()] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret));
        }
    }
}

#[tokio::test]
async fn an_invite_lasts_seven_days_at_most_and_needs_a_party_and_a_free_label() {
    let world = World::new().await;
    world.invite(new("alice")).await;
    let refused = async |change: &dyn Fn(&mut NewInvite)| {
        let mut new = new("alice");
        change(&mut new);
        world.registry.add_invite(new, &world.actor, NOON).await.err()
    };
    assert!(refused(&|new| new.expires_at = NOON.plus(7 * DAY_SECONDS)).await.is_none());
    for end in [NOON.plus(7 * DAY_SECONDS + 1), NOON, UnixTime(i64::MIN), UnixTime(i64::MAX)] {
        let error = refused(&|new| new.expires_at = end).await;
        assert!(matches!(error, Some(RegistryError::Invalid { .. })), "{end:?}: {error:?}");
    }
    let error = refused(&|new| new.party = name("nobody")).await;
    assert!(matches!(error, Some(RegistryError::NotFound { .. })), "{error:?}");
    world.add(party("alice"), Origin::Own, certificate("alice").der.to_vec()).await;
    let error = refused(&|new| new.label = Some("cert-1".into())).await;
    assert!(matches!(error, Some(RegistryError::Conflict { .. })), "{error:?}");
    assert!(refused(&|new| new.label = Some("phone".into())).await.is_none());
}
