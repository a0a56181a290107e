//! What the DNS says of a host: CAA, TLSA and HTTPS records, asked of one resolver, within a time. Each question is told. The
//! host's addresses too, where a resolver is named that is to be asked instead of this system's.
//!
//! - [`message`]: the question and the answer as octets. [`records`]: what is in a record.
//!
//! The resolver is believed: whether an answer is verified, it says.

mod message;
mod records;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use examiner::Thumbprint;
use examiner::side::{Asked, Caa, CaaSet, Came, Dns, Method, ServiceSet, Sought, TlsaSet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

use super::target::HTTPS;
use message::{Answer, Type};
use records::{caa, service, tlsa};

/// Time for all questions about a host.
const WITHIN: Duration = Duration::from_secs(10);
/// Time for one datagram and its answer; then it is sent again.
const EACH: Duration = Duration::from_secs(2);
/// How often a datagram is sent.
const TIMES: usize = 2;
/// Names that are asked, upwards from the host.
const MOST_NAMES: usize = 10;
const FAILED: u8 = 2;
const NO_NAME: u8 = 3;

/// What was learnt, and what was asked for it.
pub struct Learnt {
    /// What the DNS says.
    pub dns: Dns,
    /// Every question, and what came.
    pub asked: Vec<Asked>,
}

/// The first resolver that this system names, at port 53.
pub fn of_this_system() -> Option<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").ok()?;
    let named = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let addresses = named.filter_map(|rest| rest.split_whitespace().next()?.parse::<IpAddr>().ok());
    addresses.map(|address| SocketAddr::new(address, 53)).next()
}

/// Asks the resolver about a host that serves at this port, on the web or not; `about` is the certificate for whose sake it is
/// asked.
pub async fn ask(resolver: SocketAddr, host: &str, port: u16, is_web: bool, about: Thumbprint) -> Learnt {
    let learnt = Learnt { dns: Dns::default(), asked: Vec::new() };
    let mut asker = Asker { line: Line { resolver, until: Instant::now() + WITHIN }, about, learnt };
    asker.issuers(host).await;
    asker.pins(&format!("_{port}._tcp.{host}")).await;
    if is_web {
        // RFC 9460 section 9.1.
        let prefix = if port == HTTPS { String::new() } else { format!("_{port}._https.") };
        asker.services(&format!("{prefix}{host}")).await;
    }
    asker.learnt
}

/// The addresses of a host, those of IPv6 first; none where it has none. The error is the resolver's.
pub async fn addresses(resolver: SocketAddr, host: &str) -> Result<Vec<IpAddr>, String> {
    let line = Line { resolver, until: Instant::now() + WITHIN };
    let (six, four) = tokio::join!(line.exchange(host, Type::Aaaa, true), line.exchange(host, Type::A, true));
    let read = |answer: Answer| answer.records.iter().filter_map(|data| address(data)).collect();
    let of = |came| -> Result<Vec<IpAddr>, String> { answered(came).map(read) };
    match (of(six), of(four)) {
        (Ok(six), Ok(four)) => Ok([six, four].concat()),
        // A family that is not to be had is none: what is looked at is what was heard of.
        (Ok(one), Err(_)) | (Err(_), Ok(one)) if !one.is_empty() => Ok(one),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// The answer, where it says something: that there is no such name too.
fn answered(came: Result<Answer, String>) -> Result<Answer, String> {
    match came {
        Ok(answer) if !matches!(answer.code, 0 | NO_NAME) => {
            Err(format!("the resolver answered with code {}", answer.code))
        }
        came => came,
    }
}

/// An A or AAAA record, by its length.
fn address(data: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(data).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(data).map(IpAddr::from)).ok()
}

struct Asker {
    line: Line,
    about: Thumbprint,
    learnt: Learnt,
}

/// The way to a resolver, and until when it is waited for.
struct Line {
    resolver: SocketAddr,
    until: Instant,
}

impl Asker {
    /// The CAA records of the host, or of the nearest name above it that has any (RFC 8659 section 3).
    async fn issuers(&mut self, host: &str) {
        let names = std::iter::successors(Some(host), |name| name.split_once('.').map(|(_, above)| above));
        for name in names.take(MOST_NAMES) {
            let Some(answer) = self.one(name, Type::Caa, Sought::CaaRecords).await else { return };
            let records: Vec<Caa> = answer.records.iter().filter_map(|data| caa(data)).collect();
            if !records.is_empty() {
                self.learnt.dns.issuers = Some(CaaSet { name: name.to_owned(), records });
                return;
            }
        }
        self.learnt.dns.issuers = Some(CaaSet::default());
    }

    async fn pins(&mut self, name: &str) {
        let Some(answer) = self.one(name, Type::Tlsa, Sought::TlsaRecords).await else { return };
        let records = answer.records.iter().filter_map(|data| tlsa(data)).collect();
        let is_authentic = answer.is_authentic;
        self.learnt.dns.pins = Some(TlsaSet { name: name.to_owned(), is_authentic, records });
    }

    async fn services(&mut self, name: &str) {
        let Some(answer) = self.one(name, Type::Https, Sought::HttpsRecords).await else { return };
        let records = answer.records.iter().filter_map(|data| service(data)).collect();
        self.learnt.dns.services = Some(ServiceSet { name: name.to_owned(), records });
    }

    /// One question, told with its answer; `None` where there is none that says something.
    async fn one(&mut self, name: &str, kind: Type, sought: Sought) -> Option<Answer> {
        let came = self.line.exchange(name, kind, true).await;
        if matches!(&came, Ok(answer) if answer.code == FAILED) {
            // Where it answers once it need not verify, the signatures are the cause.
            let unchecked = self.line.exchange(name, kind, false).await;
            if matches!(&unchecked, Ok(answer) if matches!(answer.code, 0 | NO_NAME)) {
                self.learnt.dns.bogus.push(format!("{name} ({})", kind.word()));
            }
        }
        let came = answered(came);
        let words = came.as_ref().map(|answer| Came::Records(answer.records.len())).map_err(Clone::clone);
        self.learnt.asked.push(Asked {
            about: self.about,
            sought,
            method: Method::Dns,
            // RFC 4501.
            url: format!("dns://{}/{name}?TYPE={}", self.line.resolver, kind.word()),
            came: words,
        });
        came.ok()
    }
}

impl Line {
    async fn exchange(&self, name: &str, kind: Type, is_checked: bool) -> Result<Answer, String> {
        let mut id = [0; 2];
        getrandom::fill(&mut id).map_err(|error| format!("no random number: {error}"))?;
        let question = message::question(u16::from_be_bytes(id), name, kind, is_checked)
            .ok_or("the name is too long for the DNS")?;
        let answer = self.by_udp(&question, kind).await?;
        if answer.is_cut { self.by_tcp(&question, kind).await } else { Ok(answer) }
    }

    async fn by_udp(&self, question: &[u8], kind: Type) -> Result<Answer, String> {
        let text = |error: std::io::Error| error.to_string();
        let any: IpAddr = if self.resolver.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() };
        let socket = UdpSocket::bind((any, 0)).await.map_err(text)?;
        // What comes from another address is not heard.
        socket.connect(self.resolver).await.map_err(text)?;
        for _ in 0..TIMES {
            socket.send(question).await.map_err(text)?;
            let end = self.until.min(Instant::now() + EACH);
            let mut bytes = vec![0; 4096];
            while let Ok(received) = timeout_at(end, socket.recv(&mut bytes)).await {
                let count = received.map_err(text)?;
                // What is no answer to this question is somebody else's: it is waited on.
                if let Some(answer) = message::answer(&bytes[..count], question, kind) {
                    return Ok(answer);
                }
            }
        }
        Err("the resolver does not answer".into())
    }

    async fn by_tcp(&self, question: &[u8], kind: Type) -> Result<Answer, String> {
        let whole = async {
            let mut stream = TcpStream::connect(self.resolver).await?;
            let length = u16::try_from(question.len()).unwrap_or_default();
            stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
            let length = stream.read_u16().await?;
            let mut bytes = vec![0; usize::from(length)];
            stream.read_exact(&mut bytes).await?;
            Ok::<_, std::io::Error>(bytes)
        };
        let bytes = timeout_at(self.until, whole).await.map_err(|_| "the resolver does not answer by TCP")?;
        let bytes = bytes.map_err(|error| error.to_string())?;
        message::answer(&bytes, question, kind).ok_or("the resolver's answer by TCP cannot be read".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_octets_of_its_family() {
        assert_eq!(address(&[192, 0, 2, 1]), Some([192, 0, 2, 1].into()));
        assert_eq!(address(&[0; 16]), Some(IpAddr::from([0; 16])));
        assert!(address(&[]).is_none() && address(&[0; 5]).is_none());
    }
}
