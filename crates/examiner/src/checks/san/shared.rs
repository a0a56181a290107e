//! What the checks of alternative names share: which names are looked at, and the parts of a host name.

use super::prelude::*;
use crate::chain::NameAt;

/// The alternative names of subject and issuer.
pub(super) fn names(certificate: &Examinee) -> impl Iterator<Item = &NameAt> {
    let known = &certificate.known;
    [&known.subject_alt_name, &known.issuer_alt_name].into_iter().filter_map(Decoded::read).flatten()
}

/// The dNSNames of subject and issuer, each with its contents.
pub(super) fn hosts(certificate: &Examinee) -> impl Iterator<Item = (&NameAt, &[u8])> {
    names(certificate).filter_map(|name| match &name.form {
        NameForm::Dns(bytes) => Some((name, bytes.as_slice())),
        _ => None,
    })
}

/// The dNSNames of the subject as text in lower case, those that are ASCII.
pub(super) fn own_hosts(certificate: &Examinee) -> impl Iterator<Item = (&NameAt, String)> {
    let names = certificate.known.subject_alt_name.read().into_iter().flatten();
    names.filter_map(|name| Some((name, name.dns().filter(|text| text.is_ascii())?.to_ascii_lowercase())))
}

/// One finding for a name; of the issuer's it says that they are.
pub(super) fn found(certificate: &Examinee, name: &NameAt, observed: impl Into<String>) -> Found {
    let of_issuer =
        certificate.known.issuer_alt_name.read().into_iter().flatten().any(|one| one.place == name.place);
    let observed = observed.into();
    let observed = if of_issuer { format!("{observed}, in issuerAltName") } else { observed };
    Found::new(certificate, name.place.clone(), observed)
}
