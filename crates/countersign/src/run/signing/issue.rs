//! A certificate that somebody else proposes: held against the rules and the record before it is signed.

use std::time::Instant;

use authority::csr::{self, CsrError, RequestKey};
use authority::ledger::LedgerError;
use authority::{AuthorityError, Issued, IssuedRecord, Ledger, Signer};
use examiner::{Certificate, UnixTime};
use policy::issuance::{AltName, check};
use policy::record::Origin;
use policy::{Holder, PartyName};
use registry::{Actor, NewCertificate, PartyRow, Registry, RegistryError};

use super::pace::Certificates;
use super::protocol::{Proposal, Refusal};
use crate::cli::issue::alt_name;
use crate::config::addresses::Addresses;
use crate::config::profiles::{Choice, Profiles};

/// A proposal is good for so long, in seconds.
const GOOD_SECONDS: i64 = 60;
/// And may come from a clock that runs ahead by so much, in seconds.
const AHEAD_SECONDS: i64 = 5;

/// Why it is not issued: the rule, and in words.
pub type Refused = (Refusal, String);

/// What can be said of a proposal without the record: its profile, its age, its key, its names.
pub struct Sound {
    pub(super) party: PartyName,
    pub(super) label: Option<String>,
    pub(super) profile: Choice,
    pub(super) key: RequestKey,
    pub(super) names: Vec<AltName>,
    pub(super) not_after: Option<UnixTime>,
}

/// Looks at the proposal by itself.
pub fn sound(proposal: Proposal, profiles: &Profiles, now: UnixTime) -> Result<Sound, Refused> {
    let profile = Choice::named(&proposal.profile, profiles).ok_or_else(|| {
        let what = format!("`{}` certificates are not issued here", proposal.profile.escape_debug());
        (Refusal::Profile, what)
    })?;
    fresh(proposal.made_at, now)?;
    let rules = |what: String| (Refusal::Rules, what);
    let party =
        PartyName::parse(&proposal.party).map_err(|error| (Refusal::UnknownParty, error.to_string()))?;
    let key = proved(proposal.request.as_bytes())?;
    let names = proposal.names.iter().map(|name| alt_name(name)).collect::<Result<_, _>>().map_err(rules)?;
    Ok(Sound { party, label: proposal.label, profile, key, names, not_after: proposal.not_after })
}

/// The key of a certificate request that was signed with it.
pub(super) fn proved(request: &[u8]) -> Result<RequestKey, Refused> {
    csr::read(request).map_err(|error| {
        let code = match &error {
            CsrError::NoProofOfPossession | CsrError::SignatureAlgorithm(_) => Refusal::Proof,
            _ => Refusal::Rules,
        };
        (code, error.to_string())
    })
}

/// Whether what was asked at this moment is still good.
pub(super) fn fresh(made_at: UnixTime, now: UnixTime) -> Result<(), Refused> {
    let age = now.seconds().saturating_sub(made_at.seconds());
    if (-AHEAD_SECONDS..=GOOD_SECONDS).contains(&age) {
        return Ok(());
    }
    Err((Refusal::Expired, format!("it was proposed at {made_at}")))
}

/// Holds it against the record, and issues it.
pub async fn issue(
    sound: Sound,
    (registry, signer): (&Registry, &Signer),
    addresses: &Addresses,
    paces: &mut Certificates,
    now: UnixTime,
) -> Result<Issued, Refused> {
    let failed = |error: registry::RegistryError| (Refusal::Failed, error.to_string());
    let party = registry
        .party(&sound.party)
        .await
        .map_err(failed)?
        .ok_or_else(|| (Refusal::UnknownParty, format!("there is no party `{}`", sound.party)))?;
    if let Some(since) = party.suspended_since {
        return Err((Refusal::Suspended, format!("`{}` is suspended since {since}", sound.party)));
    }
    let held = registry.certificates(&sound.party).await.map_err(failed)?;
    let known: Vec<Certificate> = held
        .iter()
        .filter(|row| row.origin == Origin::Own && row.revoked.is_none())
        .filter_map(|row| Certificate::from_der(&row.der).ok())
        .collect();
    if let Some(name) = sound.names.iter().find(|name| !known.iter().any(|one| has_name(one, name))) {
        return Err((
            Refusal::Name,
            format!("no certificate of `{}` on record has the name `{name}`", sound.party),
        ));
    }
    let plan = plan(&sound, &party, signer, addresses, now)?;
    paces.issue(&sound.party, Instant::now())?;
    let record = Record { registry, sound: &sound, now };
    signer.issue_on_record(&record, &plan).await.map_err(|error| {
        let code = match &error {
            AuthorityError::KeyOfCa(_) => Refusal::Rules,
            AuthorityError::NotOnRecord(cause) if is_refusal(cause) => Refusal::Rules,
            _ => Refusal::Failed,
        };
        let cause = std::error::Error::source(&error).map_or(String::new(), |cause| format!(": {cause}"));
        (code, format!("{error}{cause}"))
    })
}

/// Whether the registry said no, and not that it cannot be written: then it is of use to ask again later.
fn is_refusal(cause: &LedgerError) -> bool {
    let known = cause.0.downcast_ref::<RegistryError>();
    known
        .is_some_and(|error| matches!(error, RegistryError::KeyKnown { .. } | RegistryError::Conflict { .. }))
}

fn plan(
    sound: &Sound,
    party: &PartyRow,
    signer: &Signer,
    addresses: &Addresses,
    now: UnixTime,
) -> Result<policy::issuance::CheckedPlan, Refused> {
    let window = signer.window();
    let mut plan =
        sound.profile.plan(sound.party.as_str(), &party.id, sound.key.spki().to_vec(), window, now);
    if plan.own.is_none() {
        plan.alt_names.clone_from(&sound.names);
    }
    plan.not_after = sound.not_after.unwrap_or(plan.not_after);
    addresses.put_into(&mut plan, signer).map_err(|error| (Refusal::Failed, error.to_string()))?;
    check(plan, window, now).map_err(|error| (Refusal::Rules, error.to_string()))
}

fn has_name(certificate: &Certificate, name: &AltName) -> bool {
    use examiner::GeneralName;
    certificate.subject_alt_names.iter().any(|one| match (one, name) {
        (GeneralName::Dns(had), AltName::Dns(name)) => had.eq_ignore_ascii_case(name),
        (GeneralName::Email(had), AltName::Email(name)) => had == name,
        (GeneralName::Uri(had), AltName::Uri(name)) => had == name,
        _ => false,
    })
}

/// The registry as the place where the certificate is written before it leaves.
struct Record<'a> {
    registry: &'a Registry,
    sound: &'a Sound,
    now: UnixTime,
}

impl Ledger for Record<'_> {
    async fn commit(&self, record: &IssuedRecord) -> Result<(), LedgerError> {
        let new = NewCertificate {
            holder: Holder::Party(self.sound.party.clone()),
            label: self.sound.label.clone(),
            der: record.der.clone(),
            origin: Origin::Own,
            profile: record.profile_name.clone(),
            exceptions: Default::default(),
        };
        let actor = Actor { name: "authority".into() };
        let done = self.registry.add_certificate(new, &actor, self.now).await;
        done.map(|_| ()).map_err(|error| LedgerError(Box::new(error)))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use authority::request::Request;
    use authority::{KeyType, PrivateKey, keys};

    const NOW: UnixTime = UnixTime(1_800_000_000);

    /// A certificate request for the key, signed by it; PEM.
    pub fn request(key: &PrivateKey) -> String {
        let request = Request { subject: "CN=anybody", alt_names: &[], is_client: true };
        examiner::cert::pem::encode("CERTIFICATE REQUEST", &request.sign(key).unwrap())
    }

    fn proposal() -> Proposal {
        Proposal {
            party: "alice".into(),
            label: None,
            profile: "person".into(),
            request: request(&keys::generate(KeyType::default()).unwrap()),
            names: Vec::new(),
            made_at: NOW,
            not_after: None,
        }
    }

    fn refusal(change: impl FnOnce(&mut Proposal)) -> Option<Refusal> {
        let mut proposal = proposal();
        change(&mut proposal);
        sound(proposal, &Profiles::new(), NOW).err().map(|(code, _)| code)
    }

    #[test]
    fn only_parties_profiles_are_issued_here() {
        for profile in ["person", "device", "service"] {
            assert_eq!(refusal(|one| one.profile = profile.into()), None, "{profile}");
        }
        for profile in ["operator", "server", "ca", "root", "Person", ""] {
            assert_eq!(refusal(|one| one.profile = profile.into()), Some(Refusal::Profile), "{profile}");
        }
    }

    #[test]
    fn a_proposal_is_good_for_a_minute() {
        let at = |seconds: i64| refusal(|one| one.made_at = NOW.plus(seconds));
        assert_eq!([at(-60), at(5)], [None, None]);
        assert_eq!([at(-61), at(6)], [Some(Refusal::Expired); 2]);
        assert_eq!(refusal(|one| one.made_at = UnixTime(i64::MIN)), Some(Refusal::Expired));
    }

    #[test]
    fn a_key_comes_with_its_own_signature_and_names_have_their_kind() {
        for kind in KeyType::ALL {
            let key = keys::generate(kind).unwrap();
            assert_eq!(refusal(|one| one.request = request(&key)), None, "{kind:?}");
        }
        // A key alone, however it is written, and somebody else's request with another key in it.
        let key = keys::generate(KeyType::default()).unwrap();
        let spki = examiner::cert::pem::encode("PUBLIC KEY", &key.spki().unwrap());
        for text in [spki.as_str(), "3000", "", "0"] {
            assert_eq!(refusal(|one| one.request = text.into()), Some(Refusal::Rules), "{text}");
        }
        let other = keys::generate(KeyType::default()).unwrap();
        let (mine, theirs) = (key.spki().unwrap(), other.spki().unwrap());
        let mut der = csr::to_der(request(&other).as_bytes()).unwrap();
        let at = der.windows(theirs.len()).position(|part| part == theirs).unwrap();
        der[at..at + mine.len()].copy_from_slice(&mine);
        let forged = examiner::cert::pem::encode("CERTIFICATE REQUEST", &der);
        assert_eq!(refusal(|one| one.request = forged), Some(Refusal::Proof));
    }

    #[test]
    fn names_have_their_kind() {
        assert_eq!(refusal(|one| one.names = vec!["svc-1".into()]), Some(Refusal::Rules));
        assert_eq!(refusal(|one| one.party = "../x".into()), Some(Refusal::UnknownParty));
    }

    #[test]
    fn a_name_is_known_where_a_certificate_has_it_as_the_same_kind() {
        use authority::{CreateOptions, Hierarchy, Passphrase, Role};
        use policy::issuance::{Plan, Profile};
        let folder = tempfile::tempdir().unwrap();
        let passphrase = Passphrase::generate().unwrap();
        let options = CreateOptions {
            sites: Vec::new(),
            key_type: KeyType::default(),
            store: authority::KeyStore::Files,
            now: NOW,
            organisation: "Lab".into(),
        };
        let own = Hierarchy::create(&folder.path().join("ca"), &passphrase, &options).unwrap();
        let signer = own.unlock(Role::Client, &passphrase).unwrap();
        let spki = keys::generate(KeyType::default()).unwrap().spki().unwrap();
        let id = "0f2ab1c4-6d1e-4c52-9a93-7a40d4c7e0aa";
        let mut plan = Plan::new(Profile::Service, "svc", id, spki, signer.window(), NOW);
        plan.alt_names = vec![AltName::Dns("svc.test".into()), AltName::Email("svc@lab.test".into())];
        let der = signer.issue(&check(plan, signer.window(), NOW).unwrap()).unwrap().der;
        let certificate = Certificate::from_der(&der).unwrap();
        for (name, is_known) in [
            ("dns:svc.test", true),
            ("email:svc@lab.test", true),
            ("dns:other.test", false),
            ("dns:svc@lab.test", false),
            ("email:SVC@lab.test", false),
            ("uri:svc.test", false),
        ] {
            assert_eq!(has_name(&certificate, &alt_name(name).unwrap()), is_known, "{name}");
        }
    }
}
