//! What leaves the gate besides answers: events, references, and equal refusals counted as one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use examiner::{Thumbprint, UnixTime};
use http::Method;
use policy::{Code, HostName};
use serde::{Serialize, Serializer};

use crate::metrics::Metrics;

/// Takes what the gate reports. Called on the gate's own threads: must not block.
pub trait Events: Send + Sync + 'static {
    /// An entry for the audit log.
    fn audit(&self, event: GateEvent);
    /// A certificate with proven key that is admitted nowhere.
    fn knock(&self, knock: GateKnock);
    /// A line of the access log.
    fn access(&self, line: AccessEntry);
    /// More metrics in Prometheus text, appended to the gate's own.
    fn metrics(&self) -> String {
        String::new()
    }
}

/// An entry for the audit log: who was let in or refused, and why.
#[derive(Clone, Debug)]
pub struct GateEvent {
    /// When.
    pub time: UnixTime,
    /// At which site.
    pub site: HostName,
    /// Who, where it is known.
    pub party: Option<String>,
    /// The certificate, where its key was proved.
    pub thumbprint: Option<Thumbprint>,
    /// From where.
    pub address: Option<IpAddr>,
    /// `admitted`, `refused` or `observed`.
    pub verdict: &'static str,
    /// Why not: a [`Code`], or `bad-request` for what is no HTTP request.
    pub code: Option<&'static str>,
    /// Which rule let it in.
    pub rule: Option<String>,
    /// What joins page, log and console.
    pub reference: String,
    /// The reason with its values, for operators.
    pub detail: String,
    /// Whether a dated exception was used; such an entry is never dropped.
    pub is_exception: bool,
    /// How many this entry stands for. Later equal ones come as one more entry with the same reference.
    pub count: u32,
}

/// A certificate that knocked: its key is proved, and nobody vouches for it.
#[derive(Clone, Debug)]
pub struct GateKnock {
    /// The certificate.
    pub der: Vec<u8>,
    /// At which site.
    pub site: HostName,
    /// The code it was refused with.
    pub reason: Code,
    /// What an operator should look at, such as an issuer's name that equals a CA of the site.
    pub note: Option<String>,
    /// From where.
    pub address: IpAddr,
    /// The reference its visitor was shown.
    pub reference: String,
    /// When.
    pub at: UnixTime,
}

/// A line of the access log.
#[derive(Clone, Debug, Serialize)]
pub struct AccessEntry {
    /// When the request came.
    pub time: UnixTime,
    /// The connection's site.
    pub site: HostName,
    /// Who, where admitted.
    #[serde(serialize_with = "text")]
    pub party: Option<Arc<str>>,
    /// From where.
    pub address: IpAddr,
    /// The method; `None` where there was no request to be read.
    #[serde(serialize_with = "method")]
    pub method: Option<Method>,
    /// The path as it was sent, without the query; empty where there was no request to be read.
    pub path: String,
    /// The status of the answer; 499 where the client or a revocation ended it before.
    pub status: u16,
    /// Bytes of the answer's body.
    pub bytes: u64,
    /// From the request's head to the end of the answer.
    pub duration_us: u64,
    /// What joins it with other logs.
    pub reference: String,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub protocol: &'static str,
    /// `admitted`, `refused`, `observed`, `open` or `answered`.
    pub verdict: &'static str,
}

fn text<S: Serializer>(text: &Option<Arc<str>>, to: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(to)
}

fn method<S: Serializer>(method: &Option<Method>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(method.as_ref().map_or("", Method::as_str))
}

impl AccessEntry {
    /// Appends it as one line of JSON: the same as by serde, whose way through the field names takes twice as long.
    pub fn write_line(&self, to: &mut Vec<u8>) {
        /// What no writer into memory refuses: text, numbers.
        fn json(to: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
            let _ = serde_json::to_writer(to, value);
        }
        let plain = |to: &mut Vec<u8>, name: &str, text: &str| {
            to.extend_from_slice(name.as_bytes());
            to.extend_from_slice(text.as_bytes());
        };
        to.extend_from_slice(b"{\"time\":");
        json(to, &self.time);
        plain(to, ",\"site\":\"", self.site.as_str());
        to.extend_from_slice(b"\",\"party\":");
        json(to, &self.party.as_deref());
        to.extend_from_slice(b",\"address\":");
        json(to, &self.address);
        plain(to, ",\"method\":\"", self.method.as_ref().map_or("", Method::as_str));
        to.extend_from_slice(b"\",\"path\":");
        json(to, &self.path);
        to.extend_from_slice(b",\"status\":");
        json(to, &self.status);
        to.extend_from_slice(b",\"bytes\":");
        json(to, &self.bytes);
        to.extend_from_slice(b",\"duration_us\":");
        json(to, &self.duration_us);
        plain(to, ",\"reference\":\"", &self.reference);
        plain(to, "\",\"protocol\":\"", self.protocol);
        plain(to, "\",\"verdict\":\"", self.verdict);
        to.extend_from_slice(b"\"}\n");
    }
}

/// Letters and digits that are not mistaken for each other.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// A new reference, such as `7F3K-22`.
pub fn reference() -> String {
    use std::cell::RefCell;
    thread_local! {
        static POOL: RefCell<(usize, [u8; 240])> = const { RefCell::new((240, [0; 240])) };
    }
    POOL.with_borrow_mut(|(used, bytes)| {
        if *used + 6 > bytes.len() {
            // Without randomness references repeat; nothing rests on their secrecy alone.
            let _ = getrandom::fill(bytes);
            *used = 0;
        }
        let letter = |index: usize| LETTERS[usize::from(bytes[*used + index] % 32)] as char;
        let text = [letter(0), letter(1), letter(2), letter(3), '-', letter(4), letter(5)];
        *used += 6;
        text.into_iter().collect()
    })
}

/// Whether a text has the form of a reference, in either case.
pub fn is_reference(text: &str) -> bool {
    let bytes = text.trim().as_bytes();
    bytes.len() == 7
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            4 => *byte == b'-',
            _ => LETTERS.contains(&byte.to_ascii_uppercase()),
        })
}

/// Seconds within which equal refusals of one source count as one.
const WINDOW: i64 = 10;
/// Kinds of refusal kept apart at once; what comes above is only counted.
const KINDS: usize = 8_192;

/// Where everything that is to be known about the gate goes.
pub(crate) struct Observer {
    pub(crate) events: Arc<dyn Events>,
    pub(crate) metrics: Metrics,
    recent: Mutex<HashMap<Kind, Recent>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    site: HostName,
    address: Option<IpAddr>,
    code: Option<&'static str>,
    thumbprint: Option<Thumbprint>,
}

struct Recent {
    first: UnixTime,
    surplus: u32,
    event: GateEvent,
}

impl Observer {
    pub(crate) fn new(events: Arc<dyn Events>) -> Self {
        Self { events, metrics: Metrics::new(), recent: Mutex::default() }
    }

    /// Counts and logs a refusal; gives the reference to show, which equal refusals share.
    pub(crate) fn refused(&self, mut event: GateEvent) -> String {
        if let Some(code) = event.code {
            self.metrics.refused(&event.site, code);
        }
        let kind = Kind {
            site: event.site.clone(),
            address: event.address,
            code: event.code,
            thumbprint: event.thumbprint,
        };
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let over = match recent.get_mut(&kind) {
            Some(known) if event.time.seconds() - known.first.seconds() < WINDOW => {
                known.surplus = known.surplus.saturating_add(1);
                return known.event.reference.clone();
            }
            Some(_) => recent.remove(&kind),
            None => None,
        };
        let reference = reference();
        event.reference = reference.clone();
        event.count = 1;
        let logged = recent.len() < KINDS;
        if logged {
            recent.insert(kind, Recent { first: event.time, surplus: 0, event: event.clone() });
        }
        drop(recent);
        over.into_iter().for_each(|over| self.report(over));
        if logged {
            self.events.audit(event);
        }
        reference
    }

    /// Reports the surplus of windows that ended before `now`.
    pub(crate) fn sweep(&self, now: UnixTime) {
        let mut ended = Vec::new();
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, recent| {
            let open = now.seconds() - recent.first.seconds() < WINDOW;
            if !open {
                ended.push((recent.surplus, recent.event.clone()));
            }
            open
        });
        for (surplus, event) in ended {
            self.report(Recent { first: event.time, surplus, event });
        }
    }

    fn report(&self, recent: Recent) {
        if recent.surplus > 0 {
            self.events.audit(GateEvent { count: recent.surplus, ..recent.event });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_serde_makes_of_the_entry() {
        for (party, path, method) in [
            (None, String::new(), None),
            (Some("ca/x/dns/a\"b"), "/a\\\"\u{7f}%20ü".to_owned(), Some(Method::GET)),
            (Some("alice"), "/".to_owned(), Some(Method::from_bytes(b"M-SEARCH").unwrap())),
        ] {
            let entry = AccessEntry {
                time: UnixTime(1_803_902_400),
                site: HostName::parse("portal.test").unwrap(),
                party: party.map(Arc::from),
                address: "2001:db8::1".parse().unwrap(),
                method,
                path,
                status: 200,
                bytes: u64::MAX,
                duration_us: 0,
                reference: reference(),
                protocol: "HTTP/1.1",
                verdict: "admitted",
            };
            let mut line = Vec::new();
            entry.write_line(&mut line);
            assert_eq!(String::from_utf8(line).unwrap(), serde_json::to_string(&entry).unwrap() + "\n");
        }
    }

    #[test]
    fn a_reference_has_four_letters_a_dash_and_two() {
        for _ in 0..100 {
            let text = reference();
            assert_eq!((text.len(), text.find('-')), (7, Some(4)), "{text}");
            assert!(text.bytes().all(|b| b == b'-' || super::LETTERS.contains(&b)));
            assert!(is_reference(&text) && is_reference(&text.to_lowercase()), "{text}");
        }
        for other in ["7F3K-2", "7F3K-222", "7F3K222", "7F3O-22", "expired", "-------"] {
            assert!(!is_reference(other), "{other}");
        }
    }
}
