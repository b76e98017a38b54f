//! Ranking: candidates put in order by named signals.
//!
//! BM25 over the fields decides for now; the whole-title signal makes an article come first for its own name.

use crate::content::catalog::{Catalog, Lang};
use crate::content::library::Library;
use crate::language::words;
use crate::search::candidates::Candidate;
use crate::search::filter::Filter;
use crate::search::query::Plan;

/// What an article gains whose title or alias is the query, as a factor.
const WHOLE_TITLE: f32 = 1.5;

/// What the article of the product a code belongs to gains, as a factor.
const OWN_CODE: f32 = 2.0;

/// What an article gains that is about the product a code belongs to, as a factor.
const PRODUCT_CODE: f32 = 1.5;

/// What an article gains that is in the reader's language, as a factor: enough to part twins, too little to hide a better match.
const OWN_LANGUAGE: f32 = 1.05;

/// Puts candidates in order.
pub fn rank(candidates: &mut [Candidate], plan: &Plan, library: &Library, filter: &Filter, lang: Lang) {
    let owners = plan.whole_code().map_or(&[][..], |code| library.catalog.code_owners(code));
    let asked: Vec<String> = plan_forms(&plan.text);
    for candidate in candidates.iter_mut() {
        let Some(article) = library.article(candidate.slot) else { continue };
        let mut factor = if article.lang == lang { OWN_LANGUAGE } else { 1.0 };
        if !asked.is_empty() {
            let title = shown_title(&article.title, &library.catalog, article.lang, filter);
            let is_named =
                plan_forms(&title) == asked || article.matter.aliases.iter().any(|a| plan_forms(a) == asked);
            if is_named {
                factor *= WHOLE_TITLE;
            }
        }
        for (product, _) in owners {
            if library.catalog.product(product).is_some_and(|p| p.article.as_deref() == Some(&*article.id)) {
                factor *= OWN_CODE;
            } else if article.products().any(|p| p == product) {
                factor *= PRODUCT_CODE;
            }
        }
        for section in &mut candidate.sections {
            section.score *= factor;
        }
    }
    candidates.sort_by(Candidate::rank);
}

fn shown_title(
    title: &str,
    catalog: &Catalog,
    lang: crate::content::catalog::Lang,
    filter: &Filter,
) -> String {
    catalog.expand(title, lang, filter.day, filter.region.as_deref())
}

fn plan_forms(text: &str) -> Vec<String> {
    words::words(text).into_iter().map(|w| w.form).collect()
}
