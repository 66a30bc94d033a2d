//! From the connection to the login.

use super::*;
use crate::domain::outcome::Trouble;

const AUTH_PLAIN: &str = "250-mx.example\r\n250 AUTH=PLAIN LOGIN\r\n";
const AUTH_LOGIN: &str = "250-mx.example\r\n250 AUTH XOAUTH2 LOGIN\r\n";
/// `\0us@here.example\0hunter2`, `us@here.example` and `hunter2` in base64.
const PLAIN_RESPONSE: &str = "AHVzQGhlcmUuZXhhbXBsZQBodW50ZXIy";
const NAME: &str = "dXNAaGVyZS5leGFtcGxl";
const PASSWORD: &str = "aHVudGVyMg==";

type Expected = fn(&Trouble) -> bool;

async fn open_with(server: Server, relay: Relay) -> (Result<Session, Fault>, Arc<Mutex<Seen>>) {
    let (wire, seen) = server.start();
    let connector = Connector::new(relay).expect("settings");
    (connector.begin(Box::new(wire)).await, seen)
}

fn relay_with_login() -> Relay {
    Relay { login: Some(login()), ..relay(Security::None) }
}

#[tokio::test]
async fn plain_comes_in_one_step_and_login_in_three() {
    let (session, seen) = open_with(Server::new(AUTH_PLAIN), relay_with_login()).await;
    session.expect("a session");
    assert_eq!(seen.lock().expect("lock").commands[1], format!("AUTH PLAIN {PLAIN_RESPONSE}"));

    let server = Server::new(AUTH_LOGIN)
        .with(Phase::Auth, Act::Say("334 VXNlcm5hbWU6\r\n"))
        .with_nth(Phase::Connect, 0, Act::Say("334 UGFzc3dvcmQ6\r\n"))
        .with_nth(Phase::Connect, 1, Act::Say("235 ok\r\n"));
    let (session, seen) = open_with(server, relay_with_login()).await;
    session.expect("a session");
    assert_eq!(seen.lock().expect("lock").commands[1..], ["AUTH LOGIN", NAME, PASSWORD]);
}

#[tokio::test(start_paused = true)]
async fn every_failure_of_the_login_is_one_of_auth() {
    let cases: [(Act, Expected); 6] = [
        (Act::Say("535 5.7.8 wrong\r\n"), |t| matches!(t, Trouble::Refused(_))),
        (Act::Say("454 4.7.0 later\r\n"), |t| matches!(t, Trouble::Refused(_))),
        (Act::Say("250 ok\r\n"), |t| matches!(t, Trouble::Unexpected(_))),
        (Act::Drop, |t| matches!(t, Trouble::Closed)),
        (Act::Say("so what\r\n"), |t| matches!(t, Trouble::Garbled(_))),
        (Act::Hang, |t| matches!(t, Trouble::TimedOut(_))),
    ];
    for (act, is_expected) in cases {
        let (session, _) = open_with(Server::new(AUTH_PLAIN).with(Phase::Auth, act), relay_with_login()).await;
        let fault = session.expect_err("a fault");
        assert!(fault.phase == Phase::Auth && is_expected(&fault.trouble), "{act:?}: {fault:?}");
    }
    for ehlo in [LOCK_STEP, "250-mx\r\n250 AUTH GSSAPI\r\n"] {
        let (session, _) = open_with(Server::new(ehlo), relay_with_login()).await;
        let fault = session.expect_err("a fault");
        assert!(fault.phase == Phase::Auth && matches!(fault.trouble, Trouble::NotOffered(_)), "{fault:?}");
    }
}

#[tokio::test]
async fn a_password_that_cannot_be_had_stops_before_anything_is_sent() {
    let missing = PasswordSource::Command(vec!["/nonexistent/pass".into(), "hunter2".into()]);
    let login = Login { username: "us@here.example".into(), password: missing };
    let connector = Connector::new(Relay { login: Some(login), ..relay(Security::None) }).expect("settings");
    let fault = connector.open().await.expect_err("a fault");
    assert!(matches!(&fault.trouble, Trouble::Credentials(why) if !why.contains("hunter2")), "{fault:?}");
    assert_eq!(fault.phase, Phase::Auth);
}

#[tokio::test]
async fn helo_is_the_way_back_only_for_a_server_that_does_not_know_ehlo() {
    let (session, seen) = open(Server::new("250 old\r\n").with(Phase::Ehlo, Act::Say("502 what\r\n"))).await;
    assert_eq!(*session.expect("a session").capabilities(), crate::smtp::Capabilities::default());
    assert_eq!(seen.lock().expect("lock").commands, ["EHLO client.example", "HELO client.example"]);
    let server = Server::new("250 old\r\n").with(Phase::Ehlo, Act::Say("502 what\r\n"));
    let (session, seen) = open_with(server, relay_with_login()).await;
    assert_eq!(session.expect_err("a login needs EHLO").phase, Phase::Ehlo);
    assert_eq!(seen.lock().expect("lock").commands, ["EHLO client.example"]);
}

#[tokio::test]
async fn what_is_not_this_machine_gets_nothing_in_clear() {
    for host in ["mx.example", "192.0.2.1", "[2001:db8::1]"] {
        let connector = Connector::new(Relay { host: host.into(), ..relay_with_login() }).expect("settings");
        let fault = connector.open().await.expect_err("a fault");
        assert!(matches!(fault, Fault { phase: Phase::Connect, trouble: Trouble::NotOffered(_) }), "{fault:?}");
    }
}

const STARTTLS: &str = "250-mx.example\r\n250 STARTTLS\r\n";

async fn open_starttls(server: Server) -> (Fault, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let ca_file = folder.path().join("ca.pem");
    let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&ca_file, authority.cert.pem()).expect("written");
    let relay = Relay { ca_file: Some(ca_file), login: Some(login()), ..relay(Security::StartTls) };
    let (session, seen) = open_with(server, relay).await;
    let commands = seen.lock().expect("lock").commands.clone();
    (session.expect_err("a fault"), commands)
}

#[tokio::test]
async fn plain_text_injected_at_starttls_is_never_believed() {
    for injected in ["220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n", "220 go\r\n2", "220 go\r\n\r\n"] {
        let (fault, _) = open_starttls(Server::new(STARTTLS).with(Phase::StartTls, Act::Say(injected))).await;
        assert_eq!(fault, Fault::new(Phase::StartTls, Trouble::Injected), "{injected:?}");
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_said_in_clear() {
    let (fault, commands) = open_starttls(Server::new(AUTH_PLAIN)).await;
    assert!(matches!(fault, Fault { phase: Phase::StartTls, trouble: Trouble::NotOffered(_) }), "{fault:?}");
    assert_eq!(commands, ["EHLO client.example"]);
    let (fault, commands) = open_starttls(Server::new(STARTTLS).with(Phase::StartTls, Act::Say("454 later\r\n"))).await;
    assert!(matches!(fault, Fault { phase: Phase::StartTls, trouble: Trouble::Refused(_) }), "{fault:?}");
    assert_eq!(commands, ["EHLO client.example", "STARTTLS"]);
}

#[tokio::test(start_paused = true)]
async fn faults_at_starttls_are_named_so() {
    let cases: [(Act, Expected); 4] = [
        (Act::Drop, |t| matches!(t, Trouble::Closed)),
        (Act::Hang, |t| matches!(t, Trouble::TimedOut(_))),
        (Act::Say("what\r\n"), |t| matches!(t, Trouble::Garbled(_))),
        (Act::Say("250 ok\r\n"), |t| matches!(t, Trouble::Unexpected(_))),
    ];
    for (act, is_expected) in cases {
        let (fault, _) = open_starttls(Server::new(STARTTLS).with(Phase::StartTls, act)).await;
        assert!(fault.phase == Phase::StartTls && is_expected(&fault.trouble), "{act:?}: {fault:?}");
    }
}
