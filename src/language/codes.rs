//! Codes and phone numbers: found in text and brought to one canonical form.
//!
//! The same recogniser reads articles, the catalogue and queries, so however a code is spaced it is one token.

use std::ops::Range;

/// The longest span, in characters, that is read as one code: a phone number with all its spaces and brackets.
const MAX_CODE_CHARS: usize = 40;

/// Digits of a Russian number without the country code.
const NATIONAL_DIGITS: usize = 10;

/// The most digits of a short number: 611, 0611.
const MAX_SHORT_DIGITS: usize = 6;

/// What sort of code a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeKind {
    /// A USSD request: `*155*21#`.
    Ussd,
    /// A full phone number: eleven digits that begin with 7.
    Phone,
}

/// A code found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// `*155*21#` for USSD; eleven digits (`78005550611`) for phones.
    pub canonical: String,
    /// What sort of code it is.
    pub kind: CodeKind,
}

/// All codes of a text, in order, without overlaps.
pub fn find_codes(text: &str) -> Vec<Code> {
    let bytes = text.as_bytes();
    let mut codes = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let found = match bytes[at] {
            b'*' | b'#' => ussd_at(text, at),
            b'+' | b'(' | b'0'..=b'9' if !follows_number(bytes, at) => phone_at(text, at),
            _ => None,
        };
        match found {
            Some(code) => {
                at = code.range.end;
                codes.push(code);
            }
            None => at += 1,
        }
    }
    codes
}

/// Where the USSD codes of a text stand, in order, without overlaps: those of [`find_codes`].
pub fn find_ussd(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for at in memchr::memchr2_iter(b'*', b'#', text.as_bytes()) {
        if found.last().is_none_or(|last| last.end <= at) {
            found.extend(ussd_at(text, at).map(|code| code.range));
        }
    }
    found
}

/// The canonical form of a text that is a code from end to end, or `None` when it is anything else.
/// A short number (three to six digits) is its own canonical form.
pub fn canonical(text: &str) -> Option<String> {
    let text = text.trim();
    if let [code] = find_codes(text).as_slice()
        && code.range == (0..text.len())
    {
        return Some(code.canonical.clone());
    }
    let digits = digits_of(text)?;
    (3..=MAX_SHORT_DIGITS).contains(&digits.len()).then_some(digits)
}

/// Whether a canonical code is a short number: in running text it is a word like others.
pub fn is_short_number(canonical: &str) -> bool {
    canonical.len() <= MAX_SHORT_DIGITS && canonical.bytes().all(|b| b.is_ascii_digit())
}

/// A code that is still being typed: begins like one, holds nothing that a code cannot hold, and is not whole.
/// The result is the canonical form of what is there.
pub fn partial(text: &str) -> Option<String> {
    let text = text.trim();
    if text.starts_with(['*', '#']) {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let inside = &compact[1..];
        let fits = inside.chars().all(|c| c.is_ascii_digit() || c == '*');
        return (fits && !inside.is_empty()).then_some(compact);
    }
    let digits = digits_of(text)?;
    // Eight or more characters of digits, or a plus, can only be a phone number on its way.
    let is_phone = text.starts_with('+') || (digits.len() >= 4 && digits.starts_with("8800"));
    if !is_phone || digits.len() > NATIONAL_DIGITS {
        return None;
    }
    Some(match digits.strip_prefix('8') {
        Some(rest) => format!("7{rest}"),
        None => digits,
    })
}

/// The digits of a text that holds only digits and what separates them in numbers.
fn digits_of(text: &str) -> Option<String> {
    let mut digits = String::new();
    for (at, c) in text.char_indices() {
        match c {
            '0'..='9' => digits.push(c),
            '+' if at == 0 => {}
            ' ' | '\u{a0}' | '\u{202f}' | '-' | '\u{2011}' | '\u{2013}' | '(' | ')' | '.' => {}
            _ => return None,
        }
    }
    (!digits.is_empty()).then_some(digits)
}

/// Whether the byte before `at` continues a number or a word, so that no code can begin here.
fn follows_number(bytes: &[u8], at: usize) -> bool {
    at > 0
        && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] >= 0x80 && !ends_separator(&bytes[..at]))
}

/// Whether the bytes end with a character that separates: no-break spaces, dashes, quotes, a rouble sign.
fn ends_separator(bytes: &[u8]) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(4)..];
    let start = (0..tail.len()).find(|&i| std::str::from_utf8(&tail[i..]).is_ok());
    start
        .and_then(|i| std::str::from_utf8(&tail[i..]).ok())
        .and_then(|s| s.chars().next_back())
        .is_some_and(|c| !c.is_alphanumeric())
}

/// `*155*21#`, `* 155 * 21 #`, `#155#`: a star or hash, digits and stars, a closing hash.
fn ussd_at(text: &str, at: usize) -> Option<Code> {
    let mut canonical = String::new();
    let mut digits = 0;
    for (offset, c) in text[at..].char_indices().take(MAX_CODE_CHARS) {
        match c {
            '*' => canonical.push('*'),
            '0'..='9' => {
                canonical.push(c);
                digits += 1;
            }
            '#' if offset == 0 => canonical.push('#'),
            // What the hash key gives on the Russian layout.
            '#' | '№' => {
                canonical.push('#');
                let range = at..at + offset + c.len_utf8();
                return (digits > 0).then_some(Code { range, canonical, kind: CodeKind::Ussd });
            }
            // A bare star, or a number sign and a number, before the code that is meant: `4 ₽* *155*2#`, `№ #1 *155*2#`.
            ' ' | '\u{a0}' | '\u{202f}' if offset > 0 && (canonical == "*" || canonical.starts_with('#')) => {
                let rest = text[at + offset..].trim_start();
                if rest.starts_with('*') {
                    return None;
                }
            }
            ' ' | '\u{a0}' | '\u{202f}' => {}
            _ => return None,
        }
    }
    None
}

/// A phone number with a country code (`+7`, `7`, `8`) or a bracketed city code: `8 (800) 555-06-11`, `(831) 291-16-11`.
fn phone_at(text: &str, at: usize) -> Option<Code> {
    let mut digits = String::new();
    let mut end = at;
    let mut separators = 0;
    for (offset, c) in text[at..].char_indices().take(MAX_CODE_CHARS) {
        match c {
            '0'..='9' => {
                digits.push(c);
                end = at + offset + 1;
                separators = 0;
                if digits.len() > NATIONAL_DIGITS + 1 {
                    return None;
                }
            }
            '+' if offset == 0 => {}
            ' ' | '\u{a0}' | '\u{202f}' | '-' | '\u{2011}' | '(' | ')' if separators < 2 => {
                separators += 1;
                if is_whole_number(&digits) {
                    break;
                }
            }
            _ => break,
        }
    }
    let bracketed = text[at..].starts_with('(');
    let canonical = canonical_phone(&digits, bracketed)?;
    let followed = text[end..].chars().next();
    // A dot or comma and more digits is a decimal number or an address, not a phone.
    let continues = followed.is_some_and(char::is_alphanumeric)
        || matches!(followed, Some('.' | ',')) && text[end + 1..].starts_with(|c: char| c.is_ascii_digit());
    (!continues).then_some(Code { range: at..end, canonical, kind: CodeKind::Phone })
}

/// Whether digits are a complete number, so that a separator ends it: with a country code, or a mobile number without it.
fn is_whole_number(digits: &str) -> bool {
    digits.len() == NATIONAL_DIGITS + 1 && digits.starts_with(['7', '8'])
        || digits.len() == NATIONAL_DIGITS && digits.starts_with('9')
}

/// Eleven digits beginning with 7. Ten digits are a number without its country code; city and mobile codes of
/// the Russian plan begin with 3, 4, 8 or 9.
fn canonical_phone(digits: &str, bracketed: bool) -> Option<String> {
    match digits.len() {
        11 if digits.starts_with(['7', '8']) => Some(format!("7{}", &digits[1..])),
        NATIONAL_DIGITS if bracketed || digits.starts_with('9') || digits.starts_with("800") => {
            digits.starts_with(['3', '4', '8', '9']).then(|| format!("7{digits}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = find_codes(text).into_iter().map(|c| c.canonical).collect();
        assert_eq!(found, expected, "codes of {text:?}");
    }

    #[test]
    fn ussd_codes_have_one_form() {
        check("наберите *155*21# и ждите", &["*155*21#"]);
        check("* 155 * 21 #", &["*155*21#"]);
        check("`*155*2#`, не *155*21#", &["*155*2#", "*155*21#"]);
        check("*важно* и #хештег, 2*2", &[]);
        check("30 ₽* *155*2#", &["*155*2#"]);
        check("вариант #1 *155*2#", &["*155*2#"]);
        check("*155*2№", &["*155*2#"]);
        let text = "*a *155*2# и *155*21#, 8 800 555 06 11 *100# 2 * 3 #";
        let same: Vec<Range<usize>> =
            find_codes(text).into_iter().filter(|c| c.kind == CodeKind::Ussd).map(|c| c.range).collect();
        assert_eq!(find_ussd(text), same);
    }

    #[test]
    fn phones_have_one_form() {
        for text in [
            "8 800 555 06 11",
            "88005550611",
            "8-800-555-06-11",
            "+7 (800) 555-06-11",
            "8(800)5550611",
            "800 555 06 11",
        ] {
            check(text, &["78005550611"]);
        }
        check("Нижний Новгород (831) 291-16-11, Москва (495) 979-76-11", &["78312911611", "74959797611"]);
        check("951 520 06 11 24/7", &["79515200611"]);
        check("8 800 555 06 11 8 951 520 06 11", &["78005550611", "79515200611"]);
    }

    #[test]
    fn numbers_that_are_no_phones_stay_numbers() {
        check("1500 минут и 15 ГБ за 2024-11-23", &[]);
        check("192.168.100.200", &[]);
        check("id 123456789012345", &[]);
        check("7.3.1111111111", &[]);
    }

    #[test]
    fn whole_queries_are_codes() {
        assert_eq!(canonical(" * 155 * 2 # ").as_deref(), Some("*155*2#"));
        assert_eq!(canonical("611").as_deref(), Some("611"));
        assert_eq!(canonical("611 поддержка"), None);
        assert_eq!(partial("*155*2").as_deref(), Some("*155*2"));
        assert_eq!(partial("8 800 55").as_deref(), Some("780055"));
        assert_eq!(partial("100 sms"), None);
    }
}
