//! Styles and numbering of a DOCX file, followed along what they are based on.

use std::collections::{BTreeMap, HashMap};

use crate::importing::blocks::Style;
use crate::importing::xml::Node;

/// How long a chain of styles may be.
const MAX_CHAIN: usize = 20;

/// What a paragraph is, by its style.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Role {
    /// An ordinary paragraph.
    #[default]
    Text,
    /// The title of the page.
    Title,
    /// Code.
    Code,
    /// A quotation.
    Quote,
    /// A line of the table of contents.
    Contents,
}

#[derive(Debug, Default)]
struct Entry {
    name: String,
    based_on: Option<String>,
    outline: Option<u8>,
    numbering: Option<String>,
    level: Option<usize>,
    own: OwnStyle,
}

/// What a style or a run says of itself; `None`: nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OwnStyle {
    bold: Option<bool>,
    italic: Option<bool>,
    strike: Option<bool>,
    code: Option<bool>,
    /// Whether it is hidden.
    pub(super) hidden: Option<bool>,
}

impl OwnStyle {
    /// From `w:rPr`.
    pub(super) fn of(properties: Option<&Node>) -> Self {
        let Some(properties) = properties else { return Self::default() };
        let flag = |name: &str| properties.child(name).map(is_on);
        let code = properties
            .child("w:rFonts")
            .and_then(|fonts| fonts.get("ascii").or_else(|| fonts.get("hAnsi")).or_else(|| fonts.get("cs")))
            .map(is_code_font);
        Self {
            bold: flag("w:b"),
            italic: flag("w:i"),
            strike: flag("w:strike").or_else(|| flag("w:dstrike")),
            code,
            hidden: flag("w:vanish"),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            bold: self.bold.or(other.bold),
            italic: self.italic.or(other.italic),
            strike: self.strike.or(other.strike),
            code: self.code.or(other.code),
            hidden: self.hidden.or(other.hidden),
        }
    }

    /// The emphasis of it, and whether it is code.
    pub(super) fn style(self) -> (Style, bool) {
        let on = |flag: Option<bool>| flag.unwrap_or(false);
        (Style { bold: on(self.bold), italic: on(self.italic), strike: on(self.strike) }, on(self.code))
    }
}

/// Whether `w:b` and its like are on.
pub(super) fn is_on(node: &Node) -> bool {
    !matches!(node.get("val"), Some("0" | "false" | "off" | "none"))
}

fn is_code_font(name: &str) -> bool {
    let name = name.to_lowercase();
    [
        "courier",
        "consolas",
        "menlo",
        "monaco",
        "mono",
        "source code",
        "lucida console",
        "fira code",
        "cascadia",
        "typewriter",
    ]
    .iter()
    .any(|part| name.contains(part))
}

/// All styles of a file.
#[derive(Debug, Default)]
pub(super) struct Styles(HashMap<String, Entry>);

impl Styles {
    /// From `styles.xml`.
    pub(super) fn of(root: Option<&Node>) -> Self {
        let mut styles = HashMap::new();
        for node in root.iter().flat_map(|root| &root.children).filter(|node| &*node.name == "w:style") {
            let Some(id) = node.get("styleId") else { continue };
            let value = |of: Option<&Node>, name: &str| {
                of.and_then(|of| of.child(name)).and_then(|node| node.get("val")).map(str::to_owned)
            };
            let paragraph = node.child("w:pPr");
            let number = paragraph.and_then(|paragraph| paragraph.child("w:numPr"));
            let entry = Entry {
                name: value(Some(node), "w:name").unwrap_or_default().to_lowercase(),
                based_on: value(Some(node), "w:basedOn"),
                outline: value(paragraph, "w:outlineLvl").and_then(|level| level.parse().ok()),
                numbering: value(number, "w:numId"),
                level: value(number, "w:ilvl").and_then(|level| level.parse().ok()),
                own: OwnStyle::of(node.child("w:rPr")),
            };
            styles.insert(id.to_owned(), entry);
        }
        Self(styles)
    }

    fn chain<'s>(&'s self, id: Option<&'s str>) -> impl Iterator<Item = (&'s str, &'s Entry)> {
        let mut next = id;
        std::iter::from_fn(move || {
            let id = next?;
            let entry = self.0.get(id)?;
            next = entry.based_on.as_deref();
            Some((id, entry))
        })
        .take(MAX_CHAIN)
    }

    /// The level of a heading of this style, 1 being the highest.
    pub(super) fn heading(&self, id: Option<&str>) -> Option<u8> {
        for (id, entry) in self.chain(id) {
            match entry.outline {
                Some(level) if level < 9 => return Some(level + 1),
                Some(_) => return None,
                None => {}
            }
            if let Some(level) = heading_by_name(&entry.name).or_else(|| heading_by_name(&id.to_lowercase()))
            {
                return Some(level);
            }
        }
        // A producer may name styles that it does not define.
        id.filter(|id| !self.0.contains_key(*id)).and_then(|id| heading_by_name(&id.to_lowercase()))
    }

    /// What a paragraph of this style is.
    pub(super) fn role(&self, id: Option<&str>) -> Role {
        let undefined = id.filter(|id| !self.0.contains_key(*id)).map(|id| role_by_name(&id.to_lowercase()));
        self.chain(id)
            .map(|(id, entry)| match role_by_name(&entry.name) {
                Role::Text if entry.own.code == Some(true) => Role::Code,
                Role::Text => role_by_name(&id.to_lowercase()),
                role => role,
            })
            .chain(undefined)
            .find(|role| *role != Role::Text)
            .unwrap_or_default()
    }

    /// The name of a style, in small letters.
    pub(super) fn name(&self, id: Option<&str>) -> &str {
        id.and_then(|id| self.0.get(id)).map_or("", |entry| &entry.name)
    }

    /// The numbering of a style and the level of it.
    pub(super) fn numbering<'s>(&'s self, id: Option<&'s str>) -> Option<(&'s str, Option<usize>)> {
        let number = self.chain(id).find_map(|(_, entry)| entry.numbering.as_deref())?;
        Some((number, self.chain(id).find_map(|(_, entry)| entry.level)))
    }

    /// What a run of this style of characters is like.
    pub(super) fn run(&self, own: OwnStyle, id: Option<&str>) -> OwnStyle {
        self.chain(id).fold(own, |own, (id, entry)| {
            let mut entry_own = entry.own;
            let is_code = |name: &str| {
                name.contains("verbatim") || name.contains("code") || name.contains("source text")
            };
            if is_code(&entry.name) || is_code(&id.to_lowercase()) {
                entry_own.code = Some(true);
            }
            own.or(entry_own)
        })
    }
}

/// "heading 1" is what Word itself calls it in all languages; others write what they show.
fn heading_by_name(name: &str) -> Option<u8> {
    const WORDS: [&str; 17] = [
        "heading",
        "заголовок",
        "überschrift",
        "titre",
        "título",
        "titulo",
        "titolo",
        "nagłówek",
        "kop",
        "rubrik",
        "otsikko",
        "overskrift",
        "nadpis",
        "başlık",
        "címsor",
        "标题",
        "見出し",
    ];
    let name = name.trim();
    let rest = WORDS.iter().find_map(|word| name.strip_prefix(word))?;
    let level: u8 = rest.trim_matches([' ', '_', '-']).trim_end_matches("20").parse().ok()?;
    (1..=9).contains(&level).then_some(level)
}

fn role_by_name(name: &str) -> Role {
    let name = name.trim();
    if matches!(name, "title" | "название" | "titel" | "titre" | "título" | "titolo" | "tytuł") {
        Role::Title
    } else if name.starts_with("toc ") || name.starts_with("оглавление ") || name.starts_with("contents ")
    {
        Role::Contents
    } else if name.contains("source code")
        || name.contains("sourcecode")
        || name.contains("preformatted")
        || name.contains("листинг")
        || matches!(name, "code" | "код" | "code block" | "macro text" | "macro")
    {
        Role::Code
    } else if name.contains("quote")
        || name.contains("quotation")
        || name.contains("цитата")
        || name == "block text"
    {
        Role::Quote
    } else {
        Role::Text
    }
}

/// How a level of a list is numbered.
#[derive(Clone, Debug)]
pub(super) struct Level {
    /// `bullet`, `decimal`, `lowerLetter` …
    pub(super) format: String,
    /// Such as `%1.%2.`, or the bullet.
    pub(super) text: String,
    start: u64,
    style: Option<String>,
}

#[derive(Debug, Default)]
struct Abstract {
    levels: HashMap<usize, Level>,
    link: Option<String>,
}

#[derive(Debug, Default)]
struct Number {
    base: String,
    starts: BTreeMap<usize, u64>,
    levels: HashMap<usize, Level>,
}

/// All numbering of a file.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    abstracts: HashMap<String, Abstract>,
    numbers: HashMap<String, Number>,
    counts: HashMap<(String, usize), u64>,
    begun: HashMap<String, bool>,
}

impl Numbering {
    /// From `numbering.xml`.
    pub(super) fn of(root: Option<&Node>) -> Self {
        let mut numbering = Self::default();
        for node in root.iter().flat_map(|root| &root.children) {
            match &*node.name {
                "w:abstractNum" => {
                    let link =
                        node.child("w:numStyleLink").and_then(|link| link.get("val")).map(str::to_owned);
                    let entry = Abstract { levels: levels(node), link };
                    numbering
                        .abstracts
                        .insert(node.get("abstractNumId").unwrap_or_default().to_owned(), entry);
                }
                "w:num" => {
                    let base =
                        node.child("w:abstractNumId").and_then(|base| base.get("val")).unwrap_or_default();
                    let mut number = Number { base: base.to_owned(), ..Number::default() };
                    for over in node.children.iter().filter(|child| &*child.name == "w:lvlOverride") {
                        let level = over.get("ilvl").and_then(|level| level.parse().ok()).unwrap_or(0);
                        if let Some(start) = over.child("w:startOverride").and_then(|start| start.get("val"))
                        {
                            number.starts.insert(level, start.parse().unwrap_or(1));
                        }
                        number.levels.extend(levels(over));
                    }
                    numbering.numbers.insert(node.get("numId").unwrap_or_default().to_owned(), number);
                }
                _ => {}
            }
        }
        numbering
    }

    fn base<'n>(&'n self, number: &'n Number, styles: &'n Styles) -> Option<(&'n str, &'n Abstract)> {
        let mut id = number.base.as_str();
        let mut entry = self.abstracts.get(id)?;
        for _ in 0..MAX_CHAIN {
            let Some(link) = &entry.link else { break };
            let Some(next) = styles.numbering(Some(link)).and_then(|(number, _)| self.numbers.get(number))
            else {
                break;
            };
            let Some(found) = self.abstracts.get(&next.base) else { break };
            (id, entry) = (next.base.as_str(), found);
        }
        Some((id, entry))
    }

    /// How a level of a list is numbered.
    pub(super) fn level(&self, number: &str, level: usize, styles: &Styles) -> Option<Level> {
        let number = self.numbers.get(number)?;
        let base = self.base(number, styles)?.1;
        number.levels.get(&level).or_else(|| base.levels.get(&level)).cloned()
    }

    /// The level that belongs to a style of paragraphs.
    pub(super) fn level_of_style(&self, number: &str, style: &str, styles: &Styles) -> Option<usize> {
        let base = self.base(self.numbers.get(number)?, styles)?.1;
        let mut levels: Vec<_> = base
            .levels
            .iter()
            .filter(|(_, level)| level.style.as_deref() == Some(style))
            .map(|(index, _)| *index)
            .collect();
        levels.sort_unstable();
        levels.first().copied()
    }

    /// Counts an item and gives its number: lists of one abstract numbering go on counting, unless one of them starts anew.
    pub(super) fn count(&mut self, number_id: &str, level: usize, styles: &Styles) -> u64 {
        let Some(number) = self.numbers.get(number_id) else { return 1 };
        let Some((base, _)) = self.base(number, styles) else { return 1 };
        let base = base.to_owned();
        let start = self.level(number_id, level, styles).map_or(1, |level| level.start);
        let anew = number.starts.get(&level).copied();
        let starts = number.starts.clone();
        if !self.begun.contains_key(number_id) && !starts.is_empty() {
            for level in starts.keys() {
                self.counts.remove(&(base.clone(), *level));
            }
        }
        self.begun.insert(number_id.to_owned(), true);
        for deeper in level + 1..=9 {
            self.counts.remove(&(base.clone(), deeper));
        }
        let count = self.counts.entry((base, level)).or_insert_with(|| anew.unwrap_or(start).wrapping_sub(1));
        *count = count.wrapping_add(1);
        *count
    }
}

fn levels(node: &Node) -> HashMap<usize, Level> {
    let value = |of: &Node, name: &str| of.child(name).and_then(|node| node.get("val")).map(str::to_owned);
    node.children
        .iter()
        .filter(|child| &*child.name == "w:lvl")
        .filter_map(|level| {
            let index = level.get("ilvl")?.parse().ok()?;
            let format = value(level, "w:numFmt").unwrap_or_else(|| "decimal".to_owned());
            let start = value(level, "w:start").and_then(|start| start.parse().ok()).unwrap_or(1);
            let text = value(level, "w:lvlText").unwrap_or_default();
            Some((index, Level { format, text, start, style: value(level, "w:pStyle") }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_in_any_language() {
        assert_eq!(heading_by_name("heading 2"), Some(2));
        assert_eq!(heading_by_name("заголовок 3"), Some(3));
        assert_eq!(heading_by_name("überschrift 1"), Some(1));
        assert_eq!(heading_by_name("heading 1 char"), None);
        assert_eq!(heading_by_name("headings"), None);
    }

    #[test]
    fn a_circle_of_styles_ends() {
        let xml = "<w:styles xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'>\
            <w:style w:styleId='a'><w:name w:val='x'/><w:basedOn w:val='b'/></w:style>\
            <w:style w:styleId='b'><w:name w:val='y'/><w:basedOn w:val='a'/></w:style>\
            <w:style w:styleId='c'><w:name w:val='Мой'/><w:basedOn w:val='d'/></w:style>\
            <w:style w:styleId='d'><w:name w:val='z'/><w:pPr><w:outlineLvl w:val='1'/></w:pPr></w:style></w:styles>";
        let root = crate::importing::xml::parse(xml).unwrap();
        let styles = Styles::of(Some(&root));
        assert_eq!(styles.heading(Some("a")), None);
        assert_eq!(styles.heading(Some("c")), Some(2));
    }
}
