//! What was typed, read once into a plan.

use crate::content::catalog::Catalog;
use crate::language::{codes, morphology, words};

/// Words of a query beyond these are not looked for: a pasted page is no question.
const MAX_WORDS: usize = 48;

/// The least digits of a local number that is looked up by its end.
const LOCAL_DIGITS: std::ops::RangeInclusive<usize> = 5..=7;

/// A word that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryWord {
    /// As typed, folded.
    pub form: String,
    /// Its lemma.
    pub lemma: String,
    /// Its stem.
    pub stem: String,
}

/// A code in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryCode {
    /// A whole code in canonical form.
    Whole(String),
    /// The beginning of one, in canonical form; what follows is not typed yet.
    Partial(String),
}

/// What a query asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// As typed, without space at the ends.
    pub text: String,
    /// The code in it.
    pub code: Option<QueryCode>,
    /// The words in it; those without meaning are left out when there are others.
    pub words: Vec<QueryWord>,
    /// Whether the last word may still be being typed.
    pub last_is_open: bool,
}

impl Plan {
    /// Reads a query. Short and local numbers are codes when the catalogue knows them.
    pub fn read(text: &str, catalog: &Catalog) -> Self {
        let trimmed = text.trim();
        if let Some(code) = read_code(trimmed, catalog) {
            return Self { text: trimmed.to_owned(), code: Some(code), ..Self::default() };
        }
        let embedded = codes::find_codes(trimmed).into_iter().next().map(|c| QueryCode::Whole(c.canonical));
        let mut found: Vec<QueryWord> = Vec::new();
        let mut last_end = 0;
        words::for_each_word(trimmed, |range, form| {
            last_end = range.end;
            if found.len() < MAX_WORDS && found.iter().all(|w| w.form != form) {
                found.push(QueryWord {
                    form: form.to_owned(),
                    lemma: morphology::lemma(form),
                    stem: morphology::stem(form),
                });
            }
        });
        let last_is_open = last_end == trimmed.len() && !text.ends_with(char::is_whitespace);
        let last = found.last().cloned();
        let is_meaningful =
            |w: &QueryWord| !words::is_stop_word(&w.form) || last_is_open && Some(w) == last.as_ref();
        if found.iter().any(|w| !words::is_stop_word(&w.form)) {
            found.retain(is_meaningful);
            // «тариф на»: a little word at the end is no beginning of a long one worth waiting for.
            if found.len() > 1 && found.last().is_some_and(|w| words::is_stop_word(&w.form)) {
                found.pop();
            }
        }
        Self { text: trimmed.to_owned(), code: embedded, words: found, last_is_open }
    }

    /// How the query was read: the code in canonical form, or the text.
    pub fn read_as(&self) -> &str {
        match &self.code {
            Some(QueryCode::Whole(code) | QueryCode::Partial(code)) if self.words.is_empty() => code,
            _ => &self.text,
        }
    }

    /// The whole code asked for.
    pub fn whole_code(&self) -> Option<&str> {
        match &self.code {
            Some(QueryCode::Whole(code)) => Some(code),
            _ => None,
        }
    }

    /// Whether nothing is asked for: then everything is listed.
    pub fn is_empty(&self) -> bool {
        self.code.is_none() && self.words.is_empty()
    }
}

/// Reads a query that is a code from end to end.
fn read_code(text: &str, catalog: &Catalog) -> Option<QueryCode> {
    let known = |code: &str| !catalog.code_owners(code).is_empty();
    if let Some(code) = codes::canonical(text) {
        // A short number is a code only when it is known to be one: 100 is a number of messages.
        let is_short = code.len() <= 6 && !code.contains(['*', '#']);
        if !is_short || known(&code) {
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
            let mut ending = catalog.codes_ending(&digits);
            if let (Some(only), None) = (ending.next(), ending.next()) {
                return Some(QueryCode::Whole(only.to_owned()));
            }
        }
    }
    let partial = codes::partial(text)?;
    let closed = format!("{partial}#");
    let mut completions = catalog.codes_from(&partial).map(|(code, _)| code);
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
    use std::sync::Arc;

    use super::*;
    use crate::content::catalog::{CatalogFile, parse_family};
    use crate::content::files::Stamp;

    fn catalog() -> Catalog {
        let text = "
family: f
attributes: {code: {type: code}, other: {type: code}}
products:
  - {id: a, values: {code: '*155*2#', other: '*155*21#'}}
  - {id: b, values: {code: '8 800 555-06-11', other: '611'}}
  - {id: c, values: {code: '(831) 291-16-11', other: '*155*971#'}}
";
        let (family, problems) = parse_family("f", text);
        assert!(problems.is_empty(), "{problems:?}");
        let file = CatalogFile {
            stamp: Stamp::default(),
            read_ns: 0,
            hash: [0; 32],
            family: family.map(Arc::new),
            problems,
        };
        Catalog::of([("f.yaml".to_owned(), file)].into())
    }

    #[track_caller]
    fn check(text: &str, expected: Option<QueryCode>) {
        assert_eq!(Plan::read(text, &catalog()).code, expected, "code of {text:?}");
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
            Plan::read(text, &catalog()).words.into_iter().map(|w| w.form).collect()
        };
        assert_eq!(forms("как подключить пакет"), ["подключить", "пакет"]);
        assert_eq!(forms("где я"), ["где", "я"]);
        assert_eq!(forms("не работает"), ["не", "работает"]);
    }
}
