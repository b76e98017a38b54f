//! Markdown as plain text, for chats and letters without formatting.

use pulldown_cmark::{Event, Options, Tag, TagEnd};

use crate::content::{markdown, values};

/// The text of a piece of Markdown: paragraphs parted by empty lines, items numbered or bulleted, marks of emphasis and code dropped.
pub fn plain_text(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut lists: Vec<Option<u64>> = Vec::new();
    let mut link: Option<(usize, String)> = None;
    let masked = markdown::mask(source);
    for (event, _) in markdown::events(&masked, Options::empty()) {
        match event {
            Event::Text(t) | Event::Code(t) | Event::InlineHtml(t) | Event::Html(t) => {
                text.push_str(&values::unmask(&t))
            }
            Event::SoftBreak | Event::HardBreak => text.push('\n'),
            Event::Rule => begin(&mut text, "\n\n"),
            // The first paragraph of an item stands behind its number.
            Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::BlockQuote(_))
                if lists.is_empty() || text.ends_with('\n') =>
            {
                begin(&mut text, if lists.is_empty() { "\n\n" } else { "\n" });
            }
            Event::Start(Tag::List(first)) => {
                begin(&mut text, if lists.is_empty() { "\n\n" } else { "\n" });
                lists.push(first);
            }
            Event::End(TagEnd::List(_)) => {
                lists.pop();
            }
            Event::Start(Tag::Item) => {
                if !text.ends_with('\n') {
                    begin(&mut text, "\n");
                }
                text.push_str(&"  ".repeat(lists.len().saturating_sub(1)));
                match lists.last_mut() {
                    Some(Some(number)) => {
                        text.push_str(&format!("{number}. "));
                        *number += 1;
                    }
                    _ => text.push_str("• "),
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) => link = Some((text.len(), values::unmask(&dest_url))),
            Event::End(TagEnd::Link) => {
                if let Some((start, url)) = link.take()
                    && text[start..] != url
                {
                    text.push_str(&format!(" ({url})"));
                }
            }
            _ => {}
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn begin(text: &mut String, separator: &str) {
    if !text.is_empty() {
        text.truncate(text.trim_end_matches('\n').len());
        text.push_str(separator);
    }
}

#[cfg(test)]
mod tests {
    use super::plain_text;

    #[test]
    fn lists_and_marks_become_text() {
        let markdown =
            "Добрый день!\nВот **шаги**:\n\n1. Наберите `*155*2#`\n2. Ждите\n\n[Сайт](https://example.org)";
        assert_eq!(
            plain_text(markdown),
            "Добрый день!\nВот шаги:\n\n1. Наберите *155*2#\n2. Ждите\n\nСайт (https://example.org)"
        );
        assert_eq!(plain_text("*155*2#, не *155*21#, **важно**"), "*155*2#, не *155*21#, важно");
    }
}
