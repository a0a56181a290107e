//! Who could enter in a stretch of time that is over: by what is on record now, and by what the audit says has changed.
//!
//! What the configuration allowed is not on record, and neither is what happened before the audit begins.

use std::collections::BTreeMap;

use examiner::cert::{ThumbprintText, parse_thumbprint_text};
use examiner::{Thumbprint, UnixTime};
use policy::{HostName, PartyName};
use sqlx::{Row, SqliteConnection};

use crate::audit::AuditEvent;
use crate::error::Result;
use crate::feed::WRITER;
use crate::open::Registry;
use crate::revocation::HOLD;
use crate::rows::{damaged, host, maybe_time, party, thumbprint, time};
use crate::said::Said;

/// What the record says of a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The parties that had a way in at some second of it, by name.
    pub parties: Vec<PastParty>,
    /// The CAs that sites were granted to, each with the site.
    pub cas: Vec<(HostName, String)>,
    /// When the audit begins; `None` where nothing of it was removed.
    pub begins: Option<UnixTime>,
    /// Certificates were released from hold by a rule since: which, it does not say.
    pub many_released: bool,
}

/// A party as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastParty {
    /// Its name.
    pub name: PartyName,
    /// The sites that were granted to it while it had a way in.
    pub granted: Vec<HostName>,
    /// What led to it.
    pub ways: Vec<PastWay>,
    /// It was removed since, and not all of what it had is on record.
    pub is_incomplete: bool,
}

/// A way in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PastWay {
    /// The certificate of this label.
    Certificate(String, Thumbprint),
    /// Any certificate with the key of this label.
    Key(String),
    /// A certificate of this CA with this subject.
    Subject {
        /// The CA.
        ca: String,
        /// The subject, RFC 4514.
        subject: String,
    },
}

/// Stretches of time, both ends included, in order.
type Spans = Vec<(i64, i64)>;

const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);

impl Registry {
    /// Who could enter between these moments, both included.
    pub async fn who_could_enter(&self, from: UnixTime, until: UnixTime) -> Result<Past> {
        let mut tx = self.readers.begin().await?;
        let begins = begins(&mut tx, until).await?;
        let mut story = Story::default();
        story.read(&mut tx).await?;
        story.compare(&mut tx).await?;
        Ok(story.tell((from.seconds(), until.seconds()), begins))
    }
}

/// When the audit's entries of the registry begin, where older ones were removed; after `until` where none are left.
async fn begins(tx: &mut SqliteConnection, until: UnixTime) -> Result<Option<UnixTime>> {
    let removed: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_checkpoints WHERE writer = ?1")
        .bind(WRITER)
        .fetch_one(&mut *tx)
        .await?;
    if removed == 0 {
        return Ok(None);
    }
    let first: Option<i64> = sqlx::query_scalar("SELECT min(time) FROM audit WHERE writer = ?1")
        .bind(WRITER)
        .fetch_one(tx)
        .await?;
    Ok(Some(UnixTime(first.unwrap_or(until.seconds().saturating_add(1)))))
}

/// Something that was so and was not, by turns.
#[derive(Default)]
struct Turns {
    /// When it became so, or ceased to be.
    changes: Vec<(i64, bool)>,
    /// Whether it is so now; where nobody knows, it is as the last change left it.
    is_now: Option<bool>,
}

impl Turns {
    fn change(&mut self, at: i64, on: bool) {
        self.changes.push((at, on));
    }

    /// Ends it, where it is so.
    fn end(&mut self, at: i64) {
        if self.changes.last().is_none_or(|(_, on)| *on) {
            self.change(at, false);
        }
    }

    fn spans(&self) -> Spans {
        let Some((_, first)) = self.changes.first() else {
            return if self.is_now == Some(true) { vec![ALWAYS] } else { Vec::new() };
        };
        let (mut spans, mut since) = (Spans::new(), (!first).then_some(i64::MIN));
        for (at, on) in &self.changes {
            match (on, since) {
                (true, None) => since = Some(*at),
                (false, Some(from)) => {
                    spans.push((from, *at));
                    since = None;
                }
                _ => {}
            }
        }
        spans.extend(since.map(|from| (from, i64::MAX)));
        spans
    }
}

fn both(some: &[(i64, i64)], others: &[(i64, i64)]) -> Spans {
    let pairs = some.iter().flat_map(|a| others.iter().map(move |b| (a.0.max(b.0), a.1.min(b.1))));
    let mut spans: Spans = pairs.filter(|(from, until)| from <= until).collect();
    spans.sort_unstable();
    spans
}

/// All but these, without the seconds in which they begin.
fn without(spans: &[(i64, i64)]) -> Spans {
    let (mut rest, mut from) = (Spans::new(), i64::MIN);
    for (begin, end) in spans {
        rest.push((from, *begin));
        from = *end;
    }
    if spans.last().is_none_or(|(_, end)| *end < i64::MAX) {
        rest.push((from, i64::MAX));
    }
    rest
}

/// A certificate or key of a party.
#[derive(Default)]
struct Thing {
    label: String,
    /// On record, and not on hold.
    turns: Turns,
    /// Its own dates and its end, as far as they are on record.
    within: Option<(i64, i64)>,
}

/// What is known of a party.
#[derive(Default)]
struct One {
    exists: Turns,
    suspended: Turns,
    grants: BTreeMap<HostName, Turns>,
    certificates: BTreeMap<Thumbprint, Thing>,
    keys: BTreeMap<String, Thing>,
    subjects: BTreeMap<(String, String), Turns>,
}

#[derive(Default)]
struct Story {
    parties: BTreeMap<PartyName, One>,
    cas: BTreeMap<(HostName, String), Turns>,
    many_released: bool,
}

impl Story {
    /// What the audit says has changed.
    async fn read(&mut self, tx: &mut SqliteConnection) -> Result<()> {
        let entries: Vec<String> = sqlx::query_scalar(
            "SELECT entry FROM audit WHERE verdict = 'changed' AND writer = ?1 ORDER BY id",
        )
        .bind(WRITER)
        .fetch_all(tx)
        .await?;
        for entry in &entries {
            let event: AuditEvent = serde_json::from_str(entry).map_err(damaged)?;
            if let Some(said) = event.detail.as_deref().and_then(Said::read) {
                self.hear(&event, said);
            }
        }
        Ok(())
    }

    fn hear(&mut self, event: &AuditEvent, said: Said<'_>) {
        let at = event.time.seconds();
        let site = event.site.as_deref().and_then(|site| HostName::parse(site).ok());
        match said {
            Said::GrantedToCa(ca) | Said::UngrantedFromCa(ca) => {
                let Some(site) = site else { return };
                let on = matches!(said, Said::GrantedToCa(_));
                return self.cas.entry((site, ca.to_owned())).or_default().change(at, on);
            }
            Said::CaRemoved(ca) => {
                let own = self.cas.iter_mut().filter(|((_, name), _)| name == ca);
                return own.for_each(|(_, turns)| turns.end(at));
            }
            Said::ManyReleased => {
                self.many_released = true;
                return;
            }
            _ => {}
        }
        let Some(name) = event.party.as_deref().and_then(|name| PartyName::parse(name).ok()) else { return };
        let one = self.parties.entry(name).or_default();
        let hex = event.thumbprint.as_deref().unwrap_or_default();
        let thumbprint = match parse_thumbprint_text(hex) {
            Ok(ThumbprintText::Sha256(thumbprint)) => Some(thumbprint),
            _ => None,
        };
        match (said, thumbprint, site) {
            (Said::PartyAdded, ..) => one.exists.change(at, true),
            (Said::PartyRemoved, ..) => one.remove(at),
            (Said::Suspended, ..) => one.suspended.change(at, true),
            (Said::Resumed, ..) => one.suspended.change(at, false),
            (Said::Granted, _, Some(site)) => one.grants.entry(site).or_default().change(at, true),
            (Said::Ungranted, _, Some(site)) => one.grants.entry(site).or_default().change(at, false),
            (Said::CertificateAdded(label), Some(thumbprint), _) => {
                let thing = one.certificates.entry(thumbprint).or_default();
                label.clone_into(&mut thing.label);
                // One that is on record already only takes exceptions over.
                if thing.turns.changes.last().is_none_or(|(_, on)| !on) {
                    thing.turns.change(at, true);
                }
            }
            (Said::CertificateRevoked(_, HOLD), Some(thumbprint), _) => {
                one.certificates.entry(thumbprint).or_default().turns.end(at);
            }
            (Said::CertificateReleased(_), Some(thumbprint), _) => {
                one.certificates.entry(thumbprint).or_default().turns.change(at, true);
            }
            (Said::KeyPinned(label, _) | Said::KeyReleased(label), ..) => {
                one.keys.entry(label.to_owned()).or_default().turns.change(at, true);
            }
            (Said::KeyRevoked(label, HOLD, _), ..) => {
                one.keys.entry(label.to_owned()).or_default().turns.end(at)
            }
            (Said::SubjectAdded(subject, ca), ..) => {
                one.subjects.entry((ca.to_owned(), subject.to_owned())).or_default().change(at, true);
            }
            (Said::SubjectRemoved(subject, ca), ..) => {
                one.subjects.entry((ca.to_owned(), subject.to_owned())).or_default().change(at, false);
            }
            _ => {}
        }
    }
}

impl One {
    /// What it was between these moments; `None` where nothing led to it, as far as anybody knows.
    fn tell(self, name: PartyName, stretch: (i64, i64)) -> Option<PastParty> {
        let here = both(&self.exists.spans(), &[stretch]);
        let active = both(&here, &without(&self.suspended.spans()));
        let (mut had, mut ways) = (Spans::new(), Vec::new());
        let mut has_lost_dates = false;
        let mut led = |spans: Spans, way: PastWay| {
            let spans = both(&spans, &active);
            let has_led = !spans.is_empty();
            if has_led {
                ways.push(way);
                had.extend(spans);
            }
            has_led
        };
        for (thumbprint, Thing { label, turns, within }) in self.certificates {
            let spans = both(&turns.spans(), &[within.unwrap_or(ALWAYS)]);
            has_lost_dates |= led(spans, PastWay::Certificate(label, thumbprint)) && within.is_none();
        }
        for (label, Thing { turns, within, .. }) in self.keys {
            led(both(&turns.spans(), &[within.unwrap_or(ALWAYS)]), PastWay::Key(label));
        }
        for ((ca, subject), turns) in self.subjects {
            led(turns.spans(), PastWay::Subject { ca, subject });
        }
        // What it had before the audit begins went with it.
        let began_before = self.exists.changes.first().is_some_and(|(_, on)| !on);
        let is_incomplete = !here.is_empty() && (began_before || has_lost_dates);
        if ways.is_empty() && !is_incomplete {
            return None;
        }
        ways.sort();
        let of_then = |turns: &Turns| !both(&turns.spans(), &had).is_empty();
        let granted = self.grants.iter().filter(|(_, turns)| of_then(turns)).map(|(site, _)| site.clone());
        Some(PastParty { name, granted: granted.collect(), ways, is_incomplete })
    }

    /// Everything of it ends; what is on record of its certificates says so by itself.
    fn remove(&mut self, at: i64) {
        self.exists.end(at);
        if !self.suspended.changes.is_empty() {
            self.suspended.end(at);
        }
        self.grants.values_mut().for_each(|turns| turns.end(at));
        self.subjects.values_mut().for_each(|turns| turns.end(at));
        self.certificates.values_mut().for_each(|thing| thing.turns.end(at));
        self.keys.values_mut().for_each(|thing| thing.turns.end(at));
    }
}

impl Story {
    /// What is on record now.
    async fn compare(&mut self, tx: &mut SqliteConnection) -> Result<()> {
        for row in
            sqlx::query("SELECT name, created_at, suspended_since FROM parties").fetch_all(&mut *tx).await?
        {
            let one = self.parties.entry(party(&row, "name")?).or_default();
            if one.exists.changes.is_empty() {
                one.exists.change(time(&row, "created_at")?.seconds(), true);
            }
            if let (Some(since), true) =
                (maybe_time(&row, "suspended_since")?, one.suspended.changes.is_empty())
            {
                one.suspended.change(since.seconds(), true);
            }
        }
        for row in sqlx::query("SELECT party, site FROM grants").fetch_all(&mut *tx).await? {
            let one = self.parties.entry(party(&row, "party")?).or_default();
            one.grants.entry(host(&row, "site")?).or_default().is_now = Some(true);
        }
        let rows = sqlx::query(
            "SELECT holder, thumbprint, label, not_before, not_after, superseded_after, revoked_at FROM certificates
             WHERE holder_kind = 'party'",
        )
        .fetch_all(&mut *tx)
        .await?;
        for row in &rows {
            let one = self.parties.entry(party(row, "holder")?).or_default();
            let thing = one.certificates.entry(thumbprint(row)?).or_default();
            thing.label = row.try_get("label")?;
            thing.turns.is_now = Some(true);
            let ends = [maybe_time(row, "superseded_after")?, maybe_time(row, "revoked_at")?];
            let end = ends.into_iter().flatten().fold(time(row, "not_after")?, UnixTime::min);
            thing.within = Some((time(row, "not_before")?.seconds(), end.seconds()));
        }
        // Entries tell of operators' certificates by the same words.
        for row in sqlx::query("SELECT holder, thumbprint FROM certificates WHERE holder_kind = 'operator'")
            .fetch_all(&mut *tx)
            .await?
        {
            if let Some(namesake) = self.parties.get_mut(&party(&row, "holder")?) {
                namesake.certificates.remove(&thumbprint(&row)?);
            }
        }
        for row in sqlx::query("SELECT party, label, revoked_at FROM keys").fetch_all(&mut *tx).await? {
            let one = self.parties.entry(party(&row, "party")?).or_default();
            let thing = one.keys.entry(row.try_get("label")?).or_default();
            thing.turns.is_now = Some(true);
            let end = maybe_time(&row, "revoked_at")?.map_or(i64::MAX, UnixTime::seconds);
            thing.within = Some((i64::MIN, end));
        }
        for row in sqlx::query("SELECT ca, shown, party FROM subjects").fetch_all(&mut *tx).await? {
            let one = self.parties.entry(party(&row, "party")?).or_default();
            let rule = (row.try_get("ca")?, row.try_get("shown")?);
            one.subjects.entry(rule).or_default().is_now = Some(true);
        }
        for row in sqlx::query("SELECT site, ca FROM ca_grants").fetch_all(&mut *tx).await? {
            let grant = (host(&row, "site")?, row.try_get("ca")?);
            self.cas.entry(grant).or_default().is_now = Some(true);
        }
        Ok(())
    }

    fn tell(self, stretch: (i64, i64), begins: Option<UnixTime>) -> Past {
        let parties = self.parties.into_iter().filter_map(|(name, one)| one.tell(name, stretch)).collect();
        let cas = self.cas.into_iter().filter(|(_, turns)| !both(&turns.spans(), &[stretch]).is_empty());
        Past {
            parties,
            cas: cas.map(|(grant, _)| grant).collect(),
            begins,
            many_released: self.many_released,
        }
    }
}
