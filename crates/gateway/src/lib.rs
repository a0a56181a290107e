//! The data plane: from accept to answer. No database, no key of a CA; what it needs to know comes as a
//! [`GateState`], what it has to say goes to [`Events`].
//!
//! The path of a connection, one file a step:
//!
//! - `listen`: accept, under limits.
//! - `handshake`: the site by SNI, the client's certificate, possession (`proof`, `proof_rsa`).
//! - `identify`: the chain against the site's anchors.
//! - `serve`: HTTP on the connection, its deadlines (`io`, `frames`) and its end.
//! - `admit`: each request's host, path and decision.
//! - `forward`: to the upstream (`broom`, `pool`), with a permit only.
//! - `answer`: the upstream's answer, or the refusal in words (`refuse`, `pages`); `exchange` follows it to its end.
//! - `observe`: events and references; `metrics`.
//!
//! Beside the path: `gate` starts and stops it all, `health` answers on the admin address, `live` ends what lost admission, `settings` says what it runs on.

#![forbid(unsafe_code)]

mod admit;
mod answer;
pub mod broom;
mod exchange;
mod forward;
mod frames;
mod gate;
mod handshake;
mod health;
mod identify;
mod io;
mod lines;
mod listen;
mod live;
mod metrics;
mod observe;
pub mod pages;
pub mod pool;
mod proof;
mod proof_rsa;
mod refuse;
mod serve;
mod settings;

pub use gate::Gate;
pub use observe::{AccessEntry, Events, GateEvent, GateKnock, reference};
pub use settings::{
    Clock, GateError, GateSettings, GateSite, GateState, IdentityHeader, IssuerHints, Limits, Upstream,
};
