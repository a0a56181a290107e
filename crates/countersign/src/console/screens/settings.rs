//! The settings as they hold: file, registry and defaults. They are changed where they stand.

use crate::cli::{Failure, config};
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Foreign, Html, html, one_line};
use crate::console::same::{code, same};
use crate::console::shell;

pub fn screen(asked: &Asked<'_>, given: &Given) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    given.check(&[])?;
    let settings = &asked.context.settings;
    let mut main = html!(
        "<h1>{}</h1>\n<p>{} <code>{}</code></p>\n",
        t("Settings"),
        t("They are changed in the configuration, and hold after a reload:"),
        settings.file.display().to_string()
    );
    if !settings.warnings.is_empty() {
        let all =
            settings.warnings.iter().map(|one| html!("<li>{}</li>\n", Foreign(&one_line(&one.to_string()))));
        main.push(html!(
            "<section class=\"note bad\"><h2>{}</h2>\n<ul>{}</ul></section>\n",
            t("This deserves a second look"),
            all.collect::<Html>()
        ));
    }
    main.push(code(t("Settings"), &config::as_toml(&config::view(settings))));
    main.push(same(asked, "countersign config show", "/settings"));
    Ok(shell::page(asked, "/settings", t("Settings"), main))
}
