//! A binding makes one account, an account orders, an order gives one certificate; whatever ended gives nothing.

use policy::issuance::Reason;
use registry::acme::{OPEN_ORDERS_MOST, ORDER_SECONDS};
use registry::{AccountRow, AuthorisationState, BindingRow, NewBinding, NewOrder, OrderRow};

use super::*;

const DAY_SECONDS: i64 = 86_400;
const KEY: [u8; 32] = [1; 32];

impl World {
    async fn bind(&self, party: &str) -> BindingRow {
        self.bind_for(party, "service").await
    }

    async fn bind_for(&self, party: &str, profile: &str) -> BindingRow {
        self.registry.ensure_party(&name(party), &self.actor, NOON).await.unwrap();
        let new = NewBinding {
            party: name(party),
            profile: profile.into(),
            names: vec![format!("{party}.test")],
            expires_at: NOON.plus(DAY_SECONDS),
        };
        self.registry.add_binding(new, &self.actor, NOON).await.unwrap()
    }

    async fn account_with(&self, binding: &str, key: [u8; 32], now: UnixTime) -> Option<(AccountRow, bool)> {
        let contact = ["mailto:ops@example.test".to_owned()];
        match self.registry.make_account(binding, (key, "{}"), &contact, &self.actor, now).await {
            Ok(made) => Some(made),
            Err(RegistryError::BindingNotOpen) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn account(&self, party: &str) -> AccountRow {
        let binding = self.bind(party).await;
        self.account_with(&binding.id, KEY, NOON).await.unwrap().0
    }

    async fn order(&self, account: &AccountRow, is_authorised: bool) -> OrderRow {
        let names = vec!["a.test".to_owned(), "b.test".to_owned()];
        let new = NewOrder { account: account.id.clone(), names, is_authorised, replaces: None };
        self.registry.add_order(new, NOON).await.unwrap()
    }

    async fn fulfil(&self, order: &OrderRow, holder: &str, certificate: &Certificate, now: UnixTime) -> bool {
        let new = NewCertificate {
            holder: party(holder),
            label: None,
            der: certificate.der.to_vec(),
            origin: Origin::Own,
            profile: "service".into(),
            exceptions: PinExceptions::default(),
        };
        match self.registry.fulfil_order(&order.id, new, now.plus(DAY_SECONDS), &self.actor, now).await {
            Ok(row) => row.thumbprint == certificate.thumbprint,
            Err(RegistryError::OrderNotOpen) => false,
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_binding_makes_one_account_until_its_end() {
    let world = World::new().await;
    let (first, second) = (world.bind("svc").await, world.bind("svc").await);
    assert_eq!(world.registry.open_bindings(Some(&name("svc")), NOON).await.unwrap().len(), 2);
    assert_eq!(world.account_with("0123456789abcdef", KEY, NOON).await, None);
    let (made, is_new) = world.account_with(&first.id, KEY, NOON.plus(DAY_SECONDS)).await.unwrap();
    assert!(is_new);
    assert_eq!(
        (made.party.as_str(), made.profile.as_str(), &made.names[..]),
        ("svc", "service", &["svc.test".to_owned()][..])
    );
    // The same key has the account that it has, and uses nothing up.
    let (again, is_new) = world.account_with(&second.id, KEY, NOON).await.unwrap();
    assert_eq!((again.id, is_new), (made.id, false));
    assert_eq!(world.account_with(&first.id, [2; 32], NOON).await, None, "used");
    assert_eq!(world.account_with(&second.id, [2; 32], NOON.plus(DAY_SECONDS + 1)).await, None, "ended");
    world.registry.suspend(&name("svc"), &world.actor, NOON).await.unwrap();
    assert_eq!(world.account_with(&second.id, [2; 32], NOON).await, None, "suspended");
    world.registry.resume(&name("svc"), &world.actor, NOON).await.unwrap();
    world.registry.withdraw_binding(&second.id, &world.actor, NOON).await.unwrap();
    assert_eq!(world.account_with(&second.id, [2; 32], NOON).await, None, "withdrawn");
    for id in [&first.id, &second.id] {
        let none = world.registry.withdraw_binding(id, &world.actor, NOON).await;
        assert!(matches!(none, Err(RegistryError::NotFound { .. })), "{none:?}");
    }
}

#[tokio::test]
async fn a_binding_is_for_a_party_that_is_not_suspended_and_for_no_others_name() {
    let world = World::new().await;
    world.bind("svc").await;
    world.bind("bob").await;
    let new = |party: &str, names: &[&str], seconds: i64| NewBinding {
        party: name(party),
        profile: "service".into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        expires_at: NOON.plus(seconds),
    };
    let add = async |new: NewBinding| world.registry.add_binding(new, &world.actor, NOON).await;
    assert!(add(new("svc", &["svc", "x.test"], 7 * DAY_SECONDS)).await.is_ok());
    assert!(matches!(add(new("svc", &["bob"], 60)).await, Err(RegistryError::Conflict { .. })));
    assert!(matches!(add(new("none", &[], 60)).await, Err(RegistryError::NotFound { .. })));
    for seconds in [0, -1, 7 * DAY_SECONDS + 1] {
        assert!(
            matches!(add(new("svc", &[], seconds)).await, Err(RegistryError::Invalid { .. })),
            "{seconds}"
        );
    }
    world.registry.suspend(&name("svc"), &world.actor, NOON).await.unwrap();
    assert!(matches!(add(new("svc", &[], 60)).await, Err(RegistryError::Conflict { .. })));
}

#[tokio::test]
async fn an_order_gives_one_certificate_to_its_own_party_while_it_is_open() {
    let world = World::new().await;
    let account = world.account("svc").await;
    world.bind("bob").await;
    let order = world.order(&account, true).await;
    assert!(order.authorisations.iter().all(|one| one.state == AuthorisationState::Valid));
    assert!(!world.fulfil(&order, "bob", &certificate("x"), NOON).await, "another party");
    assert!(!world.fulfil(&order, "svc", &certificate("x"), NOON.plus(ORDER_SECONDS + 1)).await, "too late");
    assert!(!world.registry.is_of_account(&account.id, &certificate("x").thumbprint).await.unwrap());
    let one = certificate("svc");
    assert!(world.fulfil(&order, "svc", &one, NOON.plus(ORDER_SECONDS)).await);
    assert!(!world.fulfil(&order, "svc", &certificate("svc"), NOON).await, "once");
    assert!(world.registry.is_of_account(&account.id, &one.thumbprint).await.unwrap());
    assert_eq!(world.registry.order(&order.id).await.unwrap().unwrap().certificate, Some(one.der.to_vec()));
    assert_eq!(world.registry.certificates(&name("svc")).await.unwrap().len(), 1);

    for end in ["suspended", "ended", "given up", "revoked"] {
        let order = world.order(&account, true).await;
        match end {
            "suspended" => world.registry.suspend(&name("svc"), &world.actor, NOON).await.unwrap(),
            "ended" => {
                world.registry.resume(&name("svc"), &world.actor, NOON).await.unwrap();
                world.registry.end_account(&account.id, true, &world.actor, NOON).await.map(drop).unwrap();
            }
            "given up" => {
                world.tamper("UPDATE acme_accounts SET ended_at = NULL, ended_by = NULL").await;
                let id = &order.authorisations[0].id;
                world.registry.give_up_authorisation(id, NOON).await.unwrap();
            }
            _ => {
                world.registry.revoke(&name("svc"), None, "unspecified", &world.actor, NOON).await.unwrap();
                let ended = world.registry.account(&account.id).await.unwrap().unwrap();
                assert_eq!((ended.ended_at, ended.ended_itself), (Some(NOON), false));
            }
        }
        assert!(!world.fulfil(&order, "svc", &certificate("svc"), NOON).await, "{end}");
    }
    assert_eq!(world.registry.certificates(&name("svc")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_certificate_that_is_refused_leaves_the_order_open() {
    let world = World::new().await;
    let account = world.account("svc").await;
    let key = rcgen::KeyPair::generate().unwrap();
    world.registry.ensure_party(&name("bob"), &world.actor, NOON).await.unwrap();
    world.add(party("bob"), Origin::Own, certificate_with("bob", &key).der.to_vec()).await;
    let order = world.order(&account, true).await;
    let theirs = NewCertificate {
        holder: party("svc"),
        label: None,
        der: certificate_with("svc", &key).der.to_vec(),
        origin: Origin::Own,
        profile: "service".into(),
        exceptions: PinExceptions::default(),
    };
    let refused = world.registry.fulfil_order(&order.id, theirs, NOON, &world.actor, NOON).await;
    assert!(matches!(refused, Err(RegistryError::KeyKnown { .. })), "{refused:?}");
    assert!(world.fulfil(&order, "svc", &certificate("svc"), NOON).await);
}

#[tokio::test]
async fn a_replaced_certificate_holds_a_while_and_is_replaced_once() {
    let world = World::new().await;
    let account = world.account("svc").await;
    let (old, new) = (certificate("svc"), certificate("svc"));
    let first = world.order(&account, true).await;
    assert!(world.fulfil(&first, "svc", &old, NOON).await);
    let replacing = NewOrder {
        account: account.id.clone(),
        names: vec!["a.test".into()],
        is_authorised: true,
        replaces: Some(old.thumbprint),
    };
    let order = world.registry.add_order(replacing.clone(), NOON).await.unwrap();
    let twice = world.registry.add_order(replacing.clone(), NOON).await;
    assert!(matches!(twice, Err(RegistryError::Conflict { .. })), "{twice:?}");
    // One that comes to nothing is none.
    world.registry.add_order(replacing.clone(), NOON.plus(ORDER_SECONDS + 1)).await.unwrap();
    assert!(world.fulfil(&order, "svc", &new, NOON).await);
    let rows = world.registry.certificates(&name("svc")).await.unwrap();
    assert_eq!(rows[0].superseded_after, Some(NOON.plus(DAY_SECONDS)));
    assert_eq!(rows[1].superseded_after, None);
    let late = world.registry.add_order(replacing, NOON.plus(9 * DAY_SECONDS)).await;
    assert!(matches!(late, Err(RegistryError::Conflict { .. })), "{late:?}");
}

#[tokio::test]
async fn authorisations_are_decided_once_and_the_orders_of_an_account_are_bounded() {
    let world = World::new().await;
    let account = world.account("svc").await;
    let order = world.order(&account, false).await;
    let [first, second] = [&order.authorisations[0], &order.authorisations[1]];
    assert!(
        first.state == AuthorisationState::Pending && first.token != second.token && first.token.len() == 32
    );
    let registry = &world.registry;
    assert!(!registry.decide_authorisation(&first.id, "http-01", None, NOON).await.unwrap(), "nobody asked");
    assert!(registry.begin_authorisation(&first.id, "http-01", NOON).await.unwrap());
    assert!(!registry.begin_authorisation(&first.id, "tls-alpn-01", NOON).await.unwrap(), "one at a time");
    assert!(!registry.decide_authorisation(&first.id, "tls-alpn-01", None, NOON).await.unwrap());
    assert!(registry.decide_authorisation(&first.id, "http-01", None, NOON).await.unwrap());
    assert!(!registry.decide_authorisation(&first.id, "http-01", Some("no"), NOON).await.unwrap(), "once");
    assert!(!world.fulfil(&order, "svc", &certificate("svc"), NOON).await, "one is not proved");
    assert!(registry.begin_authorisation(&second.id, "tls-alpn-01", NOON).await.unwrap());
    assert!(registry.decide_authorisation(&second.id, "tls-alpn-01", Some("no"), NOON).await.unwrap());
    let (decided, _) = registry.authorisation(&second.id).await.unwrap().unwrap();
    assert_eq!((decided.state, decided.error.as_deref()), (AuthorisationState::Invalid, Some("no")));
    assert!(!world.fulfil(&order, "svc", &certificate("svc"), NOON).await);

    for _ in 1..OPEN_ORDERS_MOST {
        world.order(&account, true).await;
    }
    let more = || NewOrder {
        account: account.id.clone(),
        names: vec!["a.test".into()],
        is_authorised: true,
        replaces: None,
    };
    assert!(matches!(registry.add_order(more(), NOON).await, Err(RegistryError::Invalid { .. })));
    assert!(registry.add_order(more(), NOON.plus(ORDER_SECONDS + 1)).await.is_ok());
    // What came to nothing is let go of.
    assert!(registry.add_order(more(), NOON.plus(3 * DAY_SECONDS)).await.is_ok());
    assert_eq!(registry.order(&order.id).await.unwrap(), None);
}

#[tokio::test]
async fn hosts_are_asked_for_open_orders_of_open_accounts_alone() {
    let world = World::new().await;
    let account = world.account("svc").await;
    let (first, second) = (world.order(&account, false).await, world.order(&account, false).await);
    let registry = &world.registry;
    let ready = |now: UnixTime| async move {
        let all = registry.to_be_proved(now).await.unwrap();
        all.into_iter().map(|one| one.authorisation).collect::<Vec<_>>()
    };
    assert_eq!(ready(NOON).await, [""; 0], "nobody is ready");
    let [one, other] = [&first.authorisations[1], &second.authorisations[0]];
    assert!(registry.begin_authorisation(&one.id, "http-01", NOON).await.unwrap());
    assert!(registry.begin_authorisation(&other.id, "tls-alpn-01", NOON).await.unwrap());
    let all = registry.to_be_proved(NOON.plus(ORDER_SECONDS)).await.unwrap();
    let told: Vec<_> = all.iter().map(|one| (one.name.as_str(), one.way.as_str(), one.key)).collect();
    assert_eq!(told, [("b.test", "http-01", KEY), ("a.test", "tls-alpn-01", KEY)]);
    assert_eq!((&all[0].token, &all[0].account), (&one.token, &account.id));
    assert_eq!(ready(NOON.plus(ORDER_SECONDS + 1)).await, [""; 0], "the orders have ended");
    registry.decide_authorisation(&one.id, "http-01", None, NOON).await.unwrap();
    assert_eq!(ready(NOON).await, std::slice::from_ref(&other.id));
    registry.suspend(&name("svc"), &world.actor, NOON).await.unwrap();
    assert_eq!(ready(NOON).await, [""; 0], "the party is suspended");
    registry.resume(&name("svc"), &world.actor, NOON).await.unwrap();
    registry.end_account(&account.id, true, &world.actor, NOON).await.unwrap();
    assert_eq!(ready(NOON).await, [""; 0], "the account has ended");
}

#[tokio::test]
async fn a_server_certificate_is_on_record_with_its_order_and_given_back_once() {
    let world = World::new().await;
    let binding = world.bind_for("db", "server").await;
    let account = world.account_with(&binding.id, KEY, NOON).await.unwrap().0;
    let (registry, actor) = (&world.registry, &world.actor);
    let holder = name("db");
    let fulfil = |order: OrderRow, der: Vec<u8>| {
        let holder = holder.clone();
        async move {
            registry
                .fulfil_server_order(&order.id, (&holder, order.names.as_slice()), &der, actor, NOON)
                .await
        }
    };
    let key = rcgen::KeyPair::generate().unwrap();
    let one = certificate_with("a.test", &key);
    let unproved = fulfil(world.order(&account, false).await, one.der.to_vec()).await;
    assert!(matches!(unproved, Err(RegistryError::OrderNotOpen)), "{unproved:?}");
    let order = world.order(&account, true).await;
    fulfil(order.clone(), one.der.to_vec()).await.unwrap();
    let twice = fulfil(order, one.der.to_vec()).await;
    assert!(matches!(twice, Err(RegistryError::OrderNotOpen)), "{twice:?}");
    assert!(registry.certificates(&holder).await.unwrap().is_empty(), "nobody enters with it");
    let row = registry.server_certificate(&one.thumbprint).await.unwrap().unwrap();
    assert_eq!((&row.account, &row.party, row.revoked_at), (&account.id, &holder, None));
    let by_serial = registry.server_certificate_of_serial(&one.serial).await.unwrap();
    assert_eq!(by_serial.as_ref(), Some(&row));
    let since = |now: UnixTime| registry.server_certificates_since(&holder, now);
    assert_eq!((since(NOON.plus(-1)).await.unwrap(), since(NOON).await.unwrap()), (1, 0));

    let back = |reason| registry.revoke_server_certificate(&one.thumbprint, reason, actor, NOON);
    assert!(back(Reason::KeyCompromise).await.unwrap());
    assert!(!back(Reason::Unspecified).await.unwrap(), "once");
    let row = registry.server_certificate(&one.thumbprint).await.unwrap().unwrap();
    assert_eq!(row.revoked_at, Some(NOON));
    let again = certificate_with("a.test", &key).der.to_vec();
    let refused = fulfil(world.order(&account, true).await, again).await;
    assert!(matches!(refused, Err(RegistryError::KeyKnown { .. })), "{refused:?}");

    // What fulfilled an order of a party is no server certificate.
    let binding = world.bind("svc").await;
    let account = world.account_with(&binding.id, [2; 32], NOON).await.unwrap().0;
    let theirs = certificate("svc");
    assert!(world.fulfil(&world.order(&account, true).await, "svc", &theirs, NOON).await);
    assert_eq!(registry.server_certificate(&theirs.thumbprint).await.unwrap(), None);
    assert_eq!(registry.server_certificate_of_serial(&theirs.serial).await.unwrap(), None);
    assert!(
        !registry
            .revoke_server_certificate(&theirs.thumbprint, Reason::Superseded, actor, NOON)
            .await
            .unwrap()
    );
}
