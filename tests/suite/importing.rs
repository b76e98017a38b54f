//! `pharos import`: what other systems export becomes articles, again and again, and what attacks is not carried.

use std::io::Write;
use std::path::Path;

use axum::http::StatusCode;
use pharos::accounts::permissions::Role;
use pharos::settings::Settings;
use serde_json::{Value, json};

use crate::harness::{Base, Reply, Served, Visitor};

const GIF: &[u8] = b"GIF89a\x01\0\x01\0\0\0\0;";

fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Imports, and returns what is told and the report.
fn import(base: &Base, source: &Path, arguments: &[&str]) -> (bool, String, Value) {
    let report = base.path("report.json");
    let _ = std::fs::remove_file(&report);
    let mut command = base.command("import");
    command.arg(source).args(["--into", "moved", "--report"]).arg(&report).args(arguments);
    let output = command.output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let written = std::fs::read(&report).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
    (output.status.success(), String::from_utf8(told).unwrap(), written)
}

fn files(base: &Base) -> Vec<String> {
    let root = base.path("articles/moved");
    let mut files: Vec<String> = walkdir::WalkDir::new(&root)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned())
        .filter(|path| !path.starts_with('.'))
        .collect();
    files.sort();
    files
}

#[test]
fn what_is_imported_again_is_brought_up_to_date_and_edits_stay() {
    let base = Base::with(&[("articles/index.md", "---\ntitle: Начало\n---\nТекст.\n")]);
    let source = tempfile::tempdir().unwrap();
    let source = source.path();
    put(source, "mkdocs.yml", b"site_name: x\nnav:\n  - one.md\n");
    let one = "---\ntitle: Один\ntags: [смс]\n---\n\n!!! warning \"Важно\"\n    Не *155*2#.\n\nСм. [второй](sub/two.md#how) и ![схема](img/a.gif).\n";
    put(source, "docs/one.md", one.as_bytes());
    put(source, "docs/sub/two.md", "# Два\n\n## Как { #how }\n\nТак.\n".as_bytes());
    put(source, "docs/img/a.gif", GIF);
    let (_, told, _) = import(&base, source, &["--dry-run"]);
    assert!(told.contains("2 articles"), "{told}");
    assert_eq!(files(&base), [""; 0], "nothing was to be written");
    let (is_good, told, report) = import(&base, source, &[]);
    assert!(is_good, "{told}");
    assert_eq!(report["report"]["format"], "Markdown");
    let written = files(&base);
    assert_eq!(written.len(), 3, "{written:?}");
    let article = written.iter().find(|path| path.ends_with("один.md") || path.ends_with("one.md")).unwrap();
    let at = format!("articles/moved/{article}");
    let text = std::fs::read_to_string(base.path(&at)).unwrap();
    assert!(text.contains("> [!WARNING]") && text.contains("#how)") && text.contains("*155*2#"), "{text}");
    // Links and pictures are there, for whoever reads them here.
    let check = base.command("check").output().unwrap();
    let checked = String::from_utf8(check.stdout).unwrap();
    assert!(check.status.success() && !checked.contains("link"), "{checked}");
    // The same again changes nothing.
    let (_, _, report) = import(&base, source, &[]);
    assert_eq!(
        (&report["written"]["unchanged"], &report["written"]["new"]),
        (&Value::from(2), &Value::Array(vec![]))
    );
    // What editors wrote since stays; what the source changed comes; what it has no more stays and is told.
    base.write(&at, text.replace("Не ", "Никогда не "));
    put(source, "docs/one.md", one.replace("Важно", "Очень важно").as_bytes());
    put(source, "docs/sub/two.md", "# Два\n\n## Как { #how }\n\nИначе.\n".as_bytes());
    let (_, told, report) = import(&base, source, &[]);
    assert_eq!(report["written"]["edited"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(report["written"]["updated"].as_array().unwrap().len(), 1, "{told}");
    assert!(std::fs::read_to_string(base.path(&at)).unwrap().contains("Никогда"));
    std::fs::remove_file(source.join("docs/sub/two.md")).unwrap();
    let (_, _, report) = import(&base, source, &[]);
    assert_eq!(report["written"]["gone"].as_array().unwrap().len(), 1);
    assert_eq!(files(&base).len(), 3);
}

fn archive(path: &Path, entries: &[(&str, &[u8])]) {
    let mut writer = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn attacks_in_sources_are_refused_or_left_behind() {
    let base = Base::with(&[("articles/index.md", "---\ntitle: Начало\n---\nТекст.\n")]);
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source.zip");
    // A name that leads out of it: nothing of it is read.
    archive(&source, &[("a.md", b"# A\n"), ("../../outside.md", b"# B\n")]);
    let (is_good, told, _) = import(&base, &source, &[]);
    assert!(!is_good && told.contains("outside.md"), "{told}");
    assert_eq!(files(&base), [""; 0]);
    assert!(!base.path("articles/outside.md").exists() && !base.path("outside.md").exists());
    // Far more than it seems: that file is left out and told, the others come.
    let bomb = vec![b' '; 80 << 20];
    archive(&source, &[("good.md", "# Хорошо\n\nТекст.\n".as_bytes()), ("bomb.md", &bomb)]);
    assert!(std::fs::metadata(&source).unwrap().len() < 1 << 20);
    let (is_good, told, report) = import(&base, &source, &[]);
    assert!(is_good && report["report"]["unreadable"]["bomb.md"].is_string(), "{told}");
    assert_eq!(files(&base).len(), 1);
    // The same within a Word document.
    let document = folder.path().join("bomb.docx");
    archive(
        &document,
        &[
            ("[Content_Types].xml", b"<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>"),
            ("_rels/.rels", b"<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'><Relationship Id='r' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument' Target='word/document.xml'/></Relationships>"),
            ("word/document.xml", &bomb),
        ],
    );
    let (_, told, report) = import(&base, &document, &[]);
    assert_eq!(report["report"]["articles"], 0, "{told}");
    assert_eq!(report["report"]["unreadable"].as_object().unwrap().len(), 1, "{told}");
    // Pictures are what their bytes say, and of drawings what draws.
    let page = "<html><head><title>x</title></head><body><main><h1>Картинки</h1><p>Текст страницы, которого достаточно, чтобы её прочитали.</p>\
        <p><img src='a.gif' alt='хорошая'><img src='b.png' alt='чужая'><img src='c.svg' alt='злая' onerror='alert(1)'></p>\
        <p><a href='javascript:alert(1)'>нажми</a></p><script>alert(2)</script></main></body></html>";
    let site = folder.path().join("site");
    put(&site, "page.html", page.as_bytes());
    put(&site, "a.gif", GIF);
    put(&site, "b.png", b"<!doctype html><script>alert(3)</script>");
    put(&site, "c.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(4)'/>");
    let (is_good, told, _) = import(&base, &site, &["--format", "html"]);
    assert!(is_good, "{told}");
    let written = files(&base);
    let pictures: Vec<&String> = written.iter().filter(|path| path.starts_with("files/")).collect();
    assert!(
        pictures.len() == 2 && pictures[0].ends_with(".gif") && pictures[1].ends_with(".svg"),
        "{written:?}"
    );
    let drawing = std::fs::read_to_string(base.path(&format!("articles/moved/{}", pictures[1]))).unwrap();
    assert!(drawing.contains("<svg") && !drawing.contains("alert"), "{drawing}");
    let text = written
        .iter()
        .filter(|path| path.ends_with(".md"))
        .map(|path| std::fs::read_to_string(base.path(&format!("articles/moved/{path}"))).unwrap())
        .find(|text| text.contains("Картинки"))
        .unwrap();
    assert!(!text.contains("alert") && !text.contains("javascript") && text.contains("злая"), "{text}");
    // What is nothing at all is told so.
    put(&folder.path().join("other"), "a.bin", b"\0\x01\x02");
    let (is_good, told, _) = import(&base, &folder.path().join("other"), &[]);
    assert!(!is_good && told.contains("--format"), "{told}");
    let (is_good, told, _) = import(&base, &folder.path().join("nowhere"), &[]);
    assert!(!is_good && told.contains("nowhere"), "{told}");
}

/// Sends a file in pieces, and waits until it is read.
fn sent(editor: &Visitor<'_>, name: &str, bytes: &[u8], into: &str, draft: bool) -> Value {
    let wish = json!({"name": name, "size": bytes.len(), "into": into, "draft": draft});
    let reply = editor.post("/api/v1/imports", &wish);
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    let mut at = 0;
    for piece in bytes.chunks(bytes.len() / 2 + 1) {
        assert_eq!(piece_at(editor, &id, at, piece).status, StatusCode::OK);
        at += piece.len();
    }
    settled(editor, &id)
}

fn piece_at(visitor: &Visitor<'_>, id: &str, at: usize, piece: &[u8]) -> Reply {
    let mut request = visitor.request("PUT", &format!("/api/v1/imports/{id}/content?at={at}"), None);
    request.headers_mut().insert("content-type", "application/octet-stream".parse().unwrap());
    *request.body_mut() = piece.to_vec().into();
    visitor.served.send(request)
}

fn write(editor: &Visitor<'_>, id: &str) -> Reply {
    editor.ask("POST", &format!("/api/v1/imports/{id}/write"), None)
}

/// The import as it is when nothing goes on any more.
fn settled(editor: &Visitor<'_>, id: &str) -> Value {
    let get = || editor.json(&format!("/api/v1/imports/{id}"));
    editor
        .served
        .wait_until("it is done", |_| !["reading", "writing"].contains(&get()["state"].as_str().unwrap()));
    get()
}

#[test]
fn what_is_sent_is_shown_first_and_written_when_its_sender_agrees() {
    let twin = (0..40).map(|n| format!("Предложение номер {n} о подключении пакета. ")).collect::<String>();
    let base = Base::with(&[
        ("articles/index.md", "---\ntitle: Начало\n---\nТекст.\n"),
        ("articles/twin.md", &format!("---\ntitle: Двойник\n---\n{twin}\n")),
    ]);
    let served = Served::start(Settings { requests_per_minute: 0, ..base.settings() });
    let editor = served.person("anna", &[Role::Editor], &[]);
    let other = served.person("boris", &[Role::Editor], &[]);
    let operator = served.person("oleg", &[Role::Operator], &[]);
    let source = base.path("source.zip");
    let article = format!("# Новая\n\n{twin}И ещё одно.\n\n![схема](a.gif)\n");
    archive(
        &source,
        &[
            ("docs/one.md", article.as_bytes()),
            ("docs/two.md", "# Два\n\nСм. [первый](one.md).\n".as_bytes()),
            ("docs/a.gif", GIF),
        ],
    );
    let bytes = std::fs::read(&source).unwrap();
    let import = sent(&editor, "source.zip", &bytes, "moved/wiki", false);
    assert_eq!(import["state"], "waiting", "{import}");
    let outcome = &import["outcome"];
    assert_eq!((&outcome["counts"]["new"], &outcome["files"]), (&json!(2), &json!(1)), "{import}");
    assert_eq!(outcome["alike"][0]["other"], "twin.md", "{import}");
    assert!(!base.path("articles/moved").exists(), "nothing is written yet");
    let id = import["id"].as_str().unwrap();
    let page = editor.get(&format!("/import/{id}")).text;
    assert!(page.contains(&format!("/api/v1/imports/{id}/write")) && page.contains("twin.md"), "{page}");
    // It is nobody else's.
    for path in [format!("/api/v1/imports/{id}"), format!("/import/{id}")] {
        assert_eq!(other.get(&path).status, StatusCode::NOT_FOUND);
        assert_eq!(operator.get(&path).status, StatusCode::FORBIDDEN);
    }
    assert_eq!(other.json("/api/v1/imports")["imports"], json!([]));
    assert_eq!(piece_at(&editor, id, 0, b"again").status, StatusCode::CONFLICT);
    assert_eq!(write(&editor, id).status, StatusCode::OK);
    let done = settled(&editor, id);
    assert_eq!((&done["state"], &done["outcome"]["counts"]["new"]), (&json!("done"), &json!(2)), "{done}");
    assert_eq!(write(&editor, id).status, StatusCode::CONFLICT);
    assert_eq!(done["outcome"]["new"], json!(["moved/wiki/docs/one.md", "moved/wiki/docs/two.md"]), "{done}");
    served.wait_until("it is served", |_| {
        editor.get("/api/v1/articles/moved/wiki/docs/one").status == StatusCode::OK
    });
    // History knows who moved it in, and so does the log.
    let history = || editor.json("/api/v1/history/articles/moved/wiki/docs/one.md")["revisions"][0].clone();
    served.wait_until("it is in history", |_| {
        editor.get("/api/v1/history/articles/moved/wiki/docs/one.md").status == StatusCode::OK
    });
    assert_eq!(
        (&history()["author_name"], &history()["reason"]),
        (&json!("anna"), &json!("imported: source.zip"))
    );
    let root = served.person("root", &[Role::Administrator], &[]);
    assert!(root.get("/api/v1/audit?action=content.imported").text.contains("source.zip: 2 new"));
    // Again: nothing is new.
    let again = sent(&editor, "source.zip", &bytes, "moved/wiki", false);
    assert_eq!(again["outcome"]["counts"]["unchanged"], 2, "{again}");
    assert_eq!(
        editor.ask("DELETE", &format!("/api/v1/imports/{}", again["id"].as_str().unwrap()), None).status,
        StatusCode::NO_CONTENT
    );
}

#[test]
fn where_others_must_approve_only_new_drafts_go_in() {
    let base = Base::with(&[("articles/kb/strict/_folder.yaml", "approval: {count: 1}\n")]);
    let served = Served::start(Settings { requests_per_minute: 0, ..base.settings() });
    let editor = served.person("anna", &[Role::Editor], &[]);
    let source = base.path("source.zip");
    archive(
        &source,
        &[("strict/two.md", "# Два\n\nТекст.\n".as_bytes()), ("one.md", "# Один\n\nТекст.\n".as_bytes())],
    );
    let bytes = std::fs::read(&source).unwrap();
    let strict = sent(&editor, "source.zip", &bytes, "kb", false);
    assert_eq!(write(&editor, strict["id"].as_str().unwrap()).status, StatusCode::OK);
    let refused = settled(&editor, strict["id"].as_str().unwrap());
    assert!(refused["fault"].as_str().is_some_and(|fault| fault.contains("must approve")), "{refused}");
    assert!(!base.path("articles/kb/strict/two.md").exists() && !base.path("articles/kb/one.md").exists());
    let drafts = sent(&editor, "source.zip", &bytes, "kb", true);
    assert_eq!(write(&editor, drafts["id"].as_str().unwrap()).status, StatusCode::OK);
    settled(&editor, drafts["id"].as_str().unwrap());
    assert!(
        std::fs::read_to_string(base.path("articles/kb/strict/two.md")).unwrap().contains("status: draft")
    );
    // What is there by now is no new draft: readers would lose it, or get another text.
    let path = base.path("articles/kb/strict/two.md");
    let text = std::fs::read_to_string(&path).unwrap();
    archive(
        &source,
        &[
            ("strict/two.md", "# Два\n\nДругой текст.\n".as_bytes()),
            ("one.md", "# Один\n\nТекст.\n".as_bytes()),
        ],
    );
    let changed = sent(&editor, "source.zip", &std::fs::read(&source).unwrap(), "kb", true);
    assert_eq!(write(&editor, changed["id"].as_str().unwrap()).status, StatusCode::OK);
    assert_eq!(settled(&editor, changed["id"].as_str().unwrap())["state"], "failed");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn what_cannot_be_imported_says_why_and_goes() {
    let base = Base::with(&[("articles/index.md", "---\ntitle: Начало\n---\nТекст.\n")]);
    let served = Served::start(Settings { requests_per_minute: 0, ..base.settings() });
    let editor = served.person("anna", &[Role::Editor], &[]);
    let bad = sent(&editor, "photo.raw", b"\x00\x01\x02\x03", "moved", false);
    assert_eq!(bad["state"], "failed");
    assert!(bad["fault"].as_str().unwrap().contains("nothing in the source"), "{bad}");
    let evil = base.path("evil.zip");
    archive(&evil, &[("../../outside.md", b"# B\n")]);
    let bad = sent(&editor, "evil.zip", &std::fs::read(&evil).unwrap(), "moved", false);
    assert!(bad["fault"].as_str().unwrap().contains("outside.md"), "{bad}");
    for wish in [
        json!({"name": "../a.zip", "size": 1, "into": "moved"}),
        json!({"name": "a.zip", "size": 0, "into": "moved"}),
        json!({"name": "a.zip", "size": 1_u64 << 40, "into": "moved"}),
        json!({"name": "a.zip", "size": 1, "into": "../moved"}),
        json!({"name": "a.zip", "size": 1, "into": ""}),
        json!({"name": "a.zip", "size": 1, "into": "moved", "format": "pdf"}),
    ] {
        let reply = editor.post("/api/v1/imports", &wish);
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{wish}: {}", reply.text);
    }
    // A piece beyond the end, and a file that never ends.
    let begun = editor.post("/api/v1/imports", &json!({"name": "a.md", "size": 3, "into": "moved"})).json();
    assert_eq!(piece_at(&editor, begun["id"].as_str().unwrap(), 0, b"long").status, StatusCode::CONFLICT);
    assert_eq!(piece_at(&editor, begun["id"].as_str().unwrap(), 1, b"a").status, StatusCode::CONFLICT);
    let kept = || std::fs::read_dir(base.path("data/imports")).map_or(0, |entries| entries.count());
    assert!(kept() > 0);
    let later = served.app.clock.now().checked_add(jiff::SignedDuration::from_hours(3)).unwrap();
    served.state.imports.tidy(later);
    assert_eq!(kept(), 0);
}

/// How many links of pages lead to a page or a file beside them: every one does.
fn links_that_lead(site: &Path) -> usize {
    let mut links = 0;
    for page in walkdir::WalkDir::new(site).into_iter().filter_map(Result::ok) {
        if page.path().extension().is_none_or(|extension| extension != "html") {
            continue;
        }
        let html = std::fs::read_to_string(page.path()).unwrap();
        let folder = page.path().parent().unwrap();
        for part in html.split("href=\"").skip(1).chain(html.split("src=\"").skip(1)) {
            let target = part.split(['"', '#']).next().unwrap();
            if target.is_empty() {
                continue;
            }
            let path = percent_encoding::percent_decode_str(target).decode_utf8().unwrap();
            assert!(folder.join(&*path).is_file(), "{} leads to {path}", page.path().display());
            links += 1;
        }
    }
    links
}

#[test]
fn what_is_exported_is_everything_and_needs_no_server() {
    let base = Base::with(&[
        (
            "articles/index.md",
            "---\ntitle: Начало\n---\nСм. [пакет](смс/пакет.md#цена) и [черновик](draft.md).\n",
        ),
        (
            "articles/смс/пакет.md",
            "---\ntitle: \"Пакет <1>\"\n---\n## Цена\n\nСтоит {{ sms-100.price }}.\n\n![схема](схема.gif)\n",
        ),
        ("articles/draft.md", "---\ntitle: Черновик\nstatus: draft\n---\nНе для читателей.\n"),
        ("articles/shut.md", "---\ntitle: Закрыто\naudience: [partners]\n---\nТайна.\n"),
        ("articles/later.md", "---\ntitle: Потом\nvalid: {from: 2999-01-01}\n---\nПозже.\n"),
        (
            "articles/catalog/sms.yaml",
            "family: sms\ntitle: {ru: Пакеты, en: Packages}\nattributes:\n  price: {type: money, label: {ru: Цена, en: Price}}\nproducts:\n  - id: sms-100\n    title: {ru: Сто SMS, en: Hundred SMS}\n    values: {price: 100}\n",
        ),
        (
            "templates/pack.md",
            "---\ntitle: Ответ\narticles: [смс/пакет]\n---\n# chat\nСтоит {{ sms-100.price }}.\n",
        ),
    ]);
    base.write("articles/смс/схема.gif", GIF);
    base.write("articles/.hidden/x.md", "# Не отсюда\n");
    let export = |form: &str, out: &str| {
        let output = base.command("export").arg(base.path(out)).args(["--as", form]).output().unwrap();
        (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    // Markdown: the folders as they are, and good for another server.
    let (is_good, told) = export("markdown", "text");
    assert!(is_good && told.contains("8 files"), "{told}");
    let same = |path: &str| {
        std::fs::read(base.path(path)).unwrap() == std::fs::read(base.path(&format!("text/{path}"))).unwrap()
    };
    assert!(same("articles/смс/пакет.md") && same("articles/смс/схема.gif") && same("templates/pack.md"));
    assert!(!base.path("text/articles/.hidden").exists());
    let (is_good, told) = export("markdown", "text");
    assert!(!is_good && told.contains("is there already"), "{told}");
    // A site: every link leads to a page or a file of it.
    let (is_good, told) = export("html", "site");
    assert!(is_good && told.contains("3 articles, 1 files, 1 templates, 1 products"), "{told}");
    let links = links_that_lead(&base.path("site"));
    assert!(links > 8, "{links}");
    let pack = std::fs::read_to_string(base.path("site/articles/смс/пакет.html")).unwrap();
    assert!(
        pack.contains("100&nbsp;₽") && pack.contains("Пакет &lt;1&gt;") && pack.contains("id=\"цена\""),
        "{pack}"
    );
    assert!(std::fs::read_to_string(base.path("site/articles/shut.html")).unwrap().contains("Тайна"));
    // JSON: an object a line, the source and what readers see.
    let (is_good, told) = export("jsonl", "all.jsonl");
    assert!(is_good, "{told}");
    let lines = std::fs::read_to_string(base.path("all.jsonl")).unwrap();
    let all: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = all.iter().map(|one| one["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["article", "article", "article", "article", "template", "product"]);
    let pack = all.iter().find(|one| one["id"] == "смс/пакет").unwrap();
    assert!(
        pack["source"].as_str().unwrap().contains("{{ sms-100.price }}")
            && pack["html"].as_str().unwrap().contains("100&nbsp;₽")
    );
    let later = all.iter().find(|one| one["id"] == "later").unwrap();
    assert!(
        later["source"].as_str().unwrap().contains("Позже"),
        "what is not in force today is there as well"
    );
}
