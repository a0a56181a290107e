//! Trailers: which are announced to the other side. HTTP/1.1 sends only those that are.

use http::header::{HeaderMap, HeaderName, HeaderValue, TRAILER};

use crate::broom;

/// The `Trailer` field to send on, without the names that no trailer of ours may bear.
pub(crate) fn announced(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut lines = headers.get_all(TRAILER).iter().peekable();
    lines.peek()?;
    let names = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    let names = names.filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok());
    let kept: Vec<String> =
        names.filter(|name| !broom::is_identity(name.as_str())).map(|name| name.to_string()).collect();
    if kept.is_empty() { None } else { HeaderValue::from_str(&kept.join(", ")).ok() }
}
