//! Tests that the modules of this crate form layers without cycles.

use std::path::Path;

use fanlight_shared::modules;

#[test]
fn no_module_uses_one_that_uses_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let of_tests = ["tests", "testing", "blocks", "modules"];
    assert_eq!(modules::all_cycles(&source, "tui", &of_tests).unwrap(), []);
}
