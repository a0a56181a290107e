//! Columns to values and back.

use examiner::{KeyPin, Thumbprint, UnixTime};
use policy::record::{PinExceptions, Revoked};
use policy::{HostName, PartyName};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::error::{RegistryError, Result};

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn damaged(what: impl std::fmt::Display) -> RegistryError {
    RegistryError::Damaged(what.to_string())
}

pub(crate) fn digest(row: &SqliteRow, column: &str) -> Result<[u8; 32]> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().map_err(|_| damaged(format!("`{column}` is no SHA-256")))
}

pub(crate) fn thumbprint(row: &SqliteRow) -> Result<Thumbprint> {
    digest(row, "thumbprint").map(Thumbprint)
}

pub(crate) fn key_pin(row: &SqliteRow) -> Result<KeyPin> {
    digest(row, "key_pin").map(KeyPin)
}

pub(crate) fn time(row: &SqliteRow, column: &str) -> Result<UnixTime> {
    Ok(UnixTime(row.try_get(column)?))
}

pub(crate) fn maybe_time(row: &SqliteRow, column: &str) -> Result<Option<UnixTime>> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(UnixTime))
}

pub(crate) fn party(row: &SqliteRow, column: &str) -> Result<PartyName> {
    PartyName::parse(row.try_get(column)?).map_err(damaged)
}

pub(crate) fn host(row: &SqliteRow, column: &str) -> Result<HostName> {
    HostName::parse(row.try_get(column)?).map_err(damaged)
}

pub(crate) fn revoked(row: &SqliteRow) -> Result<Option<Revoked>> {
    let Some(at) = maybe_time(row, "revoked_at")? else { return Ok(None) };
    Ok(Some(Revoked { at, reason: row.try_get("revoked_reason")? }))
}

pub(crate) fn exceptions(row: &SqliteRow) -> Result<PinExceptions> {
    Ok(PinExceptions {
        without_client_usage_until: maybe_time(row, "without_client_usage_until")?,
        ca_certificate_until: maybe_time(row, "ca_certificate_until")?,
    })
}
