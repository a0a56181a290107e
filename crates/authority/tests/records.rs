//! No certificate leaves without its record.

mod support;

use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use authority::{AuthorityError, IssuedRecord, Ledger, LedgerError, Role};
use policy::issuance::Profile;
use support::{ALICE, World};

/// Keeps what is written, or refuses everything.
#[derive(Default)]
struct Memory {
    full: bool,
    records: Mutex<Vec<IssuedRecord>>,
}

impl Ledger for Memory {
    async fn commit(&self, record: &IssuedRecord) -> Result<(), LedgerError> {
        if self.full {
            return Err(LedgerError("disk full".into()));
        }
        self.records.lock().unwrap().push(record.clone());
        Ok(())
    }
}

fn now<T>(future: impl Future<Output = T> + Send) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the ledger of this test never waits"),
    }
}

#[test]
fn a_certificate_is_on_record_before_it_is_given_out() {
    let world = World::new();
    let ledger = Memory::default();
    let checked = world.plan(Profile::Person, |_| {});
    let signer = world.signer(Role::Client);
    let issued = now(signer.issue_on_record(&ledger, &checked)).unwrap();
    let records = ledger.records.into_inner().unwrap();
    let [record] = &records[..] else { panic!("one record, not {}", records.len()) };
    assert_eq!((&record.der, record.thumbprint), (&issued.der, issued.thumbprint));
    assert_eq!((record.issuer, record.party_uuid.as_str()), (Role::Client, ALICE));
    assert_eq!(record.serial_hex, issued.serial_hex);
    assert_eq!(record.key_pin, examiner::KeyPin::of(&checked.plan().spki));
}

#[test]
fn a_certificate_that_cannot_be_put_on_record_is_not_given_out() {
    let world = World::new();
    let ledger = Memory { full: true, ..Memory::default() };
    let checked = world.plan(Profile::Person, |_| {});
    let refused = now(world.signer(Role::Client).issue_on_record(&ledger, &checked)).unwrap_err();
    assert!(matches!(refused, AuthorityError::NotOnRecord(_)));
    assert_eq!(refused.to_string(), "the certificate was not put on record, and is not given out");
}
