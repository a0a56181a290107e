//! The data plane: from accept to answer. No database, no key of a CA; what it needs to know comes as a
//! [`GateState`], what it has to say goes to [`Events`].
//!
//! The path of a connection, one file a step:
//!
//! - `listen`: accept, under limits.
//! - `handshake`: the site by SNI, the client's certificate, possession (`proof`, `proof_rsa`); `challenge` for a CA that asks whether the name leads here.
//! - `identify`: the chain against the site's anchors.
//! - `serve`: HTTP on the connection, its deadlines and floods (`io`, with `socket` below it; on HTTP/2 `frames`, `calm`, `spoken`, `blocks`, `wire`), its rest (`doze`) and its end.
//! - `admit`: each request's host, path and decision.
//! - `forward`: to the upstream (`broom`, `upstream`), with a permit only; `identity` and `proxy` tell it who is there.
//! - `answer`: the upstream's answer, or the refusal in words (`refuse`, `pages`); `exchange` follows it to its end.
//! - `observe`: events and references; `metrics`.
//!
//! Beside the path: `plain` redirects on port 80 and gives out lists, `ocsp` answers there, `manners` and `rate` hold back what a site does not want, `gate` starts and stops it all, `health` answers on the admin address, [`enrol`] and `renew` on the enrolment address, `live` ends what lost admission, `life` says how far the gate is, `settings` says what it runs on.

#![forbid(unsafe_code)]

mod admit;
mod answer;
mod blocks;
pub mod broom;
mod calm;
mod challenge;
mod doze;
pub mod enrol;
mod exchange;
mod forward;
mod frames;
mod gate;
mod handshake;
mod health;
mod identify;
pub mod identity;
mod io;
mod life;
mod lines;
mod listen;
mod live;
mod manners;
mod metrics;
pub mod networks;
mod observe;
mod ocsp;
pub mod pages;
mod plain;
pub mod proof;
mod proof_rsa;
mod provider;
mod proxy;
pub mod rate;
mod received;
mod refuse;
mod renew;
mod serve;
mod settings;
mod socket;
mod spoken;
mod turn;
mod upstream;
mod wire;

pub use challenge::{Challenges, OpenChallenge};
pub use gate::Gate;
pub use manners::prefix;
pub use observe::{AccessEntry, Events, GateEvent, GateKnock, is_reference, reference};
pub use settings::{
    Address, Clock, Ejection, Enrol, EnrolSite, Front, GateError, GateSettings, GateSite, GateState,
    HealthCheck, IdentityHeader, IssuerHints, Limits, Lists, Manners, NotRenewed, Ocsp, OcspAnswer, Plain,
    PublishedList, Renew, RenewalAsked, Renewed, Scheme, Target, Upstream, UpstreamTls, UpstreamView,
};
pub use upstream::reach;
