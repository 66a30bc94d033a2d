//! Chromium, headless, driven by the W3C's `WebDriver`: JSON over HTTP to a `chromedriver` of the test's own.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::proxy::Proxy;
use crate::support::supervised::{Supervised, poll};

/// How long anything may take to come about.
const PATIENCE: Duration = Duration::from_secs(60);
/// The name under which `WebDriver` hands out elements and frames.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One browser at a time: it takes much memory, and the machine may have few cores.
static ONE: Mutex<()> = Mutex::new(());

/// A browser with an empty profile. Whatever it asks of any network goes to a proxy that counts and refuses.
pub(crate) struct Browser {
    session: String,
    port: u16,
    proxy: Proxy,
    _driver: Supervised,
    folder: TempDir,
    _one: MutexGuard<'static, ()>,
}

impl Browser {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::Builder::new().prefix("demarche-browser-").tempdir().expect("a folder");
        let log = folder.path().join("chromedriver.log");
        let driver = Supervised::start(&["chromedriver", "--port=0"], &log);
        let port = poll(PATIENCE, || port_in(&log));
        let said = fs::read_to_string(&log).unwrap_or_default();
        let port = port.unwrap_or_else(|| panic!("chromedriver does not say on which port it listens, but: {said}"));
        let proxy = Proxy::start();
        let mut browser = Self { session: String::new(), port, proxy, _driver: driver, folder, _one: one };
        let arguments = [
            "--headless=new".to_owned(),
            // Chromium's own sandbox needs what a container or root does not have.
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--no-first-run".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--force-device-scale-factor=1".to_owned(),
            format!("--user-data-dir={}", browser.folder.path().join("profile").display()),
            format!("--proxy-server=http://127.0.0.1:{}", browser.proxy.port()),
            "--proxy-bypass-list=<-loopback>".to_owned(),
        ];
        let started = browser.ask(
            "POST",
            "/session",
            &json!({ "capabilities": { "alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": { "args": arguments },
                "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            }}}),
        );
        started["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        browser.size(1400, 900);
        browser
    }

    /// Opens a file, with what follows the `#` in its address.
    pub(crate) fn open(&self, file: &Path, fragment: &str) {
        let hash = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
        // To another fragment of the same page a browser only scrolls.
        self.call("POST", "/url", &json!({ "url": "about:blank" }));
        self.call("POST", "/url", &json!({ "url": format!("file://{}{hash}", file.display()) }));
    }

    /// The window's inner size, in CSS pixels.
    pub(crate) fn size(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Light or dark, on the screen or on paper.
    pub(crate) fn media(&self, media: &str, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "media": media, "features": features }));
    }

    /// What a function body returns in the page, or in the frame that was entered.
    pub(crate) fn script(&self, body: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({ "script": body, "args": [] }))
    }

    /// The same for one that calls its last argument when it is done.
    pub(crate) fn script_later(&self, body: &str) -> Value {
        self.call("POST", "/execute/async", &json!({ "script": body, "args": [] }))
    }

    /// Waits until an expression is true.
    ///
    /// # Panics
    /// When it never is.
    #[track_caller]
    pub(crate) fn wait(&self, expression: &str) {
        let body = format!("return Boolean({expression});");
        let came = poll(PATIENCE, || self.script(&body).as_bool().filter(|it| *it));
        assert!(
            came.is_some(),
            "it never came about that {expression}\n{}",
            self.script("return document.body.innerText;")
        );
    }

    /// The text of an element by its selector.
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.script(&format!("return document.querySelector({selector:?}).innerText;"));
        text.as_str().expect("a text").to_owned()
    }

    /// Clicks an element as a person does: it has to be there and in sight.
    pub(crate) fn click(&self, selector: &str) {
        let id = self.element(selector);
        self.call("POST", &format!("/element/{id}/click"), &json!({}));
    }

    /// Presses and releases the pointer in the middle of an element, whatever stands there.
    pub(crate) fn press_at(&self, selector: &str) {
        let origin = json!({ ELEMENT: self.element(selector) });
        let steps = json!([
            { "type": "pointerMove", "duration": 0, "origin": origin, "x": 0, "y": 0 },
            { "type": "pointerDown", "button": 0 },
            { "type": "pointerUp", "button": 0 },
        ]);
        let actions = json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": steps }] });
        self.call("POST", "/actions", &actions);
    }

    /// Types at whatever has the focus; `"\u{e007}"` is Enter, and so on (`WebDriver` §17.4.2).
    pub(crate) fn keys(&self, text: &str) {
        let presses: Vec<Value> = text
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() })))
            .collect();
        let actions = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": presses }] });
        self.call("POST", "/actions", &actions);
    }

    /// Enters a frame; what is asked of the page is asked of the frame then.
    pub(crate) fn enter(&self, selector: &str) {
        let id = self.element(selector);
        self.call("POST", "/frame", &json!({ "id": { ELEMENT: id } }));
    }

    /// Back to the page itself.
    pub(crate) fn leave(&self) {
        self.call("POST", "/frame", &json!({ "id": null }));
    }

    /// What the console said since it was asked last.
    pub(crate) fn console(&self) -> Vec<String> {
        let lines = self.call("POST", "/se/log", &json!({ "type": "browser" }));
        lines.as_array().expect("lines").iter().map(|line| line["message"].to_string()).collect()
    }

    /// The addresses that any page or frame asked for since this was asked last.
    pub(crate) fn requested(&self) -> Vec<String> {
        let lines = self.call("POST", "/se/log", &json!({ "type": "performance" }));
        let lines = lines.as_array().expect("lines").iter();
        lines
            .filter_map(|line| serde_json::from_str::<Value>(line["message"].as_str()?).ok())
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .filter_map(|event| Some(event["message"]["params"]["request"]["url"].as_str()?.to_owned()))
            .collect()
    }

    /// The hosts that anything was asked of.
    pub(crate) fn hosts(&self) -> Vec<String> {
        self.proxy.hosts()
    }

    /// The page as it prints on A4.
    pub(crate) fn print(&self) -> Vec<u8> {
        let page = json!({ "page": { "width": 21.0, "height": 29.7 }, "background": true });
        decoded(&self.call("POST", "/print", &page))
    }

    /// The window as a PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        decoded(&self.call("GET", "/screenshot", &Value::Null))
    }

    /// A command of Chromium's own protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.call("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn element(&self, selector: &str) -> String {
        let found = self.call("POST", "/element", &json!({ "using": "css selector", "value": selector }));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, &format!("/session/{}{path}", self.session), body)
    }

    /// One request on a connection of its own.
    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .expect("chromedriver reads");
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        // The driver keeps the connection, whatever it is asked: its body ends where it says.
        for line in answer.by_ref().lines() {
            let line = line.expect("chromedriver answers");
            if line.is_empty() {
                break;
            }
            if let Some((_, value)) =
                line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            {
                length = value.trim().parse().expect("a number");
            }
        }
        let mut json = vec![0; length];
        answer.read_exact(&mut json).expect("chromedriver answers");
        let json = std::str::from_utf8(&json).expect("UTF-8");
        let mut value: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {json}"));
        let value = value["value"].take();
        assert!(value["error"].is_null(), "{method} {path}: {}: {}", value["error"], value["message"]);
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser; should it not, the supervisor ends both.
        if !self.session.is_empty() && !std::thread::panicking() {
            self.call("DELETE", "", &Value::Null);
        }
    }
}

fn port_in(log: &Path) -> Option<u16> {
    let text = fs::read_to_string(log).ok()?;
    let (_, rest) = text.split_once("started successfully on port ")?;
    rest.split_once('.')?.0.parse().ok()
}

fn decoded(base64: &Value) -> Vec<u8> {
    let text = base64.as_str().expect("base64");
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}
