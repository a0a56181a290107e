//! What the load balancers of AWS and Azure tell.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::text::{escaped_pem, rfc2253, serial};
use super::{Admitted, Lines};

/// AWS' Application Load Balancer in verify mode.
pub(super) fn aws(lines: &mut Lines<'_>, Admitted { certificate, .. }: Admitted<'_>) {
    lines.add("x-amzn-mtls-clientcert-serial-number", serial(certificate));
    lines.add("x-amzn-mtls-clientcert-issuer", rfc2253(&certificate.issuer));
    lines.add("x-amzn-mtls-clientcert-subject", rfc2253(&certificate.subject));
    let dates = format!("NotBefore={};NotAfter={}", certificate.not_before, certificate.not_after);
    lines.add("x-amzn-mtls-clientcert-validity", dates);
    lines.add("x-amzn-mtls-clientcert-leaf", escaped_pem(&certificate.der, b"+=/"));
}

/// Azure App Service.
pub(super) fn azure(lines: &mut Lines<'_>, Admitted { certificate, .. }: Admitted<'_>) {
    lines.add("x-arr-clientcert", STANDARD.encode(&certificate.der));
}
