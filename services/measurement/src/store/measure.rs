//! Measures as rows.

use chassis::database::unreadable;
use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;
use proto::measurement::MeasureState;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;

use crate::domain::{Definition, Dimension, Measure};

const ACTIVE: i32 = MeasureState::Active as i32;
const RETIRED: i32 = MeasureState::Retired as i32;

struct Row {
    reference: Reference,
    space: Space,
    code: String,
    name: String,
    kind: i32,
    unit: String,
    direction: i32,
    aggregation: i32,
    dimensions: Json<Vec<Dimension>>,
    numerator: String,
    denominator: String,
    decimals: i32,
    per: i32,
    numerator_may_exceed: bool,
    may_be_negative: bool,
    state: i32,
    retired_reason: String,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

macro_rules! select_measures {
    ($which:literal, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"select reference as "reference: Reference", space as "space: Space", code, name, kind, unit, direction,
                      aggregation, dimensions as "dimensions: Json<Vec<Dimension>>", numerator, denominator, decimals,
                      per, numerator_may_exceed, may_be_negative, state, retired_reason, version, created_at, updated_at
                 from measurement.measures "# + $which,
            $($argument),*
        )
    };
}

impl TryFrom<Row> for Measure {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let initiative = row.space.initiative().cloned();
        let definition = Definition {
            code: row.code,
            name: row.name,
            kind: row.kind.try_into().map_err(unreadable)?,
            unit: row.unit,
            direction: row.direction.try_into().map_err(unreadable)?,
            aggregation: row.aggregation.try_into().map_err(unreadable)?,
            dimensions: row.dimensions.0,
            numerator: row.numerator,
            denominator: row.denominator,
            decimals: row.decimals.try_into().map_err(unreadable)?,
            per: row.per.try_into().map_err(unreadable)?,
            numerator_may_exceed: row.numerator_may_exceed,
            may_be_negative: row.may_be_negative,
        };
        Ok(Self {
            reference: row.reference,
            initiative: initiative
                .ok_or_else(|| sqlx::Error::Protocol("a measure without an initiative".to_owned()))?,
            definition,
            retired: (row.state == RETIRED).then_some(row.retired_reason),
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// Adds a measure; one that is there already stays as it is.
pub async fn insert(
    connection: &mut PgConnection,
    reference: &Reference,
    space: &Space,
    definition: &Definition,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into measurement.measures
             (reference, space, node, code, name, kind, unit, direction, aggregation, dimensions, numerator, denominator,
              decimals, per, numerator_may_exceed, may_be_negative, state, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1, $18, $18)
         on conflict (reference) do nothing",
        reference.to_string(),
        space.to_string(),
        reference.node.as_str(),
        definition.code,
        definition.name,
        definition.kind.number(),
        definition.unit,
        definition.direction.number(),
        definition.aggregation.number(),
        Json(&definition.dimensions) as _,
        definition.numerator,
        definition.denominator,
        small(definition.decimals),
        small(definition.per),
        definition.numerator_may_exceed,
        definition.may_be_negative,
        ACTIVE,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

fn small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Gives a measure another definition; what never changes of it is not looked at.
pub async fn revise(
    connection: &mut PgConnection,
    reference: &Reference,
    definition: &Definition,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update measurement.measures
            set name = $2, direction = $3, dimensions = $4, numerator = $5, denominator = $6, decimals = $7,
                version = version + 1, updated_at = $8
          where reference = $1",
        reference.to_string(),
        definition.name,
        definition.direction.number(),
        Json(&definition.dimensions) as _,
        definition.numerator,
        definition.denominator,
        small(definition.decimals),
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Retires a measure.
pub async fn retire(
    connection: &mut PgConnection,
    reference: &Reference,
    reason: &str,
    at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update measurement.measures
            set state = $2, retired_reason = $3, version = version + 1, updated_at = $4 where reference = $1",
        reference.to_string(),
        RETIRED,
        reason,
        at,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One measure.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Measure>, sqlx::Error> {
    let row = select_measures!("where reference = $1", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// One measure, which nobody else changes until the end of the transaction.
pub async fn load_locked(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Measure>, sqlx::Error> {
    let row =
        select_measures!("where reference = $1 for update", reference.to_string()).fetch_optional(connection).await?;
    row.map(TryInto::try_into).transpose()
}

/// Measures of a space sorted by reference, which is by home and then by time; an empty code and no state mean all.
pub async fn list(
    connection: &mut PgConnection,
    space: &Space,
    code: &str,
    state: Option<i32>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Measure>, sqlx::Error> {
    let rows = select_measures!(
        "where space = $1 and ($2 = '' or code = $2) and ($3::integer is null or state = $3)
           and ($4::text is null or reference > $4)
         order by reference limit $5",
        space.to_string(),
        code,
        state,
        after,
        limit,
    );
    rows.fetch_all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// Whether an active measure of this node has the code. Whoever asks holds the code until the end of the transaction, so
/// that of two who take it at the same instant the second sees the first.
pub async fn code_taken(
    connection: &mut PgConnection,
    space: &Space,
    node: &NodeId,
    code: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 0))", space.to_string(), code)
        .execute(&mut *connection)
        .await?;
    sqlx::query_scalar!(
        r#"select exists (select from measurement.measures
                           where code = $1 and space = $2 and node = $3 and state = $4) as "taken!""#,
        code,
        space.to_string(),
        node.as_str(),
        ACTIVE,
    )
    .fetch_one(connection)
    .await
}
