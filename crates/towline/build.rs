//! How the released program is linked.

#[expect(clippy::disallowed_methods, reason = "cargo tells build scripts everything so")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={ORDER}");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    if variable("PROFILE") != "release" || variable("CARGO_CFG_TARGET_OS") != "linux" {
        return;
    }
    let argument = |text: &str| println!("cargo::rustc-link-arg-bins={text}");
    match variable("CARGO_CFG_TARGET_ENV").as_str() {
        // At a fixed address. A position-independent program has some 44,000 addresses to relocate at each start and dirties
        // two hundred pages doing so, which is a third of what a small `towline build` takes as a whole.
        "gnu" => {
            argument("-no-pie");
            if variable("CARGO_CFG_TARGET_FEATURE").split(',').any(|feature| feature == "crt-static") {
                // The compiler asks for a static position-independent program; without the latter the linker has to be told the former.
                argument("-static");
            }
        }
        // Functions of small commands stand together: each new part of the program that is run costs a page fault, which made
        // up a third of such a command. `cargo xtask link-order` writes the list; names that are gone are passed over.
        "musl" if variable("RUSTC_LINKER").ends_with("rust-lld") => {
            argument(&format!("--symbol-ordering-file={}/{ORDER}", variable("CARGO_MANIFEST_DIR")));
            argument("--no-warn-symbol-ordering");
        }
        _ => {}
    }
}

const ORDER: &str = "link-order.txt";
