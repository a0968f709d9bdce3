//! Organizations as rows.

use chassis::database::unreadable;
use chassis::names::{NodeId, Reference, Space};
use chassis::revision::Stamp;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::{By, Rows};
use crate::domain::{Identifier, Organization, OrganizationProfile, Sector};

struct Row {
    reference: Reference,
    initiative: Reference,
    display_name: String,
    sector: i32,
    website: String,
    schemes: Vec<String>,
    values: Vec<String>,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl TryFrom<Row> for Organization {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> Result<Self, sqlx::Error> {
        let identifiers = row.schemes.into_iter().zip(row.values);
        let identifiers = identifiers.map(|(scheme, value)| Identifier { scheme, value }).collect();
        let Row { display_name, website, .. } = row;
        Ok(Self {
            reference: row.reference,
            initiative: row.initiative,
            profile: OrganizationProfile {
                display_name,
                sector: row.sector.try_into().map_err(unreadable)?,
                identifiers,
                website,
            },
            stamp: Stamp { version: row.version, created_at: row.created_at, updated_at: row.updated_at },
        })
    }
}

/// One organization.
pub async fn load(connection: &mut PgConnection, reference: &Reference) -> Result<Option<Organization>, sqlx::Error> {
    Ok(among(connection, std::slice::from_ref(reference)).await?.pop())
}

/// One organization, locked until the transaction ends.
pub async fn load_locked(
    connection: &mut PgConnection,
    reference: &Reference,
) -> Result<Option<Organization>, sqlx::Error> {
    sqlx::query!("select from membership.organizations where reference = $1 for update", reference as &Reference)
        .fetch_optional(&mut *connection)
        .await?;
    load(connection, reference).await
}

/// Those of the organizations named that are known here, sorted by reference.
pub async fn among(connection: &mut PgConnection, references: &[Reference]) -> Result<Vec<Organization>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        r#"select reference as "reference: Reference", initiative as "initiative: Reference", display_name, sector, website,
                  array(select i.scheme from membership.identifiers i where i.organization = reference order by place) as "schemes!",
                  array(select i.value from membership.identifiers i where i.organization = reference order by place) as "values!",
                  version, created_at, updated_at
             from membership.organizations where reference = any($1) order by reference"#,
        references as &[Reference]
    )
    .fetch_all(connection)
    .await?
    .into_iter()
    .map(Organization::try_from)
    .collect()
}

/// Which organizations of an initiative to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// Only those of this sector.
    pub sector: Option<Sector>,
    /// Only those that live here.
    pub node: Option<&'a NodeId>,
    /// Only those known by this identifier.
    pub identifier: Option<&'a Identifier>,
    /// Only those in this space.
    pub space: Option<&'a Space>,
}

/// Organizations known in an initiative, sorted by reference.
pub async fn list(
    connection: &mut PgConnection,
    initiative: &Reference,
    filter: Filter<'_>,
    rows: Rows<'_>,
) -> Result<Vec<Organization>, sqlx::Error> {
    let matching = sqlx::query_scalar!(
        r#"select reference as "reference: Reference" from membership.organizations o
            where initiative = $1
              and ($2::integer is null or sector = $2)
              and ($3::text is null or node = $3)
              and ($4::text is null or exists (
                      select from membership.identifiers i
                       where i.organization = o.reference and i.scheme = $4 and i.value = $5))
              and ($6::text is null or space = $6)
              and ($7::text is null or reference > $7)
            order by reference limit $8"#,
        initiative as &Reference,
        filter.sector.map(Sector::number),
        filter.node as Option<&NodeId>,
        filter.identifier.map(|identifier| identifier.scheme.as_str()),
        filter.identifier.map(|identifier| identifier.value.as_str()),
        filter.space as Option<&Space>,
        rows.after,
        rows.limit
    )
    .fetch_all(&mut *connection)
    .await?;
    among(connection, &matching).await
}

/// Keeps identifiers for this transaction, so that no two organizations get the same at the same instant; see
/// [`super::alone`].
pub async fn keep_identifiers(
    connection: &mut PgConnection,
    initiative: &Reference,
    identifiers: &[Identifier],
) -> Result<(), sqlx::Error> {
    let named = |Identifier { scheme, value }: &Identifier| format!("{initiative} {scheme} {value}");
    super::alone(connection, identifiers.iter().map(named).collect()).await
}

/// The first of these identifiers that another organization of the initiative on the same node has.
pub async fn taken(
    connection: &mut PgConnection,
    initiative: &Reference,
    organization: &Reference,
    identifiers: &[Identifier],
) -> Result<Option<Identifier>, sqlx::Error> {
    let schemes: Vec<_> = identifiers.iter().map(|identifier| identifier.scheme.clone()).collect();
    let values: Vec<_> = identifiers.iter().map(|identifier| identifier.value.clone()).collect();
    sqlx::query_as!(
        Identifier,
        "select i.scheme, i.value
           from unnest($4::text[], $5::text[]) as asked(scheme, value)
           join membership.identifiers i using (scheme, value)
           join membership.organizations o on o.reference = i.organization
          where o.initiative = $1 and o.node = $2 and o.reference <> $3
          order by i.scheme, i.value limit 1",
        initiative as &Reference,
        &organization.node as &NodeId,
        organization as &Reference,
        &schemes,
        &values
    )
    .fetch_optional(connection)
    .await
}

/// Writes what is known of an organization from now on.
pub async fn save(connection: &mut PgConnection, by: By<'_>, profile: &OrganizationProfile) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into membership.organizations
             (reference, initiative, space, node, display_name, sector, website, version, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8)
         on conflict (reference) do update set
             display_name = excluded.display_name, sector = excluded.sector, website = excluded.website,
             version = organizations.version + 1, updated_at = excluded.updated_at",
        by.resource as &Reference,
        by.initiative as &Reference,
        by.space as &Space,
        &by.resource.node as &NodeId,
        profile.display_name,
        profile.sector.number(),
        profile.website,
        by.made_at
    )
    .execute(&mut *connection)
    .await?;
    save_identifiers(connection, by.resource, &profile.identifiers).await
}

async fn save_identifiers(
    connection: &mut PgConnection,
    organization: &Reference,
    identifiers: &[Identifier],
) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from membership.identifiers where organization = $1", organization as &Reference)
        .execute(&mut *connection)
        .await?;
    let schemes: Vec<_> = identifiers.iter().map(|identifier| identifier.scheme.clone()).collect();
    let values: Vec<_> = identifiers.iter().map(|identifier| identifier.value.clone()).collect();
    sqlx::query!(
        "insert into membership.identifiers (organization, place, scheme, value)
         select $1, place, scheme, value
           from unnest($2::text[], $3::text[]) with ordinality as given(scheme, value, place)",
        organization as &Reference,
        &schemes,
        &values
    )
    .execute(connection)
    .await?;
    Ok(())
}
