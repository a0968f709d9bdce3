//! Where a Postgres of this machine is reached, as its superuser.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::{EmbeddedError, io_error};

/// Who may do everything.
pub(crate) const SUPERUSER: &str = "postgres";

/// A port on 127.0.0.1, and the superuser's password.
pub(crate) struct Address {
    pub(crate) port: u16,
    pub(crate) password: String,
}

impl Address {
    /// At this port, or at one that is free now.
    pub(crate) fn take(port: Option<u16>, password: &str) -> Result<Self, EmbeddedError> {
        let port = match port {
            Some(port) => port,
            None => free_port().map_err(io_error("looking for a free port on", Path::new("127.0.0.1")))?,
        };
        Ok(Self { port, password: password.to_owned() })
    }

    /// The address of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// A connection to the database that is always there.
    pub(crate) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(SUPERUSER)
            .password(&self.password)
            .database("postgres")
            .ssl_mode(PgSslMode::Disable)
            .connect()
            .await
    }

    /// Makes a database; well if it is there.
    pub(crate) async fn create_database(&self, name: &str) -> Result<(), EmbeddedError> {
        let mut connection = self.connect().await?;
        let there: Option<i32> = sqlx::query_scalar("SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1")
            .bind(name)
            .fetch_optional(&mut connection)
            .await?;
        if there.is_none() {
            let statement = format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""));
            let made = sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await;
            made.map(drop).or_else(|problem| if is_duplicate(&problem) { Ok(()) } else { Err(problem) })?;
        }
        connection.close().await?;
        Ok(())
    }
}

/// Two who make the same database at once: one is told that it exists, or that its name does.
fn is_duplicate(problem: &sqlx::Error) -> bool {
    let code = problem.as_database_error().and_then(|problem| problem.code());
    matches!(code.as_deref(), Some("42P04" | "23505"))
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
