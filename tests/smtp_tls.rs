//! Sessions over TLS on loopback, with certificates made for each test: only the right one is believed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use demarche::domain::message::{Envelope, Field, ForwardPath};
use demarche::domain::outcome::{End, Fault, Phase, Trouble};
use demarche::domain::relay::{Login, PasswordSource, Relay, Security, Timeouts};
use demarche::smtp::{Connector, SetupError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

const LETTER: &[u8] = b"Subject: x\r\n\r\nbye\r\n";

/// A certificate authority, its PEM file and what it issues.
struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let folder = tempfile::tempdir().expect("a folder");
        // A name of its own: another authority is unknown, and not an impostor of this one.
        params.distinguished_name.push(DnType::CommonName, folder.path().display().to_string());
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).expect("written");
        Self { folder, issuer }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn acceptor(&self, names: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("parameters");
        adjust(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        acceptor(certificate.der().clone(), &key)
    }
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a server");
    TlsAcceptor::from(Arc::new(config))
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

fn relay(host: &str, port: u16, security: Security, ca_file: PathBuf) -> Relay {
    Relay {
        host: host.to_owned(),
        port,
        security,
        login: None,
        connections: 1,
        ca_file: Some(ca_file),
        ehlo_name: "client.example".to_owned(),
        messages_per_connection: 100,
        timeouts: Timeouts::default(),
    }
}

fn envelope() -> Envelope {
    Envelope {
        reverse_path: "us@here.example".into(),
        forward_paths: vec![ForwardPath { address: "ken@missions.example".into(), field: Field::To }],
    }
}

/// What a server does once the terminator has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finish {
    Accept,
    /// Drops the connection without `close_notify`.
    Drop,
    /// Breaks TLS: octets that are no record under its keys.
    Break,
}

/// Serves one session and gives the commands that came.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    connection: S,
    ehlo: &str,
    banner: bool,
    finish: Finish,
) -> (Vec<String>, S) {
    let mut connection = BufReader::new(connection);
    let mut commands = Vec::new();
    if banner {
        connection.write_all(b"220 mx.example\r\n").await.expect("written");
        connection.flush().await.expect("flushed");
    }
    let mut in_data = false;
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await.unwrap_or(0) == 0 {
            break;
        }
        let line = line.trim_end().to_owned();
        if in_data && line != "." {
            continue;
        }
        if in_data && finish != Finish::Accept {
            break;
        }
        in_data = line == "DATA";
        commands.push(line.clone());
        let answer = match line.split(' ').next().unwrap_or_default() {
            "EHLO" => ehlo,
            "STARTTLS" => "220 go\r\n",
            "AUTH" => "235 ok\r\n",
            "DATA" => "354 go\r\n",
            "QUIT" => "221 bye\r\n",
            _ => "250 ok\r\n",
        };
        connection.write_all(answer.as_bytes()).await.expect("written");
        connection.flush().await.expect("flushed");
        if matches!(line.as_str(), "STARTTLS" | "QUIT") {
            break;
        }
    }
    (commands, connection.into_inner())
}

fn serve_tls(listener: TcpListener, acceptor: TlsAcceptor, finish: Finish) -> JoinHandle<Vec<String>> {
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.expect("a connection");
        // A client that does not believe the certificate breaks the handshake off.
        let Ok(secured) = acceptor.accept(connection).await else { return Vec::new() };
        let (commands, secured) = serve(secured, "250-mx\r\n250 PIPELINING\r\n", true, finish).await;
        if finish == Finish::Break {
            let alert = [21, 3, 3, 0, 2, 2, 80];
            secured.into_inner().0.write_all(&alert).await.expect("written");
        }
        commands
    })
}

async fn refusal(host: &str, acceptor: TlsAcceptor, ca_file: PathBuf) -> String {
    let (listener, port) = listen().await;
    let server = serve_tls(listener, acceptor, Finish::Accept);
    let connector = Connector::new(relay(host, port, Security::Tls, ca_file)).expect("settings");
    let fault = connector.open().await.expect_err("not believed");
    assert!(server.await.expect("the server").is_empty(), "a command was sent to a server that is not believed");
    match fault {
        Fault { phase: Phase::Tls, trouble: Trouble::Certificate(why) } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_letter_goes_over_tls_to_a_server_whose_authority_is_trusted_by_name_and_by_address() {
    for host in ["localhost", "127.0.0.1"] {
        let authority = Authority::new();
        let (listener, port) = listen().await;
        let server = serve_tls(listener, authority.acceptor(&[host], |_| {}), Finish::Accept);
        let connector = Connector::new(relay(host, port, Security::Tls, authority.file())).expect("settings");
        let mut session = connector.open().await.expect("a session");
        let handover = session.hand_over(LETTER, &envelope(), async { true }).await;
        assert!(matches!(handover.end, End::Accepted(_)), "{:?}", handover.end);
        assert!(handover.reusable);
        session.quit().await;
        let commands = server.await.expect("the server");
        assert_eq!(commands.last().map(String::as_str), Some("QUIT"));
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused_and_both_names_are_told() {
    let authority = Authority::new();
    let why = refusal("localhost", authority.acceptor(&["mx.elsewhere.example"], |_| {}), authority.file()).await;
    assert!(why.contains("localhost") && why.contains("mx.elsewhere.example"), "{why}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = Authority::new();
    let expired = authority.acceptor(&["localhost"], |params| params.not_after = date_time_ymd(2001, 1, 1));
    let why = refusal("localhost", expired, authority.file()).await;
    assert!(why.contains("expired"), "{why}");
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_yet_is_refused() {
    let authority = Authority::new();
    let early = authority.acceptor(&["localhost"], |params| params.not_before = date_time_ymd(4000, 1, 1));
    let why = refusal("localhost", early, authority.file()).await;
    assert!(why.contains("not valid yet"), "{why}");
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let (trusted, other) = (Authority::new(), Authority::new());
    let why = refusal("localhost", other.acceptor(&["localhost"], |_| {}), trusted.file()).await;
    assert!(why.contains("its issuer is unknown"), "{why}");
}

#[tokio::test]
async fn a_self_signed_certificate_is_refused_whether_an_authority_or_not() {
    let trusted = Authority::new();
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
        params.is_ca = is_ca;
        params.distinguished_name.push(DnType::CommonName, "localhost");
        let certificate = params.self_signed(&key).expect("signed");
        let why = refusal("localhost", acceptor(certificate.der().clone(), &key), trusted.file()).await;
        assert!(why.contains("self-signed"), "{why}");
    }
}

#[tokio::test]
async fn after_starttls_what_was_said_in_clear_is_forgotten() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(&["localhost"], |_| {});
    let (listener, port) = listen().await;
    let server = tokio::spawn(async move {
        let (connection, _) = listener.accept().await.expect("a connection");
        let in_clear = "250-mx\r\n250-STARTTLS\r\n250-AUTH LOGIN\r\n250-SMTPUTF8\r\n250 SIZE 5\r\n";
        let (clear, connection) = serve(connection, in_clear, true, Finish::Accept).await;
        let secured = acceptor.accept(connection).await.expect("a handshake");
        let (secured, _) =
            serve(secured, "250-mx\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n", false, Finish::Accept).await;
        (clear, secured)
    });
    let password = PasswordSource::Inline("hunter2".to_owned().into());
    let login = Some(Login { username: "us".to_owned(), password });
    let relay = Relay { login, ..relay("localhost", port, Security::StartTls, authority.file()) };
    let mut session = Connector::new(relay).expect("settings").open().await.expect("a session");
    let offered = session.capabilities();
    assert!(offered.pipelining && !offered.smtputf8 && !offered.start_tls && offered.size.is_none());
    assert_eq!(offered.auth, ["PLAIN"]);
    let handover = session.hand_over(LETTER, &envelope(), async { true }).await;
    assert!(matches!(handover.end, End::Accepted(_)), "{:?}", handover.end);
    session.quit().await;
    let (clear, secured) = server.await.expect("the server");
    assert_eq!(clear, ["EHLO client.example", "STARTTLS"]);
    assert_eq!(secured[0], "EHLO client.example");
    assert!(secured[1].starts_with("AUTH PLAIN "));
}

#[tokio::test]
async fn a_connection_that_ends_or_breaks_after_the_dot_without_a_reply_is_uncertain() {
    for finish in [Finish::Drop, Finish::Break] {
        let authority = Authority::new();
        let (listener, port) = listen().await;
        let server = serve_tls(listener, authority.acceptor(&["localhost"], |_| {}), finish);
        let connector = Connector::new(relay("localhost", port, Security::Tls, authority.file())).expect("settings");
        let mut session = connector.open().await.expect("a session");
        let handover = session.hand_over(LETTER, &envelope(), async { true }).await;
        let End::Uncertain(Fault { phase: Phase::EndOfData, trouble }) = &handover.end else {
            panic!("{:?}", handover.end)
        };
        let expected =
            if finish == Finish::Drop { *trouble == Trouble::Closed } else { matches!(trouble, Trouble::Tls(_)) };
        assert!(expected, "{trouble:?}");
        assert!(!handover.reusable);
        server.await.expect("the server");
    }
}

#[tokio::test]
async fn several_letters_small_and_large_go_through_one_session_in_a_task_of_its_own() {
    let authority = Authority::new();
    let (listener, port) = listen().await;
    let server = serve_tls(listener, authority.acceptor(&["localhost"], |_| {}), Finish::Accept);
    let connector = Connector::new(relay("localhost", port, Security::Tls, authority.file())).expect("settings");
    let sending = tokio::spawn(async move {
        let mut session = connector.open().await.expect("a session");
        let large = b"a line of text, and another, until it is large\r\n".repeat(20_000);
        for letter in [LETTER, &large, LETTER] {
            let handover = session.hand_over(letter, &envelope(), async { true }).await;
            assert!(matches!(handover.end, End::Accepted(_)) && handover.reusable, "{handover:?}");
        }
        assert_eq!(session.letters(), 3);
        session.quit().await;
    });
    sending.await.expect("sent");
    let commands = server.await.expect("the server");
    assert_eq!(commands.iter().filter(|line| *line == ".").count(), 3);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_apart_from_a_wrong_certificate() {
    let authority = Authority::new();
    let (listener, port) = listen().await;
    let server = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.expect("a connection");
        connection.write_all(b"220 mx.example ESMTP\r\n").await.expect("written");
        connection
    });
    let connector = Connector::new(relay("localhost", port, Security::Tls, authority.file())).expect("settings");
    let fault = connector.open().await.expect_err("no TLS");
    assert!(
        matches!(&fault, Fault { phase: Phase::Tls, trouble: Trouble::Tls(why) } if why.contains("STARTTLS")),
        "{fault:?}"
    );
    drop::<TcpStream>(server.await.expect("the server"));
}

#[tokio::test]
async fn a_handshake_that_stalls_ends_at_its_deadline() {
    let authority = Authority::new();
    let (listener, port) = listen().await;
    let mut relay = relay("localhost", port, Security::Tls, authority.file());
    relay.timeouts.connect = Duration::from_millis(200);
    // The kernel takes the connection; nobody ever answers.
    let fault = Connector::new(relay).expect("settings").open().await.expect_err("a deadline");
    assert_eq!(fault, Fault::new(Phase::Tls, Trouble::TimedOut(Duration::from_millis(200))));
    drop(listener);
}

#[test]
fn a_ca_file_that_cannot_serve_is_known_before_any_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ca.pem");
    let new = || Connector::new(relay("localhost", 465, Security::Tls, path.clone()));
    assert!(matches!(new(), Err(SetupError::CaFileUnreadable { .. })));
    std::fs::write(&path, "no certificate here\n").expect("written");
    let error = new().expect_err("empty");
    assert!(matches!(error, SetupError::CaFileEmpty { .. }));
    assert!(error.to_string().contains("ca.pem"), "{error}");
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").expect("written");
    assert!(matches!(new(), Err(SetupError::CaFileUnreadable { .. })));
    let relay = relay("no such host", 465, Security::Tls, path.clone());
    assert!(matches!(Connector::new(relay), Err(SetupError::HostName { .. })));
}
