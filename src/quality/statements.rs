//! Statements: what a passage says with one of its numbers or codes left out. Two places that say the same but for that contradict each other.

use std::hash::Hasher;
use std::ops::Range;

use rustc_hash::FxHasher;

use crate::content::problem::u32_of;
use crate::language::codes::{self, CodeKind};
use crate::language::quantities::{self, Quantity, Unit};
use crate::language::{morphology, words};
use crate::quality::passages::Passage;

/// The least words with a meaning of their own that a statement about a number must have, and one about a code.
const LEAST_WORDS: usize = 4;
const LEAST_WORDS_OF_CODE: usize = 2;

/// A passage of more words, or with more numbers, says too much to be one statement.
const MOST_WORDS: usize = 40;
const MOST_NUMBERS: usize = 5;

/// What a statement leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// A number with its unit.
    Number,
    /// A number alone in its cell.
    Cell,
    /// A USSD code.
    Ussd,
    /// A phone number.
    Phone,
}

/// A passage with one number or code left out.
#[derive(Clone, Debug)]
pub struct Statement {
    /// All of the passage but what is left out, as a number.
    pub key: u64,
    /// What is left out, to be compared.
    pub value: u64,
    /// What is left out, as written.
    pub shown: Box<str>,
    /// What sort of thing it is.
    pub left: Left,
    /// How many words with a meaning of their own it has.
    pub words: u8,
    /// Whether the value comes from the catalogue.
    pub is_reference: bool,
    /// The number of its section.
    pub section: u32,
    /// Where it stands in the body, in bytes.
    pub at: u32,
}

/// A part of a passage: where it stands, and what it is when it is not left out.
struct Token {
    range: Range<usize>,
    hash: u64,
}

/// The statements of a passage.
pub fn statements(passage: &Passage, body: &str, found: &mut Vec<Statement>) {
    let text = passage.text.as_str();
    // Most passages have no number at all.
    if !text.bytes().any(|b| b.is_ascii_digit()) {
        return;
    }
    let all_codes = codes::find_codes(text);
    let numbers: Vec<Quantity> = quantities::find_quantities(text);
    let is_alone = |quantity: &Quantity| quantity.range.len() == text.len() && passage.label.is_some();
    let known =
        |quantity: &&Quantity| !matches!(quantity.unit, Unit::Word(_) | Unit::None) || is_alone(quantity);
    if all_codes.len() + numbers.iter().filter(known).count() == 0
        || all_codes.len() + numbers.len() > MOST_NUMBERS
    {
        return;
    }
    let mut tokens: Vec<Token> = Vec::new();
    let mut meaning = 0;
    let mut add = |text: &str, is_label: bool, tokens: &mut Vec<Token>| {
        words::for_each_word(text, |range, form| {
            let is_word = form.chars().any(char::is_alphabetic);
            meaning += usize::from(is_word && !words::is_stop_word(form));
            let hash = morphology::with_lemma(form, |lemma| hash_of(lemma.as_bytes()));
            tokens.push(Token { range: if is_label { 0..0 } else { range }, hash });
        });
    };
    if let Some(label) = &passage.label {
        add(label, true, &mut tokens);
    }
    add(text, false, &mut tokens);
    if tokens.len() > MOST_WORDS {
        return;
    }
    // One spelling for all spellings of a unit.
    for quantity in numbers.iter().filter(known) {
        tokens.retain(|token| token.range.is_empty() || !is_within(&token.range, &quantity.range));
        tokens.push(Token {
            range: quantity.range.clone(),
            hash: hash_of(format!("{:?}{}–{}", quantity.unit, quantity.low, quantity.high).as_bytes()),
        });
    }
    for code in &all_codes {
        tokens.push(Token { range: code.range.clone(), hash: hash_of(code.canonical.as_bytes()) });
    }
    tokens.sort_by_key(|token| token.range.start);
    let mut push = |range: &Range<usize>, kind: String, value: u64, part: &str, left: Left| {
        found.push(Statement {
            key: key_of(&tokens, range, &kind),
            value,
            shown: text[range.clone()].into(),
            left,
            words: u8::try_from(meaning).unwrap_or(u8::MAX),
            is_reference: passage.is_reference(range),
            section: u32_of(passage.section),
            at: u32_of(passage.find(body, part)),
        });
    };
    if meaning >= LEAST_WORDS {
        for quantity in numbers.iter().filter(known) {
            let is_cell = matches!(quantity.unit, Unit::None | Unit::Word(_));
            let left = if is_cell { Left::Cell } else { Left::Number };
            let value = hash_of(format!("{}–{}", quantity.low, quantity.high).as_bytes());
            push(
                &quantity.range,
                format!("{:?}", quantity.unit),
                value,
                &text[quantity.number.clone()],
                left,
            );
        }
    }
    if meaning >= LEAST_WORDS_OF_CODE {
        for code in &all_codes {
            let left = if code.kind == CodeKind::Ussd { Left::Ussd } else { Left::Phone };
            push(
                &code.range,
                format!("{left:?}"),
                hash_of(code.canonical.as_bytes()),
                &text[code.range.clone()],
                left,
            );
        }
    }
}

/// All tokens but those that are left out, of which only the kind counts.
fn key_of(tokens: &[Token], left_out: &Range<usize>, kind: &str) -> u64 {
    let mut hasher = FxHasher::default();
    for token in tokens {
        let is_left_out = !token.range.is_empty() && is_within(&token.range, left_out);
        hasher.write_u64(if is_left_out { hash_of(kind.as_bytes()) } else { token.hash });
    }
    hasher.finish()
}

fn is_within(inner: &Range<usize>, outer: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// A text as a number.
pub fn hash_of(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, label: Option<&str>) -> Vec<Statement> {
        let passage = Passage {
            text: text.to_owned(),
            references: Vec::new(),
            label: label.map(str::to_owned),
            section: 0,
            at: 0,
            end: text.len(),
        };
        let mut found = Vec::new();
        statements(&passage, text, &mut found);
        found
    }

    fn contradict(one: &[Statement], other: &[Statement]) -> bool {
        one.iter().any(|a| other.iter().any(|b| a.key == b.key && a.value != b.value))
    }

    #[track_caller]
    fn check(one: &str, other: &str, expected: bool) {
        assert_eq!(contradict(&of(one, None), &of(other, None)), expected, "{one:?} and {other:?}");
    }

    #[test]
    fn what_differs_in_one_number_contradicts() {
        check(
            "Стоимость пакета SMS-100 — 100 ₽ в месяц.",
            "Стоимость пакета SMS-100 — 120 руб. в месяц",
            true,
        );
        check(
            "Стоимость пакетов SMS-100 — 100 ₽ в месяц.",
            "Стоимость пакета SMS-100 — 120 рублей в месяц",
            true,
        );
        check(
            "The monthly price of package SMS-100 is $5.",
            "The monthly price of packages SMS-100 is 6 dollars.",
            true,
        );
        // The same number, whatever its spelling.
        check(
            "Стоимость пакета SMS-100 — 1 500 ₽ в месяц.",
            "Стоимость пакета SMS-100 — 1500,00 руб. в месяц",
            false,
        );
        // Another thing.
        check("Стоимость пакета SMS-100 — 100 ₽ в месяц.", "Стоимость пакета SMS-300 — 200 ₽ в месяц", false);
        check(
            "Пакет 100 SMS в месяц стоит 100 ₽ вперёд.",
            "Пакет 300 SMS в месяц стоит 200 ₽ вперёд.",
            false,
        );
        // Another unit; too short to tell.
        check(
            "Стоимость пакета SMS-100 — 100 ₽ в месяц.",
            "Стоимость пакета SMS-100 — 100 SMS в месяц",
            false,
        );
        check("Стоит 100 ₽", "Стоит 120 ₽", false);
    }

    #[test]
    fn one_label_of_two_codes_contradicts() {
        check("Проверить остаток: *155*2#", "Проверить остаток `*155*3#`", true);
        check("Check the balance: *155*2#", "Check the balance *155*3#", true);
        check("Проверить остаток *155*2#", "Проверить остаток *155*2 #", false);
        check("Телефон доверия 8 800 555 06 11", "Телефон доверия: 8 800 555 06 12", true);
        check("Телефон доверия 8 800 555 06 11", "Телефон доверия: *155*2#", false);
        check("*155*2#", "*155*3#", false);
    }

    #[test]
    fn cells_are_told_apart_by_row_and_column() {
        let label = "Число дисков на один сервер\nНе более";
        let contradicting = contradict(&of("10", Some(label)), &of("12", Some(label)));
        assert!(contradicting);
        assert!(!contradict(
            &of("10", Some(label)),
            &of("12", Some("Число дисков на один сервер\nНе менее"))
        ));
        assert!(!contradict(&of("10", Some("Диски\nЧисло")), &of("12", Some("Диски\nЧисло"))));
    }
}
