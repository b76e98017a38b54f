//! `{{< shortcodes >}}` and `{{% shortcodes %}}` of Hugo.

use super::blocks::{Taken, blocks, text_blocks};
use super::include::{self, Part};
use super::inline::{link, placed, words};
use super::page::{Page, alert, attribute, attributes, code_block, code_span, labelled, prefixed};
use super::paired::{self, Tag};
use super::site::Target;
use crate::importing::document::within;

fn scan(text: &str, from: usize) -> Option<Tag> {
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find("{{")?;
        let rest = &text[start + 2..];
        let close = match rest.bytes().next()? {
            b'<' if !rest.starts_with("</*") => ">}}",
            b'%' if !rest.starts_with("%/*") => "%}}",
            _ => {
                at = start + 2;
                continue;
            }
        };
        let length = rest[1..].find(close).filter(|length| *length < 8_000)?;
        let inner = rest[1..1 + length].trim();
        let closing = inner.starts_with('/');
        let single = inner.ends_with('/') && !closing;
        let inner = inner.trim_matches('/').trim();
        let (name, args) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
        return Some(Tag {
            start,
            end: start + 3 + length + 3,
            name: name.to_lowercase(),
            args: args.trim().to_owned(),
            closing,
            single,
        });
    }
}

/// Shortcodes of templates that never enclose anything.
const SINGLE: &[&str] = &[
    "ref", "relref", "figure", "img", "param", "youtube", "vimeo", "include", "readfile", "gist", "tweet",
    "x",
];

/// A shortcode at the beginning of a line, with what it encloses.
pub(super) fn block(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    if page.raw || !lines[at].trim_start().starts_with("{{") {
        return None;
    }
    let close = if lines[at].trim_start().starts_with("{{<") { ">}}" } else { "%}}" };
    let (tag, joined, spanned) = paired::first(lines, at, "{{", close, scan)?;
    let indent = joined[..tag.start].to_owned();
    if tag.closing {
        return joined[tag.end..].trim().is_empty().then(|| (spanned, "\n".to_owned()));
    }
    if !tag.single && !SINGLE.contains(&tag.name.as_str()) {
        let mut copy: Vec<&str> = vec![&joined];
        copy.extend(&lines[(at + spanned).min(lines.len())..]);
        if let Some(pair) = paired::pair(&copy, 0, &tag, scan, page) {
            let mut text = enclosing(&tag, &pair.inner, &indent, page, depth);
            if !pair.rest.trim().trim_matches('.').is_empty() {
                text.push_str(&blocks(&[&format!("{indent}{}", pair.rest.trim())], page, depth + 1));
            }
            return Some((pair.lines + spanned - 1, text));
        }
    }
    if !joined[tag.end..].trim().is_empty() {
        return None;
    }
    let text = single(&tag, page, depth);
    let text = text.trim();
    if text.is_empty() {
        return Some((spanned, "\n".to_owned()));
    }
    let text = prefixed(text, &indent);
    Some((spanned, if text.contains('\n') { format!("\n{text}\n\n") } else { format!("{text}\n") }))
}

/// A shortcode within a line.
pub(super) fn inline(rest: &str, out: &str, page: &mut Page<'_>, depth: usize) -> Taken {
    if page.raw {
        return None;
    }
    // A shortcode that is shown: `{{</* x */>}}`.
    for (open, close, shown) in [("{{</*", "*/>}}", ('<', '>')), ("{{%/*", "*/%}}", ('%', '%'))] {
        if let Some(inner) = rest.strip_prefix(open) {
            let end = inner.find(close)?;
            return Some((
                open.len() + end + close.len(),
                format!("&#123;{{{}{}{}}}}}", shown.0, &inner[..end], shown.1),
            ));
        }
    }
    let tag = paired::at_start(rest, scan)?;
    if tag.closing {
        return Some((tag.end, String::new()));
    }
    if !tag.single
        && !SINGLE.contains(&tag.name.as_str())
        && let Some((from, to, end)) = paired::pair_in(rest, &tag, scan)
    {
        let text = enclosing(&tag, rest[from..to].trim(), "", page, depth);
        return Some((end, placed(&text, out)));
    }
    let text = single(&tag, page, depth);
    Some((tag.end, if text.contains('\n') { placed(&text, out) } else { text }))
}

const NOTES: &[&str] = &[
    "alert",
    "notice",
    "callout",
    "admonition",
    "hint",
    "note",
    "tip",
    "info",
    "warning",
    "caution",
    "danger",
    "important",
    "pageinfo",
    "box",
    "blockquote",
    "attention",
    "error",
    "success",
    "message",
];

fn enclosing(tag: &Tag, inner: &str, indent: &str, page: &mut Page<'_>, depth: usize) -> String {
    let args = attributes(&tag.args);
    let positional: Vec<&str> =
        args.iter().filter(|(name, _)| name.is_empty()).map(|(_, value)| value.as_str()).collect();
    let name = tag.name.as_str();
    let language = attribute(&args, &["lang", "language"]);
    match name {
        "highlight" | "code" | "codeblock" | "code-toggle" | "mermaid" | "plantuml" | "code-block" => {
            let language = match name {
                "code-toggle" if inner.lines().any(|line| line.contains(" = ") || line.starts_with('[')) => {
                    "toml"
                }
                "code-toggle" => "yaml",
                "mermaid" | "plantuml" => name,
                _ => language.or(positional.first().copied()).unwrap_or_default(),
            };
            // Some enclose a fenced block already.
            let code = if inner.trim_start().starts_with("```") {
                inner.to_owned()
            } else {
                code_block(language, inner)
            };
            let title = attribute(&args, &["file", "title", "filename"]).filter(|title| title.contains('.'));
            return labelled(indent, &title.map(words).unwrap_or_default(), &code);
        }
        "math" | "katex" => {
            page.lose("math", format!("a formula is shown as code: {inner}"));
            return format!("\n{}\n\n", prefixed(&code_block("latex", inner), indent));
        }
        "comment" => return "\n".to_owned(),
        "kbd" | "hl" => return code_span(inner),
        _ => {}
    }
    let text = if name == "tab" && language.is_some() && !inner.trim_start().starts_with("```") {
        code_block(language.unwrap_or_default(), inner)
    } else {
        text_blocks(inner, page, depth + 1)
    };
    match name {
        _ if NOTES.contains(&name) => {
            let is_general = matches!(
                name,
                "alert" | "notice" | "callout" | "admonition" | "hint" | "pageinfo" | "box" | "message"
            );
            let given = attribute(&args, &["type", "color", "kind", "style", "severity"])
                .or(positional.first().copied());
            let title = attribute(&args, &["title"]).or(positional.get(1).copied()).map(words);
            // Docsy names an alert by its title and colours it apart.
            let named = title
                .as_deref()
                .filter(|title| super::page::alert_of(title).0 != "NOTE")
                .map(str::to_lowercase);
            let kind = if is_general { named.as_deref().or(given).unwrap_or("note") } else { name };
            let title = title.filter(|title| !title.eq_ignore_ascii_case(super::page::alert_of(kind).0));
            alert(indent, kind, title.as_deref(), &text)
        }
        "details" | "expand" | "collapse" | "spoiler" | "accordion" | "tab" | "tab-item" | "tabitem"
        | "card" | "step" => {
            let title = attribute(&args, &["summary", "title", "header", "name", "label"])
                .or(positional.first().copied());
            labelled(indent, &title.map(words).unwrap_or_default(), &text)
        }
        "tabs" | "tabpane" | "tabbed-pane" | "columns" | "column" | "steps" | "cards" | "div" | "row"
        | "col" => labelled(indent, "", &text),
        "button" | "link" | "a" => {
            let target = attribute(&args, &["href", "url", "link", "relref"])
                .or(positional.first().copied())
                .unwrap_or_default();
            format!("{indent}{}", link(text.trim(), target))
        }
        "new-in" | "deprecated-in" => {
            page.lose_once("shortcode", &format!("{name} {}", tag.args));
            labelled(indent, &format!("{name} {}", words(&tag.args)), &text)
        }
        _ => {
            page.lose("shortcode", format!("{name} {}: what it encloses is carried", tag.args));
            labelled(indent, "", &text)
        }
    }
}

/// Where a reference to another page leads.
fn reference(target: &str, page: &Page<'_>) -> String {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let from = page.file().to_owned();
    if path.is_empty() {
        return format!("#{}", anchor.unwrap_or_default());
    }
    match page.site.find(&from, path).or_else(|| page.site.named(&from, path)) {
        Some(Target::Document(key) | Target::File(key)) => within(&key, anchor),
        None => target.to_owned(),
    }
}

fn single(tag: &Tag, page: &mut Page<'_>, depth: usize) -> String {
    let args = attributes(&tag.args);
    let positional = args.iter().find(|(name, _)| name.is_empty()).map(|(_, value)| value.as_str());
    let target = attribute(&args, &["path", "src", "file", "href", "url", "link", "id"])
        .or(positional)
        .unwrap_or_default();
    match tag.name.as_str() {
        "ref" | "relref" => reference(target, page),
        "figure" | "img" | "image" | "picture" => {
            let caption = attribute(&args, &["caption", "title"]);
            let alt = attribute(&args, &["alt"]).or(caption).unwrap_or_default();
            let picture = format!("![{}](<{target}>)", words(alt));
            match caption.filter(|caption| *caption != alt) {
                Some(caption) => format!("{picture}\n\n*{}*", words(caption)),
                None => picture,
            }
        }
        "youtube" => {
            let address = format!("https://www.youtube.com/watch?v={target}");
            let title = attribute(&args, &["title"]).unwrap_or(&address);
            link(&words(title), &address)
        }
        "vimeo" => {
            link(&words(&format!("https://vimeo.com/{target}")), &format!("https://vimeo.com/{target}"))
        }
        "include" | "readfile" | "snippet" | "include-markdown" if target.contains(['.', '/']) => {
            let is_code = attribute(&args, &["code"]) == Some("true") || !super::site::is_markdown(target);
            let written = if page.site.find(page.file(), target).is_some() {
                target.to_owned()
            } else {
                format!("/content/{target}")
            };
            if is_code {
                let language = attribute(&args, &["lang", "language"]).unwrap_or_default().to_owned();
                let from = page.file().to_owned();
                return match page.site.find(&from, &written) {
                    Some(Target::File(path)) => {
                        page.site.part(&path).map(|text| code_block(&language, &text)).unwrap_or_default()
                    }
                    _ => {
                        page.lose("include", format!("{target}: leads to nothing in the source"));
                        String::new()
                    }
                };
            }
            include::include(&written, Part::All, page, depth).unwrap_or_default()
        }
        "param" => {
            let value = page
                .meta
                .get(target)
                .map(super::front::text_of)
                .or_else(|| page.site.variables.get(target).cloned());
            value.unwrap_or_else(|| {
                page.lose_once("variable", target);
                words(target)
            })
        }
        "heading" => words(target),
        "glossary_tooltip" | "glossary-term" | "glossary_definition" => {
            words(attribute(&args, &["text", "term_id"]).or(positional).unwrap_or_default())
        }
        "br" => "\\\n".to_owned(),
        "toc" | "table-of-contents" | "icon" | "clearfix" => {
            page.lose_once("shortcode", &tag.name);
            String::new()
        }
        name => {
            page.lose("shortcode", format!("{name} {}", tag.args));
            // Words it shows are better kept than none: `{{< new-in 0.153.0 >}}`.
            if matches!(name, "new-in" | "deprecated-in") {
                format!("({name} {})", words(&tag.args))
            } else {
                String::new()
            }
        }
    }
}
