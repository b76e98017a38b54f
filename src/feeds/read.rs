//! The rows of a source, be it CSV, a workbook or JSON: bounded, and refused whole where it cannot be what it should.

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader, Xlsx};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;
use serde_json::Value;

use crate::content::problem::{did_you_mean, u32_of};
use crate::feeds::FeedProblem;
use crate::settings::{FeedFormat, FeedSettings};

/// The most rows of a source.
pub const MAX_ROWS: usize = 500_000;

/// The most columns that are looked at.
const MAX_COLUMNS: usize = 1_000;

/// The longest cell, in bytes.
const MAX_CELL: usize = 20_000;

/// How much larger than the most a source may weigh a workbook may become when it is unpacked.
const MAX_UNPACKED: u64 = 8;

/// The most files of a workbook.
const MAX_PARTS: usize = 2_000;

/// Headings that a message names.
const NAMED_HEADINGS: usize = 20;

/// A row: the cells of the columns that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its line in the source, or its number in JSON, from 1.
    pub line: u32,
    /// The texts, in the order of the settings' columns; empty where there is none.
    pub cells: Vec<String>,
    /// Why the row cannot be used as a whole.
    pub fault: Option<String>,
    /// Whether its numbers are written as somebody writes them, and not as a format does.
    pub is_text: bool,
}

impl Row {
    fn of(line: u32, cells: Vec<String>) -> Self {
        let fault = cells
            .iter()
            .any(|cell| cell.len() > MAX_CELL)
            .then(|| "has a cell that is far too long".to_owned());
        Self { line, cells, fault, is_text: false }
    }
}

/// Reads the rows of a source.
///
/// # Errors
/// Why it cannot be used at all.
pub fn read(bytes: &[u8], settings: &FeedSettings) -> Result<Vec<Row>, FeedProblem> {
    let format = match settings.format {
        Some(format) => format,
        None => format_of(bytes)?,
    };
    let mut rows = match format {
        FeedFormat::Csv => csv_rows(&decode(bytes, &settings.encoding)?, settings)?,
        FeedFormat::Xlsx => xlsx_rows(bytes, settings)?,
        FeedFormat::Json => json_rows(bytes, settings)?,
    };
    // Rows of nothing are no rows.
    rows.retain(|row| row.fault.is_some() || row.cells.iter().any(|cell| !cell.is_empty()));
    if rows.is_empty() {
        return Err(FeedProblem::whole("there are no rows", "look whether the source was written whole"));
    }
    Ok(rows)
}

/// What a source is, by its first bytes.
fn format_of(bytes: &[u8]) -> Result<FeedFormat, FeedProblem> {
    if bytes.is_empty() {
        return Err(FeedProblem::whole("the source is empty", "look whether it was written whole"));
    }
    let wrong = |what: &str, hint: &str| Err(FeedProblem::whole(what, hint));
    match bytes {
        [b'P', b'K', 3, 4, ..] => return Ok(FeedFormat::Xlsx),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            return wrong("it is a workbook of the old form (.xls)", "save it as .xlsx or CSV");
        }
        [0x1f, 0x8b, ..] => return wrong("it is compressed (gzip)", "name a source that is not"),
        [b'%', b'P', b'D', b'F', ..] => return wrong("it is a PDF", "name a CSV, XLSX or JSON source"),
        _ => {}
    }
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let is_markup = |name: &[u8]| start.get(..name.len()).is_some_and(|s| s.eq_ignore_ascii_case(name));
    if is_markup(b"<!doctype") || is_markup(b"<html") || is_markup(b"<head") || is_markup(b"<body") {
        return wrong(
            "it is a page (HTML), not data",
            "open the address yourself: it may ask for signing in, or tell of an error",
        );
    }
    match start.first() {
        Some(b'<') => wrong("it is XML", "name a CSV, XLSX or JSON source"),
        Some(b'{' | b'[') => Ok(FeedFormat::Json),
        Some(_) => Ok(FeedFormat::Csv),
        None => wrong("the source is empty", "look whether it was written whole"),
    }
}

/// The text of a source. What is no UTF-8 is taken for what its letters look like.
fn decode(bytes: &[u8], label: &str) -> Result<String, FeedProblem> {
    let encoding = if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        encoding
    } else if !label.is_empty() {
        Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            FeedProblem::whole(
                format!("`{label}` is no encoding that is known"),
                "write `encoding` as utf-8, windows-1251 or koi8-r",
            )
        })?
    } else if std::str::from_utf8(bytes).is_ok() {
        encoding_rs::UTF_8
    } else if let Some(line) = broken_utf8(bytes) {
        return Err(FeedProblem::at(
            line,
            "",
            "it is written as UTF-8, and damaged here",
            "correct the source, or wait until it is written whole",
        ));
    } else {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(bytes, true);
        detector.guess(Some(b"ru"), Utf8Detection::Deny)
    };
    let (text, _, has_faults) = encoding.decode(bytes);
    if has_faults {
        let line = text.find('\u{fffd}').map_or(0, |at| text[..at].matches('\n').count() + 1);
        return Err(FeedProblem::at(
            u32_of(line),
            "",
            format!("it is not written as {}", encoding.name()),
            "correct `encoding`, or how the source is written",
        ));
    }
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if let Some(at) = text.find(is_odd) {
        let line = text[..at].matches('\n').count() + 1;
        return Err(FeedProblem::at(
            u32_of(line),
            "",
            "it holds characters that no text has",
            "correct `encoding`, or how the source is written",
        ));
    }
    Ok(text.into_owned())
}

/// The line on which a text stops being UTF-8, if it is that up to there: other encodings hardly ever look like it by chance.
fn broken_utf8(bytes: &[u8]) -> Option<u32> {
    let good = std::str::from_utf8(bytes).err()?.valid_up_to();
    let good = std::str::from_utf8(&bytes[..good]).ok()?;
    (!good.is_ascii()).then(|| u32_of(good.matches('\n').count() + 1))
}

/// Whether a table of lines from a file ends without the end of a line: perhaps it is cut off. Over a network that is told otherwise.
pub fn ends_open(bytes: &[u8], settings: &FeedSettings) -> bool {
    let format = settings.format.or_else(|| format_of(bytes).ok());
    let last = bytes.iter().rev().find(|byte| **byte != 0);
    format == Some(FeedFormat::Csv)
        && !settings.is_remote()
        && last.is_some_and(|last| !matches!(last, b'\n' | b'\r'))
}

/// Where each column that is asked for stands among the headings.
fn places(headings: &[String], settings: &FeedSettings, line: u32) -> Result<Vec<usize>, FeedProblem> {
    let mut places = Vec::new();
    for column in &settings.columns {
        let mut found = headings.iter().enumerate().filter(|(_, heading)| **heading == column.column.trim());
        let Some((place, _)) = found.next() else {
            let near = did_you_mean(&column.column, headings.iter().map(String::as_str));
            let named: Vec<&str> = headings.iter().map(String::as_str).take(NAMED_HEADINGS).collect();
            return Err(FeedProblem::at(
                line,
                &column.column,
                format!("there is no column `{}`{near}", column.column),
                format!("correct `columns` of the feed; the headings are: {}", named.join(", ")),
            ));
        };
        if found.next().is_some() {
            return Err(FeedProblem::at(
                line,
                &column.column,
                format!("two columns are called `{}`", column.column),
                "give one of them another heading",
            ));
        }
        places.push(place);
    }
    Ok(places)
}

fn too_many() -> FeedProblem {
    FeedProblem::whole(format!("there are more than {MAX_ROWS} rows"), "part the feed into several")
}

const DELIMITERS: [u8; 4] = [b';', b',', b'\t', b'|'];

fn csv_reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes())
}

/// The headings: the first line that says something.
fn csv_headings(text: &str, delimiter: u8) -> Vec<String> {
    let mut reader = csv_reader(text, delimiter);
    let first = reader.records().flatten().find(|record| record.iter().any(|field| !field.is_empty()));
    first.iter().flatten().take(MAX_COLUMNS).map(str::to_owned).collect()
}

fn delimiter_of(text: &str, settings: &FeedSettings) -> Result<u8, FeedProblem> {
    match settings.delimiter.as_str() {
        "" => {}
        "tab" => return Ok(b'\t'),
        one if one.len() == 1 => return Ok(one.as_bytes()[0]),
        other => {
            return Err(FeedProblem::whole(
                format!("`{other}` cannot part fields"),
                "write `delimiter` as one character, or `tab`",
            ));
        }
    }
    let fits = |delimiter: &u8| places(&csv_headings(text, *delimiter), settings, 1).is_ok();
    let best = || DELIMITERS.into_iter().max_by_key(|delimiter| csv_headings(text, *delimiter).len());
    Ok(DELIMITERS.into_iter().find(fits).or_else(best).unwrap_or(b';'))
}

fn csv_rows(text: &str, settings: &FeedSettings) -> Result<Vec<Row>, FeedProblem> {
    let delimiter = delimiter_of(text, settings)?;
    must_be_quoted_well(text, delimiter)?;
    let mut reader = csv_reader(text, delimiter);
    let (mut wanted, mut width) = (Vec::new(), 0);
    let mut rows: Vec<Row> = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        let line = u32::try_from(reader.position().line()).unwrap_or(u32::MAX);
        let is_more = reader.read_record(&mut record).map_err(|error| {
            FeedProblem::at(line, "", format!("it is not readable as CSV: {error}"), "correct the source")
        })?;
        if !is_more {
            break;
        }
        let line = record.position().map_or(line, |p| u32::try_from(p.line()).unwrap_or(u32::MAX));
        // A record is said to begin where the one before it ended: empty lines stand between.
        let begin = record.position().and_then(|p| usize::try_from(p.byte()).ok()).unwrap_or_default();
        let blank = text.as_bytes().get(begin..).unwrap_or_default().iter();
        let blank =
            blank.take_while(|byte| byte.is_ascii_whitespace()).filter(|byte| **byte == b'\n').count();
        let line = line.saturating_add(u32_of(blank));
        if record.iter().all(str::is_empty) {
            continue;
        }
        if width == 0 {
            width = record.len();
            let headings: Vec<String> = record.iter().take(MAX_COLUMNS).map(str::to_owned).collect();
            wanted = places(&headings, settings, line)?;
            continue;
        }
        if rows.len() == MAX_ROWS {
            return Err(too_many());
        }
        let cells = wanted.iter().map(|place| record.get(*place).unwrap_or_default().to_owned()).collect();
        let mut row = Row { is_text: true, ..Row::of(line, cells) };
        if record.len() != width {
            row.fault = Some(format!("has {} fields, the headings {width}", record.len()));
        }
        rows.push(row);
    }
    // What is cut off in the middle of a line was not written whole, and nobody knows what else is missing.
    if let Some(last) = rows.last().filter(|_| record_is_short(text, width, &rows)) {
        return Err(FeedProblem::at(
            last.line,
            "",
            "the source ends in the middle of a row",
            "wait until it is written whole; write it beside, and rename it",
        ));
    }
    Ok(rows)
}

/// Looks at the quotes: where one is lost, fields of other rows become part of a field, and nobody sees it.
fn must_be_quoted_well(text: &str, delimiter: u8) -> Result<(), FeedProblem> {
    enum At {
        Begin,
        Field,
        Quoted,
        Closed,
    }
    let (mut at, mut line, mut opened) = (At::Begin, 1, 1);
    let fault = |line: u32, message: &str| {
        Err(FeedProblem::at(line, "", message, "correct the source, or wait until it is written whole"))
    };
    for byte in text.trim_start_matches('\u{feff}').bytes() {
        at = match (at, byte) {
            (At::Begin, b'"') => {
                opened = line;
                At::Quoted
            }
            (At::Quoted, b'"') => At::Closed,
            (At::Closed, b'"') | (At::Quoted, _) => At::Quoted,
            (_, b'\n' | b'\r') => At::Begin,
            (_, byte) if byte == delimiter => At::Begin,
            // Spaces around a field do not count.
            (At::Begin, b' ') => At::Begin,
            (At::Closed, b' ') => At::Closed,
            (At::Closed, _) => return fault(line, "a quote closes in the middle of a field"),
            (At::Begin | At::Field, _) => At::Field,
        };
        line += u32::from(byte == b'\n');
    }
    match at {
        At::Quoted => fault(opened, "a quote is opened here and never closed"),
        _ => Ok(()),
    }
}

/// Whether the last row has fewer fields than there are headings.
fn record_is_short(text: &str, width: usize, rows: &[Row]) -> bool {
    let short = |fault: &String| {
        let number =
            fault.strip_prefix("has ").and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
        number.is_some_and(|number| number < width)
    };
    let is_last_short = rows.last().is_some_and(|row| row.fault.as_ref().is_some_and(short));
    let has_line_end = |row: &Row| row.cells.iter().any(|cell| cell.contains('\n'));
    is_last_short && (!text.ends_with('\n') || rows.last().is_some_and(has_line_end))
}

fn too_large(most: u64) -> FeedProblem {
    FeedProblem::whole(
        format!("the workbook becomes larger than {most} bytes when it is unpacked"),
        "it may be made to exhaust the server; raise `max_megabytes` of the feed if it is right",
    )
}

/// Unpacks a workbook into nothing, to see how large it becomes: what its directory says of that may be a lie.
fn must_be_bounded(bytes: &[u8], most: u64) -> Result<(), FeedProblem> {
    let broken = |error: &dyn std::fmt::Display| {
        FeedProblem::whole(format!("it is not readable as a workbook: {error}"), "save it as .xlsx once more")
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    if archive.len() > MAX_PARTS {
        return Err(too_large(most));
    }
    let mut left = most;
    for number in 0..archive.len() {
        let part = archive.by_index(number).map_err(|error| broken(&error))?;
        let copied = std::io::copy(&mut part.take(left + 1), &mut std::io::sink());
        let copied = copied.map_err(|error| broken(&error))?;
        left = left.checked_sub(copied).ok_or_else(|| too_large(most))?;
    }
    Ok(())
}

fn xlsx_rows(bytes: &[u8], settings: &FeedSettings) -> Result<Vec<Row>, FeedProblem> {
    must_be_bounded(bytes, u64::from(settings.max_megabytes) * 1_000_000 * MAX_UNPACKED)?;
    // A workbook that nobody foresaw breaks its reader, not the server.
    let read = catch_unwind(AssertUnwindSafe(|| xlsx_cells(bytes, settings)));
    read.unwrap_or_else(|_| {
        Err(FeedProblem::whole("the workbook cannot be read", "save it as .xlsx once more, or as CSV"))
    })
}

fn xlsx_cells(bytes: &[u8], settings: &FeedSettings) -> Result<Vec<Row>, FeedProblem> {
    let broken = |error: calamine::XlsxError| {
        FeedProblem::whole(format!("it is not readable as a workbook: {error}"), "save it as .xlsx once more")
    };
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let sheets = book.sheet_names().to_vec();
    let sheet = match settings.sheet.as_str() {
        "" => sheets.first().cloned(),
        named => sheets.iter().find(|sheet| *sheet == named).cloned(),
    };
    let sheet = sheet.ok_or_else(|| {
        FeedProblem::whole(
            format!("there is no sheet `{}`", settings.sheet),
            format!("correct `sheet` of the feed; there are: {}", sheets.join(", ")),
        )
    })?;
    // Cell by cell: a table of all that lies between two far corners could be of any size.
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(broken)?;
    let mut headings: Option<(u32, Vec<String>)> = None;
    let mut places_by_column: HashMap<u32, Vec<usize>> = HashMap::new();
    let mut rows: Vec<Row> = Vec::new();
    let most = u64::from(settings.max_megabytes) * 1_000_000 * MAX_UNPACKED;
    let mut left = most;
    while let Some(cell) = cells.next_cell().map_err(broken)? {
        let (row, column) = cell.get_position();
        let error = match cell.get_value() {
            DataRef::Error(error) => Some(error.to_string()),
            _ => None,
        };
        let Some(text) = text_of(cell.get_value()) else { continue };
        match &mut headings {
            None => headings = Some((row, heading_at(Vec::new(), column, text))),
            Some((of, found)) if *of == row => *found = heading_at(std::mem::take(found), column, text),
            Some((of, found)) => {
                if places_by_column.is_empty() {
                    for (at, place) in places(found, settings, *of + 1)?.into_iter().enumerate() {
                        places_by_column.entry(u32_of(place)).or_default().push(at);
                    }
                }
                let Some(at) = places_by_column.get(&column) else { continue };
                if rows.last().is_none_or(|last| last.line != row + 1) {
                    if rows.len() == MAX_ROWS {
                        return Err(too_many());
                    }
                    rows.push(Row::of(row + 1, vec![String::new(); settings.columns.len()]));
                }
                let Some(last) = rows.last_mut() else { continue };
                if let Some(error) = error {
                    last.fault = Some(format!("has a cell with the error {error}"));
                    continue;
                }
                if text.len() > MAX_CELL {
                    last.fault = Some("has a cell that is far too long".to_owned());
                    continue;
                }
                for at in at {
                    // Cells may share a text, and take up more than the workbook itself.
                    left = left.checked_sub(text.len() as u64).ok_or_else(|| too_large(most))?;
                    last.cells[*at].clone_from(&text);
                }
            }
        }
    }
    if let Some((of, found)) = headings.filter(|_| rows.is_empty()) {
        places(&found, settings, of + 1)?;
    }
    Ok(rows)
}

fn heading_at(mut headings: Vec<String>, column: u32, text: String) -> Vec<String> {
    let column = usize::try_from(column).unwrap_or(usize::MAX);
    if column < MAX_COLUMNS {
        headings.resize(headings.len().max(column + 1), String::new());
        headings[column] = text;
    }
    headings
}

fn text_of(value: &DataRef<'_>) -> Option<String> {
    let text = match value {
        DataRef::Empty => return None,
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.trim().to_owned()
        }
        DataRef::SharedString(text) => text.trim().to_owned(),
        DataRef::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        DataRef::DateTime(at) => {
            let (year, month, day, ..) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::Error(error) => error.to_string(),
    };
    (!text.is_empty()).then_some(text)
}

/// A number as a person would write it: a workbook holds 15 digits of it, and what is behind them is noise.
fn number_text(number: f64) -> String {
    let digits = format!("{number:.9}");
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn json_rows(bytes: &[u8], settings: &FeedSettings) -> Result<Vec<Row>, FeedProblem> {
    let text = decode(bytes, if settings.encoding.is_empty() { "utf-8" } else { &settings.encoding })?;
    let document: Value = serde_json::from_str(&text).map_err(|error| {
        FeedProblem::at(
            u32_of(error.line()),
            "",
            format!("it is not readable as JSON: {error}"),
            "correct the source, or wait until it is written whole",
        )
    })?;
    let list = document.pointer(&settings.rows).and_then(Value::as_array).ok_or_else(|| {
        FeedProblem::whole(
            format!("there is no list of rows at `{}`", settings.rows),
            "write `rows` of the feed as a pointer to it: /data/items",
        )
    })?;
    if list.len() > MAX_ROWS {
        return Err(too_many());
    }
    let find = |item: &'_ Value, column: &str| -> Option<Value> {
        let found = if column.starts_with('/') { item.pointer(column) } else { item.get(column) };
        found.cloned()
    };
    // A column that no row has is a slip in the settings, or another form of the source.
    for column in &settings.columns {
        if !list.is_empty() && list.iter().all(|item| find(item, &column.column).is_none()) {
            let keys =
                list.iter().find_map(Value::as_object).map(|first| first.keys().cloned().collect::<Vec<_>>());
            let keys = keys.unwrap_or_default();
            let near = did_you_mean(&column.column, keys.iter().map(String::as_str));
            return Err(FeedProblem::at(
                0,
                &column.column,
                format!("no row has `{}`{near}", column.column),
                format!("correct `columns` of the feed; the keys are: {}", keys.join(", ")),
            ));
        }
    }
    let rows = list.iter().enumerate().map(|(number, item)| {
        let line = u32_of(number + 1);
        let mut fault = None;
        if !item.is_object() {
            fault = Some("is no object".to_owned());
        }
        let mut cells = Vec::new();
        for column in &settings.columns {
            cells.push(match find(item, &column.column) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text.trim().to_owned(),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Bool(yes)) => if yes { "yes" } else { "no" }.to_owned(),
                Some(Value::Array(_) | Value::Object(_)) => {
                    fault = Some(format!("`{}` is neither a text nor a number", column.column));
                    String::new()
                }
            });
        }
        let row = Row::of(line, cells);
        Row { fault: fault.or(row.fault.clone()), ..row }
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::FeedColumn;

    fn settings() -> FeedSettings {
        let column = |name: &str| FeedColumn {
            column: name.to_owned(),
            sets: "id".to_owned(),
            ..FeedColumn::default()
        };
        FeedSettings { columns: vec![column("код"), column("цена")], ..FeedSettings::default() }
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: &[(u32, &str, &str)]) {
        let rows = read(bytes, &settings()).unwrap();
        let found: Vec<(u32, &str, &str)> =
            rows.iter().map(|row| (row.line, &*row.cells[0], &*row.cells[1])).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn csv_is_read_however_it_is_written() {
        check("код;цена\na;1\n\n b ; 2 \n".as_bytes(), &[(2, "a", "1"), (4, "b", "2")]);
        check("\u{feff}цена,прочее,код\r\n\"1,5\",x,a\r\n".as_bytes(), &[(2, "a", "1,5")]);
        check("код\tцена\na\t1".as_bytes(), &[(2, "a", "1")]);
        check("\n\nкод|цена\na|\"две\nстроки\"\nb|2\n".as_bytes(), &[(4, "a", "две\nстроки"), (6, "b", "2")]);
        for encoding in [encoding_rs::WINDOWS_1251, encoding_rs::KOI8_R] {
            let text = "код;цена\nпакет-сообщений;сто рублей\nминуты;двести рублей\n";
            check(
                &encoding.encode(text).0,
                &[(2, "пакет-сообщений", "сто рублей"), (3, "минуты", "двести рублей")],
            );
        }
    }

    #[test]
    fn json_is_read_by_keys_and_pointers() {
        check(
            "[{\"код\": \"a\", \"цена\": 1.5}, {\"код\": 7, \"цена\": null}]".as_bytes(),
            &[(1, "a", "1.5"), (2, "7", "")],
        );
        let mut settings = settings();
        settings.rows = "/data/items".to_owned();
        settings.columns[1].column = "/цены/1".to_owned();
        let rows =
            read("{\"data\": {\"items\": [{\"код\": \"a\", \"цены\": [1, 2]}]}}".as_bytes(), &settings)
                .unwrap();
        assert_eq!(rows[0].cells, ["a", "2"]);
    }

    #[test]
    fn numbers_of_a_workbook_are_what_was_typed() {
        for (number, text) in [
            (0.1 + 0.2, "0.3"),
            (110.5, "110.5"),
            (100.0, "100"),
            (1e12, "1000000000000"),
            (-5.0, "-5"),
            (0.0, "0"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn the_last_row_must_be_whole() {
        let fault = read("код;цена\na;1\nb".as_bytes(), &settings()).unwrap_err();
        assert_eq!((fault.line, fault.message.as_str()), (3, "the source ends in the middle of a row"));
        let fault = read("код;цена\na;1\n\"b;2\nc;3\n".as_bytes(), &settings()).unwrap_err();
        assert_eq!(fault.line, 3, "{fault:?}");
    }
}
