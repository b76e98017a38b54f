//! What must hold for any input, tried on many: pieces of real texts cut, doubled, mixed and broken with a fixed seed.

#[path = "../../fuzz/invariants.rs"]
mod invariants;

use crate::harness::root;

const SEED: u64 = 20_261_123;
const TRIES: usize = 4_000;

/// Characters that have broken parsers before.
const ODD: &[char] = &[
    '\0', '\u{1}', '\t', '\n', '\r', ' ', '\u{a0}', '\u{202f}', '\u{200b}', '\u{300}', '\u{306}', '\u{301}',
    '\u{feff}', '\u{202e}', '№', '*', '#', '+', '(', ')', '-', '"', '«', '»', ':', '{', '}', '[', ']', '|',
    '`', '<', '>', '&', '\\', '/', '0', '1', '8', '9', 'ё', 'Ё', 'Й', 'ß', 'İ', 'ǅ', '漢', 'ع', '😀', '🏳',
    '\u{fe0f}', '𝟗', '٣', '–', '—', '-', '₽', '%',
];

fn seeds() -> Vec<String> {
    let mut seeds: Vec<String> = [
        "*155*21#", "* 155 * 2 #", "8 (800) 555-06-11", "+7 951 520 06 11", "сколько стоит пакет 100 SMS?", "gfrtn cvc", "зфслфпу",
        "тип:инструкция \"мобильный интернет\" -роуминг", "kind:procedure product:sms-100 tag:x", "---\ntitle: А\nkind: faq\n---\n\n# А\n\nтекст {{ a.b }}\n",
        "## Раздел {#a region=moscow from=2026-01-01}\n\n1. один\n2. два\n\n| а | б |\n|---|---|\n| 1 | 2 |\n",
    ]
    .map(str::to_owned)
    .into();
    for file in [
        "articles/about.md",
        "articles/sms/faq.md",
        "articles/flows/which-sms-package.md",
        "articles/en/sms/faq.md",
    ] {
        seeds.extend(std::fs::read_to_string(root().join(file)).ok());
    }
    seeds
}

/// A text made of pieces of others.
fn made(seeds: &[String], random: &mut fastrand::Rng) -> String {
    let mut text = String::new();
    for _ in 0..random.usize(1..5) {
        let seed: Vec<char> = seeds[random.usize(..seeds.len())].chars().collect();
        let from = random.usize(..seed.len());
        let to = (from + random.usize(..200)).min(seed.len());
        text.extend(&seed[from..to]);
        for _ in 0..random.usize(..4) {
            text.push(ODD[random.usize(..ODD.len())]);
        }
    }
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..random.usize(..6) {
        if letters.is_empty() {
            break;
        }
        let at = random.usize(..letters.len());
        match random.u8(..4) {
            0 => letters[at] = ODD[random.usize(..ODD.len())],
            1 => {
                letters.remove(at);
            }
            2 => letters.insert(at, letters[at]),
            _ => letters.truncate(at + 1),
        }
    }
    letters.into_iter().collect()
}

fn hold(invariant: impl Fn(&str)) {
    let seeds = seeds();
    let mut random = fastrand::Rng::with_seed(SEED);
    seeds.iter().for_each(|seed| invariant(seed));
    for _ in 0..TRIES {
        let text = made(&seeds, &mut random);
        let short: String = text.chars().take(60).collect();
        if let Err(panic) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            invariant(&text);
            invariant(&short);
        })) {
            eprintln!("broken by {text:?}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn queries_are_read_whatever_is_typed() {
    hold(invariants::query);
}

#[test]
fn codes_are_found_and_stay_what_they_are() {
    hold(invariants::codes);
}

#[test]
fn words_stand_where_they_stand() {
    hold(invariants::text);
}

#[test]
fn layouts_are_undone_by_each_other() {
    hold(invariants::layouts);
}

#[test]
fn articles_are_read_or_told_of() {
    hold(invariants::article);
}
