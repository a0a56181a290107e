//! `site order`: orders the certificates of sites that come by ACME. `run` starts it each minute for those that are due;
//! the gate takes what it finds in the state directory.

use std::fs::TryLockError;

use examiner::UnixTime;
use policy::HostName;
use serde::{Deserialize, Serialize};

use crate::acme::client::{AcmeError, Client, Session};
use crate::acme::kept::{self, Accounts, Attempt, Due, Kept, Pair};
use crate::acme::order::Wanted;
use crate::acme::{answers, renewal, staple};
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, Globals, Outcome};
use crate::clock;
use crate::config::Settings;
use crate::config::acme::{Acme, prefers_http};
use crate::config::file::ChallengeFile;
use crate::config::site::SiteSettings;

/// Seconds until a server that could not be asked for its advice, or an OCSP responder, is asked again.
const ASK_AGAIN: i64 = 3600;

/// `countersign site order`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The site; all that have their certificate by ACME where absent.
    site: Option<String>,
    /// Also where the certificate at hand is good.
    #[arg(long, requires = "site")]
    again: bool,
    /// Only those whose time has come, as `run` wants it.
    #[arg(long, hide = true, conflicts_with_all = ["site", "again"])]
    due: bool,
}

/// What became of one site's certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The site.
    pub site: String,
    /// The directory of the ACME server.
    pub directory: String,
    /// Whether one was ordered just now.
    pub ordered: bool,
    /// The end of the certificate at hand.
    pub until: Option<UnixTime>,
    /// When it is renewed.
    pub renewal: Option<UnixTime>,
    /// Why none was had.
    pub fault: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// When it is tried again.
    pub next: Option<UnixTime>,
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let context = Context::open(globals)?;
    let only = args.site.as_ref().map(|site| context.site(site)).transpose()?;
    if let Some(site) = only.as_ref().filter(|site| context.settings.sites[*site].acme.is_none()) {
        let what = format!("the certificate of {site} does not come by ACME");
        return Err(Failure::usage(what, "write certificate = { acme = \"https://…/directory\" }"));
    }
    let wanted =
        context.settings.sites.values().filter(|site| only.as_ref().is_none_or(|only| *only == site.name));
    let wanted: Vec<(&SiteSettings, &Acme)> =
        wanted.filter_map(|site| Some((site, site.acme.as_ref()?))).collect();
    let mut reports = Vec::new();
    if !wanted.is_empty() && !globals.dry_run {
        let lock = kept::lock(&context.settings.state).map_err(own)?;
        match (args.due, lock.try_lock()) {
            (_, Ok(())) => {}
            (true, Err(TryLockError::WouldBlock)) => {
                globals.print(&reports, "another process orders just now");
                return Ok(Exit::Fine);
            }
            (_, Err(TryLockError::WouldBlock)) => {
                lock.lock().map_err(|error| own(AcmeError::Own(error.to_string())))?;
            }
            (_, Err(TryLockError::Error(error))) => return Err(own(AcmeError::Own(error.to_string()))),
        }
        answers::clear(&context.settings.state);
        for (site, acme) in &wanted {
            let one = One::new(&context.settings, &site.name, acme);
            let how = if args.due {
                How::WhenDue
            } else if args.again {
                How::Again
            } else {
                How::Now
            };
            reports.push(context.run(async { one.look(how).await.map_err(own) })?);
        }
    } else {
        reports.extend(wanted.iter().map(|(site, acme)| {
            let one = One::new(&context.settings, &site.name, acme);
            one.report(false)
        }));
    }
    let lines: Vec<String> = reports.iter().map(Report::line).collect();
    let text = if lines.is_empty() { "no site has its certificate by ACME".into() } else { lines.join("\n") };
    globals.print(&reports, text);
    Ok(if args.due || reports.iter().all(|one| one.fault.is_none()) { Exit::Fine } else { Exit::No })
}

fn own(error: AcmeError) -> Failure {
    let help = error.remedy();
    Failure::no(error.to_string(), help)
}

/// How it is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// Where it is due and need not wait.
    WhenDue,
    /// Where it is due, however shortly ago it failed.
    Now,
    /// In any case.
    Again,
}

/// One site's certificate.
struct One<'a> {
    settings: &'a Settings,
    site: &'a HostName,
    acme: &'a Acme,
    kept: Kept,
}

impl<'a> One<'a> {
    fn new(settings: &'a Settings, site: &'a HostName, acme: &'a Acme) -> Self {
        Self { settings, site, acme, kept: Kept::new(&settings.state, site, acme) }
    }

    /// Orders where that is to be done, else sees to what goes with the certificate at hand. An error is one of our own
    /// files: nothing can be noted.
    async fn look(&self, how: How) -> Result<Report, AcmeError> {
        let now = clock::now();
        let waits = how == How::WhenDue && self.kept.last().is_some_and(|last| last.waits_at(now));
        let mut due = self.kept.due(self.acme, now);
        if due.is_none() {
            self.ask_for_advice(how, now).await?;
            due = self.kept.due(self.acme, now);
        }
        let is_wanted = due.is_some() && !waits || how == How::Again;
        if is_wanted {
            let before = self.kept.last();
            let failures = before.as_ref().map_or(0, |last| last.failures);
            let outcome = self.order(failures, due).await;
            let now = clock::now();
            self.kept.note(&match &outcome {
                Ok(challenge) => Attempt::succeeded(self.acme, challenge, now),
                Err(error) => Attempt::failed(before, self.acme, error, now),
            })?;
            if outcome.is_ok() {
                self.ask_for_advice(how, now).await?;
            }
        }
        self.staple(how, clock::now()).await?;
        Ok(self.report(is_wanted))
    }

    /// Orders; with an account that the server has forgotten, once more with a new one.
    async fn order(&self, failures: u32, due: Option<Due>) -> Result<&'static str, AcmeError> {
        let accounts = Accounts::new(&self.settings.state, self.acme);
        let has_http = !self.settings.http.is_empty();
        let turns = failures % 2 == 1 && has_http;
        let first = if prefers_http(&self.settings.listen, &self.settings.http) != turns {
            ChallengeFile::Http
        } else {
            ChallengeFile::TlsAlpn
        };
        let mut is_known = true;
        loop {
            let client = Client::open(self.acme, &self.settings.fetch_private).await?;
            let advised = client.directory.renewal_info.is_some() && due == Some(Due::Renewal);
            let present = self.kept.read().ok().filter(|_| advised);
            let replaces = present.and_then(|pair| renewal::id(&pair.certificate));
            let wanted = Wanted {
                acme: self.acme,
                state: &self.settings.state,
                kept: &self.kept,
                first,
                has_http,
                replaces,
            };
            let outcome = match client.sign_in(self.acme, &accounts).await {
                Ok(mut session) => wanted.order(&mut session).await,
                Err(error) => Err(error),
            };
            match outcome {
                Err(error) if is_known && Session::is_forgotten(&error) => {
                    accounts.forget();
                    is_known = false;
                }
                outcome => return outcome,
            }
        }
    }

    /// Asks the server when the certificate should be renewed, by itself as often as it wants to be asked. That it cannot be asked
    /// changes nothing: the last advice holds, or the certificate's age.
    async fn ask_for_advice(&self, how: How, now: UnixTime) -> Result<(), AcmeError> {
        let (Some(mut last), Ok(pair)) = (self.kept.last(), self.kept.read()) else { return Ok(()) };
        let Some(got) = &mut last.got else { return Ok(()) };
        if how == How::WhenDue && got.ask_at.is_some_and(|at| now < at) {
            return Ok(());
        }
        match Client::open(self.acme, &self.settings.fetch_private).await {
            Ok(client) => {
                let (advice, again) =
                    renewal::ask(&client, &pair.certificate, got.advice.as_ref(), now).await;
                got.ask_at = Some(again);
                match advice {
                    Ok(advice) => got.advice = advice,
                    Err(error) => tracing::debug!(%error, site = %self.site, "no advice on the renewal"),
                }
            }
            Err(_) => got.ask_at = Some(now.plus(ASK_AGAIN)),
        }
        self.kept.note(&last)
    }

    /// Sees to the OCSP response that is shown with the certificate.
    async fn staple(&self, how: How, now: UnixTime) -> Result<(), AcmeError> {
        let (Some(mut last), Ok(pair)) = (self.kept.last(), self.kept.read()) else { return Ok(()) };
        let is_wanted = staple::is_wanted(&self.kept, &pair, now);
        let waits = |at: UnixTime| how == How::WhenDue && now < at;
        let Some(got) = last.got.as_mut().filter(|got| is_wanted && !got.staple_at.is_some_and(waits)) else {
            return Ok(());
        };
        got.staple_at = Some(now.plus(ASK_AGAIN));
        got.staple_fault = staple::fetch(&self.kept, &pair, &self.settings.fetch_private, now).await.err();
        self.kept.note(&last)
    }

    fn report(&self, was_tried: bool) -> Report {
        let last = self.kept.last();
        let pair: Option<Pair> = self.kept.read().ok();
        let advice = last.as_ref().and_then(|last| last.got.as_ref()?.advice.clone());
        let failed = last.as_ref().filter(|last| last.failures > 0);
        Report {
            site: self.site.to_string(),
            directory: self.acme.directory.to_string(),
            ordered: was_tried && failed.is_none(),
            until: pair.as_ref().map(|pair| pair.certificate.not_after),
            renewal: pair.as_ref().map(|pair| renewal::at(&pair.certificate, advice.as_ref())),
            fault: failed.filter(|_| was_tried).and_then(|last| last.fault.clone()),
            help: failed.filter(|_| was_tried).and_then(|last| last.help.clone()),
            next: failed.map(|last| last.next),
        }
    }
}

impl Report {
    fn line(&self) -> String {
        let what = format!("{}: {}", self.site, self.directory);
        match (&self.fault, self.until) {
            (Some(fault), _) => {
                let help = self.help.as_deref().unwrap_or_default();
                format!("{}: {fault}\n  help: {help}", self.site)
            }
            (None, Some(until)) => {
                let how = if self.ordered { "ordered, until" } else { "there, until" };
                let renewal = self.renewal.map_or_else(String::new, |at| format!(", renewed from {at}"));
                format!("{what}: {how} {until}{renewal}")
            }
            (None, None) => format!("{what}: none yet"),
        }
    }
}
