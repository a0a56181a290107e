//! Values that can be written in more than one way, and the names of a shape's keys.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use examiner::UnixTime;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use super::file::{AcmeFile, CrlFile};

/// A length of time: seconds, or a number with `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub i64);

impl Seconds {
    /// Parses `90`, `90s`, `15m`, `24h`, `7d`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match &text[digits.len()..] {
            "" | "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        digits.parse::<u32>().ok().map(|number| Self(i64::from(number) * unit))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Seconds;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds, or a text like \"15m\", \"24h\" or \"7d\"")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Seconds, E> {
                let fine = (0..=i64::from(u32::MAX)).contains(&value);
                if fine {
                    Ok(Seconds(value))
                } else {
                    Err(E::invalid_value(de::Unexpected::Signed(value), &self))
                }
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Seconds, E> {
                Seconds::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Seconds, or a text like \"15m\", \"24h\" or \"7d\".",
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": u32::MAX },
                { "type": "string", "pattern": "^[0-9]+[smhd]?$" },
            ],
        })
    }
}

/// A date or moment: a TOML date, or the same as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateFile(pub UnixTime);

impl<'de> Deserialize<'de> for DateFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Toml(toml::value::Datetime),
            Text(String),
        }
        let wanted = || {
            de::Error::custom("expected a date such as 2027-03-15, or a moment such as 2027-03-15T12:00:00Z")
        };
        let text = match Either::deserialize(deserializer).map_err(|_| wanted())? {
            Either::Toml(date) => date.to_string(),
            Either::Text(text) => text,
        };
        UnixTime::parse(&text).map(Self).map_err(|_| wanted())
    }
}

impl JsonSchema for DateFile {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A date such as 2027-03-15, or a moment such as 2027-03-15T12:00:00Z.",
            "type": "string",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].+)?$",
        })
    }
}

/// `{ until = DATE }`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// Until when, inclusive.
    pub until: DateFile,
}

/// A site's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateFile {
    /// Issued and renewed by the own authority.
    OwnCa,
    /// PEM files.
    Files {
        /// The certificate, then its intermediates.
        cert: PathBuf,
        /// The private key.
        key: PathBuf,
    },
    /// Ordered from an ACME server.
    Acme(Box<AcmeFile>),
}

impl<'de> Deserialize<'de> for CertificateFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Files {
            cert: PathBuf,
            key: PathBuf,
        }
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = CertificateFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "\"own-ca\", { cert = \"FILE\", key = \"FILE\" } or { acme = \"https://…/directory\" }",
                )
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<CertificateFile, E> {
                if text == "own-ca" {
                    return Ok(CertificateFile::OwnCa);
                }
                Err(E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CertificateFile, A::Error> {
                let table = toml::Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let wrong = |error: toml::de::Error| de::Error::custom(error.message().trim_end());
                if table.contains_key("acme") {
                    return table.try_into().map(CertificateFile::Acme).map_err(wrong);
                }
                let Files { cert, key } = table.try_into().map_err(wrong)?;
                Ok(CertificateFile::Files { cert, key })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for CertificateFile {
    fn schema_name() -> Cow<'static, str> {
        "CertificateFile".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut acme = generator.subschema_for::<AcmeFile>();
        acme.insert("required".into(), serde_json::json!(["acme"]));
        json_schema!({
            "anyOf": [
                acme,
                { "description": "Issued and renewed by the own authority.", "const": "own-ca" },
                {
                    "description": "PEM files.",
                    "type": "object",
                    "properties": { "cert": { "type": "string" }, "key": { "type": "string" } },
                    "required": ["cert", "key"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

/// A CA's revocation lists: one, or several in brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrlFiles(pub Vec<CrlFile>);

impl<'de> Deserialize<'de> for CrlFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = CrlFiles;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("{ file = \"FILE\" } or { url = \"URL\" }, or several in brackets")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CrlFiles, A::Error> {
                let one = CrlFile::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(CrlFiles(vec![one]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, all: A) -> Result<CrlFiles, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(all)).map(CrlFiles)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for CrlFiles {
    fn schema_name() -> Cow<'static, str> {
        "CrlFiles".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<CrlFile>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// Where a site's requests go: one upstream, or several in brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamsFile(pub Vec<String>);

impl<'de> Deserialize<'de> for UpstreamsFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = UpstreamsFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"http://HOST:PORT\", or several in brackets")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<UpstreamsFile, E> {
                Ok(UpstreamsFile(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, all: A) -> Result<UpstreamsFile, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(all)).map(UpstreamsFile)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for UpstreamsFile {
    fn schema_name() -> Cow<'static, str> {
        "UpstreamsFile".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = json_schema!({
            "description": "http://, https:// or h2c:// with host and port, or unix:/path.",
            "type": "string",
        });
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

/// The keys of a shape, as its `Deserialize` names them.
pub fn of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut found: &'static [&'static str] = &[];
    let _ = T::deserialize(Ask(&mut found));
    found
}

/// Answers nothing; only hears which keys are asked for.
struct Ask<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Ask<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("only its keys are asked for"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(Seconds::parse(text), Some(Seconds(seconds)), "{text}");
        }
        for text in ["", "h", "-1", "1w", "1.5h", "24 h"] {
            assert_eq!(Seconds::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_keys_of_a_shape_are_known() {
        assert!(of::<super::super::file::SiteFile>().contains(&"upstream"));
        assert!(of::<super::super::file::CaFile>().contains(&"match"));
    }
}
