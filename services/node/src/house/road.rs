//! What a node stands on outside itself: Postgres, the local broker, and at a backbone the hub. Given by address, or
//! started here and ended with the node.

use chassis::broker::{self, BrokerError};
use chassis::config::Config;
use chassis::database::{self, without_password};
use chassis::embedded::{Nats, NatsConfig, NatsOptions, Postgres};
use federation::links::HubSide;
use tokio::task::AbortHandle;

use super::hub;
use crate::error::NodeError;
use crate::ground::{self, DATABASE};

/// The addresses, and the processes behind them that are this node's own.
pub struct Road {
    /// Address of the database.
    pub database: String,
    /// Connection to the local broker.
    pub client: async_nats::Client,
    /// The hub, where this node runs one.
    pub hub: Option<HubSide>,
    postgres: Option<Postgres>,
    broker: Option<Nats>,
    hub_server: Option<Nats>,
    renewing: Option<AbortHandle>,
}

impl Road {
    /// Finds or starts everything.
    ///
    /// # Errors
    /// What cannot be found or started.
    pub async fn open(config: &Config) -> Result<Self, NodeError> {
        let runs_hub = config.hub.enabled && config.node.runs(federation::NAME);
        if runs_hub {
            hub::look(config)?;
        }
        if let Some(url) = &config.database.url {
            database::answers(url.reveal()).await.map_err(NodeError::DatabaseUrl)?;
        }
        if let Some(url) = &config.broker.url {
            answers(url.reveal()).await?;
        }
        let data_dir = &config.node.data_dir;
        let (database, postgres) = match &config.database.url {
            Some(url) => (url.reveal().to_owned(), None),
            None => {
                let postgres = Postgres::start(ground::postgres(data_dir)).await?;
                postgres.create_database(DATABASE).await?;
                (postgres.url(DATABASE), Some(postgres))
            }
        };
        let (broker_url, broker) = match &config.broker.url {
            Some(url) => (url.reveal().to_owned(), None),
            None => {
                let options = NatsOptions { dir: data_dir.join("broker"), config: NatsConfig::Local { port: None } };
                let broker = Nats::start(options).await?;
                (broker.url().to_owned(), Some(broker))
            }
        };
        let client = broker::connect(&broker_url).await.map_err(|error| unusable(&broker_url, &error))?;
        let (hub_side, hub_server) = match runs_hub {
            true => {
                let (side, server) = hub::open(config).await?;
                (Some(side), server)
            }
            false => (None, None),
        };
        let renewing = hub_side.clone().map(|side| tokio::spawn(hub::renew(side, config.clone())).abort_handle());
        Ok(Self { database, client, hub: hub_side, postgres, broker, hub_server, renewing })
    }

    /// Ends what was started here, the database last.
    pub async fn close(self) {
        let Self { client, postgres, broker, hub_server, renewing, .. } = self;
        if let Some(renewing) = renewing {
            renewing.abort();
        }
        // What is still to be sent is in Postgres.
        let _ = client.drain().await;
        for (what, nats) in [("hub", hub_server), ("broker", broker)] {
            if let Some(nats) = nats
                && let Err(error) = nats.stop().await
            {
                tracing::warn!(what, %error, "did not stop by itself");
            }
        }
        if let Some(postgres) = postgres
            && let Err(error) = postgres.stop().await
        {
            tracing::warn!(what = "postgres", %error, "did not stop by itself");
        }
    }
}

/// A broker that is away only costs time; one that will not do as it is, never works.
async fn answers(url: &str) -> Result<(), NodeError> {
    match broker::look(url).await {
        Ok(_) => Ok(()),
        Err(BrokerError::Away(reason)) => {
            let address = without_password(url);
            tracing::warn!(
                %address,
                reason,
                "the broker that broker.url (COMMONWEAL_BROKER__URL) names does not answer: events wait in Postgres, and \
                 it is tried again until it does"
            );
            Ok(())
        }
        Err(error) => Err(unusable(url, &error)),
    }
}

fn unusable(url: &str, reason: &impl ToString) -> NodeError {
    NodeError::Broker { address: without_password(url), reason: reason.to_string() }
}
