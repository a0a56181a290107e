//! How much is asked for one chain. What comes of it is shown by the scenarios, against real servers.

use std::net::TcpListener;

use testkit::{Access, Leaf, TestCa};

use super::*;

/// The address of a port where nobody listens.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn asked(certificates: Vec<Examinee>) -> Vec<Asked> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(fetch(&Chain::given(certificates), everywhere())).asked
}

/// A certificate that names so many addresses of its issuer and so many lists.
fn naming(ca: &TestCa, at: &str, issuers: usize, lists: usize) -> Examinee {
    let urls: Vec<String> = (0..issuers).map(|i| format!("{at}/{i}.cer")).collect();
    let access: Vec<(Access, &str)> = urls.iter().map(|url| (Access::Issuer, url.as_str())).collect();
    let leaf = Leaf::server("www.example.com").access(&access);
    let leaf = (0..lists).fold(leaf, |leaf, i| leaf.crl_url(&format!("{at}/{i}.crl")));
    Examinee::read(leaf.issued_by(ca).der)
}

#[test]
fn of_one_kind_a_certificate_names_four_addresses_that_are_asked() {
    let (ca, at) = (TestCa::new("Some CA"), closed());
    for (named, expected) in [(3, 3), (4, 4), (5, 4), (40, 4)] {
        let all = asked(vec![naming(&ca, &at, named, named)]);
        for sought in [Sought::Issuer, Sought::RevocationList] {
            let these = all.iter().filter(|one| one.sought == sought).count();
            assert_eq!(these, expected, "{named} named, {sought:?}");
        }
    }
}

#[test]
fn a_chain_has_twenty_four_questions_and_the_others_are_told_as_not_asked() {
    let ca = TestCa::new("Some CA");
    let not_asked = |count: usize| {
        let all = asked((0..count).map(|_| naming(&ca, &closed(), 4, 0)).collect());
        assert_eq!(all.len(), 4 * count);
        all.iter().filter(|one| matches!(one.came, Ok(Came::NotAsked(TOO_MANY)))).count()
    };
    assert_eq!((not_asked(6), not_asked(7)), (0, 4));
}

#[test]
fn one_address_is_asked_once_for_all_who_name_it() {
    let (ca, at) = (TestCa::new("Some CA"), closed());
    assert_eq!(asked(vec![naming(&ca, &at, 2, 1), naming(&ca, &at, 2, 1)]).len(), 3);
}

#[test]
fn what_is_no_http_is_not_asked() {
    let ca = TestCa::new("Some CA");
    let leaf = Leaf::server("www.example.com").access(&[
        (Access::Issuer, "ldap://127.0.0.1/cn=ca"),
        (Access::Issuer, "file:///etc/passwd"),
        (Access::Ocsp, "ftp://127.0.0.1/"),
    ]);
    assert_eq!(asked(vec![Examinee::read(leaf.issued_by(&ca).der)]).len(), 0);
}

#[test]
fn a_certificate_that_issued_itself_has_no_state_to_ask_for() {
    let root = Leaf::server("www.example.com").crl_url(&closed()).self_signed();
    assert_eq!(asked(vec![Examinee::read(root.der)]).len(), 0);
}
