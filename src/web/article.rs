//! The page of an article, with its answer templates.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::answers::template::Channel;
use crate::api::articles::{self, ArticleView};
use crate::api::parameters::FilterParams;
use crate::app::snapshot::Snapshot;
use crate::content::front_matter::Status;
use crate::http::extract::{Id, Query};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::search::filter::Filter;
use crate::web::words::Ui;
use crate::web::{filters, html};

/// How to show it.
#[derive(Debug, Default, Deserialize)]
pub struct ArticleParams {
    /// Present: the article alone, to be put into the search page.
    part: Option<String>,
    #[serde(flatten)]
    filter: FilterParams,
}

struct Named {
    id: String,
    title: String,
}

struct TemplateChoice {
    id: String,
    title: String,
    channels: Vec<Channel>,
}

#[derive(Template)]
#[template(path = "article_page.html")]
struct ArticlePage {
    ui: Ui,
    shown: Shown,
}

#[derive(Template)]
#[template(path = "article.html")]
struct ArticlePart {
    ui: Ui,
    shown: Shown,
}

struct Shown {
    article: ArticleView,
    related: Vec<Named>,
    translations: Vec<Named>,
    templates: Vec<TemplateChoice>,
    is_archived: bool,
    updated: String,
}

/// An article as a page, or as a part of the search page.
pub async fn page(
    State(state): State<AppState>,
    headers: HeaderMap,
    Id(id): Id,
    Query(params): Query<ArticleParams>,
) -> Result<Response, Problem> {
    let filter = params.filter.filter(state.app.clock.today())?;
    let zone = state.settings.zone();
    let shown = state.run(move |snapshot| {
        let mut shown = show(snapshot, &id, &filter)?;
        shown.updated =
            shown.article.updated_at.to_zoned_datetime(zone).date().strftime("%d.%m.%Y").to_string();
        Ok(shown)
    });
    let (ui, shown) = (Ui::of(&headers), shown.await?);
    Ok(match params.part {
        Some(_) => html(ArticlePart { ui, shown }.render()),
        None => html(ArticlePage { ui, shown }.render()),
    })
}

fn show(snapshot: &Snapshot, id: &str, filter: &Filter) -> Result<Shown, Problem> {
    let engine = &snapshot.engine;
    let article = articles::view(snapshot, id, filter)?;
    let name = |id: &String| {
        let (_, article) = engine.library.find(id)?;
        let title = article.title_on(&engine.library.catalog, filter.day, filter.region.as_deref());
        Some(Named { id: id.clone(), title })
    };
    let templates =
        article.templates.iter().filter_map(|id| engine.templates.find(id)).map(|t| TemplateChoice {
            id: t.id.clone(),
            title: t.title.clone(),
            channels: t.bodies.iter().map(|b| b.channel).collect(),
        });
    Ok(Shown {
        related: article.related.iter().filter_map(name).collect(),
        translations: article.translations.iter().filter_map(name).collect(),
        templates: templates.collect(),
        is_archived: article.status == Status::Archived,
        updated: String::new(),
        article,
    })
}
