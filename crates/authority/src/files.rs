//! Files that appear whole or not at all, and private ones that nobody else could ever read.
//!
//! A private file has mode 0600 from the moment it exists: it is opened so, never changed afterwards. It is
//! written under another name, flushed to the disk, and only then given its own.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::AuthorityError;
use crate::random;

/// No file read here is larger.
const SIZE_MOST: u64 = 1 << 20;

const PRIVATE: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// Writes a new file of mode 0600. `Err(AlreadyThere)` where the name is taken; nothing is overwritten.
pub fn write_new_private(path: &Path, bytes: &[u8]) -> Result<(), AuthorityError> {
    write(path, bytes, PRIVATE, Name::MustBeFree)
}

/// Writes a file of mode 0600, in the place of the one that is there.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), AuthorityError> {
    write(path, bytes, PRIVATE, Name::MayBeTaken)
}

/// Writes a new file that everybody may read. `Err(AlreadyThere)` where the name is taken.
pub fn write_new_public(path: &Path, bytes: &[u8]) -> Result<(), AuthorityError> {
    write(path, bytes, PUBLIC, Name::MustBeFree)
}

/// Writes a file that everybody may read, in the place of the one that is there.
pub fn replace_public(path: &Path, bytes: &[u8]) -> Result<(), AuthorityError> {
    write(path, bytes, PUBLIC, Name::MayBeTaken)
}

/// Reads a private file. `Err(Exposed)` if group or others have any permission on it.
pub fn read_private(path: &Path) -> Result<Zeroizing<Vec<u8>>, AuthorityError> {
    read_unless(path, 0o077)
}

/// Reads a credential of the service manager. `Err(Exposed)` if others can reach it, or its group can change it.
pub(crate) fn read_credential(path: &Path) -> Result<Zeroizing<Vec<u8>>, AuthorityError> {
    read_unless(path, 0o037)
}

/// Reads a file that has none of these permission bits.
fn read_unless(path: &Path, exposed: u32) -> Result<Zeroizing<Vec<u8>>, AuthorityError> {
    let failed = failed(path, "read");
    let file = File::open(path).map_err(&failed)?;
    let mode = file.metadata().map_err(&failed)?.mode() & 0o7777;
    if mode & exposed != 0 {
        return Err(AuthorityError::Exposed { path: path.into(), mode });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(8192));
    file.take(SIZE_MOST).read_to_end(&mut bytes).map_err(&failed)?;
    Ok(bytes)
}

/// Reads a file that holds no secret.
pub(crate) fn read_public(path: &Path) -> Result<Vec<u8>, AuthorityError> {
    let failed = failed(path, "read");
    let mut bytes = Vec::new();
    File::open(path).map_err(&failed)?.take(SIZE_MOST).read_to_end(&mut bytes).map_err(&failed)?;
    Ok(bytes)
}

/// Makes a directory of mode 0700 with its parents, or takes the one that is there if only its owner can write it.
pub fn private_directory(path: &Path) -> Result<(), AuthorityError> {
    let failed = failed(path, "make the directory");
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(&failed)?;
    let mode = path.metadata().map_err(&failed)?.permissions().mode() & 0o7777;
    if mode & 0o022 != 0 {
        return Err(AuthorityError::Exposed { path: path.into(), mode });
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq)]
enum Name {
    MustBeFree,
    MayBeTaken,
}

fn write(path: &Path, bytes: &[u8], mode: u32, name: Name) -> Result<(), AuthorityError> {
    let failed = failed(path, "write");
    let temporary = Temporary(beside(path)?);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary.0).map_err(&failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(&failed)?;
    match name {
        // A hard link, unlike a rename, fails where the name is taken.
        Name::MustBeFree => std::fs::hard_link(&temporary.0, path).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => AuthorityError::AlreadyThere(path.into()),
            _ => failed(cause),
        })?,
        Name::MayBeTaken => std::fs::rename(&temporary.0, path).map_err(&failed)?,
    }
    drop(temporary);
    File::open(directory(path)).and_then(|directory| directory.sync_all()).map_err(&failed)
}

/// Removes the file of this name when dropped, if it is still there.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn beside(path: &Path) -> Result<PathBuf, AuthorityError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(directory(path).join(format!(".{name}.{}", *random::text::<8>()?)))
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failed(path: &Path, action: &'static str) -> impl Fn(io::Error) -> AuthorityError {
    move |cause| AuthorityError::File { path: path.into(), action, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o777
    }

    #[test]
    fn a_private_file_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_new_private(&path, b"one").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(*read_private(&path).unwrap(), b"one");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn a_new_file_overwrites_nothing_and_a_replacement_does() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_new_private(&path, b"one").unwrap();
        assert!(matches!(write_new_private(&path, b"two"), Err(AuthorityError::AlreadyThere(_))));
        assert_eq!(*read_private(&path).unwrap(), b"one");
        replace_private(&path, b"two").unwrap();
        assert_eq!(*read_private(&path).unwrap(), b"two");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_private_file_that_others_reach_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        for exposed in [0o640, 0o604, 0o620, 0o601] {
            let _ = std::fs::remove_file(&path);
            write_new_private(&path, b"one").unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(exposed)).unwrap();
            let refused = read_private(&path).unwrap_err();
            assert!(matches!(refused, AuthorityError::Exposed { mode, .. } if mode == exposed), "{refused}");
        }
    }

    #[test]
    fn a_credential_may_be_read_by_its_group_and_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credential");
        std::fs::write(&path, b"one").unwrap();
        for (mode, is_taken) in [(0o400, true), (0o440, true), (0o460, false), (0o450, false), (0o404, false)]
        {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(read_credential(&path).is_ok(), is_taken, "{mode:o}");
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o440)).unwrap();
        assert!(read_private(&path).is_err(), "as a private file it is refused");
    }

    #[test]
    fn a_directory_for_keys_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state/ca");
        private_directory(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        private_directory(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o770)).unwrap();
        assert!(matches!(private_directory(&path), Err(AuthorityError::Exposed { .. })));
    }
}
