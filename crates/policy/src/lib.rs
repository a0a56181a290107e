//! Who is admitted, and what may be issued: pure decisions on plain data.

pub mod issuance;
