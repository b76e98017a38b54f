//! What handlers have at hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Semaphore, watch};

use crate::accounts::identity::Identity;
use crate::accounts::sign_on::SignOn;
use crate::accounts::{Accounts, secrets};
use crate::app::feeding::Feeding;
use crate::app::imports::Imports;
use crate::app::running::App;
use crate::app::snapshot::{Folders, Snapshot};
use crate::database::Database;
use crate::editing::Editing;
use crate::feedback::Feedback;
use crate::http::asker;
use crate::http::problem::{Code, Problem};
use crate::learning::gaps::Gaps;
use crate::learning::openings::Openings;
use crate::notices::{News, Notices};
use crate::reading::Reading;
use crate::search::engine::{Reply, Request};
use crate::settings::Settings;

/// Tells, when it is dropped, that nobody waits any more.
struct Abandoned(Arc<AtomicBool>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The state of the server; cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The running application.
    pub app: Arc<App>,
    /// The settings.
    pub settings: Arc<Settings>,
    /// What readers did not find.
    pub gaps: Arc<Gaps>,
    /// When articles were opened.
    pub openings: Arc<Openings>,
    /// The people.
    pub accounts: Arc<Accounts>,
    /// What editors write.
    pub editing: Arc<Editing>,
    /// What readers say of articles.
    pub feedback: Arc<Feedback>,
    /// What must be read.
    pub reading: Arc<Reading>,
    /// What people and programs are told.
    pub notices: Arc<Notices>,
    /// What brings products and values from other systems.
    pub feeding: Arc<Feeding>,
    /// What people are importing.
    pub imports: Arc<Imports>,
    /// The company's sign-on.
    pub sign_on: Arc<SignOn>,
    /// Who anybody is as long as nobody has an account.
    pub open_identity: Arc<Identity>,
    /// What proves that one may make the first account: it stands in the log.
    pub setup_code: Arc<str>,
    /// Tells this process from earlier ones: part of every ETag.
    pub boot: u64,
    /// When the server was started.
    pub started: std::time::Instant,
    /// Held while the first account is made.
    pub setting_up: Arc<tokio::sync::Mutex<()>>,
    /// Becomes true when the server is to stop.
    pub stopping: watch::Receiver<bool>,
    /// Bounds the searches run at one time.
    searches: Arc<Semaphore>,
    /// Bounds the requests answered at one time.
    pub requests: Arc<Semaphore>,
}

impl AppState {
    /// The state over a running application.
    pub fn new(
        app: Arc<App>,
        database: Database,
        accounts: Accounts,
        editing: Editing,
        reading: Reading,
        settings: Settings,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let searches = match settings.max_concurrent_searches {
            0 => cores * 2,
            limit => limit,
        };
        let (accounts, editing) = (Arc::new(accounts), Arc::new(editing));
        let (of_feeds, of_accounts) = (Arc::clone(&editing), Arc::clone(&accounts));
        let feeding =
            Feeding::new(&settings.feeds, database.clone(), Arc::clone(&app), of_feeds, of_accounts);
        let imports = Imports::new(
            settings.data.join("imports"),
            Folders::of(&settings).articles,
            settings.max_import_bytes,
            Arc::clone(&app),
            Arc::clone(&editing),
            Arc::clone(&accounts),
        );
        Self {
            app,
            imports: Arc::new(imports),
            boot: fastrand::u64(..),
            stopping,
            searches: Arc::new(Semaphore::new(searches)),
            requests: Arc::new(Semaphore::new(settings.max_concurrent_requests)),
            gaps: Arc::new(Gaps::new(database.clone())),
            openings: Arc::new(Openings::new(database.clone())),
            feedback: Arc::new(Feedback::new(database.clone())),
            reading: Arc::new(reading),
            notices: Arc::new(Notices::new(database)),
            accounts,
            editing,
            feeding: Arc::new(feeding),
            sign_on: Arc::new(SignOn::new(&settings)),
            open_identity: Arc::new(asker::open_identity(&settings)),
            started: std::time::Instant::now(),
            setting_up: Arc::default(),
            setup_code: secrets::secret().unwrap_or_default().into(),
            settings: Arc::new(settings),
        }
    }

    /// What is served now.
    ///
    /// # Errors
    /// The first load is not done.
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, Problem> {
        self.app.snapshot().ok_or_else(|| match self.app.failure() {
            Some(_) => Problem::new(Code::Loading, "the content cannot be loaded; the log tells why"),
            None => {
                let (done, total) = self.app.progress.counts();
                Problem::new(
                    Code::Loading,
                    format!("{done} of {total} files are read; try again in a moment"),
                )
            }
        })
    }

    /// Tells people and programs what happened. What happened stands, whether they can be told or not.
    pub async fn tell(&self, people: &[String], news: &News<'_>) {
        if let Err(error) = self.notices.tell(people, news, self.app.clock.now()).await {
            tracing::warn!(%error, kind = news.kind.name(), "nobody could be told");
        }
    }

    /// Searches what is served now; given up as soon as the client is gone, who may have typed on.
    ///
    /// # Errors
    /// The content is not loaded, or the index cannot be read.
    pub async fn search(&self, request: Request) -> Result<Reply, Problem> {
        let abandoned = Abandoned(Arc::default());
        let flag = Arc::clone(&abandoned.0);
        let found = self
            .run(move |snapshot| {
                Ok(snapshot.engine.search_while(&request, &|| !flag.load(Ordering::Relaxed))?)
            })
            .await?;
        found.ok_or_else(|| Problem::new(Code::Timeout, "the search was given up"))
    }

    /// Runs work on what is served now, off the threads that talk to clients. A request that is abandoned while it waits costs nothing.
    ///
    /// # Errors
    /// The content is not loaded, or the work fails.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Snapshot) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let snapshot = self.snapshot()?;
        let permit = Arc::clone(&self.searches).acquire_owned().await.map_err(|e| Problem::internal(&e))?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&snapshot);
            drop(permit);
            result
        });
        done.await.map_err(|error| Problem::internal(&error))?
    }
}
