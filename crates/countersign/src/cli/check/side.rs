//! What lies beside the files that are examined: revocation, and the lists that the user gives.

use std::path::Path;

use examiner::UnixTime;
use examiner::input::Kind;
use examiner::side::{
    GivenCrl, KeyList, LOGS_OLD_AFTER_DAYS, LogList, OLD_AFTER_DAYS, OcspResponse, RootList, SideFiles,
};
use examiner::suffixes::SuffixList;

use super::{Args, source};
use crate::cli::{Failure, Globals, cert, context};

/// Where the guide says what such a list looks like.
const FORM: &str = "the guide's page on the check shows the form of such a list";

/// All that the command line names.
pub fn read(globals: &Globals, args: &Args) -> Result<SideFiles, Failure> {
    let mut side = SideFiles::default();
    let again = "fetch it again, as PEM or DER";
    for (file, der) in source::others(&args.crl, Kind::RevocationList)? {
        side.crls.push(GivenCrl::from_der(&der).map_err(|error| unreadable(&file, error, again))?);
    }
    for (file, der) in source::others(&args.ocsp, Kind::OcspResponse)? {
        side.ocsp.push(OcspResponse::from_der(&der).map_err(|error| unreadable(&file, error, again))?);
    }
    for file in &args.key_list {
        let list = KeyList::read(&text(file)?).map_err(|error| unreadable(file, error, FORM))?;
        warn_of_age(globals, file, list.made, OLD_AFTER_DAYS);
        side.key_lists.push(list);
    }
    for file in &args.root_list {
        let list = RootList::read(&text(file)?).map_err(|error| unreadable(file, error, FORM))?;
        warn_of_age(globals, file, list.made, OLD_AFTER_DAYS);
        side.root_lists.push(list);
    }
    if let Some(file) = &args.suffix_list {
        let help = "give public_suffix_list.dat as https://publicsuffix.org/list/ has it";
        let list = SuffixList::read(&text(file)?).map_err(|error| unreadable(file, error, help))?;
        warn_of_age(globals, file, list.made, OLD_AFTER_DAYS);
        side.suffixes = Some(list);
    }
    if let Some(file) = &args.ct_logs {
        let bytes = cert::read_bytes(file)?;
        let help = "give the list of logs as browsers publish it: JSON, version 3";
        let list: LogList = serde_json::from_slice(&bytes).map_err(|error| unreadable(file, error, help))?;
        warn_of_age(globals, file, list.made, LOGS_OLD_AFTER_DAYS);
        side.logs = Some(list);
    }
    Ok(side)
}

fn text(file: &Path) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&cert::read_bytes(file)?).into_owned())
}

fn unreadable(file: &Path, error: impl std::fmt::Display, help: &str) -> Failure {
    Failure::usage(format!("{}: {error}", file.display()), help)
}

/// Says so where a list is old by the machine's clock: what came up since then is not on it.
fn warn_of_age(globals: &Globals, file: &Path, made: UnixTime, old_after_days: i64) {
    let days = context::now().seconds().saturating_sub(made.seconds()) / 86_400;
    if days > old_after_days {
        globals.warn(format!("{} is of {}, {days} days old; fetch a newer one", file.display(), made.date()));
    }
}
