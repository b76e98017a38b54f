//! Articles.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use axum::extract::State;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::parameters::FilterParams;
use crate::api::reply::Json;
use crate::app::snapshot::Snapshot;
use crate::content::article::Article;
use crate::content::catalog::Lang;
use crate::content::freshness::Freshness;
use crate::content::front_matter::{Kind, Status};
use crate::content::markdown::{self, Reading, ValueUse};
use crate::content::validity::Validity;
use crate::http::asker::Asker;
use crate::http::extract::{Id, Query, Reader};
use crate::http::problem::{Code, Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::search::filter::Filter;

/// An article in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ArticleSummary {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What sort it is.
    pub kind: Kind,
    /// Its language.
    pub lang: Lang,
    /// Whether it is in force or archived.
    pub status: Status,
    /// Where and when it is in force.
    pub validity: Validity,
    /// Products it is about.
    pub products: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// When its file was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Articles that a filter admits.
#[derive(Debug, Serialize, ToSchema)]
pub struct ArticleList {
    /// The articles, by id.
    pub articles: Vec<ArticleSummary>,
    /// How many there are in all.
    pub total: usize,
}

/// A section of an article.
#[derive(Debug, Serialize, ToSchema)]
pub struct SectionView {
    /// What links name.
    pub anchor: String,
    /// Its heading.
    pub heading: String,
    /// 1 to 6; 0 for text before the first heading.
    pub level: u8,
    /// Clean HTML, heading left out.
    pub html: String,
    /// Where and when it is in force.
    pub validity: Validity,
}

/// A catalogue value that stands in an article.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveValue {
    /// What the article calls it: `sms-100.price`.
    pub name: String,
    /// The product's title.
    pub product: String,
    /// What the value is called.
    pub label: String,
    /// As readers see it.
    pub text: String,
    /// Where and when it is in force.
    pub validity: Validity,
    /// The file it is written in.
    pub source_path: String,
}

/// An article to be read.
#[derive(Debug, Serialize, ToSchema)]
pub struct ArticleView {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What sort it is.
    pub kind: Kind,
    /// Its language.
    pub lang: Lang,
    /// Whether it is in force or archived.
    pub status: Status,
    /// Where and when it is in force.
    pub validity: Validity,
    /// All sections in force as clean HTML.
    pub html: String,
    /// The sections in force on the day asked for.
    pub sections: Vec<SectionView>,
    /// The sections that will be or were in force on other days, with the values of those days; they are in nothing else here.
    pub not_in_force: Vec<SectionView>,
    /// The catalogue values that stand in it.
    pub values: Vec<LiveValue>,
    /// Products it is about.
    pub products: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Articles worth reading next.
    pub related: Vec<String>,
    /// The same article in other languages.
    pub translations: Vec<String>,
    /// Answer templates that belong to it.
    pub templates: Vec<String>,
    /// The article that replaced it.
    pub replaced_by: Option<String>,
    /// Whether it is a guided flow.
    pub is_flow: bool,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The day it was last verified.
    pub verified: Option<String>,
    /// Whether it may be trusted, where somebody said how often it should be verified or verified it.
    pub freshness: Option<Freshness>,
    /// When its file was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// The file it is written in.
    pub source_path: String,
}

/// How many articles.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Articles to return, 100 by default.
    #[param(value_type = Option<u32>, maximum = 1000)]
    limit: Option<String>,
    /// Articles to pass over.
    #[param(value_type = Option<u32>)]
    offset: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    filter: FilterParams,
}

/// Lists the articles that the filters admit, by id.
#[utoipa::path(get, operation_id = "list_articles", path = "/api/v1/articles", tag = "articles", params(PageParams, FilterParams), responses(
    (status = 200, description = "Articles", body = ArticleList),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<PageParams>,
) -> Result<Json<ArticleList>, Problem> {
    let mut reader = Reader::default();
    let limit = reader.number("limit", params.limit.as_deref(), 100, 1_000);
    let offset = reader.number("offset", params.offset.as_deref(), 0, usize::MAX);
    let filter = params.filter.read(&asker, state.app.clock.today(), &mut reader);
    reader.finish(Code::InvalidParameter)?;
    let reply = state.run(move |snapshot| {
        let found = snapshot.engine.list(&filter);
        let total = found.len();
        let articles =
            found.into_iter().skip(offset).take(limit).map(|a| summary(a, snapshot, &filter)).collect();
        Ok(ArticleList { articles, total })
    });
    Ok(Json(reply.await?))
}

fn summary(article: &Article, snapshot: &Snapshot, filter: &Filter) -> ArticleSummary {
    ArticleSummary {
        id: article.id.clone(),
        title: article.title_for(&snapshot.engine.library.catalog, filter.standpoint()),
        kind: article.matter.kind,
        lang: article.lang,
        status: article.matter.status,
        validity: article.validity().clone(),
        products: snapshot.engine.library.products_of(article, &filter.clearance),
        tags: article.matter.tags.clone(),
        updated_at: updated_at(article, snapshot),
    }
}

fn updated_at(article: &Article, snapshot: &Snapshot) -> Timestamp {
    let library = &snapshot.engine.library;
    let source = library.slot(&article.id).and_then(|slot| library.source(slot));
    let ns = source.map_or(0, |source| source.stamp.modified_ns);
    Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// When an article's file was changed last, or came to be where it is: one that was imported keeps the time of its source.
pub fn there_since(article: &Article, snapshot: &Snapshot) -> Timestamp {
    let library = &snapshot.engine.library;
    let source = library.slot(&article.id).and_then(|slot| library.source(slot));
    let ns = source.map_or(0, |source| source.stamp.modified_ns.max(source.stamp.changed_ns));
    Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// An article to be read on a day.
#[utoipa::path(get, operation_id = "get_article", path = "/api/v1/articles/{id}", tag = "articles",
    params(("id" = String, Path, description = "The article's id; it may hold slashes"), FilterParams), responses(
    (status = 200, description = "The article", body = ArticleView),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 404, description = "No such article, or not in force", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Query(params): Query<FilterParams>,
) -> Result<Json<ArticleView>, Problem> {
    let today = state.app.clock.today();
    let filter = params.filter(&asker, today)?;
    let view = state.run(move |snapshot| view(snapshot, &id, &filter)).await?;
    state.openings.note(&view.id, today);
    Ok(Json(view))
}

/// An article as readers see it; the page uses it as well.
///
/// # Errors
/// There is no such article, or none of it is in force.
pub fn view(snapshot: &Snapshot, id: &str, filter: &Filter) -> Result<ArticleView, Problem> {
    let mut view = text(snapshot, id, filter)?;
    let (engine, at) = (&snapshot.engine, filter.standpoint());
    let Some((_, article)) = engine.library.find(id) else { return Ok(view) };
    let others = article.sections.iter().enumerate().filter_map(|(number, section)| {
        let validity = section.validity.as_deref().cloned().unwrap_or_default();
        let is_other = !article.section_in_force(number, at);
        Some((number, other_day(&validity, filter).filter(|_| is_other)?, validity))
    });
    // Their values are those of their own time: each day is rendered once.
    let mut rendered: BTreeMap<Date, Vec<String>> = BTreeMap::new();
    let catalog = &engine.library.catalog;
    for (number, day, validity) in others {
        let section = &article.sections[number];
        let of_that_day = match rendered.entry(day) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let body = engine.reader.source(id)?.unwrap_or_default();
                let reading =
                    Reading { catalog, lang: article.lang, at: at.on(day), library: Some(&engine.library) };
                entry.insert(markdown::render_sections(&body, &article.sections, &article.path, reading))
            }
        };
        view.not_in_force.push(SectionView {
            anchor: section.anchor.to_string(),
            heading: catalog.expand(&section.heading, article.lang, at.on(day)),
            level: section.level,
            html: of_that_day.get_mut(number).map(std::mem::take).unwrap_or_default(),
            validity,
        });
    }
    view.related = engine.related(article, filter)?;
    Ok(view)
}

/// The same without what is not in force and without what is related: all there is to read.
///
/// # Errors
/// There is no such article, or none of it is in force.
pub fn text(snapshot: &Snapshot, id: &str, filter: &Filter) -> Result<ArticleView, Problem> {
    let engine = &snapshot.engine;
    let library = &engine.library;
    let at = filter.standpoint();
    let found = library.find(id).filter(|(_, a)| a.validity().in_force(at));
    let (_, article) = found.ok_or_else(|| Problem::not_found("article", id))?;
    let body = engine.reader.source(id)?.unwrap_or_default();
    Ok(shown(snapshot, article, &body, filter))
}

/// An article and its Markdown as readers see them; it need not be one that is served.
pub fn shown(snapshot: &Snapshot, article: &Article, body: &str, filter: &Filter) -> ArticleView {
    let engine = &snapshot.engine;
    let library = &engine.library;
    let at = filter.standpoint();
    let today = Reading { catalog: &library.catalog, lang: article.lang, at, library: Some(library) };
    let rendered = markdown::render_sections(body, &article.sections, &article.path, today);
    let mut sections = Vec::new();
    let mut html = String::new();
    for (number, (section, section_html)) in article.sections.iter().zip(rendered).enumerate() {
        let validity = section.validity.as_deref().cloned().unwrap_or_default();
        if article.section_in_force(number, at) {
            if number > 0 {
                let tag = section.level.clamp(2, 6);
                let mut anchor = String::new();
                markdown::escape_into(&section.anchor, &mut anchor);
                let line = markdown::render_line(&section.heading, today);
                html.push_str(&format!("<h{tag} id=\"{anchor}\">{line}</h{tag}>\n"));
            }
            html.push_str(&section_html);
            sections.push(SectionView {
                anchor: section.anchor.to_string(),
                heading: library.catalog.expand(&section.heading, article.lang, at),
                level: section.level,
                html: section_html,
                validity,
            });
        }
    }
    let twins = article.translation_ids();
    let is_served = |id: &String| library.find_in_force(id, at).is_some_and(|a| a.lang != article.lang);
    ArticleView {
        id: article.id.clone(),
        title: article.title_for(&library.catalog, at),
        kind: article.matter.kind,
        lang: article.lang,
        status: article.matter.status,
        validity: article.validity().clone(),
        html,
        sections,
        not_in_force: Vec::new(),
        values: live_values(article, snapshot, filter),
        products: library.products_of(article, &filter.clearance),
        tags: article.matter.tags.clone(),
        related: Vec::new(),
        translations: twins.into_iter().filter(is_served).collect(),
        templates: engine.templates_of(Some(&article.id), "", filter),
        replaced_by: library.replacement(article, at),
        is_flow: article.matter.flow.is_some(),
        owner: article.matter.owner.clone(),
        verified: article.matter.verified.clone(),
        freshness: Freshness::of(&article.matter, filter.day),
        updated_at: updated_at(article, snapshot),
        source_path: format!("articles/{}", article.path),
    }
}

/// The nearest day on which something is in force that is not in force on the day asked for, if that is only a matter of days.
fn other_day(validity: &Validity, filter: &Filter) -> Option<Date> {
    let days = [validity.from, validity.to].into_iter().flatten();
    days.filter(|day| validity.in_force(filter.standpoint().on(*day))).min_by_key(|day| {
        let away = day.since(filter.day).map_or(i32::MAX, |span| span.get_days().abs());
        (away, *day)
    })
}

fn live_values(article: &Article, snapshot: &Snapshot, filter: &Filter) -> Vec<LiveValue> {
    let catalog = &snapshot.engine.library.catalog;
    // Values of sections that are not for the reader, or of another day, are theirs alone.
    let is_shown = |value: &&ValueUse| {
        let section = article.sections.iter().rposition(|section| section.line <= value.at.line);
        section.is_none_or(|section| article.section_in_force(section, filter.standpoint()))
    };
    let shown = article.values.iter().filter(is_shown);
    let names: std::collections::BTreeSet<&str> = shown.map(|value| &*value.name).collect();
    let found = names.into_iter().filter_map(|name| {
        let (product, attribute) = name.split_once('.')?;
        let product = catalog.product(product).filter(|p| p.status != Status::Draft)?;
        let (attribute, variant) = product.variant(attribute, filter.standpoint())?;
        Some(LiveValue {
            name: name.to_owned(),
            product: product.title.get(article.lang).to_owned(),
            label: attribute.label.get(article.lang).to_owned(),
            text: variant.show(attribute, article.lang),
            validity: variant.validity.clone(),
            source_path: product.file.clone(),
        })
    });
    found.collect()
}
