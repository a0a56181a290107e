//! The shape of `countersign.toml`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::keys::{CertificateFile, CrlFiles, Seconds, Until, UpstreamsFile};
use super::limits::LimitsFile;
use super::sizes::{ByteSize, HstsFile};

/// A value with its place in the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct At<T>(toml::Spanned<T>);

impl<T> At<T> {
    /// The value.
    pub fn get_ref(&self) -> &T {
        self.0.get_ref()
    }

    /// Where it stands, in bytes.
    pub fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// What holds for the whole program.
    pub server: ServerFile,
    /// The enrolment address.
    pub enrol: Option<EnrolFile>,
    /// Who is told that certificates end.
    pub notify: NotifyFile,
    /// The sites by host name.
    pub site: BTreeMap<At<String>, SiteFile>,
    /// Trusted issuers by name.
    pub ca: BTreeMap<At<String>, CaFile>,
    /// Profiles of certificates by name, beside the built-in ones.
    pub profile: BTreeMap<At<String>, ProfileFile>,
    /// Groups of parties by name.
    pub group: BTreeMap<At<String>, Vec<At<String>>>,
    /// Limits and deadlines of the gate.
    pub limits: LimitsFile,
    /// The log.
    pub log: LogFile,
}

/// `[server]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServerFile {
    /// Addresses and ports to accept on; port 443 of all addresses where absent.
    pub listen: Option<Vec<At<SocketAddr>>>,
    /// Address and port of console, API, metrics and health; 127.0.0.1:9443 where absent.
    pub admin: Option<At<SocketAddr>>,
    /// Addresses and ports without TLS: known hosts are sent to https, published revocation lists are given out, OCSP and
    /// an ACME server's http-01 are answered.
    pub http: Vec<At<SocketAddr>>,
    /// Where others reach `http`, such as `http://pki.example.com`: it then stands in certificates as the address of lists
    /// and OCSP.
    pub http_url: Option<At<String>>,
    /// Into how many parts the revocation list of the parties' certificates is divided, 1 to 127; 1 where absent.
    pub crl_shards: Option<At<u8>>,
    /// Who announces clients by a PROXY header: addresses and ranges. From these it is required.
    pub proxy_protocol: Vec<At<String>>,
    /// Whose `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded` are believed: addresses and ranges.
    pub trusted_proxies: Vec<At<String>>,
    /// Addresses and ranges that are not public and that revocation lists may be fetched from, and ACME servers asked at.
    pub fetch_private: Vec<At<String>>,
    /// The state directory; `state` beside the file where absent.
    pub state: Option<PathBuf>,
    /// Worker threads; one a processor where absent.
    pub workers: Option<At<u32>>,
    /// How old the policy may be before everybody is refused; 24 h where absent.
    pub max_stale: Option<At<Seconds>>,
    /// Refused: client certificates over HTTP/3 are not enforced.
    pub http3: Option<At<bool>>,
}

/// `[profile.NAME]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileFile {
    /// The built-in profile that it is like: `person`, `device` or `service`.
    pub like: Option<At<String>>,
    /// The life of its certificates; that of the built-in one where absent.
    pub life: Option<At<Seconds>>,
    /// How long after its end a certificate may be renewed; that of the built-in one where absent.
    pub grace: Option<At<Seconds>>,
    /// The kinds of key: `ecdsa-p256`, `ecdsa-p384`, `ecdsa-p521`, `ed25519`, `rsa-3072` (and longer); any where absent.
    pub keys: Vec<At<String>>,
    /// Names made from the party's, such as `dns:{party}.machines.example.com`.
    pub names: Vec<At<String>>,
    /// Who may have one: party names, `NAME-*`, `group:NAME`; everybody where absent.
    pub parties: Option<Vec<At<String>>>,
}

/// `[notify]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyFile {
    /// By mail.
    pub mail: Option<At<MailFile>>,
    /// By HTTP POST.
    pub webhook: Option<At<WebhookFile>>,
}

/// `[notify.mail]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MailFile {
    /// The mail server, with its port where that is not the usual one.
    pub server: Option<String>,
    /// How it is spoken to: `starttls` (the default), `tls`, or `none` for one on this machine.
    pub tls: MailTlsFile,
    /// PEM file of the roots that its certificate must lead to; those of the public web where absent.
    pub roots: Option<PathBuf>,
    /// Whom the mails are from.
    pub from: Option<String>,
    /// Whom they go to.
    pub to: Vec<String>,
    /// The name to log in with.
    pub user: Option<String>,
    /// The password to log in with.
    pub password: Option<SecretFile>,
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum MailTlsFile {
    #[default]
    Starttls,
    Tls,
    None,
}

/// `[notify.webhook]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookFile {
    /// Where notices are posted, `https://`.
    pub url: Option<String>,
    /// PEM file of the roots that its certificate must lead to; those of the public web where absent.
    pub roots: Option<PathBuf>,
    /// The key of the signature in `Countersign-Signature`.
    pub secret: Option<SecretFile>,
}

/// A secret: `{ file = "…" }` or `{ env = "…" }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SecretFile {
    /// A file of mode 0600; its first line.
    pub file: Option<PathBuf>,
    /// A variable.
    pub env: Option<String>,
}

/// `[enrol]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EnrolFile {
    /// Address and port where machines renew their certificates.
    pub listen: Option<At<SocketAddr>>,
    /// The address as they know it, such as `https://enrol.example.com:8444`.
    pub url: Option<At<String>>,
    /// Addresses and ranges of hosts inside that get server certificates by ACME, such as `10.0.0.0/8`; none where absent.
    pub server_networks: Vec<At<String>>,
    /// The resolver that is asked where these hosts are, such as `10.0.0.53:53`; this system's where absent.
    pub server_resolver: Option<At<SocketAddr>>,
    /// The port at which they prove their names by http-01; 80 where absent.
    pub server_http_port: Option<At<u16>>,
    /// The port at which they prove their names by tls-alpn-01; 443 where absent.
    pub server_tls_port: Option<At<u16>>,
}

/// `[site."…"]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SiteFile {
    /// Where its requests go: `http://`, `https://` or `h2c://` with host and port, or `unix:/path`; several in brackets.
    pub upstream: Option<At<UpstreamsFile>>,
    /// How `https://` upstreams are verified: `{ roots, cert, key, servername }`.
    pub upstream_tls: Option<At<UpstreamTlsFile>>,
    /// How upstreams are asked whether they are well: `{ path, interval, status }`.
    pub health_check: Option<At<HealthCheckFile>>,
    /// Its certificate: `"own-ca"` (the default), `{ cert, key }`, or `{ acme }`.
    pub certificate: Option<At<CertificateFile>>,
    /// Who may enter: party names, `group:NAME`, `ca:NAME`.
    pub allow: Vec<At<String>>,
    /// Who may not.
    pub deny: Vec<At<String>>,
    /// How a refusal is told: `page` (the default) or `handshake`.
    pub on_refuse: Option<At<OnRefuseFile>>,
    /// The HTTP status of a refusal page; 403 where absent.
    pub refuse_status: Option<At<u16>>,
    /// How the upstream is told who it is; `client-cert` and `party` where absent.
    pub identity: Option<At<Vec<IdentityFile>>>,
    /// The oldest TLS version: `1.2` (the default) or `1.3`.
    pub tls_min: Option<At<TlsFile>>,
    /// Whether connections without SNI reach it.
    pub default: Option<At<bool>>,
    /// `{ observe_until = DATE }`.
    pub mode: Option<At<ModeFile>>,
    /// CA names in the CertificateRequest: `auto` (the default), `none`, `known`.
    pub issuer_hints: Option<At<HintsFile>>,
    /// Seconds that notBefore may lie ahead; 0 to 300.
    pub clock_tolerance: Option<At<Seconds>>,
    /// `Strict-Transport-Security` on each answer: how long, or `{ max_age, include_subdomains, preload }`.
    pub hsts: Option<At<HstsFile>>,
    /// Origins whose preflight requests are answered, and that may send unsafe requests across sites.
    pub cors_origins: Option<At<Vec<At<String>>>>,
    /// The most bytes of a request's body; unlimited where absent.
    pub max_body: Option<At<ByteSize>>,
    /// `{ party_per_minute, address_per_minute }`: how many requests go on; unlimited where absent.
    pub rate_limit: Option<At<RateFile>>,
    /// Rules for paths.
    pub path: Vec<At<PathFile>>,
}

/// `certificate = { acme, … }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AcmeFile {
    /// The directory of the ACME server, `https://`; `letsencrypt` for the one of Let's Encrypt.
    pub acme: String,
    /// Tries it out: `true` where the directory's own staging is known, or the directory for that.
    pub staging: StagingFile,
    /// Where the CA may write to: mail addresses.
    pub contact: Vec<String>,
    /// Names in the certificate beside the site's own.
    pub names: Vec<String>,
    /// How the CA is shown that the names lead here: `tls-alpn-01`, `http-01`; whichever can be had where absent.
    pub challenge: Option<ChallengeFile>,
    /// What binds the account to one that the CA knows already: `{ kid, key }`.
    pub eab: Option<EabFile>,
    /// PEM file of the roots that the server's certificate must lead to; those of the public web where absent.
    pub roots: Option<PathBuf>,
}

/// `true`, `false`, or a directory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StagingFile {
    /// Whether the known one is used.
    Switch(bool),
    /// This one is used.
    Directory(String),
}

impl Default for StagingFile {
    fn default() -> Self {
        Self::Switch(false)
    }
}

/// How an ACME server is shown that a name leads here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[allow(missing_docs)]
pub enum ChallengeFile {
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn,
    #[serde(rename = "http-01")]
    Http,
}

/// `eab = { kid, key }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EabFile {
    /// The name of the key, as the CA gave it.
    pub kid: String,
    /// The key, base64url, as the CA gave it.
    pub key: SecretFile,
}

/// `rate_limit = { party_per_minute, address_per_minute }`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RateFile {
    /// Requests a minute of one party.
    pub party_per_minute: Option<At<u32>>,
    /// Requests a minute from one IPv4 address or IPv6 /64.
    pub address_per_minute: Option<At<u32>>,
}

/// `[[site."…".path]]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PathFile {
    /// Whole segments; the longest fitting prefix wins.
    pub prefix: Option<At<String>>,
    /// Replaces the site's.
    pub allow: Option<Vec<At<String>>>,
    /// Replaces the site's.
    pub deny: Option<Vec<At<String>>>,
    /// `required` (the default), `optional` or `off`.
    pub client_auth: Option<At<ClientAuthFile>>,
}

/// How `https://` upstreams are verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamTlsFile {
    /// PEM file of the roots that their certificates must lead to; the public roots where absent.
    pub roots: Option<PathBuf>,
    /// PEM file of our own certificate, then its intermediates, for upstreams that ask for one.
    pub cert: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
    /// The name that their certificates must be for; the upstream's host where absent.
    pub servername: Option<String>,
}

/// How upstreams are asked whether they are well.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheckFile {
    /// The path that is asked for.
    pub path: String,
    /// From one check to the next; 10 s where absent.
    #[serde(default = "ten_seconds")]
    pub interval: Seconds,
    /// The status that a well one answers with; 200 where absent.
    #[serde(default = "ok")]
    pub status: u16,
}

fn ten_seconds() -> Seconds {
    Seconds(10)
}

fn ok() -> u16 {
    200
}

/// `[ca.NAME]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CaFile {
    /// PEM or DER file of its certificates; intermediates may be among them.
    pub file: Option<At<PathBuf>>,
    /// The sites it is attached to.
    pub sites: Vec<At<String>>,
    /// Which of its certificates lead to a party; the entries are alternatives.
    #[serde(rename = "match")]
    pub matches: Vec<At<String>>,
    /// From which value the party's name is taken: `san:dns`, `subject:cn`, …
    pub name_from: Option<At<String>>,
    /// Everyone with a certificate from it gets in.
    pub accept_any: Option<At<bool>>,
    /// Only parties with a subject rule on it get in.
    pub named_only: Option<At<bool>>,
    /// `{ until = DATE }`: the client usage may be missing until then.
    pub accept_without_client_usage: Option<At<Until>>,
    /// Its revocation list, `{ file, on_stale }`; several in brackets.
    pub crl: Option<At<CrlFiles>>,
}

/// A revocation list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrlFile {
    /// PEM or DER file, looked at again every few seconds.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// Or where it is fetched from, `http://` or `https://`; never during a handshake.
    #[serde(default)]
    pub url: Option<String>,
    /// What becomes of the issuer's certificates past nextUpdate: `deny` (the default) or `allow`.
    #[serde(default)]
    pub on_stale: OnStaleFile,
}

/// What becomes of certificates whose list is too old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnStaleFile {
    /// Refused.
    #[default]
    Deny,
    /// Let through.
    Allow,
}

/// `mode = { observe_until = DATE }`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModeFile {
    /// Until when; at most 30 days ahead.
    pub observe_until: super::keys::DateFile,
}

/// `[log]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogFile {
    /// How many days of entries are kept; 90 where absent.
    pub retain_days: Option<At<u32>>,
    /// Where the access log goes; standard output where absent.
    pub file: Option<PathBuf>,
}

/// How a refusal is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum OnRefuseFile {
    Page,
    Handshake,
}

/// What the upstream is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityFile {
    /// `Client-Cert` (RFC 9440): the certificate.
    ClientCert,
    /// `Client-Cert-Chain` (RFC 9440): its issuers.
    ClientCertChain,
    /// `Countersign-Party`: the party's id.
    Party,
    /// Envoy's `X-Forwarded-Client-Cert`.
    Xfcc,
    /// `X-SSL-Client-…`, as configurations of nginx write them.
    Nginx,
    /// `X-SSL-…`, as HAProxy's manual writes them.
    Haproxy,
    /// Traefik's `X-Forwarded-Tls-Client-Cert` and `-Info`.
    Traefik,
    /// `X-Amzn-Mtls-Clientcert-…` of AWS' load balancer.
    Aws,
    /// `X-ARR-ClientCert` of Azure App Service.
    Azure,
    /// The PROXY protocol, version 2, with the TLS block: identity belongs to the connection.
    ProxyV2,
}

/// The oldest TLS version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[allow(missing_docs)]
pub enum TlsFile {
    #[serde(rename = "1.2")]
    Tls12,
    #[serde(rename = "1.3")]
    Tls13,
}

/// CA names in the CertificateRequest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HintsFile {
    /// The site's CAs, where they are the only way in.
    Auto,
    /// Never.
    None,
    /// The site's CAs, always.
    Known,
}

/// Whether a path asks for an admitted party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ClientAuthFile {
    Required,
    Optional,
    Off,
}
