//! Named signals: what is known about how well an article fits a query, each a number from 0 to 1 that means the same for every query.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::index::analyzer::Part;
use crate::search::evidence::{Evidence, SectionEvidence};
use crate::search::query::Plan;

/// BM25 (Robertson and Zaragoza, 2009): how fast more occurrences say no more, and how much length counts.
const K1: f32 = 1.5;
const B_SECTION: f32 = 0.6;
const B_ARTICLE: f32 = 0.85;

/// What an occurrence in title or heading counts beside one in the text (BM25F).
const TITLE_TF: f32 = 2.0;
const HEADING_TF: f32 = 2.0;

/// What two words next to each other in the other order count beside the right order.
const WRONG_ORDER: f32 = 0.8;

/// The signals. A weight for each makes the score: see `rank`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// How well the best section fits, by BM25F over title, heading and text.
    Section,
    /// How well the article as a whole fits, by BM25.
    Article,
    /// Words asked for that stand in the title.
    TitleWords,
    /// Words asked for that stand in the heading of the best section.
    HeadingWords,
    /// Words asked for that stand in the best section, its title or its heading.
    SectionWords,
    /// Words asked for that stand anywhere in the article.
    ArticleWords,
    /// How close together, and in what order, the words stand in the best section.
    Proximity,
    /// How much of the title was asked for.
    TitleShare,
    /// How much of the heading of the best section was asked for.
    HeadingShare,
    /// The title or an alias is just what was asked.
    WholeTitle,
    /// Words that stand there in the very form they were typed in.
    ExactForms,
    /// It is the article of the product that the code belongs to.
    OwnCode,
    /// It is about the product that the code belongs to.
    ProductCode,
    /// It is in the reader's language.
    Language,
    /// It is of the kind that such a question is answered by.
    Kind,
    /// It was verified lately.
    Fresh,
    /// It is the page of its folder: an overview, not a detail.
    Overview,
    /// What readers opened for this query (to come: learning from use).
    Clicks,
    /// How near it is in meaning (to come: dense retrieval).
    Dense,
}

/// How many signals there are.
pub const COUNT: usize = 19;

impl Signal {
    /// All of them, in the order of their values.
    pub const ALL: [Self; COUNT] = [
        Self::Section,
        Self::Article,
        Self::TitleWords,
        Self::HeadingWords,
        Self::SectionWords,
        Self::ArticleWords,
        Self::Proximity,
        Self::TitleShare,
        Self::HeadingShare,
        Self::WholeTitle,
        Self::ExactForms,
        Self::OwnCode,
        Self::ProductCode,
        Self::Language,
        Self::Kind,
        Self::Fresh,
        Self::Overview,
        Self::Clicks,
        Self::Dense,
    ];
}

/// The values of the signals, in the order of [`Signal::ALL`].
pub type Signals = [f32; COUNT];

/// What the index as a whole says about words.
#[derive(Clone, Copy, Debug)]
pub struct Collection {
    /// Sections.
    pub sections: u64,
    /// Words of an average section.
    pub section_length: f32,
    /// Words of an average article.
    pub article_length: f32,
}

/// The weight of each word of a plan: how much it tells (inverse document frequency).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WordWeights {
    idf: Vec<f32>,
    sum: f32,
}

impl WordWeights {
    /// The weights of a plan's words. A word and what it may stand for have one frequency, so that a rare slip is worth no more than what
    /// was meant.
    pub fn of(plan: &Plan, collection: Collection) -> Self {
        let total = collection.sections.max(1) as f32;
        let idf: Vec<f32> = plan
            .words
            .iter()
            .map(|word| {
                let frequency = (word.frequency.max(word.meant_frequency) as f32).max(1.0).min(total);
                (1.0 + (total - frequency + 0.5) / (frequency + 0.5)).ln()
            })
            .collect();
        let sum = idf.iter().sum::<f32>().max(f32::EPSILON);
        Self { idf, sum }
    }

    /// The weights with some words (bits) counting only that much of what they tell.
    #[must_use]
    pub fn with_less(mut self, words: u64, factor: f32) -> Self {
        let chosen = self.idf.iter_mut().enumerate().filter(|(word, _)| words >> (*word).min(63) & 1 == 1);
        chosen.for_each(|(_, idf)| *idf *= factor);
        self.sum = self.idf.iter().sum::<f32>().max(f32::EPSILON);
        self
    }

    /// The share of the words in `all` (bits) that those in `held` are, by what they tell; 1 when nothing is asked for.
    pub fn share_of(&self, held: u64, all: u64) -> f32 {
        let sum = |bits: u64| -> f32 {
            self.idf
                .iter()
                .enumerate()
                .filter(|(word, _)| bits >> (*word).min(63) & 1 == 1)
                .map(|(_, idf)| idf)
                .sum()
        };
        let most = sum(all);
        if most == 0.0 { 1.0 } else { sum(held) / most }
    }

    /// The share of all that was asked that these words are.
    fn share(&self, words: impl Iterator<Item = (usize, f32)>) -> f32 {
        words.map(|(word, weight)| self.idf[word] * weight).sum::<f32>() / self.sum
    }
}

/// What the occurrences of one word in one section come to.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    /// The greatest weight in title, heading, text.
    best: [f32; 3],
    /// Sums of weights in title, heading, text.
    sums: [f32; 3],
}

fn count(section: &SectionEvidence, word: usize) -> Counted {
    let mut counted = Counted::default();
    for occurrence in section.of_word(word) {
        let part = occurrence.part() as usize;
        counted.best[part] = counted.best[part].max(occurrence.weight);
        counted.sums[part] += occurrence.weight;
    }
    counted
}

fn greatest(values: [f32; 3]) -> f32 {
    values.into_iter().fold(0.0, f32::max)
}

/// The signals that are told by where words stand, and the best section (its place in the evidence).
pub fn of_evidence(
    plan: &Plan,
    evidence: &Evidence,
    weights: &WordWeights,
    collection: Collection,
    title_words: impl Fn() -> usize,
    heading_words: impl Fn(&SectionEvidence) -> usize,
) -> (Signals, Option<usize>) {
    let mut signals = [0.0; COUNT];
    let count_of = plan.words.len();
    if count_of == 0 || evidence.sections.is_empty() {
        return (signals, None);
    }
    let counted: Vec<Vec<Counted>> =
        evidence.sections.iter().map(|s| (0..count_of).map(|word| count(s, word)).collect()).collect();
    let section_score = |number: usize| -> f32 {
        let section = &evidence.sections[number];
        let norm = 1.0 - B_SECTION + B_SECTION * section.length as f32 / collection.section_length.max(1.0);
        let score = (0..count_of).map(|word| {
            let [title, heading, body] = counted[number][word].sums;
            let tf = title.min(1.0) * TITLE_TF + heading.min(2.0) * HEADING_TF + body / norm;
            weights.idf[word] * tf / (tf + K1)
        });
        score.sum::<f32>() / weights.sum
    };
    let scores: Vec<f32> = (0..evidence.sections.len()).map(section_score).collect();
    let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]).then(b.cmp(a))).unwrap_or(0);
    let here = &counted[best];
    let in_part =
        |part: Part| weights.share((0..count_of).map(|word| (word, here[word].best[part as usize])));
    let article_best =
        |word: usize| counted.iter().map(|section| greatest(section[word].best)).fold(0.0, f32::max);
    let article_norm =
        1.0 - B_ARTICLE + B_ARTICLE * evidence.length as f32 / collection.article_length.max(1.0);
    let article_score = (0..count_of).map(|word| {
        let [title, ..] = here[word].sums;
        let texts: f32 = counted.iter().map(|section| section[word].sums[1] + section[word].sums[2]).sum();
        let tf = (title + texts) / article_norm;
        weights.idf[word] * tf / (tf + K1)
    });
    let mut set = |signal: Signal, value: f32| signals[signal as usize] = value.clamp(0.0, 1.0);
    set(Signal::Section, scores[best]);
    set(Signal::Article, article_score.sum::<f32>() / weights.sum);
    set(Signal::TitleWords, in_part(Part::Title));
    set(Signal::HeadingWords, in_part(Part::Heading));
    set(Signal::SectionWords, weights.share((0..count_of).map(|word| (word, greatest(here[word].best)))));
    set(Signal::ArticleWords, weights.share((0..count_of).map(|word| (word, article_best(word)))));
    set(Signal::Proximity, proximity(&evidence.sections[best], count_of, weights));
    let part_share = |part: Part, words: &dyn Fn() -> usize| match places_of(&evidence.sections[best], part) {
        0 => 0.0,
        places => places as f32 / words().max(1) as f32,
    };
    set(Signal::TitleShare, part_share(Part::Title, &title_words));
    set(Signal::HeadingShare, part_share(Part::Heading, &|| heading_words(&evidence.sections[best])));
    let exact = evidence.sections[best].exact_forms;
    set(
        Signal::ExactForms,
        weights.share((0..count_of.min(64)).filter(|word| exact >> word & 1 == 1).map(|w| (w, 1.0))),
    );
    (signals, Some(best))
}

/// How many places of a part hold something that was asked for.
fn places_of(section: &SectionEvidence, part: Part) -> usize {
    let mut places: Vec<u32> = section
        .occurrences
        .iter()
        .filter(|o| o.part() == part && o.weight > 0.5)
        .map(|o| o.position)
        .collect();
    places.sort_unstable();
    places.dedup();
    places.len()
}

/// Pairs of words that follow each other in the query: one over their least distance in the section, weighed by what they tell.
fn proximity(section: &SectionEvidence, count_of: usize, weights: &WordWeights) -> f32 {
    let (mut got, mut most) = (0.0, 0.0);
    for word in 1..count_of {
        let pair = weights.idf[word - 1] + weights.idf[word];
        most += pair;
        let (before, after) = (section.of_word(word - 1), section.of_word(word));
        let mut nearest: f32 = 0.0;
        let mut from = 0;
        for left in before {
            // Both lists go up, so only neighbours have to be compared.
            while from + 1 < after.len() && after[from + 1].position <= left.position {
                from += 1;
            }
            for right in after[from..].iter().take(2) {
                let weight = left.weight.min(right.weight);
                let distance = right.position as f32 - left.position as f32;
                let near = if distance > 0.0 {
                    1.0 / distance
                } else if distance < 0.0 {
                    WRONG_ORDER / -distance
                } else {
                    // One word that both stand for.
                    1.0
                };
                nearest = nearest.max(near * weight);
            }
        }
        got += pair * nearest;
    }
    if most == 0.0 { 0.0 } else { got / most }
}
