//! Header values that are the same for all requests of a connection, made once.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::HeaderValue;
use policy::Grant;

use crate::admit::Permit;
use crate::broom::{Forwarded, Identity};
use crate::settings::GateSite;

/// What was made so far. A connection asks for one host and is one party, so the last of each is enough.
#[derive(Default)]
pub(crate) struct Lines {
    origin: Option<Rc<Origin>>,
    who: Option<(u64, Option<Arc<Grant>>, Rc<Who>)>,
}

/// Where requests come from.
pub(crate) struct Origin {
    /// The authority as the client wrote it.
    text: String,
    pub(crate) host: HeaderValue,
    pub(crate) forwarded: Forwarded,
}

/// Who makes them.
pub(crate) struct Who {
    pub(crate) identity: Identity,
    pub(crate) party: Option<Arc<str>>,
}

impl Lines {
    /// Whether a request that was let through on this connection named its host in just this way.
    pub(crate) fn knows_host(&self, text: &str) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.text == text)
    }

    /// The values for this authority, as the client wrote it. `None` if it cannot stand in a header.
    pub(crate) fn origin(&mut self, text: &str, from: IpAddr) -> Option<Rc<Origin>> {
        if let Some(known) = self.origin.as_ref().filter(|known| known.text == text) {
            return Some(known.clone());
        }
        let host = HeaderValue::from_str(text).ok()?;
        let forwarded = Forwarded::of(from, text, "https");
        let made = Rc::new(Origin { text: text.to_owned(), host, forwarded });
        self.origin = Some(made.clone());
        Some(made)
    }

    /// The values for this permit at this site, in the state of this number.
    pub(crate) fn who(&mut self, number: u64, permit: &Permit, site: &GateSite) -> Rc<Who> {
        let same = |known: &Option<Arc<Grant>>| match (known, permit.shared_grant()) {
            (Some(known), Some(grant)) => Arc::ptr_eq(known, grant),
            (None, None) => true,
            _ => false,
        };
        if let Some((_, _, who)) = self.who.as_ref().filter(|known| known.0 == number && same(&known.1)) {
            return who.clone();
        }
        let identity = Identity::of(&site.identity, permit.certificate(), permit.party());
        let made = Rc::new(Who { identity, party: permit.party().map(Arc::from) });
        self.who = Some((number, permit.shared_grant().cloned(), made.clone()));
        made
    }
}
