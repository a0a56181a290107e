//! The header set that configurations of nginx make of its `$ssl_client_…` variables.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::text::{escaped_pem, hex, rfc2253, serial};
use super::{Admitted, Lines};

/// `X-SSL-Client-Verify` is `SUCCESS`, or `NONE` where nobody was admitted; the rest is there with `SUCCESS` only.
pub(super) fn set(lines: &mut Lines<'_>, who: Option<Admitted<'_>>) {
    let Some(Admitted { certificate, .. }) = who else {
        return lines.add("x-ssl-client-verify", "NONE");
    };
    lines.add("x-ssl-client-verify", "SUCCESS");
    lines.add("x-ssl-client-s-dn", rfc2253(&certificate.subject));
    lines.add("x-ssl-client-i-dn", rfc2253(&certificate.issuer));
    lines.add("x-ssl-client-serial", serial(certificate));
    // nginx knows no other fingerprint. It is shown here and decides nothing.
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate.der);
    lines.add("x-ssl-client-fingerprint", hex(sha1.as_ref()));
    lines.add("x-ssl-client-cert", escaped_pem(&certificate.der, b""));
}
