//! How a text travels as SMS: encoding, length, segments (3GPP TS 23.038 and 23.040).

use serde::Serialize;
use utoipa::ToSchema;

/// How long a text is as an SMS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SmsLength {
    /// `GSM-7`, or `UCS-2` as soon as one character is outside the GSM alphabet.
    pub encoding: &'static str,
    /// Units of the encoding: septets, or UTF-16 units.
    pub characters: usize,
    /// Messages it takes.
    pub segments: usize,
}

/// The basic alphabet of 3GPP TS 23.038; one septet each.
const GSM_BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The extension table; two septets each.
const GSM_EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// Measures a text. An empty text takes no message.
pub fn measure(text: &str) -> SmsLength {
    let mut septets = Some(0_usize);
    for c in text.chars() {
        septets = match (septets, GSM_BASIC.contains(c), GSM_EXTENDED.contains(c)) {
            (Some(n), true, _) => Some(n + 1),
            (Some(n), _, true) => Some(n + 2),
            _ => None,
        };
    }
    let (encoding, characters, alone, joined) = match septets {
        Some(septets) => ("GSM-7", septets, 160, 153),
        None => ("UCS-2", text.encode_utf16().count(), 70, 67),
    };
    let segments = match characters {
        0 => 0,
        n if n <= alone => 1,
        n => n.div_ceil(joined),
    };
    SmsLength { encoding, characters, segments }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, encoding: &str, characters: usize, segments: usize) {
        let length = measure(text);
        assert_eq!((length.encoding, length.characters, length.segments), (encoding, characters, segments));
    }

    #[test]
    fn segments_follow_the_standard() {
        check("", "GSM-7", 0, 0);
        check(&"a".repeat(160), "GSM-7", 160, 1);
        check(&"a".repeat(161), "GSM-7", 161, 2);
        check("€", "GSM-7", 2, 1);
        check(&"ж".repeat(70), "UCS-2", 70, 1);
        check(&"ж".repeat(71), "UCS-2", 71, 2);
        check(&"ж".repeat(135), "UCS-2", 135, 3);
        check("😀", "UCS-2", 2, 1);
    }
}
