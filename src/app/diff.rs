//! What is different between two versions of an article, a template or a product, part by part, for readers.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};
use utoipa::ToSchema;

use crate::answers::plain::plain_text;
use crate::answers::template::Template;
use crate::app::changes::Happened;
use crate::content::article::Article;
use crate::content::catalog::{Catalog, Lang, Product};
use crate::content::front_matter::Status;
use crate::content::validity::{Standpoint, Validity};

/// Words shown unchanged on either side of a change.
const CONTEXT: usize = 12;

/// Bytes of text in one change; what goes beyond is left out.
const MAX_TEXT: usize = 16 << 10;

/// Finding the smallest difference takes no longer than this; a larger one is good enough then.
const MAX_TIME: Duration = Duration::from_millis(50);

/// The anchor of the part that tells who can have a product: no attribute is called so.
pub const RULES: &str = "#rules";

/// What became of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PieceKind {
    /// It is as it was.
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Text without changes, left out.
    Skipped,
}

/// A piece of text and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Piece {
    /// What became of it.
    pub kind: PieceKind,
    /// The text; none where it is left out.
    pub text: String,
}

/// What happened to a part: a section of an article, the wording of a template for a channel, a value of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SectionChange {
    /// The section's anchor, the channel, or the attribute's id; empty for what is told of the whole.
    pub anchor: String,
    /// The section's heading or the attribute's label.
    pub heading: String,
    /// What happened.
    pub change: Happened,
    /// The text of before and after, word by word.
    pub pieces: Vec<Piece>,
    /// Who it was for and who it is for, where that is not everybody: only who belongs to all of them may be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<Vec<String>>,
}

/// Collects the parts that are different.
#[derive(Default)]
struct Parts {
    changes: Vec<SectionChange>,
    room: usize,
    /// Who the whole was for and is for.
    whole: [Vec<String>; 2],
}

impl Parts {
    fn new(before: &Validity, after: &Validity) -> Self {
        Self { changes: Vec::new(), room: MAX_TEXT, whole: [before.audience.clone(), after.audience.clone()] }
    }

    /// Notes a part if it is different.
    fn compare(&mut self, anchor: &str, heading: &str, before: Option<&str>, after: Option<&str>) {
        self.compare_for(&[], anchor, heading, before, after);
    }

    /// Notes a part that is for narrower audiences than the whole, if it is different.
    fn compare_for(
        &mut self,
        narrower: &[&Vec<String>],
        anchor: &str,
        heading: &str,
        before: Option<&str>,
        after: Option<&str>,
    ) {
        let change = match (before, after) {
            (None, Some(_)) => Happened::Added,
            (Some(_), None) => Happened::Removed,
            (Some(before), Some(after)) if before != after => Happened::Changed,
            _ => return,
        };
        let mut pieces = words(before.unwrap_or_default(), after.unwrap_or_default());
        for piece in &mut pieces {
            if piece.text.len() > self.room {
                let end = (0..=self.room).rev().find(|at| piece.text.is_char_boundary(*at)).unwrap_or(0);
                piece.text.truncate(end);
            }
            self.room -= piece.text.len();
        }
        pieces.retain(|piece| !piece.text.is_empty() || piece.kind == PieceKind::Skipped);
        let mut audiences: Vec<Vec<String>> =
            self.whole.iter().chain(narrower.iter().copied()).filter(|a| !a.is_empty()).cloned().collect();
        audiences.sort();
        audiences.dedup();
        self.changes.push(SectionChange {
            anchor: anchor.to_owned(),
            heading: heading.to_owned(),
            change,
            pieces,
            audiences,
        });
    }
}

/// Lines shown unchanged on either side of a change.
const LINES: usize = 3;

/// A line of two texts compared line by line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DiffLine {
    /// What became of it; `skipped` stands for lines without changes that are left out.
    pub kind: PieceKind,
    /// Its number in the later text, from 1; 0 for what is gone.
    pub number: u32,
    /// Its text; of a line that became another one, what is different in it apart.
    pub pieces: Vec<Piece>,
}

/// Two texts line by line, with long runs of what is the same left out.
pub fn lines(before: &str, after: &str) -> Vec<DiffLine> {
    let diff = TextDiff::configure().timeout(MAX_TIME).diff_lines(before, after);
    let skipped = || DiffLine { kind: PieceKind::Skipped, number: 0, pieces: Vec::new() };
    let mut lines = Vec::new();
    let mut old_end = 0;
    for group in diff.grouped_ops(LINES) {
        if group.first().is_some_and(|first| first.old_range().start > old_end) {
            lines.push(skipped());
        }
        old_end = group.last().map_or(old_end, |last| last.old_range().end);
        for change in group.iter().flat_map(|op| diff.iter_inline_changes(op)) {
            let kind = match change.tag() {
                ChangeTag::Equal => PieceKind::Same,
                ChangeTag::Delete => PieceKind::Removed,
                ChangeTag::Insert => PieceKind::Added,
            };
            let number = change.new_index().map_or(0, |at| u32::try_from(at + 1).unwrap_or(u32::MAX));
            let pieces = change.values().iter().map(|(is_different, text)| Piece {
                kind: if *is_different { kind } else { PieceKind::Same },
                text: text.trim_end_matches(['\r', '\n']).to_owned(),
            });
            lines.push(DiffLine {
                kind,
                number,
                pieces: pieces.filter(|piece| !piece.text.is_empty()).collect(),
            });
        }
    }
    if old_end < before.lines().count() && !lines.is_empty() {
        lines.push(skipped());
    }
    lines
}

/// Two texts word by word, with long runs of what is the same left out.
pub fn words(before: &str, after: &str) -> Vec<Piece> {
    let diff = TextDiff::configure().timeout(MAX_TIME).diff_words(before, after);
    let mut runs: Vec<(PieceKind, Vec<&str>)> = Vec::new();
    // What is gone and what is new since the last word that stayed. A space between changed words is changed with them.
    let (mut gone, mut new, mut spaces): (Vec<&str>, Vec<&str>, Vec<&str>) = Default::default();
    let end_change = |runs: &mut Vec<_>, gone: &mut Vec<_>, new: &mut Vec<_>| {
        for (kind, words) in [(PieceKind::Removed, gone), (PieceKind::Added, new)] {
            if !words.is_empty() {
                runs.push((kind, std::mem::take(words)));
            }
        }
    };
    for change in diff.iter_all_changes() {
        let word = change.value();
        let is_changing = !gone.is_empty() || !new.is_empty();
        match change.tag() {
            ChangeTag::Equal if is_changing && word.trim().is_empty() => spaces.push(word),
            ChangeTag::Equal => {
                end_change(&mut runs, &mut gone, &mut new);
                let stayed = spaces.drain(..).chain([word]);
                match runs.last_mut() {
                    Some((PieceKind::Same, words)) => words.extend(stayed),
                    _ => runs.push((PieceKind::Same, stayed.collect())),
                }
            }
            tag => {
                gone.extend(&spaces);
                new.append(&mut spaces);
                if tag == ChangeTag::Delete { gone.push(word) } else { new.push(word) }
            }
        }
    }
    end_change(&mut runs, &mut gone, &mut new);
    if !spaces.is_empty() {
        runs.push((PieceKind::Same, spaces));
    }
    let last = runs.len().saturating_sub(1);
    let mut pieces = Vec::new();
    let mut push = |kind, words: &[&str]| pieces.push(Piece { kind, text: words.concat() });
    for (at, (kind, words)) in runs.iter().enumerate() {
        // Words and the spaces between them are counted alike.
        let context = CONTEXT * 2;
        let (head, tail) = (if at == 0 { 0 } else { context }, if at == last { 0 } else { context });
        if *kind != PieceKind::Same || words.len() <= head + tail + 2 {
            push(*kind, words);
            continue;
        }
        if head > 0 {
            push(*kind, &words[..head]);
        }
        push(PieceKind::Skipped, &[]);
        if tail > 0 {
            push(*kind, &words[words.len() - tail..]);
        }
    }
    pieces
}

/// What is different in an article. Values are those of one catalogue on both sides: a new price is told of its product.
pub fn articles(
    (before, before_body): (&Article, &str),
    (after, after_body): (&Article, &str),
    catalog: &Catalog,
    day: Date,
) -> Vec<SectionChange> {
    let mut parts = Parts::new(before.validity(), after.validity());
    let lang = after.lang;
    let title = |article: &Article| title_of(article, catalog, day);
    parts.compare("", lang.either("Название", "Title"), Some(&title(before)), Some(&title(after)));
    parts.compare("", lang.either("Статус", "Status"), Some(status(before, lang)), Some(status(after, lang)));
    let validity = |article: &Article| in_words(article.validity(), lang);
    parts.compare("", lang.either("Действует", "In force"), Some(&validity(before)), Some(&validity(after)));
    let old = texts(before, before_body, catalog, day);
    let new = texts(after, after_body, catalog, day);
    let first = title(after);
    let heading = |own: &str| if own.is_empty() { first.clone() } else { own.to_owned() };
    for part in &new {
        let was = old.iter().find(|known| known.anchor == part.anchor);
        // A first part without text is none.
        if was.is_some() || !part.text.is_empty() {
            let narrower: Vec<&Vec<String>> =
                was.map(|was| &was.audience).into_iter().chain([&part.audience]).collect();
            let was = was.map(|was| was.text.as_str());
            parts.compare_for(&narrower, &part.anchor, &heading(&part.heading), was, Some(&part.text));
        }
    }
    for part in &old {
        if !part.text.is_empty() && new.iter().all(|known| known.anchor != part.anchor) {
            let heading = heading(&part.heading);
            parts.compare_for(&[&part.audience], &part.anchor, &heading, Some(&part.text), None);
        }
    }
    parts.changes
}

/// The title of an article for all who may read it.
pub fn title_of(article: &Article, catalog: &Catalog, day: Date) -> String {
    let clearance = article.readers();
    article.title_for(catalog, Standpoint { clearance: &clearance, ..Standpoint::public(day) })
}

fn status(article: &Article, lang: Lang) -> &'static str {
    match article.matter.status {
        Status::Archived => lang.either("в архиве", "archived"),
        _ => lang.either("действует", "in force"),
    }
}

/// Where and when something is in force, in words.
fn in_words(validity: &Validity, lang: Lang) -> String {
    let mut parts = Vec::new();
    let dates = [(validity.from, lang.either("с", "from")), (validity.to, lang.either("по", "to"))];
    for (day, word) in dates {
        parts.extend(day.map(|day| format!("{word} {day}")));
    }
    parts.extend(validity.regions.iter().cloned());
    if parts.is_empty() {
        lang.either("всегда и везде", "always and everywhere").to_owned()
    } else {
        parts.join(", ")
    }
}

/// A section as it is compared.
struct Part {
    anchor: String,
    heading: String,
    text: String,
    audience: Vec<String>,
}

/// The sections of an article for all who may read it; what a section's own validity says stands above its text.
fn texts(article: &Article, body: &str, catalog: &Catalog, day: Date) -> Vec<Part> {
    let clearance = article.readers();
    let at = Standpoint { clearance: &clearance, ..Standpoint::public(day) };
    let sections = article.sections.iter().filter_map(|section| {
        let range = section.range.0 as usize..section.range.1 as usize;
        let written = body.get(range)?;
        // The heading is told beside it.
        let written =
            if section.level > 0 { written.split_once('\n').map_or("", |(_, rest)| rest) } else { written };
        let expand = |text: &str| catalog.expand(text, article.lang, at);
        let mut text = plain_text(&expand(written)).trim().to_owned();
        if let Some(validity) =
            section.validity.as_deref().filter(|validity| **validity != article.matter.validity)
        {
            text = format!("{}\n{text}", in_words(validity, article.lang));
        }
        Some(Part {
            anchor: section.anchor.to_string(),
            heading: expand(&section.heading),
            text,
            audience: section.validity.as_ref().map(|v| v.audience.clone()).unwrap_or_default(),
        })
    });
    sections.collect()
}

/// What is different in a template, by channel.
pub fn templates(before: &Template, after: &Template) -> Vec<SectionChange> {
    let mut parts = Parts::new(&before.validity, &after.validity);
    let title = after.lang.either("Название", "Title");
    parts.compare("", title, Some(&before.title), Some(&after.title));
    let validity = |template: &Template| in_words(&template.validity, after.lang);
    let in_force = after.lang.either("Действует", "In force");
    parts.compare("", in_force, Some(&validity(before)), Some(&validity(after)));
    for body in &after.bodies {
        let was = before.body(body.channel).map(|body| body.source.as_str());
        parts.compare(body.channel.name(), body.channel.name(), was, Some(&body.source));
    }
    for body in before.bodies.iter().filter(|body| after.body(body.channel).is_none()) {
        parts.compare(body.channel.name(), body.channel.name(), Some(&body.source), None);
    }
    parts.changes
}

/// What is different in a product: every value that is announced, with the days and regions it is for.
pub fn products(before: &Product, after: &Product, rules: [&str; 2], lang: Lang) -> Vec<SectionChange> {
    let mut parts = Parts::new(&before.validity, &after.validity);
    let title = lang.either("Название", "Title");
    parts.compare("", title, Some(before.title.get(lang)), Some(after.title.get(lang)));
    let status = |product: &Product| match product.status {
        Status::Archived => lang.either("в архиве", "archived"),
        _ => lang.either("действует", "in force"),
    };
    parts.compare("", lang.either("Статус", "Status"), Some(status(before)), Some(status(after)));
    let validity = |product: &Product| in_words(&product.validity, lang);
    let in_force = lang.either("Действует", "In force");
    parts.compare("", in_force, Some(&validity(before)), Some(&validity(after)));
    let of = |product: &Product, attribute: &str| {
        let found = product.values.iter().find(|(known, _)| known.id == attribute);
        found.map(|(_, variants)| variants.iter().map(|v| v.validity.audience.clone()).collect::<Vec<_>>())
    };
    let values = |product: &Product, attribute: &str, audience: &Vec<String>| {
        let (attribute, variants) = product.values.iter().find(|(known, _)| known.id == attribute)?;
        let own = variants.iter().filter(|variant| variant.validity.audience == *audience);
        let shown = own.map(|variant| {
            let value = variant.show(attribute, lang);
            if variant.validity.is_unlimited() {
                value
            } else {
                format!("{value} ({})", in_words(&variant.validity, lang))
            }
        });
        Some(shown.collect::<Vec<_>>().join("; ")).filter(|shown| !shown.is_empty())
    };
    let gone = before.values.iter().filter(|(old, _)| after.values.iter().all(|(new, _)| new.id != old.id));
    for (attribute, _) in after.values.iter().chain(gone) {
        let audiences = of(before, &attribute.id).into_iter().chain(of(after, &attribute.id)).flatten();
        // What is for different audiences is told apart.
        for audience in audiences.collect::<BTreeSet<_>>() {
            let [was, is] = [before, after].map(|product| values(product, &attribute.id, &audience));
            let label = attribute.label.get(lang);
            parts.compare_for(&[&audience], &attribute.id, label, was.as_deref(), is.as_deref());
        }
    }
    parts.compare(RULES, lang.either("Кому подходит", "Who can have it"), Some(rules[0]), Some(rules[1]));
    parts.changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[Piece]) -> String {
        let marks = pieces.iter().map(|piece| match piece.kind {
            PieceKind::Same => piece.text.clone(),
            PieceKind::Added => format!("[+{}+]", piece.text),
            PieceKind::Removed => format!("[-{}-]", piece.text),
            PieceKind::Skipped => "…".to_owned(),
        });
        marks.collect()
    }

    #[track_caller]
    fn check(before: &str, after: &str, expected: &[&str]) {
        let parse = |text: &str| Article::parse("articles", "a.md", text).0.unwrap();
        let (before, after) = (parse(before), parse(after));
        let day = "2026-11-23".parse().unwrap();
        let changes = articles(
            (&before.article, &before.body),
            (&after.article, &after.body),
            &Catalog::default(),
            day,
        );
        let told: Vec<String> = changes
            .iter()
            .map(|c| format!("{:?} {} {}: {}", c.change, c.anchor, c.heading, shown(&c.pieces)))
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn sections_are_told_by_their_anchors() {
        check(
            "---\ntitle: T\n---\nintro\n\n## A {#a}\nthe price is *155*1# now\n\n## B {#b}\ngone\n",
            "---\ntitle: T\n---\nintro\n\n## C {#c}\nnew\n\n## A {#a}\nthe price is *155*12# now\n",
            &[
                "Added c C: [+new+]",
                "Changed a A: the price is [-*155*1#-][+*155*12#+] now",
                "Removed b B: [-gone-]",
            ],
        );
        check("---\ntitle: T\n---\nsame\n", "---\ntitle: T\n---\nsame\n", &[]);
    }

    #[test]
    fn a_change_of_the_head_is_told() {
        check(
            "---\ntitle: Old\nlang: en\n---\nx\n",
            "---\ntitle: New\nlang: en\nstatus: archived\nvalid: {to: 2026-12-31}\n---\nx\n",
            &[
                "Changed  Title: [-Old-][+New+]",
                "Changed  Status: [-in force-][+archived+]",
                "Changed  In force: [-always and everywhere-][+to 2026-12-31+]",
            ],
        );
    }

    #[test]
    fn long_texts_are_cut_around_the_change() {
        let many = |word: &str| (0..60).map(|n| format!("{word}{n} ")).collect::<String>();
        let (before, after) =
            (format!("{}old {}", many("a"), many("b")), format!("{}new {}", many("a"), many("b")));
        let told = shown(&words(&before, &after));
        assert!(told.starts_with("…") && told.ends_with('…') && told.contains("[-old-][+new+]"), "{told}");
        assert!(told.len() < before.len());
        let huge = "слово ".repeat(40_000);
        let mut parts = Parts::new(&Validity::default(), &Validity::default());
        parts.compare("", "", None, Some(&huge));
        assert!(parts.changes[0].pieces.iter().map(|p| p.text.len()).sum::<usize>() <= MAX_TEXT);
    }
}
