//! Two more values that can be written in more than one way: a size, and how long https is insisted on.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::keys::Seconds;

/// A number of bytes, or a number with `kB`, `MB`, `GB` (thousands), `KiB`, `MiB`, `GiB` (1024s).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// Parses `512`, `10MB`, `64KiB`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit: u64 = match &text[digits.len()..] {
            "" | "B" => 1,
            "kB" => 1000,
            "MB" => 1_000_000,
            "GB" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number: u64 = Some(digits).filter(|_| plain)?.parse().ok()?;
        number.checked_mul(unit).map(Self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = ByteSize;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, or a text like \"10MB\" or \"64KiB\"")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<ByteSize, E> {
                let number = u64::try_from(value);
                number.map(ByteSize).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteSize, E> {
                ByteSize::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for ByteSize {
    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of bytes, or a text like \"10MB\" or \"64KiB\".",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": "^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)?$" },
            ],
        })
    }
}

/// `Strict-Transport-Security` (RFC 6797 section 6.1): a length of time, or a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HstsFile {
    /// How long browsers insist on https.
    pub max_age: Seconds,
    /// For all names below this one too.
    pub include_subdomains: bool,
    /// The owner wants it in the browsers' own lists.
    pub preload: bool,
}

impl HstsFile {
    /// The field's value.
    pub fn field(self) -> String {
        let mut text = format!("max-age={}", self.max_age.0);
        if self.include_subdomains {
            text.push_str("; includeSubDomains");
        }
        if self.preload {
            text.push_str("; preload");
        }
        text
    }
}

impl<'de> Deserialize<'de> for HstsFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            max_age: Seconds,
            #[serde(default)]
            include_subdomains: bool,
            #[serde(default)]
            preload: bool,
        }
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = HstsFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text like \"365d\", or { max_age = \"365d\", include_subdomains = true }")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<HstsFile, E> {
                let max_age = Seconds::parse(text);
                let max_age = max_age.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))?;
                Ok(HstsFile { max_age, include_subdomains: false, preload: false })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HstsFile, A::Error> {
                let Table { max_age, include_subdomains, preload } =
                    Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(HstsFile { max_age, include_subdomains, preload })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for HstsFile {
    fn schema_name() -> Cow<'static, str> {
        "HstsFile".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let seconds = generator.subschema_for::<Seconds>();
        json_schema!({
            "anyOf": [
                { "type": "string", "pattern": "^[0-9]+[smhd]?$" },
                {
                    "type": "object",
                    "properties": {
                        "max_age": seconds,
                        "include_subdomains": { "type": "boolean" },
                        "preload": { "type": "boolean" },
                    },
                    "required": ["max_age"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit() {
        for (text, bytes) in
            [("512", 512), ("1B", 1), ("10MB", 10_000_000), ("64KiB", 65_536), ("2GiB", 2 << 30)]
        {
            assert_eq!(ByteSize::parse(text), Some(ByteSize(bytes)), "{text}");
        }
        for text in ["", "MB", "-1", "+1", "1 MB", "1mb", "1K", "99999999999GiB"] {
            assert_eq!(ByteSize::parse(text), None, "{text}");
        }
    }
}
