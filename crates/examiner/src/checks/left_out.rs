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
    /// It is told by these other checks, so that one cause has one finding.
    ToldBy(&'static str),
    /// It would need more than a look at the host: what.
    Needs(&'static str),
    /// It is no property of a chain: where it is held instead.
    NotOfAChain(&'static str),
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Needs(what) => write!(f, "not made: {what}"),
            Self::ToldBy(other) => write!(f, "told by {other}"),
            Self::NotOfAChain(held) => write!(f, "no property of a chain: {held}"),
        }
    }
}

/// All that is left out, by the catalogue's order.
pub const LEFT_OUT: &[LeftOut] = &[
    out(
        "renewal-window-missed",
        Why::Needs("the CA's directory would be asked for its renewal information (RFC 9773)"),
    ),
    out(
        "clock-skew-against-server",
        Why::Needs(
            "no handshake of today tells the server's time; a request would have to be sent to every host",
        ),
    ),
    out(
        "chain-incomplete-fixed-by-aia",
        Why::ToldBy("chain-incomplete, with the address that gave the missing certificate"),
    ),
    out("path-signature-order-independent", Why::NotOfAChain("a test of path building holds it")),
    out(
        "multi-staple-support",
        Why::Needs("no client of today asks for the responses of intermediates (RFC 6961)"),
    ),
    out("not-found-in-log", Why::Needs("the logs would be asked, and learn which host is examined")),
    out("unexpected-issuance", Why::Needs("the logs would be asked, and learn which host is examined")),
    out("sigalg-not-offered-for-cert", Why::ToldBy("signature-algorithm-not-allowed, signature-sha1")),
    out(
        "raw-public-key-or-delegated-credential",
        Why::Needs("no server at hand has either, so that nothing could be tried (RFC 7250, RFC 9345)"),
    ),
    out(
        "post-handshake-or-renegotiation-auth",
        Why::Needs("the page that asks for a certificate would have to be known, and asked for"),
    ),
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
];

const fn out(id: &'static str, why: Why) -> LeftOut {
    LeftOut { id, why }
}
