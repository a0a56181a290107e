//! The examiner finds no error in five hundred chains that are as they ought to be.
//!
//! Keys, depth, names, usages, constraints, policies and cross-signing differ from chain to chain; which chain has which
//! follows from its number alone.

use examiner::chain::{Chain, Examinee, ders};
use examiner::profile::{PeerName, Profile};
use examiner::report::Severity;
use examiner::{Question, examine};
use testkit::times::{DAY, NOW};
use testkit::{CaBuilder, KeyType, Leaf, TestCa, TestKey};

const CHAINS: u64 = 500;

/// Keys made once: RSA keys take long, and who holds which key is nothing that a chain is judged by.
struct Keys(Vec<TestKey>);

impl Keys {
    fn new() -> Self {
        let kinds = [
            KeyType::P256,
            KeyType::P384,
            KeyType::Rsa2048,
            KeyType::P256,
            KeyType::Ed25519,
            KeyType::Rsa2048,
        ];
        Self(kinds.into_iter().map(TestKey::new).collect())
    }

    fn pick(&self, number: u64) -> &TestKey {
        &self.0[usize::try_from(number).unwrap() % self.0.len()]
    }
}

/// Choices that follow from a number.
struct Choices(u64);

impl Choices {
    fn of(&mut self, count: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % count
    }

    fn yes(&mut self) -> bool {
        self.of(2) == 0
    }
}

struct Made {
    served: Vec<u8>,
    anchor: Vec<u8>,
    profile: Profile,
    host: Option<PeerName>,
}

/// The chain of this number.
fn made(number: u64, keys: &Keys) -> Made {
    let mut choose = Choices(number);
    let is_client = choose.yes();
    let depth = 1 + choose.of(4);
    let ca = |title: &str, key: u64| -> CaBuilder {
        TestCa::build(title)
            .subject(&[("C", "NL"), ("O", "Chains"), ("CN", title)])
            .key(keys.pick(key))
            .valid(NOW.plus(-400 * DAY), NOW.plus(2000 * DAY))
    };
    let root = ca(&format!("Root {number}"), choose.of(4)).root();
    let constrained = choose.of(3) == 0;
    let (mut issuer, mut top) = (root.clone(), None);
    for level in 1..depth {
        let mut one = ca(&format!("CA {level} of {number}"), choose.of(6));
        if choose.yes() {
            one = one.path_length(u8::try_from(depth - 1 - level).unwrap());
        }
        if !is_client && level + 1 == depth && choose.yes() {
            one = one.for_servers_only();
        }
        if constrained && level == 1 {
            one = one.permit_dns("chains.example.com").exclude_dns("never.chains.example.com");
            one = one.permit_email("chains.example.com");
        }
        top = top.or(Some(one.clone()));
        issuer = one.under(&issuer);
    }
    let (leaf, host) = if is_client { client(number, &mut choose) } else { server(number, &mut choose) };
    let leaf = leaf
        .key(keys.pick(choose.of(6)))
        .valid(NOW.plus(-10 * DAY), NOW.plus(80 * DAY))
        .crl_url("http://crl.chains.example.com/list.crl");
    let leaf = match choose.of(3) {
        // One policy of our own.
        0 => leaf.extension("2.5.29.32", false, &[0x30, 8, 0x30, 6, 6, 4, 0x2a, 3, 4, 5]),
        _ => leaf,
    };
    let mut served = leaf.issued_by(&issuer).chain_pem;
    // The highest intermediate certified by a second root that nobody here trusts.
    if let Some(top) = top.filter(|_| choose.of(4) == 0) {
        let other = ca(&format!("Other root {number}"), choose.of(4)).root();
        served += &top.under(&other).pem();
    }
    let profile = if is_client { Profile::MtlsClient } else { Profile::PrivateServer };
    Made { served: served.into_bytes(), anchor: root.der().to_vec(), profile, host }
}

fn server(number: u64, choose: &mut Choices) -> (Leaf, Option<PeerName>) {
    let name = format!("www{number}.chains.example.com");
    let leaf = Leaf::server(&name).subject(&[("O", "Chains"), ("CN", &name)]);
    let leaf = if choose.yes() { leaf.both_usages() } else { leaf.server_usage() };
    let leaf = match choose.of(4) {
        0 => leaf,
        1 => leaf.dns("api.chains.example.com").dns("chains.example.com"),
        2 => leaf.dns("*.apps.chains.example.com"),
        _ => leaf.ip([198, 51, 100, 7].into()).ip("2001:db8::7".parse().unwrap()),
    };
    (leaf, Some(PeerName::host(&name)))
}

fn client(number: u64, choose: &mut Choices) -> (Leaf, Option<PeerName>) {
    let name = format!("client-{number}");
    let leaf = Leaf::new(&name).subject(&[("O", "Chains"), ("CN", &name)]);
    let leaf = match choose.of(3) {
        0 => leaf.email(&format!("{name}@chains.example.com")),
        1 => leaf.uri(&format!("spiffe://chains.example.com/{name}")),
        _ => leaf.dns(&format!("{name}.chains.example.com")),
    };
    (leaf, None)
}

fn read(bytes: &[u8]) -> Vec<Examinee> {
    ders(bytes).expect("certificates").into_iter().map(Examinee::read).collect()
}

#[test]
fn no_error_is_found_in_five_hundred_well_formed_chains() {
    let keys = Keys::new();
    let (mut wrong, mut certificates) = (Vec::new(), 0);
    for number in 0..CHAINS {
        let Made { served, anchor, profile, host } = made(number, &keys);
        let chain = Chain::served(read(&served)).with_anchors(read(&anchor));
        certificates += chain.all().count();
        // RFC 5280 alone is looked at for servers.
        let profiles = if host.is_some() { vec![profile, Profile::Rfc5280] } else { vec![profile] };
        for profile in profiles {
            let question = Question { profile: Some(profile), at: NOW, host: host.clone() };
            let report = examine(&chain, &question);
            let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
            wrong.extend(
                errors.map(|e| format!("{number} {profile}: {} at {}: {}", e.id, e.index, e.observed)),
            );
        }
    }
    println!("no error expected in {CHAINS} chains of {certificates} certificates");
    assert!(wrong.is_empty(), "{} errors:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}
