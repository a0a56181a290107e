//! Text to the file's shape; every problem in one run.

use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::file::{
    AcmeFile, CaFile, CrlFile, EnrolFile, File, HealthCheckFile, LogFile, MailFile, NotifyFile, PathFile,
    ProfileFile, RateFile, SecretFile, ServerFile, SiteFile, UpstreamTlsFile, WebhookFile,
};
use super::keys;
use super::limits::LimitsFile;
use super::problem::{Problem, Source, did_you_mean};

/// More problems than this are not looked for.
const MOST: usize = 100;

type Table<'a> = DeTable<'a>;

/// Reads a whole configuration. What could be read comes back even where there are problems.
pub fn file(source: &Source, problems: &mut Vec<Problem>) -> File {
    read(source, problems, |table, problems| {
        unknown(table, "the file", keys::of::<File>(), source, problems);
        each_named(table, "server", |_, table| {
            unknown(table, "[server]", keys::of::<ServerFile>(), source, problems)
        });
        each_named(table, "enrol", |_, table| {
            unknown(table, "[enrol]", keys::of::<EnrolFile>(), source, problems)
        });
        each_in(table, "profile", |table| {
            unknown(table, "a [profile]", keys::of::<ProfileFile>(), source, problems);
        });
        each_named(table, "notify", |_, table| notify_keys(table, source, problems));
        each_named(table, "log", |_, table| unknown(table, "[log]", keys::of::<LogFile>(), source, problems));
        each_named(table, "limits", |_, table| {
            unknown(table, "[limits]", keys::of::<LimitsFile>(), source, problems)
        });
        each_in(table, "site", |table| site_keys(table, source, problems));
        each_in(table, "ca", |table| ca_keys(table, "a [ca]", source, problems));
    })
}

/// Reads a site's settings alone, as the registry holds them.
pub fn site(source: &Source, problems: &mut Vec<Problem>) -> SiteFile {
    read(source, problems, |table, problems| site_keys(table, source, problems))
}

/// Reads a CA's settings alone, as the registry holds them.
pub fn ca(source: &Source, problems: &mut Vec<Problem>) -> CaFile {
    read(source, problems, |table, problems| ca_keys(table, "a CA", source, problems))
}

fn ca_keys(table: &mut Table<'_>, place: &str, source: &Source, problems: &mut Vec<Problem>) {
    unknown(table, place, keys::of::<CaFile>(), source, problems);
    each_named(table, "crl", |_, table| {
        unknown(table, "a revocation list", keys::of::<CrlFile>(), source, problems);
    });
}

fn notify_keys(table: &mut Table<'_>, source: &Source, problems: &mut Vec<Problem>) {
    unknown(table, "[notify]", keys::of::<NotifyFile>(), source, problems);
    each_named(table, "mail", |_, table| {
        unknown(table, "[notify.mail]", keys::of::<MailFile>(), source, problems);
        each_named(table, "password", |_, table| {
            unknown(table, "a secret", keys::of::<SecretFile>(), source, problems);
        });
    });
    each_named(table, "webhook", |_, table| {
        unknown(table, "[notify.webhook]", keys::of::<WebhookFile>(), source, problems);
        each_named(table, "secret", |_, table| {
            unknown(table, "a secret", keys::of::<SecretFile>(), source, problems);
        });
    });
}

fn site_keys(table: &mut Table<'_>, source: &Source, problems: &mut Vec<Problem>) {
    unknown(table, "a [site]", keys::of::<SiteFile>(), source, problems);
    each_named(table, "upstream_tls", |_, table| {
        unknown(table, "upstream_tls", keys::of::<UpstreamTlsFile>(), source, problems)
    });
    each_named(table, "certificate", |_, table| {
        if table.contains_key("acme") {
            unknown(table, "certificate", keys::of::<AcmeFile>(), source, problems);
        }
    });
    each_named(table, "health_check", |_, table| {
        unknown(table, "health_check", keys::of::<HealthCheckFile>(), source, problems)
    });
    each_named(table, "rate_limit", |_, table| {
        unknown(table, "rate_limit", keys::of::<RateFile>(), source, problems)
    });
    each_named(table, "path", |_, table| {
        unknown(table, "a path rule", keys::of::<PathFile>(), source, problems)
    });
}

/// Where the name of the table at this path stands; the text's beginning where it is not written.
pub fn place_of(source: &Source, path: &[&str]) -> Range<usize> {
    let Some((last, above)) = path.split_last() else { return 0..0 };
    let (document, _) = DeTable::parse_recoverable(&source.text);
    let found = below(document.get_ref(), above).and_then(|table| table.get_key_value(*last));
    found.map_or(0..0, |(key, _)| key.span())
}

/// Whether the table at this path has the key, or another that `T` does not know and that is meant to be it, so that what
/// is wrong with it stands among the `problems`: then it is not missing as well.
pub fn is_told<'de, T: Deserialize<'de>>(
    source: &Source,
    problems: &[Problem],
    path: &[&str],
    key: &str,
) -> bool {
    if problems.is_empty() {
        return false;
    }
    let known = keys::of::<T>();
    let (document, _) = DeTable::parse_recoverable(&source.text);
    let Some(table) = below(document.get_ref(), path) else { return false };
    table.keys().map(|written| written.get_ref().as_ref()).any(|written| {
        written == key
            || !known.contains(&written) && did_you_mean(written, known.iter().copied()) == Some(key)
    })
}

fn below<'t, 'i>(table: &'t Table<'i>, path: &[&str]) -> Option<&'t Table<'i>> {
    path.iter().try_fold(table, |table, name| match table.get(*name)?.get_ref() {
        DeValue::Table(inner) => Some(inner),
        _ => None,
    })
}

/// Parses, takes out unknown keys, then takes out whatever the shape refuses, noting each.
fn read<T: DeserializeOwned + Default>(
    source: &Source,
    problems: &mut Vec<Problem>,
    unknown_keys: impl FnOnce(&mut Table<'_>, &mut Vec<Problem>),
) -> T {
    let (mut document, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        for error in errors {
            let span = error.span().unwrap_or_default();
            problems.push(source.problem(
                &span,
                one_line(error.message()),
                "write it as TOML (https://toml.io)",
            ));
        }
        return T::default();
    }
    unknown_keys(document.get_mut(), problems);
    for _ in 0..MOST {
        let error = match T::deserialize(toml::de::Deserializer::from(document.clone())) {
            Ok(read) => return read,
            Err(error) => error,
        };
        let span = error.span().unwrap_or_default();
        problems.push(refused(source, &span, one_line(error.message())));
        if !remove(document.get_mut(), &span) {
            break;
        }
    }
    T::default()
}

fn unknown(
    table: &mut Table<'_>,
    place: &str,
    known: &[&'static str],
    source: &Source,
    problems: &mut Vec<Problem>,
) {
    let strange: Vec<_> =
        table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).cloned().collect();
    for key in strange {
        let name = key.get_ref().as_ref();
        let help = match did_you_mean(name, known.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("{place} knows {}", known.join(", ")),
        };
        problems.push(source.problem(&key.span(), format!("unknown key `{}`", name.escape_debug()), help));
        table.remove(name);
    }
}

/// Calls `visit` with the table or tables of this name.
fn each_named<'i>(table: &mut Table<'i>, name: &str, mut visit: impl FnMut(&str, &mut Table<'i>)) {
    let Some(value) = table.get_mut(name) else { return };
    match value.get_mut() {
        DeValue::Table(inner) => visit(name, inner),
        DeValue::Array(all) => {
            for one in all.iter_mut() {
                if let DeValue::Table(inner) = one.get_mut() {
                    visit(name, inner);
                }
            }
        }
        _ => {}
    }
}

/// Calls `visit` with every table inside the table of this name.
fn each_in<'i>(table: &mut Table<'i>, name: &str, mut visit: impl FnMut(&mut Table<'i>)) {
    each_named(table, name, |_, outer| {
        let names: Vec<String> = outer.keys().map(|key| key.get_ref().to_string()).collect();
        for name in names {
            each_named(outer, &name, |_, inner| visit(inner));
        }
    });
}

/// Removes the smallest entry that holds the span. `false` where there is none.
fn remove(table: &mut Table<'_>, span: &Range<usize>) -> bool {
    let holds = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    let mut found = None;
    for (key, value) in table.iter() {
        let inside = holds(value.span()) || holds(key.span()) || deep(value.get_ref(), &holds);
        if inside {
            found = Some(key.get_ref().to_string());
        }
    }
    let Some(name) = found else { return false };
    if let Some(value) = table.get_mut(name.as_str()) {
        let removed_below = match value.get_mut() {
            DeValue::Table(inner) => remove(inner, span),
            DeValue::Array(all) => all.iter_mut().any(|one| match one.get_mut() {
                DeValue::Table(inner) => remove(inner, span),
                _ => false,
            }),
            _ => false,
        };
        if removed_below {
            return true;
        }
    }
    table.remove(name.as_str()).is_some()
}

/// Whether the span lies anywhere below; a table's own span is only its header.
fn deep(value: &DeValue<'_>, holds: &impl Fn(Range<usize>) -> bool) -> bool {
    match value {
        DeValue::Table(table) => table
            .iter()
            .any(|(key, value)| holds(key.span()) || holds(value.span()) || deep(value.get_ref(), holds)),
        DeValue::Array(all) => all.iter().any(|one| holds(one.span()) || deep(one.get_ref(), holds)),
        _ => false,
    }
}

/// What the shape refuses, in the words of the file.
fn refused(source: &Source, span: &Range<usize>, message: String) -> Problem {
    let Some(found) = message.strip_suffix(", expected a sequence") else {
        return source.problem(span, message, "");
    };
    let written = source.text.get(span.clone()).unwrap_or_default();
    let is_one_value = !written.is_empty() && !written.starts_with(['[', '{']) && !written.contains('\n');
    let help = if is_one_value {
        format!("write it as a list: [{written}]")
    } else {
        "write it as a list: [...]".into()
    };
    source.problem(span, format!("{found}, expected a list"), help)
}

fn one_line(message: &str) -> String {
    message.split('\n').map(str::trim).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        file(&Source::file("countersign.toml", text), &mut found);
        found.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_the_likely_one() {
        let found = problems("[site.\"portal.test\"]\nupsteam = \"http://127.0.0.1:3000\"\n");
        assert_eq!(found, ["countersign.toml:2:1: unknown key `upsteam`\n  help: did you mean `upstream`?"]);
    }

    #[test]
    fn all_problems_are_found_in_one_run() {
        let found = problems(
            "[server]\nlisten = [\"nowhere\"]\nadmin = 7\nlisen = 1\n[site.\"a.test\"]\ntls_min = \"1.1\"\n\
             [[site.\"a.test\".path]]\nprefx = \"/\"\nclient_auth = \"maybe\"\n[ca.x]\nmatch = 3\n",
        );
        assert_eq!(found.len(), 7, "{found:#?}");
        for place in [":2:11:", ":3:9:", ":4:1:", ":6:11:", ":8:1:", ":9:15:", ":11:9:"] {
            assert!(
                found.iter().any(|one| one.starts_with(&format!("countersign.toml{place}"))),
                "{place} {found:#?}"
            );
        }
    }

    #[test]
    fn one_value_where_a_list_is_wanted_is_shown_as_a_list() {
        let at = "countersign.toml:2";
        for (line, expected) in [
            (
                "http = \"127.0.0.1:80\"",
                format!(
                    "{at}:8: invalid type: string \"127.0.0.1:80\", expected a list\n  help: write it as a list: [\"127.0.0.1:80\"]"
                ),
            ),
            (
                "fetch_private = 7",
                format!(
                    "{at}:17: invalid type: integer `7`, expected a list\n  help: write it as a list: [7]"
                ),
            ),
            (
                "listen = { a = 1 }",
                format!("{at}:10: invalid type: map, expected a list\n  help: write it as a list: [...]"),
            ),
        ] {
            assert_eq!(problems(&format!("[server]\n{line}\n")), [expected]);
        }
        assert_eq!(problems("[server]\nhttp = [\"127.0.0.1:80\"]\n"), [""; 0]);
    }

    #[test]
    fn the_grown_file_is_read() {
        let text = r#"
[server]
listen = ["0.0.0.0:443", "[::]:443"]
max_stale = "24h"
[site."portal.example.com"]
upstream = "http://127.0.0.1:3000"
certificate = { cert = "portal.pem", key = "portal.key" }
allow = ["group:staff", "bob"]
tls_min = "1.3"
mode = { observe_until = 2027-03-15 }
[[site."portal.example.com".path]]
prefix = "/health"
client_auth = "off"
[ca.acme]
file = "acme-ca.pem"
match = ["san:dns=*.acme.example"]
accept_without_client_usage = { until = 2027-03-15 }
[group]
staff = ["alice"]
"#;
        assert_eq!(problems(text), Vec::<String>::new());
    }
}
