//! The words of the interface, in Russian and English.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;

use crate::content::catalog::Lang;
use crate::web::assets;

/// Key, Russian, English.
const WORDS: &[(&str, &str, &str)] = &[
    ("api", "API", "API"),
    ("archived", "архив", "archived"),
    ("as-code", "Код", "Code"),
    ("back", "К поиску", "Back to search"),
    ("choose-template", "Выберите шаблон", "Choose a template"),
    ("copied", "Скопировано", "Copied"),
    ("copy", "Копировать", "Copy"),
    (
        "empty",
        "Ничего не найдено. Попробуйте другие слова или меньше слов.",
        "Nothing found. Try other words, or fewer.",
    ),
    ("error", "Ошибка", "Error"),
    ("flow", "Сценарий", "Guided flow"),
    ("found", "Найдено", "Found"),
    ("from", "с", "from"),
    (
        "hint",
        "Стрелки — выбрать, Enter — открыть, / — к поиску",
        "Arrows choose, Enter opens, / goes to search",
    ),
    ("kind-faq", "вопросы", "questions"),
    ("kind-manual", "справка", "manual"),
    ("kind-news", "новость", "news"),
    ("kind-procedure", "порядок действий", "procedure"),
    ("kind-product", "продукт", "product"),
    ("kind-script", "что сказать", "script"),
    ("loading", "База знаний загружается…", "The knowledge base is loading…"),
    ("missing", "Заполните", "Fill in"),
    ("no-templates", "Для этой статьи нет шаблонов ответа.", "This article has no answer templates."),
    (
        "placeholder",
        "Что спрашивает клиент? Слова, код или номер",
        "What does the customer ask? Words, a code, a number",
    ),
    ("read-as", "Показано для", "Showing results for"),
    ("related", "Смотрите также", "See also"),
    ("replaced-by", "Заменена статьёй", "Replaced by"),
    ("search", "Поиск", "Search"),
    ("search-instead", "Искать", "Search instead for"),
    ("segments", "SMS", "SMS"),
    (
        "select-hit",
        "Откройте статью из списка, и она появится здесь.",
        "Open an article from the list, and it appears here.",
    ),
    ("templates", "Шаблоны ответа", "Answer templates"),
    ("title", "База знаний", "Knowledge base"),
    ("to", "по", "to"),
    ("translations", "На другом языке", "In another language"),
    ("updated", "Обновлено", "Updated"),
];

/// What every page needs to know of its reader.
#[derive(Clone, Copy, Debug)]
pub struct Ui {
    /// The language of the interface.
    pub lang: Lang,
}

impl Ui {
    /// The interface in the browser's first language that we speak.
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let first = accepted.split(',').find_map(|lang| Lang::of(lang.split(['-', ';']).next()?.trim()));
        Self { lang: first.unwrap_or_default() }
    }

    /// A word of the interface.
    pub fn t(&self, key: &str) -> &'static str {
        let found = WORDS.binary_search_by(|(known, _, _)| (*known).cmp(key)).ok().map(|at| WORDS[at]);
        match (found, self.lang) {
            (Some((_, russian, _)), Lang::Ru) => russian,
            (Some((_, _, english)), Lang::En) => english,
            (None, _) => "?",
        }
    }

    /// The address of an asset.
    pub fn asset(&self, path: &str) -> String {
        assets::url(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_for_looking_up() {
        assert!(WORDS.is_sorted_by_key(|(key, _, _)| *key));
    }
}
