//! Tables of AsciiDoc within Markdown, as VK Cloud's documentation has them: `|===` around cells that begin with `|`.

use super::blocks::{Taken, text_blocks};
use super::cells::{self, Cell};
use super::page::{Page, dedented, prefixed};

/// The mark around a table.
pub(super) const MARK: &str = "|===";

/// The most columns of a table.
const MAX_COLUMNS: usize = 100;

/// A cell as it is written: what stands before its `|`, and its lines.
struct Written {
    spec: String,
    text: String,
    /// Whether it is on the same line as the cell before.
    follows: bool,
}

/// A table that begins at a line, with or without its line of attributes.
pub(super) fn table(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let attributes = lines[at].trim();
    let has_attributes = attributes.starts_with('[') && attributes.ends_with(']');
    let begin = at + usize::from(has_attributes);
    let open = lines.get(begin).filter(|line| line.trim() == MARK)?;
    let indent = &open[..open.len() - open.trim_start().len()];
    let end = begin + 1 + lines[begin + 1..].iter().take(20_000).position(|line| line.trim() == MARK)?;
    if !page.may_scan(end - at) {
        return None;
    }
    let attributes = if has_attributes { attributes } else { "" };
    let inner = dedented(&lines[begin + 1..end]);
    let body: Vec<&str> = inner.split('\n').collect();
    let written = written_cells(&body);
    let columns = columns_of(attributes, &written).clamp(1, MAX_COLUMNS);
    let styles = styles_of(attributes);
    let (mut rows, mut row): (Vec<Vec<Cell>>, Vec<Cell>) = (Vec::new(), Vec::new());
    let mut joined = false;
    // By column: how many rows more what stands above reaches down.
    let mut above = vec![0_usize; columns];
    for cell in written {
        let (times, wide, high, style) = spec_of(&cell.spec);
        for _ in 0..times {
            let column: usize = row.iter().map(|cell| cell.columns).sum();
            let is_plain = style.or(styles.get(column).copied().flatten()) == Some('l');
            let (text, has_blocks) = if is_plain {
                (super::page::code_span(cell.text.trim()), false)
            } else {
                let text = text_blocks(cell.text.trim(), page, depth + 1);
                cells::cell(&super::markup::in_line(&text, page))
            };
            joined |= has_blocks;
            row.push(Cell { text, columns: wide, rows: high });
            let taken = above.iter().filter(|rows| **rows > 0).count();
            if row.iter().map(|cell| cell.columns).sum::<usize>() + taken >= columns {
                let mut places = row.iter().flat_map(|cell| vec![cell.rows - 1; cell.columns]);
                for rows in &mut above {
                    *rows = if *rows > 0 { *rows - 1 } else { places.next().unwrap_or(0) };
                }
                drop(places);
                rows.push(std::mem::take(&mut row));
            }
        }
    }
    if !row.is_empty() {
        rows.push(row);
    }
    if rows.is_empty() {
        return Some((end + 1 - at, "\n".to_owned()));
    }
    if !has_head(attributes, &body) {
        let empty = || Cell { text: String::new(), columns: 1, rows: 1 };
        rows.insert(0, (0..columns).map(|_| empty()).collect());
    }
    if joined {
        page.lose("cell-blocks", "lists, code and other blocks within cells of a table stand in one line");
    }
    let (text, merged) = cells::table(&rows);
    if merged {
        page.lose("merged-cells", "merged cells are spread over those they span");
    }
    Some((end + 1 - at, format!("\n{}\n\n", prefixed(text.trim_end(), indent))))
}

/// The cells of a table in the order they are written. A `|` begins one at the beginning of a line, behind a specification or behind a space.
fn written_cells(lines: &[&str]) -> Vec<Written> {
    let mut cells: Vec<Written> = Vec::new();
    let mut fence = false;
    for line in lines {
        fence ^= super::blocks::fence(line).is_some();
        let mut rest = *line;
        let mut follows = false;
        while let Some((before, spec, after)) = next_cell(rest).filter(|_| !fence) {
            if let Some(cell) = cells.last_mut() {
                cell.text.push_str(before);
            }
            cells.push(Written { spec: spec.to_owned(), text: String::new(), follows });
            rest = after;
            follows = true;
        }
        if let Some(cell) = cells.last_mut() {
            cell.text.push_str(rest);
            cell.text.push('\n');
        }
    }
    cells
}

/// Where the next cell of a line begins: what stands before it, its specification, what follows its `|`.
fn next_cell(line: &str) -> Option<(&str, &str, &str)> {
    let mut in_code = false;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        in_code ^= c == '`';
        if c == '|' && before != '\\' && !in_code {
            let spec = line[..at].rsplit(char::is_whitespace).next().unwrap_or_default();
            if is_spec(spec) {
                return Some((&line[..at - spec.len()], spec, &line[at + 1..]));
            }
        }
        before = c;
    }
    None
}

/// Whether it says how a cell is: `2+`, `.3+`, `2*`, `a`, `.^`, `^.>s`.
fn is_spec(text: &str) -> bool {
    text.len() <= 12
        && text.chars().all(|c| c.is_ascii_digit() || "+*.<^>adehlmsv".contains(c))
        && text.chars().filter(char::is_ascii_alphabetic).count() <= 1
}

/// How often a cell is repeated, how many columns and rows it spans, its style.
fn spec_of(spec: &str) -> (usize, usize, usize, Option<char>) {
    let style = spec.chars().next_back().filter(char::is_ascii_alphabetic);
    let number = |text: &str| {
        text.parse::<usize>().ok().filter(|number| (1..=MAX_COLUMNS).contains(number)).unwrap_or(1)
    };
    if let Some((times, _)) = spec.split_once('*') {
        return (number(times), 1, 1, style);
    }
    let Some((spans, _)) = spec.split_once('+') else { return (1, 1, 1, style) };
    let (wide, high) = spans.split_once('.').unwrap_or((spans, ""));
    (1, number(wide), number(high), style)
}

/// What stands in quotes behind a name of an attribute.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = attributes.split_once(&format!("{name}="))?;
    match rest.strip_prefix('"') {
        Some(rest) => rest.split('"').next(),
        None => rest.split([',', ']']).next(),
    }
}

/// The styles of columns: the letter behind their widths.
fn styles_of(attributes: &str) -> Vec<Option<char>> {
    let cols = attribute(attributes, "cols").unwrap_or_default();
    let mut styles = Vec::new();
    for column in cols.split([',', ';']) {
        let (times, column) = column.trim().split_once('*').unwrap_or(("1", column.trim()));
        let style = column.chars().next_back().filter(char::is_ascii_alphabetic);
        styles.extend(vec![style; times.parse::<usize>().unwrap_or(1).min(MAX_COLUMNS)]);
    }
    styles
}

/// How many columns there are: as many as are described, else as there are cells on the first line.
fn columns_of(attributes: &str, cells: &[Written]) -> usize {
    if attribute(attributes, "cols").is_some() {
        return styles_of(attributes).len();
    }
    let first = cells.iter().take(1).chain(cells.iter().skip(1).take_while(|cell| cell.follows));
    first.map(|cell| spec_of(&cell.spec)).map(|(times, wide, ..)| times * wide).sum()
}

/// Whether the first row is a head: it says so, or it stands on one line with an empty one below.
fn has_head(attributes: &str, body: &[&str]) -> bool {
    if attributes.contains("noheader") {
        return false;
    }
    let is_said = attribute(attributes, "options")
        .or(attribute(attributes, "opts"))
        .is_some_and(|all| all.contains("header"))
        || attributes.contains("%header");
    let first = body.iter().position(|line| !line.trim().is_empty());
    let is_apart = first.is_some_and(|first| {
        first == 0
            && body[first].matches('|').count() > 1
            && body.get(1).is_some_and(|line| line.trim().is_empty())
    });
    is_said || is_apart
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<(String, String)> {
        let lines: Vec<&str> = text.split('\n').collect();
        written_cells(&lines).into_iter().map(|cell| (cell.spec, cell.text.trim().to_owned())).collect()
    }

    #[test]
    fn cells_begin_with_pipes() {
        let own = |all: &[(&str, &str)]| {
            all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(
            cells("|A |B\n|c\n|`x|y` and\nmore"),
            own(&[("", "A"), ("", "B"), ("", "c"), ("", "`x|y` and\nmore")])
        );
        assert_eq!(cells("2+|A\n.3+a|B |c"), own(&[("2+", "A"), (".3+a", "B"), ("", "c")]));
        assert_eq!(
            (spec_of("2+"), spec_of(".3+a"), spec_of("3*")),
            ((1, 2, 1, None), (1, 1, 3, Some('a')), (3, 1, 1, None))
        );
    }

    #[test]
    fn attributes_tell_of_columns_and_head() {
        assert_eq!(styles_of("[cols=\"1,2a,3*l\"]"), [None, Some('a'), Some('l'), Some('l'), Some('l')]);
        assert!(
            has_head("[cols=\"1,1\", options=\"header\"]", &["|a"]) && has_head("", &["|a |b", "", "|c"])
        );
        assert!(!has_head("", &["|a |b", "|c |d"]) && !has_head("[cols=\"1,1\"]", &["|a", "", "|b"]));
    }
}
