//! Revocation lists and OCSP responses made part by part, with the fixtures' keys.
#![allow(dead_code)]

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::der::*;
use super::spec::{
    self, CertificateSpec, ISSUING_KEY, ISSUING_SPKI, OTHER_SPKI, SHA256_RSA, ca_name, key_id, sign,
};

/// A revocation list in parts; every field holds the DER that stands in its place.
pub struct CrlSpec {
    pub issuer: Vec<u8>,
    pub this_update: Vec<u8>,
    /// Empty where it is left out.
    pub next_update: Vec<u8>,
    /// The serial numbers' INTEGERs.
    pub revoked: Vec<Vec<u8>>,
    /// Type (dotted), whether critical, contents.
    pub extensions: Vec<(&'static str, bool, Vec<u8>)>,
    pub signer: &'static [u8],
}

/// The list of the issuing CA: it holds at 2026-05-01 and names one certificate that is not in any fixture.
pub fn crl() -> CrlSpec {
    CrlSpec {
        issuer: ca_name("Fixture Issuing CA 1"),
        this_update: utc_time("260428000000Z"),
        next_update: utc_time("260505000000Z"),
        revoked: vec![integer(&[0x55])],
        extensions: vec![
            ("2.5.29.35", false, seq(&[&implicit(0, &key_id(ISSUING_SPKI))])),
            ("2.5.29.20", false, integer(&[7])),
        ],
        signer: ISSUING_KEY,
    }
}

impl CrlSpec {
    /// With one thing changed.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Vec<u8> {
        change(&mut self);
        self.build()
    }

    /// The list's DER.
    pub fn build(&self) -> Vec<u8> {
        let entries: Vec<Vec<u8>> =
            self.revoked.iter().map(|serial| seq(&[serial, &utc_time("260401120000Z")])).collect();
        let extensions: Vec<Vec<u8>> = self
            .extensions
            .iter()
            .map(|(kind, is_critical, value)| {
                let critical = if *is_critical { boolean(true) } else { Vec::new() };
                seq(&[&oid(kind), &critical, &octets(value)])
            })
            .collect();
        let tbs = seq(&[
            &integer(&[1]),
            &algorithm_null(SHA256_RSA),
            &self.issuer,
            &self.this_update,
            &self.next_update,
            &seq(&entries.iter().map(Vec::as_slice).collect::<Vec<_>>()),
            &explicit(0, &seq(&extensions.iter().map(Vec::as_slice).collect::<Vec<_>>())),
        ]);
        seq(&[&tbs, &algorithm_null(SHA256_RSA), &bits(0, &sign(self.signer, &tbs))])
    }
}

/// An OCSP response in parts; every field holds the DER that stands in its place.
pub struct OcspSpec {
    /// responseStatus; all but 0 leaves the rest out.
    pub status: u8,
    pub responder: Vec<u8>,
    pub produced_at: Vec<u8>,
    pub serial: Vec<u8>,
    pub issuer: Vec<u8>,
    pub issuer_spki: &'static [u8],
    pub answer: Vec<u8>,
    pub this_update: Vec<u8>,
    /// Empty where it is left out.
    pub next_update: Vec<u8>,
    /// The list of timestamps of logs among the extensions of the answer; empty where there is none.
    pub timestamps: Vec<u8>,
    pub signer: &'static [u8],
    /// Whether the signature rests on SHA-1.
    pub sha1: bool,
    pub certificates: Vec<Vec<u8>>,
}

/// Good, about the server certificate, from its issuing CA, as of 2026-05-01.
pub fn ocsp() -> OcspSpec {
    OcspSpec {
        status: 0,
        responder: explicit(1, &ca_name("Fixture Issuing CA 1")),
        produced_at: generalized_time("20260430000000Z"),
        serial: spec::leaf().serial,
        issuer: ca_name("Fixture Issuing CA 1"),
        issuer_spki: ISSUING_SPKI,
        answer: implicit(0, &[]),
        this_update: generalized_time("20260430000000Z"),
        next_update: generalized_time("20260507000000Z"),
        timestamps: Vec::new(),
        signer: ISSUING_KEY,
        sha1: false,
        certificates: Vec::new(),
    }
}

/// certStatus revoked, since 2026-04-20.
pub fn revoked() -> Vec<u8> {
    explicit(1, &generalized_time("20260420000000Z"))
}

/// A response by a responder of the issuing CA, with what is wanted changed in his certificate.
pub fn by_responder(change: impl FnOnce(&mut CertificateSpec)) -> OcspSpec {
    let mut responder = responder();
    change(&mut responder);
    OcspSpec {
        responder: explicit(2, &octets(&sha1(&bare_key(OTHER_SPKI)))),
        signer: spec::OTHER_KEY,
        certificates: vec![responder.build()],
        ..ocsp()
    }
}

/// The certificate of a responder that the issuing CA made one.
pub fn responder() -> CertificateSpec {
    let mut responder = spec::leaf();
    responder.serial = integer(&[0x21, 0x43]);
    responder.subject = ca_name("Fixture Responder");
    responder.spki = OTHER_SPKI.to_vec();
    responder.extensions = vec![
        spec::critical("2.5.29.15", named_bits(&[0])),
        spec::extension("2.5.29.37", spec::purposes(&["1.3.6.1.5.5.7.3.9"])),
        spec::extension("2.5.29.35", seq(&[&implicit(0, &key_id(ISSUING_SPKI))])),
        spec::extension("1.3.6.1.5.5.7.48.1.5", null()),
    ];
    responder
}

impl OcspSpec {
    /// With one thing changed.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Vec<u8> {
        change(&mut self);
        self.build()
    }

    /// The response's DER.
    pub fn build(&self) -> Vec<u8> {
        if self.status != 0 {
            return seq(&[&tlv(0x0a, &[self.status])]);
        }
        let id = seq(&[
            &algorithm_null("1.3.14.3.2.26"),
            &octets(&sha1(&self.issuer)),
            &octets(&sha1(&bare_key(self.issuer_spki))),
            &self.serial,
        ]);
        let next = if self.next_update.is_empty() { Vec::new() } else { explicit(0, &self.next_update) };
        let extensions = match self.timestamps.as_slice() {
            [] => Vec::new(),
            list => explicit(1, &seq(&[&seq(&[&oid("1.3.6.1.4.1.11129.2.4.5"), &octets(&octets(list))])])),
        };
        let single = seq(&[&id, &self.answer, &self.this_update, &next, &extensions]);
        let data = seq(&[&self.responder, &self.produced_at, &seq(&[&single])]);
        let certificates = match self.certificates.as_slice() {
            [] => Vec::new(),
            all => explicit(0, &seq(&all.iter().map(Vec::as_slice).collect::<Vec<_>>())),
        };
        // Nobody signs with SHA-1 here any more: the algorithm is named, and the signature does not verify.
        let algorithm = if self.sha1 { "1.2.840.113549.1.1.5" } else { SHA256_RSA };
        let signature = bits(0, &sign(self.signer, &data));
        let basic = seq(&[&data, &algorithm_null(algorithm), &signature, &certificates]);
        let bytes = seq(&[&oid("1.3.6.1.5.5.7.48.1.1"), &octets(&basic)]);
        seq(&[&tlv(0x0a, &[0]), &explicit(0, &bytes)])
    }
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}

/// The key's octets out of a subjectPublicKeyInfo.
fn bare_key(spki: &[u8]) -> Vec<u8> {
    let tree = examiner::cert::tlv::read(spki.into(), Default::default());
    let key = tree.root().and_then(|root| root.child(1)).and_then(|key| key.bit_string()).expect("a key");
    key.0.to_vec()
}
