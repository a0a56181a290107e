//! One shell script of a page's blocks.

use std::path::{Path, PathBuf};

use testkit::free_port;
use testkit::times::{DAY, clock};

use crate::page::Page;

/// Commands that do not end by themselves: the line as pages write it, what is given to it here, and the word by which
/// one sees that it works. A reader runs them in a second terminal.
const ENDLESS: [(&str, &str, &str); 5] = [
    ("countersign run", "", "ready"),
    ("countersign quickstart", " --listen 127.0.0.1:8443 --admin 127.0.0.1:9443", "serving until Ctrl-C"),
    ("countersign log tail", "", "changed"),
    ("countersign check serve", " --listen 127.0.0.1:8480", "ready"),
    (
        "countersign check serve --listen 127.0.0.1:8481 --allow-private=127.0.0.0/8 --ports 8482 --private --roots ca.pem",
        "",
        "ready",
    ),
];

/// What stands in the pages for something that is another here: ports, the website, identifiers of an entry, a medium
/// to put a key away, a day to come.
pub struct Words(Vec<(&'static str, String)>);

impl Words {
    /// Free ports, and the website behind `upstream`.
    pub fn new(upstream: u16) -> Self {
        Self(vec![
            ("8443", free_port().to_string()),
            ("9443", free_port().to_string()),
            ("8444", free_port().to_string()),
            ("127.0.0.1:3000", format!("127.0.0.1:{upstream}")),
            ("2027-03-15", clock().plus(100 * DAY).date()),
            ("7F3K-WQ", "$REFERENCE".into()),
            (" ID", " $ID".into()),
            ("/media/safe", "$SAFE".into()),
            ("8480", free_port().to_string()),
            ("8481", free_port().to_string()),
            ("8482", free_port().to_string()),
            ("14000", free_port().to_string()),
        ])
    }

    /// The environment of `common.sh` and the scripts before the pages.
    pub fn variables(&self) -> [(&'static str, String); 6] {
        let [port, admin, enrol, upstream, acme, web] =
            [0, 1, 2, 3, 11, 8].map(|index| self.0[index].1.clone());
        [
            ("PORT", port),
            ("ADMIN", admin),
            ("ENROL", enrol),
            ("UPSTREAM", format!("http://{upstream}")),
            ("ACME", acme),
            ("WEB", web),
        ]
    }

    fn as_run(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (word, here)| text.replace(word, here))
    }

    /// What a page shows, with what is another here.
    pub fn as_shown(&self, text: &str) -> String {
        let known_before = self.0.iter().filter(|(_, here)| !here.contains('$'));
        known_before.fold(text.to_owned(), |text, (word, here)| text.replace(word, here))
    }
}

/// Where the shell's part of this test is.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guide_commands")
}

/// The script of a page. Block N prints to `$OUT/block.N`, what is made before the page to `$OUT/block.0`.
pub fn of(page: &Page, words: &Words) -> String {
    let common = std::fs::read_to_string(folder().join("common.sh")).unwrap();
    let before = folder().join(format!("before/{}.sh", page.name));
    let before = if before.exists() { std::fs::read_to_string(before).unwrap() } else { String::new() };
    let blocks = page.commands().map(|block| {
        block.text().lines().map(|line| words.as_run(&line_as_run(line)) + "\n").collect::<String>()
    });
    let blocks = std::iter::once(before).chain(blocks).enumerate();
    common
        + &blocks
            .map(|(number, text)| format!("{{ :\n{text}}} > \"$OUT/block.{number}\" 2>&1\n"))
            .collect::<String>()
}

fn line_as_run(line: &str) -> String {
    let bare = line.strip_suffix(" &").unwrap_or(line);
    match ENDLESS.iter().find(|(command, ..)| *command == bare) {
        Some((command, options, word)) => format!("serve '{word}' {command}{options}"),
        None => line.to_owned(),
    }
}
