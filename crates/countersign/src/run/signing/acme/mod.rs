//! Machines by ACME (RFC 8555), with renewal information (RFC 9773) and profiles: what is asked below `/acme/` on the
//! enrolment address. The gate bounds a request and passes it on as it came; everything is read, verified and decided here.
//!
//! - [`jose`]: what clients sign. [`nonce`]: each signature counts once. [`binding`]: what makes an account.
//! - [`accounts`], [`orders`], [`challenges`], [`revoke`], [`renewal`]: the resources. [`servers`]: certificates of hosts
//!   inside. [`problem`]: why something is not done.
//!
//! An account stands for one party, under one profile, with the names that its binding gave it: it is authorised for them
//! from the beginning, and for nothing else ever. One for server certificates has each host prove its name as well; a
//! process of its own looks at that ([`crate::prove`]). Whatever a request for a certificate says besides its public key,
//! the profile decides.

mod accounts;
pub mod binding;
mod challenges;
mod jose;
mod nonce;
mod orders;
pub mod problem;
mod renewal;
mod revoke;
mod servers;

use std::path::Path;
use std::time::Duration;

use authority::{Hierarchy, Signer};
use examiner::{Thumbprint, UnixTime};
use policy::issuance::{AltName, Profile};
use registry::{AccountRow, Registry, RegistryError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::binding::Secret;
pub use self::challenges::Way;
use self::jose::{Key, Named, Said, Unverified};
pub use self::nonce::Nonces;
use self::problem::{Kind, Problem};
use super::pace::Certificates;
use crate::config::addresses::Addresses;
use crate::config::profiles::{BUILT_IN, Choice, Profiles};
use crate::config::{enrol, problem as fault, profiles, read};

/// Where all of it is.
pub const PREFIX: &str = "/acme/";
/// Digits of an identifier.
const ID_DIGITS: usize = 16;

/// What a client asks, as the gate passes it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Asked {
    /// The path, from `/acme/` on.
    pub path: String,
    /// The body of a POST; a GET or HEAD has none.
    #[serde(default)]
    pub body: Option<String>,
}

/// What it is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// What the body is.
    pub media: Media,
    /// The body.
    pub body: String,
    /// The next nonce.
    #[serde(default)]
    pub nonce: Option<String>,
    /// Where what was made is.
    #[serde(default)]
    pub location: Option<String>,
    /// Other places, with what they are to this one.
    #[serde(default)]
    pub links: Vec<(String, String)>,
    /// Seconds after which it is of use to ask again.
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// Whose account asked.
    #[serde(default)]
    pub party: Option<String>,
    /// The certificate that was issued to it.
    #[serde(default)]
    pub issued: Option<Thumbprint>,
    /// Why nothing was done, in words.
    #[serde(default)]
    pub refused: Option<String>,
    /// Whether a host is to be asked now for the proof of its name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prove: bool,
}

/// What a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// There is none.
    #[default]
    Nothing,
    /// JSON.
    Json,
    /// Problem details.
    Problem,
    /// Certificates, PEM.
    Chain,
}

/// What the configuration says about it.
pub struct Settings {
    url: String,
    profiles: Profiles,
    addresses: Addresses,
    /// Whether hosts inside get server certificates.
    has_servers: bool,
}

impl Settings {
    /// Of the file at this path. `Err` where it has no enrolment address, or cannot be read.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let source = fault::Source::file(path.display().to_string(), text);
        let mut problems = Vec::new();
        let file = read::file(&source, &mut problems);
        let profiles = profiles::profiles(&file, &source, &mut problems);
        let addresses = Addresses::of(&file.server, &source, &mut problems);
        let enrol = file.enrol.as_ref().and_then(|enrol| enrol::enrol(enrol, &[], &source, &mut problems));
        match (problems.first(), enrol) {
            (Some(first), _) => Err(first.to_string()),
            (None, None) => Err("the configuration has no [enrol]".into()),
            (None, Some(enrol)) => {
                Ok(Self { url: enrol.url, profiles, addresses, has_servers: enrol.servers.is_some() })
            }
        }
    }

    /// The address of what is under this path.
    fn url(&self, path: &str) -> String {
        format!("{}{PREFIX}{path}", self.url)
    }
}

/// What one request is answered with.
pub struct Desk<'a> {
    /// What the configuration says.
    pub settings: &'a Settings,
    /// What is on record.
    pub registry: &'a Registry,
    /// What keys of bindings are made of.
    pub secret: &'a Secret,
    /// The CAs' certificates.
    pub hierarchy: &'a Hierarchy,
    /// The client CA.
    pub signer: &'a Signer,
    /// The server CA, where this request may need it and its key is here.
    pub server: Option<&'a Signer>,
    /// How many certificates in a time.
    pub paces: &'a mut Certificates,
    /// The moment.
    pub now: UnixTime,
}

/// What was done, before it becomes an answer.
struct Done {
    status: u16,
    media: Media,
    body: String,
    location: Option<String>,
    up: Option<String>,
    retry_after: Option<Duration>,
    issued: Option<Thumbprint>,
    prove: bool,
}

impl Done {
    fn json(status: u16, body: &Value) -> Self {
        Self { media: Media::Json, body: body.to_string(), ..Self::empty(status) }
    }

    fn empty(status: u16) -> Self {
        let body = String::new();
        Self {
            status,
            media: Media::Nothing,
            body,
            location: None,
            up: None,
            retry_after: None,
            issued: None,
            prove: false,
        }
    }
}

/// Who asks, once its signature is verified and its nonce used up.
enum Caller {
    /// Whoever has this key.
    Key(Key),
    /// An account that is not ended.
    Account(Box<AccountRow>),
}

impl Caller {
    /// The account, where only one may ask.
    fn account(&self) -> Result<&AccountRow, Problem> {
        match self {
            Self::Account(account) => Ok(account),
            Self::Key(_) => Err(Problem::malformed("sign this with an account: `kid` in the place of `jwk`")),
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'a> {
    Directory,
    NewNonce,
    NewAccount,
    NewOrder,
    Account(&'a str),
    Orders(&'a str),
    Order(&'a str),
    Finalize(&'a str),
    Authorisation(&'a str),
    Challenge(&'a str, Way),
    Certificate(&'a str),
    RevokeCertificate,
    KeyChange,
    RenewalInfo(&'a str),
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let mut parts = path.strip_prefix(PREFIX)?.split('/');
        let (noun, name, verb) = (parts.next()?, parts.next(), parts.next());
        if parts.next().is_some() {
            return None;
        }
        let id = |name: &'a str| {
            let is_id =
                name.len() == ID_DIGITS && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            is_id.then_some(name)
        };
        Some(match (noun, name, verb) {
            ("directory", None, None) => Self::Directory,
            ("new-nonce", None, None) => Self::NewNonce,
            ("new-account", None, None) => Self::NewAccount,
            ("new-order", None, None) => Self::NewOrder,
            ("revoke-certificate", None, None) => Self::RevokeCertificate,
            ("key-change", None, None) => Self::KeyChange,
            ("account", Some(name), None) => Self::Account(id(name)?),
            ("account", Some(name), Some("orders")) => Self::Orders(id(name)?),
            ("order", Some(name), None) => Self::Order(id(name)?),
            ("order", Some(name), Some("finalize")) => Self::Finalize(id(name)?),
            ("authorization", Some(name), None) => Self::Authorisation(id(name)?),
            ("challenge", Some(name), Some(way)) => Self::Challenge(id(name)?, Way::named(way)?),
            ("certificate", Some(name), None) => Self::Certificate(id(name)?),
            ("renewal-info", Some(name), None) => Self::RenewalInfo(name),
            _ => return None,
        })
    }
}

/// Whether this path makes accounts, for who counts those.
pub fn makes_accounts(path: &str) -> bool {
    Place::of(path) == Some(Place::NewAccount)
}

/// Whether this path has certificates issued, for who opens keys.
pub fn issues(path: &str) -> bool {
    matches!(Place::of(path), Some(Place::Finalize(_)))
}

/// Answers one request.
pub async fn answer(desk: &mut Desk<'_>, nonces: &mut Nonces, asked: &Asked) -> Answered {
    let mut party = None;
    let place = Place::of(&asked.path);
    let outcome = match (place, &asked.body) {
        (None, _) => Err(Problem::new(Kind::NotFound, "there is nothing under this path")),
        (Some(place), None) => got(desk, place).await,
        (Some(place), Some(body)) => posted(desk, nonces, (place, &asked.path, body), &mut party).await,
    };
    let mut answered = match outcome {
        Ok(done) => Answered {
            status: done.status,
            media: done.media,
            body: done.body,
            location: done.location,
            links: done.up.map(|up| ("up".into(), up)).into_iter().collect(),
            retry_after: done.retry_after.map(|wait| wait.as_secs()),
            issued: done.issued,
            prove: done.prove,
            ..Answered::default()
        },
        Err(problem) => Answered {
            status: problem.status(),
            media: Media::Problem,
            body: problem.json().to_string(),
            location: problem.location.clone(),
            retry_after: problem.retry_after.map(|wait| wait.as_secs().max(1)),
            // A client whose nonce is too old asks again by itself.
            refused: (problem.kind != Kind::BadNonce).then_some(problem.detail),
            ..Answered::default()
        },
    };
    answered.party = party;
    if asked.body.is_some() || place == Some(Place::NewNonce) {
        answered.nonce = Some(nonces.give());
    }
    if place != Some(Place::Directory) {
        answered.links.push(("index".into(), desk.settings.url("directory")));
    }
    answered
}

/// What is given to everybody.
async fn got(desk: &Desk<'_>, place: Place<'_>) -> Result<Done, Problem> {
    match place {
        Place::Directory => Ok(Done::json(200, &directory(desk.settings))),
        Place::NewNonce => Ok(Done::empty(204)),
        Place::RenewalInfo(name) => renewal::info(desk, name).await,
        _ => Err(Problem::new(Kind::OtherMethod, "this is asked for with a signed POST")),
    }
}

fn directory(settings: &Settings) -> Value {
    let built_in = BUILT_IN.map(|one| (one.word().to_owned(), Choice::BuiltIn(one)));
    let own = settings.profiles.iter().map(|(name, own)| (name.clone(), Choice::Own(own.clone())));
    let described = |choice: &Choice| {
        let days = match choice {
            Choice::BuiltIn(profile) => profile.life_days(),
            Choice::Own(own) => own.life_days,
        };
        json!(format!(
            "client certificates of a {} for {days} days, to accounts that are bound to it",
            choice.like()
        ))
    };
    let mut profiles: serde_json::Map<String, Value> =
        built_in.into_iter().chain(own).map(|(name, choice)| (name, described(&choice))).collect();
    if settings.has_servers {
        let days = Profile::Server.life_days();
        let text =
            format!("server certificates of hosts inside for {days} days, to accounts that are bound to it");
        profiles.insert(Profile::Server.word().into(), json!(text));
    }
    json!({
        "newNonce": settings.url("new-nonce"),
        "newAccount": settings.url("new-account"),
        "newOrder": settings.url("new-order"),
        "revokeCert": settings.url("revoke-certificate"),
        "keyChange": settings.url("key-change"),
        "renewalInfo": settings.url("renewal-info"),
        "meta": { "externalAccountRequired": true, "profiles": profiles },
    })
}

/// What is done for who signs.
async fn posted(
    desk: &mut Desk<'_>,
    nonces: &mut Nonces,
    (place, path, body): (Place<'_>, &str, &str),
    party: &mut Option<String>,
) -> Result<Done, Problem> {
    let by_get = || Err(Problem::new(Kind::OtherMethod, "this is asked for with GET"));
    if matches!(place, Place::Directory | Place::NewNonce | Place::RenewalInfo(_)) {
        return by_get();
    }
    if desk.registry.restored().is_some() {
        return Err(Problem::internal(RegistryError::NotConfirmed));
    }
    let (caller, said) = heard(desk, nonces, (place, path, body)).await?;
    if let Caller::Account(account) = &caller {
        *party = Some(account.party.to_string());
    }
    match place {
        Place::NewAccount => accounts::make(desk, &caller, &said).await,
        Place::Account(id) => accounts::account(desk, caller.account()?, id, &said).await,
        Place::Orders(id) => accounts::orders(desk, caller.account()?, id, &said).await,
        Place::KeyChange => accounts::change_key(desk, caller.account()?, &said).await,
        Place::NewOrder => orders::make(desk, caller.account()?, &said).await,
        Place::Order(id) => orders::order(desk, caller.account()?, id, &said).await,
        Place::Finalize(id) => orders::finalize(desk, caller.account()?, id, &said).await,
        Place::Certificate(id) => orders::certificate(desk, caller.account()?, id, &said).await,
        Place::Authorisation(id) => orders::authorisation(desk, caller.account()?, id, &said).await,
        Place::Challenge(id, way) => challenges::challenge(desk, caller.account()?, (id, way), &said).await,
        Place::RevokeCertificate => revoke::revoke(desk, &caller, &said).await,
        Place::Directory | Place::NewNonce | Place::RenewalInfo(_) => by_get(),
    }
}

/// Who says what. Nothing is believed before the signature, the address it is meant for and the nonce are looked at; the
/// nonce last, so that what nobody signed uses up none.
async fn heard(
    desk: &Desk<'_>,
    nonces: &mut Nonces,
    (place, path, body): (Place<'_>, &str, &str),
) -> Result<(Caller, Said), Problem> {
    let signed = Unverified::read(body)?;
    signed.check_algorithm()?;
    if signed.url.as_deref() != Some(&format!("{}{path}", desk.settings.url)) {
        return Err(Problem::new(Kind::Unauthorized, "`url` in the protected header is not this address"));
    }
    let nonce = signed.nonce.clone();
    let (key, account) = match &signed.signer {
        Named::Key(key) if matches!(place, Place::NewAccount | Place::RevokeCertificate) => {
            (key.clone(), None)
        }
        Named::Key(_) => {
            return Err(Problem::malformed("sign this with an account: `kid` in the place of `jwk`"));
        }
        Named::Id(_) if place == Place::NewAccount => {
            return Err(Problem::malformed("sign this with a key: `jwk` in the place of `kid`"));
        }
        Named::Id(kid) => {
            let account = account(desk, kid).await?;
            let key = Key::parse(&account.jwk)
                .ok_or_else(|| Problem::internal("an account's key cannot be read"))?;
            (key, Some(account))
        }
    };
    let said = signed.verify(&key)?;
    if !nonce.is_some_and(|nonce| nonces.take(&nonce)) {
        let detail = "the nonce was not given out here, or was used: take that of this answer";
        return Err(Problem::new(Kind::BadNonce, detail));
    }
    match account {
        None => Ok((Caller::Key(key), said)),
        Some(account) if account.ended_at.is_some() => Err(ended()),
        Some(account) => Ok((Caller::Account(Box::new(account)), said)),
    }
}

/// The account of this address.
async fn account(desk: &Desk<'_>, kid: &str) -> Result<AccountRow, Problem> {
    let none = || Problem::new(Kind::AccountDoesNotExist, "there is no such account");
    let path = kid.strip_prefix(desk.settings.url.as_str()).ok_or_else(none)?;
    let Some(Place::Account(id)) = Place::of(path) else { return Err(none()) };
    desk.registry.account(id).await.map_err(Problem::internal)?.ok_or_else(none)
}

fn ended() -> Problem {
    Problem { status: Some(401), ..Problem::new(Kind::Unauthorized, "this account was ended") }
}

/// `Err` where something was said that was only to be given.
fn nothing(said: &Said) -> Result<(), Problem> {
    let more = || Problem::malformed("this is only given: the payload is to be empty");
    said.is_empty().then_some(()).ok_or_else(more)
}

/// `Err` where the account's party is suspended.
fn not_suspended(account: &AccountRow) -> Result<(), Problem> {
    let suspended = || Problem::new(Kind::Unauthorized, "the account's party is suspended");
    account.suspended_since.is_none().then_some(()).ok_or_else(suspended)
}

/// Whether an account gets server certificates, whose names are proved by their hosts.
fn is_of_server(account: &AccountRow) -> bool {
    account.profile == Profile::Server.word()
}

/// The names that an account may order, in lower case: its party's own, those of its binding, those of its profile. For
/// server certificates those of its binding alone: a party's name is no host's.
fn names_of(account: &AccountRow, profiles: &Profiles) -> Vec<String> {
    if is_of_server(account) {
        return account.names.clone();
    }
    let mut names = vec![account.party.as_str().to_owned()];
    names.extend(account.names.iter().cloned());
    if let Some(own) = profiles.get(&account.profile) {
        names.extend(own.names_of(account.party.as_str()).into_iter().filter_map(|name| match name {
            AltName::Dns(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        }));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_place_or_none() {
        let id = "0123456789abcdef";
        for (path, place) in [
            ("directory", Place::Directory),
            ("new-nonce", Place::NewNonce),
            ("account/0123456789abcdef", Place::Account(id)),
            ("account/0123456789abcdef/orders", Place::Orders(id)),
            ("order/0123456789abcdef/finalize", Place::Finalize(id)),
            ("renewal-info/a.b", Place::RenewalInfo("a.b")),
            ("challenge/0123456789abcdef/http-01", Place::Challenge(id, Way::Http)),
        ] {
            assert_eq!(Place::of(&format!("{PREFIX}{path}")), Some(place), "{path}");
        }
        for path in [
            "",
            "directory/",
            "account",
            "account/",
            "account/0123456789ABCDEF",
            "account/0123456789abcde",
            "account/../directory",
            "order/0123456789abcdef/finalize/x",
            "order/0123456789abcdef/revoke",
            "renewal-info",
            "challenge/0123456789abcdef",
            "challenge/0123456789abcdef/dns-01",
        ] {
            assert_eq!(Place::of(&format!("{PREFIX}{path}")), None, "{path}");
        }
        assert_eq!(Place::of("/directory"), None);
    }
}
