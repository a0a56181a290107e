//! A batch as JSON, posted to an address of the configuration.

use aws_lc_rs::hmac;
use gateway::networks::{Network, Networks};
use http::{HeaderName, HeaderValue};
use serde_json::json;

use super::{Batch, DEADLINE};
use crate::config::notify::Webhook;
use crate::fetch::{self, Rules};

/// Bytes of an answer; nothing of it is looked at.
const ANSWER_MOST: u64 = 64 * 1024;
/// The batch's name: the same where it is sent again.
const ID: HeaderName = HeaderName::from_static("idempotency-key");
/// `sha256=` and the HMAC-SHA-256 of the body, lower-case hex.
const SIGNATURE: HeaderName = HeaderName::from_static("countersign-signature");

/// Sends it; an error says what was against that. Addresses that are not public are posted to only where they are
/// listed, or on this machine.
pub async fn send(webhook: &Webhook, batch: &Batch, private: &Networks) -> Result<(), String> {
    let body = json!({
        "type": "certificates-ending",
        "id": batch.id,
        "summary": batch.subject(),
        "notices": batch.notices,
    });
    let body = serde_json::to_vec(&body).map_err(|error| error.to_string())?;
    let mut headers = vec![(ID, value(&batch.id)?)];
    if let Some(place) = &webhook.secret {
        headers.push((SIGNATURE, value(&signature(place.read()?.as_bytes(), &body))?));
    }
    let rules = Rules {
        most_bytes: ANSWER_MOST,
        deadline: DEADLINE,
        private: if is_near(webhook) { this_machine() } else { private.clone() },
        private_by: "[server] fetch_private does not list it",
        roots: fetch::roots(webhook.roots.as_deref())?,
    };
    fetch::post_with(&webhook.url, &rules, "application/json", body, headers)
        .await
        .map_err(|error| error.to_string())
}

/// Whether the address names this machine; then its own addresses may be posted to, and no others.
fn is_near(webhook: &Webhook) -> bool {
    let host = webhook.url.host();
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn this_machine() -> Networks {
    ["127.0.0.0/8", "::1/128"].into_iter().filter_map(|own| Network::parse(own).ok()).collect()
}

fn signature(key: &[u8], body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hmac_sha_256() {
        // RFC 4231 section 4.3.
        assert_eq!(
            signature(b"Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
