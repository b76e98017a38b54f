//! What is new since a moment: what changed in articles, templates and products, section by section, grouped by product.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::api::changes::read_moment;
use crate::app::changes::{Asked, Change, Changed, Happened, Subject};
use crate::app::diff::PieceKind;
use crate::app::snapshot::Snapshot;
use crate::content::markdown::encode_path;
use crate::content::validity::Standpoint;
use crate::http::asker::Asker;
use crate::http::extract::{Query, given, list};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::web::html;
use crate::web::words::Ui;

/// The most changes on a page; whoever was away longer reads what is in force.
const MAX_SHOWN: usize = 200;

/// How far back it goes when nothing is asked.
const USUAL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Which changes.
#[derive(Debug, Default, Deserialize)]
pub struct NewParams {
    /// Those at or after this moment or day; the last week by default.
    since: Option<String>,
    /// Those about these products.
    product: Option<String>,
}

struct Shown {
    change: Arc<Change>,
    when: String,
    /// Where it can be read; none when it is gone.
    href: Option<String>,
    /// The article a product is described in: whoever uses that uses the product.
    article: String,
}

struct Group {
    title: String,
    changes: Vec<Shown>,
}

struct Span {
    key: &'static str,
    href: String,
}

#[derive(Template)]
#[template(path = "changes.html")]
struct NewPage {
    ui: Ui,
    since: String,
    groups: Vec<Group>,
    spans: Vec<Span>,
    total: usize,
    shown: usize,
    /// From when on what is new next time is new.
    now: Timestamp,
}

impl NewPage {
    fn word(change: Happened) -> &'static str {
        match change {
            Happened::Added => "changes-added",
            Happened::Changed => "changes-changed",
            Happened::Removed => "changes-removed",
        }
    }

    fn kind(subject: Subject) -> &'static str {
        Subject::NAMES.iter().find(|(_, known)| *known == subject).map_or("", |(name, _)| name)
    }

    fn is(kind: PieceKind, name: &str) -> bool {
        match kind {
            PieceKind::Same => name == "same",
            PieceKind::Added => name == "added",
            PieceKind::Removed => name == "removed",
            PieceKind::Skipped => name == "skipped",
        }
    }
}

/// The page.
pub async fn page(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<NewParams>,
) -> Result<Response, Problem> {
    let (ui, zone, now) = (Ui::of(&headers).with(&asker), state.settings.zone(), state.app.clock.now());
    let before = |ago: SignedDuration| now.checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH);
    let since = match given(params.since.as_deref()) {
        Some(text) => read_moment("since", text, zone.clone())?,
        None => before(USUAL),
    };
    let asked = Asked { since: Some(since), products: list(params.product.as_deref()), subjects: Vec::new() };
    let snapshot = state.snapshot()?;
    let filter = asker.filter(state.app.clock.today());
    let at = filter.standpoint().anywhere();
    let is_served = |what: &Changed| snapshot.serves(what, at);
    let (changes, total) =
        state.app.changes.find(&asked, MAX_SHOWN, |change, newest| snapshot.told(change, newest, at));
    let written = |moment: Timestamp| {
        let moment = moment.to_zoned_datetime(zone.clone());
        format!("{} {}", ui.day(&moment.date()), moment.strftime("%H:%M"))
    };
    let spans =
        [("changes-day", 24), ("changes-week", 7 * 24), ("changes-month", 30 * 24)].map(|(key, hours)| {
            let day = before(SignedDuration::from_hours(hours)).to_zoned_datetime(zone.clone()).date();
            Span { key, href: format!("/new?since={day}") }
        });
    let shown = changes.len();
    let mut groups: Vec<Group> = Vec::new();
    for change in changes {
        let (when, href, article) = (
            written(change.at),
            href(&change).filter(|_| is_served(&change.what)),
            article_of(&change, &snapshot, at),
        );
        let title = group_of(&change, &snapshot, ui, at);
        let one = Shown { change, when, href, article };
        match groups.iter_mut().find(|group| group.title == title) {
            Some(group) => group.changes.push(one),
            None => groups.push(Group { title, changes: vec![one] }),
        }
    }
    let page = NewPage { ui, since: written(since), groups, spans: spans.into(), total, shown, now };
    Ok(html(page.render()))
}

fn href(change: &Change) -> Option<String> {
    let id = encode_path(&change.what.id);
    match (change.what.change, change.what.subject) {
        (Happened::Removed, _) => None,
        (_, Subject::Article) => Some(format!("/articles/{id}")),
        (_, Subject::Template) => Some(format!("/?wording={id}")),
        (_, Subject::Product) => Some(format!("/compare?products={id}")),
    }
}

fn article_of(change: &Change, snapshot: &Snapshot, at: Standpoint<'_>) -> String {
    let product = snapshot.engine.library.catalog.product(&change.what.id);
    let product = product.filter(|_| change.what.subject == Subject::Product);
    let article = product.and_then(|product| product.article.clone());
    article.filter(|id| snapshot.engine.library.may_know(id, at.clearance)).unwrap_or_default()
}

/// The product a change is about; the families of many products stand together by their first one.
fn group_of(change: &Change, snapshot: &Snapshot, ui: Ui, at: Standpoint<'_>) -> String {
    let catalog = &snapshot.engine.library.catalog;
    let told = |id: &String| catalog.product(id).filter(|product| product.is_known_to(at.clearance));
    let product = change.what.products.iter().find_map(told);
    product.map_or_else(|| ui.t("changes-other").to_owned(), |product| product.title.get(ui.lang).to_owned())
}
