//! What a page shows against what was printed. `…` stands for anything: within a line, or as a line for any number of
//! lines.

/// Whether the page's text fits, from the first line to the last.
pub fn fits(shown: &str, printed: &str) -> bool {
    let lines =
        |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    lines_fit(&lines(shown), &lines(printed))
}

fn lines_fit(shown: &[String], printed: &[String]) -> bool {
    match shown {
        [] => printed.is_empty(),
        [line, rest @ ..] if line == "…" => {
            (0..=printed.len()).any(|skipped| lines_fit(rest, &printed[skipped..]))
        }
        [line, rest @ ..] => printed
            .split_first()
            .is_some_and(|(first, after)| line_fits(line, first) && lines_fit(rest, after)),
    }
}

fn line_fits(shown: &str, printed: &str) -> bool {
    let Some((begin, rest)) = shown.split_once('…') else { return shown == printed };
    let Some(mut left) = printed.strip_prefix(begin) else { return false };
    let mut parts: Vec<&str> = rest.split('…').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = left.split_once(part) else { return false };
        left = after;
    }
    left.ends_with(end)
}

#[test]
fn only_what_is_left_out_may_differ() {
    for (shown, printed) in [
        ("a\nb\n", "a\nb"),
        ("…\nb", "a\nb"),
        ("…\nb", "b"),
        ("a\n…", "a"),
        ("a … c", "a b c"),
        ("…a…b…", "xaybz"),
        ("until …", "until 2027"),
    ] {
        assert!(fits(shown, printed), "{shown:?} {printed:?}");
    }
    for (shown, printed) in
        [("a", "a\nb"), ("a\nb", "a"), ("", "a"), ("a … c", "a b d"), ("…ab", "ba"), ("a…a", "a"), ("…", "")]
    {
        assert_eq!(fits(shown, printed), (shown, printed) == ("…", ""), "{shown:?} {printed:?}");
    }
}
