//! Programs run as children: their output goes to a file, they are killed on drop and when our process ends in any way,
//! and their memory and processor use can be read.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use fs_err as fs;
use tokio::time::Instant;

use crate::scratch;

/// Runs the program, prints its pid, and kills it when standard input ends: only our process holds that open, so its end,
/// even by SIGKILL, ends the program too. Exits with the program's own status (128 + signal when it was killed).
const GUARD: &str = r#"
log=$1; shift
exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
child=$!
echo $child
exec >/dev/null 2>&1
{ while read -r _ <&3; do :; done; kill -9 $child; } &
reader=$!
exec 3<&- </dev/null
wait $child
code=$?
kill $reader
exit $code
"#;

/// How to start a program; like `std::process::Command`, but it can be started again.
#[derive(Clone, Debug)]
pub struct ProcessCommand {
    program: PathBuf,
    name: String,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, Option<OsString>)>,
    directory: Option<PathBuf>,
    log: Option<PathBuf>,
}

impl ProcessCommand {
    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I>(mut self, arguments: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), Some(value.into())));
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), None));
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// The name used in messages and for the log file (the program's file name unless set).
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Where its output is appended (a file in the scratch root unless set).
    #[must_use]
    pub fn log_to(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// Starts it.
    pub fn start(self) -> Result<Process> {
        Process::start(self)
    }
}

/// A running (or ended) child.
#[derive(Debug)]
pub struct Process {
    command: ProcessCommand,
    pid: i32,
    guard: Child,
    /// Open as long as the program may live.
    hold: Option<ChildStdin>,
    log: PathBuf,
    exit: Option<i32>,
}

impl Process {
    /// Begins the description of a child; for a workspace binary pass `env!("CARGO_BIN_EXE_name")`.
    pub fn command(program: impl Into<PathBuf>) -> ProcessCommand {
        let program = program.into();
        let name = program.file_name().map_or_else(|| "program".to_owned(), |name| name.to_string_lossy().into_owned());
        ProcessCommand { program, name, arguments: Vec::new(), environment: Vec::new(), directory: None, log: None }
    }

    fn start(command: ProcessCommand) -> Result<Self> {
        if command.program.components().count() > 1 && !command.program.is_file() {
            bail!("{} does not exist; build it first", command.program.display());
        }
        let log = match &command.log {
            Some(path) => path.clone(),
            None => {
                tempfile::Builder::new()
                    .prefix(&format!("{}-", command.name))
                    .suffix(".log")
                    .tempfile_in(scratch::root()?)?
                    .keep()?
                    .1
            }
        };
        let mut shell = Command::new("sh");
        shell
            .args(["-c", GUARD, "testkit-guard"])
            .arg(&log)
            .arg(&command.program)
            .args(&command.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Not in the terminal's group: Ctrl-C reaches us, and our end reaches the child.
            .process_group(0);
        for (name, value) in &command.environment {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        if let Some(directory) = &command.directory {
            shell.current_dir(directory);
        }
        let mut guard = shell.spawn().with_context(|| format!("starting {}", command.name))?;
        let hold = guard.stdin.take();
        let mut line = String::new();
        BufReader::new(guard.stdout.take().context("the guard has no output")?).read_line(&mut line)?;
        let pid = line.trim().parse().with_context(|| format!("the guard of {} did not start it", command.name))?;
        Ok(Self { command, pid, guard, hold, log, exit: None })
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        &self.command.name
    }

    /// The process id of the program itself.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Everything it has written to standard output and error so far.
    pub fn log(&self) -> String {
        fs::read(&self.log).map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The file its output goes to.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// The last lines of its output, for messages.
    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().collect();
        all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.try_exit().is_none()
    }

    /// Its exit code once it has ended (128 + signal number when killed by one).
    pub fn try_exit(&mut self) -> Option<i32> {
        if self.exit.is_none()
            && let Ok(Some(status)) = self.guard.try_wait()
        {
            self.exit = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        }
        self.exit
    }

    /// Waits for it to end by itself.
    pub async fn wait_exit(&mut self, limit: Duration) -> Result<i32> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(code) = self.try_exit() {
                return Ok(code);
            }
            if Instant::now() >= deadline {
                bail!("{} still runs after {} s", self.name(), limit.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sends SIGKILL and waits until it is gone, as a crash does.
    pub fn kill(&mut self) -> Result<()> {
        if self.try_exit().is_none() {
            self.signal(libc::SIGKILL)?;
            let status = self.guard.wait()?;
            self.exit = status.code();
        }
        Ok(())
    }

    /// Sends SIGTERM and waits for its exit code.
    pub async fn terminate(&mut self, limit: Duration) -> Result<i32> {
        if self.try_exit().is_none() {
            self.signal(libc::SIGTERM)?;
        }
        self.wait_exit(limit).await
    }

    /// Starts it again with the same arguments after it has ended (the log goes on in the same file).
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        let mut command = self.command.clone();
        command.log = Some(self.log.clone());
        *self = Self::start(command)?;
        Ok(())
    }

    /// Waits until the URL answers 2xx; fails at once, with the end of the log, when the program has ended.
    pub async fn wait_ready(&mut self, url: &str, limit: Duration) -> Result<()> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).no_proxy().build()?;
        let deadline = Instant::now() + limit;
        let mut last = String::new();
        loop {
            match client.get(url).send().await {
                Ok(response) if response.status().is_success() => return Ok(()),
                Ok(response) => {
                    last = format!("{}: {}", response.status(), response.text().await.unwrap_or_default());
                }
                Err(error) => last = if last.is_empty() { error.to_string() } else { last },
            }
            if let Some(code) = self.try_exit() {
                bail!("{} exited with {code}:\n{}", self.name(), self.log_tail(30));
            }
            if Instant::now() >= deadline {
                bail!(
                    "{} is not ready at {url} after {} s ({last}):\n{}",
                    self.name(),
                    limit.as_secs(),
                    self.log_tail(30)
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until its output contains the text.
    pub async fn wait_log(&mut self, needle: &str, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !self.log().contains(needle) {
            if let Some(code) = self.try_exit() {
                bail!("{} exited with {code}:\n{}", self.name(), self.log_tail(30));
            }
            if Instant::now() >= deadline {
                bail!("{} did not log {needle:?}:\n{}", self.name(), self.log_tail(30));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// The largest resident memory it has had, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        self.status_field("VmHWM")
    }

    /// Its resident memory now, in bytes.
    pub fn memory(&self) -> Result<u64> {
        self.status_field("VmRSS")
    }

    /// Processor time it has used in user and kernel mode.
    pub fn cpu_time(&self) -> Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The second field is the name in parentheses and may contain spaces; fields are counted after it.
        let fields: Vec<&str> =
            stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
        let ticks: u64 = [11, 12].iter().filter_map(|index| fields.get(*index)?.parse::<u64>().ok()).sum();
        // USER_HZ is 100 on every Linux that has /proc/PID/stat in this form.
        Ok(Duration::from_millis(ticks * 10))
    }

    fn status_field(&self, field: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        status
            .lines()
            .find_map(|line| line.strip_prefix(field)?.strip_prefix(':')?.split_whitespace().next())
            .and_then(|kibibytes| kibibytes.parse::<u64>().ok())
            .map(|kibibytes| kibibytes * 1024)
            .with_context(|| format!("{} has no {field}", self.name()))
    }

    /// Sends a signal to the program.
    #[expect(unsafe_code, reason = "kill(2) has no safe wrapper in the standard library")]
    pub fn signal(&self, signal: i32) -> Result<()> {
        // SAFETY: kill takes two integers and touches no memory of ours.
        let outcome = unsafe { libc::kill(self.pid, signal) };
        if outcome != 0 {
            let error = std::io::Error::last_os_error();
            if error.raw_os_error() != Some(libc::ESRCH) {
                return Err(error).with_context(|| format!("sending signal {signal} to {}", self.name()));
            }
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard kills the program when its input ends; then it ends itself.
        self.hold.take();
        let _ = self.guard.wait();
    }
}
