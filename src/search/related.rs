//! Articles worth reading next.

use crate::content::article::Article;
use crate::content::front_matter::Status;
use crate::content::library::Library;
use crate::search::filter::Filter;

/// How many are shown.
const MAX_RELATED: usize = 8;

/// Ids of the articles the editor named, then those about the same products in the same language.
pub fn related(article: &Article, library: &Library, filter: &Filter) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let named = article.matter.related.iter().filter_map(|named| library.find(&named.text)).map(|(_, a)| a);
    let products: Vec<&str> = article.products().collect();
    let same = library.articles().map(|(_, a)| a).filter(|other| {
        !products.is_empty()
            && other.lang == article.lang
            && other.matter.status == Status::Active
            && other.products().any(|p| products.contains(&p))
    });
    for other in named.chain(same).filter(|other| other.id != article.id && filter.admits(other)) {
        if !ids.contains(&other.id) {
            ids.push(other.id.clone());
        }
        if ids.len() == MAX_RELATED {
            break;
        }
    }
    ids
}
