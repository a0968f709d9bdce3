//! A message that is posted in a channel: five rows.

use messaging::Messaging;
use node::client::Client;
use proto::messaging::{ChannelDefinition, ChannelKind, CreateChannelRequest, PostMessageRequest};
use sqlx::{FromRow, PgConnection};

use crate::figure::Outcome;
use crate::nodes::{Coalition, new_id, soon};
use crate::raw::{self, Told};
use crate::writes::Command;

/// What people write to one another, not what fills a page.
const BODY: &str = "The numbers of last spring are in: four in five of our students graduated with their class, three \
    more of a hundred than the year before. Most of that came from the two high schools that began to call every family \
    in the first week of absence. Could those who tried it write down what it cost them in hours, so that the others can \
    decide before the budgets close in March?";

/// A message that is posted again and again.
#[derive(Clone)]
pub struct Posting {
    request: PostMessageRequest,
    rows: Rows,
}

impl Posting {
    /// In a new channel on the first node.
    pub async fn at(coalition: &Coalition) -> Outcome<Self> {
        let node = coalition.node(0)?;
        let request = PostMessageRequest {
            channel: open(coalition).await?,
            organization: node.organization.clone(),
            body: BODY.to_owned(),
            byline: "A teacher".to_owned(),
            ..PostMessageRequest::default()
        };
        post(&node.client, &request).await?;
        Ok(Self { request, rows: Rows::last(&mut node.tables("messaging").await?).await? })
    }
}

/// The room hears of its members a moment after they were admitted.
async fn open(coalition: &Coalition) -> Outcome<String> {
    let node = coalition.node(0)?;
    let definition = ChannelDefinition {
        organization: node.organization.clone(),
        name: "Graduation".to_owned(),
        kind: ChannelKind::Discussion.into(),
        ..ChannelDefinition::default()
    };
    let opened = soon("a channel", async || {
        let request = CreateChannelRequest {
            initiative: coalition.initiative.to_string(),
            definition: Some(definition.clone()),
            request_id: new_id(),
            ..CreateChannelRequest::default()
        };
        Ok(node.client.messaging().create_channel(request).await.ok())
    });
    Ok(opened.await?.into_inner().channel.ok_or("no channel")?.reference)
}

async fn post(client: &Client, request: &PostMessageRequest) -> Outcome<()> {
    let request = PostMessageRequest { request_id: new_id(), ..request.clone() };
    client.messaging().post_message(request).await?;
    Ok(())
}

impl Command for Posting {
    type Room = Messaging;

    async fn call(&self, client: &Client) -> Outcome<()> {
        post(client, &self.request).await
    }

    async fn write(&self, bare: &mut PgConnection) -> Outcome<()> {
        let rows = &self.rows;
        raw::command(POSTING, &rows.told)?
            .bind(&rows.channel)
            .bind(&rows.organization)
            .bind(&rows.body)
            .bind(&rows.byline)
            .execute(bare)
            .await?;
        Ok(())
    }
}

/// The rows of the message and of what happened in the channel, and those that every command leaves behind.
const POSTING: &str = raw::statement!(
    "insert into messages (reference, posted_by, space, channel, organization, body, byline, state, version, created_at,
                           updated_at)
     values ($1, $2, $3, $12, $13, $14, $15, 1, 1, clock_timestamp(), clock_timestamp())
    ), entered as (
        insert into entries (event, message, space, channel, change) values ($2, $1, $3, $12, 1)"
);

/// The rows that one call leaves behind, but for their keys.
#[derive(Clone, FromRow)]
struct Rows {
    #[sqlx(flatten)]
    told: Told,
    channel: String,
    organization: String,
    body: String,
    byline: String,
}

impl Rows {
    async fn last(room: &mut PgConnection) -> Outcome<Self> {
        let rows = sqlx::query_as(raw::last!(
            "MessagePosted",
            "PostMessage",
            "m.channel, m.organization, m.body, m.byline",
            "messages m on m.reference = l.resource"
        ));
        Ok(rows.fetch_one(room).await?)
    }
}
