//! How soon a feed is live: a catalogue of 30,000 products, some thousand articles and wordings that show its values, and a price list in
//! which a thousand prices are new.
//!
//! `cargo run --release --example feed -- [PRODUCTS] [ARTICLES] [CHANGES]`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "it measures, and fails by panicking")]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pharos::accounts::Accounts;
use pharos::app::changes::Changes;
use pharos::app::feeding::{FamilyFiles, Feeding, look_through};
use pharos::app::running::{App, Options};
use pharos::content::catalog::{Lang, parse_family};
use pharos::content::validity::Standpoint;
use pharos::database::{Database, Place};
use pharos::editing::Editing;
use pharos::feeds::rewrite::rewrite;
use pharos::search::engine::Request;
use pharos::search::filter::Filter;
use pharos::settings::{FeedColumn, FeedSettings, Settings};

/// How often the feed is looked at, as by the server.
const LOOK_EVERY: Duration = Duration::from_millis(100);

fn catalog(products: usize) -> String {
    let mut text = String::from(
        "# Товары\nfamily: goods\ntitle: {ru: Товары, en: Goods}\nattributes:\n  price: {type: money, label: {ru: Цена, en: Price}}\n  \
         stock: {type: count, label: {ru: Остаток, en: Stock}}\n  term: {type: period, label: {ru: Срок, en: Term}}\nproducts:\n",
    );
    for n in 0..products {
        let (price, stock) = (1_000 + n % 5_000, n % 500);
        writeln!(
            text,
            "  - id: goods-{n}\n    title: {{ru: Товар {n}, en: Item {n}}}\n    values:\n      price: {price}\n      stock: {stock}\n      term: 30 days"
        )
        .unwrap();
    }
    text
}

/// A price list; the prices of `changes` products, `round` of them, are another one's than in the catalogue.
fn prices(products: usize, changes: usize, round: usize) -> String {
    let mut text = String::from("SKU;Price;Stock\n");
    for n in 0..products {
        let is_new = n % (products / changes) == 0;
        let price = 1_000 + n % 5_000 + if is_new { round } else { 0 };
        writeln!(text, "goods-{n};{price};{}", n % 500).unwrap();
    }
    text
}

fn write_content(root: &Path, products: usize, articles: usize) {
    std::fs::create_dir_all(root.join("articles/catalog")).unwrap();
    std::fs::create_dir_all(root.join("templates")).unwrap();
    std::fs::create_dir_all(root.join("feeds")).unwrap();
    std::fs::write(root.join("articles/catalog/goods.yaml"), catalog(products)).unwrap();
    for n in 0..articles {
        let folder = root.join(format!("articles/{}", n / 500));
        std::fs::create_dir_all(&folder).unwrap();
        let values: Vec<String> = (0..5)
            .map(|k| format!("Позиция стоит {{{{ goods-{}.price }}}}.", (n * 7 + k * 6_007) % products))
            .collect();
        let body = format!(
            "---\ntitle: Статья {n}\n---\n{}\n\n## Подробности\n\n{}\n",
            values.join(" "),
            "Как оформить возврат и обмен. ".repeat(40)
        );
        std::fs::write(folder.join(format!("a{n}.md")), body).unwrap();
        if n % 4 == 0 {
            let body = format!(
                "---\ntitle: Ответ {n}\n---\n# chat\nСтоит {{{{ goods-{}.price }}}}.\n",
                n * 7 % products
            );
            std::fs::write(root.join(format!("templates/t{n}.md")), body).unwrap();
        }
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let number = |at: usize, default: usize| arguments.get(at).copied().unwrap_or(default);
    let (products, articles, changes) = (number(0, 30_000), number(1, 4_000), number(2, 1_000));
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write_content(root, products, articles);
    let column = |column: &str, sets: &str| FeedColumn {
        column: column.into(),
        sets: sets.into(),
        ..FeedColumn::default()
    };
    let feed = FeedSettings {
        name: "prices".into(),
        source: root.join("feeds/prices.csv").display().to_string(),
        family: "goods".into(),
        columns: vec![column("SKU", "id"), column("Price", "price"), column("Stock", "stock")],
        ..FeedSettings::default()
    };
    let settings = Settings {
        articles: root.join("articles"),
        templates: root.join("templates"),
        index: root.join("index"),
        data: root.join("data"),
        feeds: vec![feed.clone()],
        ..Settings::default()
    };
    let database = Database::open(&Place::named("", &settings.data)).await.unwrap();
    let accounts = Arc::new(Accounts::open(database.clone(), &settings).await.unwrap());
    let options = Options::of(&settings);
    let folders = [options.folders.articles.clone(), options.folders.templates.clone()];
    let started = Instant::now();
    let app = App::start(options, Changes::open(database.clone()).await.unwrap());
    while app.snapshot().is_none() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("{products} products, {articles} articles, loaded in {:?}", started.elapsed());
    parts(&app, &feed, root, products, changes);
    let editing = Arc::new(Editing::open(database.clone(), folders, app.remote(), false).await.unwrap());
    let feeding = Arc::new(Feeding::new(&settings.feeds, database, Arc::clone(&app), editing, accounts));
    let following = Arc::clone(&feeding);
    tokio::spawn(async move {
        loop {
            following.run_if_due("prices").await.unwrap();
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
    for round in 1..=5 {
        tokio::time::sleep(Duration::from_secs(4)).await;
        let text = prices(products, changes, round);
        let saved = Instant::now();
        std::fs::write(root.join("feeds/prices.csv"), text).unwrap();
        let wanted = 1_000 + round;
        loop {
            let snapshot = app.snapshot().unwrap();
            let at = Standpoint::public(app.clock.today());
            let shown =
                snapshot.engine.library.catalog.show("goods-0.price", Lang::En, at).unwrap_or_default();
            let filter = Filter::on(app.clock.today());
            let found = snapshot.engine.search(&Request::new(&wanted.to_string(), filter)).unwrap();
            if shown.contains(&wanted.to_string()[1..]) && !found.hits.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let live = saved.elapsed();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let run = feeding.runs().list("prices", None, 1).await.unwrap().pop().unwrap();
        let of = |us: u64| Duration::from_micros(us);
        let summary = &run.summary;
        println!(
            "round {round}: live in {live:?}; plan {:?}, rewrite {:?}, publish and take up {:?}; {} values, {:?}",
            of(summary.planned_us),
            of(summary.written_us),
            of(summary.published_us),
            summary.values,
            run.state
        );
    }
    app.stop();
}

/// What single steps cost.
fn parts(app: &App, feed: &FeedSettings, root: &Path, products: usize, changes: usize) {
    let path = "articles/catalog/goods.yaml";
    let text = std::fs::read_to_string(root.join(path)).unwrap();
    let timed = |what: &str, started: Instant| println!("  {what}: {:?}", started.elapsed());
    let started = Instant::now();
    let family = parse_family(path, &text).0.unwrap();
    timed(&format!("parse {} bytes of YAML", text.len()), started);
    let snapshot = app.snapshot().unwrap();
    let files = FamilyFiles::of(&snapshot.engine.library.catalog, "articles", "goods").unwrap();
    let csv = prices(products, changes, 9);
    let started = Instant::now();
    let (plan, _) = look_through(csv.as_bytes(), feed, &files).unwrap();
    timed("read, check, compare", started);
    let started = Instant::now();
    rewrite(path, &text, &family, &plan.files[path]).unwrap();
    timed("rewrite and prove", started);
}
