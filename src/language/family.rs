//! Derivational families: подключить, подключать, подключение. Dictionaries part them, customers do not.
//!
//! Only what could be formed is told here; whether such a word is used in the articles is for the caller to find out.

/// Endings of verbs and of the nouns made from them, the longest first.
const ENDINGS: [&str; 24] = [
    "ироваться",
    "ирование",
    "овываться",
    "ировать",
    "ировка",
    "ывание",
    "ивание",
    "оваться",
    "ываться",
    "иваться",
    "ование",
    "ывать",
    "ивать",
    "овать",
    "ация",
    "аться",
    "яться",
    "иться",
    "ение",
    "ание",
    "ять",
    "ать",
    "ить",
    "ка",
];

/// How the end of a root changes before some endings: добавить, добавление; подтвердить, подтверждение.
const ALTERNATIONS: [(&str, &str); 8] =
    [("в", "вл"), ("п", "пл"), ("б", "бл"), ("м", "мл"), ("д", "жд"), ("т", "щ"), ("с", "ш"), ("з", "ж")];

/// A shorter root says too little, in letters.
const MIN_ROOT: usize = 4;

/// Lemmas of the words that may be of one family with this one, itself left out.
pub fn candidates(lemma: &str) -> Vec<String> {
    let mut found = Vec::new();
    let Some(root) = ENDINGS
        .iter()
        .filter_map(|ending| lemma.strip_suffix(ending))
        .find(|root| root.chars().count() >= MIN_ROOT && root.chars().all(|c| matches!(c, 'а'..='я')))
    else {
        return found;
    };
    let mut roots = vec![root.to_owned()];
    for (plain, changed) in ALTERNATIONS {
        if let Some(stem) = root.strip_suffix(changed) {
            roots.push(format!("{stem}{plain}"));
        } else if let Some(stem) = root.strip_suffix(plain) {
            roots.push(format!("{stem}{changed}"));
        }
    }
    for root in roots {
        for ending in ENDINGS {
            let word = format!("{root}{ending}");
            if word != lemma && !found.contains(&word) {
                found.push(word);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_hold_verbs_and_their_nouns() {
        for (one, other) in [
            ("подключить", "подключение"),
            ("подключение", "подключать"),
            ("блокировка", "блокировать"),
            ("активировать", "активация"),
            ("проверка", "проверить"),
            ("добавить", "добавление"),
            ("подтверждение", "подтвердить"),
            ("списание", "списать"),
        ] {
            assert!(candidates(one).contains(&other.to_owned()), "{one} → {other}: {:?}", candidates(one));
        }
        assert!(candidates("тариф").is_empty());
        assert!(candidates("сетка").is_empty());
    }
}
