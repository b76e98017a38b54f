//! The words of the interface, in Russian and English: read from words.yaml, which a translator can edit.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use jiff::civil::Date;
use serde::Deserialize;

use crate::accounts::permissions::Permission;
use crate::content::catalog::Lang;
use crate::http::asker::{Asker, cookie};
use crate::web::assets;

/// Keys, each with its words in both languages.
const SOURCE: &str = include_str!("words.yaml");

/// The cookie that holds the language chosen on a page.
pub const LANG_COOKIE: &str = "lang";

/// The cookie that holds how the reader wants pages laid out: `theme.dark_density.compact`.
const LAYOUT_COOKIE: &str = "layout";

/// What a layout may ask for. What is named here becomes an attribute `data-…` of the page; the style sheet does the rest.
const LAYOUT: &[(&str, &[&str])] = &[
    ("theme", &["light", "dark"]),
    ("density", &["compact"]),
    ("size", &["s", "l", "xl"]),
    ("panels", &["reader-first"]),
];

/// Words that scripts need begin so.
const FOR_SCRIPTS: &str = "js-";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    ru: String,
    en: String,
}

fn words() -> &'static BTreeMap<String, Word> {
    static WORDS: OnceLock<BTreeMap<String, Word>> = OnceLock::new();
    // A test reads the file as well: it cannot be wrong here.
    WORDS.get_or_init(|| serde_saphyr::from_str(SOURCE).unwrap_or_default())
}

/// What every page needs to know of its reader.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    /// The language of the interface.
    pub lang: Lang,
    /// The place in the list of what may be asked for, for each thing of [`LAYOUT`].
    layout: [Option<usize>; LAYOUT.len()],
    /// The account of who is signed in: a UUID, as a number.
    pub account: Option<u128>,
    /// Whether nobody has an account yet, so that there is nothing to sign in to.
    pub is_open: bool,
    /// The page of administration that the reader may see, if any.
    pub administration: Option<&'static str>,
    /// Whether the reader may edit.
    pub may_edit: bool,
    /// How much the reader was told and has not seen.
    pub unseen: usize,
}

impl Ui {
    /// The same for who asks.
    #[must_use]
    pub fn with(self, asker: &Asker) -> Self {
        let identity = &asker.identity;
        let pages = [
            (Permission::SeePeople, "/admin/people"),
            (Permission::SeeAudit, "/admin/audit"),
            (Permission::SeeHealth, "/admin/health"),
        ];
        // Header sign-on and tokens have accounts as well; other ids there are none.
        let account = identity.person().map(|id| uuid::Uuid::parse_str(id).unwrap_or_default().as_u128());
        let is_signed_in = account.is_some();
        let page = pages.iter().find(|(permission, _)| is_signed_in && identity.may(*permission));
        Self {
            account,
            is_open: !is_signed_in && identity.may(Permission::Read),
            administration: page.map(|(_, page)| *page),
            may_edit: identity.may(Permission::Edit),
            unseen: asker.unseen,
            ..self
        }
    }

    /// The interface in the language chosen, or else the browser's first one that we speak; laid out as its reader chose.
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let first = accepted.split(',').find_map(|lang| Lang::of(lang.split(['-', ';']).next()?.trim()));
        let chosen = cookie(headers, LANG_COOKIE).and_then(Lang::of);
        let mut layout = [None; LAYOUT.len()];
        for part in cookie(headers, LAYOUT_COOKIE).unwrap_or_default().split('_') {
            let Some((name, value)) = part.split_once('.') else { continue };
            if let Some(at) = LAYOUT.iter().position(|(known, _)| *known == name) {
                layout[at] = LAYOUT[at].1.iter().position(|known| *known == value);
            }
        }
        Self {
            lang: chosen.or(first).unwrap_or_default(),
            layout,
            account: None,
            is_open: false,
            administration: None,
            may_edit: false,
            unseen: 0,
        }
    }

    /// A word of the interface.
    pub fn t(&self, key: &str) -> &'static str {
        words().get(key).map_or("?", |word| match self.lang {
            Lang::Ru => word.ru.as_str(),
            Lang::En => word.en.as_str(),
        })
    }

    /// The language that is not shown.
    pub fn other_lang(&self) -> Lang {
        match self.lang {
            Lang::Ru => Lang::En,
            Lang::En => Lang::Ru,
        }
    }

    /// The words that scripts show, as a JSON object that may stand in a page.
    pub fn script_words(&self) -> String {
        self.told(|key| key.strip_prefix(FOR_SCRIPTS))
    }

    /// The words whose keys begin so, for a script of one page.
    pub fn words_beginning(&self, beginning: &str) -> String {
        self.told(|key| key.starts_with(beginning).then_some(key))
    }

    fn told(&self, name: impl Fn(&'static str) -> Option<&'static str>) -> String {
        let told: BTreeMap<&str, &str> =
            words().keys().filter_map(|key| Some((name(key)?, self.t(key)))).collect();
        serde_json::to_string(&told).unwrap_or_default().replace('<', "\\u003c")
    }

    /// Whose page it is and the layout chosen, as attributes of the page.
    pub fn layout(&self) -> String {
        let account = self.account.map(|account| format!(" data-account=\"{account:032x}\""));
        let chosen = LAYOUT.iter().zip(self.layout);
        let named = chosen.filter_map(|((name, values), at)| Some((name, values[at?])));
        let named = named.map(|(name, value)| format!(" data-{name}=\"{value}\""));
        account.into_iter().chain(named).collect()
    }

    /// The address of an asset.
    pub fn asset(&self, path: &str) -> String {
        assets::url(path)
    }

    /// The addresses of all scripts that pages import, to be fetched without waiting for one another.
    pub fn modules(&self) -> Vec<String> {
        assets::modules()
    }

    /// A day as people of this language write it.
    pub fn day(&self, day: &Date) -> String {
        day.strftime(match self.lang {
            Lang::Ru => "%d.%m.%Y",
            Lang::En => "%-d %b %Y",
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use axum::http::header::COOKIE;

    fn ui(accepted: &str, cookies: &str) -> Ui {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).unwrap());
        headers.insert(COOKIE, HeaderValue::from_str(cookies).unwrap());
        Ui::of(&headers)
    }

    #[test]
    fn the_chosen_language_goes_before_the_browsers() {
        assert_eq!(ui("de, en;q=0.8, ru", "").lang, Lang::En);
        assert_eq!(ui("en", "a=b; lang=ru").lang, Lang::Ru);
        assert_eq!(ui("en", "lang=<script>").lang, Lang::En);
    }

    #[test]
    fn only_known_layouts_reach_the_page() {
        let layout = ui("ru", "layout=theme.dark_size.l_density.\"><script>_x.y").layout();
        assert_eq!(layout, " data-theme=\"dark\" data-size=\"l\"");
    }

    #[test]
    fn every_word_is_there_in_both_languages_and_used() {
        let all: BTreeMap<String, Word> = serde_saphyr::from_str(SOURCE).unwrap();
        let mut used = std::collections::BTreeSet::new();
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/web");
        for entry in walkdir::WalkDir::new(root).into_iter().flatten().filter(|e| e.file_type().is_file()) {
            let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
            let is_script = entry.path().extension().is_some_and(|e| e == "js");
            if entry.file_name() == "words.yaml" {
                continue;
            }
            for key in all.keys() {
                let named = key.strip_prefix(FOR_SCRIPTS).filter(|_| is_script).unwrap_or(key);
                if text.contains(&format!("\"{named}\"")) {
                    used.insert(key.clone());
                }
            }
            // A key made of a beginning and a variable: t(`channel-${channel}`).
            for call in text.split("t(`").skip(1).filter(|_| is_script) {
                let beginning = format!("{FOR_SCRIPTS}{}", call.split("${").next().unwrap());
                used.extend(all.keys().filter(|key| key.starts_with(&beginning)).cloned());
            }
            // In Rust: format!("finding-{}", …).
            for call in text.split("format!(\"").skip(1).filter(|_| !is_script) {
                let beginning = call.split(['{', '"']).next().unwrap();
                if beginning.ends_with('-') {
                    used.extend(all.keys().filter(|key| key.starts_with(beginning)).cloned());
                }
            }
            for call in text.split(if is_script { " t(\"" } else { "ui.t(\"" }).skip(1) {
                let key = call.split('"').next().unwrap();
                let key = if is_script { format!("{FOR_SCRIPTS}{key}") } else { key.to_owned() };
                assert!(all.contains_key(&key), "{} asks for `{key}`", entry.path().display());
            }
        }
        for (key, word) in &all {
            assert!(!word.ru.is_empty() && !word.en.is_empty(), "{key}");
            assert!(used.contains(key), "no page uses `{key}`");
        }
    }
}
