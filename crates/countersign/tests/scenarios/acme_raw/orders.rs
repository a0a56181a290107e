//! The directory, and orders: what may be ordered, what is taken from a request, how often.

use super::*;

#[test]
fn the_directory_names_what_is_there_and_each_thing_has_its_method() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let directory = client.get("directory", &[]);
    let told = directory.json();
    for (what, path) in [
        ("newNonce", "new-nonce"),
        ("newAccount", "new-account"),
        ("newOrder", "new-order"),
        ("revokeCert", "revoke-certificate"),
        ("keyChange", "key-change"),
        ("renewalInfo", "renewal-info"),
    ] {
        assert_eq!(told[what], json!(client.url(path)), "{told}");
    }
    assert_eq!(told["meta"]["externalAccountRequired"], json!(true));
    assert!(told["meta"]["profiles"]["service"].as_str().unwrap().contains("90 days"), "{told}");
    assert!(
        told["meta"]["profiles"].get("operator").is_none()
            && told["meta"]["profiles"].get("server").is_none()
    );
    let bare = client.get("new-nonce", &[]);
    assert_eq!((bare.status, bare.body.len()), (204, 0));
    assert_eq!(bare.header("link"), Some(format!("<{}>;rel=\"index\"", client.url("directory")).as_str()));

    refused(&client.get("nothing", &[]), 404, "malformed");
    refused(&client.get("directory?x", &[]), 404, "malformed");
    refused(&client.get("directory", &["-X", "DELETE"]), 405, "malformed");
    refused(&client.post("directory", &Value::Null), 405, "malformed");
    for path in
        ["new-account", "new-order", "key-change", "account/0123456789abcdef", "order/0123456789abcdef"]
    {
        refused(&client.get(path, &[]), 405, "malformed");
    }
    for kind in ["application/json", "text/plain", "application/jose"] {
        let field = format!("Content-Type: {kind}");
        refused(&client.get("new-order", &["-H", &field, "--data", "{}"]), 415, "malformed");
    }
    refused(&client.send("new-order", &" ".repeat(12 * 1024 + 1), &[]), 413, "malformed");
    for body in ["", "{}", "[]", "\u{1}", "{\"protected\":\"\",\"payload\":\"\",\"signature\":\"\"}"] {
        refused(&client.send("new-order", body, &[]), 400, "malformed");
    }
    assert_eq!(client.get("directory", &["-H", "Host: portal.test"]).status, 421);
}

#[test]
fn an_account_orders_what_its_binding_says_and_sees_what_is_its_own() {
    let (portal, port) = started();
    let (client, other) = (Acme::of(&portal, port, "svc"), Acme::of(&portal, port, "bob"));
    for name in ["bob.machines.test", "bob", "*.machines.test", "portal.test", "x.svc.machines.test", ""] {
        refused(&client.order(&[name]), 400, "rejectedIdentifier");
    }
    let some = client.order(&[NAME, "bob", "portal.test"]);
    refused(&some, 400, "rejectedIdentifier");
    let named: Vec<Value> = some.json()["subproblems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["identifier"]["value"].clone())
        .collect();
    assert_eq!(named, [json!("bob"), json!("portal.test")]);
    let address = json!({ "identifiers": [{ "type": "ip", "value": "127.0.0.1" }] });
    refused(&client.post("new-order", &address), 400, "unsupportedIdentifier");
    refused(&client.order(&[]), 400, "malformed");
    refused(&client.order(&[NAME; 21]), 400, "malformed");
    let good = json!([{ "type": "dns", "value": NAME }]);
    for (field, value, expected) in [
        ("notAfter", "2040-01-01T00:00:00Z", "malformed"),
        ("notBefore", "2020-01-01T00:00:00Z", "malformed"),
        ("profile", "operator", "invalidProfile"),
        ("profile", "person", "invalidProfile"),
        ("replaces", "AAAA.AAAA", "malformed"),
        ("replaces", "x", "malformed"),
    ] {
        let mut order = json!({ "identifiers": good });
        order[field] = json!(value);
        refused(&client.post("new-order", &order), 400, expected);
    }
    let named = client.post("new-order", &json!({ "identifiers": good, "profile": "service" }));
    assert_eq!((named.status, &named.json()["profile"]), (201, &json!("service")), "{}", named.text());

    let order = client.order(&["SVC.machines.test", NAME, "svc"]);
    assert_eq!((order.status, &order.json()["status"]), (201, &json!("ready")), "{}", order.text());
    let told = order.json();
    assert_eq!(
        told["identifiers"],
        json!([{ "type": "dns", "value": NAME }, { "type": "dns", "value": "svc" }])
    );
    let authorisation = client.at(&told["authorizations"][0], &Value::Null);
    assert_eq!(authorisation.json()["status"], json!("valid"), "{}", authorisation.text());
    let own = json!(order.header("location").unwrap());
    assert_eq!(client.at(&own, &Value::Null).json()["status"], json!("ready"));
    for url in [&own, &told["authorizations"][0]] {
        refused(&other.at(url, &Value::Null), 404, "malformed");
    }
    let request = request(&portal, "bobs", &[NAME, "svc"], &[]);
    refused(&other.at(&told["finalize"], &json!({ "csr": request })), 404, "malformed");
    refused(&other.at(&json!(client.kid), &Value::Null), 403, "unauthorized");
    refused(&client.at(&own, &json!({})), 400, "malformed");
    let listed = client.at(&json!(format!("{}/orders", client.kid.clone().unwrap())), &Value::Null).json();
    assert!(listed["orders"].as_array().unwrap().contains(&own), "{listed}");
    // Given up, it leads nowhere.
    let given_up = client.at(&told["authorizations"][1], &json!({ "status": "deactivated" }));
    assert_eq!(given_up.json()["status"], json!("deactivated"), "{}", given_up.text());
    assert_eq!(client.at(&own, &Value::Null).json()["status"], json!("invalid"));
    refused(&client.at(&told["finalize"], &json!({ "csr": request })), 403, "orderNotReady");
    assert_eq!(records(&portal, "svc").len() + records(&portal, "bob").len(), 0);
}

#[test]
fn only_the_key_is_taken_from_a_request_and_the_profile_says_the_rest() {
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let finalize = |csr: &str| {
        let order = client.order(&[NAME]).json();
        client.at(&order["finalize"], &json!({ "csr": csr }))
    };
    for names in [&["bob.machines.test"][..], &["svc"], &[NAME, "svc"]] {
        refused(&finalize(&request(&portal, "other", names, &[])), 400, "badCSR");
    }
    let address = request(&portal, "other", &[NAME, "IP:10.0.0.1"], &[]);
    refused(&finalize(&address), 400, "badCSR");
    let named = request(&portal, "other", &[NAME], &["-subj", "/CN=portal.test"]);
    refused(&finalize(&named), 400, "badCSR");
    refused(&finalize(&request(&portal, "weak", &[NAME], &["-newkey", "rsa:1024"])), 400, "badPublicKey");
    let sound = request(&portal, "sound", &[NAME], &[]);
    let mut forged = BASE64URL_NOPAD.decode(sound.as_bytes()).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    for csr in ["", "AAAA", "!", &format!("{sound}="), &packed(&forged)] {
        refused(&finalize(csr), 400, "badCSR");
    }
    refused(&client.at(&client.order(&[NAME]).json()["finalize"], &json!({})), 400, "malformed");
    // A key of another party.
    let bob = portal.add_party("bob");
    drop(bob);
    let theirs = request(&portal, "theirs", &[NAME], &["-key", "bob.key"]);
    let answer = finalize(&theirs);
    refused(&answer, 400, "badCSR");
    assert!(!answer.text().contains("bob"), "{}", answer.text());

    let hostile = [
        "-subj",
        "/O=Countersign/CN=svc.machines.test",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "extendedKeyUsage=serverAuth",
        "-addext",
        "keyUsage=keyCertSign",
    ];
    let request = request(&portal, "hostile", &[NAME], &hostile);
    let order = client.order(&[NAME]).json();
    let done = client.at(&order["finalize"], &json!({ "csr": request }));
    assert_eq!(done.status, 200, "{}", done.text());
    refused(&client.at(&order["finalize"], &json!({ "csr": request })), 403, "orderNotReady");
    let given = client.at(&done.json()["certificate"], &Value::Null);
    portal.sandbox.write("hostile.pem", given.text());
    let shown =
        openssl(portal.sandbox.dir(), &["x509", "-in", "hostile.pem", "-noout", "-text"], b"").ok().stdout;
    for word in [
        "TLS Web Client Authentication",
        "Subject: CN = svc.machines.test",
        "DNS:svc.machines.test",
        "URI:urn:uuid:",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    for word in ["CA:TRUE", "Server Authentication", "Certificate Sign", "O = Countersign, CN = svc"] {
        assert!(!shown.contains(word), "{word}: {shown}");
    }
    let verified = ["verify", "-CAfile", "ca.pem", "-untrusted", "hostile.pem", "hostile.pem"];
    openssl(portal.sandbox.dir(), &verified, b"").ok();
    assert_eq!(portal.curl(Some("hostile"), "/", &[]).status, 200);
    assert_eq!(records(&portal, "svc").len(), 1);
}

#[test]
fn an_address_may_ask_so_often_and_no_more() {
    let (portal, port) = started();
    let url = format!("https://{HOST}:{port}/acme/x[1-160]");
    let mut curl = std::process::Command::new("curl");
    curl.current_dir(portal.sandbox.dir()).args(["-q", "-sS", "--cacert", "ca.pem", "-o", "/dev/null"]);
    curl.args(["-w", "%{http_code} %header{retry-after}\n", &url]);
    let said = testkit::process::run(&mut curl, b"", std::time::Duration::from_secs(90)).stdout;
    assert!(said.contains("404"), "{said}");
    let limited: Vec<&str> = said.lines().filter(|line| line.starts_with("429")).collect();
    assert!(!limited.is_empty() && limited.iter().all(|line| line.len() > "429 ".len()), "{said}");
    // An account has so many orders open, and no more.
    let (portal, port) = started();
    let client = Acme::of(&portal, port, "svc");
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)
         INSERT INTO acme_orders (id, account, names, created_at, expires_at)
         SELECT printf('%016x', i), '{}', '[]', 0, 4000000000 FROM n",
        client.kid.as_ref().unwrap().rsplit('/').next().unwrap()
    );
    let database = portal.sandbox.path("state/registry.db");
    assert!(std::process::Command::new("sqlite3").arg(database).arg(sql).status().unwrap().success());
    let many = client.order(&[NAME]);
    refused(&many, 429, "rateLimited");
    assert!(many.header("retry-after").is_some());
}
