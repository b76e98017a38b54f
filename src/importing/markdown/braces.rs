//! The blocks of VK Cloud's documentation: `{note:info}…{/note}`, `{tabs}`, `{cut(…)}`, `{include(…)}`, `{heading(…)[id=…]}`.

use super::blocks::{Taken, blocks, text_blocks};
use super::include::{self, Part};
use super::inline::{link, placed};
use super::page::{Page, alert, balanced, labelled, prefixed};
use super::paired::{self, Tag};

const PAIRED: &[&str] = &["note", "cut", "tabs", "tab", "caption", "includetag"];
const SINGLE: &[&str] =
    &["include", "var", "const", "counter", "heading", "linkto", "swagger", "video", "params"];

fn scan(text: &str, from: usize) -> Option<Tag> {
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find('{')?;
        if let Some((length, name, args, closing)) = parse(&text[start..]) {
            return Some(Tag { start, end: start + length, name, args, closing, single: false });
        }
        at = start + 1;
    }
}

/// A tag at the beginning of a text: how long it is, its name, what stands in its brackets, whether it is a closing one.
fn parse(text: &str) -> Option<(usize, String, String, bool)> {
    let rest = text.strip_prefix('{')?;
    let closing = rest.starts_with('/');
    let rest = rest.trim_start_matches('/');
    let length = rest.bytes().take_while(u8::is_ascii_lowercase).count();
    let name = &rest[..length];
    if !PAIRED.contains(&name) && !SINGLE.contains(&name) {
        return None;
    }
    let mut at = text.len() - rest.len() + length;
    let begin = at;
    if let Some(after) = text[at..].strip_prefix(':') {
        at += 1 + after.bytes().take_while(|b| b.is_ascii_alphanumeric()).count();
    }
    for (open, close) in [('(', ')'), ('[', ']')] {
        if text[at..].starts_with(open) {
            at += balanced(&text[at..], open, close)?;
        }
    }
    let is_bare = at == begin;
    let fits = closing == is_bare || (is_bare && matches!(name, "tabs" | "tab" | "cut" | "swagger"));
    (fits && text[at..].starts_with('}'))
        .then(|| (at + 1, name.to_owned(), text[begin..at].to_owned(), closing))
}

/// What stands in round brackets, and the values in square ones.
fn parts(args: &str) -> (&str, Vec<(&str, &str)>) {
    let open = args.find('(');
    let end = open.and_then(|open| balanced(&args[open..], '(', ')').map(|end| open + end));
    let inner = open.zip(end).map_or("", |(open, end)| &args[open + 1..end - 1]);
    let after = &args[end.unwrap_or(0)..];
    let list = after.split_once('[').and_then(|(_, list)| list.rsplit_once(']')).map_or("", |(list, _)| list);
    let values = list
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()));
    (inner, values.collect())
}

fn value<'a>(values: &[(&'a str, &'a str)], name: &str) -> Option<&'a str> {
    values.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
}

/// A tag at the beginning of a line, with what it encloses.
pub(super) fn block(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    if page.raw {
        return None;
    }
    let line = lines[at];
    let start = line.len() - line.trim_start().len();
    let tag = scan(line, start).filter(|tag| tag.start == start)?;
    if tag.closing {
        return line[tag.end..].trim().is_empty().then(|| (1, "\n".to_owned()));
    }
    let indent = line[..start].to_owned();
    if PAIRED.contains(&tag.name.as_str()) {
        let pair = paired::pair(lines, at, &tag, scan, page)?;
        // What stands within a line is left to the line.
        if pair.lines == 1 && !pair.rest.trim().is_empty() {
            return None;
        }
        let mut text = enclosing(&tag, &pair.inner, &indent, page, depth);
        if !pair.rest.trim().is_empty() {
            text.push_str(&blocks(&[&format!("{indent}{}", pair.rest.trim())], page, depth + 1));
        }
        return Some((pair.lines, text));
    }
    if tag.name == "include" && line[tag.end..].trim().is_empty() {
        let text = included(&tag.args, page, depth);
        let text = text.trim_matches('\n');
        return Some((1, format!("\n{}\n\n", prefixed(text, &indent))));
    }
    None
}

/// A tag within a line.
pub(super) fn inline(rest: &str, out: &str, page: &mut Page<'_>, depth: usize) -> Taken {
    let (end, name, args, closing) = parse(rest)?;
    let tag = Tag { start: 0, end, name, args, closing, single: false };
    let (inner, values) = parts(&tag.args);
    let within_text = |text: &str, page: &mut Page<'_>| super::inline::inline(text, page, depth + 1);
    if depth > super::page::MAX_DEPTH {
        return None;
    }
    let text = match tag.name.as_str() {
        _ if tag.closing => String::new(),
        "heading" => {
            let text = within_text(inner, page);
            match value(&values, "id") {
                Some(id) => format!("{text} {{#{id}}}"),
                None => text,
            }
        }
        "var" => {
            let known = page.site.variables.get(inner).cloned();
            known.unwrap_or_else(|| {
                page.lose_once("variable", inner);
                format!("\\{}", &rest[..tag.end])
            })
        }
        "const" | "counter" => {
            page.lose_once("counter", "numbers counted by the system are left out");
            String::new()
        }
        "linkto" => {
            let text =
                value(&values, "text").map_or_else(|| inner.to_owned(), |text| within_text(text, page));
            link(if text.contains("%text") { inner } else { &text }, inner)
        }
        "include" => placed(&included(&tag.args, page, depth), out),
        "video" => link(inner, inner),
        // How a picture or a table is laid out.
        "params" => String::new(),
        "swagger" => {
            page.lose("swagger", "a description of an API made by the system");
            String::new()
        }
        _ => {
            let (from, to, end) = paired::pair_in(rest, &tag, scan)?;
            let text = enclosing(&tag, &rest[from..to], "", page, depth);
            return Some((end, placed(&text, out)));
        }
    };
    Some((tag.end, text))
}

fn enclosing(tag: &Tag, inner: &str, indent: &str, page: &mut Page<'_>, depth: usize) -> String {
    let (words, _) = parts(&tag.args);
    let words = super::inline::inline(words, page, depth + 1);
    let text = text_blocks(inner, page, depth + 1);
    match tag.name.as_str() {
        "note" => alert(indent, tag.args.trim_start_matches(':'), None, &text),
        "cut" | "tab" | "caption" => labelled(indent, &words, &text),
        _ => labelled(indent, "", &text),
    }
}

fn included(args: &str, page: &mut Page<'_>, depth: usize) -> String {
    let (path, values) = parts(args);
    let part = value(&values, "tags").map_or(Part::All, Part::Marked);
    include::include(path, part, page, depth).unwrap_or_default()
}

/// The words of a heading written as `{heading(words)[id=x]}`.
pub(super) fn heading_text(text: &str) -> Option<String> {
    if !text.contains("{heading(") {
        return None;
    }
    let tag = scan(text, 0)?;
    let (inner, _) = parts(&tag.args);
    Some(format!("{}{inner}{}", &text[..tag.start], &text[tag.end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_the_notation_only() {
        assert!(parse("{heading({counter(d)}. Диск)[id=a]}").is_some());
        assert!(parse("{note:info}").is_some() && parse("{/note}").is_some() && parse("{tabs}").is_some());
        assert!(parse("{note}").is_none() && parse("{user}").is_none() && parse("{var}").is_none());
    }

    #[test]
    fn a_heading_gives_its_words() {
        assert_eq!(heading_text("{heading(Сети)[id=x]}").as_deref(), Some("Сети"));
    }
}
