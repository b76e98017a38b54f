//! The HTTP server: all routes and layers, from bind to a quiet end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::accounts::Accounts;
use crate::api;
use crate::app::changes::Changes;
use crate::app::running::{App, Options};
use crate::database::{Database, Place};
use crate::http::asker::identify;
use crate::http::layers::{ErrorPage, observe};
use crate::http::problem::{Code, Problem};
use crate::http::routes::Rule;
use crate::http::state::AppState;
use crate::settings::{Settings, WithoutAccounts};
use crate::web;

/// How often what has expired is removed.
const TIDY_EVERY: Duration = Duration::from_secs(15 * 60);

/// All routes with all layers.
pub fn router(state: AppState) -> Router {
    served(state).0
}

/// All routes with all layers, and the rules of who may ask for which.
pub fn served(state: AppState) -> (Router, Vec<Rule>) {
    // Counted from the first request on.
    let _ = crate::http::metrics::handle();
    let error_page: ErrorPage = web::error::page;
    let compressed = DefaultPredicate::new().and(NotForContentType::new("text/event-stream"));
    let (routes, rules) = api::routes(&state).merge(web::routes()).into_parts();
    let router = routes
        .fallback(|uri: axum::http::Uri| async move {
            Problem::new(Code::NotFound, format!("nothing is served at {}", uri.path())).into_response()
        })
        .layer(DefaultBodyLimit::max(state.settings.max_body_bytes))
        .layer(from_fn_with_state(state.clone(), identify))
        .layer(from_fn_with_state((state.clone(), error_page), observe))
        .layer(
            CompressionLayer::new().quality(tower_http::CompressionLevel::Fastest).compress_when(compressed),
        )
        .with_state(state);
    (router, rules)
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
    let accounts = Accounts::open(database.clone(), &settings).await?;
    must_be_guarded(&accounts, &settings)?;
    let changes = Changes::open(database.clone()).await?;
    let address = listener.local_addr()?;
    told(address);
    let app = App::start(Options::of(&settings), changes);
    let (stop, stopping) = watch::channel(false);
    let state = AppState::new(Arc::clone(&app), database.clone(), accounts, settings, stopping);
    if state.accounts.is_open() {
        let (url, is_here) = (&state.settings.public_url, state.settings.without_accounts);
        // A server for this machine alone is asked by no other name.
        let is_public = !url.is_empty() && is_here == WithoutAccounts::AnyoneMayRead;
        let url = if is_public { url.clone() } else { format!("http://{address}") };
        tracing::warn!(
            "nobody has an account: whoever reaches this server reads what is for everybody. Make the first administrator at \
             {url}/setup#{} or by `pharos people add NAME --role administrator`",
            state.setup_code
        );
    }
    tokio::spawn(tidy(state.clone()));
    let ending = async move {
        wait_for_signal().await;
        tracing::info!("stopping: open requests are finished first");
        let _ = stop.send(true);
    };
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(ending).await?;
    app.stop();
    app.changes.finish().await;
    database.close().await;
    Ok(())
}

/// Refuses to be at addresses that other machines reach as long as nobody has an account, unless settings say so.
fn must_be_guarded(accounts: &Accounts, settings: &Settings) -> anyhow::Result<()> {
    let is_loopback = settings.listen.ip().is_loopback();
    if accounts.is_open() && !is_loopback && settings.without_accounts == WithoutAccounts::LoopbackOnly {
        anyhow::bail!(
            "nobody has an account, and at {} other machines could read everything that is for everybody. Add an administrator \
             (`pharos people add NAME --role administrator`), or say without_accounts = \"anyone-may-read\" in pharos.toml",
            settings.listen
        );
    }
    if !accounts.is_open()
        && !is_loopback
        && !settings.plain_http
        && !settings.public_url.starts_with("https://")
    {
        tracing::warn!(
            "browsers keep people signed in over TLS only: put a proxy with TLS before this server and say \
             public_url = \"https://…\", or say plain_http = true"
        );
    }
    Ok(())
}

/// Removes what has expired, again and again.
async fn tidy(state: AppState) {
    loop {
        let now = state.app.clock.now();
        if let Err(error) = state.accounts.tidy(now).await {
            tracing::warn!(%error, "what has expired could not be removed");
        }
        if let Err(error) = state.gaps.forget(now, state.settings.gap_days).await {
            tracing::warn!(%error, "old gaps could not be removed");
        }
        state.accounts.limits().tidy();
        tokio::time::sleep(TIDY_EVERY).await;
    }
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
