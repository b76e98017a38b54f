//! MediaWiki: the XML dump of a wiki, the latest revision of each of its content pages.

mod expand;
mod parse;
mod table;

use std::collections::{BTreeMap, HashMap, HashSet};

use quick_xml::Reader;
use quick_xml::events::Event;

use self::parse::Page;
use super::archive::{Archive, text_of};
use super::document::{Document, Found};
use super::xml;

/// The most pages of one dump.
const MAX_PAGES: usize = 500_000;

/// Namespaces that hold knowledge: main, Project, Help.
const CONTENT: [i64; 3] = [0, 4, 12];

const TEMPLATE: i64 = 10;
const FILE: i64 = 6;
const CATEGORY: i64 = 14;

/// Names of namespaces that every wiki knows, or every Russian one.
const NAMES: [(&str, i64); 32] = [
    ("media", -2),
    ("special", -1),
    ("talk", 1),
    ("user", 2),
    ("user talk", 3),
    ("project", 4),
    ("project talk", 5),
    ("file", 6),
    ("image", 6),
    ("file talk", 7),
    ("mediawiki", 8),
    ("template", 10),
    ("template talk", 11),
    ("help", 12),
    ("help talk", 13),
    ("category", 14),
    ("category talk", 15),
    ("module", 828),
    ("медиа", -2),
    ("служебная", -1),
    ("обсуждение", 1),
    ("участник", 2),
    ("участница", 2),
    ("файл", 6),
    ("изображение", 6),
    ("шаблон", 10),
    ("справка", 12),
    ("категория", 14),
    ("модуль", 828),
    ("portal", 100),
    ("портал", 100),
    ("datei", 6),
];

/// A page of a dump, as it is there.
#[derive(Debug, Default)]
struct Raw {
    title: String,
    namespace: i64,
    id: String,
    redirect: Option<String>,
    time: String,
    text: String,
}

/// A wiki: its pages and how its links are to be understood.
#[derive(Debug, Default)]
struct Wiki {
    name: String,
    namespaces: HashMap<String, i64>,
    /// Names of namespaces as people read them.
    shown: BTreeMap<i64, String>,
    /// Keys of the pages that are imported, by their titles and by those of redirects to them.
    keys: HashMap<String, String>,
    templates: HashMap<String, String>,
    /// What links lead to within pages.
    fragments: HashSet<String>,
    /// Paths of files in the source, by their names.
    files: HashMap<String, String>,
}

/// Bytes that tell what a file is.
const LOOK_BYTES: u64 = 16 << 10;

/// Whether the source is a dump of a wiki.
pub fn recognise(archive: &Archive) -> bool {
    archive.paths().filter(|path| path.to_lowercase().ends_with(".xml")).take(20).any(|path| {
        let begin = archive.begin(path, LOOK_BYTES);
        begin.is_ok_and(|bytes| text_of(&bytes).is_some_and(|text| is_dump(&text)))
    })
}

fn is_dump(text: &str) -> bool {
    text.chars().take(4096).collect::<String>().contains("<mediawiki")
}

/// Reads every dump of the source.
pub fn read(archive: &Archive, found: &mut Found<'_>) {
    let paths: Vec<&str> = archive.paths().filter(|path| path.to_lowercase().ends_with(".xml")).collect();
    let mut dumps = Vec::new();
    for path in paths {
        match archive.text(path) {
            Ok(text) if is_dump(&text) => dumps.push((path, text)),
            Ok(_) => {}
            Err(error) => found.take(path, Err(error.why)),
        }
    }
    let is_one = dumps.len() == 1;
    for (path, text) in dumps {
        let prefix = if is_one { String::new() } else { format!("{path}:") };
        dump(archive, path, &text, &prefix, found);
    }
}

fn dump(archive: &Archive, path: &str, text: &str, prefix: &str, found: &mut Found<'_>) {
    let (mut wiki, pages, damage) = pages(text);
    if let Some(why) = damage {
        found.take(path, Err(why));
    }
    for file in archive.paths() {
        let name = file.rsplit('/').next().unwrap_or(file);
        wiki.files.insert(normal(name).to_lowercase(), file.to_owned());
    }
    let is_content = |page: &&Raw| CONTENT.contains(&page.namespace) && page.redirect.is_none();
    found.expect(found.documents.len() + found.unreadable.len() + pages.iter().filter(is_content).count());
    for page in pages.iter().filter(is_content) {
        wiki.keys.insert(normal(&page.title), format!("{prefix}{}", page.id));
    }
    let also = redirects(&pages, &mut wiki);
    for page in pages.iter().filter(|page| page.namespace == TEMPLATE) {
        let name = page.title.split_once(':').map_or(page.title.as_str(), |(_, name)| name);
        let text = match &page.redirect {
            Some(target) => format!("{{{{{target}}}}}"),
            None => page.text.clone(),
        };
        wiki.templates.insert(normal(name), text);
    }
    for page in &pages {
        fragments(&page.text, &mut wiki.fragments);
    }
    for page in pages.iter().filter(is_content) {
        let also = also.get(&normal(&page.title)).cloned().unwrap_or_default();
        let document = document(page, &wiki, prefix, also);
        found.take(&format!("{prefix}{}", page.id), Ok(document));
    }
}

/// Titles of redirects to each page, which from now on lead to it.
fn redirects(pages: &[Raw], wiki: &mut Wiki) -> HashMap<String, Vec<String>> {
    let targets: HashMap<String, String> = pages
        .iter()
        .filter_map(|page| {
            let target = page.redirect.as_ref()?;
            Some((normal(&page.title), normal(target.split('#').next().unwrap_or(target))))
        })
        .collect();
    let mut also: HashMap<String, Vec<String>> = HashMap::new();
    for page in pages.iter().filter(|page| page.redirect.is_some()) {
        let title = normal(&page.title);
        let mut target = &title;
        // Redirects to redirects are followed, but not for ever.
        for _ in 0..5 {
            match targets.get(target) {
                Some(next) => target = next,
                None => break,
            }
        }
        if let Some(key) = wiki.keys.get(target).cloned() {
            also.entry(target.clone()).or_default().push(page.title.clone());
            wiki.keys.entry(title).or_insert(key);
        }
    }
    also
}

fn document(page: &Raw, wiki: &Wiki, prefix: &str, redirects: Vec<String>) -> Document {
    let mut document = Document { key: format!("{prefix}{}", page.id), ..Document::default() };
    let title = match page.namespace {
        0 => page.title.as_str(),
        namespace => {
            document.folders.extend(wiki.shown.get(&namespace).cloned());
            page.title.split_once(':').map_or(page.title.as_str(), |(_, title)| title)
        }
    };
    document.title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    // A subpage lies under its page, if there is one.
    if let (Some((above, name)), Some((full, _))) = (title.rsplit_once('/'), page.title.rsplit_once('/'))
        && wiki.keys.contains_key(&normal(full))
        && !name.trim().is_empty()
    {
        document.folders.extend(above.split('/').map(str::to_owned));
        document.title = name.trim().to_owned();
    }
    if document.title.is_empty() {
        document.title = format!("Page {}", page.id);
    }
    document.also.push(page.title.clone());
    document.also.extend(redirects.iter().cloned());
    document.aliases = redirects.into_iter().filter(|title| *title != document.title).collect();
    document.changed = page.time.get(..10).filter(|day| day.len() == 10).map(str::to_owned);
    Page::new(wiki, &page.title, &mut document).read(&page.text);
    document
}

/// A title as links compare it: blanks for underscores, the first letter of it and of what follows its namespace large.
fn normal(title: &str) -> String {
    let title = title.replace('_', " ");
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let large = |text: &str| {
        let mut chars = text.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
    };
    match title.trim_start_matches(':').split_once(':') {
        Some((namespace, rest)) => format!("{}:{}", large(namespace.trim()), large(rest.trim())),
        None => large(title.trim_start_matches(':')),
    }
}

/// Notes what comes after `#` in links, so that only headings which something leads to get an anchor.
fn fragments(text: &str, into: &mut HashSet<String>) {
    for link in text.split("[[").skip(1) {
        let target = link.split([']', '|', '\n']).next().unwrap_or_default();
        if let Some((_, fragment)) = target.split_once('#').filter(|(_, fragment)| fragment.len() < 300) {
            into.insert(fragment_name(fragment));
        }
    }
}

fn fragment_name(fragment: &str) -> String {
    super::blocks::anchor(&fragment.trim().replace('_', " ").split_whitespace().collect::<Vec<_>>().join("-"))
}

impl Wiki {
    /// The namespace a title begins with, and the rest; `None`: the main one, or a prefix that is none.
    fn namespace<'t>(&self, title: &'t str) -> Option<(i64, &'t str)> {
        let (prefix, rest) = title.split_once(':')?;
        let prefix = prefix.trim().replace('_', " ").to_lowercase();
        let known = self.namespaces.get(&prefix).copied();
        let known = known.or_else(|| NAMES.iter().find(|(name, _)| *name == prefix).map(|(_, id)| *id));
        known.map(|id| (id, rest.trim()))
    }
}

/// A dump that is being read.
#[derive(Default)]
struct Dump {
    wiki: Wiki,
    pages: Vec<Raw>,
    page: Raw,
    /// Time and text of the revision that is being read.
    revision: (String, String),
    said: String,
    path: Vec<String>,
    namespace: i64,
}

impl Dump {
    /// Takes an event; the error says why nothing more is read.
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            // An empty element has no end of its own, and one with an end is empty too.
            Event::Empty(start) if as_str(start.local_name().as_ref()) == "redirect" => {
                self.page.redirect = attribute(&start, "title");
            }
            Event::Start(start) => {
                let name = as_str(start.local_name().as_ref()).to_owned();
                match name.as_str() {
                    "namespace" => {
                        self.namespace =
                            attribute(&start, "key").and_then(|key| key.parse().ok()).unwrap_or(0);
                    }
                    "redirect" => self.page.redirect = attribute(&start, "title"),
                    _ => {}
                }
                if self.path.len() > 50 {
                    return Err("has elements more than 50 deep".to_owned());
                }
                self.said.clear();
                self.path.push(name);
            }
            Event::Text(text) => self.said.push_str(as_str(&text)),
            Event::CData(text) => self.said.push_str(as_str(&text)),
            Event::GeneralRef(name) => self.said.push_str(&xml::reference(as_str(&name))),
            Event::DocType(_) => {
                return Err("has a declaration of document type, which is refused".to_owned());
            }
            Event::End(_) => {
                self.end();
                if self.pages.len() >= MAX_PAGES {
                    return Err(format!("has more than {MAX_PAGES} pages: the rest was not read"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self) {
        let Some(name) = self.path.pop() else { return };
        let said = std::mem::take(&mut self.said);
        match (self.path.last().map(String::as_str).unwrap_or_default(), name.as_str()) {
            ("namespaces", "namespace") => {
                self.wiki.namespaces.insert(said.to_lowercase(), self.namespace);
                self.wiki.shown.insert(self.namespace, said);
            }
            ("siteinfo", "sitename") => self.wiki.name = said,
            ("page", "title") => self.page.title = said,
            ("page", "ns") => self.page.namespace = said.trim().parse().unwrap_or(0),
            ("page", "id") => said.trim().clone_into(&mut self.page.id),
            ("revision", "timestamp") => said.trim().clone_into(&mut self.revision.0),
            ("revision", "text") => self.revision.1 = said,
            // Dumps of the whole history have all revisions, in any order.
            ("page", "revision") => {
                let (time, text) = std::mem::take(&mut self.revision);
                if time >= self.page.time {
                    (self.page.time, self.page.text) = (time, text);
                }
            }
            (_, "page") => {
                let page = finish(std::mem::take(&mut self.page), &self.wiki);
                self.pages.push(page);
            }
            _ => {}
        }
    }
}

/// All pages of a dump with the latest of their revisions, and what is wrong with it, if something is.
fn pages(text: &str) -> (Wiki, Vec<Raw>, Option<String>) {
    let mut dump = Dump::default();
    let mut reader = Reader::from_str(text);
    let why = loop {
        let taken = match reader.read_event() {
            Ok(Event::Eof) if dump.path.is_empty() => break None,
            Ok(Event::Eof) => Err(format!("is damaged after {} pages: it ends too early", dump.pages.len())),
            Ok(event) => dump.take(event),
            Err(error) => Err(format!("is damaged after {} pages: {error}", dump.pages.len())),
        };
        if let Err(why) = taken {
            break Some(why);
        }
    };
    (dump.wiki, dump.pages, why)
}

/// Old dumps name neither namespaces nor redirects of pages: both are in the text.
fn finish(mut page: Raw, wiki: &Wiki) -> Raw {
    if page.namespace == 0
        && let Some((namespace, _)) = wiki.namespace(&page.title)
    {
        page.namespace = namespace;
    }
    let begin: String = page.text.trim_start().chars().take(300).collect();
    let is_redirect = ["#redirect", "#перенаправление", "#redirección", "#weiterleitung"]
        .iter()
        .any(|word| begin.to_lowercase().starts_with(word));
    if page.redirect.is_none() && is_redirect {
        page.redirect =
            begin.split_once("[[").and_then(|(_, rest)| rest.split([']', '|']).next()).map(str::to_owned);
    }
    if page.id.is_empty() {
        page.id.clone_from(&page.title);
    }
    page
}

fn as_str<T: AsRef<str> + ?Sized>(text: &T) -> &str {
    text.as_ref()
}

fn attribute(start: &quick_xml::events::BytesStart<'_>, name: &str) -> Option<String> {
    start.attributes().with_checks(false).flatten().find_map(|attribute| {
        let value = as_str(attribute.value.as_ref());
        (as_str(attribute.key.as_ref()) == name).then(|| {
            quick_xml::escape::unescape(value).map_or_else(|_| value.to_owned(), |value| value.into_owned())
        })
    })
}

#[cfg(test)]
mod tests;
