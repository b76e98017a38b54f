//! The page of an article.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;

use crate::answers::template::Channel;
use crate::api::articles::{self, ArticleView};
use crate::api::must_reads::{MustReadView, of_asker};
use crate::api::parameters::FilterParams;
use crate::app::snapshot::Snapshot;
use crate::content::front_matter::Status;
use crate::content::library::Library;
use crate::content::validity::Validity;
use crate::http::asker::Asker;
use crate::http::extract::{Id, Query};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::search::filter::Filter;
use crate::web::compare::MAX_COMPARED;
use crate::web::words::Ui;
use crate::web::{filters, html};

/// How to show it.
#[derive(Debug, Default, Deserialize)]
pub struct ArticleParams {
    /// Present: the article alone, to be put into the desk.
    part: Option<String>,
    #[serde(flatten)]
    filter: FilterParams,
}

struct Named {
    id: String,
    title: String,
    lang: &'static str,
}

#[derive(Template)]
#[template(path = "article_page.html")]
struct ArticlePage {
    ui: Ui,
    channels: &'static [(&'static str, Channel)],
    regions: Vec<String>,
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
    replaced_by: Option<Named>,
    /// The products that can be put aside for a comparison from here, parted by commas.
    compared: String,
    is_archived: bool,
    /// What who asks has to read of it.
    must_read: Option<String>,
    updated: Date,
    as_of: Date,
    is_today: bool,
}

/// When something is in force, seen from a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Now,
    Later,
    Before,
}

impl When {
    fn of(validity: &Validity, day: Date) -> Self {
        match (validity.from, validity.to) {
            (Some(from), _) if day < from => Self::Later,
            (_, Some(to)) if to < day => Self::Before,
            _ => Self::Now,
        }
    }

    /// The word that tells it; none for what is in force.
    fn key(self) -> &'static str {
        match self {
            Self::Later => "not-yet",
            _ => "no-more",
        }
    }
}

impl Shown {
    fn when(&self, validity: &Validity) -> When {
        When::of(validity, self.as_of)
    }
}

/// An article as a page, or as a part of the desk.
pub async fn page(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
    Query(params): Query<ArticleParams>,
) -> Result<Response, Problem> {
    let today = state.app.clock.today();
    let filter = params.filter.filter(&asker, today)?;
    let zone = state.settings.zone();
    let shown = state.run(move |snapshot| {
        let mut shown = show(snapshot, &id, &filter)?;
        shown.updated = shown.article.updated_at.to_zoned_datetime(zone).date();
        shown.is_today = filter.day == today;
        Ok(shown)
    });
    let (ui, mut shown) = (Ui::of(&headers).with(&asker), shown.await?);
    state.openings.note(&shown.article.id, today);
    let concerns = |view: &MustReadView| !view.acknowledged && view.article == shown.article.id;
    shown.must_read = of_asker(&state, &asker).await?.into_iter().find(concerns).map(|view| view.id);
    Ok(match params.part {
        Some(_) => html(ArticlePart { ui, shown }.render()),
        None => {
            let regions = state.snapshot()?.regions(&asker.identity.clearance);
            html(ArticlePage { ui, channels: Channel::NAMES, regions, shown }.render())
        }
    })
}

fn show(snapshot: &Snapshot, id: &str, filter: &Filter) -> Result<Shown, Problem> {
    let library = &snapshot.engine.library;
    let article = articles::view(snapshot, id, filter)?;
    let names = |ids: &[String]| ids.iter().filter_map(|id| named(library, id, filter)).collect();
    Ok(Shown {
        related: names(&article.related),
        translations: names(&article.translations),
        replaced_by: article.replaced_by.as_deref().and_then(|id| named(library, id, filter)),
        compared: if article.products.len() > MAX_COMPARED {
            String::new()
        } else {
            article.products.join(",")
        },
        must_read: None,
        is_archived: article.status == Status::Archived,
        updated: filter.day,
        as_of: filter.day,
        is_today: true,
        article,
    })
}

fn named(library: &Library, id: &str, filter: &Filter) -> Option<Named> {
    let (_, article) = library.find(id)?;
    let title = article.title_for(&library.catalog, filter.standpoint());
    Some(Named { id: id.to_owned(), title, lang: article.lang.code() })
}
