//! The page as HTML: the field, the report, the lines that mend it, the report to take along, and refusals.
//!
//! It works and reads without its script. Nothing in it is inline, and its addresses are relative: it can stand below any
//! path of a website.

use std::fmt::Write;

use examiner::UnixTime;
use examiner::report::fix::{Server, Step};
use examiner::report::{Verdict, escaped, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::kept::{Kept, Right};
use super::refusal::Refusal;
use super::site::{ICON, SCRIPT, STYLE, Site};
use crate::cli::check::printed;
use crate::cli::context;
use crate::probe::starttls::Protocol;

/// What people call the servers that there are lines for.
const SERVERS: [(Server, &str); 7] = [
    (Server::Nginx, "nginx"),
    (Server::Apache, "Apache"),
    (Server::Haproxy, "HAProxy"),
    (Server::Caddy, "Caddy"),
    (Server::Iis, "IIS"),
    (Server::Java, "Java"),
    (Server::Node, "Node.js"),
];

/// The reports to take along: path, name, for what.
const FORMS: [(&str, &str, &str); 5] = [
    ("report.html", "HTML", "one file, to read and to print"),
    ("report.svg", "SVG", "the picture of the chain"),
    ("report.md", "Markdown", "for a ticket"),
    ("report.json", "JSON", "for programs"),
    ("report.sarif", "SARIF", "for code scanning"),
];

/// What is encoded in the address of a link.
const NOT_PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b':');

/// The front page.
pub fn front(site: &Site) -> String {
    let mut out = head(site, &site.name, true);
    out += "<div class=\"hero\">\n<h1>Is the certificate right?</h1>\n\
            <p class=\"lead\">Examine a website or server from outside: its chain drawn, what is wrong in plain words, and the \
            lines that mend it.</p>\n";
    form(&mut out, "", None, false);
    out += "</div>\n<ul class=\"promises\">\n\
            <li><b>Every address, every client.</b> All addresses of the name are looked at by TLS 1.2 and TLS 1.3. You read who \
            takes the chain, who refuses it, and why.</li>\n\
            <li><b>The fix comes along.</b> The chain in its right form, with the exact lines for nginx, Apache, HAProxy and \
            others.</li>\n";
    let whom = match site.asks_others {
        false => "The host itself is asked, and nobody else.",
        true => "The host is asked, and what its certificates name; the report lists each address.",
    };
    let _ = writeln!(
        out,
        "<li><b>Nothing is passed on.</b> {whom} This page loads nothing from elsewhere, sets no cookie and keeps no list.</li>\n\
         </ul>\n<p class=\"scripts\">For scripts: <code>GET api/v1/check?host=www.example.com</code> answers in JSON \
         (<a href=\"api/v1/check/schema\">its schema</a>).</p>"
    );
    foot(out)
}

/// The report on a host; `server` is the kind of server that the visitor named.
pub fn result(site: &Site, kept: &Kept, server: Option<Server>) -> String {
    let question = &kept.question;
    let mut out = head(site, &format!("{}: {}", question.target, site.name), false);
    form(&mut out, &question.typed(), question.starttls, false);
    let mending = mending(kept, server);
    for (i, (name, one)) in kept.answers.iter().enumerate() {
        html::subject(&mut out, &printed::subject(name, one), if i == 0 { &mending } else { "" });
    }
    if kept.report().is_some() {
        along(&mut out, kept);
    }
    when(&mut out, site, kept);
    foot(out)
}

/// Why there is no report, and what to do.
pub fn refused(site: &Site, typed: &str, starttls: &str, refusal: &Refusal) -> String {
    let mut out = head(site, &format!("{}: {}", refusal.title(), site.name), false);
    form(&mut out, typed, Protocol::named(starttls), refusal.code() == "bad-host");
    let _ = write!(
        out,
        "<section class=\"subject refused\" id=\"refusal\">\n<h1>{}</h1>\n<div class=\"finding warning\">\n\
         <p class=\"why\">{}.</p>\n<p class=\"remedy\"><b>What to do</b>{}</p>\n</div>\n</section>\n",
        escaped(refusal.title()),
        escaped(&capital(&refusal.to_string())),
        with_code(&refusal.remedy()),
    );
    foot(out)
}

fn head(site: &Site, title: &str, is_front: bool) -> String {
    let robots = if is_front { "" } else { "<meta name=\"robots\" content=\"noindex\">\n" };
    let home = match site.home {
        Some((path, name)) => format!("<a class=\"home\" href=\"{path}\">{}</a>", escaped(name)),
        None => String::new(),
    };
    let class = if is_front { " class=\"front\"" } else { "" };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n{robots}<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"{style}\">\n<link rel=\"icon\" type=\"image/svg+xml\" href=\"{icon}\">\n\
         <script src=\"{script}\" defer></script>\n</head>\n<body{class}>\n\
         <a class=\"skip\" href=\"#main\">To the content</a>\n<header class=\"site\"><a href=\"./\">\
         <img src=\"{icon}\" alt=\"\" width=\"24\" height=\"24\"><bdi>{name}</bdi></a>{home}</header>\n<main id=\"main\">\n",
        title = escaped(title),
        style = STYLE.path,
        icon = ICON.path,
        script = SCRIPT.path,
        name = escaped(&site.name),
    )
}

fn foot(out: String) -> String {
    out + "</main>\n</body>\n</html>\n"
}

fn form(out: &mut String, typed: &str, starttls: Option<Protocol>, is_wrong: bool) {
    let wrong = if is_wrong { " aria-invalid=\"true\" aria-describedby=\"refusal\"" } else { "" };
    let open = if starttls.is_some() { " open" } else { "" };
    let _ = write!(
        out,
        "<form class=\"ask\" action=\"./\" method=\"get\" role=\"search\">\n<label for=\"host\">Host name or address</label>\n\
         <div class=\"field\"><input id=\"host\" name=\"host\" type=\"text\" value=\"{}\" placeholder=\"www.example.com\" \
         required maxlength=\"300\" inputmode=\"url\" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\"{wrong}>\
         <button type=\"submit\" data-busy=\"Looking\u{2026}\">Check</button></div>\n\
         <details class=\"more\"{open}><summary>Mail, directory, database or another protocol</summary>\n\
         <label for=\"starttls\">What is spoken before TLS</label>\n<select id=\"starttls\" name=\"starttls\">\n\
         <option value=\"\">nothing: TLS begins at once, as on the web</option>\n",
        escaped(typed)
    );
    for protocol in Protocol::ALL {
        let selected = if starttls == Some(protocol) { " selected" } else { "" };
        let _ = writeln!(
            out,
            "<option value=\"{}\"{selected}>{} (port {})</option>",
            protocol.word(),
            protocol.name(),
            protocol.port()
        );
    }
    *out += "</select>\n</details>\n</form>\n";
}

/// The lines for a server, where there is something to mend or the visitor asks for them.
fn mending(kept: &Kept, server: Option<Server>) -> String {
    let Some(report) = kept.report() else { return String::new() };
    let mut out = String::new();
    match kept.right() {
        Ok(right) if right.is_changed || server.is_some() => lines(&mut out, kept, right, server),
        Err(why) if report.verdict != Verdict::Right => {
            let _ = write!(
                out,
                "<section id=\"mend\" class=\"mend\">\n<h2>Mend it</h2>\n<p>The chain cannot be put right from here: {}. In a \
                 shell, this fetches what is missing and prints the lines for your server:</p>\n",
                escaped(&why)
            );
            let starttls = kept.question.starttls.map(|one| format!(" --starttls {}", one.word()));
            let word = server.unwrap_or(Server::Nginx);
            let line = format!(
                "countersign check {}{} --fetch --fix {} --out fullchain.pem\n",
                kept.question.typed(),
                starttls.unwrap_or_default(),
                word_of(word)
            );
            code(&mut out, &line, "the command");
            out += "</section>\n";
        }
        _ => {}
    }
    out
}

fn lines(out: &mut String, kept: &Kept, right: &Right, server: Option<Server>) {
    let says = match right.is_changed {
        true => "Here is the chain in its right form",
        false => "The chain is in its right form as it is",
    };
    let _ = write!(
        out,
        "<section id=\"mend\" class=\"mend\">\n<h2>Mend it</h2>\n<p>{says}: <a href=\"{}\" download>{}.pem</a>. \
         Which server serves it?</p>\n<nav class=\"servers\" aria-label=\"Kind of server\">\n",
        link("fullchain.pem", kept, None),
        escaped(&right.host)
    );
    for (one, name) in SERVERS {
        let current = if server == Some(one) { " aria-current=\"true\"" } else { "" };
        let _ = writeln!(out, "<a href=\"{}#mend\"{current}>{name}</a>", link("", kept, Some(one)));
    }
    *out += "</nav>\n";
    if let Some(server) = server {
        for step in right.steps(server) {
            let Step { title, lines, .. } = &step;
            let _ = writeln!(out, "<h3>{}</h3>", escaped(title));
            code(out, lines, title);
        }
    }
    if !right.left.is_empty() {
        *out += "<h3>This is left when it is done</h3>\n<ul class=\"plain\">\n";
        for one in &right.left {
            let _ = writeln!(out, "<li>{}</li>", escaped(one));
        }
        *out += "</ul>\n";
    }
    *out += "</section>\n";
}

/// Lines to be copied; each can be scrolled by the keyboard.
fn code(out: &mut String, lines: &str, about: &str) {
    // Each line for itself: what must not be seen in one is escaped, and the breaks stay.
    let safe: Vec<String> = lines.lines().map(escaped).collect();
    let _ = writeln!(
        out,
        "<div class=\"code\"><pre tabindex=\"0\" role=\"group\" aria-label=\"{}\"><code>{}\n</code></pre></div>",
        escaped(about),
        safe.join("\n")
    );
}

/// The report to take along.
fn along(out: &mut String, kept: &Kept) {
    *out += "<section class=\"along\">\n<h2>Take it along</h2>\n<ul class=\"forms\">\n";
    for (path, name, what) in FORMS {
        // A picture shows one chain.
        if path == "report.svg" && kept.answers.len() > 1 {
            continue;
        }
        let href = link(path, kept, None);
        let _ = writeln!(out, "<li><a href=\"{href}\" download>{name}</a> <span>{what}</span></li>");
    }
    if let Ok(right) = kept.right() {
        let what = if right.is_changed { "the chain in its right form" } else { "the chain" };
        let href = link("fullchain.pem", kept, None);
        let _ = writeln!(out, "<li><a href=\"{href}\" download>PEM</a> <span>{what}</span></li>");
    }
    *out += "</ul>\n</section>\n";
}

/// From when the report is, and when there can be a newer one.
fn when(out: &mut String, site: &Site, kept: &Kept) {
    let age = context::now().seconds().saturating_sub(kept.at.seconds()).max(0);
    let ago = match age {
        0 | 1 => "just now".into(),
        2..120 => format!("{age} seconds ago"),
        _ => format!("{} minutes ago", age / 60),
    };
    let _ = write!(
        out,
        "<p class=\"when\">Looked at <time datetime=\"{}\">{}</time>, {ago}.",
        kept.at,
        shown(kept.at)
    );
    let keeps = i64::try_from(site.desk.keeps_for().as_secs()).unwrap_or(i64::MAX);
    let next = keeps - age;
    if next > 0 {
        let _ = write!(out, " It is looked at anew when you ask in {next} seconds or later.");
    }
    *out += "</p>\n";
}

/// A moment for people.
fn shown(at: UnixTime) -> String {
    at.to_string().replace('T', " ").replace('Z', " UTC")
}

/// The address of something about the same host.
fn link(path: &str, kept: &Kept, server: Option<Server>) -> String {
    let question = &kept.question;
    let mut out = format!("{path}?host={}", utf8_percent_encode(&question.typed(), NOT_PLAIN));
    if let Some(protocol) = question.starttls {
        let _ = write!(out, "&amp;starttls={}", protocol.word());
    }
    if let Some(server) = server {
        let _ = write!(out, "&amp;for={}", word_of(server));
    }
    out
}

fn word_of(server: Server) -> &'static str {
    Server::ALL.iter().find(|(_, one)| *one == server).map_or("nginx", |(word, _)| word)
}

/// Text with what stands between backticks as code.
fn with_code(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(i, part)| match i % 2 {
        0 => escaped(part),
        _ => format!("<code>{}</code>", escaped(part)),
    });
    parts.collect()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}
