//! Which addresses may be asked: public ones, and those that the configuration lists.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gateway::networks::Networks;

/// Whether a request may go there. An IPv4 address inside an IPv6 one is judged as the IPv4 address.
pub fn may_be_asked(address: IpAddr, listed: &Networks) -> bool {
    listed.contains(address) || is_public(address)
}

/// Whether everybody on the internet means the same host by it (the special-purpose registries of RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(a, 0 | 10 | 127 | 224..)
        || (a == 100 && b & 0xc0 == 64)
        || (a == 169 && b == 254)
        // Where a cloud's own services answer its machines (Azure).
        || address == Ipv4Addr::new(168, 63, 129, 16)
        || (a == 172 && b & 0xf0 == 16)
        || (a == 192 && (b == 168 || (b == 0 && matches!(c, 0 | 2)) || (b == 88 && c == 99)))
        || (a == 198 && (b & 0xfe == 18 || (b == 51 && c == 100)))
        || (a == 203 && b == 0 && c == 113);
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let words = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match words {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        // 6to4, Teredo and the other assignments of 2001::/23, documentation.
        [0x2002, ..] | [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str, listed: &[&str]) -> bool {
        let listed = listed.iter().map(|one| gateway::networks::Network::parse(one).unwrap()).collect();
        may_be_asked(text.parse().unwrap(), &listed)
    }

    #[test]
    fn public_addresses_are_asked_and_no_others_on_both_sides_of_each_range() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "2000::",
            "2001:200::",
            "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:db9::",
            "2003::",
            "2606:4700::1111",
            "3fff:1000::",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert!(asked(text, &[]), "{text}");
        }
        for text in [
            "0.0.0.0",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.0.0",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:db8::1",
            "3fff::1",
            "4000::",
            "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "::ffff:10.0.0.1",
            "::ffff:100.64.0.1",
            "::10.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::",
            "fec0::1",
            "fdff:ffff::1",
            "febf::1",
        ] {
            assert!(!asked(text, &[]), "{text}");
        }
    }

    #[test]
    fn a_listed_range_is_asked_and_what_lies_beside_it_is_not() {
        assert!(asked("10.1.2.3", &["10.1.0.0/16"]));
        assert!(asked("::ffff:10.1.2.3", &["10.1.0.0/16"]));
        assert!(!asked("10.2.0.0", &["10.1.0.0/16"]));
        assert!(!asked("127.0.0.1", &["10.1.0.0/16"]));
    }
}
