//! How a command ends.

use std::fmt;

use crate::config::Problems;

/// The exit codes; scripts rest on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Fine.
    Fine = 0,
    /// The answer is no, or something needs attention.
    No = 1,
    /// Wrong usage.
    Usage = 2,
    /// The configuration is invalid.
    Configuration = 3,
    /// A peer or the network is not reachable.
    Unreachable = 4,
    /// Not found.
    NotFound = 5,
    /// No permission.
    NoPermission = 6,
    /// Our bug.
    Bug = 70,
}

impl Exit {
    /// The exit with this code; a code that is none of ours is our bug.
    pub fn from_code(code: u8) -> Self {
        let all = [
            Self::Fine,
            Self::No,
            Self::Usage,
            Self::Configuration,
            Self::Unreachable,
            Self::NotFound,
            Self::NoPermission,
        ];
        all.into_iter().find(|exit| *exit as u8 == code).unwrap_or(Self::Bug)
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The code it ends with.
    pub exit: Exit,
    /// What happened.
    pub what: String,
    /// What to do.
    pub help: String,
}

/// What a command returns.
pub type Outcome = Result<Exit, Failure>;

impl Failure {
    /// A failure with this code.
    pub fn new(exit: Exit, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit, what: what.into(), help: help.into() }
    }

    /// Wrong usage.
    pub fn usage(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what, help)
    }

    /// Not found.
    pub fn not_found(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, what, help)
    }

    /// The answer is no.
    pub fn no(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Exit::No, what, help)
    }

    /// A file that could not be read or written.
    pub fn file(path: &std::path::Path, action: &str, error: &std::io::Error) -> Self {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            std::io::ErrorKind::PermissionDenied => Exit::NoPermission,
            _ => Exit::No,
        };
        Self::new(exit, format!("{} cannot be {action}: {error}", path.display()), "")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, "\n  help: {}", self.help) }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::new(Exit::Configuration, problems.to_string(), "")
    }
}

impl From<registry::RegistryError> for Failure {
    fn from(error: registry::RegistryError) -> Self {
        use registry::RegistryError as Error;
        let exit = match &error {
            Error::NotFound { .. } | Error::Missing { .. } => Exit::NotFound,
            Error::Invalid { .. } => Exit::Usage,
            _ => Exit::No,
        };
        Self::new(exit, error.to_string(), error.remedy())
    }
}

impl From<authority::AuthorityError> for Failure {
    fn from(error: authority::AuthorityError) -> Self {
        use authority::AuthorityError as Error;
        use registry::RegistryError as Record;
        if let Error::NotOnRecord(authority::ledger::LedgerError(why)) = &error
            && let Some(why @ (Record::KeyKnown { .. } | Record::Conflict { .. })) = why.downcast_ref()
        {
            // Nothing failed: the record stands against it, and says what to do.
            return Self::new(Exit::No, why.to_string(), why.remedy());
        }
        let exit = match &error {
            Error::NotAsPlanned(_) | Error::Signing | Error::Encoding(_) => Exit::Bug,
            Error::BadSite(_)
            | Error::BadSubject(_)
            | Error::BadOrganisation
            | Error::NotImported(_)
            | Error::EmptyPassphrase
            | Error::PasswordNotGenerated => Exit::Usage,
            _ => Exit::No,
        };
        let mut what = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            what += &format!(": {inner}");
            cause = inner.source();
        }
        Self::new(exit, what, error.remedy())
    }
}

impl From<policy::issuance::IssueError> for Failure {
    fn from(error: policy::issuance::IssueError) -> Self {
        Self::usage(error.to_string(), error.remedy())
    }
}

impl From<authority::csr::CsrError> for Failure {
    fn from(error: authority::csr::CsrError) -> Self {
        Self::usage(error.to_string(), error.remedy())
    }
}

impl From<policy::names::NameError> for Failure {
    fn from(error: policy::names::NameError) -> Self {
        Self::usage(error.to_string(), "")
    }
}

impl From<policy::host::HostError> for Failure {
    fn from(error: policy::host::HostError) -> Self {
        Self::usage(error.to_string(), "write it like portal.example.com")
    }
}

impl From<examiner::cert::HashTextError> for Failure {
    fn from(error: examiner::cert::HashTextError) -> Self {
        Self::usage(error.to_string(), "")
    }
}

impl From<crate::run::gate::StartError> for Failure {
    fn from(error: crate::run::gate::StartError) -> Self {
        use crate::run::gate::StartError;
        let help = "nothing is served until this is put right";
        match error {
            StartError::Settings(problems) => problems.into(),
            StartError::Address(what) => Self::new(Exit::Unreachable, what, help),
            StartError::Other(what) => Self::new(Exit::Configuration, what, help),
        }
    }
}
