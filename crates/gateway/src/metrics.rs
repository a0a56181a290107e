//! The gate's metrics. Labels are names of sites, codes and fixed words only, never a visitor's data.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use policy::{Code, HostName};
use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::listen::Full;
use crate::settings::UpstreamView;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Site {
    site: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TrustedIssuer {
    ca: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Handshake {
    site: String,
    protocol: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    site: String,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    site: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limit {
    limit: &'static str,
}

/// Upper ends of the durations counted together, in seconds.
const STEPS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Durations by size, counted without a lock. Copies count together.
#[derive(Clone, Debug, Default)]
struct Histogram(Arc<Durations>);

#[derive(Debug, Default)]
struct Durations {
    /// One for each step, and one for what is longer.
    counts: [AtomicU64; STEPS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Histogram {
    fn observe(&self, taken: Duration) {
        let seconds = taken.as_secs_f64();
        let step = STEPS.iter().position(|step| seconds <= *step).unwrap_or(STEPS.len());
        self.0.counts[step].fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(taken.as_nanos()).unwrap_or(u64::MAX);
        self.0.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
        let ends = STEPS.into_iter().chain([f64::INFINITY]);
        let counts = self.0.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = ends.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = self.0.nanoseconds.load(Ordering::Relaxed) as f64 / 1e9;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Everything that is counted here.
pub(crate) struct Metrics {
    registry: Registry,
    turned_away: Family<Limit, Counter>,
    handshakes: Family<Handshake, Counter>,
    requests: Family<Request, Counter>,
    refusals: Family<Refusal, Counter>,
    exceptions: Family<Site, Counter>,
    open: Family<Site, Gauge>,
    not_after: Family<Site, Gauge>,
    list_due: Family<TrustedIssuer, Gauge>,
    generation: Gauge<u64, AtomicU64>,
    handshake_seconds: Histogram,
    request_seconds: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut all = Self {
            registry: Registry::default(),
            turned_away: Family::default(),
            handshakes: Family::default(),
            requests: Family::default(),
            refusals: Family::default(),
            exceptions: Family::default(),
            open: Family::default(),
            not_after: Family::default(),
            list_due: Family::default(),
            generation: Gauge::default(),
            handshake_seconds: Histogram::default(),
            request_seconds: Histogram::default(),
        };
        let registry = &mut all.registry;
        let name = "countersign_connections_turned_away";
        registry.register(name, "Connections that a limit left no place for", all.turned_away.clone());
        registry.register("countersign_handshakes", "TLS handshakes", all.handshakes.clone());
        registry.register("countersign_requests", "Requests by verdict", all.requests.clone());
        registry.register("countersign_refusals", "Refusals by reason", all.refusals.clone());
        registry.register(
            "countersign_exceptions_used",
            "Admissions under a dated exception",
            all.exceptions.clone(),
        );
        registry.register("countersign_open_connections", "Open connections", all.open.clone());
        let name = "countersign_server_certificate_not_after_timestamp_seconds";
        registry.register(name, "End of the site's own certificate", all.not_after.clone());
        let name = "countersign_crl_next_update_timestamp_seconds";
        registry.register(name, "When a CA's next revocation list is due", all.list_due.clone());
        registry.register(
            "countersign_policy_generation",
            "Generation of the policy in force",
            all.generation.clone(),
        );
        let name = "countersign_handshake_duration_seconds";
        registry.register(name, "Accept to the end of the handshake", all.handshake_seconds.clone());
        let name = "countersign_request_duration_seconds";
        registry.register(name, "Request to the end of its answer", all.request_seconds.clone());
        // They begin at zero, so that an alarm sees the first one.
        for full in Full::ALL {
            drop(all.turned_away.get_or_create(&Limit { limit: full.as_str() }));
        }
        all
    }

    /// A connection was closed as it came, because of this limit.
    pub(crate) fn turned_away(&self, full: Full) {
        self.turned_away.get_or_create(&Limit { limit: full.as_str() }).inc();
    }

    pub(crate) fn handshake(
        &self,
        site: &str,
        protocol: &'static str,
        result: &'static str,
        taken: Duration,
    ) {
        let labels = Handshake { site: site.to_owned(), protocol, result };
        self.handshakes.get_or_create(&labels).inc();
        self.handshake_seconds.observe(taken);
    }

    /// The counter of a site's requests with this verdict; keep it, looking it up takes a lock.
    pub(crate) fn requests(&self, site: &HostName, verdict: &'static str) -> Counter {
        self.requests.get_or_create_owned(&Request { site: site.as_str().to_owned(), verdict })
    }

    /// An answer is complete.
    pub(crate) fn answered(&self, taken: Duration) {
        self.request_seconds.observe(taken);
    }

    pub(crate) fn refused(&self, site: &HostName, reason: &'static str) {
        self.refusals.get_or_create(&Refusal { site: site.as_str().to_owned(), reason }).inc();
    }

    pub(crate) fn exceptions(&self, site: &HostName, count: usize) {
        self.exceptions.get_or_create(&Site { site: site.as_str().to_owned() }).inc_by(count as u64);
    }

    pub(crate) fn open(&self, site: &HostName, change: i64) {
        self.open.get_or_create(&Site { site: site.as_str().to_owned() }).inc_by(change);
    }

    pub(crate) fn generation(&self, generation: u64) {
        self.generation.set(generation);
    }

    /// What the sites show now; sites that are gone go from the metric too. What is counted for a site begins at zero,
    /// so that an alarm sees the first one.
    pub(crate) fn certificates<'a>(&self, ends: impl Iterator<Item = (&'a HostName, i64)>) {
        self.not_after.clear();
        for (site, end) in ends {
            let label = Site { site: site.as_str().to_owned() };
            self.not_after.get_or_create(&label).set(end);
            drop(self.exceptions.get_or_create(&label));
            self.requests(site, "admitted");
            self.requests(site, "refused");
            for code in Code::ALL {
                let label = Refusal { site: site.as_str().to_owned(), reason: code.as_str() };
                drop(self.refusals.get_or_create(&label));
            }
        }
    }

    /// When the next lists of the trusted issuers are due.
    pub(crate) fn lists<'a>(&self, due: impl Iterator<Item = (&'a String, i64)>) {
        self.list_due.clear();
        for (ca, due) in due {
            self.list_due.get_or_create(&TrustedIssuer { ca: ca.clone() }).set(due);
        }
    }

    /// All of it in Prometheus' text, with `more` before the end mark.
    pub(crate) fn text(&self, more: &str) -> String {
        let mut text = String::new();
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        let end = text.strip_suffix("# EOF\n").map_or(text.len(), str::len);
        text.insert_str(end, more);
        // A family without series is left out by the encoder; its name is told all the same.
        let name = "countersign_crl_next_update_timestamp_seconds";
        if !text.contains(name) {
            let help = "When a CA's next revocation list is due";
            text.insert_str(end, &format!("# HELP {name} {help}.\n# TYPE {name} gauge\n"));
        }
        plain(&text)
    }
}

/// OpenMetrics as Prometheus' older text format, which every scraper reads: a counter's help and type stand under the name
/// of its series, and there is no end mark.
fn plain(open_metrics: &str) -> String {
    let counter = |line: &str| line.strip_prefix("# TYPE ")?.strip_suffix(" counter").map(str::to_owned);
    let counters: BTreeSet<String> =
        open_metrics.lines().filter_map(counter).filter(|name| !name.ends_with("_total")).collect();
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(word @ ("HELP" | "TYPE")), Some(name), Some(rest))
                if counters.contains(name) =>
            {
                text += &format!("# {word} {name}_total {rest}\n");
            }
            _ => {
                text += line;
                text.push('\n');
            }
        }
    }
    text
}

/// How the upstreams fare, in Prometheus' text. The labels are the configuration's own words.
pub(crate) fn upstreams(all: &[UpstreamView]) -> String {
    let mut text = String::new();
    let mut family = |name: &str, suffix: &str, kind: &str, help: &str, value: fn(&UpstreamView) -> u64| {
        text += &format!("# HELP {name} {help}.\n# TYPE {name} {kind}\n");
        for one in all {
            let upstream = one.upstream.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            text +=
                &format!("{name}{suffix}{{site=\"{}\",upstream=\"{upstream}\"}} {}\n", one.site, value(one));
        }
    };
    family("countersign_upstream_up", "", "gauge", "Whether requests go to the upstream", |one| {
        one.is_up.into()
    });
    let failed = "Requests that the upstream gave no answer to";
    family("countersign_upstream_failures", "_total", "counter", failed, |one| one.failures);
    text
}
