//! The check of a website, from outside: what `check serve` answers.

use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use policy::record::OperatorRole;
use serde_json::Value;

use super::{Verb, reads};
use crate::cli::{Exit, Failure};
use crate::console::answer::Asked;
use crate::console::check;
use crate::console::given::{Given, Kind, may, must};

pub const VERBS: &[Verb] = &[Verb {
    role: OperatorRole::Operator,
    ..reads(
        "checkHost",
        "/check",
        "examine a public website or server from outside: verdict, chain, findings; as `countersign check --json`",
        &[
            must(
                "host",
                Kind::Text,
                "a host name or public address, with a port where that is another than 443",
            ),
            may("starttls", Kind::Text, "what is spoken before TLS, such as smtp"),
        ],
        look,
    )
}];

fn look(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let encoded = |name: &str| utf8_percent_encode(given.needed(name), NON_ALPHANUMERIC).to_string();
    let query = format!("host={}&starttls={}", encoded("host"), encoded("starttls"));
    let state = &asked.context.settings.state;
    let answered = asked.context.run(async { Ok::<_, Failure>(check::look(state, &query).await) })?;
    let (status, body) =
        answered.map_err(|problem| Failure::new(Exit::Unreachable, problem.detail, problem.help))?;
    let value: Value = serde_json::from_slice(&body)
        .map_err(|error| Failure::new(Exit::Bug, error.to_string(), "please report this"))?;
    if status == StatusCode::OK {
        // Several hosts are never asked for at once here.
        return Ok(value);
    }
    let word = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let exit = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Exit::Unreachable,
        status if status.is_server_error() => Exit::Bug,
        _ => Exit::Usage,
    };
    Err(Failure::new(exit, word("detail"), word("help")))
}
