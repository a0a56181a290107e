//! Notices that certificates end: by mail and by webhook, at 30, 14 and 3 days, each once.

mod sinks;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use sinks::{MailSink, Manner, Posted, WebSink};
use testkit::{Leaf, Output, Portal, PortalBuilder, TestCa, eventually, process};

use crate::support::binary;

const PATIENCE: Duration = Duration::from_secs(120);

fn mail(server: &MailSink, more: &str) -> String {
    let port = server.port();
    format!(
        "[notify.mail]\nserver = \"127.0.0.1:{port}\"\nfrom = \"gate@lab.test\"\nto = [\"ops@lab.test\", \"more@lab.test\"]\n{more}\n"
    )
}

fn plainly(server: &MailSink) -> PortalBuilder {
    Portal::build(&binary()).extra_toml(&mail(server, "tls = \"none\""))
}

fn add(portal: &Portal, name: &str, days: u32) {
    let days = days.to_string();
    portal.countersign(&["party", "add", name, "--site", "portal.test", "--days", &days]).ok();
}

fn send(portal: &Portal) -> Output {
    portal.countersign(&["notices", "--json"])
}

/// Debian's libfaketime.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("/usr/lib").flatten().map(|entry| entry.path());
    let mut places = folders.map(|folder| folder.join("faketime/libfaketime.so.1"));
    places.find(|place| place.exists()).expect("libfaketime; Debian's package `faketime`")
}

/// The same, so many hours later.
fn send_after(portal: &Portal, hours: u32) -> Output {
    let mut command: Command = portal.sandbox.command(&["notices", "--json"]);
    command.env("LD_PRELOAD", faketime()).env("FAKETIME", format!("+{hours}h"));
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    process::run(&mut command, b"", PATIENCE)
}

/// How many were sent, on the only channel.
fn sent(output: Output) -> u64 {
    let all = output.ok().json();
    all[0]["sent"].as_u64().unwrap_or_else(|| panic!("{all}"))
}

fn subject(message: &str) -> &str {
    message.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default()
}

fn message_id(message: &str) -> &str {
    message.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default()
}

#[test]
fn a_party_is_told_of_at_30_14_and_3_days_each_once() {
    let sink = MailSink::start(Manner::Takes);
    let portal = plainly(&sink).prepare();
    add(&portal, "svc", 32);
    add(&portal, "later", 300);
    for (hours, told) in [
        (0, 0),
        (25, 0),
        (49, 1),
        (50, 0),
        (24 * 17, 0),
        (24 * 18 + 1, 1),
        (24 * 28, 0),
        (24 * 29 + 1, 1),
        (24 * 31, 0),
        (24 * 33, 0),
    ] {
        assert_eq!(sent(send_after(&portal, hours)), told, "after {hours} hours");
    }
    let all = sink.messages();
    let subjects: Vec<&str> = all.iter().map(|one| subject(&one.text)).collect();
    assert_eq!(subjects, [30, 14, 3].map(|days| format!("The certificate of svc ends within {days} days")));
    assert_eq!(all[0].to, ["ops@lab.test", "more@lab.test"]);
    assert!(all[0].text.contains("countersign party renew NAME"), "{}", all[0].text);
    assert!(all.iter().all(|one| !one.text.contains("later")));
}

#[test]
fn several_come_in_one_mail_and_what_was_renewed_revoked_or_suspended_is_not_told() {
    let sink = MailSink::start(Manner::Takes);
    let portal = plainly(&sink).prepare();
    for name in ["a", "b", "renewed", "revoked", "suspended"] {
        add(&portal, name, 10);
    }
    portal.countersign(&["party", "renew", "renewed", "--out", "new"]).ok();
    portal.countersign(&["party", "revoke", "revoked"]).ok();
    portal.countersign(&["party", "suspend", "suspended"]).ok();
    assert_eq!(sent(send(&portal)), 2);
    let all = sink.messages();
    assert_eq!(all.len(), 1);
    assert_eq!(subject(&all[0].text), "2 certificates end, the first within 14 days");
    for name in ["renewed", "revoked", "suspended"] {
        assert!(!all[0].text.contains(&format!("  {name}")), "{}", all[0].text);
    }
    // Who comes back is told of then.
    portal.countersign(&["party", "resume", "suspended"]).ok();
    assert_eq!((sent(send(&portal)), sent(send(&portal))), (1, 0));
}

#[test]
fn a_server_that_is_away_refuses_or_says_nothing_is_asked_again_and_the_mail_comes_once() {
    let sink = MailSink::start(Manner::Refuses);
    let portal = plainly(&sink).prepare();
    add(&portal, "svc", 10);
    let refused = send(&portal).exited(4).json();
    let fault = refused[0]["fault"].as_str().unwrap();
    assert!(fault.contains("550"), "{fault}");
    sink.behave(Manner::HangsUp);
    send(&portal).exited(4);
    sink.behave(Manner::Takes);
    assert_eq!((sent(send(&portal)), sent(send(&portal))), (1, 0));
    assert_eq!(sink.messages().len(), 1);

    let away = MailSink::start(Manner::Takes);
    let config = portal.sandbox.read("countersign.toml");
    portal
        .sandbox
        .write("countersign.toml", config.replace(&sink.port().to_string(), &away.port().to_string()));
    drop(away);
    add(&portal, "other", 10);
    let fault = send(&portal).exited(4).json()[0]["fault"].to_string();
    assert!(fault.to_lowercase().contains("refused"), "{fault}");
}

#[test]
fn a_process_that_is_killed_while_a_mail_is_under_way_sends_it_again_under_its_name() {
    let sink = MailSink::start(Manner::TakesAndSaysNothing);
    let portal = plainly(&sink).prepare();
    add(&portal, "svc", 10);
    let mut child = portal.sandbox.command(&["notices"]).spawn().unwrap();
    eventually("the mail", || (sink.messages().len() == 1).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    sink.behave(Manner::Takes);
    assert_eq!((sent(send(&portal)), sent(send(&portal))), (1, 0));
    let all = sink.messages();
    // Whether the first arrived nobody here can know: its receivers can tell that the second is the same.
    assert_eq!(all.len(), 2);
    assert_eq!(message_id(&all[0].text), message_id(&all[1].text));
    assert!(message_id(&all[0].text).ends_with("@lab.test>"));
    // Killed after it was noted, nothing comes again.
    assert_eq!(sent(send(&portal)), 0);
}

#[test]
fn mail_goes_over_tls_to_a_server_that_is_who_it_should_be_and_with_the_password() {
    let ca = TestCa::new("Mail CA");
    let server = Leaf::server("localhost").ip("127.0.0.1".parse().unwrap()).issued_by(&ca);
    for tls in ["starttls", "tls"] {
        let sink = MailSink::with_tls(Manner::Takes, &server, tls == "tls");
        let more = |roots: &str| {
            let login = "user = \"gate\"\npassword = { file = \"password\" }";
            mail(&sink, &format!("tls = \"{tls}\"\n{roots}\n{login}")).replace("127.0.0.1", "localhost")
        };
        let portal = Portal::build(&binary()).file("mail-ca.pem", ca.pem()).extra_toml(&more("")).prepare();
        let password = portal.sandbox.write("password", "correct horse\n");
        add(&portal, "svc", 10);
        let exposed = send(&portal);
        assert_eq!(exposed.code, 4, "{}", exposed.story());
        assert!(!exposed.both().contains("correct horse"));
        std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        // A server of an unknown CA gets neither password nor mail.
        send(&portal).exited(4);
        assert_eq!((sink.messages().len(), sink.logins().len()), (0, 0), "{tls}");
        let config = portal.sandbox.read("countersign.toml");
        let line = format!("tls = \"{tls}\"");
        portal
            .sandbox
            .write("countersign.toml", config.replace(&line, &format!("{line}\nroots = \"mail-ca.pem\"")));
        assert_eq!(sent(send(&portal)), 1, "{tls}");
        assert_eq!(sink.messages().len(), 1);
        assert_eq!(sink.logins(), ["\0gate\0correct horse"], "{tls}");
    }
}

#[test]
fn a_server_without_starttls_gets_nothing_in_the_clear() {
    let sink = MailSink::start(Manner::Takes);
    let portal = Portal::build(&binary()).extra_toml(&mail(&sink, "")).prepare();
    add(&portal, "svc", 10);
    send(&portal).exited(4);
    assert!(sink.messages().is_empty());
}

/// `status --json`: the exit code, and the lines of `attention` and `mentions` that are about notices.
fn told(portal: &Portal) -> (i32, Vec<String>, Vec<String>) {
    let output = portal.countersign(&["status", "--json"]);
    let json = output.json();
    let lines = |name: &str| {
        let all = json[name].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned());
        all.filter(|line| line.starts_with("notices by")).collect()
    };
    (output.code, lines("attention"), lines("mentions"))
}

#[test]
fn status_tells_what_is_not_sent_since_when_and_where_to_look() {
    let (web, sink) = (WebSink::start(204), MailSink::start(Manner::Refuses));
    let webhook = format!("[notify.webhook]\nurl = \"http://127.0.0.1:{}/hook\"\n", web.port());
    let both = webhook.clone() + &mail(&sink, "tls = \"none\"");
    let portal = Portal::build(&binary()).extra_toml(&both).prepare();
    send(&portal).ok();
    add(&portal, "svc", 10);
    assert_eq!(told(&portal), (0, vec![], vec![]));
    for _ in 0..2 {
        send(&portal).exited(4);
        let (code, attention, mentions) = told(&portal);
        assert_eq!((code, attention.len(), mentions.len()), (0, 0, 1), "a server may be away for a while");
    }
    send(&portal).exited(4);
    let (code, attention, mentions) = told(&portal);
    assert_eq!((code, attention.len(), mentions.len()), (1, 1, 0));
    for part in ["notices by mail were not sent, 3 times in a row since 2", "550", "[notify.mail]"] {
        assert!(attention[0].contains(part), "{part}: {}", attention[0]);
    }
    // What goes out again is told of no more; nor is what is configured no longer.
    sink.behave(Manner::Takes);
    send(&portal).ok();
    assert_eq!(told(&portal), (0, vec![], vec![]));
    sink.behave(Manner::Refuses);
    web.behave(500);
    add(&portal, "other", 10);
    for _ in 0..3 {
        send(&portal).exited(4);
    }
    assert_eq!(told(&portal).1.len(), 2);
    let config = portal.sandbox.read("countersign.toml");
    portal.sandbox.write("countersign.toml", config.replace(&webhook, ""));
    let (_, attention, _) = told(&portal);
    assert!(attention.len() == 1 && attention[0].starts_with("notices by mail"), "{attention:?}");
    // A journal that cannot be read keeps everything back, which is told too.
    sink.behave(Manner::Takes);
    portal.sandbox.write("state/notices", "x\n");
    send(&portal).exited(1);
    let (code, attention, _) = told(&portal);
    assert_eq!((code, attention.len()), (1, 1));
    assert!(attention[0].contains("is no step"), "{attention:?}");
}

fn hook(sink: &WebSink) -> String {
    format!(
        "[notify.webhook]\nurl = \"http://127.0.0.1:{}/hook?x=1\"\nsecret = {{ file = \"secret\" }}\n",
        sink.port()
    )
}

fn posted(one: &Posted) -> Value {
    serde_json::from_slice(&one.body).unwrap()
}

#[test]
fn a_webhook_gets_a_signed_document_once_and_its_failure_keeps_no_mail() {
    let (web, sink) = (WebSink::start(500), MailSink::start(Manner::Takes));
    let both = hook(&web) + &mail(&sink, "tls = \"none\"");
    let portal = Portal::build(&binary()).extra_toml(&both).prepare();
    let secret = portal.sandbox.write("secret", "a key\n");
    std::fs::set_permissions(secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    add(&portal, "svc", 10);
    let first = send(&portal).exited(4).json();
    let by =
        |name: &str| first.as_array().unwrap().iter().find(|one| one["channel"] == name).unwrap().clone();
    assert_eq!(by("mail")["sent"], 1);
    assert!(by("webhook")["fault"].as_str().unwrap().contains("500"), "{first}");
    web.behave(302);
    send(&portal).exited(4);
    web.behave(204);
    let second = send(&portal).ok().json();
    assert_eq!((&second[0]["sent"], &second[1]["sent"]), (&json!(0), &json!(1)), "{second}");
    let third = send(&portal).ok().json();
    assert_eq!((&third[0]["sent"], &third[1]["sent"]), (&json!(0), &json!(0)));

    let all = web.posted();
    assert_eq!((all.len(), sink.messages().len()), (3, 1));
    let last = &all[2];
    assert_eq!(last.line, "POST /hook?x=1 HTTP/1.1");
    let told = posted(last);
    assert_eq!(told["type"], "certificates-ending");
    assert_eq!((&told["notices"][0]["party"], &told["notices"][0]["days"]), (&json!("svc"), &json!(14)));
    assert_eq!(last.header("content-type"), Some("application/json"));
    // The same name each time, so that the receiver can tell.
    let ids: Vec<_> = all.iter().map(|one| one.header("idempotency-key").unwrap()).collect();
    assert!(ids.iter().all(|id| *id == told["id"].as_str().unwrap()), "{ids:?}");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"a key"), &last.body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(last.header("countersign-signature"), Some(format!("sha256={hex}").as_str()));
}

#[test]
fn a_running_gate_has_them_sent_by_a_process_of_their_own() {
    let sink = MailSink::start(Manner::Takes);
    let mut portal = plainly(&sink).prepare();
    add(&portal, "svc", 10);
    portal.start_gate();
    eventually("the mail", || (sink.messages().len() == 1).then_some(()));
    // After a restart nothing comes again, and what is new does.
    portal.stop_gate();
    add(&portal, "other", 10);
    portal.start_gate();
    eventually("the other mail", || (sink.messages().len() == 2).then_some(()));
    assert_eq!(subject(&sink.messages()[1].text), "The certificate of other ends within 14 days");
}

#[test]
fn what_would_go_out_in_the_clear_or_nowhere_is_a_configuration_error() {
    let portal = Portal::build(&binary()).prepare();
    let config = portal.sandbox.read("countersign.toml");
    let addresses = "from = \"a@lab.test\"\nto = [\"b@lab.test\"]";
    for (text, word) in [
        (format!("[notify.mail]\nserver = \"mail.test\"\ntls = \"none\"\n{addresses}"), "in the clear"),
        (format!("[notify.mail]\n{addresses}"), "server"),
        ("[notify.mail]\nserver = \"mail.test\"\nfrom = \"a@lab.test\"".into(), "`from` and `to`"),
        (
            "[notify.mail]\nserver = \"mail.test\"\nfrom = \"nobody\"\nto = [\"b@lab.test\"]".into(),
            "no mail address",
        ),
        (format!("[notify.mail]\nserver = \"mail.test\"\nuser = \"x\"\n{addresses}"), "go together"),
        (
            format!("[notify.mail]\nserver = \"mail.test\"\nuser = \"x\"\npassword = {{ }}\n{addresses}"),
            "file or in a variable",
        ),
        (format!("[notify.mail]\nserver = \"mail.test\"\nsubjekt = \"x\"\n{addresses}"), "subjekt"),
        ("[notify.webhook]\nurl = \"http://hooks.test/\"".into(), "in the clear"),
        ("[notify.webhook]\nurl = \"https://user@hooks.test/\"".into(), "user name"),
        ("[notify]\nmial = { }".into(), "did you mean `mail`"),
    ] {
        portal.sandbox.write("countersign.toml", format!("{config}\n{text}\n"));
        let refused = portal.countersign(&["validate"]).exited(3);
        assert!(refused.both().contains(word), "{text}: {}", refused.story());
    }
}
