//! One trusted issuer read again from its file, while everything else stays as it was read.

use examiner::Certificate;

use super::Settings;
use crate::config::ca::{self, Certificates};
use crate::config::problem::Problems;
use crate::config::{crl, read};

impl Settings {
    /// The same settings with the certificates that the file of CA `name` holds now; `None` where they are those in
    /// force. What is written about the CA is taken from the text that these settings were read from: a change of the
    /// configuration waits for its reload.
    ///
    /// On an error nothing of the file is taken.
    pub fn with_ca_again(&self, name: &str) -> Result<Option<Self>, Problems> {
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let file = read::file(&self.source, &mut problems);
        let base = self.base();
        let found =
            file.ca.iter().find(|(written, _)| written.get_ref() == name).and_then(|(written, ca)| {
                let (source, from) = ((&self.source, written.span()), Certificates::File(base));
                ca::settings(name, ca, from, (base, &self.state), source, &mut problems, &mut warnings)
            });
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
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
        settings.policy = settings.build().map_err(|what| {
            let problem = self.source.problem(&(0..0), what, "");
            Problems(vec![problem])
        })?;
        crl::keep_newer(self, &mut settings);
        Ok(Some(settings))
    }
}
