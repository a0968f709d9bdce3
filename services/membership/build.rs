//! A new migration does not rebuild the crate by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
