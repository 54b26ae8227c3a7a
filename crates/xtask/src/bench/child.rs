//! One command as a whole process: how long it took, its processor time, and the most memory it had.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::report::{mebibytes, median, milliseconds};

/// What one run took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Cost {
    wall: Duration,
    cpu: Duration,
    /// Largest resident memory, in bytes.
    peak: u64,
    status: i32,
}

/// The middle of several runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Costs(Vec<Cost>);

impl Costs {
    /// Milliseconds from start to end.
    pub(super) fn wall(&self) -> f64 {
        median(self.0.iter().map(|cost| milliseconds(cost.wall)))
    }

    /// Milliseconds of processor time.
    pub(super) fn cpu(&self) -> f64 {
        median(self.0.iter().map(|cost| milliseconds(cost.cpu)))
    }

    /// MiB of memory at its peak.
    pub(super) fn peak(&self) -> f64 {
        median(self.0.iter().map(|cost| mebibytes(cost.peak)))
    }

    /// All three for people.
    pub(super) fn text(&self) -> String {
        format!(
            "wall {:.1} ms, CPU {:.1} ms, peak {:.1} MiB (median of {})",
            self.wall(),
            self.cpu(),
            self.peak(),
            self.0.len()
        )
    }
}

/// Runs commands in turn, so that what else the machine does meets all of them alike. The first round is not counted.
pub(super) fn compare(times: usize, commands: &[Vec<OsString>]) -> Result<Vec<Costs>> {
    let mut all = vec![Costs::default(); commands.len()];
    for round in 0..=times {
        for (command, costs) in commands.iter().zip(&mut all) {
            let cost = measure(command)?;
            if cost.status != 0 {
                bail!("{command:?} ended with status {}", cost.status);
            }
            if round > 0 {
                costs.0.push(cost);
            }
        }
    }
    Ok(all)
}

/// Runs a command below a small process: the kernel counts the memory of whoever starts a program as the program's own.
fn measure(command: &[OsString]) -> Result<Cost> {
    let output = Command::new(std::env::current_exe()?)
        .args(["bench", "--measure"])
        .args(command)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("measuring a command")?;
    if !output.status.success() {
        bail!("{command:?} could not be measured");
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The small process: runs the command, prints what it took.
pub(super) fn print(command: &[OsString]) -> Result<()> {
    let [program, arguments @ ..] = command else { bail!("no command") };
    // Once without counting: what ran before has left other things in the processor's caches, and this process has pages of its
    // own to touch before it can start anything.
    drop(start(program, arguments)?.wait());
    let started = Instant::now();
    let child = start(program, arguments)?;
    let (status, usage) = wait(child.id())?;
    let wall = started.elapsed();
    let time = |value: libc::timeval| {
        Duration::from_secs(value.tv_sec.unsigned_abs()) + Duration::from_micros(value.tv_usec.unsigned_abs())
    };
    let cost = Cost {
        wall,
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak: usage.ru_maxrss.unsigned_abs() * 1024,
        status,
    };
    println!("{}", serde_json::to_string(&cost)?);
    Ok(())
}

fn start(program: &OsString, arguments: &[OsString]) -> Result<std::process::Child> {
    let nothing = Stdio::null;
    Command::new(program)
        .args(arguments)
        .stdin(nothing())
        .stdout(nothing())
        .stderr(nothing())
        .spawn()
        .with_context(|| format!("starting {}", program.display()))
}

#[expect(unsafe_code, reason = "wait4(2), which tells what a child used, has no safe wrapper in the standard library")]
fn wait(pid: u32) -> Result<(i32, libc::rusage)> {
    let pid = libc::pid_t::try_from(pid)?;
    let mut status = 0;
    // SAFETY: rusage is plain numbers, for which all zeros is a value; wait4 writes only to the two locals.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
    };
    if waited != pid {
        return Err(std::io::Error::last_os_error()).context("waiting for the command");
    }
    Ok((status, usage))
}

/// Processor time of a process so far, to 10 ms.
pub(super) fn cpu_time(process: &str) -> Result<Duration> {
    let stat = fs_err::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is the name in parentheses and may contain spaces; fields are counted after it.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks: u64 = [11, 12].iter().filter_map(|index| fields.get(*index)?.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// A command line.
pub(super) fn command(program: impl Into<OsString>, arguments: &[&str]) -> Vec<OsString> {
    std::iter::once(program.into()).chain(arguments.iter().map(OsString::from)).collect()
}
