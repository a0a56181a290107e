//! The page: one file without a script, in light and dark.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Shown;
use super::words::{Filled, Table, Told, moment, visible};

/// Constant, so that its hash can stand in the policy.
const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#f4f5f7;--card:#fff;--ink:#1c2330;--soft:#5a6475;--line:#e1e5eb;--mark:#9a3412;--tint:#fff4ec}
@media(prefers-color-scheme:dark){:root{--paper:#11151c;--card:#1a202a;--ink:#e8ecf2;--soft:#9aa6b8;--line:#2c3542;--mark:#fdba74;--tint:#2a211b}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:2rem 1rem;background:var(--paper);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}
main{width:100%;max-width:38rem;background:var(--card);border:1px solid var(--line);border-radius:1rem;padding:clamp(1.25rem,5vw,2.5rem);box-shadow:0 1px 2px rgb(0 0 0/.04),0 12px 32px rgb(0 0 0/.07)}
svg{display:block;width:2.75rem;height:2.75rem;color:var(--mark)}
h1{margin:.9rem 0 .4rem;font-size:1.6rem;line-height:1.25;text-wrap:balance}
h2{margin:1.75rem 0 .35rem;font-size:1rem}
p{margin:.35rem 0;overflow-wrap:anywhere}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline;justify-content:space-between;margin:1.5rem 0 0;padding:.8rem 1.1rem;background:var(--tint);border-radius:.6rem}
.key strong{font:600 1.35rem/1.3 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;letter-spacing:.04em;color:var(--mark);user-select:all;overflow-wrap:anywhere}
ul{margin:.35rem 0;padding-left:1.2rem}
li{margin:.2rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.1rem;margin:.5rem 0 0;font-size:.875rem}
dt,.key span{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
details{margin-top:1.75rem;padding-top:1rem;border-top:1px solid var(--line)}
summary{cursor:pointer;font-weight:600}
summary:focus-visible{outline:2px solid var(--mark);outline-offset:3px;border-radius:.2rem}
@media(max-width:30rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}}
@media print{body{background:none}main{border:0;box-shadow:none}}
";

const SHIELD: &str = "<svg viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\" \
    stroke-linecap=\"round\" stroke-linejoin=\"round\" aria-hidden=\"true\">\
    <path d=\"M12 2.8 4.5 5.6v5.9c0 4.6 3.1 8 7.5 9.7 4.4-1.7 7.5-5.1 7.5-9.7V5.6z\"/>\
    <path d=\"m9.4 9.4 5.2 5.2m0-5.2-5.2 5.2\"/></svg>";

/// Nothing but the constant style: no script, no picture, no form, no frame around it.
pub(super) fn content_security_policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    });
    &POLICY
}

/// The whole page.
pub(super) fn page(table: &Table, shown: &Shown<'_>, told: &Told) -> String {
    let (tag, title) = (table.tag, escape(told.title));
    let (detail, next) = (filled(&told.detail), filled(&told.next));
    let [what_next, browser, close, clear, particulars, label_reference] = [
        table.what_next,
        table.browser,
        table.browser_close,
        table.browser_clear,
        table.particulars,
        table.label_reference,
    ]
    .map(escape);
    let reference = value(shown.reference);
    let mut rows = row(table.label_site, shown.site) + &row(table.label_code, shown.refusal.code().as_str());
    if let Some(certificate) = shown.certificate {
        rows += &row(table.label_subject, &certificate.subject.to_string());
        rows += &row(table.label_issuer, &certificate.issuer.to_string());
        rows += &row(table.label_not_after, &moment(certificate.not_after));
    }
    if let Some(thumbprint) = shown.thumbprint {
        rows += &row(table.label_thumbprint, &thumbprint.to_string());
    }
    format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{SHIELD}\n<h1>{title}</h1>\n<p>{detail}</p>\n\
         <p class=\"key\"><span>{label_reference}</span><strong>{reference}</strong></p>\n\
         <h2>{what_next}</h2>\n<p>{next}</p>\n\
         <h2>{browser}</h2>\n<ul>\n<li>{close}</li>\n<li>{clear}</li>\n</ul>\n\
         <details open>\n<summary>{particulars}</summary>\n<dl>\n{rows}</dl>\n</details>\n\
         </main>\n</body>\n</html>\n"
    )
}

fn filled(sentence: &Filled) -> String {
    sentence.render(escape, value)
}

fn row(label: &str, text: &str) -> String {
    format!("<dt>{}</dt><dd>{}</dd>\n", escape(label), value(text))
}

/// A value: its controls written out, escaped, and unable to turn the text around it.
fn value(text: &str) -> String {
    format!("<bdi>{}</bdi>", escape(&visible(text)))
}

/// Text that means itself, in element content and quoted attributes alike.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}
