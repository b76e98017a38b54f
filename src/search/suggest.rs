//! What a query may become: codes, products and articles that begin with what is typed.

use serde::Serialize;
use utoipa::ToSchema;

use crate::content::catalog::Lang;
use crate::content::front_matter::Status;
use crate::content::library::{Library, Slot};
use crate::language::words;
use crate::search::filter::Filter;
use crate::search::query::{Plan, QueryCode};

/// What is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SuggestionKind {
    /// A query others made.
    Query,
    /// An article by title or alias.
    Article,
    /// A product of the catalogue.
    Product,
    /// A code.
    Code,
}

/// A suggestion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Suggestion {
    /// What to put in the search field.
    pub text: String,
    /// What it is.
    pub kind: SuggestionKind,
    /// The article to open, if it is one.
    pub article: Option<String>,
    /// What it is about, for codes.
    pub note: Option<String>,
}

/// The titles and aliases of a library, folded, ready to be looked through.
#[derive(Debug, Default)]
pub struct Names {
    entries: Vec<(String, Slot, String)>,
}

impl Names {
    /// The names of all articles in a library.
    pub fn of(library: &Library) -> Self {
        let mut entries = Vec::new();
        for (slot, article) in library.articles() {
            let title = article.title_on(&library.catalog, library.day, None);
            for name in [title].into_iter().chain(article.matter.aliases.iter().cloned()) {
                entries.push((words::fold(&name), slot, name));
            }
        }
        Self { entries }
    }
}

/// At most `limit` suggestions: codes first, then products, then articles whose names hold every word, the last one begun.
pub fn suggest(
    text: &str,
    limit: usize,
    lang: Lang,
    names: &Names,
    library: &Library,
    filter: &Filter,
) -> Vec<Suggestion> {
    let plan = Plan::read(text, &library.catalog);
    let mut found = Vec::new();
    if let Some(QueryCode::Whole(code) | QueryCode::Partial(code)) = &plan.code {
        suggest_codes(code, lang, library, filter, &mut found);
    }
    let typed: Vec<String> = words::words(text).into_iter().map(|w| w.form).collect();
    if !typed.is_empty() && plan.code.is_none() {
        for product in library.catalog.products().filter(|p| p.status != Status::Draft) {
            let title = product.title.get(lang);
            let is_named = begins(&typed, &words::fold(title))
                || product.aliases.iter().any(|alias| begins(&typed, &words::fold(alias)));
            if is_named && product.validity.in_force(filter.day, filter.region.as_deref()) {
                let article = product
                    .article
                    .clone()
                    .filter(|id| library.find_in_force(id, filter.day, filter.region.as_deref()).is_some());
                found.push(Suggestion {
                    text: title.to_owned(),
                    kind: SuggestionKind::Product,
                    article,
                    note: None,
                });
            }
        }
        suggest_articles(&typed, names, library, filter, &mut found);
    }
    found.truncate(limit);
    found
}

fn suggest_codes(prefix: &str, lang: Lang, library: &Library, filter: &Filter, found: &mut Vec<Suggestion>) {
    let region = filter.region.as_deref();
    for (code, owners) in library.catalog.codes_from(prefix) {
        for (product, attribute) in owners {
            let product = library.catalog.product(product).filter(|p| p.is_offered(filter.day, region));
            let Some((product, (attribute, variant))) = product
                .and_then(|p| Some((p, p.code_variant(attribute, filter.day, region, |own| own == code)?)))
            else {
                continue;
            };
            let article = product.article.clone();
            found.push(Suggestion {
                text: variant.show(attribute, lang),
                kind: SuggestionKind::Code,
                article: article.filter(|id| library.find_in_force(id, filter.day, region).is_some()),
                note: Some(format!("{}: {}", attribute.label.get(lang), product.title.get(lang))),
            });
        }
    }
}

fn suggest_articles(
    typed: &[String],
    names: &Names,
    library: &Library,
    filter: &Filter,
    found: &mut Vec<Suggestion>,
) {
    let mut matches: Vec<(bool, bool, usize, &str, Slot)> = Vec::new();
    for (folded, slot, name) in &names.entries {
        if begins(typed, folded) {
            let Some(article) = library.article(*slot).filter(|a| filter.admits(a)) else { continue };
            let is_archived = article.matter.status == Status::Archived;
            matches.push((is_archived, !folded.starts_with(&typed[0]), name.len(), name, *slot));
        }
    }
    matches.sort();
    let mut seen: Vec<Slot> = Vec::new();
    for (_, _, _, name, slot) in matches {
        if seen.contains(&slot) || found.iter().any(|s| s.text == name) {
            continue;
        }
        seen.push(slot);
        let article = library.article(slot).map(|a| a.id.clone());
        found.push(Suggestion { text: name.to_owned(), kind: SuggestionKind::Article, article, note: None });
        if seen.len() >= 50 {
            break;
        }
    }
}

/// Whether a folded name holds every typed word, the last one as the beginning of a word.
fn begins(typed: &[String], folded: &str) -> bool {
    typed.iter().enumerate().all(|(at, word)| {
        let is_last = at + 1 == typed.len();
        folded.match_indices(word.as_str()).any(|(start, _)| {
            let before = folded[..start].chars().next_back();
            let after = folded[start + word.len()..].chars().next();
            before.is_none_or(|c| !c.is_alphanumeric())
                && (is_last || after.is_none_or(|c| !c.is_alphanumeric()))
        })
    })
}
