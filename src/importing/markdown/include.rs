//! Files included in others, and headings picked out of them.

use super::blocks::text_blocks;
use super::page::{MAX_DEPTH, Page};
use super::site::{Target, plain};
use super::{conditions, finish, front, tally};

/// Which part of a file is included.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'p> {
    All,
    /// What stands under a heading, named by its text or anchor.
    Section(&'p str),
    /// What stands between the marks of a name.
    Marked(&'p str),
    /// What stands between two texts, either of which may be left out.
    Between(Option<&'p str>, Option<&'p str>),
    /// From a line to a line, counted from 1.
    Lines(usize, usize),
}

/// The text of a file as CommonMark, its links leading where they led there. `None`, told as a loss: there is none.
pub(super) fn include(written: &str, part: Part<'_>, page: &mut Page<'_>, depth: usize) -> Option<String> {
    let written = written.trim().trim_matches(['"', '\'', '<', '>']);
    let from = page.file().to_owned();
    let found = page.site.find(&from, written).or_else(|| page.site.named(&from, written));
    let Some(Target::Document(path) | Target::File(path)) = found else {
        page.lose("include", format!("{written}: leads to nothing in the source"));
        return None;
    };
    include_file(&path, part, page, depth)
}

/// The same for a file whose path is known.
pub(super) fn include_file(path: &str, part: Part<'_>, page: &mut Page<'_>, depth: usize) -> Option<String> {
    if page.files.iter().any(|file| file == path) || page.files.len() > MAX_DEPTH / 3 {
        page.lose("include", format!("{path}: includes itself"));
        return None;
    }
    let Some(text) = page.site.part(path) else {
        page.lose("include", format!("{path}: cannot be read as text"));
        return None;
    };
    let (_, body) = front::split(&text);
    let body = &conditions::decided(body, page);
    let body = match part {
        Part::All => body.clone(),
        Part::Between(start, end) => between(body, start, end).to_owned(),
        Part::Section(name) => match section(body, name) {
            Some(section) => section,
            None => {
                page.lose("include", format!("{path}#{name}: there is no such part"));
                return None;
            }
        },
        Part::Marked(name) => match between_marks(body, name) {
            Some(marked) => marked,
            None => {
                page.lose("include", format!("{path}#{name}: there is no such part"));
                return None;
            }
        },
        Part::Lines(from, to) => body
            .lines()
            .skip(from.saturating_sub(1))
            .take(to.saturating_sub(from.max(1)) + 1)
            .collect::<Vec<_>>()
            .join("\n"),
    };
    if !page.may_include(body.len()) {
        page.lose_once("limits", &format!("{path}: too much is included"));
        return None;
    }
    tally::add(&mut page.had, &body);
    page.files.push(path.to_owned());
    let text = text_blocks(&body, page, depth + 1);
    let text = finish::rebased(&text, page);
    page.files.pop();
    Some(text)
}

/// What stands behind the first text and before the second one.
fn between<'b>(body: &'b str, start: Option<&str>, end: Option<&str>) -> &'b str {
    let body = start.and_then(|start| Some(body.split_once(start)?.1)).unwrap_or(body);
    end.and_then(|end| Some(body.split_once(end)?.0)).unwrap_or(body)
}

/// What stands under a heading, the heading included, up to the next of its level.
pub(super) fn section(body: &str, name: &str) -> Option<String> {
    let wanted = slug(name);
    let mut taken: Vec<&str> = Vec::new();
    let mut level = 0;
    let mut fence = false;
    for line in body.lines() {
        if super::blocks::fence(line).is_some() {
            fence = !fence;
        }
        let marks = if fence { 0 } else { line.bytes().take_while(|b| *b == b'#').count() };
        if (1..=6).contains(&marks) && line[marks..].starts_with([' ', '\t']) {
            if level > 0 && marks <= level {
                break;
            }
            let given = line.rsplit_once("{#").and_then(|(_, id)| id.split_once('}')).map(|(id, _)| id);
            if level == 0 && (given == Some(name) || slug(&plain(&line[marks..])) == wanted) {
                level = marks;
            }
        }
        if level > 0 {
            taken.push(line);
        }
    }
    (level > 0).then(|| taken.join("\n"))
}

/// What stands between `--8<-- [start:name]` and `[end:name]`, `<!-- #region name -->`, `[comment]: <> (name)` or `{includetag(name)}` marks.
fn between_marks(body: &str, name: &str) -> Option<String> {
    if body.contains(OPEN_TAGS) {
        let wanted: Vec<&str> = name.split(',').map(str::trim).collect();
        return Some(tagged(body, &wanted).trim_matches('\n').to_owned());
    }
    let opens = [format!("[start:{name}]"), format!("#region {name}"), format!("<name>{name}</name>")];
    let closes = [format!("[end:{name}]"), "#endregion".to_owned(), String::from("\u{0}")];
    for (open, close) in opens.iter().zip(&closes) {
        let Some(start) = body.find(open.as_str()) else { continue };
        let after = start + open.len();
        let lines = body[after..].lines().skip(1).take_while(|line| !line.contains(close.as_str()));
        return Some(lines.collect::<Vec<_>>().join("\n"));
    }
    None
}

const OPEN_TAGS: &str = "{includetag(";
const CLOSE_TAGS: &str = "{/includetag}";

/// A text without what is for other tags than those that are wanted. What has no tag is for all.
fn tagged(body: &str, wanted: &[&str]) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some(start) = rest.find(OPEN_TAGS) {
        let (before, tag) = rest.split_at(start);
        out.push_str(before);
        let Some(end) = tag.find(")}") else { break };
        let names = &tag[OPEN_TAGS.len()..end];
        let inner = &tag[end + 2..];
        // Its own end, behind those of tags within it.
        let (mut depth, mut at, mut close) = (1, 0, inner.len());
        while depth > 0 {
            let next = |mark: &str| inner[at..].find(mark).map(|found| at + found);
            match (next(OPEN_TAGS), next(CLOSE_TAGS)) {
                (Some(open), Some(end)) if open < end => {
                    depth += 1;
                    at = open + OPEN_TAGS.len();
                }
                (_, Some(end)) => {
                    depth -= 1;
                    close = end;
                    at = end + CLOSE_TAGS.len();
                }
                (_, None) => {
                    close = inner.len();
                    break;
                }
            }
        }
        if names.split(',').any(|name| wanted.contains(&name.trim())) {
            out.push_str(&tagged(&inner[..close], wanted));
        }
        rest = inner.get(close + CLOSE_TAGS.len()..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The anchor GitHub and most others make of a heading.
pub(super) fn slug(heading: &str) -> String {
    let mut slug = String::new();
    for c in heading.trim().chars() {
        match c {
            ' ' => slug.push('-'),
            c if c.is_alphanumeric() || matches!(c, '-' | '_') => slug.extend(c.to_lowercase()),
            _ => {}
        }
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_other_tags_is_left_out() {
        let body = "{includetag(a)}One.{/includetag} Common. {includetag(b, c)}Two{includetag(d)}, deep{/includetag}.{/includetag} {includetag(a)}Three.{/includetag}";
        for (tags, wanted) in [
            ("a", "One. Common.  Three."),
            ("a,c", "One. Common. Two. Three."),
            ("c,d", " Common. Two, deep. "),
            ("x", " Common.  "),
        ] {
            assert_eq!(between_marks(body, tags).as_deref(), Some(wanted), "{tags}");
        }
    }

    #[test]
    fn a_section_ends_with_the_next_of_its_level() {
        let body = "# А\n## Б в\nx\n### Г\ny\n## Д\nz";
        assert_eq!(section(body, "Б в").as_deref(), Some("## Б в\nx\n### Г\ny"));
        assert_eq!(section(body, "нет"), None);
    }

    #[test]
    fn marks_of_parts() {
        assert_eq!(between_marks("a\n# --8<-- [start:x]\nb\n# --8<-- [end:x]\nc", "x").as_deref(), Some("b"));
        assert_eq!(between_marks("{includetag(q)}\nb\n{/includetag}", "q").as_deref(), Some("b"));
    }
}
