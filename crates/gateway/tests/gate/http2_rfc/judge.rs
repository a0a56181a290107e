//! Carries a case out and holds against it what came.

use testkit::client::frames::{flag, kind};
use testkit::{Fate, H2Frames, Heard};

use super::case::*;
use super::deviations;
use crate::world::World;

async fn serves(conn: &mut H2Frames) -> Result<(), String> {
    conn.send(&[ping(), get(999)].concat()).await.map_err(|error| error.to_string())?;
    let mut ponged = false;
    loop {
        match conn.next(PATIENCE).await {
            Heard::Frame(one) if one.kind == kind::PING && one.payload == b"eightbyt" => {
                ponged |= one.flags == flag::ACK;
            }
            Heard::Frame(one) if one.stream == 999 && one.kind == kind::HEADERS => {
                // Its answer may overtake the PING's.
                if !one.payload.iter().take(6).any(|byte| *byte == 0x88) {
                    return Err(format!("another answer than 200: {one:?}"));
                }
                let is_over = |one: &testkit::client::frames::Frame| one.flags & 1 != 0;
                if is_over(&one) && ponged {
                    return Ok(());
                }
                while !ponged {
                    match conn.next(PATIENCE).await {
                        Heard::Frame(one) => ponged = one.kind == kind::PING && one.flags == flag::ACK,
                        other => return Err(format!("no answer to the PING: {other:?}")),
                    }
                }
                return Ok(());
            }
            Heard::Frame(one) if one.kind == kind::GOAWAY => return Err(format!("{one:?}")),
            Heard::Frame(_) => {}
            other => return Err(format!("{other:?}")),
        }
    }
}

pub(super) async fn run(world: &World, case: &Case) -> Result<(), String> {
    let alice = world.client().showing(&world.alice);
    let mut conn = alice.open_frames(world.port(), "portal.test").await.map_err(|error| error.to_string())?;
    conn.send(&case.first).await.map_err(|error| error.to_string())?;
    if let Some(then) = &case.then {
        conn.fate(1, PATIENCE).await;
        conn.send(then).await.map_err(|error| error.to_string())?;
    }
    let fate = match &case.must {
        Serve => return serves(&mut conn).await,
        Answer => {
            return match conn.fate(1, PATIENCE).await {
                Fate::Answer(200) => serves(&mut conn).await,
                other => Err(format!("{other:?}")),
            };
        }
        // What ends the connection may come behind an answer.
        End(_) => loop {
            match conn.fate(u32::MAX, PATIENCE).await {
                Fate::Answer(_) => {}
                other => break other,
            }
        },
        Reset(stream, _) => loop {
            match conn.fate(*stream, PATIENCE).await {
                // The end may come behind the answer that was on its way.
                Fate::Answer(200) => {}
                other => break other,
            }
        },
        Malformed => conn.fate(1, PATIENCE).await,
    };
    let fits = match (&case.must, fate) {
        (End(_) | Reset(..), Fate::Closed) => true,
        (End(codes), Fate::GoAway(code)) | (Reset(_, codes), Fate::Reset(code) | Fate::GoAway(code)) => {
            codes.contains(&code) || deviations::holds(case, code)
        }
        (Malformed, Fate::Reset(code) | Fate::GoAway(code)) => code == PROTOCOL,
        (Malformed, fate) => matches!(fate, Fate::Answer(400..500) | Fate::Closed),
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("{fate:?}")) }
}
