//! What must hold for any input. Checked by `cargo fuzz` (see fuzz/) and, with inputs made from a fixed seed, by the tests.

use pharos::content::article::Article;
use pharos::content::catalog::Catalog;
use pharos::content::validity::Clearance;
use pharos::language::{codes, layout, morphology, transliteration, typo, words};
use pharos::search::query::Plan;

/// A query is read without panic, is bounded, and reads the same a second time.
pub fn query(text: &str) {
    let plan = Plan::read(text, &Catalog::default(), &Clearance::Public);
    assert!(plan.words.len() <= 48, "{} words", plan.words.len());
    assert!(plan.words.iter().all(|w| !w.form.is_empty() && !w.form.contains(char::is_whitespace)));
    assert!(plan.phrases.iter().all(|range| range.start < range.end && range.end <= plan.words.len()));
    assert_eq!(plan, Plan::read(text, &Catalog::default(), &Clearance::Public));
    // Spaces around a query change nothing but whether its last word may go on.
    let padded = Plan::read(&format!("  {text} "), &Catalog::default(), &Clearance::Public);
    assert_eq!(plan.code, padded.code);
    plan.read_as();
}

/// Codes stand where they are said to stand, do not overlap, and their canonical form is its own canonical form.
pub fn codes(text: &str) {
    let found = codes::find_codes(text);
    for pair in found.windows(2) {
        assert!(pair[0].range.end <= pair[1].range.start);
    }
    for code in &found {
        assert!(text.get(code.range.clone()).is_some());
        let again = codes::canonical(&code.canonical);
        assert_eq!(again.as_deref(), Some(code.canonical.as_str()), "in {text:?}");
        let digits = |t: &str| t.bytes().filter(u8::is_ascii_digit).count();
        assert!(digits(&code.canonical) >= digits(&text[code.range.clone()]), "no digit is lost");
    }
    codes::partial(text);
}

/// Words stand where they are said to stand, in order, and folding is done once and for all.
pub fn text(text: &str) {
    let found = words::words(text);
    for pair in found.windows(2) {
        assert!(pair[0].range.end <= pair[1].range.start);
    }
    for word in &found {
        assert!(text.get(word.range.clone()).is_some());
        assert_eq!(words::fold(&word.form), word.form);
        assert!(!morphology::lemma(&word.form).is_empty());
        if let Some(next) = found.first() {
            assert!(typo::cost(&word.form, &next.form) >= 0.0);
            transliteration::cost(&word.form, &next.form);
        }
    }
}

/// Typing on the other layout and back gives what was typed, wherever both layouts have the key.
pub fn layouts(text: &str) {
    let is_russian = |c: char| matches!(c, 'а'..='я' | 'А'..='Я' | 'ё' | 'Ё' | ' ');
    let russian: String = text.chars().filter(|c| is_russian(*c)).collect();
    assert_eq!(layout::to_cyrillic(&layout::to_latin(&russian)), russian);
    let english: String = text.chars().filter(|c| c.is_ascii_alphabetic() || *c == ' ').collect();
    assert_eq!(layout::to_latin(&layout::to_cyrillic(&english)), english);
}

/// A file is read without panic; its sections lie in its body, one after another, and every block in its section.
pub fn article(text: &str) {
    let (parsed, problems) = Article::parse("articles", "a.md", text);
    assert!(parsed.is_some() || !problems.is_empty(), "what is not served is told");
    let Some(parsed) = parsed else { return };
    assert_eq!(parsed.article.sections.len(), parsed.blocks.len());
    for section in &parsed.article.sections {
        assert!(section.range.0 <= section.range.1 && section.range.1 as usize <= parsed.body.len());
    }
    for block in parsed.blocks.iter().flatten() {
        assert!(block.range.0 <= block.range.1 && block.range.1 as usize <= parsed.body.len());
        assert!(!block.text.is_empty());
    }
}
