//! Passages: the sentences, items and cells of a text, each with what is around it and where it stands.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::content::catalog::{Catalog, Lang};
use crate::content::markdown::{Block, BlockKind, Section};
use crate::content::validity::Standpoint;
use crate::content::values;

/// Rows and sentences that say so much are no statements, but texts.
const MAX_BYTES: usize = 1_200;

/// A text taken apart, of an article or of a body of a template.
#[derive(Clone, Copy, Debug)]
pub struct Text<'t> {
    /// The Markdown.
    pub body: &'t str,
    /// Its sections.
    pub sections: &'t [Section],
    /// The blocks of each section.
    pub blocks: &'t [Vec<Block>],
    /// Its language.
    pub lang: Lang,
}

/// A sentence, an item of a list, or a cell of a table.
#[derive(Clone, Debug)]
pub struct Passage {
    /// What it says, with the values of the catalogue put in.
    pub text: String,
    /// What stands in it for a reference to the catalogue.
    pub references: Vec<Range<usize>>,
    /// Of a cell: the first cell of its row, and the head of its column.
    pub label: Option<String>,
    /// The number of its section.
    pub section: usize,
    /// Where it begins in the body, in bytes, as nearly as can be told.
    pub at: usize,
    /// Where its block ends in the body.
    pub end: usize,
}

impl Passage {
    /// Where a part of it stands in the body, in bytes: a number as written, or a code.
    pub fn find(&self, body: &str, part: &str) -> usize {
        let near = body.get(self.at..self.end).unwrap_or_default();
        near.find(part).map_or(self.at, |found| self.at + found)
    }

    /// Whether a part of it stands for a reference to the catalogue.
    pub fn is_reference(&self, part: &Range<usize>) -> bool {
        self.references.iter().any(|reference| reference.start < part.end && part.start < reference.end)
    }
}

/// All passages of a text. Fenced code says nothing.
pub fn passages(text: &Text<'_>, catalog: &Catalog, at: Standpoint<'_>) -> Vec<Passage> {
    let mut found = Vec::new();
    for (section, blocks) in text.blocks.iter().enumerate() {
        for block in blocks {
            let mut reader = Reader {
                text,
                catalog,
                at,
                section,
                cursor: block.range.0 as usize,
                end: block.range.1 as usize,
            };
            match block.kind {
                BlockKind::Code => {}
                BlockKind::Table => reader.table(&block.text, &mut found),
                BlockKind::Paragraph | BlockKind::Steps | BlockKind::List | BlockKind::Quote => {
                    for line in block.text.lines() {
                        for sentence in line.split_sentence_bounds() {
                            found.extend(reader.passage(sentence, None));
                        }
                    }
                }
            }
        }
    }
    found
}

struct Reader<'a, 't> {
    text: &'a Text<'t>,
    catalog: &'a Catalog,
    at: Standpoint<'a>,
    section: usize,
    /// What is before it in the body has been read.
    cursor: usize,
    end: usize,
}

impl Reader<'_, '_> {
    fn table(&mut self, text: &str, found: &mut Vec<Passage>) {
        let mut rows = text.lines();
        let Some(head) = rows.next() else { return };
        let heads: Vec<&str> = head.split('\t').collect();
        for row in rows {
            let cells: Vec<&str> = row.split('\t').collect();
            let first = self.expanded(cells[0]).0;
            self.skip_to(cells[0]);
            for (cell, head) in cells.iter().zip(&heads).skip(1) {
                let label = format!("{first}\n{}", self.expanded(head).0);
                found.extend(self.passage(cell, Some(label)));
            }
        }
    }

    fn passage(&mut self, text: &str, label: Option<String>) -> Option<Passage> {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_BYTES {
            return None;
        }
        self.skip_to(text);
        let at = self.cursor;
        let (text, references) = self.expanded(text);
        // What is wanted next stands behind it.
        let begin = text.chars().next().map_or(0, char::len_utf8);
        self.cursor = (self.cursor + begin).min(self.end);
        Some(Passage { text, references, label, section: self.section, at, end: self.end })
    }

    /// Moves on to where a text begins, by its first word: markup is not in it.
    fn skip_to(&mut self, text: &str) {
        let begin = text.find(|c: char| c.is_alphanumeric()).unwrap_or(0);
        let word = &text[begin..];
        let length = word.find(|c: char| !c.is_alphanumeric()).unwrap_or(word.len());
        let rest = self.text.body.get(self.cursor..self.end).unwrap_or_default();
        if let Some(found) = rest.find(&word[..length]).filter(|_| length > 0) {
            self.cursor += found;
        }
    }

    /// A text with the values of the catalogue put in, and where they are. A value that is not one and the same for all is left out: a
    /// name stands for it, which is like no number.
    fn expanded(&self, text: &str) -> (String, Vec<Range<usize>>) {
        let mut places = Vec::new();
        let mut done = String::with_capacity(text.len());
        let mut last = 0;
        for reference in values::references(text) {
            done.push_str(&text[last..reference.range.start]);
            let start = done.len();
            let value = reference.parts().and_then(|(product, attribute)| {
                let product = self.catalog.product(product)?;
                let (_, variants) = product.values.iter().find(|(own, _)| own.id == attribute)?;
                (variants.len() == 1).then(|| product.show(attribute, self.text.lang, self.at))?
            });
            done.push_str(&value.unwrap_or_else(|| format!("[{}]", reference.name.replace(['.', '-'], "_"))));
            places.push(start..done.len());
            last = reference.range.end;
        }
        done.push_str(&text[last..]);
        (done, places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::article::Article;
    use crate::content::validity::Standpoint;

    #[test]
    fn sentences_items_and_cells_are_told_with_their_places() {
        let text = "# Заголовок\n\nПервое. **Второе** 5 ₽.\n\n- Пункт 7 ₽\n\n| | 100 SMS |\n|---|---|\n| Цена | `8` ₽ |\n\n```\nкод 9 ₽\n```\n";
        let parsed = Article::parse("articles", "a.md", text).0.unwrap();
        let lang = Lang::Ru;
        let taken =
            Text { body: &parsed.body, sections: &parsed.article.sections, blocks: &parsed.blocks, lang };
        let day = "2026-11-23".parse().unwrap();
        let found = passages(&taken, &Catalog::default(), Standpoint::keeper(day));
        let told: Vec<(&str, Option<&str>)> =
            found.iter().map(|p| (p.text.as_str(), p.label.as_deref())).collect();
        assert_eq!(
            told,
            [("Первое.", None), ("Второе 5 ₽.", None), ("Пункт 7 ₽", None), ("8 ₽", Some("Цена\n100 SMS"))]
        );
        for (passage, part) in found.iter().skip(1).zip(["5 ₽", "7 ₽", "8"]) {
            assert_eq!(&parsed.body[passage.find(&parsed.body, part)..][..part.len()], part);
        }
    }
}
