//! The last pass over CommonMark: links made to lead where they led, headings set below the title, what Pharos would misread escaped.

use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::blocks::{fence, fence_length};
use super::inline::continuation;
use super::page::{Page, code_block, code_span, escaped, prefixed};
use super::site::{Flavour, Target};
use crate::importing::document::{WITHIN, within};

/// The Markdown sources are written in, beyond what Pharos reads.
pub(super) const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_HEADING_ATTRIBUTES)
    .union(Options::ENABLE_GFM)
    .union(Options::ENABLE_FOOTNOTES);

/// Replacements within a text, in whatever order they are found; everything else stays byte for byte.
#[derive(Default)]
pub(super) struct Edits {
    list: Vec<(Range<usize>, String)>,
    /// Names of places, for the headings they stand in or before.
    pub(super) anchors: Vec<(usize, String)>,
    /// Where the links lead that are open.
    pub(super) links: Vec<Option<String>>,
    /// Up to where blocks of one line are parted already.
    pub(super) parted: usize,
    /// What the abbreviations stand for that are open.
    pub(super) titles: Vec<Option<String>>,
}

impl Edits {
    pub(super) fn replace(&mut self, range: Range<usize>, text: String) {
        self.list.push((range, text));
    }

    pub(super) fn insert(&mut self, at: usize, text: &str) {
        self.list.push((at..at, text.to_owned()));
    }

    /// The text with all replacements made.
    pub(super) fn apply(&self, text: &str) -> String {
        self.apply_to(text, 0..text.len(), &[])
    }

    /// A part of the text with the replacements within it made, and parts left out.
    fn apply_to(&self, text: &str, part: Range<usize>, without: &[Range<usize>]) -> String {
        let mut list: Vec<(Range<usize>, &str)> = self
            .list
            .iter()
            .filter(|(range, _)| range.start >= part.start && range.end <= part.end)
            .map(|(range, new)| (range.clone(), new.as_str()))
            .collect();
        list.extend(
            without
                .iter()
                .filter(|range| range.start >= part.start && range.end <= part.end)
                .map(|range| (range.clone(), "\n")),
        );
        list.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        // Insertions stand before what is replaced at the same place.
        list.sort_by_key(|(range, _)| (range.start, !range.is_empty()));
        let mut written = String::with_capacity(part.len() + 64);
        let mut done = part.start;
        for (range, new) in list {
            if range.start < done {
                continue;
            }
            written.push_str(&text[done..range.start]);
            written.push_str(new);
            done = range.end;
        }
        written.push_str(&text[done..part.end]);
        written
    }
}

/// A page put into its last form.
pub(super) struct Finished {
    pub(super) markdown: String,
    /// The first heading of the first level, if it was taken out as the title.
    pub(super) heading: Option<String>,
    /// What links may have called the place of that heading.
    pub(super) heading_names: Vec<String>,
    /// Which places of which documents are linked to.
    pub(super) anchors: Vec<(String, String)>,
}

struct Heading {
    level: usize,
    range: Range<usize>,
    inner: Range<usize>,
    id: Option<String>,
    has_more: bool,
    text: String,
    breaks: Vec<Range<usize>>,
}

/// What a pass gathers.
#[derive(Default)]
struct Seen {
    edits: Edits,
    headings: Vec<Heading>,
    notes: Vec<(String, Range<usize>)>,
    references: Vec<(String, Range<usize>)>,
    anchors: Vec<(String, String)>,
}

/// An included text whose links lead where they led in its own file.
pub(super) fn rebased(text: &str, page: &mut Page<'_>) -> String {
    let mut seen = Seen::default();
    let from = page.file().to_owned();
    let parser = Parser::new_ext(text, OPTIONS);
    let definitions: Vec<(Range<usize>, String, String)> = parser
        .reference_definitions()
        .iter()
        .map(|(label, definition)| {
            (definition.span.clone(), label.to_lowercase(), definition.dest.to_string())
        })
        .collect();
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<Open> = Vec::new();
    for (event, range) in parser.into_offset_iter() {
        if let Event::Start(Tag::Link { id, .. } | Tag::Image { id, .. }) = &event {
            used.insert(id.to_lowercase());
        }
        track(&mut open, &event, &range);
        if let Event::End(TagEnd::Link | TagEnd::Image) = event
            && let Some(link) = open.pop()
        {
            let target = relative(&link.target)
                .and_then(|(path, anchor)| Some((page.site.find(&from, path)?, anchor)));
            let new = match target {
                Some((Target::Document(key) | Target::File(key), anchor)) => {
                    name_target(text, &link, &key, page, &mut seen);
                    Some(within(&key, anchor.as_deref()))
                }
                None => None,
            };
            rewrite(text, &link, new.as_deref(), &mut seen.edits);
        }
    }
    // Who includes it may refer to what it defines; what it defines for itself is resolved, and may be called the same elsewhere.
    for (range, label, target) in definitions {
        if used.contains(&label) {
            seen.edits.replace(range, String::new());
            continue;
        }
        let found = relative(&target).and_then(|(path, anchor)| Some((page.site.find(&from, path)?, anchor)));
        if let Some((Target::Document(key) | Target::File(key), anchor)) = found
            && let Some(begin) = text[range.clone()].find("]:")
            && let Some(at) = text[range.start + begin..range.end].find(&target)
        {
            let place = range.start + begin + at;
            seen.edits.replace(place..place + target.len(), within(&key, anchor.as_deref()));
        }
    }
    seen.edits.apply(text)
}

/// A link or picture that is open.
struct Open {
    start: usize,
    end: usize,
    inner: usize,
    is_image: bool,
    kind: LinkType,
    target: String,
    title: String,
}

/// Notes where links begin and how far their text goes.
fn track(open: &mut Vec<Open>, event: &Event<'_>, range: &Range<usize>) {
    let (is_image, link_type, dest_url, title) = match event {
        Event::Start(Tag::Link { link_type, dest_url, title, .. }) => (false, link_type, dest_url, title),
        Event::Start(Tag::Image { link_type, dest_url, title, .. }) => (true, link_type, dest_url, title),
        Event::End(TagEnd::Link | TagEnd::Image) => {
            // The outer one reaches as far as the inner one that has ended.
            if let [.., outer, _] = open.as_mut_slice() {
                outer.inner = outer.inner.max(range.end);
            }
            return;
        }
        _ => {
            if let Some(link) = open.last_mut() {
                link.inner = link.inner.max(range.end);
            }
            return;
        }
    };
    open.push(Open {
        start: range.start,
        end: range.end,
        inner: range.start + 1 + usize::from(is_image),
        is_image,
        kind: *link_type,
        target: dest_url.to_string(),
        title: title.to_string(),
    });
}

/// Writes a link anew where it must be: with a new target, or as an inline one. Without a new target it keeps its own.
fn rewrite(text: &str, link: &Open, target: Option<&str>, edits: &mut Edits) {
    let is_reference = !matches!(link.kind, LinkType::Inline | LinkType::Autolink | LinkType::Email);
    if target.is_none() && !is_reference {
        return;
    }
    if matches!(link.kind, LinkType::Autolink | LinkType::Email) {
        return;
    }
    let target = target.unwrap_or(&link.target);
    let shown = if target.contains([' ', '(', ')', '<']) || target.is_empty() {
        format!("<{}>", target.replace('<', "%3C").replace('>', "%3E").replace('\n', ""))
    } else {
        target.to_owned()
    };
    let title = if link.title.is_empty() {
        String::new()
    } else {
        format!(" \"{}\"", link.title.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " "))
    };
    let inner = link.inner.min(link.end);
    edits.replace(inner..end_of(text, link), format!("]({shown}{title})"));
}

/// Where a link ends: the parser leaves the empty brackets of `[text][]` out.
fn end_of(text: &str, link: &Open) -> usize {
    let is_collapsed = matches!(link.kind, LinkType::Collapsed | LinkType::CollapsedUnknown);
    let rest = &text[link.end..];
    if is_collapsed && rest.starts_with("[]") && !text[link.inner..link.end].contains("[]") {
        link.end + 2
    } else {
        link.end
    }
}

/// The path and anchor of a target that may be in the source.
fn relative(target: &str) -> Option<(&str, Option<String>)> {
    let has_scheme = target.split(['/', '#', '?']).next().is_some_and(|start| start.contains(':'));
    if has_scheme
        || target.starts_with("//")
        || target.starts_with(WITHIN)
        || target.starts_with('#')
        || target.is_empty()
    {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = path.split('?').next().unwrap_or_default();
    let anchor =
        anchor.map(|anchor| percent_encoding::percent_decode_str(anchor).decode_utf8_lossy().into_owned());
    (!path.is_empty()).then_some((path, anchor))
}

/// Puts fences around code that is indented: within them braces mean nothing.
fn fence_indented(text: &str, range: Range<usize>, inner: &str, edits: &mut Edits) {
    let line_start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
    let prefix = continuation(&text[line_start..range.start]);
    let prefix = if prefix.contains('>') { prefix } else { " ".repeat(prefix.len().saturating_sub(4)) };
    edits.replace(line_start..range.end, format!("{}\n", prefixed(&code_block("", inner), &prefix)));
}

/// Puts a page into its last form. `title`: what its front matter calls it.
pub(super) fn finish(text: &str, title: Option<&str>, page: &mut Page<'_>) -> Finished {
    let mut seen = Seen::default();
    let parser = Parser::new_ext(text, OPTIONS);
    let definitions: Vec<Range<usize>> =
        parser.reference_definitions().iter().map(|(_, definition)| definition.span.clone()).collect();
    let events: Vec<(Event<'_>, Range<usize>)> = parser.into_offset_iter().collect();
    let mut open: Vec<Open> = Vec::new();
    let mut heading: Option<Heading> = None;
    let mut code: Option<(Range<usize>, String)> = None;
    let mut in_fence = false;
    for (event, range) in &events {
        track(&mut open, event, range);
        if let Some(heading) = heading.as_mut()
            && !matches!(event, Event::End(TagEnd::Heading(_)))
        {
            heading.take(event, range);
        }
        match event {
            Event::Start(Tag::Heading { level, id, classes, attrs }) => {
                heading = Some(Heading {
                    level: *level as usize,
                    range: range.clone(),
                    inner: range.end..range.start,
                    id: id.as_ref().map(ToString::to_string),
                    has_more: !classes.is_empty() || !attrs.is_empty(),
                    text: String::new(),
                    breaks: Vec::new(),
                });
            }
            Event::End(TagEnd::Heading(_)) => seen.headings.extend(heading.take()),
            Event::End(TagEnd::Link | TagEnd::Image) => {
                if let Some(link) = open.pop() {
                    lead(text, &link, page, &mut seen);
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => {
                code = Some((range.clone(), String::new()))
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => in_fence = true,
            Event::End(TagEnd::CodeBlock) => {
                in_fence = false;
                if let Some((range, inner)) = code.take().filter(|(_, inner)| inner.contains("{{")) {
                    fence_indented(text, range, &inner, &mut seen.edits);
                }
            }
            Event::Text(_) if in_fence => {}
            Event::Text(part) => match code.as_mut() {
                Some((_, inner)) => inner.push_str(part),
                None => braces(text, range, &mut seen.edits),
            },
            Event::Code(inner) => code_braces(text, inner, range, page, &mut seen.edits),
            Event::FootnoteReference(name) => seen.references.push((name.to_string(), range.clone())),
            Event::Start(Tag::FootnoteDefinition(name)) => seen.notes.push((name.to_string(), range.clone())),
            Event::Html(html) | Event::InlineHtml(html) => {
                if !html.trim().is_empty() && !html.trim_start().starts_with("<!--") {
                    page.lose("html", html.as_ref());
                }
                seen.edits.replace(range.clone(), String::new());
            }
            _ => {}
        }
    }
    for range in definitions {
        seen.edits.replace(range, String::new());
    }
    let heading = headings(text, title, page, &mut seen);
    let taken = seen.headings.first().filter(|_| heading.is_some());
    let heading_names = taken
        .map(|first| first.id.clone().into_iter().chain([super::include::slug(&first.text)]).collect())
        .unwrap_or_default();
    let notes = footnotes(text, page, &mut seen);
    let cut: Vec<Range<usize>> = seen.notes.iter().map(|(_, range)| range.clone()).collect();
    let mut markdown = seen.edits.apply_to(text, 0..text.len(), &cut);
    if !notes.is_empty() {
        markdown.push_str("\n\n");
        markdown.push_str(&notes);
    }
    abbreviations(&mut markdown, page);
    Finished { markdown: tidy(&markdown), heading, heading_names, anchors: seen.anchors }
}

impl Heading {
    fn take(&mut self, event: &Event<'_>, range: &Range<usize>) {
        self.inner = self.inner.start.min(range.start)..self.inner.end.max(range.end);
        match event {
            Event::Text(text) | Event::Code(text) => self.text.push_str(text),
            Event::SoftBreak | Event::HardBreak => {
                self.breaks.push(range.clone());
                self.text.push(' ');
            }
            _ => {}
        }
    }
}

/// Sets the headings below the title, and takes out the first if it is the title; gives its text then.
fn headings(text: &str, title: Option<&str>, page: &mut Page<'_>, seen: &mut Seen) -> Option<String> {
    // One of several that begins somewhere below is a part of the page.
    let is_only = seen.headings.iter().filter(|heading| heading.level == 1).count() == 1;
    let stands_first = |heading: &&Heading| {
        let mut before = text[..heading.range.start].lines().map(str::trim_start);
        heading.level == 1
            && (is_only || before.all(|line| line.is_empty() || line.starts_with(['<', '[', '!', ':'])))
    };
    let first = seen.headings.first().filter(stands_first);
    let stem = super::site::without_extension(
        page.files.first().map_or("", |path| path.rsplit('/').next().unwrap_or(path)),
    );
    let is_title = first.is_some_and(|heading| {
        if page.site.flavour == Flavour::Obsidian {
            return same(stem, &heading.text);
        }
        let shows_heading = !matches!(
            page.site.flavour,
            Flavour::Hugo | Flavour::Jekyll | Flavour::Obsidian | Flavour::Plain
        );
        title.is_none_or(|title| shows_heading || same(title, &heading.text))
    });
    let mut taken = None;
    let mut list = seen.headings.iter();
    if is_title && let Some(heading) = list.next() {
        seen.edits.replace(heading.range.clone(), "\n".to_owned());
        taken = Some(super::front::one_line(&heading.text));
    }
    let rest: Vec<&Heading> = list.collect();
    let least = rest.iter().map(|heading| heading.level).min().unwrap_or(2);
    for heading in rest {
        let wanted = heading.level + 2 - least.min(heading.level);
        let level = wanted.clamp(2, 6);
        if wanted > 6 {
            page.lose("heading-level", format!("{}: is of level 6, as there is none below", heading.text));
        }
        level_of(text, heading, level, &mut seen.edits);
    }
    taken
}

fn level_of(text: &str, heading: &Heading, level: usize, edits: &mut Edits) {
    let source = &text[heading.range.clone()];
    let marks = "#".repeat(level);
    let id = heading.id.as_ref().map(|id| format!(" {{#{id}}}")).unwrap_or_default();
    let is_atx = source.starts_with('#');
    if is_atx {
        let count = source.bytes().take_while(|b| *b == b'#').count();
        if count != level {
            edits.replace(heading.range.start..heading.range.start + count, marks);
        }
    } else {
        edits.insert(heading.range.start, &format!("{marks} "));
        for range in &heading.breaks {
            edits.replace(range.clone(), " ".to_owned());
        }
    }
    if (!is_atx || heading.has_more) && heading.inner.start <= heading.inner.end {
        let end = if text[heading.range.clone()].ends_with('\n') { "\n" } else { "" };
        edits.replace(heading.inner.end..heading.range.end, format!("{id}{end}"));
    }
}

fn same(a: &str, b: &str) -> bool {
    let words = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    words(a) == words(b)
}

/// Makes a link lead where it led.
fn lead(text: &str, link: &Open, page: &mut Page<'_>, seen: &mut Seen) {
    let target = link.target.trim();
    let lowered = target.to_ascii_lowercase();
    let drop = |seen: &mut Seen| {
        let from = link.start + 1 + usize::from(link.is_image);
        if !matches!(link.kind, LinkType::Autolink | LinkType::Email) {
            seen.edits.replace(link.start..from.min(link.inner), String::new());
            seen.edits.replace(link.inner.min(link.end)..end_of(text, link), String::new());
        }
    };
    if let Some(name) = target.strip_prefix("variable:") {
        page.lose("link", format!("leads to what a variable says: {name}"));
        return drop(seen);
    }
    if target.contains("{{") || target.contains("{%") {
        page.lose("link", format!("leads to what a template says: {target}"));
        return drop(seen);
    }
    if ["javascript:", "vbscript:", "data:"].iter().any(|scheme| lowered.starts_with(scheme)) {
        page.lose(
            if link.is_image { "image" } else { "script" },
            format!("{} is dropped", target.chars().take(60).collect::<String>()),
        );
        return drop(seen);
    }
    if let Some(term) = target.strip_prefix('*').filter(|term| page.terms.contains_key(*term)) {
        let words = text[link.start + 1..link.inner].to_owned();
        if let Some(meaning) = page.terms.get(term).cloned() {
            page.abbreviations.insert(words, meaning);
        }
        return drop(seen);
    }
    if let Some(known) = target.strip_prefix(WITHIN) {
        let (key, anchor) = known.split_once('#').unwrap_or((known, ""));
        let decoded =
            |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        if !anchor.is_empty() {
            seen.anchors.push((decoded(key), decoded(anchor)));
        }
        return rewrite(text, link, None, &mut seen.edits);
    }
    let own = page.files.first().cloned().unwrap_or_default();
    if let Some(anchor) = target.strip_prefix('#') {
        let anchor = percent_encoding::percent_decode_str(anchor).decode_utf8_lossy().into_owned();
        seen.anchors.push((own, anchor));
        return rewrite(text, link, None, &mut seen.edits);
    }
    let Some((found, anchor)) = led(target, &own, page) else {
        return rewrite(text, link, None, &mut seen.edits);
    };
    match found {
        Some(Target::Document(key)) if key == own => {
            let anchor = anchor.unwrap_or_default();
            seen.anchors.push((own, anchor.clone()));
            let new = if anchor.is_empty() { within(&key, None) } else { format!("#{anchor}") };
            rewrite(text, link, Some(&new), &mut seen.edits);
        }
        Some(Target::Document(key)) => {
            if let Some(anchor) = &anchor {
                seen.anchors.push((key.clone(), anchor.clone()));
            }
            name_target(text, link, &key, page, seen);
            rewrite(text, link, Some(&within(&key, anchor.as_deref())), &mut seen.edits);
        }
        Some(Target::File(path)) => rewrite(text, link, Some(&within(&path, None)), &mut seen.edits),
        None => {
            page.lose_once(
                if link.is_image { "image" } else { "link" },
                &format!("{target}: leads to nothing in the source"),
            );
            drop(seen);
        }
    }
}

/// What of the source a target means, if anything, and its anchor. `None`: it leads out of the source.
fn led(target: &str, own: &str, page: &Page<'_>) -> Option<(Option<Target>, Option<String>)> {
    if let Some((path, anchor)) = relative(target) {
        let is_obsidian = page.site.flavour == Flavour::Obsidian;
        let by_name = || is_obsidian.then(|| named(path, own, page)).flatten();
        let found = page.site.find(own, path).or_else(by_name).or_else(|| page.site.nearest(own, path));
        return Some((found, anchor));
    }
    let found = page.site.of_address(target)?;
    let anchor = target
        .split_once('#')
        .map(|(_, anchor)| percent_encoding::percent_decode_str(anchor).decode_utf8_lossy().into_owned());
    Some((Some(found), anchor))
}

/// `[{#T}](page.md)` of Diplodoc shows the title of the page.
fn name_target(text: &str, link: &Open, key: &str, page: &Page<'_>, seen: &mut Seen) {
    let shown = link.start + 1..link.inner.min(link.end);
    if text.get(shown.clone()).is_some_and(|text| text.trim() == "{#T}")
        && let Some(title) = page.site.pages.get(key).and_then(|card| card.title.as_deref())
    {
        seen.edits.replace(shown, escaped(title));
    }
}

fn named(path: &str, own: &str, page: &Page<'_>) -> Option<Target> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    page.site.named(own, &decoded)
}

/// Braces of templates, which Pharos would read as its own.
fn braces(text: &str, range: &Range<usize>, edits: &mut Edits) {
    let part = &text[range.clone()];
    let mut from = 0;
    while let Some(found) = part[from..].find(['{']) {
        let at = from + found;
        if part[at + 1..].starts_with(['{', '%']) && !text[..range.start + at].ends_with('\\') {
            edits.replace(range.start + at..range.start + at + 1, "&#123;".to_owned());
        }
        from = at + 1;
    }
}

/// A reference to a value in a span of code, which Pharos would replace: it becomes plain text.
fn code_braces(text: &str, inner: &str, range: &Range<usize>, page: &mut Page<'_>, edits: &mut Edits) {
    let Some(open) = inner.find("{{") else { return };
    let name = inner[open + 2..].split("}}").next().unwrap_or_default().trim();
    let is_reference = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if is_reference && !text[range.clone()].is_empty() {
        page.lose_once(
            "code",
            &format!("{inner}: is plain text, so that it is not read as a value of Pharos"),
        );
        edits.replace(range.clone(), code_span(inner));
    }
}

/// Numbers the footnotes; gives them as a list for the end.
fn footnotes(text: &str, page: &mut Page<'_>, seen: &mut Seen) -> String {
    if seen.references.is_empty() && seen.notes.is_empty() {
        return String::new();
    }
    page.lose("footnote", "footnotes stand as a numbered list at the end");
    let mut order: Vec<String> = Vec::new();
    for (name, _) in seen.references.iter().chain(&seen.notes) {
        if !order.contains(name) && order.len() < 2_000 {
            order.push(name.clone());
        }
    }
    order.retain(|name| seen.notes.iter().any(|(other, _)| other == name));
    for (name, range) in &seen.references {
        let number = order.iter().position(|other| other == name).map(|at| at + 1);
        let shown = number.map_or_else(|| escaped(&format!("[{name}]")), |number| format!(" \\[{number}\\]"));
        seen.edits.replace(range.clone(), shown);
    }
    let mut list = String::new();
    for (at, name) in order.iter().enumerate() {
        let Some((_, range)) = seen.notes.iter().find(|(other, _)| other == name) else { continue };
        let note = seen.edits.apply_to(text, range.clone(), &[]);
        let note = note.split_once("]:").map_or("", |(_, note)| note);
        let lines: Vec<&str> = note.trim().split('\n').collect();
        let rest = super::page::dedented(&lines[1..]);
        let mark = format!("{}. ", at + 1);
        let body = format!("{}\n{rest}", lines[0]);
        let body = prefixed(body.trim(), &" ".repeat(mark.len()));
        list.push_str(&format!("{mark}{}\n", body.trim_start()));
    }
    list
}

/// What the abbreviations used stand for, at the end.
fn abbreviations(markdown: &mut String, page: &mut Page<'_>) {
    let used: Vec<(String, String)> = page
        .abbreviations
        .iter()
        .filter(|(short, _)| {
            markdown.match_indices(short.as_str()).any(|(at, found)| {
                let is_end = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
                is_end(markdown[..at].chars().next_back())
                    && is_end(markdown[at + found.len()..].chars().next())
            })
        })
        .map(|(short, long)| (short.clone(), long.clone()))
        .collect();
    if used.is_empty() {
        return;
    }
    page.lose("abbreviation", "what abbreviations stand for is said at the end");
    markdown.push('\n');
    for (short, long) in used {
        markdown.push_str(&format!("\n- **{}**: {}", escaped(&short), escaped(&long)));
    }
    markdown.push('\n');
}

/// No more than one empty line outside of code, and one end of line at the end.
fn tidy(markdown: &str) -> String {
    let lines: Vec<&str> = markdown.split('\n').collect();
    let mut written = String::with_capacity(markdown.len());
    let mut at = 0;
    let mut empty = true;
    while at < lines.len() {
        if let Some((_, mark, length, _)) = fence(lines[at]) {
            let count = fence_length(&lines, at, mark, length);
            for line in &lines[at..at + count] {
                written.push_str(line);
                written.push('\n');
            }
            empty = false;
            at += count;
            continue;
        }
        let is_empty = lines[at].trim().is_empty();
        if !(is_empty && empty) {
            written.push_str(if is_empty { "" } else { lines[at] });
            written.push('\n');
        }
        empty = is_empty;
        at += 1;
    }
    let trimmed = written.trim_end_matches('\n');
    if trimmed.is_empty() { String::new() } else { format!("{trimmed}\n") }
}

/// A text with names given to the headings that are linked to by names Pharos would not make of them; and the names there is no heading for.
pub(super) fn anchored(markdown: &str, wanted: &[String]) -> (String, Vec<String>) {
    let mut headings: Vec<(Range<usize>, Option<String>, String)> = Vec::new();
    let mut inside = false;
    for (event, range) in Parser::new_ext(markdown, OPTIONS).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { id, .. }) => {
                headings.push((range, id.map(|id| id.to_string()), String::new()));
                inside = true;
            }
            Event::End(TagEnd::Heading(_)) => inside = false,
            Event::Text(text) | Event::Code(text) if inside => {
                if let Some((_, _, heading)) = headings.last_mut() {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    let mut edits = Edits::default();
    let mut missing = Vec::new();
    for name in wanted {
        if headings.iter().any(|(_, id, _)| id.as_ref() == Some(name)) {
            continue;
        }
        let lowered = name.to_lowercase();
        let squeezed = |text: &str| {
            let words: Vec<&str> =
                text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
            words.join("-").to_lowercase()
        };
        let found = headings.iter_mut().find(|(_, id, text)| {
            id.is_none() && (super::include::slug(text) == lowered || squeezed(text) == squeezed(name))
        });
        match found {
            Some((range, id, text)) => {
                if squeezed(text) != *name {
                    let line = &markdown[range.clone()];
                    let end = range.start + line.trim_end().len();
                    edits.insert(end, &format!(" {{#{name}}}"));
                }
                *id = Some(name.clone());
            }
            None => missing.push(name.clone()),
        }
    }
    (edits.apply(markdown), missing)
}

/// Gives the headings the names of places that stand in or right before them; what is left is told.
pub(super) fn anchors_to_headings(
    text: &str,
    headings: &[(Range<usize>, bool)],
    page: &mut Page<'_>,
    edits: &mut Edits,
) {
    let anchors = std::mem::take(&mut edits.anchors);
    let mut named: Vec<usize> = Vec::new();
    for (at, name) in anchors {
        let fits = |name: &str| {
            !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | '<'))
        };
        let found = headings.iter().position(|(range, has_id)| {
            let is_inside = range.start <= at && at <= range.end;
            let is_before =
                at <= range.start && text[at..range.start].trim_matches(['\n', ' ', '>']).is_empty();
            !has_id && (is_inside || is_before)
        });
        match found.filter(|found| !named.contains(found) && fits(&name)) {
            Some(found) => {
                named.push(found);
                let source = &text[headings[found].0.clone()];
                let line = source.lines().next().unwrap_or_default();
                let line = line.trim_end().trim_end_matches('#').trim_end();
                edits.insert(headings[found].0.start + line.len(), &format!(" {{#{name}}}"));
            }
            None => page.lose_once("anchor", &format!("{name}: a name of a place that is no heading")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_get_the_names_that_are_linked_to() {
        let (text, missing) = anchored(
            "## Как купить?\n\n## SMS\n",
            &["как-купить".to_owned(), "SMS".to_owned(), "нет".to_owned()],
        );
        assert_eq!(text, "## Как купить?\n\n## SMS {#SMS}\n");
        assert_eq!(missing, ["нет"]);
    }

    #[test]
    fn targets_outside_are_left_alone() {
        assert!(
            relative("https://x.y").is_none()
                && relative("mailto:a@b").is_none()
                && relative("//x").is_none()
        );
        assert_eq!(relative("a.md?x=1#%D0%B0"), Some(("a.md", Some("а".to_owned()))));
    }

    #[test]
    fn empty_lines_are_one_outside_of_code() {
        assert_eq!(tidy("a\n\n\n\nb\n```\n\n\nc\n```\n\n"), "a\n\nb\n```\n\n\nc\n```\n");
    }
}
