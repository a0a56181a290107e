//! A report as text and as SVG: what is missing is drawn dashed and named, and nothing out of a certificate breaks out.

mod support;

use examiner::chain::{Chain, Examinee};
use examiner::profile::{PeerName, Profile};
use examiner::report::{Report, svg::svg, text::text};
use examiner::{Question, UnixTime, examine};
use support::{der, spec};

fn read(certificate: Vec<u8>) -> Examinee {
    Examinee::read(certificate)
}

fn examined(chain: &Chain) -> Report {
    let at = UnixTime::parse("2026-05-01T00:00:00Z").unwrap();
    let host = Some(PeerName::host("www.example.com"));
    examine(chain, &Question { profile: Some(Profile::Web), at, host })
}

fn leaf_alone() -> Chain {
    Chain::served(vec![read(spec::leaf().build())]).with_anchors(vec![read(spec::root().build())])
}

#[test]
fn a_missing_certificate_is_drawn_dashed_with_its_name() {
    let report = examined(&leaf_alone());
    let text = text(&report, true);
    let dashed: Vec<&str> = text.lines().filter(|line| line.starts_with("  +- - ")).collect();
    assert_eq!(dashed.len(), 2, "{text}");
    assert!(text.contains("  : Fixture Issuing CA 1 [error]"), "{text}");
    assert!(text.contains("MISSING from what is served"), "{text}");
    let svg = svg(&report);
    assert_eq!(svg.matches("stroke-dasharray").count(), 1, "{svg}");
    assert!(svg.contains(">Fixture Issuing CA 1</text>"), "{svg}");
}

#[test]
fn what_browsers_fetch_is_said_in_the_first_sentence_and_the_repaired_chain_has_it() {
    let chain = leaf_alone().with_beside(vec![read(spec::issuing().build())]);
    let report = examined(&chain);
    assert_eq!(
        report.sentence,
        "Works in browsers that fetch what is missing, fails in apps and API clients: one certificate is missing."
    );
    assert_eq!(report.repaired.as_deref(), Some(&[0, 1][..]));
    assert_eq!(report.missing.len(), 1);
    assert_eq!(report.missing[0].at_hand, Some(1));
    let text = text(&report, true);
    assert!(text.contains("to be served instead: 0, 1"), "{text}");
    assert!(text.contains("Fixture Root 1"), "the picture goes on to the trust anchor: {text}");
    let incomplete = report.findings.iter().find(|finding| finding.id == "chain-incomplete").unwrap();
    assert!(
        incomplete.affected.starts_with("refused by clients that try every path"),
        "{}",
        incomplete.affected
    );
}

#[test]
fn a_right_chain_is_drawn_whole_and_without_dashes() {
    let chain = Chain::served(vec![read(spec::leaf().build()), read(spec::issuing().build())])
        .with_anchors(vec![read(spec::root().build())]);
    let report = examined(&chain);
    assert_eq!(
        text(&report, true),
        "Nothing wrong was found.\n\
         \n\
         \x20 +--------------------------------------------------------+\n\
         \x20 | 0 www.example.com                                      |\n\
         \x20 | the server's or client's own, served, until 2026-06-29 |\n\
         \x20 +--------------------------------------------------------+\n\
         \x20 |\n\
         \x20 +--------------------------------------------------------+\n\
         \x20 | 1 Fixture Issuing CA 1                                 |\n\
         \x20 | intermediate, served, until 2030-02-28                 |\n\
         \x20 +--------------------------------------------------------+\n\
         \x20 |\n\
         \x20 +--------------------------------------------------------+\n\
         \x20 | 2 Fixture Root 1                                       |\n\
         \x20 | root, trust anchor, until 2039-12-31                   |\n\
         \x20 +--------------------------------------------------------+\n\
         \n\
         Who takes it\n\
         \n\
         \x20 browsers that fetch what is missing\n\
         \x20   take it\n\
         \x20 clients that try every path and fetch nothing (Go)\n\
         \x20   take it\n\
         \x20 rustls\n\
         \x20   take it\n\
         \x20 OpenSSL (curl, Python, PHP, Ruby, nginx, HAProxy)\n\
         \x20   take it\n\
         \n\
         Cannot tell\n\
         \n\
         \x20 debian-weak-key: whether a key is one of the keys that Debian's OpenSSL of 2006 to 2008 made: no list of them was given\n\
         \x20 known-compromised-key: whether a key is a key whose private part is public: no list of them was given\n\
         \x20 trusted-per-store: whether the root stores of Apple, Microsoft, Java, Android and Chrome trust it: no store of theirs was given (--roots, --root-list)\n\
         \x20 trust-needs-recent-store: since when clients have the root: no list of that was given\n\
         \x20 revoked-crl: whether a certificate is revoked: no revocation list and no OCSP response is at hand\n\
         \x20 sct-log-unknown-or-retired: whether the timestamps are of known logs: no list of the logs was given (--ct-logs)\n\
         \x20 sct-operators-not-diverse: whether the timestamps are of different operators' logs: no list of the logs was given (--ct-logs)\n\
         \x20 sct-signature-invalid: whether the logs signed the timestamps: no list of the logs was given (--ct-logs)\n\
         \x20 static-ct-log-entries: whether a timestamp is of a log of RFC 6962: no list of the logs was given (--ct-logs)\n\
         \n\
         Examined as of 2026-05-01T00:00:00Z under the profile web.\n"
    );
    assert!(!svg(&report).contains("stroke-dasharray"));
}

#[test]
fn text_out_of_a_certificate_is_text_in_the_picture() {
    let mut leaf = spec::leaf();
    leaf.subject = der::name(&[("2.5.4.3", der::utf8("</text><script>a&b\u{1b}[31m"))]);
    let chain = Chain::served(vec![read(leaf.build())]).with_anchors(vec![read(spec::root().build())]);
    let report = examined(&chain);
    let svg = svg(&report);
    assert!(!svg.contains("<script"), "{svg}");
    assert!(svg.contains("&lt;/text&gt;&lt;script&gt;a&amp;b"), "{svg}");
    for format in [svg, text(&report, true)] {
        assert!(format.chars().all(|c| c == '\n' || !c.is_control()), "{format:?}");
    }
}

#[test]
fn certificates_that_certify_each_other_are_drawn_once() {
    let mut issuing = spec::issuing();
    issuing.issuer = spec::leaf().subject.clone();
    let mut first = spec::leaf();
    first.issuer = issuing.subject.clone();
    first.subject = der::name(&[("2.5.4.3", der::utf8("Circle"))]);
    issuing.issuer = first.subject.clone();
    let chain = Chain::served(vec![read(first.build()), read(issuing.build())]).with_anchors(Vec::new());
    let text = text(&examined(&chain), true);
    assert_eq!(text.matches("| 0 Circle").count(), 1, "{text}");
    assert_eq!(text.matches("| 1 Fixture Issuing CA 1").count(), 1, "{text}");
}
