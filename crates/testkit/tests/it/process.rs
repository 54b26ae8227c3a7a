//! Children are captured, measured, killed, and never outlive the process that started them.

use std::path::Path;
use std::time::Duration;

use testkit::{Process, TempDir};

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn output_and_exit_codes_are_kept() {
    let mut child = Process::command("sh")
        .args(["-c", "echo out; echo err >&2; echo $GREETING; exit 3"])
        .env("GREETING", "hello")
        .start()
        .unwrap();
    assert_eq!(child.wait_exit(LIMIT).await.unwrap(), 3);
    assert_eq!(child.log(), "out\nerr\nhello\n");
}

#[tokio::test]
async fn signals_show_in_the_exit_code_and_a_restart_runs_the_same_again() {
    let mut child = Process::command("sh").args(["-c", "echo started; exec sleep 600"]).start().unwrap();
    child.wait_log("started", LIMIT).await.unwrap();
    assert!(child.peak_memory().unwrap() > 0);
    child.cpu_time().unwrap();
    let first = child.pid();
    child.kill().unwrap();
    assert_eq!(child.try_exit(), Some(137));
    child.restart().unwrap();
    assert_ne!(child.pid(), first);
    assert!(child.is_running());
    child.wait_log("started\nstarted\n", LIMIT).await.unwrap();
    assert_eq!(child.terminate(LIMIT).await.unwrap(), 143);
}

#[tokio::test]
async fn an_ended_program_fails_readiness_at_once_with_its_last_words() {
    let mut child = Process::command("sh").args(["-c", "echo no such flag; exit 2"]).start().unwrap();
    let error = child.wait_ready("http://127.0.0.1:9/readyz", LIMIT).await.unwrap_err().to_string();
    assert!(error.contains("exited with 2") && error.contains("no such flag"), "{error}");
}

/// Not a test of its own: what `a_killed_owner_leaves_nothing_behind` runs in another process and kills.
#[tokio::test]
#[ignore = "started by another test"]
async fn owner_of_a_control_plane() {
    #[allow(clippy::disallowed_methods, reason = "how the other test hands over a path")]
    let Ok(report) = std::env::var("TESTKIT_OWNER_REPORT") else { return };
    let plane = testkit::ControlPlane::start(testkit::Options::default()).await.unwrap();
    fs_err::write(&report, testkit::scratch::root().unwrap().to_string_lossy().as_bytes()).unwrap();
    std::future::pending::<()>().await;
    drop(plane);
}

#[tokio::test]
async fn a_killed_owner_leaves_nothing_behind() {
    let directory = TempDir::new("owner").unwrap();
    let report = directory.join("report");
    let mut owner = Process::command(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "process::owner_of_a_control_plane"])
        .env("TESTKIT_OWNER_REPORT", &report)
        .start()
        .unwrap();
    let root = testkit::until("the owner's control plane", Duration::from_secs(120), async || {
        fs_err::read_to_string(&report).ok().filter(|text| !text.is_empty())
    })
    .await
    .unwrap();
    assert!(processes_mentioning(&root) >= 5, "{}", owner.log());
    owner.kill().unwrap();
    testkit::until("the end of its programs", LIMIT, async || (processes_mentioning(&root) == 0).then_some(()))
        .await
        .unwrap();
    testkit::until("the removal of its files", LIMIT, async || (!Path::new(&root).exists()).then_some(()))
        .await
        .unwrap();
}

/// How many processes have this path in their arguments.
fn processes_mentioning(path: &str) -> usize {
    fs_err::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| fs_err::read(entry.ok()?.path().join("cmdline")).ok())
        .filter(|arguments| String::from_utf8_lossy(arguments).contains(path))
        .count()
}
