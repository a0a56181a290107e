//! Bodies larger than any memory pass in constant memory, both ways.

use testkit::Portal;

use crate::support::{SITE, assert_descriptors_return, binary, block_on, forget_peak, long, numbers};

/// Kilobytes that the gate's peak may lie over what it had before.
const ROOM_KB: u64 = 24 * 1024;

async fn upload(portal: &Portal, bytes: u64) {
    let mut conn = portal.client_as("alice").connect(portal.port, SITE).await.unwrap();
    let length = bytes.to_string();
    conn.send_request("POST", "/sink", &[("Content-Length", &length)], b"").await.unwrap();
    let block = vec![b'u'; 1 << 20];
    for _ in 0..bytes >> 20 {
        conn.send_raw(&block).await.unwrap();
    }
    let head = conn.read_head().await.unwrap();
    assert_eq!(head.status, 200);
    let mut told = String::new();
    while !told.contains('}') {
        told += &String::from_utf8(conn.read_some().await.unwrap()).unwrap();
    }
    assert!(told.contains(&format!("\"body_len\":{bytes}}}")), "{told}");
}

async fn download(portal: &Portal, bytes: u64) {
    let mut conn = portal.client_as("alice").connect(portal.port, SITE).await.unwrap();
    conn.send_request("GET", &format!("/bytes?n={bytes}"), &[], b"").await.unwrap();
    assert_eq!(conn.read_head().await.unwrap().status, 200);
    let mut got = 0;
    while got < bytes {
        let some = conn.read_some().await.unwrap();
        assert!(!some.is_empty(), "ended after {got}");
        got += some.len() as u64;
    }
    assert_eq!(got, bytes);
}

#[test]
fn bodies_of_any_size_pass_both_ways_in_constant_memory() {
    let portal = Portal::start(&binary());
    let bytes: u64 = if long() { 5 << 30 } else { 256 << 20 };
    block_on(async {
        upload(&portal, 16 << 20).await;
        download(&portal, 16 << 20).await;
        for (what, up) in [("upload", true), ("download", false)] {
            forget_peak(&portal);
            let before = numbers(&portal);
            if up {
                upload(&portal, bytes).await
            } else {
                download(&portal, bytes).await
            }
            let after = numbers(&portal);
            println!(
                "{what} of {bytes} bytes: peak {} kB before, {} kB after",
                before.peak_kb, after.peak_kb
            );
            assert!(after.peak_kb < before.resident_kb + ROOM_KB, "{what}: {before:?}, then {after:?}");
            assert_descriptors_return(&portal, before, what);
        }
        let nobody = portal.client().knock(portal.port, SITE, "/bytes?n=1").await;
        assert_ne!(nobody.map_or(0, |answer| answer.status), 200);
    });
}
