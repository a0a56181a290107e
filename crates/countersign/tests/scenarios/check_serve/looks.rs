//! What the page shows of hosts: right ones, broken ones with the lines that mend them, hostile ones.

use std::io::Write;
use std::time::Duration;

use super::page::path;
use super::requests::is_clean;
use super::*;
use crate::check_hosts::server::{say, socket};

#[test]
fn a_host_with_a_missing_certificate_is_told_in_a_sentence_drawn_and_mended() {
    let bench = Bench::new();
    let server = bench.serve("leaf", "www", &[]);
    let page = bench.page(&[]);
    let host = format!("127.0.0.1:{}", server.port);
    let shown = page.shown(&host);
    is_clean(&shown);
    for part in [
        "Every client refuses it: the certificate of its issuer is missing: CN=Page Issuing CA",
        "class=\"error missing\"",
        "What is wrong",
        "cannot be put right from here",
        "--fetch --fix nginx --out fullchain.pem",
        "download>HTML</a>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(page.get(&path("/fullchain.pem", &host)).status, 404, "there is none");
}

#[test]
fn a_chain_in_the_wrong_order_gets_the_lines_for_the_server_that_the_visitor_names() {
    let bench = Bench::new();
    let leaf = bench.sandbox.read("leaf.pem");
    let root = bench.sandbox.read("root.pem");
    bench.sandbox.write("odd.pem", leaf.clone() + &root + &bench.issuing.pem());
    let server = bench.serve("odd", "www", &[]);
    let page = bench.page(&[]);
    let host = format!("127.0.0.1:{}", server.port);
    let shown = page.shown(&host);
    assert!(shown.contains("Here is the chain in its right form"), "{shown}");
    assert!(!shown.contains("ssl_certificate"), "no server is named yet");
    for (server, part) in [
        ("nginx", "ssl_certificate_key /etc/ssl/private/127.0.0.1.key;"),
        ("apache", "SSLCertificateFile"),
        ("haproxy", "bind :443 ssl crt"),
        ("caddy", "caddy reload"),
        ("iis", "Import-PfxCertificate"),
        ("java", "certificateKeystoreFile"),
        ("node", "createServer"),
    ] {
        let answer = page.get(&format!("{}&for={server}", path("/", &host)));
        is_clean(&answer.text());
        assert!(answer.text().contains(part), "{server}: {part}: {}", answer.text());
        assert!(answer.text().contains(&format!("for={server}#mend\" aria-current=\"true\"")), "{server}");
    }
    let chain = page.get(&path("/fullchain.pem", &host));
    assert_eq!(chain.text(), leaf + &bench.issuing.pem());
    assert_eq!(chain.header("content-disposition"), Some("attachment; filename=\"127.0.0.1.pem\""));
    assert_eq!(page.get(&(path("/", &host) + "&for=lighttpd")).status, 400);
}

#[test]
fn the_report_is_the_one_of_the_command_line_in_every_form() {
    let bench = Bench::new();
    let server = bench.serve("leaf", "www", &[]);
    let page = bench.page(&[]);
    let host = format!("127.0.0.1:{}", server.port);
    let report = page.report(&host);
    let schema = page.get("/api/v1/check/schema").json();
    let published: Value =
        serde_json::from_str(include_str!("../../../../../docs/schema/check.json")).unwrap();
    assert_eq!(schema, published);
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&report), "{report:#}");
    let args = ["check", &host, "--private", "--roots", "root.pem", "--json"];
    let mut own = bench.sandbox.countersign(&args).exited(1).json();
    own["examined_at"] = report["examined_at"].clone();
    assert_eq!(own, report);
    assert_eq!(ids(&report)[0], "chain-incomplete");
    for (form, media_type, begin) in [
        ("html", "text/html; charset=utf-8", "<!doctype html>"),
        ("svg", "image/svg+xml", "<svg "),
        ("md", "text/markdown; charset=utf-8", "# "),
        ("txt", "text/plain; charset=utf-8", "Every client refuses it"),
        ("json", "application/json", "{"),
        ("sarif", "application/sarif+json", "{"),
        ("xml", "application/xml", "<?xml"),
    ] {
        let answer = page.get(&path(&format!("/report.{form}"), &host));
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(media_type)), "{form}");
        let file = format!("attachment; filename=\"127.0.0.1.{form}\"");
        assert_eq!(answer.header("content-disposition"), Some(file.as_str()));
        assert!(answer.text().starts_with(begin), "{form}: {}", answer.text());
        assert!(answer.text().contains("Page Issuing CA"), "{form}");
    }
}

#[test]
fn a_client_certificate_that_is_wanted_is_told() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &["-Verify", "1", "-CAfile", "issuing.pem"]);
    let page = bench.page(&[]);
    let host = format!("127.0.0.1:{}", server.port);
    let report = page.report(&host);
    assert_eq!(report["client_certificate"]["asked"], "required", "{report:#}");
    assert!(page.shown(&host).contains("CN=Page Issuing CA"));
}

#[test]
fn a_mail_server_is_looked_at_behind_its_protocol() {
    let bench = Bench::new();
    let behind = bench.serve("www", "www", &[]);
    let port = socket(move |mut stream| {
        let _ = stream.write_all(b"220 mail ESMTP\r\n");
        let mut lines = std::io::BufReader::new(stream.try_clone().unwrap());
        for answer in ["250-mail\r\n250 STARTTLS\r\n", "220 go on\r\n"] {
            let mut line = String::new();
            if std::io::BufRead::read_line(&mut lines, &mut line).is_err() {
                return;
            }
            let _ = stream.write_all(answer.as_bytes());
        }
        let Ok(server) = std::net::TcpStream::connect(("127.0.0.1", behind.port)) else { return };
        let (mut to, mut from) = (server.try_clone().unwrap(), server);
        let mut client = stream.try_clone().unwrap();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut lines, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
        let _ = std::io::copy(&mut from, &mut client);
        let _ = client.shutdown(std::net::Shutdown::Both);
    });
    let page = bench.page(&[]);
    let at = path("/api/v1/check", &format!("127.0.0.1:{port}")) + "&starttls=smtp";
    let report = page.get(&at).json();
    assert_eq!(report["verdict"], "right", "{report:#}");
    assert_eq!(report["host"]["starttls"], "SMTP");
    let shown = page.get(&at.replace("/api/v1/check", "/")).text();
    assert!(shown.contains("<option value=\"smtp\" selected>") && shown.contains("starttls=smtp"), "{shown}");
}

/// Names that are markup, hide things, or turn text around: all of it is seen, and is text.
#[test]
fn hostile_names_in_certificates_are_text_and_nothing_in_them_is_hidden() {
    let bench = Bench::new();
    let name = "</bdi><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u{202e}gpj.exe\u{2066}\u{200b}\u{7}\n# x";
    let leaf = Leaf::new(name).dns("www.page.example").server_usage().issued_by(&bench.issuing);
    leaf.write(bench.sandbox.dir(), "hostile");
    bench.sandbox.write("alone.pem", &leaf.pem);
    for chain in ["hostile", "alone"] {
        let server = bench.serve(chain, "hostile", &[]);
        let page = bench.page(&[]);
        let host = format!("127.0.0.1:{}", server.port);
        for at in [path("/", &host), path("/", &host) + "&for=nginx"] {
            let shown = page.get(&at).text();
            is_clean(&shown);
            assert!(shown.contains("&lt;script&gt;alert(1)"), "the name is there: {shown}");
            for hidden in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{7}'] {
                assert!(!shown.contains(hidden), "{hidden:?}");
            }
            assert!(shown.contains("\\u{202e}"), "it is shown: {shown}");
        }
        for form in ["report.html", "report.svg", "report.md", "report.txt"] {
            let text = page.get(&path(&format!("/{form}"), &host)).text();
            assert!(!text.contains('\u{202e}'), "{form}");
            assert!(form == "report.txt" || !text.contains("<script>alert"), "{form}");
        }
    }
    // What a visitor types is text too.
    let page = bench.page(&[]);
    let typed = page.get(&path("/", "\"><script>alert(3)</script>\u{202e}")).text();
    is_clean(&typed);
    assert!(!typed.contains("<script>alert") && !typed.contains('\u{202e}'), "{typed}");
}

#[test]
fn hostile_servers_get_their_time_and_their_octets_and_the_page_goes_on() {
    let bench = Bench::new();
    let good = bench.serve("www", "www", &[]);
    let page = bench.page(&[]);
    let slow = socket(|mut stream| {
        for byte in [22, 3, 3, 0, 80].into_iter().chain(std::iter::repeat_n(0, 80)) {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    let endless = socket(|mut stream| {
        let record = [&[22, 3, 3, 0x40, 0][..], &[0; 0x4000]].concat();
        while stream.write_all(&record).is_ok() {}
    });
    let http = socket(|stream| say(stream, b"HTTP/1.1 400 Bad Request\r\n\r\n<script>alert(1)</script>"));
    std::thread::scope(|scope| {
        let hostile: Vec<_> = [slow, endless, http]
            .map(|port| {
                scope.spawn({
                    let page = &page;
                    move || page.shown(&format!("127.0.0.1:{port}"))
                })
            })
            .into_iter()
            .collect();
        // Meanwhile others are served.
        let report = page.report(&format!("127.0.0.1:{}", good.port));
        assert_eq!(report["verdict"], "right", "{report:#}");
        for one in hostile {
            let shown = one.join().unwrap();
            is_clean(&shown);
            assert!(shown.contains("It could not be examined") && shown.contains("What to do"), "{shown}");
        }
    });
}

#[test]
fn a_chain_of_a_hundred_certificates_is_shown() {
    let bench = Bench::new();
    let chain = bench.sandbox.read("www.pem") + &bench.issuing.pem().repeat(99);
    bench.sandbox.write("hundred.pem", chain);
    let server = bench.serve("hundred", "www", &["-tls1_2"]);
    let page = bench.page(&[]);
    let shown = page.shown(&format!("127.0.0.1:{}", server.port));
    is_clean(&shown);
    assert!(shown.contains("chain-duplicate"), "{shown}");
}

/// What Chromium makes of a page, once its script has run.
fn chromium(url: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new("chromium");
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-component-update",
    ]);
    command.args(["--disable-background-networking", "--disable-sync", "--dump-dom", "--timeout=8000"]);
    command.arg(format!("--user-data-dir={}", profile.path().display())).arg(url);
    testkit::process::run(&mut command, b"", Duration::from_secs(60)).stdout
}

#[test]
fn a_browser_runs_the_pages_own_script_under_its_policy() {
    let bench = Bench::new();
    let server = bench.serve("leaf", "www", &[]);
    let page = bench.page(&[]);
    let host = format!("127.0.0.1:{}", server.port);
    let written = page.shown(&host);
    let shown = chromium(&format!("http://127.0.0.1:{}{}", page.port, path("/", &host)));
    let findings = shown.matches("<article class=\"finding").count();
    assert!(findings > 0 && written.matches("<article class=\"finding").count() == findings, "{shown}");
    assert!(!written.contains("class=\"copy\""), "without its script the page has no such buttons");
    // One for each finding, and one for the command that fetches what is missing.
    assert_eq!(shown.matches("class=\"copy\"").count(), findings + 1, "{shown}");
}
