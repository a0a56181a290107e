//! Who is admitted, and what may be issued: pure decisions on plain data.
//!
//! No I/O, no clock, no lock: time, parties and peer come in as values, a value goes out. In reading order:
//!
//! - [`host`], [`path`]: the one way a host name and a request path are normalised.
//! - [`record`]: what the registry knows, as the snapshot holds it, and the changes to it; [`packed`] and [`layered`]: how
//!   it lies there.
//! - [`site`]: a protected site's rules; [`ca`]: a trusted issuer's.
//! - [`revocation`]: a trusted issuer's revocation lists.
//! - [`snapshot`]: all of that at one moment, immutable.
//! - [`verify`]: a presented chain against a site's trust anchors; [`peer`]: what was found out about who knocks.
//! - [`mod@decide`]: the decision; [`refusal`]: why not.
//! - [`issuance`]: what may be issued; [`selection`]: which certificates a change of many means.

#![forbid(unsafe_code)]

pub mod ca;
pub mod decide;
pub mod host;
pub mod issuance;
pub mod layered;
pub mod names;
pub mod packed;
pub mod path;
pub mod peer;
pub mod record;
pub mod refusal;
pub mod revocation;
pub mod selection;
pub mod site;
pub mod snapshot;
pub mod verify;

pub use ca::{Admission, Ca, Condition, MatchEntry, MatchKind};
pub use decide::{Decision, Exception, Grant, Identity, Moment, Way, decide, recognise};
pub use host::HostName;
pub use names::PartyName;
pub use packed::{CertificateView, HolderView, PartyView};
pub use path::NormalPath;
pub use peer::Peer;
pub use record::{CertificateRecord, Holder, Party, RecordChange, Records, RecordsBuilder};
pub use refusal::{Code, Refusal, Why};
pub use revocation::{CaLists, OnStale, RevocationList};
pub use selection::Selection;
pub use site::{Audience, ClientAuth, OnRefuse, PathRule, Principal, Site};
pub use snapshot::Snapshot;
