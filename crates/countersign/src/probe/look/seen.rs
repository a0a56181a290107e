//! What the looks at the addresses showed, as the examiner takes it.

use examiner::Thumbprint;
use examiner::chain::{Examinee, SignedTimestamp};
use examiner::seen as told;
use examiner::side::OcspResponse;
use rustls::CipherSuite;

use super::flight::{Asks, Flight, Packed};
use super::full::{After, Full};
use super::hello::Keys;
use super::{Asked, Look, Looked, RouteError, Served};

/// The host, and the chains that it serves.
pub fn looked(asked: &Asked, servername: Option<String>, more_addresses: usize, looks: Vec<Look>) -> Looked {
    let mut host =
        told::Host { name: asked.target.to_string(), servername, more_addresses, ..told::Host::default() };
    host.starttls = asked.ways.starttls.map(|protocol| protocol.name().to_owned());
    let mut chains: Vec<Served> = Vec::new();
    let mut faults = Vec::new();
    for look in looks {
        let address = look.route.shown.clone();
        // What today's clients get comes first.
        for full in [&look.tls13, &look.tls12].into_iter().flatten() {
            served(&mut chains, &full.kept.chain, full.kept.staple.as_ref(), None, &address);
        }
        if let Some(flight) = &look.flight13 {
            let timestamps =
                (flight.end == told::End::Seen).then(|| flight.timestamps.clone().unwrap_or_default());
            served(&mut chains, &flight.chain, flight.staple.as_ref(), timestamps, &address);
        }
        if let Some(clear) = &look.clear {
            let timestamps = clear.version.map(|_| clear.timestamps.clone().unwrap_or_default());
            served(&mut chains, &clear.chain, clear.staple.as_ref(), timestamps, &address);
        }
        if let Some((_, flight)) = &look.other_key {
            let timestamps = flight.version.map(|_| flight.timestamps.clone().unwrap_or_default());
            served(&mut chains, &flight.chain, flight.staple.as_ref(), timestamps, &address);
        }
        if let (Some(own), Some(seen), None) = (&asked.own, &look.own, &host.shown) {
            host.shown = Some(shown(own, seen));
        }
        host.addresses.push(told::Address {
            address,
            handshakes: handshakes(&look),
            fault: look.fault.as_ref().map(ToString::to_string),
            offers_no_tls: look.fault.as_ref().is_some_and(RouteError::is_without_tls),
            nameless: look.nameless.as_ref().map(|(chain, end)| told::Nameless {
                chain: thumbprints(chain),
                subject: chain.first().map(|der| subject(der)).unwrap_or_default(),
                end: end.clone(),
            }),
            other_key: look.other_key.as_ref().map(|(keys, flight)| other_key(*keys, &flight.chain)),
            early: (!look.early.is_empty()).then(|| text(look.early.get(..64).unwrap_or(&look.early))),
        });
        faults.extend(look.fault);
    }
    if let (Some(own), None) = (&asked.own, &host.shown) {
        let outcome = match (host.newest(), host.asks()) {
            (None, _) => told::ShownOutcome::Failed { why: "there is no handshake to show it in".into() },
            (_, None) => told::ShownOutcome::NotAsked,
            _ => told::ShownOutcome::Failed { why: "the handshake in which it would be shown failed".into() },
        };
        host.shown = Some(told::Shown { outcome, ..own.about.clone() });
    }
    Looked { host, chains, faults }
}

/// Notes that this address serves this chain.
fn served(
    all: &mut Vec<Served>,
    chain: &[Vec<u8>],
    staple: Option<&Vec<u8>>,
    timestamps: Option<Vec<u8>>,
    address: &str,
) {
    if chain.is_empty() {
        return;
    }
    match all.iter_mut().find(|one| one.certificates == chain) {
        Some(known) => {
            if !known.addresses.iter().any(|one| one == address) {
                known.addresses.push(address.to_owned());
            }
            if known.staple.is_none() {
                known.staple = staple.cloned();
            }
            if known.timestamps.as_ref().is_none_or(Vec::is_empty) {
                known.timestamps = timestamps.or(known.timestamps.take());
            }
        }
        None => all.push(Served {
            certificates: chain.to_vec(),
            staple: staple.cloned(),
            timestamps,
            addresses: vec![address.to_owned()],
        }),
    }
}

fn handshakes(look: &Look) -> Vec<told::Handshake> {
    let clear = look.clear.as_ref().map(|seen| of_clear(seen, look.tls12.as_ref()));
    let whole = look.tls13.as_ref().map(|full| told::Handshake {
        compression: look
            .flight13
            .as_ref()
            .filter(|seen| !seen.chain.is_empty())
            .map(|_| compression(look.packed)),
        ..of_full(full, look.flight13.as_ref())
    });
    clear.into_iter().chain(whole).collect()
}

/// The handshake up to TLS 1.2, with what a whole one showed beside it.
fn of_clear(seen: &Flight, whole: Option<&Full>) -> told::Handshake {
    let asks = seen.asks.as_ref().map(|asks| told::ClientCertificate {
        without: whole.map(without).unwrap_or_default(),
        ..client_certificate(asks)
    });
    told::Handshake {
        offered: told::Offer::UpToTls12,
        version: seen.version,
        cipher_suite: seen.cipher_suite.map(cipher_suite),
        alpn: seen.alpn.as_deref().map(text),
        chain: thumbprints(&seen.chain),
        is_stapled: seen.staple.is_some(),
        timestamps: seen.version.map(|_| count(seen.timestamps.as_deref())),
        stapled_timestamps: stapled_timestamps(&seen.chain, seen.staple.as_deref()),
        compression: None,
        client_certificate: asks,
        has_key: whole.and_then(|whole| whole.kept.has_key),
        end: match whole {
            // The first flight was right; what ends the rest ends the handshake, but for a certificate that is wanted.
            Some(whole) if seen.end == told::End::Seen && whole.after.is_none() => whole.end.clone(),
            _ => seen.end.clone(),
        },
    }
}

/// The handshake for TLS 1.3, with what the flight showed that a library does not take.
fn of_full(seen: &Full, flight: Option<&Flight>) -> told::Handshake {
    let flight = flight.filter(|flight| !flight.chain.is_empty());
    let has_spoken = !seen.kept.chain.is_empty() || seen.cipher_suite.is_some() || flight.is_some();
    let chain = match (seen.kept.chain.as_slice(), flight) {
        ([], Some(flight)) => &flight.chain,
        _ => &seen.kept.chain,
    };
    told::Handshake {
        offered: told::Offer::Tls13,
        version: has_spoken.then_some(told::Version::Tls13),
        cipher_suite: seen.cipher_suite.map(cipher_suite),
        alpn: seen.alpn.as_deref().map(text),
        chain: thumbprints(chain),
        is_stapled: seen.kept.staple.is_some() || flight.is_some_and(|flight| flight.staple.is_some()),
        timestamps: flight.map(|flight| count(flight.timestamps.as_deref())),
        stapled_timestamps: stapled_timestamps(
            chain,
            seen.kept.staple.as_deref().or_else(|| flight?.staple.as_deref()),
        ),
        compression: None,
        client_certificate: seen.asks.as_ref().map(|heard| told::ClientCertificate {
            without: without(seen),
            ..client_certificate(&heard.asks)
        }),
        has_key: seen.kept.has_key,
        end: if seen.after.is_some() { told::End::Seen } else { seen.end.clone() },
    }
}

fn without(seen: &Full) -> told::Without {
    match seen.after {
        None => told::Without::Unknown,
        Some(After::Stands) => told::Without::Taken,
        Some(After::Answered(status)) => told::Without::Answered { status },
        Some(After::Ended(alert)) => told::Without::Refused { alert },
    }
}

/// What came of showing our certificate.
fn shown(own: &super::Own, seen: &Full) -> told::Shown {
    let Some(heard) = &seen.asks else {
        let outcome = match seen.end {
            told::End::Seen => told::ShownOutcome::NotAsked,
            ref end => told::ShownOutcome::Failed { why: end.to_string() },
        };
        return told::Shown { outcome, ..own.about.clone() };
    };
    let names = &heard.asks.issuers;
    let outcome = match (heard.is_key_taken, &seen.after) {
        (Some(false), _) => told::ShownOutcome::NotOffered,
        (_, Some(After::Stands)) => told::ShownOutcome::Taken,
        (_, Some(After::Answered(status))) => told::ShownOutcome::Answered { status: *status },
        (_, Some(After::Ended(alert))) => told::ShownOutcome::Refused { alert: *alert },
        (_, None) => told::ShownOutcome::Failed { why: seen.end.to_string() },
    };
    told::Shown {
        is_issuer_named: (!names.is_empty()).then(|| own.issuers.iter().any(|one| names.contains(one))),
        is_key_taken: heard.is_key_taken,
        outcome,
        ..own.about.clone()
    }
}

fn client_certificate(asks: &Asks) -> told::ClientCertificate {
    told::ClientCertificate {
        issuers: asks.issuers.iter().map(|der| told::name_of(der)).collect(),
        issuer_octets: asks.issuer_octets,
        signature_algorithms: asks.signature_algorithms.iter().map(|one| signature_scheme(*one)).collect(),
        certificate_types: asks.certificate_types.iter().map(|one| certificate_type(*one)).collect(),
        without: told::Without::Unknown,
    }
}

/// A signature algorithm by its registered name (RFC 8446 section 4.2.3, RFC 8734), else its number.
fn signature_scheme(number: u16) -> String {
    let name = match number {
        0x0201 => "rsa_pkcs1_sha1",
        0x0203 => "ecdsa_sha1",
        0x0401 => "rsa_pkcs1_sha256",
        0x0403 => "ecdsa_secp256r1_sha256",
        0x0501 => "rsa_pkcs1_sha384",
        0x0503 => "ecdsa_secp384r1_sha384",
        0x0601 => "rsa_pkcs1_sha512",
        0x0603 => "ecdsa_secp521r1_sha512",
        0x0804 => "rsa_pss_rsae_sha256",
        0x0805 => "rsa_pss_rsae_sha384",
        0x0806 => "rsa_pss_rsae_sha512",
        0x0807 => "ed25519",
        0x0808 => "ed448",
        0x0809 => "rsa_pss_pss_sha256",
        0x080a => "rsa_pss_pss_sha384",
        0x080b => "rsa_pss_pss_sha512",
        0x081a => "ecdsa_brainpoolP256r1tls13_sha256",
        0x081b => "ecdsa_brainpoolP384r1tls13_sha384",
        0x081c => "ecdsa_brainpoolP512r1tls13_sha512",
        other => return format!("0x{other:04x}"),
    };
    name.to_owned()
}

/// A type of client certificates by its registered name (RFC 5246 section 7.4.4, RFC 8422 section 5.5), else its number.
fn certificate_type(number: u8) -> String {
    match number {
        1 => "rsa_sign".into(),
        2 => "dss_sign".into(),
        64 => "ecdsa_sign".into(),
        other => other.to_string(),
    }
}

fn compression(packed: Option<Packed>) -> told::Compression {
    match packed {
        None => told::Compression::None,
        Some(Packed { algorithm, packed, unpacked }) => {
            let name = match algorithm {
                1 => "zlib".to_owned(),
                2 => "brotli".to_owned(),
                3 => "zstd".to_owned(),
                other => format!("algorithm {other}"),
            };
            told::Compression::By { algorithm: name, packed, unpacked }
        }
    }
}

fn other_key(keys: Keys, chain: &[Vec<u8>]) -> told::OtherKey {
    let first = chain.first().map(|der| Examinee::read(der.as_slice()));
    let not_after = first.as_ref().and_then(|first| first.not_after);
    told::OtherKey {
        kind: if keys == Keys::Rsa { "RSA" } else { "ECDSA" }.to_owned(),
        chain: thumbprints(chain),
        subject: chain.first().map(|der| subject(der)).unwrap_or_default(),
        not_after: not_after.map(|time| time.to_string()).unwrap_or_default(),
    }
}

/// How many timestamps are in the stapled response for the first certificate.
fn stapled_timestamps(chain: &[Vec<u8>], staple: Option<&[u8]>) -> usize {
    let first = chain.first().map(|der| Examinee::read(der.as_slice()));
    let response = staple.and_then(|der| OcspResponse::from_der(der).ok());
    let list = first.zip(response).and_then(|(first, response)| response.timestamps_for(&first));
    list.map_or(0, |all| all.len())
}

/// A cipher suite by its registered name (RFC 8446 appendix B.4), else its number.
fn cipher_suite(number: u16) -> String {
    let name = format!("{:?}", CipherSuite::from(number)).replacen("TLS13_", "TLS_", 1);
    if name.contains('(') { format!("0x{number:04x}") } else { name }
}

/// How many timestamps are in a list of them.
fn count(list: Option<&[u8]>) -> usize {
    list.and_then(|list| SignedTimestamp::sent(list).ok()).map_or(0, |all| all.len())
}

fn subject(der: &[u8]) -> String {
    Examinee::read(der).subject.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn text(octets: &[u8]) -> String {
    octets.escape_ascii().to_string()
}

fn thumbprints(chain: &[Vec<u8>]) -> Vec<String> {
    chain.iter().map(|der| Thumbprint::of(der).to_string()).collect()
}
