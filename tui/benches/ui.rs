//! What the terminal UI costs, in a real terminal against a real daemon: `cargo xtask bench ui`.
//!
//! Names of figures as arguments pick some of them: `first`, `keys`, `load`, `rows`, `pictures`, `wide`.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ui/first.rs"]
mod first;
#[path = "daemon/home.rs"]
#[allow(dead_code)]
mod home;
#[path = "ui/keys.rs"]
mod keys;
#[path = "ui/load.rs"]
mod load;
#[path = "ui/pictures.rs"]
mod pictures;
#[path = "daemon/process.rs"]
#[allow(dead_code)]
mod process;
#[path = "ui/rows.rs"]
mod rows;
#[path = "ui/screen.rs"]
mod screen;
#[path = "daemon/table.rs"]
#[allow(dead_code)]
mod table;
#[path = "../tests/support/terminal.rs"]
mod terminal;
#[path = "ui/wide.rs"]
mod wide;

use table::Table;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut table = Table::default();
    runtime.block_on(async {
        let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|it| it == name);
        if wants("first") {
            first::measure(&mut table);
        }
        if wants("keys") {
            keys::measure(&mut table).await;
        }
        if wants("load") {
            load::measure(&mut table).await;
        }
        if wants("rows") {
            rows::measure(&mut table).await;
        }
        if wants("pictures") {
            pictures::measure(&mut table).await;
        }
        if wants("wide") {
            wide::measure(&mut table).await;
        }
    });
    table.print();
}
