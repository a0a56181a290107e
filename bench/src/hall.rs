//! What all servers of a run share: the certificates, the upstream, and a directory with a place for each.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::cores::Cores;
use crate::failure::{Doing, Failure};
use crate::pki::{Files, Pki};
use crate::server::{Kind, Place};
use crate::upstream::{Upstream, release};

/// Removed with everything in it when dropped.
pub struct Hall {
    /// Who runs where.
    pub cores: Cores,
    /// Everything that is signed.
    pub pki: Pki,
    home: PathBuf,
    files: Files,
    upstream: Upstream,
    places: usize,
    _work: TempDir,
}

impl Hall {
    /// Signs the certificates and starts the upstream; its directory is made below `out`.
    pub fn open(cores: Cores, out: &Path, with_many: bool) -> Result<Self, Failure> {
        let pki = Pki::make(with_many)?;
        let work = tempfile::tempdir_in(out).doing("a working directory")?;
        // Servers run in directories of their own.
        let home = work.path().canonicalize().doing("a working directory")?;
        let files = pki.write(&home)?;
        let upstream = Upstream::start(&cores)?;
        Ok(Self { cores, pki, home, files, upstream, places: 0, _work: work })
    }

    /// Has the upstream send the other halves of the bodies that it holds.
    pub fn release(&self) -> Result<(), Failure> {
        release(self.upstream.port)
    }

    /// A place for one more server.
    pub fn place(&mut self, kind: Kind, program: &Path) -> Result<Place, Failure> {
        self.places += 1;
        let dir = self.home.join(format!("{}-{}", kind.name(), self.places));
        std::fs::create_dir(&dir).doing("a server's directory")?;
        Ok(Place {
            program: program.to_owned(),
            under: Vec::new(),
            dir,
            port: testkit::free_port(),
            upstream: self.upstream.port,
            files: self.files.clone(),
            others: [0, 0],
        })
    }
}
