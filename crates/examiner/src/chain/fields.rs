//! The fields of a certificate, found by their positions and tags alone.

use crate::cert::UnixTime;
use crate::cert::tlv::{Element, Tree, tag};

use super::Place;

/// An element and where it stands.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    /// The element.
    pub element: Element<'a>,
    /// Its place.
    pub place: Place,
}

impl<'a> Field<'a> {
    fn new(path: &'static str, element: Element<'a>) -> Self {
        Self { element, place: Place::new(path, element.range()) }
    }

    /// The element tagged or placed inside this one, with its place.
    pub fn inner(&self, step: &str, element: Element<'a>) -> Field<'a> {
        Field { element, place: self.place.step(step, element.range()) }
    }
}

/// The fields of a Certificate (RFC 5280 section 4.1); `None` for each that is not where it belongs.
///
/// Nothing is decoded here: a field with wrong contents is still found.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a> {
    /// tbsCertificate.
    pub tbs: Option<Field<'a>>,
    /// The INTEGER inside `[0]`; `None` also where the certificate is version 1 by default.
    pub version: Option<Field<'a>>,
    /// serialNumber.
    pub serial: Option<Field<'a>>,
    /// tbsCertificate.signature.
    pub inner_signature_algorithm: Option<Field<'a>>,
    /// issuer.
    pub issuer: Option<Field<'a>>,
    /// validity.notBefore.
    pub not_before: Option<Field<'a>>,
    /// validity.notAfter.
    pub not_after: Option<Field<'a>>,
    /// subject.
    pub subject: Option<Field<'a>>,
    /// subjectPublicKeyInfo.
    pub spki: Option<Field<'a>>,
    /// issuerUniqueID.
    pub issuer_unique_id: Option<Field<'a>>,
    /// subjectUniqueID.
    pub subject_unique_id: Option<Field<'a>>,
    /// The SEQUENCE inside `[3]`.
    pub extensions: Option<Field<'a>>,
    /// signatureAlgorithm.
    pub signature_algorithm: Option<Field<'a>>,
    /// signatureValue.
    pub signature: Option<Field<'a>>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(tree: &'a Tree) -> Self {
        let mut fields = Self::default();
        let Some(root) = tree.root().filter(|root| root.is(tag::SEQUENCE)) else { return fields };
        let sequence = |field: Option<Element<'a>>| field.filter(|element| element.is(tag::SEQUENCE));
        fields.signature_algorithm = sequence(root.child(1)).map(|e| Field::new("signatureAlgorithm", e));
        fields.signature =
            root.child(2).filter(|e| e.is(tag::BIT_STRING)).map(|e| Field::new("signatureValue", e));
        let Some(tbs) = sequence(root.child(0)) else { return fields };
        fields.tbs = Some(Field::new("tbsCertificate", tbs));
        let mut rest = tbs.children().peekable();
        if let Some(version) = rest.next_if(|e| e.is_context(0)) {
            fields.version = version.child(0).map(|e| Field::new("tbsCertificate.version", e));
        }
        fields.serial =
            rest.next_if(|e| e.is(tag::INTEGER)).map(|e| Field::new("tbsCertificate.serialNumber", e));
        let mut next =
            |name: &'static str| rest.next_if(|e| e.is(tag::SEQUENCE)).map(|e| Field::new(name, e));
        fields.inner_signature_algorithm = next("tbsCertificate.signature");
        fields.issuer = next("tbsCertificate.issuer");
        if let Some(validity) = next("tbsCertificate.validity") {
            fields.not_before =
                validity.element.child(0).map(|e| Field::new("tbsCertificate.validity.notBefore", e));
            fields.not_after =
                validity.element.child(1).map(|e| Field::new("tbsCertificate.validity.notAfter", e));
        }
        fields.subject = next("tbsCertificate.subject");
        fields.spki = next("tbsCertificate.subjectPublicKeyInfo");
        for element in rest {
            if element.is_context(1) {
                fields.issuer_unique_id = Some(Field::new("tbsCertificate.issuerUniqueID", element));
            } else if element.is_context(2) {
                fields.subject_unique_id = Some(Field::new("tbsCertificate.subjectUniqueID", element));
            } else if element.is_context(3) {
                fields.extensions = element.child(0).map(|e| Field::new("tbsCertificate.extensions", e));
            }
        }
        fields
    }

    /// The first field that a certificate must have and this one has not, by its name.
    pub fn missing(&self) -> Option<&'static str> {
        let required = [
            ("tbsCertificate", self.tbs.is_some()),
            ("serialNumber", self.serial.is_some()),
            ("signature", self.inner_signature_algorithm.is_some()),
            ("issuer", self.issuer.is_some()),
            ("validity.notBefore", self.not_before.is_some()),
            ("validity.notAfter", self.not_after.is_some()),
            ("subject", self.subject.is_some()),
            ("subjectPublicKeyInfo", self.spki.is_some()),
            ("signatureAlgorithm", self.signature_algorithm.is_some()),
            ("signatureValue", self.signature.is_some()),
        ];
        required.iter().find(|(_, there)| !there).map(|(name, _)| *name)
    }
}

/// The moment of a UTCTime or GeneralizedTime, read tolerantly: seconds may be missing, fractions and an offset may
/// stand. `None` where it is no time at all.
pub fn moment(element: Element<'_>) -> Option<UnixTime> {
    let text = std::str::from_utf8(element.content()).ok()?;
    let year_digits = if element.is(tag::UTC_TIME) {
        2
    } else if element.is(tag::GENERALIZED_TIME) {
        4
    } else {
        return None;
    };
    let digits_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, mut rest) = text.split_at(digits_end);
    if digits.len() != year_digits + 8 && digits.len() != year_digits + 10 {
        return None;
    }
    let part =
        |from: usize, length: usize| digits.get(from..from + length).and_then(|d| d.parse::<i32>().ok());
    let mut year = part(0, year_digits)?;
    if year_digits == 2 {
        year += if year < 50 { 2000 } else { 1900 };
    }
    let month = ::time::Month::try_from(u8::try_from(part(year_digits, 2)?).ok()?).ok()?;
    let day = u8::try_from(part(year_digits + 2, 2)?).ok()?;
    let hour = u8::try_from(part(year_digits + 4, 2)?).ok()?;
    let minute = u8::try_from(part(year_digits + 6, 2)?).ok()?;
    let second = u8::try_from(part(year_digits + 8, 2).unwrap_or(0)).ok()?;
    let date = ::time::Date::from_calendar_date(year, month, day).ok()?;
    let local = date.with_hms(hour, minute, second).ok()?.assume_utc().unix_timestamp();
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let offset = match rest.as_bytes() {
        b"" | b"Z" => 0,
        [sign @ (b'+' | b'-'), hhmm @ ..] if hhmm.len() == 4 && hhmm.iter().all(u8::is_ascii_digit) => {
            let two = |i: usize| i64::from(hhmm[i] - b'0') * 10 + i64::from(hhmm[i + 1] - b'0');
            let seconds = two(0) * 3600 + two(2) * 60;
            if *sign == b'+' { seconds } else { -seconds }
        }
        _ => return None,
    };
    Some(UnixTime(local - offset))
}
