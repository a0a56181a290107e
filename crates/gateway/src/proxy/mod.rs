//! The PROXY protocol: who is behind a connection, told by whoever stands in front (`read`), and told to the upstream
//! (`write`, version 2 with the TLS block).

mod read;
mod write;

pub(crate) use read::read;
pub(crate) use write::{Link, OWN, cipher_name, header};

/// The first bytes of version 2.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Type of the checksum over the whole header.
const CRC32C: u8 = 0x03;

/// CRC-32C (RFC 9260 appendix A).
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // RFC 3720 appendix B.4, and the customary check value.
        assert_eq!(super::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(super::crc32c(&[0; 32]), 0x8a91_36aa);
    }
}
