//! The gate over real sockets.

mod answers;
mod deadlines;
mod draining;
mod entering;
mod hints;
mod logged;
mod strangers;
mod world;
