//! Values written into a catalogue file where they stand: comments, order and all that is not meant stay byte for byte.
//!
//! The places come from the parsed file. What was written is parsed again and compared with what was meant: where the two differ, nothing is
//! written, whatever form the file has.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::content::catalog::{Attribute, AttributeType, Family, Lang, Reading, parse_family};
use crate::content::problem::{Problem, Report, Severity};
use crate::content::validity::Validity;
use crate::content::yaml::{self, Node, Value};
use crate::feeds::plan::{NewValue, ProductEdit};

/// A file as it was written.
#[derive(Debug)]
pub struct Rewritten {
    /// Its text.
    pub text: String,
    /// What it holds.
    pub family: Family,
    /// What is wrong with it, as it was before.
    pub problems: Vec<Problem>,
}

/// Writes what is meant into a file. `family` is what the file holds as it is.
///
/// # Errors
/// Why it cannot be written without touching anything else.
pub fn rewrite(path: &str, text: &str, family: &Family, edits: &[ProductEdit]) -> Result<Rewritten, String> {
    // Reading some products is faster than reading all; where they cannot be read by themselves, all are.
    let splices = match splices_of_parts(text, family, edits) {
        Some(splices) => splices,
        None => splices_of_whole(path, text, edits)?,
    };
    let written = apply(text, splices)?;
    let (family, problems) = must_mean(path, &written, family, edits)?;
    Ok(Rewritten { text: written, family, problems })
}

fn line_end_of(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The changes of products that are there, found by reading the lines of each by themselves. `None`: that is not enough.
fn splices_of_parts(text: &str, family: &Family, edits: &[ProductEdit]) -> Option<Splices> {
    if edits.iter().any(|edit| edit.is_new) {
        return None;
    }
    let lines: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let begin = |line: u32| lines.get(usize::try_from(line).ok()?.checked_sub(1)?).copied();
    let places: HashMap<&str, usize> =
        family.products.iter().enumerate().map(|(place, product)| (product.id.as_str(), place)).collect();
    let line_end = line_end_of(text);
    let mut splices = Vec::new();
    for edit in edits {
        let place = *places.get(edit.meant.id.as_str())?;
        let start = begin(family.products[place].at.line)?;
        let end = family.products.get(place + 1).map_or(Some(text.len()), |next| begin(next.at.line))?;
        let part = text.get(start..end)?;
        let root = yaml::parse(part, 1, &mut Report::new(""))?;
        let [item] = items(&root) else { return None };
        if field(item, "id")?.text()? != edit.meant.id {
            return None;
        }
        let writer = Writer { text: part, line_end };
        let mut own = Vec::new();
        writer.product(item, edit, &mut own).ok()?;
        splices.extend(own.into_iter().map(|(range, new)| (range.start + start..range.end + start, new)));
    }
    Some(splices)
}

fn splices_of_whole(path: &str, text: &str, edits: &[ProductEdit]) -> Result<Splices, String> {
    let mut report = Report::new(path);
    let root = yaml::parse(text, 1, &mut report).ok_or_else(|| first_of(report, "it cannot be read"))?;
    let writer = Writer { text, line_end: line_end_of(text) };
    let mut splices = Vec::new();
    let products = field(&root, "products");
    let items = products.map_or(&[][..], items);
    let by_id: HashMap<String, &Node> =
        items.iter().rev().filter_map(|item| Some((field(item, "id")?.text()?, item))).collect();
    for edit in edits.iter().filter(|edit| !edit.is_new) {
        let id = &edit.meant.id;
        let item = by_id.get(id).ok_or_else(|| format!("`{id}` is not where it was"))?;
        writer
            .product(item, edit, &mut splices)
            .map_err(|why| format!("`{id}`, line {}: {why}", item.at.line))?;
    }
    let new: Vec<&ProductEdit> = edits.iter().filter(|edit| edit.is_new).collect();
    if !new.is_empty() {
        writer.append(&root, products, &new, &mut splices)?;
    }
    Ok(splices)
}

/// Puts texts in the place of others. What is put in at one place stands in the order it was given.
fn apply(text: &str, mut splices: Vec<(Range<usize>, String)>) -> Result<String, String> {
    splices.sort_by_key(|(range, _)| (range.start, range.end));
    let mut written =
        String::with_capacity(text.len() + splices.iter().map(|(_, new)| new.len()).sum::<usize>());
    let mut at = 0;
    for (range, new) in splices {
        let kept = text.get(at..range.start).ok_or("two changes meet in one place")?;
        written.push_str(kept);
        written.push_str(&new);
        at = range.end;
    }
    written.push_str(text.get(at..).ok_or("a change reaches beyond the file")?);
    Ok(written)
}

/// Parses what was written, and compares it product by product with what was meant.
fn must_mean(
    path: &str,
    written: &str,
    before: &Family,
    edits: &[ProductEdit],
) -> Result<(Family, Vec<Problem>), String> {
    let (family, problems) = parse_family(path, written);
    let family = family.ok_or_else(|| {
        let error = problems.iter().find(|problem| problem.severity == Severity::Error);
        error.map_or_else(String::new, |error| format!("line {}: {}", error.line, error.message))
    })?;
    let meant: HashMap<&str, &ProductEdit> =
        edits.iter().map(|edit| (edit.meant.id.as_str(), edit)).collect();
    let new = edits.iter().filter(|edit| edit.is_new);
    let expected = before.products.iter().map(|product| {
        meant
            .get(product.id.as_str())
            .filter(|edit| !edit.is_new)
            .map_or(product.as_ref(), |edit| &edit.meant)
    });
    let expected: Vec<_> = expected.chain(new.map(|edit| &edit.meant)).collect();
    let is_same_head =
        (&family.id, &family.title, &family.attributes) == (&before.id, &before.title, &before.attributes);
    if !is_same_head || family.products.len() != expected.len() {
        return Err("more would change than is meant".to_owned());
    }
    match family.products.iter().zip(&expected).find(|(read, meant)| !read.says_the_same(meant)) {
        Some((read, _)) => Err(format!("`{}` would not become what is meant", read.id)),
        None => Ok((family, problems)),
    }
}

fn first_of(report: Report, otherwise: &str) -> String {
    report.into_problems().into_iter().next().map_or_else(|| otherwise.to_owned(), |problem| problem.message)
}

fn entries(node: &Node) -> &[(Node, Node)] {
    match &node.value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        _ => &[],
    }
}

fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n (Node, Node)> {
    entries(node).iter().find(|(name, _)| matches!(&name.value, Value::Text(name) if name == key))
}

fn field<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    entry(node, key).map(|(_, value)| value).filter(|value| !matches!(value.value, Value::Null))
}

/// Whether a mapping is a text in several languages, as the catalogue reads it.
fn is_localized(node: &Node) -> bool {
    let is_lang = |(key, _): &(Node, Node)| key.text().is_some_and(|key| Lang::of(&key).is_some());
    matches!(node.value, Value::Map(_)) && entries(node).iter().all(is_lang)
}

/// Where, when and for whom a variant holds.
fn validity_of(node: &Node) -> Validity {
    if is_localized(node) {
        return Validity::default();
    }
    let texts = |key: &str| match field(node, key) {
        Some(Node { value: Value::List(items), .. }) => items.iter().filter_map(Node::text).collect(),
        Some(node) => node.text().into_iter().collect(),
        None => Vec::new(),
    };
    let day = |key: &str| yaml::parse_date(&field(node, key)?.text()?).ok();
    Validity { regions: texts("regions"), audience: texts("audience"), from: day("from"), to: day("to") }
}

type Splices = Vec<(Range<usize>, String)>;

/// Values of one attribute and validity: of a text, in several languages.
struct Want<'e> {
    validity: &'e Validity,
    langs: Vec<Lang>,
    reading: &'e Reading,
}

/// Knows the text that is changed.
struct Writer<'t> {
    text: &'t str,
    line_end: &'static str,
}

impl Writer<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or_default()
    }

    fn is_flow(&self, node: &Node) -> bool {
        matches!(self.byte(node.span.start), b'{' | b'[')
    }

    /// Where a value ends; `None`: that cannot be told.
    fn end_of(&self, node: &Node) -> Option<usize> {
        let start = node.span.start;
        let last = match &node.value {
            Value::List(items) => items.last(),
            Value::Map(entries) => entries.last().map(|(_, value)| value),
            Value::Null => return None,
            _ => return (!matches!(self.byte(start), b'|' | b'>')).then_some(node.span.end),
        };
        if self.byte(start) == b'*' {
            return None;
        }
        if !self.is_flow(node) {
            return self.end_of(last?);
        }
        let mut at = match last {
            Some(last) => self.end_of(last)?,
            None => start + 1,
        };
        loop {
            match self.byte(at) {
                b']' | b'}' => return Some(at + 1),
                b' ' | b'\t' | b'\r' | b'\n' | b',' => at += 1,
                b'#' => at = self.line_end_after(at),
                _ => return None,
            }
        }
    }

    fn line_end_after(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |found| at + found);
        if end > at && self.byte(end - 1) == b'\r' { end - 1 } else { end }
    }

    /// The end of the line a value ends in, where nothing but a comment follows it.
    fn line_behind(&self, node: &Node) -> Option<usize> {
        let end = self.end_of(node)?;
        let line_end = self.line_end_after(end);
        let rest = self.text.get(end..line_end)?.trim_start();
        (rest.is_empty() || rest.starts_with('#')).then_some(line_end)
    }

    /// What stands before a place in its line, as blanks.
    fn indent(&self, at: usize) -> String {
        let start = self.text[..at].rfind('\n').map_or(0, |found| found + 1);
        " ".repeat(self.text[start..at].chars().count())
    }

    /// Adds a key to a mapping.
    fn add_key(&self, node: &Node, key: &str, value: &str, splices: &mut Splices) -> Result<(), String> {
        let entries = entries(node);
        let written = format!("{key}: {value}");
        if self.is_flow(node) {
            match entries.last() {
                Some((_, last)) => {
                    let end = self.end_of(last).ok_or("its mapping has a form that cannot be added to")?;
                    splices.push((end..end, format!(", {written}")));
                }
                None => splices.push((node.span.start + 1..node.span.start + 1, written)),
            }
            return Ok(());
        }
        let Some((first, _)) = entries.first() else {
            return Err(format!("there is no mapping that `{key}` could stand in"));
        };
        let start = first.span.start;
        let indent = self.indent(start);
        // Behind what a line ends with; where no entry ends so, before the first.
        match entries.iter().rev().find_map(|(_, value)| self.line_behind(value)) {
            Some(at) => splices.push((at..at, format!("{}{indent}{written}", self.line_end))),
            None => splices.push((start..start, format!("{written}{}{indent}", self.line_end))),
        }
        Ok(())
    }

    /// Gives a key a value where it has none: behind its colon.
    fn fill(&self, key: &Node, value: &str, splices: &mut Splices) -> Result<(), String> {
        let rest = self.text.get(key.span.end..).unwrap_or_default();
        let colon = rest.find(':').filter(|at| rest[..*at].trim().is_empty());
        let at = key.span.end + colon.ok_or("an empty value has a form that cannot be filled")? + 1;
        splices.push((at..at, format!(" {value}")));
        Ok(())
    }

    fn product(&self, item: &Node, edit: &ProductEdit, splices: &mut Splices) -> Result<(), String> {
        if edit.archive {
            self.set_key(item, "status", "archived", splices)?;
        }
        if !edit.titles.is_empty() {
            self.title(item, edit, splices)?;
        }
        let mut wants: Vec<(&Attribute, Vec<Want<'_>>)> = Vec::new();
        for value in &edit.values {
            add_want(&mut wants, value);
        }
        if wants.is_empty() {
            return Ok(());
        }
        let whole = |(attribute, wants): &(&Attribute, Vec<Want<'_>>)| {
            format!("{}: {}", attribute.id, whole_value(attribute, wants))
        };
        let Some((key, values)) = entry(item, "values") else {
            let all: Vec<String> = wants.iter().map(whole).collect();
            return self.add_key(item, "values", &format!("{{{}}}", all.join(", ")), splices);
        };
        if matches!(values.value, Value::Null) {
            let all: Vec<String> = wants.iter().map(whole).collect();
            return self.fill(key, &format!("{{{}}}", all.join(", ")), splices);
        }
        let mut new = Vec::new();
        for pair in &wants {
            let (attribute, wants) = pair;
            match entry(values, &attribute.id) {
                Some((key, node)) if matches!(node.value, Value::Null) => {
                    self.fill(key, &whole_value(attribute, wants), splices)?;
                }
                Some((_, node)) => self.value(node, attribute, wants, splices)?,
                None => new.push(pair),
            }
        }
        if entries(values).is_empty() && !new.is_empty() {
            let end = self.end_of(values).ok_or("its `values` have a form that cannot be added to")?;
            let all: Vec<String> = new.into_iter().map(whole).collect();
            splices.push((values.span.start..end, format!("{{{}}}", all.join(", "))));
            return Ok(());
        }
        for (attribute, wants) in new {
            self.add_key(values, &attribute.id, &whole_value(attribute, wants), splices)?;
        }
        Ok(())
    }

    fn set_key(&self, node: &Node, key: &str, value: &str, splices: &mut Splices) -> Result<(), String> {
        match entry(node, key) {
            Some((name, Node { value: Value::Null, .. })) => self.fill(name, value, splices),
            Some((_, old)) => {
                self.put(old, value, false, splices);
                Ok(())
            }
            None => self.add_key(node, key, value, splices),
        }
    }

    fn title(&self, item: &Node, edit: &ProductEdit, splices: &mut Splices) -> Result<(), String> {
        match entry(item, "title") {
            Some((_, node)) if !matches!(node.value, Value::Null) => {
                let langs: Vec<Lang> = edit.titles.iter().map(|(lang, _)| *lang).collect();
                let text = |lang: Lang| edit.meant.title.written(lang).map(str::to_owned);
                self.localized(node, &langs, &text, splices)
            }
            _ => {
                // Without a title its id stands for it: what is meant names all languages.
                let whole = by_language(&|lang| edit.meant.title.written(lang).map(str::to_owned));
                self.set_key(item, "title", &whole, splices)
            }
        }
    }

    /// Puts texts of some languages into a text, or a mapping of texts.
    fn localized(
        &self,
        node: &Node,
        langs: &[Lang],
        text: &dyn Fn(Lang) -> Option<String>,
        splices: &mut Splices,
    ) -> Result<(), String> {
        if matches!(node.value, Value::Map(_)) {
            for lang in langs {
                let new = text(*lang).unwrap_or_default();
                match entry(node, lang.code()) {
                    Some((key, Node { value: Value::Null, .. })) => self.fill(key, &quoted(&new), splices)?,
                    Some((_, old)) => self.put(old, &new, true, splices),
                    None => self.add_key(node, lang.code(), &quoted(&new), splices)?,
                }
            }
            return Ok(());
        }
        if *langs == [Lang::Ru] {
            self.put(node, &text(Lang::Ru).unwrap_or_default(), true, splices);
            return Ok(());
        }
        let end = self.end_of(node).ok_or("its text has a form that cannot be changed")?;
        splices.push((node.span.start..end, by_language(text)));
        Ok(())
    }

    /// Puts a scalar in the place of another, quoted as that one was.
    fn put(&self, old: &Node, new: &str, is_text: bool, splices: &mut Splices) {
        let written = match self.byte(old.span.start) {
            b'"' => quoted(new),
            b'\'' if !new.contains(['\n', '\r']) => format!("'{}'", new.replace('\'', "''")),
            _ if !is_text || is_plain(new) => new.to_owned(),
            _ => quoted(new),
        };
        splices.push((old.span.clone(), written));
    }

    /// Puts values into what an attribute has: one, or a list of variants.
    fn value(
        &self,
        node: &Node,
        attribute: &Attribute,
        wants: &[Want<'_>],
        splices: &mut Splices,
    ) -> Result<(), String> {
        let variants = match &node.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![node],
        };
        let mut new = Vec::new();
        for want in wants {
            match variants.iter().find(|variant| validity_of(variant).is_alike(want.validity)) {
                Some(variant) => self.variant(variant, attribute, want, splices)?,
                None => new.push(variant_text(attribute, want)),
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        if let Value::List(items) = &node.value {
            let last = items.last().ok_or("its list of values is empty: write one value there")?;
            if self.is_flow(node) {
                let end = self.end_of(last).ok_or("its list has a form that cannot be added to")?;
                splices.push((end..end, format!(", {}", new.join(", "))));
                return Ok(());
            }
            let at = self.line_behind(last).ok_or("its list has a form that cannot be added to")?;
            let dash = self.text[..last.span.start].rfind('-').ok_or("its list has no dashes")?;
            let indent = self.indent(dash);
            let lines: Vec<String> =
                new.iter().map(|one| format!("{}{indent}- {one}", self.line_end)).collect();
            splices.push((at..at, lines.concat()));
            return Ok(());
        }
        let end = self.end_of(node);
        let end = end.filter(|_| !matches!(node.value, Value::Map(_)) || self.is_flow(node));
        let end = end.ok_or("write its value as a list of variants first: another one comes beside it")?;
        splices.push((node.span.start..node.span.start, "[".to_owned()));
        splices.push((end..end, format!(", {}]", new.join(", "))));
        Ok(())
    }

    /// Puts a value into one variant.
    fn variant(
        &self,
        node: &Node,
        attribute: &Attribute,
        want: &Want<'_>,
        splices: &mut Splices,
    ) -> Result<(), String> {
        let is_map = matches!(node.value, Value::Map(_)) && !is_localized(node);
        let own = if is_map { field(node, "value").ok_or("a variant has no `value`")? } else { node };
        if attribute.kind == AttributeType::Text {
            let text =
                |lang: Lang| Some(want.reading.written(attribute, lang).0).filter(|text| !text.is_empty());
            return self.localized(own, &want.langs, &text, splices);
        }
        let (value, max) = want.reading.written(attribute, Lang::Ru);
        let Some(max) = max else {
            self.put(own, &value, attribute.kind == AttributeType::Code, splices);
            return Ok(());
        };
        if is_map {
            self.put(own, &value, false, splices);
            return self.set_key(node, "max", &max, splices);
        }
        splices.push((own.span.clone(), format!("{{value: {value}, max: {max}}}")));
        Ok(())
    }

    /// Adds products behind the others.
    fn append(
        &self,
        root: &Node,
        products: Option<&Node>,
        new: &[&ProductEdit],
        splices: &mut Splices,
    ) -> Result<(), String> {
        let last = products.and_then(|node| items(node).last());
        if products.is_some_and(|node| self.is_flow(node)) {
            return Err("write `products` as a list with dashes: new ones come behind the others".to_owned());
        }
        if self.is_flow(root) {
            return Err("write the file as lines `key: value`: new products come at its end".to_owned());
        }
        let indent = match last {
            Some(last) => {
                let dash = self.text[..last.span.start].rfind('-').ok_or("`products` has no dashes")?;
                self.indent(dash)
            }
            None => "  ".to_owned(),
        };
        let lines: Vec<String> = new.iter().map(|edit| self.new_product(edit, &indent)).collect();
        let (key, _) = match entry(root, "products") {
            Some(found) => found,
            None => {
                let begin = self.begin_line();
                let end = self.text.len();
                splices.push((end..end, format!("{begin}products:{}{}", self.line_end, lines.concat())));
                return Ok(());
            }
        };
        let is_last = entries(root).iter().all(|(other, _)| other.span.start <= key.span.start);
        if is_last {
            let end = self.text.len();
            splices.push((end..end, format!("{}{}", self.begin_line(), lines.concat())));
            return Ok(());
        }
        let at = last.and_then(|last| self.line_behind(last));
        let at = at.ok_or("write `products` as the last key of the file: new ones come at its end")?;
        let lines = lines.concat();
        let lines = lines.strip_suffix(self.line_end).unwrap_or(&lines);
        splices.push((at..at, format!("{}{lines}", self.line_end)));
        Ok(())
    }

    fn begin_line(&self) -> &'static str {
        if self.text.is_empty() || self.text.ends_with('\n') { "" } else { self.line_end }
    }

    fn new_product(&self, edit: &ProductEdit, indent: &str) -> String {
        let mut lines = vec![format!("{indent}- id: {}", plain_or_quoted(&edit.meant.id))];
        if !edit.titles.is_empty() {
            let title = by_language(&|lang| edit.meant.title.written(lang).map(str::to_owned));
            lines.push(format!("{indent}  title: {title}"));
        }
        let mut wants: Vec<(&Attribute, Vec<Want<'_>>)> = Vec::new();
        for value in &edit.values {
            add_want(&mut wants, value);
        }
        if !wants.is_empty() {
            lines.push(format!("{indent}  values:"));
        }
        for (attribute, wants) in &wants {
            lines.push(format!("{indent}    {}: {}", attribute.id, whole_value(attribute, wants)));
        }
        lines.push(String::new());
        lines.join(self.line_end)
    }
}

fn add_want<'e>(wants: &mut Vec<(&'e Attribute, Vec<Want<'e>>)>, value: &'e NewValue) {
    let NewValue { attribute, validity, lang, reading } = value;
    let attribute: &Arc<Attribute> = attribute;
    let of = match wants.iter().position(|(known, _)| known.id == attribute.id) {
        Some(at) => &mut wants[at].1,
        None => {
            wants.push((attribute, Vec::new()));
            let last = wants.len() - 1;
            &mut wants[last].1
        }
    };
    match of.iter_mut().find(|want| want.validity == validity) {
        Some(want) => {
            want.langs.push(*lang);
            // The later one holds the texts of both languages.
            want.reading = reading;
        }
        None => of.push(Want { validity, langs: vec![*lang], reading }),
    }
}

/// A text as a mapping of those it has in each language.
fn by_language(text: &dyn Fn(Lang) -> Option<String>) -> String {
    let all =
        Lang::ALL.into_iter().filter_map(|lang| Some(format!("{}: {}", lang.code(), quoted(&text(lang)?))));
    format!("{{{}}}", all.collect::<Vec<_>>().join(", "))
}

/// A value by itself.
fn value_text(attribute: &Attribute, reading: &Reading) -> (String, Option<String>) {
    match attribute.kind {
        AttributeType::Text => {
            let of = |lang: Lang| Some(reading.written(attribute, lang).0).filter(|text| !text.is_empty());
            match (of(Lang::Ru), of(Lang::En)) {
                (Some(ru), None) => (quoted(&ru), None),
                _ => (by_language(&of), None),
            }
        }
        AttributeType::Code => (quoted(&reading.written(attribute, Lang::Ru).0), None),
        _ => reading.written(attribute, Lang::Ru),
    }
}

/// A variant in one line.
fn variant_text(attribute: &Attribute, want: &Want<'_>) -> String {
    let (value, max) = value_text(attribute, want.reading);
    if want.validity.is_unlimited() && max.is_none() {
        return value;
    }
    let list = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| plain_or_quoted(name)).collect();
        (!names.is_empty()).then(|| format!("[{}]", names.join(", ")))
    };
    let parts = [
        ("value", Some(value)),
        ("max", max),
        ("regions", list(&want.validity.regions)),
        ("audience", list(&want.validity.audience)),
        ("from", want.validity.from.map(|day| day.to_string())),
        ("to", want.validity.to.map(|day| day.to_string())),
    ];
    let parts = parts.into_iter().filter_map(|(key, value)| Some(format!("{key}: {}", value?)));
    format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
}

/// All variants of an attribute that has none yet.
fn whole_value(attribute: &Attribute, wants: &[Want<'_>]) -> String {
    let all: Vec<String> = wants.iter().map(|want| variant_text(attribute, want)).collect();
    match all.as_slice() {
        [one] => one.clone(),
        all => format!("[{}]", all.join(", ")),
    }
}

/// A text in double quotes: those of YAML take all that those of JSON do.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn plain_or_quoted(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Whether a text can stand without quotes, wherever it stands, and is nothing but a text.
fn is_plain(text: &str) -> bool {
    const MEANT_OTHERWISE: [&str; 11] =
        ["yes", "no", "true", "false", "null", "on", "off", "y", "n", "nan", "inf"];
    let is_harmless = |c: char| {
        c.is_alphanumeric() || matches!(c, ' ' | '-' | '–' | '.' | '/' | '(' | ')' | '+' | '«' | '»')
    };
    text.starts_with(char::is_alphabetic)
        && !text.ends_with(' ')
        && text.chars().all(is_harmless)
        && !MEANT_OTHERWISE.contains(&text.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::catalog::Product;
    use crate::feeds::plan::plan;
    use crate::feeds::read::read;
    use crate::feeds::{mapping, validate::validate};
    use crate::settings::{FeedColumn, FeedSettings, MissingProducts};

    const PATH: &str = "articles/catalog/f.yaml";

    const HEAD: &str = "family: f\nattributes:\n  price: {type: money}\n  size: {type: count}\n  term: {type: period}\n  code: {type: code}\n  note: {type: text}\n  roaming: {type: yes/no}\nproducts:\n";

    fn column(column: &str, sets: &str) -> FeedColumn {
        FeedColumn { column: column.to_owned(), sets: sets.to_owned(), ..FeedColumn::default() }
    }

    /// What becomes of a file by a CSV whose headings are what columns set; `price@moscow` is for a region.
    fn written(text: &str, csv: &str) -> Result<String, String> {
        let headings = csv.lines().next().unwrap().split(';');
        let columns = headings.map(|heading| {
            let (sets, region) = heading.split_once('@').unwrap_or((heading, ""));
            let regions = Some(region.to_owned()).into_iter().filter(|region| !region.is_empty()).collect();
            FeedColumn { regions, ..column(heading, sets) }
        });
        let settings = FeedSettings {
            columns: columns.collect(),
            missing: MissingProducts::Leave,
            ..FeedSettings::default()
        };
        let (family, problems) = parse_family(PATH, text);
        let family = Arc::new(family.unwrap_or_else(|| panic!("{problems:?}\n{text}")));
        let targets = mapping::targets(&settings, &family.attributes).unwrap();
        let rows = read(csv.as_bytes(), &settings).unwrap();
        let wishes = validate(&rows, &settings, &targets).unwrap();
        let files = [(PATH.to_owned(), Arc::clone(&family))];
        let plan = plan(wishes, rows.len(), &files, &std::collections::HashMap::new(), &settings);
        assert!(plan.problems.is_empty(), "{:?}", plan.problems);
        match plan.files.get(PATH) {
            Some(edits) => rewrite(PATH, text, &family, edits).map(|written| written.text),
            None => Ok(text.to_owned()),
        }
    }

    #[track_caller]
    fn check(products: &str, csv: &str, expected: &str) {
        let text = format!("{HEAD}{products}");
        assert_eq!(written(&text, csv), Ok(format!("{HEAD}{expected}")), "{products}");
        // Windows' line ends stay what they are.
        let crlf = |text: String| text.replace('\n', "\r\n");
        assert_eq!(written(&crlf(text), csv), Ok(crlf(format!("{HEAD}{expected}"))), "{products}");
    }

    #[test]
    fn values_are_written_where_they_stand() {
        check(
            "  - id: a\n    values: {price: 5, size: 1} # x\n",
            "id;price\na;6,5\n",
            "  - id: a\n    values: {price: 6.50, size: 1} # x\n",
        );
        check(
            "  - id: a\n    values:\n      price: '5' # old\n",
            "id;price\na;6\n",
            "  - id: a\n    values:\n      price: '6' # old\n",
        );
        check(
            "  - id: a\n    values:\n      price: 5.0\n",
            "id;price\na;5\n",
            "  - id: a\n    values:\n      price: 5.0\n",
        );
        check(
            "  - id: a\n    values:\n      size: {value: 4, max: 8}\n",
            "id;size\na;5\n",
            "  - id: a\n    values:\n      size: {value: 5, max: 8}\n",
        );
        check(
            "  - id: a\n    values:\n      size: 4\n",
            "id;size;size.max\na;5;9\n",
            "  - id: a\n    values:\n      size: {value: 5, max: 9}\n",
        );
        check(
            "  - id: a\n    values:\n      term: 1 month\n",
            "id;term\na;2 месяца\n",
            "  - id: a\n    values:\n      term: 2 months\n",
        );
        check(
            "  - id: a\n    values:\n      code: \"*1#\"\n",
            "id;code\na;*22#\n",
            "  - id: a\n    values:\n      code: \"*22#\"\n",
        );
        check(
            "  - id: a\n    values: {roaming: yes}\n",
            "id;roaming\na;Нет\n",
            "  - id: a\n    values: {roaming: no}\n",
        );
    }

    #[test]
    fn what_is_not_there_yet_is_added() {
        check("  - id: a # one\n", "id;price\na;6\n", "  - id: a # one\n    values: {price: 6}\n");
        check("  - id: a\n    values:\n", "id;price\na;6\n", "  - id: a\n    values: {price: 6}\n");
        check(
            "  - id: a\n    values: {}\n",
            "id;price;size\na;6;7\n",
            "  - id: a\n    values: {price: 6, size: 7}\n",
        );
        check(
            "  - id: a\n    values:\n      size: 1 # x\n  - id: b\n",
            "id;price\na;6\n",
            "  - id: a\n    values:\n      size: 1 # x\n      price: 6\n  - id: b\n",
        );
        check(
            "  - {id: a, values: {size: 1}}\n",
            "id;price\na;6\n",
            "  - {id: a, values: {size: 1, price: 6}}\n",
        );
        check(
            "",
            "id;title.ru;title.en;price;price@moscow\nnew;Он: \"да\";Yes;1;2\n",
            "  - id: new\n    title: {ru: \"Он: \\\"да\\\"\", en: \"Yes\"}\n    values:\n      price: [1, {value: 2, regions: [moscow]}]\n",
        );
        check("- id: a", "id;note\nb;#1\n", "- id: a\n- id: b\n  values:\n    note: \"#1\"\n");
    }

    #[test]
    fn variants_are_told_apart() {
        check(
            "  - id: a\n    values:\n      price: 5 # x\n",
            "id;price@moscow\na;6\n",
            "  - id: a\n    values:\n      price: [5, {value: 6, regions: [moscow]}] # x\n",
        );
        check(
            "  - id: a\n    values:\n      price:\n        - 5 # x\n      size: 1\n",
            "id;price@moscow\na;6\n",
            "  - id: a\n    values:\n      price:\n        - 5 # x\n        - {value: 6, regions: [moscow]}\n      size: 1\n",
        );
        check(
            "  - id: a\n    values:\n      price: [5, {value: 6, regions: [moscow]}]\n",
            "id;price;price@moscow\na;7;8\n",
            "  - id: a\n    values:\n      price: [7, {value: 8, regions: [moscow]}]\n",
        );
        check(
            "  - id: a\n    values: {price: {value: 6, from: 2026-12-01}}\n",
            "id;price;from\na;7;2026-12-01\n",
            "  - id: a\n    values: {price: {value: 7, from: 2026-12-01}}\n",
        );
    }

    #[test]
    fn texts_keep_their_other_language() {
        check(
            "  - id: a\n    title: Один\n",
            "id;title.ru\na;Два: три\n",
            "  - id: a\n    title: \"Два: три\"\n",
        );
        check(
            "  - id: a\n    title: Один\n",
            "id;title.en\na;One\n",
            "  - id: a\n    title: {ru: \"Один\", en: \"One\"}\n",
        );
        check(
            "  - id: a\n    title: {ru: Один, en: One}\n",
            "id;title.ru\na;Два, три\n",
            "  - id: a\n    title: {ru: \"Два, три\", en: One}\n",
        );
        check(
            "  - id: a\n    values:\n      note:\n        ru: Один\n",
            "id;note.en\na;One\n",
            "  - id: a\n    values:\n      note:\n        ru: Один\n        en: \"One\"\n",
        );
    }

    #[test]
    fn what_cannot_be_written_in_its_place_is_refused() {
        // An anchor that others refer to; a mapping that is merged in; a block of text; a list in brackets.
        for (products, csv) in [
            ("  - id: a\n    values: &v {price: 5}\n  - id: b\n    values: *v\n", "id;price\na;6\n"),
            (
                "  - id: a\n    values: &v {price: 5}\n  - id: b\n    values:\n      <<: *v\n      size: 1\n",
                "id;price\nb;6\n",
            ),
            ("  [{id: a}]\n", "id;price\nb;6\n"),
        ] {
            let text = format!("{HEAD}{products}");
            let refused = written(&text, csv);
            assert!(refused.is_err(), "{refused:?}");
        }
    }

    /// Numbers that are the same in each run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % bound
        }
    }

    /// A product in one of the forms editors write, each line with a mark of its own.
    fn product(dice: &mut Dice, number: u64) -> String {
        let mark = |what: &str| format!(" # {what} {number}");
        let price = 100 + dice.below(900);
        let values = match dice.below(6) {
            0 => format!("    values: {{price: {price}, size: {number}}}{}\n", mark("flow")),
            1 => format!("    values:\n      price: {price}{}\n      size: {number}\n", mark("plain")),
            2 => format!(
                "    values:\n      # above {number}\n      size: {number}{}\n      price:\n        - {price}\n        - {{value: {}, regions: [moscow]}}{}\n",
                mark("size"),
                price + 1,
                mark("moscow")
            ),
            3 => format!(
                "    values:\n      price: [{price}, {{value: {}, from: 2026-12-01}}]{}\n",
                price + 5,
                mark("list")
            ),
            4 => format!(
                "    values:\n      note: |\n        Длинный\n        текст {number}\n      price: \"{price}\"{}\n",
                mark("quoted")
            ),
            _ => format!(
                "    values: {{\n      price: {price},{}\n      term: 30 days\n    }}\n",
                mark("lines")
            ),
        };
        let title = match dice.below(3) {
            0 => format!("    title: Товар {number}\n"),
            1 => format!("    title: {{ru: 'Товар {number}', en: \"Item: {number}\"}}{}\n", mark("title")),
            _ => String::new(),
        };
        let order = if dice.below(2) == 0 { title.clone() + &values } else { values + &title };
        format!(
            "  - id: p-{number}{}\n{order}{}",
            mark("id"),
            if dice.below(4) == 0 { format!("\n  # between {number}\n") } else { String::new() }
        )
    }

    #[test]
    fn what_a_feed_does_not_own_stays_byte_for_byte() {
        let mut dice = Dice(20_261_123);
        for round in 0..300 {
            let count = 1 + dice.below(12);
            let parts: Vec<String> = (0..count).map(|number| product(&mut dice, number)).collect();
            let text = format!("# Заголовок {round}\n{HEAD}{}", parts.concat());
            let mut csv = "id;price\n".to_owned();
            let mut expected = format!("# Заголовок {round}\n{HEAD}");
            for (number, part) in parts.iter().enumerate() {
                if dice.below(2) == 0 {
                    expected.push_str(part);
                    continue;
                }
                let new = 2_000 + dice.below(1_000);
                csv.push_str(&format!("p-{number};{new}\n"));
                // The first number after `price:`, and nothing else.
                let at = part.find("price:").unwrap() + 6;
                let start = at + part[at..].find(|c: char| c.is_ascii_digit()).unwrap();
                let end = start + part[start..].find(|c: char| !c.is_ascii_digit()).unwrap();
                expected.push_str(&format!("{}{new}{}", &part[..start], &part[end..]));
            }
            if csv.lines().count() == 1 {
                continue;
            }
            assert_eq!(written(&text, &csv), Ok(expected), "{text}\n{csv}");
        }
    }

    #[test]
    fn nothing_but_what_is_meant_passes() {
        let text = format!("{HEAD}  - id: a\n    values: {{price: 5}}\n");
        let family = parse_family(PATH, &text).0.unwrap();
        let mut meant = Product::clone(&family.products[0]);
        let price = Arc::clone(&family.attributes[0]);
        let reading = Reading::of(&price, Lang::Ru, "6", None).unwrap();
        meant.set(&price, &Validity::default(), reading);
        let edit =
            ProductEdit { is_new: false, titles: Vec::new(), values: Vec::new(), archive: false, meant };
        let edits = [edit];
        let good = text.replace("price: 5", "price: 6");
        assert!(must_mean(PATH, &good, &family, &edits).is_ok());
        for other in [
            text.clone(),
            good.replace("price: 6", "price: 6, size: 1"),
            good.replace("id: a", "id: b"),
            good.replace("family: f", "family: g"),
            format!("{good}  - id: b\n"),
        ] {
            assert!(must_mean(PATH, &other, &family, &edits).is_err(), "{other}");
        }
    }
}
