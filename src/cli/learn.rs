//! `pharos learn`: the weights of the signals, learned on labelled sets.
//!
//! Coordinate ascent on nDCG@10 (Metzler and Croft, Linear feature-based models for information retrieval, 2007): one weight at a time is
//! tried larger and smaller, and kept where the mean over the sets grows, until none helps. Every set counts the same, however many queries
//! it has, and signals that no set tells anything about keep the weights they have.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};

use super::eval::ndcg;
use super::labelled::{self, Half, LabelledQuery};
use super::{say, with_progress};
use crate::app::progress::Progress;
use crate::clock::Clock;
use crate::search::engine::Request;
use crate::search::filter::Filter;
use crate::search::rank::Weights;
use crate::search::signals::{Signal, Signals};
use crate::settings::Settings;

/// Candidates of a query that are learned from.
const DEPTH: usize = 100;

/// Weights tried for a signal: the one it has times these, and plus these.
const FACTORS: [f32; 7] = [0.0, 0.5, 0.75, 0.9, 1.1, 1.33, 2.0];
const STEPS: [f32; 4] = [-0.1, -0.02, 0.02, 0.1];

/// The least gain worth a change: less is noise.
const LEAST_GAIN: f64 = 0.000_05;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of labelled sets: corpus.jsonl, qrels.tsv, and every queries*.jsonl in them
    #[arg(required = true, value_name = "SET")]
    sets: Vec<PathBuf>,
    /// Which queries to learn from: those whose id's hash is even, or odd
    #[arg(long, value_enum, default_value = "even")]
    half: Half,
    /// Where to write the weights [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Weights to begin with [default: those that are shipped]
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

/// A query as learning sees it.
struct Example {
    /// The signals and grade of each candidate.
    candidates: Vec<(Signals, f64)>,
    /// The grades of all documents that have one, found or not.
    grades: Vec<f64>,
}

pub(super) fn run(settings: &Settings, args: &Args) -> anyhow::Result<ExitCode> {
    let mut weights = match &args.from {
        Some(path) => Weights::parse(&super::read_text(path)?).with_context(|| path.display().to_string())?,
        None => *Weights::shipped(),
    };
    let clock = Clock::system(settings.zone());
    let groups = with_progress("Reading sets", |progress| read_sets(args, &clock, &weights, &progress))?;
    let before = quality(&groups, &weights);
    let after = ascend(&groups, &mut weights);
    say(&format!("nDCG@10 over {} sets of queries: {before:.4} before, {after:.4} after", groups.len()));
    for (name, examples) in &groups {
        say(&format!("  {:.4}  {name} ({} queries)", mean(examples, &weights), examples.len()));
    }
    match &args.out {
        Some(path) => {
            std::fs::write(path, weights.show() + "\n").with_context(|| path.display().to_string())?
        }
        None => say(&weights.show()),
    }
    Ok(ExitCode::SUCCESS)
}

fn read_sets(
    args: &Args,
    clock: &Clock,
    weights: &Weights,
    progress: &Progress,
) -> anyhow::Result<Vec<(String, Vec<Example>)>> {
    let mut groups = Vec::new();
    for folder in &args.sets {
        let judgements = labelled::read_judgements(&folder.join("qrels.tsv"))?;
        let engine =
            labelled::engine_of_lines(labelled::read_lines(&folder.join("corpus.jsonl"))?, clock, progress)?;
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
            .with_context(|| folder.display().to_string())?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                name.starts_with("queries") && name.ends_with(".jsonl")
            })
            .collect();
        files.sort();
        for file in files {
            let queries: Vec<LabelledQuery> = labelled::read_lines(&file)?;
            let mut examples = Vec::new();
            for query in queries.iter().filter(|q| args.half.holds(&q.id)) {
                let Some(grades) = judgements.get(&query.id) else { continue };
                let request =
                    Request { limit: DEPTH, ..Request::new(&query.text, Filter::on(clock.today())) };
                let ranked = engine.rank_ids(&request, weights)?;
                let candidates = ranked
                    .into_iter()
                    .map(|(id, signals)| (signals, grades.get(&id).copied().unwrap_or(0.0)))
                    .collect();
                examples.push(Example { candidates, grades: grades.values().copied().collect() });
            }
            if !examples.is_empty() {
                groups.push((file.display().to_string(), examples));
            }
        }
    }
    ensure!(!groups.is_empty(), "no set has a query with a judgement");
    Ok(groups)
}

/// The mean of the sets' nDCG@10.
fn quality(groups: &[(String, Vec<Example>)], weights: &Weights) -> f64 {
    let means: Vec<f64> = std::thread::scope(|scope| {
        let handles: Vec<_> =
            groups.iter().map(|(_, examples)| scope.spawn(move || mean(examples, weights))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap_or(0.0)).collect()
    });
    means.iter().sum::<f64>() / means.len() as f64
}

fn mean(examples: &[Example], weights: &Weights) -> f64 {
    let sum: f64 = examples.iter().map(|example| of_example(example, weights)).sum();
    sum / examples.len() as f64
}

fn of_example(example: &Example, weights: &Weights) -> f64 {
    let mut scored: Vec<(f32, f64)> =
        example.candidates.iter().map(|(signals, grade)| (weights.score(signals), *grade)).collect();
    if scored.len() > 10 {
        scored.select_nth_unstable_by(9, |a, b| b.0.total_cmp(&a.0));
        scored.truncate(10);
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    ndcg(scored.into_iter().map(|(_, grade)| grade), example.grades.iter().copied())
}

/// Changes one weight at a time as long as that helps. Returns the quality reached.
fn ascend(groups: &[(String, Vec<Example>)], weights: &mut Weights) -> f64 {
    let mut best = quality(groups, weights);
    loop {
        let before = best;
        for signal in Signal::ALL {
            let at = signal as usize;
            let old = weights.0[at];
            let tried = FACTORS.iter().map(|f| old * f).chain(STEPS.iter().map(|s| (old + s).max(0.0)));
            let mut chosen = old;
            for weight in tried {
                weights.0[at] = weight;
                let reached = quality(groups, weights);
                if reached > best + LEAST_GAIN {
                    best = reached;
                    chosen = weight;
                }
            }
            weights.0[at] = chosen;
        }
        tracing::info!(ndcg_at_10 = best, "one round");
        if best - before < LEAST_GAIN * 4.0 {
            return best;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::signals::COUNT;

    #[test]
    fn a_telling_signal_gains_weight_and_a_misleading_one_loses_it() {
        let candidate = |good: f32, bad: f32, grade: f64| {
            let mut signals = [0.0; COUNT];
            signals[Signal::Section as usize] = good;
            signals[Signal::Article as usize] = bad;
            (signals, grade)
        };
        let example = || Example {
            candidates: vec![candidate(0.2, 0.9, 0.0), candidate(0.3, 0.1, 1.0), candidate(0.1, 0.8, 0.0)],
            grades: vec![1.0],
        };
        let groups = vec![("set".to_owned(), vec![example(), example()])];
        let mut weights = Weights([0.0; COUNT]);
        weights.0[Signal::Section as usize] = 0.5;
        weights.0[Signal::Article as usize] = 0.5;
        assert!(quality(&groups, &weights) < 1.0);
        assert_eq!(ascend(&groups, &mut weights), 1.0);
    }
}
