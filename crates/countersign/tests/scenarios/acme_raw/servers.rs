//! Server certificates of hosts inside: what proves a name, what does not, and where nobody is asked.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::acme_servers::{self, Host, Inside, NAME as HOSTNAME, at_home, given, inside, told};
use super::*;

/// What a token's key authorization is for this client.
fn authorization(client: &Acme<'_>, token: &str) -> String {
    let print = digest(&SHA256, client.key.jwk().to_string().as_bytes());
    format!("{token}.{}", packed(print.as_ref()))
}

/// An account for the server certificates of these hosts.
fn account<'a>(world: &'a Inside, party: &str, names: &[&str]) -> Acme<'a> {
    Acme::bound(&world.portal, world.port, &acme_servers::bind(&world.portal, party, names))
}

/// An order for HOSTNAME, and its authorisation.
fn ordered(client: &Acme<'_>) -> (Value, Value) {
    let order = client.order(&[HOSTNAME]);
    assert_eq!((order.status, &order.json()["status"]), (201, &json!("pending")), "{}", order.text());
    let mut told = order.json();
    told["url"] = json!(order.header("location"));
    let authorisation = client.at(&told["authorizations"][0], &Value::Null).json();
    (told, authorisation)
}

/// The challenge of an authorisation by this way.
fn challenge<'v>(authorisation: &'v Value, way: &str) -> &'v Value {
    let all = authorisation["challenges"].as_array().unwrap();
    all.iter().find(|one| one["type"] == way).unwrap_or_else(|| panic!("{authorisation}"))
}

/// What becomes of a challenge whose host is said to be ready.
#[track_caller]
fn decided(client: &Acme<'_>, challenge: &Value) -> Value {
    let ready = client.at(&challenge["url"], &json!({}));
    assert_eq!(ready.status, 200, "{}", ready.text());
    eventually("the challenge is decided", || {
        let now = client.at(&challenge["url"], &Value::Null).json();
        (now["status"] == "valid" || now["status"] == "invalid").then_some(now)
    })
}

/// The type of the problem for which a challenge is invalid.
fn why(challenge: &Value) -> String {
    assert_eq!(challenge["status"], json!("invalid"), "{challenge}");
    let kind = challenge["error"]["type"].as_str().unwrap_or_else(|| panic!("{challenge}"));
    kind.strip_prefix("urn:ietf:params:acme:error:").unwrap().to_owned()
}

/// How a host answers, and that by token.
type Answer = Box<dyn Fn(&mut TcpStream) + Send>;
type Answers = Arc<Mutex<HashMap<String, Answer>>>;

/// What a host answers to a token, in words too; and the problem that comes of it.
type Case<'a> = (&'static str, &'a dyn Fn(&str) -> Answer, Option<&'static str>);

/// A host that answers each token as it is told, and any other path with 404.
fn obedient(port: u16) -> (Host, Answers) {
    let answers = Answers::default();
    let known = answers.clone();
    let host = Host::start(port, move |path, stream| {
        let key = path.strip_prefix("/.well-known/acme-challenge/").unwrap_or(path);
        match known.lock().unwrap().get(key) {
            Some(answer) => answer(stream),
            None => given(stream, 404, "", b""),
        }
    });
    (host, answers)
}

fn answering(body: String) -> Answer {
    Box::new(move |stream| given(stream, 200, "", body.as_bytes()))
}

#[test]
fn a_host_proves_its_name_before_it_gets_a_certificate_and_the_profile_says_the_rest() {
    let world = at_home();
    let portal = &world.portal;
    let (client, other) = (account(&world, "db", &[HOSTNAME]), account(&world, "db2", &[HOSTNAME]));
    let directory = client.get("directory", &[]).json();
    assert!(directory["meta"]["profiles"]["server"].as_str().unwrap().contains("90 days"), "{directory}");
    for name in ["db", "portal.test", "other.inside.test", "inside.test", "*.inside.test", "x.db.inside.test"]
    {
        refused(&client.order(&[name]), 400, "rejectedIdentifier");
    }
    let (order, pending) = ordered(&client);
    let ways: Vec<&str> =
        pending["challenges"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!((ways, &pending["status"]), (vec!["http-01", "tls-alpn-01"], &json!("pending")), "{pending}");
    let http = challenge(&pending, "http-01");
    assert_eq!((&http["status"], http["token"].as_str().unwrap().len()), (&json!("pending"), 32), "{http}");
    let request = request(
        portal,
        "db",
        &[HOSTNAME],
        &["-addext", "extendedKeyUsage=clientAuth", "-addext", "basicConstraints=critical,CA:TRUE"],
    );
    refused(&client.at(&order["finalize"], &json!({ "csr": request })), 403, "orderNotReady");
    // Nobody is asked before the client says so, and for nobody else.
    let (host, answers) = obedient(world.http);
    refused(&other.at(&http["url"], &json!({})), 404, "malformed");
    refused(&other.at(&http["url"], &Value::Null), 404, "malformed");
    refused(
        &client.at(&json!(http["url"].as_str().unwrap().replace("http-01", "dns-01")), &json!({})),
        404,
        "malformed",
    );
    assert_eq!(client.at(&http["url"], &Value::Null).json()["status"], json!("pending"));
    assert_eq!(host.visits(), 0);

    let token = http["token"].as_str().unwrap();
    answers.lock().unwrap().insert(token.into(), answering(authorization(&client, token)));
    let valid = decided(&client, http);
    assert!(valid["status"] == "valid" && valid["validated"].is_string(), "{valid}");
    assert_eq!(host.visits(), 1);
    let now = client.at(&order["authorizations"][0], &Value::Null).json();
    assert_eq!((&now["status"], now["challenges"].as_array().unwrap().len()), (&json!("valid"), 1), "{now}");
    let late = client.at(&challenge(&pending, "tls-alpn-01")["url"], &json!({}));
    refused(&late, 404, "malformed");
    assert_eq!(client.at(&order["url"], &Value::Null).json()["status"], json!("ready"));

    let done = client.at(&order["finalize"], &json!({ "csr": request }));
    assert_eq!((done.status, &done.json()["status"]), (200, &json!("valid")), "{}", done.text());
    refused(&client.at(&order["finalize"], &json!({ "csr": request })), 403, "orderNotReady");
    let chain = client.at(&done.json()["certificate"], &Value::Null);
    portal.sandbox.write("db.pem", chain.text());
    acme_servers::serves(portal, &portal.sandbox.path("db.pem"), &portal.sandbox.path("db.key"));
    let shown = openssl(portal.sandbox.dir(), &["x509", "-in", "db.pem", "-noout", "-text"], b"").ok().stdout;
    assert!(!shown.contains("Client Authentication") && !shown.contains("CA:TRUE"), "{shown}");
    // Nobody enters with it, and it is no certificate of the party.
    assert_eq!(portal.curl(Some("db"), "/", &[]).status, 403);
    assert_eq!(records(portal, "db").len(), 0);
    assert_eq!(told(portal, "server certificate for db.inside.test issued"), 1);
}

#[test]
fn an_account_of_a_party_has_nothing_to_prove_and_no_challenge() {
    let world = at_home();
    let client = Acme::of(&world.portal, world.port, "svc");
    let order = client.order(&[NAME]).json();
    let authorisation = client.at(&order["authorizations"][0], &Value::Null).json();
    assert_eq!((&authorisation["status"], &authorisation["challenges"]), (&json!("valid"), &json!([])));
    let id = order["authorizations"][0].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    refused(&client.post(&format!("challenge/{id}/http-01"), &json!({})), 404, "malformed");
}

#[test]
fn what_a_host_answers_otherwise_proves_nothing() {
    let world = at_home();
    let (client, other) = (account(&world, "db", &[HOSTNAME]), account(&world, "db2", &[HOSTNAME]));
    let (_host, answers) = obedient(world.http);
    // Redirects on the host alone are followed: another port of it is another place.
    let trap = Host::start(world.tls, |_, stream| given(stream, 200, "", b""));
    let elsewhere = Host::at(("127.0.0.2", world.http), |_, stream| given(stream, 200, "", b""));
    let port = world.tls;
    let redirected = |to: String| -> Answer {
        Box::new(move |stream| given(stream, 302, &format!("location: {to}\r\n"), b""))
    };
    let all: [Case<'_>; 12] = [
        ("the token alone", &|token| answering(token.into()), Some("incorrectResponse")),
        (
            "another account's key",
            &|token| answering(authorization(&other, token)),
            Some("incorrectResponse"),
        ),
        ("another token", &|_| answering(authorization(&client, &"0".repeat(32))), Some("incorrectResponse")),
        (
            "more than it",
            &|token| answering(authorization(&client, token) + ".more"),
            Some("incorrectResponse"),
        ),
        ("not found", &|_| Box::new(|stream| given(stream, 404, "", b"")), Some("incorrectResponse")),
        (
            "no end",
            &|_| {
                Box::new(|stream| {
                    let _ = stream.write_all(b"HTTP/1.1 200 X\r\n\r\n");
                    while stream.write_all(&[b'x'; 4096]).is_ok() {}
                })
            },
            Some("incorrectResponse"),
        ),
        ("no word", &|_| Box::new(|_| {}), Some("connection")),
        ("another host", &|token| redirected(format!("http://127.0.0.2/{token}")), Some("incorrectResponse")),
        (
            "another port",
            &|token| redirected(format!("http://{HOSTNAME}:{port}/{token}")),
            Some("incorrectResponse"),
        ),
        (
            "in a circle",
            &|token| redirected(format!("/.well-known/acme-challenge/{token}")),
            Some("incorrectResponse"),
        ),
        ("a line behind it", &|token| answering(authorization(&client, token) + "\r\n"), None),
        ("another path", &|_| redirected("/moved".into()), None),
    ];
    for (number, (what, answer, expected)) in (1..).zip(all) {
        client.from.set(number);
        let (order, pending) = ordered(&client);
        let http = challenge(&pending, "http-01");
        let token = http["token"].as_str().unwrap();
        answers.lock().unwrap().insert(token.into(), answer(token));
        answers.lock().unwrap().insert("/moved".into(), answering(authorization(&client, token)));
        let outcome = decided(&client, http);
        let Some(expected) = expected else {
            assert_eq!(outcome["status"], json!("valid"), "{what}: {outcome}");
            continue;
        };
        assert_eq!(why(&outcome), expected, "{what}: {outcome}");
        let now = client.at(&order["authorizations"][0], &Value::Null).json();
        assert_eq!(now["status"], json!("invalid"), "{what}");
        assert_eq!(client.at(&order["url"], &Value::Null).json()["status"], json!("invalid"), "{what}");
        let request = request(&world.portal, "db", &[HOSTNAME], &[]);
        refused(&client.at(&order["finalize"], &json!({ "csr": request })), 403, "orderNotReady");
        // Said again, nothing changes: another order is another chance.
        assert_eq!(client.at(&http["url"], &json!({})).json()["status"], json!("invalid"), "{what}");
    }
    assert_eq!((trap.visits(), elsewhere.visits()), (0, 0));
    assert_eq!(told(&world.portal, "server certificate"), 0);
}

/// A host that speaks HTTPS with this chain and key, and answers every request with this body.
fn speaking_https(port: u16, (chain, key): (&str, &str), body: String) {
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = Arc::new(config.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut tls = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            if tls.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                let head =
                    format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = tls.write_all((head + &body).as_bytes());
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
}

#[test]
fn a_redirect_to_https_is_followed_where_the_own_authority_vouches_for_the_host() {
    for is_own in [true, false] {
        let world = at_home();
        let client = account(&world, "db", &[HOSTNAME]);
        let (chain, key) = if is_own {
            let san = format!("dns:{HOSTNAME}");
            world.portal.countersign(&["ca", "issue", "--san", &san, "--out", "inner"]).ok();
            let read = |extension: &str| world.portal.sandbox.read(&format!("inner/{HOSTNAME}.{extension}"));
            (read("pem"), read("key"))
        } else {
            let other = testkit::TestCa::new("Another authority").issue_server(HOSTNAME);
            (other.chain_pem.clone(), other.key_pem.clone())
        };
        let (_host, answers) = obedient(world.http);
        let (_, pending) = ordered(&client);
        let http = challenge(&pending, "http-01");
        let token = http["token"].as_str().unwrap();
        speaking_https(world.tls, (&chain, &key), authorization(&client, token));
        let to = format!("location: https://{HOSTNAME}/{token}\r\n");
        answers.lock().unwrap().insert(token.into(), Box::new(move |stream| given(stream, 301, &to, b"")));
        let outcome = decided(&client, http);
        if is_own {
            assert_eq!(outcome["status"], json!("valid"), "{outcome}");
        } else {
            assert_eq!(why(&outcome), "tls", "{outcome}");
        }
    }
}

#[test]
fn a_host_that_never_answers_and_one_that_is_not_there_prove_nothing() {
    let world = at_home();
    let client = account(&world, "db", &[HOSTNAME]);
    let (_, pending) = ordered(&client);
    let absent = decided(&client, challenge(&pending, "http-01"));
    assert_eq!(why(&absent), "connection", "{absent}");
    let (_host, answers) = obedient(world.http);
    let (_, pending) = ordered(&client);
    let http = challenge(&pending, "http-01");
    let kept = Arc::new(Mutex::new(Vec::new()));
    let silent = kept.clone();
    let slow = move |stream: &mut TcpStream| silent.lock().unwrap().push(stream.try_clone().unwrap());
    answers.lock().unwrap().insert(http["token"].as_str().unwrap().into(), Box::new(slow));
    let outcome = decided(&client, http);
    assert_eq!(why(&outcome), "connection", "{outcome}");
    assert!(outcome["error"]["detail"].as_str().unwrap().contains("within"), "{outcome}");
    assert_eq!(kept.lock().unwrap().len(), 1, "it is asked once");
}

#[test]
fn a_name_is_resolved_once_and_nobody_outside_the_listed_networks_is_asked() {
    let v4 = |last: u8| IpAddr::from([127, 0, 0, last]);
    // The first name leads elsewhere from the second time on; the others lead there at once, or there too.
    let world = inside(move |name, times| match name {
        HOSTNAME if times == 0 => vec![v4(1)],
        "both.inside.test" => vec![v4(1), v4(2)],
        "six.inside.test" => vec![v4(1), "::1".parse().unwrap()],
        "nowhere.inside.test" => vec![],
        _ => vec![v4(2)],
    });
    let names = [HOSTNAME, "both.inside.test", "six.inside.test", "nowhere.inside.test", "there.inside.test"];
    let client = account(&world, "db", &names);
    let (_host, answers) = obedient(world.http);
    let trap = Host::at(("127.0.0.2", world.http), |_, stream| given(stream, 200, "", b""));
    let (_, pending) = ordered(&client);
    let http = challenge(&pending, "http-01");
    let token = http["token"].as_str().unwrap();
    answers.lock().unwrap().insert(token.into(), answering(authorization(&client, token)));
    assert_eq!(decided(&client, http)["status"], json!("valid"));
    assert_eq!((world.resolver.times(HOSTNAME, 1), world.resolver.times(HOSTNAME, 28)), (1, 1));
    for name in names {
        for way in ["http-01", "tls-alpn-01"] {
            let order = client.order(&[name]).json();
            let pending = client.at(&order["authorizations"][0], &Value::Null).json();
            let outcome = decided(&client, challenge(&pending, way));
            assert_eq!(why(&outcome), "dns", "{name} {way}: {outcome}");
        }
    }
    assert_eq!(trap.visits(), 0);
}

/// A host that speaks TLS, as often as it is asked.
struct TlsHost {
    config: Arc<Mutex<Arc<ServerConfig>>>,
}

impl TlsHost {
    fn start(port: u16, config: &ServerConfig) -> Self {
        let host = Self { config: Arc::new(Mutex::new(Arc::new(config.clone()))) };
        let shared = host.config.clone();
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let config = shared.lock().unwrap().clone();
                std::thread::spawn(move || {
                    let mut connection = ServerConnection::new(config).unwrap();
                    while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
                    let _ = connection.complete_io(&mut stream);
                });
            }
        });
        host
    }

    /// From here on it shows what another would.
    fn is(&self, other: &ServerConfig) {
        *self.config.lock().unwrap() = Arc::new(other.clone());
    }
}

/// How a host shows the certificate of a challenge for this name with this key authorization.
fn shown(name: &str, authorization: &str, protocols: &[&[u8]]) -> ServerConfig {
    let key = authority::keys::generate(authority::KeyType::EcdsaP256).unwrap();
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, authorization.as_bytes()).as_ref());
    let now = testkit::times::clock();
    let der = authority::challenge::tls_alpn_certificate(&key, name, &hash, now).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let pkcs8 = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.pkcs8().to_vec()));
    let key = provider.key_provider.load_private_key(pkcs8).unwrap();
    // The TLS library would refuse the certificate, whose extension it does not know.
    let own = SingleCertAndKey::from(CertifiedKey::new(vec![CertificateDer::from(der)], key));
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.unwrap().with_no_client_auth().with_cert_resolver(Arc::new(own));
    config.alpn_protocols = protocols.iter().map(|one| one.to_vec()).collect();
    config
}

#[test]
fn by_tls_alpn_01_a_host_shows_the_certificate_of_its_own_challenge_and_no_other() {
    let world = at_home();
    let (client, other) = (account(&world, "db", &[HOSTNAME]), account(&world, "db2", &[HOSTNAME]));
    let host = TlsHost::start(world.tls, &shown(HOSTNAME, "", &[]));
    let acme: &[&[u8]] = &[b"acme-tls/1"];
    let other_one: &[&[u8]] = &[b"h2"];
    for (what, name, whose, protocols, expected) in [
        ("its own", HOSTNAME, &client, acme, None),
        ("another account's", HOSTNAME, &other, acme, Some("incorrectResponse")),
        ("another name's", "other.inside.test", &client, acme, Some("incorrectResponse")),
        ("any protocol", HOSTNAME, &client, &[][..], Some("tls")),
        ("another protocol", HOSTNAME, &client, other_one, Some("tls")),
    ] {
        let (_, pending) = ordered(&client);
        let tls = challenge(&pending, "tls-alpn-01");
        host.is(&shown(name, &authorization(whose, tls["token"].as_str().unwrap()), protocols));
        let outcome = decided(&client, tls);
        match expected {
            None => assert_eq!(outcome["status"], json!("valid"), "{what}: {outcome}"),
            Some(expected) => assert_eq!(why(&outcome), expected, "{what}: {outcome}"),
        }
    }
}

#[test]
fn a_server_certificate_is_given_back_by_its_account_or_key_and_no_list_names_it() {
    let world = at_home();
    let portal = &world.portal;
    let (client, other) = (account(&world, "db", &[HOSTNAME]), account(&world, "web", &["web.inside.test"]));
    let (_host, answers) = obedient(world.http);
    let proved = || {
        let (order, pending) = ordered(&client);
        let http = challenge(&pending, "http-01");
        let token = http["token"].as_str().unwrap();
        answers.lock().unwrap().insert(token.into(), answering(authorization(&client, token)));
        assert_eq!(decided(&client, http)["status"], json!("valid"));
        order
    };
    let finalized = |csr: &str| client.at(&proved()["finalize"], &json!({ "csr": csr }));
    let request = request(portal, "db", &[HOSTNAME], &[]);
    let done = finalized(&request).json();
    let chain = client.at(&done["certificate"], &Value::Null).text();
    let first = pem::certificates(chain.as_bytes()).unwrap().swap_remove(0);
    let window = || {
        let told = client.get(&format!("renewal-info/{}", certificates::certificate_id(&first)), &[]);
        assert_eq!(told.status, 200, "{}", told.text());
        told.json()["suggestedWindow"]["end"].as_str().unwrap().to_owned()
    };
    assert!(window() > testkit::times::clock().plus(50 * testkit::times::DAY).to_string());
    let asked = |reason: u8| json!({ "certificate": packed(&first.der), "reason": reason });
    refused(&other.post("revoke-certificate", &asked(1)), 403, "unauthorized");
    let stranger = Acme::new(portal, world.port, Key::p256());
    refused(&stranger.post("revoke-certificate", &asked(1)), 403, "unauthorized");
    refused(&client.post("revoke-certificate", &asked(2)), 400, "badRevocationReason");
    // Another certificate with the same key, before that is compromised.
    assert_eq!(finalized(&request).status, 200);
    assert_eq!(client.post("revoke-certificate", &asked(1)).status, 200);
    refused(&client.post("revoke-certificate", &asked(1)), 400, "alreadyRevoked");
    assert!(window() < testkit::times::clock().to_string(), "clients are told to renew");
    refused(&finalized(&request), 400, "badCSR");
    assert_eq!(told(portal, "given back for key-compromise"), 1);
    // Suspended, its party gets none.
    let order = proved();
    portal.countersign(&["party", "suspend", "db"]).ok();
    let fresh = super::request(portal, "fresh", &[HOSTNAME], &[]);
    refused(&client.at(&order["finalize"], &json!({ "csr": fresh })), 403, "unauthorized");
}

#[test]
fn an_invite_for_server_certificates_says_whose_and_where_hosts_may_be() {
    let world = at_home();
    let base = ["party", "invite", "db", "--profile", "server"];
    for (more, exit, word) in [
        (&["--acme"][..], 2, "no host is named"),
        (&["--acme", "--name", "*.inside.test"], 2, "wildcard"),
        (&["--acme", "--name", "portal.test"], 2, "host of the gate itself"),
        (&["--acme", "--name", "LOCALHOST"], 2, "host of the gate itself"),
        (&["--acme", "--name", "db inside"], 2, "lower-case"),
        (&["--site", "portal.test"], 2, "no profile `server`"),
    ] {
        let refused = world.portal.countersign(&[&base[..], more].concat()).exited(exit);
        assert!(refused.stderr.contains(word), "{more:?}: {}", refused.story());
    }
    let made = world.portal.countersign(&[&base[..], &["--acme", "--name", "DB.inside.test"]].concat()).ok();
    assert!(made.stdout.contains("names      db.inside.test\n"), "{}", made.story());
    assert!(made.stderr.contains("new server CA that may also name db.inside.test"), "{}", made.story());

    let (portal, port) = started();
    let refused = portal.countersign(&[&base[..], &["--acme", "--name", HOSTNAME]].concat()).exited(3);
    assert!(refused.stderr.contains("server_networks"), "{}", refused.story());
    let told = Acme::new(&portal, port, Key::p256()).get("directory", &[]).json();
    assert!(told["meta"]["profiles"].get("server").is_none(), "{told}");
}

#[test]
fn where_the_networks_are_taken_away_no_host_is_asked_and_nothing_is_issued() {
    let world = at_home();
    let client = account(&world, "db", &[HOSTNAME]);
    let (host, _answers) = obedient(world.http);
    let (_, pending) = ordered(&client);
    let text = world.portal.sandbox.read("countersign.toml");
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("server_")).collect();
    world.portal.sandbox.write("countersign.toml", kept.join("\n"));
    refused(&client.at(&challenge(&pending, "http-01")["url"], &json!({})), 403, "unauthorized");
    refused(&client.order(&[HOSTNAME]), 400, "invalidProfile");
    assert_eq!(host.visits(), 0);
}
