//! Where everything goes: names of files, links and pictures that lead there, and what is told of it all.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use percent_encoding::percent_decode_str;
use pulldown_cmark::{Event, Parser, Tag};
use serde::Serialize;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use utoipa::ToSchema;

use crate::content::article::Article;
use crate::content::files::{self, Folder};
use crate::content::pictures::{Kept, kept};
use crate::importing::alike::{Alike, alike};
use crate::importing::archive::{Archive, ArchiveError};
use crate::importing::counts::{OPTIONS, counts};
use crate::importing::document::{Counts, Document, Loss, State, WITHIN};
use crate::importing::docx;

/// The longest name of a file or folder, in characters and in bytes, without its ending.
const MAX_NAME: usize = 80;
const MAX_NAME_BYTES: usize = 180;

/// The longest path below the articles, in bytes: longer ones could not be edited.
const MAX_PATH: usize = 480;

/// Folders on top of each other that are kept; deeper ones are told, and left out.
const MAX_FOLDERS: usize = 12;

/// The longest name of a folder that somebody names, in bytes.
const MAX_FOLDER: usize = 100;

/// The folder of pictures and files, below the one that is imported into.
const FILES: &str = "files";

/// How what is found becomes files.
#[derive(Clone, Debug)]
pub struct Aim {
    /// The folder below `articles/` it goes into.
    pub into: String,
    /// The state of every article, whatever the source says.
    pub state: Option<State>,
}

impl Aim {
    /// The folder somebody names, as it stands below `articles/`; `None`: it is none.
    pub fn folder(named: &str) -> Option<String> {
        let folder = named.trim().trim_matches('/');
        let is_bad = |c: char| c.is_control() || "\\:*?\"<>|".contains(c);
        let is_name = |name: &str| {
            !name.starts_with('.')
                && name.trim() == name
                && name.len() <= MAX_FOLDER
                && !name.contains(is_bad)
        };
        let is_good = !folder.is_empty()
            && files::resolve("", folder).as_deref() == Some(folder)
            && folder.split('/').all(is_name);
        is_good.then(|| folder.nfc().collect())
    }
}

/// An article to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedArticle {
    /// What the source calls it.
    pub key: String,
    /// Its path below `articles/`.
    pub path: String,
    /// What the file holds.
    pub text: String,
    /// When the source says it was last changed.
    pub changed: Option<String>,
}

/// A picture or file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedFile {
    /// Its path below `articles/`.
    pub path: String,
    /// What it is in the source.
    pub key: String,
}

/// Something that was not carried, or not as it was, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct LossAt {
    /// The article's path below `articles/`.
    pub path: String,
    /// What exactly.
    pub what: String,
}

/// What is told of an import.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ImportReport {
    /// Which kind of source it is.
    pub format: String,
    /// Articles.
    pub articles: usize,
    /// Pictures and files carried.
    pub files: usize,
    /// What could not be read, and why.
    pub unreadable: BTreeMap<String, String>,
    /// What the source had.
    pub had: Counts,
    /// What the articles have.
    pub carried: Counts,
    /// What was not carried, or not as it was, by kind.
    pub losses: BTreeMap<String, Vec<LossAt>>,
    /// Articles that hold the same as others, word by word or nearly.
    pub alike: Vec<Alike>,
}

/// What is to be written.
#[derive(Debug, Default)]
pub struct Plan {
    /// Articles, by path.
    pub articles: Vec<PlannedArticle>,
    /// Pictures and files, by path.
    pub files: Vec<PlannedFile>,
    /// What is told.
    pub report: ImportReport,
}

/// What is at a key of the source.
fn bytes_of(archive: &Archive, key: &str) -> Result<Vec<u8>, ArchiveError> {
    if key.contains("!/") { docx::part(archive, key) } else { archive.read(key) }
}

impl PlannedFile {
    /// What is written: what the source holds, or of a drawing what draws.
    ///
    /// # Errors
    /// It is damaged.
    pub fn bytes(&self, archive: &Archive) -> Result<Vec<u8>, ArchiveError> {
        let bytes = bytes_of(archive, &self.key)?;
        kept(bytes).map(|kept| kept.bytes).map_err(|why| ArchiveError { path: self.key.clone(), why })
    }
}

/// A name of letters, digits and hyphens, as it may stand in an address.
fn name_of(text: &str) -> String {
    let letters = text.nfc().filter(|c| !is_combining_mark(*c));
    let plain: String = letters.map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let joined = plain.split_whitespace().collect::<Vec<_>>().join("-").to_lowercase();
    let mut name: String = joined.chars().take(MAX_NAME).collect();
    while name.len() > MAX_NAME_BYTES {
        name.pop();
    }
    let name = name.trim_matches('-').to_owned();
    if name.is_empty() { "page".to_owned() } else { name }
}

/// Names that no two have, whatever their letters' case.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    /// The name, or the same with the next free number.
    fn free(&mut self, stem: &str, ending: &str) -> String {
        let mut name = format!("{stem}{ending}");
        let mut number = 2;
        while !self.0.insert(name.to_lowercase()) {
            name = format!("{stem}-{number}{ending}");
            number += 1;
        }
        name
    }
}

/// The path from the folder of a file to another file.
fn relative(from: &str, to: &str) -> String {
    let own: Vec<&str> = from.split('/').collect();
    let other: Vec<&str> = to.split('/').collect();
    let folder = &own[..own.len() - 1];
    let same = folder.iter().zip(&other[..other.len() - 1]).take_while(|(a, b)| a == b).count();
    let mut parts = vec![".."; folder.len() - same];
    parts.extend(&other[same..]);
    parts.join("/")
}

struct Planner<'a> {
    archive: &'a Archive,
    aim: &'a Aim,
    /// The place of each document's file, in the order of the documents.
    paths: Vec<String>,
    /// Documents by what the source may call them.
    by_key: HashMap<String, usize>,
    /// Anchors of each article's text.
    anchors: Vec<BTreeSet<String>>,
    /// Files by their keys: where they go, or why they do not.
    files: HashMap<String, Result<String, String>>,
    /// Drawings of which not all is carried.
    reduced: BTreeSet<String>,
    by_bytes: HashMap<[u8; 32], String>,
    names: Names,
    planned: Vec<PlannedFile>,
}

/// Plans where what was found goes, below a folder of articles. `known`: paths of earlier imports by key, which are kept.
pub fn plan(
    archive: &Archive,
    mut documents: Vec<Document>,
    aim: &Aim,
    known: &BTreeMap<String, String>,
    folder: &Folder,
) -> Plan {
    let mut planner = Planner::new(archive, aim, &mut documents, known);
    let mut plan = Plan::default();
    for (at, document) in documents.iter_mut().enumerate() {
        let path = planner.paths[at].clone();
        let markdown = unrepeated(&planner.linked(document, at));
        if markdown.trim().is_empty() && !document.losses.iter().any(|loss| loss.kind == "empty") {
            document.lose("empty", "nothing of the page is left to read");
        }
        // Programs write their own language into documents.
        if document.lang.as_deref() == Some("en") && is_mostly_cyrillic(&markdown) {
            document.lang = None;
        }
        let report = &mut plan.report;
        report.had.add(&document.had);
        report.carried.add(&counts(&markdown));
        for Loss { kind, what } in document.losses.drain(..) {
            report.losses.entry(kind).or_default().push(LossAt { path: path.clone(), what });
        }
        let text = format!("{}{markdown}", planner.head(document));
        let (key, changed) = (document.key.clone(), document.changed.clone());
        plan.articles.push(PlannedArticle { key, path, text, changed });
    }
    planner.planned.sort_by(|one, other| one.path.cmp(&other.path));
    plan.files = planner.planned;
    plan.report.alike = alike(&plan.articles, folder);
    plan.report.articles = plan.articles.len();
    plan.report.files = plan.files.len();
    plan
}

/// A text in which no two headings have one anchor: the later ones have none, as links lead to the first.
fn unrepeated(markdown: &str) -> String {
    let mut seen = BTreeSet::new();
    let mut fence: Option<&str> = None;
    let mut out = String::with_capacity(markdown.len());
    for line in markdown.split_inclusive('\n') {
        let text = line.trim();
        let marks = text.len() - text.trim_start_matches('`').len();
        match fence {
            Some(open) if text.starts_with(open) && text.trim_start_matches('`').is_empty() => fence = None,
            None if marks >= 3 => fence = Some(&text[..marks]),
            _ => {}
        }
        let anchor = text
            .strip_suffix('}')
            .filter(|_| fence.is_none() && text.starts_with('#'))
            .and_then(|text| text.rsplit_once(" {#"))
            .filter(|(_, anchor)| !anchor.contains([' ', '{']));
        match anchor {
            Some((heading, anchor)) if !seen.insert(anchor) => {
                out.push_str(heading);
                out.push('\n');
            }
            _ => out.push_str(line),
        }
    }
    out
}

fn is_mostly_cyrillic(text: &str) -> bool {
    let count = |fits: fn(char) -> bool| text.chars().filter(|c| fits(*c)).count();
    let cyrillic = count(|c| ('\u{400}'..='\u{52f}').contains(&c));
    cyrillic > count(|c| c.is_ascii_alphabetic())
}

impl<'a> Planner<'a> {
    fn new(
        archive: &'a Archive,
        aim: &'a Aim,
        documents: &mut [Document],
        known: &BTreeMap<String, String>,
    ) -> Self {
        let mut names = Names::default();
        for path in known.values() {
            names.0.insert(path.to_lowercase());
        }
        let mut by_key = HashMap::new();
        let mut paths = Vec::new();
        for (at, document) in documents.iter_mut().enumerate() {
            if document.folders.len() > MAX_FOLDERS {
                let what = document.folders.join(" / ");
                document.lose("folders", what);
                document.folders.truncate(MAX_FOLDERS);
            }
            by_key.entry(document.key.clone()).or_insert(at);
            let mut folders: Vec<String> = document.folders.iter().map(|folder| name_of(folder)).collect();
            let own = name_of(document.name.as_deref().unwrap_or(&document.title));
            let length = |folders: &[String]| {
                aim.into.len() + own.len() + folders.iter().map(|folder| folder.len() + 1).sum::<usize>()
            };
            while length(&folders) > MAX_PATH
                && let Some(left_out) = folders.pop()
            {
                document.lose("folders", left_out);
            }
            let parts: Vec<String> = [aim.into.clone()].into_iter().chain(folders).chain([own]).collect();
            let place = match known.get(&document.key) {
                Some(path) => path.clone(),
                None => names.free(&parts.join("/"), ".md"),
            };
            paths.push(place);
        }
        // What it is called besides counts where nothing is really called so.
        for (at, document) in documents.iter().enumerate() {
            for also in &document.also {
                by_key.entry(also.clone()).or_insert(at);
            }
        }
        let anchors = documents
            .iter()
            .zip(&paths)
            .map(|(document, path)| {
                let (parsed, _) =
                    Article::parse("articles", path, &format!("---\ntitle: x\n---\n{}", document.markdown));
                let sections = parsed.into_iter().flat_map(|parsed| parsed.article.sections);
                sections.map(|section| section.anchor.to_string()).collect()
            })
            .collect();
        let (files, by_bytes, planned) = (HashMap::new(), HashMap::new(), Vec::new());
        let reduced = BTreeSet::new();
        Self { archive, aim, paths, by_key, anchors, files, reduced, by_bytes, names, planned }
    }

    /// The head of an article.
    fn head(&self, document: &Document) -> String {
        // JSON strings are YAML strings, whatever is in them.
        let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
        let mut head = format!("---\ntitle: {}\n", quoted(&plain(&document.title)));
        if let Some(lang) = document.lang.as_deref().filter(|lang| ["ru", "en"].contains(lang)) {
            head.push_str(&format!("lang: {lang}\n"));
        }
        for (key, texts) in [("tags", &document.tags), ("aliases", &document.aliases)] {
            if !texts.is_empty() {
                head.push_str(&format!("{key}: [{}]\n", list(texts)));
            }
        }
        match self.aim.state.unwrap_or(document.state) {
            State::Active => {}
            State::Draft => head.push_str("status: draft\n"),
            State::Archived => head.push_str("status: archived\n"),
        }
        if let Some(owner) = &document.owner {
            head.push_str(&format!("owner: {}\n", quoted(owner)));
        }
        head.push_str("---\n");
        head
    }

    /// The Markdown with its links and pictures leading where things go. What they lead to and is not there is text, and told.
    fn linked(&mut self, document: &mut Document, at: usize) -> String {
        let markdown = std::mem::take(&mut document.markdown);
        let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
        for (event, range) in Parser::new_ext(&markdown, OPTIONS).into_offset_iter() {
            let (dest, is_image) = match &event {
                Event::Start(Tag::Link { dest_url, .. }) => (dest_url, false),
                Event::Start(Tag::Image { dest_url, .. }) => (dest_url, true),
                _ => continue,
            };
            let Some(named) = dest.strip_prefix(WITHIN) else { continue };
            let source = &markdown[range.clone()];
            let Some(found) = source.rfind(&**dest).map(|found| range.start + found) else { continue };
            let place = found..found + dest.len();
            match self.place(named, at, document) {
                Ok(target) => edits.push((place, target)),
                Err(why) => {
                    document
                        .lose(if is_image { "image" } else { "link" }, format!("{}: {why}", decoded(named)));
                    // The words stay: what stands between the brackets.
                    let begin = if is_image { 2 } else { 1 };
                    let Some(close) =
                        markdown[..place.start].rfind("](").filter(|close| *close >= range.start)
                    else {
                        continue;
                    };
                    edits.push((range.start..range.start + begin, String::new()));
                    edits.push((close..range.end, String::new()));
                }
            }
        }
        edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut linked = String::with_capacity(markdown.len());
        let mut done = 0;
        for (range, text) in edits {
            if range.start < done {
                continue;
            }
            linked.push_str(&markdown[done..range.start]);
            linked.push_str(&text);
            done = range.end;
        }
        linked.push_str(&markdown[done..]);
        linked
    }

    /// Where a link leads, seen from a document.
    fn place(&mut self, named: &str, at: usize, document: &mut Document) -> Result<String, String> {
        let (key, anchor) = named.split_once('#').unwrap_or((named, ""));
        let (key, anchor) = (decoded(key), decoded(anchor));
        let own = self.paths[at].clone();
        if let Some(other) = self.by_key.get(&key).copied() {
            let anchor = match anchor.as_str() {
                "" => String::new(),
                anchor if self.anchors[other].contains(anchor) => format!("#{anchor}"),
                anchor => {
                    document.lose("anchor", format!("{key}#{anchor}: leads to the article as a whole"));
                    String::new()
                }
            };
            return Ok(format!("{}{anchor}", relative(&own, &self.paths[other])));
        }
        let to = self.file(&key)?;
        if self.reduced.contains(&key) {
            document.lose("drawing-text", format!("{key}: its labels that are HTML are not carried"));
        }
        Ok(relative(&own, &to))
    }

    /// Where a picture or file goes.
    fn file(&mut self, key: &str) -> Result<String, String> {
        if let Some(known) = self.files.get(key) {
            return known.clone();
        }
        let placed = self.place_file(key);
        self.files.insert(key.to_owned(), placed.clone());
        placed
    }

    fn place_file(&mut self, key: &str) -> Result<String, String> {
        let bytes = bytes_of(self.archive, key).map_err(|error| error.why)?;
        let hash = *blake3::hash(&bytes).as_bytes();
        if let Some(same) = self.by_bytes.get(&hash) {
            return Ok(same.clone());
        }
        let Kept { extension: ending, is_reduced, .. } = kept(bytes)?;
        if is_reduced {
            self.reduced.insert(key.to_owned());
        }
        let name = key.rsplit('/').next().unwrap_or(key);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        // The same in every import, so that a later one finds it again.
        let mark: String = blake3::Hash::from_bytes(hash).to_hex().chars().take(8).collect();
        let stem = format!("{}/{FILES}/{}-{mark}", self.aim.into, name_of(stem));
        let path = self.names.free(&stem, &format!(".{ending}"));
        self.by_bytes.insert(hash, path.clone());
        self.planned.push(PlannedFile { path: path.clone(), key: key.to_owned() });
        Ok(path)
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A title in which nothing stands for a value of the catalogue, and nothing is there that cannot be seen.
fn plain(title: &str) -> String {
    title.replace("{{", "{ {").chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::importing::document::within;

    fn document(key: &str, title: &str, markdown: String) -> Document {
        Document { key: key.to_owned(), title: title.to_owned(), markdown, ..Document::default() }
    }

    #[test]
    fn links_lead_where_things_go_and_words_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.gif"), b"GIF89a\x01\0\x01\0\0\0\0;").unwrap();
        std::fs::write(folder.path().join("evil.svg"), b"<svg onload='alert(1)'/>").unwrap();
        let archive = Archive::open(folder.path()).unwrap();
        let text = format!(
            "[Два]({}) и [два в начале]({}), [мимо]({}), [**нет**]({}) ![схема]({}) ![злая]({})\n",
            within("b/two", None),
            within("b/two", Some("begin")),
            within("b/two", Some("none")),
            within("nowhere", None),
            within("a.gif", None),
            within("evil.svg", None)
        );
        let mut two = document("b/two", "Два / второй", "## Начало {#begin}\n\nТекст.\n".to_owned());
        two.folders = vec!["Тарифы и цены".to_owned()];
        let aim = Aim { into: "moved".to_owned(), state: None };
        let here = Folder { root: folder.path().join("none"), name: "articles", max_file_bytes: 1 << 20 };
        let plan = plan(&archive, vec![document("one", "Один", text), two], &aim, &BTreeMap::new(), &here);
        assert_eq!(plan.articles[1].path, "moved/тарифы-и-цены/два-второй.md");
        let body = plan.articles[0].text.split("---\n").nth(2).unwrap();
        let picture = &plan.files[0].path;
        let shown = picture.strip_prefix("moved/").unwrap();
        assert_eq!(
            body,
            format!(
                "[Два](тарифы-и-цены/два-второй.md) и [два в начале](тарифы-и-цены/два-второй.md#begin), \
                 [мимо](тарифы-и-цены/два-второй.md), **нет** ![схема]({shown}) злая\n"
            )
        );
        let kinds: Vec<&str> = plan.report.losses.keys().map(String::as_str).collect();
        assert_eq!(kinds, ["anchor", "image", "link"]);
        assert_eq!((plan.report.carried.links, plan.report.carried.images), (3, 1));
    }

    #[test]
    fn what_was_there_keeps_its_place_and_no_two_share_one() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::open(folder.path()).unwrap();
        let aim = Aim { into: "moved".to_owned(), state: Some(State::Draft) };
        let known = [("2".to_owned(), "moved/old.md".to_owned())].into();
        let documents =
            ["1", "2", "3"].map(|key| document(key, "Одно и ТО ЖЕ", String::new())).into_iter().collect();
        let here = Folder { root: folder.path().join("none"), name: "articles", max_file_bytes: 1 << 20 };
        let plan = plan(&archive, documents, &aim, &known, &here);
        let paths: Vec<&str> = plan.articles.iter().map(|article| article.path.as_str()).collect();
        assert_eq!(paths, ["moved/одно-и-то-же.md", "moved/old.md", "moved/одно-и-то-же-2.md"]);
        assert_eq!(plan.articles[0].text, "---\ntitle: \"Одно и ТО ЖЕ\"\nstatus: draft\n---\n");
    }

    #[test]
    fn no_two_headings_have_one_anchor() {
        let text = "## A {#x}\n\n```\n## B {#x}\n```\n\n## C {#x}\n\n### D {#y}\n";
        assert_eq!(unrepeated(text), "## A {#x}\n\n```\n## B {#x}\n```\n\n## C\n\n### D {#y}\n");
    }

    #[test]
    fn paths_are_relative() {
        assert_eq!(relative("a/b/c.md", "a/b/d.md"), "d.md");
        assert_eq!(relative("a/b/c.md", "a/x/d.md"), "../x/d.md");
        assert_eq!(relative("c.md", "a/d.md"), "a/d.md");
        assert_eq!(relative("a/b/c.md", "d.md"), "../../d.md");
    }
}
