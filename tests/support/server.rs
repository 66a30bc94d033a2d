//! The embedded server, run on threads of its own so that a test can drive the real program against it.

use demarche::postbox::{Letter, Options, Postbox, Script, Truth};
use tokio::runtime::Runtime;

/// A running server; it outlives the programs that send to it, and keeps the truth.
pub struct Server {
    runtime: Runtime,
    postbox: Option<Postbox>,
    truth: Truth,
    port: u16,
}

impl Server {
    /// A server that takes everything.
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// A server that follows a script.
    pub fn scripted(script: Script) -> Self {
        Self::with(Options { script, ..Options::default() })
    }

    /// A server with these options.
    pub fn with(options: Options) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let postbox = runtime.block_on(Postbox::start(options)).expect("a free port");
        let (truth, port) = (postbox.truth(), postbox.address().port());
        Self { runtime, postbox: Some(postbox), truth, port }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Every letter that it took, in order.
    pub fn letters(&self) -> Vec<Letter> {
        self.truth.accepted()
    }

    /// The row ids of the letters that it took, sorted.
    pub fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.letters().iter().map(row_of).collect();
        ids.sort();
        ids
    }

    /// What it saw on the wire that no client may do.
    pub fn violations(&self) -> Vec<String> {
        self.truth.violations()
    }

    /// How many connections it has had.
    pub fn connections(&self) -> u64 {
        self.truth.connections()
    }

    /// The commands that it heard on a connection (from 1), in order.
    pub fn transcript(&self, connection: u64) -> Vec<String> {
        self.truth.transcript(connection)
    }

    /// Waits until it has taken so many letters.
    pub fn wait_for(&self, count: usize) {
        let truth = self.truth.clone();
        self.runtime.block_on(async move {
            tokio::time::timeout(std::time::Duration::from_secs(60), truth.wait_for(count))
                .await
                .expect("letters in a minute");
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(postbox) = self.postbox.take() {
            self.runtime.block_on(postbox.stop());
        }
    }
}

/// The row that a letter is for.
pub fn row_of(letter: &Letter) -> String {
    let delivery = letter.delivery.as_deref().expect("every letter names its delivery");
    delivery.rsplit_once('/').map_or(delivery, |(_, id)| id).to_owned()
}
