//! The sites and CAs that the registry holds, as far as settings are made of them.

use policy::Records;

/// What the registry adds to the file.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// Sites added by command.
    pub sites: Vec<StoredSite>,
    /// CAs added by command.
    pub cas: Vec<StoredCa>,
    /// What is on record, to know of grants.
    pub records: Records,
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

impl From<&registry::State> for Stored {
    fn from(state: &registry::State) -> Self {
        Self {
            sites: state
                .sites
                .iter()
                .map(|site| StoredSite { name: site.name.to_string(), settings: site.settings.clone() })
                .collect(),
            cas: state
                .cas
                .iter()
                .map(|ca| StoredCa {
                    name: ca.name.clone(),
                    pem: ca.pem.clone(),
                    sites: ca.sites.iter().map(ToString::to_string).collect(),
                    settings: ca.settings.clone(),
                })
                .collect(),
            records: state.records.clone(),
        }
    }
}
