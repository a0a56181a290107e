//! Which version of a file stands at a path, so that it is read again only where it changed.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What tells one version of a file from the next: device, inode, length, and when content and inode were changed.
///
/// Symbolic links are followed, so that a swapped link, or a swapped link in the path, is another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    device: u64,
    inode: u64,
    length: u64,
    content: (i64, i64),
    changed: (i64, i64),
}

impl Seen {
    /// The file as it is now; `None` where there is none that can be looked at.
    pub fn at(path: &Path) -> Option<Self> {
        let file = std::fs::metadata(path).ok()?;
        Some(Self {
            device: file.dev(),
            inode: file.ino(),
            length: file.len(),
            content: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}
