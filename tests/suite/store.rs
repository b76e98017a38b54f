//! The store, in SQLite and in PostgreSQL: the same tests on both.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use pharos::accounts::Accounts;
use pharos::accounts::audit::Actor;
use pharos::accounts::people::NewPerson;
use pharos::accounts::permissions::Role;
use pharos::accounts::sessions::{Client, ProvedBy};
use pharos::app::progress::Progress;
use pharos::app::{backup, backup::Content};
use pharos::database::tables::{Kind, TABLES};
use pharos::database::{Backend, Database, Place, StoreError, dump};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::harness::{Base, Process, Served, Visitor, encode};

/// Where PostgreSQL is: an address that may make databases.
const SERVER: &str = "PHAROS_TEST_POSTGRES";

/// A store of a test's own: a file in its folder, or a database that is dropped with it.
pub struct Store {
    pub base: Base,
    /// As settings name it.
    database: String,
    server: Option<(String, String)>,
}

impl Store {
    fn file() -> Self {
        Self { base: base(), database: String::new(), server: None }
    }

    fn server(server: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("pharos_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        run(on_server(server, format!("CREATE DATABASE {name}")));
        let address = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        Self { base: base(), database: address, server: Some((server.to_owned(), name)) }
    }

    pub fn database(&self) -> &str {
        &self.database
    }

    fn place(&self) -> Place {
        Place::named(&self.database, &self.base.path("data"))
    }

    pub async fn open(&self) -> Database {
        Database::open(&self.place()).await.unwrap()
    }

    pub fn start(&self) -> Served {
        Served::start(pharos::settings::Settings { database: self.database.clone(), ..self.base.settings() })
    }

    pub fn serve(&self) -> Process {
        Process::serve_with(&self.base, &[("PHAROS_DATABASE", &self.database)])
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.server {
            run(on_server(server, format!("DROP DATABASE {name} WITH (FORCE)")));
        }
    }
}

async fn on_server(server: &str, statement: String) {
    let database = sqlx::PgPool::connect(server).await.unwrap();
    sqlx::query(AssertSqlSafe(statement)).execute(&database).await.unwrap();
    database.close().await;
}

fn base() -> Base {
    Base::with(&[
        ("articles/packs.md", "---\ntitle: Пакеты\n---\n\nНаберите *155*2#.\n"),
        ("articles/pictures/one.png", "not really"),
        (
            "templates/hello.md",
            "---\ntitle: Приветствие\narticles: [packs]\n---\n\n# chat\n\nЗдравствуйте!\n",
        ),
    ])
}

pub fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

/// The same test on both.
pub fn on_each(test: impl Fn(&Store)) {
    test(&Store::file());
    match std::env::var_os(SERVER) {
        Some(server) => {
            test(&Store::server(server.to_str().unwrap()));
            eprintln!("on PostgreSQL, too");
        }
        None => eprintln!("not on PostgreSQL: {SERVER} names none"),
    }
}

fn gap(number: usize) -> Value {
    json!({"query": format!("вопрос номер {number}"), "note": "о «кавычках» и ' и \\ и \u{1F600}", "region": "moscow", "lang": "ru"})
}

/// The questions kept.
fn kept(database: &Database) -> impl Future<Output = BTreeSet<String>> {
    let database = database.clone();
    async move {
        let rows: Vec<(String,)> =
            sqlx::query_as("SELECT query FROM gap_reports").fetch_all(database.pool()).await.unwrap();
        rows.into_iter().map(|(query,)| query).collect()
    }
}

#[test]
fn store_tables_are_as_described() {
    on_each(|store| {
        run(async {
            // Many programs may start on a new store at one time.
            let opened = (0..8).map(|_| {
                let place = store.place();
                tokio::spawn(async move { Database::open(&place).await })
            });
            for one in opened.collect::<Vec<_>>() {
                one.await.unwrap().unwrap();
            }
            let database = store.open().await;
            let statement = match database.backend() {
                Backend::Sqlite => {
                    "SELECT m.name, c.name, UPPER(c.type) FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                     WHERE m.type = 'table' ORDER BY m.name, c.cid"
                }
                Backend::Postgres => {
                    "SELECT table_name::TEXT, column_name::TEXT, UPPER(data_type)::TEXT FROM information_schema.columns \
                     WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
                }
            };
            let found: Vec<(String, String, String)> =
                sqlx::query_as(statement).fetch_all(database.pool()).await.unwrap();
            let found: Vec<_> = found
                .into_iter()
                .filter(|(table, ..)| !table.starts_with(['_']) && !table.starts_with("sqlite_"))
                .collect();
            let kind = |kind: Kind| if kind == Kind::Text { "TEXT" } else { "BIGINT" };
            let mut expected: Vec<(String, String, String)> = TABLES
                .iter()
                .flat_map(|table| {
                    table
                        .columns
                        .iter()
                        .map(|(name, k)| (table.name.to_owned(), (*name).to_owned(), kind(*k).to_owned()))
                })
                .collect();
            expected.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(found, expected);
        });
    });
}

#[test]
fn store_of_a_newer_program_is_left_alone() {
    on_each(|store| {
        run(async {
            let database = store.open().await;
            sqlx::query("UPDATE _sqlx_migrations SET version = 999 WHERE version = 2")
                .execute(database.pool())
                .await
                .unwrap();
            database.close().await;
            let error = Database::open(&store.place()).await.unwrap_err().to_string();
            assert!(error.contains("newer version of Pharos"), "{error}");
        });
    });
    let error =
        run(Database::open(&Place::of("postgres://anna:secret@127.0.0.1:1/none"))).unwrap_err().to_string();
    assert!(error.contains("anna@127.0.0.1:1/none") && !error.contains("secret"), "{error}");
    let error = run(Database::open(&Place::of("/proc/none/pharos.db"))).unwrap_err().to_string();
    assert!(error.contains("/proc/none/pharos.db") && error.contains("pharos.toml"), "{error}");
}

#[test]
fn store_keeps_gaps_and_changes_over_a_restart() {
    on_each(|store| {
        let served = store.start();
        assert_eq!(served.post("/api/v1/gaps", &gap(1)).status, 201);
        let again = served.post("/api/v1/gaps", &json!({"query": "ВОПРОС, номер 1?"})).json();
        assert_eq!((&again["times"], &again["regions"]), (&json!(2), &json!(["moscow"])));
        store.base.write("articles/new.md", "# Новая\n");
        served.wait_until("the change is told", |s| s.json("/api/v1/changes")["total"] == 1);
        drop(served);
        let served = store.start();
        assert_eq!(served.json("/api/v1/changes")["changes"][0]["id"], "new");
        let gaps = served.json("/api/v1/gaps");
        assert_eq!((&gaps["total"], &gaps["gaps"][0]["notes"][0]), (&json!(1), &gap(1)["note"]));
        assert_eq!(served.json("/api/v1/gaps?limit=0")["gaps"], json!([]));
    });
}

#[test]
fn store_rows_are_carried_whole_or_not_at_all() {
    on_each(|store| {
        let others =
            [Some(Store::file()), std::env::var_os(SERVER).map(|s| Store::server(s.to_str().unwrap()))];
        run(async {
            let database = store.open().await;
            for (id, note) in [("a", None), ("b", Some("о «кавычках» и '\\ \u{1F600}"))] {
                sqlx::query(
                    "INSERT INTO gap_reports (id, at, query, folded, note) VALUES ($1, $2, $3, $4, $5)",
                )
                .bind(id)
                .bind(i64::MAX)
                .bind("q\n\t\"")
                .bind("")
                .bind(note)
                .execute(database.pool())
                .await
                .unwrap();
            }
            let mut lines = Vec::new();
            let counts = dump::write(&database, &mut lines).await.unwrap();
            assert_eq!((counts["gap_reports"], counts["changes"]), (2, 0));
            // Into another store of either kind, by a file and directly.
            for other in others.iter().flatten() {
                let target = other.open().await;
                assert_eq!(dump::read(&target, &mut lines.as_slice()).await.unwrap(), counts);
                let mut again = Vec::new();
                dump::write(&target, &mut again).await.unwrap();
                assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(lines.clone()).unwrap());
                let error = dump::copy(&database, &target, || ()).await.unwrap_err().to_string();
                assert!(error.contains("not empty"), "{error}");
                sqlx::query("DELETE FROM gap_reports").execute(target.pool()).await.unwrap();
                assert_eq!(dump::copy(&database, &target, || ()).await.unwrap(), counts);
                sqlx::query("DELETE FROM gap_reports").execute(target.pool()).await.unwrap();
                // A line that is no row: nothing of the file is kept.
                let text = String::from_utf8(lines.clone()).unwrap();
                for broken in [
                    text.replace("\"at\":9223372036854775807", "\"at\":\"9\""),
                    format!("{text}{{\"table\":\"people\",\"row\":{{}}}}\n"),
                    format!("{text}{{\"ta"),
                    text.replace("\"lang\"", "\"evil\""),
                ] {
                    assert_ne!(broken, text);
                    let error = dump::read(&target, &mut broken.as_bytes()).await.unwrap_err().to_string();
                    assert!(error.starts_with("line "), "{error}");
                    assert_eq!(dump::count(&target).await.unwrap(), 0);
                }
                target.close().await;
            }
        });
    });
}

#[test]
fn store_takes_two_hundred_who_write_and_search_at_once() {
    const CLIENTS: usize = 200;
    const EACH: usize = 5;
    on_each(|store| {
        let cookies = run(people(store, CLIENTS, Role::Operator));
        let process = store.serve();
        process.wait_ready();
        std::thread::scope(|scope| {
            for (client, cookie) in cookies.iter().enumerate() {
                let process = &process;
                scope.spawn(move || {
                    for number in 0..EACH {
                        let own = gap(client * EACH + number).to_string();
                        let (status, body) = process.ask_as(cookie, "POST", "/api/v1/gaps", &own).unwrap();
                        assert_eq!(status, 201, "{body}");
                        let path = format!("/api/v1/search?q={}", encode("пакет"));
                        let (status, body) = process.ask_as(cookie, "GET", &path, "").unwrap();
                        assert_eq!(status, 200, "{body}");
                        let recents =
                            json!({"value": [{"kind": "article", "id": format!("{client}-{number}")}]});
                        let path = "/api/v1/me/kept/recents";
                        let (status, body) =
                            process.ask_as(cookie, "PUT", path, &recents.to_string()).unwrap();
                        assert_eq!(status, 204, "{body}");
                    }
                });
            }
        });
        drop(process);
        let (kept, belongings) = run(async {
            let database = store.open().await;
            let rows: Vec<(String,)> =
                sqlx::query_as("SELECT value FROM belongings").fetch_all(database.pool()).await.unwrap();
            (kept(&database).await, rows.into_iter().map(|(value,)| value).collect::<BTreeSet<_>>())
        });
        assert_eq!(kept.len(), CLIENTS * EACH);
        assert_eq!(belongings.len(), CLIENTS);
        assert!(belongings.iter().all(|value| value.contains(&format!("-{}", EACH - 1))));
    });
}

/// People who are signed in, as the cookies of their browsers.
pub async fn people(store: &Store, number: usize, role: Role) -> Vec<String> {
    let database = store.open().await;
    let accounts = Accounts::open(database.clone(), &store.base.settings()).await.unwrap();
    let mut cookies = Vec::new();
    for person in 0..number {
        let now = pharos::clock::Clock::system(jiff::tz::TimeZone::UTC).now();
        let new = NewPerson { login: format!("person-{person}"), roles: vec![role], ..NewPerson::default() };
        let added = accounts.add_person(&new, &Actor::command_line(), now).await.unwrap();
        let client = Client { address: "192.0.2.1".to_owned(), agent: "tests".to_owned() };
        let opened = accounts.open_session(&added.id, ProvedBy::Password, &client, None, now).await.unwrap();
        cookies.push(format!("__Host-pharos-session={}", opened.secret));
    }
    database.close().await;
    cookies
}

fn the_log_is_searched(admin: &Visitor<'_>) {
    for (query, found) in [
        ("q=петрова", true),
        ("action=token.", true),
        ("since=2026-11-23", true),
        ("since=2026-11-24", false),
        ("until=2026-11-24", true),
    ] {
        let entries = admin.json(&format!("/api/v1/audit?{}", query.replace("петрова", &encode("петрова"))))
            ["entries"]
            .clone();
        assert_eq!(!entries.as_array().unwrap().is_empty(), found, "{query}");
    }
}

/// Two administrators who leave at one time do not both leave.
fn one_administrator_stays(served: &Served, people: [&Visitor<'_>; 2]) {
    let requests = people.map(|person| {
        let request =
            person.request("PATCH", &format!("/api/v1/people/{}", person.id), Some(&json!({"roles": []})));
        tower::ServiceExt::oneshot(served.router.clone(), request)
    });
    let replies = served.runtime.block_on(futures_util::future::join_all(requests));
    let done = replies.into_iter().filter(|reply| reply.as_ref().unwrap().status().as_u16() == 200).count();
    assert_eq!(done, 1);
}

/// The ways of people through both stores: what the drivers make of types, nulls, conflicts and orders is the same.
#[test]
fn store_keeps_people_alike() {
    const PASSWORD: &str = "верблюд под зелёной скамейкой";
    on_each(|store| {
        let served = store.start();
        let admin = served.person("admin", &[Role::Administrator], &[]);
        let body = json!({"login": "anna", "name": "Анна Петрова", "email": "anna@example.org", "roles": ["lead"], "audiences": ["b2b"], "region": "moscow"});
        let added = admin.post("/api/v1/people", &body).json();
        let id = added["person"]["id"].as_str().unwrap();
        let secret = added["link"].as_str().unwrap().rsplit('#').next().unwrap();
        let anna = served.visitor();
        assert_eq!(
            anna.post("/api/v1/link", &json!({"secret": secret, "password": PASSWORD})).status.as_u16(),
            200
        );
        assert_eq!(
            anna.post("/api/v1/link", &json!({"secret": secret, "password": PASSWORD})).status.as_u16(),
            403
        );
        assert_eq!(served.visitor().sign_in("ANNA", "wrong").status.as_u16(), 403);
        assert_eq!(served.visitor().sign_in("ANNA", PASSWORD).status.as_u16(), 200);
        // Names with capitals are found as they are written, and without.
        for query in ["петрова", "Анна", "anna@example", "%", "_"] {
            let total = admin.json(&format!("/api/v1/people?q={}", encode(query)))["total"].as_u64().unwrap();
            assert_eq!(total, u64::from(!["%", "_"].contains(&query)), "{query}");
        }
        let team = admin
            .post("/api/v1/teams", &json!({"name": "Команда", "audiences": ["vip"], "roles": ["editor"]}))
            .json();
        let members = format!("/api/v1/teams/{}/members", team["id"].as_str().unwrap());
        assert_eq!(admin.ask("PATCH", &members, Some(&json!({"add": [id]}))).status.as_u16(), 204);
        assert_eq!(admin.json("/api/v1/teams")["teams"][0]["members"], 1);
        assert_eq!(anna.get("/api/v1/problems").status.as_u16(), 200);
        let setup = anna.post("/api/v1/me/second-factor", &json!({"password": PASSWORD})).json();
        let totp = totp_rs::Builder::new().with_account_name("x");
        let totp = totp
            .with_secret(totp_rs::Secret::try_from_base32(setup["secret"].as_str().unwrap()).unwrap())
            .build()
            .unwrap();
        let code = || totp.generate(u64::try_from(served.app.clock.now().as_second()).unwrap()).to_string();
        assert_eq!(
            anna.ask("PUT", "/api/v1/me/second-factor", Some(&json!({"code": code()}))).json()["codes"]
                .as_array()
                .unwrap()
                .len(),
            10
        );
        assert_eq!(served.visitor().sign_in("anna", PASSWORD).json()["code"], "second-factor-needed");
        served.app.clock.advance(jiff::SignedDuration::from_secs(90));
        let with_code = json!({"login": "anna", "password": PASSWORD, "code": code()});
        assert_eq!(served.visitor().post("/api/v1/session", &with_code).status.as_u16(), 200);
        let token = anna.post(
            "/api/v1/me/tokens",
            &json!({"name": "crm", "scopes": ["read"], "days": 1, "password": PASSWORD}),
        );
        assert_eq!(token.status.as_u16(), 201, "{}", token.text);
        assert_eq!(admin.json("/api/v1/tokens")["tokens"][0]["person_name"], "Анна Петрова");
        assert_eq!(
            anna.ask("PUT", "/api/v1/me/kept/layout", Some(&json!({"value": {"size": "l"}}))).status.as_u16(),
            204
        );
        the_log_is_searched(&admin);
        let now = served.app.clock.now();
        served.runtime.block_on(served.state.accounts.tidy(now)).unwrap();
        assert_eq!(anna.get("/api/v1/articles").status.as_u16(), 200);
        assert!(admin.json(&format!("/api/v1/people/{id}/export"))["tokens"][0]["name"] == "crm");
        let other = served.person("other", &[Role::Administrator], &[]);
        one_administrator_stays(&served, [&admin, &other]);
        let left = [&admin, &other]
            .into_iter()
            .find(|person| person.get("/api/v1/tokens").status.as_u16() == 200)
            .unwrap();
        assert_eq!(left.ask("DELETE", &format!("/api/v1/people/{id}"), None).status.as_u16(), 204);
        assert_eq!(anna.get("/api/v1/articles").status.as_u16(), 401);
        assert_eq!(left.json("/api/v1/health")["content_errors"], 0);
    });
}

#[test]
fn store_loses_nothing_acknowledged_when_the_program_is_killed() {
    const KILLS: usize = 50;
    on_each(|store| {
        let acknowledged = std::sync::Mutex::new(BTreeSet::new());
        let number = AtomicUsize::new(0);
        fastrand::seed(11);
        for _ in 0..KILLS {
            let process = store.serve();
            process.wait_ready();
            let wait = Duration::from_millis(fastrand::u64(5..60));
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        loop {
                            let body = gap(number.fetch_add(1, Ordering::Relaxed));
                            let Some((201, _)) = process.post("/api/v1/gaps", &body) else { return };
                            acknowledged.lock().unwrap().insert(body["query"].as_str().unwrap().to_owned());
                        }
                    });
                }
                std::thread::sleep(wait);
                let killed =
                    std::process::Command::new("kill").args(["-9", &process.child.id().to_string()]).status();
                assert!(killed.unwrap().success());
            });
        }
        let acknowledged = acknowledged.into_inner().unwrap();
        assert!(acknowledged.len() > KILLS, "only {} were written", acknowledged.len());
        let kept = run(async { kept(&store.open().await).await });
        let lost: Vec<_> = acknowledged.difference(&kept).collect();
        assert_eq!(lost, Vec::<&String>::new());
        eprintln!("{} acknowledged over {KILLS} kills, none lost", acknowledged.len());
    });
}

#[test]
fn store_that_is_busy_is_waited_for() {
    let store = Store::file();
    run(async {
        let (one, other) = (store.open().await, store.open().await);
        let writing = one.begin().await.unwrap();
        let waiting = tokio::spawn(async move {
            let work = || async { Ok(other.begin().await?.commit().await?) };
            other.patiently(work).await
        });
        tokio::time::sleep(Duration::from_millis(400)).await;
        assert!(!waiting.is_finished());
        writing.commit().await.unwrap();
        waiting.await.unwrap().unwrap();
    });
}

#[test]
fn store_that_lost_its_connections_is_asked_again() {
    let Some(server) = std::env::var_os(SERVER) else {
        eprintln!("not on PostgreSQL: {SERVER} names none");
        return;
    };
    let store = Store::server(server.to_str().unwrap());
    let name = &store.server.as_ref().unwrap().1;
    let served = store.start();
    for number in 0..20 {
        assert_eq!(served.post("/api/v1/gaps", &gap(number)).status, 201);
        let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        run(on_server(server.to_str().unwrap(), cut));
    }
    assert_eq!(served.json("/api/v1/gaps")["total"], 20);
    // A store that is gone altogether: told as such, and everything that needs none goes on.
    run(on_server(server.to_str().unwrap(), format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")));
    run(on_server(
        server.to_str().unwrap(),
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
    ));
    let reply = served.post("/api/v1/gaps", &gap(99));
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (503, &json!("store-unavailable")),
        "{}",
        reply.text
    );
    assert_eq!(served.found("пакеты", ""), ["packs"]);
    run(on_server(server.to_str().unwrap(), format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")));
    assert_eq!(served.post("/api/v1/gaps", &gap(99)).status, 201);
}

/// What some searches answer, without what is of the one request.
fn asked(process: &Process) -> Vec<String> {
    let ask = |query: &str| {
        let mut reply = process.json(&format!("/api/v1/search?q={}", encode(query)));
        for own in ["took_us", "search_id", "generation"] {
            reply.as_object_mut().unwrap().remove(own);
        }
        reply.to_string()
    };
    ["пакеты", "*155*2#", "наберите"].into_iter().map(ask).collect()
}

#[test]
fn store_and_content_are_backed_up_under_load_and_restored() {
    on_each(|store| {
        let process = store.serve();
        process.wait_ready();
        let told = AtomicUsize::new(0);
        let file = store.base.path("backup.tar.gz");
        let is_done = std::sync::atomic::AtomicBool::new(false);
        let before = std::thread::scope(|scope| {
            let (told, process, done) = (&told, &process, &is_done);
            for _ in 0..4 {
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        let number = told.load(Ordering::Relaxed);
                        assert_eq!(process.post("/api/v1/gaps", &gap(number)).unwrap().0, 201);
                        told.fetch_max(number + 1, Ordering::Relaxed);
                    }
                });
            }
            while told.load(Ordering::Relaxed) < 50 {
                std::thread::sleep(Duration::from_millis(5));
            }
            let before = told.load(Ordering::Relaxed);
            let made = store
                .base
                .command("backup")
                .arg(&file)
                .env("PHAROS_DATABASE", &store.database)
                .output()
                .unwrap();
            is_done.store(true, Ordering::Relaxed);
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            before
        });
        let answers = asked(&process);
        drop(process);

        // Into a new place: answers and what was told before the backup are there.
        let other = if store.server.is_some() {
            Store::server(std::env::var_os(SERVER).unwrap().to_str().unwrap())
        } else {
            Store::file()
        };
        let restore = |database: &str| {
            other.base.command("restore").arg(&file).env("PHAROS_DATABASE", database).output().unwrap()
        };
        let refused = restore(&other.database);
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("not empty"));
        for folder in ["articles", "templates"] {
            std::fs::remove_dir_all(other.base.path(folder)).unwrap();
        }
        // A backup that is cut off or damaged changes nothing.
        let bytes = std::fs::read(&file).unwrap();
        let mut damaged = bytes.clone();
        damaged[bytes.len() / 2] ^= 0x55;
        for wrong in [&bytes[..bytes.len() / 2], &bytes[..bytes.len() - 1], &damaged[..], &b"no backup"[..]] {
            let path = other.base.path("wrong.tar.gz");
            std::fs::write(&path, wrong).unwrap();
            run(async {
                let database = other.open().await;
                let (articles, templates) = (other.base.path("articles"), other.base.path("templates"));
                let content = Content { articles: &articles, templates: &templates };
                backup::restore(&database, &content, &path, &Progress::default()).await.unwrap_err();
                assert_eq!(dump::count(&database).await.unwrap(), 0);
                assert!(!articles.exists() && !templates.exists());
            });
        }
        let restored = restore(&other.database);
        assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
        let kept = run(async { kept(&other.open().await).await });
        for number in 0..before {
            assert!(kept.contains(gap(number)["query"].as_str().unwrap()), "{number} of {before}");
        }
        assert_eq!(std::fs::read(other.base.path("articles/pictures/one.png")).unwrap(), b"not really");
        let process = other.serve();
        process.wait_ready();
        assert_eq!(asked(&process), answers);
    });
}

#[test]
fn store_is_carried_from_sqlite_to_postgres_by_one_command() {
    let Some(server) = std::env::var_os(SERVER) else {
        eprintln!("not on PostgreSQL: {SERVER} names none");
        return;
    };
    let (from, to) = (Store::file(), Store::server(server.to_str().unwrap()));
    let served = from.start();
    (0..30).for_each(|number| assert_eq!(served.post("/api/v1/gaps", &gap(number)).status, 201));
    let before = served.json("/api/v1/gaps");
    drop(served);
    let carry = || from.base.command("migrate-store").args(["--to", &to.database]).output().unwrap();
    let carried = carry();
    let told = String::from_utf8_lossy(&carried.stdout).into_owned();
    // With them goes the history of the files, as far as it has come.
    let rows: usize = told.split(' ').next().unwrap().parse().unwrap();
    assert!(carried.status.success() && rows >= 30, "{told}");
    assert_eq!(to.start().json("/api/v1/gaps"), before);
    assert!(!carry().status.success(), "a store with rows is not filled again");
}

#[test]
fn store_errors_tell_what_passes_from_what_does_not() {
    run(async {
        let database = Store::file().open().await;
        let twice = "INSERT INTO changes (id, at, record) VALUES ('a', 1, ''), ('a', 1, '')";
        let error: StoreError = sqlx::query(twice).execute(database.pool()).await.unwrap_err().into();
        assert!(matches!(error, StoreError::Failed(_)), "{error}");
        database.close().await;
        let error: StoreError = sqlx::query(twice).execute(database.pool()).await.unwrap_err().into();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    });
}
