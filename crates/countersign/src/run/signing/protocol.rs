//! What can be asked of the authority's process. A connection carries one request and one answer; each is a frame: four
//! octets of length, most significant first, then JSON.

use std::io::{self, ErrorKind, Read, Write};

use examiner::{Thumbprint, UnixTime};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::acme;
use crate::run::upkeep::Done;

/// Bytes of a request.
pub const REQUEST_MOST: usize = 16 * 1024;
/// Bytes of an answer.
pub const ANSWER_MOST: usize = 1 << 20;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Sign the server certificates and the revocation list that are due, and let go of what is old.
    Upkeep {},
    /// Issue a certificate to a party.
    Issue(Proposal),
    /// Issue the successor of a certificate to whoever holds its key.
    Renew(Renewal),
    /// Name a key for the OCSP answers of one CA.
    Delegate(Delegation),
    /// Issue a certificate to whoever holds the token of an invite.
    Redeem(Redemption),
    /// Issue the successor of a certificate for its own key.
    Reenrol(Reenrolment),
    /// Answer a client of ACME.
    Acme(acme::Asked),
    /// Begin or finish a rollover of a CA.
    Rollover(Rollover),
}

/// A rollover's step, as an operator asks for it. What would cut somebody off is not done over the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Rollover {
    /// `client` or `operator`.
    pub ca: String,
    /// What is to be done.
    pub step: Step,
    /// The operator's name.
    pub by: String,
    /// When it was asked; it is good for a minute.
    pub made_at: UnixTime,
}

/// A step of a rollover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// The next generation is made, with a key of this kind.
    Start(String),
    /// The old one is trusted no longer; only where nobody needs it.
    Finish {},
}

/// What somebody brings who was invited. Party, profile and label are those of the invite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Redemption {
    /// The token, as it came.
    pub token: Hidden,
    /// The code, where one was given.
    #[serde(default)]
    pub code: Option<Hidden>,
    /// The party that it must be for, where one was named.
    #[serde(default)]
    pub party: Option<String>,
    /// A certificate request, which its own key signed; PEM.
    pub request: String,
    /// What tells this request from others: with the same again, the same certificate is given again.
    #[serde(default)]
    pub key: Option<String>,
}

/// A renewal whose only proof is the request's own signature: it is for the key of the present certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Reenrolment {
    /// SHA-256 of the present certificate.
    pub thumbprint: Thumbprint,
    /// A certificate request with its key; PEM.
    pub request: String,
}

/// What no log is to show.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// A renewal, as the machine asked for it. What it will say is taken from the certificate on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Renewal {
    /// SHA-256 of the certificate that is renewed.
    pub thumbprint: Thumbprint,
    /// A certificate request with the next public key, which may be the present one; PEM.
    pub request: String,
    /// When it was asked for; it is good for five minutes.
    pub made_at: UnixTime,
    /// The proof of the present certificate's key over the request, in hex ([`authority::renewal`]).
    pub proof: String,
}

/// A key to be named for OCSP answers. Everything else in its certificate is the authority's to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Delegation {
    /// `client` or `operator`.
    pub ca: String,
    /// Whether the CA's old generation is meant, of a rollover that is under way.
    #[serde(default)]
    pub old: bool,
    /// A certificate request with the public key, signed by it; PEM.
    pub request: String,
    /// When it was asked; it is good for a minute.
    pub made_at: UnixTime,
}

/// A certificate to be, as somebody proposes it. Names and dates that are not here are those of the party and profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Proposal {
    /// The party's name; it must be on record.
    pub party: String,
    /// What the certificate is called; a free name where absent.
    #[serde(default)]
    pub label: Option<String>,
    /// `person`, `device` or `service`.
    pub profile: String,
    /// A certificate request with the public key, signed by it; PEM. Nothing else of it is looked at.
    pub request: String,
    /// Further names, such as `dns:svc-1.internal`: only those that a certificate of the party on record has.
    #[serde(default)]
    pub names: Vec<String>,
    /// When it was proposed; it is good for a minute.
    pub made_at: UnixTime,
    /// Its last second; the profile's own life where absent.
    #[serde(default)]
    pub not_after: Option<UnixTime>,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What was due is done.
    Done(Done),
    /// The certificate is issued and on record.
    Issued {
        /// SHA-256 of it.
        thumbprint: Thumbprint,
        /// Its last second.
        not_after: UnixTime,
        /// The certificate, then the CAs to send along; PEM.
        pem: String,
    },
    /// The successor is issued and on record; the certificate before it holds a while longer.
    Renewed {
        /// SHA-256 of it.
        thumbprint: Thumbprint,
        /// Its last second.
        not_after: UnixTime,
        /// Until when the certificate before it is accepted beside it.
        old_until: UnixTime,
        /// The certificate, then the CAs to send along; PEM.
        pem: String,
    },
    /// The key is named, and that is on record.
    Delegated {
        /// The certificate that says so, PEM.
        pem: String,
    },
    /// The invite's certificate is issued and on record.
    Redeemed {
        /// Whose it is.
        party: String,
        /// SHA-256 of it.
        thumbprint: Thumbprint,
        /// Its last second.
        not_after: UnixTime,
        /// The certificate, then the CAs to send along; PEM.
        pem: String,
    },
    /// What the client of ACME is answered.
    Acme(acme::Answered),
    /// The rollover's step is done: what `ca rollover` prints.
    RolledOver(serde_json::Value),
    /// It is not done.
    Refused {
        /// Which rule stands against it.
        code: Refusal,
        /// In words.
        what: String,
    },
}

/// Why something is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The peer is of another user.
    Stranger,
    /// The frame is longer than a request may be.
    TooLong,
    /// The frame did not come whole in time, or is no request.
    Unreadable,
    /// More than the pace allows.
    TooFast,
    /// A profile that is not issued over the socket, or a CA that names no keys.
    Profile,
    /// Proposed too long ago, or in the future.
    Expired,
    /// There is no such party.
    UnknownParty,
    /// The party is suspended.
    Suspended,
    /// A name that no certificate of the party on record has.
    Name,
    /// Against the rules of issuing, or the record.
    Rules,
    /// Not proved to come from whoever holds the key: the next one, or that of the certificate that is renewed.
    Proof,
    /// The certificate is revoked, superseded, or ended too long ago.
    Ended,
    /// No open invite has this token, for whatever reason.
    Token,
    /// The invite asks for a code.
    CodeWanted,
    /// The code is wrong.
    CodeWrong,
    /// The same request was made before, with another key.
    OtherRequest,
    /// It went wrong here.
    Failed,
}

/// Writes a value as one frame.
pub fn write(to: &mut impl Write, value: &impl Serialize, most: usize) -> io::Result<()> {
    let text = serde_json::to_vec(value)?;
    if text.len() > most {
        return Err(io::Error::new(ErrorKind::InvalidInput, "the message is longer than a frame may be"));
    }
    let length = (text.len() as u32).to_be_bytes();
    to.write_all(&[&length[..], &text].concat())
}

/// Reads one frame. `Err` of kind `FileTooLarge` where it says that it is longer than `most`; nothing of it is read then.
pub fn read<T: DeserializeOwned>(from: &mut impl Read, most: usize) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > most {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("{length} octets; at most {most}")));
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_up_to_its_limit_and_not_beyond() {
        let value = "x".repeat(30);
        let mut frame = Vec::new();
        write(&mut frame, &value, 32).unwrap();
        assert!(write(&mut Vec::new(), &value, 31).is_err());
        assert_eq!(read::<String>(&mut &frame[..], 32).unwrap(), value);
        assert_eq!(read::<String>(&mut &frame[..], 31).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(read::<String>(&mut &frame[..35], 32).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_request_has_nothing_that_is_not_known() {
        let read = |text: &str| serde_json::from_str::<Request>(text);
        assert_eq!(read(r#"{"upkeep":{}}"#).unwrap(), Request::Upkeep {});
        for text in [
            r#"{"upkeep":{"key":"root"}}"#,
            r#"{"revoke":{}}"#,
            r#"{"issue":{"party":"a","profile":"person","request":"","made_at":"2027-01-01T00:00:00Z","is_ca":true}}"#,
            r#"{"issue":{"party":"a","profile":"person","request":""}}"#,
            r#"{"issue":{"party":"a","profile":"person","spki":"","made_at":"2027-01-01T00:00:00Z"}}"#,
            r#"{"delegate":{"ca":"client","request":"","made_at":"2027-01-01T00:00:00Z","not_after":"2037-01-01T00:00:00Z"}}"#,
            r#"{"redeem":{"token":"","request":"","profile":"operator"}}"#,
            r#"{"redeem":{"request":""}}"#,
            r#"{"reenrol":{"thumbprint":"","request":"","party":"a"}}"#,
            r#"{"acme":{"path":"/acme/new-order","party":"a"}}"#,
            r#"{"acme":{"body":""}}"#,
            r#"{"rollover":{"ca":"client","step":{"finish":{"force":true}},"by":"ann","made_at":"2027-01-01T00:00:00Z"}}"#,
            r#"{"rollover":{"ca":"client","step":{"finish":{}},"by":"ann"}}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_hidden_is_sent_and_not_shown() {
        let redemption = Redemption {
            token: Hidden("0123456789abcdef".into()),
            code: Some(Hidden("271828".into())),
            party: None,
            request: String::new(),
            key: None,
        };
        let shown = format!("{:?}", Request::Redeem(redemption.clone()));
        assert!(!shown.contains("01234") && !shown.contains("271828"), "{shown}");
        let sent = serde_json::to_string(&redemption).unwrap();
        assert_eq!(serde_json::from_str::<Redemption>(&sent).unwrap(), redemption);
    }
}
