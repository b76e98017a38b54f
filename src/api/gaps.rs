//! Gaps: what readers looked for and did not find.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::accounts::permissions::Permission;
use crate::api::reply::Json;
use crate::api::search::MAX_QUERY_CHARS;
use crate::content::catalog::Lang;
use crate::http::asker::Asker;
use crate::http::extract::{Body, Query, Reader};
use crate::http::problem::{Code, FieldError, Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::learning::gaps::{Gap, Report};

/// The longest note, in characters.
const MAX_NOTE_CHARS: usize = 500;

/// The longest name of a region, in characters.
const MAX_REGION_CHARS: usize = 100;

/// What was not found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GapReport {
    /// What was searched for.
    #[schema(max_length = 1000)]
    query: String,
    /// What the reader says about it. Nothing about the customer belongs here.
    #[schema(max_length = 500)]
    note: Option<String>,
    /// The region it was searched in.
    #[schema(max_length = 100)]
    region: Option<String>,
    /// The language of the reader's pages.
    lang: Option<Lang>,
}

/// Gaps.
#[derive(Debug, Serialize, ToSchema)]
pub struct GapList {
    /// Those told last first.
    pub gaps: Vec<Gap>,
    /// How many there are.
    pub total: usize,
}

/// Tells the editors what was not found.
#[utoipa::path(post, operation_id = "tell_gap", path = "/api/v1/gaps", tag = "content", request_body = GapReport, responses(
    (status = 201, description = "The gap, with how often it was told", body = Gap),
    (status = 400, description = "The body is wrong", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 503, description = "The store does not answer", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn tell(
    State(state): State<AppState>,
    asker: Asker,
    Body(report): Body<GapReport>,
) -> Result<(StatusCode, Json<Gap>), Problem> {
    let text = |value: Option<String>| value.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
    let (query, note, region) = (report.query.trim().to_owned(), text(report.note), text(report.region));
    let mut errors = Vec::new();
    let lengths = [
        ("query", Some(&query), 1, MAX_QUERY_CHARS),
        ("note", note.as_ref(), 0, MAX_NOTE_CHARS),
        ("region", region.as_ref(), 0, MAX_REGION_CHARS),
    ];
    for (name, value, least, most) in lengths {
        let length = value.map_or(least, |value| value.chars().count());
        if length < least || length > most {
            let message = format!("must have {least} to {most} characters");
            errors.push(FieldError { name: name.to_owned(), message });
        }
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(Code::InvalidBody, errors));
    }
    let report = Report { query, note, region, lang: report.lang, at: state.app.clock.now() };
    let gap = state.gaps.tell(&report).await?;
    let mut gap = gap.ok_or_else(|| Problem::new(Code::Internal, "the gap is not there"))?;
    if !asker.may(Permission::SeeGaps) {
        // What others wrote is for those who read gaps.
        gap.notes = report.note.into_iter().collect();
        gap.regions = report.region.into_iter().collect();
    }
    Ok((StatusCode::CREATED, Json(gap)))
}

/// How many.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct GapParams {
    /// Gaps to return, 100 by default.
    #[param(value_type = Option<u32>, maximum = 1000)]
    limit: Option<String>,
}

/// Lists what was not found, for editors; what was told last comes first.
#[utoipa::path(get, operation_id = "list_gaps", path = "/api/v1/gaps", tag = "content", params(GapParams), responses(
    (status = 200, description = "Gaps", body = GapList),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 503, description = "The store does not answer", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    Query(params): Query<GapParams>,
) -> Result<Json<GapList>, Problem> {
    let mut reader = Reader::default();
    let limit = reader.number("limit", params.limit.as_deref(), 100, 1_000);
    reader.finish(Code::InvalidParameter)?;
    let mut gaps = state.gaps.all().await?;
    let total = gaps.len();
    gaps.truncate(limit);
    Ok(Json(GapList { total, gaps }))
}
