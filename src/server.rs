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
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::accounts::Accounts;
use crate::accounts::audit::Actor;
use crate::accounts::permissions::Permission;
use crate::api;
use crate::api::reviews::must_be_approved;
use crate::api::{digest, notices};
use crate::app::changes::Changes;
use crate::app::running::{App, Options};
use crate::database::{Database, Place};
use crate::editing::drafts::Due;
use crate::editing::{EditError, Editing};
use crate::http::asker::identify;
use crate::http::layers::{ErrorPage, observe};
use crate::http::problem::{Code, Problem};
use crate::http::routes::Rule;
use crate::http::state::AppState;
use crate::notices::{News, NoticeKind};
use crate::reading::Reading;
use crate::settings::{Settings, WithoutAccounts};
use crate::web;

/// How often what has expired is removed.
const TIDY_EVERY: Duration = Duration::from_secs(15 * 60);

/// How often it is looked whether something should be published.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);

/// How often a publication is tried that git does not take, before it is left out.
const MAX_COMMIT_TRIES: usize = 30;

/// How often it is kept when articles were opened.
const KEEP_OPENINGS_EVERY: Duration = Duration::from_secs(60);

/// How often it is looked whether it is time for mail.
const DIGEST_EVERY: Duration = Duration::from_secs(30);

/// How often it is looked whether a feed changed or is due.
const FEED_EVERY: Duration = Duration::from_millis(100);

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
    let options = Options::of(&settings);
    let folders = [options.folders.articles.clone(), options.folders.templates.clone()];
    let app = App::start(options, changes);
    let editing = Editing::open(database.clone(), folders, app.remote(), settings.git).await?;
    let (stop, stopping) = watch::channel(false);
    let reading = Reading::open(database.clone()).await?;
    let state =
        AppState::new(Arc::clone(&app), database.clone(), accounts, editing, reading, settings, stopping);
    let openings = Arc::clone(&state.openings);
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
    tokio::spawn(keep_history(state.clone()));
    tokio::spawn(publish_in_time(state.clone()));
    tokio::spawn(tell_in_time(state.clone()));
    tokio::spawn(mail_digests(state.clone()));
    tokio::spawn(run_feeds(state.clone()));
    tokio::spawn(commit_publications(state.clone()));
    tokio::spawn(keep_openings(state.clone()));
    let ending = async move {
        wait_for_signal().await;
        tracing::info!("stopping: open requests are finished first");
        let _ = stop.send(true);
    };
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(ending).await?;
    app.stop();
    app.changes.finish().await;
    if let Err(error) = openings.keep(app.clock.today()).await {
        tracing::warn!(%error, "when articles were opened lately is lost");
    }
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
        if let Err(error) = state.notices.tidy(now).await {
            tracing::warn!(%error, "old notices could not be removed");
        }
        state.imports.tidy(now);
        state.accounts.limits().tidy();
        tokio::time::sleep(TIDY_EVERY).await;
    }
}

/// Notes in history what changes on disk, as long as the application runs.
pub async fn keep_history(state: AppState) {
    let mut live = state.app.subscribe();
    loop {
        if let Some(snapshot) = state.app.snapshot() {
            let files = snapshot.files();
            drop(snapshot);
            if let Err(error) = state.editing.look(files, state.app.clock.now()).await {
                tracing::warn!(%error, "what changed on disk is not in history yet");
            }
        }
        match live.recv().await {
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// Publishes drafts when their time has come, as long as the application runs.
pub async fn publish_in_time(state: AppState) {
    loop {
        if let Err(error) = publish_due(&state).await {
            tracing::warn!(%error, "what should be published now will be tried again");
        }
        tokio::time::sleep(PUBLISH_EVERY).await;
    }
}

/// Tells programs what they asked to be told, again and again until they answer, as long as the application runs.
pub async fn tell_in_time(state: AppState) {
    loop {
        match state.notices.deliver(state.app.clock.now()).await {
            // There may be more.
            Ok(tried) if tried > 0 => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "programs could not be told"),
        }
        tokio::time::sleep(PUBLISH_EVERY).await;
    }
}

/// Mails once a day what nobody saw, and tells owners what should be verified, as long as the application runs.
pub async fn mail_digests(state: AppState) {
    let mut last = None;
    loop {
        let now = state.app.clock.now().to_zoned_datetime(state.settings.zone());
        if now.time() >= state.settings.digest_time()
            && last != Some(now.date())
            && state.app.snapshot().is_some()
        {
            match digest::send(&state, now.date()).await {
                Ok(()) => last = Some(now.date()),
                Err(error) => tracing::warn!(%error, "what should be mailed will be tried again"),
            }
        }
        tokio::time::sleep(DIGEST_EVERY).await;
    }
}

/// Runs feeds when they are due or changed, each by itself, as long as the application runs.
pub async fn run_feeds(state: AppState) {
    if let Err(error) = state.feeding.clear_what_was_left().await {
        tracing::warn!(%error, "runs of feeds that were broken off are still under way in the store");
    }
    let names: Vec<String> = state.feeding.feeds().iter().map(|feed| feed.name.clone()).collect();
    let follow = |name: String| {
        let state = state.clone();
        async move {
            loop {
                if let Err(error) = state.feeding.run_if_due(&name).await {
                    tracing::warn!(%error, feed = name, "the feed will be tried again");
                    tokio::time::sleep(PUBLISH_EVERY).await;
                }
                tokio::time::sleep(FEED_EVERY).await;
            }
        }
    };
    futures_util::future::join_all(names.into_iter().map(follow)).await;
}

/// Commits what is published, as long as the application runs, where content lies in a git work tree.
pub async fn commit_publications(state: AppState) {
    let Some(tree) = state.editing.work_tree() else { return };
    tracing::info!(tree = %tree.root().display(), "publications become commits");
    let (mut last, mut tries) = (String::new(), 0);
    loop {
        match commit_all(&state, tries >= MAX_COMMIT_TRIES).await {
            Ok(()) => (last, tries) = (String::new(), 0),
            Err(error) => {
                let told = error.to_string();
                if told != last {
                    tracing::warn!(
                        error = told,
                        "what is published is not committed yet, and will be tried again"
                    );
                    tries = 0;
                }
                let is_final = matches!(&error, EditError::Git(error) if !error.is_busy());
                tries += usize::from(is_final);
                last = told;
            }
        }
        tokio::time::sleep(PUBLISH_EVERY).await;
    }
}

/// Commits what is published; with `passes_over`, the first that git does not take is left out, so that the others need not wait for ever.
async fn commit_all(state: &AppState, mut passes_over: bool) -> Result<(), EditError> {
    let now = state.app.clock.now();
    for publication in state.editing.uncommitted(now).await? {
        // Of a person who was erased, the name is all that is left.
        let mail = match publication.author.as_deref() {
            Some(id) => state.accounts.person(id).await.ok().and_then(|person| person.email),
            None => None,
        };
        match state.editing.commit(&publication, mail.as_deref().unwrap_or("nobody@localhost"), now).await {
            Ok(_) => {}
            Err(error) if passes_over => {
                tracing::error!(%error, publication = publication.id, "git does not take it: it is left out");
                state.editing.pass_over(&publication, now).await?;
                passes_over = false;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Keeps now and then when articles were opened, as long as the application runs.
pub async fn keep_openings(state: AppState) {
    loop {
        if let Err(error) = state.openings.keep(state.app.clock.today()).await {
            tracing::warn!(%error, "when articles were opened will be kept later");
        }
        tokio::time::sleep(KEEP_OPENINGS_EVERY).await;
    }
}

async fn publish_due(state: &AppState) -> anyhow::Result<()> {
    // A server that waits for another one to end does nothing in its place.
    if state.app.snapshot().is_none() {
        return Ok(());
    }
    let now = state.app.clock.now();
    for due in state.editing.due(now).await? {
        // Who was locked since, or edits no more, publishes nothing.
        let refusal = if state.accounts.may(&due.1, Permission::Edit).await? {
            not_approved(state, &due).await?
        } else {
            Some("its author may not publish any more".to_owned())
        };
        let Some(done) = state.editing.publish_due(&due, refusal, now).await? else { continue };
        let Due { author, title, outcome } = done;
        let actor = Actor { id: author.id, name: author.name, address: String::new() };
        let (action, subject, details) = match outcome {
            Ok(published) => ("content.published", published.id, title),
            Err(error) => ("content.not-published", None, format!("{title}: {error}")),
        };
        state.accounts.note(&actor, action, subject.as_deref(), &details, now).await?;
        match subject {
            Some(id) => notices::tell_published(state, &id, &details).await,
            None => {
                let (kind, link) = (NoticeKind::NotPublished, "/edit");
                state.tell(&[due.1], &News { kind, title: &details, link, once: None }).await;
            }
        }
    }
    Ok(())
}

/// Why a draft may not go live though its time has come: nobody approved it.
async fn not_approved(state: &AppState, (id, person): &(String, String)) -> anyhow::Result<Option<String>> {
    let edits = match state.editing.draft(person, id).await {
        Ok(draft) => draft.edits()?,
        Err(EditError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match must_be_approved(state, &edits, Some(id)).await {
        Ok(()) => Ok(None),
        Err(problem) if problem.code == Code::ApprovalNeeded => {
            let of = problem.errors.iter().map(|error| format!("{}: {}", error.name, error.message));
            Ok(Some(of.collect::<Vec<_>>().join("; ")))
        }
        Err(problem) => anyhow::bail!("{}", problem.detail),
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
