//! A knowledge base in a temporary folder, served without a port.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use pharos::accounts::Accounts;
use pharos::accounts::audit::Actor;
use pharos::accounts::people::NewPerson;
use pharos::accounts::permissions::Role;
use pharos::accounts::sessions::{Client, ProvedBy};
use pharos::app::changes::Changes;
use pharos::app::running::{App, Options};
use pharos::clock::Clock;
use pharos::database::{Database, Place};
use pharos::editing::Editing;
use pharos::http::routes::Rule;
use pharos::http::state::AppState;
use pharos::reading::Reading;
use pharos::server;
use pharos::settings::{Settings, WatchSetting};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

/// Long enough for a loaded machine; nothing waits that long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The day on which tests happen.
pub const TODAY: &str = "2026-11-23";

/// Folders with content.
pub struct Base {
    pub dir: TempDir,
}

impl Base {
    pub fn new() -> Self {
        let base = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(base.path("articles/catalog")).unwrap();
        std::fs::create_dir_all(base.path("templates")).unwrap();
        base
    }

    pub fn with(files: &[(&str, &str)]) -> Self {
        let base = Self::new();
        for (path, text) in files {
            base.write(path, text);
        }
        base
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn settings(&self) -> Settings {
        Settings {
            articles: self.path("articles"),
            templates: self.path("templates"),
            index: self.path("index"),
            data: self.path("data"),
            max_file_bytes: 1 << 20,
            ..Settings::default()
        }
    }

    pub fn start(&self) -> Served {
        Served::start(self.settings())
    }

    /// The program itself, on this base.
    pub fn command(&self, command: &str) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_pharos"));
        // To the tests it names the corpora, to the program its own folder.
        program.current_dir(self.dir.path()).env_remove("PHAROS_DATA").arg(command);
        program
    }
}

/// A running application and its router.
pub struct Served {
    pub app: Arc<App>,
    pub state: AppState,
    pub router: Router,
    pub rules: Vec<Rule>,
    pub runtime: tokio::runtime::Runtime,
    _stop: watch::Sender<bool>,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub text: String,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
}

impl Served {
    pub fn start(settings: Settings) -> Self {
        let now = format!("{TODAY}T12:00:00Z").parse().unwrap();
        Self::start_at(settings, Clock::frozen_at(now))
    }

    pub fn start_at(settings: Settings, clock: Clock) -> Self {
        // Changes are written to the store beside what the test does.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (database, changes, accounts) = runtime.block_on(async {
            let place = Place::named(&settings.database, &settings.data);
            let database = Database::open(&place).await.unwrap();
            let changes = Changes::open(database.clone()).await.unwrap();
            let accounts = Accounts::open(database.clone(), &settings).await.unwrap();
            (database, changes, accounts)
        });
        let mut options = Options::of(&settings);
        options.clock = clock;
        if settings.watch == WatchSetting::Poll {
            options.timing.poll_every = Duration::from_millis(100);
        }
        let folders = [options.folders.articles.clone(), options.folders.templates.clone()];
        let app = App::start(options, changes);
        let editing =
            runtime.block_on(Editing::open(database.clone(), folders, app.remote(), settings.git)).unwrap();
        let reading = runtime.block_on(Reading::open(database.clone())).unwrap();
        let (stop, stopping) = watch::channel(false);
        let state = AppState::new(Arc::clone(&app), database, accounts, editing, reading, settings, stopping);
        runtime.spawn(server::keep_history(state.clone()));
        runtime.spawn(server::publish_in_time(state.clone()));
        runtime.spawn(server::tell_in_time(state.clone()));
        runtime.spawn(server::run_feeds(state.clone()));
        runtime.spawn(server::commit_publications(state.clone()));
        let (router, rules) = server::served(state.clone());
        let served = Self { app, state, router, rules, runtime, _stop: stop };
        served
            .wait_until("the content is served", |s| s.app.snapshot().is_some() || s.app.failure().is_some());
        served
    }

    pub fn send(&self, request: Request<Body>) -> Reply {
        let router = self.router.clone();
        self.runtime.block_on(async move {
            let reply = router.oneshot(request).await.unwrap();
            let (head, body) = reply.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Reply { status: head.status, headers: head.headers, text }
        })
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap())
    }

    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let reply = self.get(path);
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        reply.json()
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(
            Request::post(path)
                .header("content-type", "application/json")
                .body(Body::from(body.to_string()))
                .unwrap(),
        )
    }

    /// A search; `parameters` come behind the query, as `&kind=faq`.
    #[track_caller]
    pub fn search(&self, query: &str, parameters: &str) -> Value {
        self.json(&format!("/api/v1/search?q={}{parameters}", encode(query)))
    }

    /// Ids of the articles a search finds.
    #[track_caller]
    pub fn found(&self, query: &str, parameters: &str) -> Vec<String> {
        ids(&self.search(query, parameters)["hits"], "article")
    }

    #[track_caller]
    pub fn wait_until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !condition(self) {
            assert!(Instant::now() < end, "it never came that {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Codes of the problems of a file.
    pub fn problems(&self, file: &str) -> Vec<String> {
        let problems = self.json("/api/v1/problems")["problems"].clone();
        let of_file = problems.as_array().unwrap().iter().filter(|p| p["file"] == file);
        of_file.map(|p| p["code"].as_str().unwrap().to_owned()).collect()
    }
}

/// Somebody before a browser, with the cookies it was given.
pub struct Visitor<'s> {
    pub served: &'s Served,
    pub cookie: RefCell<Option<String>>,
    /// The id of the person who is signed in.
    pub id: String,
    address: RefCell<Option<SocketAddr>>,
}

impl Served {
    /// Somebody who is not signed in.
    pub fn visitor(&self) -> Visitor<'_> {
        Visitor { served: self, cookie: RefCell::default(), id: String::new(), address: RefCell::default() }
    }

    /// A person who has an account and is signed in.
    pub fn person(&self, login: &str, roles: &[Role], audiences: &[&str]) -> Visitor<'_> {
        let (accounts, now) = (&self.state.accounts, self.app.clock.now());
        let new = NewPerson {
            login: login.to_owned(),
            roles: roles.to_vec(),
            audiences: audiences.iter().map(|name| (*name).to_owned()).collect(),
            ..NewPerson::default()
        };
        let (person, opened) = self.runtime.block_on(async {
            let person = accounts.add_person(&new, &Actor::command_line(), now).await.unwrap();
            let client = Client { address: "192.0.2.1".to_owned(), agent: "tests".to_owned() };
            let opened =
                accounts.open_session(&person.id, ProvedBy::Password, &client, None, now).await.unwrap();
            (person, opened)
        });
        let visitor = Visitor { id: person.id, ..self.visitor() };
        *visitor.cookie.borrow_mut() = Some(format!("__Host-pharos-session={}", opened.secret));
        visitor
    }

    /// Sets a password without asking for another.
    pub fn set_password(&self, login: &str, password: &str) {
        let (accounts, now) = (&self.state.accounts, self.app.clock.now());
        self.runtime.block_on(async {
            let person = accounts.person_by_login(login).await.unwrap().unwrap();
            accounts.set_password(&person, password, now).await.unwrap();
        });
    }
}

impl Visitor<'_> {
    /// The same browser somewhere else in the network.
    pub fn at(self, address: &str) -> Self {
        *self.address.borrow_mut() = Some(format!("{address}:40000").parse().unwrap());
        self
    }

    /// A request as a page of the server makes it.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        request = request.header("sec-fetch-site", "same-origin").header("accept-language", "en");
        if let Some(cookie) = &*self.cookie.borrow() {
            request = request.header("cookie", cookie);
        }
        let mut request = match body {
            Some(body) => {
                request.header("content-type", "application/json").body(Body::from(body.to_string()))
            }
            None => request.body(Body::empty()),
        }
        .unwrap();
        if let Some(address) = *self.address.borrow() {
            request.extensions_mut().insert(ConnectInfo(address));
        }
        request
    }

    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let reply = self.served.send(self.request(method, path, body));
        for cookie in reply.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap();
            if pair.starts_with("__Host-pharos-session=") {
                *self.cookie.borrow_mut() = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
            }
        }
        reply
    }

    pub fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, None)
    }

    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let reply = self.get(path);
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        reply.json()
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.ask("POST", path, Some(body))
    }

    pub fn sign_in(&self, login: &str, password: &str) -> Reply {
        self.post("/api/v1/session", &serde_json::json!({"login": login, "password": password}))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.app.stop();
        self.runtime.block_on(self.app.changes.finish());
    }
}

/// A program of node that runs beside a test, with packages of npm.
pub struct Script {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Script {
    /// Starts one of `tests/`. `None`: npm's packages are not here, and the test is skipped aloud.
    pub fn start(name: &str, variables: &[(&str, &str)]) -> Option<Self> {
        let Some(packages) = std::env::var_os("PHAROS_NPM") else {
            eprintln!("skipped: PHAROS_NPM names no folder with packages of npm");
            return None;
        };
        let mut command = Command::new("node");
        command.arg(root().join("tests").join(name)).env("PACKAGES", packages);
        let mut child = command.envs(variables.iter().copied()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Some(Self { child, lines })
    }

    /// The next line it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn ids(list: &Value, key: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
}

pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// The program serving on a free port; killed when dropped.
pub struct Process {
    pub child: Child,
    pub address: String,
}

impl Process {
    pub fn serve(base: &Base) -> Self {
        Self::serve_with(base, &[])
    }

    /// Settings are environment variables.
    pub fn serve_with(base: &Base, settings: &[(&str, &str)]) -> Self {
        Self::serve_at(base, "127.0.0.1:0", settings)
    }

    /// The same at an address, where it may have served before.
    pub fn serve_at(base: &Base, address: &str, settings: &[(&str, &str)]) -> Self {
        use std::io::BufRead;
        let mut child = Command::new(env!("CARGO_BIN_EXE_pharos"))
            .args(["serve", "--listen", address, "--log", "error"])
            .args(
                ["articles", "templates", "index", "data"]
                    .map(|name| format!("--{name}={}", base.path(name).display())),
            )
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        assert!(address.starts_with("127.0.0.1:"), "unexpected: {line}");
        Self { child, address }
    }

    /// The status and body of a GET; `None` when there is no answer.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        self.ask("GET", path, "")
    }

    /// The same in a session.
    pub fn ask_as(&self, cookie: &str, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        self.ask_with(&format!("cookie: {cookie}\r\nsec-fetch-site: same-origin\r\n"), method, path, body)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        self.ask_with("", method, path, body)
    }

    fn ask_with(&self, headers: &str, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").ok()?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).ok()?;
        let reply = String::from_utf8_lossy(&reply).into_owned();
        let (head, body) = reply.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    /// The status and body of a POST of JSON; `None` when there is no answer.
    pub fn post(&self, path: &str, body: &Value) -> Option<(u16, String)> {
        self.ask("POST", path, &body.to_string())
    }

    #[track_caller]
    pub fn wait_ready(&self) {
        let end = Instant::now() + PATIENCE;
        while self.get("/health/ready").is_none_or(|(status, _)| status != 200) {
            assert!(Instant::now() < end, "the program never became ready");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    pub fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path).unwrap_or_else(|| panic!("no answer to {path}"));
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
