//! From bytes to a tree, with offsets.

use std::ops::Range;
use std::sync::Arc;

use super::deviation::{Deviation, DeviationKind};
use super::element::Element;
use super::{strict, tag};

/// How much the reader follows.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Levels of nesting.
    pub depth: usize,
    /// Elements in all.
    pub elements: usize,
}

impl Default for Budget {
    /// 24 levels, 200,000 elements: far above every certificate that means well.
    fn default() -> Self {
        Self { depth: 24, elements: 200_000 }
    }
}

/// The class of a tag (X.690 section 8.1.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Types of the standard.
    Universal,
    /// Types of one application.
    Application,
    /// Types whose meaning depends on where they stand; `[0]`, `[1]`.
    Context,
    /// Types of one organisation.
    Private,
}

/// Bytes read as tag, length and value.
#[derive(Clone, Debug)]
pub struct Tree {
    pub(super) bytes: Arc<[u8]>,
    pub(super) nodes: Vec<Node>,
    pub(super) top: Vec<usize>,
    /// Every departure from DER, in the order of the bytes where they begin.
    pub deviations: Vec<Deviation>,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) class: Class,
    pub(super) constructed: bool,
    pub(super) number: u32,
    pub(super) range: Range<usize>,
    pub(super) content: Range<usize>,
    pub(super) children: Vec<usize>,
}

impl Tree {
    /// The first element; `None` where not even a tag and a length could be read.
    pub fn root(&self) -> Option<Element<'_>> {
        self.top.first().map(|id| Element::new(self, *id))
    }

    /// The bytes that were read.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// All elements, outer before inner.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        (0..self.nodes.len()).map(|id| Element::new(self, id))
    }
}

/// Reads all of `bytes` as one value.
pub fn read(bytes: Arc<[u8]>, budget: Budget) -> Tree {
    let all = 0..bytes.len();
    read_within(bytes, all, budget)
}

/// Reads `range` of `bytes` as one value; offsets stay those of `bytes`. More after the value is a deviation.
pub fn read_within(bytes: Arc<[u8]>, range: Range<usize>, budget: Budget) -> Tree {
    let range = range.start.min(bytes.len())..range.end.min(bytes.len());
    let mut reader = Reader { bytes: &bytes, nodes: Vec::new(), deviations: Vec::new(), budget };
    let mut top = Vec::new();
    match reader.element(range.start, range.end, 0) {
        Some((id, end)) => {
            top.push(id);
            if end < range.end {
                reader.note(DeviationKind::TrailingBytes, end..range.end);
            }
        }
        None if range.is_empty() => reader.note(DeviationKind::Truncated, range),
        None => {}
    }
    let Reader { nodes, mut deviations, .. } = reader;
    deviations.sort_by_key(|d| (d.range.start, d.range.end));
    Tree { bytes, nodes, top, deviations }
}

struct Reader<'a> {
    bytes: &'a [u8],
    nodes: Vec<Node>,
    deviations: Vec<Deviation>,
    budget: Budget,
}

/// A tag and a length, read.
struct Header {
    class: Class,
    constructed: bool,
    number: u32,
    content_start: usize,
    /// `None` for the indefinite form.
    length: Option<usize>,
}

impl Reader<'_> {
    fn note(&mut self, kind: DeviationKind, range: Range<usize>) {
        self.deviations.push(Deviation { kind, range });
    }

    /// One element from `at`, held by what ends at `end`: its number in the arena, and where the next begins.
    fn element(&mut self, at: usize, end: usize, depth: usize) -> Option<(usize, usize)> {
        if self.nodes.len() >= self.budget.elements {
            self.note(DeviationKind::TooMany, at..end);
            return None;
        }
        let header = self.header(at, end)?;
        let id = self.nodes.len();
        self.nodes.push(Node {
            class: header.class,
            constructed: header.constructed,
            number: header.number,
            range: at..end,
            content: header.content_start..end,
            children: Vec::new(),
        });
        let (content_end, next) = match header.length {
            Some(length) => match header.content_start.checked_add(length).filter(|e| *e <= end) {
                Some(content_end) => (Some(content_end), content_end),
                None => {
                    self.note(DeviationKind::Truncated, at..end);
                    (Some(end), end)
                }
            },
            None => {
                self.note(DeviationKind::IndefiniteLength, at..header.content_start);
                (None, end)
            }
        };
        let mut children = Vec::new();
        let (mut content_end, mut next) = (content_end.unwrap_or(end), next);
        if header.constructed && depth + 1 >= self.budget.depth {
            self.note(DeviationKind::TooDeep, at..content_end);
        } else if header.constructed {
            let mut position = header.content_start;
            while position < content_end {
                if self.bytes[position..content_end].starts_with(&[0, 0]) {
                    if header.length.is_none() {
                        (content_end, next) = (position, position + 2);
                        break;
                    }
                    self.note(DeviationKind::StrayEndOfContents, position..position + 2);
                }
                let Some((child, after)) = self.element(position, content_end, depth + 1) else { break };
                children.push(child);
                position = after;
            }
        }
        let node = &mut self.nodes[id];
        node.range = at..next;
        node.content = header.content_start..content_end;
        node.children = children;
        self.examine_form(id);
        Some((id, next))
    }

    fn header(&mut self, at: usize, end: usize) -> Option<Header> {
        let cut = |reader: &mut Self| {
            reader.note(DeviationKind::Truncated, at..end);
            None
        };
        let Some(&first) = self.bytes[at..end].first() else { return cut(self) };
        let class = match first >> 6 {
            0 => Class::Universal,
            1 => Class::Application,
            2 => Class::Context,
            _ => Class::Private,
        };
        let mut position = at + 1;
        let mut number = u32::from(first & 0x1f);
        if number == 0x1f {
            number = 0;
            loop {
                let Some(&octet) = self.bytes[..end].get(position) else { return cut(self) };
                if position == at + 1 && octet == 0x80 {
                    self.note(DeviationKind::PaddedTag, at..position + 1);
                }
                position += 1;
                let Some(shifted) = number.checked_mul(128) else { return cut(self) };
                number = shifted | u32::from(octet & 0x7f);
                if octet & 0x80 == 0 {
                    break;
                }
            }
            if number < 0x1f {
                self.note(DeviationKind::PaddedTag, at..position);
            }
        }
        let Some(&octet) = self.bytes[..end].get(position) else { return cut(self) };
        let length_at = position;
        position += 1;
        let length = match octet {
            0x80 => None,
            0..=0x7f => Some(usize::from(octet)),
            _ => {
                let count = usize::from(octet & 0x7f);
                let Some(octets) = self.bytes[..end].get(position..position + count) else {
                    return cut(self);
                };
                let significant = octets.iter().skip_while(|o| **o == 0).count();
                if octet == 0xff || significant > 8 {
                    self.note(DeviationKind::ReservedLength, length_at..position + count);
                }
                let value = octets.iter().fold(0u128, |value, o| {
                    if value >> 100 == 0 { (value << 8) | u128::from(*o) } else { value }
                });
                if value < 0x80 || octets.first() == Some(&0) {
                    self.note(DeviationKind::LongFormLength, length_at..position + count);
                }
                position += count;
                Some(usize::try_from(value).unwrap_or(usize::MAX))
            }
        };
        Some(Header { class, constructed: first & 0x20 != 0, number, content_start: position, length })
    }

    /// What DER asks of the form and the contents of this one element.
    fn examine_form(&mut self, id: usize) {
        let node = &self.nodes[id];
        if node.class != Class::Universal {
            return;
        }
        let (number, constructed, range) = (node.number, node.constructed, node.range.clone());
        let collection = matches!(number, tag::SEQUENCE | tag::SET);
        if collection != constructed {
            let kind = if collection {
                DeviationKind::PrimitiveConstructed
            } else {
                DeviationKind::ConstructedString
            };
            self.note(kind, range);
        } else if number == tag::SET {
            let mut elements = node.children.iter().map(|c| &self.bytes[self.nodes[*c].range.clone()]);
            if !elements.by_ref().is_sorted_by(|a, b| strict::set_order(a, b)) {
                self.note(DeviationKind::UnsortedSet, range);
            }
        } else if let Some(kind) = strict::wrong_content(number, &self.bytes[node.content.clone()]) {
            self.note(kind, range);
        }
    }
}
