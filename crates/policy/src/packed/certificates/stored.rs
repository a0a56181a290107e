//! Packed certificates as bytes: as they lie there, so that a million are read back in a fraction of a second.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Result, Write};
use std::sync::Arc;

use examiner::{KeyPin, Thumbprint, UnixTime};

use super::{Base, Certificates, NEVER, NO_EXCEPTIONS, Packed, Rare, by_key};
use crate::names::is_name;
use crate::packed::prefixes::{Prefixes, key};
use crate::packed::stored::{Put, Take, invalid};
use crate::packed::texts::Texts;
use crate::record::{CertificateRecord, Holder, OperatorRole, Origin, PinExceptions, Revoked};

/// Bytes of a certificate: thumbprint, key, end beside its successor, holder, label, origin, role.
const ROW: usize = 82;

impl Certificates {
    /// Writes all of them, sorted by thumbprint.
    pub(crate) fn write_to(&self, out: &mut Put<'_, impl Write>) -> Result<()> {
        let changed: BTreeMap<[u8; 32], &CertificateRecord> = self
            .overlay
            .iter()
            .filter_map(|(thumbprint, record)| Some((thumbprint.0, record.as_deref()?)))
            .collect();
        // The texts of the changed ones stand after the packed ones'.
        let mut more = Texts::default();
        let mut rows = Vec::with_capacity(changed.len());
        for (thumbprint, record) in &changed {
            let (name, role) = match &record.holder {
                Holder::Party(name) => (name, None),
                Holder::Operator { name, role } => (name, Some(*role)),
            };
            rows.push(Packed {
                thumbprint: Thumbprint(*thumbprint),
                key_pin: record.key_pin,
                superseded_after: record.superseded_after.map_or(NEVER, UnixTime::seconds),
                holder: self.base.texts.len() + more.push(name.as_str()),
                label: self.base.texts.len() + more.push(&record.label),
                origin: record.origin,
                role,
            });
        }
        self.base.texts.write_to(&more, out)?;
        out.count(self.len())?;
        let is_unchanged = |thumbprint: &Thumbprint| !self.overlay.contains_key(thumbprint);
        let mut rows = rows.iter().peekable();
        for packed in self.base.packed.iter().filter(|one| is_unchanged(&one.thumbprint)) {
            while let Some(row) = rows.next_if(|row| row.thumbprint.0 < packed.thumbprint.0) {
                put_row(out, row)?;
            }
            put_row(out, packed)?;
        }
        rows.try_for_each(|row| put_row(out, row))?;
        let unchanged = self.base.rare.iter().filter(|(thumbprint, _)| is_unchanged(thumbprint));
        let unchanged =
            unchanged.map(|(thumbprint, rare)| (&thumbprint.0, rare.revoked.as_ref(), &rare.exceptions));
        let changed =
            changed.iter().map(|(thumbprint, one)| (thumbprint, one.revoked.as_ref(), &one.exceptions));
        let is_rare = |(_, revoked, exceptions): &(_, Option<&Revoked>, &PinExceptions)| {
            revoked.is_some() || **exceptions != NO_EXCEPTIONS
        };
        let rare: Vec<_> = unchanged.chain(changed.filter(is_rare)).collect();
        out.count(rare.len())?;
        for (thumbprint, revoked, exceptions) in rare {
            out.bytes(thumbprint)?;
            out.revoked(revoked)?;
            out.exceptions(exceptions)?;
        }
        Ok(())
    }

    /// Reads what [`write_to`](Self::write_to) wrote; `Err(InvalidData)` for what cannot be.
    pub(crate) fn read_from(input: &mut Take<'_, impl Read>) -> Result<Self> {
        let texts = Texts::read_from(input)?;
        let count = input.count(ROW)?;
        let mut packed: Vec<Packed> = Vec::with_capacity(count);
        input.rows::<ROW>(count, |row| {
            let one = row_of(row)?;
            if packed.last().is_some_and(|last| last.thumbprint.0 >= one.thumbprint.0) {
                return invalid("the certificates are not sorted");
            }
            let has_text = |number: u32| number < texts.len();
            if !has_text(one.holder) || !has_text(one.label) || !is_name(texts.get(one.holder)) {
                return invalid("a certificate has no holder");
            }
            packed.push(one);
            Ok(())
        })?;
        let count = input.count(35)?;
        let mut rare = HashMap::with_capacity(count);
        for _ in 0..count {
            let thumbprint = Thumbprint(input.array()?);
            rare.insert(thumbprint, Rare { revoked: input.revoked()?, exceptions: input.exceptions()? });
        }
        let by_key = by_key(&packed);
        let base = Base {
            prefixes: Prefixes::of(packed.iter().map(|one| key(&one.thumbprint.0))),
            texts,
            rare,
            packed,
            by_key,
        };
        if base.rare.keys().any(|thumbprint| base.find(thumbprint).is_none()) {
            return invalid("a revocation is of no certificate");
        }
        let pinned = base.by_key.len();
        Ok(Self { base: Arc::new(base), pinned, ..Self::default() })
    }
}

fn put_row(out: &mut Put<'_, impl Write>, one: &Packed) -> Result<()> {
    let mut row = [0; ROW];
    row[..32].copy_from_slice(&one.thumbprint.0);
    row[32..64].copy_from_slice(&one.key_pin.0);
    row[64..72].copy_from_slice(&one.superseded_after.to_le_bytes());
    row[72..76].copy_from_slice(&one.holder.to_le_bytes());
    row[76..80].copy_from_slice(&one.label.to_le_bytes());
    row[80] = match one.origin {
        Origin::Pinned => 1,
        Origin::Own => 2,
    };
    row[81] = match one.role {
        None => 0,
        Some(OperatorRole::Viewer) => 1,
        Some(OperatorRole::Operator) => 2,
        Some(OperatorRole::Owner) => 3,
    };
    out.bytes(&row)
}

fn row_of(row: &[u8; ROW]) -> Result<Packed> {
    let digest = |at: usize| std::array::from_fn::<u8, 32, _>(|i| row[at + i]);
    let number = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| row[at + i]));
    Ok(Packed {
        thumbprint: Thumbprint(digest(0)),
        key_pin: KeyPin(digest(32)),
        superseded_after: i64::from_le_bytes(std::array::from_fn(|i| row[64 + i])),
        holder: number(72),
        label: number(76),
        origin: match row[80] {
            1 => Origin::Pinned,
            2 => Origin::Own,
            _ => return invalid("a certificate came on record by no way that there is"),
        },
        role: match row[81] {
            0 => None,
            1 => Some(OperatorRole::Viewer),
            2 => Some(OperatorRole::Operator),
            3 => Some(OperatorRole::Owner),
            _ => return invalid("an operator has no role that there is"),
        },
    })
}
