//! What changed lately.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::reply::Json;
use crate::app::changes::{Asked, Change, Subject};
use crate::content::yaml::parse_date;
use crate::http::asker::Asker;
use crate::http::extract::{Query, Reader, given, list as parted};
use crate::http::problem::{Code, FieldError, Problem, ProblemDetails};
use crate::http::state::AppState;

/// Which changes.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangeParams {
    /// Changes at or after this moment: 2026-12-31T23:59:59Z, or a day.
    since: Option<String>,
    /// Those about one of these products, parted by commas.
    product: Option<String>,
    /// Those of these, parted by commas: article, template, product.
    subject: Option<String>,
    /// Changes to return, 100 by default.
    #[param(value_type = Option<u32>, maximum = 1000)]
    limit: Option<String>,
}

/// Changes, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeList {
    /// The changes.
    #[schema(value_type = Vec<Change>)]
    pub changes: Vec<Arc<Change>>,
    /// How many there are in all since then.
    pub total: usize,
    /// What is served now.
    pub generation: u64,
}

/// Lists what changed since a moment, with what is different section by section. The last 5,000 changes are kept.
#[utoipa::path(get, operation_id = "list_changes", path = "/api/v1/changes", tag = "content", params(ChangeParams), responses(
    (status = 200, description = "Changes", body = ChangeList),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<ChangeParams>,
) -> Result<Json<ChangeList>, Problem> {
    let mut reader = Reader::default();
    let limit = reader.number("limit", params.limit.as_deref(), 100, 1_000);
    let subjects = reader.choices("subject", params.subject.as_deref(), Subject::NAMES);
    reader.finish(Code::InvalidParameter)?;
    let since = given(params.since.as_deref())
        .map(|text| read_moment("since", text, state.settings.zone()))
        .transpose()?;
    let snapshot = state.snapshot()?;
    let generation = snapshot.generation;
    let filter = asker.filter(state.app.clock.today());
    let asked = Asked { since, products: parted(params.product.as_deref()), subjects };
    let (changes, total) = state
        .app
        .changes
        .find(&asked, limit, |change, newest| snapshot.told(change, newest, filter.standpoint().anywhere()));
    Ok(Json(ChangeList { changes, total, generation }))
}

/// A moment, or the beginning of a day, as a parameter has it.
///
/// # Errors
/// It is neither.
pub fn read_moment(name: &str, text: &str, zone: TimeZone) -> Result<Timestamp, Problem> {
    let moment = match parse_date(text) {
        Ok(day) => day.to_zoned_datetime(zone).map(|start| start.timestamp()).ok(),
        Err(_) => text.parse::<Timestamp>().ok(),
    };
    moment.ok_or_else(|| {
        let message = format!("`{text}` is neither a moment (2026-12-31T23:59:59Z) nor a day (2026-12-31)");
        Problem::invalid(Code::InvalidParameter, vec![FieldError { name: name.to_owned(), message }])
    })
}
