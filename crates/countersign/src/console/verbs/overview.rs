//! What holds now, and what needs attention: what `status` says, with the last day's refusals.

use serde_json::{Value, json};

use super::{Verb, reads};
use crate::cli::Failure;
use crate::cli::status::Standing;
use crate::console::answer::Asked;
use crate::console::given::Given;

pub const VERBS: &[Verb] =
    &[reads("overview", "/overview", "what holds now, and what needs attention", &[], overview)];

fn overview(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    let mut value = Standing::of(asked.context)?.value(asked.context);
    value["operator"] = json!({ "name": asked.operator.name, "role": asked.operator.role });
    Ok(value)
}
