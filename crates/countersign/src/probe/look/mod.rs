//! The look at a server: a few handshakes with each of its addresses, and what they showed.
//!
//! 1. [`flight`] says a hello of our own for TLS 1.2 and reads the answer in clear, up to what no library would take.
//! 2. [`flight13`] does the same for TLS 1.3, up to the certificates: the timestamps of logs in it no library hands out.
//!    It offers to unpack compressed certificates, to see whether there are any; then it says another hello without.
//! 3. [`full`] makes a handshake by rustls, for TLS 1.3 and, where that is not spoken, for TLS 1.2: to its end, so that a
//!    wrong key and a wanted client certificate come to light.
//! 4. [`flight`] or [`flight13`] again, as a client that takes another kind of key alone: many servers have two certificates.
//!
//! One request is sent in one case alone: where a certificate is asked for, the connection stands without it or with
//! ours, and the server chose HTTP/1.1. Many servers refuse nowhere but in the answer to a request.

mod flight;
mod flight13;
mod full;
mod hello;
mod secrets;
mod seen;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use examiner::chain::{Examinee, KeyParts};
use examiner::seen as told;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use tokio::time::Instant;

use super::target::HTTPS;
use super::{Bounded, Connection, Opened, Route, RouteError, Target, Ways};
use flight::{Flight, Packed};
use full::{After, Full, Way};
use hello::{Hello, Keys};

/// Time for everything, from the look-up of the name to the last byte.
const DEADLINE: Duration = Duration::from_secs(15);
/// The same where something is spoken before TLS: some servers have each caller wait for that.
const DEADLINE_STARTTLS: Duration = Duration::from_secs(40);
/// Time for one handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Octets that are read in one handshake: 256 kB of certificates, and what is around them.
const MOST_OCTETS: usize = 320 << 10;
/// Addresses that are looked at.
const MOST_ADDRESSES: usize = 16;

/// What is to be looked at.
pub struct Asked {
    /// Host and port.
    pub target: Target,
    /// How it is reached.
    pub ways: Ways,
    /// The server name to send instead of the host.
    pub servername: Option<String>,
    /// A certificate to show.
    pub own: Option<Own>,
}

/// A client certificate with its key.
pub struct Own {
    /// The chain and the key.
    pub key: Arc<CertifiedKey>,
    /// The subject and issuers in its chain, and the kind of its key, in words.
    pub about: told::Shown,
    /// The issuers' names, DER.
    pub issuers: Vec<Vec<u8>>,
}

/// What was seen.
pub struct Looked {
    /// The host.
    pub host: told::Host,
    /// Each chain that is served, the one that today's clients get first.
    pub chains: Vec<Served>,
    /// Why nothing could be seen at the addresses where that was so.
    pub faults: Vec<RouteError>,
}

/// A chain that is served.
pub struct Served {
    /// The certificates as they came.
    pub certificates: Vec<Vec<u8>>,
    /// The OCSP response stapled to the first.
    pub staple: Option<Vec<u8>>,
    /// The list of signed certificate timestamps that was sent beside the first; an empty one where none was sent, `None`
    /// where that could not be seen.
    pub timestamps: Option<Vec<u8>>,
    /// The addresses that serve it.
    pub addresses: Vec<String>,
}

/// Looks at a server. The error is that it has no address.
pub async fn look(asked: &Asked) -> Result<Looked, RouteError> {
    let within = if asked.ways.starttls.is_some() { DEADLINE_STARTTLS } else { DEADLINE };
    let end = Instant::now() + within;
    let found = tokio::time::timeout_at(end, asked.ways.resolve(&asked.target)).await;
    let routes = found.unwrap_or_else(|_| {
        let host = asked.ways.connect.first().unwrap_or(&asked.target).host.to_string();
        Err(RouteError::Unresolved { host, why: format!("no answer within {} seconds", within.as_secs()) })
    })?;
    let name = asked.servername.clone().unwrap_or_else(|| asked.target.host.as_str().to_owned());
    let is_address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
    let servername = (!is_address).then_some(name);
    let more_addresses = routes.len().saturating_sub(MOST_ADDRESSES);
    let mut looks = Vec::new();
    for route in routes.into_iter().take(MOST_ADDRESSES) {
        let look = one(route, asked, servername.as_deref(), end);
        looks.push(look);
    }
    let looks = together(looks).await;
    Ok(seen::looked(asked, servername, more_addresses, looks))
}

/// All of them at once, in their order.
async fn together<F: Future>(all: Vec<F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(move |cx| {
        let mut is_done = true;
        for (future, output) in waiting.iter_mut().filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(cx) {
                std::task::Poll::Ready(ready) => *output = Some(ready),
                std::task::Poll::Pending => is_done = false,
            }
        }
        match is_done {
            true => {
                std::task::Poll::Ready(waiting.iter_mut().filter_map(|(_, output)| output.take()).collect())
            }
            false => std::task::Poll::Pending,
        }
    })
    .await
}

/// What one address showed.
struct Look {
    route: Route,
    /// Why nothing could be seen.
    fault: Option<RouteError>,
    /// What the server said in clear behind its go-ahead for TLS.
    early: Vec<u8>,
    /// The answer to our own hello.
    clear: Option<Flight>,
    /// The answer to our own hello for TLS 1.3.
    flight13: Option<Flight>,
    /// How the certificates are compressed for who offers to unpack them; `None` where they are not.
    packed: Option<Packed>,
    /// What comes of taking another kind of key alone.
    other_key: Option<(Keys, Flight)>,
    /// The handshake for TLS 1.3.
    tls13: Option<Full>,
    /// The handshake for TLS 1.2, where TLS 1.3 is not spoken.
    tls12: Option<Full>,
    /// The handshake with our certificate.
    own: Option<Full>,
    /// What comes of sending no server name: the certificates, and how it ended.
    nameless: Option<(Vec<Vec<u8>>, told::End)>,
}

async fn one(route: Route, asked: &Asked, servername: Option<&str>, end: Instant) -> Look {
    let mut look = Look {
        route,
        fault: None,
        early: Vec::new(),
        clear: None,
        flight13: None,
        packed: None,
        other_key: None,
        tls13: None,
        tls12: None,
        own: None,
        nameless: None,
    };
    let opened = match open(&look.route, end).await {
        Ok(opened) => opened,
        Err(error) => {
            look.fault = Some(error);
            return look;
        }
    };
    look.early = opened.early;
    // Behind another protocol nobody speaks HTTP, and some servers end a handshake that offers it.
    let alpn: &[&[u8]] = if asked.ways.starttls.is_some() { &[] } else { &[b"h2", b"http/1.1"] };
    let again = Again { route: &look.route, asked, servername, alpn, end };
    look.clear = Some(again.clear(opened.stream, Keys::All).await);
    look.tls13 = again.whole(&rustls::version::TLS13).await;
    let speaks_13 = look.tls13.as_ref().is_some_and(|seen| !seen.kept.chain.is_empty());
    let is_stuck = look.tls13.as_ref().is_some_and(|seen| matches!(seen.end, told::End::Unreadable { .. }));
    if speaks_13 || is_stuck {
        look.flight13 = again.flight13(Keys::All, true).await;
        look.packed = look.flight13.as_ref().and_then(|seen| seen.packed);
        if look.packed.is_some() {
            look.flight13 = again.flight13(Keys::All, false).await;
        }
    }
    let speaks_12 = look.clear.as_ref().is_some_and(|seen| seen.version == Some(told::Version::Tls12));
    if !speaks_13 && speaks_12 {
        look.tls12 = again.whole(&rustls::version::TLS12).await;
    }
    if servername.is_some() && look.has_chain() {
        look.nameless = again.nameless(speaks_13).await;
    }
    if let Some(own) = asked.own.as_ref().filter(|_| look.asks()) {
        let version = if speaks_13 { &rustls::version::TLS13 } else { &rustls::version::TLS12 };
        look.own = again.made(version, again.http_1(), Some(own.key.clone()), true).await;
    }
    if let Some(other) = look.other_keys() {
        let flight = again.with_keys(other, speaks_13).await;
        look.other_key = flight.filter(|flight| !flight.chain.is_empty()).map(|flight| (other, flight));
    }
    look
}

impl Look {
    /// Whether a certificate was shown.
    fn has_chain(&self) -> bool {
        let whole = [&self.tls13, &self.tls12].into_iter().flatten().any(|seen| !seen.kept.chain.is_empty());
        let opened = self.flight13.as_ref().is_some_and(|seen| !seen.chain.is_empty());
        whole || opened || self.clear.as_ref().is_some_and(|seen| !seen.chain.is_empty())
    }

    /// Every chain that was shown.
    fn chains(&self) -> impl Iterator<Item = &Vec<Vec<u8>>> {
        let whole = [&self.tls13, &self.tls12].into_iter().flatten().map(|seen| &seen.kept.chain);
        let own = [&self.clear, &self.flight13].into_iter().flatten().map(|seen| &seen.chain);
        whole.chain(own).filter(|chain| !chain.is_empty())
    }

    /// The kind of key that no certificate has that was shown; `None` where that is neither of the two, or both were shown.
    fn other_keys(&self) -> Option<Keys> {
        let mut kinds = self.chains().filter_map(|chain| chain.first()).map(|der| {
            let key = Examinee::read(der.as_slice()).key;
            match key?.parts {
                KeyParts::Rsa { .. } => Some(Keys::Rsa),
                KeyParts::Ec { .. } => Some(Keys::Ecdsa),
                _ => None,
            }
        });
        let first = kinds.next()??;
        let other = if first == Keys::Rsa { Keys::Ecdsa } else { Keys::Rsa };
        kinds.all(|kind| kind == Some(first)).then_some(other)
    }

    /// Whether a client's certificate is asked for.
    fn asks(&self) -> bool {
        let clear = self.clear.as_ref().is_some_and(|seen| seen.asks.is_some());
        clear || [&self.tls13, &self.tls12].into_iter().flatten().any(|seen| seen.asks.is_some())
    }
}

async fn open(route: &Route, end: Instant) -> Result<Opened, RouteError> {
    let late = || RouteError::NoConnection("no time was left".into());
    tokio::time::timeout_at(end, route.open()).await.unwrap_or_else(|_| Err(late()))
}

/// Further handshakes with an address.
struct Again<'a> {
    route: &'a Route,
    asked: &'a Asked,
    servername: Option<&'a str>,
    /// The application protocols that are offered.
    alpn: &'a [&'a [u8]],
    end: Instant,
}

impl<'a> Again<'a> {
    /// HTTP/1.1 alone, where HTTP is offered at all: a request is to be answered in it.
    fn http_1(&self) -> &'a [&'a [u8]] {
        self.alpn.get(1..).unwrap_or_default()
    }

    /// A handshake without a certificate; where one is asked for and the connection stands, again with a request.
    async fn whole(&self, version: &'static rustls::SupportedProtocolVersion) -> Option<Full> {
        let first = self.made(version, self.alpn, None, false).await?;
        let is_http = matches!(first.alpn.as_deref(), Some(b"h2" | b"http/1.1"));
        if first.after != Some(After::Stands) || !is_http {
            return Some(first);
        }
        let after = match self.made(version, self.http_1(), None, true).await {
            Some(Full { after: after @ Some(After::Answered(_) | After::Ended(_)), .. }) => after,
            _ => first.after.clone(),
        };
        Some(Full { after, ..first })
    }

    fn hello(&self, keys: Keys, unpacks: bool) -> Hello<'a> {
        let mut random = [0; 32];
        // What is sent here protects nothing: any octets will do.
        let _ = getrandom::fill(&mut random);
        Hello { servername: self.servername, alpn: self.alpn, random, keys, unpacks }
    }

    /// The moment at which a handshake that begins now has to be through.
    fn until(&self) -> Instant {
        self.end.min(Instant::now() + HANDSHAKE)
    }

    /// Our own hello up to TLS 1.2.
    async fn clear(&self, stream: Connection, keys: Keys) -> Flight {
        let hello = self.hello(keys, false);
        flight::flight(Bounded::new(stream, MOST_OCTETS), &hello, self.until()).await
    }

    /// Our own hello for TLS 1.3.
    async fn flight13(&self, keys: Keys, unpacks: bool) -> Option<Flight> {
        let opened = open(self.route, self.end).await.ok()?;
        let hello = self.hello(keys, unpacks);
        flight13::flight(Bounded::new(opened.stream, MOST_OCTETS), &hello, self.until()).await
    }

    /// What comes of taking these keys alone, under the version that today's clients get.
    async fn with_keys(&self, keys: Keys, speaks_13: bool) -> Option<Flight> {
        if speaks_13 {
            return self.flight13(keys, false).await;
        }
        let opened = open(self.route, self.end).await.ok()?;
        Some(self.clear(opened.stream, keys).await)
    }

    /// What comes of sending no server name, under the version that today's clients get.
    async fn nameless(&self, speaks_13: bool) -> Option<(Vec<Vec<u8>>, told::End)> {
        if speaks_13 {
            let again = Again { servername: None, ..*self };
            let full = again.made(&rustls::version::TLS13, self.alpn, None, false).await?;
            return Some((full.kept.chain, full.end));
        }
        let opened = open(self.route, self.end).await.ok()?;
        let flight = Again { servername: None, ..*self }.clear(opened.stream, Keys::All).await;
        Some((flight.chain, flight.end))
    }

    /// One handshake; `None` where there is no connection or no time any more.
    async fn made(
        &self,
        version: &'static rustls::SupportedProtocolVersion,
        alpn: &[&[u8]],
        own: Option<Arc<CertifiedKey>>,
        is_asking: bool,
    ) -> Option<Full> {
        let target = &self.asked.target;
        let host = self.servername.unwrap_or(target.host.as_str());
        // An address is never sent: it stands in where there is no name.
        let name = self.servername.unwrap_or("0.0.0.0");
        let name = ServerName::try_from(name.to_owned()).ok()?;
        let authority = match target.port() {
            HTTPS => host.to_owned(),
            port => format!("{host}:{port}"),
        };
        let way = Way { version, name, alpn, own, ask_for: is_asking.then_some(&authority) };
        let opened = open(self.route, self.end).await.ok()?;
        Some(full::full(opened.stream, &way, MOST_OCTETS, self.until()).await)
    }
}
