//! Benchmarks of the hot paths: parse, index, query. `cargo bench`; compare ratios taken in one run.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to say")]

use std::sync::Arc;

use divan::{Bencher, black_box};
use jiff::civil::Date;
use pharos::answers::templates::Templates;
use pharos::content::article::Article;
use pharos::content::catalog::Catalog;
use pharos::content::folders::FolderFiles;
use pharos::content::library::{Library, Source};
use pharos::content::markdown::{self, Reading};
use pharos::index::generation::Generation;
use pharos::index::manifest::Checkpoint;
use pharos::index::writer::{Pace, Writer};
use pharos::language::{codes, morphology, words};
use pharos::quality::analysis::{Analysis, Base, Memory};
use pharos::search::engine::{Engine, Request};
use pharos::search::filter::Filter;

fn main() {
    divan::main();
}

const DAY: Date = Date::constant(2026, 11, 23);

const WORDS: &[&str] = &[
    "тариф",
    "подключить",
    "пакет",
    "сообщений",
    "абонент",
    "оператор",
    "роуминг",
    "баланс",
    "кабинет",
    "интернет",
    "скорость",
    "номер",
    "договор",
    "услуга",
    "стоимость",
    "месяц",
    "package",
    "network",
    "price",
    "support",
    "перенос",
    "минуты",
    "поездка",
    "салон",
    "паспорт",
    "оплата",
    "счёт",
    "код",
];

/// An article of about 4 KB, different for each number.
fn article(number: usize) -> String {
    let word = |i: usize| WORDS[(number * 31 + i * i * 7 + i) % WORDS.len()];
    let mut text = format!(
        "---\ntitle: {} {} {number}\nkind: procedure\ntags: [{}]\n---\n\n",
        word(1),
        word(2),
        word(3)
    );
    for section in 0..6 {
        text.push_str(&format!("## {} {}\n\n", word(section + 5), word(section + 9)));
        for line in 0..5 {
            let sentence: Vec<&str> = (0..9).map(|i| word(section * 50 + line * 10 + i)).collect();
            text.push_str(&format!("{}. {} `*155*{}#`\n", line + 1, sentence.join(" "), number % 1000));
        }
        text.push('\n');
    }
    text
}

fn engine(articles: usize) -> Engine {
    let generation = Generation::in_memory().expect("an index in memory");
    let mut writer = Writer::new(generation.index.clone(), generation.fields, Pace::Bulk).expect("a writer");
    let catalog = Arc::new(Catalog::default());
    let mut library = Library::of(Vec::new(), FolderFiles::default(), Arc::clone(&catalog), DAY);
    for number in 0..articles {
        let path = format!("a/{number}.md");
        let parsed = Article::parse("articles", &path, &article(number)).0.expect("a good article");
        let slot = library.put(Source::made(parsed.article.clone()));
        writer.put(slot, &parsed, &catalog, DAY).expect("indexed");
    }
    let checkpoint = Checkpoint { format: String::new(), log: String::new(), length: 0, hash: String::new() };
    writer.commit(&checkpoint).expect("committed");
    Engine::new(Arc::new(library), generation.latest().expect("readable"), Arc::new(Templates::default()))
}

#[divan::bench]
fn parse_article(bencher: Bencher<'_, '_>) {
    let text = article(7);
    bencher.bench(|| Article::parse("articles", "a.md", black_box(&text)));
}

#[divan::bench]
fn render_article(bencher: Bencher<'_, '_>) {
    let parsed = Article::parse("articles", "a.md", &article(7)).0.expect("a good article");
    let catalog = Catalog::default();
    let reading = Reading {
        catalog: &catalog,
        lang: parsed.article.lang,
        at: pharos::content::validity::Standpoint::public(DAY),
        library: None,
    };
    bencher.bench(|| {
        markdown::render_sections(black_box(&parsed.body), &parsed.article.sections, "a.md", reading)
    });
}

#[divan::bench]
fn words_of_article(bencher: Bencher<'_, '_>) {
    let text = article(7);
    bencher.bench(|| words::words(black_box(&text)));
}

#[divan::bench]
fn codes_of_article(bencher: Bencher<'_, '_>) {
    let text = article(7);
    bencher.bench(|| codes::find_codes(black_box(&text)));
}

#[divan::bench]
fn lemma_seen_before() -> String {
    morphology::lemma(black_box("сообщений"))
}

#[divan::bench(sample_count = 5)]
fn index_500_articles() -> Engine {
    engine(500)
}

#[divan::bench(args = ["тариф", "подключить пакет", "*155*77#", "подкл", "стоимость роуминга в поездке за месяц"])]
fn search_3000_articles(bencher: Bencher<'_, '_>, query: &str) {
    static ENGINE: std::sync::OnceLock<Engine> = std::sync::OnceLock::new();
    let engine = ENGINE.get_or_init(|| engine(3_000));
    let request =
        // Explained replies are not remembered, so that each is a search.
        Request { explain: true, ..Request::new(query, Filter::on(DAY)) };
    bencher.bench(|| engine.search(black_box(&request)));
}

#[divan::bench(args = ["тар", "подключить па"])]
fn suggest_3000_articles(bencher: Bencher<'_, '_>, query: &str) {
    static ENGINE: std::sync::OnceLock<Engine> = std::sync::OnceLock::new();
    let engine = ENGINE.get_or_init(|| engine(3_000));
    bencher.bench(|| engine.suggest(black_box(query), 8, &Filter::on(DAY)));
}

/// All findings of a base: read for the first time, and again after nothing changed.
#[divan::bench(args = [false, true], sample_count = 5)]
fn quality_of_3000_articles(bencher: Bencher<'_, '_>, is_remembered: bool) {
    static ENGINE: std::sync::OnceLock<Engine> = std::sync::OnceLock::new();
    let engine = ENGINE.get_or_init(|| engine(3_000));
    let body = |id: &str| engine.reader.source(id).ok().flatten();
    let folders = ["articles", "templates"];
    let Engine { library, templates, .. } = engine;
    let base = Base { library, templates, folders, day: DAY, body: &body };
    let memory = Memory::default();
    Analysis::of(&base, &memory);
    bencher.bench(|| {
        let fresh = Memory::default();
        Analysis::of(black_box(&base), if is_remembered { &memory } else { &fresh })
    });
}
