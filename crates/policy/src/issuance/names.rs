//! Which names may stand in a certificate.

use super::{AltName, COMMON_NAME_MOST, IssueError, Plan, Profile};

/// Checks every name of the plan by the rules of its profile.
pub(super) fn check(plan: &Plan) -> Result<(), IssueError> {
    shown_text("party name", &plan.party)?;
    if plan.profile.is_client() {
        uuid(&plan.party_uuid)?;
    }
    common_name(plan)?;
    for name in &plan.alt_names {
        alt_name(plan.profile, name)?;
    }
    if plan.profile == Profile::Server && plan.alt_names.is_empty() {
        return Err(IssueError::NoServerName);
    }
    if !(1..=127).contains(&plan.shard) {
        return Err(bad("part of the list", &plan.shard.to_string(), "it must be 1 to 127"));
    }
    for (what, url) in [("list address", &plan.crl_url), ("OCSP address", &plan.ocsp_url)] {
        url.as_deref().map_or(Ok(()), |url| address(what, url))?;
    }
    Ok(())
}

fn address(what: &'static str, url: &str) -> Result<(), IssueError> {
    let address = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let fine = address.is_some_and(|rest| !rest.is_empty()) && plain_ascii(url);
    fine.then_some(()).ok_or_else(|| bad(what, url, "it must be an http:// address"))
}

fn common_name(plan: &Plan) -> Result<(), IssueError> {
    let name = plan.common_name.as_str();
    if name.is_empty() && plan.profile == Profile::Server {
        return Ok(());
    }
    if name.chars().count() > COMMON_NAME_MOST {
        return Err(bad("common name", name, "it is longer than 64 characters"));
    }
    shown_text("common name", name)
}

/// A text that people will read: not empty, no controls, nothing invisible, no space at either end.
fn shown_text(what: &'static str, text: &str) -> Result<(), IssueError> {
    let why = if text.is_empty() {
        "it is empty"
    } else if text.chars().any(char::is_control) {
        "it holds a control character"
    } else if text.chars().any(is_invisible) {
        "it holds an invisible character"
    } else if text.trim() != text {
        "it begins or ends with a space"
    } else {
        return Ok(());
    };
    Err(bad(what, text, why))
}

/// Characters that show nothing or change the direction of what follows.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{61c}' | '\u{ad}' | '\u{180e}' | '\u{e0000}'..='\u{e007f}')
}

/// RFC 9562 section 4 in lower case.
fn uuid(text: &str) -> Result<(), IssueError> {
    let fine = text.len() == 36
        && text.bytes().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
    fine.then_some(()).ok_or_else(|| bad("party identifier", text, "it is no UUID in lower case"))
}

/// Checks one name beside the common name.
pub(super) fn alt_name(profile: Profile, name: &AltName) -> Result<(), IssueError> {
    match name {
        AltName::Dns(host) => dns(profile, host),
        AltName::Ip(_) if profile.is_client() => {
            Err(bad("IP address", &name.to_string(), "only servers are named by address"))
        }
        AltName::Ip(_) => Ok(()),
        AltName::Email(text) | AltName::Uri(text) if !profile.is_client() => {
            Err(bad("name", text, "servers are named by DNS names and IP addresses only"))
        }
        AltName::Email(text) => email(text),
        AltName::Uri(text) => uri(text),
    }
}

fn dns(profile: Profile, host: &str) -> Result<(), IssueError> {
    let wrong = |why| Err(bad("DNS name", host, why));
    let bare = match host.strip_prefix("*.") {
        Some(_) if profile.is_client() => return wrong("only servers may have a wildcard"),
        Some(rest) if !rest.contains('.') => return wrong("a wildcard needs two labels after it"),
        Some(rest) => rest,
        None => host,
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
    };
    if host.len() > 253 || !bare.split('.').all(label) {
        return wrong("it must be of lower-case letters, digits and hyphens, in labels of up to 63");
    }
    if bare.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
        return wrong("it ends in a number, like an IP address");
    }
    Ok(())
}

fn email(text: &str) -> Result<(), IssueError> {
    let (local, host) = text.rsplit_once('@').unwrap_or(("", ""));
    let fine = plain_ascii(text) && !local.is_empty() && !local.contains(['@', '"', '<', '>', ',', ';']);
    if !fine {
        return Err(bad("e-mail address", text, "it must be of the form name@host, in ASCII"));
    }
    dns(Profile::Person, &host.to_ascii_lowercase())
        .map_err(|_| bad("e-mail address", text, "what follows the @ is no host name"))
}

fn uri(text: &str) -> Result<(), IssueError> {
    let (scheme, rest) = text.split_once(':').unwrap_or(("", ""));
    let scheme_is_fine = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if !scheme_is_fine || rest.is_empty() || !plain_ascii(text) {
        return Err(bad("URI", text, "it must be an absolute URI, in ASCII"));
    }
    if text.to_ascii_lowercase().starts_with("urn:uuid:") {
        return Err(bad("URI", text, "urn:uuid: names parties and is set by the registry alone"));
    }
    Ok(())
}

/// Visible ASCII without spaces.
fn plain_ascii(text: &str) -> bool {
    text.len() <= 1024 && text.bytes().all(|b| b.is_ascii_graphic())
}

fn bad(what: &'static str, name: &str, why: &'static str) -> IssueError {
    IssueError::BadName { what, shown: name.escape_debug().to_string(), why }
}
