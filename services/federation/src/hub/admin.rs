//! Administering the hub while it runs: accounts, mailboxes, the enrolment desk, its certificate.
//!
//! Everything here may be repeated, and repeating it after the hub lost its disk restores it.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::context::DeleteStreamErrorKind;
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, ErrorCode};
use bytes::Bytes;
use nkeys::KeyPair;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::watch;

use super::claims::{self, ADMIN_INBOX, BACKBONE_INBOX, MailboxAccount};
use super::credentials::HubReach;
use super::error::HubError;
use super::keys::{HubKeys, MailboxKeys};
use super::line::{Line, Login, OWNER};
use super::mailbox::{DOWN, UP};
use super::outlet::MAX_MESSAGE_BYTES;
use super::road::Road;

/// A message not acknowledged for this long comes again.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// A box keeps a message no longer, whether it was fetched or not: what its receiver misses then is asked for again, and
/// the words of an event that was erased are not on the hub for longer.
const KEPT_FOR: Duration = Duration::from_secs(3600);
/// Messages handed out and not acknowledged.
const MAX_UNDER_WAY: i64 = 512;

/// Account limits are checked before the oldest message of a full `DOWN` is dropped, so both
/// boxes full need more room than their sum.
const SLACK_BYTES: i64 = 4 * 1024 * 1024;
/// Disk that another mailbox gave back is free a moment after the server said so.
const ROOM_ATTEMPTS: u32 = 10;
const ROOM_PAUSE: Duration = Duration::from_millis(100);

/// How much a mailbox may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxSize {
    /// Bytes in each of the two streams.
    pub stream_bytes: i64,
}

impl MailboxSize {
    /// Disk the hub reserves for one mailbox; the sum over all is what its `max_disk_bytes` must
    /// hold.
    pub fn disk_bytes(self) -> i64 {
        self.stream_bytes.saturating_mul(2).saturating_add(SLACK_BYTES)
    }
}

impl Default for MailboxSize {
    /// 128 MiB of disk in all.
    fn default() -> Self {
        Self { stream_bytes: 62 * 1024 * 1024 }
    }
}

/// The connection through which the hub is told what to believe.
pub struct HubAdmin {
    line: Line,
    reach: HubReach,
    operator: KeyPair,
    enrolment_account: String,
}

impl HubAdmin {
    /// Connects now, or fails with the reason; afterwards it stays connected by itself.
    pub async fn connect(reach: &HubReach, keys: &HubKeys) -> Result<Self, HubError> {
        let (token, seed) = keys.admin_user()?;
        let login = Login { reach, token, seed: &seed, inbox: ADMIN_INBOX, name: "admin", longest: OWNER };
        Ok(Self {
            line: login.now().await?,
            reach: reach.clone(),
            operator: keys.operator()?,
            enrolment_account: keys.enrolment_account()?.public_key(),
        })
    }

    /// How the connection stands, now and later.
    pub fn road(&self) -> watch::Receiver<Road> {
        self.line.road.clone()
    }

    /// Makes the account where invited parties knock; then open an [`super::EnrolmentDesk`].
    pub async fn open_enrolment(&self, now: OffsetDateTime) -> Result<(), HubError> {
        let account = &self.enrolment_account;
        let token = claims::enrolment_account(&self.operator, account, now)?;
        self.push_account(account, token).await
    }

    /// Makes the mailbox, or whatever of it is missing.
    pub async fn open_mailbox(
        &self,
        keys: &MailboxKeys,
        size: MailboxSize,
        now: OffsetDateTime,
    ) -> Result<(), HubError> {
        let inside = self.get_room(keys, size.disk_bytes(), now).await?;
        let jetstream = jetstream::new(inside.client.clone());
        for (config, consumer) in [
            (stream_config(UP.0, "up.>", DiscardPolicy::New, size), UP.1),
            (stream_config(DOWN.0, "down.>", DiscardPolicy::Old, size), DOWN.1),
        ] {
            make_stream(&jetstream, config, consumer).await?;
        }
        Ok(())
    }

    /// Shuts the node out: its open connection ends at once and it cannot come back. What it
    /// sent before still lies in `UP`, and the backbone's own connection stays.
    pub async fn revoke(&self, keys: &MailboxKeys, size: MailboxSize, now: OffsetDateTime) -> Result<(), HubError> {
        self.push_mailbox(keys, None, size.disk_bytes(), now).await
    }

    /// Shuts the node out, deletes both streams with all they hold, and gives the disk back. The
    /// account itself stays as an empty shell: deleting it would keep its disk reserved.
    pub async fn close_mailbox(
        &self,
        keys: &MailboxKeys,
        size: MailboxSize,
        now: OffsetDateTime,
    ) -> Result<(), HubError> {
        self.revoke(keys, size, now).await?;
        let inside = self.step_inside(keys, now).await?;
        let jetstream = jetstream::new(inside.client.clone());
        for stream in [UP.0, DOWN.0] {
            delete_stream(&jetstream, stream).await?;
        }
        // Zero would mean "no JetStream", and the server does not take that back at run time.
        self.push_mailbox(keys, None, 1, now).await
    }

    /// Makes the server read its certificate again, after a renewal.
    pub async fn reload(&self) -> Result<(), HubError> {
        let id = self.line.client.server_info().server_id;
        let answer = self.ask(format!("$SYS.REQ.SERVER.{id}.RELOAD"), Bytes::new()).await?;
        match answer.get("error") {
            None => Ok(()),
            Some(error) => Err(not_done("reload", error)),
        }
    }

    async fn push_mailbox(
        &self,
        keys: &MailboxKeys,
        signing_key: Option<&str>,
        disk_bytes: i64,
        now: OffsetDateTime,
    ) -> Result<(), HubError> {
        let account = keys.account()?.public_key();
        let mailbox = MailboxAccount { name: &keys.node, account: &account, signing_key, disk_bytes };
        let token = claims::mailbox_account(&self.operator, &mailbox, now)?;
        self.push_account(&account, token).await
    }

    /// Pushes the account until the disk is granted, and returns a connection into it.
    async fn get_room(&self, keys: &MailboxKeys, disk_bytes: i64, now: OffsetDateTime) -> Result<Line, HubError> {
        let signing_key = keys.signing()?.public_key();
        self.push_mailbox(keys, Some(&signing_key), disk_bytes, now).await?;
        let inside = self.step_inside(keys, now).await?;
        let jetstream = jetstream::new(inside.client.clone());
        let mut attempt = 1;
        loop {
            let granted = room(&jetstream).await;
            if granted == disk_bytes {
                return Ok(inside);
            }
            if attempt == ROOM_ATTEMPTS {
                let account = keys.account()?.public_key();
                return Err(HubError::NoRoom { account, asked: disk_bytes, granted });
            }
            attempt += 1;
            tokio::time::sleep(ROOM_PAUSE).await;
            self.push_mailbox(keys, Some(&signing_key), disk_bytes, now).await?;
        }
    }

    /// Hands in an account's token. That the server takes it does not mean that it granted disk:
    /// see [`room`].
    async fn push_account(&self, account: &str, token: String) -> Result<(), HubError> {
        let answer = self.ask("$SYS.REQ.CLAIMS.UPDATE".to_owned(), token.into()).await?;
        let code = answer.pointer("/data/code").and_then(Value::as_u64);
        if code == Some(200) {
            return Ok(());
        }
        Err(HubError::AccountNotTaken { account: account.to_owned(), answer: answer.to_string() })
    }

    async fn ask(&self, subject: String, payload: Bytes) -> Result<Value, HubError> {
        let unreachable = |reason: String| HubError::Unreachable { address: self.reach.address.to_string(), reason };
        if !self.line.road.borrow().is_open() {
            return Err(unreachable(format!("{:?}", *self.line.road.borrow())));
        }
        let request = self.line.client.request(subject, payload).await;
        let answer = request.map_err(|error| unreachable(error.to_string()))?;
        serde_json::from_slice(&answer.payload).map_err(|_| HubError::Token("no JSON answer"))
    }

    /// A passing connection into the mailbox as the backbone's own user.
    async fn step_inside(&self, keys: &MailboxKeys, now: OffsetDateTime) -> Result<Line, HubError> {
        let (token, seed) = keys.backbone_user(now)?;
        let reach = &self.reach;
        Login { reach, token, seed: &seed, inbox: BACKBONE_INBOX, name: "opening", longest: OWNER }.now().await
    }
}

/// Disk granted to the account. The server says "taken" to an account even when its disk is over
/// what is left; then JetStream is off inside, or the old limit stands.
async fn room(jetstream: &jetstream::Context) -> i64 {
    match jetstream.query_account().await {
        Ok(info) => info.limits.max_storage.unwrap_or(0),
        Err(error) => {
            tracing::debug!(error = %error, "no JetStream in the account");
            0
        }
    }
}

/// Messages leave a box when they are acknowledged, or old; until then `UP` refuses when it is full,
/// which slows the node down, and `DOWN` forgets its oldest, which the node asks for again.
fn stream_config(name: &str, subject: &str, discard: DiscardPolicy, size: MailboxSize) -> stream::Config {
    stream::Config {
        name: name.to_owned(),
        subjects: vec![subject.to_owned()],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::File,
        discard,
        max_bytes: size.stream_bytes,
        max_age: KEPT_FOR,
        max_message_size: i32::try_from(MAX_MESSAGE_BYTES).unwrap_or(i32::MAX),
        max_consumers: 1,
        num_replicas: 1,
        ..Default::default()
    }
}

async fn make_stream(jetstream: &jetstream::Context, config: stream::Config, consumer: &str) -> Result<(), HubError> {
    let name = config.name.clone();
    jetstream.create_or_update_stream(config).await.map_err(|error| not_done("make a stream", &error))?;
    let consumer = pull::Config {
        durable_name: Some(consumer.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_ack_pending: MAX_UNDER_WAY,
        ..Default::default()
    };
    jetstream.create_consumer_on_stream(consumer, name).await.map_err(|error| not_done("make a consumer", &error))?;
    Ok(())
}

async fn delete_stream(jetstream: &jetstream::Context, name: &str) -> Result<(), HubError> {
    match jetstream.delete_stream(name).await {
        Ok(_) => Ok(()),
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) => Err(not_done("delete a stream", &error)),
    }
}

fn is_absent(error: &jetstream::context::DeleteStreamError) -> bool {
    matches!(
        error.kind(),
        DeleteStreamErrorKind::JetStream(refused)
            if refused.error_code() == ErrorCode::STREAM_NOT_FOUND
    )
}

fn not_done(what: &'static str, reason: &dyn std::fmt::Display) -> HubError {
    HubError::NotDone { what, reason: reason.to_string() }
}
