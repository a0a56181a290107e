//! From the end entity upwards, with every alternative.

use std::collections::HashMap;
use std::rc::Rc;

use crate::chain::{Chain, Examinee};

use super::{Fault, Paths, Rules, Spent, crl, issuer, name_constraints, policies, signature};

/// A fault: the check's id, and what is wrong.
type Refused = (&'static str, String);

/// A certificate with what path building asks of it again and again.
#[derive(Clone, Copy)]
struct Node<'a> {
    certificate: &'a Examinee,
    subject: &'a [u8],
    issuer: &'a [u8],
    /// Its key, as a number: equal keys have equal ones.
    key: usize,
    is_self_issued: bool,
    is_anchor: bool,
}

pub(super) struct Builder<'a, 'r> {
    rules: &'r Rules<'r>,
    nodes: Vec<Node<'a>>,
    served: usize,
    not_anchors: usize,
    by_subject: HashMap<&'a [u8], Rc<[usize]>>,
    /// What was found out before, so that it is found out once, however many paths lead there: whether a node may issue;
    /// whether its signature verifies with a key; whether the constraints of one allow the names of another.
    issuers: HashMap<usize, Result<(), Refused>>,
    verified: HashMap<(usize, usize), Option<bool>>,
    allowed: HashMap<(usize, usize), Result<(), Refused>>,
    found: Paths<'a>,
}

impl<'a, 'r> Builder<'a, 'r> {
    pub(super) fn new(chain: &'a Chain, rules: &'r Rules<'r>) -> Self {
        let not_anchors = chain.served.len() + chain.beside.len();
        let mut keys: HashMap<&[u8], usize> = HashMap::new();
        let nodes: Vec<Node<'a>> = chain
            .all()
            .map(|certificate| {
                let fields = certificate.fields();
                let bytes =
                    |field: Option<crate::chain::Field<'a>>| field.map_or(&[][..], |f| f.element.bytes());
                let next = keys.len();
                Node {
                    certificate,
                    subject: bytes(fields.subject),
                    issuer: bytes(fields.issuer),
                    key: *keys.entry(bytes(fields.spki)).or_insert(next),
                    is_self_issued: certificate.is_self_issued(),
                    is_anchor: certificate.index >= not_anchors,
                }
            })
            .collect();
        let mut by_subject: HashMap<&[u8], Vec<usize>> = HashMap::new();
        // Anchors come first: the shortest way is the most likely one.
        for wanted in [true, false] {
            for (id, node) in nodes.iter().enumerate().filter(|(_, node)| node.is_anchor == wanted) {
                by_subject.entry(node.subject).or_default().push(id);
            }
        }
        Self {
            rules,
            nodes,
            served: chain.served.len(),
            not_anchors,
            by_subject: by_subject.into_iter().map(|(subject, ids)| (subject, ids.into())).collect(),
            issuers: HashMap::new(),
            verified: HashMap::new(),
            allowed: HashMap::new(),
            found: Paths { valid: Vec::new(), faults: Vec::new(), exhausted: false, spent: Spent::default() },
        }
    }

    /// The same without the certificates beside those that were served.
    pub(super) fn without_beside(mut self) -> Self {
        let beside = self.served..self.not_anchors;
        self.by_subject
            .values_mut()
            .for_each(|ids| *ids = ids.iter().copied().filter(|id| !beside.contains(id)).collect());
        self
    }

    pub(super) fn run(mut self) -> Paths<'a> {
        let Some(first) = self.nodes.first().filter(|node| !node.is_anchor).copied() else {
            return self.found;
        };
        match issuer::end_entity(first.certificate, self.rules) {
            Err((id, why)) => self.fault(id, 0, why, 1),
            Ok(()) => {
                let is_anchor =
                    |node: &Node<'_>| node.is_anchor && node.certificate.der() == first.certificate.der();
                if self.nodes.iter().any(is_anchor) {
                    self.found.valid.push(vec![first.certificate]);
                }
                self.extend(&mut vec![0]);
            }
        }
        self.found
    }

    fn fault(&mut self, id: &'static str, node: usize, why: String, length: usize) {
        // What was tried beyond some hundred ways tells nothing new.
        if self.found.faults.len() < 256 || id == super::EXPLOSION {
            let index = self.nodes[node].certificate.index;
            self.found.faults.push(Fault { id, index, why, length });
        }
    }

    /// Tries every issuer of the last certificate of `path`.
    fn extend(&mut self, path: &mut Vec<usize>) {
        let last = *path.last().expect("a path has its end entity");
        let node = self.nodes[last];
        let candidates = match self.by_subject.get(node.issuer) {
            Some(candidates) if !node.issuer.is_empty() => candidates.clone(),
            _ => Rc::from([]),
        };
        let mut tried = false;
        for candidate in candidates.iter().copied() {
            if self.is_repeated(path, candidate) {
                continue;
            }
            tried = true;
            let budget = &self.rules.budget;
            let is_over = self.found.spent.steps >= budget.steps || path.len() >= budget.length;
            if self.found.exhausted || is_over {
                self.exhausted(last, path.len());
                return;
            }
            self.found.spent.steps += 1;
            if let Err((id, at, why)) = self.may_issue(path, candidate) {
                self.fault(id, at, why, path.len() + 1);
                continue;
            }
            path.push(candidate);
            if self.nodes[candidate].is_anchor {
                self.finish(path);
            } else {
                self.extend(path);
            }
            path.pop();
        }
        if !tried {
            let (id, why) = if node.certificate.issuer.as_ref().is_some_and(|issuer| issuer.is_empty()) {
                ("issuer-empty", "its issuer has no name")
            } else if node.certificate.is_self_issued() {
                ("untrusted-root", "it is self-signed and no trust anchor")
            } else {
                ("chain-incomplete", "the certificate of its issuer is not at hand")
            };
            self.fault(id, last, why.into(), path.len());
        }
    }

    fn exhausted(&mut self, at: usize, length: usize) {
        if !self.found.exhausted {
            self.found.exhausted = true;
            self.fault(super::EXPLOSION, at, "more ways to a trust anchor than are tried".into(), length);
        }
    }

    /// Whether the path already has this certificate, or this name with this key: then it would run in a circle.
    fn is_repeated(&self, path: &[usize], candidate: usize) -> bool {
        let new = &self.nodes[candidate];
        path.iter().any(|id| {
            let old = &self.nodes[*id];
            *id == candidate || (old.subject == new.subject && old.key == new.key)
        })
    }

    /// Whether the candidate may have issued the last certificate of the path; else the fault and whose it is.
    fn may_issue(&mut self, path: &[usize], candidate: usize) -> Result<(), (&'static str, usize, String)> {
        let issuer = self.nodes[candidate];
        let rules = self.rules;
        let may = self.issuers.entry(candidate);
        let may = may.or_insert_with(|| issuer::issuer(issuer.certificate, issuer.is_anchor, rules)).clone();
        let below = path[1..].iter().filter(|id| !self.nodes[**id].is_self_issued).count();
        may.and_then(|()| issuer::above(issuer.certificate, issuer.is_anchor, below, rules))
            .map_err(|(id, why)| (id, candidate, why))?;
        if issuer.certificate.known.name_constraints.read().is_some() {
            for (i, id) in path.iter().enumerate() {
                if i == 0 || !self.nodes[*id].is_self_issued {
                    self.allows(candidate, *id).map_err(|(fault, why)| (fault, *id, why))?;
                }
            }
        }
        let child = *path.last().expect("a path has its end entity");
        match self.is_signed_by(child, candidate) {
            None => Err((super::EXPLOSION, child, "more signatures to verify than are tried".into())),
            Some(Some(true)) => Ok(()),
            Some(Some(false)) => Err((
                "signature-invalid",
                child,
                "its signature does not verify with its issuer's key".into(),
            )),
            Some(None) => {
                let (id, why) = signature::unknown(issuer.certificate);
                Err((id, if id == signature::ALGORITHM { child } else { candidate }, why))
            }
        }
    }

    /// Whether the name constraints of one certificate allow the names of another.
    fn allows(&mut self, issuer: usize, below: usize) -> Result<(), Refused> {
        if let Some(known) = self.allowed.get(&(issuer, below)) {
            return known.clone();
        }
        let certificate = self.nodes[issuer].certificate;
        let Some(constraints) = certificate.known.name_constraints.read() else { return Ok(()) };
        let mut left = self.rules.budget.comparisons - self.found.spent.comparisons;
        let told = name_constraints::allow(constraints, self.nodes[below].certificate, &mut left);
        self.found.spent.comparisons = self.rules.budget.comparisons - left;
        if told.as_ref().is_err_and(|(id, _)| *id == super::EXPLOSION) {
            self.found.exhausted = true;
        }
        self.allowed.insert((issuer, below), told.clone());
        told
    }

    /// Whether a certificate's signature verifies with the key of another, as [`signature::verdict`] says; `None` where the
    /// budget is spent.
    fn is_signed_by(&mut self, child: usize, issuer: usize) -> Option<Option<bool>> {
        let pair = (child, self.nodes[issuer].key);
        if let Some(known) = self.verified.get(&pair) {
            return Some(*known);
        }
        if self.found.spent.signatures >= self.rules.budget.signatures {
            self.found.exhausted = true;
            return None;
        }
        self.found.spent.signatures += 1;
        let known = signature::verdict(self.nodes[child].certificate, self.nodes[issuer].certificate);
        self.verified.insert(pair, known);
        Some(known)
    }

    /// A path has come to an anchor: what concerns it as a whole.
    fn finish(&mut self, path: &[usize]) {
        let certificates: Vec<&'a Examinee> = path.iter().map(|id| self.nodes[*id].certificate).collect();
        let whole = policies::hold(&certificates).and_then(|()| crl::none_revoked(&certificates, self.rules));
        match whole {
            Ok(()) => self.found.valid.push(certificates),
            Err((id, at, why)) => self.fault(id, path[at], why, path.len()),
        }
    }
}
