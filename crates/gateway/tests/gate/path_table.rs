//! Rules for paths under every spelling of a path (docs/security.md, H55), over HTTP/1.1 and HTTP/2, judged by what the
//! upstream received.
//!
//! At `open.test` alice may enter all but `/admin`, which is bob's; `/health` is open to everybody.

use std::time::Duration;

use policy::{ClientAuth, NormalPath, PathRule, Principal};
use testkit::client::frames::{block, flag, frame, kind};
use testkit::{Client, Fate};

use crate::world::{World, party};

const PATIENCE: Duration = Duration::from_secs(20);

/// What becomes of a target that alice, or nobody, asks for.
#[derive(Clone, Copy, Debug)]
enum Must {
    /// It is bob's, or for admitted parties alone: 403, and no upstream hears of it.
    Refuse,
    /// Two programs could read it differently: 400, and no upstream hears of it.
    Ambiguous,
    /// It reaches the upstream as this, and as nothing else.
    Go(&'static str),
}
use Must::{Ambiguous, Go, Refuse};

/// As it was sent.
fn same(target: &'static str) -> (&'static [u8], Must) {
    (target.as_bytes(), Go(target))
}

/// Targets of alice's.
fn alices() -> Vec<(&'static [u8], Must)> {
    let mut all: Vec<(&'static [u8], Must)> = vec![
        // Plain, and what only looks like it.
        (b"/admin", Refuse),
        (b"/admin/", Refuse),
        (b"/admin/x", Refuse),
        (b"/admin?x=1", Refuse),
        same("/other"),
        same("/administrator"),
        same("/ADMIN"),
        same("/other?x=/../admin"),
        same("/other?x=%2e%2e/admin;y"),
        same("/other/admin"),
        same("/admin."),
        // Escapes, in either case of their digits.
        (b"/%61dmin", Refuse),
        (b"/%61%64%6d%69%6e", Refuse),
        (b"/%61%64%6D%69%6E/x", Refuse),
        (b"/admi%6e", Refuse),
        (b"/admi%6E?x", Refuse),
        (b"/%41dmin", Go("/Admin")),
        (b"/%6fther", Go("/other")),
        (b"/caf%c3%a9", Go("/caf%C3%A9")),
        (b"/other%20x", Go("/other%20x")),
        (b"/other%3fx", Go("/other%3Fx")),
        (b"/other%3F/../admin", Refuse),
        (b"/other%23x", Go("/other%23x")),
        // Dot segments.
        (b"/./admin", Refuse),
        (b"/other/../admin", Refuse),
        (b"/other/./../admin", Refuse),
        (b"/a/b/../../admin/.", Refuse),
        (b"/admin/x/..", Refuse),
        (b"/admin/../admin", Refuse),
        (b"/other/%2e%2e/admin", Refuse),
        (b"/other/%2E%2e/admin", Refuse),
        (b"/other/.%2e/admin", Refuse),
        (b"/other/%2E./admin", Refuse),
        (b"/%2e/admin", Refuse),
        (b"/admin/../other", Go("/other")),
        (b"/admin/%2e%2e/other", Go("/other")),
        (b"/other/.", Go("/other/")),
        (b"/other/x/..", Go("/other/")),
        same("/other/..."),
        same("/other/..x"),
        (b"/..", Ambiguous),
        (b"/../admin", Ambiguous),
        (b"/other/../../admin", Ambiguous),
        (b"/%2e%2e/admin", Ambiguous),
        // Escapes of escapes.
        (b"/%2561dmin", Ambiguous),
        (b"/%252e%252e/admin", Ambiguous),
        (b"/other/%252e%252e%252fadmin", Ambiguous),
        (b"/%25%36%31dmin", Ambiguous),
        (b"/%%361dmin", Ambiguous),
        // Escapes that are none.
        (b"/%", Ambiguous),
        (b"/admin%", Ambiguous),
        (b"/%6", Ambiguous),
        (b"/%zz", Ambiguous),
        (b"/%u0061dmin", Ambiguous),
        (b"/%-1", Ambiguous),
        (b"/%+1", Ambiguous),
        // Slashes.
        (b"//admin", Refuse),
        (b"///admin//x", Refuse),
        (b"/.//admin", Refuse),
        (b"/other//../admin", Refuse),
        (b"//other", Go("/other")),
        (b"/other//x", Go("/other/x")),
        (b"/admin//../other", Go("/other")),
        (b"/%2fadmin", Ambiguous),
        (b"/%2Fadmin", Ambiguous),
        (b"/admin%2f", Ambiguous),
        (b"/admin%2fx", Ambiguous),
        (b"/other/..%2fadmin", Ambiguous),
        (b"/other/%2e%2e%2Fadmin", Ambiguous),
        // Parameters of segments.
        (b"/admin;x", Ambiguous),
        (b"/admin;", Ambiguous),
        (b"/admin;x/y", Ambiguous),
        (b"/admin%3bx", Ambiguous),
        (b"/admin%3B", Ambiguous),
        (b"/;/admin", Ambiguous),
        (b"/;x/admin", Ambiguous),
        (b"/other/..;/admin", Ambiguous),
        (b"/other/..;x/admin", Ambiguous),
        (b"/other/.;/admin", Ambiguous),
        (b"/other/%2e%2e;/admin", Ambiguous),
        (b"/other/..%3b/admin", Ambiguous),
        (b"/other;x/../admin", Refuse),
        (b"/other/../admin;x", Ambiguous),
        same("/other;x"),
        same("/other;x=1/y;z"),
        // Backslashes.
        (b"/\\admin", Ambiguous),
        (b"\\admin", Ambiguous),
        (b"/admin\\x", Ambiguous),
        (b"/other\\..\\admin", Ambiguous),
        (b"/other/..\\admin", Ambiguous),
        (b"/%5cadmin", Ambiguous),
        (b"/other%5C..%5cadmin", Ambiguous),
        // Controls.
        (b"/admin\0", Ambiguous),
        (b"/\0admin", Ambiguous),
        (b"/admin\t", Ambiguous),
        (b"/ad\x7fmin", Ambiguous),
        (b"/admin%00", Ambiguous),
        (b"/%00/admin", Ambiguous),
        (b"/admin%00.html", Ambiguous),
        (b"/admin%09", Ambiguous),
        (b"/admin%0a", Ambiguous),
        (b"/other%0d%0aX: y", Ambiguous),
        (b"/admin%7F", Ambiguous),
        // UTF-8 that is none, or longer than it must be.
        (b"/%c0%afadmin", Ambiguous),
        (b"/other%C0%AF..%c0%afadmin", Ambiguous),
        (b"/other/%c0%ae%c0%ae/admin", Ambiguous),
        (b"/%e0%80%afadmin", Ambiguous),
        (b"/%f0%80%80%afadmin", Ambiguous),
        (b"/%c1%a1dmin", Ambiguous),
        (b"/%ff", Ambiguous),
        (b"/%c3", Ambiguous),
        (b"/%ed%a0%80", Ambiguous),
        // Letters that only look like others are other letters.
        (b"/%ef%bc%8fadmin", Go("/%EF%BC%8Fadmin")),
        (b"/%ef%bd%81dmin", Go("/%EF%BD%81dmin")),
        // No path from the root.
        (b"admin", Ambiguous),
        (b"*", Ambiguous),
        (b"/*", Go("/*")),
        // A fragment is no part of what is asked for.
        (b"/admin#x", Refuse),
        (b"/other#/../admin", Go("/other")),
        (b"/admin%23/../other", Go("/other")),
        // Some at once.
        (b"//%61dmin/./x/", Refuse),
        (b"/other/%2e/..//%61d%6Din?;", Refuse),
        (b"/./%2e/;x/..//admin", Ambiguous),
        (b"/other/%2e%2e//..;/admin", Ambiguous),
    ];
    all.sort_unstable_by_key(|(target, _)| *target);
    all.dedup_by_key(|(target, _)| *target);
    all
}

/// Targets of somebody without a certificate.
const NOBODYS: &[(&[u8], Must)] = &[
    (b"/health", Go("/health")),
    (b"/health/x?y", Go("/health/x?y")),
    (b"/%68ealth", Go("/health")),
    (b"//health/.", Go("/health/")),
    (b"/other/../health", Go("/health")),
    (b"/", Refuse),
    (b"/other", Refuse),
    (b"/healthy", Refuse),
    (b"/Health", Refuse),
    (b"/health.", Refuse),
    (b"/health/..", Refuse),
    (b"/health/../other", Refuse),
    (b"/health/%2e%2E/other", Refuse),
    (b"/health/x/../../admin", Refuse),
    (b"/health%20", Refuse),
    (b"/health/..;/other", Ambiguous),
    (b"/health;/../other", Refuse),
    (b"/health;x", Ambiguous),
    (b"/health%2f..%2fother", Ambiguous),
    (b"/health/..%2fother", Ambiguous),
    (b"/health\\..\\other", Ambiguous),
    (b"/health%5c..%5cother", Ambiguous),
    (b"/health%00/../other", Ambiguous),
    (b"/health/%252e%252e/other", Ambiguous),
    (b"/health/%c0%ae%c0%ae/other", Ambiguous),
    (b"/health/../../other", Ambiguous),
    (b"*", Ambiguous),
];

/// Absolute forms, as HTTP/1.1 alone has them (RFC 9112 section 3.2.2).
const ABSOLUTE: &[(&[u8], Must)] = &[
    (b"https://open.test/admin", Refuse),
    (b"https://open.test//admin", Refuse),
    (b"https://open.test/other/../admin", Refuse),
    (b"https://open.test/%61dmin?x", Refuse),
    (b"HTTPS://OPEN.TEST/admin", Refuse),
    (b"http://open.test/admin", Refuse),
    (b"https://open.test/admin;x", Ambiguous),
    (b"https://open.test/other/..%2fadmin", Ambiguous),
    (b"https://open.test/../admin", Ambiguous),
    (b"https://open.test\\admin", Ambiguous),
    (b"https://open.test/other", Go("/other")),
    (b"https://open.test", Go("/")),
    (b"https://open.test?/admin", Go("/?/admin")),
];

/// Every path that some program behind the gate may take this target for: decoded once or twice, with and without
/// parameters, backslashes as slashes, cut at a NUL, dot segments and empty ones resolved.
fn readings(target: &str) -> Vec<String> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, more @ ..] = rest {
            let escaped = more.get(..2).filter(|_| *first == b'%');
            let escaped =
                escaped.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
            bytes.push(escaped.unwrap_or(*first));
            rest = if escaped.is_some() { &more[2..] } else { more };
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let path = target.split(['?', '#']).next().unwrap_or_default().to_owned();
    let once = decode(&path);
    let mut all = vec![path, once.clone(), decode(&once)];
    let resolve = |text: &str| {
        let text = text.split('\0').next().unwrap_or_default().replace('\\', "/");
        let mut kept: Vec<&str> = Vec::new();
        for segment in text.split('/') {
            match segment.split(';').next().unwrap_or_default() {
                "" | "." => {}
                ".." => drop(kept.pop()),
                other => kept.push(other),
            }
        }
        format!("/{}", kept.join("/"))
    };
    all.extend(all.clone().iter().map(|text| resolve(text)));
    all
}

fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ';', '?']))
}

async fn over_http1(world: &World, client: &Client, target: &[u8]) -> Option<u16> {
    let mut conn = client.connect(world.port(), "open.test").await.unwrap();
    let method = if target == b"*" { &b"OPTIONS"[..] } else { b"GET" };
    let head = [method, b" ", target, b" HTTP/1.1\r\nHost: open.test\r\n\r\n"].concat();
    conn.send_raw(&head).await.unwrap();
    conn.read_head().await.ok().map(|answer| answer.status)
}

async fn over_http2(world: &World, client: &Client, target: &[u8]) -> Option<u16> {
    let mut conn = client.open_frames(world.port(), "open.test").await.unwrap();
    let method = if target == b"*" { &b"OPTIONS"[..] } else { b"GET" };
    let fields: [(&str, &[u8]); 4] =
        [(":method", method), (":scheme", b"https"), (":authority", b"open.test"), (":path", target)];
    let flags = flag::END_STREAM | flag::END_HEADERS;
    conn.send(&frame(kind::HEADERS, flags, 1, &block(&fields))).await.unwrap();
    match conn.fate(1, PATIENCE).await {
        Fate::Answer(status) => Some(status),
        // Malformed (RFC 9113 section 8.1.1).
        Fate::Reset(1) => Some(400),
        other => panic!("{}: {other:?}", String::from_utf8_lossy(target)),
    }
}

fn ruled() -> World {
    let world = World::new();
    let admin = PathRule {
        prefix: NormalPath::parse("/admin").unwrap(),
        allow: Some(vec![Principal::parse("bob").unwrap()]),
        deny: None,
        client_auth: ClientAuth::Required,
    };
    let bob = party("bob", &["open.test"]);
    world.apply_site("open.test", vec![bob], |site| site.paths.push(admin), |_| {});
    world
}

/// Sends it and holds against it what was answered and what the upstream saw.
async fn held(
    world: &World,
    client: &Client,
    http2: bool,
    target: &[u8],
    must: Must,
    kept: &str,
) -> Vec<String> {
    let before = world.echo.count();
    let status = match http2 {
        false => over_http1(world, client, target).await,
        true => over_http2(world, client, target).await,
    };
    let seen: Vec<String> =
        world.echo.requests().split_off(before as usize).into_iter().map(|one| one.target).collect();
    let what = format!(
        "{} over HTTP/{}: {must:?}, but {status:?} and the upstream saw {seen:?}",
        String::from_utf8_lossy(target).escape_debug(),
        if http2 { "2" } else { "1.1" },
    );
    let fits = match must {
        Refuse => status == Some(403) && seen.is_empty(),
        Ambiguous => status == Some(400) && seen.is_empty(),
        Go(path) => status == Some(200) && seen == [path],
    };
    let mut wrong = Vec::new();
    if !fits {
        wrong.push(what.clone());
    }
    let outside = |path: &String| match kept {
        "" => !is_under(path, "/health"),
        kept => is_under(path, kept),
    };
    if seen.iter().flat_map(|target| readings(target)).any(|path| outside(&path)) {
        wrong.push(format!("{what}: it can be read as another path"));
    }
    wrong
}

#[tokio::test]
async fn a_rule_for_a_path_holds_under_every_spelling_of_it() {
    let world = ruled();
    let alice = world.client().showing(&world.alice);
    let bob = world.client().showing(&world.bob);
    assert_eq!(over_http1(&world, &bob, b"/admin/x").await, Some(200));
    assert_eq!(over_http2(&world, &bob, b"/other/..//%61dmin").await, Some(200));
    let seen: Vec<String> = world.echo.requests().into_iter().map(|one| one.target).collect();
    assert_eq!(seen, ["/admin/x", "/admin"], "what the rule was asked about is what goes on");

    let mut wrong = Vec::new();
    let rows = alices();
    assert!(rows.len() >= 110, "{}", rows.len());
    for http2 in [false, true] {
        for (target, must) in &rows {
            wrong.extend(held(&world, &alice, http2, target, *must, "/admin").await);
        }
        for (target, must) in NOBODYS {
            wrong.extend(held(&world, &world.client(), http2, target, *must, "").await);
        }
    }
    for (target, must) in ABSOLUTE {
        wrong.extend(held(&world, &alice, false, target, *must, "/admin").await);
        // In HTTP/2 a path is never absolute (RFC 9113 section 8.3.1).
        wrong.extend(held(&world, &alice, true, target, Ambiguous, "/admin").await);
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
