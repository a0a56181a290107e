//! SMTP (RFC 3207).

use tokio::io::{AsyncRead, AsyncWrite};

use super::talk::Talk;
use super::{StartTlsError, lines};

/// Greeting, EHLO, STARTTLS.
pub async fn speak<S>(talk: &mut Talk<S>) -> Result<(), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    lines::mail(talk, "EHLO").await
}
