//! CAs with constraints, odd names or other keys.

use examiner::UnixTime;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyUsagePurpose, NameConstraints,
};

use super::subject::{Strings, Subject};
use super::{Access, KeyType, TestCa, TestKey, access, moment, random_serial, resign};
use crate::times;

/// A CA in the making.
#[derive(Clone)]
pub struct CaBuilder {
    subject: Subject,
    key: Result<TestKey, KeyType>,
    validity: (UnixTime, UnixTime),
    basic: IsCa,
    key_usage: Vec<KeyUsagePurpose>,
    purposes: Vec<ExtendedKeyUsagePurpose>,
    permitted: Vec<GeneralSubtree>,
    excluded: Vec<GeneralSubtree>,
    access: Vec<CustomExtension>,
    sha1: bool,
}

impl CaBuilder {
    pub(super) fn new(common_name: &str) -> Self {
        let now = times::clock();
        Self {
            subject: Subject::of(&[("CN", common_name)]),
            key: Err(KeyType::P256),
            validity: (now.plus(-times::DAY), now.plus(3650 * times::DAY)),
            basic: IsCa::Ca(BasicConstraints::Unconstrained),
            key_usage: vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign],
            purposes: Vec::new(),
            permitted: Vec::new(),
            excluded: Vec::new(),
            access: Vec::new(),
            sha1: false,
        }
    }

    /// The whole subject, in order.
    pub fn subject(mut self, attributes: &[(&str, &str)]) -> Self {
        self.subject = Subject { strings: self.subject.strings, ..Subject::of(attributes) };
        self
    }

    /// The subject of another certificate: a CA that bears a stranger's name.
    pub fn subject_like(mut self, other: &examiner::Certificate) -> Self {
        self.subject = Subject::like(&other.subject);
        self
    }

    /// How the subject's strings are encoded.
    pub fn strings(mut self, strings: Strings) -> Self {
        self.subject.strings = strings;
        self
    }

    /// A new key of this type.
    pub fn key_type(mut self, kind: KeyType) -> Self {
        self.key = Err(kind);
        self
    }

    /// This very key.
    pub fn key(mut self, key: &TestKey) -> Self {
        self.key = Ok(key.clone());
        self
    }

    /// First and last second of validity, both inclusive.
    pub fn valid(mut self, not_before: UnixTime, not_after: UnixTime) -> Self {
        self.validity = (not_before, not_after);
        self
    }

    /// Validity in seconds from the machine's clock.
    pub fn valid_from_now(self, not_before: i64, not_after: i64) -> Self {
        let now = times::clock();
        self.valid(now.plus(not_before), now.plus(not_after))
    }

    /// At most `count` intermediates below this one.
    pub fn path_length(mut self, count: u8) -> Self {
        self.basic = IsCa::Ca(BasicConstraints::Constrained(count));
        self
    }

    /// CA:FALSE, though it will sign.
    pub fn not_a_ca(mut self) -> Self {
        self.basic = IsCa::ExplicitNoCa;
        self
    }

    /// Exactly these key usage bits; an empty list omits the extension.
    pub fn key_usage(mut self, usage: &[KeyUsagePurpose]) -> Self {
        self.key_usage = usage.to_vec();
        self
    }

    /// Its key usage allows the signing of revocation lists alone.
    pub fn for_lists_only(self) -> Self {
        self.key_usage(&[KeyUsagePurpose::CrlSign])
    }

    /// Its extended key usage lists servers alone.
    pub fn for_servers_only(mut self) -> Self {
        self.purposes = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self
    }

    /// Name constraint: only host names at or below `domain`.
    pub fn permit_dns(mut self, domain: &str) -> Self {
        self.permitted.push(GeneralSubtree::DnsName(domain.to_owned()));
        self
    }

    /// Name constraint: no host names at or below `domain`.
    pub fn exclude_dns(mut self, domain: &str) -> Self {
        self.excluded.push(GeneralSubtree::DnsName(domain.to_owned()));
        self
    }

    /// Name constraint: only mail addresses of `host`.
    pub fn permit_email(mut self, host: &str) -> Self {
        self.permitted.push(GeneralSubtree::Rfc822Name(host.to_owned()));
        self
    }

    /// Name constraint: only subjects that start with these attributes.
    pub fn permit_subject(mut self, attributes: &[(&str, &str)]) -> Self {
        self.permitted.push(GeneralSubtree::DirectoryName(Subject::of(attributes).dn()));
        self
    }

    /// Its own certificate is signed with SHA-1 (by the real openssl).
    pub fn sha1(mut self) -> Self {
        self.sha1 = true;
        self
    }

    /// Addresses of its issuer's certificate and of OCSP responders.
    pub fn access(mut self, addresses: &[(Access, &str)]) -> Self {
        self.access.push(access::extension(addresses));
        self
    }

    /// Makes it a self-signed root.
    pub fn root(self) -> TestCa {
        let (params, key) = self.parts(false);
        let der = params.self_signed(&key).expect("a certificate").der().to_vec();
        let der = if self.sha1 { resign::with_sha1(&der, &key) } else { der };
        TestCa { params, key, root: der.clone(), chain: Vec::new(), der }
    }

    /// Makes it an intermediate of `parent`.
    pub fn under(self, parent: &TestCa) -> TestCa {
        let (params, key) = self.parts(true);
        let issuer: Issuer<'_, TestKey> = parent.issuer();
        let der = params.signed_by(&key, &issuer).expect("a certificate").der().to_vec();
        let der = if self.sha1 { resign::with_sha1(&der, issuer.key()) } else { der };
        let mut chain = vec![der.clone()];
        chain.extend(parent.chain.iter().cloned());
        TestCa { params, key, der, chain, root: parent.root.clone() }
    }

    fn parts(&self, issued: bool) -> (CertificateParams, TestKey) {
        let key = match &self.key {
            Ok(key) => key.clone(),
            Err(kind) => TestKey::new(*kind),
        };
        let mut params = CertificateParams::default();
        params.distinguished_name = self.subject.dn();
        params.not_before = moment(self.validity.0);
        params.not_after = moment(self.validity.1);
        params.serial_number = Some(random_serial());
        params.is_ca = self.basic;
        params.key_usages = self.key_usage.clone();
        params.extended_key_usages = self.purposes.clone();
        params.custom_extensions = self.access.clone();
        params.use_authority_key_identifier_extension = issued;
        if !self.permitted.is_empty() || !self.excluded.is_empty() {
            params.name_constraints = Some(NameConstraints {
                permitted_subtrees: self.permitted.clone(),
                excluded_subtrees: self.excluded.clone(),
            });
        }
        (params, key)
    }
}
