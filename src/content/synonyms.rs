//! Words that mean the same to readers: the editors' `synonyms.yaml` over a list that is shipped.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::OnceLock;

use crate::content::problem::{Position, Problem, Report};
use crate::content::yaml::{self, Fields};
use crate::language::{morphology, words};

/// The file, below the articles folder.
pub const SYNONYMS_FILE: &str = "synonyms.yaml";

/// Names of things and brands everybody writes as they hear them; the editors' file can switch groups off.
const SHIPPED: &str = include_str!("synonyms.yaml");

/// Lemmas that are found in a query, and the texts that stand for them.
type Entry = (Vec<String>, Vec<String>);

/// Words that mean the same, ready to be looked up by lemma.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Synonyms {
    /// By the first lemma of what is found in a query: all its lemmas, and the texts that stand for it.
    by_first: HashMap<String, Vec<Entry>>,
    /// One word for each group of single words that mean the same, by their lemmas.
    canonical: HashMap<String, String>,
    /// Lemmas that are parted from their derivational families.
    apart: HashSet<String>,
    /// Queries (their lemmas, sorted) and the articles pinned to them.
    pins: BTreeMap<Vec<String>, Vec<String>>,
}

/// What stands in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SynonymsFile {
    groups: Vec<Vec<String>>,
    one_way: Vec<(Vec<String>, Vec<String>)>,
    apart: Vec<String>,
    without: Vec<String>,
    /// What is pinned.
    pub pins: Vec<Pin>,
}

/// Queries, the articles pinned to them, and where those are named.
pub type Pin = (Vec<String>, Vec<(String, Position)>);

impl SynonymsFile {
    /// Reads a file. What is wrong with it is told; the rest of it counts.
    pub fn parse(file: &str, text: &str) -> (Option<Self>, Vec<Problem>) {
        let mut report = Report::new(file);
        let read = Self::read(text, &mut report);
        (read, report.into_problems())
    }

    fn read(text: &str, report: &mut Report) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self::default());
        }
        let node = yaml::parse(text, 1, report)?;
        let mut fields = Fields::of(node, "synonyms", report);
        let mut file =
            Self { apart: fields.texts("apart"), without: fields.texts("without"), ..Self::default() };
        let (groups, one_way, pins) = (fields.node("groups"), fields.node("one_way"), fields.node("pins"));
        fields.finish("synonyms");
        for (group, at) in groups.iter().flat_map(yaml::items) {
            let words = yaml::texts(&group);
            if words.len() < 2 {
                report.warning(
                    "synonyms",
                    at,
                    "a group of fewer than two words says nothing".to_owned(),
                    "write `- [симка, сим-карта]`",
                );
            } else {
                file.groups.push(words);
            }
        }
        for (node, at) in one_way.iter().flat_map(yaml::items) {
            let mut fields = Fields::of(node, "one_way", report);
            let pair = (fields.texts("from"), fields.texts("to"));
            fields.finish("one_way");
            if pair.0.is_empty() || pair.1.is_empty() {
                report.warning(
                    "synonyms",
                    at,
                    "one of `from` and `to` is missing",
                    "write `- {from: [дорого], to: [цена]}`",
                );
            } else {
                file.one_way.push(pair);
            }
        }
        for (node, at) in pins.iter().flat_map(yaml::items) {
            let mut fields = Fields::of(node, "pins", report);
            let pin = (fields.texts("query"), fields.list("articles"));
            fields.finish("pins");
            if pin.0.is_empty() || pin.1.is_empty() {
                report.warning(
                    "synonyms",
                    at,
                    "one of `query` and `articles` is missing",
                    "write `- {query: [вход], articles: [account/overview]}`",
                );
            } else {
                file.pins.push(pin);
            }
        }
        // Of a file that is none the last good one stays.
        (!report.has_errors()).then_some(file)
    }
}

impl Synonyms {
    /// The shipped list, and over it what the editors say.
    pub fn of(editors: &SynonymsFile) -> Self {
        let without: HashSet<Vec<String>> = editors.without.iter().map(|text| lemmas(text)).collect();
        let mut made = Self::default();
        for file in [shipped(), editors] {
            for group in &file.groups {
                let group: Vec<&String> =
                    group.iter().filter(|text| !without.contains(&lemmas(text))).collect();
                made.unite(&group);
                for text in &group {
                    let others = group.iter().filter(|other| *other != text).map(|other| (*other).clone());
                    made.add(text, others.collect());
                }
            }
            for (from, to) in &file.one_way {
                from.iter().for_each(|text| made.add(text, to.clone()));
            }
        }
        made.apart = editors.apart.iter().flat_map(|text| lemmas(text)).collect();
        for (queries, articles) in &editors.pins {
            for query in queries {
                let ids = articles.iter().map(|(id, _)| id.clone());
                made.pins.entry(query_key(query)).or_default().extend(ids);
            }
        }
        made
    }

    /// Gives the single words of a group one name: the one that some of them have already, or the first.
    fn unite(&mut self, group: &[&String]) {
        let singles: Vec<String> =
            group.iter().filter_map(|text| <[String; 1]>::try_from(lemmas(text)).ok()).map(|[l]| l).collect();
        let name = singles.iter().find_map(|lemma| self.canonical.get(lemma)).or(singles.first()).cloned();
        for lemma in singles {
            if let Some(name) = &name {
                self.canonical.entry(lemma).or_insert_with(|| name.clone());
            }
        }
    }

    /// The one word that stands for all that mean the same as this lemma.
    pub fn canonical<'a>(&'a self, lemma: &'a str) -> &'a str {
        self.canonical.get(lemma).map_or(lemma, String::as_str)
    }

    fn add(&mut self, from: &str, to: Vec<String>) {
        let from = lemmas(from);
        if let Some(first) = from.first() {
            self.by_first.entry(first.clone()).or_default().push((from, to));
        }
    }

    /// Where in a query, given by lemmas, something stands that has synonyms, and those.
    pub fn find(&self, query: &[String]) -> Vec<(Range<usize>, &[String])> {
        let mut found = Vec::new();
        for (at, first) in query.iter().enumerate() {
            for (from, to) in self.by_first.get(first).into_iter().flatten() {
                if query[at..].starts_with(from) {
                    found.push((at..at + from.len(), to.as_slice()));
                }
            }
        }
        found
    }

    /// Whether two lemmas of one derivational family may stand for each other.
    pub fn are_family(&self, lemma: &str, other: &str) -> bool {
        !self.apart.contains(lemma) && !self.apart.contains(other)
    }

    /// Ids of the articles that editors want first for a query.
    pub fn pinned(&self, query: &str) -> &[String] {
        if self.pins.is_empty() {
            return &[];
        }
        self.pins.get(&query_key(query)).map_or(&[], Vec::as_slice)
    }
}

/// The shipped list, read once: the catalogue is made anew with every change of it.
fn shipped() -> &'static SynonymsFile {
    static SHIPPED_FILE: OnceLock<SynonymsFile> = OnceLock::new();
    SHIPPED_FILE.get_or_init(|| SynonymsFile::parse(SYNONYMS_FILE, SHIPPED).0.unwrap_or_default())
}

fn lemmas(text: &str) -> Vec<String> {
    let found = words::words(text);
    let has_meaning = found.iter().any(|w| !words::is_stop_word(&w.form));
    let kept = found.into_iter().filter(|w| !has_meaning || !words::is_stop_word(&w.form));
    kept.map(|w| morphology::lemma(&w.form)).collect()
}

/// Word order and forms do not matter to a pin.
fn query_key(query: &str) -> Vec<String> {
    let mut key = lemmas(query);
    key.sort();
    key.dedup();
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_list_is_sound() {
        let (file, problems) = SynonymsFile::parse(SYNONYMS_FILE, SHIPPED);
        assert!(problems.is_empty(), "{problems:?}");
        assert!(file.unwrap().groups.len() > 50);
    }

    #[test]
    fn editors_words_go_over_the_shipped_ones() {
        let text = "groups:\n- [абонплата, абонентская плата]\none_way:\n- {from: [дорого], to: [цена]}\n\
                    apart: [проверка]\nwithout: [вайфай]\npins:\n- {query: [как уйти], articles: [account/delete]}\n";
        let (file, problems) = SynonymsFile::parse("synonyms.yaml", text);
        assert!(problems.is_empty(), "{problems:?}");
        let synonyms = Synonyms::of(&file.unwrap());
        let find = |query: &str| -> Vec<String> {
            synonyms.find(&lemmas(query)).into_iter().flat_map(|(_, to)| to.to_vec()).collect()
        };
        assert_eq!(find("какая абонентская плата"), ["абонплата"]);
        assert_eq!(find("дорого"), ["цена"]);
        assert!(find("цена").is_empty());
        assert!(find("вайфай").is_empty());
        assert!(!synonyms.are_family("проверка", "проверить"));
        assert_eq!(synonyms.pinned("уйти"), ["account/delete"]);
    }

    #[test]
    fn faults_are_located() {
        let (_, problems) = SynonymsFile::parse("synonyms.yaml", "groups:\n- [одно]\nfoo: 1\n");
        let found: Vec<(u32, &str)> = problems.iter().map(|p| (p.line, &*p.code)).collect();
        assert_eq!(found, [(3, "unknown-key"), (2, "synonyms")]);
    }
}
