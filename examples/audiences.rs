//! What permissions cost a search: the same articles without audiences and with them, asked over the router by nobody in particular and by
//! some of 11,000 people in 300 teams, ten queries each, in one run.
//!
//! `cargo run --release --example audiences -- FOLDER...` reads the Markdown below each folder into two temporary bases: in one, seven of ten
//! articles are for thirty of the teams each. Queries of two words are drawn from titles with a fixed seed, and each is asked of both bases
//! one after the other, so that whatever else the machine does falls on both.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program for developers")]

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use pharos::accounts::Accounts;
use pharos::accounts::audit::Actor;
use pharos::accounts::people::NewPerson;
use pharos::accounts::permissions::Role;
use pharos::accounts::sessions::{Client, ProvedBy};
use pharos::accounts::teams::TeamChange;
use pharos::app::changes::Changes;
use pharos::app::running::{App, Options};
use pharos::app::snapshot::Folders;
use pharos::clock::Clock;
use pharos::database::{Database, Place};
use pharos::editing::Editing;
use pharos::http::state::AppState;
use pharos::language::words;
use pharos::reading::Reading;
use pharos::server;
use pharos::settings::{Settings, WatchSetting};
use tokio::sync::watch;
use tower::ServiceExt;

const SEED: u64 = 20_261_125;
const TEAMS: usize = 300;
const PEOPLE: usize = 11_000;
const TEAMS_OF_EACH: usize = 3;
const TEAMS_OF_AN_ARTICLE: usize = 30;
/// How many queries one person asks, one after the other.
const QUERIES_OF_EACH: usize = 10;
const QUERIES: usize = 3_000;
const WARM_UP: usize = 200;

struct Base {
    state: AppState,
    router: Router,
    _stop: watch::Sender<bool>,
}

fn main() {
    let folders: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    assert!(!folders.is_empty(), "name folders with Markdown");
    let scratch = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (plain, restricted) = (scratch.path().join("plain"), scratch.path().join("restricted"));
        let articles = copy(&folders, &plain, &restricted);
        let (without, with) = (start(&plain).await, start(&restricted).await);
        let began = Instant::now();
        let cookies = people(&with.state.accounts).await;
        println!("{articles} articles, {PEOPLE} people in {TEAMS} teams (made in {:?})", began.elapsed());
        let queries = queries(&without);
        measure(&without, &with, &cookies, &queries).await;
        without.state.app.stop();
        with.state.app.stop();
    });
}

/// Copies the articles twice, with audiences and without. Returns how many there are.
fn copy(folders: &[PathBuf], plain: &Path, restricted: &Path) -> usize {
    fastrand::seed(SEED);
    let mut number = 0;
    for folder in folders {
        for entry in walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().flatten() {
            let Some(text) = entry
                .path()
                .extension()
                .filter(|e| *e == "md")
                .and_then(|_| std::fs::read_to_string(entry.path()).ok())
            else {
                continue;
            };
            number += 1;
            let name = format!("articles/{:03}/{number}.md", number / 100);
            let audience: Vec<String> =
                (0..TEAMS_OF_AN_ARTICLE).map(|_| format!("team-{}", fastrand::usize(..TEAMS))).collect();
            let line = format!("audience: [{}]\n", audience.join(", "));
            let is_restricted = fastrand::usize(..10) < 7;
            let head = match text.strip_prefix("---\n") {
                _ if !is_restricted => text.clone(),
                Some(rest) => format!("---\n{line}{rest}"),
                None => format!("---\n{line}---\n{text}"),
            };
            for (root, text) in [(plain, &text), (restricted, &head)] {
                let path = root.join(&name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
        }
    }
    number
}

async fn start(root: &Path) -> Base {
    let settings = Settings {
        articles: root.join("articles"),
        templates: root.join("templates"),
        index: root.join("index"),
        data: root.join("data"),
        watch: WatchSetting::Off,
        requests_per_minute: 0,
        ..Settings::default()
    };
    let database = Database::open(&Place::named("", &settings.data)).await.unwrap();
    let accounts = Accounts::open(database.clone(), &settings).await.unwrap();
    let changes = Changes::open(database.clone()).await.unwrap();
    let app =
        App::start(Options { clock: Clock::system(settings.zone()), ..Options::of(&settings) }, changes);
    let (stop, stopping) = watch::channel(false);
    let folders = Folders::of(&settings);
    let editing = Editing::open(database.clone(), [folders.articles, folders.templates], app.remote(), false)
        .await
        .unwrap();
    let reading = Reading::open(database.clone()).await.unwrap();
    let state = AppState::new(Arc::clone(&app), database, accounts, editing, reading, settings, stopping);
    while app.snapshot().is_none() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Base { router: server::router(state.clone()), state, _stop: stop }
}

/// Makes the people; returns the cookies of their browsers.
async fn people(accounts: &Accounts) -> Vec<String> {
    let (actor, now) = (Actor::command_line(), Clock::system(jiff::tz::TimeZone::UTC).now());
    let mut teams = Vec::new();
    for number in 0..TEAMS {
        let new = TeamChange { name: Some(format!("team-{number}")), ..TeamChange::default() };
        teams.push(accounts.add_team(&new, &actor, now).await.unwrap().id);
    }
    let client = Client { address: "192.0.2.1".to_owned(), agent: "measuring".to_owned() };
    let mut members: Vec<Vec<String>> = vec![Vec::new(); TEAMS];
    let mut cookies = Vec::with_capacity(PEOPLE);
    for number in 0..PEOPLE {
        let new = NewPerson {
            login: format!("person-{number}"),
            roles: vec![Role::Operator],
            ..NewPerson::default()
        };
        let person = accounts.add_person(&new, &actor, now).await.unwrap();
        for _ in 0..TEAMS_OF_EACH {
            members[fastrand::usize(..TEAMS)].push(person.id.clone());
        }
        let opened = accounts.open_session(&person.id, ProvedBy::Password, &client, None, now).await.unwrap();
        cookies.push(format!("__Host-pharos-session={}", opened.secret));
    }
    for (team, members) in teams.iter().zip(members) {
        accounts.change_members(team, &members, &[], &actor, now).await.unwrap();
    }
    cookies
}

/// Different queries of two words that stand in one title.
fn queries(base: &Base) -> Vec<String> {
    let snapshot = base.state.app.snapshot().unwrap();
    let titles: Vec<Vec<String>> = snapshot
        .engine
        .library
        .articles()
        .map(|(_, article)| {
            words::words(&article.title)
                .into_iter()
                .map(|word| word.form)
                .filter(|w| w.chars().count() > 3)
                .collect()
        })
        .filter(|words: &Vec<String>| words.len() > 1)
        .collect();
    let mut queries: Vec<String> = Vec::new();
    // No query comes twice: replies are remembered, and here the search itself is measured.
    let mut known = HashSet::new();
    while queries.len() < QUERIES + WARM_UP {
        let title = &titles[fastrand::usize(..titles.len())];
        let from = fastrand::usize(..title.len() - 1);
        let query = format!("{} {}", title[from], title[from + 1]);
        if known.insert(query.clone()) {
            queries.push(query);
        }
    }
    queries
}

async fn ask(base: &Base, query: &str, cookie: Option<&str>) -> (Duration, u64) {
    let encoded = percent_encoding::utf8_percent_encode(query, percent_encoding::NON_ALPHANUMERIC);
    let mut request = Request::get(format!("/api/v1/search?q={encoded}")).header("host", "localhost");
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let request = request.body(Body::empty()).unwrap();
    let began = Instant::now();
    let reply = base.router.clone().oneshot(request).await.unwrap();
    assert!(reply.status().is_success(), "{query}: {}", reply.status());
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    let took = began.elapsed();
    let reply: serde_json::Value = serde_json::from_slice(&body).unwrap();
    (took, reply["total"].as_u64().unwrap())
}

async fn measure(without: &Base, with: &Base, cookies: &[String], queries: &[String]) {
    let mut all = [Vec::new(), Vec::new()];
    let mut found = [0, 0];
    let mut cookie = "";
    for (number, query) in queries.iter().enumerate() {
        if number % QUERIES_OF_EACH == 0 {
            // Somebody who has not asked lately: the first of his queries finds him in the store.
            cookie = &cookies[fastrand::usize(..cookies.len())];
        }
        // Each goes first as often as the other.
        let (plain, restricted) = if number % 2 == 0 {
            let plain = ask(without, query, None).await;
            (plain, ask(with, query, Some(cookie)).await)
        } else {
            let restricted = ask(with, query, Some(cookie)).await;
            (ask(without, query, None).await, restricted)
        };
        if number >= WARM_UP {
            all[0].push(plain.0);
            all[1].push(restricted.0);
            found[0] += plain.1;
            found[1] += restricted.1;
        }
    }
    for (name, (times, found)) in ["without", "with"].iter().zip(all.iter_mut().zip(found)) {
        times.sort_unstable();
        let at = |p: f64| times[((times.len() - 1) as f64 * p) as usize];
        let sum: Duration = times.iter().sum();
        println!(
            "{name}: mean {:?}, p50 {:?}, p95 {:?}, p99 {:?}; {:.0} articles found a query",
            sum / u32::try_from(times.len()).unwrap(),
            at(0.5),
            at(0.95),
            at(0.99),
            found as f64 / times.len() as f64
        );
    }
    let sum = |times: &[Duration]| times.iter().sum::<Duration>().as_secs_f64();
    println!(
        "with / without: mean {:.3}, p50 {:.3}",
        sum(&all[1]) / sum(&all[0]),
        all[1][all[1].len() / 2].as_secs_f64() / all[0][all[0].len() / 2].as_secs_f64()
    );
}
