//! Accounts: made with a binding, given another key, ended.

use super::*;

#[test]
fn a_machine_gets_its_certificate_by_every_kind_of_account_key() {
    let (portal, port) = started();
    for (number, key) in [
        Key::p256(),
        Key::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
        Key::Ed25519(Ed25519KeyPair::generate().unwrap()),
        Key::Rsa(rsa::KeyPair::generate(KeySize::Rsa2048).unwrap()),
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = Acme::new(&portal, port, key);
        let made = client.register(&bind(&portal, "svc", &[]));
        assert_eq!((made.status, &made.json()["status"]), (201, &json!("valid")), "{}", made.text());
        assert_eq!(made.json()["contact"], json!(["mailto:ops@example.test"]));
        let file = format!("machine{number}");
        let certificate = client.certificate(&file);
        assert!(certificate.has_client_usage());
        assert_eq!(portal.curl(Some(&file), "/", &[]).status, 200);
    }
    assert_eq!(records(&portal, "svc").len(), 4);
    assert!(records(&portal, "svc").iter().all(|one| one["profile"] == "service"));
}

/// An answer without what differs each time.
fn alike(answer: &CurlResult) -> (u16, Value) {
    let mut body = answer.json();
    body["reference"] = Value::Null;
    (answer.status, body)
}

#[test]
fn a_binding_makes_one_account_and_those_that_make_none_are_answered_alike() {
    let (portal, port) = started();
    let mut client = Acme::new(&portal, port, Key::p256());
    let none = client.post("new-account", &json!({ "termsOfServiceAgreed": true }));
    refused(&none, 403, "externalAccountRequired");
    let only = client.post("new-account", &json!({ "onlyReturnExisting": true }));
    refused(&only, 400, "accountDoesNotExist");

    let used = bind(&portal, "svc", &[]);
    assert_eq!(Acme::new(&portal, port, Key::p256()).register(&used).status, 201);
    let withdrawn = bind(&portal, "svc", &[]);
    portal.countersign(&["party", "invite", "--withdraw", withdrawn["id"].as_str().unwrap()]).ok();
    let ended = bind(&portal, "svc", &[]);
    let end =
        format!("UPDATE acme_bindings SET expires_at = 0 WHERE id = '{}'", ended["id"].as_str().unwrap());
    let database = portal.sandbox.path("state/registry.db");
    assert!(std::process::Command::new("sqlite3").arg(database).arg(end).status().unwrap().success());
    let suspended = bind(&portal, "bob", &[]);
    portal.countersign(&["party", "suspend", "bob"]).ok();
    let revoked = bind(&portal, "carol", &[]);
    portal.countersign(&["party", "revoke", "carol"]).ok();
    let mut wrong_key = bind(&portal, "svc", &[]);
    wrong_key["hmac_key"] = json!(packed(&[7; 32]));
    let mut unknown = wrong_key.clone();
    unknown["kid"] = json!("0123456789abcdef");
    let mut strange = wrong_key.clone();
    strange["kid"] = json!("x' OR 1=1 --");
    let expected = alike(&client.register(&unknown));
    assert_eq!((expected.0, &expected.1["type"]), (403, &json!("urn:ietf:params:acme:error:unauthorized")));
    for (what, made) in [
        ("used", &used),
        ("withdrawn", &withdrawn),
        ("ended", &ended),
        ("suspended", &suspended),
        ("revoked", &revoked),
        ("wrong key", &wrong_key),
        ("strange", &strange),
    ] {
        assert_eq!(alike(&client.register(made)), expected, "{what}");
    }

    client.kid = None;
    let made = bind(&portal, "svc", &[]);
    let key = BASE64URL_NOPAD.decode(made["hmac_key"].as_str().unwrap().as_bytes()).unwrap();
    let (url, jwk) = (client.url("new-account"), client.key.jwk().to_string());
    let bound = |header: Value, payload: &str| {
        client.post("new-account", &json!({ "externalAccountBinding": mac(&key, &header, payload) }))
    };
    let kid = &made["kid"];
    let other = Key::p256().jwk().to_string();
    for (header, payload, status, expected) in [
        (json!({ "alg": "HS256", "kid": kid, "url": url }), other.as_str(), 403, "unauthorized"),
        (json!({ "alg": "HS512", "kid": kid, "url": url }), &jwk, 403, "unauthorized"),
        (json!({ "alg": "none", "kid": kid, "url": url }), &jwk, 403, "unauthorized"),
        (json!({ "alg": "HS256", "kid": kid, "url": client.url("new-order") }), &jwk, 400, "malformed"),
        (json!({ "alg": "HS256", "kid": kid }), &jwk, 400, "malformed"),
        (json!({ "alg": "HS256", "kid": kid, "url": url, "nonce": "x" }), &jwk, 400, "malformed"),
        (json!({ "alg": "HS256", "jwk": client.key.jwk(), "url": url }), &jwk, 400, "malformed"),
        (json!({ "alg": "HS256", "kid": kid, "url": url }), "{}", 403, "unauthorized"),
    ] {
        refused(&bound(header, payload), status, expected);
    }
    // It is open still, and good once; the same key then has its account again, without one.
    let first = bound(json!({ "alg": "HS256", "kid": kid, "url": url }), &jwk);
    assert_eq!(first.status, 201, "{}", first.text());
    let again = client.post("new-account", &json!({ "onlyReturnExisting": true }));
    assert_eq!((again.status, again.header("location")), (200, first.header("location")));
    for (contact, expected) in [("tel:+31", "unsupportedContact"), ("mailto:a@b?x=y", "invalidContact")] {
        let stranger = Acme::new(&portal, port, Key::p256());
        refused(&stranger.post("new-account", &json!({ "contact": [contact] })), 400, expected);
    }
    let log = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().both();
    assert!(!log.contains(made["hmac_key"].as_str().unwrap()));
    assert!(log.contains(&format!("made with binding {}", kid.as_str().unwrap())), "{log}");
}

#[test]
fn an_account_ends_with_its_party_by_itself_and_by_an_operator() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let order = client.order(&[NAME]).json();
    let request = request(&portal, "svc", &[NAME], &[]);
    portal.countersign(&["party", "suspend", "svc"]).ok();
    refused(&client.order(&[NAME]), 403, "unauthorized");
    refused(&client.at(&order["finalize"], &json!({ "csr": request })), 403, "unauthorized");
    portal.countersign(&["party", "resume", "svc"]).ok();
    assert_eq!(client.order(&[NAME]).status, 201);
    portal.countersign(&["party", "revoke", "svc"]).ok();
    refused(&client.order(&[NAME]), 401, "unauthorized");
    refused(&client.at(&order["finalize"], &json!({ "csr": request })), 401, "unauthorized");
    assert_eq!(records(&portal, "svc").len(), 0);

    let client = Acme::of(&portal, port, "svc");
    let account = json!(client.kid);
    refused(&client.at(&account, &json!({ "status": "revoked" })), 400, "malformed");
    let changed = client.at(&account, &json!({ "contact": ["mailto:night@example.test"] }));
    assert_eq!(changed.json()["contact"], json!(["mailto:night@example.test"]), "{}", changed.text());
    assert_eq!(client.at(&account, &Value::Null).json()["contact"], json!(["mailto:night@example.test"]));
    let ended = client.at(&account, &json!({ "status": "deactivated" }));
    assert_eq!((ended.status, &ended.json()["status"]), (200, &json!("deactivated")), "{}", ended.text());
    refused(&client.at(&account, &Value::Null), 401, "unauthorized");
    let again = Acme { kid: None, key: client.key, ..Acme::new(&portal, port, Key::p256()) };
    refused(&again.post("new-account", &json!({})), 401, "unauthorized");

    let client = Acme::of(&portal, port, "svc");
    let open = bind(&portal, "svc", &[]);
    let listed = portal.countersign(&["party", "invite", "--list", "svc", "--json"]).ok().json();
    let kinds: Vec<&str> =
        listed.as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["binding", "account"], "{listed}");
    assert!(!listed.to_string().contains(open["hmac_key"].as_str().unwrap()));
    let id = listed[1]["id"].as_str().unwrap();
    assert!(client.kid.as_ref().unwrap().ends_with(id));
    portal.countersign(&["party", "invite", "--withdraw", id]).ok();
    portal.countersign(&["party", "invite", "--withdraw", id]).exited(5);
    refused(&client.order(&[NAME]), 401, "unauthorized");
    // Of a party that is removed nothing is left.
    let client = Acme::of(&portal, port, "svc");
    portal.countersign(&["party", "remove", "svc", "--yes"]).ok();
    refused(&client.order(&[NAME]), 400, "accountDoesNotExist");
}

#[test]
fn an_account_gets_another_key_and_the_old_one_is_worth_nothing() {
    let (portal, port) = started();
    let (mut client, other) = (Acme::of(&portal, port, "svc"), Acme::of(&portal, port, "bob"));
    let url = client.url("key-change");
    let inner = |new: &Key, change: &dyn Fn(&mut Value, &mut Value)| {
        let mut header = json!({ "alg": new.algorithm(), "jwk": new.jwk(), "url": url });
        let mut payload = json!({ "account": client.kid, "oldKey": client.key.jwk() });
        change(&mut header, &mut payload);
        new.jws(&header, &payload.to_string())
    };
    let new = Key::p256();
    for (change, expected) in [
        (
            &(|header: &mut Value, _: &mut Value| header["url"] = json!("x"))
                as &dyn Fn(&mut Value, &mut Value),
            "malformed",
        ),
        (&|header, _| header["nonce"] = json!("x"), "malformed"),
        (&|header, _| header["alg"] = json!("HS256"), "badSignatureAlgorithm"),
        (&|_, payload| payload["account"] = json!(other.kid), "malformed"),
        (&|_, payload| payload["oldKey"] = other.key.jwk(), "malformed"),
    ] {
        refused(&client.post("key-change", &inner(&new, change)), 400, expected);
    }
    let mut forged = inner(&new, &|_, _| {});
    forged["signature"] = json!(packed(&[1; 64]));
    refused(&client.post("key-change", &forged), 400, "malformed");
    let taken = client.post("key-change", &inner(&other.key, &|_, _| {}));
    refused(&taken, 409, "malformed");
    assert_eq!(taken.header("location"), other.kid.as_deref());
    let done = client.post("key-change", &inner(&new, &|_, _| {}));
    assert_eq!(done.status, 200, "{}", done.text());
    refused(&client.order(&[NAME]), 400, "malformed");
    client.key = new;
    assert_eq!(client.order(&[NAME]).status, 201);
}

#[test]
fn bindings_are_bounded_and_name_no_other_party() {
    let (portal, _) = started();
    portal.add_party("alice");
    for (more, exit, word) in [
        (&["--name", "alice"][..], 1, "another party"),
        (&["--name", "*.machines.test"], 2, "wildcard"),
        (&["--name", "svc machines"], 2, "lower-case"),
        (&["--profile", "operator"], 2, "no profile `operator`"),
        (&["--expires", "8d"], 2, "7d"),
        (&["--code"], 2, "cannot be used with"),
        (&["--label", "x"], 2, "cannot be used with"),
    ] {
        let base = ["party", "invite", "svc", "--site", "portal.test", "--acme"];
        let refused = portal.countersign(&[&base[..], more].concat()).exited(exit);
        assert!(refused.stderr.contains(word), "{more:?}: {}", refused.story());
    }
    portal.countersign(&["party", "invite", "svc", "--site", "portal.test", "--name", "x.test"]).exited(2);
    portal.countersign(&["party", "invite", "svc2", "--site", "portal.test", "--acme", "--dry-run"]).ok();
    portal.countersign(&["party", "show", "svc2"]).exited(5);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &portal.sandbox.path("state/acme.key").metadata().unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    // What is in the database makes no account.
    let made = bind(&portal, "svc", &[]);
    let key = BASE64URL_NOPAD.decode(made["hmac_key"].as_str().unwrap().as_bytes()).unwrap();
    let hashed = digest(&SHA256, &key);
    for file in ["state/registry.db", "state/registry.db-wal"] {
        let octets = std::fs::read(portal.sandbox.path(file)).unwrap_or_default();
        for secret in [&key[..], hashed.as_ref(), made["hmac_key"].as_str().unwrap().as_bytes()] {
            assert!(!octets.windows(secret.len()).any(|part| part == secret), "{file}");
        }
    }
}
