//! Whether a host asks for a client certificate, and what comes of having none.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-auth-requested",
    severity: Severities::all(Notice),
    clause: "RFC 8446 section 4.3.2",
    expected: "that this is wanted",
    remedy: "Show yours with --cert FILE --key FILE to see whether it would be taken. Whoever does not want this turns it off in the server.",
    affected: "everybody without a certificate; browsers may show a window to choose one",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(asks) = chain.host.as_ref().and_then(|host| host.asks()) else { return Outcome::Pass };
    let issuers = match asks.issuers.as_slice() {
        [] => "no issuer".to_owned(),
        [one] => format!("the issuer {one}"),
        many => format!("{} issuers", many.len()),
    };
    Found::of_host(format!(
        "a client certificate is {}; {issuers} is named; without one {}",
        match asks.word() {
            "asked" => "asked for",
            word => word,
        },
        asks.without
    ))
    .into()
}
