//! Server certificates of hosts inside, for accounts that are bound to them: issued by the server CA, within its name
//! constraints, and written down with their order.

use std::time::Instant;

use authority::ledger::LedgerError;
use authority::{AuthorityError, Hierarchy, IssuedRecord, Ledger, Role};
use examiner::cert::pem;
use policy::issuance::{AltName, Plan, Profile, check};
use registry::{AccountRow, Actor, OrderRow, Registry};

use super::Desk;
use super::orders::{COMMON_NAME_MOST, LATER, SOON, bad_csr, not_issued};
use super::problem::{Kind, Problem};
use crate::run::signing::renew::{DAY_SECONDS, MOST_A_DAY};

/// Issues the server certificate of an order whose names are proved.
pub(super) async fn issue(
    desk: &mut Desk<'_>,
    account: &AccountRow,
    order: &OrderRow,
    spki: Vec<u8>,
) -> Result<(), Problem> {
    let signer = desk.server.ok_or_else(|| Problem::internal("the server CA's key is not here"))?;
    let since = desk.now.plus(-DAY_SECONDS);
    let recent = desk.registry.server_certificates_since(&account.party, since).await;
    let recent = recent.map_err(Problem::internal)?;
    if recent >= MOST_A_DAY {
        let detail = format!("`{}` has got {recent} server certificates within a day", account.party);
        return Err(Problem::too_many(detail, LATER));
    }
    let first = order.names.first().map(String::as_str).unwrap_or_default();
    let mut plan = Plan::new(Profile::Server, first, "", spki, signer.window(), desk.now);
    if first.chars().count() > COMMON_NAME_MOST {
        plan.common_name.clear();
    }
    plan.alt_names = order.names.iter().cloned().map(AltName::Dns).collect();
    let plan = check(plan, signer.window(), desk.now).map_err(bad_csr)?;
    desk.paces.issue(&account.party, Instant::now()).map_err(|(_, what)| Problem::too_many(what, SOON))?;
    let record = Record { registry: desk.registry, account, order, now: desk.now };
    let done = signer.issue_on_record(&record, &plan).await;
    done.map(drop).map_err(|error| match error {
        AuthorityError::NotPermitted(name) => Problem::new(
            Kind::RejectedIdentifier,
            format!("the server CA may not name `{name}`: invite the account anew"),
        ),
        other => not_issued(other),
    })
}

/// A server certificate, then the server CA; PEM.
pub(super) fn chain(der: &[u8], hierarchy: &Hierarchy) -> String {
    pem::encode("CERTIFICATE", der) + &hierarchy.certificate_pem(Role::Server)
}

/// The registry as the place where the certificate is written before it leaves, together with the end of its order.
struct Record<'a> {
    registry: &'a Registry,
    account: &'a AccountRow,
    order: &'a OrderRow,
    now: examiner::UnixTime,
}

impl Ledger for Record<'_> {
    async fn commit(&self, record: &IssuedRecord) -> Result<(), LedgerError> {
        let actor = Actor { name: "authority".into() };
        let whose = (&self.account.party, self.order.names.as_slice());
        let done =
            self.registry.fulfil_server_order(&self.order.id, whose, &record.der, &actor, self.now).await;
        done.map_err(|error| LedgerError(Box::new(error)))
    }
}
