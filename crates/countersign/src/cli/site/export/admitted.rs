//! Whom the gate admits to a site now, wherever they go on it, as a server with a fixed list can know them.

use std::sync::Arc;

use authority::Role;
use policy::site::{ClientAuth, Principal, Site};
use policy::{
    Admission, Decision, HolderView, HostName, NormalPath, PartyName, Peer, Snapshot, decide::Moment,
};
use rustls_pki_types::CertificateDer;

use crate::cli::Failure;
use crate::cli::context::Context;

/// One certificate that is admitted.
pub struct One {
    /// Whose it is.
    pub party: String,
    /// What they call it.
    pub label: String,
    /// SHA-256 of its DER.
    pub thumbprint: String,
    /// Its DER.
    pub der: Vec<u8>,
}

/// Who is written down.
pub struct Admitted {
    /// The certificates.
    pub certificates: Vec<One>,
    /// The trust anchors that they need, DER, each once.
    pub anchors: Vec<Vec<u8>>,
    /// Who is admitted by the gate and not here: who, and why.
    pub left_out: Vec<(String, String)>,
}

/// Asks the decision for each certificate on record, for the site and for each of its paths.
pub fn admitted(context: &Context, name: &HostName) -> Result<Admitted, Failure> {
    let records = context.run(context.registry.load())?.records;
    let snapshot = context.settings.snapshot(records.clone(), 0);
    let Some(site) = snapshot.site(name) else {
        return Err(Failure::not_found(format!("there is no site `{name}`"), ""));
    };
    let hierarchy = context.hierarchy().ok();
    let both = hierarchy
        .iter()
        .flat_map(|all| std::iter::once(all.certificate(Role::Client)).chain(all.former(Role::Client)));
    let own: Vec<Vec<u8>> = both.map(|one| one.der.to_vec()).collect();
    // Up to the root: the own one, and the issuers elsewhere that signed the client CA.
    let above = hierarchy
        .iter()
        .flat_map(|all| std::iter::once(all.certificate(Role::Root)).chain(all.client_issuers()));
    let above: Vec<Vec<u8>> = above.map(|one| one.der.to_vec()).collect();
    let root_path = NormalPath::parse("/").map_err(|error| Failure::usage(error.to_string(), ""))?;
    let base = site.rule(&root_path).map_err(|error| Failure::usage(error.to_string(), ""))?;
    let closed = (0..site.paths.len()).filter(|i| site.paths[*i].client_auth == ClientAuth::Required);
    let rules: Vec<Option<usize>> = std::iter::once(base).chain(closed.map(Some)).collect();
    let mut all = Admitted { certificates: Vec::new(), anchors: Vec::new(), left_out: Vec::new() };
    for (thumbprint, record) in records.certificates.iter() {
        let HolderView::Party(party) = record.holder else { continue };
        let Some((_, row)) = context.run(context.registry.find_certificate(thumbprint))? else { continue };
        let sent: Vec<CertificateDer<'static>> =
            std::iter::once(&row.der).chain(&own).map(|der| CertificateDer::from(der.clone())).collect();
        let Some(peer) = Peer::identify(Arc::from(sent), &site.anchors, context.now) else { continue };
        let decide = |rule| policy::decide(&snapshot, site, rule, Some(&peer), Moment::at(context.now));
        let admitted = |decision: &Decision| matches!(decision, Decision::Admit(_));
        if !rules.iter().any(|rule| admitted(&decide(*rule))) {
            continue;
        }
        let who = format!("{party} ({})", row.label);
        if !rules.iter().all(|rule| admitted(&decide(*rule))) {
            all.left_out.push((
                who,
                "a path of the site is closed to them, and the list is for the whole site".into(),
            ));
            continue;
        }
        let is_own_issuer = row.subject == row.issuer;
        let path = peer.vouching.paths.iter().find(|path| path.admits);
        match path.and_then(|path| path.issuers.last()) {
            Some(anchor) => {
                keep(&mut all.anchors, anchor);
                // What verifies with a certificate of ours wants its root too.
                if own.iter().any(|one| **one == **anchor) {
                    above.iter().for_each(|one| keep(&mut all.anchors, one));
                }
            }
            None if is_own_issuer => keep(&mut all.anchors, &row.der),
            None => {
                let why =
                    "it is pinned, and its issuer is not known here; give its CA with `countersign ca add`";
                all.left_out.push((who, why.into()));
                continue;
            }
        }
        all.certificates.push(One {
            party: party.to_string(),
            label: row.label,
            thumbprint: thumbprint.to_string(),
            der: row.der,
        });
    }
    all.certificates
        .sort_by(|a, b| (&a.party, &a.label, &a.thumbprint).cmp(&(&b.party, &b.label, &b.thumbprint)));
    for (ca, settings) in &context.settings.cas {
        if settings.sites.contains(name) && settings.rules.admission != Admission::OnRecord {
            let why = "its certificates are admitted by rule; only those on record can be listed";
            all.left_out.push((format!("ca:{ca}"), why.into()));
        }
    }
    let mut pins = records.keys.iter().flat_map(|(_, keys)| keys.iter());
    if pins.any(|key| key.revoked.is_none() && lists(&snapshot, site, &rules, &key.party)) {
        let why = "they admit any certificate with that key; only whole certificates can be listed";
        all.left_out.push(("pinned keys".into(), why.into()));
    }
    Ok(all)
}

/// Whether the site, on one of its paths, lists a party of ours by name, group or grant, and does not deny it.
fn lists(snapshot: &Snapshot, site: &Site, rules: &[Option<usize>], party: &PartyName) -> bool {
    let names = |all: &[Principal]| {
        all.iter().any(|principal| match principal {
            Principal::Party(id) => party.as_str() == id,
            Principal::Group(group) => {
                snapshot.groups.get(group).is_some_and(|members| members.contains(party.as_str()))
            }
            Principal::Ca(_) => false,
        })
    };
    let Some(known) = snapshot.records.parties.get(party).filter(|one| one.suspended_since.is_none()) else {
        return false;
    };
    rules.iter().any(|rule| {
        let rule = rule.map(|index| &site.paths[index]);
        let allows = match rule.and_then(|rule| rule.allow.as_deref()) {
            Some(own) => names(own),
            None => names(&site.allow) || known.grants.contains(&site.name),
        };
        allows && !names(rule.and_then(|rule| rule.deny.as_deref()).unwrap_or(&site.deny))
    })
}

fn keep(all: &mut Vec<Vec<u8>>, der: &[u8]) {
    if !all.iter().any(|one| one == der) {
        all.push(der.to_vec());
    }
}
