//! Accounts (RFC 8555 section 7.3): made with a binding, found by their key, given another key, ended.

use registry::{AccountRow, Actor, RegistryError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::jose::{Flattened, Jwk, Key, Named, Said, Unverified};
use super::problem::{Kind, Problem};
use super::{Caller, Desk, Done, ended, not_suspended, nothing};

/// Addresses at which an account's owner is reached, and characters of one.
const CONTACTS_MOST: usize = 10;
const CONTACT_MOST: usize = 255;
/// Orders that the list of an account has.
const LISTED_MOST: u32 = 100;
/// One text for all bindings that make no account.
const NOT_OPEN: &str = "no open account binding has this `kid` and key: it was used, has ended or was withdrawn, or never was; \
                        `countersign party invite --acme` makes another";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct New {
    #[serde(default)]
    contact: Vec<String>,
    #[serde(default)]
    only_return_existing: bool,
    #[serde(default)]
    external_account_binding: Option<Flattened>,
}

/// The account of the key that signed: the one that is there, or a new one.
pub(super) async fn make(desk: &Desk<'_>, caller: &Caller, said: &Said) -> Result<Done, Problem> {
    let Caller::Key(key) = caller else { return Err(Problem::malformed("sign this with a key")) };
    let new: New = said.json()?;
    let known = desk.registry.account_of_key(key.thumbprint()).await.map_err(Problem::internal)?;
    if let Some(known) = known {
        return given(desk, &known, 200);
    }
    if new.only_return_existing {
        return Err(Problem::new(Kind::AccountDoesNotExist, "no account has this key"));
    }
    check_contact(&new.contact)?;
    let Some(binding) = &new.external_account_binding else {
        let detail = "an account needs a binding: `countersign party invite --acme` makes its `kid` and key";
        return Err(Problem::new(Kind::ExternalAccountRequired, detail));
    };
    let id = bound(desk, binding, key)?;
    let actor = Actor { name: "authority".into() };
    let made = desk
        .registry
        .make_account(&id, (key.thumbprint(), &key.jwk()), &new.contact, &actor, desk.now)
        .await
        .map_err(|error| match error {
            RegistryError::BindingNotOpen => not_open(),
            other => Problem::internal(other),
        })?;
    given(desk, &made.0, if made.1 { 201 } else { 200 })
}

/// The identifier of a binding that was made for this key by who has the binding's key. What is known of the binding is
/// looked at after that: all that open nothing have cost the same before.
fn bound(desk: &Desk<'_>, binding: &Flattened, key: &Key) -> Result<String, Problem> {
    let bound = Unverified::of(binding)?;
    let Named::Id(id) = &bound.signer else {
        return Err(Problem::malformed("the account binding names its key by `kid`"));
    };
    if bound.nonce.is_some() || bound.url.as_deref() != Some(&desk.settings.url("new-account")) {
        return Err(Problem::malformed("the account binding has this `url`, and no nonce"));
    }
    let is_authentic = bound.is_authentic(&desk.secret.key(id));
    let is_for_key = bound.payload_key().as_ref() == Some(key);
    if !(is_authentic && is_for_key) {
        return Err(not_open());
    }
    Ok(id.clone())
}

fn not_open() -> Problem {
    Problem::new(Kind::Unauthorized, NOT_OPEN)
}

#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    contact: Option<Vec<String>>,
    #[serde(default)]
    status: Option<String>,
}

/// An account, after what it wants changed.
pub(super) async fn account(
    desk: &Desk<'_>,
    account: &AccountRow,
    id: &str,
    said: &Said,
) -> Result<Done, Problem> {
    own(account, id)?;
    if said.is_empty() {
        return given(desk, account, 200);
    }
    let change: Change = said.json()?;
    let mut changed = account.clone();
    match change.status.as_deref() {
        None => {}
        Some("deactivated") => {
            let actor = Actor { name: "authority".into() };
            desk.registry.end_account(id, true, &actor, desk.now).await.map_err(Problem::internal)?;
            let mut view = view(desk, account);
            view["status"] = json!("deactivated");
            return Ok(Done::json(200, &view));
        }
        Some(_) => {
            return Err(Problem::malformed("the one status that an account can be given is `deactivated`"));
        }
    }
    if let Some(contact) = change.contact {
        check_contact(&contact)?;
        desk.registry.set_contact(account, &contact, desk.now).await.map_err(Problem::internal)?;
        changed.contact = contact;
    }
    given(desk, &changed, 200)
}

/// The addresses of an account's orders.
pub(super) async fn orders(
    desk: &Desk<'_>,
    account: &AccountRow,
    id: &str,
    said: &Said,
) -> Result<Done, Problem> {
    own(account, id)?;
    nothing(said)?;
    let all = desk.registry.orders_of(id, LISTED_MOST, desk.now).await.map_err(Problem::internal)?;
    let all: Vec<String> = all.iter().map(|id| desk.settings.url(&format!("order/{id}"))).collect();
    Ok(Done::json(200, &json!({ "orders": all })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyChange {
    account: String,
    old_key: Jwk,
}

/// Gives an account another key (RFC 8555 section 7.3.5): signed by the old one, and within by the new one.
pub(super) async fn change_key(desk: &Desk<'_>, account: &AccountRow, said: &Said) -> Result<Done, Problem> {
    not_suspended(account)?;
    let inner = Unverified::of(&said.json::<Flattened>()?)?;
    inner.check_algorithm()?;
    if inner.nonce.is_some() || inner.url.as_deref() != Some(&desk.settings.url("key-change")) {
        return Err(Problem::malformed("what the new key signs has this `url`, and no nonce"));
    }
    let Named::Key(new) = inner.signer.clone() else {
        return Err(Problem::malformed("what the new key signs has it as `jwk`"));
    };
    let change: KeyChange = inner.verify(&new)?.json()?;
    if change.account != address(desk, account) {
        return Err(Problem::malformed("`account` is not the account that asks"));
    }
    if Key::of(&change.old_key)?.jwk() != account.jwk {
        return Err(Problem::malformed("`oldKey` is not the account's key"));
    }
    let known = desk.registry.account_of_key(new.thumbprint()).await.map_err(Problem::internal)?;
    if let Some(other) = known {
        let location = Some(address(desk, &other));
        return Err(Problem { location, ..Problem::new(Kind::Conflict, "an account has this key already") });
    }
    let actor = Actor { name: "authority".into() };
    let (key, jwk) = (new.thumbprint(), new.jwk());
    let changed = desk.registry.change_account_key(account, (key, &jwk), &actor, desk.now).await;
    changed.map_err(Problem::internal)?;
    given(desk, account, 200)
}

/// `Err` where it is another's.
fn own(account: &AccountRow, id: &str) -> Result<(), Problem> {
    let other = || Problem::new(Kind::Unauthorized, "this is another account's");
    (account.id == id).then_some(()).ok_or_else(other)
}

fn given(desk: &Desk<'_>, account: &AccountRow, status: u16) -> Result<Done, Problem> {
    if account.ended_at.is_some() {
        return Err(ended());
    }
    let location = Some(address(desk, account));
    Ok(Done { location, ..Done::json(status, &view(desk, account)) })
}

fn view(desk: &Desk<'_>, account: &AccountRow) -> Value {
    json!({
        "status": "valid",
        "contact": account.contact,
        "orders": format!("{}/orders", address(desk, account)),
    })
}

fn address(desk: &Desk<'_>, account: &AccountRow) -> String {
    desk.settings.url(&format!("account/{}", account.id))
}

fn check_contact(all: &[String]) -> Result<(), Problem> {
    if all.len() > CONTACTS_MOST {
        return Err(Problem::new(
            Kind::InvalidContact,
            format!("an account has at most {CONTACTS_MOST} contacts"),
        ));
    }
    for one in all {
        let Some(address) = one.strip_prefix("mailto:") else {
            return Err(Problem::new(
                Kind::UnsupportedContact,
                "a contact is an address of e-mail: mailto:…",
            ));
        };
        let is_plain = one.len() <= CONTACT_MOST && address.bytes().all(|byte| byte.is_ascii_graphic());
        let is_one = address.split('@').count() == 2 && !address.starts_with('@') && !address.ends_with('@');
        if !is_plain || !is_one || address.contains(['?', ',', '<', '>', '"']) {
            return Err(Problem::new(Kind::InvalidContact, "a contact is one plain address of e-mail"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_one_plain_address_of_e_mail() {
        let kind = |text: &str| check_contact(&[text.to_owned()]).err().map(|problem| problem.kind);
        assert_eq!(kind("mailto:ops@example.test"), None);
        assert_eq!(kind("tel:+31201234567"), Some(Kind::UnsupportedContact));
        for text in [
            "mailto:",
            "mailto:ops",
            "mailto:@example.test",
            "mailto:a@b@c",
            "mailto:a@b,c@d",
            "mailto:a@b?subject=x",
            "mailto:a b@c",
            "mailto:a@b\u{e9}",
        ] {
            assert_eq!(kind(text), Some(Kind::InvalidContact), "{text}");
        }
        let many = vec!["mailto:ops@example.test".to_owned(); CONTACTS_MOST + 1];
        assert!(check_contact(&many).is_err() && check_contact(&many[1..]).is_ok());
    }
}
