//! What is known of a page while it is read, and how pieces of Markdown are put together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::conditions;
use super::site::Site;
use crate::importing::document::{Counts, Loss};

/// How deep blocks may stand in each other, and includes in includes.
pub(super) const MAX_DEPTH: usize = 60;

/// The most bytes includes may add to a page.
const MAX_INCLUDED: usize = 4 << 20;

/// How many lines may be looked through for the ends of blocks: unclosed ones must not make it quadratic.
const MAX_SCANNED: usize = 5_000_000;

/// A page being read.
pub(super) struct Page<'s> {
    pub(super) site: &'s Site<'s>,
    /// Its file, and within it the files being included, innermost last.
    pub(super) files: Vec<String>,
    pub(super) losses: Vec<Loss>,
    pub(super) had: Counts,
    pub(super) tags: Vec<String>,
    pub(super) meta: Map<String, Value>,
    /// Whether capitalised tags are components and what stands in them is Markdown.
    pub(super) mdx: bool,
    /// What is imported under which name.
    pub(super) imports: BTreeMap<String, String>,
    /// Abbreviations and what they stand for.
    pub(super) abbreviations: BTreeMap<String, String>,
    /// Terms of Diplodoc and what they mean.
    pub(super) terms: BTreeMap<String, String>,
    /// Whether templates are shown, not followed.
    pub(super) raw: bool,
    told: BTreeSet<(String, String)>,
    included: usize,
    scanned: usize,
}

impl<'s> Page<'s> {
    /// Whether a page says something for the case that a condition holds.
    pub(super) fn asks_for(&self, words: &str) -> bool {
        let wanted = format!("{{ifdef({})", words.trim());
        self.files.iter().any(|file| self.site.says(file, |text| text.contains(&wanted)))
    }

    /// Whether a page, or a text in it, says something for the public.
    pub(super) fn is_for_public(&self, text: &str) -> bool {
        conditions::names_public(text)
            || self.files.iter().any(|file| self.site.says(file, conditions::names_public))
    }

    pub(super) fn new(site: &'s Site<'s>, path: &str) -> Self {
        Self {
            site,
            files: vec![path.to_owned()],
            losses: Vec::new(),
            had: Counts::default(),
            tags: Vec::new(),
            meta: Map::new(),
            mdx: site.is_mdx(path),
            imports: BTreeMap::new(),
            abbreviations: BTreeMap::new(),
            terms: BTreeMap::new(),
            raw: false,
            told: BTreeSet::new(),
            included: 0,
            scanned: 0,
        }
    }

    /// The file whose text is being read.
    pub(super) fn file(&self) -> &str {
        self.files.last().map(String::as_str).unwrap_or_default()
    }

    /// Notes what was not carried.
    pub(super) fn lose(&mut self, kind: &str, what: impl AsRef<str>) {
        let words: Vec<&str> = what.as_ref().split_whitespace().collect();
        let what = words.join(" ").chars().take(200).collect();
        self.losses.push(Loss { kind: kind.to_owned(), what });
    }

    /// Notes what was not carried, the same thing once a page.
    pub(super) fn lose_once(&mut self, kind: &str, what: &str) {
        if self.told.insert((kind.to_owned(), what.to_owned())) {
            self.lose(kind, what);
        }
    }

    /// Whether so many more lines may be looked through.
    pub(super) fn may_scan(&mut self, lines: usize) -> bool {
        self.scanned = self.scanned.saturating_add(lines);
        if self.scanned > MAX_SCANNED {
            self.lose_once("limits", "too many blocks without an end: not all are looked for");
            return false;
        }
        true
    }

    /// Whether so many more bytes may be included.
    pub(super) fn may_include(&mut self, bytes: usize) -> bool {
        self.included = self.included.saturating_add(bytes);
        self.included <= MAX_INCLUDED
    }
}

/// The alert nearest to a kind of note, whatever system it is of, and a title where the kind says more than the alert.
pub(super) fn alert_of(kind: &str) -> (&'static str, Option<String>) {
    let kind = kind.trim().to_lowercase();
    let alert = match kind.as_str() {
        "совет" | "подсказка" | "tip" | "hint" | "success" | "check" | "done" | "idea" | "ok"
        | "solution" | "advice" | "dica" | "consejo" => "TIP",
        "important" | "key" | "важно" => "IMPORTANT",
        "внимание" | "предупреждение" | "warning" | "attention" | "warn" | "pageinfo-warning" => {
            "WARNING"
        }
        "осторожно" | "опасно" | "caution" | "danger" | "error" | "failure" | "fail" | "missing" | "bug"
        | "err" | "critical" | "alert" | "stop" => "CAUTION",
        _ => "NOTE",
    };
    const TELLING: &[&str] = &[
        "bug",
        "question",
        "faq",
        "example",
        "quote",
        "cite",
        "todo",
        "abstract",
        "summary",
        "tldr",
        "experimental",
    ];
    let title = TELLING.contains(&kind.as_str()).then(|| {
        let mut letters = kind.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    });
    (alert, title)
}

/// An alert around Markdown, indented; `title` is Markdown of one line.
pub(super) fn alert(indent: &str, kind: &str, title: Option<&str>, inner: &str) -> String {
    let (name, own) = alert_of(kind);
    let title = title.map(str::trim).filter(|title| !title.is_empty()).map(str::to_owned).or(own);
    let mut text = format!("[!{name}]\n");
    if let Some(title) = title {
        text.push_str(&format!("{}\n\n", bold(&title)));
    }
    text.push_str(inner.trim_matches('\n'));
    let quoted = prefixed(&text, &format!("{indent}> "));
    format!("\n{quoted}\n\n")
}

/// A bold line, whatever marks of emphasis it has already.
pub(super) fn bold(text: &str) -> String {
    let text = text.trim();
    let plain = text.strip_prefix("**").and_then(|text| text.strip_suffix("**")).unwrap_or(text);
    let plain = plain.replace("**", "");
    let plain = plain.trim();
    if plain.is_empty() { String::new() } else { format!("**{plain}**") }
}

/// A labelled part: a bold line and what follows it.
pub(super) fn labelled(indent: &str, label: &str, inner: &str) -> String {
    let label = bold(label);
    let text =
        if label.is_empty() { inner.to_owned() } else { format!("{label}\n\n{}", inner.trim_matches('\n')) };
    format!("\n{}\n\n", prefixed(text.trim_matches('\n'), indent))
}

/// Each line with something before it.
pub(super) fn prefixed(text: &str, prefix: &str) -> String {
    let bare = prefix.trim_end();
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| if line.trim().is_empty() { bare.to_owned() } else { format!("{prefix}{line}") })
        .collect();
    lines.join("\n")
}

/// How far a line is indented, in columns.
pub(super) fn indent_of(line: &str) -> usize {
    let mut columns = 0;
    for c in line.chars() {
        match c {
            ' ' => columns += 1,
            '\t' => columns += 4 - columns % 4,
            _ => break,
        }
    }
    columns
}

/// A line without so many columns of its indentation.
pub(super) fn unindented(line: &str, columns: usize) -> String {
    let mut done = 0;
    for (at, c) in line.char_indices() {
        if done >= columns || !matches!(c, ' ' | '\t') {
            return format!("{}{}", " ".repeat(done.saturating_sub(columns)), &line[at..]);
        }
        done += if c == '\t' { 4 - done % 4 } else { 1 };
    }
    String::new()
}

/// Lines without the indentation they share, beyond that of fenced code.
pub(super) fn dedented(lines: &[&str]) -> String {
    let shared =
        lines.iter().filter(|line| !line.trim().is_empty()).map(|line| indent_of(line)).min().unwrap_or(0);
    let lines: Vec<String> = lines.iter().map(|line| unindented(line, shared)).collect();
    lines.join("\n")
}

/// Plain text as Markdown that reads as the same text.
pub(super) fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 8);
    let characters: Vec<char> = text.chars().collect();
    for (at, &c) in characters.iter().enumerate() {
        let next = characters.get(at + 1).copied().unwrap_or(' ');
        let previous = at.checked_sub(1).and_then(|at| characters.get(at)).copied().unwrap_or(' ');
        let begins =
            characters[..at].iter().rev().take_while(|c| **c != '\n').all(|c| *c == ' ') && at < 1 << 16;
        let is_marked = match c {
            '\\' | '`' | '[' | ']' | '|' => true,
            '*' => next != ' ' || previous != ' ' || begins,
            // Inside of a word it emphasises nothing.
            '_' => !(previous.is_alphanumeric() && next.is_alphanumeric()),
            '<' => next.is_alphabetic() || matches!(next, '/' | '!' | '?'),
            '~' => next == '~' || previous == '~',
            '&' => next.is_alphanumeric() || next == '#',
            '#' | '+' | '-' | '>' | '=' => begins,
            '.' | ')' => {
                let line: Vec<char> =
                    characters[..at].iter().rev().take(10).take_while(|c| **c != '\n').copied().collect();
                next == ' ' && !line.is_empty() && line.len() < 10 && line.iter().all(char::is_ascii_digit)
            }
            '{' if matches!(next, '{' | '%') => {
                written.push_str("&#123;");
                continue;
            }
            _ => false,
        };
        if is_marked {
            written.push('\\');
        }
        written.push(c);
    }
    written
}

/// Code in a line, whatever backticks it holds.
pub(super) fn code_span(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return String::new();
    }
    // Pharos would read `{{ a.b }}` as a reference to a value, even in a line of code.
    if text.contains("{{") || text.contains("{%") {
        return escaped(&text);
    }
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let marks = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{marks}{space}{text}{space}{marks}")
}

/// A block of code with its language.
pub(super) fn code_block(language: &str, code: &str) -> String {
    let mut marks = "```".to_owned();
    while code.contains(&marks) {
        marks.push('`');
    }
    format!("{marks}{}\n{}\n{marks}", language.trim(), code.trim_matches('\n'))
}

/// The values of `name="value" other='x' flag` and `name=value`, in order; values without a name have an empty one.
pub(super) fn attributes(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && found.len() < 200 {
        let (value, after) = if rest.starts_with(['"', '\'', '`', '«', '“']) {
            let (value, after) = quoted(rest);
            found.push((String::new(), value.clone()));
            (value, after)
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
            let name = &rest[..end];
            let after = rest[end..].trim_start();
            match after.strip_prefix('=') {
                Some(after) if !name.is_empty() => {
                    let (value, after) = quoted(after.trim_start());
                    found.push((name.to_owned(), value.clone()));
                    (value, after)
                }
                Some(after) => (String::new(), after),
                None => {
                    found.push((String::new(), name.to_owned()));
                    (name.to_owned(), after)
                }
            }
        };
        let _ = value;
        rest = after.trim_start();
    }
    found
}

fn quoted(text: &str) -> (String, &str) {
    let close = match text.chars().next() {
        Some(c @ ('"' | '\'' | '`')) => c,
        Some('«') => '»',
        Some('“') => '”',
        // A value of JSX: `{…}`.
        Some('{') => {
            let end = balanced(text, '{', '}').unwrap_or(text.len());
            let inner = text[..end].trim_start_matches('{').trim_end_matches('}').trim();
            return (inner.trim_matches(['"', '\'', '`']).to_owned(), &text[end..]);
        }
        _ => {
            let end = text.find(char::is_whitespace).unwrap_or(text.len());
            return (text[..end].to_owned(), &text[end..]);
        }
    };
    let open = text.chars().next().map_or(0, char::len_utf8);
    let mut escape = false;
    for (at, c) in text[open..].char_indices() {
        match c {
            _ if escape => escape = false,
            '\\' => escape = true,
            _ if c == close => {
                let value = text[open..open + at].replace("\\\"", "\"");
                return (value, &text[open + at + c.len_utf8()..]);
            }
            _ => {}
        }
    }
    (text[open..].to_owned(), "")
}

/// Where what opens at the beginning of a text is closed, behind the mark.
pub(super) fn balanced(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Some(at + c.len_utf8());
            }
        }
        if at > 1 << 16 {
            return None;
        }
    }
    None
}

/// The value of one of these names.
pub(super) fn attribute<'a>(attributes: &'a [(String, String)], names: &[&str]) -> Option<&'a str> {
    names
        .iter()
        .find_map(|name| attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)))
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_plain() {
        assert_eq!(escaped("a_b *c* <b> | {{ x }}"), "a_b \\*c\\* \\<b> \\| &#123;{ x }}");
        assert_eq!(escaped("# нет\n1. нет\n- нет"), "\\# нет\n1\\. нет\n\\- нет");
        assert_eq!(escaped("2 > 1, цена 5. Да"), "2 > 1, цена 5. Да");
    }

    #[test]
    fn attributes_of_every_notation() {
        let found = attributes("info \"Заголовок один\" id='x' n=5 label={\"Да\"}");
        assert_eq!(found[1], (String::new(), "Заголовок один".to_owned()));
        assert_eq!(attribute(&found, &["ID"]), Some("x"));
        assert_eq!(attribute(&found, &["n"]), Some("5"));
        assert_eq!(attribute(&found, &["label"]), Some("Да"));
    }

    #[test]
    fn alerts_keep_their_indentation_and_title() {
        assert_eq!(
            alert("  ", "danger", Some("Осторожно"), "a\n\nb"),
            "\n  > [!CAUTION]\n  > **Осторожно**\n  >\n  > a\n  >\n  > b\n\n"
        );
        assert!(alert("", "example", None, "x").contains("**Example**"));
    }

    #[test]
    fn tabs_count_as_columns() {
        assert_eq!(unindented("\ttext", 2), "  text");
        assert_eq!(dedented(&["    a", "", "      b"]), "a\n\n  b");
    }
}
