//! How Postgres, which refuses to run as root, runs when we are root.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::find::PostgresInstall;
use super::{EmbeddedError, io_error};

/// The user `nobody`: exists everywhere, owns nothing.
const NOBODY: u32 = 65534;

/// Whose rights a child has. Tried in this order when we are root; the first that can reach the binaries and the data is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shield {
    /// Ours: we are not root.
    Ours,
    /// Those of `nobody`.
    Nobody,
    /// Those of `nobody`, who may enter folders closed to others, such as root's home.
    NobodyWithKeys,
    /// Ours under the name of `nobody`, where no other user can be had at all.
    Namespace,
}

impl Shield {
    /// Finds the weakest rights with which `install` can use `data`, and gives `data` to their owner.
    pub(super) fn choose(install: &PostgresInstall, data: &Path) -> Result<Self, EmbeddedError> {
        if !nix::unistd::geteuid().is_root() {
            return Ok(Self::Ours);
        }
        [Self::Nobody, Self::NobodyWithKeys, Self::Namespace]
            .into_iter()
            .find(|shield| shield.give(data).is_ok() && shield.reaches(install, data))
            .ok_or_else(|| EmbeddedError::NoUnprivilegedUser(data.to_owned()))
    }

    /// A command with these rights.
    pub(super) fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = match self {
            Self::Ours => Command::new(program),
            Self::Nobody => {
                let mut command = Command::new(program);
                command.uid(NOBODY).gid(NOBODY);
                command
            }
            // `no_setuid_fixup`, because access(2), which Postgres asks about its own binaries, else forgets what the user may do.
            Self::NobodyWithKeys => wrapped(
                "setpriv",
                &[
                    "--reuid=65534",
                    "--regid=65534",
                    "--clear-groups",
                    "--securebits=+no_setuid_fixup",
                    "--inh-caps=+dac_override",
                    "--ambient-caps=+dac_override",
                ],
                program,
            ),
            Self::Namespace => wrapped("unshare", &["--user", "--map-user=65534", "--map-group=65534"], program),
        };
        // The current folder may be closed to the child, and macOS wants a locale named.
        command.current_dir("/").env("LC_ALL", "C");
        command
    }

    /// Gives a file or a folder with all in it to the owner of these rights.
    pub(super) fn give(self, path: &Path) -> Result<(), EmbeddedError> {
        let owner = match self {
            Self::Ours => return Ok(()),
            Self::Nobody | Self::NobodyWithKeys => NOBODY,
            Self::Namespace => 0,
        };
        give_to(path, owner).map_err(io_error("giving to an unprivileged user", path))
    }

    fn reaches(self, install: &PostgresInstall, data: &Path) -> bool {
        self.command("sh")
            .args(["-c", r#"cd "$1" && [ -w . ] && [ -r "$2" ] && "$2" --version"#, "sh"])
            .arg(data)
            .arg(install.bin.join("postgres"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

fn wrapped(wrapper: &str, arguments: &[&str], program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(wrapper);
    command.args(arguments).arg(program);
    command
}

/// The top is changed last, so that a walk that was cut short is done again.
fn give_to(path: &Path, owner: u32) -> io::Result<()> {
    let about = fs::symlink_metadata(path)?;
    if about.uid() == owner {
        return Ok(());
    }
    if about.is_dir() {
        for entry in fs::read_dir(path)? {
            give_to(&entry?.path(), owner)?;
        }
    }
    if about.is_symlink() { Ok(()) } else { chown(path, Some(owner), Some(owner)) }
}
