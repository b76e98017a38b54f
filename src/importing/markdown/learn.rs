//! `[!INCLUDE]`, `[!VIDEO]`, `:::image:::` and other marks of Microsoft Learn.

use super::blocks::Taken;
use super::include::{self, Part};
use super::inline::{link, placed, words};
use super::page::{Page, attribute, attributes, balanced};

/// `[!INCLUDE [text](path)]` and other marks in such brackets.
pub(super) fn include(rest: &str, out: &str, page: &mut Page<'_>, depth: usize) -> Taken {
    let inner = rest.strip_prefix("[!")?;
    let end = balanced(rest.get(..rest.find("\n\n").unwrap_or(rest.len()))?, '[', ']')?;
    let length = inner.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'-').count();
    let name = inner[..length].to_lowercase();
    let args = rest.get(2 + length..end - 1)?.trim();
    match name.as_str() {
        "include" => {
            let path = args.split_once("](").and_then(|(_, path)| path.split(')').next())?;
            let path = path.split([' ', '#']).next().unwrap_or_default();
            let before = page.losses.len();
            match include::include(path, Part::All, page, depth) {
                Some(text) => Some((end, placed(&text, out))),
                // What it is called is often what it says: `[!INCLUDE [prod_short](…)]`.
                None => {
                    let name = args.trim_start_matches('[').split(']').next().unwrap_or_default();
                    page.losses.truncate(before + 1);
                    Some((end, words(&name.replace('_', " "))))
                }
            }
        }
        "uicontrol" | "dnl" | "badge" => Some((end, words(args))),
        name if name.starts_with("code") => {
            page.lose("include", format!("code {args}"));
            Some((end, String::new()))
        }
        _ => None,
    }
}

/// `[!VIDEO address]` on a line of its own.
pub(super) fn video(trimmed: &str, line: &str, page: &mut Page<'_>) -> Taken {
    let (length, text) = video_inline(trimmed, page)?;
    let rest = trimmed[length..].trim();
    rest.is_empty().then(|| (1, format!("{}{text}\n", &line[..line.len() - trimmed.len()])))
}

/// The same within a line.
pub(super) fn video_inline(rest: &str, page: &mut Page<'_>) -> Taken {
    let name = rest.get(..7)?;
    if !name.eq_ignore_ascii_case("[!video") {
        return None;
    }
    let end = rest.find(']')?;
    Some((end + 1, video_link(rest[7..end].trim(), page)))
}

/// A link to a video that was shown within the page.
pub(super) fn video_link(address: &str, page: &mut Page<'_>) -> String {
    page.lose("embedded-object", format!("{address}: carried as a link"));
    link(&words(address), address)
}

/// `:::image … :::` and `:::no-loc text="…":::` within a line.
pub(super) fn image_inline(rest: &str, page: &mut Page<'_>) -> Taken {
    let inner = rest.strip_prefix(":::")?;
    let end = inner.find(":::")?;
    let text = inner[..end].trim();
    if text.contains("\n\n") {
        return None;
    }
    let length = end + 6;
    if let Some(values) = text.strip_prefix("no-loc") {
        return Some((length, words(attribute(&attributes(values), &["text"]).unwrap_or_default())));
    }
    let values = text.strip_prefix("image")?;
    let _ = page;
    Some((length, image(values)))
}

/// A picture of the values of its tag.
pub(super) fn image(values: &str) -> String {
    let values = attributes(values);
    let source = attribute(&values, &["source", "src"]).unwrap_or_default();
    let alt = attribute(&values, &["alt-text", "alt"]).unwrap_or_default();
    format!("![{}](<{source}>)", words(alt))
}
