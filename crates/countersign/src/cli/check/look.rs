//! One file examined: as one chain, as certificates that have nothing to do with each other, or as a bundle.

use std::path::{Path, PathBuf};

use examiner::chain::{Chain, Examinee, Role, Store};
use examiner::input::{KEY_MISMATCH, Kind, Note, Other};
use examiner::other::{self, Looked};
use examiner::profile::Profile;
use examiner::report::{Report, Shape};
use examiner::side::{GivenCrl, OcspResponse, SideFiles};
use examiner::{Question, examine, is_bundle, lint, per_store};

use super::network::Network;
use super::turns::Turns;
use super::{roots, source};
use crate::cli::{Failure, context};

/// What is asked of every file.
pub struct Asked {
    /// Profile, moment and name.
    pub question: Question,
    /// Whether it is asked as of now, and not as of a moment that was named.
    pub is_now: bool,
    /// The root stores that were named; the first decides.
    pub stores: Vec<Store>,
    /// Intermediates at hand.
    pub beside: Vec<Examinee>,
    /// Lists and responses at hand.
    pub side: SideFiles,
    /// The public half of the key that ought to belong to the first certificate.
    pub key: Option<Vec<u8>>,
    /// How many chains are judged at once.
    pub turns: Turns,
    /// The way to what the certificates name; `None` where nobody may be asked.
    pub network: Option<Network>,
    /// The file with the password of what is sealed.
    pub password: Option<PathBuf>,
}

/// What was examined, and what is said of it.
pub struct Seen {
    /// What it is called.
    pub name: String,
    /// What is said of it.
    pub report: Report,
    /// The certificates as one chain; `None` where they are none.
    pub chain: Option<Chain>,
}

/// What is seen in a file; more than one thing where it holds end-entity certificates that have nothing to do with each
/// other.
pub fn look(asked: &Asked, file: &Path) -> Result<Vec<Seen>, Failure> {
    let source = source::read(file, asked.password.as_deref())?;
    let name = file.display().to_string();
    let mut notes = source.input.notes.clone();
    let certificates: Vec<Examinee> =
        source.input.certificates.iter().map(|der| Examinee::read(der.as_slice())).collect();
    if certificates.is_empty() && source.input.others.is_empty() {
        return Err(source::nothing_in(file, &source.input, "certificate"));
    }
    for key in asked.key.iter().chain(&source.key) {
        if certificates.first().is_some_and(|first| !fits(first, key)) {
            notes.push(Note::new(KEY_MISMATCH, "the private key is that of another certificate"));
        }
    }
    let looked = beside(asked, &certificates, &source.input.others);
    if certificates.is_empty() {
        let report = Report::without_certificate(asked.question.profile, asked.question.at);
        return Ok(vec![Seen { name, report: report.of_file(notes, looked), chain: None }]);
    }
    if asked.question.host.is_none() && is_bundle(&certificates) {
        let report = lint(certificates, &asked.question, Shape::Bundle);
        return Ok(vec![Seen { name, report: report.of_file(notes, looked), chain: None }]);
    }
    if asked.question.host.is_none() && are_strangers(&certificates) {
        let each = certificates.into_iter().enumerate().map(|(i, one)| {
            let (notes, looked) = if i == 0 { (notes.clone(), looked.clone()) } else { Default::default() };
            let (report, chain) = chain(asked, vec![one], &source.input.others);
            let name = format!("{name}, certificate {i}");
            Seen { name, report: report.of_file(notes, looked), chain: Some(chain) }
        });
        return Ok(each.collect());
    }
    let (report, chain) = chain(asked, certificates, &source.input.others);
    Ok(vec![Seen { name, report: report.of_file(notes, looked), chain: Some(chain) }])
}

/// Whether these are end-entity certificates that only lie together.
fn are_strangers(certificates: &[Examinee]) -> bool {
    let first = &certificates[0];
    certificates.len() > 1
        && certificates.iter().all(|one| one.role == Role::EndEntity)
        && certificates.iter().any(|one| one.thumbprint != first.thumbprint)
}

fn chain(asked: &Asked, certificates: Vec<Examinee>, others: &[Other]) -> (Report, Chain) {
    let chain = match asked.question.host {
        Some(_) => Chain::served(certificates),
        None => Chain::given(certificates),
    };
    let mut side = asked.side.clone();
    for other in others {
        match other.kind {
            Kind::RevocationList => side.crls.extend(GivenCrl::from_der(&other.der)),
            Kind::OcspResponse => side.ocsp.extend(OcspResponse::from_der(&other.der)),
            _ => {}
        }
    }
    judged(asked, &asked.question, chain.with_side_files(side))
}

/// The chain under the root stores that count, and what is said of it.
pub fn judged(asked: &Asked, question: &Question, chain: Chain) -> (Report, Chain) {
    let profile = question.profile.unwrap_or_else(|| Profile::guess(&chain).0);
    let chain = chain.with_beside(asked.beside.clone());
    // Of a private CA's anchors nothing is known but what is given; where nothing is given, this system's are told too.
    let (counting, mut compared) = match (asked.stores.as_slice(), profile) {
        ([], Profile::Web) => (Some(roots::mozilla()), Vec::new()),
        ([], _) => (None, Vec::new()),
        ([first, rest @ ..], _) => (Some(first.clone()), rest.to_vec()),
    };
    let chain = match &counting {
        Some(store) => chain.with_anchors(store.anchors.clone()),
        None => chain,
    };
    let chain = match &asked.network {
        Some(network) => network.fetch(chain),
        None => chain,
    };
    // A chain under the roots of the web takes some memory while it is judged: no more at once than can be computed.
    let _turn = asked.turns.wait();
    // What was fetched may have been made while it was waited for.
    let question = &match asked.is_now {
        true => Question { at: context::now().max(question.at), ..question.clone() },
        false => question.clone(),
    };
    let Some(counting) = counting else { return (examine(&chain, question), chain) };
    let mut told = vec![counting.clone()];
    told.extend(compared.iter().cloned());
    let mut known = Vec::new();
    if asked.stores.is_empty()
        && let Some(Ok(system)) = roots::system()
    {
        told.push(system.clone());
        known.push(system);
    }
    let stores = if told.len() > 1 { per_store(&chain, &told, question) } else { Vec::new() };
    if !compared.is_empty() {
        compared.insert(0, counting);
    }
    let chain = chain.with_stores(compared).with_known(known);
    (Report { stores, ..examine(&chain, question) }, chain)
}

/// What lies in the file beside certificates, with the certificates that may have signed it.
fn beside(asked: &Asked, certificates: &[Examinee], others: &[Other]) -> Vec<Looked> {
    let anchors = asked.stores.iter().flat_map(|store| &store.anchors);
    let at_hand: Vec<&Examinee> = certificates.iter().chain(&asked.beside).chain(anchors).collect();
    others.iter().map(|one| other::look(one, &at_hand, asked.question.at)).collect()
}

/// Whether this is the certificate's public key.
pub fn fits(certificate: &Examinee, public: &[u8]) -> bool {
    certificate.fields().spki.is_some_and(|spki| spki.element.bytes() == public)
}
