//! Signed certificate timestamps: what the logs of certificate transparency promise (RFC 6962).

use crate::cert::UnixTime;
use crate::cert::tlv::{Element, tag};

use super::extensions::id;
use super::{Examinee, Place, Undecodable};

/// One signed certificate timestamp of version 1 (RFC 6962 section 3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTimestamp {
    /// SHA-256 of the log's public key.
    pub log: [u8; 32],
    /// When the log took the certificate, in milliseconds since 1970-01-01T00:00:00Z.
    pub millis: u64,
    /// What the log added; empty for the logs of RFC 6962.
    pub extensions: Vec<u8>,
    /// Hash and signature algorithm by the numbers of RFC 5246 section 7.4.1.4.1.
    pub algorithm: [u8; 2],
    /// The signature.
    pub signature: Vec<u8>,
    /// Where it stands.
    pub place: Place,
    /// Whether it came beside the certificate, in the handshake: then the log signed the certificate as it is.
    pub is_sent: bool,
}

impl SignedTimestamp {
    /// When the log took the certificate, in whole seconds.
    pub fn made(&self) -> UnixTime {
        UnixTime(i64::try_from(self.millis / 1000).unwrap_or(i64::MAX))
    }

    /// The timestamps in a certificate: `None` where it has no list of them, an error where the list is none.
    pub fn embedded(certificate: &Examinee) -> Option<Result<Vec<Self>, Undecodable>> {
        let extension = certificate.extension(id::SCT_LIST)?;
        let wrong = |why: String| Undecodable { place: extension.place.clone(), why };
        let list = extension.tree.as_ref().and_then(|tree| tree.root()).filter(|e| e.is(tag::OCTET_STRING));
        let Some(list) = list else { return Some(Err(wrong("its value is no OCTET STRING".into()))) };
        let place = Place::new(format!("{}.extnValue", extension.place.path), list.content_range());
        Some(Self::all(list.content(), &place).map_err(wrong))
    }

    /// The list in a server's `signed_certificate_timestamp` extension (RFC 6962 section 3.3.1).
    pub fn sent(list: &[u8]) -> Result<Vec<Self>, String> {
        Self::beside(list, "signed_certificate_timestamp")
    }

    /// The list in the extensions of a stapled OCSP response (RFC 6962 section 3.3.2).
    pub fn stapled(list: &[u8]) -> Result<Vec<Self>, String> {
        Self::beside(list, "CertificateStatus.singleExtensions.timestamps")
    }

    /// What comes beside the certificate, there.
    fn beside(list: &[u8], there: &str) -> Result<Vec<Self>, String> {
        let all = Self::all(list, &Place::new("", 0..0))?;
        let place = |i: usize| Place::new(format!("{there}[{i}]"), 0..0);
        Ok(all
            .into_iter()
            .enumerate()
            .map(|(i, one)| Self { is_sent: true, place: place(i), ..one })
            .collect())
    }

    /// A SignedCertificateTimestampList (RFC 6962 section 3.3), which stands at `place`.
    pub fn all(list: &[u8], place: &Place) -> Result<Vec<Self>, String> {
        let mut whole = Cut { bytes: list, at: 0 };
        let inner = whole.vector().ok_or("the list is shorter than it says")?;
        if whole.at != list.len() {
            return Err("bytes stand behind the list".into());
        }
        let mut rest = Cut { bytes: inner, at: 0 };
        let mut all: Vec<Self> = Vec::new();
        while rest.at < inner.len() {
            let begin = rest.at;
            let one = rest.vector().ok_or_else(|| format!("timestamp {} is cut off", all.len()))?;
            // The two lengths before it: the list's and its own.
            let start = place.range.start + 2 + begin + 2;
            let place = place.step(&format!("[{}]", all.len()), start..start + one.len());
            let read = Self::one(one, place).map_err(|why| format!("timestamp {} {why}", all.len()))?;
            all.push(read);
        }
        if all.is_empty() { Err("the list is empty".into()) } else { Ok(all) }
    }

    fn one(bytes: &[u8], place: Place) -> Result<Self, String> {
        let mut rest = Cut { bytes, at: 0 };
        match rest.take(1) {
            Some([0]) => {}
            Some([version, ..]) => return Err(format!("is of version {}", u16::from(*version) + 1)),
            _ => return Err("is empty".into()),
        }
        Self::version_1(&mut rest, place)
            .filter(|_| rest.at == bytes.len())
            .ok_or("has another length".into())
    }

    fn version_1(rest: &mut Cut<'_>, place: Place) -> Option<Self> {
        Some(Self {
            log: rest.take(32)?.try_into().ok()?,
            millis: u64::from_be_bytes(rest.take(8)?.try_into().ok()?),
            extensions: rest.vector()?.to_vec(),
            algorithm: rest.take(2)?.try_into().ok()?,
            signature: rest.vector()?.to_vec(),
            place,
            is_sent: false,
        })
    }

    /// What the log signed where the timestamp stands in the certificate itself: the certificate before it had any, and
    /// SHA-256 of its issuer's subjectPublicKeyInfo. `None` where the certificate's fields cannot be read.
    pub fn signed_of_precertificate(&self, certificate: &Examinee, issuer_key: &[u8; 32]) -> Option<Vec<u8>> {
        self.signed(&[&[0, 1], &issuer_key[..]].concat(), &as_logged(certificate)?)
    }

    /// What the log signed where the timestamp comes beside the certificate: the certificate itself.
    pub fn signed_of_certificate(&self, certificate: &Examinee) -> Option<Vec<u8>> {
        self.signed(&[0, 0], certificate.der())
    }

    /// The structure that is signed, with the entry's type and what precedes its length (RFC 6962 section 3.2).
    fn signed(&self, entry: &[u8], logged: &[u8]) -> Option<Vec<u8>> {
        let mut signed = vec![0, 0];
        signed.extend(self.millis.to_be_bytes());
        signed.extend(entry);
        signed.extend(&u32::try_from(logged.len()).ok().filter(|n| *n < 1 << 24)?.to_be_bytes()[1..]);
        signed.extend(logged);
        signed.extend(u16::try_from(self.extensions.len()).ok()?.to_be_bytes());
        signed.extend(&self.extensions);
        Some(signed)
    }
}

/// tbsCertificate as the log saw it: without the list of timestamps (RFC 6962 section 3.2).
fn as_logged(certificate: &Examinee) -> Option<Vec<u8>> {
    let fields = certificate.fields();
    let list = certificate.extension(id::SCT_LIST)?.place.range.clone();
    let extensions = fields.extensions?.element;
    let kept: Vec<u8> =
        extensions.children().filter(|one| one.range() != list).flat_map(Element::bytes).copied().collect();
    let kept = wrapped(0xa3, &wrapped(0x30, &kept));
    let others = |one: Element<'_>| if one.is_context(3) { kept.clone() } else { one.bytes().to_vec() };
    Some(wrapped(0x30, &fields.tbs?.element.children().flat_map(others).collect::<Vec<u8>>()))
}

/// DER of this tag octet around contents.
fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|octet| **octet == 0).count()..];
    let mut der = vec![tag];
    if content.len() > 0x7f {
        der.push(0x80 | significant.len() as u8);
        der.extend(significant);
    } else {
        der.push(content.len() as u8);
    }
    der.extend(content);
    der
}

/// Bytes that are cut up from the front.
struct Cut<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cut<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    /// Bytes behind a length of two octets (RFC 5246 section 4.3).
    fn vector(&mut self) -> Option<&'a [u8]> {
        let length = self.take(2)?.try_into().ok().map(u16::from_be_bytes)?;
        self.take(length.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timestamp() -> Vec<u8> {
        let mut one = vec![0];
        one.extend([7; 32]);
        one.extend(1_775_001_600_999u64.to_be_bytes());
        one.extend([0, 1, 9, 4, 3, 0, 2, 8, 8]);
        one
    }

    fn list(all: &[Vec<u8>]) -> Vec<u8> {
        let vector = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
        vector(&all.iter().flat_map(|one| vector(one)).collect::<Vec<u8>>())
    }

    fn read(list: &[u8]) -> Result<Vec<SignedTimestamp>, String> {
        SignedTimestamp::all(list, &Place::new("list", 100..100 + list.len()))
    }

    #[test]
    fn a_list_is_read_with_the_place_of_each_timestamp() {
        let bytes = list(&[timestamp(), timestamp()]);
        let read = read(&bytes).unwrap();
        assert_eq!((read[0].made().to_string().as_str(), read[0].log), ("2026-04-01T00:00:00Z", [7; 32]));
        assert_eq!((read[1].extensions.as_slice(), read[1].signature.as_slice()), (&[9][..], &[8, 8][..]));
        assert_eq!(read[1].place.path, "list[1]");
        let range = read[1].place.range.clone();
        assert_eq!(bytes[range.start - 100..range.end - 100], timestamp());
    }

    #[test]
    fn a_list_that_is_none_says_why() {
        let whole = list(&[timestamp()]);
        let mut version = timestamp();
        version[0] = 1;
        for (bytes, why) in [
            (vec![], "the list is shorter than it says"),
            (vec![0, 0], "the list is empty"),
            (whole[..whole.len() - 1].to_vec(), "the list is shorter than it says"),
            ([&whole[..], &[0]].concat(), "bytes stand behind the list"),
            (list(&[version]), "timestamp 0 is of version 2"),
            (list(&[vec![]]), "timestamp 0 is empty"),
            (list(&[timestamp(), timestamp()[..49].to_vec()]), "timestamp 1 has another length"),
            (list(&[[timestamp(), vec![0]].concat()]), "timestamp 0 has another length"),
        ] {
            assert_eq!(read(&bytes), Err(why.to_owned()));
        }
    }

    #[test]
    fn lengths_are_written_as_der_asks() {
        for (length, head) in [
            (0, vec![0x30, 0]),
            (0x7f, vec![0x30, 0x7f]),
            (0x80, vec![0x30, 0x81, 0x80]),
            (0x100, vec![0x30, 0x82, 1, 0]),
        ] {
            let der = wrapped(0x30, &vec![5; length]);
            assert_eq!((&der[..head.len()], der.len()), (&head[..], head.len() + length));
        }
    }
}
