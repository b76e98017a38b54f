//! SVG drawings, made safe to be kept and served: without scripts, pages within, and anything from elsewhere.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, Writer};
use svg_hush::Filter;
use svg_hush::data_url_filter::{DataUrl, DataUrlFilterResult};

/// How much of a file is looked at to tell whether it is a drawing: licences may stand before it.
const HEAD_BYTES: usize = 64 << 10;

/// The most bytes a drawing may have when it is cleaned: entities may have made it larger than its file.
const MAX_BYTES: usize = 16 << 20;

/// The longest declaration of entities, as programs for drawing write it.
const MAX_DECLARED: usize = 4 << 10;

/// The most elements that are drawn, with those that are drawn again where another element uses them.
const MAX_DRAWN: u64 = 500_000;

/// How deep uses of uses, and elements others may use within each other, may go.
const MAX_USES: usize = 200;

/// A larger size, in pixels, is none that is meant.
const MAX_SIDE: f64 = 20_000.0;

/// Whether a file looks like a drawing.
pub(super) fn is_drawing(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_page = text.get(..9).is_some_and(|begin| begin.eq_ignore_ascii_case("<!doctype"))
        && !text.contains("<!DOCTYPE svg");
    text.starts_with('<') && !is_page && (text.contains("<svg") || text.contains(":svg"))
}

/// The drawing with what draws and nothing else: no scripts, no handlers, no pages within, no addresses.
///
/// # Errors
/// It is not well formed, holds no drawing, or would take a browser too long to draw.
pub(super) fn cleaned(bytes: &[u8]) -> Result<Vec<u8>, String> {
    refuse_multiplying_entities(bytes)?;
    let mut filter = Filter::new();
    filter.set_data_url_filter(picture_within);
    let mut out = Bounded(Vec::with_capacity(bytes.len()));
    filter.filter(bytes, &mut out).map_err(|error| broken(&error))?;
    let text = String::from_utf8(out.0).map_err(|error| broken(&error))?;
    refuse_multiplying_uses(&text)?;
    settled(&text)
}

/// Whether a drawing holds texts that only a page within it shows, as labels of flow charts.
pub(super) fn has_page_within(bytes: &[u8]) -> bool {
    String::from_utf8_lossy(bytes).contains("foreignObject")
}

fn broken(error: &dyn std::fmt::Display) -> String {
    format!("is no drawing that can be read: {error}")
}

/// A clean drawing without addresses, which would lead to this server, and of the size it has by its coordinates where it names none: browsers
/// would make an icon as wide as the page.
fn settled(text: &str) -> Result<Vec<u8>, String> {
    let mut reader = Reader::from_str(text);
    let mut writer = Writer::new(Vec::with_capacity(text.len()));
    let mut is_root = true;
    loop {
        let event = reader.read_event().map_err(|error| broken(&error))?;
        let event = match event {
            Event::Eof => break,
            Event::Start(element) => Event::Start(without_addresses(&element, std::mem::take(&mut is_root))),
            Event::Empty(element) => Event::Empty(without_addresses(&element, std::mem::take(&mut is_root))),
            other => other,
        };
        writer.write_event(event).map_err(|error| broken(&error))?;
    }
    Ok(writer.into_inner())
}

fn without_addresses(element: &BytesStart<'_>, is_root: bool) -> BytesStart<'static> {
    let mut kept = BytesStart::new(element.name().0.to_owned());
    let (mut size, mut view_box) = (false, None);
    for attribute in element.attributes().flatten() {
        let (key, value) = (attribute.key.as_ref().to_owned(), attribute.value.clone());
        size |= matches!(key.as_str(), "width" | "height");
        if key == "viewBox" {
            view_box = Some(value.to_string());
        }
        if key != "href" || value.starts_with(['#']) || value.starts_with("data:") {
            kept.push_attribute(attribute);
        }
    }
    let sides = view_box.filter(|_| is_root && !size).and_then(|view_box| {
        let numbers: Vec<f64> = view_box
            .split([' ', ','])
            .filter(|part| !part.is_empty())
            .filter_map(|part| part.parse().ok())
            .collect();
        let [_, _, width, height] = numbers[..] else { return None };
        [width, height]
            .iter()
            .all(|side| (1.0..=MAX_SIDE).contains(side))
            .then(|| [width.to_string(), height.to_string()])
    });
    if let Some([width, height]) = sides {
        kept.push_attribute(("width", width.as_str()));
        kept.push_attribute(("height", height.as_str()));
    }
    kept.into_owned()
}

/// Pictures within a drawing stay when they are what they say.
fn picture_within(url: &DataUrl<'_>) -> DataUrlFilterResult {
    let is_picture = url.decode_to_vec().ok().is_some_and(|(bytes, _)| {
        let kind = super::pictures::pixels_of(&bytes).map(|extension| extension.replace("jpg", "jpeg"));
        url.mime_type().type_ == "image" && kind.is_ok_and(|kind| kind == url.mime_type().subtype)
    });
    if is_picture { DataUrlFilterResult::Keep } else { DataUrlFilterResult::Drop }
}

/// Entities may stand for texts, not for each other, and not for more than a drawing may hold ("billion laughs").
fn refuse_multiplying_entities(bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    let Some((_, from)) = text.split_once("<!ENTITY") else { return Ok(()) };
    let declared = from.split_once("]>").map_or(from, |(declared, _)| declared);
    let used = text.matches('&').count();
    let is_small = declared.len() <= MAX_DECLARED && declared.len() * used <= MAX_BYTES;
    if !is_small || declared.contains(['&', '%']) {
        return Err("declares entities that multiply; save it without them".to_owned());
    }
    Ok(())
}

/// Takes no more than a drawing may have.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_BYTES {
            return Err(io::Error::other(format!("it is larger than {MAX_BYTES} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An element others may use, by its id: how many elements stand in it that are in no such element within it, which it uses how often, and
/// which such elements stand in it.
#[derive(Default)]
struct Used {
    elements: u64,
    uses: BTreeMap<String, u64>,
    within: BTreeMap<String, u64>,
}

/// A few elements that use each other are drawn as many.
fn refuse_multiplying_uses(text: &str) -> Result<(), String> {
    // The whole drawing is what nothing is called.
    let mut by_id: HashMap<String, Used> = HashMap::from([(String::new(), Used::default())]);
    // By open element: the nearest around it that others may use, itself included.
    let mut open: Vec<String> = vec![String::new()];
    let mut reader = Reader::from_str(text);
    loop {
        let (element, has_end) = match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(element) => (element, true),
            Event::Empty(element) => (element, false),
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let (id, uses) = facts_of(&element);
        let around = open.last().cloned().unwrap_or_default();
        let own = id.unwrap_or_else(|| around.clone());
        if own != around {
            *by_id.entry(around).or_default().within.entry(own.clone()).or_default() += 1;
        }
        let used = by_id.entry(own.clone()).or_default();
        used.elements += 1;
        for id in uses {
            *used.uses.entry(id).or_default() += 1;
        }
        if has_end {
            open.push(own);
        }
    }
    match drawn("", &by_id, &mut HashMap::new(), 0) {
        Some(elements) if elements <= MAX_DRAWN => Ok(()),
        _ => Err(format!("draws more than {MAX_DRAWN} elements by using some again and again")),
    }
}

/// The id of an element, and those it uses: `href="#id"`, `url(#id)`.
fn facts_of(element: &BytesStart<'_>) -> (Option<String>, Vec<String>) {
    let (mut id, mut uses) = (None, Vec::new());
    for attribute in element.attributes().flatten() {
        let value = attribute.value;
        match attribute.key.as_ref() {
            "id" => id = Some(value.into_owned()).filter(|id| !id.is_empty()),
            "href" => uses.extend(value.strip_prefix('#').map(str::to_owned)),
            _ => {
                let named = value.split("url(").skip(1).filter_map(|rest| {
                    let rest = rest.trim_start_matches(['"', '\'', ' ']).strip_prefix('#')?;
                    rest.split([')', '"', '\'', ' ']).next()
                });
                uses.extend(named.map(str::to_owned));
            }
        }
    }
    (id, uses)
}

/// How many elements are drawn for one; nothing: too many, or nested too deep.
fn drawn(
    id: &str,
    by_id: &HashMap<String, Used>,
    known: &mut HashMap<String, Option<u64>>,
    depth: usize,
) -> Option<u64> {
    if let Some(known) = known.get(id) {
        return *known;
    }
    let Some(used) = by_id.get(id) else { return Some(0) };
    if depth > MAX_USES {
        return None;
    }
    // What uses itself is not drawn by browsers.
    known.insert(id.to_owned(), Some(0));
    let mut all = Some(used.elements);
    for (other, times) in used.uses.iter().chain(&used.within) {
        let elements = drawn(other, by_id, known, depth + 1).and_then(|each| each.checked_mul(*times));
        all = all.zip(elements).and_then(|(all, elements)| all.checked_add(elements));
    }
    let all = all.filter(|elements| *elements <= MAX_DRAWN);
    known.insert(id.to_owned(), all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        String::from_utf8(cleaned(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn what_draws_stays_and_what_runs_goes() {
        let text = r##"<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd" [ <!ENTITY ns "http://www.w3.org/2000/svg"> ]>
            <svg xmlns="&ns;" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10" onload="alert(1)">
            <style>@import 'http://evil/x.css'; rect { fill: url(http://evil/y) } .a { stroke: red }</style>
            <script>alert(2)</script><foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="alert(3)"/></body></foreignObject>
            <a xlink:href="javascript:alert(4)"><text class="a" font-size="2">Тариф «Лёгкий»</text></a>
            <image href="http://evil/z.png"/><image href="data:image/svg+xml;base64,PHN2Zy8+"/><image href="data:image/gif;base64,R0lGODlhAQABAAAAADs="/>
            <rect id="r" width="4" height="4" fill="url(#g)"/><use xlink:href="#r" x="5"/><animate attributeName="href" to="x:run"/></svg>"##;
        let text = clean(text);
        for kept in [
            "Тариф «Лёгкий»",
            "viewBox=\"0 0 10 10\"",
            "url(#g)",
            "href=\"#r\"",
            "width=\"10\" height=\"10\"",
            "data:image/gif",
            ".a { stroke: red }",
        ] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        for gone in [
            "alert",
            "evil",
            "foreignObject",
            "script",
            "<img",
            "svg+xml",
            "DOCTYPE",
            "import",
            "attributeName=\"href\"",
            "z.png",
        ] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        // What was cleaned is clean, and stays the same.
        let again = clean(&text);
        assert_eq!((clean(&again), again.len()), (again, text.len()));
    }

    #[test]
    fn what_is_no_drawing_or_too_much_is_refused() {
        let laughs = "<!DOCTYPE svg [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><svg xmlns=\"http://www.w3.org/2000/svg\"><text>&b;</text></svg>";
        let long = format!(
            "<!DOCTYPE svg [<!ENTITY a \"{}\">]><svg xmlns=\"http://www.w3.org/2000/svg\"><text>{}</text></svg>",
            "ha".repeat(2_000),
            "&a;".repeat(100_000)
        );
        let mut uses = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\"><g id=\"a0\"><rect/></g>");
        for n in 1..20 {
            let before = format!("<use href=\"#a{}\"/>", n - 1).repeat(10);
            uses.push_str(&format!("<g id=\"a{n}\">{before}</g>"));
        }
        uses.push_str("</svg>");
        let mut chain = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\"><g id=\"a0\"><rect/></g>");
        for n in 1..100_000 {
            chain.push_str(&format!("<use id=\"a{n}\" href=\"#a{}\"/>", n - 1));
        }
        chain.push_str("</svg>");
        let page =
            "<html xmlns=\"http://www.w3.org/1999/xhtml\"><svg xmlns=\"http://www.w3.org/2000/svg\"/></html>";
        for bad in [laughs, &long, &uses, &chain, page, "<svg", "<svg xmlns='http://www.w3.org/2000/svg'><g>"]
        {
            assert!(cleaned(bad.as_bytes()).is_err(), "{}", &bad[..bad.len().min(200)]);
        }
        // What uses itself, and what is used a few times, is drawn.
        let fine = "<svg xmlns=\"http://www.w3.org/2000/svg\"><g id=\"a\"><use href=\"#a\"/><rect/></g><use href=\"#a\"/><use href=\"#none\"/></svg>";
        assert!(cleaned(fine.as_bytes()).is_ok());
    }

    #[test]
    fn drawings_are_told_from_pages() {
        for (text, is) in [
            ("<svg xmlns='http://www.w3.org/2000/svg'/>", true),
            ("\u{feff}<?xml version='1.0'?>\n<!-- a --><svg/>", true),
            ("<x:svg xmlns:x='http://www.w3.org/2000/svg'/>", true),
            ("<!doctype html><p>", false),
            ("<!DOCTYPE html><svg/>", false),
            ("<!DOCTYPE svg PUBLIC 'x' 'y'><svg/>", true),
            ("svg", false),
            ("", false),
        ] {
            assert_eq!(is_drawing(text.as_bytes()), is, "{text}");
        }
    }
}
