//! ACME (RFC 8555) with the clients that people have: certbot, lego, dehydrated and `instant-acme` fetch, renew and revoke a
//! client certificate, which enters.

use std::path::Path;
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use examiner::cert::pem;
use http::header::HOST as HOST_FIELD;
use http::{HeaderValue, Request};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use instant_acme::{
    Account, BodyWrapper, BytesResponse, Error, ExternalAccountKey, HttpClient, Identifier, NewAccount,
    NewOrder, OrderStatus, RevocationReason, RevocationRequest,
};
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use testkit::{Portal, eventually, free_port, process};

use super::acme_raw::{NAME, bind};
use super::enrolment::{HOST, records, started};

/// A client's command, in the sandbox, trusting ca.pem; what it said.
#[track_caller]
pub fn client(portal: &Portal, program: &str, args: &[&str]) -> String {
    let root = portal.sandbox.path("ca.pem");
    let mut command = Command::new(program);
    command.current_dir(portal.sandbox.dir()).args(args);
    command
        .env("REQUESTS_CA_BUNDLE", &root)
        .env("LEGO_CA_CERTIFICATES", &root)
        .env("HOME", portal.sandbox.dir());
    let output = process::run(&mut command, b"", Duration::from_secs(120));
    assert_eq!(output.code, 0, "{}", output.story());
    output.both()
}

pub fn text<'a>(made: &'a Value, field: &str) -> &'a str {
    made[field].as_str().unwrap()
}

/// Puts a client's files where the portal's curl looks, and enters with them.
fn enters(portal: &Portal, name: &str, certificate: &Path, key: &Path) -> u16 {
    for (file, extension) in [(certificate, "pem"), (key, "key")] {
        let content = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        portal.sandbox.write(&format!("{name}.{extension}"), content);
    }
    portal.curl(Some(name), "/", &[]).status
}

/// Waits until the certificate NAME.pem enters no more.
fn is_revoked(portal: &Portal, name: &str) {
    eventually("the gate refuses what was revoked", || {
        let answer = portal.curl(Some(name), "/", &[]);
        (answer.status == 403 && answer.code() == "revoked").then_some(())
    });
}

/// The labels of the party's certificates that are valid, and of those that are not.
fn counted(portal: &Portal) -> (usize, usize) {
    let all = records(portal, "svc");
    assert!(all.iter().all(|one| one["profile"] == "service"), "{all:?}");
    let revoked = all.iter().filter(|one| !one["revoked"].is_null()).count();
    (all.len() - revoked, revoked)
}

#[test]
fn certbot_fetches_renews_and_revokes() {
    let (portal, port) = started();
    let made = bind(&portal, "svc", &[]);
    let web = free_port().to_string();
    let server = text(&made, "directory");
    assert_eq!(server, format!("https://{HOST}:{port}/acme/directory"));
    let places = ["--config-dir", "certbot", "--work-dir", "certbot/work", "--logs-dir", "certbot/logs"];
    let base = ["--non-interactive", "--server", server];
    let run = |args: &[&str]| client(&portal, "certbot", &[args, &base[..], &places[..]].concat());
    let account = ["--agree-tos", "-m", "ops@example.test", "--no-eff-email"];
    let binding = ["--eab-kid", text(&made, "kid"), "--eab-hmac-key", text(&made, "hmac_key")];
    let standalone = ["--standalone", "--http-01-port", &web];
    run(&[&["certonly", "--cert-name", "svc", "-d", NAME], &account[..], &binding[..], &standalone[..]]
        .concat());
    let live = portal.sandbox.path("certbot/live/svc");
    let files = || (live.join("fullchain.pem"), live.join("privkey.pem"));
    let (certificate, key) = files();
    assert_eq!(enters(&portal, "first", &certificate, &key), 200);

    run(&["renew", "--force-renewal", "--no-random-sleep-on-renew"]);
    assert_eq!(enters(&portal, "second", &certificate, &key), 200);
    assert_ne!(portal.sandbox.read("first.pem"), portal.sandbox.read("second.pem"));
    assert_eq!(counted(&portal), (2, 0));

    run(&["revoke", "--cert-name", "svc", "--reason", "superseded", "--no-delete-after-revoke"]);
    is_revoked(&portal, "second");
    // With the certificate's own key, as who has no account.
    let own = ["revoke", "--cert-path", "first.pem", "--key-path", "first.key", "--no-delete-after-revoke"];
    run(&own);
    is_revoked(&portal, "first");
    assert_eq!(counted(&portal), (0, 2));
    run(&["update_account", "-m", "night@example.test"]);
    run(&["unregister"]);
}

#[test]
fn lego_fetches_renews_and_revokes() {
    let (portal, _) = started();
    let made = bind(&portal, "svc", &[]);
    let web = format!("127.0.0.1:{}", free_port());
    let base = [
        "--server",
        text(&made, "directory"),
        "--email",
        "ops@example.test",
        "--accept-tos",
        "--path",
        "lego",
    ];
    let binding = ["--eab", "--kid", text(&made, "kid"), "--hmac", text(&made, "hmac_key")];
    let more = ["--domains", NAME, "--http", "--http.port", &web];
    let run = |args: &[&str]| client(&portal, "lego", &[&base[..], &binding[..], &more[..], args].concat());
    run(&["run"]);
    let folder = portal.sandbox.path("lego/certificates");
    let (certificate, key) = (folder.join(format!("{NAME}.crt")), folder.join(format!("{NAME}.key")));
    assert_eq!(enters(&portal, "first", &certificate, &key), 200);
    run(&["renew", "--days", "365", "--no-random-sleep"]);
    assert_eq!(enters(&portal, "second", &certificate, &key), 200);
    assert_ne!(portal.sandbox.read("first.pem"), portal.sandbox.read("second.pem"));
    run(&["renew", "--days", "365", "--reuse-key", "--no-random-sleep"]);
    assert_eq!(enters(&portal, "third", &certificate, &key), 200);
    assert_eq!(portal.sandbox.read("second.key"), portal.sandbox.read("third.key"));
    run(&["revoke", "--reason", "5", "--keep"]);
    is_revoked(&portal, "third");
    assert_eq!(counted(&portal), (2, 1));
}

#[test]
fn dehydrated_fetches_renews_and_revokes() {
    let (portal, _) = started();
    let made = bind(&portal, "svc", &[]);
    let directory = portal.sandbox.dir().display();
    let config = format!(
        "CA=\"{}\"\nEAB_KID=\"{}\"\nEAB_HMAC_KEY=\"{}\"\nBASEDIR=\"{directory}/dehydrated\"\n\
         WELLKNOWN=\"{directory}/dehydrated/www\"\nCURL_OPTS=\"--cacert {directory}/ca.pem\"\n\
         CONTACT_EMAIL=\"ops@example.test\"\n",
        text(&made, "directory"),
        text(&made, "kid"),
        text(&made, "hmac_key"),
    );
    std::fs::create_dir_all(portal.sandbox.path("dehydrated/www")).unwrap();
    portal.sandbox.write("dehydrated.conf", config);
    portal.sandbox.write("dehydrated/domains.txt", format!("{NAME}\n"));
    let run =
        |args: &[&str]| client(&portal, "dehydrated", &[&["--config", "dehydrated.conf"], args].concat());
    run(&["--register", "--accept-terms"]);
    run(&["--cron"]);
    let folder = portal.sandbox.path(&format!("dehydrated/certs/{NAME}"));
    let (certificate, key) = (folder.join("fullchain.pem"), folder.join("privkey.pem"));
    assert_eq!(enters(&portal, "first", &certificate, &key), 200);
    run(&["--cron", "--force"]);
    assert_eq!(enters(&portal, "second", &certificate, &key), 200);
    assert_ne!(portal.sandbox.read("first.pem"), portal.sandbox.read("second.pem"));
    run(&["--revoke", &folder.join("cert.pem").display().to_string()]);
    is_revoked(&portal, "second");
    assert_eq!(counted(&portal), (1, 1));
}

/// What carries `instant-acme`'s requests: one connection each, to a server with a certificate of ca.pem.
#[derive(Clone)]
pub struct Http(Arc<rustls::ClientConfig>);

impl Http {
    pub fn trusting(root: &str) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        for one in pem::certificates(root.as_bytes()).unwrap() {
            roots.add(CertificateDer::from(one.der.to_vec())).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        Self(Arc::new(config.unwrap().with_root_certificates(roots).with_no_client_auth()))
    }

    async fn exchange(self, mut request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
        let other = |error: Box<dyn std::error::Error + Send + Sync>| Error::Other(error);
        let port = request.uri().port_u16().unwrap();
        let stream =
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.map_err(|e| other(e.into()))?;
        let name = ServerName::try_from(HOST).unwrap();
        let connector = tokio_rustls::TlsConnector::from(self.0);
        let stream = connector.connect(name, stream).await.map_err(|e| other(e.into()))?;
        let authority = request.uri().authority().unwrap().to_string();
        request.headers_mut().insert(HOST_FIELD, HeaderValue::try_from(authority).unwrap());
        *request.uri_mut() = request.uri().path().parse().unwrap();
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|e| other(e.into()))?;
        tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(|e| other(e.into()))?;
        Ok(BytesResponse::from(answer))
    }
}

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        Box::pin(self.clone().exchange(request))
    }
}

#[test]
fn instant_acme_fetches_renews_and_revokes() {
    let (portal, _) = started();
    let made = bind(&portal, "svc", &[]);
    let http = Http::trusting(&portal.sandbox.read("ca.pem"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (first, next) = runtime.block_on(async {
        let secret = BASE64URL_NOPAD.decode(text(&made, "hmac_key").as_bytes()).unwrap();
        let binding = ExternalAccountKey::new(text(&made, "kid").into(), &secret);
        let wanted = NewAccount {
            contact: &["mailto:ops@example.test"],
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let builder = Account::builder_with_http(Box::new(http));
        let made = builder.create(&wanted, text(&made, "directory").into(), Some(&binding)).await;
        let (mut account, _) = made.unwrap();
        assert!(account.profiles().any(|profile| profile.name == "service"));

        let names = [Identifier::Dns(NAME.into())];
        let mut order = account.new_order(&NewOrder::new(&names).profile("service")).await.unwrap();
        assert_eq!(order.state().status, OrderStatus::Ready);
        let key = order.finalize().await.unwrap();
        let first = order.certificate().await.unwrap().unwrap();
        portal.sandbox.write("first.pem", &first);
        portal.sandbox.write("first.key", key);

        account.update_contacts(&["mailto:night@example.test"]).await.unwrap();
        drop(account.update_key().await.unwrap());
        let old = pem::certificates(first.as_bytes()).unwrap().swap_remove(0);
        let id = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(old.authority_key_id.as_deref().unwrap()),
            BASE64URL_NOPAD.encode(&old.serial)
        );
        let id = serde_json::Value::String(id).to_string();
        let replacing = NewOrder::new(&names).replaces(serde_json::from_str(&id).unwrap());
        let mut order = account.new_order(&replacing).await.unwrap();
        let key = order.finalize().await.unwrap();
        let next = order.certificate().await.unwrap().unwrap();
        portal.sandbox.write("next.pem", &next);
        portal.sandbox.write("next.key", key);

        let certificate = CertificateDer::from(old.der.to_vec());
        let reason = Some(RevocationReason::Superseded);
        account.revoke(&RevocationRequest { certificate: &certificate, reason }).await.unwrap();
        let others = [Identifier::Dns("bob.machines.test".into())];
        let refused = account.new_order(&NewOrder::new(&others)).await.map(drop).unwrap_err();
        assert!(refused.to_string().contains("not authorised"), "{refused}");
        account.deactivate().await.unwrap();
        (first, next)
    });
    assert_ne!(first, next);
    is_revoked(&portal, "first");
    assert_eq!(portal.curl(Some("next"), "/", &[]).status, 200);
    assert_eq!(counted(&portal), (1, 1));
}
