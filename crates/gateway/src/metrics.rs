//! The gate's metrics. Labels are names of sites, codes and fixed words only, never a visitor's data.

use std::sync::atomic::AtomicU64;

use policy::HostName;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Site {
    site: String,
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

/// Everything that is counted here.
pub(crate) struct Metrics {
    registry: Registry,
    handshakes: Family<Handshake, Counter>,
    requests: Family<Request, Counter>,
    refusals: Family<Refusal, Counter>,
    exceptions: Family<Site, Counter>,
    open: Family<Site, Gauge>,
    not_after: Family<Site, Gauge>,
    generation: Gauge<u64, AtomicU64>,
    handshake_seconds: Histogram,
    request_seconds: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let steps = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        let mut all = Self {
            registry: Registry::default(),
            handshakes: Family::default(),
            requests: Family::default(),
            refusals: Family::default(),
            exceptions: Family::default(),
            open: Family::default(),
            not_after: Family::default(),
            generation: Gauge::default(),
            handshake_seconds: Histogram::new(steps),
            request_seconds: Histogram::new(steps),
        };
        let registry = &mut all.registry;
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
        registry.register(
            "countersign_policy_generation",
            "Generation of the policy in force",
            all.generation.clone(),
        );
        let name = "countersign_handshake_duration_seconds";
        registry.register(name, "Accept to the end of the handshake", all.handshake_seconds.clone());
        let name = "countersign_request_duration_seconds";
        registry.register(name, "Request to the end of its answer", all.request_seconds.clone());
        all
    }

    pub(crate) fn handshake(&self, site: &str, protocol: &'static str, result: &'static str, seconds: f64) {
        let labels = Handshake { site: site.to_owned(), protocol, result };
        self.handshakes.get_or_create(&labels).inc();
        self.handshake_seconds.observe(seconds);
    }

    pub(crate) fn request(&self, site: &HostName, verdict: &'static str, seconds: f64) {
        self.requests.get_or_create(&Request { site: site.as_str().to_owned(), verdict }).inc();
        self.request_seconds.observe(seconds);
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

    /// What the sites show now; sites that are gone go from the metric too.
    pub(crate) fn certificates<'a>(&self, ends: impl Iterator<Item = (&'a HostName, i64)>) {
        self.not_after.clear();
        for (site, end) in ends {
            self.not_after.get_or_create(&Site { site: site.as_str().to_owned() }).set(end);
        }
    }

    /// All of it in Prometheus' text, with `more` before the end mark.
    pub(crate) fn text(&self, more: &str) -> String {
        let mut text = String::new();
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        let end = text.strip_suffix("# EOF\n").map_or(text.len(), str::len);
        text.insert_str(end, more);
        text
    }
}
