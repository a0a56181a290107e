//! The bytes as they stand: a reader of tag, length and value that keeps every offset and every departure from DER.
//!
//! It never gives up on input that can be walked: a wrong form is recorded as a [`Deviation`] and reading goes on. What
//! cannot be walked ends that branch alone. Depth and count are bounded by [`Budget`].
//!
//! - [`read`] makes a [`Tree`] of bytes; [`Element`] is one place in it.
//! - `strict` looks at the contents of primitive values (X.690 sections 8, 10 and 11).

mod deviation;
mod element;
mod reader;
mod strict;

pub use deviation::{Deviation, DeviationKind};
pub(crate) use element::unsigned;
pub use element::{Element, dotted};
pub use reader::{Budget, Class, Tree, read, read_within};

/// Tag numbers of the universal class that certificates use (X.690 section 8).
pub mod tag {
    /// BOOLEAN.
    pub const BOOLEAN: u32 = 1;
    /// INTEGER.
    pub const INTEGER: u32 = 2;
    /// BIT STRING.
    pub const BIT_STRING: u32 = 3;
    /// OCTET STRING.
    pub const OCTET_STRING: u32 = 4;
    /// NULL.
    pub const NULL: u32 = 5;
    /// OBJECT IDENTIFIER.
    pub const OID: u32 = 6;
    /// ENUMERATED.
    pub const ENUMERATED: u32 = 10;
    /// UTF8String.
    pub const UTF8_STRING: u32 = 12;
    /// SEQUENCE.
    pub const SEQUENCE: u32 = 16;
    /// SET.
    pub const SET: u32 = 17;
    /// NumericString.
    pub const NUMERIC_STRING: u32 = 18;
    /// PrintableString.
    pub const PRINTABLE_STRING: u32 = 19;
    /// TeletexString.
    pub const TELETEX_STRING: u32 = 20;
    /// IA5String.
    pub const IA5_STRING: u32 = 22;
    /// UTCTime.
    pub const UTC_TIME: u32 = 23;
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: u32 = 24;
    /// VisibleString.
    pub const VISIBLE_STRING: u32 = 26;
    /// UniversalString.
    pub const UNIVERSAL_STRING: u32 = 28;
    /// BMPString.
    pub const BMP_STRING: u32 = 30;
}

#[cfg(test)]
mod tests;
