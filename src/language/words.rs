//! Words of a text: where they stand and how they are compared.

use std::ops::Range;

use crate::language::codes;

/// Longer runs of letters (base64, minified code) are no words anybody searches for.
const MAX_WORD_BYTES: usize = 80;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Lower case, ё as е.
    pub form: String,
}

/// The words of a text. Digits and letters part (`15ГБ` is two words); codes and phone numbers are no words:
/// see [`codes::find_codes`].
pub fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    for_each_word(text, |range, form| found.push(Word { range, form: form.to_owned() }));
    found
}

/// Calls `visit` with the range and form of each word; allocates one buffer for the whole text.
pub fn for_each_word(text: &str, mut visit: impl FnMut(Range<usize>, &str)) {
    let mut skipped = codes::find_codes(text).into_iter().map(|c| c.range).peekable();
    let mut form = String::new();
    let mut start = 0;
    let mut class = Class::Other;
    let mut scripts = Scripts::default();
    let mut flush = |range: Range<usize>, form: &mut String, scripts: &mut Scripts| {
        if !form.is_empty() && range.len() <= MAX_WORD_BYTES {
            if scripts.latin && scripts.cyrillic {
                unmix(form);
            }
            visit(range, form);
        }
        *scripts = Scripts::default();
        form.clear();
    };
    for (at, c) in text.char_indices() {
        while skipped.next_if(|code| code.end <= at).is_some() {}
        let next = match skipped.peek() {
            Some(code) if code.contains(&at) => Class::Other,
            _ if class == Class::Digits && joins_thousands(&text[start..], at - start, c) => continue,
            _ => class_of(c, class),
        };
        if next != class {
            flush(start..at, &mut form, &mut scripts);
            start = at;
            class = next;
        }
        if class != Class::Other {
            scripts.latin |= c.is_ascii_alphabetic();
            scripts.cyrillic |= matches!(c, '\u{400}'..='\u{4ff}');
            push_folded(c, &mut form);
        }
    }
    flush(start..text.len(), &mut form, &mut scripts);
}

/// The scripts met in a word.
#[derive(Default)]
struct Scripts {
    latin: bool,
    cyrillic: bool,
}

/// Latin letters that look like Cyrillic ones, folded.
const LOOKALIKES: [(char, char); 12] = [
    ('a', 'а'),
    ('b', 'в'),
    ('c', 'с'),
    ('e', 'е'),
    ('h', 'н'),
    ('k', 'к'),
    ('m', 'м'),
    ('o', 'о'),
    ('p', 'р'),
    ('t', 'т'),
    ('x', 'х'),
    ('y', 'у'),
];

/// A word of two scripts becomes one of a single script, if its letters of the other one only look so: `cим` with a Latin c. The Cyrillic
/// reading goes first; words that are mixed on purpose stay.
fn unmix(form: &mut String) {
    let cyrillic = |c: char| match c {
        'a'..='z' => LOOKALIKES.iter().find(|(latin, _)| *latin == c).map(|(_, other)| *other),
        _ => Some(c),
    };
    let latin = |c: char| match c {
        'а'..='я' => LOOKALIKES.iter().find(|(_, other)| *other == c).map(|(latin, _)| *latin),
        _ => Some(c),
    };
    let read: Option<String> = form.chars().map(cyrillic).collect();
    if let Some(read) = read.or_else(|| form.chars().map(latin).collect()) {
        *form = read;
    }
}

/// Whether a space inside a number parts thousands: `1 500` is one number, `100 300` are two (with a no-break space it is one as well).
fn joins_thousands(number: &str, at: usize, c: char) -> bool {
    let is_tight = matches!(c, '\u{a0}' | '\u{202f}' | '\u{2009}');
    if !is_tight && c != ' ' {
        return false;
    }
    let before = number[..at].trim_end_matches(|c: char| c.is_ascii_digit());
    let group = at - before.len();
    let is_first = before.is_empty();
    let starts_well = if is_first { group <= 3 && (is_tight || group <= 2) } else { group == 3 };
    let after = &number.as_bytes()[at + c.len_utf8()..];
    let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
    starts_well && !number.starts_with('0') && digits == 3
}

/// Lower case, ё as е: the form in which words are compared.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        push_folded(c, &mut folded);
    }
    folded
}

/// Whether a word is written in Cyrillic.
pub fn is_cyrillic(form: &str) -> bool {
    form.chars().any(|c| matches!(c, '\u{400}'..='\u{4ff}'))
}

/// Words that carry no meaning of their own in a search: not asked for when other words are there.
pub fn is_stop_word(form: &str) -> bool {
    STOP_WORDS.binary_search(&form).is_ok()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letters,
    Digits,
    Other,
}

fn class_of(c: char, before: Class) -> Class {
    match c {
        'a'..='z' | 'A'..='Z' | 'а'..='я' | 'А'..='Я' => Class::Letters,
        '0'..='9' => Class::Digits,
        // A stress mark or a decomposed й continues the word it stands in.
        '\u{300}'..='\u{36f}' => before,
        _ if c.is_alphabetic() => Class::Letters,
        _ if c.is_numeric() => Class::Digits,
        _ => Class::Other,
    }
}

fn push_folded(c: char, form: &mut String) {
    match c {
        'a'..='z' | '0'..='9' | 'а'..='я' => form.push(c),
        'A'..='Z' => form.push(c.to_ascii_lowercase()),
        'ё' | 'Ё' => form.push('е'),
        // й written as и and a breve; other marks (stress) are dropped.
        '\u{306}' if form.ends_with('и') => {
            form.pop();
            form.push('й');
        }
        '\u{300}'..='\u{36f}' => {}
        // İ becomes i and a dot above, which is a mark like others.
        _ => form.extend(c.to_lowercase().filter(|c| !matches!(c, '\u{300}'..='\u{36f}'))),
    }
}

/// Sorted, for binary search. Function words of Russian and English; «не», «без», «no», "not" carry meaning and stay.
const STOP_WORDS: &[&str] = &[
    "a",
    "about",
    "after",
    "am",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "by",
    "can",
    "do",
    "does",
    "for",
    "from",
    "has",
    "have",
    "how",
    "i",
    "if",
    "in",
    "into",
    "is",
    "it",
    "its",
    "my",
    "of",
    "on",
    "or",
    "our",
    "per",
    "should",
    "so",
    "that",
    "the",
    "their",
    "there",
    "these",
    "they",
    "this",
    "to",
    "was",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "who",
    "why",
    "will",
    "with",
    "you",
    "your",
    "а",
    "бы",
    "был",
    "была",
    "были",
    "было",
    "быть",
    "в",
    "вам",
    "вас",
    "во",
    "вот",
    "все",
    "где",
    "да",
    "для",
    "до",
    "его",
    "ее",
    "если",
    "есть",
    "еще",
    "же",
    "за",
    "и",
    "из",
    "или",
    "им",
    "их",
    "к",
    "как",
    "какая",
    "какие",
    "какой",
    "ко",
    "когда",
    "ли",
    "мне",
    "можно",
    "мой",
    "моя",
    "мы",
    "на",
    "над",
    "нам",
    "нас",
    "него",
    "нее",
    "них",
    "но",
    "ну",
    "о",
    "об",
    "он",
    "она",
    "они",
    "оно",
    "от",
    "по",
    "под",
    "при",
    "про",
    "с",
    "со",
    "так",
    "то",
    "ту",
    "ты",
    "у",
    "уже",
    "через",
    "что",
    "чтобы",
    "это",
    "этот",
    "я",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = words(text).into_iter().map(|w| w.form).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn words_are_folded_and_digits_part_from_letters() {
        check("Ёлка, 15ГБ и sim-карта", &["елка", "15", "гб", "и", "sim", "карта"]);
        check("моби\u{301}льный И\u{306}од", &["мобильный", "йод"]);
        check("cим-карта, TЕХТ и web-адрес", &["сим", "карта", "техт", "и", "web", "адрес"]);
    }

    #[test]
    fn thousands_are_one_number() {
        check("1 500 ₽, 15\u{a0}000 и 1\u{a0}500\u{a0}000", &["1500", "15000", "и", "1500000"]);
        check("пакеты 100 300 и 1 5000", &["пакеты", "100", "300", "и", "1", "5000"]);
    }

    #[test]
    fn codes_are_no_words() {
        check("наберите *155*21# или 8 800 555-06-11 сейчас", &["наберите", "или", "сейчас"]);
        check("на 611", &["на", "611"]);
    }

    #[test]
    fn ranges_point_into_the_text() {
        let text = "цена — 100 ₽";
        let found = words(text);
        assert_eq!(&text[found[1].range.clone()], "100");
    }

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }
}
