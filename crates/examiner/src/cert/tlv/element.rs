//! One place in a tree.

use std::ops::Range;

use super::reader::{Class, Node, Tree};
use super::tag;

/// One element of a [`Tree`]: its tag, its place, its contents.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    tree: &'a Tree,
    id: usize,
}

impl<'a> Element<'a> {
    pub(super) fn new(tree: &'a Tree, id: usize) -> Self {
        Self { tree, id }
    }

    fn node(self) -> &'a Node {
        &self.tree.nodes[self.id]
    }

    /// The class of its tag.
    pub fn class(self) -> Class {
        self.node().class
    }

    /// Its tag number within the class.
    pub fn number(self) -> u32 {
        self.node().number
    }

    /// Whether it is in constructed form.
    pub fn is_constructed(self) -> bool {
        self.node().constructed
    }

    /// Whether it is of the universal class and has this tag number.
    pub fn is(self, number: u32) -> bool {
        self.class() == Class::Universal && self.number() == number
    }

    /// Whether it is tagged `[number]`.
    pub fn is_context(self, number: u32) -> bool {
        self.class() == Class::Context && self.number() == number
    }

    /// Where it stands, header and end included.
    pub fn range(self) -> Range<usize> {
        self.node().range.clone()
    }

    /// Where its contents stand.
    pub fn content_range(self) -> Range<usize> {
        self.node().content.clone()
    }

    /// Its contents.
    pub fn content(self) -> &'a [u8] {
        &self.tree.bytes[self.content_range()]
    }

    /// Header and contents.
    pub fn bytes(self) -> &'a [u8] {
        &self.tree.bytes[self.range()]
    }

    /// What it holds; empty for a primitive value.
    pub fn children(self) -> impl DoubleEndedIterator<Item = Element<'a>> + ExactSizeIterator + 'a {
        let tree = self.tree;
        self.node().children.iter().map(move |id| Element { tree, id: *id })
    }

    /// The element at `index` of what it holds.
    pub fn child(self, index: usize) -> Option<Element<'a>> {
        self.node().children.get(index).map(|id| Element { tree: self.tree, id: *id })
    }

    /// The first element tagged `[number]` of what it holds.
    pub fn context_child(self, number: u32) -> Option<Element<'a>> {
        self.children().find(|child| child.is_context(number))
    }

    /// The object identifier as dotted text; `None` if it is none or is malformed.
    pub fn oid(self) -> Option<String> {
        if !self.is(tag::OID) { None } else { dotted(self.content()) }
    }

    /// A BOOLEAN; every octet but 0 means true. `None` if it is none.
    pub fn boolean(self) -> Option<bool> {
        (self.is(tag::BOOLEAN) && self.content().len() == 1).then(|| self.content()[0] != 0)
    }

    /// A non-negative INTEGER that fits; `None` if it is none.
    pub fn unsigned(self) -> Option<u64> {
        if self.is(tag::INTEGER) { unsigned(self.content()) } else { None }
    }

    /// The contents of a BIT STRING without the octet that counts the unused bits, and that count.
    pub fn bit_string(self) -> Option<(&'a [u8], u8)> {
        if !self.is(tag::BIT_STRING) {
            return None;
        }
        let (unused, bits) = self.content().split_first()?;
        (*unused < 8).then_some((bits, *unused))
    }
}

/// A non-negative integer's contents as a number; `None` where it is negative, empty, or does not fit 64 bits.
pub(crate) fn unsigned(content: &[u8]) -> Option<u64> {
    if content.first()? & 0x80 != 0 {
        return None;
    }
    let significant: Vec<u8> = content.iter().copied().skip_while(|o| *o == 0).collect();
    (significant.len() <= 8).then(|| significant.iter().fold(0, |n, o| (n << 8) | u64::from(*o)))
}

/// The dotted text of an object identifier's contents; `None` where they are malformed or an arc is above 2^64.
pub fn dotted(content: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let (mut arc, mut open) = (0u64, false);
    for octet in content {
        if arc >> 57 != 0 || (!open && *octet == 0x80) {
            return None;
        }
        arc = (arc << 7) | u64::from(octet & 0x7f);
        open = octet & 0x80 != 0;
        if !open {
            if arcs.is_empty() {
                let root = (arc / 40).min(2);
                arcs.extend([root, arc - root * 40]);
            } else {
                arcs.push(arc);
            }
            arc = 0;
        }
    }
    if open || arcs.is_empty() {
        return None;
    }
    Some(arcs.iter().map(u64::to_string).collect::<Vec<_>>().join("."))
}
