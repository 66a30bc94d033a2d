//! The embedded server as its clients see it: raw octets over loopback, and the truth it keeps.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which the test attribute does not cover")]

use std::sync::Arc;
use std::time::Duration;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Chunk, Keep, Offers, Options, Postbox, Rule, Script, Security, Shares, seeded};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const MAIL: &str = "MAIL FROM:<a@coalition.example>\r\n";
const RCPT: &str = "RCPT TO:<ken@missions.example>\r\n";
const LETTER: &str = "Message-ID: <1@coalition.example>\r\nX-Demarche-Delivery: ken\r\nSubject: s\r\n\r\nDear\r\n";

/// A client that knows no SMTP: it writes what it is told and reads lines.
struct Client<S> {
    stream: S,
    waiting: Vec<u8>,
}

impl Client<TcpStream> {
    async fn connect(postbox: &Postbox) -> Self {
        Self { stream: TcpStream::connect(postbox.address()).await.unwrap(), waiting: Vec::new() }
    }

    /// Banner and EHLO done.
    async fn greeted(postbox: &Postbox) -> Self {
        let mut client = Self::connect(postbox).await;
        assert!(client.reply().await.starts_with("220 "));
        assert!(client.ask("EHLO me.example\r\n").await.starts_with("250"));
        client
    }

    /// Everything up to the 354 done.
    async fn at_data(postbox: &Postbox) -> Self {
        let mut client = Self::greeted(postbox).await;
        assert_eq!(client.codes(&format!("{MAIL}{RCPT}DATA\r\n"), 3).await, ["250", "250", "354"]);
        client
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn read_more(&mut self) -> std::io::Result<usize> {
        self.stream.read_buf(&mut self.waiting).await
    }

    /// One reply with all its lines.
    async fn reply(&mut self) -> String {
        let mut whole = String::new();
        loop {
            while !self.waiting.contains(&b'\n') {
                assert_ne!(self.read_more().await.unwrap(), 0, "closed after {whole:?} {:?}", self.waiting);
            }
            let end = self.waiting.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let line = String::from_utf8(self.waiting.drain(..end).collect()).unwrap();
            whole.push_str(&line);
            if line.as_bytes()[3] != b'-' {
                return whole;
            }
        }
    }

    async fn ask(&mut self, text: &str) -> String {
        self.send(text).await;
        self.reply().await
    }

    /// Writes `text` at once; the codes of the `count` replies to it.
    async fn codes(&mut self, text: &str, count: usize) -> Vec<String> {
        self.send(text).await;
        let mut codes = Vec::new();
        for _ in 0..count {
            codes.push(self.reply().await[..3].to_owned());
        }
        codes
    }

    /// Everything until the server closes.
    async fn rest(&mut self) -> std::io::Result<Vec<u8>> {
        while self.read_more().await? > 0 {}
        Ok(std::mem::take(&mut self.waiting))
    }
}

async fn postbox(options: Options) -> Postbox {
    Postbox::start(options).await.unwrap()
}

/// A server that does `action` whenever `phase` comes.
async fn scripted(phase: Phase, action: Action) -> Postbox {
    let rule = Rule { phase, connection: None, recipient: None, times: None, action };
    postbox(Options { script: Script::rules(vec![rule]), ..Options::default() }).await
}

fn raw(text: &str) -> Vec<Chunk> {
    vec![Chunk { after: Duration::ZERO, bytes: text.as_bytes().to_vec() }]
}

fn reset(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::ConnectionReset
}

#[tokio::test]
async fn a_pipelined_session_is_answered_in_order_and_its_letter_is_kept_unstuffed() {
    let postbox = postbox(Options::default()).await;
    let truth = postbox.truth();
    let mut client = Client::at_data(&postbox).await;
    let end = client.ask(&format!("{LETTER}..dot\r\n.\r\n")).await;
    assert_eq!(end, "250 2.0.0 kept as 1\r\n");
    assert_eq!(client.ask("QUIT\r\n").await, "221 2.0.0 bye\r\n");
    assert!(client.rest().await.unwrap().is_empty());
    drop(client);
    postbox.stop().await;

    let letter = truth.accepted().remove(0);
    assert_eq!(letter.bytes, format!("{LETTER}.dot\r\n").into_bytes());
    assert_eq!((letter.sequence, letter.connection, letter.size), (1, 1, letter.bytes.len()));
    assert_eq!((letter.reverse_path.as_str(), letter.acknowledged), ("a@coalition.example", true));
    assert_eq!(letter.forward_paths, ["ken@missions.example"]);
    assert_eq!(letter.message_id.as_deref(), Some("<1@coalition.example>"));
    assert_eq!(letter.delivery.as_deref(), Some("ken"));
    let heard = ["EHLO me.example", MAIL.trim_end(), RCPT.trim_end(), "DATA", "QUIT"];
    assert_eq!(truth.transcript(1), heard);
    assert!(truth.violations().is_empty(), "{:?}", truth.violations());
}

#[tokio::test]
async fn replies_to_a_pipelined_group_come_in_one_write() {
    let postbox = postbox(Options::default()).await;
    let mut client = Client::greeted(&postbox).await;
    client.send(&format!("{MAIL}{RCPT}RSET\r\n")).await;
    client.read_more().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&client.waiting).lines().count(), 3);
}

#[tokio::test]
async fn commands_out_of_place_or_malformed_get_the_codes_of_rfc_5321() {
    let postbox = postbox(Options::default()).await;
    let mut client = Client::connect(&postbox).await;
    client.reply().await;
    for (command, code) in [
        (MAIL, "503"),
        ("HELO me.example\r\n", "250"),
        (RCPT, "503"),
        ("DATA\r\n", "503"),
        ("HELLO\r\n", "500"),
        ("MAIL FROM: <a@b.example>\r\n", "501"),
        ("MAIL FROM:<a@b.example> RET=FULL\r\n", "555"),
        ("MAIL FROM:<ä@b.example>\r\n", "553"),
        ("MAIL FROM:<a@b.example> SIZE=99999999999\r\n", "552"),
        ("VRFY a\r\n", "252"),
        ("EXPN a\r\n", "502"),
        ("BDAT 0 LAST\r\n", "502"),
        ("AUTH PLAIN AGEAYg==\r\n", "502"),
        ("STARTTLS\r\n", "503"),
        ("NOOP\r\n", "250"),
        (MAIL, "250"),
        (MAIL, "503"),
        ("DATA\r\n", "554"),
        ("RSET\r\n", "250"),
        ("MAIL FROM:<ä@b.example> SMTPUTF8\r\n", "250"),
        ("RCPT TO:<é@c.example>\r\n", "250"),
    ] {
        assert_eq!(client.codes(command, 1).await, [code], "{command:?}");
    }
    let long = format!("NOOP {}\r\n", "x".repeat(9000));
    assert_eq!(client.codes(&format!("{long}NOOP\r\n"), 2).await, ["500", "250"]);
}

#[tokio::test]
async fn a_message_over_the_offered_size_is_refused_at_its_end() {
    let offers = Offers { size: Some(100), ..Offers::default() };
    let postbox = postbox(Options { offers, ..Options::default() }).await;
    let mut client = Client::at_data(&postbox).await;
    let big = format!("{}\r\n", "x".repeat(98)).repeat(2);
    assert!(client.ask(&format!("{big}.\r\n")).await.starts_with("552 "));
    assert_eq!(postbox.truth().count(), 0);
}

#[tokio::test]
async fn what_clients_do_against_the_rules_is_recorded() {
    let offers = Offers { pipelining: false, ..Offers::default() };
    let postbox = postbox(Options { offers, ..Options::default() }).await;
    let mut client = Client::greeted(&postbox).await;
    let letter = format!("a\nb\rc\r\n{}\r\n.\r\n", "x".repeat(999));
    assert_eq!(client.codes(&format!("{MAIL}{RCPT}"), 2).await, ["250", "250"]);
    assert_eq!(client.codes("DATA\n", 1).await, ["354"]);
    assert_eq!(client.codes(&letter, 1).await, ["250"]);
    assert_eq!(
        postbox.truth().violations(),
        [
            "connection 1: input behind MAIL before its reply",
            "connection 1: a command line with a bare CR or LF",
            "connection 1: a bare CR in the message",
            "connection 1: a bare LF in the message",
            "connection 1: a line of 999 octets in the message",
        ]
    );
}

#[tokio::test]
async fn bdat_chunks_make_one_letter_of_their_exact_octets() {
    let offers = Offers { chunking: true, ..Offers::default() };
    let postbox = postbox(Options { offers, ..Options::default() }).await;
    let mut client = Client::greeted(&postbox).await;
    let text = format!("{MAIL}{RCPT}BDAT 6\r\n.a\r\n.\rBDAT 3 LAST\r\n\nb\n");
    assert_eq!(client.codes(&text, 4).await, ["250", "250", "250", "250"]);
    let unexpected = client.codes("BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n", 2).await;
    assert_eq!(unexpected, ["503", "250"], "the octets of a refused chunk are no commands");
    assert_eq!(postbox.truth().accepted()[0].bytes, b".a\r\n.\r\nb\n");
}

#[tokio::test]
async fn a_login_is_required_and_its_secrets_are_not_written_down() {
    let login = Some(("user".to_owned(), "secret".to_owned()));
    let postbox = postbox(Options { login, ..Options::default() }).await;
    let mut client = Client::connect(&postbox).await;
    client.reply().await;
    assert!(client.ask("EHLO me.example\r\n").await.contains("AUTH PLAIN LOGIN\r\n"));
    for (line, reply) in [
        (MAIL, "530 5.7.0 "),
        ("AUTH CRAM-MD5\r\n", "504 5.5.4 "),
        ("AUTH PLAIN !!\r\n", "501 5.5.2 "),
        ("AUTH PLAIN AHVzZXIAd3Jvbmc=\r\n", "535 5.7.8 "),
        ("AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n"),
        ("dXNlcg==\r\n", "334 UGFzc3dvcmQ6\r\n"),
        ("*\r\n", "501 5.7.0 "),
        ("AUTH PLAIN\r\n", "334 \r\n"),
        ("AHVzZXIAc2VjcmV0\r\n", "235 2.7.0 "),
        ("AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", "503 5.5.1 "),
        (MAIL, "250 2.1.0 "),
    ] {
        let got = client.ask(line).await;
        assert!(got.starts_with(reply), "{line:?} got {got:?}");
    }
    let heard = postbox.truth().transcript(1).join("\n");
    assert!(heard.contains("AUTH PLAIN *\nAUTH LOGIN\n*\n*\nAUTH PLAIN\n*\n"), "{heard}");
    assert!(!heard.contains("dXNl") && !heard.contains("AHVz"), "{heard}");
}

fn tls() -> (Arc<ServerConfig>, TlsConnector) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), TlsConnector::from(Arc::new(client)))
}

async fn handshake(
    connector: &TlsConnector,
    client: Client<TcpStream>,
) -> std::io::Result<Client<tokio_rustls::client::TlsStream<TcpStream>>> {
    let name = ServerName::try_from("localhost").unwrap();
    Ok(Client { stream: connector.connect(name, client.stream).await?, waiting: Vec::new() })
}

#[tokio::test]
async fn starttls_upgrades_forgets_what_was_said_before_and_is_not_offered_again() {
    let (config, connector) = tls();
    let login = Some(("user".to_owned(), "secret".to_owned()));
    let postbox = postbox(Options { security: Security::StartTls(config), login, ..Options::default() }).await;
    let mut client = Client::connect(&postbox).await;
    client.reply().await;
    let offered = client.ask("EHLO me.example\r\n").await;
    assert!(offered.contains("STARTTLS") && !offered.contains("AUTH"), "{offered}");
    assert_eq!(client.codes("AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", 1).await, ["530"]);
    // What stands behind STARTTLS in the clear must not be obeyed after the handshake.
    assert_eq!(client.codes("STARTTLS\r\nNOOP\r\n", 1).await, ["220"]);
    let mut client = handshake(&connector, client).await.unwrap();
    assert_eq!(client.codes(MAIL, 1).await, ["503"]);
    let offered = client.ask("EHLO me.example\r\n").await;
    assert!(!offered.contains("STARTTLS") && offered.contains("AUTH"), "{offered}");
    assert_eq!(client.codes("AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", 1).await, ["235"]);
    assert_eq!(client.codes(&format!("{MAIL}{RCPT}DATA\r\n"), 3).await, ["250", "250", "354"]);
    assert_eq!(client.codes(&format!("{LETTER}.\r\n"), 1).await, ["250"]);
    assert_eq!(client.codes("QUIT\r\n", 1).await, ["221"]);
    assert!(client.rest().await.unwrap().is_empty(), "close_notify must come before the FIN");
    assert_eq!(postbox.truth().count(), 1);
}

#[tokio::test]
async fn under_tls_a_close_has_no_close_notify_and_an_alert_is_fatal() {
    for (action, is_alert) in [(Action::Close, false), (Action::TlsAlert, true)] {
        let (config, connector) = tls();
        let rule = Rule { phase: Phase::Mail, connection: None, recipient: None, times: None, action };
        let script = Script::rules(vec![rule]);
        let postbox = postbox(Options { security: Security::Tls(config), script, ..Options::default() }).await;
        let mut client = handshake(&connector, Client::connect(&postbox).await).await.unwrap();
        client.reply().await;
        client.ask("EHLO me.example\r\n").await;
        client.send(MAIL).await;
        let error = client.rest().await.unwrap_err();
        assert_eq!(error.kind() == std::io::ErrorKind::UnexpectedEof, !is_alert, "{error}");
        assert_eq!(error.to_string().contains("alert"), is_alert, "{error}");
    }
}

#[tokio::test]
async fn an_alert_before_the_handshake_fails_it_and_without_tls_it_is_a_reset() {
    let (config, connector) = tls();
    let rule = Rule { phase: Phase::Tls, connection: None, recipient: None, times: None, action: Action::TlsAlert };
    let script = Script::rules(vec![rule]);
    let with_tls = postbox(Options { security: Security::Tls(config), script, ..Options::default() }).await;
    let Err(error) = handshake(&connector, Client::connect(&with_tls).await).await else { panic!("no alert") };
    assert!(error.to_string().contains("alert"), "{error}");

    let plain = scripted(Phase::Mail, Action::TlsAlert).await;
    let mut client = Client::greeted(&plain).await;
    client.send(MAIL).await;
    assert!(reset(&client.rest().await.unwrap_err()));
}

#[tokio::test]
async fn injected_octets_come_in_the_clear_with_the_220_and_the_handshake_still_works() {
    let (config, connector) = tls();
    let action = Action::InjectThenTls(b"250 injected\r\n".to_vec());
    let rule = Rule { phase: Phase::StartTls, connection: None, recipient: None, times: None, action };
    let script = Script::rules(vec![rule]);
    let postbox = postbox(Options { security: Security::StartTls(config), script, ..Options::default() }).await;
    let mut client = Client::greeted(&postbox).await;
    client.send("STARTTLS\r\n").await;
    client.read_more().await.unwrap();
    assert_eq!(client.waiting, b"220 2.0.0 go\r\n250 injected\r\n");
    let mut client = handshake(&connector, client).await.unwrap();
    assert!(client.ask("EHLO me.example\r\n").await.starts_with("250-"));
}

#[tokio::test]
async fn a_scripted_reply_stands_in_for_the_servers_own_and_decides_how_the_session_goes_on() {
    let refusing = scripted(Phase::Rcpt, Action::Reply("450-4.2.0 try\n450 4.2.0 later".into())).await;
    let mut client = Client::greeted(&refusing).await;
    assert_eq!(client.codes(MAIL, 1).await, ["250"]);
    assert_eq!(client.ask(RCPT).await, "450-4.2.0 try\r\n450 4.2.0 later\r\n");
    assert_eq!(client.codes("DATA\r\n", 1).await, ["554"]);

    let forwarding = scripted(Phase::Rcpt, Action::Reply("251 2.1.5 will forward".into())).await;
    let mut client = Client::greeted(&forwarding).await;
    assert_eq!(client.codes(&format!("{MAIL}{RCPT}DATA\r\n"), 3).await, ["250", "251", "354"]);

    let unwelcoming = scripted(Phase::Banner, Action::Reply("554 5.3.2 no".into())).await;
    let mut client = Client::connect(&unwelcoming).await;
    assert!(client.reply().await.starts_with("554 "));
    assert_eq!(client.codes("EHLO me.example\r\nQUIT\r\n", 2).await, ["503", "221"]);
}

#[tokio::test]
async fn a_354_though_every_recipient_was_refused_takes_a_lone_dot_and_keeps_nothing() {
    let rule = |phase, text: &str| {
        let action = Action::Reply(text.to_owned());
        Rule { phase, connection: None, recipient: None, times: None, action }
    };
    let script = Script::rules(vec![rule(Phase::Rcpt, "550 5.1.1 no"), rule(Phase::Data, "354 go")]);
    let postbox = postbox(Options { script, ..Options::default() }).await;
    let mut client = Client::greeted(&postbox).await;
    assert_eq!(client.codes(&format!("{MAIL}{RCPT}DATA\r\n"), 3).await, ["250", "550", "354"]);
    assert_eq!(client.codes(".\r\n", 1).await, ["554"]);
    assert_eq!(client.codes(MAIL, 1).await, ["250"], "the transaction is over");
    assert_eq!(postbox.truth().count(), 0);
}

#[tokio::test]
async fn a_421_closes_the_connection() {
    let postbox = scripted(Phase::Mail, Action::Reply("421 4.3.2 closing".into())).await;
    let mut client = Client::greeted(&postbox).await;
    client.send(&format!("{MAIL}{RCPT}")).await;
    assert_eq!(client.rest().await.unwrap(), b"421 4.3.2 closing\r\n");
}

#[tokio::test]
async fn a_close_is_a_fin_without_a_reply_even_with_commands_unread() {
    for phase in [Phase::Connect, Phase::Banner] {
        let postbox = scripted(phase, Action::Close).await;
        assert!(Client::connect(&postbox).await.rest().await.unwrap().is_empty(), "{phase}");
    }
    for phase in [Phase::Mail, Phase::Rcpt, Phase::Data] {
        let postbox = scripted(phase, Action::Close).await;
        let mut client = Client::greeted(&postbox).await;
        client.send(&format!("{MAIL}{RCPT}DATA\r\n")).await;
        let said = client.rest().await.unwrap();
        assert!(!String::from_utf8(said).unwrap().contains("354"), "{phase}");
    }
}

#[tokio::test]
async fn a_reset_is_seen_as_one() {
    for phase in [Phase::Rcpt, Phase::EndOfData] {
        let postbox = scripted(phase, Action::Reset).await;
        let mut client = Client::greeted(&postbox).await;
        client.send(&format!("{MAIL}{RCPT}")).await;
        if phase == Phase::EndOfData {
            assert_eq!(client.codes("DATA\r\n", 3).await, ["250", "250", "354"]);
            client.send(&format!("{LETTER}.\r\n")).await;
        }
        let error = loop {
            match client.read_more().await {
                Ok(octets) => assert_ne!(octets, 0, "a FIN, not an RST, at {phase}"),
                Err(error) => break error,
            }
        };
        assert!(reset(&error), "{error}");
        assert_eq!(postbox.truth().count(), 0);
    }
}

#[tokio::test]
async fn a_stalled_connection_says_nothing_until_the_server_stops() {
    let postbox = scripted(Phase::Mail, Action::Stall).await;
    let truth = postbox.truth();
    let mut stalled = Client::greeted(&postbox).await;
    stalled.send(&format!("{MAIL}{RCPT}")).await;
    // Another connection is served meanwhile, so the server has had its time for an answer.
    let mut other = Client::greeted(&postbox).await;
    assert_eq!(other.codes("NOOP\r\n", 1).await, ["250"]);
    let mut octet = [0];
    let nothing = stalled.stream.try_read(&mut octet).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
    postbox.stop().await;
    // Unread commands make the kernel say RST rather than FIN: either way it is over.
    assert!(stalled.rest().await.map_or_else(|error| reset(&error), |said| said.is_empty()));
    assert_eq!(truth.connections(), 2);
}

#[tokio::test]
async fn raw_chunks_come_exactly_as_they_are_and_may_be_followed_by_a_close() {
    let half = scripted(Phase::EndOfData, Action::RawThen(raw("250 2.0"), Box::new(Action::Close))).await;
    let mut client = Client::at_data(&half).await;
    client.send(&format!("{LETTER}.\r\n")).await;
    assert_eq!(client.rest().await.unwrap(), b"250 2.0");
    assert_eq!(half.truth().count(), 0, "half a reply is no acceptance");

    let bytes = |text: &[u8]| Chunk { after: Duration::from_millis(1), bytes: text.to_vec() };
    let slow = scripted(Phase::EndOfData, Action::Raw(vec![bytes(b"25"), bytes(b"0 caf\xe9"), bytes(b"\n")])).await;
    let mut client = Client::at_data(&slow).await;
    client.send(&format!("{LETTER}.\r\n")).await;
    slow.truth().wait_for(1).await;
    while client.waiting.len() < 9 {
        client.read_more().await.unwrap();
    }
    assert_eq!(client.waiting, b"250 caf\xe9\n");
    assert!(slow.truth().accepted()[0].acknowledged);
}

#[tokio::test]
async fn a_letter_may_be_kept_without_acknowledgement_and_lost_without_a_refusal() {
    for (action, kept) in [
        (Action::AcceptThen(Box::new(Action::Close)), true),
        (Action::AcceptThen(Box::new(Action::Reply("354 what?".into()))), true),
        (Action::AcceptThen(Box::new(Action::Reset)), true),
        (Action::RejectThen(Box::new(Action::Close)), false),
        (Action::RejectThen(Box::new(Action::Behave)), false),
        (Action::Close, false),
        (Action::Reply("550 5.7.1 no".into()), false),
    ] {
        let name = format!("{action:?}");
        let postbox = scripted(Phase::EndOfData, action).await;
        let mut client = Client::at_data(&postbox).await;
        client.send(&format!("{LETTER}.\r\n")).await;
        let _ = client.read_more().await;
        let acknowledged: Vec<bool> = postbox.truth().accepted().iter().map(|letter| letter.acknowledged).collect();
        assert_eq!(acknowledged, if kept { vec![false] } else { vec![] }, "{name}");
    }
}

#[tokio::test]
async fn a_reply_may_be_withheld_and_the_session_goes_on_as_if_it_had_been_said() {
    let postbox = scripted(Phase::Rcpt, Action::Withhold).await;
    let mut client = Client::greeted(&postbox).await;
    assert_eq!(client.codes(&format!("{MAIL}{RCPT}DATA\r\n"), 2).await, ["250", "354"]);
    assert_eq!(client.codes(&format!("{LETTER}.\r\n"), 1).await, ["250"]);
    assert_eq!(postbox.truth().accepted()[0].forward_paths, ["ken@missions.example"]);

    let postbox = scripted(Phase::EndOfData, Action::Withhold).await;
    let mut client = Client::at_data(&postbox).await;
    assert_eq!(client.codes(&format!("{LETTER}.\r\nNOOP\r\nQUIT\r\n"), 2).await, ["250", "221"]);
    assert!(!postbox.truth().accepted()[0].acknowledged);
}

#[tokio::test]
async fn the_normal_reply_may_be_followed_by_another_or_by_a_close() {
    let extra = scripted(Phase::EndOfData, Action::BehaveThen(Box::new(Action::Reply("250 again".into())))).await;
    let mut client = Client::at_data(&extra).await;
    assert_eq!(client.codes(&format!("{LETTER}.\r\n"), 2).await, ["250", "250"]);
    assert!(extra.truth().accepted()[0].acknowledged);

    let closing = scripted(Phase::EndOfData, Action::BehaveThen(Box::new(Action::Close))).await;
    let mut client = Client::at_data(&closing).await;
    client.send(&format!("{LETTER}.\r\n")).await;
    assert_eq!(client.rest().await.unwrap(), b"250 2.0.0 kept as 1\r\n");
}

#[tokio::test]
async fn in_the_body_the_server_may_close_or_reply_and_close() {
    let closing = scripted(Phase::Body, Action::CloseAfterBody(10)).await;
    let mut client = Client::at_data(&closing).await;
    client.send("123456\r\n").await;
    client.send("more\r\n").await;
    assert!(client.rest().await.map_or_else(|error| reset(&error), |said| said.is_empty()));

    let replying = scripted(Phase::Body, Action::Reply("451 4.3.0 enough".into())).await;
    let mut client = Client::at_data(&replying).await;
    client.send("1234\r\n").await;
    assert_eq!(client.rest().await.unwrap(), b"451 4.3.0 enough\r\n");
    assert_eq!(closing.truth().count() + replying.truth().count(), 0);
}

#[tokio::test]
async fn greylisting_knows_a_recipient_on_another_connection() {
    let script = Script::new(|cue| match (cue.phase, cue.tries) {
        (Phase::Rcpt, 1) => Action::Reply("450 4.7.1 greylisted".into()),
        _ => Action::Behave,
    });
    let postbox = postbox(Options { script, ..Options::default() }).await;
    let mut first = Client::greeted(&postbox).await;
    assert_eq!(first.codes(&format!("{MAIL}{RCPT}"), 2).await, ["250", "450"]);
    let mut second = Client::greeted(&postbox).await;
    assert_eq!(second.codes(&format!("{MAIL}{RCPT}"), 2).await, ["250", "250"]);
    assert_eq!(second.codes("RCPT TO:<fra@missions.example>\r\n", 1).await, ["450"]);
}

/// One address, one session: the codes of RCPT at two tries and what came after the dot.
async fn treatment(postbox: &Postbox, address: &str) -> String {
    let mut client = Client::greeted(postbox).await;
    let rcpt = format!("RCPT TO:<{address}>\r\n");
    let mut seen = client.codes(&format!("{MAIL}{rcpt}{rcpt}"), 3).await.join(" ");
    if seen.ends_with("250") {
        client.codes("DATA\r\n", 1).await;
        client.send(&format!("{LETTER}.\r\nQUIT\r\n")).await;
        seen.push_str(&String::from_utf8(client.rest().await.unwrap()).unwrap().chars().take(3).collect::<String>());
    }
    seen
}

#[tokio::test]
async fn the_same_seed_gives_the_same_rehearsal_whatever_the_order() {
    let shares = Shares { greylisted: 0.2, deferred: 0.2, failed: 0.2, dropped: 0.2 };
    let addresses: Vec<String> = (0..40).map(|number| format!("m{number}@missions.example")).collect();
    let mut runs = Vec::new();
    for backwards in [false, true] {
        let postbox = postbox(Options { script: seeded(11, shares), ..Options::default() }).await;
        let mut order = addresses.clone();
        if backwards {
            order.reverse();
        }
        let mut seen = Vec::new();
        for address in &order {
            seen.push((address.clone(), treatment(&postbox, address).await));
        }
        seen.sort();
        let mut kept: Vec<_> = postbox.truth().accepted().into_iter().map(|letter| letter.forward_paths).collect();
        kept.sort();
        runs.push((seen, kept));
    }
    assert_eq!(runs[0], runs[1]);
    let kinds: std::collections::BTreeSet<&str> = runs[0].0.iter().map(|(_, seen)| seen.as_str()).collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["250 250 250", "250 250 250250", "250 450 250250", "250 452 452", "250 550 550"]
    );
}

#[tokio::test]
async fn letters_are_kept_as_files_of_their_exact_bytes_or_only_counted() {
    let folder = tempfile::tempdir().unwrap();
    for (keep, in_memory) in
        [(Keep::Folder(folder.path().to_owned()), false), (Keep::Nothing, false), (Keep::Bytes, true)]
    {
        let postbox = postbox(Options { keep, ..Options::default() }).await;
        let mut client = Client::at_data(&postbox).await;
        client.ask(&format!("{LETTER}.\r\n")).await;
        let letter = postbox.truth().accepted().remove(0);
        assert_eq!((letter.size, letter.bytes.is_empty()), (LETTER.len(), !in_memory));
        assert_eq!((letter.delivery.as_deref(), letter.message_id.is_some()), (Some("ken"), true));
        if let Some(file) = letter.file {
            assert_eq!(file, folder.path().join("1-ken.eml"));
        }
    }
    assert_eq!(std::fs::read(folder.path().join("1-ken.eml")).unwrap(), LETTER.as_bytes());
}
