//! The API's description (OpenAPI 3.1), made of the verbs themselves.

use serde_json::{Map, Value, json};

use super::events;
use super::given::{Field, Kind};
use super::problem;
use super::verbs::{self, API, Verb};

/// The name of a party.
const NAME: &str = "^[a-z0-9][a-z0-9._-]{0,62}$";
/// A length of time.
const LENGTH: &str = "^[0-9]{1,9}[smhd]?$";

/// The document.
pub fn document() -> Value {
    let mut paths = Map::new();
    for verb in verbs::all() {
        let path = paths.entry(format!("{API}{}", verb.path)).or_insert_with(|| json!({}));
        path[verb.method.to_ascii_lowercase()] = operation(verb);
    }
    paths.insert(events::PATH.into(), listening());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What operators can ask and do at the admin address, with their certificates. A list goes on where \
                            it ended: give `next` of a page as `after` or `before` of the next.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": { "operator": { "type": "mutualTLS", "description": "An operator's certificate." } },
            "schemas": { "Problem": problem_schema() },
            "responses": {
                "Problem": {
                    "description": "Why it is not answered as asked (RFC 9457).",
                    "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                },
            },
        },
        "security": [{ "operator": [] }],
    })
}

fn problem_schema() -> Value {
    let text = json!({ "type": "string" });
    let codes: Vec<&str> = problem::ALL.iter().map(|(code, ..)| *code).collect();
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "help"],
        "properties": {
            "type": text, "title": text, "status": { "type": "integer" }, "detail": text,
            "code": { "type": "string", "enum": codes }, "help": text, "reference": { "type": ["string", "null"] },
        },
    })
}

fn operation(verb: &Verb) -> Value {
    let mut parameters: Vec<Value> = verb
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": place(name) }))
        .collect();
    let mut operation = json!({
        "operationId": verb.id,
        "summary": verb.about,
        "description": format!("Role: {}.", verb.role.word()),
        "responses": responses(verb),
    });
    if verb.method == "GET" {
        parameters.extend(verb.fields.iter().map(|field| {
            json!({
                "name": field.name, "in": "query", "required": field.needed, "description": field.about,
                "schema": not_empty(schema(field)),
            })
        }));
    } else {
        if verb.changes {
            parameters.push(json!({
                "name": "Idempotency-Key", "in": "header", "required": true,
                "description": "A new random text for each change; the same again within 24 hours is answered the same.",
                "schema": { "type": "string", "minLength": 1, "maxLength": super::again::KEY_MOST },
            }));
        }
        operation["requestBody"] = json!({
            "required": verb.fields.iter().any(|field| field.needed),
            "content": { "application/json": { "schema": body(verb.fields) } },
        });
    }
    operation["parameters"] = json!(parameters);
    operation
}

/// Its answer, and what is said instead. Where nothing is changed, no change is in its way.
fn responses(verb: &Verb) -> Value {
    let done = json!({
        "description": "Done.",
        "content": { "application/json": { "schema": { "type": "object" } } },
    });
    let reads = verb.method == "GET";
    let problems = problem::ALL.iter().filter(|(code, ..)| match *code {
        "not-from-here" | "token" | "too-long" | "media-type" => !reads,
        "running" | "outcome-unknown" | "told-once" | "other-request" => verb.changes,
        _ => true,
    });
    let mut all: Map<String, Value> = problems
        .map(|(_, status, _)| (status.to_string(), json!({ "$ref": "#/components/responses/Problem" })))
        .collect();
    all.insert(verb.status().as_str().to_owned(), done);
    Value::Object(all)
}

fn body(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut schema = schema(field);
            if !field.needed {
                schema = or_null(schema);
            }
            schema["description"] = json!(field.about);
            (field.name.to_owned(), schema)
        })
        .collect();
    let needed: Vec<&str> = fields.iter().filter(|field| field.needed).map(|field| field.name).collect();
    json!({ "type": "object", "additionalProperties": false, "required": needed, "properties": properties })
}

/// What stands in a place of a path.
fn place(name: &str) -> Value {
    match name {
        "party" => json!({ "type": "string", "pattern": NAME }),
        _ => json!({ "type": "string", "minLength": 1 }),
    }
}

fn schema(field: &Field) -> Value {
    match field.kind {
        Kind::Text if field.needed => json!({ "type": "string", "minLength": 1 }),
        Kind::Text => json!({ "type": "string" }),
        Kind::Name => json!({ "type": "string", "pattern": NAME }),
        Kind::Moment => moment(),
        Kind::Since => json!({ "anyOf": [moment(), length()] }),
        Kind::Length => length(),
        Kind::Texts => json!({
            "type": "array", "minItems": u8::from(field.needed), "items": { "type": "string", "minLength": 1 },
        }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
    }
}

/// What has a value where it is there.
fn not_empty(mut schema: Value) -> Value {
    if schema == json!({ "type": "string" }) {
        schema["minLength"] = json!(1);
    }
    schema
}

/// What may be null in a body, which is as absent.
fn or_null(mut schema: Value) -> Value {
    if let Some(all) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        all.push(Value::Null);
    }
    schema["type"] = json!([schema["type"], "null"]);
    schema
}

fn moment() -> Value {
    json!({ "type": "string", "format": "date" })
}

fn length() -> Value {
    json!({ "type": "string", "pattern": LENGTH })
}

fn listening() -> Value {
    let parameters: Vec<Value> = events::FIELDS
        .iter()
        .map(|field| json!({ "name": field.name, "in": "query", "description": field.about, "schema": schema(field) }))
        .collect();
    json!({
        "get": {
            "operationId": "events",
            "summary": "what is new, as it comes: `log` with each entry, `pending` when that list changes",
            "description": "Role: viewer. Server-sent events; `Last-Event-ID` is the number of the last entry that was seen.",
            "parameters": parameters,
            "responses": {
                "200": { "description": "A stream that does not end by itself.", "content": { "text/event-stream": {} } },
                "default": { "$ref": "#/components/responses/Problem" },
            },
        },
    })
}
