//! The piece of a section that shows why it was found, with the found words marked.

use std::ops::Range;

use crate::content::markdown::{Block, BlockKind, escape_into};
use crate::language::{codes, morphology, words};
use crate::search::intent::Intent;
use crate::search::query::{Plan, QueryCode, QueryWord};

/// How long a snippet is, in characters.
const SNIPPET_CHARS: usize = 220;

/// Text of a section that is looked through, in bytes; sections beyond that are rare, and their beginning serves.
const MAX_SCANNED_BYTES: usize = 6_000;

/// Finds the words and codes of a query in texts.
#[derive(Debug)]
pub struct Matcher<'p> {
    plan: &'p Plan,
    /// Words that only say what is asked, as bits: «стоить», "how much".
    asking: u64,
    /// First letters of the query's words: a word that begins with none of them is not looked at further.
    initials: Vec<char>,
}

/// A place in a text where a word of the query stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where, in bytes.
    pub range: Range<usize>,
    /// Which word of the query; codes come after all words.
    pub word: usize,
}

impl<'p> Matcher<'p> {
    /// A matcher for a plan.
    pub fn new(plan: &'p Plan) -> Self {
        let mut initials: Vec<char> = plan
            .words
            .iter()
            .flat_map(|w| {
                [&w.form, &w.lemma].into_iter().chain(w.readings.iter().flat_map(|r| [&r.form, &r.lemma]))
            })
            .filter_map(|t| t.chars().next())
            .collect();
        initials.sort_unstable();
        initials.dedup();
        let asking = Intent::of(&plan.asked).map_or(0, |intent| {
            let words =
                plan.words.iter().enumerate().filter(|(at, w)| *at < 63 && intent.is_told_by(&w.lemma));
            words.fold(0, |bits, (at, _)| bits | 1 << at)
        });
        // A query of such words alone is about them.
        let all = (0..plan.words.len().min(63)).fold(0, |bits, at| bits | 1 << at);
        Self { plan, initials, asking: if asking == all { 0 } else { asking } }
    }

    /// Words of the query that only say what is asked, as bits.
    pub fn asking(&self) -> u64 {
        self.asking
    }

    /// How many words and codes are looked for.
    pub fn asked(&self) -> usize {
        self.plan.words.len() + usize::from(self.plan.code.is_some())
    }

    /// Where the query's words and code stand in a text, in order.
    pub fn find(&self, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        let last = self.plan.words.len().wrapping_sub(1);
        if !self.plan.words.is_empty() {
            words::for_each_word(text, |range, form| {
                if !form.starts_with(self.initials.as_slice()) {
                    return;
                }
                let before = found.len();
                let word = morphology::with_lemma(form, |lemma| {
                    // One word of a text may stand for several of the query: wifi for wi and fi.
                    for (at, word) in self.plan.words.iter().enumerate() {
                        if word.readings.iter().any(|r| r.form == form || r.lemma == lemma) {
                            found.push(Found { range: range.clone(), word: at });
                        }
                    }
                    self.plan.words.iter().enumerate().position(|(at, word)| {
                        word.form == form
                            || word.lemma == lemma
                            || at == last && self.plan.last_is_open && form.starts_with(word.form.as_str())
                    })
                });
                let word = word.or_else(|| {
                    if found.len() > before {
                        return None;
                    }
                    let is_near = |w: &QueryWord| {
                        words::is_cyrillic(form)
                            && form.starts_with(w.stem.as_str())
                            && morphology::stem(form) == w.stem
                    };
                    self.plan.words.iter().position(is_near)
                });
                if let Some(word) = word {
                    found.push(Found { range, word });
                }
            });
        }
        if let Some(code) = &self.plan.code {
            let is_asked = |canonical: &str| match code {
                QueryCode::Whole(whole) => whole == canonical,
                QueryCode::Partial(prefix) => canonical.starts_with(prefix.as_str()),
            };
            let word = self.plan.words.len();
            let codes = codes::find_codes(text).into_iter().filter(|c| is_asked(&c.canonical));
            found.extend(codes.map(|c| Found { range: c.range, word }));
            if let QueryCode::Whole(short) = code
                && codes::is_short_number(short)
            {
                words::for_each_word(text, |range, form| {
                    if form == short {
                        found.push(Found { range, word });
                    }
                });
            }
            found.sort_by_key(|f| f.range.start);
        }
        found
    }

    /// How many different words of the query are among those found.
    pub fn coverage(found: &[Found]) -> usize {
        let mut words: Vec<usize> = found.iter().map(|f| f.word).collect();
        words.sort_unstable();
        words.dedup();
        words.len()
    }
}

/// The snippet of a section as HTML: text and `<mark>`, nothing else. `expand` puts the catalogue's values in.
pub fn snippet(blocks: &[Block], matcher: &Matcher<'_>, expand: impl Fn(&str) -> String) -> String {
    let mut best: Option<(usize, String, Vec<Found>)> = None;
    let mut scanned = 0;
    for block in blocks {
        if scanned > MAX_SCANNED_BYTES {
            break;
        }
        scanned += block.text.len();
        let clipped = clip(&block.text, MAX_SCANNED_BYTES);
        // Fenced code is shown as it is written.
        let text = if block.kind == BlockKind::Code { clipped.to_owned() } else { expand(clipped) };
        let found = matcher.find(&text);
        let coverage = Matcher::coverage(&found);
        if best.as_ref().is_none_or(|(most, _, _)| coverage > *most) {
            best = Some((coverage, text, found));
        }
        if coverage >= matcher.asked() {
            break;
        }
    }
    let Some((_, text, found)) = best else { return String::new() };
    marked(&text, &found)
}

fn clip(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The window of a text that covers most words, cut at words, marked and escaped.
fn marked(text: &str, found: &[Found]) -> String {
    let window = best_window(text, found);
    let mut html = String::with_capacity(window.len() + 64);
    if window.start > 0 {
        html.push('…');
    }
    let mut flat = Flat { html: &mut html, between: None, has_begun: false };
    let mut at = window.start;
    for place in found.iter().filter(|f| f.range.start >= window.start && f.range.end <= window.end) {
        if place.range.start < at {
            continue;
        }
        flat.write(&text[at..place.range.start]);
        flat.separate();
        flat.html.push_str("<mark>");
        flat.write(&text[place.range.clone()]);
        flat.html.push_str("</mark>");
        at = place.range.end;
    }
    flat.write(&text[at..window.end]);
    if window.end < text.len() {
        html.push('…');
    }
    html
}

/// Writes text on one line: items stand apart by a dot, cells by a dash, and empty ones leave no trace.
struct Flat<'h> {
    html: &'h mut String,
    /// What is to stand before what is written next.
    between: Option<&'static str>,
    has_begun: bool,
}

impl Flat<'_> {
    fn write(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(['\n', '\t']).unwrap_or(rest.len());
            let (part, after) = rest.split_at(end);
            if !part.trim().is_empty() || self.between.is_none() && !part.is_empty() {
                self.separate();
                escape_into(part, self.html);
                self.has_begun = true;
            }
            let Some(mark) = after.chars().next() else { return };
            if mark == '\n' {
                self.between = Some(" · ");
            } else if self.between.is_none() {
                self.between = Some(" — ");
            }
            rest = &after[1..];
        }
    }

    fn separate(&mut self) {
        let between = self.between.take().filter(|_| self.has_begun);
        self.html.push_str(between.unwrap_or_default());
        self.has_begun = true;
    }
}

fn best_window(text: &str, found: &[Found]) -> Range<usize> {
    if text.chars().nth(SNIPPET_CHARS).is_none() {
        return 0..text.len();
    }
    let mut best = (0, 0);
    for (at, first) in found.iter().enumerate() {
        let within: Vec<Found> = found[at..]
            .iter()
            .take(24)
            .take_while(|f| text[first.range.start..f.range.end].chars().count() <= SNIPPET_CHARS)
            .cloned()
            .collect();
        let coverage = Matcher::coverage(&within);
        if coverage > best.0 {
            best = (coverage, first.range.start);
        }
    }
    // A little of what stands before, from the beginning of a word.
    let lead = text[..best.1].char_indices().rev().take(60).last().map_or(0, |(at, _)| at);
    let start = match text[lead..best.1].find(' ') {
        Some(space) if lead > 0 => lead + space + 1,
        _ => lead,
    };
    let end = text[start..].char_indices().nth(SNIPPET_CHARS).map_or(text.len(), |(at, _)| start + at);
    let end = match text[start..end].rfind(' ') {
        Some(space) if end < text.len() && start + space > best.1 => start + space,
        _ => end,
    };
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::catalog::Catalog;
    use crate::content::validity::Clearance;

    #[track_caller]
    fn check(query: &str, text: &str, expected: &str) {
        let plan = Plan::read(query, &Catalog::default(), &Clearance::Public);
        let block = Block { kind: BlockKind::Paragraph, range: (0, 0), text: text.to_owned(), linked: 0 };
        assert_eq!(snippet(&[block], &Matcher::new(&plan), str::to_owned), expected);
    }

    #[test]
    fn forms_prefixes_and_codes_are_marked() {
        check("тарифов", "Все тарифы", "Все <mark>тарифы</mark>");
        check("под", "Подключить & <b>", "<mark>Подключить</mark> &amp; &lt;b&gt;");
        check("*155*2#", "Код *155*2#, не *155*21#", "Код <mark>*155*2#</mark>, не *155*21#");
    }

    #[test]
    fn long_texts_are_cut_at_words() {
        let text = format!("{}нужное слово{}", "лишнее ".repeat(100), " потом".repeat(100));
        let plan = Plan::read("нужное", &Catalog::default(), &Clearance::Public);
        let block = Block { kind: BlockKind::Paragraph, range: (0, 0), text, linked: 0 };
        let html = snippet(&[block], &Matcher::new(&plan), str::to_owned);
        assert!(
            html.starts_with("…лишнее") && html.contains("<mark>нужное</mark>") && html.ends_with('…'),
            "{html}"
        );
    }
}
