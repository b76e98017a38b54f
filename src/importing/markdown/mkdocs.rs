//! Blocks of Python-Markdown and Material for MkDocs: admonitions, tabs, snippets, definitions, abbreviations.

use super::blocks::{Taken, marker_width, text_blocks};
use super::include::{self, Part};
use super::inline::inline;
use super::page::{Page, alert, bold, dedented, indent_of, labelled, prefixed};

/// The lines indented below a line, without the indentation, and how many they are.
fn indented(lines: &[&str], at: usize) -> (String, usize) {
    let base = indent_of(lines[at]);
    let following = &lines[at + 1..];
    let first = following.iter().find(|line| !line.trim().is_empty()).map_or(0, |line| indent_of(line));
    let needed = base + (first.saturating_sub(base)).clamp(2, 4);
    let mut count = 0;
    for (offset, line) in following.iter().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        if indent_of(line) < needed {
            break;
        }
        count = offset + 1;
    }
    let body: Vec<String> =
        following[..count].iter().map(|line| super::page::unindented(line, needed)).collect();
    (body.join("\n"), count)
}

/// `!!! note "Title"` and `??? note "Title"` with what is indented below.
pub(super) fn admonition(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let line = lines[at];
    let trimmed = line.trim_start();
    let indent = &line[..line.len() - trimmed.len()];
    let rest = trimmed
        .strip_prefix("!!!")
        .or_else(|| trimmed.strip_prefix("???+"))
        .or_else(|| trimmed.strip_prefix("???"))?;
    if !rest.starts_with([' ', '\t', '+']) {
        return None;
    }
    let (kind, title) = match rest.split_once('"') {
        Some((kind, title)) => (kind, Some(title.rsplit_once('"').map_or(title, |(title, _)| title))),
        None => (rest, None),
    };
    let kind = kind.split_whitespace().find(|word| *word != "inline" && *word != "end").unwrap_or("note");
    if !kind.starts_with(char::is_alphabetic) {
        return None;
    }
    let (body, count) = indented(lines, at);
    let text = text_blocks(&body, page, depth + 1);
    let is_collapsed = trimmed.starts_with("???");
    // Without a title the word itself is shown, unless it is what the alert says already.
    let title = title.map(|title| inline(title, page, depth + 1));
    if is_collapsed && title.as_deref().is_some_and(|title| title.trim().is_empty()) {
        return Some((count + 1, labelled(indent, "", &text)));
    }
    Some((count + 1, alert(indent, kind, title.as_deref(), &text)))
}

/// `=== "Tab"` with what is indented below.
pub(super) fn tabs(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let line = lines[at];
    let trimmed = line.trim_start();
    let rest = trimmed.strip_prefix("===")?.trim_start_matches(['!', '+']).trim();
    let title = rest.strip_prefix('"')?.strip_suffix('"')?;
    let indent = &line[..line.len() - trimmed.len()];
    let (body, count) = indented(lines, at);
    let title = inline(title, page, depth + 1);
    let text = text_blocks(&body, page, depth + 1);
    Some((count + 1, labelled(indent, &title, &text)))
}

/// `/// note | Title` … `///`.
pub(super) fn slashes(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let line = lines[at];
    let trimmed = line.trim();
    let count = trimmed.bytes().take_while(|b| *b == b'/').count();
    let rest = trimmed[count..].trim();
    if count < 3 || !rest.starts_with(char::is_alphabetic) || !trimmed[count..].starts_with(' ') {
        return None;
    }
    let close = "/".repeat(count);
    let end = at + 1 + lines[at + 1..].iter().take(5_000).position(|line| line.trim() == close)?;
    if !page.may_scan(end - at) {
        return None;
    }
    let (kind, title) =
        rest.split_once('|').map_or((rest, None), |(kind, title)| (kind.trim(), Some(title.trim())));
    let mut body = &lines[at + 1..end];
    let mut given = None;
    // Options stand first, indented: `    type: tip`.
    while let Some(option) = body.first().filter(|line| line.starts_with("    ") && line.contains(':')) {
        given = option.trim().strip_prefix("type:").map(|kind| kind.trim().to_owned()).or(given);
        body = &body[1..];
    }
    let text = text_blocks(&dedented(body), page, depth + 1);
    let title = title.map(|title| inline(title, page, depth + 1));
    let indent = &line[..line.len() - line.trim_start().len()];
    let whole = match kind.split_whitespace().next().unwrap_or_default() {
        "caption" => labelled(indent, "", &format!("*{}*", text.trim())),
        "html" | "tab" | "define" | "figure-caption" => {
            labelled(indent, title.as_deref().unwrap_or_default(), &text)
        }
        "details" => alert(indent, given.as_deref().unwrap_or("note"), title.as_deref(), &text),
        kind => alert(indent, kind, title.as_deref(), &text),
    };
    Some((end - at + 1, whole))
}

/// `--8<-- "file"`, alone or as a block of names.
pub(super) fn snippet(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let line = lines[at];
    let rest = line.trim().strip_prefix("--8<--").or_else(|| line.trim().strip_prefix("-8<-"))?.trim();
    let indent = &line[..line.len() - line.trim_start().len()];
    let (names, count): (Vec<&str>, usize) = if rest.is_empty() {
        let end = lines[at + 1..].iter().take(50).position(|line| line.trim() == "--8<--")?;
        (
            lines[at + 1..at + 1 + end]
                .iter()
                .map(|line| line.trim())
                .filter(|name| !name.is_empty())
                .collect(),
            end + 2,
        )
    } else {
        (vec![rest.trim_matches(['"', '\''])], 1)
    };
    let mut text = String::new();
    for name in names {
        let name = name.split("#\u{20}").next().unwrap_or(name);
        let (path, part) = part_of(name);
        let root = format!("/{path}");
        let from = page.file().to_owned();
        let path = if page.site.find(&from, path).is_some() { path } else { &root };
        text.push_str(&include::include(path, part, page, depth).unwrap_or_default());
        text.push('\n');
    }
    Some((count, format!("\n{}\n\n", prefixed(text.trim_matches('\n'), indent))))
}

/// `file:name`, `file:3:9`.
fn part_of(name: &str) -> (&str, Part<'_>) {
    let Some((path, part)) = name.split_once(':').filter(|(_, part)| !part.starts_with("//")) else {
        return (name, Part::All);
    };
    let mut numbers = part.splitn(2, ':').map(|number| number.parse::<usize>());
    match (numbers.next(), numbers.next()) {
        (Some(Ok(from)), Some(Ok(to))) => (path, Part::Lines(from, to)),
        (Some(Ok(from)), None) => (path, Part::Lines(from, usize::MAX / 2)),
        _ => (path, Part::Marked(part)),
    }
}

/// `:   what it is` below a term: an item of a list, the term in bold.
pub(super) fn definition(
    lines: &[&str],
    at: usize,
    page: &mut Page<'_>,
    depth: usize,
    run: &mut String,
) -> Taken {
    let line = lines[at];
    let first = line.trim_start().strip_prefix(':')?;
    if !first.starts_with([' ', '\t']) || indent_of(line) > 3 {
        return None;
    }
    let kept = run.trim_end_matches('\n');
    if run.len() - kept.len() > 2 {
        return None;
    }
    let start = kept.rfind('\n').map_or(0, |at| at + 1);
    let term = kept[start..].trim().to_owned();
    let is_term = !term.is_empty()
        && !term.starts_with(['|', '>', '<', ':'])
        && marker_width(&term).is_none()
        && !term.starts_with("# ");
    if !is_term {
        return None;
    }
    let mut texts = Vec::new();
    let mut next = at;
    while let Some(part) = lines
        .get(next)
        .and_then(|line| line.trim_start().strip_prefix(':'))
        .filter(|part| part.starts_with([' ', '\t']))
    {
        let (body, count) = definition_body(part, lines, next);
        texts.push(text_blocks(&body, page, depth + 1).trim().to_owned());
        next += count;
    }
    run.truncate(start);
    let term = inline(&term, page, depth + 1);
    let text = texts.join("\n\n");
    let (before, after) = text.split_once('\n').unwrap_or((&text, ""));
    // A block cannot stand behind the term on its line.
    let is_block = before.starts_with(['`', '|', '>', '#']) || marker_width(before).is_some();
    let item = if is_block {
        format!("- {}\n\n{}", bold(&term), prefixed(&text, "  "))
    } else {
        format!("- {}: {before}\n{}", bold(&term), prefixed(after, "  "))
    };
    Some((next - at, format!("{}\n", item.trim_end())))
}

/// The first line of a definition with what belongs to it below, and how many lines it takes.
fn definition_body(first: &str, lines: &[&str], at: usize) -> (String, usize) {
    let mut body = vec![first.trim().to_owned()];
    let mut count = 1;
    let mut pending = 0;
    for line in &lines[at + 1..] {
        if line.trim().is_empty() {
            pending += 1;
            continue;
        }
        let is_next = line.trim_start().starts_with(": ") && indent_of(line) < 4;
        if is_next || (indent_of(line) < 2 && pending > 0) {
            break;
        }
        body.extend(std::iter::repeat_n(String::new(), pending));
        count += pending + 1;
        pending = 0;
        body.push((*line).to_owned());
    }
    let rest: Vec<&str> = body[1..].iter().map(String::as_str).collect();
    let rest = dedented(&rest);
    let text = if rest.is_empty() { body[0].clone() } else { format!("{}\n{rest}", body[0]) };
    (text, count)
}

/// `*[SMS]: what it stands for`.
pub(super) fn abbreviation(line: &str, page: &mut Page<'_>) -> Taken {
    let (short, long) = line.trim().strip_prefix("*[")?.split_once("]:")?;
    if short.is_empty() || short.len() > 80 {
        return None;
    }
    page.abbreviations.insert(short.to_owned(), long.trim().to_owned());
    Some((1, String::new()))
}
