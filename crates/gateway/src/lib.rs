//! The data plane: from accept to answer, one file a step.

pub mod broom;
pub mod pages;
pub mod pool;
