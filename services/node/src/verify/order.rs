//! The order: the root's word on the backbone, and the backbone's word on every entry, step after step.

use std::collections::BTreeMap;

use chassis::event::instant;
use chassis::identity::root::verify_appointment;
use chassis::names::{NodeId, Space};
use federation::domain::{self, Holder};
use federation::following;
use federation::keys::BackboneKeys;
use federation::store::nodes::{self, Initiative};
use federation::wire::{self, FORMAT, GENESIS};
use prost::Message;
use proto::federation::{Acceptance, Seal};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::rows::{self, Feed, Head, Step};
use super::{Check, Stop, Verifier, Wrong, unsigned};
use crate::words;

const CHECK: &str = "order";
const APPOINTMENT: &str = "appointment";

/// Every initiative's backbone is the one that its root appointed.
pub(super) async fn appointments(connection: &mut PgConnection) -> Result<Check, Stop> {
    let kept: i64 =
        sqlx::query_scalar("select count(*) from federation.initiatives").fetch_one(&mut *connection).await?;
    let initiatives = nodes::initiatives(connection).await?;
    let wrong = |what: String| Wrong {
        check: APPOINTMENT,
        table: Some("federation.initiatives".to_owned()),
        what,
        ..Wrong::default()
    };
    let number = initiatives.len() as u64;
    if unsigned(kept) != number {
        return Err(wrong("an initiative's reference, backbone or root key cannot be read".to_owned()).into());
    }
    for initiative in initiatives {
        appointed(&initiative).map_err(|what| Wrong { row: Some(initiative.initiative.to_string()), ..wrong(what) })?;
    }
    Ok(Check {
        check: APPOINTMENT,
        counts: BTreeMap::from([("initiatives", number)]),
        words: format!(
            "{}: the backbone is the one that the root appointed",
            words::count(number, "initiative", "initiatives")
        ),
    })
}

fn appointed(initiative: &Initiative) -> Result<(), String> {
    let appointment = verify_appointment(&initiative.root_key, &initiative.appointment);
    let appointment = appointment.map_err(|error| format!("the root's word on the backbone does not hold: {error}"))?;
    if appointment.backbone != initiative.backbone.to_string() {
        return Err(format!("the root appointed {}, and not {}", appointment.backbone, initiative.backbone));
    }
    match initiative.backbone_keys.first() {
        Some(first) if NodeId::of_key(first) == initiative.backbone => Ok(()),
        _ => Err("the backbone's first key is not the one that gives it its id".to_owned()),
    }
}

/// An acceptance that was read and is what its row says.
pub(super) struct Read {
    pub(super) acceptance: Acceptance,
    pub(super) at: OffsetDateTime,
}

/// The keys with which a backbone may have sealed.
enum Keys {
    /// By what the members space tells.
    Told(BackboneKeys),
    /// On a follower, which was shown them: first to last, and the one that sealed the step before.
    Shown(Vec<wire::Head>, Option<wire::Head>),
}

/// How far an order was walked.
struct Walked<'a> {
    head: &'a Head,
    space: Space,
    initiative: &'a Initiative,
    keys: Keys,
    position: i64,
    digest: Vec<u8>,
    at: OffsetDateTime,
    governed_by: u64,
    covered: BTreeMap<(String, i32), i64>,
}

impl Verifier<'_> {
    pub(super) async fn order(&self, connection: &mut PgConnection) -> Result<Check, Stop> {
        let (_, total) = rows::totals(connection).await?;
        self.watch.begin("order of the spaces", unsigned(total));
        let initiatives = nodes::initiatives(connection).await?;
        let feeds = rows::feeds(connection).await?;
        let heads = rows::heads(connection).await?;
        for head in &heads {
            self.walk(connection, head, &initiatives, &feeds).await?;
        }
        if let Some((space, position)) = rows::stray_step(connection).await? {
            let what = "a step that the order knows nothing of".to_owned();
            return Err(
                Wrong { check: CHECK, space: Some(space), position: Some(position), what, ..Wrong::default() }.into()
            );
        }
        if let Some(feed) =
            feeds.iter().find(|feed| feed.judged > 0 && !heads.iter().any(|head| head.space == feed.space))
        {
            return Err(feed.wrong(CHECK, None, "its entries count as judged, and the space has no order").into());
        }
        let (steps, spaces) = (unsigned(total), heads.len() as u64);
        Ok(Check {
            check: CHECK,
            counts: BTreeMap::from([("steps", steps), ("spaces", spaces)]),
            words: format!(
                "{} in {}: without gaps, sealed by the backbone, each over the next entries of one feed",
                words::count(steps, "step", "steps"),
                words::count(spaces, "space", "spaces")
            ),
        })
    }

    async fn walk(
        &self,
        connection: &mut PgConnection,
        head: &Head,
        initiatives: &[Initiative],
        feeds: &[Feed],
    ) -> Result<(), Stop> {
        let mut walked = self.begin(connection, head, initiatives).await?;
        loop {
            let page = rows::steps(connection, &head.space, walked.position).await?;
            if page.is_empty() {
                break;
            }
            for step in &page {
                let read = walked.step(step)?;
                head_there(connection, &walked, step, &read).await?;
            }
            self.watch.done(page.len() as u64);
        }
        if walked.position < head.position {
            return Err(walked.missing(walked.position + 1).into());
        }
        if walked.position == head.position && walked.digest != head.digest {
            let what = "the order's digest is not that of its last step";
            return Err(head.wrong(CHECK, Some(head.position), what).into());
        }
        self.all_covered(&walked, feeds)
    }

    async fn begin<'a>(
        &self,
        connection: &mut PgConnection,
        head: &'a Head,
        initiatives: &'a [Initiative],
    ) -> Result<Walked<'a>, Stop> {
        let wrong = |what: &str| head.wrong(CHECK, None, what);
        let space = head.parsed().ok_or_else(|| wrong("the name of the space is not one"))?;
        let initiative = initiatives.iter().find(|one| Some(&one.initiative) == space.initiative());
        let initiative = initiative.filter(|one| one.initiative.to_string() == head.initiative);
        let initiative = initiative.ok_or_else(|| wrong("it belongs to no initiative of this node"))?;
        let holder = Holder { node: &self.node, follower: initiative.follows };
        if initiative.backbone != self.node && !domain::may_hold(&space, holder) {
            return Err(wrong("this node may not hold that space").into());
        }
        let keys = match initiative.follows {
            true => Keys::Shown(following::heads(connection, &initiative.backbone, &[]).await?, None),
            false => Keys::Told(BackboneKeys::read(connection, initiative).await?),
        };
        Ok(Walked {
            head,
            space,
            initiative,
            keys,
            position: 0,
            digest: GENESIS.to_vec(),
            at: OffsetDateTime::UNIX_EPOCH,
            governed_by: 0,
            covered: BTreeMap::new(),
        })
    }

    /// Every feed of the space is covered as far as it counts as judged; those of other nodes wholly.
    fn all_covered(&self, walked: &Walked<'_>, feeds: &[Feed]) -> Result<(), Stop> {
        for feed in feeds.iter().filter(|feed| feed.space == walked.head.space) {
            let covered = walked.covered.get(&(feed.origin.clone(), feed.epoch)).copied().unwrap_or(0);
            if covered != feed.judged {
                let what =
                    format!("entries up to {} count as judged, and the order covers them up to {covered}", feed.judged);
                return Err(feed.wrong(CHECK, Some(feed.judged.min(covered) + 1), what).into());
            }
            if feed.origin != self.node.as_str() && feed.judged != feed.sequence {
                return Err(feed.wrong(CHECK, Some(feed.judged + 1), "held without the backbone's word").into());
            }
        }
        Ok(())
    }
}

impl Walked<'_> {
    fn missing(&self, position: i64) -> Wrong {
        let what = format!("the step is missing; the order is held up to {}", self.head.position);
        self.head.wrong(CHECK, Some(position), what)
    }

    fn step(&mut self, step: &Step) -> Result<Read, Box<Wrong>> {
        let wrong = |what: &str| self.head.wrong(CHECK, Some(step.position), what);
        if step.position != self.position + 1 {
            return Err(self.missing(self.position + 1).into());
        }
        let read = read(self.head, step)?;
        let acceptance = &read.acceptance;
        if acceptance.previous.as_ref() != self.digest {
            return Err(wrong("it does not follow the step before it").into());
        }
        if read.at < self.at {
            return Err(wrong("it was accepted earlier than the step before it").into());
        }
        let members = self.space == Space::members(&self.initiative.initiative);
        let ahead = members && acceptance.governance_position >= acceptance.position;
        if acceptance.governance_position < self.governed_by || ahead {
            return Err(wrong("it was judged by a position of the members space that does not fit").into());
        }
        self.sealed(step, acceptance.governance_position)?;
        let covered = self.covered.entry((step.origin.clone(), step.epoch)).or_default();
        if step.first != *covered + 1 || step.last < step.first {
            return Err(wrong("it does not cover the next entries of its feed").into());
        }
        *covered = step.last;
        (self.position, self.at, self.governed_by) = (step.position, read.at, acceptance.governance_position);
        self.digest.clone_from(&step.digest);
        Ok(read)
    }

    fn sealed(&mut self, step: &Step, governed_by: u64) -> Result<(), Box<Wrong>> {
        let seal = Seal {
            head: step.digest.clone().into(),
            key: step.seal_key.clone().into(),
            signature: step.seal_signature.clone().into(),
        };
        let digest = wire::digest(&step.acceptance);
        let checked = match &mut self.keys {
            Keys::Told(keys) => keys.check(self.initiative, &seal, &digest, governed_by),
            Keys::Shown(keys, before) => {
                let before = std::mem::replace(before, wire::head(&step.seal_key));
                following::check_onward(&seal, &digest, &self.initiative.backbone, keys, before.as_ref())
            }
        };
        checked.map_err(|error| {
            Box::new(self.head.wrong(CHECK, Some(step.position), format!("the backbone's seal: {error}")))
        })
    }
}

/// Reads a step, and checks that its columns say what the signed bytes do.
pub(super) fn read(head: &Head, step: &Step) -> Result<Read, Box<Wrong>> {
    let wrong = |what: &str| head.wrong(CHECK, Some(step.position), what);
    if wire::digest(&step.acceptance) != *step.digest {
        return Err(wrong("the acceptance is not the one whose digest was kept").into());
    }
    let acceptance =
        Acceptance::decode(step.acceptance.as_slice()).map_err(|_| wrong("the acceptance cannot be read"))?;
    let at = acceptance.accepted_at.as_ref().and_then(instant).ok_or_else(|| wrong("it does not say when"))?;
    let number = |number: u64| i64::try_from(number).unwrap_or(-1);
    let same = acceptance.format == FORMAT
        && format!("{}/{}", acceptance.initiative, acceptance.space) == head.space
        && number(acceptance.position) == step.position
        && acceptance.origin == step.origin
        && i64::from(acceptance.epoch) == i64::from(step.epoch)
        && (number(acceptance.from), number(acceptance.to)) == (step.first, step.last)
        && at == step.accepted_at;
    if same {
        Ok(Read { acceptance, at })
    } else {
        Err(wrong("the row says other things than the acceptance in it").into())
    }
}

/// The step's head is the header that stands at its last sequence.
async fn head_there(connection: &mut PgConnection, walked: &Walked<'_>, step: &Step, read: &Read) -> Result<(), Stop> {
    let digest: Option<Vec<u8>> = sqlx::query_scalar(
        "select digest from federation.entries where space = $1 and origin = $2 and epoch = $3 and sequence = $4",
    )
    .bind(&walked.head.space)
    .bind(&step.origin)
    .bind(step.epoch)
    .bind(step.last)
    .fetch_optional(connection)
    .await?;
    if digest.is_some_and(|digest| digest == read.acceptance.head.as_ref()) {
        return Ok(());
    }
    let wrong = walked.head.wrong(CHECK, Some(step.position), "the entry it ends with is another one, or missing");
    Err(Wrong { origin: Some(step.origin.clone()), sequence: Some(step.last), ..wrong }.into())
}
