//! The other keyboard layout: what a text would be, had the keys been pressed on ЙЦУКЕН instead of QWERTY, or the other way round.
//!
//! Works on the raw text: `,` `.` `;` `[` are letters on the other layout, so words can be told only afterwards.

/// QWERTY (US) and ЙЦУКЕН (Russian, PC), key by key; shifted keys follow.
const LATIN: &str = "`qwertyuiop[]asdfghjkl;'zxcvbnm,./~QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>?@#$^&";
const CYRILLIC: &str = "ёйцукенгшщзхъфывапролджэячсмитьбю.ЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ,\"№;:?";

/// What was meant if Russian words were typed with the Latin layout on: `gfrtn` → `пакет`.
pub fn to_cyrillic(text: &str) -> String {
    swap(text, LATIN, CYRILLIC)
}

/// What was meant if English words were typed with the Russian layout on: `зфслфпу` → `package`.
pub fn to_latin(text: &str) -> String {
    swap(text, CYRILLIC, LATIN)
}

fn swap(text: &str, from: &str, to: &str) -> String {
    let key =
        |c: char| from.chars().zip(to.chars()).find(|(typed, _)| *typed == c).map_or(c, |(_, meant)| meant);
    text.chars().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_counterpart() {
        assert_eq!(LATIN.chars().count(), CYRILLIC.chars().count());
        assert_eq!(to_cyrillic("gfrtn cvc"), "пакет смс");
        assert_eq!(to_cyrillic("jnrk.xbnm eckeue"), "отключить услугу");
        assert_eq!(to_latin("зфслфпу зкшсу"), "package price");
        assert_eq!(to_cyrillic(&to_latin("Сколько стоит объём?")), "Сколько стоит объём?");
    }
}
