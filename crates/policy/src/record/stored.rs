//! Records as bytes, and back: what a gate keeps for its next start.
//!
//! They are not sealed here; whoever keeps them does that. What is read is held to be whole and possible all the same.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{Read, Result, Write};
use std::sync::Arc;

use examiner::KeyPin;

use super::{KeyRecord, Records, SubjectRule};
use crate::packed::stored::{Put, Take};
use crate::packed::{Certificates, Parties};

impl Records {
    /// The form that [`write_to`](Self::write_to) writes. Another is not read.
    pub const FORM: u32 = 1;

    /// Writes all of it.
    pub fn write_to(&self, out: &mut impl Write) -> Result<()> {
        let mut out = Put(out);
        self.parties.write_to(&mut out)?;
        self.certificates.write_to(&mut out)?;
        out.count(self.keys.len())?;
        for (pin, records) in self.keys.iter() {
            out.bytes(&pin.0)?;
            out.count(records.len())?;
            for KeyRecord { party, label, names, revoked, exceptions } in records.iter() {
                out.text(party.as_str())?;
                out.text(label)?;
                out.bytes(names)?;
                out.revoked(revoked.as_ref())?;
                out.exceptions(exceptions)?;
            }
        }
        out.count(self.subjects.len())?;
        for (SubjectRule { ca, subject }, party) in self.subjects.iter() {
            out.text(ca)?;
            out.bytes(subject)?;
            out.text(party.as_str())?;
        }
        out.count(self.ca_grants.len())?;
        for (site, cas) in &self.ca_grants {
            out.text(site.as_str())?;
            out.count(cas.len())?;
            cas.iter().try_for_each(|ca| out.text(ca))?;
        }
        out.count(self.compromised_keys.len())?;
        self.compromised_keys.iter().try_for_each(|pin| out.bytes(&pin.0))
    }

    /// Reads what [`write_to`](Self::write_to) wrote, from an input that holds no more than `most` bytes.
    ///
    /// `Err(InvalidData)` for what no records can be. No length makes room for more than `most` bytes can say.
    pub fn read_from(input: &mut impl Read, most: u64) -> Result<Self> {
        let mut input = Take::new(input, most);
        let parties = Parties::read_from(&mut input)?;
        let certificates = Certificates::read_from(&mut input)?;
        let count = input.count(36)?;
        let mut keys = HashMap::with_capacity(count);
        for _ in 0..count {
            let pin = KeyPin(input.array()?);
            let mut records = Vec::new();
            for _ in 0..input.count(43)? {
                records.push(KeyRecord {
                    party: input.party()?,
                    label: input.text()?,
                    names: input.array()?,
                    revoked: input.revoked()?,
                    exceptions: input.exceptions()?,
                });
            }
            keys.insert(pin, Arc::new(records));
        }
        let count = input.count(41)?;
        let mut subjects = HashMap::with_capacity(count);
        for _ in 0..count {
            let rule = SubjectRule { ca: input.text()?, subject: input.array()? };
            subjects.insert(rule, input.party()?);
        }
        let mut ca_grants = HashMap::new();
        for _ in 0..input.count(8)? {
            let site = input.host()?;
            let mut cas = BTreeSet::new();
            for _ in 0..input.count(4)? {
                cas.insert(input.text()?);
            }
            ca_grants.insert(site, cas);
        }
        let count = input.count(32)?;
        let mut compromised_keys = HashSet::with_capacity(count);
        for _ in 0..count {
            compromised_keys.insert(KeyPin(input.array()?));
        }
        Ok(Self {
            parties,
            certificates,
            keys: keys.into_iter().collect(),
            subjects: subjects.into_iter().collect(),
            ca_grants,
            compromised_keys,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use examiner::{Thumbprint, UnixTime};

    use super::*;
    use crate::host::HostName;
    use crate::names::PartyName;
    use crate::record::{
        CertificateRecord, Holder, OperatorRole, Origin, Party, PinExceptions, RecordChange, RecordsBuilder,
        Revoked,
    };

    fn name(number: u32) -> PartyName {
        PartyName::parse(&format!("p{number}")).unwrap()
    }

    fn host(number: u32) -> HostName {
        HostName::parse(&format!("s{number}.test")).unwrap()
    }

    fn thumbprint(number: u32) -> Thumbprint {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
        Thumbprint(bytes)
    }

    fn party(number: u32) -> RecordChange {
        RecordChange::Party(Party {
            name: name(number),
            id: match number % 9 {
                0 => format!("other-{number}"),
                _ => format!("6ba7b810-9dad-11d1-80b4-{number:012x}"),
            },
            suspended_since: number.is_multiple_of(5).then_some(UnixTime(i64::from(number))),
            grants: (0..number % 4).map(host).collect(),
        })
    }

    fn certificate(number: u32) -> RecordChange {
        let record = CertificateRecord {
            holder: match number % 7 {
                0 => Holder::Operator { name: name(number), role: OperatorRole::Viewer },
                _ => Holder::Party(name(number)),
            },
            label: format!("é-{}", number % 3),
            origin: if number.is_multiple_of(2) { Origin::Pinned } else { Origin::Own },
            key_pin: KeyPin([(number % 40) as u8; 32]),
            superseded_after: number.is_multiple_of(5).then_some(UnixTime(-1)),
            revoked: revoked(number.is_multiple_of(11)),
            exceptions: exceptions(number.is_multiple_of(13)),
        };
        RecordChange::Certificate(thumbprint(number), record)
    }

    fn revoked(is_so: bool) -> Option<Revoked> {
        is_so.then(|| Revoked { at: UnixTime(7), reason: "superseded".into() })
    }

    fn exceptions(are_some: bool) -> PinExceptions {
        let until = are_some.then_some(UnixTime(9));
        PinExceptions { without_client_usage_until: until, ca_certificate_until: None }
    }

    /// Something of every kind, packed, with changes of every kind over it.
    fn world(many: u32) -> Records {
        let mut builder = RecordsBuilder::default();
        for number in 0..many {
            builder.add(party(number));
            builder.add(certificate(number));
        }
        let mut records = builder.finish();
        for number in (0..many + 20).step_by(10) {
            let changes = [
                certificate(number + 3),
                party(number + 3),
                RecordChange::CertificateRemoved(thumbprint(number + 4)),
                RecordChange::PartyRemoved(name(number + 5)),
                RecordChange::CaGrants(host(number), BTreeSet::from(["acme".into()])),
                RecordChange::CompromisedKey(KeyPin([number as u8; 32]), true),
                RecordChange::Subject(
                    SubjectRule { ca: "acme".into(), subject: [number as u8; 32] },
                    Some(name(number)),
                ),
                RecordChange::Key(
                    KeyPin([number as u8; 32]),
                    vec![KeyRecord {
                        party: name(number),
                        label: "key-1".into(),
                        names: [3; 32],
                        revoked: revoked(number == 10),
                        exceptions: exceptions(number == 20),
                    }],
                ),
            ];
            changes.into_iter().for_each(|change| drop(records.apply(change)));
        }
        records
    }

    fn sorted(records: &Records) -> Vec<String> {
        let mut all: Vec<String> = records.changes().map(|change| format!("{change:?}")).collect();
        all.sort();
        all
    }

    fn written(records: &Records) -> Vec<u8> {
        let mut bytes = Vec::new();
        records.write_to(&mut bytes).unwrap();
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Records> {
        Records::read_from(&mut &*bytes, bytes.len() as u64)
    }

    #[test]
    fn what_was_written_is_read_again_with_every_change_over_it() {
        for many in [0, 1, 2_000] {
            let records = world(many);
            let again = read(&written(&records)).unwrap();
            assert_eq!(sorted(&again), sorted(&records));
            assert_eq!(again.overlay_len(), 0, "it is packed");
            assert_eq!(again.has_pins(), records.has_pins());
            assert_eq!(sorted(&read(&written(&again)).unwrap()), sorted(&records));
            for number in 0..many {
                let found = |records: &Records| {
                    let one = records.certificates.get(&thumbprint(number)).map(|view| view.to_record());
                    (one, records.parties.get(&name(number)).map(|party| party.to_party()))
                };
                assert_eq!(found(&again), found(&records), "{number}");
            }
        }
        assert_eq!(sorted(&read(&written(&Records::default())).unwrap()), [""; 0]);
    }

    #[test]
    fn wherever_it_is_cut_it_is_refused_and_makes_no_room_for_what_is_not_there() {
        let whole = written(&world(6));
        for length in 0..whole.len() {
            let found = read(&whole[..length]).unwrap_err().kind();
            assert!(matches!(found, ErrorKind::InvalidData | ErrorKind::UnexpectedEof), "{length}: {found}");
        }
    }

    #[test]
    fn with_any_byte_changed_it_is_refused_or_is_something_possible() {
        let whole = written(&world(6));
        for place in 0..whole.len() {
            for bits in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[place] ^= bits;
                // Whatever it now says, each answer is one that records can give.
                if let Ok(records) = read(&changed) {
                    let all = sorted(&records);
                    assert_eq!(sorted(&read(&written(&records)).unwrap()), all, "{place}");
                }
            }
        }
    }

    #[test]
    fn numbers_that_promise_more_than_there_is_are_refused_at_once() {
        assert_eq!(read(&u32::MAX.to_le_bytes()).unwrap_err().kind(), ErrorKind::InvalidData);
        // No sets, no parties, and texts without end.
        let texts = [[0; 4], [0; 4], [0; 4], [0; 4], u32::MAX.to_le_bytes()].concat();
        assert_eq!(read(&texts).unwrap_err().kind(), ErrorKind::InvalidData);
        // One text of four gigabytes.
        let text = [[0; 4], [0; 4], [0; 4], [0; 4], 1_u32.to_le_bytes(), u32::MAX.to_le_bytes()].concat();
        assert_eq!(read(&text).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
