//! How the services of this node stand: asked from each, the border among them, and put beside one another.

use std::collections::BTreeMap;
use std::time::Duration;

use chassis::broker;
use chassis::event::timestamp;
use futures_util::future::join_all;
use prost::Message;
use proto::common::standing::Heard;
use proto::common::{AskStanding, HeldOf, Standing};
use proto::federation::{LinkStatus, RoomStatus};
use sqlx::PgPool;

use crate::border::BorderError;
use crate::store::rooms;

const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// How each of these services and the border stand, and of which nodes they hold how much.
///
/// # Errors
/// Where the database fails.
pub async fn of(
    client: &async_nats::Client,
    pool: &PgPool,
    services: &[&'static str],
) -> Result<(Vec<RoomStatus>, Vec<HeldOf>), BorderError> {
    let services: Vec<&str> = services.iter().copied().chain([crate::NAME]).collect();
    let answers = join_all(services.iter().map(|service| ask(client, service))).await;
    let told: BTreeMap<&str, u64> =
        services.iter().zip(&answers).filter_map(|(service, answer)| Some((*service, answer.as_ref()?.told))).collect();
    let held = answers.iter().flatten().flat_map(|answer| answer.held_of.clone()).collect();
    let mut statuses = Vec::with_capacity(services.len());
    for (service, answer) in services.iter().zip(answers) {
        let status = match answer {
            Some(standing) => status(service, standing, &told),
            None => (RoomStatus { service: (*service).to_owned(), ..RoomStatus::default() }, 0),
        };
        statuses.push(status);
    }
    let mut connection = pool.acquire().await?;
    for (status, follows) in statuses.iter_mut().filter(|(status, _)| status.answers && status.service != crate::NAME) {
        let oldest = rooms::waiting_since(&mut connection, *follows).await?;
        status.behind_since = oldest.map(timestamp);
    }
    Ok((statuses.into_iter().map(|(status, _)| status).collect(), held))
}

/// How much of what came over a link the services hold: of the node at its other end, and where that is the backbone of
/// all others. `here` is this node.
pub fn held_over(link: &LinkStatus, held: &[HeldOf], here: &str) -> u64 {
    let came = |of: &&HeldOf| {
        of.initiative == link.initiative && (of.node == link.node || (!link.is_backbone && of.node != here))
    };
    held.iter().filter(came).map(|of| of.held).sum()
}

async fn ask(client: &async_nats::Client, service: &str) -> Option<Standing> {
    let asked = client.request(broker::standing_subject(service), AskStanding {}.encode_to_vec().into());
    let answer = tokio::time::timeout(ANSWER_WITHIN, asked).await.ok()?.ok()?;
    Standing::decode(answer.payload).ok()
}

/// The status of a service, and how far it has heard the border.
fn status(service: &str, standing: Standing, told: &BTreeMap<&str, u64>) -> (RoomStatus, u64) {
    let heard = |source: &str| standing.heard.iter().find(|heard| heard.source == source);
    let sequence = |source: &str| heard(source).map_or(0, |heard| heard.sequence);
    let others = told.iter().filter(|(source, _)| **source != service);
    let behind = others.map(|(source, told)| told.saturating_sub(sequence(source))).sum();
    let troubled: Option<&Heard> = standing.heard.iter().find(|heard| !heard.trouble.is_empty());
    let follows = sequence(crate::NAME);
    let status = RoomStatus {
        service: service.to_owned(),
        answers: true,
        behind,
        behind_since: None,
        trouble: troubled.map(|heard| heard.trouble.clone()).unwrap_or_default(),
        trouble_since: troubled.and_then(|heard| heard.since),
        held: standing.held,
        first_held: standing.first_held,
    };
    (status, follows)
}
