//! The desk: the way of a command, the same in every call of every room.
//!
//! `begin` takes the caller and the rule of the method and opens the transaction; `authorise` judges the rule;
//! `answered` gives the same answer to the same request again; `record` applies what was decided; `reply` logs it,
//! keeps the answer, commits and wakes the relay. What was not authorised cannot record: it fails closed.

mod watch;

use prost::Message;
use proto::common::Role;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Postgres, Transaction};
use time::OffsetDateTime;
use tonic::{Request, Response, Status};

use crate::authn::{Call, Caller};
use crate::authz::{self, Standing};
use crate::clock;
use crate::crash;
use crate::errors;
use crate::event::{Actor, Event, Fact};
use crate::ledger::Ledger;
use crate::log::{self, Line};
use crate::names::{NodeId, Reference};
use crate::requests::{self, Claim};
use crate::roles;
use crate::room::Room;
use crate::telling::{self, Teller};

pub use watch::Watch;

/// Begins a transaction that reads one snapshot of the tables.
const SNAPSHOT: &str = "begin isolation level repeatable read read only";

/// Where the calls of one room come in.
pub struct Desk<R> {
    ledger: Ledger<R>,
}

impl<R> Clone for Desk<R> {
    fn clone(&self) -> Self {
        Self { ledger: self.ledger.clone() }
    }
}

impl<R: Room> Desk<R> {
    /// The desk before a ledger.
    pub fn new(ledger: Ledger<R>) -> Self {
        Self { ledger }
    }

    /// The room's ledger.
    pub fn ledger(&self) -> &Ledger<R> {
        &self.ledger
    }

    /// Begins a call that writes.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a caller; `UNAVAILABLE` where the database is away, or this node only reads for now.
    pub async fn begin<M>(&self, request: Request<M>) -> Result<(Work<R>, M), Status> {
        let (call, message) = taken_apart(request)?;
        let Call { caller, method, rule } = call;
        let Some(caller) = caller else { return Err(nobody()) };
        let paused = Paused { ledger: self.ledger.clone(), caller, method, rule, now: clock::now() };
        Ok((paused.resume().await?, message))
    }

    /// Begins a call that only reads, on one snapshot of the tables.
    ///
    /// # Errors
    /// `UNAVAILABLE` where the database is away.
    pub async fn look<M>(&self, request: Request<M>) -> Result<(Look, M), Status> {
        let (call, message) = taken_apart(request)?;
        let transaction = self.ledger.pool.begin_with(SNAPSHOT).await.map_err(errors::database)?;
        Ok((Look { node: self.ledger.node.clone(), transaction, call, now: clock::now() }, message))
    }
}

/// One call that writes, on its way.
pub struct Work<R> {
    ledger: Ledger<R>,
    transaction: Transaction<'static, Postgres>,
    caller: Caller,
    method: String,
    rule: &'static proto::common::Access,
    now: OffsetDateTime,
    /// Set by `authorise`.
    actor: Option<Actor>,
    /// Set by `answered`.
    request_id: Option<String>,
    /// What `reply` appends to the log.
    lines: Vec<Line>,
}

impl<R: Room> Work<R> {
    /// Judges the method's rule. `initiative` is the one the request is about, as the room knows it; `writes_as` the
    /// organization it writes as (for a request that names none: `caller().only_organization()`). Events name that
    /// organization, or else the only one the caller speaks for.
    ///
    /// # Errors
    /// `PERMISSION_DENIED`, naming what would be enough.
    pub async fn authorise(
        &mut self,
        initiative: Option<&Reference>,
        writes_as: Option<&Reference>,
    ) -> Result<(), Status> {
        judge(&mut self.transaction, self.rule, &self.caller, initiative, writes_as, self.now).await?;
        let organization = writes_as.or(self.caller.only_organization()).cloned();
        self.actor = Some(Actor { organization, person: Some(self.caller.person.clone()) });
        Ok(())
    }

    /// The answer given before, if the same caller made the same request under this id already. Two at the same instant
    /// wait for one another here. Call it after `authorise` and before anything that counts.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` where the id is malformed or another request came under it.
    pub async fn answered<Q: Message, A: Message + Default>(
        &mut self,
        request_id: &str,
        request: &Q,
    ) -> Result<Option<Response<A>>, Status> {
        if self.actor.is_none() {
            return Err(errors::internal(&format!("{} asked for an answer before it was authorised", self.method)));
        }
        let request_id = requests::id(request_id)?;
        let claim = Claim { caller: &self.caller.person, method: &self.method, request_id };
        let digest: [u8; 32] = Sha256::digest(request.encode_to_vec()).into();
        let before = claim.take(&mut self.transaction, &digest).await?;
        self.request_id = Some(request_id.to_owned());
        let Some(before) = before else { return Ok(None) };
        let answer = A::decode(before.as_slice()).map_err(|error| errors::internal(&error))?;
        Ok(Some(Response::new(answer)))
    }

    /// Applies what was decided to the tables; `reply` appends it to the log, last in the transaction.
    ///
    /// # Errors
    /// `INTERNAL` where the call was not authorised, or its request id not looked at, before; else what the database
    /// says.
    pub async fn record(&mut self, facts: &[Fact]) -> Result<Vec<Event>, Status> {
        let (Some(actor), Some(_)) = (&self.actor, &self.request_id) else {
            return Err(errors::internal(&format!("{} would record before it was authorised", self.method)));
        };
        let teller = Teller {
            node: &self.ledger.node,
            organization: actor.organization.as_ref(),
            operator: self.caller.operator,
        };
        telling::check(&mut self.transaction, &teller, facts, self.now).await?;
        let (events, lines) = self.ledger.apply(&mut self.transaction, actor, facts).await?;
        self.lines.extend(lines);
        Ok(events)
    }

    /// Appends what was recorded to the log, keeps the answer for a repetition of the request, commits, and wakes the
    /// relay.
    ///
    /// # Errors
    /// What the database says; nothing is kept then.
    pub async fn reply<A: Message>(self, answer: A) -> Result<Response<A>, Status> {
        let kept = answer.encode_to_vec();
        self.reply_and_keep(answer, &kept).await
    }

    /// As [`Work::reply`], for an answer that holds a secret: `kept` is it without, and what [`Work::answered`] comes
    /// back with.
    ///
    /// # Errors
    /// As those of [`Work::reply`].
    pub async fn reply_without_secret<A: Message>(self, answer: A, kept: &A) -> Result<Response<A>, Status> {
        self.reply_and_keep(answer, &kept.encode_to_vec()).await
    }

    async fn reply_and_keep<A>(mut self, answer: A, reply: &[u8]) -> Result<Response<A>, Status> {
        let Some(request_id) = &self.request_id else {
            return Err(errors::internal(&format!("{} would answer before it looked at its request id", self.method)));
        };
        let claim = Claim { caller: &self.caller.person, method: &self.method, request_id };
        let kept = match self.lines.as_slice() {
            [] => claim.keep(&mut self.transaction, reply).await,
            lines => log::append_answered(&mut self.transaction, R::NAME, lines, &claim, reply).await,
        };
        kept.map_err(errors::database)?;
        crash::point("ledger.before_commit");
        self.transaction.commit().await.map_err(errors::database)?;
        crash::point("ledger.after_commit");
        self.ledger.committed();
        Ok(Response::new(answer))
    }

    /// Lets go of the transaction with all that was done in it, to wait for something outside of the database: whoever
    /// waits there holds no lock here.
    ///
    /// # Errors
    /// What the database says.
    pub async fn pause(self) -> Result<Paused<R>, Status> {
        let Self { ledger, transaction, caller, method, rule, now, .. } = self;
        transaction.rollback().await.map_err(errors::database)?;
        Ok(Paused { ledger, caller, method, rule, now })
    }

    /// The transaction's connection.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// The instant of the call: one for everything in it.
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// Whoever calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// This node.
    pub fn node(&self) -> &NodeId {
        &self.ledger.node
    }
}

/// A call that writes, while it has no transaction.
pub struct Paused<R> {
    ledger: Ledger<R>,
    caller: Caller,
    method: String,
    rule: &'static proto::common::Access,
    now: OffsetDateTime,
}

impl<R: Room> Paused<R> {
    /// Begins anew, authorisation and request id included: much may have happened meanwhile.
    ///
    /// # Errors
    /// `UNAVAILABLE` where the database is away, or this node only reads for now.
    pub async fn resume(self) -> Result<Work<R>, Status> {
        let Self { ledger, caller, method, rule, now } = self;
        ledger.gate().pass().await?;
        let transaction = ledger.pool.begin().await.map_err(errors::database)?;
        let (actor, request_id, lines) = (None, None, Vec::new());
        Ok(Work { ledger, transaction, caller, method, rule, now, actor, request_id, lines })
    }
}

/// One call that only reads, on its way.
pub struct Look {
    node: NodeId,
    transaction: Transaction<'static, Postgres>,
    call: Call,
    now: OffsetDateTime,
}

impl Look {
    /// Judges the method's rule, as [`Work::authorise`] does.
    ///
    /// # Errors
    /// `PERMISSION_DENIED`, naming what would be enough; `UNAUTHENTICATED` without a caller, unless the method is open.
    pub async fn authorise(
        &mut self,
        initiative: Option<&Reference>,
        writes_as: Option<&Reference>,
    ) -> Result<(), Status> {
        match &self.call.caller {
            Some(caller) => judge(&mut self.transaction, self.call.rule, caller, initiative, writes_as, self.now).await,
            None if self.call.rule.open => Ok(()),
            None => Err(nobody()),
        }
    }

    /// The snapshot's connection.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// The instant of the call.
    pub fn now(&self) -> OffsetDateTime {
        self.now
    }

    /// Whoever calls; `None` only for methods that are open to anyone.
    pub fn caller(&self) -> Option<&Caller> {
        self.call.caller.as_ref()
    }

    /// This node.
    pub fn node(&self) -> &NodeId {
        &self.node
    }
}

async fn judge(
    connection: &mut PgConnection,
    rule: &proto::common::Access,
    caller: &Caller,
    initiative: Option<&Reference>,
    writes_as: Option<&Reference>,
    now: OffsetDateTime,
) -> Result<(), Status> {
    // Only an organization that the room names is ever the caller's own: one that is forgotten fails closed.
    let own = writes_as.is_some_and(|organization| caller.speaks_for(organization));
    let held: Vec<Role> = match initiative {
        Some(initiative) if !authz::settled(rule, caller, own) && !caller.organizations.is_empty() => {
            roles::held(connection, initiative, &caller.organizations, now).await.map_err(errors::database)?
        }
        _ => Vec::new(),
    };
    Ok(authz::judge(rule, Standing { caller: Some(caller), held: &held, own })?)
}

fn taken_apart<M>(request: Request<M>) -> Result<(Call, M), Status> {
    let (_, mut extensions, message) = request.into_parts();
    let call = extensions.remove::<Call>().ok_or_else(nobody)?;
    Ok((call, message))
}

fn nobody() -> Status {
    errors::unauthenticated("TOKEN_MISSING", "this call needs a token: send it as `authorization: Bearer <token>`")
}
