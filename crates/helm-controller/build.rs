//! Strips the released program. It is built for size, and a package with settings of its own in the profile loses `strip`.

#[expect(clippy::disallowed_methods, reason = "cargo tells build scripts everything so")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rustc-link-arg-bins=-Wl,--strip-all");
    }
}
