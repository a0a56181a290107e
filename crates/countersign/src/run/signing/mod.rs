//! The authority's process: it alone holds a CA's key while it runs, and signs what it is asked for over a Unix socket.
//!
//! - [`protocol`]: what can be asked, in frames of bounded length. [`ask`]: the side that asks.
//! - [`keeper`]: how the supervisor keeps the process, and the one that answers OCSP. [`serve`]: the process: one connection after the other, of its own
//!   user alone.
//! - [`issue`]: a plan of somebody else, held against rules and record. [`renew`]: the successor of a certificate, for who
//!   holds its key. [`redeem`]: the certificate of an invite, for who holds its token. [`acme`]: machines
//!   that speak RFC 8555. [`delegate`]: a key for OCSP answers. `rollover`: from one generation of a CA to the
//!   next. [`pace`]: how many in a time.

pub mod acme;
pub mod ask;
mod delegate;
mod issue;
pub mod keeper;
mod pace;
pub mod protocol;
mod redeem;
mod renew;
mod rollover;
pub mod serve;

use std::path::PathBuf;

use crate::config::StateDir;

/// Where the process listens.
pub fn socket(state: &StateDir) -> PathBuf {
    state.path().join("authority.sock")
}
