//! References to catalogue values in texts: `{{ sms-100.price }}`.

use std::ops::Range;

/// What stands for `{{` and `}}` while Markdown is parsed: as long, and without meaning to the parser.
const OPEN_MASK: &str = "\u{e}\u{e}";
const CLOSE_MASK: &str = "\u{f}\u{f}";

/// A reference found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference<'t> {
    /// Where it stands, in bytes, braces included.
    pub range: Range<usize>,
    /// What stands between the braces: `sms-100.price`.
    pub name: &'t str,
}

impl<'t> Reference<'t> {
    /// Product and attribute; `None` when the name is not of that form.
    pub fn parts(&self) -> Option<(&'t str, &'t str)> {
        self.name.split_once('.').filter(|(product, attribute)| is_id(product) && is_id(attribute))
    }
}

/// Whether a text can be the id of a product or attribute.
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The references of a text, masked or not, in order. `{{ a | b }}` and other things between braces are text.
pub fn references(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = memchr::memchr2(b'{', b'\x0e', &text.as_bytes()[at..]) {
        let open = at + offset;
        at = open + 1;
        let rest = &text[open..];
        let close = match () {
            () if rest.starts_with("{{") => "}}",
            () if rest.starts_with(OPEN_MASK) => CLOSE_MASK,
            () => continue,
        };
        let inside = &rest[2..];
        // A reference stands on one line; looking no further keeps long files linear.
        let line = inside.find('\n').map_or(inside, |end| &inside[..end]);
        let Some(length) = line.find(close) else { continue };
        let name = inside[..length].trim();
        let is_name = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if is_name {
            let range = open..open + 2 + length + 2;
            at = range.end;
            found.push(Reference { range, name });
        }
    }
    found
}

/// The text with each reference replaced by what `value` gives for its name.
pub fn expand(text: &str, mut value: impl FnMut(&Reference<'_>) -> String) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut done = 0;
    for reference in references(text) {
        expanded.push_str(&text[done..reference.range.start]);
        expanded.push_str(&value(&reference));
        done = reference.range.end;
    }
    expanded.push_str(&text[done..]);
    expanded
}

/// Hides the braces of references from the Markdown parser without moving a byte.
pub fn mask(text: &str) -> String {
    replace_braces(text, OPEN_MASK, CLOSE_MASK)
}

/// Undoes [`mask`].
pub fn unmask(text: &str) -> String {
    replace_braces(text, "{{", "}}")
}

fn replace_braces(text: &str, open: &str, close: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut done = 0;
    for reference in references(text) {
        let Range { start, end } = reference.range;
        replaced.push_str(&text[done..start]);
        replaced.push_str(open);
        replaced.push_str(&text[start + 2..end - 2]);
        replaced.push_str(close);
        done = end;
    }
    replaced.push_str(&text[done..]);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_and_other_braces_left() {
        let text = "за {{ sms-100.price }} и {{x.y}}, {{ a | b }}, {{ }}, {{ cloud }}";
        let names: Vec<&str> = references(text).iter().map(|r| r.name).collect();
        assert_eq!(names, ["sms-100.price", "x.y", "cloud"]);
        assert_eq!(references(text)[2].parts(), None);
    }

    #[test]
    fn masking_moves_no_byte_and_is_undone() {
        let text = "## Цена {{ sms-100.price }} {#price}";
        let masked = mask(text);
        assert_eq!(masked.len(), text.len());
        assert_eq!(references(&masked)[0].name, "sms-100.price");
        assert_eq!(unmask(&masked), text);
    }

    #[test]
    fn expanding_replaces_each_reference() {
        assert_eq!(expand("a {{b.c}} d {{e.f}}", |r| format!("<{}>", r.name)), "a <b.c> d <e.f>");
    }
}
