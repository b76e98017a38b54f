//! The sample knowledge base is clean and as large as it says.

use crate::harness::{Base, root};

fn check_json() -> serde_json::Value {
    let output = Base::new()
        .command("check")
        .args(["--format", "json", "--articles"])
        .arg(root().join("articles"))
        .arg("--templates")
        .arg(root().join("templates"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_sample_has_no_problems() {
    let report = check_json();
    assert_eq!(report["problems"], serde_json::json!([]));
    assert!(report["articles"].as_u64().unwrap() >= 60);
    assert!(report["templates"].as_u64().unwrap() >= 25);
}

#[test]
fn the_sample_has_twins_flows_and_channels() {
    let base = Base::new();
    let settings = pharos::settings::Settings {
        articles: root().join("articles"),
        templates: root().join("templates"),
        ..base.settings()
    };
    let served = crate::harness::Served::start(settings);
    let english = served.json("/api/v1/articles?lang=en&limit=1000");
    let twins = english["articles"].as_array().unwrap().iter().filter(|a| {
        let article = served.json(&format!("/api/v1/articles/{}", a["id"].as_str().unwrap()));
        !article["translations"].as_array().unwrap().is_empty()
    });
    assert!(twins.count() >= 20);
    let flows = served.json("/api/v1/articles?limit=1000")["articles"].clone();
    let flows =
        flows.as_array().unwrap().iter().filter(|a| {
            served.get(&format!("/api/v1/flows/{}", a["id"].as_str().unwrap())).status.is_success()
        });
    assert!(flows.count() >= 3);
    let templates = served.json("/api/v1/templates")["templates"].clone();
    let rich = templates.as_array().unwrap().iter().filter(|t| t["channels"].as_array().unwrap().len() >= 2);
    assert!(rich.count() >= 25);
    let values = served.json("/api/v1/products")["products"].clone();
    let values: usize =
        values.as_array().unwrap().iter().map(|p| p["values"].as_array().unwrap().len()).sum();
    assert!(values >= 60, "{values} values");
}

/// The golden set holds what operators type; it is never tuned on. These bounds are below what stands in docs/relevance.md, so that only a
/// real loss breaks them.
#[test]
fn the_golden_set_is_answered_as_well_as_it_was() {
    let golden = root().join("tests/golden");
    let output = Base::new()
        .command("eval")
        .arg("--articles")
        .arg(root().join("articles"))
        .arg("--templates")
        .arg(root().join("templates"))
        .arg("--queries")
        .arg(golden.join("queries.jsonl"))
        .arg("--qrels")
        .arg(golden.join("qrels.tsv"))
        .arg("--answers")
        .arg(golden.join("answers.jsonl"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    assert!(number(&report["queries"]) >= 300.0);
    assert!(number(&report["ndcg_at_10"]) > 0.70, "{}", report["ndcg_at_10"]);
    assert!(number(&report["success_at_3"]) > 0.90, "{}", report["success_at_3"]);
    let answers = &report["answers"];
    assert_eq!(answers["wrong_facts"], 0, "{answers}");
    assert!(number(&answers["precision"]) > 0.88, "{answers}");
    assert!(number(&answers["coverage"]) > 0.30, "{answers}");
}
