//! The folder of one control plane.
//!
//! Owns: its making and its removal. Both are done by a small shell, the
//! keeper, whose standard input is a pipe from this process: when the pipe
//! closes, because the value was dropped or because this process died of
//! anything, the keeper removes the folder. It runs in a process group of its
//! own, out of the reach of a Ctrl-C or of a test runner that kills its group.
//!
//! Must never: remove a folder that its own keeper did not make.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::error::Error;
use crate::supervised::wait_until_gone;

/// Data and preallocated logs of etcd, logs and credentials, with room to grow.
const ROOM: u64 = 1 << 30;

const KEEPER: &str = r#"
umask 077
folder=$(mktemp -d "$1/control-plane.XXXXXXXX") || exit 1
printf '%s\n' "$folder"
exec >/dev/null
while read -r _; do :; done
tries=0
until rm -rf -- "$folder" || [ "$tries" -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
[ ! -e "$folder" ]
"#;

/// A folder that lasts no longer than this value and this process.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    keeper: Child,
}

impl Folder {
    /// Makes a folder in memory when there is room, else among temporary files.
    pub(crate) fn make() -> Result<Self, Error> {
        let memory = Path::new("/dev/shm");
        if has_room(memory)
            && let Ok(folder) = Self::make_in(memory)
        {
            return Ok(folder);
        }
        let base = std::env::temp_dir();
        let doing = format!("make a folder in {}", base.display());
        Self::make_in(&base).map_err(Error::os(doing))
    }

    fn make_in(base: &Path) -> io::Result<Self> {
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "control-plane-keeper"])
            .arg(base)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = keeper.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let path = PathBuf::from(line.trim_end_matches('\n'));
        if !path.is_absolute() {
            drop(keeper.stdin.take());
            keeper.wait()?;
            return Err(io::Error::other("it cannot be written to"));
        }
        Ok(Self { path, keeper })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the folder and tells whether that worked.
    pub(crate) fn remove(mut self) -> Result<(), Error> {
        self.remove_now();
        if self.path.exists() {
            return Err(Error::LeftBehind(self.path.display().to_string()));
        }
        Ok(())
    }

    fn remove_now(&mut self) {
        drop(self.keeper.stdin.take());
        wait_until_gone(&mut self.keeper, Duration::from_secs(15));
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.remove_now();
    }
}

fn has_room(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|space| space.f_bavail.saturating_mul(space.f_frsize) >= ROOM)
}
