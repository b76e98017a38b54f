//! What a device keeps for times without network.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::State;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::answers::template::{Channel, Template};
use crate::answers::templates::Filling;
use crate::api::articles;
use crate::api::parameters::FilterParams;
use crate::api::reply::Json;
use crate::app::snapshot::Snapshot;
use crate::content::catalog::Lang;
use crate::content::front_matter::Status;
use crate::http::asker::Asker;
use crate::http::extract::{Query, list};
use crate::http::problem::{Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::search::filter::Filter;

/// The tag by which a lead marks an article essential: every device keeps it.
pub const ESSENTIAL: &str = "essential";

/// The most articles in one bundle; a device is no copy of the whole base.
const MAX_ARTICLES: usize = 300;

/// Days from now on which it is looked whether a wording will be the same.
const LATER: [i64; 3] = [1, 3, 7];

/// What to keep.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OfflineParams {
    /// Ids of the articles that were used, parted by commas; those that are gone are passed over.
    articles: Option<String>,
    /// Ids of answer templates that were used, parted by commas.
    templates: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    filter: FilterParams,
}

/// An article to be read without network.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeptArticle {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its language.
    pub lang: Lang,
    /// Whether it is in force or archived.
    pub status: Status,
    /// All sections in force as clean HTML.
    pub html: String,
    /// Answer templates that belong to it.
    pub templates: Vec<String>,
}

/// A wording, filled in without values of the customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeptWording {
    /// Plain text.
    pub text: String,
    /// The same as clean HTML.
    pub html: String,
    /// What is missing: while there is anything, the text must not go out.
    pub missing: Vec<String>,
    /// The last day of which it is known that the text is the same; later it must not go out.
    #[schema(value_type = String, format = Date)]
    pub until: Date,
}

/// An answer template to be used without network.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeptTemplate {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Its language.
    pub lang: Lang,
    /// Its wordings by channel.
    pub channels: BTreeMap<&'static str, KeptWording>,
}

/// What a device keeps.
#[derive(Debug, Serialize, ToSchema)]
pub struct Bundle {
    /// The day the values in it are of.
    #[schema(value_type = String, format = Date)]
    pub as_of: Date,
    /// The region the values in it are of; none is every region.
    pub region: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub made_at: Timestamp,
    /// The articles asked for and those marked essential.
    pub articles: Vec<KeptArticle>,
    /// Their templates.
    pub templates: Vec<KeptTemplate>,
}

/// The articles named and all with the tag `essential`, with their wordings, for times without network.
#[utoipa::path(get, operation_id = "get_offline_bundle", path = "/api/v1/offline", tag = "content", params(OfflineParams, FilterParams), responses(
    (status = 200, description = "What to keep", body = Bundle),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<OfflineParams>,
) -> Result<Json<Bundle>, Problem> {
    let filter = params.filter.filter(&asker, state.app.clock.today())?;
    let asked = list(params.articles.as_deref());
    let templates = list(params.templates.as_deref());
    let made_at = state.app.clock.now();
    Ok(Json(state.run(move |snapshot| bundle(snapshot, asked, templates, &filter, made_at)).await?))
}

fn bundle(
    snapshot: &Snapshot,
    asked: Vec<String>,
    templates: Vec<String>,
    filter: &Filter,
    made_at: Timestamp,
) -> Result<Bundle, Problem> {
    let engine = &snapshot.engine;
    let essential = Filter { tags: vec![ESSENTIAL.to_owned()], ..filter.clone() };
    let mut ids: Vec<String> =
        engine.list(&essential).into_iter().map(|article| article.id.clone()).collect();
    ids.extend(asked);
    let mut seen = BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    let is_served = |id: &&String| engine.library.find(id).is_some_and(|(_, article)| filter.admits(article));
    let mut kept = Vec::new();
    let mut used: BTreeSet<String> = templates.into_iter().take(MAX_ARTICLES).collect();
    for id in ids.iter().filter(is_served).take(MAX_ARTICLES) {
        let view = articles::text(snapshot, id, filter)?;
        used.extend(view.templates.iter().cloned());
        kept.push(KeptArticle {
            id: view.id,
            title: view.title,
            lang: view.lang,
            status: view.status,
            html: view.html,
            templates: view.templates,
        });
    }
    let templates = used.iter().filter_map(|id| engine.templates.find(id));
    let templates = templates.filter(|template| template.in_force(filter.standpoint()));
    let templates = templates.map(|found| template(snapshot, found, filter)).collect();
    Ok(Bundle { as_of: filter.day, region: filter.region.clone(), made_at, articles: kept, templates })
}

fn template(snapshot: &Snapshot, template: &Template, filter: &Filter) -> KeptTemplate {
    let engine = &snapshot.engine;
    let fill = |channel: Channel, day: Date| {
        let catalog = Arc::clone(&engine.library.catalog);
        let (region, clearance) = (filter.region.clone(), filter.clearance.clone());
        let filling = Filling { catalog, day, region, clearance };
        engine.templates.fill(&template.id, channel, &BTreeMap::new(), &filling).ok()
    };
    let filled = template.bodies.iter().filter_map(|body| {
        let filled = fill(body.channel, filter.day)?;
        let later = LATER.iter().map_while(|days| {
            let day = filter.day.checked_add(days.days()).ok()?;
            fill(body.channel, day).filter(|later| later.text == filled.text).map(|_| day)
        });
        let until = later.last().unwrap_or(filter.day);
        let kept = KeptWording { text: filled.text, html: filled.html, missing: filled.missing, until };
        Some((body.channel.name(), kept))
    });
    KeptTemplate {
        id: template.id.clone(),
        title: template.title.clone(),
        lang: template.lang,
        channels: filled.collect(),
    }
}
