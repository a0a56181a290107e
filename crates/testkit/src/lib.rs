//! For tests only: a small CA, parties, worlds, an echo upstream that counts.
