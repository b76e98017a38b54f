//! `pharos eval`: quality and speed of search on a labelled set, by the same way the API goes.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use super::labelled::{self, Half, Judgements, LabelledQuery};
use super::{say, with_progress};
use crate::clock::Clock;
use crate::language::words;
use crate::search::answer::{Answer, AnswerKind};
use crate::search::engine::{Reply, Request};
use crate::search::filter::Filter;
use crate::search::intent::Intent;
use crate::search::query::Why;
use crate::search::rank::Weights;
use crate::settings::Settings;

/// Ranks looked at; recall is asked for at this depth.
const DEPTH: usize = 100;

/// Samples of the paired bootstrap (Sakai, 2006), and the seed they are drawn with.
const SAMPLES: usize = 2_000;
const SEED: u64 = 20_261_123;

/// Queries that are shown of those that gained or lost most.
const SHOWN: usize = 12;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Articles as lines of JSON: {"id", "title", "text", "lang"?} [default: the folder of --articles]
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// Queries as lines of JSON: {"id", "text", "slice"?}
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// Judgements as lines "query document grade", parted by tabs
    #[arg(long, value_name = "FILE")]
    qrels: PathBuf,
    /// Expected answers as lines of JSON: {"id", "answer": {"accept", "never", "articles"} | "any" | null}
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Use only the first N queries
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Use only queries whose id's hash is even (to tune) or odd (to report)
    #[arg(long, value_enum)]
    half: Option<Half>,
    /// Take the queries exactly as they are: no synonyms, no corrections
    #[arg(long)]
    verbatim: bool,
    /// Weights to rank by, as `pharos learn` writes them [default: those that are shipped]
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Write what became of each query, to compare another run with
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Compare with a saved run: the difference with its 95 % interval, and the queries that gained or lost most
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
}

/// What became of a query.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Outcome {
    id: String,
    text: String,
    slices: Vec<String>,
    /// Whether any document fits it.
    is_judged: bool,
    ndcg_at_10: f64,
    reciprocal_rank: f64,
    recall_at_10: f64,
    recall_at_100: f64,
    /// The rank of the first document with a grade, from 1.
    first: Option<usize>,
    latency_us: u64,
    /// Why words of it were read otherwise than typed.
    corrected: Vec<Why>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<AnswerOutcome>,
}

/// What became of the answer to a query.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct AnswerOutcome {
    /// Whether the set expects one.
    is_expected: bool,
    /// Whether one was given.
    is_given: bool,
    /// Whether what was given is right.
    is_right: bool,
    /// Whether it was a code or a value of the catalogue.
    is_fact: bool,
    /// The beginning of what was given.
    text: String,
}

#[derive(Debug, Deserialize)]
struct ExpectedAnswer {
    id: String,
    answer: Expected,
}

/// What a direct answer should be.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expected {
    Definite {
        accept: Vec<String>,
        #[serde(default)]
        never: Vec<String>,
        articles: Vec<String>,
    },
    /// `"any"`: a passage of a well graded article would do, and none as well.
    Any(#[expect(dead_code, reason = "any text will do")] String),
    /// `null`: any answer would be wrong.
    None,
}

pub(super) fn run(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let queries: Vec<LabelledQuery> = labelled::read_lines(&args.queries)?;
    let judgements = labelled::read_judgements(&args.qrels)?;
    let expected: Option<Vec<ExpectedAnswer>> =
        args.answers.as_deref().map(labelled::read_lines).transpose()?;
    let expected: Option<HashMap<String, Expected>> =
        expected.map(|lines| lines.into_iter().map(|line| (line.id, line.answer)).collect());
    let weights = match &args.weights {
        Some(path) => Weights::parse(&super::read_text(path)?).with_context(|| path.display().to_string())?,
        None => *Weights::shipped(),
    };
    let started = Instant::now();
    let clock = Clock::system(settings.zone());
    let engine = with_progress("Indexing", |progress| match &args.corpus {
        Some(corpus) => labelled::engine_of_lines(labelled::read_lines(corpus)?, &clock, &progress),
        None => labelled::engine_of_folder(settings, &clock, progress),
    })?;
    let index_seconds = started.elapsed().as_secs_f64();
    let is_chosen = |query: &&LabelledQuery| {
        let has_label = judgements.contains_key(&query.id)
            || expected.as_ref().is_some_and(|e| e.contains_key(&query.id));
        has_label && args.half.is_none_or(|half| half.holds(&query.id))
    };
    let mut outcomes = Vec::new();
    for query in queries.iter().filter(is_chosen).take(args.limit.unwrap_or(usize::MAX)) {
        let request = Request {
            limit: DEPTH,
            verbatim: args.verbatim,
            ..Request::new(&query.text, Filter::on(clock.today()))
        };
        // Timed as a reader asks, and before anything else is asked: ten articles.
        let asked = Instant::now();
        let reply = engine.search(&Request { limit: 10, ..request.clone() })?;
        let latency_us = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
        let ranked: Vec<String> =
            engine.rank_ids(&request, &weights)?.into_iter().map(|(id, _)| id).collect();
        let mut outcome = judge(query, &ranked, &judgements, latency_us);
        outcome.corrected = reply.query.corrections.iter().map(|c| c.why).collect();
        let wanted = expected.as_ref().and_then(|expected| expected.get(&query.id));
        outcome.answer = wanted.map(|wanted| judge_answer(wanted, &reply, judgements.get(&query.id)));
        outcomes.push(outcome);
    }
    ensure!(!outcomes.is_empty(), "no query of {} has a judgement", args.queries.display());
    let mut summary = summary(&outcomes);
    summary["index_seconds"] = ((index_seconds * 1000.0).round() / 1000.0).into();
    if let Some(path) = &args.against {
        let before: Vec<Outcome> = labelled::read_lines(path)?;
        summary["against"] = compare(&before, &outcomes);
    }
    say(&serde_json::to_string_pretty(&summary)?);
    if let Some(path) = &args.save {
        let lines: Result<Vec<String>, _> = outcomes.iter().map(serde_json::to_string).collect();
        std::fs::write(path, lines?.join("\n") + "\n").with_context(|| path.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn judge(query: &LabelledQuery, ranked: &[String], judgements: &Judgements, latency_us: u64) -> Outcome {
    let none = HashMap::new();
    let grades = judgements.get(&query.id).unwrap_or(&none);
    let grade = |id: &String| grades.get(id).copied().unwrap_or(0.0);
    let first = ranked.iter().take(10).position(|id| grade(id) > 0.0);
    let found_in = |depth: usize| {
        let found = ranked.iter().take(depth).filter(|id| grade(id) > 0.0).count();
        found as f64 / grades.len().max(1) as f64
    };
    Outcome {
        id: query.id.clone(),
        text: query.text.clone(),
        slices: slices(query),
        is_judged: !grades.is_empty(),
        ndcg_at_10: ndcg(ranked.iter().map(grade), grades.values().copied()),
        reciprocal_rank: first.map_or(0.0, |rank| 1.0 / (rank as f64 + 1.0)),
        recall_at_10: found_in(10),
        recall_at_100: found_in(100),
        first: first.map(|rank| rank + 1),
        latency_us,
        corrected: Vec::new(),
        answer: None,
    }
}

/// Normalised discounted cumulative gain of the first ten (Järvelin and Kekäläinen, 2002), with gains of 2^grade - 1.
pub(super) fn ndcg(got: impl Iterator<Item = f64>, all: impl Iterator<Item = f64>) -> f64 {
    let gain = |(rank, grade): (usize, f64)| (grade.exp2() - 1.0) / (rank as f64 + 2.0).log2();
    let mut ideal: Vec<f64> = all.collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let best: f64 = ideal.into_iter().take(10).enumerate().map(gain).sum();
    let got: f64 = got.take(10).enumerate().map(gain).sum();
    if best > 0.0 { got / best } else { 0.0 }
}

/// The slices a query belongs to: the one it names, its language, how it is asked, how long it is.
fn slices(query: &LabelledQuery) -> Vec<String> {
    let count = words::words(&query.text).len();
    let is_question = query.text.trim_end().ends_with('?') || Intent::of(&query.text).is_some();
    let length = match count {
        0..=2 => "words 1-2",
        3..=5 => "words 3-5",
        _ => "words 6+",
    };
    let mut slices = vec![
        if words::is_cyrillic(&query.text) { "cyrillic" } else { "latin" }.to_owned(),
        length.to_owned(),
    ];
    if is_question {
        slices.push("asks".to_owned());
    }
    slices.extend(query.slice.iter().map(|name| format!("slice {name}")));
    slices
}

fn judge_answer(wanted: &Expected, reply: &Reply, grades: Option<&HashMap<String, f64>>) -> AnswerOutcome {
    let given = reply.answer.as_ref();
    let is_right = given.is_some_and(|answer| match wanted {
        Expected::Definite { accept, never, articles } => is_accepted(answer, accept, never, articles),
        Expected::Any(_) => {
            let grade = answer.article.as_ref().and_then(|id| grades?.get(id));
            grade.is_some_and(|grade| *grade >= 2.0)
        }
        Expected::None => false,
    });
    AnswerOutcome {
        is_expected: matches!(wanted, Expected::Definite { .. }),
        is_given: given.is_some(),
        is_right,
        is_fact: given.is_some_and(|a| matches!(a.kind, AnswerKind::Fact | AnswerKind::Code)),
        text: given.map(|a| a.text.chars().take(160).collect()).unwrap_or_default(),
    }
}

fn is_accepted(answer: &Answer, accept: &[String], never: &[String], articles: &[String]) -> bool {
    let plain = |text: &str| {
        let text = text.replace(['\u{a0}', '\u{202f}'], " ").replace('\u{2011}', "-").to_lowercase();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let text = plain(&answer.text);
    let holds = |part: &String| text.contains(&plain(part));
    // A value of the catalogue is right or wrong whatever article it points to.
    let is_fact = matches!(answer.kind, AnswerKind::Fact | AnswerKind::Code);
    let is_from =
        is_fact || articles.is_empty() || answer.article.as_ref().is_some_and(|id| articles.contains(id));
    is_from && accept.iter().any(holds) && !never.iter().any(holds)
}

fn summary(outcomes: &[Outcome]) -> serde_json::Value {
    let mut latencies: Vec<u64> = outcomes.iter().map(|o| o.latency_us).collect();
    latencies.sort_unstable();
    let percentile = |p: usize| latencies[(latencies.len() - 1) * p / 100];
    // Queries that no document fits count for answers only.
    let judged: Vec<&Outcome> = outcomes.iter().filter(|o| o.is_judged).collect();
    let mut by_slice: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in &judged {
        for slice in &outcome.slices {
            by_slice.entry(slice).or_default().push(outcome);
        }
    }
    let mut summary = means(&judged);
    summary["slices"] = by_slice
        .into_iter()
        .map(|(name, outcomes)| (name.to_owned(), means(&outcomes)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    summary["latency_us"] =
        serde_json::json!({"p50": percentile(50), "p95": percentile(95), "p99": percentile(99)});
    let mut corrected: BTreeMap<String, usize> = BTreeMap::new();
    for why in outcomes.iter().flat_map(|o| &o.corrected) {
        *corrected.entry(format!("{why:?}").to_lowercase()).or_default() += 1;
    }
    summary["corrected"] = serde_json::json!(corrected);
    let answers: Vec<&AnswerOutcome> = outcomes.iter().filter_map(|o| o.answer.as_ref()).collect();
    if !answers.is_empty() {
        let count = |holds: &dyn Fn(&AnswerOutcome) -> bool| answers.iter().filter(|a| holds(a)).count();
        let (expected, given) = (count(&|a| a.is_expected), count(&|a| a.is_given));
        let right = count(&|a| a.is_given && a.is_right);
        let wrong: Vec<serde_json::Value> = outcomes
            .iter()
            .filter_map(|o| Some((o, o.answer.as_ref().filter(|a| a.is_given && !a.is_right)?)))
            .map(|(o, a)| serde_json::json!({"id": o.id, "text": o.text, "answer": a.text, "is_fact": a.is_fact}))
            .collect();
        summary["answers"] = serde_json::json!({
            "expected": expected,
            "given": given,
            "right": right,
            "precision": round(right as f64 / given.max(1) as f64),
            "coverage": round(count(&|a| a.is_expected && a.is_given && a.is_right) as f64 / expected.max(1) as f64),
            "wrong_facts": count(&|a| a.is_given && a.is_fact && !a.is_right),
            "wrong": wrong,
        });
    }
    summary
}

fn means(outcomes: &[&Outcome]) -> serde_json::Value {
    let mean = |value: &dyn Fn(&Outcome) -> f64| {
        round(outcomes.iter().map(|o| value(o)).sum::<f64>() / outcomes.len().max(1) as f64)
    };
    let within = |rank: usize| mean(&|o| f64::from(u8::from(o.first.is_some_and(|first| first <= rank))));
    serde_json::json!({
        "queries": outcomes.len(),
        "ndcg_at_10": mean(&|o| o.ndcg_at_10),
        "mrr_at_10": mean(&|o| o.reciprocal_rank),
        "recall_at_10": mean(&|o| o.recall_at_10),
        "recall_at_100": mean(&|o| o.recall_at_100),
        "success_at_1": within(1),
        "success_at_3": within(3),
    })
}

fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// How a run differs from an earlier one on the queries both have, in nDCG@10.
fn compare(before: &[Outcome], now: &[Outcome]) -> serde_json::Value {
    let before: HashMap<&str, &Outcome> = before.iter().map(|o| (o.id.as_str(), o)).collect();
    let mut pairs: Vec<(&Outcome, &Outcome, f64)> = now
        .iter()
        .filter_map(|o| before.get(o.id.as_str()).map(|b| (*b, o, o.ndcg_at_10 - b.ndcg_at_10)))
        .collect();
    let differences: Vec<f64> = pairs.iter().map(|(_, _, d)| *d).collect();
    let (low, high) = interval(&differences);
    pairs.sort_by(|a, b| a.2.total_cmp(&b.2));
    let show = |(before, now, difference): &(&Outcome, &Outcome, f64)| {
        serde_json::json!({
            "id": now.id, "text": now.text, "difference": round(*difference),
            "first_before": before.first, "first_now": now.first,
        })
    };
    let lost: Vec<_> = pairs.iter().take(SHOWN).filter(|p| p.2 < 0.0).map(show).collect();
    let gained: Vec<_> = pairs.iter().rev().take(SHOWN).filter(|p| p.2 > 0.0).map(show).collect();
    serde_json::json!({
        "queries": pairs.len(),
        "ndcg_at_10_difference": round(differences.iter().sum::<f64>() / differences.len().max(1) as f64),
        "interval_95": [round(low), round(high)],
        "better": pairs.iter().filter(|p| p.2 > 0.0).count(),
        "worse": pairs.iter().filter(|p| p.2 < 0.0).count(),
        "gained": gained,
        "lost": lost,
    })
}

/// The 95 % interval of the mean of paired differences, by bootstrap.
fn interval(differences: &[f64]) -> (f64, f64) {
    if differences.is_empty() {
        return (0.0, 0.0);
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut sample = || {
        let sum: f64 = (0..differences.len()).map(|_| differences[random.usize(..differences.len())]).sum();
        sum / differences.len() as f64
    };
    let mut means: Vec<f64> = (0..SAMPLES).map(|_| sample()).collect();
    means.sort_by(f64::total_cmp);
    (means[SAMPLES * 25 / 1000], means[SAMPLES * 975 / 1000])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_follow_their_definitions() {
        let grades = HashMap::from([("b".to_owned(), 1.0), ("z".to_owned(), 1.0)]);
        let judgements = Judgements::from([("q".to_owned(), grades)]);
        let query = LabelledQuery { id: "q".to_owned(), text: "как быть".to_owned(), slice: None };
        let ranked: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        let outcome = judge(&query, &ranked, &judgements, 10);
        // DCG = 1/log2(3); ideal = 1/log2(2) + 1/log2(3).
        assert_eq!(round(outcome.ndcg_at_10), 0.3869);
        assert_eq!((outcome.reciprocal_rank, outcome.recall_at_10, outcome.first), (0.5, 0.5, Some(2)));
        assert_eq!(outcome.slices, ["cyrillic", "words 1-2", "asks"]);
    }

    #[test]
    fn an_interval_holds_the_mean_and_tells_noise_from_gain() {
        let noise: Vec<f64> = (0..200).map(|n| if n % 2 == 0 { 0.3 } else { -0.3 }).collect();
        let (low, high) = interval(&noise);
        assert!(low < 0.0 && high > 0.0);
        let gain: Vec<f64> = noise.iter().map(|d| d + 0.2).collect();
        assert!(interval(&gain).0 > 0.0);
    }
}
