//! What the demo prints: numbered steps with the time each took, the commands it runs, and their output.

use std::time::Duration;

use tokio::time::Instant;

/// The demo's output.
pub(super) struct Screen {
    started: Instant,
    steps: Vec<(String, Duration)>,
    current: Option<(String, Instant)>,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), steps: Vec::new(), current: None }
    }

    /// Begins a step; the one before ends.
    pub(super) fn step(&mut self, title: &str) {
        self.finish_step();
        println!("\n━━ {}. {title}", self.steps.len() + 1);
        self.current = Some((title.to_owned(), Instant::now()));
    }

    fn finish_step(&mut self) {
        if let Some((title, started)) = self.current.take() {
            println!("   took {}", seconds(started.elapsed()));
            self.steps.push((title, started.elapsed()));
        }
    }

    /// Says something about the step.
    pub(super) fn say(&self, text: &str) {
        for line in text.lines() {
            println!("   {line}");
        }
    }

    /// Shows a command as one would type it.
    pub(super) fn command(&self, program: &str, arguments: &[&str]) {
        let words: Vec<String> = arguments
            .iter()
            .map(|word| if word.contains([' ', '{', '*']) { format!("'{word}'") } else { (*word).to_owned() })
            .collect();
        println!("   $ {program} {}", words.join(" "));
    }

    /// Shows a program's output.
    pub(super) fn output(&self, text: &str) {
        for line in text.trim_end().lines() {
            println!("     {}", line.trim_end());
        }
    }

    /// Ends the last step and shows how long each took.
    pub(super) fn summary(&mut self) {
        self.finish_step();
        println!("\n━━ How long it took");
        for (index, (title, time)) in self.steps.iter().enumerate() {
            println!("   {:>8}  {}. {title}", seconds(*time), index + 1);
        }
        println!("   {:>8}  in all", seconds(self.started.elapsed()));
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
