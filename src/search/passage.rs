//! The passage that answers: a list of steps, a row of a table, an item of a list, or two or three sentences, taken out as they stand.

use unicode_segmentation::UnicodeSegmentation;

use crate::content::article::Article;
use crate::content::markdown::{Block, BlockKind, Section};
use crate::language::codes;
use crate::search::candidates::Candidate;
use crate::search::intent::Intent;
use crate::search::signals::{Signal, WordWeights};
use crate::search::snippet::Matcher;

/// Longer paragraphs are cut to their best sentences, in characters.
const MAX_PASSAGE_CHARS: usize = 320;

/// Sentences that stand together in an answer.
const MAX_SENTENCES: usize = 3;

/// Lists and tables longer than this are cut to their best line, in lines.
const MAX_LINES: usize = 12;

/// Beyond this, a list that cannot be cut is reading matter, in characters.
const MAX_BLOCK_CHARS: usize = 1_200;

/// Queries of so many words that ask nothing name a subject.
const SUBJECT_WORDS: usize = 2;

/// How sure an answer must be to be given: precision comes before coverage. Chosen on a development set of its own: docs/relevance.md.
pub const CONFIDENT: f32 = 0.74;

/// An article that holds a smaller share of what was asked can give no passage that sure: see [`Grounds::confidence`].
pub const LEAST_HELD: f32 = 0.5;

/// What speaks for a passage, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Grounds {
    /// The share of what was asked that passage, heading and title hold together.
    pub held: f32,
    /// The share that the passage holds by itself.
    pub own: f32,
    /// The share that the heading holds.
    pub heading: f32,
    /// The share that title and aliases hold.
    pub title: f32,
    /// Whether the passage is of the sort such a question asks for.
    pub fits: f32,
    /// Whether it opens the article, or is its first list of steps when one asks how.
    pub opens: f32,
    /// How far the article stands before the next one.
    pub lead: f32,
    /// How well the article fits.
    pub article: f32,
}

impl Grounds {
    /// How sure an answer on these grounds is.
    pub fn confidence(self) -> f32 {
        let weights = [0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05];
        let values = [
            self.held * self.held,
            self.own,
            self.heading,
            self.title,
            self.fits,
            self.opens,
            self.lead,
            self.article,
        ];
        weights.iter().zip(values).map(|(weight, value)| weight * value).sum()
    }
}

/// A passage that may answer.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The block it is in.
    pub block: Block,
    /// What is shown of it, values put in: lines, cells parted by tabs.
    pub text: String,
    /// Whether all of the block is shown.
    pub is_whole: bool,
    /// How sure it is.
    pub confidence: f32,
}

/// What passages are looked for with.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// Finds the words of the query.
    pub matcher: &'a Matcher<'a>,
    /// What each word tells.
    pub weights: &'a WordWeights,
    /// What is asked.
    pub intent: Option<Intent>,
}

/// An article in which passages are looked for.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// The article.
    pub article: &'a Article,
    /// How it was found.
    pub candidate: &'a Candidate,
    /// How far it stands before the next one, from 0 to 1.
    pub lead: f32,
    /// Puts the catalogue's values in.
    pub expand: &'a dyn Fn(&str) -> String,
}

impl Search<'_> {
    /// Whether the query names a subject and asks nothing about it.
    pub fn is_subject(&self) -> bool {
        self.intent.is_none() && self.matcher.asked() <= SUBJECT_WORDS
    }

    /// The best passage of a section of an article found. `has_steps` tells whether a section before it had any, and is set for the next.
    pub fn best(
        &self,
        found: Found<'_>,
        section: &Section,
        blocks: &[Block],
        has_steps: &mut bool,
    ) -> Option<Passage> {
        let Found { article, candidate, lead, expand } = found;
        let title = expand(&article.title) + "\n" + &article.matter.aliases.join("\n");
        let heading = self.words_in(&expand(&section.heading));
        let titled = self.words_in(&title);
        let named = titled | heading;
        let mut best: Option<Passage> = None;
        let fits_by_name = self
            .intent
            .is_some_and(|intent| intent_in(intent, &section.heading) || intent_in(intent, &title));
        let asks_how = self.intent.is_some_and(Intent::asks_how);
        for (number, block) in blocks.iter().enumerate() {
            let is_first_steps = block.kind == BlockKind::Steps
                && !std::mem::replace(has_steps, *has_steps || block.kind == BlockKind::Steps);
            if block.kind == BlockKind::Code || block.is_signpost() {
                continue;
            }
            let Some((text, is_whole)) = self.cut(block, named, expand) else { continue };
            let own = self.own_words(block.kind, &text);
            let grounds = Grounds {
                held: self.share(own | named),
                own: self.share(own),
                heading: self.share(heading),
                title: self.share(titled),
                opens: f32::from(u8::from(if asks_how {
                    is_first_steps
                } else {
                    number == 0 && section.level <= 1
                })),
                lead,
                fits: match self.intent {
                    None => 0.5,
                    Some(intent) => f32::from(u8::from(fits(intent, block.kind, &text, fits_by_name))),
                },
                article: candidate.signals[Signal::Section as usize],
            };
            // A subject without a question is answered by what opens an article about it; a price, by a price.
            let must_fit = matches!(self.intent, Some(Intent::Price | Intent::Phone | Intent::Hours));
            if self.is_subject() && grounds.opens == 0.0 || must_fit && grounds.fits == 0.0 {
                continue;
            }
            let confidence = grounds.confidence();
            if best.as_ref().is_none_or(|b| confidence > b.confidence) {
                best = Some(Passage { block: block.clone(), text, is_whole, confidence });
            }
        }
        best
    }

    /// Words of the query that a passage holds; of a list, those that one of its lines holds: scattered words say nothing together.
    fn own_words(&self, kind: BlockKind, text: &str) -> u64 {
        match kind {
            BlockKind::Steps | BlockKind::List => {
                let lines = text.lines().map(|line| self.words_in(line));
                lines.max_by(|a, b| self.share(*a).total_cmp(&self.share(*b))).unwrap_or(0)
            }
            _ => self.words_in(text),
        }
    }

    /// Words of the query that stand in a text, as bits; those that only say what is asked stand everywhere.
    fn words_in(&self, text: &str) -> u64 {
        let mut words = self.matcher.asking();
        for found in self.matcher.find(text) {
            words |= 1 << found.word.min(63);
        }
        words
    }

    fn share(&self, words: u64) -> f32 {
        let asking = self.matcher.asking();
        self.weights.share_of(words & !asking, !asking)
    }

    /// What is shown of a block: all of it when it is short, else its best line or sentences.
    fn cut(&self, block: &Block, named: u64, expand: &dyn Fn(&str) -> String) -> Option<(String, bool)> {
        let text = expand(&block.text);
        let length = text.chars().count();
        match block.kind {
            BlockKind::Steps => (length <= MAX_BLOCK_CHARS).then_some((text, true)),
            BlockKind::List | BlockKind::Table => {
                let lines: Vec<&str> = text.lines().collect();
                let header = usize::from(block.kind == BlockKind::Table);
                let line = self.only_line(&lines, header, named);
                match line {
                    Some(line) if header == 1 => Some(([lines[0], line].join("\n"), false)),
                    Some(line) => Some((line.to_owned(), false)),
                    None if lines.len() <= MAX_LINES && length <= MAX_BLOCK_CHARS => Some((text, true)),
                    None => None,
                }
            }
            _ if length <= MAX_PASSAGE_CHARS => Some((text, true)),
            _ => Some((self.sentences(&text), false)),
        }
    }

    /// The line that holds more of what was asked than any other, beside what title and heading hold already.
    fn only_line<'t>(&self, lines: &[&'t str], from: usize, named: u64) -> Option<&'t str> {
        let mut scored: Vec<(f32, &'t str)> =
            lines.iter().skip(from).map(|line| (self.share(self.words_in(line) & !named), *line)).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        match scored.as_slice() {
            [(best, line), (second, _), ..] if *best > second + 0.05 => Some(line),
            _ => None,
        }
    }

    /// The best sentences that stand together.
    fn sentences(&self, text: &str) -> String {
        let sentences: Vec<(usize, &str)> = text.split_sentence_bound_indices().collect();
        let held: Vec<u64> = sentences.iter().map(|(_, sentence)| self.words_in(sentence)).collect();
        let mut best = (f32::MIN, 0..1);
        for from in 0..sentences.len() {
            let mut words = 0;
            for to in from + 1..=(from + MAX_SENTENCES).min(sentences.len()) {
                words |= held[to - 1];
                // A sentence more must bring something.
                let score = self.share(words) - 0.05 * (to - from) as f32;
                if score > best.0 {
                    best = (score, from..to);
                }
            }
        }
        let (from, to) = (best.1.start, best.1.end);
        let end = sentences.get(to).map_or(text.len(), |(at, _)| *at);
        sentences.get(from).map_or_else(String::new, |(start, _)| text[*start..end].trim().to_owned())
    }
}

/// Whether a heading or title says that what follows is about this.
fn intent_in(intent: Intent, name: &str) -> bool {
    Intent::of(name) == Some(intent)
}

/// Whether a passage is of the sort such a question asks for.
fn fits(intent: Intent, kind: BlockKind, text: &str, is_named: bool) -> bool {
    let has_digit = text.bytes().any(|b| b.is_ascii_digit());
    let lower = || text.to_lowercase();
    let holds = |any: &[&str]| {
        let text = lower();
        any.iter().any(|part| text.contains(part))
    };
    match intent {
        Intent::Connect | Intent::Disable | Intent::Check => {
            (is_named || intent_in(intent, text))
                && (kind == BlockKind::Steps
                    || !codes::find_codes(text).is_empty()
                    || intent_in(intent, text))
        }
        Intent::HowTo => kind == BlockKind::Steps || is_named,
        Intent::Price => {
            has_digit && holds(&["₽", "руб", "price", "fee"])
                || holds(&["бесплатн", "free", "не взима", "без плат"])
        }
        Intent::Phone => !codes::find_codes(text).is_empty() || has_digit,
        Intent::Hours => {
            has_digit && text.contains(':') || holds(&["круглосуточно", "day and night", "around the clock"])
        }
        Intent::Conditions => {
            has_digit || is_named || holds(&["только", "нельзя", "можно", "only", "cannot"])
        }
        Intent::Compare => kind == BlockKind::Table || intent_in(intent, text) || is_named,
    }
}
