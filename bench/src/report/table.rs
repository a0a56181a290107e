//! The table on standard output.

use std::fmt::Write;

use super::{Report, short};

/// The whole report as text.
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = fill(&mut text, report);
    text
}

fn fill(text: &mut String, report: &Report) -> std::fmt::Result {
    let machine = &report.machine;
    writeln!(text, "\n{}, {}, Linux {}", machine.date, machine.processor, machine.kernel)?;
    writeln!(text, "{}", machine.cores)?;
    writeln!(
        text,
        "{} rounds of {} s, {} under way at once, {} held in idle; medians of the rounds",
        report.rounds, report.seconds, report.connections, report.idle
    )?;
    for name in &report.missing {
        writeln!(text, "{name} is not installed and was not measured")?;
    }
    for note in &report.notes {
        writeln!(text, "{note}")?;
    }
    let wide = report.servers.iter().map(|server| server.version.len()).max().unwrap_or_default();
    for measured in &report.modes {
        writeln!(text, "\n{}: {}", measured.mode.name(), measured.unit)?;
        writeln!(
            text,
            "  {:8} {:wide$} {:>9} {:>17} {:>6} {:>9} {:>8} {:>8} {:>8} {:>7} {:>7}",
            "",
            "",
            "value",
            "lowest-highest",
            "ratio",
            "per s",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "Rss MB",
            "Pss MB"
        )?;
        for (server, figure) in report.servers.iter().zip(&measured.figures) {
            let millis = |micros: Option<f64>| micros.map_or("-".into(), |micros| short(micros / 1000.0));
            let latency = figure.latency;
            writeln!(
                text,
                "  {:8} {:wide$} {:>9} {:>17} {:>6} {:>9} {:>8} {:>8} {:>8} {:>7} {:>7}",
                server.name,
                server.version,
                short(figure.value),
                format!("{}-{}", short(figure.range.0), short(figure.range.1)),
                format!("{:.2}", figure.ratio),
                short(figure.rate),
                millis(latency.map(|l| l.p50)),
                millis(latency.map(|l| l.p99)),
                millis(latency.map(|l| l.p999)),
                short(figure.memory.rss_kb as f64 / 1024.0),
                short(figure.memory.pss_kb as f64 / 1024.0),
            )?;
        }
        if let Some(share) = report.share_of_cryptography(measured.mode) {
            writeln!(text, "  {:.0} % of the gate's handshake is the cryptography itself", share * 100.0)?;
        }
    }
    if let Some(floor) = &report.floor {
        writeln!(text, "\nThe cryptography of one mutual handshake, server's side, microseconds:")?;
        writeln!(text, "  one signature, two verifications, X25519     {:>7}", short(floor.primitives))?;
        writeln!(text, "  rustls over memory, issuer's signature known {:>7}", short(floor.chain_known))?;
        writeln!(text, "  rustls over memory, chain verified           {:>7}", short(floor.chain_verified))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::example;
    use super::*;

    #[test]
    fn each_line_has_version_figure_ratio_and_latency() {
        let text = table(&example());
        let line = text.lines().find(|line| line.contains("nginx 1.22.1")).expect("a line");
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(
            words,
            [
                "nginx", "nginx", "1.22.1,", "OpenSSL", "3.0.19", "1000", "800-1200", "4.00", "1500", "0.80",
                "2.50", "12.0", "40.0", "20.0"
            ]
        );
        assert!(text.contains("50 % of the gate's handshake"));
        assert!(text.contains("envoy is not installed"));
        assert!(text.contains("2027-03-01, Some <CPU>, Linux 6.1"));
    }
}
