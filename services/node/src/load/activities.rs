//! Activities with their awards and needs into a running node. What is there already, by its name in another system, is
//! not made again; an activity whose state has moved on is moved on.

use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt, stream};
use proto::activities::*;
use serde::Serialize;

use super::{Ground, id_of, once_heard};
use crate::client::Client;
use crate::error::NodeError;
use crate::import::iati::{Planned, PlannedAward};

/// How many activities are on their way at once.
const AT_ONCE: usize = 8;
/// Organizations that the contract takes of one activity.
const SUPPORTING: usize = 200;
const FUNDING: usize = 50;
/// Why an activity that was cancelled elsewhere is cancelled here.
const CANCELLED: &str = "Cancelled, as its publisher says";

/// What became of activities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Carried {
    /// How many activities were made.
    pub made: usize,
    /// How many were there already.
    pub already: usize,
    /// How many awards were made.
    pub awards: usize,
    /// How many parts of awards were recorded as paid.
    pub disbursements: usize,
    /// How many needs were stated.
    pub needs: usize,
    /// How many activities were not tried, because others were refused before.
    pub not_sent: usize,
    /// Mentions of organizations that nobody takes part as, by these identifiers, or that were too many for an activity.
    pub unknown_organizations: usize,
    /// Activities that were refused, or of which something was, by their name in another system, and why.
    pub refused: Vec<(String, String)>,
}

/// Makes activities, several at a time, and adds what became of them to what became of others. After the first that is
/// refused no other is begun; `done` is told of each that ended.
pub async fn carry_all(
    client: &Client,
    ground: &Ground,
    all: impl Iterator<Item = Planned>,
    before: Carried,
    done: impl Fn(),
) -> Carried {
    let carried = Mutex::new(before);
    let held = || carried.lock().unwrap_or_else(PoisonError::into_inner);
    let calls = all.map(async |planned| {
        if held().refused.is_empty() {
            let (one, error) = carry(client, ground, &planned).await;
            held().add(&one);
            if let Some(error) = error {
                held().refused.push((planned.definition.external_id, error.to_string()));
            }
        } else {
            held().not_sent += 1;
        }
        done();
    });
    stream::iter(calls).buffer_unordered(AT_ONCE).collect::<()>().await;
    carried.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Carried {
    fn add(&mut self, one: &Self) {
        self.made += one.made;
        self.already += one.already;
        self.awards += one.awards;
        self.disbursements += one.disbursements;
        self.needs += one.needs;
        self.unknown_organizations += one.unknown_organizations;
    }
}

/// Makes one activity with all that belongs to it: what was made of it, and what went wrong.
async fn carry(client: &Client, ground: &Ground, planned: &Planned) -> (Carried, Option<NodeError>) {
    let mut carried = Carried::default();
    let error = carrying(client, ground, planned, &mut carried).await.err();
    (carried, error)
}

async fn carrying(client: &Client, ground: &Ground, planned: &Planned, carried: &mut Carried) -> Result<(), NodeError> {
    let lead = ground.lead(&planned.leads).unwrap_or_default().to_owned();
    let activity = activity(client, ground, planned, &lead, carried).await?;
    let reference = activity.reference.clone();
    if [ActivityState::Cancelled, ActivityState::Void].contains(&activity.state()) {
        // Nothing can be added to it any more.
        return Ok(());
    }
    for award in &planned.awards {
        pay(client, ground, award, &lead, &reference, carried).await?;
    }
    for need in &planned.needs {
        let definition = NeedDefinition { organization: lead.clone(), activity: reference.clone(), ..need.clone() };
        if !ground.has_need(&definition) {
            let (initiative, definition) = (ground.initiative.clone(), Some(definition));
            let request = CreateNeedRequest { initiative, definition, request_id: String::new() };
            let request = CreateNeedRequest { request_id: id_of("need", &request), ..request };
            client.activities().create_need(request).await?;
            carried.needs += 1;
        }
    }
    move_on(client, activity, planned.state).await
}

/// The activity as it is here, made where it was not.
async fn activity(
    client: &Client,
    ground: &Ground,
    planned: &Planned,
    lead: &str,
    carried: &mut Carried,
) -> Result<Activity, NodeError> {
    let activity = match ground.activity(lead, &planned.definition.external_id) {
        Some(activity) => {
            carried.already += 1;
            activity.clone()
        }
        None => {
            let (supporting, strangers) = ground.references(&planned.supporting, lead, SUPPORTING);
            let (funding, unknown) = ground.references(&planned.funding, "", FUNDING);
            carried.unknown_organizations += strangers + unknown;
            let lead = lead.to_owned();
            let definition = ActivityDefinition { lead, supporting, funding, ..planned.definition.clone() };
            let (initiative, definition) = (ground.initiative.clone(), Some(definition));
            let request = CreateActivityRequest { initiative, definition, request_id: String::new() };
            let request = CreateActivityRequest { request_id: id_of("activity", &request), ..request };
            let made = once_heard(async || client.activities().create_activity(request.clone()).await).await?;
            carried.made += 1;
            made.into_inner().activity.unwrap_or_default()
        }
    };
    Ok(activity)
}

/// Takes an activity forward to a state; what has ended here is left as it is.
async fn move_on(client: &Client, mut activity: Activity, wanted: ActivityState) -> Result<(), NodeError> {
    use ActivityState::{Cancelled, Completed, Planned, UnderWay};
    loop {
        let reference = activity.reference.clone();
        let moved = match (activity.state(), wanted) {
            (Planned, UnderWay | Completed) => {
                let request = BeginActivityRequest { activity: reference, ..BeginActivityRequest::default() };
                let request = BeginActivityRequest { request_id: id_of("begin", &request), ..request };
                client.activities().begin_activity(request).await?.into_inner().activity
            }
            (UnderWay, Completed) => {
                let request = CompleteActivityRequest { activity: reference, ..CompleteActivityRequest::default() };
                let request = CompleteActivityRequest { request_id: id_of("complete", &request), ..request };
                client.activities().complete_activity(request).await?.into_inner().activity
            }
            (Planned | UnderWay, Cancelled) => {
                let (reason, etag) = (CANCELLED.to_owned(), String::new());
                let request = CancelActivityRequest { activity: reference, reason, etag, request_id: String::new() };
                let request = CancelActivityRequest { request_id: id_of("cancel", &request), ..request };
                client.activities().cancel_activity(request).await?.into_inner().activity
            }
            _ => return Ok(()),
        };
        activity = moved.unwrap_or_default();
    }
}

/// Makes an award where it is not there, and records what was paid of it where it is not recorded.
async fn pay(
    client: &Client,
    ground: &Ground,
    planned: &PlannedAward,
    lead: &str,
    activity: &str,
    carried: &mut Carried,
) -> Result<(), NodeError> {
    let award = match ground.award(lead, &planned.definition.external_id) {
        Some(award) => award.clone(),
        None => {
            let definition = AwardDefinition {
                organization: lead.to_owned(),
                recipient: ground.organization(&planned.recipient).unwrap_or_default().to_owned(),
                activity: activity.to_owned(),
                ..planned.definition.clone()
            };
            let (initiative, definition) = (ground.initiative.clone(), Some(definition));
            let request = CreateAwardRequest { initiative, definition, request_id: String::new() };
            let request = CreateAwardRequest { request_id: id_of("award", &request), ..request };
            carried.awards += 1;
            client.activities().create_award(request).await?.into_inner().award.unwrap_or_default()
        }
    };
    if award.state() != AwardState::Standing {
        return Ok(());
    }
    let mut there = award.disbursements.clone();
    for (nth, part) in planned.paid.iter().enumerate() {
        let same = |known: &Disbursement| Disbursement { number: 0, ..known.clone() } == *part;
        if let Some(place) = there.iter().position(same) {
            there.remove(place);
            continue;
        }
        let request = RecordDisbursementRequest {
            award: award.reference.clone(),
            disbursement: Some(part.clone()),
            ..RecordDisbursementRequest::default()
        };
        let request_id = id_of(&format!("disbursement {nth}"), &request);
        client.activities().record_disbursement(RecordDisbursementRequest { request_id, ..request }).await?;
        carried.disbursements += 1;
    }
    Ok(())
}
