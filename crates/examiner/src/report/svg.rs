//! The chain of a report as a picture in SVG.

use std::fmt::Write;

use super::markup::escaped;
use super::picture::{Box, boxes};
use super::{Report, Severity};

const WIDTH: usize = 640;
const HEIGHT: usize = 56;
const STEP: usize = 84;

/// The chain as SVG; a pure function of the report. Text out of certificates is escaped; there is no script and no link.
pub fn svg(report: &Report) -> String {
    let (path, others) = boxes(report);
    let height = 60 + STEP * (path.len() + others.len());
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" font-family=\"sans-serif\" font-size=\"14\">\n<title>{}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"28\" font-weight=\"bold\">{}</text>\n",
        escaped(&report.sentence),
        escaped(&cut(&report.sentence, 84)),
    );
    let mut top = 48;
    for (i, one) in path.iter().enumerate() {
        if i > 0 {
            let (from, to) = (top - STEP + HEIGHT, top);
            let _ = writeln!(
                out,
                "<line x1=\"{0}\" y1=\"{from}\" x2=\"{0}\" y2=\"{to}\" stroke=\"#555\"/>",
                WIDTH / 2
            );
        }
        draw(&mut out, report, one, top, false);
        top += STEP;
    }
    for link in others {
        draw(&mut out, report, &Box::There(link), top, true);
        top += STEP;
    }
    out + "</svg>\n"
}

fn draw(out: &mut String, report: &Report, one: &Box<'_>, top: usize, aside: bool) {
    let (colour, mark) = match one.worst(report) {
        Some(Severity::Error) => ("#b00020", "error"),
        Some(Severity::Warning) => ("#a15c00", "warning"),
        _ => ("#20633a", ""),
    };
    let dashes = if matches!(one, Box::Missing(_)) { " stroke-dasharray=\"8 6\"" } else { "" };
    let about = if aside { format!("not on the path: {}", one.about()) } else { one.about() };
    let _ = write!(
        out,
        "<rect x=\"12\" y=\"{top}\" width=\"{}\" height=\"{HEIGHT}\" rx=\"6\" fill=\"#fff\" stroke=\"{colour}\" \
         stroke-width=\"2\"{dashes}/>\n<text x=\"28\" y=\"{}\" fill=\"#111\">{}</text>\n\
         <text x=\"28\" y=\"{}\" fill=\"#555\" font-size=\"12\">{}</text>\n",
        WIDTH - 24,
        top + 23,
        escaped(&cut(&one.title(), 64)),
        top + 43,
        escaped(&about),
    );
    if !mark.is_empty() {
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" fill=\"{colour}\" text-anchor=\"end\" font-size=\"12\">{mark}</text>",
            WIDTH - 28,
            top + 23
        );
    }
}

/// At most this many letters, with a sign that some are left out.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}
