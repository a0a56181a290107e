//! Server certificates of hosts inside by ACME, with the clients that people have: certbot, lego, dehydrated and `instant-acme`
//! prove a name by http-01 or tls-alpn-01, and fetch, renew and revoke its certificate.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use instant_acme::{
    Account, ChallengeType, ExternalAccountKey, Identifier, NewAccount, NewOrder, OrderStatus, RetryPolicy,
    RevocationReason, RevocationRequest,
};
use serde_json::Value;
use testkit::{Portal, free_port, openssl};

use super::acme_clients::{Http, client, text};
use super::check_serve::resolver::Resolver;
use super::enrolment::HOST;
use crate::support::binary;

/// A host inside.
pub const NAME: &str = "db.inside.test";

/// A portal whose enrolment address gives server certificates to hosts at 127.0.0.1.
pub struct Inside {
    pub portal: Portal,
    /// The enrolment address's port.
    pub port: u16,
    /// Where hosts are asked by http-01 and by tls-alpn-01.
    pub http: u16,
    pub tls: u16,
    pub resolver: Resolver,
}

/// With a resolver that answers so; see [`Resolver::start`].
pub fn inside(answer: impl Fn(&str, usize) -> Vec<IpAddr> + Send + 'static) -> Inside {
    inside_at((free_port(), free_port()), answer)
}

/// The same with hosts that are asked at these ports, by http-01 and by tls-alpn-01.
pub fn inside_at(
    (http, tls): (u16, u16),
    answer: impl Fn(&str, usize) -> Vec<IpAddr> + Send + 'static,
) -> Inside {
    let port = free_port();
    let resolver = Resolver::start(answer);
    let enrol = format!(
        "[enrol]\nlisten = \"127.0.0.1:{port}\"\nurl = \"https://{HOST}:{port}\"\nserver_networks = [\"127.0.0.1\"]\n\
         server_resolver = \"{}\"\nserver_http_port = {http}\nserver_tls_port = {tls}\n",
        resolver.at
    );
    let mut portal = Portal::build(&binary()).extra_toml(&enrol).prepare();
    portal.start_gate();
    Inside { portal, port, http, tls, resolver }
}

/// Every name is at 127.0.0.1.
pub fn at_home() -> Inside {
    inside(|_, _| vec![IpAddr::from([127, 0, 0, 1])])
}

/// A binding for server certificates of these hosts.
pub fn bind(portal: &Portal, party: &str, names: &[&str]) -> Value {
    let mut args = vec!["party", "invite", party, "--acme", "--profile", "server", "--json"];
    names.iter().for_each(|name| args.extend(["--name", name]));
    portal.countersign(&args).ok().json()
}

/// A web server inside, which answers each path in its own way and counts who comes.
pub struct Host {
    visits: Arc<AtomicUsize>,
}

impl Host {
    /// On this port of 127.0.0.1.
    pub fn start(port: u16, answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::at(("127.0.0.1", port), answer)
    }

    /// At this address.
    pub fn at(at: (&str, u16), answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(at).unwrap();
        let (visits, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(answer));
        let count = visits.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                std::thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                    let path = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned));
                    lines.take_while(|line| !line.is_empty()).for_each(drop);
                    answer(&path.unwrap_or_default(), &mut stream);
                });
            }
        });
        Self { visits }
    }

    /// One that gives the files of a folder.
    pub fn with_files(port: u16, folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self::start(port, move |path, stream| {
            let content = std::fs::read(folder.join(path.trim_start_matches('/')));
            given(stream, if content.is_ok() { 200 } else { 404 }, "", &content.unwrap_or_default());
        })
    }

    pub fn visits(&self) -> usize {
        self.visits.load(Ordering::SeqCst)
    }
}

/// Answers with this status, these further header lines and this body.
pub fn given(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

/// That this chain and key serve NAME, for who trusts the root alone; the certificate's serial number.
#[track_caller]
pub fn serves(portal: &Portal, chain: &Path, key: &Path) -> String {
    let (dir, chain, key) = (portal.sandbox.dir(), chain.display().to_string(), key.display().to_string());
    let base = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem", "-untrusted", &chain];
    openssl(dir, &[&base[..], &["-verify_hostname", NAME, &chain]].concat(), b"").ok();
    openssl(
        dir,
        &["verify", "-purpose", "sslclient", "-CAfile", "ca.pem", "-untrusted", &chain, &chain],
        b"",
    )
    .exited(2);
    let public = openssl(dir, &["pkey", "-in", &key, "-pubout"], b"").ok().stdout;
    assert_eq!(public, openssl(dir, &["x509", "-in", &chain, "-noout", "-pubkey"], b"").ok().stdout);
    openssl(dir, &["x509", "-in", &chain, "-noout", "-serial"], b"").ok().stdout
}

/// How often the audit log has these words.
pub fn told(portal: &Portal, words: &str) -> usize {
    let log = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().json();
    let details = log.as_array().unwrap().iter().filter_map(|one| one["detail"].as_str());
    details.filter(|detail| detail.contains(words)).count()
}

#[test]
fn certbot_proves_a_host_by_http_01_and_renews_and_revokes() {
    let world = at_home();
    let (portal, web) = (&world.portal, world.http.to_string());
    let made = bind(portal, "db", &[NAME]);
    let places = ["--config-dir", "certbot", "--work-dir", "certbot/work", "--logs-dir", "certbot/logs"];
    let base = ["--non-interactive", "--server", text(&made, "directory")];
    let run = |args: &[&str]| client(portal, "certbot", &[args, &base[..], &places[..]].concat());
    let binding = ["--eab-kid", text(&made, "kid"), "--eab-hmac-key", text(&made, "hmac_key")];
    let account = ["--agree-tos", "-m", "ops@example.test", "--no-eff-email"];
    let standalone = ["--standalone", "--http-01-port", &web, "--http-01-address", "127.0.0.1"];
    run(&[&["certonly", "--cert-name", "db", "-d", NAME], &account[..], &binding, &standalone].concat());
    let live = portal.sandbox.path("certbot/live/db");
    let (chain, key) = (live.join("fullchain.pem"), live.join("privkey.pem"));
    let first = serves(portal, &chain, &key);
    run(&["renew", "--force-renewal", "--no-random-sleep-on-renew"]);
    assert_ne!(serves(portal, &chain, &key), first);
    assert_eq!(told(portal, "server certificate for db.inside.test issued"), 2);
    run(&["revoke", "--cert-name", "db", "--reason", "keycompromise", "--no-delete-after-revoke"]);
    assert_eq!(told(portal, "given back for key-compromise"), 1);
    // It proved a name for its binding's host alone.
    assert_eq!(world.resolver.times(NAME, 1), 2);
}

#[test]
fn lego_proves_a_host_by_http_01_and_by_tls_alpn_01() {
    let world = at_home();
    let portal = &world.portal;
    let (web, tls) = (format!("127.0.0.1:{}", world.http), format!("127.0.0.1:{}", world.tls));
    for (party, folder, way) in
        [("db", "by-http", ["--http", "--http.port", &web]), ("db2", "by-tls", ["--tls", "--tls.port", &tls])]
    {
        let made = bind(portal, party, &[NAME]);
        let base = ["--server", text(&made, "directory"), "--email", "ops@example.test", "--accept-tos"];
        let binding = ["--eab", "--kid", text(&made, "kid"), "--hmac", text(&made, "hmac_key")];
        let more = ["--domains", NAME, "--path", folder];
        let run = |args: &[&str]| client(portal, "lego", &[&base[..], &binding, &more, &way, args].concat());
        run(&["run"]);
        let kept = portal.sandbox.path(&format!("{folder}/certificates"));
        let (chain, key) = (kept.join(format!("{NAME}.crt")), kept.join(format!("{NAME}.key")));
        let first = serves(portal, &chain, &key);
        run(&["renew", "--days", "365", "--no-random-sleep"]);
        assert_ne!(serves(portal, &chain, &key), first, "{folder}");
        run(&["revoke", "--keep"]);
    }
    assert_eq!(told(portal, "server certificate for db.inside.test issued"), 4);
    assert_eq!(told(portal, "given back for unspecified"), 2);
}

#[test]
fn dehydrated_proves_a_host_by_files_of_its_web_server() {
    let world = at_home();
    let portal = &world.portal;
    let made = bind(portal, "db", &[NAME]);
    let directory = portal.sandbox.dir().display();
    let config = format!(
        "CA=\"{}\"\nEAB_KID=\"{}\"\nEAB_HMAC_KEY=\"{}\"\nBASEDIR=\"{directory}/dehydrated\"\n\
         WELLKNOWN=\"{directory}/www/.well-known/acme-challenge\"\nCURL_OPTS=\"--cacert {directory}/ca.pem\"\n",
        text(&made, "directory"),
        text(&made, "kid"),
        text(&made, "hmac_key"),
    );
    std::fs::create_dir_all(portal.sandbox.path("www/.well-known/acme-challenge")).unwrap();
    std::fs::create_dir_all(portal.sandbox.path("dehydrated")).unwrap();
    portal.sandbox.write("dehydrated.conf", config);
    portal.sandbox.write("dehydrated/domains.txt", format!("{NAME}\n"));
    let host = Host::with_files(world.http, &portal.sandbox.path("www"));
    let run =
        |args: &[&str]| client(portal, "dehydrated", &[&["--config", "dehydrated.conf"], args].concat());
    run(&["--register", "--accept-terms"]);
    run(&["--cron"]);
    let folder = portal.sandbox.path(&format!("dehydrated/certs/{NAME}"));
    let (chain, key) = (folder.join("fullchain.pem"), folder.join("privkey.pem"));
    let first = serves(portal, &chain, &key);
    run(&["--cron", "--force"]);
    assert_ne!(serves(portal, &chain, &key), first);
    run(&["--revoke", &folder.join("cert.pem").display().to_string()]);
    assert_eq!(told(portal, "given back for unspecified"), 1);
    assert!(host.visits() >= 2, "each order is proved anew");
}

#[test]
fn instant_acme_proves_a_host_by_http_01() {
    let world = at_home();
    let portal = &world.portal;
    let made = bind(portal, "db", &[NAME]);
    let folder = portal.sandbox.path("www");
    let challenges = folder.join(".well-known/acme-challenge");
    std::fs::create_dir_all(&challenges).unwrap();
    let host = Host::with_files(world.http, &folder);
    let http = Http::trusting(&portal.sandbox.read("ca.pem"));
    testkit::block_on(async {
        let secret = BASE64URL_NOPAD.decode(text(&made, "hmac_key").as_bytes()).unwrap();
        let binding = ExternalAccountKey::new(text(&made, "kid").into(), &secret);
        let wanted = NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
        let builder = Account::builder_with_http(Box::new(http));
        let made = builder.create(&wanted, text(&made, "directory").into(), Some(&binding)).await;
        let (account, _) = made.unwrap();
        assert!(account.profiles().any(|profile| profile.name == "server"));
        let names = [Identifier::Dns(NAME.into())];
        let mut order = account.new_order(&NewOrder::new(&names).profile("server")).await.unwrap();
        assert_eq!(order.state().status, OrderStatus::Pending);
        let mut authorisations = order.authorizations();
        let mut one = authorisations.next().await.unwrap().unwrap();
        let mut challenge = one.challenge(ChallengeType::Http01).unwrap();
        std::fs::write(challenges.join(&challenge.token), challenge.key_authorization().as_str()).unwrap();
        challenge.set_ready().await.unwrap();
        let patience = &RetryPolicy::new().timeout(Duration::from_secs(60));
        let status = order.poll_ready(patience).await.unwrap();
        assert_eq!(status, OrderStatus::Ready);
        let key = order.finalize().await.unwrap();
        let chain = order.poll_certificate(patience).await.unwrap();
        portal.sandbox.write("db.pem", &chain);
        portal.sandbox.write("db.key", key);
        let der = examiner::cert::pem::certificates(chain.as_bytes()).unwrap()[0].der.to_vec();
        let certificate = der.into();
        let reason = Some(RevocationReason::Superseded);
        account.revoke(&RevocationRequest { certificate: &certificate, reason }).await.unwrap();
    });
    serves(portal, &portal.sandbox.path("db.pem"), &portal.sandbox.path("db.key"));
    assert_eq!((host.visits(), told(portal, "given back for superseded")), (1, 1));
}
