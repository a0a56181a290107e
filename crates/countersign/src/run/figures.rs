//! Figures of the policy in force, in Prometheus' text: what the gate itself cannot count.
//!
//! They are made where the registry is followed, never while somebody waits for them. The labels are the
//! configuration's own words: sites, CAs and states, never a visitor's data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use examiner::UnixTime;
use policy::site::Principal;
use policy::verify::Anchor;
use policy::{HolderView, HostName, Snapshot};

use super::humble::humbly;

/// Upper ends, in seconds, of the times between a revocation and its being in force. Changes are dated to the second.
const STEPS: [i64; 6] = [0, 1, 2, 5, 10, 60];
/// Counting certificates takes at most this share of the time: one in so many.
const SHARE: u32 = 50;
/// So many certificates are not counted while a gate begins: all that it does then, somebody waits for.
const MANY: usize = 100_000;
/// They are counted when the gate next reports that it is there, at the earliest after this.
const BEGINNING: Duration = Duration::from_secs(10);

/// What is shown; copies show the same.
#[derive(Clone, Default)]
pub struct Figures(Arc<Mutex<Shown>>);

#[derive(Default)]
struct Shown {
    has_failed_reload: bool,
    pending: usize,
    /// Until when each CA's certificate lasts; of several the one that ends first.
    cas: BTreeMap<String, i64>,
    /// Certificates by site and state.
    certificates: BTreeMap<(String, &'static str), usize>,
    /// When the first policy was noted.
    begun: Option<Instant>,
    counted: Option<(Instant, Duration)>,
    is_counting: bool,
    /// Revocations by the time they took, and one count for what took longer.
    propagated: [u64; STEPS.len() + 1],
    seconds: i64,
}

impl Figures {
    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the last reload ended.
    pub fn reloaded(&self, is_ok: bool) {
        self.shown().has_failed_reload = !is_ok;
    }

    /// How many certificates are pending.
    pub fn pending(&self, count: usize) {
        self.shown().pending = count;
    }

    /// A revocation of this moment is in force now.
    pub fn propagated(&self, at: UnixTime, now: UnixTime) {
        let took = (now.seconds() - at.seconds()).max(0);
        let step = STEPS.iter().position(|step| took <= *step).unwrap_or(STEPS.len());
        let mut shown = self.shown();
        shown.propagated[step] += 1;
        shown.seconds += took;
    }

    /// The policy that holds now. Certificates are counted again when the last count is old enough for what it took, on
    /// a thread of its own: neither a start nor a revocation waits for that. Needs a runtime.
    pub fn note(&self, snapshot: &Snapshot, now: UnixTime) {
        let mut cas = BTreeMap::new();
        for Anchor { ca, .. } in snapshot.sites.values().flat_map(|site| site.anchors.anchors()) {
            if let Some(end) = ca.anchors.iter().map(|one| one.not_after.seconds()).min() {
                cas.insert(ca.name.clone(), end);
            }
        }
        let is_due = {
            let mut shown = self.shown();
            shown.cas = cas;
            let begun = *shown.begun.get_or_insert_with(Instant::now);
            let is_due = !shown.is_counting
                && match shown.counted {
                    Some((at, took)) => at.elapsed() > took * SHARE,
                    None => snapshot.records.certificates.len() < MANY || begun.elapsed() > BEGINNING,
                };
            shown.is_counting |= is_due;
            is_due
        };
        if is_due {
            let (figures, snapshot) = (self.clone(), snapshot.clone());
            tokio::task::spawn_blocking(move || {
                let begun = Instant::now();
                let certificates = humbly(|| certificates(&snapshot, now));
                let mut shown = figures.shown();
                shown.certificates = certificates;
                shown.counted = Some((Instant::now(), begun.elapsed()));
                shown.is_counting = false;
            });
        }
    }

    /// All of it.
    pub fn text(&self) -> String {
        let shown = self.shown();
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, lines: &mut dyn Iterator<Item = String>| {
            let _ = writeln!(text, "# HELP {name} {help}.\n# TYPE {name} {kind}");
            lines.for_each(|line| {
                let _ = writeln!(text, "{name}{line}");
            });
        };
        let one = |value: String| std::iter::once(format!(" {value}"));
        family(
            "countersign_build_info",
            "gauge",
            "The version that runs",
            &mut std::iter::once(format!("{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))),
        );
        family(
            "countersign_config_last_reload_successful",
            "gauge",
            "Whether the last reload was taken",
            &mut one(u8::from(!shown.has_failed_reload).to_string()),
        );
        family(
            "countersign_pending_certificates",
            "gauge",
            "Certificates that knocked and wait for the owner",
            &mut one(shown.pending.to_string()),
        );
        family(
            "countersign_ca_certificate_not_after_timestamp_seconds",
            "gauge",
            "End of a CA's certificate",
            &mut shown.cas.iter().map(|(ca, end)| format!("{{ca=\"{ca}\"}} {end}")),
        );
        family(
            "countersign_party_certificates",
            "gauge",
            "Certificates on record by the sites that their parties are granted",
            &mut shown
                .certificates
                .iter()
                .map(|((site, state), count)| format!("{{site=\"{site}\",state=\"{state}\"}} {count}")),
        );
        let mut sum = 0;
        let ends = STEPS.iter().map(i64::to_string).chain(["+Inf".to_owned()]);
        let buckets: Vec<String> = ends
            .zip(shown.propagated)
            .map(|(end, count)| {
                sum += count;
                format!("_bucket{{le=\"{end}\"}} {sum}")
            })
            .collect();
        let totals = [format!("_sum {}", shown.seconds), format!("_count {sum}")];
        family(
            "countersign_revocation_propagation_seconds",
            "histogram",
            "From a revocation to its being in force, in whole seconds",
            &mut buckets.into_iter().chain(totals),
        );
        text
    }
}

/// Certificates on record by site and state. An operator's are not counted.
fn certificates(snapshot: &Snapshot, now: UnixTime) -> BTreeMap<(String, &'static str), usize> {
    let named: Vec<(&HostName, &Principal)> = snapshot
        .sites
        .values()
        .flat_map(|site| site.allow.iter().map(|one| (&site.name, one)))
        .filter(|(_, one)| !matches!(one, Principal::Ca(_)))
        .collect();
    let mut counts: BTreeMap<(&HostName, &'static str), usize> = BTreeMap::new();
    let mut count = |site, state| *counts.entry((site, state)).or_insert(0) += 1;
    for (_, record) in snapshot.records.certificates.iter() {
        let HolderView::Party(name) = record.holder else { continue };
        let party = snapshot.records.parties.named(name);
        let state = if record.revoked.is_some() {
            "revoked"
        } else if party.is_some_and(|party| party.suspended_since.is_some()) {
            "suspended"
        } else if record.superseded_after.is_some_and(|until| until < now) {
            "superseded"
        } else {
            "valid"
        };
        let grants = party.into_iter().flat_map(|party| party.grants);
        if named.is_empty() {
            grants.for_each(|site| count(site, state));
        } else {
            let listed = named.iter().filter(|(_, one)| is_named(snapshot, one, name)).map(|(site, _)| *site);
            grants.chain(listed).collect::<BTreeSet<_>>().into_iter().for_each(|site| count(site, state));
        }
    }
    counts.into_iter().map(|((site, state), count)| ((site.to_string(), state), count)).collect()
}

/// Whether the configuration names this party, or its group.
fn is_named(snapshot: &Snapshot, principal: &Principal, name: &str) -> bool {
    match principal {
        Principal::Party(id) => id == name,
        Principal::Group(group) => snapshot.groups.get(group).is_some_and(|members| members.contains(name)),
        Principal::Ca(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_there_before_anything_happened() {
        let text = Figures::default().text();
        for line in [
            "countersign_config_last_reload_successful 1",
            "countersign_pending_certificates 0",
            "countersign_revocation_propagation_seconds_bucket{le=\"+Inf\"} 0",
            "# TYPE countersign_ca_certificate_not_after_timestamp_seconds gauge",
            "# TYPE countersign_party_certificates gauge",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}:\n{text}");
        }
        assert!(text.contains("countersign_build_info{version=\""), "{text}");
    }

    #[test]
    fn a_propagation_counts_in_every_step_that_it_reached_in_time() {
        let figures = Figures::default();
        for took in [0, 1, 7, 100] {
            figures.propagated(UnixTime(1_000), UnixTime(1_000 + took));
        }
        let text = figures.text();
        for (end, count) in [("0", 1), ("1", 2), ("5", 2), ("10", 3), ("60", 3), ("+Inf", 4)] {
            let line = format!("countersign_revocation_propagation_seconds_bucket{{le=\"{end}\"}} {count}");
            assert!(text.lines().any(|one| one == line), "{line}:\n{text}");
        }
        assert!(text.contains("countersign_revocation_propagation_seconds_sum 108"), "{text}");
    }

    #[test]
    fn a_failed_reload_shows_until_the_next_one_is_taken() {
        let figures = Figures::default();
        figures.reloaded(false);
        assert!(figures.text().contains("countersign_config_last_reload_successful 0"));
        figures.reloaded(true);
        assert!(figures.text().contains("countersign_config_last_reload_successful 1"));
    }
}
