//! Refusals over time as stacked bars: a picture that needs no script, with a table of the same numbers below.

use std::collections::BTreeMap;

use examiner::UnixTime;
use registry::RefusalCount;

use super::answer::Asked;
use super::html::{Html, html};
use super::words;

/// So many codes have a colour of their own; the rest are one.
const COLOURS: usize = 6;
const WIDTH: usize = 720;
const HEIGHT: usize = 160;
const FOOT: usize = 20;

/// The bars of so many hours from `since` on.
pub fn refusals(asked: &Asked<'_>, counts: &[RefusalCount], since: UnixTime, hours: u32) -> Html {
    let t = |text| asked.t(text);
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for one in counts {
        *totals.entry(&one.code).or_default() += one.count;
    }
    if totals.is_empty() {
        return html!("<p class=\"empty\">{}</p>\n", t("Nobody was refused in the last 24 hours."));
    }
    let mut codes: Vec<(&str, u64)> = totals.into_iter().collect();
    codes.sort_by_key(|(code, total)| (std::cmp::Reverse(*total), *code));
    let colour = |code: &str| codes.iter().position(|(one, _)| *one == code).unwrap_or(COLOURS).min(COLOURS);
    let hours = usize::try_from(hours).unwrap_or(1).max(1);
    let mut stacks: Vec<Vec<(&str, u64)>> = vec![Vec::new(); hours];
    for one in counts {
        let hour = usize::try_from((one.from.seconds() - since.seconds()) / 3600).unwrap_or(hours);
        if let Some(stack) = stacks.get_mut(hour) {
            stack.push((&one.code, one.count));
        }
    }
    let most = stacks
        .iter()
        .map(|stack| stack.iter().map(|(_, count)| count).sum::<u64>())
        .max()
        .unwrap_or(1)
        .max(1);
    let step = WIDTH / hours;
    let mut bars = Html::new();
    for (hour, stack) in stacks.iter_mut().enumerate() {
        stack.sort_by_key(|(code, _)| colour(code));
        let from = since.plus(i64::try_from(hour).unwrap_or(0) * 3600);
        let mut top = HEIGHT;
        for (code, count) in stack.iter() {
            let height = scaled(*count, most);
            top = top.saturating_sub(height);
            bars.push(html!(
                "<rect class=\"c{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}: {} {}</title></rect>\n",
                colour(code),
                hour * step + 2,
                top,
                step - 4,
                height,
                words::moment(asked.lang, from),
                *count,
                *code
            ));
        }
        if hour % 6 == 0 {
            let hour_of_day = from.seconds().rem_euclid(86_400) / 3600;
            bars.push(html!(
                "<text x=\"{}\" y=\"{}\">{}</text>\n",
                hour * step,
                HEIGHT + 15,
                format!("{hour_of_day:02}:00")
            ));
        }
    }
    let legend: Html = codes
        .iter()
        .map(|(code, total)| {
            html!(
                "<li><svg class=\"key\" viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect class=\"c{}\" width=\"12\" height=\"12\" rx=\"3\"/></svg> \
                 <a href=\"/log?verdict=refused&amp;code={}\">{}</a> {}</li>\n",
                colour(code),
                *code,
                *code,
                *total
            )
        })
        .collect();
    let rows: Html = counts
        .iter()
        .map(|one| {
            html!(
                "<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td></tr>\n",
                super::shell::time(asked, one.from),
                one.code,
                one.count
            )
        })
        .collect();
    let label = t("Refusals by reason, the last 24 hours");
    let view = format!("0 0 {WIDTH} {}", HEIGHT + FOOT);
    html!(
        "<figure class=\"chart\"><svg viewBox=\"{}\" role=\"img\" aria-label=\"{}\">\n<line x1=\"0\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n<text x=\"2\" y=\"9\">{}</text>\n{}</svg>\n\
         <ul class=\"legend\">\n{}</ul>\n<details><summary>{}</summary>{}</details></figure>\n",
        view,
        label,
        HEIGHT,
        WIDTH,
        HEIGHT,
        most,
        bars,
        legend,
        t("The same as a table"),
        super::shell::table(label, &[t("Hour from"), t("Code"), t("Count")], rows),
    )
}

/// A height: something is seen where there is something.
fn scaled(count: u64, most: u64) -> usize {
    let height = u128::from(count) * (HEIGHT as u128 - 10) / u128::from(most.max(1));
    usize::try_from(height).unwrap_or(HEIGHT).max(if count > 0 { 2 } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_high_as_its_share_and_never_unseen() {
        assert_eq!(
            [scaled(0, 10), scaled(10, 10), scaled(5, 10), scaled(1, 1_000_000)],
            [0, HEIGHT - 10, (HEIGHT - 10) / 2, 2]
        );
        assert_eq!(scaled(u64::MAX, u64::MAX), HEIGHT - 10);
    }
}
