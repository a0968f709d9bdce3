//! What roads do to messages, and TCP never shows: they are dropped, repeated, turned around and delayed. Somebody with
//! the hub's own rights does it to those that lie in a node's mailbox, in either direction.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{self, stream::Stream};
use async_nats::{AuthError, Client, ConnectOptions};
use bytes::Bytes;
use chassis::clock;
use federation::hub::{HubReach, MailboxKeys, claims, new_user_seed};
use nkeys::KeyPair;
use node::error::NodeError;
use rustls::{ClientConfig, RootCertStore};
use sqlx::{Connection, PgConnection};
use tokio::time::{sleep, timeout};

use super::dice::Dice;
use super::field::Field;
use super::wrong;

/// Messages are gone within milliseconds where all is well.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const CONNECTS_WITHIN: Duration = Duration::from_secs(5);
/// So many messages are touched at once.
const AT_ONCE: usize = 8;

/// What is done to messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meddling {
    /// They are taken away.
    Drop,
    /// They come twice.
    Repeat,
    /// They come in the opposite order.
    TurnAround,
    /// They come a second later.
    Delay,
}

impl Meddling {
    /// All of it.
    pub const ALL: [Meddling; 4] = [Self::Drop, Self::Repeat, Self::TurnAround, Self::Delay];
}

/// Meddles with the messages between a partner and the backbone for a while, if the hub lets anybody in.
pub async fn meddle(
    field: &Field,
    at: usize,
    meddling: Meddling,
    lasts: impl Future<Output = ()>,
) -> Result<(), NodeError> {
    let mut touched = 0;
    let working = async {
        match timeout(CONNECTS_WITHIN, enter(field, at)).await {
            Ok(Ok(client)) => {
                let failed = work(&client, meddling, &mut touched).await;
                failed.map_or_else(|error| error.to_string(), |never| match never {})
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "not let in in time".to_owned(),
        }
    };
    tokio::pin!(lasts);
    let ended = tokio::select! {
        () = &mut lasts => None,
        said = working => Some(said),
    };
    if let Some(said) = ended {
        field.log.note(&format!("{meddling:?} broke off: {said}"));
        lasts.await;
    }
    field.log.note(&format!("{meddling:?} touched {touched} messages"));
    Ok(())
}

async fn work(client: &Client, meddling: Meddling, touched: &mut usize) -> Result<std::convert::Infallible, NodeError> {
    let context = jetstream::new(client.clone());
    let mut dice = Dice::of(0, 5);
    loop {
        for (name, subject) in [("UP", "up.frame"), ("DOWN", "down.frame")] {
            let mut stream = context.get_stream(name).await.map_err(wrong)?;
            let messages = lying(&mut stream).await?;
            *touched += messages.len();
            touch(&stream, client, subject, messages, (meddling, &mut dice)).await?;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// The newest messages that lie in a box, with their numbers.
async fn lying(stream: &mut Stream) -> Result<Vec<(u64, Bytes)>, NodeError> {
    let state = stream.info().await.map_err(wrong)?.state.clone();
    let mut lying = Vec::new();
    let numbers = state.first_sequence..=state.last_sequence;
    for number in numbers.rev().take(if state.messages == 0 { 0 } else { AT_ONCE }) {
        // It may have been fetched meanwhile.
        if let Ok(message) = stream.get_raw_message(number).await {
            lying.push((number, message.payload));
        }
    }
    lying.reverse();
    Ok(lying)
}

async fn touch(
    stream: &Stream,
    client: &Client,
    subject: &'static str,
    mut messages: Vec<(u64, Bytes)>,
    (meddling, dice): (Meddling, &mut Dice),
) -> Result<(), NodeError> {
    match meddling {
        Meddling::Drop => messages.retain(|_| dice.below(2) == 0),
        Meddling::TurnAround => messages.reverse(),
        Meddling::Repeat | Meddling::Delay => {}
    }
    if meddling != Meddling::Repeat {
        for (number, _) in &messages {
            // What was fetched and acknowledged meanwhile is not there any more.
            let _ = stream.delete_message(*number).await;
        }
    }
    if meddling == Meddling::Delay && !messages.is_empty() {
        sleep(Duration::from_secs(1)).await;
    }
    if meddling != Meddling::Drop {
        for (_, payload) in messages {
            client.publish(subject, payload).await.map_err(wrong)?;
        }
        client.flush().await.map_err(wrong)?;
    }
    Ok(())
}

/// Enters the mailbox of a partner with the backbone's rights, past every proxy.
async fn enter(field: &Field, at: usize) -> Result<Client, NodeError> {
    let (url, partner) = {
        let backbone = field.place(0)?.node.read().await;
        (backbone.database().to_owned(), field.place(at)?.node.read().await.id.clone())
    };
    let mut connection = PgConnection::connect(&url).await.map_err(wrong)?;
    let kept: serde_json::Value = sqlx::query_scalar("select mailbox from federation.links where node = $1")
        .bind(partner.as_str())
        .fetch_one(&mut connection)
        .await
        .map_err(wrong)?;
    connection.close().await.map_err(wrong)?;
    let keys: MailboxKeys = serde_json::from_value(kept).map_err(wrong)?;
    let account = KeyPair::from_seed(&keys.account_seed).map_err(wrong)?;
    let (seed, user) = new_user_seed()?;
    let token = claims::backbone_user(&account, &user, clock::now())?;
    let key = Arc::new(KeyPair::from_seed(&seed).map_err(wrong)?);
    let options = ConnectOptions::new()
        .jwt(token, move |nonce| {
            let key = key.clone();
            async move { key.sign(&nonce).map_err(AuthError::new) }
        })
        .name("meddler")
        .ignore_discovered_servers()
        .tls_client_config(trusting(&field.cheat.credentials().hub)?);
    options.connect(format!("tls://{}", field.listen)).await.map_err(wrong)
}

fn trusting(hub: &HubReach) -> Result<ClientConfig, NodeError> {
    let mut roots = RootCertStore::empty();
    roots.add(hub.ca_der.clone().into()).map_err(wrong)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(wrong)?.with_root_certificates(roots).with_no_client_auth())
}
