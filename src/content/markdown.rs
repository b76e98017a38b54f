//! Markdown to sections and blocks, and to clean HTML.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

use ammonia::Builder;
use percent_encoding::percent_decode_str;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use serde::{Deserialize, Serialize};

use crate::content::catalog::{Catalog, Lang};
use crate::content::files;
use crate::content::library::Library;
use crate::content::problem::{Position, Report, u32_of};
use crate::content::validity::{NOBODY, Standpoint, Validity};
use crate::content::values;
use crate::content::yaml;
use crate::language::{codes, words};

/// A heading and what follows it, up to the next heading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// What links name; empty for text before the first heading.
    pub anchor: Box<str>,
    /// The heading as written, without markup, with references; empty for text before the first heading.
    pub heading: Box<str>,
    /// 1 to 6; 0 for text before the first heading.
    pub level: u8,
    /// Where and when it is in force, outer headings and the article taken into account; `None` when always.
    pub validity: Option<Box<Validity>>,
    /// Whether a guided flow ends here.
    pub end: bool,
    /// What it spans in the body, heading included, in bytes.
    pub range: (u32, u32),
    /// The line of its heading in the file.
    pub line: u32,
}

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockKind {
    /// A paragraph, or HTML.
    Paragraph,
    /// A numbered list: steps.
    Steps,
    /// A list.
    List,
    /// A table.
    Table,
    /// A fenced or indented code block.
    Code,
    /// A quotation.
    Quote,
}

/// A paragraph, list or table of a section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// What it spans in the body, in bytes.
    pub range: (u32, u32),
    /// Its words, with references; items and rows on lines of their own, cells parted by tabs.
    pub text: String,
    /// How many bytes of its words are links to other articles: what is mostly links leads somewhere and answers nothing.
    pub linked: u32,
}

impl Block {
    /// Whether it mostly leads elsewhere.
    pub fn is_signpost(&self) -> bool {
        self.linked as usize * SIGNPOST_SHARE > self.text.len()
    }
}

/// One in so many bytes of a signpost is a link.
const SIGNPOST_SHARE: usize = 4;

/// A link to another place in the articles, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Its target: `../support/611.md#night`, `#anchor`.
    pub target: Box<str>,
    /// The line it stands on.
    pub line: u32,
}

/// A file beside the articles, a picture or a document, that a section shows or links to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileUse {
    /// The target as written.
    pub target: Box<str>,
    /// The number of the section.
    pub section: u32,
}

/// A reference to a catalogue value in the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueUse {
    /// What stands between the braces.
    pub name: Box<str>,
    /// Where.
    pub at: Position,
}

/// A body taken apart.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Its sections; the first is what stands before any heading, or under the article's own title.
    pub sections: Vec<Section>,
    /// The blocks of each section.
    pub blocks: Vec<Vec<Block>>,
    /// Links to articles.
    pub links: Vec<Link>,
    /// Files shown or linked to.
    pub files: Vec<FileUse>,
    /// References to catalogue values.
    pub values: Vec<ValueUse>,
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM
}

/// What stands for a star of a code while Markdown is parsed: as long, and without meaning to the parser.
const STAR_MASK: &str = "\u{10}";

/// Hides from the parser, without moving a byte, what is no markup: the braces of references, and the stars of codes, which would
/// make `*155*2# or *155*21#` emphasised digits and a wrong code.
pub fn mask(text: &str) -> String {
    let without_braces = values::mask(text);
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for code in codes::find_ussd(text) {
        for at in stars_to_hide(text, code) {
            masked.push_str(&without_braces[done..at]);
            masked.push_str(STAR_MASK);
            done = at + 1;
        }
    }
    masked.push_str(&without_braces[done..]);
    masked
}

/// How far from its beginning a code in the target of a link is looked for, in bytes.
const MAX_TARGET: usize = 256;

/// Where the stars of a code stand that are no markup.
fn stars_to_hide(text: &str, code: Range<usize>) -> Vec<usize> {
    let (before, after) = (&text[..code.start], &text[code.end..]);
    let leading = text[code.clone()].bytes().take_while(|b| *b == b'*').count();
    // Stars that end behind the code begin before it: it is emphasised as a whole.
    let closing = after.bytes().take_while(|b| *b == b'*').count();
    let emphasis = if leading > closing { closing } else { 0 };
    let stars: Vec<usize> = text[code.clone()].match_indices('*').map(|(at, _)| code.start + at).collect();
    // One star and a space where a line begins is the bullet of a list.
    let begins_line = || before.trim_end_matches([' ', '\t']).chars().next_back().is_none_or(|c| c == '\n');
    if stars.len() == 1 && text[code.start + 1..].starts_with(' ') && begins_line() {
        return Vec::new();
    }
    // The target of a link is no text, and may not hold what is hidden.
    let near = &before[before.floor_char_boundary(before.len().saturating_sub(MAX_TARGET))..];
    if near.rfind("](").is_some_and(|open| !near[open..].contains([')', '\n'])) {
        return Vec::new();
    }
    // A star behind a backslash is hidden already.
    stars.into_iter().skip(emphasis).filter(|at| !text[..*at].ends_with('\\')).collect()
}

/// What a [masked](mask) text is made of: each event with the bytes it spans, codes as they were written.
pub fn events(masked: &str, options: Options) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
    let shown = |text: CowStr<'_>| text.replace(STAR_MASK, "*").into();
    let is_masked = |text: &str| text.contains(STAR_MASK);
    Parser::new_ext(masked, options).into_offset_iter().map(move |(event, range)| {
        let event = match event {
            Event::Text(text) if is_masked(&text) => Event::Text(shown(text)),
            Event::Code(text) if is_masked(&text) => Event::Code(shown(text)),
            Event::Html(text) if is_masked(&text) => Event::Html(shown(text)),
            Event::InlineHtml(text) if is_masked(&text) => Event::InlineHtml(shown(text)),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                Event::Start(Tag::Link { link_type, dest_url: shown(dest_url), title: shown(title), id })
            }
            Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                Event::Start(Tag::Image { link_type, dest_url: shown(dest_url), title: shown(title), id })
            }
            other => other,
        };
        (event, range)
    })
}

/// Takes a body apart. `first_line` is its line in the file, `outer` the article's own validity.
pub fn parse(body: &str, first_line: u32, outer: &Validity, report: &mut Report) -> Parsed {
    let masked = mask(body);
    let mut reader = Reader {
        body,
        first_line,
        last: (0, Position { line: first_line, column: 1 }),
        parsed: Parsed::default(),
        anchors: HashMap::new(),
        enclosing: vec![(0, outer.clone())],
        block: None,
        depth: 0,
        in_code_block: false,
        in_article_link: false,
        row_cells: 0,
        heading: None,
        report,
    };
    let lead_validity = (!outer.is_unlimited()).then(|| Box::new(outer.clone()));
    reader.parsed.sections.push(Section {
        anchor: "".into(),
        heading: "".into(),
        level: 0,
        validity: lead_validity,
        end: false,
        range: (0, u32_of(body.len())),
        line: first_line,
    });
    reader.parsed.blocks.push(Vec::new());
    for (event, range) in events(&masked, options()) {
        reader.event(event, range);
    }
    reader.parsed
}

struct OpenHeading {
    level: u8,
    id: Option<String>,
    attributes: Vec<(String, Option<String>)>,
    text: String,
    start: usize,
}

struct Reader<'a, 'r> {
    body: &'a str,
    first_line: u32,
    /// A byte and its place, to count on from.
    last: (usize, Position),
    parsed: Parsed,
    /// Anchors taken, and how often each was wanted.
    anchors: HashMap<String, usize>,
    /// The levels and validities of the headings around the current place.
    enclosing: Vec<(u8, Validity)>,
    block: Option<Block>,
    /// How many blocks are open around the current place.
    depth: usize,
    in_code_block: bool,
    in_article_link: bool,
    /// Cells of the open row of a table so far.
    row_cells: usize,
    heading: Option<OpenHeading>,
    report: &'r mut Report,
}

impl Reader<'_, '_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(Tag::Heading { level, id, attrs, .. }) if self.depth == 0 => {
                self.heading = Some(OpenHeading {
                    level: level_number(level),
                    id: id.map(|id| id.to_string()),
                    attributes: attrs
                        .into_iter()
                        .map(|(k, v)| (k.to_string(), v.map(|v| v.to_string())))
                        .collect(),
                    text: String::new(),
                    start: range.start,
                });
            }
            Event::End(TagEnd::Heading(_)) if self.heading.is_some() => self.close_heading(),
            Event::Start(tag) => self.open(&tag, range),
            Event::End(tag) => self.close(tag),
            Event::Text(text) => self.text(&text, range),
            Event::Code(code) => self.text(&code, range),
            Event::SoftBreak => self.push(" "),
            Event::HardBreak => self.push("\n"),
            Event::Html(html) | Event::InlineHtml(html) => {
                let text = strip_tags(&html);
                if self.block.is_none() && self.heading.is_none() && !text.trim().is_empty() {
                    self.start_block(BlockKind::Paragraph, range.clone());
                    self.text(&text, range);
                    self.finish_block();
                } else {
                    self.text(&text, range);
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        let kind = match tag {
            Tag::Paragraph | Tag::HtmlBlock => Some(BlockKind::Paragraph),
            Tag::List(Some(_)) => Some(BlockKind::Steps),
            Tag::List(None) => Some(BlockKind::List),
            Tag::Table(_) => Some(BlockKind::Table),
            Tag::CodeBlock(_) => Some(BlockKind::Code),
            Tag::BlockQuote(_) => Some(BlockKind::Quote),
            Tag::Heading { .. } => Some(BlockKind::Paragraph),
            _ => None,
        };
        self.in_code_block |= matches!(tag, Tag::CodeBlock(_));
        if let Some(kind) = kind {
            if self.depth == 0 {
                self.start_block(kind, range.clone());
            }
            self.depth += 1;
        }
        match tag {
            Tag::TableHead | Tag::TableRow => {
                // Rows and cells stand in their places, also where cells are empty: what a number means its column tells.
                match &self.block {
                    Some(block) if block.kind == BlockKind::Table && matches!(tag, Tag::TableRow) => {
                        self.push("\n");
                    }
                    _ => self.separate("\n"),
                }
                self.row_cells = 0;
            }
            Tag::TableCell => {
                if self.row_cells > 0 {
                    self.push("\t");
                }
                self.row_cells += 1;
            }
            Tag::Item => self.separate("\n"),
            Tag::Paragraph | Tag::CodeBlock(_) if self.depth > 1 => self.separate("\n"),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.in_article_link = self.link(dest_url, range.start);
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        let is_block = matches!(
            tag,
            TagEnd::Paragraph
                | TagEnd::HtmlBlock
                | TagEnd::List(_)
                | TagEnd::Table
                | TagEnd::CodeBlock
                | TagEnd::BlockQuote(_)
                | TagEnd::Heading(_)
        );
        if matches!(tag, TagEnd::CodeBlock) {
            self.in_code_block = false;
        }
        if matches!(tag, TagEnd::Link | TagEnd::Image) {
            self.in_article_link = false;
        }
        if is_block {
            self.depth = self.depth.saturating_sub(1);
            if self.depth == 0 {
                self.finish_block();
            }
        }
    }

    fn start_block(&mut self, kind: BlockKind, range: Range<usize>) {
        self.block = Some(Block {
            kind,
            range: (u32_of(range.start), u32_of(range.end)),
            text: String::new(),
            linked: 0,
        });
    }

    fn finish_block(&mut self) {
        if let Some(mut block) = self.block.take() {
            block.text.truncate(block.text.trim_end().len());
            if let Some(blocks) = self.parsed.blocks.last_mut()
                && !block.text.is_empty()
            {
                blocks.push(block);
            }
        }
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        if self.in_code_block {
            self.push(&values::unmask(text));
            return;
        }
        for reference in values::references(text) {
            let start =
                range.start + self.body.get(range.clone()).and_then(|s| s.find(reference.name)).unwrap_or(0);
            let at = self.position(start);
            self.parsed.values.push(ValueUse { name: reference.name.into(), at });
        }
        self.push(&values::unmask(text));
    }

    fn push(&mut self, text: &str) {
        if let Some(heading) = &mut self.heading {
            heading.text.push_str(text);
        } else if let Some(block) = &mut self.block {
            block.text.push_str(text);
            if self.in_article_link {
                block.linked += u32_of(text.len());
            }
        }
    }

    fn separate(&mut self, separator: &str) {
        if let Some(block) = &mut self.block
            && !block.text.is_empty()
            && !block.text.ends_with(['\n', '\t'])
        {
            block.text.push_str(separator);
        }
    }

    fn position(&mut self, byte: usize) -> Position {
        let start = Position { line: self.first_line, column: 1 };
        let (at, place) = if byte >= self.last.0 { self.last } else { (0, start) };
        let between = &self.body[at..byte];
        let place = match between.rfind('\n') {
            Some(end) => Position {
                line: yaml::line_of(between, between.len(), place.line),
                column: u32_of(between[end + 1..].chars().count()) + 1,
            },
            None => Position { line: place.line, column: place.column + u32_of(between.chars().count()) },
        };
        self.last = (byte, place);
        place
    }

    /// Notes a link; returns whether it leads to an article.
    fn link(&mut self, target: &str, at: usize) -> bool {
        let path = target.split('#').next().unwrap_or_default();
        let is_article =
            !has_scheme(target) && (path.is_empty() && target.len() > 1 || files::is_markdown(path));
        if is_article {
            let line = self.position(at).line;
            self.parsed.links.push(Link { target: values::unmask(target).into(), line });
        } else if !has_scheme(target) && !target.is_empty() {
            // The section of a heading is made when the heading ends.
            let section = u32_of(self.parsed.sections.len() - usize::from(self.heading.is_none()));
            self.parsed.files.push(FileUse { target: values::unmask(target).into(), section });
        }
        is_article
    }

    fn close_heading(&mut self) {
        let Some(heading) = self.heading.take() else { return };
        let at = self.position(heading.start);
        let (own, end) = self.read_attributes(&heading, at);
        if heading.text.contains("audience=") {
            self.report.error(
                "heading-attributes",
                at,
                "the heading's attributes cannot be read, and it seems to say for whom it is",
                "put nothing behind the closing brace: `## Heading {#anchor audience=b2b}`",
            );
        }
        while self.enclosing.len() > 1
            && self.enclosing.last().is_some_and(|(level, _)| *level >= heading.level)
        {
            self.enclosing.pop();
        }
        let outer = self.enclosing.last().map(|(_, v)| v.clone()).unwrap_or_default();
        let validity = own.within(&outer);
        let is_for_nobody = |audience: &[String]| audience.iter().any(|name| name == NOBODY);
        if is_for_nobody(&validity.audience) && !is_for_nobody(&outer.audience) {
            self.report.warning(
                "for-nobody",
                at,
                format!(
                    "the section is for {}, and what is around it for {}: nobody is let in",
                    own.audience.join(", "),
                    outer.audience.join(", ")
                ),
                "name an audience that may read what is around it as well",
            );
        }
        self.enclosing.push((heading.level, validity.clone()));
        let text = heading.text.trim();
        let anchor = self.unique_anchor(heading.id.as_deref(), text, at);
        let section = Section {
            anchor: anchor.into(),
            heading: text.into(),
            level: heading.level,
            validity: (!validity.is_unlimited()).then(|| Box::new(validity)),
            end,
            range: (u32_of(heading.start), u32_of(self.body.len())),
            line: at.line,
        };
        let is_own_title =
            heading.level == 1 && self.parsed.sections.len() == 1 && self.parsed.blocks[0].is_empty();
        if is_own_title && self.parsed.sections[0].level == 0 {
            self.parsed.sections[0] = section;
        } else {
            if let Some(last) = self.parsed.sections.last_mut() {
                last.range.1 = u32_of(heading.start);
            }
            self.parsed.sections.push(section);
            self.parsed.blocks.push(Vec::new());
        }
    }

    fn unique_anchor(&mut self, id: Option<&str>, heading: &str, at: Position) -> String {
        let wanted = id.map_or_else(|| slug(heading), str::to_owned);
        let taken = self.anchors.entry(wanted.clone()).or_default();
        *taken += 1;
        if *taken == 1 {
            return wanted;
        }
        let mut number = *taken - 1;
        if id.is_some() {
            self.report.warning(
                "duplicate-anchor",
                at,
                format!("the anchor `#{wanted}` is already taken in this article"),
                "give one of the two headings another `{#anchor}`",
            );
        }
        loop {
            let candidate = format!("{wanted}-{number}");
            if !self.anchors.contains_key(&candidate) {
                self.anchors.insert(candidate.clone(), 1);
                return candidate;
            }
            number += 1;
        }
    }

    fn read_attributes(&mut self, heading: &OpenHeading, at: Position) -> (Validity, bool) {
        const KNOWN: &[&str] = &["region", "audience", "from", "to", "end"];
        let mut validity = Validity::default();
        let mut end = false;
        for (key, value) in &heading.attributes {
            let value = value.as_deref().unwrap_or_default().trim_matches(['"', '\'']);
            let list = || value.split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect();
            match key.as_str() {
                "region" | "regions" => validity.regions = list(),
                "audience" => {
                    validity.audience = list();
                    if validity.audience.is_empty() {
                        self.report.error(
                            "wrong-type",
                            at,
                            "`audience` names nobody",
                            "name audiences, parted by commas, or take it out",
                        );
                    }
                }
                // `{to the top}` is somebody's own notation, not a day.
                "from" | "to" if !value.is_empty() => match yaml::parse_date(value) {
                    Ok(day) if key == "from" => validity.from = Some(day),
                    Ok(day) => validity.to = Some(day),
                    Err(why) => {
                        self.report.error("date", at, format!("`{key}`: {why}"), "write days as 2026-12-31")
                    }
                },
                "end" => end = true,
                other => yaml::report_unknown_key("a heading", other, at, KNOWN, self.report),
            }
        }
        yaml::check_order(&validity, at, self.report);
        (validity, end)
    }
}

fn level_number(level: HeadingLevel) -> u8 {
    level as u8
}

/// An anchor made of a heading's words.
pub fn slug(heading: &str) -> String {
    let parts: Vec<String> = words::words(heading).into_iter().map(|w| w.form).collect();
    if parts.is_empty() { "section".to_owned() } else { parts.join("-") }
}

/// Whether a link names a scheme or a host: not a place in the articles.
pub fn has_scheme(target: &str) -> bool {
    target.starts_with("//") || target.split(['/', '#', '?']).next().is_some_and(|start| start.contains(':'))
}

/// The words of HTML: what stands outside its tags and comments.
fn strip_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        let tag = &rest[open..];
        let end = if tag.starts_with("<!--") {
            tag.find("-->").map(|i| i + 3)
        } else {
            tag.find('>').map(|i| i + 1)
        };
        let Some(end) = end else { return text };
        rest = &tag[end..];
    }
    text.push_str(rest);
    text
}

/// For whom and when a text is rendered.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Where the values come from.
    pub catalog: &'a Catalog,
    /// The language of the values.
    pub lang: Lang,
    /// Where, when and for whom.
    pub at: Standpoint<'a>,
    /// What links may lead to; without it, links to articles are left as they are.
    pub library: Option<&'a Library>,
}

impl Reading<'_> {
    /// Whether a link leads where the reader may not go: then its text stands without it.
    fn leads_astray(&self, target: &str, article_path: &str) -> bool {
        let Some(library) = self.library else { return false };
        let led = article_target(target, article_path);
        // What is only missing is left for the editor to see.
        led.is_some_and(|(id, anchor)| {
            library.slot(&id).is_some() && !library.may_lead(&id, &anchor, self.at.clearance)
        })
    }
}

/// Clean HTML of each section of a body, headings left out.
pub fn render_sections(
    body: &str,
    sections: &[Section],
    article_path: &str,
    reading: Reading<'_>,
) -> Vec<String> {
    let masked = mask(body);
    let mut of_sections: Vec<Vec<Event<'_>>> = vec![Vec::new(); sections.len()];
    let mut at = 0;
    let mut in_section_heading = false;
    for (event, range) in events(&masked, options()) {
        while at + 1 < sections.len() && range.start >= sections[at + 1].range.0 as usize {
            at += 1;
        }
        // Only the heading that opens a section starts where the section does.
        let opens = |e: &Event<'_>| matches!(e, Event::Start(Tag::Heading { .. }));
        if opens(&event) && sections[at].level > 0 && range.start == sections[at].range.0 as usize {
            in_section_heading = true;
        }
        if in_section_heading {
            in_section_heading = !matches!(event, Event::End(TagEnd::Heading(_)));
        } else if let Some(events) = of_sections.get_mut(at) {
            events.push(event);
        }
    }
    of_sections.into_iter().map(|events| render_events(events.into_iter(), article_path, reading)).collect()
}

/// Clean HTML of a piece of Markdown.
pub fn render(markdown: &str, article_path: &str, reading: Reading<'_>) -> String {
    let masked = mask(markdown);
    render_events(events(&masked, options()).map(|(event, _)| event), article_path, reading)
}

/// Clean HTML of one line: a heading or a title.
pub fn render_line(text: &str, reading: Reading<'_>) -> String {
    values_to_html(text, reading, false)
}

fn render_events<'e>(
    events: impl Iterator<Item = Event<'e>>,
    article_path: &str,
    reading: Reading<'_>,
) -> String {
    let mut in_code_block = false;
    let mut in_hidden_link = false;
    let events = events.filter(move |event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => {
            in_hidden_link = reading.leads_astray(&values::unmask(dest_url), article_path);
            !in_hidden_link
        }
        Event::End(TagEnd::Link) => !std::mem::take(&mut in_hidden_link),
        _ => true,
    });
    let events = events.map(|event| match event {
        Event::Start(Tag::CodeBlock(kind)) => {
            in_code_block = true;
            let kind = match kind {
                CodeBlockKind::Fenced(_) => CodeBlockKind::Fenced(CowStr::Borrowed("")),
                CodeBlockKind::Indented => CodeBlockKind::Indented,
            };
            Event::Start(Tag::CodeBlock(kind))
        }
        Event::End(TagEnd::CodeBlock) => {
            in_code_block = false;
            Event::End(TagEnd::CodeBlock)
        }
        Event::Html(html) => Event::Html(values_in_html(&html, reading).into()),
        Event::InlineHtml(html) => Event::InlineHtml(values_in_html(&html, reading).into()),
        Event::Text(text) if in_code_block => Event::Text(values::unmask(&text).into()),
        Event::Text(text) if !values::references(&text).is_empty() => {
            Event::InlineHtml(values_to_html(&text, reading, false).into())
        }
        Event::Code(code) => {
            Event::InlineHtml(format!("<code>{}</code>", values_to_html(&code, reading, true)).into())
        }
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = reader_url(&dest_url, article_path, reading).into();
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            let dest_url = image_url(&dest_url, article_path).into();
            Event::Start(Tag::Image { link_type, dest_url, title, id })
        }
        other => other,
    });
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    // An empty cell at the head of a table names nothing: to screen readers it must be no heading.
    sanitizer().clean(&html).to_string().replace("<th></th>", "<td></td>")
}

/// Cleans HTML once more than Markdown needs: whatever an editor pasted, no script, style or handler is left.
fn sanitizer() -> &'static Builder<'static> {
    static SANITIZER: OnceLock<Builder<'static>> = OnceLock::new();
    SANITIZER.get_or_init(|| {
        let mut builder = Builder::default();
        builder
            .add_tag_attributes("span", ["class", "data-value", "title"])
            .add_tag_attributes("code", ["class", "data-value"])
            .add_allowed_classes("span", ["value", "gap"])
            .rm_tag_attributes("span", ["class"])
            .add_tags(["input"])
            .add_tag_attributes("input", ["checked", "disabled"])
            .add_tag_attribute_values("input", "type", ["checkbox"])
            .link_rel(Some("noopener noreferrer"));
        builder
    })
}

fn values_to_html(text: &str, reading: Reading<'_>, in_code: bool) -> String {
    let mut html = String::with_capacity(text.len() + 32);
    let mut done = 0;
    for reference in values::references(text) {
        escape_into(&text[done..reference.range.start], &mut html);
        done = reference.range.end;
        let name = reference.name;
        match reading.catalog.show(name, reading.lang, reading.at) {
            Some(value) if in_code => escape_into(&value, &mut html),
            Some(value) => {
                html.push_str("<span class=\"value\" data-value=\"");
                escape_into(name, &mut html);
                html.push_str("\">");
                escape_into(&value, &mut html);
                html.push_str("</span>");
            }
            None => {
                let title = match reading.lang {
                    Lang::Ru => "значение не найдено или сейчас не действует",
                    Lang::En => "the value is missing or not in force",
                };
                html.push_str(&format!("<span class=\"gap\" title=\"{title}\">"));
                escape_into(&reading.catalog.gap(name, reading.at.clearance), &mut html);
                html.push_str("</span>");
            }
        }
    }
    escape_into(&text[done..], &mut html);
    html
}

/// HTML an editor wrote, with plain values in the place of references.
fn values_in_html(html: &str, reading: Reading<'_>) -> String {
    values::expand(html, |reference| {
        let value = reading.catalog.show(reference.name, reading.lang, reading.at);
        let mut escaped = String::new();
        let gap = || reading.catalog.gap(reference.name, reading.at.clearance);
        escape_into(&value.unwrap_or_else(gap), &mut escaped);
        escaped
    })
}

/// Escapes text for HTML, attributes included.
pub fn escape_into(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
}

/// Where a link leads on the pages: `../support/611.md#night` to `/articles/support/611#night`.
fn reader_url(target: &str, article_path: &str, reading: Reading<'_>) -> String {
    if values::references(target).is_empty() {
        return match article_target(target, article_path) {
            Some((id, anchor)) => format!("/articles/{}{anchor}", encode_path(&id)),
            None if has_scheme(target) || target.starts_with('/') || target.is_empty() => target.to_owned(),
            // A document beside the articles.
            None => image_url(target, article_path),
        };
    }
    reading.catalog.expand(target, reading.lang, reading.at)
}

fn image_url(target: &str, article_path: &str) -> String {
    if has_scheme(target) {
        return target.to_owned();
    }
    file_path(target, article_path)
        .map_or_else(|| target.to_owned(), |path| format!("/files/{}", encode_path(&path)))
}

/// The file beside the articles that a target leads to.
pub fn file_path(target: &str, article_path: &str) -> Option<String> {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    match decoded.strip_prefix("/files/") {
        Some(own) => files::resolve("", own),
        None => files::resolve(article_path, &decoded),
    }
}

/// The article id and `#anchor` (or nothing) that a link from an article leads to; `None` for links out of the articles.
pub fn article_target(target: &str, article_path: &str) -> Option<(String, String)> {
    if has_scheme(target) {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, ""), |(path, anchor)| (path, anchor));
    let anchor = if anchor.is_empty() {
        String::new()
    } else {
        format!("#{}", percent_decode_str(anchor).decode_utf8_lossy())
    };
    if path.is_empty() {
        return Some((files::id_of(article_path), anchor));
    }
    if !files::is_markdown(path) {
        return None;
    }
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    files::resolve(article_path, &decoded).map(|path| (files::id_of(&path), anchor))
}

/// A path for use in a URL: everything but what paths are made of is percent-encoded.
pub fn encode_path(path: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encoding::utf8_percent_encode(path, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> (Parsed, Vec<String>) {
        let mut report = Report::new("a.md");
        let parsed = parse(body, 1, &Validity::default(), &mut report);
        (
            parsed,
            report
                .into_problems()
                .into_iter()
                .map(|p| format!("{}:{} {}", p.line, p.column, p.code))
                .collect(),
        )
    }

    fn rendered(markdown: &str) -> String {
        let catalog = Catalog::default();
        let reading = Reading {
            catalog: &catalog,
            lang: Lang::Ru,
            at: Standpoint::public(jiff::civil::Date::constant(2026, 11, 23)),
            library: None,
        };
        render(markdown, "sms/monthly.md", reading)
    }

    #[test]
    fn headings_make_sections_with_inherited_validity() {
        let (parsed, problems) = parsed(
            "Lead.\n\n## A {#a region=moscow from=2026-12-01}\n\n1. one\n2. two\n\n### B\n\ntext\n\n## C {{ x.y }}\n",
        );
        assert!(problems.is_empty(), "{problems:?}");
        let anchors: Vec<&str> = parsed.sections.iter().map(|s| &*s.anchor).collect();
        assert_eq!(anchors, ["", "a", "b", "c-x-y"]);
        assert_eq!(parsed.sections[2].validity, parsed.sections[1].validity);
        assert_eq!(parsed.sections[3].validity, None);
        assert_eq!(parsed.blocks[1][0].kind, BlockKind::Steps);
        assert_eq!(parsed.blocks[1][0].text, "one\ntwo");
        assert_eq!(parsed.values[0].at, Position { line: 12, column: 9 });
    }

    #[test]
    fn a_title_heading_opens_the_lead() {
        let (parsed, _) = parsed("# Title {#t}\n\nLead.\n\n## Next\n");
        assert_eq!(parsed.sections.len(), 2);
        assert_eq!((&*parsed.sections[0].heading, parsed.blocks[0].len()), ("Title", 1));
    }

    #[test]
    fn impossible_dates_are_located() {
        let (_, problems) = parsed("text\n\n## A {from=2026-02-30}\n\n## B {colour=red}\n");
        assert_eq!(problems, ["3:1 date", "5:1 unknown-key"]);
    }

    #[test]
    fn cells_of_tables_stand_in_their_columns_also_where_some_are_empty() {
        let text = "| | a | b |\n|---|---|---|\n| **Group** | | |\n| x | | 2 |\n|  | 1 | |\n";
        let mut report = Report::new("a.md");
        let parsed = parse(text, 1, &Validity::default(), &mut report);
        assert_eq!(parsed.blocks[0][0].text, "\ta\tb\nGroup\t\t\nx\t\t2\n\t1");
    }

    #[test]
    fn html_is_cleaned() {
        let html = rendered(
            "a <script>alert(1)</script> <b onclick=x>b</b> [c](javascript:alert(1)) <style>p{}</style>",
        );
        for bad in ["script", "onclick", "javascript", "style"] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        assert!(html.contains("<b>b</b>"));
    }

    #[test]
    fn missing_values_are_marked_gaps() {
        let html = rendered("Цена {{ sms-100.price }}, код `{{ sms-100.code }}`");
        assert_eq!(html.matches("class=\"gap\"").count(), 2, "{html}");
        assert!(html.contains("[sms-100.price]"));
    }

    #[test]
    fn links_lead_to_pages() {
        let html =
            rendered("[a](../support/611.md#night) [b](#x) ![c](pic.png) [d](https://example.org/a.md)");
        for url in [
            "/articles/support/611#night",
            "/articles/sms/monthly#x",
            "/files/sms/pic.png",
            "https://example.org/a.md",
        ] {
            assert!(html.contains(&format!("\"{url}\"")), "{url} in {html}");
        }
    }

    #[test]
    fn a_code_keeps_its_stars() {
        for (written, shown) in [
            ("Наберите *155*2# или *155*21#", "<p>Наберите *155*2# или *155*21#</p>\n"),
            ("* 155 * 21 # и *важно*", "<p>* 155 * 21 # и <em>важно</em></p>\n"),
            ("**\\*155\\*2#** и `*155*2#`", "<p><strong>*155*2#</strong> и <code>*155*2#</code></p>\n"),
            ("***155*2#**, **Код *100#**", "<p><strong>*155*2#</strong>, <strong>Код *100#</strong></p>\n"),
            ("\\*155*2# или \\*155*3#", "<p>*155*2# или *155*3#</p>\n"),
            ("* 5 #новость\n* *100# — баланс", "<ul>\n<li>5 #новость</li>\n<li>*100# — баланс</li>\n</ul>\n"),
            (
                "[*155*2#](tel:*155*2# \"*155*2#\")",
                "<p><a href=\"tel:*155*2#\" title=\"*155*2#\" rel=\"noopener noreferrer\">*155*2#</a></p>\n",
            ),
            ("<b title=\"x\">*155*2# *155*3#</b>", "<p><b title=\"x\">*155*2# *155*3#</b></p>\n"),
            (
                "| a |\n|---|\n| *155*2# *1*3# |",
                "<table><thead><tr><th>a</th></tr></thead><tbody>\n<tr><td>*155*2# *1*3#</td></tr>\n</tbody></table>\n",
            ),
        ] {
            assert_eq!(rendered(written), shown, "{written}");
        }
        let (parsed, _) = parsed("## Наберите *155*2# или *155*3# {#a}\n\nИли *155*4#, не *155*5#.\n");
        assert_eq!(&*parsed.sections[1].heading, "Наберите *155*2# или *155*3#");
        assert_eq!(parsed.blocks[1][0].text, "Или *155*4#, не *155*5#.");
    }

    #[test]
    fn fenced_code_is_left_as_written() {
        assert!(rendered("```\n{{ sms-100.price }}\n```").contains("{{ sms-100.price }}"));
    }
}
