//! The command line.

use std::process::Output;

use crate::harness::Base;

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn check_fails_on_errors_and_tells_where() {
    let base = Base::with(&[("articles/a.md", "---\ntitle: A\ntag: x\n---\n\n[b](b.md)\n")]);
    let output = base.command("check").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output);
    assert!(shown.contains("articles/a.md:6:1: error: the link `b.md` leads to `b`"), "{shown}");
    assert!(
        shown.contains("articles/a.md:3:1: warning: front matter has no key `tag` (did you mean `tags`?)"),
        "{shown}"
    );
    let github = base.command("check").args(["--format", "github"]).output().unwrap();
    assert!(
        text(&github).contains("::error file=articles/a.md,line=6,col=1,title=broken-link::"),
        "{}",
        text(&github)
    );
    base.write("articles/b.md", "# B\n");
    assert!(base.command("check").output().unwrap().status.success());
    assert_eq!(base.command("check").arg("--strict").output().unwrap().status.code(), Some(1));
}

#[test]
fn new_articles_and_templates_pass_the_check() {
    let base = Base::new();
    assert!(
        base.command("new")
            .args(["article", "sms/new", "--title", "A: \"b\""])
            .output()
            .unwrap()
            .status
            .success()
    );
    assert!(base.command("new").args(["template", "sms/new"]).output().unwrap().status.success());
    let output = base.command("check").arg("--strict").output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let again = base.command("new").args(["article", "sms/new"]).output().unwrap();
    assert!(!again.status.success() && text(&again).contains("already"), "{}", text(&again));
    assert!(!base.command("new").args(["article", "../x"]).output().unwrap().status.success());
}

#[test]
fn settings_come_from_file_environment_and_flags_in_rising_order() {
    let base = Base::new();
    base.write("pharos.toml", "listen = \"127.0.0.1:1000\"\ndebounce_ms = 7\nindex = \"from-file\"\n");
    let output = base
        .command("settings")
        .args(["--json", "--index", "from-flag"])
        .env("PHAROS_DEBOUNCE_MS", "8")
        .env("PHAROS_INDEX", "from-environment")
        .output()
        .unwrap();
    let resolved: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let find = |name: &str| resolved.as_array().unwrap().iter().find(|r| r["name"] == name).unwrap().clone();
    assert_eq!(
        (find("index")["value"].as_str(), find("index")["from"].as_str()),
        (Some("\"from-flag\""), Some("--index"))
    );
    assert_eq!(find("debounce_ms")["from"], "PHAROS_DEBOUNCE_MS");
    assert!(find("listen")["from"].as_str().unwrap().ends_with("pharos.toml"));
    assert_eq!(find("watch")["from"], "default");
    base.write("pharos.toml", "lisen = \"127.0.0.1:1000\"\n");
    let wrong = base.command("settings").output().unwrap();
    assert!(!wrong.status.success() && text(&wrong).contains("lisen"), "{}", text(&wrong));
    base.write("pharos.toml", "time_zone = \"Moscow\"\npoll_seconds = 0\n");
    let wrong = text(&base.command("settings").output().unwrap());
    assert!(wrong.contains("Europe/Moscow") && wrong.contains("poll_seconds"), "{wrong}");
    assert!(
        text(&base.command("settings").args(["--config", "none.toml"]).output().unwrap())
            .contains("none.toml")
    );
}

#[test]
fn eval_measures_a_labelled_set_and_a_folder() {
    let base =
        Base::with(&[("articles/a.md", "# Тарифы\n\nцены\n"), ("articles/b.md", "# Роуминг\n\nпоездки\n")]);
    base.write("corpus.jsonl", "{\"id\": \"x/1\", \"title\": \"Тарифы\", \"text\": \"цены\"}\n{\"id\": \"2\", \"title\": \"\", \"text\": \"поездки за границу\", \"lang\": \"ru\"}\n");
    base.write(
        "queries.jsonl",
        "{\"id\": \"q1\", \"text\": \"тариф\"}\n{\"id\": \"q2\", \"text\": \"поездка\"}\n",
    );
    base.write("qrels.tsv", "q1\tx/1\t1\nq2\t2\t1\n");
    let arguments = ["--queries", "queries.jsonl", "--qrels", "qrels.tsv"];
    let output = base.command("eval").args(["--corpus", "corpus.jsonl"]).args(arguments).output().unwrap();
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)));
    assert_eq!(
        (&report["queries"], &report["ndcg_at_10"], &report["success_at_1"]),
        (&2.into(), &1.0.into(), &1.0.into())
    );
    assert!(report["latency_us"]["p99"].is_u64() && report["index_seconds"].is_number());
    base.write("qrels.tsv", "q1\ta\t1\nq2\tb\t1\n");
    let output = base.command("eval").args(["--articles", "articles"]).args(arguments).output().unwrap();
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(&output)));
    assert_eq!(report["recall_at_10"], 1.0);
    base.write("queries.jsonl", "{\"id\": \"q1\"}\n");
    let wrong = base.command("eval").args(["--corpus", "corpus.jsonl"]).args(arguments).output().unwrap();
    assert!(text(&wrong).contains("queries.jsonl:1"), "{}", text(&wrong));
}

#[test]
fn search_and_index_work_without_a_server() {
    let base = Base::with(&[("articles/a.md", "# Тарифы\n\nцены на связь\n")]);
    let output = base.command("search").arg("тарифов").output().unwrap();
    assert!(output.status.success() && text(&output).contains("Тарифы"), "{}", text(&output));
    assert_eq!(base.command("search").arg("жираф").output().unwrap().status.code(), Some(1));
    assert!(text(&base.command("index").output().unwrap()).contains("1 articles"));
    let json = base.command("search").args(["цена", "--json"]).output().unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&json.stdout).unwrap()["total"], 1);
}

#[test]
fn a_port_that_is_taken_is_told() {
    let base = Base::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let output =
        base.command("serve").args(["--listen", &taken.local_addr().unwrap().to_string()]).output().unwrap();
    assert!(!output.status.success() && text(&output).contains("--listen"), "{}", text(&output));
}

#[test]
fn every_command_explains_itself() {
    let base = Base::new();
    for command in ["serve", "check", "search", "index", "eval", "new", "settings", "completions"] {
        let output = base.command(command).arg("--help").output().unwrap();
        assert!(output.status.success() && output.stdout.len() > 200, "{command}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(text(&base.command("completions").arg(shell).output().unwrap()).contains("pharos"));
    }
}
