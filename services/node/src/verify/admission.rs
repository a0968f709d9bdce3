//! Admission: which nodes belong and which roles they hold is folded again out of the order, every seal is checked with
//! the keys its node had then, and every entry is judged again. The verdicts must be those that were recorded. Of an
//! initiative that this node only follows, keys prove themselves, and judging is left to the backbone.

use std::collections::BTreeMap;

use chassis::event::{Event, Place};
use chassis::names::{NodeId, Space};
use federation::belonging::Belonging;
use federation::border::BorderError;
use federation::domain::{self, Governance, Refusal};
use federation::following;
use federation::governance;
use federation::keys::BackboneKeys;
use federation::store::entries::told_before;
use federation::store::nodes::{self, Initiative};
use federation::wire::{self, FeedName, Link};
use prost::Message;
use proto::federation::{EntryBody, EntryHeader, Seal};
use sqlx::{PgConnection, PgPool};

use super::order::{self, Read};
use super::rows::{self, Entry, Head, Step};
use super::{Check, Stop, Told, ToldEvents, Verifier, Wrong, entries, tables, unsigned};
use crate::error::NodeError;
use crate::words;

const CHECK: &str = "admission";
/// What follows from the order, and is folded again.
const FOLDED: [&str; 4] = ["federation.nodes", "federation.roles", "federation.circles", "federation.backbone_keys"];

#[derive(Default)]
struct Count {
    seals: u64,
    accepted: u64,
    refused: u64,
    not_again: u64,
}

/// A step that is judged again.
struct Judging<'a> {
    head: &'a Head,
    step: &'a Step,
    read: Read,
    feed: FeedName,
    initiative: &'a Initiative,
    /// None where this node only follows, and so does not hold what is judged by.
    governance: Option<Governance>,
}

impl Judging<'_> {
    /// Judges an entry once more; on a follower, whether it is what its origin said.
    fn again(&self, link: &Link) -> Result<Event, Refusal> {
        match &self.governance {
            Some(governance) => domain::judge(&self.feed, link, governance, false),
            None => domain::read(&self.feed, link, self.feed.origin == self.initiative.backbone),
        }
    }

    fn wrong(&self, sequence: Option<i64>, what: impl Into<String>) -> Wrong {
        let origin = Some(self.step.origin.clone());
        Wrong { origin, sequence, ..self.head.wrong(CHECK, Some(self.step.position), what) }
    }
}

impl Verifier<'_> {
    pub(super) async fn admission(&self, pool: &PgPool, told: &mut ToldEvents) -> Result<Check, Stop> {
        let mut transaction = tables::locked(pool, &FOLDED.map(str::to_owned)).await?;
        let connection = &mut *transaction;
        let (total, _) = rows::totals(connection).await?;
        self.watch.begin("admission of the entries", unsigned(total));
        let kept = tables::keep(connection, &FOLDED.map(str::to_owned)).await?;
        for table in FOLDED {
            sqlx::query(sqlx::AssertSqlSafe(format!("delete from {table}"))).execute(&mut *connection).await?;
        }
        let initiatives = nodes::initiatives(connection).await?;
        let mut count = Count::default();
        for head in rows::heads(connection).await? {
            let initiative = initiatives.iter().find(|one| one.initiative.to_string() == head.initiative);
            let initiative = initiative.ok_or_else(|| head.wrong(CHECK, None, "it belongs to no initiative"))?;
            self.judge_all(connection, &head, initiative, told, &mut count).await?;
        }
        if let Some(wrong) = tables::differing(connection, CHECK, &kept).await? {
            return Err(wrong.into());
        }
        transaction.rollback().await?;
        Ok(held(&count))
    }

    async fn judge_all(
        &self,
        connection: &mut PgConnection,
        head: &Head,
        initiative: &Initiative,
        told: &mut ToldEvents,
        count: &mut Count,
    ) -> Result<(), Stop> {
        let mut position = 0;
        loop {
            let page = rows::steps(connection, &head.space, position).await?;
            let Some(last) = page.last() else { return Ok(()) };
            position = last.position;
            for step in &page {
                let judging = self.judging(connection, head, step, initiative).await?;
                count.seals += 1;
                let entries = rows::covered(connection, &head.space, step).await?;
                for entry in &entries {
                    judge(connection, &judging, entry, told, count).await?;
                }
                self.watch.done(entries.len() as u64);
            }
        }
    }

    /// Checks the origin's seal over the frame, and finds what its entries are judged by.
    async fn judging<'a>(
        &self,
        connection: &mut PgConnection,
        head: &'a Head,
        step: &'a Step,
        initiative: &'a Initiative,
    ) -> Result<Judging<'a>, Stop> {
        let wrong =
            |what: String| Wrong { origin: Some(step.origin.clone()), ..head.wrong(CHECK, Some(step.position), what) };
        let read = order::read(head, step)?;
        let origin = rows::node(&step.origin).ok_or_else(|| wrong("the origin is not a node's id".to_owned()))?;
        let space = head.parsed().ok_or_else(|| wrong("the name of the space is not one".to_owned()))?;
        let by = read.acceptance.governance_position;
        let seal = Seal {
            head: read.acceptance.head.clone(),
            key: step.frame_key.clone().into(),
            signature: step.frame_signature.clone().into(),
        };
        let digest = wire::head(&seal.head).ok_or_else(|| wrong("its head is not a digest".to_owned()))?;
        let made = Made { space: &space, position: step.position, by, origin: &origin, seal: &seal, head: &digest };
        self.sealed(connection, initiative, &made).await?.map_err(wrong)?;
        let after = (&space, unsigned(step.position - 1));
        let governance = match initiative.follows {
            true => None,
            false => {
                let belonging = Belonging::at(connection, &initiative.initiative, &origin, by).await?;
                let governance = governance::of(connection, initiative, &origin, &belonging, read.at, after).await?;
                Some(with_keys(connection, initiative, by, governance).await?)
            }
        };
        let feed = FeedName { space, origin, epoch: read.acceptance.epoch };
        Ok(Judging { head, step, read, feed, initiative, governance })
    }

    /// Whether the origin's seal was made with the key that it had where it was judged; else what is wrong with it.
    async fn sealed(
        &self,
        connection: &mut PgConnection,
        initiative: &Initiative,
        made: &Made<'_>,
    ) -> Result<Result<(), String>, sqlx::Error> {
        let Made { space, position, by, origin, seal, head } = *made;
        let checked = if initiative.follows {
            let keys = following::heads(connection, origin, &[]).await?;
            let before = rows::frame_key_before(connection, &space.to_string(), origin, position).await?;
            let before = before.and_then(|before| wire::head(&before));
            following::check_onward(seal, head, origin, &keys, before.as_ref())
        } else if *origin == initiative.backbone {
            BackboneKeys::read(connection, initiative).await?.check(initiative, seal, head, by)
        } else if *origin == self.node {
            // This node seals its own frames anew when they are confirmed, with a key it has then.
            wire::check_seal(seal, head, origin, &self.own_keys)
        } else {
            match nodes::node_at(connection, &initiative.initiative, origin, by).await? {
                None => return Ok(Err(format!("{origin} did not belong to the initiative then"))),
                Some(node) => wire::check_current(seal, head, origin, &node.keys),
            }
        };
        Ok(checked.map_err(|error| format!("the origin's seal: {error}")))
    }
}

/// A seal, and where it was made.
struct Made<'a> {
    space: &'a Space,
    position: i64,
    by: u64,
    origin: &'a NodeId,
    seal: &'a Seal,
    head: &'a wire::Head,
}

/// What a backbone tells of its own key is judged by the keys it had.
async fn with_keys(
    connection: &mut PgConnection,
    initiative: &Initiative,
    position: u64,
    governance: Governance,
) -> Result<Governance, sqlx::Error> {
    if !governance.backbone {
        return Ok(governance);
    }
    let keys = BackboneKeys::read(connection, initiative).await?.current(position).to_vec();
    Ok(Governance { keys, ..governance })
}

async fn judge(
    connection: &mut PgConnection,
    judging: &Judging<'_>,
    entry: &Entry,
    told: &mut ToldEvents,
    count: &mut Count,
) -> Result<(), Stop> {
    let wrong = |what: String| judging.wrong(Some(entry.sequence), what);
    let mut refusals = judging.read.acceptance.refused.iter();
    let refusal = refusals.find(|refusal| i64::try_from(refusal.sequence) == Ok(entry.sequence));
    if entry.refused.as_ref() != refusal.map(|refusal| &refusal.reason) {
        return Err(wrong(verdict_differs(entry, refusal.map(|refusal| refusal.reason.as_str()))).into());
    }
    let Some(link) = link(entry) else {
        return Err(wrong("the header cannot be read".to_owned()).into());
    };
    let again = link.body.is_some().then(|| judging.again(&link));
    match (again, refusal) {
        (None, Some(_)) => {
            count.not_again += 1;
            count.refused += 1;
        }
        (None, None) => {
            count.not_again += 1;
            count.accepted += 1;
            if let Some(id) = entry.event_id {
                told.insert(id, Told { digest: None, position: judging.step.position });
            }
        }
        (Some(Err(again)), Some(recorded)) if again.code() == recorded.code => count.refused += 1,
        (Some(Ok(event)), Some(recorded)) if recorded.code == Refusal::DuplicateEvent.code() => {
            if told_before(connection, &[event.id]).await?.is_empty() {
                return Err(wrong("it was refused as told before, and it was not".to_owned()).into());
            }
            count.refused += 1;
        }
        (Some(Ok(event)), None) => {
            count.accepted += 1;
            accepted(connection, judging, entry, event, told).await?;
        }
        (Some(Err(again)), recorded) => {
            let recorded = recorded.map_or("accepted".to_owned(), |recorded| format!("refused as {}", recorded.code));
            return Err(wrong(format!("it was {recorded}, and by the rules it is refused: {again}")).into());
        }
        (Some(Ok(_)), Some(recorded)) => {
            let what = format!("it was refused as {}, and by the rules it is accepted", recorded.code);
            return Err(wrong(what).into());
        }
    }
    Ok(())
}

fn verdict_differs(entry: &Entry, sealed: Option<&str>) -> String {
    let words = |verdict: Option<&str>| verdict.map_or("accepted".to_owned(), |reason| format!("refused ({reason})"));
    format!("it counts as {}, and by the backbone's seal it is {}", words(entry.refused.as_deref()), words(sealed))
}

async fn accepted(
    connection: &mut PgConnection,
    judging: &Judging<'_>,
    entry: &Entry,
    event: Event,
    told: &mut ToldEvents,
) -> Result<(), Stop> {
    let position = judging.step.position;
    let digest = entry.event.as_deref().map(wire::digest);
    if told.insert(event.id, Told { digest, position }).is_some() {
        return Err(judging.wrong(Some(entry.sequence), "the same event was accepted before").into());
    }
    let event = Event { accepted: Some(Place { position, at: judging.read.at }), ..event };
    governance::refold(connection, judging.initiative, &event).await.map(drop).map_err(|error| match error {
        BorderError::Database(error) => Stop::from(error),
        error => Stop::Failed(NodeError::Border(error)),
    })
}

fn link(entry: &Entry) -> Option<Link> {
    let header = EntryHeader::decode(entry.header.as_slice()).ok()?;
    let body = match (&entry.event, &entry.salt) {
        (Some(event), Some(salt)) => Some(EntryBody { event: event.clone().into(), salt: salt.clone().into() }),
        _ => None,
    };
    Some(Link {
        sequence: header.sequence,
        event_type: header.event_type,
        header: entry.header.clone().into(),
        digest: wire::head(&entry.digest)?,
        body,
    })
}

fn held(count: &Count) -> Check {
    let judged = count.accepted + count.refused;
    let not_again = match count.not_again {
        0 => String::new(),
        number => format!("; {} without a body cannot be judged again", entries(number)),
    };
    Check {
        check: CHECK,
        counts: BTreeMap::from([
            ("seals", count.seals),
            ("accepted", count.accepted),
            ("refused", count.refused),
            ("not_judged_again", count.not_again),
        ]),
        words: format!(
            "{} judged again, {} accepted and {} refused as recorded{not_again}; {} of the nodes hold; nodes and roles follow",
            entries(judged),
            words::thousands(count.accepted),
            words::thousands(count.refused),
            words::count(count.seals, "seal", "seals"),
        ),
    }
}
