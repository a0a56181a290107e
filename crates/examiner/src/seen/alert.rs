//! TLS alerts by name (RFC 8446 section 6, RFC 5246 section 7.2, and the IANA registry), and what each means here.

/// One alert.
struct Alert {
    code: u8,
    name: &'static str,
    /// What it says about the one who got it, in words.
    words: &'static str,
}

const fn alert(code: u8, name: &'static str, words: &'static str) -> Alert {
    Alert { code, name, words }
}

const ALERTS: &[Alert] = &[
    alert(0, "close_notify", "it has nothing more to say"),
    alert(10, "unexpected_message", "a message came that it did not expect"),
    alert(20, "bad_record_mac", "a record did not decrypt"),
    alert(21, "decryption_failed", "a record did not decrypt"),
    alert(22, "record_overflow", "a record was too long"),
    alert(30, "decompression_failure", "a message did not unpack"),
    alert(
        40,
        "handshake_failure",
        "it finds no version, cipher suite, group or signature algorithm in common, or wants a client certificate",
    ),
    alert(41, "no_certificate", "it got no client certificate"),
    alert(42, "bad_certificate", "it takes the client certificate for damaged, or got none"),
    alert(43, "unsupported_certificate", "it takes no client certificates of this kind or purpose"),
    alert(44, "certificate_revoked", "the client certificate is revoked"),
    alert(45, "certificate_expired", "the client certificate has expired, or is not valid yet"),
    alert(46, "certificate_unknown", "it refuses the client certificate for a reason that it does not tell"),
    alert(47, "illegal_parameter", "a field had a value that it does not allow"),
    alert(
        48,
        "unknown_ca",
        "it does not trust the issuer of the client certificate, or lacks an intermediate",
    ),
    alert(49, "access_denied", "it knows the client certificate and does not let it in"),
    alert(50, "decode_error", "a message did not decode"),
    alert(51, "decrypt_error", "a signature did not verify"),
    alert(60, "export_restriction", "an export rule forbids it"),
    alert(70, "protocol_version", "it does not speak the version that was offered"),
    alert(71, "insufficient_security", "it asks for stronger cipher suites"),
    alert(80, "internal_error", "it failed by a fault of its own: look at its log"),
    alert(86, "inappropriate_fallback", "it speaks a newer version than the one that was offered"),
    alert(90, "user_canceled", "it gave up"),
    alert(100, "no_renegotiation", "it does not negotiate anew"),
    alert(109, "missing_extension", "an extension was missing, such as the server name"),
    alert(110, "unsupported_extension", "an extension came that it did not ask for"),
    alert(111, "certificate_unobtainable", "it could not fetch a certificate"),
    alert(112, "unrecognized_name", "it serves no site of this name"),
    alert(113, "bad_certificate_status_response", "the OCSP response was wrong"),
    alert(114, "bad_certificate_hash_value", "a hash of a certificate was wrong"),
    alert(115, "unknown_psk_identity", "it does not know the pre-shared key"),
    alert(116, "certificate_required", "it lets nobody in without a client certificate"),
    alert(120, "no_application_protocol", "it speaks none of the application protocols that were offered"),
    alert(121, "ech_required", "it wants an encrypted ClientHello"),
];

/// The alert's name with its number, such as `unknown_ca (48)`.
pub fn named(code: u8) -> String {
    match find(code) {
        Some(alert) => format!("{} ({code})", alert.name),
        None => format!("{code}, which has no name"),
    }
}

/// What the alert says, in words without a capital; `None` where it has no meaning that is known.
pub fn words(code: u8) -> Option<&'static str> {
    find(code).map(|alert| alert.words)
}

fn find(code: u8) -> Option<&'static Alert> {
    ALERTS.iter().find(|alert| alert.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_alert_stands_once_and_in_order() {
        assert!(ALERTS.windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    #[test]
    fn an_alert_is_named_and_an_unknown_one_keeps_its_number() {
        assert_eq!(named(48), "unknown_ca (48)");
        assert_eq!(named(200), "200, which has no name");
        assert_eq!(words(200), None);
    }
}
