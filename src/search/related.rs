//! Articles worth reading next.

use std::sync::Arc;

use crate::content::article::Article;
use crate::content::files;
use crate::content::front_matter::Status;
use crate::content::library::Library;
use crate::search::filter::Filter;

/// How many are shown.
const MAX_RELATED: usize = 8;

/// Ids of the articles the editor named, those that link here and are linked from here both, those about the same products, and those
/// that a search for the title finds (`alike`, the best first), in this order; all in the article's language but those the editor named.
pub fn related(article: &Article, alike: &[String], library: &Library, filter: &Filter) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let named = article.matter.related.iter().filter_map(|named| library.find(&named.text)).map(|(_, a)| a);
    let products: Vec<&str> = article.products().collect();
    let is_alike =
        |other: &&Arc<Article>| other.lang == article.lang && other.matter.status == Status::Active;
    let targets = linked(article);
    let mutual = targets
        .iter()
        .filter_map(|id| library.find(id))
        .map(|(_, other)| other)
        .filter(|other| is_alike(other) && linked(other).contains(&article.id));
    let same = library.articles().map(|(_, a)| a).filter(|other| {
        !products.is_empty() && is_alike(other) && other.products().any(|p| products.contains(&p))
    });
    let found = alike.iter().filter_map(|id| library.find(id)).map(|(_, a)| a).filter(is_alike);
    for other in named
        .chain(mutual)
        .chain(same)
        .chain(found)
        .filter(|other| other.id != article.id && filter.admits(other))
    {
        if !ids.contains(&other.id) {
            ids.push(other.id.clone());
        }
        if ids.len() == MAX_RELATED {
            break;
        }
    }
    ids
}

/// Ids of the articles an article links to.
fn linked(article: &Article) -> Vec<String> {
    let targets = article.links.iter().filter_map(|link| link.target.split('#').next());
    targets.filter_map(|path| Some(files::id_of(&files::resolve(&article.path, path)?))).collect()
}
