//! What the registry knows of parties and certificates, as the snapshot holds it, and the changes that are fed to it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use examiner::cert::SubjectKey;
use examiner::{Certificate, KeyPin, Thumbprint, UnixTime};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::host::HostName;
use crate::layered::Layered;
use crate::names::PartyName;
use crate::packed::{Certificates, CertificatesBuilder, Parties, PartiesBuilder};

mod stored;

/// A person, device, service or partner who may be admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its name.
    pub name: PartyName,
    /// Its identifier, a UUID; stands in its own certificates as `urn:uuid:…`.
    pub id: String,
    /// Since when it is suspended.
    pub suspended_since: Option<UnixTime>,
    /// The sites it has been granted.
    pub grants: BTreeSet<HostName>,
}

/// Whose a certificate is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A party, admitted to sites.
    Party(PartyName),
    /// An operator, admitted to the admin address and nowhere else.
    Operator {
        /// The operator's name.
        name: PartyName,
        /// What the operator may do.
        role: OperatorRole,
    },
}

/// What an operator may do on the admin address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorRole {
    /// Look.
    Viewer,
    /// Admit, refuse and revoke parties.
    Operator,
    /// Everything, operators included.
    Owner,
}

impl OperatorRole {
    /// All of them; each may do what those before it may.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Owner];

    /// As the command line, the registry and the console's header write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }
}

/// How a certificate came on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Saved on the server by thumbprint: the pin is the trust.
    Pinned,
    /// Issued by the own authority: the chain is verified, the record admits.
    Own,
}

/// What is on record of one certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRecord {
    /// Whose it is.
    pub holder: Holder,
    /// What its holder calls it, such as `laptop`.
    pub label: String,
    /// How it came on record.
    pub origin: Origin,
    /// The pin of its public key.
    pub key_pin: KeyPin,
    /// Last second at which it is accepted beside its successor.
    pub superseded_after: Option<UnixTime>,
    /// When and why it was revoked.
    pub revoked: Option<Revoked>,
    /// Dated exceptions for it (pins only).
    #[serde(default)]
    pub exceptions: PinExceptions,
}

/// A revocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// Since when.
    pub at: UnixTime,
    /// Why, in the command line's words, such as `key-compromise`.
    pub reason: String,
}

/// What a pin excuses, and until when (inclusive).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinExceptions {
    /// The client usage may be missing until then.
    pub without_client_usage_until: Option<UnixTime>,
    /// It may be a CA certificate until then.
    pub ca_certificate_until: Option<UnixTime>,
}

/// A public key that leads to a party, for certificates with the recorded names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The party.
    pub party: PartyName,
    /// What the party calls it.
    pub label: String,
    /// Digest of the subject and SANs recorded with the pin; see [`names_digest`].
    pub names: [u8; 32],
    /// When and why it was revoked.
    pub revoked: Option<Revoked>,
    /// Dated exceptions for it.
    #[serde(default)]
    pub exceptions: PinExceptions,
}

/// A subject that leads to a party, from one CA.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SubjectRule {
    /// The CA's name.
    pub ca: String,
    /// The comparable form of the subject.
    pub subject: [u8; 32],
}

/// Digest of a certificate's subject and SANs, in their order: equal digests mean the same names.
pub fn names_digest(certificate: &Certificate) -> [u8; 32] {
    let mut hash = Sha256::new();
    match certificate.subject.key() {
        Some(SubjectKey(key)) => {
            hash.update([1]);
            hash.update(key);
        }
        None => {
            hash.update([2]);
            hash.update(&certificate.subject_der);
        }
    }
    for name in &certificate.subject_alt_names {
        let text = format!("{name:?}");
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

/// Everything the registry knows that admission needs. Copies share what did not change.
#[derive(Clone, Debug, Default)]
pub struct Records {
    /// Parties by name.
    pub parties: Parties,
    /// Certificates by thumbprint: pins, own certificates and operators'.
    pub certificates: Certificates,
    /// Key pins; one key may be recorded with several names.
    pub keys: Layered<KeyPin, Arc<Vec<KeyRecord>>>,
    /// Subjects of named CAs.
    pub subjects: Layered<SubjectRule, PartyName>,
    /// CAs granted to sites as a whole.
    pub ca_grants: HashMap<HostName, BTreeSet<String>>,
    /// Keys revoked as compromised: no certificate with one enters, whoever issued it.
    pub compromised_keys: HashSet<KeyPin>,
}

/// One change to the records, as the feed carries it. Each is a whole new value, so applying one twice is harmless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordChange {
    /// The party is now this.
    Party(Party),
    /// The party is gone.
    PartyRemoved(PartyName),
    /// The certificate's record is now this.
    Certificate(Thumbprint, CertificateRecord),
    /// The certificate is on record no longer.
    CertificateRemoved(Thumbprint),
    /// The key's records are now these; none left: gone.
    Key(KeyPin, Vec<KeyRecord>),
    /// The subject leads to this party, or to none.
    Subject(SubjectRule, Option<PartyName>),
    /// The CAs granted to this site as a whole are now these.
    CaGrants(HostName, BTreeSet<String>),
    /// The key is compromised (`true`) or no longer said to be.
    CompromisedKey(KeyPin, bool),
    /// Many certificates were revoked, or released from a hold, at once.
    Revocations(Revocations),
    /// The registry's sites or CAs changed: whoever builds a snapshot reads them anew.
    Settings,
}

/// What became of many certificates by one change.
///
/// One row of the feed, however many they are: it is stored empty, and filled from the certificates that are on record
/// with its number when it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocations {
    /// Each certificate, and its revocation as it now is; none where a hold has ended.
    pub certificates: Vec<(Thumbprint, Option<Revoked>)>,
    /// Keys that are refused from now on as compromised.
    pub compromised_keys: Vec<KeyPin>,
}

/// What a change concerns: only connections of these are decided again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Touched {
    /// One certificate.
    Certificate(Thumbprint),
    /// All certificates with this key.
    Key(KeyPin),
    /// Everyone admitted as this party.
    Party(PartyName),
    /// Anything may have changed.
    Everyone,
}

impl Records {
    /// Applies one change and says whom it concerns.
    pub fn apply(&mut self, change: RecordChange) -> Touched {
        match change {
            RecordChange::Party(party) => {
                let name = party.name.clone();
                self.parties.insert(party);
                Touched::Party(name)
            }
            RecordChange::PartyRemoved(name) => {
                self.parties.remove(&name);
                Touched::Party(name)
            }
            RecordChange::Certificate(thumbprint, record) => {
                self.certificates.insert(thumbprint, record);
                Touched::Certificate(thumbprint)
            }
            RecordChange::CertificateRemoved(thumbprint) => {
                self.certificates.remove(&thumbprint);
                Touched::Certificate(thumbprint)
            }
            RecordChange::Key(pin, records) => {
                if records.is_empty() {
                    self.keys.remove(&pin)
                } else {
                    self.keys.insert(pin, Arc::new(records))
                }
                Touched::Key(pin)
            }
            RecordChange::Subject(rule, party) => {
                match party {
                    Some(party) => self.subjects.insert(rule, party),
                    None => self.subjects.remove(&rule),
                }
                Touched::Everyone
            }
            RecordChange::CaGrants(site, cas) => {
                self.ca_grants.insert(site, cas);
                Touched::Everyone
            }
            RecordChange::CompromisedKey(pin, compromised) => {
                if compromised {
                    self.compromised_keys.insert(pin)
                } else {
                    self.compromised_keys.remove(&pin)
                };
                Touched::Key(pin)
            }
            RecordChange::Revocations(all) => {
                self.apply_revocations(all);
                Touched::Everyone
            }
            RecordChange::Settings => Touched::Everyone,
        }
    }

    fn apply_revocations(&mut self, all: Revocations) {
        for (thumbprint, revoked) in all.certificates {
            let Some(record) = self.certificates.get(&thumbprint) else { continue };
            let record = CertificateRecord { revoked, ..record.to_record() };
            self.certificates.insert(thumbprint, record);
        }
        self.compromised_keys.extend(all.compromised_keys);
    }

    /// Changes that make equal records of empty ones.
    pub fn changes(&self) -> impl Iterator<Item = RecordChange> {
        let parties = self.parties.iter().map(|party| RecordChange::Party(party.to_party()));
        let certificates = self
            .certificates
            .iter()
            .map(|(thumbprint, record)| RecordChange::Certificate(*thumbprint, record.to_record()));
        let keys = self.keys.iter().map(|(pin, records)| RecordChange::Key(*pin, records.to_vec()));
        let subjects = self
            .subjects
            .iter()
            .map(|(rule, party)| RecordChange::Subject(rule.clone(), Some(party.clone())));
        let grants =
            self.ca_grants.iter().map(|(site, cas)| RecordChange::CaGrants(site.clone(), cas.clone()));
        let compromised = self.compromised_keys.iter().map(|pin| RecordChange::CompromisedKey(*pin, true));
        parties.chain(certificates).chain(keys).chain(subjects).chain(grants).chain(compromised)
    }

    /// Whether any certificate or key is pinned: pins admit whoever issued the certificate.
    pub fn has_pins(&self) -> bool {
        !self.keys.is_empty() || self.certificates.has_pinned()
    }

    /// How many changes lie over the shared base.
    pub fn overlay_len(&self) -> usize {
        self.parties.overlay_len()
            + self.certificates.overlay_len()
            + self.keys.overlay_len()
            + self.subjects.overlay_len()
    }

    /// Merges the changes into the base.
    pub fn merge(&mut self) {
        self.parties.merge();
        self.certificates.merge();
        self.keys.merge();
        self.subjects.merge();
    }
}

/// Records from their first change on, packed as they come: a million take no more memory on the way than in the end.
#[derive(Debug, Default)]
pub struct RecordsBuilder {
    records: Records,
    parties: PartiesBuilder,
    certificates: CertificatesBuilder,
}

impl RecordsBuilder {
    /// With room for so many parties and certificates.
    pub fn with_capacity(parties: usize, certificates: usize) -> Self {
        Self {
            records: Records::default(),
            parties: PartiesBuilder::with_capacity(parties),
            certificates: CertificatesBuilder::with_capacity(certificates),
        }
    }

    /// Adds what a change tells of something that no change before told of.
    pub fn add(&mut self, change: RecordChange) {
        match change {
            RecordChange::Party(party) => self.parties.push(party.view()),
            RecordChange::Certificate(thumbprint, record) => {
                self.certificates.push(thumbprint, record.view())
            }
            other => drop(self.records.apply(other)),
        }
    }

    /// All that was added.
    pub fn finish(self) -> Records {
        let mut records = Records {
            parties: self.parties.finish(),
            certificates: self.certificates.finish(),
            ..self.records
        };
        records.merge();
        records
    }
}
