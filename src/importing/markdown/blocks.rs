//! The blocks of all flavours turned into CommonMark, line by line, with code left alone.

use super::page::{self, MAX_DEPTH, Page, code_block, dedented, indent_of, prefixed};
use super::{adoc, braces, colons, inline, learn, liquid, markup, mdx, mkdocs, obsidian, shortcodes, yfm};

/// What a block became, and how many lines it took.
pub(super) type Taken = Option<(usize, String)>;

/// Turns lines into CommonMark.
pub(super) fn blocks(lines: &[&str], page: &mut Page<'_>, depth: usize) -> String {
    if depth > MAX_DEPTH {
        page.lose_once("limits", "blocks stand too deep in each other: the innermost are left as they were");
        return lines.join("\n");
    }
    let mut out = String::new();
    let mut run = String::new();
    let mut at = 0;
    while at < lines.len() {
        let taken = fenced(lines, at, page, depth)
            .or_else(|| block(lines, at, page, depth, &mut run))
            .or_else(|| marked(lines, at, page, depth));
        match taken {
            Some((count, text)) => {
                flush(&mut run, &mut out, page, depth);
                out.push_str(&text);
                if !text.ends_with('\n') && !text.is_empty() {
                    out.push('\n');
                }
                at += count.max(1);
            }
            None => {
                run.push_str(lines[at]);
                run.push('\n');
                at += 1;
            }
        }
    }
    flush(&mut run, &mut out, page, depth);
    out
}

fn flush(run: &mut String, out: &mut String, page: &mut Page<'_>, depth: usize) {
    if !run.is_empty() {
        out.push_str(&inline::inline(run, page, depth));
        run.clear();
    }
}

/// A text turned into CommonMark.
pub(super) fn text_blocks(text: &str, page: &mut Page<'_>, depth: usize) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    blocks(&lines, page, depth)
}

/// Whatever block begins at a line. `run` is what stands before it, for blocks that reach back.
fn block(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize, run: &mut String) -> Taken {
    let line = lines[at];
    let trimmed = line.trim_start();
    let first = trimmed.bytes().next()?;
    // Indented code after an empty line is code, outside of lists.
    match first {
        b'{' => liquid::block(lines, at, page, depth)
            .or_else(|| shortcodes::block(lines, at, page, depth))
            .or_else(|| braces::block(lines, at, page, depth))
            .or_else(|| mdx::comment(lines, at)),
        b':' => {
            colons::block(lines, at, page, depth).or_else(|| mkdocs::definition(lines, at, page, depth, run))
        }
        b'!' | b'?' => mkdocs::admonition(lines, at, page, depth),
        b'=' => mkdocs::tabs(lines, at, page, depth),
        b'/' => mkdocs::slashes(lines, at, page, depth),
        b'-' | b';' => mkdocs::snippet(lines, at, page, depth),
        b'#' => yfm::table(lines, at, page, depth),
        b'>' => obsidian::callout(lines, at, page, depth),
        b'%' => obsidian::comment(lines, at, page),
        b'$' => math(lines, at, page),
        b'*' => mkdocs::abbreviation(line, page),
        b'|' => adoc::table(lines, at, page, depth),
        b'[' => contents(trimmed, page)
            .or_else(|| adoc::table(lines, at, page, depth))
            .or_else(|| learn::video(trimmed, line, page))
            .or_else(|| yfm::term(lines, at, page)),
        b'<' => markup_block(lines, at, page, depth),
        b'i' | b'e' => mdx::import(lines, at, page),
        _ => None,
    }
}

/// A block behind the mark of a list item.
fn marked(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let line = lines[at];
    let width = marker_width(line)?;
    let rest = &line[width..];
    if !matches!(rest.bytes().next()?, b'{' | b':' | b'!' | b'?' | b'=' | b'<' | b'>' | b'#' | b'/') {
        return None;
    }
    let first = format!("{}{rest}", " ".repeat(width));
    let mut copy: Vec<&str> = vec![&first];
    // What a block of a list item spans is never far; the whole rest is not copied for each item.
    copy.extend(lines[at + 1..].iter().take(2_000));
    let mut run = String::new();
    let (count, text) = block(&copy, 0, page, depth, &mut run)?;
    let text = text.trim_start_matches('\n');
    let body = text.get(width..).unwrap_or_default();
    Some((count, format!("{}{body}", &line[..width])))
}

/// How many bytes the indentation and mark of a list item take, if there is something behind it.
pub(super) fn marker_width(line: &str) -> Option<usize> {
    let trimmed = line.trim_start_matches(' ');
    let indent = line.len() - trimmed.len();
    let mark = match trimmed.bytes().next()? {
        b'-' | b'*' | b'+' => 1,
        b'0'..=b'9' => {
            let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 9 || !matches!(trimmed.as_bytes().get(digits), Some(b'.' | b')')) {
                return None;
            }
            digits + 1
        }
        _ => return None,
    };
    let spaces = trimmed[mark..].bytes().take_while(|b| *b == b' ').count();
    ((1..=4).contains(&spaces) && trimmed.len() > mark + spaces).then_some(indent + mark + spaces)
}

/// The beginning of a block of code: where its mark stands, the mark, how long it is, and what is said behind it.
pub(super) fn fence(line: &str) -> Option<(usize, char, usize, &str)> {
    let mut at = 0;
    loop {
        let rest = &line[at..];
        let trimmed = rest.trim_start_matches([' ', '\t']);
        at += rest.len() - trimmed.len();
        if let Some(after) = trimmed.strip_prefix('>') {
            at += trimmed.len() - after.len();
        } else if let Some(width) = marker_width(trimmed) {
            at += width;
        } else {
            break;
        }
    }
    let rest = &line[at..];
    let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = rest.chars().take_while(|c| *c == mark).count();
    let info = rest[length..].trim();
    (length >= 3 && !(mark == '`' && info.contains('`'))).then_some((at, mark, length, info))
}

/// How many lines a block of code takes that begins at a line.
pub(super) fn fence_length(lines: &[&str], at: usize, mark: char, length: usize) -> usize {
    let is_quoted = lines[at].trim_start().starts_with('>');
    // What is indented further is shown, not meant.
    let base = lines[at]
        .find(mark)
        .map_or(0, |place| place + indent_of(lines[at]) - (lines[at].len() - lines[at].trim_start().len()));
    for (offset, line) in lines[at + 1..].iter().enumerate() {
        if is_quoted && !line.trim_start().starts_with('>') {
            return offset + 1;
        }
        let rest = line.trim_start_matches([' ', '\t', '>']).trim_end();
        if rest.len() >= length
            && rest.chars().all(|c| c == mark)
            && (is_quoted || indent_of(line) < base + 4)
        {
            return offset + 2;
        }
    }
    lines.len() - at
}

fn fenced(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let (place, mark, length, info) = fence(lines[at])?;
    let count = fence_length(lines, at, mark, length);
    let all = &lines[at..at + count];
    let before = &lines[at][..place];
    if info == "mdx-code-block" && count >= 2 {
        return Some((count, blocks(&all[1..count - 1], page, depth + 1)));
    }
    let (language, title) = language_of(info);
    let mut text = String::new();
    if let Some(title) = title.filter(|_| before.trim().is_empty()) {
        text.push_str(&format!("{before}{}\n\n", page::bold(&page::escaped(&title))));
    }
    text.push_str(&format!("{before}{}{language}\n", mark.to_string().repeat(length)));
    for line in &all[1..] {
        // Hugo writes shortcodes that are to be shown with stars inside.
        let shown = if line.contains("{{</*") || line.contains("{{%/*") {
            line.replace("{{</*", "{{<")
                .replace("*/>}}", ">}}")
                .replace("{{%/*", "{{%")
                .replace("*/%}}", "%}}")
        } else {
            (*line).to_owned()
        };
        text.push_str(&shown);
        text.push('\n');
    }
    Some((count, text))
}

/// The language of a block of code, and its title.
fn language_of(info: &str) -> (String, Option<String>) {
    if !info.contains([' ', '{', '[', ':', '=', ',']) {
        return (info.to_owned(), None);
    }
    let inner = info.trim_start_matches(['{', ' ', '.']);
    let end = inner.find([' ', '{', '}', '[', ':', '=', ',']).unwrap_or(inner.len());
    // `title="x"` without a language.
    let language = if inner[end..].starts_with('=') { "" } else { &inner[..end] };
    let attributes =
        page::attributes(inner[if language.is_empty() { 0 } else { end }..].trim_end_matches('}'));
    let title = page::attribute(&attributes, &["title", "filename", "file", "name"]).map(str::to_owned);
    // VitePress: ```js [name.js]
    let bracketed =
        info.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(title, _)| title.to_owned());
    let title = title.or(bracketed).filter(|title| !title.trim().is_empty());
    (language.to_owned(), title)
}

/// `$$ … $$` on lines of their own.
fn math(lines: &[&str], at: usize, page: &mut Page<'_>) -> Taken {
    let line = lines[at];
    let first = line.trim().strip_prefix("$$")?;
    let indent = &line[..line.len() - line.trim_start().len()];
    let formula = |page: &mut Page<'_>, formula: &str| {
        page.lose("math", format!("a formula is shown as code: {formula}"));
        format!("\n{}\n\n", prefixed(&code_block("latex", formula), indent))
    };
    if let Some(whole) = first.strip_suffix("$$").filter(|whole| !whole.trim().is_empty()) {
        return Some((1, formula(page, whole.trim())));
    }
    let end = lines[at + 1..].iter().take(200).position(|line| line.trim_end().ends_with("$$"))?;
    let mut inner: Vec<&str> = vec![first];
    inner.extend(&lines[at + 1..at + 1 + end]);
    let last = lines[at + 1 + end].trim_end().trim_end_matches("$$");
    inner.push(last);
    inner.retain(|line| !line.trim().is_empty());
    Some((end + 2, formula(page, &dedented(&inner))))
}

/// A table of contents made by the system: Pharos has its own.
fn contents(trimmed: &str, page: &mut Page<'_>) -> Taken {
    let line = trimmed.trim().to_lowercase();
    matches!(line.as_str(), "[toc]" | "[[toc]]" | "[[_toc_]]").then(|| {
        page.lose("contents", "a table of contents made by the system is left out");
        (1, "\n".to_owned())
    })
}

/// HTML that is no text of its own: comments, scripts, and blocks that go on behind empty lines.
fn markup_block(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let trimmed = lines[at].trim_start();
    if trimmed.starts_with("<!--") {
        let end = lines[at..].iter().position(|line| line.contains("-->"))?;
        let rest = lines[at + end].split_once("-->").map_or("", |(_, rest)| rest);
        if rest.trim().is_empty() {
            return Some((end + 1, "\n".to_owned()));
        }
        let indent = " ".repeat(indent_of(lines[at]));
        return Some((end + 1, blocks(&[&format!("{indent}{}", rest.trim_start())], page, depth + 1)));
    }
    mdx::component(lines, at, page, depth).or_else(|| markup::whole(lines, at, page, depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_lists_are_measured() {
        assert_eq!(marker_width("  1. text"), Some(5));
        assert_eq!(marker_width("- text"), Some(2));
        assert_eq!(marker_width("-text"), None);
        assert_eq!(marker_width("---"), None);
    }

    #[test]
    fn fences_stand_in_quotes_and_lists() {
        assert_eq!(fence("> 1. ```js").map(|(at, _, _, info)| (at, info)), Some((5, "js")));
        assert_eq!(fence("``` a`b"), None);
    }

    #[test]
    fn the_language_is_the_first_word() {
        assert_eq!(
            language_of("{ .yaml .copy title=\"a.yml\" }"),
            ("yaml".to_owned(), Some("a.yml".to_owned()))
        );
        assert_eq!(language_of("js{1,3}"), ("js".to_owned(), None));
        assert_eq!(language_of("ts [app.ts]"), ("ts".to_owned(), Some("app.ts".to_owned())));
    }
}
