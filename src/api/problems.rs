//! What is wrong with the content, as `pharos check` says it.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::reply::Json;
use crate::content::problem::Problem as ContentProblem;
use crate::http::problem::{Problem, ProblemDetails};
use crate::http::state::AppState;

/// The problems of the content.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemList {
    /// By file and line.
    pub problems: Vec<ContentProblem>,
    /// How many are errors.
    pub errors: usize,
    /// How many are warnings.
    pub warnings: usize,
}

/// Lists what is wrong with the content.
#[utoipa::path(get, operation_id = "list_problems", path = "/api/v1/problems", tag = "content", responses(
    (status = 200, description = "Problems", body = ProblemList),
    (status = 503, description = "The content is being loaded", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(State(state): State<AppState>) -> Result<Json<ProblemList>, Problem> {
    let reply = state.run(|snapshot| {
        let (errors, warnings) = snapshot.problem_counts();
        Ok(ProblemList { problems: snapshot.problems().to_vec(), errors, warnings })
    });
    Ok(Json(reply.await?))
}
