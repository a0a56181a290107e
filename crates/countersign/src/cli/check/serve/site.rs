//! What the page is made of beside its reports: its name, its rules, and its files.

use std::sync::LazyLock;

use examiner::Thumbprint;
use examiner::report::html;
use gateway::networks::Networks;
use hyper::body::Bytes;

use super::desk::Desk;
use super::question::Rules;
use super::visitor::Names;

/// The page as it is served.
pub struct Site {
    /// What stands above it.
    pub name: String,
    /// What may be asked for.
    pub rules: Rules,
    /// Where looks are made.
    pub desk: Desk,
    /// Under which names it answers.
    pub names: Names,
    /// Proxies that say who asks.
    pub behind: Networks,
    /// Whether certificates' addresses are asked too, or the DNS.
    pub asks_others: bool,
    /// What the page is a part of, where it is: a path, and its name.
    pub home: Option<(&'static str, &'static str)>,
}

/// A file that every page uses. Its name changes with its content, so browsers may keep it for ever.
pub struct Asset {
    /// Its path, without the slash before it.
    pub path: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub body: Bytes,
}

/// The style: that of every report, and what a page has beside it.
pub static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let body = format!("{}{}", html::STYLE, include_str!("page.css"));
    Asset::new("css", "text/css; charset=utf-8", body)
});

/// The script: buttons that copy, and a word while it takes.
pub static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("js", "text/javascript; charset=utf-8", include_str!("page.js").to_owned()));

/// The picture in the browser's tab.
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("svg", "image/svg+xml", include_str!("icon.svg").to_owned()));

impl Asset {
    fn new(ending: &str, media_type: &'static str, body: String) -> Self {
        let hash = Thumbprint::of(body.as_bytes()).to_string();
        Self { path: format!("page-{}.{ending}", &hash[..16]), media_type, body: body.into() }
    }

    /// The one at this path.
    pub fn at(path: &str) -> Option<&'static Self> {
        [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.path == path)
    }
}
