//! Where others find revocation lists and OCSP, as it stands in certificates: it cannot be added to them later.

use authority::{Role, Shard, Signer};
use policy::issuance::Plan;

use super::file::ServerFile;
use super::problem::{Problem, Source};

/// The addresses, and into how many parts the list of the parties' certificates is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// `http://pki.example.com`, without a slash at its end; none where certificates name none.
    pub base: Option<String>,
    /// 1 to 127.
    pub shards: u8,
}

impl Addresses {
    /// What `[server]` says.
    pub fn of(file: &ServerFile, source: &Source, problems: &mut Vec<Problem>) -> Self {
        let shards = file.crl_shards.as_ref().map_or(1, |at| *at.get_ref());
        if let Some(at) = file.crl_shards.as_ref().filter(|at| Shard::new(*at.get_ref()).is_none()) {
            problems.push(source.problem(&at.span(), "crl_shards is 1 to 127", "leave it out for one list"));
        }
        if let Some(at) = file.crl_shards.as_ref().filter(|_| file.http_url.is_none()) {
            let help = "add http_url: each certificate has to say which part of the list it is on";
            problems.push(source.problem(&at.span(), "crl_shards without http_url", help));
        }
        let base = file.http_url.as_ref().and_then(|at| match base(at.get_ref()) {
            Some(base) => Some(base),
            None => {
                let what = format!("`{}` is no address of a host without TLS", at.get_ref().escape_debug());
                let help = "write it like http_url = \"http://pki.example.com\": lists are fetched without TLS, since who \
                            verifies a certificate cannot verify another one for that";
                problems.push(source.problem(&at.span(), what, help));
                None
            }
        });
        Self { base, shards }
    }

    /// Lets the certificate that is planned say where its list and OCSP are, and puts it on one part of the list.
    pub fn put_into(&self, plan: &mut Plan, signer: &Signer) -> Result<(), getrandom::Error> {
        let Some(base) = &self.base else { return Ok(()) };
        let part = if self.shards > 1 && signer.role() == Role::Client {
            let mut random = [0; 4];
            getrandom::fill(&mut random)?;
            let part = u32::from_be_bytes(random) % u32::from(self.shards) + 1;
            u8::try_from(part).ok().and_then(Shard::new)
        } else {
            None
        };
        plan.shard = part.unwrap_or(Shard::FIRST).number();
        plan.crl_url = Some(address(base, &list(&signer.key_id_hex(), part)));
        plan.ocsp_url = Some(format!("{base}/ocsp"));
        Ok(())
    }
}

/// The name of the list of one generation of a CA, whole or in part: a certificate names it for good.
pub fn list(key_id_hex: &str, part: Option<Shard>) -> String {
    let generation = key_id_hex.get(..8).unwrap_or(key_id_hex);
    match part {
        Some(part) => format!("own-{generation}-{}", part.number()),
        None => format!("own-{generation}"),
    }
}

/// Where the list of this name is fetched.
pub fn address(base: &str, name: &str) -> String {
    format!("{base}/crl/{name}.crl")
}

fn base(text: &str) -> Option<String> {
    let url = crate::fetch::FetchUrl::parse(text).ok().filter(|url| !url.is_https())?;
    let plain = text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains(['?', '#', '"', '<', '>', '\\']);
    (plain && url.to_string().len() <= 200).then(|| text.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_http_and_ends_without_a_slash() {
        for (text, expected) in [
            ("http://pki.test", Some("http://pki.test")),
            ("http://pki.test:8080/", Some("http://pki.test:8080")),
            ("http://pki.test/gate/", Some("http://pki.test/gate")),
            ("https://pki.test", None),
            ("pki.test", None),
            ("http://", None),
            ("http://pki.test/?a", None),
            ("http://a@pki.test", None),
            ("http://pki.t\u{e9}st", None),
        ] {
            assert_eq!(base(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_list_is_called_by_generation_and_part() {
        let id = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";
        assert_eq!(list(id, None), "own-0a1b2c3d");
        assert_eq!(list(id, Shard::new(127)), "own-0a1b2c3d-127");
        assert_eq!(address("http://pki.test", "own-0a1b2c3d"), "http://pki.test/crl/own-0a1b2c3d.crl");
    }
}
