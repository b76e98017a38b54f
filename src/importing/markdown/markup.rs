//! HTML within Markdown: what is content becomes Markdown, the rest is dropped and told.

use ego_tree::NodeRef;
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use scraper::{Html, Node};

use super::blocks::{Taken, text_blocks};
use super::cells::{self, Cell, joiner};
use super::finish::{Edits, OPTIONS, anchors_to_headings};
use super::inline::{continuation, link};
use super::page::{Page, attribute, attributes, code_block, code_span, escaped, prefixed};

/// How deep elements may stand in each other.
const MAX_DEPTH: usize = 200;

/// The longest piece of HTML that is taken apart.
const MAX_BYTES: usize = 1 << 20;

/// HTML elements; other names between angle brackets are text: `<your-token>`.
const KNOWN: &[&str] = &[
    "a",
    "abbr",
    "address",
    "area",
    "article",
    "aside",
    "audio",
    "b",
    "base",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "body",
    "br",
    "button",
    "canvas",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "datalist",
    "dd",
    "del",
    "details",
    "dfn",
    "dialog",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "ins",
    "kbd",
    "label",
    "legend",
    "li",
    "link",
    "main",
    "map",
    "mark",
    "meta",
    "nav",
    "nobr",
    "noscript",
    "object",
    "ol",
    "optgroup",
    "option",
    "output",
    "p",
    "param",
    "picture",
    "pre",
    "progress",
    "q",
    "s",
    "samp",
    "script",
    "section",
    "select",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
];

/// A block of HTML that goes on behind empty lines, from its first line.
pub(super) fn whole(lines: &[&str], at: usize, page: &mut Page<'_>, _depth: usize) -> Taken {
    const WHOLE: &[&str] = &[
        "table", "ul", "ol", "dl", "pre", "script", "style", "figure", "svg", "video", "iframe", "form",
        "picture",
    ];
    let line = lines[at];
    let trimmed = line.trim_start();
    let name = name_of(trimmed);
    if !WHOLE.contains(&name.as_str()) || trimmed.starts_with("</") {
        return None;
    }
    let (open, close) = (format!("<{name}"), format!("</{name}"));
    let mut depth = 0isize;
    let mut end = None;
    for (offset, line) in lines[at..].iter().enumerate() {
        if !page.may_scan(1) {
            return None;
        }
        let lowered = line.to_ascii_lowercase();
        depth += lowered.matches(&open).count() as isize - lowered.matches(&close).count() as isize;
        if depth <= 0 {
            end = Some(offset);
            break;
        }
    }
    let count = end? + 1;
    let html = lines[at..at + count].join("\n");
    let closed = html.to_ascii_lowercase().rfind(&close)?;
    let rest = html[closed..].split_once('>').map_or("", |(_, rest)| rest).trim().to_owned();
    if matches!(name.as_str(), "script" | "style") {
        page.lose("script", format!("<{name}>"));
        return Some((count, format!("\n{rest}\n")));
    }
    let html = &html[..html.len() - rest.len().min(html.len() - closed)];
    let indent = &line[..line.len() - trimmed.len()];
    let text = convert(html, page);
    let rest = if rest.is_empty() { String::new() } else { format!("\n\n{}", prefixed(&rest, indent)) };
    Some((count, format!("\n{}{rest}\n\n", prefixed(text.trim_matches('\n'), indent))))
}

fn name_of(tag: &str) -> String {
    let rest = tag.trim_start_matches('<').trim_start_matches('/');
    rest.chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        .collect::<String>()
        .to_ascii_lowercase()
}

/// Markdown of a piece of HTML: blocks with empty lines between.
pub(super) fn convert(html: &str, page: &mut Page<'_>) -> String {
    if html.len() > MAX_BYTES {
        page.lose("html", "a piece of HTML too large to be taken apart");
        return code_block("html", html);
    }
    // `</br>` and `<td>` without a table mean what their authors meant.
    let html = html.replace("</br>", "<br>");
    let lowered = html.trim_start().to_ascii_lowercase();
    let html = if lowered.starts_with("<tr") || lowered.starts_with("<td") || lowered.starts_with("<th") {
        format!("<table>{html}</table>")
    } else {
        html
    };
    let tree = Html::parse_fragment(&html);
    let mut walk = Walk { page, blocks: Vec::new(), line: String::new() };
    for child in tree.tree.root().children() {
        walk.block(child, 0);
    }
    walk.flush();
    walk.blocks.join("\n\n")
}

struct Walk<'w, 's> {
    page: &'w mut Page<'s>,
    blocks: Vec<String>,
    line: String,
}

impl Walk<'_, '_> {
    fn flush(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim().trim_end_matches('\\').trim();
        if !line.is_empty() {
            self.blocks.push(line.to_owned());
        }
    }

    /// The blocks of an element on their own.
    fn inner(&mut self, node: NodeRef<'_, Node>, depth: usize) -> Vec<String> {
        self.flush();
        let outer = std::mem::take(&mut self.blocks);
        for child in node.children() {
            self.block(child, depth + 1);
        }
        self.flush();
        std::mem::replace(&mut self.blocks, outer)
    }

    fn block(&mut self, node: NodeRef<'_, Node>, depth: usize) {
        if depth > MAX_DEPTH {
            self.page.lose_once("limits", "HTML stands too deep in itself: the innermost is left out");
            return;
        }
        let Node::Element(element) = node.value() else {
            if matches!(node.value(), Node::Text(_)) {
                self.inline(node, depth);
            }
            return;
        };
        match element.name() {
            "html" | "body" | "div" | "section" | "article" | "main" | "center" | "header" | "footer"
            | "figure" | "p" | "details" | "nav" | "aside" | "form" | "fieldset" | "template" | "address"
            | "tbody" | "dl" | "video" | "audio" | "object" | "head" => {
                let source = element.attr("src").or_else(|| element.attr("data")).map(str::to_owned);
                let blocks = self.inner(node, depth);
                self.blocks.extend(blocks);
                if let Some(source) = source {
                    self.embedded(&source, element.attr("title"));
                }
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = element.name()[1..].parse().unwrap_or(2);
                let text = self.inner(node, depth).join(" ").replace('\n', " ");
                let id = element
                    .attr("id")
                    .map(|id| format!(" {{#{}}}", id.replace(['}', ' '], "")))
                    .unwrap_or_default();
                if !text.trim().is_empty() {
                    self.blocks.push(format!("{} {}{id}", "#".repeat(level), text.trim()));
                }
            }
            "ul" | "ol" | "menu" => self.list(node, element.name() == "ol", depth),
            "li" | "dd" => {
                let text = self.inner(node, depth).join("\n\n");
                self.blocks.push(format!("- {}", prefixed(&text, "  ").trim_start()));
            }
            "dt" | "summary" | "figcaption" | "caption" | "legend" => {
                let text = self.inner(node, depth).join(" ");
                let marked = if matches!(element.name(), "figcaption" | "caption") {
                    emphasised(&text, "*")
                } else {
                    super::page::bold(&text)
                };
                if !text.trim().is_empty() {
                    self.blocks.push(marked);
                }
            }
            "blockquote" => {
                let text = self.inner(node, depth).join("\n\n");
                self.blocks.push(prefixed(&text, "> "));
            }
            "pre" => {
                self.flush();
                let language = node
                    .descendants()
                    .filter_map(|node| node.value().as_element())
                    .find_map(|element| {
                        element.attr("class").and_then(|class| class.split("language-").nth(1))
                    })
                    .and_then(|class| class.split_whitespace().next())
                    .unwrap_or_default()
                    .to_owned();
                self.blocks.push(code_block(&language, &text_of(node)));
            }
            "table" => self.table(node, depth),
            "hr" => {
                self.flush();
                self.blocks.push("---".to_owned());
            }
            "script" | "style" | "svg" | "noscript" | "canvas" | "select" => {
                self.page.lose("script", format!("<{}>", element.name()));
            }
            "iframe" | "embed" => {
                self.flush();
                self.embedded(element.attr("src").unwrap_or_default(), element.attr("title"));
            }
            _ => self.inline(node, depth),
        }
    }

    fn embedded(&mut self, source: &str, title: Option<&str>) {
        if source.is_empty() || is_script(source) {
            return;
        }
        self.page.lose("embedded-object", format!("{source}: carried as a link"));
        self.blocks.push(link(&escaped(title.filter(|title| !title.is_empty()).unwrap_or(source)), source));
    }

    fn list(&mut self, node: NodeRef<'_, Node>, ordered: bool, depth: usize) {
        self.flush();
        let element = node.value().as_element();
        let mut number: u64 = element
            .and_then(|element| element.attr("start"))
            .and_then(|start| start.parse().ok())
            .unwrap_or(1);
        let mut items = Vec::new();
        for child in node.children() {
            let is_item = child.value().as_element().is_some_and(|element| element.name() == "li");
            let text = if is_item { self.inner(child, depth + 1) } else { self.alone(child, depth + 1) };
            let text = text.join("\n\n");
            if text.trim().is_empty() && !is_item {
                continue;
            }
            if !is_item && text.trim_start().starts_with(['-', '1']) && !items.is_empty() {
                // A list that stands between items belongs to the one before.
                items.push(prefixed(&text, "   "));
                continue;
            }
            let mark = if ordered { format!("{number}. ") } else { "- ".to_owned() };
            number += 1;
            let below = " ".repeat(mark.len());
            let text = prefixed(&text, &below);
            items.push(format!("{mark}{}", text.trim_start()));
        }
        let is_loose = items.iter().any(|item| item.contains("\n\n"));
        self.blocks.push(items.join(if is_loose { "\n\n" } else { "\n" }));
    }

    fn alone(&mut self, node: NodeRef<'_, Node>, depth: usize) -> Vec<String> {
        self.flush();
        let outer = std::mem::take(&mut self.blocks);
        self.block(node, depth);
        self.flush();
        std::mem::replace(&mut self.blocks, outer)
    }

    fn table(&mut self, node: NodeRef<'_, Node>, depth: usize) {
        self.flush();
        let mut rows = Vec::new();
        let mut joined = false;
        let mut pending: Vec<NodeRef<'_, Node>> = node.children().collect();
        pending.reverse();
        while let Some(node) = pending.pop() {
            let Some(element) = node.value().as_element() else { continue };
            match element.name() {
                "thead" | "tbody" | "tfoot" => {
                    let mut inner: Vec<_> = node.children().collect();
                    inner.reverse();
                    pending.extend(inner);
                }
                "caption" => {
                    let text = self.inner(node, depth + 1).join(" ");
                    self.blocks.push(emphasised(&text, "*"));
                }
                "tr" => {
                    let mut row = Vec::new();
                    for cell in node.children() {
                        let Some(element) =
                            cell.value().as_element().filter(|cell| matches!(cell.name(), "td" | "th"))
                        else {
                            continue;
                        };
                        let span = |name: &str| {
                            element.attr(name).and_then(|span| span.trim().parse().ok()).unwrap_or(1)
                        };
                        let (columns, rows) = (span("colspan"), span("rowspan"));
                        let text = self.inner(cell, depth + 2).join("\n\n");
                        let (text, blocks) = cells::cell(&text);
                        joined |= blocks;
                        row.push(Cell { text, columns, rows });
                    }
                    rows.push(row);
                }
                _ => {}
            }
        }
        let (text, merged) = cells::table(&rows);
        if merged {
            self.page.lose("merged-cells", "merged cells are spread over those they span");
        }
        if joined {
            self.page.lose(
                "cell-blocks",
                "lists, code and other blocks within cells of a table stand in one line",
            );
        }
        if !text.is_empty() {
            self.blocks.push(text.trim_end().to_owned());
        }
    }

    fn children(&mut self, node: NodeRef<'_, Node>, depth: usize) -> String {
        let outer = std::mem::take(&mut self.line);
        for child in node.children() {
            self.inline(child, depth + 1);
        }
        std::mem::replace(&mut self.line, outer)
    }

    fn inline(&mut self, node: NodeRef<'_, Node>, depth: usize) {
        if depth > MAX_DEPTH {
            self.page.lose_once("limits", "HTML stands too deep in itself: the innermost is left out");
            return;
        }
        let element = match node.value() {
            Node::Text(text) => return self.text(text, is_markdown(node, text)),
            Node::Element(element) => element,
            _ => return,
        };
        match element.name() {
            "br" => self.line.push_str("\\\n"),
            "b" | "strong" | "mark" => self.marked(node, "**", depth),
            "i" | "em" | "cite" | "dfn" | "var" => self.marked(node, "*", depth),
            "s" | "del" | "strike" => self.marked(node, "~~", depth),
            "code" | "kbd" | "samp" | "tt" if has_link(node) => {
                let text = self.children(node, depth);
                self.line.push_str(&text);
            }
            "code" | "kbd" | "samp" | "tt" => {
                let code = code_span(&text_of(node));
                self.line.push_str(&code);
            }
            "a" => {
                let text = self.children(node, depth);
                let text = text.trim().replace("\\\n", " ");
                match element.attr("href").filter(|href| !href.is_empty()) {
                    Some(href) if is_script(href) => {
                        self.page.lose("script", format!("a link to {href}"));
                        self.line.push_str(&text);
                    }
                    Some(href) if !text.is_empty() => self.line.push_str(&link(&text, href)),
                    _ => self.line.push_str(&text),
                }
            }
            "img" => {
                let source = element.attr("src").or_else(|| element.attr("data-src")).unwrap_or_default();
                if !source.is_empty() {
                    let alt = escaped(&super::front::one_line(element.attr("alt").unwrap_or_default()));
                    self.line.push_str(&format!("![{alt}](<{}>)", source.replace(['<', '>', '\n'], "")));
                }
            }
            "sub" | "sup" => {
                let text = text_of(node);
                self.line.push_str(&raised(&text, element.name() == "sup"));
            }
            "abbr" => {
                let text = self.children(node, depth);
                self.line.push_str(&text);
                if let Some(title) = element.attr("title") {
                    self.line.push_str(&format!(" ({})", escaped(title)));
                }
            }
            "q" => {
                let text = self.children(node, depth);
                self.line.push_str(&format!("\"{text}\""));
            }
            "input" | "button" | "label" | "option" | "textarea" | "source" | "track" | "link" | "meta"
            | "wbr" | "picture" => {
                let text = self.children(node, depth);
                self.line.push_str(&text);
            }
            "p" | "div" | "ul" | "ol" | "table" | "pre" | "blockquote" | "h1" | "h2" | "h3" | "h4" | "h5"
            | "h6" | "script" | "style" | "iframe" | "svg" => {
                self.block(node, depth + 1);
            }
            _ => {
                let blocks = node.children().any(|child| {
                    child.value().as_element().is_some_and(|element| {
                        matches!(element.name(), "p" | "div" | "ul" | "ol" | "table" | "pre" | "h3")
                    })
                });
                if blocks {
                    let blocks = self.inner(node, depth);
                    self.blocks.extend(blocks);
                } else {
                    let text = self.children(node, depth);
                    self.line.push_str(&text);
                }
            }
        }
    }

    fn text(&mut self, text: &str, is_markdown: bool) {
        if is_markdown && !text.trim().contains('\n') {
            let begins = text.starts_with(char::is_whitespace) && !self.line.is_empty();
            let written = super::inline::inline(text.trim(), self.page, super::page::MAX_DEPTH / 2);
            let ends = if text.ends_with(char::is_whitespace) { " " } else { "" };
            self.line.push_str(&format!("{}{written}{ends}", if begins { " " } else { "" }));
            return;
        }
        // Between empty lines there is Markdown, as CommonMark has it.
        if is_markdown && text.trim().contains('\n')
            || text.trim().contains('\n') && text.starts_with("\n\n")
            || text.trim_matches(' ').starts_with("\n\n") && !text.trim().is_empty()
        {
            let markdown = text_blocks(
                &super::page::dedented(&text.split('\n').collect::<Vec<_>>()),
                self.page,
                super::page::MAX_DEPTH / 2,
            );
            self.flush();
            self.blocks.push(markdown.trim().to_owned());
            return;
        }
        let begins = text.starts_with(char::is_whitespace);
        let ends = text.ends_with(char::is_whitespace);
        let words = super::front::one_line(text);
        if words.is_empty() {
            if !self.line.is_empty() && !self.line.ends_with([' ', '\n']) {
                self.line.push(' ');
            }
            return;
        }
        if begins && !self.line.is_empty() && !self.line.ends_with([' ', '\n']) {
            self.line.push(' ');
        }
        let written = escaped(&words);
        // Within a line nothing begins a block.
        let written = if self.line.trim().is_empty() || self.line.ends_with('\n') {
            written
        } else {
            unmarked(&words, written)
        };
        self.line.push_str(&written);
        if ends {
            self.line.push(' ');
        }
    }

    fn marked(&mut self, node: NodeRef<'_, Node>, mark: &str, depth: usize) {
        let text = self.children(node, depth);
        let marked = emphasised(&text, mark);
        self.line.push_str(&marked);
    }
}

/// Whether a text within HTML is meant as Markdown: its element says so, or it has marks that nothing else has.
fn is_markdown(node: NodeRef<'_, Node>, text: &str) -> bool {
    let is_said = |node: NodeRef<'_, Node>| {
        let said = node.value().as_element().and_then(|element| element.attr("markdown"));
        said.is_some_and(|said| said != "0")
    };
    let is_shown = |node: NodeRef<'_, Node>| {
        node.value()
            .as_element()
            .is_some_and(|element| matches!(element.name(), "pre" | "code" | "samp" | "kbd"))
    };
    if node.ancestors().any(is_shown) {
        return false;
    }
    let has_fence = || text.lines().filter(|line| line.trim_start().starts_with("```")).count() >= 2;
    node.ancestors().any(is_said) || has_marked_link(text) || has_strong(text) || has_fence()
}

/// Whether a text has a link of Markdown, whose address looks like one.
fn has_marked_link(text: &str) -> bool {
    text.match_indices("](").any(|(at, _)| {
        let target = text[at + 2..].split([')', ' ', '\n']).next().unwrap_or_default();
        text[..at].contains('[') && text[at..].contains(')') && target.contains(['.', '/', '#', ':'])
    })
}

/// Whether a text has words in bold: stars that open before a word and close behind one.
fn has_strong(text: &str) -> bool {
    let stars: Vec<usize> = text.match_indices("**").map(|(at, _)| at).collect();
    let is_apart =
        |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || c.is_ascii_punctuation() && c != '*');
    let opens = |at: usize| {
        is_apart(text[..at].chars().next_back())
            && text[at + 2..].chars().next().is_some_and(|c| !c.is_whitespace())
    };
    let closes = |at: usize| {
        text[..at].chars().next_back().is_some_and(|c| !c.is_whitespace())
            && is_apart(text[at + 2..].chars().next())
    };
    stars.windows(2).any(|pair| pair[1] > pair[0] + 2 && opens(pair[0]) && closes(pair[1]))
}

/// Escapes that only the beginning of a line needs are taken off again.
fn unmarked(words: &str, written: String) -> String {
    if words.starts_with(['-', '+', '#', '>', '=']) {
        written.trim_start_matches('\\').to_owned()
    } else {
        written
    }
}

fn emphasised(text: &str, mark: &str) -> String {
    let inner = text.trim();
    if inner.is_empty() || inner.contains('\n') && mark != "**" {
        return text.to_owned();
    }
    let inner = inner.replace("\\\n", &format!("{mark}\\\n{mark}"));
    let before = if text.starts_with(char::is_whitespace) { " " } else { "" };
    let after = if text.ends_with(char::is_whitespace) { " " } else { "" };
    format!("{before}{mark}{inner}{mark}{after}")
}

fn text_of(node: NodeRef<'_, Node>) -> String {
    let mut text = String::new();
    for node in node.descendants() {
        match node.value() {
            Node::Text(part) => text.push_str(part),
            Node::Element(element) if element.name() == "br" => text.push('\n'),
            _ => {}
        }
    }
    text
}

fn has_link(node: NodeRef<'_, Node>) -> bool {
    node.descendants().any(|node| {
        node.value()
            .as_element()
            .is_some_and(|element| element.name() == "img" || element.attr("href").is_some())
    })
}

fn is_script(address: &str) -> bool {
    let scheme: String = address
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .take(12)
        .collect::<String>()
        .to_lowercase();
    ["javascript:", "vbscript:", "data:text"].iter().any(|bad| scheme.starts_with(bad))
}

/// Raised or lowered signs, as signs of their own where Unicode has them.
pub(super) fn raised(text: &str, up: bool) -> String {
    const DIGITS: &str = "0123456789+-()n";
    const UP: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ";
    const DOWN: &str = "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙ";
    let signs = if up { UP } else { DOWN };
    let one = |c: char| DIGITS.chars().position(|digit| digit == c).and_then(|at| signs.chars().nth(at));
    let text = text.trim();
    if let Some(raised) = text.chars().map(one).collect::<Option<String>>() {
        return raised;
    }
    let is_sign = text.chars().count() == 1 && !text.chars().all(char::is_alphanumeric);
    let text = escaped(text);
    match up {
        _ if text.is_empty() => String::new(),
        _ if is_sign => text,
        true => format!("^({text})"),
        false => format!("\\_({text})"),
    }
}

/// Markdown whose HTML has become Markdown too.
pub(super) fn without_html(text: &str, page: &mut Page<'_>) -> String {
    if !text.contains('<') {
        return text.to_owned();
    }
    let events: Vec<(Event<'_>, std::ops::Range<usize>)> =
        Parser::new_ext(text, OPTIONS).into_offset_iter().collect();
    let mut edits = Edits::default();
    let mut at = 0;
    let mut leaf = Leaf::default();
    while at < events.len() {
        let (event, range) = &events[at];
        match event {
            Event::Start(Tag::HtmlBlock) => {
                let end = events[at..]
                    .iter()
                    .position(|(event, _)| matches!(event, Event::End(TagEnd::HtmlBlock)))
                    .map_or(events.len(), |end| at + end);
                let html: String = events[at..end]
                    .iter()
                    .filter_map(
                        |(event, _)| if let Event::Html(html) = event { Some(html.as_ref()) } else { None },
                    )
                    .collect();
                html_block(text, range.clone(), &html, page, &mut edits);
                at = end;
            }
            Event::Start(Tag::TableCell) => leaf = Leaf { in_cell: true, ..Leaf::default() },
            Event::Start(Tag::Heading { .. }) => leaf = Leaf { in_heading: true, ..Leaf::default() },
            Event::Start(Tag::Paragraph | Tag::Item) => leaf = Leaf::default(),
            Event::InlineHtml(_) => {
                let end = events[at..]
                    .iter()
                    .position(|(event, _)| is_leaf_end(event))
                    .map_or(events.len(), |end| at + end);
                inline_tags(text, &events[at..end], &leaf, page, &mut edits);
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    let headings: Vec<(std::ops::Range<usize>, bool)> = events
        .iter()
        .filter_map(|(event, range)| match event {
            Event::Start(Tag::Heading { id, .. }) => Some((range.clone(), id.is_some())),
            _ => None,
        })
        .collect();
    anchors_to_headings(text, &headings, page, &mut edits);
    edits.apply(text)
}

/// Markdown of a cell whose HTML has become Markdown.
pub(super) fn in_line(text: &str, page: &mut Page<'_>) -> String {
    without_html(text, page)
}

#[derive(Clone, Copy, Default)]
struct Leaf {
    in_cell: bool,
    in_heading: bool,
}

fn is_leaf_end(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::End(
            TagEnd::Paragraph
                | TagEnd::Heading(_)
                | TagEnd::TableCell
                | TagEnd::Item
                | TagEnd::BlockQuote(_)
                | TagEnd::List(_)
        ) | Event::Start(
            Tag::Paragraph
                | Tag::Heading { .. }
                | Tag::TableCell
                | Tag::Item
                | Tag::List(_)
                | Tag::HtmlBlock
                | Tag::CodeBlock(_)
        )
    )
}

fn html_block(text: &str, range: std::ops::Range<usize>, html: &str, page: &mut Page<'_>, edits: &mut Edits) {
    let first = name_of(html.trim_start());
    let is_tag = html.trim_start().starts_with("<!")
        || html.trim_start().starts_with("<?")
        || KNOWN.contains(&first.as_str());
    let line_start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let prefix = continuation(&text[line_start..range.start]);
    if !is_tag {
        // A placeholder alone on its line.
        let escaped = format!("\\{}", text[range.clone()].trim_start());
        edits.replace(range, escaped);
        return;
    }
    // `<a name="x"></a>` before a heading.
    let markdown = convert(html, page);
    let name = html.contains("<a ").then(|| anchor_in(html)).flatten();
    if let Some(name) = name.filter(|_| markdown.trim().is_empty()) {
        edits.anchors.push((range.end, name));
    }
    let body = prefixed(markdown.trim_matches('\n'), &prefix);
    let body = body.get(prefix.len()..).unwrap_or_default().trim_end();
    let empty = prefix.trim_end();
    let tail = if body.is_empty() {
        format!("{}\n", if prefix.contains('>') { empty } else { "" })
    } else {
        format!("{body}\n{empty}\n")
    };
    edits.replace(range, tail);
}

fn anchor_in(html: &str) -> Option<String> {
    let start = html.find("<a ")?;
    let end = start + html[start..].find('>')?;
    let values = attributes(html[start + 3..end].trim_end_matches('/'));
    let name = attribute(&values, &["name", "id"])?;
    (attribute(&values, &["href"]).is_none() && !name.is_empty()).then(|| name.to_owned())
}

/// What a tag within a line becomes.
fn inline_tags(
    text: &str,
    events: &[(Event<'_>, std::ops::Range<usize>)],
    leaf: &Leaf,
    page: &mut Page<'_>,
    edits: &mut Edits,
) {
    let tags: Vec<(usize, String, bool)> = events
        .iter()
        .enumerate()
        .filter_map(|(at, (event, _))| match event {
            Event::InlineHtml(html) => Some((at, name_of(html), html.starts_with("</"))),
            _ => None,
        })
        .collect();
    // Which tag ends which.
    let mut open: Vec<usize> = Vec::new();
    let mut partner: Vec<Option<usize>> = vec![None; tags.len()];
    for (at, (_, name, closing)) in tags.iter().enumerate() {
        if !closing {
            open.push(at);
        } else if let Some(found) = open.iter().rev().take(50).position(|other| tags[*other].1 == *name) {
            let begin = open[open.len() - 1 - found];
            open.truncate(open.len() - 1 - found);
            partner[begin] = Some(at);
            partner[at] = Some(begin);
        }
    }
    let mut skip_to = 0;
    for (at, (event_at, name, closing)) in tags.iter().enumerate() {
        if *event_at < skip_to {
            continue;
        }
        let (Event::InlineHtml(html), range) = &events[*event_at] else { continue };
        let values = attributes(
            html.trim_start_matches('<').trim_start_matches(name.as_str()).trim_end_matches(['>', '/']),
        );
        let mate = partner[at].map(|mate| tags[mate].0);
        let content = mate.filter(|_| !closing).map(|mate| &events[*event_at + 1..mate]);
        match name.as_str() {
            "code" | "kbd" | "samp" | "tt" | "sub" | "sup" | "script" | "style" | "pre"
                if content.is_some() =>
            {
                let content = content.unwrap_or_default();
                let plain = plain_of(content);
                let has_link = content
                    .iter()
                    .any(|(event, _)| matches!(event, Event::Start(Tag::Link { .. } | Tag::Image { .. })));
                let has_link = has_link || content.iter().any(|(event, _)| matches!(event, Event::InlineHtml(html) if html.starts_with("<a ") || html.starts_with("<img")));
                if has_link {
                    edits.replace(range.clone(), String::new());
                    continue;
                }
                let end = events[mate.unwrap_or(*event_at)].1.end;
                let new = match name.as_str() {
                    "sub" | "sup" => raised(&plain, name == "sup"),
                    "script" | "style" => {
                        page.lose("script", format!("<{name}>"));
                        String::new()
                    }
                    _ if leaf.in_cell => code_span(&plain).replace("\\|", "|").replace('|', "\\|"),
                    _ => code_span(&plain),
                };
                edits.replace(range.start..end, new);
                skip_to = mate.unwrap_or(*event_at) + 1;
            }
            _ => one_tag(
                text,
                (html, range.clone()),
                name,
                *closing,
                mate.is_some(),
                &values,
                leaf,
                page,
                edits,
            ),
        }
    }
}

fn plain_of(events: &[(Event<'_>, std::ops::Range<usize>)]) -> String {
    let mut plain = String::new();
    for (event, _) in events {
        match event {
            Event::Text(text) | Event::Code(text) => plain.push_str(text),
            Event::SoftBreak | Event::HardBreak => plain.push(' '),
            Event::InlineHtml(html) if name_of(html) == "br" => plain.push(' '),
            _ => {}
        }
    }
    plain
}

/// A link that is opened: where it leads is written when it closes.
fn opened_link(values: &[(String, String)], range: std::ops::Range<usize>, paired: bool, edits: &mut Edits) {
    let href = attribute(values, &["href"]).filter(|href| !href.is_empty());
    let target = href.filter(|href| paired && !is_script(href)).map(str::to_owned);
    if let Some(name) = attribute(values, &["name", "id"]).filter(|_| href.is_none()) {
        edits.anchors.push((range.end, name.to_owned()));
    }
    edits.replace(range, if target.is_some() { "[".to_owned() } else { String::new() });
    if paired {
        edits.links.push(target);
    }
}

#[expect(clippy::too_many_arguments, reason = "one tag with all that stands around it")]
fn one_tag(
    text: &str,
    (html, range): (&str, std::ops::Range<usize>),
    name: &str,
    closing: bool,
    paired: bool,
    values: &[(String, String)],
    leaf: &Leaf,
    page: &mut Page<'_>,
    edits: &mut Edits,
) {
    let before = &text[..range.start];
    let after = &text[range.end..];
    let drop = |edits: &mut Edits| edits.replace(range.clone(), String::new());
    match name {
        _ if html.starts_with("<!") || html.starts_with("<?") => drop(edits),
        _ if !KNOWN.contains(&name) => edits.insert(range.start, "\\"),
        "br" | "hr" if leaf.in_cell => {
            let new = between_blocks(text, &range, " / ", edits);
            edits.replace(range.clone(), new);
        }
        "br" | "hr" => edits.replace(range.clone(), break_of(before, after, leaf)),
        "p" | "div" | "ul" | "ol" | "table" | "tr" | "td" | "th" | "blockquote" | "pre" | "li" | "dd"
        | "dt" | "details" | "summary" | "figure" | "center" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
            if matches!(name, "li" | "ul" | "ol" | "table") && !closing && leaf.in_cell {
                page.lose_once(
                    "cell-blocks",
                    "lists, code and other blocks within cells of a table stand in one line",
                );
            }
            let between = if matches!(name, "li" | "tr") { "; " } else { " / " };
            let new = between_blocks(text, &range, between, edits);
            edits.replace(range.clone(), new);
        }
        "b" | "strong" | "i" | "em" | "s" | "del" | "strike" | "mark" | "cite" | "var" | "dfn" if paired => {
            let mark = match name {
                "b" | "strong" | "mark" => "**",
                "s" | "del" | "strike" => "~~",
                _ => "*",
            };
            emphasis(text, range.clone(), closing, mark, edits);
        }
        "a" if closing => {
            // What it opened has written where it leads.
            let target = edits.links.pop().flatten().map(|target| target.replace(['<', '>', '\n'], ""));
            edits.replace(range.clone(), target.map_or_else(String::new, |target| format!("](<{target}>)")));
        }
        "a" => opened_link(values, range.clone(), paired, edits),
        "img" => {
            let source = attribute(values, &["src"]).unwrap_or_default();
            let alt = escaped(&super::front::one_line(attribute(values, &["alt"]).unwrap_or_default()));
            let picture = if source.is_empty() { String::new() } else { format!("![{alt}](<{source}>)") };
            edits.replace(range.clone(), picture);
        }
        "iframe" | "video" | "audio" | "embed" | "source" if !closing => {
            let source = attribute(values, &["src"]).unwrap_or_default();
            if source.is_empty() {
                return drop(edits);
            }
            page.lose("embedded-object", format!("{source}: carried as a link"));
            edits.replace(range.clone(), link(&escaped(source), source));
        }
        "abbr" if closing => {
            let title = edits.titles.pop().flatten();
            edits.replace(
                range.clone(),
                title.map(|title| format!(" ({})", escaped(&title))).unwrap_or_default(),
            );
        }
        "abbr" => {
            if paired {
                edits.titles.push(attribute(values, &["title"]).map(str::to_owned));
            }
            drop(edits);
        }
        "q" => edits.replace(range.clone(), "\"".to_owned()),
        "script" | "style" | "input" | "select" | "option" | "button" | "form" | "svg" | "object" => {
            page.lose_once("html", &format!("<{name}>"));
            drop(edits);
        }
        _ => drop(edits),
    }
}

/// What parts two blocks of one line, once for all the tags between them.
fn between_blocks(text: &str, range: &std::ops::Range<usize>, between: &str, edits: &mut Edits) -> String {
    let begin = text[..range.start].rfind(['|', '\n']).map_or(0, |at| at + 1).max(edits.parted);
    let end = text[range.end..].find(['|', '\n']).map_or(text.len(), |at| range.end + at);
    let before = visible(&text[begin..range.start]);
    if before.trim().is_empty() || visible(&text[range.end..end]).trim().is_empty() {
        return String::new();
    }
    edits.parted = range.end;
    joiner(&before, between).to_owned()
}

fn visible(written: &str) -> String {
    let mut shown = String::new();
    let mut in_tag = false;
    for c in written.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            c if !in_tag => shown.push(c),
            _ => {}
        }
    }
    shown
}

fn break_of(before: &str, after: &str, leaf: &Leaf) -> String {
    let after_line = after.split('\n').next().unwrap_or_default();
    if leaf.in_heading {
        return " ".to_owned();
    }
    // A paragraph that ends, or a line that does.
    if after_line.trim().is_empty() {
        let ends = after.trim_start_matches([' ', '\t']).strip_prefix('\n').is_none_or(|rest| {
            rest.split('\n').next().is_none_or(|line| line.trim_matches(['>', ' ', '\t']).is_empty())
        });
        return if ends { String::new() } else { "\\".to_owned() };
    }
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    if before[line_start..].trim_matches([' ', '>', '\t']).is_empty() {
        return String::new();
    }
    let next = after_line.trim_start();
    // What would begin a block on a line of its own stays on this one.
    let is_block = next.starts_with(['-', '+', '#', '>', '*', '=', '|', '<'])
        || super::blocks::marker_width(next).is_some();
    if is_block { " ".to_owned() } else { format!("\\\n{}", continuation(&before[line_start..])) }
}

/// Marks of emphasis, with the white space on the side CommonMark wants it.
fn emphasis(text: &str, range: std::ops::Range<usize>, closing: bool, mark: &str, edits: &mut Edits) {
    if closing {
        let before = &text[..range.start];
        let spaces = before.len() - before.trim_end_matches(' ').len();
        edits.replace(range.start - spaces..range.end, format!("{mark}{}", " ".repeat(spaces.min(1))));
    } else {
        let after = &text[range.end..];
        let spaces = after.len() - after.trim_start_matches(' ').len();
        let before = text[..range.start].chars().next_back().unwrap_or(' ');
        let space = if spaces > 0 && !before.is_whitespace() { " " } else { "" };
        edits.replace(range.start..range.end + spaces, format!("{space}{mark}"));
    }
}
