//! Postgres: whether it answers, its version, its clock, and how the services' schemas stand.

use std::str::FromStr;
use std::time::Duration;

use chassis::config::Config;
use chassis::database::{self, DatabaseError, Standing, without_password};
use chassis::{clock, embedded};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use time::OffsetDateTime;

use super::Finding;
use crate::ground::DATABASE;
use crate::house::{Schema, schemas};
use crate::words;

const CHECK: &str = "postgres";
const CLOCK: &str = "clock and postgres";
const OLDEST: i32 = 170_000;
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// More than this, in seconds, and terms and lags are wrong.
const CLOCKS_APART: f64 = 2.0;

/// The database, where it can be reached now.
pub(super) struct Found {
    pub(super) url: Option<String>,
    pub(super) findings: Vec<Finding>,
}

/// Finds the database: by its address, or behind the node that runs.
pub(super) async fn find(config: &Config, node_runs: bool) -> Found {
    if let Some(url) = &config.database.url {
        return Found { url: Some(url.reveal().to_owned()), findings: Vec::new() };
    }
    let folder = config.node.data_dir.join("postgres");
    let url = embedded::Postgres::running(&folder, DATABASE).await;
    let finding = match (&url, node_runs, embedded::postgres()) {
        (Some(_), ..) => None,
        (None, true, _) => Some(Finding::wrong(
            CHECK,
            format!("the node runs, and its Postgres under {} does not answer", folder.display()),
            format!("see {}", folder.join("log").display()),
        )),
        (None, false, Ok(install)) => {
            let words = format!("Postgres {} starts with the node, which does not run", install.major);
            Some(Finding::skipped(CHECK, words))
        }
        (None, false, Err(error)) => Some(Finding::wrong(CHECK, error.to_string(), "see the line itself")),
    };
    Found { url, findings: finding.into_iter().collect() }
}

pub(super) async fn examine(url: &str) -> Vec<Finding> {
    let mut connection = match tokio::time::timeout(ANSWER_WITHIN, connect(url)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return vec![unreachable(url, &error.to_string())],
        Err(_) => return vec![unreachable(url, "no answer within 5 s")],
    };
    let mut found = vec![version(&mut connection, url).await];
    found.extend(clocks(&mut connection).await);
    // Whatever it answers, we are done with it.
    let _ = connection.close().await;
    for service in schemas() {
        found.push(schema(url, service).await);
    }
    found
}

async fn connect(url: &str) -> Result<PgConnection, sqlx::Error> {
    PgConnectOptions::from_str(url)?.application_name("commonweal doctor").connect().await
}

fn unreachable(url: &str, reason: &str) -> Finding {
    let words = format!("cannot reach Postgres at {}: {reason}", without_password(url));
    Finding::wrong(CHECK, words, "start it, or correct database.url (COMMONWEAL_DATABASE__URL)")
}

async fn version(connection: &mut PgConnection, url: &str) -> Finding {
    let version: Result<(i32, String), _> =
        sqlx::query_as("select current_setting('server_version_num')::int, current_setting('server_version')")
            .fetch_one(connection)
            .await;
    match version {
        Ok((number, words)) if number < OLDEST => {
            Finding::wrong(CHECK, format!("it is Postgres {words}"), "upgrade it to 18: an older one is not tried")
        }
        Ok((_, words)) => Finding::well(CHECK, format!("Postgres {words} at {}", without_password(url))),
        Err(error) => unreachable(url, &error.to_string()),
    }
}

/// The two clocks, less the time that asking took.
async fn clocks(connection: &mut PgConnection) -> Option<Finding> {
    let before = clock::now();
    let theirs: OffsetDateTime = sqlx::query_scalar("select clock_timestamp()").fetch_one(connection).await.ok()?;
    let after = clock::now();
    let apart = match theirs {
        theirs if theirs < before => before - theirs,
        theirs if theirs > after => theirs - after,
        _ => time::Duration::ZERO,
    };
    let seconds = apart.as_seconds_f64();
    Some(match seconds {
        seconds if seconds > CLOCKS_APART => Finding::wrong(
            CLOCK,
            format!("are {} apart", words::duration(seconds)),
            "set both machines by a time server (chrony, systemd-timesyncd)",
        ),
        _ => Finding::well(CLOCK, "agree"),
    })
}

async fn schema(url: &str, service: Schema) -> Finding {
    let check = service.name;
    let pool = match database::look(url, service.name).await {
        Ok(pool) => pool,
        Err(DatabaseError::Empty { .. }) => {
            return Finding::advice(check, "has no schema yet", "start the service once: it makes it");
        }
        Err(error) => return Finding::wrong(check, error.to_string(), "see postgres above"),
    };
    match database::standing(&pool, service.name, &(service.migrations)()).await {
        Ok(Standing::UpToDate) => Finding::well(check, "schema up to date"),
        Ok(Standing::Behind(number)) => {
            let number = words::count(number as u64, "migration", "migrations");
            Finding::advice(check, format!("schema is {number} behind"), "start the service: they run by themselves")
        }
        Ok(Standing::Ahead) => Finding::wrong(
            check,
            "a newer version of this program has changed the schema",
            "run that version, or restore a backup from before it ran",
        ),
        Ok(Standing::Other) => Finding::wrong(
            check,
            "the schema was made by another build of this program",
            "run that build, or start with an empty database",
        ),
        Err(error) => Finding::wrong(check, error.to_string(), "see postgres above"),
    }
}
