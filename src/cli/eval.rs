//! `pharos eval`: quality and speed of search on a labelled set, by the same way the API goes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use super::{read_text, say, with_progress};
use crate::answers::templates::Templates;
use crate::app::loader::Loader;
use crate::app::progress::Progress;
use crate::app::snapshot::Folders;
use crate::clock::Clock;
use crate::content::article::Article;
use crate::content::catalog::{Catalog, Lang};
use crate::content::front_matter::{FrontMatter, Located};
use crate::content::library::{Library, Source};
use crate::content::problem::{Position, Report};
use crate::index::generation::Generation;
use crate::index::manifest::Checkpoint;
use crate::index::writer::{Pace, Writer};
use crate::search::engine::{Engine, Request};
use crate::search::filter::Filter;
use crate::settings::Settings;

/// Ranks looked at; recall is asked for at this depth.
const DEPTH: usize = 100;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Articles as lines of JSON: {"id", "title", "text", "lang"?} [default: the folder of --articles]
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// Queries as lines of JSON: {"id", "text"}
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// Judgements as lines "query document grade", parted by tabs
    #[arg(long, value_name = "FILE")]
    qrels: PathBuf,
    /// Use only the first N queries
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Use only queries whose id's hash is even (to tune) or odd (to report)
    #[arg(long, value_enum)]
    half: Option<Half>,
}

#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
enum Half {
    Even,
    Odd,
}

#[derive(Deserialize)]
struct Document {
    id: String,
    #[serde(default)]
    title: String,
    text: String,
    lang: Option<Lang>,
}

#[derive(Deserialize)]
struct LabelledQuery {
    id: String,
    text: String,
}

pub(super) fn run(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let queries: Vec<LabelledQuery> = read_lines(&args.queries)?;
    let judgements = read_judgements(&args.qrels)?;
    let started = Instant::now();
    let clock = Clock::system(settings.zone());
    let engine = with_progress("Indexing", |progress| match &args.corpus {
        Some(corpus) => engine_of_lines(read_lines(corpus)?, &clock, &progress),
        None => engine_of_folder(settings, &clock, progress),
    })?;
    let index_seconds = started.elapsed().as_secs_f64();
    let in_half = |id: &str| {
        let is_odd = blake3::hash(id.as_bytes()).as_bytes()[0] % 2 == 1;
        args.half.is_none_or(|half| is_odd == (half == Half::Odd))
    };
    let chosen = queries.iter().filter(|q| in_half(&q.id) && judgements.contains_key(&q.id));
    let mut scores = Scores::default();
    for query in chosen.take(args.limit.unwrap_or(usize::MAX)) {
        let request = Request {
            text: query.text.clone(),
            limit: DEPTH,
            offset: 0,
            filter: Filter::on(clock.today()),
            lang: None,
        };
        let ranked = engine.find_ids(&request)?;
        // Timed as a reader asks: ten articles.
        let asked = Instant::now();
        engine.search(&Request { limit: 10, ..request })?;
        scores.add(&ranked, &judgements[&query.id], asked.elapsed().as_micros());
    }
    ensure!(scores.queries > 0, "no query of {} has a judgement", args.queries.display());
    say(&serde_json::to_string_pretty(&scores.summary(index_seconds))?);
    Ok(ExitCode::SUCCESS)
}

fn read_lines<T: for<'de> Deserialize<'de>>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = read_text(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            serde_json::from_str(line).with_context(|| format!("{}:{}", path.display(), at + 1))
        })
        .collect()
}

fn read_judgements(path: &Path) -> anyhow::Result<HashMap<String, HashMap<String, f64>>> {
    let mut judgements: HashMap<String, HashMap<String, f64>> = HashMap::new();
    for (at, line) in read_text(path)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [query, document, grade] = fields[..] else {
            bail!("{}:{}: three fields parted by tabs are expected", path.display(), at + 1)
        };
        let Ok(grade) = grade.trim().parse::<f64>() else {
            // A line of column names may head the file.
            ensure!(at == 0, "{}:{}: the grade `{grade}` is no number", path.display(), at + 1);
            continue;
        };
        if grade > 0.0 {
            judgements.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
        }
    }
    Ok(judgements)
}

fn engine_of_lines(documents: Vec<Document>, clock: &Clock, progress: &Progress) -> anyhow::Result<Engine> {
    let generation = Generation::in_memory()?;
    let mut writer = Writer::new(generation.index.clone(), generation.fields, Pace::Bulk)?;
    let catalog = Arc::new(Catalog::default());
    let day = clock.today();
    let mut library = Library::of(Vec::new(), Arc::clone(&catalog), day);
    progress.begin(documents.len());
    for document in documents {
        let title = (!document.title.is_empty())
            .then(|| Located { text: document.title.into(), at: Position::default() });
        let matter = FrontMatter { title, lang: document.lang, ..FrontMatter::default() };
        let path = format!("{}.md", document.id);
        let mut parsed = Article::assemble(&path, matter, &document.text, 1, &mut Report::new(&path));
        // Ids of labelled sets are taken as they are.
        parsed.article.id = document.id;
        let slot = library.put(Source::made(parsed.article.clone()));
        writer.put(slot, &parsed, &catalog, day)?;
        progress.step();
    }
    writer.commit(&Checkpoint {
        format: String::new(),
        log: String::new(),
        length: 0,
        hash: String::new(),
    })?;
    writer.merge(1)?;
    Ok(Engine::new(Arc::new(library), generation.latest()?, Arc::new(Templates::default())))
}

fn engine_of_folder(settings: &Settings, clock: &Clock, progress: Arc<Progress>) -> anyhow::Result<Engine> {
    ensure!(settings.articles.is_dir(), "there is no folder {}", settings.articles.display());
    let index = std::env::temp_dir().join(format!("pharos-eval-{}", std::process::id()));
    let made =
        Loader::create(Folders::of(settings), &index, clock.clone(), progress).and_then(|l| l.engine());
    // The open files stay readable; nothing is left behind.
    let _ = std::fs::remove_dir_all(&index);
    Ok(made?)
}

/// Sums over queries.
#[derive(Debug, Default)]
struct Scores {
    queries: usize,
    ndcg_at_10: f64,
    mrr_at_10: f64,
    recall_at_10: f64,
    recall_at_100: f64,
    success_at_1: f64,
    success_at_3: f64,
    latencies_us: Vec<u128>,
}

impl Scores {
    fn add(&mut self, ranked: &[String], grades: &HashMap<String, f64>, latency_us: u128) {
        let grade = |id: &String| grades.get(id).copied().unwrap_or(0.0);
        let gain = |grade: f64, rank: usize| (grade.exp2() - 1.0) / (rank as f64 + 2.0).log2();
        let mut ideal: Vec<f64> = grades.values().copied().collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        let best: f64 = ideal.iter().take(10).enumerate().map(|(rank, g)| gain(*g, rank)).sum();
        let got: f64 = ranked.iter().take(10).enumerate().map(|(rank, id)| gain(grade(id), rank)).sum();
        let first = ranked.iter().take(10).position(|id| grade(id) > 0.0);
        let found_in = |depth: usize| {
            ranked.iter().take(depth).filter(|id| grade(id) > 0.0).count() as f64 / grades.len() as f64
        };
        self.queries += 1;
        self.ndcg_at_10 += if best > 0.0 { got / best } else { 0.0 };
        self.mrr_at_10 += first.map_or(0.0, |rank| 1.0 / (rank as f64 + 1.0));
        self.recall_at_10 += found_in(10);
        self.recall_at_100 += found_in(100);
        self.success_at_1 += f64::from(u8::from(first == Some(0)));
        self.success_at_3 += f64::from(u8::from(first.is_some_and(|rank| rank < 3)));
        self.latencies_us.push(latency_us);
    }

    fn summary(mut self, index_seconds: f64) -> serde_json::Value {
        self.latencies_us.sort_unstable();
        let percentile = |p: usize| self.latencies_us[(self.latencies_us.len() - 1) * p / 100];
        let mean = |sum: f64| (sum / self.queries as f64 * 10_000.0).round() / 10_000.0;
        serde_json::json!({
            "queries": self.queries,
            "ndcg_at_10": mean(self.ndcg_at_10),
            "mrr_at_10": mean(self.mrr_at_10),
            "recall_at_10": mean(self.recall_at_10),
            "recall_at_100": mean(self.recall_at_100),
            "success_at_1": mean(self.success_at_1),
            "success_at_3": mean(self.success_at_3),
            "latency_us": {
                "p50": percentile(50) as u64, "p95": percentile(95) as u64, "p99": percentile(99) as u64,
            },
            "index_seconds": (index_seconds * 1000.0).round() / 1000.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_follow_their_definitions() {
        let mut scores = Scores::default();
        let grades = HashMap::from([("b".to_owned(), 1.0), ("z".to_owned(), 1.0)]);
        let ranked: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        scores.add(&ranked, &grades, 10);
        let summary = scores.summary(1.0);
        // DCG = 1/log2(3); ideal = 1/log2(2) + 1/log2(3).
        assert_eq!(summary["ndcg_at_10"], 0.3869);
        assert_eq!(summary["mrr_at_10"], 0.5);
        assert_eq!(summary["recall_at_10"], 0.5);
        assert_eq!(
            (summary["success_at_1"].as_f64(), summary["success_at_3"].as_f64()),
            (Some(0.0), Some(1.0))
        );
    }
}
