//! The way to the upstreams.
//!
//! - `target`: where a site's requests go, as settings.
//! - `route`: the upstreams of one site while the gate runs: which takes the next request, which are left out.
//! - `tls`: verifying an `https://` upstream, and our own certificate to it.
//! - `connect`: a new connection; `pool`: kept ones, one pool a core; `body`: what goes over them; `trailers`.
//! - `check`: asking upstreams how they are.
//! - `websocket`: the handshake, and where frames end; `tunnel`: the bytes after it.

pub(crate) mod body;
pub(crate) mod check;
pub(crate) mod connect;
pub(crate) mod pool;
pub(crate) mod route;
pub(crate) mod target;
pub(crate) mod tls;
pub(crate) mod trailers;
pub(crate) mod tunnel;
pub(crate) mod websocket;

use std::time::Duration;

use policy::HostName;

/// Connects to an upstream of `site`, verifies it and hangs up, without a request: what is spoken there, or why it cannot
/// be used, in words.
pub async fn reach(
    site: &HostName,
    upstream: &target::Upstream,
    target: &target::Target,
    most: Duration,
) -> Result<&'static str, String> {
    let backend = route::Backend::new(site, target, upstream);
    connect::reach(&backend, most).await
}
