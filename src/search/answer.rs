//! The answer card: the best direct answer to a query, or none.

use serde::Serialize;
use utoipa::ToSchema;

use crate::content::article::Article;
use crate::content::catalog::{AttributeType, Lang};
use crate::content::front_matter::Status;
use crate::content::library::Library;
use crate::content::markdown::{self, BlockKind, Reading};
use crate::content::validity::Validity;
use crate::index::reader::Reader;
use crate::language::words;
use crate::search::candidates::Candidate;
use crate::search::facts::{self, Fact};
use crate::search::filter::Filter;
use crate::search::intent::Intent;
use crate::search::ladder::Rung;
use crate::search::passage::{self, Passage};
use crate::search::query::{Plan, QueryCode};
use crate::search::signals::{Collection, Signal, WordWeights};
use crate::search::snippet::Matcher;

/// Articles and sections of each that an answer is looked for in.
const ARTICLES_LOOKED_AT: usize = 3;
const SECTIONS_AROUND: u32 = 7;

/// Of those, the first sections of an article are looked at even if they hold no word: what it is about, and its first steps.
const OPENING_SECTIONS: u32 = 4;

/// What an action counts beside other words.
const ACTION: f32 = 0.4;

/// How much surer a passage further down must be to go before one further up.
const CLEARLY: f32 = 0.05;

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
    /// How sure it is, from 0 to 1.
    pub confidence: f32,
    /// Templates to answer with.
    pub templates: Vec<String>,
}

/// What an answer is made from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// What was asked.
    pub plan: &'a Plan,
    /// Finds its words in texts.
    pub matcher: &'a Matcher<'a>,
    /// The articles.
    pub library: &'a Library,
    /// The index.
    pub reader: &'a Reader,
    /// What is admitted.
    pub filter: &'a Filter,
    /// The reader's language.
    pub lang: Lang,
    /// What is asked about a thing.
    pub intent: Option<Intent>,
    /// What each word tells.
    pub weights: &'a WordWeights,
}

/// What each word tells when passages are compared: what is to be done is often called otherwise there than in the question.
pub fn word_weights(plan: &Plan, collection: Collection) -> WordWeights {
    let actions =
        plan.words.iter().take(63).enumerate().filter(|(_, w)| Intent::is_action(&w.lemma, &w.form));
    let actions = actions.fold(0, |bits, (at, _)| bits | 1 << at);
    WordWeights::of(plan, collection).with_less(actions, ACTION)
}

/// The direct answer, if there is one beyond doubt: a code, a fact of the catalogue, or a passage of the articles found.
///
/// # Errors
/// The index cannot be read.
pub fn answer(source: Source<'_>, ranked: &[(Rung, Candidate)]) -> tantivy::Result<Option<Answer>> {
    let plan = source.plan;
    if plan.is_empty() || matches!(plan.code, Some(QueryCode::Partial(_))) {
        return Ok(None);
    }
    if plan.whole_code().is_some() {
        // Of a code that is not in the catalogue nothing is known for sure.
        return Ok(of_code(source));
    }
    if let Some(fact) = facts::find(plan, source.intent, &source.library.catalog, source.filter) {
        return Ok(Some(of_fact(source, fact)));
    }
    of_passages(source, ranked)
}

/// What a code does, from the catalogue: exactly the code asked for or nothing.
fn of_code(source: Source<'_>) -> Option<Answer> {
    let Source { plan, library, filter, .. } = source;
    let code = plan.whole_code()?;
    let catalog = &library.catalog;
    let at = filter.standpoint();
    let owners =
        catalog.code_owners(code, at.clearance).filter(|(product, _)| filter.admits_product(product));
    let owners = owners.filter_map(|(product, attribute)| {
        let (attribute, variant) = product.code_variant(attribute, at, |own| own == code)?;
        Some(Fact { product, attribute, variant })
    });
    // What is in force goes before what is archived.
    let fact = owners.min_by_key(|fact| fact.product.status == Status::Archived)?;
    Some(of_fact(source, fact))
}

/// A value of the catalogue, a code in large type, with what else is worth knowing of its product.
fn of_fact(source: Source<'_>, fact: Fact<'_>) -> Answer {
    let Source { library, filter, lang, .. } = source;
    let Fact { product, attribute, variant } = fact;
    let catalog = &library.catalog;
    let at = filter.standpoint();
    let is_code = attribute.kind == AttributeType::Code;
    let shown = variant.show(attribute, lang);
    let what = format!("{}: {}", attribute.label.get(lang), product.title.get(lang));
    let told = product.values.iter().filter_map(|(other, _)| {
        let (other, variant) = product.variant(&other.id, at)?;
        let is_told = other.id != attribute.id && other.kind != AttributeType::Code;
        is_told.then(|| format!("{}: {}", other.label.get(lang), variant.show(other, lang)))
    });
    let told: Vec<String> = told.take(if is_code { MAX_VALUES_TOLD } else { 0 }).collect();
    let mut html =
        String::from(if is_code { "<p class=\"code\"><code>" } else { "<p class=\"fact\"><strong>" });
    markdown::escape_into(&shown, &mut html);
    html.push_str(if is_code { "</code></p><p><strong>" } else { "</strong></p><p>" });
    markdown::escape_into(&what, &mut html);
    html.push_str(if is_code { "</strong></p>" } else { "</p>" });
    if !told.is_empty() {
        html.push_str("<p>");
        markdown::escape_into(&told.join(" · "), &mut html);
        html.push_str("</p>");
    }
    let article = product.article.as_deref().and_then(|id| localized_article(library, id, lang, filter));
    let section = article.and_then(|article| {
        let name = format!("{}.{}", product.id, attribute.id);
        let lines = article.values.iter().filter(|v| *v.name == name).map(|v| v.at.line);
        let sections = lines.filter_map(|line| article.sections.iter().rposition(|s| s.line <= line));
        let mut readable = sections.filter(|at| article.section_in_force(*at, filter.standpoint()));
        readable.next().and_then(|at| article.sections.get(at))
    });
    Answer {
        kind: if is_code { AnswerKind::Code } else { AnswerKind::Fact },
        text: [format!("{shown} — {what}")].into_iter().chain(told).collect::<Vec<_>>().join("\n"),
        html,
        title: article.map(|a| a.title_for(catalog, at)).unwrap_or_default(),
        section: section.map(|s| s.anchor.to_string()).unwrap_or_default(),
        article: article.map(|a| a.id.clone()),
        status: product.status,
        validity: variant.validity.within(&product.validity),
        confidence: 1.0,
        templates: Vec::new(),
    }
}

/// The article with an id in the reader's language, if it has such a translation.
fn localized_article<'a>(library: &'a Library, id: &str, lang: Lang, filter: &Filter) -> Option<&'a Article> {
    let find = |id: &str| library.find_in_force(id, filter.standpoint());
    let article = find(id)?;
    if article.lang == lang {
        return Some(article);
    }
    let twin = article.translation_ids().iter().filter_map(|id| find(id)).find(|a| a.lang == lang);
    Some(twin.unwrap_or(article))
}

/// The best passage of the best articles, with its article and the number of its section.
fn best_passage<'a>(
    source: Source<'a>,
    ranked: &[(Rung, Candidate)],
) -> tantivy::Result<Option<(Passage, &'a Article, u32)>> {
    let Source { plan, matcher, library, reader, filter, intent, weights, .. } = source;
    let at = filter.standpoint();
    // One word alone asks for a subject, not for a fact about it, unless something is called just that.
    let is_named = |candidate: &Candidate| candidate.signals[Signal::WholeTitle as usize] > 0.0;
    let search = passage::Search { matcher, weights, intent };
    let mut best: Option<(Passage, &'a Article, u32)> = None;
    for (rank, (_, candidate)) in ranked.iter().take(ARTICLES_LOOKED_AT).enumerate() {
        let Some(article) = library.article(candidate.slot).filter(|a| a.matter.status == Status::Active)
        else {
            continue;
        };
        let Some(near) = candidate.sections.first().filter(|_| matcher.asked() > 1 || is_named(candidate))
        else {
            continue;
        };
        // Words that stand nowhere in the article stand in none of its passages.
        if candidate.signals[Signal::ArticleWords as usize] < passage::LEAST_HELD {
            continue;
        }
        let next = ranked.get(rank + 1).map_or(0.0, |(_, next)| next.score);
        let lead = ((candidate.score - next) / candidate.score.max(f32::EPSILON)).clamp(0.0, 1.0);
        let expand = |text: &str| library.catalog.expand(text, article.lang, at);
        let found_at = passage::Found { article, candidate, lead, expand: &expand };
        let mut has_steps = false;
        // The first article may say it in a section that holds few of the words.
        let mut places = if rank == 0 {
            reader.sections_around(near.address, SECTIONS_AROUND)?
        } else {
            vec![(near.section, near.address)]
        };
        places.retain(|(number, _)| {
            let is_found = candidate.sections.iter().any(|s| s.section == *number);
            if plan.is_strict() {
                is_found
            } else {
                *number < OPENING_SECTIONS || !search.is_subject() && is_found
            }
        });
        for (number, address) in places {
            let Some(section) = article.sections.get(number as usize) else { continue };
            if !filter.admits_section(article, number) || search.is_subject() && section.level > 1 {
                continue;
            }
            let blocks = reader.blocks(address)?;
            let found = search.best(found_at, section, &blocks, &mut has_steps);
            // A later article must be clearly better.
            let needed = |b: &Passage| b.confidence + if rank > 0 { CLEARLY } else { 0.0 };
            let is_better = |p: &Passage| best.as_ref().is_none_or(|(b, _, _)| p.confidence > needed(b));
            if let Some(passage) = found.filter(is_better) {
                best = Some((passage, article, number));
            }
        }
    }
    Ok(best)
}

/// The best passage as an answer, when it is sure enough.
fn of_passages(source: Source<'_>, ranked: &[(Rung, Candidate)]) -> tantivy::Result<Option<Answer>> {
    let Source { library, reader, filter, .. } = source;
    let at = filter.standpoint();
    let best = best_passage(source, ranked)?;
    let Some((passage, article, section)) = best.filter(|(p, _, _)| p.confidence >= passage::CONFIDENT)
    else {
        return Ok(None);
    };
    let section = &article.sections[section as usize];
    let kind = match passage.block.kind {
        _ if article.matter.flow.is_some() && section.level == 0 => AnswerKind::Flow,
        BlockKind::Steps => AnswerKind::Steps,
        _ => AnswerKind::Passage,
    };
    let html = if passage.is_whole {
        let Some(body) = reader.source(&article.id)? else { return Ok(None) };
        let (from, to) = passage.block.range;
        let markdown = body.get(from as usize..to as usize).unwrap_or_default();
        let reading = Reading { catalog: &library.catalog, lang: article.lang, at, library: Some(library) };
        markdown::render(markdown, &article.path, reading)
    } else {
        html_of_part(&passage)
    };
    Ok(Some(Answer {
        kind,
        text: plain_rows(&passage.text),
        html,
        article: Some(article.id.clone()),
        title: article.title_for(&library.catalog, at),
        section: section.anchor.to_string(),
        status: article.matter.status,
        validity: section.validity.as_deref().cloned().unwrap_or_default(),
        confidence: passage.confidence,
        templates: Vec::new(),
    }))
}

/// Rows of a table as lines: their cells apart by dashes, but for those that are empty.
fn plain_rows(text: &str) -> String {
    let row = |line: &str| line.split('\t').filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" — ");
    text.lines().map(row).filter(|row| !row.is_empty()).collect::<Vec<_>>().join("\n")
}

/// A row under its header, an item, or sentences.
fn html_of_part(passage: &Passage) -> String {
    let mut html = String::new();
    if passage.block.kind != BlockKind::Table {
        html.push_str("<p>");
        markdown::escape_into(&passage.text, &mut html);
        html.push_str("</p>");
        return html;
    }
    html.push_str("<table>");
    for (number, line) in passage.text.lines().enumerate() {
        let cell = if number == 0 { "th" } else { "td" };
        html.push_str("<tr>");
        for text in line.split('\t') {
            html.push_str(&format!("<{cell}>"));
            markdown::escape_into(text, &mut html);
            html.push_str(&format!("</{cell}>"));
        }
        html.push_str("</tr>");
    }
    html.push_str("</table>");
    html
}

/// The reader's language: the one asked for, else that of the letters typed.
pub fn reader_lang(asked: Option<Lang>, text: &str, default: Lang) -> Lang {
    asked.unwrap_or_else(|| match (words::is_cyrillic(text), text.chars().any(|c| c.is_ascii_alphabetic())) {
        (true, _) => Lang::Ru,
        (false, true) => Lang::En,
        (false, false) => default,
    })
}
