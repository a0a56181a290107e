//! Trusted issuers read again from their files, or kept as they are, while everything else stays as it was read.

use examiner::Certificate;
use policy::Ca;

use super::Settings;
use crate::config::ca::{self, CaSettings, Certificates};
use crate::config::problem::Problems;
use crate::config::{crl, read};

impl Settings {
    /// The same settings with the certificates that the file of CA `name` holds now; `None` where they are those in
    /// force. What is written about the CA is taken from the text that these settings were read from: a change of the
    /// configuration waits for its reload.
    ///
    /// On an error nothing of the file is taken.
    pub fn with_ca_again(&self, name: &str) -> Result<Option<Self>, Problems> {
        let found = self.ca_of(name, Certificates::File(self.base()))?;
        let (Some(ca), Some(before)) = (found, self.cas.get(name)) else { return Ok(None) };
        let same = |these: &[Certificate], those: &[Certificate]| {
            these.iter().map(|one| one.thumbprint).eq(those.iter().map(|one| one.thumbprint))
        };
        let (now, then) = (&ca.rules, &before.rules);
        if same(&now.anchors, &then.anchors) && same(&now.intermediates, &then.intermediates) {
            return Ok(None);
        }
        let mut settings = self.clone();
        settings.cas.insert(name.to_owned(), ca);
        settings.decide_anew()?;
        crl::keep_newer(self, &mut settings);
        Ok(Some(settings))
    }

    /// Keeps the certificates in force of trusted issuers whose file cannot be taken; all else about them is as these
    /// settings say. An issuer that was not in force from this file is an error: there is nothing of it to keep.
    pub fn keep_issuers(&mut self, in_force: &Settings) -> Result<(), Problems> {
        if self.broken_cas.is_empty() {
            return Ok(());
        }
        for (name, fault) in std::mem::take(&mut self.broken_cas) {
            let kept: Option<&Ca> =
                in_force.cas.get(&name).filter(|ca| ca.file.is_some()).map(|ca| ca.rules.as_ref());
            let Some(kept) = kept else { return Err(Problems(vec![fault])) };
            tracing::error!(ca = name, %fault, "the CA's file is not taken; its certificates in force stay");
            if let Some(ca) = self.ca_of(&name, Certificates::Kept(self.base(), kept))? {
                self.cas.insert(name, ca);
            }
        }
        self.decide_anew()
    }

    /// What the text that these settings were read from says of CA `name`, with these certificates.
    fn ca_of(&self, name: &str, certificates: Certificates<'_>) -> Result<Option<CaSettings>, Problems> {
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let file = read::file(&self.source, &mut problems);
        let Some((written, ca)) = file.ca.iter().find(|(written, _)| written.get_ref() == name) else {
            return Ok(None);
        };
        let (source, folders) = ((&self.source, written.span()), (self.base(), &self.state));
        let found = ca::settings(name, ca, certificates, folders, source, &mut problems, &mut warnings);
        let found = found.unwrap_or_else(|fault| {
            problems.push(fault);
            None
        });
        if problems.is_empty() { Ok(found) } else { Err(Problems(problems)) }
    }

    fn decide_anew(&mut self) -> Result<(), Problems> {
        let built = self.build().map_err(|what| Problems(vec![self.source.problem(&(0..0), what, "")]))?;
        self.policy = built;
        Ok(())
    }
}
