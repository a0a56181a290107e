//! The chart: a group of bars a mode, the longest bar of each group as wide as the chart.

use std::fmt::Write;

use super::{Report, short};

const LEFT: f64 = 90.0;
const WIDE: f64 = 520.0;
const BAR: f64 = 18.0;

/// The chart as SVG. Shorter is better throughout.
pub fn chart(report: &Report) -> String {
    let bars: usize = report.modes.iter().map(|measured| measured.figures.len()).sum();
    let below = 20.0 * report.servers.len() as f64;
    let tall = 70.0 + bars as f64 * (BAR + 4.0) + report.modes.len() as f64 * 40.0 + below;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 {tall}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"760\" height=\"{tall}\" fill=\"#ffffff\"/>\n"
    );
    let machine = &report.machine;
    let mut y = 24.0;
    say(&mut svg, 10.0, y, 15, "Countersign beside its peers: shorter is better");
    y += 18.0;
    let words =
        format!("{}, {}, {} rounds of {} s", machine.date, machine.processor, report.rounds, report.seconds);
    say(&mut svg, 10.0, y, 12, &words);
    for measured in &report.modes {
        y += 32.0;
        say(&mut svg, 10.0, y, 13, &format!("{}: {}", measured.mode.name(), measured.unit));
        y += 8.0;
        let longest = measured.figures.iter().map(|figure| figure.value).fold(f64::MIN_POSITIVE, f64::max);
        for (number, (server, figure)) in report.servers.iter().zip(&measured.figures).enumerate() {
            let (width, fill) =
                (WIDE * figure.value / longest, if number == 0 { "#1f6f43" } else { "#9aa5b1" });
            // Writing to a string does not fail.
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" fill=\"{fill}\"/>"
            );
            say(&mut svg, 20.0, y + 13.0, 12, server.name);
            let ratio = if number == 0 { String::new() } else { format!(" ({:.2}x)", figure.ratio) };
            say(&mut svg, LEFT + width + 6.0, y + 13.0, 12, &(short(figure.value) + &ratio));
            y += BAR + 4.0;
        }
    }
    y += 24.0;
    for server in &report.servers {
        say(&mut svg, 10.0, y, 11, &format!("{}: {}", server.name, server.version));
        y += 16.0;
    }
    svg + "</svg>\n"
}

fn say(svg: &mut String, x: f64, y: f64, size: u32, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\">{words}</text>");
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_values_and_text_is_escaped() {
        let svg = chart(&example());
        // 250 of 1000, then the longest of its group; 40 is the longest of idle, 20 half of it.
        for width in ["130.0", "520.0", "260.0"] {
            assert!(svg.contains(&format!("width=\"{width}\" height=\"18\"")), "{width}");
        }
        assert!(svg.contains("(4.00x)"));
        assert!(svg.contains("Some &lt;CPU>"));
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    }
}
