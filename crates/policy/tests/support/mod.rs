//! A small world to ask the decision in: one site, its CAs, what is on record.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use examiner::{Certificate, UnixTime};
use policy::ca::Ca;
use policy::record::{
    CertificateRecord, Holder, KeyRecord, Origin, Party, PinExceptions, RecordChange, names_digest,
};
use policy::verify::{Anchor, AnchorSet};
use policy::{
    Admission, Audience, Decision, HostName, MatchEntry, Moment, OnRefuse, PartyName, Peer, Principal, Site,
    Snapshot, decide,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use testkit::{TestCa, TestCert};

/// One site `portal.test` and the policy around it.
pub struct World {
    pub site: Site,
    pub snapshot: Snapshot,
    cas: Vec<Anchor>,
}

pub fn name(text: &str) -> PartyName {
    PartyName::parse(text).unwrap()
}

impl World {
    /// A site that nobody may enter yet.
    pub fn new() -> Self {
        let site = Site {
            name: HostName::parse("portal.test").unwrap(),
            audience: Audience::Parties,
            allow: Vec::new(),
            deny: Vec::new(),
            on_refuse: OnRefuse::Page,
            observe_until: None,
            paths: Vec::new(),
            anchors: Arc::default(),
            is_default: false,
            clock_tolerance: 0,
        };
        Self { site, snapshot: Snapshot::default(), cas: Vec::new() }
    }

    pub fn allow(mut self, who: &str) -> Self {
        self.site.allow.push(Principal::parse(who).unwrap());
        self
    }

    pub fn deny(mut self, who: &str) -> Self {
        self.site.deny.push(Principal::parse(who).unwrap());
        self
    }

    pub fn group(mut self, group: &str, members: &[&str]) -> Self {
        let members: HashSet<String> = members.iter().map(|m| (*m).to_owned()).collect();
        self.snapshot.groups = Arc::new(HashMap::from([(group.to_owned(), members)]));
        self
    }

    /// Attaches a CA; `change` adjusts it.
    pub fn ca_with(mut self, name: &str, ca: &TestCa, change: impl FnOnce(&mut Ca)) -> Self {
        let mut rule = Ca {
            name: name.to_owned(),
            anchors: vec![ca.facts()],
            intermediates: Vec::new(),
            admission: Admission::Any,
            name_from: None,
            without_client_usage_until: None,
        };
        change(&mut rule);
        self.cas.push(Anchor { ca: Arc::new(rule), admits: true });
        self.site.anchors = Arc::new(AnchorSet::new(self.cas.clone()).unwrap());
        self
    }

    pub fn ca(self, name: &str, ca: &TestCa) -> Self {
        self.ca_with(name, ca, |_| {})
    }

    pub fn own_ca(self, ca: &TestCa) -> Self {
        self.ca_with("own", ca, |rule| rule.admission = Admission::OnRecord)
    }

    pub fn change(mut self, change: RecordChange) -> Self {
        self.snapshot.records.apply(change);
        self
    }

    pub fn party(self, party: &str) -> Self {
        self.party_with(party, |_| {})
    }

    pub fn party_with(self, party: &str, change: impl FnOnce(&mut Party)) -> Self {
        let mut row =
            Party { name: name(party), id: "id".into(), suspended_since: None, grants: BTreeSet::new() };
        change(&mut row);
        self.change(RecordChange::Party(row))
    }

    pub fn pin(self, party: &str, cert: &TestCert) -> Self {
        self.record(party, cert, Origin::Pinned, |_| {})
    }

    pub fn own(self, party: &str, cert: &TestCert) -> Self {
        self.record(party, cert, Origin::Own, |_| {})
    }

    pub fn record(
        self,
        party: &str,
        cert: &TestCert,
        origin: Origin,
        change: impl FnOnce(&mut CertificateRecord),
    ) -> Self {
        let facts = cert.facts();
        let mut record = CertificateRecord {
            holder: Holder::Party(name(party)),
            label: "cert-1".into(),
            origin,
            key_pin: facts.key_pin,
            superseded_after: None,
            revoked: None,
            exceptions: PinExceptions::default(),
        };
        change(&mut record);
        self.change(RecordChange::Certificate(facts.thumbprint, record))
    }

    pub fn pin_key(self, party: &str, cert: &TestCert) -> Self {
        let facts = cert.facts();
        let record = KeyRecord {
            party: name(party),
            label: "key-1".into(),
            names: names_digest(&facts),
            revoked: None,
            exceptions: PinExceptions::default(),
        };
        self.change(RecordChange::Key(facts.key_pin, vec![record]))
    }

    pub fn peer(&self, cert: &TestCert, now: UnixTime) -> Peer {
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(cert.chain_pem.as_bytes()).map(Result::unwrap).collect();
        Peer::identify(chain.into(), &self.site.anchors, now).unwrap()
    }

    pub fn decide_at(&self, cert: Option<&TestCert>, now: UnixTime) -> Decision {
        let peer = cert.map(|cert| self.peer(cert, now));
        decide(&self.snapshot, &self.site, None, peer.as_ref(), Moment::at(now))
    }

    /// The decision now, in one word: `alice`, `open`, `observe CODE` or `CODE`.
    pub fn says(&self, cert: &TestCert) -> String {
        self.says_at(cert, testkit::times::clock())
    }

    pub fn says_at(&self, cert: &TestCert, now: UnixTime) -> String {
        word(self.decide_at(Some(cert), now))
    }
}

pub fn word(decision: Decision) -> String {
    match decision {
        Decision::Admit(grant) => grant.identity.id().to_owned(),
        Decision::Open => "open".into(),
        Decision::Observe(refusal) => format!("observe {}", refusal.code()),
        Decision::Refuse(refusal) => refusal.code().to_string(),
    }
}

pub fn entries(texts: &[&str]) -> Admission {
    Admission::Match(texts.iter().map(|text| MatchEntry::parse(text).unwrap()).collect())
}

#[allow(dead_code)]
pub fn facts(cert: &TestCert) -> Certificate {
    cert.facts()
}
