//! What is in a record of the DNS.

use std::net::IpAddr;

use data_encoding::HEXLOWER;
use examiner::side::{Caa, Service, Tlsa};

/// A CAA record (RFC 8659 section 4.1).
pub fn caa(data: &[u8]) -> Option<Caa> {
    let (flags, rest) = data.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (tag, value) = rest.split_at_checked(usize::from(*length))?;
    Some(Caa {
        is_critical: flags & 0x80 != 0,
        tag: String::from_utf8_lossy(tag).to_ascii_lowercase(),
        value: String::from_utf8_lossy(value).into_owned(),
    })
}

/// A TLSA record (RFC 6698 section 2.1).
pub fn tlsa(data: &[u8]) -> Option<Tlsa> {
    let ([usage, selector, matching], data) = data.split_first_chunk::<3>()?;
    Some(Tlsa { usage: *usage, selector: *selector, matching: *matching, data: HEXLOWER.encode(data) })
}

/// An HTTPS record (RFC 9460 section 2.2). What it says beside protocols, port and addresses is passed over.
pub fn service(data: &[u8]) -> Option<Service> {
    let mut rest = Cut(data);
    let mut service = Service { priority: rest.number()?, ..Service::default() };
    let mut labels = Vec::new();
    loop {
        let label = rest.text()?;
        match label.len() {
            0 => break,
            // A name here is never compressed.
            1..=63 => labels.push(String::from_utf8_lossy(label).to_ascii_lowercase()),
            _ => return None,
        }
    }
    service.target = labels.join(".");
    while !rest.0.is_empty() {
        let key = rest.number()?;
        let mut value = rest.block()?;
        match key {
            1 => {
                while !value.0.is_empty() {
                    service.alpn.push(String::from_utf8_lossy(value.text()?).into_owned());
                }
            }
            3 => service.port = Some(value.number()?),
            4 => service.hints.extend(value.0.as_chunks::<4>().0.iter().map(|one| IpAddr::from(*one))),
            6 => service.hints.extend(value.0.as_chunks::<16>().0.iter().map(|one| IpAddr::from(*one))),
            _ => {}
        }
    }
    Some(service)
}

/// Cuts lengths and what they announce from the front.
struct Cut<'a>(&'a [u8]);

impl<'a> Cut<'a> {
    fn number(&mut self) -> Option<u16> {
        let (head, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*head))
    }

    fn behind(&mut self, length: usize) -> Option<Self> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Self(head))
    }

    /// What stands behind a length of one octet.
    fn text(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(self.behind(usize::from(*length))?.0)
    }

    /// What stands behind a length of two octets.
    fn block(&mut self) -> Option<Self> {
        let length = self.number()?;
        self.behind(usize::from(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_leads_elsewhere_is_read() {
        let bytes = [
            &[0, 1, 3][..],
            b"cdn",
            &[7],
            b"EXAMPLE",
            &[0], // priority 1, cdn.EXAMPLE
            &[0, 1, 0, 6, 2],
            b"h2",
            &[2],
            b"h3",                       // alpn
            &[0, 3, 0, 2, 0x20, 0xfb],   // port 8443
            &[0, 4, 0, 4, 192, 0, 2, 7], // ipv4hint
            &[0, 5, 0, 1, 9],            // ech: passed over
        ]
        .concat();
        let read = service(&bytes).unwrap();
        assert_eq!((read.priority, read.target.as_str(), read.port), (1, "cdn.example", Some(8443)));
        assert_eq!(read.alpn, ["h2", "h3"]);
        assert_eq!(read.hints, ["192.0.2.7".parse::<IpAddr>().unwrap()]);
        // One that is cut is none, but behind its name and behind each of its parameters.
        for end in 0..bytes.len() {
            assert_eq!(service(&bytes[..end]).is_some(), [15, 25, 31, 39].contains(&end), "{end}");
        }
        assert!(service(&[0, 1, 0xc0, 0x0c]).is_none(), "a compressed name");
    }

    #[test]
    fn records_are_read_and_cut_ones_are_none() {
        let read = caa(b"\x80\x05ISSUEca.example; a=b").unwrap();
        assert_eq!((read.is_critical, read.tag.as_str()), (true, "issue"));
        assert_eq!(read.value, "ca.example; a=b");
        assert!(caa(b"\x00\x06issue").is_none() && caa(b"\x00").is_none());
        let read = tlsa(&[3, 1, 1, 0xab]).unwrap();
        assert_eq!((read.usage, read.selector, read.matching, read.data.as_str()), (3, 1, 1, "ab"));
        assert!(tlsa(&[3, 1]).is_none());
    }
}
