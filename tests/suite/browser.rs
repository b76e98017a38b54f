//! The search page in real Chromium. Runs when PHAROS_BROWSER is set, and then must not be skipped.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

use crate::harness::{PATIENCE, Process, root};

struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.expect("chromedriver is needed (Debian package chromium-driver)");
        let end = Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "chromedriver does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, port }
    }

    async fn client(&self) -> Client {
        let profile = tempfile::tempdir().unwrap().keep();
        let arguments = json!([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--lang=ru",
            format!("--user-data-dir={}", profile.display()),
        ]);
        let options = json!({"args": arguments, "prefs": {"intl.accept_languages": "ru"}});
        let capabilities = json!({"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.as_object().unwrap().clone());
        builder.connect(&format!("http://127.0.0.1:{}", self.port)).await.expect("Chromium starts")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_wanted() -> bool {
    let wanted = std::env::var_os("PHAROS_BROWSER").is_some();
    if !wanted {
        eprintln!("skipped: PHAROS_BROWSER is not set");
    }
    wanted
}

async fn text(client: &Client, selector: &str) -> String {
    client
        .wait()
        .at_most(PATIENCE)
        .for_element(Locator::Css(selector))
        .await
        .unwrap_or_else(|e| panic!("{selector}: {e}"))
        .text()
        .await
        .unwrap()
}

async fn until(client: &Client, what: &str, script: &str) {
    let end = Instant::now() + PATIENCE;
    while client.execute(script, vec![]).await.ok().and_then(|v| v.as_bool()) != Some(true) {
        assert!(Instant::now() < end, "it never came that {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn an_operator_types_reads_and_copies() {
    if !is_wanted() {
        return;
    }
    let base = crate::harness::Base::new();
    std::fs::remove_dir_all(base.path("articles")).unwrap();
    for folder in ["articles", "templates"] {
        let copied =
            Command::new("cp").arg("-rT").arg(root().join(folder)).arg(base.path(folder)).status().unwrap();
        assert!(copied.success());
    }
    let process = Process::serve(&base);
    process.wait_ready();
    let driver = Driver::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = driver.client().await;
        client.goto(&format!("http://{}/", process.address)).await.unwrap();

        // The field has the focus; results come while typing, the code answered in large type.
        client.active_element().await.unwrap().send_keys("* 155 * 97 #").await.unwrap();
        until(&client, "the code is answered", "return document.querySelector('.answer')?.textContent.includes('Проверить: 100 SMS') ?? false").await;
        assert!(text(&client, ".answer .code").await.contains("*155*97#"));

        // A slower, older reply never overwrites a newer one: what stands is what was typed last.
        let field = client.find(Locator::Css("#q")).await.unwrap();
        field.clear().await.unwrap();
        for letter in "подключить пакет".chars() {
            field.send_keys(&letter.to_string()).await.unwrap();
        }
        until(&client, "the last letter is answered", "return document.querySelector('.count')?.dataset.query === 'подключить пакет'").await;
        until(&client, "the words are found", "return [...document.querySelectorAll('.hit mark')].some(m => m.textContent.toLowerCase().startsWith('подключ'))").await;

        // Arrows choose, Enter opens, the article and its templates stand beside the results.
        field.send_keys(&Key::Down.to_string()).await.unwrap();
        until(&client, "the first hit is chosen", "return document.querySelector('.hit[aria-selected=true]')?.id === 'hit-1'").await;
        field.send_keys(&Key::Enter.to_string()).await.unwrap();
        let title = text(&client, "#reader h1").await;
        assert!(!title.is_empty());
        client.wait().at_most(PATIENCE).for_element(Locator::Css(".template summary")).await.unwrap().click().await.unwrap();
        until(&client, "the wording is filled in", "return (document.querySelector('details[open] .wording')?.textContent.length ?? 0) > 10").await;
        let wording = text(&client, "details[open] .wording").await;
        assert!(!wording.contains("{{"), "{wording}");

        // A changed price reaches the open page by itself.
        client.goto(&format!("http://{}/articles/sms/monthly", process.address)).await.unwrap();
        assert!(text(&client, ".article").await.contains("100 ₽"));
        let path = base.path("articles/catalog/sms.yaml");
        let catalog = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, catalog.replace("price: 100\n", "price: 117\n")).unwrap();
        until(&client, "the new price is shown", "return document.querySelector('.article').textContent.includes('117')").await;

        // No script failed and nothing was refused by the policy on the way.
        let ran = client.execute("return performance.getEntriesByType('resource').every(r => new URL(r.name).host === location.host)", vec![]).await;
        assert_eq!(ran.unwrap(), json!(true));
        client.close().await.unwrap();
    });
}
