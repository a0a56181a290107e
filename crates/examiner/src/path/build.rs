//! From the end entity upwards, with every alternative.

use std::collections::HashMap;

use crate::chain::{Chain, Examinee};

use super::issuer::{self, Standing};
use super::{Fault, Paths, Rules, crl, name_constraints, policies, signature};

/// A certificate with what path building asks of it again and again.
#[derive(Clone, Copy)]
struct Node<'a> {
    certificate: &'a Examinee,
    subject: &'a [u8],
    issuer: &'a [u8],
    key: &'a [u8],
    is_anchor: bool,
}

pub(super) struct Builder<'a, 'r> {
    rules: &'r Rules<'r>,
    nodes: Vec<Node<'a>>,
    by_subject: HashMap<&'a [u8], Vec<usize>>,
    verified: HashMap<(usize, usize), Option<bool>>,
    signatures: usize,
    steps: usize,
    comparisons: usize,
    found: Paths<'a>,
}

impl<'a, 'r> Builder<'a, 'r> {
    pub(super) fn new(chain: &'a Chain, rules: &'r Rules<'r>) -> Self {
        let not_anchors = chain.served.len() + chain.beside.len();
        let nodes: Vec<Node<'a>> = chain
            .all()
            .map(|certificate| {
                let fields = certificate.fields();
                let bytes =
                    |field: Option<crate::chain::Field<'a>>| field.map_or(&[][..], |f| f.element.bytes());
                Node {
                    certificate,
                    subject: bytes(fields.subject),
                    issuer: bytes(fields.issuer),
                    key: bytes(fields.spki),
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
            by_subject,
            verified: HashMap::new(),
            signatures: rules.budget.signatures,
            steps: rules.budget.steps,
            comparisons: rules.budget.comparisons,
            found: Paths { valid: Vec::new(), faults: Vec::new(), exhausted: false },
        }
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
        if self.found.faults.len() < 256 {
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
            _ => Vec::new(),
        };
        let mut tried = false;
        for candidate in candidates {
            if self.is_repeated(path, candidate) {
                continue;
            }
            tried = true;
            if self.found.exhausted || self.steps == 0 || path.len() >= self.rules.budget.length {
                self.exhausted(last, path.len());
                return;
            }
            self.steps -= 1;
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
            self.fault(
                "path-loop-or-explosion",
                at,
                "more ways to a trust anchor than are tried".into(),
                length,
            );
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
        let below = path[1..].iter().filter(|id| !self.nodes[**id].certificate.is_self_issued()).count();
        let standing = Standing { is_anchor: issuer.is_anchor, intermediates_below: below };
        issuer::issuer(issuer.certificate, standing, self.rules).map_err(|(id, why)| (id, candidate, why))?;
        if let Some(constraints) = issuer.certificate.known.name_constraints.read() {
            for (i, id) in path.iter().enumerate() {
                let certificate = self.nodes[*id].certificate;
                if i > 0 && certificate.is_self_issued() {
                    continue;
                }
                name_constraints::allow(constraints, certificate, &mut self.comparisons).map_err(
                    |(id, why)| {
                        if id == "path-loop-or-explosion" {
                            self.found.exhausted = true;
                        }
                        (id, path[i], why)
                    },
                )?;
            }
        }
        let child = *path.last().expect("a path has its end entity");
        let verified = match self.verified.get(&(child, candidate)) {
            Some(known) => *known,
            None => {
                if self.signatures == 0 {
                    self.found.exhausted = true;
                    let why = "more signatures to verify than are tried".to_owned();
                    return Err(("path-loop-or-explosion", child, why));
                }
                self.signatures -= 1;
                let known = signature::verdict(self.nodes[child].certificate, issuer.certificate);
                self.verified.insert((child, candidate), known);
                known
            }
        };
        match verified {
            Some(true) => Ok(()),
            Some(false) => Err((
                "signature-invalid",
                child,
                "its signature does not verify with its issuer's key".into(),
            )),
            None => {
                let (id, why) = signature::unknown(issuer.certificate);
                Err((id, if id == signature::ALGORITHM { child } else { candidate }, why))
            }
        }
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
