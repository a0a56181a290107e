//! What can be asked and done: one noun a file, each verb calling what its command calls.

mod cas;
mod check;
mod explain;
mod log;
mod overview;
mod parties;
mod pending;
mod sites;

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use policy::record::OperatorRole;
use serde_json::Value;

use super::answer::Asked;
use super::given::{Field, Given};
use super::problem::{Problem, READS};
use super::screens;
use crate::cli::{Exit, Failure};

pub use cas::{RULES as CA_RULES, previewed, under_way};
pub use explain::decided;
pub use log::{FILTER as LOG_FILTER, Found, found, since as refusals_since};
pub use parties::{Listed, listed};

/// What stands before the paths of the API.
pub const API: &str = "/api/v1";

/// Something that can be asked or done.
pub struct Verb {
    /// Its name in the description of the API.
    pub id: &'static str,
    /// GET reads; POST changes, or reads what does not fit into an address.
    pub method: &'static str,
    /// Below [`API`], with places in braces. Forms of pages are sent to the same path without what stands before it.
    pub path: &'static str,
    /// Who may.
    pub role: OperatorRole,
    /// Whether it changes anything; then it wants a key.
    pub changes: bool,
    /// Whether it makes something.
    pub makes: bool,
    /// Whether its answer holds what is told this once: that is kept on no disk.
    pub is_told_once: bool,
    /// What it does, in a line.
    pub about: &'static str,
    /// What comes with it: in the query of a GET, in the body of a POST.
    pub fields: &'static [Field],
    /// Does it.
    pub run: fn(&Asked<'_>, &Given) -> Result<Value, Failure>,
}

/// What reads by an address.
const fn reads(
    id: &'static str,
    path: &'static str,
    about: &'static str,
    fields: &'static [Field],
    run: fn(&Asked<'_>, &Given) -> Result<Value, Failure>,
) -> Verb {
    let role = OperatorRole::Viewer;
    Verb {
        id,
        method: "GET",
        path,
        role,
        changes: false,
        makes: false,
        is_told_once: false,
        about,
        fields,
        run,
    }
}

/// What an operator may change.
const fn changes(
    id: &'static str,
    path: &'static str,
    about: &'static str,
    fields: &'static [Field],
    run: fn(&Asked<'_>, &Given) -> Result<Value, Failure>,
) -> Verb {
    let role = OperatorRole::Operator;
    Verb {
        id,
        method: "POST",
        path,
        role,
        changes: true,
        makes: false,
        is_told_once: false,
        about,
        fields,
        run,
    }
}

impl Verb {
    /// The status of its answer.
    pub fn status(&self) -> StatusCode {
        if self.makes { StatusCode::CREATED } else { StatusCode::OK }
    }
}

/// All of them, as the description of the API has them.
pub fn all() -> impl Iterator<Item = &'static Verb> {
    [
        overview::VERBS,
        sites::VERBS,
        parties::VERBS,
        pending::VERBS,
        cas::VERBS,
        log::VERBS,
        explain::VERBS,
        check::VERBS,
    ]
    .into_iter()
    .flatten()
}

/// The verb at this path, with what stands in its places: of the API, or sent by a form of a page.
///
/// # Errors
///
/// Something is at this path of the API, for another method.
pub fn find(method: &Method, path: &str) -> Result<Option<(&'static Verb, Vec<String>)>, Problem> {
    let get = Method::GET;
    let method = if *method == Method::HEAD { &get } else { method };
    let Some(rest) = path.strip_prefix(API) else {
        let mut forms = all().filter(|verb| verb.method == "POST" && screens::has_after(verb));
        let found = forms.find_map(|verb| Some((verb, places(verb.path, path)?)));
        return Ok(found.filter(|_| *method == Method::POST));
    };
    let mut here: Vec<_> = all().filter_map(|verb| Some((verb, places(verb.path, rest)?))).collect();
    match here.iter().position(|(verb, _)| verb.method == method.as_str()) {
        Some(at) => Ok(Some(here.swap_remove(at))),
        None if here.is_empty() => Err(Problem::not_found()),
        None => Err(Problem::method(method, allowed(&here))),
    }
}

/// The site of this name. What is no host name is no site either.
///
/// # Errors
///
/// There is none.
pub fn site(asked: &Asked<'_>, name: &str) -> Result<policy::HostName, Failure> {
    asked.context.site(name.trim()).map_err(|failure| match failure.exit {
        Exit::Usage => Failure::not_found(failure.what, "/sites has those that there are"),
        _ => failure,
    })
}

/// The methods of the verbs at a path.
fn allowed(here: &[(&'static Verb, Vec<String>)]) -> &'static str {
    let has = |method: &str| here.iter().any(|(verb, _)| verb.method == method);
    match (has("GET"), has("POST")) {
        (true, true) => "GET, HEAD, POST",
        (true, false) => READS,
        (false, _) => "POST",
    }
}

/// What stands in the places of a pattern, where the path fits it.
pub fn places(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut places = Vec::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(places),
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {
                places.push(percent_decode_str(given).decode_utf8().ok()?.into_owned());
            }
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_verb_has_a_name_and_a_place_of_its_own() {
        let ids: BTreeSet<&str> = all().map(|verb| verb.id).collect();
        let at: BTreeSet<(&str, &str)> = all().map(|verb| (verb.method, verb.path)).collect();
        assert_eq!((ids.len(), at.len()), (all().count(), all().count()));
        for verb in all() {
            assert!(
                !verb.changes || verb.role >= OperatorRole::Operator,
                "a viewer changes nothing: {}",
                verb.id
            );
            assert!(!verb.changes || verb.method == "POST", "{}", verb.id);
        }
    }

    #[test]
    fn a_path_fits_one_pattern_with_its_places_filled() {
        assert_eq!(places("/parties/{party}/revoke", "/parties/al%69ce/revoke"), Some(vec!["alice".into()]));
        for wrong in [
            "/parties//revoke",
            "/parties/a/b/revoke",
            "/parties/a",
            "/parties/a/revoke/",
            "/parties/%ff/revoke",
        ] {
            assert_eq!(places("/parties/{party}/revoke", wrong), None, "{wrong}");
        }
        let found =
            |method: Method, path: &str| find(&method, path).map(|found| found.map(|(verb, _)| verb.id));
        assert_eq!(found(Method::GET, "/api/v1/parties").unwrap(), Some("listParties"));
        assert_eq!(found(Method::HEAD, "/api/v1/parties").unwrap(), Some("listParties"));
        assert_eq!(found(Method::DELETE, "/api/v1/parties").unwrap_err().code, "method");
        assert_eq!(found(Method::GET, "/api/v1/nothing").unwrap_err().code, "not-found");
        assert_eq!(found(Method::POST, "/parties/alice/revoke").unwrap(), Some("revokeParty"));
        assert_eq!(found(Method::GET, "/parties/alice/revoke").unwrap(), None);
    }
}
