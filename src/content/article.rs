//! One article: its head, its sections, and what it refers to.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::content::catalog::{Catalog, Lang};
use crate::content::files;
use crate::content::folders::Defaults;
use crate::content::front_matter::{FrontMatter, Located};
use crate::content::markdown::{self, Block, FileUse, Link, Section, ValueUse};
use crate::content::problem::{Position, Problem, Report};
use crate::content::validity::{Clearance, Standpoint, Validity};
use crate::content::{flow, values, yaml};
use crate::language::words;

/// What the library keeps of an article; its text stays in the index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Article {
    /// Its path below the articles folder without `.md`.
    pub id: String,
    /// The file it is written in, below the articles folder.
    pub path: String,
    /// Its title as written, with references.
    pub title: String,
    /// Its language.
    pub lang: Lang,
    /// Its head.
    pub matter: FrontMatter,
    /// Its sections, the text before the first heading first.
    pub sections: Vec<Section>,
    /// Its links to other places in the articles.
    pub links: Vec<Link>,
    /// The files beside the articles that it shows or links to.
    pub files: Vec<FileUse>,
    /// Its references to catalogue values, title included.
    pub values: Vec<ValueUse>,
    /// The line of the file on which the body begins.
    pub body_line: u32,
}

/// An article as read from its file, with its text.
#[derive(Debug)]
pub struct ParsedArticle {
    /// What the library keeps.
    pub article: Article,
    /// The Markdown after the head.
    pub body: String,
    /// The blocks of each section.
    pub blocks: Vec<Vec<Block>>,
}

impl Article {
    /// Reads an article. It is `None` when its head could not be read, so that the last good version stays served.
    pub fn parse(folder: &str, path: &str, text: &str) -> (Option<ParsedArticle>, Vec<Problem>) {
        Self::parse_in(&Defaults::default(), folder, path, text)
    }

    /// Reads an article whose folder says what its head leaves open.
    pub fn parse_in(
        defaults: &Defaults,
        folder: &str,
        path: &str,
        text: &str,
    ) -> (Option<ParsedArticle>, Vec<Problem>) {
        let mut report = Report::new(&format!("{folder}/{path}"));
        let parsed = Self::read(defaults, path, text, &mut report).filter(|_| !report.has_errors());
        // A flow with a fault is still worth reading, so this is asked last.
        if let Some(ParsedArticle { article, body, .. }) = &parsed
            && let Some(start) = &article.matter.flow
        {
            flow::check(article, body, start, &mut report);
        }
        (parsed, report.into_problems())
    }

    fn read(defaults: &Defaults, path: &str, text: &str, report: &mut Report) -> Option<ParsedArticle> {
        let (head, head_line, body, body_line) = yaml::split_or_report(text, report)?;
        let mut matter = FrontMatter::parse(head, head_line, report)?;
        defaults.complete_head(&mut matter);
        Some(Self::assemble(path, matter, body, body_line, report))
    }

    /// An article of a head and a body that are already parted.
    pub fn assemble(
        path: &str,
        matter: FrontMatter,
        body: &str,
        body_line: u32,
        report: &mut Report,
    ) -> ParsedArticle {
        let parsed = markdown::parse(body, body_line, &matter.validity, report);
        let id = files::id_of(path);
        let title = match &matter.title {
            Some(title) => title.text.to_string(),
            None => match parsed.sections.iter().find(|s| !s.heading.is_empty()) {
                Some(section) => section.heading.to_string(),
                None => {
                    let name = id.rsplit('/').next().unwrap_or(&id).to_owned();
                    report.warning(
                        "no-title",
                        Position { line: 1, column: 1 },
                        format!("has no title; its file name `{name}` stands for it"),
                        "add `title: …` to the front matter, or a heading",
                    );
                    name
                }
            },
        };
        let title_at = matter.title.as_ref().map_or(Position { line: body_line, column: 1 }, |t| t.at);
        let title_values = match &matter.title {
            Some(t) => values::references(&t.text)
                .iter()
                .map(|r| ValueUse { name: r.name.into(), at: title_at })
                .collect(),
            None => Vec::new(),
        };
        let lang = matter.lang.or_else(|| folder_lang(&id)).unwrap_or_else(|| lang_of(&title, body));
        let article = Self {
            id,
            path: path.to_owned(),
            title,
            lang,
            sections: parsed.sections,
            links: parsed.links,
            files: parsed.files,
            values: [title_values, parsed.values].concat(),
            body_line,
            matter,
        };
        ParsedArticle { article, body: body.to_owned(), blocks: parsed.blocks }
    }

    /// Its title for readers.
    pub fn title_for(&self, catalog: &Catalog, at: Standpoint<'_>) -> String {
        catalog.expand(&self.title, self.lang, at)
    }

    /// Its own validity.
    pub fn validity(&self) -> &Validity {
        &self.matter.validity
    }

    /// What all its readers may read: what may be put into its text for any of them.
    pub fn readers(&self) -> Clearance {
        Clearance::readers_of(&self.validity().audience)
    }

    /// Whether a section is in force for somebody on a day in a region.
    pub fn section_in_force(&self, section: usize, at: Standpoint<'_>) -> bool {
        self.sections.get(section).is_some_and(|s| s.validity.as_ref().is_none_or(|v| v.in_force(at)))
    }

    /// The number of the section with an anchor.
    pub fn section_at(&self, anchor: &str) -> Option<usize> {
        self.sections.iter().position(|s| &*s.anchor == anchor)
    }

    /// Ids of the products it is about.
    pub fn products(&self) -> impl Iterator<Item = &str> {
        self.matter.products.iter().map(|p| &*p.text)
    }

    /// What the catalogue puts into it on a day, as one number: when it changes, the article must be indexed anew.
    pub fn values_hash(&self, catalog: &Catalog, day: Date) -> u64 {
        if self.values.is_empty() && self.matter.products.is_empty() {
            return 0;
        }
        let clearance = self.readers();
        let at = Standpoint { clearance: &clearance, ..Standpoint::public(day) };
        let mut hasher = blake3::Hasher::new();
        let products = self.products().filter_map(|id| catalog.product(id));
        for title in products.filter(|p| p.is_known_to(&clearance)).flat_map(|p| p.title.all()) {
            hasher.update(title.as_bytes());
            hasher.update(&[0]);
        }
        for value in &self.values {
            let shown = catalog.show(&value.name, self.lang, at);
            hasher.update(shown.as_deref().unwrap_or("\0").as_bytes());
            hasher.update(&[0]);
        }
        u64::from_le_bytes(hasher.finalize().as_bytes()[..8].try_into().unwrap_or_default())
    }

    /// Ids its translations would have: its own path with the language folder exchanged, put in or left out.
    pub fn translation_ids(&self) -> Vec<String> {
        let parts: Vec<&str> = self.id.split('/').collect();
        let at = parts[..parts.len() - 1].iter().position(|p| Lang::of(p).is_some());
        let mut ids = Vec::new();
        for lang in Lang::ALL {
            let mut other = parts.clone();
            match at {
                Some(at) => other[at] = lang.code(),
                None => other.insert(0, lang.code()),
            }
            ids.push(other.join("/"));
        }
        if let Some(at) = at {
            let mut other = parts.clone();
            other.remove(at);
            ids.push(other.join("/"));
        }
        ids.retain(|id| *id != self.id);
        ids
    }

    /// The ids it names in its head: replaced_by and related.
    pub fn named_articles(&self) -> impl Iterator<Item = (&'static str, &Located)> {
        let replaced = self.matter.replaced_by.iter().map(|l| ("replaced_by", l));
        replaced.chain(self.matter.related.iter().map(|l| ("related", l)))
    }
}

/// The language of the first folder that is named for one.
pub fn folder_lang(id: &str) -> Option<Lang> {
    let (folders, _) = id.rsplit_once('/')?;
    folders.split('/').find_map(Lang::of)
}

/// The language most letters are of; a tie is Russian.
pub fn lang_of(title: &str, body: &str) -> Lang {
    let sample = title.chars().chain(body.chars().take(4000));
    let (mut cyrillic, mut latin) = (0_usize, 0_usize);
    for c in sample {
        match c {
            'a'..='z' | 'A'..='Z' => latin += 1,
            c if c.is_alphabetic() && words::is_cyrillic(c.encode_utf8(&mut [0; 4])) => cyrillic += 1,
            _ => {}
        }
    }
    // Russian technical text is full of Latin names; English text holds next to no Cyrillic.
    if cyrillic * 5 >= latin { Lang::Ru } else { Lang::En }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let (_, problems) = Article::parse("articles", "sms/a.md", text);
        problems.into_iter().map(|p| format!("{}:{} {}", p.line, p.column, p.code)).collect()
    }

    #[test]
    fn a_head_is_read_and_its_faults_are_located() {
        let text = "---\ntitle: A\nkind: prodct\nstatsu: draft\nvalid: {from: 2026-13-01}\n---\nbody\n";
        assert_eq!(problems(text), ["3:7 unknown-choice", "5:15 date", "4:1 unknown-key"]);
        assert_eq!(problems("---\ntitle: [a\n---\nbody\n").len(), 1);
        assert_eq!(problems("---\ntitle: a\nbody\n"), ["1:1 front-matter"]);
    }

    #[test]
    fn a_file_without_a_head_takes_its_heading_for_title() {
        let (article, problems) = Article::parse("articles", "en/x.md", "# Night *calls*\n\ntext\n");
        let article = article.unwrap().article;
        assert_eq!((article.title.as_str(), article.lang), ("Night calls", Lang::En));
        assert!(problems.is_empty());
        assert_eq!(article.translation_ids(), ["ru/x", "x"]);
    }
}
