//! What DER asks of the contents of a primitive value (X.690 sections 8 and 11).

use super::deviation::DeviationKind;
use super::tag;

/// What is wrong with the contents of a primitive value of the universal class, if anything.
pub(super) fn wrong_content(number: u32, content: &[u8]) -> Option<DeviationKind> {
    match number {
        tag::BOOLEAN => (!matches!(content, [0] | [0xff])).then_some(DeviationKind::BooleanValue),
        tag::INTEGER | tag::ENUMERATED => match content {
            [] => Some(DeviationKind::EmptyInteger),
            [0, next, ..] if next & 0x80 == 0 => Some(DeviationKind::PaddedInteger),
            [0xff, next, ..] if next & 0x80 != 0 => Some(DeviationKind::PaddedInteger),
            _ => None,
        },
        tag::BIT_STRING => (!bit_string_is_right(content)).then_some(DeviationKind::BitStringPadding),
        tag::NULL => (!content.is_empty()).then_some(DeviationKind::NullWithContent),
        tag::OID => (!object_identifier_is_right(content)).then_some(DeviationKind::ObjectIdentifier),
        _ => None,
    }
}

/// Whether `a` may stand before `b` in a SET OF: as octet strings, the shorter padded with zeroes (X.690 section 11.6).
pub(super) fn set_order(a: &[u8], b: &[u8]) -> bool {
    let length = a.len().max(b.len());
    let padded = |bytes: &[u8], i: usize| bytes.get(i).copied().unwrap_or(0);
    (0..length).map(|i| padded(a, i).cmp(&padded(b, i))).find(|o| o.is_ne()).is_none_or(|o| o.is_lt())
}

fn bit_string_is_right(content: &[u8]) -> bool {
    match content {
        [] => false,
        [unused] => *unused == 0,
        [unused, .., last] => *unused < 8 && last & ((1u8 << *unused) - 1) == 0,
    }
}

fn object_identifier_is_right(content: &[u8]) -> bool {
    let mut at_start = true;
    for octet in content {
        if at_start && *octet == 0x80 {
            return false;
        }
        at_start = octet & 0x80 == 0;
    }
    !content.is_empty() && at_start
}
