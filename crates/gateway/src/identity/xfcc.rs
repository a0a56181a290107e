//! Envoy's `X-Forwarded-Client-Cert`: one element, set and not appended, as at an edge (SANITIZE_SET).

use examiner::Certificate;
use examiner::cert::GeneralName;

use super::text::{escaped_pem, hex, rfc2253, without};
use super::{Admitted, Lines};

/// `By;Hash;Cert;Subject;URI…;DNS…`, in the order in which Envoy writes them.
///
/// `By` is the URI among the names of the site's certificate; where it has none, the site's address.
pub(super) fn set(lines: &mut Lines<'_>, who: Admitted<'_>, host: &str, own: Option<&Certificate>) {
    let own_uri = own.iter().flat_map(|own| &own.subject_alt_names).find_map(|name| match name {
        GeneralName::Uri(uri) => Some(uri.clone()),
        _ => None,
    });
    let by = own_uri.unwrap_or_else(|| format!("https://{host}"));
    let mut pairs = vec![
        format!("By={}", value(&by)),
        format!("Hash={}", hex(&who.certificate.thumbprint.0)),
        format!("Cert=\"{}\"", escaped_pem(&who.certificate.der, b"")),
        format!("Subject=\"{}\"", rfc2253(&who.certificate.subject)),
    ];
    let names = || who.certificate.subject_alt_names.iter();
    pairs.extend(names().filter_map(|name| match name {
        GeneralName::Uri(uri) => Some(format!("URI={}", value(uri))),
        _ => None,
    }));
    pairs.extend(names().filter_map(|name| match name {
        GeneralName::Dns(dns) => Some(format!("DNS={}", value(dns))),
        _ => None,
    }));
    lines.add("x-forwarded-client-cert", pairs.join(";"));
}

/// Quoted where it holds a separator. A quote or backslash inside is percent-encoded: no reader ends there early.
fn value(text: &str) -> String {
    let safe = without(text, b"\"\\ ");
    if safe.contains([',', ';', '=']) { format!("\"{safe}\"") } else { safe }
}
