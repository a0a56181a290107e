//! Whether a request goes on: its host, its path, and the decision, made for every request.

use std::collections::HashMap;
use std::sync::Arc;

use examiner::{Certificate, UnixTime};
use http::header::HOST;
use http::{HeaderMap, Uri};
use policy::path::AmbiguousPath;
use policy::site::RuleIndex;
use policy::{Decision, Grant, HostName, NormalPath, Peer, Refusal, Site};

use crate::settings::{GateSite, GateState};
use crate::upstream::route::{Route, Routes};

/// The state in force, numbered: equal numbers are the same state.
pub(crate) struct Current {
    pub(crate) number: u64,
    pub(crate) state: GateState,
    /// Where the sites' requests go, with how the upstreams fare.
    pub(crate) routes: Arc<Routes>,
    places: HashMap<HostName, Arc<Place>>,
}

/// Everything that is known of one site, so that a request looks once.
pub(crate) struct Place {
    /// How it is served.
    pub(crate) site: Arc<GateSite>,
    /// Whom it admits.
    pub(crate) rules: Arc<Site>,
    /// Where its requests go; the enrolment address has none.
    pub(crate) route: Option<Arc<Route>>,
}

impl Current {
    /// This state, after the one that was in force `before`.
    pub(crate) fn new(number: u64, state: GateState, before: Option<&Self>) -> Self {
        // A change of parties alone leaves the sites as they are.
        let routes = match before {
            Some(before) if Arc::ptr_eq(&before.state.sites, &state.sites) => before.routes.clone(),
            Some(before) => Arc::new(Routes::of(&state, &before.routes)),
            None => Arc::new(Routes::of(&state, &Routes::default())),
        };
        let place = |name: &HostName| {
            let (site, rules) = (state.site(name)?.clone(), state.snapshot.site(name)?.clone());
            Some((name.clone(), Arc::new(Place { site, rules, route: routes.get(name).cloned() })))
        };
        let places = state.names().filter_map(place).collect();
        Self { number, routes, places, state }
    }

    /// The site of this name, the admin and the enrolment address included.
    pub(crate) fn place(&self, name: &HostName) -> Option<&Arc<Place>> {
        self.places.get(name)
    }
}

/// The right to forward one request. Only a decision makes one.
pub(crate) struct Permit {
    by: By,
    path: Option<NormalPath>,
}

enum By {
    Grant(Arc<Grant>, Arc<Certificate>),
    Open,
    Observing(Refusal),
}

impl Permit {
    /// Who was admitted.
    pub(crate) fn party(&self) -> Option<&str> {
        self.grant().map(|grant| grant.identity.id())
    }

    /// The admission; none on open paths and while observing.
    pub(crate) fn grant(&self) -> Option<&Grant> {
        match &self.by {
            By::Grant(grant, _) => Some(grant),
            By::Open | By::Observing(_) => None,
        }
    }

    /// The same, to be kept.
    pub(crate) fn shared_grant(&self) -> Option<&Arc<Grant>> {
        match &self.by {
            By::Grant(grant, _) => Some(grant),
            By::Open | By::Observing(_) => None,
        }
    }

    /// The certificate that led to the admission.
    pub(crate) fn certificate(&self) -> Option<&Certificate> {
        match &self.by {
            By::Grant(_, certificate) => Some(certificate),
            By::Open | By::Observing(_) => None,
        }
    }

    /// What would have been refused if the site did not observe.
    pub(crate) fn would_refuse(&self) -> Option<&Refusal> {
        match &self.by {
            By::Observing(refusal) => Some(refusal),
            By::Grant(..) | By::Open => None,
        }
    }

    /// The path the decision was made on, where the site has rules for paths.
    pub(crate) fn path(&self) -> Option<&NormalPath> {
        self.path.as_ref()
    }

    /// As the logs write it.
    pub(crate) fn verdict(&self) -> &'static str {
        match &self.by {
            By::Grant(..) => "admitted",
            By::Open => "open",
            By::Observing(_) => "observed",
        }
    }
}

/// The last admission of a connection: holds for the same state and rule, until its own end.
#[derive(Default)]
pub(crate) struct Memo(Option<(u64, RuleIndex, Arc<Grant>)>);

/// Why a request does not go on.
pub(crate) enum Stop {
    /// Refused.
    Refused(Refusal),
    /// It cannot be understood in one way only.
    Bad(String),
}

/// Decides whether `peer` may make this request at the site with these rules.
pub(crate) fn admit(
    current: &Current,
    rules: &Site,
    peer: Option<&Peer>,
    uri: &Uri,
    memo: &mut Memo,
    now: UnixTime,
) -> Result<Permit, Stop> {
    let (rule, path) = rule_of(rules, uri).map_err(|ambiguous| Stop::Bad(ambiguous.to_string()))?;
    let moment = current.state.moment(now);
    let certificate = peer.and_then(|peer| peer.certificate.as_ref().ok());
    if let (Some((number, known, grant)), Some(certificate)) = (&memo.0, certificate)
        && (*number, *known) == (current.number, rule)
        && now <= grant.until
        && moment.policy_age <= moment.max_stale
    {
        return Ok(Permit { by: By::Grant(grant.clone(), certificate.clone()), path });
    }
    let by = match policy::decide(&current.state.snapshot, rules, rule, peer, moment) {
        Decision::Admit(grant) => {
            // A certificate that cannot be read is never admitted.
            let Some(certificate) = certificate else {
                return Err(Stop::Bad("an admission without a certificate".into()));
            };
            let grant = Arc::new(grant);
            memo.0 = Some((current.number, rule, grant.clone()));
            By::Grant(grant, certificate.clone())
        }
        Decision::Open => By::Open,
        Decision::Observe(refusal) => By::Observing(refusal),
        Decision::Refuse(refusal) => return Err(Stop::Refused(refusal)),
    };
    Ok(Permit { by, path })
}

/// The rule a request falls under, and its path as normalised for that; without rules paths go on as they came.
pub(crate) fn rule_of(rules: &Site, uri: &Uri) -> Result<(RuleIndex, Option<NormalPath>), AmbiguousPath> {
    if !rules.has_path_rules() {
        return Ok((None, None));
    }
    let path = NormalPath::parse(uri.path())?;
    Ok((rules.rule(&path)?, Some(path)))
}

/// Whether any request of this peer could be let through; otherwise why a plain one is not.
pub(crate) fn standing(
    current: &Current,
    rules: &Site,
    peer: Option<&Peer>,
    now: UnixTime,
) -> Result<(), Refusal> {
    let moment = current.state.moment(now);
    let decide = |rule| policy::decide(&current.state.snapshot, rules, rule, peer, moment);
    let Decision::Refuse(refusal) = decide(None) else { return Ok(()) };
    let passes = |index| !matches!(decide(Some(index)), Decision::Refuse(_));
    if (0..rules.paths.len()).any(passes) { Ok(()) } else { Err(refusal) }
}

/// Whether this peer is admitted, by itself and not by openness, anywhere at the site.
pub(crate) fn is_admitted(current: &Current, rules: &Site, peer: Option<&Peer>, now: UnixTime) -> bool {
    let moment = current.state.moment(now);
    let rules_of_paths = (0..rules.paths.len()).map(Some);
    [None].into_iter().chain(rules_of_paths).any(|rule| {
        matches!(policy::decide(&current.state.snapshot, rules, rule, peer, moment), Decision::Admit(_))
    })
}

/// Who shows this certificate, for the log; whether they may enter plays no part.
pub(crate) fn party_of(current: &Current, rules: &Site, peer: Option<&Peer>) -> Option<String> {
    let identity = policy::recognise(&current.state.snapshot, rules, peer?)?;
    Some(identity.id().to_owned())
}

/// Whether the site lets anyone through somewhere: open paths, or observing.
pub(crate) fn is_open(rules: &Site, now: UnixTime) -> bool {
    rules.open_paths().next().is_some() || rules.observe_until.is_some_and(|until| now <= until)
}

/// The one text by which a request names its host: target or `Host` field, where only one of them does.
pub(crate) fn host_text<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut fields = headers.get_all(HOST).iter();
    match (uri.authority(), fields.next(), fields.next()) {
        (Some(target), None, _) => Some(target.as_str()),
        (None, Some(field), None) => field.to_str().ok(),
        _ => None,
    }
}

/// The host a request names, normalised. Target and `Host` field must agree, and there is at most one field.
pub(crate) fn host_of(uri: &Uri, headers: &HeaderMap) -> Result<HostName, String> {
    let mut fields = headers.get_all(HOST).iter();
    let field = match (fields.next(), fields.next()) {
        (Some(_), Some(_)) => return Err("more than one Host field".into()),
        (Some(value), None) => Some(value.to_str().map_err(|_| "the Host field is no text".to_owned())?),
        (None, _) => None,
    };
    let parse = |text: &str| HostName::parse_authority(text).map_err(|error| error.to_string());
    match (uri.authority(), field) {
        (Some(target), Some(field)) => {
            let host = parse(target.as_str())?;
            if parse(field)? == host { Ok(host) } else { Err("target and Host field differ".into()) }
        }
        (Some(target), None) => parse(target.as_str()),
        (None, Some(field)) => parse(field),
        (None, None) => Err("no host is named".into()),
    }
}
