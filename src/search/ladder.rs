//! The query ladder: each rung looks wider than the one above, and is tried only when that found little.

use serde::Serialize;
use tantivy::query::{
    AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, PhraseQuery, Query,
    TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{TantivyError, Term};
use utoipa::ToSchema;

use crate::index::reader::Reader;
use crate::language::{codes, words};
use crate::search::query::{Plan, QueryCode, QueryWord};

/// A rung that finds fewer articles than this is thin, and the next one is tried as well.
pub const THIN: u64 = 3;

/// What the best term of a word gains by the others (DisMax tie-breaker).
const TIE_BREAKER: f32 = 0.1;

/// What a stem counts beside the lemma.
pub const STEM_WEIGHT: f32 = 0.3;

/// What a short number counts that stands in a text as a word, beside one named from the catalogue.
const SHORT_CODE_AS_WORD: f32 = 0.5;

/// Codes a beginning may stand for.
const MAX_CODES: usize = 64;

/// With more words than this, a section must hold two of them at least: one alone says little.
const MANY_WORDS: usize = 3;

/// Words that articles are looked for by when some will do, the rarest ones; the others still count in ranking.
const MAX_SOUGHT: usize = 8;

/// Which step of the ladder found a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// An editor put it first.
    Pinned,
    /// The code, exactly.
    Code,
    /// A code that begins with what was typed.
    CodePrefix,
    /// All words, in any form, or what editors say is the same.
    AllWords,
    /// All words, the last one completed.
    Completed,
    /// All words, or others of their families.
    Families,
    /// All words, read otherwise than typed: slips, the other script, a space too many or too few.
    Corrected,
    /// Some of the words.
    SomeWords,
    /// No words were asked for.
    Everything,
}

/// The rungs of a plan, the narrowest first.
pub fn rungs(plan: &Plan) -> &'static [Rung] {
    match &plan.code {
        _ if plan.lists_everything() => &[Rung::Everything],
        // Marks alone, or nothing but what must not be there, ask for nothing that could be found.
        _ if plan.is_empty() => &[],
        Some(QueryCode::Partial(_)) => &[Rung::CodePrefix],
        Some(QueryCode::Whole(_)) if plan.words.is_empty() => &[Rung::Code],
        Some(QueryCode::Whole(_)) => &[Rung::Code, Rung::SomeWords],
        None => &[Rung::AllWords, Rung::Completed, Rung::Families, Rung::Corrected, Rung::SomeWords],
    }
}

/// The query of a rung, by what the words of the plan stand for now.
///
/// # Errors
/// The index cannot be read.
pub fn query(rung: Rung, plan: &Plan, reader: &Reader) -> Result<Box<dyn Query>, TantivyError> {
    let sought: Box<dyn Query> = match rung {
        Rung::Everything => Box::new(AllQuery),
        Rung::Code | Rung::CodePrefix => code_query(plan, reader)?,
        Rung::SomeWords => some_of(plan, reader),
        _ => all_of(plan.words.iter().map(|word| word_query(word, reader)).collect()),
    };
    let mut parts = Vec::new();
    for phrase in plan.phrases.iter().filter(|phrase| phrase.len() > 1) {
        let terms =
            plan.words[phrase.clone()].iter().map(|w| Term::from_field_text(reader.fields.text, &w.lemma));
        parts.push((Occur::Must, Box::new(PhraseQuery::new(terms.collect())) as Box<dyn Query>));
    }
    for word in &plan.excluded {
        parts.push((Occur::MustNot, term(reader.fields.text, &word.lemma)));
    }
    // What an article is called counts once more, lest a short one be lost among many that speak of it.
    if !matches!(rung, Rung::Everything | Rung::Code | Rung::CodePrefix) {
        parts.extend(
            plan.words.iter().flat_map(|word| titled(word, reader)).map(|query| (Occur::Should, query)),
        );
    }
    if parts.is_empty() {
        return Ok(sought);
    }
    parts.push((Occur::Must, sought));
    Ok(Box::new(BooleanQuery::new(parts)))
}

/// A word in titles: as it is, or as what it was corrected to.
fn titled(word: &QueryWord, reader: &Reader) -> Option<Box<dyn Query>> {
    let corrected = word.readings.first().filter(|_| word.frequency == 0);
    let lemma = corrected.map_or(&word.lemma, |reading| &reading.lemma);
    (!words::is_stop_word(&word.form)).then(|| term(reader.fields.title, lemma))
}

/// All sections of one article.
pub fn article(id: &str, reader: &Reader) -> Box<dyn Query> {
    Box::new(ConstScoreQuery::new(term(reader.fields.id, id), 0.0))
}

fn all_of(mut parts: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match parts.len() {
        1 => parts.remove(0),
        _ => Box::new(BooleanQuery::new(parts.into_iter().map(|q| (Occur::Must, q)).collect())),
    }
}

fn some_of(plan: &Plan, reader: &Reader) -> Box<dyn Query> {
    let mut sought: Vec<&QueryWord> = plan.words.iter().filter(|w| !w.is_unknown() && !w.is_quoted).collect();
    sought.sort_by_key(|w| w.frequency);
    sought.truncate(MAX_SOUGHT);
    let quoted = plan.words.iter().filter(|w| w.is_quoted);
    let mut parts: Vec<(Occur, Box<dyn Query>)> =
        sought.iter().map(|word| (Occur::Should, word_query(word, reader))).collect();
    parts.extend(quoted.map(|word| (Occur::Must, word_query(word, reader))));
    if sought.len() > MANY_WORDS && plan.code.is_none() {
        let mut query = BooleanQuery::new(parts);
        query.set_minimum_number_should_match(2);
        return Box::new(query);
    }
    if let Some(code) = plan.whole_code() {
        parts.push((Occur::Should, term(reader.fields.code, code)));
    }
    Box::new(BooleanQuery::new(parts))
}

fn term(field: Field, text: &str) -> Box<dyn Query> {
    Box::new(TermQuery::new(Term::from_field_text(field, text), IndexRecordOption::WithFreqs))
}

fn weighted(field: Field, text: &str, weight: f32) -> Box<dyn Query> {
    Box::new(BoostQuery::new(term(field, text), weight))
}

/// A word by its lemma, its stem and its readings, the best of which counts.
fn word_query(word: &QueryWord, reader: &Reader) -> Box<dyn Query> {
    let fields = reader.fields;
    let mut choices = vec![term(fields.text, &word.lemma)];
    if words::is_cyrillic(&word.form) && !word.is_quoted {
        choices.push(weighted(fields.stem, &word.stem, STEM_WEIGHT));
    }
    choices.extend(word.readings.iter().map(|reading| weighted(fields.text, &reading.lemma, reading.weight)));
    if choices.len() == 1 {
        return choices.remove(0);
    }
    Box::new(DisjunctionMaxQuery::with_tie_breaker(choices, TIE_BREAKER))
}

fn code_query(plan: &Plan, reader: &Reader) -> Result<Box<dyn Query>, TantivyError> {
    let fields = reader.fields;
    let mut terms = Vec::new();
    match &plan.code {
        Some(QueryCode::Whole(code)) => terms.push(Term::from_field_text(fields.code, code)),
        Some(QueryCode::Partial(prefix)) => {
            for code in reader.terms_from(fields.code, prefix, MAX_CODES)? {
                terms.push(Term::from_field_text(fields.code, &code.form));
            }
        }
        None => {}
    }
    let mut codes: Box<dyn Query> = Box::new(ConstScoreQuery::new(Box::new(TermSetQuery::new(terms)), 1.0));
    if let Some(short) = plan.whole_code().filter(|code| codes::is_short_number(code)) {
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
