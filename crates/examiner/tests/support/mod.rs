//! What the fixtures are made with.

pub mod case;
pub mod der;
pub mod spec;
