//! The text of a DOCX file as blocks: paragraphs, lists, tables, links, pictures, fields, notes.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::math;
use super::package::Target;
use super::styles::{Numbering, OwnStyle, Role, Styles, is_on};
use crate::importing::blocks::{self, Block, Inline, note, plain};
use crate::importing::document::{Document, within};
use crate::importing::xml::Node;

/// The scheme of links within the page until it is known which headings they can lead to.
const BOOKMARK: &str = "bookmark:";

/// The most columns that cells may span.
const MAX_COLUMNS: usize = 200;

/// A block, or a part of a list that is not folded together yet.
enum Part {
    Block(Block),
    Item { level: usize, ordered: bool, number: u64, blocks: Vec<Block> },
}

/// An inline and the link it lies in.
type Leaf = (Inline, Option<Rc<str>>);

struct Field {
    instruction: String,
    has_result: bool,
    link: Option<Rc<str>>,
    is_dropped: bool,
}

/// Relationships by their ids.
type Relationships = HashMap<String, (String, Target)>;

/// What the walk through a file needs and gathers.
pub(super) struct Body<'a> {
    /// Styles of the file.
    pub(super) styles: Styles,
    /// Numbering of the file.
    pub(super) numbering: Numbering,
    /// Relationships of the part that is being read.
    pub(super) relationships: Relationships,
    /// Footnotes and endnotes by kind and id.
    pub(super) notes: HashMap<(&'static str, String), &'a Node>,
    /// Relationships of footnotes and of endnotes.
    pub(super) note_relationships: HashMap<&'static str, Relationships>,
    /// What comments say, by their ids.
    pub(super) comments: HashMap<String, String>,
    /// What is made of the file.
    pub(super) document: &'a mut Document,
    /// The title, where a paragraph of the style says it.
    pub(super) title: Option<String>,
    /// Texts of footnotes, in the order they are referred to.
    pub(super) footnotes: Vec<Vec<Inline>>,
    linked: HashSet<String>,
    bookmarks: HashMap<String, usize>,
    headings: usize,
    fields: Vec<Field>,
    boxes: Vec<Block>,
    in_cell: usize,
    insertions: usize,
    deletions: usize,
    last_code: bool,
}

impl<'a> Body<'a> {
    /// Begins to read a file into a document.
    pub(super) fn new(
        styles: Styles,
        numbering: Numbering,
        relationships: Relationships,
        document: &'a mut Document,
    ) -> Self {
        Self {
            styles,
            numbering,
            relationships,
            notes: HashMap::new(),
            note_relationships: HashMap::new(),
            comments: HashMap::new(),
            document,
            title: None,
            footnotes: Vec::new(),
            linked: HashSet::new(),
            bookmarks: HashMap::new(),
            headings: 0,
            fields: Vec::new(),
            boxes: Vec::new(),
            in_cell: 0,
            insertions: 0,
            deletions: 0,
            last_code: false,
        }
    }

    fn lose(&mut self, kind: &str, what: impl AsRef<str>) {
        note(&mut self.document.losses, kind, what);
    }

    /// Reads the whole body.
    pub(super) fn read(&mut self, body: &'a Node) -> Vec<Block> {
        self.linked = linked(body);
        let mut parts = Vec::new();
        self.container(body, &mut parts);
        let mut blocks = fold(parts);
        if self.insertions > 0 {
            let what = format!("{} tracked insertions were taken as accepted", self.insertions);
            self.lose("tracked-change", what);
        }
        if self.deletions > 0 {
            let what = format!("{} tracked deletions were left out", self.deletions);
            self.lose("tracked-change", what);
        }
        self.resolve(&mut blocks);
        blocks
    }

    fn container(&mut self, node: &'a Node, parts: &mut Vec<Part>) {
        for child in &node.children {
            match &*child.name {
                "w:p" => self.paragraph(child, parts),
                "w:tbl" => {
                    let block = self.table(child);
                    self.last_code = false;
                    parts.extend(block.map(Part::Block));
                }
                "w:sdt" => self.control(child, parts),
                "w:bookmarkStart" => self.bookmark(child),
                "w:altChunk" => self.lose("embedded-object", "a whole other file is embedded in the text"),
                "w:ins" | "w:moveTo" => {
                    self.insertions += 1;
                    self.container(child, parts);
                }
                "w:del" | "w:moveFrom" => self.deletions += 1,
                "mc:AlternateContent" => {
                    if let Some(choice) = alternative(child) {
                        self.container(choice, parts);
                    }
                }
                "w:customXml" | "w:smartTag" | "w:sdtContent" => self.container(child, parts),
                "m:oMathPara" | "m:oMath" => {
                    let mut leaves = Vec::new();
                    self.equation(child, &mut leaves);
                    parts.push(Part::Block(Block::Paragraph(grouped(leaves))));
                }
                _ => {}
            }
        }
    }

    fn control(&mut self, node: &'a Node, parts: &mut Vec<Part>) {
        let gallery =
            node.find("w:docPartGallery").and_then(|gallery| gallery.get("val")).unwrap_or_default();
        let is_own =
            node.child("w:sdtPr").is_some_and(|properties| properties.find("w:docPartGallery").is_some());
        if is_own && gallery.eq_ignore_ascii_case("table of contents") {
            self.lose("contents", "the table of contents was left out: the page shows its own");
            return;
        }
        if let Some(content) = node.child("w:sdtContent") {
            self.container(content, parts);
        }
    }

    fn bookmark(&mut self, node: &Node) {
        if let Some(name) = node.get("name").filter(|name| self.linked.contains(*name)) {
            self.bookmarks.entry(name.to_owned()).or_insert(self.headings);
        }
    }

    fn paragraph(&mut self, node: &'a Node, parts: &mut Vec<Part>) {
        let properties = node.child("w:pPr");
        let value = |name: &str| properties.and_then(|all| all.child(name)).and_then(|node| node.get("val"));
        let style = value("w:pStyle");
        let role = self.styles.role(style);
        let heading = match value("w:outlineLvl").and_then(|level| level.parse::<u8>().ok()) {
            Some(level) => (level < 9).then_some(level + 1),
            None => self.styles.heading(style),
        };
        if heading.is_some() {
            // A field that never ends must not swallow the rest of the file.
            self.fields.retain(|field| field.has_result && !field.is_dropped);
        }
        let before = self.headings;
        if heading.is_some() && self.in_cell == 0 {
            // Bookmarks within a heading are of that heading, so it is counted before what it says is read.
            self.headings += 1;
        }
        let mut leaves = Vec::new();
        self.inlines(node, None, &mut leaves);
        let inlines = grouped(leaves);
        let boxes = std::mem::take(&mut self.boxes);
        let is_blank = blocks::is_blank(&inlines);
        let has_rule = node.find("v:rect").is_some_and(|rect| rect.get("hr").is_some());
        if role == Role::Contents {
            self.headings = before;
            if !is_blank {
                self.lose("contents", "the table of contents was left out: the page shows its own");
            }
        } else if is_blank {
            self.headings = before;
            self.blank(has_rule, role, parts);
        } else if role == Role::Title
            && self.in_cell == 0
            && (self.headings == before || before == 0)
            && self.title.is_none()
        {
            self.headings = before;
            self.title = Some(blocks::said(&inlines));
        } else if let (Some(level), true) = (heading, self.in_cell == 0) {
            self.last_code = false;
            self.document.had.headings += 1;
            if self.list_of(node, style).is_some() {
                self.lose("heading-numbers", "numbers that the word processor puts before headings");
            }
            parts.push(Part::Block(Block::Heading { level, anchor: None, text: unstyled(inlines) }));
        } else {
            if heading.is_some() {
                self.lose("heading-in-table", blocks::said(&inlines));
            }
            self.text(node, style, role, inlines, parts);
        }
        parts.extend(boxes.into_iter().map(Part::Block));
    }

    fn blank(&mut self, has_rule: bool, role: Role, parts: &mut Vec<Part>) {
        if has_rule {
            parts.push(Part::Block(Block::Rule));
        } else if let (Role::Code, true, Some(Part::Block(Block::Code { text, .. }))) =
            (role, self.last_code, parts.last_mut())
        {
            text.push('\n');
        }
    }

    fn text(
        &mut self,
        node: &'a Node,
        style: Option<&str>,
        role: Role,
        inlines: Vec<Inline>,
        parts: &mut Vec<Part>,
    ) {
        let is_mono = inlines.iter().all(|inline| match inline {
            Inline::Code(..) | Inline::Break => true,
            Inline::Text(text, _) => text.trim().is_empty(),
            _ => false,
        });
        let list = self.list_of(node, style);
        // Offices print whole letters in such fonts: prose is no code, whatever its font.
        let is_prose = is_mono_prose(&inlines);
        let inlines = if is_prose && is_mono { uncoded(inlines) } else { inlines };
        let is_code = !is_prose && (role == Role::Code || (is_mono && self.in_cell == 0)) && list.is_none();
        if is_code
            && inlines.iter().all(|inline| !matches!(inline, Inline::Image { .. } | Inline::Link { .. }))
        {
            let lines = raw(&inlines);
            if let (true, Some(Part::Block(Block::Code { text, .. }))) = (self.last_code, parts.last_mut()) {
                text.push('\n');
                text.push_str(&lines);
            } else {
                self.document.had.code += 1;
                parts.push(Part::Block(Block::Code { lang: String::new(), text: lines }));
            }
            self.last_code = true;
            return;
        }
        self.last_code = false;
        if let Some((list, level)) = list {
            return self.item(&list, level, inlines, parts);
        }
        let block = Block::Paragraph(inlines);
        let indent = node.child("w:pPr").and_then(|properties| properties.child("w:ind"));
        let indent = indent.and_then(|indent| indent.get("left").or_else(|| indent.get("start")));
        let is_indented =
            indent.and_then(|indent| indent.parse::<i64>().ok()).is_some_and(|indent| indent >= 360);
        let name = self.styles.name(style);
        let goes_on =
            name.starts_with("list continue") || (is_indented && name.starts_with("list paragraph"));
        match (parts.last_mut(), role) {
            (Some(Part::Item { blocks, .. }), _) if goes_on => blocks.push(block),
            (Some(Part::Block(Block::Quote(blocks))), Role::Quote) => blocks.push(block),
            (_, Role::Quote) => parts.push(Part::Block(Block::Quote(vec![block]))),
            _ => parts.push(Part::Block(block)),
        }
    }

    /// The list a paragraph is in, and the level.
    fn list_of(&self, node: &Node, style: Option<&str>) -> Option<(String, usize)> {
        let own = node.child("w:pPr").and_then(|properties| properties.child("w:numPr"));
        let value = |name: &str| own.and_then(|own| own.child(name)).and_then(|node| node.get("val"));
        let of_style = self.styles.numbering(style);
        let list = value("w:numId").or(of_style.map(|(list, _)| list)).filter(|list| *list != "0")?;
        let level = value("w:ilvl")
            .and_then(|level| level.parse().ok())
            .or_else(|| style.and_then(|style| self.numbering.level_of_style(list, style, &self.styles)))
            .or(of_style.and_then(|(_, level)| level))
            .unwrap_or(0);
        Some((list.to_owned(), level.min(8)))
    }

    fn item(&mut self, list: &str, level: usize, inlines: Vec<Inline>, parts: &mut Vec<Part>) {
        let block = Block::Paragraph(inlines);
        let Some(kind) = self.numbering.level(list, level, &self.styles) else {
            // A list that is not defined is shown as text by word processors too.
            parts.push(Part::Block(block));
            return;
        };
        let has_mark = !kind.text.trim().is_empty() && kind.format != "none";
        if !has_mark {
            match parts.last_mut() {
                Some(Part::Item { blocks, .. }) => blocks.push(block),
                _ => parts.push(Part::Block(block)),
            }
            return;
        }
        let ordered = kind.format != "bullet";
        let number = self.numbering.count(list, level, &self.styles);
        if ordered && (kind.format != "decimal" || kind.text.matches('%').count() > 1) {
            let what = format!("items numbered as {} {:?} are numbered 1, 2, 3", kind.format, kind.text);
            self.lose("numbering", what);
        }
        self.document.had.items += 1;
        parts.push(Part::Item { level, ordered, number, blocks: vec![block] });
    }

    fn table(&mut self, node: &'a Node) -> Option<Block> {
        self.document.had.tables += 1;
        let mut rows = Vec::new();
        table_rows(node, &mut rows);
        let mut cells = rows.iter().flat_map(|row| cells_of(row));
        if let (Some(only), None) = (cells.next(), cells.next()) {
            let mut parts = Vec::new();
            let inside = std::mem::take(&mut self.in_cell);
            self.container(only, &mut parts);
            self.in_cell = inside;
            let blocks = fold(parts);
            self.lose("layout-table", "a table of one cell became a quotation");
            return (!blocks.is_empty()).then_some(Block::Quote(blocks));
        }
        self.in_cell += 1;
        let mut merged = false;
        let mut above: Vec<Vec<Inline>> = Vec::new();
        let mut table = Vec::new();
        for row in rows {
            let (cells, has_merged) = self.row(row, &above);
            merged |= has_merged;
            above.clone_from(&cells);
            table.push(cells);
        }
        self.in_cell -= 1;
        if merged {
            self.lose("merged-cells", "merged cells of a table were spread over the cells they covered");
        }
        table.retain(|row| row.iter().any(|cell| !blocks::is_blank(cell)));
        if table.is_empty() {
            self.lose("table", "an empty table was left out");
            return None;
        }
        Some(Block::Table(table))
    }

    fn row(&mut self, row: &'a Node, above: &[Vec<Inline>]) -> (Vec<Vec<Inline>>, bool) {
        let number = |of: Option<&Node>, name: &str| {
            of.and_then(|of| of.child(name))
                .and_then(|node| node.get("val"))
                .and_then(|value| value.parse().ok())
        };
        let before: usize = number(row.child("w:trPr"), "w:gridBefore").unwrap_or(0);
        let mut cells: Vec<Vec<Inline>> = vec![Vec::new(); before.min(MAX_COLUMNS)];
        let mut merged = false;
        for cell in cells_of(row) {
            if cells.len() >= MAX_COLUMNS {
                self.lose("table", format!("a table has more than {MAX_COLUMNS} columns"));
                break;
            }
            let properties = cell.child("w:tcPr");
            let mut parts = Vec::new();
            self.container(cell, &mut parts);
            self.last_code = false;
            let mut inlines = blocks::in_line(fold(parts), &mut self.document.losses);
            let merge = properties.and_then(|properties| properties.child("w:vMerge"));
            if let Some(merge) = merge {
                merged = true;
                if merge.get("val") != Some("restart") {
                    inlines = above.get(cells.len()).cloned().unwrap_or_default();
                }
            }
            cells.push(inlines);
            let span: usize = number(properties, "w:gridSpan").unwrap_or(1).clamp(1, MAX_COLUMNS);
            merged |= span > 1;
            cells.resize_with((cells.len() + span - 1).min(MAX_COLUMNS), Vec::new);
        }
        (cells, merged)
    }

    fn inlines(&mut self, node: &'a Node, link: Option<&Rc<str>>, leaves: &mut Vec<Leaf>) {
        for child in &node.children {
            match &*child.name {
                "w:r" => self.run(child, link, leaves),
                "w:hyperlink" => {
                    let to = self.hyperlink(child);
                    if !self.is_dropped() {
                        self.document.had.links += 1;
                    }
                    self.inlines(child, to.as_ref().or(link), leaves);
                }
                "w:fldSimple" => {
                    let instruction = child.get("instr").unwrap_or_default().to_owned();
                    self.fields.push(Field { instruction, has_result: false, link: None, is_dropped: false });
                    self.separate();
                    self.inlines(child, link, leaves);
                    self.fields.pop();
                }
                "w:ins" | "w:moveTo" => {
                    self.insertions += 1;
                    self.inlines(child, link, leaves);
                }
                "w:del" | "w:moveFrom" => self.deletions += 1,
                "w:bookmarkStart" => self.bookmark(child),
                "w:sdt" => {
                    let hint = child
                        .child("w:sdtPr")
                        .is_some_and(|properties| properties.child("w:showingPlcHdr").is_some());
                    match child.child("w:sdtContent") {
                        Some(_) if hint => self.lose("form", "a field of a form that nobody filled in"),
                        Some(content) => self.inlines(content, link, leaves),
                        None => {}
                    }
                }
                "w:smartTag" | "w:customXml" | "w:dir" | "w:bdo" | "w:sdtContent" => {
                    self.inlines(child, link, leaves)
                }
                "mc:AlternateContent" => {
                    if let Some(choice) = alternative(child) {
                        self.inlines(choice, link, leaves);
                    }
                }
                "m:oMath" | "m:oMathPara" => self.equation(child, leaves),
                "w:subDoc" => self.lose("embedded-object", "another file is a part of the text"),
                _ => {}
            }
        }
    }

    fn equation(&mut self, node: &Node, leaves: &mut Vec<Leaf>) {
        let text = math::said(node);
        if !text.is_empty() && !self.is_dropped() {
            self.lose("equation", format!("written in one line: {text}"));
            leaves.push((plain(text), None));
        }
    }

    fn hyperlink(&mut self, node: &Node) -> Option<Rc<str>> {
        let anchor = node.get("anchor").filter(|anchor| !anchor.is_empty());
        match (node.get("r:id").and_then(|id| self.relationships.get(id)), anchor) {
            (Some((_, Target::Outside(url))), anchor) => {
                let url = match anchor {
                    Some(anchor) if !url.contains('#') => format!("{url}#{anchor}"),
                    _ => url.clone(),
                };
                self.outside(&url)
            }
            (Some((_, Target::Part(part))), _) => {
                let part = part.clone();
                self.lose("link", part);
                None
            }
            (None, Some(anchor)) => Some(Rc::from(format!("{BOOKMARK}{anchor}"))),
            (None, None) => None,
        }
    }

    /// Links to neighbouring files of the source are within it; the others stay as they are, or go if they are dangerous.
    fn outside(&mut self, url: &str) -> Option<Rc<str>> {
        if let Some(anchor) = url.strip_prefix('#') {
            return Some(Rc::from(format!("{BOOKMARK}{anchor}")));
        }
        let Some(to) = blocks::destination(url) else {
            self.lose("link", url);
            return None;
        };
        let (path, anchor) =
            to.split_once('#').map_or((to.as_str(), None), |(path, anchor)| (path, Some(anchor)));
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy().replace('\\', "/");
        if path.contains(':') || path.starts_with('/') || path.is_empty() {
            return Some(Rc::from(to));
        }
        let mut names: Vec<&str> = self.document.key.split('/').collect();
        names.pop();
        for name in path.split('/') {
            match name {
                "" | "." => {}
                ".." => {
                    names.pop();
                }
                name => names.push(name),
            }
        }
        Some(Rc::from(within(&names.join("/"), anchor)))
    }

    fn is_dropped(&self) -> bool {
        self.fields.iter().any(|field| field.is_dropped || !field.has_result)
    }

    fn field(&mut self, node: &Node, leaves: &mut Vec<Leaf>) {
        match node.get("fldCharType") {
            Some("begin") => {
                if let Some(checked) = node.find("w:checkBox") {
                    let is_checked =
                        checked.child("w:checked").or_else(|| checked.child("w:default")).is_some_and(is_on);
                    leaves.push((plain(if is_checked { "☒" } else { "☐" }), None));
                }
                self.fields.push(Field {
                    instruction: String::new(),
                    has_result: false,
                    link: None,
                    is_dropped: false,
                });
            }
            Some("separate") => self.separate(),
            Some("end") => {
                self.fields.pop();
            }
            _ => {}
        }
    }

    /// The instruction of a field is whole: what is made of its result?
    fn separate(&mut self) {
        let was_dropped = self.fields.iter().rev().skip(1).any(|field| field.is_dropped);
        let Some(field) = self.fields.last_mut() else { return };
        field.has_result = true;
        let words = words(&field.instruction);
        let name = words.first().map(|word| word.to_uppercase()).unwrap_or_default();
        match name.as_str() {
            "TOC" | "TOA" | "INDEX" | "PAGE" | "NUMPAGES" | "SECTIONPAGES" | "PAGEREF" | "XE" | "TC"
            | "RD" => {
                field.is_dropped = true;
                if name == "TOC" {
                    self.lose("contents", "the table of contents was left out: the page shows its own");
                } else if name == "PAGEREF" && !was_dropped {
                    self.lose("page-number", "the number of a page that the text refers to");
                } else if name == "INDEX" || name == "TOA" {
                    self.lose("contents", "an index was left out");
                }
            }
            "HYPERLINK" => {
                let link = link_words(&words);
                if !was_dropped {
                    self.document.had.links += 1;
                }
                let link = match link {
                    (Some(url), Some(anchor)) if !url.contains('#') => {
                        self.outside(&format!("{url}#{anchor}"))
                    }
                    (Some(url), _) => self.outside(&url),
                    (None, Some(anchor)) => Some(Rc::from(format!("{BOOKMARK}{anchor}"))),
                    (None, None) => None,
                };
                if let Some(field) = self.fields.last_mut() {
                    field.link = link;
                }
            }
            "REF" if words.iter().any(|word| word == "\\h") => {
                field.link = words.get(1).map(|name| Rc::from(format!("{BOOKMARK}{name}")));
                if !was_dropped {
                    self.document.had.links += 1;
                }
            }
            _ => {}
        }
    }

    fn run(&mut self, node: &'a Node, link: Option<&Rc<str>>, leaves: &mut Vec<Leaf>) {
        let properties = node.child("w:rPr");
        let value = |name: &str| properties.and_then(|all| all.child(name)).and_then(|node| node.get("val"));
        let own = self.styles.run(OwnStyle::of(properties), value("w:rStyle"));
        if own.hidden == Some(true) {
            let text = text_in(node);
            if !text.trim().is_empty() {
                self.lose("hidden-text", text);
            }
            self.fields_in(node, leaves);
            return;
        }
        let position = value("w:vertAlign").unwrap_or_default().to_owned();
        for child in &node.children {
            self.run_part(child, own, &position, link, leaves);
        }
    }

    /// Marks of fields count even in hidden text: a field that begins there ends elsewhere.
    fn fields_in(&mut self, node: &Node, leaves: &mut Vec<Leaf>) {
        for child in &node.children {
            match &*child.name {
                "w:fldChar" => self.field(child, leaves),
                "w:instrText" => self.instruct(&child.text),
                _ => {}
            }
        }
    }

    fn instruct(&mut self, text: &str) {
        if let Some(field) =
            self.fields.last_mut().filter(|field| !field.has_result && field.instruction.len() < 10_000)
        {
            field.instruction.push_str(text);
        }
    }

    fn run_part(
        &mut self,
        node: &'a Node,
        own: OwnStyle,
        position: &str,
        link: Option<&Rc<str>>,
        leaves: &mut Vec<Leaf>,
    ) {
        match &*node.name {
            "w:fldChar" => return self.field(node, leaves),
            "w:instrText" => return self.instruct(&node.text),
            "mc:AlternateContent" => {
                for child in alternative(node).iter().flat_map(|choice| &choice.children) {
                    self.run_part(child, own, position, link, leaves);
                }
                return;
            }
            _ if self.is_dropped() => return,
            _ => {}
        }
        let (style, is_code) = own.style();
        let link = self.fields.iter().rev().find_map(|field| field.link.clone()).or_else(|| link.cloned());
        let mut say = |text: String| {
            let inline = if is_code { Inline::Code(text, style) } else { Inline::Text(text, style) };
            leaves.push((inline, link.clone()));
        };
        match &*node.name {
            "w:t" => match blocks::raised(&node.text, position) {
                Some(text) => say(text),
                None => {
                    say(node.text.clone());
                    let kind = if position == "subscript" { "subscript" } else { "superscript" };
                    self.lose(kind, format!("{} is in line with the text", node.text));
                }
            },
            "w:tab" | "w:ptab" => say("\t".to_owned()),
            "w:noBreakHyphen" => say("\u{2011}".to_owned()),
            "w:br" if matches!(node.get("type"), Some("page" | "column")) => {}
            "w:br" | "w:cr" => leaves.push((Inline::Break, None)),
            "w:sym" => self.symbol(node, leaves),
            "w:drawing" | "w:pict" | "w:object" => self.graphic(node, link.as_ref(), leaves),
            "w:footnoteReference" => self.footnote("footnote", node, leaves),
            "w:endnoteReference" => self.footnote("endnote", node, leaves),
            "w:commentReference" => {
                let id = node.get("id").unwrap_or_default();
                let what = self.comments.get(id).cloned().unwrap_or_else(|| format!("comment {id}"));
                self.lose("comment", what);
            }
            "w:ruby" => {
                let base = node.child("w:rubyBase");
                for run in base.iter().flat_map(|base| &base.children).filter(|child| &*child.name == "w:r") {
                    self.run(run, link.as_ref(), leaves);
                }
                let reading = node.child("w:rt").map(text_in).unwrap_or_default();
                leaves.push((plain(format!(" ({reading})")), None));
            }
            _ => {}
        }
    }

    fn symbol(&mut self, node: &Node, leaves: &mut Vec<Leaf>) {
        let font = node.get("font").unwrap_or_default().to_lowercase();
        let code = node.get("char").and_then(|code| u32::from_str_radix(code, 16).ok()).unwrap_or(0);
        match symbol(&font, code) {
            Some(char) => leaves.push((plain(char.to_string()), None)),
            None => self.lose("symbol", format!("character {code:X} of the font {font}")),
        }
    }

    fn graphic(&mut self, node: &'a Node, link: Option<&Rc<str>>, leaves: &mut Vec<Leaf>) {
        let described = node.find("wp:docPr").and_then(|about| {
            about.get("descr").filter(|text| !text.is_empty()).or_else(|| about.get("title"))
        });
        let shape = node.find("v:shape").and_then(|shape| shape.get("alt"));
        let alt = described.or(shape).unwrap_or_default().to_owned();
        let clicked = node.find("a:hlinkClick").and_then(|click| click.get("r:id"));
        let clicked = clicked.and_then(|id| match self.relationships.get(id) {
            Some((_, Target::Outside(url))) => Some(url.clone()),
            _ => None,
        });
        let clicked = clicked.and_then(|url| self.outside(&url));
        let link = clicked.as_ref().or(link);
        let mut queue: Vec<&'a Node> = vec![node];
        while let Some(node) = queue.pop() {
            match &*node.name {
                "a:blip" | "v:imagedata" => {
                    let id = node.get("r:embed").or_else(|| node.get("r:id")).or_else(|| node.get("r:link"));
                    self.picture(id, &alt, link, leaves);
                }
                "w:txbxContent" => {
                    let mut parts = Vec::new();
                    let fields = std::mem::take(&mut self.fields);
                    let outer = std::mem::take(&mut self.boxes);
                    self.container(node, &mut parts);
                    self.fields = fields;
                    let inner = std::mem::replace(&mut self.boxes, outer);
                    let blocks = fold(parts);
                    if !blocks.is_empty() {
                        self.lose("text-box", "the text of a text box follows the paragraph it was beside");
                    }
                    self.boxes.extend(blocks);
                    self.boxes.extend(inner);
                    continue;
                }
                "c:chart" => self.lose("chart", format!("a chart {alt}")),
                "dgm:relIds" => self.lose("smartart", format!("a diagram {alt}")),
                "o:OLEObject" => {
                    let what = format!(
                        "an embedded object of {}",
                        node.get("ProgID").unwrap_or("an unknown program")
                    );
                    self.lose("embedded-object", what);
                }
                "w:control" => self.lose("form", "a control of a form"),
                _ => {}
            }
            match alternative(node) {
                Some(choice) => queue.push(choice),
                None => queue.extend(node.children.iter().rev()),
            }
        }
    }

    fn picture(&mut self, id: Option<&str>, alt: &str, link: Option<&Rc<str>>, leaves: &mut Vec<Leaf>) {
        self.document.had.images += 1;
        let target = id.and_then(|id| self.relationships.get(id)).map(|(_, target)| target.clone());
        let to = match target {
            Some(Target::Part(part)) => {
                let end = part.rsplit('.').next().unwrap_or_default().to_lowercase();
                if matches!(end.as_str(), "emf" | "wmf" | "emz" | "wmz" | "tif" | "tiff" | "pict" | "pct") {
                    self.lose("picture-format", format!("{part}: browsers do not show {end}"));
                    return;
                }
                Some(within(&format!("{}!/{part}", self.document.key), None))
            }
            Some(Target::Outside(url)) => blocks::destination(&url),
            None => None,
        };
        match to {
            Some(to) => {
                let alt = alt.split_whitespace().collect::<Vec<_>>().join(" ");
                leaves.push((Inline::Image { to, alt }, link.cloned()));
            }
            None => self.lose("picture", format!("a picture that is not in the file {alt}")),
        }
    }

    fn footnote(&mut self, kind: &'static str, node: &Node, leaves: &mut Vec<Leaf>) {
        let id = node.get("id").unwrap_or_default().to_owned();
        // Taken out, a note that refers to itself ends.
        let Some(body) = self.notes.remove(&(kind, id)) else {
            self.lose("footnote", "a footnote that is not in the file");
            return;
        };
        self.lose("footnote", "footnotes became a numbered list at the end of the page");
        let number = self.footnotes.len();
        self.footnotes.push(Vec::new());
        leaves.push((plain(format!("[{}]", number + 1)), None));
        let own = self.note_relationships.get(kind).cloned().unwrap_or_default();
        let outer = std::mem::replace(&mut self.relationships, own);
        let fields = std::mem::take(&mut self.fields);
        let mut parts = Vec::new();
        self.in_cell += 1;
        self.container(body, &mut parts);
        self.in_cell -= 1;
        self.fields = fields;
        self.relationships = outer;
        let line = blocks::in_line(fold(parts), &mut Vec::new());
        if let Some(place) = self.footnotes.get_mut(number) {
            *place = line;
        }
    }

    /// Links to bookmarks lead to the heading that the bookmark is in or under; where there is none, only their text stays.
    pub(super) fn resolve(&mut self, blocks: &mut [Block]) {
        let mut names: Vec<(&String, &usize)> = self.bookmarks.iter().collect();
        names.sort();
        let mut anchors: HashMap<usize, String> = HashMap::new();
        for (name, heading) in names.into_iter().filter(|(_, heading)| **heading > 0) {
            anchors.entry(*heading).or_insert_with(|| blocks::anchor(name));
        }
        let mut index = 0;
        set_anchors(blocks, &anchors, &mut index);
        let known: HashMap<String, String> = self
            .bookmarks
            .iter()
            .filter_map(|(name, heading)| Some((name.clone(), anchors.get(heading)?.clone())))
            .collect();
        let mut dead = Vec::new();
        each_line(blocks, &mut |line| relink(line, &known, &mut dead));
        for line in &mut self.footnotes {
            relink(line, &known, &mut dead);
        }
        for name in dead {
            self.lose("link", format!("a link to {name}, which is under no heading of the page"));
        }
    }
}

/// The text of footnotes as blocks for the end of the page.
pub(super) fn footnotes(notes: &[Vec<Inline>]) -> Vec<Block> {
    if notes.is_empty() {
        return Vec::new();
    }
    let items = notes.iter().map(|text| vec![Block::Paragraph(text.clone())]).collect();
    vec![Block::Rule, Block::List { start: Some(1), items }]
}

fn set_anchors(blocks: &mut [Block], anchors: &HashMap<usize, String>, index: &mut usize) {
    for block in blocks {
        match block {
            Block::Heading { anchor, .. } => {
                *index += 1;
                *anchor = anchors.get(index).cloned().filter(|anchor| !anchor.is_empty());
            }
            Block::Quote(inner) => set_anchors(inner, anchors, index),
            _ => {}
        }
    }
}

fn each_line(blocks: &mut [Block], call: &mut dyn FnMut(&mut Vec<Inline>)) {
    for block in blocks {
        match block {
            Block::Heading { text, .. } | Block::Paragraph(text) => call(text),
            Block::List { items, .. } => items.iter_mut().for_each(|item| each_line(item, call)),
            Block::Quote(blocks) | Block::Alert { blocks, .. } => each_line(blocks, call),
            Block::Table(rows) => rows.iter_mut().flatten().for_each(&mut *call),
            Block::Code { .. } | Block::Rule => {}
        }
    }
}

fn relink(line: &mut Vec<Inline>, known: &HashMap<String, String>, dead: &mut Vec<String>) {
    for inline in std::mem::take(line) {
        match inline {
            Inline::Link { to, text } => match to.strip_prefix(BOOKMARK) {
                Some(name) => match known.get(name) {
                    Some(anchor) => line.push(Inline::Link { to: format!("#{anchor}"), text }),
                    None => {
                        dead.push(name.to_owned());
                        line.extend(text);
                    }
                },
                None => line.push(Inline::Link { to, text }),
            },
            inline => line.push(inline),
        }
    }
}

/// Names of bookmarks that something in the text leads to.
fn linked(body: &Node) -> HashSet<String> {
    let mut names = HashSet::new();
    let mut instruction = String::new();
    let add = |instruction: &str, names: &mut HashSet<String>| {
        let words = words(instruction);
        match words.first().map(|word| word.to_uppercase()).as_deref() {
            Some("HYPERLINK") => names.extend(link_words(&words).1),
            Some("REF") => names.extend(words.get(1).cloned()),
            _ => {}
        }
    };
    body.each(&mut |node| match &*node.name {
        "w:hyperlink" => names.extend(node.get("anchor").map(str::to_owned)),
        "w:fldSimple" => add(node.get("instr").unwrap_or_default(), &mut names),
        "w:instrText" if instruction.len() < 10_000 => instruction.push_str(&node.text),
        "w:fldChar" => {
            add(&instruction, &mut names);
            instruction.clear();
        }
        _ => {}
    });
    names
}

/// The words of a field's instruction; those in quotation marks are one.
fn words(instruction: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut chars = instruction.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' => {
                if quoted {
                    words.push(std::mem::take(&mut word));
                }
                quoted = !quoted;
            }
            '\\' if quoted && matches!(chars.peek(), Some('\\' | '"')) => word.extend(chars.next()),
            char if char.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            char => word.push(char),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The address and the anchor of `HYPERLINK "address" \l "anchor"`.
fn link_words(words: &[String]) -> (Option<String>, Option<String>) {
    let (mut url, mut anchor) = (None, None);
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        match word.as_str() {
            "\\l" => anchor = rest.next().cloned(),
            "\\o" | "\\t" => {
                rest.next();
            }
            switch if switch.starts_with('\\') && switch.len() == 2 => {}
            word if url.is_none() && !word.is_empty() => url = Some(word.to_owned()),
            _ => {}
        }
    }
    (url, anchor)
}

/// What a newer word processor would take of `mc:AlternateContent`.
fn alternative(node: &Node) -> Option<&Node> {
    if &*node.name != "mc:AlternateContent" {
        return None;
    }
    node.child("mc:Choice").filter(|choice| !choice.children.is_empty()).or_else(|| node.child("mc:Fallback"))
}

fn table_rows<'n>(node: &'n Node, rows: &mut Vec<&'n Node>) {
    for child in &node.children {
        match &*child.name {
            "w:tr" => rows.push(child),
            "w:sdt" | "w:sdtContent" | "w:ins" | "w:customXml" => table_rows(child, rows),
            _ => {}
        }
    }
}

fn cells_of(row: &Node) -> Vec<&Node> {
    let mut cells = Vec::new();
    for child in &row.children {
        match &*child.name {
            "w:tc" => cells.push(child),
            "w:sdt" | "w:sdtContent" | "w:customXml" => cells.extend(cells_of(child)),
            _ => {}
        }
    }
    cells
}

/// All text in an element, as one line.
pub(super) fn text_in(node: &Node) -> String {
    let mut text = String::new();
    if &*node.name == "w:t" {
        text.push_str(&node.text);
    }
    node.each(&mut |child| match &*child.name {
        "w:t" => text.push_str(&child.text),
        "w:p" | "w:tab" | "w:br" => text.push(' '),
        _ => {}
    });
    text
}

fn grouped(leaves: Vec<Leaf>) -> Vec<Inline> {
    let mut inlines = Vec::new();
    let mut open: Option<(Rc<str>, Vec<Inline>)> = None;
    for (inline, link) in leaves {
        match (&mut open, link) {
            (Some((to, text)), Some(link)) if *to == link => text.push(inline),
            (_, link) => {
                inlines.extend(open.take().map(link_of));
                match link {
                    Some(link) => open = Some((link, vec![inline])),
                    None => inlines.push(inline),
                }
            }
        }
    }
    inlines.extend(open.take().map(link_of));
    inlines.retain(|inline| !matches!(inline, Inline::Link { text, .. } if text.is_empty()));
    blocks::tidy(inlines)
}

fn link_of((to, text): (Rc<str>, Vec<Inline>)) -> Inline {
    // A link of blanks shows nothing.
    if blocks::is_blank(&text) {
        return plain(if text.is_empty() { "" } else { " " });
    }
    Inline::Link { to: to.to_string(), text: blocks::tidy(text) }
}

/// Headings are bold by themselves.
fn unstyled(inlines: Vec<Inline>) -> Vec<Inline> {
    let plainer = inlines.into_iter().map(|inline| match inline {
        Inline::Text(text, mut style) => {
            style.bold = false;
            Inline::Text(text, style)
        }
        inline => inline,
    });
    blocks::tidy(plainer.collect())
}

/// Whether text reads as sentences rather than as code.
fn is_mono_prose(inlines: &[Inline]) -> bool {
    let text = blocks::said(inlines);
    let letters = text.chars().filter(|char| char.is_alphabetic()).count();
    let foreign = text.chars().filter(|char| char.is_alphabetic() && !char.is_ascii()).count();
    let signs = text.chars().filter(|char| "{}=<>|$\\_;#@`[]".contains(*char)).count();
    let words = text.split_whitespace().count();
    let is_foreign = foreign * 2 > letters && !text.starts_with(['#', '/', '-', '$', '<']);
    (is_foreign && signs < 3) || (words >= 6 && signs == 0 && letters * 4 > text.chars().count() * 3)
}

fn uncoded(inlines: Vec<Inline>) -> Vec<Inline> {
    let texts = inlines.into_iter().map(|inline| match inline {
        Inline::Code(text, style) => Inline::Text(text, style),
        inline => inline,
    });
    blocks::tidy(texts.collect())
}

/// Text with its blanks and ends of lines.
fn raw(inlines: &[Inline]) -> String {
    inlines
        .iter()
        .map(|inline| match inline {
            Inline::Text(text, _) | Inline::Code(text, _) => text.as_str(),
            Inline::Break => "\n",
            _ => "",
        })
        .collect()
}

fn fold(parts: Vec<Part>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut items = Vec::new();
    for part in parts {
        match part {
            Part::Block(block) => {
                blocks.extend(lists(std::mem::take(&mut items)));
                blocks.push(block);
            }
            item => items.push(item),
        }
    }
    blocks.extend(lists(items));
    blocks
}

/// Items of one run as lists in one another: what is deeper than the first of its list belongs to the item before it.
fn lists(parts: Vec<Part>) -> Vec<Block> {
    let mut found: Vec<(Block, u64)> = Vec::new();
    let mut deeper: Vec<Part> = Vec::new();
    let mut base = None;
    let attach = |found: &mut Vec<(Block, u64)>, deeper: &mut Vec<Part>| {
        if let Some((Block::List { items, .. }, ..)) = found.last_mut()
            && let Some(item) = items.last_mut()
        {
            item.extend(lists(std::mem::take(deeper)));
        }
    };
    for part in parts {
        let Part::Item { level, ordered, number, blocks } = part else { continue };
        if level > *base.get_or_insert(level) {
            deeper.push(Part::Item { level, ordered, number, blocks });
            continue;
        }
        attach(&mut found, &mut deeper);
        match found.last_mut() {
            Some((Block::List { start, items }, next))
                if start.is_some() == ordered && (!ordered || *next == number) =>
            {
                items.push(blocks);
                *next = number.saturating_add(1);
            }
            _ => {
                let block = Block::List { start: ordered.then_some(number), items: vec![blocks] };
                found.push((block, number.saturating_add(1)));
            }
        }
    }
    attach(&mut found, &mut deeper);
    found.into_iter().map(|(block, ..)| block).collect()
}

/// Characters of fonts of symbols, by their places in the private area.
fn symbol(font: &str, code: u32) -> Option<char> {
    if !(0xF000..=0xF0FF).contains(&code) && code > 0xFF {
        return char::from_u32(code);
    }
    let code = code & 0xFF;
    let is_wingdings = font.contains("wingdings");
    let known: &[(u32, char)] = if is_wingdings {
        &[
            (0x28, '☎'),
            (0x2A, '✉'),
            (0x4A, '☺'),
            (0x4C, '☹'),
            (0x6C, '●'),
            (0x6E, '■'),
            (0x6F, '☐'),
            (0x71, '❑'),
            (0x76, '❖'),
            (0x9F, '•'),
            (0xA7, '▪'),
            (0xA8, '☐'),
            (0xD8, '➢'),
            (0xDF, '←'),
            (0xE0, '→'),
            (0xE1, '↑'),
            (0xE2, '↓'),
            (0xE8, '➔'),
            (0xF0, '⇨'),
            (0xFB, '✗'),
            (0xFC, '✓'),
            (0xFD, '☒'),
            (0xFE, '☑'),
            (0x52, '☑'),
        ]
    } else {
        &[
            (0xA3, '≤'),
            (0xB0, '°'),
            (0xB1, '±'),
            (0xB3, '≥'),
            (0xB4, '×'),
            (0xB7, '•'),
            (0xB8, '÷'),
            (0xB9, '≠'),
            (0xA5, '∞'),
            (0xAC, '←'),
            (0xAD, '↑'),
            (0xAE, '→'),
            (0xAF, '↓'),
            (0xD6, '√'),
            (0xE5, '∑'),
            (0x61, 'α'),
            (0x62, 'β'),
            (0x67, 'γ'),
            (0x64, 'δ'),
            (0x6D, 'μ'),
            (0x70, 'π'),
            (0x73, 'σ'),
            (0x57, 'Ω'),
            (0x44, 'Δ'),
        ]
    };
    known.iter().find(|(known, _)| *known == code).map(|(_, char)| *char)
}
