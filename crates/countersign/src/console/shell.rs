//! What stands around each page: head, names of the pages, who is there, and how to do the same elsewhere.

use examiner::UnixTime;
use gateway::pages::Lang;
use policy::record::OperatorRole;

use super::answer::Asked;
use super::assets::{ICON, SCRIPT, STYLE};
use super::html::{Html, html};
use super::words;

/// The pages by their paths and names.
const PAGES: [&str; 9] =
    ["/", "/sites", "/parties", "/pending", "/cas", "/log", "/explain", "/check/", "/settings"];

/// Another name for the page at a path.
fn name(asked: &Asked<'_>, path: &str) -> &'static str {
    let t = |text| asked.t(text);
    match path {
        "/" => t("Overview"),
        "/sites" => t("Sites"),
        "/parties" => t("Parties"),
        "/pending" => t("Pending"),
        "/cas" => t("CAs"),
        "/log" => t("Log"),
        "/settings" => t("Settings"),
        "/check/" => t("Check"),
        _ => t("Explain"),
    }
}

/// The ends of a document, around what stands in its middle.
pub fn document(lang: Lang, title: &str, header: Html, main: Html) -> Html {
    html!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{} \u{2013} Countersign</title>\n\
         <link rel=\"stylesheet\" href=\"{}\">\n<link rel=\"icon\" type=\"image/svg+xml\" href=\"{}\">\n\
         <script src=\"{}\" defer></script>\n</head>\n<body>\n{}<main id=\"main\">\n{}</main>\n</body>\n</html>\n",
        words::tag(lang),
        title,
        STYLE.path,
        ICON.path,
        SCRIPT.path,
        header,
        main,
    )
}

/// A whole page. `here`: the path of the page that it belongs to.
pub fn page(asked: &Asked<'_>, here: &str, title: &str, main: Html) -> Html {
    let t = |text| asked.t(text);
    let pending = asked.context.run(asked.context.registry.count_pending()).unwrap_or_default();
    let entry = |path: &&'static str| {
        let current = if *path == here { html!(" aria-current=\"page\"") } else { Html::new() };
        let count = match *path {
            "/pending" if pending > 0 => html!(" <span class=\"count\">{}</span>", pending),
            _ => Html::new(),
        };
        html!("<li><a href=\"{}\"{}>{}{}</a></li>\n", *path, current, name(asked, path), count)
    };
    let header = html!(
        "<a class=\"skip\" href=\"#main\">{}</a>\n<header class=\"top\"><a class=\"brand\" href=\"/\">\
         <img src=\"{}\" alt=\"\" width=\"24\" height=\"24\">Countersign</a>\n<nav aria-label=\"{}\"><ul>\n{}</ul></nav>\n\
         <p class=\"who\"><bdi>{}</bdi> <span class=\"soft\">{}</span></p></header>\n",
        t("To the content"),
        ICON.path,
        t("Pages"),
        PAGES
            .iter()
            .filter(|path| **path != "/settings" || asked.may(OperatorRole::Owner))
            .map(entry)
            .collect::<Html>(),
        asked.operator.name,
        asked.operator.role.word(),
    );
    document(asked.lang, title, header, main)
}

/// A moment, and how far it is away; a script adds the visitor's own time.
pub fn when(asked: &Asked<'_>, at: UnixTime) -> Html {
    html!("{} <span class=\"soft\">{}</span>", time(asked, at), words::away(asked.lang, at, asked.now()))
}

/// A moment alone.
pub fn time(asked: &Asked<'_>, at: UnixTime) -> Html {
    html!("<time datetime=\"{}\">{}</time>", at.to_string(), words::moment(asked.lang, at))
}

/// The hidden fields of a form that changes something: the page's token, and a key that makes it once.
pub fn sealed(asked: &Asked<'_>) -> Html {
    let mut random = [0u8; 16];
    // Without randomness the form has no key, and is refused.
    let key = getrandom::fill(&mut random)
        .map_or_else(|_| String::new(), |()| data_encoding::HEXLOWER.encode(&random));
    html!(
        "<input type=\"hidden\" name=\"token\" value=\"{}\"><input type=\"hidden\" name=\"key\" value=\"{}\">",
        asked.token,
        key
    )
}

/// A table with its headings, which scrolls by itself where the screen is narrow, also by keyboard.
pub fn table(label: &str, headings: &[&str], rows: Html) -> Html {
    html!(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>\n",
        label,
        headings.iter().map(|one| html!("<th scope=\"col\">{}</th>", *one)).collect::<Html>(),
        rows
    )
}

/// A note above a page: what was done.
pub fn done(title: &str, lines: Html) -> Html {
    html!("<div class=\"note good\" role=\"status\"><h2>{}</h2>\n{}</div>\n", title, lines)
}
