//! Feeds at work: read, compared with what is served, published, or held until a person decides.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::accounts::audit::Actor;
use crate::accounts::permissions::Permission;
use crate::accounts::{AccountError, Accounts};
use crate::answers::templates::Templates;
use crate::app::running::App;
use crate::app::snapshot::Snapshot;
use crate::content::catalog::{Catalog, Family, ParsedFamilies, parse_family};
use crate::content::files::Folder;
use crate::content::folders::Approval;
use crate::content::library::Library;
use crate::database::{Database, StoreError};
use crate::editing::publish::Edit;
use crate::editing::{Author, EditError, Editing, path_of};
use crate::feeds::plan::{FeedChangeKind, Plan, plan};
use crate::feeds::rewrite::rewrite;
use crate::feeds::runs::{
    Decider, FeedRun, FeedRunView, KEPT_CHANGES, KEPT_PROBLEMS, RunDetails, RunFile, RunState, RunSummary,
    RunUses, Runs,
};
use crate::feeds::source::{self, Fetched, Look};
use crate::feeds::validate::validate;
use crate::feeds::{FeedProblem, mapping, read, schedule};
use crate::settings::FeedSettings;

/// How often a run is begun anew because somebody changed the catalogue meanwhile.
const MAX_MEETINGS: usize = 3;

/// How long a run waits until readers get what it published.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a feed could not be run or decided on.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// There is no such feed or run.
    #[error("there is no {0} with this name")]
    NotFound(&'static str),
    /// The content is not loaded yet.
    #[error("the content is being loaded")]
    Loading,
    /// The run does not wait for anybody.
    #[error("{0}")]
    Refused(String),
    /// Who asks may not decide on it.
    #[error("{0}")]
    Forbidden(String),
    /// The files could not be read or written.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// People could not be asked for, or the audit log not be written.
    #[error(transparent)]
    Accounts(#[from] AccountError),
}

/// Who decides on a run.
#[derive(Clone, Debug)]
pub struct Deciding {
    /// Who it is.
    pub actor: Actor,
    /// Whether he has the permission to approve.
    pub may_approve: bool,
}

/// A family as feeds see it: its files, those of which products are looked up.
#[derive(Clone, Debug)]
pub struct FamilyFiles {
    files: Vec<(String, [u8; 32], Arc<Family>)>,
    /// Products of other families, and where they are.
    others: Arc<HashMap<String, String>>,
}

impl FamilyFiles {
    /// The files of a family in a catalogue.
    ///
    /// # Errors
    /// There is no such family.
    pub fn of(catalog: &Catalog, folder: &str, family: &str) -> Result<Self, FeedProblem> {
        // Products of a file that cannot be read would all be new ones.
        let unread =
            catalog.files().iter().find(|(_, file)| file.family.is_none() && file.synonyms.is_none());
        if let Some((path, _)) = unread {
            return Err(FeedProblem::whole(
                format!("{folder}/{path} cannot be read, and may hold products of this feed"),
                "mend that file; the problems tell what is wrong with it",
            ));
        }
        let of_family = catalog.files().iter().filter_map(|(path, file)| {
            let own = file.family.as_ref().filter(|own| own.id == family)?;
            Some((format!("{folder}/{path}"), file.hash, Arc::clone(own)))
        });
        let files: Vec<_> = of_family.collect();
        if files.is_empty() {
            return Err(FeedProblem::whole(
                format!("the catalogue has no family `{family}`"),
                "correct `family` of the feed, or write its file below articles/catalog/ with its attributes",
            ));
        }
        let others = catalog.products().filter(|product| product.family != family);
        let others = others.map(|product| (product.id.clone(), product.file.clone())).collect();
        Ok(Self { files, others: Arc::new(others) })
    }

    fn pairs(&self) -> Vec<(String, Arc<Family>)> {
        self.files.iter().map(|(path, _, family)| (path.clone(), Arc::clone(family))).collect()
    }
}

/// Reads a source and compares it with a family. Nothing is written.
///
/// # Errors
/// What is wrong with the source as a whole.
pub fn look_through(
    bytes: &[u8],
    settings: &FeedSettings,
    files: &FamilyFiles,
) -> Result<(Plan, usize), Vec<FeedProblem>> {
    let pairs = files.pairs();
    let attributes = pairs.first().map(|(_, family)| family.attributes.clone()).unwrap_or_default();
    let targets = mapping::targets(settings, &attributes)?;
    let rows = read::read(bytes, settings).map_err(|problem| vec![problem])?;
    let wishes = validate(&rows, settings, &targets)?;
    let mut plan = plan(wishes, rows.len(), &pairs, &files.others, settings);
    if !plan.files.is_empty() && read::ends_open(bytes, settings) {
        plan.reasons.push("the last line has no end: the source may be cut off".to_owned());
    }
    Ok((plan, rows.len()))
}

/// What shows the values that a plan changes.
pub fn uses(plan: &Plan, library: &Library, templates: &Templates) -> RunUses {
    let names: BTreeSet<String> =
        plan.changes.iter().map(|change| format!("{}.{}", change.product, change.attribute)).collect();
    if names.is_empty() {
        return RunUses::default();
    }
    let articles = library.articles().map(|(_, article)| article);
    let showing = articles.filter(|article| article.values.iter().any(|value| names.contains(&*value.name)));
    RunUses {
        articles: showing.map(|article| article.id.clone()).collect(),
        templates: templates.showing(|name| names.contains(name)),
    }
}

/// What a plan comes to, in short and in full.
pub fn told(plan: &Plan, rows: usize, uses: RunUses) -> (RunSummary, RunDetails) {
    let products = |kind: FeedChangeKind| {
        let of_kind = plan.changes.iter().filter(|change| change.change == kind);
        of_kind.map(|change| change.product.as_str()).collect::<BTreeSet<_>>().len()
    };
    let summary = RunSummary {
        rows,
        bad_rows: plan.bad_rows,
        added: products(FeedChangeKind::Added),
        changed: products(FeedChangeKind::Changed),
        archived: products(FeedChangeKind::Archived),
        values: plan.changes.iter().filter(|change| !change.attribute.is_empty()).count(),
        reasons: plan.reasons.clone(),
        ..RunSummary::default()
    };
    // Those beyond their bounds are the reason to look.
    let (beyond, within): (Vec<_>, Vec<_>) = plan.changes.iter().partition(|change| change.beyond);
    let details = RunDetails {
        changes: beyond.into_iter().chain(within).take(KEPT_CHANGES).cloned().collect(),
        total_changes: plan.changes.len(),
        uses,
        ..with_problems(&plan.problems)
    };
    (summary, details)
}

fn with_problems(problems: &[FeedProblem]) -> RunDetails {
    RunDetails {
        problems: problems.iter().take(KEPT_PROBLEMS).cloned().collect(),
        total_problems: problems.len(),
        ..RunDetails::default()
    }
}

/// When a feed was tried, and what was seen then.
#[derive(Debug, Default)]
struct Tried {
    at: Option<Timestamp>,
    /// What was taken up.
    done: Option<Look>,
    /// What was seen last, and may still be written to.
    seen: Option<Look>,
    /// What was served when it failed: once something else is, it may be otherwise.
    failed_with: Option<u64>,
}

/// What a run wants to write.
struct Prepared {
    plan: Plan,
    run: FeedRun,
    details: RunDetails,
    edits: Vec<Edit>,
}

/// All feeds of a server.
#[derive(Debug)]
pub struct Feeding {
    feeds: Vec<FeedSettings>,
    runs: Runs,
    app: Arc<App>,
    editing: Arc<Editing>,
    accounts: Arc<Accounts>,
    /// Held while a feed is run: each by itself.
    busy: HashMap<String, tokio::sync::Mutex<Tried>>,
    /// Problems of the last failed run, by feed: told once.
    failing: Mutex<HashMap<String, Vec<FeedProblem>>>,
}

impl Feeding {
    /// The feeds that settings name.
    pub fn new(
        feeds: &[FeedSettings],
        database: Database,
        app: Arc<App>,
        editing: Arc<Editing>,
        accounts: Arc<Accounts>,
    ) -> Self {
        let busy = feeds.iter().map(|feed| (feed.name.clone(), tokio::sync::Mutex::default())).collect();
        let feeds = feeds.to_vec();
        Self { feeds, runs: Runs::new(database), app, editing, accounts, busy, failing: Mutex::default() }
    }

    /// The feeds, in the order of the settings.
    pub fn feeds(&self) -> &[FeedSettings] {
        &self.feeds
    }

    /// Runs of all feeds, as they are kept.
    pub fn runs(&self) -> &Runs {
        &self.runs
    }

    fn feed(&self, name: &str) -> Result<&FeedSettings, FeedError> {
        self.feeds.iter().find(|feed| feed.name == name).ok_or(FeedError::NotFound("feed"))
    }

    /// A run in full, with the names of who decided.
    ///
    /// # Errors
    /// There is none, or the store fails.
    pub async fn view(&self, id: &str) -> Result<FeedRunView, FeedError> {
        let mut view = self.runs.find(id).await?.ok_or(FeedError::NotFound("run"))?;
        self.name_deciders(&mut view.run).await?;
        Ok(view)
    }

    /// Names who decided: runs keep only who it was, so that nobody's name outlives him.
    ///
    /// # Errors
    /// The store fails.
    pub async fn name_deciders(&self, run: &mut FeedRun) -> Result<(), FeedError> {
        for decider in &mut run.summary.decided {
            let Some(id) = &decider.id else { continue };
            match self.accounts.person(id).await {
                Ok(person) => decider.name = person.name,
                Err(AccountError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads a feed and tells what it would change. Nothing is kept or written.
    ///
    /// # Errors
    /// There is no such feed, or the content is not loaded.
    pub async fn try_out(&self, name: &str) -> Result<FeedRunView, FeedError> {
        let feed = self.feed(name)?;
        let now = self.app.clock.now();
        let run = FeedRun {
            id: String::new(),
            feed: feed.name.clone(),
            at: now,
            state: RunState::Failed,
            summary: RunSummary::default(),
        };
        let fetched = match source::fetch(feed).await {
            Ok(fetched) => fetched,
            Err(problem) => return Ok(FeedRunView { run, details: with_problems(&[problem]) }),
        };
        match self.prepare(feed, &fetched, run.clone()).await? {
            Ok(prepared) => {
                let Prepared { mut run, details, edits, .. } = prepared;
                run.state = self.outcome(&run, &edits);
                Ok(FeedRunView { run, details })
            }
            Err(problems) => Ok(FeedRunView { run, details: with_problems(&problems) }),
        }
    }

    fn outcome(&self, run: &FeedRun, edits: &[Edit]) -> RunState {
        match (edits.is_empty(), run.summary.reasons.is_empty()) {
            (true, true) => RunState::Unchanged,
            // Nothing good is left of it that somebody could confirm.
            (true, false) => RunState::Failed,
            (false, true) if !run.summary.needs_approval => RunState::Done,
            (false, _) => RunState::Waiting,
        }
    }

    /// Runs a feed. A source that was the last one to be run already is not run once more, unless `again`.
    ///
    /// # Errors
    /// There is no such feed, the content is not loaded, or the store fails. A bad source is no error: it is told by the run.
    pub async fn run(&self, name: &str, again: bool) -> Result<FeedRun, FeedError> {
        let feed = self.feed(name)?;
        let busy = self.busy.get(name).ok_or(FeedError::NotFound("feed"))?;
        let mut tried = busy.lock().await;
        let looked = look_aside(feed).await;
        let ran = self.run_once(feed, again).await;
        tried.at = Some(self.app.clock.now());
        if let Ok(run) = &ran {
            tried.done = looked;
            let generation = self.app.snapshot().map(|snapshot| snapshot.generation);
            tried.failed_with = generation.filter(|_| run.state == RunState::Failed);
        }
        ran
    }

    async fn run_once(&self, feed: &FeedSettings, again: bool) -> Result<FeedRun, FeedError> {
        if self.app.snapshot().is_none() {
            return Err(FeedError::Loading);
        }
        let now = self.app.clock.now();
        let fetched = match source::fetch(feed).await {
            Ok(fetched) => fetched,
            Err(problem) => {
                let run = self.runs.begin(&feed.name, "", now).await?;
                return self.fail(run, vec![problem]).await;
            }
        };
        let digest = digest_of(feed, &fetched.bytes);
        if !again && let Some(earlier) = self.runs.of_digest(&feed.name, &digest).await? {
            return Ok(earlier);
        }
        let run = self.runs.begin(&feed.name, &digest, now).await?;
        for _ in 1..MAX_MEETINGS {
            match self.attempt(feed, &fetched, &run).await {
                Err(FeedError::Edit(EditError::Conflict(_))) => {}
                done => return self.settled(run, done).await,
            }
        }
        let done = self.attempt(feed, &fetched, &run).await;
        self.settled(run, done).await
    }

    /// A run of which nobody knows the end must not stay under way.
    async fn settled(&self, run: FeedRun, done: Result<FeedRun, FeedError>) -> Result<FeedRun, FeedError> {
        let error = match done {
            Err(error @ (FeedError::Edit(_) | FeedError::Loading)) => error,
            done => return done,
        };
        self.runs.forget_source(&run.id).await?;
        let problem = FeedProblem::whole(error.to_string(), "it is tried again when the feed is run next");
        self.fail(run, vec![problem]).await
    }

    async fn attempt(
        &self,
        feed: &FeedSettings,
        fetched: &Fetched,
        run: &FeedRun,
    ) -> Result<FeedRun, FeedError> {
        let Prepared { plan, mut run, mut details, edits } =
            match self.prepare(feed, fetched, run.clone()).await? {
                Ok(prepared) => prepared,
                Err(problems) => {
                    // What stands against it may stand here, and be mended.
                    self.runs.forget_source(&run.id).await?;
                    return self.fail(run.clone(), problems).await;
                }
            };
        run.state = self.outcome(&run, &edits);
        match run.state {
            RunState::Done => {
                run.summary.publication = self.publish(&mut run, &edits, None).await?;
                tracing::info!(feed = feed.name, values = run.summary.values, "a feed changed the catalogue");
            }
            RunState::Waiting => {
                for edit in &edits {
                    let after = self.editing.keep(edit.text.as_deref().unwrap_or_default()).await?;
                    let (path, base) = (edit.path.to_string(), edit.base.clone().unwrap_or_default());
                    details.files.push(RunFile { path, base, after });
                }
                tracing::warn!(feed = feed.name, reasons = ?run.summary.reasons, "a feed waits for somebody to confirm it");
            }
            RunState::Failed => {
                tracing::warn!(feed = feed.name, problems = plan.problems.len(), "a feed is bad")
            }
            _ => {}
        }
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).remove(&feed.name);
        self.runs.end(&run, Some(&details)).await?;
        Ok(run)
    }

    /// Notes a run that came to nothing. The same fault over and over is one run.
    async fn fail(&self, mut run: FeedRun, problems: Vec<FeedProblem>) -> Result<FeedRun, FeedError> {
        if let Some(first) = problems.first() {
            let (line, column) = (first.line, first.column.as_str());
            tracing::warn!(
                feed = run.feed,
                line,
                column,
                hint = first.hint,
                "a feed is bad: {}",
                first.message
            );
        }
        run.state = RunState::Failed;
        let before = self
            .failing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(run.feed.clone(), problems.clone());
        if before.as_ref() == Some(&problems) {
            let last = self.runs.list(&run.feed, Some(&run.id), 1).await?.pop();
            if let Some(last) = last.filter(|last| last.state == RunState::Failed) {
                return Ok(self.runs.repeat(&run, &last).await?);
            }
        }
        self.runs.end(&run, Some(&with_problems(&problems))).await?;
        Ok(run)
    }

    /// Works out what a source would change, and writes the texts of the files. Nothing is published yet.
    async fn prepare(
        &self,
        feed: &FeedSettings,
        fetched: &Fetched,
        mut run: FeedRun,
    ) -> Result<Result<Prepared, Vec<FeedProblem>>, FeedError> {
        let started = Instant::now();
        run.summary.source.clone_from(&fetched.from);
        let snapshot = self.app.snapshot().ok_or(FeedError::Loading)?;
        let (feed, bytes) = (Arc::new(feed.clone()), Arc::new(fetched.bytes.clone()));
        let mut files = match FamilyFiles::of(&snapshot.engine.library.catalog, "articles", &feed.family) {
            Ok(files) => files,
            Err(problem) => return Ok(Err(vec![problem])),
        };
        let mut looked = looked_through(&bytes, &feed, &files).await?;
        let mut texts = HashMap::new();
        if let Ok((plan, _)) = &looked
            && !plan.files.is_empty()
        {
            let is_other = self.read_files(&mut files, plan.files.keys(), &mut texts).await?;
            if is_other {
                looked = looked_through(&bytes, &feed, &files).await?;
            }
        }
        let (plan, rows) = match looked {
            Ok(found) => found,
            Err(problems) => return Ok(Err(problems)),
        };
        let planned_us = micros_since(started);
        let (source, approval) = (run.summary.source.clone(), approval(&snapshot, &plan));
        let (library, parsed) = (Arc::clone(&snapshot), Arc::clone(&self.app.parsed));
        let worked = aside(move || {
            let started = Instant::now();
            let uses = uses(&plan, &library.engine.library, &library.engine.templates);
            let (mut summary, details) = told(&plan, rows, uses);
            let edits = edits(&plan, &files, &texts, Some(&parsed));
            (summary.written_us, summary.planned_us) = (micros_since(started), planned_us);
            (plan, summary, details, edits)
        });
        let (plan, summary, details, edits) = worked.await?;
        run.summary = RunSummary { source, ..summary };
        if let Some(rule) = approval {
            let approvals = rule.count.max(1);
            run.summary = RunSummary { needs_approval: true, approvals, approval_by: rule.by, ..run.summary };
        }
        Ok(match edits {
            Ok(edits) => Ok(Prepared { plan, run, details, edits }),
            Err(problem) => Err(vec![problem]),
        })
    }

    /// Reads the files that are to be written. Returns whether one holds something else than what is served.
    async fn read_files(
        &self,
        files: &mut FamilyFiles,
        paths: impl Iterator<Item = &String>,
        texts: &mut HashMap<String, (String, String)>,
    ) -> Result<bool, FeedError> {
        let mut is_other = false;
        for path in paths {
            let (digest, text) = self.editing.source(&path_of(path)?).await?;
            let known = files.files.iter_mut().find(|(own, _, _)| own == path);
            if let Some((_, hash, family)) = known
                && blake3::Hash::from_bytes(*hash).to_hex().as_str() != digest
            {
                let (path, text) = (path.clone(), text.clone());
                if let Some(read) = aside(move || parse_family(&path, &text).0).await? {
                    is_other = true;
                    *family = Arc::new(read);
                }
            }
            texts.insert(path.clone(), (digest, text));
        }
        Ok(is_other)
    }

    /// Publishes what a run writes, under the feed's name. Returns the publication's id.
    async fn publish(
        &self,
        run: &mut FeedRun,
        edits: &[Edit],
        by: Option<&Actor>,
    ) -> Result<Option<String>, FeedError> {
        let (started, now) = (Instant::now(), self.app.clock.now());
        let author = Author { id: by.and_then(|by| by.id.clone()), name: format!("feed: {}", run.feed) };
        let RunSummary { added, changed, archived, values, .. } = run.summary;
        let reason =
            format!("{added} products added, {changed} changed, {archived} archived; {values} values");
        let published = self.editing.publish(&author, &reason, edits, now).await?;
        run.summary.published_us = micros_since(started);
        if let Some(id) = &published.id {
            let paths: Vec<&str> = published.files.iter().map(|file| file.path.as_str()).take(20).collect();
            let feed = Actor { id: None, name: author.name, address: String::new() };
            let actor = by.unwrap_or(&feed);
            self.accounts.note(actor, "content.published", Some(id), &paths.join(", "), now).await?;
            self.app.is_taken_up(published.ticket, PATIENCE).await;
        }
        Ok(published.id)
    }

    /// Confirms a run that waits. It is published as it was shown, merged with what was changed elsewhere since; or it waits for others to
    /// confirm it as well.
    ///
    /// # Errors
    /// There is none, it does not wait, who asks may not, or the same places were changed meanwhile.
    pub async fn confirm(&self, id: &str, by: &Deciding) -> Result<FeedRun, FeedError> {
        let _held = self.hold(id).await?;
        let FeedRunView { mut run, details } = self.waiting(id).await?;
        let now = self.app.clock.now();
        let snapshot = self.app.snapshot().ok_or(FeedError::Loading)?;
        let rules = rules(&snapshot, details.files.iter().map(|file| file.path.as_str()));
        drop(snapshot);
        if !rules.is_empty() {
            self.must_approve(&rules, by).await?;
            if !self.is_approved(&rules, &run.summary.decided, by).await? {
                add_decider(&mut run.summary, &by.actor, now);
                self.runs.end(&run, None).await?;
                return Ok(run);
            }
        }
        if !self.runs.take(id).await? {
            return Err(FeedError::Refused("somebody else decided on it just now".to_owned()));
        }
        add_decider(&mut run.summary, &by.actor, now);
        match self.publish_kept(&mut run, &details, &by.actor).await {
            Ok(()) => {
                run.state = RunState::Done;
                self.runs.end(&run, None).await?;
                Ok(run)
            }
            Err(error) => {
                // It waits on: what stands against it may be settled.
                run.state = RunState::Waiting;
                self.runs.end(&run, None).await?;
                Err(error)
            }
        }
    }

    async fn publish_kept(
        &self,
        run: &mut FeedRun,
        details: &RunDetails,
        by: &Actor,
    ) -> Result<(), FeedError> {
        let mut edits = Vec::new();
        for file in &details.files {
            let text = self.editing.text_of(Some(&file.after)).await?;
            edits.push(Edit { path: path_of(&file.path)?, base: Some(file.base.clone()), text });
        }
        run.summary.publication = self.publish(run, &edits, Some(by)).await?;
        Ok(())
    }

    /// Rejects a run that waits. The same source is not run again.
    ///
    /// # Errors
    /// There is none, or it does not wait.
    pub async fn reject(&self, id: &str, by: &Deciding) -> Result<FeedRun, FeedError> {
        let _held = self.hold(id).await?;
        let FeedRunView { mut run, .. } = self.waiting(id).await?;
        if !self.runs.take(id).await? {
            return Err(FeedError::Refused("somebody else decided on it just now".to_owned()));
        }
        add_decider(&mut run.summary, &by.actor, self.app.clock.now());
        run.state = RunState::Rejected;
        self.runs.end(&run, None).await?;
        Ok(run)
    }

    /// Whoever decides on a run does it alone, and not while the feed is run.
    async fn hold(&self, id: &str) -> Result<Option<tokio::sync::MutexGuard<'_, Tried>>, FeedError> {
        let view = self.runs.find(id).await?.ok_or(FeedError::NotFound("run"))?;
        Ok(match self.busy.get(&view.run.feed) {
            Some(busy) => Some(busy.lock().await),
            None => None,
        })
    }

    async fn waiting(&self, id: &str) -> Result<FeedRunView, FeedError> {
        let view = self.runs.find(id).await?.ok_or(FeedError::NotFound("run"))?;
        if view.run.state == RunState::Waiting {
            return Ok(view);
        }
        Err(FeedError::Refused(format!("the run does not wait for anybody: it is {}", view.run.state.name())))
    }

    async fn must_approve(&self, rules: &[Approval], by: &Deciding) -> Result<(), FeedError> {
        if !by.may_approve {
            return Err(FeedError::Forbidden("it needs the permission `approve`".to_owned()));
        }
        for rule in rules {
            if rule.by.is_empty() || self.is_named(rule, by.actor.id.as_deref()).await? {
                return Ok(());
            }
        }
        let named: BTreeSet<&str> = rules.iter().flat_map(|rule| &rule.by).map(String::as_str).collect();
        let named: Vec<&str> = named.into_iter().collect();
        Err(FeedError::Forbidden(format!("it must be approved by: {}", named.join(", "))))
    }

    /// Whether a rule names a person, or a team of his.
    async fn is_named(&self, rule: &Approval, person: Option<&str>) -> Result<bool, FeedError> {
        let Some(id) = person else { return Ok(false) };
        match self.accounts.member(id).await? {
            Some(member) => Ok(rule.by.iter().any(|name| member.is_called(name))),
            None => Ok(false),
        }
    }

    /// Whether every rule has as many who may approve by it as it asks for, with the one who decides now.
    async fn is_approved(
        &self,
        rules: &[Approval],
        decided: &[Decider],
        by: &Deciding,
    ) -> Result<bool, FeedError> {
        let others = decided.iter().filter_map(|other| other.id.as_deref());
        let mut people: BTreeSet<&str> = others.collect();
        people.extend(by.actor.id.as_deref());
        for rule in rules {
            let mut given = 0;
            for person in &people {
                let may = Some(*person) == by.actor.id.as_deref()
                    || self.accounts.may(person, Permission::Approve).await?;
                let fits = may && (rule.by.is_empty() || self.is_named(rule, Some(person)).await?);
                given += usize::from(fits);
            }
            if given < usize::from(rule.count.max(1)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Forgets what an earlier process left under way.
    ///
    /// # Errors
    /// The store fails.
    pub async fn clear_what_was_left(&self) -> Result<(), FeedError> {
        Ok(self.runs.clear_what_was_left().await?)
    }

    /// Runs a feed if it is due, or if its file changed and is not being written any more. Returns whether it was.
    ///
    /// # Errors
    /// As [`Feeding::run`].
    pub async fn run_if_due(&self, name: &str) -> Result<bool, FeedError> {
        // A server that waits for another one to end does nothing in its place.
        if self.app.snapshot().is_none() {
            return Ok(false);
        }
        let feed = self.feed(name)?;
        let Some(busy) = self.busy.get(name) else { return Ok(false) };
        let is_due = {
            let mut tried = busy.lock().await;
            let generation = self.app.snapshot().map(|snapshot| snapshot.generation);
            let is_mended = tried.failed_with.is_some() && tried.failed_with != generation;
            if tried.at.is_none() {
                tried.at = self.runs.list(name, None, 1).await?.pop().map(|last| last.at);
            }
            if schedule::is_watched(feed) {
                let seen = look_aside(feed).await;
                // Twice the same: nobody is in the middle of writing it.
                let is_due = seen.is_some() && seen == tried.seen && (seen != tried.done || is_mended);
                tried.seen = seen;
                is_due
            } else {
                let now = self.app.clock.local();
                let is_due = schedule::is_due(feed, tried.at, &now);
                // A server that was just started waits for the next time of day.
                tried.at.get_or_insert(now.timestamp());
                is_due
            }
        };
        if is_due {
            self.run(name, false).await?;
        }
        Ok(is_due)
    }
}

fn add_decider(summary: &mut RunSummary, actor: &Actor, at: Timestamp) {
    summary.decided.retain(|other| other.id != actor.id);
    let name = if actor.id.is_some() { String::new() } else { actor.name.clone() };
    summary.decided.push(Decider { id: actor.id.clone(), name, at });
}

/// Does work that takes its time off the threads that talk to clients.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, FeedError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| FeedError::Edit(EditError::Broken(error)))
}

async fn look_aside(feed: &FeedSettings) -> Option<Look> {
    let feed = feed.clone();
    aside(move || source::look(&feed)).await.ok().flatten()
}

async fn looked_through(
    bytes: &Arc<Vec<u8>>,
    feed: &Arc<FeedSettings>,
    files: &FamilyFiles,
) -> Result<Result<(Plan, usize), Vec<FeedProblem>>, FeedError> {
    let (bytes, feed, files) = (Arc::clone(bytes), Arc::clone(feed), files.clone());
    aside(move || look_through(&bytes, &feed, &files)).await
}

fn micros_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// What a source is known by: its bytes, and how they are read.
fn digest_of(feed: &FeedSettings, bytes: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    let FeedSettings { family, format, encoding, delimiter, sheet, rows, columns, missing, .. } = feed;
    let settings = (family, format, encoding, delimiter, sheet, rows, columns, missing);
    let settings = serde_json::to_vec(&settings).unwrap_or_default();
    hasher.update(&(settings.len() as u64).to_le_bytes());
    hasher.update(&settings);
    hasher.update(bytes);
    hasher.finalize().to_hex().to_string()
}

/// The texts that files become.
fn edits(
    plan: &Plan,
    files: &FamilyFiles,
    texts: &HashMap<String, (String, String)>,
    parsed: Option<&ParsedFamilies>,
) -> Result<Vec<Edit>, FeedProblem> {
    let mut edits = Vec::new();
    for (path, products) in &plan.files {
        let known = files.files.iter().find(|(own, _, _)| own == path);
        let (Some((_, _, family)), Some((digest, text))) = (known, texts.get(path)) else {
            return Err(FeedProblem::whole(
                format!("{path} changed while it was read"),
                "run the feed again",
            ));
        };
        let refused = |why: String| {
            FeedProblem::whole(
                format!("{path} cannot be written: {why}"),
                "write that place of the file in the usual form, as docs/content.md shows it",
            )
        };
        let written = rewrite(path, text, family, products).map_err(refused)?;
        if let Some(parsed) = parsed {
            parsed.keep(path, &written.text, written.family, written.problems);
        }
        let path = path_of(path).map_err(|error| refused(error.to_string()))?;
        edits.push(Edit { path, base: Some(digest.clone()), text: Some(written.text) });
    }
    Ok(edits)
}

/// What is told of who must approve a plan: as many as the strictest rule asks for, and all who are named.
fn approval(snapshot: &Snapshot, plan: &Plan) -> Option<Approval> {
    let rules = rules(snapshot, plan.files.keys().map(String::as_str));
    let count = rules.iter().map(|rule| rule.count).max()?;
    let by: BTreeSet<String> = rules.into_iter().flat_map(|rule| rule.by).collect();
    Some(Approval { count, by: by.into_iter().collect() })
}

/// Who must approve changes of some files.
fn rules<'a>(snapshot: &Snapshot, paths: impl Iterator<Item = &'a str>) -> Vec<Approval> {
    paths.filter_map(|path| snapshot.approval(path)).filter(|rule| rule.count > 0).collect()
}

/// Reads a file as a feed and writes what it changes into the catalogue's texts, for the command line. Returns the run, and texts by path.
///
/// # Errors
/// What is wrong with the source, or the file of the family.
pub fn run_on_files(
    fetched: &Fetched,
    feed: &FeedSettings,
    folder: &Folder,
    library: &Library,
    templates: &Templates,
) -> Result<(RunSummary, RunDetails), Vec<FeedProblem>> {
    let files =
        FamilyFiles::of(&library.catalog, folder.name, &feed.family).map_err(|problem| vec![problem])?;
    let (plan, rows) = look_through(&fetched.bytes, feed, &files)?;
    let uses = uses(&plan, library, templates);
    let mut texts = HashMap::new();
    for path in plan.files.keys() {
        let below = path.strip_prefix(folder.name).unwrap_or(path).trim_start_matches('/');
        if let Ok(Some(file)) = folder.read(below) {
            texts.insert(path.clone(), (String::new(), file.text));
        }
    }
    edits(&plan, &files, &texts, None).map_err(|problem| vec![problem])?;
    let (summary, details) = told(&plan, rows, uses);
    Ok((RunSummary { source: fetched.from.clone(), ..summary }, details))
}
