//! What is done to wikitext before its lines are read: verbatim parts are set aside, templates are filled in.

use super::parse::{Page, Put};
use super::{Wiki, normal};

/// Marks around the number of a part that was set aside; of the private area, so that no page has them.
pub(super) const OPEN: char = '\u{E000}';
/// See [`OPEN`].
pub(super) const CLOSE: char = '\u{E001}';
/// The end of a line within a paragraph.
pub(super) const BREAK: char = '\u{E002}';
/// Begins and ends what is struck out.
pub(super) const STRIKE: char = '\u{E003}';

/// The most bytes that templates may make of one page.
const MAX_EXPANDED: usize = 4 << 20;

/// The most templates of one page.
const MAX_TEMPLATES: usize = 20_000;

/// How deep templates may lie within one another.
const MAX_DEPTH: usize = 30;

/// Notices, by the names of their templates, and which alert they become.
const NOTICES: [(&str, &str); 26] = [
    ("note", "NOTE"),
    ("info", "NOTE"),
    ("notice", "NOTE"),
    ("ambox", "NOTE"),
    ("mbox", "NOTE"),
    ("примечание", "NOTE"),
    ("заметка", "NOTE"),
    ("информация", "NOTE"),
    ("справка", "NOTE"),
    ("к сведению", "NOTE"),
    ("hint", "TIP"),
    ("tip", "TIP"),
    ("совет", "TIP"),
    ("подсказка", "TIP"),
    ("important", "IMPORTANT"),
    ("важно", "IMPORTANT"),
    ("warning", "WARNING"),
    ("attention", "WARNING"),
    ("внимание", "WARNING"),
    ("предупреждение", "WARNING"),
    ("caution", "CAUTION"),
    ("danger", "CAUTION"),
    ("осторожно", "CAUTION"),
    ("опасно", "CAUTION"),
    ("hinweis", "NOTE"),
    ("achtung", "WARNING"),
];

/// Values of a template's parameters, by their names or numbers.
type Values = Vec<(String, String)>;

/// Whether text begins so, whatever the case of ASCII letters.
pub(super) fn starts(text: &str, with: &str) -> bool {
    text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with))
}

/// Where `</name` begins, after a place.
fn end_of(text: &str, name: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.match_indices("</").map(|(at, _)| from + at).find(|at| {
        text.get(at + 2..).is_some_and(|rest| {
            starts(rest, name)
                && rest.get(name.len()..).is_some_and(|rest| rest.starts_with([' ', '>', '\n', '\t']))
        })
    })
}

/// The value of an attribute of a tag.
pub(super) fn attribute(attributes: &str, name: &str) -> Option<String> {
    let lower = attributes.to_ascii_lowercase();
    for (at, _) in lower.match_indices(name) {
        let starts_word = at == 0
            || lower.as_bytes().get(at - 1).is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'"');
        let rest = attributes.get(at + name.len()..)?.trim_start();
        if !starts_word || !rest.starts_with('=') {
            continue;
        }
        let rest = rest.get(1..)?.trim_start();
        let value = match rest.chars().next() {
            Some(mark @ ('"' | '\'')) => rest.get(1..)?.split(mark).next(),
            _ => rest.split(|char: char| char.is_whitespace() || char == '>' || char == '/').next(),
        };
        return value.map(|value| value.trim().to_owned());
    }
    None
}

impl Page<'_> {
    /// Takes out of the text what is not wikitext, and comments; `is_template`: as it is seen where a template is used.
    pub(super) fn set_aside(&mut self, text: &str, is_template: bool) -> String {
        let text = if is_template { transcluded(text) } else { text.to_owned() };
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        // Once an end was looked for in vain, it is not looked for again.
        let mut missing: Vec<&'static str> = Vec::new();
        while let Some(begin) = text.get(at..).and_then(|rest| rest.find('<')).map(|found| at + found) {
            out.push_str(text.get(at..begin).unwrap_or_default());
            let rest = text.get(begin..).unwrap_or_default();
            if rest.starts_with("<!--") {
                at = rest.find("-->").map_or(text.len(), |end| begin + end + 3);
                continue;
            }
            let (next, put) = self.verbatim(&text, begin, &mut missing, is_template);
            out.push_str(&put);
            at = next;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    fn verbatim(
        &mut self,
        text: &str,
        begin: usize,
        missing: &mut Vec<&'static str>,
        is_template: bool,
    ) -> (usize, String) {
        const NAMES: [&str; 22] = [
            "nowiki",
            "pre",
            "syntaxhighlight",
            "source",
            "code",
            "math",
            "chem",
            "gallery",
            "references",
            "ref",
            "templatedata",
            "noinclude",
            "onlyinclude",
            "includeonly",
            "timeline",
            "score",
            "graph",
            "mapframe",
            "script",
            "style",
            "templatestyles",
            "poem",
        ];
        let rest = text.get(begin + 1..).unwrap_or_default();
        let is_end = |char: char| char.is_whitespace() || char == '>' || char == '/';
        let name = NAMES
            .iter()
            .copied()
            .filter(|name| {
                starts(rest, name) && rest.get(name.len()..).is_some_and(|rest| rest.starts_with(is_end))
            })
            .max_by_key(|name| name.len());
        let bare = |text: &str| (begin + 1, text.to_owned());
        let Some(name) = name else {
            let closes = ["</noinclude", "</onlyinclude", "</includeonly"]
                .iter()
                .find(|tag| starts(rest, tag.get(1..).unwrap_or_default()));
            return match closes.and_then(|_| rest.find('>')) {
                Some(end) => (begin + 1 + end + 1, String::new()),
                None => bare("<"),
            };
        };
        let Some(tag) = rest.find('>') else { return bare("<") };
        let attributes = rest.get(name.len()..tag).unwrap_or_default().to_owned();
        let inside = begin + 1 + tag + 1;
        if matches!(name, "noinclude" | "onlyinclude") {
            return (inside, String::new());
        }
        if attributes.ends_with('/') {
            return (inside, self.put_aside(name, &attributes, ""));
        }
        let end = if missing.contains(&name) { None } else { end_of(text, name, inside) };
        let Some(end) = end else {
            missing.push(name);
            return (inside, String::new());
        };
        let after = text.get(end..).and_then(|rest| rest.find('>')).map_or(text.len(), |at| end + at + 1);
        let content = text.get(inside..end).unwrap_or_default();
        if name == "includeonly" {
            return (after, if is_template { content.to_owned() } else { String::new() });
        }
        (after, self.put_aside(name, &attributes, content))
    }

    fn put_aside(&mut self, name: &str, attributes: &str, content: &str) -> String {
        let plain = || strip_nowiki(content);
        let put = match name {
            "nowiki" => Put::Text(super::parse::entities(content)),
            "pre" => Put::Code(String::new(), super::parse::entities(&plain())),
            "syntaxhighlight" | "source" => {
                let lang = attribute(attributes, "lang").unwrap_or_default();
                if attributes.contains("inline") {
                    Put::Inline(content.trim().to_owned())
                } else {
                    Put::Code(lang, content.trim_matches('\n').to_owned())
                }
            }
            "code" if content.contains("[[") || content.contains("{{") => {
                return format!("<code>{}</code>", self.set_aside(content, false));
            }
            "code" if content.trim().contains('\n') => {
                Put::Code(String::new(), super::parse::entities(&plain()))
            }
            "code" => Put::Inline(super::parse::entities(&plain())),
            "math" | "chem" => {
                self.lose("equation", format!("TeX is code: {content}"));
                Put::Inline(content.trim().to_owned())
            }
            "gallery" => Put::Gallery(content.to_owned()),
            "ref" => return self.reference(attributes, content),
            "poem" => {
                return format!(
                    "\n{}\n",
                    self.set_aside(content, false).trim().replace('\n', &BREAK.to_string())
                );
            }
            "references" => {
                // Notes may be written where they are listed.
                self.set_aside(content, false);
                return String::new();
            }
            "templatedata" | "templatestyles" => return String::new(),
            "script" | "style" => {
                self.lose("script", format!("{name}: {content}"));
                return String::new();
            }
            other => {
                self.lose("extension", format!("{other}: {content}"));
                return String::new();
            }
        };
        let is_block = matches!(put, Put::Code(..) | Put::Gallery(_));
        let mark = self.keep(put);
        if is_block && name == "gallery" { format!("\n{mark}\n") } else { mark }
    }

    /// A note: its number where it is referred to, its text at the end of the page.
    fn reference(&mut self, attributes: &str, content: &str) -> String {
        let name = attribute(attributes, "name").unwrap_or_default();
        let known = self.notes.iter().position(|(known, _)| !name.is_empty() && *known == name);
        let number = known.unwrap_or_else(|| {
            self.notes.push((name, String::new()));
            self.notes.len() - 1
        });
        let content = self.set_aside(content, false);
        if let Some((_, text)) = self.notes.get_mut(number).filter(|_| !content.trim().is_empty()) {
            *text = content.trim().to_owned();
        }
        self.lose("footnote", "references became a numbered list at the end of the page");
        self.keep(Put::Text(format!("[{}]", number + 1)))
    }

    /// Fills in templates, parameters and magic words.
    pub(super) fn expand(&mut self, text: &str, values: Option<&Values>, depth: usize) -> String {
        let mut out = String::with_capacity(text.len());
        let ends = braces(text);
        let mut at = 0;
        while let Some(begin) = text.get(at..).and_then(|rest| rest.find("{{")).map(|found| at + found) {
            out.push_str(text.get(at..begin).unwrap_or_default());
            let Some((end, width)) = ends
                .binary_search_by_key(&begin, |(start, ..)| *start)
                .ok()
                .and_then(|found| ends.get(found))
                .map(|(_, end, width)| (*end, *width))
            else {
                out.push('{');
                at = begin + 1;
                continue;
            };
            let inner = text.get(begin + width..end - width).unwrap_or_default().to_owned();
            let made = if depth > MAX_DEPTH || self.templates > MAX_TEMPLATES || self.expanded > MAX_EXPANDED
            {
                self.lose("template", "templates too deep or too many were left out");
                String::new()
            } else if width == 3 {
                self.parameter(&inner, values, depth)
            } else {
                self.template(&inner, values, depth)
            };
            self.expanded += made.len();
            out.push_str(&made);
            at = end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    fn parameter(&mut self, inner: &str, values: Option<&Values>, depth: usize) -> String {
        let parts = split(inner);
        let name = parts.first().map(|name| name.trim().to_owned()).unwrap_or_default();
        let value = values
            .and_then(|values| values.iter().rev().find(|(known, _)| *known == name))
            .map(|(_, value)| value.clone());
        match (value, parts.get(1)) {
            (Some(value), _) => value,
            (None, Some(default)) => self.expand(default, values, depth + 1),
            (None, None) => String::new(),
        }
    }

    fn template(&mut self, inner: &str, values: Option<&Values>, depth: usize) -> String {
        self.templates += 1;
        let parts = split(inner);
        let first = parts.first().copied().unwrap_or_default();
        let head = self.expand(first, values, depth + 1);
        let head = head.trim();
        if let Some(made) = self.magic(head, parts.get(1..).unwrap_or_default(), values, depth) {
            return made;
        }
        let mut given: Values = Vec::new();
        let mut number = 0;
        for part in parts.iter().skip(1).take(200) {
            let (name, value) = match part.split_once('=').filter(|(name, _)| !name.contains(['[', '<', '{']))
            {
                Some((name, value)) => (name.trim().to_owned(), value.trim()),
                None => {
                    number += 1;
                    (number.to_string(), *part)
                }
            };
            let value = self.expand(value, values, depth + 1);
            given.push((name, value));
        }
        let prefix = head.split_once(':').map(|(prefix, _)| prefix);
        let name = match self.wiki.namespace(head) {
            Some((super::TEMPLATE, rest)) => normal(rest),
            _ => normal(head),
        };
        let notice = NOTICES.iter().find(|(known, _)| *known == name.to_lowercase()).map(|(_, kind)| *kind);
        let text = given
            .iter()
            .find(|(known, _)| known == "1" || known == "text" || known == "текст")
            .map(|(_, value)| value.trim());
        if let (Some(kind), Some(text)) = (notice, text.filter(|text| !text.is_empty())) {
            let mark = self.keep(Put::Alert(kind, text.to_owned()));
            return format!("\n{mark}\n");
        }
        let body = self.wiki.templates.get(&name).filter(|_| prefix != Some("#invoke"));
        match body.filter(|_| !self.open.contains(&name)) {
            Some(body) if !body.to_lowercase().contains("#invoke") => {
                let body = self.set_aside(body, true);
                self.open.push(name);
                let made = self.expand(&body, Some(&given), depth + 1);
                self.open.pop();
                made
            }
            _ => self.unknown(head, &given),
        }
    }

    /// A template that cannot be filled in: its readable unnamed values stay, of a citation what it cites.
    fn unknown(&mut self, name: &str, given: &Values) -> String {
        let carried: Vec<&str> = given
            .iter()
            .filter(|(name, _)| name.parse::<usize>().is_ok())
            .map(|(_, value)| value.trim())
            .filter(|value| value.chars().any(char::is_alphanumeric))
            .collect();
        let named: Vec<String> = given
            .iter()
            .filter(|(name, value)| name.parse::<usize>().is_err() && !value.trim().is_empty())
            .map(|(name, value)| format!("{name}={}", value.trim()))
            .collect();
        let what = if named.is_empty() { name.to_owned() } else { format!("{name}: {}", named.join(", ")) };
        self.lose("template", what);
        let is_lang = name.to_lowercase().starts_with("lang");
        let value = |wanted: &[&str]| {
            let found = given
                .iter()
                .find(|(name, value)| wanted.contains(&name.as_str()) && !value.trim().is_empty());
            found.map(|(_, value)| value.trim())
        };
        let is_citation = ["cite", "citation", "книга", "статья", "source", "sfn", "публикация"]
            .iter()
            .any(|start| name.to_lowercase().starts_with(start));
        if let (true, Some(title)) = (is_citation, value(&["title", "заглавие", "название"]))
        {
            let title = match value(&["url", "ссылка"]) {
                Some(url) => format!("[{url} {title}]"),
                None => title.to_owned(),
            };
            let who = value(&["author", "автор", "last", "last1", "authors"]);
            let where_ = value(&["journal", "website", "work", "publisher", "издание", "издательство"]);
            let when = value(&["year", "date", "год"]);
            let parts = [who, Some(title.as_str()), where_, when];
            return parts.into_iter().flatten().collect::<Vec<_>>().join(". ");
        }
        match carried.last() {
            Some(last) if is_lang => (*last).to_owned(),
            _ => carried.join(" "),
        }
    }

    /// Magic words and parser functions; `None`: it is a template.
    fn magic(&mut self, head: &str, rest: &[&str], values: Option<&Values>, depth: usize) -> Option<String> {
        let title = self.title.clone();
        let bare = title
            .split_once(':')
            .filter(|_| self.wiki.namespace(&title).is_some())
            .map_or(title.as_str(), |(_, bare)| bare);
        let word = match head {
            "!" => "|".to_owned(),
            "=" => "=".to_owned(),
            "PAGENAME" | "BASEPAGENAME" | "НАЗВАНИЕСТРАНИЦЫ" => bare.to_owned(),
            "FULLPAGENAME" | "ПОЛНОЕНАЗВАНИЕСТРАНИЦЫ" => title.clone(),
            "SUBPAGENAME" => bare.rsplit('/').next().unwrap_or(bare).to_owned(),
            "SITENAME" | "НАЗВАНИЕСАЙТА" => self.wiki.name.clone(),
            "NAMESPACE" => title.split_once(':').map(|(space, _)| space.to_owned()).unwrap_or_default(),
            "-" => String::new(),
            _ => return self.function(head, rest, values, depth),
        };
        Some(word)
    }

    fn function(
        &mut self,
        head: &str,
        rest: &[&str],
        values: Option<&Values>,
        depth: usize,
    ) -> Option<String> {
        let (name, first) = head.split_once(':')?;
        let name = name.trim().to_lowercase();
        let mut pick = |at: usize| {
            rest.get(at)
                .map(|part| self.expand(part.trim(), values, depth + 1).trim().to_owned())
                .unwrap_or_default()
        };
        let first = first.trim();
        let made = match name.as_str() {
            "#if" | "#если" => pick(usize::from(first.is_empty())),
            "#ifeq" => {
                let same = pick(0) == first;
                pick(if same { 1 } else { 2 })
            }
            "#switch" => return Some(self.switch(first, rest, values, depth)),
            "lc" => first.to_lowercase(),
            "uc" => first.to_uppercase(),
            "ucfirst" | "lcfirst" | "formatnum" | "int" | "plural" | "urlencode" | "anchorencode"
            | "nowrap" => first.to_owned(),
            "defaultsort" | "сортировка" | "displaytitle" | "#seo" | "#set" | "#description2" => {
                String::new()
            }
            "subst" | "safesubst" | "msg" => {
                let mut inner = first.to_owned();
                for part in rest {
                    inner.push('|');
                    inner.push_str(part);
                }
                return Some(self.template(&inner, values, depth + 1));
            }
            name if name.starts_with('#') => {
                let what = std::iter::once(head).chain(rest.iter().copied()).collect::<Vec<_>>().join("|");
                self.lose("parser-function", what);
                String::new()
            }
            "fullurl" | "localurl" | "filepath" | "ns" | "canonicalurl" => {
                self.lose("parser-function", head);
                String::new()
            }
            _ => return None,
        };
        Some(made)
    }

    fn switch(&mut self, value: &str, rest: &[&str], values: Option<&Values>, depth: usize) -> String {
        let mut is_found = false;
        let mut default = None;
        for (at, part) in rest.iter().enumerate().take(500) {
            let (case, result) =
                part.split_once('=').map_or((*part, None), |(case, result)| (case, Some(result)));
            is_found |= self.expand(case, values, depth + 1).trim() == value;
            match result {
                Some(result) if is_found => return self.expand(result, values, depth + 1).trim().to_owned(),
                Some(result) if case.trim() == "#default" => default = Some(result),
                // A case without a result stands for the next one's, the last of all for all others.
                None if at + 1 == rest.len() => default = Some(*part),
                _ => {}
            }
        }
        default.map(|default| self.expand(default, values, depth + 1).trim().to_owned()).unwrap_or_default()
    }
}

/// What of a template's page is seen where it is used.
fn transcluded(text: &str) -> String {
    let mut only = String::new();
    let mut at = 0;
    while let Some(begin) =
        text.get(at..).and_then(|rest| rest.find("<onlyinclude>")).map(|found| at + found + 13)
    {
        let end = end_of(text, "onlyinclude", begin).unwrap_or(text.len());
        only.push_str(text.get(begin..end).unwrap_or_default());
        at = end;
    }
    let text = if only.is_empty() { text.to_owned() } else { only };
    let mut kept = String::new();
    let mut at = 0;
    while let Some(begin) = text.get(at..).and_then(|rest| rest.find("<noinclude>")).map(|found| at + found) {
        kept.push_str(text.get(at..begin).unwrap_or_default());
        at = match end_of(&text, "noinclude", begin) {
            Some(end) => {
                text.get(end..).and_then(|rest| rest.find('>')).map_or(text.len(), |close| end + close + 1)
            }
            None => text.len(),
        };
    }
    kept.push_str(text.get(at..).unwrap_or_default());
    kept
}

fn strip_nowiki(text: &str) -> String {
    text.replace("<nowiki>", "").replace("</nowiki>", "").replace("<nowiki/>", "").replace("<nowiki />", "")
}

/// Braces that belong together, outermost ones only, in order: where they begin, where they end, and how many they are. One pass.
fn braces(text: &str) -> Vec<(usize, usize, usize)> {
    let bytes = text.as_bytes();
    let run = |from: usize, byte: u8| {
        bytes.get(from..).unwrap_or_default().iter().take_while(|found| **found == byte).count()
    };
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => {
                let width = run(at, b'{');
                if width >= 2 {
                    open.push((at, width));
                }
                at += width;
            }
            b'}' => {
                let mut width = run(at, b'}');
                while width >= 2 {
                    let Some((start, opened)) = open.pop() else { break };
                    let taken = if opened >= 3 && width >= 3 { 3 } else { 2 };
                    found.push((start + opened - taken, at + taken, taken));
                    if opened - taken >= 2 {
                        open.push((start, opened - taken));
                    }
                    at += taken;
                    width -= taken;
                }
                at += width;
            }
            _ => at += 1,
        }
    }
    found.sort_unstable();
    let mut last = 0;
    found.retain(|(start, end, _)| {
        let is_outer = *start >= last;
        if is_outer {
            last = *end;
        }
        is_outer
    });
    found
}

/// Parts between bars that are in no link and no braces.
pub(super) fn split(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let run = |from: usize, byte: u8| {
        bytes.get(from..).unwrap_or_default().iter().take_while(|found| **found == byte).count()
    };
    let mut parts = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let (mut brackets, mut begin, mut at) = (0usize, 0, 0);
    while let Some(byte) = bytes.get(at) {
        let width = run(at, *byte);
        match byte {
            b'{' if width >= 2 => open.push(width),
            b'}' => close(&mut open, width),
            b'[' => brackets += width / 2,
            b']' => brackets = brackets.saturating_sub(width / 2),
            b'|' if open.is_empty() && brackets == 0 => {
                parts.push(text.get(begin..at).unwrap_or_default());
                begin = at + 1;
                at += 1;
                continue;
            }
            _ => {}
        }
        at += width;
    }
    parts.push(text.get(begin..).unwrap_or_default());
    parts
}

/// Closes what a run of closing braces closes: parameters have three, templates two.
fn close(open: &mut Vec<usize>, mut width: usize) {
    while width >= 2 {
        let Some(opened) = open.pop() else { return };
        let taken = if opened >= 3 && width >= 3 { 3 } else { 2 };
        if opened - taken >= 2 {
            open.push(opened - taken);
        }
        width -= taken;
    }
}

impl Wiki {
    /// Whether a template of this name is in the dump, for tests.
    #[cfg(test)]
    pub(super) fn with_template(mut self, name: &str, text: &str) -> Self {
        self.templates.insert(normal(name), text.to_owned());
        self
    }
}
