//! RFC 9440: the certificate and its chain as byte sequences of structured fields (RFC 8941 section 3.3.5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Admitted, Lines};

/// `Client-Cert`, section 2.2.
pub(super) fn certificate(lines: &mut Lines<'_>, who: Admitted<'_>) {
    lines.add("client-cert", sequence(&who.certificate.der));
}

/// `Client-Cert-Chain`, section 2.3: from the issuer up, without the certificate itself. Absent where nothing was
/// verified above a pinned certificate.
pub(super) fn chain(lines: &mut Lines<'_>, who: Admitted<'_>) {
    if !who.issuers.is_empty() {
        let all: Vec<String> = who.issuers.iter().map(|der| sequence(der)).collect();
        lines.add("client-cert-chain", all.join(", "));
    }
}

fn sequence(der: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(der))
}
