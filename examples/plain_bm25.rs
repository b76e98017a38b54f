//! What plain tantivy (BM25, default analyser, title and text) reaches on labelled sets: the baseline of docs/relevance.md.
//!
//! `cargo run --release --example plain_bm25 -- SET...` prints nDCG@10 of each folder (corpus.jsonl, queries.jsonl, qrels.tsv): over all
//! queries, and over those whose id's hash is odd, as `pharos eval --half odd` takes them.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program for developers")]

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value as Json;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{IndexRecordOption, STORED, STRING, Schema, TEXT, Value};
use tantivy::{Index, TantivyDocument, Term, doc};

fn lines(path: &Path) -> Vec<Json> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ndcg(ranked: &[String], grades: &HashMap<String, f64>) -> f64 {
    let gain = |(rank, grade): (usize, f64)| (grade.exp2() - 1.0) / (rank as f64 + 2.0).log2();
    let mut ideal: Vec<f64> = grades.values().copied().collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let best: f64 = ideal.into_iter().take(10).enumerate().map(gain).sum();
    let got = ranked.iter().take(10).map(|id| grades.get(id).copied().unwrap_or(0.0));
    got.enumerate().map(gain).sum::<f64>() / best
}

fn measure(set: &Path) {
    let mut builder = Schema::builder();
    let id = builder.add_text_field("id", STRING | STORED);
    let title = builder.add_text_field("title", TEXT);
    let body = builder.add_text_field("body", TEXT);
    let index = Index::create_in_ram(builder.build());
    let mut writer = index.writer(100_000_000).unwrap();
    let text = |json: &Json, key: &str| json[key].as_str().unwrap_or_default().to_owned();
    for document in lines(&set.join("corpus.jsonl")) {
        let fields = doc!(id => text(&document, "id"), title => text(&document, "title"), body => text(&document, "text"));
        writer.add_document(fields).unwrap();
    }
    writer.commit().unwrap();
    let searcher = index.reader().unwrap().searcher();
    let mut grades: HashMap<String, HashMap<String, f64>> = HashMap::new();
    for line in std::fs::read_to_string(set.join("qrels.tsv")).unwrap().lines() {
        if let [query, document, grade] = line.split('\t').collect::<Vec<_>>()[..]
            && let Ok(grade) = grade.trim().parse::<f64>()
            && grade > 0.0
        {
            grades.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
        }
    }
    let (mut all, mut odd) = (Vec::new(), Vec::new());
    for query in lines(&set.join("queries.jsonl")) {
        let Some(wanted) = grades.get(query["id"].as_str().unwrap()) else { continue };
        let mut analyser = index.tokenizer_for_field(title).unwrap();
        let typed = text(&query, "text");
        let mut parts: Vec<(Occur, Box<dyn Query>)> = Vec::new();
        analyser.token_stream(&typed).process(&mut |token| {
            for field in [title, body] {
                let term = Term::from_field_text(field, &token.text);
                parts.push((Occur::Should, Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs))));
            }
        });
        let found =
            searcher.search(&BooleanQuery::new(parts), &TopDocs::with_limit(10).order_by_score()).unwrap();
        let name = |address| {
            let document: TantivyDocument = searcher.doc(address).unwrap();
            document.get_first(id).and_then(|v| v.as_str().map(str::to_owned)).unwrap()
        };
        let ranked: Vec<String> = found.into_iter().map(|(_, address)| name(address)).collect();
        let reached = ndcg(&ranked, wanted);
        all.push(reached);
        if blake3::hash(query["id"].as_str().unwrap().as_bytes()).as_bytes()[0] % 2 == 1 {
            odd.push(reached);
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    println!("{}\tall {:.4}\todd {:.4}", set.file_name().unwrap().to_string_lossy(), mean(&all), mean(&odd));
}

fn main() {
    std::env::args().skip(1).for_each(|set| measure(Path::new(&set)));
}
