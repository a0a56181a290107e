//! The language and the kind of answer that a visitor likes best.

use super::words::Table;
use super::{de, en, fr, nl};

/// The languages that refusals are told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// English; where nothing else fits.
    En,
    /// Dutch.
    Nl,
    /// German.
    De,
    /// French.
    Fr,
}

impl Lang {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::En, Self::Nl, Self::De, Self::Fr];

    /// The best of an `Accept-Language` (RFC 9110 section 12.5.4); English where none fits.
    pub fn choose(accept_language: Option<&str>) -> Self {
        let mut best = (0, Self::En);
        for (range, quality) in ranges(accept_language.unwrap_or_default()) {
            if let Some(lang) = Self::parse(range)
                && quality > best.0
            {
                best = (quality, lang);
            }
        }
        best.1
    }

    /// The language of a tag such as `nl` or `de-AT`.
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', '.']).next()?.trim();
        Self::ALL.into_iter().find(|lang| primary.eq_ignore_ascii_case(lang.table().tag))
    }

    pub(super) fn table(self) -> &'static Table {
        match self {
            Self::En => &en::TABLE,
            Self::Nl => &nl::TABLE,
            Self::De => &de::TABLE,
            Self::Fr => &fr::TABLE,
        }
    }
}

/// Whether HTML is asked for by name and no JSON is liked better; of equals the first named wins.
pub(super) fn prefers_html(accept: Option<&str>) -> bool {
    let (mut html, mut json) = (0, 0);
    for (range, quality) in ranges(accept.unwrap_or_default()) {
        match range.to_ascii_lowercase().as_str() {
            "text/html" | "application/xhtml+xml" if quality > json => html = html.max(quality),
            "application/problem+json" | "application/json" if quality > html => json = json.max(quality),
            _ => {}
        }
    }
    html > json
}

/// The members of a list with qualities, in thousandths.
fn ranges(field: &str) -> impl Iterator<Item = (&str, u16)> {
    field.split(',').map(|member| {
        let mut parts = member.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        let quality = parts
            .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        (range, (quality.clamp(0.0, 1.0) * 1000.0) as u16)
    })
}
