//! The JSON Schema of `countersign.toml`, from the shape that reads it.

use serde_json::{Value, json};

use super::file::File;
use super::limits;

/// The schema, JSON Schema 2020-12.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(File).to_value();
    without_null(&mut schema);
    for limit in limits::ALL {
        let shape = &mut schema["$defs"]["LimitsFile"]["properties"][limit.name];
        shape["minimum"] = json!(limit.least);
        shape["maximum"] = json!(limit.most);
        shape["default"] = json!(limit.default());
    }
    schema["title"] = json!("countersign.toml");
    schema
}

/// TOML has no null: a key that may be absent is just not required.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(all) => {
            if all.get("default").is_some_and(Value::is_null) {
                all.remove("default");
            }
            let types = all.get_mut("type").and_then(Value::as_array_mut);
            if let Some(one) = types.and_then(|types| {
                types.retain(|one| one != "null");
                (types.len() == 1).then(|| types[0].clone())
            }) {
                all.insert("type".to_owned(), one);
            }
            let choices = all.get_mut("anyOf").and_then(Value::as_array_mut);
            if let Some(Value::Object(one)) = choices.and_then(|choices| {
                choices.retain(|one| one["type"] != "null");
                (choices.len() == 1).then(|| choices[0].clone())
            }) {
                all.remove("anyOf");
                for (key, value) in one {
                    all.entry(key).or_insert(value);
                }
            }
            all.values_mut().for_each(without_null);
        }
        Value::Array(all) => all.iter_mut().for_each(without_null),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::{
        AcmeFile, CaFile, EabFile, EnrolFile, LogFile, MailFile, NotifyFile, PathFile, ProfileFile, RateFile,
        SecretFile, ServerFile, SiteFile, WebhookFile,
    };
    use crate::config::keys;
    use crate::config::limits::LimitsFile;

    #[test]
    fn the_schema_knows_the_keys_that_are_read() {
        let schema = schema();
        let of = |name: &str| {
            let shape = if name == "File" { &schema } else { &schema["$defs"][name] };
            assert_eq!(shape["additionalProperties"], false, "{name}");
            let keys = shape["properties"].as_object().unwrap().keys();
            let mut keys: Vec<String> = keys.cloned().collect();
            keys.sort();
            keys
        };
        let read = |keys: &[&str]| {
            let mut keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            keys.sort();
            keys
        };
        assert_eq!(of("File"), read(keys::of::<File>()));
        assert_eq!(of("ServerFile"), read(keys::of::<ServerFile>()));
        assert_eq!(of("EnrolFile"), read(keys::of::<EnrolFile>()));
        assert_eq!(of("ProfileFile"), read(keys::of::<ProfileFile>()));
        assert_eq!(of("NotifyFile"), read(keys::of::<NotifyFile>()));
        assert_eq!(of("MailFile"), read(keys::of::<MailFile>()));
        assert_eq!(of("WebhookFile"), read(keys::of::<WebhookFile>()));
        assert_eq!(of("SecretFile"), read(keys::of::<SecretFile>()));
        assert_eq!(of("SiteFile"), read(keys::of::<SiteFile>()));
        assert_eq!(of("PathFile"), read(keys::of::<PathFile>()));
        assert_eq!(of("AcmeFile"), read(keys::of::<AcmeFile>()));
        assert_eq!(of("EabFile"), read(keys::of::<EabFile>()));
        assert_eq!(of("RateFile"), read(keys::of::<RateFile>()));
        assert_eq!(of("CaFile"), read(keys::of::<CaFile>()));
        assert_eq!(of("LogFile"), read(keys::of::<LogFile>()));
        assert_eq!(of("LimitsFile"), read(keys::of::<LimitsFile>()));
        let handshake = &schema["$defs"]["LimitsFile"]["properties"]["handshake_seconds"];
        assert_eq!(handshake["type"], "integer");
        assert_eq!(
            (&handshake["minimum"], &handshake["maximum"], &handshake["default"]),
            (&json!(1), &json!(60), &json!(10))
        );
        assert!(!schema.to_string().contains("null"), "{schema:#}");
    }
}
