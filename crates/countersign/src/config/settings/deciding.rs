//! What decides for each site: its rules, and the trust anchors of its issuers.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use policy::verify::{Anchor, AnchorSet};
use policy::{Admission, Ca, HostName, OnRefuse, Principal, Site, site::Audience};

use super::Settings;
use crate::config::site::SiteSettings;

impl Settings {
    /// The own client CA, which is trusted at every site; `None` before there is one.
    pub fn own_ca(&self) -> Result<Option<Arc<Ca>>, String> {
        own_ca(&self.state.client_ca(), policy::ca::OWN_CA)
    }

    /// What decides for each site, and for the admin and the enrolment address.
    pub(super) fn build(&self) -> Result<HashMap<HostName, Arc<Site>>, String> {
        let own = self.own_ca()?;
        let mut all = HashMap::new();
        for (name, site) in &self.sites {
            let mut anchors: Vec<Anchor> =
                own.iter().map(|ca| Anchor { ca: ca.clone(), admits: true }).collect();
            for (ca, settings) in &self.cas {
                let attached = settings.sites.contains(name);
                let denies = |list: &[Principal]| {
                    list.iter().any(|p| matches!(p, Principal::Ca(named) if named == ca))
                };
                let denied = denies(&site.deny)
                    || site.paths.iter().any(|rule| rule.deny.as_deref().is_some_and(denies));
                if attached || denied {
                    anchors.push(Anchor { ca: settings.rules.clone(), admits: attached });
                }
            }
            all.insert(name.clone(), Arc::new(site.rules(AnchorSet::new(anchors)?)));
        }
        if self.enrol.is_some() {
            let anchors = own.iter().map(|ca| Anchor { ca: ca.clone(), admits: true }).collect();
            let enrol = nobodys(Self::enrol_site(), Audience::Parties, AnchorSet::new(anchors)?);
            all.insert(enrol.name.clone(), Arc::new(enrol));
        }
        let operators = own_ca(&self.state.operator_ca(), policy::ca::OWN_CA)?;
        let anchors = operators.into_iter().map(|ca| Anchor { ca, admits: true }).collect();
        let admin = nobodys(Self::admin_site(), Audience::Operators, AnchorSet::new(anchors)?);
        all.insert(admin.name.clone(), Arc::new(admin));
        Ok(all)
    }
}

impl SiteSettings {
    fn rules(&self, anchors: AnchorSet) -> Site {
        Site {
            name: self.name.clone(),
            audience: Audience::Parties,
            allow: self.allow.clone(),
            deny: self.deny.clone(),
            on_refuse: self.on_refuse,
            observe_until: self.observe_until,
            paths: self.paths.clone(),
            anchors: Arc::new(anchors),
            is_default: self.is_default,
            clock_tolerance: self.clock_tolerance,
        }
    }
}

/// Rules that admit nobody by a list.
fn nobodys(name: HostName, audience: Audience, anchors: AnchorSet) -> Site {
    Site {
        name,
        audience,
        allow: Vec::new(),
        deny: Vec::new(),
        on_refuse: OnRefuse::Page,
        observe_until: None,
        paths: Vec::new(),
        anchors: Arc::new(anchors),
        is_default: false,
        clock_tolerance: 0,
    }
}

/// The own authority's CA as a trust anchor, in all generations that are trusted; `None` before there is one.
fn own_ca(paths: &[PathBuf], name: &str) -> Result<Option<Arc<Ca>>, String> {
    let mut anchors = Vec::new();
    for path in paths {
        let shown = path.display();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("{shown} cannot be read: {error}")),
        };
        let read = examiner::cert::pem::certificates(&bytes).map_err(|error| format!("{shown}: {error}"))?;
        anchors.extend(read);
    }
    if anchors.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(Ca {
        name: name.to_owned(),
        anchors,
        intermediates: Vec::new(),
        admission: Admission::OnRecord,
        name_from: None,
        without_client_usage_until: None,
    })))
}
