//! Lists and responses beside a chain, each with the certificates that it speaks of.

use crate::cert::UnixTime;
use crate::chain::{Chain, Examinee};
use crate::side::{Answer, GivenCrl, OcspResponse, SignerFault};

/// A response's answer about a certificate of the chain.
pub(super) struct Told<'a> {
    pub(super) response: &'a OcspResponse,
    pub(super) answer: &'a Answer,
    pub(super) certificate: &'a Examinee,
    pub(super) issuer: &'a Examinee,
}

impl<'a> Told<'a> {
    /// Who signed, where he may.
    pub(super) fn signer(&self, at: UnixTime) -> Result<&'a Examinee, SignerFault> {
        self.response.signer(self.issuer, at)
    }

    pub(super) fn is_authorised(&self, at: UnixTime) -> bool {
        self.signer(at).is_ok()
    }
}

/// Every answer about a certificate of the chain.
pub(super) fn told(chain: &Chain) -> Vec<Told<'_>> {
    let mut all = Vec::new();
    for response in chain.side.responses() {
        for certificate in chain.examined() {
            let found = chain
                .issuers_by_name(certificate)
                .find_map(|issuer| Some((issuer, response.about(certificate, issuer)?)));
            if let Some((issuer, answer)) = found {
                all.push(Told { response, answer, certificate, issuer });
            }
        }
    }
    all
}

/// Every list with the CA of the chain that signed it. What no CA signed is left out, and told by a check of its own.
pub(super) fn lists(chain: &Chain) -> Vec<(&GivenCrl, &Examinee)> {
    let signer = |given: &GivenCrl| {
        chain.all().find(|one| one.subject_der() == given.list.issuer && given.list.is_signed_by(one))
    };
    chain.side.crls.iter().filter_map(|given| Some((given, signer(given)?))).collect()
}

/// Whether a list of its issuer, signed and covering it, names the certificate. An old list names it for good, too.
pub(super) fn listed(chain: &Chain, certificate: &Examinee) -> bool {
    lists(chain).into_iter().any(|(given, issuer)| {
        issuer.subject_der() == certificate.issuer_der()
            && given.covers(certificate) != Some(false)
            && given.list.revokes(certificate.serial())
    })
}
