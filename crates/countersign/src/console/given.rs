//! What comes with a request, as fields with names: a query, a form, or a flat JSON object.

use std::collections::BTreeMap;

use examiner::UnixTime;
use percent_encoding::percent_decode_str;
use policy::names::is_name;
use serde_json::Value;

use crate::cli::Failure;
use crate::config::keys::Seconds;
use crate::config::problem::did_you_mean;

/// What a party may be called.
const NAME_HELP: &str = "a-z, 0-9, `.`, `_`, `-`; first a letter or a digit; 63 characters at most";

/// A field that a verb takes.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What stands in it.
    pub kind: Kind,
    /// Whether it must be there.
    pub needed: bool,
    /// What it means.
    pub about: &'static str,
}

/// What stands in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One text.
    Text,
    /// The name of a party.
    Name,
    /// A day or a moment, such as 2027-03-01.
    Moment,
    /// The same, or a time ago, such as 1h.
    Since,
    /// A length of time, such as 24h.
    Length,
    /// Any number of texts.
    Texts,
    /// Yes or no.
    Flag,
    /// A number.
    Count,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A field that may be there.
pub const fn may(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, needed: false, about }
}

/// A field that must be there.
pub const fn must(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, needed: true, about }
}

/// The fields that came, each with its values. An empty value is as none: a form sends one for what was left open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given(BTreeMap<String, Vec<String>>);

impl Given {
    /// Those of a query or of a form (`application/x-www-form-urlencoded`).
    pub fn of_pairs(text: &str) -> Result<Self, Failure> {
        let mut given = Self::default();
        let decoded = |part: &str| {
            let part = part.replace('+', " ");
            let text = percent_decode_str(&part).decode_utf8();
            text.map(|text| text.into_owned())
                .map_err(|_| Failure::usage("it is no UTF-8 text", "encode it as UTF-8"))
        };
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            given.add(decoded(name)?, decoded(value)?);
        }
        Ok(given)
    }

    /// Those of a query of the API, where nothing is left open: a field is there with a value, or is not there.
    pub fn of_query(text: &str) -> Result<Self, Failure> {
        let is_open =
            |pair: &&str| !pair.is_empty() && pair.split_once('=').is_none_or(|(_, value)| value.is_empty());
        if let Some(open) = text.split('&').find(is_open) {
            let shown: String = open.chars().take(80).collect();
            return Err(Failure::usage(
                format!("`{}` has no value", shown.escape_debug()),
                "leave it out, or give one",
            ));
        }
        Self::of_pairs(text)
    }

    /// Those of a JSON object, where each has the JSON type that its field is described with. What is null is as absent.
    pub fn of_json(body: &[u8], fields: &[Field]) -> Result<Self, Failure> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let wrong =
            |what: String| Failure::usage(what, "send one JSON object, as /api/openapi.json describes it");
        let value: Value =
            serde_json::from_slice(body).map_err(|error| wrong(format!("the body is no JSON: {error}")))?;
        let Value::Object(object) = value else { return Err(wrong("the body is no JSON object".into())) };
        let mut given = Self::default();
        for (name, value) in object {
            // A field that nobody takes is told of by `check`.
            if let Some(field) = fields.iter().find(|field| field.name == name)
                && !field.kind.is_of(&value)
            {
                return Err(wrong(format!("`{name}` holds what it may not: it is {}", field.kind.word())));
            }
            let all = if let Value::Array(all) = value { all } else { vec![value] };
            for one in all {
                match one {
                    Value::String(text) => given.add(name.clone(), text),
                    Value::Number(number) => given.add(name.clone(), number.to_string()),
                    Value::Bool(true) => given.add(name.clone(), "true".into()),
                    Value::Bool(false) | Value::Null => given.note(name.clone()),
                    _ => return Err(wrong(format!("`{}` holds what it may not", name.escape_debug()))),
                }
            }
        }
        Ok(given)
    }

    fn add(&mut self, name: String, value: String) {
        let all = self.0.entry(name).or_default();
        if !value.is_empty() {
            all.push(value);
        }
    }

    fn note(&mut self, name: String) {
        self.0.entry(name).or_default();
    }

    /// Takes a field out.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)?.into_iter().next()
    }

    /// The one value of a field.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.first().map(String::as_str)
    }

    /// The value of a field that was looked for by [`Given::check`].
    pub fn needed(&self, name: &str) -> &str {
        self.one(name).unwrap_or_default()
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// Whether it says yes.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.one(name), Some("true" | "yes" | "on" | "1"))
    }

    /// The number in a field.
    pub fn count(&self, name: &str) -> Option<u32> {
        self.one(name)?.parse().ok()
    }

    /// Whether anything was given.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }

    /// Holds it against what a verb takes.
    ///
    /// # Errors
    ///
    /// An unknown field, one too often, one that is missing, or a value that cannot be.
    pub fn check(&self, fields: &[Field]) -> Result<(), Failure> {
        for (name, values) in &self.0 {
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
                let help = match did_you_mean(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => "it takes no fields".into(),
                    None => format!("it takes: {}", known.join(", ")),
                };
                return Err(Failure::usage(format!("there is no field `{}`", name.escape_debug()), help));
            };
            if values.len() > 1 && field.kind != Kind::Texts {
                return Err(Failure::usage(format!("`{name}` is there more than once"), "give it once"));
            }
            for value in values {
                field.check(value)?;
            }
        }
        match fields.iter().find(|field| field.needed && self.one(field.name).is_none()) {
            Some(missing) => Err(Failure::usage(format!("`{}` is missing", missing.name), missing.about)),
            None => Ok(()),
        }
    }
}

impl Kind {
    /// Whether a JSON value has its type.
    fn is_of(self, value: &Value) -> bool {
        match self {
            _ if value.is_null() => true,
            Self::Texts => value.as_array().is_some_and(|all| all.iter().all(Value::is_string)),
            Self::Flag => value.is_boolean(),
            Self::Count => value.is_u64(),
            Self::Text => value.is_string(),
            Self::Name | Self::Moment | Self::Since | Self::Length | Self::Word(_) => {
                value.as_str().is_some_and(|text| !text.is_empty())
            }
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Texts => "a list of texts",
            Self::Flag => "true or false",
            Self::Count => "a whole number",
            _ => "a text",
        }
    }
}

impl Field {
    fn check(&self, value: &str) -> Result<(), Failure> {
        let help = match self.kind {
            Kind::Word(words) if !words.contains(&value) => format!("one of: {}", words.join(", ")),
            Kind::Name if !is_name(value.trim()) => NAME_HELP.into(),
            Kind::Moment if UnixTime::parse(value.trim()).is_err() => "write it like 2027-03-01".into(),
            Kind::Since
                if Seconds::parse(value.trim()).is_none() && UnixTime::parse(value.trim()).is_err() =>
            {
                "write it like 2027-03-01, or as a time ago like 1h".into()
            }
            Kind::Length if Seconds::parse(value.trim()).is_none() => "write it like 30d or 12h".into(),
            Kind::Count if value.parse::<u32>().is_err() => "give a whole number".into(),
            Kind::Flag if !["true", "yes", "on", "1", "false", "no", "0"].contains(&value) => {
                "true or false".into()
            }
            _ => return Ok(()),
        };
        let shown: String = value.chars().take(80).collect();
        Err(Failure::usage(format!("`{}` cannot be `{}`", self.name, shown.escape_debug()), help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        must("reason", Kind::Word(&["superseded", "unspecified"]), "why"),
        may("sites", Kind::Texts, "where"),
        may("limit", Kind::Count, "how many"),
        may("code", Kind::Flag, "whether"),
    ];

    #[test]
    fn a_form_a_query_and_json_say_the_same() {
        let form =
            Given::of_pairs("reason=superseded&sites=a.test&sites=b.test&limit=5&code=true&x=").unwrap();
        let json = br#"{"reason":"superseded","sites":["a.test","b.test"],"limit":5,"code":true,"x":null}"#;
        assert_eq!(form, Given::of_json(json, FIELDS).unwrap());
        assert_eq!(form.all("sites"), ["a.test", "b.test"]);
        assert_eq!((form.count("limit"), form.flag("code"), form.one("x")), (Some(5), true, None));
        assert_eq!(Given::of_pairs("a=%C3%A9+b").unwrap().one("a"), Some("\u{e9} b"));
        assert!(Given::of_pairs("a=%ff").is_err());
        assert_eq!(Given::of_query("a=b&&c=d").unwrap(), Given::of_pairs("a=b&c=d").unwrap());
        for open in ["a=", "a", "a=b&c="] {
            assert!(Given::of_pairs(open).is_ok() && Given::of_query(open).is_err(), "{open}");
        }
        for wrong in ["[]", "1", "{", r#"{"a":{}}"#, r#"{"a":[[]]}"#] {
            assert!(Given::of_json(wrong.as_bytes(), FIELDS).is_err(), "{wrong}");
        }
    }

    #[test]
    fn json_has_the_types_that_are_described() {
        for (fits, does_not) in [
            (r#"{"reason":"superseded"}"#, r#"{"reason":1}"#),
            (r#"{"sites":["a.test"]}"#, r#"{"sites":"a.test"}"#),
            (r#"{"sites":[]}"#, r#"{"sites":[1]}"#),
            (r#"{"limit":5}"#, r#"{"limit":"5"}"#),
            (r#"{"limit":0}"#, r#"{"limit":-1}"#),
            (r#"{"code":false}"#, r#"{"code":"true"}"#),
            (r#"{"code":null}"#, r#"{"code":[true]}"#),
            (r#"{"reason":null}"#, r#"{"reason":""}"#),
        ] {
            assert!(Given::of_json(fits.as_bytes(), FIELDS).is_ok(), "{fits}");
            assert!(Given::of_json(does_not.as_bytes(), FIELDS).is_err(), "{does_not}");
        }
    }

    #[test]
    fn texts_of_a_kind_are_held_against_it() {
        let fields = &[
            may("name", Kind::Name, ""),
            may("on", Kind::Moment, ""),
            may("since", Kind::Since, ""),
            may("within", Kind::Length, ""),
        ];
        let fits = |text: &str| Given::of_pairs(text).unwrap().check(fields).is_ok();
        for (good, bad) in [
            ("name=a.b-c_1", "name=A"),
            ("name=0", "name=-a"),
            ("on=2027-03-01", "on=1h"),
            ("since=1h", "since=an+hour"),
            ("since=2027-03-01", "since=2027-13-01"),
            ("within=30d", "within=30y"),
        ] {
            assert!(fits(good) && !fits(bad), "{good} {bad}");
        }
    }

    #[test]
    fn what_a_verb_does_not_take_is_refused_with_what_it_takes() {
        let check = |text: &str| Given::of_pairs(text).unwrap().check(FIELDS).map_err(|failure| failure.help);
        assert_eq!(check("reason=superseded"), Ok(()));
        assert_eq!(check("reason=superseded&site=a"), Err("did you mean `sites`?".into()));
        assert_eq!(check("reason=because"), Err("one of: superseded, unspecified".into()));
        assert_eq!(check("sites=a"), Err("why".into()));
        assert_eq!(check("reason=superseded&limit=-1"), Err("give a whole number".into()));
        assert_eq!(check("reason=superseded&code=maybe"), Err("true or false".into()));
        assert_eq!(check("reason=superseded&reason=superseded"), Err("give it once".into()));
    }
}
