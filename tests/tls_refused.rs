//! A way to the relay that cannot be trusted is refused before anything is said over it, and the person reads what to do.

mod support;

use std::sync::Arc;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Options, Script, Security};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use support::campaign::{Campaign, Run};
use support::server::Server;

const USER: &str = "letters@coalition.example";
const PASSWORD: &str = "canary-3xQ8-tls";

/// An authority that the campaign trusts.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority"))
    }

    fn issue(&self, host: &str, adjust: impl FnOnce(&mut CertificateParams)) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![host.to_owned()]).expect("parameters");
        adjust(&mut params);
        let certificate = params.signed_by(&key, &self.0).expect("signed");
        server(certificate.der().clone(), &key)
    }
}

fn self_signed() -> Arc<ServerConfig> {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    server(params.self_signed(&key).expect("signed").der().clone(), &key)
}

fn server(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a server");
    Arc::new(config)
}

/// Three letters, by this security, to a server that asks for a login; the server has to be refused.
fn refused(security: &str, options: Options, authority: &Authority, words: &[&str]) {
    let login = Some((USER.to_owned(), PASSWORD.to_owned()));
    let server = Server::with(Options { login, ..options });
    let campaign = Campaign::small(server.port(), 3)
        .file("ca.pem", authority.0.pem())
        .set("smtp.security", &format!("{security:?}"))
        .set("smtp.ca_file", "\"ca.pem\"")
        .set("smtp.username", &format!("{USER:?}"))
        .set("smtp.password", "{ env = \"PASSWORD\" }")
        .set("retry.first", "\"10ms\"")
        .env("PASSWORD", PASSWORD);
    for command in [&["check", "--online"][..], &["send", "--yes"], &["test", "--to", "me@coalition.example"]] {
        let run: Run = campaign.run(command).expect_code(69);
        for words in words {
            assert!(run.stderr.contains(words), "{command:?}: “{words}” is not in\n{}", run.stderr);
        }
    }
    assert!(server.letters().is_empty());
    // Nothing was said that a listener could use.
    let spoken: Vec<_> = (1..=server.connections()).flat_map(|connection| server.transcript(connection)).collect();
    assert!(!spoken.iter().any(|line| ["AUTH", "MAIL"].iter().any(|verb| line.starts_with(verb))), "{spoken:?}");
    let counts = campaign.run(&["status", "--json"]).json()["counts"].clone();
    assert_eq!(counts["queued"], 3, "no mission is blamed: {counts}");
}

/// A certificate that is not to be believed, on both ways to TLS.
fn not_believed(certificate: &Arc<ServerConfig>, authority: &Authority, words: &[&str]) {
    for (name, security) in
        [("tls", Security::Tls(Arc::clone(certificate))), ("starttls", Security::StartTls(Arc::clone(certificate)))]
    {
        let words = [&["the server's certificate was not accepted"], words].concat();
        refused(name, Options { security, ..Options::default() }, authority, &words);
    }
}

#[test]
fn a_certificate_for_another_host_is_refused_with_both_names() {
    let authority = Authority::new("Ours");
    let certificate = authority.issue("mx.elsewhere.example", |_| {});
    let words = "it is not for 127.0.0.1 but for mx.elsewhere.example; check the relay's host";
    not_believed(&certificate, &authority, &[words]);
}

#[test]
fn a_certificate_outside_its_time_is_refused_with_who_can_mend_it() {
    let authority = Authority::new("Ours");
    let expired = authority.issue("127.0.0.1", |params| params.not_after = date_time_ymd(2001, 1, 1));
    not_believed(&expired, &authority, &["it has expired; the server's operator must renew it"]);
    let early = authority.issue("127.0.0.1", |params| params.not_before = date_time_ymd(4000, 1, 1));
    not_believed(&early, &authority, &["it is not valid yet; this computer's clock may be wrong"]);
}

#[test]
fn a_certificate_that_nobody_trusted_issued_is_refused_with_where_to_name_an_authority() {
    let authority = Authority::new("Ours");
    let words = ["its issuer is unknown (or it is self-signed)", "name its PEM file in ca_file"];
    not_believed(&Authority::new("Another").issue("127.0.0.1", |_| {}), &authority, &words);
    not_believed(&self_signed(), &authority, &words);
    // Of the name that we trust, and not of its key.
    let words = ["that one's key did not sign it", "put its new certificate into ca_file"];
    not_believed(&Authority::new("Ours").issue("127.0.0.1", |_| {}), &authority, &words);
}

#[test]
fn starttls_that_is_stripped_is_refused_and_nothing_goes_in_clear() {
    let words = ["does not offer STARTTLS, and nothing is sent in clear", "try security = \"tls\" with port 465"];
    refused("starttls", Options::default(), &Authority::new("Ours"), &words);
}

#[test]
fn starttls_that_is_offered_and_refused_is_not_done_without() {
    let authority = Authority::new("Ours");
    for said in ["454 4.7.0 TLS not available", "502 5.5.1 no such command", "250 2.0.0 no need"] {
        let reply = Action::Reply(said.to_owned());
        let script = Script::new(move |cue| if cue.phase == Phase::StartTls { reply.clone() } else { Action::Behave });
        let security = Security::StartTls(authority.issue("127.0.0.1", |_| {}));
        let words = [said, "nothing is sent in clear: ask who runs the server", "security = \"tls\" with port 465"];
        refused("starttls", Options { security, script, ..Options::default() }, &authority, &words);
    }
}

#[test]
fn plain_text_injected_before_the_handshake_is_refused_with_who_may_have_done_it() {
    let authority = Authority::new("Ours");
    let injected = Action::InjectThenTls(b"250-mx\r\n250 AUTH PLAIN\r\n235 welcome\r\n".to_vec());
    let script = Script::new(move |cue| if cue.phase == Phase::StartTls { injected.clone() } else { Action::Behave });
    let security = Security::StartTls(authority.issue("127.0.0.1", |_| {}));
    let words =
        ["plain text was injected before the TLS handshake", "somebody may stand between", "try another network"];
    refused("starttls", Options { security, script, ..Options::default() }, &authority, &words);
}
