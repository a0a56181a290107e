//! Machines by ACME (RFC 8555): external account bindings, accounts, orders, authorisations.
//!
//! A binding names a party, a profile and the names that may be ordered; who brings the MAC that goes with it makes one
//! account, which then stands for the party. The key of that MAC is not here: it is made of the binding's identifier and
//! a secret outside the database. Of an account its public key is kept.
//!
//! - [`accounts`]: who may order. [`orders`]: what is ordered, and what is to be proved before. [`servers`]: server
//!   certificates, which are on record nowhere else.

pub mod accounts;
pub mod orders;
pub mod servers;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::Result;
use crate::rows::damaged;

pub use accounts::{AccountRow, BindingRow, NewBinding};
pub use orders::{
    AuthorisationRow, AuthorisationState, NewOrder, OPEN_ORDERS_MOST, ORDER_SECONDS, OrderRow, ToProve,
};
pub use servers::ServerCertificateRow;

/// Texts in one column, as JSON.
fn list(texts: &[String]) -> Result<String> {
    serde_json::to_string(texts).map_err(damaged)
}

fn unlisted(row: &SqliteRow, column: &str) -> Result<Vec<String>> {
    serde_json::from_str(row.try_get(column)?).map_err(damaged)
}
