//! A denial never disappears by itself: what a restored registry no longer knows of stays refused here.
//!
//! A registry that was restored from an older copy has lost the revocations made since. The gate that saw them keeps
//! them until an operator confirms the restored state.

use std::sync::Arc;

use policy::Records;
use policy::record::{KeyRecord, Party};

/// What `records` refuse by name, and nothing else.
pub fn of(records: &Records) -> Records {
    let mut denials = Records::default();
    for (thumbprint, record) in records.certificates.iter() {
        if record.revoked.is_some() || record.superseded_after.is_some() {
            denials.certificates.insert(*thumbprint, record.to_record());
        }
    }
    for (pin, list) in records.keys.iter() {
        let revoked: Vec<KeyRecord> = list.iter().filter(|one| one.revoked.is_some()).cloned().collect();
        if !revoked.is_empty() {
            denials.keys.insert(*pin, Arc::new(revoked));
        }
    }
    for party in records.parties.iter().filter(|party| party.suspended_since.is_some()) {
        denials.parties.insert(party.to_party());
    }
    denials.compromised_keys.clone_from(&records.compromised_keys);
    denials
}

/// Puts `denials` over `records`; how many of them `records` did not have.
pub fn keep(denials: &Records, records: &mut Records) -> usize {
    let mut kept = 0;
    for (thumbprint, denied) in denials.certificates.iter() {
        let there = records.certificates.get(thumbprint);
        let mut now = there.unwrap_or(denied).to_record();
        now.revoked = now.revoked.or_else(|| denied.revoked.cloned());
        now.superseded_after = earlier(now.superseded_after, denied.superseded_after);
        if there != Some(now.view()) {
            records.certificates.insert(*thumbprint, now);
            kept += 1;
        }
    }
    for (pin, denied) in denials.keys.iter() {
        let mut now = records.keys.get(pin).map(|list| list.as_ref().clone()).unwrap_or_default();
        for one in denied.iter() {
            match now.iter_mut().find(|there| there.names == one.names) {
                Some(there) if there.revoked.is_some() => continue,
                Some(there) => there.revoked.clone_from(&one.revoked),
                None => now.push(one.clone()),
            }
            kept += 1;
        }
        records.keys.insert(*pin, Arc::new(now));
    }
    for denied in denials.parties.iter() {
        let there = records.parties.named(denied.name);
        if there.is_none_or(|there| there.suspended_since.is_none()) {
            let party =
                Party { suspended_since: denied.suspended_since, ..there.unwrap_or(denied).to_party() };
            records.parties.insert(party);
            kept += 1;
        }
    }
    for pin in &denials.compromised_keys {
        kept += usize::from(records.compromised_keys.insert(*pin));
    }
    kept
}

fn earlier<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use examiner::{KeyPin, Thumbprint, UnixTime};
    use policy::PartyName;
    use policy::record::{CertificateRecord, Holder, Origin, Revoked};

    use super::*;

    fn world() -> Records {
        let name: PartyName = PartyName::parse("alice").unwrap();
        let mut records = Records::default();
        records.parties.insert(Party {
            name: name.clone(),
            id: "id".into(),
            suspended_since: None,
            grants: Default::default(),
        });
        for number in [1, 2] {
            let record = CertificateRecord {
                holder: Holder::Party(name.clone()),
                label: format!("c{number}"),
                origin: Origin::Own,
                key_pin: KeyPin([number; 32]),
                superseded_after: None,
                revoked: None,
                exceptions: Default::default(),
            };
            records.certificates.insert(Thumbprint([number; 32]), record);
        }
        records
    }

    fn revoke(records: &mut Records, number: u8) {
        let mut record = records.certificates.get(&Thumbprint([number; 32])).unwrap().to_record();
        record.revoked = Some(Revoked { at: UnixTime(5), reason: "unspecified".into() });
        records.certificates.insert(Thumbprint([number; 32]), record);
    }

    #[test]
    fn what_was_revoked_stays_revoked_and_nothing_else_changes() {
        let restored = world();
        let mut before = world();
        revoke(&mut before, 1);
        before.compromised_keys.insert(KeyPin([1; 32]));
        let mut now = restored.clone();
        assert_eq!(keep(&of(&before), &mut now), 2);
        assert!(now.certificates.get(&Thumbprint([1; 32])).unwrap().revoked.is_some());
        assert!(now.certificates.get(&Thumbprint([2; 32])).unwrap().revoked.is_none());
        assert!(now.compromised_keys.contains(&KeyPin([1; 32])));
        assert_eq!(keep(&of(&before), &mut now), 0, "a second time there is nothing to keep");
    }

    #[test]
    fn a_suspension_stays_and_one_that_was_lifted_does_not_return() {
        let name: PartyName = PartyName::parse("alice").unwrap();
        let mut before = world();
        let mut party = before.parties.get(&name).unwrap().to_party();
        party.suspended_since = Some(UnixTime(7));
        before.parties.insert(party);
        let mut now = world();
        assert_eq!(keep(&of(&before), &mut now), 1);
        assert_eq!(now.parties.get(&name).unwrap().suspended_since, Some(UnixTime(7)));
        assert_eq!(keep(&of(&world()), &mut world()), 0);
    }
}
