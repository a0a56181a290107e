//! The sites and CAs that the registry holds, as far as settings are made of them.

use std::collections::BTreeSet;

use policy::HostName;

/// What the registry adds to the file.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Sites added by command.
    pub sites: Vec<StoredSite>,
    /// CAs added by command.
    pub cas: Vec<StoredCa>,
    /// The sites that some party or CA has been granted.
    pub granted: BTreeSet<HostName>,
}

/// A site added by command.
#[derive(Clone, Debug)]
pub struct StoredSite {
    /// Its host name.
    pub name: String,
    /// Its settings, as TOML.
    pub settings: String,
}

/// A CA added by command.
#[derive(Clone, Debug)]
pub struct StoredCa {
    /// Its name.
    pub name: String,
    /// Its certificates.
    pub pem: String,
    /// The sites it is attached to.
    pub sites: Vec<String>,
    /// Its settings, as TOML.
    pub settings: String,
}

impl Stored {
    fn of(sites: &[registry::StoredSite], cas: &[registry::StoredCa], granted: BTreeSet<HostName>) -> Self {
        let site = |site: &registry::StoredSite| StoredSite {
            name: site.name.to_string(),
            settings: site.settings.clone(),
        };
        let ca = |ca: &registry::StoredCa| StoredCa {
            name: ca.name.clone(),
            pem: ca.pem.clone(),
            sites: ca.sites.iter().map(ToString::to_string).collect(),
            settings: ca.settings.clone(),
        };
        Self { sites: sites.iter().map(site).collect(), cas: cas.iter().map(ca).collect(), granted }
    }
}

impl From<&registry::State> for Stored {
    fn from(state: &registry::State) -> Self {
        let mut granted = state.records.parties.granted_sites();
        let cas = state.records.ca_grants.iter().filter(|(_, cas)| !cas.is_empty());
        granted.extend(cas.map(|(site, _)| site.clone()));
        Self::of(&state.sites, &state.cas, granted)
    }
}

impl From<&registry::Basis> for Stored {
    fn from(basis: &registry::Basis) -> Self {
        Self::of(&basis.sites, &basis.cas, basis.granted.clone())
    }
}
