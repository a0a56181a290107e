//! `check --format`: what other programs and people get, with certificates that try to break out of it.

use serde_json::Value;
use testkit::{Leaf, Sandbox, TestCa};

use crate::support::binary;

/// A name that is markup in every format there is.
const HOSTILE: &str = "]]><script>alert(1)</script>|*b*`c`\"'&\n# head";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new(&binary());
    let root = TestCa::new("Some Root");
    let issuing = root.intermediate("Some Issuing CA");
    sandbox.write("www.pem", issuing.issue_server("www.example.com").pem);
    sandbox.write("issuing.pem", issuing.pem());
    sandbox.write("ca.pem", root.pem());
    sandbox.write("hostile.pem", Leaf::new(HOSTILE).issued_by(&root).pem);
    sandbox.write("empty.pem", "nothing\n");
    sandbox
}

/// The output for three files: one broken, one hostile, one that cannot be examined.
fn printed(format: &str) -> String {
    let args = [
        "check",
        "www.pem",
        "hostile.pem",
        "empty.pem",
        "--private",
        "--roots",
        "ca.pem",
        "--format",
        format,
    ];
    sandbox().countersign(&args).exited(2).stdout
}

#[test]
fn sarif_is_as_its_schema_says_and_names_every_finding() {
    // A published pattern has a bracket too many, which is no regular expression of ECMA-262 in its Unicode mode.
    let published = include_str!("schemas/sarif-2.1.0.json");
    let schema =
        published.replace("^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$", "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let text = printed("sarif");
    let log: Value = serde_json::from_str(&text).unwrap();
    let wrong: Vec<String> = schema.iter_errors(&log).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{text}");
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert!(
        results.iter().any(|one| one["ruleId"] == "chain-incomplete" && one["level"] == "error"),
        "{text}"
    );
    for one in results {
        let rule = one["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], one["ruleId"]);
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert!(text.contains("empty.pem could not be examined"), "{text}");
    // The validator tells right from wrong.
    assert!(!schema.is_valid(&serde_json::json!({ "version": "2.0.0", "runs": [] })));
}

#[test]
fn junit_is_well_formed_and_counts_what_fails() {
    let text = printed("junit");
    let events = elements(&text);
    let failures = events.iter().filter(|name| *name == "failure").count();
    let head = text.lines().nth(1).unwrap();
    assert!(failures > 0 && head.contains(&format!("failures=\"{failures}\"")), "{text}");
    assert!(head.contains("errors=\"1\""), "{text}");
    assert_eq!(events.iter().filter(|name| *name == "testsuite").count(), 3, "{text}");
    let args =
        ["check", "www.pem", "--private", "--roots", "ca.pem", "--format", "junit", "--fail-on", "never"];
    let never = sandbox().countersign(&args).ok().stdout;
    assert!(!never.contains("<failure"), "{never}");
}

#[test]
fn markup_out_of_a_certificate_is_text_in_every_format() {
    for format in ["html", "junit", "svg", "markdown"] {
        let args = [
            "check",
            "hostile.pem",
            "--private",
            "--roots",
            "ca.pem",
            "--format",
            format,
            "--fail-on",
            "never",
        ];
        let text = sandbox().countersign(&args).ok().stdout;
        assert!(text.contains("script"), "{format}: the name is there: {text}");
        assert!(!text.contains("<script"), "{format}: {text}");
        assert!(!text.contains("\n# head"), "{format}: {text}");
        assert!(format != "markdown" || !text.contains("*b*"), "{text}");
    }
}

#[test]
fn the_page_asks_for_nothing_and_has_the_chain_and_the_remedy() {
    let text = printed("html");
    for foreign in ["http://", "https://", "src=", "href=", "url(", "@import", "<script", "<link"] {
        assert!(!text.contains(foreign), "{foreign}");
    }
    assert!(text.contains("default-src 'none'"), "{text}");
    for part in [
        "Some Issuing CA",
        "class=\"error missing\"",
        "What to do",
        "It could not be examined",
        "prefers-color-scheme",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_picture_is_one_chain() {
    let sandbox = sandbox();
    let args = ["check", "www.pem", "--private", "--roots", "ca.pem", "--format", "svg"];
    let picture = sandbox.countersign(&args).exited(1).stdout;
    assert!(picture.starts_with("<svg ") && picture.contains("stroke-dasharray"), "{picture}");
    elements(&picture);
    sandbox.countersign(&["check", "www.pem", "ca.pem", "--private", "--format", "svg"]).exited(2);
    sandbox.countersign(&["check", "www.pem", "--json", "--format", "svg"]).exited(2);
}

#[test]
fn markdown_begins_with_the_sentence() {
    let text = printed("markdown");
    assert!(text.starts_with("# www\\.pem\n\n**"), "{text}");
    assert!(text.contains("**chain-incomplete**"), "{text}");
    assert!(text.contains("It could not be examined"), "{text}");
}

/// The names of the elements of an XML text; panics where they do not close in order, or text holds a bare `<` or `&`.
#[track_caller]
fn elements(xml: &str) -> Vec<String> {
    let (mut open, mut all): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        for entity in text.split('&').skip(1) {
            let name = entity.split(';').next().unwrap();
            assert!(["amp", "lt", "gt", "quot", "#39"].contains(&name), "&{name}; in {text}");
        }
        let end = tag.find('>').unwrap_or_else(|| panic!("a tag is not closed: {tag}"));
        let inner = &tag[1..end];
        rest = &tag[end + 1..];
        if inner.starts_with('?') {
            continue;
        }
        let name = inner.trim_matches('/').split_whitespace().next().unwrap().to_owned();
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
        assert_eq!(inner.matches('"').count() % 2, 0, "{inner}");
        if inner.starts_with('/') {
            assert_eq!(open.pop().as_ref(), Some(&name), "{xml}");
        } else {
            all.push(name.clone());
            if !inner.ends_with('/') {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
    all
}
