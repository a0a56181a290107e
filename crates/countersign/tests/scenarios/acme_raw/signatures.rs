//! What is signed: each signature counts once, for one address, by the key it names, and only strong keys count.

use super::*;

#[test]
fn a_nonce_counts_once_and_for_the_process_that_gave_it() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let account = client.kid.clone().unwrap().strip_prefix(&client.url("")).unwrap().to_owned();
    let header = client.header(&account);
    let body = client.key.jws(&header, "").to_string();
    let first = client.send(&account, &body, &[]);
    assert_eq!(first.status, 200, "{}", first.text());
    let replayed = client.send(&account, &body, &[]);
    refused(&replayed, 400, "badNonce");
    for wrong in
        [json!("x"), json!(""), json!("A".repeat(32)), Value::Null, json!(format!("{}A", client.nonce()))]
    {
        refused(&client.with(&account, "", |header| header["nonce"] = wrong.clone()), 400, "badNonce");
    }
    // The answer to a wrong one brings one that is good.
    let next = replayed.header("replay-nonce").unwrap().to_owned();
    assert_eq!(client.with(&account, "", |header| header["nonce"] = json!(next)).status, 200);
    // What nobody signed uses none up.
    let (kept, before) = (client.nonce(), client.nonce());
    let mut forged = client
        .key
        .jws(&json!({ "alg": "ES256", "nonce": kept, "url": client.url(&account), "kid": client.kid }), "");
    forged["signature"] = json!(packed(&[1; 64]));
    refused(&client.send(&account, &forged.to_string(), &[]), 400, "malformed");
    assert_eq!(client.with(&account, "", |header| header["nonce"] = json!(kept)).status, 200);

    let process = portal.gate().authority_pid().unwrap();
    std::process::Command::new("kill").args(["-9", &process.to_string()]).status().unwrap();
    eventually("another authority", || portal.gate().authority_pid().filter(|pid| *pid != process));
    refused(&client.send(&account, &body, &[]), 400, "badNonce");
    let stale = client.with(&account, "", |header| header["nonce"] = json!(before));
    refused(&stale, 400, "badNonce");
    let next = stale.header("replay-nonce").unwrap().to_owned();
    assert_eq!(client.with(&account, "", |header| header["nonce"] = json!(next)).status, 200);
}

#[test]
fn a_signature_is_by_the_key_it_names_for_the_address_it_names() {
    let (portal, port) = started();
    let (client, other) = (Acme::of(&portal, port, "svc"), Acme::of(&portal, port, "bob"));
    let order = json!({ "identifiers": [{ "type": "dns", "value": NAME }] }).to_string();
    let asked = |change: &dyn Fn(&mut Value)| client.with("new-order", &order, change);
    for url in [
        json!(client.url("new-account")),
        json!(format!("https://localhost:{port}/acme/new-order/")),
        json!(format!("https://127.0.0.1:{port}/acme/new-order")),
        json!(format!("http://localhost:{port}/acme/new-order")),
        Value::Null,
    ] {
        refused(&asked(&|header| header["url"] = url.clone()), 403, "unauthorized");
    }
    for algorithm in ["none", "HS256", "ES512", "PS256", "es256", ""] {
        let answer = asked(&|header| header["alg"] = json!(algorithm));
        refused(&answer, 400, "badSignatureAlgorithm");
        assert_eq!(answer.json()["algorithms"], json!(["ES256", "ES384", "EdDSA", "RS256"]));
    }
    for algorithm in ["ES384", "EdDSA", "RS256"] {
        refused(&asked(&|header| header["alg"] = json!(algorithm)), 400, "badSignatureAlgorithm");
    }
    // The public key as the secret of a MAC.
    let mut header = client.header("new-order");
    header["alg"] = json!("HS256");
    let confused = mac(client.key.jwk().to_string().as_bytes(), &header, &order);
    refused(&client.send("new-order", &confused.to_string(), &[]), 400, "badSignatureAlgorithm");
    // No signature, and somebody else's.
    let header = client.header("new-order");
    let mut unsigned = client.key.jws(&header, &order);
    unsigned["signature"] = json!("");
    refused(&client.send("new-order", &unsigned.to_string(), &[]), 400, "malformed");
    let theirs = other.key.jws(&client.header("new-order"), &order);
    refused(&client.send("new-order", &theirs.to_string(), &[]), 400, "malformed");
    refused(&asked(&|header| header["kid"] = json!(other.kid)), 400, "malformed");
    // Another payload under the same signature.
    let mut changed = client.key.jws(&client.header("new-order"), &order);
    changed["payload"] = json!(packed(order.replace(NAME, "bob.machines.test").as_bytes()));
    refused(&client.send("new-order", &changed.to_string(), &[]), 400, "malformed");
    // A key of one's own in the place of the account, or beside it.
    let own = client.key.jwk();
    refused(&asked(&|header| header["jwk"] = own.clone()), 400, "malformed");
    let bare = asked(&|header| {
        header.as_object_mut().unwrap().remove("kid");
        header["jwk"] = own.clone();
    });
    refused(&bare, 400, "malformed");
    for kid in [
        format!("https://localhost:{port}/acme/account/0123456789abcdef"),
        "x".into(),
        client.kid.clone().unwrap().replace("localhost", "127.0.0.1"),
        format!("{}/orders", client.kid.clone().unwrap()),
    ] {
        refused(&asked(&|header| header["kid"] = json!(kid)), 400, "accountDoesNotExist");
    }
    refused(&asked(&|header| header["crit"] = json!(["x"])), 400, "malformed");
    refused(&asked(&|header| header["b64"] = json!(false)), 400, "malformed");
    // The authority finds the same by itself, whoever has the gate's place.
    let body = client.key.jws(&client.header("new-order"), &order).to_string();
    let elsewhere = ask(&portal, &json!({ "acme": { "path": "/acme/key-change", "body": body } }));
    assert_eq!(elsewhere["acme"]["status"], json!(403), "{elsewhere}");
    let right = ask(&portal, &json!({ "acme": { "path": "/acme/new-order", "body": body } }));
    assert_eq!(right["acme"]["status"], json!(201), "{right}");
    let twice = ask(&portal, &json!({ "acme": { "path": "/acme/new-order", "body": body } }));
    assert!(twice["acme"]["body"].as_str().unwrap().contains("badNonce"), "{twice}");
}

#[test]
fn what_is_signed_has_one_form_and_every_other_is_refused() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let order = json!({ "identifiers": [{ "type": "dns", "value": NAME }] }).to_string();
    let sound = || client.key.jws(&client.header("new-order"), &order);
    let with = |field: &str, value: Value| {
        let mut body = sound();
        body[field] = value;
        body.to_string()
    };
    let text = |body: &Value, field: &str| body[field].as_str().unwrap().to_owned();
    // Other forms of JWS, a field twice, one that is not signed.
    let whole = sound();
    let compact = ["protected", "payload", "signature"].map(|field| text(&whole, field)).join(".");
    let (payload, once) = (text(&whole, "payload"), whole.to_string());
    let twice = once.replacen('{', &format!("{{\"payload\":\"{payload}\","), 1);
    let general = json!({ "payload": payload, "signatures": [
        { "protected": whole["protected"], "signature": whole["signature"] }
    ] });
    for body in [
        compact,
        twice,
        general.to_string(),
        with("header", json!({ "kid": client.kid })),
        with("signatures", json!([])),
        with("payload", Value::Null),
        "[".repeat(5000),
    ] {
        refused(&client.send("new-order", &body, &[]), 400, "malformed");
    }
    // Base64 in another spelling: padded, of the other alphabet, with bits to spare, with white space.
    let signature = text(&whole, "signature");
    let last = signature.chars().last().unwrap();
    let spare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".find(last).unwrap();
    let spare = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars().nth(spare ^ 1);
    let stray = format!("{}{}", &signature[..signature.len() - 1], spare.unwrap());
    for signature in [format!("{signature}=="), stray, format!(" {signature}"), "+/+/".into(), "A".into()] {
        refused(&client.send("new-order", &with("signature", json!(signature)), &[]), 400, "malformed");
    }
    // Signatures that are none: in DER, of zeros, of another length, of another request.
    let der = [&[0x30, 6, 2, 1, 1, 2, 1, 1][..], &[0; 8]].concat();
    let other = client.key.jws(&client.header("new-order"), "{}");
    for signature in
        [packed(&der), packed(&[0; 64]), packed(&[0; 96]), packed(&[0xff; 64]), text(&other, "signature")]
    {
        refused(&client.send("new-order", &with("signature", json!(signature)), &[]), 400, "malformed");
    }
    // A header with a field twice, without an algorithm, of another kind, or no text.
    let header = client.header("new-order").to_string();
    let doubled = header.replacen('{', "{\"alg\":\"none\",", 1);
    for header in [doubled.as_bytes(), b"{}", b"[]", b"null", b"\xff", b"", &[b'['; 5000]] {
        let body = json!({ "protected": packed(header), "payload": packed(order.as_bytes()), "signature": packed(&[1; 64]) });
        refused(&client.send("new-order", &body.to_string(), &[]), 400, "malformed");
    }
    portal.sandbox.write("asked.bin", b"{\"protected\":\"\xff\"}");
    let args = ["-H", "Content-Type: application/jose+json", "--data-binary", "@asked.bin"];
    refused(&client.get("new-order", &args), 400, "malformed");
    assert_eq!(client.send("new-order", &sound().to_string(), &[]).status, 201, "the form itself is taken");
}

#[test]
fn a_payload_that_is_signed_is_read_strictly() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let long = "a".repeat(4000);
    for (payload, expected) in [
        ("", "malformed"),
        ("{}", "malformed"),
        ("[]", "malformed"),
        ("{\"identifiers\":{}}", "malformed"),
        ("{\"identifiers\":[{\"type\":\"dns\"}]}", "malformed"),
        ("{\"identifiers\":[],\"identifiers\":[]}", "malformed"),
        (&"[".repeat(4000), "malformed"),
        (&format!("{{\"identifiers\":[{{\"type\":\"dns\",\"value\":\"{long}\"}}]}}"), "rejectedIdentifier"),
        ("{\"identifiers\":[{\"type\":\"dns\",\"value\":\"svc\\u0000\"}]}", "rejectedIdentifier"),
        ("{\"identifiers\":[{\"type\":\"dns\",\"value\":\"svc\\ud800\"}]}", "malformed"),
    ] {
        let answer = client.with("new-order", payload, |_| {});
        refused(&answer, 400, expected);
        assert!(answer.body.len() < 2000, "what was sent is not sent back whole");
    }
}

#[test]
fn weak_and_private_account_keys_are_refused() {
    let (portal, port) = started();
    let client = Acme::new(&portal, port, Key::p256());
    let mut private = client.key.jwk();
    private["d"] = json!(packed(&[1; 32]));
    // 1024 bits, an even exponent, a small one, and a modulus with a small factor.
    let weak = json!({ "kty": "RSA", "n": packed(&[0xc1; 128]), "e": "AQAB" });
    let even = json!({ "kty": "RSA", "n": packed(&[0xc1; 256]), "e": "AQAC" });
    let small = json!({ "kty": "RSA", "n": packed(&[0xc1; 256]), "e": "Aw" });
    let symmetric = json!({ "kty": "oct", "k": packed(&[1; 32]) });
    for jwk in [private, weak, even, small, symmetric] {
        let answer = client.with("new-account", "{}", |header| header["jwk"] = jwk.clone());
        refused(&answer, 400, "badPublicKey");
    }
}
