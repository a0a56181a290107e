//! Revocation (RFC 8555 section 7.6): by the account that a certificate was issued to, by another of its party that may
//! have all its names, or by who has its key.

use data_encoding::BASE64URL_NOPAD;
use examiner::{Certificate, Thumbprint};
use policy::issuance::Reason;
use policy::record::Origin;
use policy::{Holder, PartyName};
use registry::{AccountRow, Actor};
use serde::Deserialize;

use super::jose::Said;
use super::orders::dns_names;
use super::problem::{Kind, Problem};
use super::{Caller, Desk, Done, is_of_server, names_of};

/// The reasons that are taken from clients: others are for who runs the authority.
const REASONS: [Reason; 6] = [
    Reason::Unspecified,
    Reason::KeyCompromise,
    Reason::AffiliationChanged,
    Reason::Superseded,
    Reason::CessationOfOperation,
    Reason::PrivilegeWithdrawn,
];

#[derive(Deserialize)]
struct Revocation {
    certificate: String,
    #[serde(default)]
    reason: Option<u8>,
}

/// Revokes a certificate.
pub(super) async fn revoke(desk: &Desk<'_>, caller: &Caller, said: &Said) -> Result<Done, Problem> {
    let asked: Revocation = said.json()?;
    let reason = reason(asked.reason)?;
    let der = BASE64URL_NOPAD.decode(asked.certificate.as_bytes());
    let der = der.map_err(|_| Problem::malformed("`certificate` is no base64url without padding"))?;
    // One answer for what is not on record, an operator's, or another's.
    let not_theirs = || {
        let detail = "no certificate of this signer's is revoked by that: sign with its account or its key";
        Problem::new(Kind::Unauthorized, detail)
    };
    let found = desk.registry.find_certificate(&Thumbprint::of(&der)).await.map_err(Problem::internal)?;
    let Some((Holder::Party(party), row)) = found else {
        return of_server(desk, caller, &der, reason).await?.ok_or_else(not_theirs);
    };
    let certificate = Certificate::from_der(&row.der).map_err(Problem::internal)?;
    let is_theirs = match caller {
        Caller::Key(key) => key.spki() == *certificate.spki,
        Caller::Account(account) => is_of(desk, account, &party, &certificate).await?,
    };
    if !is_theirs || row.origin != Origin::Own {
        return Err(not_theirs());
    }
    if row.revoked.as_ref().is_some_and(|revoked| revoked.reason != Reason::CertificateHold.word()) {
        return Err(Problem::new(Kind::AlreadyRevoked, "this certificate is revoked already"));
    }
    let actor = Actor { name: "authority".into() };
    let done = desk.registry.revoke(&party, Some(&row.thumbprint), reason.word(), &actor, desk.now).await;
    done.map_err(Problem::internal)?;
    Ok(Done::empty(200))
}

/// Writes down that a server certificate was given back; none where it is not this signer's. No revocation list names it.
async fn of_server(
    desk: &Desk<'_>,
    caller: &Caller,
    der: &[u8],
    reason: Reason,
) -> Result<Option<Done>, Problem> {
    let thumbprint = Thumbprint::of(der);
    let row = desk.registry.server_certificate(&thumbprint).await.map_err(Problem::internal)?;
    let Some(row) = row else { return Ok(None) };
    let certificate = Certificate::from_der(&row.der).map_err(Problem::internal)?;
    let is_theirs = match caller {
        Caller::Key(key) => key.spki() == *certificate.spki,
        Caller::Account(account) => {
            let may_have = names_of(account, &desk.settings.profiles);
            let all = || dns_names(&certificate).all(|name| may_have.contains(&name));
            account.id == row.account || account.party == row.party && is_of_server(account) && all()
        }
    };
    if !is_theirs {
        return Ok(None);
    }
    let actor = Actor { name: "authority".into() };
    let done = desk.registry.revoke_server_certificate(&thumbprint, reason, &actor, desk.now).await;
    if done.map_err(Problem::internal)? {
        return Ok(Some(Done::empty(200)));
    }
    Err(Problem::new(Kind::AlreadyRevoked, "this certificate was given back already"))
}

async fn is_of(
    desk: &Desk<'_>,
    account: &AccountRow,
    party: &PartyName,
    certificate: &Certificate,
) -> Result<bool, Problem> {
    if account.party != *party {
        return Ok(false);
    }
    let issued = desk.registry.is_of_account(&account.id, &certificate.thumbprint).await;
    if issued.map_err(Problem::internal)? {
        return Ok(true);
    }
    let may_have = names_of(account, &desk.settings.profiles);
    let names: Vec<String> = dns_names(certificate).collect();
    Ok(!names.is_empty() && names.iter().all(|name| may_have.contains(name)))
}

fn reason(code: Option<u8>) -> Result<Reason, Problem> {
    let wanted = code.unwrap_or(Reason::Unspecified.code());
    REASONS.into_iter().find(|one| one.code() == wanted).ok_or_else(|| {
        let known = REASONS.map(|one| format!("{} ({one})", one.code())).join(", ");
        Problem::new(Kind::BadRevocationReason, format!("the reasons that are taken are {known}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_the_authority_are_not_taken_from_clients() {
        assert_eq!(reason(None), Ok(Reason::Unspecified));
        for code in [0, 1, 3, 4, 5, 9] {
            assert_eq!(reason(Some(code)).unwrap().code(), code);
        }
        for code in [2, 6, 7, 8, 10, 255] {
            assert_eq!(reason(Some(code)).unwrap_err().kind, Kind::BadRevocationReason, "{code}");
        }
    }
}
