//! Parties, certificates, operators, changes and audit, in SQLite.
