//! Everything a decision needs, at one moment, immutable.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::host::HostName;
use crate::record::Records;
use crate::revocation::CaLists;
use crate::site::Site;

/// The whole policy at one moment. A request loads one and uses nothing else.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Rises with every change.
    pub generation: u64,
    /// The sites by normalised host name.
    pub sites: Arc<HashMap<HostName, Arc<Site>>>,
    /// Groups by name, each the names of its parties.
    pub groups: Arc<HashMap<String, HashSet<String>>>,
    /// The revocation lists of the trusted issuers that were given some, by the issuer's name.
    pub lists: Arc<HashMap<String, CaLists>>,
    /// What the registry knows.
    pub records: Records,
}

impl Snapshot {
    /// The site of this name.
    pub fn site(&self, name: &HostName) -> Option<&Arc<Site>> {
        self.sites.get(name)
    }
}
