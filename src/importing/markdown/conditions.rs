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
    // Those that are open: whether what stands in them is kept, where they end their tag, and how much had been written before them.
    let mut open: Vec<(bool, usize, usize)> = Vec::new();
    let mut out = String::with_capacity(text.len());
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let (mut kept, mut has_tag, mut at) = (String::new(), false, 0);
        for (start, end, tag) in tags(line) {
            if open.iter().all(|(kept, ..)| *kept) {
                kept.push_str(&line[at..start]);
            }
            has_tag = true;
            match tag {
                Tag::Open { wants, names } => {
                    open.push((
                        is_kept(wants, names, is_public, page),
                        line_start + end,
                        out.len() + kept.len(),
                    ));
                }
                Tag::Close => {
                    open.pop();
                }
            }
            at = end;
        }
        if open.iter().all(|(kept, ..)| *kept) {
            kept.push_str(&line[at..]);
        }
        line_start += line.len();
        // A line that only held a tag leaves no trace.
        if !has_tag || !kept.trim().is_empty() {
            out.push_str(&kept);
            if has_tag && line.ends_with('\n') && !kept.ends_with('\n') {
                out.push('\n');
            }
        }
    }
    // One that is never closed must not take the rest of the page with it.
    if let Some((_, from, written)) = open.into_iter().find(|(kept, ..)| !kept) {
        page.lose("condition", "is never closed: what stands behind it is carried as it is");
        out.truncate(written);
        out.push_str(&text[from..]);
    }
    out
}

/// Whether a text says something for the public, or for everybody else.
pub(super) fn names_public(text: &str) -> bool {
    let is_public = |tag: &Tag<'_>| match tag {
        Tag::Open { names, .. } => names.split(',').any(|name| name.trim() == PUBLIC),
        Tag::Close => false,
    };
    text.contains(PUBLIC) && text.lines().any(|line| tags(line).iter().any(|(_, _, tag)| is_public(tag)))
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

/// The tags of a line: where each begins, where it ends, and what it is. Those in a span of code are shown.
fn tags(line: &str) -> Vec<(usize, usize, Tag<'_>)> {
    let mut found = Vec::new();
    let (mut at, mut in_code) = (0, false);
    while let Some(start) = line[at..].find(['{', '`']).map(|next| at + next) {
        let rest = &line[start..];
        at = start + 1;
        in_code ^= rest.starts_with('`');
        if in_code || rest.starts_with('`') {
            continue;
        }
        let tag = if let Some(names) = rest.strip_prefix("{ifdef(").or_else(|| rest.strip_prefix("{ifndef("))
        {
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
        if let Some((length, tag)) = tag {
            at = start + length;
            found.push((start, at, tag));
        }
    }
    found
}
