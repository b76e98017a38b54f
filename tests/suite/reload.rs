//! What is served follows the files.

use std::time::Duration;

use pharos::clock::Clock;
use pharos::settings::{Settings, WatchSetting};

use crate::harness::{Base, Served, TODAY, ids};

fn article(title: &str, text: &str) -> String {
    format!("---\ntitle: {title}\n---\n\n{text}\n")
}

#[test]
fn articles_come_change_and_go() {
    let base = Base::with(&[("articles/a.md", &article("Первая", "ключица"))]);
    let served = base.start();
    base.write("articles/b.md", article("Вторая", "лопатка"));
    served.wait_until("the new article is found", |s| s.found("лопатка", "") == ["b"]);
    base.write("articles/b.md", article("Вторая", "голень"));
    served.wait_until("the change is found", |s| {
        s.found("голень", "") == ["b"] && s.found("лопатка", "").is_empty()
    });
    assert!(served.json("/api/v1/articles/b")["html"].as_str().unwrap().contains("голень"));
    std::fs::remove_file(base.path("articles/b.md")).unwrap();
    served.wait_until("the article is gone", |s| s.found("голень", "").is_empty());
    assert_eq!(served.get("/api/v1/articles/b").status, 404);
    let changes = served.json("/api/v1/changes?since=2026-11-23");
    assert_eq!(ids(&changes["changes"], "change"), ["removed", "changed", "added"], "{changes}");
    assert_eq!(served.json("/api/v1/changes?since=2026-11-24")["total"], 0);
}

#[test]
fn an_editor_that_saves_by_renaming_is_followed() {
    let base = Base::with(&[("articles/a.md", &article("А", "исходник"))]);
    let served = base.start();
    for number in 0..5 {
        base.write("articles/.a.md.swp", article("А", &format!("правка{number}")));
        std::fs::rename(base.path("articles/.a.md.swp"), base.path("articles/a.md")).unwrap();
    }
    served.wait_until("the last save is served", |s| {
        s.json("/api/v1/articles/a")["html"].to_string().contains("правка4")
    });
    assert_eq!(served.search("", "")["total"], 1);
}

#[test]
fn folders_are_moved_deleted_and_restored() {
    let base = Base::with(&[
        ("articles/one/deep/a.md", &article("А", "ключица")),
        ("articles/one/b.md", &article("Б", "лопатка")),
        ("articles/c.md", &article("В", "[а](one/b.md)")),
    ]);
    let served = base.start();
    std::fs::rename(base.path("articles/one"), base.path("articles/two")).unwrap();
    served.wait_until("the folder has moved", |s| {
        s.found("ключица", "") == ["two/deep/a"]
            && s.found("лопатка", "") == ["two/b"]
            && s.search("", "")["total"] == 3
    });
    assert_eq!(served.problems("articles/c.md"), ["broken-link"]);
    std::fs::rename(base.path("articles"), base.path("aside")).unwrap();
    served.wait_until("nothing is left", |s| s.search("", "")["total"] == 0);
    std::fs::rename(base.path("aside"), base.path("articles")).unwrap();
    served.wait_until("all is back", |s| s.search("", "")["total"] == 3);
    base.write("articles/two/new.md", article("Новая", "голень"));
    served.wait_until("the restored folder is watched", |s| s.found("голень", "") == ["two/new"]);
}

#[test]
fn a_burst_ends_in_what_is_on_disk() {
    let base = Base::with(&[("articles/keep.md", &article("Остаётся", "остаток"))]);
    let served = base.start();
    for round in 0..3 {
        for number in 0..400 {
            let path = format!("articles/burst/{}/{number}.md", number % 7);
            if (number + round) % 3 == 0 {
                let _ = std::fs::remove_file(base.path(&path));
            } else {
                base.write(
                    &path,
                    article(&format!("Номер {number}"), ["ключица", "лопатка", "голень"][round]),
                );
            }
        }
    }
    let expected: u64 = (0..400).filter(|n| (n + 2) % 3 != 0).count() as u64 + 1;
    served.wait_until("the burst is taken up", |s| {
        s.search("", "")["total"] == expected && s.search("голень", "")["total"] == expected - 1
    });
    for earlier in ["ключица", "лопатка"] {
        assert!(served.found(earlier, "").is_empty(), "{earlier}");
    }
}

const CATALOG: &str =
    "family: f\nattributes: {price: {type: money}}\nproducts:\n  - {id: p, values: {price: PRICE}}\n";

#[test]
fn a_price_changed_in_the_catalogue_changes_everything() {
    let base = Base::with(&[
        ("articles/catalog/f.yaml", &CATALOG.replace("PRICE", "4321")),
        ("articles/a.md", &article("Цена {{ p.price }}", "Стоит {{ p.price }}.")),
        ("templates/t.md", "---\ntitle: T\nlang: ru\n---\n\n# chat\n\n{{ p.price }}\n"),
    ]);
    let served = base.start();
    assert_eq!(served.found("4321", ""), ["a"]);
    base.write("articles/catalog/f.yaml", CATALOG.replace("PRICE", "8765"));
    served.wait_until("the new price is found", |s| s.found("8765", "") == ["a"]);
    assert!(served.found("4321", "").is_empty());
    let article = served.json("/api/v1/articles/a");
    assert_eq!(article["title"], "Цена 8765\u{a0}₽");
    assert!(!article.to_string().contains("4321"));
    let answer =
        served.post("/api/v1/render", &serde_json::json!({"template": "t", "channel": "chat"})).json();
    assert_eq!(answer["text"], "8765\u{a0}₽");
    base.write("articles/catalog/f.yaml", CATALOG.replace("PRICE", "dear"));
    served.wait_until("the fault is listed", |s| s.problems("articles/catalog/f.yaml") == ["wrong-type"]);
    assert_eq!(served.found("8765", ""), ["a"], "the last good price stays");
    std::fs::remove_file(base.path("articles/catalog/f.yaml")).unwrap();
    served.wait_until("the gap is listed", |s| {
        s.problems("articles/a.md").contains(&"unknown-value".to_owned())
    });
    let html = served.json("/api/v1/articles/a")["html"].to_string();
    assert!(html.contains("gap") && html.contains("[p.price]"), "{html}");
}

#[test]
fn a_new_day_brings_its_prices_and_sections() {
    let base = Base::with(&[
        ("articles/catalog/f.yaml", &CATALOG.replace("PRICE", "[4321, {value: 8765, from: 2026-11-24}]")),
        ("articles/a.md", &article("А", "Стоит {{ p.price }}.\n\n## Завтра {from=2026-11-24}\n\nснегопад")),
    ]);
    let clock = Clock::frozen_at(format!("{TODAY}T23:59:50Z").parse().unwrap());
    let served = Served::start_at(base.settings(), clock.clone());
    assert_eq!(served.found("4321", ""), ["a"]);
    assert!(served.found("снегопад", "").is_empty());
    clock.advance(jiff::SignedDuration::from_secs(20));
    assert_eq!(served.found("снегопад", ""), ["a"], "sections are asked for by day, at once");
    base.write("articles/wake.md", article("Будильник", "звон"));
    served.wait_until("the index has the new price", |s| s.found("8765", "") == ["a"]);
    assert!(served.found("4321", "").is_empty());
}

#[test]
fn a_bad_file_keeps_its_last_good_version_and_is_listed() {
    let base = Base::with(&[
        ("articles/a.md", &article("А", "ключица")),
        ("articles/b.md", &article("Б", "лопатка")),
    ]);
    let served = base.start();
    for (bad, code) in [
        (b"---\ntitle: [\n---\nx".to_vec(), "yaml"),
        (b"---\ntitle: x\n".to_vec(), "front-matter"),
        (b"---\ntitle: x\nvalid: {from: 2026-02-30}\n---\nx".to_vec(), "date"),
        (b"# \xff\xfe".to_vec(), "encoding"),
        (vec![b'a'; 3 << 20], "too-large"),
    ] {
        base.write("articles/a.md", bad);
        served.wait_until(code, |s| s.problems("articles/a.md") == [code]);
        assert_eq!(served.found("ключица", ""), ["a"], "{code}");
        assert!(served.json("/api/v1/articles/a")["html"].to_string().contains("ключица"), "{code}");
        base.write("articles/b.md", article("Б", &format!("лопатка {code}")));
        served
            .wait_until("others go on", |s| s.json("/api/v1/articles/b")["html"].to_string().contains(code));
    }
    let problem = served.json("/api/v1/problems")["problems"][0].clone();
    assert!(problem["hint"].as_str().unwrap().contains("max_file_bytes"), "{problem}");
    drop(served);
    let served = base.start();
    assert_eq!(served.found("ключица", ""), ["a"], "and after a restart");
    base.write("articles/a.md", article("А", "голень"));
    served.wait_until("it is mended", |s| {
        s.found("голень", "") == ["a"] && s.problems("articles/a.md").is_empty()
    });
    base.write("articles/a.md", b"# \xff");
    std::fs::remove_file(base.path("articles/a.md")).unwrap();
    served.wait_until("it is gone", |s| s.found("голень", "").is_empty());
}

#[cfg(unix)]
#[test]
fn strange_files_are_listed_and_the_rest_is_served() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let base = Base::with(&[
        ("articles/a.md", &article("А", "ключица")),
        ("articles/x.markdown", "# Икс\n"),
        ("articles/x.md", "# Икс\n"),
    ]);
    symlink(base.path("articles"), base.path("articles/loop")).unwrap();
    symlink(base.path("nowhere.md"), base.path("articles/dangling.md")).unwrap();
    std::fs::create_dir(base.path("articles/folder.md")).unwrap();
    let odd = std::ffi::OsStr::new("odd");
    let mut name = base.path("articles").join(odd).into_os_string().into_encoded_bytes();
    name.extend(b"\xff.md");
    std::fs::write(
        std::path::PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(name)),
        "x",
    )
    .unwrap();
    base.write("articles/locked.md", "# Закрыто\n");
    std::fs::set_permissions(base.path("articles/locked.md"), std::fs::Permissions::from_mode(0o0)).unwrap();
    let served = base.start();
    assert_eq!(served.found("ключица", ""), ["a"]);
    let codes = served.json("/api/v1/problems")["problems"].to_string();
    for code in ["link-loop", "file-name", "duplicate-id"] {
        assert!(codes.contains(code), "{code} in {codes}");
    }
    assert_eq!(served.json("/api/v1/articles/x")["source_path"], "articles/x.markdown");
    std::fs::remove_file(base.path("articles/x.markdown")).unwrap();
    served.wait_until("the other file comes forward", |s| {
        s.get("/api/v1/articles/x").text.contains("articles/x.md\"") && s.problems("articles/x.md").is_empty()
    });
}

#[test]
fn a_network_folder_is_polled() {
    let base = Base::with(&[("articles/a.md", &article("А", "ключица"))]);
    let served = Served::start(Settings { watch: WatchSetting::Poll, ..base.settings() });
    base.write("articles/b.md", article("Б", "лопатка"));
    served.wait_until("polling finds it", |s| s.found("лопатка", "") == ["b"]);
    base.write("articles/b.md", article("Б", "голени"));
    served.wait_until("polling finds the change of a file just as long", |s| s.found("голень", "") == ["b"]);
}

#[test]
fn changes_made_while_nothing_ran_are_taken_up() {
    let base = Base::with(&[
        ("articles/a.md", &article("А", "ключица")),
        ("articles/b.md", &article("Б", "лопатка")),
    ]);
    drop(base.start());
    base.write("articles/a.md", article("А", "голень!"));
    std::fs::remove_file(base.path("articles/b.md")).unwrap();
    base.write("articles/c.md", article("В", "затылок"));
    let served = base.start();
    assert_eq!(served.found("голень", ""), ["a"]);
    assert!(served.found("лопатка", "").is_empty() && served.found("ключица", "").is_empty());
    assert_eq!(served.found("затылок", ""), ["c"]);
}

#[test]
fn clients_are_told_of_changes() {
    let base = Base::with(&[("articles/a.md", &article("А", "ключица"))]);
    let served = base.start();
    let mut live = served.app.subscribe();
    base.write("articles/b.md", article("Вторая", "лопатка"));
    served.wait_until("it is served", |s| s.found("лопатка", "") == ["b"]);
    let end = std::time::Instant::now() + Duration::from_secs(10);
    let told = loop {
        match live.try_recv() {
            Ok(event) if !event.changes.is_empty() => break event,
            _ => assert!(std::time::Instant::now() < end, "nothing was told"),
        }
    };
    assert_eq!((told.changes[0].what.id.as_str(), told.changes[0].what.title.as_str()), ("b", "Вторая"));
}

#[test]
fn searches_never_fail_while_files_change() {
    let base = Base::with(&[("articles/a.md", &article("А", "ключица"))]);
    let served = base.start();
    for number in 0..60 {
        base.write(&format!("articles/n{number}.md"), article("Н", "лопатка"));
        assert_eq!(served.found("ключица", ""), ["a"]);
    }
    served.wait_until("all are found", |s| s.search("лопатка", "")["total"] == 60);
}

#[test]
fn a_catalogue_changed_while_nothing_ran_is_found() {
    let base = Base::with(&[
        ("articles/catalog/f.yaml", &CATALOG.replace("PRICE", "4321")),
        ("articles/a.md", &article("А", "Стоит {{ p.price }}.")),
    ]);
    drop(base.start());
    base.write("articles/catalog/f.yaml", CATALOG.replace("PRICE", "8765"));
    let served = base.start();
    assert_eq!(served.found("8765", ""), ["a"]);
    assert!(served.found("4321", "").is_empty());
}

#[test]
fn what_readers_never_got_is_not_told_of() {
    let base = Base::with(&[("articles/a.md", &article("А", "ключица"))]);
    let served = base.start();
    base.write("articles/b.md", "---\ntitle: Тайна\nstatus: draft\n---\n\nлопатка\n");
    base.write("templates/t.md", "---\ntitle: Тайна\nstatus: draft\n---\n\n# chat\n\nлопатка\n");
    base.write("articles/c.md", article("В", "голень"));
    served.wait_until("the article is served", |s| s.found("голень", "") == ["c"]);
    assert!(!served.get("/api/v1/changes").text.contains("Тайна"));
    base.write("articles/c.md", "---\ntitle: В\nstatus: draft\n---\n\nголень\n");
    served.wait_until("the article is withdrawn", |s| s.found("голень", "").is_empty());
    let changes = served.json("/api/v1/changes");
    assert_eq!(changes["changes"][0]["change"], "removed", "{changes}");
}

#[test]
fn a_quiet_folder_keeps_its_generation() {
    let base = Base::with(&[
        ("articles/a.md", &article("А", "ключица")),
        ("templates/t.md", "---\ntitle: T\n---\n\n# chat\n\nx\n"),
    ]);
    let served = Served::start(Settings { watch: WatchSetting::Poll, ..base.settings() });
    let before = served.json("/health/ready")["generation"].clone();
    std::thread::sleep(Duration::from_millis(800));
    assert_eq!(served.json("/health/ready")["generation"], before, "walks that find nothing change nothing");
}

#[cfg(unix)]
#[test]
fn a_link_to_the_content_may_be_set_to_another_folder() {
    use std::os::unix::fs::symlink;
    let base = Base::new();
    std::fs::remove_dir_all(base.path("articles")).unwrap();
    base.write("one/a.md", article("А", "ключица"));
    base.write("two/b.md", article("Б", "лопатка"));
    symlink(base.path("one"), base.path("articles")).unwrap();
    let served = Served::start(Settings { rescan_seconds: 1, ..base.settings() });
    assert_eq!(served.found("ключица", ""), ["a"]);
    symlink(base.path("two"), base.path("next")).unwrap();
    std::fs::rename(base.path("next"), base.path("articles")).unwrap();
    served.wait_until("the other folder is served", |s| {
        s.found("лопатка", "") == ["b"] && s.found("ключица", "").is_empty()
    });
    base.write("two/c.md", article("В", "голень"));
    served.wait_until("and watched", |s| s.found("голень", "") == ["c"]);
}
