//! `{% tags %}` and `{{ variables }}`: of Diplodoc (YFM), GitBook and Jekyll.

use super::blocks::{Taken, blocks, text_blocks};
use super::include::{self, Part};
use super::inline::{link, placed, words};
use super::page::{
    Page, alert, attribute, attributes, balanced, code_block, indent_of, labelled, prefixed, unindented,
};
use super::paired::{self, Tag};
use super::site::{Flavour, Target};
use crate::importing::document::within;

fn scan(text: &str, from: usize) -> Option<Tag> {
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find("{%")?;
        let inner_start = start + 2;
        // `{{% … %}}` is Hugo's.
        if text[..start].ends_with('{') {
            at = inner_start;
            continue;
        }
        let length = text[inner_start..].find("%}").filter(|length| *length < 4_000)?;
        let inner = text[inner_start..inner_start + length].trim_matches('-').trim();
        let (name, args) = inner.split_once(|c: char| c.is_whitespace()).unwrap_or((inner, ""));
        let closing = name.len() > 3 && name.starts_with("end");
        let name = if closing { &name[3..] } else { name };
        return Some(Tag {
            start,
            end: inner_start + length + 2,
            name: name.to_lowercase(),
            args: args.trim().to_owned(),
            closing,
            single: false,
        });
    }
}

/// Tags that never have a second one.
const SINGLE: &[&str] = &[
    "include",
    "include_relative",
    "include_cached",
    "link",
    "post_url",
    "assign",
    "else",
    "elsif",
    "elseif",
    "elif",
    "when",
    "break",
    "continue",
    "file",
    "feed_meta",
    "seo",
    "anchor",
    "increment",
    "render",
    "set",
    "import",
];

/// A tag at the beginning of a line, with what it encloses.
pub(super) fn block(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    if page.raw {
        return None;
    }
    let (tag, joined, spanned) = paired::first(lines, at, "{%", "%}", scan)?;
    let indent = joined[..tag.start].to_owned();
    if tag.closing {
        let rest = joined[tag.end..].trim();
        if rest.is_empty() {
            page.lose_once("tag", &format!("end{}: ends nothing", tag.name));
            return Some((spanned, "\n".to_owned()));
        }
        return None;
    }
    if !SINGLE.contains(&tag.name.as_str()) {
        let mut copy: Vec<&str> = vec![&joined];
        let following = &lines[(at + spanned).min(lines.len())..];
        copy.extend(following);
        if let Some(pair) = paired::pair(&copy, 0, &tag, scan, page) {
            let mut text = paired_block(&tag, &pair.inner, &indent, page, depth);
            if !pair.rest.trim().is_empty() {
                text.push_str(&blocks(&[&format!("{indent}{}", pair.rest.trim())], page, depth + 1));
            }
            return Some((pair.lines + spanned - 1, text));
        }
    }
    if !joined[tag.end..].trim().is_empty() {
        return None;
    }
    let text = single(&tag, page, depth)?;
    let text = text.trim();
    if text.is_empty() {
        return Some((spanned, "\n".to_owned()));
    }
    let is_block = text.contains('\n') || text.starts_with(['#', '-', '>', '|']);
    let text = prefixed(text, &indent);
    Some((spanned, if is_block { format!("\n{text}\n\n") } else { format!("{text}\n") }))
}

/// A tag within a line.
pub(super) fn inline(rest: &str, out: &str, page: &mut Page<'_>, depth: usize) -> Taken {
    if page.raw {
        return None;
    }
    let tag = paired::at_start(rest, scan).filter(|tag| !rest[..tag.end].contains("\n\n"))?;
    if tag.closing {
        page.lose_once("tag", &format!("end{}: ends nothing", tag.name));
        return Some((tag.end, String::new()));
    }
    if !SINGLE.contains(&tag.name.as_str())
        && let Some((from, to, end)) = paired::pair_in(rest, &tag, scan)
    {
        let inner = rest[from..to].trim();
        let text = paired_block(&tag, inner, "", page, depth);
        return Some((end, placed(&text, out)));
    }
    let text = single(&tag, page, depth)?;
    if tag.name == "include" { Some((tag.end, placed(&text, out))) } else { Some((tag.end, text)) }
}

fn paired_block(tag: &Tag, inner: &str, indent: &str, page: &mut Page<'_>, depth: usize) -> String {
    let args = attributes(&tag.args);
    let positional: Vec<&str> =
        args.iter().filter(|(name, _)| name.is_empty()).map(|(_, value)| value.as_str()).collect();
    let titled = |page: &mut Page<'_>, text: &str| super::inline::inline(text, page, depth + 1);
    match tag.name.as_str() {
        "raw" => {
            let before = std::mem::replace(&mut page.raw, true);
            let text = text_blocks(inner, page, depth + 1);
            page.raw = before;
            return format!("{}\n", prefixed(&text, indent));
        }
        "comment" => return "\n".to_owned(),
        "highlight" => {
            let language = positional.first().copied().unwrap_or_default();
            return format!("\n{}\n\n", prefixed(&code_block(language, inner), indent));
        }
        "list" if positional.first() == Some(&"tabs") || positional.first() == Some(&"accordion") => {
            return tabs(inner, indent, page, depth);
        }
        "if" | "unless" | "case" | "for" | "ifchanged" => return condition(tag, inner, indent, page, depth),
        _ => {}
    }
    let text = text_blocks(inner, page, depth + 1);
    match tag.name.as_str() {
        "note" => {
            let title = positional.get(1).map(|title| titled(page, title));
            alert(indent, positional.first().copied().unwrap_or("info"), title.as_deref(), &text)
        }
        "hint" => alert(indent, attribute(&args, &["style"]).unwrap_or("info"), None, &text),
        "cut" | "details" | "expandable" => {
            let title = positional.first().map(|title| titled(page, title)).unwrap_or_default();
            labelled(indent, &title, &text)
        }
        "tab" | "code" | "code-block" | "update" | "prompt" | "column-title" => {
            let title =
                attribute(&args, &["title", "date", "description", "label"]).map(|title| titled(page, title));
            labelled(indent, &title.unwrap_or_default(), &text)
        }
        "embed" => {
            let url = attribute(&args, &["url"]).unwrap_or_default();
            labelled(indent, "", &format!("{}\n\n{text}", link(&words(url), url)))
        }
        "tabs" | "stepper" | "step" | "content-ref" | "updates" | "columns" | "column" | "list"
        | "changes" | "block" => labelled(indent, "", &text),
        name => {
            page.lose("tag", format!("{name} {}: what it encloses is carried", tag.args));
            labelled(indent, "", &text)
        }
    }
}

/// The items of a list are tabs, what is indented below them is what they show.
fn tabs(inner: &str, indent: &str, page: &mut Page<'_>, depth: usize) -> String {
    let lines: Vec<&str> = inner.split('\n').collect();
    let mut text = String::new();
    let mut at = 0;
    let is_tab = |line: &str| indent_of(line) == 0 && super::blocks::marker_width(line).is_some();
    while at < lines.len() {
        let line = lines[at];
        if !is_tab(line) {
            if !line.trim().is_empty() {
                let end = lines[at..]
                    .iter()
                    .position(|line| is_tab(line))
                    .map_or(lines.len(), |offset| at + offset);
                text.push_str(&blocks(&lines[at..end], page, depth + 1));
                at = end;
                continue;
            }
            at += 1;
            continue;
        }
        let width = super::blocks::marker_width(line).unwrap_or(2);
        let label = super::inline::inline(line[width..].trim(), page, depth + 1);
        let end = lines[at + 1..]
            .iter()
            .position(|line| is_tab(line))
            .map_or(lines.len(), |offset| at + 1 + offset);
        let body = &lines[at + 1..end];
        let shared =
            body.iter().filter(|line| !line.trim().is_empty()).map(|line| indent_of(line)).min().unwrap_or(0);
        let body: Vec<String> = body.iter().map(|line| unindented(line, shared)).collect();
        let body: Vec<&str> = body.iter().map(String::as_str).collect();
        // Ids of tabs stand behind their names: `- Name {#id}`.
        let label = label.split(" {#").next().unwrap_or_default();
        text.push_str(&labelled("", label, &blocks(&body, page, depth + 1)));
        at = end;
    }
    labelled(indent, "", text.trim_matches('\n'))
}

/// What stands under a condition: decided where the variable is known, else carried and told.
fn condition(tag: &Tag, inner: &str, indent: &str, page: &mut Page<'_>, depth: usize) -> String {
    let mut branches: Vec<(Option<bool>, String)> = vec![(holds(&tag.args, page), String::new())];
    let mut nested = 0usize;
    for line in inner.split('\n') {
        let parts = scan(line, 0);
        match &parts {
            Some(found) if found.name == tag.name && found.closing => nested = nested.saturating_sub(1),
            Some(found) if found.name == tag.name => nested += 1,
            Some(found)
                if nested == 0
                    && matches!(found.name.as_str(), "else" | "elsif" | "elseif" | "elif" | "when") =>
            {
                let state = if found.name == "else" { None } else { holds(&found.args, page) };
                if let Some((_, text)) = branches.last_mut() {
                    text.push_str(&line[..found.start]);
                }
                branches.push((state, line[found.end..].to_owned()));
                continue;
            }
            _ => {}
        }
        if let Some((_, text)) = branches.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let known = tag.name == "if" && branches.first().is_some_and(|(state, _)| state.is_some());
    let chosen: Vec<String> = if known {
        let right = branches.iter().find(|(state, _)| *state != Some(false));
        right.map(|(_, text)| text.clone()).into_iter().collect()
    } else {
        page.lose_once("condition", &format!("{} {}: carried whatever the condition", tag.name, tag.args));
        branches.into_iter().map(|(_, text)| text).collect()
    };
    let text = text_blocks(chosen.join("\n").trim_matches('\n'), page, depth + 1);
    labelled(indent, "", text.trim_matches('\n'))
}

/// Whether `name == "value"` holds, where the variable is known. In MkDocs what nobody defines is false, as it is in Jinja.
fn holds(condition: &str, page: &Page<'_>) -> Option<bool> {
    let (name, wanted) = match condition.trim().strip_prefix("not ") {
        Some(name) => (name.trim(), false),
        None => (condition.trim(), true),
    };
    if page.site.flavour == Flavour::MkDocs
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        let known = page.site.variables.get(name).is_some_and(|value| !value.is_empty() && value != "false");
        return Some(known == wanted);
    }
    let (name, value, wanted) = if let Some((name, value)) = condition.split_once("==") {
        (name, value, true)
    } else {
        let (name, value) = condition.split_once("!=")?;
        (name, value, false)
    };
    let value = value.trim().trim_matches(['"', '\'']);
    if value.contains([' ', '"', '\'']) {
        return None;
    }
    let known = page.site.variables.get(name.trim())?;
    Some((known == value) == wanted)
}

fn single(tag: &Tag, page: &mut Page<'_>, depth: usize) -> Option<String> {
    let args = attributes(&tag.args);
    match tag.name.as_str() {
        "include" | "include_relative" | "include_cached" => Some(included(&tag.args, page, depth)),
        // Of mkdocs-include-markdown-plugin.
        "include-markdown" => {
            let path = tag.args.trim_start().trim_start_matches(['"', '\'']);
            let path = path.split(['"', '\'']).next().unwrap_or_default();
            let part = Part::Between(attribute(&args, &["start"]), attribute(&args, &["end"]));
            Some(include::include(path, part, page, depth).unwrap_or_default())
        }
        "link" | "post_url" => {
            let written = tag.args.trim_matches(['"', '\'']);
            let from = page.file().to_owned();
            let found =
                page.site.find(&from, &format!("/{written}")).or_else(|| page.site.named(&from, written));
            Some(match found {
                Some(Target::Document(key) | Target::File(key)) => within(&key, None),
                None => written.to_owned(),
            })
        }
        "file" | "embed" => {
            let target = attribute(&args, &["src", "url"]).unwrap_or_default();
            let name = target.rsplit('/').next().unwrap_or_default();
            let text = attribute(&args, &["caption", "name"]).unwrap_or(if tag.name == "file" {
                name
            } else {
                target
            });
            Some(link(&words(text), target))
        }
        "assign" | "set" | "else" | "elsif" | "elseif" | "elif" | "when" | "toc" | "seo" | "anchor" => {
            page.lose_once("tag", &format!("{} {}", tag.name, tag.args));
            Some(String::new())
        }
        // Other signs between per cent signs are text: `{%s}`.
        name if name.is_empty()
            || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) =>
        {
            None
        }
        name => {
            page.lose("tag", format!("{name} {}", tag.args));
            Some(String::new())
        }
    }
}

/// `{% include [text](path#part) %}` of Diplodoc, `{% include "path" %}` of GitBook, `{% include file.md %}` of Jekyll.
fn included(args: &str, page: &mut Page<'_>, depth: usize) -> String {
    let is_untitled = args.trim_start().starts_with("notitle");
    let written = match args.split_once("](") {
        Some((_, rest)) => {
            balanced(&format!("({rest}"), '(', ')').map_or(rest, |end| &rest[..end - 2]).to_owned()
        }
        None => args.split_whitespace().next().unwrap_or_default().trim_matches(['"', '\'']).to_owned(),
    };
    let (path, part) = match written.split_once('#') {
        Some((path, anchor)) if !anchor.is_empty() => (path, Part::Section(anchor)),
        _ => (written.as_str(), Part::All),
    };
    let in_includes = format!("/_includes/{path}");
    let from = page.file().to_owned();
    let is_jekyll = page.site.flavour == Flavour::Jekyll && page.site.find(&from, path).is_none();
    if is_jekyll && !super::site::is_markdown(path) {
        page.lose("include", format!("{path}: a template, not text"));
        return String::new();
    }
    let path = if is_jekyll { in_includes.as_str() } else { path };
    let text = include::include(path, part, page, depth).unwrap_or_default();
    let text = text.trim_matches('\n');
    if is_untitled && text.trim_start().starts_with('#') {
        page.had.headings = page.had.headings.saturating_sub(1);
        return text.trim_start().split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned());
    }
    text.to_owned()
}

/// `{{ name }}`: its value where the source has it, else the same as text.
pub(super) fn variable(rest: &str, out: &mut String, page: &mut Page<'_>) -> Taken {
    let end = rest.find("}}").filter(|end| *end < 300 && !rest[..*end].contains("\n\n"))?;
    let name = rest[2..end].trim().trim_matches('-').trim();
    if out.ends_with("not_var") {
        out.truncate(out.len() - "not_var".len());
        return Some((end + 2, format!("&#123;{}", &rest[1..end + 2])));
    }
    let is_template =
        matches!(page.site.flavour, Flavour::Yfm | Flavour::Jekyll | Flavour::GitBook | Flavour::VitePress);
    if let Some(value) = value_of(name, page).filter(|_| !page.raw) {
        return Some((end + 2, value));
    }
    if is_template && !page.raw && !name.is_empty() {
        page.lose_once("variable", name);
    }
    // As the target of a link it leads nowhere, and its spaces would make the link none.
    if out.ends_with("](") || out.ends_with("](<") {
        let close = rest[end..].find([')', '\n']).filter(|close| rest[end + close..].starts_with(')'))?;
        let target: String = rest[..end + close]
            .chars()
            .map(|c| if c.is_alphanumeric() || matches!(c, '/' | '#' | '-' | '.') { c } else { '_' })
            .collect();
        if is_template {
            return Some((end + close, format!("variable:{target}")));
        }
        return None;
    }
    Some((end + 2, format!("&#123;{}", &rest[1..end + 2])))
}

fn value_of(name: &str, page: &Page<'_>) -> Option<String> {
    let (expression, filter) =
        name.split_once('|').map_or((name, ""), |(name, filter)| (name.trim(), filter.trim()));
    if let Some(literal) =
        expression.strip_prefix(['"', '\'']).and_then(|rest| rest.strip_suffix(['"', '\'']))
    {
        return (filter.starts_with("relative_url") || filter.starts_with("absolute_url"))
            .then(|| literal.to_owned());
    }
    if matches!(expression, "site.baseurl" | "site.url") {
        return Some(String::new());
    }
    if !filter.is_empty() {
        return None;
    }
    if let Some(value) = page.site.variables.get(expression) {
        return Some(value.clone());
    }
    let key = expression.strip_prefix("page.").or_else(|| expression.strip_prefix("$frontmatter."))?;
    page.meta.get(key).filter(|value| !value.is_object() && !value.is_array()).map(super::front::text_of)
}
