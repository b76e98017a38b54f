//! The HTTP server: all routes and layers, from bind to a quiet end.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::api;
use crate::app::changes::Changes;
use crate::app::running::{App, Options};
use crate::database::{Database, Place};
use crate::http::layers::{ErrorPage, observe};
use crate::http::problem::{Code, Problem};
use crate::http::state::AppState;
use crate::settings::Settings;
use crate::web;

/// All routes with all layers.
pub fn router(state: AppState) -> Router {
    // Counted from the first request on.
    let _ = crate::http::metrics::handle();
    let error_page: ErrorPage = web::error::page;
    let compressed = DefaultPredicate::new().and(NotForContentType::new("text/event-stream"));
    Router::new()
        .merge(api::routes(&state))
        .merge(web::routes())
        .fallback(|uri: axum::http::Uri| async move {
            Problem::new(Code::NotFound, format!("nothing is served at {}", uri.path())).into_response()
        })
        .layer(DefaultBodyLimit::max(state.settings.max_body_bytes))
        .layer(from_fn_with_state((state.clone(), error_page), observe))
        .layer(
            CompressionLayer::new().quality(tower_http::CompressionLevel::Fastest).compress_when(compressed),
        )
        .with_state(state)
}

/// Serves until the process is told to stop (Ctrl-C or SIGTERM). `told` is called with the address once it is bound.
///
/// # Errors
/// The address cannot be bound.
pub async fn serve(settings: Settings, told: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    let listen = settings.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen at {listen}; is another server there? Name another with --listen")
    })?;
    let database = Database::open(&Place::named(&settings.database, &settings.data)).await?;
    let changes = Changes::open(database.clone()).await?;
    told(listener.local_addr()?);
    let app = App::start(Options::of(&settings), changes);
    let (stop, stopping) = watch::channel(false);
    let state = AppState::new(Arc::clone(&app), database.clone(), settings, stopping);
    let ending = async move {
        wait_for_signal().await;
        tracing::info!("stopping: open requests are finished first");
        let _ = stop.send(true);
    };
    axum::serve(listener, router(state)).with_graceful_shutdown(ending).await?;
    app.stop();
    app.changes.finish().await;
    database.close().await;
    Ok(())
}

async fn wait_for_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
