//! A client that does not keep to the rules, to see that the hub does.

use async_nats::{Client, Event, ServerError};
use federation::hub::HubReach;
use nkeys::KeyPair;
use std::sync::Arc;
use tokio::sync::mpsc;

use super::server::soon;

/// TLS that believes the hub's own authority.
pub fn trusting(reach: &HubReach) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(reach.ca_der.clone().into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

pub struct Raw {
    pub client: Client,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Raw {
    pub async fn connect(
        reach: &HubReach,
        token: &str,
        seed: &str,
        inbox: &str,
    ) -> Result<Self, async_nats::ConnectError> {
        let (told, events) = mpsc::unbounded_channel();
        let key = Arc::new(KeyPair::from_seed(seed).unwrap());
        let client = async_nats::ConnectOptions::new()
            .jwt(token.to_owned(), move |nonce| {
                let key = key.clone();
                async move { key.sign(&nonce).map_err(async_nats::AuthError::new) }
            })
            .custom_inbox_prefix(inbox)
            .tls_client_config(trusting(reach))
            .event_callback(move |event| {
                let told = told.clone();
                async move { drop(told.send(event)) }
            })
            .connect(reach.address.as_str())
            .await?;
        Ok(Self { client, events })
    }

    /// Asserts that the hub answers a publish with a violation.
    pub async fn may_not_publish(&mut self, subject: &str) {
        self.client.publish(subject.to_owned(), "{}".into()).await.unwrap();
        self.is_denied("Publish", subject).await;
    }

    /// Asserts that the hub answers a subscription with a violation.
    pub async fn may_not_subscribe(&mut self, subject: &str) {
        let _heard = self.client.subscribe(subject.to_owned()).await.unwrap();
        self.is_denied("Subscription", subject).await;
    }

    /// Waits until the hub ends the connection.
    pub async fn is_thrown_out(&mut self) {
        soon(async { while self.events.recv().await.unwrap() != Event::Disconnected {} }).await;
    }

    async fn is_denied(&mut self, what: &str, subject: &str) {
        let wanted = format!("Permissions Violation for {what} to \"{subject}\"").to_lowercase();
        soon(async {
            loop {
                if let Event::ServerError(ServerError::Other(text)) = self.events.recv().await.unwrap() {
                    assert_eq!(text.to_lowercase(), wanted);
                    return;
                }
            }
        })
        .await;
    }
}
