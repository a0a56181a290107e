//! An unlocked CA: it makes certificates from checked plans, and puts them on record.

use examiner::cert::pem;
use examiner::{Certificate, KeyPin, Thumbprint, UnixTime};
use policy::issuance::{AltName, CheckedPlan, Plan, Profile, Window};
use x509_cert::name::Name;

use crate::assemble::Draft;
use crate::error::AuthorityError;
use crate::hierarchy::Role;
use crate::ledger::{IssuedRecord, Ledger};
use crate::names::Permitted;
use crate::signing_key::SigningKey;
use crate::{extensions, random};

/// The first byte of a serial number, 1 to 127: which revocation list shard the certificate belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard(u8);

impl Shard {
    /// The only shard of a small CA.
    pub const FIRST: Self = Self(1);

    /// The largest.
    pub const MOST: u8 = 0x7f;

    /// `None` for 0 and above 127, which would make the serial number shorter or negative.
    pub fn new(number: u8) -> Option<Self> {
        (1..=Self::MOST).contains(&number).then_some(Self(number))
    }

    /// That of the certificate with this serial number, its content octets.
    pub fn of(serial: &[u8]) -> Option<Self> {
        serial.first().copied().and_then(Self::new)
    }

    /// 1 to 127.
    pub fn number(self) -> u8 {
        self.0
    }
}

/// A CA with its key in memory.
#[derive(Debug)]
pub struct Signer {
    pub(crate) role: Role,
    pub(crate) key: SigningKey,
    pub(crate) certificate: Certificate,
    pub(crate) subject: Name,
    pub(crate) key_id: Vec<u8>,
    pub(crate) permitted: Option<Permitted>,
    /// The keys of the authority's own CAs, which are certified for nobody.
    pub(crate) ca_keys: Vec<(Role, KeyPin)>,
    /// Issuers of this CA that are sent along, without their root; DER.
    pub(crate) issuers: Vec<Vec<u8>>,
}

/// A new certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The certificate.
    pub der: Vec<u8>,
    /// SHA-256 of it.
    pub thumbprint: Thumbprint,
    /// The serial number, 32 lower-case hex digits.
    pub serial_hex: String,
    /// First second of validity.
    pub not_before: UnixTime,
    /// Last second of validity.
    pub not_after: UnixTime,
    /// The CAs to send along, issuing CA first, without the root.
    pub chain_der: Vec<Vec<u8>>,
}

impl Issued {
    /// The certificate as PEM, then the issuing CA.
    pub fn to_pem(&self) -> String {
        let all = std::iter::once(&self.der).chain(&self.chain_der);
        all.map(|der| pem::encode("CERTIFICATE", der)).collect()
    }
}

impl Signer {
    /// Which CA it is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The CA's own certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// When the CA's own certificate is valid.
    pub fn window(&self) -> Window {
        Window { not_before: self.certificate.not_before, not_after: self.certificate.not_after }
    }

    /// Takes its key out of its token, where it is in one; for a CA that is trusted no longer.
    pub fn forget_key(self) {
        self.key.forget();
    }

    /// Its key identifier, lower-case hex: it tells one generation of a CA from the next.
    pub fn key_id_hex(&self) -> String {
        hex(&self.key_id)
    }

    /// Signs the certificate of a checked plan. The caller puts it on record; better use [`Self::issue_on_record`].
    ///
    /// Refuses a profile of another CA, an end after the CA's own, the key of one of the own CAs, and hosts the server
    /// CA may not name.
    ///
    /// A plan that was not checked is not signed:
    ///
    /// ```
    /// # use authority::{AuthorityError, Issued, Signer};
    /// # use policy::issuance::{CheckedPlan, Plan, Window};
    /// fn sign(signer: &Signer, checked: &CheckedPlan) -> Result<Issued, AuthorityError> {
    ///     signer.issue(checked)
    /// }
    /// ```
    /// ```compile_fail,E0308
    /// # use authority::{AuthorityError, Issued, Signer};
    /// # use policy::issuance::{CheckedPlan, Plan, Window};
    /// fn sign(signer: &Signer, plan: &Plan) -> Result<Issued, AuthorityError> {
    ///     signer.issue(plan)
    /// }
    /// ```
    ///
    /// Nobody but [`check`](policy::issuance::check) makes a checked plan, and no key signs octets:
    ///
    /// ```compile_fail,E0423
    /// # use policy::issuance::{CheckedPlan, Plan};
    /// fn unchecked(plan: Plan) -> CheckedPlan {
    ///     CheckedPlan(plan)
    /// }
    /// ```
    /// ```compile_fail,E0624
    /// # use authority::{AuthorityError, PrivateKey};
    /// fn sign(key: &PrivateKey, octets: &[u8]) -> Result<Vec<u8>, AuthorityError> {
    ///     key.sign(octets)
    /// }
    /// ```
    pub fn issue(&self, checked: &CheckedPlan) -> Result<Issued, AuthorityError> {
        let plan = checked.plan();
        self.refuse_foreign(plan)?;
        let serial = serial(Shard::new(plan.shard).unwrap_or(Shard::FIRST))?;
        let subject = crate::names::end_entity_subject(&plan.common_name)?;
        let draft = Draft {
            serial,
            issuer: &self.subject,
            subject: &subject,
            window: Window { not_before: plan.not_before, not_after: plan.not_after },
            spki: &plan.spki,
            extensions: extensions::end_entity(&subject, checked, &self.key_id)?,
            is_ca: false,
            purposes: &[extensions::purpose(plan.profile.is_client())],
        };
        let der = draft.examine(&self.key)?.sign(&self.key)?;
        Ok(Issued {
            thumbprint: Thumbprint::of(&der),
            serial_hex: hex(&serial),
            not_before: plan.not_before,
            not_after: plan.not_after,
            chain_der: std::iter::once(self.certificate.der.to_vec())
                .chain(self.issuers.iter().cloned())
                .collect(),
            der,
        })
    }

    /// Signs the certificate of a checked plan and writes it to the ledger; nobody sees a certificate that is not
    /// on record. `Err(NotOnRecord)` where the ledger refuses.
    pub async fn issue_on_record<L: Ledger + Sync>(
        &self,
        ledger: &L,
        checked: &CheckedPlan,
    ) -> Result<Issued, AuthorityError> {
        let issued = self.issue(checked)?;
        let record = self.record(&issued, checked.plan());
        ledger.commit(&record).await.map_err(AuthorityError::NotOnRecord)?;
        Ok(issued)
    }

    fn record(&self, issued: &Issued, plan: &Plan) -> IssuedRecord {
        IssuedRecord {
            issuer: self.role,
            serial_hex: issued.serial_hex.clone(),
            thumbprint: issued.thumbprint,
            key_pin: KeyPin::of(&plan.spki),
            profile: plan.profile,
            profile_name: plan.profile_name().to_owned(),
            party: plan.party.clone(),
            party_uuid: plan.party_uuid.clone(),
            not_before: issued.not_before,
            not_after: issued.not_after,
            der: issued.der.clone(),
        }
    }

    fn refuse_foreign(&self, plan: &Plan) -> Result<(), AuthorityError> {
        if Role::of(plan.profile) != self.role {
            return Err(AuthorityError::WrongIssuer { role: self.role, profile: plan.profile });
        }
        let window = self.window();
        if plan.not_before < window.not_before || plan.not_after > window.not_after {
            return Err(AuthorityError::OutlivesIssuer(self.role));
        }
        self.refuse_own_key(&plan.spki)?;
        if plan.profile != Profile::Server {
            return Ok(());
        }
        let allowed = |name: &AltName| self.permitted.as_ref().is_some_and(|p| p.permits(&name.to_string()));
        match plan.alt_names.iter().find(|name| !allowed(name)) {
            Some(name) => Err(AuthorityError::NotPermitted(name.to_string())),
            None => Ok(()),
        }
    }
}

impl Signer {
    /// The keys of the own CAs are certified for nothing else.
    pub(crate) fn refuse_own_key(&self, spki: &[u8]) -> Result<(), AuthorityError> {
        let pin = KeyPin::of(spki);
        let own = self.ca_keys.iter().find(|(_, key)| *key == pin);
        own.map_or(Ok(()), |(role, _)| Err(AuthorityError::KeyOfCa(*role)))
    }
}

/// A new serial number: the shard, then 120 random bits; positive.
pub(crate) fn serial(shard: Shard) -> Result<[u8; 16], AuthorityError> {
    let mut serial = random::bytes::<16>()?;
    serial[0] = shard.0;
    Ok(serial)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_begins_with_its_shard_and_is_otherwise_random() {
        for number in [1, 2, 0x7f] {
            assert_eq!(serial(Shard::new(number).unwrap()).unwrap()[0], number);
        }
        assert_eq!((Shard::new(0), Shard::new(0x80)), (None, None));
        let many: std::collections::HashSet<_> = (0..1000).map(|_| serial(Shard::FIRST).unwrap()).collect();
        assert_eq!(many.len(), 1000);
    }
}
