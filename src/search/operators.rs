//! What a query says besides words: "quoted phrases", -excluded words, field words such as `kind:procedure` or `тип:инструкция`.

use std::sync::Arc;

use crate::content::catalog::{Catalog, Lang, Product};
use crate::content::front_matter::{Kind, Status};
use crate::content::validity::Clearance;
use crate::language::words;
use crate::search::filter::Filter;

/// What field words narrow a search to; what is empty narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowed {
    /// One of these kinds.
    pub kinds: Vec<Kind>,
    /// About one of these products.
    pub products: Vec<String>,
    /// With all of these tags.
    pub tags: Vec<String>,
    /// In this language.
    pub lang: Option<Lang>,
    /// Of this status.
    pub status: Option<Status>,
    /// In force in this region.
    pub region: Option<String>,
}

impl Narrowed {
    /// A filter narrowed by it. What was typed goes before what was chosen.
    pub fn narrow(&self, filter: &Filter) -> Filter {
        let mut filter = filter.clone();
        if !self.kinds.is_empty() {
            filter.kinds.clone_from(&self.kinds);
        }
        if !self.products.is_empty() {
            filter.products.clone_from(&self.products);
        }
        filter.tags.extend(self.tags.iter().cloned());
        filter.lang = self.lang.or(filter.lang);
        filter.status = self.status.or(filter.status);
        if self.region.is_some() {
            filter.region.clone_from(&self.region);
        }
        filter
    }
}

/// A query taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Operators {
    /// What is left.
    pub rest: String,
    /// Quoted phrases.
    pub phrases: Vec<String>,
    /// Excluded words.
    pub excluded: Vec<String>,
    /// What the field words ask for.
    pub narrowed: Narrowed,
}

/// Opening quotes and what closes them. «These» are not among them: names stand in them in any Russian text.
const QUOTES: [(char, char); 2] = [('"', '"'), ('“', '”')];

/// Kinds as people call them in Russian.
const KINDS_RU: [(&str, Kind); 10] = [
    ("продукт", Kind::Product),
    ("услуга", Kind::Product),
    ("инструкция", Kind::Procedure),
    ("процедура", Kind::Procedure),
    ("руководство", Kind::Manual),
    ("статья", Kind::Manual),
    ("вопросы", Kind::Faq),
    ("новости", Kind::News),
    ("скрипт", Kind::Script),
    ("сценарий", Kind::Script),
];

/// Excluded words and field words of a query beyond these are words like others.
const MAX_OPERATORS: usize = 16;

/// What a field word may narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Kind,
    Product,
    Tag,
    Lang,
    Status,
    Region,
}

impl Field {
    /// The field with a folded name.
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "kind" | "type" | "тип" | "вид" => Self::Kind,
            "product" | "продукт" | "товар" => Self::Product,
            "tag" | "тег" | "метка" => Self::Tag,
            "lang" | "язык" => Self::Lang,
            "status" | "статус" => Self::Status,
            "region" | "регион" => Self::Region,
            _ => return None,
        })
    }
}

/// Whether a token may be a field word; told before a query is read on another keyboard layout.
pub fn looks_like_field(token: &str) -> bool {
    token.split_once(':').is_some_and(|(name, _)| Field::of(&words::fold(name)).is_some())
}

/// Takes a query apart. A field or value nobody knows stays a word, as does a quote that is not closed.
pub fn read(text: &str, catalog: &Catalog, clearance: &Clearance) -> Operators {
    let mut found = Operators::default();
    let mut rest = text;
    let mut fields = 0;
    while let Some(first) = rest.chars().next() {
        if let Some((open, close)) = QUOTES.iter().find(|(open, _)| *open == first)
            && let Some(end) = rest[open.len_utf8()..].find(*close)
        {
            let inside = &rest[open.len_utf8()..open.len_utf8() + end];
            if words::words(inside).is_empty() {
                found.rest.push_str(&rest[..open.len_utf8() + end + close.len_utf8()]);
            } else {
                found.phrases.push(inside.to_owned());
                found.rest.push(' ');
            }
            rest = &rest[open.len_utf8() + end + close.len_utf8()..];
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || QUOTES.iter().any(|(open, _)| *open == c));
        let (token, after) = rest.split_at(end.unwrap_or(rest.len()).max(first.len_utf8()));
        let is_fresh = found.rest.is_empty() || found.rest.ends_with(char::is_whitespace);
        let excluded =
            token.strip_prefix(['-', '−']).filter(|word| is_fresh && word.starts_with(char::is_alphabetic));
        let is_full = found.excluded.len() + fields >= MAX_OPERATORS;
        if let Some(word) = excluded.filter(|_| !is_full) {
            found.excluded.push(word.to_owned());
        } else if is_fresh && !is_full && read_field(token, catalog, clearance, &mut found.narrowed) {
            fields += 1;
        } else {
            found.rest.push_str(token);
        }
        rest = after;
    }
    if found.phrases.is_empty() && found.excluded.is_empty() && found.narrowed == Narrowed::default() {
        text.clone_into(&mut found.rest);
    } else {
        found.rest = found.rest.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    found
}

fn read_field(token: &str, catalog: &Catalog, clearance: &Clearance, narrowed: &mut Narrowed) -> bool {
    let Some((name, value)) = token.split_once(':').filter(|(_, value)| !value.is_empty()) else {
        return false;
    };
    let folded = words::fold(value);
    let Some(field) = Field::of(&words::fold(name)) else { return false };
    match field {
        Field::Kind => {
            let known = Kind::NAMES.iter().chain(&KINDS_RU).find(|(name, _)| *name == folded);
            known.map(|(_, kind)| narrowed.kinds.push(*kind)).is_some()
        }
        Field::Product => {
            // What one may not know of is no product, but a word.
            let is_known = |product: &&Arc<Product>| product.is_known_to(clearance);
            let by_name = || {
                let is_called =
                    |name: &str| words::fold(name).replace([' ', '-'], "") == folded.replace(['-', '_'], "");
                catalog.products().filter(is_known).find(|p| {
                    p.title.all().into_iter().any(is_called) || p.aliases.iter().any(|alias| is_called(alias))
                })
            };
            let product = catalog.product(value).filter(is_known).or_else(by_name);
            product.map(|p| narrowed.products.push(p.id.clone())).is_some()
        }
        Field::Tag => {
            narrowed.tags.push(value.to_owned());
            true
        }
        Field::Lang => {
            narrowed.lang = Lang::of(&folded).or(narrowed.lang);
            Lang::of(&folded).is_some()
        }
        Field::Status => {
            let known = match folded.as_str() {
                "archived" | "архив" | "архивный" => Some(Status::Archived),
                "active" | "действует" | "действующий" => Some(Status::Active),
                _ => None,
            };
            narrowed.status = known.or(narrowed.status);
            known.is_some()
        }
        Field::Region => {
            narrowed.region = Some(value.to_owned());
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_operator_stays_text() {
        for text in
            ["sim-карта", "цена: 95", "а - б", "\"незакрытая", "http://example.org", "kind:nothing", "\"\" x"]
        {
            let found = read(text, &Catalog::default(), &Clearance::Public);
            assert_eq!(found, Operators { rest: text.to_owned(), ..Operators::default() }, "{text}");
        }
    }

    #[test]
    fn operators_stand_anywhere() {
        let text = "тип:новости пакет \"сто смс\"дня -архив статус:архив";
        let found = read(text, &Catalog::default(), &Clearance::Public);
        assert_eq!(found.rest, "пакет дня");
        assert_eq!((found.phrases, found.excluded), (vec!["сто смс".to_owned()], vec!["архив".to_owned()]));
        assert_eq!(found.narrowed.kinds, [Kind::News]);
        assert_eq!(found.narrowed.status, Some(Status::Archived));
    }
}
