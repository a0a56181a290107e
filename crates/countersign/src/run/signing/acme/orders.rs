//! Orders (RFC 8555 section 7.4): names that an account is authorised for, a request for a certificate, a certificate.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use authority::csr::{self, CsrError};
use authority::ledger::LedgerError;
use authority::{AuthorityError, Issued, IssuedRecord, Ledger};
use data_encoding::BASE64URL_NOPAD;
use examiner::{Certificate, GeneralName, Thumbprint, UnixTime};
use policy::Holder;
use policy::issuance::{AltName, IssueError, Profile, check, check_name};
use policy::record::Origin;
use registry::{
    AccountRow, Actor, AuthorisationState, NewCertificate, NewOrder, OrderRow, Registry, RegistryError,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::jose::{Key, Said};
use super::problem::{Kind, Problem};
use super::renewal::CertificateId;
use super::{Desk, Done, Media, challenges, is_of_server, names_of, not_suspended, nothing, servers};
use crate::config::profiles::Choice;
use crate::run::signing::redeem::chain;
use crate::run::signing::renew::{DAY_SECONDS, MOST_A_DAY, OVERLAP_SECONDS};

/// Characters of a common name (RFC 5280 appendix A.1).
pub(super) const COMMON_NAME_MOST: usize = 64;
/// Names of one order.
const NAMES_MOST: usize = 20;
/// When it is of use to ask again for who gets no more for now.
pub(super) const LATER: Duration = Duration::from_secs(3600);
pub(super) const SOON: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct New {
    identifiers: Vec<Identifier>,
    #[serde(default)]
    not_before: Option<String>,
    #[serde(default)]
    not_after: Option<String>,
    #[serde(default)]
    profile: Option<String>,
    #[serde(default)]
    replaces: Option<String>,
}

#[derive(Deserialize)]
struct Identifier {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

/// Makes an order.
pub(super) async fn make(desk: &Desk<'_>, account: &AccountRow, said: &Said) -> Result<Done, Problem> {
    not_suspended(account)?;
    let new: New = said.json()?;
    let choice = profile(desk, account, new.profile.as_deref())?;
    if new.not_before.is_some() || new.not_after.is_some() {
        return Err(Problem::malformed("`notBefore` and `notAfter` are the profile's: leave them out"));
    }
    let names = ordered(&new.identifiers, &names_of(account, &desk.settings.profiles), &choice)?;
    let replaces = match &new.replaces {
        Some(text) => Some(replaced(desk, account, text, &names).await?),
        None => None,
    };
    // A host inside proves each of its names; a party's are its own by the operator's word.
    let is_authorised = !is_of_server(account);
    let order = NewOrder { account: account.id.clone(), names, is_authorised, replaces };
    let made = desk.registry.add_order(order, desk.now).await.map_err(|error| match error {
        RegistryError::Conflict { what } => Problem::new(Kind::AlreadyReplaced, what),
        RegistryError::Invalid { what } => Problem::too_many(what, LATER),
        other => Problem::internal(other),
    })?;
    let location = Some(address(desk, &made));
    Ok(Done { location, ..Done::json(201, &view(desk, account, &made).await?) })
}

/// The profile of an account, which an order may name and not change.
fn profile(desk: &Desk<'_>, account: &AccountRow, wanted: Option<&str>) -> Result<Choice, Problem> {
    let wrong = |detail: String| Problem::new(Kind::InvalidProfile, detail);
    if wanted.is_some_and(|wanted| wanted != account.profile) {
        return Err(wrong(format!("this account is bound to the profile `{}`", account.profile)));
    }
    if is_of_server(account) && desk.settings.has_servers {
        return Ok(Choice::BuiltIn(Profile::Server));
    }
    Choice::named(&account.profile, &desk.settings.profiles)
        .ok_or_else(|| wrong(format!("there is no profile `{}` any more", account.profile.escape_debug())))
}

/// The names of an order, each once: DNS names that the account may have.
fn ordered(asked: &[Identifier], may_have: &[String], choice: &Choice) -> Result<Vec<String>, Problem> {
    if !(1..=NAMES_MOST).contains(&asked.len()) {
        return Err(Problem::malformed(format!("an order has 1 to {NAMES_MOST} identifiers")));
    }
    let (mut names, mut refused) = (Vec::new(), Vec::new());
    for one in asked {
        let shown: String = one.value.chars().take(255).collect::<String>().escape_debug().to_string();
        if one.kind != "dns" {
            let detail = "certificates by ACME have DNS names only here";
            refused.push((shown, Kind::UnsupportedIdentifier, detail.to_owned()));
            continue;
        }
        let name = one.value.to_ascii_lowercase();
        let is_name = check_name(choice.like(), &AltName::Dns(name.clone())).is_ok();
        if !is_name || !may_have.contains(&name) {
            let detail = "this account is not authorised for this name";
            refused.push((shown, Kind::RejectedIdentifier, detail.to_owned()));
        } else if !names.contains(&name) {
            names.push(name);
        }
    }
    let Some((name, kind, detail)) = refused.first() else { return Ok(names) };
    let problem = Problem::new(*kind, format!("`{name}`: {detail}"));
    Err(if asked.len() > 1 { Problem { names: refused, ..problem } } else { problem })
}

/// The certificate that an order replaces (RFC 9773 section 5): of the account's party, and sharing a name with the order.
async fn replaced(
    desk: &Desk<'_>,
    account: &AccountRow,
    text: &str,
    names: &[String],
) -> Result<Thumbprint, Problem> {
    let none = || Problem::malformed("`replaces` is no certificate that this account's order could replace");
    let id = CertificateId::parse(text).ok_or_else(none)?;
    let found = id.find(desk).await?.ok_or_else(none)?;
    let shares = dns_names(&found.certificate).any(|name| names.contains(&name));
    let is_own = found.party == account.party && found.is_of_server == is_of_server(account);
    (is_own && shares).then_some(found.certificate.thumbprint).ok_or_else(none)
}

/// The DNS names of a certificate, in lower case.
pub(super) fn dns_names(certificate: &Certificate) -> impl Iterator<Item = String> + '_ {
    certificate.subject_alt_names.iter().filter_map(|name| match name {
        GeneralName::Dns(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    })
}

/// An order.
pub(super) async fn order(
    desk: &Desk<'_>,
    account: &AccountRow,
    id: &str,
    said: &Said,
) -> Result<Done, Problem> {
    nothing(said)?;
    let order = own(desk, account, id).await?;
    let location = Some(address(desk, &order));
    Ok(Done { location, ..Done::json(200, &view(desk, account, &order).await?) })
}

/// The order of this name, where it is the account's.
async fn own(desk: &Desk<'_>, account: &AccountRow, id: &str) -> Result<OrderRow, Problem> {
    let none = || Problem::new(Kind::NotFound, "this account has no such order");
    let order = desk.registry.order(id).await.map_err(Problem::internal)?;
    order.filter(|order| order.account == account.id).ok_or_else(none)
}

#[derive(Deserialize)]
struct Finalization {
    csr: String,
}

/// Issues the certificate of an order.
pub(super) async fn finalize(
    desk: &mut Desk<'_>,
    account: &AccountRow,
    id: &str,
    said: &Said,
) -> Result<Done, Problem> {
    not_suspended(account)?;
    let order = own(desk, account, id).await?;
    let state = status(&order, desk.now);
    if state != "ready" {
        return Err(Problem::new(Kind::OrderNotReady, format!("this order is {state}, and not ready")));
    }
    let asked: Finalization = said.json()?;
    let request = BASE64URL_NOPAD.decode(asked.csr.as_bytes()).ok().filter(|der| der.first() == Some(&0x30));
    let request =
        request.ok_or_else(|| Problem::new(Kind::BadCsr, "`csr` is no DER in base64url without padding"))?;
    let key = csr::read(&request).map_err(|error| {
        let kind = if matches!(error, CsrError::WeakKey(_)) { Kind::BadPublicKey } else { Kind::BadCsr };
        Problem::new(kind, error.to_string())
    })?;
    if csr::names(&request).map_err(bad_csr)? != order.names.iter().cloned().collect::<BTreeSet<_>>() {
        return Err(bad_csr("the request does not ask for the names of the order, and for these alone"));
    }
    if Key::parse(&account.jwk).is_some_and(|account| account.spki() == key.spki()) {
        return Err(bad_csr("the request's key is the account's: make another"));
    }
    // Nobody enters with a server certificate: the gate need not know it.
    let issued = if is_of_server(account) {
        servers::issue(desk, account, &order, key.into_spki()).await?;
        None
    } else {
        Some(issue(desk, account, &order, key.into_spki()).await?.thumbprint)
    };
    let order = own(desk, account, id).await?;
    let location = Some(address(desk, &order));
    let view = view(desk, account, &order).await?;
    Ok(Done { location, issued, ..Done::json(200, &view) })
}

pub(super) fn bad_csr(why: impl ToString) -> Problem {
    Problem::new(Kind::BadCsr, why.to_string())
}

async fn issue(
    desk: &mut Desk<'_>,
    account: &AccountRow,
    order: &OrderRow,
    spki: Vec<u8>,
) -> Result<Issued, Problem> {
    let choice = profile(desk, account, None)?;
    let party = desk.registry.party(&account.party).await.map_err(Problem::internal)?;
    let party = party.ok_or_else(|| Problem::internal("an account's party is not on record"))?;
    let held = desk.registry.certificates(&account.party).await.map_err(Problem::internal)?;
    let recent = held.iter().filter(|one| one.not_before > desk.now.plus(-DAY_SECONDS)).count();
    if recent >= MOST_A_DAY {
        let detail = format!("`{}` has got {recent} certificates within a day", account.party);
        return Err(Problem::too_many(detail, LATER));
    }
    let window = desk.signer.window();
    let mut plan = choice.plan(account.party.as_str(), &party.id, spki, window, desk.now);
    if plan.own.is_none() {
        plan.alt_names = order.names.iter().cloned().map(AltName::Dns).collect();
    }
    // Clients read the names to renew, and where to put what they get, from here.
    if let Some(first) = order.names.first().filter(|name| name.len() <= COMMON_NAME_MOST) {
        plan.common_name.clone_from(first);
    }
    desk.settings.addresses.put_into(&mut plan, desk.signer).map_err(Problem::internal)?;
    let plan = check(plan, window, desk.now).map_err(|error| {
        let kind = match &error {
            IssueError::NotForParty { .. } => Kind::Unauthorized,
            IssueError::BadName { .. } => Kind::RejectedIdentifier,
            _ => Kind::BadCsr,
        };
        Problem::new(kind, error.to_string())
    })?;
    desk.paces.issue(&account.party, Instant::now()).map_err(|(_, what)| Problem::too_many(what, SOON))?;
    let record = Record { registry: desk.registry, account, order, now: desk.now };
    desk.signer.issue_on_record(&record, &plan).await.map_err(not_issued)
}

/// Why the authority signed nothing.
pub(super) fn not_issued(error: AuthorityError) -> Problem {
    match error {
        AuthorityError::NotOnRecord(LedgerError(cause)) => match cause.downcast_ref::<RegistryError>() {
            // Whose key it is, is not for whoever brings it.
            Some(RegistryError::KeyKnown { .. }) => {
                bad_csr("the request's key has been in use here: make a new key")
            }
            Some(RegistryError::OrderNotOpen) => {
                Problem::new(Kind::OrderNotReady, "the order, its account or its party has ended")
            }
            _ => Problem::internal(&cause),
        },
        AuthorityError::KeyOfCa(_) => bad_csr(error),
        _ => Problem::internal(error),
    }
}

/// The certificate of an order, then the CAs to send along.
pub(super) async fn certificate(
    desk: &Desk<'_>,
    account: &AccountRow,
    id: &str,
    said: &Said,
) -> Result<Done, Problem> {
    nothing(said)?;
    let order = own(desk, account, id).await?;
    let none = || Problem::new(Kind::NotFound, "this order has no certificate");
    let der = order.certificate.ok_or_else(none)?;
    let body = if is_of_server(account) {
        servers::chain(&der, desk.hierarchy)
    } else {
        chain(&der, desk.hierarchy)
    };
    Ok(Done { media: Media::Chain, body, ..Done::empty(200) })
}

#[derive(Deserialize)]
struct Change {
    status: String,
}

/// An authorisation, after its account gave it up where it says so (RFC 8555 section 7.5.2).
pub(super) async fn authorisation(
    desk: &Desk<'_>,
    account: &AccountRow,
    id: &str,
    said: &Said,
) -> Result<Done, Problem> {
    let none = || Problem::new(Kind::NotFound, "this account has no such authorization");
    let found = desk.registry.authorisation(id).await.map_err(Problem::internal)?;
    let (mut one, order) = found.filter(|(_, order)| order.account == account.id).ok_or_else(none)?;
    if !said.is_empty() {
        if said.json::<Change>()?.status != "deactivated" {
            return Err(Problem::malformed(
                "the one status that an authorization can be given is `deactivated`",
            ));
        }
        desk.registry.give_up_authorisation(id, desk.now).await.map_err(Problem::internal)?;
        one.state = AuthorisationState::Deactivated;
    }
    Ok(challenges::authorisation(desk, &one, &order))
}

/// How far an order is (RFC 8555 section 7.1.6).
fn status(order: &OrderRow, now: UnixTime) -> &'static str {
    use AuthorisationState::{Deactivated, Invalid, Valid};
    let states = || order.authorisations.iter().map(|one| one.state);
    if order.certificate.is_some() {
        "valid"
    } else if now > order.expires_at || states().any(|one| matches!(one, Invalid | Deactivated)) {
        "invalid"
    } else if states().all(|one| one == Valid) {
        "ready"
    } else {
        "pending"
    }
}

async fn view(desk: &Desk<'_>, account: &AccountRow, order: &OrderRow) -> Result<Value, Problem> {
    let status = status(order, desk.now);
    let authorisations: Vec<String> = order
        .authorisations
        .iter()
        .map(|one| desk.settings.url(&format!("authorization/{}", one.id)))
        .collect();
    let names: Vec<Value> = order.names.iter().map(|name| json!({ "type": "dns", "value": name })).collect();
    let mut value = json!({
        "status": status,
        "expires": order.expires_at,
        "identifiers": names,
        "authorizations": authorisations,
        "finalize": format!("{}/finalize", address(desk, order)),
        "profile": account.profile,
    });
    if status == "valid" {
        value["certificate"] = json!(desk.settings.url(&format!("certificate/{}", order.id)));
    }
    if let Some(replaced) = &order.replaces {
        let der = match desk.registry.find_certificate(replaced).await.map_err(Problem::internal)? {
            Some((_, row)) => Some(row.der),
            None => {
                let found = desk.registry.server_certificate(replaced).await.map_err(Problem::internal)?;
                found.map(|row| row.der)
            }
        };
        let id = der.and_then(|der| CertificateId::of(&Certificate::from_der(&der).ok()?));
        value["replaces"] = json!(id.map(|id| id.to_string()));
    }
    Ok(value)
}

fn address(desk: &Desk<'_>, order: &OrderRow) -> String {
    desk.settings.url(&format!("order/{}", order.id))
}

/// The registry as the place where the certificate is written before it leaves, together with the end of its order.
struct Record<'a> {
    registry: &'a Registry,
    account: &'a AccountRow,
    order: &'a OrderRow,
    now: UnixTime,
}

impl Ledger for Record<'_> {
    async fn commit(&self, record: &IssuedRecord) -> Result<(), LedgerError> {
        let new = NewCertificate {
            holder: Holder::Party(self.account.party.clone()),
            label: None,
            der: record.der.clone(),
            origin: Origin::Own,
            profile: record.profile_name.clone(),
            exceptions: Default::default(),
        };
        let actor = Actor { name: "authority".into() };
        let old_until = self.now.plus(OVERLAP_SECONDS);
        let done = self.registry.fulfil_order(&self.order.id, new, old_until, &actor, self.now).await;
        done.map(|_| ()).map_err(|error| LedgerError(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(names: &[(&str, &str)]) -> Result<Vec<String>, Problem> {
        let all: Vec<Identifier> = names
            .iter()
            .map(|(kind, value)| Identifier { kind: (*kind).into(), value: (*value).into() })
            .collect();
        let may_have = ["svc".to_owned(), "svc.machines.test".to_owned(), "10.0.0.1".to_owned()];
        ordered(&all, &may_have, &Choice::BuiltIn(Profile::Service))
    }

    #[test]
    fn an_account_orders_the_names_it_may_have_and_no_others() {
        assert_eq!(asked(&[("dns", "svc.machines.test")]).unwrap(), ["svc.machines.test"]);
        assert_eq!(asked(&[("dns", "SVC"), ("dns", "svc")]).unwrap(), ["svc"], "each once");
        for (kind, value, expected) in [
            ("dns", "bob", Kind::RejectedIdentifier),
            ("dns", "*.machines.test", Kind::RejectedIdentifier),
            ("dns", "a.svc.machines.test", Kind::RejectedIdentifier),
            ("dns", "svc.machines.test.", Kind::RejectedIdentifier),
            ("dns", "svc\0", Kind::RejectedIdentifier),
            ("dns", "10.0.0.1", Kind::RejectedIdentifier),
            ("dns", "", Kind::RejectedIdentifier),
            ("ip", "10.0.0.1", Kind::UnsupportedIdentifier),
            ("", "svc", Kind::UnsupportedIdentifier),
        ] {
            let problem = asked(&[(kind, value)]).unwrap_err();
            assert_eq!((problem.kind, problem.names.len()), (expected, 0), "{kind} {value:?}");
        }
        let some = asked(&[("dns", "svc"), ("dns", "bob"), ("ip", "::1")]).unwrap_err();
        let named: Vec<&str> = some.names.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!((some.kind, named), (Kind::RejectedIdentifier, vec!["bob", "::1"]));
        assert_eq!(asked(&[]).unwrap_err().kind, Kind::Malformed);
        assert_eq!(asked(&[("dns", "svc"); NAMES_MOST]).unwrap(), ["svc"]);
        assert_eq!(asked(&[("dns", "svc"); NAMES_MOST + 1]).unwrap_err().kind, Kind::Malformed);
    }
}
