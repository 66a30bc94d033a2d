//! The questions themselves.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::{Found, Inbox, LONGEST, MOST_DOMAINS, Presence};

/// One question to one server.
const ONE_QUESTION: Duration = Duration::from_secs(3);
/// Questions under way at a time.
const AT_A_TIME: usize = 16;

enum Answer {
    Inbox(String, Inbox),
    Spf(Presence),
    Dmarc(Presence),
}

pub(super) async fn look(
    domains: &[String],
    sender: Option<&str>,
    server: Option<SocketAddr>,
) -> Result<Found, String> {
    let resolver = Arc::new(resolver(server)?);
    let permits = Arc::new(Semaphore::new(AT_A_TIME));
    let late = || "no answer in time".to_owned();
    let mut found = Found { inboxes: BTreeMap::new(), spf: None, dmarc: None };
    let mut asked: JoinSet<Answer> = JoinSet::new();
    if let Some(sender) = sender.map(str::to_owned) {
        (found.spf, found.dmarc) = (Some(Presence::Unknown(late())), Some(Presence::Unknown(late())));
        let (for_spf, for_dmarc, domain) = (Arc::clone(&resolver), Arc::clone(&resolver), sender.clone());
        asked.spawn(async move { Answer::Spf(text_record(&for_spf, &domain, "v=spf1").await) });
        asked.spawn(async move { Answer::Dmarc(dmarc(&for_dmarc, &sender).await) });
    }
    for domain in domains.iter().take(MOST_DOMAINS) {
        found.inboxes.insert(domain.clone(), Inbox::Unknown(late()));
        let (resolver, permits, domain) = (Arc::clone(&resolver), Arc::clone(&permits), domain.clone());
        asked.spawn(async move {
            let _permit = permits.acquire().await;
            let inbox = inbox(&resolver, &domain).await;
            Answer::Inbox(domain, inbox)
        });
    }
    let deadline = Instant::now() + LONGEST;
    while let Ok(Some(answer)) = timeout_at(deadline, asked.join_next()).await {
        match answer {
            Ok(Answer::Inbox(domain, inbox)) => drop(found.inboxes.insert(domain, inbox)),
            Ok(Answer::Spf(spf)) => found.spf = Some(spf),
            Ok(Answer::Dmarc(dmarc)) => found.dmarc = Some(dmarc),
            Err(_) => {}
        }
    }
    Ok(found)
}

fn resolver(server: Option<SocketAddr>) -> Result<TokioResolver, String> {
    let mut builder = match server {
        Some(server) => {
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                connection.port = server.port();
                connection
            });
            let server = NameServerConfig::new(server.ip(), true, connections.to_vec());
            let config = ResolverConfig::from_name_servers(vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
        None => TokioResolver::builder_tokio().map_err(|error| error.to_string())?,
    };
    builder.options_mut().timeout = ONE_QUESTION;
    builder.options_mut().attempts = 1;
    builder.build().map_err(|error| error.to_string())
}

/// A domain of its own, whatever the machine's search list says.
fn absolute(domain: &str) -> String {
    format!("{}.", domain.trim_end_matches('.'))
}

async fn inbox(resolver: &TokioResolver, domain: &str) -> Inbox {
    match resolver.mx_lookup(absolute(domain)).await {
        Ok(answer) => {
            let mut servers = answer.answers().iter().filter_map(|record| match &record.data {
                RData::MX(mx) => Some(mx.exchange.is_root()),
                _ => None,
            });
            match servers.next() {
                // A null MX stands alone; beside others it means nothing.
                Some(true) if servers.next().is_none() => Inbox::TakesNone,
                Some(_) => Inbox::Takes,
                None => address(resolver, domain).await,
            }
        }
        Err(error) if error.is_nx_domain() => Inbox::Missing,
        Err(error) if error.is_no_records_found() => address(resolver, domain).await,
        Err(error) => Inbox::Unknown(error.to_string()),
    }
}

/// A domain without MX takes mail at its own address, if it has one (RFC 5321 §5.1).
async fn address(resolver: &TokioResolver, domain: &str) -> Inbox {
    match resolver.lookup_ip(absolute(domain)).await {
        Ok(addresses) if addresses.iter().next().is_some() => Inbox::Takes,
        Ok(_) => Inbox::NoServer,
        Err(error) if error.is_no_records_found() => Inbox::NoServer,
        Err(error) => Inbox::Unknown(error.to_string()),
    }
}

/// A text record that begins so; one may be cut into several strings.
async fn text_record(resolver: &TokioResolver, name: &str, start: &str) -> Presence {
    let absent = |error: &NetError| error.is_no_records_found();
    match resolver.txt_lookup(absolute(name)).await {
        Ok(answer) => {
            let found = answer.answers().iter().any(|record| match &record.data {
                RData::TXT(txt) => txt.txt_data.concat().to_ascii_lowercase().starts_with(start.as_bytes()),
                _ => false,
            });
            if found { Presence::There } else { Presence::Absent }
        }
        Err(error) if absent(&error) => Presence::Absent,
        Err(error) => Presence::Unknown(error.to_string()),
    }
}

/// The policy of the domain itself, else of one above it: the organization's speaks for all below (RFC 7489 §6.6.3). Which
/// one that is would take the list of public suffixes; whoever owns one of them owns the domain.
async fn dmarc(resolver: &TokioResolver, domain: &str) -> Presence {
    let mut rest = domain;
    loop {
        match text_record(resolver, &format!("_dmarc.{rest}"), "v=dmarc1").await {
            Presence::Absent => {}
            found => return found,
        }
        match rest.split_once('.') {
            Some((_, above)) if above.contains('.') => rest = above,
            _ => return Presence::Absent,
        }
    }
}
