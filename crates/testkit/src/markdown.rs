//! The fenced blocks of a Markdown page.

/// What stands between two fences that begin their lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The line of its first fence, from 1.
    pub line: usize,
    /// The word behind the first fence; empty without one.
    pub language: String,
    /// The last line before it that is not empty.
    pub before: String,
    /// What stands in it, each line with its end.
    pub text: String,
}

/// The blocks of a page, in their order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut all = Vec::new();
    let mut before = "";
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let text = body.map(|line| format!("{line}\n")).collect();
            let (language, before) = (language.to_owned(), before.to_owned());
            all.push(Block { line: number + 1, language, before, text });
        }
        if !line.is_empty() {
            before = line;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_its_language_its_line_and_the_line_before_it() {
        let all = blocks("# A\n\nsay:\n\n```sh\na\nb\n```\n```\nc\n```\n");
        let block = |line, language: &str, before: &str, text: &str| Block {
            line,
            language: language.to_owned(),
            before: before.to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(all, [block(5, "sh", "say:", "a\nb\n"), block(9, "", "```sh", "c\n")]);
    }
}
