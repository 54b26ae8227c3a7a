//! Links the released binary at a fixed address. A position-independent one has some 44,000 addresses to relocate at each
//! start and dirties two hundred pages doing so, which is a third of what a small `towline build` takes as a whole.

#[expect(clippy::disallowed_methods, reason = "cargo tells build scripts everything so")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, wanted: &str| std::env::var(variable).is_ok_and(|value| value == wanted);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
        let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
        if features.split(',').any(|feature| feature == "crt-static") {
            // The compiler asks for a static position-independent program; without the latter the linker has to be told the former.
            println!("cargo::rustc-link-arg-bins=-static");
        }
    }
}
