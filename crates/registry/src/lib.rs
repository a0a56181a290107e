//! Parties, certificates, operators, changes and audit, in SQLite.
//!
//! Every verb that changes something writes its rows, the feed's entry and the audit's entry in one transaction: they
//! stand or fall together. Times come in as values. In reading order:
//!
//! - [`error`]: what can go wrong, and what to do about it.
//! - [`open`]: the store, its connections, its schema; [`epoch`]: whether it is the one it was; `copy`: a whole copy.
//! - [`feed`]: the one write path; changes by number, and the whole state to begin from.
//! - [`parties`], [`certificates`], [`keys`], `subjects`, [`revocation`], [`operators`]: who gets in and who no longer
//!   does; [`many`]: many certificates at once; [`servers`]: certificates of hosts inside; `in_use`: what still needs a
//!   CA's old generation.
//! - [`lookups`]: single things and pages among many, for commands.
//! - [`settings`]: sites and CAs kept here; [`receipts`]: what each gate has applied.
//! - [`pending`]: who knocked and may be approved; [`ignored`]: issuers of whom nobody wants to hear. [`invites`]: who may fetch a certificate, once. [`acme`]: machines
//!   that fetch them by RFC 8555.
//! - [`audit`], [`verify`]: what happened, hash-chained, and whether it is still whole; [`key`]: what signs it; `said`: its
//!   words for changes; [`history`]: who could enter at another time. [`answers`]: changes that are asked for twice.
//!   `search`: how the audit is found among very many.

#![forbid(unsafe_code)]

pub mod acme;
pub mod answers;
pub mod audit;
pub mod certificates;
mod copy;
pub mod epoch;
pub mod error;
pub mod feed;
mod heads;
pub mod history;
pub mod ignored;
mod in_use;
pub mod invites;
pub mod key;
pub mod keys;
pub mod lookups;
pub mod many;
mod migrate;
pub mod open;
pub mod operators;
pub mod parties;
pub mod pending;
pub mod receipts;
mod retain;
pub mod revocation;
mod rows;
mod said;
mod schema;
mod search;
pub mod servers;
pub mod settings;
mod subjects;
pub mod verify;

pub use acme::{
    AccountRow, AuthorisationRow, AuthorisationState, BindingRow, NewBinding, NewOrder, OrderRow,
    ServerCertificateRow, ToProve,
};
pub use answers::{Earlier, KeptAnswer};
pub use audit::{AuditEvent, AuditFilter, AuditRow, RefusalCount};
pub use certificates::{CertificateRow, Issuer, NewCertificate};
pub use epoch::Restored;
pub use error::{RegistryError, Result};
pub use feed::{Feed, FeedEntry, Gap, Mark, State};
pub use history::{Past, PastParty, PastWay};
pub use ignored::IgnoredIssuer;
pub use in_use::IssuedRow;
pub use invites::{InviteRow, MadeInvite, NewInvite, Presented, Standing, Used};
pub use key::AuditKey;
pub use keys::{KeyRow, SubjectRow};
pub use lookups::{Basis, Page, PartyEntry};
pub use many::Selected;
pub use open::{Actor, Registry};
pub use parties::PartyRow;
pub use pending::{Knock, PendingRow};
pub use receipts::Receipt;
pub use revocation::RevokedSerial;
pub use settings::{StoredCa, StoredSite};
pub use verify::{AuditHead, AuditVerdict};
