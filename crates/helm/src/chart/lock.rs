//! `Chart.lock`: which versions were chosen for the declared dependencies.

use super::package::json_as_yaml;
use super::{Dependency, Lock};
use crate::release::Time;
use sha2::{Digest as _, Sha256};

impl Lock {
    /// The lock of these choices, with Helm's digest over what was declared and what was chosen.
    #[must_use]
    pub fn of(declared: &[Dependency], chosen: Vec<Dependency>, generated: Time) -> Self {
        let mut json = "[".to_owned();
        for (index, list) in [declared, &chosen].into_iter().enumerate() {
            json.push_str(if index == 0 { "[" } else { ",[" });
            for (index, dependency) in list.iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                dependency.write_json(&mut json);
            }
            json.push(']');
        }
        json.push(']');
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(json)));
        Self { generated: Some(generated), digest, dependencies: chosen, declares_dependencies: true }
    }

    /// The file.
    #[must_use]
    pub fn yaml(&self) -> String {
        let mut json = String::new();
        self.write_json(&mut json);
        json_as_yaml(&json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `helm dependency update` wrote it.
    const FILE: &str = r#"dependencies:
- name: dep
  repository: http://127.0.0.1:8765
  version: 1.2.0
- name: loc
  repository: file://../s/loc
  version: 0.3.0
digest: sha256:33d460ee2ebf633fbef428d789a3e61e52a287e600afd4674be5bd8a962a61e3
generated: "2026-11-23T22:34:23.223871821Z"
"#;

    #[test]
    fn locks_are_written_as_helm_writes_them() {
        let dependency = |name: &str, version: &str, repository: &str| Dependency {
            name: name.to_owned(),
            version: version.to_owned(),
            repository: repository.to_owned(),
            ..Dependency::default()
        };
        let (shop, local) = ("http://127.0.0.1:8765", "file://../s/loc");
        let declared = [dependency("dep", "1.x", shop), dependency("loc", ">=0.1.0", local)];
        let chosen = vec![dependency("dep", "1.2.0", shop), dependency("loc", "0.3.0", local)];
        let generated = Time::parse("2026-11-23T22:34:23.223871821Z").unwrap();
        assert_eq!(Lock::of(&declared, chosen, generated).yaml(), FILE);
    }
}
