//! What stands at the beginning or the end of most pages of a site: banners, menus and footers that no generator marks as such.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use crate::importing::counts::{OPTIONS, counts};
use crate::importing::document::{Counts, Document};

/// Of fewer pages it cannot be told whether they share a banner or say the same.
const MIN_PAGES: usize = 20;

/// On how many of a hundred pages in one language something stands that is the site's, not the page's.
const SHARE: usize = 80;

/// A block of a text.
struct Block {
    range: Range<usize>,
    /// By what it is the same as on another page; nothing: it says nothing, as lines across the page.
    key: Option<String>,
    /// Whether it only says what follows it is: a heading, or a line that is in bold or ends with a colon.
    is_heading: bool,
}

/// Takes off what most pages begin or end with. It is told as a loss of each page.
pub(super) fn take_off(documents: &mut [&mut Document]) {
    let mut by_language: HashMap<Option<String>, Vec<usize>> = HashMap::new();
    for (at, document) in documents.iter().enumerate() {
        by_language.entry(document.lang.clone()).or_default().push(at);
    }
    for pages in by_language.into_values().filter(|pages| pages.len() >= MIN_PAGES) {
        let mut times: HashMap<String, usize> = HashMap::new();
        for &at in &pages {
            let keys: BTreeSet<String> =
                blocks(&documents[at].markdown).into_iter().filter_map(|b| b.key).collect();
            for key in keys {
                *times.entry(key).or_default() += 1;
            }
        }
        times.retain(|_, times| *times * 100 >= pages.len() * SHARE);
        if times.is_empty() {
            continue;
        }
        for &at in &pages {
            strip(documents[at], |block| block.key.as_ref().map(|key| times.contains_key(key)));
        }
    }
}

/// Takes off what a page shares: `Some(true)`, its own is `Some(false)`, and `None` goes with what is beside it.
fn strip(document: &mut Document, is_shared: impl Fn(&Block) -> Option<bool>) {
    let blocks = blocks(&document.markdown);
    let run = |blocks: &mut dyn Iterator<Item = &Block>| {
        blocks.take_while(|block| is_shared(block) != Some(false)).count()
    };
    let mut first = run(&mut blocks.iter());
    if first == blocks.len() {
        return;
    }
    // A heading above what is the page's own belongs to it.
    while first > 0 && blocks[first - 1].is_heading {
        first -= 1;
    }
    let mut last = blocks.len() - run(&mut blocks.iter().rev());
    // Lines across the page that stand by themselves are its own.
    if !blocks[..first].iter().any(|block| is_shared(block) == Some(true)) {
        first = 0;
    }
    if !blocks[last..].iter().any(|block| is_shared(block) == Some(true)) {
        last = blocks.len();
    }
    let begin = blocks.get(first).map_or(0, |block| block.range.start);
    let end = if last == blocks.len() { document.markdown.len() } else { blocks[last].range.start };
    if first == 0 && last == blocks.len() {
        return;
    }
    let (before, after) = (&document.markdown[..begin], &document.markdown[end..]);
    let taken = format!("{before}\n{after}");
    subtract(&mut document.had, counts(before));
    subtract(&mut document.had, counts(after));
    document.markdown = format!("{}\n", document.markdown[begin..end].trim_end());
    document.lose("furniture", format!("stands on most pages: {taken}"));
}

fn subtract(had: &mut Counts, taken: Counts) {
    for (had, taken) in [
        (&mut had.headings, taken.headings),
        (&mut had.links, taken.links),
        (&mut had.images, taken.images),
        (&mut had.tables, taken.tables),
        (&mut had.items, taken.items),
        (&mut had.code, taken.code),
    ] {
        *had = had.saturating_sub(taken);
    }
}

/// The blocks a text consists of, not those within others.
fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut depth = 0_usize;
    let mut said = String::new();
    // How many marks of bold are open, and whether all that was said was in bold.
    let (mut bold, mut is_bold, mut has_words) = (0, true, false);
    for (event, range) in Parser::new_ext(markdown, OPTIONS).into_offset_iter() {
        if depth == 0 {
            let is_heading = matches!(event, Event::Start(Tag::Heading { .. }));
            blocks.push(Block { range, key: None, is_heading });
            said.clear();
            (is_bold, has_words) = (true, false);
        }
        match event {
            Event::Start(tag) => {
                depth += 1;
                bold += usize::from(matches!(tag, Tag::Strong));
                match tag {
                    Tag::Image { dest_url, .. } | Tag::Link { dest_url, .. } => said.push_str(&dest_url),
                    Tag::Item | Tag::TableCell => said.push(' '),
                    _ => {}
                }
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                bold -= usize::from(matches!(tag, TagEnd::Strong));
            }
            Event::Text(text) | Event::Code(text) => {
                is_bold &= bold > 0;
                has_words |= !text.trim().is_empty();
                said.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak => said.push(' '),
            _ => {}
        }
        if depth == 0
            && let Some(block) = blocks.last_mut()
        {
            block.key = key_of(&said);
            block.is_heading |= has_words && is_bold || said.trim_end().ends_with(':');
        }
    }
    blocks
}

/// What a block says, whatever its spaces, and whatever day and time it names: those differ from page to page.
fn key_of(said: &str) -> Option<String> {
    let is_time = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_digit());
        word.contains(['-', '.', '/', ':']) && word.chars().all(|c| c.is_ascii_digit() || "-./:".contains(c))
    };
    let words: Vec<&str> =
        said.split_whitespace().map(|word| if is_time(word) { "0" } else { word }).collect();
    let plain = words.join(" ");
    (!plain.is_empty()).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(count: usize, text: impl Fn(usize) -> String) -> Vec<Document> {
        let page = |n| Document {
            markdown: text(n),
            had: Counts { links: 3, items: 2, headings: 2, ..Counts::default() },
            ..Document::default()
        };
        (0..count).map(page).collect()
    }

    fn taken_off(mut pages: Vec<Document>) -> Vec<Document> {
        take_off(&mut pages.iter_mut().collect::<Vec<_>>());
        pages
    }

    fn site(n: usize) -> String {
        format!(
            "[Home](within:a) [Menu](within:b)\n\n- Small. Fast.\n- Choose any three.\n\n---\n\n## Name\n\nPage {}\n\n\
             ## Syntax\n\nown text {}\n\n## Feedback\n\nModified 2024-01-0{}\n",
            ["one", "two", "three"][n % 3],
            ["red", "green", "blue", "white"][n % 4],
            n % 9
        )
    }

    #[test]
    fn banners_and_footers_go_and_headings_of_own_text_stay() {
        let pages = taken_off(pages(30, site));
        assert_eq!(pages[0].markdown, "## Name\n\nPage one\n\n## Syntax\n\nown text red\n");
        assert_eq!(pages[5].markdown, "## Name\n\nPage three\n\n## Syntax\n\nown text green\n");
        assert_eq!(pages[0].had, Counts { links: 1, items: 0, headings: 1, ..Counts::default() });
        assert!(
            pages[0].losses[0].what.contains("Choose any three")
                && pages[0].losses[0].what.contains("Modified")
        );
    }

    #[test]
    fn what_few_pages_say_or_all_of_a_page_stays() {
        let few = pages(MIN_PAGES - 1, site);
        assert_eq!(taken_off(few.clone()), few);
        let own =
            pages(40, |n| format!("Own {}\n\n---\n\nOwn as well {}\n\n---\n", "x".repeat(n), "y".repeat(n)));
        assert_eq!(taken_off(own.clone()), own);
        let same = pages(40, |_| "The same.\n\nOn each.\n".to_owned());
        assert_eq!(taken_off(same.clone()), same);
        // What differs in a number or a picture is the page's, and so is a label that all pages have.
        let labelled = pages(40, |n| {
            format!(
                "**Price:**\n\nType:\n\n{} RUB\n\n![](within:p{n}.png)\n\nown {}\n\n![](within:q{n}.png)\n",
                n * 10,
                "x".repeat(n)
            )
        });
        assert_eq!(taken_off(labelled.clone()), labelled);
        // In the middle of a page it is the page's.
        let middle = pages(40, |n| format!("Own {}\n\nThe same.\n\nOwn {}\n", "x".repeat(n), "y".repeat(n)));
        assert_eq!(taken_off(middle.clone()), middle);
    }

    #[test]
    fn languages_are_looked_at_by_themselves() {
        let mut pages = pages(60, |n| format!("{} menu\n\nown {}\n", ["a", "b"][n % 2], "x".repeat(n)));
        for (n, page) in pages.iter_mut().enumerate() {
            page.lang = Some(["en", "ru"][n % 2].to_owned());
        }
        let pages = taken_off(pages);
        assert!(pages.iter().skip(1).all(|page| page.markdown.starts_with("own")));
    }
}
