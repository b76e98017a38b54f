//! The query ladder: each rung looks wider than the one above, and is tried only when that found little.

use serde::Serialize;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, Query, TermQuery,
    TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{TantivyError, Term};
use utoipa::ToSchema;

use crate::index::reader::Reader;
use crate::language::{morphology, words};
use crate::search::query::{Plan, QueryCode, QueryWord};

/// A rung that finds fewer articles than this is thin, and the next one is tried as well.
pub const THIN: u64 = 3;

/// What the best field gains by the others (DisMax tie-breaker).
const TIE_BREAKER: f32 = 0.1;

/// Weights of the fields a word is looked for in.
const TITLE_WEIGHT: f32 = 1.6;
const HEADING_WEIGHT: f32 = 1.3;
const BODY_WEIGHT: f32 = 1.0;
const STEM_WEIGHT: f32 = 0.3;

/// What a word that is only completed counts, beside one that was typed whole.
const COMPLETION_WEIGHT: f32 = 0.7;

/// Words a prefix is completed to, the most frequent ones.
const MAX_COMPLETIONS: usize = 12;

/// Terms looked at to find them.
const MAX_TERMS_SCANNED: usize = 4_000;

/// What a short number counts that stands in a text as a word, beside one named from the catalogue.
const SHORT_CODE_AS_WORD: f32 = 0.5;

/// Codes a beginning may stand for.
const MAX_CODES: usize = 64;

/// Which step of the ladder found a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// The code, exactly.
    Code,
    /// A code that begins with what was typed.
    CodePrefix,
    /// All words, in any form.
    AllWords,
    /// All words, the last one completed.
    Completed,
    /// Some of the words.
    SomeWords,
    /// No words were asked for.
    Everything,
}

/// The rungs of a plan, the narrowest first.
pub fn rungs(plan: &Plan) -> Vec<Rung> {
    match &plan.code {
        _ if plan.text.is_empty() => vec![Rung::Everything],
        // Marks alone ask for nothing that could be found.
        _ if plan.is_empty() => Vec::new(),
        Some(QueryCode::Partial(_)) => vec![Rung::CodePrefix],
        Some(QueryCode::Whole(_)) if plan.words.is_empty() => vec![Rung::Code],
        Some(QueryCode::Whole(_)) => vec![Rung::Code, Rung::SomeWords],
        None => {
            let mut rungs = vec![Rung::AllWords];
            if plan.last_is_open && plan.words.last().is_some_and(|w| w.form.chars().count() > 1) {
                rungs.push(Rung::Completed);
            }
            if plan.words.len() > 1 {
                rungs.push(Rung::SomeWords);
            }
            rungs
        }
    }
}

/// The query of a rung.
///
/// # Errors
/// The index cannot be read.
pub fn query(rung: Rung, plan: &Plan, reader: &Reader) -> Result<Box<dyn Query>, TantivyError> {
    let word_queries = || plan.words.iter().map(|word| word_query(word, reader));
    Ok(match rung {
        Rung::Everything => Box::new(AllQuery),
        Rung::Code | Rung::CodePrefix => code_query(plan, reader)?,
        Rung::AllWords => all_of(word_queries().collect()),
        Rung::SomeWords => {
            let mut parts: Vec<(Occur, Box<dyn Query>)> =
                word_queries().map(|q| (Occur::Should, q)).collect();
            if plan.words.len() > 3 && plan.code.is_none() {
                // Two words of many at least: one alone says little.
                let mut query = BooleanQuery::new(parts);
                query.set_minimum_number_should_match(2);
                return Ok(Box::new(query));
            }
            if let Some(code) = plan.whole_code() {
                parts.push((Occur::Should, term(reader.fields.code, code)));
            }
            Box::new(BooleanQuery::new(parts))
        }
        Rung::Completed => {
            let mut parts: Vec<Box<dyn Query>> = word_queries().collect();
            if let (Some(last), Some(word)) = (parts.pop(), plan.words.last()) {
                let mut choices = vec![last];
                for lemma in completions(&word.form, reader)? {
                    let completed = lemma_query(&lemma, reader);
                    choices.push(Box::new(BoostQuery::new(completed, COMPLETION_WEIGHT)));
                }
                parts.push(Box::new(DisjunctionMaxQuery::new(choices)));
            }
            all_of(parts)
        }
    })
}

fn all_of(mut parts: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match parts.len() {
        1 => parts.remove(0),
        _ => Box::new(BooleanQuery::new(parts.into_iter().map(|q| (Occur::Must, q)).collect())),
    }
}

fn term(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs))
}

fn weighted(field: Field, text: &str, weight: f32) -> Box<dyn Query> {
    Box::new(BoostQuery::new(term(field, text), weight))
}

/// A word in all fields, the best of which counts.
fn word_query(word: &QueryWord, reader: &Reader) -> Box<dyn Query> {
    let fields = reader.fields;
    let mut choices = lemma_choices(&word.lemma, reader);
    if words::is_cyrillic(&word.form) {
        choices.push(weighted(fields.stem, &word.stem, STEM_WEIGHT));
    }
    Box::new(DisjunctionMaxQuery::with_tie_breaker(choices, TIE_BREAKER))
}

fn lemma_query(lemma: &str, reader: &Reader) -> Box<dyn Query> {
    Box::new(DisjunctionMaxQuery::with_tie_breaker(lemma_choices(lemma, reader), TIE_BREAKER))
}

fn lemma_choices(lemma: &str, reader: &Reader) -> Vec<Box<dyn Query>> {
    let fields = reader.fields;
    vec![
        weighted(fields.title, lemma, TITLE_WEIGHT),
        weighted(fields.heading, lemma, HEADING_WEIGHT),
        weighted(fields.body, lemma, BODY_WEIGHT),
    ]
}

/// Lemmas of the most frequent words that begin with a prefix.
fn completions(prefix: &str, reader: &Reader) -> Result<Vec<String>, TantivyError> {
    let mut found: Vec<(u64, String)> = Vec::new();
    for_each_term_from(reader, reader.fields.form, prefix, MAX_TERMS_SCANNED, |form, frequency| {
        let lemma = morphology::lemma(form);
        match found.iter_mut().find(|(_, known)| *known == lemma) {
            Some((sum, _)) => *sum += frequency,
            None => found.push((frequency, lemma)),
        }
        if found.len() > MAX_COMPLETIONS * 4 {
            found.sort_by(|a, b| b.cmp(a));
            found.truncate(MAX_COMPLETIONS);
        }
    })?;
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    found.truncate(MAX_COMPLETIONS);
    Ok(found.into_iter().map(|(_, lemma)| lemma).collect())
}

/// Calls `visit` with each term of a field that begins with a prefix and the number of documents it is in, segment by segment.
///
/// # Errors
/// The index cannot be read.
pub fn for_each_term_from(
    reader: &Reader,
    field: Field,
    prefix: &str,
    at_most: usize,
    mut visit: impl FnMut(&str, u64),
) -> Result<(), TantivyError> {
    for segment in reader.searcher.segment_readers() {
        let index = segment.inverted_index(field)?;
        let mut stream = index.terms().range().ge(prefix.as_bytes()).into_stream()?;
        let mut scanned = 0;
        while scanned < at_most && stream.advance() {
            let Ok(text) = std::str::from_utf8(stream.key()) else { continue };
            if !text.starts_with(prefix) {
                break;
            }
            visit(text, u64::from(stream.value().doc_freq));
            scanned += 1;
        }
    }
    Ok(())
}

fn code_query(plan: &Plan, reader: &Reader) -> Result<Box<dyn Query>, TantivyError> {
    let fields = reader.fields;
    let mut terms = Vec::new();
    match &plan.code {
        Some(QueryCode::Whole(code)) => terms.push(Term::from_field_text(fields.code, code)),
        Some(QueryCode::Partial(prefix)) => {
            for_each_term_from(reader, fields.code, prefix, MAX_CODES, |code, _| {
                terms.push(Term::from_field_text(fields.code, code));
            })?;
        }
        None => {}
    }
    let mut codes: Box<dyn Query> = Box::new(ConstScoreQuery::new(Box::new(TermSetQuery::new(terms)), 1.0));
    if let Some(short) =
        plan.whole_code().filter(|code| code.bytes().all(|b| b.is_ascii_digit()) && code.len() <= 6)
    {
        // In running text a short number is a word like others.
        let word = Box::new(ConstScoreQuery::new(term(fields.form, short), SHORT_CODE_AS_WORD));
        codes = Box::new(DisjunctionMaxQuery::new(vec![codes, word]));
    }
    if plan.words.is_empty() {
        return Ok(codes);
    }
    let mut parts = vec![(Occur::Must, codes)];
    parts.extend(plan.words.iter().map(|word| (Occur::Should, word_query(word, reader))));
    Ok(Box::new(BooleanQuery::new(parts)))
}
