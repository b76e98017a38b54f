//! Guided flows: articles whose sections are steps and whose lists of links are choices.

use std::collections::{BTreeSet, VecDeque};

use pulldown_cmark::{Event, Options, Tag, TagEnd};

use crate::content::article::Article;
use crate::content::front_matter::Located;
use crate::content::markdown;
use crate::content::problem::{Position, Report, did_you_mean};
use crate::content::values;

/// A choice that leads from one step to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What the operator picks, with references.
    pub label: String,
    /// What stands behind the link.
    pub note: String,
    /// The article it leads to.
    pub article: String,
    /// The step it leads to; empty for the start of another flow.
    pub step: String,
}

/// An item of a list while it is read.
#[derive(Default)]
struct Item {
    choice: Option<Choice>,
    in_link: bool,
    /// Whether text stood before any link.
    is_text: bool,
}

/// The choices of each section of a flow.
pub fn choices(article: &Article, body: &str) -> Vec<Vec<Choice>> {
    let masked = markdown::mask(body);
    let mut all = vec![Vec::new(); article.sections.len()];
    let mut section = 0;
    // Items may hold lists of their own; the innermost is last.
    let mut items: Vec<Item> = Vec::new();
    for (event, range) in markdown::events(&masked, Options::empty()) {
        while section + 1 < article.sections.len()
            && range.start >= article.sections[section + 1].range.0 as usize
        {
            section += 1;
        }
        match event {
            Event::Start(Tag::Item) => items.push(Item::default()),
            Event::End(TagEnd::Item) => {
                if let Some(Item { choice: Some(mut choice), .. }) = items.pop() {
                    choice.note = choice.note.trim_matches([' ', '—', '–', '-', ':', '\n']).to_owned();
                    all[section].push(choice);
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                if let Some(Item { choice: choice @ None, in_link, is_text: false }) = items.last_mut()
                    && let Some((id, anchor)) = markdown::article_target(&dest_url, &article.path)
                {
                    let step = anchor.trim_start_matches('#').to_owned();
                    *choice = Some(Choice { label: String::new(), note: String::new(), article: id, step });
                    *in_link = true;
                }
            }
            Event::End(TagEnd::Link) => {
                if let Some(item) = items.last_mut() {
                    item.in_link = false;
                }
            }
            Event::Text(text) | Event::Code(text) => match items.last_mut() {
                Some(Item { choice: Some(choice), in_link: true, .. }) => {
                    choice.label.push_str(&values::unmask(&text))
                }
                Some(Item { choice: Some(choice), .. }) => choice.note.push_str(&values::unmask(&text)),
                // Text before the link: the item is no choice.
                Some(item) if !text.trim().is_empty() => item.is_text = true,
                _ => {}
            },
            Event::SoftBreak | Event::HardBreak => {
                if let Some(Item { choice: Some(choice), in_link: false, .. }) = items.last_mut() {
                    choice.note.push(' ');
                }
            }
            _ => {}
        }
    }
    all
}

/// The text of a flow without the lists that hold nothing but choices, byte for byte in its place: what stands beside the choices.
pub fn without_choices(article: &Article, body: &str) -> String {
    let masked = markdown::mask(body);
    let mut text = body.to_owned();
    // Where the outermost list began, its items, and those that begin with a link to an article or step.
    let (mut depth, mut items, mut links, mut at_start) = (0_usize, 0_usize, 0_usize, false);
    for (event, range) in markdown::events(&masked, Options::empty()) {
        match event {
            Event::Start(Tag::List(_)) => {
                depth += 1;
                if depth == 1 {
                    (items, links) = (0, 0);
                }
            }
            Event::End(TagEnd::List(_)) => {
                depth -= 1;
                if depth == 0 && items > 0 && items == links {
                    let blank: String = body[range.clone()]
                        .chars()
                        .map(|c| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) })
                        .collect();
                    text.replace_range(range, &blank);
                }
            }
            Event::Start(Tag::Item) if depth == 1 => {
                items += 1;
                at_start = true;
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                let leads = markdown::article_target(&dest_url, &article.path).is_some();
                links += usize::from(at_start && leads);
                at_start = false;
            }
            Event::Text(_) | Event::Code(_) => at_start = false,
            _ => {}
        }
    }
    text
}

/// Reports a start that is no step, choices that lead nowhere, dead ends and steps no path reaches. Choices that lead to other
/// articles are checked with all links.
pub fn check(article: &Article, body: &str, start: &Located, report: &mut Report) {
    let anchors = || article.sections.iter().map(|s| &*s.anchor).filter(|a| !a.is_empty());
    let Some(first) = article.section_at(&start.text) else {
        report.error(
            "flow-start",
            start.at,
            format!(
                "the flow begins at `{}`, and there is no such step{}",
                start.text,
                did_you_mean(&start.text, anchors())
            ),
            "name the anchor of the first step",
        );
        return;
    };
    let choices = choices(article, body);
    let mut reached = BTreeSet::from([first]);
    let mut queue = VecDeque::from([first]);
    while let Some(step) = queue.pop_front() {
        let at = Position { line: article.sections[step].line, column: 1 };
        if choices[step].is_empty() && !article.sections[step].end {
            report.error(
                "flow-dead-end",
                at,
                format!(
                    "the step `#{}` offers no choice and is not marked `end`",
                    article.sections[step].anchor
                ),
                "add a list of links to other steps, or mark the heading `{#… end}`",
            );
        }
        for choice in choices[step].iter().filter(|c| c.article == article.id) {
            match article.section_at(&choice.step) {
                Some(next) => {
                    if reached.insert(next) {
                        queue.push_back(next);
                    }
                }
                None => report.error(
                    "flow-target",
                    at,
                    format!(
                        "the choice “{}” leads to `#{}`, which is no step{}",
                        choice.label,
                        choice.step,
                        did_you_mean(&choice.step, anchors())
                    ),
                    "correct the link",
                ),
            }
        }
    }
    for (number, section) in article.sections.iter().enumerate() {
        if section.level > 1 && !reached.contains(&number) {
            report.warning(
                "flow-unreachable",
                Position { line: section.line, column: 1 },
                format!("no path reaches the step `#{}`", section.anchor),
                "link to it from another step, or remove it",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_flow(steps: &str, expected: &[&str]) {
        let text = format!("---\ntitle: T\nflow: a\n---\n{steps}");
        let (_, problems) = Article::parse("articles", "f.md", &text);
        let found: Vec<String> = problems.into_iter().map(|p| format!("{}:{}", p.line, p.code)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn flows_are_checked() {
        check_flow("## A {#a}\n\n- [yes](#b)\n\n## B {#b end}\n", &[]);
        check_flow("## A {#a}\n\n- [yes](#b)\n\n## B {#b}\n", &["9:flow-dead-end"]);
        check_flow("## A {#a}\n\n- [yes](#x)\n\n## B {#b end}\n", &["5:flow-target", "9:flow-unreachable"]);
        check_flow("## A {#aa end}\n", &["3:flow-start"]);
    }

    #[test]
    fn choices_have_labels_and_notes() {
        let text = "---\nflow: a\n---\n## A {#a}\n\n- [Yes](#b) — then go on\n- no link\n\n## B {#b end}\n";
        let parsed = Article::parse("articles", "f.md", text).0.unwrap();
        let choices = choices(&parsed.article, &parsed.body);
        assert_eq!(choices[1].len(), 1);
        assert_eq!((choices[1][0].label.as_str(), choices[1][0].note.as_str()), ("Yes", "then go on"));
    }
}
