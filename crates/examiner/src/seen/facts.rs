//! A host in a few lines, as a report shows it.

use super::{Address, ClientCertificate, Compression, End, Host, Offer, ShownOutcome, Without, alert};

/// Issuers that are named in a report; the JSON has all.
const MOST_ISSUERS: usize = 12;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFact {
    /// What it is about.
    pub name: &'static str,
    /// What was seen.
    pub value: String,
}

impl Host {
    /// What is told of the host beside its chain.
    pub fn facts(&self) -> Vec<HostFact> {
        let mut all = Vec::new();
        let mut tell = |name, value: String| all.push(HostFact { name, value });
        tell("examined", self.name.clone());
        tell("server name", self.servername.clone().unwrap_or_else(|| "none is sent".into()));
        if let Some(protocol) = &self.starttls {
            tell("before TLS", protocol.clone());
        }
        for address in &self.addresses {
            tell("address", format!("{}: {}", address.address, of_address(address)));
        }
        if self.more_addresses > 0 {
            tell("address", format!("{} more were not looked at", self.more_addresses));
        }
        if let Some(first) = self.handshakes().find_map(|(_, one)| one.alpn.clone()) {
            tell("protocol", first);
        }
        if self.newest().is_some() {
            tell("stapled OCSP", if self.is_stapled() { "yes" } else { "no" }.into());
        }
        let timestamps = self.handshakes().filter_map(|(_, one)| one.timestamps).max();
        if let Some(timestamps) = timestamps.filter(|count| *count > 0) {
            tell("timestamps in TLS", timestamps.to_string());
        }
        let stapled = self.handshakes().map(|(_, one)| one.stapled_timestamps).max();
        if let Some(timestamps) = stapled.filter(|count| *count > 0) {
            tell("timestamps in OCSP", timestamps.to_string());
        }
        match self.handshakes().find_map(|(_, one)| one.compression.as_ref()) {
            Some(Compression::None) => tell("certificates", "are not compressed".into()),
            Some(Compression::By { algorithm, packed, unpacked }) => {
                tell(
                    "certificates",
                    format!("are compressed by {algorithm}, from {unpacked} to {packed} bytes"),
                );
            }
            None => {}
        }
        if let Some(other) = self.addresses.iter().find_map(|one| one.other_key.as_ref()) {
            tell(
                "for clients of",
                format!("{} alone: {} until {}", other.kind, other.subject, other.not_after),
            );
        }
        match self.asks() {
            Some(asks) => asked(asks, &mut tell),
            None if self.newest().is_some() => tell("client certificate", "not asked for".into()),
            None => {}
        }
        if let Some(shown) = &self.shown {
            tell("shown to it", format!("{}: {}", shown.subject, shown.outcome));
        }
        all
    }
}

fn of_address(address: &Address) -> String {
    if let Some(fault) = &address.fault {
        return fault.clone();
    }
    let told = address.handshakes.iter().map(|one| match (one.version, &one.end, one.offered) {
        (Some(version), End::Seen, _) => version.to_string(),
        (Some(version), end, _) => format!("{version} ({end})"),
        (None, end, Offer::UpToTls12) => format!("no TLS 1.2 ({end})"),
        (None, end, Offer::Tls13) => format!("no TLS 1.3 ({end})"),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn asked(asks: &ClientCertificate, tell: &mut impl FnMut(&'static str, String)) {
    tell("client certificate", format!("{}; without one {}", asks.word(), asks.without));
    let names = asks.issuers.iter().take(MOST_ISSUERS);
    for name in names {
        tell("of this issuer", name.clone());
    }
    match asks.issuers.len() {
        0 => tell("of this issuer", "none is named: clients offer any".into()),
        n if n > MOST_ISSUERS => tell("of this issuer", format!("{} more", n - MOST_ISSUERS)),
        _ => {}
    }
    if !asks.signature_algorithms.is_empty() {
        tell("signed with", asks.signature_algorithms.join(", "));
    }
}

fn refused(f: &mut std::fmt::Formatter<'_>, code: Option<u8>) -> std::fmt::Result {
    match code {
        Some(code) => {
            write!(f, "it ends the connection with the alert {}", alert::named(code))?;
            alert::words(code).map_or(Ok(()), |words| write!(f, ": {words}"))
        }
        None => f.write_str("it ends the connection without a word"),
    }
}

impl std::fmt::Display for Without {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => f.write_str("nothing is known"),
            Self::Taken => f.write_str("the connection stands"),
            Self::Answered { status } => write!(f, "a request is answered with {status}"),
            Self::Refused { alert } => refused(f, *alert),
        }
    }
}

impl std::fmt::Display for ShownOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAsked => f.write_str("it was not asked for"),
            Self::NotOffered => f.write_str("it cannot be shown: the server takes no signature of its key"),
            Self::Taken => f.write_str("the connection stands"),
            Self::Answered { status } => write!(f, "a request is answered with {status}"),
            Self::Refused { alert } => refused(f, *alert),
            Self::Failed { why } => f.write_str(why),
        }
    }
}
