//! Tables of Diplodoc whose cells hold blocks: `#|`, `|| a | b ||`, `|#`.

use super::blocks::{Taken, text_blocks};
use super::cells::{self, Cell};
use super::page::{Page, dedented, prefixed};

/// A table that begins at a line.
pub(super) fn table(lines: &[&str], at: usize, page: &mut Page<'_>, depth: usize) -> Taken {
    let line = lines[at];
    let trimmed = line.trim_start();
    if !trimmed.starts_with("#|") {
        return None;
    }
    let indent = &line[..line.len() - trimmed.len()];
    let mut nested = 0usize;
    let mut end = None;
    for (offset, line) in lines[at..].iter().enumerate() {
        if !page.may_scan(1) {
            return None;
        }
        let line = line.trim();
        nested += usize::from(line.starts_with("#|"));
        if line.starts_with("|#") || (line.ends_with("|#") && !line.ends_with("\\|#")) {
            nested = nested.saturating_sub(1);
            if nested == 0 {
                end = Some(offset);
                break;
            }
        }
    }
    let end = end?;
    let inner = dedented(&lines[at..=at + end]);
    let inner = inner.trim().trim_start_matches("#|");
    let inner =
        inner.split_once("|#").filter(|(_, rest)| !rest.contains("|#")).map_or(inner, |(inner, _)| inner);
    let mut joined = false;
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut merged = false;
    for row in rows_of(inner) {
        let mut cells: Vec<Cell> = Vec::new();
        for (column, text) in row.iter().enumerate() {
            let mark = text.trim();
            let text = match mark {
                // Merged with what stands before or above it.
                ">" => {
                    merged = true;
                    String::new()
                }
                "^" => {
                    merged = true;
                    rows.last()
                        .and_then(|row| row.get(column))
                        .map(|cell| cell.text.clone())
                        .unwrap_or_default()
                }
                _ => {
                    let lines: Vec<&str> = text.trim_matches('\n').split('\n').collect();
                    let text = text_blocks(dedented(&lines).trim(), page, depth + 1);
                    let text = super::markup::in_line(&text, page);
                    let (text, blocks) = cells::cell(&text);
                    joined |= blocks;
                    text
                }
            };
            cells.push(Cell { text, columns: 1, rows: 1 });
        }
        rows.push(cells);
    }
    if joined {
        page.lose("cell-blocks", "lists, code and other blocks within cells of a table stand in one line");
    }
    if merged {
        page.lose("merged-cells", "merged cells are spread over those they span");
    }
    let (text, _) = cells::table(&rows);
    Some((end + 1, format!("\n{}\n\n", prefixed(text.trim_end(), indent))))
}

/// `[*term]: what it means`, up to an empty line.
pub(super) fn term(lines: &[&str], at: usize, page: &mut Page<'_>) -> Taken {
    let (name, first) = lines[at].strip_prefix("[*")?.split_once("]:")?;
    let count = lines[at..].iter().take(50).take_while(|line| !line.trim().is_empty()).count();
    let mut meaning = first.trim().to_owned();
    for line in &lines[at + 1..at + count] {
        // The next term may follow at once.
        if line.starts_with("[*") {
            break;
        }
        meaning.push(' ');
        meaning.push_str(line.trim());
    }
    let taken = lines[at + 1..at + count].iter().take_while(|line| !line.starts_with("[*")).count() + 1;
    page.terms.insert(name.to_owned(), meaning.trim().to_owned());
    Some((taken, "\n".to_owned()))
}

/// The cells of the rows between `||` marks; code and escaped pipes part nothing.
fn rows_of(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row: Option<Vec<String>> = None;
    let mut cell = String::new();
    let mut at = 0;
    let mut nested = 0usize;
    while at < text.len() {
        let rest = &text[at..];
        let length = if let Some(escaped) = rest.strip_prefix('\\') {
            1 + escaped.chars().next().map_or(0, char::len_utf8)
        } else if rest.starts_with('`') {
            let run = rest.bytes().take_while(|b| *b == b'`').count();
            let close = rest[run..].find(&"`".repeat(run)).map(|close| run + close + run);
            // Code ends before the row does, or is none.
            close.filter(|close| run > 2 || !rest[..*close].contains("||\n")).unwrap_or(run)
        } else if rest.starts_with("#|") {
            nested += 1;
            2
        } else if rest.starts_with("|#") && nested > 0 {
            nested -= 1;
            2
        } else if nested > 0 || !rest.starts_with('|') {
            rest.chars().next().map_or(1, char::len_utf8)
        } else {
            let is_double = rest.starts_with("||");
            match row.as_mut() {
                None => row = Some(Vec::new()),
                Some(cells) => cells.push(std::mem::take(&mut cell)),
            }
            if is_double && row.as_ref().is_some_and(|row| !row.is_empty()) {
                rows.extend(row.take());
            }
            cell.clear();
            at += if is_double { 2 } else { 1 };
            continue;
        };
        cell.push_str(&rest[..length]);
        at += length;
    }
    rows.extend(row.filter(|row| !row.is_empty()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_cells_are_parted_by_pipes_outside_of_code() {
        let rows = rows_of("\n|| a | `b|c`\n\n- d ||\n|| e \\| f | g ||\n");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].len(), 2);
        assert_eq!(rows[0][1].trim(), "`b|c`\n\n- d");
        assert_eq!(rows[1][0].trim(), "e \\| f");
    }
}
