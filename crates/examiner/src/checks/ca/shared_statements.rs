//! The statements of a qualified certificate (ETSI EN 319 412-5), each by its form.

use super::prelude::*;
use crate::cert::tlv::{Element, tag};
use crate::dates::{DISCLOSED_BY_HTTPS, ONE_QUALIFIED_TYPE};

/// The certificate complies with the European regulation.
pub(super) const COMPLIANCE: &str = "0.4.0.1862.1.1";
/// Where its terms are disclosed.
pub(super) const DISCLOSURE: &str = "0.4.0.1862.1.5";
/// For what it is: signatures, seals, websites.
pub(super) const TYPE: &str = "0.4.0.1862.1.6";
/// The type of certificates for websites.
const WEBSITE: &str = "0.4.0.1862.1.6.3";
/// The types there are.
const TYPES: &[&str] = &["0.4.0.1862.1.6.1", "0.4.0.1862.1.6.2", WEBSITE];

/// What is wrong with one statement, where it is a known one or none at all.
pub(super) fn wrong_with(statement: Element<'_>, issued: Option<UnixTime>) -> Option<String> {
    let Some(kind) = statement.child(0).and_then(Element::oid) else {
        return Some("a statement has no identifier".into());
    };
    let info = statement.child(1);
    let list = info.filter(|info| info.is(tag::SEQUENCE) && info.children().len() > 0);
    let malformed = |right: bool, what: &str| (!right).then(|| what.to_owned());
    match kind.as_str() {
        // The identifier says it all.
        COMPLIANCE => malformed(info.is_none(), "the statement of compliance has contents"),
        "0.4.0.1862.1.4" => malformed(info.is_none(), "the statement of a qualified device has contents"),
        "0.4.0.1862.1.2" => {
            malformed(list.is_some_and(is_amount), "the limit of transactions is no currency and amount")
        }
        "0.4.0.1862.1.3" => malformed(
            info.is_some_and(|info| info.unsigned().is_some()),
            "the years that records are kept are no number",
        ),
        DISCLOSURE => match list {
            Some(list) => disclosures(list, issued),
            None => Some("the list of disclosures is empty".into()),
        },
        TYPE => match list {
            Some(list) => types(list, issued),
            None => Some("the list of types is empty".into()),
        },
        stray if TYPES.contains(&stray) => Some("a type stands as a statement by itself".into()),
        _ => None,
    }
}

/// Currency (three letters, or a number), amount, exponent.
fn is_amount(list: Element<'_>) -> bool {
    let currency = list.child(0).is_some_and(|code| match code.is(tag::PRINTABLE_STRING) {
        true => code.content().len() == 3 && code.content().iter().all(u8::is_ascii_alphabetic),
        false => code.unsigned().is_some_and(|number| (1..=999).contains(&number)),
    });
    let number = |i: usize| list.child(i).is_some_and(|one| one.is(tag::INTEGER));
    currency && number(1) && number(2) && list.children().len() == 3
}

/// Each an address and a language of two letters, one of them English.
fn disclosures(list: Element<'_>, issued: Option<UnixTime>) -> Option<String> {
    let by_https = issued.is_none_or(|issued| issued >= DISCLOSED_BY_HTTPS);
    let mut is_english = false;
    let mut capitals = false;
    for pair in list.children() {
        let uri = pair.child(0).filter(|uri| uri.is(tag::IA5_STRING)).map(Element::content);
        let Some(uri) = uri.filter(|_| pair.children().len() == 2) else {
            return Some("a disclosure is no address with a language".into());
        };
        if by_https && !uri.to_ascii_lowercase().starts_with(b"https://") {
            return Some("the address of a disclosure is not https".into());
        }
        let language = pair.child(1).filter(|code| code.is(tag::PRINTABLE_STRING)).map(Element::content);
        match language.filter(|code| code.len() == 2 && code.iter().all(u8::is_ascii_alphabetic)) {
            Some(code) => {
                is_english |= code.eq_ignore_ascii_case(b"en");
                capitals |= code.iter().any(u8::is_ascii_uppercase);
            }
            None => return Some("the language of a disclosure is no code of two letters".into()),
        }
    }
    if !is_english {
        return Some("no disclosure is in English".into());
    }
    capitals.then(|| "a language is written in capitals".into())
}

/// Known types, and one alone.
fn types(list: Element<'_>, issued: Option<UnixTime>) -> Option<String> {
    let known = |one: Element<'_>| one.oid().is_some_and(|oid| TYPES.contains(&&*oid));
    if !list.children().all(known) {
        return Some("a type is none of signature, seal and website".into());
    }
    if list.children().len() > 1 && issued.is_none_or(|issued| issued >= ONE_QUALIFIED_TYPE) {
        return Some("it has more than one type".into());
    }
    None
}

/// Whether the list of types has that of websites; `None` where there is no such list.
pub(super) fn is_for_websites(root: Element<'_>) -> Option<bool> {
    let is_type = |one: &Element<'_>| one.child(0).and_then(Element::oid).is_some_and(|kind| kind == TYPE);
    let list = root.children().find(is_type)?.child(1)?;
    Some(list.children().any(|one| one.oid().is_some_and(|oid| oid == WEBSITE)))
}
