//! What editors write through Pharos: published at once and whole, kept in history, never lost.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use pharos::accounts::permissions::Role;
use serde_json::{Value, json};

use crate::harness::{Base, PATIENCE, Process, Served, TODAY, Visitor, encode, ids};
use crate::store::{Store, on_each, people, run};

const CATALOG: &str = "family: sms\ntitle: {ru: Пакеты, en: Packages}\nattributes:\n  price: {type: money, label: {ru: Цена, en: Price}}\nproducts:\n  - id: sms-100\n    title: {ru: Сто SMS, en: Hundred SMS}\n    values: {price: 100}\n";

const ARTICLE: &str = "---\ntitle: Пакет\n---\n## Цена\n\nСтоит {{ sms-100.price }}, правка 100.\n\n## Как подключить\n\nНаберите *155*2#.\n\n## Остаток\n\nНаберите *155*3#.\n";

fn base() -> Base {
    Base::with(&[
        ("articles/pack.md", ARTICLE),
        ("articles/catalog/sms.yaml", CATALOG),
        (
            "templates/pack.md",
            "---\ntitle: Ответ\narticles: [pack]\n---\n# chat\nСтоит {{ sms-100.price }}, правка 100.\n",
        ),
    ])
}

fn source(visitor: &Visitor<'_>, path: &str) -> (String, String) {
    let source = visitor.json(&format!("/api/v1/sources/{path}"));
    (source["digest"].as_str().unwrap().to_owned(), source["text"].as_str().unwrap().to_owned())
}

#[track_caller]
fn put(visitor: &Visitor<'_>, path: &str, base: &str, text: &str, reason: &str) -> Value {
    let change = json!({"base": base, "text": text, "reason": reason});
    let reply = visitor.ask("PUT", &format!("/api/v1/sources/{path}"), Some(&change));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()
}

/// The newest first; none of a file that was never there.
fn history(visitor: &Visitor<'_>, path: &str) -> Vec<Value> {
    let reply = visitor.get(&format!("/api/v1/history/{path}"));
    if reply.status == StatusCode::NOT_FOUND {
        return Vec::new();
    }
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()["revisions"].as_array().unwrap().clone()
}

fn found(visitor: &Visitor<'_>, query: &str) -> Vec<String> {
    ids(&visitor.json(&format!("/api/v1/search?q={}", encode(query)))["hits"], "article")
}

/// Ends what runs beside a test, however the test ends.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_is_published_is_served_and_in_history() {
    let base = base();
    let served = base.start();
    let editor = served.person("anna", &[Role::Editor], &[]);
    served.wait_until("history begins", |_| !history(&editor, "articles/pack.md").is_empty());
    let (digest, text) = source(&editor, "articles/pack.md");
    assert_eq!(text, ARTICLE);
    let published =
        put(&editor, "articles/pack.md", &digest, &text.replace("Остаток", "Сколько осталось"), "яснее");
    assert_eq!(published["served"], json!(true));
    // Whoever asks next gets it.
    let article = editor.json("/api/v1/articles/pack");
    assert!(article["html"].as_str().unwrap().contains("Сколько осталось"), "{article}");
    assert!(std::fs::read_to_string(base.path("articles/pack.md")).unwrap().contains("Сколько осталось"));
    let revisions = history(&editor, "articles/pack.md");
    assert_eq!(revisions.len(), 2);
    assert_eq!((&revisions[0]["author_name"], &revisions[0]["reason"]), (&json!("anna"), &json!("яснее")));
    assert_eq!((&revisions[0]["origin"], &revisions[1]["origin"]), (&json!("published"), &json!("disk")));
    let shown = editor.json(&format!("/api/v1/revisions/{}", revisions[0]["id"].as_str().unwrap()));
    let pieces = shown["pieces"].to_string();
    assert!(pieces.contains("Остаток") && pieces.contains("Сколько осталось"), "{pieces}");
    // And back.
    let old = revisions[1]["id"].as_str().unwrap();
    let restored = editor.post(&format!("/api/v1/revisions/{old}/restore"), &json!({"reason": "рано"}));
    assert_eq!(restored.status, StatusCode::OK, "{}", restored.text);
    assert_eq!(source(&editor, "articles/pack.md").1, ARTICLE);
    // What changes on disk is in history as well, under nobody's name.
    base.write("articles/pack.md", ARTICLE.replace("*155*3#", "*155*4#"));
    served.wait_until("it is in history", |_| history(&editor, "articles/pack.md").len() == 4);
    let newest = &history(&editor, "articles/pack.md")[0];
    assert_eq!((&newest["origin"], &newest["author"]), (&json!("disk"), &Value::Null));
    // What nobody changed is published by nobody.
    let (digest, text) = source(&editor, "articles/pack.md");
    assert_eq!(put(&editor, "articles/pack.md", &digest, &text, "")["id"], Value::Null);
    // A new file, and one that is taken away.
    let new = "articles/new/Ещё один.md";
    let address = new.split('/').map(encode).collect::<Vec<_>>().join("/");
    let reply = editor.ask(
        "PUT",
        &format!("/api/v1/sources/{address}"),
        Some(&json!({"text": "---\ntitle: Ещё\n---\nНовое.\n"})),
    );
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert_eq!(found(&editor, "новое"), ["new/Ещё один"]);
    let reply = editor.ask("DELETE", &format!("/api/v1/sources/{address}?reason=old"), None);
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert!(found(&editor, "новое").is_empty());
    assert!(!base.path(new).exists());
    let gone = history(&editor, &address);
    assert_eq!((gone.len(), &gone[0]["digest"]), (2, &Value::Null));
    let log =
        served.person("root", &[Role::Administrator], &[]).json("/api/v1/audit?action=content.published");
    assert_eq!(log["entries"].as_array().unwrap().len(), 4, "{log}");
}

#[test]
fn two_who_change_one_article_lose_nothing() {
    let base = base();
    let served = base.start();
    let [anna, boris] = ["anna", "boris"].map(|login| served.person(login, &[Role::Editor], &[]));
    let (digest, text) = source(&anna, "articles/pack.md");
    put(&anna, "articles/pack.md", &digest, &text.replace("*155*2#", "*155*22#"), "");
    // Another place: both changes are there.
    let published = put(&boris, "articles/pack.md", &digest, &text.replace("*155*3#", "*155*33#"), "");
    assert_eq!(published["files"][0]["merged"], json!(true));
    let both = source(&anna, "articles/pack.md").1;
    assert!(both.contains("*155*22#") && both.contains("*155*33#"), "{both}");
    // The same place: nothing is written, and it is told how the two can be brought together.
    let ours = text.replace("*155*2#", "*155*222#");
    let reply =
        boris.ask("PUT", "/api/v1/sources/articles/pack.md", Some(&json!({"base": digest, "text": ours})));
    assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.text);
    assert_eq!(reply.json()["errors"][0]["name"], "articles/pack.md");
    assert_eq!(source(&anna, "articles/pack.md").1, both);
    let met = boris
        .post("/api/v1/merge", &json!({"path": "articles/pack.md", "base": digest, "text": ours}))
        .json();
    let marked = met["text"].as_str().unwrap();
    assert_eq!(met["conflict"], json!(true));
    assert!(
        marked.contains("*155*222#") && marked.contains("*155*22#") && marked.contains("<<<<<<<"),
        "{marked}"
    );
    // Marks are not published.
    let now = met["digest"].as_str().unwrap();
    let reply =
        boris.ask("PUT", "/api/v1/sources/articles/pack.md", Some(&json!({"base": now, "text": marked})));
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.text);
    // The file changes on disk while somebody edits it: the same.
    let (digest, text) = source(&anna, "articles/pack.md");
    base.write("articles/pack.md", text.replace("Остаток", "Что осталось"));
    put(&anna, "articles/pack.md", &digest, &text.replace("## Цена", "## Сколько стоит"), "");
    let both = source(&anna, "articles/pack.md").1;
    assert!(both.contains("Что осталось") && both.contains("Сколько стоит"), "{both}");
    assert!(history(&anna, "articles/pack.md").iter().any(|revision| revision["origin"] == "disk"));
    // Made by two at one time: the second is told.
    let new = |text: &str| json!({"text": format!("---\ntitle: {text}\n---\n{text}\n")});
    assert_eq!(anna.ask("PUT", "/api/v1/sources/articles/new.md", Some(&new("a"))).status, StatusCode::OK);
    assert_eq!(
        boris.ask("PUT", "/api/v1/sources/articles/new.md", Some(&new("b"))).status,
        StatusCode::CONFLICT
    );
    // A text that nobody ever saw is no base.
    let reply = anna.ask(
        "PUT",
        "/api/v1/sources/articles/pack.md",
        Some(&json!({"base": "0".repeat(64), "text": "x"})),
    );
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.text);
}

#[test]
fn line_ends_of_a_file_stay() {
    let base = Base::with(&[("articles/crlf.md", "---\r\ntitle: Строки\r\n---\r\nОдин.\r\n\r\nДва.\r\n")]);
    let served = base.start();
    let editor = served.person("anna", &[Role::Editor], &[]);
    let (digest, text) = source(&editor, "articles/crlf.md");
    // As browsers send it.
    put(&editor, "articles/crlf.md", &digest, &text.replace("\r\n", "\n").replace("Два", "Три"), "");
    let written = std::fs::read_to_string(base.path("articles/crlf.md")).unwrap();
    assert_eq!(written, text.replace("Два", "Три"));
}

#[test]
fn a_draft_goes_live_as_one() {
    let base = base();
    let served = base.start();
    let editor = served.person("anna", &[Role::Editor], &[]);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Readers meanwhile: an article, its template and the catalogue always tell of the same price.
        let seen = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !is_over.load(Ordering::Relaxed) {
                let Some(snapshot) = served.app.snapshot() else { continue };
                let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
                let body = snapshot.engine.reader.source("pack").unwrap().unwrap();
                let article = digits(body.split("правка").nth(1).unwrap().split('.').next().unwrap());
                let template = &snapshot.engine.templates.find("pack").unwrap().bodies[0].source;
                let template = digits(template.split("правка").nth(1).unwrap());
                let product = snapshot.engine.library.catalog.product("sms-100").unwrap();
                let at = pharos::content::validity::Standpoint::public(served.app.clock.today());
                let (attribute, variant) = product.variant("price", at).unwrap();
                let price = digits(&variant.show(attribute, pharos::content::catalog::Lang::Ru));
                seen.insert((article, template, price));
            }
            seen
        });
        let ending = Ending(&is_over);
        for price in 101..=120 {
            let paths = ["articles/pack.md", "articles/catalog/sms.yaml", "templates/pack.md"];
            let before = (price - 1).to_string();
            let files: Vec<Value> = paths
                .iter()
                .map(|path| {
                    let (digest, text) = source(&editor, path);
                    let text = text.replace(&format!("правка {before}"), &format!("правка {price}"));
                    let text = text.replace(&format!("price: {before}"), &format!("price: {price}"));
                    json!({"path": path, "base": digest, "text": text})
                })
                .collect();
            let draft = editor.post("/api/v1/drafts", &json!({"title": "Новая цена", "files": files}));
            assert_eq!(draft.status, StatusCode::CREATED, "{}", draft.text);
            let id = draft.json()["id"].as_str().unwrap().to_owned();
            let published = editor.post(&format!("/api/v1/drafts/{id}/publish"), &json!({}));
            assert_eq!(published.status, StatusCode::OK, "{}", published.text);
            assert_eq!(published.json()["files"].as_array().unwrap().len(), 3);
        }
        drop(ending);
        let seen = seen.join().unwrap();
        assert!(seen.len() > 3, "{seen:?}");
        for (article, template, price) in &seen {
            assert!(article == template && template == price, "half of a publication was served: {seen:?}");
        }
    });
    // It is undone as one, though something else was changed since.
    let (digest, text) = source(&editor, "articles/pack.md");
    put(&editor, "articles/pack.md", &digest, &text.replace("Остаток", "Что осталось"), "");
    let publications = editor.json("/api/v1/publications")["publications"].clone();
    let last = publications.as_array().unwrap().iter().find(|p| p["reason"] == "Новая цена").unwrap();
    let undone =
        editor.ask("POST", &format!("/api/v1/publications/{}/undo", last["id"].as_str().unwrap()), None);
    assert_eq!(undone.status, StatusCode::OK, "{}", undone.text);
    let article = source(&editor, "articles/pack.md").1;
    assert!(article.contains("правка 119") && article.contains("Что осталось"), "{article}");
    assert!(source(&editor, "articles/catalog/sms.yaml").1.contains("price: 119"));
    assert!(editor.json("/api/v1/articles/pack")["html"].as_str().unwrap().contains("119"));
}

#[test]
fn a_draft_is_published_in_its_time() {
    let base = base();
    let clock = pharos::clock::Clock::frozen_at(format!("{TODAY}T12:00:00Z").parse().unwrap());
    let served = Served::start_at(base.settings(), clock.clone());
    let editor = served.person("anna", &[Role::Editor], &[]);
    let draft = |path: &str, from: &str, to: &str| {
        let (digest, text) = source(&editor, path);
        let files = json!([{"path": path, "base": digest, "text": text.replace(from, to)}]);
        let draft = editor.post("/api/v1/drafts", &json!({"title": to, "files": files})).json();
        format!("/api/v1/drafts/{}", draft["id"].as_str().unwrap())
    };
    // Who was locked meanwhile publishes nothing.
    let locked = served.person("boris", &[Role::Editor], &[]);
    let (digest, text) = source(&locked, "articles/pack.md");
    let files =
        json!([{"path": "articles/pack.md", "base": digest, "text": text.replace("правка", "взлом")}]);
    let of_locked = locked.post("/api/v1/drafts", &json!({"title": "x", "files": files})).json();
    let of_locked = format!("/api/v1/drafts/{}/publish", of_locked["id"].as_str().unwrap());
    let early = json!({"at": format!("{TODAY}T12:30:00Z")});
    assert_eq!(locked.post(&of_locked, &early).status, StatusCode::OK);
    let root = served.person("root", &[Role::Administrator], &[]);
    let lock = root.ask("PATCH", &format!("/api/v1/people/{}", locked.id), Some(&json!({"active": false})));
    assert_eq!(lock.status, StatusCode::OK, "{}", lock.text);
    let in_time = draft("articles/pack.md", "Остаток", "Что осталось");
    let conflicting = draft("articles/pack.md", "*155*2#", "*155*22#");
    let cancelled = draft("articles/pack.md", "Цена", "Сколько");
    let changed = draft("templates/pack.md", "Стоит", "Обойдётся в");
    let at = json!({"at": format!("{TODAY}T13:00:00Z"), "reason": "с часа"});
    for path in [&in_time, &conflicting, &cancelled, &changed] {
        let reply = editor.post(&format!("{path}/publish"), &at);
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        assert_eq!(reply.json()["publish_at"], format!("{TODAY}T13:00:00Z"));
    }
    assert_eq!(editor.ask("DELETE", &format!("{cancelled}/publish"), None).status, StatusCode::NO_CONTENT);
    // What is changed after it was scheduled does not go live by itself.
    let file = editor.json(&changed)["files"][0].clone();
    let text = file["text"].as_str().unwrap().replace("Обойдётся", "Выйдет");
    let files =
        json!([{"path": file["path"], "base": file["base"], "text": text, "version": file["version"]}]);
    assert_eq!(
        editor.ask("PATCH", &changed, Some(&json!({"files": files}))).json()["publish_at"],
        Value::Null
    );
    let (digest, text) = source(&editor, "articles/pack.md");
    put(&editor, "articles/pack.md", &digest, &text.replace("*155*2#", "*155*20#"), "");
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(editor.json("/api/v1/drafts")["drafts"].as_array().unwrap().len(), 4);
    assert!(!source(&editor, "articles/pack.md").1.contains("Что осталось"));
    clock.advance(jiff::SignedDuration::from_mins(61));
    served.wait_until("it is published", |_| {
        editor.json("/api/v1/articles/pack")["html"].as_str().unwrap().contains("Что осталось")
    });
    served.wait_until("it is no draft any more", |_| editor.get(&in_time).status == StatusCode::NOT_FOUND);
    let newest = &history(&editor, "articles/pack.md")[0];
    assert_eq!((&newest["author_name"], &newest["reason"]), (&json!("anna"), &json!("с часа")));
    // What could not be published is a draft that says why; what was cancelled or changed is one as before.
    served.wait_until("the fault is told", |_| {
        !editor.json(&conflicting)["fault"].as_str().unwrap().is_empty()
    });
    assert!(source(&editor, "articles/pack.md").1.contains("*155*20#"));
    for path in [&cancelled, &changed] {
        let draft = editor.json(path);
        assert_eq!((&draft["publish_at"], &draft["fault"]), (&Value::Null, &json!("")));
    }
    let text = [source(&editor, "articles/pack.md").1, source(&editor, "templates/pack.md").1].concat();
    assert!(!text.contains("взлом"), "{text}");
    assert!(root.get("/api/v1/audit?action=content.not-published").text.contains("boris"));
    assert!(!text.contains("Сколько") && !text.contains("Выйдет") && !text.contains("Обойдётся"), "{text}");
}

#[test]
fn drafts_are_ones_own_and_keep_versions() {
    let base = base();
    let id;
    {
        let served = base.start();
        let anna = served.person("anna", &[Role::Editor], &[]);
        let boris = served.person("boris", &[Role::Editor, Role::Reviewer], &[]);
        let operator = served.person("oleg", &[Role::Operator], &[]);
        let (digest, text) = source(&anna, "articles/pack.md");
        let file = |text: &str, version: i64| json!([{"path": "articles/pack.md", "base": digest, "text": text, "version": version}]);
        let draft = anna.post("/api/v1/drafts", &json!({"title": "Правка", "files": file("один", 0)})).json();
        id = draft["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/drafts/{id}");
        assert_eq!(draft["files"][0]["version"], json!(1));
        // The draft changes nothing for anybody.
        assert_eq!(source(&boris, "articles/pack.md").1, text);
        for (other, status) in [(&boris, StatusCode::NOT_FOUND), (&operator, StatusCode::FORBIDDEN)] {
            assert_eq!(other.get(&path).status, status);
            assert_eq!(other.ask("PATCH", &path, Some(&json!({"title": "x"}))).status, status);
            assert_eq!(other.ask("DELETE", &path, None).status, status);
            assert_eq!(other.post(&format!("{path}/publish"), &json!({})).status, status);
            assert!(!other.get("/api/v1/drafts").text.contains("Правка"));
        }
        // What one has not seen one does not publish.
        let unseen = anna.post(&format!("{path}/publish"), &json!({"versions": {"articles/pack.md": 7}}));
        assert_eq!(unseen.status, StatusCode::CONFLICT, "{}", unseen.text);
        // An older window does not write over a newer one.
        let changed = anna.ask("PATCH", &path, Some(&json!({"files": file("два", 1)})));
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
        let stale = anna.ask("PATCH", &path, Some(&json!({"files": file("три", 1)})));
        assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.text);
        // What leads elsewhere is no file.
        for bad in [
            "../pharos.toml",
            "articles/../../x.md",
            "/etc/passwd.md",
            "articles/.hidden.md",
            "articles/x.svg",
            "exams/a.md",
        ] {
            let reply = anna.ask("PATCH", &path, Some(&json!({"files": [{"path": bad, "text": "x"}]})));
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{bad}: {}", reply.text);
            let address: String = bad.split('/').map(encode).collect::<Vec<_>>().join("/");
            let reply = anna.ask("PUT", &format!("/api/v1/sources/{address}"), Some(&json!({"text": "x"})));
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{bad}: {}", reply.text);
        }
    }
    // It is there after a restart, as it was.
    let served = base.start();
    let found = served.runtime.block_on(async {
        let anna = served.state.accounts.person_by_login("anna").await.unwrap().unwrap();
        served.state.editing.draft(&anna.id, &id).await.unwrap()
    });
    assert_eq!(found.files[0].text.as_deref(), Some("два"));
}

#[test]
fn what_readers_would_not_get_is_not_published() {
    let base = base();
    let served = base.start();
    let editor = served.person("anna", &[Role::Editor], &[]);
    let (digest, text) = source(&editor, "articles/pack.md");
    let broken = text.replace("title: Пакет", "title: [Пакет");
    let reply =
        editor.ask("PUT", "/api/v1/sources/articles/pack.md", Some(&json!({"base": digest, "text": broken})));
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text);
    assert!(reply.json()["detail"].as_str().unwrap().contains("articles/pack.md"), "{}", reply.text);
    for (path, text) in [
        ("articles/catalog/sms.yaml", "family: sms\nproducts: [\n"),
        ("templates/pack.md", "---\ntitle: x\n---\n# chat\n{% if %}\n"),
    ] {
        let (digest, _) = source(&editor, path);
        let reply = editor.ask(
            "PUT",
            &format!("/api/v1/sources/{path}"),
            Some(&json!({"base": digest, "text": text})),
        );
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", reply.text);
    }
    // Who insists is let through: what was served stays served, and the problem is listed.
    let forced = json!({"base": digest, "text": broken, "force": true});
    let reply = editor.ask("PUT", "/api/v1/sources/articles/pack.md", Some(&forced));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert_eq!(served.get("/api/v1/articles/pack").status, StatusCode::UNAUTHORIZED);
    assert_eq!(editor.json("/api/v1/articles/pack")["title"], "Пакет");
    let problems = editor.get("/api/v1/problems").text;
    assert!(problems.contains("articles/pack.md"), "{problems}");
    // A file may be larger than what others may send.
    let large = json!({"base": source(&editor, "articles/pack.md").0, "text": format!("---\ntitle: Много\n---\n{}", "слово\n".repeat(80_000)), "force": true});
    let reply = editor.ask("PUT", "/api/v1/sources/articles/pack.md", Some(&large));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let huge = json!({"base": digest, "text": "я".repeat(600 << 10)});
    let reply = editor.ask("PUT", "/api/v1/sources/articles/pack.md", Some(&huge));
    assert!(
        [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::BAD_REQUEST].contains(&reply.status),
        "{}",
        reply.text
    );
}

#[test]
fn a_preview_is_what_its_reader_would_get() {
    let base = base();
    let served = base.start();
    let editor = served.person("anna", &[Role::Editor], &[]);
    let text = "---\ntitle: Новый пакет\nproducts: [sms-100]\n---\nСтоит {{ sms-100.price }}.\n\n## Москва {#m region=moscow}\nДля Москвы.\n\n\
                ## Свои {#own audience=b2b}\nДля своих. <script>alert(1)</script>\n\n## Потом {#later from=2027-01-01}\nЕщё рано.\n\n[Нет](nowhere.md) {{ sms-100.weight }}\n";
    let preview = |more: Value| {
        let mut body = json!({"path": "articles/x.md", "text": text});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = editor.post("/api/v1/preview", &body);
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.json()
    };
    let html = |more: Value| preview(more)["article"]["html"].as_str().unwrap().to_owned();
    let all = html(json!({}));
    assert!(
        all.contains("100")
            && all.contains("Для Москвы")
            && all.contains("Для своих")
            && !all.contains("Ещё рано"),
        "{all}"
    );
    assert!(!all.contains("<script"), "{all}");
    let kazan = html(json!({"region": "kazan"}));
    assert!(!kazan.contains("Для Москвы"), "{kazan}");
    let everybody = html(json!({"audience": []}));
    assert!(!everybody.contains("Для своих"), "{everybody}");
    assert!(html(json!({"audience": ["b2b"]})).contains("Для своих"));
    assert!(html(json!({"as_of": "2027-02-01"})).contains("Ещё рано"));
    let problems = preview(json!({}))["problems"].clone();
    let codes: BTreeSet<&str> =
        problems.as_array().unwrap().iter().map(|p| p["code"].as_str().unwrap()).collect();
    assert_eq!(codes, BTreeSet::from(["broken-link", "unknown-value"]), "{problems}");
    // Nothing of it is anywhere.
    assert!(found(&editor, "новый пакет").iter().all(|id| id != "x"));
    assert_eq!(editor.get("/api/v1/sources/articles/x.md").status, StatusCode::NOT_FOUND);
    let template = editor.post(
        "/api/v1/preview",
        &json!({"path": "templates/x.md", "text": "---\ntitle: x\n---\n# chat\n{{ nobody.knows }}\n"}),
    );
    assert!(template.json()["problems"].to_string().contains("unknown-value"), "{}", template.text);
    for wrong in [json!({"as_of": "2026-13-01"}), json!({"path": "articles/../x.md"})] {
        let mut body = json!({"path": "articles/x.md", "text": text});
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(editor.post("/api/v1/preview", &body).status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

/// A PNG of one white point.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xff\xff\xff\x7f\0\x09\xfb\x03\xfd*\x86\xe3\x8a\0\0\0\0IEND\xaeB`\x82";

#[test]
fn pictures_are_kept_and_what_attacks_is_not() {
    let base = base();
    let served = base.start();
    let editor = served.person("anna", &[Role::Editor], &[]);
    let operator = served.person("oleg", &[Role::Operator], &[]);
    let send = |visitor: &Visitor<'_>, beside: &str, name: &str, bytes: &[u8]| {
        let path = format!("/api/v1/files?beside={}&name={}", encode(beside), encode(name));
        let (mut head, _) = visitor.request("POST", &path, None).into_parts();
        head.headers.insert("content-type", "application/octet-stream".parse().unwrap());
        served.send(axum::http::Request::from_parts(head, axum::body::Body::from(bytes.to_vec())))
    };
    let reply = send(&editor, "articles/pack.md", "Схема.png", PNG);
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
    assert_eq!(reply.json(), json!({"path": "articles/pack-схема.png", "link": "pack-схема.png"}));
    assert_eq!(std::fs::read(base.path("articles/pack-схема.png")).unwrap(), PNG);
    // The same again is the same; another one of the same name is another one.
    assert_eq!(send(&editor, "articles/pack.md", "Схема.png", PNG).json()["link"], "pack-схема.png");
    let other = [PNG, b"!"].concat();
    assert_eq!(send(&editor, "articles/pack.md", "Схема.png", &other).json()["link"], "pack-схема-2.png");
    // Who edits sees it at once, readers when the article shows it.
    let address = format!("/files/{}", encode("pack-схема.png"));
    assert_eq!(editor.get(&address).status, StatusCode::OK);
    assert_eq!(operator.get(&address).status, StatusCode::NOT_FOUND);
    let (digest, text) = source(&editor, "articles/pack.md");
    put(&editor, "articles/pack.md", &digest, &format!("{text}\n![схема](pack-схема.png)\n"), "");
    assert_eq!(operator.get(&address).status, StatusCode::OK);
    // What is not what it says, or would hurt who opens it.
    let huge = [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\0\0\0\x01\0\0\x08\x06\0\0\0"[..], &[0; 40]].concat();
    for (name, bytes) in [
        ("x.png", &b"<!doctype html><script>alert(1)</script>"[..]),
        ("x.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</svg>"),
        ("x.svg", b"<html xmlns=\"http://www.w3.org/1999/xhtml\"><svg xmlns=\"http://www.w3.org/2000/svg\"/></html>"),
        ("x.docx", b"PK\x03\x04\x14\0"),
        ("x.png", &huge),
        ("x.png", b""),
    ] {
        let reply = send(&editor, "articles/pack.md", name, bytes);
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{name}: {}", reply.text);
    }
    // A picture that is a page as well is served as a picture, and as nothing else.
    let both = b"GIF89a\x01\0\x01\0\0\0\0<script>alert(1)</script>";
    let link =
        send(&editor, "articles/pack.md", "page.html", both).json()["link"].as_str().unwrap().to_owned();
    assert_eq!(link, "pack-page.gif");
    let reply = editor.get(&format!("/files/{link}"));
    assert_eq!(
        (&reply.headers["content-type"], &reply.headers["x-content-type-options"]),
        (&"image/gif".parse().unwrap(), &"nosniff".parse().unwrap())
    );
    // Of a drawing what draws is kept; one that somebody put on the disk is served so as well.
    let drawing = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"><script>alert(2)</script><text>\xd0\xa1\xd1\x85\xd0\xb5\xd0\xbc\xd0\xb0</text></svg>";
    let kept =
        send(&editor, "articles/pack.md", "x.png", drawing).json()["link"].as_str().unwrap().to_owned();
    assert_eq!(kept, "pack-x.svg");
    std::fs::write(base.path("articles/disk.svg"), drawing).unwrap();
    assert!(!std::fs::read_to_string(base.path("articles/pack-x.svg")).unwrap().contains("alert"));
    for link in ["pack-x.svg", "disk.svg"] {
        let reply = editor.get(&format!("/files/{link}"));
        assert_eq!(reply.headers["content-type"], "image/svg+xml");
        assert!(reply.text.contains("Схема") && !reply.text.contains("alert"), "{}", reply.text);
    }
    // Names lead nowhere else.
    assert_eq!(
        send(&editor, "articles/pack.md", "../../../x.png", PNG).json()["path"],
        "articles/pack-x.png"
    );
    for beside in ["articles/../x.md", "templates/pack.md", "/etc/x.md"] {
        assert_eq!(send(&editor, beside, "x.png", PNG).status, StatusCode::BAD_REQUEST, "{beside}");
    }
    assert_eq!(send(&operator, "articles/pack.md", "x.png", PNG).status, StatusCode::FORBIDDEN);
    // As a form of another site could send it.
    let (mut head, _) = editor.request("POST", "/api/v1/files?beside=articles/pack.md", None).into_parts();
    head.headers.insert("content-type", "text/plain".parse().unwrap());
    let reply = served.send(axum::http::Request::from_parts(head, axum::body::Body::from(PNG)));
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.text);
    let too_large = [PNG, &vec![0; (1 << 20) + 1]].concat();
    assert_eq!(send(&editor, "articles/pack.md", "large.png", &too_large).status, StatusCode::BAD_REQUEST);
    assert!(!base.path("articles/pack-large.png").exists());
}

#[test]
fn who_is_erased_is_in_no_history() {
    let base = base();
    let served = base.start();
    let editor = served.person("anna", &[Role::Editor], &[]);
    let root = served.person("root", &[Role::Administrator], &[]);
    let (digest, text) = source(&editor, "articles/pack.md");
    put(&editor, "articles/pack.md", &digest, &text.replace("Остаток", "Что осталось"), "яснее");
    assert_eq!(
        root.ask("DELETE", &format!("/api/v1/people/{}", editor.id), None).status,
        StatusCode::NO_CONTENT
    );
    let told =
        [root.get("/api/v1/history/articles/pack.md").text, root.get("/api/v1/publications").text].concat();
    assert!(told.contains("яснее") && !told.contains("anna") && !told.contains(&editor.id), "{told}");
}

#[test]
fn what_should_be_verified_is_listed_and_verified_by_one_click() {
    let article = |head: &str| format!("---\ntitle: Статья\n{head}---\nТекст.\n");
    // It is 2026-11-23.
    let base = Base::with(&[
        ("articles/fresh.md", &article("verified: 2026-11-01\nverify_every: 90 days\nowner: anna\n")),
        ("articles/overdue.md", &article("verified: 2026-01-01\nverify_every: 6 месяцев\nowner: boris\n")),
        ("articles/due.md", &article("verified: 2026-11-01\nverify_every: 4 weeks\nowner: anna\n")),
        ("articles/nobody.md", &article("")),
        ("articles/ends.md", &article("valid: {to: 2026-12-01}\n")),
        ("articles/strange.md", &article("verify_every: often\n")),
        ("articles/kept/_folder.yaml", "verify_every: 1 year\nowner: anna\n"),
        ("articles/kept/never.md", &article("")),
    ]);
    let served = base.start();
    let editor = served.person("anna", &[Role::Editor], &[]);
    let operator = served.person("oleg", &[Role::Operator], &[]);
    let listed = |query: &str| ids(&editor.json(&format!("/api/v1/freshness{query}"))["articles"], "id");
    assert_eq!(listed(""), ["kept/never", "overdue", "due"]);
    assert_eq!(listed("?owner=anna"), ["kept/never", "due"]);
    assert_eq!(listed("?trust=verified"), ["fresh"]);
    assert_eq!(listed("?ending=true"), ["ends"]);
    assert_eq!(operator.get("/api/v1/freshness").status, StatusCode::FORBIDDEN);
    assert_eq!(served_problem(&editor, "articles/strange.md"), ["interval"]);
    // Readers are told.
    assert_eq!(operator.json("/api/v1/articles/overdue")["freshness"]["trust"], "overdue");
    assert!(operator.get("/articles/overdue").text.contains("overdue, verified"));
    let before = std::fs::read_to_string(base.path("articles/overdue.md")).unwrap();
    let reply = editor.post("/api/v1/verifications", &json!({"article": "overdue"}));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let after = std::fs::read_to_string(base.path("articles/overdue.md")).unwrap();
    assert_eq!(after, before.replace("2026-01-01", "2026-11-23"));
    assert_eq!(listed(""), ["kept/never", "due"]);
    let reply = editor.post("/api/v1/verifications", &json!({"article": "kept/never"}));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert_eq!(operator.json("/api/v1/articles/kept/never")["freshness"]["until"], "2027-11-23");
    assert_eq!(history(&editor, "articles/overdue.md")[0]["reason"], "verified");
    assert_eq!(
        operator.post("/api/v1/verifications", &json!({"article": "due"})).status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        editor.post("/api/v1/verifications", &json!({"article": "none"})).status,
        StatusCode::NOT_FOUND
    );
    let page = editor.get("/freshness").text;
    assert!(
        page.contains("/articles/due")
            && page.contains("/articles/ends")
            && !page.contains("/articles/overdue"),
        "{page}"
    );
}

fn served_problem(visitor: &Visitor<'_>, file: &str) -> Vec<String> {
    let problems = visitor.json("/api/v1/problems")["problems"].clone();
    let of_file = problems.as_array().unwrap().iter().filter(|problem| problem["file"] == file);
    of_file.map(|problem| problem["code"].as_str().unwrap().to_owned()).collect()
}

// ---- Nothing is lost

const SLOTS: usize = 11;

/// An article with a place for each of some who write it at one time.
fn places(number: usize) -> String {
    let mut text = format!("---\ntitle: Статья {number}\n---\n");
    for slot in 0..SLOTS {
        text.push_str(&format!("\n## Раздел {slot}\n\nместо {slot}: пусто\n"));
    }
    text
}

fn with_place(text: &str, slot: usize, mark: &str) -> String {
    let begin = format!("место {slot}: ");
    let lines = text
        .lines()
        .map(|line| if line.starts_with(&begin) { format!("{begin}{mark}") } else { line.to_owned() });
    lines.map(|line| line + "\n").collect()
}

/// Publishes a change of one's own place, whatever others do meanwhile. Returns what was acknowledged; `None`: no answer.
fn edit(process: &Process, cookie: &str, path: &str, slot: usize, mark: &str) -> Option<()> {
    loop {
        let (status, body) = process.ask_as(cookie, "GET", &format!("/api/v1/sources/{path}"), "")?;
        if status == 404 {
            continue;
        }
        assert_eq!(status, 200, "{body}");
        let source: Value = serde_json::from_str(&body).unwrap();
        let text = with_place(source["text"].as_str().unwrap(), slot, mark);
        if !text.contains(mark) {
            // Read while somebody who cut the file on disk was about to write it: no editor would go on from there.
            continue;
        }
        let change = json!({"base": source["digest"], "text": text, "reason": mark}).to_string();
        let (status, body) = process.ask_as(cookie, "PUT", &format!("/api/v1/sources/{path}"), &change)?;
        match status {
            200 => return Some(()),
            409 => {}
            _ => panic!("{status}: {body}"),
        }
    }
}

/// For each file: the texts of history, oldest first.
fn texts(store: &Store) -> BTreeMap<String, Vec<Option<String>>> {
    run(async {
        let database = store.open().await;
        let unfinished: Vec<(String,)> =
            sqlx::query_as("SELECT id FROM publications WHERE state = 'writing'")
                .fetch_all(database.pool())
                .await
                .unwrap();
        assert_eq!(unfinished, []);
        let rows: Vec<(String, Option<String>)> = sqlx::query_as(
            "SELECT r.path, t.body FROM revisions r LEFT JOIN texts t ON t.id = r.text_id ORDER BY r.id",
        )
        .fetch_all(database.pool())
        .await
        .unwrap();
        database.close().await;
        let mut texts: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
        for (path, text) in rows {
            texts.entry(path).or_default().push(text);
        }
        texts
    })
}

fn files(store: &Store, number: usize) {
    for article in 0..number {
        store.base.write(&format!("articles/a{article}.md"), places(article));
    }
}

/// Waits until every file holds the last text of its history, which takes up what was changed on disk. Returns the texts.
fn settled(store: &Store, articles: usize) -> BTreeMap<String, Vec<Option<String>>> {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let kept = texts(store);
        let is_last = |article: usize| {
            let path = format!("articles/a{article}.md");
            let now = std::fs::read_to_string(store.base.path(&path)).unwrap();
            kept.get(&path).and_then(|texts| texts.last()).is_some_and(|last| last.as_ref() == Some(&now))
        };
        if (0..articles).all(is_last) {
            return kept;
        }
        assert!(std::time::Instant::now() < end, "a file holds what is not the last of its history");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn fifty_who_write_twenty_articles_lose_nothing() {
    const WRITERS: usize = 50;
    const ARTICLES: usize = 20;
    // Of each writer; CONTRIBUTING.md tells how to run it with more.
    let edits = std::env::var_os("PHAROS_EDITS")
        .map_or(10, |number| number.to_str().unwrap().parse::<usize>().unwrap());
    on_each(|store| {
        files(store, ARTICLES);
        let cookies = run(people(store, WRITERS, Role::Editor));
        let process = Process::serve_with(
            &store.base,
            &[("PHAROS_DATABASE", store.database()), ("PHAROS_REQUESTS_PER_MINUTE", "0")],
        );
        process.wait_ready();
        let acknowledged = Mutex::new(Vec::new());
        let is_over = AtomicBool::new(false);
        let on_disk = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let ending = Ending(&is_over);
            let writers: Vec<_> = cookies
                .iter()
                .enumerate()
                .map(|(writer, cookie)| {
                    let (process, acknowledged) = (&process, &acknowledged);
                    scope.spawn(move || {
                        for number in 0..edits {
                            let path = format!("articles/a{}.md", (writer + number * 7) % ARTICLES);
                            let mark = format!("w{writer}n{number}");
                            edit(process, cookie, &path, writer % (SLOTS - 1), &mark).unwrap();
                            acknowledged.lock().unwrap().push((path, mark));
                        }
                    })
                })
                .collect();
            // Somebody writes the same files in an editor on the server: by cutting them, and by renaming.
            let (base, is_over, on_disk) = (&store.base, &is_over, &on_disk);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let number = on_disk.fetch_add(1, Ordering::Relaxed);
                    let path = base.path(&format!("articles/a{}.md", number % ARTICLES));
                    let text = std::fs::read_to_string(&path).unwrap();
                    if !text.contains("место 10:") {
                        continue;
                    }
                    let text = with_place(&text, SLOTS - 1, &format!("d{number}"));
                    if number.is_multiple_of(2) {
                        std::fs::write(&path, text).unwrap();
                    } else {
                        let aside = path.with_extension("tmp");
                        std::fs::write(&aside, text).unwrap();
                        std::fs::rename(&aside, &path).unwrap();
                    }
                    std::thread::sleep(Duration::from_millis(7));
                }
            });
            for writer in writers {
                writer.join().unwrap();
            }
            drop(ending);
        });
        let kept = settled(store, ARTICLES);
        drop(process);
        let acknowledged = acknowledged.into_inner().unwrap();
        assert_eq!(acknowledged.len(), WRITERS * edits);
        for (path, mark) in &acknowledged {
            let is_kept = kept[path]
                .iter()
                .flatten()
                .any(|text| text.lines().any(|line| line.ends_with(&format!(": {mark}"))));
            assert!(is_kept, "{mark} was acknowledged and is in no revision of {path}");
        }
        let written = on_disk.into_inner();
        assert!(written > 20);
        eprintln!("{} acknowledged while {written} were written on disk, none lost", acknowledged.len());
    });
}

fn hidden(store: &Store) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(store.base.path("articles")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with('.')).collect()
}

/// Hidden files of the last minute might be those of a process that is about to end.
fn let_a_minute_pass(store: &Store) {
    for path in hidden(store) {
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        let before = file.metadata().unwrap().modified().unwrap() - Duration::from_secs(120);
        file.set_modified(before).unwrap();
    }
}

#[test]
fn a_publication_that_is_killed_is_whole_or_not_there() {
    const KILLS: usize = 30;
    const ARTICLES: usize = 4;
    on_each(|store| {
        files(store, ARTICLES);
        let cookies = run(people(store, 4, Role::Editor));
        let acknowledged = Mutex::new(Vec::new());
        let number = AtomicUsize::new(0);
        fastrand::seed(17);
        for _ in 0..KILLS {
            let process = store.serve();
            process.wait_ready();
            let wait = Duration::from_millis(fastrand::u64(50..500));
            std::thread::scope(|scope| {
                for (slot, cookie) in cookies.iter().enumerate() {
                    let (process, acknowledged, number) = (&process, &acknowledged, &number);
                    scope.spawn(move || {
                        loop {
                            let mark = format!("k{}", number.fetch_add(1, Ordering::Relaxed));
                            // Two files that say the same.
                            let paths =
                                [slot % ARTICLES, (slot + 1) % ARTICLES].map(|n| format!("articles/a{n}.md"));
                            if publish_both(process, cookie, &paths, slot, &mark).is_none() {
                                return;
                            }
                            acknowledged.lock().unwrap().push((paths, mark));
                        }
                    });
                }
                std::thread::sleep(wait);
                let killed =
                    std::process::Command::new("kill").args(["-9", &process.child.id().to_string()]).status();
                assert!(killed.unwrap().success());
            });
        }
        let_a_minute_pass(store);
        // The next one brings to its end what was begun.
        let process = store.serve();
        process.wait_ready();
        drop(process);
        let acknowledged = acknowledged.into_inner().unwrap();
        let kept = texts(store);
        for (paths, mark) in &acknowledged {
            for path in paths {
                let is_kept = kept[path]
                    .iter()
                    .flatten()
                    .any(|text| text.lines().any(|line| line.ends_with(&format!(": {mark}"))));
                assert!(is_kept, "{mark} was acknowledged and is in no revision of {path}");
            }
        }
        let mut now = BTreeMap::new();
        for article in 0..ARTICLES {
            let path = format!("articles/a{article}.md");
            let text = std::fs::read_to_string(store.base.path(&path)).unwrap();
            assert_eq!(
                kept[&path].last().unwrap().as_ref(),
                Some(&text),
                "{path} is not the last of its history"
            );
            now.insert(article, text);
        }
        let place = |article: usize, slot: usize| {
            let begin = format!("место {slot}: ");
            now[&article].lines().find_map(|line| line.strip_prefix(&begin).map(str::to_owned)).unwrap()
        };
        for slot in 0..cookies.len() {
            assert_eq!(
                place(slot % ARTICLES, slot),
                place((slot + 1) % ARTICLES, slot),
                "half of a publication is on disk"
            );
        }
        assert_eq!(hidden(store), Vec::<PathBuf>::new());
        eprintln!("{} publications acknowledged over {KILLS} kills, none lost", acknowledged.len());
        assert!(acknowledged.len() > KILLS);
    });
}

/// Publishes the same in two files at one moment; `None`: no answer.
fn publish_both(process: &Process, cookie: &str, paths: &[String; 2], slot: usize, mark: &str) -> Option<()> {
    loop {
        let mut files = Vec::new();
        for path in paths {
            let (status, body) = process.ask_as(cookie, "GET", &format!("/api/v1/sources/{path}"), "")?;
            assert_eq!(status, 200, "{body}");
            let source: Value = serde_json::from_str(&body).unwrap();
            let text = with_place(source["text"].as_str().unwrap(), slot, mark);
            files.push(json!({"path": path, "base": source["digest"], "text": text}));
        }
        let new = json!({"title": mark, "files": files}).to_string();
        let (status, body) = process.ask_as(cookie, "POST", "/api/v1/drafts", &new)?;
        assert_eq!(status, 201, "{body}");
        let draft: Value = serde_json::from_str(&body).unwrap();
        let path = format!("/api/v1/drafts/{}/publish", draft["id"].as_str().unwrap());
        let (status, body) = process.ask_as(cookie, "POST", &path, "{}")?;
        match status {
            200 => return Some(()),
            409 => {}
            _ => panic!("{status}: {body}"),
        }
    }
}

#[test]
fn what_changed_while_nothing_ran_is_in_history() {
    let base = base();
    {
        let served = base.start();
        let editor = served.person("anna", &[Role::Editor], &[]);
        served.wait_until("history begins", |_| {
            ["articles/pack.md", "templates/pack.md", "articles/catalog/sms.yaml"]
                .iter()
                .all(|path| history(&editor, path).len() == 1)
        });
    }
    base.write("articles/pack.md", ARTICLE.replace("Остаток", "Что осталось"));
    std::fs::remove_file(base.path("templates/pack.md")).unwrap();
    let served: Served = base.start();
    let editor = served.person("boris", &[Role::Editor], &[]);
    served.wait_until("it is noticed", |_| {
        history(&editor, "articles/pack.md").len() == 2 && history(&editor, "templates/pack.md").len() == 2
    });
    assert_eq!(history(&editor, "templates/pack.md")[0]["digest"], Value::Null);
    assert_eq!(history(&editor, "articles/catalog/sms.yaml").len(), 1);
}
