//! MDX: imports, comments and components between Markdown.

use super::blocks::{Taken, blocks, text_blocks};
use super::include::{self, Part};
use super::inline::{link, words};
use super::page::{Page, alert, attribute, attributes, code_block, labelled};
use super::paired::{self, Tag};
use super::site::is_markdown;

/// `import … from '…'` and `export …`, with what goes on below.
pub(super) fn import(lines: &[&str], at: usize, page: &mut Page<'_>) -> Taken {
    let line = lines[at];
    let is_import = line.starts_with("import ");
    if !page.mdx || !(is_import || line.starts_with("export ")) {
        return None;
    }
    let is_code = line.contains([';', '\'', '"', '{', '=']) || line.trim_end().ends_with(" from");
    if !is_code {
        return None;
    }
    let mut open = 0isize;
    let mut count = 0;
    for line in &lines[at..] {
        if line.trim().is_empty() && open <= 0 || count > 500 {
            break;
        }
        count += 1;
        for c in line.chars() {
            match c {
                '{' | '(' | '[' => open += 1,
                '}' | ')' | ']' => open -= 1,
                _ => {}
            }
        }
        if let Some((names, path)) = line.split_once(" from ") {
            let name = names.trim().trim_start_matches("import").trim();
            let path = path.trim().trim_end_matches(';').trim_matches(['"', '\'']);
            if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !name.is_empty() {
                page.imports.insert(name.to_owned(), path.to_owned());
            }
        }
    }
    if !is_import {
        page.lose("mdx", line);
    }
    Some((count, "\n".to_owned()))
}

/// `{/* what readers do not see */}`.
pub(super) fn comment(lines: &[&str], at: usize) -> Taken {
    if !lines[at].trim_start().starts_with("{/*") {
        return None;
    }
    let end = lines[at..].iter().take(500).position(|line| line.contains("*/}"))?;
    lines[at + end].trim_end().ends_with("*/}").then(|| (end + 1, "\n".to_owned()))
}

/// `{/* #id */}` behind a heading, and comments within lines.
pub(super) fn heading_id(rest: &str) -> Taken {
    let inner = rest.strip_prefix("{/*")?;
    let end = inner.find("*/}").filter(|end| !inner[..*end].contains("\n\n"))?;
    let id = inner[..end].trim();
    let text = if id.starts_with('#') && !id.contains(' ') { format!("{{{id}}}") } else { String::new() };
    Some((end + 6, text))
}

/// A tag of JSX at the beginning of a text: its length, name, values, and whether it closes or stands alone.
fn tag(text: &str) -> Option<(usize, &str, &str, bool, bool)> {
    let rest = text.strip_prefix('<')?;
    let closing = rest.starts_with('/');
    let name_at = 1 + usize::from(closing);
    let length = text[name_at..]
        .bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        .count();
    let name = &text[name_at..name_at + length];
    let first = name.bytes().next();
    if !first.is_some_and(|b| b.is_ascii_alphabetic())
        && !matches!(text[name_at..].bytes().next(), Some(b'>'))
    {
        return None;
    }
    let mut depth = 0usize;
    let mut quote = None;
    for (at, c) in text[name_at + length..].char_indices().take(8_000) {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if depth == 0 => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') => depth = depth.saturating_sub(1),
            (None, '>') if depth == 0 => {
                let values = &text[name_at + length..name_at + length + at];
                let alone = values.ends_with('/');
                return Some((name_at + length + at + 1, name, values.trim_end_matches('/'), closing, alone));
            }
            (None, '<') if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn scan(text: &str, from: usize) -> Option<Tag> {
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find('<')?;
        let rest = &text[start..];
        if let Some((length, name, args, closing, single)) = tag(rest) {
            return Some(Tag {
                start,
                end: start + length,
                name: name.to_owned(),
                args: args.to_owned(),
                closing,
                single,
            });
        }
        // A tag that goes on below.
        let name = rest[1..].split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        if !name.is_empty() && rest[1 + name.len()..].trim().is_empty() {
            return Some(Tag {
                start,
                end: text.len(),
                name: name.to_owned(),
                args: String::new(),
                closing: false,
                single: false,
            });
        }
        at = start + 1;
    }
}

/// HTML that only holds other blocks, where Markdown stands in it.
const CONTAINERS: &[&str] = &[
    "div", "details", "section", "center", "figure", "article", "aside", "main", "template", "header",
    "span", "",
];

/// A component, or a container of HTML, at the beginning of a line.
pub(super) fn component(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let line = lines[at];
    let start = line.len() - line.trim_start().len();
    let is_markdown_in_html = line.contains("markdown");
    if !page.mdx && !is_markdown_in_html {
        return None;
    }
    let mut joined = line.to_owned();
    let mut spanned = 1;
    while tag(&joined[start..]).is_none() {
        let next = lines.get(at + spanned).filter(|_| spanned < 60)?;
        joined.push('\n');
        joined.push_str(next);
        spanned += 1;
    }
    let (length, name, values, closing, single) = tag(&joined[start..])?;
    let end = start + length;
    let is_component =
        page.mdx && (name.starts_with(|c: char| c.is_ascii_uppercase()) || name.contains(['-', '.']));
    let is_container = CONTAINERS.contains(&name) && (joined[end..].trim().is_empty() || is_markdown_in_html);
    if !is_component && !is_container {
        return None;
    }
    let indent = joined[..start].to_owned();
    let found = Tag { start, end, name: name.to_owned(), args: values.to_owned(), closing, single };
    if closing {
        return joined[end..].trim().is_empty().then(|| (spanned, "\n".to_owned()));
    }
    if single {
        if !joined[end..].trim().is_empty() {
            return None;
        }
        let text = alone(&found, page, depth);
        return Some((spanned, labelled(&indent, "", &text)));
    }
    let joined = joined.replace('\n', " ");
    let mut copy: Vec<&str> = vec![&joined];
    copy.extend(&lines[(at + spanned).min(lines.len())..]);
    let pair = paired::pair(&copy, 0, &found, scan, page)?;
    let mut text = enclosing(&found, &pair.inner, &indent, page, depth);
    if !pair.rest.trim().is_empty() {
        text.push_str(&blocks(&[&format!("{indent}{}", pair.rest.trim())], page, depth + 1));
    }
    Some((pair.lines + spanned - 1, text))
}

fn enclosing(tag: &Tag, inner: &str, indent: &str, page: &mut Page<'_>, depth: usize) -> String {
    let values = attributes(&tag.args);
    let title = attribute(&values, &["label", "title", "summary", "header", "name", "value"]).map(words);
    let name = tag.name.as_str();
    if matches!(name, "CodeBlock" | "Code" | "SourceCode") {
        let language = attribute(&values, &["language", "lang"]).unwrap_or_default();
        let code = inner.trim().trim_start_matches("{`").trim_end_matches("`}");
        return labelled(indent, &title.unwrap_or_default(), &code_block(language, code));
    }
    if matches!(name, "style" | "script") {
        page.lose("script", format!("<{name}>"));
        return "\n".to_owned();
    }
    let text = text_blocks(inner, page, depth + 1);
    match name {
        "TabItem" | "Tab" | "TabPanel" | "TabPane" | "CodeGroupItem" | "Details" | "Accordion" | "Expand"
        | "Collapse" | "Step" | "Expandable" => labelled(indent, &title.unwrap_or_default(), &text),
        "Tabs" | "TabGroup" | "CodeGroup" | "CodeTabs" | "Steps" | "Cards" | "CardGroup" | "Columns"
        | "Column" | "Row" | "Col" | "Accordions" | "AccordionGroup" | "Fragment" => {
            labelled(indent, "", &text)
        }
        "Admonition" | "Callout" | "Alert" | "Aside" => {
            let kind = attribute(&values, &["type", "variant", "kind", "intent"]).unwrap_or("note");
            alert(indent, kind, title.as_deref(), &text)
        }
        "Note" | "Tip" | "Info" | "Warning" | "Danger" | "Caution" | "Important" | "Hint" | "Success"
        | "Check" => alert(indent, name, title.as_deref(), &text),
        "Card" | "LinkCard" | "Button" | "Link" | "DocsLink"
            if attribute(&values, &["href", "to", "link"]).is_some() =>
        {
            let target = attribute(&values, &["href", "to", "link"]).unwrap_or_default();
            match title {
                Some(title) => labelled(indent, "", &format!("{}\n\n{text}", link(&title, target))),
                None => labelled(indent, "", &link(text.trim(), target)),
            }
        }
        name if CONTAINERS.contains(&name) => labelled(indent, "", &text),
        name => {
            page.lose("component", format!("{name}: what it encloses is carried"));
            labelled(indent, "", &text)
        }
    }
}

/// A component that encloses nothing.
fn alone(tag: &Tag, page: &mut Page<'_>, depth: usize) -> String {
    let values = attributes(&tag.args);
    if let Some(path) = page.imports.get(&tag.name).cloned() {
        if is_markdown(&path) {
            let path = path
                .strip_prefix("@site")
                .map_or_else(|| path.clone(), |path| format!("/{}", path.trim_start_matches('/')));
            return include::include(&path, Part::All, page, depth).unwrap_or_default();
        }
        if super::obsidian::is_picture(&path) {
            return format!("![](<{}>)", path.trim_start_matches("@site"));
        }
    }
    let title = attribute(&values, &["title", "label", "text", "alt", "name"]);
    if let Some(target) = attribute(&values, &["href", "to", "url"]) {
        return link(&words(title.unwrap_or(target)), target);
    }
    if let Some(source) = attribute(&values, &["src", "source", "light", "img"])
        .filter(|source| super::obsidian::is_picture(source))
    {
        return format!("![{}](<{source}>)", words(title.unwrap_or_default()));
    }
    if tag.name == "Badge" {
        return words(title.unwrap_or_default());
    }
    page.lose("component", format!("{} {}", tag.name, tag.args));
    String::new()
}

/// A component within a line: what it encloses stays; tags of HTML are made such that CommonMark sees them.
pub(super) fn inline(rest: &str, page: &mut Page<'_>) -> Option<(usize, String)> {
    if !page.mdx {
        return None;
    }
    let (length, name, values, closing, single) = tag(rest)?;
    if name.is_empty() {
        return Some((length, String::new()));
    }
    if name.starts_with(|c: char| c.is_ascii_uppercase()) {
        if single {
            let found = Tag {
                start: 0,
                end: length,
                name: name.to_owned(),
                args: values.to_owned(),
                closing,
                single,
            };
            let depth = super::page::MAX_DEPTH / 2;
            return Some((length, alone(&found, page, depth).trim().to_owned()));
        }
        if !closing {
            page.lose("component", format!("{name}: what it encloses is carried"));
        }
        return Some((length, String::new()));
    }
    if !values.contains('{') {
        return None;
    }
    let mut written = format!("<{name}");
    for (key, value) in attributes(values) {
        if !matches!(key.as_str(), "src" | "href" | "alt" | "title" | "id" | "name") {
            continue;
        }
        let value = page.imports.get(&value).cloned().unwrap_or(value);
        // `require('./x.png').default`, `useBaseUrl('/x.png')`
        let inner = value.split_once("('").or_else(|| value.split_once("(\"")).map(|(_, inner)| inner);
        let value =
            inner.and_then(|inner| inner.split(['\'', '"']).next()).map_or(value.clone(), str::to_owned);
        written.push_str(&format!(" {key}=\"{}\"", value.trim_start_matches("@site").replace('"', "&quot;")));
    }
    written.push('>');
    Some((length, written))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_jsx_hold_braces_and_quotes() {
        let (length, name, values, closing, single) = tag("<Foo a={x => y} b=\"1 > 0\" /> z").unwrap();
        assert_eq!((length, name, closing, single), (28, "Foo", false, true));
        assert!(values.contains("1 > 0"));
        assert!(tag("< 5").is_none());
        assert!(tag("<b").is_none());
    }
}
