//! The gate on bad days: faults, floods and long hours, with the real binary; judged by what the upstream saw.
//!
//! With `COUNTERSIGN_LONG` set, as `./check --long` does, bodies are larger, rounds more, and the soak takes ten minutes.

mod bodies;
mod clock;
mod crowds;
mod ends;
mod kills;
mod processes;
mod registry;
mod reloads;
mod soak;
mod streams;
mod support;
mod upgrades;
mod upstream;
