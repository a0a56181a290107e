//! Whether more than one way leads to a trust anchor.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "path-alternatives",
    severity: Severities::all(Notice),
    clause: "RFC 4158",
    expected: "one path, or several that all hold",
    remedy: "Nothing is to be done; know it before you retire one of the roots or intermediates.",
    affected: "nobody",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(_: &Chain, context: &Context<'_>) -> Outcome {
    // A certificate that is at hand twice makes no second path.
    let ders = |path: &Vec<&Examinee>| path.iter().map(|one| one.thumbprint).collect::<Vec<_>>();
    let mut valid: Vec<&Vec<&Examinee>> = Vec::new();
    for path in &context.paths().valid {
        if !valid.iter().any(|other| ders(other) == ders(path)) {
            valid.push(path);
        }
    }
    let Some(first) = valid.first().filter(|_| valid.len() > 1).and_then(|path| path.first()) else {
        return Outcome::Pass;
    };
    let shown = |path: &&Vec<&Examinee>| {
        path[1..].iter().map(|one| one.shown_name()).collect::<Vec<_>>().join(", then ")
    };
    let mut ways: Vec<String> = valid.iter().take(4).map(shown).collect();
    if valid.len() > 4 {
        ways.push(format!("{} more", valid.len() - 4));
    }
    Outcome::found(first, first.place(), format!("{} paths hold: {}", valid.len(), ways.join("; ")))
}
