//! "The same on the command line, and by API": below each page, to be copied.

use super::answer::Asked;
use super::html::{Html, Lines, html};
use super::verbs::API;

/// Quoted for a shell where it has to be.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A block of text with a button that copies it, where there are scripts.
pub fn code(title: &str, text: &str) -> Html {
    html!(
        "<div class=\"code\"><pre tabindex=\"0\" role=\"group\" aria-label=\"{}\"><code>{}</code></pre></div>",
        title,
        Lines(text)
    )
}

/// What is asked by API as a curl command.
fn curl(asked: &Asked<'_>, path: &str) -> String {
    let url = format!("https://{}{API}{path}", asked.host);
    format!("curl --cacert ca.pem --cert operator.pem --key operator.key {}", quoted(&url))
}

/// How to read the same on the command line, and by API.
pub fn same(asked: &Asked<'_>, command: &str, path: &str) -> Html {
    let t = |text| asked.t(text);
    html!(
        "<details class=\"same\"><summary>{}</summary>\n<h2>{}</h2>{}\n<h2>{}</h2>{}\n<p><a href=\"/api/openapi.json\">{}</a></p></details>\n",
        t("The same on the command line and by API"),
        t("On the command line"),
        code(t("On the command line"), command),
        t("By API"),
        code(t("By API"), &curl(asked, path)),
        t("The API's description (OpenAPI)"),
    )
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_is_one_word_to_a_shell() {
        assert_eq!(quoted("https://localhost:9443/api"), "https://localhost:9443/api");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("$(x)'"), r"'$(x)'\'''");
        assert_eq!(quoted(""), "''");
    }
}
