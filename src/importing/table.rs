//! Tables of articles (CSV, TSV): each row is one page, columns are known by their heads in English and Russian.

use std::collections::HashSet;

use super::archive::Archive;
use super::blocks::{self, Block, Inline, plain};
use super::document::{Counts, Document, Found, Loss, State};

/// What makes Markdown of HTML: the Markdown, what was lost, and what the HTML had.
pub type FromHtml<'h> = &'h dyn Fn(&str) -> (String, Vec<Loss>, Counts);

/// The most rows of one table.
const MAX_ROWS: usize = 100_000;

/// The most columns.
const MAX_COLUMNS: usize = 1_000;

/// A cell with more lines than this is likely the rest of the table after a quotation mark that nothing closes.
const MANY_LINES: usize = 1_000;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Title,
    Body,
    Id,
    Folder,
    Tags,
    Lang,
    Status,
    Url,
    Changed,
    Owner,
}

/// Heads of columns, the best first.
const HEADS: [(Column, &[&str]); 10] = [
    (
        Column::Title,
        &[
            "title",
            "заголовок",
            "название",
            "question",
            "вопрос",
            "subject",
            "heading",
            "тема",
            "наименование",
            "headline",
            "name",
        ],
    ),
    (
        Column::Body,
        &[
            "body",
            "content",
            "answer",
            "text",
            "ответ",
            "текст",
            "содержание",
            "содержимое",
            "article",
            "статья",
            "html",
            "markdown",
            "описание",
            "description",
            "response",
            "solution",
            "решение",
        ],
    ),
    (Column::Id, &["id", "ид", "код", "uid", "key", "faq id", "номер"]),
    (
        Column::Folder,
        &[
            "category",
            "раздел",
            "folder",
            "папка",
            "категория",
            "section",
            "path",
            "путь",
            "рубрика",
            "topic",
        ],
    ),
    (Column::Tags, &["tags", "теги", "метки", "labels", "keywords", "ключевые слова", "tag", "тег"]),
    (Column::Lang, &["lang", "language", "язык", "locale"]),
    (Column::Status, &["status", "статус", "state", "состояние"]),
    (Column::Url, &["url", "link", "ссылка", "адрес страницы", "permalink", "href"]),
    (
        Column::Changed,
        &[
            "updated",
            "updated at",
            "дата",
            "modified",
            "changed",
            "date",
            "изменено",
            "обновлено",
            "дата изменения",
            "last modified",
            "created",
            "created at",
        ],
    ),
    (Column::Owner, &["owner", "author", "автор", "владелец", "ответственный"]),
];

/// Whether the source is of tables of articles.
pub fn recognise(archive: &Archive) -> bool {
    let tables: Vec<&str> = archive.paths().filter(|path| is_table(path)).collect();
    let others = archive
        .paths()
        .filter(|path| [".html", ".htm", ".md", ".xml", ".docx"].iter().any(|end| path.ends_with(end)));
    tables.len() > others.count()
        && tables.iter().take(5).any(|path| {
            archive.text(path).is_ok_and(|text| {
                let head = start_of(&text, 64 << 10);
                let records = parse(head, delimiter(head), 1);
                records.first().is_some_and(|(_, head)| has_text(&columns(head)))
            })
        })
}

/// Reads every table of the source; HTML in cells, and Markdown by way of HTML, is made Markdown by `html`.
pub fn read(archive: &Archive, found: &mut Found<'_>, html: FromHtml<'_>) {
    let paths: Vec<&str> = archive.paths().filter(|path| is_table(path)).collect();
    for path in paths {
        match archive.text(path) {
            Ok(text) => table(path, &text, found, html),
            Err(error) => found.take(path, Err(error.why)),
        }
    }
}

fn is_table(path: &str) -> bool {
    let path = path.to_lowercase();
    path.ends_with(".csv") || path.ends_with(".tsv") || path.ends_with(".tab")
}

fn start_of(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// The delimiter by which most rows have the same number of columns, more than one.
fn delimiter(text: &str) -> u8 {
    let head = start_of(text, 64 << 10);
    let mut best = (b',', 0.0);
    for candidate in [b',', b';', b'\t', b'|'] {
        let records = parse(head, candidate, 50);
        let width = records.first().map_or(0, |(_, record)| record.len());
        if width < 2 {
            continue;
        }
        let same = records.iter().filter(|(_, record)| record.len() == width).count();
        let known = records.first().map_or(0, |(_, head)| columns(head).iter().flatten().count());
        let score = same as f64 / records.len() as f64 + known as f64 + width.min(20) as f64 / 100.0;
        if score > best.1 {
            best = (candidate, score);
        }
    }
    best.0
}

/// Rows and the lines they begin at; empty ones are left out.
fn parse(text: &str, delimiter: u8, most: usize) -> Vec<(u64, Vec<String>)> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut records = Vec::new();
    while records.len() < most && reader.read_record(&mut record).unwrap_or(false) {
        let line = record.position().map_or(0, csv::Position::line);
        let cells: Vec<String> = record.iter().take(MAX_COLUMNS).map(|cell| cell.trim().to_owned()).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            records.push((line, cells));
        }
    }
    records
}

/// What each column holds; of several that could hold one thing, the one with the best head does.
fn columns(head: &[String]) -> Vec<Option<Column>> {
    let names: Vec<String> = head.iter().map(|name| normal(name)).collect();
    let mut columns = vec![None; head.len()];
    for exact in [true, false] {
        for (column, heads) in HEADS {
            if columns.contains(&Some(column)) {
                continue;
            }
            let matches = |name: &str, head: &str| {
                // A word of a longer head tells enough only for title and text.
                let is_main = matches!(column, Column::Title | Column::Body);
                name == head || (!exact && is_main && name.split(' ').any(|word| word == head))
            };
            let place = heads.iter().find_map(|head| {
                names
                    .iter()
                    .enumerate()
                    .position(|(at, name)| columns.get(at) == Some(&None) && matches(name, head))
            });
            if let Some(slot) = place.and_then(|place| columns.get_mut(place)) {
                *slot = Some(column);
            }
        }
    }
    columns
}

fn normal(name: &str) -> String {
    let name = name.trim_matches(|char: char| !char.is_alphanumeric()).to_lowercase();
    name.split(|char: char| char.is_whitespace() || "_-.".contains(char))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn has_text(columns: &[Option<Column>]) -> bool {
    columns.contains(&Some(Column::Body)) || (columns.contains(&Some(Column::Title)) && columns.len() > 1)
}

fn table(path: &str, text: &str, found: &mut Found<'_>, html: FromHtml<'_>) {
    let delimiter = delimiter(text);
    let mut records = parse(text, delimiter, MAX_ROWS + 2).into_iter();
    let Some((_, head)) = records.next() else { return found.take(path, Err("is empty".to_owned())) };
    let columns = columns(&head);
    if !has_text(&columns) {
        let head: String = head.join(" | ").chars().take(200).collect();
        let why = format!(
            "no column is called title, question, text or answer (заголовок, вопрос, текст, ответ): its first row is {head}"
        );
        return found.take(path, Err(why));
    }
    found.expect(found.documents.len() + found.unreadable.len() + records.len());
    let unknown: Vec<&str> = head
        .iter()
        .zip(&columns)
        .filter(|(name, column)| column.is_none() && !name.is_empty())
        .map(|(name, _)| name.as_str())
        .collect();
    let mut told = unknown.is_empty();
    let mut keys = HashSet::new();
    for (row, (line, cells)) in records.enumerate() {
        if row >= MAX_ROWS {
            found.take(
                path,
                Err(format!("has more than {MAX_ROWS} rows: the rest, from line {line} on, was not read")),
            );
            return;
        }
        let mut read = document(path, line, &head, &columns, &cells, html);
        if let Ok(document) = &mut read {
            if !told {
                document.lose(
                    "column",
                    format!("columns {} are a table at the end of each page", unknown.join(", ")),
                );
                told = true;
            }
            if !keys.insert(document.key.clone()) {
                document.lose("duplicate-key", format!("line {line}: another row has the same id or title"));
                document.key = format!("{} (line {line})", document.key);
                keys.insert(document.key.clone());
            }
        }
        found.take(&format!("{path}:{line}"), read);
    }
}

fn document(
    path: &str,
    line: u64,
    head: &[String],
    columns: &[Option<Column>],
    cells: &[String],
    html: FromHtml<'_>,
) -> Result<Document, String> {
    let value = |wanted: Column| {
        let place = columns.iter().position(|column| *column == Some(wanted))?;
        cells.get(place).map(String::as_str).filter(|cell| !cell.is_empty())
    };
    let body = value(Column::Body).unwrap_or_default();
    let mut document = Document::default();
    if cells.len() != head.len() {
        document.lose("row", format!("line {line} has {} columns, not {}", cells.len(), head.len()));
    }
    if cells.iter().any(|cell| cell.lines().count() > MANY_LINES) {
        document.lose(
            "row",
            format!("line {line} has a cell of many lines: perhaps a quotation mark is not closed"),
        );
    }
    let markdown = if body.is_empty() { String::new() } else { text(body, &mut document, html) };
    let title = value(Column::Title).map(said).filter(|title| !title.is_empty());
    let title = title.or_else(|| first_sentence(&markdown));
    document.title = title.ok_or_else(|| format!("line {line} has neither a title nor a text"))?;
    let key = value(Column::Id).map_or_else(|| document.title.clone(), str::to_owned);
    document.key = start_of(&format!("{path}#{key}"), 900).to_owned();
    document.folders = value(Column::Folder).map(folders).unwrap_or_default();
    document.tags = value(Column::Tags).map(|tags| split(tags, &[',', ';', '|'])).unwrap_or_default();
    document.lang = value(Column::Lang).and_then(lang);
    document.owner = value(Column::Owner).map(said);
    document.also = value(Column::Url).map(|url| vec![url.to_owned()]).unwrap_or_default();
    document.changed = value(Column::Changed).and_then(day);
    if let (Some(date), None) = (value(Column::Changed), &document.changed) {
        document.lose("date", format!("line {line}: {date} is no date"));
    }
    if let Some(status) = value(Column::Status) {
        match state(status) {
            Some(state) => document.state = state,
            None => document.lose("status", format!("line {line}: status {status}")),
        }
    }
    document.markdown = markdown;
    let rest = rest(head, columns, cells);
    if !rest.is_empty() {
        let mut rows = vec![vec![vec![plain("Field")], vec![plain("Value")]]];
        if document.markdown.chars().chain(document.title.chars()).any(|char| ('а'..='я').contains(&char)) {
            rows = vec![vec![vec![plain("Поле")], vec![plain("Значение")]]];
        }
        rows.extend(rest);
        if !document.markdown.is_empty() {
            document.markdown.push('\n');
        }
        document.markdown.push_str(&blocks::markdown(&[Block::Table(rows)]));
    }
    Ok(document)
}

/// Cells of columns that are not understood, and those beyond the head.
fn rest(head: &[String], columns: &[Option<Column>], cells: &[String]) -> Vec<Vec<Vec<Inline>>> {
    cells
        .iter()
        .enumerate()
        .filter(|(at, cell)| !cell.is_empty() && columns.get(*at).is_none_or(Option::is_none))
        .map(|(at, cell)| {
            let name =
                head.get(at).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| (at + 1).to_string());
            vec![vec![plain(name)], vec![plain(said(cell))]]
        })
        .collect()
}

fn said(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn split(text: &str, at: &[char]) -> Vec<String> {
    text.split(at).map(said).filter(|part| !part.is_empty()).collect()
}

/// "A > B", or "A/B" where there is no such mark.
fn folders(text: &str) -> Vec<String> {
    let marks = ['>', '»', '→', '\\'];
    if text.contains(marks) { split(text, &marks) } else { split(text, &['/']) }
}

fn lang(text: &str) -> Option<String> {
    let lang = text.split(['-', '_']).next()?.trim().to_lowercase();
    match lang.as_str() {
        "русский" | "russian" => Some("ru".to_owned()),
        "английский" | "english" => Some("en".to_owned()),
        _ => ((2..=3).contains(&lang.len()) && lang.is_ascii()).then_some(lang),
    }
}

fn state(text: &str) -> Option<State> {
    match text.trim().to_lowercase().as_str() {
        "draft" | "черновик" | "new" | "in review" | "на проверке" | "private" => {
            Some(State::Draft)
        }
        "archived" | "archive" | "архив" | "в архиве" | "deleted" | "удалено" | "retired" | "obsolete"
        | "устарело" => Some(State::Archived),
        "published"
        | "active"
        | "publish"
        | "public"
        | "опубликовано"
        | "опубликована"
        | "активно"
        | "действует"
        | "1" => Some(State::Active),
        _ => None,
    }
}

/// `YYYY-MM-DD` of it or of `DD.MM.YYYY`, whatever follows.
fn day(text: &str) -> Option<String> {
    let date = text.trim().split([' ', 'T', ',']).next()?;
    let parts: Vec<u16> = date.split(['-', '.', '/']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (year, month, day) = match (parts.as_slice(), date.contains('/')) {
        ([year, month, day], _) if *year > 1900 => (*year, *month, *day),
        // With slashes, 01/02/2024 means different days in different countries.
        ([day, month, year], false) if *year > 1900 => (*year, *month, *day),
        ([day, month, year], true) if *year > 1900 && *day > 12 => (*year, *month, *day),
        _ => return None,
    };
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// A cell as Markdown: it may hold HTML, Markdown, or plain text.
fn text(cell: &str, document: &mut Document, html: FromHtml<'_>) -> String {
    let source = if is_html(cell) {
        Some(cell.to_owned())
    } else if is_markdown(cell) {
        use pulldown_cmark::{Options, Parser, html::push_html};
        let mut made = String::new();
        push_html(
            &mut made,
            Parser::new_ext(
                cell,
                Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS,
            ),
        );
        Some(made)
    } else {
        None
    };
    match source {
        Some(source) => {
            let (markdown, losses, had) = html(&source);
            document.losses.extend(losses);
            document.had = had;
            markdown
        }
        None => blocks::markdown(&from_plain(cell, &mut document.had)),
    }
}

fn is_html(text: &str) -> bool {
    const TAGS: [&str; 20] = [
        "p", "br", "br/", "div", "ul", "ol", "li", "a", "b", "strong", "i", "em", "table", "h1", "h2", "h3",
        "span", "img", "code", "pre",
    ];
    let text = text.to_lowercase();
    text.match_indices('<').take(1000).any(|(at, _)| {
        let rest = text.get(at + 1..).unwrap_or_default().trim_start_matches('/');
        let name = rest.split(|char: char| char.is_whitespace() || char == '>').next().unwrap_or_default();
        TAGS.contains(&name) && rest.contains('>')
    })
}

fn is_markdown(text: &str) -> bool {
    let has_line = |begin: &str| text.lines().any(|line| line.starts_with(begin));
    text.matches("**").count() >= 2
        || (text.contains("](") && text.contains('['))
        || has_line("## ")
        || has_line("### ")
        || has_line("```")
        || text.contains("| --- |")
        || text.contains("|---|")
}

/// Plain text: paragraphs are parted by empty lines, lists are lines that begin as people write them.
fn from_plain(text: &str, had: &mut Counts) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines: Vec<Inline> = Vec::new();
    let close = |lines: &mut Vec<Inline>, blocks: &mut Vec<Block>| {
        let inlines = blocks::tidy(std::mem::take(lines));
        if !blocks::is_blank(&inlines) {
            blocks.push(Block::Paragraph(inlines));
        }
    };
    for line in text.lines().map(str::trim) {
        if let Some((number, item)) = item_of(line) {
            close(&mut lines, &mut blocks);
            had.items += 1;
            let item = vec![Block::Paragraph(vec![plain(item)])];
            match blocks.last_mut() {
                Some(Block::List { start, items }) if start.is_some() == number.is_some() => items.push(item),
                _ => blocks.push(Block::List { start: number, items: vec![item] }),
            }
        } else if line.is_empty() {
            close(&mut lines, &mut blocks);
        } else {
            if !lines.is_empty() {
                lines.push(Inline::Break);
            }
            lines.push(plain(line));
        }
    }
    close(&mut lines, &mut blocks);
    blocks
}

fn item_of(line: &str) -> Option<(Option<u64>, &str)> {
    if let Some(item) = ["- ", "* ", "• ", "– ", "— "].iter().find_map(|mark| line.strip_prefix(mark)) {
        return Some((None, item.trim())).filter(|(_, item)| !item.is_empty());
    }
    let bare = line.trim_start_matches(|char: char| char.is_ascii_digit());
    let number = line.get(..line.len() - bare.len())?;
    let item = bare.strip_prefix(". ").or_else(|| bare.strip_prefix(") "))?;
    (number.len() <= 3 && !item.trim().is_empty())
        .then(|| number.parse().ok())?
        .map(|number| (Some(number), item.trim()))
}

/// The first sentence of a text, as a title.
fn first_sentence(markdown: &str) -> Option<String> {
    use pulldown_cmark::{Event, Parser, TagEnd};
    let mut text = String::new();
    for event in Parser::new(markdown) {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::SoftBreak | Event::HardBreak => text.push(' '),
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item) if !text.trim().is_empty() => {
                break;
            }
            _ => {}
        }
    }
    let text = said(&text);
    let end = text.char_indices().find(|(at, char)| {
        ".!?".contains(*char)
            && text.get(at + char.len_utf8()..).is_none_or(|rest| rest.is_empty() || rest.starts_with(' '))
    });
    let sentence =
        end.and_then(|(at, char)| text.get(..at + if char == '.' { 0 } else { 1 })).unwrap_or(&text);
    let short: String = sentence.chars().take(120).collect();
    let short = if short.len() < sentence.len() {
        format!("{}…", short.rsplit_once(' ').map_or(short.as_str(), |(before, _)| before))
    } else {
        short
    };
    (!short.is_empty()).then_some(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Vec<Document>, Vec<String>) {
        let archive = Archive::of_bytes("faq.csv", text.as_bytes().to_vec()).unwrap();
        let progress = |_: usize, _: usize| {};
        let mut found = Found::new(&progress);
        read(&archive, &mut found, &|html| (format!("HTML {html}"), Vec::new(), Counts::default()));
        (found.documents, found.unreadable.into_values().collect())
    }

    #[test]
    fn rows_become_pages_by_the_heads_of_columns() {
        let (documents, unreadable) = read_text(
            "\u{feff}Ид;Вопрос;Ответ;Раздел;Метки;Дата;Статус;Тариф\n\
             7;Как узнать баланс?;\"Наберите *100#.\n\n- сразу\n- бесплатно\";Связь > Баланс;баланс, ussd;05.03.2024;черновик;Все\n\
             8;;Первая фраза. Вторая.;;;;;\n;;;;;;;x\n",
        );
        let first = &documents[0];
        assert_eq!((first.key.as_str(), first.title.as_str()), ("faq.csv#7", "Как узнать баланс?"));
        assert_eq!(first.folders, ["Связь", "Баланс"]);
        assert_eq!(first.tags, ["баланс", "ussd"]);
        assert_eq!((first.changed.as_deref(), first.state), (Some("2024-03-05"), State::Draft));
        assert_eq!(
            first.markdown,
            "Наберите `*100#`.\n\n- сразу\n- бесплатно\n\n| Поле | Значение |\n| --- | --- |\n| Тариф | Все |\n"
        );
        assert_eq!(documents[1].title, "Первая фраза");
        assert_eq!(unreadable, ["line 7 has neither a title nor a text"]);
    }

    #[test]
    fn html_and_markdown_go_through_the_converter() {
        let (documents, _) = read_text("title,body\na,<p>b</p>\nc,**d** e\nf,1 < 2 and a > b\n");
        assert_eq!(documents[0].markdown, "HTML <p>b</p>");
        assert_eq!(documents[1].markdown, "HTML <p><strong>d</strong> e</p>\n");
        assert_eq!(documents[2].markdown, "1 < 2 and a > b\n");
    }

    #[test]
    fn a_table_of_something_else_is_refused_and_odd_rows_are_told() {
        assert!(read_text("город;улица\nТында;Ленина\n").1[0].contains("no column"));
        let (documents, _) = read_text("title,text\na,b,c\nd,e\n");
        assert!(documents[0].losses.iter().any(|loss| loss.what == "line 2 has 3 columns, not 2"));
        assert!(documents[0].markdown.contains("| 3 | c |"));
    }
}
