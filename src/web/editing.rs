//! The editor's desk: one's drafts, the files, the editor of a file, its history.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;

use crate::accounts::permissions::Permission;
use crate::api::freshness::{FreshArticle, overview, unopened};
use crate::api::history::{self, RevisionView};
use crate::api::reviews::{self, ReviewView, ReviewedFile};
use crate::api::sources::{self, SourceList};
use crate::app::diff::PieceKind;
use crate::content::article::Article;
use crate::content::files;
use crate::content::freshness::Trust;
use crate::content::front_matter::Status;
use crate::content::validity::{Clearance, Standpoint};
use crate::editing::drafts::Draft;
use crate::editing::history::{Revision, RevisionOrigin};
use crate::editing::publish::Publication;
use crate::editing::review::{Remark, Waiting};
use crate::http::asker::Asker;
use crate::http::extract::{Id, Query, given};
use crate::http::problem::Problem;
use crate::http::state::AppState;
use crate::web::words::Ui;
use crate::web::{Zoned, filters, private};

/// Files on a page, and revisions of a file.
const SHOWN: usize = 50;

/// What nobody opened for so many days may be archived.
const UNOPENED_DAYS: usize = 90;

/// Articles offered as a replacement of one that is archived.
const REPLACEMENTS: usize = 500;

/// Publications on a page.
const PUBLICATIONS: usize = 10;

/// Words that the editor's script shows begin so.
const WORDS: &str = "ed-";

/// The address of the article a file holds, if it holds one.
fn page_of(path: &str) -> Option<String> {
    let below = path.strip_prefix("articles/").filter(|below| files::is_markdown(below))?;
    Some(format!("/articles/{}", files::id_of(below)))
}

/// Which files.
#[derive(Debug, Default, Deserialize)]
pub struct DeskParams {
    q: Option<String>,
    draft: Option<String>,
    before: Option<String>,
}

#[derive(Template)]
#[template(path = "edit_desk.html")]
struct DeskPage {
    ui: Ui,
    zone: Zoned,
    text: String,
    /// The draft that a chosen file is added to.
    draft: Option<Draft>,
    drafts: Vec<Draft>,
    /// Drafts that somebody should look at.
    waiting: Vec<Waiting>,
    paths: Vec<String>,
    total: usize,
    publications: Vec<Publication>,
}

impl DeskPage {
    /// The publication after which the next page begins.
    fn next(&self) -> Option<&str> {
        self.publications
            .last()
            .filter(|_| self.publications.len() == PUBLICATIONS)
            .map(|last| last.id.as_str())
    }

    /// What an address of the editor says behind the file.
    fn tail(&self) -> String {
        self.draft.as_ref().map_or_else(String::new, |draft| format!("?draft={}", draft.id))
    }
}

/// The desk.
pub async fn desk(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<DeskParams>,
) -> Result<Response, Problem> {
    let text: String = params.q.unwrap_or_default().chars().take(200).collect();
    let SourceList { paths, total } = sources::some(&state, text.trim(), 0, SHOWN).await?;
    let person = asker.identity.person().unwrap_or_default();
    let draft = match given(params.draft.as_deref()) {
        Some(id) => Some(state.editing.draft(person, id).await?),
        None => None,
    };
    let page = DeskPage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        text,
        draft,
        drafts: state.editing.drafts(person).await?,
        waiting: state.editing.waiting().await?,
        paths,
        total,
        publications: state.editing.publications(given(params.before.as_deref()), PUBLICATIONS).await?,
    };
    Ok(private(page.render()))
}

/// Which draft a file belongs to.
#[derive(Debug, Default, Deserialize)]
pub struct EditorParams {
    draft: Option<String>,
}

#[derive(Template)]
#[template(path = "edit.html")]
struct EditorPage {
    ui: Ui,
    path: String,
    page: Option<String>,
    /// The form to archive it.
    archive: Option<String>,
    regions: Vec<String>,
    draft: String,
}

impl EditorPage {
    fn words(&self) -> String {
        self.ui.words_beginning(WORDS)
    }
}

/// The editor of a file, which need not be there yet.
pub async fn editor(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(path): Id,
    Query(params): Query<EditorParams>,
) -> Result<Response, Problem> {
    let path = sources::path_in(&path)?.to_string();
    let page = EditorPage {
        ui: Ui::of(&headers).with(&asker),
        archive: page_of(&path).map(|page| page.replacen("/articles/", "/archive/", 1)),
        page: page_of(&path),
        path,
        regions: state.snapshot()?.regions(&asker.identity.clearance),
        draft: params.draft.unwrap_or_default(),
    };
    Ok(private(page.render()))
}

/// Whose articles.
#[derive(Debug, Default, Deserialize)]
pub struct FreshnessParams {
    owner: Option<String>,
}

#[derive(Template)]
#[template(path = "freshness.html")]
struct FreshnessPage {
    ui: Ui,
    owner: String,
    owners: BTreeSet<String>,
    articles: Vec<FreshArticle>,
    total: usize,
    ending: Vec<FreshArticle>,
    unopened: Vec<FreshArticle>,
    total_unopened: usize,
}

impl FreshnessPage {
    fn body(&self, one: &FreshArticle) -> String {
        serde_json::json!({"article": one.id}).to_string()
    }
}

/// What should be verified, and what ends soon.
pub async fn freshness(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Query(params): Query<FreshnessParams>,
) -> Result<Response, Problem> {
    let day = state.app.clock.today();
    let owner = given(params.owner.as_deref()).unwrap_or_default().to_owned();
    let ui = Ui::of(&headers).with(&asker);
    let (openings, zone) = (state.openings.all().await?, state.settings.zone());
    let page = state.run(move |snapshot| {
        let of_owner = Some(owner.as_str()).filter(|owner| !owner.is_empty());
        let to_verify = [Trust::Never, Trust::Overdue, Trust::Due];
        let mut articles = overview(snapshot, day, &to_verify, of_owner, false);
        let mut ending = overview(snapshot, day, &[], of_owner, true);
        let mut unopened = unopened(snapshot, &openings, zone, day, UNOPENED_DAYS, of_owner);
        let (total, total_unopened) = (articles.len(), unopened.len());
        for list in [&mut articles, &mut ending, &mut unopened] {
            list.truncate(SHOWN);
        }
        let all = snapshot.engine.library.articles();
        let owners = all.filter_map(|(_, article)| article.matter.owner.clone()).collect();
        Ok(FreshnessPage { ui, owner, owners, articles, total, ending, unopened, total_unopened })
    });
    Ok(private(page.await?.render()))
}

#[derive(Template)]
#[template(path = "archive.html")]
struct ArchivePage {
    ui: Ui,
    id: String,
    title: String,
    tomorrow: Date,
    /// What may replace it: id and title.
    others: Vec<(String, String)>,
}

/// The form to archive an article.
pub async fn archive(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response, Problem> {
    let day = state.app.clock.today();
    let ui = Ui::of(&headers).with(&asker);
    let page = state.run(move |snapshot| {
        let library = &snapshot.engine.library;
        let (_, article) = library.find(&id).ok_or_else(|| Problem::not_found("article", &id))?;
        let at = Standpoint { clearance: &Clearance::Everything, ..Standpoint::public(day) };
        let title = |article: &Article| article.title_for(&library.catalog, at);
        let found = library.articles().map(|(_, other)| other);
        let others = found.filter(|other| {
            other.id != article.id && other.lang == article.lang && other.matter.status == Status::Active
        });
        // Those beside it are the likeliest.
        let folder = |id: &str| id.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
        let own = folder(&article.id);
        let mut others: Vec<(String, String)> =
            others.map(|other| (other.id.clone(), title(other))).collect();
        others.sort_by_cached_key(|(id, title)| (folder(id) != own, title.clone()));
        others.truncate(REPLACEMENTS);
        let title = title(article);
        Ok(ArchivePage { ui, title, id, tomorrow: day.saturating_add(1.days()), others })
    });
    Ok(private(page.await?.render()))
}

/// Which revision.
#[derive(Debug, Default, Deserialize)]
pub struct HistoryParams {
    at: Option<String>,
    before: Option<String>,
}

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage {
    ui: Ui,
    zone: Zoned,
    view: ReviewView,
    is_own: bool,
    may_approve: bool,
}

impl ReviewPage {
    /// What was said of a line.
    fn remarks<'a>(&'a self, path: &'a str, line: &'a u32) -> impl Iterator<Item = &'a Remark> {
        let of_line = move |remark: &&Remark| remark.path == path && remark.line == *line && *line > 0;
        self.view.review.remarks.iter().filter(of_line)
    }

    /// What was said of lines of a file that are not shown: they are as they were, or gone.
    fn remarks_beside<'a>(&'a self, file: &'a ReviewedFile) -> impl Iterator<Item = &'a Remark> {
        let is_shown =
            |remark: &Remark| remark.line > 0 && file.lines.iter().any(|line| line.number == remark.line);
        let of_file = self.view.review.remarks.iter().filter(|remark| remark.path == file.path);
        of_file.filter(move |remark| !is_shown(remark))
    }

    fn settling(&self, remark: &Remark) -> String {
        serde_json::json!({"settled": remark.settled_at.is_none()}).to_string()
    }

    /// What is published is what this page shows.
    fn publishing(&self) -> String {
        let files = &self.view.review.draft.files;
        let versions: BTreeMap<&str, i64> =
            files.iter().map(|file| (file.path.as_str(), file.version)).collect();
        serde_json::json!({"versions": versions}).to_string()
    }
}

/// A draft that others look at.
pub async fn review(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(id): Id,
) -> Result<Response, Problem> {
    let view = reviews::view(&state, &id).await?;
    let page = ReviewPage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        is_own: asker.identity.person() == Some(view.review.person.as_str()),
        may_approve: asker.may(Permission::Approve),
        view,
    };
    Ok(private(page.render()))
}

#[derive(Template)]
#[template(path = "edit_history.html")]
struct HistoryPage {
    ui: Ui,
    zone: Zoned,
    path: String,
    page: Option<String>,
    revisions: Vec<Revision>,
    shown: Option<RevisionView>,
    /// The revision after which the next page begins.
    next: Option<String>,
    is_newest: bool,
}

impl HistoryPage {
    fn is_shown(&self, id: &str) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.revision.id == id)
    }
}

/// The history of a file, with one revision open.
pub async fn history(
    State(state): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Id(path): Id,
    Query(params): Query<HistoryParams>,
) -> Result<Response, Problem> {
    let before = given(params.before.as_deref());
    let revisions = state.editing.history(&path, before, SHOWN).await?;
    if revisions.is_empty() && before.is_none() {
        return Err(Problem::not_found("history of a file", &path));
    }
    let id = given(params.at.as_deref()).map(str::to_owned).or_else(|| Some(revisions.first()?.id.clone()));
    let shown = match &id {
        Some(id) => Some(history::view(&state, id).await?),
        None => None,
    };
    let page = HistoryPage {
        ui: Ui::of(&headers).with(&asker),
        zone: Zoned::of(&state),
        page: page_of(&path),
        path,
        next: revisions.last().filter(|_| revisions.len() == SHOWN).map(|last| last.id.clone()),
        is_newest: before.is_none() && id.as_deref() == revisions.first().map(|first| first.id.as_str()),
        revisions,
        shown,
    };
    Ok(private(page.render()))
}
