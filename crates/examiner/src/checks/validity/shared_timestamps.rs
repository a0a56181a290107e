//! The times of signed certificate timestamps.

use super::prelude::*;
use crate::cert::tlv::tag;

/// When each log says that it saw the certificate (RFC 6962 section 3.3); empty where there is no readable list.
pub(super) fn timestamps(certificate: &Examinee) -> Vec<UnixTime> {
    let list =
        certificate.extension(id::SCT_LIST).and_then(|one| one.tree.as_ref()).and_then(|tree| tree.root());
    let Some(list) = list.filter(|list| list.is(tag::OCTET_STRING)) else { return Vec::new() };
    let mut rest = list.content().get(2..).unwrap_or(&[]);
    let mut all = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let Some((one, next)) = after.split_at_checked(length) else { break };
        // Version, 32 octets of the log's identifier, then milliseconds.
        if let Some(millis) = one.get(33..41).and_then(|octets| <[u8; 8]>::try_from(octets).ok()) {
            all.extend(i64::try_from(u64::from_be_bytes(millis) / 1000).ok().map(UnixTime));
        }
        rest = next;
    }
    all
}
