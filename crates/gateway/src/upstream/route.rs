//! The upstreams of one site while the gate runs: which takes the next request, and which are left out for a while.
//!
//! A failure is a connection that does not come about, or an answer that does not begin; whatever status an answer has,
//! it is an answer. After some failures in a row an upstream is left out, for longer each time, then tried again. An
//! active check that fails twice in a row takes it out until one succeeds. Where all are out, all are tried: no request
//! is refused because of what was seen before.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use policy::HostName;

use super::target::{HealthCheck, Target, Upstream};
use super::tls::UpstreamTls;
use crate::proxy;
use crate::settings::{GateSite, GateState};

/// Most upstreams that one request is tried on.
const MOST_TRIES: u32 = 3;
/// The time out doubles at most so often.
const MOST_DOUBLINGS: u32 = 4;
/// Checks that fail in a row before an upstream is taken out.
const FAILED_CHECKS: u32 = 2;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Milliseconds since this process looked first; never 0.
fn now_ms() -> u64 {
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}

/// When upstreams that fail are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ejection {
    /// Failures in a row.
    pub after: u32,
    /// How long the first time; it doubles up to four times.
    pub time: Duration,
}

/// The routes of all sites, and that of the admin address.
#[derive(Default)]
pub(crate) struct Routes {
    sites: HashMap<HostName, Arc<Route>>,
    /// To the console. It is no upstream of anybody's: no metric and no check is about it.
    admin: Option<(HostName, Arc<Route>)>,
}

/// The upstreams of one site.
pub(crate) struct Route {
    backends: Box<[Arc<Backend>]>,
    next: AtomicUsize,
}

/// One upstream and how it fares; shared by all cores, and kept over reloads that do not change it.
pub(crate) struct Backend {
    pub(crate) id: u64,
    pub(crate) site: HostName,
    pub(crate) target: Target,
    pub(crate) tls: Option<Arc<UpstreamTls>>,
    pub(crate) check: Option<HealthCheck>,
    pub(crate) proxied: bool,
    /// As the logs and metrics write it.
    pub(crate) text: String,
    /// Requests that it has not answered to the end; only counted where there is a choice.
    active: AtomicUsize,
    /// Failures in a row.
    failures: AtomicU32,
    /// How often in a row it was left out.
    ejections: AtomicU32,
    /// Until when it is left out; 0: it is not.
    until: AtomicU64,
    /// Failed checks in a row.
    failed_checks: AtomicU32,
    /// When it is to be checked again.
    check_at: AtomicU64,
    checking: AtomicBool,
    all_failures: AtomicU64,
}

/// How an upstream fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamView {
    /// Its site.
    pub site: HostName,
    /// As it is written in the configuration, with its port.
    pub upstream: String,
    /// Whether requests go to it as to any other.
    pub is_up: bool,
    /// `up`; `failing`: the last requests failed; `out`: left out for a while; `down`: its check fails.
    pub state: &'static str,
    /// Failures since the gate has known it.
    pub failures: u64,
}

impl Routes {
    /// Those of this state; an upstream that was there before stays the same.
    pub(crate) fn of(state: &GateState, before: &Routes) -> Self {
        let route = |site: &GateSite| Arc::new(Route::of(&site.name, &site.upstream, before.get(&site.name)));
        Self {
            sites: state.sites.iter().map(|(name, site)| (name.clone(), route(site))).collect(),
            admin: state.admin.as_ref().map(|admin| (admin.name.clone(), route(admin))),
        }
    }

    pub(crate) fn get(&self, site: &HostName) -> Option<&Arc<Route>> {
        let admin = self.admin.as_ref().filter(|(name, _)| name == site).map(|(_, route)| route);
        admin.or_else(|| self.sites.get(site))
    }

    /// All upstreams of sites, by site and in their order.
    pub(crate) fn backends(&self) -> impl Iterator<Item = &Arc<Backend>> {
        let mut all: Vec<_> = self.sites.iter().collect();
        all.sort_by_key(|(name, _)| *name);
        all.into_iter().flat_map(|(_, route)| route.backends.iter())
    }
}

impl Route {
    fn of(site: &HostName, upstream: &Upstream, before: Option<&Arc<Route>>) -> Self {
        let backends = upstream.targets.iter().map(|target| {
            let tls = upstream.tls.as_ref();
            let same = |known: &&Arc<Backend>| {
                known.target == *target
                    && known.tls.as_ref() == tls
                    && known.check == upstream.check
                    && known.proxied == upstream.proxied
            };
            let known = before.and_then(|route| route.backends.iter().find(same));
            known.cloned().unwrap_or_else(|| Arc::new(Backend::new(site, target, upstream)))
        });
        Self { backends: backends.collect(), next: AtomicUsize::new(0) }
    }

    /// Whether there is a choice at all.
    pub(crate) fn has_choice(&self) -> bool {
        self.backends.len() > 1
    }

    /// The upstream for a request that was tried on those of the bits in `tried`; noted there. Of those that are well
    /// the one with the fewest running requests.
    pub(crate) fn choose(&self, tried: &mut u64) -> Option<&Arc<Backend>> {
        if let [only] = &*self.backends {
            return (std::mem::replace(tried, 1) == 0).then_some(only);
        }
        if tried.count_ones() >= MOST_TRIES {
            return None;
        }
        let first = self.next.fetch_add(1, Relaxed);
        let mut best: Option<(bool, usize, usize)> = None;
        for step in 0..self.backends.len() {
            let index = first.wrapping_add(step) % self.backends.len();
            if *tried >> index & 1 == 1 {
                continue;
            }
            let backend = &self.backends[index];
            let mark = (!backend.is_well(), backend.active.load(Relaxed), index);
            if best.is_none_or(|best| (mark.0, mark.1) < (best.0, best.1)) {
                best = Some(mark);
            }
        }
        let (_, _, index) = best?;
        *tried |= 1 << index;
        Some(&self.backends[index])
    }

    /// Counts a request as running there, where that matters.
    pub(crate) fn load(&self, backend: &Arc<Backend>) -> Option<Load> {
        self.has_choice().then(|| {
            backend.active.fetch_add(1, Relaxed);
            Load(backend.clone())
        })
    }
}

/// A request that runs at an upstream, until dropped.
pub(crate) struct Load(Arc<Backend>);

impl Drop for Load {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Relaxed);
    }
}

impl Backend {
    /// What a connection for the gate's own requests begins with.
    pub(crate) fn own_preface(&self) -> &'static [u8] {
        if self.proxied { &proxy::OWN } else { &[] }
    }

    pub(crate) fn new(site: &HostName, target: &Target, upstream: &Upstream) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Relaxed),
            site: site.clone(),
            target: target.clone(),
            tls: upstream.tls.clone(),
            check: upstream.check.clone(),
            proxied: upstream.proxied,
            text: target.to_string(),
            active: AtomicUsize::new(0),
            failures: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            until: AtomicU64::new(0),
            failed_checks: AtomicU32::new(0),
            check_at: AtomicU64::new(0),
            checking: AtomicBool::new(false),
            all_failures: AtomicU64::new(0),
        }
    }

    fn is_down(&self) -> bool {
        self.failed_checks.load(Relaxed) >= FAILED_CHECKS
    }

    fn is_out(&self) -> bool {
        let until = self.until.load(Relaxed);
        until != 0 && now_ms() < until
    }

    fn is_well(&self) -> bool {
        !self.is_down() && !self.is_out()
    }

    /// An answer has begun.
    pub(crate) fn succeeded(&self) {
        // Only a load where all is well: this is on the path of each request.
        if self.failures.load(Relaxed) != 0 {
            self.recovered();
        }
    }

    fn recovered(&self) {
        self.failures.store(0, Relaxed);
        self.ejections.store(0, Relaxed);
        if self.until.swap(0, Relaxed) != 0 {
            tracing::info!(site = %self.site, upstream = %self.text, "the upstream answers again");
        }
    }

    /// No connection came about, or no answer.
    pub(crate) fn failed(&self, ejection: Ejection) {
        self.all_failures.fetch_add(1, Relaxed);
        let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
        if failures < ejection.after || self.is_out() {
            return;
        }
        let times = self.ejections.fetch_add(1, Relaxed);
        let time = ejection.time * 2u32.pow(times.min(MOST_DOUBLINGS));
        self.until.store(now_ms().saturating_add(time.as_millis() as u64), Relaxed);
        tracing::warn!(site = %self.site, upstream = %self.text, failures, seconds = time.as_secs(), "the upstream fails: where there are others it is left out");
    }

    /// Whether it is time for a check; then it is taken to be under way until [`Backend::checked`].
    pub(crate) fn is_check_due(&self) -> bool {
        self.check.is_some() && now_ms() >= self.check_at.load(Relaxed) && !self.checking.swap(true, Relaxed)
    }

    /// What a check came to.
    pub(crate) fn checked(&self, result: Result<(), String>) {
        let interval = self.check.as_ref().map_or(Duration::MAX, |check| check.interval);
        let interval = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        self.check_at.store(now_ms().saturating_add(interval), Relaxed);
        match result {
            Ok(()) => {
                if self.failed_checks.swap(0, Relaxed) >= FAILED_CHECKS {
                    tracing::info!(site = %self.site, upstream = %self.text, "the upstream's check succeeds again");
                }
                self.recovered();
            }
            Err(error) => {
                let failed = self.failed_checks.fetch_add(1, Relaxed).saturating_add(1);
                if failed == FAILED_CHECKS {
                    tracing::warn!(site = %self.site, upstream = %self.text, %error, "the upstream's check fails: it is taken out");
                }
            }
        }
        self.checking.store(false, Relaxed);
    }

    /// How it fares.
    pub(crate) fn view(&self, ejection: Ejection) -> UpstreamView {
        let state = if self.is_down() {
            "down"
        } else if self.is_out() {
            "out"
        } else if self.failures.load(Relaxed) >= ejection.after {
            "failing"
        } else {
            "up"
        };
        UpstreamView {
            site: self.site.clone(),
            upstream: self.text.clone(),
            is_up: state == "up",
            state,
            failures: self.all_failures.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EJECTION: Ejection = Ejection { after: 3, time: Duration::from_millis(60) };

    fn route(count: usize) -> Route {
        let site = HostName::parse("a.test").unwrap();
        let targets = (0..count).map(|n| format!("http://127.0.0.1:{}", 3000 + n).parse().unwrap()).collect();
        Route::of(&site, &Upstream { targets, tls: None, check: None, proxied: false }, None)
    }

    fn chosen(route: &Route) -> usize {
        let backend = route.choose(&mut 0).unwrap();
        route.backends.iter().position(|one| one.id == backend.id).unwrap()
    }

    #[test]
    fn the_least_loaded_is_chosen_and_equal_ones_take_turns() {
        let route = route(3);
        let mut turns: Vec<_> = (0..3).map(|_| chosen(&route)).collect();
        turns.sort_unstable();
        assert_eq!(turns, [0, 1, 2]);
        let busy = [route.load(&route.backends[0]), route.load(&route.backends[2])];
        for _ in 0..5 {
            assert_eq!(chosen(&route), 1);
        }
        drop(busy);
        let mut turns: Vec<_> = (0..3).map(|_| chosen(&route)).collect();
        turns.sort_unstable();
        assert_eq!(turns, [0, 1, 2]);
    }

    #[test]
    fn each_is_tried_once_and_three_at_most() {
        for (count, most) in [(1, 1), (2, 2), (5, 3)] {
            let (route, mut tried, mut seen) = (route(count), 0, std::collections::HashSet::new());
            while let Some(backend) = route.choose(&mut tried) {
                assert!(seen.insert(backend.id));
            }
            assert_eq!(seen.len(), most, "of {count}");
        }
    }

    #[test]
    fn who_fails_three_times_is_left_out_for_longer_each_time_and_comes_back() {
        let route = route(2);
        let bad = &route.backends[0];
        bad.failed(EJECTION);
        bad.failed(EJECTION);
        bad.succeeded();
        bad.failed(EJECTION);
        bad.failed(EJECTION);
        assert_eq!(bad.view(EJECTION).state, "up", "an answer in between begins the count anew");
        bad.failed(EJECTION);
        assert_eq!(bad.view(EJECTION).state, "out");
        for _ in 0..5 {
            assert_eq!(chosen(&route), 1);
        }
        let until = bad.until.load(Relaxed);
        while now_ms() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(bad.view(EJECTION).state, "failing");
        assert!((0..2).any(|_| chosen(&route) == 0), "it is tried again");
        let now = now_ms();
        bad.failed(EJECTION);
        assert!(bad.until.load(Relaxed) >= now + 120, "one more failure is enough, and the time doubles");
        bad.succeeded();
        assert_eq!(
            bad.view(EJECTION),
            UpstreamView { state: "up", is_up: true, failures: 6, ..bad.view(EJECTION) }
        );
    }

    #[test]
    fn where_all_are_out_all_are_tried() {
        for count in [1, 2] {
            let route = route(count);
            for backend in &route.backends {
                for _ in 0..5 {
                    backend.failed(EJECTION);
                }
            }
            let mut tried = 0;
            for _ in 0..count {
                assert!(route.choose(&mut tried).is_some());
            }
        }
    }

    #[test]
    fn a_reload_keeps_what_is_known_of_an_upstream_that_stays() {
        let before = Arc::new(route(2));
        before.backends[1].failed(EJECTION);
        let site = HostName::parse("a.test").unwrap();
        let targets =
            vec!["http://127.0.0.1:3001".parse().unwrap(), "http://127.0.0.1:4000".parse().unwrap()];
        let after =
            Route::of(&site, &Upstream { targets, tls: None, check: None, proxied: false }, Some(&before));
        assert_eq!(after.backends[0].id, before.backends[1].id);
        assert_eq!(
            (after.backends[0].view(EJECTION).failures, after.backends[1].view(EJECTION).failures),
            (1, 0)
        );
    }
}
