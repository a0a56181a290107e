//! LMTP (RFC 2033 section 4.1): SMTP with another word of hello.

use tokio::io::{AsyncRead, AsyncWrite};

use super::talk::Talk;
use super::{StartTlsError, lines};

/// Greeting, LHLO, STARTTLS.
pub async fn speak<S>(talk: &mut Talk<S>) -> Result<(), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    lines::mail(talk, "LHLO").await
}
