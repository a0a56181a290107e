//! Which CA names are sent with the certificate request.

use std::sync::{Arc, Mutex};

use examiner::cert::pem;
use policy::record::{KeyRecord, PinExceptions};
use policy::verify::{Anchor, AnchorSet};
use policy::{Admission, Ca, PartyName, RecordChange, Site};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;

use crate::world::World;

/// Shows no certificate, and hears which CA names it was asked with.
#[derive(Debug, Default)]
struct Ear(Mutex<Option<Vec<Vec<u8>>>>);

impl ResolvesClientCert for Ear {
    fn resolve(&self, issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        *self.0.lock().unwrap() = Some(issuers.iter().map(|name| name.to_vec()).collect());
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

async fn hinted(world: &World, site: &'static str) -> Vec<Vec<u8>> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(world.ca.root_pem().as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }
    let ear = Arc::new(Ear::default());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(ear.clone());
    let tcp = TcpStream::connect(("127.0.0.1", world.port())).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    // Whether a handshake without a certificate succeeds is another question.
    let _ = connector.connect(ServerName::try_from(site).unwrap(), tcp).await;
    let heard = ear.0.lock().unwrap().take();
    heard.expect("a certificate was asked for")
}

#[tokio::test]
async fn the_sites_cas_are_named_only_where_no_other_certificate_is_of_use() {
    let world = World::new();
    let anchors = pem::certificates(world.ca.root_pem().as_bytes()).unwrap();
    let subject = anchors[0].subject_der.to_vec();
    let ca = Arc::new(Ca {
        name: "ours".into(),
        anchors,
        intermediates: Vec::new(),
        admission: Admission::OnRecord,
        name_from: None,
        without_client_usage_until: None,
    });
    let anchors = Arc::new(AnchorSet::new(vec![Anchor { ca, admits: true }]).unwrap());
    let attach = |site: &mut Site| site.anchors = anchors.clone();
    let pins = [&world.alice, &world.bob].map(|cert| cert.facts().thumbprint);
    let unpinned = || pins.map(RecordChange::CertificateRemoved).to_vec();
    let key_pin = KeyRecord {
        party: PartyName::parse("alice").unwrap(),
        label: "laptop".into(),
        names: [0; 32],
        revoked: None,
        exceptions: PinExceptions::default(),
    };
    let key_pinned =
        [unpinned(), vec![RecordChange::Key(world.alice.facts().key_pin, vec![key_pin])]].concat();

    world.apply_site("strict.test", unpinned(), attach, |site| site.keeps_pending = false);
    assert_eq!(hinted(&world, "strict.test").await, [subject]);

    let none: Vec<Vec<u8>> = Vec::new();
    world.apply_site("strict.test", vec![], attach, |site| site.keeps_pending = false);
    assert_eq!(hinted(&world, "strict.test").await, none, "pins may be of any issuer");
    world.apply_site("strict.test", key_pinned, attach, |site| site.keeps_pending = false);
    assert_eq!(hinted(&world, "strict.test").await, none, "pinned keys too");
    world.apply_site("portal.test", unpinned(), attach, |_| {});
    assert_eq!(hinted(&world, "portal.test").await, none, "anything may become pending");
}
