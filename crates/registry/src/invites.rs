//! Invites: who holds the token of one has a certificate issued to its party, once.
//!
//! Of a token only its SHA-256 is kept, of a code an HMAC that is keyed with the token: what is in the database opens
//! nothing, and lets no code be guessed. A token that is unknown, used, ended, withdrawn or spent on wrong codes takes the
//! same steps, and is the same error.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use examiner::{Thumbprint, UnixTime};
use policy::{Holder, PartyName};
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::audit::AuditEvent;
use crate::certificates::{self, CertificateRow, NewCertificate};
use crate::error::{RegistryError, Result};
use crate::feed::Write;
use crate::open::{Actor, Registry};
use crate::parties;
use crate::rows::{damaged, hex, maybe_time, party, time};

/// The longest life of an invite, in seconds: 7 days.
pub const LIFE_MOST_SECONDS: i64 = 7 * 86_400;
/// So many wrong codes may be given; then the invite is not open any more.
pub const ATTEMPTS: u8 = 5;
/// How long an invite stays on record after its end, in seconds: 30 days.
const KEPT_SECONDS: i64 = 30 * 86_400;

/// An invite to be made.
#[derive(Clone, Debug)]
pub struct NewInvite {
    /// Whose certificate it will be; a party on record that is not suspended.
    pub party: PartyName,
    /// The issuance profile's name.
    pub profile: String,
    /// What the certificate will be called; a free name where absent.
    pub label: Option<String>,
    /// Whether a six-digit code is asked for beside the token.
    pub has_code: bool,
    /// Its last second; at most seven days from now.
    pub expires_at: UnixTime,
}

/// An invite that was just made. Token and code are shown once, and are nowhere else.
pub struct MadeInvite {
    /// What is on record.
    pub row: InviteRow,
    /// 128 random bits, as 32 hexadecimal digits.
    pub token: String,
    /// Six digits, where a code is asked for.
    pub code: Option<String>,
}

/// An invite on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteRow {
    /// Its name for listing and withdrawing; it opens nothing.
    pub id: String,
    /// Whose certificate it is for.
    pub party: PartyName,
    /// The issuance profile's name.
    pub profile: String,
    /// What the certificate will be called.
    pub label: Option<String>,
    /// Whether a code is asked for.
    pub has_code: bool,
    /// How many wrong codes may still be given.
    pub attempts_left: u8,
    /// When it was made.
    pub created_at: UnixTime,
    /// Its last second.
    pub expires_at: UnixTime,
}

/// What somebody brings who wants an invite's certificate.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The token, as it came.
    pub token: &'a str,
    /// The code, where one was given.
    pub code: Option<&'a str>,
    /// SHA-256 of what tells this request from others: the same again is the same request.
    pub key: Option<[u8; 32]>,
}

/// How an invite stands to who presents its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can be redeemed.
    Open(InviteRow),
    /// It was redeemed by this very request.
    Used(Used),
    /// A code is asked for, and none was given. Nothing is counted.
    CodeWanted,
    /// The code is wrong; so many more may be given.
    CodeWrong(u8),
}

/// What became of an invite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Used {
    /// Whose it was.
    pub party: PartyName,
    /// The certificate that was issued for it.
    pub thumbprint: Thumbprint,
}

impl Write {
    /// Takes back the open invites of a party: it is to get nothing more by what was sent before.
    pub(crate) async fn withdraw_invites(
        &mut self,
        party: &PartyName,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let withdrawn: Vec<String> =
            sqlx::query_scalar("DELETE FROM invites WHERE party = ?1 AND used_at IS NULL RETURNING id")
                .bind(party.as_str())
                .fetch_all(&mut *self.tx)
                .await?;
        for id in withdrawn {
            let what = format!("invite {id} withdrawn");
            self.audit(AuditEvent::changed(actor, now, &what).party(party)).await?;
        }
        Ok(())
    }
}

/// All of a row, and whether its party is suspended.
struct Kept {
    row: InviteRow,
    token_hash: Vec<u8>,
    code: Option<(Vec<u8>, Vec<u8>)>,
    used: Option<(Option<Vec<u8>>, Thumbprint)>,
    is_suspended: bool,
}

impl Registry {
    /// Makes an invite.
    ///
    /// `Err(NotFound)` without the party, `Err(Conflict)` if it is suspended or has a certificate of this label,
    /// `Err(Invalid)` if the invite would end before it begins or later than seven days from now.
    pub async fn add_invite(&self, new: NewInvite, actor: &Actor, now: UnixTime) -> Result<MadeInvite> {
        if !(1..=LIFE_MOST_SECONDS).contains(&new.expires_at.seconds().saturating_sub(now.seconds())) {
            return Err(RegistryError::Invalid { what: "an invite lasts at most 7 days".into() });
        }
        let mut write = self.write(now).await?;
        let party =
            parties::find(&mut write.tx, &new.party).await?.ok_or_else(|| parties::unknown(&new.party))?;
        if let Some(since) = party.suspended_since {
            let what = format!("party `{}` is suspended since {since}", new.party);
            return Err(RegistryError::conflict(what));
        }
        if let Some(label) = &new.label {
            let taken: Option<i64> = sqlx::query_scalar(
                "SELECT number FROM certificates WHERE holder_kind = 'party' AND holder = ?1 AND label = ?2",
            )
            .bind(new.party.as_str())
            .bind(label)
            .fetch_optional(&mut *write.tx)
            .await?;
            if taken.is_some() {
                return Err(RegistryError::conflict(format!("the label `{label}` is taken")));
            }
        }
        sqlx::query("DELETE FROM invites WHERE expires_at < ?1")
            .bind(now.plus(-KEPT_SECONDS).seconds())
            .execute(&mut *write.tx)
            .await?;
        let token = hex(&random::<16>()?);
        let code = new.has_code.then(six_digits).transpose()?;
        let salt = code.as_ref().map(|_| random::<16>()).transpose()?;
        let code_hash =
            code.as_ref().zip(salt).map(|(code, salt)| code_mac(&token, &salt, code).as_ref().to_vec());
        let row = InviteRow {
            id: hex(&random::<6>()?),
            party: new.party,
            profile: new.profile,
            label: new.label,
            has_code: new.has_code,
            attempts_left: ATTEMPTS,
            created_at: now,
            expires_at: new.expires_at,
        };
        sqlx::query(
            "INSERT INTO invites (id, token_hash, party, profile, label, code_salt, code_hash, attempts_left,
                 created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )
        .bind(&row.id)
        .bind(Sha256::digest(&token).to_vec())
        .bind(row.party.as_str())
        .bind(&row.profile)
        .bind(&row.label)
        .bind(salt.map(|salt| salt.to_vec()))
        .bind(code_hash)
        .bind(i64::from(row.attempts_left))
        .bind(row.created_at.seconds())
        .bind(row.expires_at.seconds())
        .execute(&mut *write.tx)
        .await?;
        let what = format!("invite {} made, `{}`, until {}", row.id, row.profile, row.expires_at);
        write.audit(AuditEvent::changed(actor, now, &what).party(&row.party)).await?;
        write.commit(self).await?;
        Ok(MadeInvite { row, token, code })
    }

    /// The invites that can still be redeemed, of one party or of all, oldest first.
    pub async fn open_invites(&self, party: Option<&PartyName>, now: UnixTime) -> Result<Vec<InviteRow>> {
        let rows = sqlx::query(
            "SELECT * FROM invites
             WHERE (?1 IS NULL OR party = ?1) AND used_at IS NULL AND attempts_left > 0 AND expires_at >= ?2
             ORDER BY created_at, id",
        )
        .bind(party.map(PartyName::as_str))
        .bind(now.seconds())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(invite_row).collect()
    }

    /// Withdraws an invite that was not used, and tells whose it was. `Err(NotFound)` if there is none.
    pub async fn withdraw_invite(&self, id: &str, actor: &Actor, now: UnixTime) -> Result<PartyName> {
        let mut write = self.write(now).await?;
        let row = sqlx::query("DELETE FROM invites WHERE id = ?1 AND used_at IS NULL RETURNING party")
            .bind(id)
            .fetch_optional(&mut *write.tx)
            .await?
            .ok_or_else(|| RegistryError::not_found(format!("an open invite `{}`", id.escape_debug())))?;
        let name = party(&row, "party")?;
        let what = format!("invite {id} withdrawn");
        write.audit(AuditEvent::changed(actor, now, &what).party(&name)).await?;
        write.commit(self).await?;
        Ok(name)
    }

    /// How an invite stands to who presents this. A wrong code is counted, in the same transaction as it is looked at.
    ///
    /// `Err(InviteNotOpen)` for all that opens nothing, after the same work; `Err(NotConfirmed)` where the database was
    /// restored from a copy, in which what was used since is open again.
    pub async fn present_invite(&self, presented: &Presented<'_>, now: UnixTime) -> Result<Standing> {
        if self.restored().is_some() {
            return Err(RegistryError::NotConfirmed);
        }
        let hash = Sha256::digest(presented.token);
        let mut write = self.write(now).await?;
        let found = sqlx::query(
            "SELECT invites.*, parties.suspended_since FROM invites JOIN parties ON name = party
             WHERE token_hash = ?1",
        )
        .bind(hash.to_vec())
        .fetch_optional(&mut *write.tx)
        .await?;
        let is_known = found.is_some();
        let kept = found.map_or_else(nobodys, |row| kept(&row))?;
        // Compared whatever is known already: each token costs the same.
        let is_token = is_equal(&kept.token_hash, &hash);
        let nothing = (vec![0; 16], vec![0; 32]);
        let (salt, mac) = kept.code.as_ref().unwrap_or(&nothing);
        let made = code_mac(presented.token, salt, presented.code.unwrap_or_default());
        let is_code = is_equal(mac, made.as_ref()) || kept.code.is_none();
        let (used_key, thumbprint) = match &kept.used {
            Some((key, thumbprint)) => (key.as_deref(), Some(*thumbprint)),
            None => (None, None),
        };
        let is_again = is_equal(used_key.unwrap_or(&[0; 32]), &presented.key.unwrap_or([1; 32]));
        let row = kept.row;
        let is_open = row.attempts_left > 0 && now <= row.expires_at && !kept.is_suspended;
        if !(is_known && is_token && is_open) {
            return Err(RegistryError::InviteNotOpen);
        }
        match thumbprint {
            Some(thumbprint) if is_again && is_code => {
                return Ok(Standing::Used(Used { party: row.party, thumbprint }));
            }
            Some(_) => return Err(RegistryError::InviteNotOpen),
            None => {}
        }
        if is_code {
            return Ok(Standing::Open(row));
        }
        if presented.code.is_none() {
            return Ok(Standing::CodeWanted);
        }
        let left = row.attempts_left - 1;
        sqlx::query("UPDATE invites SET attempts_left = ?2 WHERE id = ?1")
            .bind(&row.id)
            .bind(i64::from(left))
            .execute(&mut *write.tx)
            .await?;
        let actor = Actor { name: "authority".into() };
        let what = format!("invite {}: a wrong code, {left} more", row.id);
        write.audit(AuditEvent::changed(&actor, now, &what).party(&row.party)).await?;
        write.commit(self).await?;
        Ok(Standing::CodeWrong(left))
    }

    /// Puts the certificate on record that an invite is redeemed with: both, or neither.
    ///
    /// `Err(InviteNotOpen)` unless it is open at this moment and of the certificate's holder; for the rest like
    /// [`add_certificate`](Self::add_certificate).
    pub async fn redeem_invite(
        &self,
        id: &str,
        key: Option<[u8; 32]>,
        new: NewCertificate,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<CertificateRow> {
        let certificate = examiner::Certificate::from_der(&new.der)
            .map_err(|error| RegistryError::Invalid { what: error.to_string() })?;
        let Holder::Party(holder) = &new.holder else { return Err(RegistryError::InviteNotOpen) };
        let mut write = self.write(now).await?;
        let done = sqlx::query(
            "UPDATE invites SET used_at = ?3, used_key = ?4, thumbprint = ?5
             WHERE id = ?1 AND party = ?2 AND used_at IS NULL AND attempts_left > 0 AND expires_at >= ?3
                 AND (SELECT suspended_since FROM parties WHERE name = party) IS NULL",
        )
        .bind(id)
        .bind(holder.as_str())
        .bind(now.seconds())
        .bind(key.map(|key| key.to_vec()))
        .bind(certificate.thumbprint.0.to_vec())
        .execute(&mut *write.tx)
        .await?;
        if done.rows_affected() != 1 {
            return Err(RegistryError::InviteNotOpen);
        }
        write.refuse_known_key(&new, &certificate.key_pin).await?;
        certificates::insert(&mut write.tx, &new, &certificate).await?;
        let (row, record) = write.feed_certificate(&certificate.thumbprint).await?;
        let what = format!("invite {id} redeemed: certificate `{}` added", row.label);
        let event = AuditEvent::changed(actor, now, &what).holder(&record.holder).thumbprint(&row.thumbprint);
        write.audit(event).await?;
        write.commit(self).await?;
        Ok(row)
    }
}

/// What stands in the place of an invite that is not known.
fn nobodys() -> Result<Kept> {
    let row = InviteRow {
        id: String::new(),
        party: PartyName::parse("nobody").map_err(damaged)?,
        profile: String::new(),
        label: None,
        has_code: false,
        attempts_left: 0,
        created_at: UnixTime(0),
        expires_at: UnixTime(0),
    };
    Ok(Kept { row, token_hash: vec![0; 32], code: None, used: None, is_suspended: false })
}

fn kept(row: &SqliteRow) -> Result<Kept> {
    let used = maybe_time(row, "used_at")?
        .map(|_| Ok::<_, RegistryError>((row.try_get("used_key")?, crate::rows::thumbprint(row)?)));
    let code: Option<Vec<u8>> = row.try_get("code_hash")?;
    Ok(Kept {
        row: invite_row(row)?,
        token_hash: row.try_get("token_hash")?,
        code: code.map(|code| Ok::<_, sqlx::Error>((row.try_get("code_salt")?, code))).transpose()?,
        used: used.transpose()?,
        is_suspended: maybe_time(row, "suspended_since")?.is_some(),
    })
}

fn invite_row(row: &SqliteRow) -> Result<InviteRow> {
    let attempts: i64 = row.try_get("attempts_left")?;
    Ok(InviteRow {
        id: row.try_get("id")?,
        party: party(row, "party")?,
        profile: row.try_get("profile")?,
        label: row.try_get("label")?,
        has_code: row.try_get::<Option<Vec<u8>>, _>("code_hash")?.is_some(),
        attempts_left: u8::try_from(attempts).map_err(damaged)?,
        created_at: time(row, "created_at")?,
        expires_at: time(row, "expires_at")?,
    })
}

fn is_equal(one: &[u8], other: &[u8]) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}

fn code_mac(token: &str, salt: &[u8], code: &str) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes()));
    context.update(salt);
    context.update(code.as_bytes());
    context.sign()
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| RegistryError::Storage(sqlx::Error::Io(std::io::Error::other(error.to_string()))))?;
    Ok(bytes)
}

/// Six decimal digits, each of the million as likely as the others.
fn six_digits() -> Result<String> {
    const EVEN: u32 = u32::MAX - u32::MAX % 1_000_000;
    loop {
        let number = u32::from_be_bytes(random()?);
        if number < EVEN {
            return Ok(format!("{:06}", number % 1_000_000));
        }
    }
}
