//! What a machine sends to the authority, and what it takes from it.

use std::sync::Arc;
use std::time::Duration;

use authority::{PrivateKey, renewal, request};
use examiner::cert::pem;
use examiner::{Certificate, UnixTime};
use gateway::networks::{Network, Networks};
use http::StatusCode;
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::Value;

use super::Args;
use super::place::Present;
use crate::cli::{Exit, Failure, cert, context};
use crate::fetch::{self, FetchError, Rules};
use crate::run::renewing::{Given, Wanted};

/// How long everything may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// Bytes of an answer.
const ANSWER_MOST: u64 = 1 << 20;

/// Asks for a certificate for `next`, which may be the present key, and looks at what comes.
pub fn ask(args: &Args, present: &Present, next: &PrivateKey, now: UnixTime) -> Result<Given, Failure> {
    let asked = request::Request { subject: "", alt_names: &[], is_client: true }.sign(next)?;
    let proof = renewal::prove(&present.key, &present.certificate.thumbprint, &asked, now)?;
    let wanted = Wanted {
        request: pem::encode("CERTIFICATE REQUEST", &asked),
        made_at: now,
        proof: proof.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    let sent = serde_json::to_vec(&wanted).map_err(|error| Failure::no(error.to_string(), ""))?;
    let tls = tls(args, present)?;
    let url =
        args.url.below("renew").ok_or_else(|| Failure::usage("the enrolment address has a query", ""))?;
    let rules = Rules {
        most_bytes: ANSWER_MOST,
        deadline: DEADLINE,
        // Whoever runs this names the address; it comes from nowhere else.
        private: everywhere(),
        private_by: "is not listed",
        roots: fetch::public_roots(),
    };
    let runtime = context::runtime()?;
    let answer = runtime.block_on(fetch::exchange_over(tls, &url, &rules, "application/json", sent));
    // A look-up of a name that hangs is not waited for.
    runtime.shutdown_background();
    let (status, body) = answer.map_err(|error| unreachable(&error, args.cacert.is_some()))?;
    if status != StatusCode::OK {
        return Err(refused(status, &body));
    }
    let given: Given = serde_json::from_slice(&body)
        .map_err(|error| strange(&format!("the answer is not understood: {error}")))?;
    fits(&given, next, now)?;
    Ok(given)
}

/// Looks at what came before anything is replaced by it.
fn fits(given: &Given, next: &PrivateKey, now: UnixTime) -> Result<(), Failure> {
    let all = pem::certificates(given.pem.as_bytes()).map_err(|error| strange(&error.to_string()))?;
    let certificate: &Certificate = all.first().ok_or_else(|| strange("there is no certificate in it"))?;
    if next.spki()? != *certificate.spki {
        return Err(strange("the certificate is for another key"));
    }
    if certificate.not_after <= now || !certificate.has_client_usage() {
        return Err(strange("the certificate is of no use to a client"));
    }
    Ok(())
}

fn tls(args: &Args, present: &Present) -> Result<Arc<rustls::ClientConfig>, Failure> {
    let roots = match &args.cacert {
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for one in cert::read(file)? {
                roots.add(CertificateDer::from(one.der.to_vec())).map_err(|error| {
                    Failure::usage(format!("{}: {error}", file.display()), "give the authority's root")
                })?;
            }
            Arc::new(roots)
        }
        None => fetch::public_roots(),
    };
    let chain = present.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let key = PrivatePkcs8KeyDer::from(present.key.pkcs8().to_vec());
    let unusable = |error: rustls::Error| Failure::no(format!("TLS cannot be set up: {error}"), "");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key.into())
        .map_err(unusable)?;
    Ok(Arc::new(config))
}

fn everywhere() -> Networks {
    ["0.0.0.0/0", "::/0"].into_iter().filter_map(|all| Network::parse(all).ok()).collect()
}

fn unreachable(error: &FetchError, names_root: bool) -> Failure {
    let help = match error {
        FetchError::Tls { .. } if names_root => {
            "is --url the [enrol] url of the authority's configuration, host and port as they stand there, and --cacert the root that its `countersign ca show own --format pem` prints?"
        }
        FetchError::Tls { .. } => {
            "give the root of the authority with --cacert: `countersign ca show own --format pem`"
        }
        _ => "is --url the [enrol] url of the authority's configuration, and does its gate run?",
    };
    Failure::new(Exit::Unreachable, error.to_string(), help)
}

fn refused(status: StatusCode, body: &[u8]) -> Failure {
    let told: Option<Value> = serde_json::from_slice(body).ok();
    let text = |key: &str| {
        let value = told.as_ref()?.get(key)?.as_str()?;
        Some(value.chars().take(500).collect::<String>().escape_debug().to_string())
    };
    let detail = text("detail").unwrap_or_else(|| "no reason was given".into());
    let what = format!("the authority does not renew: {detail} (status {})", status.as_u16());
    let reference =
        text("reference").map(|reference| format!(" (reference {reference})")).unwrap_or_default();
    let exit = if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        Exit::Unreachable
    } else {
        Exit::No
    };
    let help = match exit {
        Exit::Unreachable => format!("it is worth asking again later{reference}"),
        _ => format!("an operator can say why, and issue another certificate{reference}"),
    };
    Failure::new(exit, what, help)
}

fn strange(what: &str) -> Failure {
    Failure::no(
        format!("what the authority sent is not taken: {what}"),
        "nothing was replaced; is --url right?",
    )
}
