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
}

impl Prose {
    /// Adds a text, and calls `visit` with where each sentence stands and how many words it has.
    pub fn add(&mut self, text: &str, mut visit: impl FnMut(Range<usize>, usize)) {
        for (start, sentence) in text.split_sentence_bound_indices() {
            let (mut count, mut syllables) = (0, 0);
            words::for_each_word(sentence, |_, form| {
                if form.chars().any(char::is_alphabetic) {
                    count += 1;
                    syllables += syllables_of(form);
                }
            });
            if count >= LEAST_WORDS {
                self.sentences += 1;
                self.words += u32::try_from(count).unwrap_or(u32::MAX);
                self.syllables += syllables;
                visit(start..start + sentence.trim_end().len(), count);
            }
        }
    }

    /// The reading ease: about 0 to 100, more is easier; below 0 for what is hardly readable. 100 for no text.
    pub fn ease(&self, is_russian: bool) -> f64 {
        if self.sentences == 0 || self.words == 0 {
            return 100.0;
        }
        let length = f64::from(self.words) / f64::from(self.sentences);
        let syllables = f64::from(self.syllables) / f64::from(self.words);
        if is_russian {
            206.835 - 1.3 * length - 60.1 * syllables
        } else {
            206.835 - 1.015 * length - 84.6 * syllables
        }
    }
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
        assert_eq!(easy, Prose { sentences: 1, words: 6, syllables: 6 });
        assert!((easy.ease(false) - (206.835 - 6.09 - 84.6)).abs() < 0.001);
        let russian = of("Кот сел на ковёр.");
        assert_eq!(russian, Prose { sentences: 1, words: 4, syllables: 5 });
        assert!((russian.ease(true) - (206.835 - 5.2 - 75.125)).abs() < 0.001);
        let hard = of(
            "Осуществление предоставления дополнительных функциональных возможностей обеспечивается посредством конфигурирования соответствующих компонентов инфраструктуры.",
        );
        assert!(hard.ease(true) < 0.0 && russian.ease(true) > 90.0);
    }

    #[test]
    fn sentences_are_told_with_their_places() {
        let (mut prose, mut told) = (Prose::default(), Vec::new());
        let text = "Один два три. Да. Раз два три четыре!";
        prose.add(text, |range, count| told.push((text[range].to_owned(), count)));
        assert_eq!(told, [("Один два три.".to_owned(), 3), ("Раз два три четыре!".to_owned(), 4)]);
        assert_eq!(prose.ease(true), prose.ease(true));
        assert_eq!(Prose::default().ease(true), 100.0);
    }
}
