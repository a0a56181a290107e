//! A page of the guide, as far as its blocks go.

use std::path::Path;

use testkit::markdown::{Block, blocks};

/// A page's blocks.
pub struct Page(Vec<Block>);

impl Page {
    /// Reads `docs/guide/NAME.md`.
    pub fn read(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/guide/{name}.md"));
        Self(blocks(&std::fs::read_to_string(path).unwrap()))
    }

    fn of(&self, language: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |block| block.language == language).map(|block| block.text.as_str())
    }

    /// How many blocks of this language there are.
    pub fn count(&self, language: &str) -> usize {
        self.of(language).count()
    }

    /// The block of this language with this number, from 0.
    #[track_caller]
    pub fn block(&self, language: &str, number: usize) -> &str {
        self.of(language).nth(number).unwrap_or_else(|| panic!("no block {number} of {language}"))
    }

    /// The commands that make parties.
    pub fn parties(&self) -> impl Iterator<Item = &str> {
        self.of("sh").flat_map(str::lines).filter(|line| line.starts_with("countersign party add "))
    }
}
