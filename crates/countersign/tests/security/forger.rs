//! A TLS client that lies about its proof of possession, and is right in everything else.
//!
//! rustls sends only what the protocol wants, so the lies are told around it: the signer may sign anything, and the
//! record protection takes CertificateVerify away or moves it. Finished is computed anew for the messages that are
//! left, with the secret from the key log: a gate that did not miss the proof would find nothing wrong.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::{digest, hmac};
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, sign};
use rustls::crypto::cipher::{
    AeadKey, Iv, KeyBlockShape, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundOpaqueMessage,
    OutboundPlainMessage, Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{
    ClientConfig, ClientConnection, ConnectionTrafficSecrets, ContentType, Error, KeyLog, RootCertStore,
    SignatureAlgorithm, SignatureScheme, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use testkit::Portal;
use testkit::client::Always;

use crate::support::{SITE, connect};

const CERTIFICATE: u8 = 11;
const CERTIFICATE_VERIFY: u8 = 15;
const FINISHED: u8 = 20;

/// What becomes of CertificateVerify.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// It stands where it belongs.
    Right,
    /// It is left out.
    Missing,
    /// It comes before the certificate.
    First,
    /// It comes after Finished (TLS 1.3 only).
    Last,
}

/// What stands in CertificateVerify.
#[derive(Clone, Copy, Debug)]
pub enum Proof {
    /// The key's signature.
    Real,
    /// The key's signature, under the name of this algorithm.
    Named(SignatureScheme),
    /// These bytes, under the name of this algorithm.
    Bytes(SignatureScheme, &'static [u8]),
}

/// How the gate took it.
#[derive(Debug)]
pub struct Outcome {
    /// What it said inside TLS.
    pub said: String,
    /// The alert it sent.
    pub alert: Option<u8>,
}

/// Asks for `/` with this certificate chain and key, lying as told.
pub fn forge(
    portal: &Portal,
    chain_pem: &str,
    key: Arc<dyn SigningKey>,
    version: &'static rustls::SupportedProtocolVersion,
    place: Place,
    proof: Proof,
) -> Outcome {
    let secrets = Arc::new(Secrets { place, ..Secrets::default() });
    let key = Arc::new(LyingKey { key, proof, secrets: secrets.clone() });
    let mut provider = default_provider();
    provider.cipher_suites = suites(&secrets);
    let mut roots = RootCertStore::empty();
    for root in certificates(&portal.ca_pem) {
        roots.add(root).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(Always(Arc::new(CertifiedKey::new(
            certificates(chain_pem),
            key,
        )))));
    config.key_log = secrets.clone();
    let name = ServerName::try_from(SITE).unwrap();
    let mut tls = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut wire = Wire { tcp: connect(portal.port), place, held: Vec::new(), over: false };
    let mut stream = rustls::Stream::new(&mut tls, &mut wire);
    let request = format!("GET / HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n");
    let mut said = Vec::new();
    let asked = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut said));
    let alert = asked.err().and_then(|error| match error.get_ref()?.downcast_ref::<Error>()? {
        Error::AlertReceived(alert) => Some(u8::from(*alert)),
        _ => None,
    });
    Outcome { said: String::from_utf8_lossy(&said).into_owned(), alert }
}

/// The private key NAME.key of the portal's directory.
pub fn key_of(portal: &Portal, name: &str) -> Arc<dyn SigningKey> {
    let pem = portal.sandbox.read(&format!("{name}.key"));
    sign::any_supported_type(&PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap()
}

fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).map(Result::unwrap).collect()
}

/// What the parts of one client know of its handshake.
#[derive(Debug)]
struct Secrets {
    place: Place,
    /// The client's handshake secret of TLS 1.3, or the master secret of TLS 1.2.
    secret: Mutex<Vec<u8>>,
    /// The hash of all messages before CertificateVerify.
    transcript: Mutex<Vec<u8>>,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { place: Place::Right, secret: Mutex::default(), transcript: Mutex::default() }
    }
}

impl Secrets {
    /// Finished of TLS 1.3 over the messages before CertificateVerify (RFC 8446 section 4.4.4).
    fn finished_13(&self) -> Vec<u8> {
        let label = b"tls13 finished";
        let info = [&[0, 32, label.len() as u8], label.as_slice(), &[0, 1]].concat();
        let key = mac(&lock(&self.secret), &info);
        mac(&key, &lock(&self.transcript))
    }

    /// Finished of TLS 1.2 over the same (RFC 5246 sections 5 and 7.4.9).
    fn finished_12(&self) -> Vec<u8> {
        let secret = lock(&self.secret).clone();
        let seed = [b"client finished".as_slice(), &lock(&self.transcript)].concat();
        let first = [mac(&secret, &seed), seed].concat();
        mac(&secret, &first)[..12].to_vec()
    }

    /// The messages of an encrypted flight as they are to go out.
    fn turned(&self, plain: &[u8], finished: impl Fn(&Self) -> Vec<u8>) -> Vec<u8> {
        if self.place == Place::Right {
            return plain.to_vec();
        }
        let mut messages = Vec::new();
        let mut rest = plain;
        while let Some(head) = rest.get(..4) {
            let length = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
            let (message, after) = rest.split_at(4 + length);
            messages.push(message.to_vec());
            rest = after;
        }
        let proof = messages.iter().position(|message| message[0] == CERTIFICATE_VERIFY);
        let proof = proof.map(|at| messages.remove(at));
        if self.place != Place::First {
            for message in messages.iter_mut().filter(|message| message[0] == FINISHED) {
                message.truncate(4);
                message.extend(finished(self));
            }
        }
        match (self.place, proof) {
            (Place::First, Some(proof)) => messages.insert(0, proof),
            (Place::Last, Some(proof)) => messages.push(proof),
            _ => {}
        }
        messages.concat()
    }
}

impl KeyLog for Secrets {
    fn log(&self, label: &str, _client_random: &[u8], secret: &[u8]) {
        if ["CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET"].contains(&label) {
            *lock(&self.secret) = secret.to_vec();
        }
    }
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The socket; moves the CertificateVerify of TLS 1.2, which goes out in clear.
struct Wire {
    tcp: TcpStream,
    place: Place,
    held: Vec<Vec<u8>>,
    over: bool,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.read(buffer)
    }
}

impl Write for Wire {
    /// rustls gives one record at a time.
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        match (record[0], record.get(5).copied()) {
            (22, Some(CERTIFICATE)) if !self.over && self.place == Place::First => {
                self.held.push(record.to_vec());
            }
            (22, Some(CERTIFICATE_VERIFY)) if !self.over && self.place != Place::Right => {
                if self.place == Place::First {
                    self.tcp.write_all(record)?;
                }
                for held in std::mem::take(&mut self.held) {
                    self.tcp.write_all(&held)?;
                }
            }
            (22, _) if !self.held.is_empty() => self.held.push(record.to_vec()),
            (kind, _) => {
                self.over |= kind == 20;
                self.tcp.write_all(record)?;
            }
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

#[derive(Clone, Debug)]
struct LyingKey {
    key: Arc<dyn SigningKey>,
    proof: Proof,
    secrets: Arc<Secrets>,
}

impl SigningKey for LyingKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let real = self.key.choose_scheme(offered)?;
        Some(Box::new(LyingSigner { real, proof: self.proof, secrets: self.secrets.clone() }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}

#[derive(Debug)]
struct LyingSigner {
    real: Box<dyn Signer>,
    proof: Proof,
    secrets: Arc<Secrets>,
}

impl Signer for LyingSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        // TLS 1.3 signs 64 spaces, a text and the hash of the messages; TLS 1.2 the messages themselves.
        *lock(&self.secrets.transcript) = if message.starts_with(&[b' '; 64]) {
            message[message.len() - 32..].to_vec()
        } else {
            digest::digest(&digest::SHA256, message).as_ref().to_vec()
        };
        match self.proof {
            Proof::Real | Proof::Named(_) => self.real.sign(message),
            Proof::Bytes(_, bytes) => Ok(bytes.to_vec()),
        }
    }

    fn scheme(&self) -> SignatureScheme {
        match self.proof {
            Proof::Real => self.real.scheme(),
            Proof::Named(scheme) | Proof::Bytes(scheme, _) => scheme,
        }
    }
}

/// The SHA-256 suites, with a record protection that lies.
fn suites(secrets: &Arc<Secrets>) -> Vec<SupportedCipherSuite> {
    let all = [
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];
    all.into_iter()
        .map(|suite| match suite {
            SupportedCipherSuite::Tls13(suite) => {
                // rustls wants suites for the whole run; a test makes a handful of clients.
                let aead_alg = Box::leak(Box::new(Aead13 { real: suite.aead_alg, secrets: secrets.clone() }));
                SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                    common: common(&suite.common),
                    hkdf_provider: suite.hkdf_provider,
                    aead_alg,
                    quic: None,
                })))
            }
            SupportedCipherSuite::Tls12(suite) => {
                let aead_alg = Box::leak(Box::new(Aead12 { real: suite.aead_alg, secrets: secrets.clone() }));
                SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                    common: common(&suite.common),
                    prf_provider: suite.prf_provider,
                    kx: suite.kx,
                    sign: suite.sign,
                    aead_alg,
                })))
            }
        })
        .collect()
}

fn common(suite: &rustls::CipherSuiteCommon) -> rustls::CipherSuiteCommon {
    rustls::CipherSuiteCommon {
        suite: suite.suite,
        hash_provider: suite.hash_provider,
        confidentiality_limit: suite.confidentiality_limit,
    }
}

struct Aead13 {
    real: &'static dyn Tls13AeadAlgorithm,
    secrets: Arc<Secrets>,
}

impl Tls13AeadAlgorithm for Aead13 {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        let real = self.real.encrypter(key, iv);
        Box::new(Turning { real, secrets: self.secrets.clone(), finished: Secrets::finished_13 })
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.real.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.real.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.real.extract_keys(key, iv)
    }
}

struct Aead12 {
    real: &'static dyn Tls12AeadAlgorithm,
    secrets: Arc<Secrets>,
}

impl Tls12AeadAlgorithm for Aead12 {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        let real = self.real.encrypter(key, iv, extra);
        Box::new(Turning { real, secrets: self.secrets.clone(), finished: Secrets::finished_12 })
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        self.real.decrypter(key, iv)
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.real.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.real.extract_keys(key, iv, explicit)
    }
}

/// Encrypts handshake messages after they were turned.
struct Turning {
    real: Box<dyn MessageEncrypter>,
    secrets: Arc<Secrets>,
    finished: fn(&Secrets) -> Vec<u8>,
}

impl MessageEncrypter for Turning {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        seq: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        if message.typ != ContentType::Handshake {
            return self.real.encrypt(message, seq);
        }
        let turned = self.secrets.turned(&message.payload.to_vec(), self.finished);
        let payload = OutboundChunks::Single(&turned);
        self.real.encrypt(OutboundPlainMessage { payload, ..message }, seq)
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        self.real.encrypted_payload_len(payload_len)
    }
}
