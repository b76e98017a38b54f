//! Links, embeds, callouts, comments and tags of Obsidian.

use super::blocks::{Taken, blocks};
use super::include::{self, Part, slug};
use super::inline::{self, placed, words};
use super::learn;
use super::page::{Page, alert, labelled};
use super::site::{Flavour, Target};
use crate::importing::document::within;

/// `> [!kind]- Title` and the quotation below it.
pub(super) fn callout(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let line = lines[at];
    let trimmed = line.trim_start();
    let indent = &line[..line.len() - trimmed.len()];
    let first = trimmed.strip_prefix('>')?.trim_start().strip_prefix("[!")?;
    let (kind, rest) = first.split_once(']')?;
    let kind = kind.trim();
    let name = kind.split([' ', '|']).next().unwrap_or_default();
    if name.is_empty()
        || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        || name.starts_with("code")
    {
        return None;
    }
    if name.eq_ignore_ascii_case("include") {
        return None;
    }
    let count = lines[at..].iter().take_while(|line| line.trim_start().starts_with('>')).count();
    let inner: Vec<&str> = lines[at + 1..at + count]
        .iter()
        .map(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix('>').unwrap_or(line);
            line.strip_prefix(' ').unwrap_or(line)
        })
        .collect();
    let text = blocks(&inner, page, depth + 1);
    if name.eq_ignore_ascii_case("video") {
        let video = learn::video_link(kind[name.len()..].trim(), page);
        return Some((count, labelled(indent, "", &format!("{video}\n\n{text}"))));
    }
    let title = rest.trim_start_matches(['-', '+']).trim();
    let shown = inline::inline(title, page, depth + 1);
    if name.eq_ignore_ascii_case("div") {
        let text = format!("{shown}\n{text}");
        return Some((count, labelled(indent, "", text.trim_matches('\n'))));
    }
    // At Microsoft the text may begin on the first line.
    if page.site.flavour == Flavour::Learn || title.chars().count() > 100 {
        return Some((count, alert(indent, name, None, &format!("{shown}\n{text}"))));
    }
    Some((count, alert(indent, name, Some(&shown), &text)))
}

/// `%% what readers do not see %%` over lines.
pub(super) fn comment(lines: &[&str], at: usize, page: &mut Page<'_>) -> Taken {
    let rest =
        lines[at].trim_start().strip_prefix("%%").filter(|_| page.site.flavour == Flavour::Obsidian)?;
    if rest.contains("%%") {
        return None;
    }
    let end = lines[at + 1..].iter().take(5_000).position(|line| line.contains("%%"))?;
    page.lose_once("comment", "%% comments %% are left out");
    Some((end + 2, "\n".to_owned()))
}

/// The same within a line.
pub(super) fn inline_comment(rest: &str, page: &mut Page<'_>) -> Option<(usize, String)> {
    let inner = rest.strip_prefix("%%").filter(|_| page.site.flavour == Flavour::Obsidian)?;
    let end = inner.find("%%").filter(|end| !inner[..*end].contains("\n\n"))?;
    page.lose_once("comment", "%% comments %% are left out");
    Some((end + 4, String::new()))
}

struct Wikilink<'l> {
    length: usize,
    path: &'l str,
    anchor: Option<&'l str>,
    text: Option<&'l str>,
}

fn parse(rest: &str) -> Option<Wikilink<'_>> {
    let inner = rest.strip_prefix("[[")?;
    let end = inner.find("]]").filter(|end| *end > 0 && *end < 500)?;
    let whole = &inner[..end];
    if whole.contains(['\n', '[']) || inner[end + 2..].starts_with('(') {
        return None;
    }
    let (target, text) = match whole.split_once('|') {
        Some((target, text)) => (target.trim_end_matches('\\'), Some(text)),
        None => (whole, None),
    };
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    Some(Wikilink { length: end + 4, path: path.trim(), anchor, text })
}

/// `[[Page#Heading|text]]`.
pub(super) fn link(rest: &str, page: &mut Page<'_>) -> Option<(usize, String)> {
    let found = parse(rest)?;
    let whole = &rest[2..found.length - 2];
    let shown = match found.text {
        Some(text) => words(text),
        None => words(&whole.replace('#', " > ").trim_start_matches(" > ").replace("^", "")),
    };
    let anchor = found.anchor.map(|anchor| anchor.rsplit('#').next().unwrap_or(anchor));
    if found.path.is_empty() {
        let anchor = anchor?;
        return Some((found.length, format!("[{shown}](#{})", anchor_of(anchor, page))));
    }
    let from = page.file().to_owned();
    let target = page.site.named(&from, found.path).or_else(|| page.site.find(&from, found.path));
    match target {
        Some(Target::Document(key) | Target::File(key)) => {
            let anchor = anchor.map(|anchor| anchor_of(anchor, page)).filter(|anchor| !anchor.is_empty());
            Some((found.length, format!("[{shown}]({})", within(&key, anchor.as_deref()))))
        }
        // Elsewhere two brackets may be anything.
        None if page.site.flavour != Flavour::Obsidian => None,
        None => {
            page.lose("link", format!("[[{whole}]] leads to nothing in the source"));
            Some((found.length, shown))
        }
    }
}

fn anchor_of(anchor: &str, page: &mut Page<'_>) -> String {
    if anchor.starts_with('^') {
        page.lose("block-reference", format!("{anchor}: the link leads to the page, not to the paragraph"));
        return String::new();
    }
    slug(anchor)
}

/// `![[picture.png|300]]` and `![[Note#Heading]]`; and sizes in the text of pictures.
pub(super) fn embed(rest: &str, out: &str, page: &mut Page<'_>, depth: usize) -> Option<(usize, String)> {
    let Some(found) = parse(rest.get(1..)?) else { return sized(rest) };
    let length = found.length + 1;
    let from = page.file().to_owned();
    let target = if found.path.is_empty() {
        Some(Target::Document(from.clone()))
    } else {
        page.site.named(&from, found.path).or_else(|| page.site.find(&from, found.path))
    };
    let name = found.path.rsplit('/').next().unwrap_or_default();
    let text = found.text.filter(|text| !is_size(text)).unwrap_or(name);
    match target {
        Some(Target::File(path)) if is_picture(&path) => {
            let alt = found.text.filter(|text| !is_size(text)).map(words).unwrap_or_default();
            Some((length, format!("![{alt}]({})", within(&path, None))))
        }
        Some(Target::File(path)) if !super::site::is_markdown(&path) => {
            page.lose("embed", format!("{path}: carried as a link"));
            Some((length, format!("[{}]({})", words(text), within(&path, None))))
        }
        Some(Target::Document(path) | Target::File(path)) => {
            let anchor = found.anchor.map(|anchor| anchor.rsplit('#').next().unwrap_or(anchor));
            if anchor.is_some_and(|anchor| anchor.starts_with('^')) {
                page.lose(
                    "block-reference",
                    format!("{path}#{}: carried as a link", anchor.unwrap_or_default()),
                );
                return Some((length, format!("[{}]({})", words(text), within(&path, None))));
            }
            page.lose("embed", format!("{path}: its text is carried as it is now"));
            let part = anchor.map_or(Part::All, Part::Section);
            let text = include::include_file(&path, part, page, depth).unwrap_or_default();
            Some((length, placed(&text, out)))
        }
        None => {
            page.lose("embed", format!("{}: leads to nothing in the source", found.path));
            Some((length, words(text)))
        }
    }
}

/// `![text|300](picture.png)`: the size is none of the text.
fn sized(rest: &str) -> Option<(usize, String)> {
    let inner = rest.strip_prefix("![")?;
    let end = inner.find(']').filter(|end| inner[end + 1..].starts_with('('))?;
    let (text, size) = inner[..end].rsplit_once('|')?;
    (is_size(size) && !text.contains('\n')).then(|| (end + 3, format!("![{}]", text.trim_end_matches('\\'))))
}

fn is_size(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'x')
}

/// Whether a file is a picture.
pub(super) fn is_picture(path: &str) -> bool {
    let path = path.to_lowercase();
    [".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp", ".avif"].iter().any(|end| path.ends_with(end))
}

/// ` ^id` at the end of a line: a name for links to a paragraph, not seen by readers.
pub(super) fn block_id(rest: &str, out: &str, page: &Page<'_>) -> Option<(usize, String)> {
    if page.site.flavour != Flavour::Obsidian || !(out.is_empty() || out.ends_with([' ', '\n'])) {
        return None;
    }
    let line = rest.split('\n').next().unwrap_or_default();
    let id = line[1..].trim_end();
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_id.then(|| (line.len(), String::new()))
}

/// `#tag`: stays in the text and is a tag of the page.
pub(super) fn tag(rest: &str, out: &str, page: &mut Page<'_>) -> Option<(usize, String)> {
    if page.site.flavour != Flavour::Obsidian
        || page.files.len() > 1
        || !(out.is_empty() || out.ends_with([' ', '\n', '(']))
    {
        return None;
    }
    let length = rest[1..]
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '/')))
        .unwrap_or(rest.len() - 1);
    let tag = &rest[1..=length];
    if !tag.chars().any(char::is_alphabetic) || tag.len() > 100 {
        return None;
    }
    if !page.tags.iter().any(|known| known == tag) {
        page.tags.push(tag.to_owned());
    }
    Some((length + 1, format!("#{tag}")))
}
