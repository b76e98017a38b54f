//! Articles of a Zendesk help centre, as its API gives them in JSON.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::archive::Archive;
use super::document::{Document, Found, State, within};
use super::html::{self, Links, Target, day, decoded, has_scheme, language};

/// How much of a file is looked at to recognise it.
const LOOK_BYTES: usize = 64 << 10;

/// How many files are looked at to recognise a source.
const LOOK_FILES: usize = 20;

/// Whether there are JSON files with articles of a help centre.
pub fn recognise(archive: &Archive) -> bool {
    archive.paths().filter(|path| is_json(path)).take(LOOK_FILES).any(|path| {
        archive.read(path).is_ok_and(|bytes| {
            let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(LOOK_BYTES)]).into_owned();
            let has = |name: &str| begin.contains(&format!("\"{name}\""));
            has("body") && (has("section_id") || has("html_url")) && (has("locale") || has("label_names"))
        })
    })
}

/// Reads all articles, those of several files and their translations too.
pub fn read(archive: &Archive, found: &mut Found<'_>) {
    let mut centre = Centre::default();
    let paths: Vec<&str> = archive.paths().filter(|path| is_json(path)).collect();
    for path in paths {
        let parsed = archive.text(path).map_err(|error| error.why).and_then(|text| {
            serde_json::from_str(&text).map_err(|error| format!("is no whole JSON: {error}"))
        });
        match parsed {
            Ok(value) => centre.take(path, value, None),
            Err(why) => found.take(path, Err(why)),
        }
    }
    for path in archive.paths() {
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        centre.files.entry(name).or_insert_with(|| path.to_owned());
    }
    centre.complete();
    found.expect(centre.articles.len());
    for (key, article) in &centre.articles {
        found.take(key, centre.document(key, article));
    }
}

fn is_json(path: &str) -> bool {
    path.to_ascii_lowercase().ends_with(".json")
}

/// A section or a category.
#[derive(Default)]
struct Group {
    name: String,
    parent: Option<String>,
}

#[derive(Default)]
struct Centre {
    /// By id and language.
    articles: BTreeMap<String, Value>,
    /// The keys of one article by its id: its first language first.
    by_id: HashMap<String, Vec<(String, String)>>,
    /// Sections by id, and by id and language.
    sections: HashMap<String, Group>,
    categories: HashMap<String, Group>,
    /// Texts in other languages, until the articles they belong to are known.
    translations: Vec<Value>,
    users: HashMap<String, String>,
    /// Attachments: their names by id.
    attachments: HashMap<String, String>,
    /// Files of the source by their names.
    files: HashMap<String, String>,
}

impl Centre {
    /// Takes what a file holds, whatever it is: lists, one object, or lists under names.
    fn take(&mut self, path: &str, value: Value, kind: Option<&str>) {
        match value {
            Value::Array(values) => {
                for value in values {
                    self.take(path, value, kind);
                }
            }
            Value::Object(mut fields) => {
                let mut held = false;
                for name in [
                    "categories",
                    "category",
                    "sections",
                    "section",
                    "users",
                    "user",
                    "article_attachments",
                    "article_attachment",
                    "translations",
                    "translation",
                    "articles",
                    "article",
                    "results",
                    "zendesk_articles",
                ] {
                    if fields.get(name).is_some_and(|value| value.is_object() || value.is_array())
                        && let Some(within) = fields.remove(name)
                    {
                        held = true;
                        self.take_kind(path, name, within);
                    }
                }
                let value = Value::Object(fields);
                if value.get("id").is_some() && (!held || value.get("body").is_some()) {
                    let kind = kind.map_or_else(|| guessed(path, &value), str::to_owned);
                    self.take_one(&kind, value);
                }
            }
            _ => {}
        }
    }

    fn take_kind(&mut self, path: &str, name: &str, value: Value) {
        let kind = match name {
            "categories" | "category" => "category",
            "sections" | "section" => "section",
            "users" | "user" => "user",
            "translations" | "translation" => "translation",
            "article_attachments" | "article_attachment" => "attachment",
            _ => "article",
        };
        self.take(path, value, Some(kind));
    }

    fn take_one(&mut self, kind: &str, value: Value) {
        let Some(id) = id_of(&value, "id") else { return };
        let name = string(&value, "name").or(string(&value, "title")).unwrap_or_default().to_owned();
        match kind {
            "category" => {
                self.categories.insert(id, Group { name, parent: None });
            }
            "section" => {
                let above = id_of(&value, "parent_section_id").map(|id| format!("s{id}"));
                let parent = above.or_else(|| id_of(&value, "category_id").map(|id| format!("c{id}")));
                self.sections.insert(id, Group { name, parent });
            }
            "user" => {
                self.users.insert(id, name);
            }
            "attachment" => {
                if let Some(name) = string(&value, "file_name") {
                    self.attachments.insert(id, name.to_lowercase());
                }
            }
            "translation" => self.translations.push(value),
            _ => self.take_article(&id, value),
        }
    }

    fn take_article(&mut self, id: &str, value: Value) {
        let locale = string(&value, "locale").unwrap_or_default().to_lowercase();
        let keys = self.by_id.entry(id.to_owned()).or_default();
        let key = if keys.is_empty() { id.to_owned() } else { format!("{id}/{locale}") };
        // The same article in the same language comes in several lists: the later one is the newer.
        let same = keys.iter().find(|(has, _)| *has == locale).map(|(_, key)| key.clone());
        let key = same.unwrap_or_else(|| {
            keys.push((locale, key.clone()));
            key
        });
        self.articles.insert(key, value);
    }

    /// Makes articles of the texts in other languages.
    fn complete(&mut self) {
        for translation in std::mem::take(&mut self.translations) {
            let is_article =
                string(&translation, "source_type").is_none_or(|kind| kind.eq_ignore_ascii_case("article"));
            let Some(id) = id_of(&translation, "source_id").filter(|_| is_article) else { continue };
            let mut article = match self.by_id.get(&id).and_then(|keys| self.articles.get(&keys.first()?.1)) {
                Some(Value::Object(fields)) => fields.clone(),
                _ => serde_json::Map::new(),
            };
            article.remove("html_url");
            if let Value::Object(fields) = translation {
                article.extend(fields.into_iter().filter(|(name, _)| name != "id"));
            }
            self.take_article(&id, Value::Object(article));
        }
    }

    fn document(&self, key: &str, article: &Value) -> Result<Document, String> {
        let id = key.split('/').next().unwrap_or(key);
        let locale = string(article, "locale").unwrap_or_default();
        let title = string(article, "title")
            .or(string(article, "name"))
            .map(one_line)
            .filter(|title| !title.is_empty());
        let title = title.ok_or("has no title")?;
        let links = CentreLinks { centre: self, locale: locale.to_lowercase() };
        let converted = html::convert_part(string(article, "body").unwrap_or_default(), &links)?;
        let is = |name: &str| article.get(name).and_then(Value::as_bool).unwrap_or(false);
        let mut also = Vec::new();
        if key != id {
            also.push(format!("{id}/{}", locale.to_lowercase()));
        }
        also.extend(string(article, "html_url").map(str::to_owned));
        also.retain(|name| name != key);
        let mut document = Document {
            key: key.to_owned(),
            also,
            folders: self.folders(article),
            name: string(article, "html_url").and_then(name_of),
            title,
            lang: language(locale),
            tags: strings(article, "label_names"),
            state: if is("draft") {
                State::Draft
            } else if is("archived") || is("outdated") {
                State::Archived
            } else {
                State::Active
            },
            owner: id_of(article, "author_id").and_then(|id| self.users.get(&id).cloned()),
            changed: ["edited_at", "updated_at", "created_at"]
                .iter()
                .find_map(|name| day(string(article, name)?)),
            markdown: converted.markdown,
            had: converted.had,
            losses: converted.losses,
            ..Document::default()
        };
        if !id_of(article, "user_segment_id").unwrap_or_default().is_empty() {
            document.lose(
                "audience",
                "only some users might see it in Zendesk: who may see the article is to be set anew",
            );
        }
        if document.markdown.is_empty() {
            document.lose("empty", "the article has no text");
        }
        Ok(document)
    }

    fn folders(&self, article: &Value) -> Vec<String> {
        let mut folders = Vec::new();
        let mut next = id_of(article, "section_id").map(|id| format!("s{id}"));
        for _ in 0..20 {
            let Some(group) = next.as_deref().and_then(|next| {
                let (kind, id) = next.split_at(1);
                if kind == "s" { self.sections.get(id) } else { self.categories.get(id) }
            }) else {
                break;
            };
            folders.push(one_line(&group.name));
            next.clone_from(&group.parent);
        }
        if folders.is_empty()
            && let Some(category) = id_of(article, "category_id").and_then(|id| self.categories.get(&id))
        {
            folders.push(one_line(&category.name));
        }
        folders.retain(|name| !name.is_empty());
        folders.reverse();
        folders
    }

    /// The key of an article in a language, or in its first one.
    fn key(&self, id: &str, locale: &str) -> Option<&str> {
        let keys = self.by_id.get(id)?;
        let found = keys.iter().find(|(has, _)| has == locale).or(keys.first())?;
        Some(&found.1)
    }

    fn resolve(&self, href: &str, locale: &str) -> Target {
        let (address, anchor) =
            href.split_once('#').map_or((href, None), |(address, anchor)| (address, Some(decoded(anchor))));
        let after = |name: &str| address.split_once(name).map(|(_, rest)| rest);
        if let Some(rest) = after("/articles/").filter(|_| address.contains("/hc/")) {
            let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let in_link =
                after("/hc/").and_then(|rest| rest.split('/').next()).unwrap_or_default().to_lowercase();
            let locale =
                if in_link == "articles" || in_link.is_empty() { locale.to_owned() } else { in_link };
            if let Some(key) = self.key(&id, &locale) {
                return Target::outside(&within(key, anchor.as_deref()));
            }
            return Target { url: href.to_owned(), missing: !has_scheme(href) && !href.starts_with("//") };
        }
        let plain = address.split('?').next().unwrap_or(address);
        let id = after("/article_attachments/")
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
        let by_id = id.and_then(|id| self.attachments.get(&id));
        // Elsewhere a file may be called the same.
        let is_own = address.contains("/article_attachments/")
            || address.contains("/hc/")
            || !has_scheme(address) && !address.starts_with("//");
        let base = decoded(plain.rsplit('/').next().unwrap_or(plain)).to_lowercase();
        let file = by_id
            .and_then(|name| self.files.get(name))
            .or_else(|| self.files.get(&base).filter(|_| is_own))
            .filter(|file| !is_json(file));
        match file {
            Some(file) => Target::outside(&within(file, None)),
            None => Target { url: href.to_owned(), missing: !has_scheme(href) && !href.starts_with("//") },
        }
    }
}

struct CentreLinks<'a> {
    centre: &'a Centre,
    locale: String,
}

impl Links for CentreLinks<'_> {
    fn link(&self, href: &str) -> Target {
        self.centre.resolve(href, &self.locale)
    }

    fn image(&self, source: &str) -> Target {
        self.centre.resolve(source, &self.locale)
    }
}

/// What an object is that no name tells: by its fields and the name of its file.
fn guessed(path: &str, value: &Value) -> String {
    let has = |name: &str| value.get(name).is_some();
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let kind = if has("source_id") && has("body") {
        "translation"
    } else if has("body") {
        "article"
    } else if has("file_name") && has("content_type") {
        "attachment"
    } else if has("category_id") || name.starts_with("section") {
        "section"
    } else if name.starts_with("categor") {
        "category"
    } else {
        "user"
    };
    kind.to_owned()
}

fn name_of(url: &str) -> Option<String> {
    let last = decoded(url.rsplit('/').next()?);
    let name = last.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('-').to_owned();
    Some(name).filter(|name| !name.is_empty())
}

fn string<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

fn strings(value: &Value, name: &str) -> Vec<String> {
    let list = value.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(one_line).filter(|text| !text.is_empty()).collect()
}

fn id_of(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() && text.len() <= 100 => Some(text.clone()),
        _ => None,
    }
}

fn one_line(text: &str) -> String {
    html::tree::one_line(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imported(files: &[(&str, &str)]) -> (Vec<Document>, BTreeMap<String, String>) {
        crate::importing::imported(files, recognise, read)
    }

    const ARTICLES: &str = r##"{"count": 2, "next_page": null, "articles": [
        {"id": 12, "title": " Как  подключить ", "locale": "ru", "section_id": 5, "draft": false, "outdated": false, "author_id": 9,
         "label_names": ["тариф"], "updated_at": "2024-01-02T03:04:05Z", "html_url": "https://h.example/hc/ru/articles/12-Как",
         "body": "<h1>Шаг</h1><p>См. <a href=\"/hc/ru/articles/34-Off#a\">тут</a> <a href=\"https://h.example/hc/en-us/articles/12\">en</a> <img src=\"https://h.example/hc/article_attachments/77/p.png\"></p>"},
        {"id": 34, "title": "Отключить", "locale": "ru", "section_id": 5, "draft": true, "body": "<h2 id=\"a\">A</h2>"}],
        "sections": [{"id": 5, "name": "SMS", "category_id": 1}], "categories": [{"id": 1, "name": "Услуги"}], "users": [{"id": 9, "name": "Анна"}]}"##;

    #[test]
    fn articles_keep_their_place_state_and_links() {
        let translations = r#"{"translations": [{"id": 900, "source_id": 12, "source_type": "Article", "locale": "en-us", "title": "How to", "body": "<p>Yes", "outdated": true}]}"#;
        let (documents, unreadable) = imported(&[
            ("articles.json", ARTICLES),
            ("t.json", translations),
            ("p.png", "x"),
            ("bad.json", "{"),
        ]);
        let first = &documents[0];
        assert_eq!(
            (first.key.as_str(), first.title.as_str(), first.lang.as_deref()),
            ("12", "Как подключить", Some("ru"))
        );
        assert_eq!(first.folders, ["Услуги", "SMS"]);
        assert_eq!((first.tags.join(","), first.owner.as_deref()), ("тариф".to_owned(), Some("Анна")));
        assert_eq!(first.changed.as_deref(), Some("2024-01-02"));
        assert_eq!(
            first.markdown,
            "## Шаг\n\nСм. [тут](within:34#a) [en](within:12/en-us) ![](within:p.png)\n"
        );
        let second = &documents[1];
        assert_eq!(
            (second.key.as_str(), second.title.as_str(), second.state),
            ("12/en-us", "How to", State::Archived)
        );
        assert_eq!((second.lang.as_deref(), second.folders.len()), (Some("en"), 2));
        assert_eq!(documents[2].state, State::Draft);
        assert!(unreadable.contains_key("bad.json"));
    }

    #[test]
    fn one_file_an_article_and_arrays_are_read_too() {
        let one =
            r#"{"article": {"id": 1, "title": "A", "locale": "en-us", "section_id": 2, "body": "<p>x"}}"#;
        let many = r#"[{"id": 3, "title": "B", "locale": "ru", "body": null}, {"id": 4, "body": "<p>y", "locale": "ru"}]"#;
        let (documents, unreadable) = imported(&[("1.json", one), ("many.json", many)]);
        assert_eq!(documents.iter().map(|document| document.title.as_str()).collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(unreadable.get("4").map(String::as_str), Some("has no title"));
    }
}
