//! The answer card: the best direct answer to a query, or none.

use serde::Serialize;
use utoipa::ToSchema;

use crate::content::article::Article;
use crate::content::catalog::Lang;
use crate::content::front_matter::Status;
use crate::content::library::Library;
use crate::content::markdown::{self, Block, BlockKind, Reading};
use crate::content::validity::Validity;
use crate::index::reader::Reader;
use crate::language::words;
use crate::search::candidates::Candidate;
use crate::search::filter::Filter;
use crate::search::query::Plan;
use crate::search::snippet::Matcher;

/// Longer passages are no answers but reading matter, in characters.
const MAX_PASSAGE_CHARS: usize = 700;

/// Values of a product told beside its code.
const MAX_VALUES_TOLD: usize = 3;

/// What sort of answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnswerKind {
    /// A paragraph, list or table.
    Passage,
    /// A numbered list: what to do.
    Steps,
    /// A value of the catalogue.
    Fact,
    /// A code and what it does.
    Code,
    /// The beginning of a guided flow.
    Flow,
}

/// A direct answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Answer {
    /// What sort it is.
    pub kind: AnswerKind,
    /// Plain text.
    pub text: String,
    /// Clean HTML.
    pub html: String,
    /// The article it is from; none for a code no article is written about.
    pub article: Option<String>,
    /// The article's title.
    pub title: String,
    /// Anchor of its section.
    pub section: String,
    /// Whether what it tells of is in force or archived.
    pub status: Status,
    /// Where and when it is in force.
    pub validity: Validity,
    /// Templates to answer with.
    pub templates: Vec<String>,
}

/// What an answer is made from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// What was asked.
    pub plan: &'a Plan,
    /// The articles.
    pub library: &'a Library,
    /// The index.
    pub reader: &'a Reader,
    /// What is admitted.
    pub filter: &'a Filter,
    /// The reader's language.
    pub lang: Lang,
}

/// What a code does, from the catalogue: exactly the code asked for or nothing.
pub fn of_code(source: Source<'_>) -> Option<Answer> {
    let Source { plan, library, filter, lang, .. } = source;
    let code = plan.whole_code()?;
    let catalog = &library.catalog;
    let region = filter.region.as_deref();
    let mut owners = catalog.code_owners(code).iter().filter_map(|(product, attribute)| {
        let product = catalog.product(product).filter(|p| p.is_offered(filter.day, region))?;
        let (attribute, variant) = product.code_variant(attribute, filter.day, region, |own| own == code)?;
        Some((product, attribute, variant))
    });
    let (product, attribute, variant) = owners.next()?;
    let shown = variant.show(attribute, lang);
    let what = format!("{}: {}", attribute.label.get(lang), product.title.get(lang));
    let told = product.values.iter().filter_map(|(other, _)| {
        let (other, variant) = product.variant(&other.id, filter.day, region)?;
        let is_code = product.codes().any(|(coded, _, _)| coded.id == other.id);
        (!is_code).then(|| format!("{}: {}", other.label.get(lang), variant.show(other, lang)))
    });
    let told: Vec<String> = told.take(MAX_VALUES_TOLD).collect();
    let mut html = String::from("<p class=\"code\"><code>");
    markdown::escape_into(&shown, &mut html);
    html.push_str("</code></p><p><strong>");
    markdown::escape_into(&what, &mut html);
    html.push_str("</strong></p><p>");
    markdown::escape_into(&told.join(" · "), &mut html);
    html.push_str("</p>");
    let article = product.article.as_deref().and_then(|id| localized_article(library, id, lang, filter));
    let section = article.as_ref().and_then(|article| {
        let name = format!("{}.{}", product.id, attribute.id);
        let line = article.values.iter().find(|v| *v.name == name)?.at.line;
        article.sections.iter().rev().find(|s| s.line <= line)
    });
    Some(Answer {
        kind: AnswerKind::Code,
        text: [format!("{shown} — {what}")].into_iter().chain(told).collect::<Vec<_>>().join("\n"),
        html,
        title: article.as_ref().map(|a| a.title_on(catalog, filter.day, region)).unwrap_or_default(),
        section: section.map(|s| s.anchor.to_string()).unwrap_or_default(),
        article: article.map(|a| a.id.clone()),
        status: product.status,
        validity: variant.validity.within(&product.validity),
        templates: Vec::new(),
    })
}

/// The article with an id in the reader's language, if it has such a translation.
fn localized_article<'a>(library: &'a Library, id: &str, lang: Lang, filter: &Filter) -> Option<&'a Article> {
    let find = |id: &str| library.find_in_force(id, filter.day, filter.region.as_deref());
    let article = find(id)?;
    if article.lang == lang {
        return Some(article);
    }
    let twin = article.translation_ids().iter().filter_map(|id| find(id)).find(|a| a.lang == lang);
    Some(twin.unwrap_or(article))
}

/// The best block of the best article, when title, heading and block together hold every word asked for; else none: no answer is
/// better than a wrong one.
///
/// # Errors
/// The index cannot be read.
pub fn of_best(
    source: Source<'_>,
    candidate: &Candidate,
    blocks: &[Block],
) -> tantivy::Result<Option<Answer>> {
    let Source { plan, library, reader, filter, .. } = source;
    let (Some(article), Some(best)) = (library.article(candidate.slot), candidate.sections.first()) else {
        return Ok(None);
    };
    let Some(section) = article.sections.get(best.section as usize) else { return Ok(None) };
    let region = filter.region.as_deref();
    let expand = |text: &str| library.catalog.expand(text, article.lang, filter.day, region);
    let matcher = Matcher::new(plan);
    let title = expand(&article.title);
    let names =
        [title.as_str(), &expand(&section.heading)].join("\n") + "\n" + &article.matter.aliases.join("\n");
    // One word alone asks for a subject, not for a fact about it, unless something is called just that.
    let forms = |text: &str| words::words(text).into_iter().map(|w| w.form).collect::<Vec<_>>();
    let is_called_so = || names.lines().any(|name| forms(name) == forms(&plan.text));
    if matcher.asked() < 2 && plan.code.is_none() && !is_called_so() {
        return Ok(None);
    }
    let named = matcher.find(&names);
    let mut chosen: Option<(usize, &Block)> = None;
    for block in blocks {
        let found = matcher.find(&expand(&block.text));
        let score = Matcher::coverage(&found) * 2 + usize::from(block.kind == BlockKind::Steps);
        let covered = Matcher::coverage(&[named.clone(), found].concat());
        let fits = covered >= matcher.asked() && block.kind != BlockKind::Code;
        if fits && chosen.is_none_or(|(most, _)| score > most) {
            chosen = Some((score, block));
        }
    }
    let Some((_, block)) = chosen else { return Ok(None) };
    let text = expand(&block.text).replace('\t', " — ");
    if block.kind == BlockKind::Paragraph && text.chars().count() > MAX_PASSAGE_CHARS {
        return Ok(None);
    }
    let Some(body) = reader.source(&article.id)? else { return Ok(None) };
    let markdown = body.get(block.range.0 as usize..block.range.1 as usize).unwrap_or_default();
    let reading = Reading { catalog: &library.catalog, lang: article.lang, day: filter.day, region };
    let kind = match block.kind {
        _ if article.matter.flow.is_some() && best.section == 0 => AnswerKind::Flow,
        BlockKind::Steps => AnswerKind::Steps,
        _ => AnswerKind::Passage,
    };
    Ok(Some(Answer {
        kind,
        text,
        html: markdown::render(markdown, &article.path, reading),
        article: Some(article.id.clone()),
        title,
        section: section.anchor.to_string(),
        status: article.matter.status,
        validity: section.validity.as_deref().cloned().unwrap_or_default(),
        templates: Vec::new(),
    }))
}

/// The reader's language: the one asked for, else that of the letters typed.
pub fn reader_lang(asked: Option<Lang>, text: &str, default: Lang) -> Lang {
    asked.unwrap_or_else(|| match (words::is_cyrillic(text), text.chars().any(|c| c.is_ascii_alphabetic())) {
        (true, _) => Lang::Ru,
        (false, true) => Lang::En,
        (false, false) => default,
    })
}
