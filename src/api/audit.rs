//! The audit log.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::accounts::audit::{Entry, Sought};
use crate::api::changes::read_moment;
use crate::api::reply::Json;
use crate::http::asker::Asker;
use crate::http::extract::{Query, Reader, given};
use crate::http::problem::{Code, Problem, ProblemDetails};
use crate::http::state::AppState;

/// The most entries in an export.
const MAX_EXPORTED: usize = 1_000_000;

/// Which entries.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditParams {
    /// Done by this person.
    actor: Option<String>,
    /// Of this action, or of all that begin so.
    action: Option<String>,
    /// Done to this.
    subject: Option<String>,
    /// With this text in names, details or addresses.
    q: Option<String>,
    /// At or after this moment or day.
    since: Option<String>,
    /// Before this moment or day.
    until: Option<String>,
    /// Older than this entry: for the next page.
    before: Option<String>,
    /// Entries to return, 100 by default.
    #[param(value_type = Option<u32>, maximum = 1000)]
    limit: Option<String>,
    /// `lines`: all of them, as a JSON object a line.
    format: Option<String>,
}

impl AuditParams {
    /// What stands in the fields of a form: text, action, since, until.
    pub fn texts(&self) -> [String; 4] {
        [&self.q, &self.action, &self.since, &self.until].map(|text| text.clone().unwrap_or_default())
    }

    /// What is sought, and whether it is to be exported.
    ///
    /// # Errors
    /// A parameter is wrong.
    pub fn read(self, state: &AppState) -> Result<(Sought, bool), Problem> {
        let mut reader = Reader::default();
        let limit = reader.number("limit", self.limit.as_deref(), 100, 1_000);
        let is_export = reader.choice("format", self.format.as_deref(), &[("lines", true), ("json", false)]);
        reader.finish(Code::InvalidParameter)?;
        let is_export = is_export.unwrap_or_default();
        let moment = |name: &str, text: &Option<String>| {
            given(text.as_deref()).map(|text| read_moment(name, text, state.settings.zone())).transpose()
        };
        let (since, until) = (moment("since", &self.since)?, moment("until", &self.until)?);
        let text = |text: Option<String>| given(text.as_deref()).map(str::to_owned);
        let sought = Sought {
            actor: text(self.actor),
            action: text(self.action),
            subject: text(self.subject),
            text: text(self.q),
            since,
            until,
            before: text(self.before),
            limit: if is_export { MAX_EXPORTED } else { limit },
        };
        Ok((sought, is_export))
    }
}

/// Entries.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditList {
    /// The newest first.
    pub entries: Vec<Entry>,
}

/// Lists who did what, when, from where; the newest first.
#[utoipa::path(get, operation_id = "list_audit", path = "/api/v1/audit", tag = "people", params(AuditParams), responses(
    (status = 200, description = "Entries", body = AuditList),
    (status = 400, description = "A parameter is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn list(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<AuditParams>,
) -> Result<Response, Problem> {
    let (sought, is_export) = params.read(&state)?;
    let entries = state.accounts.audit(&sought).await?;
    if !is_export {
        return Ok(Json(AuditList { entries }).into_response());
    }
    state.accounts.note(&asker.actor(), "audit.exported", None, "", state.app.clock.now()).await?;
    let mut lines = String::new();
    for entry in &entries {
        lines.push_str(&serde_json::to_string(entry).map_err(|error| Problem::internal(&error))?);
        lines.push('\n');
    }
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""),
    ];
    Ok((headers, lines).into_response())
}
