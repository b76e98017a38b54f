//! Emoji that pages show as pictures.

/// The character of an emoji, by whatever is known of it: what is shown where it is not known, its code points in hexadecimal digits, the name
/// Confluence has for it.
pub(crate) fn character(fallback: &str, id: &str, name: &str) -> Option<String> {
    let fallback = decoded(fallback);
    if !fallback.is_empty() && !fallback.starts_with([':', '(']) {
        return Some(fallback);
    }
    let points: Option<String> =
        id.split(['-', ' ']).map(|point| char::from_u32(u32::from_str_radix(point, 16).ok()?)).collect();
    points.filter(|text| !text.is_empty() && !text.is_ascii()).or_else(|| named(name).map(str::to_owned))
}

/// `\uD83D\uDDD3` as the character it stands for.
fn decoded(text: &str) -> String {
    if !text.contains("\\u") {
        return text.to_owned();
    }
    let units: Option<Vec<u16>> =
        text.split("\\u").skip(1).map(|unit| u16::from_str_radix(unit.trim(), 16).ok()).collect();
    units.and_then(|units| String::from_utf16(&units).ok()).unwrap_or_default()
}

fn named(name: &str) -> Option<&'static str> {
    Some(match name {
        "smile" => "🙂",
        "sad" => "🙁",
        "cheeky" => "😛",
        "laugh" => "😀",
        "wink" => "😉",
        "thumbs-up" => "👍",
        "thumbs-down" => "👎",
        "information" => "ℹ️",
        "tick" => "✅",
        "cross" => "❌",
        "warning" => "⚠️",
        "plus" => "➕",
        "minus" => "➖",
        "question" => "❓",
        "light-on" | "light-off" => "💡",
        "yellow-star" | "red-star" | "green-star" | "blue-star" => "⭐",
        "heart" => "❤️",
        "broken-heart" => "💔",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_known_tells_the_character() {
        for (fallback, id, name, shown) in [
            ("\\uD83D\\uDDD3", "", "", Some("🗓")),
            ("📋", "", "", Some("📋")),
            (":calendar:", "1f4c5", "", Some("📅")),
            ("", "2705", "", Some("✅")),
            ("", "1f1e9-1f1ea", "", Some("🇩🇪")),
            ("(Haken)", "", "tick", Some("✅")),
            ("", "", "unknown", None),
        ] {
            assert_eq!(character(fallback, id, name).as_deref(), shown, "{fallback} {id} {name}");
        }
    }
}
