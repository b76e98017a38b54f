//! XML of a file as a tree, within bounds, with its namespaces told apart by short names.

use std::collections::HashMap;
use std::rc::Rc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// The most elements of one file.
const MAX_NODES: usize = 3_000_000;

/// How deep elements may lie within one another.
const MAX_DEPTH: usize = 200;

/// An element: its name with the short name of its namespace (`w:p`), what it holds, and the text in it.
#[derive(Debug, Default)]
pub struct Node {
    /// Such as `w:p`; `p` where the namespace is none of those known.
    pub name: Rc<str>,
    attributes: Vec<(Rc<str>, String)>,
    /// Elements in it, in order.
    pub children: Vec<Node>,
    /// All text directly in it.
    pub text: String,
}

impl Node {
    /// The value of an attribute, by its local name; those of relationships as `r:id`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| &**key == name).map(|(_, value)| value.as_str())
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| &*child.name == name)
    }

    /// The first element of this name anywhere in it.
    pub fn find(&self, name: &str) -> Option<&Node> {
        self.children
            .iter()
            .find_map(|child| if &*child.name == name { Some(child) } else { child.find(name) })
    }

    /// Calls for each element anywhere in it, outer ones first.
    pub fn each<'n>(&'n self, call: &mut dyn FnMut(&'n Node)) {
        for child in &self.children {
            call(child);
            child.each(call);
        }
    }
}

/// Parses a file; declarations of entities are refused.
///
/// # Errors
/// It is no whole XML, lies too deep, or is too large.
pub fn parse(text: &str) -> Result<Node, String> {
    let mut reader = NsReader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut names = HashMap::new();
    let mut open = vec![Node::default()];
    let mut count = 0usize;
    loop {
        let (namespace, event) =
            reader.read_resolved_event().map_err(|error| format!("is no whole XML: {error}"))?;
        match event {
            Event::Start(start) => {
                count += 1;
                if open.len() > MAX_DEPTH {
                    return Err(format!("has elements more than {MAX_DEPTH} deep"));
                }
                let node = node(prefix(&namespace), &start, &mut names)?;
                open.push(node);
            }
            Event::Empty(start) => {
                count += 1;
                let node = node(prefix(&namespace), &start, &mut names)?;
                if let Some(parent) = open.last_mut() {
                    parent.children.push(node);
                }
            }
            Event::End(_) => close(&mut open),
            Event::Text(text) => add(&mut open, &text),
            Event::CData(text) => add(&mut open, &text),
            Event::GeneralRef(name) => add(&mut open, &reference(&name)),
            Event::DocType(_) => {
                return Err("has a declaration of document type, which is refused".to_owned());
            }
            Event::Eof => break,
            _ => {}
        }
        if count > MAX_NODES {
            return Err(format!("has more than {MAX_NODES} elements"));
        }
    }
    if open.len() > 1 {
        return Err("is no whole XML: it ends too early".to_owned());
    }
    open.pop().and_then(|mut root| root.children.pop()).ok_or_else(|| "is no XML".to_owned())
}

fn close(open: &mut Vec<Node>) {
    if open.len() > 1
        && let Some(node) = open.pop()
        && let Some(parent) = open.last_mut()
    {
        parent.children.push(node);
    }
}

fn add(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

/// What a reference such as `&amp;` or `&#1055;` stands for; those that would have to be declared stay as they are.
pub fn reference(name: &str) -> String {
    let whole = format!("&{name};");
    quick_xml::escape::unescape(&whole).map(|text| text.into_owned()).unwrap_or(whole)
}

fn node(prefix: &str, start: &BytesStart<'_>, names: &mut HashMap<String, Rc<str>>) -> Result<Node, String> {
    let mut intern =
        |name: String| Rc::clone(names.entry(name).or_insert_with_key(|name| Rc::from(name.as_str())));
    let local = start.local_name();
    let local: &str = as_str(local.as_ref());
    let name = intern(if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") });
    let mut attributes = Vec::new();
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| format!("is no whole XML: {error}"))?;
        let full = attribute.key;
        let full: &str = as_str(full.as_ref());
        let key = match full.split_once(':') {
            Some(("r", _)) | None => full,
            Some((_, local)) => local,
        };
        let raw: &str = as_str(attribute.value.as_ref());
        let value =
            quick_xml::escape::unescape(raw).map_or_else(|_| raw.to_owned(), |value| value.into_owned());
        attributes.push((intern(key.to_owned()), value));
    }
    Ok(Node { name, attributes, ..Node::default() })
}

fn as_str<T: AsRef<str> + ?Sized>(text: &T) -> &str {
    text.as_ref()
}

/// The short names that the standard's own examples use, whatever a file calls them; both of its editions.
fn prefix(namespace: &ResolveResult<'_>) -> &'static str {
    let ResolveResult::Bound(namespace) = namespace else { return "" };
    let uri: &str = as_str(namespace.as_ref());
    let known = [
        ("wordprocessingml/2006/main", "w"),
        ("ooxml/wordprocessingml/main", "w"),
        ("word/2003/wordml", "w"),
        ("officeDocument/2006/math", "m"),
        ("ooxml/officeDocument/math", "m"),
        ("drawingml/2006/main", "a"),
        ("ooxml/drawingml/main", "a"),
        ("wordprocessingDrawing", "wp"),
        ("drawingml/2006/picture", "pic"),
        ("ooxml/drawingml/picture", "pic"),
        ("drawingml/2006/chart", "c"),
        ("drawingml/2006/diagram", "dgm"),
        ("markup-compatibility", "mc"),
        ("wordprocessingShape", "wps"),
        ("microsoft-com:vml", "v"),
        ("microsoft-com:office:office", "o"),
        ("dc/elements", "dc"),
        ("dc/terms", "dcterms"),
        ("core-properties", "cp"),
    ];
    known.iter().find(|(part, _)| uri.contains(part)).map_or("", |(_, short)| short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_by_namespace_not_by_prefix() {
        let xml = "<q:p xmlns:q='http://schemas.openxmlformats.org/wordprocessingml/2006/main' q:val='а&amp;б'>x &#1055;<q:r/></q:p>";
        let root = parse(xml).unwrap();
        assert_eq!((&*root.name, root.get("val"), root.text.as_str()), ("w:p", Some("а&б"), "x П"));
        assert!(root.child("w:r").is_some());
    }

    #[test]
    fn entities_depth_and_halves_are_refused() {
        assert!(parse("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").unwrap_err().contains("document type"));
        assert!(parse(&"<a>".repeat(5000)).unwrap_err().contains("deep"));
        assert!(parse("<a><b></b>").is_err());
        assert!(parse("").is_err());
    }
}
