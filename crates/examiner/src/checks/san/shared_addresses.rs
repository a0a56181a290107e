//! Addresses that are nobody's in public (the special-purpose registries of IANA, RFC 6890).

use std::net::{IpAddr, Ipv6Addr};

/// Whether an address is reserved: private, local, for documentation, for multicast, or for later.
pub(super) fn is_reserved(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_documentation()
                || a == 0
                || a >= 224
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99)
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_reserved(v4.into());
            }
            // Global unicast is 2000::/3 alone; in it the ranges for documentation, benchmarks and the like.
            let inside =
                |net: Ipv6Addr, bits: u32| v6.to_bits() >> (128 - bits) == net.to_bits() >> (128 - bits);
            !inside(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
                || inside(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32)
                || inside(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23)
                || inside(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20)
        }
    }
}
