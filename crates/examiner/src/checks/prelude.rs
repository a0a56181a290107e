//! What every check needs.

pub use crate::cert::{UnixTime, oid};
pub use crate::chain::extensions::{KeyUsageBits, id};
pub use crate::chain::{Chain, Decoded, Examinee, KeyParts, NameForm, Place, Role};
pub use crate::profile::{PeerName, Profile};
pub use crate::report::Needs;
pub use crate::report::Severity::{Error, Notice, Warning};

pub use super::check::{
    BELOW_ROOT, Check, Context, EVERY, Found, INTERMEDIATES, ISSUERS, LEAVES, Outcome, ROOTS, Run, Severities,
};
