//! The pages in four languages: texts, moments, and how far away they are.
//!
//! A text of a page is written in English where it stands; `words/*.txt` have the others, a line each: English, a bar,
//! the translation. A test sees to it that none is missing.

use std::collections::HashMap;
use std::sync::LazyLock;

use examiner::UnixTime;
use gateway::pages::Lang;

type Table = HashMap<&'static str, &'static str>;

fn table(text: &'static str) -> Table {
    text.lines().filter_map(|line| line.split_once(" | ")).collect()
}

static NL: LazyLock<Table> = LazyLock::new(|| table(include_str!("words/nl.txt")));
static DE: LazyLock<Table> = LazyLock::new(|| table(include_str!("words/de.txt")));
static FR: LazyLock<Table> = LazyLock::new(|| table(include_str!("words/fr.txt")));

/// A text in a language; as it is where the table lacks it.
pub fn said(lang: Lang, text: &'static str) -> &'static str {
    let table = match lang {
        Lang::En => return text,
        Lang::Nl => &NL,
        Lang::De => &DE,
        Lang::Fr => &FR,
    };
    table.get(text).copied().unwrap_or(text)
}

/// The language as HTML names it.
pub fn tag(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "en",
        Lang::Nl => "nl",
        Lang::De => "de",
        Lang::Fr => "fr",
    }
}

const MONTHS: [[&str; 12]; 4] = [
    [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
    [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
];

fn row(lang: Lang) -> usize {
    match lang {
        Lang::En => 0,
        Lang::Nl => 1,
        Lang::De => 2,
        Lang::Fr => 3,
    }
}

/// A day as people write it: `27 November 2026`.
pub fn day(lang: Lang, at: UnixTime) -> String {
    let date = at.date();
    let mut parts = date.splitn(3, '-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| month.parse::<usize>().ok()).filter(|month| (1..=12).contains(month));
    let (Some(year), Some(month), Some(day)) = (year, month, day) else {
        return date.clone();
    };
    let (day, name) = (day.trim_start_matches('0'), MONTHS[row(lang)][month - 1]);
    match lang {
        Lang::De => format!("{day}. {name} {year}"),
        Lang::En | Lang::Nl | Lang::Fr => format!("{day} {name} {year}"),
    }
}

/// A moment as people write it, in UTC: `27 November 2026, 13:05 UTC`.
pub fn moment(lang: Lang, at: UnixTime) -> String {
    let second = at.seconds().rem_euclid(86_400);
    let (hours, minutes) = (second / 3600, second % 3600 / 60);
    let join = if lang == Lang::Fr { " à " } else { ", " };
    format!("{}{join}{hours:02}:{minutes:02} UTC", day(lang, at))
}

/// How far a moment is away: `in 12 days`, `3 hours ago`.
pub fn away(lang: Lang, at: UnixTime, now: UnixTime) -> String {
    let seconds = at.seconds() - now.seconds();
    let (count, unit) = match seconds.unsigned_abs() {
        short @ 0..3_600 => (short / 60, 0),
        day @ 3_600..172_800 => (day / 3_600, 1),
        long => (long / 86_400, 2),
    };
    const UNITS: [[[&str; 2]; 3]; 4] = [
        [["minute", "minutes"], ["hour", "hours"], ["day", "days"]],
        [["minuut", "minuten"], ["uur", "uur"], ["dag", "dagen"]],
        [["Minute", "Minuten"], ["Stunde", "Stunden"], ["Tag", "Tagen"]],
        [["minute", "minutes"], ["heure", "heures"], ["jour", "jours"]],
    ];
    if count == 0 {
        return ["now", "nu", "jetzt", "maintenant"][row(lang)].into();
    }
    let unit = UNITS[row(lang)][unit][usize::from(count != 1)];
    match (lang, seconds >= 0) {
        (Lang::En, true) => format!("in {count} {unit}"),
        (Lang::En, false) => format!("{count} {unit} ago"),
        (Lang::Nl, true) => format!("over {count} {unit}"),
        (Lang::Nl, false) => format!("{count} {unit} geleden"),
        (Lang::De, true) => format!("in {count} {unit}"),
        (Lang::De, false) => format!("vor {count} {unit}"),
        (Lang::Fr, true) => format!("dans {count} {unit}"),
        (Lang::Fr, false) => format!("il y a {count} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn how_far_a_moment_is_away() {
        let away = |lang, seconds: i64| super::away(lang, UnixTime(1_000_000 + seconds), UnixTime(1_000_000));
        for (seconds, en, fr) in [
            (0, "now", "maintenant"),
            (-59, "now", "maintenant"),
            (60, "in 1 minute", "dans 1 minute"),
            (-3_599, "59 minutes ago", "il y a 59 minutes"),
            (3_600, "in 1 hour", "dans 1 heure"),
            (172_799, "in 47 hours", "dans 47 heures"),
            (172_800, "in 2 days", "dans 2 jours"),
            (-12 * 86_400, "12 days ago", "il y a 12 jours"),
        ] {
            assert_eq!(
                (away(Lang::En, seconds), away(Lang::Fr, seconds)),
                (en.into(), fr.into()),
                "{seconds}"
            );
        }
        assert_eq!(away(Lang::De, 12 * 86_400), "in 12 Tagen");
        assert_eq!(away(Lang::Nl, -7_200), "2 uur geleden");
    }

    #[test]
    fn a_moment_is_written_as_people_write_it() {
        let at = UnixTime::parse("2027-03-01T09:05:59Z").unwrap();
        for (lang, text) in [
            (Lang::En, "1 March 2027, 09:05 UTC"),
            (Lang::Nl, "1 maart 2027, 09:05 UTC"),
            (Lang::De, "1. März 2027, 09:05 UTC"),
            (Lang::Fr, "1 mars 2027 à 09:05 UTC"),
        ] {
            assert_eq!(moment(lang, at), text);
        }
    }

    /// The texts that the sources say in the language of the page.
    fn texts(folder: &Path, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                texts(&path, into);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("words.rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                for (at, _) in source.match_indices("t(") {
                    let before = source[..at].chars().next_back();
                    let text = source[at + 2..].trim_start().strip_prefix('"');
                    if let (Some(' ' | '(' | '.' | '[' | '\n'), Some(text)) = (before, text) {
                        into.insert(text.split('"').next().unwrap().to_owned());
                    }
                }
            }
        }
    }

    #[test]
    fn every_text_is_there_in_every_language_and_no_other() {
        let mut used = BTreeSet::new();
        for folder in ["src/console", "src/cli/log"] {
            texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut used);
        }
        assert!(used.len() > 50, "{used:?}");
        for (name, table) in [("nl", &NL), ("de", &DE), ("fr", &FR)] {
            let missing: Vec<_> = used.iter().filter(|text| !table.contains_key(text.as_str())).collect();
            assert!(missing.is_empty(), "{name} lacks {missing:#?}");
            let idle: Vec<_> = table.keys().filter(|text| !used.contains(**text)).collect();
            assert!(idle.is_empty(), "{name} has what is said nowhere: {idle:#?}");
            assert!(table.values().all(|text| !text.trim().is_empty()), "{name}");
        }
    }
}
