//! `pharos import`: what other systems export becomes articles, again and again, and what attacks is not carried.

use std::io::Write;
use std::path::Path;

use serde_json::Value;

use crate::harness::Base;

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
    assert!(text.contains("> [!WARNING]") && text.contains("#how)") && text.contains("`*155*2#`"), "{text}");
    // Links and pictures are there, for whoever reads them here.
    let check = base.command("check").output().unwrap();
    let checked = String::from_utf8(check.stdout).unwrap();
    assert!(check.status.success() && !checked.contains("link"), "{checked}");
    // The same again changes nothing.
    let (_, _, report) = import(&base, source, &[]);
    assert_eq!((&report["written"]["unchanged"], &report["written"]["new"]), (&Value::from(2), &Value::Array(vec![])));
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
    // Pictures are what their bytes say, and those that hold scripts are none.
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
    assert!(pictures.len() == 1 && pictures[0].ends_with(".gif"), "{written:?}");
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
