//! What is promised of the source itself: floors, captions, the map, documented codes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::harness::root;

fn sources() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(root().join("src"))
        .into_iter()
        .flatten()
        .map(walkdir::DirEntry::into_path)
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .collect();
    files.sort();
    let name = |p: &PathBuf| p.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
    files.iter().map(|p| (name(p), std::fs::read_to_string(p).unwrap())).collect()
}

/// Modules by floor, the lowest first. Pages show what the API shows, so they stand above it.
const FLOORS: &[&[&str]] = &[
    &["clock", "settings", "language"],
    &["content", "database"],
    &["answers", "index"],
    &["search"],
    &["accounts", "editing", "feedback", "feeds", "importing", "learning", "notices", "quality", "reading"],
    &["app"],
    &["http"],
    &["api"],
    &["web"],
    &["server"],
    &["cli"],
];

fn floor(module: &str) -> usize {
    FLOORS
        .iter()
        .position(|floor| floor.contains(&module))
        .unwrap_or_else(|| panic!("`{module}` stands on no floor"))
}

#[test]
fn modules_import_only_from_floors_below() {
    for (file, text) in sources() {
        let module = file.trim_start_matches("src/").split(['/', '.']).next().unwrap();
        if ["lib", "main"].contains(&module) {
            continue;
        }
        for import in text.split("crate::").skip(1) {
            let imported: String = import.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let is_below = imported == module || floor(&imported) < floor(module);
            assert!(is_below, "{file} imports crate::{imported}, which is not below {module}");
        }
    }
}

#[test]
fn only_index_and_search_know_tantivy() {
    for (file, text) in sources() {
        let may = ["src/index/", "src/search/", "src/http/problem.rs"].iter().any(|p| file.starts_with(p));
        assert!(may || !text.contains("tantivy::"), "{file}");
        let is_http =
            ["src/http/", "src/api/", "src/web/", "src/server.rs"].iter().any(|p| file.starts_with(p));
        assert!(is_http || !text.contains("axum::"), "{file}");
    }
}

#[test]
fn the_map_in_architecture_is_true() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let map = text.split("<!-- map begins -->").nth(1).unwrap().split("<!-- map ends -->").next().unwrap();
    let listed: BTreeSet<&str> = map.lines().map(str::trim).filter(|l| l.starts_with("- `")).collect();
    let expected: BTreeSet<String> = sources()
        .iter()
        .map(|(file, text)| {
            let caption = text
                .lines()
                .next()
                .unwrap()
                .strip_prefix("//! ")
                .unwrap_or_else(|| panic!("{file} has no caption"));
            format!("- `{file}`: {caption}")
        })
        .collect();
    let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    let missing: Vec<_> = expected.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&expected).collect();
    assert!(missing.is_empty() && stale.is_empty(), "missing: {missing:#?}\nstale: {stale:#?}");
}

#[test]
fn every_code_is_documented() {
    let api = std::fs::read_to_string(root().join("docs/api.md")).unwrap();
    for code in pharos::http::problem::Code::ALL {
        let (name, ..) = code.parts();
        assert!(api.contains(&format!("`{name}`")), "docs/api.md lacks {name}");
    }
    let problems = std::fs::read_to_string(root().join("docs/problems.md")).unwrap();
    let mut codes = BTreeSet::new();
    for (file, text) in sources()
        .iter()
        .filter(|(file, _)| ["src/content/", "src/answers/", "src/app/"].iter().any(|p| file.starts_with(p)))
    {
        for call in ["error(", "warning(", "fail(", "return fail("] {
            for rest in text.split(call).skip(1) {
                let code = rest.split('"').nth(1).unwrap_or_default();
                let before = rest.split('"').next().unwrap_or_default();
                let is_code = before.len() < 60
                    && code.contains(|c: char| c.is_ascii_lowercase())
                    && code.chars().all(|c| c.is_ascii_lowercase() || c == '-');
                if is_code {
                    codes.insert((code.to_owned(), file.clone()));
                }
            }
        }
    }
    assert!(codes.len() > 20, "{codes:?}");
    for (code, file) in codes {
        assert!(problems.contains(&format!("`{code}`")), "docs/problems.md lacks {code} of {file}");
    }
}

#[test]
fn the_content_guide_names_every_key() {
    let guide = std::fs::read_to_string(root().join("docs/content.md")).unwrap();
    let source = std::fs::read_to_string(root().join("src/content/front_matter.rs")).unwrap();
    for call in ["fields.text(\"", "fields.list(\"", "fields.texts(\"", "fields.choice(\"", "fields.date(\""]
    {
        for rest in source.split(call).skip(1) {
            let key = rest.split('"').next().unwrap();
            assert!(guide.contains(&format!("`{key}`")), "docs/content.md lacks {key}");
        }
    }
}

/// In the OpenAPI document a type is known by its name alone: of two of one name only one would be described.
#[test]
fn described_types_have_names_of_their_own() {
    let mut names: Vec<String> = Vec::new();
    for (_, text) in sources() {
        for described in text
            .split("#[derive(")
            .skip(1)
            .filter(|item| item.split(")]").next().is_some_and(|derived| derived.contains("ToSchema")))
        {
            let item = described
                .lines()
                .find(|line| line.starts_with("pub struct ") || line.starts_with("pub enum "));
            let name = item.and_then(|line| line.split(|c: char| !c.is_alphanumeric()).nth(2));
            names.extend(name.map(str::to_owned));
        }
    }
    assert!(names.len() > 60, "{names:?}");
    names.sort();
    let twice: Vec<&String> = names.windows(2).filter(|two| two[0] == two[1]).map(|two| &two[0]).collect();
    assert_eq!(twice, [""; 0]);
}
