//! Content over the years: commits of the git work tree it lies in, what nobody opens any more, and what is archived.

use std::process::Command;

use axum::http::StatusCode;
use jiff::ToSpan;
use pharos::accounts::permissions::Role;
use pharos::clock::Clock;
use pharos::settings::Settings;
use serde_json::{Value, json};

use crate::harness::{Base, Served, TODAY, Visitor, encode, ids};

const ARTICLE: &str =
    "---\ntitle: Пакет\n---\n## Цена\n\nСтоит 100 ₽.\n\n## Как подключить\n\nНаберите *155*2#.\n";

/// Runs git in a base, and returns what it printed.
#[track_caller]
fn git(base: &Base, args: &[&str]) -> String {
    let told = ["-c", "user.name=Вера", "-c", "user.email=vera@example.org", "-c", "core.quotePath=false"];
    let output = Command::new("git").arg("-C").arg(base.dir.path()).args(told).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn repository() -> Base {
    let base = Base::with(&[
        ("kb/articles/пакеты/sms.md", ARTICLE),
        ("kb/articles/other.md", "---\ntitle: Другое\n---\nТекст.\n"),
        ("kb/templates/sms.md", "---\ntitle: Ответ\n---\n# chat\nНаберите *155*2#.\n"),
        ("src/main.c", "int main(void) { return 0; }\n"),
        (".gitignore", "index\ndata\n"),
    ]);
    git(&base, &["init", "-q", "-b", "main"]);
    git(&base, &["add", "-A"]);
    git(&base, &["commit", "-qm", "The beginning"]);
    base
}

fn start(base: &Base) -> Served {
    let (articles, templates) = (base.path("kb/articles"), base.path("kb/templates"));
    Served::start(Settings { articles, templates, requests_per_minute: 0, ..base.settings() })
}

#[track_caller]
fn publish(editor: &Visitor<'_>, path: &str, change: impl Fn(&str) -> String, reason: &str) -> Value {
    let url = format!("/api/v1/sources/{}", encode(path).replace("%2F", "/"));
    let source = editor.json(&url);
    let text = change(source["text"].as_str().unwrap());
    let change = json!({"base": source["digest"], "text": text, "reason": reason});
    let reply = editor.ask("PUT", &url, Some(&change));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()
}

fn revisions(visitor: &Visitor<'_>, path: &str) -> Vec<Value> {
    let reply = visitor.get(&format!("/api/v1/history/{}", encode(path).replace("%2F", "/")));
    if reply.status == StatusCode::NOT_FOUND {
        return Vec::new();
    }
    reply.json()["revisions"].as_array().unwrap().clone()
}

#[test]
fn publications_become_commits_and_commits_tell_who_wrote() {
    let base = repository();
    let served = start(&base);
    let editor = served.person("anna", &[Role::Editor], &[]);
    let path = "articles/пакеты/sms.md";
    // What was there before has the author of its commit.
    served.wait_until("history begins", |_| !revisions(&editor, path).is_empty());
    let first = &revisions(&editor, path)[0];
    assert_eq!((&first["author_name"], &first["reason"]), (&json!("Вера"), &json!("The beginning")));
    let commits = || git(&base, &["rev-list", "--count", "HEAD"]);
    // The first look of the server at the tree is behind it: what is published from now on is committed.
    served.wait_until("commits begin", |served| {
        let database = served.state.editing.uncommitted(served.app.clock.now());
        served.runtime.block_on(database).is_ok()
    });
    // Somebody has other work lying there, some of it staged.
    base.write("src/main.c", "int main(void) { return 1; }\n");
    git(&base, &["add", "src/main.c"]);
    base.write("src/new.c", "int two;\n");
    let picture = [
        0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0,
        0, 0, 1, 8, 2, 0, 0, 0,
    ];
    base.write("kb/articles/пакеты/sms-схема.png", picture);
    base.write("kb/articles/пакеты/unused.png", picture);
    publish(
        &editor,
        path,
        |text| text.replace("100 ₽", "120 ₽") + "\n![Схема](sms-схема.png)\n",
        "цена с декабря",
    );
    served.wait_until("it is committed", |_| commits() == "2");
    let log = git(&base, &["log", "-1", "--format=%an|%cn|%s|%b"]);
    assert!(log.starts_with("anna|Pharos|цена с декабря|Publication: "), "{log}");
    assert_eq!(
        git(&base, &["show", "--name-only", "--format=", "HEAD"]),
        "kb/articles/пакеты/sms-схема.png\nkb/articles/пакеты/sms.md"
    );
    assert!(git(&base, &["show", "HEAD:kb/articles/пакеты/sms.md"]).contains("120 ₽"));
    // Of what somebody else was doing, nothing is touched.
    assert_eq!(
        git(&base, &["status", "--porcelain"]),
        "M  src/main.c\n?? kb/articles/пакеты/unused.png\n?? src/new.c"
    );
    // Two files of one publication are one commit, and what is taken away is.
    let draft = json!({"title": "", "files": []});
    let draft = editor.post("/api/v1/drafts", &draft).json()["id"].as_str().unwrap().to_owned();
    let of = |path: &str| editor.json(&format!("/api/v1/sources/{path}"));
    let (other, template) = (of("articles/other.md"), of("templates/sms.md"));
    let change = json!({"files": [
        {"path": "articles/other.md", "base": other["digest"], "text": null},
        {"path": "templates/sms.md", "base": template["digest"], "text": "---\ntitle: Новый ответ\n---\n# chat\nНаберите *155*2#.\n"},
    ]});
    let reply = editor.ask("PATCH", &format!("/api/v1/drafts/{draft}"), Some(&change));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let reply = editor.post(&format!("/api/v1/drafts/{draft}/publish"), &json!({"reason": ""}));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let publication = reply.json()["id"].as_str().unwrap().to_owned();
    served.wait_until("both are committed", |_| commits() == "3");
    assert_eq!(
        git(&base, &["show", "--name-status", "--format=%s", "HEAD"]),
        "Changed articles/other.md and 1 more\n\nD\tkb/articles/other.md\nM\tkb/templates/sms.md"
    );
    let reply = editor.post(&format!("/api/v1/publications/{publication}/undo"), &json!({}));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    served.wait_until("it is undone there too", |_| commits() == "4");
    assert!(git(&base, &["show", "HEAD:kb/articles/other.md"]).contains("Текст."));
    assert!(git(&base, &["log", "-1", "--format=%B"]).contains(&format!("Undoes: {publication}")));
    // What is pulled is in history, by who wrote it.
    let elsewhere = base.path("elsewhere");
    git(&base, &["worktree", "add", "-q", "-b", "side", elsewhere.to_str().unwrap()]);
    let text = std::fs::read_to_string(elsewhere.join("kb/articles/other.md")).unwrap();
    std::fs::write(elsewhere.join("kb/articles/other.md"), text.replace("Текст.", "Текст с той стороны."))
        .unwrap();
    git(&base, &["-C", elsewhere.to_str().unwrap(), "commit", "-qam", "С той стороны"]);
    git(&base, &["stash", "-q"]);
    git(&base, &["merge", "-q", "--ff-only", "side"]);
    served.wait_until("it is taken up", |_| {
        let newest = revisions(&editor, "articles/other.md").remove(0);
        newest["author_name"] == "Вера" && newest["reason"] == "С той стороны" && newest["origin"] == "disk"
    });
    // What nobody committed is nobody's.
    base.write("kb/articles/other.md", "---\ntitle: Другое\n---\nБез коммита.\n");
    served.wait_until("it is taken up", |_| {
        let newest = revisions(&editor, "articles/other.md").remove(0);
        newest["author_name"] == "" && newest["reason"] == "" && newest["origin"] == "disk"
    });
    assert_eq!(commits(), "5", "what others write is theirs to commit");
}

#[test]
fn a_commit_waits_for_a_merge_and_for_a_server_that_was_away() {
    let base = repository();
    let commits = || git(&base, &["rev-list", "--count", "HEAD"]);
    let marker = base.path(".git/MERGE_HEAD");
    {
        let served = start(&base);
        let editor = served.person("anna", &[Role::Editor], &[]);
        served.runtime.block_on(served.state.editing.uncommitted(served.app.clock.now())).unwrap();
        std::fs::write(&marker, git(&base, &["rev-parse", "HEAD"])).unwrap();
        publish(&editor, "articles/other.md", |text| text.replace("Текст", "Первый"), "first");
        publish(&editor, "articles/other.md", |text| text.replace("Первый", "Второй"), "second");
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        assert_eq!(commits(), "1", "somebody is merging");
    }
    std::fs::remove_file(&marker).unwrap();
    let served = start(&base);
    served.wait_until("what waited is committed", |_| commits() == "3");
    // Each holds what was published with it, though the file holds only the last.
    assert!(git(&base, &["show", "HEAD~1:kb/articles/other.md"]).contains("Первый"));
    assert!(git(&base, &["show", "HEAD:kb/articles/other.md"]).contains("Второй"));
    assert_eq!(git(&base, &["status", "--porcelain"]), "");
}

#[test]
fn without_git_and_with_it_switched_off_nothing_is_committed() {
    let base = repository();
    let (articles, templates) = (base.path("kb/articles"), base.path("kb/templates"));
    let off = Settings { articles, templates, git: false, ..base.settings() };
    assert!(Served::start(off).state.editing.work_tree().is_none());
    // Ignored content is none of git's.
    std::fs::write(base.path(".gitignore"), "index\ndata\nkb\n").unwrap();
    git(&base, &["rm", "-rq", "--cached", "kb"]);
    assert!(start(&base).state.editing.work_tree().is_none());
    let plain = Base::with(&[("articles/a.md", ARTICLE)]);
    assert!(plain.start().state.editing.work_tree().is_none());
}

#[test]
fn what_nobody_opens_is_listed_and_archived_on_its_day() {
    let base = Base::with(&[
        ("articles/sms/old.md", "---\ntitle: Старый пакет\n---\nНаберите *155*1#.\n"),
        ("articles/sms/new.md", "---\ntitle: Новый пакет\n---\nНаберите *155*2#.\n"),
        ("articles/read.md", "---\ntitle: Читают\n---\nТекст.\n"),
    ]);
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    for path in ["articles/sms/old.md", "articles/sms/new.md", "articles/read.md"] {
        std::fs::File::options().append(true).open(base.path(path)).unwrap().set_modified(long_ago).unwrap();
    }
    let clock = Clock::frozen_at(format!("{TODAY}T12:00:00Z").parse().unwrap());
    let served = Served::start_at(Settings { requests_per_minute: 0, ..base.settings() }, clock.clone());
    let editor = served.person("anna", &[Role::Editor], &[]);
    let operator = served.person("oleg", &[Role::Operator], &[]);
    let keep = || {
        let kept = served.state.openings.keep(clock.today());
        served.runtime.block_on(kept).unwrap();
    };
    let listed = || ids(&editor.json("/api/v1/freshness?unopened=90")["articles"], "id");
    operator.json("/api/v1/articles/sms/new");
    keep();
    assert_eq!(listed(), [""; 0], "counting has only begun");
    let later = |days: i64| clock.advance(jiff::SignedDuration::from_hours(24 * days));
    later(120);
    // The people's sessions have ended by then.
    let editor = served.person("vera", &[Role::Editor], &[]);
    let operator = served.person("olga", &[Role::Operator], &[]);
    let listed = |days: u32| editor.json(&format!("/api/v1/freshness?unopened={days}"))["articles"].clone();
    assert!(operator.get("/articles/read").status.is_success());
    keep();
    keep();
    let found = listed(90);
    assert_eq!(ids(&found, "id"), ["sms/old", "sms/new"], "{found}");
    assert_eq!((&found[0]["opened"], &found[1]["opened"]), (&Value::Null, &json!(TODAY)));
    assert_eq!(ids(&listed(121), "id"), [""; 0]);
    assert_eq!(editor.get("/api/v1/freshness?unopened=-1").status, StatusCode::BAD_REQUEST);
    let page = editor.get("/freshness").text;
    assert!(page.contains("/archive/sms/old") && !page.contains("/archive/read"), "{page}");
    let form = editor.get("/archive/sms/old").text;
    assert!(form.contains("value=\"sms/new\"") && !form.contains("value=\"sms/old\">Старый"), "{form}");

    // Wrong wishes change nothing.
    let archive = |body: &Value| editor.post("/api/v1/archivals", body);
    for (body, status) in [
        (json!({"article": "none"}), StatusCode::NOT_FOUND),
        (json!({"article": "sms/old", "replaced_by": "none"}), StatusCode::BAD_REQUEST),
        (json!({"article": "sms/old", "replaced_by": "sms/old"}), StatusCode::BAD_REQUEST),
        (json!({"article": "sms/old", "from": "soon"}), StatusCode::BAD_REQUEST),
    ] {
        let reply = archive(&body);
        assert_eq!(reply.status, status, "{body}: {}", reply.text);
    }
    let forbidden = operator.post("/api/v1/archivals", &json!({"article": "sms/old"}));
    assert_eq!(forbidden.status, StatusCode::FORBIDDEN);

    // From a day on, by itself, with what replaces it.
    let from = clock.today().checked_add(3.days()).unwrap();
    let wish = json!({"article": "sms/old", "replaced_by": "sms/new", "from": from});
    let reply = archive(&wish);
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert!(reply.json()["publish_at"].as_str().unwrap().starts_with(&from.to_string()), "{}", reply.text);
    assert_eq!(operator.json("/api/v1/articles/sms/old")["status"], "active");
    later(3);
    served.wait_until("it is archived", |_| {
        let text = std::fs::read_to_string(base.path("articles/sms/old.md")).unwrap();
        text == "---\ntitle: Старый пакет\nstatus: archived\nreplaced_by: \"sms/new\"\n---\nНаберите *155*1#.\n"
    });
    let operator = served.person("petr", &[Role::Operator], &[]);
    served.wait_until("readers get it", |_| {
        let old = operator.json("/api/v1/articles/sms/old");
        old["status"] == "archived" && old["replaced_by"] == "sms/new"
    });
    // At once.
    let editor = served.person("rita", &[Role::Editor], &[]);
    let reply = editor.post("/api/v1/archivals", &json!({"article": "read", "reason": "устарело"}));
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    assert_eq!(operator.json("/api/v1/articles/read")["status"], "archived");
    assert_eq!(revisions(&editor, "articles/read.md")[0]["reason"], "устарело");
    assert_eq!(ids(&editor.json("/api/v1/freshness?unopened=90")["articles"], "id"), ["sms/new"]);
}
