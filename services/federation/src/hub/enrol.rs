//! The enrolment desk: where the holder of an invitation asks, and the backbone answers.
//!
//! What is asked and answered are bytes to this module. An invitation's credentials reach the
//! desk and nothing else, and stop working when they expire.

use std::time::Duration;

use async_nats::{Client, Subject, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use nkeys::KeyPair;
use time::OffsetDateTime;
use tokio::sync::watch;

use super::claims::{self, BACKBONE_INBOX, enrolment_inbox, enrolment_subject};
use super::credentials::{EnrolmentCredentials, HubReach};
use super::dial::Dialler;
use super::error::HubError;
use super::keys::HubKeys;
use super::line::{Line, Login, OWNER, PARTNER};
use super::road::Road;

const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// The backbone's side of the desk.
pub struct EnrolmentDesk {
    requests: Subscriber,
    line: Line,
}

impl EnrolmentDesk {
    /// Sits down at the desk. Needs [`super::HubAdmin::open_enrolment`] once before, and again
    /// after the hub lost its disk ([`Road::Refused`] says so); it then recovers by itself.
    pub async fn open(reach: &HubReach, keys: &HubKeys, now: OffsetDateTime) -> Result<Self, HubError> {
        let user = KeyPair::new_user();
        let account = keys.enrolment_account()?;
        let token = claims::backbone_user(&account, &user.public_key(), now)?;
        let seed = user.seed()?;
        let login = Login { reach, token, seed: &seed, inbox: BACKBONE_INBOX, name: "desk", longest: OWNER };
        let line = login.start().await?;
        let requests =
            line.client.subscribe(enrolment_subject("*")).await.map_err(|error| broken(&reach.address, &error))?;
        Ok(Self { requests, line })
    }

    /// The next request. `None` when the connection is closed for good.
    pub async fn next(&mut self) -> Option<Knock> {
        loop {
            let message = self.requests.next().await?;
            let invitation = message.subject.strip_prefix("enrol.").unwrap_or_default().to_owned();
            // Answers go to the asker's own inbox only, or one could make the backbone speak to
            // another's.
            let inbox = format!("{}.", enrolment_inbox(&invitation));
            match message.reply.filter(|reply| reply.starts_with(&inbox)) {
                Some(reply) => {
                    let client = self.line.client.clone();
                    return Some(Knock { invitation, bytes: message.payload, reply, client });
                }
                None => tracing::warn!(invitation.id = %invitation, "enrolment without an inbox"),
            }
        }
    }

    /// To be used once the hub was told of the desk.
    pub fn dialler(&self) -> Dialler {
        self.line.dialler()
    }

    /// How the connection stands, now and later.
    pub fn road(&self) -> watch::Receiver<Road> {
        self.line.road.clone()
    }
}

/// One knock at the door.
#[derive(Debug)]
pub struct Knock {
    /// Which invitation's credentials were used; the hub vouches for it.
    pub invitation: String,
    /// What was asked.
    pub bytes: Bytes,
    reply: Subject,
    client: Client,
}

impl Knock {
    /// Answers. The asker may have gone; it then asks again, so answer the same again.
    pub async fn answer(self, bytes: Bytes) -> Result<(), HubError> {
        let broken = |error: &dyn std::fmt::Display| HubError::Unanswered(error.to_string());
        self.client.publish(self.reply, bytes).await.map_err(|error| broken(&error))?;
        // Out of this process before the desk may be closed behind it.
        let flushed = tokio::time::timeout(FLUSH_TIMEOUT, self.client.flush()).await;
        flushed.map_err(|error| broken(&error))?.map_err(|error| broken(&error))
    }
}

/// Knocks with an invitation's credentials and waits for the answer, at most `patience`.
pub async fn enrol(
    reach: &HubReach,
    credentials: &EnrolmentCredentials,
    bytes: Bytes,
    patience: Duration,
) -> Result<Bytes, HubError> {
    let inbox = enrolment_inbox(&credentials.invitation);
    let login = Login {
        reach,
        token: credentials.user_token.clone(),
        seed: &credentials.user_seed,
        inbox: &inbox,
        name: "invited",
        longest: PARTNER,
    };
    let line = login.now().await?;
    let request = async_nats::Request::new().payload(bytes).timeout(Some(patience));
    let answer = line
        .client
        .send_request(enrolment_subject(&credentials.invitation), request)
        .await
        .map_err(|error| HubError::Unanswered(error.to_string()))?;
    Ok(answer.payload)
}

fn broken(address: &super::HubAddress, error: &dyn std::fmt::Display) -> HubError {
    HubError::Unreachable { address: address.to_string(), reason: error.to_string() }
}
