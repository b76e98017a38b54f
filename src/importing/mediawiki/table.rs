//! Tables of wikitext, with what spans their rows and columns spread.

use super::expand::attribute;
use super::parse::Page;
use crate::importing::blocks::{self, Block, Inline, Style};

/// The most columns and rows that a cell may span.
const MAX_SPAN: usize = 200;

/// A cell as it is written: what it spans and its wikitext.
struct Cell {
    across: usize,
    down: usize,
    text: String,
}

/// Where a table that begins at a line ends: after the line that closes it.
pub(super) fn end(lines: &[&str], begin: usize) -> usize {
    let mut depth = 0usize;
    for (at, line) in lines.iter().enumerate().skip(begin) {
        let line = line.trim_start_matches([':', ' ', '\t']);
        if line.starts_with("{|") {
            depth += 1;
        } else if line.starts_with("|}") && !line.starts_with("|}}") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + 1;
            }
        }
    }
    lines.len()
}

impl Page<'_> {
    pub(super) fn table(&mut self, lines: &[&str], out: &mut Vec<Block>, depth: usize) {
        self.document.had.tables += 1;
        let (caption, rows) = cells(lines);
        let caption = self.line(&caption);
        if !blocks::is_blank(&caption) {
            let bold = caption.into_iter().map(|inline| match inline {
                Inline::Text(text, style) => Inline::Text(text, Style { bold: true, ..style }),
                inline => inline,
            });
            out.push(Block::Paragraph(bold.collect()));
        }
        // One cell is a box, and what is in it may be anything.
        if let [row] = rows.as_slice()
            && let [cell] = row.as_slice()
        {
            self.lose("layout-table", "a table of one cell became a quotation");
            let inner = self.blocks(&cell.text, depth + 1);
            if !inner.is_empty() {
                out.push(Block::Quote(inner));
            }
            return;
        }
        let mut table: Vec<Vec<Vec<Inline>>> = Vec::new();
        // What cells above reach down into each column: how many rows more, and what.
        let mut above: Vec<(usize, Vec<Inline>)> = Vec::new();
        let mut merged = false;
        for row in rows {
            let mut line: Vec<Vec<Inline>> = Vec::new();
            let reach = |line: &mut Vec<Vec<Inline>>, above: &mut Vec<(usize, Vec<Inline>)>| {
                while let Some((left, text)) = above.get_mut(line.len()).filter(|(left, _)| *left > 0) {
                    *left -= 1;
                    line.push(text.clone());
                }
            };
            for cell in row {
                reach(&mut line, &mut above);
                if line.len() >= MAX_SPAN {
                    break;
                }
                merged |= cell.across > 1 || cell.down > 1;
                let inner = self.blocks(&cell.text, depth + 1);
                let text = blocks::in_line(inner, &mut self.document.losses);
                for column in 0..cell.across {
                    let text = if column == 0 { text.clone() } else { Vec::new() };
                    if cell.down > 1 {
                        above.resize_with(above.len().max(line.len() + 1), Default::default);
                        if let Some(slot) = above.get_mut(line.len()) {
                            *slot = (cell.down - 1, text.clone());
                        }
                    }
                    line.push(text);
                }
            }
            reach(&mut line, &mut above);
            if line.iter().any(|cell| !blocks::is_blank(cell)) {
                table.push(line);
            }
        }
        if merged {
            self.lose("merged-cells", "merged cells of a table were spread over the cells they covered");
        }
        if table.is_empty() {
            self.lose("table", "an empty table was left out");
        } else {
            out.push(Block::Table(table));
        }
    }
}

/// The caption and the cells of a table; tables within cells stay in their text.
fn cells(lines: &[&str]) -> (String, Vec<Vec<Cell>>) {
    let mut caption = String::new();
    let mut rows: Vec<Vec<Cell>> = vec![Vec::new()];
    let mut in_caption = false;
    let mut inner = 0usize;
    let last = lines.len().saturating_sub(1);
    for (at, line) in lines.iter().enumerate().skip(1) {
        let trimmed = line.trim_start_matches([':', ' ', '\t']);
        let opens = trimmed.starts_with("{|");
        let closes = trimmed.starts_with("|}") && !trimmed.starts_with("|}}");
        if inner > 0 || opens {
            inner = if opens { inner + 1 } else { inner - usize::from(closes) };
            if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                cell.text.push('\n');
                cell.text.push_str(line);
            }
            continue;
        }
        if closes && at == last {
            break;
        }
        if let Some(text) = trimmed.strip_prefix("|+") {
            in_caption = true;
            caption.push_str(after_attributes(text).1);
        } else if trimmed.starts_with("|-") {
            in_caption = false;
            rows.push(Vec::new());
        } else if trimmed.starts_with(['|', '!']) {
            in_caption = false;
            if let Some(row) = rows.last_mut() {
                add_cells(trimmed, row);
            }
        } else if in_caption {
            caption.push(' ');
            caption.push_str(trimmed);
        } else if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
            cell.text.push('\n');
            cell.text.push_str(line);
        }
    }
    rows.retain(|row| !row.is_empty());
    (caption, rows)
}

fn add_cells(line: &str, row: &mut Vec<Cell>) {
    let is_head = line.starts_with('!');
    let line = line.get(1..).unwrap_or_default();
    for part in parts(line, is_head) {
        if row.len() >= MAX_SPAN {
            return;
        }
        let (attributes, text) = after_attributes(part);
        let span = |name: &str| {
            let value = attribute(attributes, name).and_then(|value| value.parse().ok()).unwrap_or(1);
            std::cmp::Ord::clamp(value, 1usize, MAX_SPAN)
        };
        row.push(Cell { across: span("colspan"), down: span("rowspan"), text: text.trim().to_owned() });
    }
}

/// Cells of one line are parted by `||`, those of heads by `!!` too, but not within links.
fn parts(line: &str, is_head: bool) -> Vec<&str> {
    let bytes = line.as_bytes();
    let mut parts = Vec::new();
    let (mut brackets, mut begin, mut at) = (0usize, 0, 0);
    while at + 1 < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"[[") => (brackets, at) = (brackets + 1, at + 2),
            Some(b"]]") => (brackets, at) = (brackets.saturating_sub(1), at + 2),
            Some(pair) if brackets == 0 && (pair == b"||" || (is_head && pair == b"!!")) => {
                parts.push(line.get(begin..at).unwrap_or_default());
                at += 2;
                begin = at;
            }
            _ => at += 1,
        }
    }
    parts.push(line.get(begin..).unwrap_or_default());
    parts
}

/// Attributes before a bar, and what follows it.
fn after_attributes(text: &str) -> (&str, &str) {
    match text.split_once('|') {
        Some((attributes, rest))
            if !attributes.contains("[[") && !attributes.contains("{{") && !rest.starts_with('|') =>
        {
            (attributes, rest)
        }
        _ => ("", text),
    }
}
