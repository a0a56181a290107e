//! What the DNS says of a host: who may issue for it (CAA), and which certificates it pins (TLSA).

use serde::{Deserialize, Serialize};

/// What the DNS says of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// Who may issue for it; `None` where that could not be asked.
    pub issuers: Option<CaaSet>,
    /// What it pins; `None` where that could not be asked.
    pub pins: Option<TlsaSet>,
    /// Where clients are led to (HTTPS records); `None` where that could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<ServiceSet>,
    /// Names whose signatures the resolver finds broken, each with the record's type.
    #[serde(default)]
    pub bogus: Vec<String>,
}

/// The CAA records that count for a host (RFC 8659 section 3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaaSet {
    /// The name that has them: the host's, or the nearest one above that has any; empty where none has.
    pub name: String,
    /// The records; empty where no name has any.
    pub records: Vec<Caa>,
}

/// One CAA record (RFC 8659 section 4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caa {
    /// Whether a CA that does not know the tag must not issue.
    pub is_critical: bool,
    /// The tag, in small letters.
    pub tag: String,
    /// The value.
    pub value: String,
}

/// The TLSA records of a host and port (RFC 6698).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsaSet {
    /// The name that was asked, such as `_443._tcp.www.example.com`.
    pub name: String,
    /// Whether the resolver verified the answer (DNSSEC); clients use no others.
    pub is_authentic: bool,
    /// The records.
    pub records: Vec<Tlsa>,
}

/// One TLSA record (RFC 6698 section 2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tlsa {
    /// Certificate usage.
    pub usage: u8,
    /// Selector.
    pub selector: u8,
    /// Matching type.
    pub matching: u8,
    /// The association data, lower-case hexadecimal.
    pub data: String,
}

/// The HTTPS records of a host and port (RFC 9460 section 9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSet {
    /// The name that was asked, such as `www.example.com` or `_8443._https.www.example.com`.
    pub name: String,
    /// The records.
    pub records: Vec<Service>,
}

/// One HTTPS record (RFC 9460 section 2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// SvcPriority; 0 is an alias.
    pub priority: u16,
    /// TargetName, in small letters without the last dot; empty for the name itself.
    pub target: String,
    /// The application protocols that it names (`alpn`).
    pub alpn: Vec<String>,
    /// The port that it names.
    pub port: Option<u16>,
    /// The addresses that it hints at (`ipv4hint`, `ipv6hint`).
    pub hints: Vec<std::net::IpAddr>,
}

impl Caa {
    /// Of `issue`, `issuewild` and `issuemail`: the CA's name without parameters, in small letters; empty for nobody
    /// (RFC 8659 section 4.2). `None` where the value has another form.
    pub fn issuer(&self) -> Option<String> {
        let name = self.value.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
        let is_label = |label: &str| {
            let ends = label.starts_with('-') || label.ends_with('-');
            !label.is_empty() && !ends && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let is_name = name.is_empty() || name.split('.').all(is_label);
        (is_name && self.parameters().is_some()).then(|| name.to_ascii_lowercase())
    }

    /// The parameters behind the name; `None` where one is none.
    fn parameters(&self) -> Option<Vec<(&str, &str)>> {
        let behind = self.value.split_once(';').map(|(_, behind)| behind).unwrap_or_default();
        let all = behind.split(';').map(|one| one.trim_matches([' ', '\t'])).filter(|one| !one.is_empty());
        all.map(|one| {
            let (tag, value) = one.split_once('=')?;
            let (tag, value) = (tag.trim_end(), value.trim_start());
            let is_tag = !tag.is_empty() && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            let is_value = value.bytes().all(|b| b.is_ascii_graphic());
            (is_tag && is_value).then_some((tag, value))
        })
        .collect()
    }
}

impl CaaSet {
    /// The records with this tag.
    pub fn tagged<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = &'a Caa> {
        self.records.iter().filter(move |one| one.tag == tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(value: &str) -> Option<String> {
        Caa { is_critical: false, tag: "issue".into(), value: value.into() }.issuer()
    }

    #[test]
    fn a_value_is_a_name_with_parameters_or_nobody() {
        for (value, name) in [
            ("ca.example", "ca.example"),
            (" CA.Example ; policy=ev", "ca.example"),
            ("ca.example; accounturi=https://ca.example/1 ;validationmethods=dns-01", "ca.example"),
            (";", ""),
            ("", ""),
            ("; a=b", ""),
        ] {
            assert_eq!(issuer(value).as_deref(), Some(name), "{value:?}");
        }
        for value in
            ["ca..example", "ca_x.example", "-ca.example", "ca.example; policy", "ca.example; =b", "a b"]
        {
            assert_eq!(issuer(value), None, "{value:?}");
        }
    }
}
