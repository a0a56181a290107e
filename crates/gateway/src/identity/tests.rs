//! Each dialect by its grammar, byte for byte; and nothing of a certificate can look like more than itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use testkit::{Leaf, TestCa};

use super::*;
use crate::broom::{Forwarded, sweep};

const ALL: [IdentityHeader; 10] = [
    IdentityHeader::ClientCert,
    IdentityHeader::ClientCertChain,
    IdentityHeader::Party,
    IdentityHeader::Xfcc,
    IdentityHeader::Nginx,
    IdentityHeader::Haproxy,
    IdentityHeader::Traefik,
    IdentityHeader::Aws,
    IdentityHeader::Azure,
    IdentityHeader::ProxyV2,
];

/// `CN=alice,O=Acme` of an intermediate, with names of three kinds.
struct Alice {
    certificate: Certificate,
    issuers: Vec<Arc<[u8]>>,
}

fn alice() -> Alice {
    let root = TestCa::new("Root");
    let issuing = root.intermediate("Issuing");
    let at = |text: &str| examiner::UnixTime::parse(text).unwrap();
    let leaf = Leaf::new("alice")
        .subject(&[("O", "Acme"), ("CN", "alice")])
        .uri("spiffe://example.test/alice")
        .dns("alice.example.test")
        .dns("localhost")
        .serial(&[0x0a, 0xbc, 0xde])
        .valid(at("2026-01-02T03:04:05Z"), at("2056-01-02T03:04:05Z"));
    let certificate = leaf.issued_by(&issuing).facts();
    Alice { certificate, issuers: vec![issuing.der().into(), root.der().into()] }
}

impl Alice {
    fn admitted(&self) -> Admitted<'_> {
        Admitted { certificate: &self.certificate, issuers: &self.issuers, party: "alice" }
    }

    fn told(&self, dialect: IdentityHeader) -> Vec<(String, String)> {
        fields(&Identity::of(&[dialect], Some(self.admitted()), "portal.test", None))
    }
}

fn fields(identity: &Identity) -> Vec<(String, String)> {
    let text = |(name, value): &(HeaderName, HeaderValue)| {
        (name.to_string(), value.to_str().expect("ASCII").to_owned())
    };
    identity.fields.iter().map(text).collect()
}

fn pairs(all: &[(&str, String)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// The PEM with these characters escaped.
fn pem(der: &[u8], escaped: &[(&str, &str)]) -> String {
    let mut text = examiner::cert::pem::encode("CERTIFICATE", der);
    for (from, to) in escaped {
        text = text.replace(from, to);
    }
    text
}

const COMPONENT: [(&str, &str); 5] = [(" ", "%20"), ("\n", "%0A"), ("+", "%2B"), ("/", "%2F"), ("=", "%3D")];

fn sha1(der: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, der);
    text::hex(digest.as_ref())
}

#[test]
fn rfc_9440_has_the_certificate_and_its_issuers_as_byte_sequences() {
    let alice = alice();
    let sequence = |der: &[u8]| format!(":{}:", STANDARD.encode(der));
    let leaf = sequence(&alice.certificate.der);
    assert_eq!(alice.told(IdentityHeader::ClientCert), pairs(&[("client-cert", leaf.clone())]));
    let above = format!("{}, {}", sequence(&alice.issuers[0]), sequence(&alice.issuers[1]));
    assert!(!above.contains(&leaf), "the certificate is not repeated");
    assert_eq!(alice.told(IdentityHeader::ClientCertChain), pairs(&[("client-cert-chain", above)]));
    let pinned = Alice { issuers: Vec::new(), ..alice };
    assert!(pinned.told(IdentityHeader::ClientCertChain).is_empty(), "nothing was verified above it");
}

#[test]
fn xfcc_is_what_envoy_sends() {
    let alice = alice();
    let ca = TestCa::new("Server CA");
    let own = Leaf::server("portal.test").uri("spiffe://example.test/server").issued_by(&ca).facts();
    let which = [IdentityHeader::Xfcc];
    let told = fields(&Identity::of(&which, Some(alice.admitted()), "portal.test", Some(&own)));
    let rest = |by: &str| {
        format!(
            "By={by};Hash={};Cert=\"{}\";Subject=\"CN=alice,O=Acme\";URI=spiffe://example.test/alice;\
             DNS=alice.example.test;DNS=localhost",
            alice.certificate.thumbprint,
            pem(&alice.certificate.der, &COMPONENT),
        )
    };
    assert_eq!(told, pairs(&[("x-forwarded-client-cert", rest("spiffe://example.test/server"))]));
    let told = alice.told(IdentityHeader::Xfcc);
    assert_eq!(told, pairs(&[("x-forwarded-client-cert", rest("https://portal.test"))]));
}

#[test]
fn nginx_and_haproxy_have_their_customary_names_and_a_word_for_nobody() {
    let alice = alice();
    let issuer = alice.certificate.issuer.to_string();
    assert_eq!(
        alice.told(IdentityHeader::Nginx),
        pairs(&[
            ("x-ssl-client-verify", "SUCCESS".into()),
            ("x-ssl-client-s-dn", "CN=alice,O=Acme".into()),
            ("x-ssl-client-i-dn", issuer.clone()),
            ("x-ssl-client-serial", "0ABCDE".into()),
            ("x-ssl-client-fingerprint", sha1(&alice.certificate.der)),
            ("x-ssl-client-cert", pem(&alice.certificate.der, &COMPONENT)),
        ])
    );
    assert_eq!(
        alice.told(IdentityHeader::Haproxy),
        pairs(&[
            ("x-ssl", "1".into()),
            ("x-ssl-client-verify", "0".into()),
            ("x-ssl-client-dn", "\"/O=Acme/CN=alice\"".into()),
            ("x-ssl-client-cn", "\"alice\"".into()),
            ("x-ssl-issuer", format!("\"/{issuer}\"")),
            ("x-ssl-client-notbefore", "\"260102030405Z\"".into()),
            ("x-ssl-client-notafter", "\"20560102030405Z\"".into()),
            ("x-ssl-client-sha1", sha1(&alice.certificate.der).to_ascii_uppercase()),
            (
                "x-ssl-client-san",
                "URI:spiffe://example.test/alice, DNS:alice.example.test, DNS:localhost".into()
            ),
        ])
    );
    let nobody = |dialect| fields(&Identity::of(&[dialect], None, "portal.test", None));
    assert_eq!(nobody(IdentityHeader::Nginx), pairs(&[("x-ssl-client-verify", "NONE".into())]));
    let none = pairs(&[("x-ssl", "1".into()), ("x-ssl-client-verify", "NONE".into())]);
    assert_eq!(nobody(IdentityHeader::Haproxy), none);
    for dialect in ALL {
        if !matches!(dialect, IdentityHeader::Nginx | IdentityHeader::Haproxy) {
            assert!(nobody(dialect).is_empty(), "{dialect:?}");
        }
    }
}

#[test]
fn traefik_has_the_certificates_and_their_facts_form_encoded() {
    let alice = alice();
    let issuing = Certificate::from_der(&alice.issuers[0]).unwrap();
    let base64 =
        format!("{},{}", STANDARD.encode(&alice.certificate.der), STANDARD.encode(&alice.issuers[0]));
    let serial = num_bigint::BigInt::from_signed_bytes_be(&issuing.serial);
    let facts = format!(
        "Subject=\"O=Acme,CN=alice\";Issuer=\"CN=Issuing\";SerialNumber=\"703710\";NB=\"1767323045\";\
         NA=\"2714007845\";SAN=\"spiffe://example.test/alice,alice.example.test,localhost\",\
         Subject=\"CN=Issuing\";Issuer=\"CN=Root\";SerialNumber=\"{serial}\";NB=\"{}\";NA=\"{}\"",
        issuing.not_before.seconds(),
        issuing.not_after.seconds(),
    );
    let form =
        [("\"", "%22"), ("=", "%3D"), (",", "%2C"), (";", "%3B"), (":", "%3A"), ("/", "%2F"), (" ", "+")];
    let form = form.iter().fold(facts, |text, (from, to)| text.replace(from, to));
    assert_eq!(
        alice.told(IdentityHeader::Traefik),
        pairs(&[("x-forwarded-tls-client-cert", base64), ("x-forwarded-tls-client-cert-info", form)])
    );
}

#[test]
fn aws_and_azure_are_told_in_their_words() {
    let alice = alice();
    let leaf = pem(&alice.certificate.der, &[(" ", "%20"), ("\n", "%0A")]);
    assert_eq!(
        alice.told(IdentityHeader::Aws),
        pairs(&[
            ("x-amzn-mtls-clientcert-serial-number", "0ABCDE".into()),
            ("x-amzn-mtls-clientcert-issuer", alice.certificate.issuer.to_string()),
            ("x-amzn-mtls-clientcert-subject", "CN=alice,O=Acme".into()),
            (
                "x-amzn-mtls-clientcert-validity",
                "NotBefore=2026-01-02T03:04:05Z;NotAfter=2056-01-02T03:04:05Z".into()
            ),
            ("x-amzn-mtls-clientcert-leaf", leaf),
        ])
    );
    let base64 = STANDARD.encode(&alice.certificate.der);
    assert_eq!(alice.told(IdentityHeader::Azure), pairs(&[("x-arr-clientcert", base64)]));
}

#[test]
fn no_name_in_a_certificate_can_look_like_more_than_itself() {
    let evil = "a\",/CN=root;CN=root,CN=root\\\r\nX-Evil: é";
    let names = Leaf::new(evil)
        .subject(&[("O", "Lab\""), ("CN", evil)])
        .dns("a.test,DNS:root.test")
        .uri("https://a.test/\";DNS=root");
    let certificate = names.self_signed().facts();
    let who = Admitted { certificate: &certificate, issuers: &[], party: "ca/x/san:dns/é\n" };
    let told = fields(&Identity::of(&ALL, Some(who), "portal.test", None));
    assert!(told.len() > 20, "{told:?}");
    let of = |wanted: &str| {
        let (_, value) = told.iter().find(|(name, _)| name == wanted).expect(wanted);
        value.clone()
    };
    for (name, value) in &told {
        assert!(value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{name}: {value}");
    }
    let subject = "CN=a\\22\\,/CN=root\\;CN=root\\,CN=root\\5C\\0D\\0AX-Evil: \\C3\\A9,O=Lab\\22";
    assert_eq!(of("x-ssl-client-s-dn"), subject);
    assert_eq!(of("x-amzn-mtls-clientcert-subject"), subject);
    let xfcc = of("x-forwarded-client-cert");
    assert!(
        xfcc.contains(&format!(
            ";Subject=\"{subject}\";URI=\"https://a.test/%22;DNS=root\";DNS=\"a.test,DNS:root.test\""
        )),
        "{xfcc}"
    );
    assert_eq!(
        of("x-ssl-client-dn"),
        "\"/O=Lab\\22/CN=a\\22,\\2FCN=root;CN=root,CN=root\\5C\\0D\\0AX-Evil: \\C3\\A9\""
    );
    assert_eq!(of("x-ssl-client-san"), "DNS:a.test%2CDNS:root.test, URI:https://a.test/%22;DNS=root");
    let info = of("x-forwarded-tls-client-cert-info");
    assert!(
        info.starts_with("Subject%3D%22O%3DLab%2522%2CCN%3Da%2522%252C%2FCN%253Droot%253BCN%253Droot"),
        "{info}"
    );
    assert_eq!(of("countersign-party"), "ca/x/san:dns/%C3%A9%0A");
}

#[test]
fn whatever_a_dialect_sets_is_swept_from_what_comes_in() {
    let alice = alice();
    let told = Identity::of(&ALL, Some(alice.admitted()), "portal.test", None);
    let mut map = HeaderMap::new();
    told.set(&mut map, "7F3K-22");
    assert!(map.len() > 20);
    for name in map.keys() {
        assert!(crate::broom::is_identity(name.as_str()), "{name}");
    }
    sweep(&mut map);
    assert!(map.is_empty(), "{map:?}");
}

#[test]
fn listing_our_header_in_connection_does_not_take_it_away() {
    let mut map = HeaderMap::new();
    for (name, value) in [
        ("connection", "client-cert, countersign-party, x-forwarded-for"),
        ("countersign-party", "mallory"),
        ("x-forwarded-for", "10.0.0.1"),
    ] {
        map.append(name, HeaderValue::from_static(value));
    }
    sweep(&mut map);
    let alice = alice();
    Identity::of(&[IdentityHeader::Party], Some(alice.admitted()), "portal.test", None)
        .set(&mut map, "7F3K-22");
    Forwarded::of("192.0.2.7".parse().unwrap(), "portal.test", "https").set(&mut map);
    let all = |name| map.get_all(name).iter().collect::<Vec<_>>();
    assert_eq!(all("countersign-party"), ["alice"]);
    assert_eq!(all("countersign-reference"), ["7F3K-22"]);
    assert_eq!(all("x-forwarded-for"), ["192.0.2.7"]);
    assert!(!map.contains_key("client-cert") && !map.contains_key("connection"));
}

#[test]
fn a_party_is_always_one_ascii_line() {
    assert_eq!(one_line("a\r\nX-Evil: 1\0é"), "a%0D%0AX-Evil:%201%00%C3%A9");
}
