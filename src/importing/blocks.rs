//! Blocks and inlines of a page, and how they are written as Markdown that means the same and nothing else.

use super::document::Loss;

/// How deep blocks may lie within one another; what lies deeper is left out.
pub const MAX_DEPTH: usize = 200;

/// The most columns a table may have.
const MAX_COLUMNS: usize = 200;

/// The most cells of a table once it is evened out: a wide row among many narrow ones must not make a million of nothing.
const MAX_CELLS: usize = 500_000;

/// Emphasis of a run of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// `**bold**`
    pub bold: bool,
    /// `*italic*`
    pub italic: bool,
    /// `~~struck out~~`
    pub strike: bool,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Inline {
    /// Plain text, of any characters.
    Text(String, Style),
    /// Code as it is.
    Code(String, Style),
    /// A link; `to` as [`destination`] gave it, or `within:`.
    Link {
        /// Where to.
        to: String,
        /// What it is called.
        text: Vec<Inline>,
    },
    /// A picture.
    Image {
        /// Its place.
        to: String,
        /// What it shows.
        alt: String,
    },
    /// The end of a line within a paragraph.
    Break,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading, of level 1 to 6.
    Heading {
        /// Level.
        level: u8,
        /// What links lead to.
        anchor: Option<String>,
        /// What it says.
        text: Vec<Inline>,
    },
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A list; ordered if it has a start.
    List {
        /// Number of the first item.
        start: Option<u64>,
        /// What each item holds.
        items: Vec<Vec<Block>>,
    },
    /// Code as it is.
    Code {
        /// Its language, or nothing.
        lang: String,
        /// What it says.
        text: String,
    },
    /// A quotation.
    Quote(Vec<Block>),
    /// A notice: `NOTE`, `TIP`, `IMPORTANT`, `WARNING`, `CAUTION`.
    Alert {
        /// Which.
        kind: &'static str,
        /// What it says.
        blocks: Vec<Block>,
    },
    /// A table; the first row is its head.
    Table(Vec<Vec<Vec<Inline>>>),
    /// A line across.
    Rule,
}

/// Text without emphasis.
pub fn plain(text: impl Into<String>) -> Inline {
    Inline::Text(text.into(), Style::default())
}

/// Text in bold.
pub fn bold(text: impl Into<String>) -> Inline {
    Inline::Text(text.into(), Style { bold: true, ..Style::default() })
}

/// What inlines say, as plain text of one line.
pub fn said(inlines: &[Inline]) -> String {
    fn add(inlines: &[Inline], into: &mut String) {
        for inline in inlines {
            match inline {
                Inline::Text(text, _) | Inline::Code(text, _) => into.push_str(text),
                Inline::Link { text, .. } => add(text, into),
                Inline::Image { alt, .. } => into.push_str(alt),
                Inline::Break => into.push(' '),
            }
        }
    }
    let mut text = String::new();
    add(inlines, &mut text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where a link to the outside may lead: nothing for what would run in the reader's browser or leads to somebody's own disk.
pub fn destination(url: &str) -> Option<String> {
    let url: String = url.trim().chars().filter(|char| !char.is_control()).collect();
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).filter(|scheme| {
        scheme.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
            && scheme.starts_with(|char: char| char.is_ascii_alphabetic())
    });
    const SAFE: [&str; 10] =
        ["http", "https", "mailto", "tel", "sms", "ftp", "ftps", "sip", "xmpp", "within"];
    match scheme {
        Some(scheme) if scheme.len() > 1 && SAFE.contains(&scheme.as_str()) => Some(url),
        Some(_) => None,
        None if url.is_empty() || url.starts_with("\\\\") => None,
        None => Some(url),
    }
}

/// An anchor as a heading may have it: without blanks and braces.
pub fn anchor(name: &str) -> String {
    let name: String = name
        .trim()
        .chars()
        .map(|char| if char.is_whitespace() { '-' } else { char })
        .filter(|char| !"{}<>()[]\"'`\\|#&*~!$".contains(*char) && !char.is_control())
        .collect();
    // A dot or `=` at its begin would be a class or an attribute to the reader of Markdown.
    name.trim_start_matches(['.', '=']).chars().take(200).collect()
}

/// Joins runs of the same emphasis, which word processors split at will, and collapses blanks where a line begins and ends.
pub fn tidy(inlines: Vec<Inline>) -> Vec<Inline> {
    let mut tidied: Vec<Inline> = Vec::new();
    for inline in inlines {
        match (tidied.last_mut(), inline) {
            (_, Inline::Text(text, _) | Inline::Code(text, _)) if text.is_empty() => {}
            (Some(Inline::Text(before, a)), Inline::Text(text, b)) if *a == b => before.push_str(&text),
            (Some(Inline::Code(before, a)), Inline::Code(text, b)) if *a == b => before.push_str(&text),
            (Some(Inline::Link { to: a, text: before }), Inline::Link { to: b, text }) if *a == b => {
                before.extend(text);
            }
            (_, inline) => tidied.push(inline),
        }
    }
    for inline in &mut tidied {
        if let Inline::Link { text, .. } = inline {
            *text = tidy(std::mem::take(text));
        }
    }
    while matches!(tidied.last(), Some(Inline::Break)) {
        tidied.pop();
    }
    let begin = tidied.iter().take_while(|inline| matches!(inline, Inline::Break)).count();
    tidied.drain(..begin);
    tidied
}

/// Whether there is nothing to see.
pub fn is_blank(inlines: &[Inline]) -> bool {
    inlines.iter().all(|inline| match inline {
        Inline::Text(text, _) | Inline::Code(text, _) => text.trim().is_empty(),
        Inline::Link { text, .. } => is_blank(text),
        Inline::Image { .. } => false,
        Inline::Break => true,
    })
}

/// Raised or lowered digits have characters of their own; `None`: these have not.
pub fn raised(text: &str, position: &str) -> Option<String> {
    let (from, to) = match position {
        "superscript" => ("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ"),
        "subscript" => ("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"),
        _ => return Some(text.to_owned()),
    };
    text.chars()
        .map(|char| {
            if char.is_whitespace() {
                Some(char)
            } else {
                from.chars().position(|from| from == char).and_then(|at| to.chars().nth(at))
            }
        })
        .collect()
}

/// Blocks as one line, for the cell of a table.
pub fn in_line(blocks: Vec<Block>, losses: &mut Vec<Loss>) -> Vec<Inline> {
    let mut line: Vec<Inline> = Vec::new();
    for block in blocks {
        let part = match block {
            Block::Paragraph(text) => text,
            Block::Heading { text, .. } => {
                note(losses, "heading-in-table", said(&text));
                text
            }
            Block::Code { text, .. } => {
                note(losses, "cell-blocks", "code in a cell of a table became one line");
                code_lines(&text)
            }
            Block::Quote(blocks) | Block::Alert { blocks, .. } => in_line(blocks, losses),
            Block::List { start, items } => {
                note(losses, "cell-blocks", "a list in a cell of a table became one line");
                items_in_line(start, items, losses)
            }
            Block::Table(rows) => {
                note(losses, "nested-table", "a table in a cell of a table became one line");
                join(rows.into_iter().map(|row| join(row, ", ")).collect(), "; ")
            }
            Block::Rule => continue,
        };
        if is_blank(&part) {
            continue;
        }
        if !line.is_empty() {
            note(losses, "cell-blocks", "paragraphs in a cell of a table were joined by a slash");
            line.push(plain(" / "));
        }
        line.extend(part);
    }
    line
}

fn items_in_line(start: Option<u64>, items: Vec<Vec<Block>>, losses: &mut Vec<Loss>) -> Vec<Inline> {
    let lines = items.into_iter().enumerate().map(|(index, item)| {
        let mut line = in_line(item, losses);
        if let Some(start) = start {
            line.insert(0, plain(format!("{}) ", start.saturating_add(index as u64))));
        }
        line
    });
    join(lines.collect(), "; ")
}

fn code_lines(text: &str) -> Vec<Inline> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    join(lines.map(|line| vec![Inline::Code(line.to_owned(), Style::default())]).collect(), " / ")
}

fn join(parts: Vec<Vec<Inline>>, between: &str) -> Vec<Inline> {
    let mut joined = Vec::new();
    for part in parts.into_iter().filter(|part| !is_blank(part)) {
        if !joined.is_empty() {
            joined.push(plain(between));
        }
        joined.extend(part);
    }
    joined
}

/// Tells of a loss once.
pub fn note(losses: &mut Vec<Loss>, kind: &str, what: impl AsRef<str>) {
    let what: String =
        what.as_ref().split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect();
    let loss = Loss { kind: kind.to_owned(), what };
    // Only the latest are looked through: a page with a hundred thousand dead links must not take minutes.
    if !losses.iter().rev().take(200).any(|told| *told == loss) {
        losses.push(loss);
    }
}

/// Blocks as Markdown.
pub fn markdown(blocks: &[Block]) -> String {
    let mut text = String::new();
    write_blocks(blocks, "", &mut text, 0);
    let text = text.trim_end();
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

/// Every line is begun with `indent`; blocks are parted by an empty line.
fn write_blocks(blocks: &[Block], indent: &str, out: &mut String, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    let mut other_marker = false;
    for (index, block) in blocks.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| blocks.get(before));
        if before.is_some() {
            out.push_str(indent.trim_end());
            out.push('\n');
        }
        // Two lists of one kind side by side would become one, unless their markers differ.
        other_marker = match (before, block) {
            (Some(Block::List { start: a, .. }), Block::List { start: b, .. })
                if a.is_some() == b.is_some() =>
            {
                !other_marker
            }
            _ => false,
        };
        write_block(block, indent, other_marker, out, depth);
    }
}

fn write_block(block: &Block, indent: &str, other_marker: bool, out: &mut String, depth: usize) {
    match block {
        Block::Heading { level, anchor, text } => {
            let level = usize::from((*level).clamp(1, 6));
            let text = Line { one_line: true, ..Line::default() }.write(text);
            let text = heading_text(&text);
            let anchor = anchor.as_ref().map(|anchor| format!(" {{#{anchor}}}")).unwrap_or_default();
            push_lines(out, indent, &format!("{} {text}{anchor}", "#".repeat(level)));
        }
        Block::Paragraph(text) => push_lines(out, indent, &Line::default().write(text)),
        Block::List { start, items } => write_list(*start, items, indent, other_marker, out, depth),
        Block::Code { lang, text } => {
            let run = text.split(|char| char != '`').map(str::len).max().unwrap_or(0);
            let fence = "`".repeat((run + 1).max(3));
            let lang: String =
                lang.chars().filter(|char| char.is_alphanumeric() || "+-#_.".contains(*char)).collect();
            push_lines(out, indent, &format!("{fence}{lang}\n{}\n{fence}", text.trim_end_matches('\n')));
        }
        Block::Quote(blocks) => write_blocks(blocks, &format!("{indent}> "), out, depth + 1),
        Block::Alert { kind, blocks } => {
            push_lines(out, &format!("{indent}> "), &format!("[!{kind}]"));
            write_blocks(blocks, &format!("{indent}> "), out, depth + 1);
        }
        Block::Table(rows) => push_lines(out, indent, &table(rows)),
        Block::Rule => push_lines(out, indent, "---"),
    }
}

/// Hashes at the end of a heading are swallowed, and braces at its end would be its anchor.
fn heading_text(text: &str) -> String {
    let bare = text.trim_end_matches('#');
    let mut text = if bare.len() < text.len() && (bare.is_empty() || bare.ends_with(' ')) {
        format!("{bare}{}", "\\#".repeat(text.len() - bare.len()))
    } else {
        text.to_owned()
    };
    if text.ends_with('}') && !text.ends_with("\\}") {
        text.insert(text.len() - 1, '\\');
    }
    text
}

fn push_lines(out: &mut String, indent: &str, text: &str) {
    for line in text.split('\n') {
        let start = out.len();
        out.push_str(indent);
        out.push_str(line);
        out.truncate(out.trim_end_matches(' ').len().max(start));
        out.push('\n');
    }
}

fn write_list(
    start: Option<u64>,
    items: &[Vec<Block>],
    indent: &str,
    other_marker: bool,
    out: &mut String,
    depth: usize,
) {
    // One empty line within an item makes the whole list loose; without one, only a list that begins with 1 may follow text.
    let is_tight = items.iter().all(|item| {
        matches!(
            item.as_slice(),
            [] | [Block::Paragraph(_)] | [Block::Paragraph(_), Block::List { start: None | Some(1), .. }]
        )
    });
    for (index, item) in items.iter().enumerate() {
        let marker = match (start, other_marker) {
            // CommonMark takes at most nine digits.
            (Some(start), other) => {
                let number = start.saturating_add(index as u64).min(999_999_999);
                format!("{number}{} ", if other { ')' } else { '.' })
            }
            (None, true) => "* ".to_owned(),
            (None, false) => "- ".to_owned(),
        };
        if index > 0 && !is_tight {
            out.push_str(indent.trim_end());
            out.push('\n');
        }
        let inner = format!("{indent}{}", " ".repeat(marker.len()));
        let begin = out.len();
        match item.as_slice() {
            [first, second] if is_tight => {
                write_blocks(std::slice::from_ref(first), &inner, out, depth + 1);
                write_blocks(std::slice::from_ref(second), &inner, out, depth + 1);
            }
            item => write_blocks(item, &inner, out, depth + 1),
        }
        if out.len() == begin {
            out.push_str(&format!("{indent}{}\n", marker.trim_end()));
        } else if out.get(begin..begin + inner.len()) == Some(inner.as_str()) {
            out.replace_range(begin..begin + inner.len(), &format!("{indent}{marker}"));
        } else {
            out.insert_str(begin, &format!("{indent}{}\n", marker.trim_end()));
        }
    }
}

fn table(rows: &[Vec<Vec<Inline>>]) -> String {
    let widest = rows.iter().map(Vec::len).max().unwrap_or(0).clamp(1, MAX_COLUMNS);
    let columns = widest.min((MAX_CELLS / rows.len().max(1)).max(1));
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        text.push('|');
        for column in 0..columns {
            let cell = row.get(column).map(|cell| {
                // What is beyond the last column goes into it, rather than away.
                let rest = row.get(column + 1..).filter(|_| column + 1 == columns).unwrap_or_default();
                let mut cell = Line { one_line: true, in_cell: true, ..Line::default() }.write(cell);
                for more in rest {
                    cell.push(' ');
                    cell.push_str(&Line { one_line: true, in_cell: true, ..Line::default() }.write(more));
                }
                cell
            });
            text.push(' ');
            text.push_str(cell.as_deref().map(str::trim).unwrap_or_default());
            text.push_str(" |");
        }
        text.push('\n');
        if index == 0 {
            text.push('|');
            text.push_str(&" --- |".repeat(columns));
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Whether a word is a code such as `*155*2#`, which readers dial and search for.
fn is_code(word: &str) -> bool {
    word.len() >= 3
        && word.starts_with(['*', '#'])
        && word.chars().all(|char| char.is_ascii_digit() || "*#".contains(char))
        && word.chars().any(|char| char.is_ascii_digit())
        && (word.ends_with('#') || word.matches('*').count() > 1)
}

/// Writes inlines.
#[derive(Clone, Copy, Default)]
struct Line {
    /// Within a heading, a cell or a link: no line may end.
    one_line: bool,
    /// Within a cell: pipes part cells.
    in_cell: bool,
    /// Within a link: brackets end it.
    in_link: bool,
}

impl Line {
    fn write(self, inlines: &[Inline]) -> String {
        let mut out = String::new();
        self.run(inlines, Style::default(), &mut out);
        let text = out.trim();
        // A line that ends with a backslash would go on in the next.
        let text = text.strip_suffix("\\\n").unwrap_or(text).to_owned();
        if self.in_link || self.in_cell {
            text
        } else {
            text.split('\n').map(line_start).collect::<Vec<_>>().join("\n")
        }
    }

    fn run(self, inlines: &[Inline], within: Style, out: &mut String) {
        let mut index = 0;
        while let Some(inline) = inlines.get(index) {
            let Some(marked) = outer(style_of(inline), within) else {
                self.leaf(inline, out);
                index += 1;
                continue;
            };
            let rest = inlines.get(index..).unwrap_or_default();
            let length = rest.iter().take_while(|inline| has(style_of(inline), marked)).count().max(1);
            let group = rest.get(..length).unwrap_or_default();
            let next = rest.get(length).and_then(first_char);
            self.emphasised(group, within, marked, next, out);
            index += length;
        }
    }

    /// A marker counts only where CommonMark can tell that it opens or closes: blanks go outside of it, and marks of punctuation too where a letter
    /// stands on its other side.
    fn emphasised(
        self,
        group: &[Inline],
        within: Style,
        marked: Style,
        next: Option<char>,
        out: &mut String,
    ) {
        let mut group = group.to_vec();
        let is_word = |char: char| char.is_alphanumeric();
        let after_word = out.chars().next_back().is_some_and(is_word);
        let before_word = next.is_some_and(is_word);
        let outside = |char: char, near_word: bool| char.is_whitespace() || (near_word && !is_word(char));
        let mut begin = String::new();
        let mut end = String::new();
        if let Some(Inline::Text(text, _)) = group.first_mut() {
            let kept = text.trim_start_matches(|char| outside(char, after_word)).to_owned();
            begin = text.get(..text.len() - kept.len()).unwrap_or_default().to_owned();
            *text = kept;
        }
        if let Some(Inline::Text(text, _)) = group.last_mut() {
            let kept = text.trim_end_matches(|char| outside(char, before_word)).to_owned();
            end = text.get(kept.len()..).unwrap_or_default().to_owned();
            *text = kept;
        }
        group.retain(|inline| !matches!(inline, Inline::Text(text, _) if text.is_empty()));
        self.text(&begin, out);
        let cannot =
            |inline: Option<&Inline>, near_word: bool| near_word && !matches!(inline, Some(Inline::Text(..)));
        let opens_after_word = out.chars().next_back().is_some_and(is_word);
        let closes_before_word = end.is_empty() && before_word;
        let style = joined(within, marked);
        if group.is_empty()
            || cannot(group.first(), opens_after_word)
            || cannot(group.last(), closes_before_word)
            || matches!(group.first(), Some(Inline::Break))
            || matches!(group.last(), Some(Inline::Break))
        {
            self.run(&group, style, out);
        } else {
            let marker = match marked {
                Style { strike: true, .. } => "~~",
                Style { bold: true, .. } => "**",
                _ if opens_after_word || closes_before_word => "*",
                _ => "_",
            };
            out.push_str(marker);
            self.run(&group, style, out);
            out.push_str(marker);
        }
        self.text(&end, out);
    }

    fn leaf(self, inline: &Inline, out: &mut String) {
        match inline {
            Inline::Text(text, _) => self.text(text, out),
            Inline::Code(code, _) => self.code(code, out),
            Inline::Link { to, text } => {
                let text = Self { one_line: true, in_link: true, ..self }.write(text);
                // A mark of exclamation would make a picture of the link.
                if out.ends_with('!') {
                    out.insert(out.len() - 1, '\\');
                }
                out.push_str(&format!("[{text}]({})", place(to)));
            }
            Inline::Image { to, alt } => {
                let mut escaped = String::new();
                Self { one_line: true, in_link: true, ..self }.text(alt, &mut escaped);
                out.push_str(&format!("![{}]({})", escaped.trim(), place(to)));
            }
            Inline::Break if self.one_line => out.push_str(if self.in_cell { " / " } else { " " }),
            Inline::Break => {
                out.truncate(out.trim_end_matches(' ').len());
                out.push_str("\\\n");
            }
        }
    }

    fn code(self, code: &str, out: &mut String) {
        // Blanks at its ends part it from the words beside it, and belong to no code.
        let is_after_blank = code.starts_with(char::is_whitespace);
        let is_before_blank = code.ends_with(char::is_whitespace);
        let code = code.split_whitespace().collect::<Vec<_>>().join(" ");
        if is_after_blank {
            self.text(" ", out);
        }
        // Braces of a value would be replaced even here, and no entity helps within code.
        if code.is_empty() || code.contains("{{") || code.contains("{%") {
            self.text(&code, out);
            if is_before_blank {
                self.text(" ", out);
            }
            return;
        }
        let run = code.split(|char| char != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(run + 1);
        let space = if code.starts_with('`') || code.ends_with('`') { " " } else { "" };
        let code = if self.in_cell { code.replace('|', "\\|") } else { code };
        out.push_str(&format!("{fence}{space}{code}{space}{fence}"));
        if is_before_blank {
            self.text(" ", out);
        }
    }

    fn text(self, text: &str, out: &mut String) {
        let mut word_start = true;
        let mut skipped = 0;
        for (index, char) in text.char_indices() {
            if index < skipped {
                continue;
            }
            let rest = text.get(index..).unwrap_or_default();
            if word_start && (char == '*' || char == '#') {
                let word = rest.split(char::is_whitespace).next().unwrap_or_default();
                let word = word.trim_end_matches(['.', ',', ';', ':', ')', '»', '"', '!', '?']);
                if is_code(word) && !out.ends_with('`') {
                    self.code(word, out);
                    skipped = index + word.len();
                    word_start = false;
                    continue;
                }
            }
            word_start = char.is_whitespace() || "(«\"".contains(char);
            self.char(char, rest, out);
        }
    }

    fn char(self, char: char, rest: &str, out: &mut String) {
        let mut after = rest.chars().skip(1);
        let next = after.next();
        let before = out.chars().next_back();
        let is_word = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
        let is_gap = |char: Option<char>| char.is_none_or(char::is_whitespace);
        match char {
            '\n' | ' ' | '\t' | '\r' => {
                if !matches!(before, Some(' ' | '\n')) {
                    out.push(' ');
                }
            }
            '\0'..='\u{1f}' | '\u{7f}' | '\u{ad}' | '\u{feff}' | '\u{200b}' => {}
            '{' if matches!(next, Some('{' | '%')) => out.push_str("&#123;"),
            '*' if is_gap(before) && is_gap(next) && before.is_some() => out.push('*'),
            '_' if is_word(before) && is_word(next) => out.push('_'),
            '~' if is_gap(before) && next != Some('~') => out.push('~'),
            '\\' if next.is_some_and(|next| !next.is_ascii_punctuation()) => out.push('\\'),
            '&' if !next.is_some_and(|next| next.is_ascii_alphanumeric() || next == '#') => out.push('&'),
            '<' if !next.is_none_or(|next| next.is_ascii_alphabetic() || "/!?".contains(next)) => {
                out.push('<')
            }
            ']' if !self.in_link => out.push(']'),
            '|' if !self.in_cell => out.push('|'),
            '*' | '_' | '`' | '[' | ']' | '<' | '~' | '\\' | '|' | '&' => {
                out.push('\\');
                out.push(char);
            }
            other => out.push(other),
        }
    }
}

/// What would begin a heading, a list or a quotation at the start of a line is only text.
fn line_start(line: &str) -> String {
    let line = line.trim_start();
    let bare = line.trim_start_matches(|char: char| char.is_ascii_digit());
    let digits = line.len() - bare.len();
    let blank = |text: &str| text.is_empty() || text.starts_with([' ', '\t', '\\']);
    if (1..=9).contains(&digits) && bare.starts_with(['.', ')']) && blank(bare.get(1..).unwrap_or_default()) {
        return format!("{}\\{bare}", line.get(..digits).unwrap_or_default());
    }
    let hashes = line.trim_start_matches('#');
    let is_heading = hashes.len() < line.len() && blank(hashes);
    let is_item = line.starts_with(['-', '+', '*']) && blank(line.get(1..).unwrap_or_default());
    let is_rule = !line.is_empty() && line.chars().all(|char| "-= ".contains(char));
    let is_table =
        line.starts_with('|') || (line.contains("--") && line.chars().all(|char| "-:| ".contains(char)));
    if is_heading || is_item || is_rule || is_table || line.starts_with('>') {
        return format!("\\{line}");
    }
    line.to_owned()
}

fn place(to: &str) -> String {
    let mut place = String::with_capacity(to.len());
    for char in to.chars() {
        match char {
            ' ' => place.push_str("%20"),
            '(' => place.push_str("%28"),
            ')' => place.push_str("%29"),
            '<' => place.push_str("%3C"),
            '>' => place.push_str("%3E"),
            '\\' => place.push_str("%5C"),
            '{' => place.push_str("%7B"),
            '}' => place.push_str("%7D"),
            '|' => place.push_str("%7C"),
            '*' => place.push_str("%2A"),
            '`' => place.push_str("%60"),
            char if char.is_control() || char.is_whitespace() => {}
            char => place.push(char),
        }
    }
    place
}

fn style_of(inline: &Inline) -> Style {
    match inline {
        Inline::Text(_, style) | Inline::Code(_, style) => *style,
        _ => Style::default(),
    }
}

fn joined(a: Style, b: Style) -> Style {
    Style { bold: a.bold || b.bold, italic: a.italic || b.italic, strike: a.strike || b.strike }
}

fn has(style: Style, marked: Style) -> bool {
    joined(style, marked) == style
}

/// The next emphasis to be marked, outermost first.
fn outer(style: Style, within: Style) -> Option<Style> {
    if style.strike && !within.strike {
        Some(Style { strike: true, ..Style::default() })
    } else if style.bold && !within.bold {
        Some(Style { bold: true, ..Style::default() })
    } else {
        (style.italic && !within.italic).then_some(Style { italic: true, ..Style::default() })
    }
}

/// The character that follows a closing marker, as far as it matters.
fn first_char(inline: &Inline) -> Option<char> {
    match inline {
        // Its own marker stands between, where it has one.
        Inline::Text(text, style) if *style == Style::default() => text.chars().next(),
        Inline::Text(..) | Inline::Code(..) | Inline::Link { .. } | Inline::Image { .. } => Some('*'),
        Inline::Break => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        markdown(&[Block::Paragraph(vec![plain(text)])]).trim_end().to_owned()
    }

    fn html(markdown: &str) -> String {
        use pulldown_cmark::{Options, Parser, html::push_html};
        let mut html = String::new();
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_HEADING_ATTRIBUTES
            | Options::ENABLE_GFM;
        push_html(&mut html, Parser::new_ext(markdown, options));
        html
    }

    #[test]
    fn text_stays_what_it_was() {
        for said in [
            "# не заголовок",
            "- не пункт",
            "1. не пункт",
            "1) не пункт",
            "a * b * c",
            "*не курсив*",
            "_не курсив_",
            "snake_case_name",
            "[не ссылка](x)",
            "<b>не тег</b>",
            "a < b > c",
            "&amp; и AT&T",
            "| не | таблица |",
            "> не цитата",
            "~не зачёркнуто~",
            "~5 и 6~",
            "`не код`",
            "C:\\папка\\*.txt",
            "![не картинка](x)",
            "---",
            "===",
            "+ плюс",
            "#хэштег",
            "конец \\",
        ] {
            let escaped = said.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            assert_eq!(html(&text(said)), format!("<p>{escaped}</p>\n"), "{}", text(said));
        }
    }

    #[test]
    fn codes_are_kept_whole_and_values_are_not_expanded() {
        assert_eq!(text("Наберите *155*2#, затем #100#."), "Наберите `*155*2#`, затем `#100#`.");
        assert_eq!(text("{{ x }} {% y %}"), "&#123;{ x }} &#123;% y %}");
    }

    #[test]
    fn emphasis_is_read_as_it_was_meant() {
        let strong = Style { bold: true, ..Style::default() };
        let both = Style { bold: true, italic: true, ..Style::default() };
        let cases: [(Vec<Inline>, &str); 6] = [
            (
                vec![plain("a"), Inline::Code(" b ".into(), Style::default()), plain("c")],
                "<p>a <code>b</code> c</p>\n",
            ),
            (
                vec![plain("слово"), Inline::Text("«часть»".into(), strong), plain("дальше")],
                "<p>слово«<strong>часть</strong>»дальше</p>\n",
            ),
            (
                vec![Inline::Text(" жирный ".into(), strong), plain("нет")],
                "<p><strong>жирный</strong> нет</p>\n",
            ),
            (
                vec![Inline::Text("а".into(), strong), Inline::Text("б".into(), both), plain("в")],
                "<p><strong>а<em>б</em></strong>в</p>\n",
            ),
            (vec![Inline::Code("x".into(), strong), plain("у")], "<p><code>x</code>у</p>\n"),
            (
                vec![Inline::Text("Важно:".into(), strong), plain("текст")],
                "<p><strong>Важно</strong>:текст</p>\n",
            ),
        ];
        for (inlines, expected) in cases {
            let written = markdown(&[Block::Paragraph(inlines)]);
            assert_eq!(html(&written), expected, "{written}");
        }
    }

    #[test]
    fn lists_nest_and_neighbours_stay_apart() {
        let item = |text: &str| vec![Block::Paragraph(vec![plain(text)])];
        let mut nested = item("а");
        nested.push(Block::List { start: Some(3), items: vec![item("б"), item("в")] });
        let lists = [
            Block::List { start: None, items: vec![nested, item("г")] },
            Block::List { start: None, items: vec![item("д")] },
        ];
        assert_eq!(markdown(&lists), "- а\n\n  3. б\n  4. в\n\n- г\n\n* д\n");
    }

    #[test]
    fn tables_keep_their_cells() {
        let rows = vec![
            vec![vec![plain("а|б")], vec![Inline::Code("x|y".into(), Style::default())]],
            vec![vec![plain("в"), Inline::Break, plain("г")]],
        ];
        assert_eq!(markdown(&[Block::Table(rows)]), "| а\\|б | `x\\|y` |\n| --- | --- |\n| в / г |  |\n");
    }

    #[test]
    fn links_that_run_something_are_none() {
        assert_eq!(destination(" java\nscript:alert(1)"), None);
        assert_eq!(destination("data:text/html,x"), None);
        assert_eq!(destination("C:\\docs\\a.doc"), None);
        assert_eq!(destination("https://a.example/b c").as_deref(), Some("https://a.example/b c"));
    }
}
