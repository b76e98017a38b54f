//! The words of the articles, looked through by automata: what begins so, what is nearly so, what sounds so.
//!
//! The term dictionaries of the index's segments are finite state transducers, so nothing has to be kept beside them: a word is in the
//! vocabulary the moment its article is searchable.

use std::collections::HashMap;
use std::sync::OnceLock;

use levenshtein_automata::{DFA, Distance, LevenshteinAutomatonBuilder, SINK_STATE};
use tantivy::Term;
use tantivy::schema::Field;
use tantivy_fst::Automaton;
use tantivy_fst::automaton::AlwaysMatch;

use crate::index::reader::Reader;
use crate::language::transliteration::{self, Step};

/// Words looked at for one prefix, in each segment; no prefix of two letters or more has so many in a hundred thousand articles.
const MAX_SCANNED: usize = 60_000;

/// Words in which an automaton may end, in each segment.
const MAX_MATCHES: usize = 2_000;

/// A word of the articles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// As it stands there, folded.
    pub form: String,
    /// In how many sections.
    pub frequency: u64,
}

impl Reader {
    /// In how many sections a term stands (those of changed articles counted until their segment is merged).
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn frequency(&self, field: Field, text: &str) -> tantivy::Result<u64> {
        let term = Term::from_field_text(field, text);
        let mut sum = 0;
        for segment in self.searcher.segment_readers() {
            sum += u64::from(segment.inverted_index(field)?.doc_freq(&term)?);
        }
        Ok(sum)
    }

    /// Whether any word begins so.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn begins_word(&self, prefix: &str) -> tantivy::Result<bool> {
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(self.fields.form)?;
            let mut stream = index.terms().range().ge(prefix.as_bytes()).into_stream()?;
            if stream.advance() && stream.key().starts_with(prefix.as_bytes()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The `most` most frequent words that begin so, the most frequent first.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn words_from(&self, prefix: &str, most: usize) -> tantivy::Result<Vec<Known>> {
        self.terms_from(self.fields.form, prefix, most)
    }

    /// The `most` most frequent terms of a field that begin so.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn terms_from(&self, field: Field, prefix: &str, most: usize) -> tantivy::Result<Vec<Known>> {
        // Whoever wants all of them gets all.
        let scanned = if most == usize::MAX { usize::MAX } else { MAX_SCANNED };
        let found = self.matching(field, AlwaysMatch, prefix, scanned)?;
        Ok(most_frequent(found, most))
    }

    /// Words at most `distance` edits (insert, delete, replace, swap neighbours; in characters) from one, all beginning with `prefix`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn words_near(&self, word: &str, distance: u8, prefix: &str) -> tantivy::Result<Vec<Known>> {
        let automaton = Near(levenshtein(distance).build_dfa(word));
        Ok(listed(self.matching(self.fields.form, &automaton, prefix, MAX_MATCHES)?))
    }

    /// Stems at most `distance` edits from one, all beginning with `prefix`.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn stems_near(&self, stem: &str, distance: u8, prefix: &str) -> tantivy::Result<Vec<Known>> {
        let automaton = Near(levenshtein(distance).build_dfa(stem));
        Ok(listed(self.matching(self.fields.stem, &automaton, prefix, MAX_MATCHES)?))
    }

    /// Words of the other script that sound like this one.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn words_sounding(&self, word: &str) -> tantivy::Result<Vec<Known>> {
        let Some(automaton) = Sounding::new(word) else { return Ok(Vec::new()) };
        Ok(listed(self.matching(self.fields.form, &automaton, "", MAX_MATCHES)?))
    }

    fn matching<A: Automaton + Clone>(
        &self,
        field: Field,
        automaton: A,
        prefix: &str,
        most: usize,
    ) -> tantivy::Result<HashMap<String, u64>>
    where
        A::State: Clone,
    {
        let mut found: HashMap<String, u64> = HashMap::new();
        let is_narrow = self.searcher.segment_readers().len() == 1;
        for segment in self.searcher.segment_readers() {
            let index = segment.inverted_index(field)?;
            let mut terms = index.terms().search(automaton.clone());
            if !prefix.is_empty() {
                terms = terms.ge(prefix.as_bytes()).lt(after(prefix));
            }
            let mut stream = terms.into_stream()?;
            let mut seen = 0;
            while seen < most && stream.advance() {
                let Ok(form) = std::str::from_utf8(stream.key()) else { continue };
                let frequency = u64::from(stream.value().doc_freq);
                match found.get_mut(form) {
                    Some(sum) if !is_narrow => *sum += frequency,
                    _ => {
                        found.insert(form.to_owned(), frequency);
                    }
                }
                seen += 1;
            }
        }
        Ok(found)
    }
}

fn listed(found: HashMap<String, u64>) -> Vec<Known> {
    most_frequent(found, usize::MAX)
}

fn most_frequent(found: HashMap<String, u64>, most: usize) -> Vec<Known> {
    let mut words: Vec<Known> =
        found.into_iter().map(|(form, frequency)| Known { form, frequency }).collect();
    let order = |a: &Known, b: &Known| b.frequency.cmp(&a.frequency).then_with(|| a.form.cmp(&b.form));
    if words.len() > most && most > 0 {
        words.select_nth_unstable_by(most - 1, order);
        words.truncate(most);
    }
    words.sort_by(order);
    words
}

/// The first text, in the order of bytes, after all those that begin so. A prefix is UTF-8 and holds no byte 255.
fn after(prefix: &str) -> Vec<u8> {
    let mut bytes = prefix.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last += 1;
    }
    bytes
}

/// Building tables costs milliseconds for two edits, so it is done once. (Schulz and Mihov, Fast String Correction with
/// Levenshtein-Automata, 2002.)
fn levenshtein(distance: u8) -> &'static LevenshteinAutomatonBuilder {
    static ONE: OnceLock<LevenshteinAutomatonBuilder> = OnceLock::new();
    static TWO: OnceLock<LevenshteinAutomatonBuilder> = OnceLock::new();
    match distance {
        0 | 1 => ONE.get_or_init(|| LevenshteinAutomatonBuilder::new(1, true)),
        _ => TWO.get_or_init(|| LevenshteinAutomatonBuilder::new(2, true)),
    }
}

/// Makes what the first search for a misspelt word would have to wait for.
pub fn prepare() {
    levenshtein(1);
    levenshtein(2);
}

struct Near(DFA);

impl Automaton for &Near {
    type State = u32;

    fn start(&self) -> u32 {
        self.0.initial_state()
    }

    fn is_match(&self, state: &u32) -> bool {
        matches!(self.0.distance(*state), Distance::Exact(_))
    }

    fn can_match(&self, state: &u32) -> bool {
        *state != SINK_STATE
    }

    fn accept(&self, state: &u32, byte: u8) -> u32 {
        self.0.transition(*state, byte)
    }
}

/// How many states the automaton of a word's readings may have.
const MAX_STATES: usize = 512;

/// States in which the automaton may be at one time.
type States = [u64; MAX_STATES / 64];

/// A nondeterministic automaton over bytes that accepts the readings of a word in the other script. Its first states are the places in the
/// word; others lie between the bytes of what is written for a sound.
struct Sounding {
    /// By state: on this byte, to that state.
    moves: Vec<Vec<(u8, u16)>>,
    /// Places one may go on to without reading anything (soft signs, silent letters).
    skips: Vec<(usize, usize)>,
    end: usize,
}

impl Sounding {
    fn new(word: &str) -> Option<Self> {
        let steps = transliteration::steps(word);
        if steps.is_empty() {
            return None;
        }
        let mut made = Self { moves: vec![Vec::new(); word.len() + 1], skips: Vec::new(), end: word.len() };
        for Step { from, to, written, .. } in steps {
            let Some((last, before)) = written.as_bytes().split_last() else {
                made.skips.push((from, to));
                continue;
            };
            let mut state = from;
            for byte in before {
                let known =
                    made.moves[state].iter().find(|(b, next)| b == byte && usize::from(*next) > word.len());
                state = match known {
                    Some((_, next)) => usize::from(*next),
                    None => {
                        made.moves.push(Vec::new());
                        let next = made.moves.len() - 1;
                        made.moves[state].push((*byte, u16::try_from(next).ok()?));
                        next
                    }
                };
            }
            made.moves[state].push((*last, u16::try_from(to).ok()?));
        }
        // A skip goes forward, so one pass in order is enough.
        made.skips.sort_unstable();
        (made.moves.len() <= MAX_STATES).then_some(made)
    }

    fn close(&self, states: &mut States) {
        for (from, to) in &self.skips {
            if has(states, *from) {
                add(states, *to);
            }
        }
    }
}

fn has(states: &States, state: usize) -> bool {
    states[state / 64] >> (state % 64) & 1 == 1
}

fn add(states: &mut States, state: usize) {
    states[state / 64] |= 1 << (state % 64);
}

impl Automaton for &Sounding {
    type State = States;

    fn start(&self) -> States {
        let mut states = States::default();
        add(&mut states, 0);
        self.close(&mut states);
        states
    }

    fn is_match(&self, states: &States) -> bool {
        has(states, self.end)
    }

    fn can_match(&self, states: &States) -> bool {
        states.iter().any(|word| *word != 0)
    }

    fn accept(&self, states: &States, byte: u8) -> States {
        let mut next = States::default();
        for (number, word) in states.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                let state = number * 64 + left.trailing_zeros() as usize;
                left &= left - 1;
                for (on, to) in &self.moves[state] {
                    if *on == byte {
                        add(&mut next, usize::from(*to));
                    }
                }
            }
        }
        self.close(&mut next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts<A: Automaton>(automaton: A, text: &str) -> bool {
        let end = text.bytes().fold(automaton.start(), |state, byte| automaton.accept(&state, byte));
        automaton.is_match(&end)
    }

    #[test]
    fn edits_are_counted_in_characters() {
        let one = Near(levenshtein(1).build_dfa("пакет"));
        assert!(accepts(&one, "покет") && accepts(&one, "пкает") && accepts(&one, "паке"));
        assert!(!accepts(&one, "покит"));
    }

    #[test]
    fn sounds_lead_from_script_to_script() {
        for (word, other) in
            [("megafon", "мегафон"), ("вайфай", "wifi"), ("otklyuchit", "отключить"), ("тариф", "tarif")]
        {
            let automaton = Sounding::new(word).unwrap();
            assert!(accepts(&automaton, other), "{word} → {other}");
            assert!(!accepts(&automaton, "кот"), "{word}");
        }
    }
}
