//! The blocks of a page, written as Markdown.

use std::collections::BTreeMap;

use super::callout;
use super::emoji;
use super::inline::{self, Inline, Mark, Place, line, longest_run};
use super::page::{Page, heading_level, is_block, is_chrome, joins, leads};
use super::tree::{Tree, one_line};
use super::{Links, Target};
use crate::importing::document::Loss;

/// How deep elements are followed; deeper, only their text is carried.
const MAX_DEPTH: usize = 200;

/// The most columns of a table.
const MAX_COLUMNS: usize = 100;

/// The most cells of a table.
const MAX_CELLS: usize = 200_000;

/// How many losses of one kind are told one by one.
const MAX_TOLD: usize = 20;

/// What was not carried, by kind and what, with how often.
#[derive(Debug, Default)]
pub(super) struct Losses(BTreeMap<(String, String), usize>);

impl Losses {
    /// Notes one.
    pub(super) fn tell(&mut self, kind: &str, what: impl AsRef<str>) {
        let what: String = one_line(what.as_ref()).chars().take(180).collect();
        *self.0.entry((kind.to_owned(), what)).or_default() += 1;
    }

    /// All of them: the same one once, and no more of a kind than anybody reads.
    pub(super) fn told(self) -> Vec<Loss> {
        let mut told: Vec<Loss> = Vec::new();
        let mut left: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for ((kind, what), times) in self.0 {
            let (shown, more) = left.entry(kind.clone()).or_default();
            if *shown == MAX_TOLD {
                *more += times;
                continue;
            }
            *shown += 1;
            let what = if times > 1 { format!("{what} (×{times})") } else { what };
            told.push(Loss { kind, what });
        }
        let more = left.into_iter().filter(|(_, (_, more))| *more > 0);
        told.extend(more.map(|(kind, (_, more))| Loss { kind, what: format!("and {more} more") }));
        told
    }
}

/// A block in Markdown.
#[derive(Debug)]
pub(super) struct Block {
    text: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Paragraph,
    /// By its marker, and whether it may follow a paragraph without a blank line.
    List(char, bool),
    Other,
}

/// Writes what a page holds.
pub(super) struct Writer<'a> {
    pub(super) tree: &'a Tree,
    pub(super) page: &'a Page,
    pub(super) links: &'a dyn Links,
    pub(super) losses: Losses,
    marks: Vec<Mark>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(tree: &'a Tree, page: &'a Page, links: &'a dyn Links) -> Self {
        Self { tree, page, links, losses: Losses::default(), marks: Vec::new() }
    }

    /// All of it.
    pub(super) fn markdown(&mut self) -> String {
        let blocks = self.blocks(self.page.content, 0);
        let mut text = joined(&blocks, "\n\n");
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }

    fn blocks(&mut self, place: usize, depth: usize) -> Vec<Block> {
        let mut out = Vec::new();
        let mut run = Vec::new();
        self.blocks_into(self.tree.children(place), depth, &mut out, &mut run);
        self.flush(&mut run, &mut out);
        out
    }

    fn blocks_into(&mut self, places: &[usize], depth: usize, out: &mut Vec<Block>, run: &mut Vec<Inline>) {
        let mut taken = 0;
        for (index, &place) in places.iter().enumerate() {
            if index < taken || is_chrome(self.tree, place) {
                continue;
            }
            if self.tree.classes(place).any(|class| class.starts_with("MsoList")) {
                self.flush(run, out);
                taken = index + self.word_list(&places[index..], depth, out);
                if index < taken {
                    continue;
                }
            }
            if is_block(self.tree.name(place)) || self.page.holds_block[place] {
                self.flush(run, out);
                if depth > MAX_DEPTH {
                    self.losses.tell("too-deep", self.tree.line(place));
                    run.push(Inline::Text(self.tree.text(place)));
                    self.flush(run, out);
                } else {
                    self.block(place, depth + 1, out);
                }
            } else {
                self.inline(place, depth, false, run);
            }
        }
    }

    fn flush(&mut self, run: &mut Vec<Inline>, out: &mut Vec<Block>) {
        let mut parts = std::mem::take(run);
        if inline::is_empty(&parts) {
            return;
        }
        for mark in self.marks.iter().rev() {
            parts = vec![Inline::Span(mark.clone(), parts)];
        }
        let text = self.line(parts, Place::Paragraph);
        if !text.is_empty() {
            out.push(Block { text, kind: Kind::Paragraph });
        }
    }

    fn line(&mut self, parts: Vec<Inline>, place: Place) -> String {
        let written = line(parts, place);
        if written.lost_emphasis {
            self.losses.tell("emphasis", &written.markdown);
        }
        if written.lost_code {
            self.losses.tell("template-in-code", &written.markdown);
        }
        if written.misread {
            self.losses.tell("misread", &written.markdown);
        }
        written.markdown
    }

    fn block(&mut self, place: usize, depth: usize, out: &mut Vec<Block>) {
        let tree = self.tree;
        let name = tree.name(place);
        if let Some(kind) = callout::kind(tree, place)
            && self.page.holds_content[place]
        {
            return self.callout(kind, place, depth, out);
        }
        if heading_level(tree, place).is_some() {
            return self.heading(place, depth, out);
        }
        match name {
            "ul" | "ol" | "menu" | "dir" => self.list(place, depth, out),
            "dl" => self.definitions(place, depth, out),
            "table" => self.table(place, depth, out),
            "pre" | "listing" | "xmp" => self.code(place, out),
            "blockquote" => {
                let blocks = self.blocks(place, depth);
                if !blocks.is_empty() {
                    out.push(Block { text: quoted(&joined(&blocks, "\n\n")), kind: Kind::Other });
                }
            }
            "hr" => out.push(Block { text: "---".to_owned(), kind: Kind::Other }),
            "details" => self.details(place, depth, out),
            "li" => self.items(&[place], false, 1, depth, out),
            "figcaption" | "caption" => self.marked(Mark::Emphasis, place, depth, out),
            "legend" | "summary" => self.marked(Mark::Strong, place, depth, out),
            "a" => match tree
                .attribute(place, "href")
                .filter(|href| leads(href))
                .and_then(|href| self.target(href))
            {
                Some(url) => self.marked(Mark::Link(url), place, depth, out),
                None => out.extend(self.blocks(place, depth)),
            },
            _ if Some(place) == self.page.title => self.title(place),
            _ => match style_of(tree, place) {
                Some(mark) => self.marked(mark, place, depth, out),
                None => out.extend(self.blocks(place, depth)),
            },
        }
    }

    fn title(&mut self, place: usize) {
        if self.tree.find(place, |tree, place| tree.name(place) == "img").is_some() {
            self.losses.tell("title-image", self.tree.line(place));
        }
    }

    /// Blocks within a mark: each of their lines has it.
    fn marked(&mut self, mark: Mark, place: usize, depth: usize, out: &mut Vec<Block>) {
        let marks = self.marks.len();
        if !self.marks.contains(&mark) {
            self.marks.push(mark);
        }
        out.extend(self.blocks(place, depth));
        self.marks.truncate(marks);
    }

    fn heading(&mut self, place: usize, depth: usize, out: &mut Vec<Block>) {
        if Some(place) == self.page.title {
            return self.title(place);
        }
        let mut parts = Vec::new();
        self.inline_children(place, depth, false, &mut parts);
        let text = self.line(parts, Place::Heading);
        if text.is_empty() {
            return;
        }
        let level = heading_level(self.tree, place).unwrap_or(2);
        let level = (level + 2).saturating_sub(self.page.highest).clamp(2, 6);
        let anchor = self.page.headings.get(&place).map(|id| format!(" {{#{id}}}")).unwrap_or_default();
        out.push(Block { text: format!("{} {text}{anchor}", "#".repeat(level)), kind: Kind::Other });
    }

    fn callout(&mut self, kind: &str, place: usize, depth: usize, out: &mut Vec<Block>) {
        let tree = self.tree;
        let title = tree
            .within_but(place, &is_chrome)
            .skip(1)
            .take(12)
            .find(|&within| {
                callout::is_title(tree, within)
                    || ((heading_level(tree, within).is_some() || tree.name(within) == "th")
                        && callout::is_usual(&tree.line(within)))
            })
            .filter(|&within| self.page.holds_content[within]);
        let mut blocks = Vec::new();
        let mut run = Vec::new();
        if let Some(title) = title {
            let mut parts = Vec::new();
            self.inline_children(title, depth, false, &mut parts);
            if !callout::is_usual(&inline::plain(&parts)) {
                let text = self.line(vec![Inline::Span(Mark::Strong, parts)], Place::Paragraph);
                blocks.push(Block { text, kind: Kind::Paragraph });
            }
        }
        self.callout_body(place, title, depth, &mut blocks, &mut run);
        self.flush(&mut run, &mut blocks);
        if blocks.is_empty() {
            return;
        }
        let text = quoted(&format!("[!{kind}]\n{}", joined(&blocks, "\n\n")));
        out.push(Block { text, kind: Kind::Other });
    }

    /// What a callout holds besides its title, which may stand some elements deep or in a cell of a table made for its icon.
    fn callout_body(
        &mut self,
        place: usize,
        title: Option<usize>,
        depth: usize,
        out: &mut Vec<Block>,
        run: &mut Vec<Inline>,
    ) {
        let tree = self.tree;
        for &child in tree.children(place) {
            if Some(child) == title {
                continue;
            }
            if tree.name(child) == "img" && tree.name(place) != "p" && callout::is_icon(tree, child) {
                self.losses.tell("callout-icon", tree.attribute(child, "src").unwrap_or_default());
                continue;
            }
            let holds_title =
                title.is_some_and(|title| tree.around(title, |_, around| around == child).is_some());
            let is_frame = matches!(tree.name(child), "table" | "tbody" | "tr" | "td" | "th")
                && (tree.name(place) != "div" || is_icon_table(tree, child));
            if (holds_title || is_frame) && depth < MAX_DEPTH {
                if tree.name(child) == "table" {
                    self.losses.tell("layout-table", "a table that only held a callout");
                }
                self.flush(run, out);
                self.callout_body(child, title, depth + 1, out, run);
                self.flush(run, out);
            } else {
                self.blocks_into(&[child], depth, out, run);
            }
        }
    }

    fn details(&mut self, place: usize, depth: usize, out: &mut Vec<Block>) {
        out.extend(self.blocks(place, depth));
    }

    fn list(&mut self, place: usize, depth: usize, out: &mut Vec<Block>) {
        let tree = self.tree;
        // An anchor that was never closed may stand around items.
        let is_wrapped = |child: usize| !is_block(tree.name(child)) && self.page.holds_block[child];
        let children: Vec<usize> = tree
            .children(place)
            .iter()
            .flat_map(|&child| if is_wrapped(child) { tree.children(child).to_vec() } else { vec![child] })
            .filter(|&child| !is_chrome(tree, child) && self.page.holds_content[child])
            .collect();
        let is_ordered = tree.name(place) == "ol";
        let start = tree.attribute(place, "start").and_then(|start| start.trim().parse().ok()).unwrap_or(1);
        self.items(&children, is_ordered, start, depth, out);
    }

    fn items(&mut self, places: &[usize], is_ordered: bool, start: u32, depth: usize, out: &mut Vec<Block>) {
        let tree = self.tree;
        let mut items: Vec<(u32, Vec<Block>)> = Vec::new();
        let mut number = start;
        for &place in places {
            let name = tree.name(place);
            if matches!(name, "ul" | "ol" | "menu" | "dir")
                && let Some((_, blocks)) = items.last_mut()
            {
                // A list directly in a list belongs to the item above it.
                let mut nested = std::mem::take(blocks);
                self.list(place, depth + 1, &mut nested);
                if let Some((_, blocks)) = items.last_mut() {
                    *blocks = nested;
                }
                continue;
            }
            let mut blocks = if name == "li" {
                self.blocks(place, depth)
            } else {
                let (mut blocks, mut run) = (Vec::new(), Vec::new());
                self.blocks_into(&[place], depth, &mut blocks, &mut run);
                self.flush(&mut run, &mut blocks);
                blocks
            };
            if let Some(done) = task(tree, place) {
                let mark = if done { "[x] " } else { "[ ] " };
                match blocks.first_mut().filter(|block| block.kind == Kind::Paragraph) {
                    Some(first) => first.text.insert_str(0, mark),
                    None => blocks.insert(0, Block { text: mark.to_owned(), kind: Kind::Paragraph }),
                }
            }
            if let Some(value) = tree.attribute(place, "value").and_then(|value| value.trim().parse().ok()) {
                number = value;
            }
            items.push((number, blocks));
            number = number.saturating_add(1);
        }
        items.retain(|(_, blocks)| !blocks.is_empty());
        if let Some(list) = list_of(&items, is_ordered, out.last()) {
            out.push(list);
        }
    }

    fn definitions(&mut self, place: usize, depth: usize, out: &mut Vec<Block>) {
        let tree = self.tree;
        let mut items: Vec<(u32, Vec<Block>)> = Vec::new();
        let mut open_term = false;
        // Terms and definitions may stand in groups.
        let places = tree.children(place).iter().flat_map(|&child| match tree.name(child) {
            "div" => tree.children(child).to_vec(),
            _ => vec![child],
        });
        for place in places.collect::<Vec<_>>() {
            if is_chrome(tree, place) || !self.page.holds_content[place] {
                continue;
            }
            if tree.name(place) == "dt" {
                let marks = self.marks.len();
                self.marks.push(Mark::Strong);
                let blocks = self.blocks(place, depth);
                self.marks.truncate(marks);
                match items.last_mut().filter(|_| open_term && joins(tree, self.page.previous[place], place))
                {
                    Some((_, before)) if before.len() == 1 && blocks.len() == 1 => {
                        before[0].text.push_str(", ");
                        before[0].text.push_str(&blocks[0].text);
                    }
                    Some((_, before)) => before.extend(blocks),
                    None => items.push((1, blocks)),
                }
                open_term = true;
            } else {
                let (mut blocks, mut run) = (Vec::new(), Vec::new());
                let places =
                    if tree.name(place) == "dd" { tree.children(place).to_vec() } else { vec![place] };
                self.blocks_into(&places, depth, &mut blocks, &mut run);
                self.flush(&mut run, &mut blocks);
                match items.last_mut() {
                    Some((_, before)) => before.extend(blocks),
                    None => items.push((1, blocks)),
                }
                open_term = false;
            }
        }
        items.retain(|(_, blocks)| !blocks.is_empty());
        if let Some(list) = list_of(&items, false, out.last()) {
            out.push(list);
        }
    }

    fn code(&mut self, place: usize, out: &mut Vec<Block>) {
        let tree = self.tree;
        let text = self.code_text(place);
        if text.trim().is_empty() {
            return;
        }
        let links = tree
            .within_but(place, &is_chrome)
            .filter(|&place| tree.attribute(place, "href").is_some())
            .count();
        if links > 0 {
            self.losses.tell("link-in-code", format!("{links} links in a block of code"));
        }
        let fence = "`".repeat((longest_run(&text, '`') + 1).max(3));
        let language = language(tree, place).unwrap_or_default();
        out.push(Block { text: format!("{fence}{language}\n{text}\n{fence}"), kind: Kind::Other });
    }

    fn code_text(&mut self, place: usize) -> String {
        let tree = self.tree;
        let root = place;
        // What holds the code may be called so, for numbers that are drawn beside it.
        let is_number = |tree: &Tree, place: usize| {
            if place == root || matches!(tree.name(place), "pre" | "code") {
                return false;
            }
            is_chrome(tree, place)
                || tree.classes(place).any(|class| {
                    matches!(
                        class,
                        "linenos"
                            | "lineno"
                            | "line-number"
                            | "line-numbers"
                            | "gutter"
                            | "hljs-ln-numbers"
                            | "blob-num"
                    )
                })
        };
        let mut text = String::new();
        for place in tree.within_but(place, &is_number) {
            match tree.name(place) {
                "" => text.push_str(&tree.nodes[place].text),
                "br" => text.push('\n'),
                "img" => {
                    let alt = tree.attribute(place, "alt").unwrap_or_default();
                    self.losses.tell("image-in-code", alt);
                    text.push_str(alt);
                }
                "div" | "p" if !text.is_empty() && !text.ends_with('\n') => text.push('\n'),
                _ => {}
            }
        }
        let text = text.replace('\u{a0}', " ");
        text.trim_start_matches(['\n', '\r']).trim_end().to_owned()
    }

    /// Lists that Word wrote as paragraphs, as many of them as follow each other; how many elements they were.
    fn word_list(&mut self, places: &[usize], depth: usize, out: &mut Vec<Block>) -> usize {
        let tree = self.tree;
        let mut items = Vec::new();
        let mut taken = 0;
        for (index, &place) in places.iter().enumerate() {
            if tree.name(place).is_empty() && tree.nodes[place].text.trim().is_empty() {
                continue;
            }
            let is_item =
                tree.name(place) == "p" && tree.classes(place).any(|class| class.starts_with("MsoList"));
            if !is_item || self.page.holds_block[place] {
                break;
            }
            let mut parts = Vec::new();
            self.inline_children(place, depth, false, &mut parts);
            let plain = inline::plain(&parts);
            let marker: String = plain.chars().take_while(|c| !c.is_whitespace()).collect();
            let Some(number) = word_marker(&marker) else { break };
            drop_start(&mut parts, marker.chars().count());
            let level = margin(tree.attribute(place, "style").unwrap_or_default()) / 36;
            items.push((level, number, self.line(parts, Place::Paragraph)));
            taken = index + 1;
        }
        out.extend(nested(&items, out.last()));
        taken
    }

    /// Where a link leads, or nothing if it must not be carried.
    fn target(&mut self, href: &str) -> Option<String> {
        let href = href.trim();
        if is_unsafe(href) {
            self.losses.tell("unsafe-link", href);
            return None;
        }
        let Target { url, missing } = if href.starts_with('#') {
            Target { url: href.to_owned(), missing: false }
        } else {
            self.links.link(href)
        };
        if missing {
            self.losses.tell("missing-target", href);
        }
        let Some(anchor) = url.strip_prefix('#') else { return (!url.is_empty()).then_some(url) };
        let decoded = percent_encoding::percent_decode_str(anchor).decode_utf8_lossy().into_owned();
        match self.page.anchors.get(&decoded).or_else(|| self.page.anchors.get(anchor)) {
            Some(Some(heading)) => {
                if *heading != decoded {
                    self.losses.tell("anchor", "links to places within a section lead to its heading");
                }
                Some(format!("#{heading}"))
            }
            _ => {
                self.losses.tell("anchor", format!("link to a place that is no heading: #{decoded}"));
                None
            }
        }
    }

    fn inline_children(&mut self, place: usize, depth: usize, in_code: bool, out: &mut Vec<Inline>) {
        for &child in self.tree.children(place) {
            if !is_chrome(self.tree, child) {
                self.inline(child, depth, in_code, out);
            }
        }
    }

    fn span(&mut self, mark: Mark, place: usize, depth: usize, in_code: bool, out: &mut Vec<Inline>) {
        let mut parts = Vec::new();
        self.inline_children(place, depth, in_code, &mut parts);
        out.push(Inline::Span(mark, parts));
    }

    fn inline(&mut self, place: usize, depth: usize, in_code: bool, out: &mut Vec<Inline>) {
        let tree = self.tree;
        if depth > MAX_DEPTH {
            self.losses.tell("too-deep", tree.line(place));
            out.push(Inline::Text(tree.text(place)));
            return;
        }
        let depth = depth + 1;
        match tree.name(place) {
            "" if in_code => out.push(Inline::Code(tree.nodes[place].text.clone())),
            "" => out.push(Inline::Text(tree.nodes[place].text.clone())),
            "br" => out.push(Inline::Break),
            "img" => self.image(place, out),
            "a" => self.link(place, depth, in_code, out),
            "b" | "strong" if !in_code => self.span(Mark::Strong, place, depth, in_code, out),
            "i" | "em" | "cite" | "var" | "dfn" if !in_code => {
                self.span(Mark::Emphasis, place, depth, in_code, out)
            }
            "del" | "s" | "strike" if !in_code => self.span(Mark::Struck, place, depth, in_code, out),
            "code" | "kbd" | "samp" | "tt" => self.inline_children(place, depth, true, out),
            "q" => {
                out.push(Inline::Text("«".to_owned()));
                self.inline_children(place, depth, in_code, out);
                out.push(Inline::Text("»".to_owned()));
            }
            "sup" | "sub" if !in_code => self.raised(place, depth, out),
            "rt" => {
                out.push(Inline::Text(" (".to_owned()));
                self.inline_children(place, depth, in_code, out);
                out.push(Inline::Text(")".to_owned()));
            }
            "rp" => {}
            "abbr" | "acronym" => {
                self.inline_children(place, depth, in_code, out);
                if let Some(title) = tree
                    .attribute(place, "title")
                    .map(one_line)
                    .filter(|title| *title != tree.line(place) && !title.is_empty())
                {
                    out.push(Inline::Text(format!(" ({title})")));
                }
            }
            _ => self.special(place, depth, in_code, out),
        }
    }

    fn special(&mut self, place: usize, depth: usize, in_code: bool, out: &mut Vec<Inline>) {
        let tree = self.tree;
        let name = tree.name(place);
        match name {
            "iframe" | "embed" | "object" | "video" | "audio" => self.embedded(place, out),
            "svg" | "canvas" => self.losses.tell("drawing", tree.line(place)),
            "math" => self.formula(place, out),
            "input" | "select" | "textarea" | "button" => {
                let is_task = tree.attribute(place, "type") == Some("checkbox");
                let what = tree.attribute(place, "value").map_or_else(|| tree.line(place), str::to_owned);
                if !is_task && tree.attribute(place, "type") != Some("hidden") {
                    self.losses.tell("form", format!("{name} {what}"));
                }
            }
            "map" | "area" => {
                self.losses.tell("image-map", tree.attribute(place, "href").unwrap_or_default())
            }
            _ => {
                let apart = is_block(name);
                if apart && !out.is_empty() {
                    out.push(Inline::Text(" ".to_owned()));
                }
                match style_of(tree, place).filter(|_| !in_code) {
                    Some(mark) => self.span(mark, place, depth, in_code, out),
                    None => self.inline_children(place, depth, in_code, out),
                }
                if apart {
                    out.push(Inline::Text(" ".to_owned()));
                }
            }
        }
    }

    fn link(&mut self, place: usize, depth: usize, in_code: bool, out: &mut Vec<Inline>) {
        let Some(href) = self.tree.attribute(place, "href").filter(|href| leads(href)) else {
            return self.inline_children(place, depth, in_code, out);
        };
        let mut parts = Vec::new();
        self.inline_children(place, depth, in_code, &mut parts);
        if inline::is_empty(&parts) {
            let label = self.tree.attribute(place, "aria-label").or(self.tree.attribute(place, "title"));
            match label {
                Some(label) => parts.push(Inline::Text(label.to_owned())),
                None => return out.extend(parts),
            }
        }
        match self.target(href) {
            Some(url) => out.push(Inline::Span(Mark::Link(url), parts)),
            None => out.extend(parts),
        }
    }

    fn image(&mut self, place: usize, out: &mut Vec<Inline>) {
        let tree = self.tree;
        let attribute = |name: &str| tree.attribute(place, name).unwrap_or_default();
        let alt = [attribute("alt"), attribute("aria-label")].map(one_line);
        let alt = alt.into_iter().find(|alt| !alt.is_empty()).unwrap_or_default();
        let source = ["src", "data-src", "data-original", "data-lazy-src"]
            .into_iter()
            .filter_map(|name| tree.attribute(place, name))
            .find(|source| !source.trim().is_empty() && !source.trim().starts_with("data:"));
        if is_emoji(tree, place) {
            let known = ["data-emoji-fallback", "data-emoji-id", "data-emoticon-name"].map(attribute);
            let text = emoji::character(known[0], known[1], known[2]).unwrap_or_else(|| {
                self.losses.tell("emoticon", &alt);
                alt.clone()
            });
            return out.push(Inline::Text(text));
        }
        let Some(source) = source else {
            let is_embedded =
                tree.attribute(place, "src").is_some_and(|source| source.trim().starts_with("data:"));
            let kind = if is_embedded { "embedded-image" } else { "image-without-source" };
            self.losses.tell(kind, if alt.is_empty() { "picture" } else { &alt });
            return out.push(Inline::Text(alt));
        };
        let is_spacer =
            ["width", "height"].iter().all(|side| matches!(tree.attribute(place, side), Some("0" | "1")));
        if is_spacer || is_unsafe(source) {
            return self.losses.tell(if is_spacer { "spacer" } else { "unsafe-link" }, source);
        }
        let Target { url, missing } = self.links.image(source.trim());
        if missing {
            self.losses.tell("missing-image", source);
        }
        out.push(Inline::Image { alt, url });
    }

    fn embedded(&mut self, place: usize, out: &mut Vec<Inline>) {
        let tree = self.tree;
        let source = ["src", "data"].into_iter().find_map(|name| tree.attribute(place, name)).or_else(|| {
            let inner = tree.find(place, |tree, place| {
                matches!(tree.name(place), "source" | "embed") && tree.attribute(place, "src").is_some()
            });
            inner.and_then(|inner| tree.attribute(inner, "src"))
        });
        let name = tree.name(place);
        let Some(source) = source.filter(|source| !is_unsafe(source) && !source.trim().is_empty()) else {
            return self.losses.tell("embedded-object", name);
        };
        self.losses.tell("embedded-object", format!("{name} {source}: a link is carried"));
        let Target { url, .. } = self.links.link(source.trim());
        let label = tree.attribute(place, "title").map(one_line).filter(|title| !title.is_empty());
        let label = label.unwrap_or_else(|| source.trim().to_owned());
        out.push(Inline::Span(Mark::Link(url), vec![Inline::Text(label)]));
    }

    fn formula(&mut self, place: usize, out: &mut Vec<Inline>) {
        let tree = self.tree;
        let annotation = tree.find(place, |tree, place| {
            tree.name(place) == "annotation"
                && tree.attribute(place, "encoding").is_some_and(|kind| kind.contains("tex"))
        });
        let text = match (tree.attribute(place, "alttext"), annotation) {
            (Some(text), _) => one_line(text),
            (None, Some(annotation)) => tree.line(annotation),
            (None, None) => tree.line(place),
        };
        self.losses.tell("formula", &text);
        out.push(Inline::Code(text));
    }

    /// Characters above or below the line, where Unicode has them; else in brackets.
    fn raised(&mut self, place: usize, depth: usize, out: &mut Vec<Inline>) {
        let tree = self.tree;
        let text = tree.line(place);
        let is_sup = tree.name(place) == "sup";
        let has_link = tree.find(place, |tree, place| tree.attribute(place, "href").is_some()).is_some();
        let raised: Option<String> = text.chars().map(|c| raised_character(c, is_sup)).collect();
        match raised.filter(|_| !has_link) {
            // Marks of footnotes are read as such on the line too.
            _ if text.starts_with('[') && text.ends_with(']') => {
                self.inline_children(place, depth, false, out)
            }
            Some(raised) => out.push(Inline::Text(raised)),
            None if has_link || matches!(text.as_str(), "®" | "™" | "©" | "*" | "**") => {
                self.inline_children(place, depth, false, out);
            }
            None => {
                self.losses.tell(if is_sup { "superscript" } else { "subscript" }, &text);
                out.push(Inline::Text(if is_sup { "^(".to_owned() } else { "_(".to_owned() }));
                self.inline_children(place, depth, false, out);
                out.push(Inline::Text(")".to_owned()));
            }
        }
    }
}

impl Writer<'_> {
    fn table(&mut self, place: usize, depth: usize, out: &mut Vec<Block>) {
        let tree = self.tree;
        if let Some(code) = code_of_table(tree, place) {
            return self.code(code, out);
        }
        let rows = rows_of(tree, place);
        let cells = cells_in(tree, &rows);
        let is_layout = is_layout_table(tree, place);
        if is_layout || cells > MAX_CELLS || area_of(tree, &rows) > MAX_CELLS * 4 {
            let kind = if is_layout { "layout-table" } else { "large-table" };
            if self.page.holds_content[place] {
                let begin = tree.line(place).chars().take(80).collect::<String>();
                self.losses.tell(kind, format!("cells are carried one below the other: {begin}"));
            }
            for row in rows {
                for cell in cells_of(tree, row) {
                    out.extend(self.blocks(cell, depth + 1));
                }
            }
            return;
        }
        for &child in tree.children(place) {
            if tree.name(child) == "caption" {
                self.block(child, depth + 1, out);
            }
        }
        let (grid, has_head) = self.grid(&rows, depth);
        if let Some(text) = written_table(&grid, has_head) {
            out.push(Block { text, kind: Kind::Other });
        }
    }

    /// The cells of a table, merged ones spread, and whether the first row is its head.
    fn grid(&mut self, rows: &[usize], depth: usize) -> (Vec<Vec<String>>, bool) {
        let tree = self.tree;
        let mut grid: Vec<Vec<String>> = Vec::new();
        // What still reaches down from above, by column: the text and how many rows.
        let mut hanging: Vec<Option<(String, usize)>> = Vec::new();
        let mut merged = 0;
        for &row in rows {
            let mut written: Vec<String> = Vec::new();
            let hang = |written: &mut Vec<String>, hanging: &mut Vec<Option<(String, usize)>>| {
                while let Some(Some((text, left))) = hanging.get_mut(written.len()) {
                    let (text, left_now) = (text.clone(), *left - 1);
                    let column = written.len();
                    written.push(text.clone());
                    hanging[column] = (left_now > 0).then_some((text, left_now));
                }
            };
            for cell in cells_of(tree, row) {
                hang(&mut written, &mut hanging);
                if written.len() >= MAX_COLUMNS {
                    self.losses.tell("wide-table", tree.line(cell));
                    continue;
                }
                let span = |name: &str| {
                    tree.attribute(cell, name)
                        .and_then(|span| span.trim().parse::<usize>().ok())
                        .unwrap_or(1)
                        .max(1)
                };
                let columns = span("colspan").min(MAX_COLUMNS - written.len());
                let below = span("rowspan").min(rows.len()) - 1;
                merged += usize::from(columns > 1 || below > 0);
                let text = self.cell(cell, depth + 1);
                for column in 0..columns {
                    let at = written.len();
                    let text = if column == 0 { text.clone() } else { String::new() };
                    if below > 0 {
                        if hanging.len() <= at {
                            hanging.resize(at + 1, None);
                        }
                        hanging[at] = Some((text.clone(), below));
                    }
                    written.push(text);
                }
            }
            hang(&mut written, &mut hanging);
            grid.push(written);
        }
        if merged > 0 {
            self.losses.tell("merged-cells", format!("{merged} cells were merged in a table"));
        }
        let has_head = rows.first().is_some_and(|&row| is_head(tree, row));
        (grid, has_head)
    }

    fn cell(&mut self, place: usize, depth: usize) -> String {
        let mut pieces: Vec<(bool, String)> = Vec::new();
        let mut run = Vec::new();
        self.cell_pieces(place, depth, &mut pieces, &mut run);
        self.cell_flush(&mut run, false, &mut pieces);
        let mut text = String::new();
        let mut last_is_item = false;
        for (is_item, piece) in pieces {
            if !text.is_empty() {
                let between = if is_item && last_is_item {
                    if text.ends_with([';', '.', ',']) { " " } else { "; " }
                } else if text.ends_with(':') {
                    " "
                } else {
                    " / "
                };
                text.push_str(between);
            }
            text.push_str(&piece);
            last_is_item = is_item;
        }
        text
    }

    fn cell_flush(&mut self, run: &mut Vec<Inline>, is_item: bool, pieces: &mut Vec<(bool, String)>) {
        let parts = std::mem::take(run);
        if !inline::is_empty(&parts) {
            pieces.push((is_item, self.line(parts, Place::Cell)));
        }
    }

    fn cell_pieces(
        &mut self,
        place: usize,
        depth: usize,
        pieces: &mut Vec<(bool, String)>,
        run: &mut Vec<Inline>,
    ) {
        let tree = self.tree;
        for &child in tree.children(place) {
            if is_chrome(tree, child) {
                continue;
            }
            let name = tree.name(child);
            if !is_block(name) && !self.page.holds_block[child] {
                self.inline(child, depth, false, run);
                continue;
            }
            let in_item = name == "li" || tree.name(place) == "li";
            self.cell_flush(run, tree.name(place) == "li", pieces);
            if depth > MAX_DEPTH {
                self.losses.tell("too-deep", tree.line(child));
                run.push(Inline::Text(tree.text(child)));
            } else if matches!(name, "pre" | "listing" | "xmp") {
                self.losses.tell("code-in-cell", tree.line(child));
                for line in self.code_text(child).lines() {
                    run.push(Inline::Code(line.trim().to_owned()));
                    self.cell_flush(run, false, pieces);
                }
            } else {
                match name {
                    "ul" | "ol" | "dl" => self.losses.tell("list-in-cell", tree.line(child)),
                    "table" => self.losses.tell("nested-table", tree.line(child)),
                    "hr" => self.losses.tell("rule-in-cell", "a line across a cell"),
                    _ if heading_level(tree, child).is_some() => {
                        self.losses.tell("heading-in-cell", tree.line(child))
                    }
                    _ => {}
                }
                if callout::kind(tree, child).is_some() {
                    self.losses.tell("callout-in-cell", tree.line(child));
                }
                self.cell_pieces(child, depth + 1, pieces, run);
            }
            self.cell_flush(run, in_item, pieces);
        }
    }
}

/// Whether a picture is a character.
pub(super) fn is_emoji(tree: &Tree, place: usize) -> bool {
    tree.classes(place).any(|class| class.starts_with("emoticon") || matches!(class, "emoji" | "smiley"))
}

/// The rows of a table, not those of tables within it.
fn rows_of(tree: &Tree, table: usize) -> Vec<usize> {
    let rows = |place: usize| tree.children(place).iter().copied().filter(|&child| tree.name(child) == "tr");
    let parts = tree.children(table).iter().copied();
    parts
        .flat_map(|child| match tree.name(child) {
            "tr" => vec![child],
            "thead" | "tbody" | "tfoot" => rows(child).collect(),
            _ => Vec::new(),
        })
        .filter(|&row| !cells_of(tree, row).is_empty())
        .collect()
}

/// Whether a table only arranges what is in it.
pub(super) fn is_layout_table(tree: &Tree, table: usize) -> bool {
    matches!(tree.attribute(table, "role"), Some("presentation" | "none"))
        || tree.classes(table).any(|class| class.contains("layout"))
        || cells_in(tree, &rows_of(tree, table)) <= 1
}

fn cells_in(tree: &Tree, rows: &[usize]) -> usize {
    rows.iter().map(|row| cells_of(tree, *row).len()).sum()
}

/// How many cells a table has at most when merged ones are spread.
fn area_of(tree: &Tree, rows: &[usize]) -> usize {
    let cells = || rows.iter().flat_map(|&row| cells_of(tree, row));
    let hangs = cells().any(|cell| tree.attribute(cell, "rowspan").is_some_and(|span| span.trim() != "1"));
    let spread = cells().any(|cell| tree.attribute(cell, "colspan").is_some());
    let widest = rows.iter().map(|&row| cells_of(tree, row).len()).max().unwrap_or(0);
    rows.len() * if hangs || spread { MAX_COLUMNS } else { widest }
}

fn cells_of(tree: &Tree, row: usize) -> Vec<usize> {
    tree.children(row).iter().copied().filter(|&child| matches!(tree.name(child), "td" | "th")).collect()
}

/// Whether a row is the head of its table: it says so, or every cell of it is a heading or in bold.
fn is_head(tree: &Tree, row: usize) -> bool {
    if tree.name(tree.nodes[row].parent) == "thead" {
        return true;
    }
    let is_bold = |cell: usize| {
        let mut texts =
            tree.within(cell).filter(|&place| !tree.nodes[place].text.trim().is_empty()).peekable();
        texts.peek().is_some()
            && texts.all(|text| {
                let mut up = text;
                while up != cell && up != super::tree::ROOT {
                    up = tree.nodes[up].parent;
                    if style_of(tree, up) == Some(Mark::Strong) {
                        return true;
                    }
                }
                false
            })
    };
    let cells: Vec<_> = cells_of(tree, row).into_iter().filter(|&cell| !tree.line(cell).is_empty()).collect();
    !cells.is_empty() && cells.iter().all(|&cell| tree.name(cell) == "th" || is_bold(cell))
}

fn written_table(grid: &[Vec<String>], has_head: bool) -> Option<String> {
    let columns = grid.iter().map(Vec::len).max().unwrap_or(0);
    if grid.iter().flatten().all(String::is_empty) {
        return None;
    }
    let row = |cells: &[String]| {
        let mut text = String::from("|");
        for column in 0..columns {
            text.push(' ');
            text.push_str(cells.get(column).map_or("", String::as_str));
            text.push_str(" |");
        }
        text
    };
    let mut lines = Vec::with_capacity(grid.len() + 2);
    let (head, body) = if has_head { grid.split_at(1) } else { grid.split_at(0) };
    // The head of a table in bold is a head twice.
    let head: Vec<String> =
        head.first().map(|cells| cells.iter().map(|cell| unbold(cell)).collect()).unwrap_or_default();
    lines.push(row(&head));
    lines.push(format!("|{}", " --- |".repeat(columns)));
    lines.extend(body.iter().map(|cells| row(cells)));
    Some(lines.join("\n"))
}

fn unbold(cell: &str) -> String {
    match cell.strip_prefix("**").and_then(|cell| cell.strip_suffix("**")) {
        Some(inner) if !inner.contains("**") => inner.to_owned(),
        _ => cell.to_owned(),
    }
}

/// The code of a table that only numbers its lines.
fn code_of_table(tree: &Tree, table: usize) -> Option<usize> {
    let is_code = tree.classes(table).any(|class| {
        matches!(
            class,
            "highlighttable"
                | "rouge-table"
                | "codehilitetable"
                | "hljs-ln"
                | "lntable"
                | "syntaxhighlighter"
        )
    });
    if !is_code {
        return None;
    }
    let blocks: Vec<_> = tree.within(table).filter(|&place| tree.name(place) == "pre").collect();
    let last = blocks.last().copied();
    last.or_else(|| tree.find(table, |tree, place| tree.has_class(place, "code")))
}

/// Whether a table only holds the icon and the text of a callout.
fn is_icon_table(tree: &Tree, table: usize) -> bool {
    let rows = rows_of(tree, table);
    tree.find(table, |tree, place| tree.name(place) == "img").is_some() && rows.len() <= 3
}

/// The left margin of a style, in points.
fn margin(style: &str) -> u32 {
    let Some((_, rest)) = style.split_once("margin-left:") else { return 0 };
    let rest = rest.trim_start();
    let number: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let value: f64 = format!("0{number}").parse().unwrap_or(0.0);
    let points = match rest[number.len()..].get(..2) {
        Some("in") => value * 72.0,
        Some("cm") => value * 28.35,
        Some("mm") => value * 2.835,
        Some("px") => value * 0.75,
        _ => value,
    };
    points.round().clamp(0.0, 2_000.0) as u32
}

/// Joins blocks; lists that may not interrupt a paragraph are set apart from it even in tight items.
fn joined(blocks: &[Block], between: &str) -> String {
    let mut text = String::new();
    for (index, block) in blocks.iter().enumerate() {
        if index > 0 {
            let apart = matches!(block.kind, Kind::List(_, false));
            text.push_str(if apart { "\n\n" } else { between });
        }
        text.push_str(&block.text);
    }
    text
}

fn quoted(text: &str) -> String {
    let lines: Vec<_> =
        text.lines().map(|line| if line.is_empty() { ">".to_owned() } else { format!("> {line}") }).collect();
    lines.join("\n")
}

fn list_of(items: &[(u32, Vec<Block>)], is_ordered: bool, before: Option<&Block>) -> Option<Block> {
    let first = items.first()?.0;
    let taken = match before.map(|block| block.kind) {
        Some(Kind::List(marker, _)) => Some(marker),
        _ => None,
    };
    // Two lists that follow each other are one unless their markers differ.
    let marker = match (is_ordered, taken) {
        (true, Some('.')) => ')',
        (true, _) => '.',
        (false, Some('-')) => '*',
        (false, _) => '-',
    };
    let is_tight = items.iter().all(|(_, blocks)| {
        blocks.iter().enumerate().all(|(index, block)| match block.kind {
            Kind::Paragraph => index == 0,
            Kind::List(_, interrupts) => interrupts,
            Kind::Other => false,
        })
    });
    let between = if is_tight { "\n" } else { "\n\n" };
    let mut written = Vec::with_capacity(items.len());
    for (number, (_, blocks)) in (first..).zip(items) {
        let head = if is_ordered { format!("{number}{marker} ") } else { format!("{marker} ") };
        let indent = " ".repeat(head.len());
        let body = joined(blocks, between);
        let mut text = head;
        for (index, line) in body.lines().enumerate() {
            if index > 0 {
                text.push('\n');
                if !line.is_empty() {
                    text.push_str(&indent);
                }
            }
            text.push_str(line);
        }
        written.push(text);
    }
    let interrupts = !is_ordered || first == 1;
    Some(Block { text: written.join(between), kind: Kind::List(marker, interrupts) })
}

/// Whether an item is a task, and done.
fn task(tree: &Tree, place: usize) -> Option<bool> {
    if tree.attribute(place, "data-inline-task-id").is_some() {
        return Some(tree.has_class(place, "checked"));
    }
    let first = tree
        .within_but(place, &|tree, place| matches!(tree.name(place), "ul" | "ol"))
        .find(|&place| tree.name(place) == "input" || !tree.nodes[place].text.trim().is_empty())?;
    (tree.attribute(first, "type") == Some("checkbox")).then(|| tree.attribute(first, "checked").is_some())
}

/// The language of a block of code, by what generators write on it or around it.
fn language(tree: &Tree, place: usize) -> Option<String> {
    let mut around = vec![place];
    around.extend(tree.children(place).iter().filter(|&&child| tree.name(child) == "code"));
    let mut up = place;
    for _ in 0..3 {
        up = tree.nodes[up].parent;
        if matches!(tree.name(up), "div" | "figure" | "pre") {
            around.push(up);
        }
    }
    let plain = ["none", "text", "plain", "plaintext", "default", "notranslate", "nohighlight", "source"];
    for place in around {
        let said = tree.attribute(place, "data-lang").or(tree.attribute(place, "data-language"));
        let brush = tree
            .attribute(place, "data-syntaxhighlighter-params")
            .or(tree.attribute(place, "class"))
            .and_then(|classes| {
                classes
                    .split_once("brush:")
                    .map(|(_, rest)| rest.split([';', ' ']).find(|word| !word.is_empty()).unwrap_or_default())
            });
        let class = tree.classes(place).find_map(|class| {
            ["language-", "lang-", "highlight-source-", "highlight-", "brush-"]
                .iter()
                .find_map(|start| class.strip_prefix(start))
        });
        let source = tree
            .has_class(place, "sourceCode")
            .then(|| tree.classes(place).find(|class| *class != "sourceCode"))
            .flatten();
        let found = said.or(brush).or(class).or(source).map(str::trim).map(str::to_lowercase);
        if let Some(language) = found.filter(|language| !plain.contains(&language.as_str())) {
            let is_name = language
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '#' | '_' | '.'));
            return (is_name && (1..=30).contains(&language.len())).then_some(language);
        }
    }
    None
}

/// What a style marks.
fn style_of(tree: &Tree, place: usize) -> Option<Mark> {
    match tree.name(place) {
        "b" | "strong" => return Some(Mark::Strong),
        "i" | "em" | "cite" | "var" | "dfn" => return Some(Mark::Emphasis),
        "del" | "s" | "strike" => return Some(Mark::Struck),
        "span" | "font" => {}
        _ => return None,
    }
    let style: String =
        tree.attribute(place, "style")?.to_ascii_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let has = |words: &[&str]| words.iter().any(|word| style.contains(word));
    if has(&["font-weight:bold", "font-weight:600", "font-weight:700", "font-weight:800", "font-weight:900"])
    {
        Some(Mark::Strong)
    } else if has(&["font-style:italic"]) {
        Some(Mark::Emphasis)
    } else {
        has(&["text-decoration:line-through"]).then_some(Mark::Struck)
    }
}

fn is_unsafe(href: &str) -> bool {
    let scheme: String = href
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .take(12)
        .collect::<String>()
        .to_lowercase();
    ["javascript:", "vbscript:", "data:", "file:", "blob:"].iter().any(|start| scheme.starts_with(start))
}

fn raised_character(character: char, up: bool) -> Option<char> {
    let (from, to) = if up {
        ("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
    } else {
        ("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")
    };
    if character == ' ' {
        return Some(' ');
    }
    from.chars().zip(to.chars()).find(|(plain, _)| *plain == character).map(|(_, raised)| raised)
}

/// What Word wrote before an item: a bullet, or its number; nothing if it is no item.
fn word_marker(marker: &str) -> Option<Option<u32>> {
    if matches!(marker, "·" | "o" | "§" | "-" | "–" | "•" | "\u{f0b7}" | "\u{f0a7}" | "ü" | "Ø") {
        return Some(None);
    }
    marker.strip_suffix(['.', ')'])?.parse().ok().map(Some)
}

/// Items of a list by how deep they stand.
fn nested(items: &[(u32, Option<u32>, String)], before: Option<&Block>) -> Option<Block> {
    let (base, number, _) = items.first()?;
    let mut written: Vec<(u32, Vec<Block>)> = Vec::new();
    let mut at = 0;
    while let Some((_, _, text)) = items.get(at) {
        let deeper = items[at + 1..].iter().take_while(|(level, _, _)| level > base).count();
        let mut blocks = vec![Block { text: text.clone(), kind: Kind::Paragraph }];
        blocks.extend(nested(&items[at + 1..at + 1 + deeper], None));
        written.push((number.unwrap_or(1), blocks));
        at += 1 + deeper;
    }
    list_of(&written, number.is_some(), before)
}

/// Takes characters off the beginning of a line.
fn drop_start(parts: &mut [Inline], mut characters: usize) {
    for part in parts {
        if characters == 0 {
            return;
        }
        match part {
            Inline::Text(text) | Inline::Code(text) => {
                let mut rest = text.trim_start().chars();
                while characters > 0 && rest.next().is_some() {
                    characters -= 1;
                }
                *text = rest.as_str().to_owned();
            }
            Inline::Span(_, parts) => {
                let before: usize = inline::plain(parts).chars().count();
                drop_start(parts, characters);
                characters = characters.saturating_sub(before);
            }
            _ => {}
        }
    }
}
