//! Elements and texts of a page in one vector, whether they came from HTML or from XML: nothing in it is recursive.

use std::borrow::Cow;
use std::collections::HashMap;

use quick_xml::events::Event;

/// The root of every tree.
pub(crate) const ROOT: usize = 0;

/// The most bytes of one page.
pub(crate) const MAX_PAGE_BYTES: usize = 16 << 20;

/// The most elements open at a time: the work of an HTML parser grows with the square of it.
const MAX_OPEN: usize = 1_000;

/// What HTML closes by itself or never opens, so that it does not nest when it is not closed.
const CLOSED_BY_THEMSELVES: [&str; 36] = [
    "a", "area", "base", "basefont", "bgsound", "body", "br", "col", "colgroup", "dd", "dt", "embed",
    "frame", "head", "hr", "html", "img", "input", "keygen", "li", "link", "meta", "option", "p", "param",
    "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr", "optgroup", "rt",
];

/// An element, or a text if it has no name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<usize>,
    pub(crate) parent: usize,
}

/// A page.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// The text that is hidden.
    pub(crate) hidden: String,
    /// Whether what is hidden is to be read: it is most of the page, which a script would show.
    pub(crate) shows_hidden: bool,
}

impl Tree {
    fn empty() -> Self {
        Self {
            nodes: vec![Node { name: "#root".to_owned(), ..Node::default() }],
            hidden: String::new(),
            shows_hidden: false,
        }
    }

    /// The text that is hidden, and how much text there is in all but scripts and styles, in bytes.
    fn hidden_text(&self) -> (String, usize) {
        let (mut hidden, mut all) = (String::new(), 0);
        let is_code =
            |tree: &Self, place: usize| matches!(tree.name(place), "script" | "style" | "head" | "template");
        for place in self.within_but(ROOT, &is_code) {
            let text = self.nodes[place].text.trim();
            if text.is_empty() {
                continue;
            }
            all += text.len();
            if self.around(place, |tree, place| tree.attribute(place, "hidden").is_some()).is_some() {
                hidden.push_str(text);
                hidden.push(' ');
            }
        }
        (hidden, all)
    }

    /// Reads HTML as browsers do.
    ///
    /// # Errors
    /// It is too large or too deep; why, in words.
    pub(crate) fn of_html(html: &str) -> Result<Self, String> {
        if html.len() > MAX_PAGE_BYTES {
            return Err(format!("is larger than {} MB", MAX_PAGE_BYTES >> 20));
        }
        if most_open(html) > MAX_OPEN {
            return Err(format!("has more than {MAX_OPEN} elements within each other"));
        }
        let page = scraper::Html::parse_document(&closed(html));
        let mut tree = Self::empty();
        let mut places = HashMap::new();
        for node in page.tree.root().descendants() {
            let parent = node.parent().and_then(|parent| places.get(&parent.id()).copied()).unwrap_or(ROOT);
            let place = match node.value() {
                scraper::Node::Element(element) => {
                    let attributes =
                        element.attrs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                    tree.add(parent, element.name(), attributes)
                }
                scraper::Node::Text(text) => tree.add_text(parent, text),
                _ => parent,
            };
            places.insert(node.id(), place);
        }
        let (hidden, all) = tree.hidden_text();
        tree.shows_hidden = hidden.len() * 2 > all;
        tree.hidden = hidden;
        Ok(tree)
    }

    /// Reads XML with the named characters of HTML, forgiving what is not closed. Prefixes stay in names.
    ///
    /// # Errors
    /// It is too large or no XML; why, in words.
    pub(crate) fn of_xml(xml: &str) -> Result<Self, String> {
        if xml.len() > MAX_PAGE_BYTES {
            return Err(format!("is larger than {} MB", MAX_PAGE_BYTES >> 20));
        }
        let mut reader = quick_xml::Reader::from_str(xml);
        reader.config_mut().check_end_names = false;
        reader.config_mut().allow_unmatched_ends = true;
        reader.config_mut().allow_dangling_amp = true;
        let mut tree = Self::empty();
        let mut open = vec![ROOT];
        loop {
            let parent = open.last().copied().unwrap_or(ROOT);
            match reader.read_event().map_err(|error| format!("is damaged: {error}"))? {
                Event::Start(start) => {
                    let place = tree.add(parent, &xml_name(start.name().0), xml_attributes(&start));
                    open.push(place);
                }
                Event::Empty(start) => {
                    tree.add(parent, &xml_name(start.name().0), xml_attributes(&start));
                }
                Event::End(end) => {
                    let name = xml_name(end.name().0);
                    if let Some(at) = open.iter().rposition(|&place| tree.nodes[place].name == name)
                        && at > 0
                    {
                        open.truncate(at);
                    }
                }
                Event::Text(text) => {
                    tree.add_text(parent, &text);
                }
                Event::CData(text) => {
                    tree.add_text(parent, &text);
                }
                Event::GeneralRef(reference) => {
                    tree.add_text(parent, &character(&reference));
                }
                Event::Eof => break,
                _ => {}
            }
        }
        Ok(tree)
    }

    /// Adds an element as the last child.
    pub(crate) fn add(&mut self, parent: usize, name: &str, attributes: Vec<(String, String)>) -> usize {
        let place = self.nodes.len();
        self.nodes.push(Node { name: name.to_owned(), attributes, parent, ..Node::default() });
        self.nodes[parent].children.push(place);
        place
    }

    /// Adds a text as the last child; one text with the text before it.
    pub(crate) fn add_text(&mut self, parent: usize, text: &str) -> usize {
        if let Some(&last) = self.nodes[parent].children.last()
            && self.nodes[last].name.is_empty()
        {
            self.nodes[last].text.push_str(text);
            return last;
        }
        let place = self.add(parent, "", Vec::new());
        text.clone_into(&mut self.nodes[place].text);
        place
    }

    /// The name of an element; nothing for a text.
    pub(crate) fn name(&self, place: usize) -> &str {
        &self.nodes[place].name
    }

    /// What is directly within.
    pub(crate) fn children(&self, place: usize) -> &[usize] {
        &self.nodes[place].children
    }

    /// An attribute.
    pub(crate) fn attribute(&self, place: usize, name: &str) -> Option<&str> {
        self.nodes[place].attributes.iter().find(|(has, _)| has == name).map(|(_, value)| value.as_str())
    }

    /// The classes of an element.
    pub(crate) fn classes(&self, place: usize) -> impl Iterator<Item = &str> {
        self.attribute(place, "class").unwrap_or_default().split_ascii_whitespace()
    }

    /// Whether an element has a class.
    pub(crate) fn has_class(&self, place: usize, class: &str) -> bool {
        self.classes(place).any(|has| has == class)
    }

    /// An element and all that is within it, in the order of the page.
    pub(crate) fn within(&self, place: usize) -> Within<'_> {
        Within { tree: self, next: vec![place], skip: &|_, _| false }
    }

    /// The same, without what `skip` names and all that is within that.
    pub(crate) fn within_but<'t>(
        &'t self,
        place: usize,
        skip: &'t dyn Fn(&Tree, usize) -> bool,
    ) -> Within<'t> {
        Within { tree: self, next: vec![place], skip }
    }

    /// The text within, white space as it stands.
    pub(crate) fn text(&self, place: usize) -> String {
        self.within(place).map(|place| self.nodes[place].text.as_str()).collect()
    }

    /// The text within on one line.
    pub(crate) fn line(&self, place: usize) -> String {
        let part =
            |place: usize| if self.name(place) == "br" { " " } else { self.nodes[place].text.as_str() };
        one_line(&self.within(place).map(part).collect::<String>())
    }

    /// The first element within that fits.
    pub(crate) fn find(&self, place: usize, fits: impl Fn(&Self, usize) -> bool) -> Option<usize> {
        self.within(place).find(|&place| fits(self, place))
    }

    /// The nearest element around that fits.
    pub(crate) fn around(&self, place: usize, fits: impl Fn(&Self, usize) -> bool) -> Option<usize> {
        let mut place = place;
        while place != ROOT {
            place = self.nodes[place].parent;
            if fits(self, place) {
                return Some(place);
            }
        }
        None
    }

    /// Makes an element another one.
    pub(crate) fn turn(&mut self, place: usize, name: &str, attributes: &[(&str, &str)]) {
        name.clone_into(&mut self.nodes[place].name);
        self.nodes[place].attributes =
            attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    }

    /// Leaves in an element only one text.
    pub(crate) fn hold_text(&mut self, place: usize, text: &str) {
        self.nodes[place].children.clear();
        self.add_text(place, text);
    }
}

/// See [`Tree::within`].
pub(crate) struct Within<'t> {
    tree: &'t Tree,
    next: Vec<usize>,
    skip: &'t dyn Fn(&Tree, usize) -> bool,
}

impl Iterator for Within<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            let place = self.next.pop()?;
            if (self.skip)(self.tree, place) {
                continue;
            }
            self.next.extend(self.tree.nodes[place].children.iter().rev());
            return Some(place);
        }
    }
}

/// A text without line ends and runs of spaces.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// What an entity stands for; itself, if for nothing known.
pub(crate) fn character(name: &str) -> String {
    let number = match name.strip_prefix('#') {
        Some(number) => match number.strip_prefix(['x', 'X']) {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
            None => number.parse().ok(),
        },
        None => None,
    };
    match number.and_then(char::from_u32).filter(|&character| character != '\0') {
        Some(character) => character.to_string(),
        None => match quick_xml::escape::resolve_html5_entity(name) {
            Some(text) => text.to_owned(),
            None => format!("&{name};"),
        },
    }
}

fn xml_name(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn xml_attributes(start: &quick_xml::events::BytesStart<'_>) -> Vec<(String, String)> {
    start
        .html_attributes()
        .with_checks(false)
        .flatten()
        .map(|attribute| (xml_name(attribute.key.0), unescaped(&attribute.value)))
        .collect()
}

/// A value of an attribute with its entities replaced, once.
pub(crate) fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.bytes().take(40).position(|byte| byte == b';') {
            Some(end) if rest.is_char_boundary(end) => {
                text.push_str(&character(&rest[..end]));
                rest = &rest[end + 1..];
            }
            _ => text.push('&'),
        }
    }
    text.push_str(rest);
    text
}

/// What pages written as XHTML close at once, and HTML would leave open to hold all that follows.
const CLOSED_AT_ONCE: [&str; 14] =
    ["a", "b", "code", "dd", "div", "em", "i", "li", "p", "span", "strong", "td", "th", "ul"];

/// A page with elements such as `<a id="x"/>` closed by a tag of their own.
fn closed(html: &str) -> Cow<'_, str> {
    if !html.contains("/>") {
        return Cow::Borrowed(html);
    }
    let mut written = String::with_capacity(html.len() + html.len() / 50);
    let mut rest = html;
    while let Some(at) = rest.find("/>") {
        let (before, after) = rest.split_at(at);
        written.push_str(before);
        let tag = before.rfind('<').map(|start| &before[start + 1..]).unwrap_or_default();
        let name = tag.split(|c: char| c.is_whitespace()).next().unwrap_or_default();
        // An address without quotes may end in a slash.
        let is_whole = tag.ends_with(['"', '\'', ' ']) || tag == name;
        if is_whole && CLOSED_AT_ONCE.iter().any(|closed| name.eq_ignore_ascii_case(closed)) {
            written.push_str("></");
            written.push_str(name);
            written.push('>');
        } else {
            written.push_str("/>");
        }
        rest = &after[2..];
    }
    written.push_str(rest);
    Cow::Owned(written)
}

/// How many elements that HTML does not close by itself are open at a time, at most: counted in one pass, roughly.
fn most_open(html: &str) -> usize {
    let (mut open, mut most, mut foreign) = (0usize, 0usize, 0usize);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end..]);
            continue;
        }
        let closes = rest.starts_with('/');
        let name: String = rest
            .trim_start_matches('/')
            .chars()
            .take_while(|character| !character.is_whitespace() && !matches!(character, '>' | '/' | '<'))
            .take(40)
            .collect::<String>()
            .to_ascii_lowercase();
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            continue;
        }
        if !closes && matches!(name.as_str(), "script" | "style" | "textarea" | "title") {
            let end = format!("</{name}");
            // One that is never closed holds all that follows.
            rest = find_ignoring_case(rest, &end).map_or("", |at| &rest[at + end.len()..]);
            continue;
        }
        if matches!(name.as_str(), "svg" | "math") {
            foreign = if closes { foreign.saturating_sub(1) } else { foreign + 1 };
        }
        if foreign == 0 && CLOSED_BY_THEMSELVES.contains(&name.as_str()) {
            continue;
        }
        let tag = rest.find('>').map_or(rest, |end| &rest[..end]);
        if closes {
            open = open.saturating_sub(1);
        } else if !(foreign > 0 && tag.ends_with('/')) {
            open += 1;
            most = most.max(open);
        }
    }
    most
}

fn find_ignoring_case(text: &str, what: &str) -> Option<usize> {
    let what = what.as_bytes();
    text.as_bytes().windows(what.len()).position(|window| window.eq_ignore_ascii_case(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_read_as_browsers_do() {
        let tree = Tree::of_html("<p>раз<p>два <b>три</b>").unwrap();
        let paragraphs: Vec<_> = tree.within(ROOT).filter(|&place| tree.name(place) == "p").collect();
        assert_eq!(paragraphs.iter().map(|&place| tree.line(place)).collect::<Vec<_>>(), ["раз", "два три"]);
    }

    #[test]
    fn what_xhtml_closes_at_once_holds_nothing() {
        let tree = Tree::of_html("<ul><li><a id=\"x\"/>раз<li><a href=b/>два</a></ul><br/><div class='c' />")
            .unwrap();
        let links: Vec<_> = tree.within(ROOT).filter(|&place| tree.name(place) == "a").collect();
        assert_eq!(links.iter().map(|&place| tree.line(place)).collect::<Vec<_>>(), ["", "два"]);
    }

    #[test]
    fn xml_keeps_empty_elements_empty_and_reads_named_characters() {
        let tree =
            Tree::of_xml("<p>a&nbsp;b<ri:page ri:content-title=\"x &amp; y\"/> после</p><![CDATA[<i>]]>")
                .unwrap();
        let page = tree.find(ROOT, |tree, place| tree.name(place) == "ri:page").unwrap();
        assert_eq!(tree.attribute(page, "ri:content-title"), Some("x & y"));
        assert!(tree.children(page).is_empty());
        assert_eq!(tree.text(ROOT), "a\u{a0}b после<i>");
    }

    #[test]
    fn what_would_take_forever_is_refused() {
        assert!(Tree::of_html(&"<div>".repeat(5_000)).is_err());
        assert!(Tree::of_html(&"<b x=1>".repeat(5_000)).is_err());
        assert!(Tree::of_html(&"<p>x".repeat(5_000)).is_ok());
        assert!(Tree::of_html(&format!("<script>{}</script>x", "'<div>'".repeat(5_000))).is_ok());
    }
}
