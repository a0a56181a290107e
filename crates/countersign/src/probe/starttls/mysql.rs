//! MySQL and MariaDB (the documentation of their protocol, "Connection Phase").

use tokio::io::{AsyncRead, AsyncWrite};

use super::StartTlsError;
use super::talk::{self, Talk};

/// CLIENT_SSL.
const SSL: u32 = 0x0800;
/// CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, CLIENT_PLUGIN_AUTH.
const MODERN: u32 = 0x0200 | 0x8000 | 0x0008_0000;
/// The packets that we would take, at most.
const MOST_PACKET: u32 = 1 << 24;
/// utf8mb4_general_ci.
const CHARACTERS: u8 = 45;

/// Greeting, SSLRequest. TLS begins without another word of the server.
pub async fn speak<S>(talk: &mut Talk<S>) -> Result<(), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const WHAT: &str = "TLS (CLIENT_SSL)";
    let head = talk.octets(4).await?;
    // No server greets with more than a few hundred octets, and the first packet has the number 0.
    if head[2] != 0 || head[3] != 0 {
        return Err(talk.unexpected(&String::from_utf8_lossy(&head)));
    }
    let greeting = talk.octets(usize::from(head[0]) | usize::from(head[1]) << 8).await?;
    if greeting.first() == Some(&0xff) {
        // An error: its number, then words.
        let words = String::from_utf8_lossy(greeting.get(3..).unwrap_or_default()).into_owned();
        return Err(talk.unexpected(&words));
    }
    let (version, capabilities) =
        read(&greeting).ok_or_else(|| talk.unexpected(&String::from_utf8_lossy(&greeting)))?;
    if capabilities & SSL == 0 {
        return Err(talk::not_offered(WHAT, &version));
    }
    let mut request = vec![32, 0, 0, 1];
    request.extend((MODERN | SSL).to_le_bytes());
    request.extend(MOST_PACKET.to_le_bytes());
    request.push(CHARACTERS);
    request.extend([0; 23]);
    talk.say(&request).await
}

/// Version and capabilities of a greeting of protocol 10; of the latter the lower half, where CLIENT_SSL stands.
fn read(greeting: &[u8]) -> Option<(String, u32)> {
    let rest = greeting.strip_prefix(&[10])?;
    let end = rest.iter().position(|octet| *octet == 0)?;
    // Behind the version: connection 4, scramble 8, a zero.
    let lower = rest.get(end + 14..end + 16)?;
    Some((
        String::from_utf8_lossy(&rest[..end]).into_owned(),
        u32::from(u16::from_le_bytes([lower[0], lower[1]])),
    ))
}
