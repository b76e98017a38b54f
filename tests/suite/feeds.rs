//! Feeds: products and their values from other systems into the catalogue, checked, bounded, held back where a person has to look.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use pharos::accounts::permissions::Role;
use pharos::settings::{FeedColumn, FeedSettings, MissingProducts, Settings};
use serde_json::{Value, json};

use crate::harness::{Base, PATIENCE, Process, Served, Visitor};
use crate::store::{Store, on_each};

const CATALOG: &str = "# Ведёт отдел тарифов: не переставлять!
family: sms
title: {ru: Пакеты, en: Packages}
attributes:
  price: {type: money, label: {ru: Цена, en: Price}}
  size: {type: count, label: {ru: Размер, en: Size}, unit: SMS}
  connect: {type: code, label: {ru: Подключить, en: Connect}}
  note: {type: text, label: {ru: Примечание, en: Note}}
products:
  - id: sms-100   # главный пакет
    title: {ru: Сто SMS, en: Hundred SMS}
    aliases: [сто смс]
    values:
      # цена с НДС
      price: 100    # в месяц
      size: 100
      connect: \"*155*1#\"
  - id: sms-300
    title: Триста SMS
    values: {price: 250, size: 300}
  - id: sms-500
    title: Пятьсот
    values:
      price:
        - 400
        - {value: 380, regions: [moscow]}
# конец
";

fn prepare(base: &Base) {
    base.write("articles/catalog/sms.yaml", CATALOG);
    base.write(
        "articles/pack.md",
        "---\ntitle: Пакет\nproducts: [sms-100]\n---\nСтоит {{ sms-100.price }}, а другой {{ sms-300.price }}.\n",
    );
    base.write("articles/other.md", "---\ntitle: Другое\n---\nРазмер {{ sms-100.size }}.\n");
    base.write("templates/_cost.md", "Цена {{ sms-100.price }}.");
    base.write(
        "templates/pack.md",
        "---\ntitle: Ответ\narticles: [pack]\n---\n# chat\n{% include \"_cost\" %}\n",
    );
    std::fs::create_dir_all(base.path("feeds")).unwrap();
}

fn column(column: &str, sets: &str) -> FeedColumn {
    FeedColumn { column: column.to_owned(), sets: sets.to_owned(), ..FeedColumn::default() }
}

fn feed(base: &Base) -> FeedSettings {
    FeedSettings {
        name: "prices".to_owned(),
        source: base.path("feeds/prices.csv").to_str().unwrap().to_owned(),
        family: "sms".to_owned(),
        columns: vec![column("Артикул", "id"), column("Название", "title.ru"), column("Цена", "price")],
        // By hand, but where a test says otherwise: nothing happens between two lines of a test.
        at: vec!["00:00".to_owned()],
        ..FeedSettings::default()
    }
}

fn start(base: &Base, feed: FeedSettings) -> Served {
    Served::start(Settings { feeds: vec![feed], requests_per_minute: 0, ..base.settings() })
}

fn start_on(store: &Store, feed: FeedSettings) -> Served {
    let database = store.database().to_owned();
    Served::start(Settings { database, feeds: vec![feed], ..store.base.settings() })
}

#[track_caller]
fn run(editor: &Visitor<'_>, body: &Value) -> Value {
    let reply = editor.post("/api/v1/feeds/prices/run", body);
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()
}

#[track_caller]
fn ran(editor: &Visitor<'_>, state: &str) -> Value {
    let view = run(editor, &json!({}));
    assert_eq!(view["run"]["state"], state, "{view:#}");
    view
}

fn catalog(base: &Base) -> String {
    std::fs::read_to_string(base.path("articles/catalog/sms.yaml")).unwrap()
}

const CSV: &str =
    "Артикул;Название;Цена\nsms-100;Сто SMS;110,50\nsms-300;Триста SMS;250\nSMS-1000;Тысяча;700\n";

#[test]
fn what_a_feed_says_is_published_and_live() {
    on_each(|store| {
        let base = &store.base;
        prepare(base);
        base.write("feeds/prices.csv", CSV);
        let served = start_on(store, feed(base));
        let editor = served.person("anna", &[Role::Editor], &[]);
        // First only told.
        let told = run(&editor, &json!({"dry_run": true}));
        assert_eq!((&told["run"]["state"], &told["run"]["id"]), (&json!("done"), &json!("")), "{told:#}");
        assert_eq!(catalog(base), CATALOG);
        let view = ran(&editor, "done");
        let summary = &view["run"]["summary"];
        assert_eq!(
            (&summary["added"], &summary["changed"], &summary["rows"]),
            (&json!(1), &json!(1), &json!(3))
        );
        // What the feed does not own stays, byte for byte.
        let expected = CATALOG.replace("price: 100    #", "price: 110.50    #")
            + "  - id: sms-1000\n    title: {ru: \"Тысяча\"}\n    values:\n      price: 700\n";
        assert_eq!(catalog(base), expected);
        // Readers have it, in articles, wordings, comparison and search.
        assert!(editor.json("/api/v1/articles/pack")["html"].as_str().unwrap().contains("110,50"));
        let filled = editor.post("/api/v1/render", &json!({"template": "pack", "channel": "chat"}));
        assert!(filled.text.contains("110,50"), "{}", filled.text);
        assert!(editor.get("/api/v1/compare?products=sms-100,sms-1000").text.contains("700"));
        let answer = editor
            .json("/api/v1/search?q=%D1%86%D0%B5%D0%BD%D0%B0%20%D1%81%D1%82%D0%BE%20%D1%81%D0%BC%D1%81");
        assert!(answer["answer"].to_string().contains("110,50"), "{answer:#}");
        // The run tells what it changed, from what to what, and where that is shown.
        let change = &view["details"]["changes"][0];
        assert_eq!(
            (&change["old"], &change["new"], &change["percent"]),
            (&json!("100\u{a0}₽"), &json!("110,50\u{a0}₽"), &json!(10.5)),
            "{view:#}"
        );
        assert_eq!(view["details"]["uses"], json!({"articles": ["pack"], "templates": ["pack"]}));
        let page = editor.get(&format!("/feeds/{}", view["run"]["id"].as_str().unwrap()));
        assert!(page.status == StatusCode::OK && page.text.contains("110,50"), "{}", page.text);
        assert!(editor.get("/feeds").text.contains("prices"));
        // It is one publication under the feed's name, and can be undone.
        let publication = editor.json("/api/v1/publications")["publications"][0].clone();
        assert_eq!(
            (&publication["author_name"], &publication["id"]),
            (&json!("feed: prices"), &summary["publication"])
        );
        let undo = format!("/api/v1/publications/{}/undo", publication["id"].as_str().unwrap());
        assert_eq!(editor.ask("POST", &undo, None).status, StatusCode::OK);
        assert_eq!(catalog(base), CATALOG);
        // The same file is not run once more, unless somebody says so.
        assert_eq!(ran(&editor, "done")["run"]["id"], view["run"]["id"]);
        assert_eq!(catalog(base), CATALOG);
        assert_eq!(run(&editor, &json!({"again": true}))["run"]["state"], "done");
        assert_eq!(catalog(base), expected);
        // The one before that came back is another one than the last.
        base.write("feeds/prices.csv", CSV.replace("110,50", "120"));
        ran(&editor, "done");
        base.write("feeds/prices.csv", CSV);
        ran(&editor, "done");
        assert_eq!(catalog(base), expected);
        base.write("feeds/prices.csv", CSV.replace(';', ",").replace("110,50", "110.50"));
        ran(&editor, "unchanged");
        assert_eq!(catalog(base), expected);
        let runs = editor.json("/api/v1/feeds/prices/runs")["runs"].as_array().unwrap().len();
        assert_eq!(runs, 5);
    });
}

#[test]
fn a_file_that_changes_is_taken_up_by_itself() {
    let base = Base::new();
    prepare(&base);
    // The newest file of a folder, without a schedule.
    let source = base.path("feeds").to_str().unwrap().to_owned();
    let served = start(&base, FeedSettings { source, at: Vec::new(), ..feed(&base) });
    base.write("feeds/monday.csv", CSV);
    served.wait_until("the first is live", |_| catalog(&base).contains("price: 110.50"));
    base.write("feeds/.tuesday.part", CSV.replace("110,50", "120"));
    std::fs::rename(base.path("feeds/.tuesday.part"), base.path("feeds/tuesday.csv")).unwrap();
    served.wait_until("the second is live", |_| {
        catalog(&base).contains("price: 120.00") || catalog(&base).contains("price: 120 ")
    });
}

#[test]
fn what_moves_too_far_waits_for_a_person() {
    on_each(|store| {
        let base = &store.base;
        prepare(base);
        let served = start_on(store, feed(base));
        let editor = served.person("anna", &[Role::Editor], &[]);
        base.write("feeds/prices.csv", "Артикул;Название;Цена\nsms-100;Сто SMS;900\nsms-300;Триста;251\n");
        let view = ran(&editor, "waiting");
        let id = view["run"]["id"].as_str().unwrap().to_owned();
        // Nothing of it is published, not even what moved a little.
        assert_eq!(catalog(base), CATALOG);
        assert!(view["run"]["summary"]["reasons"][0].as_str().unwrap().contains("30 %"), "{view:#}");
        assert_eq!(
            (&view["details"]["changes"][0]["beyond"], &view["details"]["changes"][0]["percent"]),
            (&json!(true), &json!(800.0))
        );
        assert_eq!(editor.json("/api/v1/feeds")["feeds"][0]["waiting"], json!(id));
        assert!(
            editor.get(&format!("/feeds/{id}")).text.contains(&format!("/api/v1/feed-runs/{id}/confirm"))
        );
        // Others may edit meanwhile.
        base.write(
            "articles/catalog/sms.yaml",
            CATALOG.replace("aliases: [сто смс]", "aliases: [сто смс, сотня]"),
        );
        served.wait_until("that is served", |s| {
            s.app.snapshot().unwrap().engine.library.catalog.product("sms-100").unwrap().aliases.len() == 2
        });
        // Who may not edit decides nothing.
        let reader = served.person("olga", &[Role::Operator], &[]);
        for what in ["confirm", "reject"] {
            assert_eq!(
                reader.ask("POST", &format!("/api/v1/feed-runs/{id}/{what}"), None).status,
                StatusCode::FORBIDDEN
            );
        }
        let confirmed = editor.ask("POST", &format!("/api/v1/feed-runs/{id}/confirm"), None);
        assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
        assert_eq!(confirmed.json()["run"]["summary"]["decided"][0]["name"], "anna");
        let written = catalog(base);
        assert!(
            written.contains("price: 900 ") && written.contains("price: 251,") && written.contains("сотня"),
            "{written}"
        );
        let again = editor.ask("POST", &format!("/api/v1/feed-runs/{id}/confirm"), None);
        assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text);
        let log =
            served.person("root", &[Role::Administrator], &[]).json("/api/v1/audit?action=feed.confirmed");
        assert_eq!(log["entries"].as_array().unwrap().len(), 1, "{log}");
        // Rejected: nothing is published, and the same file does not ask again.
        base.write("feeds/prices.csv", "Артикул;Название;Цена\nsms-100;Сто SMS;1\n");
        let id = ran(&editor, "waiting")["run"]["id"].as_str().unwrap().to_owned();
        assert_eq!(
            editor.ask("POST", &format!("/api/v1/feed-runs/{id}/reject"), None).status,
            StatusCode::OK
        );
        assert_eq!(catalog(base), written);
        assert_eq!(ran(&editor, "rejected")["run"]["id"], json!(id));
        // A later run comes before anybody decides.
        base.write("feeds/prices.csv", "Артикул;Название;Цена\nsms-100;Сто SMS;2\n");
        let old = ran(&editor, "waiting")["run"]["id"].as_str().unwrap().to_owned();
        base.write("feeds/prices.csv", "Артикул;Название;Цена\nsms-100;Сто SMS;901\n");
        ran(&editor, "done");
        assert_eq!(editor.json(&format!("/api/v1/feed-runs/{old}"))["run"]["state"], "superseded");
        assert_eq!(
            editor.ask("POST", &format!("/api/v1/feed-runs/{old}/confirm"), None).status,
            StatusCode::CONFLICT
        );
    });
}

#[test]
fn who_must_approve_a_folder_must_approve_its_feeds() {
    let base = Base::new();
    prepare(&base);
    base.write("articles/catalog/_folder.yaml", "approval: 2\n");
    base.write("feeds/prices.csv", CSV);
    let served = start(&base, feed(&base));
    let editor = served.person("anna", &[Role::Editor], &[]);
    let view = ran(&editor, "waiting");
    assert_eq!(view["run"]["summary"]["needs_approval"], json!(true), "{view:#}");
    let confirm = format!("/api/v1/feed-runs/{}/confirm", view["run"]["id"].as_str().unwrap());
    let refused = editor.ask("POST", &confirm, None);
    assert_eq!((refused.status, &refused.json()["code"]), (StatusCode::FORBIDDEN, &json!("approval-needed")));
    // Two of them, and not one twice.
    let [boris, vera] = ["boris", "vera"].map(|login| served.person(login, &[Role::Reviewer], &[]));
    for _ in 0..2 {
        assert_eq!(boris.ask("POST", &confirm, None).json()["run"]["state"], "waiting");
        assert_eq!(catalog(&base), CATALOG);
    }
    assert_eq!(vera.ask("POST", &confirm, None).json()["run"]["state"], "done");
    assert!(catalog(&base).contains("price: 110.50"));
}

#[test]
fn products_that_are_missing_are_archived_within_bounds() {
    let base = Base::new();
    prepare(&base);
    let archiving = FeedSettings { missing: MissingProducts::Archive, max_removed: 40, ..feed(&base) };
    let served = start(&base, archiving);
    let editor = served.person("anna", &[Role::Editor], &[]);
    base.write("feeds/prices.csv", "Артикул;Название;Цена\nsms-100;Сто SMS;100\n");
    let view = ran(&editor, "waiting");
    assert!(view["run"]["summary"]["reasons"][0].as_str().unwrap().contains("2 of 3"), "{view:#}");
    base.write("feeds/prices.csv", "Артикул;Название;Цена\nsms-100;Сто SMS;100\nsms-500;Пятьсот;400\n");
    let view = ran(&editor, "done");
    assert_eq!(view["run"]["summary"]["archived"], json!(1));
    let expected = CATALOG.replace(
        "values: {price: 250, size: 300}\n",
        "values: {price: 250, size: 300}\n    status: archived\n",
    );
    assert_eq!(catalog(&base), expected);
    // Of a row that is wrong the product is still named.
    base.write("feeds/prices.csv", "Артикул;Название;Цена\nsms-100;Сто SMS;100\nsms-500;Пятьсот;дорого\n");
    let view = run(&editor, &json!({"dry_run": true}));
    assert_eq!(view["run"]["summary"]["archived"], json!(0), "{view:#}");
    assert_eq!(
        (&view["details"]["problems"][0]["line"], &view["details"]["problems"][0]["column"]),
        (&json!(3), &json!("Цена"))
    );
}

/// A workbook with one sheet; `padding` bytes of zeros stand in a part of their own.
fn workbook(rows: &str, padding: usize) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{package}/content-types\"><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"rId1\" Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\"><sheets><sheet name=\"Цены\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"rId1\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ];
    for (name, text) in parts {
        archive.start_file(name, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    if padding > 0 {
        archive.start_file("xl/media/padding.bin", options).unwrap();
        std::io::copy(&mut std::io::Read::take(std::io::repeat(0), padding as u64), &mut archive).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn cells(row: u32, cells: &[(&str, &str)]) -> String {
    let cells = cells.iter().map(|(column, value)| match value.parse::<f64>() {
        Ok(_) => format!("<c r=\"{column}{row}\"><v>{value}</v></c>"),
        Err(_) => format!("<c r=\"{column}{row}\" t=\"inlineStr\"><is><t>{value}</t></is></c>"),
    });
    format!("<row r=\"{row}\">{}</row>", cells.collect::<String>())
}

#[test]
fn every_format_is_read() {
    let base = Base::new();
    prepare(&base);
    let headings = cells(1, &[("A", "Артикул"), ("B", "Название"), ("D", "Цена")]);
    let row = cells(2, &[("A", "sms-100"), ("B", "Сто SMS"), ("D", "104.1")]);
    let far = cells(1_048_576, &[("XFD", "далеко")]);
    let windows = encoding_rs::WINDOWS_1251
        .encode("Артикул\tНазвание\tЦена\r\nsms-100\tСто SMS\t103\r\n")
        .0
        .into_owned();
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(CSV.replace("110,50", "102").encode_utf16().flat_map(u16::to_le_bytes));
    let sources: Vec<(Vec<u8>, &str)> = vec![
        (format!("\u{feff}{CSV}").into_bytes(), "110.50"),
        (windows, "103"),
        (utf16, "102"),
        (workbook(&format!("{headings}{row}{far}"), 0), "104.10"),
        ("[{\"Артикул\": \"sms-100\", \"Название\": \"Сто SMS\", \"Цена\": 105.5}]".into(), "105.50"),
        ("Артикул,Название,Цена\nsms-100,\"Сто SMS\",\"106,25\"\n".into(), "106.25"),
    ];
    let served = start(&base, feed(&base));
    let editor = served.person("anna", &[Role::Editor], &[]);
    for (bytes, price) in sources {
        base.write("feeds/prices.csv", bytes);
        ran(&editor, "done");
        assert!(catalog(&base).contains(&format!("price: {price} ")), "{price}: {}", catalog(&base));
    }
}

#[test]
fn a_bad_feed_changes_nothing_and_is_told() {
    let base = Base::new();
    prepare(&base);
    let served = start(&base, FeedSettings { max_megabytes: 1, ..feed(&base) });
    let editor = served.person("anna", &[Role::Editor], &[]);
    let head = "Артикул;Название;Цена\n";
    let row = |row: &str| format!("{head}sms-300;Триста SMS;260\n{row}\n").into_bytes();
    let headings = cells(1, &[("A", "Артикул"), ("B", "Название"), ("D", "Цена")]);
    let bad: Vec<(&str, Vec<u8>, u64, &str)> = vec![
        ("empty", Vec::new(), 0, "empty"),
        ("blank", b" \n\n".to_vec(), 0, "empty"),
        ("headings alone", head.into(), 0, "no rows"),
        ("a page", b"<!DOCTYPE html><html><body>Sign in</body></html>".to_vec(), 0, "HTML"),
        ("XML", b"<?xml version=\"1.0\"?><prices/>".to_vec(), 0, "XML"),
        ("an old workbook", vec![0xd0, 0xcf, 0x11, 0xe0, 1, 2], 0, ".xls"),
        ("gzip", vec![0x1f, 0x8b, 8, 0], 0, "gzip"),
        ("a PDF", b"%PDF-1.7".to_vec(), 0, "PDF"),
        ("bytes", vec![0, 1, 2, 3, 4, 5, 6, 7, 0, 0], 1, "characters"),
        ("a missing column", b"SKU;Name;Price\nsms-100;x;1\n".to_vec(), 1, "no column"),
        ("a column twice", "Артикул;Название;Цена;Цена\nsms-100;x;1;2\n".into(), 1, "two columns"),
        ("cut off", format!("{head}sms-300;Триста SMS;260\nsms-100;Сто").into(), 3, "middle of a row"),
        ("below nothing", row("sms-100;Сто SMS;-5"), 3, "nobody means"),
        ("a million millions", row("sms-100;Сто SMS;1000000000000"), 3, "nobody means"),
        ("points lost", row("sms-100;Сто SMS;99 999 999 999,00"), 3, "nobody means"),
        ("twice", row("sms-300;Триста SMS;270"), 3, "twice"),
        ("no row is good", format!("{head}sms-100;Сто SMS;дорого\n").into(), 2, "not a money"),
        ("no id", format!("{head};Сто SMS;100\n").into(), 2, "names no product"),
        ("broken JSON", b"[{\"a\": 1}, {".to_vec(), 1, "JSON"),
        ("JSON without rows", b"{\"data\": []}".to_vec(), 0, "list of rows"),
        ("JSON of other keys", b"[{\"sku\": \"sms-100\"}]".to_vec(), 0, "no row has"),
        ("deep JSON", "[".repeat(100_000).into(), 1, "JSON"),
        ("a broken workbook", b"PK\x03\x04 and no more".to_vec(), 0, "workbook"),
        ("a workbook without a sheet", workbook("", 0).into_iter().take(300).collect(), 0, "workbook"),
        ("a workbook that bursts", workbook(&headings, 20_000_000), 0, "larger than"),
        ("too large", vec![b'a'; 1_000_001], 0, "larger than 1 megabytes"),
    ];
    for (what, bytes, line, message) in bad {
        base.write("feeds/prices.csv", bytes);
        let view = ran(&editor, "failed");
        let problem = &view["details"]["problems"][0];
        assert!(problem["message"].as_str().is_some_and(|text| text.contains(message)), "{what}: {view:#}");
        assert_eq!(problem["line"], json!(line), "{what}: {problem}");
        assert!(!problem["hint"].as_str().unwrap().is_empty(), "{what}: {problem}");
        assert_eq!(catalog(&base), CATALOG, "{what}");
    }
    std::fs::remove_file(base.path("feeds/prices.csv")).unwrap();
    assert!(
        ran(&editor, "failed")["details"]["problems"][0]["message"].as_str().unwrap().contains("no file")
    );
    // The same fault over and over is one run.
    let last = ran(&editor, "failed");
    assert_eq!(last["run"]["summary"]["repeated"], json!(1), "{last:#}");
    // Some bad rows among good ones wait for somebody.
    base.write("feeds/prices.csv", row("sms-100;Сто SMS;дорого"));
    let view = ran(&editor, "waiting");
    assert_eq!(
        (&view["run"]["summary"]["bad_rows"], &view["details"]["problems"][0]["line"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(catalog(&base), CATALOG);
    // Settings that do not fit the family.
    type Change = fn(&mut FeedSettings);
    let changes: [(&str, Change); 3] = [
        ("did you mean `price`", |feed| {
            feed.columns = vec![column("Артикул", "id"), column("Цена", "prise")]
        }),
        ("no family", |feed| feed.family = "calls".to_owned()),
        ("klingon", |feed| feed.encoding = "klingon".to_owned()),
    ];
    for (message, change) in changes {
        let base = Base::new();
        prepare(&base);
        base.write("feeds/prices.csv", CSV);
        let mut feed = feed(&base);
        change(&mut feed);
        let served = start(&base, feed);
        let editor = served.person("anna", &[Role::Editor], &[]);
        let view = run(&editor, &json!({"dry_run": true}));
        assert!(view["details"]["problems"][0]["message"].as_str().unwrap().contains(message), "{view:#}");
    }
}

#[test]
fn a_feed_comes_from_an_address() {
    let base = Base::new();
    prepare(&base);
    // A server of its own, over a real socket.
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let routes = Router::new()
        .route(
            "/prices",
            get(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                async { CSV }
            }),
        )
        .route("/moved", get(|| async { Redirect::temporary("/prices") }))
        .route("/loop", get(|| async { Redirect::temporary("/loop") }))
        .route("/error", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "no") }))
        .route("/page", get(|| async { "<html>Sign in</html>" }))
        .route("/large", get(|| async { "a".repeat(3_000_000) }))
        .route(
            "/slow",
            get(|| async {
                tokio::time::sleep(Duration::from_secs(600)).await;
                CSV
            }),
        );
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, routes).await });
    let of = |name: &str, path: &str| FeedSettings {
        name: name.to_owned(),
        source: format!("http://anna:hunter2@{address}/{path}"),
        max_megabytes: 1,
        timeout_seconds: 1,
        ..feed(&base)
    };
    let nowhere = FeedSettings { source: "http://127.0.0.1:1/prices".to_owned(), ..of("nowhere", "") };
    let feeds = [
        ("prices", "moved"),
        ("loop", "loop"),
        ("error", "error"),
        ("page", "page"),
        ("large", "large"),
        ("slow", "slow"),
        ("gone", "gone"),
    ];
    let feeds = feeds.iter().map(|(name, path)| of(name, path)).chain([nowhere]).collect();
    let served = Served::start(Settings { feeds, request_timeout_seconds: 60, ..base.settings() });
    let editor = served.person("anna", &[Role::Editor], &[]);
    for (name, message) in [
        ("loop", "leads on"),
        ("error", "500"),
        ("page", "HTML"),
        ("large", "larger"),
        ("slow", "longer than"),
        ("gone", "404"),
        ("nowhere", "reached"),
    ] {
        let reply = editor.post(&format!("/api/v1/feeds/{name}/run"), &json!({}));
        let view = reply.json();
        assert_eq!(view["run"]["state"], "failed", "{name}: {view:#}");
        assert!(
            view["details"]["problems"][0]["message"].as_str().unwrap().contains(message),
            "{name}: {view:#}"
        );
        assert!(!reply.text.contains("hunter2"), "{name}: {}", reply.text);
        assert_eq!(catalog(&base), CATALOG);
    }
    ran(&editor, "done");
    assert!(catalog(&base).contains("price: 110.50"));
    ran(&editor, "done");
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(editor.json("/api/v1/feeds/prices/runs")["runs"].as_array().unwrap().len(), 1);
    let page = editor.get("/feeds").text;
    assert!(!page.contains("hunter2"), "{page}");
    assert_eq!(editor.post("/api/v1/feeds/none/run", &json!({})).status, StatusCode::NOT_FOUND);
}

#[test]
fn a_feed_that_is_killed_in_the_middle_is_whole_or_not_there() {
    let base = Base::new();
    prepare(&base);
    let source = base.path("feeds/prices.csv");
    let feeds = format!(
        "[{{name=\"prices\", source=\"{}\", family=\"sms\", columns=[{{column=\"Артикул\", sets=\"id\"}}, {{column=\"Цена\", sets=\"price\"}}]}}]",
        source.display()
    );
    for round in 0..6u64 {
        let price = 101 + round;
        base.write("feeds/prices.csv", format!("Артикул;Цена\nsms-100;{price}\nsms-300;{}\n", 251 + round));
        // Killed somewhere between the first look and the last word to the store.
        let process = Process::serve_with(&base, &[("PHAROS_FEEDS", &feeds)]);
        std::thread::sleep(Duration::from_millis(150 + round * 130));
        drop(process);
        let text = catalog(&base);
        let is_new = text.contains(&format!("price: {price} "));
        assert_eq!(is_new, text.contains(&format!("price: {},", 251 + round)), "half of it: {text}");
        // The next one brings it to its end.
        let process = Process::serve_with(&base, &[("PHAROS_FEEDS", &feeds)]);
        let end = std::time::Instant::now() + PATIENCE;
        while !catalog(&base).contains(&format!("price: {price} ")) {
            assert!(std::time::Instant::now() < end, "it never came: {}", catalog(&base));
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(process);
        assert_eq!(
            catalog(&base),
            CATALOG
                .replace("price: 100 ", &format!("price: {price} "))
                .replace("price: 250,", &format!("price: {},", 251 + round))
        );
    }
}

#[test]
fn a_file_is_brought_in_from_the_command_line() {
    let base = Base::new();
    prepare(&base);
    base.write("feeds/prices.csv", CSV);
    let import = |more: &[&str]| {
        let mut command = base.command("feed");
        command.args([
            "import",
            "feeds/prices.csv",
            "--family",
            "sms",
            "--map",
            "Артикул=id",
            "--map",
            "Цена=price",
        ]);
        let output = command.args(more).output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let (is_good, told) = import(&["--dry-run"]);
    assert!(is_good && told.contains("sms-100.price: 100\u{a0}₽ -> 110,50\u{a0}₽ (+10.5 %)"), "{told}");
    assert_eq!(catalog(&base), CATALOG);
    let (is_good, told) = import(&[]);
    assert!(is_good && told.contains("import is done"), "{told}");
    assert!(catalog(&base).contains("price: 110.50 "));
    let (is_good, told) = import(&["--map", "Цвет=size"]);
    assert!(!is_good && told.contains("no column `Цвет`"), "{told}");
}

#[test]
fn what_fresh_eyes_found_does_not_get_through() {
    let base = Base::new();
    prepare(&base);
    base.write(
        "articles/catalog/tariffs.yaml",
        "family: tariffs\nattributes:\n  price: {type: money}\nproducts:\n  - id: start\n    values: {price: 300}\n",
    );
    let tariffs = std::fs::read_to_string(base.path("articles/catalog/tariffs.yaml")).unwrap();
    let columns = vec![
        column("Артикул", "id"),
        column("Название", "title.ru"),
        column("Цена", "price"),
        column("До", "price.max"),
        column("Регион", "region"),
        column("С", "from"),
    ];
    let served = start(&base, FeedSettings { columns, max_bad_rows: 100, ..feed(&base) });
    let editor = served.person("anna", &[Role::Editor], &[]);
    let head = "Артикул;Название;Цена;До;Регион;С\n";
    let of = |rows: &str| {
        base.write("feeds/prices.csv", format!("{head}{rows}"));
        run(&editor, &json!({}))
    };
    // A product of another family is none of this one, and stays what it is.
    let view = of("start;Мой старт;1;;;\nsms-100;Сто SMS;100;;;\n");
    assert!(view["details"]["problems"].to_string().contains("another family"), "{view:#}");
    assert_eq!(std::fs::read_to_string(base.path("articles/catalog/tariffs.yaml")).unwrap(), tariffs);
    // A price for some regions or days that stands in the place of one that differs far is not published by itself.
    for (rows, state) in [
        ("sms-500;Пятьсот;40;;moscow;2026-12-01\n", "waiting"),
        ("sms-100;Сто SMS;9000;;;2026-12-01\n", "waiting"),
        ("sms-100;Сто SMS;100;9000;;\n", "waiting"),
        ("sms-100;Сто SMS;105;;kemerovo;\n", "done"),
    ] {
        let view = of(rows);
        assert_eq!(view["run"]["state"], state, "{rows}: {view:#}");
    }
    let before = catalog(&base);
    // What was cut off or lost a quote, and numbers that are read in two ways.
    for (rows, message) in [
        ("sms-100;\"Сто SMS;105;;;\nsms-300;Триста;\"250\";;;\n", "quote"),
        ("sms-100;Сто \"SMS\";105;;;\nsms-300;\"Триста\"да;250;;;\n", "quote"),
        ("sms-100;Сто SMS;1,500;;;\n", "may be 1500"),
        ("sms-100;Сто SMS;;200;;\n", "does not begin"),
        ("sms-100;Сто SMS;100;99999999999;;\n", "nobody means"),
    ] {
        let view = of(rows);
        assert!(view["details"]["problems"].to_string().contains(message), "{rows}: {view:#}");
        assert_eq!(catalog(&base), before, "{rows}");
    }
    let mut cut = format!("{head}sms-100;Сто SMS;105;;;\nsms-300;Триста;250;;;").into_bytes();
    base.write("feeds/prices.csv", &cut);
    let view = run(&editor, &json!({}));
    assert!(view["run"]["summary"]["reasons"].to_string().contains("has no end"), "{view:#}");
    // Within a letter.
    cut.truncate(head.len() + "sms-100;Ст".len() - 1);
    base.write("feeds/prices.csv", &cut);
    let view = run(&editor, &json!({}));
    assert_eq!(view["run"]["state"], "failed", "{view:#}");
    assert!(view["details"]["problems"].to_string().contains("damaged"), "{view:#}");
    assert_eq!(catalog(&base), before);
}

#[test]
fn what_failed_because_of_the_catalogue_is_run_when_it_is_mended() {
    let base = Base::new();
    prepare(&base);
    base.write("feeds/prices.csv", CSV);
    let served = start(&base, FeedSettings { at: Vec::new(), ..feed(&base) });
    let editor = served.person("anna", &[Role::Editor], &[]);
    served.wait_until("it is live", |_| catalog(&base).contains("price: 110.50"));
    // Another file of the catalogue is broken from the beginning: its products might be those of the feed.
    base.write("articles/catalog/more.yaml", "family: sms\nproducts: [\n");
    served.wait_until("the slip is noticed", |_| {
        editor.json("/api/v1/problems")["problems"].to_string().contains("catalog/more.yaml")
    });
    let before = catalog(&base);
    base.write("feeds/prices.csv", CSV.replace("110,50", "115"));
    let last = || editor.json("/api/v1/feeds/prices/runs")["runs"][0].clone();
    served.wait_until("it is refused", |_| last()["state"] == "failed");
    assert_eq!(catalog(&base), before);
    std::fs::remove_file(base.path("articles/catalog/more.yaml")).unwrap();
    served.wait_until("it is run by itself", |_| last()["state"] == "done");
    assert!(catalog(&base).contains("price: 115"));
}
