//! Header values that are the same for all requests of a connection, made once.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::HeaderValue;
use policy::{Grant, Peer, Way};

use crate::admit::Permit;
use crate::broom::Forwarded;
use crate::health;
use crate::identity::{Admitted, Identity};
use crate::proxy::{self, Link};
use crate::settings::{GateSite, IdentityHeader};
use crate::upstream::pool::Pool;

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
    /// The upstream connections that are theirs alone.
    pub(crate) own_pool: Option<Pool>,
}

/// What is known of the client's connection.
pub(crate) struct Client<'a> {
    pub(crate) peer: Option<&'a Peer>,
    pub(crate) link: &'a Link,
    pub(crate) pool: &'a Pool,
}

impl Lines {
    /// Whether a request that was let through on this connection named its host in just this way.
    pub(crate) fn knows_host(&self, text: &str) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.text == text)
    }

    /// Forgets what can be made anew, for as long as nothing is asked. Upstream connections of their own stay.
    pub(crate) fn rest(&mut self) {
        self.origin = None;
        self.who.take_if(|(_, _, who)| who.own_pool.is_none());
    }

    /// The values for this authority, as the client wrote it. `None` if it cannot stand in a header.
    pub(crate) fn origin(&mut self, text: &str, from: IpAddr, trusted: bool) -> Option<Rc<Origin>> {
        if let Some(known) = self.origin.as_ref().filter(|known| known.text == text) {
            return Some(known.clone());
        }
        let host = HeaderValue::from_str(text).ok()?;
        let forwarded = Forwarded::of(from, text, "https").after(trusted);
        let made = Rc::new(Origin { text: text.to_owned(), host, forwarded });
        self.origin = Some(made.clone());
        Some(made)
    }

    /// The values for this permit at this site, in the state of this number.
    pub(crate) fn who(
        &mut self,
        number: u64,
        permit: &Permit,
        site: &GateSite,
        client: &Client<'_>,
    ) -> Rc<Who> {
        let same = |known: &Option<Arc<Grant>>| match (known, permit.shared_grant()) {
            (Some(known), Some(grant)) => Arc::ptr_eq(known, grant),
            (None, None) => true,
            _ => false,
        };
        if let Some((_, _, who)) = self.who.as_ref().filter(|known| known.0 == number && same(&known.1)) {
            return who.clone();
        }
        let made = Rc::new(Who::of(permit, site, client));
        self.who = Some((number, permit.shared_grant().cloned(), made.clone()));
        made
    }
}

impl Who {
    fn of(permit: &Permit, site: &GateSite, client: &Client<'_>) -> Self {
        let speaks_of = |header| site.identity.contains(&header);
        let (own, proxied) = (speaks_of(IdentityHeader::Xfcc), speaks_of(IdentityHeader::ProxyV2));
        let own = if own || proxied { health::own(site) } else { None };
        let admitted = permit.grant().zip(permit.certificate()).map(|(grant, certificate)| Admitted {
            certificate,
            issuers: client.peer.map_or(&[][..], |peer| issuers(peer, grant)),
            party: grant.identity.id(),
        });
        let host = site.name.as_str();
        let own_pool = proxied.then(|| {
            let header = proxy::header(client.link, admitted, host, own.as_ref());
            client.pool.for_one_client(header)
        });
        let mut identity = Identity::of(&site.identity, admitted, host, own.as_ref());
        if let Some(policy::decide::Identity::Operator(_, role)) = permit.grant().map(|grant| &grant.identity)
        {
            identity = identity.with_role(*role);
        }
        Self { identity, party: permit.party().map(Arc::from), own_pool }
    }
}

/// The issuers on the verified path that the admission rests on; for a pin on any path of the site, if there is one.
fn issuers<'a>(peer: &'a Peer, grant: &Grant) -> &'a [Arc<[u8]>] {
    let own = grant.way == Way::OwnAuthority;
    let mut paths = peer.vouching.paths.iter().filter(|path| path.admits);
    let path = paths.find(|path| !own || path.ca.name == policy::ca::OWN_CA);
    path.map_or(&[][..], |path| &path.issuers)
}
