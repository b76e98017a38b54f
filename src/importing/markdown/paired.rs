//! Tags that stand in pairs, of whatever notation: where the second of a pair is, and what stands between.

use super::blocks::{fence, fence_length};
use super::page::{Page, dedented};

/// A tag within a line.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Without what makes it a closing one.
    pub(super) name: String,
    pub(super) args: String,
    pub(super) closing: bool,
    /// Whether it says itself that nothing follows.
    pub(super) single: bool,
}

/// Finds the first tag of a notation in a text at or behind a place.
pub(super) type Scan = fn(&str, usize) -> Option<Tag>;

/// What stands between two tags of a pair.
pub(super) struct Pair {
    /// The Markdown between them, without the indentation it shares.
    pub(super) inner: String,
    /// What stands behind the second on its line.
    pub(super) rest: String,
    /// How many lines it takes, the one of the first tag included.
    pub(super) lines: usize,
}

/// What a tag that begins a line encloses; nothing if no other ends it.
pub(super) fn pair(lines: &[&str], at: usize, tag: &Tag, scan: Scan, page: &mut Page<'_>) -> Option<Pair> {
    let mut depth = 1usize;
    let mut line_at = at;
    let mut from = tag.end;
    while line_at < lines.len() {
        let line = lines[line_at];
        if line_at > at
            && let Some((_, mark, length, _)) = fence(line)
        {
            let count = fence_length(lines, line_at, mark, length);
            // A fence that never ends must not hide the end of the block.
            if line_at + count < lines.len() || lines[lines.len() - 1].trim_end().ends_with(mark) {
                line_at += count;
                continue;
            }
        }
        if !page.may_scan(1) {
            return None;
        }
        while let Some(found) = scan(line, from) {
            from = found.end.max(from + 1);
            if found.name != tag.name || found.single {
                continue;
            }
            if !found.closing {
                depth += 1;
                continue;
            }
            depth -= 1;
            if depth == 0 {
                return Some(taken(lines, (at, tag.end), (line_at, &found)));
            }
        }
        line_at += 1;
        from = 0;
    }
    None
}

fn taken(lines: &[&str], (first, begin): (usize, usize), (last, closing): (usize, &Tag)) -> Pair {
    let rest = lines[last][closing.end..].to_owned();
    let count = last - first + 1;
    if first == last {
        let inner = lines[first].get(begin..closing.start).unwrap_or_default().trim().to_owned();
        return Pair { inner, rest, lines: count };
    }
    let before = lines[first][begin..].trim();
    let after = lines[last][..closing.start].trim_end();
    let mut inner = lines[first + 1..last].to_vec();
    if !after.trim().is_empty() {
        inner.push(after);
    }
    let mut text = dedented(&inner);
    if !before.is_empty() {
        text = format!("{before}\n{text}");
    }
    Pair { inner: text, rest, lines: count }
}

/// The longest tag, in bytes.
const MAX_TAG: usize = 1 << 13;

/// The tag a text begins with. What is no tag is not looked for in all that follows.
pub(super) fn at_start(text: &str, scan: Scan) -> Option<Tag> {
    scan(&text[..text.floor_char_boundary(MAX_TAG.min(text.len()))], 0).filter(|tag| tag.start == 0)
}

/// What a tag at the beginning of a text encloses, within the same text: from where to where, and where the second ends.
pub(super) fn pair_in(text: &str, tag: &Tag, scan: Scan) -> Option<(usize, usize, usize)> {
    let text = &text[..text.floor_char_boundary((1 << 14).min(text.len()))];
    let mut depth = 1usize;
    let mut from = tag.end;
    while let Some(found) = scan(text, from) {
        from = found.end.max(from + 1);
        if found.name != tag.name || found.single {
            continue;
        }
        if found.closing {
            depth -= 1;
            if depth == 0 {
                return Some((tag.end, found.start, found.end));
            }
        } else {
            depth += 1;
        }
    }
    None
}

/// The tag that begins a line, and the lines it spans if it goes on below: these joined into one.
pub(super) fn first(
    lines: &[&str],
    at: usize,
    open: &str,
    close: &str,
    scan: Scan,
) -> Option<(Tag, String, usize)> {
    let line = lines[at];
    let start = line.len() - line.trim_start().len();
    if !line[start..].starts_with(open) {
        return None;
    }
    let mut joined = line.to_owned();
    let mut count = 1;
    while !joined[start..].contains(close) {
        let next = lines.get(at + count).filter(|_| count < 30)?;
        joined.push(' ');
        joined.push_str(next.trim());
        count += 1;
    }
    let tag = scan(&joined, start).filter(|tag| tag.start == start)?;
    Some((tag, joined, count))
}
