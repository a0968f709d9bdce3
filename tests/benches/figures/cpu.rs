//! Which stage of the way of an entry takes how much of the processors.

use std::collections::BTreeMap;

use sqlx::{Connection, PgConnection};

use crate::figure::{Figure, Outcome};
use crate::nodes::Coalition;
use crate::standing::descendants;

/// The system counts processor time in hundredths of a second.
const TICK_US: f64 = 10_000.0;

/// Processor time since their start of those who share the machine, in microseconds, by stage.
pub struct Spent(BTreeMap<&'static str, f64>);

impl Spent {
    /// By now.
    pub async fn now(coalition: &Coalition) -> Outcome<Self> {
        let mut spent = BTreeMap::from([("federation_cpu_nodes", time(std::process::id())?)]);
        let backends = backends(coalition).await?;
        let server = coalition.postgres_process()?;
        let postgres = descendants(server)?;
        for process in descendants(std::process::id())? {
            let stage = match backends.get(&process).map(String::as_str) {
                Some("alpha") => "federation_cpu_postgres_alpha",
                Some("backbone") => "federation_cpu_postgres_backbone",
                Some("beta") => "federation_cpu_postgres_beta",
                _ if process == server || postgres.contains(&process) => "federation_cpu_postgres_server",
                _ => "federation_cpu_brokers",
            };
            *spent.entry(stage).or_default() += time(process).unwrap_or_default();
        }
        Ok(Self(spent))
    }

    /// What was spent from then until now on so many entries: each stage beside all of them.
    pub fn until(&self, now: &Self, entries: usize) -> Vec<Figure> {
        let since =
            |(name, spent): (&&'static str, &f64)| (*name, spent - self.0.get(name).copied().unwrap_or_default());
        let spent: Vec<(&'static str, f64)> = now.0.iter().map(since).collect();
        let limit = spent.iter().map(|(_, spent)| spent).sum::<f64>() / entries as f64;
        spent
            .iter()
            .map(|(name, spent)| Figure { name, ours: spent / entries as f64, limit, unit: "us/entry" })
            .collect()
    }
}

async fn backends(coalition: &Coalition) -> Outcome<BTreeMap<u32, String>> {
    let mut connection = PgConnection::connect(&coalition.node(0)?.database).await?;
    let rows: Vec<(i32, String)> = sqlx::query_as(
        "select pid, datname from pg_stat_activity where datname is not null and pid <> pg_backend_pid()",
    )
    .fetch_all(&mut connection)
    .await?;
    connection.close().await?;
    Ok(rows.into_iter().filter_map(|(pid, name)| Some((u32::try_from(pid).ok()?, name))).collect())
}

fn time(process: u32) -> Outcome<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, after_name) = stat.rsplit_once(')').ok_or("no name")?;
    let ticks = |field: usize| after_name.split_whitespace().nth(field).and_then(|ticks| ticks.parse::<f64>().ok());
    Ok((ticks(11).ok_or("no user time")? + ticks(12).ok_or("no system time")?) * TICK_US)
}
