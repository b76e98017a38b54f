//! Known-item search: articles sought by the words of their titles, as they are, with a typo, on the other keyboard layout, and cut off.
//!
//! `cargo run --release --example known_item -- FOLDER...` reads the Markdown below each folder, draws articles whose titles no other
//! article of the folder has, and seeks each with Pharos and with plain tantivy (default analyser; fuzzy terms for typos, a prefix for the
//! last word) in the same run. Queries are made with a fixed seed, so two runs ask the same.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program for developers")]

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use pharos::app::loader::Loader;
use pharos::app::progress::Progress;
use pharos::app::snapshot::Folders;
use pharos::clock::Clock;
use pharos::language::{layout, words};
use pharos::search::engine::{Engine, Request};
use pharos::search::filter::Filter;
use pharos::settings::Settings;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, STORED, STRING, Schema, TEXT, Value};
use tantivy::{Index, Searcher, TantivyDocument, Term, doc};

const SEED: u64 = 20_261_123;
const SAMPLE: usize = 500;
const MAX_WORDS: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Plain,
    Typo,
    Layout,
    Prefix,
}

struct Plain {
    searcher: Searcher,
    id: Field,
    title: Field,
    body: Field,
}

impl Plain {
    fn of(engine: &Engine) -> Self {
        let mut builder = Schema::builder();
        let id = builder.add_text_field("id", STRING | STORED);
        let title = builder.add_text_field("title", TEXT);
        let body = builder.add_text_field("body", TEXT);
        let index = Index::create_in_ram(builder.build());
        let mut writer = index.writer(200_000_000).unwrap();
        for (_, article) in engine.library.articles() {
            let text = engine.reader.source(&article.id).unwrap().unwrap_or_default();
            writer
                .add_document(doc!(id => article.id.as_str(), title => article.title.as_str(), body => text))
                .unwrap();
        }
        writer.commit().unwrap();
        let segments = index.searchable_segment_ids().unwrap();
        writer.merge(&segments).wait().unwrap();
        Self { searcher: index.reader().unwrap().searcher(), id, title, body }
    }

    fn search(&self, text: &str, way: Way) -> Vec<String> {
        let words: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(str::to_lowercase)
            .collect();
        let mut parts: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        for (number, word) in words.iter().enumerate() {
            for field in [self.title, self.body] {
                let term = Term::from_field_text(field, word);
                let query: Box<dyn Query> = match way {
                    Way::Typo => Box::new(FuzzyTermQuery::new(term, 1, true)),
                    Way::Prefix if number + 1 == words.len() => {
                        Box::new(FuzzyTermQuery::new_prefix(term, 0, true))
                    }
                    _ => Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)),
                };
                parts.push((Occur::Should, query));
            }
        }
        let found = self
            .searcher
            .search(&BooleanQuery::new(parts), &TopDocs::with_limit(10).order_by_score())
            .unwrap();
        let id = |address| {
            let document: TantivyDocument = self.searcher.doc(address).unwrap();
            document.get_first(self.id).and_then(|v| v.as_str().map(str::to_owned)).unwrap()
        };
        found.into_iter().map(|(_, address)| id(address)).collect()
    }
}

/// One slip in one of the longer words: a letter left out, doubled, exchanged for another of the word's script, or swapped with the next.
fn with_typo(title: &str, random: &mut fastrand::Rng) -> Option<String> {
    let long: Vec<_> = words::words(title)
        .into_iter()
        .filter(|w| w.form.chars().count() >= 5 && !w.form.bytes().any(|b| b.is_ascii_digit()))
        .collect();
    let word = long.get(random.usize(..long.len().max(1)))?;
    let mut letters: Vec<char> = title[word.range.clone()].chars().collect();
    let at = random.usize(1..letters.len() - 1);
    let alphabet: Vec<char> =
        if words::is_cyrillic(&word.form) { ('а'..='я').collect() } else { ('a'..='z').collect() };
    match random.u8(..4) {
        0 => {
            letters.remove(at);
        }
        1 => letters.insert(at, letters[at]),
        2 => letters[at] = alphabet[random.usize(..alphabet.len())],
        _ => letters.swap(at, at + 1),
    }
    let typed: String = letters.into_iter().collect();
    Some([&title[..word.range.start], &typed, &title[word.range.end..]].concat())
}

fn cut(title: &str) -> Option<String> {
    let last = words::words(title).pop()?;
    let letters = last.form.chars().count();
    let kept: String = title[last.range.clone()].chars().take((letters * 2).div_ceil(3)).collect();
    Some([&title[..last.range.start], &kept].concat())
}

fn seek(name: &str, folder: &Path) {
    let scratch = tempfile::tempdir().unwrap();
    let settings = Settings {
        articles: folder.to_owned(),
        templates: scratch.path().join("none"),
        ..Settings::default()
    };
    let clock = Clock::system(settings.zone());
    let progress = Arc::new(Progress::default());
    let loader =
        Loader::create(Folders::of(&settings), &scratch.path().join("index"), clock.clone(), progress)
            .unwrap();
    let engine = loader.engine().unwrap();
    let plain = Plain::of(&engine);
    let mut titles: HashMap<String, usize> = HashMap::new();
    let key = |title: &str| words::words(title).into_iter().map(|w| w.form).collect::<Vec<_>>().join(" ");
    engine.library.articles().for_each(|(_, a)| *titles.entry(key(&a.title)).or_default() += 1);
    let mut sought: Vec<(String, String)> = engine
        .library
        .articles()
        .filter(|(_, a)| titles[&key(&a.title)] == 1 && !key(&a.title).is_empty())
        .map(|(_, a)| {
            let words = words::words(&a.title);
            let end = words.get(MAX_WORDS - 1).map_or(a.title.len(), |w| w.range.end);
            (a.id.clone(), a.title[..end].replace(['"', '«', '»'], " "))
        })
        .collect();
    sought.sort();
    let mut random = fastrand::Rng::with_seed(SEED);
    random.shuffle(&mut sought);
    sought.truncate(SAMPLE);
    println!("\n{name}: {} articles, {} sought", engine.library.articles().count(), sought.len());
    println!(
        "| way | queries | MRR@10 | first | p50 ms | p95 ms | plain MRR@10 | first | p50 ms | p95 ms |\n|---|---|---|---|---|---|---|---|---|---|"
    );
    for way in [Way::Plain, Way::Typo, Way::Layout, Way::Prefix] {
        let queries: Vec<(&String, String)> = sought
            .iter()
            .filter_map(|(id, title)| {
                let query = match way {
                    Way::Plain => title.clone(),
                    Way::Typo => with_typo(title, &mut random)?,
                    Way::Layout if words::is_cyrillic(title) => layout::to_latin(title),
                    Way::Layout => layout::to_cyrillic(title),
                    Way::Prefix => cut(title)?,
                };
                Some((id, query))
            })
            .collect();
        let mut seen = HashSet::new();
        let ours = measure(&queries, |query| {
            let request = Request::new(query, Filter::on(clock.today()));
            let reply = engine.search(&request).unwrap();
            seen.insert(reply.total);
            reply.hits.into_iter().map(|hit| hit.article).collect()
        });
        let theirs = measure(&queries, |query| plain.search(query, way));
        println!("| {way:?} | {} | {ours} | {theirs} |", queries.len());
    }
}

fn measure(queries: &[(&String, String)], mut search: impl FnMut(&str) -> Vec<String>) -> String {
    let (mut reciprocal, mut first, mut times) = (0.0, 0, Vec::new());
    for (id, query) in queries {
        let started = Instant::now();
        let found = search(query);
        times.push(started.elapsed().as_micros());
        if let Some(rank) = found.iter().take(10).position(|f| f == *id) {
            reciprocal += 1.0 / (rank as f64 + 1.0);
            first += usize::from(rank == 0);
        }
    }
    times.sort_unstable();
    let percentile = |p: usize| times[(times.len() - 1) * p / 100] as f64 / 1000.0;
    let count = queries.len() as f64;
    format!(
        "{:.3} | {:.3} | {:.2} | {:.2}",
        reciprocal / count,
        first as f64 / count,
        percentile(50),
        percentile(95)
    )
}

fn main() {
    for folder in std::env::args().skip(1) {
        let folder = Path::new(&folder);
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        seek(&name, folder);
    }
}
