//! A key that is to be named for the OCSP answers of one CA.

use authority::csr::RequestKey;
use authority::{AuthorityError, Hierarchy, Role, Signer};
use examiner::{Certificate, UnixTime};
use registry::{AuditEvent, Registry};

use super::issue::{Refused, fresh, proved};
use super::protocol::{Delegation, Refusal};
use crate::config::StateDir;

/// The CAs that name keys: those whose certificates are on record.
const CAS: [Role; 2] = [Role::Client, Role::Operator];

/// What can be said of it without the record.
pub struct Asked {
    role: Role,
    old: bool,
    key: RequestKey,
}

/// Looks at what is asked by itself.
pub fn sound(asked: Delegation, now: UnixTime) -> Result<Asked, Refused> {
    let role = CAS.into_iter().find(|role| role.word() == asked.ca).ok_or_else(|| {
        (
            Refusal::Profile,
            format!("`{}` is no CA that has its certificates answered for", asked.ca.escape_debug()),
        )
    })?;
    fresh(asked.made_at, now)?;
    Ok(Asked { role, old: asked.old, key: proved(asked.request.as_bytes())? })
}

/// Names the key, puts that on record, and returns the certificate.
pub async fn delegate(
    asked: Asked,
    state: &StateDir,
    registry: &Registry,
    now: UnixTime,
) -> Result<Certificate, Refused> {
    let failed = |what: String| (Refusal::Failed, what);
    let signer = unlock(&asked, state).map_err(|error| failed(error.to_string()))?;
    let der = signer.delegate(asked.key.spki(), now).map_err(|error| match error {
        AuthorityError::NotDelegated | AuthorityError::KeyOfCa(_) => (Refusal::Rules, error.to_string()),
        other => failed(other.to_string()),
    })?;
    let certificate = Certificate::from_der(&der).map_err(|error| failed(error.to_string()))?;
    let generation = if asked.old { "old " } else { "" };
    let event = AuditEvent {
        time: now,
        thumbprint: Some(certificate.thumbprint.to_string()),
        verdict: "changed".into(),
        detail: Some(format!(
            "key for the OCSP answers of the {generation}{} named until {}; by authority",
            asked.role, certificate.not_after
        )),
        count: 1,
        ..AuditEvent::default()
    };
    registry.append_audit("authority", &[event]).await.map_err(|error| failed(error.to_string()))?;
    Ok(certificate)
}

fn unlock(asked: &Asked, state: &StateDir) -> Result<Signer, AuthorityError> {
    let hierarchy = Hierarchy::open(&state.authority())?;
    let passphrase = state.passphrase().read()?;
    if !asked.old {
        return hierarchy.unlock(asked.role, &passphrase);
    }
    hierarchy.unlock_former(asked.role, &passphrase)?.ok_or(AuthorityError::NoRolloverUnderWay(asked.role))
}

#[cfg(test)]
mod tests {
    use super::super::issue::tests::request;
    use super::*;
    use authority::{KeyType, keys};

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn refusal(change: impl FnOnce(&mut Delegation)) -> Option<Refusal> {
        let request = request(&keys::generate(KeyType::default()).unwrap());
        let mut asked = Delegation { ca: "client".into(), old: false, request, made_at: NOW };
        change(&mut asked);
        sound(asked, NOW).err().map(|(code, _)| code)
    }

    #[test]
    fn only_the_cas_whose_certificates_are_on_record_name_keys() {
        for ca in ["client", "operator"] {
            assert_eq!(refusal(|one| one.ca = ca.into()), None, "{ca}");
        }
        for ca in ["root", "server", "Client", "ca/acme", ""] {
            assert_eq!(refusal(|one| one.ca = ca.into()), Some(Refusal::Profile), "{ca}");
        }
    }

    #[test]
    fn it_is_good_for_a_minute_and_the_key_comes_with_its_own_signature() {
        let at = |seconds: i64| refusal(|one| one.made_at = NOW.plus(seconds));
        assert_eq!([at(-60), at(5)], [None, None]);
        assert_eq!([at(-61), at(6)], [Some(Refusal::Expired); 2]);
        let der = |one: &Delegation| authority::csr::to_der(one.request.as_bytes()).unwrap();
        let forged = refusal(|one| {
            let mut der = der(one);
            *der.last_mut().unwrap() ^= 1;
            one.request = examiner::cert::pem::encode("CERTIFICATE REQUEST", &der);
        });
        assert_eq!(forged, Some(Refusal::Proof));
        assert_eq!(refusal(|one| one.request = "3000".into()), Some(Refusal::Rules));
    }
}
