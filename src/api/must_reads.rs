//! Must-reads: what has to be read, what is new in it, and who has read it.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::accounts::failures::Tried;
use crate::accounts::members::Member;
use crate::accounts::permissions::Permission;
use crate::accounts::secrets;
use crate::api::articles;
use crate::api::reply::Json;
use crate::app::diff::{self, SectionChange};
use crate::content::article::{Article, ParsedArticle};
use crate::editing::path_of;
use crate::http::asker::Asker;
use crate::http::extract::{Body, Id, Query, Reader};
use crate::http::problem::{Code, FieldError, Problem, ProblemDetails};
use crate::http::state::AppState;
use crate::notices::{News, NoticeKind};
use crate::reading::{Acknowledgement, CheckQuestion, MustRead, NewMustRead, ReaderOf, ReadingError};
use crate::search::filter::Filter;

/// Something to be read by others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MustReadRequest {
    /// The article's id.
    #[schema(max_length = 500)]
    article: String,
    /// What is new, in a sentence.
    #[serde(default)]
    #[schema(max_length = 2000)]
    note: String,
    /// By whom: roles, teams, audiences; by everybody who may read the article, if none is named.
    #[serde(default)]
    audience: Vec<String>,
    /// In which regions; in all, if none is named.
    #[serde(default)]
    regions: Vec<String>,
    /// Until when, as 2026-12-31.
    #[schema(value_type = Option<String>, format = Date)]
    due: Option<Date>,
    /// A question that has to be answered.
    question: Option<CheckQuestion>,
    /// Whether a one-time code has to be given: that of the second factor, or one that is mailed.
    #[serde(default)]
    with_code: bool,
    /// The publication that made it new: what was different then is shown. The last change of the article, if none is named.
    publication: Option<String>,
}

/// What is asked.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AskedQuestion {
    /// The question.
    pub text: String,
    /// What may be answered.
    pub choices: Vec<String>,
}

/// What must be read.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MustReadView {
    /// Its id.
    pub id: String,
    /// The article's id.
    pub article: String,
    /// The article's title.
    pub title: String,
    /// What is new.
    pub note: String,
    /// By whom; empty: everybody.
    pub audience: Vec<String>,
    /// In which regions; empty: all.
    pub regions: Vec<String>,
    /// Until when.
    #[schema(value_type = Option<String>, format = Date)]
    pub due: Option<Date>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who says so.
    pub author_name: String,
    /// What has to be answered.
    pub question: Option<AskedQuestion>,
    /// Whether a one-time code has to be given.
    pub with_code: bool,
    /// Whether one has read it.
    pub acknowledged: bool,
    /// How many have to read it, where one may see that.
    pub wanted: Option<usize>,
    /// How many of them have.
    pub read: Option<usize>,
}

/// What must be read.
#[derive(Debug, Serialize, ToSchema)]
pub struct MustReadList {
    /// The newest first.
    pub must_reads: Vec<MustReadView>,
}

/// What must be read, and what is new in it for who asks.
#[derive(Debug, Serialize, ToSchema)]
pub struct MustReadChange {
    /// What it is.
    pub must_read: MustReadView,
    /// What is different from what one last acknowledged, or from before it was changed; only what one may read.
    pub sections: Vec<SectionChange>,
}

/// Which must-reads.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MustReadParams {
    /// true: all there are, with how many have read them, for editors and leads; else those one has to read oneself.
    #[param(value_type = Option<bool>)]
    all: Option<String>,
}

/// How one says that one has read something.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledging {
    /// The number of the choice, from 0, where a question is asked.
    answer: Option<usize>,
    /// The one-time code, where one is asked for.
    #[schema(max_length = 20)]
    code: Option<String>,
}

/// Who has to read something.
#[derive(Debug, Serialize, ToSchema)]
pub struct WantedReader {
    /// The person's id.
    pub person: String,
    /// What the person is called.
    pub name: String,
    /// The person's teams.
    pub teams: Vec<String>,
    /// When and how the person said so; none: not yet.
    pub acknowledgement: Option<Acknowledgement>,
}

/// Who has to read something, those who have not yet first.
#[derive(Debug, Serialize, ToSchema)]
pub struct WantedReaderList {
    /// The people.
    pub readers: Vec<WantedReader>,
}

impl From<ReadingError> for Problem {
    fn from(error: ReadingError) -> Self {
        let detail = error.to_string();
        match error {
            ReadingError::Store(error) => error.into(),
            ReadingError::NotFound => Self::new(Code::NotFound, detail),
            ReadingError::WrongAnswer => Self::new(Code::InvalidValue, detail),
            ReadingError::Invalid { name, why } => {
                Self::invalid(Code::InvalidBody, vec![FieldError { name: name.to_owned(), message: why }])
            }
        }
    }
}

/// Whether somebody has to read something: he is meant, and may read the article.
fn is_wanted(state: &AppState, one: &MustRead, member: &Member) -> Result<bool, Problem> {
    let reader = ReaderOf { audiences: &member.audiences, regions: &member.regions };
    let library = &state.snapshot()?.engine.library;
    Ok(member.permissions.contains(&Permission::Read)
        && one.concerns(&reader)
        && library.find(&one.what.article).is_some()
        && library.may_know(&one.what.article, &member.clearance()))
}

fn view_of(one: &MustRead, acknowledged: bool) -> MustReadView {
    let what = one.what.clone();
    MustReadView {
        id: one.id.clone(),
        article: what.article,
        title: what.title,
        note: what.note,
        audience: what.audience,
        regions: what.regions,
        due: what.due,
        at: one.at,
        author_name: one.author_name.clone(),
        question: what.question.map(|asked| AskedQuestion { text: asked.text, choices: asked.choices }),
        with_code: what.with_code,
        acknowledged,
        wanted: None,
        read: None,
    }
}

/// What somebody has to read, read or not, the newest first. Empty for who is nobody.
///
/// # Errors
/// The store cannot be read.
pub async fn of_asker(state: &AppState, asker: &Asker) -> Result<Vec<MustReadView>, Problem> {
    let active = state.reading.active();
    let Some(person) = asker.identity.person().filter(|_| !active.is_empty()) else { return Ok(Vec::new()) };
    let Some(member) = state.accounts.member(person).await? else { return Ok(Vec::new()) };
    let read = state.reading.read_by(person).await?;
    let mut views = Vec::new();
    for one in active.iter() {
        if is_wanted(state, one, &member)? {
            views.push(view_of(one, read.iter().any(|(id, ..)| *id == one.id)));
        }
    }
    Ok(views)
}

/// All there is, with how many have read it.
///
/// # Errors
/// The store cannot be read.
pub async fn overview(state: &AppState) -> Result<Vec<MustReadView>, Problem> {
    let members = state.accounts.members_of_all().await?;
    let mut views = Vec::new();
    for one in state.reading.active().iter() {
        let readers = state.reading.readers(&one.id).await?;
        let mut view = view_of(one, false);
        let (mut wanted, mut read) = (0, 0);
        for member in &members {
            if is_wanted(state, one, member)? {
                wanted += 1;
                read += usize::from(readers.contains_key(&member.id));
            }
        }
        (view.wanted, view.read) = (Some(wanted), Some(read));
        views.push(view);
    }
    Ok(views)
}

/// Something that who asks has to read, or that he may look after.
///
/// # Errors
/// There is none.
pub async fn change(state: &AppState, asker: &Asker, id: &str) -> Result<MustReadChange, Problem> {
    let one = state.reading.find(id)?;
    let own = of_asker(state, asker).await?.into_iter().find(|view| view.id == id);
    let looks_after = asker.may(Permission::Edit) || asker.may(Permission::SeePeople);
    let library_admits = {
        let snapshot = state.snapshot()?;
        snapshot.engine.library.may_know(&one.what.article, &asker.identity.clearance)
    };
    let view = own.or_else(|| (looks_after && library_admits).then(|| view_of(&one, false)));
    let Some(must_read) = view else { return Err(ReadingError::NotFound.into()) };
    // What he last acknowledged of this article before, or else what it held before the change.
    let read = match asker.identity.person() {
        Some(person) => state.reading.read_by(person).await?,
        None => Vec::new(),
    };
    let last = read.into_iter().rfind(|(of, article, _)| of != id && *article == one.what.article);
    let before = last.map(|(_, _, text)| text).or_else(|| one.what.before.clone());
    let before = state.editing.text_of(before.as_deref()).await?;
    let after = state.editing.text_of(Some(&one.what.after)).await?.unwrap_or_default();
    let filter = asker.filter(state.app.clock.today());
    let article = one.what.article.clone();
    let sections = state.run(move |snapshot| {
        let library = &snapshot.engine.library;
        let Some((_, now)) = library.find(&article) else { return Ok(Vec::new()) };
        let parse =
            |text: &str| Article::parse_in(&library.folders.of(&now.path), "articles", &now.path, text).0;
        let (Some(before), Some(after)) = (before.as_deref().and_then(parse), parse(&after)) else {
            return Ok(Vec::new());
        };
        Ok(readable(&before, &after, now, snapshot, &filter))
    });
    Ok(MustReadChange { must_read, sections: sections.await? })
}

/// What is different between two texts of an article, as far as somebody may read it: as it was, as it became, and as it is now.
fn readable(
    before: &ParsedArticle,
    after: &ParsedArticle,
    now: &Article,
    snapshot: &crate::app::snapshot::Snapshot,
    filter: &Filter,
) -> Vec<SectionChange> {
    let at = filter.standpoint();
    let catalog = &snapshot.engine.library.catalog;
    let sides = [(&before.article, before.body.as_str()), (&after.article, after.body.as_str())];
    let admits = |audience: &Vec<String>| at.clearance.admits(audience);
    if !sides.iter().all(|(article, _)| admits(&article.validity().audience)) {
        return Vec::new();
    }
    let mut sections = diff::articles(sides[0], sides[1], catalog, filter.day);
    sections.retain(|part| {
        let section = now.section_at(&part.anchor).and_then(|at| now.sections.get(at));
        let own = section.and_then(|section| section.validity.as_ref());
        part.audiences.iter().all(admits) && own.is_none_or(|own| admits(&own.audience))
    });
    sections
}

/// What one has to read; or all there is, for who looks after it.
#[utoipa::path(get, operation_id = "list_must_reads", path = "/api/v1/must-reads", tag = "reading", params(MustReadParams), responses(
    (status = 200, description = "What must be read", body = MustReadList),
))]
pub async fn list(
    State(state): State<AppState>,
    asker: Asker,
    Query(params): Query<MustReadParams>,
) -> Result<Json<MustReadList>, Problem> {
    let mut reader = Reader::default();
    let all = reader.flag("all", params.all.as_deref());
    reader.finish(Code::InvalidParameter)?;
    if !all {
        return Ok(Json(MustReadList { must_reads: of_asker(&state, &asker).await? }));
    }
    Ok(Json(MustReadList { must_reads: looked_after(&state, &asker).await? }))
}

/// All there is, for who may look after it: editors all, leads what they may read themselves.
///
/// # Errors
/// It is not permitted.
pub async fn looked_after(state: &AppState, asker: &Asker) -> Result<Vec<MustReadView>, Problem> {
    if !asker.may(Permission::Edit) && !asker.may(Permission::SeePeople) {
        return Err(Problem::new(Code::Forbidden, "editors and leads see what others have to read"));
    }
    let mut views = overview(state).await?;
    let snapshot = state.snapshot()?;
    views.retain(|view| snapshot.engine.library.may_know(&view.article, &asker.identity.clearance));
    Ok(views)
}

/// Says that something must be read. Whoever has to is told.
#[utoipa::path(post, operation_id = "add_must_read", path = "/api/v1/must-reads", tag = "reading", request_body = MustReadRequest, responses(
    (status = 201, description = "It must be read", body = MustReadView),
))]
pub async fn add(
    State(state): State<AppState>,
    asker: Asker,
    Body(new): Body<MustReadRequest>,
) -> Result<(StatusCode, Json<MustReadView>), Problem> {
    let (filter, id) = (asker.filter(state.app.clock.today()), new.article.clone());
    let found = state.run(move |snapshot| {
        let view = articles::text(snapshot, &id, &filter)?;
        Ok((view.title, view.source_path))
    });
    let (title, path) = found.await?;
    let path = path_of(path.trim_start_matches('/'))?;
    let (after, _) = state.editing.source(&path).await?;
    let revisions = state.editing.history(path.as_str(), None, 200).await?;
    let made = match &new.publication {
        Some(publication) => {
            let of = |revision: &&crate::editing::history::Revision| {
                revision.publication.as_ref() == Some(publication)
            };
            Some(revisions.iter().find(of).ok_or_else(|| Problem::not_found("publication", publication))?)
        }
        None => revisions.first(),
    };
    let before = match made {
        Some(made) => state.editing.revision_before(made).await?.and_then(|before| before.digest),
        None => None,
    };
    let what = NewMustRead {
        article: new.article,
        title,
        note: new.note,
        audience: new.audience,
        regions: new.regions,
        before,
        after,
        due: new.due,
        question: new.question,
        with_code: new.with_code,
    };
    let (actor, now) = (asker.actor(), state.app.clock.now());
    let one = state.reading.add((asker.identity.person(), &actor.name), &what, now).await?;
    state.accounts.note(&actor, "must-read.added", Some(&one.id), &one.what.article, now).await?;
    let mut people = Vec::new();
    for member in state.accounts.members_of_all().await? {
        if is_wanted(&state, &one, &member)? {
            people.push(member.id);
        }
    }
    let (kind, link) = (NoticeKind::MustRead, format!("/must-read/{}", one.id));
    state.tell(&people, &News { kind, title: &one.what.title, link: &link, once: None }).await;
    Ok((StatusCode::CREATED, Json(view_of(&one, false))))
}

/// What must be read, and what is new in it.
#[utoipa::path(get, operation_id = "get_must_read", path = "/api/v1/must-reads/{id}", tag = "reading",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, description = "What is new", body = MustReadChange),
))]
pub async fn get(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<Json<MustReadChange>, Problem> {
    Ok(Json(change(&state, &asker, &id).await?))
}

/// Says that something has to be read no more.
#[utoipa::path(delete, operation_id = "remove_must_read", path = "/api/v1/must-reads/{id}", tag = "reading",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 204, description = "It has to be read no more"),
))]
pub async fn remove(State(state): State<AppState>, asker: Asker, Id(id): Id) -> Result<StatusCode, Problem> {
    let now = state.app.clock.now();
    state.reading.withdraw(&id, now).await?;
    state.accounts.note(&asker.actor(), "must-read.removed", Some(&id), "", now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says that one has read something.
#[utoipa::path(post, operation_id = "acknowledge", path = "/api/v1/must-reads/{id}/acknowledgement", tag = "reading",
    params(("id" = String, Path, description = "Its id")), request_body = Acknowledging, responses(
    (status = 204, description = "Noted"),
    (status = 422, description = "The answer is wrong", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn acknowledge(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
    Body(acknowledging): Body<Acknowledging>,
) -> Result<StatusCode, Problem> {
    let (person, _) = asker.person()?;
    let now = state.app.clock.now();
    let own = of_asker(&state, &asker).await?.into_iter().find(|view| view.id == id);
    let Some(own) = own else { return Err(ReadingError::NotFound.into()) };
    if own.with_code && !own.acknowledged {
        let code = acknowledging.code.as_deref().map(str::trim).unwrap_or_default();
        let is_right = if state.accounts.person(person).await?.has_second_factor {
            state.accounts.prove_by_code(person, code, now).await?
        } else {
            let counted = state.accounts.try_once(&Tried::code(person), now).await?;
            let is_right = state.reading.use_code(&id, person, &secrets::digest(code), now).await?;
            if is_right {
                state.accounts.forgive(&counted).await?;
            }
            is_right
        };
        if !is_right {
            return Err(Problem::new(Code::WrongSecret, "the code is wrong, or good no more"));
        }
    }
    state.reading.acknowledge(&id, person, acknowledging.answer, now).await?;
    state.notices.see_page(person, &format!("/must-read/{id}"), now).await?;
    state.accounts.note(&asker.actor(), "must-read.acknowledged", Some(&id), &own.article, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mails a one-time code by which one signs, where one has no second factor.
#[utoipa::path(post, operation_id = "send_reading_code", path = "/api/v1/must-reads/{id}/code", tag = "reading",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 204, description = "Mailed"),
    (status = 409, description = "No mail can be sent, or the code is that of the second factor", body = ProblemDetails, content_type = "application/problem+json"),
))]
pub async fn send_code(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    let (person, _) = asker.person()?;
    let own = of_asker(&state, &asker).await?.into_iter().find(|view| view.id == id && view.with_code);
    let Some(own) = own else { return Err(ReadingError::NotFound.into()) };
    let conflict = |why: &str| Problem::new(Code::Conflict, why);
    let (account, now) = (state.accounts.person(person).await?, state.app.clock.now());
    if account.has_second_factor {
        return Err(conflict("give the code of your second factor"));
    }
    let (Some(mail), Some(email)) = (state.accounts.mail(), &account.email) else {
        return Err(conflict("no mail can be sent to you: set up a second factor, and give its code"));
    };
    state.accounts.try_once(&Tried::mail(person), now).await?;
    let code = secrets::digits()?;
    state.reading.keep_code(&id, person, &secrets::digest(&code), now).await?;
    let text = format!(
        "{title}\n\nКод, чтобы подтвердить прочтение (15 минут): {code}\n\nThe code that confirms that you have read it (15 minutes): {code}\n",
        title = own.title
    );
    mail.send(email, "Pharos: код / code", &text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who has to read something, those who have not yet first.
#[utoipa::path(get, operation_id = "list_readers", path = "/api/v1/must-reads/{id}/readers", tag = "reading",
    params(("id" = String, Path, description = "Its id")), responses(
    (status = 200, description = "Readers", body = WantedReaderList),
))]
pub async fn readers(
    State(state): State<AppState>,
    asker: Asker,
    Id(id): Id,
) -> Result<Json<WantedReaderList>, Problem> {
    Ok(Json(WantedReaderList { readers: wanted(&state, &asker, &id).await? }))
}

/// Who has to read something, those who have not yet first.
///
/// # Errors
/// There is none that who asks may read himself.
pub async fn wanted(state: &AppState, asker: &Asker, id: &str) -> Result<Vec<WantedReader>, Problem> {
    let one = state.reading.find(id)?;
    if !state.snapshot()?.engine.library.may_know(&one.what.article, &asker.identity.clearance) {
        return Err(ReadingError::NotFound.into());
    }
    let mut acknowledged = state.reading.readers(id).await?;
    let mut readers: BTreeMap<(bool, String, String), WantedReader> = BTreeMap::new();
    for member in state.accounts.members_of_all().await? {
        if !is_wanted(state, &one, &member)? {
            continue;
        }
        let acknowledgement = acknowledged.remove(&member.id);
        let place = (acknowledgement.is_some(), member.name.clone(), member.id.clone());
        let Member { id, name, teams, .. } = member;
        readers.insert(place, WantedReader { person: id, name, teams, acknowledgement });
    }
    Ok(readers.into_values().collect())
}
