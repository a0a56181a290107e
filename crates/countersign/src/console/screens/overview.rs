//! The overview: what needs attention, how much goes on, who was refused and why, and for a beginning the next three steps.

use crate::cli::Failure;
use crate::cli::status::Standing;
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Foreign, Html, html};
use crate::console::same::{code, same};
use crate::console::{chart, shell};

const HOURS: u32 = 24;

pub fn screen(asked: &Asked<'_>, _: &Given) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let context = asked.context;
    let standing = Standing::of(context)?;
    let mut main = html!("<h1>{}</h1>\n", t("Overview"));
    main.push(attention(asked, &standing));
    if standing.parties == 0 {
        main.push(first_steps(asked));
    }
    let tile = |href: &'static str, count: u64, label: &'static str| {
        html!("<li><a href=\"{}\"><b>{}</b> {}</a></li>\n", href, count, label)
    };
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    main.push(html!(
        "<ul class=\"tiles\" data-live=\"tiles\" data-on=\"pending\">\n{}{}{}{}<li class=\"rate\" hidden><b id=\"rate\"></b> {}</li>\n\
         <li class=\"rate\" hidden><b id=\"open\"></b> {}</li></ul>\n",
        tile("/sites", count(context.settings.sites.len()), t("sites")),
        tile("/parties", standing.parties, t("parties")),
        tile("/pending", count(standing.pending), t("pending")),
        tile("/cas", count(context.settings.cas.len()), t("trusted issuers")),
        t("requests a second"),
        t("open connections"),
    ));
    let since = crate::console::verbs::refusals_since(asked.now(), HOURS);
    let counts = context.run(context.registry.count_refusals(since, 3600))?;
    main.push(html!(
        "<section data-live=\"chart\" data-on=\"log\"><h2>{}</h2>\n{}</section>\n",
        t("Refusals by reason, the last 24 hours"),
        chart::refusals(asked, &counts, since, HOURS)
    ));
    main.push(html!("<h2>{}</h2>\n{}", t("Sites"), sites(asked, &standing)));
    let gates =
        if standing.gates.is_empty() { t("none is running").to_owned() } else { standing.gates.join(", ") };
    main.push(html!("<p class=\"soft\">{}: {}</p>\n", t("Gates"), gates));
    main.push(same(asked, "countersign status", "/overview"));
    Ok(shell::page(asked, "/", t("Overview"), main))
}

fn attention(asked: &Asked<'_>, standing: &Standing) -> Html {
    let t = |text| asked.t(text);
    let list = |all: &[String]| all.iter().map(|one| html!("<li>{}</li>\n", Foreign(one))).collect::<Html>();
    let mut out = if standing.attention.is_empty() {
        html!("<p class=\"note good\">{}</p>\n", t("Nothing needs attention."))
    } else {
        html!(
            "<section class=\"note bad\"><h2>{}</h2>\n<ul>{}</ul></section>\n",
            t("This needs attention"),
            list(&standing.attention)
        )
    };
    if !standing.mentions.is_empty() {
        out.push(html!(
            "<section class=\"note\"><h2>{}</h2>\n<ul>{}</ul></section>\n",
            t("Good to know"),
            list(&standing.mentions)
        ));
    }
    out
}

fn first_steps(asked: &Asked<'_>) -> Html {
    let t = |text| asked.t(text);
    let site = asked.context.settings.sites.keys().next().map_or("portal.example.com", |site| site.as_str());
    let add = format!("countersign party add alice --site {site}");
    html!(
        "<section><h2>{}</h2>\n<ol class=\"cards\"><li><h3>{}</h3><p>{}</p>{}</li>\n<li><h3>{}</h3><p>{}</p></li>\n\
         <li><h3>{}</h3><p>{}</p></li></ol></section>\n",
        t("Three steps to begin with"),
        t("Issue a certificate"),
        t("It makes a file that opens on every system, and a password that is shown once."),
        code(t("On the command line"), &add),
        t("Open the site with it"),
        t("Import the file into a browser and open the site: it asks for the certificate and lets it in."),
        t("See who else knocks"),
        t("Whoever comes with another certificate is refused, reads a reference, and stands under Pending."),
    )
}

fn sites(asked: &Asked<'_>, standing: &Standing) -> Html {
    let t = |text| asked.t(text);
    if asked.context.settings.sites.is_empty() {
        return html!(
            "<p class=\"empty\">{}</p>\n{}",
            t("There is no site yet. The next step is to add one:"),
            code(
                t("On the command line"),
                "countersign site add portal.example.com --upstream http://127.0.0.1:3000"
            )
        );
    }
    let row = |(name, site): (&policy::HostName, &crate::config::site::SiteSettings)| {
        let own = standing.upstreams.iter().filter(|one| one.site == name.as_str());
        let upstreams: Html = own
            .map(|one| {
                let class = if one.state == "up" { "good" } else { "bad" };
                html!("<span class=\"tag {}\">{}</span> {}<br>", class, one.state, one.upstream)
            })
            .collect();
        let upstreams = if upstreams.is_empty() { html!("{}", site.upstream.text()) } else { upstreams };
        html!("<tr><td><a href=\"/sites#{}\">{}</a></td><td>{}</td></tr>\n", *name, *name, upstreams)
    };
    let rows = asked.context.settings.sites.iter().map(row).collect();
    shell::table(t("Sites"), &[t("Site"), t("Upstream")], rows)
}
