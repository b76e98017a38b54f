//! What was typed, read once into a plan.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::content::catalog::Catalog;
use crate::content::validity::Clearance;
use crate::language::{codes, morphology, words};
use crate::search::operators::{self, Narrowed, Operators};

/// Words of a query beyond these are not looked for: a pasted page is no question.
const MAX_WORDS: usize = 48;

/// The least digits of a local number that is looked up by its end.
const LOCAL_DIGITS: std::ops::RangeInclusive<usize> = 5..=7;

/// Why a word is read as another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The editors say they are one.
    Synonym,
    /// It is being typed still.
    Completion,
    /// They are of one derivational family: подключить, подключение.
    Family,
    /// It was typed with the other keyboard layout on.
    Layout,
    /// It is the same word in the other script.
    Transliteration,
    /// It is a slip of the finger or the ear.
    Typo,
    /// Two words were typed as one, or one as two.
    Spacing,
}

/// Another word that a word of the query may stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The word, folded.
    pub form: String,
    /// Its lemma.
    pub lemma: String,
    /// What it counts, beside 1 for the word itself.
    pub weight: f32,
    /// Why.
    pub why: Why,
}

/// A word that is looked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryWord {
    /// As typed, folded.
    pub form: String,
    /// Its lemma.
    pub lemma: String,
    /// Its stem.
    pub stem: String,
    /// In how many sections it stands, in any form.
    pub frequency: u64,
    /// In how many sections what it was corrected to stands; 0 when it was not.
    pub meant_frequency: u64,
    /// Whether it was quoted: then it is looked for as it is.
    pub is_quoted: bool,
    /// What else it may stand for.
    pub readings: Vec<Reading>,
}

impl QueryWord {
    /// A word by its form.
    pub fn of(form: &str) -> Self {
        Self {
            form: form.to_owned(),
            lemma: morphology::lemma(form),
            stem: morphology::stem(form),
            ..Self::default()
        }
    }

    /// Whether neither it nor anything it may stand for is in the articles.
    pub fn is_unknown(&self) -> bool {
        self.frequency == 0 && self.readings.is_empty()
    }
}

/// A code in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryCode {
    /// A whole code in canonical form.
    Whole(String),
    /// The beginning of one, in canonical form; what follows is not typed yet.
    Partial(String),
}

/// A correction made to a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Correction {
    /// What was typed.
    pub from: String,
    /// What it was read as.
    pub to: String,
    /// Why.
    pub why: Why,
}

/// What a query asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// As typed, without space at the ends.
    pub text: String,
    /// What is left of it when quotes, excluded and field words are taken out.
    pub asked: String,
    /// The code in it.
    pub code: Option<QueryCode>,
    /// The words in it; those without meaning are left out when there are others.
    pub words: Vec<QueryWord>,
    /// Words of `words` that were quoted together, and must stand together in this order.
    pub phrases: Vec<Range<usize>>,
    /// Words that must not stand in a section.
    pub excluded: Vec<QueryWord>,
    /// What its field words narrow it to: `kind:procedure`.
    pub narrowed: Narrowed,
    /// Whether the last word may still be being typed.
    pub last_is_open: bool,
    /// How it was read otherwise than typed.
    pub corrections: Vec<Correction>,
}

impl Plan {
    /// Reads a query. Short and local numbers are codes when the catalogue knows them, and one may know of it.
    pub fn read(text: &str, catalog: &Catalog, clearance: &Clearance) -> Self {
        let trimmed = text.trim();
        if let Some(code) = read_code(trimmed, catalog, clearance) {
            return Self {
                text: trimmed.to_owned(),
                asked: trimmed.to_owned(),
                code: Some(code),
                ..Self::default()
            };
        }
        let Operators { rest, phrases, excluded, narrowed } = operators::read(trimmed, catalog, clearance);
        let has_operators = rest != trimmed;
        let mut plan = Self {
            text: trimmed.to_owned(),
            code: codes::find_codes(trimmed).into_iter().next().map(|c| QueryCode::Whole(c.canonical)),
            excluded: excluded
                .iter()
                .flat_map(|text| words::words(text))
                .map(|w| QueryWord::of(&w.form))
                .collect(),
            narrowed,
            ..Self::default()
        };
        let (mut last_end, mut last_is_new) = (0, false);
        words::for_each_word(&rest, |range, form| {
            last_end = range.end;
            last_is_new = plan.words.len() < MAX_WORDS && plan.words.iter().all(|w| w.form != form);
            if last_is_new {
                plan.words.push(QueryWord::of(form));
            }
        });
        plan.last_is_open = !has_operators
            && last_is_new
            && last_end == trimmed.len()
            && !text.ends_with(char::is_whitespace);
        plan.leave_out_little_words();
        for phrase in phrases {
            let start = plan.words.len();
            words::for_each_word(&phrase, |_, form| {
                if plan.words.len() < MAX_WORDS {
                    plan.words.push(QueryWord { is_quoted: true, ..QueryWord::of(form) });
                }
            });
            plan.phrases.push(start..plan.words.len());
        }
        plan.phrases.retain(|range| !range.is_empty());
        plan.asked = rest;
        plan
    }

    fn leave_out_little_words(&mut self) {
        let last = self.words.last().map(|w| w.form.clone());
        let last_is_open = self.last_is_open;
        let is_meaningful =
            |w: &QueryWord| !words::is_stop_word(&w.form) || last_is_open && Some(&w.form) == last.as_ref();
        if self.words.iter().any(|w| !words::is_stop_word(&w.form)) {
            self.words.retain(is_meaningful);
            // «тариф на»: a little word at the end is no beginning of a long one worth waiting for.
            if self.words.len() > 1 && self.words.last().is_some_and(|w| words::is_stop_word(&w.form)) {
                self.words.pop();
                self.last_is_open = false;
            }
        }
    }

    /// How the query was read: the code in canonical form, or the text with its corrections.
    pub fn read_as(&self) -> String {
        match &self.code {
            Some(QueryCode::Whole(code) | QueryCode::Partial(code)) if self.words.is_empty() => code.clone(),
            _ => self.corrected(&self.text),
        }
    }

    /// What was asked, operators left out, with its corrections.
    pub fn asked_as(&self) -> String {
        self.corrected(&self.asked)
    }

    fn corrected(&self, text: &str) -> String {
        let corrections = self.corrections.iter();
        corrections.fold(text.to_owned(), |text, Correction { from, to, .. }| replace_word(&text, from, to))
    }

    /// The whole code asked for.
    pub fn whole_code(&self) -> Option<&str> {
        match &self.code {
            Some(QueryCode::Whole(code)) => Some(code),
            _ => None,
        }
    }

    /// Whether only the very sections that the query finds will do: it names a code, quotes, or excludes.
    pub fn is_strict(&self) -> bool {
        self.code.is_some() || !self.phrases.is_empty() || !self.excluded.is_empty()
    }

    /// Whether nothing is asked for: then everything that is admitted is listed.
    pub fn is_empty(&self) -> bool {
        self.code.is_none() && self.words.is_empty()
    }

    /// Whether the text asks for nothing but what a filter can tell: no text, or field words alone.
    pub fn lists_everything(&self) -> bool {
        self.is_empty() && self.asked.trim().is_empty()
    }
}

/// The text with the first word that is `from`, in any case, replaced.
fn replace_word(text: &str, from: &str, to: &str) -> String {
    let found = words::words(text).into_iter().find(|w| w.form == words::fold(from));
    match found {
        Some(word) => format!("{}{to}{}", &text[..word.range.start], &text[word.range.end..]),
        None => text.to_owned(),
    }
}

/// Reads a query that is a code from end to end.
fn read_code(text: &str, catalog: &Catalog, clearance: &Clearance) -> Option<QueryCode> {
    let known = |code: &str| catalog.code_owners(code, clearance).next().is_some();
    if let Some(code) = codes::canonical(text) {
        // A short number is a code only when it is known to be one: 100 is a number of messages.
        if !codes::is_short_number(&code) || known(&code) {
            return Some(QueryCode::Whole(code));
        }
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_number =
        !digits.is_empty() && text.chars().all(|c| c.is_ascii_digit() || " -()+\u{a0}\u{2011}".contains(c));
    if is_number {
        let with_country = format!("7{digits}");
        if digits.len() == 10 && known(&with_country) {
            return Some(QueryCode::Whole(with_country));
        }
        if LOCAL_DIGITS.contains(&digits.len()) {
            let mut ending = catalog.codes_ending(&digits, clearance);
            if let (Some(only), None) = (ending.next(), ending.next()) {
                return Some(QueryCode::Whole(only.to_owned()));
            }
        }
    }
    let partial = codes::partial(text)?;
    let closed = format!("{partial}#");
    let mut completions = catalog.codes_from(&partial, clearance);
    match (completions.next(), completions.next()) {
        // Only one code can come of it.
        (Some(only), None) if only == closed || !partial.starts_with(['*', '#']) && partial.len() >= 7 => {
            Some(QueryCode::Whole(only.to_owned()))
        }
        _ => Some(QueryCode::Partial(partial.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let text = "
family: f
attributes: {code: {type: code}, other: {type: code}}
products:
  - {id: a, values: {code: '*155*2#', other: '*155*21#'}}
  - {id: b, values: {code: '8 800 555-06-11', other: '611'}}
  - {id: c, values: {code: '(831) 291-16-11', other: '*155*971#'}}
";
        let catalog = Catalog::of_text(text);
        assert!(catalog.problems().is_empty(), "{:?}", catalog.problems());
        catalog
    }

    #[track_caller]
    fn check(text: &str, expected: Option<QueryCode>) {
        assert_eq!(Plan::read(text, &catalog(), &Clearance::Public).code, expected, "code of {text:?}");
    }

    #[test]
    fn codes_are_read_whole() {
        let whole = |code: &str| Some(QueryCode::Whole(code.to_owned()));
        let partial = |code: &str| Some(QueryCode::Partial(code.to_owned()));
        check("*155*2#", whole("*155*2#"));
        check("* 155 * 21 #", whole("*155*21#"));
        check("*155*2", partial("*155*2"));
        check("*155*971", whole("*155*971#"));
        check("*155*97", partial("*155*97"));
        check("*155*99#", whole("*155*99#"));
        check("8-800-555-06-11", whole("78005550611"));
        check("800 555 06 11", whole("78005550611"));
        check("8 800 555", whole("78005550611"));
        check("831 291 16 11", whole("78312911611"));
        check("291-16-11", whole("78312911611"));
        check("611", whole("611"));
        check("100", None);
        check("что делает *155*2#?", whole("*155*2#"));
    }

    #[test]
    fn words_without_meaning_are_left_out() {
        let forms = |text: &str| -> Vec<String> {
            Plan::read(text, &catalog(), &Clearance::Public).words.into_iter().map(|w| w.form).collect()
        };
        assert_eq!(forms("как подключить пакет"), ["подключить", "пакет"]);
        assert_eq!(forms("где я"), ["где", "я"]);
        assert_eq!(forms("не работает"), ["не", "работает"]);
    }

    #[test]
    fn operators_are_taken_out() {
        let plan = Plan::read(
            "kind:procedure \"мобильный интернет\" отключить -роуминг",
            &catalog(),
            &Clearance::Public,
        );
        let forms: Vec<&str> = plan.words.iter().map(|w| w.form.as_str()).collect();
        assert_eq!(forms, ["отключить", "мобильный", "интернет"]);
        assert_eq!(plan.phrases.len(), 1);
        assert_eq!((plan.phrases[0].start, plan.phrases[0].end), (1, 3));
        assert_eq!(plan.excluded[0].form, "роуминг");
        assert_eq!(plan.narrowed.kinds, [crate::content::front_matter::Kind::Procedure]);
        assert!(!plan.last_is_open);
    }
}
