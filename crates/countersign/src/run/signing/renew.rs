//! The successor of a certificate, for whoever holds its key: the gate saw the key proved in its handshake, and here it is
//! proved once more, over the request itself.

use authority::csr::{self, RequestKey};
use authority::{Issued, Signer, renewal};
use examiner::{Certificate, GeneralName, Thumbprint, UnixTime};
use policy::Holder;
use policy::issuance::AltName;
use policy::record::Origin;
use registry::{Actor, CertificateRow, Registry};

use super::issue::{self, Refused, Sound};
use super::pace::Certificates;
use super::protocol::{Reenrolment, Refusal, Renewal};
use crate::config::addresses::Addresses;
use crate::config::profiles::{Choice, Profiles};

/// A request is good for so long, and may come from a clock that runs ahead by so much, in seconds.
const GOOD_SECONDS: i64 = 300;
/// How long the old certificate holds beside the new one, in seconds: 7 days.
pub(super) const OVERLAP_SECONDS: i64 = 7 * 86_400;
pub(super) const DAY_SECONDS: i64 = 86_400;
/// Certificates that a party gets in a day; a machine that never notes what it got asks again and again.
pub(super) const MOST_A_DAY: usize = 50;

/// What can be said of a renewal without the record: its age, the new key.
#[derive(Debug)]
pub struct Asked {
    present: Thumbprint,
    request: Vec<u8>,
    key: RequestKey,
    proof: Proof,
}

/// What shows that the present certificate's key is behind a request.
#[derive(Debug)]
enum Proof {
    /// Its signature over the request, this certificate and this moment.
    Signed { made_at: UnixTime, signature: Vec<u8> },
    /// The request is for this very key, which signed it.
    OwnRequest,
}

/// A successor, and until when the one before it holds.
pub struct Renewed {
    pub issued: Issued,
    pub old_until: UnixTime,
}

/// Looks at the request by itself.
pub fn sound(renewal: &Renewal, now: UnixTime) -> Result<Asked, Refused> {
    let age = now.seconds().saturating_sub(renewal.made_at.seconds());
    if !(-GOOD_SECONDS..=GOOD_SECONDS).contains(&age) {
        let what = format!(
            "it was asked for at {} by the machine's clock, and it is {now} here: set the machine's clock",
            renewal.made_at
        );
        return Err((Refusal::Expired, what));
    }
    let rules = |what: String| (Refusal::Rules, what);
    let request = csr::to_der(renewal.request.as_bytes()).map_err(|error| rules(error.to_string()))?;
    let key = issue::proved(&request)?;
    let proof = from_hex(&renewal.proof).ok_or_else(|| (Refusal::Proof, "the proof is not in hex".into()))?;
    let proof = Proof::Signed { made_at: renewal.made_at, signature: proof };
    Ok(Asked { present: renewal.thumbprint, request, key, proof })
}

/// A renewal that brings nothing but a request: good for the present key alone.
pub fn by_own_request(reenrolment: &Reenrolment) -> Result<Asked, Refused> {
    let rules = |what: String| (Refusal::Rules, what);
    let request = csr::to_der(reenrolment.request.as_bytes()).map_err(|error| rules(error.to_string()))?;
    let key = csr::read(&request).map_err(|error| rules(error.to_string()))?;
    Ok(Asked { present: reenrolment.thumbprint, request, key, proof: Proof::OwnRequest })
}

/// Holds it against the record, and issues the successor.
pub async fn renew(
    asked: &Asked,
    (profiles, addresses): (&Profiles, &Addresses),
    (registry, signer): (&Registry, &Signer),
    paces: &mut Certificates,
    now: UnixTime,
) -> Result<Renewed, Refused> {
    let failed = |error: registry::RegistryError| (Refusal::Failed, error.to_string());
    let stranger = || (Refusal::UnknownParty, "no party has this certificate on record".to_owned());
    let (holder, row) =
        registry.find_certificate(&asked.present).await.map_err(failed)?.ok_or_else(stranger)?;
    let Holder::Party(party) = holder else { return Err(stranger()) };
    let profile = renewable(&row, profiles, now)?;
    let present = Certificate::from_der(&row.der).map_err(|error| (Refusal::Failed, error.to_string()))?;
    match &asked.proof {
        Proof::Signed { made_at, signature } => {
            if !renewal::is_proved(&present.spki, &asked.present, &asked.request, *made_at, signature) {
                return Err((Refusal::Proof, "the request is not proved by the certificate's key".into()));
            }
        }
        // Its signature is verified already: nobody else made this request.
        Proof::OwnRequest if asked.key.spki() == &*present.spki => {}
        Proof::OwnRequest => {
            let what = "the request is for another key than the certificate's: ask for the same key here, or for a new \
                        one with `countersign renew` or an invite";
            return Err((Refusal::Proof, what.into()));
        }
    }
    let held = registry.certificates(&party).await.map_err(failed)?;
    let recent = held.iter().filter(|one| one.not_before > now.plus(-DAY_SECONDS)).count();
    if recent >= MOST_A_DAY {
        let what = format!("`{party}` has got {recent} certificates within a day");
        return Err((Refusal::TooFast, what));
    }
    let sound = Sound {
        party,
        label: None,
        profile,
        key: asked.key.clone(),
        names: names(&present),
        not_after: None,
    };
    let issued = issue::issue(sound, (registry, signer), addresses, paces, now).await?;
    if matches!(asked.proof, Proof::OwnRequest) {
        // A request of long ago can be brought again by whoever saw it: it takes nothing away.
        return Ok(Renewed { issued, old_until: row.not_after });
    }
    let old_until = now.plus(OVERLAP_SECONDS);
    let actor = Actor { name: "authority".into() };
    registry.supersede(&[asked.present], old_until, &actor, now).await.map_err(failed)?;
    let old_until = row.superseded_after.map_or(old_until, |before| before.min(old_until));
    Ok(Renewed { issued, old_until: old_until.min(row.not_after) })
}

/// The profile that the successor is issued under; an error where there is to be none.
fn renewable(row: &CertificateRow, profiles: &Profiles, now: UnixTime) -> Result<Choice, Refused> {
    let ended = |what: String| Err((Refusal::Ended, what));
    if row.origin != Origin::Own {
        return Err((Refusal::Profile, "only certificates that were issued here are renewed".into()));
    }
    let profile = Choice::named(&row.profile, profiles).ok_or_else(|| {
        (
            Refusal::Profile,
            format!("there is no profile `{}` that is renewed here", row.profile.escape_debug()),
        )
    })?;
    if let Some(revoked) = &row.revoked {
        return ended(format!("it was revoked at {}", revoked.at));
    }
    if let Some(since) = row.superseded_after.filter(|since| *since < now) {
        return ended(format!("it was superseded at {since}; use its successor"));
    }
    let last = row.not_after.plus(i64::from(profile.grace_days()) * DAY_SECONDS);
    if now > last {
        return ended(format!("it ended at {}, and could be renewed until {last}", row.not_after));
    }
    Ok(profile)
}

/// Octets of hex digits.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// The names beside the party's own.
fn names(certificate: &Certificate) -> Vec<AltName> {
    let all = certificate.subject_alt_names.iter().filter_map(|name| match name {
        GeneralName::Dns(text) => Some(AltName::Dns(text.clone())),
        GeneralName::Email(text) => Some(AltName::Email(text.clone())),
        GeneralName::Uri(text) if !text.starts_with("urn:uuid:") => Some(AltName::Uri(text.clone())),
        _ => None,
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn row(change: impl FnOnce(&mut CertificateRow)) -> CertificateRow {
        let mut row = CertificateRow {
            thumbprint: Thumbprint::of(b""),
            label: "cert-1".into(),
            serial: "01".into(),
            subject: "CN=svc".into(),
            issuer: "CN=ca".into(),
            not_before: NOW.plus(-80 * DAY_SECONDS),
            not_after: NOW.plus(10 * DAY_SECONDS),
            origin: Origin::Own,
            profile: "service".into(),
            superseded_after: None,
            revoked: None,
            der: Vec::new(),
            key_pin: examiner::KeyPin::of(b""),
        };
        change(&mut row);
        row
    }

    fn refusal(change: impl FnOnce(&mut CertificateRow)) -> Option<Refusal> {
        renewable(&row(change), &Profiles::new(), NOW).err().map(|(code, _)| code)
    }

    #[test]
    fn a_certificate_is_renewed_until_its_grace_has_passed() {
        for (profile, days) in [("person", 30), ("device", 30), ("service", 30)] {
            let ended = |seconds: i64| {
                refusal(|row| {
                    row.profile = profile.into();
                    row.not_after = NOW.plus(-days * DAY_SECONDS - seconds);
                })
            };
            assert_eq!((ended(0), ended(1)), (None, Some(Refusal::Ended)), "{profile}");
        }
    }

    #[test]
    fn what_is_superseded_revoked_pinned_or_an_operators_is_not_renewed() {
        assert_eq!(refusal(|row| row.superseded_after = Some(NOW)), None);
        assert_eq!(refusal(|row| row.superseded_after = Some(NOW.plus(-1))), Some(Refusal::Ended));
        let revoked = policy::record::Revoked { at: NOW, reason: "certificate-hold".into() };
        assert_eq!(refusal(|row| row.revoked = Some(revoked)), Some(Refusal::Ended));
        assert_eq!(refusal(|row| row.origin = Origin::Pinned), Some(Refusal::Profile));
        for profile in ["operator", "server", "pinned", ""] {
            assert_eq!(refusal(|row| row.profile = profile.into()), Some(Refusal::Profile), "{profile}");
        }
    }
}
