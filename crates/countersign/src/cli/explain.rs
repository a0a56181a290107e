//! `explain`: what a code means, and whether a certificate would be admitted.

use std::path::Path;
use std::sync::Arc;

use policy::refusal::NotAllowed;
use policy::{Code, Decision, Moment, NormalPath, Peer, Refusal, Why};
use rustls_pki_types::CertificateDer;
use serde_json::json;

use super::context::Context;
use super::{Exit, Failure, Globals, Outcome, cert};
use crate::config::problem::did_you_mean;

/// `countersign explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A refusal code, or a certificate file.
    what: String,
    /// The site that the certificate would be shown to.
    #[arg(long, value_name = "HOST")]
    site: Option<String>,
    /// The path that would be asked for.
    #[arg(long, default_value = "/", requires = "site")]
    path: String,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match (&args.site, Code::parse(&args.what)) {
        (None, Some(code)) => code_meaning(globals, code),
        (Some(site), _) => test(globals, site, Some(Path::new(&args.what)), &args.path),
        (None, None) if Path::new(&args.what).exists() => {
            Err(Failure::usage("--site is missing", format!("countersign explain {} --site HOST", args.what)))
        }
        (None, None) => {
            let known = Code::ALL.map(Code::as_str);
            let help = did_you_mean(&args.what, known).map_or_else(
                || format!("the codes are: {}", known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            Err(Failure::not_found(format!("`{}` is no code and no file", args.what.escape_debug()), help))
        }
    })
}

fn code_meaning(globals: &Globals, code: Code) -> Outcome {
    let (meaning, remedy) = words(code);
    let alert = code.alert().map_or("HTTP 421".to_owned(), |number| format!("TLS alert {number}"));
    globals.print(
        &json!({ "code": code, "meaning": meaning, "remedy": remedy, "alert": code.alert() }),
        format!("{code} ({alert})\n  {meaning}\n  help: {remedy}"),
    );
    Ok(Exit::Fine)
}

/// What a code means, and what to do.
pub fn words(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::NoCertificate => (
            "The visitor showed no certificate.",
            "Import the certificate into the browser or name it to the client, and choose it when asked.",
        ),
        Code::Expired => {
            ("The certificate, or one of its issuers, has ended.", "Renew it: countersign party renew NAME.")
        }
        Code::NotYetValid => (
            "The certificate, or one of its issuers, begins in the future.",
            "Wait until then, or correct the clocks.",
        ),
        Code::UnknownIssuer => (
            "No CA of this site vouches for the certificate, and it is saved nowhere.",
            "Approve it under `countersign pending`, pin it, or attach its CA with `countersign ca add`.",
        ),
        Code::ChainIncomplete => (
            "The client did not send the intermediate that its certificate needs.",
            "Have the client send its whole chain, end-entity certificate first.",
        ),
        Code::BadSignature => {
            ("A signature in the chain does not match.", "Ask the issuer for the certificate again.")
        }
        Code::Malformed => {
            ("The certificate cannot be read.", "Ask the issuer for one that follows RFC 5280.")
        }
        Code::WeakKey => (
            "A key or signature hash is too weak.",
            "Make a new key: ECDSA P-256, or RSA with 2048 bits or more.",
        ),
        Code::ChainInvalid => (
            "The chain breaks a rule of RFC 5280: constraints, path length or a critical extension.",
            "Ask the issuer for a certificate that its CA may issue.",
        ),
        Code::WrongUsage => (
            "The certificate is not meant for TLS Web Client Authentication (1.3.6.1.5.5.7.3.2).",
            "Ask the issuer for one that lists this key purpose.",
        ),
        Code::Revoked => (
            "The certificate, or its key, was revoked.",
            "Issue a new one with a new key: countersign party add NAME.",
        ),
        Code::Superseded => {
            ("A newer certificate took its place and the overlap is over.", "Use the newer one.")
        }
        Code::RevocationUnknown => {
            ("There is no fresh revocation list of its CA.", "Bring the CA's list up to date.")
        }
        Code::NotAllowed => (
            "The certificate is good, but its holder is not on this site's list.",
            "countersign party grant NAME --site HOST, or correct `match`, `allow` or `deny`.",
        ),
        Code::Suspended => ("The party is suspended.", "countersign party resume NAME."),
        Code::PolicyStale => (
            "The gate could not refresh its policy for too long, so it refuses everybody.",
            "Look at `countersign status` and the gate's log.",
        ),
        Code::PossessionFailed => (
            "The visitor did not prove to hold the certificate's private key.",
            "Give the client the key that belongs to the certificate.",
        ),
        Code::HostMismatch => (
            "The request names another host than the connection was made for.",
            "Make a connection of its own for that host.",
        ),
    }
}

/// Whether a certificate would be admitted to a site now; the gate's own decision, key possession taken for granted.
pub fn test(globals: &Globals, site: &str, file: Option<&Path>, path: &str) -> Outcome {
    let context = Context::open(globals)?;
    let name = context.site(site)?;
    let snapshot = context.settings.snapshot(context.state.records.clone(), 0);
    let Some(site) = snapshot.site(&name) else {
        return Err(Failure::not_found(format!("there is no site `{name}`"), ""));
    };
    let path = NormalPath::parse(path)
        .map_err(|error| Failure::usage(error.to_string(), "write it like /health"))?;
    let rule = site.rule(&path).map_err(|error| Failure::usage(error.to_string(), "leave the `;` out"))?;
    let peer = match file {
        None => None,
        Some(file) => {
            let chain: Vec<CertificateDer<'static>> =
                cert::read(file)?.iter().map(|one| CertificateDer::from(one.der.to_vec())).collect();
            Peer::identify(Arc::from(chain), &site.anchors, context.now)
        }
    };
    let decision = policy::decide(&snapshot, site, rule, peer.as_ref(), Moment::at(context.now));
    let (verdict, exit) = match &decision {
        Decision::Admit(_) => ("admitted", Exit::Fine),
        Decision::Open => ("open", Exit::Fine),
        Decision::Observe(_) => ("observed", Exit::No),
        Decision::Refuse(_) => ("refused", Exit::No),
    };
    let (mut value, text) = match &decision {
        Decision::Admit(grant) => (
            json!({ "party": grant.identity.id(), "way": grant.way.as_str(), "rule": grant.rule, "until": grant.until }),
            format!(
                "admitted as {} by {}, allowed by {}, until {}",
                grant.identity.id(),
                grant.way.as_str(),
                grant.rule,
                grant.until
            ),
        ),
        Decision::Open => (json!({}), "this path is open: anyone passes, without identity".to_owned()),
        Decision::Observe(refusal) | Decision::Refuse(refusal) => {
            let (meaning, remedy) = words(refusal.code());
            let detail = detail(refusal);
            (
                json!({ "code": refusal.code(), "detail": detail, "remedy": remedy }),
                format!("{verdict}: {}\n  {meaning}\n  {detail}\n  help: {remedy}", refusal.code()),
            )
        }
    };
    value["site"] = json!(name);
    value["verdict"] = json!(verdict);
    globals.print(&value, text);
    Ok(exit)
}

/// The values behind a refusal, in words.
pub fn detail(refusal: &Refusal) -> String {
    match &refusal.why {
        Why::Expired { not_after, place } => format!("{place:?} ended at {not_after}"),
        Why::NotYetValid { not_before, place } => format!("{place:?} begins at {not_before}"),
        Why::UnknownIssuer { issuer, name_equals_ca, same_key_as_pin_of, key_pin_with_other_names } => {
            let mut text = format!("issued by {issuer}");
            if let Some(ca) = name_equals_ca {
                text += &format!("; its issuer's name equals that of CA {ca}, whose key did not sign it");
            }
            if let Some(party) = same_key_as_pin_of {
                text += &format!(
                    "; it has the key of a pinned certificate of {party}: --pin key would have let it in"
                );
            }
            if *key_pin_with_other_names {
                text += "; its key is pinned with another subject or other names";
            }
            text
        }
        Why::ChainIncomplete { missing } => format!("missing: {missing}"),
        Why::Malformed { what } | Why::ChainInvalid { what } => what.clone(),
        Why::WeakKey { found } => format!("found: {found}"),
        Why::WrongUsage(usage) => format!("{usage:?}"),
        Why::Revoked { at, reason } => format!("since {at}: {reason}"),
        Why::Superseded { since } => format!("since {since}"),
        Why::Suspended { party, since } => format!("{party}, since {since}"),
        Why::NotAllowed { party, because } => {
            let why = match because {
                NotAllowed::NotListed => "on no list and with no grant",
                NotAllowed::Denied => "on a deny list",
                NotAllowed::NoMatch => "the CA's `match` does not fit",
                NotAllowed::NoSingleName => "`name_from` found no value, or several",
                NotAllowed::NotOnRecord => "issued by the own authority, but not on record",
                NotAllowed::OtherAudience => {
                    "an operator's certificate at a site, or a party's at the admin address"
                }
            };
            party.as_ref().map_or_else(|| why.to_owned(), |party| format!("{party}: {why}"))
        }
        Why::NoCertificate
        | Why::BadSignature
        | Why::RevocationUnknown
        | Why::PolicyStale
        | Why::PossessionFailed
        | Why::HostMismatch => String::new(),
    }
}
