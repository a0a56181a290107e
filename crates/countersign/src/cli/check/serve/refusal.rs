//! Why a visitor gets no report: what happened, what to do, and the status that it becomes.

use std::net::IpAddr;
use std::time::Duration;

use http::StatusCode;

use crate::probe::TargetError;

/// Why there is no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No host was named.
    #[error("no host is named")]
    NoHost,
    /// The host is too long to be one.
    #[error("the host is longer than {0} characters")]
    TooLong(usize),
    /// The host is none.
    #[error(transparent)]
    NotAHost(TargetError),
    /// An address in a spelling that programs read differently.
    #[error("`{0}` is an address in an odd spelling")]
    OddAddress(String),
    /// A word for no protocol.
    #[error("`{}` is no protocol that can be spoken before TLS", .0.escape_debug())]
    UnknownProtocol(String),
    /// A word for no server.
    #[error("`{}` is no kind of server that there are lines for", .0.escape_debug())]
    UnknownServer(String),
    /// The query cannot be read.
    #[error("the query cannot be read: {0}")]
    Query(String),
    /// A name of an inner network.
    #[error("the name {0} is one of an inner network")]
    InnerName(String),
    /// An address that is not public.
    #[error("the address {0} is not public")]
    InnerAddress(IpAddr),
    /// A name that leads to one.
    #[error("the name {0} leads to an address that is not public")]
    LeadsWithin(String),
    /// A port that is not looked at.
    #[error("port {port} is not looked at here")]
    Port {
        /// The port.
        port: u16,
        /// Those that are.
        allowed: Vec<u16>,
    },
    /// The visitor has asked too often.
    #[error("there were too many checks from your address")]
    TooOften(Duration),
    /// All seats are taken, and so is the queue.
    #[error("too many checks are running at the moment")]
    Busy,
    /// A page of another site asks.
    #[error("a page of another site sent this request")]
    CrossSite,
    /// The request is for another host than this page is served under.
    #[error("this page is not served under the name of the request")]
    WrongName,
    /// There is no such page.
    #[error("there is no such page")]
    NotFound,
    /// The page is only read.
    #[error("this page is only read: by GET or HEAD")]
    Method,
    /// The request brings something along.
    #[error("the request has a body, and there is nothing to send here")]
    Body,
    /// There is nothing of the kind for this host.
    #[error("{0}")]
    NothingToGive(String),
    /// The examination ended in the middle.
    #[error("the examination ended in the middle: that is a fault of this program")]
    Failed,
}

/// How long one who comes too early shall wait where nothing else is known.
const LATER: Duration = Duration::from_secs(10);

impl Refusal {
    /// Its stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoHost | Self::TooLong(_) | Self::NotAHost(_) | Self::OddAddress(_) => "bad-host",
            Self::UnknownProtocol(_) => "bad-protocol",
            Self::UnknownServer(_) => "bad-server",
            Self::Query(_) => "bad-query",
            Self::InnerName(_) | Self::InnerAddress(_) | Self::LeadsWithin(_) => "not-public",
            Self::Port { .. } => "port-not-allowed",
            Self::TooOften(_) => "too-often",
            Self::Busy => "busy",
            Self::CrossSite => "cross-site",
            Self::WrongName => "wrong-name",
            Self::NotFound | Self::NothingToGive(_) => "not-found",
            Self::Method => "method-not-allowed",
            Self::Body => "unexpected-body",
            Self::Failed => "internal",
        }
    }

    /// What it is called above the words.
    pub fn title(&self) -> &'static str {
        match self.code() {
            "bad-host" => "This is no host",
            "bad-protocol" | "bad-server" | "bad-query" => "This cannot be asked",
            "not-public" => "This host is not public",
            "port-not-allowed" => "This port is not looked at",
            "too-often" => "That was a little too fast",
            "busy" => "Everybody is checking",
            "cross-site" => "This came from another page",
            "wrong-name" => "This page has another name",
            "not-found" => "There is nothing here",
            "method-not-allowed" | "unexpected-body" => "This page is only read",
            _ => "Something went wrong here",
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self.code() {
            "bad-host" | "bad-protocol" | "bad-server" | "bad-query" => StatusCode::BAD_REQUEST,
            "not-public" | "port-not-allowed" | "cross-site" => StatusCode::FORBIDDEN,
            "not-found" => StatusCode::NOT_FOUND,
            "method-not-allowed" => StatusCode::METHOD_NOT_ALLOWED,
            "unexpected-body" => StatusCode::PAYLOAD_TOO_LARGE,
            "wrong-name" => StatusCode::MISDIRECTED_REQUEST,
            "too-often" => StatusCode::TOO_MANY_REQUESTS,
            "busy" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What to do.
    pub fn remedy(&self) -> String {
        match self {
            Self::NoHost | Self::TooLong(_) | Self::NotAHost(TargetError::Host(_)) => {
                "Give a host name such as www.example.com, or with a port: www.example.com:8443.".into()
            }
            Self::NotAHost(TargetError::Port(_)) => {
                "Give a port from 1 to 65535 behind the colon, or leave both out.".into()
            }
            Self::OddAddress(_) => "Write an address as four numbers: 192.0.2.7.".into(),
            Self::UnknownProtocol(_) => {
                let words = crate::probe::starttls::Protocol::ALL.map(|one| one.word());
                format!("These can be: {}. Leave it out where TLS begins at once.", words.join(", "))
            }
            Self::UnknownServer(_) => {
                let words = examiner::report::fix::Server::ALL.map(|(word, _)| word);
                format!("There are lines for: {}.", words.join(", "))
            }
            Self::Query(_) => "Give each part once: ?host=www.example.com&starttls=smtp.".into(),
            Self::InnerName(_) | Self::InnerAddress(_) | Self::LeadsWithin(_) => {
                "This page looks at hosts that everybody can reach. Examine one of an inner network from there, with \
                 `countersign check`."
                    .into()
            }
            Self::Port { allowed, .. } => {
                let ports: Vec<String> = allowed.iter().map(ToString::to_string).collect();
                format!("These ports are: {}.", ports.join(", "))
            }
            Self::TooOften(wait) => format!("Try again in {}.", in_words(*wait)),
            Self::Busy => format!("Try again in {}.", in_words(LATER)),
            Self::CrossSite => "Open this page itself, and ask here.".into(),
            Self::WrongName => "Use the name that this page was made for (`--host`).".into(),
            Self::NotFound => "Go to the front page, and give a host there.".into(),
            Self::NothingToGive(_) => "Look at the report: it says what there is.".into(),
            Self::Method | Self::Body => "Send a GET without a body.".into(),
            Self::Failed => "Try again; where it happens again, tell whoever runs this page.".into(),
        }
    }

    /// When to come again, in whole seconds.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooOften(wait) => Some(whole_seconds(*wait)),
            Self::Busy => Some(whole_seconds(LATER)),
            _ => None,
        }
    }
}

/// Rounded up: who comes then is not too early.
fn whole_seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}

fn in_words(time: Duration) -> String {
    match whole_seconds(time) {
        1 => "a second".into(),
        seconds => format!("{seconds} seconds"),
    }
}
