//! Whether the process lives and serves, and its metrics.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::reply::Json;
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
    /// Articles served.
    pub articles: usize,
    /// Answer templates served.
    pub templates: usize,
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
pub async fn ready(State(state): State<AppState>) -> Result<Json<Readiness>, Problem> {
    let snapshot = state.snapshot()?;
    let engine = &snapshot.engine;
    Ok(Json(Readiness {
        status: "ready",
        generation: snapshot.generation,
        articles: engine.library.articles().count(),
        templates: engine.templates.served().count(),
    }))
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
