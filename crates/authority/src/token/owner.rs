//! The thread that owns a library: what is asked of it, and what it keeps.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use secrecy::ExposeSecret;

use super::{TokenPlace, wire};
use crate::error::AuthorityError;
use crate::keys::KeyType;
use crate::passphrase::Passphrase;

/// The owners of this process, by library.
static OWNERS: OnceLock<Mutex<HashMap<PathBuf, Owner>>> = OnceLock::new();

/// What went wrong.
#[derive(Debug)]
pub(super) enum Fault {
    /// The token's PIN is another.
    WrongPin,
    /// Anything else, in words.
    Other(String),
}

type Reply<T> = Sender<Result<T, Fault>>;

/// What can be asked.
enum Job {
    Open { token: String, pin: AuthPin, reply: Reply<()> },
    Generate { token: String, key_type: KeyType, id: Vec<u8>, label: String, reply: Reply<Vec<u8>> },
    Find { token: String, id: Vec<u8>, reply: Reply<(KeyType, Vec<u8>)> },
    Sign { token: String, id: Vec<u8>, key_type: KeyType, message: Vec<u8>, reply: Reply<Vec<u8>> },
    Forget { token: String, id: Vec<u8>, reply: Reply<()> },
}

/// The way to the thread.
#[derive(Clone)]
pub(super) struct Owner(Sender<Job>);

impl Owner {
    /// The owner of this place's library, which is loaded where it was not.
    pub(super) fn of(place: &TokenPlace) -> Result<Self, AuthorityError> {
        let mut all = OWNERS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(owner) = all.get(&place.module) {
            return Ok(owner.clone());
        }
        let fault = |what: String| AuthorityError::Token { place: place.clone(), what };
        let (sender, jobs) = channel();
        let (loaded, is_loaded) = channel();
        let module = place.module.clone();
        std::thread::Builder::new()
            .name("token".into())
            .spawn(move || match load(&module) {
                Ok(library) => {
                    let _ = loaded.send(Ok(()));
                    Keeper { library, sessions: HashMap::new() }.work(&jobs);
                }
                Err(what) => drop(loaded.send(Err(what))),
            })
            .map_err(|error| fault(format!("no thread for it: {error}")))?;
        is_loaded.recv().map_err(|_| fault("its library ended the thread".into()))?.map_err(fault)?;
        let owner = Self(sender);
        all.insert(place.module.clone(), owner.clone());
        Ok(owner)
    }

    /// Opens the token. A PIN that is wrong is refused also where the token is open.
    pub(super) fn open(&self, place: &TokenPlace, pin: &Passphrase) -> Result<(), Fault> {
        let text = std::str::from_utf8(pin.expose()).unwrap_or_default();
        let (token, pin) = (place.token.clone(), AuthPin::from(text.to_owned()));
        self.ask(|reply| Job::Open { token, pin, reply })
    }

    /// Makes a key pair; its SubjectPublicKeyInfo.
    pub(super) fn generate(
        &self,
        place: &TokenPlace,
        key_type: KeyType,
        id: &[u8],
        label: &str,
    ) -> Result<Vec<u8>, Fault> {
        let (token, id, label) = (place.token.clone(), id.to_vec(), label.to_owned());
        self.ask(|reply| Job::Generate { token, key_type, id, label, reply })
    }

    /// The kind and the SubjectPublicKeyInfo of the key with this id.
    pub(super) fn find(&self, place: &TokenPlace, id: &[u8]) -> Result<(KeyType, Vec<u8>), Fault> {
        let (token, id) = (place.token.clone(), id.to_vec());
        self.ask(|reply| Job::Find { token, id, reply })
    }

    /// Signs, as certificates have it.
    pub(super) fn sign(
        &self,
        place: &TokenPlace,
        id: &[u8],
        key_type: KeyType,
        message: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let (token, id, message) = (place.token.clone(), id.to_vec(), message.to_vec());
        self.ask(|reply| Job::Sign { token, id, key_type, message, reply })
    }

    /// Deletes the key with this id.
    pub(super) fn forget(&self, place: &TokenPlace, id: &[u8]) -> Result<(), Fault> {
        let (token, id) = (place.token.clone(), id.to_vec());
        self.ask(|reply| Job::Forget { token, id, reply })
    }

    fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, Fault> {
        let gone = || Fault::Other("its library ended the thread that uses it".into());
        let (reply, answer) = channel();
        self.0.send(job(reply)).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

fn load(module: &Path) -> Result<Pkcs11, String> {
    let library = Pkcs11::new(module).map_err(|error| format!("its library cannot be loaded: {error}"))?;
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(library),
        Err(error) => Err(format!("its library does not start: {error}")),
    }
}

/// What the thread keeps.
struct Keeper {
    library: Pkcs11,
    /// The session of each token that was opened, and the PIN that opened it.
    sessions: HashMap<String, (Session, AuthPin)>,
}

impl Keeper {
    fn work(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            // Who asked may be gone.
            match job {
                Job::Open { token, pin, reply } => drop(reply.send(self.open(&token, &pin))),
                Job::Generate { token, key_type, id, label, reply } => {
                    let made = self.with(&token, |session| generate(session, key_type, &id, &label));
                    drop(reply.send(made));
                }
                Job::Find { token, id, reply } => {
                    drop(reply.send(self.with(&token, |session| find(session, &id))));
                }
                Job::Sign { token, id, key_type, message, reply } => {
                    let signed = self.with(&token, |session| sign(session, &id, key_type, &message));
                    drop(reply.send(signed));
                }
                Job::Forget { token, id, reply } => {
                    drop(reply.send(self.with(&token, |session| forget(session, &id))));
                }
            }
        }
    }

    fn open(&mut self, token: &str, pin: &AuthPin) -> Result<(), Fault> {
        if let Some((_, known)) = self.sessions.get(token) {
            // The library would say only that it is open; and each wrong PIN that it sees brings the token nearer to its
            // lock.
            return if known.expose_secret() == pin.expose_secret() { Ok(()) } else { Err(Fault::WrongPin) };
        }
        let session = self.log_in(token, pin)?;
        self.sessions.insert(token.to_owned(), (session, pin.clone()));
        Ok(())
    }

    fn log_in(&self, token: &str, pin: &AuthPin) -> Result<Session, Fault> {
        let slots = self.library.get_slots_with_initialized_token().map_err(other)?;
        let mut fitting = slots.into_iter().filter(|slot| {
            self.library.get_token_info(*slot).is_ok_and(|about| about.label().trim_end() == token)
        });
        let Some(slot) = fitting.next() else {
            return Err(Fault::Other("there is no such token; is it plugged in?".into()));
        };
        if fitting.next().is_some() {
            return Err(Fault::Other("more than one token has this label".into()));
        }
        let session = self.library.open_rw_session(slot).map_err(other)?;
        match session.login(UserType::User, Some(pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinLenRange, _)) => Err(Fault::WrongPin),
            Err(Error::Pkcs11(RvError::PinLocked, _)) => {
                let what = "its PIN is locked after too many wrong ones; its vendor's tool unlocks it";
                Err(Fault::Other(what.into()))
            }
            Err(error) => Err(other(error)),
        }
    }

    /// Does something in the token's session. Where that is gone, as after a token was taken out, in a new one.
    fn with<T>(&mut self, token: &str, work: impl Fn(&Session) -> Result<T, Trouble>) -> Result<T, Fault> {
        let closed = || Fault::Other("it is not open".into());
        let (session, pin) = self.sessions.get(token).ok_or_else(closed)?;
        match work(session) {
            Err(Trouble::Library(error)) if is_session_gone(&error) => {
                let pin = pin.clone();
                self.sessions.remove(token);
                self.open(token, &pin)?;
                let (session, _) = self.sessions.get(token).ok_or_else(closed)?;
                work(session).map_err(Trouble::into_fault)
            }
            done => done.map_err(Trouble::into_fault),
        }
    }
}

/// What went wrong in a session.
enum Trouble {
    Library(Error),
    Words(&'static str),
}

impl Trouble {
    fn into_fault(self) -> Fault {
        match self {
            Self::Library(error) => other(error),
            Self::Words(words) => Fault::Other(words.into()),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

fn other(error: Error) -> Fault {
    // The library's own words are whole paragraphs; the code is what a vendor's manual has.
    Fault::Other(match error {
        Error::Pkcs11(code, function) => format!("{function:?} failed with {code:?}"),
        error => error.to_string(),
    })
}

fn is_session_gone(error: &Error) -> bool {
    use RvError as Code;
    let Error::Pkcs11(code, _) = error else { return false };
    matches!(
        code,
        Code::SessionHandleInvalid
            | Code::SessionClosed
            | Code::DeviceRemoved
            | Code::DeviceError
            | Code::TokenNotPresent
            | Code::UserNotLoggedIn
    )
}

fn generate(session: &Session, key_type: KeyType, id: &[u8], label: &str) -> Result<Vec<u8>, Trouble> {
    let (mechanism, ways) = wire::making(key_type);
    let named = || [Attribute::Token(true), Attribute::Id(id.to_vec()), Attribute::Label(label.into())];
    let private: Vec<Attribute> = named()
        .into_iter()
        .chain([
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ])
        .collect();
    let mut last = Trouble::Words("the token makes no such keys");
    for way in ways {
        let public: Vec<Attribute> = named()
            .into_iter()
            .chain([Attribute::Private(false), Attribute::Verify(true)])
            .chain(way)
            .collect();
        match session.generate_key_pair(&mechanism, &public, &private) {
            Ok(_) => {
                let (made, spki) = find(session, id)?;
                if made != key_type {
                    forget(session, id)?;
                    return Err(Trouble::Words("the token made a key of another kind"));
                }
                return Ok(spki);
            }
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

fn find(session: &Session, id: &[u8]) -> Result<(KeyType, Vec<u8>), Trouble> {
    private(session, id)?;
    let public = only(session, ObjectClass::PUBLIC_KEY, id)?;
    let attributes = session.get_attributes(public, &wire::PUBLIC)?;
    wire::public(&attributes).ok_or(Trouble::Words("its key is of a kind that is not used here"))
}

fn sign(session: &Session, id: &[u8], key_type: KeyType, message: &[u8]) -> Result<Vec<u8>, Trouble> {
    let (mechanism, given) = wire::signing(key_type, message);
    let raw = session.sign(&mechanism, private(session, id)?, &given)?;
    wire::signature(key_type, raw).ok_or(Trouble::Words("its signature is of an unknown form"))
}

fn forget(session: &Session, id: &[u8]) -> Result<(), Trouble> {
    for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
        for object in session.find_objects(&[Attribute::Class(class), Attribute::Id(id.to_vec())])? {
            session.destroy_object(object)?;
        }
    }
    Ok(())
}

fn private(session: &Session, id: &[u8]) -> Result<ObjectHandle, Trouble> {
    only(session, ObjectClass::PRIVATE_KEY, id)
}

fn only(session: &Session, class: ObjectClass, id: &[u8]) -> Result<ObjectHandle, Trouble> {
    let found = session.find_objects(&[Attribute::Class(class), Attribute::Id(id.to_vec())])?;
    match found[..] {
        [one] => Ok(one),
        [] => Err(Trouble::Words("the key is not in it")),
        _ => Err(Trouble::Words("it has more than one key of this id")),
    }
}
