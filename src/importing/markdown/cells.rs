//! Blocks of Markdown made to fit into the cell of a table, and tables made of cells.

use super::blocks::{fence, fence_length, marker_width};
use super::page::code_span;

/// The most cells of one table.
const MAX_CELLS: usize = 200_000;

/// Markdown of any lines as one line, and whether anything but paragraphs was put together.
pub(super) fn cell(markdown: &str) -> (String, bool) {
    let lines: Vec<&str> = markdown.trim().split('\n').collect();
    let mut text = String::new();
    let mut joined = false;
    let mut at = 0;
    let mut parted = false;
    while at < lines.len() {
        let line = lines[at];
        if let Some((_, mark, length, _)) = fence(line) {
            let count = fence_length(&lines, at, mark, length);
            let code: Vec<&str> =
                lines[at + 1..(at + count).min(lines.len())].iter().map(|line| line.trim()).collect();
            let closed = code.last().is_some_and(|last| last.chars().all(|c| c == mark));
            let code = code[..code.len() - usize::from(closed)].join(" ");
            append(&mut text, &code_span(&code), " ");
            joined = true;
            at += count;
            continue;
        }
        at += 1;
        let mut rest = line.trim();
        while let Some(inner) = rest.strip_prefix('>') {
            rest = inner.trim_start();
            joined = true;
        }
        let is_rule = rest.len() > 2 && rest.bytes().all(|b| matches!(b, b'|' | b'-' | b':' | b' '));
        if rest.is_empty()
            || is_rule
            || (rest.starts_with("[!") && rest.ends_with(']') && !rest.contains(' '))
        {
            parted = true;
            continue;
        }
        let marks = rest.bytes().take_while(|b| *b == b'#').count();
        if (1..=6).contains(&marks) && rest[marks..].starts_with(' ') {
            append(&mut text, &super::page::bold(rest[marks..].trim()), " / ");
            joined = true;
            parted = true;
            continue;
        }
        if let Some(width) = marker_width(rest) {
            append(&mut text, &rest[width..], "; ");
            joined = true;
        } else if parted {
            append(&mut text, rest.trim_end_matches('\\'), " / ");
        } else {
            append(&mut text, rest.trim_end_matches('\\'), " ");
        }
        parted = rest.ends_with('\\');
    }
    (piped(&text), joined)
}

/// Puts a part behind others: a sentence that has ended needs nothing between.
fn append(text: &mut String, part: &str, between: &str) {
    let part = part.trim();
    if part.is_empty() {
        return;
    }
    if !text.is_empty() {
        text.push_str(joiner(text, between));
    }
    text.push_str(part);
}

/// What parts two blocks within a cell.
pub(super) fn joiner<'b>(before: &str, between: &'b str) -> &'b str {
    let ended = before
        .trim_end()
        .trim_end_matches(['*', '_', '`'])
        .ends_with(['.', '!', '?', ':', ';', ',', '/', '|', '(', '—']);
    if ended || before.trim().is_empty() { " " } else { between }
}

/// Pipes of a cell, which would end it.
fn piped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        if c == '|' && before != '\\' {
            written.push('\\');
        }
        // `\\` is a backslash that was meant, and marks nothing.
        before = if c == '\\' && before == '\\' { ' ' } else { c };
        written.push(c);
    }
    written
}

/// A cell with how many columns and rows it spans.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// Rows of cells as a table of GFM; whether cells were merged. Values are repeated down, and stand once across.
pub(super) fn table(rows: &[Vec<Cell>]) -> (String, bool) {
    let mut grid: Vec<Vec<String>> = Vec::new();
    // Which columns are taken by cells above, for how many rows more, and by what.
    let mut above: Vec<Option<(usize, String)>> = Vec::new();
    let mut merged = false;
    let mut cells = 0;
    for row in rows {
        let mut line = Vec::new();
        let mut given = row.iter();
        loop {
            let column = line.len();
            if let Some(Some((left, text))) = above.get_mut(column) {
                line.push(text.clone());
                *left -= 1;
                if *left == 0 {
                    above[column] = None;
                }
                continue;
            }
            let Some(cell) = given.next() else { break };
            for offset in 0..cell.columns.clamp(1, 100) {
                let text = if offset == 0 { cell.text.clone() } else { String::new() };
                if cell.rows > 1 {
                    let column = line.len();
                    if above.len() <= column {
                        above.resize(column + 1, None);
                    }
                    above[column] = Some((cell.rows.min(1_000) - 1, text.clone()));
                }
                line.push(text);
            }
            merged |= cell.columns > 1 || cell.rows > 1;
        }
        cells += line.len();
        if cells > MAX_CELLS {
            break;
        }
        grid.push(line);
    }
    grid.retain(|row| !row.is_empty());
    let width = grid.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for (at, row) in grid.iter().enumerate() {
        for column in 0..width {
            text.push_str("| ");
            text.push_str(row.get(column).map_or("", |cell| cell.trim()));
            text.push(' ');
        }
        text.push_str("|\n");
        if at == 0 {
            text.push_str(&"| --- ".repeat(width));
            text.push_str("|\n");
        }
    }
    (text, merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_one_line() {
        let (text, joined) = cell("Первое\n\nВторое.\n\n- a\n- b\n\n```js\nx | y\n```");
        assert_eq!(text, "Первое / Второе. a; b `x \\| y`");
        assert!(joined);
    }

    #[test]
    fn merged_cells_are_spread() {
        let cell = |text: &str, columns, rows| Cell { text: text.to_owned(), columns, rows };
        let rows = vec![vec![cell("a", 2, 1)], vec![cell("b", 1, 2), cell("c", 1, 1)], vec![cell("d", 1, 1)]];
        let (text, merged) = table(&rows);
        assert_eq!(text, "| a |  |\n| --- | --- |\n| b | c |\n| b | d |\n");
        assert!(merged);
    }
}
