//! What the analysis keeps of one text, so that a change of it is all that has to be read again.

use rustc_hash::FxHashSet;

use crate::content::article::ParsedArticle;
use crate::content::catalog::{Catalog, Lang};
use crate::content::markdown::BlockKind;
use crate::content::problem::{Position, u32_of};
use crate::content::validity::{Standpoint, Validity};
use crate::language::duplicates::{self, Sample, Signature};
use crate::language::readability::Prose;
use crate::language::{morphology, words};
use crate::quality::catalogue::{self, Names, Said};
use crate::quality::passages::{self, Text};
use crate::quality::statements::{self, Statement, hash_of};

/// Letters of a sentence that is quoted.
const QUOTED: usize = 140;

/// What a section is about and when it is in force.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// Its own validity, where it is limited.
    pub validity: Option<Box<Validity>>,
    /// The lemmas of title and heading that have a meaning of their own, as numbers, in order; empty where the section states nothing.
    pub subject: Box<[u64]>,
}

/// The longest sentence of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Longest {
    /// How many words it has.
    pub words: u32,
    /// Where it stands.
    pub at: Position,
}

/// What is kept of one text.
#[derive(Clone, Debug)]
pub struct Extract {
    /// Of what it was made: another number, another text, catalogue or day.
    pub key: u64,
    /// What it states.
    pub statements: Vec<Statement>,
    /// Its sections.
    pub grounds: Vec<Ground>,
    /// By what texts like it are found.
    pub signature: Option<Signature>,
    /// By what it is counted which words many texts share.
    pub sample: Sample,
    /// Its prose.
    pub prose: Prose,
    /// Its longest sentence.
    pub longest: Longest,
    /// Where it says values of the catalogue, or other ones.
    pub said: Vec<(Said, Position)>,
    /// The language.
    pub lang: Lang,
}

/// What texts are read with.
#[derive(Debug)]
pub struct Means<'a> {
    /// The catalogue.
    pub catalog: &'a Catalog,
    /// What its products are called.
    pub names: &'a Names,
    /// The day and the readers its values are for.
    pub at: Standpoint<'a>,
}

/// The lemmas of texts that have a meaning of their own, as numbers, in order.
pub fn subject<'t>(texts: impl IntoIterator<Item = &'t str>) -> Box<[u64]> {
    let mut found = Vec::new();
    for text in texts {
        words::for_each_word(text, |_, form| {
            if !words::is_stop_word(form) {
                found.push(morphology::with_lemma(form, |lemma| hash_of(lemma.as_bytes())));
            }
        });
    }
    found.sort_unstable();
    found.dedup();
    found.into()
}

/// The shingles by which a body is compared.
pub fn shingles_of(body: &str) -> FxHashSet<u64> {
    duplicates::shingles([body])
}

impl Extract {
    /// Reads a text. `about` are ids of the products it is about.
    pub fn of(parsed: &ParsedArticle, about: &[&str], key: u64, means: &Means<'_>) -> Self {
        let ParsedArticle { article, body, blocks } = parsed;
        let text = Text { body, sections: &article.sections, blocks, lang: article.lang };
        let passages = passages::passages(&text, means.catalog, means.at);
        let mut stated = Vec::new();
        // Of numbers in an example it is only said what they could be.
        let is_example = |passage: &&passages::Passage| {
            let heading = article.sections.get(passage.section).map_or("", |section| &*section.heading);
            is_example(heading, true) || is_example(&passage.text, false)
        };
        for passage in passages.iter().filter(|passage| !is_example(passage)) {
            statements::statements(passage, body, &mut stated);
        }
        let mut grounds: Vec<Ground> = article
            .sections
            .iter()
            .map(|section| Ground { validity: section.validity.clone(), subject: Box::default() })
            .collect();
        for statement in &stated {
            let section = statement.section as usize;
            if let (Some(ground), Some(of)) = (grounds.get_mut(section), article.sections.get(section))
                && ground.subject.is_empty()
            {
                ground.subject = subject([article.title.as_str(), &*of.heading]);
            }
        }
        let said = if means.catalog.products().next().is_none() {
            Vec::new()
        } else {
            catalogue::find(&text, &passages, about, article.validity(), means.catalog, means.names)
        };
        let said = said.into_iter().map(|said| {
            let at = Position::of(body, said.at, article.body_line);
            (said, at)
        });
        let (prose, longest) = prose_of(&text, article.body_line);
        let shingles = shingles_of(body);
        Self {
            key,
            statements: stated,
            grounds,
            signature: duplicates::signature(&shingles),
            sample: duplicates::sample(&shingles),
            prose,
            longest,
            said: said.collect(),
            lang: article.lang,
        }
    }
}

/// Whether a heading, or a passage, is about an example.
fn is_example(text: &str, is_heading: bool) -> bool {
    let text = text.to_lowercase();
    let begins = ["пример", "example", "sample"].iter().any(|word| text.trim_start().starts_with(word));
    begins && is_heading || ["например", "for example", "e.g."].iter().any(|word| text.contains(word))
}

/// Sentences of paragraphs and quotations: lists, tables and code are read otherwise.
fn prose_of(text: &Text<'_>, first_line: u32) -> (Prose, Longest) {
    let (mut prose, mut longest) = (Prose::default(), Longest::default());
    let mut place = 0;
    for block in text
        .blocks
        .iter()
        .flatten()
        .filter(|block| matches!(block.kind, BlockKind::Paragraph | BlockKind::Quote))
    {
        // A line of its own is a sentence of its own, whatever ends it.
        for line in block.text.lines() {
            prose.add(line, |range, words| {
                if u32_of(words) > longest.words {
                    let from = block.range.0 as usize;
                    let begin = line[range].split_whitespace().next().unwrap_or_default();
                    let near = text.body.get(from..block.range.1 as usize).unwrap_or_default();
                    longest.words = u32_of(words);
                    place = from + near.find(begin).unwrap_or(0);
                }
            });
        }
    }
    longest.at = Position::of(text.body, place, first_line);
    (prose, longest)
}

/// The line of a body around a byte, without what marks up its beginning, cut where it is long.
pub fn quoted(body: &str, at: usize) -> String {
    let at = body.floor_char_boundary(at.min(body.len()));
    let start = body[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = body[at..].find('\n').map_or(body.len(), |end| at + end);
    let line = body[start..end]
        .trim()
        .trim_start_matches(['#', '>', '-', '*', '|', ' '])
        .trim_end_matches(['|', ' ']);
    // What is long is cut around the place.
    let letters: Vec<char> = line.chars().collect();
    if letters.len() <= QUOTED {
        return line.to_owned();
    }
    let place = body[start..at].chars().count().min(letters.len());
    let from = place.saturating_sub(QUOTED / 2).min(letters.len() - QUOTED);
    let middle: String = letters[from..from + QUOTED].iter().collect();
    let (before, after) =
        (if from > 0 { "…" } else { "" }, if from + QUOTED < letters.len() { "…" } else { "" });
    format!("{before}{}{after}", middle.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_quoted_around_its_place() {
        let body = "Первая\n- Стоит 100 ₽ в месяц\nтретья";
        assert_eq!(quoted(body, body.find("100").unwrap()), "Стоит 100 ₽ в месяц");
        let long = format!("{} 100 ₽ {}", "слово ".repeat(60), "слово ".repeat(60));
        let found = quoted(&long, long.find("100").unwrap());
        assert!(
            found.contains("100 ₽")
                && found.starts_with('…')
                && found.ends_with('…')
                && found.chars().count() <= QUOTED + 2,
            "{found}"
        );
    }
}
