//! Guided flows.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::articles;
use crate::api::parameters::FilterParams;
use crate::api::reply::Json;
use crate::app::snapshot::Snapshot;
use crate::content::catalog::Lang;
use crate::content::flow::{self, Choice};
use crate::content::markdown::{self, Reading};
use crate::content::validity::Validity;
use crate::http::asker::Asker;
use crate::http::extract::{Id, Query};
use crate::http::problem::{Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::search::filter::Filter;

/// A choice at a step.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChoiceView {
    /// What the operator picks.
    pub label: String,
    /// What is said beside it.
    pub note: String,
    /// The flow it leads to: this one or another.
    pub flow: String,
    /// The step it leads to; empty for the start of another flow.
    pub step: String,
}

/// A step.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepView {
    /// Its name.
    pub step: String,
    /// The question, or what to do.
    pub heading: String,
    /// The explanation as clean HTML, the list of choices included.
    pub html: String,
    /// The explanation without the list of choices.
    pub text_html: String,
    /// Where it may lead.
    pub choices: Vec<ChoiceView>,
    /// Whether the flow ends here.
    pub is_end: bool,
    /// Where and when it is in force.
    pub validity: Validity,
}

/// A guided flow.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowView {
    /// The article's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its language.
    pub lang: Lang,
    /// The first step.
    pub start: String,
    /// The steps in force.
    pub steps: Vec<StepView>,
}

/// A guided flow, step by step.
#[utoipa::path(get, operation_id = "get_flow", path = "/api/v1/flows/{id}", tag = "flows",
    params(("id" = String, Path, description = "The id of the flow's article; it may hold slashes"), FilterParams), responses(
    (status = 200, description = "The flow", body = FlowView),
    (status = 404, description = "No such flow", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Query(params): Query<FilterParams>,
) -> Result<Json<FlowView>, Problem> {
    let filter = params.filter(&asker, state.app.clock.today())?;
    Ok(Json(state.run(move |snapshot| view(snapshot, &id, &filter)).await?))
}

/// A flow as readers see it; the page uses it as well.
///
/// # Errors
/// There is no such flow, or it is not in force.
pub fn view(snapshot: &Snapshot, id: &str, filter: &Filter) -> Result<FlowView, Problem> {
    let library = &snapshot.engine.library;
    let at = filter.standpoint();
    let found = library.find_in_force(id, at).and_then(|a| Some((a, a.matter.flow.as_ref()?)));
    // A flow whose first step is not for the reader is none.
    let found = found
        .filter(|(a, start)| a.section_at(&start.text).is_none_or(|start| a.section_in_force(start, at)));
    let (article, start) = found.ok_or_else(|| Problem::not_found("flow", id))?;
    let view = articles::text(snapshot, id, filter)?;
    let body = snapshot.engine.reader.source(id)?.unwrap_or_default();
    let choices = flow::choices(article, &body);
    let reading = Reading { catalog: &library.catalog, lang: article.lang, at, library: Some(library) };
    let texts = flow::without_choices(article, &body);
    let mut texts = markdown::render_sections(&texts, &article.sections, &article.path, reading);
    let expand = |text: &str| library.catalog.expand(text, article.lang, at);
    let steps = view.sections.into_iter().filter(|s| !s.anchor.is_empty()).filter_map(|section| {
        let number = article.section_at(&section.anchor)?;
        let is_open = |choice: &&Choice| {
            let to = library.find_in_force(&choice.article, at);
            to.is_some_and(|to| {
                let step = to.section_at(&choice.step);
                choice.step.is_empty() || step.is_some_and(|step| to.section_in_force(step, at))
            })
        };
        let choices = choices[number].iter().filter(is_open).map(|choice| ChoiceView {
            label: expand(&choice.label),
            note: expand(&choice.note),
            flow: choice.article.clone(),
            step: choice.step.clone(),
        });
        Some(StepView {
            step: section.anchor,
            heading: section.heading,
            html: section.html,
            text_html: std::mem::take(&mut texts[number]),
            choices: choices.collect(),
            is_end: article.sections[number].end,
            validity: section.validity,
        })
    });
    let steps = steps.collect();
    Ok(FlowView {
        id: id.to_owned(),
        title: view.title,
        lang: article.lang,
        start: start.text.to_string(),
        steps,
    })
}
