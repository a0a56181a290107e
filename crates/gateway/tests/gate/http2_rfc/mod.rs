//! What RFC 9113 (HTTP/2), RFC 7541 (HPACK) and RFC 8441 (extended CONNECT) say a server must do, one case a clause, at
//! the level of frames.
//!
//! A connection error may be a GOAWAY, and may also just end the connection (RFC 9113 section 5.4.1); a stream error
//! may be treated as one of the connection (section 5.4.2). What is malformed may be answered before (section 8.1.1).
//! Where the RFC names a code, no other passes but for those in [`deviations`].

mod blocks;
mod case;
mod deviations;
mod ends;
mod frames;
mod judge;
mod messages;
mod settings;
mod streams;
mod windows;

use crate::world::World;
use case::{Case, Malformed};

#[tokio::test]
async fn every_must_of_the_specifications_is_kept() {
    let world = World::new();
    let all =
        [frames::frames(), settings::settings(), streams::streams(), blocks::blocks(), messages::messages()];
    let cases: Vec<Case> = all.into_iter().flatten().collect();
    assert!(cases.len() >= 198, "{}", cases.len());
    let mut failed = deviations::unfit(&cases);
    for case in &cases {
        let before = world.echo.count();
        if let Err(what) = judge::run(&world, case).await {
            failed.push(format!("RFC {}: {}: must {:?}, but {what}", case.clause, case.what, case.must));
        }
        if matches!(case.must, Malformed) && world.echo.count() != before {
            failed.push(format!("RFC {}: {}: an upstream heard of it", case.clause, case.what));
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
}
