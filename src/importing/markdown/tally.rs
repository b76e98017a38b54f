//! What a page has, counted in its source line by line: by other means than it is carried by, so that a report cannot flatter.

use super::blocks::{fence, fence_length, marker_width};
use super::page::indent_of;
use crate::importing::document::Counts;

/// Adds what a text of any flavour has.
pub(super) fn add(counts: &mut Counts, text: &str) {
    let lines: Vec<&str> = text.split('\n').collect();
    let definitions: Vec<String> = lines.iter().filter_map(|line| definition(line)).collect();
    let mut at = 0;
    let mut tab_lists: Vec<usize> = Vec::new();
    let (mut in_comment, mut in_adoc) = (false, false);
    while at < lines.len() {
        let line = lines[at];
        if let Some((_, mark, length, _)) = fence(line) {
            counts.code += 1;
            at += fence_length(&lines, at, mark, length);
            continue;
        }
        at += 1;
        if in_comment || line.trim_start().starts_with("<!--") {
            in_comment = !line.contains("-->");
            continue;
        }
        let inner = line.trim_start_matches([' ', '\t', '>']);
        if inner.starts_with("{% list tabs") {
            tab_lists.push(indent_of(line));
        } else if inner.starts_with("{% endlist") {
            tab_lists.pop();
        }
        let mut rest = inner;
        while let Some(width) = marker_width(rest) {
            // What names a tab of Diplodoc is written as an item and is none.
            let is_tab = tab_lists.last() == Some(&indent_of(line)) && rest.len() == inner.len();
            counts.items += usize::from(!is_tab);
            rest = rest[width..].trim_start();
        }
        counts.items += usize::from(rest == "-" || rest == "*");
        // A term and what it means is an item too.
        counts.items +=
            usize::from(rest.starts_with(": ") && at >= 2 && !lines[at - 2].trim_start().starts_with(':'));
        let marks = rest.bytes().take_while(|b| *b == b'#').count();
        counts.headings += usize::from((1..=6).contains(&marks) && rest[marks..].starts_with([' ', '\t']));
        counts.headings += usize::from(at >= 2 && is_underline(rest, lines[at - 2], indent_of(line)));
        counts.tables += usize::from(is_delimiter(rest) && at >= 2 && lines[at - 2].contains('|'));
        counts.tables += usize::from(rest.starts_with("#|"));
        if rest.trim_end() == super::adoc::MARK {
            in_adoc = !in_adoc;
            counts.tables += usize::from(in_adoc);
        }
        if definition(line).is_none() {
            inline(counts, rest, &definitions);
        }
    }
}

fn is_underline(line: &str, before: &str, indent: usize) -> bool {
    let line = line.trim_end();
    let is_line = line.len() >= 2 && (line.bytes().all(|b| b == b'=') || line.bytes().all(|b| b == b'-'));
    let before = before.trim();
    is_line
        && indent < 4
        && !before.is_empty()
        && !before.starts_with(['#', '|', '>', '`', '<', '{', ':', '-', '=', '['])
        && marker_width(before).is_none()
}

fn is_delimiter(line: &str) -> bool {
    let line = line.trim();
    line.contains('-')
        && line.contains('|')
        && line.bytes().all(|b| matches!(b, b'|' | b'-' | b':' | b' ' | b'\t'))
}

/// The name of a definition of a link: `[name]: address`.
fn definition(line: &str) -> Option<String> {
    let (name, rest) = line.trim_start().strip_prefix('[')?.split_once("]:")?;
    let is_one = !name.is_empty()
        && !name.starts_with('^')
        && !name.contains([']', '['])
        && !rest.trim().is_empty()
        && !rest.trim().contains("  ");
    is_one.then(|| name.to_lowercase())
}

fn inline(counts: &mut Counts, line: &str, definitions: &[String]) {
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &line[at..];
        match bytes[at] {
            b'\\' => at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            b'`' => {
                let run = rest.bytes().take_while(|b| *b == b'`').count();
                let close = rest[run..].find(&"`".repeat(run));
                at += close.map_or(run, |close| run + close + run);
            }
            b'[' => {
                at += bracket(counts, line, at, definitions);
            }
            b'<' => {
                tag(counts, rest);
                at += 1;
            }
            b':' if rest.starts_with(":::image") => {
                counts.images +=
                    usize::from(rest.contains("source=") || rest.trim_end().ends_with("type=\"content\""));
                at += 8;
            }
            _ => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    counts.links += line.matches("{linkto(").count();
    for shortcode in ["{{< figure", "{{< img"] {
        counts.images += line.matches(shortcode).count();
    }
}

fn bracket(counts: &mut Counts, line: &str, at: usize, definitions: &[String]) -> usize {
    let rest = &line[at..];
    let is_picture = line[..at].ends_with('!') && !line[..at].ends_with("\\!");
    if let Some(inner) = rest.strip_prefix("[[")
        && let Some(end) = inner.find("]]").filter(|end| !inner[end + 2..].starts_with('('))
    {
        let lowered = inner[..end].to_lowercase();
        if is_picture {
            counts.images += usize::from(
                [".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp"].iter().any(|kind| lowered.contains(kind)),
            );
        } else {
            counts.links += usize::from(!lowered.is_empty() && !lowered.contains("toc"));
        }
        return end + 4;
    }
    let close =
        rest[1..].find(['[', ']']).filter(|close| rest.as_bytes()[close + 1] == b']').map(|close| close + 1);
    let Some(close) = close else { return 1 };
    // Inclusions are written as links and are none.
    let before = line[..at].trim_end();
    let is_include = before.ends_with("include")
        || before.ends_with("notitle")
        || before.to_lowercase().ends_with("[!include")
        || rest.starts_with("[!");
    let after = &rest[close + 1..];
    let named = after.strip_prefix('[').and_then(|name| name.split(']').next());
    let name = named.filter(|name| !name.is_empty()).unwrap_or(&rest[1..close]).to_lowercase();
    if is_include {
    } else if after.starts_with('(') && after.contains(')') || definitions.contains(&name) {
        if is_picture {
            counts.images += 1;
        } else {
            counts.links += 1;
        }
        return close + 1 + named.map_or(0, |name| name.len() + 2);
    }
    1
}

fn tag(counts: &mut Counts, rest: &str) {
    let lowered: String = rest.chars().take(10).collect::<String>().to_ascii_lowercase();
    let is = |name: &str| {
        lowered
            .strip_prefix('<')
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|after| after.starts_with([' ', '>', '\n', '/']) || after.is_empty())
    };
    counts.links += usize::from(is("a") && rest.split('>').next().is_some_and(|tag| tag.contains("href")));
    counts.links += usize::from(lowered.starts_with("<http") || lowered.starts_with("<mailto:"));
    counts.images += usize::from(is("img"));
    counts.tables += usize::from(is("table"));
    counts.items += usize::from(is("li"));
    counts.code += usize::from(is("pre"));
    counts.headings += usize::from(
        lowered.len() > 3
            && lowered.starts_with("<h")
            && (b'1'..=b'6').contains(&lowered.as_bytes()[2])
            && matches!(lowered.as_bytes()[3], b'>' | b' '),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_counted_in_its_own_notation() {
        let text = "# А\n\n{% list tabs %}\n\n- Вкладка\n\n  1. [x](y.md) ![z](w.png)\n\n{% endlist %}\n\n{% include [a](b.md) %}\n\n[[В]] ![[г.png]]\n\n#|\n|| a ||\n|#\n\n```\n[n](n)\n```\n<li><a href=\"q\">\n";
        let mut counts = Counts::default();
        add(&mut counts, text);
        assert_eq!(counts, Counts { headings: 1, links: 3, images: 2, tables: 1, items: 2, code: 1 });
    }
}
