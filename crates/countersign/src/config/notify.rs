//! `[notify]`: who is told by mail and by webhook that certificates end.

use std::fmt;
use std::path::{Path, PathBuf};

use lettre::message::Mailbox;
use policy::HostName;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::file::{MailFile, MailTlsFile, NotifyFile, SecretFile, WebhookFile};
use super::problem::{Problem, Source};
use super::read;
use crate::fetch::FetchUrl;

/// Who is told.
#[derive(Clone, Debug, Default)]
pub struct Notify {
    /// By mail.
    pub mail: Option<Mail>,
    /// By webhook.
    pub webhook: Option<Webhook>,
}

impl Notify {
    /// Whether it names somebody to be told by `mail` or by `webhook`.
    pub fn has(&self, channel: &str) -> bool {
        channel == "mail" && self.mail.is_some() || channel == "webhook" && self.webhook.is_some()
    }

    /// In the file's words, without secrets.
    pub fn view(&self) -> Option<Value> {
        let any = self.mail.is_some() || self.webhook.is_some();
        any.then(|| json!({ "mail": self.mail.as_ref().map(Mail::view), "webhook": self.webhook.as_ref().map(Webhook::view) }))
    }
}

/// Notices by mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The server's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How it is spoken to.
    pub tls: MailTlsFile,
    /// PEM file of the roots that its certificate must lead to; those of the public web where absent.
    pub roots: Option<PathBuf>,
    /// Whom the mails are from.
    pub from: Mailbox,
    /// Whom they go to; at least one.
    pub to: Vec<Mailbox>,
    /// Name and password, where the server wants them.
    pub login: Option<(String, SecretPlace)>,
}

/// Notices by webhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where they are posted.
    pub url: FetchUrl,
    /// PEM file of the roots that its certificate must lead to; those of the public web where absent.
    pub roots: Option<PathBuf>,
    /// The key of the signature that goes along.
    pub secret: Option<SecretPlace>,
}

impl Mail {
    fn view(&self) -> Value {
        let server = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        json!({
            "server": format!("{server}:{}", self.port),
            "tls": match self.tls {
                MailTlsFile::Starttls => "starttls",
                MailTlsFile::Tls => "tls",
                MailTlsFile::None => "none",
            },
            "roots": self.roots,
            "from": self.from.to_string(),
            "to": self.to.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "user": self.login.as_ref().map(|(user, _)| user),
            "password": self.login.as_ref().map(|(_, place)| place.view()),
        })
    }
}

impl Webhook {
    fn view(&self) -> Value {
        let scheme = if self.url.is_https() { "https" } else { "http" };
        json!({
            "url": format!("{scheme}://{}{}", self.url.authority(), self.url.path()),
            "roots": self.roots,
            "secret": self.secret.as_ref().map(SecretPlace::view),
        })
    }
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// The first line of a file that its owner alone can read.
    File(PathBuf),
    /// A variable.
    Variable(String),
}

impl SecretPlace {
    /// In the file's words.
    pub(super) fn view(&self) -> Value {
        match self {
            Self::File(path) => json!({ "file": path }),
            Self::Variable(name) => json!({ "env": name }),
        }
    }

    /// The secret; an error says where it is missing.
    pub fn read(&self) -> Result<Zeroizing<String>, String> {
        let text = match self {
            Self::File(path) => {
                let bytes = authority::files::read_private(path).map_err(|error| error.to_string())?;
                let text = std::str::from_utf8(&bytes).map_err(|_| format!("{self} is no text"))?;
                Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
            }
            Self::Variable(name) => Zeroizing::new(std::env::var(name).unwrap_or_default()),
        };
        if text.is_empty() { Err(format!("{self} is empty")) } else { Ok(text) }
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) => write!(f, "the variable {name}"),
        }
    }
}

/// Validates `[notify]`; files are relative to `base`.
pub fn notify(file: &NotifyFile, base: &Path, source: &Source, problems: &mut Vec<Problem>) -> Notify {
    Notify {
        mail: file.mail.as_ref().and_then(|at| {
            let span = at.span();
            let path = ["notify", "mail"];
            let is_told = ["server", "from", "to"]
                .map(|key| (key, read::is_told::<MailFile>(source, problems, &path, key)));
            let is_told = |wanted: &str| is_told.iter().any(|(key, is_told)| *key == wanted && *is_told);
            let mut told = |what: String, help: &str| problems.push(source.problem(&span, what, help));
            mail(at.get_ref(), base, &is_told, &mut told)
        }),
        webhook: file.webhook.as_ref().and_then(|at| {
            let span = at.span();
            let is_told = read::is_told::<WebhookFile>(source, problems, &["notify", "webhook"], "url");
            let mut told = |what: String, help: &str| problems.push(source.problem(&span, what, help));
            webhook(at.get_ref(), base, is_told, &mut told)
        }),
    }
}

/// `is_told` are the keys that were not taken, and told of.
fn mail(
    file: &MailFile,
    base: &Path,
    is_told: &dyn Fn(&str) -> bool,
    told: &mut dyn FnMut(String, &str),
) -> Option<Mail> {
    let Some(server) = &file.server else {
        if !is_told("server") {
            told("mail has no `server`".into(), "write server = \"mail.example.com:587\"");
        }
        return None;
    };
    let usual = match file.tls {
        MailTlsFile::Starttls => 587,
        MailTlsFile::Tls => 465,
        MailTlsFile::None => 25,
    };
    let Some((host, port)) = host_and_port(server, usual) else {
        told(
            format!("`{}` is no host and port", server.escape_debug()),
            "write it like mail.example.com:587",
        );
        return None;
    };
    if file.tls == MailTlsFile::None && !is_loopback(&host) {
        let what = format!("mails to {host} would go over the network in the clear");
        told(what, "tls = \"starttls\" or \"tls\"; \"none\" is for a server on this machine");
        return None;
    }
    let address = |text: &str| text.parse::<Mailbox>().map_err(|_| text.escape_debug().to_string());
    let (from, to): (_, Result<Vec<_>, _>) =
        (file.from.as_deref().map(address), file.to.iter().map(|one| address(one)).collect());
    let (from, to) = match (from, to) {
        (Some(Ok(from)), Ok(to)) if !to.is_empty() => (from, to),
        (Some(Err(wrong)), _) | (_, Err(wrong)) => {
            told(format!("`{wrong}` is no mail address"), "write it like ops@example.com");
            return None;
        }
        _ => {
            let missing = |key: &str, is_there: bool| !is_there && !is_told(key);
            if missing("from", file.from.is_some()) || missing("to", !file.to.is_empty()) {
                let help = "write from = \"countersign@example.com\" and to = [\"ops@example.com\"]";
                told("mail needs `from` and `to`".into(), help);
            }
            return None;
        }
    };
    let login = match (&file.user, &file.password) {
        (Some(user), Some(password)) => Some((user.clone(), secret(password, base, told)?)),
        (None, None) => None,
        _ => {
            told("`user` and `password` go together".into(), "give both, or neither");
            return None;
        }
    };
    let roots = file.roots.as_ref().map(|path| base.join(path));
    Some(Mail { host, port, tls: file.tls, roots, from, to, login })
}

fn webhook(
    file: &WebhookFile,
    base: &Path,
    is_told: bool,
    told: &mut dyn FnMut(String, &str),
) -> Option<Webhook> {
    let Some(url) = &file.url else {
        if !is_told {
            told("webhook has no `url`".into(), "write url = \"https://hooks.example.com/countersign\"");
        }
        return None;
    };
    let url = match FetchUrl::parse(url) {
        Ok(url) => url,
        Err(what) => {
            told(what, "write it like https://hooks.example.com/countersign");
            return None;
        }
    };
    if !url.is_https() && !is_loopback(url.host()) {
        let what = format!("notices to {} would go over the network in the clear", url.host());
        told(what, "write https://; http:// is for a program on this machine");
        return None;
    }
    let secret = match &file.secret {
        Some(place) => Some(secret(place, base, told)?),
        None => None,
    };
    Some(Webhook { url, roots: file.roots.as_ref().map(|path| base.join(path)), secret })
}

/// Where a secret is, as the file says it.
pub(super) fn secret(
    file: &SecretFile,
    base: &Path,
    told: &mut dyn FnMut(String, &str),
) -> Option<SecretPlace> {
    match (&file.file, &file.env) {
        (Some(path), None) => Some(SecretPlace::File(base.join(path))),
        (None, Some(name)) if !name.is_empty() => Some(SecretPlace::Variable(name.clone())),
        _ => {
            told(
                "a secret is in a file or in a variable".into(),
                "write { file = \"…\" } or { env = \"…\" }",
            );
            None
        }
    }
}

fn host_and_port(text: &str, usual: u16) -> Option<(String, u16)> {
    let name = HostName::parse_authority(text).ok()?;
    let rest = text.rsplit_once(':').filter(|(host, _)| !host.is_empty() && !text.ends_with(']'));
    let port = match rest {
        Some((_, port)) => port.parse().ok().filter(|port| *port != 0)?,
        None => usual,
    };
    Some((name.as_str().trim_matches(['[', ']']).to_owned(), port))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_host_and_the_usual_port_or_its_own() {
        let of = |text: &str| host_and_port(text, 587);
        assert_eq!(of("mail.test"), Some(("mail.test".into(), 587)));
        assert_eq!(of("mail.test:25"), Some(("mail.test".into(), 25)));
        assert_eq!(of("127.0.0.1:2525"), Some(("127.0.0.1".into(), 2525)));
        assert_eq!(of("[::1]:25"), Some(("::1".into(), 25)));
        assert_eq!(of("[::1]"), Some(("::1".into(), 587)));
        for text in ["", ":25", "mail.test:0", "mail.test:70000", "a b", "smtp://mail.test"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_goes_over_the_network_in_the_clear() {
        for (host, is_near) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("mail.test", false),
            ("10.0.0.5", false),
        ] {
            assert_eq!(is_loopback(host), is_near, "{host}");
            let file = MailFile {
                server: Some(if host == "::1" { "[::1]".into() } else { host.into() }),
                tls: MailTlsFile::None,
                from: Some("a@lab.test".into()),
                to: vec!["b@lab.test".into()],
                ..MailFile::default()
            };
            let mut told = Vec::new();
            let read = mail(&file, Path::new("."), &|_| false, &mut |what, _| told.push(what));
            assert_eq!(read.is_some(), is_near, "{host}: {told:?}");
        }
    }
}
