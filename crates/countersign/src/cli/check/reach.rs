//! How a server is reached, and what is shown to it, by the words of the command line.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::host::Way;
use super::source;
use crate::cli::Failure;
use crate::probe::dns;
use crate::probe::proxy::Proxy;
use crate::probe::starttls::Protocol;
use crate::probe::{Target, Ways};

/// What holds for servers alone.
#[derive(Debug, clap::Args)]
pub struct Reach {
    /// Show this client certificate to the server: whether it would be offered, and whether it is taken. PEM with its
    /// chain, or PKCS#12.
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// The file of certificates that the server is set up with: told where it serves others, as after a renewal without a
    /// reload.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// Connect to this address instead of the host's own. Given again, all of them are compared.
    #[arg(long, value_name = "ADDRESS[:PORT]")]
    connect: Vec<String>,
    /// Speak this before TLS. The port is the protocol's own, where none is named.
    #[arg(long, value_name = "PROTOCOL",
          value_parser = ["smtp", "lmtp", "pop3", "imap", "ftp", "ldap", "xmpp", "sieve", "postgres", "mysql"])]
    starttls: Option<String>,
    /// Go through this HTTP proxy, such as `http://proxy.example:3128`, or `http://user@proxy.example:3128`. It resolves the
    /// name.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Ask the DNS too: who may issue for the host (CAA), which certificates it pins (TLSA), and where it leads clients to
    /// (HTTPS). This system's resolver is asked, or the one at this address. The report names each question.
    #[arg(long, value_name = "ADDRESS[:PORT]", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    dns: Option<String>,
    /// The first line of this file is the password of the proxy's user.
    #[arg(long, value_name = "FILE", requires = "proxy")]
    proxy_password_file: Option<PathBuf>,
}

impl Reach {
    /// The first of them that was given, for a file has no use for it.
    pub fn given(&self) -> Option<&'static str> {
        let all = [
            ("--connect", !self.connect.is_empty()),
            ("--cert", self.cert.is_some()),
            ("--expect", self.expect.is_some()),
            ("--starttls", self.starttls.is_some()),
            ("--proxy", self.proxy.is_some()),
            ("--dns", self.dns.is_some()),
        ];
        all.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag))
    }

    /// Whether records of the DNS are asked for.
    pub fn asks_dns(&self) -> bool {
        self.dns.is_some()
    }

    /// The way to every server that is named, with the server name and the key of `--cert`.
    pub fn way<'a>(&'a self, servername: Option<&'a str>, key: Option<&'a Path>) -> Result<Way<'a>, Failure> {
        let connect = self.connect.iter().map(|text| Target::parse(text)).collect::<Result<_, _>>();
        let connect = connect.map_err(|error| {
            Failure::usage(format!("--connect: {error}"), "give an address like 192.0.2.7, or 192.0.2.7:8443")
        })?;
        let proxy = self.proxy.as_deref().map(|text| self.proxy(text)).transpose()?;
        let ways = Ways {
            connect,
            proxy: proxy.map(Arc::new),
            starttls: self.starttls.as_deref().and_then(Protocol::named),
        };
        let resolver = self.dns.as_deref().map(resolver).transpose()?;
        Ok(Way { ways, resolver, servername, own: self.cert.as_deref().map(|cert| (cert, key)) })
    }

    fn proxy(&self, text: &str) -> Result<Proxy, Failure> {
        let proxy = Proxy::parse(text)
            .map_err(|error| Failure::usage(error.to_string(), "name it as in http://proxy.example:3128"))?;
        let Some(file) = &self.proxy_password_file else { return Ok(proxy) };
        Ok(proxy.with_password(source::password_of(file)?))
    }
}

/// The resolver at this address, or this system's.
fn resolver(text: &str) -> Result<SocketAddr, Failure> {
    if text.is_empty() {
        return dns::of_this_system().ok_or_else(|| {
            Failure::not_found("/etc/resolv.conf names no resolver", "name one: --dns=192.0.2.53")
        });
    }
    let whole = text.parse().ok();
    let whole = whole.or_else(|| text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53)));
    whole.ok_or_else(|| {
        let what = format!("--dns: `{}` is no address", text.escape_debug());
        Failure::usage(what, "give an address like 192.0.2.53, or 192.0.2.53:5353")
    })
}
