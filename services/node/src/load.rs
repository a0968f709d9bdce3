//! What was read into a running node. Batches of observations: who reports them is found or hosted there, and each batch
//! is one submission, all of it or nothing. Awards, organizations and what they offer: one call each. Doing the same again
//! has no second effect.

mod activities;
mod agenda;
mod awards;
mod directory;
mod ground;
mod messages;
mod organizations;
mod sending;
mod submit;

use std::collections::BTreeMap;
use std::time::Duration;

use prost::Message;
use proto::measurement::{CreateMeasureRequest, ListMeasuresRequest, Measure, MeasureDefinition, MeasureState};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};
use tonic::{Code, Status};

pub use activities::{Carried, carry_all};
pub use agenda::{Drafted, draft};
pub use awards::award_all;
pub use directory::{Loaded, Loading, register_all};
pub use ground::Ground;
pub use messages::{Into, Posted, post_all};
pub use organizations::{Reporters, Who, admit_hosted, by_identifier, register, reporters};
pub use sending::Sent;
pub use submit::{Line, Outcome, Submitting, submit, submit_all};

use crate::client::Client;
use crate::error::NodeError;

const HEARD_WITHIN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// The active measures of an initiative, by code: of two with one code that of the backbone, where the initiative was
/// born.
///
/// # Errors
/// Where the node does not answer.
pub async fn measures(client: &Client, initiative: &str) -> Result<BTreeMap<String, Measure>, NodeError> {
    let wanted = ListMeasuresRequest {
        initiative: initiative.to_owned(),
        state: MeasureState::Active.into(),
        ..ListMeasuresRequest::default()
    };
    let home = |measure: &Measure| measure.reference.split('/').next() == initiative.split('/').next();
    let mut found = BTreeMap::<String, Measure>::new();
    for measure in client.measures(wanted).await? {
        let code = measure.definition.as_ref().map(|definition| definition.code.clone()).unwrap_or_default();
        if home(&measure) || !found.contains_key(&code) {
            found.insert(code, measure);
        }
    }
    Ok(found)
}

/// Defines a measure.
///
/// # Errors
/// Where the node refuses.
pub async fn define(client: &Client, initiative: &str, definition: MeasureDefinition) -> Result<Measure, NodeError> {
    let request = CreateMeasureRequest {
        initiative: initiative.to_owned(),
        definition: Some(definition),
        request_id: String::new(),
    };
    let request = CreateMeasureRequest { request_id: id_of("define", &request), ..request };
    let made = once_heard(async || client.measurement().create_measure(request.clone()).await).await?;
    Ok(made.into_inner().measure.unwrap_or_default())
}

/// Asks again for a moment where a service does not know the initiative: it may hear of it, and of who takes part, a
/// moment after it was begun or joined.
async fn once_heard<T>(mut ask: impl AsyncFnMut() -> Result<T, Status>) -> Result<T, Status> {
    let started = Instant::now();
    loop {
        match ask().await {
            Err(status) if status.code() == Code::NotFound && started.elapsed() < HEARD_WITHIN => sleep(PAUSE).await,
            answer => return answer,
        }
    }
}

/// A request id that follows from what is asked: the same asked again has no second effect.
pub(crate) fn id_of(what: &str, request: &impl Message) -> String {
    let mut whole = Sha256::new();
    whole.update(what.as_bytes());
    whole.update(request.encode_to_vec());
    whole.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
