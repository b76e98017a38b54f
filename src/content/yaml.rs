//! YAML with places: every value knows its line and column, so that a problem can name them.

use std::fmt;
use std::ops::Range;

use jiff::civil::Date;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::content::freshness;
use crate::content::problem::{Position, Report, did_you_mean, u32_of};
use crate::content::validity::Validity;

/// A YAML value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands in its file.
    pub at: Position,
    /// Where its text begins and ends, in bytes of what was parsed. Of lists and mappings the beginning alone can be relied on.
    pub span: Range<usize>,
}

/// Nodes that any text may have, and bytes that each one has on average in a longer one.
const MAX_NODES: usize = 250_000;
const LEAST_NODE_BYTES: usize = 4;

/// A YAML value.
#[derive(Clone, Debug)]
pub enum Value {
    /// `~` or nothing.
    Null,
    /// `true`, `false`, `yes`, `no`.
    Bool(bool),
    /// A number, as it is printed.
    Number(String),
    /// Anything else in one piece.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in order.
    Map(Vec<(Node, Node)>),
}

/// Reads a YAML document that begins on line `first_line` of its file.
/// What the parser refuses is reported, with the place it gives.
pub fn parse(text: &str, first_line: u32, report: &mut Report) -> Option<Node> {
    parse_at(text, first_line, 0, report)
}

/// The same for a text that begins at byte `first_byte` of what its places are counted in.
fn parse_at(text: &str, first_line: u32, first_byte: usize, report: &mut Report) -> Option<Node> {
    if text.trim().is_empty() {
        return Some(Node {
            value: Value::Map(Vec::new()),
            at: Position { line: first_line, column: 1 },
            span: 0..0,
        });
    }
    // A long catalogue has more nodes than a configuration; what files weigh is bounded, and what their aliases repeat stays so.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: MAX_NODES.max(text.len() / LEAST_NODE_BYTES),
            max_events: 4 * MAX_NODES.max(text.len() / LEAST_NODE_BYTES),
        },
    };
    match serde_saphyr::from_str_with_options::<Spanned<Value>>(text, options) {
        Ok(spanned) => {
            let mut node = node(spanned);
            shift(&mut node, first_line - 1, first_byte);
            Some(node)
        }
        Err(error) => {
            let at = error.location().map_or(Position { line: first_line, column: 1 }, |l| Position {
                line: u32::try_from(l.line()).unwrap_or(0).max(1) + first_line - 1,
                column: u32::try_from(l.column()).unwrap_or(1),
            });
            let message = error.without_snippet().to_string();
            let message =
                message.split(" at line ").next().unwrap_or(&message).trim_end_matches([':', ',']).to_owned();
            report.error(
                "yaml",
                at,
                format!("not readable as YAML: {message}"),
                "check indentation, quotes (a text with `: ` or `#` needs them) and brackets",
            );
            None
        }
    }
}

fn node(spanned: Spanned<Value>) -> Node {
    let at = Position {
        line: u32::try_from(spanned.referenced.line()).unwrap_or(0),
        column: u32::try_from(spanned.referenced.column()).unwrap_or(0),
    };
    let span = spanned.referenced.span();
    let of = |number: Option<u64>| usize::try_from(number.unwrap_or_default()).unwrap_or_default();
    let start = of(span.byte_offset());
    Node { value: spanned.value, at, span: start..start + of(span.byte_len()) }
}

fn shift(node: &mut Node, lines: u32, bytes: usize) {
    node.at.line += lines;
    node.span = node.span.start + bytes..node.span.end + bytes;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| shift(item, lines, bytes)),
        Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
            shift(key, lines, bytes);
            shift(value, lines, bytes);
        }),
        _ => {}
    }
}

/// Shorter documents are read faster than threads are started.
const LEAST_PARTED_BYTES: usize = 256 << 10;

/// Reads a long document whose last key, `key`, holds a list, by parts of the list at once, each on a core. `None`: it is not long, or no such
/// document, or what stands in one part is needed in another (anchors), or it is faulty: [`parse`] reads all of it, and tells what is wrong.
pub fn parse_by_parts(text: &str, key: &str) -> Option<Node> {
    if text.len() < LEAST_PARTED_BYTES {
        return None;
    }
    let opening = format!("\n{key}:\n");
    let begin = text.find(&opening)? + opening.len();
    let starts = starts_of_items(text, begin)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 4);
    let mut bounds = vec![begin];
    for part in 1..threads {
        let wanted = begin + (text.len() - begin) / threads * part;
        let at = starts.get(starts.partition_point(|start| *start < wanted))?;
        bounds.push(*at);
    }
    bounds.push(text.len());
    let read = |part: &[usize]| {
        let (from, to) = (part[0], part[1]);
        parse_at(&text[from..to], line_of(text, from, 1), from, &mut Report::new(""))
    };
    let parts: Vec<Option<Node>> = std::thread::scope(|scope| {
        let running: Vec<_> = bounds.windows(2).map(|part| scope.spawn(move || read(part))).collect();
        running.into_iter().map(|part| part.join().ok().flatten()).collect()
    });
    let mut root = parse(&text[..begin], 1, &mut Report::new(""))?;
    let Value::Map(entries) = &mut root.value else { return None };
    let (name, list) = entries.last_mut().filter(|(_, value)| matches!(value.value, Value::Null))?;
    if name.text().as_deref() != Some(key) {
        return None;
    }
    let mut all = Vec::with_capacity(starts.len());
    for part in parts {
        let part = part?;
        let Value::List(items) = part.value else { return None };
        if all.is_empty() {
            (list.at, list.span) = (part.at, part.span);
        }
        all.extend(items);
    }
    if all.len() != starts.len() {
        return None;
    }
    list.value = Value::List(all);
    Some(root)
}

/// Where the items of a list begin that reaches to the end of a text. `None`: something else follows.
fn starts_of_items(text: &str, begin: usize) -> Option<Vec<usize>> {
    let mut starts = Vec::new();
    let mut mark: Option<String> = None;
    let mut at = begin;
    for line in text[begin..].split_inclusive('\n') {
        let rest = line.trim_start_matches(' ');
        let is_blank = rest.trim().is_empty() || rest.starts_with('#');
        if mark.is_none() && !is_blank {
            mark = rest.starts_with("- ").then(|| format!("{}- ", &line[..line.len() - rest.len()]));
        }
        let mark = mark.as_deref();
        if mark.is_some_and(|mark| line.starts_with(mark)) {
            starts.push(at);
        } else if !is_blank && mark.is_none_or(|mark| line.len() - rest.len() < mark.len() - 1) {
            return None;
        }
        at += line.len();
    }
    Some(starts)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.to_string()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.to_string()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Value::Number(v.to_string()))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::Text(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Value, E> {
        Ok(Value::Text(v))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<Spanned<Value>>()? {
            items.push(node(item));
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<Value>, Spanned<Value>>()? {
            entries.push((node(key), node(value)));
        }
        Ok(Value::Map(entries))
    }
}

impl Node {
    /// A scalar as text; lists and mappings have none.
    pub fn text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            Value::Bool(yes) => Some(if *yes { "yes" } else { "no" }.to_owned()),
            _ => None,
        }
    }

    /// `yes`, `no` and their kin.
    pub fn bool(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(yes) => Some(*yes),
            Value::Text(text) => match text.as_str() {
                "yes" | "true" | "да" => Some(true),
                "no" | "false" | "нет" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The items of a list, with their places; nothing else has any.
pub fn items(node: &Node) -> Vec<(Node, Position)> {
    match &node.value {
        Value::List(items) => items.iter().map(|item| (item.clone(), item.at)).collect(),
        _ => Vec::new(),
    }
}

/// The texts of a list.
pub fn texts(node: &Node) -> Vec<String> {
    items(node).iter().filter_map(|(item, _)| item.text()).collect()
}

/// Takes the keys of a mapping one by one, reporting those of the wrong type, and at last those nobody asked for.
pub struct Fields<'r> {
    entries: Vec<(Node, Node)>,
    asked: Vec<&'static str>,
    /// Where the mapping stands.
    pub at: Position,
    /// Where problems go.
    pub report: &'r mut Report,
}

impl<'r> Fields<'r> {
    /// The fields of a mapping; anything else is reported as an error and has no fields.
    pub fn of(node: Node, what: &str, report: &'r mut Report) -> Self {
        let at = node.at;
        let entries = match node.value {
            Value::Map(entries) => entries,
            Value::Null => Vec::new(),
            _ => {
                report.error(
                    "wrong-type",
                    at,
                    format!("{what} must be a mapping"),
                    "write it as lines `key: value`",
                );
                Vec::new()
            }
        };
        Self { entries, asked: Vec::new(), at, report }
    }

    /// A field's value, whatever its type; an empty one counts as absent.
    pub fn node(&mut self, key: &'static str) -> Option<Node> {
        self.asked.push(key);
        let at = self.entries.iter().position(|(k, _)| k.text().as_deref() == Some(key))?;
        let (_, value) = self.entries.remove(at);
        (!matches!(value.value, Value::Null)).then_some(value)
    }

    /// A field that must be one text.
    pub fn text(&mut self, key: &'static str) -> Option<(String, Position)> {
        let node = self.node(key)?;
        let text = node.text();
        if text.is_none() {
            self.report.error(
                "wrong-type",
                node.at,
                format!("`{key}` must be a text"),
                "write it on one line",
            );
        }
        Some((text?, node.at))
    }

    /// A field that must be one of a few texts.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let (text, at) = self.text(key)?;
        let found = choices.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.report.error(
                "unknown-choice",
                at,
                format!("`{key}` cannot be `{text}`{}", did_you_mean(&text, names.iter().copied())),
                format!("use one of: {}", names.join(", ")),
            );
        }
        found.map(|(_, value)| *value)
    }

    /// A field that is a list of texts, or one text.
    pub fn list(&mut self, key: &'static str) -> Vec<(String, Position)> {
        let Some(node) = self.node(key) else { return Vec::new() };
        let items = match node.value {
            Value::List(items) => items,
            _ => vec![node],
        };
        let mut texts = Vec::new();
        for item in items {
            match item.text() {
                Some(text) => texts.push((text, item.at)),
                None => self.report.error(
                    "wrong-type",
                    item.at,
                    format!("`{key}` must be a list of texts"),
                    format!("write `{key}: [one, two]`"),
                ),
            }
        }
        texts
    }

    /// The texts of a list without their places.
    pub fn texts(&mut self, key: &'static str) -> Vec<String> {
        self.list(key).into_iter().map(|(text, _)| text).collect()
    }

    /// A field that must be a day, `2026-12-01`.
    pub fn date(&mut self, key: &'static str) -> Option<Date> {
        let (text, at) = self.text(key)?;
        match parse_date(&text) {
            Ok(date) => Some(date),
            Err(why) => {
                self.report.error("date", at, format!("`{key}`: {why}"), "write days as 2026-12-31");
                None
            }
        }
    }

    /// How often something should be done, as it is written.
    pub fn interval(&mut self, key: &'static str) -> Option<String> {
        let (text, at) = self.text(key)?;
        if freshness::interval(&text).is_none() {
            self.report.warning(
                "interval",
                at,
                format!("`{key}`: `{text}` is no interval"),
                "write a number of days, weeks, months or years, as `90 days`",
            );
            return None;
        }
        Some(text)
    }

    /// `yes` or `no`.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        let node = self.node(key)?;
        let yes = node.bool();
        if yes.is_none() {
            self.report.error(
                "wrong-type",
                node.at,
                format!("`{key}` must be yes or no"),
                "write `yes` or `no`",
            );
        }
        yes
    }

    /// The key `audience`. One that names nobody is an error: what is not restricted is read by everybody.
    pub fn audience(&mut self) -> Vec<String> {
        let is_given = self.entries.iter().any(|(key, _)| key.text().as_deref() == Some(RESTRICTING));
        let at = self.at;
        let audience = self.texts(RESTRICTING);
        if is_given && !audience.iter().any(|name| !name.trim_start_matches('!').trim().is_empty()) {
            self.report.error(
                "wrong-type",
                at,
                "`audience` names nobody",
                "name audiences, as `audience: [b2b]`, or `audience: [\"!partners\"]` for all but some",
            );
        }
        audience
    }

    /// The keys `regions`, `audience`, `from` and `to` of this mapping.
    pub fn validity(&mut self) -> Validity {
        let at = self.at;
        let validity = Validity {
            regions: self.texts("regions"),
            audience: self.audience(),
            from: self.date("from"),
            to: self.date("to"),
        };
        check_order(&validity, at, self.report);
        validity
    }

    /// The keys `regions`, `audience` and `valid: {from, to}` of this mapping.
    pub fn validity_of_file(&mut self) -> Validity {
        let regions = self.texts("regions");
        let audience = self.audience();
        let Some(node) = self.node("valid") else {
            return Validity { regions, audience, ..Validity::default() };
        };
        let mut valid = Fields::of(node, "`valid`", self.report);
        let (from, to) = (valid.date("from"), valid.date("to"));
        let at = valid.at;
        valid.finish("`valid`");
        let validity = Validity { regions, audience, from, to };
        check_order(&validity, at, self.report);
        validity
    }

    /// Takes all fields that are left, with their keys.
    pub fn rest(&mut self) -> Vec<(Node, Node)> {
        std::mem::take(&mut self.entries)
    }

    /// Warns of the keys nobody asked for.
    pub fn finish(self, what: &str) {
        for (key, _) in self.entries {
            let name = key.text().unwrap_or_else(|| "?".to_owned());
            report_unknown_key(what, &name, key.at, &self.asked, self.report);
        }
    }
}

/// The key that restricts who may read.
const RESTRICTING: &str = "audience";

/// Slips that a key may have and still be meant for that one.
const MAX_SLIPS: usize = 2;

/// Reports a key that nobody knows. Where it may have been meant to restrict who reads, that is an error: what is not restricted is read by
/// everybody.
pub fn report_unknown_key(what: &str, name: &str, at: Position, known: &[&'static str], report: &mut Report) {
    let near = did_you_mean(name, known.iter().copied());
    let message = format!("{what} has no key `{name}`{near}");
    let hint = format!("remove it or use one of: {}", known.join(", "));
    if strsim::damerau_levenshtein(name, RESTRICTING) <= MAX_SLIPS {
        report.error("unknown-key", at, message, hint);
    } else {
        report.warning("unknown-key", at, message, hint);
    }
}

/// Reports dates the wrong way round.
pub fn check_order(validity: &Validity, at: Position, report: &mut Report) {
    if let (Some(from), Some(to)) = (validity.from, validity.to)
        && to < from
    {
        report.error(
            "date",
            at,
            format!("ends on {to}, before it begins on {from}"),
            "swap or correct the two days",
        );
    }
}

/// Reads a day as `2026-12-01`.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse_date(text: &str) -> Result<Date, String> {
    let shaped = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    if !shaped {
        return Err(format!("`{text}` is not a day (year-month-day)"));
    }
    text.parse().map_err(|_| format!("`{text}` is not a day of the calendar"))
}

/// Splits `---` front matter from what follows: `(yaml, first line of it, rest, first line of the rest)`.
/// A file without front matter is all rest.
///
/// # Errors
/// The front matter is opened and never closed.
pub fn split_front_matter(text: &str) -> Result<(&str, u32, &str, u32), Position> {
    let opened =
        text.strip_prefix("---").filter(|rest| rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n'));
    let Some(rest) = opened else {
        // A head behind empty lines would be read as text, and say nothing of who may read it.
        let after = text.trim_start();
        let is_late = after.len() < text.len() && after.starts_with("---\n") && looks_like_keys(&after[4..]);
        return if is_late { Err(Position { line: 1, column: 1 }) } else { Ok(("", 1, text, 1)) };
    };
    let start = text.len() - rest.len() + rest.find('\n').map_or(0, |i| i + 1);
    let mut at = start;
    for (line, raw) in (2..).zip(text[start..].split_inclusive('\n')) {
        if raw.trim_end() == "---" {
            return Ok((&text[start..at], 2, &text[at + raw.len()..], line + 1));
        }
        at += raw.len();
    }
    // A line of dashes that opens a text with no keys is a rule, not front matter.
    if looks_like_keys(&text[start..]) { Err(Position { line: 1, column: 1 }) } else { Ok(("", 1, text, 1)) }
}

fn looks_like_keys(text: &str) -> bool {
    text.lines().next().is_some_and(|first| first.contains(':'))
}

/// The parts of a file as [`split_front_matter`] gives them; `None` and a report when its head is never closed.
pub fn split_or_report<'t>(text: &'t str, report: &mut Report) -> Option<(&'t str, u32, &'t str, u32)> {
    let split = split_front_matter(text);
    split
        .map_err(|at| {
            report.error(
                "front-matter",
                at,
                "the front matter is never closed, or does not begin on the first line",
                "begin the file with a line `---`, and end the front matter with another",
            );
        })
        .ok()
}

/// A place by byte offset, for texts that begin on `first_line`.
pub fn line_of(text: &str, byte: usize, first_line: u32) -> u32 {
    first_line + u32_of(text.as_bytes()[..byte.min(text.len())].iter().filter(|b| **b == b'\n').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_read_by_parts_as_it_is_read_whole() {
        let item = |n: usize| {
            format!(
                "  # {n}\n  - id: goods-{n}\n    title: {{ru: \"Товар: {n}\", en: 'Item #{n}'}}\n    note: |\n      - строка\n      ещё\n    values: [1, 2]\n"
            )
        };
        let items: String = (0..4_000).map(item).collect();
        let head = "# Товары\nfamily: goods\nproducts:\n";
        let text = format!("{head}{items}");
        let whole = parse(&text, 1, &mut Report::new("")).unwrap();
        let parts = parse_by_parts(&text, "products").unwrap();
        let (whole, parts) = (format!("{whole:?}"), format!("{parts:?}"));
        let differing = whole.bytes().zip(parts.bytes()).position(|(one, other)| one != other);
        assert!(
            whole == parts,
            "{:?}",
            differing.map(|at| (&whole[at - 90..at + 90], &parts[at - 90..at + 90]))
        );
        for other in [
            // Short; something after the list; what one part needs of another; a fault.
            format!("{head}{}", item(1)),
            format!("{text}title: x\n"),
            format!("{head}  - id: &a x\n{items}  - id: *a\n"),
            format!("{head}{items}  - id: \"x\n"),
            format!("{head}  id: x\n{items}"),
            items.clone(),
        ] {
            assert!(parse_by_parts(&other, "products").is_none(), "{}…", &other[..60]);
        }
    }
}
