//! Quantities in a text: numbers and what they count, `1 500 ₽`, `30 дней`, `$5`, `4–8 %`.

use std::ops::Range;

use crate::language::{codes, morphology, words};

/// What a number counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Money, by the currency's ISO 4217 code.
    Money(&'static str),
    /// Hundredths.
    Percent,
    /// Time, by the unit's English name: `month`.
    Period(&'static str),
    /// A unit of data, speed, frequency or the like, by one name for all its spellings.
    Measure(&'static str),
    /// The lemma of the word behind the number.
    Word(String),
    /// Nothing that is known.
    None,
}

/// A number with what it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// Where number and unit stand, in bytes.
    pub range: Range<usize>,
    /// Where the number stands.
    pub number: Range<usize>,
    /// The number, or the lower end of `4–8`, in thousandths.
    pub low: i64,
    /// The number, or the upper end.
    pub high: i64,
    /// What it counts.
    pub unit: Unit,
}

/// Beginnings of folded words that stand for a unit, with what they stand for; the whole word where it ends with `$`.
const UNITS: &[(&str, Unit)] = &[
    ("р$", Unit::Money("RUB")),
    ("руб$", Unit::Money("RUB")),
    ("рубл", Unit::Money("RUB")),
    ("rub$", Unit::Money("RUB")),
    ("ruble", Unit::Money("RUB")),
    ("rouble", Unit::Money("RUB")),
    ("доллар", Unit::Money("USD")),
    ("usd$", Unit::Money("USD")),
    ("dollar", Unit::Money("USD")),
    ("евро$", Unit::Money("EUR")),
    ("eur$", Unit::Money("EUR")),
    ("euro", Unit::Money("EUR")),
    ("процент", Unit::Percent),
    ("percent$", Unit::Percent),
    ("сек$", Unit::Period("second")),
    ("секунд", Unit::Period("second")),
    ("second", Unit::Period("second")),
    ("мин$", Unit::Period("minute")),
    ("минут", Unit::Period("minute")),
    ("minute", Unit::Period("minute")),
    ("ч$", Unit::Period("hour")),
    ("час$", Unit::Period("hour")),
    ("часа$", Unit::Period("hour")),
    ("часов$", Unit::Period("hour")),
    ("часам$", Unit::Period("hour")),
    ("hour", Unit::Period("hour")),
    ("дн$", Unit::Period("day")),
    ("день$", Unit::Period("day")),
    ("дня$", Unit::Period("day")),
    ("дней$", Unit::Period("day")),
    ("сутки$", Unit::Period("day")),
    ("суток$", Unit::Period("day")),
    ("day$", Unit::Period("day")),
    ("days$", Unit::Period("day")),
    ("недел", Unit::Period("week")),
    ("week", Unit::Period("week")),
    ("мес$", Unit::Period("month")),
    ("месяц", Unit::Period("month")),
    ("month", Unit::Period("month")),
    ("год$", Unit::Period("year")),
    ("года$", Unit::Period("year")),
    ("лет$", Unit::Period("year")),
    ("year", Unit::Period("year")),
    ("кб$", Unit::Measure("KB")),
    ("kb$", Unit::Measure("KB")),
    ("мб$", Unit::Measure("MB")),
    ("mb$", Unit::Measure("MB")),
    ("мегабайт", Unit::Measure("MB")),
    ("megabyte", Unit::Measure("MB")),
    ("гб$", Unit::Measure("GB")),
    ("gb$", Unit::Measure("GB")),
    ("гигабайт", Unit::Measure("GB")),
    ("gigabyte", Unit::Measure("GB")),
    ("тб$", Unit::Measure("TB")),
    ("tb$", Unit::Measure("TB")),
    ("кбит", Unit::Measure("Kbit")),
    ("kbps$", Unit::Measure("Kbit")),
    ("мбит", Unit::Measure("Mbit")),
    ("mbps$", Unit::Measure("Mbit")),
    ("mbit", Unit::Measure("Mbit")),
    ("гбит", Unit::Measure("Gbit")),
    ("gbps$", Unit::Measure("Gbit")),
    ("gbit", Unit::Measure("Gbit")),
    ("sms$", Unit::Measure("SMS")),
    ("смс$", Unit::Measure("SMS")),
    ("символ", Unit::Measure("character")),
    ("знак", Unit::Measure("character")),
    ("character", Unit::Measure("character")),
    ("шт$", Unit::Measure("piece")),
    ("штук", Unit::Measure("piece")),
];

/// Words that multiply the number before them: what the number is then is not said by its digits.
const MULTIPLES: &[&str] = &[
    "тыс",
    "тысяч",
    "тысячи",
    "тысяча",
    "млн",
    "миллион",
    "миллиона",
    "миллионов",
    "thousand",
    "million",
    "k",
    "m",
];

/// Decimals that a number may have.
const MAX_DECIMALS: usize = 3;

/// Digits of the whole part that a number may have.
const MAX_DIGITS: usize = 12;

/// The unit that a folded word stands for, if it is one of those that are known in all their spellings.
pub fn unit_of(form: &str) -> Option<Unit> {
    let fits = |known: &str| match known.strip_suffix('$') {
        Some(whole) => form == whole,
        None => form.starts_with(known),
    };
    UNITS.iter().find(|(known, _)| fits(known)).map(|(_, unit)| unit.clone())
}

/// All quantities of a text, in order. What is part of a code, a phone number, a version, a date, a time or a name (`SMS-100`) is none.
pub fn find_quantities(text: &str) -> Vec<Quantity> {
    let codes = codes::find_codes(text);
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut codes = codes.iter().map(|code| code.range.clone()).peekable();
    while at < bytes.len() {
        if codes.peek().is_some_and(|code| code.start <= at) {
            at = codes.next().map_or(at + 1, |code| code.end.max(at + 1));
            continue;
        }
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let run = run_of(text, at);
        if let Some(quantity) = quantity_at(text, at) {
            at = quantity.range.end;
            found.push(quantity);
        } else {
            at = run;
        }
    }
    found
}

/// Where what hangs together with a digit ends: digits, letters and what joins them.
fn run_of(text: &str, at: usize) -> usize {
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '.' | ',' | ':' | '/' | '-' | '_');
    at + text[at..].char_indices().find(|(_, c)| !joins(*c)).map_or(text.len() - at, |(end, _)| end)
}

fn quantity_at(text: &str, at: usize) -> Option<Quantity> {
    let before = text[..at].chars().next_back();
    let prefix = before.and_then(sign);
    let joins = |c: char| {
        c.is_alphanumeric() || matches!(c, '.' | ',' | ':' | '/' | '-' | '_' | '№' | '#' | '+' | '=' | '^')
    };
    // A dash between spaces is a dash; one behind a letter makes a name.
    if prefix.is_none() && before.is_some_and(joins) {
        return None;
    }
    let (low, mut end) = number_at(text, at)?;
    let mut high = low;
    if let Some(rest) = text[end..].strip_prefix(['–', '-', '—'])
        && rest.starts_with(|c: char| c.is_ascii_digit())
    {
        let from = text.len() - rest.len();
        let (upper, upper_end) = number_at(text, from)?;
        (high, end) = (upper, upper_end);
        if high < low {
            return None;
        }
    }
    let follows = text[end..].chars().next();
    if follows.is_some_and(|c| matches!(c, ':' | '/' | '_' | '-' | '–' | '^')) {
        return None;
    }
    let number = at..end;
    if let Some(unit) = prefix {
        let start = at - before.map_or(0, char::len_utf8);
        return Some(Quantity { range: start..end, number, low, high, unit });
    }
    let (unit, unit_end) = unit_at(text, end)?;
    Some(Quantity { range: at..unit_end, number, low, high, unit })
}

/// A number that begins at a digit, in thousandths, and where it ends; `None` for versions, dates and what is too long.
fn number_at(text: &str, at: usize) -> Option<(i64, usize)> {
    let bytes = text.as_bytes();
    let digits_from = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let first = digits_from(at);
    let mut end = at + first;
    let mut digits = text[at..end].to_owned();
    // Thousands parted by spaces: `1 500`.
    while digits.len() <= MAX_DIGITS && first <= 3 && !digits.starts_with('0') {
        let Some(space) =
            text[end..].chars().next().filter(|c| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}'))
        else {
            break;
        };
        let from = end + space.len_utf8();
        if digits_from(from) != 3 || space == ' ' && first > 2 && digits.len() == first {
            break;
        }
        digits.push_str(&text[from..from + 3]);
        end = from + 3;
    }
    let mut decimals = String::new();
    if let Some(point) = text[end..].chars().next().filter(|c| matches!(c, '.' | ',')) {
        let more = digits_from(end + 1);
        match (point, more) {
            (_, 0) => {}
            // English thousands.
            (',', 3) if first <= 3 && !digits.starts_with('0') => {
                digits.push_str(&text[end + 1..end + 4]);
                end += 4;
            }
            (_, 1..=MAX_DECIMALS) => {
                decimals = text[end + 1..end + 1 + more].to_owned();
                end += 1 + more;
            }
            _ => return None,
        }
        // 1.2.3 is a version, 24.11.2026 a date.
        let goes_on = text[end..]
            .strip_prefix(['.', ','])
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if goes_on {
            return None;
        }
    }
    if digits.len() > MAX_DIGITS || digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    let thousandths: i64 = format!("{decimals:0<3}").parse().ok()?;
    Some((digits.parse::<i64>().ok()? * 1000 + thousandths, end))
}

/// The unit behind a number, and where it ends. `None`: the number is part of a word (`4G`), or stands for another one (`5 тыс.`).
fn unit_at(text: &str, end: usize) -> Option<(Unit, usize)> {
    let rest = &text[end..];
    let trimmed = rest.trim_start_matches([' ', '\u{a0}', '\u{202f}', '\u{2009}']);
    let from = text.len() - trimmed.len();
    let is_glued = from == end;
    let Some(c) = trimmed.chars().next() else { return Some((Unit::None, end)) };
    if let Some(unit) = sign(c) {
        return Some((unit, from + c.len_utf8()));
    }
    if c == '%' {
        return Some((Unit::Percent, from + 1));
    }
    if !c.is_alphabetic() {
        return Some((Unit::None, end));
    }
    let length = trimmed.find(|c: char| !c.is_alphabetic()).unwrap_or(trimmed.len());
    let form = words::fold(&trimmed[..length]);
    if MULTIPLES.contains(&form.as_str()) {
        return None;
    }
    let unit_end = from + length;
    match unit_of(&form) {
        Some(unit) => Some((unit, unit_end)),
        None if is_glued => None,
        None if words::is_stop_word(&form) => Some((Unit::None, end)),
        None => Some((Unit::Word(morphology::lemma(&form)), unit_end)),
    }
}

fn sign(c: char) -> Option<Unit> {
    match c {
        '₽' => Some(Unit::Money("RUB")),
        '$' => Some(Unit::Money("USD")),
        '€' => Some(Unit::Money("EUR")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(i64, i64, Unit)]) {
        let found: Vec<(i64, i64, Unit)> =
            find_quantities(text).into_iter().map(|q| (q.low, q.high, q.unit)).collect();
        assert_eq!(found, expected, "quantities of {text:?}");
    }

    #[test]
    fn numbers_are_read_with_what_they_count() {
        let roubles = || Unit::Money("RUB");
        check("100 ₽ в месяц", &[(100_000, 100_000, roubles())]);
        check("1 500 руб., 0,50 рублей", &[(1_500_000, 1_500_000, roubles()), (500, 500, roubles())]);
        check("за 4–8 ₽", &[(4_000, 8_000, roubles())]);
        check(
            "$5 and 1,500 dollars",
            &[(5_000, 5_000, Unit::Money("USD")), (1_500_000, 1_500_000, Unit::Money("USD"))],
        );
        check("30 дней", &[(30_000, 30_000, Unit::Period("day"))]);
        check("15ГБ и 20 %", &[(15_000, 15_000, Unit::Measure("GB")), (20_000, 20_000, Unit::Percent)]);
        check("5 дисков", &[(5_000, 5_000, Unit::Word("диск".to_owned()))]);
        check("100 300 ₽", &[(100_000, 100_000, Unit::None), (300_000, 300_000, roubles())]);
    }

    #[test]
    fn what_is_no_quantity_is_left() {
        for text in [
            "SMS-100",
            "*155*2#",
            "8 800 555 06 11",
            "24.11.2026",
            "1.2.3",
            "12:30",
            "4G",
            "24/7",
            "№5",
            "5 тыс. ₽",
            "v2",
            "2026-11-24",
        ] {
            check(text, &[]);
        }
    }
}
