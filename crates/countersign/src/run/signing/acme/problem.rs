//! Why something is not done, in the types that clients know (RFC 8555 section 6.7).

use std::time::Duration;

use serde_json::{Value, json};

use super::jose::ALGORITHMS;

/// A type of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No such account.
    AccountDoesNotExist,
    /// Another order replaces the certificate (RFC 9773 section 7.4).
    AlreadyReplaced,
    /// Revoked before.
    AlreadyRevoked,
    /// The request for a certificate is not accepted.
    BadCsr,
    /// The nonce was not given out here, or was used.
    BadNonce,
    /// The key is not accepted.
    BadPublicKey,
    /// The reason is none that is taken from clients.
    BadRevocationReason,
    /// Signed in a way that is not accepted.
    BadSignatureAlgorithm,
    /// A host that is to prove its name was not reached.
    Connection,
    /// A host that is to prove its name has no address, or one that is not asked.
    Dns,
    /// An account needs a binding.
    ExternalAccountRequired,
    /// A host answered, and not what its challenge wants.
    IncorrectResponse,
    /// A contact that is no address of e-mail.
    InvalidContact,
    /// No such profile, or another account's.
    InvalidProfile,
    /// The request is not understood.
    Malformed,
    /// The order is not as far as that.
    OrderNotReady,
    /// Too many in so short a time.
    RateLimited,
    /// The account may not have this name.
    RejectedIdentifier,
    /// It went wrong here.
    ServerInternal,
    /// A host that is to prove its name made no handshake.
    Tls,
    /// It is not this signer's to ask.
    Unauthorized,
    /// A contact of another kind than e-mail.
    UnsupportedContact,
    /// A name of another kind than DNS.
    UnsupportedIdentifier,
    /// There is nothing under this address.
    NotFound,
    /// Not with this method.
    OtherMethod,
    /// It is there already.
    Conflict,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::AccountDoesNotExist => "accountDoesNotExist",
            Self::AlreadyReplaced => "alreadyReplaced",
            Self::AlreadyRevoked => "alreadyRevoked",
            Self::BadCsr => "badCSR",
            Self::BadNonce => "badNonce",
            Self::BadPublicKey => "badPublicKey",
            Self::BadRevocationReason => "badRevocationReason",
            Self::BadSignatureAlgorithm => "badSignatureAlgorithm",
            Self::Connection => "connection",
            Self::Dns => "dns",
            Self::ExternalAccountRequired => "externalAccountRequired",
            Self::IncorrectResponse => "incorrectResponse",
            Self::InvalidContact => "invalidContact",
            Self::InvalidProfile => "invalidProfile",
            Self::Malformed | Self::NotFound | Self::OtherMethod | Self::Conflict => "malformed",
            Self::OrderNotReady => "orderNotReady",
            Self::RateLimited => "rateLimited",
            Self::RejectedIdentifier => "rejectedIdentifier",
            Self::ServerInternal => "serverInternal",
            Self::Tls => "tls",
            Self::Unauthorized => "unauthorized",
            Self::UnsupportedContact => "unsupportedContact",
            Self::UnsupportedIdentifier => "unsupportedIdentifier",
        }
    }

    /// The type as it is told.
    pub fn urn(self) -> String {
        format!("urn:ietf:params:acme:error:{}", self.word())
    }

    fn status(self) -> u16 {
        match self {
            Self::ExternalAccountRequired
            | Self::IncorrectResponse
            | Self::OrderNotReady
            | Self::Unauthorized => 403,
            Self::NotFound => 404,
            Self::OtherMethod => 405,
            Self::AlreadyReplaced | Self::Conflict => 409,
            Self::RateLimited => 429,
            Self::ServerInternal => 503,
            _ => 400,
        }
    }
}

/// A problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its type.
    pub kind: Kind,
    /// The HTTP status, where it is not the type's own.
    pub status: Option<u16>,
    /// In words.
    pub detail: String,
    /// The names it is about, with why, where it is about some of several.
    pub names: Vec<(String, Kind, String)>,
    /// Where that is what is there already.
    pub location: Option<String>,
    /// When it is of use to ask again.
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// One of this type.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            detail: detail.into(),
            names: Vec::new(),
            location: None,
            retry_after: None,
        }
    }

    /// A request that is not understood.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail)
    }

    /// An algorithm that is not that of the key.
    pub fn algorithm(found: &str, wanted: &str) -> Self {
        let found: String = found.chars().take(32).collect();
        Self::new(
            Kind::BadSignatureAlgorithm,
            format!("`{}` is not accepted here: use {wanted}", found.escape_debug()),
        )
    }

    /// Something went wrong here; what, is for the log.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "an ACME request could not be answered");
        let retry_after = Some(Duration::from_secs(30));
        Self {
            retry_after,
            ..Self::new(Kind::ServerInternal, "the authority cannot do this now; ask again later")
        }
    }

    /// Too many; ask again after that.
    pub fn too_many(detail: impl Into<String>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(Kind::RateLimited, detail) }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status.unwrap_or_else(|| self.kind.status())
    }

    /// As problem details.
    pub fn json(&self) -> Value {
        let mut value = json!({ "type": self.kind.urn(), "status": self.status(), "detail": self.detail });
        if self.kind == Kind::BadSignatureAlgorithm {
            value["algorithms"] = json!(ALGORITHMS);
        }
        if !self.names.is_empty() {
            let one = |(name, kind, detail): &(String, Kind, String)| {
                json!({
                    "type": kind.urn(), "detail": detail, "identifier": { "type": "dns", "value": name },
                })
            };
            value["subproblems"] = self.names.iter().map(one).collect();
        }
        value
    }
}
