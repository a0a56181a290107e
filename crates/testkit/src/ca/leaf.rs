//! End-entity certificates: a good client certificate by default, wrong in one way where a test asks for it.

use examiner::UnixTime;
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, CustomExtension, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyUsagePurpose, SanType, SerialNumber,
};

use super::subject::{Strings, Subject, oid};
use super::{Access, KeyType, TestCa, TestCert, TestKey, access, moment, random_serial, resign};
use crate::times;

/// An end-entity certificate in the making.
///
/// Without further words: CN only, no SAN, P-256, from an hour ago for 30 days, client usage, digitalSignature,
/// CA:FALSE.
#[derive(Clone)]
pub struct Leaf {
    subject: Subject,
    names: Vec<SanType>,
    validity: (UnixTime, UnixTime),
    purposes: Vec<ExtendedKeyUsagePurpose>,
    key_usage: Vec<KeyUsagePurpose>,
    is_ca: bool,
    key: Result<TestKey, KeyType>,
    serial: Option<Vec<u8>>,
    extensions: Vec<CustomExtension>,
    crl_urls: Vec<String>,
    damage: Option<Damage>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Damage {
    Sha1,
    Signature,
}

impl Leaf {
    /// A good client certificate for CN=`common_name`.
    pub fn new(common_name: &str) -> Self {
        let now = times::clock();
        Self {
            subject: Subject::of(&[("CN", common_name)]),
            names: Vec::new(),
            validity: (now.plus(-3600), now.plus(30 * times::DAY)),
            purposes: vec![ExtendedKeyUsagePurpose::ClientAuth],
            key_usage: vec![KeyUsagePurpose::DigitalSignature],
            is_ca: false,
            key: Err(KeyType::P256),
            serial: None,
            extensions: Vec::new(),
            crl_urls: Vec::new(),
            damage: None,
        }
    }

    /// A good server certificate for the host `name` (CN and dNSName).
    pub fn server(name: &str) -> Self {
        Self::new(name).dns(name).server_usage()
    }

    /// The whole subject, in order: `&[("O", "Lab"), ("CN", "svc-1")]`; types by short name or dotted OID.
    pub fn subject(mut self, attributes: &[(&str, &str)]) -> Self {
        self.subject = Subject { strings: self.subject.strings, ..Subject::of(attributes) };
        self
    }

    /// The subject of another certificate, attribute by attribute.
    pub fn subject_like(mut self, other: &examiner::Certificate) -> Self {
        self.subject = Subject::like(&other.subject);
        self
    }

    /// How the subject's strings are encoded.
    pub fn strings(mut self, strings: Strings) -> Self {
        self.subject.strings = strings;
        self
    }

    /// Adds a dNSName.
    pub fn dns(mut self, name: &str) -> Self {
        self.names.push(SanType::DnsName(name.try_into().expect("ASCII")));
        self
    }

    /// Adds an rfc822Name.
    pub fn email(mut self, address: &str) -> Self {
        self.names.push(SanType::Rfc822Name(address.try_into().expect("ASCII")));
        self
    }

    /// Adds a uniformResourceIdentifier.
    pub fn uri(mut self, uri: &str) -> Self {
        self.names.push(SanType::URI(uri.try_into().expect("ASCII")));
        self
    }

    /// Adds an iPAddress.
    pub fn ip(mut self, address: std::net::IpAddr) -> Self {
        self.names.push(SanType::IpAddress(address));
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

    /// Ended a day ago.
    pub fn ended_yesterday(self) -> Self {
        self.valid_from_now(-30 * times::DAY, -times::DAY)
    }

    /// Starts in a day.
    pub fn starts_tomorrow(self) -> Self {
        self.valid_from_now(times::DAY, 30 * times::DAY)
    }

    /// Exactly these key purposes; an empty list omits the extension.
    pub fn purposes(mut self, purposes: &[ExtendedKeyUsagePurpose]) -> Self {
        self.purposes = purposes.to_vec();
        self
    }

    /// Server usage only.
    pub fn server_usage(self) -> Self {
        self.purposes(&[ExtendedKeyUsagePurpose::ServerAuth])
    }

    /// Server and client usage.
    pub fn both_usages(self) -> Self {
        self.purposes(&[ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth])
    }

    /// anyExtendedKeyUsage only.
    pub fn any_usage(self) -> Self {
        self.purposes(&[ExtendedKeyUsagePurpose::Any])
    }

    /// No extendedKeyUsage extension at all.
    pub fn without_usage(self) -> Self {
        self.purposes(&[])
    }

    /// A purpose that is neither client, server nor any: code signing.
    pub fn unrelated_usage(self) -> Self {
        self.purposes(&[ExtendedKeyUsagePurpose::CodeSigning])
    }

    /// An extendedKeyUsage extension that lists nothing.
    pub fn empty_usage(self) -> Self {
        self.without_usage().extension("2.5.29.37", false, &[0x30, 0])
    }

    /// Exactly these key usage bits; an empty list omits the extension.
    pub fn key_usage(mut self, usage: &[KeyUsagePurpose]) -> Self {
        self.key_usage = usage.to_vec();
        self
    }

    /// keyUsage is there and lists keyEncipherment, not digitalSignature.
    pub fn without_digital_signature(self) -> Self {
        self.key_usage(&[KeyUsagePurpose::KeyEncipherment])
    }

    /// CA:TRUE.
    pub fn is_ca(mut self) -> Self {
        self.is_ca = true;
        self
    }

    /// A new key of this type.
    pub fn key_type(mut self, kind: KeyType) -> Self {
        self.key = Err(kind);
        self
    }

    /// This very key: a renewal.
    pub fn key(mut self, key: &TestKey) -> Self {
        self.key = Ok(key.clone());
        self
    }

    /// This serial number, big-endian; random otherwise.
    pub fn serial(mut self, serial: &[u8]) -> Self {
        self.serial = Some(serial.to_vec());
        self
    }

    /// One more extension, its content in DER.
    pub fn extension(mut self, dotted: &str, critical: bool, content: &[u8]) -> Self {
        let mut extension = CustomExtension::from_oid_content(&oid(dotted), content.to_vec());
        extension.set_criticality(critical);
        self.extensions.push(extension);
        self
    }

    /// A critical extension that nobody knows.
    pub fn unknown_critical_extension(self) -> Self {
        self.extension("1.3.6.1.4.1.55555.1.1", true, &[5, 0])
    }

    /// Addresses of its issuer's certificate and of OCSP responders.
    pub fn access(mut self, addresses: &[(Access, &str)]) -> Self {
        self.extensions.push(access::extension(addresses));
        self
    }

    /// A CRL distribution point.
    pub fn crl_url(mut self, url: &str) -> Self {
        self.crl_urls.push(url.to_owned());
        self
    }

    /// Signed with SHA-1 (by the real openssl).
    pub fn sha1(mut self) -> Self {
        self.damage = Some(Damage::Sha1);
        self
    }

    /// One bit of the signature is turned.
    pub fn broken_signature(mut self) -> Self {
        self.damage = Some(Damage::Signature);
        self
    }

    /// Signed by `ca`.
    pub fn issued_by(&self, ca: &TestCa) -> TestCert {
        let key = self.take_key();
        let params = self.params(true);
        let issuer = ca.issuer();
        let der = params.signed_by(&key, &issuer).expect("a certificate").der().to_vec();
        TestCert::new(self.damaged(der, issuer.key()), ca.intermediates(), key)
    }

    /// Signed by its own key.
    pub fn self_signed(&self) -> TestCert {
        let key = self.take_key();
        let params = self.params(false);
        let issuer = Issuer::from_params(&params, &key);
        let der = params.signed_by(&key, &issuer).expect("a certificate").der().to_vec();
        TestCert::new(self.damaged(der, &key), &[], key)
    }

    fn take_key(&self) -> TestKey {
        match &self.key {
            Ok(key) => key.clone(),
            Err(kind) => TestKey::new(*kind),
        }
    }

    fn damaged(&self, der: Vec<u8>, issuer: &TestKey) -> Vec<u8> {
        match self.damage {
            None => der,
            Some(Damage::Sha1) => resign::with_sha1(&der, issuer),
            Some(Damage::Signature) => resign::with_broken_signature(&der),
        }
    }

    fn params(&self, issued: bool) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name = self.subject.dn();
        params.subject_alt_names = self.names.clone();
        params.not_before = moment(self.validity.0);
        params.not_after = moment(self.validity.1);
        params.serial_number =
            Some(self.serial.as_deref().map_or_else(random_serial, SerialNumber::from_slice));
        params.extended_key_usages = self.purposes.clone();
        params.key_usages = self.key_usage.clone();
        params.is_ca =
            if self.is_ca { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
        params.custom_extensions = self.extensions.clone();
        params.use_authority_key_identifier_extension = issued;
        let points = self.crl_urls.iter().map(|url| CrlDistributionPoint { uris: vec![url.clone()] });
        params.crl_distribution_points = points.collect();
        params
    }
}
