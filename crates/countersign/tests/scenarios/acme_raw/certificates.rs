//! What becomes of a certificate: revoked, renewed, replaced.

use super::*;

#[test]
fn certificates_are_revoked_by_their_account_and_by_their_key_and_by_nobody_else() {
    let (portal, port) = started();
    let (client, other) = (Acme::of(&portal, port, "svc"), Acme::of(&portal, port, "bob"));
    let first = client.certificate("first");
    let asked = |der: &[u8], reason: u8| json!({ "certificate": packed(der), "reason": reason });
    refused(&other.post("revoke-certificate", &asked(&first.der, 0)), 403, "unauthorized");
    let stranger = Acme::new(&portal, port, Key::p256());
    refused(&stranger.post("revoke-certificate", &asked(&first.der, 0)), 403, "unauthorized");
    for reason in [2, 6, 7, 8, 10, 99] {
        refused(&client.post("revoke-certificate", &asked(&first.der, reason)), 400, "badRevocationReason");
    }
    let operator =
        pem::certificates(portal.sandbox.read("state/operator.pem").as_bytes()).unwrap().swap_remove(0);
    for der in [&operator.der[..], b"", b"\x30\x00"] {
        refused(&client.post("revoke-certificate", &asked(der, 0)), 403, "unauthorized");
    }
    assert_eq!(portal.curl(Some("first"), "/", &[]).status, 200);
    let done = client.post("revoke-certificate", &asked(&first.der, 4));
    assert_eq!((done.status, done.body.len()), (200, 0), "{}", done.text());
    refused(&client.post("revoke-certificate", &asked(&first.der, 4)), 400, "alreadyRevoked");
    eventually("the gate refuses it", || {
        let answer = portal.curl(Some("first"), "/", &[]);
        (answer.status == 403 && answer.code() == "revoked").then_some(())
    });
    // Another account of the party that may have its names; and who has its key, with or without an account.
    let second = client.certificate("second");
    let kin = Acme::of(&portal, port, "svc");
    assert_eq!(kin.post("revoke-certificate", &asked(&second.der, 0)).status, 200);
    let owned = client.certificate("owned");
    let args = ["pkcs8", "-topk8", "-nocrypt", "-in", "owned.key", "-outform", "DER", "-out", "owned.p8"];
    openssl(portal.sandbox.dir(), &args, b"").ok();
    let pkcs8 = std::fs::read(portal.sandbox.path("owned.p8")).unwrap();
    let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap();
    let owner = Acme::new(&portal, port, Key::P256(pair));
    assert_eq!(owner.post("revoke-certificate", &asked(&owned.der, 1)).status, 200);
    let states: Vec<Value> =
        records(&portal, "svc").iter().map(|one| one["revoked"]["reason"].clone()).collect();
    assert_eq!(states, [json!("superseded"), json!("unspecified"), json!("key-compromise")]);
    // That key is certified never again.
    let request = request(&portal, "again", &[NAME], &["-key", "owned.key"]);
    let order = client.order(&[NAME]).json();
    refused(&client.at(&order["finalize"], &json!({ "csr": request })), 400, "badCSR");
}

/// The name of a certificate (RFC 9773 section 4.1).
pub fn certificate_id(certificate: &Certificate) -> String {
    format!("{}.{}", packed(certificate.authority_key_id.as_deref().unwrap()), packed(&certificate.serial))
}

#[test]
fn renewal_information_is_told_and_a_replaced_certificate_holds_a_while() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let first = client.certificate("first");
    let id = certificate_id(&first);
    let told = client.get(&format!("renewal-info/{id}"), &[]);
    assert_eq!((told.status, told.header("retry-after")), (200, Some("21600")), "{}", told.text());
    let window = &told.json()["suggestedWindow"];
    let moment = |text: &Value| examiner::UnixTime::parse(text.as_str().unwrap()).unwrap();
    let (start, end) = (moment(&window["start"]), moment(&window["end"]));
    assert!(first.not_before < start && start < end && end < first.not_after, "{window}");
    let none = id.replace('.', ".AA");
    refused(&client.get(&format!("renewal-info/{none}"), &[]), 404, "malformed");
    refused(&client.get("renewal-info/x", &[]), 400, "malformed");

    let names = json!([{ "type": "dns", "value": NAME }]);
    let replacing = json!({ "identifiers": names, "replaces": id });
    let bob = Acme::of(&portal, port, "bob");
    let theirs = json!({ "identifiers": [{ "type": "dns", "value": "bob" }], "replaces": id });
    refused(&bob.post("new-order", &theirs), 400, "malformed");
    let without = json!({ "identifiers": [{ "type": "dns", "value": "svc" }], "replaces": id });
    refused(&client.post("new-order", &without), 400, "malformed");
    let order = client.post("new-order", &replacing);
    assert_eq!((order.status, &order.json()["replaces"]), (201, &json!(id)), "{}", order.text());
    refused(&client.post("new-order", &replacing), 409, "alreadyReplaced");
    let request = request(&portal, "next", &[NAME], &[]);
    let done = client.at(&order.json()["finalize"], &json!({ "csr": request }));
    assert_eq!(done.status, 200, "{}", done.text());
    let all = records(&portal, "svc");
    assert!(all[0]["superseded_after"].is_string() && all[1]["superseded_after"].is_null(), "{all:?}");
    assert_eq!(portal.curl(Some("first"), "/", &[]).status, 200);
    assert_eq!(client.post("revoke-certificate", &json!({ "certificate": packed(&first.der) })).status, 200);
    let over = client.get(&format!("renewal-info/{id}"), &[]).json();
    assert!(moment(&over["suggestedWindow"]["end"]) < start, "{over}");
}
