//! Verifying an `https://` upstream, our own certificate to it, and what went wrong in words.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use aws_lc_rs::digest;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName};

use super::target::{Address, Target};
use crate::provider::provider;
use crate::settings::GateError;

/// How `https://` upstreams of a site are verified, and what is shown to them.
pub struct UpstreamTls {
    any: Arc<ClientConfig>,
    http1: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
    /// Of everything that it was made of.
    print: Vec<u8>,
}

impl UpstreamTls {
    /// Certificates must lead to one of `roots` and be for the upstream's host, or for `servername` where one is given.
    /// `own` is shown to an upstream that asks for a certificate.
    pub fn new(
        roots: &[CertificateDer<'_>],
        own: Option<Arc<CertifiedKey>>,
        servername: Option<&str>,
    ) -> Result<Self, GateError> {
        let mut store = RootCertStore::empty();
        let mut print = digest::Context::new(&digest::SHA256);
        let certificates = own.iter().flat_map(|own| &own.cert);
        for root in roots {
            store.add(root.clone().into_owned())?;
        }
        for part in
            roots.iter().map(|root| &root[..]).chain([&b""[..]]).chain(certificates.map(|one| &one[..]))
        {
            print.update(&(part.len() as u64).to_be_bytes());
            print.update(part);
        }
        print.update(servername.unwrap_or_default().as_bytes());
        let name = servername.map(|name| ServerName::try_from(name.to_owned())).transpose();
        let name = name.map_err(|_| rustls::Error::General("servername is no host name".into()))?;
        let config = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(store);
        let mut config = match own {
            Some(own) => config.with_client_cert_resolver(Arc::new(Own(own))),
            None => config.with_no_client_auth(),
        };
        // A resumed session would not be verified again.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let http1 = Arc::new(config.clone());
        config.alpn_protocols.insert(0, b"h2".to_vec());
        Ok(Self { any: Arc::new(config), http1, name, print: print.finish().as_ref().to_vec() })
    }

    pub(crate) fn config(&self, http1_only: bool) -> Arc<ClientConfig> {
        if http1_only { self.http1.clone() } else { self.any.clone() }
    }

    /// The name that the upstream's certificate must be for.
    pub(crate) fn name_for(&self, target: &Target) -> Option<ServerName<'static>> {
        if let Some(name) = &self.name {
            return Some(name.clone());
        }
        let Address::Tcp(address) = &target.address else { return None };
        let host = address.rsplit_once(':')?.0.trim_matches(['[', ']']);
        ServerName::try_from(host.to_owned()).ok()
    }
}

impl PartialEq for UpstreamTls {
    fn eq(&self, other: &Self) -> bool {
        self.print == other.print
    }
}

impl fmt::Debug for UpstreamTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamTls").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Shows its certificate to whoever asks for one.
#[derive(Debug)]
struct Own(Arc<CertifiedKey>);

impl ResolvesClientCert for Own {
    fn resolve(&self, _issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.key.choose_scheme(schemes).map(|_| self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// An error with all its causes; what TLS says in words that name the setting.
pub(crate) fn told(error: &(dyn Error + 'static)) -> String {
    let mut cause = Some(error);
    let mut text = String::new();
    while let Some(one) = cause {
        let inner = one.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
        let tls =
            one.downcast_ref().or_else(|| inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()));
        if let Some(words) = tls.and_then(words) {
            return words;
        }
        let said = one.to_string();
        // An outer error often says what the inner one says.
        if !text.contains(&said) {
            text += if text.is_empty() { "" } else { ": " };
            text += &said;
        }
        cause = one.source();
    }
    text
}

fn words(error: &rustls::Error) -> Option<String> {
    use AlertDescription as Alert;
    use CertificateError as Bad;
    Some(match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer => {
                "its certificate is of no issuer among the chosen roots: upstream_tls.roots names others"
                    .into()
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                format!("its certificate is not for this name ({bad}): upstream_tls.servername names another")
            }
            other => format!("its certificate is not accepted: {other}"),
        },
        rustls::Error::AlertReceived(Alert::CertificateRequired) => {
            "it wants a client certificate: upstream_tls.cert and upstream_tls.key name one".into()
        }
        rustls::Error::AlertReceived(
            alert @ (Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::CertificateUnknown
            | Alert::AccessDenied),
        ) => format!("it does not accept our client certificate, or misses one (alert {alert:?})"),
        rustls::Error::AlertReceived(Alert::UnrecognisedName) => {
            "it knows no site of this name: upstream_tls.servername names another".into()
        }
        rustls::Error::InvalidMessage(_) => {
            "it does not speak TLS there: http:// instead of https://?".into()
        }
        _ => return None,
    })
}
