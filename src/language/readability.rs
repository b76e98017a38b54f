//! How easily a text is read: Flesch's reading ease, with Oborneva's coefficients for Russian, and the length of sentences.
//!
//! Flesch, R. (1948). A new readability yardstick. Journal of Applied Psychology 32(3): 206.835 − 1.015·ASL − 84.6·ASW.
//! Оборнева И. В. (2006). Автоматизированная оценка сложности учебных текстов на основе статистических параметров:
//! 206.835 − 1.3·ASL − 60.1·ASW. ASL is the mean number of words in a sentence, ASW that of syllables in a word.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::language::words;

/// Sentences of fewer words are headings, labels or what was left of a list, and are not measured.
const LEAST_WORDS: usize = 3;

/// What a text is made of, as far as reading it is concerned. Texts can be added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prose {
    /// Sentences.
    pub sentences: u32,
    /// Words.
    pub words: u32,
    /// Syllables.
    pub syllables: u32,
    /// Words of Cyrillic letters.
    pub cyrillic: u32,
}

/// Letters of a word that is no abbreviation: after it and a full stop a sentence may begin with a small Latin letter.
const LEAST_LETTERS: usize = 4;

impl Prose {
    /// Adds a text, and calls `visit` with where each sentence stands and how many words it has.
    pub fn add(&mut self, text: &str, mut visit: impl FnMut(Range<usize>, usize)) {
        for (start, sentence) in text.split_sentence_bound_indices() {
            let mut from = 0;
            for end in inner_ends(sentence).chain([sentence.len()]) {
                self.add_sentence(&sentence[from..end], start + from, &mut visit);
                from = end;
            }
        }
    }

    fn add_sentence(&mut self, sentence: &str, start: usize, visit: &mut impl FnMut(Range<usize>, usize)) {
        let (mut count, mut syllables, mut cyrillic) = (0, 0, 0);
        for token in sentence.split_whitespace().filter(|token| !is_identifier(token)) {
            words::for_each_word(token, |_, form| {
                if form.chars().any(char::is_alphabetic) {
                    count += 1;
                    syllables += syllables_of(form);
                    cyrillic += u32::from(words::is_cyrillic(form));
                }
            });
        }
        if count >= LEAST_WORDS {
            self.sentences += 1;
            self.words += u32::try_from(count).unwrap_or(u32::MAX);
            self.syllables += syllables;
            self.cyrillic += cyrillic;
            visit(start..start + sentence.trim_end().len(), count);
        }
    }

    /// Whether most of its words are of Cyrillic letters: the language of its text, wherever the text stands.
    pub fn is_russian(&self) -> bool {
        self.cyrillic * 2 > self.words
    }

    /// The reading ease by the formula for its language: about 0 to 100, more is easier; below 0 for what is hardly readable. 100 for no
    /// text.
    pub fn ease(&self) -> f64 {
        if self.sentences == 0 || self.words == 0 {
            return 100.0;
        }
        let length = f64::from(self.words) / f64::from(self.sentences);
        let syllables = f64::from(self.syllables) / f64::from(self.words);
        if self.is_russian() {
            206.835 - 1.3 * length - 60.1 * syllables
        } else {
            206.835 - 1.015 * length - 84.6 * syllables
        }
    }
}

/// Where sentences end within what Unicode's rules take for one: a small letter after a full stop goes on with the sentence by them, though
/// in Russian prose it may be the name of a program that the next one begins with.
fn inner_ends(sentence: &str) -> impl Iterator<Item = usize> + '_ {
    let begins = |next: char| next.is_ascii_lowercase() || matches!(next, '{' | '`');
    sentence.match_indices(". ").map(|(at, _)| at).filter_map(move |at| {
        let word = sentence[..at].chars().rev().take_while(|c| matches!(c, '\u{400}'..='\u{4ff}')).count();
        let next = sentence[at + 2..].chars().next()?;
        (word >= LEAST_LETTERS && begins(next)).then_some(at + 2)
    })
}

/// Whether it is a name of a program, a place or an address, and no word that is read: `CreateDisk`, `disk_id`, `a.b`, `x/y`, `v1`.
fn is_identifier(token: &str) -> bool {
    let token = token.trim_matches(|c: char| !c.is_alphanumeric());
    let mut letters = token.chars().zip(token.chars().skip(1));
    token.contains(['_', '/', '.', ':', '=', '@', '\\'])
        || token.chars().any(|c| c.is_ascii_digit()) && token.chars().any(|c| c.is_ascii_alphabetic())
        || letters.any(|(one, next)| one.is_ascii_lowercase() && next.is_ascii_uppercase())
}

/// The syllables of a folded word, one at the least. Russian: its vowels. English: its groups of vowels but for a silent ending.
pub fn syllables_of(form: &str) -> u32 {
    if words::is_cyrillic(form) {
        let vowels = form.chars().filter(|c| "аеиоуыэюя".contains(*c)).count();
        return u32::try_from(vowels.max(1)).unwrap_or(1);
    }
    let is_vowel = |c: char| "aeiouy".contains(c);
    let (mut groups, mut in_group) = (0_u32, false);
    for c in form.chars() {
        groups += u32::from(is_vowel(c) && !in_group);
        in_group = is_vowel(c);
    }
    let ends = |ending: &str| form.strip_suffix(ending).and_then(|stem| stem.chars().next_back());
    // The e of "make", "makes" and "baked" is silent; that of "table", "boxes" and "wanted" is not.
    let is_silent = ends("e").is_some_and(|c| !is_vowel(c) && c != 'l')
        || ends("es").is_some_and(|c| !is_vowel(c) && !"scxzgh".contains(c))
        || ends("ed").is_some_and(|c| !is_vowel(c) && !"td".contains(c));
    groups.saturating_sub(u32::from(is_silent)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_are_counted() {
        for (word, expected) in [
            ("молоко", 3),
            ("в", 1),
            ("предоставляющий", 6),
            ("cat", 1),
            ("make", 1),
            ("makes", 1),
            ("table", 2),
            ("wanted", 2),
            ("baked", 1),
            ("boxes", 2),
            ("administration", 5),
        ] {
            assert_eq!(syllables_of(word), expected, "{word}");
        }
    }

    #[test]
    fn the_formulas_are_those_of_flesch_and_oborneva() {
        let of = |text: &str| {
            let mut prose = Prose::default();
            prose.add(text, |_, _| ());
            prose
        };
        // Six words, six syllables, one sentence.
        let easy = of("The cat sat on the mat.");
        assert_eq!(easy, Prose { sentences: 1, words: 6, syllables: 6, cyrillic: 0 });
        assert!((easy.ease() - (206.835 - 6.09 - 84.6)).abs() < 0.001);
        let russian = of("Кот сел на ковёр.");
        assert_eq!(russian, Prose { sentences: 1, words: 4, syllables: 5, cyrillic: 4 });
        assert!((russian.ease() - (206.835 - 5.2 - 75.125)).abs() < 0.001);
        let hard = of(
            "Осуществление предоставления дополнительных функциональных возможностей обеспечивается посредством конфигурирования соответствующих компонентов инфраструктуры.",
        );
        assert!(hard.ease() < 0.0 && russian.ease() > 90.0);
    }

    #[test]
    fn sentences_are_told_with_their_places() {
        let (mut prose, mut told) = (Prose::default(), Vec::new());
        let text = "Один два три. Да. Раз два три четыре!";
        prose.add(text, |range, count| told.push((text[range].to_owned(), count)));
        assert_eq!(told, [("Один два три.".to_owned(), 3), ("Раз два три четыре!".to_owned(), 4)]);
        assert_eq!(Prose::default().ease(), 100.0);
    }

    #[test]
    fn names_of_programs_are_no_words_and_may_begin_a_sentence() {
        let of = |text: &str| {
            let (mut prose, mut told) = (Prose::default(), Vec::new());
            prose.add(text, |_, words| told.push(words));
            told
        };
        assert_eq!(
            of("Метод CreateDiskRequest вернёт disk_id по адресу https://a.example/b/c и v1Operation сразу."),
            [6]
        );
        assert_eq!(
            of("Сначала установите приложение. kubectl покажет все узлы. И т. д. через год или два."),
            [3, 4, 7]
        );
    }
}
