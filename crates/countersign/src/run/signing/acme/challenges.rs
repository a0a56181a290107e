//! Challenges (RFC 8555 section 7.5.1): how a host inside proves that a name is its own. What a client says here is only that
//! its host is ready to be asked; the asking is another process's ([`crate::prove`]).

use std::time::Duration;

use registry::{AccountRow, AuthorisationRow, AuthorisationState, OrderRow};
use serde::Deserialize;
use serde_json::{Value, json};

use super::jose::Said;
use super::problem::{Kind, Problem};
use super::{Desk, Done, not_suspended};

/// When it is of use to look again at a challenge that is looked at.
const SOON: Duration = Duration::from_secs(1);

/// A way to prove a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A text under a path of the host (RFC 8555 section 8.3).
    Http,
    /// A certificate in a handshake with the host (RFC 8737).
    TlsAlpn,
}

impl Way {
    const ALL: [Self; 2] = [Self::Http, Self::TlsAlpn];

    /// Its name, as clients know it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http-01",
            Self::TlsAlpn => "tls-alpn-01",
        }
    }

    /// The way of this name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.word() == word)
    }
}

/// What a client says whose host is ready: nothing, in braces.
#[derive(Deserialize)]
struct Ready {}

/// A challenge, after its host is noted to be ready where the client says so. Said again while the host is asked, it has
/// it asked again.
pub(super) async fn challenge(
    desk: &Desk<'_>,
    account: &AccountRow,
    (id, way): (&str, Way),
    said: &Said,
) -> Result<Done, Problem> {
    let none = || Problem::new(Kind::NotFound, "this account has no such challenge");
    let found = desk.registry.authorisation(id).await.map_err(Problem::internal)?;
    let (one, order) = found.filter(|(_, order)| order.account == account.id).ok_or_else(none)?;
    if !ways(&one).any(|open| open == way) {
        return Err(none());
    }
    let mut prove = false;
    if !said.is_empty() {
        let Ready {} = said.json()?;
        prove = begin(desk, account, (&one, &order), way).await?;
    }
    let found = desk.registry.authorisation(id).await.map_err(Problem::internal)?;
    let (one, _) = found.ok_or_else(none)?;
    let up = Some(desk.settings.url(&format!("authorization/{id}")));
    let retry_after = is_looked_at(&one).then_some(SOON);
    Ok(Done { up, retry_after, prove, ..Done::json(200, &view(desk, &one, way)) })
}

/// Notes that the host is ready; whether it is to be asked.
async fn begin(
    desk: &Desk<'_>,
    account: &AccountRow,
    (one, order): (&AuthorisationRow, &OrderRow),
    way: Way,
) -> Result<bool, Problem> {
    not_suspended(account)?;
    if desk.now > order.expires_at {
        return Err(Problem::malformed("the order of this challenge has ended"));
    }
    if !desk.settings.has_servers {
        let detail = "the configuration has no `server_networks` any more: no host is asked";
        return Err(Problem::new(Kind::Unauthorized, detail));
    }
    match one.state {
        AuthorisationState::Pending => {
            let begun = desk.registry.begin_authorisation(&one.id, way.word(), desk.now).await;
            begun.map_err(Problem::internal)
        }
        AuthorisationState::Processing => Ok(true),
        AuthorisationState::Valid | AuthorisationState::Invalid | AuthorisationState::Deactivated => {
            Ok(false)
        }
    }
}

/// Whether its host is asked just now.
fn is_looked_at(one: &AuthorisationRow) -> bool {
    one.state == AuthorisationState::Processing
}

/// The ways that are open: both before one is chosen; none where the account was authorised from the beginning.
fn ways(one: &AuthorisationRow) -> impl Iterator<Item = Way> {
    let chosen = one.way.clone();
    let is_open = one.state == AuthorisationState::Pending;
    Way::ALL.into_iter().filter(move |way| match &chosen {
        Some(chosen) => chosen == way.word(),
        None => is_open,
    })
}

/// An authorisation with its challenges (RFC 8555 section 7.1.4). While its host is asked it is pending still.
pub(super) fn authorisation(desk: &Desk<'_>, one: &AuthorisationRow, order: &OrderRow) -> Done {
    let status = if is_looked_at(one) { AuthorisationState::Pending } else { one.state };
    let body = json!({
        "identifier": { "type": "dns", "value": one.name },
        "status": status.word(),
        "expires": order.expires_at,
        "challenges": ways(one).map(|way| view(desk, one, way)).collect::<Vec<_>>(),
    });
    Done { retry_after: is_looked_at(one).then_some(SOON), ..Done::json(200, &body) }
}

fn view(desk: &Desk<'_>, one: &AuthorisationRow, way: Way) -> Value {
    let mut value = json!({
        "type": way.word(),
        "url": desk.settings.url(&format!("challenge/{}/{}", one.id, way.word())),
        "status": one.state.word(),
        "token": one.token,
    });
    if one.state == AuthorisationState::Valid {
        value["validated"] = json!(one.decided_at);
    }
    if let Some(error) = &one.error {
        value["error"] = serde_json::from_str(error).unwrap_or_else(|_| json!({ "detail": error }));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_are_both_until_one_is_chosen_and_none_for_who_needs_none() {
        let open = |state: AuthorisationState, way: Option<&str>| {
            let one = AuthorisationRow {
                id: "0123456789abcdef".into(),
                order: "0123456789abcdef".into(),
                name: "db.test".into(),
                token: "00".into(),
                state,
                way: way.map(str::to_owned),
                decided_at: None,
                error: None,
            };
            ways(&one).map(Way::word).collect::<Vec<_>>()
        };
        assert_eq!(open(AuthorisationState::Pending, None), ["http-01", "tls-alpn-01"]);
        for state in [AuthorisationState::Processing, AuthorisationState::Valid, AuthorisationState::Invalid]
        {
            assert_eq!(open(state, Some("tls-alpn-01")), ["tls-alpn-01"]);
        }
        assert_eq!(open(AuthorisationState::Valid, None), [""; 0]);
        assert_eq!(open(AuthorisationState::Deactivated, None), [""; 0]);
        assert_eq!((Way::named("http-01"), Way::named("dns-01")), (Some(Way::Http), None));
    }
}
