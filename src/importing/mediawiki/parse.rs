//! Wikitext as blocks: headings, lists, tables, paragraphs, links, pictures.

use super::expand::{BREAK, CLOSE, OPEN, STRIKE, attribute, split, starts};
use super::{CATEGORY, FILE, Wiki, fragment_name, normal};
use crate::importing::blocks::{self, Block, Inline, Style, note, plain};
use crate::importing::document::{Document, within};

/// How deep lists and tables may lie within one another.
const MAX_DEPTH: usize = 20;

/// The most signs that open a line of a list.
const MAX_PREFIX: usize = 16;

/// A part that was set aside.
#[derive(Clone, Debug)]
pub(super) enum Put {
    /// Text as it is.
    Text(String),
    /// Code in a line.
    Inline(String),
    /// A block of code and its language.
    Code(String, String),
    /// A gallery: a picture a line.
    Gallery(String),
    /// A notice, in wikitext.
    Alert(&'static str, String),
    /// A quotation, in wikitext.
    Quote(String),
}

/// A page that is being read.
pub(super) struct Page<'a> {
    pub(super) wiki: &'a Wiki,
    pub(super) title: String,
    pub(super) document: &'a mut Document,
    /// Names and texts of references.
    pub(super) notes: Vec<(String, String)>,
    /// Templates that are being filled in.
    pub(super) open: Vec<String>,
    /// How many templates were filled in.
    pub(super) templates: usize,
    /// How many bytes they made.
    pub(super) expanded: usize,
    puts: Vec<Put>,
}

impl<'a> Page<'a> {
    /// Begins to read a page into a document.
    pub(super) fn new(wiki: &'a Wiki, title: &str, document: &'a mut Document) -> Self {
        let (notes, open, puts) = (Vec::new(), Vec::new(), Vec::new());
        Self { wiki, title: title.to_owned(), document, notes, open, templates: 0, expanded: 0, puts }
    }

    pub(super) fn lose(&mut self, kind: &str, what: impl AsRef<str>) {
        let what = what.as_ref();
        let end = what.char_indices().nth(1000).map_or(what.len(), |(at, _)| at);
        let what = shown(what.get(..end).unwrap_or_default());
        note(&mut self.document.losses, kind, what);
    }

    /// Sets a part aside and gives the mark that stands for it.
    pub(super) fn keep(&mut self, put: Put) -> String {
        self.puts.push(put);
        format!("{OPEN}{}{CLOSE}", self.puts.len() - 1)
    }

    /// Reads the wikitext of the page.
    pub(super) fn read(&mut self, text: &str) {
        let text: String = text.chars().filter(|char| !('\u{E000}'..='\u{E003}').contains(char)).collect();
        let text = self.set_aside(&text, false);
        let text = self.expand(&text, None, 0);
        let text = self.tags(&text);
        let mut content = self.blocks(&text, 0);
        content.extend(self.notes());
        // Levels begin at 2, as the title is of level 1; some wikis begin at 1.
        let has_top = content.iter().any(|block| matches!(block, Block::Heading { level: 1, .. }));
        for block in &mut content {
            if let (Block::Heading { level, .. }, true) = (block, has_top) {
                *level = (*level + 1).min(6);
            }
        }
        self.document.markdown = blocks::markdown(&content);
    }

    fn notes(&mut self) -> Vec<Block> {
        let mut items = Vec::new();
        for (_, text) in std::mem::take(&mut self.notes) {
            let text = self.expand(&text, None, 0);
            let text = self.tags(&text);
            let line = self.line(text.trim());
            items.push(vec![Block::Paragraph(line)]);
        }
        if items.is_empty() {
            return Vec::new();
        }
        vec![Block::Rule, Block::List { start: Some(1), items }]
    }

    /// Blocks of text whose parts are set aside, whose templates are filled in and whose tags are turned into wikitext.
    pub(super) fn blocks(&mut self, text: &str, depth: usize) -> Vec<Block> {
        let mut out = Vec::new();
        if depth > MAX_DEPTH {
            self.lose("depth", "what lies too deep was left out");
            return out;
        }
        let lines: Vec<&str> = text.lines().collect();
        let mut paragraph: Vec<&str> = Vec::new();
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let trimmed = line.trim();
            // Tables may be indented by colons.
            let table = trimmed.trim_start_matches([':', ' ']).starts_with("{|");
            let is_list = line.starts_with(['*', '#', ':', ';']);
            if table
                || is_list
                || trimmed.is_empty()
                || trimmed.starts_with("----")
                || heading(trimmed).is_some()
                || is_pre(line)
            {
                self.paragraph(&mut paragraph, &mut out, depth);
            }
            if table {
                let end = super::table::end(&lines, at);
                self.table(lines.get(at..end).unwrap_or_default(), &mut out, depth);
                at = end;
                continue;
            }
            if is_list {
                let count = lines
                    .get(at..)
                    .unwrap_or_default()
                    .iter()
                    .take_while(|line| line.starts_with(['*', '#', ':', ';']) && !is_table(line))
                    .count();
                let items: Vec<(&str, &str)> =
                    lines.get(at..at + count).unwrap_or_default().iter().map(|line| prefix(line)).collect();
                out.extend(self.list(&items, 0, depth));
                at += count.max(1);
                continue;
            }
            if is_pre(line) {
                at += self.preformatted(lines.get(at..).unwrap_or_default(), &mut out);
                continue;
            }
            if let Some((level, text)) = heading(trimmed) {
                self.heading(level, text, &mut out);
            } else if trimmed.starts_with("----") {
                out.push(Block::Rule);
                paragraph.push(trimmed.trim_start_matches('-'));
            } else if !trimmed.is_empty() {
                paragraph.push(trimmed);
            }
            at += 1;
        }
        self.paragraph(&mut paragraph, &mut out, depth);
        out
    }

    fn heading(&mut self, level: u8, text: &str, out: &mut Vec<Block>) {
        let inlines = self.line(text);
        if blocks::is_blank(&inlines) {
            return;
        }
        self.document.had.headings += 1;
        let name = fragment_name(&blocks::said(&inlines));
        let anchor = Some(name).filter(|name| !name.is_empty() && self.wiki.fragments.contains(name));
        let inlines = inlines.into_iter().map(|inline| match inline {
            Inline::Text(text, style) => Inline::Text(text, Style { bold: false, ..style }),
            inline => inline,
        });
        out.push(Block::Heading { level, anchor, text: blocks::tidy(inlines.collect()) });
    }

    /// Lines that begin with a blank are shown as they are.
    fn preformatted(&mut self, lines: &[&str], out: &mut Vec<Block>) -> usize {
        let count = lines.iter().take_while(|line| is_pre(line)).count().max(1);
        let mut text = Vec::new();
        for line in lines.get(..count).unwrap_or_default() {
            let said = self.line(line);
            let indent: String =
                line.get(1..).unwrap_or_default().chars().take_while(|char| *char == ' ').collect();
            text.push(format!("{indent}{}", blocks::said(&said)));
        }
        let text = text.join("\n");
        if !text.trim().is_empty() {
            self.document.had.code += 1;
            out.push(Block::Code { lang: String::new(), text });
        }
        count
    }

    fn paragraph(&mut self, lines: &mut Vec<&str>, out: &mut Vec<Block>, depth: usize) {
        if !lines.is_empty() {
            let text = std::mem::take(lines).join("\n");
            self.mixed(&text, out, depth);
        }
    }

    /// A paragraph in which blocks were set aside: it is parted there.
    fn mixed(&mut self, text: &str, out: &mut Vec<Block>, depth: usize) {
        let mut rest = text;
        let mut before = String::new();
        while let Some((head, tail)) = rest.split_once(OPEN) {
            let (number, after) = tail.split_once(CLOSE).unwrap_or((tail, ""));
            let put = number.parse::<usize>().ok().and_then(|number| self.puts.get(number)).cloned();
            before.push_str(head);
            rest = after;
            match put {
                None => {}
                Some(Put::Text(_) | Put::Inline(_)) => before.push_str(&format!("{OPEN}{number}{CLOSE}")),
                Some(put) => {
                    let line = self.line(&std::mem::take(&mut before));
                    if !blocks::is_blank(&line) {
                        out.push(Block::Paragraph(line));
                    }
                    self.block(put, out, depth);
                }
            }
        }
        before.push_str(rest);
        let line = self.line(&before);
        if !blocks::is_blank(&line) {
            out.push(Block::Paragraph(line));
        }
    }

    fn block(&mut self, put: Put, out: &mut Vec<Block>, depth: usize) {
        match put {
            Put::Code(lang, text) => {
                self.document.had.code += 1;
                out.push(Block::Code { lang: lang.to_lowercase(), text });
            }
            Put::Alert(kind, text) => {
                let text = self.tags(&text);
                let blocks = self.blocks(&text, depth + 1);
                out.push(Block::Alert { kind, blocks });
            }
            Put::Quote(text) => {
                let blocks = self.blocks(&text, depth + 1);
                if !blocks.is_empty() {
                    out.push(Block::Quote(blocks));
                }
            }
            Put::Gallery(text) => {
                for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                    let (file, caption) = line.split_once('|').unwrap_or((line, ""));
                    let name = file.split_once(':').map_or(file, |(_, name)| name);
                    let mut inlines = Vec::new();
                    self.picture(name, &[caption], &mut inlines);
                    if !blocks::is_blank(&inlines) {
                        out.push(Block::Paragraph(inlines));
                    }
                }
            }
            Put::Text(_) | Put::Inline(_) => {}
        }
    }

    /// Lines of a list from one sign of their prefixes on.
    fn list(&mut self, lines: &[(&str, &str)], level: usize, depth: usize) -> Vec<Block> {
        let mut out = Vec::new();
        if level > MAX_PREFIX {
            return out;
        }
        let sign = |line: &(&str, &str)| {
            line.0.as_bytes().get(level).map(|byte| if *byte == b';' { b':' } else { *byte })
        };
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let kind = sign(line);
            let count = lines
                .get(at..)
                .unwrap_or_default()
                .iter()
                .take_while(|line| sign(line) == kind)
                .count()
                .max(1);
            let group = lines.get(at..at + count).unwrap_or_default();
            at += count;
            match kind {
                Some(b'*' | b'#') => {
                    let mut items: Vec<Vec<Block>> = Vec::new();
                    self.items(group, level, depth, &mut items);
                    out.push(Block::List { start: (kind == Some(b'#')).then_some(1), items });
                }
                Some(_) => {
                    let mut inner = 0;
                    while let Some((prefix, text)) = group.get(inner) {
                        if prefix.len() > level + 1 {
                            let deeper = group
                                .get(inner..)
                                .unwrap_or_default()
                                .iter()
                                .take_while(|(prefix, _)| prefix.len() > level + 1)
                                .count();
                            out.extend(self.list(
                                group.get(inner..inner + deeper).unwrap_or_default(),
                                level + 1,
                                depth,
                            ));
                            inner += deeper.max(1);
                            continue;
                        }
                        self.definition(prefix, text, &mut out, depth);
                        inner += 1;
                    }
                }
                None => {}
            }
        }
        out
    }

    fn items(&mut self, group: &[(&str, &str)], level: usize, depth: usize, items: &mut Vec<Vec<Block>>) {
        let mut at = 0;
        while let Some((prefix, text)) = group.get(at) {
            if prefix.len() > level + 1 {
                let count = group
                    .get(at..)
                    .unwrap_or_default()
                    .iter()
                    .take_while(|(prefix, _)| prefix.len() > level + 1)
                    .count()
                    .max(1);
                let inner = self.list(group.get(at..at + count).unwrap_or_default(), level + 1, depth);
                match items.last_mut() {
                    Some(item) => item.extend(inner),
                    None => items.push(inner),
                }
                at += count;
                continue;
            }
            self.document.had.items += 1;
            let mut item = Vec::new();
            self.mixed(text.trim(), &mut item, depth);
            items.push(item);
            at += 1;
        }
    }

    fn definition(&mut self, prefix: &str, text: &str, out: &mut Vec<Block>, depth: usize) {
        if !prefix.ends_with(';') {
            return self.mixed(text.trim(), out, depth);
        }
        let (term, meaning) = text
            .split_once(" : ")
            .or_else(|| text.split_once(": ").filter(|(term, _)| !term.contains("[[")))
            .unwrap_or((text, ""));
        let term = self.line(term.trim());
        let bold = |inline| match inline {
            Inline::Text(text, style) => Inline::Text(text, Style { bold: true, ..style }),
            inline => inline,
        };
        if !blocks::is_blank(&term) {
            out.push(Block::Paragraph(term.into_iter().map(bold).collect()));
        }
        self.mixed(meaning.trim(), out, depth);
    }

    /// One line, or several that are one paragraph, as inlines.
    pub(super) fn line(&mut self, text: &str) -> Vec<Inline> {
        let mut out = Vec::new();
        let mut style = Style::default();
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                out.push(plain(" "));
            }
            // Emphasis ends with its line.
            (style.bold, style.italic) = (false, false);
            self.inlines(line, &mut style, &mut out);
        }
        blocks::tidy(out)
    }

    fn inlines(&mut self, line: &str, style: &mut Style, out: &mut Vec<Inline>) {
        let mut at = 0;
        let mut said = String::new();
        while let Some(char) = line.get(at..).and_then(|rest| rest.chars().next()) {
            let rest = line.get(at..).unwrap_or_default();
            let flush = |said: &mut String, out: &mut Vec<Inline>, style: Style| {
                if !said.is_empty() {
                    out.push(Inline::Text(entities(&std::mem::take(said)), style));
                }
            };
            match char {
                OPEN => {
                    flush(&mut said, out, *style);
                    at += self.put(rest, *style, out);
                    continue;
                }
                '\'' if rest.starts_with("''") => {
                    let (run, kept) = quotes(rest);
                    said.push_str(&"'".repeat(kept));
                    flush(&mut said, out, *style);
                    style.bold ^= run - kept != 2;
                    style.italic ^= run - kept != 3;
                    at += run;
                    continue;
                }
                '[' if rest.starts_with("[[") => {
                    if let Some(length) = link_length(rest) {
                        flush(&mut said, out, *style);
                        let inner = rest.get(2..length - 2).unwrap_or_default();
                        let after = rest.get(length..).unwrap_or_default();
                        at += length + self.internal(inner, after, *style, out);
                        continue;
                    }
                }
                '[' => {
                    if let Some(length) = self.external(rest, *style, &mut said, out) {
                        at += length;
                        continue;
                    }
                }
                'h' if !said.ends_with(char::is_alphanumeric) => {
                    if let Some(url) = bare_url(rest) {
                        flush(&mut said, out, *style);
                        self.document.had.links += 1;
                        let text = vec![Inline::Text(entities(url), *style)];
                        out.push(Inline::Link { to: entities(url), text });
                        at += url.len();
                        continue;
                    }
                }
                BREAK => {
                    flush(&mut said, out, *style);
                    out.push(Inline::Break);
                    at += char.len_utf8();
                    continue;
                }
                STRIKE => {
                    flush(&mut said, out, *style);
                    style.strike = !style.strike;
                    at += char.len_utf8();
                    continue;
                }
                '_' if rest.starts_with("__") => {
                    if let Some(length) = switch_length(rest) {
                        at += length;
                        continue;
                    }
                }
                _ => {}
            }
            said.push(char);
            at += char.len_utf8();
        }
        if !said.is_empty() {
            out.push(Inline::Text(entities(&said), *style));
        }
    }

    /// What a mark stands for, in a line; gives how long the mark is.
    fn put(&mut self, rest: &str, style: Style, out: &mut Vec<Inline>) -> usize {
        let inner = rest.get(OPEN.len_utf8()..).unwrap_or_default();
        let (number, _) = inner.split_once(CLOSE).unwrap_or_default();
        match number.parse::<usize>().ok().and_then(|number| self.puts.get(number)).cloned() {
            Some(Put::Text(text)) => out.push(Inline::Text(text, style)),
            Some(Put::Inline(code)) => out.push(Inline::Code(code, style)),
            Some(Put::Code(_, code)) => out.push(Inline::Code(code, Style::default())),
            Some(Put::Alert(_, text) | Put::Quote(text)) => self.inlines_again(&text, out),
            Some(Put::Gallery(_)) | None => {}
        }
        OPEN.len_utf8() + number.len() + CLOSE.len_utf8()
    }

    fn inlines_again(&mut self, text: &str, out: &mut Vec<Inline>) {
        if self.open.len() < MAX_DEPTH {
            self.open.push(String::new());
            let line = self.line(text);
            self.open.pop();
            out.extend(line);
        }
    }

    /// `[url text]`; gives how long it is.
    fn external(
        &mut self,
        rest: &str,
        style: Style,
        said: &mut String,
        out: &mut Vec<Inline>,
    ) -> Option<usize> {
        let inner = rest.get(1..)?;
        let is_url = [
            "http://",
            "https://",
            "mailto:",
            "ftp://",
            "//",
            "tel:",
            "sms:",
            "javascript:",
            "data:",
            "file:",
        ];
        if !is_url.iter().any(|scheme| starts(inner, scheme)) {
            return None;
        }
        let end = inner.find(']')?;
        let inner = inner.get(..end)?;
        let (url, text) = inner.split_once([' ', '\t']).unwrap_or((inner, ""));
        if !said.is_empty() {
            out.push(Inline::Text(entities(&std::mem::take(said)), style));
        }
        self.document.had.links += 1;
        let url = entities(url);
        let url = if url.starts_with("//") { format!("https:{url}") } else { url };
        let mut shown = Vec::new();
        let mut own = style;
        self.inlines(text.trim(), &mut own, &mut shown);
        // A link or a picture in a link is not Markdown.
        let shown = flat(shown);
        let shown = if blocks::is_blank(&shown) {
            vec![Inline::Text(url.clone(), style)]
        } else {
            blocks::tidy(shown)
        };
        match blocks::destination(&url) {
            Some(to) => out.push(Inline::Link { to, text: shown }),
            None => {
                self.lose("link", &url);
                out.extend(shown);
            }
        }
        Some(end + 2)
    }

    /// `[[…]]`; gives how many letters after it belong to its text.
    fn internal(&mut self, inner: &str, after: &str, style: Style, out: &mut Vec<Inline>) -> usize {
        let (target, text) =
            inner.split_once('|').map_or((inner, None), |(target, text)| (target, Some(text)));
        let target = entities(target.trim());
        let is_shown = target.starts_with(':');
        let target = target.trim_start_matches(':').trim();
        let (page, fragment) =
            target.split_once('#').map_or((target, None), |(page, fragment)| (page.trim(), Some(fragment)));
        let space = self.wiki.namespace(page);
        match space {
            Some((FILE, name)) if !is_shown => {
                let parts: Vec<&str> = text.map(split).unwrap_or_default();
                self.picture(name, &parts, out);
                return 0;
            }
            Some((CATEGORY, name)) if !is_shown => {
                let name = normal(name);
                if !name.is_empty() && !self.document.tags.contains(&name) {
                    self.document.tags.push(name);
                }
                return 0;
            }
            None if !is_shown && is_language(page) && !self.wiki.keys.contains_key(&normal(page)) => {
                self.lose("interwiki", format!("the same page in another language: {target}"));
                return 0;
            }
            _ => {}
        }
        let trail: String = after.chars().take_while(|char| char.is_alphabetic()).collect();
        let text = match text {
            Some(text) if !text.trim().is_empty() => text.to_owned(),
            Some(_) => pipe_trick(page),
            None => inner.trim_start_matches(':').to_owned(),
        };
        let mut shown = Vec::new();
        let mut own = style;
        self.inlines(&format!("{text}{trail}"), &mut own, &mut shown);
        let shown = blocks::tidy(flat(shown));
        self.document.had.links += 1;
        let to = self.place(page, fragment, space.map(|(id, _)| id), target);
        match to {
            Some(to) => out.push(Inline::Link { to, text: shown }),
            None => out.extend(shown),
        }
        trail.len()
    }

    fn place(
        &mut self,
        page: &str,
        fragment: Option<&str>,
        space: Option<i64>,
        target: &str,
    ) -> Option<String> {
        let anchor = fragment.map(fragment_name).filter(|anchor| !anchor.is_empty());
        if page.is_empty() {
            return anchor.map(|anchor| format!("#{anchor}"));
        }
        if page.starts_with("http://") || page.starts_with("https://") {
            return blocks::destination(target);
        }
        let full = match page.strip_prefix('/') {
            Some(below) => format!("{}/{}", self.title, below.trim_end_matches('/')),
            None => page.to_owned(),
        };
        if let Some(key) = self.wiki.keys.get(&normal(&full)) {
            return Some(within(key, anchor.as_deref()));
        }
        if let Some((FILE | -2, name)) = self.wiki.namespace(page)
            && let Some(path) = self.wiki.files.get(&normal(name).to_lowercase())
        {
            return Some(within(path, None));
        }
        let is_interwiki = space.is_none()
            && page.split_once(':').is_some_and(|(prefix, rest)| {
                !rest.starts_with(' ')
                    && prefix.len() <= 20
                    && prefix.chars().all(|char| char.is_ascii_lowercase() || char == '-')
            });
        let kind = if is_interwiki {
            "interwiki"
        } else if space.is_some_and(|space| !super::CONTENT.contains(&space)) {
            "link"
        } else {
            "missing-page"
        };
        self.lose(kind, format!("a link to {target}"));
        None
    }

    /// A picture with its caption.
    fn picture(&mut self, name: &str, parts: &[&str], out: &mut Vec<Inline>) {
        self.document.had.images += 1;
        let mut alt = None;
        let mut link = None;
        let mut caption = "";
        for part in parts {
            let part = part.trim();
            match part.split_once('=') {
                Some(("alt" | "альт", text)) => alt = Some(text.trim()),
                Some(("link" | "ссылка", to)) => link = Some(to.trim()),
                Some(("upright" | "page" | "class" | "lang" | "thumb" | "мини" | "start" | "end", _)) => {
                }
                _ if is_layout(part) => {}
                _ => caption = part,
            }
        }
        let mut shown = Vec::new();
        self.inlines(caption, &mut Style::default(), &mut shown);
        let name = entities(name);
        let name = name.trim();
        let alt = alt.map(str::to_owned).unwrap_or_else(|| blocks::said(&shown));
        let image = self.wiki.files.get(&normal(name).to_lowercase()).map(|path| within(path, None));
        let is_found = image.is_some();
        match image {
            Some(to) => {
                let image = Inline::Image { to, alt: blocks::said(&[plain(entities(&alt))]) };
                match link
                    .and_then(|link| if link.contains("://") { blocks::destination(link) } else { None })
                {
                    Some(to) => out.push(Inline::Link { to, text: vec![image] }),
                    None => out.push(image),
                }
            }
            None => self.lose("picture", format!("{name} is not in the source")),
        }
        if !blocks::is_blank(&shown) {
            out.push(plain(" "));
            out.extend(shown.into_iter().map(|inline| match inline {
                Inline::Text(text, style) => Inline::Text(text, Style { italic: true, ..style }),
                inline => inline,
            }));
            out.push(plain(" "));
        } else if !is_found && !alt.trim().is_empty() {
            out.push(plain(entities(&alt)));
        }
    }

    /// HTML in wikitext as wikitext, as far as it has a meaning in it; other tags go, what is in them stays.
    pub(super) fn tags(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut lists: Vec<char> = Vec::new();
        let mut at = 0;
        while let Some(begin) = text.get(at..).and_then(|rest| rest.find('<')).map(|found| at + found) {
            out.push_str(text.get(at..begin).unwrap_or_default());
            let rest = text.get(begin + 1..).unwrap_or_default();
            let is_end = rest.starts_with('/');
            let name: String = rest
                .trim_start_matches('/')
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .take(20)
                .collect();
            // A tag is on few lines; without an end, it is only a sign.
            let end = rest.char_indices().take(2000).find(|(_, char)| *char == '>').map(|(at, _)| at);
            let Some(end) = end.filter(|_| name.starts_with(|char: char| char.is_ascii_alphabetic())) else {
                out.push('<');
                at = begin + 1;
                continue;
            };
            let inside = rest.get(name.len() + usize::from(is_end)..end).unwrap_or_default();
            at = begin + 1 + end + 1;
            let name = name.to_ascii_lowercase();
            if let ("sup" | "sub", false) = (name.as_str(), is_end) {
                let after = text.get(at..).unwrap_or_default();
                let close = after.find("</").filter(|close| *close < 200);
                let inner = after.get(..close.unwrap_or(0)).unwrap_or_default();
                let position = if name == "sup" { "superscript" } else { "subscript" };
                match blocks::raised(inner, position) {
                    Some(raised) => {
                        out.push_str(&raised);
                        at += inner.len();
                    }
                    None => self.lose(position, format!("{inner} is in line with the text")),
                }
                continue;
            }
            if name == "blockquote" && !is_end {
                let close = text
                    .get(at..)
                    .and_then(|rest| rest.to_ascii_lowercase().find("</blockquote"))
                    .map(|found| at + found);
                if let Some(close) = close.filter(|_| self.open.len() < MAX_DEPTH) {
                    self.open.push(String::new());
                    let quoted = self.tags(text.get(at..close).unwrap_or_default());
                    self.open.pop();
                    let mark = self.keep(Put::Quote(quoted));
                    out.push_str(&format!("\n\n{mark}\n\n"));
                    at = text
                        .get(close..)
                        .and_then(|rest| rest.find('>'))
                        .map_or(text.len(), |end| close + end + 1);
                    continue;
                }
            }
            self.tag(&name, is_end, inside, &mut lists, &mut out);
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    fn tag(&mut self, name: &str, is_end: bool, inside: &str, lists: &mut Vec<char>, out: &mut String) {
        match (name, is_end) {
            ("br", _) => out.push(BREAK),
            ("hr", _) => out.push_str("\n----\n"),
            ("b" | "strong" | "th", true) if name != "th" => out.push_str("'''"),
            ("b" | "strong", false) => out.push_str("'''"),
            ("i" | "em" | "cite" | "var" | "dfn", _) => out.push_str("''"),
            ("s" | "del" | "strike", _) => out.push(STRIKE),
            ("p" | "div" | "center" | "section" | "blockquote" | "details" | "figure", _) => {
                // In the cell of a table, a new line would end nothing, but in a list it ends the list.
                let in_list =
                    out.rsplit('\n').next().is_some_and(|line| line.starts_with(['*', '#', ':', '|', '!']));
                out.push_str(if in_list { " " } else { "\n\n" });
            }
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", _) => {
                let signs = "=".repeat(name.as_bytes().get(1).map_or(2, |digit| usize::from(digit - b'0')));
                out.push_str(&if is_end { format!("{signs}\n") } else { format!("\n{signs}") });
            }
            ("ul" | "ol", false) => lists.push(if name == "ul" { '*' } else { '#' }),
            ("ul" | "ol", true) => {
                lists.pop();
                if lists.is_empty() {
                    out.push('\n');
                }
            }
            ("li", false) => {
                let signs: String =
                    if lists.is_empty() { "*".to_owned() } else { lists.iter().take(MAX_PREFIX).collect() };
                out.truncate(out.trim_end().len());
                out.push_str(&format!("\n{signs} "));
            }
            ("table", false) => out.push_str("\n{|\n"),
            ("table", true) => out.push_str("\n|}\n"),
            ("tr", false) => out.push_str("\n|-\n"),
            ("caption", false) => out.push_str("\n|+ "),
            ("td" | "th", false) => {
                let sign = if name == "th" { '!' } else { '|' };
                let span = |name: &str| {
                    attribute(inside, name).map(|value| format!(" {name}=\"{value}\"")).unwrap_or_default()
                };
                let spans = format!("{}{}", span("colspan"), span("rowspan"));
                out.push_str(&if spans.is_empty() {
                    format!("\n{sign} ")
                } else {
                    format!("\n{sign}{spans} | ")
                });
            }
            (
                "code" | "kbd" | "tt" | "samp" | "li" | "tr" | "td" | "th" | "tbody" | "thead" | "caption"
                | "span" | "small" | "big" | "font" | "u" | "ins" | "abbr" | "nowiki" | "references" | "dl"
                | "dt" | "dd" | "sup" | "sub" | "bdi" | "q" | "mark" | "ruby" | "rt" | "rp" | "rb" | "wbr"
                | "data" | "time" | "onlyinclude" | "noinclude" | "summary" | "gallery" | "ref"
                | "includeonly" | "a" | "img",
                _,
            ) => {
                if matches!(name, "a" | "img") && !is_end {
                    self.lose("tag", format!("<{name}{inside}>"));
                }
            }
            _ => {
                if !is_end {
                    self.lose("tag", format!("<{name}{inside}>"));
                }
            }
        }
    }
}

/// Text for people, without the marks of what was set aside.
fn shown(text: &str) -> String {
    text.chars().filter(|char| !('\u{E000}'..='\u{E003}').contains(char)).collect()
}

/// Links and pictures in a link are only text there; pictures stay.
fn flat(inlines: Vec<Inline>) -> Vec<Inline> {
    inlines
        .into_iter()
        .flat_map(|inline| match inline {
            Inline::Link { text, .. } => text,
            Inline::Break => vec![plain(" ")],
            inline => vec![inline],
        })
        .collect()
}

/// How many apostrophes there are, and how many of them are only apostrophes: four are one and bold, more than five are some and both.
fn quotes(rest: &str) -> (usize, usize) {
    let run = rest.bytes().take_while(|byte| *byte == b'\'').count();
    let kept = match run {
        2 | 3 | 5 => 0,
        4 => 1,
        run => run.saturating_sub(5),
    };
    (run, kept)
}

/// An address at the begin of text, without marks that end the sentence.
fn bare_url(rest: &str) -> Option<&str> {
    if !rest.starts_with("http://") && !rest.starts_with("https://") {
        return None;
    }
    let is_end = |char: char| {
        char.is_whitespace() || "<>[]|\"{}".contains(char) || ('\u{E000}'..='\u{E003}').contains(&char)
    };
    let url = rest.split(is_end).next()?.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'']);
    let url = if url.contains('(') { url } else { url.trim_end_matches(')') };
    (url.len() > 8).then_some(url)
}

/// How long `[[…]]` is, with links within it, such as in captions of pictures.
fn link_length(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut depth = 0usize;
    let mut at = 0;
    // A link is in one paragraph and no longer than this.
    let most = bytes.len().min(5_000);
    while at + 1 < most {
        match (bytes.get(at)?, bytes.get(at + 1)?) {
            (b'[', b'[') => (depth, at) = (depth + 1, at + 2),
            (b']', b']') => {
                depth = depth.checked_sub(1)?;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// How long a behaviour switch such as `__NOTOC__` is.
fn switch_length(rest: &str) -> Option<usize> {
    let inner = rest.get(2..)?;
    let end = inner.find("__").filter(|end| (3..=30).contains(end))?;
    let word = inner.get(..end)?;
    let is_switch = word.chars().all(|char| char.is_uppercase() || char == '_' || char == ' ');
    is_switch.then_some(end + 4)
}

fn is_layout(part: &str) -> bool {
    const WORDS: [&str; 26] = [
        "thumb",
        "thumbnail",
        "мини",
        "миниатюра",
        "frame",
        "framed",
        "обрамить",
        "frameless",
        "безрамки",
        "border",
        "граница",
        "left",
        "слева",
        "right",
        "справа",
        "center",
        "centre",
        "центр",
        "none",
        "без",
        "baseline",
        "middle",
        "top",
        "bottom",
        "sub",
        "super",
    ];
    let size = part.trim_end_matches("px").trim_end_matches("пкс");
    WORDS.contains(&part.to_lowercase().as_str())
        || (size.len() < part.len()
            && size.chars().all(|char| char.is_ascii_digit() || char == 'x' || char == ' '))
}

fn is_language(page: &str) -> bool {
    const OTHERS: [&str; 6] = ["zh-yue", "be-x-old", "simple", "bat-smg", "zh-min-nan", "roa-rup"];
    page.split_once(':').is_some_and(|(prefix, rest)| {
        !rest.is_empty()
            && (((2..=3).contains(&prefix.len())
                && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
                && prefix != "w"
                && prefix != "wp")
                || OTHERS.contains(&prefix))
    })
}

/// `[[Help:Page (kind)|]]` shows `Page`.
fn pipe_trick(page: &str) -> String {
    let page = page.split_once(':').map_or(page, |(_, page)| page);
    let page = page.rsplit_once(" (").filter(|(_, end)| end.ends_with(')')).map_or(page, |(page, _)| page);
    page.split(", ").next().unwrap_or(page).to_owned()
}

fn heading(line: &str) -> Option<(u8, &str)> {
    let line = line.trim_end_matches(|char: char| char.is_whitespace());
    let begin = line.bytes().take_while(|byte| *byte == b'=').count();
    let end = line.bytes().rev().take_while(|byte| *byte == b'=').count();
    let level = begin.min(end).min(6);
    let text = line.get(level..line.len().checked_sub(level)?)?;
    (level > 0 && line.len() > level * 2 && !text.trim().is_empty())
        .then_some((u8::try_from(level).ok()?, text.trim()))
}

fn is_pre(line: &str) -> bool {
    line.starts_with(' ')
        && !line.trim().is_empty()
        && !is_table(line)
        && !line.trim_start().starts_with(['|', '!', OPEN])
        && !line.trim_start().starts_with("[[")
        && heading(line.trim()).is_none()
}

fn is_table(line: &str) -> bool {
    line.trim_start_matches([':', ' ', '*', '#']).starts_with("{|")
}

/// The signs a line of a list begins with, and its text.
fn prefix(line: &str) -> (&str, &str) {
    let length = line.bytes().take(MAX_PREFIX).take_while(|byte| b"*#:;".contains(byte)).count();
    (line.get(..length).unwrap_or_default(), line.get(length..).unwrap_or_default())
}

/// Entities of HTML as what they stand for.
pub(super) fn entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    const NAMED: [(&str, &str); 24] = [
        ("nbsp", "\u{a0}"),
        ("amp", "&"),
        ("lt", "<"),
        ("gt", ">"),
        ("quot", "\""),
        ("apos", "'"),
        ("mdash", "—"),
        ("ndash", "–"),
        ("laquo", "«"),
        ("raquo", "»"),
        ("hellip", "…"),
        ("copy", "©"),
        ("reg", "®"),
        ("trade", "™"),
        ("rarr", "→"),
        ("larr", "←"),
        ("times", "×"),
        ("deg", "°"),
        ("bull", "•"),
        ("middot", "·"),
        ("thinsp", " "),
        ("ensp", " "),
        ("emsp", " "),
        ("shy", ""),
    ];
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let name = after
            .get(..after.bytes().take(12).position(|byte| byte == b';').unwrap_or(0))
            .unwrap_or_default();
        let char = name.strip_prefix('#').and_then(|number| {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => number.parse().ok(),
            };
            code.and_then(char::from_u32)
                .filter(|char| !char.is_control() && !('\u{E000}'..='\u{E003}').contains(char))
        });
        let known = NAMED.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        match known.or_else(|| char.map(String::from)) {
            Some(text) => {
                out.push_str(&text);
                rest = after.get(name.len() + 1..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
