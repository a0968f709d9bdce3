//! The truth within a node: one database, and in it a schema and a role for each service.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};

/// A connection that has been idle for longer is asked whether it is still there before it is used.
const ASK_AFTER: Duration = Duration::from_secs(2);

static LEDGER: Migrator = sqlx::migrate!("./migrations");

/// Why a service's schema is not ready.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The address is not one, or nobody answers there.
    #[error("cannot reach Postgres at {address}: {source}")]
    Unreachable {
        /// The address, without the password.
        address: String,
        /// What the driver says.
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring the schema of {service} up to date: {source}")]
    Migration {
        /// Whose.
        service: &'static str,
        /// What stood in the way.
        source: sqlx::migrate::MigrateError,
    },
    /// Nothing to look at.
    #[error("the database has no schema of {service}: this node never ran it here")]
    Empty {
        /// Whose.
        service: &'static str,
    },
    /// Anything else the database refuses.
    #[error("cannot set up the schema of {service}: {source}")]
    Setup {
        /// Whose.
        service: &'static str,
        /// What the driver says.
        source: sqlx::Error,
    },
}

/// An address without its password, for messages.
pub fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}{}", &url.get(..scheme + 3).unwrap_or(""), &url.get(at + 1..).unwrap_or(""))
        }
        _ => url.to_owned(),
    }
}

/// Asks once whether a database answers.
///
/// # Errors
/// Where it does not, or the address is not one.
pub async fn answers(url: &str) -> Result<(), DatabaseError> {
    let unreachable = |source| DatabaseError::Unreachable { address: without_password(url), source };
    let options = PgConnectOptions::from_str(url).map_err(unreachable)?.application_name("commonweal");
    PgConnection::connect_with(&options).await.map_err(unreachable)?.close().await.map_err(unreachable)
}

/// Makes a service's role and schema where they are missing, migrates both the ledger's tables and the service's own,
/// and returns connections that can touch that schema only.
///
/// The login named in `url` must be allowed to make roles and schemas in its database; every connection of the pool
/// then works as the role `<database>_<service>`, which owns nothing but the schema.
///
/// # Errors
/// Where Postgres cannot be reached or refuses.
pub async fn open(url: &str, service: &'static str, own: Migrator, connections: u32) -> Result<PgPool, DatabaseError> {
    let unreachable = |source| DatabaseError::Unreachable { address: without_password(url), source };
    let options = PgConnectOptions::from_str(url).map_err(unreachable)?.application_name(service);
    let mut login = PgConnection::connect_with(&options).await.map_err(unreachable)?;
    let role = provision(&mut login, service).await.map_err(|source| DatabaseError::Setup { service, source })?;
    login.close().await.map_err(unreachable)?;

    let options = options.options([("role", role.as_str()), ("search_path", service)]);
    let pool = pool(connections).connect_with(options).await.map_err(unreachable)?;
    for migrator in [table(&LEDGER, service, "_ledger_migrations"), table(&own, service, "_migrations")] {
        migrator.run(&pool).await.map_err(|source| DatabaseError::Migration { service, source })?;
    }
    Ok(pool)
}

/// A connection that was used just now is there still: asking it each time would cost every call a round trip.
fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new().max_connections(connections).test_before_acquire(false).before_acquire(|connection, known| {
        Box::pin(async move {
            if known.idle_for > ASK_AFTER {
                connection.ping().await?;
            }
            Ok(true)
        })
    })
}

/// One connection as a service has them, to look at what is there: makes and migrates nothing.
///
/// # Errors
/// Where Postgres cannot be reached, or the service has never run on this database.
pub async fn look(url: &str, service: &'static str) -> Result<PgPool, DatabaseError> {
    let unreachable = |source| DatabaseError::Unreachable { address: without_password(url), source };
    let options = PgConnectOptions::from_str(url).map_err(unreachable)?.application_name("commonweal");
    let mut login = PgConnection::connect_with(&options).await.map_err(unreachable)?;
    let (role, there): (String, bool) =
        sqlx::query_as("select current_database() || '_' || $1, exists (select from pg_namespace where nspname = $1)")
            .bind(service)
            .fetch_one(&mut login)
            .await
            .map_err(|source| DatabaseError::Setup { service, source })?;
    login.close().await.map_err(unreachable)?;
    if !there {
        return Err(DatabaseError::Empty { service });
    }
    let options = options.options([("role", role.as_str()), ("search_path", service)]);
    PgPoolOptions::new().max_connections(1).connect_with(options).await.map_err(unreachable)
}

/// How a service's schema stands to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As this program wants it.
    UpToDate,
    /// So many migrations behind: they run when the service starts.
    Behind(usize),
    /// A newer program was here: this one does not know what it changed.
    Ahead,
    /// What ran under a number is not what this program has under it.
    Other,
}

/// Compares the migrations that ran in a service's schema with those of this program. Changes nothing.
///
/// # Errors
/// Where the database fails.
pub async fn standing(pool: &PgPool, service: &'static str, own: &Migrator) -> Result<Standing, sqlx::Error> {
    let mut behind = 0;
    for (migrator, name) in [(&LEDGER, "_ledger_migrations"), (own, "_migrations")] {
        let select = format!("select version, checksum from {service}.{name}");
        let mut ran: BTreeMap<i64, Vec<u8>> =
            sqlx::query_as(AssertSqlSafe(select)).fetch_all(pool).await?.into_iter().collect();
        for migration in migrator.iter() {
            match ran.remove(&migration.version) {
                None => behind += 1,
                Some(checksum) if checksum != *migration.checksum => return Ok(Standing::Other),
                Some(_) => {}
            }
        }
        if !ran.is_empty() {
            return Ok(Standing::Ahead);
        }
    }
    Ok(if behind == 0 { Standing::UpToDate } else { Standing::Behind(behind) })
}

fn table(migrator: &Migrator, service: &str, name: &str) -> Migrator {
    let mut migrator = Migrator { migrations: migrator.migrations.clone(), ..Migrator::DEFAULT };
    migrator.dangerous_set_table_name(format!("{service}.{name}"));
    migrator
}

/// Several services of one node, or several nodes of one server, may start at the same instant: one lock for all.
async fn provision(login: &mut PgConnection, service: &str) -> Result<String, sqlx::Error> {
    let mut transaction = login.begin().await?;
    sqlx::query("select pg_advisory_xact_lock(hashtext('commonweal provision'))").execute(&mut *transaction).await?;
    let database: String = sqlx::query_scalar("select current_database()").fetch_one(&mut *transaction).await?;
    let role = format!("{database}_{service}");
    let there: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(&role)
        .fetch_one(&mut *transaction)
        .await?;
    let mut statements = Vec::new();
    if !there {
        statements.push(format!("create role {} nologin", quoted(&role)));
        statements.push(format!("grant {} to current_user", quoted(&role)));
    }
    statements.push(format!("create schema if not exists {} authorization {}", quoted(service), quoted(&role)));
    for statement in statements {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(role)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
/// What the tables hold that no event could have put there.
pub fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
