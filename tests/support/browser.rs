//! Headless Chromium, controlled through WebDriver.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{Group, artifact, is_root, note, poll, skip};

/// Long enough for a browser or a page on a machine that is busy with other tests.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A separate Chromium with an empty profile. It ends when this is dropped.
///
/// It can only reach this machine: no other names resolve in it.
pub(crate) struct Browser {
    // In the order in which they must be dropped: the session, its runtime, the processes, and the
    // folder to which these write.
    client: Client,
    runtime: Runtime,
    driver: Group,
    profile: TempDir,
}

impl Browser {
    /// Starts Chromium with a window of `width` by `height` pixels. Without Chromium
    /// or chromedriver the test is skipped: then this prints a note and returns `None`.
    pub(crate) fn start(width: u32, height: u32) -> Option<Self> {
        let Some(driver) = program(&["chromedriver"]) else {
            skip("there is no chromedriver on the PATH (Debian: apt install chromium-driver)");
            return None;
        };
        let names = [
            "chromium",
            "chromium-browser",
            "google-chrome-stable",
            "google-chrome",
        ];
        let Some(chromium) = program(&names) else {
            skip("there is no Chromium on the PATH (Debian: apt install chromium)");
            return None;
        };
        Some(Self::launch(&driver, &chromium, width, height))
    }

    fn launch(driver: &Path, chromium: &Path, width: u32, height: u32) -> Self {
        let profile = tempfile::Builder::new()
            .prefix("evenhand-browser")
            .tempdir()
            .unwrap();
        let log = profile.path().join("chromedriver.log");
        let mut command = Command::new(driver);
        // The system chooses the port; the driver prints it. Crash reports, caches
        // and temporary files belong to the profile, not to the user's own browser.
        command
            .arg("--port=0")
            .env("XDG_CONFIG_HOME", profile.path().join("config"))
            .env("XDG_CACHE_HOME", profile.path().join("cache"))
            .env("TMPDIR", profile.path());
        let mut driver = Group::start(&command, &log, Duration::ZERO).unwrap();
        let port = poll(TIMEOUT, || {
            let ended = driver.ended();
            let output = driver.output();
            assert!(ended.is_none(), "chromedriver ended ({ended:?}):\n{output}");
            // Only a whole line: the number could still be incomplete.
            let (line, _) = output
                .split_once("successfully on port ")?
                .1
                .split_once('\n')?;
            line.trim_end().trim_end_matches('.').parse::<u16>().ok()
        });
        let port =
            port.unwrap_or_else(|| panic!("chromedriver says no port:\n{}", driver.output()));

        let options = json!({
            "binary": chromium,
            "args": flags(profile.path(), width, height),
            "prefs": {"download.default_directory": profile.path().join("downloads")},
        });
        let capabilities = [("goog:chromeOptions".to_owned(), options)]
            .into_iter()
            .collect();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let client = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities);
            tokio::time::timeout(
                TIMEOUT,
                builder.connect(&format!("http://127.0.0.1:{port}")),
            )
            .await
        });
        let client = match client {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => panic!("Chromium does not start: {error}\n{}", driver.output()),
            Err(_) => panic!(
                "Chromium does not start in {TIMEOUT:?}\n{}",
                driver.output()
            ),
        };
        Self {
            client,
            runtime,
            driver,
            profile,
        }
    }

    /// The process group of the driver and all of Chromium.
    pub(crate) fn group(&self) -> u32 {
        self.driver.id()
    }

    /// Resizes the window.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.wait_on("resize", self.client.set_window_size(width, height));
    }

    /// Opens a page and waits until it is loaded.
    pub(crate) fn goto(&self, url: &str) {
        self.wait_on("open the page", self.client.goto(url));
    }

    /// Runs a script as the body of a function and returns its result.
    /// `args` are its `arguments`.
    pub(crate) fn run(&self, script: &str, args: Vec<Value>) -> Value {
        self.wait_on("run a script", self.client.execute(script, args))
    }

    /// Clicks an element, named by XPath, with the mouse.
    pub(crate) fn click(&self, xpath: &str) {
        let element = self.element(xpath);
        self.wait_on(&format!("click on {xpath}"), element.click());
    }

    /// Types into an element, named by XPath.
    pub(crate) fn type_text(&self, xpath: &str, text: &str) {
        let element = self.element(xpath);
        self.wait_on(&format!("type into {xpath}"), element.send_keys(text));
    }

    /// Types where the focus is. `Key` has the keys that are not letters.
    pub(crate) fn press(&self, keys: &str) {
        let focused = self.wait_on("find the focus", self.client.active_element());
        self.wait_on("press keys", focused.send_keys(keys));
    }

    fn element(&self, xpath: &str) -> Element {
        self.wait_on(
            &format!("find {xpath}"),
            self.client.find(Locator::XPath(xpath)),
        )
    }

    /// The folder that downloads go to.
    pub(crate) fn downloads(&self) -> PathBuf {
        self.profile.path().join("downloads")
    }

    /// The text of every element, as a reader sees it.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText.trim())";
        serde_json::from_value(self.run(script, vec![selector.into()])).unwrap()
    }

    /// How many of these elements are rendered: not hidden, and of some size.
    pub(crate) fn rendered(&self, selector: &str) -> usize {
        let script = "return [...document.querySelectorAll(arguments[0])].filter(e => {
            const box = e.getBoundingClientRect();
            const visible = e.checkVisibility({opacityProperty: true, visibilityProperty: true});
            return visible && box.width > 0 && box.height > 0;
        }).length";
        self.count(script, selector)
    }

    /// How many of these elements are visible to the reader: completely inside the window, and with
    /// no dialog or popup over their corners or their middle.
    pub(crate) fn uncovered(&self, selector: &str) -> usize {
        let script = "return [...document.querySelectorAll(arguments[0])].filter(e => {
            const {left, right, top, bottom} = e.getBoundingClientRect();
            const points = [
                [(left + right) / 2, (top + bottom) / 2],
                [left + 2, top + 2], [right - 2, top + 2],
                [left + 2, bottom - 2], [right - 2, bottom - 2],
            ];
            return points.every(([x, y]) => e.contains(document.elementFromPoint(x, y)));
        }).length";
        self.count(script, selector)
    }

    /// Waits until `count` of these elements are rendered.
    pub(crate) fn wait_for(&self, selector: &str, count: usize) {
        self.wait_until(&format!("{count} of `{selector}` on the page"), || {
            self.rendered(selector) >= count
        });
    }

    /// Waits until one of these elements contains the text.
    pub(crate) fn wait_for_text(&self, selector: &str, text: &str) {
        self.wait_until(&format!("`{text}` in `{selector}`"), || {
            self.texts(selector)
                .iter()
                .any(|found| found.contains(text))
        });
    }

    /// Waits until `condition` holds. A failure shows what was on the page instead.
    pub(crate) fn wait_until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        if poll(TIMEOUT, || condition().then_some(())).is_none() {
            let picture = self.screenshot(&format!("failed-{}.png", self.group()));
            panic!(
                "no {what} after {TIMEOUT:?}; the page is in {}, its text:\n{}",
                picture.display(),
                self.texts("body").join("\n")
            );
        }
    }

    /// Saves what the window shows, and prints where.
    pub(crate) fn screenshot(&self, name: &str) -> PathBuf {
        let path = artifact(name);
        std::fs::write(
            &path,
            self.wait_on("take a screenshot", self.client.screenshot()),
        )
        .unwrap();
        note(&format!("screenshot: {}", path.display()));
        path
    }

    /// What the window shows of an element, named by XPath, as a PNG.
    pub(crate) fn picture(&self, xpath: &str) -> Vec<u8> {
        let element = self.element(xpath);
        self.wait_on("take a picture", element.screenshot())
    }

    fn count(&self, script: &str, selector: &str) -> usize {
        self.run(script, vec![selector.into()])
            .as_u64()
            .unwrap()
            .try_into()
            .unwrap()
    }

    /// A browser that hangs must not hang the test.
    fn wait_on<T>(
        &self,
        what: &str,
        command: impl Future<Output = Result<T, fantoccini::error::CmdError>>,
    ) -> T {
        let outcome = self
            .runtime
            .block_on(async { tokio::time::timeout(TIMEOUT, command).await });
        match outcome {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => panic!("the browser cannot {what}: {error}"),
            Err(_) => panic!("the browser cannot {what} in {TIMEOUT:?}"),
        }
    }
}

fn flags(profile: &Path, width: u32, height: u32) -> Vec<String> {
    let mut flags: Vec<String> = [
        "--headless=new",
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--no-proxy-server",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
        // In a container, shared memory is often too small for a page.
        "--disable-dev-shm-usage",
    ]
    .map(str::to_owned)
    .into();
    flags.push(format!(
        "--user-data-dir={}",
        profile.join("profile").display()
    ));
    flags.push(format!("--window-size={width},{height}"));
    if is_root() {
        // Chromium's sandbox does not work for root.
        flags.push("--no-sandbox".to_owned());
    }
    flags
}

/// The first of these programs that is on the `PATH`.
fn program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names.iter().find_map(|name| {
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    })
}
