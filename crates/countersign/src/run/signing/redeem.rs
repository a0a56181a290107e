//! The certificate of an invite, for who holds its token. Nothing that the gate says is believed: the token is looked up,
//! the request's own signature verified, and all but its public key comes from the invite.

use std::time::Instant;

use authority::csr::{self, RequestKey};
use authority::ledger::LedgerError;
use authority::{AuthorityError, Hierarchy, IssuedRecord, Ledger, Role, Signer};
use examiner::UnixTime;
use examiner::cert::pem;
use policy::issuance::check;
use policy::record::Origin;
use policy::{Holder, PartyName};
use registry::{
    Actor, CertificateRow, InviteRow, NewCertificate, Presented, Registry, RegistryError, Standing, Used,
};

use super::issue::Refused;
use super::pace::Certificates;
use super::protocol::{Answer, Redemption, Refusal};
use super::renew::from_hex;
use crate::config::addresses::Addresses;
use crate::config::profiles::{Choice, Profiles};

/// What can be said of a redemption without the record: the key that is to be certified.
pub struct Asked<'a> {
    redemption: &'a Redemption,
    request_key: RequestKey,
    key: Option<[u8; 32]>,
}

/// What the token leads to.
pub enum Found {
    /// An invite to redeem.
    Open(InviteRow),
    /// This very request was made before; whose certificate was issued.
    Again(PartyName, Box<CertificateRow>),
}

/// Looks at the request by itself, before the token: what is said of it is said to everybody.
pub fn sound(redemption: &Redemption) -> Result<Asked<'_>, Refused> {
    let request_key =
        csr::read(redemption.request.as_bytes()).map_err(|error| (Refusal::Rules, error.to_string()))?;
    let key = match redemption.key.as_deref().map(from_hex) {
        None => None,
        Some(octets) => {
            let key: Option<[u8; 32]> = octets.and_then(|octets| octets.try_into().ok());
            let no_digest = || (Refusal::Unreadable, "the request's key is no SHA-256 in hex".to_owned());
            Some(key.ok_or_else(no_digest)?)
        }
    };
    Ok(Asked { redemption, request_key, key })
}

/// Looks the token up.
pub async fn standing(asked: &Asked<'_>, registry: &Registry, now: UnixTime) -> Result<Found, Refused> {
    let Redemption { token, code, party, .. } = asked.redemption;
    let presented =
        Presented { token: &token.0, code: code.as_ref().map(|code| code.0.as_str()), key: asked.key };
    let is_meant = |name: &PartyName| party.as_deref().is_none_or(|meant| meant == name.as_str());
    match registry.present_invite(&presented, now).await.map_err(refused)? {
        Standing::Open(invite) if is_meant(&invite.party) => Ok(Found::Open(invite)),
        Standing::Used(Used { party, thumbprint }) if is_meant(&party) => {
            let found = registry.find_certificate(&thumbprint).await.map_err(refused)?;
            match found {
                Some((_, row)) if row.key_pin == examiner::KeyPin::of(asked.request_key.spki()) => {
                    Ok(Found::Again(party, Box::new(row)))
                }
                Some(_) => {
                    let what = "a request with this Idempotency-Key was made before, for another key";
                    Err((Refusal::OtherRequest, what.into()))
                }
                None => Err(not_open()),
            }
        }
        Standing::Open(_) | Standing::Used(_) => Err(not_open()),
        Standing::CodeWanted => {
            Err((Refusal::CodeWanted, "this invite asks for the code that its maker was shown".into()))
        }
        Standing::CodeWrong(left) => {
            let what = match left {
                0 => "the code is wrong, and was the last that could be given: ask for another invite".into(),
                left => format!("the code is wrong; it can be given {left} more times"),
            };
            Err((Refusal::CodeWrong, what))
        }
    }
}

/// What was answered before.
pub fn again(party: &PartyName, row: &CertificateRow, hierarchy: &Hierarchy) -> Answer {
    Answer::Redeemed {
        party: party.to_string(),
        thumbprint: row.thumbprint,
        not_after: row.not_after,
        pem: chain(&row.der, hierarchy),
    }
}

/// A certificate of a party, DER, then the CAs to send along; PEM.
pub(super) fn chain(der: &[u8], hierarchy: &Hierarchy) -> String {
    let issuers = hierarchy.client_issuers().iter().filter(|one| !one.is_self_issued());
    let mut text = pem::encode("CERTIFICATE", der) + &hierarchy.certificate_pem(Role::Client);
    text.extend(issuers.map(|one| pem::encode("CERTIFICATE", &one.der)));
    text
}

/// Issues the certificate, and closes the invite: both, or neither.
pub async fn redeem(
    asked: &Asked<'_>,
    invite: &InviteRow,
    (profiles, addresses): (&Profiles, &Addresses),
    (registry, signer): (&Registry, &Signer),
    paces: &mut Certificates,
    now: UnixTime,
) -> Result<Answer, Refused> {
    let profile = Choice::named(&invite.profile, profiles).ok_or_else(|| {
        let what = format!("there is no profile `{}` any more", invite.profile.escape_debug());
        (Refusal::Profile, what)
    })?;
    let party = registry.party(&invite.party).await.map_err(refused)?.ok_or_else(not_open)?;
    let window = signer.window();
    let mut plan =
        profile.plan(invite.party.as_str(), &party.id, asked.request_key.spki().to_vec(), window, now);
    addresses.put_into(&mut plan, signer).map_err(|error| (Refusal::Failed, error.to_string()))?;
    let plan = check(plan, window, now).map_err(|error| (Refusal::Rules, error.to_string()))?;
    paces.issue(&invite.party, Instant::now())?;
    let record = Record { registry, asked, invite, now };
    let issued = signer.issue_on_record(&record, &plan).await.map_err(|error| match error {
        AuthorityError::NotOnRecord(LedgerError(cause)) => match cause.downcast::<RegistryError>() {
            Ok(error) => refused(*error),
            Err(cause) => (Refusal::Failed, cause.to_string()),
        },
        AuthorityError::KeyOfCa(_) => (Refusal::Rules, error.to_string()),
        _ => (Refusal::Failed, error.to_string()),
    })?;
    Ok(Answer::Redeemed {
        party: invite.party.to_string(),
        thumbprint: issued.thumbprint,
        not_after: issued.not_after,
        pem: issued.to_pem(),
    })
}

fn not_open() -> Refused {
    refused(RegistryError::InviteNotOpen)
}

/// One refusal for all that opens nothing; others tell what to change.
fn refused(error: RegistryError) -> Refused {
    let code = match &error {
        RegistryError::InviteNotOpen => Refusal::Token,
        RegistryError::KeyKnown { .. } | RegistryError::Conflict { .. } => Refusal::Rules,
        _ => Refusal::Failed,
    };
    // Whose key it is, is not for whoever brings it.
    let what = match &error {
        RegistryError::KeyKnown { .. } => "the request's key has been in use here: make a new key".into(),
        RegistryError::Conflict { .. } => {
            "a certificate with the invite's label is there already: ask for another invite".into()
        }
        _ => error.to_string(),
    };
    (code, what)
}

/// The registry as the place where the certificate is written before it leaves, together with the end of its invite.
struct Record<'a> {
    registry: &'a Registry,
    asked: &'a Asked<'a>,
    invite: &'a InviteRow,
    now: UnixTime,
}

impl Ledger for Record<'_> {
    async fn commit(&self, record: &IssuedRecord) -> Result<(), LedgerError> {
        let new = NewCertificate {
            holder: Holder::Party(self.invite.party.clone()),
            label: self.invite.label.clone(),
            der: record.der.clone(),
            origin: Origin::Own,
            profile: record.profile_name.clone(),
            exceptions: Default::default(),
        };
        let actor = Actor { name: "authority".into() };
        let done = self.registry.redeem_invite(&self.invite.id, self.asked.key, new, &actor, self.now).await;
        done.map(|_| ()).map_err(|error| LedgerError(Box::new(error)))
    }
}
