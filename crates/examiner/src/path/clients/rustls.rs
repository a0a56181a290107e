//! rustls, by the real rustls-webpki.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage};

use crate::cert::{UnixTime, oid};
use crate::chain::Chain;

use super::{Client, Judged};

pub(super) fn judge(chain: &Chain, purpose: &str, at: UnixTime) -> Judged {
    Judged {
        client: Client::Rustls,
        who: Client::Rustls.families(purpose),
        verdict: verify(chain, purpose, at).map_err(words),
        would_fetch: None,
        path: Vec::new(),
    }
}

fn verify(chain: &Chain, purpose: &str, at: UnixTime) -> Result<(), Error> {
    let served: Vec<CertificateDer<'_>> =
        chain.served.iter().map(|one| CertificateDer::from(one.der())).collect();
    // Only an anchor that some certificate names can end a path; one that webpki cannot read ends none.
    let named = |subject: &[u8]| chain.served.iter().any(|one| one.issuer_der() == subject);
    let anchors: Vec<CertificateDer<'_>> = chain
        .anchors
        .iter()
        .flatten()
        .filter(|anchor| named(anchor.subject_der()))
        .map(|anchor| CertificateDer::from(anchor.der()))
        .collect();
    let anchors: Vec<TrustAnchor<'_>> =
        anchors.iter().filter_map(|der| webpki::anchor_from_trusted_cert(der).ok()).collect();
    let usage = if purpose == oid::CLIENT_AUTH { KeyUsage::client_auth() } else { KeyUsage::server_auth() };
    let seconds = u64::try_from(at.seconds()).unwrap_or(0);
    let now = rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let Some((first, rest)) = served.split_first() else { return Err(Error::UnknownIssuer) };
    let end_entity = EndEntityCert::try_from(first)?;
    end_entity.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, rest, now, usage, None, None).map(|_| ())
}

/// The error in words; the rarer ones by webpki's own name.
fn words(error: Error) -> String {
    match error {
        Error::UnknownIssuer => "no path to a trust anchor".into(),
        Error::CertExpired { .. } => "a certificate has ended".into(),
        Error::CertNotValidYet { .. } => "a certificate has not begun".into(),
        Error::CaUsedAsEndEntity => "a CA's certificate is used as a server's or client's own".into(),
        Error::EndEntityUsedAsCa => "a certificate that is no CA's issued another".into(),
        Error::InvalidSignatureForPublicKey => "a signature does not verify".into(),
        Error::NameConstraintViolation => "a name is outside a CA's name constraints".into(),
        Error::PathLenConstraintViolated => "a CA's path length is exceeded".into(),
        Error::MaximumPathDepthExceeded => "more than six intermediates".into(),
        Error::RequiredEkuNotFoundContext(_) => "the extended key usage does not allow it".into(),
        Error::UnsupportedCertVersion => "a certificate is not of version 3".into(),
        Error::UnsupportedCriticalExtension => "an unknown extension is critical".into(),
        other => format!("webpki says {other:?}"),
    }
}
