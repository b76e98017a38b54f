//! Real Chromium on the real program. Tests that use it run when PHAROS_BROWSER is set, and then must not be skipped.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::harness::{Base, PATIENCE, Process, root};

/// Releases the modifier keys that were sent before.
const RELEASE: &str = "\u{e000}";

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

    async fn client(&self, look: &Look, profile: &std::path::Path) -> Client {
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
            "--hide-scrollbars",
            format!("--lang={}", look.lang),
            format!("--window-size={},{}", look.width, look.height),
            format!("--user-data-dir={}", profile.display()),
        ]);
        let mut options = json!({"args": arguments, "prefs": {"intl.accept_languages": look.lang}});
        if look.width < 500 {
            // Windows cannot be made so narrow; a phone can.
            options["mobileEmulation"] = json!({"deviceMetrics": {"width": look.width, "height": look.height, "pixelRatio": 1.0, "touch": true}});
        }
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

/// What the reader looks at the pages with.
pub struct Look {
    pub lang: &'static str,
    pub width: u32,
    pub height: u32,
}

pub const DESKTOP: Look = Look { lang: "ru", width: 1600, height: 800 };
pub const PHONE: Look = Look { lang: "ru", width: 390, height: 844 };

/// A page of the sample base in the browser.
pub struct Page {
    /// Ends before its files go.
    pub process: Option<Process>,
    pub base: Base,
    address: String,
    client: Client,
}

fn is_wanted() -> bool {
    let wanted = std::env::var_os("PHAROS_BROWSER").is_some();
    if !wanted {
        eprintln!("skipped: PHAROS_BROWSER is not set");
    }
    wanted
}

/// A copy of the sample base.
pub fn sample() -> Base {
    let base = Base::new();
    std::fs::remove_dir_all(base.path("articles")).unwrap();
    for folder in ["articles", "templates"] {
        let copied =
            Command::new("cp").arg("-rT").arg(root().join(folder)).arg(base.path(folder)).status().unwrap();
        assert!(copied.success());
    }
    base
}

/// Opens the desk over the sample base and drives it; afterwards nothing may have failed in the browser.
pub fn on_desk(look: Look, test: impl AsyncFnOnce(&mut Page)) {
    on_base(sample(), &[], look, test);
}

/// The same over another base, and with settings given as environment variables.
pub fn on_base(base: Base, settings: &[(&str, &str)], look: Look, test: impl AsyncFnOnce(&mut Page)) {
    if !is_wanted() {
        return;
    }
    let process = Process::serve_with(&base, settings);
    process.wait_ready();
    let address = process.address.clone();
    let driver = Driver::start();
    let profile = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = driver.client(&look, profile.path()).await;
        let mut page = Page { base, process: Some(process), address, client };
        page.goto("/").await;
        test(&mut page).await;
        // Nothing came from elsewhere.
        let own = "return performance.getEntriesByType('resource').every(r => new URL(r.name).host === location.host)";
        assert_eq!(page.eval(own).await, json!(true));
        page.client.close().await.unwrap();
    });
}

impl Page {
    pub async fn goto(&self, path: &str) {
        let address =
            if path.starts_with("http") { path.to_owned() } else { format!("http://{}{path}", self.address) };
        self.client.goto(&address).await.unwrap();
        // From here on everything the policy refuses and every script that fails is noted.
        let watch = "window.faults = []; addEventListener('securitypolicyviolation', e => faults.push('policy: ' + e.violatedDirective + ' ' + e.blockedURI)); \
            addEventListener('error', e => faults.push('error: ' + e.message)); addEventListener('unhandledrejection', e => faults.push('rejection: ' + e.reason));";
        self.eval(watch).await;
    }

    pub async fn eval(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    pub async fn check_faults(&self) {
        assert_eq!(self.eval("return window.faults ?? []").await, json!([]));
    }

    /// Waits until a script is true.
    pub async fn until(&self, what: &str, script: &str) {
        let end = Instant::now() + PATIENCE;
        while self.client.execute(script, vec![]).await.ok().and_then(|v| v.as_bool()) != Some(true) {
            if Instant::now() > end {
                let seen = self.client.execute("return document.title + ' ' + location.href + ' ' + document.activeElement.outerHTML.slice(0, 200) + ' ' + document.body.innerText", vec![]).await;
                panic!("it never came that {what}; the page says: {seen:?}");
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// The text of an element, once it is there.
    pub async fn text(&self, selector: &str) -> String {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
        found.unwrap_or_else(|e| panic!("{selector}: {e}")).text().await.unwrap()
    }

    pub async fn click(&self, selector: &str) {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
        found
            .unwrap_or_else(|e| panic!("{selector}: {e}"))
            .click()
            .await
            .unwrap_or_else(|e| panic!("{selector}: {e}"));
    }

    /// Types into whatever has the focus.
    pub async fn keys(&self, text: &str) {
        self.client.active_element().await.unwrap().send_keys(text).await.unwrap();
    }

    pub async fn press(&self, key: Key) {
        self.keys(&key.to_string()).await;
    }

    /// Presses a key with a modifier held.
    pub async fn chord(&self, modifier: Key, key: &str) {
        self.keys(&format!("{modifier}{key}{RELEASE}")).await;
    }

    /// What the clipboard holds, pasted as text and as formatted text; the focus stays where it is.
    pub async fn clipboard(&self) -> (String, String) {
        self.eval("window.was = document.activeElement; const t = document.createElement('textarea'); t.id = 'paste-text'; const h = document.createElement('div'); \
            h.id = 'paste-html'; h.contentEditable = 'true'; h.textContent = ' '; document.body.append(t, h); t.focus();").await;
        self.chord(Key::Control, "v").await;
        self.eval("document.querySelector('#paste-html').focus()").await;
        self.chord(Key::Control, "v").await;
        let read = self.eval("const t = document.querySelector('#paste-text'), h = document.querySelector('#paste-html'); const r = [t.value, h.innerHTML]; \
            t.remove(); h.remove(); was?.focus(); return r").await;
        (read[0].as_str().unwrap().to_owned(), read[1].as_str().unwrap().to_owned())
    }

    /// Opens another tab and goes on in it.
    pub async fn new_tab(&self) {
        let made = self.client.new_window(true).await.unwrap();
        self.client.switch_to_window(made.handle).await.unwrap();
    }

    /// Lets the process of the tab one is in die at once, as by `kill -9`; afterwards one has to go to another.
    pub async fn crash(&self) {
        let _ = tokio::time::timeout(Duration::from_secs(5), self.client.goto("chrome://crash")).await;
    }

    /// The tab one is in.
    pub async fn tab(&self) -> fantoccini::wd::WindowHandle {
        self.client.window().await.unwrap()
    }

    pub async fn go_to_tab(&self, tab: fantoccini::wd::WindowHandle) {
        self.client.switch_to_window(tab).await.unwrap();
    }

    pub async fn back(&self) {
        self.client.back().await.unwrap();
    }

    pub async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    pub async fn enter_frame(&self, number: u16) {
        self.client.enter_frame(number).await.unwrap();
    }

    pub async fn leave_frame(&self) {
        self.client.clone().enter_parent_frame().await.unwrap();
    }

    /// Fills a field in as one who types.
    pub async fn fill(&self, selector: &str, text: &str) {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
        let field = found.unwrap_or_else(|e| panic!("{selector}: {e}"));
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap_or_else(|e| panic!("{selector}: {e}"));
    }

    /// Keeps a picture of the page where PHAROS_SHOTS names a folder: for people to look at.
    pub async fn shoot(&self, name: &str) {
        if let Some(folder) = std::env::var_os("PHAROS_SHOTS") {
            std::fs::create_dir_all(&folder).unwrap();
            let picture = self.client.screenshot().await.unwrap();
            std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }
}
