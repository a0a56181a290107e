//! A presented chain against a site's trust anchors (RFC 5280 section 6, by rustls-webpki).
//!
//! All paths to the site's anchors are found, not only the first, under a budget of [`MAX_INTERMEDIATES`]
//! intermediates and [`MAX_SIGNATURE_CHECKS`] signature checks. The end-entity's own dates and key purposes are not
//! judged here but with each decision; only who vouches for it, and for how long.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use examiner::cert::oid::CLIENT_AUTH;
use examiner::{Certificate, KeyPin, SignatureHash, UnixTime};
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, TrustAnchor,
};
use sha2::{Digest, Sha256};
use webpki::{EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath};

use crate::ca::Ca;
use crate::refusal::{Place, Usage, Why};
use crate::revocation::{IssuerId, Link};

/// Intermediates of a client's chain that are looked at; the rest is ignored.
pub const MAX_INTERMEDIATES: usize = 4;
/// Signature checks spent on one chain, over all paths.
pub const MAX_SIGNATURE_CHECKS: u32 = 8;

/// The trust anchors of a site, ready for verification.
#[derive(Debug, Default)]
pub struct AnchorSet {
    id: [u8; 32],
    anchors: Vec<Anchor>,
    trust: Vec<TrustAnchor<'static>>,
}

/// One CA of a site.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// The CA.
    pub ca: Arc<Ca>,
    /// Whether it may admit; otherwise it is here only to find out who is denied by it.
    pub admits: bool,
}

/// Who vouches for an end-entity certificate.
#[derive(Clone, Debug)]
pub struct Vouching {
    /// The anchor set it was verified against.
    pub anchors_id: [u8; 32],
    /// Every verified path.
    pub paths: Vec<Path>,
    /// Why there is none, where there is none.
    pub failure: Option<Why>,
}

/// One verified path from the end-entity certificate to a trust anchor.
#[derive(Clone, Debug)]
pub struct Path {
    /// The CA whose anchor ends it.
    pub ca: Arc<Ca>,
    /// Whether that CA may admit at this site.
    pub admits: bool,
    /// The keys of intermediates and anchor.
    pub keys: Vec<KeyPin>,
    /// Their certificates, the end-entity's issuer first, the anchor last; DER.
    pub issuers: Vec<Arc<[u8]>>,
    /// First second at which all of them are valid.
    pub not_before: UnixTime,
    /// Last second at which all of them are valid, inclusive.
    pub not_after: UnixTime,
    /// Whether an issuer on it lists key purposes without client authentication.
    pub issuer_not_for_clients: bool,
    /// Its certificates below the anchor, the end-entity's first, each as its issuer's revocation list names it.
    pub links: Vec<Link>,
}

impl AnchorSet {
    /// The set of these CAs. An anchor that rustls-webpki cannot use is an error, naming the CA.
    pub fn new(cas: Vec<Anchor>) -> Result<Self, String> {
        let mut hash = Sha256::new();
        let mut set = Self::default();
        for anchor in cas {
            hash.update(format!(
                "{:?}",
                (&anchor.ca.name, anchor.admits, &anchor.ca.admission, &anchor.ca.name_from)
            ));
            hash.update(format!("{:?}", anchor.ca.without_client_usage_until));
            for certificate in &anchor.ca.anchors {
                let der = CertificateDer::from(certificate.der.to_vec());
                let trust = webpki::anchor_from_trusted_cert(&der)
                    .map_err(|error| format!("CA {}: {error} in {}", anchor.ca.name, certificate.subject))?
                    .to_owned();
                hash.update(certificate.thumbprint.0);
                set.trust.push(trust);
                set.anchors.push(anchor.clone());
            }
            for intermediate in &anchor.ca.intermediates {
                hash.update(intermediate.thumbprint.0);
            }
        }
        set.id = hash.finalize().into();
        Ok(set)
    }

    /// What tells this set from another: anchors, admission, exceptions.
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    /// The CAs, one entry an anchor certificate.
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// The CA with this name, where it may admit.
    pub fn ca(&self, name: &str) -> Option<&Arc<Ca>> {
        self.anchors.iter().find(|anchor| anchor.admits && anchor.ca.name == name).map(|anchor| &anchor.ca)
    }

    /// The anchors' subjects as DER, for the CertificateRequest (RFC 8446 section 4.2.4).
    pub fn subjects_der(&self) -> impl Iterator<Item = &[u8]> {
        self.anchors
            .iter()
            .filter(|anchor| anchor.admits)
            .flat_map(|anchor| anchor.ca.anchors.iter().map(|certificate| &*certificate.subject_der))
    }
}

impl Vouching {
    /// Nobody vouches, for no stated reason.
    pub fn none(anchors: &AnchorSet) -> Self {
        Self { anchors_id: anchors.id, paths: Vec::new(), failure: None }
    }
}

/// Finds every path from `certificate` over the `presented` intermediates to the anchors.
pub fn vouch(
    certificate: &Certificate,
    presented: &[CertificateDer<'static>],
    anchors: &AnchorSet,
    now: UnixTime,
) -> Vouching {
    let intermediates: Vec<CertificateDer<'static>> =
        presented.iter().take(MAX_INTERMEDIATES).cloned().collect();
    let parsed: HashMap<&[u8], Certificate> = intermediates
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok().map(|certificate| (der.as_ref(), certificate)))
        .collect();
    let search = Search { certificate, intermediates: &intermediates, parsed: &parsed, anchors };

    SIGNATURE_CHECKS.with(|left| left.set(MAX_SIGNATURE_CHECKS));
    let leaf_moment = clamp(now, certificate.not_before, certificate.not_after);
    let (mut paths, mut failure) = search.at(leaf_moment);
    if paths.is_empty() {
        // An issuer out of its dates hides who vouches: look at a moment inside its validity too.
        for issuer in parsed.values() {
            let moment = clamp(leaf_moment, issuer.not_before, issuer.not_after);
            if moment == leaf_moment || !certificate.is_valid_at(moment, 0) {
                continue;
            }
            (paths, failure) = search.at(moment);
            if !paths.is_empty() {
                break;
            }
        }
    }
    let failure = if paths.is_empty() { Some(failure) } else { None };
    Vouching { anchors_id: anchors.id, paths, failure }
}

struct Search<'a> {
    certificate: &'a Certificate,
    intermediates: &'a [CertificateDer<'static>],
    parsed: &'a HashMap<&'a [u8], Certificate>,
    anchors: &'a AnchorSet,
}

impl Search<'_> {
    fn at(&self, moment: UnixTime) -> (Vec<Path>, Why) {
        let certificate = self.certificate;
        if certificate.is_ca {
            return (Vec::new(), self.if_known_issuer(Why::WrongUsage(Usage::CaCertificate)));
        }
        let der = CertificateDer::from(&*certificate.der);
        let end_entity = match EndEntityCert::try_from(&der) {
            Ok(end_entity) => end_entity,
            Err(Error::UnsupportedCertVersion) => {
                return (Vec::new(), self.if_known_issuer(Why::WrongUsage(Usage::NoKeyPurpose)));
            }
            Err(error) => return (Vec::new(), self.why(&error)),
        };
        let found = RefCell::new(Vec::new());
        let rejected = RefCell::new(None);
        let collect = |path: &VerifiedPath<'_>| -> Result<(), Error> {
            match self.path(path) {
                Ok(path) => found.borrow_mut().push(path),
                Err(why) => *rejected.borrow_mut() = Some(why),
            }
            // Every path is wanted, so the search goes on.
            Err(Error::UnknownIssuer)
        };
        let seconds = u64::try_from(moment.seconds()).unwrap_or(0);
        let result = end_entity.verify_for_usage(
            ALGORITHMS,
            &self.anchors.trust,
            self.intermediates,
            rustls_pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)),
            JudgedElsewhere,
            None,
            Some(&collect),
        );
        let error = match result {
            Err(error) => error,
            Ok(_) => Error::UnknownIssuer,
        };
        let why = rejected.into_inner().unwrap_or_else(|| self.why(&error));
        (found.into_inner(), why)
    }

    /// The path's facts, or what makes it unusable.
    fn path(&self, path: &VerifiedPath<'_>) -> Result<Path, Why> {
        let trust = path.anchor();
        let index = self.anchors.trust.iter().position(|one| std::ptr::eq(one, trust)).or_else(|| {
            let same = |one: &TrustAnchor<'_>| {
                one.subject == trust.subject && one.subject_public_key_info == trust.subject_public_key_info
            };
            self.anchors.trust.iter().position(same)
        });
        let anchor = &self.anchors.anchors[index.ok_or(Why::BadSignature)?];
        let root = anchor
            .ca
            .anchors
            .iter()
            .find(|c| {
                c.subject_der.ends_with(trust.subject.as_ref())
                    && c.spki.ends_with(trust.subject_public_key_info.as_ref())
            })
            .unwrap_or(&anchor.ca.anchors[0]);
        let unreadable = || Why::Malformed { what: "an intermediate cannot be read".into() };
        let mut issuers = Vec::new();
        for intermediate in path.intermediate_certificates() {
            issuers.push(self.parsed.get(intermediate.der().as_ref()).ok_or_else(unreadable)?);
        }
        let mut facts = Path {
            ca: anchor.ca.clone(),
            admits: anchor.admits,
            keys: Vec::new(),
            issuers: Vec::new(),
            not_before: root.not_before,
            not_after: root.not_after,
            issuer_not_for_clients: false,
            links: Vec::new(),
        };
        let line = [self.certificate].into_iter().chain(issuers.iter().copied()).chain([root]);
        let line: Vec<&Certificate> = line.collect();
        facts.links = line.windows(2).map(|two| Link::new(&two[0].serial, IssuerId::of(two[1]))).collect();
        for issuer in &issuers {
            if let SignatureHash::Sha1 | SignatureHash::Md5 = issuer.signature_hash {
                return Err(Why::WeakKey { found: "an intermediate signed with SHA-1 or MD5".into() });
            }
        }
        // rustls-webpki holds intermediates to their path length, but knows of the anchor only name and key.
        let below = issuers.iter().filter(|issuer| !issuer.is_self_issued()).count();
        if root.path_length.is_some_and(|most| below > most as usize) {
            return Err(Why::ChainInvalid { what: "an issuer's path length is exceeded".into() });
        }
        for issuer in issuers.into_iter().chain([root]) {
            if let Some(found) = issuer.public_key.weakness() {
                return Err(Why::WeakKey { found: format!("{found} of an issuer") });
            }
            if issuer.key_usage.is_some_and(|usage| !usage.key_cert_sign) {
                return Err(Why::ChainInvalid { what: "an issuer's key usage lacks keyCertSign".into() });
            }
            facts.keys.push(issuer.key_pin);
            facts.issuers.push(issuer.der.clone());
            facts.not_before = facts.not_before.max(issuer.not_before);
            facts.not_after = facts.not_after.min(issuer.not_after);
            facts.issuer_not_for_clients |=
                issuer.extended_key_usage.is_some() && !issuer.has_purpose(CLIENT_AUTH);
        }
        Ok(facts)
    }

    /// `why` where one of the site's CAs (or what was sent with it) could be the issuer; otherwise: unknown issuer.
    fn if_known_issuer(&self, why: Why) -> Why {
        if self.issuer_by_name().is_some() { why } else { self.unknown_issuer() }
    }

    fn issuer_by_name(&self) -> Option<&Certificate> {
        let issuers = self.anchors.anchors.iter().flat_map(|anchor| &anchor.ca.anchors);
        issuers.into_iter().find(|issuer| issuer.subject_der == self.certificate.issuer_der)
    }

    /// Whether one of our anchors claims to have signed the end-entity: same name and same key identifier.
    fn claims_our_key(&self) -> bool {
        let certificates = self.parsed.values().chain([self.certificate]);
        certificates.into_iter().any(|certificate| {
            self.anchors.anchors.iter().flat_map(|anchor| &anchor.ca.anchors).any(|issuer| {
                issuer.subject_der == certificate.issuer_der
                    && certificate.authority_key_id.is_some()
                    && issuer.subject_key_id == certificate.authority_key_id
            })
        })
    }

    fn unknown_issuer(&self) -> Why {
        let named = |wanted: &[u8]| {
            let mut known =
                self.anchors.anchors.iter().filter(|a| a.admits).flat_map(|a| &a.ca.intermediates);
            known.find(|intermediate| *intermediate.subject_der == *wanted)
        };
        let sent =
            |wanted: &[u8]| self.parsed.values().any(|certificate| *certificate.subject_der == *wanted);
        for certificate in [self.certificate].into_iter().chain(self.parsed.values()) {
            if let Some(missing) = named(&certificate.issuer_der).filter(|m| !sent(&m.subject_der)) {
                return Why::ChainIncomplete { missing: missing.subject.to_string() };
            }
        }
        let namesake = self.anchors.anchors.iter().find(|anchor| {
            anchor.ca.anchors.iter().any(|issuer| issuer.subject_der == self.certificate.issuer_der)
        });
        Why::UnknownIssuer {
            issuer: self.certificate.issuer.to_string(),
            name_equals_ca: namesake.map(|anchor| anchor.ca.name.clone()),
            same_key_as_pin_of: None,
            key_pin_with_other_names: false,
        }
    }

    fn why(&self, error: &Error) -> Why {
        let invalid = |what: &str| Why::ChainInvalid { what: what.to_owned() };
        let at = |t: &rustls_pki_types::UnixTime| UnixTime(t.as_secs() as i64);
        match error {
            Error::UnknownIssuer => self.unknown_issuer(),
            Error::InvalidSignatureForPublicKey | Error::SignatureAlgorithmMismatch
                if self.claims_our_key() =>
            {
                Why::BadSignature
            }
            Error::InvalidSignatureForPublicKey | Error::SignatureAlgorithmMismatch => self.unknown_issuer(),
            Error::UnsupportedSignatureAlgorithmContext(_)
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
                self.if_known_issuer(Why::WeakKey {
                    found: format!("signature {:?}", self.certificate.signature_hash),
                })
            }
            Error::CertExpired { not_after, .. } => {
                Why::Expired { not_after: at(not_after), place: Place::Issuer }
            }
            Error::CertNotValidYet { not_before, .. } => {
                Why::NotYetValid { not_before: at(not_before), place: Place::Issuer }
            }
            Error::NameConstraintViolation | Error::MalformedNameConstraint | Error::UnsupportedNameType => {
                invalid("a name lies outside an issuer's name constraints")
            }
            Error::PathLenConstraintViolated => invalid("an issuer's path length is exceeded"),
            Error::UnsupportedCriticalExtension => invalid("a critical extension is not understood"),
            Error::EndEntityUsedAsCa => invalid("a certificate that is no CA issued another"),
            Error::MaximumSignatureChecksExceeded
            | Error::MaximumPathBuildCallsExceeded
            | Error::MaximumPathDepthExceeded
            | Error::MaximumNameConstraintComparisonsExceeded => invalid("checking it takes too much work"),
            Error::CaUsedAsEndEntity => Why::WrongUsage(Usage::CaCertificate),
            other => Why::Malformed { what: other.to_string() },
        }
    }
}

fn clamp(moment: UnixTime, from: UnixTime, to: UnixTime) -> UnixTime {
    if to < from { moment } else { moment.max(from).min(to) }
}

/// Key purposes are judged with each decision, where the dated exceptions are known.
struct JudgedElsewhere;

impl ExtendedKeyUsageValidator for JudgedElsewhere {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        for purpose in purposes {
            purpose?;
        }
        Ok(())
    }
}

thread_local! {
    static SIGNATURE_CHECKS: Cell<u32> = const { Cell::new(0) };
}

/// A signature algorithm that counts against the budget of the chain under verification.
#[derive(Debug)]
struct Counted(&'static dyn SignatureVerificationAlgorithm);

impl SignatureVerificationAlgorithm for Counted {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        SIGNATURE_CHECKS.with(|left| {
            left.set(left.get().checked_sub(1).ok_or(InvalidSignature)?);
            self.0.verify_signature(public_key, message, signature)
        })
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0.signature_alg_id()
    }
}

/// What may sign a certificate in a chain: SHA-256 and longer only.
static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = {
    use webpki::aws_lc_rs as lc;
    &[
        &Counted(lc::ECDSA_P256_SHA256),
        &Counted(lc::ECDSA_P256_SHA384),
        &Counted(lc::ECDSA_P384_SHA256),
        &Counted(lc::ECDSA_P384_SHA384),
        &Counted(lc::ECDSA_P521_SHA256),
        &Counted(lc::ECDSA_P521_SHA384),
        &Counted(lc::ECDSA_P521_SHA512),
        &Counted(lc::ED25519),
        &Counted(lc::RSA_PKCS1_2048_8192_SHA256),
        &Counted(lc::RSA_PKCS1_2048_8192_SHA384),
        &Counted(lc::RSA_PKCS1_2048_8192_SHA512),
        &Counted(lc::RSA_PSS_2048_8192_SHA256_LEGACY_KEY),
        &Counted(lc::RSA_PSS_2048_8192_SHA384_LEGACY_KEY),
        &Counted(lc::RSA_PSS_2048_8192_SHA512_LEGACY_KEY),
    ]
};
