//! Checks of the catalogue that are not in [`super::ALL`], and why.

/// A check that is not made here.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut {
    /// Its id in the catalogue.
    pub id: &'static str,
    /// Why.
    pub why: Why,
}

/// Why a check is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Only a look at the network can tell: what has to be looked at.
    Network(&'static str),
    /// It is told by these other checks, so that one cause has one finding.
    ToldBy(&'static str),
    /// It is no property of a chain: where it is held instead.
    NotOfAChain(&'static str),
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Network(what) => write!(f, "only the network can tell: {what}"),
            Self::ToldBy(other) => write!(f, "told by {other}"),
            Self::NotOfAChain(held) => write!(f, "no property of a chain: {held}"),
        }
    }
}

const HANDSHAKE: Why = Why::Network("a handshake with the host");
const DNS: Why = Why::Network("the host's DNS records");
const SEVERAL: Why = Why::Network("several handshakes with the host");

/// All that is left out, by the catalogue's order.
pub const LEFT_OUT: &[LeftOut] = &[
    out("renewal-window-missed", Why::Network("the CA's renewal information (RFC 9773)")),
    out("clock-skew-against-server", HANDSHAKE),
    out("ku-no-key-encipherment-for-rsa-kx", Why::Network("the cipher suites that the host takes")),
    out(
        "chain-incomplete-fixed-by-aia",
        Why::ToldBy("chain-incomplete, with the address that gave the missing certificate"),
    ),
    out("chain-differs-rsa-ecdsa", SEVERAL),
    out("served-certificate-not-the-file", HANDSHAKE),
    out("path-signature-order-independent", Why::NotOfAChain("a test of path building holds it")),
    out("multi-staple-support", HANDSHAKE),
    out("not-found-in-log", Why::Network("the logs")),
    out("unexpected-issuance", Why::Network("the logs")),
    out("sigalg-not-offered-for-cert", HANDSHAKE),
    out("certificate-compression", HANDSHAKE),
    out("raw-public-key-or-delegated-credential", HANDSHAKE),
    out("post-handshake-or-renegotiation-auth", HANDSHAKE),
    out("https-record-vs-certificate", DNS),
    out("client-chain-not-sent", Why::ToldBy("chain-incomplete, under the profile `mtls-client`")),
    out("client-key-weak-or-old", Why::ToldBy("the checks of keys, which run under `mtls-client` too")),
    out("client-pem-key-mismatch", Why::ToldBy("key-does-not-match-certificate")),
    out(
        "client-bundle-order-or-missing",
        Why::ToldBy("chain-wrong-order, chain-leaf-not-first, chain-incomplete"),
    ),
    out(
        "client-not-accepted-by-given-server-ca",
        Why::ToldBy(
            "untrusted-root, chain-incomplete and cross-profile-disagreement, with the server's CA as `--roots`",
        ),
    ),
    out("client-tls12-cert-type-mismatch", HANDSHAKE),
];

const fn out(id: &'static str, why: Why) -> LeftOut {
    LeftOut { id, why }
}
