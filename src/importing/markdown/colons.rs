//! `:::` blocks: of Docusaurus, VuePress and VitePress, and Microsoft Learn.

use super::blocks::{Taken, fence, fence_length, text_blocks};
use super::inline::words;
use super::learn;
use super::page::{Page, alert, attribute, attributes, balanced, dedented, labelled};

struct Opening<'l> {
    colons: usize,
    name: &'l str,
    rest: &'l str,
}

fn opening(line: &str) -> Option<Opening<'_>> {
    let trimmed = line.trim();
    let colons = trimmed.bytes().take_while(|b| *b == b':').count();
    if colons < 3 {
        return None;
    }
    let rest = trimmed[colons..].trim_start().trim_start_matches('{');
    let length =
        rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')).count();
    let (name, rest) = rest.split_at(length);
    let fits = !name.is_empty() && name.as_bytes()[0].is_ascii_alphabetic();
    fits.then_some(Opening { colons, name, rest })
}

/// A block between lines of colons.
pub(super) fn block(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let line = lines[at];
    let opened = opening(line)?;
    let indent = &line[..line.len() - line.trim_start().len()];
    if let Some(taken) = learn_block(lines, at, &opened, indent, page, depth) {
        return Some(taken);
    }
    if opened.name.contains('.') && opened.rest.trim().is_empty() {
        page.lose("autodoc", format!("{}: documentation made of the source of a program", opened.name));
        let options = lines[at + 1..].iter().take_while(|line| line.starts_with("    ")).count();
        return Some((options + 1, "\n".to_owned()));
    }
    let end = end_of(lines, at, opened.colons, page)?;
    let inner = dedented(&lines[at + 1..end]);
    let (title, kind_rest) = title_of(opened.rest);
    let title = title.map(|title| super::inline::inline(&title, page, depth + 1));
    let text = text_blocks(&inner, page, depth + 1);
    let name = opened.name.to_lowercase();
    let whole = match name.as_str() {
        "details" | "collapse" | "spoiler" | "dropdown" => {
            labelled(indent, title.as_deref().unwrap_or("Details"), &text)
        }
        "tab" | "tab-item" => labelled(indent, &title.unwrap_or_default(), &text),
        "code-group" | "raw" | "v-pre" | "tabs" | "code-tabs" | "center" | "right" | "left" | "cards"
        | "steps" | "row" | "column" | "div" => labelled(indent, "", &text),
        name if is_note(name) => alert(indent, name, title.as_deref(), &text),
        name => {
            page.lose("container", format!("{name} {kind_rest}: what it encloses is carried"));
            labelled(indent, &title.unwrap_or_default(), &text)
        }
    };
    Some((end - at + 1, whole))
}

fn is_note(name: &str) -> bool {
    const NOTES: &[&str] = &[
        "note",
        "tip",
        "info",
        "warning",
        "danger",
        "caution",
        "important",
        "success",
        "hint",
        "error",
        "secondary",
        "admonition",
        "attention",
        "example",
        "question",
        "abstract",
        "quote",
        "seealso",
        "check",
        "alert",
        "primary",
        "todo",
    ];
    NOTES.contains(&name)
}

/// The title of a block: `[Title]`, `Title`, `title="Title"`; and all of it as written.
fn title_of(rest: &str) -> (Option<String>, &str) {
    let rest = rest.trim().trim_start_matches('}').trim_end_matches(':').trim();
    if rest.starts_with('[')
        && let Some(end) = balanced(rest, '[', ']')
    {
        return (Some(rest[1..end - 1].to_owned()), rest);
    }
    let listed = rest.find('{').map_or("", |at| rest[at..].trim_matches(['{', '}']));
    let list = attributes(if rest.contains('=') && listed.is_empty() { rest } else { listed });
    if let Some(title) = attribute(&list, &["title", "label", "header"]) {
        return (Some(title.to_owned()), rest);
    }
    let plain = rest.split('{').next().unwrap_or_default().trim();
    let is_title = !plain.is_empty() && !plain.contains("=\"");
    (is_title.then(|| plain.to_owned()), rest)
}

/// The line of colons that ends a block.
fn end_of(lines: &[&str], at: usize, colons: usize, page: &mut Page<'_>) -> Option<usize> {
    let mut depth = 1usize;
    let mut line_at = at + 1;
    while line_at < lines.len() {
        let line = lines[line_at];
        if let Some((_, mark, length, _)) = fence(line) {
            line_at += fence_length(lines, line_at, mark, length);
            continue;
        }
        if !page.may_scan(1) {
            return None;
        }
        let trimmed = line.trim().trim_start_matches("> ");
        if trimmed.starts_with(":::") {
            let count = trimmed.bytes().take_while(|b| *b == b':').count();
            if trimmed.len() == count && count == colons {
                depth -= 1;
                if depth == 0 {
                    return Some(line_at);
                }
            } else if count == colons
                && opening(trimmed).is_some_and(|opened| !opened.rest.trim_end().ends_with(":::"))
            {
                depth += 1;
            }
        }
        line_at += 1;
    }
    None
}

/// Blocks of Microsoft Learn, which end with `-end`, or do not enclose anything.
fn learn_block(
    lines: &[&str],
    at: usize,
    opened: &Opening<'_>,
    indent: &str,
    page: &mut Page<'_>,
    depth: usize,
) -> Taken {
    let name = opened.name.to_lowercase();
    if let Some(name) = name.strip_suffix("-end")
        && matches!(name, "row" | "column" | "zone" | "moniker" | "image")
    {
        return Some((1, "\n".to_owned()));
    }
    match name.as_str() {
        "image" => {
            // The tag may go on below, and a longer description may follow it.
            let text = lines[at..].iter().take(12).copied().collect::<Vec<_>>().join("\n");
            let from = text.find(":::")? + 3;
            let end = from + text[from..].find(":::")?;
            let after = text[end + 3..].lines().next().unwrap_or_default().trim().to_owned();
            let count = text[..end].matches('\n').count() + 1;
            let mut picture = learn::image(text[from..end].trim().trim_start_matches("image"));
            if !after.is_empty() {
                picture = format!("{picture}{}", super::inline::inline(&after, page, depth + 1));
            }
            Some((count, format!("{indent}{picture}\n")))
        }
        "row" | "column" | "zone" | "moniker" => {
            let end = format!("{name}-end");
            let rest = opened.rest.trim_end_matches(':').trim();
            let close = closing(lines, at, &name, &end, page)?;
            if matches!(name.as_str(), "zone" | "moniker") {
                page.lose_once("condition", &format!("{name} {rest}: carried whatever is chosen"));
            }
            let inner = dedented(&lines[at + 1..close]);
            let label = attributes(rest);
            let label = attribute(&label, &["pivot", "target"]).map(words).unwrap_or_default();
            Some((close - at + 1, labelled(indent, &label, &text_blocks(&inner, page, depth + 1))))
        }
        "code" if opened.rest.contains("source") => {
            page.lose("include", format!("code {}", opened.rest.trim_end_matches(':')));
            Some((1, "\n".to_owned()))
        }
        "no-loc" => {
            let inline = super::inline::inline(lines[at], page, depth + 1);
            Some((1, inline))
        }
        _ => None,
    }
}

fn closing(lines: &[&str], at: usize, name: &str, end: &str, page: &mut Page<'_>) -> Option<usize> {
    let mut depth = 0usize;
    for (offset, line) in lines[at..].iter().enumerate() {
        if !page.may_scan(1) {
            return None;
        }
        let Some(found) = opening(line) else { continue };
        if found.name.eq_ignore_ascii_case(name) {
            depth += 1;
        } else if found.name.eq_ignore_ascii_case(end) {
            depth -= 1;
            if depth == 0 {
                return Some(at + offset);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_of_every_notation() {
        assert_eq!(title_of("[Важно] {#x}").0.as_deref(), Some("Важно"));
        assert_eq!(title_of(" Важно знать").0.as_deref(), Some("Важно знать"));
        assert_eq!(title_of(" {title=\"Да\"}").0.as_deref(), Some("Да"));
        assert_eq!(title_of("").0, None);
    }
}
