//! Name constraints of a client's CA are of the types that servers apply.
//!
//! rustls looks at alternative names alone: it does not hold the subject against constraints on directory names or
//! mailboxes, and refuses alternative names of those types whatever they are.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-nc-not-applied",
    severity: Severities::client(Warning),
    clause: "RFC 5280 section 4.2.1.10; practice (what servers' libraries apply)",
    expected: "constraints on host names and addresses, or none that admission relies on",
    remedy: "Do not rely on these constraints: say in the rule of admission which subjects you take from this CA.",
    affected: "servers on rustls: a subject outside of the constraint gets in, a mailbox or URI inside does not",
    in_force: None,
    consequence_of: &["certificate-unreadable", "nc-bad-form"],
    run: Run::Certificate(ISSUERS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(constraints) = certificate.known.name_constraints.read() else { return Outcome::Pass };
    let all = constraints.permitted.iter().chain(&constraints.excluded).flatten();
    let mut unapplied = all.filter_map(|subtree| {
        let kind = match subtree.base.form {
            NameForm::Directory(..) => "directory names",
            NameForm::Email(_) => "mailboxes",
            NameForm::Uri(_) => "URIs",
            _ => return None,
        };
        Some((subtree, kind))
    });
    match unapplied.next() {
        Some((subtree, kind)) => Outcome::found(
            certificate,
            subtree.base.place.clone(),
            format!("it constrains {kind}, which not every server applies"),
        ),
        None => Outcome::Pass,
    }
}
