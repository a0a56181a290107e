//! PostgreSQL (its documentation, "Message Flow", section "SSL Session Encryption").

use tokio::io::{AsyncRead, AsyncWrite};

use super::StartTlsError;
use super::talk::{self, Talk};

/// SSLRequest: its length, and its number instead of a version.
const REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// SSLRequest, and one octet.
pub async fn speak<S>(talk: &mut Talk<S>) -> Result<(), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const WHAT: &str = "TLS (SSLRequest)";
    talk.say(&REQUEST).await?;
    match talk.octets(1).await?[0] {
        b'S' => Ok(()),
        b'N' => Err(talk::not_offered(WHAT, "N")),
        // What is said of an error is in clear, and nobody knows by whom (CVE-2024-10977): it is not repeated.
        b'E' => Err(talk::refused(WHAT, "E, an error")),
        other => Err(talk.unexpected(&char::from(other).to_string())),
    }
}
