//! What a query may become: codes, products and articles that begin with what is typed.

use serde::Serialize;
use utoipa::ToSchema;

use crate::content::catalog::Lang;
use crate::content::library::Library;
use crate::language::words;
use crate::search::engine::Reply;
use crate::search::filter::Filter;
use crate::search::query::{Plan, QueryCode};

/// What is suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SuggestionKind {
    /// A query: what was probably meant, or what is being typed.
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

/// Completions of the last word that are suggested.
const MAX_COMPLETIONS: usize = 3;

/// At most `limit` suggestions: what was probably meant, codes, products, queries with the last word completed, articles. `reply` is what a
/// search for the text found.
pub fn suggest(
    text: &str,
    limit: usize,
    lang: Lang,
    reply: &Reply,
    library: &Library,
    filter: &Filter,
) -> Vec<Suggestion> {
    let plan = Plan::read(text, &library.catalog, &filter.clearance);
    let mut found = Vec::new();
    if let Some(QueryCode::Whole(code) | QueryCode::Partial(code)) = &plan.code {
        suggest_codes(code, lang, library, filter, &mut found);
    }
    let read_as = reply.query.read_as.as_str();
    let typed: Vec<String> = words::words(read_as).into_iter().map(|w| w.form).collect();
    if typed.is_empty() || plan.code.is_some() {
        found.truncate(limit);
        return found;
    }
    let query = |text: String| Suggestion { text, kind: SuggestionKind::Query, article: None, note: None };
    if !reply.query.corrections.is_empty() {
        found.push(query(read_as.to_owned()));
    }
    suggest_products(&typed, lang, library, filter, &mut found);
    if plan.last_is_open {
        found.extend(completed(read_as, &typed, reply).into_iter().map(query));
    }
    for hit in &reply.hits {
        let is_known = found.iter().any(|s| words::fold(&s.text) == words::fold(&hit.title));
        if !is_known {
            let article = Some(hit.article.clone());
            found.push(Suggestion {
                text: hit.title.clone(),
                kind: SuggestionKind::Article,
                article,
                note: None,
            });
        }
    }
    found.truncate(limit);
    found
}

/// The text with its last word completed as titles and headings of what was found have it, the most frequent first.
fn completed(text: &str, typed: &[String], reply: &Reply) -> Vec<String> {
    let Some(last) = typed.last().filter(|last| last.chars().count() > 1) else { return Vec::new() };
    let mut counts: Vec<(usize, String)> = Vec::new();
    for name in reply.hits.iter().flat_map(|hit| [&hit.title, &hit.heading]) {
        words::for_each_word(name, |_, form| {
            if form.starts_with(last.as_str()) && form != last {
                match counts.iter_mut().find(|(_, known)| known == form) {
                    Some((count, _)) => *count += 1,
                    None => counts.push((1, form.to_owned())),
                }
            }
        });
    }
    counts.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let start = words::words(text).pop().map_or(text.len(), |word| word.range.start);
    counts.into_iter().take(MAX_COMPLETIONS).map(|(_, word)| [&text[..start], &word].concat()).collect()
}

fn suggest_products(
    typed: &[String],
    lang: Lang,
    library: &Library,
    filter: &Filter,
    found: &mut Vec<Suggestion>,
) {
    let at = filter.standpoint();
    for product in library.catalog.products().filter(|p| filter.admits_product(p)) {
        let title = product.title.get(lang);
        let is_named = begins(typed, &words::fold(title))
            || product.aliases.iter().any(|alias| begins(typed, &words::fold(alias)));
        if is_named {
            let article = product.article.clone();
            found.push(Suggestion {
                text: title.to_owned(),
                kind: SuggestionKind::Product,
                article: article.filter(|id| library.find_in_force(id, at).is_some()),
                note: None,
            });
        }
    }
}

fn suggest_codes(prefix: &str, lang: Lang, library: &Library, filter: &Filter, found: &mut Vec<Suggestion>) {
    let at = filter.standpoint();
    for code in library.catalog.codes_from(prefix, at.clearance) {
        for (product, attribute) in library.catalog.code_owners(code, at.clearance) {
            let variant = product.code_variant(attribute, at, |own| own == code);
            let Some((attribute, variant)) = variant.filter(|_| filter.admits_product(product)) else {
                continue;
            };
            let article = product.article.clone();
            found.push(Suggestion {
                text: variant.show(attribute, lang),
                kind: SuggestionKind::Code,
                article: article.filter(|id| library.find_in_force(id, at).is_some()),
                note: Some(format!("{}: {}", attribute.label.get(lang), product.title.get(lang))),
            });
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
