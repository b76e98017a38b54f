//! The analysis of a whole base, and what it says of one text before that is published.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::answers::template::Template;
use crate::answers::templates::Templates;
use crate::content::article::{Article, ParsedArticle};
use crate::content::front_matter::{FrontMatter, Kind, Status};
use crate::content::library::{Library, Slot};
use crate::content::markdown;
use crate::content::problem::{Position, Report, u32_of};
use crate::content::validity::{Standpoint, Validity};
use crate::language::duplicates::{self, ALIKE_PERCENT};
use crate::quality::catalogue::Names;
use crate::quality::extract::{self, Extract, Means, quoted, shingles_of};
use crate::quality::relations::{self, TwinFault};
use crate::quality::statements::{Left, Statement, hash_of};
use crate::quality::{FilePlace, Finding, FindingCode};

/// Texts with fewer words of prose are too short to be measured.
const LEAST_PROSE: u32 = 100;

/// Reading ease below which a text is called hard to read.
const HARD_RU: f64 = 0.0;
const HARD_EN: f64 = 20.0;

/// Words beyond which a sentence is called long.
const LONG_SENTENCE: u32 = 45;

/// What is said in more places is a form of words.
const MOST_PLACES: usize = 40;

/// A statement with so many words speaks for itself, whatever it stands in.
const SELF_CONTAINED: u8 = 9;

/// How much of what two places are about must be the same, in per cent, for a short statement to be about the same thing.
const SAME_SUBJECT_PERCENT: usize = 50;

/// A number that is said by so many times as many places as another one is the rule, and the other the exception.
const MAJORITY: usize = 3;

/// Texts that are compared with one, those whose signatures are most alike.
const COMPARED: usize = 5;

/// What stands in more articles is the pattern they are made after, and makes no two of them the same.
const MOST_SHARING: u32 = 8;

/// Words in a sentence below which a text is not called hard to read, whatever its words: there are no sentences to part.
const LEAST_MEAN: u32 = 10;

/// Rows of a hundred that two signatures must share for their texts to be compared: they estimate the likeness to within some ten.
const LEAST_SHARED: usize = 65;

/// Where time begins, and how long a day is in nanoseconds.
const EPOCH: Date = Date::constant(1970, 1, 1);
const DAY_NS: i64 = 86_400_000_000_000;

/// Findings of one sort that are told of one file.
const MOST_OF_A_FILE: usize = 10;

/// What an analysis is of.
pub struct Base<'a> {
    /// Articles and catalogue.
    pub library: &'a Library,
    /// Answer templates.
    pub templates: &'a Templates,
    /// The name of the folder of the articles, and of that of the templates.
    pub folders: [&'a str; 2],
    /// The day.
    pub day: Date,
    /// The Markdown of an article without its head, by its id.
    pub body: &'a (dyn Fn(&str) -> Option<String> + Sync),
}

impl std::fmt::Debug for Base<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Base").field("day", &self.day).finish_non_exhaustive()
    }
}

/// What is kept from one analysis to the next, so that only what changed is read again.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// By the article's id.
    extracts: HashMap<String, Arc<Extract>>,
    /// How much two texts have in common, in per cent, by their keys.
    alike: FxHashMap<(u64, u64), u32>,
}

/// A text among the others.
#[derive(Clone, Debug)]
struct Entry {
    file: String,
    /// The article's id; none: a body of a template.
    id: Option<String>,
    /// The line on which the body begins.
    first_line: u32,
    owner: Option<String>,
    validity: Validity,
    products: Vec<String>,
    /// Whether what it says holds today: archived texts and news say what was.
    holds: bool,
    extract: Arc<Extract>,
}

/// A whole base, analysed.
#[derive(Debug, Default)]
pub struct Analysis {
    findings: Vec<Finding>,
    entries: Vec<Entry>,
    /// Statements by key: the entry and the number of the statement.
    stated: Vec<(u64, u32, u32)>,
    /// Entries by the bands of their signatures.
    bands: Vec<(u64, u32)>,
    /// Shingles that many articles share.
    common: FxHashSet<u32>,
    names: Names,
}

/// A number of what an extract depends on.
fn key_of(parts: &[&[u8]]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    u64::from_le_bytes(hasher.finalize().as_bytes()[..8].try_into().unwrap_or_default())
}

fn holds(matter: &FrontMatter) -> bool {
    matter.status == Status::Active && matter.kind != Kind::News
}

impl Analysis {
    /// Analyses a base. What is remembered of it is not read again.
    pub fn of(base: &Base<'_>, memory: &Memory) -> Self {
        let mut analysis = Self { names: Names::of(&base.library.catalog), ..Self::default() };
        analysis.read(base, memory);
        for (number, entry) in analysis.entries.iter().enumerate() {
            let number = u32_of(number);
            if entry.holds {
                let stated = entry.extract.statements.iter().enumerate();
                analysis.stated.extend(stated.map(|(at, statement)| (statement.key, number, u32_of(at))));
            }
            if let Some(signature) = entry.extract.signature.as_ref().filter(|_| entry.id.is_some()) {
                analysis.bands.extend(duplicates::bands(signature).map(|band| (band, number)));
            }
        }
        analysis.stated.sort_unstable();
        analysis.bands.sort_unstable();
        analysis.common = shared_by_many(&analysis.entries);
        let mut found = Vec::new();
        for entry in &analysis.entries {
            found.extend(own_findings(entry));
        }
        found.extend(analysis.contradictions(base));
        found.extend(analysis.twice(base, memory));
        found.extend(related(base));
        found.sort();
        found.dedup();
        analysis.findings = bounded(found);
        analysis
    }

    /// Everything that was found, by code and file.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Reads all texts that are not remembered.
    fn read(&mut self, base: &Base<'_>, memory: &Memory) {
        let catalogue = catalogue_key(base);
        let articles: Vec<(Slot, &Arc<Article>, u64)> = base
            .library
            .articles()
            .filter_map(|(slot, article)| {
                let source = base.library.source(slot)?;
                let key = key_of(&[
                    &source.hash,
                    &source.defaults_hash.to_le_bytes(),
                    article.path.as_bytes(),
                    &catalogue,
                ]);
                Some((slot, article, key))
            })
            .collect();
        let known: Vec<Option<Arc<Extract>>> = {
            let remembered = memory.0.lock().unwrap_or_else(PoisonError::into_inner);
            let known = articles.iter().map(|(_, article, key)| {
                remembered.extracts.get(&article.id).filter(|extract| extract.key == *key).cloned()
            });
            known.collect()
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 4);
        let names = &self.names;
        let share = articles.len().div_ceil(threads).max(1);
        let read: Vec<Option<Arc<Extract>>> = std::thread::scope(|scope| {
            let parts = articles.chunks(share).zip(known.chunks(share));
            let workers: Vec<_> = parts
                .map(|(articles, known)| {
                    scope.spawn(move || {
                        let means = means(base, names);
                        let read = articles.iter().zip(known).map(|((_, article, key), known)| match known {
                            Some(known) => Some(Arc::clone(known)),
                            None => read_article(base, article, *key, &means).map(Arc::new),
                        });
                        read.collect::<Vec<_>>()
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
        });
        let mut extracts = HashMap::new();
        for ((_, article, _), extract) in articles.iter().zip(read) {
            let Some(extract) = extract else { continue };
            extracts.insert(article.id.clone(), Arc::clone(&extract));
            self.entries.push(entry_of(base, article, extract));
        }
        memory.0.lock().unwrap_or_else(PoisonError::into_inner).extracts = extracts;
        let means = means(base, &self.names);
        for template in base.templates.all() {
            self.entries.extend(entries_of_template(base, template, &means));
        }
    }

    /// Places that say the same with another number or code.
    fn contradictions(&self, base: &Base<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        for group in self.stated.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
            let places: Vec<(&Entry, &Statement)> =
                group.iter().filter_map(|(_, entry, at)| self.statement(*entry, *at)).collect();
            for (one, other) in contradicting(&places) {
                found.extend(contradiction(base, places[one], places[other]));
            }
        }
        found
    }

    fn statement(&self, entry: u32, at: u32) -> Option<(&Entry, &Statement)> {
        let entry = self.entries.get(entry as usize)?;
        Some((entry, entry.extract.statements.get(at as usize)?))
    }

    /// Articles that are nearly the same as one that stands before them.
    fn twice(&self, base: &Base<'_>, memory: &Memory) -> Vec<Finding> {
        let mut shingles: HashMap<u32, FxHashSet<u64>> = HashMap::new();
        let mut alike = FxHashMap::default();
        let mut found = Vec::new();
        let known = std::mem::take(&mut memory.0.lock().unwrap_or_else(PoisonError::into_inner).alike);
        for (number, entry) in self.entries.iter().enumerate().filter(|(_, entry)| entry.holds) {
            let number = u32_of(number);
            let candidates = self.candidates(entry, |other| other < number);
            let likeness = |other: u32| {
                let keys = (entry.extract.key, self.entries[other as usize].extract.key);
                let percent = known.get(&keys).copied().unwrap_or_else(|| {
                    for one in [number, other] {
                        shingles.entry(one).or_insert_with(|| self.shingles(base, one));
                    }
                    duplicates::percent_alike(&shingles[&number], &shingles[&other])
                });
                alike.insert(keys, percent);
                percent
            };
            found.extend(self.most_alike(entry, candidates, likeness));
        }
        memory.0.lock().unwrap_or_else(PoisonError::into_inner).alike = alike;
        found
    }

    /// What is told of the one of several that a text is most alike, if it is nearly the same. `likeness`: what they have in common, in per cent.
    fn most_alike(
        &self,
        entry: &Entry,
        candidates: Vec<u32>,
        mut likeness: impl FnMut(u32) -> u32,
    ) -> Option<Finding> {
        let mut best: Option<(u32, u32)> = None;
        for other in candidates {
            let percent = likeness(other);
            if self.is_alike(entry, other, percent) && best.is_none_or(|(most, _)| percent > most) {
                best = Some((percent, other));
            }
        }
        best.map(|(percent, other)| alike_finding(entry, &self.entries[other as usize], percent))
    }

    /// Whether a text is nearly the same as another one, with which it has so much in common, and not only made after the same pattern.
    fn is_alike(&self, entry: &Entry, other: u32, percent: u32) -> bool {
        let samples = (&entry.extract.sample, &self.entries[other as usize].extract.sample);
        let own = || duplicates::percent_alike_but(samples.0, samples.1, &self.common);
        percent == 100 || percent >= ALIKE_PERCENT && own().is_some_and(|own| own >= ALIKE_PERCENT)
    }

    fn shingles(&self, base: &Base<'_>, entry: u32) -> FxHashSet<u64> {
        let id = self.entries[entry as usize].id.as_deref();
        id.and_then(base.body).map_or_else(FxHashSet::default, |body| shingles_of(&body))
    }

    /// Entries that may be nearly the same as one and may be read together with it: the most alike by their signatures.
    fn candidates(&self, entry: &Entry, is_asked: impl Fn(u32) -> bool) -> Vec<u32> {
        let Some(signature) = &entry.extract.signature else { return Vec::new() };
        let mut near: Vec<u32> = Vec::new();
        for band in duplicates::bands(signature) {
            let from = self.bands.partition_point(|(own, _)| *own < band);
            let same = self.bands[from..].iter().take_while(|(own, _)| *own == band).map(|(_, other)| *other);
            near.extend(same.filter(|other| is_asked(*other)));
        }
        near.sort_unstable();
        near.dedup();
        let mut scored: Vec<(usize, u32)> = near
            .into_iter()
            .filter_map(|number| {
                let other = &self.entries[number as usize];
                let fits = other.holds
                    && other.id != entry.id
                    && other.extract.lang == entry.extract.lang
                    && other.validity.meets(&entry.validity);
                let theirs = other.extract.signature.as_ref().filter(|_| fits)?;
                let shared = signature.iter().zip(theirs.iter()).filter(|(a, b)| a == b).count();
                (shared >= LEAST_SHARED).then_some((shared, number))
            })
            .collect();
        scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.truncate(COMPARED);
        scored.into_iter().map(|(_, number)| number).collect()
    }

    /// What is to be said of an article before it is published.
    pub fn advise_article(&self, base: &Base<'_>, parsed: &ParsedArticle) -> Vec<Finding> {
        let article = &parsed.article;
        let about: Vec<&str> = article.products().collect();
        let extract = Extract::of(parsed, &about, 0, &means(base, &self.names));
        let entry = entry_of(base, article, Arc::new(extract));
        let mut found = self.advise(base, &[(entry.clone(), parsed.body.as_str())]);
        let own = shingles_of(&parsed.body);
        let candidates = self.candidates(&entry, |_| entry.holds);
        let likeness = |other: u32| duplicates::percent_alike(&own, &self.shingles(base, other));
        found.extend(self.most_alike(&entry, candidates, likeness));
        found
    }

    /// What is to be said of an answer template before it is published.
    pub fn advise_template(&self, base: &Base<'_>, template: &Template) -> Vec<Finding> {
        let entries = entries_of_template(base, template, &means(base, &self.names));
        let bodies: Vec<(Entry, &str)> =
            entries.into_iter().zip(template.bodies.iter().map(|body| body.source.as_str())).collect();
        self.advise(base, &bodies)
    }

    fn advise(&self, base: &Base<'_>, texts: &[(Entry, &str)]) -> Vec<Finding> {
        let mut found = Vec::new();
        for (entry, body) in texts {
            found.extend(own_findings(entry));
            for statement in entry.extract.statements.iter().filter(|_| entry.holds) {
                let from = self.stated.partition_point(|(key, ..)| *key < statement.key);
                let same = self.stated[from..].iter().take_while(|(key, ..)| *key == statement.key);
                let others = same
                    .filter_map(|(_, other, at)| self.statement(*other, *at))
                    .filter(|(other, _)| other.file != entry.file);
                // What the text says elsewhere itself counts as well: who says two things of one label means two things.
                let own = entry
                    .extract
                    .statements
                    .iter()
                    .filter(|other| other.key == statement.key && other.at != statement.at);
                let places: Vec<(&Entry, &Statement)> = [(entry, statement)]
                    .into_iter()
                    .chain(own.map(|other| (entry, other)))
                    .chain(others)
                    .collect();
                let pair = contradicting(&places).into_iter().find(|(one, other)| *one == 0 || *other == 0);
                let other = pair.map(|(one, other)| if one == 0 { other } else { one });
                found.extend(other.and_then(|other| {
                    let place = position(body, entry, statement.at);
                    contradiction_at(base, (entry, statement), place, places[other])
                }));
            }
        }
        found.sort();
        found.dedup();
        bounded(found)
    }
}

/// The shingles, of those that are counted, that many articles in force share.
fn shared_by_many(entries: &[Entry]) -> FxHashSet<u32> {
    let mut times: FxHashMap<u32, u32> = FxHashMap::default();
    for entry in entries.iter().filter(|entry| entry.holds && entry.id.is_some()) {
        for shingle in &entry.extract.sample {
            *times.entry(*shingle).or_default() += 1;
        }
    }
    times.into_iter().filter(|(_, times)| *times > MOST_SHARING).map(|(shingle, _)| shingle).collect()
}

/// Whether two files stand in parallel: folders of two products with a file of the same name, as `sms/limits.md` and `calls/limits.md`. What
/// such articles say in the same words they say of different things.
fn is_parallel(one: &str, other: &str) -> bool {
    let (one, other): (Vec<&str>, Vec<&str>) = (one.split('/').collect(), other.split('/').collect());
    let differing = one.iter().zip(&other).filter(|(one, other)| one != other).count();
    one.len() == other.len() && one.last() == other.last() && differing == 1
}

/// Reads with all values of today.
fn means<'a>(base: &Base<'a>, names: &'a Names) -> Means<'a> {
    Means { catalog: &base.library.catalog, names, at: Standpoint::keeper(base.day) }
}

/// What of catalogue and day extracts depend on.
fn catalogue_key(base: &Base<'_>) -> Vec<u8> {
    let mut key = Vec::new();
    for (path, file) in base.library.catalog.files() {
        key.extend(path.as_bytes());
        key.extend(file.hash);
    }
    if !key.is_empty() {
        key.extend(base.day.to_string().as_bytes());
    }
    key
}

fn read_article(base: &Base<'_>, article: &Article, key: u64, means: &Means<'_>) -> Option<Extract> {
    let body = (base.body)(&article.id)?;
    let mut report = Report::new(&article.path);
    let parsed = markdown::parse(&body, article.body_line, article.validity(), &mut report);
    let parsed = ParsedArticle { article: article.clone(), body, blocks: parsed.blocks };
    let about: Vec<&str> = article.products().collect();
    Some(Extract::of(&parsed, &about, key, means))
}

fn entry_of(base: &Base<'_>, article: &Article, extract: Arc<Extract>) -> Entry {
    Entry {
        file: format!("{}/{}", base.folders[0], article.path),
        id: Some(article.id.clone()),
        first_line: article.body_line,
        owner: article.matter.owner.clone(),
        validity: article.validity().clone(),
        products: article.products().map(str::to_owned).collect(),
        holds: holds(&article.matter),
        extract,
    }
}

/// The bodies of a template, each read as an article of its own.
fn entries_of_template(base: &Base<'_>, template: &Template, means: &Means<'_>) -> Vec<Entry> {
    let about: Vec<&str> = template.products.iter().map(|named| &*named.text).collect();
    let path = format!("{}.md", template.id);
    let made = template.bodies.iter().map(|body| {
        let mut report = Report::new(&path);
        let parsed = markdown::parse(&body.source, body.line, &template.validity, &mut report);
        let matter = FrontMatter { validity: template.validity.clone(), ..FrontMatter::default() };
        let article = Article {
            id: template.id.clone(),
            path: path.clone(),
            title: template.title.clone(),
            lang: template.lang,
            matter,
            sections: parsed.sections,
            links: Vec::new(),
            files: Vec::new(),
            values: Vec::new(),
            body_line: body.line,
        };
        let parsed = ParsedArticle { article, body: body.source.clone(), blocks: parsed.blocks };
        let mut extract = Extract::of(&parsed, &about, hash_of(body.source.as_bytes()), means);
        // What is said to one customer is short, and of the same words as its article.
        extract.signature = None;
        Entry {
            file: format!("{}/{path}", base.folders[1]),
            id: None,
            first_line: body.line,
            owner: template.owner.clone(),
            validity: template.validity.clone(),
            products: about.iter().map(|id| (*id).to_owned()).collect(),
            holds: template.status == Status::Active,
            extract: Arc::new(extract),
        }
    });
    made.collect()
}

/// What can be said of a text without the others.
fn own_findings(entry: &Entry) -> Vec<Finding> {
    let mut found = Vec::new();
    let make = |code, Position { line, column }, message, hint: &str, other| Finding {
        code,
        file: entry.file.clone(),
        line,
        column,
        message,
        hint: hint.to_owned(),
        other,
        owner: entry.owner.clone(),
    };
    for (said, at) in entry.extract.said.iter().filter(|_| entry.holds) {
        let (file, line) = said.product.clone();
        let other = Some(FilePlace { file, line });
        let name = &said.name;
        found.push(match &said.instead {
            Some(instead) => make(
                FindingCode::ConflictValue,
                *at,
                format!("says `{}` where the catalogue says `{instead}` (`{name}`)", said.shown),
                &format!("correct one of the two; `{{{{ {name} }}}}` stands for the value of the catalogue"),
                other,
            ),
            None => make(
                FindingCode::HardCodedValue,
                *at,
                format!("`{}` is written out, and a value of the catalogue", said.shown),
                &format!("write `{{{{ {name} }}}}`: it follows the catalogue"),
                other,
            ),
        });
    }
    let extract = &entry.extract;
    if entry.id.is_none() || !entry.holds {
        return found;
    }
    let (formula, hard) = match extract.prose.is_russian() {
        true => ("Oborneva's formula", HARD_RU),
        false => ("Flesch's formula", HARD_EN),
    };
    let (ease, mean) = (extract.prose.ease(), extract.prose.words / extract.prose.sentences.max(1));
    if extract.prose.words >= LEAST_PROSE && mean >= LEAST_MEAN && ease < hard {
        found.push(make(
            FindingCode::HardToRead,
            Position { line: entry.first_line, column: 1 },
            format!("is hard to read: reading ease {ease:.0} by {formula}, {mean} words in a sentence"),
            "part long sentences, and say with verbs and short words what is said with long nouns",
            None,
        ));
    }
    if extract.longest.words > LONG_SENTENCE {
        found.push(make(
            FindingCode::LongSentence,
            extract.longest.at,
            format!("has a sentence of {} words", extract.longest.words),
            &format!("part it; above {LONG_SENTENCE} words hardly anybody keeps the beginning in mind"),
            None,
        ));
    }
    found
}

fn position(body: &str, entry: &Entry, at: u32) -> Position {
    Position::of(body, at as usize, entry.first_line)
}

/// Which places of those that say the same contradict which others. Each place that is in the minority is told once.
fn contradicting(places: &[(&Entry, &Statement)]) -> Vec<(usize, usize)> {
    if places.len() > MOST_PLACES {
        return Vec::new();
    }
    let mut by_value: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, (_, statement)) in places.iter().enumerate() {
        by_value.entry(statement.value).or_default().push(at);
    }
    if by_value.len() != 2 {
        // One value: no contradiction. Three and more: the label does not say which thing is meant.
        return Vec::new();
    }
    let mut values: Vec<Vec<usize>> = by_value.into_values().collect();
    values.sort_by_key(|at| (at.len(), std::cmp::Reverse(at.first().copied())));
    let (few, many) = (&values[0], &values[1]);
    // Who says both of one label means two things by it.
    if few.iter().any(|one| many.iter().any(|other| places[*one].0.file == places[*other].0.file)) {
        return Vec::new();
    }
    let is_rule = many.len() >= MAJORITY * few.len();
    let pairs = few.iter().filter_map(|one| {
        let other = many.iter().find(|other| is_same_thing(places[*one], places[**other], is_rule))?;
        Some((*one, *other))
    });
    pairs.collect()
}

/// Whether two places with the same words are about the same thing, and can be read by one reader on one day.
fn is_same_thing(one: (&Entry, &Statement), other: (&Entry, &Statement), is_rule: bool) -> bool {
    let ((one, stated), (other, too)) = (one, other);
    let grounds =
        (one.extract.grounds.get(stated.section as usize), other.extract.grounds.get(too.section as usize));
    let (Some(ground), Some(ground_too)) = grounds else { return false };
    if is_parallel(&one.file, &other.file) {
        return false;
    }
    let validity = |entry: &Entry, ground: &extract::Ground| {
        ground.validity.as_deref().cloned().unwrap_or_else(|| entry.validity.clone())
    };
    if !validity(one, ground).meets(&validity(other, ground_too)) {
        return false;
    }
    if !one.products.is_empty() && !other.products.is_empty() {
        let shared = one.products.iter().any(|product| other.products.contains(product));
        // Of one of several products a short label may be said.
        return shared && (stated.words >= SELF_CONTAINED || one.products == other.products);
    }
    let common =
        ground.subject.iter().filter(|lemma| ground_too.subject.binary_search(lemma).is_ok()).count();
    let all = ground.subject.len() + ground_too.subject.len() - common;
    let is_same_subject = common * 100 >= all * SAME_SUBJECT_PERCENT && all > 0;
    is_same_subject
        || stated.words >= SELF_CONTAINED && stated.left != Left::Cell
        || is_rule && stated.left != Left::Cell
}

fn contradiction(base: &Base<'_>, one: (&Entry, &Statement), other: (&Entry, &Statement)) -> Option<Finding> {
    let body = body_of(base, one.0)?;
    contradiction_at(base, one, position(&body, one.0, one.1.at), other)
}

fn contradiction_at(
    base: &Base<'_>,
    (entry, statement): (&Entry, &Statement),
    at: Position,
    (other, said): (&Entry, &Statement),
) -> Option<Finding> {
    let body = body_of(base, other)?;
    let place = position(&body, other, said.at);
    let is_code = matches!(statement.left, Left::Ussd | Left::Phone);
    Some(Finding {
        code: if is_code { FindingCode::ConflictCode } else { FindingCode::ConflictStatement },
        file: entry.file.clone(),
        line: at.line,
        column: at.column,
        message: format!("says `{}`, and {}:{} says `{}`: {}", statement.shown, other.file, place.line, said.shown, quoted(&body, said.at as usize)),
        hint: "let both say the same, say what is different between the two, or write a reference to the catalogue".to_owned(),
        other: Some(FilePlace { file: other.file.clone(), line: place.line }),
        owner: entry.owner.clone(),
    })
}

/// The text of an entry: of an article from where those are kept, of a template from its body.
fn body_of(base: &Base<'_>, entry: &Entry) -> Option<String> {
    match &entry.id {
        Some(id) => (base.body)(id),
        None => {
            let path = entry.file.strip_prefix(base.folders[1])?.trim_start_matches('/');
            let template = base.templates.find(path.strip_suffix(".md")?)?;
            template.bodies.iter().find(|body| body.line == entry.first_line).map(|body| body.source.clone())
        }
    }
}

fn alike_finding(entry: &Entry, other: &Entry, percent: u32) -> Finding {
    Finding {
        code: FindingCode::NearDuplicate,
        file: entry.file.clone(),
        line: entry.first_line,
        column: 1,
        message: format!("has {percent} % of its text in common with {}", other.file),
        hint: "keep one of the two and link to it, or say in the heads for which regions, days or readers each holds".to_owned(),
        other: Some(FilePlace { file: other.file.clone(), line: other.first_line }),
        owner: entry.owner.clone(),
    }
}

/// What is wrong between articles.
fn related(base: &Base<'_>) -> Vec<Finding> {
    let library = base.library;
    let make = |slot: Slot, code, message: String, hint: &str, other: Option<Slot>| {
        let article = library.article(slot)?;
        let place = |slot| {
            library
                .article(slot)
                .map(|article| FilePlace { file: format!("{}/{}", base.folders[0], article.path), line: 0 })
        };
        Some(Finding {
            code,
            file: format!("{}/{}", base.folders[0], article.path),
            line: 0,
            column: 0,
            message,
            hint: hint.to_owned(),
            other: other.and_then(place),
            owner: article.matter.owner.clone(),
        })
    };
    let alone = relations::orphans(library, base.templates).into_iter().filter_map(|slot| {
        let message = "no link, article, template, product or pin leads here".to_owned();
        make(
            slot,
            FindingCode::Orphan,
            message,
            "name it under `related` of an article it belongs to, link to it, or archive it",
            None,
        )
    });
    let changed_ns = |slot: Slot| {
        let verified = library
            .article(slot)
            .and_then(|article| article.matter.verified.as_deref())
            .and_then(|day| day.parse::<Date>().ok());
        let days =
            verified.and_then(|day| EPOCH.until(day).ok()).map_or(0, |span| i64::from(span.get_days()));
        let verified = days.saturating_mul(DAY_NS);
        library.source(slot).map_or(0, |source| source.stamp.modified_ns).max(verified)
    };
    let twins = relations::twin_faults(library, changed_ns).into_iter().filter_map(|(slot, fault)| match fault {
        TwinFault::Missing { lang, having, of, perhaps } => {
            let language = lang.either("Russian", "English");
            let message = format!("has no {language} translation; {having} of {of} articles of this folder and language have one");
            let other = perhaps.and_then(|slot| library.article(slot)).map(|other| format!("{}/{}", base.folders[0], other.path));
            let hint = match other {
                Some(other) => format!("{other} seems to be it: give both the same path but for the folder of the language"),
                None => "translate it: the same path with the folder of the language in it".to_owned(),
            };
            make(slot, FindingCode::MissingTranslation, message, &hint, perhaps)
        }
        TwinFault::Outdated { original, changed_ns } => {
            let day = Timestamp::from_nanosecond(i128::from(changed_ns)).map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default();
            let file = library.article(original).map(|article| article.path.clone()).unwrap_or_default();
            let message = format!("is older than what it translates: {}/{file} was changed on {day}", base.folders[0]);
            make(slot, FindingCode::OutdatedTranslation, message, "bring it up to date, or note by `verified` that it is", Some(original))
        }
    });
    alone.chain(twins).collect()
}

/// Only the first of many findings of one sort in one file.
fn bounded(found: Vec<Finding>) -> Vec<Finding> {
    let mut counted: HashMap<(FindingCode, String), usize> = HashMap::new();
    let mut kept = Vec::with_capacity(found.len());
    for finding in found {
        let count = counted.entry((finding.code, finding.file.clone())).or_default();
        *count += 1;
        if *count <= MOST_OF_A_FILE {
            kept.push(finding);
        }
    }
    kept
}
