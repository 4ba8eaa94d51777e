//! fanlight
fn main() {}
