//! `[limits]`: each limit of the gate, with its bounds. The defaults are the gate's own.

use std::time::Duration;

use gateway::Limits;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::file::At;
use super::problem::{Problem, Source};

/// One limit: its key, its bounds, and where it stands in the gate's limits.
pub struct Limit {
    /// The key, with the unit.
    pub name: &'static str,
    /// The least value.
    pub least: u32,
    /// The greatest value.
    pub most: u32,
    written: fn(&LimitsFile) -> Option<&At<u32>>,
    read: fn(&Limits) -> u32,
    set: fn(&mut Limits, u32),
}

macro_rules! limits {
    ($($(#[$doc:meta])+ $name:ident: $field:ident, $least:literal to $most:literal;)+) => {
        /// `[limits]`. What is absent has the default that `config show` tells.
        #[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct LimitsFile {
            $($(#[$doc])+ pub $name: Option<At<u32>>,)+
        }

        /// All limits.
        pub const ALL: &[Limit] = &[$(Limit {
            name: stringify!($name),
            least: $least,
            most: $most,
            written: |file| file.$name.as_ref(),
            read: |limits| limits.$field.to_number(),
            set: |limits, number| limits.$field = Quantity::of_number(number),
        },)+];
    };
}

limits! {
    /// Seconds from accept to the end of the handshake.
    handshake_seconds: handshake, 1 to 60;
    /// Seconds from the first byte of a request to the end of its headers.
    request_header_seconds: headers, 1 to 60;
    /// Seconds that a connection may be without any request after its handshake.
    first_request_seconds: first_request, 1 to 600;
    /// Seconds between two requests, and for a client that does not take what is sent.
    idle_seconds: idle, 1 to 3600;
    /// Seconds for connecting to the upstream.
    upstream_connect_seconds: connect, 1 to 60;
    /// Seconds for the upstream's answer to begin, counted from the last byte of the request.
    upstream_first_byte_seconds: first_byte, 1 to 3600;
    /// Seconds that the upstream may be silent within an answer.
    upstream_idle_seconds: upstream_idle, 1 to 3600;
    /// Seconds that nothing may move on a WebSocket.
    websocket_idle_seconds: websocket_idle, 1 to 86_400;
    /// Seconds that what runs may go on in the old process after an upgrade.
    upgrade_drain_seconds: retired, 1 to 86_400;
    /// Connections open at once.
    connections: slots, 10 to 1_000_000;
    /// Handshakes at once.
    concurrent_handshakes: handshakes, 1 to 100_000;
    /// Handshakes at once from one address.
    half_open_per_address: half_open_per_address, 1 to 100_000;
    /// Of a hundred connections, how many at once may be without an admitted party.
    stranger_share_percent: stranger_share_percent, 1 to 100;
    /// Connections a minute without an admitted party from one /32 or /64.
    strangers_per_minute: strangers_per_minute, 1 to 100_000;
    /// Seconds that a connection without an admitted party lives.
    stranger_seconds: stranger_life, 1 to 60;
    /// Bytes of a request's header list on a connection without an admitted party.
    stranger_header_bytes: stranger_header_bytes, 1024 to 65_536;
    /// HTTP/2 streams at once on one connection.
    http2_streams: h2_streams, 1 to 1000;
    /// Bytes of a request's header list.
    header_list_bytes: header_bytes, 1024 to 65_536;
    /// Fields of a request.
    header_fields: header_fields, 10 to 1000;
    /// Certificates in a client's chain.
    client_certificates: client_certificates, 1 to 10;
    /// Bytes of these certificates.
    client_certificate_bytes: client_certificate_bytes, 1024 to 65_536;
}

/// A limit's value as a number in its key's unit.
trait Quantity {
    fn of_number(number: u32) -> Self;
    fn to_number(&self) -> u32;
}

impl Quantity for u32 {
    fn of_number(number: u32) -> Self {
        number
    }

    fn to_number(&self) -> u32 {
        *self
    }
}

impl Quantity for usize {
    fn of_number(number: u32) -> Self {
        number as usize
    }

    fn to_number(&self) -> u32 {
        u32::try_from(*self).unwrap_or(u32::MAX)
    }
}

impl Quantity for Duration {
    fn of_number(number: u32) -> Self {
        Self::from_secs(number.into())
    }

    fn to_number(&self) -> u32 {
        u32::try_from(self.as_secs()).unwrap_or(u32::MAX)
    }
}

/// The limits that hold.
pub fn limits(file: &LimitsFile, source: &Source, problems: &mut Vec<Problem>) -> Limits {
    let mut limits = Limits::default();
    for limit in ALL {
        let Some(at) = (limit.written)(file) else { continue };
        if (limit.least..=limit.most).contains(at.get_ref()) {
            (limit.set)(&mut limits, *at.get_ref());
            continue;
        }
        let what = format!("{} is {} to {}", limit.name, limit.least, limit.most);
        let help = format!("leave it out for {}", limit.default());
        problems.push(source.problem(&at.span(), what, help));
    }
    limits
}

/// All limits by key, as `config show` tells them.
pub fn view(limits: &Limits) -> Map<String, Value> {
    ALL.iter().map(|limit| (limit.name.to_owned(), Value::from((limit.read)(limits)))).collect()
}

impl Limit {
    /// What holds where nothing is written.
    pub fn default(&self) -> u32 {
        (self.read)(&Limits::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read;

    fn settings(text: &str) -> Result<Limits, Vec<String>> {
        let source = Source::file("countersign.toml", text);
        let mut problems = Vec::new();
        let file = read::file(&source, &mut problems);
        let limits = limits(&file.limits, &source, &mut problems);
        if problems.is_empty() { Ok(limits) } else { Err(problems.iter().map(Problem::to_string).collect()) }
    }

    #[test]
    fn each_limit_is_taken_at_both_bounds_and_not_beyond_and_changes_itself_alone() {
        let defaults = view(&Limits::default());
        for limit in ALL {
            assert!((limit.least..=limit.most).contains(&limit.default()), "{}", limit.name);
            for number in [limit.least, limit.most] {
                let held = view(&settings(&format!("[limits]\n{} = {number}\n", limit.name)).unwrap());
                for (name, value) in &held {
                    let expected = if name == limit.name { &Value::from(number) } else { &defaults[name] };
                    assert_eq!(value, expected, "{name} after {} = {number}", limit.name);
                }
            }
            for number in [limit.least - 1, limit.most + 1] {
                let found = settings(&format!("[limits]\n{} = {number}\n", limit.name)).unwrap_err();
                let default = limit.default();
                let place = format!("countersign.toml:2:{}", limit.name.len() + 4);
                let what = format!("{} is {} to {}", limit.name, limit.least, limit.most);
                assert_eq!(found, [format!("{place}: {what}\n  help: leave it out for {default}")]);
            }
        }
    }

    #[test]
    fn a_limit_that_is_none_is_named() {
        let found =
            settings("[limits]\nhandshake_second = 5\nmax_body = 5\nidle_seconds = -1\n").unwrap_err();
        assert_eq!(found.len(), 3, "{found:#?}");
        assert!(found[0].contains("did you mean `handshake_seconds`?"), "{found:#?}");
    }

    #[test]
    fn the_defaults_are_those_of_the_guide() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/configuration.md");
        let guide = std::fs::read_to_string(path).unwrap();
        for limit in ALL {
            let row = guide.lines().find(|line| line.starts_with(&format!("| `{}` |", limit.name)));
            let row = row.unwrap_or_else(|| panic!("the guide lacks {}", limit.name));
            let end = format!("| {} to {} | `{}` |", limit.least, limit.most, limit.default());
            assert!(row.ends_with(&end), "{row} does not end with {end}");
        }
    }
}
