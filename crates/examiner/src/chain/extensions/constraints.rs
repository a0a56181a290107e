//! basicConstraints and nameConstraints.

use crate::cert::tlv::{Element, tag};
use crate::chain::NameAt;

use super::{Field, Place, inside, sequence};

/// basicConstraints (RFC 5280 section 4.2.1.9).
#[derive(Clone, Debug)]
pub struct BasicConstraints {
    /// cA; false where it is left out.
    pub is_ca: bool,
    /// Whether cA is written although it says false, its default.
    pub default_written: bool,
    /// pathLenConstraint.
    pub path_length: Option<PathLength>,
    /// Where it stands.
    pub place: Place,
}

/// pathLenConstraint as it stands.
#[derive(Clone, Debug)]
pub struct PathLength {
    /// The number; `None` where it is negative or does not fit.
    pub value: Option<u64>,
    /// Where it stands.
    pub place: Place,
}

impl BasicConstraints {
    pub(super) fn of(field: &Field<'_>) -> Result<Self, String> {
        let mut rest = sequence(field)?.peekable();
        let flag = rest.next_if(|f| f.element.is(tag::BOOLEAN));
        let length = rest.next_if(|f| f.element.is(tag::INTEGER));
        if rest.next().is_some() {
            return Err("it holds more than cA and pathLenConstraint".into());
        }
        let is_ca = flag.as_ref().and_then(|f| f.element.boolean()).unwrap_or(false);
        Ok(Self {
            is_ca,
            default_written: flag.is_some() && !is_ca,
            path_length: length.map(|f| PathLength {
                value: f.element.unsigned(),
                place: inside(field, "pathLenConstraint", f.element.range()),
            }),
            place: field.place.clone(),
        })
    }
}

/// nameConstraints (RFC 5280 section 4.2.1.10).
#[derive(Clone, Debug)]
pub struct NameConstraints {
    /// permittedSubtrees; `None` where the field is absent.
    pub permitted: Option<Vec<Subtree>>,
    /// excludedSubtrees; `None` where the field is absent.
    pub excluded: Option<Vec<Subtree>>,
    /// Where it stands.
    pub place: Place,
}

/// One GeneralSubtree.
#[derive(Clone, Debug)]
pub struct Subtree {
    /// The base; an iPAddress holds address and mask.
    pub base: NameAt,
    /// minimum where it is written, even as 0; `u64::MAX` where it cannot be read.
    pub minimum: Option<u64>,
    /// maximum where it is written; `u64::MAX` where it cannot be read.
    pub maximum: Option<u64>,
}

impl NameConstraints {
    pub(super) fn of(field: &Field<'_>) -> Result<Self, String> {
        let mut all = Self { permitted: None, excluded: None, place: field.place.clone() };
        for part in sequence(field)? {
            let (slot, name) = match part.element {
                e if e.is_context(0) && all.permitted.is_none() => (&mut all.permitted, "permittedSubtrees"),
                e if e.is_context(1) && all.excluded.is_none() => (&mut all.excluded, "excludedSubtrees"),
                _ => return Err("it holds something that is no list of subtrees".into()),
            };
            if !part.element.is_constructed() {
                return Err("a list of subtrees is no list".into());
            }
            let place = inside(field, name, part.element.range());
            let mut subtrees = Vec::new();
            for (i, element) in part.element.children().enumerate() {
                let place = place.step(&format!("[{i}]"), element.range());
                subtrees.push(Subtree::of(element, place)?);
            }
            *slot = Some(subtrees);
        }
        Ok(all)
    }
}

impl Subtree {
    fn of(element: Element<'_>, place: Place) -> Result<Self, String> {
        let base = element.child(0).filter(|_| element.is(tag::SEQUENCE)).ok_or("a subtree has no base")?;
        let number = |which: u32| {
            element
                .children()
                .skip(1)
                .find(|e| e.is_context(which))
                .map(|e| crate::cert::tlv::unsigned(e.content()).unwrap_or(u64::MAX))
        };
        let base = NameAt::of(base, place.step("base", base.range()));
        Ok(Self { base, minimum: number(0), maximum: number(1) })
    }
}
