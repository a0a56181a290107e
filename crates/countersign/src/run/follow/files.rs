//! What is put in force without a reload because files changed: certificates of sites, what their upstreams are verified
//! by, certificates of trusted issuers, and lists.

use std::sync::Arc;
use std::time::{Duration, Instant};

use examiner::Certificate;
use gateway::GateSite;
use policy::HostName;
use policy::record::Touched;
use registry::AuditEvent;

use super::{Follower, state};
use crate::clock;
use crate::config::crl;
use crate::run::watch::{Renewed, RenewedTls};

/// How often the files are looked at; a new one is in force within five seconds.
const FILES_EVERY: Duration = Duration::from_secs(2);

impl Follower {
    /// Looks at the files, and puts in force what is new and whole. The configuration itself waits for its reload.
    pub(super) async fn look_at_files(&mut self) {
        if self.files_looked_at.elapsed() < FILES_EVERY {
            return;
        }
        self.files_looked_at = Instant::now();
        let mut changes = self.watched.issuers(&mut self.settings);
        changes.extend(crl::look_again(&mut self.settings).await);
        let renewed = self.watched.certificates(&self.settings, &self.state);
        let upstreams = self.watched.upstreams(&self.settings, &self.state);
        if changes.is_empty() && renewed.is_empty() && upstreams.is_empty() {
            return;
        }
        self.generation += 1;
        let records = self.read.records.clone();
        self.state = state::with_records(&self.state, &self.settings, records, self.generation);
        for one in &renewed {
            self.show(one);
        }
        for one in &upstreams {
            self.verify_by(one);
        }
        // Whom a site admits depends neither on what it shows nor on what is behind it.
        let touched = if changes.is_empty() { Vec::new() } else { vec![Touched::Everyone] };
        self.cut += self.gate.apply(self.state.clone(), touched) as i64;
        for what in changes {
            tracing::info!(what, "a file changed");
            self.sink.changed(changed(what));
        }
        self.report().await;
    }

    /// Has a site show another certificate from its next handshake on.
    fn show(&mut self, Renewed { site, pair, file }: &Renewed) {
        self.exchange(site, |one| one.certificate = pair.clone());
        let file = file.display();
        let certificate = pair.cert.first().and_then(|der| Certificate::from_der(der).ok());
        let what = match &certificate {
            Some(one) => format!(
                "certificate of {site} read from {file}: serial {}, until {}",
                one.serial_hex(),
                one.not_after
            ),
            None => format!("certificate of {site} read from {file}"),
        };
        tracing::info!(what, "a file changed");
        self.sink.changed(AuditEvent {
            site: Some(site.to_string()),
            thumbprint: certificate.map(|one| one.thumbprint.to_string()),
            ..changed(what)
        });
    }

    /// Has the upstreams of a site verified, and shown our own certificate, by other files from their next connection on.
    fn verify_by(&mut self, RenewedTls { site, tls, files }: &RenewedTls) {
        self.exchange(site, |one| one.upstream.tls = Some(tls.clone()));
        let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        let what = format!("upstream_tls of {site} read from {}", files.join(", "));
        tracing::info!(what, "a file changed");
        self.sink.changed(AuditEvent { site: Some(site.to_string()), ..changed(what) });
    }

    fn exchange(&mut self, site: &HostName, change: impl FnOnce(&mut GateSite)) {
        let mut sites = self.state.sites.as_ref().clone();
        let Some(one) = sites.get_mut(site) else { return };
        change(Arc::make_mut(one));
        self.state.sites = Arc::new(sites);
    }
}

fn changed(what: String) -> AuditEvent {
    AuditEvent {
        time: clock::now(),
        verdict: "changed".into(),
        detail: Some(format!("{what}; by the gate, which saw the file change")),
        count: 1,
        ..AuditEvent::default()
    }
}
