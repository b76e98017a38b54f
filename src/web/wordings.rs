//! The wordings of an article: its answer templates, ready to be filled in and copied.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::answers::template::{Channel, Template as AnswerTemplate, Variable, VariableType};
use crate::api::parameters::FilterParams;
use crate::api::search::check_length;
use crate::app::snapshot::Snapshot;
use crate::content::catalog::Lang;
use crate::http::asker::Asker;
use crate::http::extract::Query;
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::search::filter::Filter;
use crate::web::words::Ui;
use crate::web::{filters, html};

/// Whose wordings.
#[derive(Debug, Default, Deserialize)]
pub struct WordingParams {
    /// Those of this article.
    article: Option<String>,
    /// This template alone.
    template: Option<String>,
    /// What was searched for: wordings that answer it go first.
    q: Option<String>,
    #[serde(flatten)]
    filter: FilterParams,
}

struct Wording {
    id: String,
    title: String,
    lang: Lang,
    channels: Vec<Channel>,
    fields: Vec<Field>,
}

/// A variable as a form asks for it.
struct Field {
    variable: Variable,
    input: &'static str,
    /// Values and what they are called.
    choices: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "wordings.html")]
struct Wordings {
    ui: Ui,
    article: String,
    title: String,
    wordings: Vec<Wording>,
}

/// The wordings of an article, or one of them, to be put into the desk.
pub async fn part(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<WordingParams>,
) -> Result<Response, Problem> {
    let filter = params.filter.filter(&asker, state.app.clock.today())?;
    let ui = Ui::of(&headers).with(&asker);
    check_length(params.q.as_deref().unwrap_or_default())?;
    let page = state.run(move |snapshot| wordings(snapshot, ui, &params, &filter)).await?;
    Ok(html(page.render()))
}

fn wordings(
    snapshot: &Snapshot,
    ui: Ui,
    params: &WordingParams,
    filter: &Filter,
) -> Result<Wordings, Problem> {
    let engine = &snapshot.engine;
    let usable = |id: &str| {
        let found = engine.templates.find(id);
        found.filter(|t| t.in_force(filter.standpoint()))
    };
    let article = params.article.clone().unwrap_or_default();
    if let Some(id) = &params.template {
        let template = usable(id).ok_or_else(|| Problem::not_found("template", id))?;
        return Ok(Wordings { ui, article, title: String::new(), wordings: vec![wording(template, ui)] });
    }
    let found = engine.library.find_in_force(&article, filter.standpoint());
    let found = found.ok_or_else(|| Problem::not_found("article", &article))?;
    let title = found.title_for(&engine.library.catalog, filter.standpoint());
    let ids = engine.templates_of(Some(&article), params.q.as_deref().unwrap_or_default(), filter);
    let wordings = ids.iter().filter_map(|id| usable(id)).map(|t| wording(t, ui)).collect();
    Ok(Wordings { ui, article, title, wordings })
}

fn wording(template: &AnswerTemplate, ui: Ui) -> Wording {
    Wording {
        id: template.id.clone(),
        title: template.title.clone(),
        lang: template.lang,
        channels: template.bodies.iter().map(|body| body.channel).collect(),
        fields: template.variables.iter().map(|variable| field(variable, ui)).collect(),
    }
}

fn field(variable: &Variable, ui: Ui) -> Field {
    let choices = match variable.kind {
        VariableType::YesNo => ["yes", "no"].map(|value| (value.to_owned(), ui.t(value).to_owned())).to_vec(),
        _ => variable.choices.iter().map(|choice| (choice.clone(), choice.clone())).collect(),
    };
    let input = match variable.kind {
        VariableType::Date => "date",
        VariableType::Phone => "tel",
        _ => "text",
    };
    Field { variable: variable.clone(), input, choices }
}
