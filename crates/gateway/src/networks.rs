//! Addresses and ranges of addresses.

use std::net::IpAddr;
use std::sync::Arc;

/// A range of addresses: an address, or one with the length of its prefix (`10.0.0.0/8`, `2001:db8::/32`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// A text that is no address and no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// It cannot be read.
    #[error("`{0}` is no address and no range of addresses")]
    Unreadable(String),
    /// Bits beyond the prefix are set: which range is meant is not clear.
    #[error("`{text}` sets bits beyond its prefix; the range is {range}")]
    BeyondPrefix {
        /// What was given.
        text: String,
        /// The range that holds it.
        range: Network,
    },
}

/// Several ranges. Empty: nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Arc<[Network]>);

impl Network {
    /// Parses `192.0.2.7`, `10.0.0.0/8`, `::1`, `2001:db8::/32`.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let unreadable = || NetworkError::Unreadable(text.escape_debug().to_string());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| unreadable())?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let digits = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let prefix = match length {
            None => whole,
            Some(length) => {
                let number = Some(length).filter(digits).and_then(|text| text.parse().ok());
                number.filter(|prefix| *prefix <= whole).ok_or_else(unreadable)?
            }
        };
        let range = Self { address: masked(address, prefix), prefix };
        if range.address != address {
            return Err(NetworkError::BeyondPrefix { text: text.to_owned(), range });
        }
        Ok(range)
    }

    /// Whether the address lies in it. An IPv4 address written as IPv6 is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Networks {
    /// Whether one of them holds the address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Networks {
    /// The ranges, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Network> {
        self.0.iter()
    }
}

impl FromIterator<Network> for Networks {
    fn from_iter<I: IntoIterator<Item = Network>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

fn masked(address: IpAddr, prefix: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(32 - prefix).unwrap_or(0)).into()),
        IpAddr::V6(v6) => {
            IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(128 - prefix).unwrap_or(0)).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_lies_in_it_and_nothing_beside() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("192.0.2.7/32", "::ffff:192.0.2.7", "::192.0.2.7"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("::/0", "fe80::1", "10.0.0.1"),
        ] {
            let network = Network::parse(range).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{range} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{range} {outside}");
        }
        assert!(!Networks::default().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in
            ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "localhost", "10.0.0/8", "1.2.3.4/+8"]
        {
            assert!(matches!(Network::parse(text), Err(NetworkError::Unreadable(_))), "{text}");
        }
        let error = Network::parse("10.1.0.0/8").unwrap_err().to_string();
        assert_eq!(error, "`10.1.0.0/8` sets bits beyond its prefix; the range is 10.0.0.0/8");
    }
}
