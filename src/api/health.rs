//! Whether the process lives and serves, and its metrics.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::permissions::Permission;
use crate::api::reply::Json;
use crate::database::Place;
use crate::http::asker::Asker;
use crate::http::metrics::handle;
use crate::http::problem::{Problem, ProblemDetails};
use crate::http::state::AppState;

/// The process lives.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: &'static str,
    /// The program's version.
    pub version: &'static str,
}

/// What is served.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// Always `ready`; until then the reply is 503.
    pub status: &'static str,
    /// Grows with every change.
    pub generation: u64,
    /// Articles served; only for who may see how the server is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub articles: Option<usize>,
    /// Answer templates served; only for who may see how the server is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub templates: Option<usize>,
}

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Whole {
    /// The program's version.
    pub version: &'static str,
    /// Seconds since it was started.
    pub up_seconds: u64,
    /// Grows with every change of the content.
    pub generation: u64,
    /// Articles served.
    pub articles: usize,
    /// Answer templates served.
    pub templates: usize,
    /// Errors in the content.
    pub content_errors: usize,
    /// Warnings about the content.
    pub content_warnings: usize,
    /// Sections in the index, and the segments they stand in.
    pub index_sections: u64,
    /// Segments of the index.
    pub index_segments: usize,
    /// Bytes of the index on disk.
    pub index_bytes: u64,
    /// Why changes of the files are noticed late, if they are.
    pub watch_fault: Option<String>,
    /// Which store it is.
    pub store: String,
    /// Microseconds the store took to answer.
    pub store_took_us: u64,
    /// Why the content cannot be loaded, if so.
    pub failure: Option<String>,
    /// Free bytes where the store or the index is kept; none where the system does not tell.
    pub free_bytes: Option<u64>,
}

/// Whether the process lives.
#[utoipa::path(get, operation_id = "is_live", path = "/health/live", tag = "health", responses((status = 200, description = "It does", body = Health)))]
pub async fn live() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Whether the content is served.
#[utoipa::path(get, operation_id = "is_ready", path = "/health/ready", tag = "health", responses(
    (status = 200, description = "It is", body = Readiness),
    (status = 503, description = "Not yet", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn ready(State(state): State<AppState>, asker: Asker) -> Result<Json<Readiness>, Problem> {
    let snapshot = state.snapshot()?;
    let engine = &snapshot.engine;
    let is_told = asker.may(Permission::SeeHealth);
    Ok(Json(Readiness {
        status: "ready",
        generation: snapshot.generation,
        articles: is_told.then(|| engine.library.articles().count()),
        templates: is_told.then(|| engine.templates.served().count()),
    }))
}

/// How the server is: content, index, store, disk.
#[utoipa::path(get, operation_id = "get_health", path = "/api/v1/health", tag = "health", responses(
    (status = 200, description = "How it is", body = Whole),
))]
pub async fn whole(State(state): State<AppState>) -> Result<Json<Whole>, Problem> {
    Ok(Json(view(&state).await?))
}

/// How the server is; the page uses it as well.
///
/// # Errors
/// The content is not loaded, or the store does not answer.
pub async fn view(state: &AppState) -> Result<Whole, Problem> {
    let asked = Instant::now();
    state.accounts.ping().await?;
    let store_took_us = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
    let settings = Arc::clone(&state.settings);
    let place = Place::named(&settings.database, &settings.data).shown();
    let (failure, up_seconds) = (state.app.failure(), state.started.elapsed().as_secs());
    state
        .run(move |snapshot| {
            let engine = &snapshot.engine;
            let (content_errors, content_warnings) = snapshot.problem_counts();
            let files = walkdir::WalkDir::new(&settings.index).into_iter().flatten();
            let sizes = files.filter_map(|file| file.metadata().ok()).filter(std::fs::Metadata::is_file);
            Ok(Whole {
                version: env!("CARGO_PKG_VERSION"),
                up_seconds,
                generation: snapshot.generation,
                articles: engine.library.articles().count(),
                templates: engine.templates.served().count(),
                content_errors,
                content_warnings,
                index_sections: engine.reader.size().0,
                index_segments: engine.reader.searcher.segment_readers().len(),
                index_bytes: sizes.map(|metadata| metadata.len()).sum(),
                watch_fault: snapshot.watch_fault().map(str::to_owned),
                store: place,
                store_took_us,
                failure,
                free_bytes: fs4::available_space(&settings.index).ok(),
            })
        })
        .await
}

/// Metrics in the text format of Prometheus.
#[utoipa::path(get, operation_id = "metrics", path = "/metrics", tag = "health", responses(
    (status = 200, description = "Metrics", content_type = "text/plain"),
))]
pub async fn metrics(State(state): State<AppState>) -> Response {
    if let Some(snapshot) = state.app.snapshot() {
        let engine = &snapshot.engine;
        gauge("pharos_generation", snapshot.generation);
        gauge("pharos_articles", engine.library.articles().count() as u64);
        gauge("pharos_templates", engine.templates.served().count() as u64);
        gauge("pharos_index_documents", engine.reader.searcher.num_docs());
        gauge("pharos_index_segments", engine.reader.searcher.segment_readers().len() as u64);
    }
    let text = handle().map(metrics_exporter_prometheus::PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

fn gauge(name: &'static str, value: u64) {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    metrics::gauge!(name).set(value as f64);
}
