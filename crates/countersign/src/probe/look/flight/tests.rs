//! What is read of a first flight, message by message, and what is kept where one of them is damaged.

use super::*;

const HELLO: Hello<'static> = Hello {
    servername: None,
    alpn: &[],
    random: [0; 32],
    keys: super::super::hello::Keys::All,
    unpacks: false,
};

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

fn server_hello(version: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    let length = (extensions.len() as u16).to_be_bytes();
    message(2, &[&version[..], &[9; 32], &[0, 0xc0, 0x2b, 0], &length, extensions].concat())
}

fn certificate() -> Vec<u8> {
    message(11, &[0, 0, 9, 0, 0, 2, 1, 2, 0, 0, 1, 3])
}

/// What is seen of a server that sends these messages in one record each, then closes.
fn seen(messages: &[Vec<u8>]) -> Flight {
    let records = messages.iter().flat_map(|one| {
        let length = (one.len() as u16).to_be_bytes();
        [&[22, 3, 3], &length[..], one].concat()
    });
    let bytes: Vec<u8> = records.collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let until = Instant::now() + std::time::Duration::from_secs(60);
        flight(tokio::io::join(&bytes[..], tokio::io::sink()), &HELLO, until).await
    })
}

#[test]
fn everything_that_concerns_certificates_is_read() {
    let extensions = [
        0, 16, 0, 5, 0, 3, 2, b'h', b'2', // ALPN
        0, 18, 0, 8, 0, 6, 0, 1, 5, 0, 1, 6, // two timestamps
        0xff, 1, 0, 1, 0, // one that is of no concern
    ];
    let asks = [1, 64, 0, 4, 4, 3, 8, 4, 0, 7, 0, 2, 0x30, 0, 0, 1, 7];
    let all = [
        server_hello([3, 3], &extensions),
        certificate(),
        message(22, &[1, 0, 0, 2, 0x30, 0]),
        message(12, &[1]),
        message(13, &asks),
        message(14, &[]),
    ];
    let expected = Flight {
        version: Some(Version::Tls12),
        cipher_suite: Some(0xc02b),
        alpn: Some(b"h2".to_vec()),
        timestamps: Some(vec![0, 6, 0, 1, 5, 0, 1, 6]),
        chain: vec![vec![1, 2], vec![3]],
        staple: Some(vec![0x30, 0]),
        asks: Some(Asks {
            issuers: vec![vec![0x30, 0], vec![7]],
            issuer_octets: 7,
            certificate_types: vec![64],
            signature_algorithms: vec![0x403, 0x804],
        }),
        packed: None,
        end: End::Seen,
    };
    assert_eq!(seen(&all), expected);
}

#[test]
fn an_old_version_names_no_signature_algorithms() {
    let all = [server_hello([3, 1], &[]), certificate(), message(13, &[1, 1, 0, 0]), message(14, &[])];
    let seen = seen(&all);
    assert_eq!((seen.version, seen.end), (Some(Version::Tls10), End::Seen));
    assert_eq!(seen.asks, Some(Asks { certificate_types: vec![1], ..Asks::default() }));
}

#[test]
fn what_came_before_a_fault_is_kept() {
    let cut = seen(&[server_hello([3, 3], &[]), certificate()]);
    assert_eq!((cut.chain.len(), cut.end), (2, End::Closed));
    let damaged = seen(&[server_hello([3, 3], &[]), message(11, &[0, 0, 9, 0, 0, 2, 1, 2, 0, 0, 9, 3])]);
    assert_eq!(damaged.chain, [[1, 2]]);
    assert_eq!(damaged.end, unreadable("the server's Certificate message cannot be read".into()));
    let wrong = seen(&[server_hello([3, 4], &[])]);
    assert_eq!(
        (wrong.version, wrong.end),
        (None, unreadable("the server's ServerHello cannot be read".into()))
    );
    let odd = seen(&[server_hello([3, 3], &[]), certificate(), message(20, &[])]);
    assert_eq!(
        (odd.chain.len(), odd.end),
        (2, unreadable("the server's order of messages cannot be read".into()))
    );
}

#[test]
fn a_hundred_certificates_are_read_and_no_more() {
    for (sent, read) in [(100, 100), (101, 100)] {
        let list = [0, 0, 1, 7].repeat(sent);
        let length = (list.len() as u32).to_be_bytes();
        let chain = message(11, &[&length[1..], &list[..]].concat());
        assert_eq!(seen(&[server_hello([3, 3], &[]), chain]).chain.len(), read);
    }
}
