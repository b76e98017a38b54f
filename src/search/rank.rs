//! Ranking, the second step: candidates put in order by a weighted sum of named signals.
//!
//! The weights are learned (`pharos learn`), stand in `weights.json`, and are all there is to it: the score of an article is the sum of its
//! signals, each times its weight, so every place in the list can be explained.

use std::sync::OnceLock;

use serde::Serialize;
use tantivy::TantivyError;
use utoipa::ToSchema;

use crate::content::article::Article;
use crate::content::catalog::Lang;
use crate::content::library::{Library, Slot};
use crate::index::reader::Reader;
use crate::language::words;
use crate::search::candidates::{Candidate, SECTIONS_KEPT, SectionMatch};
use crate::search::dense::Dense;
use crate::search::evidence::{self, Evidence, Place};
use crate::search::facets::FacetIndex;
use crate::search::filter::Filter;
use crate::search::intent::Intent;
use crate::search::query::{Plan, Why};
use crate::search::signals::{self, COUNT, Collection, Signal, Signals, WordWeights};

/// The share of the words asked for that a title must hold to be compared with the query as a whole; corrected words count less than one.
const NEARLY_ALL: f32 = 0.7;

/// What each signal counts, in the order of [`Signal::ALL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights(pub [f32; COUNT]);

impl Weights {
    /// The weights that are shipped.
    pub fn shipped() -> &'static Self {
        static SHIPPED: OnceLock<Weights> = OnceLock::new();
        SHIPPED.get_or_init(|| Self::parse(include_str!("weights.json")).unwrap_or(Self([1.0; COUNT])))
    }

    /// Reads weights: a JSON object of signals and numbers; signals that are not named count nothing.
    ///
    /// # Errors
    /// It is no such object, or names a signal nobody knows.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let named: std::collections::BTreeMap<Signal, f32> = serde_json::from_str(text)?;
        let mut weights = [0.0; COUNT];
        for (signal, weight) in named {
            weights[signal as usize] = weight;
        }
        Ok(Self(weights))
    }

    /// As [`Weights::parse`] reads them.
    pub fn show(&self) -> String {
        let named: std::collections::BTreeMap<Signal, f32> = Signal::ALL.into_iter().zip(self.0).collect();
        serde_json::to_string_pretty(&named).unwrap_or_default()
    }

    /// The weighted sum of signals.
    pub fn score(&self, signals: &Signals) -> f32 {
        self.0.iter().zip(signals).map(|(weight, value)| weight * value).sum()
    }

    /// What each signal adds to the score, those that add nothing left out.
    pub fn explain(&self, signals: &Signals) -> Vec<Share> {
        let all = Signal::ALL.into_iter().zip(signals).zip(self.0);
        let shares = all.map(|((signal, value), weight)| Share {
            signal,
            value: *value,
            weight,
            adds: value * weight,
        });
        shares.filter(|share| share.adds != 0.0).collect()
    }
}

/// What a signal adds to a score.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Share {
    /// The signal.
    pub signal: Signal,
    /// Its value, from 0 to 1.
    pub value: f32,
    /// Its weight.
    pub weight: f32,
    /// Their product.
    pub adds: f32,
}

/// A query as ranking sees it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What was asked.
    pub plan: &'a Plan,
    /// What it is about: price, connecting…
    pub intent: Option<Intent>,
    /// What is admitted.
    pub filter: &'a Filter,
    /// The reader's language.
    pub lang: Lang,
    /// Who tells what is near in meaning, if anybody does.
    pub dense: Option<&'a dyn Dense>,
}

/// Gives candidates their signals and scores, and the best section its place.
///
/// # Errors
/// The index cannot be read.
pub fn rank(
    candidates: &mut [Candidate],
    asked: Asked<'_>,
    library: &Library,
    facets: &FacetIndex,
    reader: &Reader,
    collection: Collection,
    weights: &Weights,
) -> Result<(), TantivyError> {
    let Asked { plan, filter, .. } = asked;
    let places: Vec<Place> = candidates
        .iter()
        .filter_map(|c| Some(Place { slot: c.slot, address: c.sections.first()?.address }))
        .collect();
    if places.len() != candidates.len() {
        return Ok(());
    }
    // Most articles are admitted whole: long audiences of each section need not be looked at.
    let is_whole = |slot| !facets.gate(slot).is_limited;
    let admits = |slot, section| {
        is_whole(slot) || library.article(slot).is_some_and(|a| filter.admits_section(a, section))
    };
    let evidence = if plan.words.is_empty() {
        vec![Evidence::default(); places.len()]
    } else {
        evidence::gather(plan, reader, &places, admits)?
    };
    let word_weights = WordWeights::of(plan, collection);
    // A title is named by what was typed, and by what that was corrected to.
    let named_by = [&plan.asked, &plan.read_as()].map(|text| names_for(plan, text));
    let slots: Vec<Slot> = candidates.iter().map(|candidate| candidate.slot).collect();
    let nearness = asked.dense.and_then(|dense| dense.nearness(&plan.read_as(), &slots)).unwrap_or_default();
    for (number, (candidate, mut evidence)) in candidates.iter_mut().zip(evidence).enumerate() {
        if plan.is_strict() {
            // Only what the query itself found may be shown: other sections lack the phrase or the code, or hold what must not be there.
            evidence.sections.retain(|s| candidate.sections.iter().any(|found| found.section == s.section));
        }
        let Some(article) = library.article(candidate.slot) else { continue };
        let title = article.title_for(&library.catalog, filter.standpoint());
        let heading_words = |section: &evidence::SectionEvidence| {
            article.sections.get(section.section as usize).map_or(0, |s| s.heading.split_whitespace().count())
        };
        let title_words = || title.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).count();
        let (mut signals, best) =
            signals::of_evidence(plan, &evidence, &word_weights, collection, title_words, heading_words);
        add_signals_of_article(&mut signals, article, &title, asked, library, &named_by);
        signals[Signal::Dense as usize] = nearness.get(number).copied().unwrap_or(0.0);
        candidate.signals = signals;
        candidate.score = weights.score(&signals);
        if plan.words.is_empty() {
            // A code says nothing about words; what the first step found out about sections stands.
            candidate.score += candidate.sections.first().map_or(0.0, |s| s.score);
        }
        if let Some(best) = best.and_then(|best| evidence.sections.get(best)) {
            let section = SectionMatch { section: best.section, score: 0.0, address: best.address };
            candidate.sections.retain(|s| s.section != best.section);
            candidate.sections.insert(0, section);
            candidate.sections.truncate(SECTIONS_KEPT);
        }
    }
    Ok(())
}

fn add_signals_of_article(
    signals: &mut Signals,
    article: &Article,
    title: &str,
    asked: Asked<'_>,
    library: &Library,
    named_by: &[Vec<Vec<String>>; 2],
) {
    let names =
        || std::iter::once(title).chain(article.matter.aliases.iter().map(String::as_str)).map(forms_of);
    // Names are compared only where they hold what was asked: the index knows that already.
    let may_be_named = signals[Signal::TitleWords as usize] > NEARLY_ALL;
    let is_said = |name: &[String], said: &[Vec<String>]| {
        name.len() == said.len() && name.iter().zip(said).all(|(word, said)| said.contains(word))
    };
    let is_named = may_be_named
        && names().any(|name| !name.is_empty() && named_by.iter().any(|said| is_said(&name, said)));
    let mut set = |signal: Signal, yes: bool| signals[signal as usize] = f32::from(u8::from(yes));
    set(Signal::Language, article.lang == asked.lang);
    set(Signal::WholeTitle, is_named);
    let code = asked.plan.whole_code().unwrap_or_default();
    let owners: Vec<_> = library.catalog.code_owners(code, &asked.filter.clearance).collect();
    let is_own = |product: &str| {
        library.catalog.product(product).is_some_and(|p| p.article.as_deref() == Some(article.id.as_str()))
    };
    set(Signal::OwnCode, owners.iter().any(|(product, _)| is_own(&product.id)));
    set(Signal::ProductCode, owners.iter().any(|(owner, _)| article.products().any(|p| p == owner.id)));
    set(Signal::Kind, asked.intent.is_some_and(|intent| intent.fits(article)));
    let name = article.id.rsplit('/').next().unwrap_or_default();
    set(Signal::Overview, matches!(name, "index" | "overview" | "readme" | "README" | "_index"));
    signals[Signal::Fresh as usize] = freshness(article, asked.filter.day);
}

/// 1 for what was verified today, a half after a year, 0 for what never was.
fn freshness(article: &Article, today: jiff::civil::Date) -> f32 {
    let Some(verified) =
        article.matter.verified.as_deref().and_then(|day| day.parse::<jiff::civil::Date>().ok())
    else {
        return 0.0;
    };
    let days = verified.until(today).map_or(0, |span| span.get_days()).max(0);
    365.0 / (365.0 + days as f32)
}

/// What each word of a text says: itself, and what means the same.
fn names_for(plan: &Plan, text: &str) -> Vec<Vec<String>> {
    let same = |form: String| {
        let word = plan.words.iter().find(|word| word.form == form);
        let readings = word.into_iter().flat_map(|word| &word.readings);
        let means_the_same =
            readings.filter(|reading| matches!(reading.why, Why::Synonym | Why::Transliteration));
        std::iter::once(form).chain(means_the_same.map(|reading| reading.form.clone())).collect()
    };
    forms_of(text).into_iter().map(same).collect()
}

/// The forms of a text, by which names are compared.
pub fn forms_of(text: &str) -> Vec<String> {
    words::words(text).into_iter().map(|w| w.form).collect()
}
