//! One word in two scripts: `megafon` and «мегафон», `tarif` and «тариф», «вайфай» and `wifi`.
//!
//! People write by ear, so a sound has several spellings. The first one listed is the usual one (GOST 7.79 system B, simplified); the others
//! are what is met in practice, and cost something when the readings of a word are compared.

/// Cyrillic letters (or two) and how they are spelt in Latin ones.
const SPELLINGS: &[(&str, &[&str])] = &[
    ("а", &["a", "u"]),
    ("б", &["b", "bb"]),
    ("в", &["v", "w"]),
    ("г", &["g", "h"]),
    ("д", &["d", "dd"]),
    ("е", &["e", "ye", "je", "yo", "jo", "ie", "ea"]),
    ("ж", &["zh", "j", "g"]),
    ("з", &["z", "s"]),
    ("и", &["i", "y", "ee", "ea", "e"]),
    ("й", &["y", "j", "i", "iy", "yi"]),
    ("к", &["k", "c", "ck", "q", "ch"]),
    ("л", &["l", "ll"]),
    ("м", &["m", "mm"]),
    ("н", &["n", "nn"]),
    ("о", &["o", "a", "oa"]),
    ("п", &["p", "pp"]),
    ("р", &["r", "rr"]),
    ("с", &["s", "c", "ss"]),
    ("т", &["t", "tt", "th"]),
    ("у", &["u", "oo", "ou", "w"]),
    ("ф", &["f", "ph", "ff"]),
    ("х", &["h", "kh", "x"]),
    ("ц", &["c", "ts", "tz", "z"]),
    ("ч", &["ch", "tch", "4"]),
    ("ш", &["sh", "sch"]),
    ("щ", &["sch", "shch", "shh", "sh"]),
    ("ъ", &["", "'"]),
    ("ы", &["y", "i"]),
    ("ь", &["", "'"]),
    ("э", &["e", "a"]),
    ("ю", &["yu", "u", "ju", "iu", "ew"]),
    ("я", &["ya", "ja", "ia", "a"]),
    ("ай", &["i", "y"]),
    ("ау", &["ow"]),
    ("дж", &["j", "g", "dg"]),
    ("ей", &["a", "ay"]),
    ("кв", &["qu"]),
    ("кс", &["x"]),
    ("оу", &["o", "ow"]),
    ("эй", &["a", "ay"]),
];

/// The longest word that is read in the other script, in characters.
pub const MAX_CHARS: usize = 24;

/// A step of reading a word in the other script: from one place in it to another, in bytes, writing something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where the sound begins in the word that is read.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// How it is written in the other script.
    pub written: &'static str,
    /// 0 for the usual spelling of a sound, 1 for the others.
    pub cost: u32,
}

/// Every way a word can be read in the other script, as steps; empty when it is in no script or in both, or too long.
pub fn steps(word: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    if word.chars().count() > MAX_CHARS {
        return steps;
    }
    let is_latin = word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'\'');
    let is_cyrillic = word.chars().all(|c| matches!(c, 'а'..='я'));
    if !is_latin && !is_cyrillic {
        return steps;
    }
    for (from, _) in word.char_indices() {
        for (cyrillic, latin) in SPELLINGS {
            for (number, latin) in latin.iter().enumerate() {
                let cost = u32::from(number > 0);
                let (read, written) = if is_latin { (*latin, *cyrillic) } else { (*cyrillic, *latin) };
                if word[from..].starts_with(read) {
                    steps.push(Step { from, to: from + read.len(), written, cost });
                }
            }
        }
    }
    if is_latin && word.len() > 3 && word.ends_with('e') {
        // Silent: `mobile` → «мобайл».
        steps.push(Step { from: word.len() - 1, to: word.len(), written: "", cost: 1 });
    }
    if is_cyrillic && word.chars().count() > 3 {
        steps.push(Step { from: word.len(), to: word.len(), written: "e", cost: 1 });
    }
    if is_latin {
        // Soft and hard signs may stand at the end, too.
        for written in ["ь", "ъ"] {
            steps.push(Step { from: word.len(), to: word.len(), written, cost: 0 });
        }
    }
    steps
}

/// How far from the usual spelling one word is as a reading of the other: the number of unusual sounds; `None`: it is no reading of it.
pub fn cost(word: &str, other: &str) -> Option<u32> {
    let steps = steps(word);
    let mut best = vec![vec![u32::MAX; other.len() + 1]; word.len() + 1];
    best[0][0] = 0;
    // Places are visited in the order of the other word, then of this one, so that every step goes forward.
    for at in 0..=other.len() {
        for from in 0..=word.len() {
            let so_far = best[from][at];
            if so_far == u32::MAX {
                continue;
            }
            for step in steps.iter().filter(|s| s.from == from) {
                if (step.to > from || !step.written.is_empty())
                    && other.get(at..).is_some_and(|rest| rest.starts_with(step.written))
                {
                    let place = &mut best[step.to][at + step.written.len()];
                    *place = (*place).min(so_far + step.cost);
                }
            }
        }
    }
    Some(best[word.len()][other.len()]).filter(|cost| *cost != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_the_other_script() {
        for (latin, cyrillic) in [
            ("megafon", "мегафон"),
            ("tarif", "тариф"),
            ("otklyuchit", "отключить"),
            ("wifi", "вайфай"),
            ("mobile", "мобайл"),
            ("balans", "баланс"),
            ("svoboda", "свобода"),
        ] {
            assert!(cost(latin, cyrillic).is_some(), "{latin} → {cyrillic}");
            assert!(cost(cyrillic, latin).is_some(), "{cyrillic} → {latin}");
        }
        assert_eq!(cost("tarif", "тариф"), Some(0));
        assert_eq!(cost("tarif", "пакет"), None);
        assert!(steps("5g тариф").is_empty());
    }
}
