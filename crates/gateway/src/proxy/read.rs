//! A PROXY header at the beginning of a connection, version 1 or 2. Not a byte behind it is taken.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

use super::{CRC32C, SIGNATURE, crc32c};

/// Bytes of a whole version 1 header, the line end included.
const MOST_V1: usize = 107;
/// Bytes that may follow the fixed part of version 2: a TLS block with a certificate fits.
const MOST_V2: usize = 16 * 1024;

/// What was told: who connected, and to which address; `None` where the sender speaks for itself.
pub(crate) type Ends = Option<(SocketAddr, SocketAddr)>;

/// What is no PROXY header, or one that cannot be relied on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Wrong {
    #[error("the connection ended before its PROXY header did")]
    Cut,
    #[error("no PROXY header")]
    NoHeader,
    #[error("the PROXY header is malformed: {0}")]
    Malformed(&'static str),
}

/// Reads the header. The caller sets the deadline.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Ends, Wrong> {
    let mut head = vec![0; SIGNATURE.len()];
    take(stream, &mut head).await?;
    if head == SIGNATURE {
        head.resize(16, 0);
        take(stream, &mut head[12..]).await?;
        let length = usize::from(u16::from_be_bytes([head[14], head[15]]));
        if length > MOST_V2 {
            return Err(Wrong::Malformed("it is too long"));
        }
        head.resize(16 + length, 0);
        take(stream, &mut head[16..]).await?;
        return version_2(&head);
    }
    if !head.starts_with(b"PROXY ") {
        return Err(Wrong::NoHeader);
    }
    while !head.ends_with(b"\r\n") {
        if head.len() == MOST_V1 {
            return Err(Wrong::Malformed("its line does not end"));
        }
        head.push(0);
        let last = head.len() - 1;
        take(stream, &mut head[last..]).await?;
    }
    version_1(&head)
}

async fn take(stream: &mut (impl AsyncRead + Unpin), into: &mut [u8]) -> Result<(), Wrong> {
    stream.read_exact(into).await.map(|_| ()).map_err(|_| Wrong::Cut)
}

fn version_1(line: &[u8]) -> Result<Ends, Wrong> {
    let malformed = |what| Err(Wrong::Malformed(what));
    let text = line.strip_suffix(b"\r\n").and_then(|line| std::str::from_utf8(line).ok());
    let Some(text) = text.filter(|text| text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())) else {
        return malformed("it is no line of text");
    };
    let parts: Vec<&str> = text.split(' ').collect();
    let [_, family, from, to, from_port, to_port] = parts[..] else {
        // Whatever follows this word is to be ignored.
        return if parts.get(1) == Some(&"UNKNOWN") { Ok(None) } else { malformed("it has not six words") };
    };
    let port = |text: &str| {
        let plain = text == "0" || !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
        if plain { text.parse::<u16>().ok() } else { None }
    };
    let (Some(from_port), Some(to_port)) = (port(from_port), port(to_port)) else {
        return if family == "UNKNOWN" { Ok(None) } else { malformed("a port is no number") };
    };
    let address = |text: &str| match family {
        "TCP4" => text.parse().ok().map(IpAddr::V4),
        "TCP6" => text.parse().ok().map(IpAddr::V6),
        _ => None,
    };
    match (family, address(from), address(to)) {
        ("UNKNOWN", ..) => Ok(None),
        (_, Some(from), Some(to)) => {
            Ok(Some((SocketAddr::new(from, from_port), SocketAddr::new(to, to_port))))
        }
        _ => malformed("an address does not fit its family"),
    }
}

fn version_2(header: &[u8]) -> Result<Ends, Wrong> {
    let malformed = |what| Err(Wrong::Malformed(what));
    let (fixed, rest) = header.split_at(16);
    let addresses = match fixed[13] {
        _ if fixed[12] == 0x20 => 0,
        0x11 => 12,
        0x21 => 36,
        0x00 => 0,
        0x31 | 0x32 => return malformed("it tells of a Unix socket"),
        0x12 | 0x22 => return malformed("it tells of datagrams"),
        _ => return malformed("its family is unknown"),
    };
    if !matches!(fixed[12], 0x20 | 0x21) {
        return malformed("its version or command is unknown");
    }
    if rest.len() < addresses {
        return malformed("its addresses are cut");
    }
    // What a sender that speaks for itself adds is to be ignored, but never a wrong checksum.
    let additions = if fixed[12] == 0x20 { skip_addresses(fixed[13], rest) } else { &rest[addresses..] };
    check_additions(header, header.len() - additions.len())?;
    if fixed[12] == 0x20 || addresses == 0 {
        return Ok(None);
    }
    let port = |at: usize| u16::from_be_bytes([rest[at], rest[at + 1]]);
    let (from, to): (IpAddr, IpAddr) = if addresses == 12 {
        let v4 = |at: usize| Ipv4Addr::new(rest[at], rest[at + 1], rest[at + 2], rest[at + 3]);
        (v4(0).into(), v4(4).into())
    } else {
        let v6 = |at: usize| {
            let mut octets = [0; 16];
            octets.copy_from_slice(&rest[at..at + 16]);
            Ipv6Addr::from(octets)
        };
        (v6(0).into(), v6(16).into())
    };
    let ports = addresses - 4;
    Ok(Some((
        SocketAddr::new(from.to_canonical(), port(ports)),
        SocketAddr::new(to.to_canonical(), port(ports + 2)),
    )))
}

/// What follows the addresses of a header without meaning; nothing where they are not whole.
fn skip_addresses(family: u8, rest: &[u8]) -> &[u8] {
    let length = match family {
        0x11 | 0x12 => 12,
        0x21 | 0x22 => 36,
        0x31 | 0x32 => 216,
        _ => 0,
    };
    rest.get(length..).unwrap_or_default()
}

/// Walks the additions, which begin at `at`, and holds the checksum where there is one.
fn check_additions(header: &[u8], mut at: usize) -> Result<(), Wrong> {
    while at < header.len() {
        let Some([kind, high, low]) = header.get(at..at + 3) else {
            return Err(Wrong::Malformed("an addition is cut"));
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(value) = header.get(at + 3..at + 3 + length) else {
            return Err(Wrong::Malformed("an addition is cut"));
        };
        if *kind == CRC32C {
            let mut zeroed = header.to_vec();
            zeroed[at + 3..at + 3 + length].fill(0);
            if value != crc32c(&zeroed).to_be_bytes() {
                return Err(Wrong::Malformed("its checksum is wrong"));
            }
        }
        at += 3 + length;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(bytes: &[u8]) -> (Result<Ends, Wrong>, usize) {
        let mut rest = bytes;
        let found = read(&mut rest).await;
        (found, rest.len())
    }

    fn ends(from: &str, to: &str) -> Result<Ends, Wrong> {
        Ok(Some((from.parse().unwrap(), to.parse().unwrap())))
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut header = SIGNATURE.to_vec();
        header.extend([command, family]);
        header.extend((rest.len() as u16).to_be_bytes());
        header.extend(rest);
        header
    }

    const V4: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0xc0, 0x01, 0x01, 0xbb];

    #[tokio::test]
    async fn both_versions_are_read_and_nothing_behind_them() {
        let one = b"PROXY TCP4 192.0.2.7 198.51.100.1 49153 443\r\nrest";
        assert_eq!(read_all(one).await, (ends("192.0.2.7:49153", "198.51.100.1:443"), 4));
        let six = b"PROXY TCP6 2001:db8::7 ::1 49153 443\r\n";
        assert_eq!(read_all(six).await, (ends("[2001:db8::7]:49153", "[::1]:443"), 0));
        assert_eq!(read_all(b"PROXY UNKNOWN\r\nrest").await, (Ok(None), 4));
        assert_eq!(read_all(b"PROXY UNKNOWN x y z w\r\n").await, (Ok(None), 0));
        let mut two = v2(0x21, 0x11, &V4);
        two.extend(b"rest");
        assert_eq!(read_all(&two).await, (ends("192.0.2.7:49153", "198.51.100.1:443"), 4));
        assert_eq!(read_all(&v2(0x20, 0x00, &[])).await, (Ok(None), 0), "a health check");
        assert_eq!(read_all(&v2(0x20, 0x11, &V4)).await, (Ok(None), 0), "its addresses mean nothing");
        let mapped = [&[0; 10][..], &[0xff; 2], &[192, 0, 2, 7], &[0; 15], &[1], &[0, 1, 0, 2]].concat();
        assert_eq!(read_all(&v2(0x21, 0x21, &mapped)).await.0, ends("192.0.2.7:1", "[::1]:2"));
        let unknown = [&V4[..], &[0xe0, 0, 1, 9], &[0x04, 0, 0]].concat();
        assert_eq!(read_all(&v2(0x21, 0x11, &unknown)).await.0, ends("192.0.2.7:49153", "198.51.100.1:443"));
    }

    #[tokio::test]
    async fn a_checksum_holds_the_whole_header() {
        let mut header = v2(0x21, 0x11, &[&V4[..], &[CRC32C, 0, 4, 0, 0, 0, 0]].concat());
        let sum = crc32c(&header).to_be_bytes();
        let end = header.len();
        header[end - 4..].copy_from_slice(&sum);
        assert!(read_all(&header).await.0.is_ok());
        header[16] ^= 1;
        assert_eq!(read_all(&header).await.0, Err(Wrong::Malformed("its checksum is wrong")));
    }

    #[tokio::test]
    async fn whatever_else_is_no_header() {
        for bytes in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03rest",
            b"proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 1 02\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 1 -2\r\n",
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n",
            b"PROXY  TCP4 192.0.2.7 198.51.100.1 1 2\r\n",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n\n\n\n\n\n",
            b"PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n",
            b"PROXY TCP4 192.0.2.\x007 198.51.100.1 1 2\r\n",
            b"PROXY",
            b"",
            &[b'P', b'R', b'O', b'X', b'Y', b' '].repeat(40),
            &v2(0x11, 0x11, &V4),
            &v2(0x22, 0x11, &V4),
            &v2(0x21, 0x12, &V4),
            &v2(0x21, 0x31, &[0; 216]),
            &v2(0x21, 0x41, &V4),
            &v2(0x21, 0x11, &V4[..11]),
            &v2(0x21, 0x21, &V4),
            &v2(0x21, 0x11, &[&V4[..], &[4, 0]].concat()),
            &v2(0x21, 0x11, &[&V4[..], &[4, 0, 9, 1]].concat()),
            &v2(0x21, 0x11, &[&V4[..], &[CRC32C, 0, 2, 0, 0]].concat()),
            &v2(0x21, 0x11, &V4)[..20],
            &v2(0x21, 0x11, &[0; MOST_V2 + 1]),
        ] {
            let (found, _) = read_all(bytes).await;
            assert!(found.is_err(), "{}: {found:?}", String::from_utf8_lossy(bytes));
        }
    }
}
