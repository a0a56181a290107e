//! Policies that the CA/Browser Forum reserves.

/// Extended, domain, organisation and individual validation (BR section 7.1.6.1).
pub(super) const RESERVED: &[&str] = &["2.23.140.1.1", "2.23.140.1.2.1", "2.23.140.1.2.2", "2.23.140.1.2.3"];
