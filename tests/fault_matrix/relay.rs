//! The server of one cell: it does the one thing at the one moment, says when it has, and speaks TLS where that is asked.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use demarche::domain::outcome::Phase;
use demarche::domain::relay::{Login, PasswordSource, Relay, Security, Timeouts};
use demarche::postbox::{self, Action, Cue, Keep, Options, Script};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use crate::cells::{Cell, PATIENCE, Times};
use crate::table::{Fault, Place};

/// The letter that the fault hits.
pub(crate) const HIT: &str = "two@missions.example";
/// Nothing waits longer than this for anything that has to come.
const AT_MOST: Duration = Duration::from_secs(30);

/// How far the server has come: composing waits for it, so that the letters go out in their order.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    mails: u64,
    hits: u64,
}

impl Stage {
    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// How often the fault has come.
    pub(crate) fn hits(&self) -> u64 {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).hits
    }

    /// Blocks until it is the turn of the letter in this place (from 0).
    pub(crate) fn wait_for_turn(&self, place: usize) {
        let early = |seen: &mut Seen| seen.hits == 0 && (place == 2 || (place == 1 && seen.mails == 0));
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(seen, AT_MOST, early));
    }
}

/// The server's options for a cell.
pub(crate) fn options(cell: &Cell, stage: &Arc<Stage>) -> Options {
    Options {
        offers: cell.capabilities.offers,
        security: match security(cell) {
            Security::None => postbox::Security::None,
            Security::Tls => postbox::Security::Tls(Arc::clone(&CERTIFICATES.server)),
            Security::StartTls => postbox::Security::StartTls(Arc::clone(&CERTIFICATES.server)),
        },
        login: needs_login(cell).then(|| (USER.to_owned(), PASSWORD.to_owned())),
        keep: Keep::Bytes,
        script: script(cell, stage),
        ..Options::default()
    }
}

fn script(cell: &Cell, stage: &Arc<Stage>) -> Script {
    let (times, acts, stage) = (cell.times, cell.acts(), Arc::clone(stage));
    let used = Mutex::new(vec![false; acts.len()]);
    Script::new(move |cue| {
        if cue.phase == Phase::Mail {
            stage.note(|seen| seen.mails += 1);
        }
        let act = acts.iter().position(|(phase, _)| *phase == cue.phase);
        let Some(index) = act.filter(|_| is_due(cue)) else { return Action::Behave };
        let mut used = used.lock().unwrap_or_else(PoisonError::into_inner);
        if times == Times::Once && used[index] {
            return Action::Behave;
        }
        used[index] = true;
        stage.note(|seen| seen.hits += u64::from(index == 0));
        acts[index].1.clone()
    })
}

fn is_due(cue: &Cue) -> bool {
    match cue.phase {
        phase if phase.before_mail() => true,
        // Nobody is named yet: the letters go out in their order.
        Phase::Mail => cue.nth >= 2,
        Phase::Rcpt => cue.recipient == Some(HIT),
        _ => cue.recipients.iter().any(|recipient| recipient == HIT),
    }
}

const USER: &str = "letters@coalition.example";
const PASSWORD: &str = "not a secret";

fn needs_login(cell: &Cell) -> bool {
    cell.place == Place::Auth
}

fn security(cell: &Cell) -> Security {
    match (cell.place, cell.fault) {
        (Place::StartTls, _) => Security::StartTls,
        (_, Fault::TlsAlert) => Security::Tls,
        _ => Security::None,
    }
}

/// The way to the server for a cell. A deadline is short only where it is what ends the wait.
pub(crate) fn relay(cell: &Cell, port: u16) -> Relay {
    let mut timeouts =
        Timeouts { connect: AT_MOST, command: AT_MOST, data: AT_MOST, block: AT_MOST, end_of_data: AT_MOST };
    if cell.is_slow() {
        match cell.place {
            Place::Data => timeouts.data = PATIENCE,
            // A chunk may be written whole: then its reply is waited for.
            Place::Body => (timeouts.block, timeouts.end_of_data) = (PATIENCE, PATIENCE),
            Place::EndOfData => timeouts.end_of_data = PATIENCE,
            _ => timeouts.command = PATIENCE,
        }
    }
    let password = PasswordSource::Inline(PASSWORD.to_owned().into());
    Relay {
        host: "127.0.0.1".to_owned(),
        port,
        security: security(cell),
        login: needs_login(cell).then(|| Login { username: USER.to_owned(), password }),
        connections: 1,
        ca_file: Some(CERTIFICATES.ca_file.clone()),
        ehlo_name: "client.example".to_owned(),
        messages_per_connection: 100,
        timeouts,
    }
}

struct Certificates {
    ca_file: PathBuf,
    server: Arc<ServerConfig>,
    _folder: tempfile::TempDir,
}

static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(|| {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let folder = tempfile::tempdir().expect("a folder");
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, issuer.pem()).expect("our own folder");
    Certificates { ca_file, server: server_config(&issuer), _folder: folder }
});

fn server_config(issuer: &CertifiedIssuer<'static, KeyPair>) -> Arc<ServerConfig> {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, issuer).expect("signed");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).expect("a key"))
        .expect("a server");
    Arc::new(config)
}

/// A folder for the ledger of one cell.
pub(crate) fn ledger_file(folder: &Path) -> PathBuf {
    folder.join("ledger.db")
}
