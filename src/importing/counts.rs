//! What an article in Markdown has, counted as Pharos itself reads it.

use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::importing::document::Counts;

/// The Markdown Pharos reads.
pub const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_GFM);

/// How many of each there are in Markdown as it was carried, to be set against what the source had.
pub fn counts(markdown: &str) -> Counts {
    let mut counts = Counts::default();
    for event in Parser::new_ext(markdown, OPTIONS) {
        let Event::Start(tag) = event else { continue };
        match tag {
            Tag::Heading { .. } => counts.headings += 1,
            Tag::Link { .. } => counts.links += 1,
            Tag::Image { .. } => counts.images += 1,
            Tag::Table(_) => counts.tables += 1,
            Tag::Item => counts.items += 1,
            Tag::CodeBlock(_) => counts.code += 1,
            _ => {}
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_once() {
        let text = "## А\n\n[б](в.md) ![г](д.png)\n\n|a|b|\n|-|-|\n|1|2|\n\n- x\n  - y\n\n```\n[z](z)\n```\n";
        let counted = counts(text);
        assert_eq!(counted, Counts { headings: 1, links: 1, images: 1, tables: 1, items: 2, code: 1 });
    }
}
