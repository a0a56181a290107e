//! How the upstreams fare: told by the gate in a file of the state directory, read by `status`.

use authority::files;
use gateway::{Gate, UpstreamView};
use serde::{Deserialize, Serialize};

use crate::config::StateDir;

/// One upstream, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// Its site.
    pub site: String,
    /// Its address.
    pub upstream: String,
    /// `up`, `failing`, `out` or `down`.
    pub state: String,
}

impl From<UpstreamView> for Upstream {
    fn from(view: UpstreamView) -> Self {
        Self { site: view.site.to_string(), upstream: view.upstream, state: view.state.to_owned() }
    }
}

impl Upstream {
    /// What is to be looked at, where it is not well.
    pub fn attention(&self) -> Option<String> {
        let what = match self.state.as_str() {
            "up" => return None,
            "down" => "its health check fails",
            "out" => "it fails and is left out for a while",
            _ => "its last requests failed",
        };
        Some(format!("upstream {} of {}: {what}", self.upstream, self.site))
    }
}

/// Writes the file where something changed.
#[derive(Default)]
pub struct Told(Option<Vec<Upstream>>);

impl Told {
    /// Looks, and tells what is new.
    pub fn tell(&mut self, gate: &Gate, state: &StateDir) {
        let all: Vec<Upstream> = gate.upstreams().into_iter().map(Upstream::from).collect();
        if self.0.as_ref() == Some(&all) {
            return;
        }
        let text = serde_json::to_vec_pretty(&all).unwrap_or_default();
        if let Err(error) = files::replace_public(&state.upstreams(), &text) {
            tracing::warn!(%error, "how the upstreams fare could not be noted");
        }
        self.0 = Some(all);
    }
}

/// What the gate told last; nothing where none has.
pub fn last(state: &StateDir) -> Vec<Upstream> {
    let bytes = std::fs::read(state.upstreams()).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}
