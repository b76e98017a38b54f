//! Front matter of Markdown files, in YAML, TOML or JSON, and what of it an article can say.

use serde_json::{Map, Value};

use crate::importing::document::State;

/// The longest front matter that is read as such.
const MAX_BYTES: usize = 256 << 10;

/// The keys and values before the text of a page.
#[derive(Debug, Default)]
pub(super) struct Front {
    /// As written.
    pub(super) values: Map<String, Value>,
    /// Why not all of it could be read.
    pub(super) problem: Option<String>,
}

/// What of a front matter an article can say.
#[derive(Debug, Default)]
pub(super) struct Meta {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) tags: Vec<String>,
    /// Former and given addresses.
    pub(super) urls: Vec<String>,
    /// The last name of its address.
    pub(super) slug: Option<String>,
    pub(super) aliases: Vec<String>,
    pub(super) state: State,
    pub(super) owner: Option<String>,
    pub(super) changed: Option<String>,
    pub(super) lang: Option<String>,
    /// What an article has no place for: key and value.
    pub(super) others: Vec<(String, String)>,
}

/// Parts a text into its front matter and its body.
pub(super) fn split(text: &str) -> (Front, &str) {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default().trim_end();
    match first {
        "---" => fenced(text, &["---", "..."]).and_then(|(inner, body)| Some((yaml(inner)?, body))),
        "+++" => fenced(text, &["+++"]).map(|(inner, body)| (toml(inner), body)),
        _ if first.starts_with('{') && !first.starts_with("{%") && !first.starts_with("{{") => json(text),
        _ => None,
    }
    .unwrap_or((Front::default(), text))
}

fn fenced<'t>(text: &'t str, ends: &[&str]) -> Option<(&'t str, &'t str)> {
    let start = text.find('\n')? + 1;
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        if ends.contains(&line.trim_end()) {
            return Some((&text[start..at], &text[at + line.len()..]));
        }
        at += line.len();
        if at - start > MAX_BYTES {
            return None;
        }
    }
    None
}

fn yaml(inner: &str) -> Option<Front> {
    if inner.trim().is_empty() {
        return Some(Front::default());
    }
    match serde_saphyr::from_str::<Value>(inner) {
        Ok(Value::Object(values)) => Some(Front { values, problem: None }),
        Ok(Value::Null) => Some(Front::default()),
        // Two rules with text between them.
        Ok(_) => None,
        Err(error) => {
            let values = simple_pairs(inner);
            let why = error.to_string().lines().next().unwrap_or_default().to_owned();
            (!values.is_empty())
                .then(|| Front { values, problem: Some(format!("is no YAML, read line by line: {why}")) })
        }
    }
}

/// `key: value` lines, for front matter no parser takes: an unquoted colon in a title must not cost the title.
fn simple_pairs(inner: &str) -> Map<String, Value> {
    let mut values = Map::new();
    for line in inner.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let is_key = !key.is_empty()
            && !key.starts_with([' ', '-', '#'])
            && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if is_key {
            let value = value.trim().trim_matches(['"', '\'']);
            values.entry(key.to_owned()).or_insert_with(|| Value::String(value.to_owned()));
        }
    }
    values
}

fn toml(inner: &str) -> Front {
    match inner.parse::<toml::Table>() {
        Ok(table) => {
            Front { values: table.into_iter().map(|(k, v)| (k, json_of(v, 0))).collect(), problem: None }
        }
        Err(error) => {
            let lines = inner.replace(" = ", ": ");
            let why = error.message().to_owned();
            Front {
                values: simple_pairs(&lines),
                problem: Some(format!("is no TOML, read line by line: {why}")),
            }
        }
    }
}

fn json_of(value: toml::Value, depth: usize) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        _ if depth > 32 => Value::Null,
        toml::Value::Array(items) => items.into_iter().map(|item| json_of(item, depth + 1)).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, json_of(value, depth + 1))).collect())
        }
    }
}

fn json(text: &str) -> Option<(Front, &str)> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let Some(Ok(Value::Object(values))) = stream.next() else { return None };
    let body = &text[stream.byte_offset()..];
    Some((Front { values, problem: None }, body))
}

/// What an article can say of a front matter.
pub(super) fn meta(front: &Front) -> Meta {
    let mut meta = Meta::default();
    let mut dates: Vec<(usize, String)> = Vec::new();
    for (key, value) in &front.values {
        let name = key.to_lowercase().replace('-', "_");
        if !value.is_null() && !take(&mut meta, &mut dates, &name, value) {
            let shown: String = text_of(value).chars().take(80).collect();
            meta.others.push((key.clone(), shown));
        }
    }
    dates.sort();
    meta.changed = dates.into_iter().next().map(|(_, date)| date);
    let title = meta.title.clone();
    meta.aliases.retain(|alias| Some(alias) != title.as_ref());
    meta.aliases.dedup();
    meta
}

/// Keys that hold when a page was changed or made, the better ones first.
const DATES: &[&str] = &[
    "lastmod",
    "last_modified_at",
    "last_modified",
    "last_updated",
    "last_update",
    "updated",
    "updated_at",
    "update_date",
    "modified",
    "date_modified",
    "ms.date",
    "date",
    "created",
    "created_at",
];

/// Takes a value to its place; `false`: there is none.
fn take(meta: &mut Meta, dates: &mut Vec<(usize, String)>, name: &str, value: &Value) -> bool {
    let text = || Some(one_line(&text_of(value))).filter(|text| !text.is_empty());
    let is = |wanted: bool| {
        value.as_bool() == Some(wanted)
            || text_of(value).eq_ignore_ascii_case(if wanted { "true" } else { "false" })
    };
    match name {
        "title" => meta.title = text(),
        "linktitle" | "link_title" | "sidebar_label" | "nav_title" | "navtitle" | "short_title"
        | "shorttitle" => {
            meta.aliases.extend(text());
        }
        "description" | "summary" | "excerpt" | "lead" | "subtitle" if meta.description.is_none() => {
            meta.description = text();
        }
        "tags" | "tag" | "categories" | "category" | "keywords" | "labels" | "topics" => {
            for tag in words(value) {
                // Obsidian's tags may be links: `[[java|Java]]`.
                let tag = tag.trim_start_matches('#').trim_start_matches("[[").trim_end_matches("]]");
                let tag = tag.rsplit('|').next().unwrap_or(tag).to_owned();
                if !tag.is_empty() && !meta.tags.contains(&tag) {
                    meta.tags.push(tag);
                }
            }
        }
        "aliases" | "alias" | "redirect_from" | "redirects" | "redirect_url" => {
            for alias in words(value) {
                if name.starts_with("redirect") || alias.contains('/') {
                    meta.urls.push(alias);
                } else {
                    meta.aliases.push(alias);
                }
            }
        }
        "url" | "permalink" => meta.urls.extend(text()),
        "slug" | "id" | "uid" | "topic_id" => {
            let slug = text();
            if name == "slug" || meta.slug.is_none() {
                meta.slug = slug;
            }
        }
        "draft" | "unlisted" | "hidden" if is(true) => meta.state = State::Draft,
        "published" | "publish" if is(false) => meta.state = State::Draft,
        "draft" | "published" | "publish" | "archived" | "deprecated" | "unlisted" | "hidden"
            if is(false) || is(true) =>
        {
            if is(true) && matches!(name, "archived" | "deprecated") {
                meta.state = State::Archived;
            }
        }
        "status" | "state" => match text_of(value).to_lowercase().as_str() {
            "draft" | "wip" | "черновик" => meta.state = State::Draft,
            "archived" | "archive" | "deprecated" | "obsolete" | "архив" | "устарело" => {
                meta.state = State::Archived
            }
            "published" | "active" | "public" | "current" | "опубликовано" => {}
            _ => return false,
        },
        "owner" => meta.owner = person(value).or(meta.owner.take()),
        "author" | "authors" | "ms.author" | "maintainer" | "maintainers" => {
            meta.owner = meta.owner.take().or_else(|| person(value));
        }
        "lang" | "locale" | "language" => meta.lang = text().map(|text| super::site::language(&text)),
        _ => {
            let Some(rank) = DATES.iter().position(|known| *known == name) else { return false };
            let value = value.get("date").unwrap_or(value);
            let Some(date) = date(&text_of(value)) else { return false };
            dates.push((rank, date));
        }
    }
    true
}

fn person(value: &Value) -> Option<String> {
    let first = value.as_array().and_then(|people| people.first()).unwrap_or(value);
    let name = first.get("name").or_else(|| first.get("title")).unwrap_or(first);
    Some(one_line(&text_of(name))).filter(|name| !name.is_empty() && !name.starts_with('{'))
}

/// The words of a list, or of a text with commas between them.
fn words(value: &Value) -> Vec<String> {
    let several: Vec<String> = match value {
        Value::Array(items) => items.iter().map(text_of).collect(),
        other => text_of(other).split(',').map(str::to_owned).collect(),
    };
    several.iter().map(|word| one_line(word)).filter(|word| !word.is_empty()).collect()
}

/// A value as people would write it.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(text_of).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// A text of any lines as one.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A date in any of the usual forms, as `YYYY-MM-DD`.
pub(super) fn date(text: &str) -> Option<String> {
    const MONTHS: &[&[&str]] = &[
        &["jan", "янв"],
        &["feb", "фев"],
        &["mar", "мар"],
        &["apr", "апр"],
        &["may", "ма"],
        &["jun", "июн"],
        &["jul", "июл"],
        &["aug", "авг"],
        &["sep", "сен"],
        &["oct", "окт"],
        &["nov", "ноя"],
        &["dec", "дек"],
    ];
    let text = text.trim().to_lowercase();
    let head: String = text.chars().take(10).collect();
    let numbers: Vec<&str> = head.split(['-', '/', '.']).collect();
    let number = |text: &str| text.trim().parse::<u32>().ok();
    if let [a, b, c] = numbers.as_slice() {
        let c: String = c.chars().take_while(char::is_ascii_digit).collect();
        if let (Some(first), Some(second), Some(third)) = (number(a), number(b), number(&c)) {
            return match () {
                () if a.trim().len() == 4 => day(first, second, third),
                () if head.contains('.') || first > 12 => day(third, second, first),
                // 05/31/2024: only Americans write dates with slashes and the year at the end in documentation.
                () => day(third, first, second),
            };
        }
    }
    let words: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let month = words.iter().find_map(|word| {
        MONTHS
            .iter()
            .position(|names| names.iter().any(|name| word.starts_with(name)))
            .map(|at| at as u32 + 1)
    })?;
    let figures =
        words.iter().filter_map(|word| number(word.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h', '.'])));
    let figures: Vec<u32> = figures.take(2).collect();
    match figures.as_slice() {
        [year, date] if *year > 31 => day(*year, month, *date),
        [date, year] => day(*year, month, *date),
        _ => None,
    }
}

fn day(year: u32, month: u32, day: u32) -> Option<String> {
    ((1970..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day))
        .then(|| format!("{year:04}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_toml_and_json_are_read_and_the_body_is_what_follows() {
        for text in [
            "---\ntitle: Тариф\ntags: [a, b]\n---\nтело",
            "+++\ntitle = \"Тариф\"\ntags = [\"a\", \"b\"]\n+++\nтело",
            "{\n\"title\": \"Тариф\", \"tags\": \"a, b\"}\nтело",
        ] {
            let (front, body) = split(text);
            let meta = meta(&front);
            assert_eq!(meta.title.as_deref(), Some("Тариф"), "{text}");
            assert_eq!(meta.tags, ["a", "b"]);
            assert_eq!(body.trim(), "тело");
        }
    }

    #[test]
    fn a_rule_is_no_front_matter_and_broken_yaml_costs_little() {
        assert_eq!(split("---\nпросто текст\n---\nеще").1, "---\nпросто текст\n---\nеще");
        let (front, body) = split("---\ntitle: Часть: вторая: [\nx: {{ y }}\n---\nтело");
        assert_eq!(meta(&front).title.as_deref(), Some("Часть: вторая: ["));
        assert!(front.problem.is_some());
        assert_eq!(body, "тело");
    }

    #[test]
    fn dates_of_every_form_are_one() {
        for written in [
            "2024-05-09",
            "2024-05-09T10:00:00Z",
            "2024/05/09 10:00",
            "05/09/2024",
            "09.05.2024",
            "May 9, 2024",
            "9 May 2024",
            "9 мая 2024",
        ] {
            assert_eq!(date(written).as_deref(), Some("2024-05-09"), "{written}");
        }
        assert_eq!(date("скоро"), None);
        assert_eq!(date("2024-19-40"), None);
    }

    #[test]
    fn the_state_the_owner_and_what_has_no_place_are_told() {
        let (front, _) = split(
            "---\ndraft: true\nms.author: ivanov\nlayout: wide\naliases: [/old/, Иное]\nms.date: 1/2/2023\n---\n",
        );
        let meta = meta(&front);
        assert_eq!(meta.state, State::Draft);
        assert_eq!(meta.owner.as_deref(), Some("ivanov"));
        assert_eq!(meta.urls, ["/old/"]);
        assert_eq!(meta.aliases, ["Иное"]);
        assert_eq!(meta.changed.as_deref(), Some("2023-01-02"));
        assert_eq!(meta.others, [("layout".to_owned(), "wide".to_owned())]);
    }
}
