//! What header hygiene costs each request: sweeping what a client may not say, setting what is ours.
//!
//! `cargo bench -p gateway`.
#![allow(missing_docs)]

use std::hint::black_box;
use std::net::IpAddr;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use gateway::broom::{Forwarded, sweep, sweep_response};
use http::{HeaderMap, HeaderName, HeaderValue};

fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    all.iter().map(pair).collect()
}

/// As a browser asks.
const BROWSER: [(&str, &str); 12] = [
    ("host", "portal.test"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"),
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9"),
    ("cookie", "session=6f1c2d0b9e"),
    ("referer", "https://portal.test/"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
    ("upgrade-insecure-requests", "1"),
    ("cache-control", "max-age=0"),
];

/// With everything that has to go.
const FORGER: [(&str, &str); 8] = [
    ("host", "portal.test"),
    ("connection", "keep-alive, x-note"),
    ("keep-alive", "timeout=5"),
    ("client-cert", ":AAAA:"),
    ("x-ssl_client_verify", "SUCCESS"),
    ("x-forwarded-for", "10.0.0.1"),
    ("x-real-ip", "10.0.0.1"),
    ("x-note", "1"),
];

fn benches(c: &mut Criterion) {
    for (name, request) in [("a browser's request", &BROWSER[..]), ("a forger's request", &FORGER[..])] {
        let request = headers(request);
        c.bench_function(&format!("sweep {name}"), |b| {
            b.iter_batched_ref(|| request.clone(), |all| sweep(black_box(all)), BatchSize::SmallInput);
        });
        let forwarded = Forwarded::of(IpAddr::from([192, 0, 2, 7]), "portal.test", "https");
        c.bench_function(&format!("say where {name} came from"), |b| {
            b.iter_batched_ref(
                || request.clone(),
                |all| forwarded.set(black_box(all)),
                BatchSize::SmallInput,
            );
        });
    }
    let answer = headers(&[("content-type", "text/html"), ("content-length", "1024"), ("vary", "accept")]);
    c.bench_function("sweep an answer", |b| {
        b.iter_batched_ref(|| answer.clone(), |all| sweep_response(black_box(all)), BatchSize::SmallInput);
    });
    c.bench_function("make a reference", |b| b.iter(gateway::reference));
}

criterion_group!(all, benches);
criterion_main!(all);
