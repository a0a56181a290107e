//! nameConstraints uses the types of names that clients compare.
//!
//! A client that cannot compare a type must refuse the certificate where the extension is critical and such a name is there.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "nc-unsupported-type",
    severity: Severities::all(Warning),
    clause: "client dependent; RFC 5280 section 4.2.1.10",
    expected: "host names, addresses and directory names",
    remedy: "Constrain host names and addresses; leave the other types out.",
    affected: "clients that do not know the type: they refuse, or do not apply it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(constraints) = certificate.known.name_constraints.read() else { return Outcome::Pass };
    let all = constraints.permitted.iter().chain(&constraints.excluded).flatten();
    Outcome::all(all.filter_map(|subtree| {
        let known = matches!(
            subtree.base.form,
            NameForm::Dns(_)
                | NameForm::Ip(_)
                | NameForm::Directory(..)
                | NameForm::Email(_)
                | NameForm::Wrong
        );
        let found = || {
            Found::new(certificate, subtree.base.place.clone(), format!("a constraint on {}", subtree.base))
        };
        match subtree.base.form {
            _ if known => None,
            NameForm::Uri(_) => Some(found().severity(Notice)),
            _ => Some(found()),
        }
    }))
}
