//! Medians, quantiles and ratios.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cost::Memory;
use crate::options::Mode;

/// One server in one mode in one round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// What [`Mode::unit`] says.
    pub value: f64,
    /// How many units there were.
    pub units: usize,
    /// Units a second.
    pub rate: f64,
    /// Microseconds that a unit took, in the mode `idle` nothing.
    pub latency: Option<Latency>,
    /// The server's memory after the work.
    pub memory: Memory,
}

/// How long units took, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half took no longer.
    pub p50: f64,
    /// 99 of 100 took no longer.
    pub p99: f64,
    /// 999 of 1000 took no longer.
    pub p999: f64,
}

impl Latency {
    /// The quantiles of these times; `None` of none.
    pub fn of(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        let at = |share| quantile(&times, share);
        Some(Self { p50: at(0.5)?, p99: at(0.99)?, p999: at(0.999)? })
    }
}

/// The smallest of the sorted `times` which at least this share of them does not exceed.
fn quantile(times: &[f64], share: f64) -> Option<f64> {
    let rank = (times.len() as f64 * share).ceil() as usize;
    times.get(rank.saturating_sub(1)).copied()
}

/// The middle value, between two the mean of them; `None` of none.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut all: Vec<f64> = values.into_iter().collect();
    all.sort_by(f64::total_cmp);
    let upper = *all.get(all.len() / 2)?;
    Some(if all.len().is_multiple_of(2) { (all[all.len() / 2 - 1] + upper) / 2.0 } else { upper })
}

/// All samples, in the order of rounds.
#[derive(Debug, Default)]
pub struct Samples(BTreeMap<(Mode, usize), Vec<Sample>>);

/// What the report says of one server in one mode: the medians of its rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What [`Mode::unit`] says.
    pub value: f64,
    /// The lowest and highest of the rounds.
    pub range: (f64, f64),
    /// The server's value divided by the gate's in the same round; the median of the rounds. 1 for the gate.
    pub ratio: f64,
    /// Units a second.
    pub rate: f64,
    /// Microseconds that a unit took.
    pub latency: Option<Latency>,
    /// The server's memory in kB after the work.
    pub memory: Memory,
    /// Each round.
    pub rounds: Vec<Sample>,
}

impl Samples {
    /// Adds what one round gave; servers are numbered, 0 is the gate.
    pub fn add(&mut self, mode: Mode, server: usize, sample: Sample) {
        self.0.entry((mode, server)).or_default().push(sample);
    }

    /// The figure of a server; `None` where it was not measured.
    pub fn figure(&self, mode: Mode, server: usize) -> Option<Figure> {
        let rounds = self.0.get(&(mode, server))?.clone();
        let gate = self.0.get(&(mode, 0))?;
        let of = |part: fn(&Sample) -> f64| median(rounds.iter().map(part));
        let quantile = |part: fn(&Latency) -> f64| {
            median(rounds.iter().filter_map(|sample| sample.latency.as_ref()).map(part))
        };
        let latency = quantile(|l| l.p50).zip(quantile(|l| l.p99)).zip(quantile(|l| l.p999));
        let values = || rounds.iter().map(|sample| sample.value);
        Some(Figure {
            value: of(|sample| sample.value)?,
            range: (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max)),
            ratio: median(rounds.iter().zip(gate).map(|(sample, gate)| sample.value / gate.value))?,
            rate: of(|sample| sample.rate)?,
            latency: latency.map(|((p50, p99), p999)| Latency { p50, p99, p999 }),
            memory: Memory {
                rss_kb: of(|sample| sample.memory.rss_kb as f64)? as u64,
                pss_kb: of(|sample| sample.memory.pss_kb as f64)? as u64,
            },
            rounds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn sample(value: f64) -> Sample {
        Sample { value, units: 10, rate: 5.0, latency: Latency::of(vec![value]), memory: Memory::default() }
    }

    #[test]
    fn the_median_lies_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([7.0]), Some(7.0));
        assert_eq!(median([]), None);
    }

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let times: Vec<f64> = (1..=1000).rev().map(f64::from).collect();
        assert_eq!(Latency::of(times), Some(Latency { p50: 500.0, p99: 990.0, p999: 999.0 }));
        assert_eq!(Latency::of(vec![8.0]), Some(Latency { p50: 8.0, p99: 8.0, p999: 8.0 }));
        assert_eq!(Latency::of(vec![]), None);
    }

    #[test]
    fn the_ratio_pairs_the_rounds() {
        let mut samples = Samples::default();
        // The machine is three times as slow in the second round: the ratio does not see it.
        for (gate, peer) in [(10.0, 20.0), (30.0, 60.0), (10.0, 30.0)] {
            samples.add(Mode::Handshake, 0, sample(gate));
            samples.add(Mode::Handshake, 1, sample(peer));
        }
        let figure = samples.figure(Mode::Handshake, 1).expect("a figure");
        assert_eq!((figure.value, figure.ratio, figure.range), (30.0, 2.0, (20.0, 60.0)));
        assert_eq!(samples.figure(Mode::Handshake, 0).map(|figure| figure.ratio), Some(1.0));
        assert_eq!(samples.figure(Mode::Idle, 1), None);
    }
}
