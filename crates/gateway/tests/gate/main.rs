//! The gate over real sockets.

mod answers;
mod challenges;
mod crowding;
mod deadlines;
mod draining;
mod entering;
mod grpc;
mod hints;
mod http1_table;
mod http2_floods;
mod http2_rfc;
mod http2_table;
mod limits;
mod logged;
mod manners;
mod path_table;
mod peer;
mod plain;
mod retiring;
mod strangers;
mod told;
mod unwanted_bodies;
mod upstreams;
mod upstreams_spoken;
mod websockets;
mod world;
