//! The pages' own files. Their addresses change with what is in them, so a browser may keep them for ever.

use std::sync::LazyLock;

/// A file.
pub struct Asset {
    /// Its address, which holds a hash of it.
    pub path: String,
    /// What it is.
    pub media_type: &'static str,
    /// What is in it.
    pub body: &'static str,
}

fn asset(name: &str, ending: &str, media_type: &'static str, body: &'static str) -> Asset {
    let hash = super::again::digest(name, body.as_bytes());
    let hash = data_encoding::HEXLOWER.encode(&hash[..8]);
    Asset { path: format!("/assets/{name}-{hash}.{ending}"), media_type, body }
}

/// How the pages look.
pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| asset("console", "css", "text/css; charset=utf-8", include_str!("assets/console.css")));
/// What is better with a script; nothing needs it.
pub static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    asset("console", "js", "text/javascript; charset=utf-8", include_str!("assets/console.js"))
});
/// The picture before the name.
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| asset("icon", "svg", "image/svg+xml", include_str!("assets/icon.svg")));

/// The file at this address.
pub fn at(path: &str) -> Option<&'static Asset> {
    [&STYLE, &SCRIPT, &ICON].into_iter().map(|one| &**one).find(|one| one.path == path)
}
