//! Which elements are callouts, by the classes generators give them.

use super::tree::Tree;

/// The largest side of an icon, in pixels.
const MAX_ICON: u32 = 64;

/// What kind of an alert an element is; nothing if it is none.
pub(super) fn kind(tree: &Tree, place: usize) -> Option<&'static str> {
    let name = tree.name(place);
    if !matches!(name, "div" | "aside" | "section" | "p" | "blockquote" | "details" | "figure" | "table") {
        return None;
    }
    let is_title = |class: &str| {
        class.ends_with("title")
            || class.ends_with("heading")
            || class.ends_with("icon")
            || class.ends_with("body")
            || class.ends_with("content")
    };
    if tree.classes(place).any(is_title) {
        return None;
    }
    let is_boxed = tree.classes(place).any(|class| {
        let class = class.to_ascii_lowercase();
        matches!(
            class.as_str(),
            "admonition"
                | "alert"
                | "callout"
                | "notice"
                | "hint"
                | "message-box"
                | "notecard"
                | "panel-info"
                | "custom-block"
                | "aui-message"
                | "wp-block-notice"
        ) || [
            "theme-admonition",
            "markdown-alert",
            "confluence-information-macro",
            "admonitionblock",
            "callout-",
            "alert-",
            "alert--",
            "box-",
            "notice--",
            "note-",
            "notice-",
        ]
        .iter()
        .any(|start| class.starts_with(start))
            || class.ends_with("-box")
    });
    // A class that says more than that it is a note says what kind it is.
    let kinds: Vec<&'static str> = tree.classes(place).filter_map(word).collect();
    let kind = kinds.iter().find(|kind| **kind != "NOTE").or(kinds.first()).copied();
    // A word alone is also how pages mark a size or a colour: it counts only where it is all there is.
    let alone =
        matches!(name, "div" | "aside" | "p" | "section" | "blockquote") && tree.classes(place).count() <= 2;
    kind.filter(|_| is_boxed || alone).or_else(|| {
        let is_panel = tree.has_class(place, "admonition") || tree.has_class(place, "callout");
        is_panel.then_some("NOTE")
    })
}

/// The kind a class names.
fn word(class: &str) -> Option<&'static str> {
    let class = class.to_ascii_lowercase();
    let class = class.strip_suffix("-box").map_or_else(|| class.clone(), str::to_owned);
    let word = class.rsplit(['-', '_']).next().unwrap_or(&class);
    let whole = class == word;
    let kind = match word {
        "note" | "info" | "information" | "seealso" | "notice" | "primary" if whole || word != "primary" => {
            "NOTE"
        }
        "tip" | "hint" | "success" => "TIP",
        "important" => "IMPORTANT",
        "warning" | "attention" | "warn" => "WARNING",
        "caution" | "danger" | "error" | "failure" | "problem" => "CAUTION",
        _ => return None,
    };
    let prefixed = [
        "admonition",
        "alert",
        "callout",
        "confluence-information-macro",
        "theme-admonition",
        "markdown-alert",
        "box",
        "notice",
        "note",
        "message",
        "custom-block",
        "panel",
    ];
    (whole || prefixed.iter().any(|prefix| class.starts_with(prefix))).then_some(kind)
}

/// Whether an element is the title of the callout it stands in.
pub(super) fn is_title(tree: &Tree, place: usize) -> bool {
    tree.classes(place).any(|class| {
        matches!(
            class,
            "title"
                | "admonition-title"
                | "admonition-heading"
                | "markdown-alert-title"
                | "alert-heading"
                | "callout-title"
                | "panelHeader"
                | "custom-block-title"
        ) || class.starts_with("admonitionHeading")
    }) || matches!(tree.name(place), "summary")
}

/// Whether a picture in a callout only shows of which kind it is.
pub(super) fn is_icon(tree: &Tree, place: usize) -> bool {
    let attribute = |name: &str| tree.attribute(place, name).unwrap_or_default();
    let is_small = ["width", "height"].iter().any(|side| {
        attribute(side).trim_end_matches("px").parse::<u32>().is_ok_and(|pixels| pixels <= MAX_ICON)
    });
    let name = attribute("src").rsplit('/').next().unwrap_or_default().to_lowercase();
    let stem = name.split('.').next().unwrap_or_default();
    is_small
        || is_usual(stem)
        || name.contains("icon")
        || (!attribute("alt").is_empty() && is_usual(attribute("alt")))
}

/// Whether a title says no more than the kind does.
pub(super) fn is_usual(title: &str) -> bool {
    let title = title.trim().trim_end_matches([':', '.', '!']).to_lowercase();
    matches!(
        title.as_str(),
        "" | "note"
            | "info"
            | "information"
            | "tip"
            | "hint"
            | "important"
            | "warning"
            | "attention"
            | "caution"
            | "danger"
            | "error"
            | "see also"
            | "notice"
            | "примечание"
            | "замечание"
            | "заметка"
            | "совет"
            | "важно"
            | "внимание"
            | "предупреждение"
            | "осторожно"
            | "подсказка"
            | "информация"
            | "обратите внимание"
            | "опасно"
    )
}
