//! What is spoken before TLS: one protocol a file, each up to the byte with which the ClientHello begins.
//!
//! - [`Protocol`]: which one; [`start`]: speaks it.
//! - `talk`: lines and bytes of the server, few enough; every protocol stands on it.
//! - `lines`: what SMTP, LMTP and FTP have in common.
//!
//! A server that has given its go-ahead has nothing to say before our ClientHello. What it says all the same, another may
//! have put there: that is told ([`Started::early`]), and never taken for TLS.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

mod ftp;
mod imap;
mod ldap;
mod lines;
mod lmtp;
mod mysql;
mod pop3;
mod postgres;
mod sieve;
mod smtp;
mod talk;
mod xmpp;

use talk::Talk;

/// By what name the check says hello. Nobody has it (RFC 2606).
const OUR_NAME: &str = "countersign.invalid";

/// A protocol that begins in clear and can change to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Mail between servers, and its submission (RFC 3207).
    Smtp,
    /// Mail into a store (RFC 2033).
    Lmtp,
    /// Mail fetched (RFC 2595).
    Pop3,
    /// Mail read (RFC 9051).
    Imap,
    /// Files (RFC 4217).
    Ftp,
    /// Directories (RFC 4511 section 4.14).
    Ldap,
    /// Messages (RFC 6120 section 5).
    Xmpp,
    /// Rules for mail, ManageSieve (RFC 5804 section 2.2).
    Sieve,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}

/// A connection on which TLS begins with the next byte.
#[derive(Debug)]
pub struct Started<S> {
    /// The connection.
    pub stream: S,
    /// What the server sent in clear behind its go-ahead; empty where all is well. It is read and not part of the stream.
    pub early: Vec<u8>,
}

/// Why TLS did not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartTlsError {
    /// The server speaks the protocol and does not offer TLS.
    #[error("the server does not offer {what}: it said {said}")]
    NotOffered {
        /// The command.
        what: &'static str,
        /// Its words.
        said: String,
    },
    /// It offers TLS and then refuses it.
    #[error("the server refuses {what}: it said {said}")]
    Refused {
        /// The command.
        what: &'static str,
        /// Its words.
        said: String,
    },
    /// It speaks another protocol, or does not want to speak with us.
    #[error("this is no {protocol} server, or it is not at our service: it said {said}")]
    Unexpected {
        /// The protocol.
        protocol: &'static str,
        /// Its words.
        said: String,
    },
    /// It closed the connection.
    #[error("the server closed the connection before TLS")]
    Closed,
    /// It says more than the protocol needs.
    #[error("the server says more than {0} before TLS")]
    TooMuch(&'static str),
    /// Time is over.
    #[error("the server did not come to TLS within {} seconds; it may be one that begins with TLS", .0.as_secs())]
    TooSlow(Duration),
    /// The connection broke.
    #[error("the connection broke before TLS: {0}")]
    Broken(String),
}

/// Speaks with the server of `host` until TLS can begin, within this time.
pub async fn start<S>(
    protocol: Protocol,
    stream: S,
    host: &str,
    within: Duration,
) -> Result<Started<S>, StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut talk = Talk::new(stream, protocol.name());
    let spoken = async {
        match protocol {
            Protocol::Smtp => smtp::speak(&mut talk).await,
            Protocol::Lmtp => lmtp::speak(&mut talk).await,
            Protocol::Pop3 => pop3::speak(&mut talk).await,
            Protocol::Imap => imap::speak(&mut talk).await,
            Protocol::Ftp => ftp::speak(&mut talk).await,
            Protocol::Ldap => ldap::speak(&mut talk).await,
            Protocol::Xmpp => xmpp::speak(&mut talk, host).await,
            Protocol::Sieve => sieve::speak(&mut talk).await,
            Protocol::Postgres => postgres::speak(&mut talk).await,
            Protocol::Mysql => mysql::speak(&mut talk).await,
        }
    };
    tokio::time::timeout(within, spoken).await.unwrap_or(Err(StartTlsError::TooSlow(within)))?;
    let (stream, early) = talk.end();
    Ok(Started { stream, early })
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Smtp,
        Self::Lmtp,
        Self::Pop3,
        Self::Imap,
        Self::Ftp,
        Self::Ldap,
        Self::Xmpp,
        Self::Sieve,
        Self::Postgres,
        Self::Mysql,
    ];

    /// The one that `--starttls` calls so.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// What `--starttls` calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Lmtp => "lmtp",
            Self::Pop3 => "pop3",
            Self::Imap => "imap",
            Self::Ftp => "ftp",
            Self::Ldap => "ldap",
            Self::Xmpp => "xmpp",
            Self::Sieve => "sieve",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Lmtp => "LMTP",
            Self::Pop3 => "POP3",
            Self::Imap => "IMAP",
            Self::Ftp => "FTP",
            Self::Ldap => "LDAP",
            Self::Xmpp => "XMPP",
            Self::Sieve => "ManageSieve",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
        }
    }

    /// The port where it begins in clear. LMTP has none of its own; 24 is for private mail systems.
    pub fn port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Lmtp => 24,
            Self::Pop3 => 110,
            Self::Imap => 143,
            Self::Ftp => 21,
            Self::Ldap => 389,
            Self::Xmpp => 5222,
            Self::Sieve => 4190,
            Self::Postgres => 5432,
            Self::Mysql => 3306,
        }
    }
}

#[cfg(test)]
mod tests;
