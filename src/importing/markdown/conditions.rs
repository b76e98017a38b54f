//! Conditions of VK Cloud's documentation: `{ifdef(public)}…{/ifdef}`, `{ifndef(public)}…{/ifndef}`.
//!
//! They may begin within a block and end within another one, so they are decided before anything else is read.

use super::page::Page;

/// The readers one publication of such documentation is for, where a page is written for more than one.
const PUBLIC: &str = "public";

/// A tag of a condition: where it begins and ends, and what it says.
enum Tag<'t> {
    Open { wants: bool, names: &'t str },
    Close,
}

/// The text with its conditions decided: what is left out and what stays is told. Where a page says something for the public, it is read as the
/// public reads it; else all of it is carried but for what is for print.
pub(super) fn decided(text: &str, page: &mut Page<'_>) -> String {
    if !text.contains("{ifdef(") && !text.contains("{ifndef(") {
        return text.to_owned();
    }
    let is_public = page.is_for_public(text);
    let mut open: Vec<bool> = Vec::new();
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (mut kept, mut has_tag, mut rest) = (String::new(), false, line);
        while let Some((start, end, tag)) = next(rest) {
            if open.iter().all(|kept| *kept) {
                kept.push_str(&rest[..start]);
            }
            has_tag = true;
            match tag {
                Tag::Open { wants, names } => open.push(is_kept(wants, names, is_public, page)),
                Tag::Close => {
                    open.pop();
                }
            }
            rest = &rest[end..];
        }
        if open.iter().all(|kept| *kept) {
            kept.push_str(rest);
        }
        // A line that only held a tag leaves no trace.
        if !has_tag || !kept.trim().is_empty() {
            out.push_str(&kept);
            if has_tag && line.ends_with('\n') && !kept.ends_with('\n') {
                out.push('\n');
            }
        }
    }
    out
}

/// Whether a text says something for the public, or for everybody else.
pub(super) fn names_public(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, end, tag)) = next(rest) {
        if let Tag::Open { names, .. } = tag
            && names.split(',').any(|name| name.trim() == PUBLIC)
        {
            return true;
        }
        rest = &rest[end..];
    }
    false
}

fn is_kept(wants: bool, names: &str, is_public: bool, page: &mut Page<'_>) -> bool {
    let mut all = names.split(',').map(str::trim);
    let holds =
        if is_public { all.any(|name| name == PUBLIC) } else { !all.all(|name| name.ends_with("-pdf")) };
    let (kept, word) = match wants {
        true => (holds, "with"),
        false if is_public => (!holds, "without"),
        // Without a publication of its own, what is for all others stands elsewhere on the page.
        false => (!holds || !page.asks_for(names), "without"),
    };
    page.lose_once(
        "condition",
        &format!("what stands {word} {names} is {}", if kept { "carried" } else { "left out" }),
    );
    kept
}

/// The next tag: where it begins, where it ends, and what it is. Those in a span of code are shown.
fn next(text: &str) -> Option<(usize, usize, Tag<'_>)> {
    let mut at = 0;
    loop {
        let start = at + text[at..].find('{')?;
        let rest = &text[start..];
        let found =
            if let Some(names) = rest.strip_prefix("{ifdef(").or_else(|| rest.strip_prefix("{ifndef(")) {
                names.find(")}").map(|end| {
                    let length = rest.len() - names.len() + end + 2;
                    (length, Tag::Open { wants: rest.starts_with("{ifdef("), names: &names[..end] })
                })
            } else {
                ["{/ifdef}", "{/ifndef}"]
                    .iter()
                    .find(|tag| rest.starts_with(**tag))
                    .map(|tag| (tag.len(), Tag::Close))
            };
        let in_code = text[..start].matches('`').count() % 2 == 1;
        match found.filter(|_| !in_code) {
            Some((length, tag)) => return Some((start, start + length, tag)),
            None => at = start + 1,
        }
    }
}
