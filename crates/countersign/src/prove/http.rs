//! http-01 (RFC 8555 section 8.3): the host gives the key authorization at a path that the token makes its own.

use registry::ToProve;

use super::{DEADLINE, Rules, Unproved, fault};
use crate::fetch::{self, FetchUrl, Judged};
use crate::run::signing::acme::problem::{Kind, Problem};

/// Bytes of an answer: the key authorization has 76.
const MOST_BYTES: u64 = 1024;

/// Asks the host. Redirects are followed on it alone.
pub(super) async fn prove(
    asked: &ToProve,
    authorization: &str,
    judged: &Judged,
    rules: &Rules,
) -> Result<(), Unproved> {
    let url = format!("http://{}/.well-known/acme-challenge/{}", asked.name, asked.token);
    let url = FetchUrl::parse(&url).map_err(Problem::malformed)?;
    let under = fetch::Rules {
        most_bytes: MOST_BYTES,
        deadline: DEADLINE,
        private: rules.servers.networks.clone(),
        private_by: "is in none of `server_networks`",
        roots: rules.roots.clone(),
    };
    let body = fetch::get_from(&url, judged, &under).await.map_err(|error| fault(&error))?;
    if body.trim_ascii_end() != authorization.as_bytes() {
        let detail = format!("what {} answers is not the key authorization of this challenge", asked.name);
        return Err(Problem::new(Kind::IncorrectResponse, detail).into());
    }
    Ok(())
}
