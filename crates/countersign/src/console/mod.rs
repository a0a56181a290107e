//! The console: what operators see and do behind the admin address, as pages and as an API.
//!
//! The gate decides who enters, as everywhere, and hands the request on with the operator's name and role over a Unix socket
//! of its own user. This process holds no CA's key; what is signed is signed by the authority's process. A request goes
//! through these, one file a step:
//!
//! - [`serve`]: connections of the gate alone. `answer`: which page or verb is meant, and the form of the answer.
//! - `operator`: who asks, and what they may do. `guard`: whether a change comes from the console's own pages.
//! - `given`: what comes with a request, as fields with names. `again`: a change that is asked for twice is made once.
//! - `verbs`: what can be asked and done, one noun a file, each calling what its command calls. `openapi` describes them.
//! - `screens`: the pages, one noun a file; `html` is how text becomes markup, `shell` what stands around each, `words` the
//!   languages, `same` how to do it on the command line. `chart` draws.
//! - `check`: the page of the check, which another process makes.
//! - `events`: what is new, as it comes. `problem`: what is said where it cannot be. `assets`: style, script, picture.

mod again;
mod answer;
mod assets;
mod chart;
pub mod check;
mod events;
mod given;
mod guard;
mod html;
mod openapi;
mod operator;
mod problem;
mod same;
mod screens;
pub mod serve;
mod shell;
mod verbs;
mod words;

use std::path::PathBuf;

use gateway::{Address, Scheme, Target};

use crate::config::StateDir;

/// Bytes of a request's body.
pub const BODY_MOST: u64 = 256 * 1024;

/// Where the process listens.
pub fn socket(state: &StateDir) -> PathBuf {
    state.path().join("console.sock")
}

/// The same as the gate reaches it.
pub fn target(state: &StateDir) -> Target {
    Target { scheme: Scheme::Http, address: Address::Unix(socket(state)) }
}
