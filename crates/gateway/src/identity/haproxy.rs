//! The header set of HAProxy's manual (`ssl_fc`, `ssl_c_…`), with the two that are often added.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use examiner::cert::oid;

use super::text::{asn1_time, hex, kind_and_text, plain, slashed, without};
use super::{Admitted, Lines};

/// `X-SSL-Client-Verify` is `0`, OpenSSL's number for "good". Where nobody was admitted it is `NONE`: HAProxy itself
/// writes `0` there too, which backends take for a login.
pub(super) fn set(lines: &mut Lines<'_>, who: Option<Admitted<'_>>) {
    lines.add("x-ssl", "1");
    let Some(Admitted { certificate, .. }) = who else {
        return lines.add("x-ssl-client-verify", "NONE");
    };
    let quoted = |text: String| format!("\"{text}\"");
    lines.add("x-ssl-client-verify", "0");
    lines.add("x-ssl-client-dn", quoted(slashed(&certificate.subject)));
    let names = certificate.subject.rdns.iter().flatten();
    if let Some(name) = names.into_iter().find(|one| oid::attribute_name(&one.oid) == Some("CN")) {
        lines.add("x-ssl-client-cn", quoted(plain(&name.value)));
    }
    lines.add("x-ssl-issuer", quoted(slashed(&certificate.issuer)));
    lines.add("x-ssl-client-notbefore", quoted(asn1_time(certificate.not_before)));
    lines.add("x-ssl-client-notafter", quoted(asn1_time(certificate.not_after)));
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate.der);
    lines.add("x-ssl-client-sha1", hex(sha1.as_ref()).to_ascii_uppercase());
    let names = certificate.subject_alt_names.iter().filter_map(kind_and_text);
    let names: Vec<String> =
        names.map(|(kind, text)| format!("{kind}:{}", without(&text, b",\"\\ "))).collect();
    if !names.is_empty() {
        lines.add("x-ssl-client-san", names.join(", "));
    }
}
