//! Word forms brought together: dictionary lemmas for Russian, Snowball stems for the rest.

use std::cell::RefCell;
use std::sync::OnceLock;

use rumorph::{Dictionary, Source};
use rustc_hash::FxHashMap;

use crate::language::words;

/// Forms remembered by each thread; at about 100 bytes each this bounds the memory at a few megabytes.
const CACHED_FORMS: usize = 40_000;

thread_local! {
    static LEMMAS: RefCell<FxHashMap<Box<str>, Box<str>>> = RefCell::new(FxHashMap::default());
}

/// The lemma of a folded word: the dictionary form for Russian words the dictionary knows (людей → человек), the
/// Snowball stem for all others. Calls `take` with it, without allocating for words seen lately.
pub fn with_lemma<T>(form: &str, take: impl FnOnce(&str) -> T) -> T {
    LEMMAS.with_borrow_mut(|cache| {
        if let Some(lemma) = cache.get(form) {
            return take(lemma);
        }
        if cache.len() >= CACHED_FORMS {
            cache.clear();
        }
        let lemma = find_lemma(form);
        let result = take(&lemma);
        cache.insert(form.into(), lemma.into());
        result
    })
}

/// The lemma as a string of its own.
pub fn lemma(form: &str) -> String {
    with_lemma(form, str::to_owned)
}

/// The Snowball stem of a folded word: Russian for Cyrillic, English for the rest.
pub fn stem(form: &str) -> String {
    if form.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return form.to_owned();
    }
    let algorithm =
        if words::is_cyrillic(form) { frostem::Algorithm::Russian } else { frostem::Algorithm::English };
    frostem::Stemmer::new(algorithm).stem(form).into_owned()
}

fn find_lemma(form: &str) -> String {
    if !words::is_cyrillic(form) {
        return stem(form);
    }
    let known = dictionary().and_then(|dictionary| {
        let analyses = dictionary.analyze(form);
        analyses.into_iter().next().filter(|a| a.source == Source::Dictionary)
    });
    match known {
        Some(analysis) => words::fold(&analysis.lemma),
        None => stem(form),
    }
}

/// The dictionary, loaded once (about 4 ms). Were it unreadable, stems would serve alone.
fn dictionary() -> Option<&'static Dictionary> {
    static DICTIONARY: OnceLock<Option<Dictionary>> = OnceLock::new();
    DICTIONARY.get_or_init(|| Dictionary::bundled().ok()).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_word_have_one_lemma() {
        for form in ["тариф", "тарифы", "тарифу", "тарифов"] {
            assert_eq!(lemma(form), "тариф");
        }
        assert_eq!(lemma("людей"), "человек");
        assert_eq!(lemma("packages"), lemma("package"));
    }

    #[test]
    fn words_the_dictionary_lacks_are_stemmed_not_guessed() {
        assert_eq!(lemma("есим"), stem("есим"));
        assert_eq!(lemma("100"), "100");
    }
}
