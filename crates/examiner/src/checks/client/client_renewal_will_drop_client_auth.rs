//! The next certificate of a public CA will not be for clients.

use super::prelude::*;
use super::shared::{is_public, purposes_place};
use crate::dates::{CHROME_LEAVES_SERVER_ONLY, CLIENT_USE_ENDS};

pub static CHECK: Check = Check {
    id: "client-renewal-will-drop-client-auth",
    severity: Severities::client(Warning),
    clause: "Chrome Root Policy 1.8 section 1.3.2",
    expected: "a client certificate from a private CA",
    remedy: "Before it is renewed, move clients to certificates of a private CA.",
    affected: "clients, on the day it is renewed",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let both = certificate.has_purpose(oid::SERVER_AUTH) && certificate.has_purpose(oid::CLIENT_AUTH);
    if !both || !is_public(certificate) {
        return Outcome::Pass;
    }
    // The CA's own day, where it is known, comes before the browser's.
    let issuer = certificate.issuer.iter().flat_map(|issuer| issuer.of_type("2.5.4.10"));
    let names: Vec<String> = issuer.filter_map(|one| one.text()).map(|text| text.to_lowercase()).collect();
    let own = CLIENT_USE_ENDS.iter().find(|end| names.iter().any(|name| name.contains(end.issuer)));
    let (from, clause) = own.map_or((CHROME_LEAVES_SERVER_ONLY, CHECK.clause), |end| (end.from, end.clause));
    let observed = format!(
        "a public CA issued it for servers and clients: renewals from {} on will lose the client usage",
        from.date()
    );
    Found::new(certificate, purposes_place(certificate), observed)
        .clause(clause)
        .in_force(from)
        .likely()
        .into()
}
