//! Departures from DER, each with its place.

use std::fmt;
use std::ops::Range;

/// One departure from DER (X.690), where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    /// What is wrong.
    pub kind: DeviationKind,
    /// The bytes concerned, counted from the start of the input.
    pub range: Range<usize>,
}

/// The departures that the reader knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DeviationKind {
    /// Length given as indefinite (X.690 section 10.1).
    IndefiniteLength,
    /// Length written with more octets than it needs (X.690 section 10.1).
    LongFormLength,
    /// Length octet 0xFF, or a length of more than eight octets (X.690 section 8.1.3.5).
    ReservedLength,
    /// The value would run past the end of what holds it.
    Truncated,
    /// Tag number written in the long form although it fits the short one, or padded (X.690 section 8.1.2).
    PaddedTag,
    /// INTEGER or ENUMERATED with a superfluous first octet (X.690 section 8.3.2).
    PaddedInteger,
    /// INTEGER or ENUMERATED without any octet (X.690 section 8.3.1).
    EmptyInteger,
    /// BOOLEAN that is not one octet 00 or FF (X.690 section 11.1).
    BooleanValue,
    /// BIT STRING whose unused bits are not zero, too many, or that has no first octet (X.690 sections 8.6 and 11.2).
    BitStringPadding,
    /// String in constructed form (X.690 section 10.2).
    ConstructedString,
    /// SEQUENCE or SET in primitive form (X.690 section 8.9).
    PrimitiveConstructed,
    /// NULL with contents (X.690 section 8.8).
    NullWithContent,
    /// OBJECT IDENTIFIER that is empty, ends inside an arc, or has a padded arc (X.690 section 8.19).
    ObjectIdentifier,
    /// SET OF whose elements are not in ascending order (X.690 section 11.6).
    UnsortedSet,
    /// End-of-contents octets where no indefinite length is open (X.690 section 8.1.5).
    StrayEndOfContents,
    /// Bytes after the end of the one value that was expected.
    TrailingBytes,
    /// Nested deeper than the reader's budget.
    TooDeep,
    /// More elements than the reader's budget.
    TooMany,
}

impl DeviationKind {
    /// What is wrong, in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::IndefiniteLength => "a length of indefinite form",
            Self::LongFormLength => "a length written with more octets than it needs",
            Self::ReservedLength => "a length octet that is reserved or too long",
            Self::Truncated => "a value that runs past the end of what holds it",
            Self::PaddedTag => "a tag number written longer than it needs",
            Self::PaddedInteger => "an integer with a superfluous first octet",
            Self::EmptyInteger => "an integer without any octet",
            Self::BooleanValue => "a BOOLEAN that is neither 00 nor FF",
            Self::BitStringPadding => "a BIT STRING with wrong unused bits",
            Self::ConstructedString => "a string in constructed form",
            Self::PrimitiveConstructed => "a SEQUENCE or SET in primitive form",
            Self::NullWithContent => "a NULL with contents",
            Self::ObjectIdentifier => "an object identifier that is cut off or padded",
            Self::UnsortedSet => "a SET whose elements are not in order",
            Self::StrayEndOfContents => "end-of-contents octets without an open indefinite length",
            Self::TrailingBytes => "bytes after the end",
            Self::TooDeep => "values nested too deep to follow",
            Self::TooMany => "more values than are followed",
        }
    }
}

impl fmt::Display for DeviationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}
