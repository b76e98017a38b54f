//! Imports: what is sent in pieces, shown with what would be lost, and written once its sender agrees.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::reply::Json;
use crate::app::imports::{ImportError, ImportView, ImportWish};
use crate::http::asker::Asker;
use crate::http::extract::{Body, Bytes, Id, Query, Reader};
use crate::http::problem::{Code, FieldError, Problem, ProblemDetails};
use crate::http::state::AppState;

/// What is to be imported.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewImport {
    /// The name of the file, with its ending: a ZIP archive, or one document.
    #[schema(max_length = 200)]
    name: String,
    /// Its bytes.
    size: u64,
    /// The folder below the articles it goes into, as `support/wiki`.
    #[schema(max_length = 500)]
    into: String,
    /// Which kind it is: confluence, zendesk, mediawiki, markdown, docx, html, table; without it, what its files tell.
    #[serde(default)]
    format: String,
    /// Whether every article becomes a draft, which readers do not get.
    #[serde(default)]
    draft: bool,
}

/// Imports.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportList {
    /// One's own, the newest first.
    pub imports: Vec<ImportView>,
}

/// Where a piece belongs.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PieceParams {
    /// The byte of the file at which the piece begins: as many as were sent before.
    #[param(value_type = u64)]
    at: Option<String>,
}

impl From<ImportError> for Problem {
    fn from(error: ImportError) -> Self {
        let detail = error.to_string();
        match error {
            ImportError::NotFound => Self::new(Code::NotFound, detail),
            ImportError::Invalid(name, message) => {
                Self::invalid(Code::InvalidBody, vec![FieldError { name: name.to_owned(), message }])
            }
            ImportError::Refused(_) => Self::new(Code::Conflict, detail),
            ImportError::TooMany => Self::new(Code::TooManyRequests, detail),
            ImportError::Disk(_) => {
                tracing::error!(%error, "an import cannot be kept");
                Self::new(Code::Internal, detail)
            }
        }
    }
}

/// Lists one's imports of the last two hours.
#[utoipa::path(get, operation_id = "list_imports", path = "/api/v1/imports", tag = "editing", responses(
    (status = 200, description = "Imports", body = ImportList),
))]
pub async fn list(State(state): State<AppState>, asker: Asker) -> Result<Json<ImportList>, Problem> {
    Ok(Json(ImportList { imports: state.imports.list(asker.somebody()?) }))
}

/// Begins an import. Its file is sent next, in pieces.
#[utoipa::path(post, operation_id = "add_import", path = "/api/v1/imports", tag = "editing", request_body = NewImport, responses(
    (status = 201, description = "Begun", body = ImportView),
    (status = 429, description = "There are too many", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn add(
    State(state): State<AppState>,
    asker: Asker,
    Body(new): Body<NewImport>,
) -> Result<(StatusCode, Json<ImportView>), Problem> {
    let NewImport { name, size, into, format, draft } = new;
    let wish = ImportWish { name, size, into, format, draft };
    let view = state.imports.begin(asker.somebody()?, wish, state.app.clock.now())?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// Sends a piece of the file. With the last one the import is read, and shown when its state is `waiting`.
#[utoipa::path(put, operation_id = "send_import", path = "/api/v1/imports/{id}/content", tag = "editing",
    params(("id" = String, Path, description = "The import's id"), PieceParams),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 200, description = "Taken", body = ImportView),
    (status = 404, description = "No such import of one's own", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 409, description = "It does not follow what was sent", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn send(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Query(params): Query<PieceParams>,
    Bytes(bytes): Bytes,
) -> Result<Json<ImportView>, Problem> {
    let mut reader = Reader::default();
    let at = reader.number("at", params.at.as_deref(), 0, usize::MAX);
    reader.finish(Code::InvalidParameter)?;
    let now = state.app.clock.now();
    Ok(Json(state.imports.take(asker.somebody()?, &id, at as u64, bytes, now).await?))
}

/// An import: how far it is, what is not carried, what becomes of which article.
#[utoipa::path(get, operation_id = "get_import", path = "/api/v1/imports/{id}", tag = "editing",
    params(("id" = String, Path, description = "The import's id")), responses(
    (status = 200, description = "The import", body = ImportView),
    (status = 404, description = "No such import of one's own", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<Json<ImportView>, Problem> {
    Ok(Json(state.imports.get(asker.somebody()?, &id)?))
}

/// Writes what was read.
#[utoipa::path(post, operation_id = "write_import", path = "/api/v1/imports/{id}/write", tag = "editing",
    params(("id" = String, Path, description = "The import's id")), responses(
    (status = 200, description = "It is being written", body = ImportView),
    (status = 404, description = "No such import of one's own", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 409, description = "It is not as far, or others must approve", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn write(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<Json<ImportView>, Problem> {
    let now = state.app.clock.now();
    Ok(Json(state.imports.write(asker.somebody()?, &id, asker.actor(), now).await?))
}

/// Forgets an import. What was written stays.
#[utoipa::path(delete, operation_id = "remove_import", path = "/api/v1/imports/{id}", tag = "editing",
    params(("id" = String, Path, description = "The import's id")), responses(
    (status = 204, description = "Forgotten"),
    (status = 404, description = "No such import of one's own", body = ProblemDetails, content_type = "application/problem+json"),
    (status = 409, description = "It is being read or written", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn remove(State(state): State<AppState>, asker: Asker, Id(id): Id) -> Result<StatusCode, Problem> {
    state.imports.forget(asker.somebody()?, &id)?;
    Ok(StatusCode::NO_CONTENT)
}
