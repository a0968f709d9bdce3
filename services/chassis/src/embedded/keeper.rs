//! A child process that ends with its parent, and of which there is one for a folder.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::shield::Shield;
use super::{EmbeddedError, io_error};
use crate::{clock, strongbox};

/// Runs the command after the first word and sends it the signals named on standard input, at its end the first word.
///
/// The pipe ends when its only writer, the parent, does, however that came about. Standard output is the folder's lock: the reader of
/// the pipe lets go of it, the command keeps it.
const LEASH: &str = r#"
last=$1
shift
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
{
    while read -r signal; do kill -s "$signal" "$child"; done
    kill -s "$last" "$child"
    patience=30
    while [ "$patience" -gt 0 ]; do sleep 1; patience=$((patience - 1)); done
    kill -s KILL "$child"
} <&3 >/dev/null 2>&1 &
reader=$!
exec 3<&-
wait "$child"
status=$?
kill "$reader"
wait "$reader" 2>/dev/null
exit "$status"
"#;

/// How long a child may take to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the child of a parent that was killed may take to end by itself.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);
/// Past this size in bytes a log starts anew.
const LOG_LIMIT: u64 = 8 << 20;

/// The lock of a folder; held by the child's processes once it is started.
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock, or says who has it. Waits for a child whose parent is gone.
    pub(super) async fn take(dir: &Path) -> Result<Self, EmbeddedError> {
        let path = dir.join("running");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io_error("opening", &path))?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(problem)) => return Err(io_error("locking", &path)(problem)),
                Err(TryLockError::WouldBlock) => {}
            }
            let pid = fs::read_to_string(&path).unwrap_or_default();
            if lives(&pid) || started.elapsed() > ORPHAN_PATIENCE {
                return Err(EmbeddedError::Running { dir: dir.to_owned(), pid });
            }
            tokio::time::sleep(POLL).await;
        }
        file.set_len(0)
            .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()))
            .map_err(io_error("writing", &path))?;
        Ok(Self { file })
    }
}

/// Whether a process with this number is there, ours or not.
fn lives(pid: &str) -> bool {
    let Ok(pid) = pid.parse() else { return false };
    !matches!(kill(Pid::from_raw(pid), None), Err(nix::errno::Errno::ESRCH))
}

/// What to run and how it ends.
pub(super) struct Order<'a> {
    /// What people call it.
    pub(super) what: &'static str,
    /// The folder with its lock and its log.
    pub(super) dir: &'a Path,
    /// Whose rights it has.
    pub(super) shield: Shield,
    /// The command.
    pub(super) words: Vec<OsString>,
    /// The signal that makes it end in good order.
    pub(super) gentle: &'static str,
    /// The signal that makes it end at once.
    pub(super) rough: &'static str,
}

/// A running child.
pub(super) struct Keeper {
    what: &'static str,
    dir: PathBuf,
    gentle: &'static str,
    rough: &'static str,
    log_from: u64,
    child: Child,
    reins: Option<ChildStdin>,
}

impl Keeper {
    /// Starts the child; it takes the lock over.
    pub(super) fn start(order: Order<'_>, lock: &Lock) -> Result<Self, EmbeddedError> {
        let log_path = order.dir.join("log");
        let (log, log_from) = open_log(&log_path).map_err(io_error("opening", &log_path))?;
        let held = lock.file.try_clone().map_err(io_error("locking", order.dir))?;
        let mut child = order
            .shield
            .command("sh")
            .args(["-c", LEASH, "sh", order.gentle])
            .args(order.words)
            .stdin(Stdio::piped())
            .stdout(held)
            .stderr(log)
            .process_group(0) // Ctrl-C is for us: a child ends after those who use it
            .spawn()
            .map_err(io_error("starting a child for", order.dir))?;
        let reins = child.stdin.take();
        let Order { what, gentle, rough, .. } = order;
        Ok(Self { what, dir: order.dir.to_owned(), gentle, rough, log_from, child, reins })
    }

    /// Whether the child ended.
    pub(super) fn ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until the child ended.
    pub(super) async fn wait(&mut self) {
        while !self.ended() {
            tokio::time::sleep(POLL).await;
        }
    }

    /// Where the child writes what it does.
    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// What the child wrote since it was started.
    pub(super) fn said(&self) -> String {
        let mut text = Vec::new();
        if let Ok(mut log) = File::open(self.log()) {
            let _ = log.seek(SeekFrom::Start(self.log_from)).and_then(|_| log.read_to_end(&mut text));
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The child ended before it served.
    pub(super) fn exited(&self) -> EmbeddedError {
        EmbeddedError::Exited { what: self.what, said: last_words(&self.said()), log: self.log() }
    }

    /// The child is there and does not serve.
    pub(super) fn late(&self, waited: Duration) -> EmbeddedError {
        EmbeddedError::Late { what: self.what, seconds: waited.as_secs(), log: self.log() }
    }

    /// Ends the child in good order; at once if that takes too long.
    pub(super) async fn stop(mut self) -> Result<(), EmbeddedError> {
        self.tell(self.gentle);
        if !self.ends_within(PATIENCE).await {
            tracing::warn!(child = self.what, "did not stop when asked: killed");
            self.tell("KILL");
            self.ends_within(PATIENCE).await;
        }
        Ok(())
    }

    /// Ends the child as a crash would.
    pub(super) async fn kill(mut self) {
        self.tell("KILL");
        self.ends_within(PATIENCE).await;
    }

    fn tell(&mut self, signal: &str) {
        // From now on a waiting start is for a child that is about to end, not refused by our own living name.
        let _ = File::create(self.dir.join("running"));
        if let Some(reins) = &mut self.reins {
            let _ = writeln!(reins, "{signal}"); // fails only where the child is gone, which is what was wanted
        }
    }

    async fn ends_within(&mut self, patience: Duration) -> bool {
        tokio::time::timeout(patience, self.wait()).await.is_ok()
    }
}

impl Drop for Keeper {
    /// Waits: whoever drops a server removes its folder next. The signal is one that children follow at once.
    fn drop(&mut self) {
        if !self.ended() {
            self.tell(self.rough);
            let _ = self.child.wait();
        }
    }
}

/// The last complaint of a server's log, or its last line.
pub(crate) fn last_words(log: &str) -> String {
    let complaint = log.lines().rev().find(|line| line.contains("FATAL") || line.contains("[FTL]"));
    complaint.or_else(|| log.lines().last()).unwrap_or("it said nothing").to_owned()
}

fn open_log(path: &Path) -> std::io::Result<(File, u64)> {
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    if log.metadata()?.len() > LOG_LIMIT {
        log.set_len(0)?;
    }
    let from = log.metadata()?.len();
    Ok((log, from))
}

/// Makes a folder that others may pass through and not read, as an unprivileged child of root must; one that is there stays as it is.
pub(crate) fn make_folder(path: &Path) -> Result<PathBuf, EmbeddedError> {
    let path = std::path::absolute(path).map_err(io_error("finding", path))?;
    DirBuilder::new().recursive(true).mode(0o711).create(&path).map_err(io_error("making the folder", &path))?;
    Ok(path)
}

/// The password kept in a file that only its owner reads; made when it is not there.
pub(super) fn password(path: &Path) -> Result<String, EmbeddedError> {
    match strongbox::read(path)?.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(password) if !password.is_empty() => return Ok(password),
        _ => {}
    }
    let password = data_encoding::HEXLOWER.encode(&clock::random::<24>()?);
    strongbox::replace(path, password.as_bytes())?;
    Ok(password)
}
