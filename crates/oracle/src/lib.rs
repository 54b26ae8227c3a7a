//! Test helper: drives the Go oracle programs of `tests/oracle` over JSON lines.
//!
//! ```no_run
//! let Some(mut oracle) = oracle::Oracle::start("yaml") else { return };
//! let answer = oracle.ask(&serde_json::json!({"op": "v2.json", "text": "a: 1"}));
//! ```

#![expect(clippy::print_stderr, reason = "a skipped test and a slow build must be visible")]

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A running oracle program. It ends when this is dropped.
#[derive(Debug)]
pub struct Oracle {
    child: Child,
    input: Option<BufWriter<ChildStdin>>,
    output: BufReader<ChildStdout>,
    name: String,
}

impl Oracle {
    /// Starts the program `tests/oracle/cmd/NAME`, built first if need be.
    ///
    /// Prints one line and gives `None` when Go is not installed. Panics when Go is there but the program cannot be built:
    /// that is a defect of the test suite and must not pass for a skip.
    #[must_use]
    pub fn start(name: &str) -> Option<Self> {
        Self::start_in("oracle", name)
    }

    /// Starts the program `tests/MODULE/cmd/NAME`: a Go module of its own keeps its versions apart from the other's.
    #[must_use]
    #[expect(clippy::panic, reason = "test helper: a broken oracle must fail the test")]
    pub fn start_in(module: &str, name: &str) -> Option<Self> {
        if !has_go() {
            eprintln!("SKIPPED: the oracle `{name}` needs Go, which is not installed");
            return None;
        }
        match Self::start_with_go(module, name) {
            Ok(oracle) => Some(oracle),
            Err(error) => panic!("oracle `{name}`: {error:#}"),
        }
    }

    fn start_with_go(module: &str, name: &str) -> anyhow::Result<Self> {
        let program = build(module, name)?;
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let input = child.stdin.take().context("no stdin")?;
        let output = child.stdout.take().context("no stdout")?;
        Ok(Self {
            child,
            input: Some(BufWriter::new(input)),
            output: BufReader::with_capacity(1 << 20, output),
            name: name.to_owned(),
        })
    }

    /// Asks one question and waits for the answer.
    #[expect(clippy::panic, reason = "test helper: an oracle that died must fail the test")]
    pub fn ask(&mut self, question: &Value) -> Value {
        match self.try_ask(question) {
            Ok(answer) => answer,
            Err(error) => panic!("oracle `{}`: {error:#}; asked {question}", self.name),
        }
    }

    /// Asks one question of a program that may end over it (Go cannot recover from a stack overflow); `None` when it did.
    /// An ended program gives no more answers: start another.
    pub fn ask_or_end(&mut self, question: &Value) -> Option<Value> {
        self.try_ask(question).ok()
    }

    fn try_ask(&mut self, question: &Value) -> anyhow::Result<Value> {
        let input = self.input.as_mut().context("closed")?;
        serde_json::to_writer(&mut *input, question)?;
        input.write_all(b"\n")?;
        input.flush()?;
        self.read_answer()
    }

    fn read_answer(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            bail!("the program ended without an answer");
        }
        serde_json::from_str(&line).with_context(|| format!("unreadable answer {line:?}"))
    }

    /// Asks many questions, writing ahead while answers come in; the answers are in the order of the questions.
    #[expect(clippy::panic, reason = "test helper: an oracle that died must fail the test")]
    pub fn ask_many(&mut self, questions: &[Value]) -> Vec<Value> {
        let Some(mut input) = self.input.take() else { return Vec::new() };
        let mut answers = Vec::with_capacity(questions.len());
        let failure = std::thread::scope(|scope| {
            let writer = scope.spawn(move || -> anyhow::Result<BufWriter<ChildStdin>> {
                for question in questions {
                    serde_json::to_writer(&mut input, question)?;
                    input.write_all(b"\n")?;
                }
                input.flush()?;
                Ok(input)
            });
            for question in questions {
                match self.read_answer() {
                    Ok(answer) => answers.push(answer),
                    Err(error) => return Some(format!("{error:#}; asked {question}")),
                }
            }
            match writer.join() {
                Ok(Ok(input)) => {
                    self.input = Some(input);
                    None
                }
                Ok(Err(error)) => Some(format!("{error:#}")),
                Err(_) => Some("the writing thread panicked".to_owned()),
            }
        });
        if let Some(failure) = failure {
            panic!("oracle `{}`: {failure}", self.name);
        }
        answers
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // Closing its input ends the program.
        self.input = None;
        drop(self.child.wait());
    }
}

fn has_go() -> bool {
    Command::new("go")
        .arg("version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// How many random cases a differential test runs: `TOWLINE_FUZZ_CASES`, or else `default`.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "test helper: there is no command line to take it from")]
pub fn fuzz_cases(default: u32) -> u32 {
    std::env::var("TOWLINE_FUZZ_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The first seed of a differential test: `TOWLINE_FUZZ_SEED`, or else 1, so that ordinary runs repeat.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "test helper: there is no command line to take it from")]
pub fn fuzz_seed() -> u64 {
    std::env::var("TOWLINE_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// The seeds of a differential test: those that `TOWLINE_FUZZ_SEEDS` lists (`7,20-30`), or else as many as [`fuzz_cases`] says
/// from [`fuzz_seed`] on. Panics when the list cannot be read.
#[must_use]
#[expect(clippy::disallowed_methods, clippy::panic, reason = "test helper: there is no command line to take it from")]
pub fn fuzz_seeds(default: u32) -> Vec<u64> {
    let Ok(list) = std::env::var("TOWLINE_FUZZ_SEEDS") else {
        let first = fuzz_seed();
        return (first..first + u64::from(fuzz_cases(default))).collect();
    };
    let range = |part: &str| -> Option<std::ops::RangeInclusive<u64>> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    };
    let ranges: Option<Vec<_>> = list.split(',').map(range).collect();
    ranges
        .unwrap_or_else(|| panic!("TOWLINE_FUZZ_SEEDS is no list of numbers and ranges: {list}"))
        .into_iter()
        .flatten()
        .collect()
}

/// Whether a test shall write what it expects into the sources: `TOWLINE_BLESS=1`.
#[must_use]
pub fn blesses() -> bool {
    std::env::var_os("TOWLINE_BLESS").is_some_and(|value| value == "1")
}

/// The directory of files shared with the project (corpora); prints one line and gives `None` when it is absent.
#[must_use]
pub fn shared_directory() -> Option<PathBuf> {
    let directory = std::env::var_os("TOWLINE_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    if directory.is_dir() {
        return Some(directory);
    }
    eprintln!("SKIPPED: the shared directory (TOWLINE_SHARED) is not there");
    None
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cache_directory() -> anyhow::Result<PathBuf> {
    if let Some(cache) = std::env::var_os("TOWLINE_CACHE") {
        return Ok(PathBuf::from(cache));
    }
    let home = std::env::var_os("HOME").context("neither TOWLINE_CACHE nor HOME is set")?;
    Ok(Path::new(&home).join(".cache/towline"))
}

/// Only one thread of a process builds.
static BUILDING: Mutex<()> = Mutex::new(());

/// Builds the program unless the cache has it for exactly these sources and versions.
fn build(module: &str, name: &str) -> anyhow::Result<PathBuf> {
    let _building = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let module = workspace().join("tests").join(module);
    let sources = module.join("cmd").join(name);
    let mut files = vec![module.join("go.mod"), module.join("go.sum")];
    for entry in fs_err::read_dir(&sources)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in &files {
        let content = fs_err::read(file)?;
        hash.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    let digest = hex::encode(hash.finalize());
    let directory = cache_directory()?.join(module.file_name().unwrap_or_default()).join(name);
    let program = directory.join(digest.get(..16).unwrap_or(&digest));
    if program.exists() {
        return Ok(program);
    }
    fs_err::create_dir_all(&directory)?;
    eprintln!("building the oracle `{name}` (once for these sources)");
    let unfinished = directory.join(format!("building-{}", std::process::id()));
    let status = Command::new("go")
        .arg("build")
        .arg("-o")
        .arg(&unfinished)
        .arg(format!("./cmd/{name}"))
        .current_dir(&module)
        .status()
        .context("run go build")?;
    if !status.success() {
        bail!("go build ./cmd/{name} failed in {}", module.display());
    }
    fs_err::rename(&unfinished, &program)?;
    Ok(program)
}
