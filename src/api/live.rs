//! Server-sent events: what changed, the moment it is served.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use crate::app::changes::Change;
use crate::app::running::LiveEvent;
use crate::http::asker::Asker;
use crate::http::state::AppState;

/// How long one connection is served: after it, who asks is looked at anew.
const LONGEST: Duration = Duration::from_secs(300);

/// Changes told one by one in an event; of more, only the number.
const MAX_TOLD: usize = 100;

#[derive(Serialize)]
struct Told {
    boot: String,
    generation: u64,
    day: jiff::civil::Date,
    total: usize,
    changes: Vec<Change>,
}

/// Tells clients what changed: events `hello` at once, `change` with generation and changes, `lost` when some were missed.
#[utoipa::path(get, operation_id = "follow_changes", path = "/api/v1/live", tag = "content", responses(
    (status = 200, description = "Events `hello`, `change` and `lost`", content_type = "text/event-stream"),
))]
pub async fn live(
    State(state): State<AppState>,
    asker: Asker,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let person = asker.identity.person().map(str::to_owned);
    let changes = BroadcastStream::new(state.app.subscribe());
    let generation = state.app.snapshot().map_or(0, |s| s.generation);
    let first = LiveEvent { generation, changes: Arc::from([]) };
    // Where all come back at one time, they do not come in one moment.
    let again = Duration::from_millis(fastrand::u64(1_000..5_000));
    let hello = told("hello", &first, &state, &asker).map(|event| event.retry(again));
    let teller = state.clone();
    let events = changes.filter_map(move |received| {
        ready(match received {
            Ok(event) => told("change", &event, &teller, &asker),
            Err(BroadcastStreamRecvError::Lagged(missed)) => {
                Some(Event::default().event("lost").data(format!("{{\"missed\":{missed}}}")))
            }
        })
    });
    let (mut stopping, changed) = (state.stopping.clone(), state.accounts.changed());
    let stop = async move {
        // An error means that the server is gone, which is as good. Whoever it was may be somebody else now, or nobody: the browser comes
        // back by itself, and is looked at anew.
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = until_changed(changed, person) => {}
            () = tokio::time::sleep(LONGEST) => {}
        }
    };
    let stream = stream::iter(hello).chain(events).map(Ok).take_until(Box::pin(stop));
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

/// Waits until a person may be somebody else: nobody who is heard for long keeps what he has lost.
async fn until_changed(mut changed: broadcast::Receiver<Option<Arc<str>>>, person: Option<String>) {
    loop {
        match changed.recv().await {
            Ok(Some(whose)) if person.as_deref() != Some(&*whose) => {}
            _ => return,
        }
    }
}

/// What somebody is told of an event; `None` when it concerns only what he may not know of.
fn told(name: &str, event: &LiveEvent, state: &AppState, asker: &Asker) -> Option<Event> {
    let (boot, day) = (format!("{:x}", state.boot), state.app.clock.today());
    let filter = asker.filter(day);
    let at = filter.standpoint().anywhere();
    // Without a snapshot nobody can say who may be told what.
    let snapshot = state.app.snapshot();
    let told =
        event.changes.iter().filter_map(|change| snapshot.as_ref()?.told(change, &change.what.audience, at));
    let mut changes: Vec<Change> = told.map(|change| change.in_short()).collect();
    let total = changes.len();
    if total == 0 && !event.changes.is_empty() {
        return None;
    }
    changes.truncate(MAX_TOLD);
    let told = Told { boot, day, generation: event.generation, total, changes };
    let data = serde_json::to_string(&told).unwrap_or_default();
    Some(Event::default().event(name).id(event.generation.to_string()).data(data))
}
